//! Forgetting, in small steps.

use super::changes::UNDO_MICROS;
use super::row::{Spot, count, micros, number};
use super::{StoreError, Tx};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;

const DAY: i64 = 24 * 3600 * 1_000_000;
/// An ephemeral row without an expiry is over after this.
const EPHEMERAL: i64 = 3600 * 1_000_000;
/// How long a purged row's tombstone stays; longer than any server keeps messages for replay by default.
const TOMBSTONES: i64 = 30 * DAY;
/// How long closed toasts stay.
const TOASTS: i64 = 7 * DAY;
/// Rows looked at in one go.
const CHUNK: i64 = 256;
/// Things beside the rows removed in one go, of each kind.
const SWEEP: i64 = 10_000;
/// Pages given back to the disk in one step.
const PAGES: usize = 256;

/// The last of the newest of a type that are kept: none while there are not so many.
type Kept = HashMap<String, Option<Spot>>;

/// What a step may remove of an account.
#[derive(Clone, Copy)]
struct Limit {
    account: i64,
    /// Only rows before this.
    before: i64,
    /// Not more than this.
    most: usize,
    keep_per_type: u32,
}

impl Tx<'_> {
    /// Removes at most `step` rows that are over, deleted for seven days, older than `keep_days`, or
    /// beyond `keep_count` of their account; says how many. Call again until it says 0: that last step
    /// sweeps what is kept beside the rows, and gives space back to the disk.
    ///
    /// Never removed: an unread critical row, and the newest `keep_per_type` of each type of an account. Age is
    /// measured from `now`, or from a day after the newest row where that is earlier: a clock that jumps ahead
    /// purges nothing.
    pub fn retain(
        &self,
        keep_days: u32,
        keep_count: u32,
        keep_per_type: u32,
        now: Timestamp,
        step: usize,
    ) -> Result<usize, StoreError> {
        let mut removed = 0;
        for id in self.over(micros(now), step)? {
            self.purge(id, now)?;
            removed += 1;
        }
        let today = self.careful_now(micros(now))?;
        let oldest = today.saturating_sub(i64::from(keep_days).saturating_mul(DAY));
        for (account, rows) in self.rows_by_account()? {
            let old = Limit {
                account,
                before: oldest,
                most: step - removed,
                keep_per_type,
            };
            let aged = self.remove_oldest(old, now)?;
            let beyond = rows.saturating_sub(u64::from(keep_count));
            let many = Limit {
                before: i64::MAX,
                most: (step - removed - aged).min(
                    usize::try_from(beyond)
                        .unwrap_or(usize::MAX)
                        .saturating_sub(aged),
                ),
                ..old
            };
            removed += aged + self.remove_oldest(many, now)?;
        }
        if removed == 0 {
            self.sweep(today)?;
        }
        Ok(removed)
    }

    /// Hidden rows that are over, and rows deleted so long ago that it can't be undone.
    fn over(&self, now: i64, most: usize) -> Result<Vec<i64>, StoreError> {
        let most = number(most as u64);
        let mut ids: Vec<i64> = self
            .db
            .prepare_cached(
                "SELECT id FROM notification INDEXED BY notification_deleted
                 WHERE deleted_at <> 0 AND deleted_at < ?1 ORDER BY deleted_at LIMIT ?2",
            )?
            .query_map(params![now.saturating_sub(UNDO_MICROS), most], |row| {
                row.get(0)
            })?
            .collect::<Result<_, _>>()?;
        let left = most - number(ids.len() as u64);
        let mut hidden = self.db.prepare_cached(
            "SELECT id FROM notification INDEXED BY notification_place
             WHERE place = 3 AND (CASE expires_at WHEN 0 THEN received_at + ?2 ELSE expires_at END) < ?1
             ORDER BY sorted_at LIMIT ?3",
        )?;
        for id in hidden.query_map(params![now, EPHEMERAL, left], |row| row.get(0))? {
            ids.push(id?);
        }
        Ok(ids)
    }

    fn careful_now(&self, now: i64) -> Result<i64, StoreError> {
        let mut newest: Option<i64> = None;
        for place in [0, 1] {
            let of_place: Option<i64> = self
                .db
                .prepare_cached("SELECT max(sorted_at) FROM notification WHERE place = ?1")?
                .query_row([place], |row| row.get(0))?;
            newest = newest.max(of_place);
        }
        Ok(newest.map_or(now, |newest| now.min(newest.saturating_add(DAY))))
    }

    /// Rows of the inbox and the archive.
    fn rows_by_account(&self) -> Result<Vec<(i64, u64)>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT s.account, sum(t.inbox + t.archive)
                 FROM subscription s JOIN tally t ON t.subscription = s.id GROUP BY s.account",
            )?
            .query_map([], |row| Ok((row.get(0)?, count(row.get(1)?))))?
            .collect::<Result<_, _>>()?)
    }

    fn remove_oldest(&self, limit: Limit, now: Timestamp) -> Result<usize, StoreError> {
        let mut kept = Kept::new();
        let mut removed = 0;
        let mut after = Spot {
            sorted_at: i64::MIN,
            id: 0,
        };
        while removed < limit.most {
            let oldest = self.oldest(limit, after)?;
            let Some((last, _)) = oldest.last() else {
                break;
            };
            after = *last;
            for (spot, kind) in oldest {
                if removed == limit.most {
                    break;
                }
                let last_kept = if let Some(known) = kept.get(&kind) {
                    *known
                } else {
                    let found = self.last_kept(limit, &kind)?;
                    kept.insert(kind, found);
                    found
                };
                if last_kept.is_some_and(|last| spot < last) {
                    self.purge(spot.id, now)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// The next rows that may go, oldest first, with their types.
    fn oldest(&self, limit: Limit, after: Spot) -> Result<Vec<(Spot, String)>, StoreError> {
        let mut statement = self.db.prepare_cached(
            "SELECT n.sorted_at, n.id, n.kind FROM notification n INDEXED BY notification_account
             WHERE n.account = ?1 AND n.place = ?2 AND n.sorted_at < ?3 AND (n.sorted_at, n.id) > (?4, ?5)
                 AND NOT (n.unread = 1 AND n.tier = 2) AND n.snoozed = 0
             ORDER BY n.sorted_at, n.id LIMIT ?6",
        )?;
        let mut found: Vec<(Spot, String)> = Vec::new();
        for place in [0, 1] {
            let rows = statement.query_map(
                params![
                    limit.account,
                    place,
                    limit.before,
                    after.sorted_at,
                    after.id,
                    CHUNK
                ],
                |row| {
                    let spot = Spot {
                        sorted_at: row.get(0)?,
                        id: row.get(1)?,
                    };
                    Ok((spot, row.get(2)?))
                },
            )?;
            for row in rows {
                found.push(row?);
            }
        }
        found.sort_unstable();
        found.truncate(usize::try_from(CHUNK).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// The last row of a type that is kept whatever its age.
    fn last_kept(&self, limit: Limit, kind: &str) -> Result<Option<Spot>, StoreError> {
        if limit.keep_per_type == 0 {
            return Ok(Some(Spot {
                sorted_at: i64::MAX,
                id: i64::MAX,
            }));
        }
        Ok(self
            .db
            .prepare_cached(
                "SELECT n.sorted_at, n.id FROM notification n INDEXED BY notification_kind
                 WHERE n.account = ?1 AND n.kind = ?2 AND n.place < 2
                 ORDER BY n.sorted_at DESC, n.id DESC LIMIT 1 OFFSET ?3",
            )?
            .query_row(
                params![limit.account, kind, limit.keep_per_type - 1],
                |row| {
                    Ok(Spot {
                        sorted_at: row.get(0)?,
                        id: row.get(1)?,
                    })
                },
            )
            .optional()?)
    }

    fn sweep(&self, today: i64) -> Result<(), StoreError> {
        for (statement, age) in [
            (
                "DELETE FROM tombstone WHERE (subscription, remote_id) IN
                 (SELECT subscription, remote_id FROM tombstone WHERE at < ?1 ORDER BY at LIMIT ?2)",
                TOMBSTONES,
            ),
            (
                "DELETE FROM mark WHERE (subscription, replace_key) IN
                 (SELECT subscription, replace_key FROM mark WHERE at < ?1 ORDER BY at LIMIT ?2)",
                TOMBSTONES,
            ),
            (
                "DELETE FROM undo WHERE id IN (SELECT id FROM undo WHERE at < ?1 LIMIT ?2)",
                UNDO_MICROS,
            ),
            (
                "DELETE FROM toast WHERE id IN
                 (SELECT id FROM toast WHERE state = 'closed' AND closed_at < ?1 LIMIT ?2)",
                TOASTS,
            ),
            (
                "DELETE FROM outbox WHERE id IN
                 (SELECT id FROM outbox WHERE gave_up = 1 AND due_at < ?1 LIMIT ?2)",
                TOMBSTONES,
            ),
        ] {
            self.db
                .prepare_cached(statement)?
                .execute(params![today.saturating_sub(age), SWEEP])?;
        }
        let mut vacuum = self
            .db
            .prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
        Ok(())
    }
}
