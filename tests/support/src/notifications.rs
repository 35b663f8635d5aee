//! A notification daemon that draws nothing, remembers everything and misbehaves when told to.
//!
//! Desktop Notifications Specification 1.2, with `ActivationToken` of 1.3.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use zbus::{
    Connection, connection, interface,
    message::Header,
    zvariant::{OwnedValue, Value},
};

use crate::Result;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// What a full-grown daemon, such as that of GNOME or KDE, can do.
const CAPABILITIES: [&str; 6] = [
    "actions",
    "body",
    "body-hyperlinks",
    "body-markup",
    "icon-static",
    "persistence",
];

/// One call of `Notify`: what the application asked to be shown.
#[derive(Debug, Clone)]
pub struct Toast {
    /// The id that the daemon answered.
    pub id: u32,
    /// The id of the toast that this one replaces; 0 for none.
    pub replaces: u32,
    /// Name of the application.
    pub application: String,
    /// Name or path of the icon.
    pub icon: String,
    /// The first line.
    pub summary: String,
    /// The text below it, with markup as sent.
    pub body: String,
    /// Key and label of each action, in their order.
    pub actions: Vec<(String, String)>,
    /// The hints by name.
    pub hints: HashMap<String, OwnedValue>,
    /// Milliseconds on screen; −1 leaves it to the daemon, 0 means until dismissed.
    pub timeout: i32,
    /// The unique bus name of the sender.
    pub sender: String,
    /// When the call came in.
    pub at: Instant,
}

impl Toast {
    /// The hint `urgency`: 0 low, 1 normal, 2 critical.
    pub fn urgency(&self) -> Option<u8> {
        self.hints
            .get("urgency")
            .and_then(|value| u8::try_from(value).ok())
    }

    /// A hint that is text.
    pub fn text_hint(&self, name: &str) -> Option<&str> {
        match &**self.hints.get(name)? {
            Value::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// A hint that is yes or no.
    pub fn flag_hint(&self, name: &str) -> Option<bool> {
        match &**self.hints.get(name)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The key of the action with this label.
    pub fn action(&self, label: &str) -> Option<&str> {
        let found = self.actions.iter().find(|(_, shown)| shown == label);
        found.map(|(key, _)| key.as_str())
    }
}

/// A call that the daemon took.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all calls are the large ones"
)]
pub enum Call {
    /// `Notify`.
    Notify(Toast),
    /// `CloseNotification`.
    Close {
        /// The toast to close.
        id: u32,
        /// When the call came in.
        at: Instant,
    },
}

/// Why a toast went away, as in the signal `NotificationClosed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum CloseReason {
    /// Its time was over.
    Expired = 1,
    /// The user dismissed it.
    Dismissed = 2,
    /// `CloseNotification` was called.
    Closed = 3,
    /// Reserved by the specification; some daemons send it.
    Undefined = 4,
}

#[derive(Debug)]
struct Record {
    capabilities: Vec<String>,
    last_id: u32,
    calls: Vec<Call>,
    open: BTreeMap<u32, Toast>,
}

#[derive(Debug)]
struct Shared {
    record: Mutex<Record>,
    /// Sends on every call.
    called: watch::Sender<()>,
    hanging: watch::Sender<bool>,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the daemon doesn't hang, or never if the test is over before.
    async fn answer(&self) {
        let _ = self.hanging.subscribe().wait_for(|hanging| !hanging).await;
    }
}

/// The daemon on the bus. Dropping it leaves the bus.
#[derive(Debug)]
pub struct RecordingDaemon {
    address: String,
    shared: Arc<Shared>,
    connection: tokio::sync::Mutex<Option<Connection>>,
}

