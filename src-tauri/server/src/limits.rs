//! How much one visitor (an address) may ask for.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::refusal::Refusal;

/// A bucket of tokens that refills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// How long one more takes.
    pub every: Duration,
}

/// The limits of the server; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of a visitor: 429, code 42901.
    pub requests: Option<Rate>,
    /// Streams a visitor may hold open: 429, code 42903.
    pub subscriptions: Option<u32>,
    /// Failed sign-ins of a visitor; beyond, even right credentials are refused: 429, code 42909.
    pub auth_failures: Option<Rate>,
    /// Messages that a visitor may publish in a day, which begins at midnight UTC: 429, code 42908.
    pub messages: Option<u64>,
    /// Bytes of a message: 413, code 41301.
    pub message_size: usize,
    /// Bytes of old messages sent to a new subscriber; older ones beyond it are left out and the
    /// response says `X-Messages-Truncated: 1`.
    pub replay_bytes: Option<u64>,
    /// Connections at once, of all visitors; more are closed at once.
    pub connections: usize,
    /// Messages that wait for a slow subscriber before it is disconnected.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: Some(Rate {
                burst: 60,
                every: Duration::from_secs(5),
            }),
            subscriptions: Some(30),
            auth_failures: Some(Rate {
                burst: 30,
                every: Duration::from_mins(1),
            }),
            messages: None,
            message_size: 4096,
            replay_bytes: None,
            connections: 1024,
            queue: 4096,
        }
    }
}

impl Limits {
    /// No limits for visitors; sizes and queues stay.
    pub fn off() -> Self {
        Self {
            requests: None,
            subscriptions: None,
            auth_failures: None,
            ..Self::default()
        }
    }
}

/// What is left in a bucket, and since when.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Bucket {
    fn refill(&mut self, rate: Rate, now: Timestamp) {
        // A clock set back refills nothing.
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        let more = if rate.every.is_zero() {
            f64::INFINITY
        } else {
            passed / rate.every.as_secs_f64()
        };
        self.left = (self.left + more).min(f64::from(rate.burst));
        self.at = now;
    }
}

#[derive(Debug)]
struct Visitor {
    requests: Bucket,
    failures: Bucket,
    subscriptions: u32,
    /// Messages of this day, counted from 1970.
    sent: (i64, u64),
}

/// Everyone who asked for something lately.
#[derive(Debug)]
pub(crate) struct Visitors {
    limits: Limits,
    known: Mutex<HashMap<IpAddr, Visitor>>,
}

impl Visitors {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            known: Mutex::default(),
        })
    }

    fn with<T>(&self, address: IpAddr, now: Timestamp, act: impl FnOnce(&mut Visitor) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |rate: Option<Rate>| Bucket {
            left: rate.map_or(0.0, |rate| f64::from(rate.burst)),
            at: now,
        };
        act(known.entry(network(address)).or_insert_with(|| Visitor {
            requests: full(self.limits.requests),
            failures: full(self.limits.auth_failures),
            subscriptions: 0,
            sent: (0, 0),
        }))
    }

    /// Counts one request.
    pub(crate) fn request(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        let Some(rate) = self.limits.requests else {
            return Ok(());
        };
        self.with(address, now, |visitor| {
            visitor.requests.refill(rate, now);
            if visitor.requests.left < 1.0 {
                return Err(Refusal::new(
                    42901,
                    "limit reached: too many requests, please be nice",
                ));
            }
            visitor.requests.left -= 1.0;
            Ok(())
        })
    }

    /// Counts one message.
    pub(crate) fn message(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        let Some(most) = self.limits.messages else {
            return Ok(());
        };
        if self.sent_today(address, now) >= most {
            return Err(Refusal::new(
                42908,
                "limit reached: daily message quota reached",
            ));
        }
        self.with(address, now, |visitor| visitor.sent.1 += 1);
        Ok(())
    }

    /// Messages of the day so far; 0 where they are not counted.
    pub(crate) fn sent_today(&self, address: IpAddr, now: Timestamp) -> u64 {
        if self.limits.messages.is_none() {
            return 0;
        }
        let day = now.as_second().div_euclid(24 * 60 * 60);
        self.with(address, now, |visitor| {
            if visitor.sent.0 != day {
                visitor.sent = (day, 0);
            }
            visitor.sent.1
        })
    }

    /// Refuses a visitor who failed to sign in too often.
    pub(crate) fn may_sign_in(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        let Some(rate) = self.limits.auth_failures else {
            return Ok(());
        };
        self.with(address, now, |visitor| {
            visitor.failures.refill(rate, now);
            if visitor.failures.left < 1.0 {
                return Err(Refusal::new(
                    42909,
                    "limit reached: too many auth failures, try again later",
                ));
            }
            Ok(())
        })
    }

    /// Counts a failed sign-in.
    pub(crate) fn failed_to_sign_in(&self, address: IpAddr, now: Timestamp) {
        if self.limits.auth_failures.is_some() {
            self.with(address, now, |visitor| visitor.failures.left -= 1.0);
        }
    }

    /// Counts a stream for as long as the returned value lives.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Open, Refusal> {
        self.with(address, now, |visitor| {
            if self
                .limits
                .subscriptions
                .is_some_and(|most| visitor.subscriptions >= most)
            {
                return Err(Refusal::new(
                    42903,
                    "limit reached: too many active subscriptions, please be nice",
                ));
            }
            visitor.subscriptions += 1;
            Ok(())
        })?;
        Ok(Open {
            visitors: Arc::clone(self),
            address,
        })
    }

    /// Forgets those who would start afresh anyway.
    pub(crate) fn forget_idle(&self, now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |bucket: &mut Bucket, rate: Option<Rate>| {
            rate.is_none_or(|rate| {
                bucket.refill(rate, now);
                bucket.left >= f64::from(rate.burst)
            })
        };
        known.retain(|_, visitor| {
            visitor.subscriptions > 0
                || visitor.sent
                    == (
                        now.as_second().div_euclid(24 * 60 * 60),
                        visitor.sent.1.max(1),
                    )
                || !full(&mut visitor.requests, self.limits.requests)
                || !full(&mut visitor.failures, self.limits.auth_failures)
        });
    }
}

