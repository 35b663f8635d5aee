//! The window as a person has it: without WebDriver, except where a test says why.

#[expect(dead_code, reason = "the story uses the rest")]
mod app;

use app::{App, PATIENCE};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::{Driver, Key, Program, Result, Screen, binary, until};
use tidings_api::{AppSettings, Appearance, Reply, Request};

/// How long the screen may show a window without its list, on an opening that nothing disturbs: what an X
/// server needs to hand out the first picture. A page that starts to paint only now needs more than twice
/// as long.
const BLINK: Duration = Duration::from_millis(60);
/// Other programs on the machine may take their time in any opening, but hardly in all.
const OPENINGS: usize = 5;

/// An app with some notifications.
async fn filled() -> Result<App> {
    let app = App::start().await?;
    app.add_account(&["alerts"])?;
    app.until_live().await?;
    for number in 0..30 {
        let title = format!("Title: Build {number}");
        app.curl("alerts", &[&title], "green")?;
    }
    app.until_status("all to be stored", |status| status.counts.all == 30)
        .await?;
    Ok(app)
}

/// Opens the inbox as `tidings` does.
async fn open(app: &App) -> Result<Program> {
    app.tidings(&[])?;
    let arguments = app.wanted_window().await?;
    let mut command = app.desktop.command(binary("tidings-window")?);
    command.args(arguments);
    app.desktop.run(command, "window")
}

async fn draw_in(app: &App, appearance: Appearance) -> Result<()> {
    let settings = AppSettings {
        appearance,
        ..AppSettings::default()
    };
    match app
        .client()
        .await?
        .call(Request::SettingsSet(settings))
        .await?
    {
        Reply::Settings(_) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

/// Opens a window, says for how long it stood without its list, and closes it. Every picture of it has the
/// ground `surface`.
async fn blank(app: &App, screen: &Screen, surface: (u8, u8, u8)) -> Result<Duration> {
    let mut program = open(app).await?;
    let limit = Instant::now() + PATIENCE;
    let mut first = None;
    loop {
        if Instant::now() > limit {
            return Err("no window was painted".into());
        }
        let Some(window) = screen.window()? else {
            continue;
        };
        let Some(look) = screen.look(window)? else {
            continue;
        };
        assert_eq!(look.ground, surface, "{look:?}");
        let shown = *first.get_or_insert_with(Instant::now);
        if look.is_painted() {
            let blank = shown.elapsed();
            screen.close(window)?;
            program.wait_for_end(PATIENCE).await?;
            return Ok(blank);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_comes_with_its_list_in_it_and_never_in_another_colour() -> Result<()> {
    let app = filled().await?;
    let screen = Screen::open(app.desktop.display())?;
    for (appearance, surface) in [
        (Appearance::Light, (0xff, 0xff, 0xff)),
        (Appearance::Dark, (0x1b, 0x1c, 0x1f)),
    ] {
        draw_in(&app, appearance).await?;
        let mut least = Duration::MAX;
        for _ in 0..OPENINGS {
            least = least.min(blank(&app, &screen, surface).await?);
        }
        assert!(
            least < BLINK,
            "{appearance:?}: empty for {least:?} at least"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_leaves_nothing_on_the_disk() -> Result<()> {
    let app = filled().await?;
    let screen = Screen::open(app.desktop.display())?;
    let before = files(app.desktop.folder())?;
    let mut program = open(&app).await?;
    let window = until("a painted window", PATIENCE, async || {
        let window = screen.window()?;
        let painted = window.is_some_and(|window| screen.is_painted(window).unwrap_or(false));
        Ok(window.filter(|_| painted))
    })
    .await?;
    let during = files(app.desktop.folder())?;
    screen.close(window)?;
    program.wait_for_end(PATIENCE).await?;
    let after = files(app.desktop.folder())?;

    // What the test's own desktop writes, and the profile, which is the resident's.
    let ours = |path: &PathBuf| !path.starts_with("logs") && !path.starts_with("profile");
    let new = |now: &BTreeSet<PathBuf>| -> Vec<PathBuf> {
        now.difference(&before)
            .filter(|path| ours(path))
            .cloned()
            .collect()
    };
    assert_eq!(new(&during), Vec::<PathBuf>::new(), "while it is open");
    assert_eq!(new(&after), Vec::<PathBuf>::new(), "after it");
    Ok(())
}

/// All files below `root`, and all folders, as paths from there.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
            found.insert(entry.path().strip_prefix(root)?.to_owned());
        }
    }
    Ok(found)
}

/// WebDriver only looks here: the keys come from the display's keyboard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_zoom_keys_work_and_have_ends() -> Result<()> {
    let app = filled().await?;
    let screen = Screen::open(app.desktop.display())?;
    let driver = Driver::start(&app.desktop).await?;
    app.tidings(&[])?;
    let inbox = app.open_wanted(&driver).await?;
    inbox.find("[data-testid=\"row\"]").await?;
    until("the window to have the keyboard", PATIENCE, async || {
        let focused = inbox.execute("return document.hasFocus()", &[]).await?;
        Ok((focused == true).then_some(()))
    })
    .await?;
    let zoom = async || -> Result<f64> {
        let zoom = inbox.execute("return outerWidth / innerWidth", &[]).await?;
        zoom.as_f64().ok_or_else(|| "no zoom".into())
    };
    let until_zoom = async |wanted: f64| {
        until(&format!("a zoom of {wanted}"), PATIENCE, async || {
            Ok(((zoom().await? - wanted).abs() < 0.02).then_some(()))
        })
        .await
    };
    until_zoom(1.0).await?;
    screen.press_with_control(Key::Plus)?;
    until_zoom(1.1).await?;
    screen.press_with_control(Key::Zero)?;
    until_zoom(1.0).await?;
    // More often than there are steps, and once back from the end: the ends do not count.
    for (key, back, end, next) in [
        (Key::Plus, Key::Minus, 3.0, 2.9),
        (Key::Minus, Key::Plus, 0.5, 0.6),
    ] {
        for _ in 0..40 {
            screen.press_with_control(key)?;
        }
        until_zoom(end).await?;
        screen.press_with_control(back)?;
        until_zoom(next).await?;
    }
    screen.press_with_control(Key::Zero)?;
    until_zoom(1.0).await
}
