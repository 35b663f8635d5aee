//! What the engine needs of the desktop and of time, filled in by the resident and by tests.

use crate::model::preferences::Sound;
use crate::model::{AccountId, Credential, SecretPlace, Tier};
use jiff::{Timestamp, tz::TimeZone};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;
use tidings_api::Target;
use url::Url;

/// A boxed future, so that ports can be trait objects.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Time and chance.
pub trait Clock: Send + Sync {
    /// Civil time.
    fn now(&self) -> Timestamp;
    /// The zone the system is in now.
    fn zone(&self) -> TimeZone;
    /// Time this process was awake, from an arbitrary start. Never goes back; stands still in sleep.
    fn awake(&self) -> Duration;
    /// Waits for so much awake time.
    fn sleep(&self, time: Duration) -> Later<'static, ()>;
    /// Waits until civil time reaches `at`, through sleep and clock changes. May return early when
    /// the clock was set or the machine woke: the caller looks again.
    fn sleep_until(&self, at: Timestamp) -> Later<'static, ()>;
    /// An even choice from `0.0..1.0`, for jitter.
    fn chance(&self) -> f64;
}

/// What the desktop's own settings say about proxies.
pub trait Proxies: Send + Sync {
    /// The ways to a server, best first: `direct://`, or a proxy's address (`http://host:port`, `socks5://…`);
    /// none where the desktop says nothing. `origin` is an address without user info, path and query.
    fn ways(&self, origin: &Url) -> Later<'_, Vec<String>>;
}

/// A desktop that says nothing about proxies.
pub struct NoProxies;

impl Proxies for NoProxies {
    fn ways(&self, _origin: &Url) -> Later<'_, Vec<String>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// Names a toast through its life, over restarts of the notification daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToastKey(pub i64);

/// What the OS is asked to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Its name; showing the same key again edits the toast in place.
    pub key: ToastKey,
    /// Title, plain text, neutralised.
    pub title: String,
    /// Body, plain text, neutralised; the notifier escapes it where the daemon reads markup.
    pub body: String,
    /// Urgency; critical stays until dismissed.
    pub tier: Tier,
    /// What it sounds like; none: nothing.
    pub sound: Option<Sound>,
    /// How loud, in percent; 0: nothing.
    pub volume: u8,
    /// The desktop's "do not disturb" is on: whether this sounds is up to the desktop alone.
    pub hushed: bool,
    /// An edit of a toast that was shown: no sound, no new pop-up where the daemon can tell.
    pub update: bool,
    /// Buttons besides the default action and Open: key and label.
    pub actions: Vec<(String, String)>,
    /// A PNG file to show beside it.
    pub icon: Option<PathBuf>,
}

/// Why a toast could not be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifierError {
    /// Nothing on this desktop shows notifications just now.
    #[error("no notification service is running")]
    Absent,
    /// It did not answer in time.
    #[error("the notification service does not answer")]
    Timeout,
    /// It answered with an error.
    #[error("the notification service refused: {0}")]
    Refused(String),
}

/// Who closed a toast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// The user dismissed it.
    User,
    /// Its time was over.
    Expiry,
    /// We withdrew it.
    Us,
    /// The daemon does not say.
    Unknown,
}

/// What happened to a toast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToastEvent {
    /// The user acted on it.
    Activated {
        /// Which toast.
        key: ToastKey,
        /// `default`, `open`, or an action's key.
        action: String,
        /// The desktop's activation token, to be handed to the window.
        token: Option<String>,
    },
    /// It is gone from the screen.
    Closed {
        /// Which toast.
        key: ToastKey,
        /// By whom.
        by: ClosedBy,
    },
    /// The notification service came, or came back: nothing shown before is on the screen any more.
    Available,
    /// The notification service went away.
    Gone,
}

/// Shows toasts. No call takes longer than 3 s.
pub trait Notifier: Send + Sync {
    /// Shows a toast, or edits the one with its key.
    fn show(&self, toast: Toast) -> Later<'_, Result<(), NotifierError>>;
    /// Takes a toast from the screen; one that is gone already is fine.
    fn withdraw(&self, key: ToastKey) -> Later<'_, ()>;
    /// The next thing that happened to any toast. Called by one task.
    fn event(&self) -> Later<'_, ToastEvent>;
}

/// Why a secret could not be read or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is no keyring.
    #[error("This desktop has no keyring.")]
    Missing,
    /// It is locked, and the prompt was dismissed.
    #[error("The keyring is locked.")]
    Locked,
    /// It does not answer.
    #[error("The keyring does not answer.")]
    Timeout,
    /// It answered with an error.
    #[error("The keyring refused: {0}")]
    Refused(String),
}

/// Keeps credentials. No call takes longer than 10 s.
pub trait SecretStore: Send + Sync {
    /// Reads an account's credential; none if nothing is kept.
    fn get(
        &self,
        place: SecretPlace,
        account: AccountId,
    ) -> Later<'_, Result<Option<Credential>, SecretError>>;
    /// Keeps an account's credential.
    fn set(
        &self,
        place: SecretPlace,
        account: AccountId,
        credential: Credential,
    ) -> Later<'_, Result<(), SecretError>>;
    /// Forgets an account's credential; one that is not there is fine.
    fn delete(&self, place: SecretPlace, account: AccountId) -> Later<'_, Result<(), SecretError>>;
}

/// What the engine asks of the desktop besides toasts and secrets.
pub trait Desktop: Send + Sync {
    /// Opens a URL with the user's handler; already checked to be allowed.
    fn open(&self, url: &str, token: Option<String>) -> Result<(), String>;
    /// Brings up a window, starting it if none is there.
    fn present(&self, target: Target, token: Option<String>);
}
