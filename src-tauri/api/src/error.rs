//! Errors at the contract: a code to branch on, a message for the user, a detail for the curious.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What went wrong, as far as a client branches on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ErrorCode {
    /// The request itself is wrong (usage); the message says how to mend it.
    Invalid,
    /// There is no such account, subscription or notification.
    NotFound,
    /// The server refused the credential.
    Unauthorized,
    /// The server could not be reached or answered wrongly.
    Network,
    /// The keyring is missing or locked; the user chooses where the secret goes.
    Keyring,
    /// Only the running resident can do this, and none runs.
    NeedsResident,
    /// The database could not be read or written.
    Storage,
    /// A defect of ours.
    Internal,
}

/// An error as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
#[ts(export)]
pub struct ErrorView {
    /// What a client branches on.
    pub code: ErrorCode,
    /// One or two sentences for the user: what happened and what to do.
    pub message: String,
    /// The technical cause, never a secret; empty where there is none.
    #[serde(default)]
    pub detail: String,
}

impl ErrorView {
    /// An error with no technical detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: String::new(),
        }
    }

    /// The same error with its technical cause.
    #[must_use]
    pub fn with_detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.detail = detail.to_string();
        self
    }
}
