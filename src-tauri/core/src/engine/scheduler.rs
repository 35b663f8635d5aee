//! Holds: sleeps until the least due time or a wake, decides again what is due, and makes toasts of what
//! may ring: one digest per batch, never a flood.

use super::{Shared, lock};
use crate::model::{Disposition, HoldCause, NotificationId};
use crate::policy::release::{Gathered, Moved, Open, Released, may_join, moved};
use crate::policy::{self, escalation};
use crate::store::{Asked, DeliveryId, Held, StoreError, Tx};
use jiff::{SignedDuration, Timestamp, Zoned};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tidings_api::Event;

/// A step of retention, in rows; small, so that nobody waits for it.
const RETENTION_STEP: usize = 200;
/// Between rounds of retention.
const RETENTION_EVERY: Duration = Duration::from_hours(6);
/// The newest of each type are always kept.
const KEEP_PER_TYPE: u32 = 100;
/// Between so many rounds that had something to release and the next.
const BREATH: SignedDuration = SignedDuration::from_millis(100);
/// What is released may have to wait for something else, which may be over, too; so often at one moment.
const ROUNDS: u32 = 8;
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
pub(super) fn release_due(shared: &Shared) -> Result<Option<Timestamp>, StoreError> {
    for _ in 0..ROUNDS {
        if let Round::Idle(next) = release_round(shared)? {
            return Ok(next);
        }
    }
    Ok(shared.clock.now().checked_add(BREATH).ok())
}

/// What a look at everything that waits has come to.
enum Round {
    /// Something was released; what was just decided may have an end of its own.
    Released,
    /// Nothing was due; look again then.
    Idle(Option<Timestamp>),
}

fn release_round(shared: &Shared) -> Result<Round, StoreError> {
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
        let soonest = [next, again, ends, quiet].into_iter().flatten().min();
        return Ok(Round::Idle(soonest));
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
    Ok(Round::Released)
}

