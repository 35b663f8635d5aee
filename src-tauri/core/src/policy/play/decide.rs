//! Deciding about what came, and again about what waited.

use super::item::{Item, Stage};
use super::{Decided, Looking, Player};
use crate::model::{
    Class, Disposition, HoldCause, Notification, NotificationId, Origin, PolicyState, Tier,
    Verdict, Window, window_key,
};
use crate::policy::release::{Gathered, Released, Ring, may_join};
use crate::policy::{decide, fingerprint};
use jiff::{SignedDuration, Timestamp};

/// Critical ones fetched within this time before and after each other are of one backfill.
const ONE_BACKFILL: SignedDuration = SignedDuration::from_mins(10);
/// No limit is as high.
const MANY: usize = 1000;

/// How something comes to be decided again.
#[derive(Clone, Debug, Default)]
struct Again {
    released: Option<HoldCause>,
    missed: Option<u64>,
    wanted: bool,
}

impl Player {
    pub(super) fn arrives(&mut self, notification: Notification) {
        if self.index.contains_key(&notification.id) {
            return;
        }
        let id = notification.id;
        let index = self.items.len();
        self.index.insert(id, index);
        let fingerprint = fingerprint(&notification.draft);
        self.items.push(Item::new(notification));
        let verdict = self.decide(index, fingerprint, Again::default());
        let now = self.now;
        let item = &self.items[index];
        if verdict.tier == Tier::Critical
            && item.notification.origin == Origin::Backfill
            && item.is_wanted()
        {
            self.missed_critical.insert((item.sorted_at(), index));
        }
        let window = self.book.window_of(&item.notification);
        let joins = match &verdict.disposition {
            Disposition::Fold { into } => {
                self.index.get(into).and_then(|first| self.open_of(*first))
            }
            Disposition::Join => self.open_in(&window),
            _ => {
                if fingerprint != 0 {
                    self.items[index].fingerprint = fingerprint;
                    self.twins.entry(fingerprint).or_default().push(index);
                }
                None
            }
        };
        if let Some(toast) = joins {
            let n = &self.items[index].notification;
            let loud = self.book.sound_of(n, verdict.tier, now).is_some();
            self.join(toast, loud, &[index]);
        } else if let Disposition::Fold { into } = &verdict.disposition {
            self.wait_with(index, *into);
        }
        match verdict.disposition.clone() {
            Disposition::Present => {
                let n = &self.items[index].notification;
                let loud = self.book.sound_of(n, verdict.tier, now).is_some();
                let ring = Ring {
                    members: vec![index],
                    tier: verdict.tier,
                    loud,
                };
                self.make_toast(verdict.opens_window.then_some(window), &ring);
            }
            Disposition::Hold { until, because } => self.hold(index, because, until),
            Disposition::InboxOnly | Disposition::Fold { .. } | Disposition::Join => {}
        }
        self.keep(id, verdict);
    }

    /// What says the same as one that waits is told with it. What its user put off waits for nothing else.
    fn wait_with(&mut self, index: usize, first: NotificationId) {
        let Some(&first) = self.index.get(&first) else {
            return;
        };
        if let Stage::Held(cause) = self.items[first].stage.clone()
            && !matches!(cause, HoldCause::Snooze { .. })
            && self.items[index].notification.draft.class == Class::Persistent
        {
            let due = self.batches.get(&cause.batch_key()).and_then(|all| all.due);
            self.items[index].twin = Some(first);
            self.hold(index, cause, due);
        }
    }

    fn keep(&mut self, id: NotificationId, verdict: Verdict) {
        if self.keeps_decisions {
            let at = self.now;
            self.decided.push(Decided { at, id, verdict });
        }
    }

    fn decide(&mut self, index: usize, fingerprint: i64, again: Again) -> Verdict {
        let state = self.state(index, fingerprint, again);
        let now = self.now.to_zoned(self.zone.clone());
        let item = &mut self.items[index];
        let verdict = decide(&item.notification, &self.book, &state, &now);
        item.notification.tier = verdict.tier;
        item.waited |= matches!(verdict.disposition, Disposition::Hold { .. });
        item.rule = verdict.trace.last().map_or(item.rule, |last| last.rule);
        let subscription = item.notification.subscription;
        if let Some(bucket) = verdict.subscription_bucket {
            self.subscriptions.insert(subscription, bucket);
        }
        self.overall = verdict.overall_bucket.or(self.overall);
        self.critical = verdict.critical_bucket.or(self.critical);
        verdict
    }

