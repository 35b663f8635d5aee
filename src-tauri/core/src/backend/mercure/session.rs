//! A connection's conversation.
//!
//! The stream of all topics is opened at the position of the last event; the hub sends what was published since
//! and goes on live, in one order, so that every event moves the cursor. What such a stream cannot bring, the
//! history of a new topic or of a position that the hub does not know any more, is fetched beside it and has its
//! end where the hub falls silent. Where each topic has a stream for itself, all of them are such requests.

mod backlog;
mod sign_in;

use super::belongs::{belongs, rest};
use super::dialect::{self, Dialect, challenge};
use super::lines::{Lines, Said};
use super::options::Options;
use super::place::Position;
use super::stream::{Filling, Line, Stream};
use super::{payload, refusal};
use crate::backend::payload::Mapping;
use crate::backend::{Effect, Fetched, Input, Missing, Read, Resume, Session};
use crate::model::{Hidden, HttpRequest, Origin, Sign};
use crate::text;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// A backlog comes at once; after so much silence it is through.
const SETTLE: Duration = Duration::from_secs(2);
/// A stream that is never silent is taken for settled after so many looks.
const LOOKS: u32 = 15;
/// Some hubs stop after so many events at once without a word (flask-mercure-sse queues five).
const BURST: u32 = 5;
/// A stream that ended sooner is not opened again at once.
const SHORT: Duration = Duration::from_secs(5);
/// How much of an event that cannot be read goes to the log, in characters.
const QUOTED: usize = 80;

/// A request under way beside the link.
enum Asked {
    /// For a token; whether there is another one still.
    Token {
        headers: Vec<(String, String)>,
        renewal: bool,
    },
    Filling(Box<Filling>),
    /// A stream of its own.
    Stream {
        number: usize,
        parser: Lines,
    },
}

/// Mercure's side of a connection.
pub(super) struct Conversation {
    resume: Resume,
    options: Result<Options, String>,
    mapping: Mapping,
    dialect: Dialect,
    /// The dialect was changed, or the token asked for anew, since a stream was open last.
    switched: bool,
    renewed: bool,
    token: Option<Hidden>,
    lines: Vec<Line>,
    streams: Vec<Stream>,
    /// The last tag given out.
    tag: u32,
    asked: BTreeMap<u32, Asked>,
    /// The tag of the next renewal of the token.
    renewal: Option<u32>,
    live: bool,
}

impl Conversation {
    pub(super) fn new(resume: Resume) -> Self {
        let options = Options::read(&resume.options);
        let kept = options.clone().unwrap_or_default();
        Self {
            lines: resume.topics.iter().map(Line::new).collect(),
            mapping: kept.mapping(),
            dialect: kept.dialect.unwrap_or_default(),
            options,
            resume,
            switched: false,
            renewed: false,
            token: None,
            streams: Vec::new(),
            tag: 0,
            asked: BTreeMap::new(),
            renewal: None,
            live: false,
        }
    }

    fn options(&self) -> Options {
        self.options.clone().unwrap_or_default()
    }

    /// Whether each topic has a stream of its own. One topic needs none.
    fn is_separate(&self) -> bool {
        self.lines.len() > 1 && self.options.as_ref().is_ok_and(|options| options.separate)
    }

    fn next_tag(&mut self) -> u32 {
        self.tag = self.tag.wrapping_add(1);
        self.tag
    }

    /// A subscription, signed in with the token that was fetched, or as the account.
    fn request(&self, lines: &[usize], from: Option<&Position>) -> HttpRequest {
        let topics: Vec<&str> = lines
            .iter()
            .map(|&line| self.lines[line].topic.as_str())
            .collect();
        let mut request = self.dialect.subscribe(&self.resume.base, &topics, from);
        if let Some(token) = &self.token {
            request.sign = Sign::Bearer(token.clone());
        }
        request
    }

