//! Snoozes, what waits, what rings again, types.

use super::deliveries::{hold, verdict};
use super::{Fixture, at, draft};
use crate::model::{Context, Disposition, Fate, HoldCause, NotificationId, Origin, Tier};
use crate::store::DeliveryId;
use tidings_api::{Back, Change, ListQuery, Place};

fn place(fixture: &Fixture, place: Place) -> Vec<NotificationId> {
    fixture.list(&ListQuery {
        place,
        ..ListQuery::default()
    })
}

#[test]
fn a_snoozed_one_is_out_of_sight_until_it_comes_back() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    let other = fixture.id(draft("b", 2));
    let back = Back::Time { time: at(100) };
    fixture.write(|tx| {
        tx.change(&[id], Change::Read, at(5))?;
        let changed = tx.change(&[id], Change::Snooze { back }, at(6))?;
        assert_eq!(changed, [id]);
        tx.snooze(&changed, back, "You put it off.", at(6))
    });
    assert_eq!(place(&fixture, Place::All), [other]);
    assert_eq!(place(&fixture, Place::Unread), [other]);
    assert_eq!(place(&fixture, Place::Snoozed), [id]);
    assert_eq!(fixture.counts().unread, 1);
    assert_eq!(fixture.write(|tx| tx.snoozed(id)), Some(back));
    assert_eq!(fixture.write(|tx| tx.next_due()), Some(at(100)));
    let waiting = fixture.write(|tx| tx.waiting());
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].count, waiting[0].until), (1, Some(at(100))));
    let ledger = fixture.write(|tx| tx.ledger(id));
    assert_eq!(ledger[0].trace[0].says, "You put it off.");

    fixture.write(|tx| tx.change(&[id], Change::Read, at(7)).map(drop));
    fixture.write(|tx| tx.end_snoozes());
    assert_eq!(
        place(&fixture, Place::Snoozed),
        [id],
        "opened, and still put off"
    );
    fixture.write(|tx| tx.bring_back(id));
    assert_eq!(place(&fixture, Place::Unread), [other, id], "and unread");
    assert_eq!(fixture.counts().unread, 2);
}

#[test]
fn what_is_decided_about_it_ends_a_snooze_and_undo_puts_it_off_again() {
    for change in [Change::Unread, Change::Done, Change::Restore] {
        let fixture = Fixture::new();
        let id = fixture.id(draft("a", 1));
        let back = Back::Unlock;
        fixture.write(|tx| {
            tx.change(&[id], Change::Snooze { back }, at(6))?;
            tx.snooze(&[id], back, "", at(6))?;
            tx.change(&[id], change, at(7))?;
            tx.end_snoozes()
        });
        assert_eq!(place(&fixture, Place::Snoozed), [], "{change:?}");
        assert_eq!(fixture.write(|tx| tx.waiting()), [], "{change:?}");
        fixture.write(|tx| tx.undo(at(8)));
        assert_eq!(place(&fixture, Place::Snoozed), [id], "{change:?}");
        let (undone, ids) = fixture.write(|tx| tx.undo(at(9))).unwrap();
        assert_eq!((undone, ids), (Change::Snooze { back }, vec![id]));
        assert_eq!(place(&fixture, Place::Unread), [id]);
    }
}

#[test]
fn delivering_now_wants_what_the_user_keeps_back_and_nothing_else() {
    let fixture = Fixture::new();
    let causes = [
        HoldCause::Pause,
        HoldCause::Quiet,
        HoldCause::Context {
            context: Context::Presenting,
        },
        HoldCause::Digest,
        HoldCause::Snooze { back: Back::Online },
    ];
    for (number, cause) in causes.iter().enumerate() {
        let id = fixture.id(draft(&number.to_string(), 1));
        fixture.write(|tx| tx.decided(id, &hold(cause.clone(), None), at(2)));
    }
    assert_eq!(fixture.write(|tx| tx.deliver_now(at(50))), 3);
    let due = fixture.write(|tx| tx.due(at(50)));
    assert_eq!(due, ["context:presenting", "pause", "quiet"]);
    let held = fixture.write(|tx| tx.held_by("quiet", None, 9));
    assert!(held[0].wanted);
    // What is decided again is wanted no more.
    fixture.write(|tx| {
        tx.decided(
            held[0].notification.id,
            &hold(HoldCause::Quiet, None),
            at(51),
        )
    });
    assert!(!fixture.write(|tx| tx.held_by("quiet", None, 9))[0].wanted);
}

