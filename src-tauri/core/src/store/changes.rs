//! What the user does with notifications, and undoing it.
//!
//! The states are steps of a ladder: done implies read, read implies seen. Going up sets what is below,
//! coming down clears only its own step.

use super::row::{count, from_word, number, stamp, word};
use super::{StoreError, Tx};
use crate::model::{Mirror, NotificationId};
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

    /// The last step that was not undone yet.
    pub fn last_step(&self) -> Result<Option<u64>, StoreError> {
        let step: Option<i64> = self
            .db
            .prepare_cached("SELECT id FROM undo ORDER BY id DESC LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(step.map(count))
    }

    /// Undoes the last change that was not undone yet: which, and the notifications that are again as they
    /// were. Steps older than seven days, or of which nothing is left (purged, or replaced by a newer
    /// version), are passed over. What was to be told to servers and was not yet is not told any more.
    pub fn undo(
        &self,
        now: Timestamp,
    ) -> Result<Option<(Change, Vec<NotificationId>)>, StoreError> {
        while let Some(step) = self.last_step()? {
            if let Some((change, ids)) = self.undo_step(step, now)?
                && !ids.is_empty()
            {
                return Ok(Some((change, ids)));
            }
        }
        Ok(None)
    }

    /// Undoes this change, as if it had never been made: which, and the notifications that look different
    /// now. What a later step changed again stays as that step left it, and undoing that one goes back to
    /// before both. None if it was undone, is older than seven days or than the last fifty, or nothing is
    /// left of it.
    pub fn undo_step(
        &self,
        step: u64,
        now: Timestamp,
    ) -> Result<Option<(Change, Vec<NotificationId>)>, StoreError> {
        self.db
            .prepare_cached("DELETE FROM undo WHERE at < ?1")?
            .execute([stamp(now).saturating_sub(UNDO_MICROS)])?;
        let step = number(step);
        let change: Option<String> = self
            .db
            .prepare_cached("SELECT change FROM undo WHERE id = ?1")?
            .query_row([step], |row| row.get(0))
            .optional()?;
        let Some(change) = change else {
            return Ok(None);
        };
        let change: Change = from_word(change)?;
        let rows: Vec<(NotificationId, i64, i64)> = self
            .db
            .prepare_cached(
                "SELECT notification, read_at, done_at FROM undo_row WHERE step = ?1
                 ORDER BY notification",
            )?
            .query_map([step], |row| {
                Ok((NotificationId(row.get(0)?), row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<_, _>>()?;
        let mut ids = Vec::with_capacity(rows.len());
        for (id, read, done) in &rows {
            if self.take_back(step, change, *id, *read, *done)? {
                ids.push(*id);
            }
        }
        self.db
            .prepare_cached("DELETE FROM undo WHERE id = ?1")?
            .execute([step])?;
        Ok((!rows.is_empty()).then_some((change, ids)))
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

    /// Takes back what the step did to one notification, and says whether it looks different now. A field
    /// that a later step set keeps that; the later step takes over what it goes back to.
    fn take_back(
        &self,
        step: i64,
        change: Change,
        id: NotificationId,
        read: i64,
        done: i64,
    ) -> Result<bool, StoreError> {
        let before = self
            .db
            .prepare_cached(
                "SELECT seen_at, read_at, done_at, deleted_at FROM notification WHERE id = ?1",
            )?
            .query_row([id.0], |row| {
                Ok(States {
                    seen: row.get(0)?,
                    read: row.get(1)?,
                    done: row.get(2)?,
                    deleted: row.get(3)?,
                })
            })?;
        let mut after = before;
        if sets_read(change) {
            match self.later(step, id, sets_read)? {
                Some(later) => self
                    .db
                    .prepare_cached(
                        "UPDATE undo_row SET read_at = ?3 WHERE step = ?1 AND notification = ?2",
                    )?
                    .execute([later, id.0, read])
                    .map(drop)?,
                None => after.read = read,
            }
        }
        if sets_done(change) {
            match self.later(step, id, sets_done)? {
                Some(later) => self
                    .db
                    .prepare_cached(
                        "UPDATE undo_row SET done_at = ?3 WHERE step = ?1 AND notification = ?2",
                    )?
                    .execute([later, id.0, done])
                    .map(drop)?,
                None => after.done = done,
            }
        }
        if change == Change::Delete {
            after.deleted = 0;
            self.forgive(&[id], Mirror::Delete)?;
        }
        if before == after {
            return Ok(false);
        }
        self.db
            .prepare_cached(
                "UPDATE notification SET read_at = ?2, done_at = ?3, deleted_at = ?4 WHERE id = ?1",
            )?
            .execute([id.0, after.read, after.done, after.deleted])?;
        if after.read == 0 && sets_read(change) {
            self.forgive(&[id], Mirror::Read)?;
        }
        Ok(after.deleted == 0)
    }

    /// The first step after this one, not undone, that `sets` something of this notification.
    fn later(
        &self,
        step: i64,
        id: NotificationId,
        sets: fn(Change) -> bool,
    ) -> Result<Option<i64>, StoreError> {
        let mut statement = self.db.prepare_cached(
            "SELECT r.step, u.change FROM undo_row r CROSS JOIN undo u ON u.id = r.step
             WHERE r.notification = ?1 AND r.step > ?2 ORDER BY r.step",
        )?;
        let mut rows = statement.query([id.0, step])?;
        while let Some(row) = rows.next()? {
            if sets(from_word(row.get(1)?)?) {
                return Ok(Some(row.get(0)?));
            }
        }
        Ok(None)
    }
}

fn sets_read(change: Change) -> bool {
    matches!(change, Change::Read | Change::Unread | Change::Done)
}

fn sets_done(change: Change) -> bool {
    matches!(change, Change::Done | Change::Restore)
}
