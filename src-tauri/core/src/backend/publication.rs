//! What is published.

use std::fmt;

/// A notification to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// To which topic.
    pub topic: String,
    /// Title; none if empty.
    pub title: String,
    /// 1 to 5; 3 if none.
    pub priority: Option<u8>,
    /// Tags.
    pub tags: Vec<String>,
    /// Body.
    pub body: String,
    /// When it is delivered, as the server reads it ("30m", unix seconds); empty: at once.
    pub at: String,
    /// What goes with it.
    pub attach: Option<Attach>,
}

/// What goes with a notification.
#[derive(Clone, PartialEq, Eq)]
pub enum Attach {
    /// A file that is somewhere already.
    Link(String),
    /// A file.
    File {
        /// Its name.
        name: String,
        /// All of it.
        bytes: Vec<u8>,
    },
}

impl fmt::Debug for Attach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(url) => f.debug_tuple("Link").field(url).finish(),
            Self::File { name, bytes } => write!(f, "File({name}, {} bytes)", bytes.len()),
        }
    }
}
