//! The rate limit, and what is left when no rule applied.

use super::arrival::is_one_of_few;
use super::user::word;
use crate::model::{Bucket, HoldCause, Tier};
use crate::policy::rate_limit::{refilled, taken};
use crate::policy::trace::counted;
use crate::policy::{Answer, Buckets, Question};
use jiff::{SignedDuration, Timestamp};

/// How long low-priority ones gather.
const LOW_PRIORITY_MINUTES: i64 = 5;
/// At and below this, an informational one is inbox only.
const SILENT_PRIORITY: u8 = 1;

/// New toasts cost a token. What is released from a hold costs none: it rings with all of its batch as
/// one digest, so a token each would split what belongs together and hold it for ever. What will not
/// ring by itself costs none either.
pub(super) fn rate_limit(q: &Question<'_>, buckets: &mut Buckets) -> Answer {
    let rings_as_new = q.state.released == Some(HoldCause::Away)
        && is_one_of_few(q.notification, q.preferences, q.missed, q.at())
        && !q.is_critical();
    if q.state.released.is_some() && !rings_as_new {
        return Answer::pass("It has waited, and rings together with what waited with it.");
    }
    if q.notification.draft.tier == Tier::Informational {
        return Answer::pass("It does not ring by itself, so no limit is touched.");
    }
    if q.is_critical() {
        critical(q, buckets)
    } else {
        other(q, buckets)
    }
}

/// Nothing else can empty the bucket of the critical ones, and their excess waits for nothing.
fn critical(q: &Question<'_>, buckets: &mut Buckets) -> Answer {
    let size = q.preferences.critical_a_minute;
    let full = refilled(q.state.critical_bucket, size, q.at());
    if let Some(rest) = taken(full) {
        buckets.critical = Some(rest);
        Answer::pass(format!(
            "Within the limit of {}.",
            a_minute(size, "critical toast")
        ))
    } else {
        buckets.critical = Some(full);
        Answer::hold(
            Some(q.at()),
            HoldCause::CriticalLimit,
            format!(
                "{} is the limit: the others ring as one, at once.",
                a_minute(size, "critical toast")
            ),
        )
    }
}

/// A token of each of two buckets, or of none.
fn other(q: &Question<'_>, buckets: &mut Buckets) -> Answer {
    let p = q.preferences;
    let own = refilled(
        q.state.subscription_bucket,
        p.per_subscription_a_minute,
        q.at(),
    );
    let all = refilled(q.state.overall_bucket, p.overall_a_minute, q.at());
    let fold = q.after(SignedDuration::from_secs(i64::from(p.fold_seconds)));
    let (own_rest, all_rest) = (taken(own), taken(all));
    if let (Some(own_rest), Some(all_rest)) = (own_rest, all_rest) {
        keep(buckets, own_rest, all_rest);
        return Answer::pass(format!(
            "Within the limits of {} from one subscription and {} in all.",
            a_minute(p.per_subscription_a_minute, "toast"),
            p.overall_a_minute
        ));
    }
    keep(buckets, own, all);
    if own_rest.is_none() {
        over_own(q, fold)
    } else {
        Answer::hold(
            Some(fold),
            HoldCause::OverallLimit,
            format!(
                "{} in all is the limit: the others ring as one.",
                a_minute(p.overall_a_minute, "toast")
            ),
        )
    }
}

fn over_own(q: &Question<'_>, fold: Timestamp) -> Answer {
    Answer::hold(
        Some(fold),
        HoldCause::SubscriptionLimit {
            subscription: q.notification.subscription,
        },
        format!(
            "{} from one subscription is the limit: the others ring as one.",
            a_minute(q.preferences.per_subscription_a_minute, "toast")
        ),
    )
}

/// Also where none was taken, so that a clock that went back is noticed once, not until it has caught up.
fn keep(buckets: &mut Buckets, own: Bucket, all: Bucket) {
    buckets.subscription = Some(own);
    buckets.overall = Some(all);
}

fn a_minute(size: u32, what: &str) -> String {
    format!("{} a minute", counted(size, what, &format!("{what}s")))
}

/// The tier's default.
pub(super) fn toast(q: &Question<'_>) -> Answer {
    let draft = &q.notification.draft;
    if draft.tier != Tier::Informational {
        return Answer::present(format!("It is {}: it rings.", word(draft.tier)));
    }
    if draft.priority <= SILENT_PRIORITY {
        return Answer::inbox_only("It has the lowest priority: inbox only.");
    }
    if q.state.released.is_some() {
        return Answer::present("It has low priority, and has waited to be told with others.");
    }
    Answer::hold(
        Some(q.after(SignedDuration::from_mins(LOW_PRIORITY_MINUTES))),
        HoldCause::LowPriority,
        format!(
            "It has low priority: told with others, without a sound, after {LOW_PRIORITY_MINUTES} minutes."
        ),
    )
}
