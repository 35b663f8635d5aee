//! What the server answers when it does not do what was asked, with ntfy's codes.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error body: `{"code":40301,"http":403,"error":"forbidden: …"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{error} ({code})")]
pub struct Refusal {
    /// ntfy's number for the reason; its first three digits are the status.
    pub code: u32,
    /// The HTTP status.
    pub http: u16,
    /// Words for a user.
    pub error: String,
}

impl Refusal {
    /// A refusal whose status is the first three digits of `code`.
    pub(crate) fn new(code: u32, error: impl Into<String>) -> Self {
        Self {
            code,
            http: u16::try_from(code / 100).unwrap_or(500),
            error: error.into(),
        }
    }

    pub(crate) fn delay_unreadable() -> Self {
        Self::new(
            40004,
            "invalid delay parameter: give unix seconds or a duration such as 30m, 2h, 1d",
        )
    }

    pub(crate) fn topic_invalid() -> Self {
        Self::new(
            40009,
            "invalid request: a topic has 1 to 64 letters, digits, - or _",
        )
    }

    pub(crate) fn attachment() -> Self {
        Self::new(
            40014,
            "invalid request: this server keeps no attachments; link to the file with Attach: URL",
        )
    }

    pub(crate) fn actions(reason: &str) -> Self {
        Self::new(40018, format!("invalid request: actions invalid, {reason}"))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(40101, "unauthorized: the name, password or token is wrong")
    }

    pub(crate) fn forbidden(topic: &str, what: &str) -> Self {
        Self::new(
            40301,
            format!("forbidden: no right to {what} topic {topic}"),
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(40401, "page not found")
    }

    pub(crate) fn message_too_large(limit: usize) -> Self {
        Self::new(
            41301,
            format!(
                "message too large: at most {limit} bytes, and this server keeps no attachments"
            ),
        )
    }

    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(50001, "internal server error: see the server's log")
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let basic = axum::http::HeaderValue::from_static("Basic realm=\"tidings\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, basic);
        }
        response
    }
}
