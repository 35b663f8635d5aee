//! What real programs tell of the screen: an X server with a window manager, and dunst.
#![cfg(all(feature = "e2e", target_os = "linux"))]
#![allow(clippy::disallowed_methods)]

#[expect(dead_code, reason = "it is made for the tests that also need a window")]
mod app;

use app::{App, PATIENCE, pictures};
use support::{NotificationDaemon, Options, Result, Screen, until};
use tidings_api::Status;
use zbus::Proxy;
use zbus::zvariant::Value;

fn is(status: &Status, context: &str) -> bool {
    status.around.iter().any(|known| known == context)
}

fn tells(status: &Status, context: &str) -> bool {
    status.told.iter().any(|known| known == context)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_fills_the_screen_keeps_toasts_back() -> Result<()> {
    let app = App::start().await?;
    app.add_account(&["alerts"])?;
    app.until_live().await?;
    app.until_status("the window manager to tell", |status| {
        tells(status, "full_screen") && !is(status, "full_screen")
    })
    .await?;
    let screen = Screen::open(app.desktop.display())?;
    let film = screen.show_window()?;
    // It is asked until the window manager knows the window.
    until("the film to fill the screen", PATIENCE, async || {
        screen.fill(film, true)?;
        Ok(is(&app.status().await?, "full_screen").then_some(()))
    })
    .await?;
    app.curl("alerts", &["Title: Mail"], "during the film")?;
    app.until_status("it waits", |status| {
        status.held.iter().any(|held| held.cause == "context")
    })
    .await?;
    // Another window is in front: the film does not fill the screen.
    let other = screen.show_window()?;
    app.until_status("another window in front", |status| {
        !is(status, "full_screen")
    })
    .await?;
    let daemon = app.desktop.notifications();
    daemon
        .wait_for(PATIENCE, |toast| toast.body.contains("during the film"))
        .await?;
    screen.take_away(other)?;
    app.until_status("the film again", |status| is(status, "full_screen"))
        .await?;
    screen.fill(film, false)?;
    app.until_status("a film in a window", |status| !is(status, "full_screen"))
        .await?;
    screen.fill(film, true)?;
    app.until_status("the film once more", |status| is(status, "full_screen"))
        .await?;
    screen.take_away(film)?;
    app.until_status("the end of the film", |status| {
        !is(status, "full_screen") && tells(status, "full_screen")
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dunst_is_paused_and_resumed() -> Result<()> {
    let app = App::start_on(Options {
        notifications: NotificationDaemon::Dunst,
        tray: false,
        ..Options::default()
    })
    .await?;
    app.add_account(&["alerts"])?;
    app.until_live().await?;
    app.until_status("dunst to tell", |status| {
        tells(status, "do_not_disturb") && !is(status, "do_not_disturb")
    })
    .await?;
    let name = "org.freedesktop.Notifications";
    let dunst = Proxy::new(
        app.desktop.bus(),
        name,
        "/org/freedesktop/Notifications",
        "org.dunstproject.cmd0",
    )
    .await?;
    dunst.set_property("paused", Value::from(true)).await?;
    app.until_status("a paused dunst", |status| is(status, "do_not_disturb"))
        .await?;
    app.curl("alerts", &["Priority: 5", "Title: Fire"], "in the kitchen")?;
    app.until_status("it waits", |status| {
        status.held.iter().any(|held| held.cause == "context")
    })
    .await?;
    dunst.set_property("paused", Value::from(false)).await?;
    app.until_status("it rang", |status| {
        !is(status, "do_not_disturb") && status.held.iter().all(|held| held.cause != "context")
    })
    .await
}

/// A screen locker that has locked.
struct Locker;

#[zbus::interface(name = "org.freedesktop.ScreenSaver")]
impl Locker {
    #[expect(clippy::unused_self, reason = "a method on the bus")]
    fn get_active(&self) -> bool {
        true
    }
}

/// What dunst has drawn, asked of itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_walks_by_a_locked_screen_reads_nothing() -> Result<()> {
    let app = App::start_on(Options {
        notifications: NotificationDaemon::Dunst,
        tray: false,
        ..Options::default()
    })
    .await?;
    app.add_account(&["alerts"])?;
    app.until_live().await?;
    let bus = app.desktop.bus();
    bus.object_server()
        .at("/org/freedesktop/ScreenSaver", Locker)
        .await?;
    bus.request_name("org.freedesktop.ScreenSaver").await?;
    app.until_status("the lock", |status| is(status, "locked"))
        .await?;
    app.curl("alerts", &["Title: Your code"], "The code is 4711")?;
    let dunst = |verb: &str| -> Result<String> {
        let output = app.desktop.command("dunstctl").arg(verb).output()?;
        Ok(String::from_utf8(output.stdout)?)
    };
    until("a toast", PATIENCE, async || {
        Ok(dunst("count")?
            .contains("Currently displayed: 1")
            .then_some(()))
    })
    .await?;
    app.desktop
        .screenshot(&pictures()?.join("policy-locked.png"))?;
    dunst("close-all")?;
    let drawn = dunst("history")?;
    assert!(drawn.contains("1 notification from"), "{drawn}");
    assert!(
        !drawn.contains("4711") && !drawn.contains("Your code"),
        "{drawn}"
    );
    Ok(())
}
