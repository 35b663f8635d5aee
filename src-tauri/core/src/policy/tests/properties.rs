use super::{book, notification};
use crate::model::preferences::{Cell, Row};
use crate::model::{
    Bucket, Class, Disposition, HoldCause, Notification, Origin, Pause, PolicyState, Preferences,
    Rule, SubscriptionId, Tier, Verdict,
};
use crate::policy::Rulebook;
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use proptest::prelude::*;

const NOW: i64 = 1_772_440_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn zoned(second: i64) -> Zoned {
    at(second).to_zoned(TimeZone::UTC)
}

fn tiers() -> impl Strategy<Value = Tier> {
    prop::sample::select(vec![Tier::Informational, Tier::Important, Tier::Critical])
}

fn buckets() -> impl Strategy<Value = Option<Bucket>> {
    prop::option::of((
        prop_oneof![-5.0..40.0_f64, Just(f64::NAN), Just(f64::INFINITY)],
        prop_oneof![
            NOW - 100..NOW + 100,
            Just(-9_000_000_000_i64),
            Just(9_000_000_000_i64)
        ],
    ))
    .prop_map(|bucket| {
        bucket.map(|(tokens, second)| Bucket {
            tokens,
            at: at(second),
        })
    })
}

fn causes() -> impl Strategy<Value = HoldCause> {
    prop::sample::select(vec![
        HoldCause::Pause,
        HoldCause::LowPriority,
        HoldCause::Away,
        HoldCause::SubscriptionLimit {
            subscription: SubscriptionId(1),
        },
        HoldCause::OverallLimit,
        HoldCause::CriticalLimit,
    ])
}

fn notifications() -> impl Strategy<Value = Notification> {
    (
        tiers(),
        0_u8..7,
        prop_oneof![
            NOW - 200_000..NOW + 1000,
            Just(-9_000_000_000_i64),
            Just(9_000_000_000_i64)
        ],
        prop::sample::select(vec![Origin::Live, Origin::Backfill, Origin::FirstFilling]),
        prop::bool::weighted(0.1),
        prop::option::weighted(0.2, NOW - 50..NOW + 50),
        (prop::bool::weighted(0.1), prop::bool::weighted(0.1)),
    )
        .prop_map(
            |(tier, priority, created, origin, passing, expires, (read, done))| {
                let mut n = notification(at(created));
                n.draft.tier = tier;
                n.draft.priority = priority;
                n.draft.class = if passing {
                    Class::Ephemeral
                } else {
                    Class::Persistent
                };
                n.draft.expires_at = expires.map(at);
                n.origin = origin;
                n.read_at = read.then(|| at(NOW));
                n.done_at = done.then(|| at(NOW));
                n
            },
        )
}

fn states() -> impl Strategy<Value = PolicyState> {
    (
        (prop::bool::weighted(0.1), prop::bool::weighted(0.1)),
        prop::option::weighted(0.3, (prop::option::of(NOW - 50..NOW + 50), any::<bool>())),
        0_u32..8,
        (buckets(), buckets(), buckets()),
        prop::option::weighted(0.3, causes()),
    )
        .prop_map(
            |((known, looking), pause, newer, buckets, released)| PolicyState {
                known,
                looking,
                pause: pause.map(|(until, critical_rings)| Pause {
                    until: until.map(at),
                    critical_rings,
                }),
                newer_critical_backfill: newer,
                subscription_bucket: buckets.0,
                overall_bucket: buckets.1,
                critical_bucket: buckets.2,
                released,
                ..PolicyState::default()
            },
        )
}

fn preferences() -> impl Strategy<Value = Preferences> {
    (
        0_u32..8,
        0_u32..15,
        0_u32..25,
        prop_oneof![Just(0), Just(120), Just(u32::MAX)],
        prop_oneof![Just(0), Just(24), Just(u32::MAX)],
        prop::option::weighted(0.3, tiers()),
    )
        .prop_map(|(own, overall, critical, away, hours, min_tier)| {
            let mut preferences = Preferences::default();
            preferences.limits.subscription = own;
            preferences.limits.overall = overall;
            preferences.limits.critical = critical;
            preferences.away.after_seconds = away;
            preferences.away.critical_hours = hours;
            preferences.rows.push(row(Cell {
                min_tier,
                ..Cell::default()
            }));
            preferences
        })
}

