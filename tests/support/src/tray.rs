//! A place for tray icons: the watcher and host of the `StatusNotifierItem` specification, and a
//! reader of `com.canonical.dbusmenu`, without a panel to draw them in.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::StreamExt;
use tokio::{sync::watch, task::JoinHandle};
use zbus::{
    Connection, Proxy, connection,
    fdo::DBusProxy,
    interface,
    message::Header,
    object_server::SignalEmitter,
    zvariant::{OwnedValue, Structure, Value},
};

use crate::{Result, desktop::connect};

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const ITEM_PATH: &str = "/StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// Who registered: the bus name and the path of the item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Registration {
    name: String,
    path: String,
}

impl Registration {
    /// As in `RegisteredStatusNotifierItems`.
    fn address(&self) -> String {
        format!("{}{}", self.name, self.path)
    }
}

#[derive(Debug, Default)]
struct Shared {
    items: Mutex<Vec<Registration>>,
    /// Sends on every change of `items`.
    changed: watch::Sender<()>,
}

impl Shared {
    fn items(&self) -> MutexGuard<'_, Vec<Registration>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watcher on the bus, and the host that looks at its items.
#[derive(Debug)]
pub struct TrayHost {
    address: String,
    /// The host's own connection: it stays when the watcher goes.
    bus: Connection,
    shared: Arc<Shared>,
    watcher: tokio::sync::Mutex<Option<(Connection, JoinHandle<()>)>>,
}

impl TrayHost {
    /// Starts the host on the bus at `address`.
    ///
    /// # Errors
    /// The bus doesn't answer, or another watcher is on it.
    pub async fn start(address: &str) -> Result<Self> {
        let host = Self {
            address: address.to_owned(),
            bus: connect(address).await?,
            shared: Arc::default(),
            watcher: tokio::sync::Mutex::new(None),
        };
        host.come_back().await?;
        Ok(host)
    }

    /// Leaves the bus, as a panel that crashes or an extension that is turned off.
    ///
    /// # Errors
    /// The bus doesn't answer.
    pub async fn disappear(&self) -> Result<()> {
        if let Some((connection, watch)) = self.watcher.lock().await.take() {
            watch.abort();
            connection.close().await?;
        }
        self.shared.items().clear();
        self.shared.changed.send_replace(());
        Ok(())
    }

    /// Comes back after [`TrayHost::disappear`], knowing no item: they have to register again.
    ///
    /// # Errors
    /// The bus doesn't answer, or another watcher is on it.
    pub async fn come_back(&self) -> Result<()> {
        let mut watcher = self.watcher.lock().await;
        if watcher.is_none() {
            let connection = connection::Builder::address(self.address.as_str())?
                .serve_at(WATCHER_PATH, Watcher(Arc::clone(&self.shared)))?
                .name(WATCHER)?
                .build()
                .await?;
            let watch = tokio::spawn(forget_the_gone(
                connection.clone(),
                Arc::clone(&self.shared),
            ));
            *watcher = Some((connection, watch));
        }
        Ok(())
    }

    /// How many items are registered.
    pub fn len(&self) -> usize {
        self.shared.items().len()
    }

    /// Whether no item is registered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items that are registered now, in the order of their coming.
    pub fn items(&self) -> Vec<TrayItem> {
        let items = self.shared.items().clone();
        items
            .into_iter()
            .map(|registration| TrayItem {
                bus: self.bus.clone(),
                registration,
            })
            .collect()
    }

    /// Waits for an item whose `Id` is `id`.
    ///
    /// # Errors
    /// The time is over.
    pub async fn wait_for_item(&self, limit: Duration, id: &str) -> Result<TrayItem> {
        let mut changed = self.shared.changed.subscribe();
        let found = tokio::time::timeout(limit, async {
            loop {
                for item in self.items() {
                    // An item that goes while it is read is none that was waited for.
                    if item.id().await.is_ok_and(|found| found == id) {
                        return Some(item);
                    }
                }
                changed.changed().await.ok()?;
            }
        })
        .await;
        found
            .ok()
            .flatten()
            .ok_or_else(|| format!("no tray item {id:?} within {limit:?}").into())
    }

