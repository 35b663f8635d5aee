//! The driver's part of a conversation, and a model of the server, without sockets or time.

use crate::backend::nchan::Nchan;
use crate::backend::nchan::id::MessageId;
use crate::backend::{
    Backend as _, Effect, Failure, Fetched, Input, Missing, Resume, Session, Topic,
};
use crate::model::{Cursor, Draft, HttpRequest, Origin, SubscriptionId, TransportKind};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// The clock of everybody, when a test begins.
pub(super) const NOW: i64 = 1_795_320_000;
pub(super) const TRANSPORTS: [TransportKind; 4] = [
    TransportKind::Websocket,
    TransportKind::Sse,
    TransportKind::LongPoll,
    TransportKind::Poll,
];

/// An HTTP date (RFC 9110, 5.6.7).
pub(super) fn http_date(second: i64) -> String {
    let at = Timestamp::from_second(second).unwrap();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(super) fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What is kept between connections, and what they brought.
#[derive(Default)]
pub(super) struct Inbox {
    pub options: String,
    /// Topics in the order of their subscriptions, which begin with 1.
    pub topics: Vec<String>,
    pub cursors: BTreeMap<i64, String>,
    pub drafts: Vec<(i64, Draft, Origin)>,
}

impl Inbox {
    pub(super) fn of(topics: &[&str]) -> Self {
        Self {
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            ..Self::default()
        }
    }

    pub(super) fn with_options(mut self, options: &str) -> Self {
        self.options = Nchan.check_options(options).unwrap();
        self
    }

    pub(super) fn resume(&self, transport: TransportKind) -> Resume {
        Resume {
            base: Url::parse("https://push.ex.test/sub/alerts").unwrap(),
            transport,
            topics: (1..)
                .zip(&self.topics)
                .map(|(id, topic)| Topic {
                    subscription: SubscriptionId(id),
                    topic: topic.clone(),
                    cursor: self.cursors.get(&id).cloned().map(Cursor),
                })
                .collect(),
            options: self.options.clone(),
            signed_in: false,
            fill: Duration::from_hours(24),
            poll_every: Duration::from_mins(1),
        }
    }

    pub(super) fn bodies(&self) -> Vec<&str> {
        self.drafts
            .iter()
            .map(|(_, draft, _)| draft.body.as_str())
            .collect()
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.drafts
            .iter()
            .map(|(_, draft, _)| draft.remote_id.as_str())
            .collect()
    }

    pub(super) fn origins(&self) -> Vec<Origin> {
        self.drafts.iter().map(|(.., origin)| *origin).collect()
    }
}

/// One connection.
pub(super) struct Script<'a> {
    session: Box<dyn Session>,
    pub inbox: &'a mut Inbox,
    pub now: i64,
    pub transport: TransportKind,
    /// Requests that opened a link.
    pub opened: Vec<HttpRequest>,
    /// Requests under way.
    pub fetches: Vec<(u32, HttpRequest)>,
    /// Waits under way.
    pub waits: Vec<(u32, Duration)>,
    pub filled: Vec<(i64, Option<Missing>)>,
    pub problems: Vec<String>,
    pub silence: Option<Duration>,
    pub unreadable: usize,
    pub lives: usize,
    pub failure: Option<Failure>,
}

