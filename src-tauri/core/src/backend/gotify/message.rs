//! A message, and the notification that it makes. Every member is read for itself: one that is not what it should
//! be costs only itself.

use super::application::Application;
use super::position::{self, is_id};
use crate::model::{Attachment, Class, Draft, Format, Tier, limits};
use crate::text::{allowed_link, cut};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The longest type or file name, in bytes.
const WORD: usize = 256;
/// Namespaces that belong to Gotify's own clients and servers; all others are the senders' own.
const RESERVED: [&str; 6] = ["android", "client", "gotify", "ios", "server", "web"];
/// What a message takes besides its texts, in bytes.
const FRAME_COST: usize = 256;

/// A message as the server sent it, cut to what is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// Its id, which rises over the whole server.
    pub id: i64,
    /// Its application's id.
    pub application: i64,
    /// When the server took it.
    pub date: Option<Timestamp>,
    title: String,
    body: String,
    format: Format,
    /// None: its application's.
    priority: Option<i64>,
    kind: String,
    url: Option<String>,
    attachment: Option<Attachment>,
    raw: String,
}

impl Message {
    /// Reads a frame; none if it is no message.
    pub(super) fn read(frame: &str) -> Option<Self> {
        let Ok(Value::Object(members)) = serde_json::from_str(frame) else {
            return None;
        };
        let id = number(members.get("id")).filter(|id| is_id(*id))?;
        let application = number(members.get("appid")).filter(|id| *id > 0)?;
        let extras = members.get("extras").and_then(Value::as_object);
        let shown = extras.and_then(|extras| object(extras, "client::notification"));
        Some(Self {
            id,
            application,
            date: date(text(&members, "date")),
            title: cut(text(&members, "title"), limits::TITLE),
            body: cut(text(&members, "message"), limits::BODY),
            format: extras.map_or(Format::Plain, format),
            priority: number(members.get("priority")),
            kind: extras.map(kind).unwrap_or_default(),
            url: shown
                .and_then(|shown| object(shown, "click"))
                .and_then(|click| allowed_link(text(click, "url"))),
            attachment: shown.and_then(attachment),
            raw: cut(frame, limits::RAW),
        })
    }

    /// Its date in unix seconds; 0 if it has none.
    pub(super) fn second(&self) -> i64 {
        self.date.map_or(0, Timestamp::as_second)
    }

    /// What it takes in memory, about, in bytes.
    pub(super) fn size(&self) -> usize {
        FRAME_COST + self.title.len() + self.body.len() + self.raw.len()
    }

    /// Its text as it came, for the log's quote.
    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    /// The notification.
    pub(super) fn draft(self, epoch: i64, application: &Application, now: Timestamp) -> Draft {
        let priority = self.priority.unwrap_or(application.default_priority);
        let remote_id = position::remote_id(epoch, self.id);
        // As Gotify's own Android client rings: silent up to 3, with a sound from 4, on top from 8.
        let (level, tier) = match priority {
            ..=0 => (1, Tier::Informational),
            1..=3 => (2, Tier::Informational),
            4..=7 => (4, Tier::Important),
            8.. => (5, Tier::Critical),
        };
        Draft {
            replace_key: remote_id.clone(),
            remote_id,
            version: position::version(epoch, self.id),
            class: Class::Persistent,
            kind: self.kind,
            title: self.title,
            body: self.body,
            format: self.format,
            priority: level,
            tier,
            created_at: self.date.unwrap_or(now),
            url: self.url,
            actions: Vec::new(),
            tags: Vec::new(),
            icon: application.icon.clone(),
            attachment: self.attachment,
            silent: level <= 2,
            expires_at: None,
            raw: self.raw,
        }
    }
}

/// A whole number, also one that was written with a fraction or is too large to be one.
fn number(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "it saturates, which is what is wanted of a number that is out of bounds"
        )]
        value.as_f64().map(|number| number.trunc() as i64)
    })
}

/// A text; empty where there is none.
fn text<'a>(members: &'a Map<String, Value>, member: &str) -> &'a str {
    members
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A date before 1970 is one that nobody set.
fn date(text: &str) -> Option<Timestamp> {
    text.parse()
        .ok()
        .filter(|date: &Timestamp| date.as_second() > 0)
}

fn object<'a>(members: &'a Map<String, Value>, member: &str) -> Option<&'a Map<String, Value>> {
    members.get(member)?.as_object()
}

/// Markdown only where the sender says so; anything else, HTML too, is plain text.
fn format(extras: &Map<String, Value>) -> Format {
    let media_type =
        object(extras, "client::display").map_or("", |shown| text(shown, "contentType"));
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/markdown") {
        Format::Markdown
    } else {
        Format::Plain
    }
}

/// The first extra of the sender's own.
fn kind(extras: &Map<String, Value>) -> String {
    extras
        .keys()
        .find(|name| {
            let namespace = name.split("::").next().unwrap_or_default();
            !name.is_empty() && !RESERVED.contains(&namespace)
        })
        .map(|name| cut(name, WORD))
        .unwrap_or_default()
}

fn attachment(shown: &Map<String, Value>) -> Option<Attachment> {
    let url = allowed_link(text(shown, "bigImageUrl")).filter(|link| link.starts_with("http"))?;
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = match path.rsplit('/').next() {
        Some(name) if name.contains('.') && path.matches('/').count() > 2 => cut(name, WORD),
        _ => "image".to_owned(),
    };
    Some(Attachment {
        name,
        url,
        media_type: String::new(),
        size: None,
        expires_at: None,
    })
}
