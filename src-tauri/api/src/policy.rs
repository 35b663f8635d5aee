//! What clients see of the policy: what waits, what is unusual, which types there are, and what other preferences
//! would have done.

use crate::preferences::{Badge, Batch, Preferences, Privacy, Sound, ToastChoice};
use crate::words::{AccountId, NotificationId, SubscriptionId, Tier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// When something that was snoozed comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "at")]
#[ts(export)]
pub enum Back {
    /// At a time.
    Time {
        /// This one.
        #[ts(type = "string")]
        time: Timestamp,
    },
    /// When the session is unlocked.
    Unlock,
    /// When its server is connected again.
    Online,
}

/// Toasts that wait for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HeldView {
    /// A word for the cause: `pause`, `quiet`, `context`, `digest`, `batch`, `limit`, `away`, `snooze`.
    pub cause: String,
    /// The cause in words: "Quiet hours “Night”".
    pub says: String,
    /// How many unread ones wait for it.
    #[ts(type = "number")]
    pub count: u64,
    /// When the first of them is due; none: when the cause ends.
    #[ts(type = "string | null")]
    pub until: Option<Timestamp>,
    /// "Deliver now" ends it.
    pub can_deliver: bool,
}

/// It is quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct QuietView {
    /// What the user calls the schedule; may be empty.
    pub name: String,
    /// When it ends.
    #[ts(type = "string")]
    pub until: Timestamp,
}

/// It will be quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct QuietNext {
    /// What the user calls the schedule; may be empty.
    pub name: String,
    /// When it begins.
    #[ts(type = "string")]
    pub from: Timestamp,
}

/// Something that the user may want to decide, shown in the inbox until it is decided or put away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "card")]
#[ts(export)]
pub enum CardView {
    /// A subscription is over its limit for minutes: mute it for an hour, make it a digest, or leave it.
    Storm {
        /// Its account.
        account: AccountId,
        /// Which subscription.
        subscription: SubscriptionId,
        /// What it is called.
        name: String,
        /// Since when.
        #[ts(type = "string")]
        since: Timestamp,
    },
    /// A type came for the first time: keep it, make it a digest, or mute it.
    NewType {
        /// Its account.
        account: AccountId,
        /// Its subscription.
        subscription: SubscriptionId,
        /// What that is called.
        name: String,
        /// The type.
        kind: String,
        /// What it does if nothing is chosen.
        toast: ToastChoice,
        /// Its first notification.
        first: NotificationId,
    },
}

/// A type of notification, discovered from traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TypeView {
    /// Its account.
    pub account: AccountId,
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// The type; empty: what has none.
    pub kind: String,
    /// When the first came.
    #[ts(type = "string")]
    pub first_at: Timestamp,
    /// When the last came.
    #[ts(type = "string")]
    pub last_at: Timestamp,
    /// How many ever came.
    #[ts(type = "number")]
    pub came: u64,
    /// Of these, how many the user opened.
    #[ts(type = "number")]
    pub opened: u64,
    /// What might be done about it.
    pub advice: Option<Advice>,
}

/// What might be done about a type or subscription, with one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Advice {
    /// Nothing came for 90 days: it may be left.
    Silent,
    /// Many came and none was ever opened: a digest may do.
    NeverOpened,
}

/// Where a cell of the grid has its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Origin {
    /// Set here.
    Here,
    /// Set at the subscription.
    Subscription,
    /// Set at the account.
    Account,
    /// What its tier does.
    Tier,
    /// Nothing is set anywhere.
    Default,
}

/// A value of the grid, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Inherited<T> {
    /// The value that holds.
    pub value: T,
    /// Where it is from.
    pub from: Origin,
    /// It holds until then, as an override.
    #[ts(type = "string | null")]
    pub until: Option<Timestamp>,
}

