//! Toasts: claims what is decided, composes it, shows it, and hears what the user did with it. The
//! notifier may be slow, absent or hang; nothing but toasts waits for it.

use super::{Shared, lock, pictures};
use crate::model::preferences::Sound;
use crate::model::{Notification, Tier};
use crate::policy::compose::{self, Telling};
use crate::policy::escalation;
use crate::ports::{ClosedBy, NotifierError, Toast, ToastEvent, ToastKey};
use crate::store::{Store, StoreError, ToastId, ToastJob, Tx};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidings_api::{Request, Target};
use tokio::sync::Notify;

/// Toasts that waited longer than this are told as one digest.
const STALE: SignedDuration = SignedDuration::from_mins(2);
/// How soon an absent notifier is tried again; it also says when it comes.
const RETRY: Duration = Duration::from_mins(1);
/// Buttons of a toast; daemons show few.
const BUTTONS: usize = 3;

/// Toasts on their way from the ingest to the presenter: while that has nothing to do, a toast is claimed in
/// the transaction that stores what it is about, so that it waits for one commit and not for two.
#[derive(Default)]
pub struct Handover {
    idle: AtomicBool,
    claimed: Mutex<VecDeque<ToastJob>>,
}

impl Handover {
    /// Claims the next toast for a presenter that has nothing to do. Once it is committed it has to be handed over.
    pub fn claim(&self, tx: &Tx<'_>, now: Timestamp) -> Result<Option<ToastJob>, StoreError> {
        if self.idle.load(Ordering::Relaxed) {
            tx.claim_toast(now)
        } else {
            Ok(None)
        }
    }

    /// Hands over what was claimed; the presenter is to be woken.
    pub fn give(&self, job: ToastJob) {
        self.idle.store(false, Ordering::Relaxed);
        lock(&self.claimed).push_back(job);
    }

    fn take(&self) -> Option<ToastJob> {
        lock(&self.claimed).pop_front()
    }

    /// What was claimed and never taken is shown at the next start.
    pub fn give_back(&self, store: &Store) {
        while let Some(job) = self.take() {
            if let Err(error) = store.write(|tx| tx.toast_failed(job.id)) {
                tracing::warn!(%error, "a toast's progress could not be stored");
            }
        }
    }

    async fn wait(&self, woken: &Notify) {
        self.idle.store(true, Ordering::Relaxed);
        woken.notified().await;
        self.idle.store(false, Ordering::Relaxed);
    }
}

/// Shows what is due to be shown. Runs until it is dropped.
pub async fn run(shared: Arc<Shared>) {
    loop {
        let now = shared.clock.now();
        let claimed = match shared.handover.take() {
            Some(job) => Ok(Some(job)),
            None => shared.store.write(|tx| tx.claim_toast(now)),
        };
        match claimed {
            Ok(Some(job)) => {
                if !show(&shared, &job).await {
                    tokio::select! {
                        () = shared.clock.sleep(RETRY) => {}
                        () = shared.wake_presenter.notified() => {}
                    }
                    fold_stale(&shared);
                }
            }
            Ok(None) => shared.handover.wait(&shared.wake_presenter).await,
            Err(error) => {
                tracing::warn!(%error, "toasts could not be claimed");
                shared.clock.sleep(RETRY).await;
            }
        }
    }
}

/// Shows a toast that was claimed; `false` if the notifier is to be given a rest.
pub(super) async fn show(shared: &Shared, job: &ToastJob) -> bool {
    let result = shared.notifier.show(toast(shared, job)).await;
    shown(shared, job.id, job.tier, result)
}

