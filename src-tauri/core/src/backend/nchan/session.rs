//! A connection's conversation.
//!
//! Nchan hands over what it holds after a place, oldest first, and goes on with what is published. Nothing says
//! where the one ends and the other begins, so a backlog counts as complete when the channel's own word (its
//! information, if we have its address) or a moment of quiet says so. The cursor does not wait for that:
//! messages come in order, and each one is a place.

mod about;
mod polling;
mod refusals;

use super::id::{MessageId, Place};
use super::line::{Line, Step};
use super::meta::{self, SUBPROTOCOL};
use super::options::Settings;
use super::pulse::Pulse;
use super::{address, headers, refusal};
use crate::backend::payload::{self, Envelope};
use crate::backend::{Effect, Input, Offered, Resume, Session, Topic};
use crate::model::{HttpRequest, Origin, SubscriptionId, TransportKind};
use crate::text;
use jiff::Timestamp;
use polling::Answer;
use std::time::Duration;

/// A backlog of which nothing comes for so long is complete.
const QUIET: Duration = Duration::from_secs(1);
/// So many of these are waited for what the channel told of.
const PATIENT_ROUNDS: u32 = 10;
/// A WebSocket over which nothing comes for so long is opened anew.
const STALE: Duration = Duration::from_mins(15);
/// A place so far ahead of our own clock is not asked for, in seconds: the server would say nothing until then.
const AHEAD: i64 = 60;
/// How far before their place several channels are resumed, in seconds.
const OVERLAP: i64 = 2;
/// How much of a frame that cannot be read goes to the log, in characters.
const QUOTED: usize = 80;

/// The wait for quiet.
const IS_QUIET: u32 = 1;
/// The wait before the next request.
const ASK_AGAIN: u32 = 2;
/// The wait after which a quiet WebSocket is opened anew.
const IS_STALE: u32 = 6;
/// A request for the next message.
const NEXT: u32 = 3;
/// Whether the address answers without a WebSocket, and without an event stream.
const OTHER_WAYS: [u32; 2] = [4, 5];
/// What the first channel tells about itself; the next ones follow.
const ABOUT: u32 = 16;

/// Nchan's side of a connection.
pub(super) struct Conversation {
    resume: Resume,
    settings: Settings,
    lines: Vec<Line>,
    /// Where the connection goes on, and where it was opened.
    place: Place,
    asked: Place,
    /// The head of the answer that is coming in.
    answer: Option<Answer>,
    /// The server's clock when the connection was opened.
    date: Option<i64>,
    /// The same now, as far as it showed: what has come was published before.
    clock: Option<i64>,
    last_id: String,
    pulse: Pulse,
    /// Channels that were asked about themselves and have not answered.
    asked_about: usize,
    is_waiting: bool,
    heard: bool,
    quiet_rounds: u32,
    complete: bool,
}

/// A message on its way.
struct Message<'a> {
    event: &'a str,
    content_type: &'a str,
    text: &'a str,
}

impl Conversation {
    pub(super) fn new(resume: Resume) -> Self {
        let settings = Settings::read(&resume.options);
        Self {
            resume,
            settings,
            lines: Vec::new(),
            place: Place::beginning(),
            asked: Place::beginning(),
            answer: None,
            date: None,
            clock: None,
            last_id: String::new(),
            pulse: Pulse::default(),
            asked_about: 0,
            is_waiting: false,
            heard: false,
            quiet_rounds: 0,
            complete: false,
        }
    }

    fn is_streamed(&self) -> bool {
        match self.resume.transport {
            TransportKind::Websocket | TransportKind::Sse => true,
            TransportKind::HttpStream | TransportKind::LongPoll | TransportKind::Poll => false,
        }
    }

    /// The channels in their order, and their subscriptions as far as they are known.
    fn channels(&self) -> Vec<(String, Option<&Topic>)> {
        let topics = &self.resume.topics;
        if self.settings.channels.is_empty() {
            if topics.is_empty() {
                return vec![(address::channel_of(&self.resume.base), None)];
            }
            return topics
                .iter()
                .map(|topic| (topic.topic.clone(), Some(topic)))
                .collect();
        }
        self.settings
            .channels
            .iter()
            .map(|channel| {
                let topic = topics.iter().find(|topic| topic.topic == *channel);
                (channel.clone(), topic)
            })
            .collect()
    }

