//! Holds: sleeps until the least due time or a wake, decides again what is due, and makes toasts of what
//! may ring: one digest per batch, never a flood.

use super::{Shared, lock};
use crate::model::{Disposition, HoldCause, Tier};
use crate::policy::{self, Rulebook};
use crate::store::{Asked, DeliveryId, Held, StoreError, Tx};
use jiff::{SignedDuration, Timestamp, Zoned};
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
/// While there are quiet hours, the zone is looked at so often.
const ZONE_EVERY: SignedDuration = SignedDuration::from_mins(5);
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
    let zoned = zone_now(shared, now);
    let (next, again, pause) = shared
        .store
        .read(|tx| Ok((tx.next_due()?, tx.next_again()?, tx.pause()?)))?;
    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let pause_over = pause.is_some_and(|pause| !pause.holds_at(now));
    if !is_due(next) && !is_due(again) && !pause_over {
        let ends = pause.and_then(|pause| pause.until);
        let quiet = quiet_changes(shared, &zoned);
        return Ok([next, again, ends, quiet].into_iter().flatten().min());
    }
    let toasts = shared.store.write(|tx| {
        if pause_over {
            tx.set_pause(None)?;
            tx.release(&HoldCause::Pause.batch_key(), now)?;
        }
        let mut toasts = false;
        for batch in tx.due(now)? {
            // All of it, when the first of it is due: one edit for what came meanwhile, not one for each.
            toasts |= release_batch(shared, tx, &batch, &zoned)?;
        }
        toasts |= ring_again(shared, tx, &zoned)?;
        Ok(toasts)
    })?;
    if toasts {
        shared.wake_presenter.notify_one();
    }
    shared.hint(Event::Status);
    // Look again: what was just decided may have an end of its own.
    Ok(now.checked_add(BREATH).ok())
}

/// The time here. Where that is another zone than it was, what waits for the clock is decided again.
fn zone_now(shared: &Shared, now: Timestamp) -> Zoned {
    let zone = shared.clock.zone();
    let before = std::mem::replace(&mut *lock(&shared.zone), zone.clone());
    if before != zone {
        shared.reconsider();
    }
    now.to_zoned(zone)
}

/// When quiet hours begin or end, so that whoever shows it is told; while there are any, no later than the zone is
/// to be looked at again.
fn quiet_changes(shared: &Shared, now: &Zoned) -> Option<Timestamp> {
    let book = shared.rulebook();
    let next = match book.quiet_now(now) {
        Some((_, until)) => Some(until),
        None => book.next_quiet(now),
    };
    let quiet = next.is_some();
    let mut told = lock(&shared.quiet_told);
    let is_quiet = book.quiet_now(now).is_some();
    if std::mem::replace(&mut *told, is_quiet) != is_quiet {
        shared.hint(Event::Status);
    }
    let look = now
        .timestamp()
        .checked_add(ZONE_EVERY)
        .ok()
        .filter(|_| quiet);
    next.into_iter().chain(look).min()
}

/// What a released batch rings as.
#[derive(Default)]
struct Rings {
    together: Vec<DeliveryId>,
    tier: Option<Tier>,
    sound: bool,
    singly: bool,
}

impl Rings {
    fn add(&mut self, delivery: DeliveryId, tier: Tier, sound: bool) {
        self.together.push(delivery);
        self.tier = self.tier.max(Some(tier));
        self.sound |= sound;
    }

    /// Makes, or edits, the toast of all that ring together; whether anything is to be shown.
    fn show(self, tx: &Tx<'_>, batch: &str, now: Timestamp) -> Result<bool, StoreError> {
        let Some(tier) = self.tier else {
            return Ok(self.singly);
        };
        let since = now.checked_sub(EDIT_WITHIN).unwrap_or(Timestamp::MIN);
        match tx.open_toast(batch, since)? {
            Some(toast) => tx.join_toast(toast, &self.together, now)?,
            None => {
                tx.new_toast(Some(batch), tier, self.sound, &self.together, now)?;
            }
        }
        Ok(true)
    }
}

