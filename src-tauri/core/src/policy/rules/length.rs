//! How long each cause lasts, counted from now.

use super::arrival::MISSED_PATIENCE;
use super::batch::{later, next};
use crate::model::preferences::Batch;
use crate::model::{HoldCause, Notification};
use crate::policy::Rulebook;
use jiff::{Timestamp, Zoned};

/// When what waits for a cause would be due if it came now, and whether that is a time of the wall clock rather than a
/// length; none: it would not wait.
pub(in crate::policy) fn again_at(
    n: &Notification,
    cause: &HoldCause,
    book: &Rulebook,
    now: &Zoned,
) -> Option<(Timestamp, bool)> {
    let p = book.document();
    let seconds = match cause {
        HoldCause::LowPriority | HoldCause::Digest => p.digest.seconds,
        HoldCause::Away => MISSED_PATIENCE,
        HoldCause::SubscriptionLimit { .. } | HoldCause::OverallLimit => p.limits.fold_seconds,
        HoldCause::Escalation => p.escalation.seconds,
        HoldCause::Window { .. } => {
            let batch = book
                .wishes(n, now.timestamp())
                .cell(|cell| cell.batch)
                .map(|(batch, _)| batch);
            match batch {
                Some(Batch::Leading { seconds }) => seconds,
                Some(Batch::Trailing { seconds, most }) => most.max(seconds),
                Some(Batch::Off | Batch::Daily { .. }) | None => return None,
            }
        }
        HoldCause::Daily { at } => return Some((next(*at, now), true)),
        HoldCause::CriticalLimit
        | HoldCause::Pause
        | HoldCause::Quiet
        | HoldCause::Context { .. }
        | HoldCause::Snooze { .. } => return None,
    };
    Some((later(now.timestamp(), seconds), false))
}
