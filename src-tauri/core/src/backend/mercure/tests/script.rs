//! A scripted conversation: what the driver would do, without sockets or time.

use crate::backend::mercure::Mercure;
use crate::backend::{Backend as _, Effect, Failure, Fetched, Input, Resume, Session, Topic};
use crate::model::{Cursor, Draft, HttpRequest, Origin, SubscriptionId, TransportKind};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Our clock, when a conversation begins.
pub(super) const NOW: i64 = 1_700_000_000;

/// Topics with their cursors; the first one has subscription 1.
pub(super) fn resume(topics: &[(&str, Option<&str>)], options: &str) -> Resume {
    Resume {
        base: Url::parse("https://hub.ex.test/.well-known/mercure").unwrap(),
        transport: TransportKind::Sse,
        topics: topics
            .iter()
            .zip(1..)
            .map(|((topic, cursor), id)| Topic {
                subscription: SubscriptionId(id),
                topic: (*topic).to_owned(),
                cursor: cursor.map(|cursor| Cursor(cursor.to_owned())),
            })
            .collect(),
        options: options.to_owned(),
        signed_in: false,
        fill: Duration::from_hours(24),
        poll_every: Duration::from_mins(1),
    }
}

pub(super) fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A session, its driver's memory, and everything it wanted.
pub(super) struct Script {
    session: Box<dyn Session>,
    now: i64,
    effects: Vec<Effect>,
    /// Requests beside the link that are not answered yet, by tag.
    pub fetches: BTreeMap<u32, HttpRequest>,
    /// Waits that are not over yet.
    pub waits: BTreeMap<u32, Duration>,
    /// Links that were asked for.
    pub opened: Vec<HttpRequest>,
    /// Stored cursors.
    pub cursors: BTreeMap<i64, String>,
}

impl Script {
    pub(super) fn new(resume: Resume) -> Self {
        let mut script = Self {
            session: Mercure.session(resume),
            now: NOW,
            effects: Vec::new(),
            fetches: BTreeMap::new(),
            waits: BTreeMap::new(),
            opened: Vec::new(),
            cursors: BTreeMap::new(),
        };
        let effects = script.session.start(script.at());
        script.note(effects);
        script
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now += seconds;
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in &effects {
            match effect {
                Effect::Open(request) => self.opened.push(request.clone()),
                Effect::Fetch { tag, request, .. } => {
                    assert!(self.fetches.insert(*tag, request.clone()).is_none());
                }
                Effect::Wait { tag, time } => {
                    assert!(self.waits.insert(*tag, *time).is_none());
                }
                Effect::Advance {
                    subscription,
                    cursor,
                } => {
                    self.cursors.insert(subscription.0, cursor.0.clone());
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

    pub(super) fn open(&mut self, pairs: &[(&str, &str)]) {
        let headers = headers(pairs);
        self.tell(Input::Opened { headers: &headers });
    }

    pub(super) fn event(&mut self, id: &str, data: &str) {
        self.tell(Input::Event {
            name: "message",
            id,
            data,
        });
    }

    pub(super) fn refuse(&mut self, status: u16, pairs: &[(&str, &str)], body: &str) {
        let headers = headers(pairs);
        self.tell(Input::Refused {
            status,
            headers: &headers,
            retry_after: None,
            body,
        });
    }

    /// Lets a wait end; which one is the oldest.
    pub(super) fn wake(&mut self) {
        let (tag, time) = self.waits.pop_first().expect("something waits");
        self.now += i64::try_from(time.as_secs()).unwrap();
        self.tell(Input::Waited { tag });
    }

    /// The tag of the one fetch whose URL contains this.
    pub(super) fn tag(&self, part: &str) -> u32 {
        let found: Vec<_> = self
            .fetches
            .iter()
            .filter(|(_, request)| request.url.as_str().contains(part))
            .collect();
        assert_eq!(found.len(), 1, "{part} in {:?}", self.fetches);
        *found[0].0
    }

    pub(super) fn part(&mut self, tag: u32, part: Fetched<'_>) {
        self.tell(Input::Fetched { tag, part });
    }

    pub(super) fn head(&mut self, tag: u32, more: &[(&str, &str)]) {
        let mut all = headers(&[("content-type", "text/event-stream")]);
        all.extend(headers(more));
        self.part(tag, Fetched::Head(&all));
    }

    pub(super) fn lines(&mut self, tag: u32, text: &str) {
        for line in text.lines() {
            self.part(tag, Fetched::Line(line));
        }
    }

    pub(super) fn end(&mut self, tag: u32) {
        self.fetches.remove(&tag);
        self.part(tag, Fetched::End);
    }

    /// A whole backlog.
    pub(super) fn answer(&mut self, tag: u32, more: &[(&str, &str)], events: &[(&str, &str)]) {
        self.head(tag, more);
        for (id, data) in events {
            self.lines(tag, &format!("id: {id}\ndata: {data}\n\n"));
        }
        self.end(tag);
    }

    pub(super) fn body(&mut self, tag: u32, media_type: &str, body: &str) {
        self.fetches.remove(&tag);
        let headers = headers(&[("content-type", media_type)]);
        self.part(tag, Fetched::Head(&headers));
        self.part(tag, Fetched::Body(body));
        self.part(tag, Fetched::End);
    }

    pub(super) fn refuse_fetch(&mut self, tag: u32, status: u16) {
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

    pub(super) fn drafts(&mut self) -> Vec<(i64, Draft, Origin)> {
        drafts(self.taken())
    }

    /// The ids among what was wanted since the last call, with subscription and origin.
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
                assert!(failure.says.ends_with(['.', '?']), "{failure:?}");
                failure
            }
            other => panic!("no failure but {other:?}"),
        }
    }
}

pub(super) fn drafts(effects: Vec<Effect>) -> Vec<(i64, Draft, Origin)> {
    effects
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

/// Parameters of a request's address.
pub(super) fn query(request: &HttpRequest) -> Vec<(String, String)> {
    request.url.query_pairs().into_owned().collect()
}

pub(super) fn sent<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request
        .headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}
