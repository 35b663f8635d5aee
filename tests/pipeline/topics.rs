//! A subscription comes or goes while others are live: they hear nothing of it. No gap, nothing twice,
//! nothing late, and no other state than live.

use crate::harness::{Desk, all_live, look_again, numbered, publish, server, start_with};
use crate::relay::Relay;
use serde_json::json;
use std::time::Duration;
use support::fakes::pusher::{Fake, Rules};
use tidings_api::{
    AccountDraft, BackendKind, ConnectionView, Reply, Request, SecretPlace, SubscriptionView,
    TransportKind,
};
use tidings_core::testing::FakeClock;
use tidings_server::{Config, Limits};

const STREAMS: [Option<TransportKind>; 3] = [
    Some(TransportKind::Websocket),
    Some(TransportKind::HttpStream),
    Some(TransportKind::Sse),
];

async fn add(desk: &Desk, topic: &str) {
    let account = desk.account().await.id;
    let topic = topic.to_owned();
    let reply = desk.ask(Request::SubscriptionAdd { account, topic }).await;
    assert!(matches!(reply, Reply::Account(_)));
}

async fn line(desk: &Desk, topic: &str) -> SubscriptionView {
    let lines = desk.account().await.subscriptions;
    let line = lines.into_iter().find(|line| line.topic == topic);
    line.expect("it is there")
}

async fn remove(desk: &Desk, topic: &str, forget: bool) {
    let id = line(desk, topic).await.id;
    desk.ask(Request::SubscriptionRemove { id, forget }).await;
}

async fn connection(desk: &Desk) -> ConnectionView {
    let status = desk.status().await;
    assert!(all_live(&status), "{status:#?}");
    let connection = status.connections[0].clone();
    // How much the server allows is asked with each connection, and says when.
    ConnectionView {
        quota: None,
        ..connection
    }
}

/// Waits in real time: sockets are what it waits for.
async fn eventually(what: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..5_000 {
        if is().await {
            return;
        }
        look_again().await;
    }
    panic!("{what}");
}

async fn is_filled(desk: &Desk, topic: &str) -> bool {
    line(desk, topic).await.continuity.since.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_go_on_while_one_is_added_and_one_removed() {
    for transport in STREAMS {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        publish(&server, "builds", "message 0").await;
        let desk = Desk::new(&clock);
        desk.add_over(&server, &["alerts"], transport).await;
        desk.until_live().await;
        let before = connection(&desk).await;
        let unbroken = line(&desk, "alerts").await.continuity;
        // A state that was left and entered again would have another beginning.
        clock.advance(Duration::from_secs(2));

        publish(&server, "alerts", "message 1").await;
        add(&desk, "builds").await;
        publish(&server, "alerts", "message 2").await;
        eventually("the new one is filled", async || {
            is_filled(&desk, "builds").await
        })
        .await;
        publish(&server, "alerts", "message 3").await;
        desk.until_count(4).await;
        desk.until_shown(3).await;
        eventually("one connection is left", async || {
            server.subscriptions() == 1
        })
        .await;
        publish(&server, "builds", "message 4").await;
        publish(&server, "alerts", "message 5").await;
        desk.until_count(6).await;

        remove(&desk, "builds", false).await;
        publish(&server, "builds", "not wanted").await;
        publish(&server, "alerts", "message 6").await;
        desk.until_count(7).await;
        eventually("one connection is left again", async || {
            server.subscriptions() == 1
        })
        .await;
        publish(&server, "builds", "not wanted either").await;
        publish(&server, "alerts", "message 7").await;
        desk.until_count(8).await;

        assert_eq!(desk.bodies().await, numbered("message", 8), "{transport:?}");
        assert_eq!(connection(&desk).await, before, "{transport:?}");
        assert_eq!(line(&desk, "alerts").await.continuity, unbroken);
        let rang = desk.notifier.shown();
        assert!(
            rang.iter().all(|toast| toast.body != "message 0"),
            "what was there before does not ring: {rang:#?}"
        );
        desk.engine.stop().await;
    }
}

/// Each of a burst comes once, whichever of the two connections brings it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_subscription_loses_nothing_to_new_ones() {
    for transport in STREAMS {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let desk = Desk::new(&clock);
        desk.add_over(&server, &["alerts"], transport).await;
        desk.until_live().await;
        for n in 0..300 {
            publish(&server, "alerts", &format!("message {n}")).await;
            if n % 60 == 30 {
                add(&desk, &format!("topic{n}")).await;
            }
        }
        desk.until_count(300).await;
        for n in [30, 90, 150, 210, 270] {
            let topic = format!("topic{n}");
            eventually("all are filled", async || is_filled(&desk, &topic).await).await;
        }
        desk.settle().await;
        assert_eq!(
            desk.bodies().await,
            numbered("message", 300),
            "{transport:?}"
        );
        let gaps = line(&desk, "alerts").await.continuity.gaps;
        assert!(gaps.is_empty(), "{transport:?}: {gaps:?}");
        desk.engine.stop().await;
    }
}

