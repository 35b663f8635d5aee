//! Each preset, with bytes in the shape of its server's.

use super::script::{Script, Setup, body_of, header_of, preset};
use crate::backend::custom::Custom;
use crate::backend::{Backend as _, FailureKind, Missing, Server};
use crate::model::{Format, Method, Mirror, Origin, Sign, SignIn, Tier, TransportKind};
use std::time::Duration;
use url::Url;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../../../tests/backends/custom/", $name))
    };
}

/// Plays an event stream.
fn play(script: &mut Script, stream: &str) {
    for block in stream.split("\n\n") {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(|value| value.strip_prefix(' ').unwrap_or(value))
        };
        if let Some(data) = field("data") {
            let name = field("event").unwrap_or("message");
            script.event(name, field("id").unwrap_or_default(), data);
        }
    }
}

fn setup<'a>(
    name: &str,
    base: &'a str,
    transport: TransportKind,
    topics: &'a [&'a str],
) -> Setup<'a> {
    Setup {
        base,
        topics,
        ..Setup::new(preset(name), transport)
    }
}

fn server(name: &str, base: &str) -> Server {
    Server {
        base: Url::parse(base).unwrap(),
        options: preset(name),
    }
}

#[test]
fn ably() {
    let setup = setup(
        "ably",
        "https://main.realtime.ably.net",
        TransportKind::Sse,
        &["alerts", "home"],
    );
    let mut script = Script::new(&setup);
    assert_eq!(
        script.opened[0].url.as_str(),
        "https://main.realtime.ably.net/event-stream?channels=alerts%2Chome&heartbeats=true&v=1.2"
    );
    script.open();
    assert!(script.asked_url().starts_with(
        "https://main.realtime.ably.net/channels/alerts/messages?direction=backwards&limit=100&start=1785499200000"
    ));
    script.answer("[]");
    script.answer("[]");
    play(&mut script, fixture!("ably.sse"));
    assert_eq!(script.ids(), ["cbf:3:0", "cbf:4:0", "cbf:5:0"]);
    assert_eq!(script.titles(), ["Deployed", "door", "Pushed"]);
    assert_eq!(script.stored[0].draft.priority, 4);
    assert_eq!(script.stored[0].draft.kind, "deploy");
    assert_eq!(script.stored[1].draft.body, "Somebody is at the door");
    assert_eq!(script.stored[1].subscription, 2, "by its channel");
    assert_eq!(
        script.stored[2].draft.icon.as_deref(),
        Some("https://ex.test/i.png")
    );

    let mut again = script.again(&setup);
    assert_eq!(
        header_of(&again.opened[0], "last-event-id"),
        None,
        "the history knows better"
    );
    again.open();
    again.answer(fixture!("ably-history.json"));
    again.answer("[]");
    assert_eq!(again.titles(), ["Missed", "door"]);
    again.event(
        "error",
        "",
        r#"{"message":"Token expired","code":40142,"statusCode":401}"#,
    );
    assert_eq!(again.failure.unwrap().kind, FailureKind::SignIn);
}