/// One counted stream.
#[derive(Debug)]
pub(crate) struct Open {
    visitors: Arc<Visitors>,
    address: IpAddr,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut known = self
            .visitors
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(visitor) = known.get_mut(&network(self.address)) {
            visitor.subscriptions -= 1;
        }
    }
}

/// What counts as one visitor: an IPv4 address, or the /64 an IPv6 host has to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn visitors(limits: Limits) -> (Arc<Visitors>, IpAddr) {
        (Visitors::new(limits), "127.0.0.1".parse().unwrap())
    }

    #[test]
    fn requests_refill() {
        let (visitors, me) = visitors(Limits::default());
        for _ in 0..60 {
            visitors.request(me, at(100)).unwrap();
        }
        assert_eq!(visitors.request(me, at(104)).unwrap_err().code, 42901);
        visitors.request(me, at(105)).unwrap();
        assert!(visitors.request(me, at(105)).is_err());
        assert!(
            visitors.request(me, at(50)).is_err(),
            "a clock set back gives nothing"
        );
        visitors
            .request("127.0.0.2".parse().unwrap(), at(105))
            .unwrap();
    }

    #[test]
    fn failures_lock_out_for_a_while() {
        let (visitors, me) = visitors(Limits::default());
        for _ in 0..30 {
            visitors.may_sign_in(me, at(0)).unwrap();
            visitors.failed_to_sign_in(me, at(0));
        }
        assert_eq!(visitors.may_sign_in(me, at(59)).unwrap_err().code, 42909);
        visitors.may_sign_in(me, at(60)).unwrap();
    }

    #[test]
    fn streams_count_while_open() {
        let (visitors, me) = visitors(Limits::default());
        let mut open: Vec<_> = (0..30)
            .map(|_| visitors.subscribe(me, at(0)).unwrap())
            .collect();
        assert_eq!(visitors.subscribe(me, at(0)).unwrap_err().code, 42903);
        open.pop();
        visitors.subscribe(me, at(0)).unwrap();
    }

    #[test]
    fn the_idle_are_forgotten() {
        let (visitors, me) = visitors(Limits::default());
        visitors.request(me, at(0)).unwrap();
        visitors.forget_idle(at(4));
        assert_eq!(visitors.known.lock().unwrap().len(), 1);
        visitors.forget_idle(at(5));
        assert_eq!(visitors.known.lock().unwrap().len(), 0);
        let _open = visitors.subscribe(me, at(5)).unwrap();
        visitors.forget_idle(at(500));
        assert_eq!(visitors.known.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_network_is_one_visitor() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(!same("10.0.0.1", "10.0.0.2"));
    }
}
