//! What is kept of a notification, and of those that wait together.

use crate::model::{HoldCause, Notification, Rule};
use jiff::Timestamp;

/// How far a notification's toast is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// No toast.
    Inbox,
    /// It waits.
    Held(HoldCause),
    /// It is a member of a toast.
    Told,
}

/// A notification, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) notification: Notification,
    pub(super) deleted: bool,
    pub(super) snoozed: bool,
    pub(super) stage: Stage,
    /// What it says, in a number; 0: it is nobody's twin.
    pub(super) fingerprint: i64,
    /// So often it rang again, unread.
    pub(super) times: u32,
    /// It ever waited.
    pub(super) waited: bool,
    /// The rule that decided last.
    pub(super) rule: Rule,
    /// It waits because this one does, which said the same before.
    pub(super) twin: Option<usize>,
    /// Toasts that it is a member of.
    pub(super) toasts: Vec<usize>,
}

impl Item {
    pub(super) fn new(notification: Notification) -> Self {
        Self {
            notification,
            deleted: false,
            snoozed: false,
            stage: Stage::Inbox,
            fingerprint: 0,
            times: 0,
            waited: false,
            rule: Rule::Toast,
            twin: None,
            toasts: Vec::new(),
        }
    }

    /// It still wants attention.
    pub(super) fn is_wanted(&self) -> bool {
        let n = &self.notification;
        !self.deleted && !self.snoozed && n.read_at.is_none() && n.done_at.is_none()
    }

    /// It waits to come back, and will want attention then.
    pub(super) fn is_put_off(&self) -> bool {
        let n = &self.notification;
        self.snoozed && !self.deleted && n.done_at.is_none()
    }

    /// Where it stands in the list.
    pub(super) fn sorted_at(&self) -> Timestamp {
        let n = &self.notification;
        n.draft.created_at.min(n.received_at)
    }
}

/// Those that wait for one thing.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    /// When the first of them is due; none: when the cause ends.
    pub(super) due: Option<Timestamp>,
    /// Since when the first of them waits.
    pub(super) since: Option<Timestamp>,
    /// Which ones, as they came.
    pub(super) holds: Vec<usize>,
}
