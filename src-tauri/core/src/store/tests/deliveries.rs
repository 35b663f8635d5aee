//! What the policy is given, holds, and the ledger.

use super::{Fixture, at, draft};
use crate::model::{
    Bucket, Disposition, Draft, HoldCause, NotificationId, Origin, Pause, Rule, Tier, TraceLine,
    Verdict,
};
use crate::store::{Asked, Progress};
use jiff::Timestamp;
use tidings_api::Change;

pub(super) fn verdict(disposition: Disposition) -> Verdict {
    Verdict {
        disposition,
        tier: Tier::Important,
        opens_window: false,
        trace: vec![TraceLine {
            rule: Rule::Toast,
            decided: true,
            says: "because".to_owned(),
        }],
        subscription_bucket: None,
        overall_bucket: None,
        critical_bucket: None,
    }
}

pub(super) fn hold(because: HoldCause, until: Option<Timestamp>) -> Verdict {
    verdict(Disposition::Hold { until, because })
}

#[test]
fn the_policy_is_told_what_it_needs() {
    let fixture = Fixture::new();
    let one = fixture.new_one(draft("a", 1));
    let state = fixture.write(|tx| {
        tx.policy_state(
            &one,
            Asked {
                looking: true,
                ..Asked::default()
            },
        )
    });
    assert!(!state.known && state.looking);
    assert_eq!(state.pause, None);
    assert_eq!(
        (
            state.overall_bucket,
            state.subscription_bucket,
            state.critical_bucket
        ),
        (None, None, None)
    );

    let bucket = |tokens| Some(Bucket { tokens, at: at(2) });
    let pause = Pause {
        until: Some(at(90)),
        critical_rings: true,
    };
    fixture.write(|tx| {
        tx.set_pause(Some(pause))?;
        let verdict = Verdict {
            subscription_bucket: bucket(1.5),
            overall_bucket: bucket(2.5),
            critical_bucket: bucket(3.5),
            ..verdict(Disposition::Present)
        };
        tx.decided(one.id, &verdict, at(2))
    });
    let state = fixture.write(|tx| tx.policy_state(&one, Asked::default()));
    assert!(state.known, "it was decided");
    assert_eq!(state.pause, Some(pause));
    assert_eq!(state.subscription_bucket, bucket(1.5));
    assert_eq!(state.overall_bucket, bucket(2.5));
    assert_eq!(state.critical_bucket, bucket(3.5));
    let state = fixture.write(|tx| {
        tx.policy_state(
            &one,
            Asked {
                released: Some(HoldCause::Away),
                ..Asked::default()
            },
        )
    });
    assert!(!state.known, "the end of a hold is a decision of its own");
    assert_eq!(state.released, Some(HoldCause::Away));
    fixture.write(|tx| tx.set_pause(None));
    assert_eq!(fixture.write(|tx| tx.pause()), None);
    // A pause that can't be read silences nothing.
    fixture.write(|tx| tx.set_setting("pause", "{\"until\":7}"));
    assert_eq!(fixture.write(|tx| tx.pause()), None);
}

#[test]
fn newer_critical_backfill_is_counted_within_one_absence() {
    let fixture = Fixture::new();
    let put = |name: &str, created: i64, received: i64, change: &dyn Fn(&mut Draft), origin| {
        let mut draft = draft(name, created);
        draft.tier = Tier::Critical;
        change(&mut draft);
        let fate = fixture.write(|tx| {
            tx.insert(
                fixture.account,
                fixture.subscription,
                draft,
                origin,
                at(received),
            )
        });
        match fate {
            crate::model::Fate::New(new) => *new,
            other => panic!("{other:?}"),
        }
    };
    let nothing = |_: &mut Draft| ();
    let one = put("one", 10, 5000, &nothing, Origin::Backfill);
    put("older", 5, 5000, &nothing, Origin::Backfill);
    put("newer", 11, 5010, &nothing, Origin::Backfill);
    let read = put("read", 12, 5020, &nothing, Origin::Backfill);
    put("live", 13, 5020, &nothing, Origin::Live);
    put(
        "less",
        14,
        5020,
        &|d| d.tier = Tier::Important,
        Origin::Backfill,
    );
    put("another absence", 15, 9000, &nothing, Origin::Backfill);
    let twin = put("same second", 10, 5030, &nothing, Origin::Backfill);
    let count = |of: &crate::model::Notification| {
        fixture
            .write(|tx| tx.policy_state(of, Asked::default()))
            .newer_critical_backfill
    };
    assert_eq!(count(&one), 3);
    assert_eq!(count(&twin), 2);
    fixture.write(|tx| tx.change(&[read.id], Change::Read, at(6000)));
    assert_eq!(count(&one), 2);
    assert_eq!(count(&fixture.new_one(draft("plain", 20))), 0);
}

