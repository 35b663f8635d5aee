//! <https://ntfy.sh> and servers that speak its protocol. `docs/backends/ntfy.md` says what is done with it.

mod account;
mod address;
mod headers;
mod line;
mod message;
mod options;
mod order;
mod publishing;
mod quota;
mod refusal;
mod session;

#[cfg(test)]
mod tests;

use super::{
    Address, Backend, Capabilities, Failure, Field, FieldKind, Found, Probed, Publication, Resume,
    Server, Session, Step,
};
use crate::model::{BackendKind, HttpRequest, Method, Mirror, Quota, SignIn, TransportKind};
use jiff::Timestamp;
use options::{Options, Subscriptions};
use serde_json::Value;
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
            hint: "One or more names, with commas between them; none where your account on the server has some.",
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
            hint: "Where the server has accounts, it is used once for an access token and kept nowhere; else \
                   it is kept in the keyring.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "token",
            label: "Access token",
            hint: "Begins with tk_; takes the place of user name and password.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "subscriptions",
            label: "Subscriptions of my account",
            hint: "Where you sign in to an account, what you add, name or remove here is changed there too, and \
                   the other way round.",
            kind: FieldKind::Choice(&[
                ("in_step", "Keep in step with the server"),
                ("apart", "Only on this computer"),
            ]),
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

    fn check_options(&self, options: &str) -> Result<String, String> {
        Options::checked(options)
    }

    fn offers(&self, server: &Server, sign_in: &SignIn) -> bool {
        self.in_step(server, sign_in)
    }

    fn in_step(&self, server: &Server, sign_in: &SignIn) -> bool {
        let chosen = Options::read(&server.options).unwrap_or_default();
        *sign_in != SignIn::None && chosen.subscriptions == Subscriptions::InStep
    }

    fn tell_step(&self, server: &Server, step: &Step<'_>) -> Option<HttpRequest> {
        Some(account::tell_step(server, step))
    }

    fn ask_quota(&self, server: &Server) -> Option<HttpRequest> {
        Some(HttpRequest::get(address::below(
            &server.base,
            &["v1", "account"],
        )))
    }

    fn quota(&self, body: &str, now: Timestamp) -> Option<Quota> {
        quota::read(body, now)
    }

    fn exchange(&self, server: &Server, device: &str) -> Option<HttpRequest> {
        Some(account::exchange(server, device))
    }

    fn exchanged(&self, status: u16, body: &str) -> Result<Option<String>, Failure> {
        account::exchanged(status, body)
    }

    fn made_token(&self, _body: &str) -> String {
        // The server knows it by the request that revokes it.
        "own".to_owned()
    }

    fn revoke(&self, server: &Server, _made_token: &str) -> Option<HttpRequest> {
        Some(account::revoke(server))
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

    fn check_publication(&self, _publication: &Publication) -> Result<(), String> {
        Ok(())
    }

    fn publish(&self, server: &Server, publication: &Publication) -> Option<HttpRequest> {
        Some(publishing::request(server, publication))
    }

    fn published(&self, status: u16, body: &str) -> Result<String, Failure> {
        publishing::published(status, body)
    }
}

/// A member of a JSON object.
fn field(body: &str, name: &str) -> Option<Value> {
    match serde_json::from_str(body) {
        Ok(Value::Object(mut object)) => object.remove(name),
        _ => None,
    }
}
