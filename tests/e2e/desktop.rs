//! The private desktop itself: an end-to-end test is worth as much as what it stands on.
#![cfg(target_os = "linux")]

use std::{collections::HashMap, fs, path::PathBuf, process::Command, time::Duration};

use futures_util::StreamExt;
use ksni::TrayMethods;
use support::{
    CloseReason, Desktop, Driver, NotificationDaemon, Options, Program, Result, TrayHost,
};
use tokio::sync::mpsc;
use zbus::{Connection, Proxy, zvariant::Value};

const LIMIT: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

/// Only the parts that a test needs, so that it starts fast.
const BARE: Options = Options {
    size: (800, 600),
    window_manager: false,
    keyring: false,
    notifications: NotificationDaemon::Recording,
    tray: false,
    system_bus: false,
    accessibility: false,
};

async fn notifications(bus: &Connection) -> Result<Proxy<'static>> {
    Ok(Proxy::new(
        bus,
        "org.freedesktop.Notifications",
        "/org/freedesktop/Notifications",
        "org.freedesktop.Notifications",
    )
    .await?)
}

async fn notify(daemon: &Proxy<'_>, replaces: u32, summary: &str) -> Result<u32> {
    let hints = HashMap::from([("urgency", Value::U8(2)), ("category", Value::from("im"))]);
    let actions = ["default", "Open", "done", "Mark as done"];
    let call = (
        "Test",
        replaces,
        "",
        summary,
        "a <b>body</b>",
        actions.as_slice(),
        hints,
        -1,
    );
    Ok(daemon.call("Notify", &call).await?)
}

