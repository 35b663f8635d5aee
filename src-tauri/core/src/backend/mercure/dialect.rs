//! The two dialects of the protocol: what they call the topics and the position in an address, and the
//! headers of an answer. Everything else is the same.

use super::place::Position;
use crate::model::HttpRequest;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use url::Url;

/// Some hubs send nothing, not even headers, before their first event or ping.
const PATIENCE: Duration = Duration::from_mins(2);

/// A dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Dialect {
    /// Hubs up to 0.24, and those written after them.
    #[default]
    #[serde(rename = "0.x")]
    Zero,
    /// Hubs from 1.0 on.
    #[serde(rename = "1.0")]
    One,
}

impl Dialect {
    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Zero => Self::One,
            Self::One => Self::Zero,
        }
    }

    /// A subscription to `topics`, from a position on; none: to what comes from now on.
    pub(super) fn subscribe(
        self,
        hub: &Url,
        topics: &[&str],
        from: Option<&Position>,
    ) -> HttpRequest {
        let mut url = hub.clone();
        {
            let mut query = url.query_pairs_mut();
            for topic in topics {
                match self {
                    Self::Zero => query.append_pair("topic", topic),
                    Self::One => {
                        let (name, pattern) = matcher(topic);
                        query.append_pair(name, &pattern)
                    }
                };
            }
            // The header is read first; the parameter is for what stands between and drops headers that it
            // does not know.
            if let Some(from) = from {
                let name = match self {
                    Self::Zero => "lastEventID",
                    Self::One => "last_event_id",
                };
                query.append_pair(name, from.id());
            }
        }
        let mut request = HttpRequest::get(url).header("Accept", "text/event-stream");
        if let Some(from) = from.filter(|from| !from.id().chars().any(char::is_control)) {
            request = request.header("Last-Event-ID", from.id());
        }
        request.wants_head = true;
        request.patience = Some(PATIENCE);
        request
    }
}

/// The parameter and the value for a topic in 1.0, where a plain topic is compared as it is and patterns have
/// a parameter of their own (URL Pattern). Simple URI templates, the patterns of 0.x, are rewritten.
fn matcher(topic: &str) -> (&'static str, Cow<'_, str>) {
    if topic == "*" {
        return ("match", topic.into());
    }
    let is_template = topic.contains('{');
    let is_pattern = topic.contains('*') || topic.contains('(') || topic.contains("/:");
    match (is_template, is_pattern) {
        (false, false) => ("match", topic.into()),
        (true, false) => ("match_urlpattern", rewritten(topic).into()),
        (_, true) => ("match_urlpattern", topic.into()),
    }
}

/// `{name}` as `:name`; other expressions stay as they are.
fn rewritten(template: &str) -> String {
    let mut pattern = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        pattern.push_str(before);
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match after.split_once('}') {
            Some((name, after)) if is_name(name) => {
                pattern.push(':');
                pattern.push_str(name);
                rest = after;
            }
            _ => {
                pattern.push('{');
                rest = after;
            }
        }
    }
    pattern.push_str(rest);
    pattern
}

/// The first header of this name.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Where the hub says that its answer begins.
pub(super) fn answered(headers: &[(String, String)]) -> Option<&str> {
    header(headers, "mercure-last-event-id").or_else(|| header(headers, "last-event-id"))
}

/// Whether an event stream came.
pub(super) fn is_event_stream(headers: &[(String, String)]) -> bool {
    header(headers, "content-type").is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/event-stream")
    })
}

/// The dialect that a 400 asks for.
pub(super) fn wanted(body: &str) -> Option<Dialect> {
    // 1.0 also names `topic`, as what it does not take any more.
    if body.contains("match") {
        Some(Dialect::One)
    } else if body.contains("topic") {
        Some(Dialect::Zero)
    } else {
        None
    }
}

/// 1.0 says in its challenge where to get a token (RFC 9728, 5.1); 0.x has no challenge.
pub(super) fn challenge(headers: &[(String, String)]) -> Option<&str> {
    header(headers, "www-authenticate").filter(|value| {
        value
            .get(..6)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
    })
}
