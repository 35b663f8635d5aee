//! Time passes, stands still, or jumps.

use super::Player;
use super::item::Stage;
use crate::model::HoldCause;
use crate::policy::escalation;
use crate::policy::release::Gathered;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Between two rounds that had something to release.
const BREATH: SignedDuration = SignedDuration::from_millis(100);
/// What is released may have to wait for something else, which may be over, too; so often at one moment.
const ROUNDS: u32 = 8;

impl Player {
    /// Time passes until `to`: whatever is due before is told when it is due. What is due then is told after what
    /// happens then. A time that is over stays over.
    pub fn pass(&mut self, to: Timestamp) {
        if to <= self.now {
            return;
        }
        self.settle();
        while let Some(next) = self.next() {
            let next = next.max(self.rested);
            if next >= to {
                break;
            }
            self.now = self.now.max(next);
            self.settle();
        }
        self.now = to;
    }

    /// The clock shows another time, and nothing happened in between: the computer slept, or somebody set the clock.
    pub fn jump(&mut self, to: Timestamp) {
        self.settle();
        let back = to < self.now;
        self.now = to;
        self.rested = to;
        if back {
            self.look_again();
        }
    }

    /// Everything that is to be told now is told.
    pub fn settle(&mut self) {
        self.release_due();
        self.present();
    }

    /// Decides about everything that is due.
    pub(super) fn release_due(&mut self) {
        let mut rounds = 0;
        while rounds < ROUNDS && self.round() {
            rounds += 1;
        }
        self.rested = self.now;
        if rounds == ROUNDS {
            self.rested = self.now.checked_add(BREATH).unwrap_or(Timestamp::MAX);
        }
    }

    /// When something is next told or decided, if nothing happens before.
    pub fn next(&self) -> Option<Timestamp> {
        let held = self.due.first().map(|(at, _)| *at);
        let unread = self.escalations.first().map(|(at, _)| *at);
        let pause = self.pause.and_then(|pause| pause.until);
        held.into_iter().chain(unread).chain(pause).min()
    }

    /// Releases what is due; whether anything was.
    fn round(&mut self) -> bool {
        let now = self.now;
        if self.pause.is_some_and(|pause| !pause.holds_at(now)) {
            self.pause = None;
            self.release(&HoldCause::Pause.batch_key());
        }
        let mut keys: Vec<String> = self
            .due
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, key)| key.clone())
            .collect();
        keys.sort_unstable();
        for key in &keys {
            self.release_batch(key, false);
        }
        self.escalate() || !keys.is_empty()
    }

    /// Critical ones that stayed unread ring again: each by itself, or many at one moment as one.
    fn escalate(&mut self) -> bool {
        let now = self.now;
        let mut due = Vec::new();
        while let Some(&(at, index)) = self.escalations.first()
            && at <= now
        {
            self.escalations.pop_first();
            // Whatever waits will ring anyway.
            if self.items[index].is_wanted() && self.items[index].stage == Stage::Told {
                due.push(index);
            }
        }
        due.sort_unstable_by_key(|index| self.items[*index].notification.id);
        due.dedup();
        if due.is_empty() {
            return false;
        }
        let of = due.len() as u64;
        let mut gathered = Gathered::default();
        for &index in &due {
            self.items[index].times += 1;
            self.again(index, &HoldCause::Escalation, of, false, &mut gathered);
        }
        let rings = gathered.singly.iter().chain(&gathered.together);
        let rings: Vec<usize> = rings.flat_map(|ring| ring.members.clone()).collect();
        self.make_room(&rings, &due);
        self.ring(gathered, &HoldCause::Escalation.batch_key());
        true
    }

    /// After a clock that was set back, nothing waits longer than from now on.
    pub(super) fn hurry_escalations(&mut self) {
        let latest = escalation::latest(self.book.document().escalation, self.now);
        let all: BTreeSet<_> = self
            .escalations
            .iter()
            .map(|(at, index)| ((*at).min(latest), *index))
            .collect();
        self.escalations = all;
    }
}
