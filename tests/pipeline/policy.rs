//! What interrupts, when, and what waits: the preferences at work, from the server's byte to the toast.

use crate::harness::{Desk, publish, publish_as, server};
use jiff::{SignedDuration, tz::TimeZone};
use std::time::Duration;
use tidings_api::preferences::{Batch, Cell, Day, Preferences, Row, Schedule};
use tidings_api::{
    Back, CardView, Change, Event, ListQuery, NotificationId, Place, Reply, Request, Target,
    Targets,
};
use tidings_core::model::Surroundings;
use tidings_core::ports::{Clock as _, Toast};
use tidings_core::settings::MandatesFile;
use tidings_core::testing::FakeClock;
use tidings_server::Server;

const MINUTE: Duration = Duration::from_mins(1);

/// A desk with one live subscription.
async fn desk(clock: &FakeClock, server: &Server) -> Desk {
    let desk = Desk::new(clock);
    desk.add(server, &["alerts"]).await;
    desk.until_live().await;
    desk
}

async fn set(desk: &Desk, change: impl FnOnce(&mut Preferences)) {
    let Reply::Preferences(mut view) = desk.ask(Request::Preferences).await else {
        panic!("preferences are told");
    };
    change(&mut view.preferences);
    let preferences = Box::new(view.preferences);
    match desk.ask(Request::PreferencesSet(preferences)).await {
        Reply::Preferences(view) => assert_eq!(view.problems, []),
        other => panic!("{other:?}"),
    }
}

/// Every day from noon and half an hour to two, on the clock of the computer.
fn siesta(preferences: &mut Preferences) {
    preferences.quiet.schedules.push(Schedule {
        name: "Siesta".to_owned(),
        off: false,
        days: Day::WEEK.to_vec(),
        from: "12:30".parse().expect("a time"),
        to: "14:00".parse().expect("a time"),
        lets_through: None,
        skip: None,
    });
}

async fn about_alerts(desk: &Desk, cell: Cell) {
    let account = desk.account().await;
    let row = Row {
        account: account.id,
        subscription: Some(account.subscriptions[0].id),
        kind: None,
        until: None,
        cell,
    };
    desk.ask(Request::CellSet(Box::new(row))).await;
}

async fn place(desk: &Desk, place: Place) -> Vec<NotificationId> {
    let query = ListQuery {
        place,
        ..ListQuery::default()
    };
    match desk.ask(Request::List(query)).await {
        Reply::Page(page) => page.rows.into_iter().map(|row| row.id).collect(),
        other => panic!("{other:?}"),
    }
}

/// When the row says that it comes back.
async fn back(desk: &Desk, id: NotificationId) -> Option<Back> {
    let query = ListQuery {
        place: Place::Snoozed,
        ..ListQuery::default()
    };
    let Reply::Page(page) = desk.ask(Request::List(query)).await else {
        panic!("a list is a page");
    };
    let listed = page.rows.iter().find(|row| row.id == id);
    let Reply::Detail(detail) = desk.ask(Request::Show { id }).await else {
        panic!("it is shown");
    };
    let listed = listed.and_then(|row| row.back);
    assert_eq!(detail.row.back, listed, "everywhere alike");
    listed
}

async fn change(desk: &Desk, id: NotificationId, change: Change) {
    let targets = Targets::Ids { ids: vec![id] };
    desk.ask(Request::Change { targets, change }).await;
}

async fn held(desk: &Desk, count: u64) {
    desk.until(&format!("{count} wait"), |status| {
        status.held.iter().map(|held| held.count).sum::<u64>() == count
    })
    .await;
}

