//! What a status means, in words for the user.

use crate::backend::{Failure, FailureKind};
use crate::text;
use serde_json::Value;
use std::time::Duration;

/// What a 403 of Gotify 3 says where a client may do something only after its password was asked for again.
const NOT_ELEVATED: &str = "session not elevated";

/// What a refusal means; `worked` if the same account was let in before.
pub(super) fn failure(
    status: u16,
    retry_after: Option<Duration>,
    body: &str,
    worked: bool,
) -> Failure {
    let (kind, says) = match status {
        401 if worked => (
            FailureKind::SignIn,
            "The server no longer accepts this sign-in: its client was deleted on the server, its time is \
             over, or the password was changed. Sign in again."
                .to_owned(),
        ),
        401 => (
            FailureKind::SignIn,
            "The server did not accept this sign-in. Check the user name and password; a token has to be a \
             client token (it begins with C), since an application token (it begins with A) can only send."
                .to_owned(),
        ),
        403 if description(body).is_some_and(|words| words.contains(NOT_ELEVATED)) => (
            FailureKind::Forbidden,
            "The server wants the password again before it allows this. Confirm it in Gotify's own web \
             page, or sign in here with user name and password."
                .to_owned(),
        ),
        403 => (
            FailureKind::Forbidden,
            "The server does not allow this sign-in to read notifications. Sign in with a client token (it \
             begins with C), or with user name and password."
                .to_owned(),
        ),
        404 => return wrong_address(),
        429 | 500..=599 => (
            FailureKind::Transient,
            format!("The server has trouble (status {status}). It will be asked again."),
        ),
        status => (
            FailureKind::Transient,
            match description(body) {
                Some(words) => format!("The server answered: {words} (status {status})."),
                None => format!("The server gave an unexpected answer (status {status})."),
            },
        ),
    };
    Failure {
        kind,
        says,
        retry_after,
    }
}

/// The server's own words about an error.
pub(super) fn description(body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let words = answer.get("errorDescription")?.as_str()?;
    (!words.is_empty()).then(|| text::one_line(words, 200))
}

/// The way to the server does not let WebSocket through.
pub(super) fn blocked(retry_after: Option<Duration>) -> Failure {
    Failure {
        kind: FailureKind::Blocked,
        says: "Something between here and the server does not let WebSocket through.".to_owned(),
        retry_after,
    }
}

/// Something else lives there.
pub(super) fn wrong_address() -> Failure {
    Failure {
        kind: FailureKind::WrongAddress,
        says: "What answered at this address is not a Gotify server. Check the address; a server in a \
               folder needs the folder too."
            .to_owned(),
        retry_after: None,
    }
}

/// What came is no answer of a Gotify server, though one was there before.
pub(super) fn strange_answer() -> Failure {
    Failure {
        kind: FailureKind::Transient,
        says: "Something else answered in place of the Gotify server: a sign-in page of this network, or a \
               proxy. It will be asked again."
            .to_owned(),
        retry_after: None,
    }
}

/// What a subscription says whose application was deleted on the server.
pub(super) const GONE: &str = "This application is no longer on the server. What came from it stays here; \
                               remove the subscription if you no longer need it.";