#[test]
fn a_critical_one_that_stays_unread_is_due_again_so_often() {
    let fixture = Fixture::new();
    let mut urgent = draft("a", 1);
    urgent.tier = Tier::Critical;
    let id = fixture.id(urgent);
    let every = |times: u32| (times < 2).then(|| at(100 + i64::from(times)));
    let ring = |now: i64| {
        fixture.write(|tx| {
            let delivery: DeliveryId = tx.decided(id, &verdict(Disposition::Present), at(now))?;
            let toast = tx.new_toast(None, Tier::Critical, true, &[delivery], at(now))?;
            tx.claim_toast(at(now))?;
            tx.toast_shown(toast, at(now))?;
            tx.ring_again(toast, at(now), &every)
        });
    };
    ring(10);
    assert_eq!(fixture.write(|tx| tx.next_again()), Some(at(100)));
    assert_eq!(fixture.write(|tx| tx.due_again(at(99))), []);
    let due = fixture.write(|tx| tx.due_again(at(100)));
    assert!(due[0].wanted && due[0].notification.id == id);
    assert_eq!(fixture.write(|tx| tx.next_again()), None, "asked once");
    ring(100);
    assert_eq!(fixture.write(|tx| tx.next_again()), Some(at(101)));
    fixture.write(|tx| tx.change(&[id], Change::Read, at(100)));
    let due = fixture.write(|tx| tx.due_again(at(101)));
    assert!(!due[0].wanted, "it was read");
    ring(102);
    assert_eq!(fixture.write(|tx| tx.next_again()), None, "often enough");
}

#[test]
fn a_clock_that_goes_back_puts_off_no_critical_one() {
    let fixture = Fixture::new();
    let mut urgent = draft("a", 1);
    urgent.tier = Tier::Critical;
    let id = fixture.id(urgent);
    fixture.write(|tx| {
        let delivery: DeliveryId = tx.decided(id, &verdict(Disposition::Present), at(10))?;
        let toast = tx.new_toast(None, Tier::Critical, true, &[delivery], at(10))?;
        tx.claim_toast(at(10))?;
        tx.toast_shown(toast, at(10))?;
        tx.ring_again(toast, at(10), &|_| Some(at(610)))?;
        tx.ring_again_at_most(at(900))
    });
    assert_eq!(fixture.write(|tx| tx.next_again()), Some(at(610)));
    fixture.write(|tx| tx.ring_again_at_most(at(300)));
    assert_eq!(fixture.write(|tx| tx.next_again()), Some(at(300)));
}

#[test]
fn what_says_the_same_as_one_that_waits_waits_with_it() {
    let fixture = Fixture::new();
    let (first, twin) = (fixture.id(draft("a", 1)), fixture.id(draft("b", 2)));
    let fold = verdict(Disposition::Fold { into: first });
    fixture.write(|tx| {
        tx.decided(first, &hold(HoldCause::Pause, Some(at(100))), at(3))?;
        let delivery = tx.decided(twin, &fold, at(4))?;
        assert!(tx.hold_with(delivery, first)?);
        Ok(())
    });
    let held = fixture.write(|tx| tx.held_by("pause", None, 9));
    assert_eq!(held.len(), 2);
    assert_eq!(
        (held[0].twin, held[1].twin),
        (None, Some(DeliveryId(first.0)))
    );
    assert_eq!(held[1].due, Some(at(100)));
    fixture.write(|tx| tx.change(&[first], Change::Read, at(5)));
    assert_eq!(fixture.write(|tx| tx.held_count("pause", None)), 1);
    // What its user put off keeps nobody waiting.
    let other = fixture.id(draft("c", 6));
    fixture.write(|tx| {
        let back = Back::Unlock;
        tx.change(&[first], Change::Snooze { back }, at(7))?;
        tx.snooze(&[first], back, "", at(7))?;
        let delivery = tx.decided(other, &fold, at(8))?;
        assert!(!tx.hold_with(delivery, first)?);
        Ok(())
    });
}

#[test]
fn only_who_waits_for_a_server_is_asked_when_it_is_back() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    let account = fixture.account;
    let waits = || fixture.write(|tx| tx.waits_for_server(account));
    assert!(!waits());
    let back = Back::Online;
    fixture.write(|tx| {
        tx.change(&[id], Change::Snooze { back }, at(2))?;
        tx.snooze(&[id], back, "", at(2))
    });
    assert!(waits());
    let other = crate::model::AccountId(account.0 + 1);
    assert!(!fixture.write(|tx| tx.waits_for_server(other)));
    let count = || fixture.write(|tx| tx.held_count("snooze:online", Some(at(9))));
    assert_eq!(count(), 0, "its server is not back");
    fixture.write(|tx| tx.account_is_back(account, at(9)));
    assert_eq!(count(), 1);
}

