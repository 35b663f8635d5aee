//! Takes messages in, keeps them, and hands them to those who listen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};

use crate::clock::{self, Clock};
use crate::limits::{Limits, Visitors};
use crate::message::{Kind, Message, random_id};
use crate::publish::{Publish, check_sequence, check_topic, expiry};
use crate::refusal::Refusal;
use crate::store::{Replay, Since, Store};

/// Longest time between two looks at what is due: a wall clock may be set at any time.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// Least time between two looks, so that a store that fails is not asked without end.
const LEAST_REST: Duration = Duration::from_millis(20);

/// Rung to cut a connection off at once.
pub(crate) type Cut = Arc<Notify>;

#[derive(Debug)]
struct Subscriber {
    topics: Arc<[String]>,
    queue: mpsc::Sender<Arc<Message>>,
    cut: Cut,
}

#[derive(Debug)]
struct State {
    /// `None` once the server has stopped.
    store: Option<Store>,
    subscribers: HashMap<u64, Subscriber>,
    next_subscriber: u64,
}

impl State {
    fn store(&mut self) -> Result<&mut Store, Refusal> {
        let stopping = || Refusal::new(50301, "the server is stopping, try again later");
        self.store.as_mut().ok_or_else(stopping)
    }

    fn send(&mut self, message: &Arc<Message>) {
        self.subscribers.retain(|_, subscriber| {
            if !subscriber.topics.contains(&message.topic) {
                return true;
            }
            let kept = subscriber.queue.try_send(Arc::clone(message)).is_ok();
            if !kept {
                // Too slow: it comes back and resumes, and nobody waits for it.
                subscriber.cut.notify_one();
            }
            kept
        });
    }
}

/// The heart of the server.
pub(crate) struct Hub {
    state: Mutex<State>,
    clock: Clock,
    keep: Duration,
    limits: Limits,
    /// Something was scheduled.
    wake: Notify,
}

