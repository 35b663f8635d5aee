//! Pure: what may interrupt, and in which words. No I/O, no clock, no randomness. It decides about
//! toasts only: the row is in the inbox whatever it says. `docs/policy.md` tells users the same.

pub mod check;
pub mod compose;
pub mod escalation;
mod fingerprint;
mod pattern;
pub mod play;
mod quiet_hours;
pub mod rate_limit;
pub mod release;
mod rulebook;
mod rules;
mod simulate;
mod trace;

#[cfg(test)]
pub(crate) mod tests;

pub use fingerprint::fingerprint;
pub use rulebook::{Level, Place, Row, Rulebook, Said};
pub use simulate::{Outcome, Simulated, Told, differences, simulate};

use crate::model::{
    Bucket, Class, Disposition, HoldCause, Notification, PolicyState, Tier, Verdict,
};
use jiff::{SignedDuration, Timestamp, Zoned};
use rulebook::Wishes;
use trace::Trace;

/// What every rule may look at.
struct Question<'a> {
    notification: &'a Notification,
    book: &'a Rulebook,
    wishes: Wishes<'a>,
    state: &'a PolicyState,
    now: &'a Zoned,
}

impl Question<'_> {
    fn tier(&self) -> Tier {
        self.wishes.tier
    }

    /// Critical, and so in need of a reason that its user gave to be silent. Something that is over in
    /// a moment never is.
    fn is_critical(&self) -> bool {
        self.tier() == Tier::Critical && self.notification.draft.class == Class::Persistent
    }

    /// It will not ring in any case, so nobody waits for it.
    fn is_first_filling(&self) -> bool {
        self.notification.origin == crate::model::Origin::FirstFilling
    }

    fn at(&self) -> Timestamp {
        self.now.timestamp()
    }

    /// So many seconds later than now.
    fn after(&self, seconds: u32) -> Timestamp {
        let time = SignedDuration::from_secs(i64::from(seconds));
        self.at().saturating_add(time).unwrap_or(Timestamp::MAX)
    }
}

/// What one rule says.
struct Answer {
    /// Set if the rule decides.
    disposition: Option<Disposition>,
    /// Why, in words for the user.
    says: String,
}

impl Answer {
    /// The rule does not apply.
    fn pass(says: impl Into<String>) -> Self {
        Self {
            disposition: None,
            says: says.into(),
        }
    }

    fn inbox_only(says: impl Into<String>) -> Self {
        Self {
            disposition: Some(Disposition::InboxOnly),
            says: says.into(),
        }
    }

    fn present(says: impl Into<String>) -> Self {
        Self {
            disposition: Some(Disposition::Present),
            says: says.into(),
        }
    }

    fn hold(until: Option<Timestamp>, because: HoldCause, says: impl Into<String>) -> Self {
        Self {
            disposition: Some(Disposition::Hold { until, because }),
            says: says.into(),
        }
    }
}

/// What rules leave behind besides their answers.
#[derive(Default)]
struct Left {
    subscription: Option<Bucket>,
    overall: Option<Bucket>,
    critical: Option<Bucket>,
    opens_window: bool,
}

/// Whether `n`, which may ring at the end of a hold for `cause`, has a toast of its own instead of a place
/// in the digest: what the user wanted back by itself, and of what was missed only the critical and young, and the
/// new that are few. [`decide`] lets only the newest few of the critical ones through.
pub fn rings_singly(
    n: &Notification,
    cause: &HoldCause,
    book: &Rulebook,
    missed: u64,
    now: Timestamp,
) -> bool {
    match cause {
        HoldCause::Away => {
            let tier = book.tier(n, now);
            rules::is_young_critical(n, tier, book.document(), now)
                || rules::is_one_of_few(n, tier, book.document(), missed, now)
        }
        HoldCause::Snooze { .. } | HoldCause::Escalation => true,
        _ => false,
    }
}

/// What happens with the toast of `n`: the first of [`crate::model::Rule`]'s rules that applies decides, and every
/// rule that was asked leaves a line. Total and deterministic: the same arguments, the same verdict.
pub fn decide(n: &Notification, book: &Rulebook, s: &PolicyState, now: &Zoned) -> Verdict {
    let question = Question {
        notification: n,
        book,
        wishes: book.wishes(n, now.timestamp()),
        state: s,
        now,
    };
    let mut trace = Trace::default();
    let mut left = Left::default();
    let mut disposition = Disposition::Present;
    for (rule, ask) in rules::ORDERED {
        let answer = ask(&question, &mut left);
        trace.line(rule, answer.disposition.is_some(), answer.says);
        if let Some(decided) = answer.disposition {
            disposition = decided;
            break;
        }
    }
    // What is over in a moment does not wait: it would be told when it is no longer true.
    if n.draft.class == Class::Ephemeral && matches!(disposition, Disposition::Hold { .. }) {
        disposition = Disposition::InboxOnly;
        trace.add_to_last("It would be over by then, so it is not shown at all.");
    }
    Verdict {
        tier: question.tier(),
        opens_window: left.opens_window && disposition == Disposition::Present,
        disposition,
        trace: trace.into_lines(),
        subscription_bucket: left.subscription,
        overall_bucket: left.overall,
        critical_bucket: left.critical,
    }
}
