//! Subscriptions: added, changed, removed, here and in their user's account on the server.

use super::accounts::{get, one, topics_changed};
use super::invalid;
use crate::backend::registry;
use crate::engine::connection::task;
use crate::engine::{Shared, storage};
use crate::model::{Account, AccountId, NewSubscription, SubscriptionId};
use std::sync::Arc;
use tidings_api::{ErrorView, Event, Reply, SubscriptionEdit};

/// Whether what is changed here is changed on the server too.
fn is_in_step(account: &Account) -> bool {
    registry::backend(account.kind).in_step(&task::server(account), &account.sign_in)
}

pub fn subscribe(
    shared: &Arc<Shared>,
    account: AccountId,
    topic: &str,
) -> Result<Reply, ErrorView> {
    let found = get(shared, account)?;
    let topic = topic.trim();
    registry::backend(found.kind)
        .check_topic(topic)
        .map_err(invalid)?;
    let new = NewSubscription {
        topic: topic.to_owned(),
        name: String::new(),
    };
    store_new(shared, account, &[new])?;
    topics_changed(shared, account);
    one(shared, account)
}

/// Stores further subscriptions; the connection is not told yet.
pub(super) fn store_new(
    shared: &Shared,
    account: AccountId,
    all: &[NewSubscription],
) -> Result<(), ErrorView> {
    let now = shared.clock.now();
    let stored = shared.store.write(|tx| {
        all.iter().try_for_each(|new| {
            let id = tx.add_subscription(account, new, now)?;
            // Whether its user's account on the server lacks it is seen when it is looked at.
            tx.forgive_step(id)
        })
    });
    stored.map_err(|error| storage(&error))
}

pub fn edit_subscription(
    shared: &Shared,
    id: SubscriptionId,
    edit: SubscriptionEdit,
) -> Result<Reply, ErrorView> {
    let now = shared.clock.now();
    let account = shared
        .store
        .write(|tx| {
            let mut subscription = tx.subscription(id)?;
            let named = edit.name.is_some();
            if let Some(name) = edit.name {
                name.trim().clone_into(&mut subscription.name);
            }
            tx.save_subscription(&subscription)?;
            if named && is_in_step(&tx.account(subscription.account)?) {
                tx.renamed_in_step(&subscription, now)?;
            }
            Ok(subscription.account)
        })
        .map_err(|error| storage(&error))?;
    shared.edit_cell(account, Some(id), edit.muted, edit.min_tier)?;
    shared.wake_outbox.notify_one();
    shared.hint(Event::Accounts);
    shared.hint(Event::Status);
    one(shared, account)
}

pub fn unsubscribe(
    shared: &Arc<Shared>,
    id: SubscriptionId,
    forget: bool,
) -> Result<Reply, ErrorView> {
    let now = shared.clock.now();
    let account = shared
        .store
        .write(|tx| {
            let subscription = tx.subscription(id)?;
            if is_in_step(&tx.account(subscription.account)?) {
                tx.left_in_step(id, forget, now)?;
            } else {
                tx.remove_subscription(id, forget)?;
            }
            Ok(subscription.account)
        })
        .map_err(|error| storage(&error))?;
    shared.wake_outbox.notify_one();
    topics_changed(shared, account);
    if forget {
        shared.hint(Event::Resync);
    }
    one(shared, account)
}
