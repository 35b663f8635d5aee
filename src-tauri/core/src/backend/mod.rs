//! Codecs: what each server family says and wants to hear. No I/O, no clock: requests go out as
//! [`Effect`]s, bytes come in as [`Input`]s, the time is an argument. One driver in the engine does
//! the rest. A family is one folder here, one variant of [`BackendKind`], one folder of fixtures and
//! one page of docs.

mod browser;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod custom;
mod gotify;
mod mercure;
mod missing;
mod nchan;
mod ntfy;
mod own_id;
pub mod payload;
pub mod pkce;
mod publication;
mod pusher;
pub mod registry;

pub use browser::{Browser, BrowserPage};
pub use missing::Missing;
pub use publication::{Attach, Publication};

pub use crate::model::Offered;

use crate::model::{
    BackendKind, Cursor, Draft, HttpRequest, Mirror, Origin, Quota, SignIn, StepChange,
    SubscriptionId, TransportKind,
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
    /// The server says which subscriptions there are ([`Effect::Offer`]), so that an account without any
    /// is connected all the same.
    pub offers: bool,
    /// How often the server says something on a quiet stream; none: not known, and a quiet stream is
    /// opened anew now and then.
    pub keepalive: Option<Duration>,
    /// The sign-in form.
    pub fields: &'static [Field],
}

/// A field of the sign-in form. `url`, `user`, `secret`, `token` and `topics` go where every account has
/// them; all others are members of the account's options, a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// A sentence below it.
    pub hint: &'static str,
    /// How it is entered.
    pub kind: FieldKind,
}

/// How a field is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line.
    Text,
    /// One line, hidden while typed.
    Secret,
    /// Several lines.
    Lines,
    /// Yes or no.
    Switch,
    /// One of these: value and label. The first is taken where nothing was chosen.
    Choice(&'static [(&'static str, &'static str)]),
}

/// Where an account lives and how its family is told to treat it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address, ending in `/` where the family has fixed paths below it.
    pub base: Url,
    /// The family's own settings: a JSON object, or empty for none. Checked by [`Backend::check_options`].
    pub options: String,
}

/// An address as pasted, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The server, without user info and fragment; where the family has fixed paths, ending in `/` and
    /// without a query.
    pub base: Url,
    /// Topics that it named.
    pub topics: Vec<String>,
    /// Settings that it implied; empty for none.
    pub options: String,
}

/// What a request of [`Backend::probes`] brought.
#[derive(Clone, Copy, Debug)]
pub struct Probed<'a> {
    /// Which of the requests.
    pub probe: usize,
    /// Where it went.
    pub url: &'a Url,
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The start of the body: all of a short answer, or what a stream showed in its first seconds.
    pub body: &'a str,
}

/// A family found itself at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The address taken apart, perhaps another than the one pasted.
    pub address: Address,
    /// What gave it away, in words for the user ("It answers as Gotify 2.6.").
    pub says: String,
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
    /// Topics; at least one, unless the family offers them.
    pub topics: Vec<Topic>,
    /// The family's own settings; empty for none.
    pub options: String,
    /// Some credential is there, so that an anonymous connection would be less than was asked for.
    pub signed_in: bool,
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
    /// Make a request beside the connection; its answer comes back as [`Input::Fetched`] with the same tag. It
    /// may be a further stream, if it is read line by line.
    Fetch {
        /// Chosen by the session.
        tag: u32,
        /// The request.
        request: HttpRequest,
        /// How its answer is read.
        read: Read,
    },
    /// Send a text over the connection.
    Send(String),
    /// Send a text with the credential in it: `{user}` and `{secret}` stand for JSON-escaped values.
    SendSignIn(String),
    /// These subscriptions are on the server: add those that are not here yet, keep their names. Answered
    /// with [`Input::Offered`].
    Offer(Vec<Offered>),
    /// The account's user is subscribed to exactly these on the server, and wants to be to the same here: what is
    /// new on either side is added to the other. Answered with [`Input::Offered`], which then has all of the account's
    /// subscriptions.
    InStep {
        /// Under which of the server's addresses new ones are kept there.
        place: String,
        /// What the server has.
        listed: Vec<Offered>,
    },
    /// How much the server lets this account do.
    Quota(Box<Quota>),
    /// Of all versions in this range, the server has only these; what else is here of them was deleted
    /// there.
    Only {
        /// Of which subscriptions.
        subscriptions: Vec<SubscriptionId>,
        /// The least version looked at.
        from: i64,
        /// The greatest version looked at.
        to: i64,
        /// Remote ids that are there.
        remote_ids: Vec<String>,
    },
    /// A quiet stream is dead after this: the server's keepalive was learnt. A WebSocket has its own ping
    /// and does not mind.
    Silence(Duration),
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
        /// Why it is not all of it; none: it is.
        missing: Option<Missing>,
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

