//! What is kept of a channel between two connections. The server keeps nothing and knows no position; the
//! application's history has ids and, mostly, times.

use crate::model::{Cursor, hexadecimal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Bytes of a hash that are kept.
const SHORT: usize = 16;

/// A channel's position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    /// When the newest item of the history was made, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Its id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What the last event of a channel that keeps it was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last: String,
    /// All of them until then, so that the same event coming a second time is another one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub chain: String,
}

impl Position {
    /// Reads a cursor; what it cannot read is a position of which nothing is known.
    pub(super) fn read(cursor: &Cursor) -> Self {
        serde_json::from_str(&cursor.0).unwrap_or_default()
    }

    /// As it is kept.
    pub(super) fn cursor(&self) -> Cursor {
        // Texts and a number always make JSON.
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }

    /// The newest item's time.
    pub(super) fn time(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.at?).ok()
    }

    /// Takes note of an event of a channel that keeps its last one, and gives it an id: the same each time
    /// it is met at this position.
    pub(super) fn follow(&mut self, event: &str, data: &str) -> String {
        self.last = hash(&[event, data]);
        self.chain = hash(&[&self.chain, event, data]);
        self.chain.clone()
    }
}

/// A short hash of some texts.
pub(super) fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    hexadecimal(&hasher.finalize()[..SHORT])
}
