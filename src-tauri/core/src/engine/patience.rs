//! How patient connections are: the user's words for it, and the transport's.

use crate::transport::limits::Times;
use std::time::Duration;
use tidings_api::Timings;

/// Timings as the user set them, floored.
pub fn times(timings: Timings) -> Times {
    let millis = |millis: u32| Duration::from_millis(millis.into());
    Times {
        connect: millis(timings.connect),
        headers: millis(timings.headers),
        ping_every: millis(timings.ping_every),
        pong_within: millis(timings.pong_within),
        backoff_least: millis(timings.backoff_least),
        backoff_early: millis(timings.backoff_early),
        backoff_most: millis(timings.backoff_most),
        keepalive_margin: millis(timings.keepalive_margin),
        silence_unknown: millis(timings.silence),
        poll_every: millis(timings.poll_every),
    }
    .floored()
}

/// What the user sees of them.
pub fn timings(times: Times) -> Timings {
    let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    Timings {
        connect: millis(times.connect),
        headers: millis(times.headers),
        ping_every: millis(times.ping_every),
        pong_within: millis(times.pong_within),
        backoff_least: millis(times.backoff_least),
        backoff_early: millis(times.backoff_early),
        backoff_most: millis(times.backoff_most),
        keepalive_margin: millis(times.keepalive_margin),
        silence: millis(times.silence_unknown),
        poll_every: millis(times.poll_every),
    }
}

#[cfg(test)]
mod tests {
    use super::{times, timings};
    use crate::transport::limits::Times;
    use tidings_api::Timings;

    #[test]
    fn the_defaults_of_both_are_the_same() {
        assert_eq!(times(Timings::default()), Times::default());
        assert_eq!(timings(Times::default()), Timings::default());
    }

    #[test]
    fn what_is_too_small_comes_back_as_its_floor() {
        let none = Timings {
            connect: 0,
            backoff_least: 0,
            poll_every: 7_000,
            ..Timings::default()
        };
        let floored = timings(times(none));
        assert_eq!(
            (floored.connect, floored.backoff_least, floored.poll_every),
            (1_000, 100, 7_000)
        );
    }
}
