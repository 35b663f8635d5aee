//! The way in. One task takes what connections received, in order, and stores it: row, verdict and
//! cursor in one transaction for all that one read brought. Only then is anybody told.

use super::upkeep::Since;
use super::{Shared, lock, storage};
use crate::backend::Missing;
use crate::model::{
    AccountId, Class, Cursor, Disposition, Draft, Fate, HoldCause, Mirror, Notification,
    NotificationId, Origin, SubscriptionId,
};
use crate::policy;
use crate::store::{Asked, StoreError, ToastJob, Tx};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tidings_api::Event;
use tokio::sync::{mpsc, oneshot};

/// Received items waiting to be stored; a full queue holds the servers back, nothing is dropped.
pub const QUEUE: usize = 1024;
/// Items of one transaction, at most.
const BATCH: usize = 256;
/// More ids than this are told as one "read again".
const HINTED_IDS: usize = 100;
/// How soon a full disk is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// What a connection received, or what became of it.
#[derive(Debug)]
pub enum Item {
    /// See [`crate::backend::Effect::Notify`].
    Notify {
        /// Whose.
        account: AccountId,
        /// Where it belongs.
        subscription: SubscriptionId,
        /// What was read.
        draft: Box<Draft>,
        /// How it came.
        origin: Origin,
    },
    /// See [`crate::backend::Effect::Read`].
    Read {
        /// Where it belongs.
        subscription: SubscriptionId,
        /// Which one.
        replace_key: String,
        /// Versions up to this one are read.
        version: i64,
    },
    /// See [`crate::backend::Effect::Remove`].
    Remove {
        /// Where it belongs.
        subscription: SubscriptionId,
        /// Which one.
        replace_key: String,
        /// Versions up to this one are gone.
        version: i64,
    },
    /// See [`crate::backend::Effect::Advance`].
    Advance {
        /// Of which subscription.
        subscription: SubscriptionId,
        /// The new position.
        cursor: Cursor,
    },
    /// See [`crate::backend::Effect::Filled`].
    Filled {
        /// Of which subscription.
        subscription: SubscriptionId,
        /// Why it is not all of it.
        missing: Option<Missing>,
    },
    /// See [`crate::backend::Effect::Only`].
    Only {
        /// Of which subscriptions.
        subscriptions: Vec<SubscriptionId>,
        /// The least version looked at.
        from: i64,
        /// The greatest version looked at.
        to: i64,
        /// Remote ids that are there.
        remote_ids: Vec<String>,
    },
    /// See [`crate::backend::Effect::TopicRefused`].
    TopicRefused {
        /// Which one.
        subscription: SubscriptionId,
        /// Why, for the user; empty: it is fine again.
        says: String,
    },
    /// A live connection was lost.
    Lost {
        /// Whose.
        account: AccountId,
        /// When.
        at: Timestamp,
    },
    /// Answer when everything before this is stored.
    Flush(oneshot::Sender<()>),
}

/// What a committed batch changed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    arrived: Vec<NotificationId>,
    changed: Vec<NotificationId>,
    /// Their toasts may be over.
    settled: Vec<NotificationId>,
    /// Own changes that came back.
    echoes: Vec<(SubscriptionId, String, Mirror)>,
    toasts: bool,
    /// For a presenter that has nothing else to do.
    claimed: Option<ToastJob>,
    held: bool,
    subscriptions: bool,
}

/// Notifications fetched since a subscription's connection came back.
pub(super) type Filling = HashMap<SubscriptionId, u64>;

/// Waits until everything that was handed over before is stored. An engine that stops answers at once.
pub async fn flush(queue: mpsc::Sender<Item>) {
    let (done, flushed) = oneshot::channel();
    if queue.send(Item::Flush(done)).await.is_ok() {
        // An ingest that ended has dropped the sender, and stores nothing more.
        let _ = flushed.await;
    }
}

/// Runs until the queue is closed and empty.
pub async fn run(shared: Arc<Shared>, mut queue: mpsc::Receiver<Item>) {
    let mut filling = Filling::new();
    let mut since = Since::default();
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        store(&shared, &mut batch, &mut filling).await;
        if since.stored(batch.len()) {
            shared.wake_upkeep.notify_one();
        }
        for item in batch.drain(..) {
            if let Item::Flush(done) = item {
                // Whoever asked may have been hung up meanwhile.
                let _ = done.send(());
            }
        }
    }
}

