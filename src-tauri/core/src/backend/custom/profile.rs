//! A described server: what its owner writes about it, as TOML. `docs/backends/custom.md` explains every
//! table.

use super::template::Template;
use crate::backend::payload::{Mapping, Patterns, is_pointer};
use crate::model::{Method, TransportKind};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest profile, in bytes.
const LONGEST: usize = 64 * 1024;
/// Entries of one list or table.
const MOST: usize = 64;
/// The longest time that can be named, in seconds.
const LONGEST_TIME: u64 = 24 * 3600;

/// A described server.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Profile {
    pub kind: Option<Kind>,
    pub name: String,
    /// How often a quiet stream says something, in seconds.
    pub keepalive: Option<u64>,
    pub auth: Option<Auth>,
    pub login: Option<Login>,
    pub websocket: Option<Endpoint>,
    pub sse: Option<Endpoint>,
    pub http_stream: Option<Endpoint>,
    pub long_poll: Option<Endpoint>,
    pub poll: Option<Endpoint>,
    pub cursor: CursorAt,
    pub history: Option<History>,
    pub read: Option<Ask>,
    pub delete: Option<Ask>,
    pub ack: Option<Ack>,
    pub map: Mapping,
}

/// That it is a profile of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Custom,
}

/// Where the credential goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    pub by: AuthBy,
    /// Of the header, parameter or cookie.
    #[serde(default)]
    pub name: String,
    /// What stands before the secret in a subprotocol.
    #[serde(default)]
    pub prefix: String,
}

/// What carries the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthBy {
    Basic,
    Bearer,
    Header,
    Query,
    Cookie,
    Subprotocol,
    Message,
}

/// HTTP methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Delete,
    Patch,
}

impl From<Verb> for Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Get => Self::Get,
            Verb::Post => Self::Post,
            Verb::Put => Self::Put,
            Verb::Delete => Self::Delete,
            Verb::Patch => Self::Patch,
        }
    }
}

/// A table that describes a request, with what it has besides.
macro_rules! request {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $name {
            /// A path below the account's address, or an address; empty for the account's.
            pub url: Template,
            /// GET; POST where there is a body.
            pub method: Option<Verb>,
            /// Added to the address. What stands for nothing is left out; `{topic}` is repeated.
            pub query: BTreeMap<String, Template>,
            /// Added to the headers. What stands for nothing is left out.
            pub headers: BTreeMap<String, Template>,
            /// The body.
            pub body: Template,
            /// Its media type; JSON if empty.
            #[serde(rename = "type")]
            pub media_type: String,
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl $name {
            pub(super) fn parts(&self) -> Parts<'_> {
                Parts {
                    url: &self.url,
                    method: self.method,
                    query: &self.query,
                    headers: &self.headers,
                    body: &self.body,
                    media_type: if self.media_type.is_empty() {
                        "application/json"
                    } else {
                        &self.media_type
                    },
                }
            }
        }
    };
}

/// What every described request has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub url: &'a Template,
    pub method: Option<Verb>,
    pub query: &'a BTreeMap<String, Template>,
    pub headers: &'a BTreeMap<String, Template>,
    pub body: &'a Template,
    pub media_type: &'a str,
}

impl Parts<'_> {
    /// Every text in it that is no body.
    fn lines(&self) -> impl Iterator<Item = &Template> {
        std::iter::once(self.url)
            .chain(self.query.values())
            .chain(self.headers.values())
    }

    /// Whether a name is in any of its texts.
    pub(super) fn names(&self, name: &str) -> bool {
        self.lines()
            .chain(std::iter::once(self.body))
            .any(|text| text.names(name))
    }
}

request!(
    /// A request without more.
    Ask {}
);
request!(
    /// What a connection is made to.
    Endpoint {
        /// Offered WebSocket subprotocols.
        protocols: Vec<String>,
        /// Sent once a WebSocket is open; what has `{topic}` in it once for each topic.
        send: Vec<Template>,
        /// A text that is sent now and then.
        ping: Option<Ping>,
        /// What stands before each message; others are skipped.
        prefix: String,
        /// Messages hold one payload a line.
        lines: bool,
        /// Where notifications are in a message or an answer: a list, or an object of them.
        items: Option<String>,
        /// The media type of the payloads.
        content_type: String,
        /// The stream is not told where it was left; the history knows what was missed.
        no_resume: bool,
        /// What is asked for again and again is the history.
        history: bool,
        /// How often to ask, in seconds.
        every: Option<u64>,
        /// How long the server may hold its answer back, in seconds.
        hold: Option<u64>,
        /// What is to be done on what comes; the first that fits.
        on: Vec<Rule>,
    }
);
request!(
    /// A request whose answer holds a token.
    Login {
        /// Where the token is in the answer; empty: the answer is the token.
        token: Option<String>,
        /// The cookie that is the token, in place of a member.
        cookie: String,
        /// A header for the token, in place of `Authorization: Bearer`.
        header: String,
        /// What stands before the token in that header.
        prefix: String,
        /// Where the answer says for how many seconds the token is good.
        expires_in: Option<String>,
        /// The token is put in by `{token}` alone, and no request is signed with it.
        by_name: bool,
        /// Once, when the account is added; the token is kept and the password is not.
        keep: bool,
    }
);
request!(
    /// A request for what was published before.
    History {
        /// Where the list is.
        items: Option<String>,
        /// How the list is ordered.
        order: Order,
        /// Where the answer says how the next page begins (`{page}`), or what its address is.
        next: Option<String>,
        /// The relation of the next page's link (RFC 8288).
        link: String,
        /// Pages read at most.
        pages: Option<u32>,
        /// It shows everything that there is; what is here and not there was deleted there.
        complete: bool,
        /// How the fields of its items are mapped, where that is not as in the stream.
        map: Option<Mapping>,
    }
);

