//! What came in some time, for trying preferences out on it.

use super::row::{LIGHT, micros, notification};
use super::{StoreError, Tx};
use crate::model::Notification;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Tx<'_> {
    /// The notifications that came since, oldest first, the newest `most` of them; bodies cut as in lists. Also
    /// those that were deleted since then, as long as their rows are there; none that pass.
    pub fn came_since(&self, since: Timestamp, most: u32) -> Result<Vec<Notification>, StoreError> {
        let first = self.first_since(since)?;
        let mut came: Vec<Notification> = self
            .db
            .prepare_cached(&format!(
                "SELECT {LIGHT} FROM notification n CROSS JOIN content c ON c.id = n.id
                 WHERE n.id >= ?1 AND n.class = 0 AND n.received_at >= ?2 ORDER BY n.id DESC LIMIT ?3"
            ))?
            .query_map(params![first, micros(since), most], notification)?
            .collect::<Result<_, _>>()?;
        came.reverse();
        // A clock that was set back has not changed the order in which they came; time does not run backwards.
        came.sort_by_key(|n| n.received_at);
        Ok(came)
    }

    /// The least id of what came since: ids grow with time, so that halving finds it without an index.
    fn first_since(&self, since: Timestamp) -> Result<i64, StoreError> {
        let newest: Option<i64> = self
            .db
            .prepare_cached("SELECT max(id) FROM notification")?
            .query_row([], |row| row.get(0))?;
        let mut came_at = self.db.prepare_cached(
            "SELECT received_at FROM notification WHERE id >= ?1 ORDER BY id LIMIT 1",
        )?;
        let (mut low, mut high) = (1, newest.unwrap_or(0).saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let at: Option<i64> = came_at.query_row([middle], |row| row.get(0)).optional()?;
            if at.is_some_and(|at| at < micros(since)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
