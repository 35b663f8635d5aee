//! Verdicts, what became of them, and why: the state the policy is given, holds, the pause, the ledger.

use super::row::{
    LIGHT, count, from_json, json, maybe_stamp, maybe_time, micros, notification, stamp,
    tier_number, time,
};
use super::{StoreError, Tx};
use crate::model::{
    Bucket, Disposition, HoldCause, Notification, NotificationId, Origin, Pause, PolicyState,
    Surroundings, Tier, TraceLine, Verdict, Window,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::fmt;

const PAUSE: &str = "pause";
/// Critical ones fetched within this time before and after each other are of one backfill, microseconds.
const ONE_BACKFILL: i64 = 10 * 60 * 1_000_000;
/// No limit is as high.
const MANY: i64 = 1000;

/// Names the delivery of a notification; there is one for each that was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

/// A delivery that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which one.
    pub delivery: DeliveryId,
    /// Of what; its body cut as in lists, without its raw frame.
    pub notification: Notification,
    /// Why it waits.
    pub cause: HoldCause,
    /// The user asked for it.
    pub wanted: bool,
    /// It was deleted meanwhile.
    pub gone: bool,
    /// When it is due; none: when its cause ends.
    pub due: Option<Timestamp>,
    /// It waits because this one did, which said the same before.
    pub twin: Option<DeliveryId>,
}

/// What the policy is to be told besides what the store knows.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The user is looking at it.
    pub looking: bool,
    /// What is so around the screen.
    pub around: Surroundings,
    /// It was held for this, and that is over.
    pub released: Option<HoldCause>,
    /// At the end of a hold: how many of the batch still want attention.
    pub missed: Option<u64>,
    /// The user asked for what waits.
    pub wanted: bool,
    /// What it says, in a number; 0: it is nobody's twin.
    pub fingerprint: i64,
    /// Twins that came before this are none.
    pub twins_since: Timestamp,
    /// The batch of its type's window.
    pub window: String,
}

/// What came of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was decided again since.
    DecidedAgain,
    /// No toast.
    InboxOnly,
    /// Its toast is about to be shown.
    Ready,
    /// It waits.
    Waits {
        /// Until then; none: until its cause ends.
        until: Option<Timestamp>,
    },
    /// Its toast was shown.
    Shown {
        /// When first.
        at: Timestamp,
    },
    /// It waited, and then there was no reason to show it any more.
    Dropped {
        /// Why, in words.
        says: String,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DecidedAgain => f.write_str("Decided again later"),
            Self::InboxOnly => f.write_str("In the inbox, without a toast"),
            Self::Ready => f.write_str("Its toast is about to be shown"),
            Self::Waits { until: None } => f.write_str("Waits"),
            Self::Waits { until: Some(until) } => write!(f, "Waits until {until:.0}"),
            Self::Shown { at } => write!(f, "Shown at {at:.0}"),
            Self::Dropped { says } => write!(f, "Not shown: {says}"),
        }
    }
}

/// A decision that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// When.
    pub at: Timestamp,
    /// What was decided.
    pub disposition: Disposition,
    /// What came of it.
    pub progress: Progress,
    /// Every rule that was asked, in order.
    pub trace: Vec<TraceLine>,
}