/// Stores a batch, however long that takes: nothing behind it can overtake it, and no cursor passes it.
async fn store(shared: &Shared, batch: &mut Vec<Item>, filling: &mut Filling) {
    // A keepalive moves nothing but a cursor. Where that is lost, more is fetched again, and known.
    let light = batch
        .iter()
        .all(|item| matches!(item, Item::Advance { .. } | Item::Flush(_)));
    loop {
        let mut counted = filling.clone();
        let work = |tx: &Tx<'_>| apply_all(shared, tx, batch, &mut counted);
        let stored = if light {
            shared.store.note(work)
        } else {
            shared.store.write(work)
        };
        let error = match stored {
            Ok(outcome) => {
                *filling = counted;
                shared.notice("storage", None);
                tell(shared, outcome);
                return;
            }
            Err(error) => error,
        };
        if error.is_transient() {
            tracing::warn!(%error, "what was received waits to be stored");
            shared.notice("storage", Some(storage(&error).message));
            shared.clock.sleep(RETRY).await;
        } else if batch.len() > 1 {
            // One of them cannot be stored. Alone, it costs only itself.
            let mut rest = batch.split_off(0);
            for item in rest.drain(..) {
                let mut alone = vec![item];
                Box::pin(store(shared, &mut alone, filling)).await;
                batch.append(&mut alone);
            }
            return;
        } else {
            tracing::error!(%error, "an item could not be stored and was skipped");
            shared.notice("unstorable", Some(storage(&error).message));
            return;
        }
    }
}

pub(super) fn apply_all(
    shared: &Shared,
    tx: &Tx<'_>,
    batch: &[Item],
    filling: &mut Filling,
) -> Result<Outcome, StoreError> {
    let now = shared.clock.now();
    let mut outcome = Outcome::default();
    for item in batch {
        apply(shared, tx, item, now, filling, &mut outcome)?;
    }
    if outcome.toasts {
        outcome.claimed = shared.handover.claim(tx, now)?;
    }
    Ok(outcome)
}

fn apply(
    shared: &Shared,
    tx: &Tx<'_>,
    item: &Item,
    now: Timestamp,
    filling: &mut Filling,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    match item {
        Item::Notify {
            account,
            subscription,
            draft,
            origin,
        } => match tx.insert(
            *account,
            *subscription,
            draft.as_ref().clone(),
            *origin,
            now,
        )? {
            Fate::New(notification) => {
                if *origin != Origin::Live {
                    *filling.entry(*subscription).or_default() += 1;
                }
                outcome.arrived.push(notification.id);
                if *origin != Origin::FirstFilling && !notification.draft.kind.is_empty() {
                    tx.ask_about_new_kind(
                        notification.id,
                        *subscription,
                        &notification.draft.kind,
                    )?;
                }
                decide(shared, tx, &notification, now, outcome)?;
            }
            Fate::Updated(id) => {
                outcome.changed.push(id);
                outcome.toasts |= !tx.touch_toasts_of(&[id])?.is_empty();
            }
            Fate::Known(_) => {}
        },
        Item::Read {
            subscription,
            replace_key,
            version,
        } => {
            let elsewhere = Elsewhere {
                subscription: *subscription,
                replace_key,
                version: *version,
                mirror: Mirror::Read,
            };
            changed_elsewhere(shared, tx, &elsewhere, now, outcome)?;
        }
        Item::Remove {
            subscription,
            replace_key,
            version,
        } => {
            let elsewhere = Elsewhere {
                subscription: *subscription,
                replace_key,
                version: *version,
                mirror: Mirror::Delete,
            };
            changed_elsewhere(shared, tx, &elsewhere, now, outcome)?;
        }
        Item::Advance {
            subscription,
            cursor,
        } => tx.advance(*subscription, cursor)?,
        Item::Filled {
            subscription,
            missing,
        } => {
            let filled = filling.remove(subscription).unwrap_or_default();
            let missing = missing.map(|missing| missing.word()).unwrap_or_default();
            tx.link_filled(*subscription, now, filled, missing)?;
            // The absence is over: what it brought rings as one.
            tx.release(&HoldCause::Away.batch_key(), now)?;
            outcome.held = true;
            outcome.subscriptions = true;
        }
        Item::Only {
            subscriptions,
            from,
            to,
            remote_ids,
        } => {
            let there: HashSet<&str> = remote_ids.iter().map(String::as_str).collect();
            for subscription in subscriptions {
                for (replace_key, remote_id, version) in
                    tx.versions_between(*subscription, *from, *to)?
                {
                    if !there.contains(remote_id.as_str()) {
                        let gone = Elsewhere {
                            subscription: *subscription,
                            replace_key: &replace_key,
                            version,
                            mirror: Mirror::Delete,
                        };
                        changed_elsewhere(shared, tx, &gone, now, outcome)?;
                    }
                }
            }
        }
        Item::TopicRefused { subscription, says } => {
            tx.topic_problem(*subscription, says)?;
            outcome.subscriptions = true;
        }
        Item::Lost { account, at } => {
            for subscription in tx.subscriptions(*account)? {
                tx.link_lost(subscription.id, *at)?;
            }
        }
        Item::Flush(_) => {}
    }
    Ok(())
}

