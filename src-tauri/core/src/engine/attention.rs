//! What keeps toasts back just now, and what the user may want to decide, as clients see it; and what happens when
//! things change around the screen.

use super::view::Names;
use super::{Shared, lock, scheduler};
use crate::model::{AccountId, Back, Context, HoldCause, Pause, Surroundings};
use crate::policy::Rulebook;
use crate::store::{StoreError, Tx, Waiting};
use jiff::{Timestamp, Zoned};
use std::sync::Arc;
use tidings_api::{CardView, Event, HeldView, QuietNext, QuietView};

/// Types asked about at a time: a new subscription may bring many.
const ASKED: usize = 3;

/// What keeps toasts back, and what is to be decided.
pub(super) struct Attention {
    pub(super) quiet: Option<QuietView>,
    pub(super) next_quiet: Option<QuietNext>,
    pub(super) held: Vec<HeldView>,
    pub(super) around: Vec<String>,
    pub(super) told: Vec<String>,
    pub(super) cards: Vec<CardView>,
}

impl Attention {
    pub(super) fn read(
        shared: &Shared,
        tx: &Tx<'_>,
        names: &Names,
        now: &Zoned,
    ) -> Result<Self, StoreError> {
        let book = shared.rulebook();
        let (around, told) = (*lock(&shared.around), *lock(&shared.told));
        Ok(Self {
            quiet: book
                .quiet_now(now)
                .map(|(name, until)| QuietView { name, until }),
            next_quiet: book
                .next_quiet_hours(now)
                .map(|(name, from)| QuietNext { name, from }),
            held: tx
                .waiting()?
                .iter()
                .map(|waiting| held(waiting, names))
                .collect(),
            around: words(around),
            told: words(told),
            cards: cards(&book, tx, names, now.timestamp())?,
        })
    }
}

fn words(around: Surroundings) -> Vec<String> {
    let those = Context::ALL
        .into_iter()
        .filter(|context| around.is(*context));
    those.map(|context| context.word().to_owned()).collect()
}

fn held(waiting: &Waiting, names: &Names) -> HeldView {
    let (cause, says) = match &waiting.cause {
        HoldCause::Pause => ("pause", "The pause".to_owned()),
        HoldCause::Quiet => ("quiet", "Quiet hours".to_owned()),
        HoldCause::Context { context } => ("context", said(*context).to_owned()),
        HoldCause::LowPriority => ("digest", "A digest of low priority".to_owned()),
        HoldCause::Digest => ("digest", "A digest".to_owned()),
        HoldCause::Daily { at } => ("digest", format!("The digest of {at}")),
        HoldCause::Away => ("away", "The rest of what was missed".to_owned()),
        HoldCause::Window { subscription, .. } => (
            "batch",
            format!("Others of its type from {}", names.of(*subscription)),
        ),
        HoldCause::SubscriptionLimit { subscription } => {
            ("limit", format!("The limit of {}", names.of(*subscription)))
        }
        HoldCause::OverallLimit | HoldCause::CriticalLimit => {
            ("limit", "The limit of toasts".to_owned())
        }
        HoldCause::Escalation => ("again", "To ring again".to_owned()),
        HoldCause::Snooze { .. } => ("snooze", "Snoozed".to_owned()),
    };
    HeldView {
        cause: cause.to_owned(),
        says,
        count: waiting.count,
        until: waiting.until,
        can_deliver: waiting.cause.is_quiet(),
    }
}

fn said(context: Context) -> &'static str {
    match context {
        Context::Locked => "The screen is locked",
        Context::Presenting => "You are presenting",
        Context::FullScreen => "A window fills the screen",
        Context::ScreenShared => "The screen is shared",
        Context::DoNotDisturb => "“Do not disturb” is on",
    }
}

fn cards(
    book: &Rulebook,
    tx: &Tx<'_>,
    names: &Names,
    now: Timestamp,
) -> Result<Vec<CardView>, StoreError> {
    let least = i64::from(book.document().limits.storm_seconds) * 1_000_000;
    let mut cards: Vec<CardView> = tx
        .storms(least)?
        .into_iter()
        .map(|storm| CardView::Storm {
            account: storm.account,
            subscription: storm.subscription,
            name: names.of(storm.subscription),
            since: storm.since,
        })
        .collect();
    let asked = tx.kinds()?.into_iter().filter_map(|kind| {
        Some(CardView::NewType {
            account: kind.account,
            subscription: kind.subscription,
            name: names.of(kind.subscription),
            toast: book
                .row(kind.account, Some(kind.subscription), Some(&kind.kind), now)
                .toast
                .value,
            first: kind.ask?,
            kind: kind.kind,
        })
    });
    cards.extend(asked.take(ASKED));
    Ok(cards)
}

impl Shared {
    /// Things are otherwise around the screen: what waited for that is decided again.
    pub(super) fn set_around(self: &Arc<Self>, around: Surroundings) {
        let before = std::mem::replace(&mut *lock(&self.around), around);
        if before == around {
            return;
        }
        let mut over: Vec<String> = Context::ALL
            .into_iter()
            .filter(|context| before.is(*context) && !around.is(*context))
            .map(|context| HoldCause::Context { context }.batch_key())
            .collect();
        if before.locked && !around.locked {
            over.push(HoldCause::Snooze { back: Back::Unlock }.batch_key());
        }
        self.release(&over);
        self.hint(Event::Status);
    }

    /// So much does the desktop tell.
    pub(super) fn set_told(&self, told: Surroundings) {
        if std::mem::replace(&mut *lock(&self.told), told) != told {
            self.hint(Event::Status);
        }
    }

    /// Toasts wait from now on, or no longer.
    pub(super) fn set_pause(&self, pause: Option<Pause>) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.write(|tx| {
            tx.set_pause(pause)?;
            // What waits for the old pause is decided again: it may wait for the new one.
            tx.release(&HoldCause::Pause.batch_key(), now)
        })?;
        self.wake_scheduler.notify_one();
        self.hint(Event::Status);
        Ok(())
    }

    /// An account's server is connected: what was to come back then does.
    pub(super) fn back_online(&self, account: AccountId) {
        // Connections come and go all day; what waits for them is rare, and only that is written.
        let brought = self
            .store
            .read(|tx| tx.waits_for_server(account))
            .and_then(|waits| {
                if waits {
                    self.store
                        .write(|tx| tx.account_is_back(account, self.clock.now()))?;
                }
                Ok(waits)
            });
        match brought {
            Ok(true) => self.wake_scheduler.notify_one(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "what was put off could not be brought back"),
        }
    }

    /// Preferences, the clock or the zone are others than they were: what waits is looked at again.
    pub(super) fn reconsider(&self) {
        if let Err(error) = scheduler::reconsider(self) {
            tracing::warn!(%error, "what waits could not be looked at again");
        }
    }

    fn release(&self, batches: &[String]) {
        if batches.is_empty() {
            return;
        }
        let now = self.clock.now();
        let released = self
            .store
            .write(|tx| batches.iter().try_for_each(|batch| tx.release(batch, now)));
        match released {
            Ok(()) => self.wake_scheduler.notify_one(),
            Err(error) => tracing::warn!(%error, "what waited could not be released"),
        }
    }
}