    /// Opens what is not open.
    fn open_all(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.streams.is_empty() {
            let all = 0..self.lines.len();
            let shared = !self.is_separate();
            let groups: Vec<Vec<usize>> = if shared {
                vec![all.collect()]
            } else {
                all.map(|line| vec![line]).collect()
            };
            self.streams = groups
                .into_iter()
                .map(|lines| Stream::new(lines, shared, &self.lines, now))
                .collect();
        }
        for number in 0..self.streams.len() {
            if !self.streams[number].under_way {
                self.open(number, effects);
            }
        }
    }

    fn open(&mut self, number: usize, effects: &mut Vec<Effect>) {
        let from = self.streams[number].position.clone();
        let request = self.request(&self.streams[number].lines, from.as_ref());
        let dialect = self.dialect;
        let stream = &mut self.streams[number];
        stream.closed();
        stream.under_way = true;
        stream.asked = from;
        stream.dialect = dialect;
        if stream.shared {
            effects.push(Effect::Open(request));
        } else {
            let parser = Lines::default();
            let asked = Asked::Stream { number, parser };
            self.fetch(request, Read::Lines, asked, effects);
        }
    }

    fn fetch(&mut self, request: HttpRequest, read: Read, asked: Asked, effects: &mut Vec<Effect>) {
        let tag = self.next_tag();
        self.asked.insert(tag, asked);
        effects.push(Effect::Fetch { tag, request, read });
    }

