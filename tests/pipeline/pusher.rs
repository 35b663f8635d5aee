//! Accounts of the Pusher protocol, against a server that checks every signature.

use crate::harness::{Desk, all_live, numbered};
use crate::relay::Relay;
use serde_json::{Value, json};
use std::time::Duration;
use support::fakes::pusher::{AUTH, Fake, HISTORY, Rules, USER_AUTH};
use tidings_api::{
    AccountDraft, AccountView, BackendKind, ConnectionState, HopResult, Reply, Request,
    SecretPlace, SignIn,
};
use tidings_core::ports::Clock as _;
use tidings_core::testing::FakeClock;

const TOKEN: &str = "app-token-5e7c";

fn rules() -> Rules {
    Rules {
        token: TOKEN.to_owned(),
        ..Rules::default()
    }
}

/// An account with this application beside the server, signed in there by a token.
async fn add(desk: &Desk, url: &str, channels: &[&str], options: &Value) -> AccountView {
    let draft = AccountDraft {
        url: url.to_owned(),
        kind: Some(BackendKind::Pusher),
        options: options.to_string(),
        name: String::new(),
        topics: channels.iter().map(ToString::to_string).collect(),
        sign_in: SignIn::Token,
        secret: Some(tidings_api::Secret::new(TOKEN)),
        secrets: SecretPlace::Memory,
        transport: None,
        allow_http: false,
        headers: Vec::new(),
        ..AccountDraft::default()
    };
    desk.add_account(draft).await
}

fn signing(fake: &Fake) -> Value {
    json!({"app_url": fake.app_url(), "auth_url": AUTH})
}

fn with_history(fake: &Fake) -> Value {
    json!({"app_url": fake.app_url(), "auth_url": AUTH, "history_url": HISTORY,
           "history_mapping": {"topic": "/channel"}})
}

