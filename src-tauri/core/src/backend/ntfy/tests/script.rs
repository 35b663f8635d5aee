//! A scripted conversation: what the driver would do, without sockets or time.

use crate::backend::ntfy::Ntfy;
use crate::backend::{Backend as _, Effect, Failure, Fetched, Input, Resume, Session, Topic};
use crate::model::{Cursor, Draft, Origin, SubscriptionId, TransportKind};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Our clock, when a conversation begins.
pub(super) const NOW: i64 = 1_700_000_000;
pub(super) const DAY: i64 = 86_400;

/// Topics with their cursors; the first one has subscription 1.
pub(super) fn resume(transport: TransportKind, topics: &[(&str, Option<i64>)]) -> Resume {
    Resume {
        base: Url::parse("https://ntfy.ex.test/").unwrap(),
        transport,
        topics: topics
            .iter()
            .zip(1..)
            .map(|((topic, cursor), id)| Topic {
                subscription: SubscriptionId(id),
                topic: (*topic).to_owned(),
                cursor: cursor.map(|second| Cursor(second.to_string())),
            })
            .collect(),
        options: String::new(),
        signed_in: false,
        fill: Duration::from_hours(24),
        poll_every: Duration::from_mins(1),
    }
}

/// A session, its driver's memory, and everything it wanted.
pub(super) struct Script {
    session: Box<dyn Session>,
    now: i64,
    /// Everything that was wanted since it was last taken.
    effects: Vec<Effect>,
    /// URLs by tag.
    pub fetches: BTreeMap<u32, String>,
    /// Links that were opened.
    pub opened: Vec<String>,
    /// Stored cursors.
    pub cursors: BTreeMap<i64, i64>,
}

impl Script {
    pub(super) fn new(resume: Resume) -> Self {
        let cursors = resume
            .topics
            .iter()
            .filter_map(|topic| {
                Some((
                    topic.subscription.0,
                    topic.cursor.as_ref()?.0.parse().unwrap(),
                ))
            })
            .collect();
        let mut script = Self {
            session: Ntfy.session(resume),
            now: NOW,
            effects: Vec::new(),
            fetches: BTreeMap::new(),
            opened: Vec::new(),
            cursors,
        };
        let effects = script.session.start(script.at());
        script.note(effects);
        script
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in &effects {
            match effect {
                Effect::Open(request) => self.opened.push(request.url.to_string()),
                Effect::Fetch { tag, request, .. } => {
                    assert!(self.fetches.insert(*tag, request.url.to_string()).is_none());
                }
                Effect::Advance {
                    subscription,
                    cursor,
                } => {
                    let to = cursor.0.parse().unwrap();
                    let from = self.cursors.insert(subscription.0, to);
                    assert!(
                        from.is_none_or(|from| from < to),
                        "a cursor went from {from:?} to {to}"
                    );
                }
                _ => {}
            }
        }
        self.effects.extend(effects);
    }

    pub(super) fn tell(&mut self, input: Input<'_>) {
        let effects = self.session.receive(input, self.at());
        self.note(effects);
    }

    pub(super) fn frame(&mut self, frame: &Value) {
        self.tell(Input::Frame(&frame.to_string()));
    }

    pub(super) fn open(&mut self, server_time: i64) {
        self.tell(Input::Opened { headers: &[] });
        self.frame(&json!({"id": "open", "time": server_time, "event": "open", "topic": "a,b"}));
    }

    /// The tag of the one fetch whose URL contains this.
    pub(super) fn tag(&self, part: &str) -> u32 {
        let found: Vec<_> = self
            .fetches
            .iter()
            .filter(|(_, url)| url.contains(part))
            .collect();
        assert_eq!(found.len(), 1, "{part} in {:?}", self.fetches);
        *found[0].0
    }

    pub(super) fn part(&mut self, tag: u32, part: Fetched<'_>) {
        self.tell(Input::Fetched { tag, part });
    }

    pub(super) fn head(&mut self, tag: u32, more: &[(&str, &str)]) {
        let mut headers = vec![(
            "content-type".to_owned(),
            "application/x-ndjson; charset=utf-8".to_owned(),
        )];
        headers.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.part(tag, Fetched::Head(&headers));
    }

    pub(super) fn line(&mut self, tag: u32, line: &Value) {
        self.part(tag, Fetched::Line(&line.to_string()));
    }

    pub(super) fn end(&mut self, tag: u32) {
        self.fetches.remove(&tag);
        self.part(tag, Fetched::End);
    }

    /// A whole answer.
    pub(super) fn answer(&mut self, tag: u32, lines: &[Value]) {
        self.head(tag, &[]);
        for line in lines {
            self.line(tag, line);
        }
        self.end(tag);
    }

    /// Answers everything that is asked with nothing.
    pub(super) fn answer_all(&mut self) {
        for tag in self.fetches.keys().copied().collect::<Vec<_>>() {
            self.answer(tag, &[]);
        }
    }

    pub(super) fn refuse(&mut self, tag: u32, status: u16) {
        self.fetches.remove(&tag);
        self.part(
            tag,
            Fetched::Refused {
                status,
                headers: &[],
                retry_after: None,
                body: "",
            },
        );
    }

    /// What was wanted since the last call.
    pub(super) fn taken(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The drafts among what was wanted since the last call.
    pub(super) fn drafts(&mut self) -> Vec<(i64, Draft, Origin)> {
        self.taken()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Notify {
                    subscription,
                    draft,
                    origin,
                } => Some((subscription.0, *draft, origin)),
                _ => None,
            })
            .collect()
    }

    /// The ids of those drafts, with their subscription and origin.
    pub(super) fn ids(&mut self) -> Vec<(i64, String, Origin)> {
        self.drafts()
            .into_iter()
            .map(|(subscription, draft, origin)| (subscription, draft.remote_id, origin))
            .collect()
    }

    /// The failure that ended it.
    pub(super) fn failure(&mut self) -> Failure {
        match self.taken().pop() {
            Some(Effect::Fail(failure)) => {
                assert!(failure.says.ends_with('.'), "{failure:?}");
                failure
            }
            other => panic!("no failure but {other:?}"),
        }
    }
}

pub(super) fn said(topic: &str, id: &str, time: i64) -> Value {
    json!({"id": id, "time": time, "event": "message", "topic": topic, "message": id})
}

pub(super) fn update(topic: &str, id: &str, sequence: &str, time: i64) -> Value {
    json!({"id": id, "sequence_id": sequence, "time": time, "event": "message", "topic": topic, "message": id})
}

/// What a session wanted of one subscription: complete, incomplete or nothing.
pub(super) fn filled(effects: &[Effect], subscription: i64) -> Option<bool> {
    effects.iter().find_map(|effect| match effect {
        Effect::Filled {
            subscription: SubscriptionId(id),
            missing,
        } if *id == subscription => Some(missing.is_some()),
        _ => None,
    })
}
