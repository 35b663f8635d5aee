//! [Nchan](https://nchan.io), the publish and subscribe module of nginx. `docs/backends/nchan.md` says what is
//! done with it.

mod address;
mod headers;
mod id;
mod line;
mod meta;
mod options;
mod pulse;
mod refusal;
mod session;

#[cfg(test)]
mod tests;

use super::{
    Address, Backend, Capabilities, Failure, FailureKind, Field, FieldKind, Found, Probed, Resume,
    Server, Session,
};
use crate::model::{BackendKind, HttpRequest, TransportKind};
use id::Place;
use options::{Options, Settings};
use url::Url;

/// The comment that an event stream begins with.
const GREETING: &str = "hi";

/// The family.
pub struct Nchan;

static CAPABILITIES: Capabilities = Capabilities {
    name: "Nchan",
    transports: &[
        TransportKind::Websocket,
        TransportKind::Sse,
        TransportKind::LongPoll,
        TransportKind::Poll,
    ],
    mirrors: false,
    sends: false,
    offers: true,
    keepalive: None,
    fields: &[
        Field {
            name: "url",
            label: "Address",
            hint: "A subscriber's address, for example https://example.org/sub/alerts.",
            kind: FieldKind::Text,
        },
        Field {
            name: "channels",
            label: "Channels",
            hint: "If the address carries several: their names in its order, with commas between them.",
            kind: FieldKind::Text,
        },
        Field {
            name: "info_url",
            label: "Address for information",
            hint: "Where a channel tells how much it holds, so that gaps are noticed: the publisher's address, \
                   with {channel} for the channel's name.",
            kind: FieldKind::Text,
        },
        Field {
            name: "keeps",
            label: "Messages kept",
            hint: "How many the server keeps of a channel (nchan_message_buffer_length), if you know.",
            kind: FieldKind::Text,
        },
        Field {
            name: "mapping",
            label: "Mapping",
            hint: "Where the parts of a notification are in a message, if not under their usual names: JSON such \
                   as {\"title\": \"/event/name\"}.",
            kind: FieldKind::Lines,
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
            label: "Token",
            hint: "Sent as a bearer token, in place of user name and password.",
            kind: FieldKind::Secret,
        },
    ],
};

impl Backend for Nchan {
    fn kind(&self) -> BackendKind {
        BackendKind::Nchan
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn address(&self, pasted: &Url) -> Address {
        address::take_apart(pasted)
    }

    fn probes(&self, pasted: &Url) -> Vec<HttpRequest> {
        vec![event_stream(&address::take_apart(pasted).base)]
    }

    fn recognise(&self, pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
        recognise(probed).map(|says| Found {
            address: address::take_apart(pasted),
            says: says.to_owned(),
        })
    }

    fn check_options(&self, options: &str) -> Result<String, String> {
        Options::read(options)?.checked()
    }

    fn own_addresses(&self, server: &Server) -> Vec<Url> {
        let settings = Settings::read(&server.options);
        address::about(&settings.info_url, "channel")
            .into_iter()
            .collect()
    }

    fn check_topic(&self, topic: &str) -> Result<(), String> {
        address::check_channel(topic)
    }

    fn access(&self, server: &Server, _topic: &str) -> Option<HttpRequest> {
        Some(event_stream(&server.base))
    }

    fn judge_access(&self, status: u16, _body: &str, _topic: &str) -> Result<(), Failure> {
        match status {
            200 | 304 | 408 => Ok(()),
            403 => Err(Failure {
                kind: FailureKind::Forbidden,
                says: "The server does not let this account read the channel, or lets it do so only over \
                       WebSocket or by polling. Ask its owner, or choose the way of connecting yourself."
                    .to_owned(),
                retry_after: None,
            }),
            status => Err(refusal::failure(status, None)),
        }
    }

    fn session(&self, resume: Resume) -> Box<dyn Session> {
        Box::new(session::Conversation::new(resume))
    }
}

/// The same for every family that has event streams, so that an address is asked once.
fn event_stream(base: &Url) -> HttpRequest {
    HttpRequest::get(base.clone()).header("Accept", "text/event-stream")
}

/// What gives an Nchan subscriber's location away, in words for the user.
fn recognise(probed: &Probed<'_>) -> Option<&'static str> {
    let header = |name| headers::header(probed.headers, name);
    let media_type = header("content-type").unwrap_or_default();
    if probed.status == 200 && media_type.starts_with("text/event-stream") {
        let first = probed.body.lines().next()?;
        return (first.strip_prefix(':')?.trim() == GREETING).then_some("It greets as Nchan does.");
    }
    // Where only polling is allowed.
    let varies = header("vary").is_some_and(|vary| vary == "If-None-Match, If-Modified-Since");
    let polls = match probed.status {
        200 => Place::of_answer(header("last-modified"), header("etag")).is_some(),
        304 | 408 => true,
        _ => false,
    };
    (varies && polls && !media_type.contains("html")).then_some("It answers a poll as Nchan does.")
}