    /// The hub listens from here on.
    fn opened(
        &mut self,
        number: usize,
        headers: &[(String, String)],
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.switched = false;
        self.renewed = false;
        let answered = dialect::answered(headers);
        let stream = &mut self.streams[number];
        stream.opened(now);
        let asked = stream.asked.clone();
        if asked.is_some() {
            stream.mute = Some(answered.is_none());
        }
        // It knows no such event, and sends nothing of what came after it.
        let unknown = match (&asked, answered) {
            (Some(Position::After(id)), Some(answered)) if answered != id => Some(answered),
            _ => None,
        };
        let (mut old, mut new, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for &line in &stream.lines {
            let known = &self.lines[line];
            match &known.place {
                _ if known.filling => {}
                _ if known.filled => old.push(line),
                None => new.push(line),
                Some(place) if place.shared || !stream.shared => old.push(line),
                Some(place) => own.push((line, place.position.clone())),
            }
        }
        stream.settled = asked.is_none() || unknown.is_some();
        if let Some(answered) = unknown {
            stream.position = None;
            stream.fall_back = Some(Position::of_id(answered));
            let missing = Some(Missing::UnknownCursor);
            let from = Position::Earliest;
            self.fill(number, old, from, Origin::Backfill, missing, effects);
        }
        if !new.is_empty() {
            let from = self.options().last_event_id;
            let from = if from.is_empty() {
                Position::Earliest
            } else {
                Position::After(from)
            };
            self.fill(number, new, from, Origin::FirstFilling, None, effects);
        }
        for (line, from) in own {
            self.fill(number, vec![line], from, Origin::Backfill, None, effects);
        }
        if self.streams[number].settled {
            self.settled(number, effects);
        } else {
            self.look_later(number, effects);
        }
    }

    fn look_later(&mut self, number: usize, effects: &mut Vec<Effect>) {
        let tag = self.next_tag();
        self.streams[number].look = Some(tag);
        effects.push(Effect::Wait { tag, time: SETTLE });
    }

    /// Looks whether a stream has fallen silent.
    fn look(&mut self, number: usize, effects: &mut Vec<Effect>) {
        let stream = &mut self.streams[number];
        stream.look = None;
        let heard = std::mem::take(&mut stream.heard);
        stream.burst = stream.burst.saturating_add(heard);
        stream.looks += 1;
        if heard > 0 && stream.looks < LOOKS {
            self.look_later(number, effects);
            return;
        }
        let burst = std::mem::take(&mut stream.burst);
        stream.looks = 0;
        // Whether there is more shows only where the hub is asked again. It is not, if it would be asked the same.
        let is_cut = heard == 0 && burst >= BURST && stream.mute != Some(false);
        if is_cut && stream.position != stream.asked {
            if stream.shared {
                self.open(number, effects);
            } else {
                // The old one cannot be given up alone.
                effects.push(Effect::Fail(refusal::ended()));
            }
            return;
        }
        if !self.streams[number].settled {
            self.streams[number].settled = true;
            self.settled(number, effects);
        }
    }

    /// What the stream itself brings of the past is through.
    fn settled(&mut self, number: usize, effects: &mut Vec<Effect>) {
        let cursor = self.streams[number].cursor();
        for &line in &self.streams[number].lines {
            let line = &mut self.lines[line];
            if line.filling || (line.place.is_none() && !line.filled) {
                continue;
            }
            line.filled = true;
            effects.push(Effect::Filled {
                subscription: line.subscription,
                missing: None,
            });
            // A quiet topic is brought along, so that its place does not depend on what others had long ago.
            effects.push(Effect::Advance {
                subscription: line.subscription,
                cursor: cursor.clone(),
            });
        }
        self.look_whether_live(effects);
    }

    fn look_whether_live(&mut self, effects: &mut Vec<Effect>) {
        let complete = self
            .streams
            .iter()
            .all(|stream| stream.open && stream.settled)
            && !self.lines.iter().any(|line| line.filling);
        if complete && !self.live {
            self.live = true;
            effects.push(Effect::Live);
        }
    }

    fn event(
        &mut self,
        number: usize,
        (name, id, data): (&str, &str, &str),
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.heard(number, false, now, effects);
        let stream = &mut self.streams[number];
        stream.heard = stream.heard.saturating_add(1);
        stream.moved(id);
        let own_id = stream.ids.own((name, id, data));
        let lines = stream.lines.clone();
        let past = stream.asked.is_some() && !stream.settled;
        let looks = stream.look.is_none() && stream.mute != Some(false);
        let (line, reading) = self.read(&lines, (name, own_id, data), now);
        let known = &self.lines[line];
        let is_known = known.place.is_some() || known.filled;
        let origin = match (past, is_known) {
            (false, _) => Origin::Live,
            (true, true) => Origin::Backfill,
            (true, false) => Origin::FirstFilling,
        };
        let subscription = known.subscription;
        effects.extend(payload::effects(reading, subscription, origin));
        if is_known && !self.lines[line].filling {
            effects.push(Effect::Advance {
                subscription,
                cursor: self.streams[number].cursor(),
            });
        }
        if looks {
            self.look_later(number, effects);
        }
    }

    /// Whose it is and what it says.
    fn read(
        &self,
        lines: &[usize],
        event: (&str, &str, &str),
        now: Timestamp,
    ) -> (usize, payload::Reading) {
        let reading = payload::read(&self.mapping, event, now);
        let topics: Vec<&str> = lines
            .iter()
            .map(|&line| self.lines[line].topic.as_str())
            .collect();
        let found = reading
            .topics
            .iter()
            .find_map(|said| belongs(&topics, said));
        (lines[found.unwrap_or_else(|| rest(&topics))], reading)
    }

    fn heard(
        &mut self,
        number: usize,
        is_comment: bool,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let stream = &mut self.streams[number];
        if let Some(silence) = stream.heard(is_comment, now)
            && stream.shared
        {
            effects.push(Effect::Silence(silence));
        }
    }

    /// The link's stream, if there is a link.
    fn linked(&self) -> Option<usize> {
        self.streams.iter().position(|stream| stream.shared)
    }

    fn stream_refused(
        &mut self,
        number: usize,
        status: u16,
        headers: &[(String, String)],
        retry_after: Option<Duration>,
        body: &str,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.streams[number].closed();
        let others = self.streams[number].dialect != self.dialect;
        if status == 400 && others {
            self.open(number, &mut effects);
            return effects;
        }
        if status == 400 && !self.switched && dialect::wanted(body) == Some(self.dialect.other()) {
            self.switched = true;
            self.dialect = self.dialect.other();
            self.open(number, &mut effects);
            return effects;
        }
        let has_address = self.options.as_ref().is_ok_and(|o| !o.token_url.is_empty());
        let lacks_scope = challenge(headers).is_some_and(|c| c.contains("insufficient_scope"));
        let refused = status == 401 || (status == 403 && !lacks_scope);
        if refused && has_address {
            if self
                .asked
                .values()
                .any(|asked| matches!(asked, Asked::Token { .. }))
            {
                // It is on its way; all that is closed is opened with it.
                return effects;
            }
            if !self.renewed {
                self.renewed = true;
                self.ask_for_token(false, &mut effects);
                return effects;
            }
        }
        vec![Effect::Fail(refusal::of_hub(
            status,
            headers,
            retry_after,
            body,
            has_address,
        ))]
    }

    fn stream_part(
        &mut self,
        tag: u32,
        (number, mut parser): (usize, Lines),
        part: Fetched<'_>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        match part {
            Fetched::Head(headers) => {
                if !dialect::is_event_stream(headers) {
                    return vec![Effect::Fail(refusal::strange_answer())];
                }
                self.opened(number, headers, now, &mut effects);
            }
            Fetched::Line(line) => match parser.take(line) {
                Some(Said::Event { name, id, data }) => {
                    self.event(number, (&name, &id, &data), now, &mut effects);
                }
                Some(Said::Moved(id)) => self.streams[number].moved(&id),
                Some(Said::Comment) => {
                    self.heard(number, true, now, &mut effects);
                    effects.push(Effect::KeepAlive);
                }
                None => {}
            },
            Fetched::Body(_) | Fetched::TooLong => {}
            Fetched::End => {
                if self.streams[number].age(now) < SHORT {
                    return vec![Effect::Fail(refusal::ended())];
                }
                self.streams[number].closed();
                self.open(number, &mut effects);
                return effects;
            }
            Fetched::Refused {
                status,
                headers,
                retry_after,
                body,
            } => return self.stream_refused(number, status, headers, retry_after, body),
        }
        self.asked.insert(tag, Asked::Stream { number, parser });
        effects
    }
}

