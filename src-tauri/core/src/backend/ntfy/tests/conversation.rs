//! What is asked, when, and what follows.

use super::script::{DAY, NOW, Script, filled, resume, said, update};
use crate::backend::{Effect, FailureKind, Fetched, Input};
use crate::model::{Origin, SubscriptionId, TransportKind};
use serde_json::{Value, json};
use std::time::Duration;

const LINKS: [(TransportKind, &str); 3] = [
    (TransportKind::Websocket, "ws"),
    (TransportKind::HttpStream, "json"),
    (TransportKind::Sse, "sse"),
];

fn two(transport: TransportKind) -> Script {
    Script::new(resume(
        transport,
        &[("a", Some(NOW - 1000)), ("b", Some(NOW - 500))],
    ))
}

fn refusals(effects: &[Effect]) -> Vec<(i64, bool)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::TopicRefused { subscription, says } => Some((subscription.0, !says.is_empty())),
            _ => None,
        })
        .collect()
}

/// One connection for all topics: one for each trips the server's limits. `since` is left to the fetch.
#[test]
fn the_link_is_one_for_all_topics_and_asks_for_no_history() {
    for (transport, ending) in LINKS {
        let mut script = two(transport);
        assert_eq!(
            script.opened,
            [format!("https://ntfy.ex.test/a,b/{ending}")]
        );
        script.tell(Input::Opened { headers: &[] });
        assert!(script.fetches.is_empty());
    }
}

/// The server subscribes before it says `open`: only after that nothing can fall between link and fetch.
#[test]
fn history_is_asked_for_once_the_server_listens() {
    for (transport, _) in LINKS {
        let mut script = two(transport);
        script.frame(&said("a", "early", NOW));
        assert!(script.fetches.is_empty());
        script.open(NOW);
        let urls: Vec<_> = script.fetches.values().cloned().collect();
        assert_eq!(
            urls,
            [format!(
                "https://ntfy.ex.test/a,b/json?poll=1&since={}",
                NOW - 1300
            )]
        );
        script.open(NOW);
        assert_eq!(script.fetches.len(), 1);
    }
}

/// A new topic is filled on its own, in the server's time, and not told as news.
#[test]
fn a_new_topic_is_filled_by_itself() {
    let mut script = Script::new(resume(
        TransportKind::Websocket,
        &[("a", Some(NOW)), ("b", None), ("c", None)],
    ));
    let server = NOW + 7200;
    script.open(server);
    let old = script.tag("/a/json?poll=1");
    let new = script.tag(&format!("/b,c/json?poll=1&since={}", server - DAY));
    script.answer(old, &[said("a", "1", NOW)]);
    script.answer(new, &[said("b", "2", NOW), said("c", "3", NOW)]);
    let first = Origin::FirstFilling;
    assert_eq!(
        script.ids(),
        [
            (1, "1".to_owned(), Origin::Backfill),
            (2, "2".to_owned(), first),
            (3, "3".to_owned(), first)
        ]
    );
}

#[test]
fn it_is_live_when_every_topic_is_filled() {
    let mut script = Script::new(resume(
        TransportKind::Websocket,
        &[("a", Some(NOW)), ("b", None)],
    ));
    script.open(NOW);
    let (old, new) = (script.tag("/a/json"), script.tag("/b/json"));
    script.taken();
    script.answer(new, &[]);
    let effects = script.taken();
    assert_eq!(
        (filled(&effects, 2), filled(&effects, 1)),
        (Some(false), None)
    );
    assert!(!effects.contains(&Effect::Live));
    script.answer(old, &[]);
    let effects = script.taken();
    assert_eq!(filled(&effects, 1), Some(false));
    assert_eq!(effects.last(), Some(&Effect::Live));
    assert_eq!(refusals(&effects), [(1, false)]);
}

#[test]
fn live_ones_come_through_before_between_and_after_the_history() {
    let mut script = two(TransportKind::HttpStream);
    script.frame(&said("a", "1", NOW));
    script.open(NOW);
    let tag = script.tag("a,b");
    script.head(tag, &[]);
    script.line(tag, &said("a", "0", NOW - 900));
    script.frame(&said("b", "2", NOW + 1));
    script.line(tag, &said("a", "1", NOW));
    script.end(tag);
    script.wait(2);
    script.frame(&said("b", "3", NOW + 2));
    let (live, back) = (Origin::Live, Origin::Backfill);
    assert_eq!(
        script.ids(),
        [
            (1, "1", live),
            (1, "0", back),
            (2, "2", live),
            (1, "1", back),
            (2, "3", live)
        ]
        .map(|(s, id, o)| (s, id.to_owned(), o))
    );
}

