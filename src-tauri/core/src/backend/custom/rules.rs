//! What a profile's rules say about what came.

use super::profile::{Endpoint, Fail, Rule};
use crate::backend::payload;
use crate::backend::{Failure, FailureKind};
use crate::text::one_line;
use serde_json::Value;

/// How much of a server's words is shown, in characters.
const QUOTED: usize = 200;

/// Names of events that are signs of life and not for anybody's eyes.
const LIFE: [&str; 17] = [
    "ping",
    "pong",
    "heartbeat",
    "keepalive",
    "keep-alive",
    "keep_alive",
    "hello",
    "welcome",
    "open",
    "ready",
    "connected",
    "connection",
    "connection_established",
    "connection_ack",
    "ack",
    "subscribed",
    "subscription_succeeded",
];

/// What came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// Its name on the wire; empty where there is none.
    pub event: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its text as JSON.
    pub value: Option<&'a Value>,
}

/// The first rule that fits a message.
pub(super) fn of_message<'a>(endpoint: &'a Endpoint, message: &Message<'_>) -> Option<&'a Rule> {
    endpoint.on.iter().find(|rule| fits(rule, message))
}

/// The first rule for a close code.
pub(super) fn of_close(endpoint: &Endpoint, code: u16) -> Option<&Rule> {
    endpoint.on.iter().find(|rule| rule.close.contains(&code))
}

fn fits(rule: &Rule, message: &Message<'_>) -> bool {
    if !rule.close.is_empty() {
        return false;
    }
    let text = rule.text.is_empty() || rule.text.fit(message.text.trim());
    let event = rule.event.is_empty() || rule.event.fit(message.event);
    let at = rule.at.as_ref().is_none_or(|pointer| {
        let found = message.value.and_then(|value| payload::at(value, pointer));
        match &rule.is {
            None => found.is_some(),
            Some(is) => match found.as_deref() {
                // Nothing there, in something that can be looked into, is null.
                None => message.value.is_some() && is.fit("null"),
                Some(value) => payload::word(value).is_some_and(|word| is.fit(&word)),
            },
        }
    });
    text && event && at
}

/// What a rule says of a failure.
pub(super) fn failure(fail: Fail, rule: &Rule, value: Option<&Value>, reason: &str) -> Failure {
    let words = rule
        .says
        .as_ref()
        .and_then(|pointer| payload::word(payload::at(value?, pointer)?.as_ref()))
        .or_else(|| (!reason.is_empty()).then(|| reason.to_owned()))
        .map(|words| format!(" It says: {}", one_line(&words, QUOTED)))
        .unwrap_or_default();
    let (kind, says) = match fail {
        Fail::SignIn => (
            FailureKind::SignIn,
            "The server did not accept the sign-in, or it is no longer valid. Enter it again.",
        ),
        Fail::Forbidden => (
            FailureKind::Forbidden,
            "The server does not allow this account to listen here. Ask its owner for access.",
        ),
        Fail::Again => (FailureKind::Again, "The server asks to connect anew."),
        Fail::Later => (
            FailureKind::Transient,
            "The server ended the connection with an error. It will be asked again.",
        ),
    };
    Failure {
        kind,
        says: format!("{says}{words}"),
        retry_after: None,
    }
}

/// A sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It says only that.
    Sign,
    /// It wants this answer.
    Asks(&'static str),
}

/// A sign of life, as servers that nobody described send it.
pub(super) fn life(message: &Message<'_>) -> Option<Life> {
    let is_life = |name: &str| LIFE.iter().any(|life| name.eq_ignore_ascii_case(life));
    let text = message.text.trim();
    if text.is_empty() || is_life(message.event) {
        return Some(Life::Sign);
    }
    if is_life(text) {
        return Some(if text.eq_ignore_ascii_case("ping") {
            Life::Asks("pong")
        } else {
            Life::Sign
        });
    }
    let members = message.value?.as_object()?;
    if members.is_empty() {
        return Some(Life::Sign);
    }
    let member = ["type", "event", "op", "action", "kind"]
        .into_iter()
        .find(|name| members.get(*name).is_some_and(Value::is_string))?;
    let name = members.get(member)?.as_str()?;
    let has_words = ["title", "body", "message", "text", "notification"]
        .iter()
        .any(|name| members.contains_key(*name));
    if !is_life(name) || has_words {
        None
    } else if member == "type" && name.eq_ignore_ascii_case("ping") {
        Some(Life::Asks(r#"{"type":"pong"}"#))
    } else {
        Some(Life::Sign)
    }
}
