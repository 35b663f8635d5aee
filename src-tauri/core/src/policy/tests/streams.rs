//! What holds for any stream of happenings and any preferences.

pub(crate) mod making;

use crate::model::preferences::{Day, Schedule};
use crate::model::{Class, Disposition, Notification, NotificationId, Preferences, Rule, Tier};
use crate::policy::play::{Happening, Look, Player, Seen};
use crate::policy::{Told, simulate};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use making::{Step, arrived, at, documents, play, ready, steps, steps_of};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

fn first_told(seen: &[Seen], id: NotificationId) -> Option<&Seen> {
    seen.iter().find(|seen| seen.fresh.contains(&id))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_same_happenings_are_seen_the_same(p in documents(), steps in steps()) {
        let (first, second) = (play(&p, &steps), play(&p, &steps));
        prop_assert_eq!(first.seen, second.seen);
        prop_assert_eq!(first.decided, second.decided);
    }

    /// Take everything else away: a critical one is told no later, no more silently and no less urgently for what
    /// else comes.
    #[test]
    fn a_critical_one_is_never_silent_for_others(
        p in documents(),
        steps in steps(),
        which in any::<prop::sample::Index>(),
    ) {
        let critical: Vec<NotificationId> = steps
            .iter()
            .filter_map(Step::arrival)
            .filter(|n| n.draft.priority == 5 && n.draft.class == Class::Persistent)
            .map(|n| n.id)
            .collect();
        if critical.is_empty() {
            return Ok(());
        }
        let id = *which.get(&critical);
        let alone: Vec<Step> = steps.iter().map(|step| step.without_others(id)).collect();
        let (among, alone) = (play(&p, &steps), play(&p, &alone));
        let Some(alone) = first_told(&alone.seen, id) else {
            return Ok(());
        };
        if alone.tier != Tier::Critical {
            return Ok(());
        }
        let Some(told) = first_told(&among.seen, id) else {
            let last = among.decided.iter().rev().find(|decided| decided.id == id).unwrap();
            let rule = last.verdict.trace.last().unwrap().rule;
            // Asked at another time, and by then its user had said so.
            prop_assert!(
                matches!(rule, Rule::Over | Rule::Muted | Rule::Grid | Rule::MinimumTier | Rule::Context),
                "silent: {:?}", last
            );
            return Ok(());
        };
        prop_assert!(told.at <= alone.at, "told at {} and not at {}", told.at, alone.at);
        prop_assert_eq!(told.tier, Tier::Critical);
        let began = among.seen.iter().find(|seen| seen.toast == told.toast).unwrap();
        prop_assert!(alone.sound.is_none() || began.sound.is_some(), "{:?}", told);
    }

    /// Nothing that a user does makes more toasts than the limits allow: not more than a full bucket, and what flowed
    /// in since.
    #[test]
    fn toasts_never_exceed_the_limits(mut p in documents(), steps in steps()) {
        p.away.few = 0;
        p.away.critical_singly = 0;
        let played = play(&p, &steps);
        let mut decisions = HashMap::<NotificationId, usize>::new();
        for decided in &played.decided {
            *decisions.entry(decided.id).or_default() += 1;
        }
        let tokens: Vec<(Timestamp, bool, i64)> = played
            .decided
            .iter()
            .filter(|decided| {
                decided.verdict.disposition == Disposition::Present
                    && decisions[&decided.id] == 1
            })
            .map(|decided| {
                let n = steps.iter().filter_map(Step::arrival).find(|n| n.id == decided.id).unwrap();
                (decided.at, decided.verdict.tier == Tier::Critical && n.draft.class == Class::Persistent, n.subscription.0)
            })
            .collect();
        // A clock that is set back is another hour: looked at between two such.
        for (first, (start, ..)) in tokens.iter().enumerate() {
            let mut counts = (0_u32, 0_u32, HashMap::<i64, u32>::new());
            let mut before = *start;
            for (end, critical, subscription) in &tokens[first..] {
                if *end < before {
                    break;
                }
                before = *end;
                if *critical {
                    counts.0 += 1;
                } else {
                    counts.1 += 1;
                    *counts.2.entry(*subscription).or_default() += 1;
                }
                let most = |size: u32| f64::from(size) * (1.0 + end.duration_since(*start).as_secs_f64() / 60.0) + 1e-3;
                prop_assert!(f64::from(counts.0) <= most(p.limits.critical));
                prop_assert!(f64::from(counts.1) <= most(p.limits.overall));
                prop_assert!(counts.2.values().all(|count| f64::from(*count) <= most(p.limits.subscription)));
            }
        }
    }

    /// However it is told, each is told once, and a digest says how many it is about.
    #[test]
    fn each_is_counted_once(mut p in documents(), steps in steps()) {
        p.escalation.times = 0;
        let steps: Vec<Step> = steps
            .into_iter()
            .filter(|step| !matches!(step.what, Happening::Snoozed { .. }))
            .collect();
        let played = play(&p, &steps);
        let mut told = HashSet::new();
        for seen in &played.seen {
            for id in &seen.fresh {
                prop_assert!(told.insert(*id), "{id} is told twice");
            }
            if seen.look == Look::New {
                prop_assert_eq!(seen.count, seen.fresh.len() as u64);
            } else {
                prop_assert!(seen.count >= seen.fresh.len() as u64);
            }
            let named: HashSet<_> = seen.named.iter().map(|(n, _)| n.id).collect();
            if seen.look != Look::Gone {
                prop_assert_eq!(named.len() as u64, seen.count.min(5), "{:?}", seen);
            }
        }
    }

    /// Nothing waits that could have been told: long after everything is over nobody waits but for a pause without
    /// end, a screen that is still used, or a snooze until something that did not happen.
    #[test]
    fn whatever_waits_is_told(p in documents(), steps in steps()) {
        let mut played = play(&p, &steps);
        played.player.happens(Happening::Pause(None));
        played.player.happens(Happening::Around(crate::model::Surroundings::default()));
        let later = played.player.now() + SignedDuration::from_hours(24 * 40);
        played.player.pass(later);
        played.player.settle();
        let left: Vec<String> = played
            .player
            .waiting()
            .into_iter()
            .filter(|(key, (_, until))| !key.starts_with("snooze:") && until.is_none_or(|until| until <= later))
            .map(|(key, _)| key)
            .collect();
        prop_assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn the_order_in_which_a_batch_came_does_not_show(
        all in prop::collection::vec(making::notifications(), 2..9),
        order in any::<prop::sample::Index>(),
        paused in any::<bool>(),
    ) {
        let seen = |shift: usize| {
            let mut player = Player::new(ready(Preferences::default()), TimeZone::UTC, at(0), true);
            if paused {
                player.happens(Happening::Pause(Some(crate::model::Pause { until: Some(at(60)), critical_rings: false })));
            }
            let mut all: Vec<(usize, Notification)> = all.iter().cloned().enumerate().collect();
            all.rotate_left(shift);
            if shift % 2 == 1 {
                all.reverse();
            }
            for (place, (own, mut n)) in all.into_iter().enumerate() {
                n.id = NotificationId(i64::try_from(place).unwrap() + 1);
                n.draft.title = format!("No. {own}");
                n.draft.priority = 4;
                n.draft.tier = Tier::Important;
                n.origin = if paused { crate::model::Origin::Live } else { crate::model::Origin::Backfill };
                n.received_at = at(0);
                n.draft.created_at = at(-3600 - i64::try_from(own).unwrap());
                player.happens(Happening::Arrives(Box::new(n)));
            }
            player.happens(Happening::Filled);
            player.pass(at(120));
            let digest = |seen: Seen| {
                let titles: Vec<String> = seen.named.iter().map(|(n, _)| n.draft.title.clone()).collect();
                (seen.at, seen.look, seen.count, seen.tier, seen.sound, titles)
            };
            player.take_seen().into_iter().map(digest).collect::<Vec<_>>()
        };
        prop_assert_eq!(seen(0), seen(order.index(all.len())));
    }

    /// Where nothing was changed, the simulator shows what was shown.
    #[test]
    fn a_simulation_of_what_was_is_what_was_seen(p in documents(), steps in steps_of(false)) {
        let played = play(&p, &steps);
        let mut history: Vec<Notification> = Vec::new();
        let mut facts = Vec::new();
        let mut now = at(0);
        for step in &steps {
            now += SignedDuration::from_secs(step.after);
            match &step.what {
                Happening::Arrives(n) => history.push(arrived(n, now)),
                Happening::Read(id) => {
                    if let Some(n) = history.iter_mut().find(|n| n.id == *id) {
                        n.read_at.get_or_insert(now);
                    }
                }
                Happening::Done(id) => {
                    if let Some(n) = history.iter_mut().find(|n| n.id == *id) {
                        n.done_at.get_or_insert(now);
                    }
                }
                other => facts.push((now, other.clone())),
            }
        }
        let end = played.player.now();
        let simulated = simulate(&history, &facts, &ready(p), &TimeZone::UTC, at(0), end);
        let new = |many: bool| {
            let all = played.seen.iter().filter(|seen| seen.look == Look::New && (seen.count > 1) == many);
            all.count() as u64
        };
        prop_assert_eq!((simulated.toasts, simulated.digests), (new(false), new(true)));
        prop_assert_eq!(simulated.hours.iter().map(|count| u64::from(*count)).sum::<u64>(), new(false) + new(true));
        for outcome in &simulated.outcomes {
            let told_at = match &outcome.told {
                Told::Toast { at } | Told::Digest { at, .. } | Told::Joined { at } => Some(*at),
                Told::Waits { .. } | Told::Silent { .. } => None,
            };
            prop_assert_eq!(first_told(&played.seen, outcome.id).map(|seen| seen.at), told_at);
        }
        prop_assert_eq!(simulated.outcomes.len(), history.len());
    }
}

/// Every zone of the database, every jump of its clocks in ten years: what came in the night before is told at the
/// moment at which the night ends, and at none before.
#[test]
fn every_night_ends_in_every_zone() {
    let mut preferences = Preferences::default();
    preferences.quiet.schedules = [("22:00", "02:30"), ("03:00", "03:30")]
        .map(|(from, to)| Schedule {
            name: String::new(),
            off: false,
            days: Day::WEEK.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            lets_through: Some(Tier::Critical),
            skip: None,
        })
        .to_vec();
    let book = ready(preferences);
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let stop: Timestamp = "2036-01-01T00:00:00Z".parse().unwrap();
    let mut nights = HashSet::new();
    let mut zones = 0;
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        zones += 1;
        let jumps = zone
            .following(start)
            .take_while(|jump| jump.timestamp() < stop);
        for jump in jumps {
            // Zones that are one another's aliases have the same nights.
            if nights.insert((jump.timestamp(), jump.offset())) {
                a_night_ends(&book, &zone, jump.timestamp());
            }
        }
    }
    assert!(
        zones > 300 && nights.len() > 500,
        "{zones} zones, {} nights",
        nights.len()
    );
}

