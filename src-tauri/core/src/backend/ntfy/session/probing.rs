//! Refusals: what they mean, and which topic it is where they meant one of several.

use super::Conversation;
use crate::backend::ntfy::headers::is_json;
use crate::backend::ntfy::{address, refusal};
use crate::backend::{Effect, Failure, FailureKind, Fetched, Read};
use crate::model::{HttpRequest, TransportKind};
use jiff::Timestamp;
use std::time::Duration;

impl Conversation {
    pub(super) fn refused(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        body: &str,
        lines: &[usize],
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let sync = self.sync.is_some() && self.streamed_as().is_some();
        match (status, lines) {
            (403, [line]) if !sync => {
                effects.push(Effect::Fail(refusal::forbidden(&self.lines[*line].topic)));
            }
            // Only the account's own topic, without which it is looked at more rarely.
            (403, []) if sync => {
                self.sync = None;
                self.begin(now, &mut effects);
            }
            // One topic that may not be read spoils the request for all: ask for each.
            (403, [_, ..]) => {
                for &line in lines {
                    let request = self.request(&[line], "auth");
                    self.probe(Some(line), request, &mut effects);
                }
                if let Some(topic) = self.sync.clone().filter(|_| sync) {
                    let url = address::below(&self.resume.base, &[&topic, "auth"]);
                    self.probe(None, HttpRequest::get(url), &mut effects);
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

    /// Asks whether one topic may be read.
    fn probe(&mut self, line: Option<usize>, request: HttpRequest, effects: &mut Vec<Effect>) {
        let tag = self.next_tag();
        self.probes.insert(tag, line);
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Lines,
        });
    }

    pub(super) fn probed(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp) -> Vec<Effect> {
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
            Fetched::Refused { status: 403, .. } => match self.probes.remove(&tag) {
                Some(Some(number)) => {
                    let line = &mut self.lines[number];
                    line.refused = true;
                    self.any_refused = true;
                    effects.push(Effect::TopicRefused {
                        subscription: line.subscription,
                        says: refusal::forbidden(&line.topic).says,
                    });
                }
                Some(None) => {
                    self.sync = None;
                    self.any_refused = true;
                }
                None => {}
            },
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