    /// What the store would say.
    fn state(&mut self, index: usize, fingerprint: i64, again: Again) -> PolicyState {
        let twin = self.twin(index, fingerprint);
        let n = &self.items[index].notification;
        let key = window_key(n.subscription, &n.draft.kind);
        PolicyState {
            known: false,
            pause: self.pause,
            looking: self.is_looked_at(n),
            around: self.around,
            twin,
            window: self.window(&key),
            waiting_since: self.batches.get(&key).and_then(|batch| batch.since),
            newer_critical_backfill: self.newer_critical(index),
            missed: again.missed,
            subscription_bucket: self.subscriptions.get(&n.subscription).copied(),
            overall_bucket: self.overall,
            critical_bucket: self.critical,
            released: again.released,
            wanted: again.wanted,
        }
    }

    fn is_looked_at(&self, n: &Notification) -> bool {
        match self.looking {
            Looking::Elsewhere => false,
            Looking::Everything => true,
            Looking::Account(account) => account == n.account,
            Looking::Subscription(subscription) => subscription == n.subscription,
            Looking::Item(id) => id == n.id,
        }
    }

    /// The first that says the same, came in time, and rang or waits. What came in the future came by a clock that was
    /// set back since.
    fn twin(&mut self, index: usize, fingerprint: i64) -> Option<NotificationId> {
        if fingerprint == 0 {
            return None;
        }
        let since = self.book.twins_since(self.now);
        let (now, items) = (self.now, &self.items);
        let same = self.twins.get_mut(&fingerprint)?;
        let old = same
            .iter()
            .take_while(|other| items[**other].notification.received_at < since)
            .count();
        same.drain(..old);
        same.iter()
            .map(|other| (*other, &items[*other]))
            .find(|(other, item)| {
                let received = item.notification.received_at;
                *other != index
                    && item.stage != Stage::Inbox
                    && since <= received
                    && received <= now
            })
            .map(|(_, item)| item.notification.id)
    }

    fn window(&self, key: &str) -> Option<Window> {
        let toast = &self.toasts[*self.of_batch.get(key)?.last()?];
        Some(Window {
            opened_at: toast.made_at,
            open: !toast.closed,
        })
    }

    fn newer_critical(&self, index: usize) -> u32 {
        let item = &self.items[index];
        let n = &item.notification;
        if n.tier != Tier::Critical || n.origin != Origin::Backfill {
            return 0;
        }
        let newer = self
            .missed_critical
            .range((item.sorted_at(), index + 1)..)
            .filter(|(_, other)| {
                let received = self.items[*other].notification.received_at;
                received.duration_since(n.received_at).abs() <= ONE_BACKFILL
            })
            .take(MANY)
            .count();
        u32::try_from(newer).unwrap_or(u32::MAX)
    }

    pub(super) fn hold(&mut self, index: usize, because: HoldCause, until: Option<Timestamp>) {
        let key = because.batch_key();
        let received = self.items[index].notification.received_at;
        let waits_for_the_last = matches!(because, HoldCause::Window { .. });
        self.items[index].stage = Stage::Held(because);
        let batch = self.batches.entry(key.clone()).or_default();
        batch.holds.push(index);
        batch.since = Some(batch.since.map_or(received, |since| since.min(received)));
        let due = if waits_for_the_last {
            until
        } else {
            batch.due.into_iter().chain(until).min()
        };
        self.set_due(&key, due);
    }

    pub(super) fn set_due(&mut self, key: &str, due: Option<Timestamp>) {
        let Some(batch) = self.batches.get_mut(key) else {
            return;
        };
        if let Some(before) = batch.due {
            self.due.remove(&(before, key.to_owned()));
        }
        batch.due = due;
        if let Some(at) = due {
            self.due.insert((at, key.to_owned()));
        }
    }

    /// Others wait now; nobody any more where there are none.
    pub(super) fn set_holds(&mut self, key: &str, holds: Vec<usize>) {
        if holds.is_empty() {
            self.set_due(key, None);
            self.batches.remove(key);
        } else if let Some(batch) = self.batches.get_mut(key) {
            batch.since = holds
                .iter()
                .map(|hold| self.items[*hold].notification.received_at)
                .min();
            batch.holds = holds;
        }
    }

    /// It waits no longer.
    pub(super) fn unhold(&mut self, index: usize) {
        let Stage::Held(cause) = &self.items[index].stage else {
            return;
        };
        let key = cause.batch_key();
        self.items[index].stage = Stage::Inbox;
        let left = self.batches.get(&key).map(|batch| {
            let others = batch.holds.iter().filter(|hold| **hold != index);
            others.copied().collect()
        });
        self.set_holds(&key, left.unwrap_or_default());
    }

