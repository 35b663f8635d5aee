//! A connection's conversation: greeting, pings, events, the end. How channels are joined is in [`super::joining`],
//! what their events become in [`super::arriving`], how what was missed comes in [`super::filling`].

use super::address;
use super::channel::{self, Kind};
use super::frame::{self, Frame};
use super::history::Reading;
use super::line::{Line, Step};
use super::options::Settings;
use super::refusal::{self, Stage};
use crate::backend::{Effect, Failure, Fetched, Input, Offered, Resume, Session, Topic};
use crate::model::{HttpRequest, Sign, SubscriptionId};
use crate::text;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The longest time between two pings of ours (servers close at twice this, whatever else they hear).
const PING_MOST: Duration = Duration::from_mins(1);
/// The shortest.
const PING_LEAST: Duration = Duration::from_secs(5);
/// Time for the answer to a ping (protocol 7, "Ping and pong").
const PONG_WITHIN: Duration = Duration::from_secs(30);
/// Time in which a server closes after an error, if it is going to.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);
/// How much of a frame that cannot be read goes to the log, in characters.
const QUOTED: usize = 80;

/// A request under way.
pub(super) enum Asking {
    /// For a channel's signature.
    Signature { line: usize, body: String },
    /// For a channel's new key.
    Key { line: usize, body: String },
    /// For the signature of the user's sign-in.
    User { body: String },
    /// For a page of the history.
    Page {
        reading: Box<Reading>,
        body: String,
        link: Option<String>,
    },
}

/// What a wait is for.
pub(super) enum Alarm {
    /// The next ping.
    Ping,
    /// An answer to a ping, when so many frames had come.
    Pong { frames: u64 },
    /// An answer about a channel.
    Answer { line: usize, question: u32 },
    /// An answer to the sign-in.
    UserAnswer,
    /// Another attempt to join a channel.
    Join { line: usize },
    /// Another attempt to get a channel's new key.
    Key { line: usize },
    /// Another attempt to sign the user in.
    User,
    /// Another attempt to read these channels' history.
    History { lines: Vec<usize> },
    /// The event that the server kept.
    Replay { line: usize },
    /// The close that follows an error.
    Close { code: Option<u16> },
}

/// What the server has not answered yet, in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// A channel.
    Line(usize),
    /// The sign-in.
    User,
}

/// How far the user's sign-in has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// There is none.
    None,
    /// It is under way.
    Asked,
    /// It will be tried again.
    Later,
    /// It is done.
    Here(String),
    /// The server has none.
    Refused(Failure),
}

/// The family's side of a connection.
pub(super) struct Conversation {
    pub(super) resume: Resume,
    pub(super) settings: Settings,
    pub(super) lines: Vec<Line>,
    /// What signatures are made for; empty until the server greets.
    pub(super) socket_id: String,
    pub(super) user: User,
    /// The user's sign-in was sent.
    pub(super) sent_sign_in: bool,
    /// Channels waiting to be signed.
    pub(super) queue: VecDeque<usize>,
    pub(super) asking: BTreeMap<u32, Asking>,
    pub(super) open: VecDeque<Open>,
    alarms: BTreeMap<u32, Alarm>,
    tag: u32,
    frames: u64,
    ping_every: Duration,
    /// The error that came last, as long as nothing came after it.
    error: Option<(Option<u16>, String)>,
    pub(super) live: bool,
}

impl Conversation {
    pub(super) fn new(resume: Resume) -> Self {
        let settings = Settings::read(&resume.options);
        let lines = resume.topics.iter().map(Line::new).collect();
        Self {
            user: if settings.user_auth.is_some() {
                User::Asked
            } else {
                User::None
            },
            resume,
            settings,
            lines,
            socket_id: String::new(),
            sent_sign_in: false,
            queue: VecDeque::new(),
            asking: BTreeMap::new(),
            open: VecDeque::new(),
            alarms: BTreeMap::new(),
            tag: 0,
            frames: 0,
            ping_every: PING_MOST,
            error: None,
            live: false,
        }
    }

