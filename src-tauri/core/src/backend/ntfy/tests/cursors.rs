//! Where to resume: never past what was not handed over, never back. The script itself asserts that no cursor
//! ever goes back.

use super::script::{DAY, NOW, Script, filled, resume, said};
use crate::backend::{Effect, Fetched, Input};
use crate::model::TransportKind;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const WS: TransportKind = TransportKind::Websocket;

fn keepalive(time: i64) -> Value {
    json!({"id": "k", "time": time, "event": "keepalive", "topic": "a,b"})
}

#[test]
fn a_live_one_does_not_move_the_cursor_over_the_history_that_is_missing() {
    let mut script = Script::new(resume(WS, &[("a", Some(NOW - 1000))]));
    script.frame(&said("a", "1", NOW - 5));
    script.open(NOW);
    script.frame(&said("a", "2", NOW));
    let tag = script.tag("/a/json");
    script.head(tag, &[]);
    script.line(tag, &said("a", "0", NOW - 900));
    // The connection breaks here: nothing was advanced.
    assert_eq!(script.cursors[&1], NOW - 1000);
    script.end(tag);
    assert_eq!(script.cursors[&1], NOW);
    script.wait(10);
    script.frame(&said("a", "3", NOW + 10));
    assert_eq!(script.cursors[&1], NOW + 10);
    script.frame(&said("a", "2", NOW));
    assert_eq!(script.cursors[&1], NOW + 10);
}

#[test]
fn a_topic_without_messages_has_a_cursor_once_it_is_filled() {
    let mut script = Script::new(resume(WS, &[("a", None)]));
    script.open(NOW + 50);
    script.answer_all();
    assert_eq!(script.cursors[&1], NOW + 50);
}

/// Delayed messages and late ones have times before the cursor: the overlap fetches them.
#[test]
fn the_least_cursor_less_the_overlap_is_where_it_resumes() {
    let mut script = Script::new(resume(
        WS,
        &[("a", Some(NOW - 50)), ("b", Some(NOW - 7000))],
    ));
    script.open(NOW);
    script.tag(&format!("/a,b/json?poll=1&since={}", NOW - 7300));
    let mut early = Script::new(resume(WS, &[("a", Some(3))]));
    early.open(NOW);
    early.tag("since=1");
}

#[test]
fn a_quiet_topic_is_brought_along() {
    let mut script = Script::new(resume(WS, &[("a", Some(NOW)), ("b", Some(NOW))]));
    script.open(NOW);
    script.wait(5000);
    script.frame(&keepalive(NOW + 5000));
    // Its history is not complete yet.
    assert_eq!(script.cursors[&2], NOW);
    script.answer_all();
    assert_eq!(script.cursors[&2], NOW);
    script.frame(&keepalive(NOW + 300));
    assert_eq!(script.cursors[&2], NOW);
    script.frame(&keepalive(NOW + 5000));
    assert_eq!(
        (script.cursors[&1], script.cursors[&2]),
        (NOW + 5000, NOW + 5000)
    );
    script.wait(5000);
    script.frame(&said("a", "1", NOW + 10_000));
    assert_eq!(
        (script.cursors[&1], script.cursors[&2]),
        (NOW + 10_000, NOW + 10_000)
    );
}

/// Somebody who may set a message's time does not make us skip what is still to come.
#[test]
fn a_message_from_the_future_does_not_take_the_cursor_there() {
    for transport in [WS, TransportKind::Poll] {
        let mut script = Script::new(resume(
            transport,
            &[("a", Some(NOW - 100)), ("b", Some(NOW - 100))],
        ));
        if transport == WS {
            script.open(NOW);
            script.frame(&said("a", "x", NOW + 9_000_000));
        }
        let tag = script.tag("a,b");
        script.answer(tag, &[said("b", "y", i64::MAX)]);
        if transport == WS {
            script.frame(&said("b", "z", NOW + 9_000_000));
        }
        assert!(
            script.cursors.values().all(|&cursor| cursor <= NOW),
            "{:?}",
            script.cursors
        );
    }
}