impl RecordingDaemon {
    /// Starts the daemon on the bus at `address`.
    ///
    /// # Errors
    /// The bus doesn't answer, or another daemon is on it.
    pub async fn start(address: &str) -> Result<Self> {
        let shared = Arc::new(Shared {
            record: Mutex::new(Record {
                capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
                last_id: 0,
                calls: Vec::new(),
                open: BTreeMap::new(),
            }),
            called: watch::Sender::new(()),
            hanging: watch::Sender::new(false),
        });
        let daemon = Self {
            address: address.to_owned(),
            shared,
            connection: tokio::sync::Mutex::new(None),
        };
        daemon.come_back().await?;
        Ok(daemon)
    }

    /// What `GetCapabilities` answers from now on.
    pub fn set_capabilities(&self, capabilities: &[&str]) {
        self.shared.record().capabilities =
            capabilities.iter().map(|name| (*name).to_owned()).collect();
    }

    /// While `true`, calls are taken and recorded, but not answered.
    pub fn hang(&self, hanging: bool) {
        self.shared.hanging.send_replace(hanging);
    }

    /// Leaves the bus at once, with all toasts, as a crash does.
    ///
    /// # Errors
    /// The bus doesn't answer.
    pub async fn crash(&self) -> Result<()> {
        if let Some(connection) = self.connection.lock().await.take() {
            connection.close().await?;
        }
        self.shared.record().open.clear();
        Ok(())
    }

    /// Comes back onto the bus after a crash, with what it recorded but without toasts.
    ///
    /// # Errors
    /// The bus doesn't answer, or another daemon is on it.
    pub async fn come_back(&self) -> Result<()> {
        let mut connection = self.connection.lock().await;
        if connection.is_none() {
            *connection = Some(
                connection::Builder::address(self.address.as_str())?
                    .serve_at(PATH, Bus(Arc::clone(&self.shared)))?
                    .name(NAME)?
                    .build()
                    .await?,
            );
        }
        Ok(())
    }

    /// All calls so far, in their order.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.record().calls.clone()
    }

    /// All calls of `Notify` so far, in their order, updates included.
    pub fn toasts(&self) -> Vec<Toast> {
        let calls = self.calls().into_iter();
        calls
            .filter_map(|call| match call {
                Call::Notify(toast) => Some(toast),
                Call::Close { .. } => None,
            })
            .collect()
    }

    /// The toasts that a user would see now, oldest id first, each in its newest version.
    pub fn on_screen(&self) -> Vec<Toast> {
        self.shared.record().open.values().cloned().collect()
    }

    /// Forgets the calls so far; what is on screen stays.
    pub fn forget_calls(&self) {
        self.shared.record().calls.clear();
    }

    /// The first `Notify`, past or to come, that fits.
    ///
    /// # Errors
    /// The time is over; the message lists what was shown instead.
    pub async fn wait_for(
        &self,
        limit: Duration,
        mut fits: impl FnMut(&Toast) -> bool,
    ) -> Result<Toast> {
        let found = self
            .wait(limit, |record| {
                record.calls.iter().find_map(|call| match call {
                    Call::Notify(toast) if fits(toast) => Some(toast.clone()),
                    _ => None,
                })
            })
            .await;
        found.ok_or_else(|| self.complain("no such toast", limit))
    }

    /// Waits until the toast isn't on screen any more.
    ///
    /// # Errors
    /// The time is over.
    pub async fn wait_for_close(&self, limit: Duration, id: u32) -> Result<()> {
        let found = self
            .wait(limit, |record| {
                (!record.open.contains_key(&id)).then_some(())
            })
            .await;
        found.ok_or_else(|| self.complain(&format!("toast {id} is still there"), limit))
    }

    async fn wait<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&Record) -> Option<T>,
    ) -> Option<T> {
        // Subscribed before the first look, so that no call falls between the two.
        let mut called = self.shared.called.subscribe();
        tokio::time::timeout(limit, async {
            loop {
                if let Some(found) = look(&self.shared.record()) {
                    return Some(found);
                }
                called.changed().await.ok()?;
            }
        })
        .await
        .ok()
        .flatten()
    }

    fn complain(&self, what: &str, limit: Duration) -> Box<dyn std::error::Error + Send + Sync> {
        let shown: Vec<String> = self
            .toasts()
            .iter()
            .map(|toast| format!("{} {:?} {:?}", toast.id, toast.summary, toast.body))
            .collect();
        let shown = shown.join("\n  ");
        format!("{what} within {limit:?}; shown so far:\n  {shown}").into()
    }

    /// The user chooses an action. Daemons that can, first hand out a token that allows the
    /// application to take the focus.
    ///
    /// # Errors
    /// The daemon isn't on the bus.
    pub async fn choose(&self, id: u32, action: &str, token: Option<&str>) -> Result<()> {
        if let Some(token) = token {
            self.emit("ActivationToken", &(id, token)).await?;
        }
        self.emit("ActionInvoked", &(id, action)).await
    }

    /// A toast goes away, for `reason`.
    ///
    /// # Errors
    /// The daemon isn't on the bus.
    pub async fn close(&self, id: u32, reason: CloseReason) -> Result<()> {
        self.shared.record().open.remove(&id);
        self.shared.called.send_replace(());
        self.emit("NotificationClosed", &(id, reason as u32)).await
    }

    async fn emit<B>(&self, signal: &str, body: &B) -> Result<()>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType + Sync,
    {
        let connection = self.connection.lock().await;
        let connection = connection.as_ref().ok_or("the daemon is not on the bus")?;
        connection
            .emit_signal(None::<&str>, PATH, NAME, signal, body)
            .await?;
        Ok(())
    }
}

