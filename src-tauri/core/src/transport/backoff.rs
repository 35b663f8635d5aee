//! How long to wait before the next attempt: full jitter under a cap that is small at first and then
//! doubles (design, "Times"). Pure: time and chance are arguments.

use super::limits::{BACKOFF_EARLY_FOR, PROVEN, RETRY_AFTER_LEAST, RETRY_AFTER_MOST, Times};
use std::time::Duration;

/// The memory of one outage. A connection that ends soon after it began does not end the outage, so
/// that a flapping server is not hammered.
#[derive(Clone, Debug)]
pub struct Backoff {
    times: Times,
    /// When the outage began, in awake time.
    since: Option<Duration>,
    /// The cap of the last delay.
    cap: Duration,
    /// Since when the connection is good.
    good_since: Option<Duration>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Times::default())
    }
}

impl Backoff {
    /// No outage.
    pub fn new(times: Times) -> Self {
        let times = times.floored();
        Self {
            times,
            since: None,
            cap: times.backoff_early,
            good_since: None,
        }
    }

    /// An attempt failed or a connection ended at `now`: how long to wait. `chance` is an even choice
    /// from `0.0..1.0`; `wish` is the server's `Retry-After` or `retry:`, believed within 1 s to
    /// 15 min, and never undercut.
    pub fn next(&mut self, now: Duration, chance: f64, wish: Option<Duration>) -> Duration {
        if let Some(good_since) = self.good_since.take()
            && now.saturating_sub(good_since) >= PROVEN
        {
            self.since = None;
        }
        let chance = if chance.is_finite() {
            chance.clamp(0.0, 1.0)
        } else {
            0.0
        };
        match self.since {
            None => {
                self.since = Some(now);
                self.cap = self.times.backoff_early;
            }
            Some(since) if now.saturating_sub(since) >= BACKOFF_EARLY_FOR => {
                self.cap = self.cap.saturating_mul(2).min(self.times.backoff_most);
            }
            Some(_) => {}
        }
        let least = self.times.backoff_least;
        let own = least + self.cap.saturating_sub(least).mul_f64(chance);
        match wish {
            None => own,
            // All who were told the same time must not come back at the same time.
            Some(wish) => own.max(
                wish.clamp(RETRY_AFTER_LEAST, RETRY_AFTER_MOST)
                    + self.times.backoff_early.mul_f64(chance),
            ),
        }
    }

    /// The connection is good since `now`.
    pub fn connected(&mut self, now: Duration) {
        self.good_since.get_or_insert(now);
    }