/// A cursor that the server's clock has not reached says nothing about what is missing.
#[test]
fn a_server_whose_clock_was_set_back_is_asked_for_all_of_the_window() {
    let mut script = Script::new(resume(WS, &[("a", Some(NOW + DAY))]));
    script.open(NOW);
    let tag = script.tag(&format!("since={}", NOW - DAY));
    script.answer(tag, &[said("a", "1", NOW - 40)]);
    assert_eq!(filled(&script.taken(), 1), Some(true));
    assert_eq!(script.cursors[&1], NOW + DAY);
}

#[test]
fn our_own_clock_matters_only_where_the_servers_is_unknown() {
    let mut ours_is_behind = Script::new(resume(WS, &[("a", Some(NOW + 50_000))]));
    ours_is_behind.open(NOW + 60_000);
    let tag = ours_is_behind.tag(&format!("since={}", NOW + 49_700));
    ours_is_behind.answer(tag, &[said("a", "1", NOW + 55_000)]);
    assert_eq!(ours_is_behind.cursors[&1], NOW + 60_000);

    let mut unknown = Script::new(resume(TransportKind::Poll, &[("a", None)]));
    unknown.answer_all();
    assert_eq!(unknown.cursors[&1], NOW - DAY);

    let mut dated = Script::new(resume(TransportKind::Poll, &[("a", None)]));
    let tag = dated.tag("/a/json");
    dated.head(tag, &[("date", "Tue, 14 Nov 2023 22:13:30 GMT")]);
    dated.end(tag);
    assert_eq!(dated.cursors[&1], NOW + 10);

    let mut odd = Script::new(resume(TransportKind::Poll, &[("a", None)]));
    let tag = odd.tag("/a/json");
    odd.head(tag, &[("date", "yesterday")]);
    odd.end(tag);
    assert_eq!(odd.cursors[&1], NOW - DAY);
}

#[test]
fn a_poll_moves_no_cursor_before_its_end() {
    let mut script = Script::new(resume(TransportKind::Poll, &[("a", Some(NOW - 1000))]));
    script.answer(script.tag("/a/"), &[said("a", "1", NOW - 700)]);
    assert_eq!(script.cursors[&1], NOW - 700);
    let Some(Effect::Wait { tag, .. }) = script.taken().pop() else {
        panic!("no wait");
    };
    script.wait(60);
    script.tell(Input::Waited { tag });
    let tag = script.tag("/a/");
    script.head(tag, &[]);
    script.line(tag, &said("a", "2", NOW));
    assert_eq!(script.cursors[&1], NOW - 700);
    script.end(tag);
    assert_eq!(script.cursors[&1], NOW);
}

#[test]
fn a_cursor_that_is_none_of_ours_is_none() {
    for odd in ["", "abc", "-5", "sPs71M8A2Tab", "99999999999999999999999"] {
        let mut resume = resume(WS, &[("a", Some(NOW))]);
        resume.topics[0].cursor = Some(crate::model::Cursor(odd.to_owned()));
        let mut session = super::super::session::Conversation::new(resume);
        let now = jiff::Timestamp::from_second(NOW).unwrap();
        let open = json!({"id": "o", "event": "open", "time": NOW}).to_string();
        let effects = crate::backend::Session::receive(&mut session, Input::Frame(&open), now);
        let asked = effects.iter().any(|effect| {
            matches!(effect, Effect::Fetch { request, .. } if request.url.as_str().ends_with(&format!("since={}", NOW - DAY)))
        });
        assert!(asked, "{odd}: {effects:?}");
    }
}