/// A fetched repeat of what came live has the same version, and an update of the same second a higher one.
#[test]
fn repeats_and_updates_of_one_second_are_told_apart() {
    let mut script = Script::new(resume(TransportKind::Websocket, &[("a", Some(NOW))]));
    script.open(NOW);
    script.frame(&update("a", "2", "job", NOW));
    let tag = script.tag("/a/json");
    script.answer(
        tag,
        &[
            update("a", "1", "job", NOW),
            update("a", "2", "job", NOW),
            update("a", "3", "job", NOW),
        ],
    );
    let versions: Vec<_> = script
        .drafts()
        .into_iter()
        .map(|(_, draft, _)| (draft.remote_id, draft.version))
        .collect();
    let of = |id: &str| {
        versions
            .iter()
            .filter(|(known, _)| known == id)
            .map(|(_, version)| *version)
            .collect::<Vec<_>>()
    };
    assert!(
        of("1")[0] < of("2")[0] && of("2")[0] < of("3")[0],
        "{versions:?}"
    );
    assert_eq!(of("2")[0], of("2")[1]);
}

#[test]
fn the_server_says_when_it_did_not_send_everything() {
    let mut script = two(TransportKind::Websocket);
    script.open(NOW);
    let tag = script.tag("a,b");
    script.head(tag, &[("x-messages-truncated", "1")]);
    script.end(tag);
    let effects = script.taken();
    assert_eq!(
        (filled(&effects, 1), filled(&effects, 2)),
        (Some(true), Some(true))
    );
}

#[test]
fn signs_of_life_are_passed_on() {
    let mut script = two(TransportKind::HttpStream);
    script.taken();
    script.tell(Input::Alive);
    script.frame(&json!({"id": "k", "time": NOW, "event": "keepalive", "topic": "a,b"}));
    assert_eq!(script.taken(), [Effect::KeepAlive, Effect::KeepAlive]);
}

/// A portal answers everything with status 200 and a page.
#[test]
fn a_page_in_place_of_the_history_is_no_history() {
    let mut script = two(TransportKind::Websocket);
    script.open(NOW);
    let before = script.cursors.clone();
    let tag = script.tag("a,b");
    script.part(
        tag,
        Fetched::Head(&[("content-type".to_owned(), "text/html".to_owned())]),
    );
    assert_eq!(script.failure().kind, FailureKind::Transient);

    let mut script = two(TransportKind::Websocket);
    script.open(NOW);
    let tag = script.tag("a,b");
    script.part(tag, Fetched::Head(&[]));
    script.part(tag, Fetched::Line("<html>"));
    script.end(tag);
    assert_eq!(script.failure().kind, FailureKind::Transient);
    assert_eq!(script.cursors, before);
}

#[test]
fn one_line_that_cannot_be_read_does_not_cost_the_others() {
    let mut script = two(TransportKind::Websocket);
    script.open(NOW);
    let tag = script.tag("a,b");
    script.head(tag, &[]);
    script.part(tag, Fetched::Line("{"));
    script.part(tag, Fetched::Line(""));
    script.line(tag, &said("a", "1", NOW));
    script.end(tag);
    let effects = script.taken();
    assert_eq!(
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Unreadable { .. }))
            .count(),
        1
    );
    assert_eq!(filled(&effects, 1), Some(false));
}

/// One topic that may not be read fails the whole connection: the others go on without it.
#[test]
fn a_forbidden_topic_is_found_and_left_out() {
    let mut script = Script::new(resume(
        TransportKind::Websocket,
        &[("a", None), ("b", None), ("c", None)],
    ));
    script.tell(Input::Refused {
        status: 403,
        headers: &[],
        retry_after: None,
        body: "",
    });
    let urls: Vec<_> = script.fetches.values().cloned().collect();
    assert_eq!(
        urls,
        ["a", "b", "c"].map(|topic| format!("https://ntfy.ex.test/{topic}/auth"))
    );
    let (a, b, c) = (script.tag("/a/"), script.tag("/b/"), script.tag("/c/"));
    script.taken();
    script.answer(a, &[json!({"success": true})]);
    script.refuse(b, 403);
    assert_eq!(script.opened.len(), 1);
    script.answer(c, &[json!({"success": true})]);
    assert_eq!(refusals(&script.taken()), [(2, true)]);
    assert_eq!(script.opened[1], "https://ntfy.ex.test/a,c/ws");
    script.open(NOW);
    script.answer_all();
    let effects = script.taken();
    assert_eq!(
        (
            filled(&effects, 1),
            filled(&effects, 2),
            filled(&effects, 3)
        ),
        (Some(false), None, Some(false))
    );
    assert!(effects.contains(&Effect::Live));
}

