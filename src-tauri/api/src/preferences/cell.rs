//! The grid: what an account, a subscription or a type does, each inheriting what it does not say.

use super::ClockTime;
use crate::words::{AccountId, SubscriptionId, Tier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether something rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ToastChoice {
    /// A toast of its own.
    On,
    /// Told with others in a digest.
    Digest,
    /// Inbox only.
    Off,
}

/// Whether something counts in the badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Badge {
    /// It counts while it is unread.
    On,
    /// It never counts.
    Off,
}

/// How much of a notification a toast tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Privacy {
    /// Title and body.
    Full,
    /// The title, not the body.
    TitleOnly,
    /// "1 notification from …".
    CountOnly,
}

/// What a toast sounds like.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "play")]
#[ts(export)]
pub enum Sound {
    /// What the desktop plays for a notification.
    Default,
    /// Nothing.
    None,
    /// A sound of the desktop's theme, by its name in the freedesktop sound naming specification.
    Named {
        /// Such as `message-new-instant`.
        name: String,
    },
    /// A sound file of the user's.
    File {
        /// Its absolute path.
        path: String,
    },
}

/// How bursts of one type are told. Critical notifications are never batched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "how")]
#[ts(export)]
pub enum Batch {
    /// Each by itself.
    Off,
    /// The first rings, and those that follow within the window edit its toast in place.
    Leading {
        /// The window, seconds from the first.
        #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
        seconds: u32,
    },
    /// All wait for a quiet moment, and ring as one.
    Trailing {
        /// So long nothing further came, seconds.
        #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
        seconds: u32,
        /// The first waits so long at most, seconds.
        most: u32,
    },
    /// All of a day ring as one.
    Daily {
        /// At this time of the wall clock.
        at: ClockTime,
    },
}

/// What is said about notifications. What is left out is inherited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export, optional_fields)]
pub struct Cell {
    /// Never toasts, not even critical ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute: Option<bool>,
    /// Whether it rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toast: Option<ToastChoice>,
    /// What it sounds like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
    /// Whether it counts in the badge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub badge: Option<Badge>,
    /// How much of it a toast tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// How bursts are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Below this tier: inbox only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_tier: Option<Tier>,
    /// All of it is of this tier, whatever its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The tiers of priorities 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiers: Option<[Tier; 5]>,
    /// Neither a mute, nor the grid, nor a minimum tier silences it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandatory: Option<bool>,
}

impl Cell {
    /// Says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A row of the grid: an account, one of its subscriptions, or a type in one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export, optional_fields, rename = "PreferencesRow")]
pub struct Row {
    /// Which account.
    pub account: AccountId,
    /// Which subscription of it; all if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// Which type of that subscription; all if none. Empty: what has no type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// An override that ends then; while it holds it comes before the lasting row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(type = "string")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub until: Option<Timestamp>,
    /// What it says.
    #[serde(flatten)]
    pub cell: Cell,
}
