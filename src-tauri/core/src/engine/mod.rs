//! The verbs. One way in ([`ingest`]), one way back ([`handle`]); the rest wakes, decides again and shows.
//! Rows are the mailbox: tasks share the database and wake each other with [`Notify`].

mod attention;
mod connection;
mod continuity;
mod echo;
mod handle;
mod ingest;
mod outbox;
mod patience;
mod pictures;
mod preferences;
mod present;
mod scheduler;
mod supervisor;
#[cfg(test)]
mod tests;
mod upkeep;
mod view;

use crate::backend::{Failure, FailureKind};
use crate::model::{
    Account, AccountId, Credential, Notification, NotificationId, Problem, Quota, SignIn,
    SubscriptionId, Surroundings,
};
use crate::policy::Rulebook;
use crate::ports::{Clock, Desktop, Notifier, SecretError, SecretStore};
use crate::settings::MandatesFile;
use crate::store::{Store, StoreError, ToastId};
use crate::transport::Dial;
use crate::transport::limits::Times;
use connection::state::{Event as Happening, Phase, State};
use echo::Echoes;
use ingest::Item;
use jiff::{Timestamp, tz::TimeZone};
use pictures::Pictures;
use present::Handover;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use supervisor::Supervisor;
use tidings_api::{
    AppSettings, ConnectionState, ConnectionView, ErrorCode, ErrorView, Event, Place, Presence,
    Reply, Request,
};
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::task::JoinHandle;

/// Hints kept for a slow watcher; one that is further behind reads everything again.
const HINTS: usize = 256;
/// A clean stop gives what was received so long to be stored.
const LAST_COMMIT: Duration = Duration::from_secs(1);
/// Where the settings are in the store.
const SETTINGS: &str = "settings";

/// What an engine is put together from.
pub struct Parts {
    /// The profile's folder; the database is `inbox.db` in it.
    pub profile: PathBuf,
    /// The folder for pictures that can be fetched again.
    pub cache: PathBuf,
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// Toasts.
    pub notifier: Arc<dyn Notifier>,
    /// Credentials.
    pub secrets: Arc<dyn SecretStore>,
    /// The rest of the desktop.
    pub desktop: Arc<dyn Desktop>,
    /// Sockets.
    pub dial: Arc<dyn Dial>,
    /// The program's version.
    pub version: String,
    /// What this computer and its user are called where a server lists who signed in.
    pub device: String,
    /// An administrator's file, as it is now; [`Engine::mandates`] tells of changes.
    pub mandates: MandatesFile,
}

/// The engine. Cloning shares it.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    queues: Arc<Mutex<Option<Queues>>>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
    ingesting: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// The receiving ends, until the tasks that own them are started.
struct Queues {
    items: mpsc::Receiver<Item>,
    over: mpsc::UnboundedReceiver<ToastId>,
    errands: mpsc::Receiver<pictures::Errand>,
}

/// What the tasks share.
pub struct Shared {
    version: String,
    device: String,
    store: Store,
    clock: Arc<dyn Clock>,
    notifier: Arc<dyn Notifier>,
    secrets: Arc<dyn SecretStore>,
    desktop: Arc<dyn Desktop>,
    dial: Arc<dyn Dial>,
    rulebook: RwLock<Arc<Rulebook>>,
    mandates: Mutex<MandatesFile>,
    problems: Mutex<Vec<Problem>>,
    settings: RwLock<AppSettings>,
    presence: Mutex<Presence>,
    around: Mutex<Surroundings>,
    /// What of it the desktop tells at all.
    told: Mutex<Surroundings>,
    /// The zone, and the time, when the scheduler last looked.
    looked: Mutex<(TimeZone, Timestamp)>,
    quiet_told: Mutex<bool>,
    connections: Mutex<BTreeMap<AccountId, ConnectionView>>,
    quotas: Mutex<HashMap<AccountId, Quota>>,
    notices: Mutex<BTreeMap<&'static str, String>>,
    credentials: Mutex<HashMap<AccountId, Credential>>,
    echoes: Echoes,
    pictures: Pictures,
    hints: broadcast::Sender<Event>,
    ingest: mpsc::Sender<Item>,
    over: mpsc::UnboundedSender<ToastId>,
    wake_presenter: Notify,
    handover: Handover,
    wake_scheduler: Notify,
    wake_outbox: Notify,
    wake_upkeep: Notify,
    found_damage: Notify,
    supervisor: Supervisor,
    started: OnceLock<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Opens the profile's store. Starts nothing: a command that finds no resident works like this.
    ///
    /// # Errors
    /// [`ErrorCode::Storage`], with what to do: a database of a newer version is left untouched.
    pub fn open(parts: Parts) -> Result<Self, ErrorView> {
        let path = parts.profile.join("inbox.db");
        let opened = Store::open(&path, parts.clock.now()).map_err(|error| storage(&error))?;
        let engine = Self::with_store(parts, opened.store)?;
        if let Some(aside) = opened.moved_aside {
            engine.shared.notice(
                "moved-aside",
                Some(format!(
                    "The inbox could not be read and was moved aside to {}. What the servers still hold is \
                     fetched again; accounts have to be added anew.",
                    aside.display()
                )),
            );
        }
        Ok(engine)
    }

