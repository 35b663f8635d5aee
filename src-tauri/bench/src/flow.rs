//! What comes in: one at a time, many at once, after an absence, and without end.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use support::{Desktop, Result, Toast};
use tidings_api::Client;

use crate::arguments::Plan;
use crate::clock;
use crate::idle::MEMORY;
use crate::report::{Report, float, mib, quantile, slope, time};
use crate::scene::{Mode, PATIENCE, Scene, status, until_status};

/// Between two messages at 50 a second.
pub const STEADY: Duration = Duration::from_millis(20);
/// A thousand in one second.
const BURST: u64 = 1000;
/// What was published while the resident was off.
const AWAY: u64 = 10_000;
/// Toasts that were folded come seconds later; after this there are no more.
const QUIET: Duration = Duration::from_secs(8);
/// Messages under way in a long stream; the server drops a subscriber that is 4 096 behind.
const UNDER_WAY: u64 = 3000;
/// How much a long stream may add to the memory that an idle resident may have, bytes. An idle one gives back even
/// pages of the program, so what it happens to have is no measure for one at work.
const GROWTH: u64 = 8 << 20;
/// About what one notification's transaction writes, bytes.
const BLOCK: usize = 64 << 10;
/// How often the disk is asked to keep that.
const SYNCS: usize = 200;
/// What is called no slope, bytes for each notification: the least that any rival keeps.
const NO_SLOPE: f64 = 92.0;

/// Publish to toast at 50 a second, each notification with a toast.
pub async fn latency(desktop: &Desktop, plan: &Plan, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(desktop, 1, Mode::Tray).await?;
    scene.stop().await?;
    scene.toast_everything()?;
    scene.start(Mode::Tray)?;
    let client = scene.until_it_answers().await?;
    scene.until_live(&client).await?;
    drop(client);

    let mut syncs = syncs(desktop)?;
    report.tell(
        "this disk: one fsync after 64 KiB, median and p99",
        format!(
            "{}, {}",
            time(quantile(&mut syncs, 0.5)),
            time(quantile(&mut syncs, 0.99))
        ),
    );

    // The first toast wakes what has never run before.
    scene.publish(0).await?;
    let daemon = desktop.notifications();
    daemon
        .wait_for(PATIENCE, |toast| number(toast) == Some(0))
        .await?;
    daemon.forget_calls();

    let cpu = scene.resident()?.cpu_time()?;
    let mut published = HashMap::<u64, Instant>::new();
    let begin = clock::now();
    for (number, tick) in (1..).zip(0..u32::try_from(plan.steady)?) {
        clock::until(begin + STEADY * tick).await;
        published.insert(number, clock::now());
        scene.publish(number).await?;
    }
    clock::pause(QUIET).await;
    let cpu = scene.resident()?.cpu_time()?.saturating_sub(cpu);

    let mut times = Vec::new();
    for toast in daemon.toasts() {
        if let Some(at) = number(&toast).and_then(|number| published.remove(&number)) {
            times.push(toast.at.saturating_duration_since(at));
        }
    }
    report.judge(
        "50 a second, limits off: toasts",
        &format!("{}", plan.steady),
        times.len().to_string(),
        published.is_empty(),
    );
    let p99 = quantile(&mut times, 0.99);
    report.at_most(
        "publish → committed → toast, p50",
        Duration::from_millis(2),
        quantile(&mut times, 0.5),
    );
    report.at_most(
        "publish → committed → toast, p99",
        Duration::from_millis(10),
        p99,
    );
    report.tell(
        "CPU for each of them",
        time(cpu / u32::try_from(plan.steady)?),
    );
    Ok(())
}

/// A thousand in one second, with the limits that users have.
pub async fn burst(desktop: &Desktop, report: &mut Report) -> Result<()> {
    let scene = Scene::new(desktop, 1, Mode::Tray).await?;
    let client = scene.until_it_answers().await?;
    let daemon = desktop.notifications();
    daemon.forget_calls();
    let cpu = scene.resident()?.cpu_time()?;
    let begin = clock::now();
    for (number, tick) in (0..BURST).zip(0_u32..) {
        clock::until(begin + Duration::from_millis(1) * tick).await;
        scene.publish(number).await?;
    }
    let published = clock::now();
    until_stored(&client, BURST).await?;
    let stored = clock::since(published);
    clock::pause(QUIET).await;
    let cpu = scene.resident()?.cpu_time()?.saturating_sub(cpu);
    let rows = status(&client).await?.counts.all;
    let calls = shown(desktop);

    report.judge(
        "1 000 in a second: stored",
        "1000, none twice",
        rows.to_string(),
        rows == BURST,
    );
    report.at_most(
        "1 000 in a second: all stored, after the last",
        Duration::from_millis(500),
        stored,
    );
    report.judge(
        "1 000 in a second: Notify calls",
        "≤ 10",
        calls.to_string(),
        calls <= 10,
    );
    report.tell(
        "1 000 in a second: CPU for each",
        time(cpu / u32::try_from(BURST)?),
    );
    Ok(())
}

