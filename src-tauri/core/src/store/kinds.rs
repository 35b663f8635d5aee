//! Types, as they came; and subscriptions that send too much.

use super::row::{count, maybe_time, micros, stamp, time};
use super::{StoreError, Tx};
use crate::model::{AccountId, NotificationId, SubscriptionId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// After so long below its limit a subscription's storm is over, microseconds.
const LULL: i64 = 60 * 1_000_000;

/// A type of a subscription's notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The account.
    pub account: AccountId,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The type; empty: what has none.
    pub kind: String,
    /// When the first came.
    pub first_at: Timestamp,
    /// When the last came.
    pub last_at: Timestamp,
    /// How many ever came.
    pub came: u64,
    /// Of these, opened.
    pub opened: u64,
    /// Unread in the inbox.
    pub unread: u64,
    /// The user has not said yet what to do with it: its first notification.
    pub ask: Option<NotificationId>,
}

/// A subscription that is over its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// Which one.
    pub subscription: SubscriptionId,
    /// Its account.
    pub account: AccountId,
    /// Since when.
    pub since: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

impl Tx<'_> {
    /// All types, the last that came first.
    pub fn kinds(&self) -> Result<Vec<Kind>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT s.account, k.subscription, k.kind, k.first_at, k.last_at, k.came, k.opened, k.unread, k.ask
                 FROM kind k CROSS JOIN subscription s ON s.id = k.subscription
                 WHERE s.active = 1 ORDER BY k.last_at DESC, k.kind",
            )?
            .query_map([], |row| {
                let ask: i64 = row.get(8)?;
                Ok(Kind {
                    account: AccountId(row.get(0)?),
                    subscription: SubscriptionId(row.get(1)?),
                    kind: row.get(2)?,
                    first_at: time(row.get(3)?),
                    last_at: time(row.get(4)?),
                    came: count(row.get(5)?),
                    opened: count(row.get(6)?),
                    unread: count(row.get(7)?),
                    ask: (ask != 0).then_some(NotificationId(ask)),
                })
            })?
            .collect::<Result<_, _>>()?)
    }

    /// If this is the first of its type, and others came before: the user is to be asked what to do with the type.
    pub fn ask_about_new_kind(
        &self,
        id: NotificationId,
        subscription: SubscriptionId,
        kind: &str,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE kind SET ask = ?1 WHERE subscription = ?2 AND kind = ?3 AND came = 1
                     AND EXISTS (SELECT 1 FROM kind WHERE subscription = ?2 AND kind <> ?3)",
            )?
            .execute(params![id.0, subscription.0, kind])?;
        Ok(())
    }

    /// The user has said what to do with a type, or does not want to.
    pub fn asked_about_kind(
        &self,
        subscription: SubscriptionId,
        kind: &str,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE kind SET ask = 0 WHERE subscription = ?1 AND kind = ?2")?
            .execute(params![subscription.0, kind])?;
        Ok(())
    }

    /// The user opened a notification; it counts once.
    pub fn opened(&self, id: NotificationId, now: Timestamp) -> Result<(), StoreError> {
        let first = self
            .db
            .prepare_cached(
                "UPDATE notification SET opened_at = ?2 WHERE id = ?1 AND opened_at = 0",
            )?
            .execute(params![id.0, stamp(now)])?;
        if first > 0 {
            self.db
                .prepare_cached(
                    "UPDATE kind SET opened = opened + 1 WHERE (subscription, kind) =
                         (SELECT subscription, kind FROM notification WHERE id = ?1)",
                )?
                .execute([id.0])?;
        }
        Ok(())
    }

    /// A subscription is over its limit.
    pub fn storm(&self, subscription: SubscriptionId, now: Timestamp) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO storm (subscription, since, last) VALUES (?1, ?2, ?2)
                 ON CONFLICT (subscription) DO UPDATE SET
                     since = CASE WHEN abs(?2 - last) > ?3 THEN ?2 ELSE min(since, ?2) END,
                     dismissed = CASE WHEN abs(?2 - last) > ?3 THEN 0 ELSE dismissed END,
                     last = ?2",
            )?
            .execute(params![subscription.0, micros(now), LULL])?;
        Ok(())
    }

    /// Subscriptions that were over their limit for so long, microseconds, and have not been put away.
    pub fn storms(&self, least: i64) -> Result<Vec<Storm>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT t.subscription, s.account, t.since, t.last FROM storm t
                 CROSS JOIN subscription s ON s.id = t.subscription
                 WHERE t.dismissed = 0 AND t.last - t.since >= ?1 ORDER BY t.since",
            )?
            .query_map([least], |row| {
                Ok(Storm {
                    subscription: SubscriptionId(row.get(0)?),
                    account: AccountId(row.get(1)?),
                    since: time(row.get(2)?),
                    last: time(row.get(3)?),
                })
            })?
            .collect::<Result<_, _>>()?)
    }

    /// The user does not want to hear of this storm any more.
    pub fn dismiss_storm(&self, subscription: SubscriptionId) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE storm SET dismissed = 1 WHERE subscription = ?1")?
            .execute([subscription.0])?;
        Ok(())
    }

    /// When the last notification of a subscription came; none: none ever did.
    pub fn last_came(&self, subscription: SubscriptionId) -> Result<Option<Timestamp>, StoreError> {
        let last: Option<i64> = self
            .db
            .prepare_cached("SELECT max(last_at) FROM kind WHERE subscription = ?1")?
            .query_row([subscription.0], |row| row.get(0))
            .optional()?
            .flatten();
        Ok(last.and_then(maybe_time))
    }
}
