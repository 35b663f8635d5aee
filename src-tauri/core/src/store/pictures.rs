//! Which pictures are in the cache, and which of them have to go. The files themselves are the engine's.

use super::row::{count, maybe_stamp, micros, number, time};
use super::{StoreError, Tx};
use crate::model::AccountId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;

/// A picture that nobody looked at for so long is forgotten.
const UNUSED: i64 = 30 * 24 * 3600 * 1_000_000;
/// How exactly the last use is known: a write for each look would wear out the disk.
const USED: i64 = 3600 * 1_000_000;
/// Rows that are forgotten in one go for want of room.
const CHUNK: i64 = 64;

/// A picture in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedPicture {
    /// Its file's name.
    pub file: String,
    /// The file's length.
    pub bytes: u64,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// Its last use was long enough ago to be noted anew, by [`Tx::use_picture`].
    pub is_stale_use: bool,
}

/// A picture about to be put into the cache.
#[derive(Clone, Copy, Debug)]
pub struct NewPicture<'a> {
    /// What it is found by.
    pub key: &'a str,
    /// Whose it is: it goes with its account.
    pub account: AccountId,
    /// Its file's name.
    pub file: &'a str,
    /// The file's length.
    pub bytes: usize,
    /// When its server drops it.
    pub expires_at: Option<Timestamp>,
}

impl Tx<'_> {
    /// The picture of a key, unless it has expired.
    pub fn picture(&self, key: &str, now: Timestamp) -> Result<Option<CachedPicture>, StoreError> {
        let now = micros(now);
        Ok(self
            .db
            .prepare_cached(
                "SELECT file, bytes, fetched_at, used_at FROM picture
                 WHERE key = ?1 AND (expires_at = 0 OR expires_at > ?2)",
            )?
            .query_row(params![key, now], |row| {
                let used_at: i64 = row.get(3)?;
                Ok(CachedPicture {
                    file: row.get(0)?,
                    bytes: count(row.get(1)?),
                    fetched_at: time(row.get(2)?),
                    is_stale_use: used_at < now.saturating_sub(USED),
                })
            })
            .optional()?)
    }

    /// Keeps a picture, in place of an older one of its key. The older one's file, if nobody needs it any more.
    pub fn keep_picture(
        &self,
        picture: NewPicture<'_>,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let before = self.drop_picture(picture.key)?;
        self.db
            .prepare_cached(
                "INSERT INTO picture (key, account, file, bytes, fetched_at, used_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
            )?
            .execute(params![
                picture.key,
                picture.account.0,
                picture.file,
                number(picture.bytes as u64),
                micros(now),
                maybe_stamp(picture.expires_at),
            ])?;
        Ok(before.filter(|file| file != picture.file))
    }

    /// It was looked at.
    pub fn use_picture(&self, key: &str, now: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE picture SET used_at = ?2 WHERE key = ?1")?
            .execute(params![key, micros(now)])?;
        Ok(())
    }

    /// Forgets a picture. Its file, if nobody needs it any more.
    pub fn drop_picture(&self, key: &str) -> Result<Option<String>, StoreError> {
        let file: Option<String> = self
            .db
            .prepare_cached("DELETE FROM picture WHERE key = ?1 RETURNING file")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        match file {
            Some(file) if !self.is_needed(&file)? => Ok(Some(file)),
            _ => Ok(None),
        }
    }

    fn is_needed(&self, file: &str) -> Result<bool, StoreError> {
        Ok(self
            .db
            .prepare_cached("SELECT 1 FROM picture WHERE file = ?1 LIMIT 1")?
            .exists([file])?)
    }

    /// Forgets what has expired, what nobody looked at for 30 days, and then what was not looked at for the longest
    /// time, until the rest has at most `budget` bytes. The files that nobody needs any more.
    pub fn trim_pictures(&self, budget: u64, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let now = micros(now);
        let mut over = self.keys(
            "SELECT key FROM picture WHERE used_at < ?1 OR (expires_at <> 0 AND expires_at <= ?2)",
            params![now.saturating_sub(UNUSED), now],
        )?;
        let mut files = Vec::new();
        loop {
            for key in &over {
                files.extend(self.drop_picture(key)?);
            }
            let mut beyond = self.pictures()?.1.saturating_sub(budget);
            if beyond == 0 {
                return Ok(files);
            }
            over.clear();
            let mut oldest = self
                .db
                .prepare_cached("SELECT key, bytes FROM picture ORDER BY used_at, key LIMIT ?1")?;
            let mut rows = oldest.query([CHUNK])?;
            while beyond > 0
                && let Some(row) = rows.next()?
            {
                over.push(row.get(0)?);
                beyond = beyond.saturating_sub(count(row.get(1)?));
            }
            if over.is_empty() {
                return Ok(files);
            }
        }
    }

    fn keys(
        &self,
        statement: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<String>, StoreError> {
        Ok(self
            .db
            .prepare_cached(statement)?
            .query_map(values, |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    /// Forgets all pictures.
    pub fn forget_pictures(&self) -> Result<(), StoreError> {
        self.db.prepare_cached("DELETE FROM picture")?.execute([])?;
        Ok(())
    }

    /// The files that are needed.
    pub fn picture_files(&self) -> Result<BTreeSet<String>, StoreError> {
        Ok(self
            .keys("SELECT DISTINCT file FROM picture", [])?
            .into_iter()
            .collect())
    }

    /// How many files there are, and how many bytes they have.
    pub fn pictures(&self) -> Result<(u64, u64), StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT count(*), coalesce(sum(bytes), 0)
                 FROM (SELECT max(bytes) AS bytes FROM picture GROUP BY file)",
            )?
            .query_row([], |row| Ok((count(row.get(0)?), count(row.get(1)?))))?)
    }
}
