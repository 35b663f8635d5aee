//! A connection's conversation.
//!
//! The long-lived link is opened without `since`; the server subscribes it before it says `open`. Only then
//! are finite requests made for what was published before. So nothing falls between the two, and only
//! the proper end of such a request proves that the history is complete: a cursor moves no earlier. Repeats are
//! left to the inbox, which knows every id.

mod filling;
mod looking;
mod probing;

use super::headers::{header, is_json, seconds};
use super::line::Line;
use super::message::{self, Frame, Happening, What};
use super::order::Order;
use super::{address, refusal};
use crate::backend::{Effect, Fetched, Input, Missing, Resume, Session};
use crate::model::{HttpRequest, Origin, TransportKind};
use crate::text;
use filling::Filling;
use jiff::Timestamp;
use looking::Looking;
use std::collections::BTreeMap;

/// How far behind its cursor a topic is fetched again, in seconds: for what the server stored late, and for
/// clocks that were corrected.
const OVERLAP: i64 = 300;
/// A cursor that is so far behind what the link has shown is brought along, in seconds. Otherwise one
/// quiet topic would have the whole history of the others fetched again each time.
const LAG: i64 = 600;
/// How much of a frame that cannot be read goes to the log, in characters.
const QUOTED: usize = 80;

/// ntfy's side of a connection.
pub(super) struct Conversation {
    resume: Resume,
    lines: Vec<Line>,
    /// The last tag given out.
    tag: u32,
    fillings: BTreeMap<u32, Filling>,
    /// Topics being asked about one by one, none for the account's own, and whether any was refused.
    probes: BTreeMap<u32, Option<usize>>,
    any_refused: bool,
    /// The server's clock less ours, in seconds.
    clock: Option<i64>,
    order: Order,
    /// The look at the account; none where its subscriptions are not kept in step.
    looking: Option<Looking>,
    /// The account's own topic, which says when something about it changed.
    sync: Option<String>,
    /// The tag of the question how much may be done.
    quota: Option<u32>,
    /// `open` came.
    open: bool,
    live: bool,
    /// When the last poll was complete.
    polled: Option<Timestamp>,
}

impl Conversation {
    pub(super) fn new(resume: Resume) -> Self {
        let lines = resume.topics.iter().map(Line::new).collect();
        let looking = Looking::new(&resume);
        Self {
            resume,
            lines,
            tag: 0,
            fillings: BTreeMap::new(),
            probes: BTreeMap::new(),
            any_refused: false,
            clock: None,
            order: Order::default(),
            looking,
            sync: None,
            quota: None,
            open: false,
            live: false,
            polled: None,
        }
    }

