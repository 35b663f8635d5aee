//! Where nothing can be held open: a loop of requests. A long poll is asked again as soon as it was
//! answered, a poll after a while.

use super::history::is_page;
use super::sign_in::not_this;
use super::take::From;
use super::{Conversation, Job, Stage, wait};
use crate::backend::custom::items;
use crate::backend::custom::refusal;
use crate::backend::custom::template::Values;
use crate::backend::payload;
use crate::backend::{Effect, Fetched, Missing, Read};
use crate::model::{Origin, TransportKind};
use jiff::Timestamp;
use std::time::Duration;

/// How long a server may hold its answer back where the profile does not say.
const HOLD: Duration = Duration::from_secs(90);
/// A long poll that is answered at once with nothing new is asked again after this.
const PAUSE: Duration = Duration::from_secs(5);
/// What is answered faster than this was not held back.
const AT_ONCE: Duration = Duration::from_secs(1);
/// The longest pause that a server's pacing headers are followed for.
const PACE: Duration = Duration::from_hours(1);

/// What is remembered between two requests.
#[derive(Default)]
pub(super) struct Asking {
    /// `ETag` and `Last-Modified` of the last answer, for a conditional request (RFC 9110, 13).
    condition: Option<(&'static str, String)>,
    /// When the last answer came.
    answered: Option<Timestamp>,
    /// The address answers with a list and no cursor.
    is_list: bool,
}

impl Conversation {
    fn held(&self) -> bool {
        self.resume.transport == TransportKind::LongPoll && !self.asking.is_list
    }

    pub(super) fn every(&self) -> Duration {
        self.endpoint()
            .and_then(|endpoint| endpoint.every)
            .map_or(self.resume.poll_every, Duration::from_secs)
    }