/// Stores how it went; `false` if the notifier is to be given a rest.
fn shown(shared: &Shared, id: ToastId, tier: Tier, result: Result<(), NotifierError>) -> bool {
    let now = shared.clock.now();
    let (stored, go_on) = match result {
        Ok(()) => {
            shared.notice("toasts", None);
            let open = if tier == Tier::Critical {
                shown_critical(shared, id, now)
            } else {
                // A loss of power may take this back. What is claimed is not shown again all the same.
                shared.store.note(|tx| tx.toast_shown(id, now))
            };
            if open == Ok(false) {
                // It was read while it went to the screen.
                let _ = shared.over.send(id);
            }
            (open.map(drop), true)
        }
        Err(NotifierError::Absent) => {
            shared.notice("toasts", Some(words(&NotifierError::Absent)));
            (shared.store.write(|tx| tx.toast_failed(id)), false)
        }
        // It may be on the screen or not. At most once: it is not tried again.
        Err(error) => {
            tracing::warn!(%error, "a toast may not have been shown");
            shared.notice("toasts", Some(words(&error)));
            let go_on = !matches!(error, NotifierError::Timeout);
            (shared.store.write(|tx| tx.toast_closed(id, now)), go_on)
        }
    };
    if let Err(error) = stored {
        tracing::warn!(%error, "a toast's progress could not be stored");
    }
    go_on
}

/// What it tells of rings again if it stays unread: who is told that it was shown, is told that, too.
fn shown_critical(shared: &Shared, id: ToastId, now: Timestamp) -> Result<bool, StoreError> {
    let every = shared.rulebook().document().escalation;
    let next = |times| escalation::next(every, now, times);
    let open = shared.store.write(|tx| {
        let open = tx.toast_shown(id, now)?;
        tx.ring_again(id, now, &next)?;
        Ok(open)
    })?;
    shared.wake_scheduler.notify_one();
    Ok(open)
}

fn words(error: &NotifierError) -> String {
    match error {
        NotifierError::Absent => {
            "Nothing on this desktop shows notifications just now. They are kept in \
                                  the inbox."
                .to_owned()
        }
        NotifierError::Timeout => {
            "The desktop's notification service does not answer. Notifications are \
                                   kept in the inbox."
                .to_owned()
        }
        NotifierError::Refused(why) => format!(
            "The desktop's notification service refused a notification ({why}). It is kept in the inbox."
        ),
    }
}

fn toast(shared: &Shared, job: &ToastJob) -> Toast {
    let names = shared.subscription_names();
    let name = |n: &Notification| names.get(&n.subscription).cloned().unwrap_or_default();
    let (book, around, now) = (shared.rulebook(), *lock(&shared.around), shared.clock.now());
    let groups: Vec<(String, u64)> = job
        .groups
        .iter()
        .map(|(id, count)| (names.get(id).cloned().unwrap_or_default(), *count))
        .collect();
    let composed = compose::compose(&Telling {
        members: &job.members,
        count: job.count,
        groups: &groups,
        batch: job.batch.as_deref(),
        names: &name,
        privacy: &|n| book.privacy_of(n, n.tier, around, now),
    });
    let sound = if job.sound && !job.update {
        loudest(shared, job, &|n| book.sound_of(n, n.tier, now))
    } else {
        None
    };
    let actions = match job.members.as_slice() {
        [only] if job.count == 1 => only
            .draft
            .actions
            .iter()
            .enumerate()
            .filter(|(_, action)| action.kind != crate::model::ActionKind::Unsupported)
            .take(BUTTONS)
            .map(|(index, action)| (format!("act:{index}"), action.label.clone()))
            .collect(),
        _ => Vec::new(),
    };
    let icon = match job.members.as_slice() {
        [only] if job.count == 1 => pictures::for_toast(shared, only),
        _ => None,
    };
    Toast {
        key: ToastKey(job.id.0),
        title: composed.title,
        body: composed.body,
        tier: job.tier,
        sound,
        volume: book.document().sounds.volume.min(100),
        hushed: around.do_not_disturb,
        update: job.update,
        actions,
        icon,
    }
}

/// The sound of the most urgent that has one, of those the newest.
fn loudest(
    shared: &Shared,
    job: &ToastJob,
    sound: &dyn Fn(&Notification) -> Option<Sound>,
) -> Option<Sound> {
    if job.count > job.members.len() as u64 {
        // Not all of them are at hand.
        match shared.store.read(|tx| tx.loudest(job.id, sound)) {
            Ok(found) => return found,
            Err(error) => tracing::warn!(%error, "the sound of a toast is that of its newest"),
        }
    }
    let mut members: Vec<&Notification> = job.members.iter().collect();
    members.sort_by_key(|n| Reverse(n.tier));
    members.into_iter().find_map(sound)
}