/// A row of the grid, with all that it inherits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GridRow {
    /// The account.
    pub account: AccountId,
    /// The subscription; none: the account's own row.
    pub subscription: Option<SubscriptionId>,
    /// The type; none: the account's or subscription's own row.
    pub kind: Option<String>,
    /// What it is called.
    pub name: String,
    /// How many unread ones it has.
    #[ts(type = "number")]
    pub unread: u64,
    /// How many ever came, where that is counted (types).
    #[ts(type = "number")]
    pub came: u64,
    /// Of these, opened.
    #[ts(type = "number")]
    pub opened: u64,
    /// Whether it rings. What a tier does is told for an important one.
    pub toast: Inherited<ToastChoice>,
    /// Whether it is muted.
    pub mute: Inherited<bool>,
    /// What it sounds like.
    pub sound: Inherited<Sound>,
    /// Whether it counts in the badge.
    pub badge: Inherited<Badge>,
    /// How much its toasts tell.
    pub privacy: Inherited<Privacy>,
    /// How its bursts are told.
    pub batch: Inherited<Batch>,
    /// Below this tier: inbox only.
    pub min_tier: Inherited<Tier>,
    /// Why it is mandatory, in words; none: it is not. Mute, toast and minimum tier cannot be changed then.
    pub locked: Option<String>,
    /// What might be done about it.
    pub advice: Option<Advice>,
}

/// What preferences did, or would have done, with the notifications of some days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Outcomes {
    /// Toasts of one notification.
    #[ts(type = "number")]
    pub toasts: u64,
    /// Digests: toasts of several.
    #[ts(type = "number")]
    pub digests: u64,
    /// Notifications that waited for something.
    #[ts(type = "number")]
    pub held: u64,
    /// Notifications without any toast.
    #[ts(type = "number")]
    pub silent: u64,
    /// Toasts and digests by hour, from the first day's midnight on.
    pub hours: Vec<u32>,
}

/// A notification that other preferences would have treated otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Difference {
    /// Which one.
    pub id: NotificationId,
    /// Its title, or what stands for it.
    pub title: String,
    /// Where it came from.
    pub source: String,
    /// When it came.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// What the present preferences do, in words.
    pub now: String,
    /// What the others would have done.
    pub then: String,
}

/// What other preferences would have done in the last days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Simulation {
    /// So many days, up to now.
    pub days: u32,
    /// The first day's midnight.
    #[ts(type = "string")]
    pub from: Timestamp,
    /// Notifications looked at.
    #[ts(type = "number")]
    pub notifications: u64,
    /// With the present preferences.
    pub now: Outcomes,
    /// With the others.
    pub then: Outcomes,
    /// What would change, newest first, at most 200.
    pub differences: Vec<Difference>,
    /// How many would change in all.
    #[ts(type = "number")]
    pub different: u64,
    /// What does not work in the others.
    pub problems: Vec<ProblemView>,
}

/// A decision of the ledger, with what it was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LedgerLineOf {
    /// Its number; pass the last one as `after` for more.
    #[ts(type = "number")]
    pub number: i64,
    /// About which notification.
    pub id: NotificationId,
    /// Its title, or what stands for it.
    pub title: String,
    /// Where it came from.
    pub source: String,
    /// The decision.
    pub entry: crate::view::LedgerEntry,
}

/// The preferences, and what is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreferencesView {
    /// The document, as it holds.
    pub preferences: Preferences,
    /// What could not be read, or does not work.
    pub problems: Vec<ProblemView>,
}

/// Who plays sounds on this desktop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SoundsView {
    /// Who, in words, and what to do for more.
    pub says: String,
    /// The volume is heeded, and files are played whatever the desktop.
    pub volume: bool,
    /// Files of the preferences that cannot be played, at their places in the document.
    pub problems: Vec<ProblemView>,
}

/// Something in the preferences that does not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProblemView {
    /// Where in the document: `rules[2].text`; empty: all of it.
    pub at: String,
    /// What is wrong, and what holds instead.
    pub says: String,
}
