//! A frame, and the notification that it makes (ntfy, `model/model.go`). Every member is read for itself: one
//! that is not what it should be costs only itself.

use crate::model::{Action, ActionKind, Attachment, Class, Draft, Format, Tier, is_token, limits};
use crate::text::{allowed_link, cut, emoji};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The longest id or sequence id, in bytes; ntfy's own have 12 and at most 64 characters.
const LONGEST_ID: usize = 256;
/// The longest tag or label, in bytes.
const WORD: usize = 256;
/// Headers of an action.
const HEADERS: usize = 32;

/// What a frame says.
pub(super) enum Frame {
    /// The server listens for this connection from here on.
    Open {
        /// The server's clock.
        time: Option<i64>,
    },
    /// The server is alive.
    KeepAlive {
        /// The server's clock.
        time: Option<i64>,
    },
    /// Something that concerns a notification.
    Happening(Box<Happening>),
    /// Something that is not for us, or that newer servers say.
    Other,
}

/// What happened to a notification.
pub(super) struct Happening {
    /// The event's own id.
    pub id: String,
    /// The replace key.
    pub key: String,
    /// The topic; empty if the frame does not say.
    pub topic: String,
    /// The server's time.
    pub time: Option<i64>,
    /// What it is.
    pub what: What,
    members: Map<String, Value>,
}

/// What can happen to a notification.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// It is published, or published anew.
    Message,
    /// It is read.
    Clear,
    /// It is deleted.
    Delete,
}

/// Reads a frame; none if it cannot be read.
pub(super) fn read(frame: &str) -> Option<Frame> {
    let Ok(Value::Object(members)) = serde_json::from_str(frame) else {
        return None;
    };
    let time = members.get("time").and_then(Value::as_i64);
    let what = match members.get("event") {
        None => What::Message,
        Some(Value::String(event)) => match event.as_str() {
            "open" => return Some(Frame::Open { time }),
            "keepalive" => return Some(Frame::KeepAlive { time }),
            "message" => What::Message,
            "message_clear" => What::Clear,
            "message_delete" => What::Delete,
            _ => return Some(Frame::Other),
        },
        Some(_) => return None,
    };
    let id = name(&members, "id")?;
    let key = name(&members, "sequence_id").unwrap_or_else(|| id.clone());
    Some(Frame::Happening(Box::new(Happening {
        id,
        key,
        topic: text(&members, "topic").to_owned(),
        time,
        what,
        members,
    })))
}

/// A name of reasonable length.
fn name(members: &Map<String, Value>, member: &str) -> Option<String> {
    let name = text(members, member);
    (!name.is_empty() && name.len() <= LONGEST_ID).then(|| name.to_owned())
}

/// A text; empty where there is none.
fn text<'a>(members: &'a Map<String, Value>, member: &str) -> &'a str {
    members
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Happening {
    /// The notification, for an inbox in which it has this version.
    pub(super) fn draft(&self, version: i64, frame: &str, now: Timestamp) -> Draft {
        let members = &self.members;
        let priority = priority(members);
        let tags = tags(members);
        Draft {
            remote_id: self.id.clone(),
            replace_key: self.key.clone(),
            version,
            // The server's `expires` is when its cache drops the message, not an expiry that anybody meant.
            class: Class::Persistent,
            expires_at: None,
            kind: tags
                .iter()
                .find(|tag| emoji(tag).is_none())
                .cloned()
                .unwrap_or_default(),
            title: cut(text(members, "title"), limits::TITLE),
            body: body(members),
            format: format(members),
            priority,
            tier: match priority {
                5 => Tier::Critical,
                3 | 4 => Tier::Important,
                _ => Tier::Informational,
            },
            created_at: self
                .time
                .and_then(|time| Timestamp::from_second(time).ok())
                .unwrap_or(now),
            url: allowed_link(text(members, "click")),
            actions: actions(members),
            tags,
            icon: web_link(text(members, "icon")),
            attachment: attachment(members),
            silent: priority <= 2,
            raw: cut(frame, limits::RAW),
        }
    }
}

fn priority(members: &Map<String, Value>) -> u8 {
    match members.get("priority").and_then(Value::as_i64) {
        None | Some(0) => 3,
        Some(priority) => u8::try_from(priority.clamp(1, 5)).unwrap_or(3),
    }
}

