//! What the policy is given, and what it says.

use super::{SubscriptionId, Tier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the user set, as far as deciding needs it. Quiet hours, the grid and batching come with their
/// rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// New toasts a minute for one subscription.
    pub per_subscription_a_minute: u32,
    /// New toasts a minute in all.
    pub overall_a_minute: u32,
    /// Critical toasts a minute, in a bucket of their own.
    pub critical_a_minute: u32,
    /// Backfill older than this, seconds, joins the "while you were away" digest.
    pub away_after_seconds: u32,
    /// A critical notification fetched after an absence rings singly if it is younger than this, hours.
    pub critical_backfill_hours: u32,
    /// Of those, so many of the newest.
    pub critical_backfill_singly: u32,
    /// What arrives in the list on screen rings all the same.
    pub ring_while_looking: bool,
    /// Excess over the limits waits so long, seconds, to be told as one digest.
    pub fold_seconds: u32,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            per_subscription_a_minute: 5,
            overall_a_minute: 12,
            critical_a_minute: 20,
            away_after_seconds: 120,
            critical_backfill_hours: 24,
            critical_backfill_singly: 5,
            ring_while_looking: false,
            fold_seconds: 2,
        }
    }
}

/// The user stops toasts for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When it ends; none: when the user resumes.
    pub until: Option<Timestamp>,
    /// Critical notifications ring all the same.
    pub critical_rings: bool,
}

impl Pause {
    /// Whether it is in force at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A token bucket: refilled evenly, `size` a minute, never above `size`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Tokens at `at`.
    pub tokens: f64,
    /// When they were counted.
    pub at: Timestamp,
}

/// What deciding needs to know besides the notification; the store loads it inside the transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyState {
    /// This is a new version of a notification that was decided before, or its remote id is known.
    pub known: bool,
    /// The account is muted.
    pub account_muted: bool,
    /// The subscription is muted.
    pub subscription_muted: bool,
    /// The higher of the account's and the subscription's minimum tier.
    pub min_tier: Tier,
    /// The pause, if one was set; whether it is still in force is the policy's question.
    pub pause: Option<Pause>,
    /// The inbox window has the focus and shows the list, or the item, that this belongs to.
    pub looking: bool,
    /// Critical notifications of this backfill that are newer than this one.
    pub newer_critical_backfill: u32,
    /// The subscription's bucket; none: full.
    pub subscription_bucket: Option<Bucket>,
    /// The overall bucket; none: full.
    pub overall_bucket: Option<Bucket>,
    /// The critical bucket; none: full.
    pub critical_bucket: Option<Bucket>,
    /// It was held before, and this is the decision at the end of the hold.
    pub released: Option<HoldCause>,
}

/// Why something waits. The words are stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum HoldCause {
    /// The user paused toasts; ends with the pause.
    Pause,
    /// Low priority: told with others, every five minutes, without sound.
    LowPriority,
    /// Fetched after an absence: one digest when the fetch is complete.
    Away,
    /// Over the limit of its subscription.
    SubscriptionLimit {
        /// Which one.
        subscription: SubscriptionId,
    },
    /// Over the limit of all.
    OverallLimit,
    /// Critical over the critical limit, or beyond the newest few of a backfill: a digest of critical
    /// urgency, at once.
    CriticalLimit,
}

impl HoldCause {
    /// Held notifications with the same key ring as one digest.
    pub fn batch_key(&self) -> String {
        match self {
            Self::Pause => "pause".to_owned(),
            Self::LowPriority => "low".to_owned(),
            Self::Away => "away".to_owned(),
            Self::SubscriptionLimit { subscription } => format!("limit:{subscription}"),
            Self::OverallLimit => "limit".to_owned(),
            Self::CriticalLimit => "critical".to_owned(),
        }
    }
}

/// What happens with the toast. The row is in the inbox whatever this says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Disposition {
    /// Toast at once.
    Present,
    /// Wait, then decide again.
    Hold {
        /// When it is decided again; none: when its cause ends.
        until: Option<Timestamp>,
        /// Why, and with what it is batched.
        because: HoldCause,
    },
    /// No toast.
    InboxOnly,
}

/// The ordered rules, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Same remote id, or a new version.
    Known,
    /// Expired, or read, done or deleted elsewhere.
    Over,
    /// Ephemeral and not live.
    Ephemeral,
    /// Account or subscription is muted.
    Muted,
    /// Below the minimum tier.
    MinimumTier,
    /// The user paused toasts.
    Paused,
    /// The user is looking at it.
    Looking,
    /// First filling, or fetched after an absence.
    Backfill,
    /// Token buckets.
    RateLimit,
    /// Nothing else applied: the tier's default.
    Toast,
}

/// What one rule said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLine {
    /// The rule.
    pub rule: Rule,
    /// It decided.
    pub decided: bool,
    /// Why, in words for the user.
    pub says: String,
}

/// What the policy said about one notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What happens with the toast.
    pub disposition: Disposition,
    /// Every rule that was asked, in order.
    pub trace: Vec<TraceLine>,
    /// The subscription's bucket afterwards, where a token was taken.
    pub subscription_bucket: Option<Bucket>,
    /// The overall bucket afterwards.
    pub overall_bucket: Option<Bucket>,
    /// The critical bucket afterwards.
    pub critical_bucket: Option<Bucket>,
}
