//! What a client may ask, and the shape of each answer.

use crate::config::{ConfigImport, ConfigReport};
use crate::event::Target;
use crate::import::{Import, ImportReport};
use crate::picture::{PictureCache, PictureOf};
use crate::policy::{GridRow, LedgerLineOf, PreferencesView, Simulation, SoundsView, TypeView};
use crate::preferences::{Config, Preferences, Row as PreferencesRow, Sound};
use crate::preview::{Preview, Previewed};
use crate::query::{Change, ListQuery, Targets};
use crate::secret::Secret;
use crate::settings::AppSettings;
use crate::view::{
    AccountView, ActOutcome, Changed, Detail, Detected, DoctorItem, KindView, LedgerEntry, Page,
    Status, TestReport,
};
use crate::words::{
    AccountId, BackendKind, NotificationId, SecretPlace, SignIn, SubscriptionId, Tier,
    TransportKind, Way,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything a client may ask of the resident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "do")]
#[ts(export)]
pub enum Request {
    /// Connections, counts, pause. → [`Reply::Status`]
    Status,
    /// From now on send [`crate::Event`]s on this connection. → [`Reply::Done`]
    Watch,
    /// A page of the inbox. → [`Reply::Page`]
    List(ListQuery),
    /// One notification, whole. → [`Reply::Detail`]
    Show {
        /// Which one.
        id: NotificationId,
    },
    /// Change notifications. → [`Reply::Changed`]
    Change {
        /// Which ones.
        targets: Targets,
        /// What happens to them.
        change: Change,
    },
    /// Undo a change. What was changed again by a later one keeps that. → [`Reply::Changed`]
    Undo {
        /// Exactly this one, as [`Changed::undo`] named it; if none, the last that was not undone yet.
        #[serde(default)]
        #[ts(type = "number | null")]
        step: Option<u64>,
    },
    /// Why it did or did not ring. → [`Reply::Ledger`]
    Why {
        /// Which one.
        id: NotificationId,
    },
    /// Run one of a notification's actions. → [`Reply::Act`]
    Act {
        /// Which notification.
        id: NotificationId,
        /// Index into its actions.
        action: u32,
        /// The user has seen what will be sent and agreed.
        confirmed: bool,
    },
    /// Open a notification's URL with the desktop's handler and mark it read. → [`Reply::Act`]
    OpenLink {
        /// Which notification.
        id: NotificationId,
    },
    /// Open a link of a notification's body or attachment with the desktop's handler. The user has seen
    /// the address and agreed. → [`Reply::Act`]
    OpenUrl {
        /// Which notification.
        id: NotificationId,
        /// The address, as the notification has it.
        url: String,
    },
    /// A notification's icon, or a preview of its attachment: from the cache, or fetched if the settings allow
    /// that. → [`Reply::Picture`]
    Picture {
        /// Which notification.
        id: NotificationId,
        /// Which of its pictures.
        of: PictureOf,
        /// The user asks for it, whatever the settings say.
        asked: bool,
    },
    /// What the pictures take on the disk. → [`Reply::PictureCache`]
    PictureCache,
    /// Remove all pictures from the disk; they are fetched again when they are wanted. → [`Reply::PictureCache`]
    PictureCacheEmpty,
    /// The server families and their sign-in forms. → [`Reply::Kinds`]
    Kinds,
    /// Find out which server answers at a pasted address. → [`Reply::Detected`]
    Detect {
        /// As pasted: with or without a scheme, with or without a topic path.
        url: String,
    },
    /// All accounts with their subscriptions. → [`Reply::Accounts`]
    Accounts,
    /// Add an account. → [`Reply::Account`]
    AccountAdd(AccountDraft),
    /// Add an account by signing in in the browser, which is opened for it. What the draft signs in with does
    /// not count. [`crate::Event::Browse`] names the page. Answered when the user has signed in, after 5 minutes
    /// at most. → [`Reply::Account`]
    AccountAddByBrowser(AccountDraft),
    /// Sign an account in anew in the browser. Answered like the above. → [`Reply::Account`]
    AccountSignInByBrowser {
        /// Which one.
        id: AccountId,
    },
    /// Try an account that is not added yet, hop by hop. → [`Reply::Test`]
    AccountTry(AccountDraft),
    /// Try an existing account, hop by hop. → [`Reply::Test`]
    AccountTest {
        /// Which one.
        id: AccountId,
    },
    /// Change an account. → [`Reply::Account`]
    AccountEdit {
        /// Which one.
        id: AccountId,
        /// What changes.
        edit: AccountEdit,
    },
    /// Remove an account, its notifications and its secret. → [`Reply::Done`]
    AccountRemove {
        /// Which one.
        id: AccountId,
    },
    /// Take another client's settings over, or say what would come of it. → [`Reply::Imported`]
    Import(Import),
    /// What a described server's profile makes of an event. → [`Reply::Previewed`]
    Preview(Preview),
    /// Subscribe to a further topic. → [`Reply::Account`]
    SubscriptionAdd {
        /// Of which account.
        account: AccountId,
        /// The topic's name on the server.
        topic: String,
    },
    /// Change a subscription. → [`Reply::Account`]
    SubscriptionEdit {
        /// Which one.
        id: SubscriptionId,
        /// What changes.
        edit: SubscriptionEdit,
    },
    /// Leave a topic; its notifications stay unless `forget`. → [`Reply::Account`]
    SubscriptionRemove {
        /// Which one.
        id: SubscriptionId,
        /// Delete its notifications too.
        forget: bool,
    },
    /// Retry now: one account, or all. → [`Reply::Done`]
    Reconnect {
        /// Which one; all if none.
        account: Option<AccountId>,
    },
    /// Pause or resume toasts. → [`Reply::Status`]
    Pause(PauseChange),
    /// Publish through an account. → [`Reply::Sent`]
    Send(Outgoing),
    /// The settings. → [`Reply::Settings`]
    Settings,
    /// Replace the settings. → [`Reply::Settings`]
    SettingsSet(AppSettings),
    /// The preferences. → [`Reply::Preferences`]
    Preferences,
    /// Replace the preferences. → [`Reply::Preferences`]
    PreferencesSet(Box<Preferences>),
    /// The preferences and the settings as one document, with names for the numbers in it. → [`Reply::Config`]
    ConfigExport,
    /// Take such a document over, or say what would come of it. → [`Reply::ConfigTaken`]
    ConfigImport(ConfigImport),
    /// Set one value of the document, if it works. → [`Reply::ConfigTaken`]
    ConfigSet {
        /// Which one: `limits.overall`, `quiet.schedules[0].from`, `app.appearance`.
        path: String,
        /// JSON, or a text as it stands; none: back to its default, and an element out of its list.
        value: Option<String>,
    },
    /// Set a row of the grid, for good or until a time; an empty cell takes the row away. There may be several with
    /// different ends: the one that ends first comes first. → [`Reply::Preferences`]
    CellSet(Box<PreferencesRow>),
    /// The grid, with what each row inherits. → [`Reply::Grid`]
    Grid,
    /// The types of notifications, as they came. → [`Reply::Types`]
    Types,
    /// What these preferences would have done in the last days, beside what the present ones did; the present
    /// ones if none. → [`Reply::Simulation`]
    Simulate {
        /// The others.
        preferences: Option<Box<Preferences>>,
        /// 1 to 90.
        days: u32,
    },
    /// Release what waits for a pause, for quiet hours, or for what is on the screen. → [`Reply::Status`]
    DeliverNow,
    /// The quiet hours in force, or the next that begin today, do not hold tonight. → [`Reply::Status`]
    QuietSkip,
    /// Put a card away without deciding. → [`Reply::Status`]
    CardDismiss {
        /// Of this subscription.
        subscription: SubscriptionId,
        /// And of this type; none: its storm.
        kind: Option<String>,
    },
    /// The decisions of some time, oldest first. → [`Reply::Ledgers`]
    Ledgers {
        /// From here on.
        #[ts(type = "string")]
        from: Timestamp,
        /// Continue after this one.
        #[ts(type = "number | null")]
        after: Option<i64>,
        /// At most so many, 1 to 1000.
        limit: u32,
    },
    /// What the user is looking at; sent by a window whenever it changes. → [`Reply::Done`]
    Looking(Presence),
    /// Open a window, or bring it forward. → [`Reply::Done`]
    OpenWindow {
        /// What it shows.
        target: Target,
        /// The desktop's activation token, where there is one.
        token: Option<String>,
    },
    /// A window's last size. → [`Reply::Shape`]
    WindowShape {
        /// `inbox` or `settings`.
        window: String,
    },
    /// Remember a window's size. → [`Reply::Done`]
    WindowShapeSet {
        /// `inbox` or `settings`.
        window: String,
        /// Its size.
        shape: WindowShape,
    },
    /// What works on this desktop. → [`Reply::Doctor`]
    Doctor,
    /// Raise a toast that says it is a test. → [`Reply::Done`]
    TestToast,
    /// Who plays sounds on this desktop. → [`Reply::Sounds`]
    Sounds,
    /// Let a sound be heard: played, or, where only the desktop can play it, with a toast. → [`Reply::Tried`]
    SoundTry {
        /// Which one.
        sound: Sound,
        /// What the default sounds like depends on it.
        tier: Tier,
        /// In percent.
        volume: u8,
    },
    /// Stop the resident. → [`Reply::Done`]
    Quit,
}