/// Ten thousand while the resident was off for a moment.
pub async fn away(desktop: &Desktop, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(desktop, 1, Mode::Tray).await?;
    // A subscription that never received anything has no place to go on from.
    scene.publish(0).await?;
    let client = scene.until_it_answers().await?;
    until_stored(&client, 1).await?;
    drop(client);
    scene.stop().await?;
    for number in 1..=AWAY {
        scene.publish(number).await?;
    }
    desktop.notifications().forget_calls();
    let begin = clock::now();
    scene.start(Mode::Tray)?;
    let client = scene.until_it_answers().await?;
    until_stored(&client, AWAY + 1).await?;
    let stored = clock::since(begin);
    clock::pause(QUIET).await;
    let rows = status(&client).await?.counts.all;
    let toasts = shown(desktop);

    report.judge(
        "away for 10 000: stored",
        "10000, none twice",
        (rows - 1).to_string(),
        rows == AWAY + 1,
    );
    report.at_most(
        "away for 10 000: start → all stored",
        Duration::from_secs(3),
        stored,
    );
    report.judge(
        "away for 10 000: Notify calls",
        "≤ 4",
        toasts.to_string(),
        toasts <= 4,
    );
    Ok(())
}

/// A long stream, as fast as it is stored.
pub async fn ingest(desktop: &Desktop, plan: &Plan, report: &mut Report) -> Result<()> {
    let scene = Scene::new(desktop, 1, Mode::Tray).await?;
    let client = scene.until_it_answers().await?;
    let resident = scene.resident()?;
    clock::pause(plan.settle).await;
    let before = resident.memory()?.pss;
    let streams = scene.server().log().len();

    let mut samples = Vec::new();
    let (mut published, mut stored) = (0, 0);
    let cpu = resident.cpu_time()?;
    let begin = clock::now();
    while stored < plan.stream {
        let target = plan.stream.min(stored + UNDER_WAY);
        while published < target {
            scene.publish(published).await?;
            published += 1;
        }
        clock::pause(Duration::from_millis(10)).await;
        stored = status(&client).await?.counts.all;
        samples.push((float(stored), float(resident.memory()?.pss)));
        if clock::since(begin) > PATIENCE {
            return Err(format!("{stored} of {} are stored", plan.stream).into());
        }
    }
    let took = clock::since(begin);
    let cpu = resident.cpu_time()?.saturating_sub(cpu);
    let again = scene.server().log().len() - streams;
    let count = plan.stream;
    let peak = samples
        .iter()
        .map(|(_, memory)| *memory)
        .fold(0.0, f64::max);
    let second_half: Vec<_> = samples
        .iter()
        .copied()
        .filter(|(stored, _)| *stored * 2.0 > float(count))
        .collect();
    clock::pause(QUIET).await;
    let rows = status(&client).await?.counts.all;
    drop(client);
    clock::pause(plan.settle).await;
    let after = resident.memory()?.pss;

    let rate = float(count) / took.as_secs_f64();
    report.judge(
        &format!("stream of {count}: stored a second"),
        "≥ 3000",
        format!("{rate:.0}"),
        rate >= 3000.0,
    );
    report.judge(
        &format!("stream of {count}: stored"),
        &format!("{count}, none twice"),
        rows.to_string(),
        rows == count,
    );
    report.judge(
        &format!("stream of {count}: dropped by the server"),
        "never",
        format!("{again} times"),
        again == 0,
    );
    let most = MEMORY + GROWTH;
    let budget = format!("≤ {} ({} + {})", mib(most), mib(MEMORY), mib(GROWTH));
    report.judge(
        &format!("stream of {count}: memory at most (PSS)"),
        &budget,
        format!("{:.1} MiB", peak / 1024.0 / 1024.0),
        peak <= float(most),
    );
    let growth = slope(&second_half);
    report.judge(
        "memory's slope over the second half, bytes a notification",
        &format!("≤ {NO_SLOPE}"),
        format!("{growth:.0}"),
        growth <= NO_SLOPE,
    );
    report.judge(
        &format!("idle after {count}: memory (PSS)"),
        &budget,
        format!("{} (before: {})", mib(after), mib(before)),
        after <= most,
    );
    report.tell(
        &format!("stream of {count}: CPU for each"),
        time(cpu.div_f64(float(count))),
    );
    Ok(())
}

/// What the disk takes for what each commit needs, in the same minute: no program can be faster.
fn syncs(desktop: &Desktop) -> Result<Vec<Duration>> {
    let mut file = File::create(desktop.folder().join("syncs"))?;
    let block = vec![b'x'; BLOCK];
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        let begin = clock::now();
        file.write_all(&block)?;
        file.sync_all()?;
        times.push(clock::since(begin));
    }
    Ok(times)
}

async fn until_stored(client: &Client, count: u64) -> Result<()> {
    until_status(client, "all to be stored", |status| {
        status.counts.all >= count
    })
    .await
}

/// How many calls of Notify there were; what they said goes to standard error.
fn shown(desktop: &Desktop) -> usize {
    let toasts = desktop.notifications().toasts();
    for toast in &toasts {
        let after = toast.at.saturating_duration_since(toasts[0].at);
        let how = if toast.replaces == 0 { "new" } else { "edited" };
        eprintln!(
            "    {}: {how} {}: {:?}, {:?}",
            time(after),
            toast.id,
            toast.summary,
            toast.body.lines().next().unwrap_or_default()
        );
    }
    toasts.len()
}

/// The number that a toast's body begins with.
pub fn number(toast: &Toast) -> Option<u64> {
    toast.body.split(' ').next()?.parse().ok()
}