/// How a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// The newest first; what is known ends it.
    #[default]
    NewestFirst,
    /// The oldest first; read to its end.
    OldestFirst,
}

/// A text that is sent now and then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ping {
    /// The text.
    pub send: Template,
    /// In seconds.
    pub every: u64,
    /// Something must come back before the next one.
    #[serde(default)]
    pub answered: bool,
}

/// What is sent for each notification that was stored.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Ack {
    /// Over the WebSocket.
    pub send: Template,
    /// As a request.
    pub request: Option<Ask>,
}

/// Where a message or an answer says how to go on from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CursorAt {
    /// In an event.
    pub event: Option<String>,
    /// In an answer.
    pub answer: Option<String>,
}

/// What is to be done on what comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rule {
    /// It is this text.
    pub text: Patterns,
    /// Its name on the wire.
    pub event: Patterns,
    /// There is something there…
    pub at: Option<String>,
    /// … which is this.
    pub is: Option<Patterns>,
    /// The connection ended with one of these codes.
    pub close: Vec<u16>,
    /// Send these.
    pub send: Vec<Template>,
    /// The subscriptions are in force.
    pub ready: bool,
    /// Fetch the history: something changed.
    pub history: bool,
    /// The connection has failed.
    pub fail: Option<Fail>,
    /// Where it says why.
    pub says: Option<String>,
    /// It holds notifications.
    #[serde(rename = "as")]
    pub holds: Option<Holds>,
    /// Where they are.
    pub items: Option<String>,
    /// Where their id is, if not in themselves. A slash before it is taken off.
    pub id: Option<String>,
}

/// Why it has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fail {
    SignIn,
    Forbidden,
    Again,
    Later,
}

/// What the notifications in it are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Holds {
    /// New, or new versions.
    Notifications,
    /// All that there are.
    Snapshot,
    /// Read elsewhere.
    Read,
    /// Deleted elsewhere.
    Deleted,
}

