//! Hints: something changed, read it again.

use crate::words::NotificationId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a watching client is told. Losing any of these loses nothing but promptness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "event")]
#[ts(export)]
pub enum Event {
    /// New notifications are in the inbox, oldest first.
    Arrived {
        /// Their ids.
        ids: Vec<NotificationId>,
    },
    /// Notifications changed, were undone, or went away.
    Changed {
        /// Their ids.
        ids: Vec<NotificationId>,
    },
    /// Connections, counts or the pause changed.
    Status,
    /// Accounts or subscriptions changed.
    Accounts,
    /// Settings changed.
    Settings,
    /// Preferences changed, or what an administrator set.
    Preferences,
    /// A window is asked to come forward and show this.
    Present {
        /// What to show.
        target: Target,
        /// The desktop's activation token (xdg-activation), where the user's click brought one.
        token: Option<String>,
    },
    /// The page of a sign-in that is under way. The browser was asked to open it; where that does nothing, its
    /// user opens it in any browser on this computer.
    Browse {
        /// The page.
        url: String,
    },
    /// Too much happened to list; read everything again.
    Resync,
    /// The resident is about to stop.
    Stopping,
}

/// What a window shows when it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "show")]
#[ts(export)]
pub enum Target {
    /// The inbox.
    #[default]
    Inbox,
    /// The inbox, at one notification.
    Notification {
        /// Which one.
        id: NotificationId,
    },
    /// The inbox, with exactly what a toast told of.
    Toast {
        /// Which one.
        #[ts(type = "number")]
        toast: i64,
    },
    /// The settings.
    Settings,
    /// The settings, at one of their sections; one that is not known is the first.
    Section {
        /// Its name: `accounts`, `grid`, `quiet`, `sounds`, …
        section: String,
    },
    /// The settings, at a new account for this address. Nothing is asked of it before the user says so.
    AddAccount {
        /// As it was clicked: `ntfy://…`, `gotify://…` or `https://…`.
        url: String,
    },
    /// The settings, at taking over another client's.
    Import,
}
