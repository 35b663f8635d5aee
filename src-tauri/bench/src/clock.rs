//! The only place here that meets real time: it is what is measured.
#![allow(
    clippy::disallowed_methods,
    reason = "measuring real programs needs the real clock"
)]

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Now, for differences.
pub fn now() -> Instant {
    Instant::now()
}

/// Time since `start`.
pub fn since(start: Instant) -> Duration {
    Instant::now().saturating_duration_since(start)
}

/// Now, on the wall.
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// Waits.
pub async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Waits until then; not at all where it is over.
pub async fn until(then: Instant) {
    tokio::time::sleep_until(then.into()).await;
}

/// Work that is over within `limit`; none if it is not.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
