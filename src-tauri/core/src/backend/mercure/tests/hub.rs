//! A model of a hub, a driver and an inbox, for whole histories in memory.

use super::script::resume;
use crate::backend::mercure::Mercure;
use crate::backend::{Backend as _, Effect, FailureKind, Fetched, Input, Missing, Read, Session};
use crate::model::{HttpRequest, SubscriptionId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a hub of the kind written in Go does with a subscription.
#[derive(Default)]
pub(super) struct Hub {
    /// Topic and id, in the order of publication.
    pub log: Vec<(String, String)>,
    pub kept_from: usize,
}

/// An answer that is being sent.
struct Sending {
    topics: Vec<String>,
    next: usize,
    headers: Vec<(String, String)>,
    /// It has an end where it falls silent.
    is_backlog: bool,
}

impl Hub {
    pub(super) fn publish(&mut self, topic: &str) {
        let id = format!("e{}", self.log.len());
        self.log.push((topic.to_owned(), id));
    }

    fn answer(&self, request: &HttpRequest) -> Sending {
        let topics = request
            .url
            .query_pairs()
            .filter(|(name, _)| name == "topic")
            .map(|(_, value)| value.into_owned())
            .collect();
        let asked = request
            .headers
            .iter()
            .find(|(name, _)| name == "Last-Event-ID")
            .map(|(_, id)| id.clone());
        let kept = &self.log[self.kept_from..];
        let (next, cursor) = match &asked {
            None => (self.log.len(), None),
            Some(id) if id == "earliest" => (self.kept_from, asked.clone()),
            Some(id) => {
                let newest = kept.last().map_or("earliest", |(_, id)| id);
                let found = kept.iter().position(|(_, known)| known == id);
                found.map_or_else(
                    || (self.log.len(), Some(newest.to_owned())),
                    |at| (self.kept_from + at + 1, asked.clone()),
                )
            }
        };
        let mut headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
        headers.extend(cursor.map(|id| ("last-event-id".to_owned(), id)));
        Sending {
            topics,
            next,
            headers,
            is_backlog: false,
        }
    }

    fn next(&self, sending: &mut Sending) -> Option<(String, String)> {
        while let Some((topic, id)) = self.log.get(sending.next) {
            sending.next += 1;
            if sending.topics.contains(topic) {
                return Some((topic.clone(), id.clone()));
            }
        }
        None
    }
}

/// One account: its store, its session if one runs, and what is under way.
pub(super) struct Desk {
    pub topics: Vec<&'static str>,
    pub options: &'static str,
    pub inbox: BTreeMap<(i64, String), usize>,
    /// Ids in the order in which they first came.
    pub order: Vec<String>,
    pub cursors: BTreeMap<i64, String>,
    /// Words of the reasons why something is missing.
    pub gaps: BTreeSet<&'static str>,
    pub live: bool,
    session: Option<Box<dyn Session>>,
    link: Option<Sending>,
    fetches: BTreeMap<u32, Sending>,
    waits: VecDeque<u32>,
    clock: i64,
}

impl Desk {
    pub(super) fn new(topics: &[&'static str], options: &'static str) -> Self {
        Self {
            topics: topics.to_vec(),
            options,
            inbox: BTreeMap::new(),
            order: Vec::new(),
            cursors: BTreeMap::new(),
            gaps: BTreeSet::new(),
            live: false,
            session: None,
            link: None,
            fetches: BTreeMap::new(),
            waits: VecDeque::new(),
            clock: super::script::NOW,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock).unwrap()
    }

    /// Everything that is not stored is lost.
    pub(super) fn hang_up(&mut self) {
        self.session = None;
        self.link = None;
        self.fetches.clear();
        self.waits.clear();
        self.live = false;
    }

    pub(super) fn connect(&mut self, hub: &Hub) {
        self.hang_up();
        let topics: Vec<_> = self
            .topics
            .iter()
            .zip(1..)
            .map(|(topic, id)| (*topic, self.cursors.get(&id).map(String::as_str)))
            .collect();
        let mut session = Mercure.session(resume(&topics, self.options));
        let effects = session.start(self.now());
        self.session = Some(session);
        self.carry_out(hub, effects);
    }

    fn tell(&mut self, hub: &Hub, input: Input<'_>) {
        let now = self.now();
        if let Some(session) = &mut self.session {
            let effects = session.receive(input, now);
            self.carry_out(hub, effects);
        }
    }

    fn carry_out(&mut self, hub: &Hub, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Open(request) => {
                    let sending = hub.answer(&request);
                    let headers = sending.headers.clone();
                    self.link = Some(sending);
                    self.tell(hub, Input::Opened { headers: &headers });
                }
                Effect::Fetch { tag, request, read } => {
                    let mut sending = hub.answer(&request);
                    sending.is_backlog = matches!(read, Read::Backlog { .. });
                    let headers = sending.headers.clone();
                    self.fetches.insert(tag, sending);
                    let part = Fetched::Head(&headers);
                    self.tell(hub, Input::Fetched { tag, part });
                }
                Effect::Wait { tag, .. } => self.waits.push_back(tag),
                Effect::Notify {
                    subscription: SubscriptionId(id),
                    draft,
                    ..
                } => {
                    let times = self.inbox.entry((id, draft.remote_id.clone())).or_default();
                    *times += 1;
                    if *times == 1 {
                        self.order.push(draft.remote_id);
                    }
                }
                Effect::Advance {
                    subscription,
                    cursor,
                } => {
                    self.cursors.insert(subscription.0, cursor.0);
                }
                Effect::Filled {
                    missing: Some(missing),
                    ..
                } => {
                    self.gaps.insert(Missing::word(missing));
                }
                Effect::Live => self.live = true,
                Effect::Fail(failure) => {
                    assert_eq!(failure.kind, FailureKind::Again, "{failure:?}");
                    self.hang_up();
                    return;
                }
                _ => {}
            }
        }
    }

    /// The next event of the link arrives, if one is on its way.
    pub(super) fn link_event(&mut self, hub: &Hub) -> bool {
        let Some((topic, id)) = self.link.as_mut().and_then(|link| hub.next(link)) else {
            return false;
        };
        let data = format!("{{\"topic\":\"{topic}\",\"message\":\"{id}\"}}");
        let (name, id, data) = ("message", id.as_str(), data.as_str());
        self.tell(hub, Input::Event { name, id, data });
        true
    }

    /// The next event of a fetch arrives. With none left, a backlog is over; a stream is not.
    pub(super) fn fetch_event(&mut self, hub: &Hub, which: usize, ends: bool) -> bool {
        let Some(tag) = self
            .fetches
            .keys()
            .nth(which % self.fetches.len().max(1))
            .copied()
        else {
            return false;
        };
        let Some(sending) = self.fetches.get_mut(&tag) else {
            return false;
        };
        let ends = ends && sending.is_backlog;
        let next = hub.next(sending);
        match next {
            Some((topic, id)) => {
                let data = format!("data: {{\"topic\":\"{topic}\",\"message\":\"{id}\"}}");
                for line in [format!("id: {id}"), data, String::new()] {
                    let part = Fetched::Line(&line);
                    self.tell(hub, Input::Fetched { tag, part });
                }
            }
            None if ends => {
                self.fetches.remove(&tag);
                let part = Fetched::End;
                self.tell(hub, Input::Fetched { tag, part });
            }
            None => return false,
        }
        true
    }

    pub(super) fn wake(&mut self, hub: &Hub) -> bool {
        let Some(tag) = self.waits.pop_front() else {
            return false;
        };
        self.clock += 2;
        self.tell(hub, Input::Waited { tag });
        true
    }

    /// The hub ends the link.
    pub(super) fn end(&mut self, hub: &Hub) {
        if self.link.take().is_some() {
            let (code, reason) = (None, "");
            self.tell(hub, Input::Closed { code, reason });
        }
    }

    /// Everything that is on its way arrives.
    pub(super) fn settle(&mut self, hub: &Hub) {
        for _ in 0..10_000 {
            if self.session.is_none() {
                self.connect(hub);
            }
            if self.link_event(hub)
                || (0..self.fetches.len()).any(|which| self.fetch_event(hub, which, false))
                || self.wake(hub)
                || (0..self.fetches.len()).any(|which| self.fetch_event(hub, which, true))
            {
                continue;
            }
            return;
        }
        panic!("it never comes to rest");
    }
}