/// Publishes an event that the application keeps too.
fn publish(fake: &Fake, clock: &FakeClock, channel: &str, body: &str) {
    clock.advance(Duration::from_millis(1));
    let made = clock.now().to_string();
    let item = json!({"id": format!("{channel}/{body}"), "body": body, "created_at": made, "channel": channel});
    fake.record(item.clone());
    fake.publish(channel, "notification", &item);
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

const EVERY_KIND: [&str; 6] = [
    "inbox",
    "private-user-42",
    "presence-room",
    "private-encrypted-box",
    "cache-status",
    "private-cache-status",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_channel_is_heard() {
    for like_reverb in [false, true] {
        let clock = FakeClock::new();
        let fake = Fake::start(Rules {
            like_reverb,
            ..rules()
        })
        .await
        .unwrap();
        let desk = Desk::new(&clock);
        let mut options = signing(&fake);
        if !like_reverb {
            options["user_auth_url"] = USER_AUTH.into();
        }
        add(&desk, &fake.url(), &EVERY_KIND, &options).await;
        desk.until_live().await;
        let mut channels: Vec<_> = EVERY_KIND.to_vec();
        if !like_reverb {
            // It is there without being named.
            channels.push("#server-to-user-42");
        }
        for channel in &channels {
            fake.publish(channel, "notification", &json!({"body": channel}));
        }
        desk.until_count(channels.len() as u64).await;
        let bodies = desk.bodies().await;
        channels.sort_unstable();
        assert_eq!(bodies, channels);
        desk.engine.stop().await;
    }
}

/// What is pasted is known for what it is, and Test asks the application.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_detected_and_tested() {
    let clock = FakeClock::new();
    let fake = Fake::start(Rules {
        forbidden: ["private-boss".to_owned()].into(),
        ..rules()
    })
    .await
    .unwrap();
    let desk = Desk::new(&clock);
    let detect = Request::Detect { url: fake.url() };
    let Reply::Detected(detected) = desk.ask(detect).await else {
        panic!("something is detected");
    };
    assert_eq!(detected.kind, Some(BackendKind::Pusher));
    assert!(detected.says.contains("Soketi"), "{}", detected.says);
    assert_eq!(detected.url, format!("{}/", fake.url()));
    let channels = ["private-user-42", "private-boss"];
    let account = add(&desk, &detected.url, &channels, &signing(&fake)).await;
    let test = Request::AccountTest { id: account.id };
    let Reply::Test(report) = desk.ask(test).await else {
        panic!("it is tested");
    };
    let results: Vec<_> = report
        .hops
        .iter()
        .filter(|hop| hop.name.starts_with("Topic") || hop.name == "HTTP")
        .map(|hop| (hop.name.as_str(), hop.result))
        .collect();
    assert_eq!(
        results,
        [
            ("HTTP", HopResult::Ok),
            ("Topic private-user-42", HopResult::Ok),
            ("Topic private-boss", HopResult::Failed),
        ],
        "{:?}",
        report.hops
    );
    desk.engine.stop().await;
}

/// The token is the application's: whoever runs the WebSocket never sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_credential_goes_to_the_application_alone() {
    let clock = FakeClock::new();
    let socket = Fake::start(rules()).await.unwrap();
    let application = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    let mut options = with_history(&application);
    options["user_auth_url"] = USER_AUTH.into();
    add(&desk, &socket.url(), &["private-user-42"], &options).await;
    desk.until_live().await;
    assert!(!socket.seen().is_empty());
    for seen in socket.seen() {
        assert!(!format!("{seen:?}").contains(TOKEN), "{seen:?}");
    }
    for path in [AUTH, USER_AUTH, HISTORY] {
        let asked: Vec<_> = application
            .seen()
            .into_iter()
            .filter(|seen| seen.target.starts_with(path))
            .collect();
        assert!(!asked.is_empty(), "{path}");
        for seen in asked {
            assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
        }
    }
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_drops_while_publishing() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    let channels = ["inbox", "private-user-42"];
    add(&desk, &fake.url(), &channels, &with_history(&fake)).await;
    desk.until_live().await;
    let mut sent = 0;
    for round in 0..20_u16 {
        for _ in 0..5 {
            publish(
                &fake,
                &clock,
                channels[sent % 2],
                &format!("message {sent:03}"),
            );
            sent += 1;
        }
        // By hanging up, as codes of each class, and as an ordinary end.
        fake.drop_all([None, Some(4200), Some(4100), Some(1001)][usize::from(round % 4)]);
        for _ in 0..3 {
            publish(&fake, &clock, "inbox", &format!("message {sent:03}"));
            sent += 1;
        }
        clock.advance(Duration::from_secs(1));
        if round % 3 == 0 {
            desk.until_live().await;
        }
    }
    desk.until_live().await;
    desk.until_count(160).await;
    let all: Vec<_> = (0..160).map(|n| format!("message {n:03}")).collect();
    assert_eq!(in_order(&desk).await, all);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_restarts() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    add(
        &desk,
        &fake.url(),
        &["private-user-42"],
        &with_history(&fake),
    )
    .await;
    desk.until_live().await;
    publish(&fake, &clock, "private-user-42", "message 0");
    desk.until_count(1).await;
    let fake = fake.restart().await.unwrap();
    publish(&fake, &clock, "private-user-42", "message 1");
    desk.until("a new connection", |_| fake.connected() > 0)
        .await;
    desk.until_live().await;
    publish(&fake, &clock, "private-user-42", "message 2");
    desk.until_count(3).await;
    assert_eq!(in_order(&desk).await, numbered("message", 3));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_is_noticed() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    let relay = Relay::start(fake.addr()).await;
    let url = format!("{}/app/key1", relay.url());
    add(&desk, &url, &["inbox"], &with_history(&fake)).await;
    desk.until_live().await;
    relay.freeze();
    publish(&fake, &clock, "inbox", "while half-open");
    desk.until_in_time("silence is a failure", |status| !all_live(status))
        .await;
    relay.thaw();
    desk.until_in_time("the connection is back", all_live).await;
    desk.until_count(1).await;
    assert_eq!(desk.bodies().await, ["while half-open"]);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_for_ten_thousand() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    let channels = ["private-user-42", "inbox"];
    add(&desk, &fake.url(), &channels, &with_history(&fake)).await;
    desk.until_live().await;
    publish(&fake, &clock, "inbox", "message 00000");
    desk.until_count(1).await;
    desk.engine.stop().await;
    clock.advance(Duration::from_secs(10));
    for n in 1..=10_000_usize {
        publish(&fake, &clock, channels[n % 2], &format!("message {n:05}"));
    }
    clock.advance(Duration::from_hours(1));
    let desk = desk.restart().await;
    desk.until_live().await;
    desk.until_count(10_001).await;
    let all: Vec<_> = (0..=10_000).map(|n| format!("message {n:05}")).collect();
    assert_eq!(in_order(&desk).await, all);
    for subscription in view(&desk).await.subscriptions {
        let gaps = &subscription.continuity.gaps;
        assert!(gaps.iter().all(|gap| gap.missing.is_empty()), "{gaps:?}");
    }
    desk.engine.stop().await;
}