/// The answer to a request; which one is said at the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "is", content = "value")]
#[ts(export)]
#[allow(
    clippy::large_enum_variant,
    reason = "a reply is on its way once; nobody keeps many of them"
)]
pub enum Reply {
    /// It is done.
    Done,
    /// Connections, counts, pause.
    Status(Status),
    /// A page of the inbox.
    Page(Page),
    /// One notification.
    Detail(Box<Detail>),
    /// What was changed.
    Changed(Changed),
    /// The ledger of one notification, newest decision last.
    Ledger(Vec<LedgerEntry>),
    /// What came of an action.
    Act(ActOutcome),
    /// A picture.
    Picture {
        /// A PNG file, in base64 (RFC 4648, section 4).
        png: String,
    },
    /// What the pictures take on the disk.
    PictureCache(PictureCache),
    /// The server families.
    Kinds(Vec<KindView>),
    /// The server at an address.
    Detected(Detected),
    /// All accounts.
    Accounts(Vec<AccountView>),
    /// One account.
    Account(AccountView),
    /// What came of an import.
    Imported(ImportReport),
    /// What became of an event.
    Previewed(Box<Previewed>),
    /// A hop-by-hop result.
    Test(TestReport),
    /// The server's id of what was published.
    Sent {
        /// As the server said it.
        remote_id: String,
    },
    /// The settings.
    Settings(AppSettings),
    /// The preferences, and what is wrong with them.
    Preferences(Box<PreferencesView>),
    /// The preferences and the settings as one document.
    Config(Box<Config>),
    /// What came of a change of the document.
    ConfigTaken(Box<ConfigReport>),
    /// The grid.
    Grid(Vec<GridRow>),
    /// The types.
    Types(Vec<TypeView>),
    /// What other preferences would have done.
    Simulation(Box<Simulation>),
    /// Decisions, with what they were about.
    Ledgers(Vec<LedgerLineOf>),
    /// A window's size, if one is remembered.
    Shape(Option<WindowShape>),
    /// What works here.
    Doctor(Vec<DoctorItem>),
    /// Who plays sounds.
    Sounds(SoundsView),
    /// What was tried, in words.
    Tried {
        /// What happened.
        says: String,
    },
}

