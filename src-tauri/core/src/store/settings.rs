//! Settings of the app, window shapes and the like: a text under a key.

use super::{StoreError, Tx};
use rusqlite::{OptionalExtension, params};

impl Tx<'_> {
    /// What is kept under a key. Keys beginning with `store.` are the store's own.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self
            .db
            .prepare_cached("SELECT value FROM setting WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?)
    }

    /// Keeps a value under a key.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO setting (key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![key, value])?;
        Ok(())
    }

    /// Forgets a key.
    pub(super) fn unset_setting(&self, key: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM setting WHERE key = ?1")?
            .execute([key])?;
        Ok(())
    }
}
