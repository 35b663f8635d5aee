//! Errors of transports, as reasons why a connection failed.

use crate::backend::{Failure, FailureKind};
use crate::model::TransportKind;
use crate::transport::TransportError;

/// What a transport's error means for the connection, in words for the user.
pub fn failure(error: &TransportError, transport: TransportKind) -> Failure {
    let streamed = matches!(
        transport,
        TransportKind::Sse | TransportKind::HttpStream | TransportKind::Websocket
    );
    let (kind, says) = match error {
        TransportError::Cleartext => (
            FailureKind::SignIn,
            "The address begins with http, so anyone on the way could read the password. \
             Use https, or allow http for this account."
                .to_owned(),
        ),
        TransportError::Dns(_) => (
            FailureKind::Transient,
            "The server's name could not be found. Is the address right, and is there a network?"
                .to_owned(),
        ),
        TransportError::Connect(why) => (
            FailureKind::Transient,
            format!("The server could not be reached: {why}."),
        ),
        // A proxy that holds back what is no finite answer, or takes an upgrade for a plain request.
        TransportError::Timeout if streamed => (
            FailureKind::Blocked,
            "The server did not answer in time.".to_owned(),
        ),
        TransportError::Timeout => (
            FailureKind::Transient,
            "The server did not answer in time.".to_owned(),
        ),
        // Asked in this way, it would come again and again, and nothing after it.
        TransportError::TooLong => (
            FailureKind::Blocked,
            "A message was too long for this way of connecting.".to_owned(),
        ),
        TransportError::Tls(why) => (
            FailureKind::WrongAddress,
            format!("No secure connection could be made: {why}."),
        ),
        TransportError::Redirect(to) => (
            FailureKind::WrongAddress,
            format!(
                "The server points to another address ({to}). Use that address if it is the right one; \
                 nothing was sent there."
            ),
        ),
        TransportError::Portal => (
            FailureKind::Transient,
            "A web page answered instead of the notification server: a sign-in page of this network, or \
             a wrong address."
                .to_owned(),
        ),
        TransportError::UpgradeRefused => (
            FailureKind::Blocked,
            "Something on the way does not let WebSocket through.".to_owned(),
        ),
        TransportError::Silent if streamed => (
            FailureKind::Blocked,
            "The connection went silent.".to_owned(),
        ),
        TransportError::Closed {
            code: Some(4401 | 1008),
            ..
        } => (
            FailureKind::SignIn,
            "The server ended the connection because the sign-in is no longer valid.".to_owned(),
        ),
        TransportError::Silent | TransportError::Closed { .. } => (
            FailureKind::Transient,
            "The server closed the connection.".to_owned(),
        ),
        TransportError::Broken(_) => (
            FailureKind::Transient,
            "The connection broke.".to_owned(),
        ),
        TransportError::Refused { status: 407, .. } => (
            FailureKind::SignIn,
            "The proxy wants a user name and a password. Enter them in the account's network settings."
                .to_owned(),
        ),
        TransportError::Refused { status, .. } => (
            FailureKind::Transient,
            format!("The server answered with status {status}."),
        ),
    };
    let retry_after = match error {
        TransportError::Refused { retry_after, .. } => *retry_after,
        _ => None,
    };
    Failure {
        kind,
        says,
        retry_after,
    }
}
