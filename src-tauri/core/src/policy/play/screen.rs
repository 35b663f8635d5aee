//! What is on the screen.

use super::Player;
use super::item::Stage;
use crate::model::preferences::{Privacy, Sound};
use crate::model::{Class, Notification, NotificationId, SubscriptionId, Tier};
use crate::policy::compose::{Composed, Telling, compose};
use crate::policy::escalation;
use crate::policy::release::{Open, Ring};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Those that a toast may name.
const NAMED: usize = 5;

/// How something is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    /// A new toast.
    New,
    /// A toast that was there says something else now, silently and in place.
    Edit,
    /// A toast goes: nothing in it is unread any more.
    Gone,
}

/// Something that a person sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Which toast, counted from 0.
    pub toast: usize,
    /// What happens to it.
    pub look: Look,
    /// What it tells of for the first time.
    pub fresh: Vec<NotificationId>,
    /// How many it tells of: those that want attention.
    pub count: u64,
    /// What it batches; none: it stands alone.
    pub batch: Option<String>,
    /// Its urgency.
    pub tier: Tier,
    /// What is heard; an edit is never heard.
    pub sound: Option<Sound>,
    /// How many of each subscription, most first, where there are several.
    pub groups: Vec<(SubscriptionId, u64)>,
    /// The newest of what it tells of, newest first, and how much of each may be told.
    pub named: Vec<(Notification, Privacy)>,
}

