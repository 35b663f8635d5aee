//! One account's task: follows the machine, runs its attempts, tells the rest of the engine.

use super::attempt::{self, Attempt, Carries, Said};
use super::of_account::offer;
use super::state::{Command, Event, Moment, Phase, State, step};
use crate::backend::{Backend, Failure, FailureKind, Resume, Server, Topic, registry};
use crate::engine::ingest::{self, Item};
use crate::engine::{Shared, lock, storage};
use crate::model::{
    Account, AccountId, Credential, SignIn, Subscription, SubscriptionId, TransportKind,
};
use crate::ports::Later;
use crate::store::StoreError;
use crate::transport::Route;
use crate::transport::backoff::Backoff;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use url::Url;

/// A new subscription is filled this far back.
const FILL: Duration = Duration::from_hours(24);
/// So often another connection is tried beside a live one.
const TRIES: u32 = 3;
/// Words between a task and its attempts.
const WORDS: usize = 4;

/// What an account's task is told from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The account changed: read it again and begin anew.
    Changed,
    /// Its subscriptions changed: those that stay go on.
    Topics,
    /// Something happened to the machine or the user's patience.
    Event(Event),
}

/// An attempt under way, or a connection.
struct Line {
    running: Later<'static, Failure>,
    said: mpsc::Receiver<Said>,
    topics: mpsc::Sender<Vec<Topic>>,
    carries: Carries,
}

impl Line {
    fn start(
        shared: &Arc<Shared>,
        account: AccountId,
        transport: TransportKind,
        beside: BTreeSet<SubscriptionId>,
    ) -> Self {
        let (say, said) = mpsc::channel(WORDS);
        let (topics, wanted) = mpsc::channel(WORDS);
        let carries = Carries::default();
        let ends = Ends {
            said: say,
            topics: wanted,
            carries: Arc::clone(&carries),
            beside,
        };
        let shared = Arc::clone(shared);
        Self {
            running: Box::pin(connect(shared, account, transport, ends)),
            said,
            topics,
            carries,
        }
    }
}

/// An attempt's ends of what connects it with its task.
struct Ends {
    said: mpsc::Sender<Said>,
    topics: mpsc::Receiver<Vec<Topic>>,
    carries: Carries,
    beside: BTreeSet<SubscriptionId>,
}

/// What an account's task holds open.
struct Task {
    shared: Arc<Shared>,
    account: AccountId,
    state: State,
    /// The connection, or the attempt to get one.
    now: Option<Line>,
    /// What takes its place once it is live: it is for other topics.
    next: Option<Line>,
    /// The next attempt at that.
    again: Option<Later<'static, ()>>,
    /// Attempts at that which came to nothing.
    tries: u32,
    backoff: Backoff,
    due: Option<Later<'static, ()>>,
}

/// Runs until it is dropped.
pub async fn run(shared: Arc<Shared>, account: AccountId, mut told: mpsc::Receiver<Told>) {
    let mut task = Task {
        state: State::new(shared.clock.now()),
        now: None,
        next: None,
        again: None,
        tries: 0,
        backoff: Backoff::new(shared.times()),
        due: None,
        shared,
        account,
    };
    let mut event = Some(configuration(&task.shared, account));
    loop {
        if let Some(event) = event.take() {
            task.follow(event).await;
        }
        task.shared.connection_changed(account, &task.state);
        event = tokio::select! {
            biased;
            word = told.recv() => match word {
                Some(Told::Changed) => Some(configuration(&task.shared, account)),
                Some(Told::Topics) => task.topics(),
                Some(Told::Event(event)) => Some(event),
                None => return,
            },
            news = hear(&mut task.now) => match news {
                News::Said(Said::Live) => Some(Event::Live),
                News::Said(Said::Beside) => {
                    task.open_beside();
                    None
                }
                News::Ended(failure) => {
                    task.now = None;
                    Some(Event::Failed(failure))
                }
            },
            news = hear(&mut task.next) => match news {
                News::Said(Said::Live) => {
                    // The one it replaces is hung up only now: nothing fell between the two.
                    task.now = task.next.take();
                    task.backoff = Backoff::new(task.shared.times());
                    None
                }
                News::Said(Said::Beside) => None,
                News::Ended(failure) => {
                    task.next = None;
                    task.not_beside(failure).await
                }
            },
            () = wait_for(&mut task.again) => {
                task.again = None;
                task.open_beside();
                None
            }
            () = wait_for(&mut task.due) => {
                task.due = None;
                Some(Event::Due)
            }
        };
    }
}

