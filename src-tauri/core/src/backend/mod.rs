//! Codecs: what each server family says and wants to hear. No I/O, no clock: requests go out as
//! [`Effect`]s, bytes come in as [`Input`]s, the time is an argument. One driver in the engine does
//! the rest. A family is one folder here, one variant of [`BackendKind`], one folder of fixtures and
//! one page of docs.

mod ntfy;
pub mod registry;

use crate::model::{
    BackendKind, Cursor, Draft, HttpRequest, Mirror, Origin, SubscriptionId, TransportKind,
};
use jiff::Timestamp;
use std::time::Duration;
use url::Url;

/// What a family can do, as data.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// Its name.
    pub name: &'static str,
    /// Transports, best first.
    pub transports: &'static [TransportKind],
    /// Read and delete can be told to the server.
    pub mirrors: bool,
    /// Notifications can be published.
    pub sends: bool,
    /// The sign-in form.
    pub fields: &'static [Field],
}

/// A field of the sign-in form.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// `url`, `user`, `secret`, `token` or `topics`.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// A sentence below it.
    pub hint: &'static str,
    /// Hidden while typed.
    pub secret: bool,
}

/// An address as pasted, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The server, ending in `/`, without user info, query and fragment.
    pub base: Url,
    /// Topics that it named.
    pub topics: Vec<String>,
}

/// A topic of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// The server's name for it.
    pub topic: String,
    /// Where to resume; none: it was never filled.
    pub cursor: Option<Cursor>,
}

/// What a session starts from.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The server.
    pub base: Url,
    /// What carries the connection.
    pub transport: TransportKind,
    /// Topics, at least one.
    pub topics: Vec<Topic>,
    /// How far back a new subscription is filled.
    pub fill: Duration,
    /// How often to ask where nothing can be held open.
    pub poll_every: Duration,
}

/// What a session wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open the connection. One at a time.
    Open(HttpRequest),
    /// Make a finite request; its answer comes back as [`Input::Fetched`] with the same tag.
    Fetch {
        /// Chosen by the session.
        tag: u32,
        /// The request.
        request: HttpRequest,
    },
    /// Send a text over the connection.
    Send(String),
    /// Wake me with [`Input::Waited`].
    Wait {
        /// Chosen by the session.
        tag: u32,
        /// After so long.
        time: Duration,
    },
    /// Store a notification.
    Notify {
        /// Where it belongs.
        subscription: SubscriptionId,
        /// What was read.
        draft: Box<Draft>,
        /// How it came.
        origin: Origin,
    },
    /// It was read elsewhere, up to this version.
    Read {
        /// Where it belongs.
        subscription: SubscriptionId,
        /// Which one.
        replace_key: String,
        /// Versions up to this one are read.
        version: i64,
    },
    /// It was deleted elsewhere, up to this version.
    Remove {
        /// Where it belongs.
        subscription: SubscriptionId,
        /// Which one.
        replace_key: String,
        /// Versions up to this one are gone.
        version: i64,
    },
    /// Everything before this was handed over: it may be stored as the place to resume.
    Advance {
        /// Of which subscription.
        subscription: SubscriptionId,
        /// The new position.
        cursor: Cursor,
    },
    /// The backlog of this subscription is complete.
    Filled {
        /// Of which subscription.
        subscription: SubscriptionId,
        /// The server said that it no longer holds, or did not send, all of it.
        incomplete: bool,
    },
    /// The server refused this topic alone; the others go on. Empty words: it is fine again.
    TopicRefused {
        /// Which one.
        subscription: SubscriptionId,
        /// Why, for the user.
        says: String,
    },
    /// The connection proved that it is alive and complete.
    Live,
    /// The server is alive.
    KeepAlive,
    /// A frame could not be read; the stream goes on.
    Unreadable {
        /// Its start, for the log; never a secret.
        frame: String,
    },
    /// This connection has failed.
    Fail(Failure),
}

/// Why a connection has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What to do about it.
    pub kind: FailureKind,
    /// For the user.
    pub says: String,
    /// Not before so long.
    pub retry_after: Option<Duration>,
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Wait and try again.
    Transient,
    /// This transport is blocked here: try the next one of the ladder.
    Blocked,
    /// The credential was refused: ask the user.
    SignIn,
    /// The server does not allow it: ask the user.
    Forbidden,
    /// There is nothing of that kind at this address: ask the user.
    WrongAddress,
}

/// What a session is told.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The connection is open.
    Opened,
    /// A frame: a WebSocket text, a line, the data of an event.
    Frame(&'a str),
    /// Bytes without content: a ping, a comment, an empty line.
    Alive,
    /// The server refused to open the connection.
    Refused {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, if it was sent.
        retry_after: Option<Duration>,
        /// The start of the body.
        body: &'a str,
    },
    /// Part of the answer to a [`Effect::Fetch`].
    Fetched {
        /// The request's tag.
        tag: u32,
        /// Which part.
        part: Fetched<'a>,
    },
    /// A [`Effect::Wait`] is over.
    Waited {
        /// Its tag.
        tag: u32,
    },
}

/// Part of an answer, in this order: one head, lines, one end.
#[derive(Clone, Copy, Debug)]
pub enum Fetched<'a> {
    /// Status 200 came, with these headers, names in lower case.
    Head(&'a [(String, String)]),
    /// A line of the body.
    Line(&'a str),
    /// The body is complete.
    End,
    /// Another status came.
    Refused {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, if it was sent.
        retry_after: Option<Duration>,
        /// The start of the body.
        body: &'a str,
    },
}

/// One connection's side of the conversation. Made anew for each attempt.
pub trait Session: Send {
    /// The first effects.
    fn start(&mut self, now: Timestamp) -> Vec<Effect>;
    /// What follows from an input. Never panics, whatever the bytes.
    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect>;
}

/// A notification to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// To which topic.
    pub topic: String,
    /// Title; none if empty.
    pub title: String,
    /// 1 to 5; 3 if none.
    pub priority: Option<u8>,
    /// Tags.
    pub tags: Vec<String>,
    /// Body.
    pub body: String,
}

/// A server family.
pub trait Backend: Send + Sync {
    /// Which one.
    fn kind(&self) -> BackendKind;
    /// What it can do.
    fn capabilities(&self) -> &'static Capabilities;
    /// Takes a pasted address apart. The scheme is there already.
    fn address(&self, pasted: &Url) -> Address;
    /// A request whose answer tells whether this family lives at `base`.
    fn probe(&self, base: &Url) -> HttpRequest;
    /// Whether the answer to [`Backend::probe`] is this family's.
    fn recognise(&self, status: u16, body: &str) -> bool;
    /// Whether a topic's name can be one; the words say what is allowed.
    fn check_topic(&self, topic: &str) -> Result<(), String>;
    /// A request whose answer tells whether the credential may read `topic`.
    fn access(&self, base: &Url, topic: &str) -> HttpRequest;
    /// What the answer to [`Backend::access`] says; `Ok` if it may be read.
    fn judge_access(&self, status: u16, body: &str, topic: &str) -> Result<(), Failure>;
    /// A connection's codec.
    fn session(&self, resume: Resume) -> Box<dyn Session>;
    /// Tells the server of a change; none where it cannot be told.
    fn mirror(
        &self,
        base: &Url,
        topic: &str,
        replace_key: &str,
        change: Mirror,
    ) -> Option<HttpRequest>;
    /// Publishes.
    fn publish(&self, base: &Url, publication: &Publication) -> HttpRequest;
    /// The server's id in the answer to [`Backend::publish`], or its error in words.
    fn published(&self, status: u16, body: &str) -> Result<String, Failure>;
}