/// A change that a server told of.
struct Elsewhere<'a> {
    subscription: SubscriptionId,
    replace_key: &'a str,
    version: i64,
    mirror: Mirror,
}

fn changed_elsewhere(
    shared: &Shared,
    tx: &Tx<'_>,
    change: &Elsewhere<'_>,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let &Elsewhere {
        subscription,
        replace_key,
        version,
        mirror,
    } = change;
    if shared.echoes.is_own(subscription, replace_key, mirror, now) {
        outcome
            .echoes
            .push((subscription, replace_key.to_owned(), mirror));
        return tx.own_echo(subscription, replace_key, mirror, version, now);
    }
    let ids = match mirror {
        Mirror::Read => tx.read_elsewhere(subscription, replace_key, version, now)?,
        Mirror::Delete => tx.removed_elsewhere(subscription, replace_key, version, now)?,
    };
    outcome.settled.extend(&ids);
    outcome.changed.extend(ids);
    Ok(())
}

/// Decides about a notification inside the transaction that stores it: stored ⇔ decided.
fn decide(
    shared: &Shared,
    tx: &Tx<'_>,
    notification: &Notification,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let book = shared.rulebook();
    let fingerprint = policy::fingerprint(&notification.draft);
    let window = book.window_of(notification);
    let asked = Asked {
        looking: shared.is_looked_at(notification),
        around: *lock(&shared.around),
        fingerprint,
        twins_since: book.twins_since(now),
        window: window.clone(),
        ..Asked::default()
    };
    let state = tx.policy_state(notification, asked)?;
    let zoned = now.to_zoned(shared.clock.zone());
    let verdict = policy::decide(notification, &book, &state, &zoned);
    if verdict.tier != notification.tier {
        tx.set_tier(notification.id, verdict.tier)?;
    }
    let delivery = tx.decided(notification.id, &verdict, now)?;
    let joins = match &verdict.disposition {
        Disposition::Fold { into } => tx.open_toast_of(*into)?,
        Disposition::Join => tx.open_toast(&window, Timestamp::MIN)?,
        _ => {
            tx.keep_fingerprint(notification.id, fingerprint)?;
            None
        }
    };
    if let Some(toast) = joins {
        let loud = book.sound_of(notification, verdict.tier, now).is_some();
        tx.join_toast(toast, loud, &[delivery], now)?;
        outcome.toasts = true;
    } else if let Disposition::Fold { into } = verdict.disposition
        && notification.draft.class == Class::Persistent
    {
        outcome.held |= tx.hold_with(delivery, into)?;
    }
    match verdict.disposition {
        Disposition::Present => {
            let sound = book.sound_of(notification, verdict.tier, now).is_some();
            let batch = verdict.opens_window.then_some(window.as_str());
            tx.new_toast(batch, verdict.tier, sound, &[delivery], now)?;
            outcome.toasts = true;
        }
        Disposition::Hold { until, because } => {
            if let HoldCause::SubscriptionLimit { subscription } = because {
                tx.storm(subscription, now)?;
            }
            if matches!(because, HoldCause::Window { .. }) {
                // All of the batch waits for the last of it.
                tx.hold_until(&window, until)?;
            }
            outcome.held = true;
        }
        Disposition::InboxOnly | Disposition::Fold { .. } | Disposition::Join => {}
    }
    Ok(())
}

pub(super) fn tell(shared: &Shared, outcome: Outcome) {
    // The first of all: somebody may be waiting for it.
    if let Some(job) = outcome.claimed {
        shared.handover.give(job);
    }
    if outcome.toasts {
        shared.wake_presenter.notify_one();
    }
    for (subscription, replace_key, mirror) in &outcome.echoes {
        shared.echoes.heard(*subscription, replace_key, *mirror);
    }
    if outcome.held {
        shared.wake_scheduler.notify_one();
    }
    if !outcome.settled.is_empty() {
        shared.settle(&outcome.settled);
    }
    if outcome.arrived.len() + outcome.changed.len() > HINTED_IDS {
        shared.hint(Event::Resync);
    } else {
        if !outcome.arrived.is_empty() {
            shared.hint(Event::Arrived {
                ids: outcome.arrived.clone(),
            });
        }
        if !outcome.changed.is_empty() {
            shared.hint(Event::Changed {
                ids: outcome.changed.clone(),
            });
        }
    }
    if outcome.subscriptions {
        shared.hint(Event::Accounts);
    }
    if !(outcome.arrived.is_empty() && outcome.changed.is_empty()) {
        shared.hint(Event::Status);
    }
}