    /// What is put behind the topics of a long-lived link; none where the server is polled.
    fn streamed_as(&self) -> Option<&'static str> {
        match self.resume.transport {
            TransportKind::Websocket => Some("ws"),
            TransportKind::HttpStream => Some("json"),
            TransportKind::Sse => Some("sse"),
            TransportKind::LongPoll | TransportKind::Poll => None,
        }
    }

    fn next_tag(&mut self) -> u32 {
        self.tag = self.tag.wrapping_add(1);
        self.tag
    }

    /// Numbers of the topics that are not refused.
    fn welcome(&self) -> Vec<usize> {
        (0..self.lines.len())
            .filter(|&line| !self.lines[line].refused && !self.lines[line].left)
            .collect()
    }

    fn request(&self, lines: &[usize], ending: &str) -> HttpRequest {
        let topics: Vec<&str> = lines
            .iter()
            .map(|&line| self.lines[line].topic.as_str())
            .collect();
        HttpRequest::get(address::below(
            &self.resume.base,
            &[&topics.join(","), ending],
        ))
    }

    /// The server's clock, or ours as long as the server's is not known.
    fn server_now(&self, now: Timestamp) -> i64 {
        now.as_second().saturating_add(self.clock.unwrap_or(0))
    }

    fn set_clock(&mut self, time: Option<i64>, now: Timestamp) {
        if let Some(time) = time {
            self.clock = Some(time.saturating_sub(now.as_second()));
        }
    }

    /// Opens the link, or asks what is new.
    fn begin(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(ending) = self.streamed_as() else {
            self.fill(now, effects);
            return;
        };
        self.open = false;
        let lines = self.welcome();
        let names = lines.iter().map(|&line| self.lines[line].topic.as_str());
        let topics: Vec<&str> = names.chain(self.sync.as_deref()).collect();
        if topics.is_empty() {
            self.fill(now, effects);
            return;
        }
        let url = address::below(&self.resume.base, &[&topics.join(","), ending]);
        effects.push(Effect::Open(HttpRequest::get(url)));
    }

    fn frame(&mut self, frame: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        match message::read(frame) {
            Some(Frame::Open { time }) => {
                self.set_clock(time, now);
                effects.push(Effect::KeepAlive);
                if !self.open {
                    self.open = true;
                    self.fill(now, effects);
                    // What changed while nobody listened to the account's own topic was not told.
                    if self.sync.is_some() {
                        self.look(now, effects);
                    }
                }
            }
            Some(Frame::KeepAlive { time }) => {
                self.set_clock(time, now);
                effects.push(Effect::KeepAlive);
                if let Some(time) = time {
                    self.bring_along(time, effects);
                }
            }
            Some(Frame::Happening(happening))
                if self.sync.is_some() && self.sync.as_deref() == Some(&happening.topic) =>
            {
                effects.push(Effect::KeepAlive);
                self.look(now, effects);
            }
            Some(Frame::Happening(happening)) => {
                let time = happening.time;
                self.happening(&happening, frame, None, now, effects);
                if let Some(time) = time {
                    let time = time.min(self.server_now(now));
                    self.bring_along(time, effects);
                }
            }
            Some(Frame::Other) => {}
            None => effects.push(unreadable(frame)),
        }
    }

    /// Hands over what happened; `filling` is the request that showed it, or none for the link. Whether it
    /// was understood.
    fn happening(
        &mut self,
        happening: &Happening,
        frame: &str,
        filling: Option<&mut Filling>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let line = match self.lines.as_slice() {
            [_] if happening.topic.is_empty() => Some(0),
            lines => lines.iter().position(|line| line.topic == happening.topic),
        };
        let Some(line) = line else {
            effects.push(unreadable(frame));
            return false;
        };
        if self.lines[line].left {
            return true;
        }
        let subscription = self.lines[line].subscription;
        let second = happening.time.unwrap_or_else(|| self.server_now(now));
        let key = (line, happening.key.clone(), second);
        let is_live = filling.is_none();
        let (origin, version) = match filling {
            Some(filling) => (
                filling.origin,
                self.order.fetched(&mut filling.run, key, &happening.id),
            ),
            None => (Origin::Live, self.order.live(key, &happening.id)),
        };
        let replace_key = happening.key.clone();
        effects.push(match happening.what {
            What::Message => Effect::Notify {
                subscription,
                draft: Box::new(happening.draft(version, frame, now)),
                origin,
            },
            What::Clear => Effect::Read {
                subscription,
                replace_key,
                version,
            },
            What::Delete => Effect::Remove {
                subscription,
                replace_key,
                version,
            },
        });
        // A time that the server's clock has not reached would make the cursor skip what is still to come.
        let reached = second.min(self.server_now(now));
        let line = &mut self.lines[line];
        line.reached = line.reached.max(Some(reached));
        if is_live && line.filled {
            line.advance(reached, effects);
        }
        true
    }

    /// The link shows everything in order: what has shown this time has shown all topics up to it.
    fn bring_along(&mut self, time: i64, effects: &mut Vec<Effect>) {
        for line in self.lines.iter_mut().filter(|line| line.filled) {
            if line
                .cursor
                .is_some_and(|cursor| cursor < time.saturating_sub(LAG))
            {
                line.advance(time, effects);
            }
        }
    }

    fn fetched(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp) -> Vec<Effect> {
        if self.probes.contains_key(&tag) {
            return self.probed(tag, part, now);
        }
        if self.is_look(tag) {
            return self.looked(tag, part, now);
        }
        let Some(mut filling) = self.fillings.remove(&tag) else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        match part {
            Fetched::Head(headers) => {
                if !is_json(headers) {
                    return vec![Effect::Fail(refusal::strange_answer())];
                }
                if header(headers, "x-messages-truncated") == Some("1") {
                    filling.missing = Some(Missing::Truncated);
                }
                if self.streamed_as().is_none()
                    && let Some(date) = header(headers, "date").and_then(seconds)
                {
                    self.set_clock(Some(date), now);
                    filling.covers = filling.covers.max(date);
                }
            }
            Fetched::Line(line) => self.line(&mut filling, line, now, &mut effects),
            Fetched::End => {
                if filling.unreadable && !filling.readable {
                    return vec![Effect::Fail(refusal::strange_answer())];
                }
                self.filled(&filling, now, &mut effects);
                return effects;
            }
            // Only asked for lines.
            Fetched::Body(_) | Fetched::TooLong => {}
            Fetched::Refused {
                status,
                retry_after,
                body,
                ..
            } => {
                if self.streamed_as().is_none() {
                    self.fillings.clear();
                    return self.refused(status, retry_after, body, &self.welcome(), now);
                }
                // The next attempt to open the link will show which topic it is.
                return vec![Effect::Fail(match filling.lines.as_slice() {
                    [line] if status == 403 => refusal::forbidden(&self.lines[*line].topic),
                    _ => refusal::failure(status, retry_after, body),
                })];
            }
        }
        self.fillings.insert(tag, filling);
        effects
    }
}

impl Session for Conversation {
    fn start(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.looking.is_some() {
            self.look(now, &mut effects);
        } else {
            self.begin(now, &mut effects);
        }
        effects
    }

    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            // `open` says more: from then on the server listens.
            Input::Opened { .. } | Input::Closed { .. } => {}
            Input::Offered(known) => self.in_step(known, now, &mut effects),
            Input::Alive | Input::Comment(_) | Input::Position { .. } => {
                effects.push(Effect::KeepAlive);
            }
            Input::Frame(frame) | Input::Event { data: frame, .. } => {
                self.frame(frame, now, &mut effects);
            }
            Input::Refused {
                status,
                retry_after,
                body,
                ..
            } => return self.refused(status, retry_after, body, &self.welcome(), now),
            Input::Fetched { tag, part } => return self.fetched(tag, part, now),
            Input::Waited { .. } => {
                if self.streamed_as().is_none() && self.fillings.is_empty() {
                    if self.is_look_due(now) {
                        self.look(now, &mut effects);
                    } else {
                        self.fill(now, &mut effects);
                    }
                }
            }
        }
        effects
    }
}

fn unreadable(frame: &str) -> Effect {
    Effect::Unreadable {
        frame: text::one_line(frame, QUOTED),
    }
}
