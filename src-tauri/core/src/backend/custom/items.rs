//! The notifications in a message or an answer, each as it was written.

use crate::backend::payload;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where answers usually keep their list.
const LISTS: [&str; 9] = [
    "/events",
    "/notifications",
    "/items",
    "/messages",
    "/data",
    "/results",
    "/entries",
    "/records",
    "/feed",
];
/// Where answers usually say how to go on.
const CURSORS: [&str; 6] = [
    "/cursor",
    "/next_cursor",
    "/nextCursor",
    "/next_batch",
    "/last_id",
    "/last_event_id",
];

/// A notification among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// As it was written.
    pub text: String,
    /// Its name, where it is a member of an object.
    pub key: String,
}

/// What is at a place of a JSON text, as it was written.
fn raw_at<'a>(text: &'a str, pointer: &str) -> Option<Cow<'a, str>> {
    let Some(rest) = pointer.strip_prefix('/') else {
        return pointer.is_empty().then_some(Cow::Borrowed(text));
    };
    let (token, next) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let token = token.replace("~1", "/").replace("~0", "~");
    let inner: &'a RawValue = match text.trim_start().as_bytes().first()? {
        b'{' => serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(text)
            .ok()?
            .remove(token.as_str())?,
        b'[' => serde_json::from_str::<Vec<&RawValue>>(text)
            .ok()?
            .get(token.parse::<usize>().ok()?)
            .copied()?,
        b'"' => {
            let inner: String = serde_json::from_str(text).ok()?;
            return raw_at(&inner, pointer).map(|found| Cow::Owned(found.into_owned()));
        }
        _ => return None,
    };
    raw_at(inner.get(), next)
}

/// What is in a list, or in the members of an object.
fn listed(text: &str, members: bool) -> Option<Vec<Item>> {
    match text.trim_start().as_bytes().first()? {
        b'[' => Some(
            serde_json::from_str::<Vec<&RawValue>>(text)
                .ok()?
                .into_iter()
                .filter(|item| item.get() != "null")
                .map(|item| Item {
                    text: item.get().to_owned(),
                    key: String::new(),
                })
                .collect(),
        ),
        b'{' if members => Some(
            serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
                .ok()?
                .into_iter()
                .filter(|(_, item)| item.get() != "null")
                .map(|(key, item)| Item {
                    text: item.get().to_owned(),
                    key,
                })
                .collect(),
        ),
        b'"' => listed(&serde_json::from_str::<String>(text).ok()?, members),
        _ => None,
    }
}

/// The items at a place: a list, or the members of an object. None if nothing of that kind is there.
pub(super) fn at(text: &str, pointer: &str) -> Option<Vec<Item>> {
    listed(&raw_at(text, pointer)?, true)
}

/// One thing at a place; none if nothing is there.
pub(super) fn one(text: &str, pointer: &str) -> Option<Item> {
    let text = raw_at(text, pointer)?;
    (text.trim() != "null").then(|| Item {
        text: text.into_owned(),
        key: String::new(),
    })
}

/// The items of an answer whose shape nobody described: a list, a list under a usual name, objects line by
/// line, or one thing.
pub(super) fn of_answer(text: &str) -> Vec<Item> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    let Some(value) = payload::json(text) else {
        let lines: Vec<Item> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| Item {
                text: line.to_owned(),
                key: String::new(),
            })
            .collect();
        let is_json = |item: &Item| payload::json(&item.text).is_some_and(|it| it.is_object());
        return if lines.iter().all(is_json) {
            lines
        } else {
            vec![whole(text)]
        };
    };
    let list = LISTS
        .iter()
        .find(|pointer| value.pointer(pointer).is_some_and(Value::is_array));
    match (&value, list) {
        (Value::Array(_), _) => listed(text, false).unwrap_or_default(),
        (_, Some(list)) => at(text, list).unwrap_or_default(),
        (Value::Object(members), None) => {
            if members.is_empty() || cursor(&value).is_some() {
                Vec::new()
            } else {
                vec![whole(text)]
            }
        }
        (Value::Null, None) => Vec::new(),
        _ => vec![whole(text)],
    }
}

/// The items of a message whose shape nobody described: a list of objects, or one thing.
pub(super) fn of_message(text: &str) -> Vec<Item> {
    let is_list = text.trim_start().starts_with('[')
        && payload::json(text).is_some_and(|value| {
            value
                .as_array()
                .is_some_and(|items| items.iter().all(Value::is_object))
        });
    if is_list {
        listed(text, false).unwrap_or_default()
    } else {
        vec![whole(text)]
    }
}

/// How an answer says to go on, where nobody described it.
pub(super) fn cursor(answer: &Value) -> Option<String> {
    CURSORS
        .iter()
        .find_map(|pointer| payload::word(answer.pointer(pointer)?))
}

/// Whether an answer has a list under a usual name.
pub(super) fn has_list(answer: &Value) -> bool {
    LISTS
        .iter()
        .any(|pointer| answer.pointer(pointer).is_some_and(Value::is_array))
}

fn whole(text: &str) -> Item {
    Item {
        text: text.to_owned(),
        key: String::new(),
    }
}
