//! Accounts of servers of somebody's own making: recognised by how they answer, or described by a profile, over
//! every transport.

use crate::harness::{Desk, all_live, numbered};
use crate::relay::Relay;
use serde_json::{Value, json};
use std::time::Duration;
use support::fakes::tutorial::{EVENTS, Fake, LINES, LIST, LONG_POLL, PASSWORD, USER, WEBSOCKET};
use tidings_api::{
    AccountDraft, AccountView, BackendKind, Change, ConnectionState, HopResult, Reply, Request,
    Secret, SecretPlace, SignIn, Targets, TransportKind,
};
use tidings_core::ports::Clock as _;
use tidings_core::testing::FakeClock;

const TOKEN: &str = "t0ken-9a41";

/// Lines that are resumed, and a WebSocket with a history: neither can be known without a word.
const LINES_PROFILE: &str = r#"
[http_stream]
query = { since = "{position}" }
[cursor]
event = "/id"
"#;
const WEBSOCKET_PROFILE: &str = r#"
[websocket]
url = "/ws"
[[websocket.on]]
at = "/type"
is = "ready"
ready = true
[history]
url = "/list"
query = { limit = "500", before = "{page}" }
next = "/499/id"
[ack]
send = '{"ack":"{id}"}'
"#;

/// What is entered for each transport that nothing is lost over.
fn described() -> [(TransportKind, &'static str, Value); 4] {
    [
        (TransportKind::Sse, EVENTS, json!({"transport": "sse"})),
        (
            TransportKind::LongPoll,
            LONG_POLL,
            json!({"transport": "long_poll"}),
        ),
        (
            TransportKind::HttpStream,
            LINES,
            json!({"profile": LINES_PROFILE}),
        ),
        (
            TransportKind::Websocket,
            "",
            json!({"profile": WEBSOCKET_PROFILE}),
        ),
    ]
}

fn draft(url: &str, options: &str) -> AccountDraft {
    AccountDraft {
        url: url.to_owned(),
        kind: Some(BackendKind::Custom),
        options: options.to_owned(),
        name: String::new(),
        topics: Vec::new(),
        sign_in: SignIn::None,
        secret: None,
        secrets: SecretPlace::Memory,
        transport: None,
        allow_http: false,
        headers: Vec::new(),
        ..AccountDraft::default()
    }
}

fn publish(fake: &Fake, clock: &FakeClock, body: &str) {
    clock.advance(Duration::from_millis(1));
    fake.publish(body, &clock.now().to_string());
}

async fn in_order(desk: &Desk) -> Vec<String> {
    let mut bodies: Vec<_> = desk.rows().await.into_iter().map(|r| r.preview).collect();
    bodies.reverse();
    bodies
}

async fn view(desk: &Desk) -> AccountView {
    match desk.ask(Request::Accounts).await {
        Reply::Accounts(mut accounts) => accounts.remove(0),
        other => panic!("{other:?}"),
    }
}

async fn live(desk: &Desk) {
    desk.until_in_time("the connection is live", all_live).await;
}

async fn count(desk: &Desk, count: u64) {
    desk.until_in_time("all are here", |status| status.counts.all >= count)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_drops_while_publishing() {
    for (transport, path, options) in described() {
        let clock = FakeClock::new();
        let fake = Fake::start("").await.unwrap();
        let desk = Desk::new(&clock);
        desk.add_account(draft(&fake.url(path), &options.to_string()))
            .await;
        live(&desk).await;
        // Of a stream without an event there is no place to go on from.
        publish(&fake, &clock, "message 000");
        count(&desk, 1).await;
        let mut sent = 1;
        for round in 0..20 {
            for _ in 0..5 {
                publish(&fake, &clock, &format!("message {sent:03}"));
                sent += 1;
            }
            fake.drop_all(round % 2 == 0);
            for _ in 0..3 {
                publish(&fake, &clock, &format!("message {sent:03}"));
                sent += 1;
            }
            clock.advance(Duration::from_secs(1));
            if round % 3 == 0 {
                live(&desk).await;
            }
        }
        count(&desk, 161).await;
        let all: Vec<_> = (0..161).map(|n| format!("message {n:03}")).collect();
        assert_eq!(in_order(&desk).await, all, "over {transport:?}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_restarts() {
    for (transport, path, options) in described() {
        let clock = FakeClock::new();
        let fake = Fake::start("").await.unwrap();
        let desk = Desk::new(&clock);
        desk.add_account(draft(&fake.url(path), &options.to_string()))
            .await;
        live(&desk).await;
        publish(&fake, &clock, "message 0");
        count(&desk, 1).await;
        let stopped = fake.stop().await;
        desk.until("the loss is noticed", |status| {
            status.connections[0].state != ConnectionState::Live
        })
        .await;
        let fake = stopped.start().await.unwrap();
        publish(&fake, &clock, "message 1");
        desk.until_in_time("a new connection", |_| fake.connected() > 0)
            .await;
        publish(&fake, &clock, "message 2");
        count(&desk, 3).await;
        assert_eq!(
            in_order(&desk).await,
            numbered("message", 3),
            "over {transport:?}"
        );
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_costs_nothing() {
    for (transport, path, options) in described() {
        let clock = FakeClock::new();
        let fake = Fake::start("").await.unwrap();
        let desk = Desk::new(&clock);
        let relay = Relay::start(fake.addr()).await;
        desk.add_account(draft(
            &format!("{}{path}", relay.url()),
            &options.to_string(),
        ))
        .await;
        live(&desk).await;
        publish(&fake, &clock, "before");
        count(&desk, 1).await;
        relay.freeze();
        publish(&fake, &clock, "while half-open");
        let asked = fake.seen().len();
        relay.thaw();
        desk.until_in_time("it is asked anew", |_| fake.seen().len() > asked)
            .await;
        count(&desk, 2).await;
        assert_eq!(
            desk.bodies().await,
            ["before", "while half-open"],
            "over {transport:?}"
        );
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_for_ten_thousand() {
    for (transport, path, options) in described() {
        let clock = FakeClock::new();
        let fake = Fake::start("").await.unwrap();
        let desk = Desk::new(&clock);
        desk.add_account(draft(&fake.url(path), &options.to_string()))
            .await;
        live(&desk).await;
        publish(&fake, &clock, "message 00000");
        count(&desk, 1).await;
        desk.engine.stop().await;
        clock.advance(Duration::from_secs(10));
        for n in 1..=10_000 {
            publish(&fake, &clock, &format!("message {n:05}"));
        }
        clock.advance(Duration::from_hours(1));
        let desk = desk.restart().await;
        // No time passes: a replay is over when nothing came for a while.
        desk.until_count(10_001).await;
        live(&desk).await;
        let all: Vec<_> = (0..=10_000).map(|n| format!("message {n:05}")).collect();
        assert_eq!(in_order(&desk).await, all, "over {transport:?}");
        let continuity = &view(&desk).await.subscriptions[0].continuity;
        let [gap] = continuity.gaps.as_slice() else {
            panic!("one gap: {continuity:?}");
        };
        assert_eq!(
            (gap.filled, &*gap.missing),
            (10_000, ""),
            "over {transport:?}"
        );
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_recognised_and_works_with_nothing_else() {
    let clock = FakeClock::new();
    let fake = Fake::start("").await.unwrap();
    publish(&fake, &clock, "first");
    for (path, transport) in [
        (EVENTS, TransportKind::Sse),
        (LINES, TransportKind::HttpStream),
        (LONG_POLL, TransportKind::LongPoll),
        (LIST, TransportKind::Poll),
        (WEBSOCKET, TransportKind::Websocket),
    ] {
        let desk = Desk::new(&clock);
        let detect = Request::Detect {
            url: fake.url(path),
        };
        let asked = desk.engine.handle(detect);
        let Reply::Detected(detected) = in_time(&clock, asked).await.unwrap() else {
            panic!("{path}");
        };
        assert_eq!(
            detected.kind,
            Some(BackendKind::Custom),
            "{path}: {}",
            detected.says
        );
        assert_eq!(detected.url, fake.url(path));
        desk.add_account(draft(&detected.url, &detected.options))
            .await;
        live(&desk).await;
        let status = desk.status().await;
        assert_eq!(status.connections[0].transport, Some(transport), "{path}");
        let before = status.counts.all;
        publish(&fake, &clock, "news");
        count(&desk, before + 1).await;
        assert_eq!(in_order(&desk).await.last().unwrap(), "news", "{path}");
        desk.engine.stop().await;
    }
    let desk = Desk::new(&clock);
    let detect = desk.engine.handle(Request::Detect {
        url: fake.url("/nothing"),
    });
    let Reply::Detected(detected) = in_time(&clock, detect).await.unwrap() else {
        panic!("an answer");
    };
    assert_eq!(detected.kind, None);
    desk.engine.stop().await;
}

/// Time passes while something is worked on.
async fn in_time<T>(clock: &FakeClock, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = crate::harness::look_again() => clock.advance(Duration::from_millis(200)),
        }
    }
}

/// Nothing is entered but the address, and nothing was detected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_unknown_kind_is_found_out_by_trying() {
    for (path, transport) in [
        (EVENTS, TransportKind::Sse),
        (LINES, TransportKind::HttpStream),
        (LONG_POLL, TransportKind::LongPoll),
        (WEBSOCKET, TransportKind::Websocket),
    ] {
        let clock = FakeClock::new();
        let fake = Fake::start("").await.unwrap();
        let desk = Desk::new(&clock);
        desk.add_account(draft(&fake.url(path), "")).await;
        live(&desk).await;
        assert_eq!(
            desk.status().await.connections[0].transport,
            Some(transport)
        );
        publish(&fake, &clock, "news");
        count(&desk, 1).await;
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_keeps_nothing_shows_the_gap() {
    let clock = FakeClock::new();
    let fake = Fake::start("").await.unwrap();
    let desk = Desk::new(&clock);
    desk.add_account(draft(&fake.url(WEBSOCKET), r#"{"transport":"websocket"}"#))
        .await;
    live(&desk).await;
    publish(&fake, &clock, "heard");
    count(&desk, 1).await;
    desk.engine.stop().await;
    clock.advance(Duration::from_mins(10));
    publish(&fake, &clock, "missed");
    let desk = desk.restart().await;
    live(&desk).await;
    let view = view(&desk).await;
    let gaps = &view.subscriptions[0].continuity.gaps;
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].missing.contains("keeps nothing"), "{gaps:?}");
    assert_eq!(desk.bodies().await, ["heard"]);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_credential_goes_where_the_profile_says_and_nowhere_else() {
    for (auth, path, wanted) in [
        ("", EVENTS, "bearer"),
        ("[auth]\nby=\"header\"\nname=\"X-Key\"\n", EVENTS, "header"),
        ("[auth]\nby=\"query\"\nname=\"key\"\n", EVENTS, "query"),
        ("[auth]\nby=\"cookie\"\nname=\"sid\"\n", EVENTS, "cookie"),
        ("[auth]\nby=\"message\"\n", WEBSOCKET, "message"),
    ] {
        let clock = FakeClock::new();
        let fake = Fake::start(TOKEN).await.unwrap();
        let desk = Desk::new(&clock);
        let endpoint = if path == WEBSOCKET {
            "[websocket]\nsend=['{\"token\":\"{secret}\"}']\n\
             [[websocket.on]]\nat=\"/type\"\nis=\"ready\"\nready=true\n\
             [[websocket.on]]\nat=\"/type\"\nis=\"denied\"\nfail=\"sign_in\"\nsays=\"/reason\""
        } else {
            "[sse]"
        };
        let options = json!({"profile": format!("{auth}{endpoint}")}).to_string();
        let signed_in = |secret: &str| AccountDraft {
            sign_in: SignIn::Token,
            secret: Some(Secret::new(secret)),
            ..draft(&fake.url(path), &options)
        };
        let account = desk.add_account(signed_in(TOKEN)).await;
        live(&desk).await;
        publish(&fake, &clock, "for you");
        count(&desk, 1).await;
        let seen = fake.seen();
        let first = seen.first().unwrap();
        let header = |name: &str| first.headers.get(name).cloned().unwrap_or_default();
        let places = [
            (
                "bearer",
                header("authorization") == format!("Bearer {TOKEN}"),
            ),
            ("header", header("x-key") == TOKEN),
            ("query", first.target.contains(TOKEN)),
            ("cookie", header("cookie") == format!("sid={TOKEN}")),
            (
                "message",
                fake.frames().iter().any(|frame| frame.contains(TOKEN)),
            ),
        ];
        for (place, found) in places {
            assert_eq!(found, place == wanted, "{place} for {wanted}: {first:?}");
        }
        desk.ask(Request::AccountRemove { id: account.id }).await;
        desk.add_account(signed_in("wrong")).await;
        desk.until_in_time("it asks for the sign-in", |status| {
            status.connections[0].state == ConnectionState::Stopped
        })
        .await;
        desk.engine.stop().await;
    }
}

const LOGIN: &str = r#"
[login]
url = "/login"
body = '{"name":"{user}","password":"{secret}"}'
token = "/token"
[sse]
url = "/events"
[history]
url = "/list"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_becomes_a_token() {
    for keep in [false, true] {
        let clock = FakeClock::new();
        let fake = Fake::start(TOKEN).await.unwrap();
        let desk = Desk::new(&clock);
        let profile = LOGIN.replace("[sse]", if keep { "keep = true\n[sse]" } else { "[sse]" });
        let signed_in = |password: &str| AccountDraft {
            sign_in: SignIn::Basic {
                user: USER.to_owned(),
            },
            secret: Some(Secret::new(password)),
            ..draft(&fake.url(""), &json!({"profile": profile}).to_string())
        };
        let account = desk.add_account(signed_in(PASSWORD)).await;
        live(&desk).await;
        publish(&fake, &clock, "for you");
        count(&desk, 1).await;
        assert_eq!(
            account.sign_in == SignIn::Token,
            keep,
            "{:?}",
            account.sign_in
        );
        fake.drop_all(false);
        desk.until_in_time("it signs in again", |_| {
            fake.seen()
                .iter()
                .filter(|seen| seen.target == EVENTS)
                .count()
                > 1
        })
        .await;
        let seen = fake.seen();
        let logins = seen.iter().filter(|seen| seen.target == "/login").count();
        assert_eq!(logins, if keep { 1 } else { 2 });
        for seen in seen.iter().filter(|seen| seen.target != "/login") {
            assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
        }
        let test = desk.engine.handle(Request::AccountTest { id: account.id });
        let Reply::Test(report) = in_time(&clock, test).await.unwrap() else {
            panic!("it is tested");
        };
        assert!(report.ok, "{report:?}");
        assert!(report.hops.iter().any(|hop| hop.result == HopResult::Ok));

        let wrong = desk.engine.handle(Request::AccountAdd(signed_in("wrong")));
        match in_time(&clock, wrong).await {
            Ok(_) => {
                assert!(!keep);
                desk.until_in_time("it asks for the password", |status| {
                    let stopped =
                        |it: &tidings_api::ConnectionView| it.state == ConnectionState::Stopped;
                    status.connections.iter().any(stopped)
                })
                .await;
            }
            Err(error) => assert!(keep && error.message.contains("sign-in"), "{error:?}"),
        }
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_deleted_and_stored_here_is_told_there() {
    let clock = FakeClock::new();
    let fake = Fake::start("").await.unwrap();
    let desk = Desk::new(&clock);
    let profile = format!(
        "{WEBSOCKET_PROFILE}\n[read]\nurl=\"/list/{{id}}/read\"\nmethod=\"POST\"\n\
         [delete]\nurl=\"/list/{{id}}\"\nmethod=\"DELETE\""
    );
    desk.add_account(draft(
        &fake.url(""),
        &json!({"profile": profile}).to_string(),
    ))
    .await;
    live(&desk).await;
    publish(&fake, &clock, "one");
    publish(&fake, &clock, "two");
    count(&desk, 2).await;
    desk.until_in_time("both are acknowledged", |_| fake.frames().len() == 2)
        .await;
    assert_eq!(fake.frames(), [r#"{"ack":"1"}"#, r#"{"ack":"2"}"#]);
    let rows = desk.rows().await;
    for (row, change) in [(0, Change::Read), (1, Change::Delete)] {
        let targets = Targets::Ids {
            ids: vec![rows[row].id],
        };
        desk.ask(Request::Change { targets, change }).await;
    }
    desk.until_in_time("both are told", |_| {
        fake.seen()
            .iter()
            .filter(|seen| seen.method != "GET")
            .count()
            == 2
    })
    .await;
    let told: Vec<String> = fake
        .seen()
        .iter()
        .filter(|seen| seen.method != "GET")
        .map(|seen| format!("{} {}", seen.method, seen.target))
        .collect();
    assert_eq!(told, ["POST /list/2/read", "DELETE /list/1"]);
    desk.engine.stop().await;
}

/// What is behind a sign-in shows nothing of itself: its user is told so, and has to say what it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_behind_a_sign_in_says_so() {
    let fake = Fake::start(TOKEN).await.unwrap();
    let desk = Desk::new(&FakeClock::new());
    let detect = Request::Detect {
        url: fake.url(EVENTS),
    };
    let Reply::Detected(detected) = desk.ask(detect).await else {
        panic!("it is looked at");
    };
    assert_eq!(detected.kind, None);
    assert!(
        detected.says.contains("asks for a sign-in"),
        "{}",
        detected.says
    );
    desk.engine.stop().await;
}
