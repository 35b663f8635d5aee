//! Signing in, where that takes a request of its own, and being turned away.

use super::{Conversation, Job, Stage, wait};
use crate::backend::custom::template::Values;
use crate::backend::custom::{refusal, requests};
use crate::backend::{Effect, Failure, FailureKind, Fetched, Read};
use crate::model::{Hidden, TransportKind};
use jiff::Timestamp;
use std::time::Duration;

/// A token is renewed at this part of its life, in percent.
const RENEW_AT: u64 = 80;

impl Conversation {
    /// Signs in first, where there is something for it.
    pub(super) fn begin(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.known {
            let fill = i64::try_from(self.resume.fill.as_millis()).unwrap_or(i64::MAX);
            self.place.floor = now.as_millisecond().saturating_sub(fill);
        }
        let login = self.profile().login.as_ref().filter(|login| !login.keep);
        let Some(login) = login else {
            self.connect(now, effects);
            return;
        };
        let topics = self.joined();
        let values = Values {
            topic: self.lines.first().map(|line| line.topic.as_str()),
            topics: Some(&topics),
            ..Values::default()
        };
        match requests::login(&self.resume.base, login, &values) {
            Ok(request) => {
                let tag = self.next_tag();
                self.jobs.insert(tag, Job::Login(None));
                effects.push(Effect::Fetch {
                    tag,
                    request,
                    read: Read::Whole,
                });
            }
            Err(says) => effects.push(Effect::Fail(refusal::unfit(says))),
        }
    }

    pub(super) fn signing_in(
        &mut self,
        tag: u32,
        token: Option<Hidden>,
        part: Fetched<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(login) = self.profile().login.clone() else {
            return;
        };
        match part {
            Fetched::Head(headers) => {
                let token = requests::cookie(&login, headers).or(token);
                self.jobs.insert(tag, Job::Login(token));
            }
            Fetched::Body(body) => {
                let token = token.or_else(|| requests::token(&login, body));
                if let Some(seconds) = requests::expires_in(&login, body) {
                    effects.push(Effect::Wait {
                        tag: wait::RENEW,
                        time: Duration::from_secs(seconds * RENEW_AT / 100),
                    });
                }
                self.jobs.insert(tag, Job::Login(token));
            }
            Fetched::Line(_) | Fetched::TooLong => {
                self.jobs.insert(tag, Job::Login(token));
            }
            Fetched::End => {
                if token.is_none() {
                    effects.push(Effect::Fail(refusal::unfit(
                        "The answer to the sign-in holds no token where the profile says. Check [login]."
                            .to_owned(),
                    )));
                    return;
                }
                self.token = token;
                self.connect(now, effects);
            }
            Fetched::Refused {
                status,
                retry_after,
                ..
            } => {
                // Many servers call a wrong password a bad request.
                let failure = match status {
                    400 | 403 | 422 => refusal::failure(401, retry_after, "the sign-in"),
                    status => refusal::failure(status, retry_after, "the sign-in"),
                };
                effects.push(Effect::Fail(failure));
            }
        }
    }

    pub(super) fn refused(&self, status: u16, retry_after: Option<Duration>) -> Failure {
        if status == 401 && self.token.is_some() && self.stage == Stage::Complete {
            // The token is over; a new connection gets another.
            return Failure {
                kind: FailureKind::Again,
                says: String::new(),
                retry_after,
            };
        }
        if self.setup.guesses && matches!(status, 400 | 405 | 406 | 426 | 501) {
            return not_this();
        }
        let blocked = self.resume.transport == TransportKind::Websocket
            && matches!(status, 400 | 405 | 426 | 501);
        if blocked {
            return Failure {
                kind: FailureKind::Blocked,
                says: "Something between here and the server does not let WebSocket through, or there is \
                       none at this address."
                    .to_owned(),
                retry_after,
            };
        }
        refusal::failure(status, retry_after, "this address")
    }
}

/// The address is of another kind.
pub(super) fn not_this() -> Failure {
    Failure {
        kind: FailureKind::Blocked,
        says: "The address answers, but in another way. The next transport is tried.".to_owned(),
        retry_after: None,
    }
}
