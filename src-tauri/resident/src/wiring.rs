//! The one place where the real parts are put together.

#[cfg(target_os = "linux")]
mod icon;

use crate::control::{self, Clients, Verbs};
use crate::log;
#[cfg(target_os = "linux")]
use crate::os::around::{self, Around};
use crate::os::clock::{SystemClock, pause, within};
#[cfg(target_os = "linux")]
use crate::os::notifier::DesktopNotifier;
#[cfg(target_os = "linux")]
use crate::os::proxies::Portal;
use crate::os::secrets::Secrets;
use crate::os::{autostart, doctor, mandates, memory, network, open, power};
use crate::profile::{Lock, Profile, Taken};
use crate::windows::Windows;
use futures_util::FutureExt as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tidings_api::preferences::Preferences;
use tidings_api::{DoctorItem, ErrorCode, ErrorView, Event, Reply, Request, SoundsView, Target};
use tidings_core::engine::{Engine, Parts};
use tidings_core::ports::{Desktop, Later, Notifier, NotifierError, Toast, ToastEvent, ToastKey};
use tidings_core::transport::Network;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinSet;

/// How long another process, a command most likely, may hold the profile.
const PATIENCE: Duration = Duration::from_secs(5);
/// A clean stop takes no longer.
const STOP: Duration = Duration::from_millis(1800);
/// So long after the last thing that happened, memory is given back.
const REST: Duration = Duration::from_secs(5);

/// What is said about sounds where there are no toasts yet.
#[cfg(not(target_os = "linux"))]
const SOUNDLESS: &str = "Tidings makes no sounds on this system yet.";

/// Logs to standard error where the environment asks for it.
pub fn log_to_stderr() {
    log::to_stderr();
}

/// Why a resident was not started.
#[derive(Debug)]
pub enum NotStarted {
    /// One runs on this profile already.
    RunsAlready,
    /// In words.
    Failed(ErrorView),
}

impl From<ErrorView> for NotStarted {
    fn from(error: ErrorView) -> Self {
        Self::Failed(error)
    }
}

/// Toasts where none are wanted: a command's engine shows nothing.
struct NoToasts;

impl Notifier for NoToasts {
    fn show(&self, _toast: Toast) -> Later<'_, Result<(), NotifierError>> {
        Box::pin(std::future::ready(Err(NotifierError::Absent)))
    }

    fn withdraw(&self, _key: ToastKey) -> Later<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn event(&self) -> Later<'_, ToastEvent> {
        Box::pin(std::future::pending())
    }
}

/// The desktop as the engine sees it. The windows come after the engine, whose notices they need.
#[derive(Default)]
struct TheDesktop {
    windows: OnceLock<Arc<Windows>>,
}

impl Desktop for TheDesktop {
    fn open(&self, url: &str, token: Option<String>) -> Result<(), String> {
        open::open(url, token)
    }

    fn present(&self, target: Target, token: Option<String>) {
        if let Some(windows) = self.windows.get()
            && let Err(error) = windows.present(target, token)
        {
            tracing::warn!(%error, "no window");
        }
    }
}

fn engine(
    profile: &Profile,
    notifier: Arc<dyn Notifier>,
    secrets: Arc<Secrets>,
    desktop: Arc<TheDesktop>,
) -> Result<Engine, ErrorView> {
    // Once for the process: everything that speaks TLS takes it.
    drop(rustls::crypto::ring::default_provider().install_default());
    let clock = Arc::new(SystemClock);
    let dial = Network::new(Arc::<SystemClock>::clone(&clock)).map_err(|error| {
        ErrorView::new(
            ErrorCode::Internal,
            "Tidings cannot make secure connections: the system's certificates cannot be read. Install \
             the package ca-certificates.",
        )
        .with_detail(error)
    })?;
    #[cfg(target_os = "linux")]
    let dial = dial.asking(Arc::<Portal>::default());
    Engine::open(Parts {
        profile: profile.data.clone(),
        cache: profile.cache.clone(),
        clock,
        notifier,
        secrets,
        desktop,
        dial: Arc::new(dial),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        device: device(),
        mandates: mandates::read(),
    })
}