/// An account to be added or tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AccountDraft {
    /// The server's address; a topic at its end is taken as a subscription.
    pub url: String,
    /// Which family; found out if none.
    #[serde(default)]
    pub kind: Option<BackendKind>,
    /// A name of the user's; the host if empty.
    #[serde(default)]
    pub name: String,
    /// Topics to subscribe to.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The user's names for some of them: topic and name.
    #[serde(default)]
    pub names: Vec<(String, String)>,
    /// How to sign in.
    #[serde(default = "no_sign_in")]
    pub sign_in: SignIn,
    /// The password or token.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Where the secret goes.
    #[serde(default = "keyring")]
    pub secrets: SecretPlace,
    /// A transport fixed by the user; the ladder if none.
    #[serde(default)]
    pub transport: Option<TransportKind>,
    /// Cleartext to other hosts than this one is allowed.
    #[serde(default)]
    pub allow_http: bool,
    /// Extra request headers (for proxies), name and value. Values are kept like secrets.
    #[serde(default)]
    pub headers: Vec<(String, Secret)>,
    /// The family's own settings, a JSON object; empty for none.
    #[serde(default)]
    pub options: String,
    /// How the server is reached.
    #[serde(default)]
    pub way: Way,
    /// `user:password` for the proxy.
    #[serde(default)]
    pub proxy_sign_in: Option<Secret>,
    /// The password of the client certificate's file.
    #[serde(default)]
    pub certificate_password: Option<Secret>,
}

