//! A server, an inbox, and the driver between them: what the engine would do, without sockets or time.

use crate::backend::gotify::held;
use crate::backend::gotify::session::Conversation;
use crate::backend::{Effect, Failure, Fetched, Input, Missing, Resume, Session, Topic};
use crate::model::{Cursor, Draft, HttpRequest, Origin, SubscriptionId, TransportKind};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use url::Url;

/// When a world begins.
pub(super) const NOW: i64 = 1_700_000_000;

/// A message that was handed over.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub subscription: i64,
    pub draft: Draft,
    pub origin: Origin,
}

/// All of it.
pub(super) struct World {
    transport: TransportKind,
    pub now: i64,
    // The server.
    pub messages: BTreeMap<i64, Value>,
    pub applications: BTreeMap<i64, Value>,
    pub next_id: i64,
    /// Bodies above this length are too long to be read.
    pub longest_body: usize,
    /// Bytes that the session may hold.
    pub held_at_most: usize,
    // The inbox.
    subscriptions: BTreeMap<i64, i64>,
    left: BTreeSet<i64>,
    pub cursors: BTreeMap<i64, String>,
    /// What is in it: subscription and remote id.
    pub rows: BTreeMap<(i64, String), Draft>,
    removed: BTreeSet<(i64, String)>,
    /// What was handed over for the first time, in order.
    pub got: Vec<Got>,
    pub filled: Vec<(i64, Option<Missing>)>,
    pub problems: BTreeMap<i64, String>,
    pub unreadable: Vec<String>,
    pub failure: Option<Failure>,
    pub live: bool,
    // The connection.
    session: Option<Box<dyn Session>>,
    link: Option<VecDeque<String>>,
    pub fetches: VecDeque<(u32, HttpRequest)>,
    pub asked: Vec<String>,
    waits: Vec<(i64, u32)>,
}

impl World {
    pub(super) fn new(transport: TransportKind) -> Self {
        Self {
            transport,
            now: NOW,
            messages: BTreeMap::new(),
            applications: BTreeMap::new(),
            next_id: 1,
            longest_body: 1 << 24,
            held_at_most: held::MOST,
            subscriptions: BTreeMap::new(),
            left: BTreeSet::new(),
            cursors: BTreeMap::new(),
            rows: BTreeMap::new(),
            removed: BTreeSet::new(),
            got: Vec::new(),
            filled: Vec::new(),
            problems: BTreeMap::new(),
            unreadable: Vec::new(),
            failure: None,
            live: false,
            session: None,
            link: None,
            fetches: VecDeque::new(),
            asked: Vec::new(),
            waits: Vec::new(),
        }
    }

    /// With applications 1 and 2.
    pub(super) fn with_two(transport: TransportKind) -> Self {
        let mut world = Self::new(transport);
        world.add_application(1, "Backup");
        world.add_application(2, "Doorbell");
        world
    }

    pub(super) fn add_application(&mut self, id: i64, name: &str) {
        let application = json!({
            "id": id, "name": name, "description": "", "internal": false,
            "image": "static/defaultapp.png", "defaultPriority": 5,
        });
        self.applications.insert(id, application);
    }

    /// Its messages go with it.
    pub(super) fn delete_application(&mut self, id: i64) {
        self.applications.remove(&id);
        self.messages.retain(|_, message| message["appid"] != id);
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    /// Takes a message in, without a push.
    pub(super) fn store(&mut self, application: i64) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        let message = json!({
            "id": id, "appid": application, "message": format!("message {id}"), "title": "t",
            "priority": 5, "date": self.at().to_string(),
        });
        self.messages.insert(id, message);
        id
    }

    pub(super) fn push(&mut self, id: i64) {
        if let Some(link) = &mut self.link {
            link.push_back(self.messages[&id].to_string());
        }
    }

    pub(super) fn publish(&mut self, application: i64) -> i64 {
        let id = self.store(application);
        self.push(id);
        id
    }

    pub(super) fn subscription(&self, application: i64) -> i64 {
        self.subscriptions[&application]
    }

    /// The user leaves an application.
    pub(super) fn leave(&mut self, application: i64) {
        let subscription = self.subscription(application);
        self.cursors.remove(&subscription);
        self.left.insert(application);
    }

    pub(super) fn come_back(&mut self, application: i64) {
        self.left.remove(&application);
    }

