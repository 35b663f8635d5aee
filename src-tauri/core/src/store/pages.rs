//! The inbox, read: pages, the targets of a change, counts.
//!
//! A list is sorted by the server's time, never later than the time of arrival, then by arrival. A page goes on
//! after the last row of the one before (keyset), so rows that come meanwhile shift nothing. A search for
//! words is sorted by arrival alone: that is the order in which the word index can be read without
//! sorting all that it finds.

use super::row::{LIGHT, Spot, count, micros, notification, spot};
use super::search::{self, Is, Search};
use super::{StoreError, Tx};
use crate::model::{AccountId, Notification, NotificationId, SubscriptionId};
use jiff::Zoned;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params_from_iter};
use tidings_api::{Counts, ListQuery, Place};

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 500;
/// Subscriptions that `from:` may mean and that are read each by its own index and merged; more are
/// filtered from the list of all.
const MERGED: usize = 16;

/// The rows of one index, newest first.
#[derive(Clone, Copy)]
enum Slice {
    Everywhere,
    Account(AccountId),
    Subscription(SubscriptionId),
}

/// Where a page begins.
#[derive(Clone, Copy)]
enum After {
    Start,
    Spot(Spot),
    Arrival(i64),
}

/// A query made ready: what to look through, and what rows must be.
struct Plan {
    slices: Vec<Slice>,
    place: Place,
    search: Search,
    /// Subscriptions that `from:` means, where they are not slices.
    among: Option<Vec<SubscriptionId>>,
    /// Read, where the place does not say so itself.
    read: bool,
}