impl<'a> Script<'a> {
    pub(super) fn new(inbox: &'a mut Inbox, transport: TransportKind) -> Self {
        let mut script = Self {
            session: Nchan.session(inbox.resume(transport)),
            inbox,
            now: NOW,
            transport,
            opened: Vec::new(),
            fetches: Vec::new(),
            waits: Vec::new(),
            filled: Vec::new(),
            problems: Vec::new(),
            silence: None,
            unreadable: 0,
            lives: 0,
            failure: None,
        };
        let effects = script.session.start(script.at());
        script.note(effects);
        script
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Open(request) => self.opened.push(request),
                Effect::Fetch { tag, request, .. } => self.fetches.push((tag, request)),
                Effect::Wait { tag, time } => self.waits.push((tag, time)),
                Effect::Notify {
                    subscription,
                    draft,
                    origin,
                } => self.inbox.drafts.push((subscription.0, *draft, origin)),
                Effect::Advance {
                    subscription,
                    cursor,
                } => {
                    self.inbox.cursors.insert(subscription.0, cursor.0);
                }
                Effect::Filled {
                    subscription,
                    missing,
                } => self.filled.push((subscription.0, missing)),
                Effect::TopicRefused { says, .. } if !says.is_empty() => self.problems.push(says),
                Effect::TopicRefused { .. } | Effect::KeepAlive => {}
                Effect::Offer(offered) => {
                    for one in &offered {
                        if !self.inbox.topics.contains(&one.topic) {
                            self.inbox.topics.push(one.topic.clone());
                        }
                    }
                    let known: Vec<_> = (1..)
                        .zip(&self.inbox.topics)
                        .map(|(id, topic)| (topic.clone(), Some(SubscriptionId(id))))
                        .collect();
                    self.tell(Input::Offered(&known));
                }
                Effect::Silence(time) => self.silence = Some(time),
                Effect::Unreadable { .. } => self.unreadable += 1,
                Effect::Live => self.lives += 1,
                Effect::Fail(failure) => {
                    let has_words = failure.says.ends_with('.') || failure.says.is_empty();
                    assert!(has_words, "{failure:?}");
                    self.failure.get_or_insert(failure);
                }
                other => panic!("nobody asked for {other:?}"),
            }
        }
    }

    pub(super) fn tell(&mut self, input: Input<'_>) {
        let effects = self.session.receive(input, self.at());
        self.note(effects);
    }

    pub(super) fn is_streamed(&self) -> bool {
        matches!(
            self.transport,
            TransportKind::Websocket | TransportKind::Sse
        )
    }

    /// The link is open, by the server's clock.
    pub(super) fn open(&mut self, date: i64) {
        let mut list = headers(&[("date", &http_date(date))]);
        if self.transport == TransportKind::Websocket {
            list.extend(headers(&[("sec-websocket-protocol", "ws+meta.nchan")]));
        }
        self.tell(Input::Opened { headers: &list });
    }

    /// Takes a request that is under way.
    pub(super) fn take(&mut self, part: &str) -> Option<(u32, HttpRequest)> {
        let at = self
            .fetches
            .iter()
            .position(|(_, request)| request.url.as_str().contains(part))?;
        Some(self.fetches.remove(at))
    }

    /// A message, as the transport carries it.
    pub(super) fn message(&mut self, date: i64, id: &str, text: &str) {
        match self.transport {
            TransportKind::Websocket => {
                let frame = format!("id: {id}\ncontent-type: text/plain\n\n{text}");
                self.tell(Input::Frame(&frame));
            }
            TransportKind::Sse => self.tell(Input::Event {
                name: "message",
                id,
                data: text,
            }),
            _ => {
                let (second, number) = id.split_once(':').unwrap();
                let list = headers(&[
                    ("date", &http_date(date)),
                    ("content-type", "text/plain"),
                    ("last-modified", &http_date(second.parse().unwrap())),
                    ("etag", number),
                ]);
                let (tag, _) = self.take("/sub/").expect("a request is under way");
                self.answer(tag, &list, text);
            }
        }
    }

    pub(super) fn answer(&mut self, tag: u32, headers: &[(String, String)], body: &str) {
        for part in [Fetched::Head(headers), Fetched::Body(body), Fetched::End] {
            if self.failure.is_none() {
                self.tell(Input::Fetched { tag, part });
            }
        }
    }

    pub(super) fn refuse(&mut self, tag: u32, status: u16) {
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

    /// What the channel tells about itself.
    pub(super) fn about(&mut self, messages: u64, last: &str) {
        let (tag, _) = self.take("/pub/").expect("somebody asked");
        let body = format!(
            r#"{{"messages": {messages}, "requested": 0, "subscribers": 1, "last_message_id": "{last}" }}"#
        );
        self.answer(tag, &[], &body);
    }

    /// Lets the shortest wait pass, until the connection is complete.
    pub(super) fn settle(&mut self) {
        for _ in 0..30 {
            if self.lives > 0 {
                return;
            }
            self.wait();
        }
        panic!("it never was complete");
    }

    pub(super) fn wait(&mut self) {
        let (at, _) = self
            .waits
            .iter()
            .enumerate()
            .min_by_key(|(_, (_, time))| *time)
            .expect("something is waited for");
        let (tag, time) = self.waits.remove(at);
        self.now += i64::try_from(time.as_secs()).unwrap();
        self.tell(Input::Waited { tag });
    }

    pub(super) fn failed(&self) -> &Failure {
        self.failure.as_ref().expect("it failed")
    }
}