impl Hub {
    pub(crate) fn new(store: Store, clock: Clock, keep: Duration, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                store: Some(store),
                subscribers: HashMap::new(),
                next_subscriber: 0,
            }),
            clock,
            keep,
            limits,
            wake: Notify::new(),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let hub = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&hub))
            .await
            .unwrap_or_else(|error| Err(Refusal::internal(&error)))
    }

    /// Publishes, or schedules.
    pub(crate) async fn publish(
        self: &Arc<Self>,
        publish: Publish,
    ) -> Result<Arc<Message>, Refusal> {
        self.blocking(move |hub| {
            let delivered = publish.deliver_at.is_none();
            let message = publish.into_message(hub.now(), hub.keep, hub.limits.message_size)?;
            hub.accept(message, delivered)
        })
        .await
    }

    /// Tells that the notification with this sequence id was read or is to be deleted.
    pub(crate) async fn tell(
        self: &Arc<Self>,
        event: Kind,
        topic: String,
        sequence_id: String,
    ) -> Result<Arc<Message>, Refusal> {
        self.blocking(move |hub| {
            check_topic(&topic)?;
            check_sequence(&sequence_id)?;
            let time = hub.now().as_second();
            let message = Message {
                id: random_id(12),
                sequence_id,
                time,
                expires: if hub.keep.is_zero() {
                    0
                } else {
                    expiry(time, hub.keep)
                },
                event,
                topic,
                ..Message::default()
            };
            hub.accept(message, true)
        })
        .await
    }

    /// Keeps what a user has.
    pub(crate) async fn keep_account(
        self: &Arc<Self>,
        user: String,
        json: String,
    ) -> Result<(), Refusal> {
        self.blocking(move |hub| Ok(hub.state().store()?.keep_account(&user, &json)?))
            .await
    }

    /// Tells those who listen to an account's own topic that it changed. As on ntfy, nobody is told later.
    pub(crate) fn tell_changed(&self, topic: &str) {
        let message = Message {
            id: random_id(12),
            time: self.now().as_second(),
            event: Kind::Message,
            topic: topic.to_owned(),
            message: "{\"event\":\"sync\"}".to_owned(),
            ..Message::default()
        };
        self.state().send(&Arc::new(message));
    }

    fn accept(&self, message: Message, delivered: bool) -> Result<Arc<Message>, Refusal> {
        let message = Arc::new(message);
        let mut state = self.state();
        state.store()?.accept(&message, delivered)?;
        if delivered {
            state.send(&message);
        } else {
            self.wake.notify_one();
        }
        Ok(message)
    }

    /// Listens to topics and begins the replay of older messages, at one moment: what is accepted
    /// before it is in the replay, what comes after it is live.
    pub(crate) async fn subscribe(
        self: &Arc<Self>,
        topics: Arc<[String]>,
        since: Since,
        cut: Cut,
    ) -> Result<(Subscription, Replay), Refusal> {
        let (queue, messages) = mpsc::channel(self.limits.queue.max(1));
        let hub = Arc::clone(self);
        self.blocking(move |this| {
            let mut state = this.state();
            let replay = state.store()?.replay(
                &topics,
                &since,
                this.now().as_second(),
                this.limits.replay_bytes,
            )?;
            let number = state.next_subscriber;
            state.next_subscriber += 1;
            state
                .subscribers
                .insert(number, Subscriber { topics, queue, cut });
            Ok((
                Subscription {
                    hub,
                    number,
                    messages,
                },
                replay,
            ))
        })
        .await
    }

    /// Begins a replay without listening.
    pub(crate) async fn replay(
        self: &Arc<Self>,
        topics: Arc<[String]>,
        since: Since,
    ) -> Result<Replay, Refusal> {
        self.blocking(move |hub| {
            let now = hub.now().as_second();
            Ok(hub
                .state()
                .store()?
                .replay(&topics, &since, now, hub.limits.replay_bytes)?)
        })
        .await
    }

    /// The next messages of a replay and the replay after them; none at its end.
    pub(crate) async fn page(
        self: &Arc<Self>,
        replay: &Replay,
    ) -> Result<(Vec<Message>, Replay), Refusal> {
        let mut replay = replay.clone();
        self.blocking(move |hub| {
            let messages = hub
                .state()
                .store()?
                .page(&mut replay, hub.now().as_second())?;
            Ok((messages, replay))
        })
        .await
    }

    /// What is scheduled for the topics of a replay.
    pub(crate) async fn waiting(
        self: &Arc<Self>,
        replay: &Replay,
    ) -> Result<Vec<Message>, Refusal> {
        let replay = replay.clone();
        self.blocking(move |hub| Ok(hub.state().store()?.waiting(&replay)?))
            .await
    }

    /// How many messages are kept.
    pub(crate) async fn count(self: &Arc<Self>) -> Result<u64, Refusal> {
        self.blocking(|hub| Ok(hub.state().store()?.count()?)).await
    }

    /// Delivers what is due and forgets what has expired.
    pub(crate) async fn tick(self: &Arc<Self>) -> Result<(), Refusal> {
        self.blocking(|hub| {
            let now = hub.now().as_second();
            let mut state = hub.state();
            state.store()?.forget_expired(now)?;
            for message in state.store()?.take_due(now)? {
                state.send(&Arc::new(message));
            }
            Ok(())
        })
        .await
    }

    /// Ticks whenever something is due, for ever.
    pub(crate) async fn run(self: Arc<Self>, visitors: Arc<Visitors>) {
        loop {
            if let Err(error) = self.tick().await {
                tracing::error!(%error, "scheduled messages could not be delivered");
            }
            visitors.forget_idle(self.now());
            let due = self
                .blocking(|hub| Ok(hub.state().store()?.next_due()?))
                .await;
            let rest = due
                .ok()
                .flatten()
                .and_then(|due| Timestamp::from_second(due).ok())
                .map_or(LONGEST_REST, |due| {
                    Duration::try_from(due.duration_since(self.now())).unwrap_or_default()
                });
            tokio::select! {
                () = clock::pause(rest.clamp(LEAST_REST, LONGEST_REST)) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Cuts all live subscriptions off.
    pub(crate) fn cut_all(&self) {
        for (_, subscriber) in self.state().subscribers.drain() {
            subscriber.cut.notify_one();
        }
    }

    /// Closes the store, after whatever uses it now: another server may open the file.
    pub(crate) async fn close(self: &Arc<Self>) {
        let closed = self.blocking(|hub| {
            drop(hub.state().store.take());
            Ok(())
        });
        if let Err(error) = closed.await {
            tracing::error!(%error, "the messages could not be closed");
        }
    }

    /// How many listen now.
    pub(crate) fn listeners(&self) -> usize {
        self.state().subscribers.len()
    }
}

/// A place among those who listen, for as long as it lives.
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    number: u64,
    messages: mpsc::Receiver<Arc<Message>>,
}

impl Subscription {
    /// The next messages, at most `most`; none if the subscription was cut. Can be dropped and
    /// called again without loss.
    pub(crate) async fn next(&mut self, most: usize) -> Vec<Arc<Message>> {
        let mut messages = Vec::new();
        self.messages.recv_many(&mut messages, most).await;
        messages
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.state().subscribers.remove(&self.number);
    }
}
