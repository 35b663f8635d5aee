//! The life of a toast.

use super::deliveries::verdict;
use super::{Fixture, at, draft, version};
use crate::model::{Class, Disposition, NotificationId, Tier};
use crate::store::{DeliveryId, ToastId, ToastJob};
use tidings_api::Change;

fn ready(fixture: &Fixture, name: &str, seconds: i64) -> (NotificationId, DeliveryId) {
    let id = fixture.id(draft(name, seconds));
    let delivery = fixture.write(|tx| tx.decided(id, &verdict(Disposition::Present), at(seconds)));
    (id, delivery)
}

fn toast(fixture: &Fixture, batch: Option<&str>, of: &[DeliveryId], seconds: i64) -> ToastId {
    fixture.write(|tx| tx.new_toast(batch, Tier::Important, true, of, at(seconds)))
}

fn claim(fixture: &Fixture) -> Option<ToastJob> {
    fixture.write(|tx| tx.claim_toast(at(500)))
}

fn remote_ids(job: &ToastJob) -> Vec<&str> {
    job.members
        .iter()
        .map(|member| member.draft.remote_id.as_str())
        .collect()
}

#[test]
fn the_one_that_waited_longest_is_first() {
    let fixture = Fixture::new();
    let (_, a) = ready(&fixture, "a", 1);
    let (_, b) = ready(&fixture, "b", 2);
    let second = toast(&fixture, None, &[b], 20);
    let first = toast(&fixture, Some("low"), &[a], 10);
    let job = claim(&fixture).unwrap();
    assert_eq!((job.id, job.batch.as_deref()), (first, Some("low")));
    assert_eq!(
        (job.tier, job.sound, job.update, job.count),
        (Tier::Important, true, false, 1)
    );
    assert_eq!(remote_ids(&job), ["a"]);
    let job = claim(&fixture).unwrap();
    assert_eq!((job.id, job.batch), (second, None));
    assert_eq!(claim(&fixture), None, "each is claimed once");
    fixture.write(|tx| tx.toast_failed(first));
    assert_eq!(claim(&fixture).unwrap().id, first);
}

#[test]
fn a_batch_grows_in_place() {
    let fixture = Fixture::new();
    let deliveries: Vec<_> = (0..9).map(|n| ready(&fixture, &n.to_string(), n)).collect();
    let of: Vec<_> = deliveries.iter().map(|(_, delivery)| *delivery).collect();
    assert_eq!(fixture.write(|tx| tx.open_toast("limit", at(0))), None);
    let id = toast(&fixture, Some("limit"), &of[..1], 10);
    let open = |since| fixture.write(|tx| tx.open_toast("limit", at(since)));
    assert_eq!(
        open(999),
        Some(id),
        "one that was not shown yet may always be joined"
    );
    claim(&fixture).unwrap();
    // It grows while it is on its way.
    fixture.write(|tx| tx.join_toast(id, false, &of[1..4], at(11)));
    assert!(fixture.write(|tx| tx.toast_shown(id, at(12))));
    let job = claim(&fixture).unwrap();
    assert_eq!((job.id, job.update, job.count), (id, true, 4));
    assert!(fixture.write(|tx| tx.toast_shown(id, at(13))));
    assert_eq!(claim(&fixture), None);
    assert_eq!(open(12), Some(id));
    assert_eq!(open(13), None, "it was first shown too long ago");
    fixture.write(|tx| tx.join_toast(id, false, &of, at(14)));
    fixture.write(|tx| tx.change(&[deliveries[8].0], Change::Read, at(15)));
    let job = claim(&fixture).unwrap();
    assert_eq!(job.count, 8);
    assert_eq!(
        remote_ids(&job),
        ["7", "6", "5", "4", "3"],
        "the newest five that are unread"
    );
    assert_eq!(fixture.write(|tx| tx.members(id)).len(), 9);
    fixture.write(|tx| tx.toast_closed(id, at(16)));
    assert_eq!(open(0), None);
    assert!(
        !fixture.write(|tx| tx.toast_shown(id, at(17))),
        "it was closed on its way"
    );
    assert_eq!(claim(&fixture), None);
}

