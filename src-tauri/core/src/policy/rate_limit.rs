//! Token buckets.

use crate::model::Bucket;
use jiff::Timestamp;

/// Seconds in which an empty bucket is full again.
const REFILL_SECONDS: f64 = 60.0;

/// The bucket as it is at `now`: refilled evenly, `size` tokens a minute, never above `size`. None, or
/// numbers that cannot be, is a full bucket: what is unreadable fails towards showing. Where the clock
/// went back nothing is added, and time is counted from the new `now`.
pub fn refilled(bucket: Option<Bucket>, size: u32, now: Timestamp) -> Bucket {
    let size = f64::from(size);
    let tokens = match bucket {
        Some(Bucket { tokens, at }) if tokens.is_finite() => {
            let elapsed = now.duration_since(at).as_secs_f64().max(0.0);
            (tokens.max(0.0) + elapsed * size / REFILL_SECONDS).min(size)
        }
        _ => size,
    };
    Bucket { tokens, at: now }
}

/// The bucket with one token less; none if it holds less than one.
pub fn taken(bucket: Bucket) -> Option<Bucket> {
    // Sixty refills of a sixtieth must make a whole: sums of fractions fall short by a hair.
    const HAIR: f64 = 1e-6;
    (bucket.tokens + HAIR >= 1.0).then(|| Bucket {
        tokens: (bucket.tokens - 1.0).max(0.0),
        at: bucket.at,
    })
}
