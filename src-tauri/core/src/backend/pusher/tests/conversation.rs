//! Greeting, pings, events, the end.

use super::script::{NOW, Script, resume, said, signing};
use crate::backend::{Effect, FailureKind, Input, Missing};
use crate::model::Origin;
use serde_json::json;
use std::time::Duration;

#[test]
fn nothing_is_asked_for_before_the_greeting() {
    let mut script = Script::new(resume(&json!({}), &[("a", None), ("b", None)]));
    script.tell(Input::Opened { headers: &[] });
    script.succeed("a");
    assert!(script.taken_sent().is_empty() && !script.live);
    script.greet();
    assert_eq!(script.subscribed(), ["a", "b"]);
    // A second greeting is none.
    script.greet();
    assert!(script.subscribed().is_empty());
}

#[test]
fn it_is_live_when_every_channel_is() {
    let mut script = Script::greeted(&json!({}), &[("a", None), ("b", None)]);
    script.succeed("a");
    assert!(!script.live);
    script.succeed("b");
    assert!(script.live);
    assert_eq!(script.filled, [(1, None), (2, None)]);
    assert_eq!(script.cursors.len(), 2);
}

/// The server keeps nothing: after an absence, that is said.
#[test]
fn without_a_history_an_absence_is_a_gap() {
    let mut script = Script::greeted(&json!({}), &[("a", Some("{}")), ("b", None)]);
    script.succeed("a");
    script.succeed("b");
    assert_eq!(script.filled, [(1, Some(Missing::LiveOnly)), (2, None)]);
}

