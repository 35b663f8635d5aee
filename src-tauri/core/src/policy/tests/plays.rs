//! Whoever plays what happens, and says what a person saw: the player, and in the engine's tests the engine.

use crate::model::preferences::Sound;
use crate::model::{AccountId, Disposition, NotificationId, SubscriptionId, Tier, TraceLine};
use crate::policy::Rulebook;
use crate::policy::play::{Happening, Look, Player};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Something that a person saw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) at: Timestamp,
    /// Which toast, in the order in which they were first seen.
    pub(crate) toast: usize,
    pub(crate) look: Look,
    /// How many it tells of; 0 where it goes.
    pub(crate) count: u64,
    pub(crate) tier: Tier,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) sound: Option<Sound>,
}

/// A decision that was made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ruled {
    pub(crate) at: Timestamp,
    pub(crate) id: NotificationId,
    pub(crate) disposition: Disposition,
    pub(crate) trace: Vec<TraceLine>,
}

/// What waits, by the key of its batch: how many, and when the first is due.
pub(crate) type Waiting = BTreeMap<String, (u64, Option<Timestamp>)>;

pub(crate) trait Plays {
    fn begin(book: Arc<Rulebook>, zone: TimeZone, now: Timestamp) -> Self;
    /// A subscription of that name is there from now on.
    fn subscribes(&mut self, account: AccountId, subscription: SubscriptionId, name: &str);
    fn now(&self) -> Timestamp;
    fn pass(&mut self, to: Timestamp);
    fn jump(&mut self, to: Timestamp);
    fn settle(&mut self);
    fn happens(&mut self, what: Happening);
    /// What was seen since this was last asked.
    fn take_shown(&mut self) -> Vec<Shown>;
    /// What was decided since this was last asked.
    fn take_ruled(&mut self) -> Vec<Ruled>;
    fn waits(&self) -> Waiting;
}

/// The player, and what it cannot know.
pub(crate) struct Played {
    player: Player,
    names: HashMap<SubscriptionId, String>,
    toasts: Ordinals<usize>,
}

/// Toasts numbered as they are first seen.
pub(crate) struct Ordinals<Key>(HashMap<Key, usize>);

impl<Key> Default for Ordinals<Key> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<Key: std::hash::Hash + Eq> Ordinals<Key> {
    pub(crate) fn of(&mut self, key: Key) -> usize {
        let next = self.0.len();
        *self.0.entry(key).or_insert(next)
    }
}

impl Plays for Played {
    fn begin(book: Arc<Rulebook>, zone: TimeZone, now: Timestamp) -> Self {
        Self {
            player: Player::new(book, zone, now, true),
            names: HashMap::new(),
            toasts: Ordinals::default(),
        }
    }

    fn subscribes(&mut self, _account: AccountId, subscription: SubscriptionId, name: &str) {
        self.names.insert(subscription, name.to_owned());
    }

    fn now(&self) -> Timestamp {
        self.player.now()
    }

    fn pass(&mut self, to: Timestamp) {
        self.player.pass(to);
    }

    fn jump(&mut self, to: Timestamp) {
        self.player.jump(to);
    }

    fn settle(&mut self) {
        self.player.settle();
    }

    fn happens(&mut self, what: Happening) {
        self.player.happens(what);
    }

    fn take_shown(&mut self) -> Vec<Shown> {
        let seen = self.player.take_seen();
        let name = |subscription| self.names.get(&subscription).cloned().unwrap_or_default();
        let mut shown = Vec::with_capacity(seen.len());
        for seen in seen {
            let goes = seen.look == Look::Gone;
            let words = seen.words(&name);
            shown.push(Shown {
                at: seen.at,
                toast: self.toasts.of(seen.toast),
                look: seen.look,
                count: if goes { 0 } else { seen.count },
                tier: seen.tier,
                title: if goes { String::new() } else { words.title },
                body: if goes { String::new() } else { words.body },
                sound: seen.sound,
            });
        }
        shown
    }

    fn take_ruled(&mut self) -> Vec<Ruled> {
        let decided = self.player.take_decided().into_iter();
        decided
            .map(|decided| Ruled {
                at: decided.at,
                id: decided.id,
                disposition: decided.verdict.disposition,
                trace: decided.verdict.trace,
            })
            .collect()
    }

    fn waits(&self) -> Waiting {
        self.player.waiting()
    }
}
