//! Changes and undoing them.

use super::{Fixture, at, days, draft, new_account, topic, version};
use crate::model::{Class, Mirror, NotificationId, Origin, Owing, Tier};
use tidings_api::{Change, ListQuery, Place};

fn place(fixture: &Fixture, place: Place) -> Vec<NotificationId> {
    fixture.list(&ListQuery {
        place,
        ..ListQuery::default()
    })
}

#[test]
fn states_are_steps_of_a_ladder() {
    // change, then seen, read, done
    let table: &[(&[Change], [bool; 3])] = &[
        (&[Change::Seen], [true, false, false]),
        (&[Change::Read], [true, true, false]),
        (&[Change::Done], [true, true, true]),
        (&[Change::Done, Change::Restore], [true, true, false]),
        (&[Change::Done, Change::Unread], [true, false, true]),
        (&[Change::Read, Change::Unread], [true, false, false]),
    ];
    for (changes, wanted) in table {
        let fixture = Fixture::new();
        let id = fixture.id(draft("a", 1));
        for change in *changes {
            assert_eq!(fixture.write(|tx| tx.change(&[id], *change, at(5))), [id]);
            assert_eq!(
                fixture.write(|tx| tx.change(&[id], *change, at(6))),
                [],
                "{change:?} twice is once"
            );
        }
        let row = fixture.get(id);
        let found = [row.seen_at, row.read_at, row.done_at].map(|at| at.is_some());
        assert_eq!(found, *wanted, "{changes:?}");
    }
}

#[test]
fn each_change_is_undone_exactly() {
    for change in [
        Change::Read,
        Change::Unread,
        Change::Done,
        Change::Restore,
        Change::Delete,
    ] {
        let fixture = Fixture::new();
        let ids: Vec<_> = (0..4)
            .map(|n| fixture.id(draft(&n.to_string(), n)))
            .collect();
        fixture.write(|tx| {
            tx.change(&ids[..2], Change::Read, at(10))?;
            tx.change(&ids[1..3], Change::Done, at(11))
        });
        let before: Vec<_> = ids.iter().map(|id| fixture.get(*id)).collect();
        let counts = fixture.counts();
        let changed = fixture.write(|tx| tx.change(&ids, change, at(20)));
        assert!(!changed.is_empty());
        let undone = fixture.write(|tx| tx.undo(at(30))).unwrap();
        assert_eq!(undone, (change, changed), "{change:?}");
        let mut after: Vec<_> = ids.iter().map(|id| fixture.get(*id)).collect();
        // That it was seen stays true.
        for (after, before) in after.iter_mut().zip(&before) {
            after.seen_at = before.seen_at;
        }
        assert_eq!(after, before, "{change:?}");
        assert_eq!(fixture.counts(), counts, "{change:?}");
    }
}

#[test]
fn undo_goes_back_step_by_step() {
    let fixture = Fixture::new();
    let ids: Vec<_> = (0..60)
        .map(|n| fixture.id(draft(&n.to_string(), n)))
        .collect();
    assert_eq!(fixture.write(|tx| tx.undo(at(99))), None);
    for id in &ids {
        fixture.write(|tx| tx.change(&[*id], Change::Read, at(100)));
        fixture.write(|tx| tx.change(&[*id], Change::Seen, at(100)));
    }
    for id in ids[10..].iter().rev() {
        assert_eq!(
            fixture.write(|tx| tx.undo(at(101))),
            Some((Change::Read, vec![*id])),
            "seeing is no step"
        );
    }
    assert_eq!(fixture.write(|tx| tx.undo(at(101))), None, "fifty are kept");
}

/// (read, done) of a live row; none if it is deleted.
fn state(fixture: &Fixture, id: NotificationId) -> Option<(bool, bool)> {
    let there = [Place::All, Place::Done].map(|part| place(fixture, part).contains(&id));
    let row = there.contains(&true).then(|| fixture.get(id))?;
    Some((row.read_at.is_some(), row.done_at.is_some()))
}

fn made(fixture: &Fixture, id: NotificationId, change: Change, seconds: i64) -> u64 {
    fixture.write(|tx| {
        assert_eq!(tx.change(&[id], change, at(seconds))?, [id]);
        Ok(tx.last_step()?.unwrap())
    })
}

