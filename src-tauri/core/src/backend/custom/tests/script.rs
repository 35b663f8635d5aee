//! A scripted conversation: what the driver would do, without sockets or time.

use crate::backend::custom::Custom;
use crate::backend::{
    Backend as _, Effect, Failure, Fetched, Input, Missing, Resume, Session, Topic,
};
use crate::model::{Body, Cursor, Draft, HttpRequest, Origin, SubscriptionId, TransportKind};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Our clock, when a conversation begins.
pub(super) fn start() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

/// Options with this profile.
pub(super) fn profile(toml: &str) -> String {
    Custom
        .check_options(&json!({ "profile": toml }).to_string())
        .unwrap()
}

/// Options with this preset.
pub(super) fn preset(name: &str) -> String {
    Custom
        .check_options(&json!({ "preset": name }).to_string())
        .unwrap()
}

/// Options of an address that was recognised.
pub(super) fn found(transport: TransportKind) -> String {
    Custom
        .check_options(&json!({ "transport": transport }).to_string())
        .unwrap()
}

/// A stored notification.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub subscription: i64,
    pub draft: Draft,
    pub origin: Origin,
}

/// A session, and everything it wanted.
pub(super) struct Script {
    session: Box<dyn Session>,
    pub now: Timestamp,
    pub opened: Vec<HttpRequest>,
    pub fetches: BTreeMap<u32, HttpRequest>,
    /// Tags of the fetches that were not answered.
    pub open_fetches: Vec<u32>,
    pub sent: Vec<String>,
    pub waits: Vec<(u32, Duration)>,
    pub stored: Vec<Stored>,
    pub removed: Vec<(String, i64)>,
    pub read: Vec<(String, i64)>,
    pub only: Vec<Vec<String>>,
    pub filled: Vec<(i64, Option<Missing>)>,
    pub cursors: BTreeMap<i64, Cursor>,
    pub advances: usize,
    pub live: usize,
    pub unreadable: usize,
    pub failure: Option<Failure>,
    pub offered: usize,
    pub silence: Option<Duration>,
}

/// How a conversation is set up.
pub(super) struct Setup<'a> {
    pub base: &'a str,
    pub options: String,
    pub transport: TransportKind,
    pub topics: &'a [&'a str],
    pub cursors: BTreeMap<i64, Cursor>,
}

impl Setup<'_> {
    pub(super) fn new(options: String, transport: TransportKind) -> Self {
        Self {
            base: "https://ex.test/app",
            options,
            transport,
            topics: &[],
            cursors: BTreeMap::new(),
        }
    }
}