/// What servers list this computer as.
fn device() -> String {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    match std::env::var("USER") {
        Ok(user) if !user.is_empty() => format!("Tidings ({user} on {host})"),
        _ => format!("Tidings on {host}"),
    }
}

/// An engine for one command, without tasks or toasts. The caller holds the profile's lock.
///
/// # Errors
/// As the engine's.
pub fn engine_for_a_command(profile: &Profile) -> Result<Engine, ErrorView> {
    let secrets = Arc::new(Secrets::new(&profile.name, &profile.data));
    engine(profile, Arc::new(NoToasts), secrets, Arc::default())
}

/// What the doctor says where no resident runs.
pub async fn doctor_for_a_command(profile: &Profile) -> Vec<DoctorItem> {
    let secrets = Secrets::new(&profile.name, &profile.data);
    let status = async {
        let lock = profile.lock(PATIENCE).await.map_err(|taken| match taken {
            Taken::Failed(error) => error,
            Taken::ByOther => ErrorView::new(
                ErrorCode::Storage,
                "Another Tidings works on this profile and does not answer.",
            ),
        })?;
        let engine = engine_for_a_command(profile)?;
        let status = status(&engine).await;
        engine.stop().await;
        drop(lock);
        status
    };
    let status = status.await;
    #[cfg(target_os = "linux")]
    let items = {
        let (notifier, words) = (DesktopNotifier::start(), around::look().await);
        doctor::examine(&notifier, &words, &secrets, &mandates::read(), status).await
    };
    #[cfg(not(target_os = "linux"))]
    let items = doctor::examine(&secrets, &mandates::read(), status).await;
    items
}

async fn status(engine: &Engine) -> Result<tidings_api::Status, ErrorView> {
    match engine.handle(Request::Status).await? {
        Reply::Status(status) => Ok(status),
        _ => Err(ErrorView::new(
            ErrorCode::Internal,
            "The engine answered something else than it was asked.",
        )),
    }
}

async fn preferences(engine: &Engine) -> Result<Preferences, ErrorView> {
    match engine.handle(Request::Preferences).await? {
        Reply::Preferences(view) => Ok(view.preferences),
        _ => Err(ErrorView::new(
            ErrorCode::Internal,
            "The engine answered something else than it was asked.",
        )),
    }
}

/// Completes when the process is asked to stop: Ctrl-C, `SIGTERM`, the end of the session. Listens from
/// the call on.
pub fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut signals: Vec<_> = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ]
        .into_iter()
        .filter_map(|kind| signal(kind).ok())
        .collect();
        async move {
            let waits = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
            futures_util::future::select_all(waits).await;
        }
    }
    #[cfg(not(unix))]
    async {
        drop(tokio::signal::ctrl_c().await);
    }
}

/// What the control socket and the tray lead to: the engine, and what is the resident's own.
struct Resident {
    engine: Engine,
    profile: Profile,
    windows: Arc<Windows>,
    secrets: Arc<Secrets>,
    #[cfg(target_os = "linux")]
    notifier: Arc<DesktopNotifier>,
    #[cfg(target_os = "linux")]
    around: Arc<Around>,
    quit: Notify,
    /// Somebody asked for something.
    asked: Notify,
}