#[test]
fn any_step_is_undone_and_what_was_done_since_stays() {
    use Change::{Delete, Done, Read, Restore, Unread};
    // What was done, which of it is undone first and is then seen to be different or not, and what is left;
    // then undoing the rest, newest first, ends where it began.
    type Row = (&'static [Change], usize, bool, Option<(bool, bool)>);
    let table: &[Row] = &[
        (&[Read, Done], 0, false, Some((true, true))),
        (&[Read, Unread], 0, false, Some((false, false))),
        (&[Done, Unread], 0, true, Some((false, false))),
        (&[Done, Restore], 0, true, Some((false, false))),
        (&[Done, Restore, Unread], 1, true, Some((false, true))),
        (&[Read, Unread, Read], 1, false, Some((true, false))),
        (&[Read, Delete], 0, false, None),
        (&[Done, Unread, Delete], 0, false, None),
        (&[Read, Done, Delete], 2, true, Some((true, true))),
    ];
    for (changes, first, differs, left) in table {
        let fixture = Fixture::new();
        let id = fixture.id(draft("a", 1));
        let before = fixture.get(id);
        let steps: Vec<_> = (10..)
            .zip(*changes)
            .map(|(now, change)| made(&fixture, id, *change, now))
            .collect();
        let undone = fixture.write(|tx| tx.undo_step(steps[*first], at(30)));
        let ids = if *differs { vec![id] } else { Vec::new() };
        assert_eq!(undone, Some((changes[*first], ids)), "{changes:?}");
        assert_eq!(state(&fixture, id), *left, "{changes:?}");
        while fixture.write(|tx| tx.undo(at(40))).is_some() {}
        let mut after = fixture.get(id);
        after.seen_at = before.seen_at;
        assert_eq!(after, before, "{changes:?}");
        assert_eq!(state(&fixture, id), Some((false, false)), "{changes:?}");
    }
}

#[test]
fn an_older_step_of_other_notifications_is_undone_alone() {
    let fixture = Fixture::new();
    let ids: Vec<_> = (0..3)
        .map(|n| fixture.id(draft(&n.to_string(), n)))
        .collect();
    let first = fixture.write(|tx| {
        tx.change(&ids[..2], Change::Done, at(10))?;
        tx.last_step()
    });
    made(&fixture, ids[2], Change::Delete, 11);
    made(&fixture, ids[1], Change::Restore, 12);
    assert_eq!(
        fixture.write(|tx| tx.undo_step(first.unwrap(), at(20))),
        Some((Change::Done, ids[..2].to_vec()))
    );
    assert_eq!(fixture.inbox(), [ids[1], ids[0]]);
    assert_eq!(
        fixture.write(|tx| tx.undo_step(first.unwrap(), at(21))),
        None,
        "once"
    );
    assert_eq!(
        fixture.write(|tx| tx.undo(at(22))),
        Some((Change::Delete, vec![ids[2]])),
        "a restore with nothing left to take back is passed over"
    );
}

#[test]
fn a_step_that_is_gone_or_unknown_is_not_undone() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    let replaced = fixture.id(version("k", "b", 1));
    let deleted = made(&fixture, replaced, Change::Delete, 2);
    fixture.insert(version("k", "c", 6));
    let old = made(&fixture, id, Change::Done, 2);
    for (step, now) in [
        (0, at(3)),
        (old + 1, at(3)),
        (u64::MAX, at(3)),
        (deleted, at(7)),
        (old, at(3) + days(7)),
    ] {
        assert_eq!(fixture.write(|tx| tx.undo_step(step, now)), None, "{step}");
    }
    assert_eq!(state(&fixture, id), Some((true, true)));
}

#[test]
fn what_is_not_told_yet_is_told_only_as_far_as_it_stands() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    let owed = || {
        let owed = fixture.write(|tx| tx.owed(fixture.account, at(100)));
        owed.map(|owed| owed.what)
    };
    let step = |change, mirror, now| {
        let step = made(&fixture, id, change, now);
        fixture.write(|tx| tx.owe(id, mirror, at(now)));
        step
    };
    let read = step(Change::Read, Mirror::Read, 10);
    let done = step(Change::Done, Mirror::Read, 11);
    fixture.write(|tx| tx.undo_step(done, at(20)));
    assert_eq!(
        owed(),
        Some(Owing::Mirror(Mirror::Read)),
        "it is still read"
    );
    let delete = step(Change::Delete, Mirror::Delete, 21);
    fixture.write(|tx| tx.undo_step(read, at(22)));
    assert_eq!(owed(), Some(Owing::Mirror(Mirror::Delete)));
    fixture.write(|tx| tx.undo_step(delete, at(23)));
    assert_eq!(owed(), None, "the read below the delete was taken back too");
    assert_eq!(state(&fixture, id), Some((false, false)));
}

