//! What a payload says that no family of servers defines: JSON under its usual names or as a [`Mapping`]
//! tells, the shapes that are in common use ([`shapes`]), and plain text. Every part is read for itself:
//! one that is not what it should be costs only itself.

mod html;
mod mapping;
mod origins;
mod pointer;
mod shapes;
mod values;

#[cfg(test)]
mod tests;

use crate::model::{Class, Draft, Format, Tier, limits};
use crate::text::cut;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
pub use mapping::{Mapping, Patterns, Sources, Written};
use mapping::{Part, Source};
pub use origins::{Origin, origins};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shapes::{Shape, Usual};
use std::borrow::Cow;

/// The longest id or replace key, in bytes; longer ones are hashed.
const LONGEST_ID: usize = 256;
/// The longest topic or kind, in bytes.
const LONGEST_NAME: usize = 512;

/// What came, with what its transport says of it.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The event's name: of an event stream, or on a channel; empty where there is none.
    pub event: &'a str,
    /// The transport's id; empty where there is none.
    pub id: &'a str,
    /// Its media type; empty where there is none.
    pub content_type: &'a str,
    /// The payload.
    pub text: &'a str,
    /// When it came.
    pub now: Timestamp,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The notification. Its `remote_id` is the payload's own id, else the transport's, else a hash of the
    /// event's name and the payload.
    pub draft: Draft,
    /// The payload has an id of its own.
    pub has_own_id: bool,
    /// Where it was published, if the payload says.
    pub topic: Option<String>,
    /// It is an event that the mapping leaves out.
    pub ignored: bool,
    /// It was read elsewhere.
    pub read: bool,
    /// It was deleted elsewhere.
    pub deleted: bool,
}

/// The values of a payload.
pub fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// What a pointer (RFC 6901) leads to in a value, also through texts that hold JSON.
pub fn at<'a>(value: &'a Value, pointer: &str) -> Option<Cow<'a, Value>> {
    pointer::walk(value, pointer)
}

/// Whether a text is a pointer (RFC 6901).
pub fn is_pointer(text: &str) -> bool {
    pointer::is_pointer(text)
}

/// The text of a value; none of an object.
pub fn word(value: &Value) -> Option<String> {
    values::text(value)
}

/// Reads a payload. Whatever it is, a notification comes of it; nothing is lost.
pub fn read(mapping: &Mapping, envelope: &Envelope<'_>) -> Payload {
    match json(envelope.text) {
        Some(Value::String(text)) => {
            let inner = Envelope {
                text: &text,
                ..*envelope
            };
            match pointer::encoded(&text) {
                Some(value) => Reading::new(mapping, &inner, &value).payload(),
                None => plain(mapping, &inner),
            }
        }
        Some(value @ (Value::Object(_) | Value::Array(_))) => {
            Reading::new(mapping, envelope, &value).payload()
        }
        _ => plain(mapping, envelope),
    }
}

/// A text: its first line is the title where there are more.
fn plain(mapping: &Mapping, envelope: &Envelope<'_>) -> Payload {
    let format = written(mapping, envelope);
    let whole = body(envelope.text, format);
    let lines = whole.trim_end();
    let (title, body) = match lines.split_once('\n') {
        Some((first, rest)) if format != Written::Markdown && !first.trim().is_empty() => {
            (first.trim(), rest.trim_start_matches(['\r', '\n']))
        }
        _ => ("", lines),
    };
    let nothing = Value::Null;
    let mut payload = Reading::new(mapping, envelope, &nothing).payload();
    // What the mapping says without looking into the payload stays.
    if payload.draft.title.is_empty() && !body.is_empty() {
        payload.draft.title = cut(title, limits::TITLE);
    }
    if mapping.body.is_none() {
        payload.draft.body = cut(body, limits::BODY);
        payload.draft.format = shown(format);
    }
    payload
}

/// How the body is written.
fn written(mapping: &Mapping, envelope: &Envelope<'_>) -> Written {
    match mapping.format {
        Written::Auto => of_media_type(envelope.content_type),
        format => format,
    }
}

fn of_media_type(media_type: &str) -> Written {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/markdown") {
        Written::Markdown
    } else if essence.eq_ignore_ascii_case("text/html") {
        Written::Html
    } else {
        Written::Auto
    }
}

fn body(text: &str, format: Written) -> String {
    if format == Written::Html {
        html::text(text)
    } else {
        text.to_owned()
    }
}

fn shown(format: Written) -> Format {
    if format == Written::Markdown {
        Format::Markdown
    } else {
        Format::Plain
    }
}

/// A payload that is being read.
struct Reading<'a> {
    mapping: &'a Mapping,
    envelope: &'a Envelope<'a>,
    /// All of it.
    whole: &'a Value,
    /// Where the notification sits in it.
    root: Cow<'a, Value>,
    /// The usual names in it.
    usual: &'static Usual,
    shape: Shape,
}