impl Task {
    async fn follow(&mut self, event: Event) {
        let was_live = self.is_live();
        let (state, commands) = step(self.state.clone(), event, moment(&self.shared));
        self.state = state;
        if was_live != self.is_live() {
            record(&self.shared, self.account, was_live).await;
        }
        for command in commands {
            match command {
                Command::HangUp => {
                    self.now = None;
                    self.next = None;
                    self.again = None;
                    self.due = None;
                }
                Command::Connect(transport) => {
                    let beside = BTreeSet::new();
                    let line = Line::start(&self.shared, self.account, transport, beside);
                    self.now = Some(line);
                }
                Command::WakeAt(at) => {
                    let time = at.saturating_sub(self.shared.clock.awake());
                    self.due = Some(self.shared.clock.sleep(time));
                }
            }
        }
    }

    fn is_live(&self) -> bool {
        matches!(self.state.phase, Phase::Live { .. })
    }

    /// Other topics: in place where the connection can do that. What is not live begins anew with them.
    fn topics(&mut self) -> Option<Event> {
        let (Some(line), true) = (&self.now, self.is_live()) else {
            return Some(configuration(&self.shared, self.account));
        };
        let told = match topics(&self.shared, self.account) {
            Ok(Some(topics)) => line.topics.try_send(topics).is_ok(),
            Ok(None) | Err(_) => false,
        };
        if !told {
            return Some(configuration(&self.shared, self.account));
        }
        // Those it was opened for are no longer the ones.
        self.next = None;
        self.again = None;
        self.tries = 0;
        None
    }

    /// Opens a connection for other topics beside the one that is live.
    fn open_beside(&mut self) {
        let (Some(line), Some(transport), true) =
            (&self.now, self.state.transport(), self.is_live())
        else {
            return;
        };
        let beside = lock(&line.carries).clone();
        let next = Line::start(&self.shared, self.account, transport, beside);
        self.next = Some(next);
    }