impl Tx<'_> {
    /// What deciding about this notification needs to know.
    ///
    /// `known`: it was decided before, and this is not the end of its hold.
    /// `newer_critical_backfill`: of the critical notifications that came by backfill within ten minutes
    /// of this one and are unread, those further up in the list, over all accounts; counted to 1000; 0 for any other
    /// notification.
    pub fn policy_state(
        &self,
        notification: &Notification,
        asked: Asked,
    ) -> Result<PolicyState, StoreError> {
        let decided: bool = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM delivery WHERE notification = ?1)")?
            .query_row([notification.id.0], |row| row.get(0))?;
        Ok(PolicyState {
            known: decided && asked.released.is_none() && !asked.wanted,
            pause: self.pause()?,
            looking: asked.looking,
            around: asked.around,
            twin: self.twin(notification, &asked)?,
            window: self.window(&asked.window)?,
            waiting_since: self.waiting_since(&asked.window)?,
            missed: asked.missed,
            wanted: asked.wanted,
            newer_critical_backfill: self.newer_critical_backfill(notification)?,
            subscription_bucket: self.bucket(&notification.subscription.to_string())?,
            overall_bucket: self.bucket("overall")?,
            critical_bucket: self.bucket("critical")?,
            released: asked.released,
        })
    }

    /// Stores a verdict: its delivery (made, or decided again), its trace, the buckets it took from.
    pub fn decided(
        &self,
        id: NotificationId,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<DeliveryId, StoreError> {
        let (state, due_at, batch, cause) = match &verdict.disposition {
            Disposition::Present => ("ready", 0, String::new(), String::new()),
            // A toast takes them in as its members.
            Disposition::InboxOnly | Disposition::Fold { .. } | Disposition::Join => {
                ("inbox", 0, String::new(), String::new())
            }
            Disposition::Hold { until, because } => (
                "held",
                maybe_stamp(*until),
                because.batch_key(),
                json(because)?,
            ),
        };
        self.db
            .prepare_cached(
                "INSERT INTO delivery (notification, state, due_at, batch, cause) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (notification) DO UPDATE SET state = excluded.state, due_at = excluded.due_at,
                     batch = excluded.batch, cause = excluded.cause, shown_at = 0, says = '', wanted = 0",
            )?
            .execute(params![id.0, state, due_at, batch, cause])?;
        self.db
            .prepare_cached(
                "INSERT INTO ledger (notification, at, disposition, trace) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                id.0,
                micros(now),
                json(&verdict.disposition)?,
                json(&verdict.trace)?
            ])?;
        if let Some(bucket) = verdict.subscription_bucket {
            let subscription: i64 = self
                .db
                .prepare_cached("SELECT subscription FROM notification WHERE id = ?1")?
                .query_row([id.0], |row| row.get(0))?;
            self.keep_bucket(&subscription.to_string(), bucket)?;
        }
        if let Some(bucket) = verdict.overall_bucket {
            self.keep_bucket("overall", bucket)?;
        }
        if let Some(bucket) = verdict.critical_bucket {
            self.keep_bucket("critical", bucket)?;
        }
        Ok(DeliveryId(id.0))
    }

    /// The batches of holds whose time has come.
    pub fn due(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT DISTINCT batch FROM delivery INDEXED BY delivery_due
                 WHERE state = 'held' AND due_at <> 0 AND due_at <= ?1 ORDER BY batch",
            )?
            .query_map([micros(now)], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    /// When the next hold is due.
    pub fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT min(due_at) FROM delivery INDEXED BY delivery_due
                 WHERE state = 'held' AND due_at <> 0",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(at.map(time))
    }

    /// How many are held in a batch and still want attention; `due`: only those that are due by then.
    pub fn held_count(&self, batch_key: &str, due: Option<Timestamp>) -> Result<u64, StoreError> {
        let held: i64 = self
            .db
            .prepare_cached(
                "SELECT count(*) FROM delivery d INDEXED BY delivery_batch
                 CROSS JOIN notification n ON n.id = d.notification
                 WHERE d.state = 'held' AND d.batch = ?1 AND (n.read_at = 0 OR n.snoozed <> 0) AND n.done_at = 0 AND n.deleted_at = 0
                     AND (?2 IS NULL OR (d.due_at <> 0 AND d.due_at <= ?2))",
            )?
            .query_row(params![batch_key, due.map(micros)], |row| row.get(0))?;
        Ok(count(held))
    }

    /// The first `most` holds of a batch that arrived after `after`, in the order in which they arrived; also
    /// those that were read or deleted meanwhile: dropping them is a decision.
    pub fn held_by(
        &self,
        batch_key: &str,
        after: Option<DeliveryId>,
        most: u32,
    ) -> Result<Vec<Held>, StoreError> {
        self.db
            .prepare_cached(&format!(
                "SELECT {LIGHT}, d.cause, d.wanted, n.deleted_at <> 0, d.due_at,
                     (SELECT disposition FROM ledger WHERE notification = n.id ORDER BY id DESC LIMIT 1)
                 FROM delivery d INDEXED BY delivery_batch
                 CROSS JOIN notification n ON n.id = d.notification CROSS JOIN content c ON c.id = n.id
                 WHERE d.state = 'held' AND d.batch = ?1 AND d.notification > ?2
                 ORDER BY d.notification LIMIT ?3"
            ))?
            .query_map(
                params![batch_key, after.map_or(0, |after| after.0), most],
                |row| {
                    let notification = notification(row)?;
                    let cause: String = row.get(30)?;
                    let (wanted, gone, due) = (row.get(31)?, row.get(32)?, maybe_time(row.get(33)?));
                    let decided: Option<String> = row.get(34)?;
                    let twin = match decided.map(|text| from_json(&text)) {
                        Some(Ok(Disposition::Fold { into })) => Some(DeliveryId(into.0)),
                        _ => None,
                    };
                    Ok(from_json(&cause).map(|cause| Held {
                        delivery: DeliveryId(notification.id.0),
                        notification,
                        cause,
                        wanted,
                        gone,
                        due,
                        twin,
                    }))
                },
            )?
            .collect::<Result<Result<_, _>, _>>()?
    }

    /// The keys of all batches that wait.
    pub fn batches(&self) -> Result<Vec<String>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT DISTINCT batch FROM delivery INDEXED BY delivery_batch WHERE state = 'held'",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    /// The cause of a batch has ended: its holds are due at `at`, unless they were due before.
    pub fn release(&self, batch_key: &str, at: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery INDEXED BY delivery_batch
                 SET due_at = CASE due_at WHEN 0 THEN ?2 ELSE min(due_at, ?2) END
                 WHERE state = 'held' AND batch = ?1",
            )?
            .execute(params![batch_key, stamp(at)])?;
        Ok(())
    }

    /// The cause of a batch ends at another time now; none: nobody knows when.
    pub fn hold_until(&self, batch_key: &str, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery INDEXED BY delivery_batch SET due_at = ?2
                 WHERE state = 'held' AND batch = ?1",
            )?
            .execute(params![batch_key, maybe_stamp(until)])?;
        Ok(())
    }

    /// Ends a hold without a toast; `why` in words.
    pub fn drop_held(&self, delivery: DeliveryId, why: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery SET state = 'dropped', says = ?2
                 WHERE notification = ?1 AND state = 'held'",
            )?
            .execute(params![delivery.0, why])?;
        Ok(())
    }

    /// The pause that was set, in force or not.
    pub fn pause(&self) -> Result<Option<Pause>, StoreError> {
        // One that cannot be read does not silence anything.
        Ok(self.setting(PAUSE)?.and_then(|text| from_json(&text).ok()))
    }

    /// Sets the pause, or takes it away.
    pub fn set_pause(&self, pause: Option<Pause>) -> Result<(), StoreError> {
        match pause {
            Some(pause) => self.set_setting(PAUSE, &json(&pause)?),
            None => self.unset_setting(PAUSE),
        }
    }

    /// Every decision about a notification, oldest first, and what came of it.
    pub fn ledger(&self, id: NotificationId) -> Result<Vec<LedgerRow>, StoreError> {
        let mut rows: Vec<LedgerRow> = self
            .db
            .prepare_cached(
                "SELECT at, disposition, trace FROM ledger WHERE notification = ?1 ORDER BY id",
            )?
            .query_map([id.0], |row| {
                let (disposition, trace): (String, String) = (row.get(1)?, row.get(2)?);
                Ok(ledger_row(row.get(0)?, &disposition, &trace))
            })?
            .collect::<Result<Result<_, _>, _>>()??;
        let progress = self
            .db
            .prepare_cached(
                "SELECT state, due_at, shown_at, says FROM delivery WHERE notification = ?1",
            )?
            .query_row([id.0], progress)
            .optional()?;
        if let (Some(last), Some(progress)) = (rows.last_mut(), progress) {
            last.progress = progress;
        }
        Ok(rows)
    }

    /// The decisions from a time on, or after a number, oldest first, with what they were about. What came of a
    /// decision is told with the last of each notification.
    pub fn ledgers(
        &self,
        from: Timestamp,
        after: Option<i64>,
        most: u32,
    ) -> Result<Vec<(i64, Notification, LedgerRow)>, StoreError> {
        self.db
            .prepare_cached(&format!(
                "SELECT {LIGHT}, l.id, l.at, l.disposition, l.trace, d.state, d.due_at, d.shown_at, d.says,
                     l.id = (SELECT max(id) FROM ledger WHERE notification = l.notification)
                 FROM ledger l CROSS JOIN notification n ON n.id = l.notification
                 CROSS JOIN content c ON c.id = n.id CROSS JOIN delivery d ON d.notification = n.id
                 WHERE l.id > ?1 AND l.at >= ?2 ORDER BY l.id LIMIT ?3"
            ))?
            .query_map(params![after.unwrap_or(0), micros(from), most], |row| {
                let (disposition, trace): (String, String) = (row.get(32)?, row.get(33)?);
                let entry = ledger_row(row.get(31)?, &disposition, &trace);
                let newest: bool = row.get(38)?;
                let progress = if newest { Some(progress_at(row, 34)?) } else { None };
                Ok((row.get(30)?, notification(row)?, entry, progress))
            })?
            .map(|row| {
                let (number, about, entry, progress) = row?;
                let mut entry = entry?;
                if let Some(progress) = progress {
                    entry.progress = progress;
                }
                Ok((number, about, entry))
            })
            .collect()
    }

    /// Holds that wait for the pause and whose notification is still unread.
    pub(super) fn waiting_for_pause(&self) -> Result<u64, StoreError> {
        let waiting: i64 = self
            .db
            .prepare_cached(
                "SELECT count(*) FROM delivery d INDEXED BY delivery_batch
                 CROSS JOIN notification n ON n.id = d.notification
                 WHERE d.state = 'held' AND d.batch = 'pause' AND n.unread = 1",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(count(waiting))
    }

    /// The preferences make this tier of a notification.
    pub fn set_tier(&self, id: NotificationId, tier: Tier) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE notification SET tier = ?2 WHERE id = ?1")?
            .execute(params![id.0, tier_number(tier)])?;
        Ok(())
    }

    /// Keeps what a notification says, in a number, so that others can be found to say the same.
    pub fn keep_fingerprint(&self, id: NotificationId, fingerprint: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE delivery SET fingerprint = ?2 WHERE notification = ?1")?
            .execute([id.0, fingerprint])?;
        Ok(())
    }

    /// The first that says the same, came in time, and rang or waits.
    fn twin(
        &self,
        notification: &Notification,
        asked: &Asked,
    ) -> Result<Option<NotificationId>, StoreError> {
        if asked.fingerprint == 0 {
            return Ok(None);
        }
        Ok(self
            .db
            .prepare_cached(
                "SELECT d.notification FROM delivery d INDEXED BY delivery_fingerprint
                 CROSS JOIN notification n ON n.id = d.notification
                 WHERE d.fingerprint = ?1 AND d.fingerprint <> 0 AND d.notification <> ?2
                     AND d.state IN ('ready', 'shown', 'held')
                     AND n.received_at BETWEEN ?3 AND ?4
                 ORDER BY d.notification LIMIT 1",
            )?
            .query_row(
                params![
                    asked.fingerprint,
                    notification.id.0,
                    micros(asked.twins_since),
                    micros(notification.received_at)
                ],
                |row| row.get(0),
            )
            .optional()?
            .map(NotificationId))
    }

    /// The last window of a type.
    fn window(&self, batch_key: &str) -> Result<Option<Window>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT made_at, state <> 'closed' FROM toast INDEXED BY toast_batch
                 WHERE batch = ?1 AND batch <> '' ORDER BY id DESC LIMIT 1",
            )?
            .query_row([batch_key], |row| {
                Ok(Window {
                    opened_at: time(row.get(0)?),
                    open: row.get(1)?,
                })
            })
            .optional()?)
    }

    /// Since when the first of a batch waits.
    fn waiting_since(&self, batch_key: &str) -> Result<Option<Timestamp>, StoreError> {
        let since: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT min(n.received_at) FROM delivery d INDEXED BY delivery_batch
                 CROSS JOIN notification n ON n.id = d.notification
                 WHERE d.state = 'held' AND d.batch = ?1",
            )?
            .query_row([batch_key], |row| row.get(0))?;
        Ok(since.map(time))
    }

    fn newer_critical_backfill(&self, notification: &Notification) -> Result<u32, StoreError> {
        if notification.tier != Tier::Critical || notification.origin != Origin::Backfill {
            return Ok(0);
        }
        let received = micros(notification.received_at);
        let newer: i64 = self
            .db
            .prepare_cached(
                "SELECT count(*) FROM (
                     SELECT 1 FROM notification n INDEXED BY notification_critical_backfill
                     WHERE n.unread = 1 AND n.tier = 2 AND n.origin = 1
                         AND (n.sorted_at, n.id) > (?1, ?2) AND n.received_at BETWEEN ?3 AND ?4
                     LIMIT ?5)",
            )?
            .query_row(
                params![
                    micros(notification.draft.created_at).min(received),
                    notification.id.0,
                    received.saturating_sub(ONE_BACKFILL),
                    received.saturating_add(ONE_BACKFILL),
                    MANY,
                ],
                |row| row.get(0),
            )?;
        Ok(u32::try_from(newer).unwrap_or(u32::MAX))
    }

    fn bucket(&self, name: &str) -> Result<Option<Bucket>, StoreError> {
        Ok(self
            .db
            .prepare_cached("SELECT tokens, at FROM bucket WHERE name = ?1")?
            .query_row([name], |row| {
                Ok(Bucket {
                    tokens: row.get(0)?,
                    at: time(row.get(1)?),
                })
            })
            .optional()?)
    }

    fn keep_bucket(&self, name: &str, bucket: Bucket) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO bucket (name, tokens, at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET tokens = excluded.tokens, at = excluded.at",
            )?
            .execute(params![name, bucket.tokens, micros(bucket.at)])?;
        Ok(())
    }
}

fn ledger_row(at: i64, disposition: &str, trace: &str) -> Result<LedgerRow, StoreError> {
    Ok(LedgerRow {
        at: time(at),
        disposition: from_json(disposition)?,
        progress: Progress::DecidedAgain,
        trace: from_json(trace)?,
    })
}

fn progress(row: &Row<'_>) -> rusqlite::Result<Progress> {
    progress_at(row, 0)
}

/// Of the columns from `first` on: state, due, shown, words.
fn progress_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Progress> {
    let state: String = row.get(first)?;
    Ok(match state.as_str() {
        "ready" => Progress::Ready,
        "held" => Progress::Waits {
            until: maybe_time(row.get(first + 1)?),
        },
        "shown" => Progress::Shown {
            at: time(row.get(first + 2)?),
        },
        "dropped" => Progress::Dropped {
            says: row.get(first + 3)?,
        },
        _ => Progress::InboxOnly,
    })
}
