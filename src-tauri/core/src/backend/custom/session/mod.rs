//! A connection's conversation: sign in, open, say what is to be said, fetch what was published before, and
//! then hand over what comes. Where nothing can be held open, the same is asked again and again.
//!
//! A stream that is resumed by its position replays what was missed before anything new, and says nowhere
//! where the one ends and the other begins. So it counts as complete after a short silence; its position is
//! right at any time, since the replay is in order. Where there is a history, the position moves only once
//! that was read to its end.

mod asking;
mod history;
mod link;
mod sign_in;
mod take;

use super::options::Setup;
use super::position::Position;
use super::profile::{Endpoint, Profile, Rule};
use super::refusal;
use super::requests;
use super::rules::{self, Life, Message};
use super::template::Values;
use crate::backend::own_id::Ids;
use crate::backend::payload;
use crate::backend::{
    Effect, Failure, FailureKind, Fetched, Input, Missing, Offered, Resume, Session,
};
use crate::model::{Hidden, HttpRequest, SubscriptionId, TransportKind};
use crate::text::one_line;
use history::Paging;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// The name of the subscription of a server without topics.
const ALONE: &str = "all";
/// A resumed stream that is silent for so long has replayed everything.
const SILENCE: Duration = Duration::from_secs(2);
/// So many silences are waited for; then it is a busy stream and not a replay.
const LOOKS: u8 = 60;
/// How much of a frame that cannot be read goes to the log, in characters.
const QUOTED: usize = 80;

/// Tags of waits.
mod wait {
    pub const SILENCE: u32 = 1;
    pub const CONFIRM: u32 = 2;
    pub const PING: u32 = 3;
    pub const RENEW: u32 = 4;
    pub const ASK: u32 = 5;
}

/// A request under way.
enum Job {
    /// For a token. Whether a cookie came, and the text.
    Login(Option<Hidden>),
    /// For what was published before.
    History(Box<Paging>),
    /// For what is new.
    Asked {
        at: Timestamp,
        body: Option<String>,
        headers: Vec<(String, String)>,
    },
    /// Whose answer nobody waits for.
    Told,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Signing in, opening.
    Opening,
    /// The server has not confirmed yet.
    Confirming,
    /// The history is being fetched.
    Filling,
    /// A replay may be under way.
    Settling,
    /// Complete.
    Complete,
}

/// A topic of this connection.
struct Line {
    subscription: SubscriptionId,
    topic: String,
    /// It was never filled.
    new: bool,
}

/// One side of a connection to a described server.
pub(super) struct Conversation {
    setup: Setup,
    resume: Resume,
    lines: Vec<Line>,
    place: Position,
    /// It was connected before.
    known: bool,
    token: Option<Hidden>,
    jobs: BTreeMap<u32, Job>,
    tag: u32,
    stage: Stage,
    missing: Option<Missing>,
    /// Which events have an id of their own.
    ids: Ids,
    /// Something came since the last look.
    stirred: bool,
    looks: u8,
    /// A ping went out that nothing followed.
    unanswered: bool,
    /// Ids of the notifications to acknowledge once they are stored.
    owed: Vec<(usize, String)>,
    /// Ids that came over the link while the history was fetched.
    meanwhile: Vec<String>,
    /// The history is to be fetched once more.
    again: bool,
    asking: asking::Asking,
}

impl Conversation {
    pub(super) fn new(resume: Resume, setup: Setup) -> Self {
        let place = Position::of(&resume.topics);
        let lines = resume
            .topics
            .iter()
            .map(|topic| Line {
                subscription: topic.subscription,
                topic: topic.topic.clone(),
                new: topic.cursor.is_none(),
            })
            .collect();
        Self {
            setup,
            lines,
            known: place.is_some(),
            place: place.unwrap_or_default(),
            resume,
            token: None,
            jobs: BTreeMap::new(),
            tag: 0,
            stage: Stage::Opening,
            missing: None,
            ids: Ids::default(),
            stirred: false,
            looks: 0,
            unanswered: false,
            owed: Vec::new(),
            meanwhile: Vec::new(),
            again: false,
            asking: asking::Asking::default(),
        }
    }

