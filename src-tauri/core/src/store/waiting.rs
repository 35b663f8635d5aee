//! What waits: by cause, at the user's wish, and until it comes back.

use super::changes::{UNTIL_ONLINE, UNTIL_UNLOCK};
use super::row::{LIGHT, count, from_json, json, maybe_time, micros, notification, stamp, time};
use super::{DeliveryId, StoreError, Tx};
use crate::model::{
    AccountId, Back, Disposition, HoldCause, Notification, NotificationId, Rule, TraceLine,
};
use jiff::Timestamp;
use rusqlite::params;

/// What waits for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The cause.
    pub cause: HoldCause,
    /// How many unread ones.
    pub count: u64,
    /// When the first is due; none: when the cause ends.
    pub until: Option<Timestamp>,
}

/// A critical notification that rang, stayed unread, and is due again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Its delivery.
    pub delivery: DeliveryId,
    /// What it is about; its body cut as in lists, without its raw frame.
    pub notification: Notification,
    /// It still wants attention.
    pub wanted: bool,
}

impl Tx<'_> {
    /// What waits, the first due first; what has no end of its own comes last.
    pub fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let mut all: Vec<Waiting> = self
            .db
            .prepare_cached(
                "SELECT d.cause, count(*), min(nullif(d.due_at, 0)) FROM delivery d INDEXED BY delivery_batch
                 CROSS JOIN notification n ON n.id = d.notification
                 WHERE d.state = 'held' AND (n.read_at = 0 OR n.snoozed <> 0) AND n.done_at = 0 AND n.deleted_at = 0
                 GROUP BY d.batch",
            )?
            .query_map([], |row| {
                let cause: String = row.get(0)?;
                let until: Option<i64> = row.get(2)?;
                Ok((cause, row.get(1)?, until))
            })?
            .map(|row| {
                let (cause, waiting, until) = row?;
                Ok(Waiting {
                    cause: from_json(&cause)?,
                    count: count(waiting),
                    until: until.map(time),
                })
            })
            .collect::<Result<_, StoreError>>()?;
        all.sort_by_key(|waiting| (waiting.until.is_none(), waiting.until));
        Ok(all)
    }

    /// The user wants now what waits for a pause, quiet hours, or the screen. Says how many.
    pub fn deliver_now(&self, now: Timestamp) -> Result<u64, StoreError> {
        let wanted = self
            .db
            .prepare_cached(
                "UPDATE delivery INDEXED BY delivery_batch SET due_at = ?1, wanted = 1
                 WHERE state = 'held' AND (batch IN ('pause', 'quiet') OR batch GLOB 'context:*')",
            )?
            .execute([stamp(now)])?;
        Ok(wanted as u64)
    }

    /// A hold goes on, for the same cause, until another time.
    pub fn hold_on(
        &self,
        delivery: DeliveryId,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery SET due_at = ?2 WHERE notification = ?1 AND state = 'held'",
            )?
            .execute(params![delivery.0, super::row::maybe_stamp(until)])?;
        Ok(())
    }

    /// What says the same as one that waits is told with it; whether that one does. What its user put off waits for
    /// nothing else.
    pub fn hold_with(
        &self,
        delivery: DeliveryId,
        first: NotificationId,
    ) -> Result<bool, StoreError> {
        let held = self
            .db
            .prepare_cached(
                "UPDATE delivery SET state = 'held', due_at = first.due_at, batch = first.batch, cause = first.cause
                 FROM delivery AS first NOT INDEXED
                 WHERE delivery.notification = ?1 AND first.notification = ?2 AND first.state = 'held'
                     AND first.batch NOT GLOB 'snooze:*'",
            )?
            .execute([delivery.0, first.0])?;
        Ok(held > 0)
    }

    /// A hold lasts no longer than this.
    pub fn hold_at_most(&self, delivery: DeliveryId, at: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery SET due_at = ?2
                 WHERE notification = ?1 AND state = 'held' AND (due_at = 0 OR due_at > ?2)",
            )?
            .execute(params![delivery.0, stamp(at)])?;
        Ok(())
    }

    /// Puts these off: their toasts wait until they come back.
    pub fn snooze(
        &self,
        ids: &[NotificationId],
        back: Back,
        says: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let cause = HoldCause::Snooze { back };
        let until = match back {
            Back::Time { time } => Some(time),
            Back::Unlock | Back::Online => None,
        };
        let mut delivery = self.db.prepare_cached(
            "INSERT INTO delivery (notification, state, due_at, batch, cause) VALUES (?1, 'held', ?2, ?3, ?4)
             ON CONFLICT (notification) DO UPDATE SET state = 'held', due_at = excluded.due_at,
                 batch = excluded.batch, cause = excluded.cause, says = '', again_at = 0, rung = 0",
        )?;
        let mut ledger = self.db.prepare_cached(
            "INSERT INTO ledger (notification, at, disposition, trace) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let line = TraceLine {
            rule: Rule::Snoozed,
            decided: true,
            says: says.to_owned(),
        };
        let (batch, trace) = (cause.batch_key(), json(&[line])?);
        let disposition = json(&Disposition::Hold {
            until,
            because: cause.clone(),
        })?;
        let cause = json(&cause)?;
        for id in ids {
            delivery.execute(params![id.0, super::row::maybe_stamp(until), batch, cause])?;
            ledger.execute(params![id.0, micros(now), disposition, trace])?;
        }
        Ok(())
    }

    /// Snoozes that ended otherwise than by coming back: what rings of them no longer waits.
    pub fn end_snoozes(&self) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery INDEXED BY delivery_batch
                 SET state = 'dropped', says = 'it was brought back before.'
                 WHERE state = 'held' AND batch GLOB 'snooze:*' AND notification IN
                     (SELECT id FROM notification WHERE snoozed = 0)",
            )?
            .execute([])?;
        Ok(())
    }

    /// Whether anything is to come back when this account's server is connected.
    pub fn waits_for_server(&self, account: AccountId) -> Result<bool, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_batch
                     CROSS JOIN notification n ON n.id = d.notification
                     WHERE d.state = 'held' AND d.batch = ?2 AND n.account = ?1)",
            )?
            .query_row(
                params![
                    account.0,
                    HoldCause::Snooze { back: Back::Online }.batch_key()
                ],
                |row| row.get(0),
            )?)
    }

    /// An account's server is connected: what was to come back then is due.
    pub fn account_is_back(&self, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery INDEXED BY delivery_batch SET due_at = ?2
                 WHERE state = 'held' AND batch = ?3
                     AND (SELECT account FROM notification WHERE id = delivery.notification) = ?1",
            )?
            .execute(params![
                account.0,
                stamp(now),
                HoldCause::Snooze { back: Back::Online }.batch_key()
            ])?;
        Ok(())
    }

    /// It is back in the inbox, unread, also if it was opened meanwhile.
    pub fn bring_back(&self, id: NotificationId) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE notification SET snoozed = 0, read_at = 0 WHERE id = ?1 AND snoozed <> 0",
            )?
            .execute([id.0])?;
        Ok(())
    }

    /// When a snoozed one comes back; none: it is not snoozed.
    pub fn snoozed(&self, id: NotificationId) -> Result<Option<Back>, StoreError> {
        let until: i64 = self
            .db
            .prepare_cached("SELECT snoozed FROM notification WHERE id = ?1")?
            .query_row([id.0], |row| row.get(0))?;
        Ok(match until {
            0 => None,
            UNTIL_UNLOCK => Some(Back::Unlock),
            UNTIL_ONLINE => Some(Back::Online),
            other => maybe_time(other).map(|time| Back::Time { time }),
        })
    }

    /// A critical one that was shown now rings again then, if it stays unread; none: it never does. Those that the
    /// toast tells of since now.
    pub fn ring_again(
        &self,
        toast: super::ToastId,
        now: Timestamp,
        next: &dyn Fn(u32) -> Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let members: Vec<(i64, u32)> = self
            .db
            .prepare_cached(
                "SELECT d.notification, d.rung FROM toast_member m CROSS JOIN delivery d ON d.notification = m.notification
                 CROSS JOIN notification n ON n.id = m.notification
                 WHERE m.toast = ?1 AND d.state = 'shown' AND d.shown_at = ?2 AND d.again_at = 0 AND n.tier = 2
                     AND n.unread = 1",
            )?
            .query_map(params![toast.0, stamp(now)], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut update = self.db.prepare_cached(
            "UPDATE delivery SET again_at = ?2, rung = rung + 1 WHERE notification = ?1",
        )?;
        for (id, rung) in members {
            if let Some(at) = next(rung) {
                update.execute(params![id, stamp(at)])?;
            }
        }
        Ok(())
    }

    /// Nothing that is to ring again does so later than this.
    pub fn ring_again_at_most(&self, at: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery INDEXED BY delivery_again SET again_at = ?1
                 WHERE again_at <> 0 AND again_at > ?1",
            )?
            .execute([stamp(at)])?;
        Ok(())
    }

    /// Critical ones that are due again, as they came. They are not any more: whoever asks decides.
    pub fn due_again(&self, now: Timestamp) -> Result<Vec<Again>, StoreError> {
        let found: Vec<Again> = self
            .db
            .prepare_cached(&format!(
                "SELECT {LIGHT}, d.state = 'shown' AND n.unread FROM delivery d INDEXED BY delivery_again
                 CROSS JOIN notification n ON n.id = d.notification CROSS JOIN content c ON c.id = n.id
                 WHERE d.again_at <> 0 AND d.again_at <= ?1 ORDER BY n.id"
            ))?
            .query_map([micros(now)], |row| {
                let notification = notification(row)?;
                Ok(Again {
                    delivery: DeliveryId(notification.id.0),
                    notification,
                    wanted: row.get(30)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        let mut settle = self
            .db
            .prepare_cached("UPDATE delivery SET again_at = 0 WHERE notification = ?1")?;
        for again in &found {
            settle.execute([again.delivery.0])?;
        }
        Ok(found)
    }

    /// When the next critical one is due again.
    pub fn next_again(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT min(again_at) FROM delivery INDEXED BY delivery_again WHERE again_at <> 0",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(at.map(time))
    }
}
