//! Servers repeat to everybody what one client told them, to that client too. Its own echo is no news: the
//! user may have changed their mind while it was on its way.

use super::lock;
use crate::model::{Mirror, SubscriptionId};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Mutex;

/// A server that has not repeated it by then does not repeat.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// What was told to servers and may come back.
#[derive(Default)]
pub struct Echoes(Mutex<HashMap<(SubscriptionId, String, Mirror), Timestamp>>);

impl Echoes {
    /// It is about to be told.
    pub fn expect(&self, subscription: SubscriptionId, key: &str, mirror: Mirror, now: Timestamp) {
        let mut expected = lock(&self.0);
        expected.retain(|_, told| now.duration_since(*told) <= WITHIN);
        expected.insert((subscription, key.to_owned(), mirror), now);
    }

    /// Whether this is the echo of what was told. It stays expected until [`Echoes::heard`]: what heard it may
    /// have to be done again.
    pub fn is_own(
        &self,
        subscription: SubscriptionId,
        key: &str,
        mirror: Mirror,
        now: Timestamp,
    ) -> bool {
        lock(&self.0)
            .get(&(subscription, key.to_owned(), mirror))
            .is_some_and(|told| now.duration_since(*told) <= WITHIN)
    }

    /// It came, or it was not told after all.
    pub fn heard(&self, subscription: SubscriptionId, key: &str, mirror: Mirror) {
        lock(&self.0).remove(&(subscription, key.to_owned(), mirror));
    }
}
