//! Sleep and clock changes, without a timer that ticks.

use super::clock::SystemClock;
use std::time::Duration;
use tidings_core::ports::Clock as _;

/// Civil time and awake time may differ by so much before it is called a jump.
const JUMP: Duration = Duration::from_secs(2);

/// Calls `woke` after each sleep of the machine and each jump of its clock, for ever.
///
/// On Linux a timer that is cancelled when real time jumps (which waking does) and logind's signal
/// both tell; neither wakes the process before. Elsewhere the clock is looked at every 5 s.
pub async fn watch(woke: impl Fn() + Send + Sync) {
    #[cfg(target_os = "linux")]
    tokio::join!(jumps(&woke), logind(&woke));
    #[cfg(not(target_os = "linux"))]
    jumps(&woke).await;
}

/// Waits until real time may have jumped.
async fn maybe_jumped() {
    #[cfg(target_os = "linux")]
    {
        use super::clock::timer::Timer;
        // Some day that never comes: only the cancelling is wanted.
        let far = SystemClock.now() + jiff::SignedDuration::from_hours(24 * 365);
        if let Ok(timer) = Timer::at(far) {
            return timer.wait().await;
        }
    }
    super::clock::pause(Duration::from_secs(5)).await;
}

async fn jumps(woke: &(impl Fn() + Sync)) {
    let mut before = reading();
    loop {
        maybe_jumped().await;
        let after = reading();
        let gap = gap(before, after);
        before = after;
        if gap > JUMP {
            tracing::info!(
                seconds = gap.as_secs(),
                "the machine slept, or its clock was set"
            );
            woke();
        }
    }
}

/// Civil and awake time, one moment.
type Reading = (jiff::Timestamp, Duration);

fn reading() -> Reading {
    (SystemClock.now(), SystemClock.awake())
}

/// By how much civil time moved differently than awake time, either way.
fn gap(before: Reading, after: Reading) -> Duration {
    let civil = after.0.duration_since(before.0);
    let awake = jiff::SignedDuration::try_from(after.1.saturating_sub(before.1))
        .unwrap_or(jiff::SignedDuration::MAX);
    civil.saturating_sub(awake).unsigned_abs()
}

/// logind's `PrepareForSleep` (org.freedesktop.login1.Manager): false means awake again.
#[cfg(target_os = "linux")]
async fn logind(woke: &(impl Fn() + Sync)) {
    use futures_util::StreamExt as _;
    use zbus::{MatchRule, MessageStream, message::Type};

    let Some(bus) = super::bus::system().await else {
        return;
    };
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .interface("org.freedesktop.login1.Manager")
        .and_then(|rule| rule.member("PrepareForSleep"))
        .and_then(|rule| rule.path("/org/freedesktop/login1"));
    let Ok(rule) = rule else {
        return;
    };
    let Ok(mut signals) = MessageStream::for_match_rule(rule.build(), &bus, None).await else {
        return;
    };
    while let Some(Ok(message)) = signals.next().await {
        if let Ok(false) = message.body().deserialize::<bool>() {
            tracing::info!("the machine woke");
            woke();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_jump_is_what_awake_time_does_not_explain() {
        let at = |civil: i64, awake: u64| {
            (
                Timestamp::from_second(civil).unwrap(),
                Duration::from_secs(awake),
            )
        };
        for (before, after, expected) in [
            (at(1000, 10), at(1060, 70), 0),
            (at(1000, 10), at(4600, 70), 3540),
            (at(5000, 10), at(1400, 10), 3600),
            (at(1000, 10), at(1000, 11), 1),
        ] {
            assert_eq!(gap(before, after), Duration::from_secs(expected));
        }
    }
}