/// The server keeps nothing, and without a history nobody does: that is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_history_the_gap_says_so() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    add(&desk, &fake.url(), &["inbox"], &json!({})).await;
    desk.until_live().await;
    fake.publish("inbox", "n", &json!({"body": "heard"}));
    desk.until_count(1).await;
    fake.drop_all(None);
    desk.until("the loss is noticed", |status| !all_live(status))
        .await;
    fake.publish("inbox", "n", &json!({"body": "lost"}));
    desk.until_live().await;
    fake.publish("inbox", "n", &json!({"body": "heard again"}));
    desk.until_count(2).await;
    assert_eq!(desk.bodies().await, ["heard", "heard again"]);
    let continuity = view(&desk).await.subscriptions[0].continuity.clone();
    assert_eq!(continuity.gaps.len(), 1);
    assert!(
        continuity.gaps[0].missing.contains("keeps nothing"),
        "{continuity:?}"
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cached_event_comes_once() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    add(&desk, &fake.url(), &["cache-status"], &json!({})).await;
    desk.until_live().await;
    let mut count = 0;
    // The same state twice is two events; the same event met five times is one.
    for state in ["red", "green", "red"] {
        fake.publish("cache-status", "state", &json!({"body": state}));
        count += 1;
        desk.until_count(count).await;
        for _ in 0..5 {
            fake.drop_all(Some(4200));
            desk.until("the loss is noticed", |status| !all_live(status))
                .await;
            clock.advance(Duration::from_mins(2));
            desk.until_live().await;
        }
    }
    assert_eq!(desk.bodies().await, ["green", "red", "red"]);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_key_is_fetched_and_nothing_is_lost() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    add(
        &desk,
        &fake.url(),
        &["private-encrypted-box"],
        &signing(&fake),
    )
    .await;
    desk.until_live().await;
    for n in 0..3 {
        for m in 0..4 {
            let body = format!("message {}", n * 4 + m);
            fake.publish("private-encrypted-box", "n", &json!({"body": body}));
        }
        desk.until_count(n * 4 + 4).await;
        fake.rotate_key();
    }
    assert_eq!(desk.bodies().await, numbered("message", 12));
    let asked = fake
        .seen()
        .iter()
        .filter(|seen| seen.target == AUTH)
        .count();
    assert_eq!(asked, 3);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_channel_costs_only_itself() {
    let clock = FakeClock::new();
    let fake = Fake::start(Rules {
        forbidden: ["private-boss".to_owned()].into(),
        ..rules()
    })
    .await
    .unwrap();
    let desk = Desk::new(&clock);
    let channels = ["private-boss", "private-user-42"];
    add(&desk, &fake.url(), &channels, &signing(&fake)).await;
    desk.until_live().await;
    fake.publish("private-user-42", "n", &json!({"body": "hello"}));
    desk.until_count(1).await;
    let problems: Vec<_> = view(&desk)
        .await
        .subscriptions
        .into_iter()
        .map(|subscription| (subscription.topic, subscription.problem))
        .collect();
    assert!(problems[0].1.contains("does not allow"), "{problems:?}");
    assert_eq!(problems[1].1, "");
    desk.engine.stop().await;
}

/// The server's other channels go on while the application is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_is_away_costs_only_its_own() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let application = Fake::start(rules()).await.unwrap();
    let options = signing(&application);
    let application = application.stop().await;
    let desk = Desk::new(&clock);
    let channels = ["inbox", "private-user-42"];
    add(&desk, &fake.url(), &channels, &options).await;
    desk.until_live().await;
    fake.publish("inbox", "n", &json!({"body": "public"}));
    desk.until_count(1).await;
    let problem = view(&desk).await.subscriptions[1].problem.clone();
    assert!(problem.contains("could not be reached"), "{problem}");
    let application = application.start().await.unwrap();
    desk.until_in_time("it is signed", |_| !application.seen().is_empty())
        .await;
    desk.until_in_time("it is subscribed", |_| {
        fake.frames()
            .iter()
            .any(|frame| frame["data"]["channel"] == "private-user-42")
    })
    .await;
    fake.publish("private-user-42", "n", &json!({"body": "private"}));
    desk.until_count(2).await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_and_a_wrong_key_stop_and_say_why() {
    let clock = FakeClock::new();
    let fake = Fake::start(Rules {
        token: "another".to_owned(),
        ..Rules::default()
    })
    .await
    .unwrap();
    for (url, word) in [
        (fake.url(), "Sign in again"),
        (
            format!("{}/app/nokey", fake.app_url()),
            "no app with this key",
        ),
    ] {
        let desk = Desk::new(&clock);
        add(&desk, &url, &["private-user-42"], &signing(&fake)).await;
        desk.until_in_time("it stops", |status| {
            status
                .connections
                .iter()
                .all(|connection| connection.state == ConnectionState::Stopped)
        })
        .await;
        let problem = desk.status().await.connections[0].problem.clone();
        assert!(problem.contains(word), "{problem}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_application_is_left_alone_for_as_long_as_it_says() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    fake.answer_next(429, Some(30));
    let desk = Desk::new(&clock);
    let channels = ["inbox", "private-user-42"];
    add(&desk, &fake.url(), &channels, &signing(&fake)).await;
    desk.until_live().await;
    let problem = view(&desk).await.subscriptions[1].problem.clone();
    assert!(problem.contains("429"), "{problem}");
    clock.pass(Duration::from_secs(29)).await;
    let asked = || {
        fake.seen()
            .iter()
            .filter(|seen| seen.target == AUTH)
            .count()
    };
    assert_eq!(asked(), 1);
    desk.until_in_time("it is asked again", |_| asked() == 2)
        .await;
    desk.until_in_time("it is subscribed", |_| {
        fake.frames()
            .iter()
            .any(|frame| frame["data"]["channel"] == "private-user-42")
    })
    .await;
    fake.publish("private-user-42", "n", &json!({"body": "hello"}));
    desk.until_count(1).await;
    desk.engine.stop().await;
}

/// Soketi closes after 120 s in which it heard no text, whatever else went to and fro.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_connection_is_kept_by_texts() {
    let clock = FakeClock::new();
    let fake = Fake::start(rules()).await.unwrap();
    let desk = Desk::new(&clock);
    add(&desk, &fake.url(), &["inbox"], &json!({})).await;
    desk.until_live().await;
    let began = clock.now();
    let pings = || {
        let frames = fake.frames();
        frames
            .iter()
            .filter(|frame| frame["event"] == "pusher:ping")
            .count()
    };
    desk.until_in_time("ten pings", |_| pings() >= 10).await;
    let took = clock.now().duration_since(began).as_secs();
    // One each 30 s, as the greeting asks; time stands still for nobody while the test looks.
    assert!((300..420).contains(&took), "{took} s");
    assert!(all_live(&desk.status().await));
    assert_eq!(fake.connected(), 1);
    desk.engine.stop().await;
}
