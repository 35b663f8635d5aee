//! A connection's conversation.
//!
//! The long-lived link is opened without `since`; the server subscribes it before it says `open`. Only then
//! are finite requests made for what was published before. So nothing falls between the two, and only
//! the proper end of such a request proves that the history is complete: a cursor moves no earlier. Repeats are
//! left to the inbox, which knows every id.

use super::headers::{header, is_json, seconds};
use super::line::Line;
use super::message::{self, Frame, Happening, What};
use super::order::{Order, Run};
use super::{address, refusal};
use crate::backend::{
    Effect, Failure, FailureKind, Fetched, Input, Missing, Read, Resume, Session,
};
use crate::model::{HttpRequest, Origin, TransportKind};
use crate::text;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How far behind its cursor a topic is fetched again, in seconds: for what the server stored late, and for
/// clocks that were corrected.
const OVERLAP: i64 = 300;
/// A cursor that is so far behind what the link has shown is brought along, in seconds. Otherwise one
/// quiet topic would have the whole history of the others fetched again each time.
const LAG: i64 = 600;
/// How much of a frame that cannot be read goes to the log, in characters.
const QUOTED: usize = 80;

/// A finite request under way.
struct Filling {
    lines: Vec<usize>,
    origin: Origin,
    missing: Option<Missing>,
    /// Everything before this server time is in the answer, or came over the link.
    covers: i64,
    run: Run,
    readable: bool,
    unreadable: bool,
}

/// ntfy's side of a connection.
pub(super) struct Conversation {
    resume: Resume,
    lines: Vec<Line>,
    /// The last tag given out.
    tag: u32,
    fillings: BTreeMap<u32, Filling>,
    /// Topics being asked about one by one, and whether any was refused.
    probes: BTreeMap<u32, usize>,
    any_refused: bool,
    /// The server's clock less ours, in seconds.
    clock: Option<i64>,
    order: Order,
    /// `open` came.
    open: bool,
    live: bool,
    /// When the last poll was complete.
    polled: Option<Timestamp>,
}

