//! What a status means, in words for the user.

use crate::backend::{Failure, FailureKind};
use std::time::Duration;

/// The rest after a 429 that names none.
const REST: Duration = Duration::from_mins(1);

/// What a refusal means.
pub(super) fn failure(status: u16, retry_after: Option<Duration>, what: &str) -> Failure {
    let (kind, says) = match status {
        401 => (
            FailureKind::SignIn,
            "The server did not accept the sign-in. Enter it again; the profile says where it goes."
                .to_owned(),
        ),
        403 => (
            FailureKind::Forbidden,
            format!("The server does not allow this account to use {what}. Ask its owner for access."),
        ),
        204 => (
            FailureKind::WrongAddress,
            format!("The server has nothing to listen to at {what}. Check the address."),
        ),
        404 | 410 => (
            FailureKind::WrongAddress,
            format!("There is nothing at {what}. Check the address and the profile."),
        ),
        405 | 406 | 415 | 400 | 422 => (
            FailureKind::WrongAddress,
            format!(
                "The server does not understand the request to {what} (status {status}). Check the profile."
            ),
        ),
        429 => (
            FailureKind::Transient,
            "The server asks for a rest, because too many requests came from here.".to_owned(),
        ),
        500..=599 => (
            FailureKind::Transient,
            format!("The server has trouble (status {status}). It will be asked again."),
        ),
        408 => (
            FailureKind::Transient,
            "The server did not answer in time.".to_owned(),
        ),
        status => (
            FailureKind::Transient,
            format!("The server gave an unexpected answer (status {status})."),
        ),
    };
    Failure {
        kind,
        says,
        retry_after: if status == 429 {
            Some(retry_after.unwrap_or(REST))
        } else {
            retry_after
        },
    }
}

/// A web page came where data should be.
pub(super) fn page() -> Failure {
    Failure {
        kind: FailureKind::Transient,
        says: "A web page answered in place of the server: a sign-in page of this network, or a wrong \
               address. It will be asked again."
            .to_owned(),
        retry_after: None,
    }
}

/// The address, or the profile, cannot work as it is.
pub(super) fn unfit(says: String) -> Failure {
    Failure {
        kind: FailureKind::WrongAddress,
        says,
        retry_after: None,
    }
}

/// It has to be tried again.
pub(super) fn later(says: &str) -> Failure {
    Failure {
        kind: FailureKind::Transient,
        says: says.to_owned(),
        retry_after: None,
    }
}
