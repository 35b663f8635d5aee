//! One attempt: opens what the session asks for, hands it every byte, carries out its effects. It ends
//! only by failing; dropping it hangs up.

use super::failure::failure;
use super::fetch::{Part, fetch_parts};
use super::of_account::{OfAccount, Offer};
use crate::backend::{Effect, Failure, FailureKind, Fetched, Input, Read, Session, Topic};
use crate::engine::ingest::{self, Item};
use crate::engine::lock;
use crate::model::{AccountId, HttpRequest, Origin, SubscriptionId, TransportKind};
use crate::ports::{Clock, Later};
use crate::transport::{Dial, Frame, Link, Route, TransportError};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// Parts of fetched answers waiting for the session; a full queue holds the server back.
const FETCHED_PARTS: usize = 256;

/// What an attempt needs.
pub struct Attempt {
    /// Whose connection.
    pub account: AccountId,
    /// What carries it.
    pub transport: TransportKind,
    /// How requests are signed in.
    pub route: Route,
    /// The codec's side.
    pub session: Box<dyn Session>,
    /// Makes the sockets.
    pub dial: Arc<dyn Dial>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where what was received goes.
    pub ingest: mpsc::Sender<Item>,
    /// What there is to say of itself.
    pub said: mpsc::Sender<Said>,
    /// Other topics from now on.
    pub topics: mpsc::Receiver<Vec<Topic>>,
    /// Which subscriptions it has.
    pub carries: Carries,
    /// Subscriptions that another connection has until this one is live: nothing of them is missed, nothing
    /// is late, and where they are is the other's to say.
    pub beside: BTreeSet<SubscriptionId>,
    /// Stores subscriptions that the server offers; an error is in words for the user.
    pub offer: Offer,
    /// The server promised a sign of life now and then.
    pub promised: bool,
}

/// What an attempt says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The connection is complete.
    Live,
    /// Other topics take another connection.
    Beside,
}

/// The subscriptions of a connection.
pub type Carries = Arc<Mutex<BTreeSet<SubscriptionId>>>;

/// Whether the attempt goes on.
type Goes = Result<(), Failure>;

struct Running {
    attempt: Attempt,
    link: Option<Box<dyn Link>>,
    fetches: FuturesUnordered<Later<'static, ()>>,
    waits: FuturesUnordered<Later<'static, u32>>,
    parts: mpsc::Sender<(u32, Part)>,
    todo: VecDeque<Effect>,
    /// How long the server wishes to be left alone before the next attempt.
    wish: Option<Duration>,
    /// Subscriptions that it had and that the user left.
    left: BTreeSet<SubscriptionId>,
}

/// Runs the attempt to its end, which is always a failure: even a server that hangs up politely has
/// left us without a connection.
pub async fn run(attempt: Attempt) -> Failure {
    let (parts, mut fetched) = mpsc::channel(FETCHED_PARTS);
    let mut running = Running {
        attempt,
        link: None,
        fetches: FuturesUnordered::new(),
        waits: FuturesUnordered::new(),
        parts,
        todo: VecDeque::new(),
        wish: None,
        left: BTreeSet::new(),
    };
    let now = running.attempt.clock.now();
    let first = running.attempt.session.start(now);
    running.todo.extend(first);
    loop {
        if let Err(failure) = running.carry_out().await {
            return failure;
        }
        let result = tokio::select! {
            frame = next_frame(&mut running.link) => running.frame(frame),
            Some((tag, part)) = fetched.recv() => running.part(tag, &part),
            Some(()) = running.fetches.next(), if !running.fetches.is_empty() => Ok(()),
            Some(tag) = running.waits.next(), if !running.waits.is_empty() => {
                running.tell(Input::Waited { tag });
                Ok(())
            }
            Some(topics) = running.attempt.topics.recv() => {
                running.topics(&topics);
                Ok(())
            }
        };
        if let Err(failure) = result {
            return failure;
        }
    }
}

