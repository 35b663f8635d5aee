//! Any preferences, and any stream of happenings.

use crate::model::preferences::{
    Batch, Cell, ClockTime, Day, Hush, HushRule, Privacy, Row, Schedule, Sound, ToastChoice,
};
use crate::model::{
    AccountId, Back, Class, Notification, NotificationId, Origin, Pause, Preferences,
    SubscriptionId, Surroundings, Tier,
};
use crate::policy::Rulebook;
use crate::policy::play::{Decided, Happening, Looking, Player, Seen};
use crate::policy::tests::{book, notification};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::sync::Arc;

/// Monday, in seconds.
const START: i64 = 1_772_440_000;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

pub(crate) fn ready(preferences: Preferences) -> Arc<Rulebook> {
    Arc::new(book(preferences))
}

/// Something that happens, so many seconds after what happened before.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) after: i64,
    /// The clock jumps there; nothing happens in between.
    pub(crate) jump: bool,
    pub(crate) what: Happening,
}

impl Step {
    pub(crate) fn arrival(&self) -> Option<&Notification> {
        match &self.what {
            Happening::Arrives(n) => Some(n),
            _ => None,
        }
    }

    /// The same without any notification but one; time passes all the same.
    pub(crate) fn without_others(&self, only: NotificationId) -> Self {
        let about = match &self.what {
            Happening::Arrives(n) => Some(n.id),
            Happening::Read(id)
            | Happening::Done(id)
            | Happening::Deleted(id)
            | Happening::Unread(id)
            | Happening::Dismissed(id)
            | Happening::Snoozed { id, .. } => Some(*id),
            _ => None,
        };
        match about {
            Some(id) if id != only => Self {
                // Nobody: nothing happens.
                what: Happening::Read(NotificationId(0)),
                ..self.clone()
            },
            _ => self.clone(),
        }
    }
}

pub(crate) struct Played {
    pub(crate) player: Player,
    pub(crate) seen: Vec<Seen>,
    pub(crate) decided: Vec<Decided>,
}

/// The same, as old when it comes now as it was to be.
pub(crate) fn arrived(n: &Notification, now: Timestamp) -> Notification {
    let mut n = n.clone();
    let age = n.received_at.duration_since(n.draft.created_at);
    n.received_at = now;
    n.draft.created_at = now - age;
    n
}

pub(crate) fn play(p: &Preferences, steps: &[Step]) -> Played {
    let mut player = Player::new(ready(p.clone()), TimeZone::UTC, at(0), true);
    for step in steps {
        let to = player.now() + SignedDuration::from_secs(step.after);
        if step.jump {
            player.jump(to);
        } else {
            player.pass(to);
        }
        let what = match &step.what {
            Happening::Arrives(n) => Happening::Arrives(Box::new(arrived(n, player.now()))),
            other => other.clone(),
        };
        player.happens(what);
    }
    let end = player.now() + SignedDuration::from_hours(3);
    player.pass(end);
    player.settle();
    Played {
        seen: player.take_seen(),
        decided: player.take_decided(),
        player,
    }
}

fn tiers() -> impl Strategy<Value = Tier> {
    prop::sample::select(vec![Tier::Informational, Tier::Important, Tier::Critical])
}

fn batches() -> impl Strategy<Value = Batch> {
    prop_oneof![
        Just(Batch::Off),
        (1_u32..400).prop_map(|seconds| Batch::Leading { seconds }),
        (1_u32..200, 1_u32..600).prop_map(|(seconds, most)| Batch::Trailing { seconds, most }),
        (0_u16..24).prop_map(|hour| Batch::Daily {
            at: ClockTime::new(hour, 0).unwrap()
        }),
    ]
}

fn cells() -> impl Strategy<Value = Cell> {
    let rarely = |chance| move |cell| prop::option::weighted(chance, cell);
    (
        rarely(0.1)(any::<bool>().boxed()),
        prop::option::weighted(
            0.3,
            prop::sample::select(vec![ToastChoice::On, ToastChoice::Digest, ToastChoice::Off]),
        ),
        prop::option::weighted(0.4, batches()),
        prop::option::weighted(0.2, tiers()),
        prop::option::weighted(
            0.2,
            prop::sample::select(vec![Privacy::Full, Privacy::TitleOnly, Privacy::CountOnly]),
        ),
        prop::option::weighted(0.2, prop::sample::select(vec![Sound::None, Sound::Default])),
        prop::option::weighted(0.1, any::<bool>()),
    )
        .prop_map(
            |(mute, toast, batch, min_tier, privacy, sound, mandatory)| Cell {
                mute,
                toast,
                batch,
                min_tier,
                privacy,
                sound,
                mandatory,
                ..Cell::default()
            },
        )
}

fn rows() -> impl Strategy<Value = Row> {
    (
        prop::option::of(1_i64..4),
        prop::option::of(prop::sample::select(vec!["", "a"])),
        cells(),
    )
        .prop_map(|(subscription, kind, cell)| Row {
            account: AccountId(1),
            subscription: subscription.map(SubscriptionId),
            kind: kind.filter(|_| subscription.is_some()).map(str::to_owned),
            until: None,
            cell,
        })
}

fn nights() -> impl Strategy<Value = Schedule> {
    (
        prop::sample::subsequence(Day::WEEK.to_vec(), 1..=7),
        (0_u16..24, 0_u16..60),
        (0_u16..24, 0_u16..60),
        prop::sample::select(vec![None, Some(Tier::Critical), Some(Tier::Important)]),
    )
        .prop_map(|(days, from, to, lets_through)| Schedule {
            name: "Night".to_owned(),
            off: false,
            days,
            from: ClockTime::new(from.0, from.1).unwrap(),
            to: ClockTime::new(to.0, to.1).unwrap(),
            lets_through,
            skip: None,
        })
}