    fn set_up(
        &mut self,
        known: &[(String, Option<SubscriptionId>)],
        now: Timestamp,
    ) -> Vec<Effect> {
        let channels = self.channels();
        let all = channels.len();
        let lines = channels.iter().enumerate().map(|(at, (channel, topic))| {
            let offered = || {
                let (_, id) = known.iter().find(|(topic, _)| topic == channel)?;
                *id
            };
            let subscription = topic.map(|topic| topic.subscription).or_else(offered);
            let cursor = topic.and_then(|topic| topic.cursor.as_ref());
            Line::new(subscription, channel, (at, all), cursor)
        });
        self.lines = lines.collect();
        let mut effects = Vec::new();
        if self.wanted().next().is_none() {
            // The user left every channel: there is nothing to be missed.
            self.complete = true;
            return vec![Effect::Live];
        }
        self.place = self.least_place(now);
        self.begin(&mut effects);
        effects
    }

    /// Channels that the user has.
    fn wanted(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.subscription.is_some())
    }

    /// The place after which nothing is missed of any channel.
    fn least_place(&self, now: Timestamp) -> Place {
        let mut least: Option<(Option<(i64, u64)>, &Place)> = None;
        for line in self.wanted() {
            let Some(place) = &line.place else {
                return Place::beginning();
            };
            let order = MessageId::read(&place.id).map(|id| id.order());
            least = match least {
                None => Some((order, place)),
                Some((_, known)) if known == place => least,
                Some((Some(known), _)) if order.is_some_and(|order| known <= order) => least,
                Some((Some(_), _)) if order.is_some() => Some((order, place)),
                // Ids of another form have no order that we know.
                Some(_) => return Place::beginning(),
            };
        }
        match least {
            Some((order, place))
                if order.is_none_or(|(second, _)| second <= now.as_second() + AHEAD) =>
            {
                match order {
                    // The server merges channels as it hears of their messages, which may be a moment late.
                    Some((second, _)) if self.lines.len() > 1 => Place::before(second - OVERLAP),
                    _ => place.clone(),
                }
            }
            _ => Place::beginning(),
        }
    }

    /// Opens the connection at its place, or asks for the next message.
    fn begin(&mut self, effects: &mut Vec<Effect>) {
        self.asked = self.place.clone();
        let base = HttpRequest::get(self.resume.base.clone());
        if self.is_streamed() {
            let mut request = base.header("Last-Event-ID", self.place.id.as_str());
            if self.resume.transport == TransportKind::Websocket {
                request = request.header("Sec-WebSocket-Protocol", SUBPROTOCOL);
            } else {
                // For the server's clock.
                request.wants_head = true;
            }
            effects.push(Effect::Open(request));
        } else {
            effects.push(self.next_message(NEXT));
            if self.date.is_none() {
                self.watch(effects);
            }
        }
    }

    /// Looks for the end of the backlog.
    fn watch(&mut self, effects: &mut Vec<Effect>) {
        if self.complete || self.is_waiting {
            return;
        }
        self.is_waiting = true;
        effects.push(Effect::Wait {
            tag: IS_QUIET,
            time: QUIET,
        });
        self.ask_about(effects);
    }

    fn opened(&mut self, headers: &[(String, String)], effects: &mut Vec<Effect>) {
        if self.resume.transport == TransportKind::Websocket {
            let agreed = headers::header(headers, "sec-websocket-protocol")
                .is_some_and(|agreed| agreed.trim().eq_ignore_ascii_case(SUBPROTOCOL));
            if !agreed {
                effects.push(Effect::Fail(refusal::without_ids()));
                return;
            }
        }
        self.last_id.clear();
        effects.push(Effect::KeepAlive);
        self.set_clock(headers);
        if self.is_ahead() {
            self.begin_anew(effects);
        } else {
            self.watch(effects);
        }
    }

    fn set_clock(&mut self, headers: &[(String, String)]) {
        if let Some(date) = headers::date(headers) {
            self.date.get_or_insert(date);
            self.clock = Some(date);
        }
    }

    /// The server's clock has not come to our place: it would say nothing until then.
    fn is_ahead(&self) -> bool {
        let second = MessageId::read(&self.asked.id).map(|id| id.second);
        matches!((second, self.clock), (Some(second), Some(clock)) if second > clock + 1)
    }

    fn message(
        &mut self,
        place: &Place,
        message: &Message<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.heard = true;
        self.quiet_rounds = 0;
        let id = MessageId::read(&place.id);
        let second = id.as_ref().map(|id| id.second);
        self.clock = self.clock.max(second);
        let of = id.as_ref().map_or(0, |id| id.channel);
        // Whoever named one channel, and subscribed to an address with several, gets them all as this one.
        let number = if of < self.lines.len() { of } else { 0 };
        let is_live = self.complete
            || matches!((second, self.date), (Some(second), Some(date)) if second >= date);
        let is_too_old = matches!(
            second,
            Some(second) if second < self.fills_from(now)
        );
        let Some(line) = self.lines.get_mut(number) else {
            return;
        };
        if let Some(id) = id.as_ref().filter(|_| number == of)
            && line.note(id.second, id.number()) == Step::Gap
            && self.complete
        {
            line.filled(effects);
        }
        let origin = if is_live { Origin::Live } else { line.origin() };
        let channel = if number == of {
            line.channel.clone()
        } else {
            format!("{}/{}", line.channel, of + 1)
        };
        let in_channel = id
            .as_ref()
            .map_or_else(|| place.id.clone(), MessageId::in_channel);
        if let Some(subscription) = line.subscription
            && !(origin == Origin::FirstFilling && is_too_old)
        {
            let read = payload::read(
                &self.settings.mapping,
                &Envelope {
                    event: message.event,
                    id: &format!("{channel}|{in_channel}"),
                    content_type: message.content_type,
                    text: message.text,
                    now: id.as_ref().and_then(MessageId::at).unwrap_or(now),
                },
            );
            effects.extend(said(subscription, read, origin));
        }
        self.place = place.clone();
        for line in &mut self.lines {
            line.advance(place, effects);
        }
        self.look_whether_level(effects);
    }

    /// From when on a new subscription is filled, by the server's clock.
    fn fills_from(&self, now: Timestamp) -> i64 {
        let fill = i64::try_from(self.resume.fill.as_secs()).unwrap_or(i64::MAX);
        self.date
            .unwrap_or_else(|| now.as_second())
            .saturating_sub(fill)
    }

    /// A channel holds what did not come.
    fn is_owed(&self) -> bool {
        self.wanted()
            .any(|line| line.held.is_some() && !line.is_level())
    }

    fn quiet(&mut self, effects: &mut Vec<Effect>) {
        self.is_waiting = false;
        if self.complete {
            return;
        }
        self.quiet_rounds += 1;
        let is_owed = self.is_owed();
        if std::mem::take(&mut self.heard)
            || self.asked_about > 0
            || is_owed && self.quiet_rounds < PATIENT_ROUNDS
        {
            self.is_waiting = true;
            effects.push(Effect::Wait {
                tag: IS_QUIET,
                time: QUIET,
            });
        } else if is_owed {
            effects.push(Effect::Fail(refusal::withheld()));
        } else {
            self.finish(effects);
        }
    }

    /// The backlog is complete.
    fn finish(&mut self, effects: &mut Vec<Effect>) {
        if self.complete {
            return;
        }
        self.complete = true;
        for line in &mut self.lines {
            line.judge(self.settings.keeps);
            line.filled(effects);
            // A channel in which nothing was ever said has a place too.
            if line.place.is_none() {
                line.advance(&self.place, effects);
            }
        }
        effects.push(Effect::Live);
        if self.resume.transport == TransportKind::Websocket {
            effects.push(Effect::Wait {
                tag: IS_STALE,
                time: STALE,
            });
        }
    }

    /// The socket of a WebSocket is watched by its own pings; whether the server still knows whom it is for is
    /// shown only by a message, or by opening it anew.
    fn look_whether_stale(&mut self, effects: &mut Vec<Effect>) {
        effects.push(if std::mem::take(&mut self.heard) {
            Effect::Wait {
                tag: IS_STALE,
                time: STALE,
            }
        } else {
            Effect::Fail(refusal::failure(408, None))
        });
    }

    fn event(
        &mut self,
        (name, id, data): (&str, &str, &str),
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        // Every message has an id of its own; a ping has none.
        if id == self.last_id {
            if name == "message" {
                effects.push(unreadable(data));
            } else {
                self.ping(now, effects);
            }
            return;
        }
        let Some(place) = Place::of_id(id) else {
            effects.push(unreadable(id));
            return;
        };
        id.clone_into(&mut self.last_id);
        let message = Message {
            event: name,
            content_type: "",
            text: data,
        };
        self.message(&place, &message, now, effects);
    }

    fn ping(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        effects.push(Effect::KeepAlive);
        if self.resume.transport == TransportKind::Sse
            && let Some(silence) = self.pulse.beat(now)
        {
            effects.push(Effect::Silence(silence));
        }
    }
}

