//! What may happen.

use super::Player;
use super::item::{Item, Stage};
use crate::model::{
    AccountId, Back, Context, Draft, HoldCause, Notification, NotificationId, Pause,
    SubscriptionId, Surroundings,
};
use crate::policy::Rulebook;
use crate::policy::release::{Moved, moved};
use jiff::Timestamp;
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
            Happening::Unread(id) => self.take_up(id, |item, _| item.notification.read_at = None),
            Happening::Done(id) => self.take_up(id, |item, now| {
                item.notification.read_at.get_or_insert(now);
                item.notification.done_at.get_or_insert(now);
            }),
            Happening::Deleted(id) => self.take_up(id, |item, _| item.deleted = true),
            Happening::Snoozed { id, back } => self.snooze(id, back),
            Happening::Online(account) => {
                self.release_due();
                self.online(account);
                self.release_due();
            }
            Happening::Pause(pause) => {
                self.pause = pause;
                // What waited for the old pause is asked about the new one.
                self.release(&HoldCause::Pause.batch_key());
            }
            Happening::DeliverNow => {
                self.release_due();
                self.deliver();
                self.release_due();
            }
            Happening::Looks(looking) => self.looking = looking,
            Happening::Around(around) => self.surround(around),
            Happening::Zone(zone) => {
                if zone != self.zone {
                    self.zone = zone;
                    self.look_again();
                }
            }
            Happening::Preferences(book) => {
                self.book = book;
                self.look_again();
            }
            Happening::Dismissed(id) => {
                if let Some(toast) = self.index.get(&id).and_then(|item| self.open_of(*item)) {
                    self.put_away(toast);
                }
            }
            Happening::Restart => {
                self.forget_screen();
                self.looking = Looking::Elsewhere;
                self.look_again();
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
            let due = batch.holds.iter().filter_map(|hold| {
                let Stage::Held(cause) = &self.items[*hold].stage else {
                    return None;
                };
                match moved(&self.items[*hold].notification, cause, &self.book, &now) {
                    Moved::Stays => batch.due,
                    Moved::To(at) => Some(at),
                    Moved::AtMost(at) => Some(batch.due.map_or(at, |due| due.min(at))),
                }
            });
            let due = due.min();
            self.set_due(&key, due);
        }
        // What was too old to be anybody's twin may be young again.
        self.twins.clear();
        for (index, item) in self.items.iter().enumerate() {
            if item.fingerprint != 0 {
                let same = self.twins.entry(item.fingerprint).or_default();
                same.push(index);
            }
        }
        self.hurry_escalations();
    }

    fn snooze(&mut self, id: NotificationId, back: Back) {
        let Some(&item) = self.index.get(&id) else {
            return;
        };
        let is_over = matches!(back, Back::Time { time } if time <= self.now);
        if is_over || self.items[item].deleted {
            return;
        }
        self.change(id, |item, _| {
            item.snoozed = true;
            item.notification.read_at = None;
            item.notification.done_at = None;
            item.times = 0;
            item.twin = None;
        });
        self.escalations.retain(|(_, other)| *other != item);
        self.unhold(item);
        let until = match back {
            Back::Time { time } => Some(time),
            Back::Unlock | Back::Online => None,
        };
        self.hold(item, HoldCause::Snooze { back }, until);
    }

    /// The user decides about one that was put off: it is back. To look at it is no decision.
    fn take_up(&mut self, id: NotificationId, change: impl FnOnce(&mut Item, Timestamp)) {
        let Some(&index) = self.index.get(&id) else {
            return;
        };
        let put_off = self.items[index].snoozed;
        self.change(id, |item, now| {
            item.snoozed = false;
            change(item, now);
        });
        if put_off {
            self.unhold(index);
        }
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
        let n = &mut self.items[item].notification;
        if n.draft.tier != draft.tier {
            n.tier = draft.tier;
        }
        n.draft = draft;
        for toast in self.items[item].toasts.clone() {
            self.touch(toast);
        }
    }
}
