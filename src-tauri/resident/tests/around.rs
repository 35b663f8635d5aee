//! A resident on a desktop that is locked, wants to be left alone, or comes and goes.

use crate::desktop::Desk;
use crate::support::LIMIT;
use ::support::RecordingDaemon;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use tidings_api::Status;
use tidings_server::Publish;
use zbus::Connection;

const SAVER: &str = "org.freedesktop.ScreenSaver";
const SAVER_PATH: &str = "/org/freedesktop/ScreenSaver";
const SWAYNC: &str = "org.erikreider.swaync.cc";
const SWAYNC_PATH: &str = "/org/erikreider/swaync/cc";

/// A screen locker, as far as it tells others.
struct Saver(bool);

#[zbus::interface(name = "org.freedesktop.ScreenSaver")]
impl Saver {
    fn get_active(&self) -> bool {
        self.0
    }
}

async fn saver(desk: &Desk, active: bool) -> Connection {
    zbus::connection::Builder::address(desk.address.as_str())
        .unwrap()
        .serve_at(SAVER_PATH, Saver(active))
        .unwrap()
        .name(SAVER)
        .unwrap()
        .build()
        .await
        .unwrap()
}

async fn lock(saver: &Connection, active: bool) {
    saver
        .emit_signal(None::<&str>, SAVER_PATH, SAVER, "ActiveChanged", &active)
        .await
        .unwrap();
}

fn is(status: &Status, context: &str) -> bool {
    status.around.iter().any(|known| known == context)
}

fn tells(status: &Status, context: &str) -> bool {
    status.told.iter().any(|known| known == context)
}

fn secret(priority: u8, title: &str) -> Publish {
    let mut publish = Publish::new("t", "The code is 4711");
    title.clone_into(&mut publish.title);
    publish.priority = priority;
    publish
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_screen_shows_no_words() {
    let desk = Desk::new().await;
    let daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    // It is locked before the resident starts.
    let locker = saver(&desk, true).await;
    let mut resident = desk.resident("daemon").await;
    assert!(
        is(&desk.status().await, "locked"),
        "asked before anything rings"
    );
    for priority in [3, 5] {
        let title = format!("Marker {priority}");
        desk.server.publish(secret(priority, &title)).await.unwrap();
    }
    desk.wait(|status| status.counts.all == 2).await;
    daemon
        .wait_for(LIMIT, |toast| toast.urgency() == Some(2))
        .await
        .unwrap();
    daemon
        .wait_for(LIMIT, |toast| toast.urgency() != Some(2))
        .await
        .unwrap();
    for toast in daemon.toasts() {
        let words = format!("{} {}", toast.summary, toast.body);
        assert!(words.contains("1 notification from"), "{words}");
        assert!(
            !words.contains("Marker") && !words.contains("4711"),
            "{words}"
        );
    }
    lock(&locker, false).await;
    desk.wait(|status| !is(status, "locked") && tells(status, "locked"))
        .await;
    desk.server.publish(secret(3, "After")).await.unwrap();
    let toast = daemon
        .wait_for(LIMIT, |toast| toast.summary.contains("After"))
        .await
        .unwrap();
    assert!(toast.body.contains("4711"));
    // Locked again; then the locker is gone, and its word with it.
    lock(&locker, true).await;
    desk.wait(|status| is(status, "locked")).await;
    locker.close().await.unwrap();
    desk.wait(|status| !is(status, "locked") && !tells(status, "locked"))
        .await;
    assert_eq!(resident.end(true).await, Some(0));
}

/// `SwayNotificationCenter`'s switch.
struct Quiet(bool);

#[zbus::interface(name = "org.erikreider.swaync.cc")]
impl Quiet {
    fn get_dnd(&self) -> bool {
        self.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_critical_one_waits_for_the_end_of_do_not_disturb() {
    let desk = Desk::new().await;
    let daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    let mut resident = desk.resident("daemon").await;
    let quiet = zbus::connection::Builder::address(desk.address.as_str())
        .unwrap()
        .serve_at(SWAYNC_PATH, Quiet(true))
        .unwrap()
        .name(SWAYNC)
        .unwrap()
        .build()
        .await
        .unwrap();
    desk.wait(|status| is(status, "do_not_disturb")).await;
    desk.server.publish(secret(5, "Fire")).await.unwrap();
    desk.wait(|status| status.held.iter().any(|held| held.cause == "context"))
        .await;
    // What is not critical is left to the desktop.
    desk.server.publish(secret(3, "Mail")).await.unwrap();
    daemon
        .wait_for(LIMIT, |toast| toast.summary.contains("Mail"))
        .await
        .unwrap();
    let fire = |toast: &::support::Toast| toast.summary.contains("Fire");
    assert!(!daemon.toasts().iter().any(fire));
    let body = (0_u32, false, false, false);
    quiet
        .emit_signal(None::<&str>, SWAYNC_PATH, SWAYNC, "SubscribeV2", &body)
        .await
        .unwrap();
    daemon.wait_for(LIMIT, fire).await.unwrap();
    desk.wait(|status| status.held.is_empty()).await;
    assert_eq!(resident.end(true).await, Some(0));
}

/// GNOME keeps its switch where only its own program reads it, and the bus tells that it was written.
#[tokio::test(flavor = "multi_thread")]
async fn gnomes_switch_is_read_when_it_was_written() {
    let desk = Desk::new().await;
    let folder = desk.place.folder().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let (program, value) = (folder.join("gsettings"), folder.join("value"));
    let text = format!(
        "#!/bin/sh\ntest \"$*\" = 'get org.gnome.desktop.notifications show-banners' && cat {}\n",
        value.display()
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(&value, "false\n").unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let mut resident = desk.resident_with("daemon", &[("PATH", &path)]).await;
    assert!(!tells(&desk.status().await, "do_not_disturb"));
    let shell = zbus::connection::Builder::address(desk.address.as_str())
        .unwrap()
        .name("org.gnome.Shell")
        .unwrap()
        .build()
        .await
        .unwrap();
    desk.wait(|status| is(status, "do_not_disturb")).await;
    std::fs::write(&value, "true\n").unwrap();
    let key = "/org/gnome/desktop/notifications/show-banners";
    shell
        .emit_signal(
            None::<&str>,
            "/ca/desrt/dconf/Writer/user",
            "ca.desrt.dconf.Writer",
            "Notify",
            &(key, vec![""], "tag"),
        )
        .await
        .unwrap();
    desk.wait(|status| !is(status, "do_not_disturb") && tells(status, "do_not_disturb"))
        .await;
    shell.close().await.unwrap();
    desk.wait(|status| !tells(status, "do_not_disturb")).await;
    assert_eq!(resident.end(true).await, Some(0));
}

/// A service that takes every call and answers none keeps neither the start nor the stop waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_that_hangs_keeps_nobody_waiting() {
    let desk = Desk::new().await;
    let hanging = zbus::connection::Builder::address(desk.address.as_str())
        .unwrap()
        .name(SAVER)
        .unwrap()
        .build()
        .await
        .unwrap();
    let daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    let mut resident = desk.resident("daemon").await;
    desk.server.publish(secret(3, "Mail")).await.unwrap();
    daemon
        .wait_for(LIMIT, |toast| toast.summary.contains("Mail"))
        .await
        .unwrap();
    // It is heard all the same.
    let heard = async {
        while !is(&desk.status().await, "locked") {
            lock(&hanging, true).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, heard)
        .await
        .expect("it is heard");
    assert_eq!(resident.end(true).await, Some(0));
}