fn tags(members: &Map<String, Value>) -> Vec<String> {
    members
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|tag| !tag.is_empty())
        .take(limits::TAGS)
        .map(|tag| cut(tag, WORD))
        .collect()
}

fn body(members: &Map<String, Value>) -> String {
    let message = text(members, "message");
    if text(members, "encoding") == "base64" {
        return match STANDARD.decode(message) {
            Ok(bytes) => format!("binary data ({} bytes)", bytes.len()),
            Err(_) => "binary data that cannot be read".to_owned(),
        };
    }
    cut(message, limits::BODY)
}

fn format(members: &Map<String, Value>) -> Format {
    let media_type = text(members, "content_type");
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/markdown") {
        Format::Markdown
    } else {
        Format::Plain
    }
}

fn web_link(link: &str) -> Option<String> {
    allowed_link(link).filter(|link| link.starts_with("http"))
}

fn attachment(members: &Map<String, Value>) -> Option<Attachment> {
    let file = members.get("attachment")?.as_object()?;
    let url = web_link(text(file, "url"))?;
    let name = text(file, "name");
    Some(Attachment {
        name: if name.is_empty() {
            "attachment".to_owned()
        } else {
            cut(name, WORD)
        },
        url,
        media_type: cut(text(file, "type"), WORD),
        size: file.get("size").and_then(Value::as_u64),
        expires_at: file
            .get("expires")
            .and_then(Value::as_i64)
            .filter(|time| *time > 0)
            .and_then(|time| Timestamp::from_second(time).ok()),
    })
}

fn actions(members: &Map<String, Value>) -> Vec<Action> {
    members
        .get("actions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .take(limits::ACTIONS)
        .map(action)
        .collect()
}

fn action(members: &Map<String, Value>) -> Action {
    let label = match text(members, "label").trim() {
        "" => text(members, "action"),
        label => label,
    };
    let mut action = Action {
        kind: ActionKind::Unsupported,
        label: cut(label, WORD),
        url: String::new(),
        method: String::new(),
        headers: Vec::new(),
        body: String::new(),
        clear: members
            .get("clear")
            .and_then(Value::as_bool)
            .unwrap_or(false),
    };
    let url = text(members, "url");
    match text(members, "action") {
        "view" => match allowed_link(url) {
            Some(url) => {
                action.kind = ActionKind::Open;
                action.url = url;
            }
            // Shown, so that its user can see where it would lead.
            None => action.url = cut(url, limits::URL),
        },
        "http" => match request(members) {
            Some(request) => {
                action.kind = ActionKind::Http;
                action.url = request.url;
                action.method = request.method;
                action.headers = request.headers;
                action.body = request.body;
            }
            None => action.url = cut(url, limits::URL),
        },
        "copy" => {
            action.kind = ActionKind::Copy;
            action.body = cut(text(members, "value"), limits::BODY);
        }
        _ => {}
    }
    action
}

struct Request {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The request of an action, whole: a part that is out of bounds would make it another request.
fn request(members: &Map<String, Value>) -> Option<Request> {
    let url = web_link(text(members, "url"))?;
    let method = match text(members, "method") {
        "" => "POST".to_owned(),
        method => method.to_ascii_uppercase(),
    };
    let headers = match members.get("headers") {
        None | Some(Value::Null) => Vec::new(),
        Some(headers) => headers
            .as_object()?
            .iter()
            .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect::<Option<Vec<_>>>()?,
    };
    let is_value = |value: &str| value.len() <= limits::URL && !value.chars().any(char::is_control);
    let headers_fit = headers.len() <= HEADERS
        && headers
            .iter()
            .all(|(name, value)| is_short_token(name) && is_value(value));
    let body = match members.get("body") {
        None | Some(Value::Null) => "",
        Some(body) => body.as_str()?,
    };
    (is_short_token(&method) && headers_fit && body.len() <= limits::BODY).then(|| Request {
        url,
        method,
        headers,
        body: body.to_owned(),
    })
}

/// Of a reasonable length.
fn is_short_token(word: &str) -> bool {
    word.len() <= 64 && is_token(word)
}