    fn with_store(parts: Parts, store: Store) -> Result<Self, ErrorView> {
        let settings = store
            .read(|tx| tx.setting(SETTINGS))
            .map_err(|error| storage(&error))?;
        let loaded = preferences::load(&store, &parts.mandates).map_err(|error| storage(&error))?;
        let (ingest, items) = mpsc::channel(ingest::QUEUE);
        let (over, overs) = mpsc::unbounded_channel();
        let (zone, now) = (parts.clock.zone(), parts.clock.now());
        let (pictures, errands) = Pictures::new(parts.cache.join("pictures"), pictures::BUDGET);
        let shared = Shared {
            version: parts.version,
            device: parts.device,
            store,
            clock: parts.clock,
            notifier: parts.notifier,
            secrets: parts.secrets,
            desktop: parts.desktop,
            dial: parts.dial,
            rulebook: RwLock::new(Arc::clone(&loaded.book)),
            mandates: Mutex::new(parts.mandates),
            problems: Mutex::default(),
            settings: RwLock::default(),
            presence: Mutex::default(),
            around: Mutex::default(),
            told: Mutex::default(),
            looked: Mutex::new((zone, now)),
            quiet_told: Mutex::default(),
            connections: Mutex::default(),
            notices: Mutex::default(),
            credentials: Mutex::default(),
            echoes: Echoes::default(),
            pictures,
            hints: broadcast::channel(HINTS).0,
            ingest,
            over,
            quotas: Mutex::default(),
            wake_presenter: Notify::new(),
            handover: Handover::default(),
            wake_scheduler: Notify::new(),
            wake_outbox: Notify::new(),
            wake_upkeep: Notify::new(),
            found_damage: Notify::new(),
            supervisor: Supervisor::default(),
            started: OnceLock::new(),
        };
        // A setting that cannot be read is its default.
        shared.apply(read_or_default(settings.as_deref()));
        shared.tell_problems(loaded);
        Ok(Self {
            shared: Arc::new(shared),
            queues: Arc::new(Mutex::new(Some(Queues {
                items,
                over: overs,
                errands,
            }))),
            tasks: Arc::default(),
            ingesting: Arc::default(),
        })
    }

    /// Starts connections, scheduler, presenter, outbox and retention. Once; needs a tokio runtime.
    pub fn start(&self) {
        let Some(queues) = lock(&self.queues).take() else {
            return;
        };
        let shared = &self.shared;
        // Only the first start comes here.
        let _ = shared.started.set(());
        *lock(&self.ingesting) = Some(tokio::spawn(ingest::run(Arc::clone(shared), queues.items)));
        begin(shared);
        let tasks = vec![
            tokio::spawn(scheduler::run(Arc::clone(shared))),
            tokio::spawn(scheduler::retain(Arc::clone(shared))),
            tokio::spawn(present::run(Arc::clone(shared))),
            tokio::spawn(present::withdraw(Arc::clone(shared), queues.over)),
            tokio::spawn(present::listen(Arc::clone(shared))),
            tokio::spawn(outbox::run(Arc::clone(shared))),
            tokio::spawn(continuity::run(Arc::clone(shared))),
            tokio::spawn(upkeep::fold(Arc::clone(shared))),
            tokio::spawn(upkeep::check(Arc::clone(shared))),
            tokio::spawn(pictures::run(Arc::clone(shared), queues.errands)),
        ];
        lock(&self.tasks).extend(tasks);
        match shared.store.read(|tx| tx.accounts()) {
            Ok(accounts) => {
                for account in accounts {
                    shared.supervisor.changed(shared, account.id);
                }
            }
            Err(error) => shared.notice("storage", Some(storage(&error).message)),
        }
    }

    /// Answers a request. The only way back.
    ///
    /// # Errors
    /// With words for the user.
    pub async fn handle(&self, request: Request) -> Result<Reply, ErrorView> {
        handle::handle(&self.shared, request).await
    }

    /// Hints from now on.
    pub fn hints(&self) -> broadcast::Receiver<Event> {
        self.shared.hints.subscribe()
    }

