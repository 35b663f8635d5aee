//! A notification: as a backend drafts it, and as the inbox keeps it.

use super::{AccountId, ActionKind, Format, NotificationId, SubscriptionId, Tier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest parts that are kept, in bytes (`design.md`, Times). What is longer is cut at a character
/// boundary and marked with "…".
pub mod limits {
    /// A frame or line from a server.
    pub const FRAME: usize = 1024 * 1024;
    /// A body.
    pub const BODY: usize = 256 * 1024;
    /// A title.
    pub const TITLE: usize = 1024;
    /// The original frame kept for "view source".
    pub const RAW: usize = 64 * 1024;
    /// A URL.
    pub const URL: usize = 2048;
    /// Tags kept.
    pub const TAGS: usize = 32;
    /// Actions kept.
    pub const ACTIONS: usize = 9;
}

/// How a notification came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// As it was published.
    Live,
    /// Fetched after an absence.
    Backfill,
    /// Fetched when its subscription was new.
    FirstFilling,
}

/// What a notification is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Kept until its user is done with it; with an `expires_at`, only as long as its sender meant it.
    #[default]
    Persistent,
    /// Shown while live (typing, progress), kept in a hidden row that is purged after it is over.
    Ephemeral,
}

/// What a backend read from a frame. `ingest` makes a notification of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The server's id; with account and subscription the dedupe key.
    pub remote_id: String,
    /// The server's key for "this replaces that"; the `remote_id` where the server has none.
    pub replace_key: String,
    /// Orders the versions of one `replace_key`; a higher one wins.
    pub version: i64,
    /// What it is for.
    pub class: Class,
    /// Its type: what kind of event it is; empty where unknown.
    pub kind: String,
    /// Title; empty where the sender gave none.
    pub title: String,
    /// Body.
    pub body: String,
    /// How the body is written.
    pub format: Format,
    /// 1 to 5.
    pub priority: u8,
    /// The tier that the backend maps the priority to.
    pub tier: Tier,
    /// When the server made it.
    pub created_at: Timestamp,
    /// Opened on click; already checked to be http, https or mailto, else none.
    pub url: Option<String>,
    /// Actions.
    pub actions: Vec<Action>,
    /// Tags, as the server gave them.
    pub tags: Vec<String>,
    /// Icon URL; fetched only when somebody looks at it.
    pub icon: Option<String>,
    /// Attachment; only a picture is fetched, when somebody looks at it.
    pub attachment: Option<Attachment>,
    /// The server asks for no sound.
    pub silent: bool,
    /// An expiry that its sender meant.
    pub expires_at: Option<Timestamp>,
    /// The original frame, up to [`limits::RAW`].
    pub raw: String,
}

/// An action of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What it does.
    pub kind: ActionKind,
    /// Its label.
    pub label: String,
    /// The URL to open or to send to; empty for a copy.
    #[serde(default)]
    pub url: String,
    /// HTTP method; `POST` where the sender gave none.
    #[serde(default)]
    pub method: String,
    /// HTTP headers.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// HTTP body, or the text to copy.
    #[serde(default)]
    pub body: String,
    /// The notification is read once the action went well.
    #[serde(default)]
    pub clear: bool,
}

/// A file that belongs to a notification; it stays on the server, but for a preview of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Media type, empty if unknown.
    #[serde(default)]
    pub media_type: String,
    /// Bytes, if known.
    #[serde(default)]
    pub size: Option<u64>,
    /// When the server drops it.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// An inbox item, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// Its account.
    pub account: AccountId,
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// What the backend read, of the newest version.
    pub draft: Draft,
    /// How much attention it gets: what its backend said, or what the preferences made of that.
    pub tier: Tier,
    /// How it came here.
    pub origin: Origin,
    /// When it came here.
    pub received_at: Timestamp,
    /// Was on screen.
    pub seen_at: Option<Timestamp>,
    /// Was opened or marked.
    pub read_at: Option<Timestamp>,
    /// Went to the archive.
    pub done_at: Option<Timestamp>,
    /// Earlier versions kept.
    pub revisions: u32,
}

/// An earlier version of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// When it was replaced.
    pub replaced_at: Timestamp,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
}

/// What became of a draft when it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A new row; it is to be decided.
    New(Box<Notification>),
    /// A newer version of a row that was there; its toast, if any, is edited in place, silently.
    Updated(NotificationId),
    /// Stored before, older than what is stored, or deleted here.
    Known(Option<NotificationId>),
}

/// A change owed to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mirror {
    /// It was read, or done, here.
    Read,
    /// It was deleted here.
    Delete,
}

/// A change of a subscription, owed to its user's account on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepChange {
    /// A topic was subscribed to here.
    Subscribe,
    /// A topic was left here.
    Unsubscribe,
    /// A subscription was named here.
    Rename,
}

/// What is owed to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Owing {
    /// A change of a notification.
    Mirror(Mirror),
    /// A change of a subscription.
    Step(StepChange),
}
