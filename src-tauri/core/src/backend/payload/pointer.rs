//! JSON Pointer (RFC 6901), which goes through texts that hold JSON too: many servers encode twice.

use serde_json::Value;
use std::borrow::Cow;

/// The longest pointer, in bytes.
pub(super) const LONGEST: usize = 512;

/// What a pointer leads to; `null` is nothing.
pub(super) fn walk<'a>(value: &'a Value, pointer: &str) -> Option<Cow<'a, Value>> {
    let mut value = value;
    let mut rest = pointer;
    while let Some(after) = rest.strip_prefix('/') {
        let (token, next) = match after.find('/') {
            Some(end) => after.split_at(end),
            None => (after, ""),
        };
        value = match value {
            Value::Object(members) if token.contains('~') => members.get(&unescaped(token))?,
            Value::Object(members) => members.get(token)?,
            Value::Array(items) => items.get(index(token)?)?,
            Value::String(text) => {
                let inner = encoded(text)?;
                return walk(&inner, rest).map(|found| Cow::Owned(found.into_owned()));
            }
            _ => return None,
        };
        rest = next;
    }
    (rest.is_empty() && !value.is_null()).then_some(Cow::Borrowed(value))
}

/// The object or array that a text holds.
pub(super) fn encoded(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// Whether it is one: empty, or begins with `/`; `~` only as `~0` and `~1`.
pub(super) fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/'))
        && text.len() <= LONGEST
        && text
            .split('~')
            .skip(1)
            .all(|after| after.starts_with(['0', '1']))
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// RFC 6901, 4: no leading zeros.
fn index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit())
        && (token == "0" || !token.starts_with('0'));
    plain.then(|| token.parse().ok()).flatten()
}