impl<'a> Reading<'a> {
    fn new(mapping: &'a Mapping, envelope: &'a Envelope<'a>, whole: &'a Value) -> Self {
        let shape = Shape::of(whole);
        let root = match &mapping.root {
            Some(sources) => sources.iter().find_map(|source| match source {
                Source::Pointer(pointer) | Source::Payload(pointer) => {
                    shapes::object_at(whole, pointer)
                }
                Source::Event | Source::Id | Source::Hash | Source::Text(_) => None,
            }),
            None => shape.root(whole),
        };
        Self {
            mapping,
            envelope,
            whole,
            root: root.unwrap_or(Cow::Borrowed(whole)),
            usual: shape.usual(),
            shape,
        }
    }

    /// What a part is taken from: the first of its sources for which `read` has something.
    fn part<T>(
        &self,
        own: Option<&Sources>,
        usual: &[&str],
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        match own {
            Some(sources) => sources.iter().find_map(|source| self.source(source, &read)),
            None => usual
                .iter()
                .find_map(|pointer| match pointer.strip_prefix('^') {
                    Some(pointer) => read(pointer::walk(self.whole, pointer)?.as_ref()),
                    None => self.below(pointer, &read),
                }),
        }
    }

    /// Below the root, else in the whole payload.
    fn below<T>(&self, pointer: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        pointer::walk(&self.root, pointer)
            .and_then(|value| read(&value))
            .or_else(|| match self.root {
                Cow::Borrowed(root) if std::ptr::eq(root, self.whole) => None,
                _ => read(pointer::walk(self.whole, pointer)?.as_ref()),
            })
    }

    fn source<T>(&self, source: &Source, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let text = |text: &str| {
            (!text.is_empty())
                .then(|| read(&Value::String(text.to_owned())))
                .flatten()
        };
        match source {
            Source::Pointer(pointer) => self.below(pointer, read),
            Source::Payload(pointer) => read(pointer::walk(self.whole, pointer)?.as_ref()),
            Source::Event => text(self.event_name()),
            Source::Id => text(self.envelope.id),
            Source::Hash => text(&hash(self.envelope.event, self.envelope.text)),
            Source::Text(parts) => text(&self.filled(parts)?),
        }
    }

    /// A text with what is there put in; none if anything that it asks for is missing.
    fn filled(&self, parts: &[Part]) -> Option<String> {
        let mut filled = String::new();
        for part in parts {
            match part {
                Part::Fixed(text) => filled.push_str(text),
                Part::Of(source) => filled.push_str(&self.source(source, values::text)?),
            }
            // More than anything that is kept.
            if filled.len() > limits::FRAME {
                break;
            }
        }
        Some(filled)
    }