    /// The machine woke from sleep.
    pub fn woke(&self) {
        self.shared.dial.renew();
        self.shared.supervisor.tell(None, &Happening::Woke);
        self.shared.wake_scheduler.notify_one();
        self.shared.wake_outbox.notify_one();
    }

    /// The machine has a network, or has none. Servers on this machine are reached all the same.
    pub fn network(&self, up: bool) {
        self.shared.dial.renew();
        let accounts = self.shared.store.read(|tx| tx.accounts());
        for account in accounts.unwrap_or_default() {
            if up || !is_loopback(&account) {
                let event = Happening::Network(up);
                self.shared.supervisor.tell(Some(account.id), &event);
            }
        }
        if up {
            self.shared.pictures.hope_again();
            self.shared.wake_outbox.notify_one();
        }
    }

    /// Says, or takes back, something the user should know; `key` tells notices apart.
    pub fn notice(&self, key: &'static str, words: Option<String>) {
        self.shared.notice(key, words);
    }

    /// Things are so around the screen, as far as the desktop tells.
    pub fn around(&self, around: Surroundings) {
        self.shared.set_around(around);
    }

    /// So much of what is around the screen does the desktop tell. Decides nothing; the user is told.
    pub fn told(&self, told: Surroundings) {
        self.shared.set_told(told);
    }

    /// An administrator's file is so from now on.
    pub fn mandates(&self, file: MandatesFile) {
        self.shared.set_mandates(file);
    }

    /// No window is open any more: nobody is looking.
    pub fn window_gone(&self) {
        *lock(&self.shared.presence) = Presence::default();
    }

    /// Completes when the database was found to be damaged: whoever stops and opens it again gets a new one, with
    /// the accounts and settings that could be saved.
    pub async fn damaged(&self) {
        self.shared.found_damage.notified().await;
    }

    /// Gives back the memory that only speed needs: for when there is nothing to do.
    pub fn rest(&self) {
        self.shared.store.rest();
    }

    /// Stops: hangs up, stores what was received, leaves the database clean. Takes 2 s at most.
    pub async fn stop(&self) {
        let shared = &self.shared;
        shared.hint(Event::Stopping);
        continuity::note(shared);
        shared.supervisor.stop();
        // From here on nothing is alive.
        lock(&shared.connections).clear();
        if shared.started.get().is_some() {
            tokio::select! {
                () = ingest::flush(shared.ingest.clone()) => {}
                () = shared.clock.sleep(LAST_COMMIT) => {
                    tracing::warn!("what was received last is fetched again at the next start");
                }
            }
        }
        let tasks: Vec<_> = lock(&self.tasks).drain(..).collect();
        let ingesting = lock(&self.ingesting).take();
        for task in tasks.into_iter().chain(ingesting) {
            task.abort();
            // Cancelled, which is what was asked for; nobody writes after this.
            let _ = task.await;
        }
        shared.handover.give_back(&shared.store);
        if let Err(error) = shared.store.close() {
            tracing::warn!(%error, "the database was not left clean; the next start checks it");
        }
    }
}

/// What the last run left behind is put in order, before anything is heard of the world.
fn begin(shared: &Shared) {
    present::fold_stale(shared);
    present::forget_screen(shared);
    continuity::begin(shared);
    // Nobody knows what has become of the screen meanwhile.
    shared.reconsider();
}

fn read_or_default<T: Default + serde::de::DeserializeOwned>(text: Option<&str>) -> T {
    text.and_then(|text| match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(%error, "a setting could not be read; its default applies");
            None
        }
    })
    .unwrap_or_default()
}

