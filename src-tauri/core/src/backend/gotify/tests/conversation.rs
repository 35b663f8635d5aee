//! What is asked for, what is handed over, and when.

use super::world::{NOW, World};
use crate::backend::{FailureKind, Input, Missing};
use crate::model::{Origin, TransportKind};
use proptest::prelude::*;
use serde_json::json;

const BOTH: [TransportKind; 2] = [TransportKind::Websocket, TransportKind::Poll];
const DAY: i64 = 86_400;

#[test]
fn the_stream_is_opened_before_anything_is_asked() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.publish(1);
    world.catch_up();
    assert_eq!(
        world.asked,
        [
            "/gotify/stream",
            "https://push.ex.test/gotify/message?limit=200",
            "https://push.ex.test/gotify/application",
        ]
    );
    assert_eq!(world.taken()[0].origin, Origin::FirstFilling);
    world.publish(2);
    world.settle();
    let got = world.taken();
    assert_eq!(got[0].origin, Origin::Live);
    assert_eq!(got[0].subscription, world.subscription(2));
    assert_eq!(world.cursors[&world.subscription(2)], format!("2@{NOW}"));
    assert_eq!(world.cursors[&world.subscription(1)], format!("1@{NOW}"));
}

#[test]
fn what_comes_while_the_history_is_read_is_merged_into_it() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.catch_up();
    for _ in 0..3 {
        world.publish(1);
    }
    world.connect();
    world.publish(2);
    let late = world.publish(1);
    assert!(world.deliver());
    assert!(world.ids().is_empty(), "the history comes first");
    assert!(world.answer(), "the page shows all five");
    assert!(world.deliver());
    world.settle();
    let got = world.taken();
    let ids: Vec<_> = got.iter().map(|got| got.draft.version).collect();
    assert_eq!(ids, [1, 2, 3, 4, late]);
    let origins: Vec<_> = got.iter().map(|got| got.origin).collect();
    let [.., live, also] = origins[..] else {
        panic!("five")
    };
    assert_eq!((live, also), (Origin::Live, Origin::Live));
    assert_eq!(origins[0], Origin::Backfill);
}

#[test]
fn no_cursor_moves_before_the_history_is_complete() {
    for transport in BOTH {
        let mut world = World::with_two(transport);
        world.catch_up();
        for _ in 0..450 {
            world.publish(1);
        }
        let before = world.cursors.clone();
        world.connect();
        for _ in 0..3 {
            assert_eq!(world.cursors, before, "{transport:?}");
            assert!(world.got.is_empty());
            world.answer();
        }
        world.settle();
        assert_eq!(world.ids(), (1..=450).collect::<Vec<_>>());
        assert!(
            world
                .cursors
                .values()
                .all(|cursor| cursor.starts_with("450@"))
        );
    }
}

#[test]
fn a_page_that_is_too_long_is_asked_for_in_parts() {
    let mut world = World::with_two(TransportKind::Poll);
    world.catch_up();
    for _ in 0..200 {
        world.publish(1);
    }
    world.longest_body = 3000;
    world.catch_up();
    assert_eq!(world.ids(), (1..=200).collect::<Vec<_>>());
    assert!(world.filled.iter().all(|(_, missing)| missing.is_none()));
}

#[test]
fn a_message_that_is_too_long_costs_only_itself() {
    let mut world = World::with_two(TransportKind::Poll);
    world.catch_up();
    for _ in 0..20 {
        world.publish(1);
    }
    world.messages.get_mut(&10).unwrap()["message"] = "x".repeat(9000).into();
    world.longest_body = 5000;
    world.filled.clear();
    world.catch_up();
    let but_one: Vec<_> = (1..=20).filter(|id| *id != 10).collect();
    assert_eq!(world.ids(), but_one);
    let shown = world.filled.iter().map(|(_, missing)| *missing);
    assert!(shown.clone().count() > 0);
    assert!(
        shown
            .clone()
            .all(|missing| missing == Some(Missing::Truncated))
    );
}

#[test]
fn the_first_filling_goes_back_a_day() {
    for transport in BOTH {
        let mut world = World::with_two(transport);
        world.now -= 2 * DAY;
        for _ in 0..500 {
            world.publish(1);
        }
        world.now += DAY + 60;
        for _ in 0..5 {
            world.publish(2);
        }
        world.now += DAY - 60;
        world.catch_up();
        assert_eq!(world.ids(), [501, 502, 503, 504, 505], "{transport:?}");
        assert!(
            world
                .cursors
                .values()
                .all(|cursor| cursor.starts_with("505@"))
        );
        assert_eq!(world.filled.len(), 2);
    }
}