    /// Waits until no item is left.
    ///
    /// # Errors
    /// The time is over.
    pub async fn wait_for_none(&self, limit: Duration) -> Result<()> {
        let mut changed = self.shared.changed.subscribe();
        let empty = async {
            while !self.is_empty() {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, empty)
            .await
            .map_err(|_| format!("there is still a tray item after {limit:?}").into())
    }
}

impl Drop for TrayHost {
    fn drop(&mut self) {
        if let Some((_, watch)) = self.watcher.get_mut() {
            watch.abort();
        }
    }
}

/// Removes items whose owner left the bus.
async fn forget_the_gone(connection: Connection, shared: Arc<Shared>) {
    let Ok(daemon) = DBusProxy::new(&connection).await else {
        return;
    };
    let Ok(mut changes) = daemon.receive_name_owner_changed().await else {
        return;
    };
    while let Some(change) = changes.next().await {
        let Ok(change) = change.args() else { continue };
        if change.new_owner.is_some() {
            continue;
        }
        let name = change.name.to_string();
        let gone: Vec<Registration> = {
            let mut items = shared.items();
            items.extract_if(.., |item| item.name == name).collect()
        };
        for item in gone {
            shared.changed.send_replace(());
            let signal = "StatusNotifierItemUnregistered";
            // Nobody may be left to hear it.
            let _ = connection
                .emit_signal(None::<&str>, WATCHER_PATH, WATCHER, signal, &item.address())
                .await;
        }
    }
}

/// The watcher's object on the bus.
struct Watcher(Arc<Shared>);

#[expect(
    clippy::unused_self,
    reason = "properties that never change are methods all the same"
)]
#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        service: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // Some send a bus name, some the path of their item.
        let item = if service.starts_with('/') {
            Registration {
                name: sender,
                path: service,
            }
        } else {
            Registration {
                name: service,
                path: ITEM_PATH.to_owned(),
            }
        };
        {
            let mut items = self.0.items();
            if !items.contains(&item) {
                items.push(item.clone());
            }
        }
        self.0.changed.send_replace(());
        Self::status_notifier_item_registered(&emitter, &item.address()).await?;
        Ok(())
    }

    async fn register_status_notifier_host(
        &self,
        service: String,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        // Which host it is matters to nobody: that there is one is always true here.
        drop(service);
        Self::status_notifier_host_registered(&emitter).await?;
        Ok(())
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.items().iter().map(Registration::address).collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(
        emitter: &SignalEmitter<'_>,
        service: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_item_unregistered(
        emitter: &SignalEmitter<'_>,
        service: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

/// One icon of the tray.
#[derive(Debug, Clone)]
pub struct TrayItem {
    bus: Connection,
    registration: Registration,
}

/// An icon as it goes over the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixmap {
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// Four bytes a pixel, row by row: alpha, red, green, blue.
    pub argb: Vec<u8>,
}

/// What is shown when the pointer rests on the icon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolTip {
    /// The first line.
    pub title: String,
    /// The text below it, with markup as sent.
    pub text: String,
}

/// An entry of a menu, with those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// The id on the bus; 0 is the menu itself.
    pub id: i32,
    /// The label as shown, without the mark of its mnemonic.
    pub label: String,
    /// Whether it can be chosen.
    pub enabled: bool,
    /// Whether it is shown.
    pub visible: bool,
    /// Whether it is a line between groups.
    pub separator: bool,
    /// For a check mark or radio button, whether it is set.
    pub checked: Option<bool>,
    /// The submenu.
    pub children: Vec<MenuItem>,
}

impl MenuItem {
    /// The first visible entry with this label, at any depth.
    pub fn find(&self, label: &str) -> Option<&Self> {
        self.children.iter().find_map(|child| {
            if child.visible && child.label == label {
                Some(child)
            } else {
                child.find(label)
            }
        })
    }

    /// The menu as indented text, as a user would read it.
    pub fn outline(&self) -> String {
        let mut text = String::new();
        self.write_outline(0, &mut text);
        text
    }

    fn write_outline(&self, depth: usize, text: &mut String) {
        for child in self.children.iter().filter(|child| child.visible) {
            let mark = match child.checked {
                Some(true) => "[x] ",
                Some(false) => "[ ] ",
                None => "",
            };
            let label = if child.separator { "---" } else { &child.label };
            let off = if child.enabled || child.separator {
                ""
            } else {
                " (off)"
            };
            let _ = writeln!(text, "{:1$}{mark}{label}{off}", "", depth * 2);
            child.write_outline(depth + 1, text);
        }
    }
}

