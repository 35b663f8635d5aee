//! Where a connection is resumed: the same for all topics of an account, since one stream carries them.

use crate::backend::Topic;
use crate::model::Cursor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A position, as it is kept in a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    /// The server's word for it: an event's id, an answer's cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "position")]
    pub word: Option<String>,
    /// The id of the newest notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Its time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<i64>,
    /// What was made before is never taken, in milliseconds: a new subscription is filled only so far back.
    pub floor: i64,
    /// Our clock when it was minted, in milliseconds.
    pub at: i64,
}

/// The longest word of a server that is kept, in bytes.
const LONGEST: usize = 4096;

impl Position {
    /// Where topics are resumed together: the oldest of their cursors. None if none has one.
    pub(super) fn of(topics: &[Topic]) -> Option<Self> {
        topics
            .iter()
            .filter_map(|topic| topic.cursor.as_ref())
            .filter_map(|cursor| serde_json::from_str::<Self>(&cursor.0).ok())
            .min_by_key(|position| position.at)
    }

    /// As a cursor.
    pub(super) fn cursor(&mut self, now: Timestamp) -> Cursor {
        self.at = now.as_millisecond();
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }

    /// Goes on to what the server calls this.
    pub(super) fn go_to(&mut self, position: &str) {
        if !position.is_empty() && position.len() <= LONGEST {
            self.word = Some(position.to_owned());
        }
    }

    /// Takes note of a notification.
    pub(super) fn note(&mut self, id: &str, created_at: Timestamp, now: Timestamp) {
        // A time that is still to come would hide what is made until then.
        let at = created_at.min(now).as_millisecond();
        if self.newest.is_none_or(|newest| newest <= at) {
            self.newest = Some(at);
            self.last = Some(id.to_owned());
        }
    }
}