impl Tx<'_> {
    /// A page, newest first, and the marker of the next one. Bodies are cut to
    /// [`LIST_BODY_CHARS`](super::LIST_BODY_CHARS) characters and the raw frame is left out. A search that
    /// makes no sense is [`StoreError::BadQuery`]. `now` says what `monday` is.
    pub fn page(
        &self,
        query: &ListQuery,
        now: &Zoned,
    ) -> Result<(Vec<Notification>, Option<String>), StoreError> {
        let limit = match query.limit {
            0 => DEFAULT_LIMIT,
            other => other.min(MOST),
        } as usize;
        if let Some(toast) = query.toast {
            return self.told_of(toast, query.before.as_deref(), limit);
        }
        let plan = self.plan(query, now)?;
        let after = read_marker(query.before.as_deref(), !plan.search.words.is_empty())?;
        let mut rows = self.rows(&plan, after, Some(limit + 1), LIGHT, |row| {
            Ok((spot(row)?, notification(row)?))
        })?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = match rows.last() {
            Some((last, _)) if more => Some(marker(*last, !plan.search.words.is_empty())),
            _ => None,
        };
        Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
    }

    /// All that a query finds, newest first; its `before` and `limit` are ignored.
    pub fn resolve(
        &self,
        query: &ListQuery,
        now: &Zoned,
    ) -> Result<Vec<NotificationId>, StoreError> {
        if let Some(toast) = query.toast {
            let (told, _) = self.told_of(toast, None, usize::MAX >> 1)?;
            return Ok(told.into_iter().map(|n| n.id).collect());
        }
        let plan = self.plan(query, now)?;
        let ids = self.rows(&plan, After::Start, None, "n.id, n.sorted_at", |row| {
            let id = row.get(0)?;
            let spot = Spot {
                sorted_at: row.get(1)?,
                id,
            };
            Ok((spot, NotificationId(id)))
        })?;
        Ok(ids.into_iter().map(|(_, id)| id).collect())
    }

    /// What a toast told of, newest first, without what was deleted since, and the marker of the next page.
    fn told_of(
        &self,
        toast: i64,
        before: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Notification>, Option<String>), StoreError> {
        let spot_before = match read_marker(before, false)? {
            After::Spot(spot) => spot,
            After::Start | After::Arrival(_) => Spot {
                sorted_at: i64::MAX,
                id: i64::MAX,
            },
        };
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut rows: Vec<(Spot, Notification)> = self
            .db
            .prepare_cached(&format!(
                "SELECT {LIGHT} FROM toast_member m CROSS JOIN notification n ON n.id = m.notification
                 CROSS JOIN content c ON c.id = n.id
                 WHERE m.toast = ?1 AND n.deleted_at = 0 AND (n.sorted_at, n.id) < (?2, ?3)
                 ORDER BY n.sorted_at DESC, n.id DESC LIMIT ?4"
            ))?
            .query_map([toast, spot_before.sorted_at, spot_before.id, wanted], |row| {
                Ok((spot(row)?, notification(row)?))
            })?
            .collect::<Result<_, _>>()?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|(last, _)| marker(*last, false));
        Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
    }

    /// The newest of the inbox.
    pub fn latest(&self, wanted: usize) -> Result<Vec<Notification>, StoreError> {
        let plan = Plan {
            slices: vec![Slice::Everywhere],
            place: Place::All,
            search: Search::default(),
            among: None,
            read: false,
        };
        let rows = self.rows(&plan, After::Start, Some(wanted), LIGHT, |row| {
            Ok((spot(row)?, notification(row)?))
        })?;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// What came last through an account, as it came; of the archive where the inbox has nothing of it.
    pub fn last_frame(&self, account: AccountId) -> Result<Option<String>, StoreError> {
        for place in [0, 1] {
            let frame = self
                .db
                .prepare_cached(
                    "SELECT c.raw FROM notification n CROSS JOIN content c ON c.id = n.id
                     WHERE n.account = ?1 AND n.place = ?2 ORDER BY n.sorted_at DESC LIMIT 1",
                )?
                .query_row([account.0, place], |row| row.get(0))
                .optional()?;
            if frame.is_some() {
                return Ok(frame);
            }
        }
        Ok(None)
    }

    /// How many. Kept as rows change, not counted. `badge`: whether what is unread of a subscription and type
    /// counts.
    pub fn counts(
        &self,
        badge: &dyn Fn(AccountId, SubscriptionId, &str) -> bool,
    ) -> Result<Counts, StoreError> {
        let mut counts = self
            .db
            .prepare_cached("SELECT coalesce(sum(inbox), 0), coalesce(sum(archive), 0) FROM tally")?
            .query_row([], |row| {
                Ok(Counts {
                    all: count(row.get(0)?),
                    done: count(row.get(1)?),
                    ..Counts::default()
                })
            })?;
        let mut kinds = self.db.prepare_cached(
            "SELECT s.account, k.subscription, k.kind, k.unread, k.critical
             FROM kind k INDEXED BY kind_unread CROSS JOIN subscription s ON s.id = k.subscription
             WHERE k.unread > 0",
        )?;
        let mut rows = kinds.query([])?;
        while let Some(row) = rows.next()? {
            let kind = row.get_ref(2)?.as_str().unwrap_or_default();
            if badge(AccountId(row.get(0)?), SubscriptionId(row.get(1)?), kind) {
                counts.unread += count(row.get(3)?);
                counts.critical += count(row.get(4)?);
            }
        }
        counts.held = self.waiting_for_pause()?;
        counts.owed = self.owed_in_all()?;
        Ok(counts)
    }

    /// Unread in the inbox, of one subscription, muted or not.
    pub fn unread_of(&self, subscription: SubscriptionId) -> Result<u64, StoreError> {
        let unread: i64 = self
            .db
            .prepare_cached("SELECT unread FROM tally WHERE subscription = ?1")?
            .query_row([subscription.0], |row| row.get(0))?;
        Ok(count(unread))
    }

    /// The same of every subscription that has any.
    pub fn unread_by_subscription(&self) -> Result<Vec<(SubscriptionId, u64)>, StoreError> {
        Ok(self
            .db
            .prepare_cached("SELECT subscription, unread FROM tally WHERE unread > 0")?
            .query_map([], |row| {
                Ok((SubscriptionId(row.get(0)?), count(row.get(1)?)))
            })?
            .collect::<Result<_, _>>()?)
    }

    fn plan(&self, query: &ListQuery, now: &Zoned) -> Result<Plan, StoreError> {
        let search = search::parse(&query.search, now)?;
        let place = match search.is {
            Some(Is::Unread) => Place::Unread,
            Some(Is::Done) => Place::Done,
            Some(Is::Snoozed) => Place::Snoozed,
            Some(Is::Read) if query.place == Place::Unread => Place::All,
            Some(Is::Read) | None => query.place,
        };
        let mut plan = Plan {
            read: search.is == Some(Is::Read),
            place,
            search,
            among: None,
            slices: Vec::new(),
        };
        let whole = match (query.subscription, query.account) {
            (Some(subscription), Some(account)) => {
                if self.subscription(subscription)?.account != account {
                    return Ok(plan);
                }
                Slice::Subscription(subscription)
            }
            (Some(subscription), None) => Slice::Subscription(subscription),
            (None, Some(account)) => Slice::Account(account),
            (None, None) => Slice::Everywhere,
        };
        if plan.search.from.is_empty() {
            plan.slices.push(whole);
            return Ok(plan);
        }
        let mut named = self.named(&plan.search.from)?;
        named.retain(|(subscription, account)| match whole {
            Slice::Everywhere => true,
            Slice::Account(only) => *account == only,
            Slice::Subscription(only) => *subscription == only,
        });
        let named: Vec<_> = named
            .into_iter()
            .map(|(subscription, _)| subscription)
            .collect();
        if named.len() <= MERGED && plan.search.words.is_empty() {
            plan.slices = named.into_iter().map(Slice::Subscription).collect();
        } else {
            plan.slices.push(whole);
            plan.among = Some(named);
        }
        Ok(plan)
    }

    /// Subscriptions whose own or whose account's name has one of these parts.
    fn named(&self, parts: &[String]) -> Result<Vec<(SubscriptionId, AccountId)>, StoreError> {
        let mut statement = self.db.prepare_cached(
            "SELECT s.id, s.account, s.name, s.topic, a.name
             FROM subscription s JOIN account a ON a.id = s.account",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let names: [String; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
            if names.iter().any(|name| {
                let name = name.to_lowercase();
                parts.iter().any(|part| name.contains(part))
            }) {
                found.push((SubscriptionId(row.get(0)?), AccountId(row.get(1)?)));
            }
        }
        Ok(found)
    }

    fn rows<T>(
        &self,
        plan: &Plan,
        after: After,
        limit: Option<usize>,
        columns: &str,
        map: impl Fn(&Row<'_>) -> rusqlite::Result<(Spot, T)>,
    ) -> Result<Vec<(Spot, T)>, StoreError> {
        let mut found = Vec::new();
        for slice in &plan.slices {
            let (sql, values) = plan.statement(*slice, after, limit, columns);
            let mut statement = self.db.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                found.push(map(row)?);
            }
        }
        if plan.slices.len() > 1 {
            found.sort_unstable_by_key(|(spot, _)| std::cmp::Reverse(*spot));
            found.truncate(limit.unwrap_or(usize::MAX));
        }
        Ok(found)
    }
}

