//! What interrupts, seen on the screen: a burst is one toast that counts, and what waited leads to exactly what it
//! tells of.

#[expect(dead_code, reason = "the story uses the rest")]
mod app;

use app::{App, PATIENCE, click, find, pictures, testid};
use std::collections::BTreeSet;
use support::{Driver, NotificationDaemon, Options, Result, until};
use tidings_api::preferences::{Batch, Cell, Row};
use tidings_api::{PauseChange, Reply, Request};

/// How many come at once.
const BURST: usize = 12;

/// Bursts of one topic are told by the first one's toast.
async fn batch(app: &App) -> Result<()> {
    let client = app.client().await?;
    let Reply::Accounts(accounts) = client.call(Request::Accounts).await? else {
        return Err("no accounts".into());
    };
    let row = Row {
        account: accounts[0].id,
        subscription: Some(accounts[0].subscriptions[0].id),
        kind: None,
        until: None,
        cell: Cell {
            batch: Some(Batch::Leading { seconds: 300 }),
            ..Cell::default()
        },
    };
    client.call(Request::CellSet(Box::new(row))).await?;
    Ok(())
}

async fn pause(app: &App, change: PauseChange) -> Result<()> {
    app.client().await?.call(Request::Pause(change)).await?;
    Ok(())
}

fn burst(app: &App) -> Result<()> {
    for n in 1..=BURST {
        app.curl("disk", &["Title: Disk full"], &format!("host {n}"))?;
    }
    Ok(())
}

/// By the recorded calls: the first rings, and every other one edits its toast without a sound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_one_toast_that_is_edited_in_place() -> Result<()> {
    let app = App::start().await?;
    app.add_account(&["disk"])?;
    app.until_live().await?;
    batch(&app).await?;
    burst(&app)?;
    let daemon = app.desktop.notifications();
    let last = format!("Disk full ×{BURST}");
    daemon
        .wait_for(PATIENCE, |toast| toast.summary == last)
        .await?;
    let ids: BTreeSet<u32> = daemon.toasts().iter().map(|toast| toast.id).collect();
    assert_eq!(ids.len(), 1, "{:?}", daemon.toasts());
    let aloud: Vec<String> = daemon
        .toasts()
        .into_iter()
        .filter(|toast| toast.flag_hint("suppress-sound") != Some(true))
        .map(|toast| toast.summary)
        .collect();
    assert!(aloud.len() <= 1, "an edit is silent: {aloud:?}");
    assert_eq!(daemon.on_screen().len(), 1);
    Ok(())
}

/// The same with a daemon that draws: what a person sees is pictured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_one_toast_on_a_screen() -> Result<()> {
    let app = App::start_on(Options {
        notifications: NotificationDaemon::Dunst,
        ..Options::default()
    })
    .await?;
    app.add_account(&["disk"])?;
    app.until_live().await?;
    batch(&app).await?;
    burst(&app)?;
    let shown = until(
        "the last of the burst on the screen",
        PATIENCE,
        async || {
            let output = app.desktop.command("dunstctl").arg("count").output()?;
            let count = String::from_utf8(output.stdout)?;
            let all = app.status().await?.counts.all == BURST as u64;
            Ok(all.then_some(count))
        },
    )
    .await?;
    app.desktop
        .screenshot(&pictures()?.join("policy-burst.png"))?;
    let displayed = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix("Currently displayed:"));
    assert_eq!(displayed.map(str::trim), Some("1"), "{shown}");
    Ok(())
}

/// What waited rings as one, and a click on it leads to a list of exactly those.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_on_a_digest_opens_what_it_tells_of() -> Result<()> {
    let app = App::start().await?;
    let driver = Driver::start(&app.desktop).await?;
    app.add_account(&["alerts"])?;
    app.until_live().await?;
    app.curl("alerts", &["Title: Before"], "rang by itself")?;
    let daemon = app.desktop.notifications();
    daemon
        .wait_for(PATIENCE, |toast| toast.summary.contains("Before"))
        .await?;
    pause(
        &app,
        PauseChange::UntilResumed {
            critical_rings: false,
        },
    )
    .await?;
    for n in 1..=3 {
        app.curl("alerts", &[&format!("Title: Held {n}")], "waits")?;
    }
    app.until_status("three wait", |status| status.counts.held == 3)
        .await?;
    pause(&app, PauseChange::Off).await?;
    let digest = daemon
        .wait_for(PATIENCE, |toast| {
            toast.summary.starts_with("3 notifications")
        })
        .await?;
    assert!(digest.body.contains("Held 3"), "{}", digest.body);
    daemon.choose(digest.id, "default", None).await?;
    let inbox = app.open_wanted(&driver).await?;
    inbox.find_with_text(&testid("row"), "Held 3").await?;
    app.picture(&inbox, "policy-digest").await?;
    let rows = inbox.find_all(&testid("row")).await?;
    assert_eq!(rows.len(), 3, "exactly those");
    assert!(
        !inbox
            .text(&find(&inbox, "list").await?)
            .await?
            .contains("Before")
    );
    // Back to everything.
    click(&inbox, "everything").await?;
    inbox.find_with_text(&testid("row"), "Before").await?;
    Ok(())
}
