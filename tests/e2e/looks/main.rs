//! Every state of the windows, pictured in both lights and three widths into `target/e2e/looks`, for
//! people to look at. What can be told without eyes is asserted: nothing sticks out of a window, and what is
//! said when nobody is there to ask claims nothing.

#[path = "../app.rs"]
#[expect(dead_code, reason = "the story uses the rest")]
mod app;
mod policy;
mod studio;

use app::{App, CANARY, USER, click, fill, testid};
use studio::{HEIGHT, Studio, WIDTHS, scroll_to};
use support::{Result, Window};
use tidings_api::{PauseChange, Request, Target};

/// What servers send on an ordinary day.
fn publish(app: &App) -> Result<()> {
    let long = "The nightly copy of /srv to the second disk took longer than usual because three directories had \
         grown. It finished all the same, and nothing is missing.";
    let markdown = "## Release 2.4\n\n- **faster** search\n- `tidings watch` ends with its pipe\n\n> Read the notes \
         before you upgrade.\n\n```sh\nsudo apt upgrade tidings\n```\n\nSee [the notes](https://example.org/notes).";
    let messages: [(&str, &[&str], &str); 8] = [
        ("backups", &["Title: Backup finished", "Priority: 2"], long),
        (
            "builds",
            &["Title: Build 1841 is green", "Tags: tada,ci"],
            "main · 4 min 12 s",
        ),
        (
            "builds",
            &[
                "Title: Build 1842 failed",
                "Priority: 4",
                "Click: https://ci.example.org/1842",
            ],
            "2 of 318 tests failed: way_back, outages",
        ),
        (
            "door",
            &["Title: Someone is at the door", "Tags: bell", "Priority: 4"],
            "Front door, 14:02",
        ),
        (
            "chat",
            &["Title: Grace"],
            "Lunch at one? The place at the corner has soup today.",
        ),
        (
            "chat",
            &[
                "Title: A_very_long_title_without_a_single_space_that_no_narrow_window_has_room_for_and_so_must_be_cut",
            ],
            "https://example.org/an/address/that/is/longer/than/any/line/and/has/no/place/to/break?at=all&of=it",
        ),
        (
            "releases",
            &["Title: Tidings 2.4", "Markdown: yes", "Tags: package"],
            markdown,
        ),
        (
            "alerts",
            &[
                "Title: Disk almost full",
                "Priority: 5",
                "Tags: warning,disk",
                "Actions: http, Free some space, https://example.org/clean; view, Show graphs, https://example.org/graphs",
            ],
            "/var is 97 % full on host mimir. At this rate nothing can be written in about two hours.",
        ),
    ];
    for (topic, headers, body) in messages {
        app.curl(topic, headers, body)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_has_its_picture_and_nothing_sticks_out() -> Result<()> {
    let mut studio = Studio::start().await?;

    let inbox = studio.open(&Target::Inbox).await?;
    inbox.find(&testid("add-account")).await?;
    studio.shoot(&inbox, "inbox-no-account").await?;
    inbox.close().await?;

    let settings = studio.open(&Target::Settings).await?;
    add_account(&studio, &settings).await?;
    edit_account(&studio, &settings).await?;
    other_sections(&studio, &settings).await?;
    settings.close().await?;

    let inbox = studio.open(&Target::Inbox).await?;
    read(&studio, &inbox).await?;
    policy::waiting(&studio, &inbox).await?;

    studio.app.resident.kill()?;
    inbox.find(&testid("banner-gone")).await?;
    studio.shoot_in(&inbox, "inbox-gone", "dark").await?;
    assert!(
        inbox.find_all("svg.live").await?.is_empty(),
        "nothing is live"
    );
    inbox.close().await?;

    studio.app.restart().await?;
    studio.app.until_live().await?;
    let settings = studio.open(&Target::Settings).await?;
    settings.find("[data-state=\"live\"]").await?;
    policy::pages(&studio, &settings).await?;
    click(&settings, "section-accounts").await?;
    studio.app.resident.kill()?;
    settings.find("[data-state=\"unknown\"]").await?;
    studio.shoot_in(&settings, "settings-gone", "dark").await?;
    settings.close().await?;

    // Nobody is there from the start.
    let inbox = studio.open(&Target::Inbox).await?;
    inbox.find(&testid("banner-gone")).await?;
    inbox.resize(WIDTHS[1], HEIGHT).await?;
    studio.picture(&inbox, "inbox-nobody").await?;
    inbox.close().await
}

/// The form from an address to a saved account, with everything that can go wrong once.
async fn add_account(studio: &Studio, settings: &Window) -> Result<()> {
    studio.shoot(settings, "settings-no-account").await?;
    click(settings, "add-account").await?;
    fill(settings, "account-url", "not an address").await?;
    click(settings, "account-detect").await?;
    settings.find(&testid("failure")).await?;
    studio.shoot(settings, "settings-wrong-address").await?;
    let address = format!("{}/alerts", studio.app.server.url());
    fill(settings, "account-url", &address).await?;
    click(settings, "account-detect").await?;
    settings.find(&testid("topic-chip")).await?;
    click(settings, "sign-in-basic").await?;
    fill(settings, "account-user", USER).await?;
    fill(settings, "account-secret", "wrong").await?;
    for topic in ["backups", "builds", "chat", "door", "releases"] {
        fill(settings, "account-topics", &format!("{topic}\u{e007}")).await?;
    }
    click(settings, "header-add").await?;
    fill(settings, "header-name", "X-Proxy-Key").await?;
    fill(settings, "header-value", "4711").await?;
    studio.shoot(settings, "settings-form").await?;
    scroll_to(settings, "account-save").await?;
    studio.shoot(settings, "settings-form-end").await?;
    settings
        .click(&settings.find("[data-testid=\"way\"] summary").await?)
        .await?;
    scroll_to(settings, "account-save").await?;
    studio.shoot(settings, "settings-form-network").await?;
    settings
        .click(&settings.find("[data-testid=\"way\"] summary").await?)
        .await?;
    click(settings, "account-test").await?;
    settings
        .find("[data-testid=\"hops\"][data-ok=\"false\"]")
        .await?;
    scroll_to(settings, "account-save").await?;
    studio.shoot(settings, "settings-failing-test").await?;
    fill(settings, "account-secret", CANARY).await?;
    click(settings, "account-save").await?;
    settings
        .find("[data-testid=\"account-card\"][data-state=\"live\"]")
        .await?;
    settings.wait_for_none(&testid("account-form")).await?;
    studio.shoot(settings, "settings-account").await
}

async fn edit_account(studio: &Studio, settings: &Window) -> Result<()> {
    click(settings, "edit-account").await?;
    settings.find(&testid("edit-sign-in")).await?;
    studio.shoot(settings, "settings-edit").await?;
    scroll_to(settings, "topic-add-save").await?;
    studio.shoot(settings, "settings-edit-topics").await?;
    scroll_to(settings, "account-remove").await?;
    studio.shoot(settings, "settings-edit-end").await
}

async fn other_sections(studio: &Studio, settings: &Window) -> Result<()> {
    click(settings, "section-notifications").await?;
    settings.find(&testid("doctor-item")).await?;
    studio.shoot(settings, "settings-notifications").await?;
    studio
        .ask(Request::Pause(PauseChange::For {
            minutes: 60,
            critical_rings: true,
        }))
        .await?;
    settings.find(&testid("resume")).await?;
    studio.shoot(settings, "settings-paused").await?;
    studio.ask(Request::Pause(PauseChange::Off)).await?;
    for section in ["appearance", "storage", "connections", "about"] {
        click(settings, &format!("section-{section}")).await?;
        studio
            .shoot(settings, &format!("settings-{section}"))
            .await?;
    }
    Ok(())
}

/// The inbox from empty to full, and what can be open in it.
async fn read(studio: &Studio, inbox: &Window) -> Result<()> {
    inbox.find(&testid("first-command")).await?;
    studio.shoot(inbox, "inbox-empty").await?;
    publish(&studio.app)?;
    studio
        .app
        .until_status("all to be stored", |status| status.counts.all == 8)
        .await?;
    inbox
        .find_with_text(&testid("row"), "Disk almost full")
        .await?;
    studio.shoot(inbox, "inbox-list").await?;
    for (title, name) in [
        ("Disk almost full", "inbox-actions"),
        ("Tidings 2.4", "inbox-markdown"),
        ("A_very", "inbox-long"),
    ] {
        inbox.resize(WIDTHS[2], HEIGHT).await?;
        let row = inbox.find_with_text(&testid("row"), title).await?;
        inbox.click(&row).await?;
        inbox.find_with_text(&testid("detail-title"), title).await?;
        studio.shoot(inbox, name).await?;
        inbox.press("\u{e00c}").await?;
        inbox.find(&testid("row")).await?;
    }
    inbox.resize(WIDTHS[2], HEIGHT).await?;
    fill(inbox, "search", "elephant\u{e007}").await?;
    inbox.find(&testid("clear-search")).await?;
    studio.shoot(inbox, "inbox-nothing-found").await?;
    click(inbox, "clear-search").await?;
    inbox.find(&testid("row")).await?;
    studio
        .ask(Request::Pause(PauseChange::For {
            minutes: 60,
            critical_rings: true,
        }))
        .await?;
    inbox.find(&testid("banner-paused")).await?;
    studio.shoot(inbox, "inbox-paused").await?;
    studio.ask(Request::Pause(PauseChange::Off)).await?;
    Ok(())
}
