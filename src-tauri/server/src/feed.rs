//! What one subscriber gets, in order: open, the older messages, the live ones and keepalives.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Interval;

use crate::clock;
use crate::hub::{Cut, Hub, Subscription};
use crate::message::{Kind, Message, is_message_id, random_id};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::store::{Replay, Since};
use crate::words;

/// Most live messages written at once.
const BATCH: usize = 64;

/// What a subscriber asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) poll: bool,
    since: Since,
    scheduled: bool,
    filter: Filter,
}

/// Which messages pass; open and keepalive always do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    id: String,
    message: String,
    title: String,
    /// Any of these; none means all.
    priorities: Vec<u8>,
    /// All of these.
    tags: Vec<String>,
}

impl Filter {
    fn passes(&self, message: &Message) -> bool {
        let same = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        let priority = if message.priority == 0 {
            3
        } else {
            message.priority
        };
        same(&self.id, &message.id)
            && same(&self.message, &message.message)
            && same(&self.title, &message.title)
            && (self.priorities.is_empty() || self.priorities.contains(&priority))
            && self.tags.iter().all(|tag| message.tags.contains(tag))
    }
}

impl Wish {
    pub(crate) fn from_params(params: &Params, now: Timestamp) -> Result<Self, Refusal> {
        let poll = params.is_yes(&["poll", "po"]);
        let since = params.get(&["since", "si"]);
        let mut priorities = Vec::new();
        for name in words::list(&params.get(&["priority", "prio", "p"])) {
            match words::priority(&name) {
                Some(0) => {}
                Some(priority) => priorities.push(priority),
                None => return Err(Refusal::new(40007, "invalid priority parameter")),
            }
        }
        Ok(Self {
            poll,
            since: parse_since(&since, poll, now)?,
            scheduled: params.is_yes(&["scheduled", "sched"]),
            filter: Filter {
                id: params.get(&["id"]),
                message: params.get(&["message", "m"]),
                title: params.get(&["title", "t"]),
                priorities,
                tags: words::list(&params.get(&["tags", "tag", "ta"])),
            },
        })
    }
}

fn parse_since(text: &str, poll: bool, now: Timestamp) -> Result<Since, Refusal> {
    Ok(match text {
        "" if poll => Since::All,
        "" | "none" => Since::None,
        "all" => Since::All,
        "latest" => Since::Latest,
        _ if is_message_id(text) => Since::Id(text.to_owned()),
        _ => {
            let invalid = || {
                Refusal::new(
                    40008,
                    "invalid since parameter: all, latest, none, a message id, unix seconds, or a duration such as 10m",
                )
            };
            if let Ok(seconds) = text.parse::<i64>() {
                Since::Time(seconds)
            } else if text.contains(['d', 'D', ' ']) {
                return Err(invalid());
            } else {
                let back = words::duration(text).ok_or_else(invalid)?;
                let back = i64::try_from(back.as_secs()).unwrap_or(i64::MAX);
                Since::Time(now.as_second().saturating_sub(back))
            }
        }
    })
}

enum Stage {
    Open,
    Replay,
    Waiting,
    Live,
}

/// What comes next on a connection.
pub(crate) enum Output {
    Messages(Vec<Arc<Message>>),
    /// A poll is complete.
    End,
    /// The server cuts the connection off.
    Cut,
}

/// The messages for one subscriber.
pub(crate) struct Feed {
    hub: Arc<Hub>,
    topics: Arc<[String]>,
    wish: Wish,
    stage: Stage,
    replay: Replay,
    /// `None` for a poll.
    subscription: Option<Subscription>,
    /// `None` where the connection has keepalives of its own.
    keepalive: Option<Interval>,
}

impl Feed {
    /// Subscribes and begins the replay at one moment, so that nothing falls between.
    pub(crate) async fn start(
        hub: &Arc<Hub>,
        topics: Arc<[String]>,
        wish: Wish,
        keepalive: Option<Duration>,
        cut: Cut,
    ) -> Result<Self, Refusal> {
        let since = wish.since.clone();
        let (subscription, replay) = if wish.poll {
            (None, hub.replay(Arc::clone(&topics), since).await?)
        } else {
            let (subscription, replay) = hub.subscribe(Arc::clone(&topics), since, cut).await?;
            (Some(subscription), replay)
        };
        Ok(Self {
            hub: Arc::clone(hub),
            topics,
            stage: if wish.poll {
                Stage::Replay
            } else {
                Stage::Open
            },
            wish,
            replay,
            subscription,
            keepalive: keepalive.map(clock::ticks),
        })
    }

    /// Whether older messages were left out of the replay.
    pub(crate) fn is_truncated(&self) -> bool {
        self.replay.truncated
    }

    /// What comes next. Can be dropped and called again without loss.
    pub(crate) async fn next(&mut self) -> Output {
        loop {
            let messages = match self.stage {
                Stage::Open => {
                    self.stage = Stage::Replay;
                    return Output::Messages(vec![self.own(Kind::Open)]);
                }
                Stage::Replay => match self.hub.page(&self.replay).await {
                    Ok((messages, replay)) => {
                        self.replay = replay;
                        if messages.is_empty() {
                            self.stage = Stage::Waiting;
                        }
                        messages
                    }
                    Err(_) => return Output::Cut,
                },
                Stage::Waiting => {
                    let waiting = if self.wish.scheduled {
                        self.hub.waiting(&self.replay).await
                    } else {
                        Ok(Vec::new())
                    };
                    self.stage = Stage::Live;
                    match waiting {
                        Ok(messages) => messages,
                        Err(_) => return Output::Cut,
                    }
                }
                Stage::Live => match self.live().await {
                    Output::Messages(messages) if messages.is_empty() => continue,
                    output => return output,
                },
            };
            let passing: Vec<_> = messages
                .into_iter()
                .filter(|message| self.wish.filter.passes(message))
                .map(Arc::new)
                .collect();
            if !passing.is_empty() {
                return Output::Messages(passing);
            }
        }
    }

    async fn live(&mut self) -> Output {
        let Some(subscription) = &mut self.subscription else {
            return Output::End;
        };
        let tick = async {
            match &mut self.keepalive {
                Some(keepalive) => drop(keepalive.tick().await),
                None => std::future::pending().await,
            }
        };
        let mut messages = tokio::select! {
            biased;
            messages = subscription.next(BATCH) => messages,
            () = tick => return Output::Messages(vec![self.own(Kind::Keepalive)]),
        };
        if messages.is_empty() {
            return Output::Cut;
        }
        messages.retain(|message| self.wish.filter.passes(message));
        Output::Messages(messages)
    }

    fn own(&self, event: Kind) -> Arc<Message> {
        Arc::new(Message {
            id: random_id(12),
            time: self.hub.now().as_second(),
            event,
            topic: self.topics.join(","),
            ..Message::default()
        })
    }
}