impl Plan {
    /// The statement for one slice. The index is named, so that no filter can tempt the planner
    /// into sorting.
    fn statement(
        &self,
        slice: Slice,
        after: After,
        limit: Option<usize>,
        columns: &str,
    ) -> (String, Vec<Value>) {
        let mut wanted: Vec<String> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mut bind = |value: Value| {
            values.push(value);
            format!("?{}", values.len())
        };
        let by_words = !self.search.words.is_empty();
        let (unread, place) = match self.place {
            Place::All => (false, 0),
            Place::Unread => (true, 0),
            Place::Done => (false, 1),
            Place::Snoozed => (false, 4),
        };
        wanted.push(if unread {
            "n.unread = 1".to_owned()
        } else {
            format!("n.place = {place}")
        });
        let index = match (slice, unread) {
            (Slice::Everywhere, false) => "notification_place",
            (Slice::Everywhere, true) => "notification_unread",
            (Slice::Account(_), false) => "notification_account",
            (Slice::Account(_), true) => "notification_unread_account",
            (Slice::Subscription(_), false) => "notification_subscription",
            (Slice::Subscription(_), true) => "notification_unread_subscription",
        };
        match slice {
            Slice::Everywhere => {}
            Slice::Account(account) => {
                wanted.push(format!("n.account = {}", bind(account.0.into())));
            }
            Slice::Subscription(subscription) => {
                wanted.push(format!("n.subscription = {}", bind(subscription.0.into())));
            }
        }
        match after {
            After::Start => {}
            After::Spot(spot) => wanted.push(format!(
                "(n.sorted_at, n.id) < ({}, {})",
                bind(spot.sorted_at.into()),
                bind(spot.id.into())
            )),
            After::Arrival(id) => wanted.push(format!("search.rowid < {}", bind(id.into()))),
        }
        if self.read {
            wanted.push("n.read_at <> 0".to_owned());
        }
        if let Some(before) = self.search.before {
            wanted.push(format!("n.sorted_at < {}", bind(micros(before).into())));
        }
        if let Some(after) = self.search.after {
            wanted.push(format!("n.sorted_at >= {}", bind(micros(after).into())));
        }
        if let Some(least) = self.search.at_least {
            wanted.push(format!("n.priority >= {}", bind(i64::from(least).into())));
        }
        if let Some(most) = self.search.at_most {
            wanted.push(format!("n.priority <= {}", bind(i64::from(most).into())));
        }
        if let Some(among) = &self.among {
            let ids: Vec<String> = among.iter().map(ToString::to_string).collect();
            wanted.push(format!("n.subscription IN ({})", ids.join(", ")));
        }
        if !self.search.kinds.is_empty() {
            let marks: Vec<String> = self
                .search
                .kinds
                .iter()
                .map(|kind| bind(kind.clone().into()))
                .collect();
            wanted.push(format!("n.kind COLLATE NOCASE IN ({})", marks.join(", ")));
        }
        for tag in &self.search.tags {
            wanted.push(format!(
                "EXISTS (SELECT 1 FROM json_each(c.tags) WHERE value = {} COLLATE NOCASE)",
                bind(tag.clone().into())
            ));
        }
        if !self.search.without.is_empty() {
            wanted.push(format!(
                "n.id NOT IN (SELECT rowid FROM search WHERE search MATCH {})",
                bind(self.search.without.clone().into())
            ));
        }
        let (tables, order) = if by_words {
            wanted.push(format!(
                "search MATCH {}",
                bind(self.search.words.clone().into())
            ));
            (
                "search CROSS JOIN notification n ON n.id = search.rowid CROSS JOIN content c ON c.id = n.id"
                    .to_owned(),
                "search.rowid DESC",
            )
        } else {
            (
                format!("notification n INDEXED BY {index} CROSS JOIN content c ON c.id = n.id"),
                "n.sorted_at DESC, n.id DESC",
            )
        };
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let limit = bind(limit.into());
        let sql = format!(
            "SELECT {columns} FROM {tables} WHERE {} ORDER BY {order} LIMIT {limit}",
            wanted.join(" AND ")
        );
        (sql, values)
    }
}

fn marker(last: Spot, by_words: bool) -> String {
    if by_words {
        format!("a{}", last.id)
    } else {
        format!("s{}_{}", last.sorted_at, last.id)
    }
}

fn read_marker(marker: Option<&str>, by_words: bool) -> Result<After, StoreError> {
    let Some(marker) = marker.filter(|marker| !marker.is_empty()) else {
        return Ok(After::Start);
    };
    let read = || {
        if by_words {
            marker.strip_prefix('a')?.parse().ok().map(After::Arrival)
        } else {
            let (sorted_at, id) = marker.strip_prefix('s')?.split_once('_')?;
            Some(After::Spot(Spot {
                sorted_at: sorted_at.parse().ok()?,
                id: id.parse().ok()?,
            }))
        }
    };
    read().ok_or_else(|| {
        StoreError::BadQuery(
            "This page marker belongs to another list. Begin again from the first page.".to_owned(),
        )
    })
}
