//! Whether an address is a stream, or answers like one. A page, a sign-in, and JSON of any other shape are
//! not claimed.

use super::items;
use super::options::Options;
use super::requests::of_web;
use crate::backend::payload;
use crate::backend::{Address, Found, Probed};
use crate::model::{HttpRequest, TransportKind};
use serde_json::Value;
use url::Url;

/// Names of which a notification has at least one.
const WORDS: [&str; 8] = [
    "title",
    "body",
    "message",
    "text",
    "subject",
    "content",
    "summary",
    "notification",
];

/// An address, as it is kept.
pub(super) fn address(pasted: &Url, options: String) -> Address {
    Address {
        base: of_web(pasted.clone()).unwrap_or_else(|| pasted.clone()),
        topics: Vec::new(),
        options,
    }
}

/// What is asked of it.
pub(super) fn probes(pasted: &Url) -> Vec<HttpRequest> {
    let Some(url) = of_web(pasted.clone()) else {
        return Vec::new();
    };
    let accept = "text/event-stream, application/x-ndjson, application/json;q=0.9, */*;q=0.1";
    vec![HttpRequest::get(url).header("Accept", accept)]
}

/// What its answer shows.
pub(super) fn recognise(pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
    let (transport, says) = kind(pasted, probed)?;
    let options = Options {
        transport: Some(transport),
        ..Options::default()
    };
    Some(Found {
        address: address(pasted, options.kept()),
        says: says.to_owned(),
    })
}

fn kind(pasted: &Url, probed: &Probed<'_>) -> Option<(TransportKind, &'static str)> {
    let header = |wanted: &str| {
        probed
            .headers
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    let upgrades = header("upgrade").is_some_and(|value| value == "websocket")
        || header("sec-websocket-version").is_some();
    let asked_for = matches!(pasted.scheme(), "ws" | "wss");
    if matches!(probed.status, 101 | 400 | 426) && (upgrades || asked_for) {
        return Some((TransportKind::Websocket, "It answers as a WebSocket."));
    }
    if probed.status != 200 {
        return None;
    }
    let media_type = header("content-type").unwrap_or_default();
    match media_type.split(';').next().unwrap_or_default().trim() {
        "text/event-stream" => Some((TransportKind::Sse, "It answers with an event stream.")),
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/stream+json" => Some((
            TransportKind::HttpStream,
            "It answers with a stream of JSON, one object a line.",
        )),
        "application/json" => answer(probed.body),
        _ => None,
    }
}

fn answer(body: &str) -> Option<(TransportKind, &'static str)> {
    let value = payload::json(body)?;
    match &value {
        Value::Array(items) => items.iter().all(is_notification).then_some((
            TransportKind::Poll,
            "It answers with a list of notifications, which will be asked for again and again.",
        )),
        Value::Object(_) => {
            (items::has_list(&value) && items::cursor(&value).is_some()).then_some((
                TransportKind::LongPoll,
                "It answers with events and a cursor: a long poll.",
            ))
        }
        _ => None,
    }
}

fn is_notification(item: &Value) -> bool {
    WORDS.iter().any(|word| item.get(*word).is_some())
}
