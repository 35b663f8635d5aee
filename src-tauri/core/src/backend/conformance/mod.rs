//! What every family has to stand: one table of recorded conversations ([`samples`]), one driver that plays
//! them through the real readers ([`world`]), and one set of checks for all of them. What a family legitimately
//! does otherwise is data of its sample; no check asks which family it is. The fuzz targets throw bytes at the
//! same conversations ([`fuzz`]).

#[cfg(test)]
mod checks;
pub mod fuzz;
pub mod samples;
pub mod world;

use crate::model::{BackendKind, HttpRequest, TransportKind};

/// A recorded conversation.
pub struct Sample {
    /// Its name, for whoever reads that it failed.
    pub name: &'static str,
    /// The family.
    pub kind: BackendKind,
    /// What carries it.
    pub transport: TransportKind,
    /// The account's address.
    pub base: &'static str,
    /// The account's options, checked; empty for none.
    pub options: String,
    /// Its topics; none where the family offers them.
    pub topics: &'static [&'static str],
    /// The clock of everybody when it begins, in unix seconds.
    pub now: i64,
    /// What is published, in order.
    pub messages: Vec<Message>,
    /// How many of these the server has before the first connection.
    pub before: usize,
    /// What the server does, made anew for each connection.
    pub server: fn(TransportKind) -> Box<dyn Server>,
    /// What it has for those who were away.
    pub keeps: Keeps,
    /// What counts as a notification.
    pub texts: Texts,
    /// The order in which a stream shows messages is the order in which it is resumed: what came late would
    /// be behind the cursor, so servers of this kind never send anything late.
    pub in_order: bool,
    /// What newer servers may say, and what is for others, as it stands on the wire.
    pub strangers: &'static [&'static str],
}

/// What a server keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// What is published, for longer than anybody is away.
    All,
    /// The same, which nobody can know: it shows what it has now, or goes on after a position that not everybody
    /// was given. Whoever was away may be told that something is missing.
    Unproven,
    /// Nothing: what is published while nobody listens is gone, which has to be said.
    Nothing,
}

/// What counts as a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// What has the family's form.
    Formed,
    /// Any text: nothing is too strange to be shown to its user.
    Any,
}

/// A message of a conversation.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The topic that it is published to.
    pub topic: &'static str,
    /// The server's name for it.
    pub key: String,
    /// The id that it has to have in the inbox.
    pub id: String,
    /// When it is published, in unix seconds.
    pub at: i64,
    /// What is published.
    pub text: String,
}

/// Something that is sent at once: a WebSocket's message, or the bytes of a line or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// As it stands on the wire.
    pub bytes: Vec<u8>,
    /// It carries a message, so that it may come twice.
    pub is_message: bool,
}

impl Piece {
    /// What a server says of itself.
    pub fn word(text: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: text.into(),
            is_message: false,
        }
    }

    /// What carries a message.
    pub fn message(text: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: text.into(),
            is_message: true,
        }
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What is sent at once.
    pub pieces: Vec<Piece>,
    /// It goes on with what is published.
    pub stays: bool,
}

impl Answer {
    /// A stream of this media type that stays open.
    pub fn stream(media_type: &str, pieces: Vec<Piece>) -> Self {
        Self {
            stays: true,
            ..Self::whole(media_type, pieces)
        }
    }

    /// A complete answer of this media type.
    pub fn whole(media_type: &str, pieces: Vec<Piece>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), media_type.to_owned())],
            pieces,
            stays: false,
        }
    }

    /// A JSON text.
    pub fn json(body: impl Into<String>) -> Self {
        Self::whole("application/json", vec![Piece::word(body.into())])
    }

    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::json("")
        }
    }

    /// With another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What a server does on one connection, by its own rules. `held` is what it has, in order.
pub trait Server: Send {
    /// Answers the request for the link.
    fn open(&mut self, _asked: &HttpRequest, _held: &[Message]) -> Answer {
        Answer::status(404)
    }
    /// Answers a request beside it; none: it is held back until something is published. `now` is its clock, in
    /// unix seconds.
    fn fetch(&mut self, _asked: &HttpRequest, _held: &[Message], _now: i64) -> Option<Answer> {
        Some(Answer::status(404))
    }
    /// Answers what is said over the link.
    fn hear(&mut self, _text: &str, _held: &[Message]) -> Vec<Piece> {
        Vec::new()
    }
    /// What a message that was just published, the last of `held`, is on a stream that was opened so.
    fn publish(&mut self, _on: &HttpRequest, _held: &[Message]) -> Vec<Piece> {
        Vec::new()
    }
}

/// A header of a request.
pub fn header<'a>(request: &'a HttpRequest, wanted: &str) -> Option<&'a str> {
    request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.as_str())
}

/// A parameter of a request.
pub fn parameter(request: &HttpRequest, wanted: &str) -> Option<String> {
    request
        .url
        .query_pairs()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}