    /// Asks what is new.
    pub(super) fn ask(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self
            .jobs
            .values()
            .any(|job| matches!(job, Job::Asked { .. }))
        {
            return;
        }
        if self.stage == Stage::Opening && self.profile().history.is_some() {
            self.stage = Stage::Filling;
            self.fill(now, effects);
            return;
        }
        let Some(endpoint) = self.endpoint().cloned() else {
            return;
        };
        if endpoint.history {
            self.look_again(now, effects);
            return;
        }
        let since = self.place.newest.unwrap_or(self.place.floor);
        let values = Values {
            since: Timestamp::from_millisecond(since).ok(),
            ..Values::default()
        };
        let mut request = match self.request(&endpoint.parts(), &values) {
            Ok(request) => request,
            Err(failure) => {
                effects.push(Effect::Fail(failure));
                return;
            }
        };
        if self.held() {
            request.patience = Some(endpoint.hold.map_or(HOLD, Duration::from_secs));
        }
        if let Some((name, value)) = &self.asking.condition {
            request = request.header(name, value.clone());
        }
        request.wants_head = true;
        let tag = self.next_tag();
        let job = Job::Asked {
            at: now,
            body: None,
            headers: Vec::new(),
        };
        self.jobs.insert(tag, job);
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Whole,
        });
    }

    /// Part of an answer came.
    pub(super) fn asked(
        &mut self,
        tag: u32,
        (at, body, headers): (Timestamp, Option<String>, Vec<(String, String)>),
        part: Fetched<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let job = match part {
            Fetched::Head(headers) => {
                let stream = media_type(headers);
                if is_page(headers) {
                    effects.push(Effect::Fail(refusal::page()));
                    return;
                }
                if stream == "text/event-stream" || (self.setup.guesses && is_lines(&stream)) {
                    effects.push(Effect::Fail(not_this()));
                    return;
                }
                Job::Asked {
                    at,
                    body,
                    headers: headers.to_vec(),
                }
            }
            Fetched::Body(body) => Job::Asked {
                at,
                body: Some(body.to_owned()),
                headers,
            },
            Fetched::TooLong => {
                self.missing = Some(Missing::Truncated);
                Job::Asked { at, body, headers }
            }
            Fetched::Line(_) => Job::Asked { at, body, headers },
            Fetched::End => {
                self.answer(at, &body.unwrap_or_default(), &headers, now, effects);
                return;
            }
            // Nothing new, or nothing in the time that it was given.
            Fetched::Refused {
                status: 304 | 408,
                headers,
                ..
            } => {
                self.answer(at, "", headers, now, effects);
                return;
            }
            Fetched::Refused {
                status: 504 | 502, ..
            } if self.held() && waited(at, now) > Duration::from_secs(20) => {
                // A proxy has less patience than the server.
                self.answer(at, "", &[], now, effects);
                return;
            }
            Fetched::Refused {
                status,
                retry_after,
                ..
            } => {
                effects.push(Effect::Fail(self.refused(status, retry_after)));
                return;
            }
        };
        self.jobs.insert(tag, job);
    }

    fn answer(
        &mut self,
        asked_at: Timestamp,
        body: &str,
        headers: &[(String, String)],
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(endpoint) = self.endpoint().cloned() else {
            return;
        };
        effects.push(Effect::KeepAlive);
        let value = payload::json(body);
        let mut found = match &endpoint.items {
            Some(pointer) => items::at(body, pointer).unwrap_or_default(),
            None => items::of_answer(body),
        };
        let cursor = match (&self.profile().cursor.answer, &value) {
            (Some(pointer), Some(value)) => {
                payload::at(value, pointer).and_then(|cursor| payload::word(&cursor))
            }
            (None, Some(value)) => items::cursor(value),
            (_, None) => None,
        };
        if self.setup.bare && value.as_ref().is_some_and(serde_json::Value::is_array) {
            self.asking.is_list = true;
        }
        let mapping = self.profile().map.clone();
        let from = From {
            event: "",
            id: "",
            content_type: &endpoint.content_type,
            line: None,
            mapping: &mapping,
        };
        // Answers come in both orders; the inbox wants the oldest first.
        let times: Vec<Timestamp> = [found.first(), found.last()]
            .into_iter()
            .flatten()
            .filter_map(|item| self.read(item, &from, now))
            .map(|taken| taken.payload.draft.created_at)
            .collect();
        if let [first, last] = times.as_slice()
            && first > last
        {
            found.reverse();
        }
        let origin = self.origin(now);
        let mut any = false;
        for item in &found {
            if let Some(taken) = self.read(item, &from, now)
                && !self.is_too_old(taken.payload.draft.created_at)
            {
                any = true;
                let of_event = self.profile().cursor.event.as_ref().and_then(|pointer| {
                    let value = payload::json(&item.text)?;
                    payload::word(payload::at(&value, pointer)?.as_ref())
                });
                self.place.go_to(of_event.as_deref().unwrap_or_default());
                self.hand_over(taken, origin, now, effects);
            }
        }
        let moved = cursor.is_some() && cursor != self.place.word;
        self.place.go_to(cursor.as_deref().unwrap_or_default());
        if body.is_empty() {
            // It still stands for what was seen.
        } else {
            self.asking.condition = condition(headers);
        }
        self.asking.answered = Some(now);
        if self.stage == Stage::Complete {
            if self.missing.take().is_some() {
                for line in &self.lines {
                    effects.push(Effect::Filled {
                        subscription: line.subscription,
                        missing: Some(Missing::Truncated),
                    });
                }
            }
            if any || moved {
                self.advance(now, effects);
            }
            if !self.owed.is_empty() {
                effects.push(Effect::Live);
                self.acknowledge(effects);
            }
        } else if self.held() && any && moved {
            // There may be more at once: it is all here once the server holds its answer back.
            if self.stage == Stage::Settling {
                self.stirred = true;
            } else {
                self.stage = Stage::Settling;
                self.look(effects);
            }
            self.advance(now, effects);
        } else {
            if self.held() && self.known && self.place.word.is_none() {
                // Nobody says what came meanwhile.
                self.missing = self.missing.or(Some(Missing::LiveOnly));
            }
            self.complete(now, effects);
        }
        let time = if !self.held() {
            self.every().max(pace(headers).unwrap_or_default())
        } else if any || moved || waited(asked_at, now) >= AT_ONCE {
            pace(headers).unwrap_or_default()
        } else {
            PAUSE.max(pace(headers).unwrap_or_default())
        };
        if time.is_zero() {
            self.ask(now, effects);
        } else {
            effects.push(Effect::Wait {
                tag: wait::ASK,
                time,
            });
        }
    }

    /// What comes soon after the last answer is as good as live; what comes after an absence is a backlog.
    fn origin(&self, now: Timestamp) -> Origin {
        let late = self
            .every()
            .max(HOLD)
            .saturating_mul(2)
            .saturating_add(Duration::from_mins(1));
        let soon = self
            .asking
            .answered
            .is_some_and(|last| waited(last, now) <= late);
        if soon && self.stage == Stage::Complete {
            Origin::Live
        } else if self.known {
            Origin::Backfill
        } else {
            Origin::FirstFilling
        }
    }
}

fn waited(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).unsigned_abs()
}

fn header<'a>(headers: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.trim())
}

pub(super) fn media_type(headers: &[(String, String)]) -> String {
    header(headers, "content-type")
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// How the next request asks for what is newer only.
fn condition(headers: &[(String, String)]) -> Option<(&'static str, String)> {
    let of = |answered, asks| header(headers, answered).map(|value| (asks, value.to_owned()));
    of("etag", "If-None-Match").or_else(|| of("last-modified", "If-Modified-Since"))
}

/// The pause that the server asks for.
fn pace(headers: &[(String, String)]) -> Option<Duration> {
    let seconds = header(headers, "x-poll-interval").or_else(|| header(headers, "retry-after"))?;
    Some(Duration::from_secs(seconds.parse().ok()?).min(PACE))
}

/// Whether it may be a stream of lines that never ends.
fn is_lines(media_type: &str) -> bool {
    ["ndjson", "jsonl", "stream+json"]
        .iter()
        .any(|word| media_type.contains(word))
}