fn is_loopback(account: &Account) -> bool {
    match account.url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A store's error in words for the user.
fn storage(error: &StoreError) -> ErrorView {
    let view = match error {
        StoreError::NotFound => ErrorView::new(
            ErrorCode::NotFound,
            "There is no such thing here (any more).",
        ),
        StoreError::BadQuery(words) => ErrorView::new(ErrorCode::Invalid, words.clone()),
        error => ErrorView::new(ErrorCode::Storage, error.to_string()),
    };
    view.with_detail(error)
}

impl Shared {
    fn hint(&self, event: Event) {
        // Nobody may be watching.
        let _ = self.hints.send(event);
    }

    fn notice(&self, key: &'static str, words: Option<String>) {
        let mut notices = lock(&self.notices);
        let before = match words {
            Some(words) if notices.get(key) == Some(&words) => return,
            Some(words) => notices.insert(key, words),
            None => match notices.remove(key) {
                Some(before) => Some(before),
                None => return,
            },
        };
        drop((notices, before));
        self.hint(Event::Status);
    }

    /// New settings apply from now on.
    fn apply(&self, settings: AppSettings) {
        self.dial.set_times(patience::times(settings.timings));
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// How patient connections are.
    fn times(&self) -> Times {
        patience::times(self.settings().timings)
    }

    fn settings(&self) -> AppSettings {
        let settings = self.settings.read();
        settings.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The user is looking at the list that this arrives in.
    fn is_looked_at(&self, notification: &Notification) -> bool {
        let presence = lock(&self.presence);
        if !presence.focused {
            return false;
        }
        let in_list = presence.list.as_ref().is_some_and(|list| {
            list.search.is_empty()
                && list.toast.is_none()
                && matches!(list.place, Place::All | Place::Unread)
                && list.account.is_none_or(|id| id == notification.account)
                && list
                    .subscription
                    .is_none_or(|id| id == notification.subscription)
        });
        in_list || presence.notification == Some(notification.id)
    }

    /// These were read, done or deleted: their toasts go, and watchers look again.
    fn settle(&self, ids: &[NotificationId]) {
        match self.store.write(|tx| tx.toasts_over(ids)) {
            Ok(over) => {
                for id in over {
                    // A command without a resident has no toasts to withdraw.
                    let _ = self.over.send(id);
                }
            }
            Err(error) => tracing::warn!(%error, "toasts could not be withdrawn"),
        }
    }

    fn subscription_names(&self) -> HashMap<SubscriptionId, String> {
        self.store
            .read(|tx| {
                let mut names = HashMap::new();
                for account in tx.accounts()? {
                    for subscription in tx.subscriptions(account.id)? {
                        let name = subscription.display_name().to_owned();
                        names.insert(subscription.id, name);
                    }
                }
                Ok(names)
            })
            .unwrap_or_default()
    }

    /// What signs this account in; kept in memory once it was read.
    async fn credential(&self, account: &Account) -> Result<Credential, Failure> {
        let signs_in = account.sign_in != SignIn::None || !account.header_names.is_empty();
        // Proxies and certificates may have a password, and need not.
        let may_need = !matches!(account.way.proxy.as_str(), "" | "direct")
            || !account.way.certificate.is_empty();
        if !signs_in && !may_need {
            return Ok(Credential::default());
        }
        // Without its secret it would connect as nobody, and look as if all were well.
        let is_whole = |credential: &Credential| {
            credential.secret.is_some()
                || matches!(account.sign_in, SignIn::None | SignIn::Basic { .. })
        };
        if let Some(known) = lock(&self.credentials).get(&account.id)
            && is_whole(known)
        {
            return Ok(known.clone());
        }
        let says = match self.secrets.get(account.secrets, account.id).await {
            Ok(Some(credential)) if is_whole(&credential) => {
                lock(&self.credentials).insert(account.id, credential.clone());
                return Ok(credential);
            }
            _ if !signs_in => return Ok(Credential::default()),
            Ok(_) => format!(
                "The password of {} is not there any more. Sign in again.",
                account.name
            ),
            Err(SecretError::Missing) => format!(
                "This desktop has no keyring, so the password of {} cannot be read. Start a keyring \
                 (GNOME Keyring, KWallet, KeePassXC), or sign in again and choose where to keep it.",
                account.name
            ),
            Err(SecretError::Locked) => format!(
                "The keyring is locked, so the password of {} cannot be read. Unlock it, then retry.",
                account.name
            ),
            Err(SecretError::Timeout | SecretError::Refused(_)) => format!(
                "The keyring did not hand out the password of {}. Unlock it, then retry.",
                account.name
            ),
        };
        Err(Failure {
            kind: FailureKind::SignIn,
            says,
            retry_after: None,
        })
    }

    /// An account's connection is in a new state.
    fn connection_changed(&self, account: AccountId, state: &State) {
        let (shown, retry_at) = match &state.phase {
            Phase::Idle => (ConnectionState::Idle, None),
            Phase::Connecting => (ConnectionState::Connecting, None),
            Phase::Live { .. } => (ConnectionState::Live, None),
            Phase::Waiting { until_now, .. } => (ConnectionState::Waiting, Some(*until_now)),
            Phase::Offline => (ConnectionState::Offline, None),
            Phase::Stopped => (ConnectionState::Stopped, None),
        };
        let connected = matches!(shown, ConnectionState::Connecting | ConnectionState::Live);
        let view = ConnectionView {
            account,
            // The name is filled in when the view is asked for: it may change.
            account_name: String::new(),
            state: shown,
            transport: state.transport().filter(|_| connected),
            since: state.since,
            retry_at,
            problem: state.problem.clone(),
            quota: None,
        };
        if shown == ConnectionState::Live {
            self.back_online(account);
        }
        let before = lock(&self.connections).insert(account, view.clone());
        if before.as_ref() != Some(&view) {
            self.hint(Event::Status);
            self.hint(Event::Accounts);
        }
    }
}