fn titles(toasts: &[Toast]) -> Vec<&str> {
    toasts.iter().map(|toast| toast.title.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_hours_hold_through_a_restart_and_end_once() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    set(&desk, siesta).await;
    clock.pass(MINUTE * 40).await;
    desk.until("it is quiet", |status| {
        status
            .quiet
            .as_ref()
            .is_some_and(|quiet| quiet.name == "Siesta")
    })
    .await;
    for n in 0..3 {
        publish(&server, "alerts", &format!("message {n}")).await;
    }
    publish_as(&server, "alerts", "fire", 5).await;
    held(&desk, 4).await;
    assert_eq!(desk.status().await.held[0].cause, "quiet");
    let desk = desk.restart().await;
    desk.until_live().await;
    held(&desk, 4).await;
    desk.settle().await;
    assert_eq!(desk.notifier.shown(), [], "nothing early");
    clock.pass(MINUTE * 81).await;
    desk.until_shown(1).await;
    desk.settle().await;
    let shown = desk.notifier.shown();
    assert_eq!(titles(&shown), ["4 notifications during quiet hours"]);
    assert!(desk.status().await.quiet.is_none());
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_travels_takes_the_quiet_hours_along() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    set(&desk, siesta).await;
    clock.pass(MINUTE * 40).await;
    publish(&server, "alerts", "hello").await;
    held(&desk, 1).await;
    // Nine hours further east it is evening.
    clock.set_zone(TimeZone::get("Asia/Tokyo").expect("a zone"));
    clock.pass(MINUTE * 6).await;
    desk.until_shown(1).await;
    assert!(desk.status().await.quiet.is_none());
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_set_back_lengthens_no_digest() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    publish_as(&server, "alerts", "low", 2).await;
    held(&desk, 1).await;
    clock.jump_wall(SignedDuration::from_hours(-5));
    desk.engine.woke();
    let soon = clock_after(&clock, MINUTE * 5);
    desk.until("it waits no longer than from now on", |status| {
        status.held[0].until.is_some_and(|until| until <= soon)
    })
    .await;
    clock.pass(MINUTE * 6).await;
    desk.until_shown(1).await;
    desk.settle().await;
    assert_eq!(desk.notifier.shown().len(), 1);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_what_waits_gets_it_as_one() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    set(&desk, siesta).await;
    clock.pass(MINUTE * 40).await;
    for n in 0..3 {
        publish(&server, "alerts", &format!("message {n}")).await;
    }
    held(&desk, 3).await;
    desk.ask(Request::DeliverNow).await;
    desk.until_shown(1).await;
    publish(&server, "alerts", "one more").await;
    held(&desk, 1).await;
    desk.ask(Request::QuietSkip).await;
    desk.until_shown(2).await;
    desk.settle().await;
    let shown = desk.notifier.shown();
    assert_eq!(shown.len(), 2, "{shown:#?}");
    assert_eq!(shown[0].title, "3 notifications during quiet hours");
    assert_eq!(shown[0].key, shown[1].key, "the same toast says more");
    assert!(desk.status().await.quiet.is_none(), "not tonight");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_one_type_is_one_toast_that_counts() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    let batch = Batch::Leading { seconds: 300 };
    about_alerts(
        &desk,
        Cell {
            batch: Some(batch),
            ..Cell::default()
        },
    )
    .await;
    for n in 0..8 {
        publish(&server, "alerts", &format!("message {n}")).await;
        desk.until_count(n + 1).await;
        desk.settle().await;
    }
    let shown = desk.notifier.shown();
    assert!(shown.iter().all(|toast| toast.key == shown[0].key));
    assert!(!shown[0].update && shown[1..].iter().all(|toast| toast.update));
    assert_eq!(desk.notifier.screen()[0].title, "8 new from alerts");
    let key = shown[0].key;
    desk.notifier.activate(key, "default", None);
    desk.until("the window is asked for", |_| {
        let presented = desk.desktop.presented();
        presented == [(Target::Toast { toast: key.0 }, None)]
    })
    .await;
    let query = ListQuery {
        toast: Some(key.0),
        ..ListQuery::default()
    };
    let Reply::Page(page) = desk.ask(Request::List(query)).await else {
        panic!("a page");
    };
    assert_eq!(page.rows.len(), 8);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_said_twice_rings_once() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    desk.add(&server, &["alerts", "copies"]).await;
    desk.until_live().await;
    publish(&server, "alerts", "The backup failed").await;
    desk.until_shown(1).await;
    publish(&server, "copies", "The backup failed").await;
    desk.until_count(2).await;
    desk.settle().await;
    let shown = desk.notifier.shown();
    assert!(shown.iter().all(|toast| toast.key == shown[0].key));
    publish_as(&server, "alerts", "Fire", 5).await;
    publish_as(&server, "copies", "Fire", 5).await;
    desk.until_count(4).await;
    desk.settle().await;
    assert_eq!(
        desk.notifier.screen().len(),
        3,
        "critical ones are never taken for a repeat"
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_off_comes_back_and_rings() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    publish(&server, "alerts", "later").await;
    desk.until_shown(1).await;
    let id = desk.rows().await[0].id;
    let time = clock_after(&clock, MINUTE * 30);
    change(
        &desk,
        id,
        Change::Snooze {
            back: Back::Time { time },
        },
    )
    .await;
    desk.until("its toast goes", |_| !desk.notifier.withdrawn().is_empty())
        .await;
    assert_eq!(place(&desk, Place::All).await, []);
    assert_eq!(place(&desk, Place::Snoozed).await, [id]);
    assert_eq!(back(&desk, id).await, Some(Back::Time { time }));
    assert_eq!(desk.status().await.counts.unread, 0);
    let desk = desk.restart().await;
    desk.until_live().await;
    clock.pass(MINUTE * 31).await;
    desk.until_shown(1).await;
    assert_eq!(place(&desk, Place::Unread).await, [id]);
    change(&desk, id, Change::Snooze { back: Back::Unlock }).await;
    desk.engine.around(Surroundings {
        locked: true,
        ..Surroundings::default()
    });
    desk.settle().await;
    assert_eq!(place(&desk, Place::Snoozed).await, [id]);
    desk.engine.around(Surroundings::default());
    desk.until_shown(2).await;
    assert_eq!(place(&desk, Place::Unread).await, [id]);
    desk.engine.stop().await;
}

fn clock_after(clock: &FakeClock, time: Duration) -> jiff::Timestamp {
    clock.now() + time
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_critical_one_rings_again_until_it_is_read() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    publish_as(&server, "alerts", "fire", 5).await;
    desk.until_shown(1).await;
    // When it rings again is written down after it was shown.
    desk.settle().await;
    for again in 2..=4 {
        clock.pass(MINUTE * 10).await;
        desk.until_shown(again).await;
        desk.settle().await;
    }
    clock.pass(MINUTE * 30).await;
    desk.settle().await;
    assert_eq!(desk.notifier.shown().len(), 4, "three times and no more");
    publish_as(&server, "alerts", "flood", 5).await;
    desk.until_shown(5).await;
    desk.settle().await;
    let id = desk.rows().await[0].id;
    change(&desk, id, Change::Read).await;
    clock.pass(MINUTE * 30).await;
    desk.settle().await;
    assert_eq!(desk.notifier.shown().len(), 5, "it was read");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_the_screen_hides_and_holds() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    desk.engine.around(Surroundings {
        locked: true,
        ..Surroundings::default()
    });
    publish(&server, "alerts", "secret").await;
    desk.until_shown(1).await;
    assert_eq!(desk.notifier.shown()[0].title, "1 notification from alerts");
    assert_eq!(desk.notifier.shown()[0].body, "");
    desk.engine.around(Surroundings {
        presenting: true,
        ..Surroundings::default()
    });
    publish(&server, "alerts", "later").await;
    held(&desk, 1).await;
    publish_as(&server, "alerts", "fire", 5).await;
    desk.until_shown(2).await;
    let shown = desk.notifier.shown();
    assert_eq!(
        shown[1].title, "1 notification from alerts",
        "critical, and hidden"
    );
    desk.engine.around(Surroundings::default());
    desk.until_shown(3).await;
    assert_eq!(desk.notifier.shown()[2].body, "later");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_will_not_stop_is_asked_about() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    for n in 0..75 {
        publish(&server, "alerts", &format!("message {n}")).await;
        desk.until_count(n + 1).await;
        clock.pass(Duration::from_secs(5)).await;
    }
    let status = desk.status().await;
    let [CardView::Storm { subscription, .. }] = status.cards.as_slice() else {
        panic!("{:#?}", status.cards);
    };
    let dismissed = Request::CardDismiss {
        subscription: *subscription,
        kind: None,
    };
    let Reply::Status(status) = desk.ask(dismissed).await else {
        panic!("a status");
    };
    assert_eq!(status.cards, []);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_preferences_are_tried_on_what_came() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    for n in 0..4 {
        publish(&server, "alerts", &format!("message {n}")).await;
        desk.until_shown(n + 1).await;
    }
    let mut others = Preferences::default();
    siesta(&mut others);
    others.quiet.schedules[0].from = "11:00".parse().expect("a time");
    let asked = Request::Simulate {
        preferences: Some(Box::new(others)),
        days: 7,
    };
    let Reply::Simulation(simulation) = desk.ask(asked).await else {
        panic!("a simulation");
    };
    assert_eq!((simulation.notifications, simulation.different), (4, 4));
    assert_eq!((simulation.now.toasts, simulation.now.digests), (4, 0));
    assert_eq!((simulation.then.toasts, simulation.then.held), (0, 4));
    let first = &simulation.differences[0];
    assert!(first.now.starts_with("A toast at"), "{first:#?}");
    assert_eq!(first.then, "Waits for the end of quiet hours");
    desk.engine.stop().await;
}

fn file(text: &str) -> MandatesFile {
    MandatesFile::new("/etc/tidings/policy.json", Some(Ok(text.to_owned())))
}

/// Why the grid locks the row of the only subscription.
async fn locked(desk: &Desk) -> Option<String> {
    match desk.ask(Request::Grid).await {
        Reply::Grid(rows) => {
            rows.into_iter()
                .find(|row| row.subscription.is_some() && row.kind.is_none())
                .expect("the subscription has a row")
                .locked
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_administrator_set_rings_though_it_is_muted() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    let muted = Cell {
        mute: Some(true),
        ..Cell::default()
    };
    about_alerts(&desk, muted).await;
    assert_eq!(locked(&desk).await, None);
    let mut hints = desk.engine.hints();
    desk.engine.mandates(file(
        r#"{"mandatory": [{"server": "127.*", "topic": "al*", "says": "Fire drills"}]}"#,
    ));
    let told = std::iter::from_fn(|| hints.try_recv().ok());
    assert!(told.into_iter().any(|hint| hint == Event::Preferences));
    assert_eq!(
        locked(&desk).await.as_deref(),
        Some("Your administrator made it mandatory: Fire drills.")
    );
    publish(&server, "alerts", "leave the building").await;
    desk.until_shown(1).await;
    // What was read of the file is kept by nobody: it is told anew at each start.
    desk.engine
        .mandates(MandatesFile::new("/etc/tidings/policy.json", None));
    assert_eq!(locked(&desk).await, None);
    publish(&server, "alerts", "hello").await;
    desk.until_count(2).await;
    desk.settle().await;
    assert_eq!(desk.notifier.shown().len(), 1, "muted again");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_in_an_administrators_file_is_told_with_its_path() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    desk.engine.mandates(file(
        r#"{"mandatory": [{"topic": "x"}, {"server": ""}, {"server": "127.*"}]}"#,
    ));
    let Reply::Preferences(view) = desk.ask(Request::Preferences).await else {
        panic!("preferences are told");
    };
    let said: Vec<_> = view.problems.iter().map(|one| one.says.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    for says in said {
        assert!(says.starts_with("/etc/tidings/policy.json: "), "{says}");
        assert!(says.ends_with("It is left out."), "{says}");
    }
    assert!(locked(&desk).await.is_some(), "the rest of it holds");
    let notices = desk.status().await.notices;
    assert!(
        notices
            .iter()
            .any(|notice| notice.starts_with("What your administrator set")),
        "{notices:?}"
    );
    desk.engine.mandates(file("{}"));
    assert_eq!(desk.status().await.notices, Vec::<String>::new());
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_has_as_many_ends_as_it_is_given() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    let account = desk.account().await;
    let row = |minutes: Option<u64>, mute: Option<bool>| Row {
        account: account.id,
        subscription: Some(account.subscriptions[0].id),
        kind: None,
        until: minutes.map(|minutes| clock.now() + MINUTE * u32::try_from(minutes).expect("few")),
        cell: Cell {
            mute,
            ..Cell::default()
        },
    };
    let set = async |row: Row| match desk.ask(Request::CellSet(Box::new(row))).await {
        Reply::Preferences(view) => view.preferences.rows.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(set(row(Some(60), Some(true))).await, 1);
    let later = row(Some(120), Some(false));
    assert_eq!(set(later.clone()).await, 2);
    assert_eq!(set(row(None, Some(true))).await, 3);
    // The one that ends first comes first.
    let muted = async || match desk.ask(Request::Grid).await {
        Reply::Grid(rows) => {
            let row = rows.into_iter().find(|row| row.subscription.is_some());
            let mute = row.expect("the subscription's").mute;
            (mute.value, mute.until.is_some())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(muted().await, (true, true));
    clock.pass(MINUTE * 61).await;
    assert_eq!(muted().await, (false, true));
    // The same end is the same row; the one that is over goes on the way.
    let gone = Row {
        cell: Cell::default(),
        ..later.clone()
    };
    assert_eq!(set(gone.clone()).await, 1);
    assert_eq!(muted().await, (true, false));
    // Taking away what is over by now is no mistake.
    clock.pass(MINUTE * 120).await;
    assert_eq!(set(gone).await, 1);
    let over = desk.engine.handle(Request::CellSet(Box::new(later))).await;
    assert!(over.expect_err("it is over").message.contains("later time"));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_quiet_hours_are_told_until_they_begin() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = desk(&clock, &server).await;
    assert_eq!(desk.status().await.next_quiet, None);
    set(&desk, siesta).await;
    let next = desk.status().await.next_quiet.expect("they begin today");
    assert_eq!(next.name, "Siesta");
    let wait = next.from.duration_since(clock.now());
    assert!(wait.as_mins() <= 40, "{next:?}");
    clock.pass(MINUTE * 40).await;
    desk.until("it is quiet", |status| status.quiet.is_some())
        .await;
    assert_eq!(desk.status().await.next_quiet, None);
    desk.engine.stop().await;
}
