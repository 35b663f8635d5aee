//! What a client sees. Plain data; times are RFC 3339 in UTC.

use crate::picture::PicturePreview;
use crate::policy::{Back, CardView, HeldView, QuietNext, QuietView};
use crate::words::{
    AccountId, ActionKind, BackendKind, Format, NotificationId, SecretPlace, SignIn,
    SubscriptionId, Tier, TransportKind, Way,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A notification in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Row {
    /// Its id.
    pub id: NotificationId,
    /// Its account.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// The subscription's name.
    pub subscription_name: String,
    /// The server's topic.
    pub topic: String,
    /// Its type, empty where none is known.
    #[serde(rename = "type")]
    pub kind: String,
    /// Title, neutralised for display; the subscription's name where the sender gave none.
    pub title: String,
    /// The first 200 characters of the body, one line, neutralised.
    pub preview: String,
    /// Emoji that the tags stand for, joined; empty if none.
    pub emoji: String,
    /// Tags that stand for no emoji.
    pub tags: Vec<String>,
    /// How much attention.
    pub tier: Tier,
    /// 1 to 5.
    pub priority: u8,
    /// When the server made it.
    #[ts(type = "string")]
    pub created_at: Timestamp,
    /// When it came here.
    #[ts(type = "string")]
    pub received_at: Timestamp,
    /// Was on screen.
    pub seen: bool,
    /// Was opened or marked.
    pub read: bool,
    /// In the archive.
    pub done: bool,
    /// When it comes back, where it is snoozed.
    pub back: Option<Back>,
    /// Has a link to open.
    pub has_url: bool,
    /// Has an icon that may be loaded: [`crate::Request::Picture`].
    pub icon: bool,
    /// How many actions it has.
    pub actions: u32,
    /// How many earlier versions are kept.
    pub revisions: u32,
}

/// One notification, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Detail {
    /// As in the list.
    pub row: Row,
    /// The server's id.
    pub remote_id: String,
    /// The whole body, neutralised.
    pub body: String,
    /// How it is written.
    pub format: Format,
    /// Sanitised HTML of a Markdown body; empty for plain text.
    pub html: String,
    /// The link, if it may be opened.
    pub url: Option<String>,
    /// The actions.
    pub actions: Vec<ActionView>,
    /// The attachment, if any.
    pub attachment: Option<AttachmentView>,
    /// Earlier versions, newest first.
    pub revisions: Vec<RevisionView>,
    /// The original frame, for "view source".
    pub raw: String,
}

/// An action of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ActionView {
    /// What it does.
    pub kind: ActionKind,
    /// Its label.
    pub label: String,
    /// What will happen, in words: "Opens https://…", "Sends POST to …".
    pub says: String,
}

/// A file that belongs to a notification; it stays on the server, but for a preview of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AttachmentView {
    /// File name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Media type, empty if unknown.
    pub media_type: String,
    /// Bytes, if known.
    #[ts(type = "number | null")]
    pub size: Option<u64>,
    /// When the server drops it.
    #[ts(type = "string | null")]
    pub expires_at: Option<Timestamp>,
    /// What can be shown of it here.
    pub preview: PicturePreview,
}

/// An earlier version of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RevisionView {
    /// When it was replaced.
    #[ts(type = "string")]
    pub replaced_at: Timestamp,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
}

/// A page of the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Page {
    /// Newest first.
    pub rows: Vec<Row>,
    /// Pass as `before` for the next page; none at the end.
    pub next: Option<String>,
}

/// How many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Counts {
    /// Unread in the inbox and not muted: the badge.
    #[ts(type = "number")]
    pub unread: u64,
    /// Of these, critical.
    #[ts(type = "number")]
    pub critical: u64,
    /// In the inbox.
    #[ts(type = "number")]
    pub all: u64,
    /// In the archive.
    #[ts(type = "number")]
    pub done: u64,
    /// Waiting for a pause to end.
    #[ts(type = "number")]
    pub held: u64,
    /// Changes owed to servers.
    #[ts(type = "number")]
    pub owed: u64,
}