impl Resident {
    async fn answer(&self, request: Request) -> Result<Reply, ErrorView> {
        self.asked.notify_one();
        match request {
            Request::OpenWindow { target, token } => {
                self.windows.present(target, token)?;
                Ok(Reply::Done)
            }
            Request::Doctor => {
                let status = status(&self.engine).await;
                let file = mandates::read();
                #[cfg(target_os = "linux")]
                let items = {
                    let words = self.around.words();
                    doctor::examine(&self.notifier, &words, &self.secrets, &file, status).await
                };
                #[cfg(not(target_os = "linux"))]
                let items = doctor::examine(&self.secrets, &file, status).await;
                Ok(Reply::Doctor(items))
            }
            Request::Sounds => {
                let preferences = preferences(&self.engine).await?;
                Ok(Reply::Sounds(self.sounds(&preferences).await))
            }
            #[cfg(target_os = "linux")]
            Request::SoundTry {
                sound,
                tier,
                volume,
            } => {
                let tried = self.notifier.try_sound(sound, tier, volume.min(100)).await;
                let says = tried.map_err(|words| ErrorView::new(ErrorCode::Invalid, words))?;
                Ok(Reply::Tried { says })
            }
            #[cfg(not(target_os = "linux"))]
            Request::SoundTry { .. } => Ok(Reply::Tried {
                says: SOUNDLESS.to_owned(),
            }),
            Request::Quit => {
                self.windows.close();
                self.quit.notify_one();
                Ok(Reply::Done)
            }
            // Not every system, nor every file system, tells when the administrator's file changes.
            Request::Preferences => {
                self.engine.mandates(mandates::read());
                self.engine.handle(Request::Preferences).await
            }
            // The desktop's entry is the truth: the user may have removed it elsewhere.
            Request::Settings => match self.engine.handle(Request::Settings).await? {
                Reply::Settings(mut settings) => {
                    settings.start_at_login = autostart::is_on(&self.profile);
                    Ok(Reply::Settings(settings))
                }
                other => Ok(other),
            },
            Request::SettingsSet(settings) => {
                if settings.start_at_login != autostart::is_on(&self.profile) {
                    autostart::set(&self.profile, settings.start_at_login)
                        .map_err(|words| ErrorView::new(ErrorCode::Storage, words))?;
                }
                self.engine.handle(Request::SettingsSet(settings)).await
            }
            request => self.engine.handle(request).await,
        }
    }
}

#[cfg(target_os = "linux")]
impl Resident {
    async fn sounds(&self, preferences: &Preferences) -> SoundsView {
        self.notifier.sounds(preferences).await
    }
}

#[cfg(not(target_os = "linux"))]
impl Resident {
    #[expect(clippy::unused_async, reason = "as on other systems")]
    async fn sounds(&self, _preferences: &Preferences) -> SoundsView {
        SoundsView {
            says: SOUNDLESS.to_owned(),
            volume: false,
            problems: Vec::new(),
        }
    }
}

impl Verbs for Resident {
    fn handle(&self, request: Request) -> Later<'_, Result<Reply, ErrorView>> {
        Box::pin(self.answer(request))
    }

    fn hints(&self) -> broadcast::Receiver<Event> {
        self.engine.hints()
    }

    fn window_gone(&self) {
        self.engine.window_gone();
    }
}

/// Why a resident stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Told,
    /// Its database is damaged. The next start puts it aside.
    Damaged,
}

/// A resident at work, until it is dropped or told to stop.
pub struct Running {
    resident: Arc<Resident>,
    tasks: JoinSet<()>,
    _lock: Lock,
}

impl Running {
    /// Starts everything on a profile; with a tray or without. `log` writes the profile's log.
    ///
    /// # Errors
    /// One runs already, or in words.
    pub async fn start(profile: &Profile, with_tray: bool, log: bool) -> Result<Self, NotStarted> {
        let lock = match profile.lock(Duration::ZERO).await {
            Err(Taken::ByOther) => {
                if tidings_api::Client::connect(&profile.socket, "cli")
                    .await
                    .is_ok()
                {
                    return Err(NotStarted::RunsAlready);
                }
                // A command, which is over soon, or a resident that is just starting or stopping.
                profile.lock(PATIENCE).await
            }
            taken => taken,
        };
        let lock = lock.map_err(|taken| match taken {
            Taken::ByOther => NotStarted::RunsAlready,
            Taken::Failed(error) => NotStarted::Failed(error),
        })?;
        if log {
            log::to_profile(&profile.logs);
        }
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
        let secrets = Arc::new(Secrets::new(&profile.name, &profile.data));
        let desktop = Arc::<TheDesktop>::default();
        #[cfg(target_os = "linux")]
        let notifier = Arc::new(DesktopNotifier::start());
        #[cfg(target_os = "linux")]
        let toasts: Arc<dyn Notifier> = Arc::<DesktopNotifier>::clone(&notifier);
        #[cfg(not(target_os = "linux"))]
        let toasts: Arc<dyn Notifier> = Arc::new(NoToasts);
        let engine = engine(profile, toasts, Arc::clone(&secrets), Arc::clone(&desktop))?;
        let mut tasks = JoinSet::new();
        #[cfg(target_os = "linux")]
        let around = watch_around(&engine, &mut tasks);
        let listener = control::listen(profile)?;
        let clients = Arc::<Clients>::default();
        let notices = engine.clone();
        let windows = Arc::new(Windows::new(
            &profile.socket,
            &profile.logs,
            Arc::clone(&clients),
            move |words| notices.notice("window", words),
        ));
        // It was empty until now.
        drop(desktop.windows.set(Arc::clone(&windows)));
        let resident = Arc::new(Resident {
            engine,
            profile: profile.clone(),
            windows,
            secrets,
            #[cfg(target_os = "linux")]
            notifier,
            #[cfg(target_os = "linux")]
            around: Arc::clone(&around),
            quit: Notify::new(),
            asked: Notify::new(),
        });
        tasks.spawn(control::serve(
            listener,
            Arc::<Resident>::clone(&resident),
            clients,
        ));
        tasks.spawn(rest(Arc::clone(&resident)));
        // What rings first shall not say more than a locked screen may show.
        #[cfg(target_os = "linux")]
        resident.around.looked().await;
        resident.engine.start();
        let engine = resident.engine.clone();
        tasks.spawn(power::watch(move || engine.woke()));
        let engine = resident.engine.clone();
        tasks.spawn(network::watch(move |up| engine.network(up)));
        let engine = resident.engine.clone();
        tasks.spawn(mandates::watch(mandates::path(), move |file| {
            engine.mandates(file);
        }));
        #[cfg(target_os = "linux")]
        if with_tray {
            icon::show(&resident, &mut tasks);
        }
        #[cfg(not(target_os = "linux"))]
        if with_tray {
            let words =
                "Tidings has no tray icon on this system yet. Start it again to open the inbox.";
            resident.engine.notice("tray", Some(words.to_owned()));
        }
        Ok(Self {
            resident,
            tasks,
            _lock: lock,
        })
    }

