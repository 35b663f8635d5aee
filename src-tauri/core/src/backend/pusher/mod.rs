//! Servers that speak version 7 of the Pusher Channels protocol: Pusher, Soketi, Laravel Reverb and others.
//! `docs/backends/pusher.md` says what is done with them.

mod address;
mod arriving;
mod channel;
mod cursor;
mod filling;
mod frame;
mod history;
mod joining;
mod line;
mod message;
mod options;
mod refusal;
mod sealed;
mod session;

#[cfg(test)]
mod tests;

use super::{
    Address, Backend, Capabilities, Failure, Field, FieldKind, Found, Probed, Resume, Server,
    Session,
};
use crate::model::{BackendKind, HttpRequest, Sign, TransportKind};
use channel::Kind;
use options::{Options, Settings};
use refusal::Refusal;
use std::time::Duration;
use url::Url;

/// Our own pings are answered at least this often.
const KEEPALIVE: Duration = Duration::from_mins(1);
/// A socket that nobody has, for asking whether a channel would be signed.
const NO_SOCKET: &str = "1.1";

/// The family.
pub struct Pusher;

static CAPABILITIES: Capabilities = Capabilities {
    name: "Pusher protocol",
    transports: &[TransportKind::Websocket],
    mirrors: false,
    sends: false,
    // The user's own channels.
    offers: true,
    keepalive: Some(KEEPALIVE),
    fields: &[
        Field {
            name: "url",
            label: "Address",
            hint: "With the app's key, for example wss://ws-eu.pusher.com/app/KEY or \
                   https://ws.example.com:6001/app/KEY.",
            kind: FieldKind::Text,
        },
        Field {
            name: "preset",
            label: "Application",
            hint: "Laravel: its notifications, their history and where channels are signed are filled in.",
            kind: FieldKind::Choice(&[("plain", "Any"), ("laravel", "Laravel")]),
        },
        Field {
            name: "app_url",
            label: "Application's address",
            hint: "For example https://app.example.com. What begins with / below is there.",
            kind: FieldKind::Text,
        },
        Field {
            name: "user_id",
            label: "User's id",
            hint: "Laravel: the id in the users table. It names the user's own channel.",
            kind: FieldKind::Text,
        },
        Field {
            name: "topics",
            label: "Channels",
            hint: "One or more names, with commas between them.",
            kind: FieldKind::Text,
        },
        Field {
            name: "token",
            label: "API token",
            hint: "For the application, never for the WebSocket. Kept in the keyring.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "user",
            label: "User name",
            hint: "Only if the application wants user name and password.",
            kind: FieldKind::Text,
        },
        Field {
            name: "secret",
            label: "Password",
            hint: "Kept in the keyring.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "auth_url",
            label: "Address for signing channels",
            hint: "For private, presence and encrypted channels, for example /broadcasting/auth.",
            kind: FieldKind::Text,
        },
        Field {
            name: "user_auth_url",
            label: "Address for signing the user in",
            hint: "For what is sent to a user, for example /pusher/user-auth. Usually empty.",
            kind: FieldKind::Text,
        },
        Field {
            name: "history_url",
            label: "Address of the history",
            hint: "Asked after each connection, since the server itself keeps nothing: without one, what \
                   is sent while Tidings is away is lost. May have {channel} in it.",
            kind: FieldKind::Text,
        },
        Field {
            name: "history_channel",
            label: "The history's channel",
            hint: "Where the history is that of one channel among several.",
            kind: FieldKind::Text,
        },
        Field {
            name: "history_items",
            label: "Where the items are",
            hint: "A JSON pointer into the history's answer, for example /data. Empty: the usual places.",
            kind: FieldKind::Text,
        },
        Field {
            name: "history_next",
            label: "Where the next page is",
            hint: "A JSON pointer, for example /links/next. Empty: the usual places.",
            kind: FieldKind::Text,
        },
        Field {
            name: "history_parameter",
            label: "Parameter of the next page",
            hint: "Only where the next page is named by a word instead of an address.",
            kind: FieldKind::Text,
        },
        Field {
            name: "events",
            label: "Events",
            hint: "Names of the events that are notifications, one on each line; * at the end stands for \
                   anything. Empty: all.",
            kind: FieldKind::Lines,
        },
        Field {
            name: "mapping",
            label: "Parts of an event",
            hint: "A JSON object that says where title, body and the rest are. Empty: the usual places.",
            kind: FieldKind::Lines,
        },
        Field {
            name: "history_mapping",
            label: "Parts of an item of the history",
            hint: "The same for the history. Empty: as for an event.",
            kind: FieldKind::Lines,
        },
        Field {
            name: "key",
            label: "App's key",
            hint: "Only if the address does not end with /app/ and the key.",
            kind: FieldKind::Text,
        },
    ],
};

impl Backend for Pusher {
    fn kind(&self) -> BackendKind {
        BackendKind::Pusher
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn address(&self, pasted: &Url) -> Address {
        address::take_apart(pasted)
    }

    fn probes(&self, pasted: &Url) -> Vec<HttpRequest> {
        let base = address::take_apart(pasted).base;
        if !address::has_shape(&base) {
            return Vec::new();
        }
        let mut url = base.clone();
        url.set_path(base.path().trim_end_matches('/'));
        vec![HttpRequest {
            sign: Sign::Nothing,
            ..HttpRequest::get(url)
        }]
    }

    fn recognise(&self, pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
        address::recognise(pasted, probed).map(|says| Found {
            address: address::take_apart(pasted),
            says,
        })
    }

    fn check_options(&self, options: &str) -> Result<String, String> {
        Options::read(options)?.checked()
    }

    fn own_addresses(&self, server: &Server) -> Vec<Url> {
        Settings::read(&server.options).own_addresses()
    }

    fn check_topic(&self, topic: &str) -> Result<(), String> {
        channel::check(topic)
    }

    fn access(&self, server: &Server, topic: &str) -> Option<HttpRequest> {
        let settings = Settings::read(&server.options);
        if topic.is_empty() {
            return Some(joining::signature(&settings.user_auth?, NO_SOCKET, None));
        }
        Kind::of(topic)
            .is_signed()
            .then_some(settings.auth)
            .flatten()
            .map(|auth| joining::signature(&auth, NO_SOCKET, Some(topic)))
    }

    fn judge_access(&self, status: u16, body: &str, topic: &str) -> Result<(), Failure> {
        let (asked, setting) = if topic.is_empty() {
            ("the user's sign-in".to_owned(), joining::USER_AUTH)
        } else {
            (joining::called(topic), joining::AUTH)
        };
        if !(200..300).contains(&status) {
            return Err(
                match refusal::application(status, None, "", &asked, setting) {
                    Refusal::Final(failure) => failure,
                    Refusal::Later(says, retry_after) => Failure {
                        kind: super::FailureKind::Transient,
                        says,
                        retry_after,
                    },
                },
            );
        }
        if frame::text(&frame::object(body), "auth").is_empty() {
            return Err(refusal::strange(&asked, setting));
        }
        Ok(())
    }

    fn session(&self, resume: Resume) -> Box<dyn Session> {
        Box::new(session::Conversation::new(resume))
    }
}