fn a_night_ends(book: &Arc<crate::policy::Rulebook>, zone: &TimeZone, jump: Timestamp) {
    for before in [170, 35, 5] {
        let came = jump - SignedDuration::from_mins(before);
        let mut player = Player::new(Arc::clone(book), zone.clone(), came, false);
        let mut n = super::notification(came);
        n.id = NotificationId(1);
        player.happens(Happening::Arrives(Box::new(n)));
        player.settle();
        let quiet = book.quiet_now(&came.to_zoned(zone.clone()));
        player.pass(came + SignedDuration::from_hours(30));
        let seen = player.take_seen();
        let at = seen.first().map(|seen| seen.at);
        let name = zone.iana_name();
        assert_eq!(seen.len(), 1, "{name:?} {jump}");
        let Some(at) = at else { continue };
        assert_eq!(
            at,
            quiet.map_or(came, |(_, until)| until),
            "{name:?} {jump}"
        );
        assert_eq!(
            book.quiet_now(&at.to_zoned(zone.clone())),
            None,
            "{name:?} {jump}"
        );
        if at > came {
            let last = at - SignedDuration::from_secs(1);
            assert!(
                book.quiet_now(&last.to_zoned(zone.clone())).is_some(),
                "{name:?} {jump}"
            );
        }
    }
}
