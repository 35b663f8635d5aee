//! The rate limit, and what is left when no rule applied.

use super::arrival::{is_one_of_few, missed};
use super::user::{length, word};
use crate::model::preferences::ToastChoice;
use crate::model::{Bucket, HoldCause, Preferences, Tier};
use crate::policy::rate_limit::{refilled, taken};
use crate::policy::trace::counted;
use crate::policy::{Answer, Left, Question};
use jiff::Timestamp;

/// At and below this, an informational one is inbox only.
const SILENT_PRIORITY: u8 = 1;

/// Whether it has a toast of its own, unless a limit folds it: what was chosen for it, or its tier's default.
pub(super) fn rings_by_itself(q: &Question<'_>) -> bool {
    match q.wishes.toast() {
        Some((choice, _)) if q.wishes.mandatory().is_none() || choice == ToastChoice::On => {
            choice == ToastChoice::On
        }
        _ => q.wishes.default_toast() == ToastChoice::On,
    }
}

/// So many that come back or ring again at one moment have toasts of their own; more come as one.
pub(in crate::policy) fn few_at_once(p: &Preferences) -> u64 {
    u64::from(p.away.few).max(1)
}

/// New toasts cost a token. What is released from a hold costs none: it rings with all of its batch as
/// one digest, so a token each would split what belongs together and hold it for ever. What will not
/// ring by itself costs none either. One that rings again by itself is a new toast.
pub(super) fn rate_limit(q: &Question<'_>, left: &mut Left) -> Answer {
    let p = q.book.document();
    let rings_as_new = match q.state.released {
        Some(HoldCause::Away) => {
            is_one_of_few(q.notification, q.tier(), p, missed(q), q.at()) && !q.is_critical()
        }
        // Many that ring again at one moment are one toast.
        Some(HoldCause::Escalation) => q.is_critical() && missed(q) <= few_at_once(p),
        _ => false,
    };
    if q.state.wanted {
        return Answer::pass("You asked for what waits.");
    }
    if q.state.released.is_some() && !rings_as_new {
        return Answer::pass("It has waited, and rings together with what waited with it.");
    }
    if !rings_by_itself(q) {
        return Answer::pass("It does not ring by itself, so no limit is touched.");
    }
    if q.is_critical() {
        critical(q, left)
    } else {
        other(q, left)
    }
}

/// Nothing else can empty the bucket of the critical ones, and their excess waits for nothing.
fn critical(q: &Question<'_>, left: &mut Left) -> Answer {
    let size = q.book.document().limits.critical;
    let full = refilled(q.state.critical_bucket, size, q.at());
    if let Some(rest) = taken(full) {
        left.critical = Some(rest);
        Answer::pass(format!(
            "Within the limit of {}.",
            a_minute(size, "critical toast")
        ))
    } else {
        left.critical = Some(full);
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
fn other(q: &Question<'_>, left: &mut Left) -> Answer {
    let p = &q.book.document().limits;
    let own = refilled(q.state.subscription_bucket, p.subscription, q.at());
    let all = refilled(q.state.overall_bucket, p.overall, q.at());
    let fold = q.after(p.fold_seconds);
    let (own_rest, all_rest) = (taken(own), taken(all));
    if let (Some(own_rest), Some(all_rest)) = (own_rest, all_rest) {
        keep(left, own_rest, all_rest);
        return Answer::pass(format!(
            "Within the limits of {} from one subscription and {} in all.",
            a_minute(p.subscription, "toast"),
            p.overall
        ));
    }
    keep(left, own, all);
    if own_rest.is_none() {
        over_own(q, fold)
    } else {
        Answer::hold(
            Some(fold),
            HoldCause::OverallLimit,
            format!(
                "{} in all is the limit: the others ring as one.",
                a_minute(p.overall, "toast")
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
            a_minute(q.book.document().limits.subscription, "toast")
        ),
    )
}

/// Also where none was taken, so that a clock that went back is noticed once, not until it has caught up.
fn keep(left: &mut Left, own: Bucket, all: Bucket) {
    left.subscription = Some(own);
    left.overall = Some(all);
}

fn a_minute(size: u32, what: &str) -> String {
    format!("{} a minute", counted(size, what, &format!("{what}s")))
}

/// What was chosen for it, or its tier's default.
pub(super) fn toast(q: &Question<'_>) -> Answer {
    let tier = q.tier();
    if rings_by_itself(q) {
        return Answer::present(format!("It is {}: it rings.", word(tier)));
    }
    let draft = &q.notification.draft;
    if tier == Tier::Informational && draft.priority <= SILENT_PRIORITY {
        return Answer::inbox_only("It has the lowest priority: inbox only.");
    }
    if q.wishes.default_toast() == ToastChoice::Off && q.wishes.toast().is_none() {
        return Answer::inbox_only(format!("It is {}, and such ones do not ring.", word(tier)));
    }
    if q.state.released.is_some() || q.state.wanted {
        return Answer::present("It has low priority, and has waited to be told with others.");
    }
    let seconds = q.book.document().digest.seconds;
    Answer::hold(
        Some(q.after(seconds)),
        HoldCause::LowPriority,
        format!(
            "It has low priority: told with others, without a sound, after {}.",
            length(seconds)
        ),
    )
}
