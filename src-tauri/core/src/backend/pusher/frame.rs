//! Frames (Pusher Channels protocol 7, "Events"). `data` is a JSON text in a JSON string, or the object itself:
//! servers do both.

use serde_json::{Map, Value};

/// The longest socket id, in bytes.
const LONGEST_ID: usize = 128;

/// What a frame says.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// The server listens.
    Established {
        /// What signatures are made for.
        socket_id: String,
        /// Seconds of quiet after which a ping is due.
        activity_timeout: Option<u64>,
    },
    /// Something is wrong with the connection, or with what was sent.
    Error {
        /// One of the close codes, as a rule.
        code: Option<u16>,
        /// The server's words.
        message: String,
    },
    /// The channel is subscribed.
    Succeeded {
        /// Which one.
        channel: String,
    },
    /// The channel is not.
    Refused {
        /// Which one.
        channel: String,
        /// An HTTP status, as a rule.
        status: Option<u64>,
        /// The server's words.
        error: String,
    },
    /// The channel's last event is no longer kept.
    CacheMiss {
        /// Which one.
        channel: String,
    },
    /// The sign-in is accepted.
    SignedIn {
        /// Who it is; empty if the server does not say.
        user: String,
    },
    /// The server wants to know whether we are there.
    Ping,
    /// The server is there.
    Pong,
    /// What an application published.
    Event {
        /// On which channel.
        channel: String,
        /// Its name.
        event: String,
        /// Its data, once decoded.
        data: String,
    },
    /// Something that is not for us, or that newer servers say.
    Other,
}

/// Reads a frame; none if it cannot be read.
pub(super) fn read(frame: &str) -> Option<Frame> {
    let Ok(Value::Object(mut members)) = serde_json::from_str(frame) else {
        return None;
    };
    let Some(Value::String(event)) = members.remove("event") else {
        return None;
    };
    let data = decoded(members.remove("data"));
    let channel = match members.remove("channel") {
        Some(Value::String(channel)) => channel,
        _ => String::new(),
    };
    Some(match event.as_str() {
        "pusher:connection_established" => {
            let data = object(&data);
            let socket_id = text(&data, "socket_id");
            // It goes into requests as it is.
            if socket_id.is_empty()
                || socket_id.len() > LONGEST_ID
                || socket_id.chars().any(char::is_control)
            {
                return None;
            }
            Frame::Established {
                socket_id,
                activity_timeout: data.get("activity_timeout").and_then(Value::as_u64),
            }
        }
        "pusher:error" => {
            let data = object(&data);
            Frame::Error {
                code: data
                    .get("code")
                    .and_then(Value::as_u64)
                    .and_then(|code| u16::try_from(code).ok()),
                message: text(&data, "message"),
            }
        }
        "pusher_internal:subscription_succeeded" => Frame::Succeeded { channel },
        "pusher:subscription_error" | "pusher_internal:subscription_error" => {
            let data = object(&data);
            Frame::Refused {
                channel,
                status: data.get("status").and_then(Value::as_u64),
                error: text(&data, "error"),
            }
        }
        "pusher:cache_miss" | "pusher_internal:cache_miss" => Frame::CacheMiss { channel },
        "pusher:signin_success" => {
            let user_data = object(&text(&object(&data), "user_data"));
            Frame::SignedIn {
                user: id(&user_data),
            }
        }
        "pusher:ping" => Frame::Ping,
        "pusher:pong" => Frame::Pong,
        _ if event.starts_with("pusher:") || event.starts_with("pusher_internal:") => Frame::Other,
        _ if channel.is_empty() => Frame::Other,
        _ => Frame::Event {
            channel,
            event,
            data,
        },
    })
}

/// The text inside the string, or the text of the value.
fn decoded(data: Option<Value>) -> String {
    match data {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    }
}

/// A JSON object; empty if it is none.
pub(super) fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// A member that is a text; empty where there is none.
pub(super) fn text(members: &Map<String, Value>, name: &str) -> String {
    match members.get(name) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// The user's id, which applications write as a text or a number.
pub(super) fn id(user_data: &Map<String, Value>) -> String {
    match user_data.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    }
}