/// What a server holds and does: it keeps everything, and connections break anywhere.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        topic: usize,
        late: i64,
    },
    Wait(i64),
    /// The link is opened; so many lines of the history come through, all of it if there are fewer.
    Connect {
        lines: usize,
    },
    Break,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_usize..3, 0_i64..250).prop_map(|(topic, late)| Step::Publish { topic, late }),
        3 => (0_i64..400).prop_map(Step::Wait),
        2 => prop_oneof![Just(usize::MAX), 0_usize..6].prop_map(|lines| Step::Connect { lines }),
        1 => Just(Step::Break),
    ];
    prop::collection::vec(step, 1..60)
}

const TOPICS: [&str; 3] = ["a", "b", "c"];

/// A server, the inbox, and the connections between them.
struct World {
    transport: TransportKind,
    time: i64,
    published: Vec<(usize, String, i64)>,
    cursors: BTreeMap<i64, i64>,
    inbox: BTreeSet<String>,
    link: Option<Script>,
}

impl World {
    fn store(&mut self) {
        if let Some(link) = &mut self.link {
            self.inbox
                .extend(link.ids().into_iter().map(|(_, id, _)| id));
            self.cursors.clone_from(&link.cursors);
        }
    }

    /// A message whose time is a little before the moment in which the server lets it out.
    fn publish(&mut self, topic: usize, late: i64) {
        let id = format!("m{}", self.published.len());
        let time = self.time - late;
        self.published.push((topic, id.clone(), time));
        if let Some(link) = &mut self.link
            && self.transport == WS
        {
            link.frame(&said(TOPICS[topic], &id, time));
        }
        self.store();
    }

    fn connect(&mut self, lines: usize) {
        let topics: Vec<_> = TOPICS
            .iter()
            .zip(1..)
            .map(|(topic, id)| (*topic, self.cursors.get(&id).copied()))
            .collect();
        let mut script = Script::new(resume(self.transport, &topics));
        script.wait(self.time - NOW);
        if self.transport == WS {
            script.open(self.time);
        }
        let mut whole = true;
        for (tag, url) in script.fetches.clone() {
            let since: i64 = url.rsplit_once("since=").unwrap().1.parse().unwrap();
            let asked = url.split('/').nth(3).unwrap();
            let mut history: Vec<_> = self
                .published
                .iter()
                .filter(|(topic, _, time)| {
                    asked.split(',').any(|name| name == TOPICS[*topic]) && *time >= since
                })
                .cloned()
                .collect();
            history.sort_by_key(|(_, _, time)| *time);
            script.head(tag, &[]);
            for (topic, id, time) in history.iter().take(lines) {
                script.line(tag, &said(TOPICS[*topic], id, *time));
            }
            if history.len() <= lines {
                script.end(tag);
            } else {
                whole = false;
            }
        }
        self.link = Some(script);
        self.store();
        if !whole {
            self.link = None;
        }
    }
}

proptest! {
    /// However a connection breaks: after one whole connection everything of the window is in the inbox.
    #[test]
    fn nothing_is_lost_over_any_breaks(steps in steps(), polled in any::<bool>()) {
        let transport = if polled { TransportKind::Poll } else { WS };
        let mut world = World {
            transport,
            time: NOW,
            published: Vec::new(),
            cursors: BTreeMap::new(),
            inbox: BTreeSet::new(),
            link: None,
        };
        for step in steps {
            match step {
                Step::Publish { topic, late } => world.publish(topic, late),
                Step::Wait(seconds) => {
                    world.time += seconds;
                    if let Some(link) = &mut world.link {
                        link.wait(seconds);
                        if transport == WS {
                            link.frame(&keepalive(world.time));
                        }
                    }
                    world.store();
                }
                Step::Connect { lines } => world.connect(lines),
                Step::Break => world.link = None,
            }
        }
        world.connect(usize::MAX);
        for (_, id, _) in &world.published {
            prop_assert!(world.inbox.contains(id), "{id} is lost");
        }
    }
}

#[test]
fn an_end_without_a_beginning_changes_nothing() {
    let mut script = Script::new(resume(WS, &[("a", Some(NOW))]));
    script.part(1, Fetched::End);
    script.part(2, Fetched::Line("{}"));
    assert_eq!(script.cursors[&1], NOW);
}