/// The time here. Where the zone is another than it was, or the clock went back, what waits for it is looked at again.
pub(super) fn zone_now(shared: &Shared, now: Timestamp) -> Zoned {
    let zone = shared.clock.zone();
    let before = std::mem::replace(&mut *lock(&shared.looked), (zone.clone(), now));
    if before.0 != zone || now < before.1 {
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

/// Decides again, with the preferences of this moment; what may ring becomes one toast.
fn release_batch(
    shared: &Shared,
    tx: &Tx<'_>,
    batch: &str,
    zoned: &Zoned,
) -> Result<bool, StoreError> {
    let now = zoned.timestamp();
    let book = shared.rulebook();
    let mut gathered = Gathered::default();
    // Of those that were put off until a server is connected, only its own come back.
    let due = batch.starts_with("snooze:").then_some(now);
    let of = tx.held_count(batch, due)?;
    let mut after = None;
    loop {
        let chunk = tx.held_by(batch, after, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        after = Some(last.delivery);
        for held in chunk {
            let asked = Released {
                book: &book,
                of,
                wanted: held.wanted,
                now,
            };
            release_one(shared, tx, &held, asked, zoned, &mut gathered)?;
        }
    }
    show(tx, Some(batch), gathered, now)
}

fn release_one(
    shared: &Shared,
    tx: &Tx<'_>,
    held: &Held,
    asked: Released<'_>,
    zoned: &Zoned,
    gathered: &mut Gathered<DeliveryId>,
) -> Result<(), StoreError> {
    let mut n = Cow::Borrowed(&held.notification);
    if held.gone {
        return tx.drop_held(held.delivery, "it was deleted meanwhile.");
    }
    if matches!(held.cause, HoldCause::Snooze { .. }) {
        if held.due.is_none_or(|due| due > asked.now) {
            // Of another account: its own time has not come.
            return Ok(());
        }
        tx.bring_back(n.id)?;
        n.to_mut().read_at = None;
        shared.hint(Event::Changed { ids: vec![n.id] });
    }
    let n = &*n;
    let question = Asked {
        looking: shared.is_looked_at(n),
        around: *lock(&shared.around),
        released: Some(held.cause.clone()),
        missed: Some(asked.of),
        wanted: held.wanted,
        window: asked.book.window_of(n),
        ..Asked::default()
    };
    let state = tx.policy_state(n, question)?;
    let verdict = policy::decide(n, asked.book, &state, zoned);
    if let Disposition::Hold { until, because } = &verdict.disposition
        && *because == held.cause
    {
        // Nothing is new but the time.
        return tx.hold_on(held.delivery, *until);
    }
    let delivery = tx.decided(n.id, &verdict, asked.now)?;
    if verdict.tier != n.tier {
        tx.set_tier(n.id, verdict.tier)?;
    }
    if verdict.disposition == Disposition::Present {
        make_room(shared, tx, n.id, &|other| other == n.id, asked.now)?;
    }
    gathered.add(delivery, held.twin, n, &held.cause, &verdict, asked);
    Ok(())
}

/// Makes the toasts of what was gathered; what rings together may join a toast of its batch that is on the screen.
/// Whether there is anything to show.
fn show(
    tx: &Tx<'_>,
    batch: Option<&str>,
    gathered: Gathered<DeliveryId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let any = !gathered.singly.is_empty() || gathered.together.is_some();
    for ring in gathered.singly {
        tx.new_toast(None, ring.tier, ring.loud, &ring.members, now)?;
    }
    if let Some(ring) = gathered.together {
        let open = match batch {
            Some(batch) => tx.last_open(batch)?.filter(|toast| {
                let open = Open {
                    tier: toast.tier,
                    loud: toast.sound,
                    shown_at: toast.shown_at,
                };
                may_join(batch, open, &ring, now)
            }),
            None => None,
        };
        match open {
            Some(toast) => tx.join_toast(toast.id, ring.loud, &ring.members, now)?,
            None => {
                tx.new_toast(batch, ring.tier, ring.loud, &ring.members, now)?;
            }
        }
    }
    Ok(any)
}

/// Critical ones that rang and stayed unread ring again: one by itself, several as one.
fn ring_again(shared: &Shared, tx: &Tx<'_>, zoned: &Zoned) -> Result<bool, StoreError> {
    let now = zoned.timestamp();
    let book = shared.rulebook();
    let mut due = tx.due_again(now)?;
    due.retain(|again| again.wanted);
    let asked = Released {
        book: &book,
        of: due.len() as u64,
        wanted: false,
        now,
    };
    let ids: HashSet<NotificationId> = due.iter().map(|again| again.notification.id).collect();
    let mut gathered = Gathered::default();
    for again in &due {
        let n = &again.notification;
        let question = Asked {
            looking: shared.is_looked_at(n),
            around: *lock(&shared.around),
            released: Some(HoldCause::Escalation),
            missed: Some(asked.of),
            window: book.window_of(n),
            ..Asked::default()
        };
        let state = tx.policy_state(n, question)?;
        let verdict = policy::decide(n, &book, &state, zoned);
        let delivery = tx.decided(n.id, &verdict, now)?;
        if verdict.tier != n.tier {
            tx.set_tier(n.id, verdict.tier)?;
        }
        if verdict.disposition == Disposition::Present {
            make_room(shared, tx, n.id, &|other| ids.contains(&other), now)?;
        }
        gathered.add(delivery, None, n, &HoldCause::Escalation, &verdict, asked);
    }
    let batch = HoldCause::Escalation.batch_key();
    show(tx, Some(&batch), gathered, now)
}

/// What rings again takes the place of the toast that told of it before, where that tells of nothing else.
fn make_room(
    shared: &Shared,
    tx: &Tx<'_>,
    id: NotificationId,
    rings_too: &dyn Fn(NotificationId) -> bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(old) = tx.open_toast_of(id)?
        && tx.wanted_of(old)?.into_iter().all(rings_too)
    {
        tx.toast_closed(old, now)?;
        // A command without a resident has no toasts to withdraw.
        let _ = shared.over.send(old);
    }
    Ok(())
}

/// The clock, the zone or the preferences are others than they were: what waits is due when it would be if it began to
/// wait now, at the latest.
pub(super) fn reconsider(shared: &Shared) -> Result<(), StoreError> {
    let now = shared.clock.now().to_zoned(shared.clock.zone());
    let book = shared.rulebook();
    shared.store.write(|tx| {
        for batch in tx.batches()? {
            let mut after = None;
            loop {
                let chunk = tx.held_by(&batch, after, CHUNK)?;
                let Some(last) = chunk.last() else { break };
                after = Some(last.delivery);
                for held in chunk {
                    match moved(&held.notification, &held.cause, &book, &now) {
                        Moved::Stays => {}
                        Moved::AtMost(at) => tx.hold_at_most(held.delivery, at)?,
                        Moved::To(at) => tx.hold_on(held.delivery, Some(at))?,
                    }
                }
            }
        }
        tx.ring_again_at_most(escalation::latest(
            book.document().escalation,
            now.timestamp(),
        ))
    })?;
    shared.wake_scheduler.notify_one();
    Ok(())
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
