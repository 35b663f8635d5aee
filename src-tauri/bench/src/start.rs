//! How long things take that somebody waits for: starts, and a command.

use std::time::Duration;

use support::{Desktop, Result};

use crate::arguments::Plan;
use crate::clock;
use crate::report::{Report, quantile};
use crate::scene::{Mode, PATIENCE, Scene, until_status};

/// Notifications in the inbox that is listed.
const ROWS: u64 = 1000;

/// The resident's start, and `tidings list`.
pub async fn measure(desktop: &Desktop, plan: &Plan, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(desktop, 1, Mode::Daemon).await?;
    let client = scene.until_it_answers().await?;
    for number in 0..ROWS {
        scene.publish(number).await?;
    }
    until_status(&client, "all to be stored", |status| {
        status.counts.all >= ROWS
    })
    .await?;

    let mut lists = Vec::new();
    for _ in 0..plan.repeats {
        let mut list = scene.command(&["list"]);
        let begin = clock::now();
        let output = list.output()?;
        lists.push(clock::since(begin));
        if !output.status.success() || output.stdout.is_empty() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
    }

    let budget = Duration::from_millis(250);
    let daemon = starts(&mut scene, Mode::Daemon, plan.starts).await?;
    report.at_most("`tidings daemon` → stream open, median", budget, daemon);
    let tray = starts(&mut scene, Mode::Tray, plan.starts).await?;
    report.at_most("`tidings --hidden` → tray and stream, median", budget, tray);
    report.at_most(
        "`tidings list` beside a resident, median",
        Duration::from_millis(15),
        quantile(&mut lists, 0.5),
    );
    Ok(())
}

/// The median of so many starts on the same profile.
async fn starts(scene: &mut Scene<'_>, mode: Mode, count: usize) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        scene.stop().await?;
        scene.until_no_streams().await?;
        scene.desktop.tray().wait_for_none(PATIENCE).await?;
        let begin = clock::now();
        scene.start(mode)?;
        while scene.server().subscriptions() == 0 {
            if clock::since(begin) > PATIENCE {
                return Err("the stream was not opened".into());
            }
            clock::pause(Duration::from_millis(1)).await;
        }
        if mode == Mode::Tray {
            let tray = scene.desktop.tray();
            tray.wait_for_item(PATIENCE, "tidings").await?;
        }
        times.push(clock::since(begin));
        // The next start is to find everything at rest.
        let client = scene.until_it_answers().await?;
        scene.until_live(&client).await?;
    }
    Ok(quantile(&mut times, 0.5))
}
