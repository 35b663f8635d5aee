//! Toasts, put together with notify-rust and handed over on one bus connection, which hears the answers from the
//! start.
//!
//! notify-rust itself would open a connection for each toast, which costs more than the toast; some daemons
//! withdraw a toast when its sender leaves the bus, and answers can come before it listens for them.

mod compose;
mod table;

use super::bus;
use super::clock::{pause, within};
use super::sounds::{Asked, Plan, Sounds};
use compose::Capabilities;
use futures_util::StreamExt as _;
use notify_rust::Notification;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use table::{Signal, Table};
use tidings_api::SoundsView;
use tidings_core::model::Tier;
use tidings_core::model::preferences::{Preferences, Sound};
use tidings_core::ports::{Later, Notifier, NotifierError, Toast, ToastEvent, ToastKey};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use zbus::message::Type;
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, MessageStream};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// How long the daemon may take for anything.
const LIMIT: Duration = Duration::from_secs(3);
/// How long to wait before looking for a bus again, and before a daemon is started again.
const AGAIN: Duration = Duration::from_mins(1);

/// Where the notification daemon stands.
#[derive(Clone)]
enum Daemon {
    /// Being looked for.
    Unknown,
    /// There is no bus.
    NoBus,
    /// There is a bus without one.
    Absent(Connection),
    /// It is there.
    Present(Connection),
}

struct Inner {
    daemon: watch::Sender<Daemon>,
    capabilities: Mutex<Option<Capabilities>>,
    table: Mutex<Table>,
    /// One call at a time, so that a hanging daemon costs one call.
    calling: AsyncMutex<()>,
    starting: AsyncMutex<()>,
    events: mpsc::UnboundedSender<ToastEvent>,
    sounds: Arc<Sounds>,
}

/// The desktop's notification daemon.
pub struct DesktopNotifier {
    inner: Arc<Inner>,
    events: AsyncMutex<mpsc::UnboundedReceiver<ToastEvent>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for DesktopNotifier {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// What the doctor wants to know.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// There is no session bus.
    NoBus,
    /// Nobody shows notifications.
    Absent,
    /// It is there, but does not answer.
    Hangs,
    /// It answered: name, version, capabilities.
    Answers(String, String, Vec<String>),
}

impl DesktopNotifier {
    /// Begins to listen. Must be called within the runtime.
    pub fn start() -> Self {
        let (events, heard) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            daemon: watch::channel(Daemon::Unknown).0,
            capabilities: Mutex::default(),
            table: Mutex::default(),
            calling: AsyncMutex::default(),
            starting: AsyncMutex::default(),
            events,
            sounds: Arc::new(Sounds::of_environment()),
        });
        let listening = tokio::spawn(listen(Arc::clone(&inner)));
        Self {
            inner,
            events: AsyncMutex::new(heard),
            listening,
        }
    }

    /// Looks at the daemon, without starting it.
    pub async fn look(&self) -> Look {
        let bus = match self.inner.known().await {
            Daemon::Present(bus) => bus,
            Daemon::Absent(_) => return Look::Absent,
            Daemon::NoBus | Daemon::Unknown => return Look::NoBus,
        };
        let asking = async {
            let information = call(&bus, "GetServerInformation").await?;
            let (name, _, version, _): (String, String, String, String) =
                information.body().deserialize().ok()?;
            let capabilities = call(&bus, "GetCapabilities").await?;
            let words = capabilities.body().deserialize().ok()?;
            Some(Look::Answers(name, version, words))
        };
        within(LIMIT, asking).await.flatten().unwrap_or(Look::Hangs)
    }

    /// Who plays sounds, and which of the preferences' cannot be played.
    pub async fn sounds(&self, preferences: &Preferences) -> SoundsView {
        let (bus, plays) = self.inner.with_sounds().await.unzip();
        let sounds = &self.inner.sounds;
        sounds.view(bus.as_ref(), plays, preferences).await
    }

    /// Lets a sound be heard: played by us, or else by the daemon with a toast. Says what happens, in words.
    ///
    /// # Errors
    /// In words: nothing can be heard, and why.
    pub async fn try_sound(&self, sound: Sound, tier: Tier, volume: u8) -> Result<String, String> {
        if sound == Sound::None || volume == 0 {
            return Ok("This is silence.".to_owned());
        }
        if let Sound::File { path } = &sound {
            Sounds::check(path.into()).await?;
        }
        let (bus, plays) = self.inner.with_sounds().await.unzip();
        let asked = Asked {
            sound,
            tier,
            volume,
            left: false,
        };
        let sounds = &self.inner.sounds;
        let plays = plays.unwrap_or(false);
        let plan = sounds.plan(bus.as_ref(), asked, plays).await;
        match plan {
            Plan {
                play: Some(play), ..
            } => sounds.try_out(play).await,
            Plan { hint: None, .. } => {
                Ok("The sounds of this desktop are switched off in its own settings.".to_owned())
            }
            Plan { hint, .. } => {
                let toast = Toast {
                    key: ToastKey(0),
                    title: "This is how it sounds".to_owned(),
                    body: "The desktop plays the sound of this toast, if it plays any.".to_owned(),
                    tier,
                    sound: hint,
                    volume: 100,
                    hushed: true,
                    update: false,
                    actions: Vec::new(),
                    icon: None,
                };
                self.show(toast)
                    .await
                    .map_err(|error| format!("It could not be played: {error}."))?;
                Ok(if plays {
                    "The desktop plays it with a toast.".to_owned()
                } else {
                    "A toast was shown with it. The desktop does not say that it plays sounds."
                        .to_owned()
                })
            }
        }
    }
}