/// How the answer to a fetch is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Line by line, as [`Fetched::Line`]; lines above the limit are skipped.
    Lines,
    /// As one text, [`Fetched::Body`], of at most 16 MiB.
    Whole,
    /// The same, of a server that the connection can do without for now: where there is no answer, or only
    /// part of one, that too is a refusal, with status 0 and the reason, in words for the user, as its body.
    Apart,
    /// The backlog at the start of a stream, line by line: it is over when nothing came for so long. After
    /// 16 MiB it is cut, [`Fetched::TooLong`].
    Backlog {
        /// Of silence.
        quiet: Duration,
    },
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
    /// Nothing is wrong: it ended as agreed, or is opened anew on purpose. At once, unless it was opened
    /// just now.
    Again,
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
    Opened {
        /// Headers of the answer, names in lower case.
        headers: &'a [(String, String)],
    },
    /// A frame: a WebSocket text, a line.
    Frame(&'a str),
    /// A server-sent event.
    Event {
        /// Its type; `message` where it has none.
        name: &'a str,
        /// The last event id; empty where there is none.
        id: &'a str,
        /// Its data.
        data: &'a str,
    },
    /// The server ended the connection in an orderly way. What the session leaves open after this is a
    /// transient failure.
    Closed {
        /// WebSocket close code (RFC 6455, 7.4).
        code: Option<u16>,
        /// Its reason; empty where there is none.
        reason: &'a str,
    },
    /// The answer to [`Effect::Offer`]: topics with their subscriptions; none where the user left it.
    Offered(&'a [(String, Option<SubscriptionId>)]),
    /// A comment of an event stream.
    Comment(&'a str),
    /// The last event id moved without an event.
    Position {
        /// The id now in force.
        id: &'a str,
    },
    /// Bytes without content: a ping, an empty line.
    Alive,
    /// The server refused to open the connection.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Headers, names in lower case.
        headers: &'a [(String, String)],
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

/// Part of an answer, in this order: one head; lines, or one body; one end.
#[derive(Clone, Copy, Debug)]
pub enum Fetched<'a> {
    /// A status of 2xx came, with these headers, names in lower case.
    Head(&'a [(String, String)]),
    /// A line of the body.
    Line(&'a str),
    /// The whole body.
    Body(&'a str),
    /// The body is too long to be read as one.
    TooLong,
    /// The body is complete.
    End,
    /// Another status came (304 too), or none in time (408), or none at all (0, with [`Read::Apart`]).
    Refused {
        /// The HTTP status.
        status: u16,
        /// Headers, names in lower case.
        headers: &'a [(String, String)],
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
    /// From now on it is these topics, while the connection is live: what that takes, without disturbing
    /// those that stay. None where a connection is for its topics from the beginning: then another one is
    /// opened beside it.
    fn topics(&mut self, _topics: &[Topic], _now: Timestamp) -> Option<Vec<Effect>> {
        None
    }
}

/// A subscription that was added, left or named here.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What happened to it.
    pub change: StepChange,
    /// Under which of the server's addresses it is kept there.
    pub place: &'a str,
    /// Its topic.
    pub topic: &'a str,
    /// What its user calls it; empty for none.
    pub name: &'a str,
}

/// A server family.
pub trait Backend: Send + Sync {
    /// Which one.
    fn kind(&self) -> BackendKind;
    /// What it can do.
    fn capabilities(&self) -> &'static Capabilities;
    /// Transports of this account's server, best first.
    fn transports(&self, _server: &Server) -> Vec<TransportKind> {
        self.capabilities().transports.to_vec()
    }
    /// How requests carry what the user chose to sign in with.
    fn sent_as(&self, _server: &Server, chosen: &SignIn) -> SignIn {
        chosen.clone()
    }
    /// Takes a pasted address apart. The scheme is there already.
    fn address(&self, pasted: &Url) -> Address;
    /// Requests whose answers tell whether this family lives at a pasted address, without a credential.
    fn probes(&self, pasted: &Url) -> Vec<HttpRequest>;
    /// The same of a server that is set up already; none where nothing of it can be recognised.
    fn test_probes(&self, server: &Server) -> Vec<HttpRequest> {
        self.probes(&server.base)
    }
    /// Whether the answer to one of [`Backend::probes`] is this family's.
    fn recognise(&self, pasted: &Url, probed: &Probed<'_>) -> Option<Found>;
    /// The account's options in the form in which they are kept; an error says what is wrong with them.
    fn check_options(&self, options: &str) -> Result<String, String> {
        if options.trim().is_empty() {
            Ok(String::new())
        } else {
            Err("Servers of this kind have no further settings.".to_owned())
        }
    }
    /// Other addresses than the server's that get the account's credential, because its user entered
    /// them: where tokens or the history come from.
    fn own_addresses(&self, _server: &Server) -> Vec<Url> {
        Vec::new()
    }
    /// Whether this address is that of a file which the server keeps for notifications: only such get the
    /// account's credential. Asking for another one may do something there, and a publisher chose it.
    fn is_file(&self, _server: &Server, _url: &Url) -> bool {
        false
    }
    /// Whether a topic's name can be one; the words say what is allowed.
    fn check_topic(&self, topic: &str) -> Result<(), String>;
    /// Whether a token can be one that reads; the words say what else it is.
    fn check_token(&self, _token: &str) -> Result<(), String> {
        Ok(())
    }
    /// A request whose answer tells whether the credential may read `topic`; the topic is empty where an
    /// account has none. None where only a connection can tell.
    fn access(&self, server: &Server, topic: &str) -> Option<HttpRequest>;
    /// What the answer to [`Backend::access`] says; `Ok` if it may be read.
    fn judge_access(&self, status: u16, body: &str, topic: &str) -> Result<(), Failure>;
    /// Whether the server may say which subscriptions there are, so that an account without any is connected
    /// all the same.
    fn offers(&self, _server: &Server, _sign_in: &SignIn) -> bool {
        self.capabilities().offers
    }
    /// Whether the account's subscriptions are kept in step with its user's on the server, if that has such
    /// ([`Effect::InStep`]).
    fn in_step(&self, _server: &Server, _sign_in: &SignIn) -> bool {
        false
    }
    /// Tells the server's account of a subscription that was added, left or named here; none where it cannot
    /// be told.
    fn tell_step(&self, _server: &Server, _step: &Step<'_>) -> Option<HttpRequest> {
        None
    }
    /// Asks how much the account may do; none where the server does not say.
    fn ask_quota(&self, _server: &Server) -> Option<HttpRequest> {
        None
    }
    /// What the answer to [`Backend::ask_quota`] says; none: nothing.
    fn quota(&self, _body: &str, _now: Timestamp) -> Option<Quota> {
        None
    }
    /// A request, signed in with user name and password, whose answer holds a token that takes their
    /// place; none where the password is kept. `device` names this computer.
    fn exchange(&self, _server: &Server, _device: &str) -> Option<HttpRequest> {
        None
    }
    /// The token in the answer to [`Backend::exchange`]; `None` where the server has no such thing and the
    /// password is kept.
    fn exchanged(&self, _status: u16, _body: &str) -> Result<Option<String>, Failure> {
        Ok(None)
    }
    /// The same where it depends on the account's options.
    fn exchanged_at(
        &self,
        _server: &Server,
        status: u16,
        body: &str,
    ) -> Result<Option<String>, Failure> {
        self.exchanged(status, body)
    }
    /// What names the token in such an answer where it is to be revoked, never the token itself; empty: it
    /// cannot be revoked.
    fn made_token(&self, _body: &str) -> String {
        String::new()
    }
    /// Revokes the token that this name names; the request is signed in with that very token.
    fn revoke(&self, _server: &Server, _made_token: &str) -> Option<HttpRequest> {
        None
    }
    /// The sign-in in the browser; none where the family has none.
    fn browser(&self) -> Option<&'static dyn Browser> {
        None
    }
    /// A connection's codec.
    fn session(&self, resume: Resume) -> Box<dyn Session>;
    /// Tells the server of a change; none where it cannot be told.
    fn mirror(
        &self,
        _server: &Server,
        _topic: &str,
        _replace_key: &str,
        _change: Mirror,
    ) -> Option<HttpRequest> {
        None
    }
    /// Whether this can be published, beyond what every family can do; the words say what cannot.
    fn check_publication(&self, publication: &Publication) -> Result<(), String> {
        let name = self.capabilities().name;
        if !publication.at.is_empty() {
            return Err(format!(
                "{name} delivers at once and cannot wait. Leave the time out, or let a timer of your own send it."
            ));
        }
        match publication.attach {
            Some(_) => Err(format!(
                "{name} takes no attachments. Put a link into the text instead."
            )),
            None => Ok(()),
        }
    }
    /// Publishes; none where that cannot be done.
    fn publish(&self, _server: &Server, _publication: &Publication) -> Option<HttpRequest> {
        None
    }
    /// The server's id in the answer to [`Backend::publish`], or its error in words.
    fn published(&self, _status: u16, _body: &str) -> Result<String, Failure> {
        Ok(String::new())
    }
}
