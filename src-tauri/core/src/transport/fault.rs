//! Errors of sockets, names and certificates in words. No address with its query ever gets into
//! them, since queries can hold secrets.

use super::TransportError;
use crate::ports::Clock;
use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use std::error::Error;
use std::{fmt, io};

/// A name without an address.
#[derive(Debug)]
pub(super) struct Unresolved {
    pub(super) name: String,
    pub(super) cause: io::Error,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, plain(&self.cause))
    }
}

impl Error for Unresolved {}

/// Why a request brought no response.
pub(super) fn before_response(error: &reqwest::Error, clock: &dyn Clock) -> TransportError {
    match known(error, clock) {
        // Nobody is there, which is another thing than somebody who says nothing.
        Some(TransportError::Timeout) if error.is_connect() => {
            return TransportError::Connect(plain(&io::ErrorKind::TimedOut.into()));
        }
        Some(known) => return known,
        None if error.is_timeout() && error.is_connect() => {
            return TransportError::Connect(plain(&io::ErrorKind::TimedOut.into()));
        }
        None if error.is_timeout() => return TransportError::Timeout,
        None => {}
    }
    let words = innermost(error);
    if let Some(why) = words.strip_prefix("tunnel error: ") {
        return TransportError::Connect(of_proxy(why));
    }
    if error.is_connect() {
        TransportError::Connect(words)
    } else {
        TransportError::Broken(words)
    }
}

/// Why a proxy made no way through (hyper-util, `Tunnel`; RFC 9110, 15.5.8).
fn of_proxy(why: &str) -> String {
    if why.contains("authoriz") {
        "the proxy wants a user name and a password; enter them in the account's network settings"
            .to_owned()
    } else {
        "the proxy made no way to the server; is it allowed to go there?".to_owned()
    }
}

/// Why a response's body broke off.
pub(super) fn in_body(error: &reqwest::Error) -> TransportError {
    TransportError::Broken(innermost(error))
}

/// Why a TCP connection or a TLS handshake failed.
pub(super) fn of_socket(error: &io::Error, clock: &dyn Clock) -> TransportError {
    known(error, clock).unwrap_or_else(|| TransportError::Connect(plain(error)))
}

/// What a cause anywhere in the chain tells for sure.
fn known(error: &(dyn Error + 'static), clock: &dyn Clock) -> Option<TransportError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(unresolved) = error.downcast_ref::<Unresolved>() {
            return Some(TransportError::Dns(unresolved.to_string()));
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(TransportError::Tls(tls_words(error, clock)));
        }
        if let Some(error) = error.downcast_ref::<io::Error>()
            && error.kind() == io::ErrorKind::TimedOut
        {
            return Some(TransportError::Timeout);
        }
        next = cause(error);
    }
    None
}

/// The cause below, also the one that an I/O error wraps, which its `source` leaves out.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// The deepest cause's words; the outer ones can name the URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: Option<&(dyn Error + 'static)> = None;
    let mut next = error.source();
    while let Some(error) = next {
        deepest = Some(error);
        next = cause(error);
    }
    match deepest {
        Some(error) => match error.downcast_ref::<io::Error>() {
            Some(error) => plain(error),
            None => error.to_string(),
        },
        None => "the request could not be made".to_owned(),
    }
}

/// An I/O error without its number.
pub(super) fn plain(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::ConnectionRefused => "nothing listens at this address and port",
        Kind::ConnectionReset | Kind::ConnectionAborted => "the connection was reset",
        Kind::HostUnreachable => "there is no way to this computer",
        Kind::NetworkUnreachable | Kind::NetworkDown => "there is no network",
        Kind::TimedOut => "it did not answer in time",
        Kind::UnexpectedEof => "the connection was cut",
        Kind::BrokenPipe => "the other side hung up",
        _ => {
            let text = error.to_string();
            let end = text.find(" (os error").unwrap_or(text.len());
            let text = &text[..end];
            return text
                .strip_prefix("failed to lookup address information: ")
                .unwrap_or(text)
                .to_owned();
        }
    };
    words.to_owned()
}

/// What is wrong with a certificate or a handshake, and what to do.
pub(super) fn tls_words(error: &rustls::Error, clock: &dyn Clock) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate_words(error, clock),
        rustls::Error::InvalidMessage(_) => {
            "it does not speak TLS there; is it an http address, or another port?".to_owned()
        }
        rustls::Error::AlertReceived(alert) => {
            format!("the server refused the handshake ({alert:?})")
        }
        rustls::Error::PeerIncompatible(_) => {
            "it speaks only versions of TLS that are no longer safe".to_owned()
        }
        other => other.to_string(),
    }
}

fn certificate_words(error: &CertificateError, clock: &dyn Clock) -> String {
    use CertificateError as Wrong;
    let here = || {
        format!(
            "this computer's clock says {}",
            clock
                .now()
                .to_zoned(clock.zone())
                .strftime("%Y-%m-%d %H:%M")
        )
    };
    match error {
        Wrong::Expired => format!("its certificate has expired; {}", here()),
        Wrong::ExpiredContext { not_after, .. } => {
            format!("its certificate expired on {}; {}", day(*not_after), here())
        }
        Wrong::NotValidYet => format!("its certificate is not valid yet; {}", here()),
        Wrong::NotValidYetContext { not_before, .. } => {
            let day = day(*not_before);
            format!("its certificate is valid only from {day}; {}", here())
        }
        Wrong::NotValidForName => "its certificate is for another host".to_owned(),
        Wrong::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<_> = presented.iter().take(3).map(|name| bare(name)).collect();
            let wanted = expected.to_str();
            if names.is_empty() {
                format!("its certificate is for no host, not for {wanted}")
            } else {
                let names = names.join(", ");
                format!("its certificate is for {names}, which is the wrong host for {wanted}")
            }
        }
        Wrong::UnknownIssuer => UNKNOWN_ISSUER.to_owned(),
        Wrong::ApplicationVerificationFailure => {
            "its certificate is not the one that was pinned; if the server has a new one, compare and pin it"
                .to_owned()
        }
        Wrong::Revoked => "its certificate was revoked".to_owned(),
        // A certificate that is its own authority is what self-signing by hand makes.
        other if other.to_string().contains("CaUsedAsEndEntity") => UNKNOWN_ISSUER.to_owned(),
        other => format!("its certificate is not valid ({other})"),
    }
}

const UNKNOWN_ISSUER: &str = "its certificate has an unknown issuer, or is self-signed; \
     if it is yours, add its authority to this computer's certificates";

fn day(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|secs| Timestamp::from_second(secs).ok())
        .map_or_else(
            || "a day far away".to_owned(),
            |time| time.strftime("%Y-%m-%d").to_string(),
        )
}

/// `DnsName("example.org")` as `example.org`.
fn bare(name: &str) -> &str {
    name.split_once("(\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or(name, |(name, _)| name)
}
