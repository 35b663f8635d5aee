//! What was missed. The server keeps nothing; an application's history may.

use super::arriving::hand_over;
use super::channel::Kind;
use super::history::{Next, Part, Reading};
use super::line::Step;
use super::options::History;
use super::refusal::{self, Refusal};
use super::session::{Alarm, Asking, Conversation, User};
use crate::backend::{Effect, Failure, FailureKind, Missing, Read};
use crate::model::HttpRequest;
use jiff::Timestamp;
use std::time::Duration;

/// What it is called in the settings.
const HISTORY: &str = "the address of the history";

/// Where a channel's history is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Nowhere.
    None,
    /// Behind an address, which is its alone.
    Own,
    /// Among those of the others.
    Shared,
}

impl Conversation {
    fn source(&self, number: usize) -> Source {
        let Some(history) = &self.settings.history else {
            return Source::None;
        };
        if history.is_of_each() {
            Source::Own
        } else if self.settings.history_mapping.topic.is_some() {
            Source::Shared
        } else if self.history_line(history) == Some(number) {
            Source::Own
        } else {
            Source::None
        }
    }

    /// The one channel that a history without names of channels belongs to: the one that its user named, else
    /// the account's own, else the first that is for few.
    fn history_line(&self, history: &History) -> Option<usize> {
        if let Some(named) = &history.channel {
            return self.line(named);
        }
        if let Some(own) = &self.settings.own_channel {
            return self.line(own);
        }
        let first = |kinds: &[Kind]| {
            self.lines
                .iter()
                .position(|line| kinds.contains(&line.kind) && !line.left)
        };
        first(&[Kind::User])
            .or_else(|| first(&[Kind::Private, Kind::Encrypted]))
            .or_else(|| self.lines.iter().position(|line| !line.left))
    }

    /// A channel's events come from here on: now what was missed can be asked for without a hole between.
    pub(super) fn joined(&mut self, number: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        match self.source(number) {
            Source::Own => self.begin_reading(&[number], now, effects),
            // Once for all of them.
            Source::Shared => {}
            Source::None => {
                let missing = self.lines[number].is_old.then_some(Missing::LiveOnly);
                self.whole(number, missing, effects);
            }
        }
    }

    fn begin_reading(&mut self, lines: &[usize], now: Timestamp, effects: &mut Vec<Effect>) {
        let begin = now
            .checked_sub(jiff::SignedDuration::try_from(self.resume.fill).unwrap_or_default())
            .unwrap_or(now);
        let by_topic = lines
            .first()
            .is_some_and(|&line| self.source(line) == Source::Shared);
        let parts: Vec<Part> = lines
            .iter()
            .map(|&number| {
                let line = &self.lines[number];
                Part::new(number, &line.channel, &line.position, begin)
            })
            .collect();
        let first = self
            .settings
            .history
            .as_ref()
            .zip(parts.first())
            .and_then(|(history, part)| history.first(&part.channel));
        // An address that was checked is one.
        if let Some(first) = first {
            self.ask_page(Box::new(Reading::new(parts, by_topic, first)), effects);
        }
    }