impl Conversation {
    pub(super) fn new(resume: Resume) -> Self {
        let lines = resume.topics.iter().map(Line::new).collect();
        Self {
            resume,
            lines,
            tag: 0,
            fillings: BTreeMap::new(),
            probes: BTreeMap::new(),
            any_refused: false,
            clock: None,
            order: Order::default(),
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
            .filter(|&line| !self.lines[line].refused)
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
        effects.push(Effect::Open(self.request(&self.welcome(), ending)));
    }

    /// Asks for what was published before: one request for the topics that have a cursor, one for those that
    /// have none, so that a new topic is filled on its own.
    fn fill(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let server_now = self.server_now(now);
        let window = i64::try_from(self.resume.fill.as_secs()).unwrap_or(i64::MAX);
        let begin = server_now.saturating_sub(window);
        let (old, new): (Vec<usize>, Vec<usize>) = self
            .welcome()
            .into_iter()
            .partition(|&line| self.lines[line].cursor.is_some());
        if !old.is_empty() {
            let mut since = i64::MAX;
            let mut missing = None;
            for &line in &old {
                let cursor = self.lines[line].cursor.unwrap_or_default();
                // The server's clock was set back: the cursor says nothing about its times any more.
                let is_ahead = self.clock.is_some() && cursor > server_now.saturating_add(OVERLAP);
                if is_ahead {
                    missing = Some(Missing::UnknownCursor);
                }
                since = since.min(if is_ahead {
                    begin
                } else {
                    cursor.saturating_sub(OVERLAP)
                });
            }
            let origin = self.origin(now);
            self.fetch(old, since, origin, missing, server_now, effects);
        }
        if !new.is_empty() {
            self.fetch(new, begin, Origin::FirstFilling, None, server_now, effects);
        }
    }

    fn fetch(
        &mut self,
        lines: Vec<usize>,
        since: i64,
        origin: Origin,
        missing: Option<Missing>,
        server_now: i64,
        effects: &mut Vec<Effect>,
    ) {
        let since = since.max(1);
        let mut request = self.request(&lines, "json");
        request
            .url
            .query_pairs_mut()
            .append_pair("poll", "1")
            .append_pair("since", &since.to_string());
        let tag = self.next_tag();
        let filling = Filling {
            lines,
            origin,
            missing,
            // `open` just said what time it is there. A poll learns it from its answer, or not at all.
            covers: if self.open && self.clock.is_some() {
                server_now
            } else {
                since
            },
            run: Run::default(),
            readable: false,
            unreadable: false,
        };
        self.fillings.insert(tag, filling);
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Lines,
        });
    }

    /// What comes with a poll soon after another is as good as live; after a long one it is a backlog.
    fn origin(&self, now: Timestamp) -> Origin {
        let late = self
            .resume
            .poll_every
            .saturating_mul(2)
            .saturating_add(Duration::from_mins(1));
        let since = self
            .polled
            .map(|last| now.duration_since(last).unsigned_abs());
        if since.is_some_and(|since| since <= late) {
            Origin::Live
        } else {
            Origin::Backfill
        }
    }

    fn frame(&mut self, frame: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        match message::read(frame) {
            Some(Frame::Open { time }) => {
                self.set_clock(time, now);
                effects.push(Effect::KeepAlive);
                if !self.open {
                    self.open = true;
                    self.fill(now, effects);
                }
            }
            Some(Frame::KeepAlive { time }) => {
                self.set_clock(time, now);
                effects.push(Effect::KeepAlive);
                if let Some(time) = time {
                    self.bring_along(time, effects);
                }
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

    fn refused(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        body: &str,
        lines: &[usize],
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        match (status, lines) {
            (403, [line]) => {
                effects.push(Effect::Fail(refusal::forbidden(&self.lines[*line].topic)));
            }
            // One topic that may not be read spoils the request for all: ask for each.
            (403, [_, _, ..]) => {
                for &line in lines {
                    let tag = self.next_tag();
                    self.probes.insert(tag, line);
                    let request = self.request(&[line], "auth");
                    effects.push(Effect::Fetch {
                        tag,
                        request,
                        read: Read::Lines,
                    });
                }
            }
            // A proxy that knows nothing of WebSocket passes it on as a plain request.
            (400 | 405 | 426 | 501, _)
                if self.resume.transport == TransportKind::Websocket && !self.open =>
            {
                effects.push(Effect::Fail(Failure {
                    kind: FailureKind::Blocked,
                    says: "Something between here and the server does not let WebSocket through."
                        .to_owned(),
                    retry_after,
                }));
            }
            _ => effects.push(Effect::Fail(refusal::failure(status, retry_after, body))),
        }
        effects
    }

    fn fetched(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp) -> Vec<Effect> {
        if self.probes.contains_key(&tag) {
            return self.probed(tag, part, now);
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
                    return self.refused(status, retry_after, body, &self.welcome());
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

    fn line(
        &mut self,
        filling: &mut Filling,
        line: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if line.trim().is_empty() {
            return;
        }
        match message::read(line) {
            Some(Frame::Happening(happening)) => {
                if self.happening(&happening, line, Some(filling), now, effects) {
                    filling.readable = true;
                } else {
                    filling.unreadable = true;
                }
            }
            Some(Frame::Open { .. } | Frame::KeepAlive { .. } | Frame::Other) => {
                filling.readable = true;
            }
            None => {
                filling.unreadable = true;
                effects.push(unreadable(line));
            }
        }
    }

    /// The history of these topics is complete.
    fn filled(&mut self, filling: &Filling, now: Timestamp, effects: &mut Vec<Effect>) {
        for &number in &filling.lines {
            let line = &mut self.lines[number];
            line.filled = true;
            if !self.live {
                effects.push(Effect::TopicRefused {
                    subscription: line.subscription,
                    says: String::new(),
                });
            }
            effects.push(Effect::Filled {
                subscription: line.subscription,
                missing: filling.missing,
            });
            let reached = line
                .reached
                .map_or(filling.covers, |reached| reached.max(filling.covers));
            line.advance(reached, effects);
        }
        if !self.fillings.is_empty() {
            return;
        }
        if !self.live {
            self.live = true;
            effects.push(Effect::Live);
        }
        if self.streamed_as().is_none() {
            self.polled = Some(now);
            effects.push(Effect::KeepAlive);
            let tag = self.next_tag();
            effects.push(Effect::Wait {
                tag,
                time: self.resume.poll_every,
            });
        }
    }

    fn probed(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match part {
            Fetched::Head(headers) if !is_json(headers) => {
                return vec![Effect::Fail(refusal::strange_answer())];
            }
            Fetched::Head(_) | Fetched::Line(_) | Fetched::Body(_) | Fetched::TooLong => {
                return effects;
            }
            Fetched::End => {
                self.probes.remove(&tag);
            }
            Fetched::Refused { status: 403, .. } => {
                if let Some(number) = self.probes.remove(&tag) {
                    let line = &mut self.lines[number];
                    line.refused = true;
                    self.any_refused = true;
                    effects.push(Effect::TopicRefused {
                        subscription: line.subscription,
                        says: refusal::forbidden(&line.topic).says,
                    });
                }
            }
            Fetched::Refused {
                status,
                retry_after,
                body,
                ..
            } => return vec![Effect::Fail(refusal::failure(status, retry_after, body))],
        }
        if self.probes.is_empty() {
            effects.extend(self.all_probed(now));
        }
        effects
    }

    fn all_probed(&mut self, now: Timestamp) -> Vec<Effect> {
        let says = if self.welcome().is_empty() {
            "This account may read none of its topics. Ask the server's owner for access."
        } else if self.any_refused {
            self.any_refused = false;
            let mut effects = Vec::new();
            self.begin(now, &mut effects);
            return effects;
        } else {
            "The server refuses the topics together, but none of them alone. It will be asked again."
        };
        let kind = if self.welcome().is_empty() {
            FailureKind::Forbidden
        } else {
            FailureKind::Transient
        };
        vec![Effect::Fail(Failure {
            kind,
            says: says.to_owned(),
            retry_after: None,
        })]
    }
}

impl Session for Conversation {
    fn start(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.begin(now, &mut effects);
        effects
    }

    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            // `open` says more: from then on the server listens.
            Input::Opened { .. } | Input::Offered(_) | Input::Closed { .. } => {}
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
            } => return self.refused(status, retry_after, body, &self.welcome()),
            Input::Fetched { tag, part } => return self.fetched(tag, part, now),
            Input::Waited { .. } => {
                if self.streamed_as().is_none() && self.fillings.is_empty() {
                    self.fill(now, &mut effects);
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