/// A pause in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PauseView {
    /// When it ends; none: when the user resumes.
    #[ts(type = "string | null")]
    pub until: Option<Timestamp>,
    /// Critical notifications ring all the same.
    pub critical_rings: bool,
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Status {
    /// The resident's version.
    pub version: String,
    /// How many.
    pub counts: Counts,
    /// The pause in force, if any.
    pub pause: Option<PauseView>,
    /// Quiet hours in force, if any.
    #[serde(default)]
    pub quiet: Option<QuietView>,
    /// The next quiet hours within some days, where none are in force.
    #[serde(default)]
    pub next_quiet: Option<QuietNext>,
    /// What waits, by cause, the first due first.
    #[serde(default)]
    pub held: Vec<HeldView>,
    /// What is so around the screen, as words: `locked`, `presenting`, `full_screen`, `screen_shared`,
    /// `do_not_disturb`.
    #[serde(default)]
    pub around: Vec<String>,
    /// What of that this desktop tells at all, as the same words.
    #[serde(default)]
    pub told: Vec<String>,
    /// What the user may want to decide.
    #[serde(default)]
    pub cards: Vec<CardView>,
    /// One per account.
    pub connections: Vec<ConnectionView>,
    /// Things the user should know, in words, most important first: a full disk, a database that was
    /// moved aside, no tray host.
    pub notices: Vec<String>,
    /// The last three notifications of the inbox, newest first.
    pub latest: Vec<Row>,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ConnectionState {
    /// Nothing to connect: no subscription, or switched off.
    Idle,
    /// Being opened.
    Connecting,
    /// Open and proven alive.
    Live,
    /// Waiting to try again.
    Waiting,
    /// The machine has no network.
    Offline,
    /// Needs the user.
    Stopped,
}

/// One account's connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConnectionView {
    /// Whose.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// Where it stands.
    pub state: ConnectionState,
    /// What carries it, while it is connecting or live.
    pub transport: Option<TransportKind>,
    /// Since when it is in this state.
    #[ts(type = "string")]
    pub since: Timestamp,
    /// When it tries again.
    #[ts(type = "string | null")]
    pub retry_at: Option<Timestamp>,
    /// The reason, in words; empty where there is nothing to say.
    pub problem: String,
    /// What the server said when it was last asked how much this account may do; none: nothing.
    pub quota: Option<Box<Quota>>,
}

/// How much a server lets an account do. What it did not say is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Quota {
    /// When it was asked.
    #[ts(type = "string")]
    pub as_of: Timestamp,
    /// What the account is called there ("Pro"); empty for none.
    pub tier: String,
    /// Messages a day.
    #[ts(type = "number | null")]
    pub messages: Option<u64>,
    /// Of these, left today.
    #[ts(type = "number | null")]
    pub messages_left: Option<u64>,
    /// Topics that can be reserved.
    #[ts(type = "number | null")]
    pub reservations: Option<u64>,
    /// Of these, left.
    #[ts(type = "number | null")]
    pub reservations_left: Option<u64>,
    /// Bytes of an attachment; 0: there can be none.
    #[ts(type = "number | null")]
    pub file_size: Option<u64>,
    /// Bytes of all attachments.
    #[ts(type = "number | null")]
    pub files_size: Option<u64>,
    /// Of these, left.
    #[ts(type = "number | null")]
    pub files_left: Option<u64>,
    /// When the day is over that messages are counted for.
    #[ts(type = "string | null")]
    pub resets_at: Option<Timestamp>,
    /// All of it, in words.
    pub says: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// The server family.
    pub kind: BackendKind,
    /// The user's name for it.
    pub name: String,
    /// The server's address.
    pub url: String,
    /// How it signs in.
    pub sign_in: SignIn,
    /// Where its secret is.
    pub secrets: SecretPlace,
    /// A transport fixed by the user.
    pub transport: Option<TransportKind>,
    /// Transports the backend has, best first.
    pub transports: Vec<TransportKind>,
    /// Cleartext allowed.
    pub allow_http: bool,
    /// Never toasts.
    pub muted: bool,
    /// Below this tier: inbox only.
    pub min_tier: Tier,
    /// Switched off.
    pub disabled: bool,
    /// The family's own settings, a JSON object; empty for none.
    pub options: String,
    /// How its server is reached.
    pub way: Way,
    /// Names of its extra request headers.
    pub headers: Vec<String>,
    /// Its connection.
    pub connection: ConnectionView,
    /// Its subscriptions.
    pub subscriptions: Vec<SubscriptionView>,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SubscriptionView {
    /// Its id.
    pub id: SubscriptionId,
    /// The server's topic.
    pub topic: String,
    /// The user's name for it; the topic if none was given.
    pub name: String,
    /// Never toasts.
    pub muted: bool,
    /// Below this tier: inbox only.
    pub min_tier: Tier,
    /// Unread in the inbox.
    #[ts(type = "number")]
    pub unread: u64,
    /// What the server said about this topic alone ("You may not read it"); empty if nothing.
    pub problem: String,
    /// It was removed from its user's account on the server, and is off here; what it sent stays.
    pub off: bool,
    /// What is known of its being whole.
    pub continuity: Continuity,
}

/// What is known of a subscription's being whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Continuity {
    /// Unbroken since; none before the first connection.
    #[ts(type = "string | null")]
    pub since: Option<Timestamp>,
    /// The latest gaps, newest first, at most ten.
    pub gaps: Vec<GapView>,
}

