//! Where the parts of a notification came from, for whoever writes a mapping.

use super::mapping::{Mapping, Source, Sources};
use super::shapes::Usual;
use super::{Envelope, Reading, json, pointer, values};
use serde_json::Value;

/// A part, and the source that it was taken from, as a mapping writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The part's name in a mapping.
    pub part: &'static str,
    /// The source; empty where nothing in the payload says it.
    pub from: String,
}

/// Where each part that [`super::read`] reads came from, in the order in which they are shown.
pub fn origins(mapping: &Mapping, envelope: &Envelope<'_>) -> Vec<Origin> {
    let whole = match json(envelope.text) {
        Some(Value::String(text)) => pointer::encoded(&text),
        Some(value @ (Value::Object(_) | Value::Array(_))) => Some(value),
        _ => None,
    };
    let plain = whole.is_none();
    let whole = whole.unwrap_or(Value::Null);
    let reading = Reading::new(mapping, envelope, &whole);
    let mut origins = reading.origins();
    if plain {
        for origin in &mut origins {
            let own = match origin.part {
                "title" => mapping.title.is_some(),
                "body" => mapping.body.is_some(),
                _ => true,
            };
            if !own {
                // All of it.
                origin.from.clear();
            }
        }
    }
    origins
}

type Names = &'static [&'static str];

impl Reading<'_> {
    fn origins(&self) -> Vec<Origin> {
        let (map, usual): (&Mapping, &'static Usual) = (self.mapping, self.usual);
        let text =
            |own: &Option<Sources>, usual: Names| self.from(own.as_ref(), usual, values::text);
        let time =
            |own: &Option<Sources>, usual: Names| self.from(own.as_ref(), usual, values::time);
        let truth = |own: &Option<Sources>, usual: Names| {
            self.from(own.as_ref(), usual, |value| Some(values::truth(value)))
        };
        let body = self.from(map.body.as_ref(), usual.body, |value| match value {
            Value::Object(_) if map.body.is_some() => Some(String::new()),
            value => values::text(value),
        });
        [
            ("title", text(&map.title, usual.title)),
            ("body", body),
            (
                "priority",
                self.from(map.priority.as_ref(), usual.priority, |value| {
                    values::priority(value, map)
                }),
            ),
            ("type", text(&map.kind, usual.kind)),
            ("topic", text(&map.topic, usual.topic)),
            (
                "url",
                self.from(map.url.as_ref(), usual.url, |value| {
                    values::link(value, map)
                }),
            ),
            ("created_at", time(&map.created_at, usual.created_at)),
            ("expires_at", time(&map.expires_at, usual.expires_at)),
            (
                "tags",
                self.from(map.tags.as_ref(), usual.tags, |value| {
                    Some(values::tags(value)).filter(|tags| !tags.is_empty())
                }),
            ),
            ("group", text(&map.group, usual.group)),
            (
                "icon",
                self.from(map.icon.as_ref(), usual.icon, |value| {
                    values::web_link(value, map)
                }),
            ),
            (
                "attachment",
                self.from(map.attachment.as_ref(), usual.attachment, |value| {
                    values::attachment(value, map)
                }),
            ),
            ("silent", truth(&map.silent, usual.silent)),
            ("id", text(&map.id, usual.id)),
            ("replaces", text(&map.replaces, usual.replaces)),
            (
                "version",
                self.from(map.version.as_ref(), &[], values::version),
            ),
        ]
        .into_iter()
        .map(|(part, from)| Origin { part, from })
        .collect()
    }

    /// The first source for which `read` has something; the same order as when a part is read.
    fn from<T>(
        &self,
        own: Option<&Sources>,
        usual: Names,
        read: impl Fn(&Value) -> Option<T>,
    ) -> String {
        let found = match own {
            Some(sources) => sources
                .iter()
                .find(|source| self.source(source, &read).is_some())
                .map(String::from),
            None => usual.iter().find_map(|pointer| {
                let source = match pointer.strip_prefix('^') {
                    Some(pointer) => Source::Payload(pointer.to_owned()),
                    None => Source::Pointer((*pointer).to_owned()),
                };
                self.source(&source, &read)?;
                Some(String::from(&source))
            }),
        };
        found.unwrap_or_default()
    }
}