    pub(super) fn next_tag(&mut self) -> u32 {
        self.tag = self.tag.wrapping_add(1);
        self.tag
    }

    pub(super) fn alarm(&mut self, alarm: Alarm, time: Duration, effects: &mut Vec<Effect>) {
        let tag = self.next_tag();
        self.alarms.insert(tag, alarm);
        effects.push(Effect::Wait { tag, time });
    }

    fn stage(&self) -> Stage {
        match &self.user {
            _ if self.socket_id.is_empty() => Stage::Opening,
            User::Here(_) => Stage::SignedIn,
            _ if self.sent_sign_in => Stage::SigningIn,
            _ => Stage::Open,
        }
    }

    fn frame(&mut self, text: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        self.frames += 1;
        let Some(frame) = frame::read(text) else {
            effects.push(Effect::Unreadable {
                frame: text::one_line(text, QUOTED),
            });
            return;
        };
        effects.push(Effect::KeepAlive);
        if let Frame::Error { code, message } = frame {
            self.error(code, message, effects);
            return;
        }
        self.error = None;
        match frame {
            Frame::Established {
                socket_id,
                activity_timeout,
            } => self.established(socket_id, activity_timeout, now, effects),
            Frame::Succeeded { channel } => self.succeeded(&channel, now, effects),
            Frame::Refused {
                channel,
                status,
                error,
            } => self.not_subscribed(&channel, status, &error, effects),
            Frame::CacheMiss { channel } => {
                if let Some(line) = self.line(&channel) {
                    self.replayed(line, now, effects);
                }
            }
            Frame::SignedIn { user } => self.signed_in(user, now, effects),
            Frame::Ping => effects.push(send(&serde_json::json!({
                "event": "pusher:pong", "data": {}
            }))),
            Frame::Event {
                channel,
                event,
                data,
            } => {
                if let Some(line) = self.line(&channel) {
                    self.event(line, event, data, text, now, effects);
                }
            }
            Frame::Error { .. } | Frame::Pong | Frame::Other => {}
        }
        self.settle(now, effects);
    }

    pub(super) fn line(&self, channel: &str) -> Option<usize> {
        self.lines
            .iter()
            .position(|line| line.channel == channel && !line.left)
    }

    fn established(
        &mut self,
        socket_id: String,
        activity_timeout: Option<u64>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if !self.socket_id.is_empty() {
            return;
        }
        self.socket_id = socket_id;
        self.ping_every = activity_timeout
            .map_or(PING_MOST, Duration::from_secs)
            .clamp(PING_LEAST, PING_MOST);
        self.alarm(Alarm::Ping, self.ping_every, effects);
        if self.user == User::Asked {
            self.ask_user(effects);
        }
        for line in 0..self.lines.len() {
            self.join(line, now, effects);
        }
    }

    /// Some servers close after an error, with its code or without one, and some go on: that shows only
    /// afterwards.
    fn error(&mut self, code: Option<u16>, message: String, effects: &mut Vec<Effect>) {
        if self.socket_id.is_empty()
            && let Some(failure) =
                code.and_then(|code| refusal::closed(code, &message, self.stage()))
        {
            effects.push(Effect::Fail(failure));
            return;
        }
        self.error = Some((code, message));
        if !self.open.is_empty() {
            self.alarm(Alarm::Close { code }, CLOSES_WITHIN, effects);
        }
    }

    fn closed(&mut self, code: Option<u16>, reason: &str, effects: &mut Vec<Effect>) {
        let said = self.error.take();
        let message = match &said {
            Some((_, message)) if reason.is_empty() => message,
            _ => reason,
        };
        let stage = self.stage();
        let failure = code
            .and_then(|code| refusal::closed(code, message, stage))
            .or_else(|| refusal::closed(said.as_ref()?.0?, message, stage));
        // Anything else is an ordinary end of an ordinary connection.
        effects.extend(failure.map(Effect::Fail));
    }