    /// A new connection, from what is stored; what was under way is void.
    pub(super) fn connect(&mut self) {
        self.live = false;
        self.failure = None;
        self.fetches.clear();
        self.waits.clear();
        self.link = None;
        let topics = self
            .subscriptions
            .iter()
            .filter(|(application, _)| !self.left.contains(application))
            .map(|(application, subscription)| Topic {
                subscription: SubscriptionId(*subscription),
                topic: application.to_string(),
                cursor: self
                    .cursors
                    .get(subscription)
                    .map(|text| Cursor(text.clone())),
            })
            .collect();
        let resume = Resume {
            base: Url::parse("https://push.ex.test/gotify/").unwrap(),
            transport: self.transport,
            topics,
            options: String::new(),
            signed_in: true,
            fill: Duration::from_hours(24),
            poll_every: Duration::from_mins(1),
        };
        let mut session = Box::new(Conversation::new(resume, self.held_at_most));
        let effects = session.start(self.at());
        self.session = Some(session);
        self.carry_out(effects);
    }

    pub(super) fn tell(&mut self, input: Input<'_>) {
        let now = self.at();
        let effects = self.session.as_mut().unwrap().receive(input, now);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut todo: VecDeque<_> = effects.into();
        while let Some(effect) = todo.pop_front() {
            let now = self.at();
            let mut tell = |session: &mut Option<Box<dyn Session>>, input: Input<'_>| {
                todo.extend(session.as_mut().unwrap().receive(input, now));
            };
            match effect {
                Effect::Open(request) => {
                    self.asked.push(request.url.path().to_owned());
                    self.link = Some(VecDeque::new());
                    tell(&mut self.session, Input::Opened { headers: &[] });
                }
                Effect::Fetch { tag, request, .. } => {
                    self.asked.push(request.url.to_string());
                    self.fetches.push_back((tag, request));
                }
                Effect::Offer(offered) => {
                    let known: Vec<_> = offered
                        .into_iter()
                        .map(|one| {
                            let id: i64 = one.topic.parse().unwrap();
                            let next = 100 + i64::try_from(self.subscriptions.len()).unwrap();
                            let subscription = *self.subscriptions.entry(id).or_insert(next);
                            let kept = !self.left.contains(&id);
                            (one.topic, kept.then_some(SubscriptionId(subscription)))
                        })
                        .collect();
                    tell(&mut self.session, Input::Offered(&known));
                }
                Effect::Wait { tag, time } => {
                    let time = i64::try_from(time.as_secs()).unwrap();
                    self.waits.push((self.now + time, tag));
                }
                Effect::Notify {
                    subscription,
                    draft,
                    origin,
                } => self.notify(subscription.0, *draft, origin),
                Effect::Only {
                    subscriptions,
                    from,
                    to,
                    remote_ids,
                } => {
                    for subscription in subscriptions {
                        let gone: Vec<_> = self
                            .rows
                            .iter()
                            .filter(|((of, id), draft)| {
                                *of == subscription.0
                                    && (from..=to).contains(&draft.version)
                                    && !remote_ids.contains(id)
                            })
                            .map(|(key, _)| key.clone())
                            .collect();
                        for key in gone {
                            self.rows.remove(&key);
                            self.removed.insert(key);
                        }
                    }
                }
                Effect::Advance {
                    subscription,
                    cursor,
                } => self.advance(subscription.0, cursor),
                Effect::Filled {
                    subscription,
                    missing,
                } => self.filled.push((subscription.0, missing)),
                Effect::TopicRefused { subscription, says } => {
                    self.problems.insert(subscription.0, says);
                }
                Effect::Live => self.live = true,
                Effect::KeepAlive => {}
                Effect::Unreadable { frame } => self.unreadable.push(frame),
                Effect::Fail(failure) => {
                    assert!(failure.says.ends_with('.'), "{failure:?}");
                    self.failure = Some(failure);
                    self.link = None;
                    self.fetches.clear();
                    return;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn notify(&mut self, subscription: i64, draft: Draft, origin: Origin) {
        let key = (subscription, draft.remote_id.clone());
        if self.removed.contains(&key) || self.rows.contains_key(&key) {
            return;
        }
        self.rows.insert(key, draft.clone());
        self.got.push(Got {
            subscription,
            draft,
            origin,
        });
    }

    /// A cursor says that everything before it is in the inbox: here that is looked up.
    fn advance(&mut self, subscription: i64, cursor: Cursor) {
        let id = |text: &str| text.split('@').next().unwrap().parse::<i64>().unwrap();
        let epoch = |text: &str| {
            text.split('~')
                .nth(1)
                .unwrap_or("0")
                .parse::<i64>()
                .unwrap()
        };
        if let Some(before) = self.cursors.get(&subscription) {
            let moved = (epoch(before), id(before)) < (epoch(&cursor.0), id(&cursor.0));
            assert!(moved, "a cursor went from {before} to {cursor:?}");
        }
        self.cursors.insert(subscription, cursor.0);
    }

    /// Answers the oldest request as the server is now. False if nothing was asked.
    pub(super) fn answer(&mut self) -> bool {
        let Some((tag, request)) = self.fetches.pop_front() else {
            return false;
        };
        match self.reply(&request.url) {
            Ok(body) => self.body(tag, &body.to_string()),
            Err(status) => self.refuse(tag, status),
        }
        true
    }

    pub(super) fn body(&mut self, tag: u32, body: &str) {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let part = if body.len() > self.longest_body {
            Fetched::TooLong
        } else {
            Fetched::Body(body)
        };
        for part in [Fetched::Head(&headers), part, Fetched::End] {
            if self.failure.is_none() {
                self.tell(Input::Fetched { tag, part });
            }
        }
    }

    pub(super) fn refuse(&mut self, tag: u32, status: u16) {
        let part = Fetched::Refused {
            status,
            headers: &[],
            retry_after: None,
            body: r#"{"error":"x","errorCode":0,"errorDescription":"x"}"#,
        };
        self.tell(Input::Fetched { tag, part });
    }

    fn reply(&self, url: &Url) -> Result<Value, u16> {
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let path = url.path().strip_prefix("/gotify/").unwrap();
        let of = match path.split('/').collect::<Vec<_>>()[..] {
            ["application"] => return Ok(self.applications.values().cloned().collect()),
            ["message"] => None,
            ["application", id, "message"] => Some(id.parse::<i64>().unwrap()),
            _ => panic!("{path}"),
        };
        if of.is_some_and(|id| !self.applications.contains_key(&id)) {
            return Err(404);
        }
        let limit: usize = query["limit"].parse().unwrap();
        assert!((1..=200).contains(&limit));
        let since: i64 = query.get("since").map_or(0, |since| since.parse().unwrap());
        let mut all: Vec<&Value> = self
            .messages
            .iter()
            .rev()
            .filter(|(id, _)| since == 0 || **id < since)
            .map(|(_, message)| message)
            .filter(|message| of.is_none_or(|of| message["appid"] == of))
            .take(limit + 1)
            .collect();
        let more = all.len() > limit;
        all.truncate(limit);
        let since = if more {
            all[limit - 1]["id"].clone()
        } else {
            json!(0)
        };
        Ok(json!({
            "messages": all,
            "paging": {"size": all.len(), "limit": limit, "since": since},
        }))
    }

    /// Hands the session the oldest thing that came over the link. False if nothing did.
    pub(super) fn deliver(&mut self) -> bool {
        let Some(frame) = self.link.as_mut().and_then(VecDeque::pop_front) else {
            return false;
        };
        self.tell(Input::Frame(&frame));
        true
    }

    /// Lets everything that is under way arrive.
    pub(super) fn settle(&mut self) {
        while self.failure.is_none() && (self.answer() || self.deliver()) {}
    }

    /// Lets time pass; what was waited for comes.
    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        let due: Vec<_> = self
            .waits
            .extract_if(.., |(at, _)| *at <= self.now)
            .collect();
        for (_, tag) in due {
            self.tell(Input::Waited { tag });
        }
    }

    /// Connects, and lets everything arrive.
    pub(super) fn catch_up(&mut self) {
        self.connect();
        self.settle();
        assert!(self.live, "{:?}", self.failure);
    }

    /// Ids handed over so far, in order; whatever is asked for once is forgotten.
    pub(super) fn ids(&mut self) -> Vec<i64> {
        self.taken()
            .iter()
            .map(|got| got.draft.remote_id.parse().unwrap())
            .collect()
    }

    pub(super) fn taken(&mut self) -> Vec<Got> {
        std::mem::take(&mut self.got)
    }

    /// Everything on the server is in the inbox, and nothing else is.
    pub(super) fn assert_same(&self) {
        let here: BTreeSet<_> = self
            .rows
            .keys()
            .map(|(subscription, id)| (*subscription, id.parse::<i64>().unwrap()))
            .collect();
        let there: BTreeSet<_> = self
            .messages
            .iter()
            .map(|(id, message)| (self.subscription(message["appid"].as_i64().unwrap()), *id))
            .collect();
        assert_eq!(here, there);
    }
}
