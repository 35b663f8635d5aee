//! Engine and player, side by side.

use super::driver::Driver;
use crate::model::{AccountId, Notification, NotificationId, Preferences, SubscriptionId};
use crate::policy::play::{Happening, Look};
use crate::policy::tests::plays::{Played, Plays, Ruled, Shown, Waiting};
use crate::policy::tests::scenarios::tell_all;
use crate::policy::tests::streams::making::{Step, arrived, at, documents, ready, steps};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeMap;

/// What an engine cannot be told before it has come: that it is done.
const ONLY_PLAYED: [&str; 1] = ["over-done-elsewhere"];

#[test]
fn every_story_goes_as_written_in_the_engine() {
    tell_all::<Driver>(&ONLY_PLAYED);
}

/// All that can be seen and asked afterwards.
#[derive(Debug, PartialEq)]
struct Witnessed {
    shown: Vec<Shown>,
    ruled: BTreeMap<NotificationId, Vec<Ruled>>,
    waits: Waiting,
}

fn play<P: Plays>(p: &Preferences, steps: &[Step]) -> Witnessed {
    let mut plays = P::begin(ready(p.clone()), TimeZone::UTC, at(0));
    for number in 1..=3 {
        let name = format!("topic {number}");
        plays.subscribes(AccountId(1), SubscriptionId(number), &name);
    }
    let mut ruled = BTreeMap::<NotificationId, Vec<Ruled>>::new();
    for step in steps {
        let to = plays.now() + SignedDuration::from_secs(step.after);
        if step.jump {
            plays.jump(to);
        } else {
            plays.pass(to);
        }
        let arrives = |n: &Notification| Happening::Arrives(Box::new(arrived(n, plays.now())));
        let what = match &step.what {
            Happening::Arrives(n) => arrives(n),
            other => other.clone(),
        };
        plays.happens(what);
    }
    let end = plays.now() + SignedDuration::from_hours(3);
    plays.pass(end);
    plays.settle();
    for one in plays.take_ruled() {
        ruled.entry(one.id).or_default().push(one);
    }
    let mut shown = plays.take_shown();
    // What goes says nothing more.
    for gone in shown.iter_mut().filter(|shown| shown.look == Look::Gone) {
        gone.tier = crate::model::Tier::Informational;
    }
    Witnessed {
        shown,
        ruled,
        waits: plays.waits(),
    }
}

/// The first thing that differs, with what came before.
fn differs(engine: &Witnessed, player: &Witnessed) -> Option<String> {
    let first = engine
        .shown
        .iter()
        .zip(&player.shown)
        .position(|(a, b)| a != b);
    let short = engine.shown.len().min(player.shown.len());
    let uneven = (engine.shown.len() != player.shown.len()).then_some(short);
    if let Some(place) = first.or(uneven) {
        return Some(format!(
            "seen, number {place}:\n engine {:#?}\n player {:#?}",
            engine.shown.get(place),
            player.shown.get(place)
        ));
    }
    let short = |ruled: &[Ruled]| -> Vec<String> {
        let lines = ruled.iter().map(|one| {
            let last = one.trace.last().map(|line| line.says.clone());
            format!("{} {:?} {last:?}", one.at, one.disposition)
        });
        lines.collect()
    };
    for (id, ruled) in &engine.ruled {
        let other = player.ruled.get(id).cloned().unwrap_or_default();
        if other != *ruled {
            let (engine, player) = (short(ruled), short(&other));
            return Some(format!(
                "about {id}:\n engine {engine:#?}\n player {player:#?}"
            ));
        }
    }
    (engine != player).then(|| format!("{:#?}\n{:#?}", engine.waits, player.waits))
}

/// What else happens to one that uses a computer: journeys, second thoughts, other preferences.
fn others() -> impl Strategy<Value = Step> {
    let zones = ["Asia/Tokyo", "Europe/Berlin", "America/St_Johns"];
    let what = prop_oneof![
        3 => (1_i64..40).prop_map(|id| Happening::Unread(NotificationId(id))),
        1 => prop::sample::select(zones.to_vec())
            .prop_map(|name| Happening::Zone(TimeZone::get(name).unwrap())),
        1 => documents().prop_map(|p| Happening::Preferences(ready(p))),
    ];
    (0_i64..60, what).prop_map(|(after, what)| Step {
        after,
        jump: false,
        what,
    })
}

/// Any stream, with some of these in between.
fn lives() -> impl Strategy<Value = Vec<Step>> {
    let others = prop::collection::vec((any::<prop::sample::Index>(), others()), 0..6);
    (steps(), others).prop_map(|(mut steps, others)| {
        for (place, other) in others {
            steps.insert(place.index(steps.len() + 1), other);
        }
        steps
    })
}

proptest! {
    // The same streams each time. Others may find what still differs: where one is put off that waits with others, the
    // player tells the others at its time, and the engine at their own.
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn engine_and_player_show_the_same(p in documents(), steps in lives()) {
        let (engine, player) = (play::<Driver>(&p, &steps), play::<Played>(&p, &steps));
        let differs = differs(&engine, &player);
        prop_assert!(differs.is_none(), "{}", differs.unwrap());
    }
}