#[test]
fn a_first_filling_without_news_is_a_place_to_resume_too() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.now -= 3 * DAY;
    world.publish(1);
    world.now += 3 * DAY;
    world.catch_up();
    assert!(world.ids().is_empty());
    assert_eq!(world.cursors.len(), 2);
    world.connect();
    world.store(1);
    world.settle();
    let got = world.taken();
    assert_eq!(got.len(), 1);
    assert_eq!(
        got[0].origin,
        Origin::Backfill,
        "it is no first filling any more"
    );
}

#[test]
fn a_new_application_is_asked_for_when_it_speaks() {
    for transport in BOTH {
        let mut world = World::with_two(transport);
        world.catch_up();
        world.add_application(3, "Oven");
        world.publish(3);
        world.publish(1);
        world.wait(60);
        world.settle();
        assert_eq!(world.ids(), [1, 2], "{transport:?}");
        let oven = world.subscription(3);
        assert!(world.filled.contains(&(oven, None)));
        assert!(world.cursors.contains_key(&oven));
        let asked = world.asked.len();
        world.publish(3);
        world.settle();
        if transport == TransportKind::Websocket {
            assert_eq!(world.ids(), [3]);
            assert_eq!(world.asked.len(), asked, "it is known now");
        }
    }
}

#[test]
fn an_application_that_came_to_be_while_the_list_was_on_its_way_is_asked_for_again() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.catch_up();
    world.add_application(3, "Oven");
    world.publish(3);
    assert!(world.deliver());
    let (tag, request) = world.fetches.pop_front().unwrap();
    assert!(request.url.path().ends_with("/application"));
    let all = world.applications.values().cloned();
    let list = all.collect::<serde_json::Value>().to_string();
    world.add_application(4, "Lift");
    world.publish(4);
    assert!(world.deliver());
    world.body(tag, &list);
    world.settle();
    assert_eq!(world.ids(), [1, 2]);
}

#[test]
fn a_new_application_is_heard_while_another_is_filled_for_itself() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.catch_up();
    world.leave(2);
    world.come_back(2);
    world.connect();
    let mut filling = false;
    while !filling {
        assert!(world.answer());
        filling = world
            .asked
            .last()
            .unwrap()
            .contains("/application/2/message");
    }
    world.add_application(3, "Oven");
    world.publish(3);
    assert!(world.deliver());
    world.settle();
    assert_eq!(world.ids(), [1]);
}

#[test]
fn an_application_that_is_gone_says_so_and_what_it_sent_stays() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.publish(1);
    world.publish(2);
    world.catch_up();
    world.ids();
    let doorbell = world.subscription(2);
    // It was deleted right after it had spoken.
    let last = world.publish(2);
    world.delete_application(2);
    assert!(world.deliver(), "the server pushed {last} before");
    world.settle();
    assert_eq!(world.ids(), [last], "it was known when it spoke");
    world.wait(15 * 60);
    world.settle();
    assert!(world.problems[&doorbell].contains("no longer"));
    assert!(world.rows.contains_key(&(doorbell, last.to_string())));
    // One that nobody heard of before it was gone leaves a line in the log.
    world.add_application(3, "Oven");
    world.publish(3);
    world.delete_application(3);
    world.settle();
    assert_eq!(world.unreadable.len(), 1);
    world.publish(1);
    world.settle();
    assert_eq!(world.ids().len(), 1, "and the stream goes on");
}

#[test]
fn what_a_left_application_sends_is_not_taken() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.catch_up();
    world.leave(2);
    world.connect();
    world.publish(2);
    world.publish(1);
    world.settle();
    assert_eq!(world.ids(), [2]);
    // It comes back: its last day is filled, without disturbing the other.
    world.come_back(2);
    world.publish(1);
    world.settle();
    world.ids();
    world.connect();
    world.publish(1);
    world.settle();
    let got = world.taken();
    let origins: Vec<_> = got
        .iter()
        .map(|got| (got.draft.version, got.origin))
        .collect();
    assert_eq!(origins.len(), 2, "{origins:?}");
    assert!(origins.contains(&(1, Origin::FirstFilling)), "{origins:?}");
    assert!(world.live && world.cursors.len() == 2);
}

