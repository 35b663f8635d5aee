//! What is forgotten, and what never is.

use super::{Fixture, at, days, draft, version};
use crate::model::{Class, Draft, Fate, NotificationId, Tier};
use jiff::Timestamp;
use tidings_api::Change;

/// Runs until there is nothing to remove; says how many went.
fn retain(
    fixture: &Fixture,
    keep_days: u32,
    keep_count: u32,
    per_type: u32,
    now: Timestamp,
) -> usize {
    let mut all = 0;
    loop {
        let step = fixture.write(|tx| tx.retain(keep_days, keep_count, per_type, now, 7));
        assert!(step <= 7, "a step is a step");
        all += step;
        if step == 0 {
            return all;
        }
    }
}

fn of_kind(kind: &str, name: &str, seconds: i64) -> Draft {
    Draft {
        kind: kind.to_owned(),
        ..draft(name, seconds)
    }
}

#[test]
fn the_newest_of_a_type_and_unread_critical_ones_stay() {
    let fixture = Fixture::new();
    let mut urgent = of_kind("a", "urgent", 0);
    urgent.tier = Tier::Critical;
    let urgent = fixture.id(urgent);
    let a: Vec<_> = (1..=30)
        .map(|n| fixture.id(of_kind("a", &format!("a{n}"), n)))
        .collect();
    let b: Vec<_> = (1..=3)
        .map(|n| fixture.id(of_kind("b", &format!("b{n}"), n)))
        .collect();
    fixture.write(|tx| tx.change(&a[..10], Change::Done, at(40)));
    let newest = fixture.insert_at(of_kind("c", "now", 91 * 24 * 3600), at(91 * 24 * 3600));
    let now = at(91 * 24 * 3600);
    assert_eq!(retain(&fixture, 90, 10_000, 5, now), 25);
    let mut left = fixture.inbox();
    let Fate::New(newest) = newest else { panic!() };
    let mut wanted = vec![urgent, newest.id];
    wanted.extend(&a[25..]);
    wanted.extend(&b);
    left.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(left, wanted);
    fixture.write(|tx| tx.change(&[urgent], Change::Read, at(50)));
    assert_eq!(retain(&fixture, 90, 10_000, 5, now), 1);
}

#[test]
fn an_account_keeps_so_many_the_oldest_go() {
    let fixture = Fixture::new();
    let ids: Vec<NotificationId> = (0..40)
        .map(|n| fixture.id(draft(&n.to_string(), n)))
        .collect();
    // The archive counts too, and goes by the same age.
    fixture.write(|tx| tx.change(&ids[5..15], Change::Done, at(50)));
    assert_eq!(retain(&fixture, 90, 25, 3, at(60)), 15);
    let mut left = fixture.inbox();
    left.reverse();
    assert_eq!(left, ids[15..]);
    assert_eq!(fixture.counts().all, 25);
    assert_eq!(retain(&fixture, 90, 25, 3, at(60)), 0);
    assert_eq!(
        retain(&fixture, 90, 1, 3, at(60)),
        22,
        "the newest of the type stay"
    );
}

#[test]
fn what_was_purged_stays_away_for_thirty_days() {
    let fixture = Fixture::new();
    for n in 0..10 {
        fixture.id(draft(&n.to_string(), n));
    }
    fixture.id(version("k", "v1", 3));
    fixture.insert(version("k", "v2", 4));
    fixture.write(|tx| tx.read_elsewhere(fixture.subscription, "gone", 5, at(5)));
    let purged_at = at(20);
    assert_eq!(retain(&fixture, 90, 1, 1, purged_at), 10);
    let replay = |fixture: &Fixture, now| {
        (0..9)
            .map(|n| draft(&n.to_string(), n))
            .chain([version("k", "v1", 3), version("k", "v2", 4)])
            .filter(|draft| matches!(fixture.insert_at(draft.clone(), now), Fate::New(_)))
            .count()
    };
    assert_eq!(replay(&fixture, purged_at + days(29)), 0);
    // Time goes on, as the server shows.
    let later = at(31 * 24 * 3600);
    fixture.insert_at(draft("later", 31 * 24 * 3600), later);
    retain(&fixture, 9000, 9000, 1, later);
    let left: i64 = fixture.write(|tx| {
        Ok(tx.db.query_row(
            "SELECT (SELECT count(*) FROM tombstone) + (SELECT count(*) FROM mark)",
            [],
            |row| row.get(0),
        )?)
    });
    assert_eq!(left, 0);
}

#[test]
fn a_clock_that_jumps_ahead_purges_nothing() {
    let fixture = Fixture::new();
    for n in 0..20 {
        fixture.id(draft(&n.to_string(), n));
    }
    assert_eq!(retain(&fixture, 90, 10_000, 1, at(20) + days(3650)), 0);
    assert_eq!(fixture.inbox().len(), 20);
    // Nor does one that jumps back.
    assert_eq!(retain(&fixture, 90, 10_000, 1, at(20) - days(3650)), 0);
}

#[test]
fn ephemeral_ones_go_when_they_are_over() {
    let fixture = Fixture::new();
    let put = |name: &str, expires: Option<i64>| {
        let mut draft = draft(name, 0);
        draft.class = Class::Ephemeral;
        draft.expires_at = expires.map(at);
        fixture.id(draft)
    };
    put("typing", Some(30));
    put("progress", None);
    assert_eq!(retain(&fixture, 90, 10_000, 100, at(29)), 0);
    assert_eq!(retain(&fixture, 90, 10_000, 100, at(31)), 1);
    assert_eq!(retain(&fixture, 90, 10_000, 100, at(3601)), 1);
    let left: i64 = fixture.write(|tx| {
        Ok(tx
            .db
            .query_row("SELECT count(*) FROM tombstone", [], |row| row.get(0))?)
    });
    assert_eq!(left, 0);
}

#[test]
fn the_word_index_and_the_counts_agree_after_purges() {
    let fixture = Fixture::new();
    for n in 0..50 {
        fixture.id(draft(&n.to_string(), n));
    }
    assert_eq!(retain(&fixture, 90, 20, 1, at(60)), 30);
    fixture.write(|tx| {
        tx.db.execute(
            "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)",
            [],
        )?;
        let says: String = tx
            .db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(says, "ok");
        Ok(())
    });
    assert_eq!(fixture.counts().unread, 20);
    assert_eq!(
        fixture.write(|tx| tx.unread_by_subscription()),
        [(fixture.subscription, 20)]
    );
}
