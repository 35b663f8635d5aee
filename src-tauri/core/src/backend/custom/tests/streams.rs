//! Streams of which nothing is known but the address, and streams with rules.

use super::script::{Script, Setup, body_of, found, header_of, profile};
use crate::backend::{FailureKind, Input, Missing};
use crate::model::{Origin, TransportKind};
use std::time::Duration;

fn sse() -> Setup<'static> {
    Setup::new(found(TransportKind::Sse), TransportKind::Sse)
}

fn websocket() -> Setup<'static> {
    Setup::new(found(TransportKind::Websocket), TransportKind::Websocket)
}

#[test]
fn an_event_stream_works_with_nothing_but_its_address() {
    let mut script = Script::new(&sse());
    assert_eq!(script.offered, 1, "there is one subscription by itself");
    assert_eq!(script.opened[0].url.as_str(), "https://ex.test/app");
    assert_eq!(header_of(&script.opened[0], "last-event-id"), None);
    script.open();
    assert_eq!(
        (script.live, script.filled.as_slice()),
        (1, [(1, None)].as_slice())
    );
    script.event("message", "1", r#"{"title":"One","body":"b"}"#);
    script.event("order", "2", "plain text");
    script.event("ping", "", "{}");
    script.event("message", "", "{\"cut");
    assert_eq!(script.ids(), ["1", "2"]);
    assert_eq!(script.stored[1].draft.kind, "order");
    assert_eq!(script.stored[1].draft.body, "plain text");
    assert_eq!(script.unreadable, 1);
    assert_eq!(script.origins(), [Origin::Live, Origin::Live]);

    let again = script.again(&sse());
    assert_eq!(header_of(&again.opened[0], "last-event-id"), Some("2"));
}

#[test]
fn a_resumed_stream_is_complete_after_a_silence_and_loses_nothing_at_any_point() {
    let mut first = Script::new(&sse());
    first.open();
    for n in 1..=5 {
        first.event("message", &n.to_string(), &format!(r#"{{"title":"t{n}"}}"#));
        let mut second = first.again(&sse());
        let from: usize = header_of(&second.opened[0], "last-event-id")
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(from, n, "everything up to here is stored");
        second.open();
        assert_eq!(second.live, 0, "a replay may be under way");
        for missed in from + 1..=8 {
            second.event(
                "message",
                &missed.to_string(),
                &format!(r#"{{"title":"t{missed}"}}"#),
            );
        }
        second.wake();
        assert_eq!(second.live, 0, "something came meanwhile");
        second.wake();
        assert_eq!(second.live, 1);
        assert_eq!(second.filled, [(1, None)]);
        second.event("message", "9", r#"{"title":"t9"}"#);
        assert_eq!(second.stored.len(), 9 - from);
        assert!(
            second.origins()[..8 - from]
                .iter()
                .all(|origin| *origin == Origin::Backfill)
        );
        assert_eq!(*second.origins().last().unwrap(), Origin::Live);
    }
}

#[test]
fn a_stream_that_never_rests_is_complete_at_last() {
    let mut first = Script::new(&sse());
    first.open();
    first.event("message", "1", "{\"title\":\"a\"}");
    let mut second = first.again(&sse());
    second.open();
    for n in 0..100 {
        second.event("message", &format!("b{n}"), "{\"title\":\"a\"}");
        second.wake();
    }
    assert_eq!(second.live, 1);
}

#[test]
fn a_stream_that_ends_after_each_event_is_complete_when_it_ends() {
    let mut first = Script::new(&sse());
    first.open();
    first.event("message", "1", "{\"title\":\"a\"}");
    let mut second = first.again(&sse());
    second.open();
    second.event("message", "2", "{\"title\":\"b\"}");
    second.tell(Input::Closed {
        code: None,
        reason: "",
    });
    assert_eq!(second.live, 1);
    assert!(second.failure.is_none(), "the driver says how it ended");
}

#[test]
fn an_id_without_an_event_moves_the_position() {
    let mut script = Script::new(&sse());
    script.open();
    script.tell(Input::Position { id: "77" });
    let again = script.again(&sse());
    assert_eq!(header_of(&again.opened[0], "last-event-id"), Some("77"));
}

#[test]
fn signs_of_life_store_nothing() {
    let mut script = Script::new(&websocket());
    script.open();
    let before = script.advances;
    for text in [
        "",
        "ping",
        "pong",
        "{}",
        r#"{"type":"ping"}"#,
        r#"{"event":"heartbeat","time":5}"#,
        r#"{"type":"welcome"}"#,
    ] {
        script.frame(text);
    }
    assert!(script.stored.is_empty() && script.unreadable == 0);
    assert_eq!(script.advances, before, "nothing is written for them");
    assert_eq!(script.sent, ["pong", r#"{"type":"pong"}"#]);
    script.frame(r#"{"type":"open","title":"The shop is open"}"#);
    assert_eq!(script.titles(), ["The shop is open"]);
}

#[test]
fn a_websocket_that_keeps_nothing_says_so_on_every_later_connection() {
    let mut script = Script::new(&websocket());
    script.open();
    assert_eq!(
        script.filled,
        [(1, None)],
        "nothing was missed before the first"
    );
    script.frame(r#"[{"title":"a","id":1},{"title":"b","id":2}]"#);
    script.frame(r#"{"title":"c"}"#);
    assert_eq!(script.titles(), ["a", "b", "c"]);
    let mut again = script.again(&websocket());
    again.open();
    assert_eq!(again.filled, [(1, Some(Missing::LiveOnly))]);
    assert_eq!(again.live, 1);
}

#[test]
fn lines_of_json_are_notifications_and_others_are_not() {
    let setup = Setup::new(found(TransportKind::HttpStream), TransportKind::HttpStream);
    let mut script = Script::new(&setup);
    script.open();
    script.frame(r#"{"id":"1","title":"a"}"#);
    script.frame("no json");
    script.frame(r#"{"id":"2","title":"b"}"#);
    assert_eq!(script.ids(), ["1", "2"]);
    assert_eq!(script.unreadable, 1);
}

#[test]
fn refusals_lead_where_they_should() {
    for (transport, status, kind) in [
        (TransportKind::Sse, 401, FailureKind::SignIn),
        (TransportKind::Sse, 403, FailureKind::Forbidden),
        (TransportKind::Sse, 404, FailureKind::WrongAddress),
        (TransportKind::Sse, 204, FailureKind::WrongAddress),
        (TransportKind::Sse, 429, FailureKind::Transient),
        (TransportKind::Sse, 503, FailureKind::Transient),
        (TransportKind::Websocket, 400, FailureKind::Blocked),
        (TransportKind::Websocket, 426, FailureKind::Blocked),
        (TransportKind::Websocket, 401, FailureKind::SignIn),
    ] {
        let mut script = Script::new(&Setup::new(found(transport), transport));
        script.tell(Input::Refused {
            status,
            headers: &[],
            retry_after: None,
            body: "",
        });
        let failure = script.failure.unwrap();
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.says.ends_with('.') && failure.says.len() > 20);
        assert_eq!(failure.retry_after.is_some(), status == 429);
    }
}

const TALKING: &str = r#"
    keepalive = 20
    [websocket]
    url = "/socket"
    query = { v = "2" }
    headers = { "X-Client" = "desk" }
    protocols = ["v2.json", "v1.json"]
    send = ['{"subscribe":"{topic}"}', '{"hello":"{topics}","key":"{secret}"}']
    ping = { send = '{"op":"ping"}', every = 30, answered = true }

    [[websocket.on]]
    at = "/op"
    is = "subscribed"
    ready = true
    [[websocket.on]]
    at = "/op"
    is = "error"
    fail = "forbidden"
    says = "/why"
    [[websocket.on]]
    at = "/op"
    is = "gone"
    as = "deleted"
    [[websocket.on]]
    at = "/op"
    is = "seen"
    as = "read"
    [[websocket.on]]
    text = "echo*"
    send = ["echo"]
    [[websocket.on]]
    close = [4001]
    fail = "sign_in"

    [ack]
    send = '{"ack":"{id}"}'
"#;

#[test]
fn a_websocket_is_spoken_to_as_described() {
    let setup = Setup {
        topics: &["a", "b\"{secret}"],
        ..Setup::new(profile(TALKING), TransportKind::Websocket)
    };
    let mut script = Script::new(&setup);
    let opened = &script.opened[0];
    assert_eq!(opened.url.as_str(), "https://ex.test/app/socket?v=2");
    assert_eq!(header_of(opened, "x-client"), Some("desk"));
    assert_eq!(
        header_of(opened, "sec-websocket-protocol"),
        Some("v2.json, v1.json")
    );
    assert_eq!(body_of(opened), "");
    script.open();
    assert_eq!(
        script.sent,
        [
            r#"{"subscribe":"a"}"#,
            r#"{"subscribe":"b\"secret"}"#,
            r#"{"hello":"a,b\"secret","key":"{secret}"}"#
        ],
        "a topic is no place for the secret"
    );
    assert_eq!(script.silence, Some(Duration::from_secs(35)));
    assert_eq!(script.live, 0, "it has not confirmed");
    script.frame(r#"{"op":"subscribed"}"#);
    assert_eq!(script.live, 1);
    script.sent.clear();

    script.frame(r#"{"id":"n1","topic":"b\"{secret}","title":"t"}"#);
    assert_eq!(script.stored[0].subscription, 2);
    assert_eq!(script.sent, [r#"{"ack":"n1"}"#]);
    assert_eq!(script.live, 2, "what is acknowledged was stored before");
    script.frame(r#"{"op":"seen","id":"n1"}"#);
    script.frame(r#"{"op":"gone","id":"n1"}"#);
    assert_eq!(script.read, [("n1".to_owned(), 0)]);
    assert_eq!(script.removed, [("n1".to_owned(), 0)]);
    script.frame("echo 5");
    assert_eq!(script.sent.last().unwrap(), "echo");

    script.sent.clear();
    script.wake();
    assert_eq!(script.sent, [r#"{"op":"ping"}"#]);
    script.frame(r#"{"op":"subscribed"}"#);
    script.wake();
    assert!(script.failure.is_none(), "something came in between");
    script.wake();
    assert_eq!(script.failure.unwrap().kind, FailureKind::Blocked);
}

#[test]
fn what_a_server_says_of_an_error_is_shown() {
    let setup = Setup {
        topics: &["a"],
        ..Setup::new(profile(TALKING), TransportKind::Websocket)
    };
    let mut script = Script::new(&setup);
    script.open();
    script.frame(r#"{"op":"error","why":"no\nsuch topic"}"#);
    let failure = script.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Forbidden);
    assert!(failure.says.contains("no such topic"), "{}", failure.says);

    let mut script = Script::new(&setup);
    script.open();
    script.tell(Input::Closed {
        code: Some(4001),
        reason: "token over",
    });
    let failure = script.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::SignIn);
    assert!(failure.says.contains("token over"));

    let mut script = Script::new(&setup);
    script.open();
    script.wake();
    assert_eq!(
        script.failure.unwrap().kind,
        FailureKind::Transient,
        "it never confirmed"
    );
}

#[test]
fn topics_go_into_the_address_and_are_asked_for_where_they_are_missing() {
    let toml = "[sse]\nurl = \"/stream\"\nquery = { topic = \"{topic}\", all = \"{topics}\" }";
    let setup = Setup {
        topics: &["a/b", "c d"],
        ..Setup::new(profile(toml), TransportKind::Sse)
    };
    let script = Script::new(&setup);
    assert_eq!(
        script.opened[0].url.as_str(),
        "https://ex.test/app/stream?all=a%2Fb%2Cc+d&topic=a%2Fb&topic=c+d"
    );
    let none = Script::new(&Setup::new(profile(toml), TransportKind::Sse));
    assert_eq!(none.failure.unwrap().kind, FailureKind::WrongAddress);

    let path = profile("[sse]\nurl = \"/rooms/{topic}/events\"");
    let one = Script::new(&Setup {
        topics: &["a/ü"],
        ..Setup::new(path.clone(), TransportKind::Sse)
    });
    assert_eq!(
        one.opened[0].url.as_str(),
        "https://ex.test/app/rooms/a%2F%C3%BC/events"
    );
    let two = Script::new(&Setup {
        topics: &["a", "b"],
        ..Setup::new(path, TransportKind::Sse)
    });
    assert!(two.failure.unwrap().says.contains("one topic"));
}

#[test]
fn a_position_of_the_events_own_goes_where_the_profile_says() {
    let toml = r#"
        [http_stream]
        url = "/log"
        query = { after = "{position}" }
        [cursor]
        event = "/seq"
    "#;
    let setup = Setup::new(profile(toml), TransportKind::HttpStream);
    let mut script = Script::new(&setup);
    assert_eq!(script.opened[0].url.as_str(), "https://ex.test/app/log");
    script.open();
    script.frame(r#"{"seq":41,"title":"a"}"#);
    script.frame(r#"{"seq":42,"title":"b"}"#);
    script.frame(r#"{"title":"without"}"#);
    let again = script.again(&setup);
    assert_eq!(
        again.opened[0].url.as_str(),
        "https://ex.test/app/log?after=42"
    );
}

#[test]
fn a_transport_that_is_not_described_is_blocked() {
    let setup = Setup::new(profile("[sse]\nurl=\"/x\""), TransportKind::Websocket);
    let failure = Script::new(&setup).failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Blocked);
    assert!(failure.says.contains("websocket"));
}