    fn waited(&mut self, tag: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        match self.alarms.remove(&tag) {
            Some(Alarm::Ping) => {
                effects.push(send(
                    &serde_json::json!({"event": "pusher:ping", "data": {}}),
                ));
                let frames = self.frames;
                self.alarm(Alarm::Pong { frames }, PONG_WITHIN, effects);
                self.alarm(Alarm::Ping, self.ping_every, effects);
            }
            // Whatever came shows that somebody is there, as it does for the protocol's own client.
            Some(Alarm::Pong { frames }) if frames == self.frames => {
                effects.push(Effect::Fail(refusal::silent()));
            }
            Some(Alarm::Answer { line, question }) => {
                let is_open =
                    self.lines[line].question == question && self.lines[line].step == Step::Asked;
                if is_open {
                    self.open.retain(|open| *open != Open::Line(line));
                    let says = format!(
                        "The server did not answer about the channel {}. It will be asked again.",
                        self.lines[line].channel
                    );
                    self.later(line, says, None, effects);
                }
            }
            Some(Alarm::UserAnswer) if self.open.contains(&Open::User) => {
                self.no_user_here(effects);
            }
            Some(Alarm::Join { line }) => {
                if matches!(self.lines[line].step, Step::Later(_)) {
                    self.join(line, now, effects);
                }
            }
            Some(Alarm::Key { line }) => {
                self.ask_key(line, effects);
            }
            Some(Alarm::User) => self.ask_user(effects),
            Some(Alarm::History { lines }) => self.read_again(lines, now, effects),
            Some(Alarm::Replay { line }) => self.replayed(line, now, effects),
            Some(Alarm::Close { code }) => self.not_closed(code, effects),
            Some(Alarm::Pong { .. } | Alarm::UserAnswer) | None => {}
        }
        self.settle(now, effects);
    }

    fn offered(
        &mut self,
        known: &[(String, Option<SubscriptionId>)],
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        for (topic, subscription) in known {
            if let Some(subscription) = *subscription {
                let topic = Topic {
                    subscription,
                    topic: topic.clone(),
                    cursor: None,
                };
                self.add(&topic, now, effects);
            }
        }
        self.settle(now, effects);
    }

    /// One more channel, unless it is there.
    fn add(&mut self, topic: &Topic, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.line(&topic.topic).is_some() {
            return;
        }
        self.lines.push(Line::new(topic));
        if !self.socket_id.is_empty() {
            self.join(self.lines.len() - 1, now, effects);
        }
    }

    /// Unsubscribes a channel, if the server was asked for it.
    fn leave(&mut self, number: usize, effects: &mut Vec<Effect>) {
        let line = &mut self.lines[number];
        let asked = matches!(
            line.step,
            Step::Asked | Step::Joined | Step::Whole | Step::Partial
        );
        if asked && line.kind != Kind::User {
            let data = serde_json::json!({"channel": line.channel});
            effects.push(send(
                &serde_json::json!({"event": "pusher:unsubscribe", "data": data}),
            ));
        }
        line.leave();
        self.queue.retain(|queued| *queued != number);
        self.open.retain(|open| *open != Open::Line(number));
    }

    /// Offers a channel that belongs to the account.
    pub(super) fn offer(topic: String, name: &str, effects: &mut Vec<Effect>) {
        effects.push(Effect::Offer(vec![Offered {
            topic,
            name: name.to_owned(),
            icon: None,
            place: String::new(),
        }]));
    }
}

/// A frame of ours.
pub(super) fn send(frame: &serde_json::Value) -> Effect {
    Effect::Send(frame.to_string())
}

