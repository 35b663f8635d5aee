//! What each family costs: publish to stored and to toast at 50 a second, and the way back after ten thousand.

mod house;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use house::{House, Kind};
use support::{Desktop, Options, Result};
use tidings_api::{ConnectionState, Event, Reply, Request, Status};

use crate::arguments::Plan;
use crate::clock;
use crate::flow::{STEADY, number};
use crate::report::{Family, Report, quantile};
use crate::scene::{Mode, PATIENCE, Scene, status, until_status};

/// What was published while the resident was off.
const AWAY: u64 = 10_000;

/// Each on a desktop and a profile of its own.
///
/// # Errors
/// One could not be measured; the others were.
pub async fn measure(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut failed = Vec::new();
    for kind in Kind::ALL {
        let name = kind.name();
        eprintln!("bench: {name}");
        if let Some(missing) = kind.missing() {
            eprintln!("  left out: {missing}");
            continue;
        }
        let desktop = Desktop::start(Options::default()).await?;
        match one(&desktop, kind, plan.of_each).await {
            Ok(family) => report.family(family),
            Err(error) => failed.push(format!("{name}: {error}")),
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("; ").into())
    }
}

async fn one(desktop: &Desktop, kind: Kind, count: u32) -> Result<Family> {
    let mut scene = Scene::new(desktop, 0, Mode::Tray).await?;
    let house = House::open(kind).await?;
    let client = scene.until_it_answers().await?;
    let add = Request::AccountAdd(house.draft.clone());
    if !matches!(client.call(add).await?, Reply::Account(_)) {
        return Err("the account was not added".into());
    }
    until_status(&client, "the connection to be live", is_live).await?;
    // A subscription that never received anything has no place to go on from.
    house.publish(0).await?;
    until_status(&client, "the first to be stored", |status| {
        status.counts.all >= 1
    })
    .await?;
    drop(client);
    scene.stop().await?;
    scene.toast_everything()?;
    scene.start(Mode::Tray)?;

    let client = scene.until_it_answers().await?;
    until_status(&client, "the connection to be live", is_live).await?;
    // The first toast wakes what has never run before.
    let daemon = desktop.notifications();
    house.publish(1).await?;
    daemon
        .wait_for(PATIENCE, |toast| number(toast) == Some(1))
        .await?;
    daemon.forget_calls();
    let mut events = client.watch().await?;
    let cpu = scene.resident()?.cpu_time()?;
    let mut published = HashMap::<u64, Instant>::new();
    let mut stored_at = Vec::new();
    let begin = clock::now();
    let first = 2;
    let publishing = async {
        for (number, tick) in (first..).zip(0..count) {
            clock::until(begin + STEADY * tick).await;
            published.insert(number, clock::now());
            house.publish(number).await?;
        }
        Result::Ok(())
    };
    let wanted = usize::try_from(count)?;
    let watching = async {
        while stored_at.len() < wanted {
            match events.next().await {
                Some(Event::Arrived { ids }) => {
                    let now = clock::now();
                    stored_at.extend(ids.iter().map(|_| now));
                }
                Some(_) => {}
                None => return Err("the resident is gone".into()),
            }
        }
        Ok(())
    };
    let both = async { tokio::try_join!(publishing, watching) };
    clock::within(PATIENCE, both)
        .await
        .ok_or("not all of them were stored in time")??;
    let last = u64::from(count) + first - 1;
    daemon
        .wait_for(PATIENCE, |toast| number(toast) == Some(last))
        .await?;
    let cpu = scene.resident()?.cpu_time()?.saturating_sub(cpu);

    let mut stored: Vec<Duration> = (first..)
        .zip(&stored_at)
        .filter_map(|(number, at)| Some(at.saturating_duration_since(*published.get(&number)?)))
        .collect();
    let mut toasted = Vec::new();
    for toast in daemon.toasts() {
        if let Some(at) = number(&toast).and_then(|number| published.remove(&number)) {
            toasted.push(toast.at.saturating_duration_since(at));
        }
    }
    if !published.is_empty() {
        return Err(format!("{} had no toast", published.len()).into());
    }

    let before = status(&client).await?.counts.all;
    drop((client, events));
    scene.stop().await?;
    for number in (last + 1..).take(usize::try_from(AWAY)?) {
        house.publish(number).await?;
    }
    let begin = clock::now();
    scene.start(Mode::Tray)?;
    let client = scene.until_it_answers().await?;
    until_status(&client, "what was missed", |status| {
        status.counts.all >= before + AWAY
    })
    .await?;
    let back = clock::since(begin);
    let rows = status(&client).await?.counts.all - before;
    drop(client);
    scene.stop().await?;
    Ok(Family {
        name: kind.name(),
        stored: [quantile(&mut stored, 0.5), quantile(&mut stored, 0.99)],
        toasted: [quantile(&mut toasted, 0.5), quantile(&mut toasted, 0.99)],
        cpu: cpu / count,
        back,
        whole: rows == AWAY,
    })
}

fn is_live(status: &Status) -> bool {
    let mut states = status.connections.iter().map(|one| one.state);
    states.next() == Some(ConnectionState::Live)
}