#[test]
fn what_joins_a_toast_as_it_is_put_away_is_told_anew() {
    let fixture = Fixture::new();
    let deliveries: Vec<_> = (0..3).map(|n| ready(&fixture, &n.to_string(), n)).collect();
    let of: Vec<_> = deliveries.iter().map(|(_, delivery)| *delivery).collect();
    let id = toast(&fixture, Some("limit"), &of[..1], 10);
    claim(&fixture).unwrap();
    fixture.write(|tx| tx.toast_shown(id, at(11)));
    fixture.write(|tx| tx.join_toast(id, true, &of[1..2], at(12)));
    assert!(fixture.write(|tx| tx.toast_put_away(id, at(12))));
    let job = claim(&fixture).unwrap();
    assert_eq!((job.update, job.count), (false, 1), "only what is new");
    assert_eq!(remote_ids(&job), ["1"]);
    // On its way, nothing is new any more.
    assert!(!fixture.write(|tx| tx.toast_put_away(id, at(13))));
    assert!(!fixture.write(|tx| tx.toast_shown(id, at(14))));
    assert_eq!(claim(&fixture), None);
}

#[test]
fn the_sound_is_that_of_the_most_urgent_that_has_one() {
    let fixture = Fixture::new();
    let deliveries: Vec<_> = (0..8).map(|n| ready(&fixture, &n.to_string(), n)).collect();
    let of: Vec<_> = deliveries.iter().map(|(_, delivery)| *delivery).collect();
    let id = toast(&fixture, Some("limit"), &of, 10);
    let [oldest, next, ..] = deliveries.as_slice() else {
        panic!("there are eight");
    };
    fixture.write(|tx| tx.set_tier(oldest.0, Tier::Critical));
    let loudest = |but: &'static str| {
        let pick = |n: &crate::model::Notification| {
            let name = n.draft.remote_id.clone();
            (name != but).then_some(name)
        };
        fixture.write(|tx| tx.loudest(id, pick)).unwrap()
    };
    assert_eq!(loudest(""), "0", "though it is not among the newest");
    assert_eq!(loudest("0"), "7");
    assert_eq!(fixture.write(|tx| tx.loudest(id, |_| None::<()>)), None);
    fixture.write(|tx| tx.change(&[oldest.0, next.0], Change::Read, at(11)));
    assert_eq!(loudest(""), "7");
    let left: Vec<_> = deliveries[2..].iter().map(|(id, _)| *id).collect();
    assert_eq!(fixture.write(|tx| tx.wanted_of(id)), left);
}

#[test]
fn what_nobody_wants_any_more_is_not_shown() {
    let fixture = Fixture::new();
    let changes = [Change::Read, Change::Done, Change::Delete];
    for (n, change) in (0..).zip(changes) {
        let (id, delivery) = ready(&fixture, &format!("{n}"), n);
        toast(&fixture, None, &[delivery], n);
        fixture.write(|tx| tx.change(&[id], change, at(10)));
    }
    let (_, wanted) = ready(&fixture, "wanted", 20);
    let id = toast(&fixture, None, &[wanted], 20);
    assert_eq!(claim(&fixture).unwrap().id, id);
    assert_eq!(claim(&fixture), None);
}

#[test]
fn a_live_ephemeral_one_is_shown() {
    let fixture = Fixture::new();
    let mut typing = draft("typing", 1);
    typing.class = Class::Ephemeral;
    let id = fixture.id(typing);
    let delivery = fixture.write(|tx| tx.decided(id, &verdict(Disposition::Present), at(1)));
    toast(&fixture, None, &[delivery], 1);
    assert_eq!(claim(&fixture).unwrap().count, 1);
}