impl Script {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self::at(setup, start())
    }

    pub(super) fn at(setup: &Setup<'_>, now: Timestamp) -> Self {
        let mut names: Vec<&str> = setup.topics.to_vec();
        if names.is_empty() && !setup.cursors.is_empty() {
            names.push("all");
        }
        let session = Custom.session(Resume {
            base: Url::parse(setup.base).unwrap(),
            transport: setup.transport,
            topics: names
                .iter()
                .zip(1..)
                .map(|(topic, id)| Topic {
                    subscription: SubscriptionId(id),
                    topic: (*topic).to_owned(),
                    cursor: setup.cursors.get(&id).cloned(),
                })
                .collect(),
            options: setup.options.clone(),
            signed_in: true,
            fill: Duration::from_hours(24),
            poll_every: Duration::from_mins(1),
        });
        let mut script = Self {
            session,
            now,
            opened: Vec::new(),
            fetches: BTreeMap::new(),
            open_fetches: Vec::new(),
            sent: Vec::new(),
            waits: Vec::new(),
            stored: Vec::new(),
            removed: Vec::new(),
            read: Vec::new(),
            only: Vec::new(),
            filled: Vec::new(),
            cursors: setup.cursors.clone(),
            advances: 0,
            live: 0,
            unreadable: 0,
            failure: None,
            offered: 0,
            silence: None,
        };
        let effects = script.session.start(now);
        script.note(effects);
        script
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if self.failure.is_some() {
                return;
            }
            match effect {
                Effect::Open(request) => self.opened.push(request),
                Effect::Fetch { tag, request, .. } => {
                    assert!(self.fetches.insert(tag, request).is_none());
                    self.open_fetches.push(tag);
                }
                Effect::Send(text) | Effect::SendSignIn(text) => self.sent.push(text),
                Effect::InStep { .. } | Effect::Quota(_) => panic!("{effect:?}"),
                Effect::Offer(offered) => {
                    self.offered += offered.len();
                    let known: Vec<_> = offered
                        .into_iter()
                        .map(|one| (one.topic, Some(SubscriptionId(1))))
                        .collect();
                    self.tell(Input::Offered(&known));
                }
                Effect::Only { remote_ids, .. } => self.only.push(remote_ids),
                Effect::Silence(time) => self.silence = Some(time),
                Effect::Wait { tag, time } => self.waits.push((tag, time)),
                Effect::Notify {
                    subscription,
                    draft,
                    origin,
                } => self.stored.push(Stored {
                    subscription: subscription.0,
                    draft: *draft,
                    origin,
                }),
                Effect::Read {
                    replace_key,
                    version,
                    ..
                } => self.read.push((replace_key, version)),
                Effect::Remove {
                    replace_key,
                    version,
                    ..
                } => self.removed.push((replace_key, version)),
                Effect::Advance {
                    subscription,
                    cursor,
                } => {
                    self.advances += 1;
                    self.cursors.insert(subscription.0, cursor);
                }
                Effect::Filled {
                    subscription,
                    missing,
                } => self.filled.push((subscription.0, missing)),
                Effect::TopicRefused { .. } | Effect::KeepAlive => {}
                Effect::Live => self.live += 1,
                Effect::Unreadable { .. } => self.unreadable += 1,
                Effect::Fail(failure) => self.failure = Some(failure),
            }
        }
    }

    pub(super) fn tell(&mut self, input: Input<'_>) {
        let effects = self.session.receive(input, self.now);
        self.note(effects);
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(super) fn open(&mut self) {
        self.tell(Input::Opened { headers: &[] });
    }

    pub(super) fn frame(&mut self, text: &str) {
        self.tell(Input::Frame(text));
    }

    pub(super) fn event(&mut self, name: &str, id: &str, data: &str) {
        self.tell(Input::Event { name, id, data });
    }

    /// Everything that waits is woken, in order.
    pub(super) fn wake(&mut self) {
        for (tag, time) in std::mem::take(&mut self.waits) {
            self.now += SignedDuration::try_from(time).unwrap();
            self.tell(Input::Waited { tag });
        }
    }

    /// Answers the oldest open fetch.
    pub(super) fn answer(&mut self, body: &str) {
        self.answer_with(&[("content-type", "application/json")], body);
    }

    pub(super) fn answer_with(&mut self, headers: &[(&str, &str)], body: &str) {
        let tag = self.open_fetches.remove(0);
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        for part in [Fetched::Head(&headers), Fetched::Body(body), Fetched::End] {
            self.tell(Input::Fetched { tag, part });
        }
    }

    pub(super) fn refuse(&mut self, status: u16) {
        let tag = self.open_fetches.remove(0);
        self.tell(Input::Fetched {
            tag,
            part: Fetched::Refused {
                status,
                headers: &[],
                retry_after: None,
                body: "",
            },
        });
    }

    /// The oldest open fetch.
    pub(super) fn asked(&self) -> &HttpRequest {
        let tag = self.open_fetches.first().expect("something is asked for");
        &self.fetches[tag]
    }

    /// Its address.
    pub(super) fn asked_url(&self) -> String {
        self.asked().url.to_string()
    }

    pub(super) fn titles(&self) -> Vec<&str> {
        self.stored
            .iter()
            .map(|stored| stored.draft.title.as_str())
            .collect()
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.stored
            .iter()
            .map(|stored| stored.draft.remote_id.as_str())
            .collect()
    }

    pub(super) fn origins(&self) -> Vec<Origin> {
        self.stored.iter().map(|stored| stored.origin).collect()
    }

    /// The same account, connected again with what was stored.
    pub(super) fn again(&self, setup: &Setup<'_>) -> Self {
        let setup = Setup {
            base: setup.base,
            options: setup.options.clone(),
            transport: setup.transport,
            topics: setup.topics,
            cursors: self.cursors.clone(),
        };
        Self::at(&setup, self.now)
    }
}

/// What a body says.
pub(super) fn body_of(request: &HttpRequest) -> String {
    match &request.body {
        Body::Empty => String::new(),
        Body::Bytes { bytes, .. } => String::from_utf8(bytes.clone()).unwrap(),
        Body::SignIn { template, .. } => template.clone(),
    }
}

/// A header of a request.
pub(super) fn header_of<'a>(request: &'a HttpRequest, wanted: &str) -> Option<&'a str> {
    request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.as_str())
}
