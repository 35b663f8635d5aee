//! The whole story, as a person lives it: sign in, a toast, a click, read here, read everywhere.

mod app;

use app::{App, CANARY, PATIENCE, USER, click, fill, find};
use std::time::Duration;
use support::{Driver, Options, Result, until};
use tidings_api::{Change, Reply, Request, Targets};

/// From publishing to the toast on the bus.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_sign_in_to_read_everywhere() -> Result<()> {
    let mut app = App::start().await?;
    let driver = Driver::start(&app.desktop).await?;
    let tray = app
        .desktop
        .tray()
        .wait_for_item(PATIENCE, "tidings")
        .await?;

    // The account is added in the settings window, which the tray opens.
    tray.choose("Settings…").await?;
    let settings = app.open_wanted(&driver).await?;
    app.picture(&settings, "settings-first").await?;
    click(&settings, "add-account").await?;
    fill(
        &settings,
        "account-url",
        &format!("{}/alerts", app.server.url()),
    )
    .await?;
    click(&settings, "account-detect").await?;
    find(&settings, "detected").await?;
    click(&settings, "sign-in-basic").await?;
    fill(&settings, "account-user", USER).await?;
    fill(&settings, "account-secret", CANARY).await?;
    click(&settings, "account-test").await?;
    let hops = find(&settings, "hops").await?;
    let ok = settings.attribute(&hops, "data-ok").await?;
    app.picture(&settings, "settings-test").await?;
    assert_eq!(
        ok.as_deref(),
        Some("true"),
        "{}",
        settings.text(&hops).await?
    );
    click(&settings, "account-save").await?;
    settings
        .find("[data-testid=\"account-card\"][data-state=\"live\"]")
        .await?;
    app.picture(&settings, "settings-account").await?;
    settings.close().await?;
    let accounts = app.objects(&["account", "list", "--json"])?;
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["subscriptions"][0]["topic"], "alerts");

    // Somebody else is subscribed too.
    let other = subscriber(&app, "alerts").await?;

    // It rings.
    app.curl(
        "alerts",
        &["Title: Disk full", "Priority: 5", "Tags: warning"],
        "97 % used",
    )?;
    let daemon = app.desktop.notifications();
    let toast = daemon
        .wait_for(SOON, |toast| toast.summary.contains("Disk full"))
        .await?;
    assert_eq!(toast.body, "97 % used");
    assert_eq!(toast.urgency(), Some(2), "critical");
    assert!(toast.action("Open").is_some(), "{:?}", toast.actions);

    // A click brings up exactly that notification.
    daemon.choose(toast.id, "default", Some("token-42")).await?;
    let inbox = app.open_wanted(&driver).await?;
    let title = inbox
        .find_with_text("[data-testid=\"detail-title\"]", "Disk full")
        .await?;
    assert!(inbox.text(&title).await?.contains("Disk full"));
    app.picture(&inbox, "inbox-notification").await?;

    // It is read: the server is told, the other subscriber sees it, the toast is gone.
    let told = other.next_event("message_clear").await?;
    assert_eq!(told["topic"], "alerts");
    daemon.wait_for_close(PATIENCE, toast.id).await?;
    app.until_status("everything is read", |status| status.counts.unread == 0)
        .await?;
    let rows = app.objects(&["list", "--json"])?;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["read"], true);

    // More arrive while the window is open; one is done and undone.
    for n in 0..3 {
        app.curl("alerts", &["Priority: 3"], &format!("backup {n} finished"))?;
    }
    app.until_status("three more", |status| status.counts.all == 4)
        .await?;
    inbox
        .find_with_text("[data-testid=\"row\"], [data-testid=\"new-pill\"]", "")
        .await?;
    app.picture(&inbox, "inbox-list").await?;

    // The window is killed: it costs nothing.
    inbox.close().await?;
    app.until_status("the resident lives", |status| status.counts.all == 4)
        .await?;

    // The tray knows, and acts.
    let outline = tray.menu().await?.outline();
    assert!(outline.contains("alerts: backup 2 finished"), "{outline}");
    tray.choose("Mark all read").await?;
    app.until_status("all are read", |status| status.counts.unread == 0)
        .await?;
    tray.choose("1 hour").await?;
    app.until_status("it is paused", |status| status.pause.is_some())
        .await?;
    daemon.forget_calls();
    app.curl("alerts", &[], "while paused")?;
    app.until_status("one is held", |status| status.counts.held == 1)
        .await?;
    assert!(daemon.toasts().is_empty(), "a pause holds");
    until("the tray to say that it is paused", PATIENCE, async || {
        let tip = tray.tool_tip().await?;
        let words = format!("{} {}", tip.title, tip.text);
        Ok(words.contains("aused").then_some(()))
    })
    .await?;
    tray.choose("Resume").await?;
    daemon
        .wait_for(PATIENCE, |toast| toast.body.contains("while paused"))
        .await?;

    // A clean stop, and a start that remembers.
    let status = app.resident.stop(Duration::from_secs(2)).await?;
    assert!(status.success(), "{status}");
    app.restart().await?;
    app.until_live().await?;
    assert_eq!(app.status().await?.counts.all, 5);

    no_word_of_the_password(&app).await?;
    no_trace_of_the_password(&app)
}