    /// It could not be opened. The live one goes on, and nothing but what is new waits.
    async fn not_beside(&mut self, failure: Failure) -> Option<Event> {
        if matches!(
            failure.kind,
            FailureKind::Again | FailureKind::Blocked | FailureKind::Transient
        ) {
            self.tries += 1;
            if self.tries >= TRIES {
                // There may be no room for two: then it is one after the other, as after any loss.
                return Some(configuration(&self.shared, self.account));
            }
            let at = moment(&self.shared);
            let wait = self.backoff.next(at.awake, at.chance, failure.retry_after);
            self.again = Some(self.shared.clock.sleep(wait));
            return None;
        }
        let carried = match &self.now {
            Some(line) => lock(&line.carries).clone(),
            None => BTreeSet::new(),
        };
        let wanted = match topics(&self.shared, self.account) {
            Ok(wanted) => wanted.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let mut new = wanted
            .into_iter()
            .map(|topic| topic.subscription)
            .filter(|subscription| !carried.contains(subscription))
            .peekable();
        if new.peek().is_none() {
            return Some(Event::Failed(failure));
        }
        for subscription in new {
            let says = failure.says.clone();
            let item = Item::TopicRefused { subscription, says };
            // Only a stopping engine has nobody to receive it.
            let _ = self.shared.ingest.send(item).await;
        }
        None
    }
}

/// What is new of a line.
enum News {
    Said(Said),
    Ended(Failure),
}

async fn hear(line: &mut Option<Line>) -> News {
    match line {
        Some(line) => tokio::select! {
            biased;
            Some(said) = line.said.recv() => News::Said(said),
            failure = &mut line.running => News::Ended(failure),
        },
        None => std::future::pending().await,
    }
}

async fn wait_for<T>(future: &mut Option<Later<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

fn moment(shared: &Shared) -> Moment {
    Moment {
        awake: shared.clock.awake(),
        now: shared.clock.now(),
        chance: shared.clock.chance(),
    }
}

/// Notes when a connection was lost, so that the gap can be told.
async fn record(shared: &Shared, account: AccountId, lost: bool) {
    if lost {
        let at = shared.clock.now();
        // Only a stopping engine has nobody to receive it.
        let _ = shared.ingest.send(Item::Lost { account, at }).await;
    }
}

fn configuration(shared: &Shared, account: AccountId) -> Event {
    let read = shared
        .store
        .read(|tx| Ok((tx.account(account)?, tx.subscriptions(account)?)));
    let transports = match read {
        Ok((account, subscriptions))
            if !account.disabled && (offers(&account) || !subscriptions.is_empty()) =>
        {
            transports(&account)
        }
        Ok(_) => Vec::new(),
        Err(error) => {
            tracing::error!(%account, %error, "an account could not be read");
            Vec::new()
        }
    };
    Event::Configured {
        transports,
        times: shared.times(),
    }
}

/// The topics of a live account; none where it has nothing to connect any more.
fn topics(shared: &Shared, account: AccountId) -> Result<Option<Vec<Topic>>, StoreError> {
    shared.store.read(|tx| {
        let (account, subscriptions) = (tx.account(account)?, tx.subscriptions(account)?);
        let wanted = !account.disabled && (offers(&account) || !subscriptions.is_empty());
        Ok(wanted.then(|| subscriptions.into_iter().map(topic).collect()))
    })
}

fn transports(account: &Account) -> Vec<TransportKind> {
    match account.transport {
        Some(fixed) => vec![fixed],
        None => registry::backend(account.kind).transports(&server(account)),
    }
}

/// Its server says which subscriptions there are.
fn offers(account: &Account) -> bool {
    registry::backend(account.kind).offers(&server(account), &account.sign_in)
}

async fn connect(
    shared: Arc<Shared>,
    account: AccountId,
    transport: TransportKind,
    ends: Ends,
) -> Failure {
    // What the last connection received is stored before the cursors are read.
    ingest::flush(shared.ingest.clone()).await;
    let read = shared
        .store
        .read(|tx| Ok((tx.account(account)?, tx.subscriptions(account)?)));
    let (account, subscriptions) = match read {
        Ok(both) => both,
        Err(error) => {
            return Failure {
                kind: FailureKind::Transient,
                says: storage(&error).message,
                retry_after: None,
            };
        }
    };
    let route = match route(&shared, &account).await {
        Ok(route) => route,
        Err(failure) => return failure,
    };
    lock(&ends.carries).extend(subscriptions.iter().map(|subscription| subscription.id));
    let backend = registry::backend(account.kind);
    let session = backend.session(Resume {
        base: account.url.clone(),
        transport,
        topics: subscriptions.into_iter().map(topic).collect(),
        options: account.options.clone(),
        signed_in: account.sign_in != SignIn::None,
        fill: FILL,
        poll_every: shared.times().poll_every,
    });
    attempt::run(Attempt {
        account: account.id,
        transport,
        route,
        session,
        dial: Arc::clone(&shared.dial),
        clock: Arc::clone(&shared.clock),
        ingest: shared.ingest.clone(),
        said: ends.said,
        topics: ends.topics,
        offer: offer(Arc::clone(&shared), account.id, Arc::clone(&ends.carries)),
        carries: ends.carries,
        beside: ends.beside,
        promised: backend.capabilities().keepalive.is_some(),
    })
    .await
}

fn topic(subscription: Subscription) -> Topic {
    Topic {
        subscription: subscription.id,
        topic: subscription.topic,
        cursor: subscription.cursor,
    }
}

/// Where an account lives.
pub(in crate::engine) fn server(account: &Account) -> Server {
    Server {
        base: account.url.clone(),
        options: account.options.clone(),
    }
}

/// The addresses that may have an account's credential.
pub(in crate::engine) fn own_addresses(backend: &dyn Backend, server: &Server) -> Vec<Url> {
    let mut own = backend.own_addresses(server);
    own.push(server.base.clone());
    own
}

/// How an account's requests are signed in.
pub(in crate::engine) async fn route(shared: &Shared, account: &Account) -> Result<Route, Failure> {
    Ok(route_with(
        shared,
        account,
        shared.credential(account).await?,
    ))
}

/// The same with a given credential.
pub(in crate::engine) fn route_with(
    shared: &Shared,
    account: &Account,
    credential: Credential,
) -> Route {
    let backend = registry::backend(account.kind);
    let keepalive = backend.capabilities().keepalive;
    let server = server(account);
    let times = shared.times();
    Route {
        sign_in: backend.sent_as(&server, &account.sign_in),
        credential,
        allow_http: account.allow_http,
        own: own_addresses(backend, &server),
        way: account.way.clone(),
        silence: keepalive.map_or(times.silence_unknown, |keepalive| {
            keepalive + times.keepalive_margin
        }),
    }
}
