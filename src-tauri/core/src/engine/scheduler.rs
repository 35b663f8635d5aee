//! Holds: sleeps until the least due time or a wake, decides again what is due, and makes toasts of what
//! may ring: one digest per batch, never a flood.

use super::Shared;
use crate::model::{Disposition, HoldCause, Tier};
use crate::policy;
use crate::store::{Asked, DeliveryId, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tidings_api::Event;

/// A digest that is still on the screen and not older than this is edited in place.
const EDIT_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// A step of retention, in rows; small, so that nobody waits for it.
const RETENTION_STEP: usize = 200;
/// Between rounds of retention.
const RETENTION_EVERY: Duration = Duration::from_hours(6);
/// The newest of each type are always kept.
const KEEP_PER_TYPE: u32 = 100;
/// Between two rounds that had something to release.
const BREATH: SignedDuration = SignedDuration::from_millis(100);
/// Holds looked at in one go: their texts are in memory meanwhile.
const CHUNK: u32 = 256;
/// Waiting time after a database error.
const RETRY: Duration = Duration::from_secs(5);

/// Runs until it is dropped.
pub async fn run(shared: Arc<Shared>) {
    loop {
        let next = match release_due(&shared) {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "holds could not be looked at");
                shared.clock.sleep(RETRY).await;
                continue;
            }
        };
        let sleep = async {
            match next {
                Some(at) => shared.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = shared.wake_scheduler.notified() => {}
        }
    }
}

/// Releases what is due and says when to look again.
fn release_due(shared: &Shared) -> Result<Option<Timestamp>, StoreError> {
    let now = shared.clock.now();
    let (next, pause) = shared.store.read(|tx| Ok((tx.next_due()?, tx.pause()?)))?;
    let due = next.is_some_and(|at| at <= now);
    let pause_over = pause.is_some_and(|pause| !pause.holds_at(now));
    if !due && !pause_over {
        let ends = pause.and_then(|pause| pause.until);
        return Ok(next.into_iter().chain(ends).min());
    }
    let toasts = shared.store.write(|tx| {
        if pause_over {
            tx.set_pause(None)?;
            tx.release(&HoldCause::Pause.batch_key(), now)?;
        }
        let mut toasts = false;
        for batch in tx.due(now)? {
            // All of it, when the first of it is due: one edit for what came meanwhile, not one for each.
            toasts |= release_batch(shared, tx, &batch, now)?;
        }
        Ok(toasts)
    })?;
    if toasts {
        shared.wake_presenter.notify_one();
    }
    shared.hint(Event::Status);
    // Look again: what was just decided may have an end of its own.
    Ok(now.checked_add(BREATH).ok())
}

/// Decides again, with the preferences of this moment; what may ring becomes one toast.
fn release_batch(
    shared: &Shared,
    tx: &Tx<'_>,
    batch: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let zoned = now.to_zoned(shared.clock.zone());
    let book = shared.rulebook();
    let mut ring = Vec::<DeliveryId>::new();
    let mut tier = Tier::Informational;
    let mut sound = false;
    let mut single = false;
    let missed = tx.held_count(batch)?;
    let mut after = None;
    loop {
        let chunk = tx.held_by(batch, after, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        after = Some(last.delivery);
        for held in chunk {
            let n = &held.notification;
            let asked = Asked {
                looking: shared.is_looked_at(n),
                released: Some(held.cause.clone()),
                missed: Some(missed),
                window: book.window_of(n),
                ..Asked::default()
            };
            let state = tx.policy_state(n, asked)?;
            let verdict = policy::decide(n, &book, &state, &zoned);
            let delivery = tx.decided(n.id, &verdict, now)?;
            if verdict.disposition != Disposition::Present {
                continue;
            }
            let loud = book.sound(n, now).is_some();
            if policy::rings_singly(n, &held.cause, &book, missed, now) {
                tx.new_toast(None, verdict.tier, loud, &[delivery], now)?;
                single = true;
            } else {
                ring.push(delivery);
                tier = tier.max(verdict.tier);
                sound |= loud;
            }
        }
    }
    if ring.is_empty() {
        return Ok(single);
    }
    let since = now.checked_sub(EDIT_WITHIN).unwrap_or(Timestamp::MIN);
    match tx.open_toast(batch, since)? {
        Some(toast) => tx.join_toast(toast, &ring, now)?,
        None => {
            tx.new_toast(Some(batch), tier, sound, &ring, now)?;
        }
    }
    Ok(true)
}

/// Retention: small steps, with a rest between rounds.
pub async fn retain(shared: Arc<Shared>) {
    loop {
        let settings = shared.settings();
        let now = shared.clock.now();
        let removed = shared.store.write(|tx| {
            tx.retain(
                settings.keep_days,
                settings.keep_count,
                KEEP_PER_TYPE,
                now,
                RETENTION_STEP,
            )
        });
        match removed {
            Ok(removed) if removed > 0 => {
                shared.hint(Event::Resync);
                tokio::task::yield_now().await;
            }
            Ok(_) => shared.clock.sleep(RETENTION_EVERY).await,
            Err(error) => {
                tracing::warn!(%error, "retention could not run");
                shared.clock.sleep(RETENTION_EVERY).await;
            }
        }
    }
}
