//! What the user does with notifications, and undoing it.
//!
//! The states are steps of a ladder: done implies read, read implies seen. Going up sets what is below,
//! coming down clears only its own step.

use super::row::{from_word, stamp, word};
use super::{StoreError, Tx};
use crate::model::NotificationId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use tidings_api::Change;

/// Steps that can be undone.
const STEPS: i64 = 50;

/// How long a change can be undone, microseconds; as long as deleted rows are kept.
pub(super) const UNDO_MICROS: i64 = 7 * 24 * 3600 * 1_000_000;

/// When each step was taken; 0: it was not.
#[derive(Clone, Copy, PartialEq, Eq)]
struct States {
    seen: i64,
    read: i64,
    done: i64,
    deleted: i64,
}

impl States {
    fn after(self, change: Change, now: i64) -> Self {
        let since = |at: i64| if at == 0 { now } else { at };
        let mut after = self;
        match change {
            Change::Seen => after.seen = since(self.seen),
            Change::Read => {
                after.seen = since(self.seen);
                after.read = since(self.read);
            }
            Change::Unread => after.read = 0,
            Change::Done => {
                after.seen = since(self.seen);
                after.read = since(self.read);
                after.done = since(self.done);
            }
            Change::Restore => after.done = 0,
            Change::Delete => after.deleted = since(self.deleted),
        }
        after
    }
}

impl Tx<'_> {
    /// Changes these, says which were not so before, and remembers how to undo it (the last 50 steps; seeing something is no step). Deleted
    /// ones are hidden, and purged after seven days.
    pub fn change(
        &self,
        ids: &[NotificationId],
        change: Change,
        now: Timestamp,
    ) -> Result<Vec<NotificationId>, StoreError> {
        let mut read = self.db.prepare_cached(
            "SELECT seen_at, read_at, done_at FROM notification WHERE id = ?1 AND deleted_at = 0",
        )?;
        let mut write = self.db.prepare_cached(
            "UPDATE notification SET seen_at = ?2, read_at = ?3, done_at = ?4, deleted_at = ?5 WHERE id = ?1",
        )?;
        let mut remember = self.db.prepare_cached(
            "INSERT INTO undo_row (step, notification, read_at, done_at) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let mut step = None;
        let mut changed = Vec::new();
        for id in ids {
            let before = read
                .query_row([id.0], |row| {
                    Ok(States {
                        seen: row.get(0)?,
                        read: row.get(1)?,
                        done: row.get(2)?,
                        deleted: 0,
                    })
                })
                .optional()?;
            let Some(before) = before else { continue };
            let after = before.after(change, stamp(now));
            if before == after {
                continue;
            }
            write.execute(params![
                id.0,
                after.seen,
                after.read,
                after.done,
                after.deleted
            ])?;
            if change != Change::Seen {
                let step = match step {
                    Some(step) => step,
                    None => *step.insert(self.begin_step(change, now)?),
                };
                remember.execute(params![step, id.0, before.read, before.done])?;
            }
            changed.push(*id);
        }
        Ok(changed)
    }

    /// Undoes the last change that was not undone yet: which, and the notifications that are again as they
    /// were. Steps older than seven days, or of which nothing is left (purged, or replaced by a newer
    /// version), are passed over.
    pub fn undo(
        &self,
        now: Timestamp,
    ) -> Result<Option<(Change, Vec<NotificationId>)>, StoreError> {
        self.db
            .prepare_cached("DELETE FROM undo WHERE at < ?1")?
            .execute([stamp(now).saturating_sub(UNDO_MICROS)])?;
        loop {
            let step: Option<(i64, String)> = self
                .db
                .prepare_cached("SELECT id, change FROM undo ORDER BY id DESC LIMIT 1")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((step, change)) = step else {
                return Ok(None);
            };
            let change: Change = from_word(change)?;
            let ids = self.restore(step, change)?;
            self.db
                .prepare_cached("DELETE FROM undo WHERE id = ?1")?
                .execute([step])?;
            if !ids.is_empty() {
                return Ok(Some((change, ids)));
            }
        }
    }

    fn begin_step(&self, change: Change, now: Timestamp) -> Result<i64, StoreError> {
        self.db
            .prepare_cached("INSERT INTO undo (at, change) VALUES (?1, ?2)")?
            .execute(params![stamp(now), word(change)?])?;
        let step = self.db.last_insert_rowid();
        self.db
            .prepare_cached(
                "DELETE FROM undo WHERE id <= (SELECT id FROM undo ORDER BY id DESC LIMIT 1 OFFSET ?1)",
            )?
            .execute([STEPS])?;
        Ok(step)
    }

    /// Takes back only what the step did: something else may have happened to its rows since.
    fn restore(&self, step: i64, change: Change) -> Result<Vec<NotificationId>, StoreError> {
        let set = match change {
            Change::Seen => return Ok(Vec::new()),
            Change::Read | Change::Unread => {
                "UPDATE notification SET read_at = ?2 WHERE id = ?1 AND deleted_at = 0 AND ?3 IS NOT NULL"
            }
            Change::Done | Change::Restore => {
                "UPDATE notification SET read_at = ?2, done_at = ?3 WHERE id = ?1 AND deleted_at = 0"
            }
            Change::Delete => {
                "UPDATE notification SET deleted_at = 0
                 WHERE id = ?1 AND deleted_at <> 0 AND ?2 IS NOT NULL AND ?3 IS NOT NULL"
            }
        };
        let rows: Vec<(i64, i64, i64)> = self
            .db
            .prepare_cached(
                "SELECT notification, read_at, done_at FROM undo_row WHERE step = ?1
                 ORDER BY notification",
            )?
            .query_map([step], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let mut statement = self.db.prepare_cached(set)?;
        let mut ids = Vec::with_capacity(rows.len());
        for (id, read_at, done_at) in rows {
            if statement.execute(params![id, read_at, done_at])? > 0 {
                ids.push(NotificationId(id));
            }
        }
        Ok(ids)
    }
}
