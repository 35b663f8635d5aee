//! A server, an inbox, and the driver between them: what the engine would do, without sockets or time. Every
//! byte of a stream goes through the reader of its transport.

use super::{Answer, Keeps, Message, Piece, Sample, Server};
use crate::backend::registry::backend;
use crate::backend::{Effect, Failure, Fetched, Input, Missing, Read, Resume, Session, Topic};
use crate::model::{Cursor, Draft, HttpRequest, SubscriptionId, TransportKind};
use crate::transport::reader::Reader;
use crate::transport::{Frame, TransportError};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use url::Url;

/// So often time is given to a conversation that is not at rest.
const WAKES: usize = 60;
/// So many connections are made for one conversation.
const CONNECTIONS: usize = 60;

/// So many effects are carried out for one conversation.
const EFFECTS: usize = 100_000;

/// What happens to what a server says on its way.
pub trait Road {
    /// To pieces of a stream that are sent together.
    fn pieces(&mut self, _carried: Carried, pieces: Vec<Piece>) -> Vec<Piece> {
        pieces
    }
    /// To an answer that is read as one text.
    fn body(&mut self, body: String) -> String {
        body
    }
    /// To a piece's bytes, which may come in parts.
    fn parts(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        vec![bytes]
    }
}

/// Nothing.
pub struct Straight;

impl Road for Straight {}

/// How pieces are told apart on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// By a WebSocket's frames.
    Messages,
    /// By blank lines (WHATWG HTML, 9.2).
    Events,
    /// By line ends.
    Lines,
}

/// What happens in the middle of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The connection is gone, and with it all that was not stored.
    Drop,
    /// The next message is published.
    Publish,
}

/// A notification in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its topic.
    pub topic: String,
    /// As it came first.
    pub draft: Draft,
}

struct Link {
    asked: HttpRequest,
    reader: Reader,
    pieces: VecDeque<Piece>,
    stays: bool,
}

struct Fetch {
    asked: HttpRequest,
    read: Read,
    since: Timestamp,
    /// None as long as the server holds its answer back.
    answer: Option<Answer>,
    reader: Reader,
    pieces: VecDeque<Piece>,
    has_head: bool,
}

/// All of it.
pub struct World<'a> {
    sample: &'a Sample,
    road: Box<dyn Road + 'a>,
    server: Box<dyn Server>,
    /// So many messages are published.
    pub published: usize,
    /// The clock of everybody.
    pub now: Timestamp,
    topics: Vec<String>,
    cursors: BTreeMap<i64, Cursor>,
    /// What was stored, in order, each once.
    pub inbox: Vec<Stored>,
    known: BTreeSet<(i64, String)>,
    /// Published while nobody listened, by a server that keeps nothing.
    pub lost: BTreeSet<String>,
    /// Why something was missing, as it was said.
    pub missing: Vec<Missing>,
    /// Frames that could not be read.
    pub unreadable: usize,
    /// How connections ended by themselves.
    pub failures: Vec<Failure>,
    /// Every effect that was carried out.
    pub effects: Vec<Effect>,
    /// Connections that were made.
    pub connections: usize,
    /// What happens after so many effects.
    happening: Option<(usize, Happening)>,
    /// The connection is complete.
    pub live: bool,
    session: Option<Box<dyn Session>>,
    link: Option<Link>,
    fetches: BTreeMap<u32, Fetch>,
    waits: Vec<(Timestamp, u32)>,
}

impl<'a> World<'a> {
    /// An account that was never connected, and a server with what was published before.
    pub fn new(sample: &'a Sample, road: Box<dyn Road + 'a>) -> Self {
        Self {
            sample,
            road,
            server: (sample.server)(sample.transport),
            published: sample.before,
            now: Timestamp::from_second(sample.now).unwrap_or_default(),
            topics: sample
                .topics
                .iter()
                .map(|&topic| topic.to_owned())
                .collect(),
            cursors: BTreeMap::new(),
            inbox: Vec::new(),
            known: BTreeSet::new(),
            lost: BTreeSet::new(),
            missing: Vec::new(),
            unreadable: 0,
            failures: Vec::new(),
            effects: Vec::new(),
            connections: 0,
            happening: None,
            live: false,
            session: None,
            link: None,
            fetches: BTreeMap::new(),
            waits: Vec::new(),
        }
    }

