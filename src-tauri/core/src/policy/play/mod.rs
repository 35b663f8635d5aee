//! Plays what happens against a rulebook, and says what a person would have seen: which toasts, when, how loud and
//! about what. It keeps in memory what the engine keeps in the store and does with verdicts what the engine does.
//! Pure: time is told to it.

mod decide;
mod happening;
mod item;
mod screen;
mod time;

pub use happening::{Happening, Looking};
pub use screen::{Look, Seen};

use crate::model::{
    Bucket, HoldCause, NotificationId, Pause, Rule, SubscriptionId, Surroundings, Verdict,
};
use crate::policy::Rulebook;
use item::{Batch, Item, Stage};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use screen::Toast;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A decision that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// About which notification.
    pub id: NotificationId,
    /// What was said.
    pub verdict: Verdict,
}

/// How it stands with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The rule that decided last.
    pub rule: Rule,
    /// It ever waited.
    pub waited: bool,
    /// What it waits for.
    pub waits: Option<&'a HoldCause>,
}

/// Everything that the engine would know.
#[derive(Debug)]
pub struct Player {
    book: Arc<Rulebook>,
    zone: TimeZone,
    now: Timestamp,
    /// What was just released is not looked at again before this.
    rested: Timestamp,
    keeps_decisions: bool,
    items: Vec<Item>,
    index: HashMap<NotificationId, usize>,
    pause: Option<Pause>,
    looking: Looking,
    around: Surroundings,
    batches: BTreeMap<String, Batch>,
    due: BTreeSet<(Timestamp, String)>,
    escalations: BTreeSet<(Timestamp, usize)>,
    twins: HashMap<i64, Vec<usize>>,
    missed_critical: BTreeSet<(Timestamp, usize)>,
    subscriptions: HashMap<SubscriptionId, Bucket>,
    overall: Option<Bucket>,
    critical: Option<Bucket>,
    toasts: Vec<Toast>,
    of_batch: HashMap<String, Vec<usize>>,
    pending: Vec<usize>,
    seen: Vec<Seen>,
    decided: Vec<Decided>,
}

impl Player {
    /// Nothing has come yet, and the screen is empty. `keeps_decisions`: every verdict is kept with its trace, and what is
    /// seen has words and sounds.
    pub fn new(book: Arc<Rulebook>, zone: TimeZone, now: Timestamp, keeps_decisions: bool) -> Self {
        Self {
            book,
            zone,
            now,
            rested: Timestamp::MIN,
            keeps_decisions,
            items: Vec::new(),
            index: HashMap::new(),
            pause: None,
            looking: Looking::Elsewhere,
            around: Surroundings::default(),
            batches: BTreeMap::new(),
            due: BTreeSet::new(),
            escalations: BTreeSet::new(),
            twins: HashMap::new(),
            missed_critical: BTreeSet::new(),
            subscriptions: HashMap::new(),
            overall: None,
            critical: None,
            toasts: Vec::new(),
            of_batch: HashMap::new(),
            pending: Vec::new(),
            seen: Vec::new(),
            decided: Vec::new(),
        }
    }

    /// The time of the computer's clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What was seen since this was last asked, in order.
    pub fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    /// What was decided since this was last asked, in order.
    pub fn take_decided(&mut self) -> Vec<Decided> {
        std::mem::take(&mut self.decided)
    }

    /// How many wait, of those that want attention or will once they are back, and when the first is due, by the key of their batch.
    pub fn waiting(&self) -> BTreeMap<String, (u64, Option<Timestamp>)> {
        let count = |batch: &Batch| {
            let wanted = batch
                .holds
                .iter()
                .map(|hold| &self.items[*hold])
                .filter(|item| item.is_wanted() || item.is_put_off());
            (wanted.count() as u64, batch.due)
        };
        self.batches
            .iter()
            .map(|(key, batch)| (key.clone(), count(batch)))
            .filter(|(_, (count, _))| *count > 0)
            .collect()
    }

    /// Which rule decided about it last, whether it ever waited, and what it waits for now; none: it never came.
    pub fn standing(&self, id: NotificationId) -> Option<Standing<'_>> {
        let item = &self.items[*self.index.get(&id)?];
        Some(Standing {
            rule: item.rule,
            waited: item.waited,
            waits: match &item.stage {
                Stage::Held(cause) if item.is_wanted() || item.snoozed => Some(cause),
                _ => None,
            },
        })
    }
}
