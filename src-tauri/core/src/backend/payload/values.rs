//! Values as servers write them: times, priorities, links, lists.

use super::mapping::Mapping;
use super::pointer::walk;
use crate::model::{Action, ActionKind, Attachment, limits};
use crate::text::{allowed_link, cut};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The longest word (tag, label, file name), in bytes.
const WORD: usize = 256;

/// A text; of a list the first.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(items) => items.iter().find_map(|item| match item {
            Value::Array(_) => None,
            item => text(item),
        }),
        Value::Null | Value::Object(_) => None,
    }
}

/// Whether a member says yes: `true`, a number above 0, a text other than "false" (a time, say).
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::String(text) => !matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "" | "false" | "0" | "no" | "null"
        ),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// A time: RFC 3339, RFC 2822, without an offset (then UTC), or a number of seconds, milli-, micro- or
/// nanoseconds since 1970, told apart by its size.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| number.as_f64().and_then(of_fraction), of_number),
        Value::String(text) => {
            let text = text.trim();
            text.parse::<Timestamp>()
                .ok()
                .or_else(|| text.parse::<i64>().ok().and_then(of_number))
                .or_else(|| text.parse::<f64>().ok().and_then(of_fraction))
                .or_else(|| {
                    let local: DateTime = text.parse().ok()?;
                    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
                })
                .or_else(|| Some(rfc2822::parse(text).ok()?.timestamp()))
        }
        _ => None,
    }
}

fn of_number(number: i64) -> Option<Timestamp> {
    const MILLIS: i64 = 100_000_000_000;
    const MICROS: i64 = MILLIS * 1000;
    const NANOS: i64 = MICROS * 1000;
    match number {
        1..MILLIS => Timestamp::from_second(number).ok(),
        MILLIS..MICROS => Timestamp::from_millisecond(number).ok(),
        MICROS..NANOS => Timestamp::from_microsecond(number).ok(),
        NANOS.. => Timestamp::from_nanosecond(i128::from(number)).ok(),
        _ => None,
    }
}

fn of_fraction(number: f64) -> Option<Timestamp> {
    let millis = if number < 1e11 {
        number * 1000.0
    } else {
        number
    };
    if !(1.0..1e15).contains(&millis) {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "checked to fit")]
    Timestamp::from_millisecond(millis as i64).ok()
}

/// A version: a number, else the milliseconds of a time.
pub(super) fn version(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| match value {
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .or_else(|| time(value).map(Timestamp::as_millisecond)),
        _ => None,
    })
}

/// A priority, 1 to 5: as the mapping says, else a number (above 5: of a scale to 10), else a usual word.
pub(super) fn priority(value: &Value, mapping: &Mapping) -> Option<u8> {
    let word = text(value)?;
    let word = word.trim();
    let own = mapping
        .priorities
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(word));
    if let Some((_, priority)) = own {
        return Some((*priority).clamp(1, 5));
    }
    if let Ok(number) = word.parse::<f64>() {
        return Some(match number {
            ..0.0 => 1,
            // As servers say "none".
            ..1.0 => 3,
            ..2.0 => 1,
            ..3.0 => 2,
            ..4.0 => 3,
            ..5.0 => 4,
            ..6.0 => 5,
            ..8.0 => 4,
            8.0.. => 5,
            _ => return None,
        });
    }
    Some(match word.to_ascii_lowercase().as_str() {
        "emergency" | "emerg" | "panic" | "fatal" | "critical" | "crit" | "alert" | "urgent"
        | "max" | "maximum" | "highest" | "very-high" | "very_high" | "time-sensitive" | "p1" => 5,
        "error" | "err" | "failure" | "failed" | "danger" | "high" | "important" | "major"
        | "warning" | "warn" | "p2" => 4,
        "normal" | "default" | "medium" | "moderate" | "notice" | "success" | "active" | "p3" => 3,
        "info" | "information" | "informational" | "low" | "minor" | "passive" | "p4" => 2,
        "debug" | "trace" | "verbose" | "min" | "minimum" | "lowest" | "very-low" | "very_low"
        | "none" | "silent" | "p5" => 1,
        _ => return None,
    })
}

/// The severity of an event (an extension of `CloudEvents`, OpenTelemetry's numbers 1 to 24).
pub(super) fn severity_number(number: i64) -> Option<u8> {
    match number {
        17..=24 => Some(5),
        13..=16 => Some(4),
        9..=12 => Some(2),
        1..=8 => Some(1),
        _ => None,
    }
}

