//! The system's clock. The only place of the resident that reads it or waits by it.
#![allow(clippy::disallowed_methods)]

use jiff::{Timestamp, tz::TimeZone};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tidings_core::ports::{Clock, Later};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// From here on a wait has a timer of the kernel's. The runtime's would wake its thread several times on the way,
/// as its wheel turns.
#[cfg(target_os = "linux")]
const LONG: Duration = Duration::from_secs(5);

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
        #[cfg(target_os = "linux")]
        if time >= LONG {
            match timer::Timer::after(time) {
                Ok(timer) => return Box::pin(timer.wait()),
                Err(error) => tracing::debug!(%error, "no timer of the kernel's"),
            }
        }
        Box::pin(tokio::time::sleep(time))
    }

    fn sleep_until(&self, at: Timestamp) -> Later<'static, ()> {
        Box::pin(async move {
            #[cfg(target_os = "linux")]
            match timer::Timer::at(at) {
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

/// Timers of the kernel's (`timerfd_create(2)`).
#[cfg(target_os = "linux")]
pub mod timer {
    use super::START;
    use jiff::Timestamp;
    use rustix::fd::OwnedFd;
    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
        clock_gettime, timerfd_create, timerfd_settime,
    };
    use std::io;
    use std::sync::LazyLock;
    use std::time::Duration;
    use tokio::io::unix::AsyncFd;

    /// Awake time is counted from here, on the kernel's clock.
    static BEGIN: LazyLock<Duration> = LazyLock::new(|| {
        let elapsed = START.elapsed();
        let now = clock_gettime(ClockId::Monotonic);
        Duration::try_from(now)
            .unwrap_or_default()
            .saturating_sub(elapsed)
    });

    /// One armed timer.
    pub struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        /// A timer for a civil time; one in the past ends at once. It ends early when the clock is set or the
        /// machine wakes.
        ///
        /// # Errors
        /// The kernel's: no descriptor is left, or there are no such timers.
        pub fn at(at: Timestamp) -> io::Result<Self> {
            // Zero would disarm it: the beginning of 1970 is as much in the past.
            let value = Timespec {
                tv_sec: at.as_second().max(0),
                tv_nsec: i64::from(at.subsec_nanosecond()).max(1),
            };
            Self::armed(
                TimerfdClockId::Realtime,
                TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET,
                value,
            )
        }

        /// A timer for so much awake time from now. What is due in the same millisecond ends at the same moment, so
        /// that it wakes this process once.
        ///
        /// # Errors
        /// As [`Timer::at`].
        pub fn after(time: Duration) -> io::Result<Self> {
            let beyond = io::Error::from(io::ErrorKind::InvalidInput);
            let Ok(due) = u64::try_from(START.elapsed().saturating_add(time).as_millis()) else {
                return Err(beyond);
            };
            let due = *BEGIN + Duration::from_millis(due + 1);
            let value = Timespec::try_from(due).map_err(|_| beyond)?;
            Self::armed(TimerfdClockId::Monotonic, TimerfdTimerFlags::ABSTIME, value)
        }

        fn armed(
            clock: TimerfdClockId,
            flags: TimerfdTimerFlags,
            it_value: Timespec,
        ) -> io::Result<Self> {
            let timer = timerfd_create(clock, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            let it_interval = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let spec = Itimerspec {
                it_interval,
                it_value,
            };
            timerfd_settime(&timer, flags, &spec)?;
            Ok(Self(crate::os::fd::readable(timer)?))
        }

        /// Waits until its time has come, or it was cancelled.
        pub async fn wait(self) {
            // Readable is all there is to know.
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

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_timer_of_awake_time_is_never_early() {
        for millis in [0, 1, 7, 40] {
            let time = Duration::from_millis(millis);
            let before = SystemClock.awake();
            timer::Timer::after(time).unwrap().wait().await;
            assert!(SystemClock.awake() >= before + time, "{millis}");
        }
        let far = timer::Timer::after(LONG).unwrap().wait();
        assert_eq!(within(Duration::from_millis(20), far).await, None);
        assert!(timer::Timer::after(Duration::MAX).is_err());
        // Where there is no timer for it, the runtime's will do.
        let far = SystemClock.sleep(Duration::MAX);
        assert_eq!(within(Duration::from_millis(20), far).await, None);
    }

    #[test]
    fn chance_is_within_its_range() {
        for _ in 0..1000 {
            let chance = SystemClock.chance();
            assert!((0.0..1.0).contains(&chance), "{chance}");
        }
    }
}