/// A time during which the subscription was away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GapView {
    /// From.
    #[ts(type = "string")]
    pub from: Timestamp,
    /// To.
    #[ts(type = "string")]
    pub to: Timestamp,
    /// How many notifications were fetched for it afterwards.
    #[ts(type = "number")]
    pub filled: u64,
    /// Why not all of it could be had, in words; empty: it is complete.
    pub missing: String,
}

/// A server family and its sign-in form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KindView {
    /// Which one.
    pub kind: BackendKind,
    /// Its name.
    pub name: String,
    /// Fields of the form, in order.
    pub fields: Vec<FieldView>,
    /// Transports, best first.
    pub transports: Vec<TransportKind>,
    /// Read, deleted and the like can be told to the server.
    pub mirrors: bool,
    /// Notifications can be published.
    pub sends: bool,
    /// Its users can sign in in the browser, where their server offers it.
    pub browser: bool,
}

/// A field of a sign-in form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FieldView {
    /// `url`, `user`, `secret`, `topics` or `token`; every other one is a member of the options.
    pub name: String,
    /// Its label.
    pub label: String,
    /// A sentence below it; may be empty.
    pub hint: String,
    /// How it is entered.
    pub kind: FieldKind,
    /// What can be chosen, where it is a choice: value and label.
    pub choices: Vec<(String, String)>,
}

/// How a field is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum FieldKind {
    /// One line.
    Text,
    /// One line, hidden while typed.
    Secret,
    /// Several lines.
    Lines,
    /// Yes or no.
    Switch,
    /// One of several; the first where nothing was chosen.
    Choice,
}

/// What was found at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Detected {
    /// The family, if one was recognised.
    pub kind: Option<BackendKind>,
    /// The address to use, cleaned.
    pub url: String,
    /// Topics that the address named.
    pub topics: Vec<String>,
    /// Names that it gave to some of them: topic and name.
    pub names: Vec<(String, String)>,
    /// Settings of the family that it implied, a JSON object; empty for none.
    pub options: String,
    /// What was found, in words.
    pub says: String,
}

/// The result of a test, hop by hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TestReport {
    /// In order; a hop that was not reached is not listed.
    pub hops: Vec<Hop>,
    /// All of them worked.
    pub ok: bool,
}

/// One hop of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Hop {
    /// `DNS`, `TCP`, `TLS`, `HTTP`, `Sign-in`, `Topic …`.
    pub name: String,
    /// How it went.
    pub result: HopResult,
    /// What happened, in words, and what to do if it failed.
    pub says: String,
    /// How long it took, milliseconds.
    #[ts(type = "number")]
    pub millis: u64,
    /// The SHA-256 of a certificate that nobody vouches for, in hexadecimal: what its user may compare and
    /// trust ([`Way::pin`]). Empty otherwise.
    pub certificate: String,
}

/// How a hop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum HopResult {
    /// It worked.
    Ok,
    /// It worked, but there is something to know.
    Warning,
    /// It failed.
    Failed,
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Changed {
    /// How many were changed.
    #[ts(type = "number")]
    pub count: u64,
    /// In words: "3 notifications marked read".
    pub says: String,
    /// Names the change to [`crate::Request::Undo`]; none where there is nothing to undo.
    #[ts(type = "number | null")]
    pub undo: Option<u64>,
}

/// What came of running an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[ts(export)]
pub enum ActOutcome {
    /// Opened with the desktop's handler.
    Opened {
        /// What was opened.
        url: String,
    },
    /// Sent.
    Sent {
        /// The HTTP status.
        status: u16,
    },
    /// The client is asked to put this on the clipboard.
    Copy {
        /// The text.
        text: String,
    },
    /// The user has to agree first; ask again with `confirmed`.
    Confirm {
        /// What will be sent, in words.
        says: String,
    },
}

/// One decision about one notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LedgerEntry {
    /// When it was decided.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// The verdict, in words.
    pub verdict: String,
    /// What came of it: "Shown at 10:41", "Waits for the pause to end".
    pub progress: String,
    /// Every rule that was asked, in order.
    pub lines: Vec<LedgerLine>,
}

/// What one rule said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LedgerLine {
    /// The rule's name.
    pub rule: String,
    /// It decided.
    pub decided: bool,
    /// Why, in words.
    pub says: String,
}

/// One thing the doctor looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DoctorItem {
    /// `Tray`, `Notifications`, `Keyring`, `Network`, `Database`.
    pub name: String,
    /// How it is.
    pub verdict: DoctorVerdict,
    /// What was found, in words.
    pub says: String,
    /// What to do about it; empty if nothing.
    pub advice: String,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DoctorVerdict {
    /// It works.
    Good,
    /// It works in part.
    Fair,
    /// It does not work.
    Bad,
}
