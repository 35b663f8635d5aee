//! What refusals mean, in words for the user.

use crate::backend::{Failure, FailureKind};
use crate::text;
use std::time::Duration;

/// How much of a server's own words is shown, in characters.
const QUOTED: usize = 120;
/// Codes of 4100 to 4199 want at least this much time.
const LEAST: Duration = Duration::from_secs(1);

/// How far the connection had come when it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The server had not greeted yet.
    Opening,
    /// It had, and nobody signed in.
    Open,
    /// The user's sign-in was sent.
    SigningIn,
    /// It was accepted.
    SignedIn,
}

fn failure(kind: FailureKind, says: impl Into<String>) -> Failure {
    Failure {
        kind,
        says: says.into(),
        retry_after: None,
    }
}

/// The server's own words behind ours, where it has any.
fn with_words(says: &str, message: &str) -> String {
    let message = text::one_line(message.trim(), QUOTED);
    if message.is_empty() {
        says.to_owned()
    } else {
        format!("{says} It says: {}.", message.trim_end_matches('.'))
    }
}

/// What a close code means (protocol 7, "Error codes"); none for those that it does not define.
pub(super) fn closed(code: u16, message: &str, stage: Stage) -> Option<Failure> {
    let stop = |says: &str| failure(FailureKind::Forbidden, says);
    Some(match code {
        4000 => stop(
            "The server takes secure connections only. The address has to begin with https://.",
        ),
        4001 => stop(
            "The server knows no app with this key. Check the key at the end of the address and, at \
             Pusher, the cluster in its name.",
        ),
        4003 => stop("The app is disabled on the server. Its owner can enable it again."),
        4004 => stop(
            "The app has as many connections as it may have. Retry when there are fewer, or ask its owner \
             to raise the limit.",
        ),
        4005 => stop("There is nothing at this address's path. Check what stands before /app/."),
        4006..=4008 => stop(
            "The server does not speak version 7 of the Pusher protocol, which Tidings needs. Ask its owner \
             to update it.",
        ),
        4009 => match stage {
            Stage::Opening => failure(
                FailureKind::Forbidden,
                with_words(
                    "The server does not let Tidings connect. It may take connections only from its own \
                     pages: its owner can allow others.",
                    message,
                ),
            ),
            Stage::Open => stop(
                "The server wants its users to sign in. Enter the application's address for signing the \
                 user in, and the sign-in for it.",
            ),
            Stage::SigningIn => failure(
                FailureKind::SignIn,
                "The server did not accept the user's sign-in. Does the application sign for the app with \
                 this key?",
            ),
            Stage::SignedIn => failure(
                FailureKind::SignIn,
                with_words("The server ended the sign-in.", message),
            ),
        },
        4010..=4099 => failure(
            FailureKind::Forbidden,
            with_words(
                &format!("The server refuses the connection for good (code {code})."),
                message,
            ),
        ),
        4100..=4199 => Failure {
            retry_after: Some(LEAST),
            ..failure(
                FailureKind::Transient,
                "The server has too much to do. It will be asked again.",
            )
        },
        4200..=4299 => failure(FailureKind::Again, "The server wants a new connection."),
        4300..=4399 => failure(
            FailureKind::Transient,
            with_words(
                &format!("The server closed the connection (code {code})."),
                message,
            ),
        ),
        _ => return None,
    })
}

/// The server answered the upgrade with another status.
pub(super) fn opening(status: u16, retry_after: Option<Duration>) -> Failure {
    let mut failure = match status {
        401 | 403 => failure(
            FailureKind::Forbidden,
            format!(
                "The server does not let Tidings connect (status {status}). Something before it, a proxy \
                 say, may want a sign-in of its own."
            ),
        ),
        404 | 410 => failure(
            FailureKind::WrongAddress,
            "There is no such server at this address. Check the host, the port and what stands before /app/.",
        ),
        400 | 405 | 426 | 501 => failure(
            FailureKind::Blocked,
            "Something between here and the server does not let WebSocket through.",
        ),
        status => failure(
            FailureKind::Transient,
            format!("The server answered with status {status}. It will be asked again."),
        ),
    };
    failure.retry_after = retry_after;
    failure
}

/// What became of a request to the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It will not change by itself.
    Final(Failure),
    /// It may, after so long at least.
    Later(String, Option<Duration>),
}

/// The application answered a request with another status than 2xx, or, with status 0, not at all. `asked` is what it was asked for ("the
/// channel private-x", "the history").
pub(super) fn application(
    status: u16,
    retry_after: Option<Duration>,
    body: &str,
    asked: &str,
    setting: &str,
) -> Refusal {
    match status {
        0 => Refusal::Later(
            format!(
                "The application could not be asked for {asked}. {body} It will be asked again."
            ),
            retry_after,
        ),
        401 => Refusal::Final(failure(
            FailureKind::SignIn,
            format!("The application does not accept the sign-in for {asked}. Sign in again."),
        )),
        419 => Refusal::Final(failure(
            FailureKind::SignIn,
            format!(
                "The application wants a page's own token (CSRF) for {asked}. Sign in with an API token, or \
                 add its X-CSRF-TOKEN header."
            ),
        )),
        403 => Refusal::Final(failure(
            FailureKind::Forbidden,
            format!("The application does not allow {asked} to this sign-in."),
        )),
        408 | 425 | 429 | 500..=599 => Refusal::Later(
            format!(
                "The application answered with status {status} to {asked}. It will be asked again."
            ),
            retry_after,
        ),
        status => Refusal::Final(failure(
            FailureKind::WrongAddress,
            format!(
                "The application answered with status {status} to {asked}. Check {setting} in the account's \
                 settings."
            ),
        )),
    }
}

/// An answer that is none.
pub(super) fn strange(asked: &str, setting: &str) -> Failure {
    failure(
        FailureKind::WrongAddress,
        format!(
            "The application's answer for {asked} cannot be used: a web page, perhaps. Check {setting} in \
             the account's settings."
        ),
    )
}

/// Nothing says which app is meant.
pub(super) fn no_key() -> Failure {
    failure(
        FailureKind::Forbidden,
        "The address does not say which app. Enter the app's key, or an address that ends with /app/ and the \
         key.",
    )
}

/// Nothing is subscribed to.
pub(super) fn no_channel() -> Failure {
    failure(
        FailureKind::Forbidden,
        "There is no channel yet. Add one to this account.",
    )
}

/// A ping was not answered.
pub(super) fn silent() -> Failure {
    failure(
        FailureKind::Transient,
        "The server did not answer a ping. It will be connected anew.",
    )
}
