//! The only sockets. Every way of carrying a connection looks the same from here on: open, then one
//! frame after the other until the end, which always has a reason.

pub mod backoff;
pub mod hops;
pub mod limits;

mod answer;
mod download;
mod fault;
mod guard;
mod http;
mod http_stream;
mod lines;
mod names;
#[cfg(any(test, feature = "testing"))]
pub mod reader;
mod sign;
mod sse;
#[cfg(test)]
mod tests;
mod tls;
mod watchdog;
pub mod way;
mod websocket;
mod x509;

pub use download::{NotFetched, Wanted};
pub use http::Network;

use crate::model::{Credential, HttpRequest, SignIn, TransportKind, Way};
use crate::ports::Later;
use std::time::Duration;
use url::Url;

/// How a request is signed in and where it may go.
#[derive(Clone, Debug)]
pub struct Route {
    /// How it signs in.
    pub sign_in: SignIn,
    /// The secret and extra headers.
    pub credential: Credential,
    /// Cleartext to other hosts than this one is allowed.
    pub allow_http: bool,
    /// The addresses that get the credential: the account's server, and what its user entered besides.
    pub own: Vec<Url>,
    /// How the server is reached.
    pub way: Way,
    /// No complete frame for so long: the link is dead. A WebSocket has its own ping besides.
    pub silence: Duration,
}

impl Route {
    /// A JSON text with the user name for `{user}` and the secret for `{secret}`.
    pub fn filled_in(&self, template: &str) -> String {
        sign::filled_in(template, "application/json", self)
    }
}

/// A part of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A WebSocket text, a line.
    Text(String),
    /// A server-sent event (WHATWG HTML, 9.2.6).
    Event {
        /// Its type; `message` where it has none.
        name: String,
        /// The last event id; empty where there is none.
        id: String,
        /// Its data.
        data: String,
        /// The server wishes this much time before the next attempt.
        retry: Option<Duration>,
    },
    /// A comment of an event stream.
    Comment(String),
    /// An event without data: it moved the last event id, or told a wish about the next attempt.
    Fields {
        /// The last event id now in force; empty where there is none.
        id: String,
        /// See [`Frame::Event`].
        retry: Option<Duration>,
    },
    /// Bytes without content: a ping, a pong, an empty line.
    Alive,
    /// A frame above the limit was skipped.
    TooLong,
}

/// Why there is no link, or no more of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Credentials would go over cleartext, and the account does not allow it.
    #[error("the address is http, which would show the password to the network")]
    Cleartext,
    /// The name has no address.
    #[error("the server's name could not be found: {0}")]
    Dns(String),
    /// No TCP connection.
    #[error("the server could not be reached: {0}")]
    Connect(String),
    /// The connection is there, and the headers took too long.
    #[error("the server did not answer in time")]
    Timeout,
    /// TLS failed: expired, wrong name, unknown issuer.
    #[error("no secure connection could be made: {0}")]
    Tls(String),
    /// Another status than wanted.
    #[error("the server answered with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Headers, names in lower case.
        headers: Vec<(String, String)>,
        /// `Retry-After`, seconds or date made relative.
        retry_after: Option<Duration>,
        /// The first 4 KiB of the body.
        body: String,
    },
    /// A redirect to another origin, or one where none is followed.
    #[error("the server points to another address: {0}")]
    Redirect(String),
    /// A page where a stream should be: a portal or a wrong address.
    #[error("a web page answered where notifications should be")]
    Portal,
    /// An upgrade to WebSocket was not honoured.
    #[error("something between here and the server does not let WebSocket through")]
    UpgradeRefused,
    /// Nothing came for too long.
    #[error("the connection went silent")]
    Silent,
    /// A message was above the limit, and nothing after it can be had over this connection.
    #[error("a message was too long for this connection")]
    TooLong,
    /// The server ended it.
    #[error("the server closed the connection")]
    Closed {
        /// WebSocket close code (RFC 6455, 7.4), if one was sent.
        code: Option<u16>,
        /// Its reason; empty where none was sent.
        reason: String,
    },
    /// It broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// An open connection. Dropping it hangs up.
pub trait Link: Send {
    /// Headers of the answer that opened it, names in lower case.
    fn headers(&self) -> &[(String, String)];
    /// From now on a quiet stream is dead after this time.
    fn silence(&mut self, time: Duration);
    /// The next part. May be dropped half-way without losing anything. After an error the link is
    /// over.
    fn next(&mut self) -> Later<'_, Result<Frame, TransportError>>;
    /// Sends a text; only a WebSocket can.
    fn send(&mut self, text: String) -> Later<'_, Result<(), TransportError>>;
}

/// The answer to a finite request, read line by line.
pub trait Answer: Send {
    /// The HTTP status.
    fn status(&self) -> u16;
    /// Headers, names in lower case.
    fn headers(&self) -> &[(String, String)];
    /// `Retry-After` (RFC 9110, 10.2.3), within its bounds.
    fn retry_after(&self) -> Option<Duration>;
    /// The next line, without its newline; none at the proper end of the body. Lines above the limit
    /// are skipped. A body cut short is an error.
    fn line(&mut self) -> Later<'_, Result<Option<String>, TransportError>>;
    /// The rest of the body, cut at `limit` bytes.
    fn text(&mut self, limit: usize) -> Later<'_, Result<String, TransportError>>;
}

/// Makes connections.
pub trait Dial: Send + Sync {
    /// Opens a link. Status 200 (101 for a WebSocket) is a link; everything else an error. A poll and
    /// a long poll are links too: the lines of one answer, then [`TransportError::Closed`].
    fn open<'a>(
        &'a self,
        transport: TransportKind,
        request: &'a HttpRequest,
        route: &'a Route,
    ) -> Later<'a, Result<Box<dyn Link>, TransportError>>;
    /// Makes a finite request. Every status is an answer.
    fn fetch<'a>(
        &'a self,
        request: &'a HttpRequest,
        route: &'a Route,
    ) -> Later<'a, Result<Box<dyn Answer>, TransportError>>;
    /// Whether a server is reached without a proxy. What is behind one shows only in the answers that come
    /// through it.
    fn goes_straight<'a>(&'a self, _url: &'a Url, _route: &'a Route) -> Later<'a, bool> {
        Box::pin(std::future::ready(true))
    }
    /// The network is another, or the machine slept: no connection that is kept for the next request is
    /// taken any more.
    fn renew(&self) {}
    /// Fetches a file whose address somebody else wrote, whole. Takes 30 s at most.
    fn download<'a>(
        &'a self,
        wanted: &'a Wanted,
        route: &'a Route,
    ) -> Later<'a, Result<Vec<u8>, NotFetched>>;
    /// Other times from now on; what is open keeps its own.
    fn set_times(&self, times: limits::Times);
}

/// The server ended it without a code.
fn ended() -> TransportError {
    TransportError::Closed {
        code: None,
        reason: String::new(),
    }
}

/// Only a WebSocket has a way back.
fn one_way() -> TransportError {
    TransportError::Broken("nothing can be sent over this connection".to_owned())
}