#[tokio::test]
async fn toasts_are_recorded_answered_and_closed() -> Result<()> {
    let desktop = Desktop::start(BARE).await?;
    let daemon = notifications(desktop.bus()).await?;
    let record = desktop.notifications();

    let first = notify(&daemon, 0, "Disk full").await?;
    let second = notify(&daemon, 0, "Door bell").await?;
    assert_ne!(first, second);
    let toast = record
        .wait_for(LIMIT, |toast| toast.summary == "Disk full")
        .await?;
    assert_eq!((toast.id, toast.urgency()), (first, Some(2)));
    assert_eq!(toast.text_hint("category"), Some("im"));
    assert_eq!(toast.action("Mark as done"), Some("done"));

    // An update keeps its id and its place.
    assert_eq!(notify(&daemon, first, "Disk full ×2").await?, first);
    let summaries: Vec<String> = record.on_screen().into_iter().map(|t| t.summary).collect();
    assert_eq!(summaries, ["Disk full ×2", "Door bell"]);
    assert_eq!(record.toasts().len(), 3);

    // The user's answer comes after the token that allows taking the focus.
    let mut signals = daemon.receive_all_signals().await?;
    record.choose(first, "done", Some("token-1")).await?;
    record.close(second, CloseReason::Dismissed).await?;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let signal = tokio::time::timeout(LIMIT, signals.next())
            .await?
            .ok_or("no signal")?;
        let name = signal
            .header()
            .member()
            .map(ToString::to_string)
            .unwrap_or_default();
        let body = match name.as_str() {
            "NotificationClosed" => format!("{:?}", signal.body().deserialize::<(u32, u32)>()?),
            _ => format!("{:?}", signal.body().deserialize::<(u32, String)>()?),
        };
        heard.push(format!("{name} {body}"));
    }
    assert_eq!(
        heard,
        [
            format!("ActivationToken ({first}, \"token-1\")"),
            format!("ActionInvoked ({first}, \"done\")"),
            format!("NotificationClosed ({second}, 2)"),
        ]
    );

    let () = daemon.call("CloseNotification", &(first,)).await?;
    record.wait_for_close(LIMIT, first).await?;
    assert!(record.on_screen().is_empty());
    assert!(
        record
            .wait_for(SHORT, |toast| toast.summary == "never sent")
            .await
            .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn the_daemon_can_hang_crash_and_come_back() -> Result<()> {
    let desktop = Desktop::start(BARE).await?;
    let daemon = notifications(desktop.bus()).await?;
    let record = desktop.notifications();

    record.hang(true);
    let mut hanging = std::pin::pin!(notify(&daemon, 0, "Into the void"));
    assert!(
        tokio::time::timeout(SHORT, &mut hanging).await.is_err(),
        "it answered"
    );
    assert_eq!(record.toasts().len(), 1, "it is recorded all the same");
    record.hang(false);
    tokio::time::timeout(LIMIT, hanging).await??;

    record.set_capabilities(&["body"]);
    let capabilities: Vec<String> = daemon.call("GetCapabilities", &()).await?;
    assert_eq!(capabilities, ["body"]);

    record.crash().await?;
    assert!(notify(&daemon, 0, "Nobody there").await.is_err());
    record.come_back().await?;
    desktop
        .wait_for_name("org.freedesktop.Notifications", LIMIT)
        .await?;
    let id = notify(&daemon, 0, "Back again").await?;
    assert_eq!(
        record.on_screen().len(),
        1,
        "only {id} is there: a crash takes the others away"
    );
    Ok(())
}

struct Lamp {
    clicks: mpsc::UnboundedSender<&'static str>,
    lit: bool,
}

impl ksni::Tray for Lamp {
    fn id(&self) -> String {
        "lamp".into()
    }
    fn title(&self) -> String {
        "Lamp".into()
    }
    fn tool_tip(&self) -> ksni::ToolTip {
        ksni::ToolTip {
            title: "The lamp".into(),
            description: if self.lit { "is lit" } else { "is dark" }.into(),
            ..ksni::ToolTip::default()
        }
    }
    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        let data = vec![255, 1, 2, 3];
        vec![ksni::Icon {
            width: 1,
            height: 1,
            data,
        }]
    }
    fn activate(&mut self, _x: i32, _y: i32) {
        let _ = self.clicks.send("left");
    }
    fn secondary_activate(&mut self, _x: i32, _y: i32) {
        let _ = self.clicks.send("middle");
    }
    fn menu(&self) -> Vec<ksni::MenuItem<Self>> {
        use ksni::menu::{CheckmarkItem, StandardItem, SubMenu};
        let lit = CheckmarkItem {
            label: "_Lit".into(),
            checked: self.lit,
            activate: Box::new(|lamp: &mut Self| lamp.lit = !lamp.lit),
            ..CheckmarkItem::default()
        };
        let broken = StandardItem {
            label: "Repair".into(),
            enabled: false,
            ..StandardItem::default()
        };
        let more = SubMenu {
            label: "More".into(),
            submenu: vec![lit.into()],
            ..SubMenu::default()
        };
        vec![broken.into(), ksni::MenuItem::Separator, more.into()]
    }
}

/// ksni takes the bus from the environment, which a test can't change; a program can.
fn lamp_program(desktop: &Desktop) -> Result<Program> {
    let mut command = desktop.command(std::env::current_exe()?);
    command.args(["--exact", "lamp", "--ignored", "--nocapture"]);
    desktop.run(command, "lamp")
}

#[tokio::test]
#[ignore = "the program that the_tray_host_reads_and_clicks starts"]
async fn lamp() -> Result<()> {
    let (clicks, mut clicked) = mpsc::unbounded_channel();
    let handle = Lamp { clicks, lit: false }.spawn().await?;
    while let Some(click) = clicked.recv().await {
        println!("\n{click} click");
        handle.update(|lamp| lamp.lit = false).await;
    }
    Ok(())
}

