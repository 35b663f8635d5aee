//! A resident on a bus with a notification daemon that misbehaves when told to, and a tray host.

use crate::support::{LIMIT, Place, Staying, server};
use ::support::{CloseReason, RecordingDaemon, TrayHost};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tidings_api::{ErrorView, Reply, Request, Status};
use tidings_server::{Action, Kind, Publish, Server};

/// A bus of its own, and what is on it.
pub struct Desk {
    pub place: Place,
    pub address: String,
    pub server: Server,
    /// What the window's command was started with.
    windows: PathBuf,
    _bus: Staying,
}

impl Desk {
    pub async fn new() -> Self {
        let place = Place::new();
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .map(Staying)
            .expect("dbus-daemon is installed: cargo xtask setup");
        let mut address = String::new();
        let out = bus.0.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut address).unwrap();
        let windows = place.folder().join("windows");
        let script = place.folder().join("window");
        let text = format!(
            "#!/bin/sh\necho \"$4 $XDG_ACTIVATION_TOKEN\" >> {}\n",
            windows.display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            address: address.trim().to_owned(),
            server: server().await,
            windows,
            place,
            _bus: bus,
        }
    }

    pub async fn resident(&self, how: &str) -> Staying {
        self.resident_with(how, &[]).await
    }

    /// With these variables in its environment.
    pub async fn resident_with(&self, how: &str, environment: &[(&str, &str)]) -> Staying {
        let mut command = self.place.command(&[how]);
        command.envs(environment.iter().copied());
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("TIDINGS_WINDOW", self.place.folder().join("window"));
        let resident = self.place.start_command(command).await;
        let url = self.server.url();
        self.place
            .run(&["account", "add", &url, "--topic", "t", "--name", "home"])
            .ok();
        self.wait(|status| status.connections[0].state == tidings_api::ConnectionState::Live)
            .await;
        resident
    }

    pub async fn status(&self) -> Status {
        match self.place.client().await.call(Request::Status).await {
            Ok(Reply::Status(status)) => status,
            other => panic!("{other:?}"),
        }
    }

    pub async fn wait(&self, holds: impl Fn(&Status) -> bool) {
        let waiting = async {
            while !holds(&self.status().await) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(LIMIT, waiting).await;
        assert!(waited.is_ok(), "{:?}", self.status().await);
    }

    async fn publish(&self, text: &str) {
        self.server.publish(Publish::new("t", text)).await.unwrap();
    }

    async fn window_started(&self, line: &str) {
        let waiting = async {
            loop {
                let text = std::fs::read_to_string(&self.windows).unwrap_or_default();
                if text.lines().any(|known| known == line) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(LIMIT, waiting).await;
        assert!(
            waited.is_ok(),
            "{:?}",
            std::fs::read_to_string(&self.windows)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toast_is_shown_edited_in_place_answered_and_withdrawn() {
    let desk = Desk::new().await;
    let daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    let mut resident = desk.resident("daemon").await;
    let mut publish = Publish::new("t", "a <b> & \"c\"");
    publish.title = "Title <i>".to_owned();
    publish.priority = 5;
    publish.sequence_id = Some("s1".to_owned());
    publish.actions = vec![Action {
        action: "view".to_owned(),
        label: "Camera".to_owned(),
        url: "https://example.com/".to_owned(),
        ..Action::default()
    }];
    desk.server.publish(publish.clone()).await.unwrap();
    let toast = daemon
        .wait_for(LIMIT, |toast| toast.replaces == 0)
        .await
        .unwrap();
    assert_eq!(toast.application, "Tidings");
    assert!(toast.summary.contains("Title <i>"), "{}", toast.summary);
    assert_eq!(toast.body, "a &lt;b&gt; &amp; &quot;c&quot;");
    assert_eq!((toast.urgency(), toast.timeout), (Some(2), 0));
    assert_eq!(toast.text_hint("desktop-entry"), Some("tidings"));
    assert!(toast.action("Open").is_some() && toast.action("Camera").is_some());
    // A newer version: the same toast, silently.
    publish.message = "now less".to_owned();
    desk.server.publish(publish).await.unwrap();
    let edited = daemon
        .wait_for(LIMIT, |toast| toast.body == "now less")
        .await
        .unwrap();
    assert_eq!((edited.replaces, edited.id), (toast.id, toast.id));
    assert_eq!(edited.flag_hint("suppress-sound"), Some(true));
    // The click brings up exactly this one, with the desktop's token.
    daemon
        .choose(toast.id, "default", Some("token-1"))
        .await
        .unwrap();
    let id = desk.status().await.latest[0].id;
    desk.window_started(&format!(
        "{{\"show\":\"notification\",\"id\":{id}}} token-1"
    ))
    .await;
    // Seen, so it leaves the screen.
    daemon.wait_for_close(LIMIT, toast.id).await.unwrap();
    desk.publish("another").await;
    let another = daemon
        .wait_for(LIMIT, |toast| toast.body == "another")
        .await
        .unwrap();
    assert_eq!(another.sender, toast.sender, "one connection for all");
    let open = another.action("Open").unwrap();
    daemon.choose(another.id, open, None).await.unwrap();
    let id = desk.status().await.latest[0].id;
    desk.window_started(&format!("{{\"show\":\"notification\",\"id\":{id}}} "))
        .await;
    assert_eq!(resident.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_elsewhere_leaves_the_screen() {
    let desk = Desk::new().await;
    let daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    daemon.set_capabilities(&["body"]);
    let mut resident = desk.resident("daemon").await;
    let mut publish = Publish::new("t", "a <b>");
    publish.sequence_id = Some("s1".to_owned());
    desk.server.publish(publish).await.unwrap();
    let toast = daemon.wait_for(LIMIT, |_| true).await.unwrap();
    assert_eq!(toast.body, "a <b>", "no markup, no escaping");
    assert!(toast.actions.is_empty(), "no buttons where there are none");
    desk.server
        .tell(Kind::MessageClear, "t", "s1")
        .await
        .unwrap();
    daemon.wait_for_close(LIMIT, toast.id).await.unwrap();
    desk.publish("second").await;
    let second = daemon
        .wait_for(LIMIT, |toast| toast.body == "second")
        .await
        .unwrap();
    let id = desk.status().await.latest[0].id.to_string();
    desk.place.run(&["read", &id]).ok();
    daemon.wait_for_close(LIMIT, second.id).await.unwrap();
    assert_eq!(resident.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_hangs_dies_or_comes_late_never_stops_receiving() {
    let desk = Desk::new().await;
    let mut resident = desk.resident("daemon").await;
    desk.publish("before there was a daemon").await;
    desk.wait(|status| status.counts.unread == 1).await;
    let daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    desk.publish("with a daemon").await;
    let toast = daemon
        .wait_for(LIMIT, |toast| toast.body.contains("with a daemon"))
        .await
        .unwrap();
    daemon.hang(true);
    for at in 0..3 {
        desk.publish(&format!("while it hangs {at}")).await;
    }
    desk.wait(|status| status.counts.unread == 5).await;
    daemon.crash().await.unwrap();
    daemon.hang(false);
    let old: Vec<_> = daemon.toasts().iter().map(|toast| toast.id).collect();
    desk.publish("while it is gone").await;
    desk.wait(|status| status.counts.unread == 6).await;
    daemon.come_back().await.unwrap();
    daemon.forget_calls();
    desk.publish("after it came back").await;
    let after = daemon
        .wait_for(LIMIT, |toast| toast.body.contains("after it came back"))
        .await
        .unwrap();
    assert!(
        !old.contains(&after.replaces),
        "an old id is used: {after:?}"
    );
    // The old daemon's id says nothing any more.
    daemon
        .close(toast.id, CloseReason::Dismissed)
        .await
        .unwrap();
    assert_eq!(resident.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_shows_counts_and_does_what_is_chosen() {
    let desk = Desk::new().await;
    let host = TrayHost::start(&desk.address).await.unwrap();
    let mut resident = desk.resident("--hidden").await;
    let item = host.wait_for_item(LIMIT, "tidings").await.unwrap();
    assert!(
        !std::fs::exists(&desk.windows).unwrap(),
        "no window was asked for"
    );
    let idle = item.icon_pixmaps().await.unwrap();
    assert!(idle.len() >= 4);
    desk.publish("first").await;
    shown(&item, "1 unread").await;
    let unread = item.icon_pixmaps().await.unwrap();
    assert_ne!(format!("{idle:?}"), format!("{unread:?}"));
    item.activate().await.unwrap();
    desk.window_started("{\"show\":\"inbox\"} ").await;
    item.choose("1 hour").await.unwrap();
    desk.wait(|status| status.pause.is_some_and(|pause| pause.critical_rings))
        .await;
    shown(&item, "1 unread · paused until").await;
    item.choose("Resume").await.unwrap();
    desk.wait(|status| status.pause.is_none()).await;
    shown(&item, "Connected · 1 unread").await;
    item.secondary_activate().await.unwrap();
    desk.wait(|status| status.pause.is_some()).await;
    shown(&item, "1 unread · paused until").await;
    item.secondary_activate().await.unwrap();
    desk.wait(|status| status.pause.is_none()).await;
    item.choose("Mark all read").await.unwrap();
    desk.wait(|status| status.counts.unread == 0).await;
    host.disappear().await.unwrap();
    desk.publish("without a host").await;
    desk.wait(|status| status.counts.unread == 1).await;
    host.come_back().await.unwrap();
    let item = host.wait_for_item(LIMIT, "tidings").await.unwrap();
    shown(&item, "1 unread").await;
    item.choose("Settings…").await.unwrap();
    desk.window_started("{\"show\":\"settings\"} ").await;
    item.choose("Quit").await.unwrap();
    assert_eq!(resident.end(false).await, Some(0));
}

/// Waits until the first line of the tray's tooltip ends with these words; a time may follow "until".
async fn shown(item: &::support::TrayItem, words: &str) {
    let waiting = async {
        loop {
            let tip = item.tool_tip().await.unwrap();
            let line = tip.text.lines().next().unwrap_or_default();
            if line.ends_with(words) || (words.ends_with("until") && line.contains(words)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(LIMIT, waiting).await;
    assert!(waited.is_ok(), "{words}: {:?}", item.tool_tip().await);
}

/// What logind says when the machine wakes (org.freedesktop.login1.Manager, `PrepareForSleep`).
#[tokio::test(flavor = "multi_thread")]
async fn waking_up_connects_anew_at_once() {
    let desk = Desk::new().await;
    let system = ("DBUS_SYSTEM_BUS_ADDRESS", desk.address.as_str());
    let mut resident = desk.resident_with("daemon", &[system]).await;
    let since = desk.status().await.connections[0].since;
    let logind = zbus::connection::Builder::address(desk.address.as_str())
        .unwrap()
        .build()
        .await
        .unwrap();
    let say = async |sleeping: bool| {
        let path = "/org/freedesktop/login1";
        let manager = "org.freedesktop.login1.Manager";
        logind
            .emit_signal(None::<&str>, path, manager, "PrepareForSleep", &sleeping)
            .await
            .unwrap();
    };
    // It falls asleep: nothing happens yet. It wakes: the connection is another one.
    say(true).await;
    desk.publish("before it slept").await;
    desk.wait(|status| status.counts.all == 1).await;
    assert_eq!(desk.status().await.connections[0].since, since);
    say(false).await;
    desk.wait(|status| {
        let one = &status.connections[0];
        one.state == tidings_api::ConnectionState::Live && one.since > since
    })
    .await;
    desk.publish("after it woke").await;
    desk.wait(|status| status.counts.all == 2).await;
    assert_eq!(resident.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_at_login_is_an_entry_of_the_desktop() {
    let desk = Desk::new().await;
    let mut resident = desk.resident("daemon").await;
    let client = desk.place.client().await;
    let settings = async || -> Result<_, ErrorView> {
        match client.call(Request::Settings).await.unwrap() {
            Reply::Settings(settings) => Ok(settings),
            other => panic!("{other:?}"),
        }
    };
    let mut wanted = settings().await.unwrap();
    assert!(!wanted.start_at_login);
    wanted.start_at_login = true;
    client.call(Request::SettingsSet(wanted)).await.unwrap();
    let folder = desk.place.folder().join(".config/autostart");
    let entries: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    let text = std::fs::read_to_string(entries[0].path()).unwrap();
    assert!(text.contains(" --hidden"), "{text}");
    // Removed elsewhere, as a desktop's own settings do.
    std::fs::remove_file(entries[0].path()).unwrap();
    assert!(!settings().await.unwrap().start_at_login);
    assert_eq!(resident.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clicked_link_opens_the_form_and_asks_its_server_nothing() {
    let desk = Desk::new().await;
    let mut resident = desk.resident("daemon").await;
    let host = desk.server.url().replace("http://", "");
    let link = format!("ntfy://{}/other?secure=false", host.trim_end_matches('/'));
    desk.place.command(&[&link]).output().unwrap();
    desk.window_started(&format!("{{\"show\":\"add_account\",\"url\":\"{link}\"}} "))
        .await;
    let accounts = desk.place.run(&["account", "list", "--json"]).ok();
    assert!(!accounts.out.contains("other"), "{}", accounts.out);
    assert_eq!(resident.end(true).await, Some(0));
}
