//! Rules about what came, and when.

use crate::model::{Class, Disposition, HoldCause, Notification, Origin, Preferences, Tier};
use crate::policy::trace::{counted, length_words};
use crate::policy::{Answer, Question};
use jiff::{SignedDuration, Timestamp};

/// A backlog that takes longer than this to come rings in parts, seconds.
pub(super) const MISSED_PATIENCE: u32 = 30;

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
    tier: Tier,
    p: &Preferences,
    now: Timestamp,
) -> bool {
    let age = now.duration_since(n.draft.created_at);
    tier == Tier::Critical
        && n.draft.class == Class::Persistent
        && age < SignedDuration::from_hours(i64::from(p.away.critical_hours))
}

/// Whether something that was missed is as good as new, and there are so few of them that each may ring.
pub(in crate::policy) fn is_one_of_few(
    n: &Notification,
    tier: Tier,
    p: &Preferences,
    missed: u64,
    now: Timestamp,
) -> bool {
    missed <= u64::from(p.away.few) && is_hardly_old(n, p, now) && tier != Tier::Informational
}

/// A server whose clock is ahead sends what is younger than nothing: that is new.
fn is_hardly_old(n: &Notification, p: &Preferences, now: Timestamp) -> bool {
    let age = now.duration_since(n.draft.created_at);
    age <= SignedDuration::from_secs(i64::from(p.away.after_seconds))
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
    if q.state.wanted {
        return Answer::pass("It was fetched after an absence, but you asked for what waits.");
    }
    let p = q.book.document();
    let tier = q.tier();
    let hardly_old = is_hardly_old(n, p, q.at());
    if hardly_old && tier == Tier::Informational {
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
        Some(HoldCause::Away) if is_young_critical(n, tier, p, q.at()) => {
            if q.state.newer_critical_backfill < p.away.critical_singly {
                Answer::pass(format!(
                    "It was fetched after an absence; a critical one of the last {} rings by itself.",
                    counted(p.away.critical_hours, "hour", "hours")
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
        Some(HoldCause::Away) if is_one_of_few(n, tier, p, missed(q), q.at()) => Answer::pass(
            "It was fetched after an absence, but is hardly old, and one of few: it rings by itself.",
        ),
        Some(_) => Answer::pass("It was fetched after an absence, and has waited already."),
    }
}

/// How many were missed in its absence; where that is not known, many.
pub(super) fn missed(q: &Question<'_>) -> u64 {
    q.state.missed.unwrap_or(u64::MAX)
}

/// What another said already needs no second toast. Critical ones do: the first may have been less.
pub(super) fn duplicate(q: &Question<'_>) -> Answer {
    let within = q.book.document().duplicates.seconds;
    match q.state.twin {
        None => Answer::pass("Nothing else said the same."),
        Some(_) if within == 0 => Answer::pass("Another said the same, but each is to ring."),
        Some(_) if q.is_critical() => {
            Answer::pass("Another said the same, but critical ones are never taken for a repeat.")
        }
        Some(_) if q.state.released.is_some() || q.is_first_filling() => Answer::pass(
            "Another said the same, but it has waited already or would not ring anyway.",
        ),
        Some(into) => Answer {
            disposition: Some(Disposition::Fold { into }),
            says: format!(
                "Another said the same within {}: it joins that one.",
                length_words(u64::from(within))
            ),
        },
    }
}
