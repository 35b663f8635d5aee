//! The tray, as a StatusNotifierItem. It only shows and tells: what the user chose is a [`Wish`].

mod icon;
mod picture;

pub use icon::Shape;
pub use picture::Picture;

use super::clock::{SystemClock, pause};
use ksni::menu::{CheckmarkItem, StandardItem, SubMenu};
use ksni::{MenuItem, OfflineReason, TrayMethods as _};
use std::time::Duration;
use tidings_api::{NotificationId, PauseChange, Request, Target};
use tidings_core::ports::Clock as _;
use tokio::sync::{mpsc, watch};

/// What the user wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// See a window.
    Open(Target, Option<String>),
    /// Have something done.
    Do(Box<Request>),
    /// Mark everything read.
    ReadAll,
    /// End the resident.
    Quit,
}

/// A tray host may take this long to come up with the session before its absence is told.
const PATIENCE: Duration = Duration::from_secs(15);
/// Where there is no bus, it is looked for this often.
const AGAIN: Duration = Duration::from_mins(1);

struct Item {
    picture: Picture,
    critical_rings: bool,
    wishes: mpsc::UnboundedSender<Wish>,
    host: watch::Sender<bool>,
}

impl Item {
    fn wish(&self, wish: Wish) {
        // Nobody listens any more only while everything stops.
        drop(self.wishes.send(wish));
    }

    /// Opens a window on behalf of the click that is being handled.
    fn open(&self, target: Target) {
        match ksni::current_xdg_activation_token() {
            Some(token) => self.wish(Wish::Open(target, Some(token))),
            None => self.wish(Wish::Open(target, None)),
        }
    }

    fn mute(&self, change: PauseChange) {
        self.wish(Wish::Do(Box::new(Request::Pause(change))));
    }

    fn pause_menu(&self) -> MenuItem<Self> {
        let critical_rings = self.critical_rings;
        let length = |label: &str, minutes: u32| {
            item(label, move |tray: &mut Self| {
                tray.mute(PauseChange::For {
                    minutes,
                    critical_rings,
                });
            })
        };
        SubMenu {
            label: "Pause".to_owned(),
            submenu: vec![
                length("30 minutes", 30),
                length("1 hour", 60),
                length("2 hours", 120),
                item("Until tomorrow", move |tray: &mut Self| {
                    tray.mute(PauseChange::UntilTomorrow { critical_rings });
                }),
                item("Until I resume", move |tray: &mut Self| {
                    tray.mute(PauseChange::UntilResumed { critical_rings });
                }),
                MenuItem::Separator,
                CheckmarkItem {
                    label: "Critical may ring".to_owned(),
                    checked: critical_rings,
                    activate: Box::new(|tray: &mut Self| {
                        tray.critical_rings = !tray.critical_rings;
                    }),
                    ..CheckmarkItem::default()
                }
                .into(),
            ],
            ..SubMenu::default()
        }
        .into()
    }
}

/// A label as it is: in menus an underscore marks the next letter as the access key.
fn plain(label: &str) -> String {
    label.replace('_', "__")
}