#[test]
fn what_becomes_of_a_search_for_the_forbidden_one() {
    let searching = || {
        let mut script = two(TransportKind::Sse);
        script.tell(Input::Refused {
            status: 403,
            headers: &[],
            retry_after: None,
            body: "",
        });
        script
    };
    let mut none_left = searching();
    none_left.refuse(none_left.tag("/a/"), 403);
    none_left.refuse(none_left.tag("/b/"), 403);
    assert_eq!(none_left.failure().kind, FailureKind::Forbidden);

    let mut none_refused = searching();
    none_refused.answer_all();
    assert_eq!(none_refused.failure().kind, FailureKind::Transient);

    for (status, kind) in [
        (401, FailureKind::SignIn),
        (429, FailureKind::Transient),
        (503, FailureKind::Transient),
    ] {
        let mut cut_short = searching();
        cut_short.refuse(cut_short.tag("/a/"), status);
        assert_eq!(cut_short.failure().kind, kind);
    }

    let mut portal = searching();
    let tag = portal.tag("/a/");
    portal.part(
        tag,
        Fetched::Head(&[("content-type".to_owned(), "text/html".to_owned())]),
    );
    assert_eq!(portal.failure().kind, FailureKind::Transient);
}

#[test]
fn a_history_that_is_refused_ends_the_attempt() {
    for (status, kind) in [
        (401, FailureKind::SignIn),
        (403, FailureKind::Forbidden),
        (429, FailureKind::Transient),
        (500, FailureKind::Transient),
    ] {
        let mut script = Script::new(resume(TransportKind::Websocket, &[("a", Some(NOW))]));
        script.open(NOW);
        script.refuse(script.tag("/a/"), status);
        assert_eq!(script.failure().kind, kind, "{status}");
    }
}

fn wait(effects: &[Effect]) -> u32 {
    match effects.last() {
        Some(Effect::Wait { tag, time }) => {
            assert_eq!(*time, Duration::from_mins(1));
            *tag
        }
        other => panic!("no wait but {other:?}"),
    }
}

#[test]
fn where_nothing_can_be_held_open_it_asks_again_and_again() {
    let mut script = two(TransportKind::Poll);
    assert!(script.opened.is_empty());
    let tag = script.tag(&format!("/a,b/json?poll=1&since={}", NOW - 1300));
    script.answer(tag, &[said("a", "1", NOW - 200)]);
    let effects = script.taken();
    assert!(effects.contains(&Effect::Live) && effects.contains(&Effect::KeepAlive));
    let tag = wait(&effects);
    script.wait(60);
    script.tell(Input::Waited { tag });
    let tag = script.tag("/a,b/json");
    script.answer(tag, &[said("b", "2", NOW + 30)]);
    assert_eq!(script.ids(), [(2, "2".to_owned(), Origin::Live)]);
}

#[test]
fn a_poll_after_a_long_sleep_brings_a_backlog() {
    let mut script = two(TransportKind::Poll);
    script.answer_all();
    let tag = wait(&script.taken());
    script.wait(3600);
    script.tell(Input::Waited { tag });
    let tag = script.tag("/a,b/json");
    script.answer(tag, &[said("b", "2", NOW + 30)]);
    assert_eq!(script.ids(), [(2, "2".to_owned(), Origin::Backfill)]);
}

#[test]
fn a_new_topic_that_is_polled_is_filled_only_once() {
    let mut script = Script::new(resume(TransportKind::Poll, &[("a", None)]));
    let tag = script.tag(&format!("since={}", NOW - DAY));
    script.answer(tag, &[]);
    let tag = wait(&script.taken());
    script.wait(60);
    script.tell(Input::Waited { tag });
    script.answer(script.tag("/a/json"), &[said("a", "1", NOW)]);
    assert_eq!(script.ids(), [(1, "1".to_owned(), Origin::Live)]);
}

#[test]
fn a_forbidden_topic_of_a_poll_is_left_out_too() {
    let mut script = two(TransportKind::Poll);
    script.refuse(script.tag("/a,b/json"), 403);
    script.refuse(script.tag("/a/auth"), 403);
    let b = script.tag("/b/auth");
    script.answer(b, &[json!({"success": true})]);
    assert_eq!(refusals(&script.taken()), [(1, true)]);
    let tag = script.tag("/b/json?poll=1");
    script.answer(tag, &[]);
    assert!(script.taken().contains(&Effect::Live));
}

#[test]
fn what_nobody_asked_for_is_ignored() {
    let mut script = two(TransportKind::Websocket);
    script.taken();
    script.tell(Input::Waited { tag: 9 });
    for part in [Fetched::Head(&[]), Fetched::Line("{}"), Fetched::End] {
        script.part(77, part);
    }
    assert_eq!(script.taken(), []);
    let nobody: Value = said("nobody", "1", NOW);
    script.frame(&nobody);
    assert!(matches!(
        script.taken().as_slice(),
        [Effect::Unreadable { .. }]
    ));
    assert!(!script.cursors.contains_key(&SubscriptionId(3).0));
}
