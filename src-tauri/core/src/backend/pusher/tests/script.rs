//! A scripted conversation: what the driver would do, without sockets or time.

use crate::backend::pusher::Pusher;
use crate::backend::{
    Backend as _, Effect, Failure, Fetched, Input, Missing, Resume, Session, Topic,
};
use crate::model::{Body, Cursor, Draft, HttpRequest, Origin, Sign, SubscriptionId, TransportKind};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Our clock, when a conversation begins.
pub(super) const NOW: i64 = 1_700_000_000;
pub(super) const SOCKET: &str = "7086537815.7290459845";
pub(super) const APP: &str = "https://app.ex.test";

/// Channels with their cursors; the first one has subscription 1.
pub(super) fn resume(options: &Value, channels: &[(&str, Option<&str>)]) -> Resume {
    Resume {
        base: Url::parse("https://ws.ex.test/app/key1/").unwrap(),
        transport: TransportKind::Websocket,
        topics: channels
            .iter()
            .zip(1..)
            .map(|((channel, cursor), id)| Topic {
                subscription: SubscriptionId(id),
                topic: (*channel).to_owned(),
                cursor: cursor.map(|cursor| Cursor(cursor.to_owned())),
            })
            .collect(),
        options: Pusher.check_options(&options.to_string()).unwrap(),
        signed_in: true,
        fill: Duration::from_hours(24),
        poll_every: Duration::from_mins(1),
    }
}

/// With the application's addresses for signing.
pub(super) fn signing() -> Value {
    json!({"auth_url": format!("{APP}/auth"), "user_auth_url": ""})
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub request: HttpRequest,
}

impl Asked {
    pub(super) fn url(&self) -> String {
        self.request.url.to_string()
    }

    pub(super) fn form(&self) -> String {
        match &self.request.body {
            Body::Bytes { media_type, bytes } => {
                assert_eq!(media_type, "application/x-www-form-urlencoded");
                String::from_utf8(bytes.clone()).unwrap()
            }
            _ => String::new(),
        }
    }
}

/// A session, its driver's memory, and everything it wanted.
pub(super) struct Script {
    session: Box<dyn Session>,
    pub now: i64,
    effects: Vec<Effect>,
    /// Requests by tag.
    pub fetches: BTreeMap<u32, Asked>,
    /// Waits by tag: when they are over.
    pub waits: BTreeMap<u32, i64>,
    /// Texts that were sent since they were last taken.
    pub sent: Vec<Value>,
    /// Links that were opened.
    pub opened: Vec<HttpRequest>,
    /// Stored cursors.
    pub cursors: BTreeMap<i64, String>,
    /// What is wrong with which subscription.
    pub problems: BTreeMap<i64, String>,
    /// Backlogs that were complete, with what is missing.
    pub filled: Vec<(i64, Option<Missing>)>,
    pub live: bool,
    pub failure: Option<Failure>,
}

impl Script {
    pub(super) fn new(resume: Resume) -> Self {
        let cursors = resume
            .topics
            .iter()
            .filter_map(|topic| Some((topic.subscription.0, topic.cursor.as_ref()?.0.clone())))
            .collect();
        let mut script = Self {
            session: Pusher.session(resume),
            now: NOW,
            effects: Vec::new(),
            fetches: BTreeMap::new(),
            waits: BTreeMap::new(),
            sent: Vec::new(),
            opened: Vec::new(),
            cursors,
            problems: BTreeMap::new(),
            filled: Vec::new(),
            live: false,
            failure: None,
        };
        let effects = script.session.start(at(NOW));
        script.note(effects);
        script
    }

    /// With these channels, greeted.
    pub(super) fn greeted(options: &Value, channels: &[(&str, Option<&str>)]) -> Self {
        let mut script = Self::new(resume(options, channels));
        script.greet();
        script
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in &effects {
            assert!(
                self.failure.is_none(),
                "{effect:?} after {:?}",
                self.failure
            );
            match effect {
                Effect::Open(request) => {
                    assert_eq!(request.sign, Sign::Nothing);
                    self.opened.push(request.clone());
                }
                Effect::Fetch { tag, request, .. } => {
                    assert_eq!(request.sign, Sign::Account);
                    let asked = Asked {
                        request: request.clone(),
                    };
                    assert!(self.fetches.insert(*tag, asked).is_none());
                }
                Effect::Wait { tag, time } => {
                    let over = self.now + i64::try_from(time.as_secs()).unwrap();
                    assert!(self.waits.insert(*tag, over).is_none());
                }
                Effect::Send(text) => self.sent.push(serde_json::from_str(text).unwrap()),
                Effect::Advance {
                    subscription,
                    cursor,
                } => {
                    self.cursors.insert(subscription.0, cursor.0.clone());
                }
                Effect::TopicRefused { subscription, says } => {
                    if says.is_empty() {
                        self.problems.remove(&subscription.0);
                    } else {
                        assert!(says.ends_with(['.', '?']), "{says}");
                        self.problems.insert(subscription.0, says.clone());
                    }
                }
                Effect::Filled {
                    subscription,
                    missing,
                } => self.filled.push((subscription.0, *missing)),
                Effect::Live => {
                    assert!(!self.live, "live twice");
                    self.live = true;
                }
                Effect::Fail(failure) => {
                    assert!(failure.says.ends_with(['.', '?']), "{failure:?}");
                    self.failure = Some(failure.clone());
                }
                _ => {}
            }
        }
        self.effects.extend(effects);
    }

