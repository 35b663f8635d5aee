//! Critical notifications that stay unread ring again.

use crate::model::preferences::Escalation;
use jiff::{SignedDuration, Timestamp};

/// When a critical notification that rang at `shown_at`, and has rung again `times` times since, rings again if it
/// is still unread; none: never again.
pub fn next(escalation: Escalation, shown_at: Timestamp, times: u32) -> Option<Timestamp> {
    if times >= escalation.times {
        return None;
    }
    shown_at.checked_add(wait(escalation)).ok()
}

/// After a clock that was set back, or with other preferences: the latest time at which anything that was shown before
/// `now` rings again.
pub fn latest(escalation: Escalation, now: Timestamp) -> Timestamp {
    now.saturating_add(wait(escalation))
        .unwrap_or(Timestamp::MAX)
}

fn wait(escalation: Escalation) -> SignedDuration {
    SignedDuration::from_secs(i64::from(escalation.seconds.max(LEAST)))
}

/// Nothing rings more often than this, seconds.
const LEAST: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_times_and_no_more() {
        let every = Escalation::default();
        let shown = Timestamp::UNIX_EPOCH;
        assert_eq!(
            next(every, shown, 0),
            Some(shown + SignedDuration::from_mins(10))
        );
        assert!(next(every, shown, 2).is_some());
        assert_eq!(next(every, shown, 3), None);
        assert_eq!(next(Escalation { times: 0, ..every }, shown, 0), None);
    }

    #[test]
    fn never_without_pause() {
        let hasty = Escalation {
            seconds: 0,
            times: 2,
        };
        let shown = Timestamp::UNIX_EPOCH;
        assert_eq!(
            next(hasty, shown, 0),
            Some(shown + SignedDuration::from_secs(60))
        );
        assert_eq!(next(Escalation::default(), Timestamp::MAX, 0), None);
        assert_eq!(latest(hasty, shown), shown + SignedDuration::from_secs(60));
        assert_eq!(latest(hasty, Timestamp::MAX), Timestamp::MAX);
    }
}