fn hushes() -> impl Strategy<Value = HushRule> {
    let one = || prop::sample::select(vec![Hush::Nothing, Hush::Hide, Hush::Hold]);
    (one(), one()).prop_map(|(others, critical)| HushRule { others, critical })
}

pub(crate) fn documents() -> impl Strategy<Value = Preferences> {
    (
        (0_u32..6, 0_u32..13, 0_u32..21, 1_u32..10),
        prop::collection::vec(rows(), 0..4),
        prop::collection::vec(nights(), 0..3),
        (hushes(), hushes()),
        (1_u32..900, prop_oneof![Just(0), 1_u32..900], 0_u32..4),
        (
            prop_oneof![Just(0), Just(120)],
            0_u32..5,
            0_u32..48,
            0_u32..7,
        ),
    )
        .prop_map(|(limits, rows, nights, hushes, times, away)| {
            let mut p = Preferences::default();
            p.limits.subscription = limits.0;
            p.limits.overall = limits.1;
            p.limits.critical = limits.2;
            p.limits.fold_seconds = limits.3;
            p.rows = rows;
            p.quiet.schedules = nights;
            (p.context.locked, p.context.presenting) = hushes;
            (p.digest.seconds, p.duplicates.seconds, p.escalation.times) = times;
            p.away.after_seconds = away.0;
            p.away.few = away.1;
            p.away.critical_hours = away.2;
            p.away.critical_singly = away.3;
            p
        })
}

pub(crate) fn notifications() -> impl Strategy<Value = Notification> {
    (
        1_i64..4,
        prop::sample::select(vec!["", "a"]),
        prop::sample::select(vec!["A", "B", "C", "D", "E", "F"]),
        1_u8..6,
        prop_oneof![6 => Just(Origin::Live), 2 => Just(Origin::Backfill), 1 => Just(Origin::FirstFilling)],
        prop_oneof![Just(0_i64), 0_i64..300, 0_i64..200_000],
        prop::bool::weighted(0.05),
        prop::option::weighted(0.1, 0_i64..2000),
    )
        .prop_map(|(subscription, kind, title, priority, origin, age, passing, expires)| {
            let mut n = notification(at(0));
            n.subscription = SubscriptionId(subscription);
            kind.clone_into(&mut n.draft.kind);
            title.clone_into(&mut n.draft.title);
            n.draft.body.clear();
            n.draft.priority = priority;
            n.draft.tier = match priority {
                5 => Tier::Critical,
                3 | 4 => Tier::Important,
                _ => Tier::Informational,
            };
            n.tier = n.draft.tier;
            n.origin = origin;
            n.draft.created_at = at(0) - SignedDuration::from_secs(age);
            n.draft.expires_at = expires.map(at);
            if passing {
                n.draft.class = Class::Ephemeral;
            }
            n
        })
}

fn happenings(others: bool) -> impl Strategy<Value = Happening> {
    let one = || 1_i64..40;
    let some_id = move || one().prop_map(NotificationId);
    let pauses =
        (prop::option::of(1_i64..4000), any::<bool>()).prop_map(|(until, critical_rings)| Pause {
            until: until.map(at),
            critical_rings,
        });
    let around = (any::<bool>(), any::<bool>()).prop_map(|(locked, presenting)| Surroundings {
        locked,
        presenting,
        ..Surroundings::default()
    });
    let backs = prop_oneof![
        (1_i64..6000).prop_map(|second| Back::Time { time: at(second) }),
        Just(Back::Unlock),
        Just(Back::Online),
    ];
    let often = if others { 1 } else { 2 };
    prop_oneof![
        30 * often => notifications().prop_map(|n| Happening::Arrives(Box::new(n))),
        2 => some_id().prop_map(Happening::Read),
        1 => some_id().prop_map(Happening::Done),
        1 => some_id().prop_map(Happening::Deleted),
        1 => some_id().prop_map(Happening::Dismissed),
        1 => (some_id(), backs).prop_map(|(id, back)| Happening::Snoozed { id, back }),
        2 => prop::option::of(pauses).prop_map(Happening::Pause),
        2 => around.prop_map(Happening::Around),
        1 => prop::sample::select(vec![Looking::Elsewhere, Looking::Everything, Looking::Subscription(SubscriptionId(2))])
            .prop_map(Happening::Looks),
        2 => Just(Happening::Filled),
        1 => Just(Happening::DeliverNow),
        1 => Just(Happening::Online(AccountId(1))),
        1 => Just(Happening::Restart),
    ]
}

/// Any stream, with bursts and rests, and with clocks that jump.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    steps_of(true)
}

/// Such a stream; without jumps, never two things at once.
pub(crate) fn steps_of(jumps: bool) -> impl Strategy<Value = Vec<Step>> {
    let least = i64::from(!jumps);
    let passes = prop_oneof![
        5 => least..=least + 2,
        3 => least..60_i64,
        1 => least..4000_i64,
    ];
    let after = (passes, prop::bool::weighted(0.04), -20_000_i64..40_000);
    prop::collection::vec((after, happenings(jumps)), 1..70).prop_map(move |all| {
        let mut id = 0;
        all.into_iter()
            .map(|((passes, jump, far), mut what)| {
                if let Happening::Arrives(n) = &mut what {
                    id += 1;
                    n.id = NotificationId(id);
                }
                let jump = jump && jumps;
                Step {
                    after: if jump { far } else { passes },
                    jump,
                    what,
                }
            })
            .collect()
    })
}