impl Default for AccountDraft {
    fn default() -> Self {
        Self {
            url: String::new(),
            kind: None,
            name: String::new(),
            topics: Vec::new(),
            names: Vec::new(),
            sign_in: SignIn::None,
            secret: None,
            secrets: SecretPlace::Keyring,
            transport: None,
            allow_http: false,
            headers: Vec::new(),
            options: String::new(),
            way: Way::default(),
            proxy_sign_in: None,
            certificate_password: None,
        }
    }
}

fn no_sign_in() -> SignIn {
    SignIn::None
}

fn keyring() -> SecretPlace {
    SecretPlace::Keyring
}

/// What changes about an account; what is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct AccountEdit {
    /// The user's name for it.
    pub name: Option<String>,
    /// The server's address.
    pub url: Option<String>,
    /// How to sign in.
    pub sign_in: Option<SignIn>,
    /// A new password or token.
    pub secret: Option<Secret>,
    /// Where the secret goes.
    pub secrets: Option<SecretPlace>,
    /// Fix a transport, or let the ladder choose.
    pub transport: Option<TransportChoice>,
    /// Cleartext allowed.
    pub allow_http: Option<bool>,
    /// Never toasts.
    pub muted: Option<bool>,
    /// Below this tier: inbox only.
    pub min_tier: Option<Tier>,
    /// Switched off: no connection is held.
    pub disabled: Option<bool>,
    /// The family's own settings.
    pub options: Option<String>,
    /// How the server is reached.
    pub way: Option<Way>,
    /// `user:password` for the proxy; empty: none any more.
    pub proxy_sign_in: Option<Secret>,
    /// The password of the client certificate's file; empty: none any more.
    pub certificate_password: Option<Secret>,
    /// All extra headers from now on; one without a value keeps the value that it has.
    pub headers: Option<Vec<(String, Option<Secret>)>>,
}

/// Who chooses what carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "choice", content = "transport")]
#[ts(export)]
pub enum TransportChoice {
    /// The ladder: best first, the next one where it is blocked.
    Ladder,
    /// The user.
    Fixed(TransportKind),
}

/// What changes about a subscription; what is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct SubscriptionEdit {
    /// The user's name for it; empty for the topic's own.
    pub name: Option<String>,
    /// Never toasts.
    pub muted: Option<bool>,
    /// Below this tier: inbox only.
    pub min_tier: Option<Tier>,
}

/// Pause or resume toasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "pause")]
#[ts(export)]
pub enum PauseChange {
    /// For so long.
    For {
        /// Minutes, 1 to 10 080 (a week).
        #[ts(type = "number")]
        minutes: u32,
        /// Critical notifications ring all the same.
        critical_rings: bool,
    },
    /// Until tomorrow morning, 8:00 in the system's zone.
    UntilTomorrow {
        /// Critical notifications ring all the same.
        critical_rings: bool,
    },
    /// Until the user resumes.
    UntilResumed {
        /// Critical notifications ring all the same.
        critical_rings: bool,
    },
    /// Resume now.
    Off,
}

/// A notification to publish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Outgoing {
    /// Through which account: its id or its name.
    pub account: String,
    /// To which topic.
    pub topic: String,
    /// Title; none if empty.
    #[serde(default)]
    pub title: String,
    /// 1 to 5.
    #[serde(default)]
    pub priority: Option<u8>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Body.
    pub body: String,
    /// When it is delivered, as the server reads it ("30m", "tomorrow, 10am", unix seconds); empty: at once.
    #[serde(default)]
    pub at: String,
    /// What goes with it: an address, or the absolute path of a file; empty: nothing.
    #[serde(default)]
    pub attach: String,
}

/// What the user looks at just now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct Presence {
    /// An inbox window has the keyboard focus.
    pub focused: bool,
    /// The list on screen, where one is: what arrives in it is seen without a toast.
    pub list: Option<ListQuery>,
    /// The notification open in the detail view.
    pub notification: Option<NotificationId>,
}

/// A window's size in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WindowShape {
    /// Width, at least 320.
    pub width: u32,
    /// Height, at least 240.
    pub height: u32,
    /// Fills the screen.
    pub maximized: bool,
}