/// What a request says.
pub(super) fn said<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request
        .headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// A model of the server: channels with their messages (second, number, text).
#[derive(Default)]
pub(super) struct Server {
    pub channels: Vec<Vec<(i64, u32, String)>>,
    pub date: i64,
}

impl Server {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            channels: vec![Vec::new(); channels],
            date: NOW,
        }
    }

    pub(super) fn publish(&mut self, channel: usize, text: &str) {
        let date = self.date;
        let messages = &mut self.channels[channel];
        let number = match messages.last() {
            Some((second, number, _)) if *second == date => number + 1,
            _ => 0,
        };
        messages.push((date, number, text.to_owned()));
    }

    /// What comes after the place that a request names, with the ids of that connection.
    pub(super) fn after(&self, request: &HttpRequest) -> Vec<(String, String)> {
        let id = said(request, "Last-Event-ID").map_or_else(
            || {
                let date = said(request, "If-Modified-Since").expect("a place");
                let second = crate::backend::nchan::headers::seconds(date).unwrap();
                format!("{second}:{}", said(request, "If-None-Match").unwrap())
            },
            str::to_owned,
        );
        let place = MessageId::read(&id).expect("an id");
        let mut marks = place.numbers;
        // A single number is that of the first channel.
        marks.resize(self.channels.len(), None);
        let mut all: Vec<(i64, u32, usize, &str)> = Vec::new();
        for (channel, messages) in self.channels.iter().enumerate() {
            let mark = marks[channel];
            let is_after = |second: i64, number: u32| {
                second > place.second
                    || second == place.second && mark.is_none_or(|mark| number > mark)
            };
            for (second, number, text) in messages {
                if is_after(*second, *number) {
                    all.push((*second, *number, channel, text));
                }
            }
        }
        all.sort_unstable();
        let mut last = place.second;
        all.into_iter()
            .map(|(second, number, channel, text)| {
                if second != last {
                    marks.fill(None);
                    last = second;
                }
                marks[channel] = Some(number);
                (shown(second, &marks, channel), text.to_owned())
            })
            .collect()
    }
}

fn shown(second: i64, marks: &[Option<u32>], channel: usize) -> String {
    if let [Some(number)] = marks {
        return format!("{second}:{number}");
    }
    let marks: Vec<String> = marks
        .iter()
        .enumerate()
        .map(|(at, mark)| match mark {
            None => "-".to_owned(),
            Some(number) if at == channel => format!("[{number}]"),
            Some(number) => number.to_string(),
        })
        .collect();
    format!("{second}:{}", marks.join(","))
}

/// Connects, receives at most so many messages, and hangs up.
pub(super) fn connect(server: &Server, inbox: &mut Inbox, transport: TransportKind, most: usize) {
    let mut script = Script::new(inbox, transport);
    if script.is_streamed() {
        script.open(server.date);
        let request = script.opened.last().unwrap().clone();
        for (id, text) in server.after(&request).into_iter().take(most) {
            script.message(server.date, &id, &text);
        }
    } else {
        for _ in 0..most {
            let (_, request) = script.fetches[0].clone();
            let Some((id, text)) = server.after(&request).into_iter().next() else {
                break;
            };
            script.message(server.date, &id, &text);
        }
    }
    if most == usize::MAX {
        script.settle();
    }
    assert_eq!(script.failure, None);
    assert_eq!(script.unreadable, 0);
}
