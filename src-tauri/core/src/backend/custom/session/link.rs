//! A link: how it is opened, and what is said over it.

use super::asking::media_type;
use super::sign_in::not_this;
use super::{Conversation, Stage, wait};
use crate::backend::custom::rules;
use crate::backend::custom::template::{Place, Template, Values};
use crate::backend::{Effect, Failure, FailureKind};
use crate::model::TransportKind;
use jiff::Timestamp;
use std::time::Duration;

/// How long a server has to confirm.
const CONFIRM: Duration = Duration::from_secs(30);
/// What is added to a keepalive before its silence is death.
const MARGIN: Duration = Duration::from_secs(15);

impl Conversation {
    pub(super) fn connect(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.streams() {
            self.ask(now, effects);
            return;
        }
        let Some(endpoint) = self.endpoint().cloned() else {
            return;
        };
        let values = Values::default();
        let mut request = match self.request(&endpoint.parts(), &values) {
            Ok(request) => request,
            Err(failure) => {
                effects.push(Effect::Fail(failure));
                return;
            }
        };
        let has = |name: &str| {
            endpoint
                .headers
                .keys()
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        if self.resume.transport == TransportKind::Sse
            && !endpoint.no_resume
            && let Some(position) = &self.place.word
            && !has("Last-Event-ID")
            && !endpoint.parts().names("position")
            && fits_header(position)
        {
            request = request.header("Last-Event-ID", position.clone());
        }
        if !endpoint.protocols.is_empty() {
            request = request.header("Sec-WebSocket-Protocol", endpoint.protocols.join(", "));
        }
        if self.resume.transport == TransportKind::HttpStream && !has("Accept") {
            request = request.header("Accept", "application/x-ndjson, application/json");
        }
        self.stage = Stage::Opening;
        effects.push(Effect::Open(request));
    }

    /// Whether the stream was told where it was left.
    pub(super) fn told_position(&self) -> bool {
        let told = self.endpoint().is_some_and(|endpoint| {
            let by_itself = self.resume.transport == TransportKind::Sse;
            !endpoint.no_resume && (by_itself || endpoint.parts().names("position"))
        });
        self.place.word.is_some() && told
    }

    pub(super) fn opened(
        &mut self,
        headers: &[(String, String)],
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(endpoint) = self.endpoint().cloned() else {
            return;
        };
        if self.setup.guesses
            && self.resume.transport == TransportKind::HttpStream
            && media_type(headers) == "text/event-stream"
        {
            effects.push(Effect::Fail(not_this()));
            return;
        }
        effects.push(Effect::KeepAlive);
        if let Some(keepalive) = self.profile().keepalive {
            effects.push(Effect::Silence(Duration::from_secs(keepalive) + MARGIN));
        }
        self.say(&endpoint.send, effects);
        if let Some(ping) = &endpoint.ping {
            effects.push(Effect::Wait {
                tag: wait::PING,
                time: Duration::from_secs(ping.every),
            });
        }
        if endpoint.on.iter().any(|rule| rule.ready) {
            self.stage = Stage::Confirming;
            effects.push(Effect::Wait {
                tag: wait::CONFIRM,
                time: CONFIRM,
            });
        } else {
            self.ready(now, effects);
        }
    }

    /// Sends texts over the link; what has `{topic}` in it once for each topic.
    pub(super) fn say(&self, texts: &[Template], effects: &mut Vec<Effect>) {
        let joined = self.joined();
        for text in texts {
            let lines = if text.names("topic") {
                self.lines.as_slice()
            } else {
                self.lines.get(..1).unwrap_or_default()
            };
            for line in lines {
                let values = Values {
                    topic: Some(&line.topic),
                    topics: Some(&joined),
                    token: self.token.as_ref().map(|token| token.0.as_str()),
                    position: self.place.word.as_deref(),
                    last: self.place.last.as_deref(),
                    ..Values::default()
                };
                if let Some(filled) = text.fill(&values, Place::Json) {
                    effects.push(if text.is_secret() {
                        Effect::SendSignIn(filled)
                    } else {
                        Effect::Send(filled)
                    });
                }
            }
        }
    }

    pub(super) fn closed(
        &mut self,
        code: Option<u16>,
        reason: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if self.stage == Stage::Settling {
            // A stream that ends after its replay has shown all of it.
            self.complete(now, effects);
        }
        let rule = self
            .endpoint()
            .zip(code)
            .and_then(|(endpoint, code)| rules::of_close(endpoint, code));
        if let Some(rule) = rule
            && let Some(fail) = rule.fail
        {
            effects.push(Effect::Fail(rules::failure(fail, rule, None, reason)));
        }
    }

    pub(super) fn ping(&mut self, effects: &mut Vec<Effect>) {
        let ping = self.endpoint().and_then(|endpoint| endpoint.ping.clone());
        let Some(ping) = ping else {
            return;
        };
        if ping.answered && self.unanswered {
            effects.push(Effect::Fail(Failure {
                kind: FailureKind::Blocked,
                says: "The connection went silent.".to_owned(),
                retry_after: None,
            }));
            return;
        }
        self.unanswered = true;
        self.say(std::slice::from_ref(&ping.send), effects);
        effects.push(Effect::Wait {
            tag: wait::PING,
            time: Duration::from_secs(ping.every),
        });
    }
}

/// A header can carry it.
fn fits_header(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
