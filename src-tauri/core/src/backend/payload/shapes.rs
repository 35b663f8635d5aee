//! Shapes in common use, and the names under which each keeps what a notification needs.

use super::pointer::{encoded, walk};
use super::values;
use serde_json::Value;
use std::borrow::Cow;

/// Where a shape keeps its parts: pointers below the notification's root, else in the whole payload; after
/// `^` in the whole payload only.
pub(super) struct Usual {
    pub id: &'static [&'static str],
    pub kind: &'static [&'static str],
    pub title: &'static [&'static str],
    pub body: &'static [&'static str],
    pub format: &'static [&'static str],
    pub url: &'static [&'static str],
    pub priority: &'static [&'static str],
    pub created_at: &'static [&'static str],
    pub expires_at: &'static [&'static str],
    pub tags: &'static [&'static str],
    pub group: &'static [&'static str],
    pub icon: &'static [&'static str],
    pub actions: &'static [&'static str],
    pub attachment: &'static [&'static str],
    pub silent: &'static [&'static str],
    pub topic: &'static [&'static str],
    pub replaces: &'static [&'static str],
}

const PLAIN: Usual = Usual {
    // The outer one is the event's, the inner one often what the event is about.
    id: &[
        "^/id",
        "/id",
        "/uuid",
        "/_id",
        "/guid",
        "/notification_id",
        "/notificationId",
        "/message_id",
        "/messageId",
        "/event_id",
        "/eventId",
    ],
    kind: &[
        "/type",
        "/kind",
        "/category",
        "/notification_type",
        "/event_type",
        "/eventType",
        "/event",
    ],
    title: &["/title", "/subject", "/headline", "/summary", "/name"],
    body: &[
        "/body",
        "/message",
        "/text",
        "/content",
        "/description",
        "/msg",
        "/alert",
        "/data",
        "/payload",
    ],
    format: &["/content_type", "/contentType"],
    url: &[
        "/url",
        "/action_url",
        "/actionUrl",
        "/link",
        "/click",
        "/click_url",
        "/click_action",
        "/target_url",
        "/html_url",
        "/href",
        "/navigate",
        "/redirect",
        "/data/url",
        "/data/link",
    ],
    priority: &[
        "/priority",
        "/severity",
        "/level",
        "/urgency",
        "/importance",
    ],
    created_at: &[
        "/created_at",
        "/createdAt",
        "/created",
        "/time",
        "/timestamp",
        "/ts",
        "/date",
        "/datetime",
        "/published_at",
        "/published",
        "/sent_at",
        "/inserted_at",
    ],
    expires_at: &["/expires_at", "/expiresAt", "/expiry"],
    tags: &["/tags", "/labels"],
    group: &["/group", "/thread_id", "/threadId", "/thread"],
    icon: &[
        "/icon",
        "/icon_url",
        "/iconUrl",
        "/avatar",
        "/avatar_url",
        "/image",
    ],
    actions: &["/actions", "/buttons"],
    attachment: &["/attachment", "/attachments", "/file"],
    silent: &["/silent"],
    topic: &["/topic", "/channel"],
    replaces: &["/replace_key", "/replaces", "/collapse_key", "/collapseKey"],
};

/// `CloudEvents` 1.0.2: what the envelope says goes before what its data says, apart from words.
const CLOUD_EVENT: Usual = Usual {
    id: &[],
    kind: &["^/type"],
    title: &["/title", "/summary", "/headline", "^/data/subject", "/name"],
    body: &[
        "/body",
        "/message",
        "/text",
        "/content",
        "/description",
        "^/data",
    ],
    created_at: &["^/time", "/created_at", "/timestamp"],
    expires_at: &["^/expirytime", "/expires_at"],
    group: &["^/subject", "/group"],
    topic: &["^/source"],
    format: &["^/datacontenttype"],
    ..PLAIN
};

/// `{"notification": {…}}`: what browsers show, declarative Web Push, and its relatives. A tag replaces.
const WEB_PUSH: Usual = Usual {
    id: &[
        "/id",
        "/notification_id",
        "/event_id",
        "/message_id",
        "/messageId",
        "/data/id",
    ],
    url: &[
        "/navigate",
        "/url",
        "/click_action",
        "/link",
        "/data/url",
        "/data/link",
        "/fcm_options/link",
    ],
    priority: &["/priority", "/prio", "/urgency", "/severity", "/level"],
    silent: &["/silent"],
    replaces: &["/tag", "/collapse_key"],
    ..PLAIN
};