#[tokio::test]
async fn the_tray_host_reads_and_clicks() -> Result<()> {
    let options = Options { tray: true, ..BARE };
    let desktop = Desktop::start(options).await?;
    let tray: &TrayHost = desktop.tray();
    assert!(tray.is_empty());
    let mut lamp = lamp_program(&desktop)?;
    let item = tray.wait_for_item(LIMIT, "lamp").await?;
    assert_eq!(item.title().await?, "Lamp");
    assert_eq!(item.status().await?, "Active");
    assert_eq!(item.icon_pixmaps().await?[0].argb, [255, 1, 2, 3]);
    assert_eq!(item.tool_tip().await?.text, "is dark");
    assert_eq!(
        item.menu().await?.outline(),
        "Repair (off)\n---\nMore\n  [ ] Lit\n"
    );

    item.choose("Lit").await?;
    support::until("a lit lamp", LIMIT, async || {
        Ok((item.tool_tip().await?.text == "is lit").then_some(()))
    })
    .await?;
    assert!(item.choose("Repair").await.is_err(), "it is off");
    item.activate().await?;
    lamp.wait_for_line("left click", LIMIT).await?;
    item.secondary_activate().await?;
    lamp.wait_for_line("middle click", LIMIT).await?;

    // A host that comes back is found again by a good item; a program that dies leaves nothing.
    tray.disappear().await?;
    assert!(tray.is_empty());
    tray.come_back().await?;
    tray.wait_for_item(LIMIT, "lamp").await?;
    lamp.kill()?;
    tray.wait_for_none(LIMIT).await
}

#[tokio::test]
async fn the_keyring_is_unlocked() -> Result<()> {
    let desktop = Desktop::start(Options {
        keyring: true,
        ..BARE
    })
    .await?;
    let mut store = desktop.command("secret-tool");
    store.args(["store", "--label=test", "account", "demo"]);
    let mut store =
        Program::start_with_input(store, "secret-tool-store", &desktop.logs(), b"opensesame")?;
    assert!(store.wait_for_end(LIMIT).await?.success());
    let mut lookup = desktop.command("secret-tool");
    lookup.args(["lookup", "account", "demo"]);
    let mut lookup = desktop.run(lookup, "secret-tool-lookup")?;
    lookup.wait_for_end(LIMIT).await?;
    assert_eq!(lookup.output()?.trim(), "opensesame");
    Ok(())
}

#[tokio::test]
async fn nothing_of_the_callers_desktop_is_visible() -> Result<()> {
    let desktop = Desktop::start(Options {
        system_bus: true,
        ..BARE
    })
    .await?;
    let mut show = desktop.run(desktop.command("env"), "env")?;
    assert!(show.wait_for_end(LIMIT).await?.success());
    let root = desktop.folder().display().to_string();
    for line in show.output()?.lines() {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        if name == "HOME" || name.starts_with("XDG_") && name.ends_with("_HOME") {
            assert!(value.starts_with(&root), "{line}");
        }
        assert!(
            !matches!(name, "WAYLAND_DISPLAY" | "SESSION_MANAGER"),
            "{line}"
        );
    }
    let mut list = desktop.command("dbus-send");
    list.args(["--system", "--print-reply", "--dest=org.freedesktop.DBus"]);
    list.args(["/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames"]);
    let mut list = desktop.run(list, "dbus-send")?;
    assert!(list.wait_for_end(LIMIT).await?.success());
    assert!(
        !list.output()?.contains("login1"),
        "that is the machine's own bus"
    );
    Ok(())
}

#[tokio::test]
async fn a_program_is_watched_and_killed_with_its_children() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("sh");
    command.args(["-c", "echo ready; sleep 1000 & echo $!; wait"]);
    let mut program = Program::start(command, "parent", folder.path())?;
    program.wait_for_line("ready", LIMIT).await?;
    let child = support::until("the child's id", LIMIT, async || {
        Ok(program.output()?.lines().nth(1).map(str::to_owned))
    })
    .await?;
    let memory = program.memory()?;
    assert!(memory.pss > 0 && memory.pss <= memory.rss, "{memory:?}");
    assert!(program.cpu_time()? > Duration::ZERO);
    program.wakeups()?;
    assert!(program.wait_for_line("never said", SHORT).await.is_err());

    program.kill()?;
    wait_until_gone(&child).await?;

    let mut short = Program::start(Command::new("false"), "false", folder.path())?;
    assert_eq!(short.wait_for_end(LIMIT).await?.code(), Some(1));
    assert!(short.wait_for_line("anything", LIMIT).await.is_err());
    Ok(())
}

async fn wait_until_gone(process: &str) -> Result<()> {
    let stat = PathBuf::from(format!("/proc/{process}/stat"));
    support::until("the process to be gone", LIMIT, async || {
        // A dead orphan stays in the table until somebody collects it.
        let gone = fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
        Ok(gone.then_some(()))
    })
    .await
}

