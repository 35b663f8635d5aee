//! One account's task: follows the machine, runs its attempts, tells the rest of the engine.

use super::attempt::{self, Attempt, Said};
use super::state::{Command, Event, Moment, Phase, State, step};
use crate::backend::{Backend, Failure, FailureKind, Resume, Server, Topic, registry};
use crate::engine::ingest::{self, Item};
use crate::engine::{Shared, lock, storage};
use crate::model::{Account, AccountId, Credential, SignIn, Subscription, TransportKind};
use crate::ports::Later;
use crate::transport::Route;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use url::Url;

/// A new subscription is filled this far back.
const FILL: Duration = Duration::from_hours(24);

/// What an account's task is told from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The account or its subscriptions changed: read them again and begin anew.
    Changed,
    /// Something happened to the machine or the user's patience.
    Event(Event),
}

/// Runs until it is dropped.
pub async fn run(shared: Arc<Shared>, account: AccountId, mut told: mpsc::Receiver<Told>) {
    let mut state = State::new(shared.clock.now());
    let mut attempt: Option<Later<'static, Failure>> = None;
    let mut due: Option<Later<'static, ()>> = None;
    let (live, mut lives) = mpsc::channel(1);
    let mut todo = vec![configuration(&shared, account)];
    loop {
        for event in todo.drain(..) {
            let was_live = matches!(state.phase, Phase::Live { .. });
            let commands;
            (state, commands) = step(state, event, moment(&shared));
            if was_live != matches!(state.phase, Phase::Live { .. }) {
                record(&shared, account, was_live).await;
            }
            for command in commands {
                match command {
                    Command::HangUp => {
                        attempt = None;
                        due = None;
                        // What a hung-up attempt still had to say is void.
                        while lives.try_recv().is_ok() {}
                    }
                    Command::Connect(transport) => {
                        let shared = Arc::clone(&shared);
                        let live = live.clone();
                        attempt = Some(Box::pin(connect(shared, account, transport, live)));
                    }
                    Command::WakeAt(at) => {
                        let time = at.saturating_sub(shared.clock.awake());
                        due = Some(shared.clock.sleep(time));
                    }
                }
            }
        }
        shared.connection_changed(account, &state);
        let event = tokio::select! {
            biased;
            word = told.recv() => match word {
                Some(Told::Changed) => configuration(&shared, account),
                Some(Told::Event(event)) => event,
                None => return,
            },
            Some(()) = lives.recv() => Event::Live,
            failure = wait_for(&mut attempt) => {
                attempt = None;
                Event::Failed(failure)
            }
            () = wait_for(&mut due) => {
                due = None;
                Event::Due
            }
        };
        todo.push(event);
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
    live: mpsc::Sender<()>,
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
        live,
        offer: offer(Arc::clone(&shared), account.id),
        promised: backend.capabilities().keepalive.is_some(),
    })
    .await
}

fn offer(shared: Arc<Shared>, account: AccountId) -> attempt::Offer {
    Box::new(move |said| {
        let now = shared.clock.now();
        let mut owes = false;
        let known = shared.store.write(|tx| match &said {
            Said::Offered(offered) => offered
                .iter()
                .map(|one| {
                    let icon = one.icon.as_deref().unwrap_or_default();
                    let id = tx.offered(account, &one.topic, &one.name, icon, now)?;
                    Ok((one.topic.clone(), id))
                })
                .collect(),
            Said::InStep { place, listed } => {
                owes = tx.keep_in_step(account, place, listed, now)?;
                let all = tx.subscriptions(account)?.into_iter();
                Ok(all.map(|one| (one.topic, Some(one.id))).collect())
            }
            Said::Quota(_) => Ok(Vec::new()),
        });
        let known = known.map_err(|error| storage(&error).message)?;
        if owes {
            shared.wake_outbox.notify_one();
        }
        if let Said::Quota(quota) = said {
            lock(&shared.quotas).insert(account, *quota);
            shared.hint(tidings_api::Event::Status);
        }
        shared.hint(tidings_api::Event::Accounts);
        Ok(known)
    })
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