#[test]
fn an_old_change_is_not_undone() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    fixture.write(|tx| tx.change(&[id], Change::Done, at(2)));
    assert_eq!(fixture.write(|tx| tx.undo(at(3) + days(7))), None);
}

#[test]
fn a_deleted_row_comes_back_whole() {
    let fixture = Fixture::new();
    let id = fixture.id(version("k", "a", 1));
    fixture.insert(version("k", "b", 2));
    let before = (fixture.get(id), fixture.write(|tx| tx.revisions(id)));
    fixture.write(|tx| tx.change(&[id], Change::Delete, at(5)));
    assert_eq!(fixture.inbox(), []);
    // Retention does not take it before its time.
    assert_eq!(fixture.write(|tx| tx.retain(90, 10_000, 100, at(6), 10)), 0);
    fixture.write(|tx| tx.undo(at(7))).unwrap();
    assert_eq!(
        (fixture.get(id), fixture.write(|tx| tx.revisions(id))),
        before
    );
}

#[test]
fn undoing_a_delete_after_a_newer_version_came_is_passed_over() {
    let fixture = Fixture::new();
    let read = fixture.id(draft("x", 1));
    fixture.write(|tx| tx.change(&[read], Change::Read, at(2)));
    let old = fixture.id(version("k", "a", 1));
    fixture.write(|tx| tx.change(&[old], Change::Delete, at(5)));
    let new = fixture.id(version("k", "b", 6));
    assert_eq!(
        fixture.write(|tx| tx.undo(at(7))),
        Some((Change::Read, vec![read])),
        "the step before it is undone"
    );
    assert_eq!(fixture.inbox(), [new, read]);
}

#[test]
fn counts_follow_every_change_and_mute() {
    let fixture = Fixture::new();
    let mut urgent = draft("c", 3);
    urgent.tier = Tier::Critical;
    let ids = [
        fixture.id(draft("a", 1)),
        fixture.id(draft("b", 2)),
        fixture.id(urgent),
    ];
    let of = |fixture: &Fixture| {
        let counts = fixture.counts();
        [counts.unread, counts.critical, counts.all, counts.done]
    };
    assert_eq!(of(&fixture), [3, 1, 3, 0]);
    fixture.write(|tx| tx.change(&ids[..1], Change::Read, at(5)));
    assert_eq!(of(&fixture), [2, 1, 3, 0]);
    fixture.write(|tx| tx.change(&ids[2..], Change::Done, at(5)));
    assert_eq!(of(&fixture), [1, 0, 2, 1]);
    // Unread in the archive is nobody's worry.
    fixture.write(|tx| tx.change(&ids[2..], Change::Unread, at(6)));
    assert_eq!(of(&fixture), [1, 0, 2, 1]);
    fixture.write(|tx| tx.change(&ids[2..], Change::Restore, at(7)));
    assert_eq!(of(&fixture), [2, 1, 3, 0]);
    fixture.write(|tx| tx.change(&ids[1..2], Change::Delete, at(8)));
    assert_eq!(of(&fixture), [1, 1, 2, 0]);
    assert_eq!(fixture.write(|tx| tx.unread_of(fixture.subscription)), 1);

    let quiet = |kind: &'static str| {
        fixture.write(|tx| {
            tx.counts(&|account, subscription, of| {
                assert_eq!(
                    (account, subscription),
                    (fixture.account, fixture.subscription)
                );
                of != kind
            })
        })
    };
    assert_eq!(quiet("other").unread, 1);
    let kind = fixture.get(ids[0]).draft.kind;
    assert_eq!(kind, "");
    assert_eq!((quiet("").unread, quiet("").critical), (0, 0));
    assert_eq!(
        fixture.write(|tx| tx.unread_by_subscription()),
        [(fixture.subscription, 1)],
        "the list still says it"
    );
}

#[test]
fn an_ephemeral_one_is_hidden_and_not_counted() {
    let fixture = Fixture::new();
    let mut typing = draft("t", 1);
    typing.class = Class::Ephemeral;
    let id = fixture.id(typing);
    for part in [Place::All, Place::Unread, Place::Done] {
        assert_eq!(place(&fixture, part), []);
    }
    assert_eq!(fixture.counts(), tidings_api::Counts::default());
    assert_eq!(fixture.get(id).draft.class, Class::Ephemeral);
}