impl Notifier for DesktopNotifier {
    fn show(&self, toast: Toast) -> Later<'_, Result<(), NotifierError>> {
        Box::pin(async move {
            within(LIMIT, self.inner.show(toast))
                .await
                .unwrap_or(Err(NotifierError::Timeout))
        })
    }

    fn withdraw(&self, key: ToastKey) -> Later<'_, ()> {
        Box::pin(async move {
            if within(LIMIT, self.inner.withdraw(key)).await.is_none() {
                tracing::debug!("a toast could not be withdrawn in time");
            }
        })
    }

    fn event(&self) -> Later<'_, ToastEvent> {
        Box::pin(async move {
            match self.events.lock().await.recv().await {
                Some(event) => event,
                None => std::future::pending().await,
            }
        })
    }
}

/// Takes note of a beginning toast, and of its end even where the call is given up half-way.
struct Showing<'a> {
    inner: &'a Inner,
    key: ToastKey,
    id: Option<u32>,
}

impl<'a> Showing<'a> {
    fn begin(inner: &'a Inner, key: ToastKey) -> Self {
        lock(&inner.table).showing();
        Self {
            inner,
            key,
            id: None,
        }
    }
}

impl Drop for Showing<'_> {
    fn drop(&mut self) {
        let events = lock(&self.inner.table).shown(self.key, self.id);
        for event in events {
            self.inner.tell(event);
        }
    }
}

impl Inner {
    fn tell(&self, event: ToastEvent) {
        // Nobody listens any more only while everything stops.
        drop(self.events.send(event));
    }

    /// Where the daemon stands, once that is known.
    async fn known(&self) -> Daemon {
        let mut daemon = self.daemon.subscribe();
        let waiting = daemon.wait_for(|daemon| !matches!(daemon, Daemon::Unknown));
        match within(LIMIT, waiting).await {
            Some(Ok(daemon)) => daemon.clone(),
            _ => Daemon::Unknown,
        }
    }

    async fn show(self: &Arc<Self>, mut toast: Toast) -> Result<(), NotifierError> {
        let _one = self.calling.lock().await;
        let bus = match self.known().await {
            Daemon::Present(bus) => bus,
            Daemon::Absent(bus) => {
                tokio::spawn(Arc::clone(self).start_daemon(bus));
                return Err(NotifierError::Absent);
            }
            Daemon::NoBus | Daemon::Unknown => return Err(NotifierError::Absent),
        };
        let can = self.capabilities(&bus).await?;
        let replaces = lock(&self.table).id(toast.key);
        let plan = match toast.sound.take() {
            Some(sound) if !toast.update => {
                let asked = Asked {
                    sound,
                    tier: toast.tier,
                    volume: toast.volume,
                    left: toast.hushed,
                };
                self.sounds.plan(Some(&bus), asked, can.sound).await
            }
            _ => Plan::default(),
        };
        toast.sound = plan.hint;
        let notification = compose::compose(&toast, can);
        let mut showing = Showing::begin(self, toast.key);
        let id = notify(&bus, &notification, replaces)
            .await
            .map_err(|error| {
                let words = error.to_string();
                if words.contains("ServiceUnknown") || words.contains("NameHasNoOwner") {
                    NotifierError::Absent
                } else {
                    NotifierError::Refused(words)
                }
            })?;
        showing.id = Some(id);
        if let Some(play) = plan.play {
            self.sounds.play(play, toast.tier);
        }
        Ok(())
    }

    /// The daemon's bus and whether it says that it plays sounds; none: there is no daemon.
    async fn with_sounds(&self) -> Option<(Connection, bool)> {
        let Daemon::Present(bus) = self.known().await else {
            return None;
        };
        let can = within(LIMIT, self.capabilities(&bus)).await;
        let plays = matches!(can, Some(Ok(can)) if can.sound);
        Some((bus, plays))
    }

    async fn withdraw(&self, key: ToastKey) {
        // After what is on its way: it may be this toast, whose id is not known yet.
        let _one = self.calling.lock().await;
        let id = lock(&self.table).id(key);
        let daemon = self.daemon.borrow().clone();
        if let Daemon::Present(bus) = daemon
            && id != 0
            && let Err(error) = bus
                .call_method(Some(NAME), PATH, Some(NAME), "CloseNotification", &id)
                .await
        {
            tracing::debug!(%error, "a toast could not be withdrawn");
        }
    }

