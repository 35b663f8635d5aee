//! What the user does here reaches the server, and what happens there reaches the user.

use crate::harness::{Desk, publish, publish_as, server};
use std::time::Duration;
use tidings_api::{
    ActOutcome, Change, Changed, ErrorCode, ListQuery, NotificationId, PauseChange, Presence,
    Reply, Request, Target, Targets, Tier,
};
use tidings_core::testing::{FakeClock, NotifierMode};
use tidings_server::{Attachment, Publish};

/// Answers the step that undoes it.
async fn change(desk: &Desk, ids: &[NotificationId], change: Change) -> Option<u64> {
    let targets = Targets::Ids { ids: ids.to_vec() };
    match desk.ask(Request::Change { targets, change }).await {
        Reply::Changed(changed) => changed.undo,
        other => panic!("{other:?}"),
    }
}

async fn undo(desk: &Desk, step: Option<u64>) -> Changed {
    match desk.ask(Request::Undo { step }).await {
        Reply::Changed(undone) => undone,
        other => panic!("{other:?}"),
    }
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
    desk.until_in_time("it was told", |status| status.counts.owed == 0)
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
    let undone = undo(&desk, None).await;
    assert_eq!((undone.count, undone.undo), (1, None));
    assert_eq!(desk.bodies().await, ["hello"]);
    desk.until("nothing is owed", |status| status.counts.owed == 0)
        .await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_change_is_undone_whatever_came_after_it() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    for message in ["one", "two", "three"] {
        publish(&server, "alerts", message).await;
    }
    desk.until_count(3).await;
    let ids: Vec<_> = desk.rows().await.iter().map(|row| row.id).collect();
    assert_eq!(change(&desk, &ids, Change::Seen).await, None);
    let deleted = change(&desk, &ids[..2], Change::Delete).await;
    assert!(deleted.is_some());
    assert_eq!(change(&desk, &ids[..2], Change::Delete).await, None);
    change(&desk, &ids[2..], Change::Done).await;
    let undone = undo(&desk, deleted).await;
    assert_eq!(undone.count, 2);
    assert_eq!(undone.says, "Undone: 2 notifications deleted");
    let there: Vec<_> = desk.rows().await.iter().map(|row| row.id).collect();
    assert_eq!(there, ids[..2]);

    let again = desk.engine.handle(Request::Undo { step: deleted }).await;
    let error = again.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(
        error.message.starts_with("This can no longer be undone."),
        "{error}"
    );

    let read = change(&desk, &ids[..1], Change::Read).await;
    change(&desk, &ids[..1], Change::Unread).await;
    let undone = undo(&desk, read).await;
    assert_eq!(undone.count, 0, "the later change stays: {}", undone.says);
    assert!(!desk.rows().await[0].read);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_links_that_a_notification_has_are_opened() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    let plain = Publish {
        topic: "alerts".to_owned(),
        message: "See https://ex.test/plain, or file:///etc/passwd or https://u:p@ex.test/"
            .to_owned(),
        ..Publish::default()
    };
    let markdown = Publish {
        topic: "alerts".to_owned(),
        message: "[here](https://ex.test/[x]) https://ex.test/bare [no](javascript:1)".to_owned(),
        markdown: true,
        attachment: Some(Attachment {
            url: "https://ex.test/file.jpg".to_owned(),
            name: "file.jpg".to_owned(),
        }),
        ..Publish::default()
    };
    server.publish(plain).await.expect("it is published");
    desk.until_count(1).await;
    let plain = desk.rows().await[0].id;
    server.publish(markdown).await.expect("it is published");
    desk.until_count(2).await;
    let rows = desk.rows().await;
    let markdown = rows.iter().find(|row| row.id != plain).expect("two").id;

    let open = async |id, url: &str| {
        let url = url.to_owned();
        desk.engine.handle(Request::OpenUrl { id, url }).await
    };
    for (id, url) in [
        (plain, "https://ex.test/plain"),
        // As the window has it from the page.
        (markdown, "https://ex.test/%5Bx%5D"),
        (markdown, "https://ex.test/file.jpg"),
    ] {
        let reply = open(id, url).await.expect("it opens");
        let url = url.to_owned();
        assert_eq!(desk.desktop.opened().pop(), Some((url.clone(), None)));
        assert_eq!(reply, Reply::Act(ActOutcome::Opened { url }));
    }
    let opened = desk.desktop.opened().len();
    for (id, url) in [
        (plain, "https://ex.test/file.jpg"),
        (plain, "https://ex.test/"),
        (plain, "https://ex.test/plai"),
        (plain, "file:///etc/passwd"),
        (plain, "https://u:p@ex.test/"),
        (markdown, "https://ex.test/bare"),
        (markdown, "https://ex.test/plain"),
        (markdown, "javascript:1"),
        (markdown, ""),
    ] {
        let refused = open(id, url).await.expect_err(url);
        assert_eq!(refused.code, ErrorCode::Invalid, "{url}: {refused}");
    }
    let missing = open(NotificationId(99), "https://ex.test/plain").await;
    assert_eq!(missing.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(desk.desktop.opened().len(), opened, "nothing else opened");

    desk.desktop.refuse(Some("no browser"));
    let failed = open(plain, "https://ex.test/plain").await.unwrap_err();
    assert!(failed.message.contains("https://ex.test/plain"), "{failed}");
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
    // It would ring again while it stays unread.
    let fire = desk.rows().await[0].id;
    change(&desk, &[fire], Change::Read).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_echo_of_an_own_change_takes_nothing_back() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "hello").await;
    desk.until_count(1).await;
    let id = desk.rows().await[0].id;
    // The server repeats the clear to everybody; here it must not undo what the user did since.
    change(&desk, &[id], Change::Read).await;
    change(&desk, &[id], Change::Unread).await;
    desk.until("the server was told, or need not be", |status| {
        status.counts.owed == 0
    })
    .await;
    publish(&server, "alerts", "later").await;
    desk.until_count(2).await;
    assert_eq!(desk.status().await.counts.unread, 2);
    // Nor does a replay of it.
    let desk = desk.restart().await;
    desk.until_live().await;
    assert_eq!(desk.status().await.counts.unread, 2);
    desk.engine.stop().await;
}
