//! What may happen.

use super::Player;
use super::item::Stage;
use crate::model::{
    AccountId, Back, Context, Draft, HoldCause, Notification, NotificationId, Pause,
    SubscriptionId, Surroundings,
};
use crate::policy::Rulebook;
use crate::policy::release::{Moved, moved};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// What the inbox window shows while it has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looking {
    /// It has not.
    #[default]
    Elsewhere,
    /// The list of everything.
    Everything,
    /// The list of an account.
    Account(AccountId),
    /// The list of a subscription.
    Subscription(SubscriptionId),
    /// One notification.
    Item(NotificationId),
}

/// Something that happens.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A notification comes. One whose id is known is a repeat, and nothing happens.
    Arrives(Box<Notification>),
    /// A new version of a notification replaces what it said.
    Changes {
        /// Which one.
        id: NotificationId,
        /// What it says now.
        draft: Box<Draft>,
    },
    /// All that was missed in an absence is here.
    Filled,
    /// It was read, here or elsewhere.
    Read(NotificationId),
    /// It is unread again.
    Unread(NotificationId),
    /// It went to the archive.
    Done(NotificationId),
    /// It was deleted, here or elsewhere.
    Deleted(NotificationId),
    /// It is to come back later.
    Snoozed {
        /// Which one.
        id: NotificationId,
        /// When.
        back: Back,
    },
    /// An account's server is connected again.
    Online(AccountId),
    /// The user pauses toasts, or resumes.
    Pause(Option<Pause>),
    /// The user asks for all that waits.
    DeliverNow,
    /// The user looks at something else.
    Looks(Looking),
    /// It is otherwise around the screen.
    Around(Surroundings),
    /// The computer is in another zone.
    Zone(TimeZone),
    /// The user set other preferences.
    Preferences(Arc<Rulebook>),
    /// The toast that tells of this is put away, or goes by itself.
    Dismissed(NotificationId),
    /// The program ends and starts again.
    Restart,
}

impl Player {
    /// Something happens now.
    pub fn happens(&mut self, what: Happening) {
        match what {
            Happening::Arrives(notification) => self.arrives(*notification),
            Happening::Changes { id, draft } => self.changes(id, *draft),
            Happening::Filled => self.release(&HoldCause::Away.batch_key()),
            Happening::Read(id) => self.change(id, |item, now| {
                item.notification.read_at.get_or_insert(now);
            }),
            Happening::Unread(id) => self.change(id, |item, _| item.notification.read_at = None),
            Happening::Done(id) => self.change(id, |item, now| {
                item.notification.done_at.get_or_insert(now);
            }),
            Happening::Deleted(id) => self.change(id, |item, _| item.deleted = true),
            Happening::Snoozed { id, back } => self.snooze(id, back),
            Happening::Online(account) => self.online(account),
            Happening::Pause(pause) => {
                self.pause = pause;
                // What waited for the old pause is asked about the new one.
                self.release(&HoldCause::Pause.batch_key());
            }
            Happening::DeliverNow => self.deliver(),
            Happening::Looks(looking) => self.looking = looking,
            Happening::Around(around) => self.surround(around),
            Happening::Zone(zone) => {
                self.zone = zone;
                self.look_again();
            }
            Happening::Preferences(book) => {
                self.book = book;
                self.look_again();
            }
            Happening::Dismissed(id) => {
                if let Some(toast) = self.index.get(&id).and_then(|item| self.open_of(*item)) {
                    self.close(toast);
                }
            }
            Happening::Restart => {
                self.forget_screen();
                self.looking = Looking::Elsewhere;
            }
        }
    }

    fn surround(&mut self, around: Surroundings) {
        let before = std::mem::replace(&mut self.around, around);
        for context in Context::ALL {
            if before.is(context) && !around.is(context) {
                self.release(&HoldCause::Context { context }.batch_key());
            }
        }
        if before.locked && !around.locked {
            self.release(&HoldCause::Snooze { back: Back::Unlock }.batch_key());
        }
    }

    /// The clock, the zone or the preferences are others: so may be the ends of what waits.
    pub(super) fn look_again(&mut self) {
        let now = self.now.to_zoned(self.zone.clone());
        let keys: Vec<String> = self.batches.keys().cloned().collect();
        for key in keys {
            let Some(batch) = self.batches.get(&key) else {
                continue;
            };
            let Some(first) = batch.holds.first().map(|first| &self.items[*first]) else {
                continue;
            };
            let Stage::Held(cause) = &first.stage else {
                continue;
            };
            let due = match moved(&first.notification, cause, &self.book, &now) {
                Moved::Stays => continue,
                Moved::To(at) => at,
                Moved::AtMost(at) => batch.due.map_or(at, |due| due.min(at)),
            };
            self.set_due(&key, Some(due));
        }
        self.hurry_escalations();
    }

    fn snooze(&mut self, id: NotificationId, back: Back) {
        let Some(&item) = self.index.get(&id) else {
            return;
        };
        self.change(id, |item, _| {
            item.snoozed = true;
            item.notification.read_at = None;
            item.notification.done_at = None;
        });
        self.unhold(item);
        let until = match back {
            Back::Time { time } => Some(time),
            Back::Unlock | Back::Online => None,
        };
        self.hold(item, HoldCause::Snooze { back }, until);
    }

    /// Of those that wait for a server, only this account's.
    fn online(&mut self, account: AccountId) {
        let key = HoldCause::Snooze { back: Back::Online }.batch_key();
        let Some(batch) = self.batches.get(&key) else {
            return;
        };
        let (back, stay): (Vec<usize>, Vec<usize>) = batch
            .holds
            .iter()
            .partition(|hold| self.items[**hold].notification.account == account);
        self.set_holds(&key, stay);
        self.release_these(back, &key, false);
    }

    fn changes(&mut self, id: NotificationId, draft: Draft) {
        let Some(&item) = self.index.get(&id) else {
            return;
        };
        self.items[item].notification.draft = draft;
        for toast in self.items[item].toasts.clone() {
            self.touch(toast);
        }
    }
}