/// A link: a text, an object that has one, or the first of a list. Relative ones need a base.
pub(super) fn link(value: &Value, mapping: &Mapping) -> Option<String> {
    match value {
        Value::String(text) => allowed_link(text).or_else(|| {
            let text = text.trim();
            let base = mapping.base.as_ref().filter(|_| !text.is_empty())?;
            allowed_link(base.join(text).ok()?.as_str())
        }),
        Value::Object(_) => ["/url", "/href", "/link"].iter().find_map(|pointer| {
            match walk(value, pointer)?.as_ref() {
                text @ Value::String(_) => link(text, mapping),
                _ => None,
            }
        }),
        Value::Array(items) => items.iter().take(limits::TAGS).find_map(|item| match item {
            Value::Array(_) => None,
            item => link(item, mapping),
        }),
        _ => None,
    }
}

/// A link that is of the web.
pub(super) fn web_link(value: &Value, mapping: &Mapping) -> Option<String> {
    link(value, mapping).filter(|link| link.starts_with("http"))
}

/// Tags: a list of texts or of things with a name, or words between commas.
pub(super) fn tags(value: &Value) -> Vec<String> {
    let words: Vec<String> = match value {
        Value::String(text) => text.split(',').map(|word| word.trim().to_owned()).collect(),
        Value::Array(items) => items
            .iter()
            .take(limits::TAGS * 2)
            .filter_map(|item| match item {
                Value::Object(members) => {
                    text(members.get("name").or_else(|| members.get("label"))?)
                }
                Value::Array(_) => None,
                item => text(item),
            })
            .collect(),
        _ => Vec::new(),
    };
    words
        .iter()
        .filter(|word| !word.is_empty())
        .take(limits::TAGS)
        .map(|word| cut(word, WORD))
        .collect()
}

/// Actions: one, or a list. What has a label and no link that may be opened is shown and not run.
pub(super) fn actions(value: &Value, mapping: &Mapping) -> Vec<Action> {
    match value {
        Value::Array(items) => items
            .iter()
            .take(limits::ACTIONS)
            .filter_map(|item| action(item, mapping))
            .collect(),
        value => action(value, mapping).into_iter().collect(),
    }
}

fn action(value: &Value, mapping: &Mapping) -> Option<Action> {
    let members = value.as_object()?;
    let label = ["label", "title", "text", "name", "content", "action"]
        .iter()
        .find_map(|name| text(members.get(*name)?));
    let link_at = [
        "/url",
        "/href",
        "/link",
        "/navigate",
        "/redirect/url",
        "/redirect",
        "/uri",
    ]
    .iter()
    .find_map(|pointer| walk(value, pointer).filter(|found| found.is_string()));
    let url = link_at.as_ref().and_then(|found| link(found, mapping));
    if label.is_none() && url.is_none() {
        return None;
    }
    Some(Action {
        kind: if url.is_some() {
            ActionKind::Open
        } else {
            ActionKind::Unsupported
        },
        label: cut(label.as_deref().unwrap_or("Open").trim(), WORD),
        url: url.unwrap_or_else(|| {
            let written = link_at.as_deref().and_then(Value::as_str);
            cut(written.unwrap_or_default(), limits::URL)
        }),
        method: String::new(),
        headers: Vec::new(),
        body: String::new(),
        clear: false,
    })
}

/// A file: its link, or an object with its link, or the first of a list.
pub(super) fn attachment(value: &Value, mapping: &Mapping) -> Option<Attachment> {
    let value = match value {
        Value::Array(items) => items.first()?,
        value => value,
    };
    let url = web_link(value, mapping)?;
    let member = |names: &[&str]| {
        let members = value.as_object()?;
        names.iter().find_map(|name| members.get(*name))
    };
    let name = member(&["name", "filename", "file_name", "title"]).and_then(text);
    let named_by_link = || {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        if file.is_empty() { "attachment" } else { file }.to_owned()
    };
    Some(Attachment {
        name: cut(&name.unwrap_or_else(named_by_link), WORD),
        media_type: member(&[
            "type",
            "media_type",
            "mime_type",
            "mimeType",
            "content_type",
        ])
        .and_then(Value::as_str)
        .map(|media_type| cut(media_type, WORD))
        .unwrap_or_default(),
        size: member(&["size", "length"]).and_then(Value::as_u64),
        expires_at: member(&["expires_at", "expires"]).and_then(time),
        url,
    })
}