impl Profile {
    /// Reads it; an error says where it cannot be read and why.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!(
                "The profile is longer than {} KiB.",
                LONGEST / 1024
            ));
        }
        let profile: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let why = error.message().replace('\n', ", ");
            match line {
                Some(line) => format!("The profile cannot be read: line {line}: {why}."),
                None => format!("The profile cannot be read: {why}."),
            }
        })?;
        profile.check()?;
        Ok(profile)
    }

    /// Its endpoints, best first.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = (TransportKind, &Endpoint)> {
        [
            (TransportKind::Websocket, &self.websocket),
            (TransportKind::Sse, &self.sse),
            (TransportKind::HttpStream, &self.http_stream),
            (TransportKind::LongPoll, &self.long_poll),
            (TransportKind::Poll, &self.poll),
        ]
        .into_iter()
        .filter_map(|(kind, endpoint)| Some((kind, endpoint.as_ref()?)))
    }

    /// The endpoint of a transport.
    pub(super) fn endpoint(&self, transport: TransportKind) -> Option<&Endpoint> {
        self.endpoints()
            .find(|(kind, _)| *kind == transport)
            .map(|(_, endpoint)| endpoint)
    }

    /// Whether topics have to be named by the user.
    pub(super) fn wants_topics(&self) -> bool {
        let wants = |parts: Parts<'_>| parts.names("topic") || parts.names("topics");
        let sends = |texts: &[Template]| {
            texts
                .iter()
                .any(|text| text.names("topic") || text.names("topics"))
        };
        self.endpoints().any(|(_, endpoint)| {
            wants(endpoint.parts())
                || sends(&endpoint.send)
                || endpoint.on.iter().any(|rule| sends(&rule.send))
        }) || self.history.as_ref().is_some_and(|it| wants(it.parts()))
            || self.login.as_ref().is_some_and(|it| wants(it.parts()))
    }

    /// All its requests, with the names of their tables.
    pub(super) fn requests(&self) -> Vec<(&'static str, Parts<'_>)> {
        let mut all: Vec<_> = self
            .endpoints()
            .map(|(kind, endpoint)| (word(kind), endpoint.parts()))
            .collect();
        all.extend(self.login.as_ref().map(|it| ("login", it.parts())));
        all.extend(self.history.as_ref().map(|it| ("history", it.parts())));
        all.extend(self.read.as_ref().map(|it| ("read", it.parts())));
        all.extend(self.delete.as_ref().map(|it| ("delete", it.parts())));
        let ack = self.ack.as_ref().and_then(|ack| ack.request.as_ref());
        all.extend(ack.map(|it| ("ack.request", it.parts())));
        all
    }

    fn check(&self) -> Result<(), String> {
        for (table, parts) in self.requests() {
            check_request(table, &parts)?;
        }
        let pointers = [
            ("cursor.event", &self.cursor.event),
            ("cursor.answer", &self.cursor.answer),
        ];
        check_pointers(&pointers)?;
        for (kind, endpoint) in self.endpoints() {
            check_endpoint(word(kind), endpoint)?;
            if endpoint.history && (kind != TransportKind::Poll || self.history.is_none()) {
                return Err(format!(
                    "[{}] asks for the history, which only a poll can, and needs [history].",
                    word(kind)
                ));
            }
        }
        check_time("keepalive", self.keepalive)?;
        if let Some(auth) = &self.auth {
            let named = matches!(auth.by, AuthBy::Header | AuthBy::Query | AuthBy::Cookie);
            if named && auth.name.is_empty() {
                return Err("[auth] needs the name of what carries the secret.".to_owned());
            }
        }
        self.check_login()?;
        if let Some(history) = &self.history {
            check_pointers(&[
                ("history.items", &history.items),
                ("history.next", &history.next),
            ])?;
            if let Some(map) = &history.map {
                map.check()?;
            }
        }
        self.map.check()
    }

    fn check_login(&self) -> Result<(), String> {
        let Some(login) = &self.login else {
            return if self.requests().iter().any(|(_, it)| it.names("token")) {
                Err("{token} stands for what [login] brings, and there is no [login].".to_owned())
            } else {
                Ok(())
            };
        };
        check_pointers(&[
            ("login.token", &login.token),
            ("login.expires_in", &login.expires_in),
        ])?;
        if login.cookie.is_empty() == login.token.is_none() {
            return Err("[login] needs to say where the token is: `token` or `cookie`.".to_owned());
        }
        if login.keep && !login.cookie.is_empty() {
            return Err("[login] can keep a token, and no cookie.".to_owned());
        }
        if !login.keep && (self.read.is_some() || self.delete.is_some()) {
            return Err(
                "[read] and [delete] are told to the server apart from any connection, so [login] must \
                 keep its token: `keep = true`."
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// The word for a transport in a profile.
pub(super) fn word(kind: TransportKind) -> &'static str {
    match kind {
        TransportKind::Websocket => "websocket",
        TransportKind::Sse => "sse",
        TransportKind::HttpStream => "http_stream",
        TransportKind::LongPoll => "long_poll",
        TransportKind::Poll => "poll",
    }
}

fn check_request(table: &str, parts: &Parts<'_>) -> Result<(), String> {
    if let Some(name) = parts.lines().find_map(|text| text.unknown(false)) {
        return Err(format!(
            "[{table}] has {{{name}}} in it, which stands for nothing there."
        ));
    }
    if parts.query.len() + parts.headers.len() > MOST {
        return Err(format!("[{table}] has more than {MOST} parameters."));
    }
    Ok(())
}

fn check_pointers(pointers: &[(&str, &Option<String>)]) -> Result<(), String> {
    for (name, pointer) in pointers {
        if let Some(pointer) = pointer
            && !is_pointer(pointer)
        {
            return Err(format!(
                "{name} is \"{pointer}\", which is no JSON pointer. One looks like /data/items."
            ));
        }
    }
    Ok(())
}

fn check_time(name: &str, time: Option<u64>) -> Result<(), String> {
    match time {
        Some(time) if time == 0 || time > LONGEST_TIME => Err(format!(
            "{name} must be between 1 and {LONGEST_TIME} seconds."
        )),
        _ => Ok(()),
    }
}

fn check_endpoint(table: &str, endpoint: &Endpoint) -> Result<(), String> {
    check_pointers(&[("items", &endpoint.items)])?;
    check_time("every", endpoint.every)?;
    check_time("hold", endpoint.hold)?;
    check_time("ping.every", endpoint.ping.as_ref().map(|ping| ping.every))?;
    let speaks = !endpoint.send.is_empty()
        || endpoint.ping.is_some()
        || endpoint.on.iter().any(|rule| !rule.send.is_empty());
    if speaks && table != "websocket" {
        return Err(format!(
            "[{table}] sends something, which only a WebSocket can."
        ));
    }
    let many = endpoint.on.len().max(endpoint.send.len());
    if many > MOST {
        return Err(format!("[{table}] has more than {MOST} rules or messages."));
    }
    for rule in &endpoint.on {
        check_pointers(&[
            ("on.at", &rule.at),
            ("on.says", &rule.says),
            ("on.items", &rule.items),
            ("on.id", &rule.id),
        ])?;
        if rule.is.is_some() && rule.at.is_none() {
            return Err(format!("[[{table}.on]] has `is` without `at`."));
        }
        let asks = !rule.text.is_empty()
            || !rule.event.is_empty()
            || rule.at.is_some()
            || !rule.close.is_empty();
        if !asks {
            return Err(format!(
                "[[{table}.on]] does not say when: `text`, `event`, `at` or `close`."
            ));
        }
    }
    Ok(())
}
