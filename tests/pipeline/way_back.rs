//! What the user does here reaches the server, and what happens there reaches the user.

use crate::harness::{Desk, publish, publish_as, server};
use std::time::Duration;
use tidings_api::{
    Change, ErrorCode, ListQuery, NotificationId, PauseChange, Presence, Reply, Request, Target,
    Targets, Tier,
};
use tidings_core::testing::{FakeClock, NotifierMode};

async fn change(desk: &Desk, ids: &[NotificationId], change: Change) {
    let targets = Targets::Ids { ids: ids.to_vec() };
    let reply = desk.ask(Request::Change { targets, change }).await;
    assert!(matches!(reply, Reply::Changed(_)), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_here_is_read_on_the_other_desktop() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let (here, there) = (Desk::new(&clock), Desk::new(&clock));
    for desk in [&here, &there] {
        desk.add(&server, &["alerts"]).await;
        desk.until_live().await;
    }
    publish(&server, "alerts", "hello").await;
    for desk in [&here, &there] {
        desk.until_shown(1).await;
    }
    let id = here.rows().await[0].id;
    change(&here, &[id], Change::Read).await;
    here.until("the server was told", |status| status.counts.owed == 0)
        .await;
    there
        .until("it is read there", |status| status.counts.unread == 0)
        .await;
    let key = there.notifier.shown()[0].key;
    there
        .until("its toast is withdrawn there", |_| {
            there.notifier.withdrawn().contains(&key)
        })
        .await;
    here.engine.stop().await;
    there.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_stays_deleted_whatever_is_replayed() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "hello").await;
    desk.until_count(1).await;
    let id = desk.rows().await[0].id;
    change(&desk, &[id], Change::Delete).await;
    assert!(desk.rows().await.is_empty());
    desk.until("the server was told", |status| status.counts.owed == 0)
        .await;
    let desk = desk.restart().await;
    desk.until_live().await;
    publish(&server, "alerts", "second").await;
    desk.until_count(1).await;
    assert_eq!(desk.bodies().await, ["second"]);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_made_without_a_server_waits_for_it() {
    let clock = FakeClock::new();
    let first = server(&clock).await;
    let port = first.addr().port();
    let desk = Desk::new(&clock);
    desk.add(&first, &["alerts"]).await;
    desk.until_live().await;
    publish(&first, "alerts", "hello").await;
    desk.until_count(1).await;
    first.stop().await;
    let id = desk.rows().await[0].id;
    change(&desk, &[id], Change::Read).await;
    desk.until("it is owed", |status| status.counts.owed == 1)
        .await;
    let desk = desk.restart().await;
    let second = crate::harness::start(&clock, None, port).await;
    desk.until_live().await;
    clock.pass(Duration::from_hours(1)).await;
    desk.until("it was told", |status| status.counts.owed == 0)
        .await;
    let told = second
        .log()
        .iter()
        .any(|seen| seen.path.ends_with("/clear"));
    assert!(told, "the clear reached the server");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undo_brings_it_back_and_tells_nobody() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "hello").await;
    desk.until_count(1).await;
    let id = desk.rows().await[0].id;
    change(&desk, &[id], Change::Delete).await;
    let Reply::Changed(undone) = desk.ask(Request::Undo).await else {
        panic!("changed");
    };
    assert_eq!(undone.count, 1);
    assert_eq!(desk.bodies().await, ["hello"]);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_on_the_toast_brings_up_that_notification() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "hello").await;
    desk.until_shown(1).await;
    let key = desk.notifier.shown()[0].key;
    desk.notifier.activate(key, "default", Some("token-1"));
    let id = desk.rows().await[0].id;
    desk.until("the window is asked for", |_| {
        desk.desktop.presented() == [(Target::Notification { id }, Some("token-1".to_owned()))]
    })
    .await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_and_its_end_rings_once() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    desk.ask(Request::Pause(PauseChange::For {
        minutes: 30,
        critical_rings: true,
    }))
    .await;
    for n in 0..6 {
        publish(&server, "alerts", &format!("message {n}")).await;
    }
    publish_as(&server, "alerts", "fire", 5).await;
    desk.until_count(7).await;
    desk.until_shown(1).await;
    assert_eq!(desk.notifier.shown()[0].tier, Tier::Critical);
    desk.until("six wait", |status| status.counts.held == 6)
        .await;
    clock.pass(Duration::from_mins(31)).await;
    desk.until_shown(2).await;
    desk.settle().await;
    let shown = desk.notifier.shown();
    assert_eq!(shown.len(), 2, "one digest: {shown:#?}");
    assert!(shown[1].title.contains('6'), "{shown:#?}");
    assert!(desk.status().await.pause.is_none());
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_at_the_list_is_not_rung() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    desk.ask(Request::Looking(Presence {
        focused: true,
        list: Some(ListQuery::default()),
        notification: None,
    }))
    .await;
    publish(&server, "alerts", "seen").await;
    desk.until_count(1).await;
    desk.engine.window_gone();
    publish(&server, "alerts", "rung").await;
    desk.until_shown(1).await;
    desk.settle().await;
    let shown = desk.notifier.shown();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].body, "rung");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receiving_never_waits_for_the_notification_daemon() {
    for mode in [NotifierMode::Absent, NotifierMode::Hangs] {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let desk = Desk::new(&clock);
        desk.notifier.set_mode(mode);
        desk.add(&server, &["alerts"]).await;
        desk.until_live().await;
        for n in 0..50 {
            publish(&server, "alerts", &format!("message {n}")).await;
        }
        desk.until_count(50).await;
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_comes_late_is_told_once() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.notifier.set_mode(NotifierMode::Absent);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "early").await;
    desk.until_count(1).await;
    desk.until("the user is told", |status| !status.notices.is_empty())
        .await;
    desk.notifier.set_mode(NotifierMode::Shows);
    desk.notifier.appear();
    desk.until_shown(1).await;
    desk.settle().await;
    assert_eq!(desk.notifier.shown().len(), 1);
    assert!(desk.status().await.notices.is_empty());
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_has_an_answer() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "hello").await;
    desk.until_shown(1).await;
    let id = desk.rows().await[0].id;
    let Reply::Ledger(entries) = desk.ask(Request::Why { id }).await else {
        panic!("a ledger");
    };
    assert_eq!(entries.len(), 1);
    assert_eq!(
        entries[0].lines.iter().filter(|line| line.decided).count(),
        1
    );
    let missing = desk
        .engine
        .handle(Request::Why {
            id: NotificationId(99),
        })
        .await;
    assert_eq!(missing.unwrap_err().code, ErrorCode::NotFound);
    desk.engine.stop().await;
}
