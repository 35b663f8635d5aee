//! Nothing is lost, nothing comes twice, nothing floods: whatever happens to the connection.

use crate::harness::{Desk, all_live, numbered, publish, publish_as, server, start};
use std::time::Duration;
use tidings_api::{
    AccountDraft, AppSettings, BackendKind, Reply, Request, Timings, TransportKind, Way,
};
use tidings_core::testing::{FakeClock, SecretsMode};

const OVER_ALL: [Option<TransportKind>; 4] = [
    Some(TransportKind::Websocket),
    Some(TransportKind::HttpStream),
    Some(TransportKind::Sse),
    Some(TransportKind::Poll),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_rings_and_stays() {
    for transport in OVER_ALL {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let desk = Desk::new(&clock);
        desk.add_over(&server, &["alerts"], transport).await;
        desk.until_live().await;
        let polled = transport == Some(TransportKind::Poll);
        if polled {
            clock.asleep_for(Duration::from_mins(1)).await;
        }
        publish(&server, "alerts", "hello").await;
        if polled {
            clock.advance(Duration::from_mins(1));
        }
        desk.until_count(1).await;
        desk.until_shown(1).await;
        let toast = &desk.notifier.shown()[0];
        assert_eq!(toast.title, "alerts", "over {transport:?}");
        assert_eq!(toast.body, "hello");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_disconnects_while_publishing() {
    for transport in &OVER_ALL[..3] {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let desk = Desk::new(&clock);
        desk.add_over(&server, &["alerts", "builds"], *transport)
            .await;
        desk.until_live().await;
        let mut sent = 0;
        for round in 0..20 {
            for _ in 0..5 {
                let topic = ["alerts", "builds"][sent % 2];
                publish(&server, topic, &format!("message {sent}")).await;
                sent += 1;
            }
            server.drop_connections();
            for _ in 0..3 {
                publish(&server, "alerts", &format!("message {sent}")).await;
                sent += 1;
            }
            clock.advance(Duration::from_secs(1));
            if round % 3 == 0 {
                desk.until_live().await;
            }
        }
        desk.until_live().await;
        desk.until_count(160).await;
        assert_eq!(
            desk.bodies().await,
            numbered("message", 160),
            "{transport:?}"
        );
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_restarts_and_keeps_its_messages() {
    let clock = FakeClock::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.db");
    let first = start(&clock, Some(&file), 0).await;
    let port = first.addr().port();
    let desk = Desk::new(&clock);
    desk.add(&first, &["alerts"]).await;
    desk.until_live().await;
    publish(&first, "alerts", "message 0").await;
    desk.until_count(1).await;
    first.stop().await;
    desk.until("the loss is noticed", |status| {
        status.connections[0].retry_at.is_some()
    })
    .await;

    let second = start(&clock, Some(&file), port).await;
    publish(&second, "alerts", "message 1").await;
    desk.until_live().await;
    publish(&second, "alerts", "message 2").await;
    desk.until_count(3).await;
    assert_eq!(desk.bodies().await, numbered("message", 3));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_forgets_everything_and_nothing_comes_twice() {
    let clock = FakeClock::new();
    let first = server(&clock).await;
    let port = first.addr().port();
    let desk = Desk::new(&clock);
    desk.add(&first, &["alerts"]).await;
    desk.until_live().await;
    publish(&first, "alerts", "message 0").await;
    desk.until_count(1).await;
    first.stop().await;

    let second = start(&clock, None, port).await;
    publish(&second, "alerts", "message 1").await;
    desk.until_live().await;
    desk.until_count(2).await;
    assert_eq!(desk.bodies().await, numbered("message", 2));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_for_ten_thousand() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "before").await;
    desk.until_count(1).await;
    desk.until_shown(1).await;
    desk.engine.stop().await;

    clock.advance(Duration::from_secs(10));
    for n in 0..10_000 {
        publish_as(
            &server,
            "alerts",
            &format!("message {n}"),
            if n % 5000 == 7 { 5 } else { 3 },
        )
        .await;
    }
    clock.advance(Duration::from_hours(1));
    let desk = desk.restart().await;
    desk.until_live().await;
    desk.until_count(10_001).await;
    desk.until_shown(3).await;
    desk.settle().await;

    let mut all = numbered("message", 10_000);
    all.push("before".to_owned());
    all.sort();
    assert_eq!(desk.bodies().await, all);
    let shown = desk.notifier.shown();
    let keys: std::collections::BTreeSet<_> = shown.iter().map(|toast| toast.key).collect();
    assert!(
        keys.len() <= 3,
        "two critical ones and at most one digest: {shown:#?}"
    );
    let critical = shown
        .iter()
        .filter(|toast| toast.tier == tidings_api::Tier::Critical)
        .count();
    assert_eq!(critical, 2, "{shown:#?}");
    assert!(
        shown.iter().any(|toast| toast.title.contains("9998")),
        "the digest counts the rest: {shown:#?}"
    );
    desk.engine.stop().await;
}

/// What was just missed: few ring one by one, as if nothing had happened; many ring as one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moment_away_rings_singly_for_few_and_once_for_many() {
    for (missed, toasts) in [(2, 2), (40, 1)] {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let desk = Desk::new(&clock);
        desk.add(&server, &["alerts"]).await;
        desk.until_live().await;
        publish(&server, "alerts", "before").await;
        desk.until_shown(1).await;
        desk.engine.stop().await;
        clock.advance(Duration::from_secs(10));
        for n in 0..missed {
            publish(&server, "alerts", &format!("message {n}")).await;
        }
        clock.advance(Duration::from_secs(10));
        let desk = desk.restart().await;
        desk.until_live().await;
        desk.until_count(missed + 1).await;
        desk.until_shown(toasts).await;
        desk.settle().await;
        let shown = desk.notifier.shown();
        assert_eq!(shown.len(), toasts, "{missed} missed: {shown:#?}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_ring_a_few_times() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    for n in 0..1000 {
        publish(&server, "alerts", &format!("message {n}")).await;
    }
    desk.until_count(1000).await;
    desk.until_in_time("the rest is told", |_| desk.notifier.shown().len() > 5)
        .await;
    desk.settle().await;
    assert_eq!(desk.bodies().await, numbered("message", 1000));
    let shown = desk.notifier.shown();
    assert!(
        (6..=10).contains(&shown.len()),
        "five singly, and a digest that is edited: {}",
        shown.len()
    );
    assert!(
        shown.iter().any(|toast| toast.title.contains("995")),
        "{shown:#?}"
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_topic_fills_by_itself_and_never_rings() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    publish(&server, "builds", "old build").await;
    let desk = Desk::new(&clock);
    let account = desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "hello").await;
    desk.until_shown(1).await;
    clock.advance(Duration::from_hours(1));

    let topic = "builds".to_owned();
    let added = Request::SubscriptionAdd {
        account: account.id,
        topic,
    };
    assert!(matches!(desk.ask(added).await, Reply::Account(_)));
    desk.until_count(2).await;
    desk.until_live().await;
    desk.settle().await;
    assert_eq!(desk.bodies().await, ["hello", "old build"]);
    assert_eq!(desk.notifier.shown().len(), 1, "only the live one rang");
    assert!(desk.rows().await.iter().all(|row| !row.read), "all unread");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_is_noticed() {
    for transport in &OVER_ALL[..3] {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let desk = Desk::new(&clock);
        // Everything goes through a relay that can stop relaying without closing anything.
        let relay = crate::relay::Relay::start(server.addr()).await;
        desk.add_at(&relay.url(), &["alerts"], *transport).await;
        desk.until_live().await;
        relay.freeze();
        publish(&server, "alerts", "while half-open").await;
        desk.until_in_time("silence is a failure", |status| !all_live(status))
            .await;
        relay.thaw();
        // An attempt that was made while nothing passed has to give up first.
        desk.until_in_time("the connection is back", all_live).await;
        desk.until_count(1).await;
        assert_eq!(desk.bodies().await, ["while half-open"]);
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_slept_reconnects_at_once() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    let before = server.log().len();
    clock.suspend(Duration::from_hours(8));
    publish(&server, "alerts", "in the night").await;
    desk.engine.woke();
    desk.until("a new connection", |_| server.log().len() > before)
        .await;
    desk.until_live().await;
    desk.until_count(1).await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_forbidden_topic_costs_only_itself() {
    let clock = FakeClock::new();
    let time = clock.clone();
    let server = tidings_server::Server::start(tidings_server::Config {
        access: tidings_server::Access {
            default: tidings_server::Permission::ReadWrite,
            everyone: [("secret".to_owned(), tidings_server::Permission::Deny)].into(),
            users: Vec::new(),
        },
        clock: std::sync::Arc::new(move || tidings_core::ports::Clock::now(&time)),
        ..tidings_server::Config::for_tests()
    })
    .await
    .unwrap();
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts", "secret", "builds"]).await;
    desk.until_live().await;
    publish(&server, "builds", "hello").await;
    desk.until_count(1).await;
    let Reply::Accounts(accounts) = desk.ask(Request::Accounts).await else {
        panic!("accounts");
    };
    for subscription in &accounts[0].subscriptions {
        let refused = !subscription.problem.is_empty();
        assert_eq!(refused, subscription.topic == "secret", "{subscription:?}");
    }
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absence_is_shown_with_what_filled_it() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    let left = clock_now(&clock);
    desk.engine.stop().await;
    clock.advance(Duration::from_mins(10));
    publish(&server, "alerts", "missed").await;
    clock.advance(Duration::from_mins(10));
    let desk = desk.restart().await;
    desk.until_live().await;
    desk.until_count(1).await;

    let Reply::Accounts(accounts) = desk.ask(Request::Accounts).await else {
        panic!("accounts");
    };
    let continuity = &accounts[0].subscriptions[0].continuity;
    assert_eq!(continuity.since, Some(left), "unbroken since the beginning");
    let [gap] = continuity.gaps.as_slice() else {
        panic!("one gap: {continuity:?}");
    };
    assert_eq!((gap.from, gap.filled, &*gap.missing), (left, 1, ""));
    assert_eq!(gap.to, clock_now(&clock));
    desk.engine.stop().await;
}

fn clock_now(clock: &FakeClock) -> jiff::Timestamp {
    tidings_core::ports::Clock::now(clock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_clock_was_set_back_loses_nothing() {
    for transport in OVER_ALL {
        let clock = FakeClock::new();
        let theirs = FakeClock::new();
        let server = server(&theirs).await;
        let desk = Desk::new(&clock);
        desk.add_over(&server, &["alerts"], transport).await;
        desk.until_live().await;
        publish(&server, "alerts", "message 0").await;
        if transport == Some(TransportKind::Poll) {
            desk.until_in_time("it was polled", |status| status.counts.all == 1)
                .await;
        }
        desk.until_count(1).await;
        desk.engine.stop().await;
        theirs.jump_wall(jiff::SignedDuration::from_hours(-1));
        publish(&server, "alerts", "message 1").await;
        let desk = desk.restart().await;
        // A poll learns the server's time from its answer, and mends itself with the next one.
        desk.until_in_time("what came meanwhile", |status| status.counts.all == 2)
            .await;
        publish(&server, "alerts", "message 2").await;
        desk.until_in_time("all are here", |status| status.counts.all == 3)
            .await;
        assert_eq!(
            desk.bodies().await,
            numbered("message", 3),
            "over {transport:?}"
        );
        desk.engine.stop().await;
    }
}

/// Unusual networks need other times: they apply at once, have floors, and survive a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_times_of_connections_can_be_set() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    let relay = crate::relay::Relay::start(server.addr()).await;
    desk.add_at(&relay.url(), &["alerts"], Some(TransportKind::Websocket))
        .await;
    desk.until_live().await;
    let patient = Timings {
        ping_every: 3_600_000,
        backoff_least: 1,
        ..Timings::default()
    };
    let settings = AppSettings {
        timings: patient,
        ..AppSettings::default()
    };
    let before = server.log().len();
    let Reply::Settings(set) = desk.ask(Request::SettingsSet(settings)).await else {
        panic!("the settings come back");
    };
    assert_eq!(set.timings.backoff_least, 100, "raised to its floor");
    desk.until("it begins anew with them", |_| server.log().len() > before)
        .await;
    desk.until_live().await;
    let desk = desk.restart().await;
    desk.until_live().await;
    relay.freeze();
    // With the usual times it would be noticed within half a minute.
    for _ in 0..40 {
        clock.advance(Duration::from_mins(1));
        assert!(all_live(&desk.status().await), "it is more patient now");
    }
    clock.advance(Duration::from_mins(20));
    desk.until_in_time("after an hour it asks", |status| !all_live(status))
        .await;
    relay.thaw();
    desk.until_in_time("the connection is back", all_live).await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_found_while_it_works_and_the_next_start_fetches_everything_again() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "message 0").await;
    desk.until_count(1).await;
    desk.engine.stop().await;
    damage(&desk.database());

    let desk = desk.restart().await;
    desk.until_live().await;
    publish(&server, "alerts", "message 1").await;
    desk.until_count(2).await;
    let found = async {
        let damaged = desk.engine.damaged();
        tokio::pin!(damaged);
        loop {
            tokio::select! {
                () = &mut damaged => return,
                () = desk.settle() => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), found)
        .await
        .expect("it is found");

    let desk = desk.restart().await;
    desk.until_live().await;
    desk.until_count(2).await;
    assert_eq!(desk.bodies().await, numbered("message", 2));
    let status = desk.status().await;
    assert!(
        status
            .notices
            .iter()
            .any(|words| words.contains("moved aside")),
        "{:?}",
        status.notices
    );
    desk.engine.stop().await;
}

/// As a disk does that lost a page, under a resident that was killed.
fn damage(path: &std::path::Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute(
        "UPDATE setting SET value = 'no' WHERE key = 'store.clean_stop'",
        [],
    )
    .unwrap();
    let root: u32 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'undo_row_of'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    db.close().map_err(|(_, error)| error).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let start = (root as usize - 1) * 4096;
    bytes[start..start + 4096].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

/// A pin or an authority needs no password, so nobody is asked for one; nor is a proxy that has none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_without_passwords_needs_no_keyring() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.secrets.set_mode(SecretsMode::Missing);
    for way in [
        Way {
            pin: "ab".repeat(32),
            ..Way::default()
        },
        Way {
            proxy: "direct".to_owned(),
            ..Way::default()
        },
    ] {
        let draft = AccountDraft {
            url: server.url(),
            kind: Some(BackendKind::Ntfy),
            topics: vec!["alerts".to_owned()],
            way,
            ..AccountDraft::default()
        };
        desk.ask(Request::AccountAdd(draft)).await;
        desk.until_live().await;
    }
    desk.engine.stop().await;
}
