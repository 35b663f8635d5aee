//! What a status means, in words for the user.

use super::field;
use crate::backend::{Failure, FailureKind};
use serde_json::Value;
use std::time::Duration;

/// The server sends no `Retry-After` with a 429, and shuts those out who ask again too soon.
const REST: Duration = Duration::from_mins(1);

/// What a refusal means, for everything but a topic that may not be read.
pub(super) fn failure(status: u16, retry_after: Option<Duration>, body: &str) -> Failure {
    let (kind, says) = match status {
        401 => (
            FailureKind::SignIn,
            "The server did not accept the user name and password, or the token. Enter them again."
                .to_owned(),
        ),
        403 => (
            FailureKind::Forbidden,
            "The server does not allow this account to do that. Ask its owner for access."
                .to_owned(),
        ),
        404 => return wrong_address(),
        413 => (
            FailureKind::Forbidden,
            "The server finds this too long. Make it shorter.".to_owned(),
        ),
        429 => (FailureKind::Transient, too_many(code(body)).to_owned()),
        500..=599 => (
            FailureKind::Transient,
            format!("The server has trouble (status {status}). It will be asked again."),
        ),
        status => (
            FailureKind::Transient,
            match error(body) {
                Some(error) => format!("The server answered: {error} (status {status})."),
                None => format!("The server gave an unexpected answer (status {status})."),
            },
        ),
    };
    let retry_after = if status == 429 {
        Some(retry_after.unwrap_or(REST).max(REST))
    } else {
        retry_after
    };
    Failure {
        kind,
        says,
        retry_after,
    }
}

/// ntfy's own number of an error (ntfy, `errors.go`).
pub(super) fn code(body: &str) -> Option<u64> {
    field(body, "code")?.as_u64()
}

/// ntfy's own words.
fn error(body: &str) -> Option<String> {
    match field(body, "error")? {
        Value::String(error) if !error.is_empty() => Some(crate::text::one_line(&error, 200)),
        _ => None,
    }
}

fn too_many(code: Option<u64>) -> &'static str {
    match code {
        Some(42901) => {
            "The server asks for a rest, because too many requests came from here: it allows 60 at once and one \
             more every five seconds, where its owner changed nothing."
        }
        Some(42902) => "The number of e-mails that the server sends for one is reached.",
        Some(42903) => {
            "The server allows no more open connections from here. Close other clients, or wait."
        }
        Some(42904) => "The server allows no more topics. Remove some, or ask its owner.",
        Some(42905) => {
            "The daily amount of data that the server allows is used up; it is given back in the course of a \
             day. It will be asked again."
        }
        Some(42906) => "The server makes no more accounts for this address today.",
        Some(42907) => "The number of topics that this account may reserve is reached.",
        Some(42908) => {
            "The number of messages that the server allows for a day is reached. It counts anew from midnight \
             UTC."
        }
        Some(42909) => {
            "Too many failed sign-ins came from here, so the server refuses them all for a while. Check \
             the password."
        }
        Some(42910) => "The number of calls that the server makes for one is reached.",
        _ => "The server asks for a rest, because too many requests came from here.",
    }
}

/// The topic may not be read, by nobody else's fault.
pub(super) fn forbidden(topic: &str) -> Failure {
    Failure {
        kind: FailureKind::Forbidden,
        says: format!(
            "This account may not read {topic}. Ask the server's owner for access, or remove the \
             subscription."
        ),
        retry_after: None,
    }
}

/// Something else lives there.
pub(super) fn wrong_address() -> Failure {
    Failure {
        kind: FailureKind::WrongAddress,
        says: "What answered at this address is not an ntfy server. Check the address.".to_owned(),
        retry_after: None,
    }
}

/// What came is no answer of an ntfy server, though one was there before.
pub(super) fn strange_answer() -> Failure {
    Failure {
        kind: FailureKind::Transient,
        says: "Something else answered in place of the ntfy server: a sign-in page of this network, or a \
               proxy. It will be asked again."
            .to_owned(),
        retry_after: None,
    }
}