#[test]
fn an_event_is_a_notification_of_its_channel() {
    let mut script = Script::greeted(&json!({}), &[("a", None), ("b", None)]);
    script.succeed("a");
    script.event(
        "b",
        "deploy",
        &json!({"title": "T", "body": "B", "priority": 5}),
    );
    script.event("other", "deploy", &json!({"title": "no channel of ours"}));
    script.event("a", "client-typing", &json!({"title": "no notification"}));
    script.frame(&json!({"event": "note", "channel": "a", "data": {"id": "own", "message": "M"}}));
    script.frame(&json!({"event": "note", "channel": "a", "data": "just text"}));
    let drafts = script.drafts();
    let told: Vec<_> = drafts
        .iter()
        .map(|(line, draft, origin)| {
            (
                *line,
                draft.kind.as_str(),
                draft.title.as_str(),
                draft.body.as_str(),
                *origin,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (2, "deploy", "T", "B", Origin::Live),
            (1, "note", "", "M", Origin::Live),
            (1, "note", "", "just text", Origin::Live),
        ]
    );
    assert_eq!(drafts[1].1.remote_id, "own");
    let frame = said(
        "b",
        "deploy",
        &json!({"title": "T", "body": "B", "priority": 5}),
    );
    assert_eq!(drafts[0].1.raw, frame.to_string());
}

/// An event without an id is known by channel, name, data and minute.
#[test]
fn a_repeat_within_the_minute_is_the_same() {
    let mut script = Script::greeted(&json!({}), &[("a", None), ("b", None)]);
    let data = json!({"title": "T"});
    script.event("a", "e", &data);
    script.event("a", "e", &data);
    script.event("b", "e", &data);
    script.event("a", "f", &data);
    script.now += 60;
    script.event("a", "e", &data);
    let ids: Vec<_> = script.ids().into_iter().map(|(_, id, _)| id).collect();
    assert_eq!(ids[0], ids[1]);
    for other in 2..5 {
        assert!(!ids[..other].contains(&ids[other]), "{ids:?}");
    }
}

#[test]
fn a_ping_of_the_server_is_answered() {
    let mut script = Script::greeted(&json!({}), &[("a", None)]);
    script.taken_sent();
    script.frame(&json!({"event": "pusher:ping", "data": {}}));
    assert_eq!(
        script.taken_sent(),
        [json!({"event": "pusher:pong", "data": {}})]
    );
}

fn pings(script: &mut Script) -> usize {
    script
        .taken_sent()
        .iter()
        .filter(|frame| frame["event"] == "pusher:ping")
        .count()
}

/// Soketi closes after 120 s without a text of ours, however much it sends itself.
#[test]
fn our_own_pings_go_out_whatever_arrives() {
    for (timeout, every) in [(Some(30), 30), (Some(120), 60), (None, 60), (Some(0), 5)] {
        let mut script = Script::new(resume(&json!({}), &[("a", None)]));
        script.frame(&json!({
            "event": "pusher:connection_established",
            "data": {"socket_id": "1.2", "activity_timeout": timeout},
        }));
        script.succeed("a");
        script.taken_sent();
        for _ in 0..10 {
            script.pass(every - 1);
            script.event("a", "e", &json!({"title": "busy"}));
            assert_eq!(pings(&mut script), 0);
            script.pass(1);
            assert_eq!(pings(&mut script), 1);
            script.frame(&json!({"event": "pusher:pong", "data": {}}));
        }
        assert!(script.failure.is_none());
    }
}

#[test]
fn a_ping_without_an_answer_is_the_end() {
    let mut script = Script::greeted(&json!({}), &[("a", None)]);
    script.succeed("a");
    script.pass(30);
    script.pass(29);
    // The WebSocket's own pong may be a proxy's.
    script.tell(Input::Alive);
    assert!(script.failure.is_none());
    script.pass(1);
    assert_eq!(script.failed().kind, FailureKind::Transient);
    let mut script = Script::greeted(&json!({}), &[("a", None)]);
    script.succeed("a");
    for _ in 0..20 {
        script.pass(30);
        script.frame(&json!({"event": "pusher:pong", "data": {}}));
    }
    assert!(script.failure.is_none());
}

#[test]
fn close_codes_have_classes_and_words() {
    use FailureKind::{Again, Forbidden, Transient};
    for (code, kind, word) in [
        (4000, Forbidden, "secure"),
        (4001, Forbidden, "no app with this key"),
        (4003, Forbidden, "disabled"),
        (4004, Forbidden, "connections"),
        (4005, Forbidden, "path"),
        (4006, Forbidden, "version 7"),
        (4007, Forbidden, "version 7"),
        (4008, Forbidden, "version 7"),
        (4009, Forbidden, "sign in"),
        (4042, Forbidden, "4042"),
        (4100, Transient, "too much"),
        (4199, Transient, "too much"),
        (4200, Again, "new connection"),
        (4201, Again, "new connection"),
        (4299, Again, "new connection"),
        (4301, Transient, "4301"),
    ] {
        let mut script = Script::greeted(&json!({}), &[("a", None)]);
        script.succeed("a");
        script.closed(code);
        let failure = script.failed();
        assert_eq!(failure.kind, kind, "{code}");
        assert!(failure.says.contains(word), "{failure:?}");
        let least = (4100..4200)
            .contains(&code)
            .then_some(Duration::from_secs(1));
        assert_eq!(failure.retry_after, least);
    }
    for code in [1000, 1001, 1006, 3000, 4999] {
        let mut script = Script::greeted(&json!({}), &[("a", None)]);
        script.closed(code);
        // Left to the driver, which waits and tries again.
        assert!(script.failure.is_none(), "{code}");
    }
}

/// Soketi sends the error and closes with its code; Reverb sends it and closes without one.
#[test]
fn an_app_that_is_not_known_is_said_at_once() {
    for data in [
        json!({"code": 4001, "message": "App key k does not exist."}),
        json!("{\"code\":4001,\"message\":\"Application does not exist\"}"),
    ] {
        let mut script = Script::new(resume(&json!({}), &[("a", None)]));
        script.tell(Input::Opened { headers: &[] });
        script.frame(&json!({"event": "pusher:error", "data": data}));
        assert_eq!(script.failed().kind, FailureKind::Forbidden);
        assert!(script.failed().says.contains("key"));
    }
}

#[test]
fn an_error_counts_when_the_server_closes_after_it() {
    let error =
        json!({"event": "pusher:error", "data": {"code": 4100, "message": "Over capacity"}});
    let mut script = Script::greeted(&json!({}), &[("a", None)]);
    script.frame(&error);
    assert!(script.failure.is_none());
    script.tell(Input::Closed {
        code: None,
        reason: "",
    });
    assert_eq!(script.failed().kind, FailureKind::Transient);
    // Something came between: it was about something else.
    let mut script = Script::greeted(&json!({}), &[("a", None)]);
    script.frame(&error);
    script.succeed("a");
    script.tell(Input::Closed {
        code: Some(1006),
        reason: "",
    });
    assert!(script.failure.is_none());
    assert!(script.live);
}

/// 4009 long after the greeting is no wrong key.
#[test]
fn an_unauthorised_end_says_what_to_do() {
    let mut script = Script::greeted(&json!({}), &[("a", None)]);
    script.succeed("a");
    script.now = NOW + 30;
    script.frame(&json!({"event": "pusher:error", "data":
        {"code": 4009, "message": "Connection not authorized within timeout."}}));
    script.closed(4009);
    assert_eq!(script.failed().kind, FailureKind::Forbidden);
    assert!(script.failed().says.contains("wants its users to sign in"));
    let mut script = Script::new(resume(&json!({}), &[("a", None)]));
    script.frame(
        &json!({"event": "pusher:error", "data": {"code": 4009, "message": "Origin not allowed"}}),
    );
    assert!(script.failed().says.contains("Origin not allowed"));
}

#[test]
fn refusals_of_the_upgrade_are_told_apart() {
    use FailureKind::{Blocked, Forbidden, Transient, WrongAddress};
    for (status, kind) in [
        (401, Forbidden),
        (403, Forbidden),
        (404, WrongAddress),
        (410, WrongAddress),
        (400, Blocked),
        (426, Blocked),
        (429, Transient),
        (503, Transient),
    ] {
        let mut script = Script::new(resume(&json!({}), &[("a", None)]));
        script.tell(Input::Refused {
            status,
            headers: &[],
            retry_after: Some(Duration::from_secs(7)),
            body: "",
        });
        assert_eq!(script.failed().kind, kind, "{status}");
        assert_eq!(script.failed().retry_after, Some(Duration::from_secs(7)));
    }
}

/// The cached event is the same after each subscription; the same event sent twice is not.
#[test]
fn a_cached_event_is_told_once() {
    let cached = "cache-status";
    let (red, green) = (json!({"state": "red"}), json!({"state": "green"}));
    let mut script = Script::greeted(&json!({}), &[(cached, None)]);
    script.succeed(cached);
    assert!(!script.live);
    script.frame(&json!({"event": "pusher:cache_miss", "channel": cached}));
    assert!(script.live);
    for data in [&red, &green, &red] {
        script.event(cached, "state", data);
    }
    let first = script.ids();
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|(.., origin)| *origin == Origin::Live));
    assert_ne!(first[0].1, first[2].1);
    let cursor = script.cursors[&1].clone();

    // Nothing was sent since.
    let mut again = Script::greeted(&json!({}), &[(cached, Some(&cursor))]);
    again.succeed(cached);
    again.event(cached, "state", &red);
    assert!(again.ids().is_empty() && again.live);
    assert_eq!(again.filled, [(1, Some(Missing::LiveOnly))]);
    again.event(cached, "state", &red);
    let second = again.ids();
    assert!(second.len() == 1 && !first.contains(&second[0]));

    // Something was; then it is not live.
    let mut again = Script::greeted(&json!({}), &[(cached, Some(&cursor))]);
    again.succeed(cached);
    again.event(cached, "state", &green);
    let missed = again.ids();
    assert_eq!(missed[0].2, Origin::Backfill);
    // Met a second time before the position was stored, it has the same id.
    let mut torn = Script::greeted(&json!({}), &[(cached, Some(&cursor))]);
    torn.now += 600;
    torn.succeed(cached);
    torn.event(cached, "state", &green);
    assert_eq!(torn.ids(), missed);
}

#[test]
fn a_server_without_a_cached_event_is_not_waited_for_long() {
    let mut script = Script::greeted(&json!({}), &[("cache-a", None)]);
    script.succeed("cache-a");
    script.pass(4);
    assert!(!script.live);
    script.pass(1);
    assert!(script.live);
    script.event("cache-a", "e", &json!({"title": "T"}));
    assert_eq!(script.ids()[0].2, Origin::Live);
}

#[test]
fn a_new_channels_cached_event_is_no_news() {
    let mut script = Script::greeted(&json!({}), &[("cache-a", None)]);
    script.succeed("cache-a");
    script.event("cache-a", "e", &json!({"title": "T"}));
    assert_eq!(script.ids()[0].2, Origin::FirstFilling);
    assert!(script.live);
    assert_ne!(script.cursors[&1], "{}");
}

#[test]
fn a_frame_that_cannot_be_read_costs_only_itself() {
    let mut script = Script::greeted(&signing(), &[("a", None)]);
    script.succeed("a");
    script.taken();
    script.tell(Input::Frame("{not json"));
    assert!(matches!(script.taken()[..], [Effect::Unreadable { .. }]));
    script.event("a", "e", &json!({"title": "T"}));
    assert_eq!(script.titles(), ["T"]);
}