/// The part that dies in the test below.
#[tokio::test]
#[ignore = "the program that nothing_outlives_a_killed_test starts"]
async fn doomed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("sleep");
    command.arg("1000");
    let program = Program::start(command, "sleep", folder.path())?;
    println!("\nsleeper {}", program.id());
    std::future::pending().await
}

#[tokio::test]
async fn nothing_outlives_a_killed_test() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", "doomed", "--ignored", "--nocapture"]);
    let mut doomed = Program::start(command, "doomed", folder.path())?;
    let line = doomed.wait_for_line("sleeper", LIMIT).await?;
    let sleeper = line.trim_start_matches("sleeper ").to_owned();
    doomed.kill()?;
    wait_until_gone(&sleeper).await
}

#[tokio::test]
async fn dunst_draws_and_the_display_can_be_pictured() -> Result<()> {
    let notifications = NotificationDaemon::Dunst;
    let desktop = Desktop::start(Options {
        notifications,
        ..BARE
    })
    .await?;
    let empty = desktop.folder().join("empty.png");
    desktop.screenshot(&empty)?;
    let empty = fs::read(empty)?;
    notify(&notifications_of(&desktop).await?, 0, "Look at me").await?;
    support::until("a toast on the display", LIMIT, async || {
        let file = desktop.folder().join("toast.ppm");
        desktop.screenshot(&file)?;
        // The background of a critical toast, which an empty display has none of.
        let picture = fs::read(file)?;
        let drawn = picture.windows(3).any(|pixel| pixel == [0xff, 0xf4, 0xf2]);
        Ok(drawn.then_some(()))
    })
    .await?;
    assert!(empty.starts_with(b"\x89PNG"));
    Ok(())
}

async fn notifications_of(desktop: &Desktop) -> Result<Proxy<'static>> {
    notifications(desktop.bus()).await
}

/// The browser that comes with WebKitGTK: the smallest window that `WebDriver` can drive.
fn mini_browser() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib")
        .ok()?
        .chain(fs::read_dir("/usr/libexec").ok()?);
    let folders = folders.flatten().map(|entry| entry.path());
    let mut found = folders
        .chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/libexec")])
        .map(|folder| folder.join("webkit2gtk-4.1/MiniBrowser"))
        .filter(|path| path.exists());
    found.next()
}

#[tokio::test]
async fn a_window_is_driven() -> Result<()> {
    let Some(browser) = mini_browser() else {
        println!("skipped: there is no MiniBrowser; the tests of the real window drive one too");
        return Ok(());
    };
    let desktop = Desktop::start(Options {
        window_manager: true,
        ..BARE
    })
    .await?;
    let driver = Driver::start(&desktop).await?;
    let window = driver.open(&browser, &["--automation"]).await?;
    window
        .go(
            "data:text/html,<title>Trial</title><p id=said>Nothing</p><input id=field>\
             <button onclick=\"said.textContent='Heard '+field.value\">Say</button>",
        )
        .await?;
    assert_eq!(window.title().await?, "Trial");
    let field = window.find("#field").await?;
    window.type_into(&field, "hello").await?;
    window.press("!").await?;
    window.click(&window.find("button").await?).await?;
    let said = window.find_with_text("p", "Heard").await?;
    assert_eq!(window.text(&said).await?, "Heard hello!");
    assert_eq!(
        window.attribute(&said, "id").await?.as_deref(),
        Some("said")
    );
    assert_eq!(window.attribute(&said, "title").await?, None);
    assert_eq!(
        window
            .execute("return arguments[0] + 1", &[41.into()])
            .await?,
        42
    );
    window.execute("said.remove()", &[]).await?;
    window.wait_for_none("#said").await?;
    assert!(
        window
            .execute("throw new Error('on purpose')", &[])
            .await
            .is_err()
    );
    window.resize(640, 480).await?;
    let picture = window.screenshot().await?;
    assert!(picture.starts_with(b"\x89PNG"));
    window.close().await
}