/// Decides again, with the preferences of this moment; what may ring becomes one toast.
fn release_batch(
    shared: &Shared,
    tx: &Tx<'_>,
    batch: &str,
    zoned: &Zoned,
) -> Result<bool, StoreError> {
    let now = zoned.timestamp();
    let book = shared.rulebook();
    let mut rings = Rings::default();
    let missed = tx.held_count(batch)?;
    let mut after = None;
    loop {
        let chunk = tx.held_by(batch, after, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        after = Some(last.delivery);
        for held in chunk {
            release_one(shared, tx, &book, &held, missed, zoned, &mut rings)?;
        }
    }
    rings.show(tx, batch, now)
}

fn release_one(
    shared: &Shared,
    tx: &Tx<'_>,
    book: &Rulebook,
    held: &Held,
    missed: u64,
    zoned: &Zoned,
    rings: &mut Rings,
) -> Result<(), StoreError> {
    let now = zoned.timestamp();
    let n = &held.notification;
    if matches!(held.cause, HoldCause::Snooze { .. }) {
        tx.bring_back(n.id)?;
        shared.hint(Event::Changed { ids: vec![n.id] });
    }
    let asked = Asked {
        looking: shared.is_looked_at(n),
        around: *lock(&shared.around),
        released: Some(held.cause.clone()),
        missed: Some(missed),
        wanted: held.wanted,
        window: book.window_of(n),
        ..Asked::default()
    };
    let state = tx.policy_state(n, asked)?;
    let verdict = policy::decide(n, book, &state, zoned);
    if let Disposition::Hold { until, because } = &verdict.disposition
        && *because == held.cause
    {
        // Nothing is new but the time.
        return tx.hold_on(held.delivery, *until);
    }
    let delivery = tx.decided(n.id, &verdict, now)?;
    if verdict.disposition != Disposition::Present {
        return Ok(());
    }
    let loud = book.sound(n, now).is_some();
    if policy::rings_singly(n, &held.cause, book, missed, now) {
        tx.new_toast(None, verdict.tier, loud, &[delivery], now)?;
        rings.singly = true;
    } else {
        rings.add(delivery, verdict.tier, loud);
    }
    Ok(())
}

/// Critical ones that rang and stayed unread ring again: one by itself, several as one.
fn ring_again(shared: &Shared, tx: &Tx<'_>, zoned: &Zoned) -> Result<bool, StoreError> {
    let now = zoned.timestamp();
    let book = shared.rulebook();
    let due: Vec<_> = tx
        .due_again(now)?
        .into_iter()
        .filter(|again| again.wanted)
        .collect();
    let mut rings = Rings::default();
    for again in &due {
        let n = &again.notification;
        let asked = Asked {
            looking: shared.is_looked_at(n),
            around: *lock(&shared.around),
            released: Some(HoldCause::Escalation),
            window: book.window_of(n),
            ..Asked::default()
        };
        let state = tx.policy_state(n, asked)?;
        let verdict = policy::decide(n, &book, &state, zoned);
        let delivery = tx.decided(n.id, &verdict, now)?;
        if verdict.disposition == Disposition::Present {
            if let Some(old) = tx.open_toast_of(n.id)? {
                tx.toast_closed(old, now)?;
                // A command without a resident has no toasts to withdraw.
                let _ = shared.over.send(old);
            }
            rings.add(delivery, verdict.tier, book.sound(n, now).is_some());
        }
    }
    match rings.together.as_slice() {
        [] => Ok(false),
        [only] => {
            tx.new_toast(None, Tier::Critical, rings.sound, &[*only], now)?;
            Ok(true)
        }
        all => {
            let batch = HoldCause::Escalation.batch_key();
            tx.new_toast(Some(&batch), Tier::Critical, rings.sound, all, now)?;
            Ok(true)
        }
    }
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
