//! The system's clock. The only place of the resident that reads it or waits by it.
#![allow(clippy::disallowed_methods)]

use jiff::{Timestamp, tz::TimeZone};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tidings_core::ports::{Clock, Later};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Where no timer follows the real-time clock, a wait is cut into slices of this length, so that sleep
/// and clock changes stretch it by no more.
const SLICE: Duration = Duration::from_secs(30);

/// Time and chance of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::system()
    }

    fn awake(&self) -> Duration {
        START.elapsed()
    }

    fn sleep(&self, time: Duration) -> Later<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn sleep_until(&self, at: Timestamp) -> Later<'static, ()> {
        Box::pin(async move {
            #[cfg(target_os = "linux")]
            match real_time::Timer::at(at) {
                Ok(timer) => return timer.wait().await,
                Err(error) => tracing::debug!(%error, "no timer on the real-time clock"),
            }
            loop {
                let now = Timestamp::now();
                let Ok(left) = Duration::try_from(at.duration_since(now)) else {
                    return;
                };
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(SLICE)).await;
            }
        })
    }

    fn chance(&self) -> f64 {
        // Without the system's chance a backoff is merely as long as it may be.
        let bits = getrandom::u32().unwrap_or(u32::MAX);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

/// The result of `work`, or none if it took longer than `limit`.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

/// Waits for so much awake time.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Timers on the real-time clock that end when it is set or the machine wakes (`timerfd_create(2)`).
#[cfg(target_os = "linux")]
pub mod real_time {
    use jiff::Timestamp;
    use rustix::fd::OwnedFd;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use tokio::io::unix::AsyncFd;

    /// One armed timer.
    pub struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        /// A timer for `at`; one in the past ends at once.
        ///
        /// # Errors
        /// The kernel's: no descriptor is left, or there are no such timers.
        pub fn at(at: Timestamp) -> io::Result<Self> {
            let timer = timerfd_create(
                TimerfdClockId::Realtime,
                TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
            )?;
            let nothing = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            // Zero would disarm it: the beginning of 1970 is as much in the past.
            let value = Timespec {
                tv_sec: at.as_second().max(0),
                tv_nsec: i64::from(at.subsec_nanosecond()).max(1),
            };
            timerfd_settime(
                &timer,
                TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET,
                &Itimerspec {
                    it_interval: nothing,
                    it_value: value,
                },
            )?;
            Ok(Self(crate::os::fd::readable(timer)?))
        }

        /// Waits until the time is reached, the clock is set, or the machine wakes.
        pub async fn wait(self) {
            // Readable is all there is to know: the time has come, or the wait was cancelled.
            drop(self.0.readable().await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_for_the_past_ends_at_once_and_one_for_the_future_does_not() {
        let clock = SystemClock;
        let past = [Timestamp::UNIX_EPOCH, Timestamp::MIN, clock.now()];
        for at in past {
            within(Duration::from_secs(20), clock.sleep_until(at))
                .await
                .expect("the past is over");
        }
        let soon = clock.now() + Duration::from_millis(30);
        clock.sleep_until(soon).await;
        assert!(clock.now() >= soon);
        let far = within(Duration::from_millis(20), clock.sleep_until(Timestamp::MAX)).await;
        assert_eq!(far, None);
    }

    #[test]
    fn chance_is_within_its_range() {
        for _ in 0..1000 {
            let chance = SystemClock.chance();
            assert!((0.0..1.0).contains(&chance), "{chance}");
        }
    }
}
