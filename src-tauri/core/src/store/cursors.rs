//! Resume positions, and what is known of a subscription's being whole.

use super::row::{count, maybe_time, number, stamp, time};
use super::{StoreError, Tx};
use crate::model::{Cursor, SubscriptionId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// Gaps kept of a subscription.
const GAPS: i64 = 50;

/// A time during which a subscription was away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// Notifications fetched for it afterwards.
    pub filled: u64,
    /// Why not all of it could be had, in a word of the backend's; empty: it is complete.
    pub missing: String,
}

impl Tx<'_> {
    /// Moves the resume position. The caller has stored everything before it in this same transaction
    /// or an earlier one.
    pub fn advance(&self, subscription: SubscriptionId, cursor: &Cursor) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE subscription SET cursor = ?2, filled = 1 WHERE id = ?1")?
            .execute(params![subscription.0, cursor.0])?;
        Ok(())
    }

    /// Since when it is unbroken (none before the first connection), and its gaps that are over, newest
    /// first, at most ten.
    pub fn continuity(
        &self,
        subscription: SubscriptionId,
    ) -> Result<(Option<Timestamp>, Vec<Gap>), StoreError> {
        let since: i64 = self
            .db
            .prepare_cached("SELECT since_at FROM subscription WHERE id = ?1")?
            .query_row([subscription.0], |row| row.get(0))?;
        let gaps = self
            .db
            .prepare_cached(
                "SELECT from_at, to_at, filled, missing FROM gap
                 WHERE subscription = ?1 AND to_at <> 0 ORDER BY id DESC LIMIT 10",
            )?
            .query_map([subscription.0], |row| {
                Ok(Gap {
                    from: time(row.get(0)?),
                    to: time(row.get(1)?),
                    filled: count(row.get(2)?),
                    missing: row.get(3)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok((maybe_time(since), gaps))
    }

    /// These were alive at this time: where a gap begins if the process ends without a word.
    pub fn alive(&self, subscriptions: &[SubscriptionId], at: Timestamp) -> Result<(), StoreError> {
        let mut statement = self
            .db
            .prepare_cached("UPDATE subscription SET alive_at = ?2 WHERE id = ?1")?;
        for subscription in subscriptions {
            statement.execute(params![subscription.0, stamp(at)])?;
        }
        Ok(())
    }

    /// When it was last known alive.
    pub fn last_alive(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let at: i64 = self
            .db
            .prepare_cached("SELECT alive_at FROM subscription WHERE id = ?1")?
            .query_row([subscription.0], |row| row.get(0))?;
        Ok(maybe_time(at))
    }

    /// Its link is gone since `from`. While a gap is open, it stays as it began.
    pub fn link_lost(
        &self,
        subscription: SubscriptionId,
        from: Timestamp,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO gap (subscription, from_at)
                 SELECT id, ?2 FROM subscription WHERE id = ?1 AND since_at <> 0
                 AND NOT EXISTS (SELECT 1 FROM gap WHERE subscription = ?1 AND to_at = 0)",
            )?
            .execute(params![subscription.0, stamp(from)])?;
        Ok(())
    }

    /// Its link is back and the backlog complete at `to`: `filled` notifications came for the open gap. An
    /// incomplete one begins a new unbroken time; so does the first filling.
    pub fn link_filled(
        &self,
        subscription: SubscriptionId,
        to: Timestamp,
        filled: u64,
        missing: &str,
    ) -> Result<(), StoreError> {
        let open: Option<(i64, i64)> = self
            .db
            .prepare_cached(
                "SELECT id, from_at FROM gap WHERE subscription = ?1 AND to_at = 0
                 ORDER BY id DESC LIMIT 1",
            )?
            .query_row([subscription.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((gap, from)) = open {
            // A clock that went back does not turn the gap around.
            self.db
                .prepare_cached(
                    "UPDATE gap SET to_at = ?2, filled = ?3, missing = ?4 WHERE id = ?1",
                )?
                .execute(params![gap, stamp(to).max(from), number(filled), missing])?;
            self.db
                .prepare_cached(
                    "DELETE FROM gap WHERE subscription = ?1 AND id <=
                     (SELECT id FROM gap WHERE subscription = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![subscription.0, GAPS])?;
        }
        self.db
            .prepare_cached(
                "UPDATE subscription SET since_at = CASE WHEN ?3 <> '' OR since_at = 0 THEN ?2 ELSE since_at END,
                     alive_at = ?2 WHERE id = ?1",
            )?
            .execute(params![subscription.0, stamp(to), missing])?;
        Ok(())
    }
}
