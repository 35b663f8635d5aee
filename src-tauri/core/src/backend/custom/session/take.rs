//! What a message or an answer holds becomes notifications.

use super::{Conversation, Job, Stage};
use crate::backend::custom::items::{self, Item};
use crate::backend::custom::profile::{Endpoint, Holds, Rule};
use crate::backend::custom::rules::Message;
use crate::backend::custom::template::{Place, Values};
use crate::backend::payload::{self, Envelope, Mapping, Payload};
use crate::backend::{Effect, Read};
use crate::model::Origin;
use crate::text::one_line;
use jiff::Timestamp;

/// Ids remembered while a history is fetched.
const REMEMBERED: usize = 10_000;
/// Acknowledgements kept until what they are for is stored.
const OWED: usize = 10_000;

/// A notification that was read, and where it belongs.
pub(super) struct Taken {
    pub line: usize,
    pub payload: Payload,
    /// The server's own id.
    pub id: String,
}

/// How items came.
#[derive(Clone, Copy)]
pub(super) struct From<'a> {
    pub event: &'a str,
    pub id: &'a str,
    pub content_type: &'a str,
    /// The topic that was asked for.
    pub line: Option<usize>,
    pub mapping: &'a Mapping,
}

impl Conversation {
    /// Takes what a message holds, as a rule says.
    pub(super) fn take_message(
        &mut self,
        endpoint: &Endpoint,
        rule: Option<&Rule>,
        message: &Message<'_>,
        id: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let holds = rule
            .and_then(|rule| rule.holds)
            .unwrap_or(Holds::Notifications);
        let of_rule = rule
            .and_then(|rule| rule.id.as_ref())
            .and_then(|pointer| payload::word(payload::at(message.value?, pointer)?.as_ref()));
        // A path's first slash is not part of a name.
        let id = of_rule
            .as_deref()
            .map_or(id, |id| id.strip_prefix('/').unwrap_or(id));
        let pointer = rule
            .and_then(|rule| rule.items.as_ref())
            .or(endpoint.items.as_ref());
        let found = match pointer {
            // With an id from outside, it is one thing.
            Some(pointer) if of_rule.is_some() && holds != Holds::Deleted => {
                items::one(message.text, pointer).map(|item| vec![item])
            }
            Some(pointer) => items::at(message.text, pointer)
                .or_else(|| items::one(message.text, pointer).map(|item| vec![item])),
            None => Some(items::of_message(message.text)),
        };
        let Some(found) = found else {
            if holds == Holds::Deleted
                && of_rule.is_some()
                && let Some(line) = self.lines.first()
            {
                effects.push(Effect::Remove {
                    subscription: line.subscription,
                    replace_key: id.to_owned(),
                    version: self.unversioned(now),
                });
            } else if holds == Holds::Snapshot {
                self.only(&[], effects);
            } else if message.value.is_none() {
                effects.push(Effect::Unreadable {
                    frame: one_line(message.text, super::QUOTED),
                });
            }
            return;
        };
        let mapping = self.profile().map.clone();
        let content_type = endpoint.content_type.clone();
        let from = From {
            event: message.event,
            id,
            content_type: &content_type,
            line: None,
            mapping: &mapping,
        };
        let origin = match (holds, self.stage) {
            (Holds::Snapshot, _) if self.lines.iter().any(|line| line.new) => Origin::FirstFilling,
            (Holds::Snapshot, _) | (_, Stage::Settling) => Origin::Backfill,
            _ => Origin::Live,
        };
        let mut shown = Vec::new();
        for item in &found {
            let Some(taken) = self.read(item, &from, now) else {
                continue;
            };
            shown.push(taken.payload.draft.remote_id.clone());
            if self.stage == Stage::Filling && self.meanwhile.len() < REMEMBERED {
                self.meanwhile.push(taken.payload.draft.remote_id.clone());
            }
            match holds {
                Holds::Notifications | Holds::Snapshot => {
                    self.hand_over(taken, origin, now, effects);
                }
                Holds::Read => effects.push(self.read_elsewhere(&taken, now)),
                Holds::Deleted => effects.push(self.deleted_elsewhere(&taken, now)),
            }
        }
        if holds == Holds::Snapshot {
            self.only(&shown, effects);
        }
        if self.stage == Stage::Complete && !self.owed.is_empty() {
            // Stored first, then acknowledged.
            effects.push(Effect::Live);
            self.acknowledge(effects);
        }
    }

