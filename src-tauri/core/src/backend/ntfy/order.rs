//! Versions. ntfy's clock ticks in whole seconds, and two updates of one sequence id may come within one
//! of them, so the second alone does not order them; their order in the stream does. A version is the second
//! times a thousand, plus the place among what happened to that key within that second.
//!
//! The place must come out the same when the same things are fetched again on a later connection, since the
//! inbox compares versions that different connections minted. A fetch begins at whole seconds, so
//! it sees the second from its start, in the server's order; a live stream may begin in its middle.
//! What the fetch shows to be earlier than anything live gets a place below. Only updates of one key on both
//! sides of a reconnect, all within one second, can still be misplaced.

use std::collections::HashMap;

/// Versions of one second.
const SECOND: i64 = 1000;
/// The place of the first thing of a second.
const FIRST: i64 = 100;
/// How far below the first live thing earlier ones begin.
const EARLIER: i64 = 50;
/// The last place of a second.
const LAST: i64 = SECOND - 1;
/// Keys and seconds remembered. Above this the oldest seconds are forgotten: a repeat of one then
/// gets the first place, and is known to the inbox anyway.
const REMEMBERED: usize = 8192;
/// Seconds that are kept when others are forgotten.
const RECENT: i64 = 600;

/// Within a connection: a topic's number, a replace key, a second.
pub(super) type Key = (usize, String, i64);

/// The ids that happened to each key within a second, with their places, in the order of places.
#[derive(Default)]
pub(super) struct Order {
    places: HashMap<Key, Vec<(String, i64)>>,
}

/// Where a fetch is: the last place that it showed, of the second it is in.
#[derive(Default)]
pub(super) struct Run {
    last: HashMap<Key, i64>,
    second: i64,
}

impl Order {
    /// The version of what came over the link.
    pub(super) fn live(&mut self, key: Key, id: &str) -> i64 {
        let second = key.2;
        let places = self.remember(key);
        let place = known(places, id).unwrap_or_else(|| insert(places, id, after_all(places)));
        version(second, place)
    }

    /// The version of what a fetch showed.
    pub(super) fn fetched(&mut self, run: &mut Run, key: Key, id: &str) -> i64 {
        let second = key.2;
        if run.second != second {
            run.last.clear();
            run.second = second;
        }
        let places = self.remember(key.clone());
        let place = known(places, id).unwrap_or_else(|| {
            let place = match (run.last.get(&key), places.first()) {
                (Some(last), _) if *last < LAST && is_free(places, last + 1) => last + 1,
                (Some(_), _) => after_all(places),
                (None, Some((_, first))) => (first - EARLIER).max(0),
                (None, None) => FIRST,
            };
            insert(places, id, place)
        });
        run.last.insert(key, place);
        version(second, place)
    }

    fn remember(&mut self, key: Key) -> &mut Vec<(String, i64)> {
        if self.places.len() >= REMEMBERED && !self.places.contains_key(&key) {
            let newest = self.places.keys().map(|(_, _, second)| *second).max();
            let since = newest.unwrap_or_default().saturating_sub(RECENT);
            self.places.retain(|(_, _, second), _| *second >= since);
            if self.places.len() >= REMEMBERED {
                self.places.clear();
            }
        }
        self.places.entry(key).or_default()
    }
}

fn known(places: &[(String, i64)], id: &str) -> Option<i64> {
    places
        .iter()
        .find(|(known, _)| known == id)
        .map(|(_, place)| *place)
}

fn is_free(places: &[(String, i64)], place: i64) -> bool {
    places.iter().all(|(_, taken)| *taken != place)
}

fn after_all(places: &[(String, i64)]) -> i64 {
    places
        .last()
        .map_or(FIRST, |(_, last)| (last + 1).min(LAST))
}

fn insert(places: &mut Vec<(String, i64)>, id: &str, place: i64) -> i64 {
    // A second that is full needs no more names: all that follows shares the last place.
    if places.len() < usize::try_from(SECOND).unwrap_or(usize::MAX) {
        let index = places.partition_point(|(_, other)| *other <= place);
        places.insert(index, (id.to_owned(), place));
    }
    place
}

fn version(second: i64, place: i64) -> i64 {
    second.saturating_mul(SECOND).saturating_add(place)
}

#[cfg(test)]
mod tests {
    use super::{Key, Order, REMEMBERED, Run};

    fn key(second: i64) -> Key {
        (0, "job".to_owned(), second)
    }

    #[test]
    fn updates_within_a_second_keep_their_order_and_repeats_their_place() {
        let mut order = Order::default();
        let one = order.live(key(7), "a");
        let two = order.live(key(7), "b");
        assert!(one < two && two < order.live(key(8), "c"));
        assert_eq!(order.live(key(7), "a"), one);
        let mut run = Run::default();
        assert_eq!(order.fetched(&mut run, key(7), "a"), one);
        assert_eq!(order.fetched(&mut run, key(7), "b"), two);
    }

    #[test]
    fn a_later_connection_gives_the_same_places() {
        let mut first = Order::default();
        let versions = ["a", "b"].map(|id| first.live(key(7), id));
        let (mut second, mut run) = (Order::default(), Run::default());
        let again = ["a", "b", "c"].map(|id| second.fetched(&mut run, key(7), id));
        assert_eq!(versions[..], again[..2]);
        assert!(again[2] > again[1]);
    }

    #[test]
    fn what_was_before_the_first_live_one_is_older_and_what_followed_is_newer() {
        let mut order = Order::default();
        let live = order.live(key(7), "c");
        let mut run = Run::default();
        let a = order.fetched(&mut run, key(7), "a");
        let b = order.fetched(&mut run, key(7), "b");
        assert_eq!(order.fetched(&mut run, key(7), "c"), live);
        let d = order.fetched(&mut run, key(7), "d");
        assert!(a < b && b < live && live < d, "{a} {b} {live} {d}");
        assert!(order.live(key(7), "e") > d);
    }

    #[test]
    fn a_place_that_is_taken_is_not_given_twice() {
        let mut order = Order::default();
        order.live(key(7), "a");
        order.live(key(7), "c");
        let mut run = Run::default();
        order.fetched(&mut run, key(7), "a");
        let b = order.fetched(&mut run, key(7), "b");
        assert!(b > order.live(key(7), "c"));
    }

    #[test]
    fn floods_and_the_ends_of_time_are_survived() {
        let mut order = Order::default();
        let mut run = Run::default();
        for i in 0..3000 {
            let version = order.live(key(7), &i.to_string());
            assert!(version < 8000);
            order.fetched(&mut run, key(9), &i.to_string());
        }
        assert!(order.live(key(7), "x") < order.live(key(8), "y"));
        for second in 0..20_000 {
            order.live(key(second), "a");
        }
        assert!(order.places.len() <= REMEMBERED);
        order.live(key(i64::MAX), "a");
        order.live(key(i64::MIN), "a");
        order.fetched(&mut run, key(i64::MAX), "a");
    }
}