async fn next_frame(link: &mut Option<Box<dyn Link>>) -> Result<Frame, TransportError> {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

impl Running {
    fn tell(&mut self, input: Input<'_>) {
        let now = self.attempt.clock.now();
        let effects = self.attempt.session.receive(input, now);
        self.todo.extend(effects);
    }

    /// What the user left is not stored any more from here on, whatever the server still sends.
    fn topics(&mut self, topics: &[Topic]) {
        let wanted: BTreeSet<_> = topics.iter().map(|topic| topic.subscription).collect();
        let mut carries = lock(&self.attempt.carries);
        self.left.extend(carries.difference(&wanted));
        self.left.retain(|left| !wanted.contains(left));
        let now = self.attempt.clock.now();
        if let Some(effects) = self.attempt.session.topics(topics, now) {
            *carries = wanted;
            self.todo.extend(effects);
        } else {
            carries.retain(|carried| wanted.contains(carried));
            // Whoever does not listen has hung up.
            let _ = self.attempt.said.try_send(Said::Beside);
        }
    }

    /// What is to be stored of an item.
    fn wanted(&self, mut item: Item) -> Option<Item> {
        let subscription = match &item {
            Item::Notify { subscription, .. }
            | Item::Read { subscription, .. }
            | Item::Remove { subscription, .. }
            | Item::Advance { subscription, .. }
            | Item::Filled { subscription, .. }
            | Item::TopicRefused { subscription, .. } => *subscription,
            Item::Only { .. } | Item::Lost { .. } | Item::Flush(_) => return Some(item),
        };
        if self.left.contains(&subscription) {
            return None;
        }
        if self.attempt.beside.contains(&subscription) {
            match &mut item {
                Item::Advance { .. } => return None,
                Item::Notify { origin, .. } if *origin == Origin::Backfill => {
                    *origin = Origin::Live;
                }
                Item::Filled { missing, .. } => *missing = None,
                _ => {}
            }
        }
        Some(item)
    }

    fn frame(&mut self, frame: Result<Frame, TransportError>) -> Goes {
        match frame {
            Ok(Frame::Text(text)) => self.tell(Input::Frame(&text)),
            Ok(Frame::Event {
                name,
                id,
                data,
                retry,
            }) => {
                self.wish = retry.or(self.wish);
                self.tell(Input::Event {
                    name: &name,
                    id: &id,
                    data: &data,
                });
            }
            Ok(Frame::Fields { id, retry }) => {
                self.wish = retry.or(self.wish);
                self.tell(Input::Position { id: &id });
            }
            Ok(Frame::Comment(text)) => self.tell(Input::Comment(&text)),
            Ok(Frame::Alive) => self.tell(Input::Alive),
            Ok(Frame::TooLong) => {
                tracing::warn!(account = %self.attempt.account, "a frame above the limit was skipped");
            }
            Err(TransportError::Closed { code, reason }) => {
                self.link = None;
                self.tell(Input::Closed {
                    code,
                    reason: &reason,
                });
                let goes_on = |effect: &Effect| {
                    matches!(
                        effect,
                        Effect::Open(_) | Effect::Fetch { .. } | Effect::Fail(_)
                    )
                };
                if !self.todo.iter().any(goes_on) {
                    let error = TransportError::Closed { code, reason };
                    let failure = failure(&error, self.attempt.transport);
                    self.todo.push_back(Effect::Fail(failure));
                }
            }
            // Where nobody promised a sign of life, silence is no failure: it is looked at anew.
            Err(TransportError::Silent) if !self.attempt.promised => {
                return Err(Failure {
                    kind: FailureKind::Again,
                    says: String::new(),
                    retry_after: None,
                });
            }
            Err(error) => {
                return Err(Failure {
                    retry_after: self.wish,
                    ..failure(&error, self.attempt.transport)
                });
            }
        }
        Ok(())
    }

    fn part(&mut self, tag: u32, part: &Part) -> Goes {
        let part = match part {
            Part::Head(headers) => Fetched::Head(headers),
            Part::Line(line) => Fetched::Line(line),
            Part::Body(body) => Fetched::Body(body),
            Part::TooLong => Fetched::TooLong,
            Part::End => Fetched::End,
            Part::Refused {
                status,
                headers,
                retry_after,
                body,
            } => Fetched::Refused {
                status: *status,
                headers,
                retry_after: *retry_after,
                body,
            },
            Part::Broken(TransportError::Silent) if !self.attempt.promised => {
                return Err(Failure {
                    kind: FailureKind::Again,
                    says: String::new(),
                    retry_after: None,
                });
            }
            // What a fetch misses would be a hole in the history: the whole attempt is made again.
            Part::Broken(error) => return Err(failure(error, self.attempt.transport)),
        };
        self.tell(Input::Fetched { tag, part });
        Ok(())
    }

    async fn carry_out(&mut self) -> Goes {
        while let Some(effect) = self.todo.pop_front() {
            let account = self.attempt.account;
            let item = match effect {
                Effect::Open(request) => {
                    self.open(&request).await?;
                    continue;
                }
                Effect::Fetch { tag, request, read } => {
                    self.fetch(tag, request, read);
                    continue;
                }
                Effect::Offer(offered) => {
                    self.offer(OfAccount::Offered(offered))?;
                    continue;
                }
                Effect::InStep { place, listed } => {
                    self.offer(OfAccount::InStep { place, listed })?;
                    continue;
                }
                Effect::Quota(quota) => {
                    // Nothing depends on it.
                    let _ = (self.attempt.offer)(OfAccount::Quota(quota));
                    continue;
                }
                Effect::Silence(time) => {
                    self.attempt.promised = true;
                    if let Some(link) = &mut self.link {
                        link.silence(time);
                    }
                    continue;
                }
                Effect::SendSignIn(template) => {
                    self.send(self.attempt.route.filled_in(&template)).await?;
                    continue;
                }
                Effect::Send(text) => {
                    self.send(text).await?;
                    continue;
                }
                Effect::Wait { tag, time } => {
                    let sleep = self.attempt.clock.sleep(time);
                    self.waits.push(Box::pin(async move {
                        sleep.await;
                        tag
                    }));
                    continue;
                }
                Effect::Live => {
                    // Complete means stored.
                    ingest::flush(self.attempt.ingest.clone()).await;
                    self.attempt.beside.clear();
                    // Live twice is live; nobody waits for the second.
                    let _ = self.attempt.said.try_send(Said::Live);
                    continue;
                }
                Effect::KeepAlive => {
                    continue;
                }
                Effect::Unreadable { frame } => {
                    tracing::warn!(%account, %frame, "a frame could not be read and was skipped");
                    continue;
                }
                Effect::Fail(failure) => {
                    return Err(Failure {
                        retry_after: failure.retry_after.or(self.wish),
                        ..failure
                    });
                }
                Effect::Notify {
                    subscription,
                    draft,
                    origin,
                } => Item::Notify {
                    account,
                    subscription,
                    draft,
                    origin,
                },
                Effect::Read {
                    subscription,
                    replace_key,
                    version,
                } => Item::Read {
                    subscription,
                    replace_key,
                    version,
                },
                Effect::Remove {
                    subscription,
                    replace_key,
                    version,
                } => Item::Remove {
                    subscription,
                    replace_key,
                    version,
                },
                Effect::Advance {
                    subscription,
                    cursor,
                } => Item::Advance {
                    subscription,
                    cursor,
                },
                Effect::Filled {
                    subscription,
                    missing,
                } => Item::Filled {
                    subscription,
                    missing,
                },
                Effect::Only {
                    subscriptions,
                    from,
                    to,
                    remote_ids,
                } => Item::Only {
                    subscriptions,
                    from,
                    to,
                    remote_ids,
                },
                Effect::TopicRefused { subscription, says } => {
                    Item::TopicRefused { subscription, says }
                }
            };
            let Some(item) = self.wanted(item) else {
                continue;
            };
            if self.attempt.ingest.send(item).await.is_err() {
                // The engine is stopping; there is nobody left to receive for.
                return Err(Failure {
                    kind: FailureKind::Transient,
                    says: String::new(),
                    retry_after: None,
                });
            }
        }
        Ok(())
    }

    async fn open(&mut self, request: &HttpRequest) -> Goes {
        self.link = None;
        let dial = Arc::clone(&self.attempt.dial);
        let route = self.attempt.route.clone();
        let transport = self.attempt.transport;
        match dial.open(transport, request, &route).await {
            Ok(link) => {
                let headers = link.headers().to_vec();
                self.link = Some(link);
                self.tell(Input::Opened { headers: &headers });
                Ok(())
            }
            Err(TransportError::Refused {
                status,
                headers,
                retry_after,
                body,
            }) => {
                self.tell(Input::Refused {
                    status,
                    headers: &headers,
                    retry_after,
                    body: &body,
                });
                Ok(())
            }
            // It was given its time; the session knows what that means.
            Err(TransportError::Timeout) if request.patience.is_some() => {
                self.tell(Input::Refused {
                    status: 408,
                    headers: &[],
                    retry_after: None,
                    body: "",
                });
                Ok(())
            }
            Err(error) => Err(failure(&error, transport)),
        }
    }

    async fn send(&mut self, text: String) -> Goes {
        match &mut self.link {
            Some(link) => link
                .send(text)
                .await
                .map_err(|error| failure(&error, self.attempt.transport)),
            None => Ok(()),
        }
    }

    /// Adds what is new to the account's subscriptions, at once: what the session says next may belong
    /// to them.
    fn offer(&mut self, said: OfAccount) -> Goes {
        match (self.attempt.offer)(said) {
            Ok(known) => {
                self.tell(Input::Offered(&known));
                Ok(())
            }
            Err(says) => Err(Failure {
                kind: FailureKind::Transient,
                says,
                retry_after: None,
            }),
        }
    }

    fn fetch(&mut self, tag: u32, request: HttpRequest, read: Read) {
        let dial = Arc::clone(&self.attempt.dial);
        let route = self.attempt.route.clone();
        let clock = Arc::clone(&self.attempt.clock);
        let parts = self.parts.clone();
        self.fetches.push(Box::pin(async move {
            // A closed channel means that the attempt is over.
            let _ = fetch_parts(&*dial, &*clock, &request, &route, (tag, read), &parts).await;
        }));
    }
}