/// The object on the bus.
struct Bus(Arc<Shared>);

#[interface(name = "org.freedesktop.Notifications")]
impl Bus {
    #[expect(
        clippy::too_many_arguments,
        reason = "the specification's own signature"
    )]
    async fn notify(
        &self,
        app_name: String,
        replaces_id: u32,
        app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        expire_timeout: i32,
        #[zbus(header)] header: Header<'_>,
    ) -> u32 {
        let id = {
            let mut record = self.0.record();
            let id = if replaces_id == 0 {
                record.last_id += 1;
                record.last_id
            } else {
                record.last_id = record.last_id.max(replaces_id);
                replaces_id
            };
            let toast = Toast {
                id,
                replaces: replaces_id,
                application: app_name,
                icon: app_icon,
                summary,
                body,
                actions: pairs(actions),
                hints,
                timeout: expire_timeout,
                sender: header.sender().map(ToString::to_string).unwrap_or_default(),
                at: Instant::now(),
            };
            record.open.insert(id, toast.clone());
            record.calls.push(Call::Notify(toast));
            id
        };
        self.0.called.send_replace(());
        self.0.answer().await;
        id
    }

    async fn close_notification(
        &self,
        id: u32,
        #[zbus(connection)] connection: &Connection,
    ) -> zbus::fdo::Result<()> {
        let was_open = {
            let mut record = self.0.record();
            record.calls.push(Call::Close {
                id,
                at: Instant::now(),
            });
            record.open.remove(&id).is_some()
        };
        self.0.called.send_replace(());
        self.0.answer().await;
        if was_open {
            let closed = (id, CloseReason::Closed as u32);
            connection
                .emit_signal(None::<&str>, PATH, NAME, "NotificationClosed", &closed)
                .await?;
        }
        Ok(())
    }

    async fn get_capabilities(&self) -> Vec<String> {
        self.0.answer().await;
        self.0.record().capabilities.clone()
    }

    async fn get_server_information(&self) -> (String, String, String, String) {
        self.0.answer().await;
        let [name, vendor] = ["recording", "Tidings"].map(str::to_owned);
        (name, vendor, "1".to_owned(), "1.2".to_owned())
    }
}

/// Keys and labels alternate on the bus.
fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    let mut flat = flat.into_iter();
    let mut pairs = Vec::new();
    while let Some(key) = flat.next() {
        pairs.push((key, flat.next().unwrap_or_default()));
    }
    pairs
}
