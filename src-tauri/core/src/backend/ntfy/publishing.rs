//! Publishing: JSON to the server's root, or a file to its topic with all else in headers.

use super::{address, field, refusal};
use crate::backend::{Attach, Failure, FailureKind, Publication, Server};
use crate::model::{Body, HttpRequest, Method};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The longest name of a file, in bytes.
const NAME: usize = 255;

pub(super) fn request(server: &Server, publication: &Publication) -> HttpRequest {
    if let Some(Attach::File { name, bytes }) = &publication.attach {
        return upload(server, publication, name, bytes);
    }
    let mut message = Map::new();
    let mut set = |member: &str, value: Value| {
        message.insert(member.to_owned(), value);
    };
    set("topic", publication.topic.clone().into());
    set("message", publication.body.clone().into());
    if !publication.title.is_empty() {
        set("title", publication.title.clone().into());
    }
    if let Some(priority) = publication.priority {
        set("priority", priority.clamp(1, 5).into());
    }
    if !publication.tags.is_empty() {
        set("tags", publication.tags.clone().into());
    }
    if !publication.at.is_empty() {
        set("delay", publication.at.clone().into());
    }
    if let Some(Attach::Link(url)) = &publication.attach {
        set("attach", url.clone().into());
    }
    HttpRequest {
        body: Body::Bytes {
            media_type: "application/json".to_owned(),
            bytes: Value::Object(message).to_string().into_bytes(),
        },
        ..HttpRequest::new(Method::Post, address::below(&server.base, &[]))
    }
}

fn upload(server: &Server, publication: &Publication, name: &str, bytes: &[u8]) -> HttpRequest {
    let url = address::below(&server.base, &[&publication.topic]);
    let mut request = HttpRequest {
        body: Body::Bytes {
            media_type: "application/octet-stream".to_owned(),
            bytes: bytes.to_vec(),
        },
        ..HttpRequest::new(Method::Put, url)
    };
    let priority = publication
        .priority
        .map(|priority| priority.clamp(1, 5).to_string())
        .unwrap_or_default();
    let headers = [
        ("X-Filename", crate::text::cut(name, NAME)),
        ("X-Message", publication.body.clone()),
        ("X-Title", publication.title.clone()),
        ("X-Priority", priority),
        ("X-Tags", publication.tags.join(",")),
        ("X-Delay", publication.at.clone()),
    ];
    for (name, value) in headers {
        if !value.is_empty() {
            request = request.header(name, encoded(&value));
        }
    }
    request
}

/// A header's value: as it is if it can be, else an encoded word (RFC 2047), which ntfy reads at any length.
fn encoded(value: &str) -> String {
    let as_it_is = value.trim() == value
        && !value.contains("=?")
        && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if as_it_is {
        value.to_owned()
    } else {
        format!("=?UTF-8?B?{}?=", STANDARD.encode(value))
    }
}

/// The server's id, or why there is none.
pub(super) fn published(status: u16, body: &str) -> Result<String, Failure> {
    let says = match (status, refusal::code(body)) {
        (200, _) => {
            return match field(body, "id") {
                Some(Value::String(id)) if !id.is_empty() => Ok(id),
                _ => Err(refusal::wrong_address()),
            };
        }
        (_, Some(40002)) => "The server keeps nothing for this message, so it cannot wait.",
        (_, Some(40004)) => {
            "The server does not understand this time. Give a duration (30m, 2h, 1 day), unix seconds, or a \
             time in English (tomorrow, 10am)."
        }
        (_, Some(40005)) => {
            "The server finds this time too close. It asks for 10 seconds at least, where its owner changed \
             nothing."
        }
        (_, Some(40006)) => {
            "The server finds this time too far away. It allows three days at most, where its owner changed \
             nothing."
        }
        (_, Some(40013)) => {
            "The server does not take this address for an attachment. Give one with https://."
        }
        (_, Some(40014)) => "This server takes no attachments. Send a link to the file instead.",
        (_, Some(40015)) => {
            "The server would drop the attachment before the message is delivered. Send a link to the file, \
             or deliver it earlier."
        }
        (413, Some(41301)) => {
            "The file is too large for this server, or there is no room left for it today. `tidings account \
             test` shows its limits."
        }
        (507, _) => {
            "The server has no room left for the file. Try a smaller one, or send a link to it."
        }
        (403, _) => {
            "The server does not let this account publish to this topic. Ask its owner for write access."
        }
        _ => return Err(refusal::failure(status, None, body)),
    };
    Err(Failure {
        kind: if status == 507 {
            FailureKind::Transient
        } else {
            FailureKind::Forbidden
        },
        says: says.to_owned(),
        retry_after: None,
    })
}
