//! Toasts: each shows one delivery or many. pending → claimed → shown → closed.
//!
//! What a toast is about may change while it is on its way to the screen: it goes back to pending then, and
//! its next claim is an update. A member is told once; after a crash only members that were never told are
//! told again, in a digest.

use super::row::{LIGHT, count, maybe_time, micros, notification, stamp, tier, tier_number};
use super::{DeliveryId, StoreError, Tx};
use crate::model::{Notification, NotificationId, SubscriptionId, Tier};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// Members that a job brings along.
const MEMBERS: i64 = 5;

/// A member that still wants attention. Hidden (ephemeral) rows do while they are live.
const WANTED: &str = "n.read_at = 0 AND n.done_at = 0 AND n.deleted_at = 0 AND n.snoozed = 0";

/// Names a toast; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToastId(pub i64);

/// A toast that further members may join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenToast {
    /// Which one.
    pub id: ToastId,
    /// The tier that it was made with.
    pub tier: Tier,
    /// It was made to sound.
    pub sound: bool,
    /// When it was first shown; none: it is on its way.
    pub shown_at: Option<Timestamp>,
}

/// A toast to be shown now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToastJob {
    /// Which one.
    pub id: ToastId,
    /// What it batches; none: it stands alone.
    pub batch: Option<String>,
    /// Its urgency.
    pub tier: Tier,
    /// With the sound of the loudest that it tells of, where any has one.
    pub sound: bool,
    /// It was shown before: edit it in place.
    pub update: bool,
    /// All members that are still unread and in the inbox.
    pub count: u64,
    /// The newest five of these, newest first; bodies cut as in lists.
    pub members: Vec<Notification>,
    /// How many of each subscription, most first, where there are several notifications.
    pub groups: Vec<(SubscriptionId, u64)>,
}