impl Session for Conversation {
    fn start(&mut self, _now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(own) = self.settings.own_channel.clone()
            && self.line(&own).is_none()
        {
            Self::offer(own, "Notifications", &mut effects);
        }
        if self.lines.is_empty() && effects.is_empty() && self.user == User::None {
            return vec![Effect::Fail(refusal::no_channel())];
        }
        let Some(url) = address::socket(&self.resume.base, &self.settings.key) else {
            return vec![Effect::Fail(refusal::no_key())];
        };
        // The credential is the application's; the WebSocket is open to everybody who has the key.
        let request = HttpRequest {
            sign: Sign::Nothing,
            ..HttpRequest::get(url)
        };
        effects.push(Effect::Open(match &self.settings.origin {
            Some(origin) => request.header("Origin", origin.as_str()),
            None => request,
        }));
        effects
    }

    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            // The greeting says more.
            Input::Opened { .. } => {}
            Input::Alive | Input::Comment(_) | Input::Position { .. } => {
                effects.push(Effect::KeepAlive);
            }
            Input::Frame(frame) | Input::Event { data: frame, .. } => {
                self.frame(frame, now, &mut effects);
            }
            Input::Closed { code, reason } => self.closed(code, reason, &mut effects),
            Input::Refused {
                status,
                retry_after,
                ..
            } => effects.push(Effect::Fail(refusal::opening(status, retry_after))),
            Input::Offered(known) => self.offered(known, now, &mut effects),
            Input::Fetched { tag, part } => self.fetched(tag, part, now, &mut effects),
            Input::Waited { tag } => self.waited(tag, now, &mut effects),
        }
        effects
    }

    fn topics(&mut self, topics: &[Topic], now: Timestamp) -> Option<Vec<Effect>> {
        let mut effects = Vec::new();
        for number in 0..self.lines.len() {
            let line = &self.lines[number];
            let stays = topics.iter().any(|topic| topic.topic == line.channel);
            if !line.left && !stays {
                self.leave(number, &mut effects);
            }
        }
        for topic in topics {
            self.add(topic, now, &mut effects);
        }
        self.settle(now, &mut effects);
        Some(effects)
    }
}

impl Conversation {
    fn fetched(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(asking) = self.asking.get_mut(&tag) else {
            return;
        };
        match part {
            Fetched::Head(headers) => {
                if let Asking::Page { link, .. } = asking {
                    *link = headers
                        .iter()
                        .find(|(name, _)| name == "link")
                        .map(|(_, value)| value.clone());
                }
            }
            Fetched::Body(text) => match asking {
                Asking::Signature { body, .. }
                | Asking::Key { body, .. }
                | Asking::User { body }
                | Asking::Page { body, .. } => text.clone_into(body),
            },
            // What is left of it is no answer.
            Fetched::TooLong | Fetched::Line(_) => {}
            Fetched::End => {
                if let Some(asking) = self.asking.remove(&tag) {
                    self.answered(asking, now, effects);
                }
                self.settle(now, effects);
            }
            Fetched::Refused {
                status,
                retry_after,
                body,
                ..
            } => {
                if let Some(asking) = self.asking.remove(&tag) {
                    let refusal = (status, retry_after, body);
                    self.denied(asking, refusal, now, effects);
                }
                self.settle(now, effects);
            }
        }
    }

    fn answered(&mut self, asking: Asking, now: Timestamp, effects: &mut Vec<Effect>) {
        match asking {
            Asking::Signature { line, .. } if self.lines[line].left => self.sign_next(effects),
            Asking::Signature { line, body } => self.signed(line, &body, now, effects),
            Asking::Key { line, body } => self.new_key(line, &body, now, effects),
            Asking::User { body } => self.user_signed(&body, effects),
            Asking::Page {
                reading,
                body,
                link,
            } => self.page(reading, &body, link.as_deref(), now, effects),
        }
    }

    fn denied(
        &mut self,
        asking: Asking,
        (status, retry_after, body): (u16, Option<Duration>, &str),
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        match asking {
            Asking::Signature { line, .. } if self.lines[line].left => self.sign_next(effects),
            Asking::Signature { line, .. } => {
                self.not_signed(line, status, retry_after, body, effects);
            }
            Asking::Key { line, .. } => {
                self.no_key(line, (status, retry_after, body), now, effects);
            }
            Asking::User { .. } => self.user_not_signed(status, retry_after, body, effects),
            Asking::Page { reading, .. } => {
                self.no_page(&reading, status, retry_after, body, effects);
            }
        }
    }

    /// The topic of the user that is signed in.
    pub(super) fn user_topic(&self) -> Option<String> {
        match &self.user {
            User::Here(id) if !id.is_empty() => Some(channel::of_user(id)),
            _ => None,
        }
    }
}
