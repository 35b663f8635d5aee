//! <https://ntfy.sh> and servers that speak its protocol. `docs/backends/ntfy.md` says what is done with it.

mod address;
mod headers;
mod line;
mod message;
mod order;
mod refusal;
mod session;

#[cfg(test)]
mod tests;

use super::{
    Address, Backend, Capabilities, Failure, FailureKind, Field, FieldKind, Found, Probed,
    Publication, Resume, Server, Session,
};
use crate::model::{BackendKind, Body, HttpRequest, Method, Mirror, TransportKind};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

/// What a quiet stream is given (ntfy, `keepalive-interval`).
const KEEPALIVE: Duration = Duration::from_secs(45);

/// The family.
pub struct Ntfy;

static CAPABILITIES: Capabilities = Capabilities {
    name: "ntfy",
    transports: &[
        TransportKind::Websocket,
        TransportKind::HttpStream,
        TransportKind::Sse,
        TransportKind::Poll,
    ],
    mirrors: true,
    sends: true,
    offers: false,
    keepalive: Some(KEEPALIVE),
    fields: &[
        Field {
            name: "url",
            label: "Address",
            hint: "A server or a topic, for example https://ntfy.sh/mytopic.",
            kind: FieldKind::Text,
        },
        Field {
            name: "topics",
            label: "Topics",
            hint: "One or more names, with commas between them.",
            kind: FieldKind::Text,
        },
        Field {
            name: "user",
            label: "User name",
            hint: "Only if the server asks for one.",
            kind: FieldKind::Text,
        },
        Field {
            name: "secret",
            label: "Password",
            hint: "Kept in the keyring.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "token",
            label: "Access token",
            hint: "Begins with tk_; takes the place of user name and password.",
            kind: FieldKind::Secret,
        },
    ],
};

impl Backend for Ntfy {
    fn kind(&self) -> BackendKind {
        BackendKind::Ntfy
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn address(&self, pasted: &Url) -> Address {
        address::take_apart(pasted)
    }

    fn probes(&self, pasted: &Url) -> Vec<HttpRequest> {
        let base = address::take_apart(pasted).base;
        vec![HttpRequest::get(address::below(&base, &["v1", "health"]))]
    }

    fn recognise(&self, pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
        // A server in trouble says `false`; it is one all the same.
        let is_ntfy = probed.status == 200
            && field(probed.body, "healthy").is_some_and(|value| value.is_boolean());
        is_ntfy.then(|| Found {
            address: address::take_apart(pasted),
            says: "Its health page is that of an ntfy server.".to_owned(),
        })
    }

    fn is_file(&self, server: &Server, url: &Url) -> bool {
        // `file` can be no topic (ntfy, `disallowedTopics`).
        let files = address::below(&server.base, &["file", ""]);
        url.as_str().starts_with(files.as_str()) && url.query().is_none()
    }

    fn check_topic(&self, topic: &str) -> Result<(), String> {
        address::check_topic(topic)
    }

    fn access(&self, server: &Server, topic: &str) -> Option<HttpRequest> {
        (!topic.is_empty())
            .then(|| HttpRequest::get(address::below(&server.base, &[topic, "auth"])))
    }

    fn judge_access(&self, status: u16, body: &str, topic: &str) -> Result<(), Failure> {
        match status {
            200 if field(body, "success") == Some(Value::Bool(true)) => Ok(()),
            200 => Err(refusal::wrong_address()),
            403 => Err(refusal::forbidden(topic)),
            status => Err(refusal::failure(status, None, body)),
        }
    }

    fn session(&self, resume: Resume) -> Box<dyn Session> {
        Box::new(session::Conversation::new(resume))
    }

    fn mirror(
        &self,
        server: &Server,
        topic: &str,
        replace_key: &str,
        change: Mirror,
    ) -> Option<HttpRequest> {
        // As a step of a path these three would vanish, and the request would mean something else.
        if [topic, replace_key]
            .iter()
            .any(|step| matches!(*step, "" | "." | ".."))
        {
            return None;
        }
        let (method, url) = match change {
            Mirror::Read => (
                Method::Put,
                address::below(&server.base, &[topic, replace_key, "clear"]),
            ),
            Mirror::Delete => (
                Method::Delete,
                address::below(&server.base, &[topic, replace_key]),
            ),
        };
        Some(HttpRequest::new(method, url))
    }

    fn publish(&self, server: &Server, publication: &Publication) -> Option<HttpRequest> {
        let mut message = Map::new();
        message.insert("topic".to_owned(), publication.topic.clone().into());
        message.insert("message".to_owned(), publication.body.clone().into());
        if !publication.title.is_empty() {
            message.insert("title".to_owned(), publication.title.clone().into());
        }
        if let Some(priority) = publication.priority {
            message.insert("priority".to_owned(), priority.clamp(1, 5).into());
        }
        if !publication.tags.is_empty() {
            message.insert("tags".to_owned(), publication.tags.clone().into());
        }
        Some(HttpRequest {
            body: Body::Bytes {
                media_type: "application/json".to_owned(),
                bytes: Value::Object(message).to_string().into_bytes(),
            },
            ..HttpRequest::new(Method::Post, address::below(&server.base, &[]))
        })
    }

    fn published(&self, status: u16, body: &str) -> Result<String, Failure> {
        match status {
            200 => match field(body, "id") {
                Some(Value::String(id)) if !id.is_empty() => Ok(id),
                _ => Err(refusal::wrong_address()),
            },
            403 => Err(Failure {
                kind: FailureKind::Forbidden,
                says:
                    "The server does not let this account publish to this topic. Ask its owner for \
                       write access."
                        .to_owned(),
                retry_after: None,
            }),
            status => Err(refusal::failure(status, None, body)),
        }
    }
}

/// A member of a JSON object.
fn field(body: &str, name: &str) -> Option<Value> {
    match serde_json::from_str(body) {
        Ok(Value::Object(mut object)) => object.remove(name),
        _ => None,
    }
}