/// Folds toasts that could not be shown in time into one digest.
pub fn fold_stale(shared: &Shared) {
    let now = shared.clock.now();
    let before = now.checked_sub(STALE).unwrap_or(Timestamp::MIN);
    let folded = shared.store.write(|tx| {
        let interrupted = tx.interrupted(now, before)?;
        let deliveries: Vec<_> = interrupted
            .iter()
            .filter(|(_, n)| n.read_at.is_none() && n.done_at.is_none())
            .map(|(delivery, _)| *delivery)
            .collect();
        if deliveries.is_empty() {
            return Ok(false);
        }
        let tier = interrupted
            .iter()
            .map(|(_, n)| n.tier)
            .max()
            .unwrap_or(Tier::Important);
        tx.new_toast(Some("away"), tier, false, &deliveries, now)?;
        Ok(true)
    });
    match folded {
        Ok(true) => shared.wake_presenter.notify_one(),
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "late toasts could not be folded"),
    }
}

/// What an earlier run has shown can no longer be edited or withdrawn: nobody knows its place on the screen.
pub fn forget_screen(shared: &Shared) {
    if let Err(error) = shared.store.write(|tx| tx.forget_shown()) {
        tracing::warn!(%error, "toasts of an earlier run could not be forgotten");
    }
}

/// Takes toasts off the screen that are over, one after the other. Runs until it is dropped.
pub async fn withdraw(
    shared: Arc<Shared>,
    mut over: tokio::sync::mpsc::UnboundedReceiver<ToastId>,
) {
    while let Some(id) = over.recv().await {
        shared.notifier.withdraw(ToastKey(id.0)).await;
    }
}

/// Hears what happens to toasts. Runs until it is dropped.
pub async fn listen(shared: Arc<Shared>) {
    loop {
        let heard = match shared.notifier.event().await {
            ToastEvent::Activated { key, action, token } => {
                activated(&shared, ToastId(key.0), &action, token).await
            }
            ToastEvent::Closed { key, by } => closed(&shared, ToastId(key.0), by),
            ToastEvent::Available => {
                let forgotten = shared.store.write(|tx| tx.forget_shown());
                shared.notice("toasts", None);
                shared.wake_presenter.notify_one();
                forgotten
            }
            ToastEvent::Gone => Ok(()),
        };
        if let Err(error) = heard {
            tracing::warn!(%error, "what happened to a toast could not be stored");
        }
    }
}

pub(super) fn closed(shared: &Shared, id: ToastId, _by: ClosedBy) -> Result<(), StoreError> {
    let now = shared.clock.now();
    if shared.store.write(|tx| tx.toast_put_away(id, now))? {
        shared.wake_presenter.notify_one();
    }
    Ok(())
}

async fn activated(
    shared: &Arc<Shared>,
    id: ToastId,
    action: &str,
    token: Option<String>,
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let members = shared.store.write(|tx| {
        let members = tx.members(id)?;
        tx.toast_closed(id, now)?;
        Ok(members)
    })?;
    // Most daemons take it away themselves; the others are asked to.
    let _ = shared.over.send(id);
    let target = match members.as_slice() {
        [only] => Target::Notification { id: *only },
        _ => Target::Toast { toast: id.0 },
    };
    let index = action.strip_prefix("act:").and_then(|n| n.parse().ok());
    if let (Some(action), [only]) = (index, members.as_slice()) {
        let request = Request::Act {
            id: *only,
            action,
            confirmed: false,
        };
        match Box::pin(super::handle::handle(shared, request)).await {
            Ok(tidings_api::Reply::Act(
                tidings_api::ActOutcome::Confirm { .. } | tidings_api::ActOutcome::Copy { .. },
            ))
            | Err(_) => {
                // It needs the user's eyes: the question, the clipboard or the error is in the window.
                shared.desktop.present(target, token);
            }
            Ok(_) => {}
        }
        return Ok(());
    }
    // The window marks it read once it is on the screen.
    shared.desktop.present(target, token);
    Ok(())
}