    /// The name on the wire, if it is more than "a message".
    fn event_name(&self) -> &'a str {
        match self.envelope.event {
            "message" => "",
            event => event,
        }
    }

    fn payload(&self) -> Payload {
        let (mapping, usual) = (self.mapping, self.usual);
        let text =
            |own: &Option<Sources>, usual: &[&str]| self.part(own.as_ref(), usual, values::text);
        let own_id = match &mapping.id {
            own @ Some(_) => text(own, &[]),
            None => self.shape.id(self.whole).or_else(|| text(&None, usual.id)),
        };
        let version = self.part(mapping.version.as_ref(), &[], values::version);
        let id = own_id
            .clone()
            .or_else(|| (!self.envelope.id.is_empty()).then(|| self.envelope.id.to_owned()))
            .unwrap_or_else(|| hash(self.envelope.event, self.envelope.text));
        let replaces = text(&mapping.replaces, usual.replaces);
        let created_at = self.part(mapping.created_at.as_ref(), usual.created_at, values::time);
        let kind = text(&mapping.kind, usual.kind).unwrap_or_else(|| self.event_name().to_owned());
        let event = match &mapping.event {
            own @ Some(_) => text(own, &[]).unwrap_or_default(),
            None if self.event_name().is_empty() => kind.clone(),
            None => self.event_name().to_owned(),
        };
        let priority = self
            .part(mapping.priority.as_ref(), usual.priority, |value| {
                values::priority(value, mapping)
            })
            .or_else(|| self.shape.priority(self.whole))
            .unwrap_or(3);
        let (title, body, format) = self.words();
        let yes = |own: &Option<Sources>, usual: &[&str]| {
            self.part(own.as_ref(), usual, |value| Some(values::truth(value)))
                .unwrap_or_default()
        };
        let topic = text(&mapping.topic, usual.topic).map(|topic| cut(&topic, LONGEST_NAME));
        let ephemeral = mapping.ephemeral.fit(&event);
        let draft = Draft {
            replace_key: bounded(replaces.clone().unwrap_or_else(|| id.clone())),
            remote_id: bounded(match version {
                // Each change is stored for itself.
                Some(version) if replaces.is_none() => format!("{id}@{version}"),
                _ => id,
            }),
            version: version.unwrap_or_else(|| match replaces {
                Some(_) => created_at.unwrap_or(self.envelope.now).as_millisecond(),
                None => 0,
            }),
            class: if ephemeral {
                Class::Ephemeral
            } else {
                Class::Persistent
            },
            kind: cut(&kind, LONGEST_NAME),
            title: cut(title.trim(), limits::TITLE),
            body: cut(&body, limits::BODY),
            format,
            priority,
            tier: match priority {
                5 => Tier::Critical,
                3 | 4 => Tier::Important,
                _ => Tier::Informational,
            },
            created_at: created_at.unwrap_or(self.envelope.now),
            url: self.part(mapping.url.as_ref(), usual.url, |value| {
                values::link(value, mapping)
            }),
            actions: self.actions(),
            tags: self.tags(),
            icon: self.part(mapping.icon.as_ref(), usual.icon, |value| {
                values::web_link(value, mapping)
            }),
            attachment: self.part(mapping.attachment.as_ref(), usual.attachment, |value| {
                values::attachment(value, mapping)
            }),
            silent: priority <= 2 || yes(&mapping.silent, usual.silent),
            expires_at: self.part(mapping.expires_at.as_ref(), usual.expires_at, values::time),
            raw: cut(self.envelope.text, limits::RAW),
        };
        Payload {
            draft,
            has_own_id: own_id.is_some(),
            topic,
            ignored: mapping.ignore.fit(&event)
                || !(mapping.events.is_empty() || mapping.events.fit(&event)),
            read: yes(&mapping.read, &[]),
            deleted: yes(&mapping.deleted, &[]),
        }
    }

    /// Title, body, and how the body is written. A payload that has neither is shown as it stands.
    fn words(&self) -> (String, String, Format) {
        let (mapping, usual) = (self.mapping, self.usual);
        let mut format = written(mapping, self.envelope);
        if format == Written::Auto {
            format = self
                .part(None, usual.format, values::text)
                .map_or(Written::Auto, |media_type| of_media_type(&media_type));
        }
        if format == Written::Auto && self.shape == Shape::Activity {
            format = Written::Html;
        }
        let title = self
            .part(mapping.title.as_ref(), usual.title, values::text)
            .or_else(|| match mapping.title {
                None => self.shape.title(self.whole),
                Some(_) => None,
            });
        let found = self.part(mapping.body.as_ref(), usual.body, |value| match value {
            Value::Object(_) if mapping.body.is_some() => serde_json::to_string_pretty(value).ok(),
            value => values::text(value),
        });
        let text = match found {
            Some(found) if self.same(&found, title.as_deref()) => String::new(),
            Some(found) => body(&found, format),
            None if mapping.body.is_some() || self.whole.is_null() => String::new(),
            None if let Some(text) = self.text_at_root() => body(&text, format),
            None if title.is_none() || self.shape.has_data(self.whole) => {
                format = Written::Plain;
                serde_json::to_string_pretty(self.root.as_ref()).unwrap_or_default()
            }
            None => String::new(),
        };
        let title = title.unwrap_or_default();
        let title = if format == Written::Html && title.contains(['<', '&']) {
            html::text(&title)
        } else {
            title
        };
        (title, text, shown(format))
    }

    /// Where the mapping says that the notification sits, there is only a text.
    fn text_at_root(&self) -> Option<String> {
        self.mapping
            .root
            .as_ref()?
            .iter()
            .find_map(|source| self.source(source, values::text))
    }

    /// A usual name may be taken for title and body both.
    fn same(&self, body: &str, title: Option<&str>) -> bool {
        self.mapping.body.is_none() && title == Some(body)
    }

    fn actions(&self) -> Vec<crate::model::Action> {
        let read = |value: &Value| {
            let actions = values::actions(value, self.mapping);
            (!actions.is_empty()).then_some(actions)
        };
        match &self.mapping.actions {
            Some(sources) => sources
                .iter()
                .filter_map(|source| self.source(source, read))
                .flatten()
                .take(limits::ACTIONS)
                .collect(),
            None => self
                .part(None, self.usual.actions, read)
                .unwrap_or_default(),
        }
    }

    fn tags(&self) -> Vec<String> {
        let (mapping, usual) = (self.mapping, self.usual);
        let group = self.part(mapping.group.as_ref(), usual.group, values::text);
        let mut tags = self
            .part(mapping.tags.as_ref(), usual.tags, |value| {
                Some(values::tags(value)).filter(|tags| !tags.is_empty())
            })
            .unwrap_or_default();
        if let Some(group) = group.map(|group| cut(group.trim(), LONGEST_ID))
            && !tags.contains(&group)
        {
            tags.insert(0, group);
            tags.truncate(limits::TAGS);
        }
        tags
    }
}

/// An id of bounded length.
fn bounded(id: String) -> String {
    if id.len() <= LONGEST_ID {
        id
    } else {
        hash("", &id)
    }
}

/// An id for what has none: the same for the same event and text.
fn hash(event: &str, text: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(event.len().to_le_bytes());
    hasher.update(event);
    hasher.update(text);
    format!("h-{}", URL_SAFE_NO_PAD.encode(&hasher.finalize()[..18]))
}