/// `ActivityStreams` 2.0 and other JSON-LD.
const ACTIVITY: Usual = Usual {
    id: &["^/id", "^/@id"],
    kind: &["^/type", "^/@type"],
    title: &["/name", "/title", "/headline", "/summary", "^/summary"],
    body: &["/content", "/description", "/articleBody", "/text"],
    format: &["/mediaType"],
    url: &["/url", "/@id", "^/@id"],
    created_at: &[
        "^/published",
        "^/updated",
        "/published",
        "/datePublished",
        "/dateCreated",
    ],
    group: &["/context"],
    icon: &["/icon", "^/icon"],
    ..PLAIN
};

static PLAIN_NAMES: Usual = PLAIN;
static CLOUD_EVENT_NAMES: Usual = CLOUD_EVENT;
static WEB_PUSH_NAMES: Usual = WEB_PUSH;
static ACTIVITY_NAMES: Usual = ACTIVITY;

/// What a payload looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Anything.
    Plain,
    /// `CloudEvents` 1.0, structured.
    CloudEvent,
    /// `{"notification": {…}}`.
    WebPush,
    /// JSON-LD.
    Activity,
}

impl Shape {
    pub(super) fn of(payload: &Value) -> Self {
        let is_text = |name: &str| payload.get(name).is_some_and(Value::is_string);
        if is_text("specversion") && is_text("id") && is_text("source") && is_text("type") {
            Self::CloudEvent
        } else if payload.get("notification").is_some_and(Value::is_object) {
            Self::WebPush
        } else if payload.get("@context").is_some() || is_text("@type") {
            Self::Activity
        } else {
            Self::Plain
        }
    }

    pub(super) fn usual(self) -> &'static Usual {
        match self {
            Self::Plain => &PLAIN_NAMES,
            Self::CloudEvent => &CLOUD_EVENT_NAMES,
            Self::WebPush => &WEB_PUSH_NAMES,
            Self::Activity => &ACTIVITY_NAMES,
        }
    }

    /// Where the notification sits; none: it is the payload itself.
    pub(super) fn root(self, payload: &Value) -> Option<Cow<'_, Value>> {
        match self {
            Self::CloudEvent => object_at(payload, "/data"),
            Self::WebPush => object_at(payload, "/notification"),
            Self::Activity if !has_words(payload) => object_at(payload, "/object"),
            Self::Plain if !has_words(payload) => ["/data", "/payload", "/message", "/event"]
                .iter()
                .find_map(|pointer| object_at(payload, pointer)),
            Self::Activity | Self::Plain => None,
        }
    }

    /// An id that the shape defines by more than one member.
    pub(super) fn id(self, payload: &Value) -> Option<String> {
        (self == Self::CloudEvent).then(|| {
            let text = |name| {
                payload
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            format!("{}|{}", text("source"), text("id"))
        })
    }

    /// A title where nothing else gives one: the last words of the event's type, and what it is about.
    pub(super) fn title(self, payload: &Value) -> Option<String> {
        if self != Self::CloudEvent {
            return None;
        }
        let kind = payload.get("type")?.as_str()?;
        let segments: Vec<&str> = kind.split('.').filter(|word| !word.is_empty()).collect();
        let words = segments[segments.len().saturating_sub(2)..].join(" ");
        Some(match payload.get("subject").and_then(Value::as_str) {
            Some(subject) => format!("{words}: {subject}"),
            None => words,
        })
    }

    /// The severity, by the extension's members.
    pub(super) fn priority(self, payload: &Value) -> Option<u8> {
        let number = (self == Self::CloudEvent)
            .then(|| payload.get("severitynumber"))
            .flatten()?;
        let number = number
            .as_i64()
            .or_else(|| number.as_str()?.trim().parse().ok())?;
        values::severity_number(number)
    }

    /// There is content that no words were found in, although a title could be made.
    pub(super) fn has_data(self, payload: &Value) -> bool {
        self == Self::CloudEvent && payload.get("data").is_some_and(|data| !data.is_null())
    }
}

/// Words of its own, that somebody would read.
fn has_words(payload: &Value) -> bool {
    [
        "title", "subject", "headline", "body", "message", "text", "content",
    ]
    .iter()
    .any(|name| payload.get(*name).is_some_and(Value::is_string))
}

/// The object there, or in the text there.
pub(super) fn object_at<'a>(payload: &'a Value, pointer: &str) -> Option<Cow<'a, Value>> {
    let found = walk(payload, pointer)?;
    match found.as_ref() {
        Value::Object(_) => Some(found),
        Value::String(text) => encoded(text).filter(Value::is_object).map(Cow::Owned),
        _ => None,
    }
}
