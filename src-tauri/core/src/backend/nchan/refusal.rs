//! What a status means, in words for the user.

use crate::backend::{Failure, FailureKind};
use std::time::Duration;

/// How soon a channel that was deleted is looked for again.
const GONE: Duration = Duration::from_mins(2);

/// What a status means, wherever the server tells it: as an answer, in the reason of a close, in a comment of
/// an event stream.
pub(super) fn failure(status: u16, retry_after: Option<Duration>) -> Failure {
    let (kind, says) = match status {
        401 => (
            FailureKind::SignIn,
            "The server did not accept the user name and password, or the token. Enter them again."
                .to_owned(),
        ),
        403 => (
            FailureKind::Forbidden,
            "The server does not allow this account to read the channel. Ask its owner for access."
                .to_owned(),
        ),
        404 => (
            FailureKind::WrongAddress,
            "There is no channel at this address. Check the address.".to_owned(),
        ),
        // The server's own time limit for a quiet connection.
        408 => (FailureKind::Again, String::new()),
        410 => (
            FailureKind::Transient,
            "The channel was deleted on the server. Tidings looks for it again now and then."
                .to_owned(),
        ),
        429 | 503 => (
            FailureKind::Transient,
            "The server asks for a rest, or has trouble. It will be asked again.".to_owned(),
        ),
        500..=599 => (
            FailureKind::Transient,
            format!("The server has trouble (status {status}). It will be asked again."),
        ),
        status => (
            FailureKind::Transient,
            format!("The server gave an unexpected answer (status {status})."),
        ),
    };
    let retry_after = if status == 410 {
        Some(retry_after.unwrap_or(GONE).max(GONE))
    } else {
        retry_after
    };
    Failure {
        kind,
        says,
        retry_after,
    }
}

/// The status at the start of a text such as `410 Gone` or `410: 410 Gone`.
pub(super) fn status(text: &str) -> Option<u16> {
    let text = text.trim_start();
    let digits = text.get(..3)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let ends = text[3..].starts_with([' ', ':']) || text.len() == 3;
    (is_number && ends)
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|status| (400..600).contains(status))
}

/// This transport does not do; the next one may.
pub(super) fn blocked(says: &str) -> Failure {
    Failure {
        kind: FailureKind::Blocked,
        says: says.to_owned(),
        retry_after: None,
    }
}

/// The upgrade went through, and the server, or something before it, took the ids away.
pub(super) fn without_ids() -> Failure {
    blocked(
        "The WebSocket at this address does not say which message is which (subprotocol ws+meta.nchan), so it \
         could not go on where it ends. Server-sent events are used in its place.",
    )
}

/// The channel holds something that does not come: seen of Nchan 1.3.6 after a channel was deleted, by the
/// workers that do not own it.
pub(super) fn withheld() -> Failure {
    Failure {
        kind: FailureKind::Transient,
        says: "The channel tells of a message that did not come, so the connection is opened anew. If that goes \
               on, check the address for information about the channel."
            .to_owned(),
        retry_after: None,
    }
}