/// What a message comes to.
fn said(subscription: SubscriptionId, read: payload::Payload, origin: Origin) -> Option<Effect> {
    let draft = read.draft;
    let (replace_key, version) = (draft.replace_key.clone(), draft.version);
    if read.ignored {
        None
    } else if read.deleted {
        Some(Effect::Remove {
            subscription,
            replace_key,
            version,
        })
    } else if read.read {
        Some(Effect::Read {
            subscription,
            replace_key,
            version,
        })
    } else {
        Some(Effect::Notify {
            subscription,
            draft: Box::new(draft),
            origin,
        })
    }
}

fn unreadable(frame: &str) -> Effect {
    Effect::Unreadable {
        frame: text::one_line(frame, QUOTED),
    }
}

impl Session for Conversation {
    fn start(&mut self, now: Timestamp) -> Vec<Effect> {
        let missing: Vec<Offered> = self
            .channels()
            .into_iter()
            .filter(|(_, topic)| topic.is_none())
            .map(|(topic, _)| Offered {
                topic,
                name: String::new(),
                icon: None,
                place: String::new(),
            })
            .collect();
        if missing.is_empty() {
            self.set_up(&[], now)
        } else {
            vec![Effect::Offer(missing)]
        }
    }

    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Offered(known) => return self.set_up(known, now),
            Input::Opened { headers } => self.opened(headers, &mut effects),
            Input::Frame(frame) => match meta::read(frame) {
                Some(framed) => match Place::of_id(framed.id) {
                    Some(place) => {
                        let message = Message {
                            event: "",
                            content_type: framed.content_type,
                            text: framed.text,
                        };
                        self.message(&place, &message, now, &mut effects);
                    }
                    None => effects.push(unreadable(framed.id)),
                },
                None => effects.push(unreadable(frame)),
            },
            Input::Event { name, id, data } => self.event((name, id, data), now, &mut effects),
            // A message without a text.
            Input::Position { id } if !id.is_empty() && id != self.last_id => {
                self.event(("", id, ""), now, &mut effects);
            }
            Input::Position { .. } | Input::Alive => self.ping(now, &mut effects),
            Input::Comment(comment) => match refusal::status(comment) {
                Some(status) => effects.push(Effect::Fail(refusal::failure(status, None))),
                None if comment == super::GREETING => effects.push(Effect::KeepAlive),
                None => self.ping(now, &mut effects),
            },
            Input::Closed { code, reason } => match (refusal::status(reason), code) {
                (Some(status), _) => effects.push(Effect::Fail(refusal::failure(status, None))),
                // It goes away, as agreed: a reload, a restart.
                (None, Some(1000 | 1001 | 1012)) => {
                    effects.push(Effect::Fail(refusal::failure(408, None)));
                }
                _ => {}
            },
            Input::Refused {
                status,
                headers,
                retry_after,
                ..
            } => {
                self.set_clock(headers);
                self.refused(status, retry_after, &mut effects);
            }
            Input::Fetched { tag, part } => match tag {
                NEXT => self.answered(part, now, &mut effects),
                tag if OTHER_WAYS.contains(&tag) => self.other_way(tag, part, &mut effects),
                tag => {
                    let number = tag
                        .checked_sub(ABOUT)
                        .and_then(|at| usize::try_from(at).ok());
                    if let Some(number) = number {
                        self.told_about(number, part, &mut effects);
                    }
                }
            },
            Input::Waited { tag: IS_QUIET } => self.quiet(&mut effects),
            Input::Waited { tag: IS_STALE } => self.look_whether_stale(&mut effects),
            Input::Waited { .. } => self.begin(&mut effects),
        }
        effects
    }
}
