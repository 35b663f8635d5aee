//! What waits: how its batch is told when its time has come, which toast on the screen it may join, and what a
//! change of the clock, the zone or the preferences does to the time. The engine and the player both ask here.

use super::rules::{again_at, few_at_once};
use super::{Rulebook, rings_singly};
use crate::model::{Disposition, HoldCause, Notification, Tier, Verdict};
use jiff::{SignedDuration, Timestamp, Zoned};

/// A digest that is still on the screen and not older than this is edited in place.
pub const EDIT_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// One toast that a batch becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring<Id> {
    /// What it tells of.
    pub members: Vec<Id>,
    /// The highest tier among them.
    pub tier: Tier,
    /// One of them sounds.
    pub loud: bool,
}

/// A toast on the screen, or on its way there, that others might join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The tier that it was made with.
    pub tier: Tier,
    /// It was made to sound.
    pub loud: bool,
    /// When it was first shown; none: it is on its way.
    pub shown_at: Option<Timestamp>,
}

/// What a batch becomes, gathered while each of it is decided again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered<Id> {
    /// Toasts of their own.
    pub singly: Vec<Ring<Id>>,
    /// All the others, in one; none: there are no others.
    pub together: Option<Ring<Id>>,
}

impl<Id> Default for Gathered<Id> {
    fn default() -> Self {
        Self {
            singly: Vec::new(),
            together: None,
        }
    }
}

/// What was asked when a batch was released.
#[derive(Clone, Copy, Debug)]
pub struct Released<'a> {
    /// By which preferences.
    pub book: &'a Rulebook,
    /// How many of the batch still want attention.
    pub of: u64,
    /// The user asked for what waits: then all of it is one toast.
    pub wanted: bool,
    /// When.
    pub now: Timestamp,
}

impl<Id: Copy + PartialEq> Gathered<Id> {
    /// Takes in one that was decided again, if it may ring. `twin`: it waited because that one did, which said the same
    /// before; where that has a toast of its own, it joins it.
    pub fn add(
        &mut self,
        id: Id,
        twin: Option<Id>,
        n: &Notification,
        cause: &HoldCause,
        verdict: &Verdict,
        asked: Released<'_>,
    ) {
        if verdict.disposition != Disposition::Present {
            return;
        }
        let Released {
            book,
            of,
            wanted,
            now,
        } = asked;
        let loud = book.sound_of(n, verdict.tier, now).is_some();
        if rings_alone(n, cause, asked) && !(wanted && of > 1) {
            let same = self
                .singly
                .iter_mut()
                .find(|ring| twin.is_some_and(|twin| ring.members.contains(&twin)));
            if let Some(ring) = same {
                ring.members.push(id);
                return;
            }
            self.singly.push(Ring {
                members: vec![id],
                tier: verdict.tier,
                loud,
            });
            return;
        }
        let together = self.together.get_or_insert_with(|| Ring {
            members: Vec::new(),
            tier: verdict.tier,
            loud: false,
        });
        together.members.push(id);
        together.tier = together.tier.max(verdict.tier);
        together.loud |= loud;
    }
}

/// As [`rings_singly`], but many that come back at one moment come as one.
fn rings_alone(n: &Notification, cause: &HoldCause, asked: Released<'_>) -> bool {
    match cause {
        HoldCause::Snooze { .. } | HoldCause::Escalation => {
            asked.of <= few_at_once(asked.book.document())
        }
        _ => rings_singly(n, cause, asked.book, asked.of, asked.now),
    }
}

/// Whether a batch may join a toast of the same batch instead of ringing: it is recent, and what joins asks for no
/// more attention than it had. An edit makes no sound and does not come to the front, so what is to ring again, or was
/// put off to this moment, never does.
pub fn may_join<Id>(batch: &str, open: Open, ring: &Ring<Id>, now: Timestamp) -> bool {
    if batch == "escalation" || batch.starts_with("snooze:") {
        return false;
    }
    let since = now.checked_sub(EDIT_WITHIN).unwrap_or(Timestamp::MIN);
    let recent = open.shown_at.is_none_or(|at| since <= at && at <= now);
    recent && ring.tier <= open.tier && (open.loud || !ring.loud)
}

/// What a change of the clock, the zone or the preferences does to what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Nothing.
    Stays,
    /// It is due then, if it was due later.
    AtMost(Timestamp),
    /// It is due then.
    To(Timestamp),
}

/// When what waits for a cause is due, after a change of the clock, the zone or the preferences. What waits for quiet
/// hours or the screen is asked again at once; lengths of time are no longer than when they begin now.
pub fn moved(n: &Notification, cause: &HoldCause, book: &Rulebook, now: &Zoned) -> Moved {
    match cause {
        HoldCause::Quiet | HoldCause::Context { .. } => Moved::To(now.timestamp()),
        HoldCause::Pause | HoldCause::Snooze { .. } => Moved::Stays,
        _ => match again_at(n, cause, book, now) {
            Some((at, true)) => Moved::To(at),
            Some((at, false)) => Moved::AtMost(at),
            None => Moved::AtMost(now.timestamp()),
        },
    }
}