    fn profile(&self) -> &Profile {
        &self.setup.profile
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        self.profile().endpoint(self.resume.transport)
    }

    fn streams(&self) -> bool {
        matches!(
            self.resume.transport,
            TransportKind::Websocket | TransportKind::Sse | TransportKind::HttpStream
        )
    }

    fn next_tag(&mut self) -> u32 {
        self.tag = self.tag.wrapping_add(1);
        self.tag
    }

    fn joined(&self) -> String {
        let topics: Vec<&str> = self.lines.iter().map(|line| line.topic.as_str()).collect();
        topics.join(",")
    }

    /// A request, with what is known of this connection filled in.
    fn request(
        &self,
        parts: &super::profile::Parts<'_>,
        more: &Values<'_>,
    ) -> Result<HttpRequest, Failure> {
        let joined = self.joined();
        let topics: Vec<&str> = self.lines.iter().map(|line| line.topic.as_str()).collect();
        if parts.url.names("topic") && more.topic.is_none() && topics.len() > 1 {
            return Err(refusal::unfit(
                "This address takes one topic. Add another account for each of the others."
                    .to_owned(),
            ));
        }
        let values = Values {
            topic: more.topic.or(match topics.as_slice() {
                [topic] => Some(topic),
                _ => None,
            }),
            topics: Some(&joined),
            token: self.token.as_ref().map(|token| token.0.as_str()),
            position: self.place.word.as_deref(),
            last: self.place.last.as_deref(),
            ..*more
        };
        let mut request = requests::request(&self.resume.base, parts, &values, &topics)
            .map_err(refusal::unfit)?;
        if let (Some(login), Some(token)) = (&self.profile().login, &self.token) {
            request.sign = requests::signed(login, token);
        }
        Ok(request)
    }

    /// The topics are known: begins. Without any, there may be one by itself.
    fn enter(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.endpoint().is_none() {
            effects.push(Effect::Fail(Failure {
                kind: FailureKind::Blocked,
                says: Setup::lacks(self.resume.transport),
                retry_after: None,
            }));
        } else if !self.lines.is_empty() {
            self.begin(now, effects);
        } else if self.profile().wants_topics() {
            effects.push(Effect::Fail(refusal::unfit(
                "This server wants to be told which topics are wanted. Add one at least."
                    .to_owned(),
            )));
        } else {
            let name = match self.profile().name.as_str() {
                "" => self.resume.base.host_str().unwrap_or(ALONE),
                name => name,
            };
            effects.push(Effect::Offer(vec![Offered {
                topic: ALONE.to_owned(),
                name: name.to_owned(),
                icon: None,
                place: String::new(),
            }]));
        }
    }

    fn offered(
        &mut self,
        known: &[(String, Option<SubscriptionId>)],
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if !self.lines.is_empty() {
            return;
        }
        let mine = known
            .iter()
            .find_map(|(topic, subscription)| Some((topic, (*subscription)?)));
        match mine {
            Some((topic, subscription)) => {
                self.lines.push(Line {
                    subscription,
                    topic: topic.clone(),
                    new: true,
                });
                self.begin(now, effects);
            }
            None => effects.push(Effect::Fail(refusal::unfit(
                "This account has no subscription. Add one, or remove the account.".to_owned(),
            ))),
        }
    }

    /// The server listens for this connection.
    fn ready(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !matches!(self.stage, Stage::Opening | Stage::Confirming) {
            return;
        }
        if self.profile().history.is_some() {
            self.stage = Stage::Filling;
            self.fill(now, effects);
        } else if self.told_position() {
            self.stage = Stage::Settling;
            self.look(effects);
        } else {
            // Nobody says what came meanwhile.
            self.missing = self.known.then_some(Missing::LiveOnly);
            self.complete(now, effects);
        }
    }

