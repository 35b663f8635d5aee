use super::{book, notification};
use crate::model::preferences::{Cell, Row, ToastChoice};
use crate::model::{Notification, NotificationId, Pause, Preferences, SubscriptionId, Tier};
use crate::policy::play::Happening;
use crate::policy::{Simulated, Told, differences, simulate};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

fn midnight() -> Timestamp {
    "2026-03-02T00:00:00Z".parse().unwrap()
}

fn minute(minute: i64) -> Timestamp {
    midnight() + SignedDuration::from_mins(minute)
}

/// One each quarter of an hour for a day, each fourth from another subscription.
fn day() -> Vec<Notification> {
    (0..96)
        .map(|number| {
            let mut n = notification(minute(number * 15));
            n.id = NotificationId(number + 1);
            n.subscription = SubscriptionId(1 + i64::from(number % 4 == 0));
            n.draft.title = format!("No. {number}");
            n
        })
        .collect()
}

fn simulated(p: Preferences, facts: &[(Timestamp, Happening)]) -> Simulated {
    let (book, zone) = (Arc::new(book(p)), TimeZone::UTC);
    simulate(&day(), facts, &book, &zone, midnight(), minute(24 * 60))
}

fn with(cell: Cell) -> Preferences {
    let mut p = Preferences::default();
    p.rows.push(Row {
        account: notification(midnight()).account,
        subscription: Some(SubscriptionId(2)),
        kind: None,
        until: None,
        cell,
    });
    p
}

#[test]
fn a_day_as_it_was_and_as_it_would_have_been() {
    let now = simulated(Preferences::default(), &[]);
    assert_eq!(
        (now.toasts, now.digests, now.held, now.silent),
        (96, 0, 0, 0)
    );
    assert_eq!(now.hours, [4; 24]);
    let muted = simulated(
        with(Cell {
            mute: Some(true),
            ..Cell::default()
        }),
        &[],
    );
    assert_eq!((muted.toasts, muted.silent), (72, 24));
    let all: Vec<_> = differences(&now, &muted).collect();
    assert_eq!(all.len(), 24);
    let zoned = midnight().to_zoned(TimeZone::UTC);
    assert_eq!(all[0].0.id, NotificationId(93));
    assert_eq!(all[0].0.told.words(&zoned), "A toast at 23:00");
    assert_eq!(all[0].1.told.words(&zoned), "No toast: muted");
    assert_eq!(differences(&now, &now).count(), 0);
}

#[test]
fn what_waits_is_told_when_it_would_have_been() {
    let digest = simulated(
        with(Cell {
            toast: Some(ToastChoice::Digest),
            ..Cell::default()
        }),
        &[],
    );
    assert_eq!((digest.toasts, digest.held), (96, 24));
    let Told::Toast { at } = digest.outcomes[0].told else {
        panic!("{:?}", digest.outcomes[0]);
    };
    assert_eq!(at, minute(5));
    // A pause that was made is a fact, whatever the preferences.
    let pause = Happening::Pause(Some(Pause {
        until: Some(minute(121)),
        critical_rings: false,
    }));
    let endless = Happening::Pause(Some(Pause {
        until: None,
        critical_rings: false,
    }));
    let facts = [(minute(1), pause), (minute(23 * 60 + 1), endless)];
    let paused = simulated(Preferences::default(), &facts);
    assert_eq!((paused.digests, paused.held), (1, 8 + 3));
    assert_eq!(paused.hours[..4], [1, 0, 1 + 3, 4]);
    let zoned = minute(60).to_zoned(TimeZone::UTC);
    assert_eq!(
        paused.outcomes[1].told.words(&zoned),
        "In a toast for 8 notifications at 02:01"
    );
    assert_eq!(
        paused.outcomes[95].told.words(&zoned),
        "Waits for the end of a pause"
    );
}

#[test]
fn what_was_read_goes_out_of_what_waits() {
    let mut history = day();
    history.truncate(2);
    history[0].read_at = Some(minute(3));
    history[1].received_at = minute(1);
    for n in &mut history {
        n.draft.priority = 2;
        n.draft.tier = Tier::Informational;
    }
    let (book, zone) = (Arc::new(book(Preferences::default())), TimeZone::UTC);
    let told = simulate(&history, &[], &book, &zone, midnight(), minute(60));
    assert_eq!((told.toasts, told.digests, told.silent), (1, 0, 1));
    let zoned = midnight().to_zoned(TimeZone::UTC);
    assert_eq!(
        told.outcomes[0].told.words(&zoned),
        "No toast: read, done or over"
    );
}
