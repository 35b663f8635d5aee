//! What is asked, when, and what follows.

use super::script::{Script, query, resume, sent};
use crate::backend::{Effect, FailureKind, Fetched, Input, Missing};
use crate::model::{Origin, SubscriptionId};
use serde_json::json;
use std::time::Duration;

const A: &str = "https://ex.test/a";
const B: &str = "https://ex.test/b";

fn said(topic: &str, text: &str) -> String {
    json!({"topic": topic, "message": text}).to_string()
}

fn filled(effects: &[Effect]) -> Vec<(i64, Option<Missing>)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Filled {
                subscription,
                missing,
            } => Some((subscription.0, *missing)),
            _ => None,
        })
        .collect()
}

/// A resumed stream of one topic, through its backlog.
fn settled() -> Script {
    let mut script = Script::new(resume(&[(A, Some("s1 e1"))], ""));
    script.open(&[("last-event-id", "e1")]);
    script.wake();
    script.taken();
    script
}

#[test]
fn one_stream_carries_all_topics_from_the_newest_position() {
    let cursors = [
        (A, Some("s7 e7")),
        (B, Some("s12 e12")),
        ("c d", Some("s3")),
    ];
    let script = Script::new(resume(&cursors, ""));
    let [request] = script.opened.as_slice() else {
        panic!("one link: {:?}", script.opened);
    };
    let wanted = [
        ("topic", A),
        ("topic", B),
        ("topic", "c d"),
        ("lastEventID", "e12"),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(query(request), wanted);
    assert_eq!(sent(request, "Last-Event-ID"), Some("e12"));
    assert!(request.wants_head && request.patience > Some(Duration::from_secs(20)));
    assert!(script.fetches.is_empty());

    let script = Script::new(resume(&cursors, r#"{"dialect":"1.0"}"#));
    let wanted = [
        ("match", A),
        ("match", B),
        ("match", "c d"),
        ("last_event_id", "e12"),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(query(&script.opened[0]), wanted);
}

#[test]
fn a_backlog_moves_the_cursor_with_each_event_and_is_over_when_it_is_quiet() {
    let mut script = Script::new(resume(&[(A, Some("s1 e1")), (B, Some("s1 e1"))], ""));
    script.open(&[("last-event-id", "e1")]);
    script.tell(Input::Comment(""));
    script.event("e2", &said(A, "two"));
    assert_eq!(script.cursors[&1], "s2 e2");
    script.event("e3", &said(B, "three"));
    assert_eq!(
        (&*script.cursors[&1], &*script.cursors[&2]),
        ("s2 e2", "s3 e3")
    );
    let effects = script.taken();
    assert!(filled(&effects).is_empty() && !effects.contains(&Effect::Live));
    script.wake();
    assert!(script.taken().is_empty() || script.cursors[&1] == "s2 e2");
    script.event("e4", &said(A, "four"));
    assert_eq!(script.ids(), [(1, "e4".to_owned(), Origin::Backfill)]);
    script.wake();
    script.wake();
    let effects = script.taken();
    assert_eq!(filled(&effects), [(1, None), (2, None)]);
    assert!(effects.contains(&Effect::Live));
    assert_eq!(
        script.cursors[&2], "s4 e4",
        "a quiet topic is brought along"
    );
    script.event("e5", &said(B, "five"));
    assert_eq!(script.ids(), [(2, "e5".to_owned(), Origin::Live)]);
}

/// 0.x tells the newest event that it holds, 1.0 that it begins nowhere; neither sends what it still has.
#[test]
fn a_position_that_the_hub_does_not_know_is_a_gap_and_what_it_holds_is_fetched_once() {
    let hubs = [
        ("", "last-event-id", "e9", "lastEventID"),
        (
            r#"{"dialect":"1.0"}"#,
            "mercure-last-event-id",
            "earliest",
            "last_event_id",
        ),
    ];
    for (options, header, answered, parameter) in hubs {
        let mut script = Script::new(resume(&[(A, Some("s1 e1"))], options));
        script.open(&[(header, answered)]);
        let tag = script.tag(&format!("{parameter}=earliest"));
        assert!(script.cursors.is_empty(), "nothing moves past a gap");
        script.event("e10", "live");
        assert!(script.cursors.is_empty());
        assert_eq!(script.ids(), [(1, "e10".to_owned(), Origin::Live)]);
        script.answer(
            tag,
            &[(header, "earliest")],
            &[("e8", "eight"), ("e9", "nine")],
        );
        let effects = script.taken();
        assert_eq!(filled(&effects), [(1, Some(Missing::UnknownCursor))]);
        assert!(effects.contains(&Effect::Live));
        assert_eq!(script.cursors[&1], "s2 e10");
        assert!(script.fetches.is_empty(), "once");
    }
}

#[test]
fn where_a_gap_is_followed_by_silence_the_history_or_the_hub_tells_the_position() {
    for (answered, history, cursor) in [
        ("e9", &[("e8", "8"), ("e9", "9")][..], "s2 e9"),
        ("e9", &[], "s1 e9"),
        ("earliest", &[], "s1"),
    ] {
        let mut script = Script::new(resume(&[(A, Some("s1 e1"))], ""));
        script.open(&[("last-event-id", answered)]);
        let tag = script.tag("earliest");
        script.answer(tag, &[("last-event-id", "earliest")], history);
        assert_eq!(script.cursors[&1], cursor);
    }
}

/// An empty answer says that it keeps nothing: what was published while nobody listened is gone.
#[test]
fn a_hub_that_keeps_nothing_says_so() {
    let mut script = Script::new(resume(&[(A, Some("s1 e1"))], ""));
    script.open(&[("last-event-id", "earliest")]);
    let tag = script.tag("earliest");
    script.answer(tag, &[("last-event-id", "earliest")], &[]);
    assert_eq!(filled(&script.taken()), [(1, Some(Missing::LiveOnly))]);
}

#[test]
fn a_new_topic_is_filled_beside_the_stream_and_the_others_go_on() {
    let mut script = Script::new(resume(&[(A, Some("s5 e5")), (B, None)], ""));
    script.open(&[("last-event-id", "e5")]);
    let tag = script.tag("earliest");
    assert_eq!(
        query(&script.fetches[&tag])[0],
        ("topic".to_owned(), B.to_owned()),
        "the new one alone"
    );
    script.event("e6", &said(A, "six"));
    assert_eq!(script.cursors[&1], "s6 e6");
    script.event("e7", &said(B, "seven"));
    assert!(!script.cursors.contains_key(&2), "its history comes first");
    script.wake();
    script.wake();
    let effects = script.taken();
    assert_eq!(filled(&effects), [(1, None)]);
    assert!(!effects.contains(&Effect::Live));
    script.answer(
        tag,
        &[],
        &[("e2", &said(B, "two")), ("e7", &said(B, "seven"))],
    );
    let effects = script.taken();
    assert_eq!(filled(&effects), [(2, None)]);
    assert!(effects.contains(&Effect::Live));
    let origins: Vec<_> = super::script::drafts(effects)
        .into_iter()
        .map(|d| d.2)
        .collect();
    assert_eq!(origins, [Origin::FirstFilling; 2]);
    assert_eq!(script.cursors[&2], "s7 e7");
}

#[test]
fn a_first_filling_keeps_a_day_and_the_newest_of_what_has_no_time() {
    let mut script = Script::new(resume(&[(A, None)], ""));
    assert_eq!(sent(&script.opened[0], "Last-Event-ID"), None);
    script.open(&[]);
    let tag = script.tag("earliest");
    let timed = |id: &str, age: i64| {
        let time = super::script::NOW - age;
        (
            id.to_owned(),
            json!({"title": id, "created_at": time}).to_string(),
        )
    };
    let mut events = vec![timed("week", 7 * 86_400), timed("hour", 3600)];
    events.extend((0..150).map(|n| (format!("n{n}"), format!("number {n}"))));
    let events: Vec<_> = events.iter().map(|(id, data)| (&**id, &**data)).collect();
    script.answer(tag, &[("last-event-id", "earliest")], &events);
    let ids: Vec<_> = script.ids().into_iter().map(|(_, id, _)| id).collect();
    assert_eq!(ids.len(), 101);
    assert_eq!((&*ids[0], &*ids[1], &*ids[100]), ("hour", "n50", "n149"));
    assert_eq!(script.cursors[&1], "s1 n149");
}

#[test]
fn the_page_that_named_the_hub_says_where_a_first_filling_begins() {
    let options = r#"{"last_event_id":"e3"}"#;
    let mut script = Script::new(resume(&[(A, None)], options));
    script.open(&[]);
    let tag = script.tag("lastEventID=e3");
    script.answer(tag, &[("last-event-id", "e3")], &[("e4", "four")]);
    assert_eq!(script.ids().len(), 1);

    // It was read long ago.
    let mut script = Script::new(resume(&[(A, None)], options));
    script.open(&[]);
    let tag = script.tag("lastEventID=e3");
    script.head(tag, &[("last-event-id", "e8")]);
    script.fetches.remove(&tag);
    let tag = script.tag("earliest");
    script.answer(tag, &[], &[("e8", "eight")]);
    let effects = script.taken();
    assert_eq!(filled(&effects), [(1, None)]);
}

/// Until something was published there is no position; then everything is what was missed.
#[test]
fn a_topic_without_history_is_asked_for_everything_next_time() {
    let mut script = Script::new(resume(&[(A, None)], ""));
    script.open(&[]);
    let tag = script.tag("earliest");
    script.answer(tag, &[], &[]);
    assert!(script.taken().contains(&Effect::Live));
    let cursor = script.cursors[&1].clone();
    let mut script = Script::new(resume(&[(A, Some(&cursor))], ""));
    assert_eq!(sent(&script.opened[0], "Last-Event-ID"), Some("earliest"));
    script.open(&[("last-event-id", "earliest")]);
    script.event("e1", "one");
    assert_eq!(script.ids(), [(1, "e1".to_owned(), Origin::Backfill)]);
}

#[test]
fn the_dialect_is_found_once_and_not_twice() {
    let words = "unknown topic matcher query parameter: \"topic\" (use \"match\" or \"match_urlpattern\")\n";
    let mut script = Script::new(resume(&[(A, Some("s1 e1"))], ""));
    script.refuse(400, &[], words);
    assert_eq!(query(&script.opened[1])[0].0, "match");
    script.refuse(400, &[], words);
    assert_eq!(script.failure().kind, FailureKind::Forbidden);

    let mut script = Script::new(resume(&[(A, None)], r#"{"dialect":"1.0"}"#));
    script.refuse(400, &[], "Missing \"topic\" parameter.\n");
    assert_eq!(query(&script.opened[1])[0].0, "topic");
    script.open(&[]);
    assert!(script.tag("topic=") > 0, "the history too");
}

#[test]
fn a_stream_that_ends_is_opened_again_and_nothing_is_wrong() {
    let mut script = settled();
    script.tell(Input::Closed {
        code: None,
        reason: "",
    });
    assert_eq!(script.failure().kind, FailureKind::Again);
}

#[test]
fn refusals_are_named() {
    let scope = "Bearer error=\"insufficient_scope\", resource_metadata=\"https://hub.test/x\"";
    let table = [
        (401, "", FailureKind::SignIn, "valid token"),
        (
            401,
            "Bearer error=\"invalid_request\"",
            FailureKind::SignIn,
            "tokens only",
        ),
        (403, "", FailureKind::Forbidden, "refuses this token"),
        (403, scope, FailureKind::Forbidden, "insufficient scope"),
        (400, "", FailureKind::Forbidden, "does not understand"),
        (404, "", FailureKind::WrongAddress, "not a Mercure hub"),
        (408, "", FailureKind::Transient, "in time"),
        (414, "", FailureKind::Forbidden, "too many"),
        (429, "", FailureKind::Transient, "rest"),
        (503, "", FailureKind::Transient, "503"),
        (302, "", FailureKind::Transient, "302"),
    ];
    for (status, challenge, kind, words) in table {
        let mut script = Script::new(resume(&[(A, None)], ""));
        let headers = [("www-authenticate", challenge)];
        let headers = if challenge.is_empty() {
            &[][..]
        } else {
            &headers
        };
        script.refuse(status, headers, "no such topic\n");
        let failure = script.failure();
        assert_eq!(failure.kind, kind, "{status} {challenge}");
        assert!(failure.says.contains(words), "{status}: {}", failure.says);
    }
}

#[test]
fn silence_means_death_once_the_keepalive_is_known() {
    let mut script = settled();
    script.pass(2);
    script.tell(Input::Comment(""));
    assert_eq!(script.taken(), [Effect::KeepAlive], "too soon to be one");
    script.pass(40);
    script.tell(Input::Comment(""));
    let silence = Effect::Silence(Duration::from_secs(55));
    assert_eq!(script.taken(), [silence, Effect::KeepAlive]);
    script.pass(40);
    script.tell(Input::Comment(""));
    assert_eq!(script.taken(), [Effect::KeepAlive], "no news");
    script.pass(-7200);
    script.tell(Input::Comment(""));
    script.pass(86_400);
    script.tell(Input::Comment(""));
    let silence = Effect::Silence(Duration::from_secs(315));
    assert_eq!(
        script.taken(),
        [Effect::KeepAlive, silence, Effect::KeepAlive]
    );
}

/// flask-mercure-sse drops a subscriber with more than five events in its queue, and goes on pinging.
#[test]
fn a_hub_that_says_nothing_of_its_position_is_asked_again_after_a_burst() {
    let mut script = Script::new(resume(&[(A, Some("s1 e1"))], ""));
    script.open(&[]);
    for id in ["e2", "e3", "e4", "e5", "e6"] {
        script.event(id, id);
    }
    script.wake();
    script.wake();
    assert_eq!(script.opened.len(), 2);
    assert_eq!(sent(&script.opened[1], "Last-Event-ID"), Some("e6"));
    assert!(filled(&script.taken()).is_empty(), "there may be more");
    script.open(&[]);
    script.event("e7", "seven");
    script.wake();
    script.wake();
    assert_eq!(script.opened.len(), 2, "that was all");
    assert_eq!(filled(&script.taken()), [(1, None)]);

    // A hub that replays the same again and again is not asked for ever.
    let mut script = Script::new(resume(&[(A, Some("s1 e5"))], ""));
    script.open(&[]);
    for id in ["e1", "e2", "e3", "e4", "e5"] {
        script.event(id, id);
    }
    script.wake();
    script.wake();
    assert_eq!(script.opened.len(), 1);

    // One that does say is believed.
    let mut script = settled();
    for n in 2..50 {
        script.event(&format!("e{n}"), "x");
    }
    assert!(script.waits.is_empty());
}

#[test]
fn a_backlog_in_five_parts_is_put_together() {
    let mut script = Script::new(resume(&[(A, None)], ""));
    script.open(&[]);
    let tag = script.tag("earliest");
    let five = [("1", "1"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", "5")];
    script.answer(tag, &[], &five);
    assert!(filled(&script.taken()).is_empty());
    let tag = script.tag("lastEventID=5");
    script.answer(tag, &[], &[("6", "6")]);
    let effects = script.taken();
    assert_eq!(filled(&effects), [(1, None)]);
    assert_eq!(super::script::drafts(effects).len(), 6);
}

#[test]
fn a_history_that_is_too_long_is_cut_and_said_to_be() {
    let mut script = Script::new(resume(&[(A, None)], ""));
    script.open(&[]);
    let tag = script.tag("earliest");
    script.head(tag, &[]);
    script.lines(tag, "id: 1\ndata: one\n\n");
    script.part(tag, Fetched::TooLong);
    script.end(tag);
    let effects = script.taken();
    assert_eq!(filled(&effects), [(1, Some(Missing::Truncated))]);
}

const SEPARATE: &str = r#"{"separate":true}"#;

#[test]
fn separate_topics_have_streams_and_cursors_of_their_own() {
    let mut script = Script::new(resume(&[(A, Some("a3 x")), (B, Some("s9 y"))], SEPARATE));
    assert!(script.opened.is_empty());
    let (a, b) = (script.tag("lastEventID=x"), script.tag("lastEventID=y"));
    script.head(a, &[("last-event-id", "x")]);
    script.lines(a, ":\nid: x2\ndata: of a\n\n");
    script.head(b, &[("last-event-id", "y")]);
    script.lines(b, ":\nid: y2\ndata: of b\n\n");
    assert_eq!(
        (&*script.cursors[&1], &*script.cursors[&2]),
        ("a4 x2", "a10 y2")
    );
    let ids: Vec<_> = script.ids().into_iter().map(|(s, id, _)| (s, id)).collect();
    assert_eq!(ids, [(1, "x2".to_owned()), (2, "y2".to_owned())]);
    for _ in 0..4 {
        script.wake();
    }
    assert!(script.taken().contains(&Effect::Live));
    // One ends and is opened at its own place; the other goes on.
    script.pass(600);
    script.end(a);
    assert_eq!(script.fetches.len(), 2);
    script.tag("lastEventID=x2");
    assert!(
        script
            .taken()
            .iter()
            .all(|effect| matches!(effect, Effect::Fetch { .. }))
    );
    let again = script.tag("lastEventID=x2");
    script.head(again, &[]);
    script.end(again);
    assert_eq!(
        script.failure().kind,
        FailureKind::Again,
        "too soon to be agreed"
    );
}

#[test]
fn a_topic_that_was_alone_comes_from_its_own_place() {
    let mut script = Script::new(resume(&[(A, Some("a3 x")), (B, Some("s9 y"))], ""));
    assert_eq!(sent(&script.opened[0], "Last-Event-ID"), Some("y"));
    script.open(&[("last-event-id", "y")]);
    let tag = script.tag("lastEventID=x");
    assert_eq!(query(&script.fetches[&tag])[0].1, A);
    script.wake();
    assert_eq!(filled(&script.taken()), [(2, None)]);
    script.answer(tag, &[("last-event-id", "x")], &[("x2", "of a")]);
    let effects = script.taken();
    assert_eq!(filled(&effects), [(1, None)]);
    assert!(effects.contains(&Effect::Live));
    assert_eq!(script.cursors[&1], "s9 y");
}

#[test]
fn separate_streams_change_their_dialect_together() {
    let mut script = Script::new(resume(&[(A, None), (B, None)], SEPARATE));
    let tags: Vec<u32> = script.fetches.keys().copied().collect();
    for tag in tags {
        script.fetches.remove(&tag);
        script.part(
            tag,
            Fetched::Refused {
                status: 400,
                headers: &[],
                retry_after: None,
                body: "use \"match\"",
            },
        );
    }
    assert_eq!(script.fetches.len(), 2);
    for request in script.fetches.values() {
        assert_eq!(query(request)[0].0, "match");
    }
}

#[test]
fn another_thing_than_a_stream_is_no_history() {
    let mut script = Script::new(resume(&[(A, None)], ""));
    script.open(&[]);
    let tag = script.tag("earliest");
    let html = super::script::headers(&[("content-type", "text/html")]);
    script.part(tag, Fetched::Head(&html));
    assert_eq!(script.failure().kind, FailureKind::Transient);
}

#[test]
fn settings_that_cannot_be_used_stop_it() {
    let mut script = Script::new(resume(&[(A, None)], r#"{"dialect":"2.0"}"#));
    assert_eq!(script.failure().kind, FailureKind::Forbidden);
}

#[test]
fn what_payloads_say_tells_the_subscription() {
    let topics = [
        ("https://ex.test/users/{id}/mail", Some("s1 e1")),
        ("https://ex.test/books/1", Some("s1 e1")),
        ("plain", Some("s1 e1")),
    ];
    let table = [
        (r#"{"topic":"https://ex.test/users/7/mail"}"#, 1),
        (r#"{"topic":"https://ex.test/users/7/8/mail"}"#, 1),
        (r#"{"@id":"https://ex.test/books/1"}"#, 2),
        (r#"{"@id":"/books/1","name":"x"}"#, 2),
        (r#"{"topic":"plain"}"#, 3),
        (r#"{"topic":"unheard of"}"#, 1),
        ("no json", 1),
    ];
    for (data, subscription) in table {
        let mut script = Script::new(resume(&topics, ""));
        script.open(&[("last-event-id", "e1")]);
        script.event("e2", data);
        assert_eq!(script.ids()[0].0, subscription, "{data}");
    }
    let all = [
        ("https://ex.test/books/1", Some("s1 e1")),
        ("*", Some("s1 e1")),
    ];
    let mut script = Script::new(resume(&all, ""));
    script.open(&[("last-event-id", "e1")]);
    script.event("e2", "something");
    assert_eq!(script.ids()[0].0, 2, "the one for everything");
    assert!(script.cursors.contains_key(&SubscriptionId(2).0));
}
