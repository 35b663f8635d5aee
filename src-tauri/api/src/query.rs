//! Which notifications, and what to do with them.

use crate::policy::Back;
use crate::words::{AccountId, NotificationId, SubscriptionId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A part of the inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Place {
    /// Everything in the inbox: neither done nor deleted.
    #[default]
    All,
    /// In the inbox and unread.
    Unread,
    /// Out of the inbox, in the archive.
    Done,
    /// Out of sight for a while.
    Snoozed,
}

/// A page of the inbox, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct ListQuery {
    /// Which part.
    pub place: Place,
    /// Only this account.
    pub account: Option<AccountId>,
    /// Only this subscription.
    pub subscription: Option<SubscriptionId>,
    /// Only what this toast told of.
    #[ts(type = "number | null")]
    pub toast: Option<i64>,
    /// Words, and `from:`, `is:`, `before:`, `after:`, `p>=` terms; empty for all.
    pub search: String,
    /// Continue after this page (its `next`).
    pub before: Option<String>,
    /// Rows wanted, 1 to 500; 0 means 50.
    pub limit: u32,
}

/// Which notifications a change is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "which")]
#[ts(export)]
pub enum Targets {
    /// These.
    Ids {
        /// Their ids.
        ids: Vec<NotificationId>,
    },
    /// All that the query finds (its `before` and `limit` are ignored).
    Query {
        /// The query.
        query: ListQuery,
    },
}

/// What happens to them. Each can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Change {
    /// Was on screen in the list.
    Seen,
    /// Opened, or marked.
    Read,
    /// Marked unread again.
    Unread,
    /// Out of the inbox, into the archive.
    Done,
    /// Back into the inbox.
    Restore,
    /// Gone; no replay brings it back.
    Delete,
    /// Out of sight, until it comes back and rings again. `Unread` brings it back at once, without a toast.
    Snooze {
        /// When.
        back: Back,
    },
}