/// A node of `GetLayout`: id, properties, children as variants of the same shape.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl TrayItem {
    async fn proxy(&self) -> Result<Proxy<'static>> {
        let Registration { name, path } = self.registration.clone();
        Ok(zbus::proxy::Builder::new(&self.bus)
            .destination(name)?
            .path(path)?
            .interface(ITEM)?
            // Values are asked for anew, so that a test sees what is true now.
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await?)
    }

    async fn text(&self, property: &str) -> Result<String> {
        Ok(self.proxy().await?.get_property(property).await?)
    }

    /// The property `Id`: the application's own name for the item.
    ///
    /// # Errors
    /// The item is gone or doesn't say.
    pub async fn id(&self) -> Result<String> {
        self.text("Id").await
    }

    /// The property `Title`.
    ///
    /// # Errors
    /// The item is gone or doesn't say.
    pub async fn title(&self) -> Result<String> {
        self.text("Title").await
    }

    /// The property `Status`: `Passive`, `Active` or `NeedsAttention`.
    ///
    /// # Errors
    /// The item is gone or doesn't say.
    pub async fn status(&self) -> Result<String> {
        self.text("Status").await
    }

    /// The property `IconName`, empty if there is none.
    ///
    /// # Errors
    /// The item is gone or doesn't say.
    pub async fn icon_name(&self) -> Result<String> {
        self.text("IconName").await
    }

    /// The property `IconPixmap`, one for each size.
    ///
    /// # Errors
    /// The item is gone or doesn't say.
    pub async fn icon_pixmaps(&self) -> Result<Vec<Pixmap>> {
        let pixmaps: Vec<(i32, i32, Vec<u8>)> =
            self.proxy().await?.get_property("IconPixmap").await?;
        let pixmaps = pixmaps.into_iter().map(|(width, height, argb)| Pixmap {
            width,
            height,
            argb,
        });
        Ok(pixmaps.collect())
    }

    /// The property `ToolTip`.
    ///
    /// # Errors
    /// The item is gone or doesn't say.
    pub async fn tool_tip(&self) -> Result<ToolTip> {
        type OnTheBus = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        let (_, _, title, text): OnTheBus = self.proxy().await?.get_property("ToolTip").await?;
        Ok(ToolTip { title, text })
    }

    /// A left click.
    ///
    /// # Errors
    /// The item is gone or refuses.
    pub async fn activate(&self) -> Result<()> {
        Ok(self.proxy().await?.call("Activate", &(0, 0)).await?)
    }

    /// A middle click.
    ///
    /// # Errors
    /// The item is gone or refuses.
    pub async fn secondary_activate(&self) -> Result<()> {
        let proxy = self.proxy().await?;
        Ok(proxy.call("SecondaryActivate", &(0, 0)).await?)
    }

    async fn menu_proxy(&self) -> Result<Proxy<'static>> {
        let path: zbus::zvariant::OwnedObjectPath =
            self.proxy().await?.get_property("Menu").await?;
        Ok(Proxy::new_owned(self.bus.clone(), self.registration.name.clone(), path, MENU).await?)
    }

    /// The whole menu, as a host reads it before showing it.
    ///
    /// # Errors
    /// The item is gone, has no menu, or one that can't be read.
    pub async fn menu(&self) -> Result<MenuItem> {
        let menu = self.menu_proxy().await?;
        let _: bool = menu.call("AboutToShow", &(0,)).await?;
        let everything: (i32, i32, &[&str]) = (0, -1, &[]);
        let (_, root): (u32, Layout) = menu.call("GetLayout", &everything).await?;
        read_menu(root)
    }

    /// Chooses the entry with this label, at any depth.
    ///
    /// # Errors
    /// There is no such entry, or it can't be chosen; the message shows the menu.
    pub async fn choose(&self, label: &str) -> Result<()> {
        let menu = self.menu().await?;
        let entry = menu
            .find(label)
            .filter(|entry| entry.enabled)
            .ok_or_else(|| format!("{label:?} can't be chosen in:\n{}", menu.outline()))?;
        let click = (entry.id, "clicked", Value::from(0_i32), 0_u32);
        Ok(self.menu_proxy().await?.call("Event", &click).await?)
    }
}

fn read_menu((id, properties, children): Layout) -> Result<MenuItem> {
    let text = |name: &str| match properties.get(name).map(|value| &**value) {
        Some(Value::Str(text)) => Some(text.to_string()),
        _ => None,
    };
    // Both are true unless the item says otherwise (dbusmenu's table of defaults).
    let flag = |name: &str| !matches!(properties.get(name).map(|v| &**v), Some(Value::Bool(false)));
    let toggles = text("toggle-type").is_some_and(|kind| !kind.is_empty());
    let state = match properties.get("toggle-state").map(|value| &**value) {
        Some(Value::I32(state)) => *state,
        _ => -1,
    };
    let children = children
        .into_iter()
        .map(|child| read_menu(Layout::try_from(Structure::try_from(child)?)?))
        .collect::<Result<_>>()?;
    Ok(MenuItem {
        id,
        label: text("label")
            .map(|label| without_mnemonic(&label))
            .unwrap_or_default(),
        enabled: flag("enabled"),
        visible: flag("visible"),
        separator: text("type").as_deref() == Some("separator"),
        checked: toggles.then_some(state == 1),
        children,
    })
}

/// One underscore marks the next letter as the mnemonic, two of them are an underscore.
fn without_mnemonic(label: &str) -> String {
    let mut shown = String::new();
    let mut letters = label.chars();
    while let Some(letter) = letters.next() {
        if letter == '_' {
            shown.extend(letters.next());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::without_mnemonic;

    #[test]
    fn mnemonics_are_not_shown() {
        assert_eq!(without_mnemonic("_Open inbox"), "Open inbox");
        assert_eq!(without_mnemonic("snake__case"), "snake_case");
        assert_eq!(without_mnemonic("end_"), "end");
    }
}