#[test]
fn types_are_counted_as_they_come_and_asked_about_once() {
    let fixture = Fixture::new();
    let put = |name: &str, kind: &str, second: i64| {
        let mut draft = draft(name, second);
        kind.clone_into(&mut draft.kind);
        fixture.id(draft)
    };
    let first = put("a", "build.failed", 1);
    fixture.write(|tx| tx.ask_about_new_kind(first, fixture.subscription, "build.failed"));
    assert_eq!(
        fixture.write(|tx| tx.kinds())[0].ask,
        None,
        "the first type of all is what the subscription is for"
    );
    put("b", "build.failed", 2);
    let new = put("c", "deploy", 3);
    fixture.write(|tx| {
        tx.ask_about_new_kind(new, fixture.subscription, "deploy")?;
        tx.opened(first, at(9))?;
        tx.opened(first, at(10))?;
        tx.change(&[first], Change::Read, at(10))?;
        Ok(())
    });
    let kinds = fixture.write(|tx| tx.kinds());
    let of = |name: &str| kinds.iter().find(|kind| kind.kind == name).unwrap().clone();
    assert_eq!((of("build.failed").came, of("build.failed").opened), (2, 1));
    assert_eq!((of("build.failed").unread, of("deploy").unread), (1, 1));
    assert_eq!(of("deploy").ask, Some(new));
    fixture.write(|tx| tx.asked_about_kind(fixture.subscription, "deploy"));
    assert!(
        fixture
            .write(|tx| tx.kinds())
            .iter()
            .all(|kind| kind.ask.is_none())
    );
}

#[test]
fn a_storm_lasts_as_long_as_it_does_not_lull() {
    let fixture = Fixture::new();
    let storm = |second: i64| fixture.write(|tx| tx.storm(fixture.subscription, at(second)));
    let seen = || fixture.write(|tx| tx.storms(100_000_000));
    for second in [1000, 1050, 1100] {
        storm(second);
    }
    assert_eq!((seen()[0].since, seen()[0].last), (at(1000), at(1100)));
    fixture.write(|tx| tx.dismiss_storm(fixture.subscription));
    storm(1150);
    assert_eq!(seen(), []);
    for second in [1300, 1350, 1401] {
        storm(second);
    }
    assert_eq!(seen()[0].since, at(1300), "another one");
    storm(900);
    assert_eq!(seen(), [], "the clock went back");
}

#[test]
fn what_came_since_is_found_by_when_it_came() {
    let fixture = Fixture::new();
    let ids: Vec<_> = (1..=40)
        .map(|number| {
            let draft = draft(&number.to_string(), 1);
            let (account, subscription) = (fixture.account, fixture.subscription);
            let fate = fixture.write(|tx| {
                tx.insert(
                    account,
                    subscription,
                    draft,
                    Origin::Backfill,
                    at(number * 10),
                )
            });
            match fate {
                Fate::New(n) => n.id,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    fixture.write(|tx| tx.change(&ids[30..31], Change::Delete, at(500)));
    for (since, most, from, to) in [
        (0, 99, 0, 40),
        (1, 99, 0, 40),
        (201, 99, 20, 40),
        (200, 99, 19, 40),
        (400, 99, 39, 40),
        (401, 99, 40, 40),
        (0, 3, 37, 40),
    ] {
        let came = fixture.write(|tx| tx.came_since(at(since), most));
        let came: Vec<_> = came.iter().map(|n| n.id).collect();
        assert_eq!(came, ids[from..to], "since {since}");
    }
}

#[test]
fn what_a_toast_told_of_can_be_listed() {
    let fixture = Fixture::new();
    let ids: Vec<_> = (0..5)
        .map(|number| fixture.id(draft(&number.to_string(), number)))
        .collect();
    let toast = fixture.write(|tx| {
        let mut members = Vec::new();
        for id in &ids[1..4] {
            members.push(tx.decided(*id, &verdict(Disposition::Present), at(9))?);
        }
        let toast = tx.new_toast(Some("away"), Tier::Important, false, &members, at(9))?;
        tx.change(&ids[1..2], Change::Done, at(10))?;
        tx.change(&ids[2..3], Change::Delete, at(10))?;
        Ok(toast)
    });
    let query = ListQuery {
        toast: Some(toast.0),
        ..ListQuery::default()
    };
    assert_eq!(fixture.list(&query), [ids[3], ids[1]]);
}
