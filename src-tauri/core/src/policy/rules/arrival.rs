//! Rules about what came, and when.

use crate::model::{Class, HoldCause, Notification, Origin, Preferences, Tier};
use crate::policy::trace::{counted, length_words};
use crate::policy::{Answer, Question};
use jiff::{SignedDuration, Timestamp};

/// A backlog that takes longer than this to come rings in parts.
const MISSED_PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// A notification rings once, however often it comes.
pub(super) fn known(q: &Question<'_>) -> Answer {
    if q.state.known {
        Answer::inbox_only("It was here before; a repeat or a new version does not ring again.")
    } else {
        Answer::pass("It is new.")
    }
}

/// Nobody needs to be told of what is over.
pub(super) fn over(q: &Question<'_>) -> Answer {
    let n = q.notification;
    if n.draft.expires_at.is_some_and(|end| end <= q.at()) {
        Answer::inbox_only("Its sender meant it to be over by now.")
    } else if n.done_at.is_some() {
        Answer::inbox_only("It is done already.")
    } else if n.read_at.is_some() {
        Answer::inbox_only("It is read already.")
    } else {
        Answer::pass("It is not over, and not read yet.")
    }
}

/// Typing and progress are shown as they happen or not at all.
pub(super) fn ephemeral(q: &Question<'_>) -> Answer {
    let n = q.notification;
    if n.draft.class == Class::Persistent {
        Answer::pass("It is of the kind that stays.")
    } else if n.origin == Origin::Live && q.state.released.is_none() {
        Answer::pass("It is of the kind that passes, and it is happening now.")
    } else {
        Answer::inbox_only("It is of the kind that passes, and it has passed.")
    }
}

/// Whether something that was missed is important enough, and young enough, for a toast of its own.
pub(in crate::policy) fn is_young_critical(
    n: &Notification,
    p: &Preferences,
    now: Timestamp,
) -> bool {
    let age = now.duration_since(n.draft.created_at);
    n.draft.tier == Tier::Critical
        && n.draft.class == Class::Persistent
        && age < SignedDuration::from_hours(i64::from(p.critical_backfill_hours))
}

/// So many that were just missed ring as if they had not been.
const FEW: u64 = 3;

/// Whether something that was missed is as good as new, and there are so few of them that each may ring.
pub(in crate::policy) fn is_one_of_few(
    n: &Notification,
    p: &Preferences,
    missed: u64,
    now: Timestamp,
) -> bool {
    missed <= FEW && is_hardly_old(n, p, now) && n.draft.tier != Tier::Informational
}

/// A server whose clock is ahead sends what is younger than nothing: that is new.
fn is_hardly_old(n: &Notification, p: &Preferences, now: Timestamp) -> bool {
    let age = now.duration_since(n.draft.created_at);
    age <= SignedDuration::from_secs(i64::from(p.away_after_seconds))
}

/// What was published while nobody listened is told together. What was held has been through this.
pub(super) fn backfill(q: &Question<'_>) -> Answer {
    let n = q.notification;
    match n.origin {
        Origin::FirstFilling => {
            return Answer::inbox_only(
                "It was published before this subscription was added; that never rings.",
            );
        }
        Origin::Live => return Answer::pass("It came as it was published."),
        Origin::Backfill => {}
    }
    let p = q.preferences;
    let hardly_old = is_hardly_old(n, p, q.at());
    if hardly_old && n.draft.tier == Tier::Informational {
        return Answer::pass("It was fetched after an absence, but is hardly old.");
    }
    match q.state.released {
        None if hardly_old => Answer::hold(
            Some(q.after(MISSED_PATIENCE)),
            HoldCause::Away,
            "It was fetched after an absence and is hardly old: it rings when all are here, by itself if \
             they are few.",
        ),
        None => Answer::hold(
            Some(q.after(MISSED_PATIENCE)),
            HoldCause::Away,
            format!(
                "It was fetched after an absence and is {} old: such ones ring together, when all are here.",
                length_words(
                    u64::try_from(q.at().duration_since(n.draft.created_at).as_secs()).unwrap_or(0)
                )
            ),
        ),
        // Only now is it known which of them are the newest.
        Some(HoldCause::Away) if is_young_critical(n, p, q.at()) => {
            if q.state.newer_critical_backfill < p.critical_backfill_singly {
                Answer::pass(format!(
                    "It was fetched after an absence; a critical one of the last {} rings by itself.",
                    counted(p.critical_backfill_hours, "hour", "hours")
                ))
            } else {
                Answer::hold(
                    Some(q.at()),
                    HoldCause::CriticalLimit,
                    format!(
                        "It was fetched after an absence, and {} newer and critical: the others ring as one.",
                        counted(q.state.newer_critical_backfill, "is", "are")
                    ),
                )
            }
        }
        Some(HoldCause::Away) if is_one_of_few(n, p, q.missed, q.at()) => Answer::pass(
            "It was fetched after an absence, but is hardly old, and one of few: it rings by itself.",
        ),
        Some(_) => Answer::pass("It was fetched after an absence, and has waited already."),
    }
}
