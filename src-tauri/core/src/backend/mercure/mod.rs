//! <https://mercure.rocks> hubs, in both dialects of the protocol. `docs/backends/mercure.md` says what is done
//! with them.

mod address;
mod belongs;
mod dialect;
mod lines;
mod options;
mod payload;
mod place;
mod refusal;
mod session;
mod stream;
mod token;

#[cfg(test)]
mod tests;

use super::{
    Address, Backend, Capabilities, Failure, FailureKind, Field, FieldKind, Found, Probed,
    Publication, Resume, Server, Session,
};
use crate::model::{BackendKind, Body, HttpRequest, Method, TransportKind};
use options::Options;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

/// The family.
pub struct Mercure;

static CAPABILITIES: Capabilities = Capabilities {
    name: "Mercure",
    transports: &[TransportKind::Sse],
    mirrors: false,
    sends: true,
    offers: false,
    // Usually 40 s, but each hub has its own, and some have none: it is learnt from the stream.
    keepalive: None,
    fields: &[
        Field {
            name: "url",
            label: "Address",
            hint: "The hub, for example https://example.com/.well-known/mercure, or a page that names one.",
            kind: FieldKind::Text,
        },
        Field {
            name: "topics",
            label: "Topics",
            hint: "One or more, with commas between them; * for all. They often look like web addresses.",
            kind: FieldKind::Text,
        },
        Field {
            name: "token",
            label: "Token",
            hint: "A JWT that allows subscribing; only if the hub asks for one.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "token_url",
            label: "Address of the token",
            hint: "Where your application hands out tokens, if they are to be fetched and renewed.",
            kind: FieldKind::Text,
        },
        Field {
            name: "user",
            label: "User name",
            hint: "For the address of the token.",
            kind: FieldKind::Text,
        },
        Field {
            name: "secret",
            label: "Password",
            hint: "For the address of the token; kept in the keyring.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "token_method",
            label: "Asked by",
            hint: "How the address of the token is asked.",
            kind: FieldKind::Choice(&[("POST", "POST"), ("GET", "GET")]),
        },
        Field {
            name: "token_body",
            label: "Sent to it",
            hint: "For example {\"username\":\"{user}\",\"password\":\"{secret}\"}. Empty: user name and \
                   password go as HTTP Basic.",
            kind: FieldKind::Lines,
        },
        Field {
            name: "token_pointer",
            label: "Token in its answer",
            hint: "A JSON pointer such as /data/token. Empty: under a usual name, or the whole answer.",
            kind: FieldKind::Text,
        },
        Field {
            name: "separate",
            label: "A stream for each topic",
            hint: "For hubs whose events do not say where they were published.",
            kind: FieldKind::Switch,
        },
    ],
};

impl Backend for Mercure {
    fn kind(&self) -> BackendKind {
        BackendKind::Mercure
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn address(&self, pasted: &Url) -> Address {
        address::take_apart(pasted)
    }

    fn probes(&self, pasted: &Url) -> Vec<HttpRequest> {
        address::probes(pasted)
    }

    fn recognise(&self, pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
        address::recognise(pasted, probed)
    }

    fn check_options(&self, options: &str) -> Result<String, String> {
        Options::read(options).map(|options| options.text())
    }

    fn own_addresses(&self, server: &Server) -> Vec<Url> {
        Options::read(&server.options)
            .ok()
            .and_then(|options| options.token_address())
            .into_iter()
            .collect()
    }

    fn check_topic(&self, topic: &str) -> Result<(), String> {
        address::check_topic(topic)
    }

    /// The token if it is fetched; else the subscription itself, of which only the start is read.
    fn access(&self, server: &Server, topic: &str) -> Option<HttpRequest> {
        let options = Options::read(&server.options).ok()?;
        if let Some(request) = options.token_request() {
            return Some(request);
        }
        let mut request =
            options
                .dialect
                .unwrap_or_default()
                .subscribe(&server.base, &[topic], None);
        request.patience = None;
        (!topic.is_empty()).then_some(request)
    }

    fn judge_access(&self, status: u16, body: &str, _topic: &str) -> Result<(), Failure> {
        match status {
            200..=299 => Ok(()),
            // It asks for the other dialect, after it has looked at the token.
            400 if dialect::wanted(body).is_some() => Ok(()),
            status => Err(refusal::of_hub(status, &[], None, body, false)),
        }
    }

    fn session(&self, resume: Resume) -> Box<dyn Session> {
        Box::new(session::Conversation::new(resume))
    }

    fn publish(&self, server: &Server, publication: &Publication) -> Option<HttpRequest> {
        // A token that is fetched is there only while a connection is.
        let options = Options::read(&server.options).ok()?;
        if !options.token_url.is_empty() {
            return None;
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("topic", &publication.topic);
        form.append_pair("data", &data(publication));
        Some(HttpRequest {
            body: Body::Bytes {
                media_type: "application/x-www-form-urlencoded".to_owned(),
                bytes: form.finish().into_bytes(),
            },
            ..HttpRequest::new(Method::Post, server.base.clone())
        })
    }

    fn published(&self, status: u16, body: &str) -> Result<String, Failure> {
        match status {
            200..=299 => Ok(body.trim().to_owned()),
            401 | 403 | 405 => Err(Failure {
                kind: FailureKind::Forbidden,
                says: "The hub does not let this account publish to this topic. Its token would have to \
                       allow it."
                    .to_owned(),
                retry_after: None,
            }),
            status => Err(refusal::of_hub(status, &[], None, body, false)),
        }
    }
}

/// A text alone as it is; more as an object with the usual names.
fn data(publication: &Publication) -> String {
    let is_text = publication.title.is_empty()
        && publication.priority.is_none()
        && publication.tags.is_empty();
    if is_text {
        return publication.body.clone();
    }
    let mut members = Map::new();
    members.insert("topic".to_owned(), publication.topic.clone().into());
    members.insert("title".to_owned(), publication.title.clone().into());
    members.insert("message".to_owned(), publication.body.clone().into());
    if let Some(priority) = publication.priority {
        members.insert("priority".to_owned(), priority.clamp(1, 5).into());
    }
    if !publication.tags.is_empty() {
        members.insert("tags".to_owned(), publication.tags.clone().into());
    }
    Value::Object(members).to_string()
}