#[test]
fn holds_come_due_with_their_time_or_their_cause() {
    let fixture = Fixture::new();
    let ids: Vec<NotificationId> = (0..5)
        .map(|n| fixture.id(draft(&n.to_string(), n)))
        .collect();
    fixture.write(|tx| {
        tx.decided(ids[0], &hold(HoldCause::LowPriority, Some(at(300))), at(10))?;
        tx.decided(ids[1], &hold(HoldCause::Pause, None), at(10))?;
        tx.decided(ids[2], &hold(HoldCause::Pause, None), at(10))?;
        tx.decided(ids[3], &verdict(Disposition::Present), at(10))?;
        tx.decided(ids[4], &verdict(Disposition::InboxOnly), at(10))
    });
    let due = |seconds| -> Vec<NotificationId> {
        let batches = fixture.write(|tx| tx.due(at(seconds)));
        let held = |batch: &String| fixture.write(|tx| tx.held_by(batch, None, 10));
        let held = batches.iter().flat_map(held);
        held.map(|held| held.notification.id).collect()
    };
    assert_eq!(due(299), []);
    assert_eq!(due(300), [ids[0]]);
    assert_eq!(fixture.write(|tx| tx.next_due()), Some(at(300)));
    assert_eq!(fixture.counts().held, 2);
    fixture.write(|tx| tx.change(&ids[1..2], Change::Read, at(11)));
    assert_eq!(fixture.counts().held, 1, "what was read waits for nothing");
    let held = fixture.write(|tx| tx.held_by("pause", None, 10));
    assert_eq!(held.len(), 2);
    assert_eq!(fixture.write(|tx| tx.held_count("pause", None)), 1);
    let after = Some(held[0].delivery);
    assert_eq!(
        fixture.write(|tx| tx.held_by("pause", after, 10)),
        held[1..]
    );
    assert_eq!(fixture.write(|tx| tx.held_by("pause", None, 1)), held[..1]);
    assert_eq!(held[0].cause, HoldCause::Pause);
    fixture.write(|tx| tx.hold_until("pause", Some(at(200))));
    assert_eq!(due(200), ids[1..3]);
    fixture.write(|tx| tx.release("pause", at(100)));
    assert_eq!(fixture.write(|tx| tx.next_due()), Some(at(100)));
    fixture.write(|tx| tx.release("pause", at(150)));
    assert_eq!(due(100), ids[1..3], "a release puts nothing off");
    fixture.write(|tx| {
        tx.drop_held(held[0].delivery, "It was read meanwhile.")?;
        tx.decided(ids[2], &verdict(Disposition::Present), at(101))?;
        // It is not held any more, so there is nothing to drop.
        tx.drop_held(held[1].delivery, "No.")
    });
    assert_eq!(due(250), []);
    fixture.write(|tx| tx.hold_until("low", None));
    assert_eq!(due(9999), []);
    assert_eq!(fixture.write(|tx| tx.next_due()), None);
}

#[test]
fn the_ledger_keeps_every_decision() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    assert_eq!(fixture.write(|tx| tx.ledger(id)), []);
    let limit = HoldCause::SubscriptionLimit {
        subscription: fixture.subscription,
    };
    let first = hold(limit.clone(), Some(at(20)));
    fixture.write(|tx| tx.decided(id, &first, at(10)));
    let last = |fixture: &Fixture| fixture.write(|tx| tx.ledger(id)).pop().unwrap().progress;
    assert_eq!(
        last(&fixture),
        Progress::Waits {
            until: Some(at(20))
        }
    );
    assert_eq!(fixture.write(|tx| tx.due(at(20))), [limit.batch_key()]);
    let held = fixture.write(|tx| tx.held_by(&limit.batch_key(), None, 10));
    assert_eq!(held[0].cause, limit);
    let delivery = fixture.write(|tx| tx.decided(id, &verdict(Disposition::Present), at(20)));
    assert_eq!(last(&fixture), Progress::Ready);
    fixture.write(|tx| {
        let toast = tx.new_toast(None, Tier::Important, true, &[delivery], at(20))?;
        tx.claim_toast(at(21))?;
        tx.toast_shown(toast, at(22))
    });
    let ledger = fixture.write(|tx| tx.ledger(id));
    assert_eq!(ledger.len(), 2);
    assert_eq!(
        (ledger[0].at, &ledger[0].disposition),
        (at(10), &first.disposition)
    );
    assert_eq!(ledger[0].progress, Progress::DecidedAgain);
    assert_eq!(ledger[1].progress, Progress::Shown { at: at(22) });
    assert_eq!(ledger[1].trace, first.trace);
    assert_eq!(
        ledger[1].progress.to_string(),
        "Shown at 2026-01-07T12:00:22Z"
    );
}
