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
    Address, Backend, Capabilities, Failure, FailureKind, Field, Publication, Resume, Session,
};
use crate::model::{BackendKind, Body, HttpRequest, Method, Mirror, TransportKind};
use serde_json::{Map, Value};
use url::Url;

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
    fields: &[
        Field {
            name: "url",
            label: "Address",
            hint: "A server or a topic, for example https://ntfy.sh/mytopic.",
            secret: false,
        },
        Field {
            name: "topics",
            label: "Topics",
            hint: "One or more names, with commas between them.",
            secret: false,
        },
        Field {
            name: "user",
            label: "User name",
            hint: "Only if the server asks for one.",
            secret: false,
        },
        Field {
            name: "secret",
            label: "Password",
            hint: "Kept in the keyring.",
            secret: true,
        },
        Field {
            name: "token",
            label: "Access token",
            hint: "Begins with tk_; takes the place of user name and password.",
            secret: true,
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

    fn probe(&self, base: &Url) -> HttpRequest {
        HttpRequest::get(address::below(base, &["v1", "health"]))
    }

    fn recognise(&self, status: u16, body: &str) -> bool {
        // A server in trouble says `false`; it is one all the same.
        status == 200 && field(body, "healthy").is_some_and(|value| value.is_boolean())
    }

    fn check_topic(&self, topic: &str) -> Result<(), String> {
        address::check_topic(topic)
    }

    fn access(&self, base: &Url, topic: &str) -> HttpRequest {
        HttpRequest::get(address::below(base, &[topic, "auth"]))
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
        base: &Url,
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
                address::below(base, &[topic, replace_key, "clear"]),
            ),
            Mirror::Delete => (Method::Delete, address::below(base, &[topic, replace_key])),
        };
        Some(HttpRequest {
            method,
            url,
            headers: Vec::new(),
            body: Body::Empty,
        })
    }

    fn publish(&self, base: &Url, publication: &Publication) -> HttpRequest {
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
        HttpRequest {
            method: Method::Post,
            url: address::below(base, &[]),
            headers: Vec::new(),
            body: Body::Bytes {
                media_type: "application/json".to_owned(),
                bytes: Value::Object(message).to_string().into_bytes(),
            },
        }
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
