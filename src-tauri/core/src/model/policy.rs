//! What the policy is given, and what it says.

use super::{NotificationId, SubscriptionId, Tier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidings_api::Back;
use tidings_api::preferences::ClockTime;

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

/// Something that the screen is used for, or that keeps people from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// The session is locked.
    Locked,
    /// Something is being presented.
    Presenting,
    /// A window fills the screen.
    FullScreen,
    /// The screen is being shared or recorded.
    ScreenShared,
    /// The desktop's own "do not disturb" is on.
    DoNotDisturb,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Locked,
        Self::Presenting,
        Self::FullScreen,
        Self::ScreenShared,
        Self::DoNotDisturb,
    ];

    /// Its word, as it is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Presenting => "presenting",
            Self::FullScreen => "full_screen",
            Self::ScreenShared => "screen_shared",
            Self::DoNotDisturb => "do_not_disturb",
        }
    }
}

/// What is so around the screen, as far as the desktop tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Surroundings {
    /// See [`Context::Locked`].
    pub locked: bool,
    /// See [`Context::Presenting`].
    pub presenting: bool,
    /// See [`Context::FullScreen`].
    pub full_screen: bool,
    /// See [`Context::ScreenShared`].
    pub screen_shared: bool,
    /// See [`Context::DoNotDisturb`].
    pub do_not_disturb: bool,
}

impl Surroundings {
    /// Whether this is so.
    pub fn is(self, context: Context) -> bool {
        match context {
            Context::Locked => self.locked,
            Context::Presenting => self.presenting,
            Context::FullScreen => self.full_screen,
            Context::ScreenShared => self.screen_shared,
            Context::DoNotDisturb => self.do_not_disturb,
        }
    }
}

/// The batch window of a type that rings at its first notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When its first one rang.
    pub opened_at: Timestamp,
    /// Its toast is still on the screen, or on its way there.
    pub open: bool,
}

/// What deciding needs to know besides the notification; the store loads it inside the transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyState {
    /// This is a new version of a notification that was decided before, or its remote id is known.
    pub known: bool,
    /// The pause, if one was set; whether it is still in force is the policy's question.
    pub pause: Option<Pause>,
    /// The inbox window has the focus and shows the list, or the item, that this belongs to.
    pub looking: bool,
    /// What is so around the screen.
    pub around: Surroundings,
    /// The first that said the same, within the time of duplicates, and rang or waits.
    pub twin: Option<NotificationId>,
    /// The last window of its type.
    pub window: Option<Window>,
    /// Since when the first of its type's trailing batch waits.
    pub waiting_since: Option<Timestamp>,
    /// Critical notifications of this backfill that are newer than this one.
    pub newer_critical_backfill: u32,
    /// At the end of an absence: how many were missed in it; none: not known.
    pub missed: Option<u64>,
    /// The subscription's bucket; none: full.
    pub subscription_bucket: Option<Bucket>,
    /// The overall bucket; none: full.
    pub overall_bucket: Option<Bucket>,
    /// The critical bucket; none: full.
    pub critical_bucket: Option<Bucket>,
    /// It was held before, and this is the decision at the end of the hold.
    pub released: Option<HoldCause>,
    /// The user asked for what waits ("Deliver now").
    pub wanted: bool,
}

/// Why something waits. The words are stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum HoldCause {
    /// The user paused toasts; ends with the pause.
    Pause,
    /// Quiet hours; ends with them.
    Quiet,
    /// What the screen is used for; ends with it.
    Context {
        /// Which of these.
        context: Context,
    },
    /// Low priority: told with others, without sound.
    LowPriority,
    /// The user wants it told with others.
    Digest,
    /// Fetched after an absence: one digest when the fetch is complete.
    Away,
    /// Told with others of its type.
    Window {
        /// Of which subscription.
        subscription: SubscriptionId,
        /// Which type.
        kind: String,
    },
    /// Told with others of its type, once a day.
    Daily {
        /// When.
        at: ClockTime,
    },
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
    /// It rang, is critical, and stayed unread.
    Escalation,
    /// The user wants it back later.
    Snooze {
        /// When.
        back: Back,
    },
}

impl HoldCause {
    /// Held notifications with the same key ring as one digest.
    pub fn batch_key(&self) -> String {
        match self {
            Self::Pause => "pause".to_owned(),
            Self::Quiet => "quiet".to_owned(),
            Self::Context { context } => format!("context:{}", context.word()),
            Self::LowPriority => "low".to_owned(),
            Self::Digest => "digest".to_owned(),
            Self::Away => "away".to_owned(),
            Self::Window { subscription, kind } => window_key(*subscription, kind),
            Self::Daily { at } => format!("daily:{at}"),
            Self::SubscriptionLimit { subscription } => format!("limit:{subscription}"),
            Self::OverallLimit => "limit".to_owned(),
            Self::CriticalLimit => "critical".to_owned(),
            Self::Escalation => "escalation".to_owned(),
            Self::Snooze {
                back: Back::Time { time },
            } => format!("snooze:{time}"),
            Self::Snooze { back: Back::Unlock } => "snooze:unlock".to_owned(),
            Self::Snooze { back: Back::Online } => "snooze:online".to_owned(),
        }
    }

    /// The user stops toasts by it, for a while or under some circumstance; "Deliver now" ends it.
    pub fn is_quiet(&self) -> bool {
        matches!(self, Self::Pause | Self::Quiet | Self::Context { .. })
    }
}

/// The key of what rings as one toast for its type in a window.
pub fn window_key(subscription: SubscriptionId, kind: &str) -> String {
    format!("window:{subscription}:{kind}")
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
    /// No toast of its own: it joins the toast of the one that said the same.
    Fold {
        /// Which one.
        into: NotificationId,
    },
    /// No toast of its own: the toast of its type's window is edited in place.
    Join,
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
    /// Nothing but pauses, quiet hours and contexts silences it.
    Mandatory,
    /// Muted by the grid or by a rule of the user's.
    Muted,
    /// The grid, or a rule of the user's, wants no toast, or a digest.
    Grid,
    /// Below the minimum tier.
    MinimumTier,
    /// Another said the same.
    Duplicate,
    /// The user paused toasts.
    Paused,
    /// Quiet hours.
    QuietHours,
    /// The user is looking at it, or the screen is used for something else.
    #[serde(alias = "looking")]
    Context,
    /// First filling, or fetched after an absence.
    Backfill,
    /// The batch window of its type.
    Batch,
    /// Token buckets.
    RateLimit,
    /// Nothing else applied: the tier's default.
    Toast,
    /// The user put it off. Never asked: it is what happened.
    Snoozed,
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

/// Something in the preferences that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the document: `rules[2].text`; empty: all of it.
    pub at: String,
    /// What is wrong, and what holds instead, for the user.
    pub says: String,
}

/// What the policy said about one notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What happens with the toast.
    pub disposition: Disposition,
    /// The tier that it was decided with.
    pub tier: Tier,
    /// Its toast opens the window of its type: later ones edit it in place.
    pub opens_window: bool,
    /// Every rule that was asked, in order.
    pub trace: Vec<TraceLine>,
    /// The subscription's bucket afterwards, where a token was taken.
    pub subscription_bucket: Option<Bucket>,
    /// The overall bucket afterwards.
    pub overall_bucket: Option<Bucket>,
    /// The critical bucket afterwards.
    pub critical_bucket: Option<Bucket>,
}