/// The next connection cannot be opened for a while. Nobody but the new subscription notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_beside_takes_nothing_away() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    let relay = Relay::start(server.addr()).await;
    let account = desk.add_at(&relay.url(), &["alerts"], None).await;
    desk.until_live().await;
    let before = connection(&desk).await;
    clock.advance(Duration::from_secs(2));
    relay.refuse(true);
    let refused = relay.refused();
    desk.ask(Request::SubscriptionAdd {
        account: account.id,
        topic: "builds".to_owned(),
    })
    .await;
    eventually("it is tried", async || relay.refused() > refused).await;
    publish(&server, "alerts", "message 0").await;
    desk.until_shown(1).await;
    assert_eq!(connection(&desk).await, before);
    relay.refuse(false);
    clock.advance(Duration::from_secs(6));
    eventually("it is tried again", async || {
        is_filled(&desk, "builds").await
    })
    .await;
    publish(&server, "builds", "message 1").await;
    desk.until_shown(2).await;
    assert_eq!(connection(&desk).await, before);
    desk.engine.stop().await;
}

/// A server that lets nobody have two connections gets one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_room_for_two_it_is_one_after_the_other() {
    let clock = FakeClock::new();
    let server = start_with(
        &clock,
        Config {
            limits: Limits {
                subscriptions: Some(1),
                ..Limits::default()
            },
            ..Config::for_tests()
        },
    )
    .await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    add(&desk, "builds").await;
    for _ in 0..1_000 {
        if is_filled(&desk, "builds").await {
            break;
        }
        clock.advance(Duration::from_millis(500));
        look_again().await;
    }
    assert!(is_filled(&desk, "builds").await);
    desk.until_live().await;
    publish(&server, "alerts", "message 0").await;
    publish(&server, "builds", "message 1").await;
    desk.until_count(2).await;
    assert_eq!(desk.bodies().await, numbered("message", 2));
    desk.engine.stop().await;
}

/// Where the protocol can subscribe in place, there is only ever one connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_come_and_go_on_one_socket() {
    let clock = FakeClock::new();
    let fake = Fake::start(Rules::default()).await.unwrap();
    let desk = Desk::new(&clock);
    desk.add_account(AccountDraft {
        url: fake.url(),
        kind: Some(BackendKind::Pusher),
        topics: vec!["inbox".to_owned()],
        secrets: SecretPlace::Memory,
        ..AccountDraft::default()
    })
    .await;
    desk.until_live().await;
    let before = connection(&desk).await;
    let unbroken = line(&desk, "inbox").await.continuity;
    let sockets = fake.seen().len();
    clock.advance(Duration::from_secs(2));
    add(&desk, "builds").await;
    fake.publish("inbox", "n", &json!({"id": 0, "body": "message 0"}));
    eventually("the new one is joined", async || {
        is_filled(&desk, "builds").await
    })
    .await;
    fake.publish("builds", "n", &json!({"id": 1, "body": "message 1"}));
    desk.until_count(2).await;
    remove(&desk, "builds", true).await;
    desk.until_count(1).await;
    eventually("it is left", async || {
        let left = |frame: &serde_json::Value| frame["event"] == "pusher:unsubscribe";
        fake.frames().iter().any(left)
    })
    .await;
    fake.publish("builds", "n", &json!({"id": 2, "body": "not wanted"}));
    fake.publish("inbox", "n", &json!({"id": 3, "body": "message 1"}));
    eventually("the other goes on", async || desk.rows().await.len() == 2).await;
    assert_eq!(desk.bodies().await, numbered("message", 2));
    assert_eq!(connection(&desk).await, before);
    assert_eq!(line(&desk, "inbox").await.continuity, unbroken);
    assert_eq!((fake.connected(), fake.seen().len()), (1, sockets));
    desk.engine.stop().await;
}