    async fn capabilities(&self, bus: &Connection) -> Result<Capabilities, NotifierError> {
        let known = *lock(&self.capabilities);
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = bus
            .call_method(Some(NAME), PATH, Some(NAME), "GetCapabilities", &())
            .await
            .and_then(|answer| answer.body().deserialize::<Vec<String>>())
            .map_err(|error| NotifierError::Refused(error.to_string()))?;
        let capabilities = Capabilities::new(&answer);
        *lock(&self.capabilities) = Some(capabilities);
        Ok(capabilities)
    }

    /// Has the bus start the daemon, if it knows one; nobody waits for it.
    async fn start_daemon(self: Arc<Self>, bus: Connection) {
        let Ok(_one) = self.starting.try_lock() else {
            return;
        };
        if bus::is_activatable(&bus, NAME).await {
            let starting = async {
                let proxy = zbus::fdo::DBusProxy::new(&bus).await?;
                let name = zbus::names::WellKnownName::try_from(NAME)?;
                proxy.start_service_by_name(name, 0).await?;
                zbus::Result::Ok(())
            };
            if let Err(error) = starting.await {
                tracing::warn!(%error, "the notification service could not be started");
            }
        }
        pause(AGAIN).await;
    }

    fn is_present(&self, bus: &Connection) {
        lock(&self.table).forget();
        *lock(&self.capabilities) = None;
        self.daemon.send_replace(Daemon::Present(bus.clone()));
    }

    fn is_gone(&self, now: Daemon) {
        lock(&self.table).forget();
        *lock(&self.capabilities) = None;
        let before = self.daemon.send_replace(now);
        if matches!(before, Daemon::Present(_)) {
            self.tell(ToastEvent::Gone);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `Notify` (Desktop Notifications Specification 1.3). `replaces` is the id of the toast that it edits, 0 for
/// none; the daemon answers with its id.
async fn notify(bus: &Connection, notification: &Notification, replaces: u32) -> zbus::Result<u32> {
    let hints: HashMap<&str, Value<'_>> = notification.hints.iter().map(Into::into).collect();
    let body = (
        &notification.appname,
        replaces,
        &notification.icon,
        &notification.summary,
        &notification.body,
        &notification.actions,
        hints,
        i32::from(notification.timeout),
    );
    let answer = bus
        .call_method(Some(NAME), PATH, Some(NAME), "Notify", &body)
        .await?;
    answer.body().deserialize()
}

async fn call(bus: &Connection, method: &str) -> Option<zbus::Message> {
    bus.call_method(Some(NAME), PATH, Some(NAME), method, &())
        .await
        .ok()
}

/// Listens for ever: to the daemon's answers, and to its coming and going.
async fn listen(inner: Arc<Inner>) {
    loop {
        if let Some(bus) = bus::session().await
            && let Err(error) = listen_on(&inner, &bus).await
        {
            tracing::warn!(%error, "the session bus cannot be listened to");
        }
        inner.is_gone(Daemon::NoBus);
        pause(AGAIN).await;
    }
}

/// Until the bus is gone.
async fn listen_on(inner: &Arc<Inner>, bus: &Connection) -> zbus::Result<()> {
    let answers = MatchRule::builder()
        .msg_type(Type::Signal)
        .interface(NAME)?
        .path(PATH)?
        .build();
    let owners = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.DBus")?
        .interface("org.freedesktop.DBus")?
        .member("NameOwnerChanged")?
        .add_arg(NAME)?
        .build();
    let mut answers = MessageStream::for_match_rule(answers, bus, Some(256)).await?;
    let mut owners = MessageStream::for_match_rule(owners, bus, None).await?;
    // Listening first, then asking: a daemon that comes in between is noticed twice, never missed.
    if bus::has_owner(bus, NAME).await {
        inner.is_present(bus);
    } else {
        inner.daemon.send_replace(Daemon::Absent(bus.clone()));
        tokio::spawn(Arc::clone(inner).start_daemon(bus.clone()));
    }
    loop {
        tokio::select! {
            biased;
            message = answers.next() => {
                let Some(Ok(message)) = message else { return Ok(()) };
                let Some(signal) = read(&message) else { continue };
                let event = lock(&inner.table).signal(signal);
                if let Some(event) = event {
                    inner.tell(event);
                }
            }
            message = owners.next() => {
                let Some(Ok(message)) = message else { return Ok(()) };
                let Ok((_, old, new)) = message.body().deserialize::<(String, String, String)>() else {
                    continue;
                };
                if new.is_empty() {
                    inner.is_gone(Daemon::Absent(bus.clone()));
                } else {
                    tracing::info!(restarted = !old.is_empty(), "a notification service is there");
                    inner.is_present(bus);
                    inner.tell(ToastEvent::Available);
                }
            }
        }
    }
}

fn read(message: &zbus::Message) -> Option<Signal> {
    let header = message.header();
    let body = message.body();
    match header.member()?.as_str() {
        "ActionInvoked" => {
            let (id, action) = body.deserialize().ok()?;
            Some(Signal::Action(id, action))
        }
        "ActivationToken" => {
            let (id, token) = body.deserialize().ok()?;
            Some(Signal::Token(id, token))
        }
        "NotificationClosed" => {
            let (id, reason) = body.deserialize().ok()?;
            Some(Signal::Closed(id, reason))
        }
        _ => None,
    }
}