#[test]
fn centrifugo() {
    let setup = setup("centrifugo", "https://c.ex.test", TransportKind::Sse, &[]);
    let mut script = Script::new(&setup);
    let opened = &script.opened[0];
    assert_eq!(
        (opened.method, opened.url.path()),
        (Method::Post, "/connection/uni_sse")
    );
    assert_eq!(body_of(opened), r#"{"token":"{secret}"}"#);
    let sent = Custom.sent_as(&server("centrifugo", "https://c.ex.test"), &SignIn::Token);
    assert_eq!(sent, SignIn::Message);
    script.open();
    assert_eq!(script.live, 0);
    play(&mut script, fixture!("centrifugo.sse"));
    assert_eq!(script.live, 1, "the connect push is the proof");
    assert_eq!(script.silence, Some(Duration::from_secs(40)));
    assert_eq!(script.stored.len(), 2);
    let draft = &script.stored[0].draft;
    assert_eq!(
        (draft.title.as_str(), draft.tier),
        ("Build failed", Tier::Critical)
    );
    assert_eq!(draft.url.as_deref(), Some("https://ci.ex.test/7"));
    assert_eq!(script.stored[1].draft.body, "plain words");
    for (code, kind) in [
        (3500, FailureKind::SignIn),
        (3501, FailureKind::Forbidden),
        (4501, FailureKind::Forbidden),
        (3001, FailureKind::Again),
    ] {
        let mut again = script.again(&setup);
        again.open();
        again.event("message", "", r#"{"connect":{}}"#);
        assert_eq!(again.filled, [(1, Some(Missing::LiveOnly))]);
        again.event(
            "message",
            "",
            &format!(r#"{{"disconnect":{{"code":{code},"reason":"why"}}}}"#),
        );
        let failure = again.failure.unwrap();
        assert_eq!(failure.kind, kind, "{code}");
        assert!(failure.says.contains("why"));
    }
}

#[test]
fn firebase() {
    let base = "https://x.firebaseio.test/users/42/notifications.json";
    let setup = setup("firebase", base, TransportKind::Sse, &[]);
    let sent = Custom.sent_as(&server("firebase", base), &SignIn::Token);
    assert_eq!(
        sent,
        SignIn::Query {
            name: "auth".to_owned()
        }
    );
    let mut script = Script::new(&setup);
    assert_eq!(script.opened[0].url.as_str(), base);
    script.open();
    play(&mut script, fixture!("firebase.sse"));
    assert_eq!(script.ids(), ["-N1", "-N2", "-N3", "-N4"]);
    assert_eq!(script.titles(), ["First", "Second", "Third", "Fourth"]);
    assert_eq!(
        script.origins(),
        [
            Origin::FirstFilling,
            Origin::FirstFilling,
            Origin::Live,
            Origin::Live
        ]
    );
    assert_eq!(script.live, 1);
    assert_eq!(script.only, [["-N1", "-N2"]]);
    assert_eq!(script.removed, [("-N1".to_owned(), 0)]);
    let mut again = script.again(&setup);
    again.open();
    again.event("put", "", r#"{"path":"/","data":null}"#);
    assert_eq!(
        again.only,
        [Vec::<String>::new()],
        "all were deleted meanwhile"
    );
    assert_eq!(again.live, 1);
    again.event("auth_revoked", "", "credential is no longer valid");
    assert_eq!(again.failure.unwrap().kind, FailureKind::SignIn);
    let mut cancelled = script.again(&setup);
    cancelled.open();
    cancelled.event("cancel", "", "null");
    assert_eq!(cancelled.failure.unwrap().kind, FailureKind::Forbidden);
}

#[test]
fn home_assistant() {
    let setup = setup(
        "home-assistant",
        "http://ha.test:8123",
        TransportKind::Websocket,
        &[],
    );
    let mut script = Script::new(&setup);
    assert_eq!(
        script.opened[0].url.as_str(),
        "http://ha.test:8123/api/websocket"
    );
    script.open();
    for frame in fixture!("home-assistant.ws.txt").lines() {
        script.frame(frame);
    }
    assert_eq!(
        script.sent,
        [
            r#"{"type":"auth","access_token":"{secret}"}"#,
            r#"{"id":1,"type":"persistent_notification/subscribe"}"#
        ]
    );
    assert_eq!(script.titles(), ["Backup", "Door", "Door"]);
    assert_eq!(
        script.origins(),
        [Origin::FirstFilling, Origin::Live, Origin::Live]
    );
    let (added, updated) = (&script.stored[1].draft, &script.stored[2].draft);
    assert_eq!(added.replace_key, updated.replace_key);
    assert_ne!(added.remote_id, updated.remote_id, "a change is stored");
    assert_eq!(added.format, Format::Markdown);
    assert_eq!(script.removed[0].0, "backup");
    assert_eq!(script.removed[0].1, script.stored[0].draft.version);
    assert_eq!((script.live, script.unreadable), (1, 0));
    let delete = Custom
        .mirror(
            &server("home-assistant", "http://ha.test:8123"),
            "all",
            "door",
            Mirror::Delete,
        )
        .unwrap();
    assert_eq!(
        delete.url.path(),
        "/api/services/persistent_notification/dismiss"
    );
    assert_eq!(body_of(&delete), r#"{"notification_id":"door"}"#);

    let mut refused = Script::new(&setup);
    refused.open();
    refused.frame(r#"{"type":"auth_invalid","message":"Invalid access token"}"#);
    let failure = refused.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::SignIn);
    assert!(failure.says.contains("Invalid access token"));
}

#[test]
fn mastodon() {
    let setup = setup("mastodon", "https://m.ex.test", TransportKind::Sse, &[]);
    let mut script = Script::new(&setup);
    assert_eq!(
        script.opened[0].url.path(),
        "/api/v1/streaming/user/notification"
    );
    script.open();
    assert_eq!(
        script.asked_url(),
        "https://m.ex.test/api/v1/notifications?limit=40"
    );
    script.answer(fixture!("mastodon-history.json"));
    play(&mut script, fixture!("mastodon.sse"));
    assert_eq!(
        script.titles(),
        ["Cid: favourite", "Ann: mention", "bob: follow"]
    );
    let priorities: Vec<u8> = script
        .stored
        .iter()
        .map(|stored| stored.draft.priority)
        .collect();
    assert_eq!(priorities, [2, 4, 3]);
    let draft = &script.stored[1].draft;
    assert_eq!(draft.body, "Hi @you, look & see");
    assert_eq!(draft.url.as_deref(), Some("https://ex.test/@ann/9"));
    assert_eq!(
        script.stored[2].draft.url.as_deref(),
        Some("https://ex.test/@bob")
    );
    assert_eq!(script.stored[2].draft.body, "");
    assert_eq!(script.open_fetches.len(), 1, "merged ones are fetched");
    let transports = Custom.transports(&server("mastodon", "https://m.ex.test"));
    assert_eq!(transports, [TransportKind::Sse, TransportKind::Poll]);
    let delete = Custom
        .mirror(
            &server("mastodon", "https://m.ex.test"),
            "all",
            "34975861",
            Mirror::Delete,
        )
        .unwrap();
    assert_eq!(delete.method, Method::Post);
    assert_eq!(delete.url.path(), "/api/v1/notifications/34975861/dismiss");
}

#[test]
fn notilayer() {
    let base = "https://api.ex.test/v1";
    let stream = setup("notilayer", base, TransportKind::Sse, &[]);
    let mut script = Script::new(&stream);
    script.open();
    script.answer(fixture!("notilayer-history.json"));
    assert_eq!(script.titles(), ["Welcome", "Invoice paid"]);
    assert_eq!(script.read, [("n0".to_owned(), 0)]);
    play(&mut script, fixture!("notilayer.sse"));
    assert_eq!(script.ids().last(), Some(&"n1"));
    assert_eq!(script.read[1], ("n1".to_owned(), 0));
    assert_eq!(script.removed, [("n0".to_owned(), 0)]);
    let again = script.again(&stream);
    assert_eq!(header_of(&again.opened[0], "last-event-id"), Some("13"));

    let polled = setup("notilayer", base, TransportKind::LongPoll, &[]);
    let mut asked = script.again(&polled);
    asked.answer(r#"{"data":[]}"#);
    assert_eq!(
        asked.asked_url(),
        "https://api.ex.test/v1/notifications/poll?cursor=13"
    );
    let read = Custom
        .mirror(&server("notilayer", base), "all", "n1", Mirror::Read)
        .unwrap();
    assert_eq!(
        (read.method, read.url.path()),
        (Method::Post, "/v1/notifications/n1/read")
    );
    let delete = Custom
        .mirror(&server("notilayer", base), "all", "n1", Mirror::Delete)
        .unwrap();
    assert_eq!(
        (delete.method, delete.url.path()),
        (Method::Delete, "/v1/notifications/n1")
    );
}

#[test]
fn novu() {
    let setup = setup(
        "novu",
        "https://api.novu.ex.test",
        TransportKind::Websocket,
        &["app-1"],
    );
    let mut script = Script::new(&setup);
    assert_eq!(
        script.asked_url(),
        "https://api.novu.ex.test/v1/inbox/session"
    );
    assert_eq!(
        body_of(script.asked()),
        r#"{"applicationIdentifier":"app-1","subscriberId":"{user}","subscriberHash":"{secret}"}"#
    );
    script.answer(fixture!("novu-session.json"));
    assert_eq!(
        script.opened[0].url.as_str(),
        "https://ws.novu.co/socket.io/?EIO=4&token=eyJ0&transport=websocket"
    );
    script.open();
    for frame in fixture!("novu.ws.txt").lines() {
        script.frame(frame);
        if frame.starts_with("40") {
            assert_eq!(
                header_of(script.asked(), "novu-api-version"),
                Some("2024-06-26")
            );
            assert!(matches!(script.asked().sign, Sign::Bearer(_)));
            script.answer(fixture!("novu-history.json"));
        }
    }
    assert_eq!(script.sent, ["40", "3"]);
    assert_eq!(script.ids(), ["66e", "66f"]);
    let draft = &script.stored[1].draft;
    assert_eq!(
        (draft.title.as_str(), draft.tier),
        ("Comment", Tier::Critical)
    );
    assert_eq!(draft.actions[0].label, "Reply");
    assert_eq!(draft.kind, "comment-added");
    assert_eq!(script.read, [("66e".to_owned(), 0)]);
    assert_eq!(script.open_fetches.len(), 1, "the doorbell rang");
}

#[test]
fn knock() {
    let base = "https://api.knock.ex.test/v1/users/42/feeds/f00";
    let mut script = Script::new(&setup("knock", base, TransportKind::Poll, &[]));
    assert_eq!(script.asked_url(), format!("{base}?page_size=50"));
    script.answer(fixture!("knock-history.json"));
    let draft = &script.stored[0].draft;
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str()),
        ("Ann", "Ann liked it")
    );
    assert_eq!(draft.kind, "likes");
    assert_eq!(draft.url.as_deref(), Some("https://app.ex.test/p/1"));
    assert_eq!(script.waits[0].1, Duration::from_mins(1));
    let sent = Custom.sent_as(&server("knock", base), &SignIn::Token);
    assert_eq!(
        sent,
        SignIn::Header {
            name: "X-Knock-User-Token".to_owned()
        }
    );
}

#[test]
fn courier() {
    let base = "https://inbox.courier.ex.test/q";
    let mut script = Script::new(&setup("courier", base, TransportKind::Poll, &["user-42"]));
    let asked = script.asked();
    assert_eq!((asked.method, asked.url.as_str()), (Method::Post, base));
    assert_eq!(header_of(asked, "x-courier-user-id"), Some("user-42"));
    let body: serde_json::Value = serde_json::from_str(&body_of(asked)).unwrap();
    assert_eq!(body["variables"]["after"], serde_json::Value::Null);
    script.answer(fixture!("courier-history.json"));
    let next: serde_json::Value = serde_json::from_str(&body_of(script.asked())).unwrap();
    assert_eq!(next["variables"]["after"], "YQ==");
    script.answer(r#"{"data":{"messages":{"pageInfo":{"startCursor":null},"nodes":[]}}}"#);
    let draft = &script.stored[0].draft;
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str()),
        ("Order shipped", "On its way")
    );
    assert_eq!(draft.actions[0].label, "Track");
    assert!(script.removed.is_empty() && script.read.is_empty());
    let read = Custom
        .mirror(&server("courier", base), "user-42", "1-66", Mirror::Read)
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&body_of(&read)).unwrap();
    assert_eq!(
        body["query"],
        r#"mutation TrackEvent { read(messageId: "1-66") }"#
    );
}

#[test]
fn suprsend() {
    let base = "https://inboxs.ex.test";
    let mut script = Script::new(&setup(
        "suprsend",
        base,
        TransportKind::Poll,
        &["ann@ex.test"],
    ));
    assert!(script.asked_url().contains("distinct_id=ann%40ex.test"));
    script.answer(fixture!("suprsend-history.json"));
    let draft = &script.stored[0].draft;
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str()),
        ("Order shipped", "It is *on its way*")
    );
    assert_eq!(draft.remote_id, "01HX");
    assert_eq!(draft.kind, "transactional");
    assert_eq!(draft.icon.as_deref(), Some("https://ex.test/a.png"));
    assert_eq!(script.read, [("01HX".to_owned(), 0)]);
    let read = Custom
        .mirror(
            &server("suprsend", base),
            "ann@ex.test",
            "01HX",
            Mirror::Read,
        )
        .unwrap();
    assert_eq!(read.method, Method::Patch);
    assert_eq!(
        read.url.as_str(),
        "https://inboxs.ex.test/v1/feed/notifications/01HX/read?distinct_id=ann%40ex.test&tenant_id=default"
    );
}
