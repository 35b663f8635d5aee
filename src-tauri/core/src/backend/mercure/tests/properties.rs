//! Whole histories: whatever happens in whatever order, everything that the hub still held is here once.

use super::hub::{Desk, Hub};
use crate::backend::mercure::Mercure;
use crate::backend::{Backend as _, Effect, Fetched, Input};
use crate::model::Origin;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;

const TOPICS: [&str; 3] = ["a", "b", "c"];
const SEPARATE: &str = r#"{"separate":true}"#;

#[derive(Clone, Debug)]
enum Step {
    Publish(usize),
    Link(usize),
    Fetch(usize, bool),
    Wake,
    End,
    Crash,
    Add,
    /// From one stream for all to one for each, or back.
    Switch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize).prop_map(Step::Publish),
        4 => (1..4_usize).prop_map(Step::Link),
        3 => (0..3_usize, any::<bool>()).prop_map(|(which, ends)| Step::Fetch(which, ends)),
        2 => Just(Step::Wake),
        1 => Just(Step::End),
        1 => Just(Step::Crash),
        1 => Just(Step::Add),
        1 => Just(Step::Switch),
    ];
    prop::collection::vec(step, 0..80)
}

fn play(steps: &[Step]) -> (Hub, Desk) {
    let mut hub = Hub::default();
    let mut desk = Desk::new(&TOPICS[..1], "");
    desk.connect(&hub);
    for step in steps {
        match step {
            Step::Publish(topic) => hub.publish(TOPICS[*topic]),
            Step::Link(count) => {
                for _ in 0..*count {
                    desk.link_event(&hub);
                }
            }
            Step::Fetch(which, ends) => {
                desk.fetch_event(&hub, *which, *ends);
            }
            Step::Wake => {
                desk.wake(&hub);
            }
            Step::End => desk.end(&hub),
            Step::Crash => desk.connect(&hub),
            Step::Switch => {
                desk.options = if desk.options.is_empty() {
                    SEPARATE
                } else {
                    ""
                };
                desk.connect(&hub);
            }
            Step::Add => {
                if desk.topics.len() < TOPICS.len() {
                    desk.topics.push(TOPICS[desk.topics.len()]);
                    desk.connect(&hub);
                }
            }
        }
    }
    desk.settle(&hub);
    (hub, desk)
}

fn check(hub: &Hub, desk: &Desk) {
    for ((topic, id), number) in hub.log.iter().zip(0..) {
        let subscription = TOPICS
            .iter()
            .zip(1..)
            .find(|(known, _)| *known == topic)
            .unwrap()
            .1;
        let here = desk.inbox.contains_key(&(subscription, id.clone()));
        let wanted = desk.topics.contains(&topic.as_str());
        assert!(
            here == wanted,
            "{number}: {topic} {id}: {:?} {:?}",
            desk.inbox,
            desk.cursors
        );
    }
    let ids: BTreeSet<&String> = desk.inbox.keys().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), desk.inbox.len(), "nothing is in two places");
    assert!(desk.gaps.is_empty(), "{:?}", desk.gaps);
}

proptest! {
    #[test]
    fn nothing_is_lost_or_misplaced(steps in steps()) {
        let (hub, desk) = play(&steps);
        check(&hub, &desk);
        prop_assert!(desk.live);
    }
}

/// A history of twelve events, broken off after each of them, and after each of its moments.
#[test]
fn a_conversation_is_resumed_at_every_point() {
    for options in ["", SEPARATE] {
        for cut in 0..24 {
            let mut hub = Hub::default();
            let mut desk = Desk::new(&TOPICS, options);
            desk.connect(&hub);
            desk.settle(&hub);
            for number in 0..12 {
                hub.publish(TOPICS[number % 3]);
            }
            for moment in 0..cut {
                if !desk.link_event(&hub) && !desk.fetch_event(&hub, moment, false) {
                    desk.wake(&hub);
                }
            }
            desk.connect(&hub);
            desk.settle(&hub);
            check(&hub, &desk);
            let ids: Vec<_> = desk.order.clone();
            if options.is_empty() {
                let sent: Vec<_> = hub.log.iter().map(|(_, id)| id.clone()).collect();
                assert_eq!(ids, sent, "in order, cut at {cut}");
            }
        }
    }
}

/// What is lost is said to be, and what is still held comes.
#[test]
fn a_history_that_was_cut_is_a_gap() {
    let mut hub = Hub::default();
    let mut desk = Desk::new(&TOPICS[..1], "");
    desk.connect(&hub);
    hub.publish("a");
    desk.settle(&hub);
    desk.hang_up();
    for _ in 0..10 {
        hub.publish("a");
    }
    hub.kept_from = 6;
    desk.settle(&hub);
    assert_eq!(desk.inbox.len(), 1 + 5);
    assert_eq!(desk.gaps.iter().collect::<Vec<_>>(), [&"unknown_cursor"]);
    desk.gaps.clear();
    desk.connect(&hub);
    desk.settle(&hub);
    assert!(desk.gaps.is_empty(), "it is whole again");
}

