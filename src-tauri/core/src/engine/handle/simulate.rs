//! What other preferences would have done with what came in the last days.

use super::invalid;
use crate::engine::{Shared, storage, view};
use crate::model::Notification;
use crate::model::preferences::Preferences;
use crate::policy::{Outcome, Simulated, differences, simulate as play};
use jiff::{Timestamp, ToSpan as _, Zoned};
use std::collections::HashMap;
use std::sync::Arc;
use tidings_api::{Difference, ErrorView, Outcomes, ProblemView, Reply, Simulation};

/// Days, at most.
const MOST_DAYS: u32 = 90;
/// Notifications looked at, at most: the newest.
const MOST: u32 = 100_000;
/// Differences told, at most.
const TOLD: usize = 200;

/// Plays the present preferences and others on the same history. Pauses, and what was on the screen, are left out on
/// both sides: they were of their day, and say nothing of the preferences.
pub fn simulate(
    shared: &Shared,
    others: Option<Preferences>,
    days: u32,
) -> Result<Reply, ErrorView> {
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(invalid(format!("Try it on 1 to {MOST_DAYS} days.")));
    }
    let now = shared.clock.now().to_zoned(shared.clock.zone());
    let from = first_midnight(&now, days).ok_or_else(|| invalid("This clock has no such day."))?;
    let (history, names) = shared
        .store
        .read(|tx| {
            let names = view::Names::read(shared, tx)?;
            Ok((tx.came_since(from, MOST)?, names))
        })
        .map_err(|error| storage(&error))?;
    let present = shared.rulebook();
    let (book, problems) = match others {
        Some(others) => shared.ready(others).map_err(|error| storage(&error))?,
        None => (Arc::clone(&present), Vec::new()),
    };
    let zone = now.time_zone();
    let with_present = play(&history, &[], &present, zone, from, now.timestamp());
    let with_others = play(&history, &[], &book, zone, from, now.timestamp());
    let by_id: HashMap<_, &Notification> = history.iter().map(|n| (n.id, n)).collect();
    let told = |(before, after): (&Outcome, &Outcome)| {
        let n = by_id.get(&before.id)?;
        let shown = view::row(n, &names);
        Some(Difference {
            id: n.id,
            title: shown.title,
            source: shown.subscription_name,
            at: n.received_at,
            now: before.told.words(&now),
            then: after.told.words(&now),
        })
    };
    let all: Vec<_> = differences(&with_present, &with_others).collect();
    Ok(Reply::Simulation(Box::new(Simulation {
        days,
        from,
        notifications: history.len() as u64,
        different: all.len() as u64,
        differences: all.into_iter().take(TOLD).filter_map(told).collect(),
        now: outcomes(with_present),
        then: outcomes(with_others),
        problems: problems
            .into_iter()
            .map(|problem| ProblemView {
                at: problem.at,
                says: problem.says,
            })
            .collect(),
    })))
}

/// The midnight that so many days, today among them, begin with.
fn first_midnight(now: &Zoned, days: u32) -> Option<Timestamp> {
    let first = now.date().checked_sub((i64::from(days) - 1).days()).ok()?;
    let midnight = first.to_zoned(now.time_zone().clone()).ok()?;
    Some(midnight.timestamp())
}

fn outcomes(simulated: Simulated) -> Outcomes {
    Outcomes {
        toasts: simulated.toasts,
        digests: simulated.digests,
        held: simulated.held,
        silent: simulated.silent,
        hours: simulated.hours,
    }
}