#[test]
fn places_are_apart() {
    let fixture = Fixture::new();
    let ids: Vec<_> = (0..4)
        .map(|n| fixture.id(draft(&n.to_string(), n)))
        .collect();
    fixture.write(|tx| {
        tx.change(&ids[1..2], Change::Read, at(10))?;
        tx.change(&ids[2..3], Change::Done, at(10))?;
        tx.change(&ids[3..], Change::Delete, at(10))
    });
    assert_eq!(place(&fixture, Place::All), [ids[1], ids[0]]);
    assert_eq!(place(&fixture, Place::Unread), [ids[0]]);
    assert_eq!(place(&fixture, Place::Done), [ids[2]]);
}

#[test]
fn debts_are_paid_once_and_the_last_wish_counts() {
    let fixture = Fixture::new();
    let (a, b) = (fixture.id(version("k", "a", 1)), fixture.id(draft("b", 2)));
    let next = |now| fixture.write(|tx| tx.owed(fixture.account, at(now)));
    fixture.write(|tx| {
        tx.owe(a, Mirror::Read, at(5))?;
        tx.owe(a, Mirror::Read, at(6))?;
        tx.owe(b, Mirror::Read, at(7))
    });
    assert_eq!(fixture.counts().owed, 2);
    let read = next(10).unwrap();
    assert_eq!(
        (
            read.topic.as_str(),
            read.replace_key.as_str(),
            read.what,
            read.attempts
        ),
        ("alerts", "k", Owing::Mirror(Mirror::Read), 0)
    );
    // While the read is on its way, the user deletes.
    fixture.write(|tx| {
        tx.owe(a, Mirror::Delete, at(8))?;
        tx.owe(a, Mirror::Read, at(8))?;
        tx.owed_done(read.id)
    });
    let other = next(10).unwrap();
    assert_eq!(
        (other.replace_key.as_str(), other.what),
        ("b", Owing::Mirror(Mirror::Read))
    );
    fixture.write(|tx| tx.owed_later(other.id, at(100)));
    let delete = next(10).unwrap();
    assert_eq!(
        (delete.replace_key.as_str(), delete.what),
        ("k", Owing::Mirror(Mirror::Delete))
    );
    // Undone before it was told: the read is owed again.
    fixture.write(|tx| tx.forgive(&[a], Mirror::Delete));
    assert_eq!(next(10).unwrap().what, Owing::Mirror(Mirror::Read));
    fixture.write(|tx| tx.forgive(&[a], Mirror::Read));
    assert_eq!(next(10), None);
    assert_eq!(fixture.write(|tx| tx.next_owed_at()), Some(at(100)));
    let later = next(100).unwrap();
    assert_eq!(later.attempts, 1);
    fixture.write(|tx| tx.owed_never(later.id, "The server does not know it."));
    assert_eq!(next(1000), None);
    assert_eq!(
        (fixture.write(|tx| tx.next_owed_at()), fixture.counts().owed),
        (None, 0)
    );
    let vain = fixture.write(|tx| tx.owed_in_vain(fixture.account));
    assert_eq!(
        (vain[0].notification, vain[0].says.as_str()),
        (b, "The server does not know it.")
    );
    // A new wish is a new try.
    fixture.write(|tx| tx.owe(b, Mirror::Delete, at(2000)));
    assert_eq!(next(2000).unwrap().what, Owing::Mirror(Mirror::Delete));
}

#[test]
fn debts_are_kept_apart_by_account() {
    let fixture = Fixture::new();
    let (work, far) = fixture.write(|tx| {
        let work = tx.add_account(&new_account("Work"), &[topic("t")], at(0))?;
        let far = tx.subscriptions(work)?[0].id;
        Ok((work, far))
    });
    fixture.write(|tx| tx.insert(work, far, draft("a", 1), Origin::Live, at(1)));
    let id = fixture.inbox()[0];
    fixture.write(|tx| tx.owe(id, Mirror::Delete, at(2)));
    assert_eq!(fixture.write(|tx| tx.owed(fixture.account, at(3))), None);
    assert_eq!(
        fixture.write(|tx| tx.owed(work, at(3))).unwrap().account,
        work
    );
}