#[derive(Clone, Debug)]
enum Noise {
    Opened(Vec<(String, String)>),
    Event(String, String, String),
    Comment,
    Position(String),
    Closed,
    Refused(u16, Vec<(String, String)>, String),
    Head(u32, Vec<(String, String)>),
    Line(u32, String),
    Body(u32, String),
    TooLong(u32),
    End(u32),
    FetchRefused(u32, u16),
    Waited(u32),
    Frame(String),
}

fn noise() -> impl Strategy<Value = Noise> {
    let headers = prop::collection::vec(
        (
            "content-type|last-event-id|mercure-last-event-id|www-authenticate|set-cookie",
            "text/event-stream|earliest|e[0-9]|.{0,12}",
        ),
        0..3,
    );
    let data = prop_oneof![
        ".{0,20}",
        Just(r#"{"topic":"a","title":1}"#.to_owned()),
        Just(r#"{"token":"t.e.t"}"#.to_owned()),
    ];
    let tag = 0..12_u32;
    prop_oneof![
        headers.clone().prop_map(Noise::Opened),
        (".{0,5}", "e[0-9]|.{0,5}", data.clone()).prop_map(|(n, i, d)| Noise::Event(n, i, d)),
        Just(Noise::Comment),
        ".{0,5}".prop_map(Noise::Position),
        Just(Noise::Closed),
        (200..600_u16, headers.clone(), "match|topic|.{0,9}")
            .prop_map(|(s, h, b)| Noise::Refused(s, h, b)),
        (tag.clone(), headers).prop_map(|(t, h)| Noise::Head(t, h)),
        (tag.clone(), "(id|data|event): .{0,5}|:|.{0,9}|").prop_map(|(t, l)| Noise::Line(t, l)),
        (tag.clone(), data).prop_map(|(t, b)| Noise::Body(t, b)),
        tag.clone().prop_map(Noise::TooLong),
        tag.clone().prop_map(Noise::End),
        (tag.clone(), 200..600_u16).prop_map(|(t, s)| Noise::FetchRefused(t, s)),
        tag.prop_map(Noise::Waited),
        ".{0,9}".prop_map(Noise::Frame),
    ]
}

proptest! {
    /// Whatever comes, in whatever order: no panic, and no cursor of a topic whose history is not here.
    #[test]
    fn anything_can_come(
        noise in prop::collection::vec(noise(), 0..60),
        separate in any::<bool>(),
        fetched in any::<bool>(),
        cursor in prop::option::of("s[0-9]( e[0-9])?|.{0,6}"),
    ) {
        let options = serde_json::json!({
            "separate": separate,
            "token_url": if fetched { "https://ex.test/token" } else { "" },
        });
        let topics = [("a", cursor.as_deref()), ("b", None)];
        let mut session = Mercure.session(super::script::resume(&topics, &options.to_string()));
        let mut now = Timestamp::from_second(super::script::NOW).unwrap();
        let mut effects = session.start(now);
        let mut filled = BTreeSet::new();
        for noise in noise {
            now += jiff::SignedDuration::from_secs(1);
            let input = match &noise {
                Noise::Opened(headers) => Input::Opened { headers },
                Noise::Event(name, id, data) => Input::Event { name, id, data },
                Noise::Comment => Input::Comment(""),
                Noise::Position(id) => Input::Position { id },
                Noise::Closed => Input::Closed { code: None, reason: "" },
                Noise::Refused(status, headers, body) => Input::Refused {
                    status: *status,
                    headers,
                    retry_after: None,
                    body,
                },
                Noise::Head(tag, headers) => Input::Fetched { tag: *tag, part: Fetched::Head(headers) },
                Noise::Line(tag, line) => Input::Fetched { tag: *tag, part: Fetched::Line(line) },
                Noise::Body(tag, body) => Input::Fetched { tag: *tag, part: Fetched::Body(body) },
                Noise::TooLong(tag) => Input::Fetched { tag: *tag, part: Fetched::TooLong },
                Noise::End(tag) => Input::Fetched { tag: *tag, part: Fetched::End },
                Noise::FetchRefused(tag, status) => Input::Fetched {
                    tag: *tag,
                    part: Fetched::Refused { status: *status, headers: &[], retry_after: None, body: "" },
                },
                Noise::Waited(tag) => Input::Waited { tag: *tag },
                Noise::Frame(frame) => Input::Frame(frame),
            };
            effects.extend(session.receive(input, now));
        }
        for effect in effects {
            match effect {
                Effect::Filled { subscription, .. } => {
                    filled.insert(subscription.0);
                }
                Effect::Advance { subscription, .. } if subscription.0 == 2 => {
                    prop_assert!(filled.contains(&2), "its history comes first");
                }
                Effect::Notify { origin, .. } => {
                    prop_assert!([Origin::Live, Origin::Backfill, Origin::FirstFilling].contains(&origin));
                }
                _ => {}
            }
        }
    }
}