impl Seen {
    /// What it says. `names`: what a subscription is called.
    pub fn words(&self, names: &dyn Fn(SubscriptionId) -> String) -> Composed {
        let members: Vec<Notification> = self.named.iter().map(|(n, _)| n.clone()).collect();
        let groups: Vec<(String, u64)> = self
            .groups
            .iter()
            .map(|(subscription, count)| (names(*subscription), *count))
            .collect();
        compose(&Telling {
            members: &members,
            count: self.count,
            groups: &groups,
            batch: self.batch.as_deref(),
            names: &|n| names(n.subscription),
            privacy: &|n| {
                let named = self.named.iter().find(|(named, _)| named.id == n.id);
                named.map_or(Privacy::CountOnly, |(_, privacy)| *privacy)
            },
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Toast {
    batch: Option<String>,
    tier: Tier,
    loud: bool,
    pub(super) made_at: Timestamp,
    shown_at: Option<Timestamp>,
    pub(super) closed: bool,
    pending: bool,
    /// When it was last made pending by a new member.
    pending_at: Timestamp,
    members: Vec<usize>,
    /// So many of the members were told.
    told: usize,
    /// So many of them want attention.
    wanted: u64,
    /// The newest of those; may have some that want none any more.
    newest: Vec<usize>,
    /// Not all of them are still wanted.
    stale: bool,
}

impl Toast {
    pub(super) fn open(&self) -> Open {
        Open {
            tier: self.tier,
            loud: self.loud,
            shown_at: self.shown_at,
        }
    }
}

impl Player {
    pub(super) fn make_toast(&mut self, batch: Option<String>, ring: &Ring<usize>) {
        let toast = self.toasts.len();
        if let Some(key) = &batch {
            self.of_batch.entry(key.clone()).or_default().push(toast);
        }
        self.toasts.push(Toast {
            batch,
            tier: ring.tier,
            loud: ring.loud,
            made_at: self.now,
            shown_at: None,
            closed: false,
            pending: false,
            pending_at: self.now,
            members: Vec::new(),
            told: 0,
            wanted: 0,
            newest: Vec::new(),
            stale: false,
        });
        self.join(toast, ring.loud, &ring.members);
    }

    /// Adds members, which the toast is to tell. `loud`: one of them sounds, as the toast then does, if it was not shown
    /// yet.
    pub(super) fn join(&mut self, toast: usize, loud: bool, members: &[usize]) {
        let one = &mut self.toasts[toast];
        one.loud |= loud && one.shown_at.is_none();
        for &member in members {
            self.items[member].stage = Stage::Told;
            if self.items[member].toasts.contains(&toast) {
                continue;
            }
            self.items[member].toasts.push(toast);
            self.toasts[toast].members.push(member);
            if self.items[member].is_wanted() {
                self.toasts[toast].wanted += 1;
                self.name(toast, member);
            }
        }
        if !self.toasts[toast].pending {
            self.toasts[toast].pending_at = self.now;
        }
        self.wait_to_be_shown(toast);
    }

    /// What a member says has changed; a toast that is not on the screen will say it anyway.
    pub(super) fn touch(&mut self, toast: usize) {
        if !self.toasts[toast].closed && self.toasts[toast].shown_at.is_some() {
            self.wait_to_be_shown(toast);
        }
    }

    fn wait_to_be_shown(&mut self, toast: usize) {
        if !self.toasts[toast].pending {
            self.toasts[toast].pending = true;
            self.pending.push(toast);
        }
    }

    fn name(&mut self, toast: usize, member: usize) {
        let items = &self.items;
        let newest = &mut self.toasts[toast].newest;
        let key = |index: usize| (items[index].sorted_at(), items[index].notification.id);
        let place = newest.partition_point(|other| key(*other) > key(member));
        if place < NAMED {
            newest.insert(place, member);
            newest.truncate(NAMED);
        }
    }

    /// A member wants attention no longer, or again.
    pub(super) fn recount(&mut self, toast: usize, again: bool) {
        let one = &mut self.toasts[toast];
        one.stale = true;
        if again {
            one.wanted += 1;
        } else {
            one.wanted = one.wanted.saturating_sub(1);
            if one.wanted == 0 {
                self.close(toast);
            }
        }
    }

    /// It is over, and goes from the screen.
    pub(super) fn close(&mut self, toast: usize) {
        let one = &mut self.toasts[toast];
        if one.closed {
            return;
        }
        one.closed = true;
        if one.shown_at.is_some() {
            self.see(toast, Look::Gone, Vec::new(), None);
        }
    }

    /// Its user, or the desktop, takes it from the screen. What it was about to tell is a toast of its own.
    pub(super) fn put_away(&mut self, toast: usize) {
        let one = &mut self.toasts[toast];
        if one.shown_at.is_none() {
            return;
        }
        if one.told == one.members.len() {
            self.close(toast);
            return;
        }
        self.see(toast, Look::Gone, Vec::new(), None);
        let one = &mut self.toasts[toast];
        (one.shown_at, one.loud) = (None, true);
        one.stale = true;
        for told in one.members.drain(..std::mem::take(&mut one.told)) {
            self.items[told].toasts.retain(|other| *other != toast);
        }
        let left = one.members.iter();
        one.wanted = left.filter(|left| self.items[**left].is_wanted()).count() as u64;
    }

    /// Nobody knows of the toasts of the run before. What one of them was about to tell is told by a new one.
    pub(super) fn forget_screen(&mut self) {
        for toast in &mut self.toasts {
            if toast.told == toast.members.len() {
                toast.closed |= toast.shown_at.is_some();
            } else {
                (toast.shown_at, toast.loud) = (None, true);
            }
        }
    }

    /// The open toast that tells of this.
    pub(super) fn open_of(&self, item: usize) -> Option<usize> {
        let toasts = self.items[item].toasts.iter().rev();
        toasts.copied().find(|toast| !self.toasts[*toast].closed)
    }

    /// The open toast of a batch.
    pub(super) fn open_in(&self, batch: &str) -> Option<usize> {
        let last = *self.of_batch.get(batch)?.last()?;
        (!self.toasts[last].closed).then_some(last)
    }

    /// Shows what is to be shown.
    pub(super) fn present(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_by_key(|toast| (self.toasts[*toast].pending_at, *toast));
        for toast in pending {
            self.toasts[toast].pending = false;
            if self.toasts[toast].closed {
                continue;
            }
            if self.toasts[toast].wanted == 0 {
                self.close(toast);
                continue;
            }
            self.show(toast);
        }
    }

    fn show(&mut self, toast: usize) {
        if self.toasts[toast].stale {
            self.toasts[toast].stale = false;
            self.toasts[toast].newest.clear();
            for member in self.toasts[toast].members.clone() {
                if self.items[member].is_wanted() {
                    self.name(toast, member);
                }
            }
        }
        let now = self.now;
        let one = &mut self.toasts[toast];
        let fresh = one.members[one.told..].to_vec();
        one.told = one.members.len();
        let look = if one.shown_at.is_some() {
            Look::Edit
        } else {
            one.shown_at = Some(now);
            Look::New
        };
        let all = &self.toasts[toast].members;
        let sound = (look == Look::New).then(|| self.sound_of(all)).flatten();
        for &member in &fresh {
            self.watch(member);
        }
        let fresh = fresh
            .iter()
            .filter(|member| self.items[**member].is_wanted())
            .map(|member| self.items[*member].notification.id)
            .collect();
        self.see(toast, look, fresh, sound);
    }

    /// The sound of the most urgent that has one, of those the newest.
    fn sound_of(&self, members: &[usize]) -> Option<Sound> {
        let wanted = members.iter().map(|member| &self.items[*member]);
        let loud = wanted.filter(|item| item.is_wanted()).filter_map(|item| {
            let n = &item.notification;
            let sound = self.book.sound_of(n, n.tier, self.now)?;
            Some(((n.tier, item.sorted_at(), n.id), sound))
        });
        loud.max_by_key(|(rank, _)| *rank).map(|(_, sound)| sound)
    }

    fn see(&mut self, toast: usize, look: Look, fresh: Vec<NotificationId>, sound: Option<Sound>) {
        let one = &self.toasts[toast];
        // Who asks for no words is not told of whom.
        let (groups, named) = if self.keeps_decisions {
            let wanted = one.newest.iter().map(|member| &self.items[*member]);
            let named = wanted.map(|item| {
                let n = item.notification.clone();
                let privacy = self.book.privacy_of(&n, n.tier, self.around, self.now);
                (n, privacy)
            });
            (self.groups(one), named.collect())
        } else {
            (Vec::new(), Vec::new())
        };
        self.seen.push(Seen {
            at: self.now,
            toast,
            look,
            fresh,
            count: one.wanted,
            batch: one.batch.clone(),
            tier: one.tier,
            sound,
            groups,
            named,
        });
    }

    fn groups(&self, toast: &Toast) -> Vec<(SubscriptionId, u64)> {
        if toast.wanted <= 1 {
            return Vec::new();
        }
        let mut groups = BTreeMap::new();
        for item in toast.members.iter().map(|member| &self.items[*member]) {
            if item.is_wanted() {
                *groups.entry(item.notification.subscription).or_default() += 1;
            }
        }
        let mut groups: Vec<(SubscriptionId, u64)> = groups.into_iter().collect();
        groups.sort_by_key(|(subscription, count)| (Reverse(*count), *subscription));
        groups
    }

    /// Whether a toast tells of nothing but these, of what still wants attention.
    pub(super) fn tells_only(&self, toast: usize, these: &[usize]) -> bool {
        let members = self.toasts[toast].members.iter();
        members
            .filter(|member| self.items[**member].is_wanted())
            .all(|member| these.contains(member))
    }

    /// A critical one that is shown rings again if it stays unread.
    fn watch(&mut self, member: usize) {
        let item = &self.items[member];
        let n = &item.notification;
        if n.tier != Tier::Critical || n.draft.class != Class::Persistent || !item.is_wanted() {
            return;
        }
        let every = self.book.document().escalation;
        if let Some(at) = escalation::next(every, self.now, item.times) {
            self.escalations.insert((at, member));
        }
    }
}
