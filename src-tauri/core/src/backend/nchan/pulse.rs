//! How often the server says that it is there. Nchan's pings are off unless its owner turned them on, so this
//! is learnt.

use jiff::Timestamp;
use std::time::Duration;

/// So many pings may be missed.
const MISSED: u32 = 3;
/// Pings closer than this tell nothing, in seconds.
const LEAST: i64 = 1;
/// Pings further apart than this are no watch, in seconds.
const MOST: i64 = 900;
/// Whatever the server does, a connection is given this much time.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is known of a server's pings.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    last: Option<Timestamp>,
    longest: Option<Duration>,
}

impl Pulse {
    /// Notes a ping; the silence that is too long from now on, if that changed.
    pub(super) fn beat(&mut self, now: Timestamp) -> Option<Duration> {
        let before = self.last.replace(now)?;
        let pause = now.duration_since(before);
        if !(LEAST..=MOST).contains(&pause.as_secs()) {
            return None;
        }
        let pause = pause.unsigned_abs();
        if self
            .longest
            .is_some_and(|longest| pause <= longest + longest / 4)
        {
            return None;
        }
        self.longest = Some(pause);
        Some((pause * MISSED).max(PATIENCE))
    }
}