    fn look(&mut self, effects: &mut Vec<Effect>) {
        self.stirred = false;
        self.looks += 1;
        effects.push(Effect::Wait {
            tag: wait::SILENCE,
            time: SILENCE,
        });
    }

    /// Everything that was published before is handed over.
    fn complete(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.stage = Stage::Complete;
        for line in &mut self.lines {
            effects.push(Effect::Filled {
                subscription: line.subscription,
                missing: self.missing.filter(|_| !line.new),
            });
            line.new = false;
        }
        self.missing = None;
        self.known = true;
        self.advance(now, effects);
        effects.push(Effect::Live);
        self.acknowledge(effects);
    }

    /// The place of all topics is where the connection is.
    fn advance(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let cursor = self.place.cursor(now);
        for line in &self.lines {
            effects.push(Effect::Advance {
                subscription: line.subscription,
                cursor: cursor.clone(),
            });
        }
    }

    /// Whether the position may be stored as it moves.
    fn may_advance(&self) -> bool {
        match self.stage {
            Stage::Complete => true,
            // A replay is in order.
            Stage::Settling => self.profile().history.is_none(),
            Stage::Opening | Stage::Confirming | Stage::Filling => false,
        }
    }

    fn message(
        &mut self,
        event: &str,
        id: &str,
        text: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.stirred = true;
        self.unanswered = false;
        effects.push(Effect::KeepAlive);
        let Some(endpoint) = self.endpoint().cloned() else {
            return;
        };
        let Some(text) = text.strip_prefix(endpoint.prefix.as_str()) else {
            self.by_rule(&endpoint, event, id, text, now, effects);
            return;
        };
        if endpoint.lines {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                self.payload(&endpoint, event, id, line, now, effects);
            }
        } else {
            self.payload(&endpoint, event, id, text, now, effects);
        }
    }

    /// What stands outside of the payloads: only rules look at it.
    fn by_rule(
        &mut self,
        endpoint: &Endpoint,
        event: &str,
        id: &str,
        text: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let value = payload::json(text);
        let message = Message {
            event,
            text,
            value: value.as_ref(),
        };
        if let Some(rule) = rules::of_message(endpoint, &message) {
            let rule = rule.clone();
            self.obey(&rule, &message, id, now, effects);
        }
    }

    fn payload(
        &mut self,
        endpoint: &Endpoint,
        event: &str,
        id: &str,
        text: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let before = self.place.clone();
        let value = payload::json(text);
        let message = Message {
            event,
            text,
            value: value.as_ref(),
        };
        if let Some(rule) = rules::of_message(endpoint, &message) {
            let rule = rule.clone();
            self.obey(&rule, &message, id, now, effects);
        } else if self.is_life(&message, effects) {
        } else if value.is_none() && self.must_be_json(text) {
            effects.push(Effect::Unreadable {
                frame: one_line(text, QUOTED),
            });
        } else {
            self.take_message(endpoint, None, &message, id, now, effects);
        }
        let of_event = self
            .profile()
            .cursor
            .event
            .as_ref()
            .and_then(|pointer| payload::word(payload::at(value.as_ref()?, pointer)?.as_ref()));
        let by_id = self.profile().cursor.event.is_none();
        self.place
            .go_to(of_event.as_deref().unwrap_or(if by_id { id } else { "" }));
        self.moved_from(&before, now, effects);
    }

    /// Stores where it is, if that is another place than before.
    fn moved_from(&mut self, before: &Position, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.may_advance() && self.place != *before {
            self.advance(now, effects);
        }
    }

    /// A sign of life of a server that nobody described.
    fn is_life(&self, message: &Message<'_>, effects: &mut Vec<Effect>) -> bool {
        let map = &self.profile().map;
        if !map.events.is_empty() || !map.ignore.is_empty() || map.event.is_some() {
            return message.text.trim().is_empty();
        }
        match rules::life(message) {
            Some(Life::Asks(answer)) => {
                if self.resume.transport == TransportKind::Websocket {
                    effects.push(Effect::Send(answer.to_owned()));
                }
                true
            }
            Some(Life::Sign) => true,
            None => false,
        }
    }

    /// A line of objects, or what began as JSON and was cut off.
    fn must_be_json(&self, text: &str) -> bool {
        self.resume.transport == TransportKind::HttpStream
            || text.trim_start().starts_with(['{', '['])
    }

    fn obey(
        &mut self,
        rule: &Rule,
        message: &Message<'_>,
        id: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(fail) = rule.fail {
            effects.push(Effect::Fail(rules::failure(fail, rule, message.value, "")));
            return;
        }
        self.say(&rule.send, effects);
        if rule.holds.is_some()
            && let Some(endpoint) = self.endpoint().cloned()
        {
            self.take_message(&endpoint, Some(rule), message, id, now, effects);
        }
        if rule.ready {
            self.ready(now, effects);
        }
        if rule.history {
            self.look_again(now, effects);
        }
    }

    fn waited(&mut self, tag: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        match tag {
            wait::SILENCE if self.stage == Stage::Settling => {
                if self.stirred && self.looks < LOOKS {
                    self.look(effects);
                } else {
                    self.complete(now, effects);
                }
            }
            wait::CONFIRM if self.stage == Stage::Confirming => {
                effects.push(Effect::Fail(refusal::later(
                    "The server did not confirm that it listens. It will be asked again.",
                )));
            }
            wait::PING => self.ping(effects),
            wait::RENEW => effects.push(Effect::Fail(Failure {
                kind: FailureKind::Again,
                says: String::new(),
                retry_after: None,
            })),
            wait::ASK if !self.streams() => self.ask(now, effects),
            _ => {}
        }
    }

    fn fetched(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp, effects: &mut Vec<Effect>) {
        match self.jobs.remove(&tag) {
            Some(Job::Login(token)) => self.signing_in(tag, token, part, now, effects),
            Some(Job::History(paging)) => self.paged(tag, paging, part, now, effects),
            Some(Job::Asked { at, body, headers }) => {
                self.asked(tag, (at, body, headers), part, now, effects);
            }
            Some(Job::Told) if !matches!(part, Fetched::End | Fetched::Refused { .. }) => {
                self.jobs.insert(tag, Job::Told);
            }
            Some(Job::Told) | None => {}
        }
    }
}

impl Session for Conversation {
    fn start(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.enter(now, &mut effects);
        effects
    }

    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Opened { headers } => self.opened(headers, now, &mut effects),
            Input::Frame(text) => self.message("", "", text, now, &mut effects),
            Input::Event { name, id, data } => {
                let id = self.ids.own((name, id, data));
                self.message(name, id, data, now, &mut effects);
            }
            Input::Alive | Input::Comment(_) => {
                self.unanswered = false;
                effects.push(Effect::KeepAlive);
            }
            Input::Position { id } => {
                effects.push(Effect::KeepAlive);
                if self.profile().cursor.event.is_none() {
                    let before = self.place.clone();
                    self.place.go_to(id);
                    self.moved_from(&before, now, &mut effects);
                }
            }
            Input::Closed { code, reason } => self.closed(code, reason, now, &mut effects),
            Input::Offered(known) => self.offered(known, now, &mut effects),
            Input::Refused {
                status,
                retry_after,
                ..
            } => effects.push(Effect::Fail(self.refused(status, retry_after))),
            Input::Fetched { tag, part } => self.fetched(tag, part, now, &mut effects),
            Input::Waited { tag } => self.waited(tag, now, &mut effects),
        }
        effects
    }
}
