//! What is done where the server does not let us in, or does not know our place.

use super::{Conversation, OTHER_WAYS};
use crate::backend::nchan::id::{MessageId, Place};
use crate::backend::nchan::line::Line;
use crate::backend::nchan::refusal;
use crate::backend::{Effect, Fetched, Read};
use crate::model::{HttpRequest, TransportKind};
use std::time::Duration;

/// A place so far ahead of the server's clock means that the clock was set back, in seconds.
const SET_BACK: i64 = 300;

impl Conversation {
    /// Fetches everything that is held; what is here is known.
    pub(super) fn begin_anew(&mut self, effects: &mut Vec<Effect>) {
        let second = MessageId::read(&self.asked.id).map(|id| id.second);
        let was_set_back = match (second, self.clock) {
            (Some(second), Some(clock)) => second > clock + SET_BACK,
            _ => true,
        };
        if was_set_back {
            self.lines.iter_mut().for_each(Line::forget);
        }
        self.place = Place::beginning();
        self.begin(effects);
    }

    /// The server does not understand the place: one that was minted for other channels, or garbage.
    pub(super) fn not_understood(&mut self, effects: &mut Vec<Effect>) -> bool {
        if self.asked == Place::beginning() {
            return false;
        }
        let second = MessageId::read(&self.asked.id).map(|id| id.second);
        match second.map(|second| (second, Place::before(second))) {
            Some((_, before)) if !self.asked.id.ends_with(":0") => {
                self.place = before;
                self.begin(effects);
            }
            _ => {
                self.lines.iter_mut().for_each(Line::forget);
                self.place = Place::beginning();
                self.begin(effects);
            }
        }
        true
    }

    pub(super) fn refused(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        effects: &mut Vec<Effect>,
    ) {
        let is_websocket = self.resume.transport == TransportKind::Websocket;
        match status {
            400 if self.not_understood(effects) => {}
            // A location may be for other transports only (`nchan_subscriber eventsource`); it says so as if
            // nobody was let in.
            403 if self.is_streamed() => {
                effects.push(self.next_message(OTHER_WAYS[0]));
            }
            200 | 400 | 405 | 406 | 426 | 501 if self.is_streamed() => {
                effects.push(Effect::Fail(refusal::blocked(if is_websocket {
                    "Something between here and the server does not let WebSocket through."
                } else {
                    "The address answers, but not with server-sent events."
                })));
            }
            status => effects.push(Effect::Fail(refusal::failure(status, retry_after))),
        }
    }

    pub(super) fn other_way(&mut self, way: u32, part: Fetched<'_>, effects: &mut Vec<Effect>) {
        let is_shut = matches!(
            part,
            Fetched::Refused {
                status: 401 | 403,
                ..
            }
        );
        if !is_shut {
            effects.push(Effect::Fail(refusal::blocked(
                "The server allows this address only with another way of connecting.",
            )));
        } else if way == OTHER_WAYS[0] && self.resume.transport == TransportKind::Websocket {
            let request = HttpRequest::get(self.resume.base.clone())
                .header("Accept", "text/event-stream")
                .header("Last-Event-ID", self.place.id.as_str());
            effects.push(Effect::Fetch {
                tag: OTHER_WAYS[1],
                request: HttpRequest {
                    patience: Some(Duration::ZERO),
                    ..request
                },
                read: Read::Lines,
            });
        } else {
            effects.push(Effect::Fail(refusal::failure(403, None)));
        }
    }
}
