//! What the user does with notifications, and undoing it.
//!
//! The states are steps of a ladder: done implies read, read implies seen. Going up sets what is below,
//! coming down clears only its own step.

use super::row::{count, from_json, from_word, json, number, stamp, word};
use super::{StoreError, Tx};
use crate::model::{Mirror, NotificationId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use tidings_api::{Back, Change};

/// Steps that can be undone.
const STEPS: i64 = 50;

/// How long a change can be undone, microseconds; as long as deleted rows are kept.
pub(super) const UNDO_MICROS: i64 = 7 * 24 * 3600 * 1_000_000;

/// Snoozed until the session is unlocked.
pub(super) const UNTIL_UNLOCK: i64 = -1;
/// Snoozed until a server is connected again.
pub(super) const UNTIL_ONLINE: i64 = -2;

/// When each step was taken; 0: it was not.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct States {
    seen: i64,
    read: i64,
    done: i64,
    deleted: i64,
    snoozed: i64,
}

/// A column of undone steps: its name, which changes set it, what it was, and how it is set.
type Step = (&'static str, fn(Change) -> bool, i64, fn(&mut States, i64));

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
            Change::Snooze { back } => {
                after.seen = since(self.seen);
                after.read = 0;
                after.done = 0;
                after.snoozed = back_number(back);
            }
        }
        if sets_snoozed(change) && !matches!(change, Change::Snooze { .. }) {
            after.snoozed = 0;
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
            "SELECT seen_at, read_at, done_at, snoozed FROM notification WHERE id = ?1 AND deleted_at = 0",
        )?;
        let mut write = self.db.prepare_cached(
            "UPDATE notification SET seen_at = ?2, read_at = ?3, done_at = ?4, deleted_at = ?5, snoozed = ?6
             WHERE id = ?1",
        )?;
        let mut remember = self.db.prepare_cached(
            "INSERT INTO undo_row (step, notification, read_at, done_at, snoozed) VALUES (?1, ?2, ?3, ?4, ?5)",
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
                        snoozed: row.get(3)?,
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
                after.deleted,
                after.snoozed,
            ])?;
            if change != Change::Seen {
                let step = match step {
                    Some(step) => step,
                    None => *step.insert(self.begin_step(change, now)?),
                };
                remember.execute(params![
                    step,
                    id.0,
                    before.read,
                    before.done,
                    before.snoozed
                ])?;
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
        let change = from_text(change)?;
        let rows: Vec<(NotificationId, States)> = self
            .db
            .prepare_cached(
                "SELECT notification, read_at, done_at, snoozed FROM undo_row WHERE step = ?1
                 ORDER BY notification",
            )?
            .query_map([step], |row| {
                let was = States {
                    read: row.get(1)?,
                    done: row.get(2)?,
                    snoozed: row.get(3)?,
                    ..States::default()
                };
                Ok((NotificationId(row.get(0)?), was))
            })?
            .collect::<Result<_, _>>()?;
        let mut ids = Vec::with_capacity(rows.len());
        for (id, was) in &rows {
            if self.take_back(step, change, *id, *was)? {
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
            .execute(params![stamp(now), to_text(change)?])?;
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
        was: States,
    ) -> Result<bool, StoreError> {
        let before = self
            .db
            .prepare_cached(
                "SELECT seen_at, read_at, done_at, deleted_at, snoozed FROM notification WHERE id = ?1",
            )?
            .query_row([id.0], |row| {
                Ok(States {
                    seen: row.get(0)?,
                    read: row.get(1)?,
                    done: row.get(2)?,
                    deleted: row.get(3)?,
                    snoozed: row.get(4)?,
                })
            })?;
        let mut after = before;
        let steps: [Step; 3] = [
            ("read_at", sets_read, was.read, |after, at| after.read = at),
            ("done_at", sets_done, was.done, |after, at| after.done = at),
            ("snoozed", sets_snoozed, was.snoozed, |after, at| {
                after.snoozed = at;
            }),
        ];
        for (column, sets, was, set) in steps {
            if !sets(change) {
                continue;
            }
            match self.later(step, id, sets)? {
                Some(later) => self
                    .db
                    .prepare_cached(&format!(
                        "UPDATE undo_row SET {column} = ?3 WHERE step = ?1 AND notification = ?2"
                    ))?
                    .execute([later, id.0, was])
                    .map(drop)?,
                None => set(&mut after, was),
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
                "UPDATE notification SET read_at = ?2, done_at = ?3, deleted_at = ?4, snoozed = ?5 WHERE id = ?1",
            )?
            .execute([id.0, after.read, after.done, after.deleted, after.snoozed])?;
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
            if sets(from_text(row.get(1)?)?) {
                return Ok(Some(row.get(0)?));
            }
        }
        Ok(None)
    }
}

fn sets_read(change: Change) -> bool {
    matches!(
        change,
        Change::Read | Change::Unread | Change::Done | Change::Snooze { .. }
    )
}

fn sets_done(change: Change) -> bool {
    matches!(
        change,
        Change::Done | Change::Restore | Change::Snooze { .. }
    )
}

/// Opening what was put off, to look at it, is no decision about it.
fn sets_snoozed(change: Change) -> bool {
    matches!(
        change,
        Change::Unread | Change::Done | Change::Restore | Change::Snooze { .. }
    )
}

fn back_number(back: Back) -> i64 {
    match back {
        Back::Time { time } => stamp(time),
        Back::Unlock => UNTIL_UNLOCK,
        Back::Online => UNTIL_ONLINE,
    }
}

/// A change as it is kept: its word, or JSON where it says more.
fn to_text(change: Change) -> Result<String, StoreError> {
    match change {
        Change::Snooze { .. } => json(&change),
        plain => word(plain),
    }
}

fn from_text(text: String) -> Result<Change, StoreError> {
    if text.starts_with('{') {
        from_json(&text)
    } else {
        from_word(text)
    }
}
