//! The simulator tells of the past what was seen, where nothing but the preferences decided.

use super::driver::Driver;
use crate::model::{AccountId, Class, Preferences, SubscriptionId};
use crate::policy::play::{Happening, Look};
use crate::policy::tests::plays::Plays;
use crate::policy::tests::streams::making::{Step, arrived, at, documents, ready, steps_of};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use tidings_api::{Reply, Request, Simulation};

/// What came, and what was read and done; the rest of what happens is of its day and is not kept.
fn is_kept(step: &Step) -> bool {
    match &step.what {
        Happening::Arrives(n) => n.draft.class == Class::Persistent,
        Happening::Read(_) | Happening::Done(_) => true,
        _ => false,
    }
}

/// Lives through this, and then asks what other preferences would have done: toasts of one and of several that were
/// seen, and what is told of them.
fn live(p: &Preferences, steps: &[Step], others: Preferences) -> ((u64, u64), Box<Simulation>) {
    let mut driver = Driver::begin(ready(p.clone()), TimeZone::UTC, at(0));
    for number in 1..=3 {
        driver.subscribes(AccountId(1), SubscriptionId(number), &number.to_string());
    }
    for step in steps {
        driver.pass(driver.now() + SignedDuration::from_secs(step.after));
        driver.happens(match &step.what {
            Happening::Arrives(n) => Happening::Arrives(Box::new(arrived(n, driver.now()))),
            other => other.clone(),
        });
    }
    driver.pass(driver.now() + SignedDuration::from_hours(3));
    driver.settle();
    let shown = driver.take_shown();
    let new = |many: bool| {
        let all = shown.iter().filter(|shown| shown.look == Look::New);
        all.filter(|shown| (shown.count > 1) == many).count() as u64
    };
    let preferences = Some(Box::new(others));
    let days = 7;
    match driver.ask(Request::Simulate { preferences, days }) {
        Some(Reply::Simulation(simulation)) => ((new(false), new(true)), simulation),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_simulator_tells_what_was_shown(
        p in documents(),
        steps in steps_of(false),
        slowly in prop::sample::select(vec![1, 2]),
    ) {
        let mut steps = steps;
        steps.retain(is_kept);
        for step in &mut steps {
            step.after *= slowly;
        }
        let came = steps.iter().filter(|step| step.arrival().is_some()).count() as u64;
        let (seen, simulation) = live(&p, &steps, p.clone());
        prop_assert_eq!((simulation.now.toasts, simulation.now.digests), seen);
        prop_assert_eq!(simulation.notifications, came);
        prop_assert_eq!(simulation.different, 0);
        let hours: u32 = simulation.now.hours.iter().sum();
        prop_assert_eq!(u64::from(hours), seen.0 + seen.1);
    }
}

#[test]
fn other_preferences_are_no_part_of_what_was() {
    let mut n = crate::policy::tests::notification(at(0));
    let steps: Vec<Step> = (1..=4)
        .map(|number| {
            n.id = crate::model::NotificationId(number);
            n.draft.title = format!("No. {number}");
            Step {
                after: 3600,
                jump: false,
                what: Happening::Arrives(Box::new(n.clone())),
            }
        })
        .collect();
    let mut silent = Preferences::default();
    silent.rows.push(crate::model::preferences::Row {
        account: AccountId(1),
        subscription: None,
        kind: None,
        until: None,
        cell: crate::model::preferences::Cell {
            mute: Some(true),
            ..Default::default()
        },
    });
    let (seen, simulation) = live(&Preferences::default(), &steps, silent);
    assert_eq!(seen, (4, 0));
    assert_eq!((simulation.now.toasts, simulation.then.toasts), (4, 0));
    assert_eq!(simulation.different, 4);
}
