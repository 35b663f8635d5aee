//! Gotify 2 and 3. `docs/backends/gotify.md` says what is done with them.

mod address;
mod application;
mod held;
mod line;
mod listing;
mod message;
mod page;
mod position;
mod refusal;
mod session;
mod sign_in;

#[cfg(test)]
mod tests;

use super::{
    Address, Backend, Browser, Capabilities, Failure, FailureKind, Field, FieldKind, Found, Probed,
    Publication, Resume, Server, Session,
};
use crate::model::{BackendKind, Body, HttpRequest, Method, Mirror, SignIn, TransportKind};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

/// How often the server pings (Gotify, `stream.pingperiodseconds`).
const KEEPALIVE: Duration = Duration::from_secs(45);
/// Where every Gotify takes a token, and no proxy on the way looks for its own.
const TOKEN_HEADER: &str = "X-Gotify-Key";

/// The family.
pub struct Gotify;

static CAPABILITIES: Capabilities = Capabilities {
    name: "Gotify",
    transports: &[TransportKind::Websocket, TransportKind::Poll],
    mirrors: true,
    sends: true,
    offers: true,
    keepalive: Some(KEEPALIVE),
    fields: &[
        Field {
            name: "url",
            label: "Address",
            hint: "The server, for example https://gotify.example.org.",
            kind: FieldKind::Text,
        },
        Field {
            name: "user",
            label: "User name",
            hint: "With the password, for a client token of this computer's own.",
            kind: FieldKind::Text,
        },
        Field {
            name: "secret",
            label: "Password",
            hint: "Used once and kept nowhere.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "token",
            label: "Client token",
            hint: "Takes the place of user name and password; begins with C. An application token can only \
                   send.",
            kind: FieldKind::Secret,
        },
    ],
};

impl Backend for Gotify {
    fn kind(&self) -> BackendKind {
        BackendKind::Gotify
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn address(&self, pasted: &Url) -> Address {
        address::take_apart(pasted)
    }

    fn probes(&self, pasted: &Url) -> Vec<HttpRequest> {
        let base = address::take_apart(pasted).base;
        ["gotifyinfo", "version"]
            .map(|page| HttpRequest::get(address::below(&base, &[page])))
            .to_vec()
    }

    fn recognise(&self, pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
        address::recognise(pasted, probed)
    }

    fn check_topic(&self, topic: &str) -> Result<(), String> {
        address::check_topic(topic)
    }

    fn check_token(&self, token: &str) -> Result<(), String> {
        sign_in::check_token(token)
    }

    fn sent_as(&self, _server: &Server, chosen: &SignIn) -> SignIn {
        match chosen {
            SignIn::Token => SignIn::Header {
                name: TOKEN_HEADER.to_owned(),
            },
            same => same.clone(),
        }
    }

    fn is_file(&self, server: &Server, url: &Url) -> bool {
        let images = address::below(&server.base, &["image", ""]);
        url.as_str().starts_with(images.as_str()) && url.query().is_none()
    }

    fn access(&self, server: &Server, topic: &str) -> Option<HttpRequest> {
        let steps: &[&str] = match topic {
            "" => &["current", "user"],
            topic => &["application", topic, "message"],
        };
        let mut url = address::below(&server.base, steps);
        if !topic.is_empty() {
            url.query_pairs_mut().append_pair("limit", "1");
        }
        Some(HttpRequest::get(url))
    }

    fn judge_access(&self, status: u16, body: &str, topic: &str) -> Result<(), Failure> {
        match status {
            200 => Ok(()),
            404 if !topic.is_empty() => Err(Failure {
                kind: FailureKind::Forbidden,
                says: refusal::GONE.to_owned(),
                retry_after: None,
            }),
            status => Err(refusal::failure(status, None, body, false)),
        }
    }

    fn exchange(&self, server: &Server, device: &str) -> Option<HttpRequest> {
        Some(sign_in::exchange(server, device))
    }

    fn exchanged(&self, status: u16, body: &str) -> Result<Option<String>, Failure> {
        sign_in::exchanged(status, body).map(Some)
    }

    fn made_token(&self, body: &str) -> String {
        sign_in::made(body)
    }

    fn revoke(&self, server: &Server, made_token: &str) -> Option<HttpRequest> {
        let url = address::below(&server.base, &["client", made_token]);
        Some(HttpRequest::new(Method::Delete, url))
    }

    fn browser(&self) -> Option<&'static dyn Browser> {
        Some(&sign_in::InBrowser)
    }

    fn session(&self, resume: Resume) -> Box<dyn Session> {
        Box::new(session::Conversation::new(resume, held::MOST))
    }

    fn mirror(
        &self,
        server: &Server,
        _topic: &str,
        replace_key: &str,
        change: Mirror,
    ) -> Option<HttpRequest> {
        match change {
            Mirror::Delete => {
                let id = position::server_id(replace_key)?.to_string();
                let url = address::below(&server.base, &["message", &id]);
                Some(HttpRequest::new(Method::Delete, url))
            }
            // A server of this family does not know what was read.
            Mirror::Read => None,
        }
    }

    fn publish(&self, server: &Server, publication: &Publication) -> Option<HttpRequest> {
        let application: u64 = publication.topic.parse().ok()?;
        let mut message = Map::new();
        message.insert("appid".to_owned(), application.into());
        message.insert("message".to_owned(), publication.body.clone().into());
        if !publication.title.is_empty() {
            message.insert("title".to_owned(), publication.title.clone().into());
        }
        if let Some(priority) = publication.priority {
            // The least of each step that a message of this priority is shown as.
            let priority = [0, 1, 4, 6, 8][usize::from(priority.clamp(1, 5)) - 1];
            message.insert("priority".to_owned(), priority.into());
        }
        Some(HttpRequest {
            body: Body::Bytes {
                media_type: "application/json".to_owned(),
                bytes: Value::Object(message).to_string().into_bytes(),
            },
            ..HttpRequest::new(Method::Post, address::below(&server.base, &["message"]))
        })
    }

    fn published(&self, status: u16, body: &str) -> Result<String, Failure> {
        match status {
            200 => serde_json::from_str::<Value>(body)
                .ok()
                .and_then(|answer| answer.get("id")?.as_i64())
                .map(|id| id.to_string())
                .ok_or_else(refusal::wrong_address),
            401 | 403 => Err(Failure {
                kind: FailureKind::Forbidden,
                says: "This server lets only application tokens send. A client can send with Gotify 3 and \
                       later."
                    .to_owned(),
                retry_after: None,
            }),
            400 | 404 => Err(Failure {
                kind: FailureKind::Forbidden,
                says: "The server has no such application. Name it by its number, which is the \
                       subscription's topic."
                    .to_owned(),
                retry_after: None,
            }),
            status => Err(refusal::failure(status, None, body, false)),
        }
    }
}
