//! What a refusal means, in words for the user.

use super::dialect::challenge;
use crate::backend::{Failure, FailureKind};
use crate::text;
use std::time::Duration;

/// How much of a hub's own words is shown, in characters.
const QUOTED: usize = 160;

fn failure(kind: FailureKind, says: impl Into<String>) -> Failure {
    Failure {
        kind,
        says: says.into(),
        retry_after: None,
    }
}

/// The hub did not open the stream. `fetched`: the token came from its address just now.
pub(super) fn of_hub(
    status: u16,
    headers: &[(String, String)],
    retry_after: Option<Duration>,
    body: &str,
    fetched: bool,
) -> Failure {
    let error = challenge(headers).and_then(|value| parameter(value, "error"));
    let (kind, says) = match (status, error.as_deref()) {
        (403, Some("insufficient_scope")) => (
            FailureKind::Forbidden,
            "The token is valid, but does not allow subscribing to these topics (insufficient scope). Ask \
             for a token that names them."
                .to_owned(),
        ),
        (400 | 401, Some("invalid_request")) => (
            FailureKind::SignIn,
            "The hub takes tokens only. Paste a token, or enter the address that hands them out.".to_owned(),
        ),
        (401, _) if fetched => (
            FailureKind::SignIn,
            "The hub does not accept the token that was just fetched. Is the address of the token the one \
             for this hub?"
                .to_owned(),
        ),
        (401, _) => (
            FailureKind::SignIn,
            "The hub wants a valid token: there is none, or it has expired. Paste a new one, or enter the \
             address that hands them out."
                .to_owned(),
        ),
        (403, _) => (
            FailureKind::Forbidden,
            "The hub refuses this token: it has expired, or does not allow this. Paste a new one, or ask the \
             hub's owner."
                .to_owned(),
        ),
        (400, _) => (
            FailureKind::Forbidden,
            format!(
                "The hub does not understand the subscription{}. Check the topics.",
                quoted(body)
            ),
        ),
        (413 | 414 | 431, _) => (
            FailureKind::Forbidden,
            "The hub finds this too many topics, or a token too long. Remove some topics.".to_owned(),
        ),
        (204 | 404 | 405 | 410, _) => return wrong_address(),
        (408, _) => (
            FailureKind::Transient,
            "The hub did not answer in time.".to_owned(),
        ),
        (429, _) => (
            FailureKind::Transient,
            "The hub asks for a rest, because too many requests came from here.".to_owned(),
        ),
        (500..=599, _) => (
            FailureKind::Transient,
            format!("The hub has trouble (status {status}). It will be asked again."),
        ),
        (status, _) => (
            FailureKind::Transient,
            format!("The hub gave an unexpected answer (status {status})."),
        ),
    };
    Failure {
        retry_after,
        ..failure(kind, says)
    }
}

/// The address that hands out tokens did not.
pub(super) fn of_token(status: u16, retry_after: Option<Duration>) -> Failure {
    let (kind, says) = match status {
        400 | 401 | 403 | 422 => (
            FailureKind::SignIn,
            format!(
                "The address of the token does not accept the user name and password (status {status}). Enter \
                 them again."
            ),
        ),
        404 | 405 | 410 => (
            FailureKind::WrongAddress,
            format!(
                "Nothing at the address of the token hands out tokens (status {status}). Check it."
            ),
        ),
        status => (
            FailureKind::Transient,
            format!(
                "The address of the token answered with status {status}. It will be asked again; until then \
                 there is no connection."
            ),
        ),
    };
    Failure {
        retry_after,
        ..failure(kind, says)
    }
}

/// It answered, but there was no token in it.
pub(super) fn no_token(page: bool) -> Failure {
    if page {
        failure(
            FailureKind::Transient,
            "A web page came from the address of the token: a sign-in page of this network, or of the \
             application. It will be asked again; until then there is no connection.",
        )
    } else {
        failure(
            FailureKind::SignIn,
            "There is no token in what the address of the token answered. Check user name, password, and \
             where in the answer the token is.",
        )
    }
}

/// Something else lives there.
pub(super) fn wrong_address() -> Failure {
    failure(
        FailureKind::WrongAddress,
        "What answered at this address is not a Mercure hub. Check the address; it often ends in \
         /.well-known/mercure.",
    )
}

/// Another thing than a stream came.
pub(super) fn strange_answer() -> Failure {
    failure(
        FailureKind::Transient,
        "Something else answered in place of the hub: a sign-in page of this network, or a proxy. It will be \
         asked again.",
    )
}

/// The hub ends every stream now and then.
pub(super) fn ended() -> Failure {
    failure(FailureKind::Again, "The hub ended the connection.")
}

/// The options are not what they should be.
pub(super) fn unreadable_options(why: &str) -> Failure {
    failure(
        FailureKind::Forbidden,
        format!("The settings of this account cannot be used: {why}"),
    )
}

fn quoted(body: &str) -> String {
    let words = text::one_line(body, QUOTED);
    let words = words.trim().trim_end_matches('.');
    if words.is_empty() || words.starts_with('<') {
        String::new()
    } else {
        format!(": {words}")
    }
}

/// A parameter of a challenge (RFC 9110, 11.6.1), as far as servers of this kind write it.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let parameters = challenge.get(6..)?;
    parameters.split(',').find_map(|part| {
        let (known, value) = part.trim().split_once('=')?;
        known
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}
