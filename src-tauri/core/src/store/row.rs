//! How values look in columns.

use super::StoreError;
use crate::model::{AccountId, SubscriptionId};
use crate::model::{
    Action, Attachment, Class, Draft, Format, Notification, NotificationId, Origin, Tier,
};
use jiff::Timestamp;
use rusqlite::Row;
use serde::{Serialize, de::DeserializeOwned};

/// Characters of a body that lists, toasts and holds get; the whole one comes with a single
/// notification. It bounds the memory that a page of long bodies takes.
pub const LIST_BODY_CHARS: usize = 1024;

/// Columns of a notification for lists: the body cut, no raw frame. Needs `n` and `c`.
pub(super) const LIGHT: &str = "n.id, n.account, n.subscription, n.remote_id, n.replace_key, n.version, n.class, \
     n.origin, n.kind, n.tier, n.priority, n.format, n.silent, n.created_at, n.received_at, n.expires_at, \
     n.seen_at, n.read_at, n.done_at, n.revisions, c.url, c.icon, c.actions, c.attachment, c.tags, c.title, \
     substr(c.body, 1, 1024), '', n.sorted_at, n.given_tier";

/// The same, whole.
pub(super) const WHOLE: &str = "n.id, n.account, n.subscription, n.remote_id, n.replace_key, n.version, n.class, \
     n.origin, n.kind, n.tier, n.priority, n.format, n.silent, n.created_at, n.received_at, n.expires_at, \
     n.seen_at, n.read_at, n.done_at, n.revisions, c.url, c.icon, c.actions, c.attachment, c.tags, c.title, \
     c.body, c.raw, n.sorted_at, n.given_tier";

/// Where a row stands in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub sorted_at: i64,
    pub id: i64,
}

/// Microseconds since 1970.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The same for a time that may be missing; the one instant that means "missing" moves by 1 µs.
pub(super) fn stamp(at: Timestamp) -> i64 {
    match micros(at) {
        0 => 1,
        other => other,
    }
}

pub(super) fn maybe_stamp(at: Option<Timestamp>) -> i64 {
    at.map_or(0, stamp)
}

pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

pub(super) fn maybe_time(micros: i64) -> Option<Timestamp> {
    (micros != 0).then(|| time(micros))
}

/// A count; SQLite's are never negative, ours are kept so.
pub(super) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A number of ours for a column.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn tier_number(tier: Tier) -> i64 {
    match tier {
        Tier::Informational => 0,
        Tier::Important => 1,
        Tier::Critical => 2,
    }
}

pub(super) fn tier(number: i64) -> Tier {
    match number {
        0 => Tier::Informational,
        1 => Tier::Important,
        _ => Tier::Critical,
    }
}

pub(super) fn class_number(class: Class) -> i64 {
    match class {
        Class::Persistent => 0,
        Class::Ephemeral => 1,
    }
}

pub(super) fn origin_number(origin: Origin) -> i64 {
    match origin {
        Origin::Live => 0,
        Origin::Backfill => 1,
        Origin::FirstFilling => 2,
    }
}

pub(super) fn format_number(format: Format) -> i64 {
    match format {
        Format::Plain => 0,
        Format::Markdown => 1,
    }
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Unreadable)
}

/// A value from JSON that this program wrote.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable)
}

/// The word that serde has for a variant without fields.
pub(super) fn word<T: Serialize>(value: T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(StoreError::Unreadable),
    }
}

/// The variant that a word stands for.
pub(super) fn from_word<T: DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|_| StoreError::Unreadable)
}

fn text(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

/// An attachment as it is kept.
pub(super) fn attachment_text(attachment: Option<&Attachment>) -> Result<String, StoreError> {
    attachment.map_or(Ok(String::new()), json)
}

/// Reads a row of [`LIGHT`] or [`WHOLE`]. A list that cannot be read (JSON of another version)
/// empties rather than hiding its notification.
pub(super) fn notification(row: &Row<'_>) -> rusqlite::Result<Notification> {
    let remote_id: String = row.get(3)?;
    let replace_key: String = row.get(4)?;
    let actions: Vec<Action> = from_json(row.get_ref(22)?.as_str()?).unwrap_or_default();
    let tags: Vec<String> = from_json(row.get_ref(24)?.as_str()?).unwrap_or_default();
    let attachment: Option<Attachment> = from_json(row.get_ref(23)?.as_str()?).ok();
    Ok(Notification {
        id: NotificationId(row.get(0)?),
        account: AccountId(row.get(1)?),
        subscription: SubscriptionId(row.get(2)?),
        draft: Draft {
            replace_key: if replace_key.is_empty() {
                remote_id.clone()
            } else {
                replace_key
            },
            remote_id,
            version: row.get(5)?,
            class: match row.get(6)? {
                0 => Class::Persistent,
                _ => Class::Ephemeral,
            },
            kind: row.get(8)?,
            title: row.get(25)?,
            body: row.get(26)?,
            format: match row.get(11)? {
                0 => Format::Plain,
                _ => Format::Markdown,
            },
            priority: row.get(10)?,
            tier: tier(row.get(29)?),
            created_at: time(row.get(13)?),
            url: text(row.get(20)?),
            actions,
            tags,
            icon: text(row.get(21)?),
            attachment,
            silent: row.get(12)?,
            expires_at: maybe_time(row.get(15)?),
            raw: row.get(27)?,
        },
        tier: tier(row.get(9)?),
        origin: match row.get(7)? {
            0 => Origin::Live,
            1 => Origin::Backfill,
            _ => Origin::FirstFilling,
        },
        received_at: time(row.get(14)?),
        seen_at: maybe_time(row.get(16)?),
        read_at: maybe_time(row.get(17)?),
        done_at: maybe_time(row.get(18)?),
        revisions: row.get(19)?,
    })
}

/// Where a row of [`LIGHT`] or [`WHOLE`] stands.
pub(super) fn spot(row: &Row<'_>) -> rusqlite::Result<Spot> {
    Ok(Spot {
        sorted_at: row.get(28)?,
        id: row.get(0)?,
    })
}