    /// With something that happens after so many effects.
    #[must_use]
    pub fn with(mut self, after: usize, happening: Happening) -> Self {
        self.happening = Some((after, happening));
        self
    }

    /// Plays all of it: connects, publishes in batches of these sizes, then one by one.
    #[must_use]
    pub fn play(mut self, batches: &[usize]) -> Self {
        self.settle();
        let mut batches = batches.iter().copied();
        while self.published < self.sample.messages.len() {
            self.publish(batches.next().unwrap_or(1));
            self.settle();
        }
        self
    }

    fn held(&self) -> &'a [Message] {
        &self.sample.messages[..self.published]
    }

    fn carried(&self) -> Carried {
        match self.sample.transport {
            TransportKind::Websocket => Carried::Messages,
            TransportKind::Sse => Carried::Events,
            _ => Carried::Lines,
        }
    }

    /// A new connection, from what is stored.
    pub fn connect(&mut self) {
        self.hang_up();
        self.connections += 1;
        self.server = (self.sample.server)(self.sample.transport);
        let topics = self
            .topics
            .iter()
            .zip(1..)
            .map(|(topic, id)| Topic {
                subscription: SubscriptionId(id),
                topic: topic.clone(),
                cursor: self.cursors.get(&id).cloned(),
            })
            .collect();
        let mut session = backend(self.sample.kind).session(Resume {
            base: Url::parse(self.sample.base).expect("a sample's address"),
            transport: self.sample.transport,
            topics,
            options: self.sample.options.clone(),
            signed_in: true,
            fill: Duration::from_hours(24),
            poll_every: Duration::from_mins(1),
        });
        let effects = session.start(self.now);
        self.session = Some(session);
        self.carry_out(effects);
    }

    /// Whether an attempt is under way.
    pub fn is_connected(&self) -> bool {
        self.session.is_some()
    }

    /// What is not stored is gone.
    pub fn hang_up(&mut self) {
        if self.session.take().is_some() && self.sample.keeps == Keeps::Nothing {
            self.lose();
        }
        self.live = false;
        self.link = None;
        self.fetches.clear();
        self.waits.clear();
    }

    fn lose(&mut self) {
        let lost: Vec<String> = self
            .held()
            .iter()
            .filter(|message| !self.has(message))
            .map(|message| message.id.clone())
            .collect();
        self.lost.extend(lost);
    }

    fn has(&self, message: &Message) -> bool {
        self.inbox
            .iter()
            .any(|stored| stored.topic == message.topic && stored.draft.remote_id == message.id)
    }

    /// The next messages are published, all at once.
    pub fn publish(&mut self, count: usize) {
        let (mut link, mut fetches) = (Vec::new(), BTreeMap::<u32, Vec<Piece>>::new());
        for _ in 0..count {
            let Some(message) = self.sample.messages.get(self.published) else {
                break;
            };
            let at = Timestamp::from_second(message.at).unwrap_or(self.now);
            self.now = self.now.max(at);
            self.published += 1;
            let held = &self.sample.messages[..self.published];
            if let Some(open) = self.link.as_ref().filter(|link| link.stays) {
                link.extend(self.server.publish(&open.asked, held));
            }
            for (tag, fetch) in &self.fetches {
                if fetch.answer.as_ref().is_some_and(|answer| answer.stays) {
                    let pieces = self.server.publish(&fetch.asked, held);
                    fetches.entry(*tag).or_default().extend(pieces);
                }
            }
        }
        if self.session.is_none() && self.sample.keeps == Keeps::Nothing {
            self.lose();
        }
        let carried = self.carried();
        if let Some(open) = &mut self.link {
            open.pieces.extend(self.road.pieces(carried, link));
        }
        for (tag, pieces) in fetches {
            let pieces = self.road.pieces(Carried::Lines, pieces);
            if let Some(fetch) = self.fetches.get_mut(&tag) {
                fetch.pieces.extend(pieces);
            }
        }
        self.answer();
    }

    /// Answers what was held back, if there is an answer now.
    fn answer(&mut self) {
        let held = self.held();
        for fetch in self.fetches.values_mut().filter(|it| it.answer.is_none()) {
            let now = self.now.as_second();
            let Some(mut answer) = self.server.fetch(&fetch.asked, held, now) else {
                continue;
            };
            let pieces = std::mem::take(&mut answer.pieces);
            fetch.pieces = match fetch.read {
                Read::Whole | Read::Apart => {
                    let bytes = pieces.into_iter().flat_map(|piece| piece.bytes).collect();
                    let body = self.road.body(String::from_utf8(bytes).unwrap_or_default());
                    VecDeque::from([Piece::word(body)])
                }
                Read::Lines | Read::Backlog { .. } => {
                    let carried = if self.sample.transport == TransportKind::Sse
                        && answer
                            .headers
                            .iter()
                            .any(|(_, value)| value.contains("event-stream"))
                    {
                        Carried::Events
                    } else {
                        Carried::Lines
                    };
                    self.road.pieces(carried, pieces).into()
                }
            };
            fetch.answer = Some(answer);
        }
    }

    /// Lets everything arrive, and gives it the time that it needs.
    pub fn settle(&mut self) {
        let mut wakes = 0;
        loop {
            if self.session.is_none() {
                // What is published while nobody is there.
                if self.connections > 0 && self.failures.is_empty() {
                    self.publish(1);
                }
                self.connect();
                assert!(
                    self.connections <= CONNECTIONS,
                    "{}: it never comes to rest: {:?}",
                    self.sample.name,
                    self.failures.last()
                );
            } else if self.step() {
            } else if self.live && self.held().iter().all(|message| self.has(message)) {
                return;
            } else if wakes < WAKES && self.wake() {
                wakes += 1;
            } else {
                return;
            }
        }
    }

    /// The next thing that is on its way arrives. False if there is none.
    pub fn step(&mut self) -> bool {
        if let Some(piece) = self.link.as_mut().and_then(|link| link.pieces.pop_front()) {
            self.arrive(piece);
            return true;
        }
        let next = self.fetches.iter().find(|(_, fetch)| {
            let is_complete = fetch.answer.as_ref().is_some_and(|answer| !answer.stays)
                && !matches!(fetch.read, Read::Backlog { .. });
            fetch.answer.is_some() && (!fetch.has_head || !fetch.pieces.is_empty() || is_complete)
        });
        match next.map(|(tag, _)| *tag) {
            Some(tag) => {
                self.part(tag);
                true
            }
            None => false,
        }
    }

    /// Bytes come over the link.
    pub fn arrive(&mut self, piece: Piece) {
        let bytes = match self.carried() {
            Carried::Messages => websocket_frame(&piece.bytes),
            Carried::Events | Carried::Lines => piece.bytes,
        };
        for part in self.road.parts(bytes) {
            let Some(link) = &mut self.link else { return };
            for frame in link.reader.push(&part) {
                self.frame(frame);
            }
        }
    }

    fn frame(&mut self, frame: Result<Frame, TransportError>) {
        match frame {
            Ok(Frame::Text(text)) => self.tell(Input::Frame(&text)),
            Ok(Frame::Event { name, id, data, .. }) => self.tell(Input::Event {
                name: &name,
                id: &id,
                data: &data,
            }),
            Ok(Frame::Fields { id, .. }) => self.tell(Input::Position { id: &id }),
            Ok(Frame::Comment(text)) => self.tell(Input::Comment(&text)),
            Ok(Frame::Alive) => self.tell(Input::Alive),
            Ok(Frame::TooLong) => {}
            Err(TransportError::Closed { code, reason }) => {
                let reason = reason.as_str();
                self.tell(Input::Closed { code, reason });
                self.hang_up();
            }
            Err(_) => self.hang_up(),
        }
    }

    /// The next part of an answer.
    fn part(&mut self, tag: u32) {
        let Some(fetch) = self.fetches.get_mut(&tag) else {
            return;
        };
        let Some(answer) = &fetch.answer else { return };
        if !(200..300).contains(&answer.status) {
            let (status, headers) = (answer.status, answer.headers.clone());
            let body = fetch.pieces.pop_front().map(|piece| piece.bytes);
            self.fetches.remove(&tag);
            self.refuse(tag, status, &headers, &body.unwrap_or_default());
        } else if !fetch.has_head {
            fetch.has_head = true;
            let headers = answer.headers.clone();
            let part = Fetched::Head(&headers);
            self.tell(Input::Fetched { tag, part });
        } else if let Some(piece) = fetch.pieces.pop_front() {
            let is_whole = matches!(fetch.read, Read::Whole | Read::Apart);
            if is_whole {
                let body = String::from_utf8_lossy(&piece.bytes).into_owned();
                let part = Fetched::Body(&body);
                self.tell(Input::Fetched { tag, part });
                return;
            }
            for part in self.road.parts(piece.bytes) {
                let Some(fetch) = self.fetches.get_mut(&tag) else {
                    return;
                };
                for frame in fetch.reader.push(&part) {
                    let line = match frame {
                        Ok(Frame::Text(line)) => line,
                        Ok(Frame::Alive) => String::new(),
                        _ => continue,
                    };
                    let part = Fetched::Line(&line);
                    self.tell(Input::Fetched { tag, part });
                }
            }
        } else {
            self.end(tag);
        }
    }

    /// Something else answers the oldest request.
    pub fn answer_with(&mut self, status: u16, header: &str, body: &[u8]) {
        let Some(tag) = self.fetches.keys().next().copied() else {
            return;
        };
        let headers: Vec<(String, String)> = header
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        if let Some(fetch) = self.fetches.get_mut(&tag) {
            fetch.has_head = false;
            fetch.pieces = VecDeque::from([Piece::word(body)]);
            fetch.answer = Some(Answer {
                status,
                headers,
                pieces: Vec::new(),
                stays: false,
            });
        }
    }

    fn end(&mut self, tag: u32) {
        self.fetches.remove(&tag);
        let part = Fetched::End;
        self.tell(Input::Fetched { tag, part });
    }

    fn refuse(&mut self, tag: u32, status: u16, headers: &[(String, String)], body: &[u8]) {
        let body = String::from_utf8_lossy(body).into_owned();
        let part = Fetched::Refused {
            status,
            headers,
            retry_after: None,
            body: &body,
        };
        self.tell(Input::Fetched { tag, part });
    }

    /// Lets time pass until something that is waited for comes: a wait, the silence that ends a backlog, the
    /// patience with an answer that is held back. False if nothing is.
    pub fn wake(&mut self) -> bool {
        let after = |from: Timestamp, time: Duration| {
            SignedDuration::try_from(time)
                .ok()
                .and_then(|time| from.checked_add(time).ok())
                .unwrap_or(Timestamp::MAX)
        };
        let of_fetches = self.fetches.iter().filter_map(|(tag, fetch)| {
            let due = match (&fetch.answer, fetch.read) {
                (Some(_), Read::Backlog { quiet }) => after(self.now, quiet),
                (None, _) => after(fetch.since, fetch.asked.patience?),
                _ => return None,
            };
            Some((due, true, *tag))
        });
        let of_waits = self.waits.iter().map(|(due, tag)| (*due, false, *tag));
        let Some((due, is_fetch, tag)) = of_fetches.chain(of_waits).min() else {
            return false;
        };
        self.now = self.now.max(due);
        if !is_fetch {
            self.waits.retain(|wait| *wait != (due, tag));
            self.tell(Input::Waited { tag });
        } else if self.fetches[&tag].answer.is_some() {
            self.end(tag);
        } else {
            self.fetches.remove(&tag);
            self.refuse(tag, 408, &[], b"");
        }
        true
    }

    /// Hands something to the session.
    pub fn tell(&mut self, input: Input<'_>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let effects = session.receive(input, self.now);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut todo: VecDeque<Effect> = effects.into();
        while let Some(effect) = todo.pop_front() {
            if let Some((after, happening)) = self.happening
                && self.effects.len() == after
            {
                self.happening = None;
                match happening {
                    Happening::Drop => {
                        self.hang_up();
                        return;
                    }
                    Happening::Publish => self.publish(1),
                }
            }
            self.effects.push(effect.clone());
            assert!(
                self.effects.len() < EFFECTS,
                "{}: it has no end: {effect:?}",
                self.sample.name
            );
            match effect {
                Effect::Open(asked) => todo.extend(self.open(asked)),
                Effect::Fetch { tag, request, read } => {
                    let fetch = Fetch {
                        asked: request,
                        read,
                        since: self.now,
                        answer: None,
                        reader: Reader::new(TransportKind::HttpStream),
                        pieces: VecDeque::new(),
                        has_head: false,
                    };
                    let before = self.fetches.insert(tag, fetch);
                    assert!(before.is_none(), "{}: two fetches {tag}", self.sample.name);
                    self.answer();
                }
                Effect::Send(text) | Effect::SendSignIn(text) => {
                    let pieces = self.server.hear(&text, self.held());
                    let pieces = self.road.pieces(self.carried(), pieces);
                    if let Some(link) = &mut self.link {
                        link.pieces.extend(pieces);
                    }
                }
                Effect::Offer(offered)
                | Effect::InStep {
                    listed: offered, ..
                } => {
                    for one in offered {
                        if !self.topics.contains(&one.topic) {
                            self.topics.push(one.topic);
                        }
                    }
                    let known: Vec<_> = (1..)
                        .zip(&self.topics)
                        .map(|(id, topic)| (topic.clone(), Some(SubscriptionId(id))))
                        .collect();
                    if let Some(session) = &mut self.session {
                        todo.extend(session.receive(Input::Offered(&known), self.now));
                    }
                }
                Effect::Wait { tag, time } => {
                    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
                    let due = self.now.checked_add(time).unwrap_or(Timestamp::MAX);
                    self.waits.push((due, tag));
                }
                Effect::Notify {
                    subscription,
                    draft,
                    ..
                } => self.store(subscription, *draft),
                Effect::Advance {
                    subscription,
                    cursor,
                } => {
                    self.cursors.insert(subscription.0, cursor);
                }
                Effect::Filled {
                    missing: Some(missing),
                    ..
                } => self.missing.push(missing),
                Effect::Unreadable { .. } => self.unreadable += 1,
                Effect::Live => self.live = true,
                Effect::Fail(failure) => {
                    self.failures.push(failure);
                    self.hang_up();
                    return;
                }
                Effect::Filled { missing: None, .. }
                | Effect::Only { .. }
                | Effect::Silence(_)
                | Effect::Read { .. }
                | Effect::Remove { .. }
                | Effect::TopicRefused { .. }
                | Effect::Quota(_)
                | Effect::KeepAlive => {}
            }
        }
    }

    fn open(&mut self, asked: HttpRequest) -> Vec<Effect> {
        let answer = self.server.open(&asked, self.held());
        let pieces = self.road.pieces(self.carried(), answer.pieces);
        self.link = Some(Link {
            asked,
            reader: Reader::new(self.sample.transport),
            pieces: pieces.into(),
            stays: answer.stays,
        });
        let headers = &answer.headers;
        let input = if (200..300).contains(&answer.status) {
            Input::Opened { headers }
        } else {
            Input::Refused {
                status: answer.status,
                headers,
                retry_after: None,
                body: "",
            }
        };
        match &mut self.session {
            Some(session) => session.receive(input, self.now),
            None => Vec::new(),
        }
    }

    fn store(&mut self, subscription: SubscriptionId, draft: Draft) {
        if self.known.insert((subscription.0, draft.remote_id.clone())) {
            let at = usize::try_from(subscription.0 - 1).unwrap_or(usize::MAX);
            let topic = self.topics.get(at).expect("a subscription of this account");
            self.inbox.push(Stored {
                topic: topic.clone(),
                draft,
            });
        }
    }
}

/// A frame of a WebSocket (RFC 6455, 5.2) as a server sends it: text where it can be one, else binary.
fn websocket_frame(payload: &[u8]) -> Vec<u8> {
    let is_text = std::str::from_utf8(payload).is_ok();
    let mut frame = vec![if is_text { 0x81 } else { 0x82 }];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}