    /// Reads an item; none if it is left out.
    pub(super) fn read(&self, item: &Item, from: &From<'_>, now: Timestamp) -> Option<Taken> {
        let envelope = Envelope {
            event: from.event,
            id: if item.key.is_empty() {
                from.id
            } else {
                &item.key
            },
            content_type: from.content_type,
            text: &item.text,
            now,
        };
        let payload = payload::read(from.mapping, &envelope);
        if payload.ignored {
            return None;
        }
        let of_topic = payload
            .topic
            .as_ref()
            .and_then(|topic| self.lines.iter().position(|line| line.topic == *topic));
        let line = from.line.or(of_topic).unwrap_or(0);
        self.lines.get(line)?;
        Some(Taken {
            line,
            id: payload.draft.replace_key.clone(),
            payload,
        })
    }

    /// Whether it was made before anything is wanted.
    pub(super) fn is_too_old(&self, created_at: Timestamp) -> bool {
        created_at.as_millisecond() < self.place.floor
    }

    /// Hands a notification over.
    pub(super) fn hand_over(
        &mut self,
        taken: Taken,
        origin: Origin,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if taken.payload.deleted {
            effects.push(self.deleted_elsewhere(&taken, now));
            return;
        }
        let draft = &taken.payload.draft;
        if origin != Origin::Live && self.is_too_old(draft.created_at) {
            return;
        }
        let read = taken.payload.read.then(|| self.read_elsewhere(&taken, now));
        self.place.note(&taken.id, draft.created_at, now);
        if self.profile().ack.is_some() && self.owed.len() < OWED {
            self.owed.push((taken.line, taken.id.clone()));
        }
        effects.push(Effect::Notify {
            subscription: self.lines[taken.line].subscription,
            draft: Box::new(taken.payload.draft),
            origin,
        });
        effects.extend(read);
    }

    /// A version for what has none: not below any that is here.
    fn unversioned(&self, now: Timestamp) -> i64 {
        let map = &self.profile().map;
        if map.version.is_some() || map.replaces.is_some() {
            now.as_millisecond()
        } else {
            0
        }
    }

    fn read_elsewhere(&self, taken: &Taken, now: Timestamp) -> Effect {
        let draft = &taken.payload.draft;
        Effect::Read {
            subscription: self.lines[taken.line].subscription,
            replace_key: draft.replace_key.clone(),
            version: match draft.version {
                0 => self.unversioned(now),
                version => version,
            },
        }
    }

    fn deleted_elsewhere(&self, taken: &Taken, now: Timestamp) -> Effect {
        let draft = &taken.payload.draft;
        Effect::Remove {
            subscription: self.lines[taken.line].subscription,
            replace_key: draft.replace_key.clone(),
            version: match draft.version {
                0 => self.unversioned(now),
                version => version,
            },
        }
    }

    /// These are all that there are on the server.
    pub(super) fn only(&mut self, shown: &[String], effects: &mut Vec<Effect>) {
        let meanwhile = std::mem::take(&mut self.meanwhile);
        if meanwhile.len() >= REMEMBERED {
            // Some of what came is not remembered, and would be taken for deleted.
            return;
        }
        effects.push(Effect::Only {
            subscriptions: self.lines.iter().map(|line| line.subscription).collect(),
            from: i64::MIN,
            to: i64::MAX,
            remote_ids: shown.iter().cloned().chain(meanwhile).collect(),
        });
    }

    /// Tells the server what arrived. Only now: being live means being stored.
    pub(super) fn acknowledge(&mut self, effects: &mut Vec<Effect>) {
        let owed = std::mem::take(&mut self.owed);
        let Some(ack) = self.profile().ack.clone() else {
            return;
        };
        for (line, id) in owed {
            let topic = self.lines.get(line).map(|line| line.topic.clone());
            let values = Values {
                id: Some(&id),
                topic: topic.as_deref(),
                ..Values::default()
            };
            if let Some(text) = ack.send.fill(&values, Place::Json)
                && !text.is_empty()
            {
                effects.push(Effect::Send(text));
            }
            if let Some(asked) = &ack.request
                && let Ok(request) = self.request(&asked.parts(), &values)
            {
                let tag = self.next_tag();
                self.jobs.insert(tag, Job::Told);
                effects.push(Effect::Fetch {
                    tag,
                    request,
                    read: Read::Whole,
                });
            }
        }
    }
}