#[test]
fn deletes_made_elsewhere_are_found_when_it_connects_and_every_quarter_of_an_hour() {
    for transport in BOTH {
        let mut world = World::with_two(transport);
        for _ in 0..30 {
            world.publish(1);
        }
        world.catch_up();
        world.messages.remove(&7);
        // The newest too: nothing above it says that it was there.
        world.messages.remove(&30);
        world.catch_up();
        world.assert_same();
        world.messages.retain(|id, _| *id > 20);
        world.wait(15 * 60);
        world.settle();
        world.assert_same();
        world.messages.clear();
        world.catch_up();
        world.assert_same();
    }
}

#[test]
fn only_what_was_looked_at_is_compared() {
    let mut world = World::with_two(TransportKind::Websocket);
    for _ in 0..2000 {
        world.publish(1);
    }
    world.catch_up();
    assert_eq!(world.rows.len(), 2000);
    world.messages.remove(&5);
    world.messages.remove(&1900);
    world.catch_up();
    assert_eq!(world.rows.len(), 1999, "a page of 200 was looked at");
    world.messages.remove(&1300);
    world.wait(15 * 60);
    world.settle();
    assert_eq!(world.rows.len(), 1998, "five pages were");
    world.messages.retain(|id, _| *id > 1500);
    world.wait(15 * 60);
    world.settle();
    world.assert_same();
}

#[test]
fn a_message_that_came_late_is_not_taken_for_deleted() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.publish(1);
    world.catch_up();
    world.connect();
    // Two writers: the page shows 3, and only then 2 is stored and pushed.
    world.next_id = 3;
    world.publish(1);
    world.answer();
    world.next_id = 2;
    world.publish(1);
    world.settle();
    world.assert_same();
    assert_eq!(world.ids(), [1, 3, 2]);
}

#[test]
fn what_was_stored_just_before_it_was_registered_is_found_later() {
    for reconnects in [false, true] {
        let mut world = World::with_two(TransportKind::Websocket);
        world.catch_up();
        // Neither the pages nor the stream showed it.
        world.store(1);
        for _ in 0..14 {
            world.publish(2);
            world.settle();
            world.wait(60);
        }
        assert_eq!(world.ids(), (2..=15).collect::<Vec<_>>());
        if reconnects {
            world.catch_up();
        } else {
            world.wait(60);
            world.settle();
        }
        assert_eq!(world.ids(), [1], "{reconnects}");
        world.assert_same();
    }
}

#[test]
fn more_than_can_be_held_comes_in_rounds() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.catch_up();
    for _ in 0..300 {
        world.store(1);
    }
    world.held_at_most = 40_000;
    world.connect();
    let mut rounds = 0;
    let mut last = world.cursors.clone();
    while world.failure.is_none() && (world.answer() || world.deliver()) {
        if world.cursors != last {
            rounds += 1;
            last = world.cursors.clone();
        }
    }
    assert!(rounds > 2, "{rounds}");
    assert!(world.live);
    assert_eq!(world.ids(), (1..=300).collect::<Vec<_>>());
    world.assert_same();
}

#[test]
fn a_server_that_began_anew_loses_nothing() {
    for transport in BOTH {
        let mut world = World::with_two(transport);
        for _ in 0..50 {
            world.publish(1);
        }
        world.catch_up();
        world.taken();
        // Yesterday's backup: ids above 30 are given once more.
        world.messages.retain(|id, _| *id <= 30);
        world.next_id = 31;
        world.now += 3600;
        world.filled.clear();
        world.publish(1);
        world.publish(2);
        world.catch_up();
        let got: Vec<_> = world
            .taken()
            .into_iter()
            .map(|got| got.draft.remote_id)
            .collect();
        assert_eq!(got, ["31~1", "32~1"], "{transport:?}");
        assert!(
            world
                .filled
                .iter()
                .all(|(_, missing)| *missing == Some(Missing::UnknownCursor))
        );
        world.now += 60;
        world.publish(1);
        world.catch_up();
        assert_eq!(world.taken()[0].draft.remote_id, "33~1");
    }
    // It is noticed on the stream too.
    let mut world = World::with_two(TransportKind::Websocket);
    for _ in 0..50 {
        world.publish(1);
    }
    world.catch_up();
    world.taken();
    world.messages.clear();
    world.next_id = 1;
    world.connect();
    world.settle();
    world.now += 3600;
    world.publish(1);
    world.settle();
    assert_eq!(world.taken()[0].draft.remote_id, "1~1");
}