fn item(label: &str, activate: impl Fn(&mut Item) + Send + 'static) -> MenuItem<Item> {
    StandardItem {
        label: plain(label),
        activate: Box::new(activate),
        ..StandardItem::default()
    }
    .into()
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "tidings".to_owned()
    }

    fn title(&self) -> String {
        self.picture.title.clone()
    }

    fn category(&self) -> ksni::Category {
        ksni::Category::Communications
    }

    fn status(&self) -> ksni::Status {
        if self.picture.shape == Shape::Critical {
            ksni::Status::NeedsAttention
        } else {
            ksni::Status::Active
        }
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        icon::draw(self.picture.shape)
    }

    fn attention_icon_pixmap(&self) -> Vec<ksni::Icon> {
        icon::draw(Shape::Critical)
    }

    fn tool_tip(&self) -> ksni::ToolTip {
        let mut lines = vec![self.picture.line.clone()];
        lines.extend(self.picture.problems.iter().cloned());
        ksni::ToolTip {
            title: self.picture.title.clone(),
            // Hosts read it as markup.
            description: lines
                .join("\n")
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;"),
            ..ksni::ToolTip::default()
        }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.open(Target::Inbox);
    }

    fn secondary_activate(&mut self, _x: i32, _y: i32) {
        self.mute(if self.picture.pause.is_some() {
            PauseChange::Off
        } else {
            PauseChange::For {
                minutes: 60,
                critical_rings: self.critical_rings,
            }
        });
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let mut menu = vec![
            StandardItem {
                label: plain(&self.picture.line),
                enabled: false,
                ..StandardItem::default()
            }
            .into(),
            MenuItem::Separator,
            item("Open inbox", |tray| tray.open(Target::Inbox)),
        ];
        for (id, title) in &self.picture.latest {
            let id: NotificationId = *id;
            menu.push(item(title, move |tray| {
                tray.open(Target::Notification { id });
            }));
        }
        menu.push(MenuItem::Separator);
        menu.push(
            StandardItem {
                label: "Mark all read".to_owned(),
                enabled: self.picture.unread,
                activate: Box::new(|tray: &mut Self| tray.wish(Wish::ReadAll)),
                ..StandardItem::default()
            }
            .into(),
        );
        menu.push(self.pause_menu());
        if self.picture.pause.is_some() {
            menu.push(item("Resume", |tray| tray.mute(PauseChange::Off)));
        }
        menu.push(item("Reconnect now", |tray| {
            tray.wish(Wish::Do(Box::new(Request::Reconnect { account: None })));
        }));
        menu.push(MenuItem::Separator);
        menu.push(item("Settings…", |tray| tray.open(Target::Settings)));
        menu.push(item("Quit", |tray| tray.wish(Wish::Quit)));
        menu
    }

    fn watcher_online(&self) {
        self.host.send_replace(true);
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        tracing::info!(?reason, "no tray host");
        self.host.send_replace(false);
        true
    }
}

/// Shows the tray and keeps it in step with `pictures`, for ever. `hostless` is told whether a host is
/// missing, whenever that changes.
pub async fn run(
    mut pictures: watch::Receiver<Picture>,
    wishes: mpsc::UnboundedSender<Wish>,
    hostless: impl Fn(bool),
) {
    let (host, mut hosts) = watch::channel(true);
    let handle = loop {
        let item = Item {
            picture: pictures.borrow_and_update().clone(),
            critical_rings: true,
            wishes: wishes.clone(),
            host: host.clone(),
        };
        match item.assume_sni_available(true).spawn().await {
            Ok(handle) => break handle,
            Err(error) => {
                tracing::info!(%error, "no tray");
                hostless(true);
                pause(AGAIN).await;
            }
        }
    };
    let mut told = false;
    let mut missing_since = None;
    loop {
        let missing = !*hosts.borrow_and_update();
        let now = SystemClock.awake();
        let since = *missing_since.get_or_insert(now);
        if !missing {
            missing_since = None;
        }
        let patience = (since + PATIENCE).saturating_sub(now);
        tokio::select! {
            changed = pictures.changed() => {
                if changed.is_err() {
                    handle.shutdown().await;
                    return;
                }
                let picture = pictures.borrow_and_update().clone();
                handle.update(|item| item.picture = picture).await;
            }
            changed = hosts.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = pause(patience), if missing && !told => {
                hostless(true);
                told = true;
                continue;
            }
        }
        if told && *hosts.borrow() {
            hostless(false);
            told = false;
        }
    }
}

/// Whether a tray host is there just now.
pub async fn has_host() -> bool {
    match super::bus::session().await {
        Some(bus) => super::bus::has_owner(&bus, "org.kde.StatusNotifierWatcher").await,
        None => false,
    }
}