    /// Asks for something, as a window would.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn ask(&self, request: Request) -> Result<Reply, ErrorView> {
        self.resident.answer(request).await
    }

    /// Works until `stopped`, or until the user quits; then stops cleanly, in less than 2 s. If it may be started
    /// again, it works only until its database is found to be damaged.
    pub async fn until(self, stopped: impl Future<Output = ()>, again: bool) -> Ended {
        let Self {
            resident,
            mut tasks,
            _lock: lock,
        } = self;
        let ended = tokio::select! {
            () = stopped => Ended::Told,
            () = resident.quit.notified() => Ended::Told,
            () = resident.engine.damaged(), if again => Ended::Damaged,
            () = watch_over(&mut tasks) => Ended::Told,
        };
        tracing::info!("stopping");
        if within(STOP, resident.engine.stop()).await.is_none() {
            tracing::warn!("the engine did not stop in time");
        }
        // Answers and the last hints are on their way.
        pause(Duration::from_millis(50)).await;
        tasks.shutdown().await;
        drop(std::fs::remove_file(&resident.profile.socket));
        drop(lock);
        ended
    }
}

/// None of the tasks ends; one that panicked was logged, and the others go on. Never completes.
async fn watch_over(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the resident ended");
        }
    }
    std::future::pending::<()>().await;
}

/// Gives memory back whenever nothing happened for a while; first after the start.
async fn rest(resident: Arc<Resident>) {
    use broadcast::error::RecvError;
    let mut hints = resident.engine.hints();
    loop {
        loop {
            pause(REST).await;
            // Not one by one: there may be thousands.
            let quiet = hints.is_empty() && resident.asked.notified().now_or_never().is_none();
            if quiet {
                break;
            }
            hints = hints.resubscribe();
        }
        resident.engine.rest();
        memory::give_back();
        tokio::select! {
            hint = hints.recv() => if let Err(RecvError::Closed) = hint { return },
            () = resident.asked.notified() => {}
        }
    }
}

/// Has the engine told what is around the screen.
#[cfg(target_os = "linux")]
fn watch_around(engine: &Engine, tasks: &mut JoinSet<()>) -> Arc<Around> {
    let around = Arc::<Around>::default();
    let (watching, telling, engine) = (Arc::clone(&around), Arc::clone(&around), engine.clone());
    tasks.spawn(async move { watching.watch().await });
    tasks.spawn(async move {
        telling
            .tell(|now, told| {
                engine.around(now);
                engine.told(told);
            })
            .await;
    });
    around
}