/// About the account of every notification here.
fn row(cell: Cell) -> Row {
    Row {
        account: notification(Timestamp::UNIX_EPOCH).account,
        subscription: None,
        kind: None,
        until: None,
        cell,
    }
}

fn decide(n: &Notification, p: &Preferences, s: &PolicyState, now: &Zoned) -> Verdict {
    crate::policy::decide(n, &book(p.clone()), s, now)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_verdict_explains_itself(n in notifications(), p in preferences(), s in states()) {
        let verdict = decide(&n, &p, &s, &zoned(NOW));
        let deciding = verdict.trace.iter().filter(|line| line.decided).count();
        prop_assert_eq!(deciding, 1);
        prop_assert!(verdict.trace.last().unwrap().decided);
        prop_assert_eq!(verdict.trace[0].rule, Rule::Known);
        prop_assert!(verdict.trace.windows(2).all(|two| two[0].rule < two[1].rule));
        let asked = verdict.trace.len();
        let ordered = super::super::rules::ORDERED;
        prop_assert!(verdict.trace.iter().map(|line| line.rule).eq(ordered[..asked].iter().map(|(rule, _)| *rule)));
        prop_assert!(verdict.trace.iter().all(|line| line.says.ends_with('.')));
    }

    #[test]
    fn the_same_question_has_the_same_answer(n in notifications(), p in preferences(), s in states()) {
        prop_assert_eq!(decide(&n, &p, &s, &zoned(NOW)), decide(&n, &p, &s, &zoned(NOW)));
    }

    #[test]
    fn the_muted_never_ring(n in notifications(), mut p in preferences(), s in states(), whole in any::<bool>()) {
        let mute = Cell { mute: Some(true), ..Cell::default() };
        let subscription = (!whole).then_some(n.subscription);
        p.rows.insert(0, Row { subscription, ..row(mute) });
        prop_assert_eq!(decide(&n, &p, &s, &zoned(NOW)).disposition, Disposition::InboxOnly);
    }

    #[test]
    fn a_first_filling_never_rings_nor_waits(mut n in notifications(), p in preferences(), s in states()) {
        n.origin = Origin::FirstFilling;
        prop_assert_eq!(decide(&n, &p, &s, &zoned(NOW)).disposition, Disposition::InboxOnly);
    }

    /// Only what its user set, or what became of itself, silences a critical notification.
    #[test]
    fn others_never_silence_a_critical_one(mut n in notifications(), mut p in preferences(), s in states()) {
        n.draft.tier = Tier::Critical;
        n.draft.class = Class::Persistent;
        let alone = PolicyState {
            newer_critical_backfill: 0,
            subscription_bucket: None,
            overall_bucket: None,
            critical_bucket: None,
            ..s.clone()
        };
        p.limits.critical = p.limits.critical.max(1);
        p.away.critical_singly = p.away.critical_singly.max(1);
        let undisturbed = decide(&n, &p, &alone, &zoned(NOW)).disposition;
        let disturbed = decide(&n, &p, &s, &zoned(NOW)).disposition;
        let digest = Disposition::Hold { until: Some(at(NOW)), because: HoldCause::CriticalLimit };
        prop_assert!(disturbed == undisturbed || disturbed == digest);
    }

    /// A hold ends: never in the past, and what was released is not held by the same cause again.
    #[test]
    fn holds_end(n in notifications(), p in preferences(), mut s in states()) {
        let mut causes = Vec::new();
        while let Disposition::Hold { until, because } = decide(&n, &p, &s, &zoned(NOW)).disposition {
            prop_assert!(until.is_none_or(|until| until >= at(NOW)));
            prop_assert!(until.is_some() || because == HoldCause::Pause);
            prop_assert!(!causes.contains(&because), "held for {because:?} again");
            causes.push(because.clone());
            s = PolicyState { released: Some(because), pause: None, ..s };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Over any stretch of a run, however the clock jumps: no more toasts than a full bucket and what
    /// flowed in since.
    #[test]
    fn toasts_never_exceed_the_limits(
        p in preferences(),
        arrivals in prop::collection::vec((0_i64..3, tiers(), prop_oneof![9 => 0_i64..20, 1 => -5000_i64..0]), 1..80),
    ) {
        let ready: Rulebook = book(p.clone());
        let mut own = [None; 3];
        let (mut overall, mut critical) = (None, None);
        let mut clock = NOW;
        let mut elapsed = 0;
        let mut shown: Vec<(i64, i64, bool)> = Vec::new();
        for (subscription, tier, step) in arrivals {
            clock += step;
            elapsed += step.max(0);
            let mut n = notification(at(clock));
            n.subscription = SubscriptionId(subscription);
            n.draft.tier = tier;
            let index = usize::try_from(subscription).unwrap();
            let s = PolicyState {
                subscription_bucket: own[index],
                overall_bucket: overall,
                critical_bucket: critical,
                ..PolicyState::default()
            };
            let verdict = crate::policy::decide(&n, &ready, &s, &zoned(clock));
            own[index] = verdict.subscription_bucket.or(own[index]);
            overall = verdict.overall_bucket.or(overall);
            critical = verdict.critical_bucket.or(critical);
            if verdict.disposition == Disposition::Present {
                shown.push((elapsed, subscription, tier == Tier::Critical));
            }
        }
        for (first, (start, _, _)) in shown.iter().enumerate() {
            for (end, _, _) in &shown[first..] {
                let within = || shown.iter().filter(|(when, _, _)| (start..=end).contains(&when));
                let most = |size: u32| f64::from(size) * (1.0 + f64::from(i32::try_from(end - start).unwrap()) / 60.0) + 1e-3;
                let count = |counted: usize| f64::from(u32::try_from(counted).unwrap());
                prop_assert!(count(within().filter(|(_, _, critical)| *critical).count()) <= most(p.limits.critical));
                prop_assert!(count(within().filter(|(_, _, critical)| !critical).count()) <= most(p.limits.overall));
                for subscription in 0..3 {
                    let from_it = within().filter(|(_, from, critical)| !critical && *from == subscription).count();
                    prop_assert!(count(from_it) <= most(p.limits.subscription));
                }
            }
        }
    }
}

#[test]
fn a_clock_that_went_back_neither_fills_a_bucket_nor_stops_it() {
    let n = notification(at(NOW));
    let p = Preferences::default();
    let mut s = PolicyState {
        subscription_bucket: Some(Bucket {
            tokens: 0.0,
            at: at(NOW) + SignedDuration::from_hours(90_000),
        }),
        ..PolicyState::default()
    };
    let verdict = decide(&n, &p, &s, &zoned(NOW));
    assert!(matches!(verdict.disposition, Disposition::Hold { .. }));
    s.subscription_bucket = verdict.subscription_bucket;
    let later = decide(&n, &p, &s, &zoned(NOW + 12));
    assert_eq!(later.disposition, Disposition::Present);
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let mut p = Preferences::default();
    p.limits.fold_seconds = u32::MAX;
    for moment in [Timestamp::MIN, Timestamp::MAX] {
        let now = moment.to_zoned(TimeZone::UTC);
        for tier in [Tier::Informational, Tier::Important, Tier::Critical] {
            let mut n = notification(if moment == Timestamp::MAX {
                Timestamp::MIN
            } else {
                Timestamp::MAX
            });
            n.draft.tier = tier;
            n.origin = Origin::Backfill;
            let s = PolicyState {
                subscription_bucket: Some(Bucket {
                    tokens: 0.0,
                    at: moment,
                }),
                pause: Some(Pause {
                    until: Some(moment),
                    critical_rings: true,
                }),
                ..PolicyState::default()
            };
            assert!(!decide(&n, &p, &s, &now).trace.is_empty());
        }
    }
}