impl Tx<'_> {
    /// Makes a toast, to be shown.
    pub fn new_toast(
        &self,
        batch: Option<&str>,
        tier: Tier,
        sound: bool,
        deliveries: &[DeliveryId],
        now: Timestamp,
    ) -> Result<ToastId, StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO toast (batch, tier, sound, state, pending_at, made_at)
                 VALUES (?1, ?2, ?3, 'pending', ?4, ?4)",
            )?
            .execute(params![
                batch.unwrap_or_default(),
                tier_number(tier),
                sound,
                stamp(now)
            ])?;
        let id = ToastId(self.db.last_insert_rowid());
        self.add_members(id, deliveries)?;
        Ok(id)
    }

    /// The toast of a batch that further members may join: not closed, and not yet shown or first shown at or after
    /// `shown_since`.
    pub fn open_toast(
        &self,
        batch: &str,
        shown_since: Timestamp,
    ) -> Result<Option<ToastId>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT id FROM toast INDEXED BY toast_open
                 WHERE batch = ?1 AND state <> 'closed' AND (shown_at = 0 OR shown_at >= ?2)
                 ORDER BY id DESC LIMIT 1",
            )?
            .query_row(params![batch, micros(shown_since)], |row| row.get(0))
            .optional()?
            .map(ToastId))
    }

    /// The toast that tells of a notification, if it is not closed.
    pub fn open_toast_of(&self, id: NotificationId) -> Result<Option<ToastId>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT t.id FROM toast_member m CROSS JOIN toast t ON t.id = m.toast
                 WHERE m.notification = ?1 AND t.state <> 'closed' ORDER BY t.id DESC LIMIT 1",
            )?
            .query_row([id.0], |row| row.get(0))
            .optional()?
            .map(ToastId))
    }

    /// The last toast of a batch that is not closed.
    pub fn last_open(&self, batch: &str) -> Result<Option<OpenToast>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT id, tier, sound, shown_at FROM toast INDEXED BY toast_open
                 WHERE batch = ?1 AND state <> 'closed' ORDER BY id DESC LIMIT 1",
            )?
            .query_row([batch], |row| {
                Ok(OpenToast {
                    id: ToastId(row.get(0)?),
                    tier: tier(row.get(1)?),
                    sound: row.get(2)?,
                    shown_at: maybe_time(row.get(3)?),
                })
            })
            .optional()?)
    }

    /// What a toast tells of and is still wanted.
    pub fn wanted_of(&self, toast: ToastId) -> Result<Vec<NotificationId>, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT m.notification FROM toast_member m CROSS JOIN notification n ON n.id = m.notification
                 WHERE m.toast = ?1 AND {WANTED} ORDER BY m.notification"
            ))?
            .query_map([toast.0], |row| Ok(NotificationId(row.get(0)?)))?
            .collect::<Result<_, _>>()?)
    }

    /// All that a toast tells of and is still wanted, the most urgent first, of those the newest; until one of them is
    /// what is looked for.
    pub fn loudest<T>(
        &self,
        toast: ToastId,
        pick: impl Fn(&Notification) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {LIGHT} FROM toast_member m CROSS JOIN notification n ON n.id = m.notification
             CROSS JOIN content c ON c.id = n.id
             WHERE m.toast = ?1 AND {WANTED} ORDER BY n.tier DESC, n.sorted_at DESC, n.id DESC"
        ))?;
        for found in statement.query_map([toast.0], notification)? {
            if let Some(picked) = pick(&found?) {
                return Ok(Some(picked));
            }
        }
        Ok(None)
    }

    /// Adds members to a toast, which is pending again: an update if it was shown. `loud`: one of them sounds, as the
    /// toast then does, if it was not shown yet.
    pub fn join_toast(
        &self,
        id: ToastId,
        loud: bool,
        deliveries: &[DeliveryId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.add_members(id, deliveries)?;
        if loud {
            self.db
                .prepare_cached("UPDATE toast SET sound = 1 WHERE id = ?1 AND shown_at = 0")?
                .execute([id.0])?;
        }
        self.db
            .prepare_cached(
                "UPDATE toast SET state = 'pending', pending_at = ?2
                 WHERE id = ?1 AND state IN ('claimed', 'shown')",
            )?
            .execute(params![id.0, stamp(now)])?;
        Ok(())
    }

    /// What these say has changed: their toasts on the screen are pending updates. Says which.
    pub fn touch_toasts_of(&self, ids: &[NotificationId]) -> Result<Vec<ToastId>, StoreError> {
        let mut statement = self.db.prepare_cached(
            "UPDATE toast SET state = 'pending'
             WHERE state IN ('claimed', 'shown')
                 AND id IN (SELECT toast FROM toast_member WHERE notification = ?1)
             RETURNING id",
        )?;
        let mut touched = Vec::new();
        for id in ids {
            for toast in statement.query_map([id.0], |row| row.get(0))? {
                touched.push(ToastId(toast?));
            }
        }
        Ok(touched)
    }

    /// Takes the toast that has waited longest, to be shown now. Toasts of which nothing is unread any more are
    /// closed on the way.
    pub fn claim_toast(&self, now: Timestamp) -> Result<Option<ToastJob>, StoreError> {
        loop {
            let pending: Option<(i64, String, i64, bool, bool)> = self
                .db
                .prepare_cached(
                    "SELECT id, batch, tier, sound, shown_at <> 0 FROM toast INDEXED BY toast_pending
                     WHERE state = 'pending' ORDER BY pending_at, id LIMIT 1",
                )?
                .query_row([], |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                    ))
                })
                .optional()?;
            let Some((id, batch, tier_of, sound, update)) = pending else {
                return Ok(None);
            };
            let wanted = self.wanted(id)?;
            if wanted == 0 {
                self.toast_closed(ToastId(id), now)?;
                continue;
            }
            self.db
                .prepare_cached("UPDATE toast SET state = 'claimed' WHERE id = ?1")?
                .execute([id])?;
            self.db
                .prepare_cached("UPDATE toast_member SET told = 1 WHERE toast = ?1 AND told = 0")?
                .execute([id])?;
            let members = self
                .db
                .prepare_cached(&format!(
                    "SELECT {LIGHT} FROM toast_member m CROSS JOIN notification n ON n.id = m.notification
                     CROSS JOIN content c ON c.id = n.id
                     WHERE m.toast = ?1 AND {WANTED} ORDER BY n.sorted_at DESC, n.id DESC LIMIT ?2"
                ))?
                .query_map(params![id, MEMBERS], notification)?
                .collect::<Result<_, _>>()?;
            return Ok(Some(ToastJob {
                id: ToastId(id),
                batch: (!batch.is_empty()).then_some(batch),
                tier: tier(tier_of),
                sound,
                update,
                count: wanted,
                members,
                groups: if wanted > 1 {
                    self.groups(id)?
                } else {
                    Vec::new()
                },
            }));
        }
    }

    /// A claimed toast is on the screen. False: it was closed while it went there, so take it away again.
    pub fn toast_shown(&self, id: ToastId, now: Timestamp) -> Result<bool, StoreError> {
        self.db
            .prepare_cached(
                "UPDATE delivery SET state = 'shown', shown_at = ?2 WHERE state = 'ready' AND notification IN
                     (SELECT notification FROM toast_member WHERE toast = ?1 AND told = 1)",
            )?
            .execute(params![id.0, stamp(now)])?;
        self.db
            .prepare_cached("UPDATE toast_member SET told = 2 WHERE toast = ?1 AND told = 1")?
            .execute([id.0])?;
        let open = self
            .db
            .prepare_cached(
                "UPDATE toast SET state = CASE state WHEN 'claimed' THEN 'shown' ELSE state END,
                     shown_at = CASE shown_at WHEN 0 THEN ?2 ELSE shown_at END
                 WHERE id = ?1 AND state <> 'closed'",
            )?
            .execute(params![id.0, stamp(now)])?;
        Ok(open > 0)
    }

    /// A claimed toast could not be shown: it is pending again, at its old place.
    pub fn toast_failed(&self, id: ToastId) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE toast SET state = 'pending' WHERE id = ?1 AND state = 'claimed'",
            )?
            .execute([id.0])?;
        self.db
            .prepare_cached("UPDATE toast_member SET told = 0 WHERE toast = ?1 AND told = 1")?
            .execute([id.0])?;
        Ok(())
    }

    /// A toast is gone from the screen, or is not wanted there.
    pub fn toast_closed(&self, id: ToastId, now: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE toast SET state = 'closed', closed_at = ?2 WHERE id = ?1 AND state <> 'closed'",
            )?
            .execute(params![id.0, stamp(now)])?;
        Ok(())
    }

    /// A toast is gone from the screen by its user or the desktop. What it was about to tell is a toast of its own;
    /// says whether there is any.
    pub fn toast_put_away(&self, id: ToastId, now: Timestamp) -> Result<bool, StoreError> {
        let tells_more = self
            .db
            .prepare_cached(
                "UPDATE toast SET shown_at = 0, sound = 1
                 WHERE id = ?1 AND state = 'pending' AND shown_at <> 0 AND EXISTS
                     (SELECT 1 FROM toast_member WHERE toast = ?1 AND told = 0)",
            )?
            .execute([id.0])?;
        if tells_more == 0 {
            self.toast_closed(id, now)?;
            return Ok(false);
        }
        self.db
            .prepare_cached("DELETE FROM toast_member WHERE toast = ?1 AND told <> 0")?
            .execute([id.0])?;
        Ok(true)
    }

    /// All that a toast is about, newest last.
    pub fn members(&self, id: ToastId) -> Result<Vec<NotificationId>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT notification FROM toast_member WHERE toast = ?1 ORDER BY notification",
            )?
            .query_map([id.0], |row| Ok(NotificationId(row.get(0)?)))?
            .collect::<Result<_, _>>()?)
    }

    /// After these were changed: the toasts with any of them of which nothing is unread any more. They are closed
    /// here; the caller takes them from the screen.
    pub fn toasts_over(&self, ids: &[NotificationId]) -> Result<Vec<ToastId>, StoreError> {
        let mut statement = self.db.prepare_cached(
            "SELECT t.id FROM toast_member m CROSS JOIN toast t ON t.id = m.toast
             WHERE m.notification = ?1 AND t.state <> 'closed'",
        )?;
        let mut open: Vec<i64> = Vec::new();
        for id in ids {
            for toast in statement.query_map([id.0], |row| row.get(0))? {
                open.push(toast?);
            }
        }
        open.sort_unstable();
        open.dedup();
        let mut over = Vec::new();
        for toast in open {
            if !self.any_wanted(toast)? {
                let was_on_screen: bool = self
                    .db
                    .prepare_cached(
                        "SELECT state <> 'pending' OR shown_at <> 0 FROM toast WHERE id = ?1",
                    )?
                    .query_row([toast], |row| row.get(0))?;
                self.db
                    .prepare_cached(
                        "UPDATE toast SET state = 'closed', closed_at = pending_at WHERE id = ?1",
                    )?
                    .execute([toast])?;
                if was_on_screen {
                    over.push(ToastId(toast));
                }
            }
        }
        Ok(over)
    }

    /// The notification service began anew: nothing is on the screen any more. Updates that wait are
    /// dropped with it, unless they have members that were never told.
    pub fn forget_shown(&self) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE toast SET state = 'closed', closed_at = pending_at
                 WHERE state = 'shown' OR (state = 'pending' AND shown_at <> 0 AND NOT EXISTS
                     (SELECT 1 FROM toast_member m WHERE m.toast = toast.id AND m.told <> 2))",
            )?
            .execute([])?;
        // What is new in the others is a toast of its own now.
        self.db
            .prepare_cached(
                "UPDATE toast SET shown_at = 0, sound = 1 WHERE state IN ('pending', 'claimed') AND shown_at <> 0",
            )?
            .execute([])?;
        Ok(())
    }

    /// At the start: toasts that were on their way when the last run ended, and those pending since before
    /// `older_than`. They are closed; what was not on its way yet, and is still unread, comes back, oldest
    /// first, to be folded into one digest. What was on its way may have been on the screen: a toast is shown
    /// at most once, and the row is unread.
    pub fn interrupted(
        &self,
        now: Timestamp,
        older_than: Timestamp,
    ) -> Result<Vec<(DeliveryId, Notification)>, StoreError> {
        let toasts: Vec<i64> = self
            .db
            .prepare_cached(
                "SELECT id FROM toast
                 WHERE state <> 'closed' AND (state = 'claimed' OR (state = 'pending' AND pending_at < ?1))",
            )?
            .query_map([micros(older_than)], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut ids: Vec<i64> = Vec::new();
        for toast in toasts {
            let mut statement = self.db.prepare_cached(&format!(
                "SELECT n.id FROM toast_member m CROSS JOIN notification n ON n.id = m.notification
                 WHERE m.toast = ?1 AND m.told = 0 AND {WANTED}"
            ))?;
            for id in statement.query_map([toast], |row| row.get(0))? {
                ids.push(id?);
            }
            self.toast_closed(ToastId(toast), now)?;
        }
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter()
            .map(|id| Ok((DeliveryId(id), self.light(id)?)))
            .collect()
    }

    fn add_members(&self, id: ToastId, deliveries: &[DeliveryId]) -> Result<(), StoreError> {
        let mut statement = self.db.prepare_cached(
            "INSERT OR IGNORE INTO toast_member (toast, notification) VALUES (?1, ?2)",
        )?;
        let mut ready = self.db.prepare_cached(
            "UPDATE delivery SET state = 'ready' WHERE notification = ?1 AND state <> 'ready'",
        )?;
        for delivery in deliveries {
            statement.execute(params![id.0, delivery.0])?;
            ready.execute([delivery.0])?;
        }
        Ok(())
    }

    fn wanted(&self, toast: i64) -> Result<u64, StoreError> {
        let wanted: i64 = self
            .db
            .prepare_cached(&format!(
                "SELECT count(*) FROM toast_member m CROSS JOIN notification n ON n.id = m.notification
                 WHERE m.toast = ?1 AND {WANTED}"
            ))?
            .query_row([toast], |row| row.get(0))?;
        Ok(count(wanted))
    }

    fn groups(&self, toast: i64) -> Result<Vec<(SubscriptionId, u64)>, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT n.subscription, count(*) AS many
                 FROM toast_member m CROSS JOIN notification n ON n.id = m.notification
                 WHERE m.toast = ?1 AND {WANTED} GROUP BY n.subscription ORDER BY many DESC, n.subscription"
            ))?
            .query_map([toast], |row| {
                Ok((SubscriptionId(row.get(0)?), count(row.get(1)?)))
            })?
            .collect::<Result<_, _>>()?)
    }

    fn any_wanted(&self, toast: i64) -> Result<bool, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM toast_member m
                     CROSS JOIN notification n ON n.id = m.notification
                     WHERE m.toast = ?1 AND {WANTED})"
            ))?
            .query_row([toast], |row| row.get(0))?)
    }
}
