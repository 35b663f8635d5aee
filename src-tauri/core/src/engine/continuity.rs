//! Continuity: when a connection was last known alive, so that an absence is shown as the gap it was, also
//! after a process that ended without a word.

use super::{Shared, lock};
use crate::model::AccountId;
use std::sync::Arc;
use std::time::Duration;
use tidings_api::ConnectionState;

/// A gap after a crash is wrong by this much at most.
const EVERY: Duration = Duration::from_mins(5);

/// Opens a gap for everything that was alive when the last process ended.
pub fn begin(shared: &Shared) {
    let begun = shared.store.write(|tx| {
        for subscription in tx.all_subscriptions()? {
            if let Some(at) = tx.last_alive(subscription.id)? {
                tx.link_lost(subscription.id, at)?;
            }
        }
        Ok(())
    });
    if let Err(error) = begun {
        tracing::warn!(%error, "the last absence could not be noted");
    }
}

/// Notes now and then what is alive. Runs until it is dropped.
pub async fn run(shared: Arc<Shared>) {
    loop {
        shared.clock.sleep(EVERY).await;
        note(&shared);
    }
}

/// Notes what is alive now.
pub fn note(shared: &Shared) {
    let live: Vec<AccountId> = lock(&shared.connections)
        .values()
        .filter(|connection| connection.state == ConnectionState::Live)
        .map(|connection| connection.account)
        .collect();
    if live.is_empty() {
        return;
    }
    let now = shared.clock.now();
    let noted = shared.store.write(|tx| {
        for account in live {
            let ids: Vec<_> = tx.subscriptions(account)?.iter().map(|s| s.id).collect();
            tx.alive(&ids, now)?;
        }
        Ok(())
    });
    if let Err(error) = noted {
        tracing::warn!(%error, "what is alive could not be noted");
    }
}
