//! A request that a codec wants made. Credentials are added by the transport, never by the codec.

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
}

/// A request, without credentials.
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
}

impl HttpRequest {
    /// A GET without headers.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }
}
