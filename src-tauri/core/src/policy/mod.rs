//! Pure: what may interrupt, and in which words. No I/O, no clock, no randomness. It decides about
//! toasts only: the row is in the inbox whatever it says. `docs/policy.md` tells users the same.

pub mod compose;
pub mod rate_limit;
mod rules;
mod trace;

#[cfg(test)]
mod tests;

use crate::model::{
    Bucket, Class, Disposition, HoldCause, Notification, PolicyState, Preferences, Tier, Verdict,
};
use jiff::{SignedDuration, Timestamp, Zoned};
use trace::Trace;

/// What every rule may look at.
struct Question<'a> {
    notification: &'a Notification,
    preferences: &'a Preferences,
    state: &'a PolicyState,
    /// How many were missed in the same absence.
    missed: u64,
    now: &'a Zoned,
}

impl Question<'_> {
    /// Critical, and so in need of a reason that its user gave to be silent. Something that is over in
    /// a moment never is.
    fn is_critical(&self) -> bool {
        self.notification.draft.tier == Tier::Critical
            && self.notification.draft.class == Class::Persistent
    }

    fn at(&self) -> Timestamp {
        self.now.timestamp()
    }

    /// So much later than now.
    fn after(&self, time: SignedDuration) -> Timestamp {
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

/// The buckets as the rate limit left them; none where it was not asked.
#[derive(Default)]
struct Buckets {
    subscription: Option<Bucket>,
    overall: Option<Bucket>,
    critical: Option<Bucket>,
}

/// Whether `n`, which may ring at the end of a hold for `cause`, has a toast of its own instead of a place
/// in the digest: only what was missed, and is critical and young, or new and one of few. [`decide_missed`]
/// lets only the newest few of the critical ones through.
pub fn rings_singly(
    n: &Notification,
    cause: &HoldCause,
    p: &Preferences,
    missed: u64,
    now: Timestamp,
) -> bool {
    *cause == HoldCause::Away
        && (rules::is_young_critical(n, p, now) || rules::is_one_of_few(n, p, missed, now))
}

/// What happens with the toast of `n`: the first of [`crate::model::Rule`]'s rules that applies decides, and every
/// rule that was asked leaves a line. Total and deterministic: the same arguments, the same verdict.
pub fn decide(n: &Notification, p: &Preferences, s: &PolicyState, now: &Zoned) -> Verdict {
    decide_missed(n, p, s, u64::MAX, now)
}

/// [`decide`] for what waited for the end of an absence, in which `missed` notifications were missed.
pub fn decide_missed(
    n: &Notification,
    p: &Preferences,
    s: &PolicyState,
    missed: u64,
    now: &Zoned,
) -> Verdict {
    let question = Question {
        notification: n,
        preferences: p,
        state: s,
        missed,
        now,
    };
    let mut trace = Trace::default();
    let mut buckets = Buckets::default();
    let mut disposition = Disposition::Present;
    for (rule, ask) in rules::ORDERED {
        let answer = ask(&question, &mut buckets);
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
        disposition,
        trace: trace.into_lines(),
        subscription_bucket: buckets.subscription,
        overall_bucket: buckets.overall,
        critical_bucket: buckets.critical,
    }
}
