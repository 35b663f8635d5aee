//! How much a server lets somebody do, in the answer to `GET /v1/account`. It says so to anonymous ones too.

use crate::model::Quota;
use crate::text;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::{Map, Value};

/// Reads it; none where the server says nothing about it.
pub(super) fn read(body: &str, now: Timestamp) -> Option<Quota> {
    let members: Map<String, Value> = serde_json::from_str(body).ok()?;
    let limits = members.get("limits")?.as_object()?;
    let stats = members.get("stats").and_then(Value::as_object);
    let limit = |member: &str| limits.get(member).and_then(Value::as_u64);
    let left = |member: &str| {
        stats?
            .get(member)?
            .as_i64()
            .map(|left| left.max(0).unsigned_abs())
    };
    let messages = limit("messages").filter(|most| *most > 0);
    let reservations = limit("reservations").filter(|most| *most > 0);
    let file_size = limit("attachment_file_size");
    let files_size = limit("attachment_total_size").filter(|most| *most > 0);
    let tier = members
        .get("tier")
        .and_then(|tier| tier.get("name")?.as_str())
        .map(|name| text::one_line(name, 60))
        .unwrap_or_default();
    let mut quota = Quota {
        as_of: now,
        tier,
        messages,
        messages_left: messages.and_then(|_| left("messages_remaining")),
        reservations,
        reservations_left: reservations.and_then(|_| left("reservations_remaining")),
        file_size,
        files_size,
        files_left: files_size.and_then(|_| left("attachment_total_size_remaining")),
        resets_at: messages.and_then(|_| midnight(now)),
        says: String::new(),
    };
    quota.says = says(&quota);
    (!quota.says.is_empty()).then_some(quota)
}

/// The next one in UTC: then ntfy counts anew.
fn midnight(now: Timestamp) -> Option<Timestamp> {
    let tomorrow = now
        .to_zoned(TimeZone::UTC)
        .date()
        .checked_add(1.day())
        .ok()?;
    let at = tomorrow.to_zoned(TimeZone::UTC).ok()?;
    Some(at.timestamp())
}

fn says(quota: &Quota) -> String {
    let mut parts = Vec::new();
    match (quota.messages, quota.messages_left) {
        (Some(most), Some(left)) => {
            parts.push(format!("{left} of {most} messages left until midnight UTC"));
        }
        (Some(most), None) => parts.push(format!("{most} messages a day")),
        _ => {}
    }
    match (quota.reservations, quota.reservations_left) {
        (Some(most), Some(left)) => {
            parts.push(format!("{left} of {most} topics left to reserve"));
        }
        (Some(most), None) => parts.push(format!("{most} topics to reserve")),
        _ => {}
    }
    match (quota.file_size, quota.files_size, quota.files_left) {
        (Some(0), ..) => parts.push("no attachments".to_owned()),
        (Some(one), Some(all), Some(left)) => parts.push(format!(
            "attachments of up to {}, {} of {} left",
            text::size(one),
            text::size(left),
            text::size(all)
        )),
        (Some(one), ..) => parts.push(format!("attachments of up to {}", text::size(one))),
        (None, ..) => {}
    }
    if parts.is_empty() {
        return String::new();
    }
    if !quota.tier.is_empty() {
        return format!("{}: {}.", quota.tier, parts.join("; "));
    }
    let mut says = parts.join("; ");
    // An ASCII letter or digit, one byte.
    if let Some(first) = says.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    says + "."
}