    pub(super) fn tell(&mut self, input: Input<'_>) {
        let effects = self.session.receive(input, at(self.now));
        self.note(effects);
    }

    /// Other channels from now on.
    pub(super) fn topics(&mut self, topics: &[Topic]) {
        let effects = self.session.topics(topics, at(self.now));
        self.note(effects.expect("channels come and go in place"));
    }

    pub(super) fn frame(&mut self, frame: &Value) {
        self.tell(Input::Frame(&frame.to_string()));
    }

    pub(super) fn greet(&mut self) {
        self.tell(Input::Opened { headers: &[] });
        self.frame(&json!({
            "event": "pusher:connection_established",
            "data": json!({"socket_id": SOCKET, "activity_timeout": 30}).to_string(),
        }));
    }

    pub(super) fn succeed(&mut self, channel: &str) {
        self.frame(&json!({"event": "pusher_internal:subscription_succeeded", "channel": channel}));
    }

    /// An event with its data in a string, as it is sent.
    pub(super) fn event(&mut self, channel: &str, event: &str, data: &Value) {
        self.frame(&said(channel, event, data));
    }

    pub(super) fn closed(&mut self, code: u16) {
        self.tell(Input::Closed {
            code: Some(code),
            reason: "",
        });
    }

    /// Lets time pass, and everything that was waited for come.
    pub(super) fn pass(&mut self, seconds: i64) {
        let until = self.now + seconds;
        while let Some((tag, over)) = self
            .waits
            .iter()
            .map(|(tag, over)| (*tag, *over))
            .filter(|(_, over)| *over <= until)
            .min_by_key(|(tag, over)| (*over, *tag))
        {
            self.waits.remove(&tag);
            self.now = over;
            if self.failure.is_none() {
                self.tell(Input::Waited { tag });
            }
        }
        self.now = until;
    }

    /// The tag of the one request whose URL or form contains this.
    pub(super) fn tag(&self, part: &str) -> u32 {
        let found: Vec<_> = self
            .fetches
            .iter()
            .filter(|(_, asked)| asked.url().contains(part) || asked.form().contains(part))
            .collect();
        assert_eq!(found.len(), 1, "{part} in {:?}", self.fetches);
        *found[0].0
    }

    pub(super) fn part(&mut self, tag: u32, part: Fetched<'_>) {
        self.tell(Input::Fetched { tag, part });
    }

    pub(super) fn answer_text(&mut self, part: &str, headers: &[(&str, &str)], body: &str) {
        let tag = self.tag(part);
        self.fetches.remove(&tag);
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.part(tag, Fetched::Head(&headers));
        self.part(tag, Fetched::Body(body));
        self.part(tag, Fetched::End);
    }

    pub(super) fn answer(&mut self, part: &str, body: &Value) {
        self.answer_text(part, &[], &body.to_string());
    }

    pub(super) fn refuse(&mut self, part: &str, status: u16) {
        self.refuse_for(part, status, None);
    }

    pub(super) fn refuse_for(&mut self, part: &str, status: u16, after: Option<u64>) {
        let tag = self.tag(part);
        self.fetches.remove(&tag);
        self.part(
            tag,
            Fetched::Refused {
                status,
                headers: &[],
                retry_after: after.map(Duration::from_secs),
                body: "",
            },
        );
    }

    /// What was wanted since the last call.
    pub(super) fn taken(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// What was sent since the last call.
    pub(super) fn taken_sent(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.sent)
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

    /// Their ids, with subscription and origin.
    pub(super) fn ids(&mut self) -> Vec<(i64, String, Origin)> {
        self.drafts()
            .into_iter()
            .map(|(subscription, draft, origin)| (subscription, draft.remote_id, origin))
            .collect()
    }

    /// Their titles.
    pub(super) fn titles(&mut self) -> Vec<String> {
        self.drafts()
            .into_iter()
            .map(|(_, draft, _)| draft.title)
            .collect()
    }

    /// Names of the channels that were asked for since the last call.
    pub(super) fn subscribed(&mut self) -> Vec<String> {
        self.taken_sent()
            .iter()
            .filter(|frame| frame["event"] == "pusher:subscribe")
            .filter_map(|frame| Some(frame["data"]["channel"].as_str()?.to_owned()))
            .collect()
    }

    /// The failure that ended it.
    pub(super) fn failed(&self) -> &Failure {
        self.failure.as_ref().expect("a failure")
    }
}

pub(super) fn said(channel: &str, event: &str, data: &Value) -> Value {
    json!({"event": event, "channel": channel, "data": data.to_string()})
}
