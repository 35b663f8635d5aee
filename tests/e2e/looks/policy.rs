//! The pages of what may interrupt, their dialogs, and what the inbox says of what waits.

use crate::app::{click, fill, testid};
use crate::studio::{HEIGHT, Studio, WIDTHS, scroll_to};
use support::{Result, Window};
use tidings_api::preferences::{Day, Preferences, Schedule};
use tidings_api::{Back, Change, ListQuery, PauseChange, Reply, Request, Targets};

/// Every page of the policy, with something on it, and every dialog.
pub async fn pages(studio: &Studio, settings: &Window) -> Result<()> {
    settings.resize(WIDTHS[2], HEIGHT).await?;
    click(settings, "section-grid").await?;
    settings.find(&testid("grid-row")).await?;
    settings.find(&testid("simulator-sum")).await?;
    studio.shoot(settings, "policy-grid").await?;
    scroll_to(settings, "family-ntfy").await?;
    studio.shoot(settings, "policy-grid-end").await?;
    settings.resize(WIDTHS[2], HEIGHT).await?;
    dialog(studio, settings, "cell-toast", "policy-cell").await?;
    dialog(studio, settings, "cell-batch", "policy-cell-batch").await?;
    dialog(studio, settings, "cell-sound", "policy-cell-sound").await?;
    dialog(studio, settings, "cell-more", "policy-cell-more").await?;

    click(settings, "section-quiet").await?;
    settings.find(&testid("schedule-add")).await?;
    studio.shoot(settings, "policy-quiet-none").await?;
    click(settings, "schedule-add").await?;
    settings.find(&testid("schedule")).await?;
    studio.shoot(settings, "policy-quiet").await?;
    scroll_to(settings, "zone-home").await?;
    studio.shoot(settings, "policy-quiet-end").await?;

    settings.resize(WIDTHS[2], HEIGHT).await?;
    click(settings, "section-rules").await?;
    settings.find(&testid("rule-add")).await?;
    studio.shoot(settings, "policy-rules-none").await?;
    settings.resize(WIDTHS[2], HEIGHT).await?;
    click(settings, "rule-add").await?;
    fill(settings, "rule-name", "Backups that went well").await?;
    studio.shoot(settings, "policy-rule").await?;
    fill(settings, "rule-text-text", "finished").await?;
    settings.resize(WIDTHS[2], HEIGHT).await?;
    click(settings, "rule-add-yes").await?;
    settings.find(&testid("rule")).await?;
    click(settings, "rule-edit").await?;
    studio.shoot(settings, "policy-rules").await?;

    for section in ["batching", "sounds", "privacy", "context"] {
        settings.resize(WIDTHS[2], HEIGHT).await?;
        click(settings, &format!("section-{section}")).await?;
        settings.find(&testid("simulator-sum")).await?;
        studio.shoot(settings, &format!("policy-{section}")).await?;
    }
    Ok(())
}

/// Opens a dialog of the grid's second row, pictures it, and closes it.
async fn dialog(studio: &Studio, settings: &Window, cell: &str, name: &str) -> Result<()> {
    settings.resize(WIDTHS[2], HEIGHT).await?;
    let buttons = format!("{} button", testid(cell));
    // The grid may be wider than its frame.
    let script = format!(
        "document.querySelectorAll('{buttons}')[1].scrollIntoView({{ block: 'center', inline: 'center' }})"
    );
    settings.execute(&script, &[]).await?;
    let cells = settings.find_all(&buttons).await?;
    settings
        .click(cells.get(1).ok_or("no second row of the grid")?)
        .await?;
    settings.find("dialog[open]").await?;
    studio.shoot(settings, name).await?;
    settings.press("\u{e00c}").await?;
    settings.wait_for_none("dialog[open]").await
}

/// The inbox while toasts are quiet, held, and something is snoozed.
pub async fn waiting(studio: &Studio, inbox: &Window) -> Result<()> {
    inbox.resize(WIDTHS[2], HEIGHT).await?;
    let before = preferences(studio).await?;
    let mut quiet = before.clone();
    quiet.quiet.schedules = vec![Schedule {
        name: "Night".to_owned(),
        off: false,
        days: Day::WEEK.to_vec(),
        from: "00:00".parse()?,
        to: "00:00".parse()?,
        lets_through: None,
        skip: None,
    }];
    studio.ask(Request::PreferencesSet(Box::new(quiet))).await?;
    for n in 1..=3 {
        let title = format!("Title: Build {n} is green");
        studio
            .app
            .curl("builds", &[&title, "Tags: release"], "main")?;
    }
    studio
        .app
        .until_status("three wait", |status| {
            status.held.iter().map(|held| held.count).sum::<u64>() == 3
        })
        .await?;
    inbox.find(&testid("deliver-now")).await?;
    inbox.find(&testid("card-new_type")).await?;
    studio.shoot(inbox, "inbox-quiet").await?;
    studio
        .ask(Request::PreferencesSet(Box::new(before)))
        .await?;

    let Reply::Page(page) = studio.ask(Request::List(ListQuery::default())).await? else {
        return Err("no page of the inbox".into());
    };
    let ids = page.rows.iter().take(2).map(|row| row.id).collect();
    studio
        .ask(Request::Change {
            targets: Targets::Ids { ids },
            change: Change::Snooze { back: Back::Unlock },
        })
        .await?;
    inbox.resize(WIDTHS[2], HEIGHT).await?;
    click(inbox, "place-snoozed").await?;
    let row = inbox.find(&testid("row")).await?;
    inbox.click(&row).await?;
    inbox.find(&testid("detail-wake")).await?;
    studio.shoot(inbox, "inbox-snoozed").await?;
    inbox.resize(WIDTHS[2], HEIGHT).await?;
    click(inbox, "why").await?;
    inbox.find(&testid("ledger-entry")).await?;
    studio.shoot(inbox, "inbox-why").await?;
    studio.ask(Request::Pause(PauseChange::Off)).await.map(drop)
}

async fn preferences(studio: &Studio) -> Result<Preferences> {
    match studio.ask(Request::Preferences).await? {
        Reply::Preferences(view) => Ok(view.preferences),
        other => Err(format!("{other:?}").into()),
    }
}