    /// The cause of a batch has ended.
    pub(super) fn release(&mut self, key: &str) {
        let due = self.batches.get(key).map(|batch| batch.due);
        if let Some(due) = due {
            self.set_due(key, Some(due.map_or(self.now, |due| due.min(self.now))));
        }
    }

    /// The user asks for what waits for a pause, quiet hours or the screen.
    pub(super) fn deliver(&mut self) {
        let keys: Vec<String> = self
            .batches
            .keys()
            .filter(|key| matches!(key.as_str(), "pause" | "quiet") || key.starts_with("context:"))
            .cloned()
            .collect();
        for key in keys {
            self.release_batch(&key, true);
        }
    }

    /// All of a batch, when the first of it is due.
    pub(super) fn release_batch(&mut self, key: &str, wanted: bool) {
        if let Some(batch) = self.batches.get_mut(key) {
            let holds = std::mem::take(&mut batch.holds);
            self.set_holds(key, Vec::new());
            self.release_these(holds, key, wanted);
        }
    }

    /// Decides again, and makes toasts of what may ring.
    pub(super) fn release_these(&mut self, mut held: Vec<usize>, key: &str, wanted: bool) {
        held.sort_unstable_by_key(|index| self.items[*index].notification.id);
        let counts = |index: &&usize| {
            let item = &self.items[**index];
            item.is_wanted() || item.is_put_off()
        };
        let missed = held.iter().filter(counts).count() as u64;
        let mut gathered = Gathered::default();
        for index in held {
            let Stage::Held(cause) = self.items[index].stage.clone() else {
                continue;
            };
            self.again(index, &cause, missed, wanted, &mut gathered);
        }
        self.ring(gathered, key);
    }

    /// Decides again about one of those that come back.
    pub(super) fn again(
        &mut self,
        index: usize,
        cause: &HoldCause,
        of: u64,
        wanted: bool,
        gathered: &mut Gathered<usize>,
    ) {
        if self.items[index].deleted {
            self.items[index].stage = Stage::Inbox;
            return;
        }
        let id = self.items[index].notification.id;
        if matches!(cause, HoldCause::Snooze { .. }) {
            self.change(id, |item, _| {
                item.snoozed = false;
                item.notification.read_at = None;
            });
        }
        let again = Again {
            released: Some(cause.clone()),
            missed: Some(of),
            wanted,
        };
        self.items[index].stage = Stage::Inbox;
        let verdict = self.decide(index, 0, again);
        let rings = verdict.disposition == Disposition::Present;
        if rings && *cause != HoldCause::Escalation {
            self.make_room(&[index], &[index]);
        }
        let asked = Released {
            book: &self.book,
            of,
            wanted,
            now: self.now,
        };
        gathered.add(
            index,
            self.items[index].twin,
            &self.items[index].notification,
            cause,
            &verdict,
            asked,
        );
        if let Disposition::Hold { until, because } = verdict.disposition.clone() {
            let nothing_new = because == *cause;
            self.hold(index, because, until);
            if nothing_new {
                return;
            }
        }
        self.items[index].twin = None;
        self.keep(id, verdict);
    }

    /// What rings again takes the place of the toast that told of it before, where that tells of nothing but `these`.
    pub(super) fn make_room(&mut self, ring: &[usize], these: &[usize]) {
        for index in ring {
            let before = self.open_of(*index);
            if let Some(toast) = before.filter(|toast| self.tells_only(*toast, these)) {
                self.close(toast);
            }
        }
    }

    pub(super) fn ring(&mut self, gathered: Gathered<usize>, key: &str) {
        for ring in gathered.singly {
            self.make_toast(None, &ring);
        }
        if let Some(ring) = gathered.together {
            let open = self
                .open_in(key)
                .filter(|toast| may_join(key, self.toasts[*toast].open(), &ring, self.now));
            match open {
                Some(toast) => self.join(toast, ring.loud, &ring.members),
                None => {
                    self.make_toast(Some(key.to_owned()), &ring);
                }
            }
        }
    }

    /// Changes one, and whatever follows for its toasts.
    pub(super) fn change(&mut self, id: NotificationId, change: impl FnOnce(&mut Item, Timestamp)) {
        let Some(&index) = self.index.get(&id) else {
            return;
        };
        let before = self.items[index].is_wanted();
        change(&mut self.items[index], self.now);
        let item = &self.items[index];
        let after = item.is_wanted();
        if before == after {
            return;
        }
        let missed = (item.sorted_at(), index);
        if before {
            self.missed_critical.remove(&missed);
        } else if item.notification.tier == Tier::Critical
            && item.notification.origin == Origin::Backfill
        {
            self.missed_critical.insert(missed);
        }
        for toast in item.toasts.clone() {
            self.recount(toast, after);
        }
    }
}
