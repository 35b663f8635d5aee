//! Every use of real time in the server: the wall clock is a value that tests replace, the timers
//! only decide when to look.

#![allow(
    clippy::disallowed_methods,
    reason = "the one place where the server meets real time"
)]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time;

/// Where the server reads the wall clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of the machine.
pub fn system_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// Ticks at `every`, the first after one period; ticks missed by a busy connection are not made up.
pub(crate) fn ticks(every: Duration) -> time::Interval {
    let mut ticks = time::interval(every.max(Duration::from_millis(1)));
    ticks.reset();
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    ticks
}

/// Waits.
pub(crate) async fn pause(length: Duration) {
    time::sleep(length).await;
}

/// The result, or `None` if it took longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    time::timeout(limit, work).await.ok()
}