    fn ask_page(&mut self, reading: Box<Reading>, effects: &mut Vec<Effect>) {
        let request = HttpRequest::get(reading.url().clone()).header("Accept", "application/json");
        let tag = self.next_tag();
        self.asking.insert(
            tag,
            Asking::Page {
                reading,
                body: String::new(),
                link: None,
            },
        );
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Apart,
        });
    }

    pub(super) fn page(
        &mut self,
        mut reading: Box<Reading>,
        body: &str,
        link: Option<&str>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(history) = self.settings.history.clone() else {
            return;
        };
        match reading.page(body, link, &history, &self.settings, now) {
            Some(Next::Page(_)) => self.ask_page(reading, effects),
            Some(Next::Done) => self.read_whole(*reading, effects),
            None => {
                let failure = refusal::strange("the history", HISTORY);
                self.partial(&reading.lines(), &failure.says, effects);
            }
        }
    }

    fn read_whole(&mut self, reading: Reading, effects: &mut Vec<Effect>) {
        let missing = reading.missing;
        let by_topic = reading.is_shared();
        let (parts, items) = reading.into_items();
        for item in items {
            let line = &self.lines[item.line];
            if line.left {
                continue;
            }
            hand_over(line.subscription, item.read, line.origin(), effects);
        }
        // What has shown the newest has shown all of them up to it.
        let newest = parts
            .iter()
            .max_by_key(|part| part.newest)
            .filter(|_| by_topic)
            .map(|part| (part.newest, part.newest_id.clone()));
        for part in parts {
            let (at, id) = newest.clone().unwrap_or((part.newest, part.newest_id));
            let position = &mut self.lines[part.line].position;
            position.at = at.map(Timestamp::as_millisecond).or(position.at);
            position.id = id;
            self.whole(part.line, missing, effects);
        }
    }

    /// What was missed is here, as far as it can be had.
    fn whole(&mut self, number: usize, missing: Option<Missing>, effects: &mut Vec<Effect>) {
        let line = &mut self.lines[number];
        if line.left {
            return;
        }
        line.step = Step::Whole;
        effects.push(Effect::Filled {
            subscription: line.subscription,
            missing,
        });
        line.advance(effects);
        effects.push(line.says(""));
        line.forget_tries();
    }

    /// Live events come; the history cannot be had. The gap stays open, so that it can be filled once it can.
    fn partial(&mut self, lines: &[usize], says: &str, effects: &mut Vec<Effect>) {
        for &number in lines {
            let line = &mut self.lines[number];
            if line.left {
                continue;
            }
            line.step = Step::Partial;
            effects.push(line.says(&format!("{says} What comes live is shown.")));
        }
    }

    pub(super) fn no_page(
        &mut self,
        reading: &Reading,
        status: u16,
        retry_after: Option<Duration>,
        body: &str,
        effects: &mut Vec<Effect>,
    ) {
        let lines = reading.lines();
        match refusal::application(status, retry_after, body, "the history", HISTORY) {
            Refusal::Final(failure) if failure.kind == FailureKind::SignIn => {
                effects.push(Effect::Fail(failure));
            }
            Refusal::Final(failure) => self.partial(&lines, &failure.says, effects),
            Refusal::Later(says, wish) => {
                self.partial(&lines, &says, effects);
                let time = lines
                    .iter()
                    .map(|&line| self.lines[line].next_wait(wish))
                    .max()
                    .unwrap_or_default();
                self.alarm(Alarm::History { lines }, time, effects);
            }
        }
    }

    /// The history is asked for again.
    pub(super) fn read_again(
        &mut self,
        lines: Vec<usize>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let waiting: Vec<usize> = lines
            .into_iter()
            .filter(|&line| self.lines[line].step == Step::Partial)
            .collect();
        if !waiting.is_empty() {
            self.begin_reading(&waiting, now, effects);
        }
    }

    /// Begins what can begin only when nothing else is under way, and says that the connection is complete once
    /// it is.
    pub(super) fn settle(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.socket_id.is_empty() {
            return;
        }
        let is_busy = |step: &Step| matches!(step, Step::Waiting | Step::Signing | Step::Asked);
        if !self
            .lines
            .iter()
            .any(|line| is_busy(&line.step) || line.replays)
        {
            let is_read = |number: &usize| {
                self.asking.values().any(|asking| match asking {
                    Asking::Page { reading, .. } => {
                        reading.parts.iter().any(|part| part.line == *number)
                    }
                    _ => false,
                })
            };
            let waiting: Vec<usize> = (0..self.lines.len())
                .filter(|number| {
                    self.lines[*number].step == Step::Joined
                        && self.source(*number) == Source::Shared
                        && !is_read(number)
                })
                .collect();
            if !waiting.is_empty() {
                self.begin_reading(&waiting, now, effects);
            }
        }
        let is_settled =
            self.user != User::Asked && self.lines.iter().all(|line| line.is_settled());
        // What is offered may be one more, and what failed already says more.
        let is_over = |effect: &Effect| matches!(effect, Effect::Fail(_) | Effect::Offer(_));
        if self.live || !is_settled || effects.iter().any(is_over) {
            return;
        }
        if self.lines.iter().any(|line| line.is_good()) {
            self.live = true;
            effects.push(Effect::Live);
        } else {
            effects.push(Effect::Fail(self.nothing_good()));
        }
    }

    /// Why no channel is left.
    fn nothing_good(&self) -> Failure {
        let refused = |wanted: fn(&Failure) -> bool| {
            self.lines.iter().find_map(|line| match &line.step {
                Step::Refused(failure) if wanted(failure) => Some(failure.clone()),
                _ => None,
            })
        };
        let later = self.lines.iter().find_map(|line| match &line.step {
            Step::Later(failure) => Some(failure.clone()),
            _ => None,
        });
        if let Some(failure) = refused(|failure| failure.kind == FailureKind::SignIn) {
            return failure;
        }
        if let Some(failure) = later {
            return failure;
        }
        match (refused(|_| true), &self.user) {
            (Some(failure), _) if self.lines.len() == 1 => failure,
            (Some(failure), _) => Failure {
                says: format!("None of the channels can be read. {}", failure.says),
                ..failure
            },
            (None, User::Later) => Failure {
                kind: FailureKind::Transient,
                says: "The user could not be signed in. It will be tried again.".to_owned(),
                retry_after: None,
            },
            (None, User::Refused(failure)) => failure.clone(),
            (None, _) => refusal::no_channel(),
        }
    }
}
