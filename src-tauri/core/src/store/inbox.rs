//! What comes in: exactly one row for what the server means to be one thing.
//!
//! Two keys decide. The `remote_id` says whether a message was stored before; the `replace_key` with its
//! version says which row it is a newer version of. Both outlive the row: a deleted row stays, hidden, until
//! it is purged, and leaves a tombstone and a mark then. What was read or deleted elsewhere is remembered by
//! version, so that a clear or a delete may overtake its message.

use super::row::{
    LIGHT, WHOLE, attachment_text, class_number, format_number, json, maybe_stamp, micros,
    notification, origin_number, stamp, tier_number, time,
};
use super::{StoreError, Tx};
use crate::model::{
    AccountId, Draft, Fate, Mirror, Notification, NotificationId, Origin, Revision, SubscriptionId,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// Earlier versions kept of a row.
const REVISIONS: i64 = 20;

/// A row that a message may be, or may replace.
pub(super) struct Present {
    id: i64,
    remote_id: String,
    pub(super) version: i64,
    deleted: bool,
}

/// What is remembered of a message that has no row.
struct Remembered {
    buried: bool,
    alias: Option<i64>,
    read_version: i64,
    deleted_version: i64,
}

impl Tx<'_> {
    /// Stores what a backend read.
    ///
    /// A `remote_id` that was stored before, here or in a row purged within 30 days, is
    /// [`Fate::Known`]; with another text, the subscription counts a reused id and the row stays as it is. A
    /// version of a known `replace_key` that is not older than the row edits it: the earlier text becomes a
    /// revision; read, done and the place in the list stay. A version above a deleted one is new again.
    pub fn insert(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
        mut draft: Draft,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        if let Some(row) = self.by_remote_id(subscription, &draft.remote_id)? {
            self.count_reuse(subscription, row.id, &draft)?;
            return Ok(Fate::Known(
                (!row.deleted).then_some(NotificationId(row.id)),
            ));
        }
        let remembered = self.remembered(subscription, &draft)?;
        if remembered.buried {
            return Ok(Fate::Known(None));
        }
        if let Some(id) = remembered.alias {
            return Ok(Fate::Known(Some(NotificationId(id))));
        }
        let deleted_elsewhere = draft.version <= remembered.deleted_version;
        if let Some(row) = self.by_replace_key(subscription, &draft.replace_key)? {
            let id = NotificationId(row.id);
            if row.deleted {
                if deleted_elsewhere || draft.version <= row.version {
                    return Ok(Fate::Known(None));
                }
                // New again. What was deleted can't be undone any more.
                self.purge(row.id, now)?;
            } else if deleted_elsewhere || draft.version < row.version {
                return Ok(Fate::Known(Some(id)));
            } else {
                self.replace(subscription, &row, &draft, now)?;
                if draft.version <= remembered.read_version {
                    self.mark_read(row.id, now)?;
                }
                return Ok(Fate::Updated(id));
            }
        } else if deleted_elsewhere {
            return Ok(Fate::Known(None));
        }
        // As they come back from the database.
        draft.created_at = time(micros(draft.created_at));
        draft.expires_at = draft.expires_at.map(|at| time(stamp(at)));
        let read_at = (draft.version <= remembered.read_version).then(|| time(stamp(now)));
        let id = self.add(account, subscription, &draft, origin, read_at, now)?;
        Ok(Fate::New(Box::new(Notification {
            tier: draft.tier,
            id,
            account,
            subscription,
            draft,
            origin,
            received_at: time(micros(now)),
            seen_at: read_at,
            read_at,
            done_at: None,
            revisions: 0,
        })))
    }

    /// It was read elsewhere, up to this version. Says which rows are read by it. Versions that come
    /// later are read when they come. Hearing it again does nothing: the user may have marked it unread
    /// since.
    pub fn read_elsewhere(
        &self,
        subscription: SubscriptionId,
        replace_key: &str,
        version: i64,
        now: Timestamp,
    ) -> Result<Vec<NotificationId>, StoreError> {
        if !self.mark_heard_read(subscription.0, replace_key, version, now)? {
            return Ok(Vec::new());
        }
        match self.by_replace_key(subscription, replace_key)? {
            Some(row)
                if !row.deleted && row.version <= version && self.mark_read(row.id, now)? =>
            {
                Ok(vec![NotificationId(row.id)])
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What is here of a subscription with versions in this range, without what was deleted: replace key,
    /// remote id and version.
    pub fn versions_between(
        &self,
        subscription: SubscriptionId,
        from: i64,
        to: i64,
    ) -> Result<Vec<(String, String, i64)>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT CASE replace_key WHEN '' THEN remote_id ELSE replace_key END, remote_id, version
                 FROM notification
                 WHERE subscription = ?1 AND place IN (0, 1, 4) AND version BETWEEN ?2 AND ?3",
            )?
            .query_map(params![subscription.0, from, to], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<_, _>>()?)
    }

    /// It was deleted elsewhere, up to this version. Says which rows went. Versions that come later
    /// never appear. It is no change of the user's, so there is nothing to undo. Hearing it again does
    /// nothing: it may be the echo of a delete that was undone here since.
    pub fn removed_elsewhere(
        &self,
        subscription: SubscriptionId,
        replace_key: &str,
        version: i64,
        now: Timestamp,
    ) -> Result<Vec<NotificationId>, StoreError> {
        if !self.mark_deleted(subscription.0, replace_key, version, now)? {
            return Ok(Vec::new());
        }
        match self.by_replace_key(subscription, replace_key)? {
            Some(row) if !row.deleted && row.version <= version => {
                self.db
                    .prepare_cached("UPDATE notification SET deleted_at = ?2 WHERE id = ?1")?
                    .execute(params![row.id, stamp(now)])?;
                Ok(vec![NotificationId(row.id)])
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The server repeats what this inbox told it: remembered, so that a replay is no news either, and
    /// nothing else. The user may have changed their mind since.
    pub fn own_echo(
        &self,
        subscription: SubscriptionId,
        replace_key: &str,
        mirror: Mirror,
        version: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match mirror {
            Mirror::Read => self.mark_heard_read(subscription.0, replace_key, version, now)?,
            Mirror::Delete => self.mark_deleted(subscription.0, replace_key, version, now)?,
        };
        Ok(())
    }

    /// One notification, whole; [`StoreError::NotFound`] if it was deleted.
    pub fn notification(&self, id: NotificationId) -> Result<Notification, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT {WHOLE} FROM notification n CROSS JOIN content c ON c.id = n.id
                 WHERE n.id = ?1 AND n.deleted_at = 0"
            ))?
            .query_row([id.0], notification)?)
    }

    /// These, whole, in this order, without those that are gone.
    pub fn notifications(&self, ids: &[NotificationId]) -> Result<Vec<Notification>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            match self.notification(*id) {
                Ok(notification) => found.push(notification),
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// One notification as lists show it, also if it was deleted: without its raw frame, its body cut.
    pub(super) fn light(&self, id: i64) -> Result<Notification, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT {LIGHT} FROM notification n CROSS JOIN content c ON c.id = n.id WHERE n.id = ?1"
            ))?
            .query_row([id], notification)?)
    }

    /// Earlier texts of a notification, newest first, at most 20.
    pub fn revisions(&self, id: NotificationId) -> Result<Vec<Revision>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT replaced_at, title, body FROM revision WHERE notification = ?1 ORDER BY id DESC",
            )?
            .query_map([id.0], |row| {
                Ok(Revision {
                    replaced_at: time(row.get(0)?),
                    title: row.get(1)?,
                    body: row.get(2)?,
                })
            })?
            .collect::<Result<_, _>>()?)
    }

    /// How often the server used an id again for another text.
    pub fn reused_ids(&self, subscription: SubscriptionId) -> Result<u64, StoreError> {
        let times: i64 = self
            .db
            .prepare_cached("SELECT reused_ids FROM subscription WHERE id = ?1")?
            .query_row([subscription.0], |row| row.get(0))?;
        Ok(super::row::count(times))
    }

    /// Removes a row for good, leaving what keeps a replay from bringing it back.
    pub(super) fn purge(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let (subscription, remote_id, replace_key, version, class, deleted): (
            i64,
            String,
            String,
            i64,
            i64,
            bool,
        ) = self
            .db
            .prepare_cached(
                "SELECT subscription, remote_id, replace_key, version, class, deleted_at <> 0
                 FROM notification WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                ))
            })?;
        // Typing and progress are never replayed, and there are many.
        if class == 0 || deleted {
            self.db
                .prepare_cached(
                    "INSERT OR REPLACE INTO tombstone (subscription, remote_id, at)
                     SELECT ?1, ?2, ?4 UNION ALL
                     SELECT subscription, remote_id, ?4 FROM alias WHERE notification = ?3",
                )?
                .execute(params![subscription, remote_id, id, stamp(now)])?;
            if deleted || !replace_key.is_empty() {
                let key = if replace_key.is_empty() {
                    &remote_id
                } else {
                    &replace_key
                };
                self.mark_deleted(subscription, key, version, now)?;
            }
        }
        self.db
            .prepare_cached("DELETE FROM notification WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Whether that was news.
    fn mark_heard_read(
        &self,
        subscription: i64,
        replace_key: &str,
        version: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let news = self
            .db
            .prepare_cached(
                "INSERT INTO mark (subscription, replace_key, read_version, at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (subscription, replace_key) DO UPDATE SET
                     read_version = excluded.read_version, at = max(at, excluded.at)
                 WHERE excluded.read_version > read_version",
            )?
            .execute(params![subscription, replace_key, version, stamp(now)])?;
        Ok(news > 0)
    }

    pub(super) fn mark_deleted(
        &self,
        subscription: i64,
        replace_key: &str,
        version: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let news = self
            .db
            .prepare_cached(
                "INSERT INTO mark (subscription, replace_key, deleted_version, at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (subscription, replace_key) DO UPDATE SET
                     deleted_version = excluded.deleted_version, at = max(at, excluded.at)
                 WHERE excluded.deleted_version > deleted_version",
            )?
            .execute(params![subscription, replace_key, version, stamp(now)])?;
        Ok(news > 0)
    }

    fn by_remote_id(
        &self,
        subscription: SubscriptionId,
        remote_id: &str,
    ) -> Result<Option<Present>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT id, remote_id, version, deleted_at <> 0 FROM notification
                 WHERE subscription = ?1 AND remote_id = ?2",
            )?
            .query_row(params![subscription.0, remote_id], present)
            .optional()?)
    }

    /// Most keys are their row's remote id and kept only as that.
    pub(super) fn by_replace_key(
        &self,
        subscription: SubscriptionId,
        replace_key: &str,
    ) -> Result<Option<Present>, StoreError> {
        if replace_key.is_empty() {
            return Ok(None);
        }
        Ok(self
            .db
            .prepare_cached(
                "SELECT id, remote_id, version, deleted_at <> 0 FROM notification
                     WHERE subscription = ?1 AND remote_id = ?2 AND replace_key = ''
                 UNION ALL
                 SELECT id, remote_id, version, deleted_at <> 0 FROM notification
                     WHERE subscription = ?1 AND replace_key = ?2 AND replace_key <> ''
                 LIMIT 1",
            )?
            .query_row(params![subscription.0, replace_key], present)
            .optional()?)
    }

    fn remembered(
        &self,
        subscription: SubscriptionId,
        draft: &Draft,
    ) -> Result<Remembered, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM tombstone WHERE subscription = ?1 AND remote_id = ?2),
                     (SELECT notification FROM alias WHERE subscription = ?1 AND remote_id = ?2),
                     m.read_version, m.deleted_version
                 FROM (SELECT 1) LEFT JOIN mark m ON m.subscription = ?1 AND m.replace_key = ?3",
            )?
            .query_row(
                params![subscription.0, draft.remote_id, draft.replace_key],
                |row| {
                    Ok(Remembered {
                        buried: row.get(0)?,
                        alias: row.get(1)?,
                        read_version: row.get::<_, Option<i64>>(2)?.unwrap_or(i64::MIN),
                        deleted_version: row.get::<_, Option<i64>>(3)?.unwrap_or(i64::MIN),
                    })
                },
            )?)
    }

    fn count_reuse(
        &self,
        subscription: SubscriptionId,
        id: i64,
        draft: &Draft,
    ) -> Result<(), StoreError> {
        let same: bool = self
            .db
            .prepare_cached("SELECT title = ?2 AND body = ?3 FROM content WHERE id = ?1")?
            .query_row(params![id, draft.title, draft.body], |row| row.get(0))?;
        if !same {
            self.db
                .prepare_cached(
                    "UPDATE subscription SET reused_ids = reused_ids + 1 WHERE id = ?1",
                )?
                .execute([subscription.0])?;
        }
        Ok(())
    }

    fn add(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
        draft: &Draft,
        origin: Origin,
        read_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<NotificationId, StoreError> {
        // A server whose clock is ahead does not stay on top of the list.
        let sorted_at = micros(draft.created_at).min(micros(now));
        self.db
            .prepare_cached(
                "INSERT INTO notification (account, subscription, remote_id, replace_key, version, class, origin,
                     kind, tier, priority, format, silent, created_at, received_at, sorted_at, expires_at,
                     seen_at, read_at, given_tier)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17, ?9)",
            )?
            .execute(params![
                account.0,
                subscription.0,
                draft.remote_id,
                explicit_key(draft),
                draft.version,
                class_number(draft.class),
                origin_number(origin),
                draft.kind,
                tier_number(draft.tier),
                draft.priority,
                format_number(draft.format),
                draft.silent,
                micros(draft.created_at),
                micros(now),
                sorted_at,
                maybe_stamp(draft.expires_at),
                maybe_stamp(read_at),
            ])?;
        let id = self.db.last_insert_rowid();
        self.db
            .prepare_cached(
                "INSERT INTO content (id, url, icon, actions, attachment, tags, title, body, raw)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                draft.url.as_deref().unwrap_or_default(),
                draft.icon.as_deref().unwrap_or_default(),
                json(&draft.actions)?,
                attachment_text(draft.attachment.as_ref())?,
                json(&draft.tags)?,
                draft.title,
                draft.body,
                draft.raw,
            ])?;
        Ok(NotificationId(id))
    }

    fn replace(
        &self,
        subscription: SubscriptionId,
        row: &Present,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let other_text: bool = self
            .db
            .prepare_cached("SELECT title <> ?2 OR body <> ?3 FROM content WHERE id = ?1")?
            .query_row(params![row.id, draft.title, draft.body], |row| row.get(0))?;
        if other_text {
            self.keep_revision(row.id, now)?;
        }
        if draft.version == row.version {
            self.db
                .prepare_cached(
                    "INSERT OR REPLACE INTO alias (subscription, remote_id, notification)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute(params![subscription.0, row.remote_id, row.id])?;
        } else {
            // Their version says enough from now on.
            self.db
                .prepare_cached("DELETE FROM alias WHERE notification = ?1")?
                .execute([row.id])?;
        }
        self.db
            .prepare_cached(
                "UPDATE notification SET remote_id = ?2, replace_key = ?3, version = ?4, class = ?5, kind = ?6,
                     tier = CASE given_tier WHEN ?7 THEN tier ELSE ?7 END, given_tier = ?7, priority = ?8, format = ?9, silent = ?10, created_at = ?11, expires_at = ?12,
                     revisions = (SELECT count(*) FROM revision WHERE notification = ?1)
                 WHERE id = ?1",
            )?
            .execute(params![
                row.id,
                draft.remote_id,
                explicit_key(draft),
                draft.version,
                class_number(draft.class),
                draft.kind,
                tier_number(draft.tier),
                draft.priority,
                format_number(draft.format),
                draft.silent,
                micros(draft.created_at),
                maybe_stamp(draft.expires_at),
            ])?;
        self.db
            .prepare_cached(
                "UPDATE content SET url = ?2, icon = ?3, actions = ?4, attachment = ?5, tags = ?6, title = ?7,
                     body = ?8, raw = ?9
                 WHERE id = ?1",
            )?
            .execute(params![
                row.id,
                draft.url.as_deref().unwrap_or_default(),
                draft.icon.as_deref().unwrap_or_default(),
                json(&draft.actions)?,
                attachment_text(draft.attachment.as_ref())?,
                json(&draft.tags)?,
                draft.title,
                draft.body,
                draft.raw,
            ])?;
        Ok(())
    }

    fn keep_revision(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO revision (notification, replaced_at, title, body)
                 SELECT id, ?2, title, body FROM content WHERE id = ?1",
            )?
            .execute(params![id, stamp(now)])?;
        self.db
            .prepare_cached(
                "DELETE FROM revision WHERE notification = ?1 AND id <=
                 (SELECT id FROM revision WHERE notification = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![id, REVISIONS])?;
        Ok(())
    }

    /// Whether this made it read.
    fn mark_read(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let changed = self
            .db
            .prepare_cached(
                "UPDATE notification SET read_at = ?2, seen_at = CASE seen_at WHEN 0 THEN ?2 ELSE seen_at END
                 WHERE id = ?1 AND read_at = 0",
            )?
            .execute(params![id, stamp(now)])?;
        Ok(changed > 0)
    }
}

/// The key as it is kept: empty where it is the remote id.
fn explicit_key(draft: &Draft) -> &str {
    if draft.replace_key == draft.remote_id {
        ""
    } else {
        &draft.replace_key
    }
}

fn present(row: &rusqlite::Row<'_>) -> rusqlite::Result<Present> {
    Ok(Present {
        id: row.get(0)?,
        remote_id: row.get(1)?,
        version: row.get(2)?,
        deleted: row.get(3)?,
    })
}