    /// Forgets the outage: the network came up, the machine woke, the user wants it now.
    pub fn reset(&mut self) {
        self.since = None;
        self.good_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::{BACKOFF_EARLY, BACKOFF_LEAST, BACKOFF_MOST};
    use super::*;
    use proptest::prelude::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_cap_stays_small_for_a_minute_and_then_doubles_to_five_minutes() {
        let mut backoff = Backoff::default();
        // When the attempt failed, and the greatest delay that may follow.
        for (at, cap) in [
            (100, 5),
            (105, 5),
            (159, 5),
            (160, 10),
            (170, 20),
            (190, 40),
            (230, 80),
            (310, 160),
            (470, 300),
            (770, 300),
            (1_000_000, 300),
        ] {
            assert_eq!(backoff.next(secs(at), 1.0, None), secs(cap), "at {at}");
        }
        assert_eq!(backoff.next(secs(1_000_300), 0.0, None), BACKOFF_LEAST);
    }

    #[test]
    fn only_a_proven_connection_ends_an_outage() {
        let mut backoff = Backoff::default();
        backoff.next(secs(0), 1.0, None);
        assert_eq!(backoff.next(secs(60), 1.0, None), secs(10));
        backoff.connected(secs(70));
        assert_eq!(backoff.next(secs(129), 1.0, None), secs(20), "59 s of it");
        backoff.connected(secs(200));
        backoff.connected(secs(230));
        assert_eq!(backoff.next(secs(260), 1.0, None), secs(5), "60 s of it");
        backoff.next(secs(400), 1.0, None);
        backoff.reset();
        assert_eq!(backoff.next(secs(500), 1.0, None), secs(5), "reset");
    }

    #[test]
    fn the_servers_wish_is_a_least_and_is_believed_within_limits() {
        for (wish, chance, delay) in [
            (secs(30), 0.0, secs(30)),
            (secs(30), 1.0, secs(35)),
            (secs(0), 0.0, secs(1)),
            (Duration::MAX, 0.0, secs(900)),
            (Duration::MAX, 1.0, secs(905)),
        ] {
            let mut backoff = Backoff::default();
            assert_eq!(backoff.next(secs(0), chance, Some(wish)), delay);
        }
        let mut backoff = Backoff::default();
        for minute in 0..20 {
            backoff.next(secs(minute * 60), 1.0, None);
        }
        assert_eq!(
            backoff.next(secs(1200), 1.0, Some(secs(1))),
            BACKOFF_MOST,
            "a small wish does not make us faster"
        );
    }

    #[test]
    fn two_hundred_clients_spread_after_a_restart() {
        let mut buckets = [0_u32; 6];
        for client in 0..200_u32 {
            let chance = f64::from(client) / 200.0;
            let delay = Backoff::default().next(secs(0), chance, None);
            buckets[usize::try_from(delay.as_secs()).expect("small")] += 1;
        }
        assert_eq!(buckets, [0, 50, 50, 50, 50, 0]);
    }

    #[derive(Clone, Debug)]
    enum Happening {
        Failed(u64, f64, Option<u64>),
        Connected(u64),
        Reset,
    }

    fn happening() -> impl Strategy<Value = Happening> {
        prop_oneof![
            4 => (any::<u64>(), any::<f64>(), proptest::option::of(any::<u64>()))
                .prop_map(|(at, chance, wish)| Happening::Failed(at, chance, wish)),
            4 => (0_u64..5000, 0.0..1.0, Just(None))
                .prop_map(|(at, chance, wish)| Happening::Failed(at, chance, wish)),
            2 => any::<u64>().prop_map(Happening::Connected),
            1 => Just(Happening::Reset),
        ]
    }

    proptest! {
        /// Whatever happens, in whatever order of times: within the limits, and no overflow.
        #[test]
        fn delays_stay_within_their_limits(happenings in proptest::collection::vec(happening(), 1..60)) {
            let mut backoff = Backoff::default();
            for happening in happenings {
                match happening {
                    Happening::Failed(at, chance, wish) => {
                        let wish = wish.map(Duration::from_secs);
                        let delay = backoff.next(Duration::from_secs(at), chance, wish);
                        prop_assert!(delay >= BACKOFF_LEAST);
                        match wish {
                            None => prop_assert!(delay <= BACKOFF_MOST),
                            Some(wish) => {
                                prop_assert!(delay >= wish.min(RETRY_AFTER_MOST));
                                prop_assert!(delay <= RETRY_AFTER_MOST + BACKOFF_EARLY);
                            }
                        }
                    }
                    Happening::Connected(at) => backoff.connected(Duration::from_secs(at)),
                    Happening::Reset => backoff.reset(),
                }
            }
        }

        /// Times from a settings file, however odd, give delays in order.
        #[test]
        fn odd_times_are_floored(least in any::<u64>(), early in any::<u64>(), most in any::<u64>(), chance in 0.0..1.0) {
            let times = Times {
                backoff_least: Duration::from_millis(least),
                backoff_early: Duration::from_millis(early),
                backoff_most: Duration::from_millis(most),
                ..Times::default()
            };
            let floored = times.floored();
            let mut backoff = Backoff::new(times);
            for minute in 0..10 {
                let delay = backoff.next(secs(minute * 60), chance, None);
                prop_assert!(delay >= floored.backoff_least && delay <= floored.backoff_most);
            }
        }
    }
}
