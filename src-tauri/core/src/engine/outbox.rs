//! Changes owed to servers: sent in order, one at a time for each account, kept through restarts, given
//! up only visibly.

use super::Shared;
use super::connection::task::{route, server};
use crate::backend::{Step, registry};
use crate::model::{Account, HttpRequest, Mirror, Owing, StepChange};
use crate::store::{Owed, StoreError};
use crate::transport::Route;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tidings_api::Event;

/// The first pause after a failure; it doubles with each.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// After so many failures in which the server answered, a change is given up.
const ANSWERED_ATTEMPTS: u32 = 10;

/// Runs until it is dropped.
pub async fn run(shared: Arc<Shared>) {
    loop {
        let sent = round(&shared).await;
        let next = match sent {
            Ok(()) => shared.store.read(|tx| tx.next_owed_at()),
            Err(error) => Err(error),
        };
        let next = next.unwrap_or_else(|error| {
            tracing::warn!(%error, "the outbox could not be read");
            shared.clock.now().checked_add(FIRST_PAUSE).ok()
        });
        let sleep = async {
            match next {
                Some(at) => shared.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = shared.wake_outbox.notified() => {}
        }
    }
}

/// Sends all that is due now.
async fn round(shared: &Shared) -> Result<(), StoreError> {
    for account in shared.store.read(|tx| tx.accounts())? {
        while let Some(owed) = shared
            .store
            .read(|tx| tx.owed(account.id, shared.clock.now()))?
        {
            let id = owed.id;
            let outcome = send(shared, &account, &owed).await;
            let now = shared.clock.now();
            let wait = matches!(outcome, Outcome::Later);
            shared.store.write(|tx| match outcome {
                Outcome::Done => {
                    match owed.what {
                        Owing::Mirror(Mirror::Delete) => {
                            tx.told_deleted(owed.subscription, &owed.replace_key, now)?;
                        }
                        Owing::Step(StepChange::Subscribe) => {
                            tx.told_subscribed(owed.subscription, &owed.replace_key)?;
                        }
                        Owing::Mirror(Mirror::Read) | Owing::Step(_) => {}
                    }
                    tx.owed_done(id)
                }
                Outcome::Later => tx.owed_later(id, pause(now, owed.attempts)),
                Outcome::Never(says) => {
                    tracing::warn!(account = %account.id, %says, "a change could not be told to the server");
                    tx.owed_never(id, &says)
                }
            })?;
            shared.hint(Event::Status);
            if wait {
                break;
            }
        }
    }
    Ok(())
}

enum Outcome {
    Done,
    Later,
    Never(String),
}

fn pause(now: Timestamp, attempts: u32) -> Timestamp {
    let pause = FIRST_PAUSE
        .checked_mul(1_i32.checked_shl(attempts.min(16)).unwrap_or(i32::MAX))
        .unwrap_or(LONGEST_PAUSE)
        .min(LONGEST_PAUSE);
    now.checked_add(pause).unwrap_or(now)
}

async fn send(shared: &Shared, account: &Account, owed: &Owed) -> Outcome {
    let backend = registry::backend(account.kind);
    let server = server(account);
    let request = match owed.what {
        Owing::Mirror(mirror) => backend.mirror(&server, &owed.topic, &owed.replace_key, mirror),
        Owing::Step(change) => backend.tell_step(
            &server,
            &Step {
                change,
                place: &owed.replace_key,
                topic: &owed.topic,
                name: &owed.name,
            },
        ),
    };
    let Some(request) = request else {
        return Outcome::Done;
    };
    let Ok(route) = route(shared, account).await else {
        return Outcome::Later;
    };
    let Owing::Mirror(mirror) = owed.what else {
        return tell(shared, account, owed, &request, &route).await;
    };
    let now = shared.clock.now();
    let (subscription, replace_key) = (owed.subscription, &owed.replace_key);
    shared.echoes.expect(subscription, replace_key, mirror, now);
    let outcome = tell(shared, account, owed, &request, &route).await;
    if !matches!(outcome, Outcome::Done) {
        shared.echoes.heard(subscription, replace_key, mirror);
    }
    outcome
}

async fn tell(
    shared: &Shared,
    account: &Account,
    owed: &Owed,
    request: &HttpRequest,
    route: &Route,
) -> Outcome {
    match shared.dial.fetch(request, route).await {
        Ok(answer) => match answer.status() {
            // Done; or gone there already; or a server that is too old to know of it.
            200..=299 | 404 | 405 | 410 => Outcome::Done,
            // It was subscribed to elsewhere meanwhile.
            409 if owed.what == Owing::Step(StepChange::Subscribe) => Outcome::Done,
            403 => Outcome::Never(format!(
                "{} does not let this account change {}.",
                account.name, owed.topic
            )),
            400 => Outcome::Never(format!("{} cannot change this.", account.name)),
            status if owed.attempts >= ANSWERED_ATTEMPTS => {
                Outcome::Never(format!("{} answered with status {status}.", account.name))
            }
            _ => Outcome::Later,
        },
        Err(_) => Outcome::Later,
    }
}
