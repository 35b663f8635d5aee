//! One request for each message: held back by the server until there is one, or made now and then.

use super::{ASK_AGAIN, Conversation, Message, unreadable};
use crate::backend::nchan::id::Place;
use crate::backend::nchan::{headers, refusal};
use crate::backend::{Effect, Failure, FailureKind, Fetched, Read};
use crate::model::{HttpRequest, TransportKind};
use jiff::Timestamp;
use std::time::Duration;

/// How long a held answer is waited for.
const HELD_BACK: Duration = Duration::from_mins(2);
/// Between the end of one held answer and the next request.
const REST: Duration = Duration::from_millis(1500);

/// The head of an answer.
pub(super) struct Answer {
    place: Option<Place>,
    content_type: String,
}

impl Conversation {
    pub(super) fn next_message(&self, tag: u32) -> Effect {
        let request = HttpRequest::get(self.resume.base.clone());
        let mut request = match &self.place.pair {
            Some((last_modified, etag)) => request
                .header("If-Modified-Since", last_modified.as_str())
                .header("If-None-Match", etag.as_str()),
            None => request.header("Last-Event-ID", self.place.id.as_str()),
        };
        request.patience = Some(if self.resume.transport == TransportKind::LongPoll {
            HELD_BACK
        } else {
            // A server that holds its answers back is polled all the same.
            Duration::ZERO
        });
        Effect::Fetch {
            tag,
            request,
            read: Read::Whole,
        }
    }

    /// Part of the answer to a request for the next message.
    pub(super) fn answered(
        &mut self,
        part: Fetched<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        match part {
            Fetched::Head(headers) => {
                self.set_clock(headers);
                let header = |name| headers::header(headers, name);
                self.answer = Some(Answer {
                    place: Place::of_answer(header("last-modified"), header("etag")),
                    content_type: header("content-type").unwrap_or_default().to_owned(),
                });
            }
            Fetched::Body(body) => self.body(body, now, effects),
            Fetched::TooLong => {
                effects.push(unreadable("a message above the limit"));
                if let Some(place) = self.answer.take().and_then(|answer| answer.place) {
                    for line in &mut self.lines {
                        line.advance(&place, effects);
                    }
                    self.place = place;
                }
            }
            Fetched::End => {
                self.heard = true;
                self.begin(effects);
            }
            Fetched::Line(_) => {}
            Fetched::Refused {
                status: status @ (304 | 408),
                headers,
                ..
            } => {
                self.set_clock(headers);
                effects.push(Effect::KeepAlive);
                if self.is_ahead() {
                    self.begin_anew(effects);
                    return;
                }
                // There is nothing after our place.
                if self.asked_about == 0 && !self.is_owed() {
                    self.finish(effects);
                }
                let is_poll = self.resume.transport == TransportKind::Poll;
                effects.push(Effect::Wait {
                    tag: ASK_AGAIN,
                    time: if is_poll {
                        self.resume.poll_every
                    } else if status == 304 {
                        // It did not hold its answer back, so that asking on and on would be a burden.
                        REST.max(self.resume.poll_every / 30)
                    } else {
                        REST
                    },
                });
            }
            Fetched::Refused {
                status,
                headers,
                retry_after,
                ..
            } => {
                self.set_clock(headers);
                self.refused(status, retry_after, effects);
            }
        }
    }

    pub(super) fn body(&mut self, body: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(answer) = self.answer.take() else {
            return;
        };
        let Some(place) = answer.place else {
            let is_page = answer.content_type.contains("html");
            effects.push(Effect::Fail(if is_page {
                Failure {
                    kind: FailureKind::Transient,
                    says: "A web page answered instead of the channel: a sign-in page of this network, or a \
                           wrong address."
                        .to_owned(),
                    retry_after: None,
                }
            } else {
                refusal::blocked(
                    "The answers at this address do not say which message is which (Last-Modified and Etag), \
                     so this way of connecting could not go on where it ends.",
                )
            }));
            return;
        };
        if place == self.asked {
            // A cache on the way gave the last answer again.
            effects.push(Effect::Fail(refusal::blocked(
                "Something between here and the server repeats old answers, so that nothing new could come.",
            )));
            return;
        }
        let message = Message {
            event: "",
            content_type: &answer.content_type,
            text: body,
        };
        self.message(&place, &message, now, effects);
    }
}
