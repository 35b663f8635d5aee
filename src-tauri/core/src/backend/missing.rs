//! What is not in a backlog.

/// Why a backlog is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The server no longer holds all of it.
    NoLongerHeld,
    /// The server does not know our position.
    UnknownCursor,
    /// The server said that it sent only a part.
    Truncated,
    /// The server keeps nothing: what is published while nobody listens is gone.
    LiveOnly,
}

impl Missing {
    /// The word that is kept with a gap.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoLongerHeld => "no_longer_held",
            Self::UnknownCursor => "unknown_cursor",
            Self::Truncated => "truncated",
            Self::LiveOnly => "live_only",
        }
    }

    /// The reason of a kept word; what an older version kept without a reason was no longer held.
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "" => None,
            "unknown_cursor" => Some(Self::UnknownCursor),
            "truncated" => Some(Self::Truncated),
            "live_only" => Some(Self::LiveOnly),
            _ => Some(Self::NoLongerHeld),
        }
    }

    /// For the user.
    pub fn says(self) -> &'static str {
        match self {
            Self::NoLongerHeld => "the server no longer held all of it",
            Self::UnknownCursor => "the server did not know where Tidings had left off",
            Self::Truncated => "the server sent only a part of it",
            Self::LiveOnly => "this server keeps nothing for later",
        }
    }
}