#[test]
fn polls_that_follow_each_other_are_as_good_as_live() {
    let mut world = World::with_two(TransportKind::Poll);
    world.catch_up();
    world.publish(1);
    world.wait(60);
    world.settle();
    assert_eq!(world.taken()[0].origin, Origin::Live);
    assert!(world.asked.last().unwrap().ends_with("message?limit=25"));
    world.publish(1);
    world.wait(3600);
    world.settle();
    assert_eq!(world.taken()[0].origin, Origin::Backfill);
}

#[test]
fn a_circle_of_pages_and_pages_of_others_end_it() {
    for body in [
        "",
        "[]",
        "{}",
        "<html>sign in</html>",
        r#"{"messages":{}}"#,
        r#"{"messages":[],"paging":{"since":"x"}}"#,
    ] {
        let mut world = World::with_two(TransportKind::Poll);
        world.connect();
        let (tag, _) = world.fetches.pop_front().unwrap();
        world.body(tag, body);
        let failure = world.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Transient, "{body}");
    }
    let mut world = World::with_two(TransportKind::Poll);
    world.connect();
    for _ in 0..2 {
        let (tag, _) = world.fetches.pop_front().unwrap();
        let page = json!({"messages": [], "paging": {"size": 0, "limit": 200, "since": 9}});
        world.body(tag, &page.to_string());
    }
    assert!(world.failure.is_some());
}

#[test]
fn unreadable_frames_and_members_cost_only_themselves() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.catch_up();
    for frame in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"id":0,"appid":1}"#,
        r#"{"id":"7"}"#,
    ] {
        world.tell(Input::Frame(frame));
    }
    assert_eq!(world.unreadable.len(), 6);
    // In a page too; and as long as not all can be read, nothing is taken for deleted.
    world.publish(1);
    world.publish(1);
    world.settle();
    world.messages.insert(3, json!({"id": {}, "appid": 1}));
    world.next_id = 4;
    world.publish(2);
    world.messages.remove(&1);
    world.catch_up();
    assert_eq!(world.unreadable.len(), 7);
    assert_eq!(world.ids(), [1, 2, 4]);
    assert_eq!(world.rows.len(), 3);
}

#[derive(Clone, Debug)]
enum Step {
    Publish(i64),
    /// Stored, pushed only now.
    PublishLate(i64),
    Delete(usize),
    NewApplication,
    Answer,
    Deliver,
    Repeat,
    Connect,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..=3_i64).prop_map(Step::Publish),
        1 => (1..=3_i64).prop_map(Step::PublishLate),
        1 => any::<prop::sample::Index>().prop_map(|index| Step::Delete(index.index(1000))),
        1 => Just(Step::NewApplication),
        8 => Just(Step::Answer),
        8 => Just(Step::Deliver),
        1 => Just(Step::Repeat),
        2 => Just(Step::Connect),
        2 => (1..400_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_to_the_connection_the_inbox_ends_as_the_server(
        steps in prop::collection::vec(step(), 1..120),
        polled in any::<bool>(),
        narrow in any::<bool>(),
        short in any::<bool>(),
    ) {
        let transport = if polled { TransportKind::Poll } else { TransportKind::Websocket };
        let mut world = World::with_two(transport);
        if narrow {
            world.held_at_most = 2000;
        }
        if short {
            world.longest_body = 3000;
        }
        world.add_application(3, "Oven");
        world.connect();
        let mut extra = 10;
        for step in steps {
            match step {
                Step::Publish(application) => {
                    world.publish(application);
                }
                Step::PublishLate(application) => {
                    let id = world.store(application);
                    world.answer();
                    world.push(id);
                }
                Step::Delete(nth) => {
                    let ids: Vec<_> = world.messages.keys().copied().collect();
                    if !ids.is_empty() {
                        world.messages.remove(&ids[nth % ids.len()]);
                    }
                }
                Step::NewApplication => {
                    extra += 1;
                    world.add_application(extra, "Another");
                    world.publish(extra);
                }
                Step::Answer => {
                    world.answer();
                }
                Step::Deliver => {
                    world.deliver();
                }
                Step::Repeat => {
                    let newest = world.messages.keys().next_back().copied();
                    if let Some(id) = newest {
                        world.push(id);
                    }
                }
                Step::Connect => world.connect(),
                Step::Wait(seconds) => world.wait(seconds),
            }
            prop_assert!(world.failure.is_none());
        }
        world.catch_up();
        // What was deleted while it was held is found by the next look.
        world.wait(15 * 60);
        world.settle();
        world.assert_same();
        prop_assert!(world.unreadable.is_empty());
    }
}