#[test]
fn a_toast_is_over_when_all_of_it_was_read() {
    let fixture = Fixture::new();
    let (a, of_a) = ready(&fixture, "a", 1);
    let (b, of_b) = ready(&fixture, "b", 2);
    let (c, of_c) = ready(&fixture, "c", 3);
    let both = toast(&fixture, Some("x"), &[of_a, of_b], 4);
    toast(&fixture, None, &[of_c], 5);
    claim(&fixture).unwrap();
    fixture.write(|tx| tx.toast_shown(both, at(6)));
    let read = |id| {
        fixture.write(|tx| {
            tx.change(&[id], Change::Read, at(7))?;
            tx.toasts_over(&[id])
        })
    };
    assert_eq!(read(a), []);
    assert_eq!(read(b), [both]);
    assert_eq!(read(c), [], "it never was on the screen");
    assert_eq!(claim(&fixture), None);
    assert_eq!(fixture.write(|tx| tx.toasts_over(&[a, b, c])), [], "once");
}

#[test]
fn a_new_text_edits_what_is_on_the_screen() {
    let fixture = Fixture::new();
    let id = fixture.id(version("k", "a", 1));
    let delivery = fixture.write(|tx| tx.decided(id, &verdict(Disposition::Present), at(1)));
    let shown = toast(&fixture, None, &[delivery], 1);
    assert_eq!(
        fixture.write(|tx| tx.touch_toasts_of(&[id])),
        [],
        "it is not there yet"
    );
    claim(&fixture).unwrap();
    fixture.write(|tx| tx.toast_shown(shown, at(2)));
    fixture.insert(version("k", "b", 3));
    assert_eq!(fixture.write(|tx| tx.touch_toasts_of(&[id])), [shown]);
    let job = claim(&fixture).unwrap();
    assert!(job.update);
    assert_eq!(job.members[0].draft.body, "Body of b");
}

#[test]
fn a_new_notification_service_shows_nothing_of_ours() {
    let fixture = Fixture::new();
    let (_, a) = ready(&fixture, "a", 1);
    let (b_id, b) = ready(&fixture, "b", 2);
    let (_, c) = ready(&fixture, "c", 3);
    let shown = toast(&fixture, Some("x"), &[a], 4);
    let edited = toast(&fixture, Some("y"), &[b], 5);
    for id in [shown, edited] {
        claim(&fixture).unwrap();
        fixture.write(|tx| tx.toast_shown(id, at(6)));
    }
    fixture.write(|tx| tx.touch_toasts_of(&[b_id]));
    let grown = toast(&fixture, Some("z"), &[c], 7);
    fixture.write(|tx| tx.forget_shown());
    assert_eq!(fixture.write(|tx| tx.open_toast("x", at(0))), None);
    assert_eq!(
        fixture.write(|tx| tx.open_toast("y", at(0))),
        None,
        "an edit of nothing"
    );
    assert_eq!(
        claim(&fixture).unwrap().id,
        grown,
        "what was never told is told"
    );
    assert_eq!(claim(&fixture), None);
}

#[test]
fn after_a_crash_only_what_cannot_have_been_told_is_told() {
    let fixture = Fixture::new();
    let of: Vec<_> = (0..6).map(|n| ready(&fixture, &n.to_string(), n)).collect();
    let told = toast(&fixture, Some("x"), &[of[0].1], 10);
    claim(&fixture).unwrap();
    fixture.write(|tx| tx.toast_shown(told, at(11)));
    // On the screen with one, and growing by another when the process ended.
    fixture.write(|tx| tx.join_toast(told, false, &[of[1].1], at(12)));
    claim(&fixture).unwrap();
    // Waiting for long; one of it was read meanwhile.
    toast(&fixture, None, &[of[2].1, of[3].1], 13);
    fixture.write(|tx| tx.change(&[of[3].0], Change::Read, at(14)));
    // Waiting since a moment.
    let fresh = toast(&fixture, None, &[of[4].1], 400);
    let back = fixture.write(|tx| tx.interrupted(at(500), at(300)));
    let found: Vec<_> = back
        .iter()
        .map(|(delivery, row)| (*delivery, row.id))
        .collect();
    // The one that was on its way may have been on the screen.
    assert_eq!(found, [(of[2].1, of[2].0)]);
    assert_eq!(claim(&fixture).unwrap().id, fresh);
    assert_eq!(claim(&fixture), None);
    // Folded into a digest, it is told like any other.
    let digest = toast(&fixture, Some("away"), &[of[2].1], 500);
    assert_eq!(claim(&fixture).unwrap().id, digest);
}