/// Nothing that a client may ask for hands the password out again.
async fn no_word_of_the_password(app: &App) -> Result<()> {
    let client = app.client().await?;
    for request in [
        Request::Status,
        Request::Accounts,
        Request::Settings,
        Request::Doctor,
        Request::Kinds,
        Request::List(tidings_api::ListQuery::default()),
    ] {
        let reply = serde_json::to_string(&client.call(request.clone()).await?)?;
        assert!(!reply.contains(CANARY), "{request:?} says the password");
    }
    Ok(())
}

/// Another subscriber of a topic, over its own connection.
struct Subscriber(tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<serde_json::Value>>);

impl Subscriber {
    async fn next_event(&self, wanted: &str) -> Result<serde_json::Value> {
        let mut events = self.0.lock().await;
        let found = async {
            loop {
                let event = events.recv().await?;
                if event["event"] == wanted {
                    return Some(event);
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found
            .ok()
            .flatten()
            .ok_or_else(|| format!("no {wanted}").into())
    }
}

async fn subscriber(app: &App, topic: &str) -> Result<Subscriber> {
    let (sender, events) = tokio::sync::mpsc::unbounded_channel();
    let mut response = reqwest::Client::new()
        .get(format!("{}/{topic}/json", app.server.url()))
        .basic_auth(USER, Some(CANARY))
        .send()
        .await?
        .error_for_status()?;
    tokio::spawn(async move {
        let mut text = String::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some(end) = text.find('\n') {
                let line: String = text.drain(..=end).collect();
                if let Ok(event) = serde_json::from_str(&line) {
                    // The test may be over.
                    let _ = sender.send(event);
                }
            }
        }
    });
    let subscriber = Subscriber(tokio::sync::Mutex::new(events));
    subscriber.next_event("open").await?;
    Ok(subscriber)
}

/// The password went in once; afterwards it is in the keyring and nowhere else.
fn no_trace_of_the_password(app: &App) -> Result<()> {
    let mut files = 0;
    let mut folders = vec![app.desktop.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = std::fs::read(entry.path())?;
                let found = bytes
                    .windows(CANARY.len())
                    .any(|window| window == CANARY.as_bytes());
                assert!(!found, "the password is in {}", entry.path().display());
                files += 1;
            }
        }
    }
    assert!(files > 5, "there was something to look at: {files} files");
    for seen in app.server.log() {
        assert!(!seen.path.contains(CANARY), "the password is in a URL");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_survives_the_resident_and_the_resident_the_window() -> Result<()> {
    let mut app = App::start().await?;
    app.add_account(&["alerts"])?;
    app.until_live().await?;
    let driver = Driver::start(&app.desktop).await?;
    app.tidings(&[])?;
    let inbox = app.open_wanted(&driver).await?;
    find(&inbox, "inbox").await?;
    app.picture(&inbox, "inbox-empty").await?;

    app.resident.kill()?;
    find(&inbox, "banner-gone").await?;
    app.picture(&inbox, "inbox-gone").await?;
    app.restart().await?;
    inbox.wait_for_none("[data-testid=\"banner-gone\"]").await?;
    app.until_live().await?;
    app.curl("alerts", &["Title: Back again"], "hello")?;
    inbox
        .find_with_text("[data-testid=\"row\"]", "Back again")
        .await?;
    app.picture(&inbox, "inbox-back").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_keyring_tray_or_daemon_it_still_receives() -> Result<()> {
    let app = App::start_on(Options {
        keyring: false,
        notifications: support::NotificationDaemon::None,
        tray: false,
        ..Options::default()
    })
    .await?;
    let error = app
        .add_account(&["alerts"])
        .expect_err("there is no keyring");
    assert!(error.to_string().contains("keyring"), "{error}");

    let url = app.server.url();
    let client = app.client().await?;
    let draft = tidings_api::AccountDraft {
        url: format!("{url}/alerts"),
        kind: None,
        name: "mine".to_owned(),
        topics: Vec::new(),
        sign_in: tidings_api::SignIn::Basic {
            user: USER.to_owned(),
        },
        secret: Some(tidings_api::Secret::new(CANARY)),
        secrets: tidings_api::SecretPlace::Memory,
        transport: None,
        allow_http: false,
        headers: Vec::new(),
        ..tidings_api::AccountDraft::default()
    };
    client.call(Request::AccountAdd(draft)).await?;
    app.until_live().await?;
    app.curl("alerts", &[], "into the silence")?;
    app.until_status("it is in the inbox", |status| status.counts.all == 1)
        .await?;
    app.until_status("the user is told", |status| status.notices.len() >= 2)
        .await?;
    no_trace_of_the_password(&app)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_and_the_tray_may_come_and_go() -> Result<()> {
    let app = App::start().await?;
    app.add_account(&["alerts"])?;
    app.until_live().await?;
    let daemon = app.desktop.notifications();
    app.curl("alerts", &[], "first")?;
    daemon
        .wait_for(PATIENCE, |toast| toast.body == "first")
        .await?;
    daemon.crash().await?;
    app.curl("alerts", &[], "second")?;
    app.until_status("the second is in the inbox", |status| {
        status.counts.all == 2
    })
    .await?;
    daemon.come_back().await?;
    daemon
        .wait_for(PATIENCE, |toast| toast.body.contains("second"))
        .await?;

    daemon.hang(true);
    for n in 0..20 {
        app.curl("alerts", &[], &format!("while it hangs {n}"))?;
    }
    app.until_status("receiving does not wait", |status| status.counts.all == 22)
        .await?;
    daemon.hang(false);

    let tray = app.desktop.tray();
    tray.disappear().await?;
    tray.come_back().await?;
    let item = tray.wait_for_item(PATIENCE, "tidings").await?;
    item.activate().await?;
    assert!(!app.wanted_window().await?.is_empty(), "a left click opens");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_and_the_window_agree() -> Result<()> {
    let app = App::start().await?;
    app.add_account(&["alerts", "builds"])?;
    app.until_live().await?;
    for n in 0..5 {
        app.curl("builds", &[&format!("Title: Build {n}")], "green")?;
    }
    app.until_status("five", |status| status.counts.all == 5)
        .await?;
    let rows = app.objects(&["list", "--json", "--search", "build"])?;
    assert_eq!(rows.len(), 5);
    let id = rows[0]["id"].to_string();
    assert!(app.tidings(&["read", &id])?.status.success());
    assert!(app.tidings(&["delete", &id])?.status.success());
    assert_eq!(app.objects(&["list", "--json"])?.len(), 4);

    let client = app.client().await?;
    let query = tidings_api::ListQuery::default();
    let request = Request::Change {
        targets: Targets::Query { query },
        change: Change::Done,
    };
    let Reply::Changed(changed) = client.call(request).await? else {
        return Err("a change answers with what changed".into());
    };
    assert_eq!(changed.count, 4);
    let Reply::Changed(undone) = client.call(Request::Undo { step: None }).await? else {
        return Err("an undo answers with what changed".into());
    };
    assert_eq!(undone.count, 4);
    assert_eq!(app.objects(&["list", "--json"])?.len(), 4);

    let watch = app.command(&["watch", "--json"])?;
    let mut watch = app.desktop.run(watch, "watch")?;
    app.until_status("it watches", |_| true).await?;
    until("the watched notification", PATIENCE, async || {
        app.curl("alerts", &["Title: Watched"], "now")?;
        Ok(watch.output()?.contains("Watched").then_some(()))
    })
    .await?;
    watch.stop(Duration::from_secs(2)).await?;

    let url = app.server.url();
    let name = url.trim_start_matches("http://");
    let sent = app.tidings(&["send", name, "alerts", "--title", "By hand", "hello"])?;
    assert!(
        sent.status.success(),
        "{}",
        String::from_utf8_lossy(&sent.stderr)
    );
    app.desktop
        .notifications()
        .wait_for(PATIENCE, |toast| toast.summary.contains("By hand"))
        .await?;
    assert_eq!(app.tidings(&["show", "999999"])?.status.code(), Some(1));
    assert_eq!(app.tidings(&["frobnicate"])?.status.code(), Some(2));
    Ok(())
}