impl Session for Conversation {
    fn start(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match &self.options {
            Err(why) => effects.push(Effect::Fail(refusal::unreadable_options(why))),
            Ok(options) if !options.token_url.is_empty() => {
                self.ask_for_token(false, &mut effects);
            }
            Ok(_) => self.open_all(now, &mut effects),
        }
        effects
    }

    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Fetched { tag, part } => {
                return match self.asked.remove(&tag) {
                    Some(Asked::Token { headers, renewal }) => {
                        self.token_part(tag, (headers, renewal), part, now)
                    }
                    Some(Asked::Filling(filling)) => self.filling_part(tag, filling, part, now),
                    Some(Asked::Stream { number, parser }) => {
                        self.stream_part(tag, (number, parser), part, now)
                    }
                    None => effects,
                };
            }
            Input::Waited { tag } => {
                if self.renewal == Some(tag) {
                    self.renewal = None;
                    self.ask_for_token(true, &mut effects);
                } else if let Some(number) = self.streams.iter().position(|s| s.look == Some(tag)) {
                    self.look(number, &mut effects);
                }
                return effects;
            }
            _ => {}
        }
        let Some(number) = self.linked() else {
            return effects;
        };
        match input {
            Input::Opened { headers } => self.opened(number, headers, now, &mut effects),
            Input::Event { name, id, data } => {
                self.event(number, (name, id, data), now, &mut effects);
            }
            Input::Position { id } => {
                self.heard(number, false, now, &mut effects);
                self.streams[number].moved(id);
                effects.push(Effect::KeepAlive);
            }
            Input::Comment(_) => {
                self.heard(number, true, now, &mut effects);
                effects.push(Effect::KeepAlive);
            }
            Input::Alive => effects.push(Effect::KeepAlive),
            Input::Closed { .. } => effects.push(Effect::Fail(refusal::ended())),
            Input::Refused {
                status,
                headers,
                retry_after,
                body,
            } => return self.stream_refused(number, status, headers, retry_after, body),
            // An event stream has no other frames.
            Input::Frame(frame) => effects.push(Effect::Unreadable {
                frame: text::one_line(frame, QUOTED),
            }),
            Input::Offered(_) | Input::Fetched { .. } | Input::Waited { .. } => {}
        }
        effects
    }
}
