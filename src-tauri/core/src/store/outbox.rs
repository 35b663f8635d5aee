//! Changes owed to servers: one for each thing on the server, the last wish.

use super::row::{count, from_word, stamp, time, word};
use super::{StoreError, Tx};
use crate::model::{AccountId, Mirror, NotificationId, Owing, SubscriptionId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// A change owed to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Names this debt; another one for the same thing has another id.
    pub id: i64,
    /// To which account.
    pub account: AccountId,
    /// Where the thing belongs.
    pub subscription: SubscriptionId,
    /// The server's name of the subscription.
    pub topic: String,
    /// What its user calls the subscription; empty where they gave it no name.
    pub name: String,
    /// The server's key of the thing; of a subscription, which of the server's addresses it is kept under.
    pub replace_key: String,
    /// What to tell.
    pub what: Owing,
    /// Tries so far.
    pub attempts: u32,
}

/// A change that could not be told to the server, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedInVain {
    /// Of which notification; it may be gone.
    pub notification: NotificationId,
    /// Which subscription.
    pub subscription: SubscriptionId,
    /// What was to be told.
    pub what: Owing,
    /// Why it was given up, in words.
    pub says: String,
}

impl Tx<'_> {
    /// Owes a change to the server. A delete takes the place of a read; a read changes nothing about a delete.
    /// The new debt has a new id, so that the answer to the old one does not pay it.
    pub fn owe(
        &self,
        id: NotificationId,
        mirror: Mirror,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (account, subscription, replace_key): (i64, i64, String) = self
            .db
            .prepare_cached(
                "SELECT account, subscription, CASE replace_key WHEN '' THEN remote_id ELSE replace_key END
                 FROM notification WHERE id = ?1",
            )?
            .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let before: Option<(i64, String, bool)> = self
            .db
            .prepare_cached(
                "SELECT id, mirror, gave_up FROM outbox WHERE subscription = ?1 AND replace_key = ?2",
            )?
            .query_row(params![subscription, replace_key], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let mut also_read = false;
        if let Some((before, had, gave_up)) = before {
            let had: Mirror = from_word(had)?;
            if !gave_up && (had == mirror || had == Mirror::Delete) {
                return Ok(());
            }
            also_read = !gave_up && had == Mirror::Read;
            self.owed_done(before)?;
        }
        self.db
            .prepare_cached(
                "INSERT INTO outbox (account, subscription, notification, replace_key, mirror, also_read,
                     created_at, due_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            )?
            .execute(params![
                account,
                subscription,
                id.0,
                replace_key,
                word(mirror)?,
                also_read,
                stamp(now)
            ])?;
        Ok(())
    }

    /// Takes back what was not told yet, when its change is undone. A delete that took the place of a read leaves
    /// the read, unless that is taken back too.
    pub fn forgive(&self, ids: &[NotificationId], mirror: Mirror) -> Result<(), StoreError> {
        let word_of = word(mirror)?;
        let mut less = self.db.prepare_cached(
            "UPDATE outbox SET mirror = ?2, also_read = 0
             WHERE notification = ?1 AND mirror = ?3 AND also_read = 1",
        )?;
        let mut none = self
            .db
            .prepare_cached("DELETE FROM outbox WHERE notification = ?1 AND mirror = ?2")?;
        let mut only_delete = self.db.prepare_cached(
            "UPDATE outbox SET also_read = 0 WHERE notification = ?1 AND also_read = 1",
        )?;
        for id in ids {
            if mirror == Mirror::Read {
                only_delete.execute([id.0])?;
            }
            let kept = less.execute(params![id.0, word(Mirror::Read)?, word_of])?;
            if kept == 0 {
                none.execute(params![id.0, word_of])?;
            }
        }
        Ok(())
    }

    /// The oldest change owed to an account that is due.
    pub fn owed(&self, account: AccountId, now: Timestamp) -> Result<Option<Owed>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT o.id, s.id, s.topic, o.replace_key, o.mirror, o.attempts, s.name
                 FROM outbox o INDEXED BY outbox_account CROSS JOIN subscription s ON s.id = o.subscription
                 WHERE o.account = ?1 AND o.gave_up = 0 AND o.due_at <= ?2 ORDER BY o.id LIMIT 1",
            )?
            .query_row(params![account.0, stamp(now)], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                ))
            })
            .optional()?
            .map(|(id, subscription, topic, replace_key, mirror, attempts, name)| {
                Ok(Owed {
                    id,
                    account,
                    subscription: SubscriptionId(subscription),
                    topic,
                    name,
                    replace_key,
                    what: from_word(mirror)?,
                    attempts,
                })
            })
            .transpose()
    }

    /// When the next change may be told.
    pub fn next_owed_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT min(due_at) FROM outbox INDEXED BY outbox_due WHERE gave_up = 0",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(at.map(time))
    }

    /// A delete was told. From now on it is no news that the server does not have it, also where it is undone
    /// here.
    pub fn told_deleted(
        &self,
        subscription: SubscriptionId,
        replace_key: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(row) = self.by_replace_key(subscription, replace_key)? {
            self.mark_deleted(subscription.0, replace_key, row.version, now)?;
        }
        Ok(())
    }

    /// It was told, or is not worth telling.
    pub fn owed_done(&self, id: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// It failed for now: again at `until`.
    pub fn owed_later(&self, id: i64, until: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE outbox SET attempts = attempts + 1, due_at = ?2 WHERE id = ?1")?
            .execute(params![id, stamp(until)])?;
        Ok(())
    }

    /// It failed for good; `says` why, in words.
    pub fn owed_never(&self, id: i64, says: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE outbox SET gave_up = 1, says = ?2 WHERE id = ?1")?
            .execute(params![id, says])?;
        Ok(())
    }

    /// What was given up, newest first, at most 100.
    pub fn owed_in_vain(&self, account: AccountId) -> Result<Vec<OwedInVain>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT notification, subscription, mirror, says FROM outbox
                 WHERE account = ?1 AND gave_up = 1 ORDER BY id DESC LIMIT 100",
            )?
            .query_map([account.0], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .map(|row| {
                let (notification, subscription, mirror, says) = row?;
                Ok(OwedInVain {
                    notification: NotificationId(notification),
                    subscription: SubscriptionId(subscription),
                    what: from_word(mirror)?,
                    says,
                })
            })
            .collect()
    }

    pub(super) fn owed_in_all(&self) -> Result<u64, StoreError> {
        let owed: i64 = self
            .db
            .prepare_cached("SELECT count(*) FROM outbox INDEXED BY outbox_due WHERE gave_up = 0")?
            .query_row([], |row| row.get(0))?;
        Ok(count(owed))
    }
}
