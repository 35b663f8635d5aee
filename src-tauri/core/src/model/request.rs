//! A request that a codec wants made. The account's credential is added by the transport, never by the
//! codec; a codec holds only what it was given by a server during its conversation.

use std::fmt;
use std::time::Duration;
use url::Url;

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// RFC 9110, 9.3.1.
    Get,
    /// RFC 9110, 9.3.3.
    Post,
    /// RFC 9110, 9.3.4.
    Put,
    /// RFC 9110, 9.3.5.
    Delete,
    /// RFC 5789.
    Patch,
}

/// A request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// Bytes with their media type.
    Bytes {
        /// `Content-Type`.
        media_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A text with the account's credential in it: the transport puts the user name for `{user}` and the
    /// secret for `{secret}`, escaped as the media type asks (JSON strings, form fields).
    SignIn {
        /// `Content-Type`.
        media_type: String,
        /// The text.
        template: String,
    },
}

/// Text that is never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// How a request is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// With the account's credential; refused where the address is none of the account's own.
    #[default]
    Account,
    /// Not at all.
    Nothing,
    /// With a bearer token that a server gave during this conversation (RFC 6750), in place of the
    /// account's.
    Bearer(Hidden),
    /// With a header that a server's answer during this conversation asks for (a cookie, say), in place
    /// of the account's.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Hidden,
    },
}

/// A request, without the account's credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// `http`, `https`; for a WebSocket the transport turns it into `ws`, `wss`.
    pub url: Url,
    /// Headers besides the credential's.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Body,
    /// How it is signed in.
    pub sign: Sign,
    /// The headers of the answer are wanted, also for an event stream.
    pub wants_head: bool,
    /// How long the server may hold its answer back; none: it answers at once. When it passes, the answer
    /// counts as refused with status 408.
    pub patience: Option<Duration>,
}

impl HttpRequest {
    /// A GET without headers.
    pub fn get(url: Url) -> Self {
        Self::new(Method::Get, url)
    }

    /// A request without headers and body, signed in as the account.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Body::Empty,
            sign: Sign::Account,
            wants_head: false,
            patience: None,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
