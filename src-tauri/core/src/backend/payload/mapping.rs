//! How the members of a payload become a notification, as its user may write it.

use super::pointer::is_pointer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sources of one member, and entries of one list.
const MOST: usize = 64;
/// The longest text of a source or pattern, in bytes.
const LONGEST: usize = 1024;

/// Where the parts of a notification are in a payload. A part without sources of its own is sought under
/// its usual names; one with an empty list is not sought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// Where the notification sits in the payload; what is not below it is sought in the whole payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Sources>,
    /// What makes it unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Sources>,
    /// The name that `events`, `ignore` and `ephemeral` look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Sources>,
    /// What kind of event it is.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Sources>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Sources>,
    /// Its body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Sources>,
    /// How the body is written.
    #[serde(skip_serializing_if = "is_auto")]
    pub format: Written,
    /// What a click opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Sources>,
    /// What links without a host are relative to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<url::Url>,
    /// Its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Sources>,
    /// Priorities, 1 to 5, of the server's own words and numbers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub priorities: BTreeMap<String, u8>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Sources>,
    /// When it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Sources>,
    /// Its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Sources>,
    /// What it belongs to; kept as its first tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Sources>,
    /// Where its icon is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<Sources>,
    /// Its actions; all of these are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Sources>,
    /// Its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Sources>,
    /// Whether it comes without a sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent: Option<Sources>,
    /// The server's name for where it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Sources>,
    /// What it shares with those that it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Sources>,
    /// What grows when it is changed: a number or a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Sources>,
    /// Whether it was read elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Sources>,
    /// Whether it was deleted elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Sources>,
    /// Events that are notifications; empty for all. `*` stands for anything.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub events: Patterns,
    /// Events that are none.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub ignore: Patterns,
    /// Events that are shown while live and not kept.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub ephemeral: Patterns,
}

impl Mapping {
    /// What is wrong with it, in words, where its parts are each fine.
    pub fn check(&self) -> Result<(), String> {
        match self
            .priorities
            .iter()
            .find(|(_, priority)| !(1..=5).contains(*priority))
        {
            Some((word, _)) => Err(format!(
                "The priority of \"{word}\" must be a number from 1 to 5."
            )),
            None if self.priorities.len() > MOST => {
                Err(format!("At most {MOST} priorities can be named."))
            }
            None => Ok(()),
        }
    }
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// As its content type says; plain where there is none.
    #[default]
    Auto,
    /// As it stands.
    Plain,
    /// `CommonMark`.
    Markdown,
    /// HTML, of which the text is kept.
    Html,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_auto(written: &Written) -> bool {
    *written == Written::Auto
}

/// Where one part of a notification comes from; the first that is there is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OneOrMore", into = "Vec<String>")]
pub struct Sources(Vec<Source>);

impl Sources {
    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Below the root, else in the whole payload.
    Pointer(String),
    /// In the whole payload: `@payload/…`.
    Payload(String),
    /// The event's name on the wire: `@event`.
    Event,
    /// The event's id on the wire: `@id`.
    Id,
    /// What stands for its whole text: `@hash`.
    Hash,
    /// A text with `{/pointer}`, `{@event}`, `{@id}` in it; taken if all of them are there.
    Text(Vec<Part>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// As it stands.
    Fixed(String),
    /// What is there.
    Of(Source),
}

impl TryFrom<&str> for Source {
    type Error = String;

    fn try_from(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("A source is longer than {LONGEST} bytes."));
        }
        match reference(text) {
            Some(source) => source,
            None => parts(text).map(Self::Text),
        }
    }
}

/// A source that stands alone; none if it is a text.
fn reference(text: &str) -> Option<Result<Source, String>> {
    let pointer = |pointer: &str| {
        if is_pointer(pointer) {
            Ok(pointer.to_owned())
        } else {
            Err(format!(
                "\"{pointer}\" is no JSON pointer. One looks like /data/title."
            ))
        }
    };
    match text {
        "@event" => Some(Ok(Source::Event)),
        "@id" => Some(Ok(Source::Id)),
        "@hash" => Some(Ok(Source::Hash)),
        _ => match text.strip_prefix("@payload") {
            Some(rest) => Some(pointer(rest).map(Source::Payload)),
            None if text.is_empty() || text.starts_with('/') => {
                Some(pointer(text).map(Source::Pointer))
            }
            None => None,
        },
    }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, after) = rest.split_at(start);
        fixed.push_str(before);
        let inner = &after[1..];
        let is_reference = inner.starts_with(['/', '@']);
        let Some(end) = inner.find('}').filter(|_| is_reference) else {
            fixed.push('{');
            rest = inner;
            continue;
        };
        let Some(source) = reference(&inner[..end]) else {
            return Err(format!("\"{{{}}}\" stands for nothing.", &inner[..end]));
        };
        if !fixed.is_empty() {
            parts.push(Part::Fixed(std::mem::take(&mut fixed)));
        }
        parts.push(Part::Of(source?));
        rest = &inner[end + 1..];
    }
    fixed.push_str(rest);
    if !fixed.is_empty() {
        parts.push(Part::Fixed(fixed));
    }
    Ok(parts)
}

impl From<&Source> for String {
    fn from(source: &Source) -> Self {
        match source {
            Source::Pointer(pointer) => pointer.clone(),
            Source::Payload(pointer) => format!("@payload{pointer}"),
            Source::Event => "@event".to_owned(),
            Source::Id => "@id".to_owned(),
            Source::Hash => "@hash".to_owned(),
            Source::Text(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Fixed(text) => text.clone(),
                    Part::Of(source) => format!("{{{}}}", Self::from(source)),
                })
                .collect(),
        }
    }
}

impl From<Sources> for Vec<String> {
    fn from(sources: Sources) -> Self {
        sources.0.iter().map(String::from).collect()
    }
}

impl TryFrom<OneOrMore> for Sources {
    type Error = String;

    fn try_from(texts: OneOrMore) -> Result<Self, String> {
        texts
            .bounded()?
            .iter()
            .map(|text| Source::try_from(text.as_str()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Names with `*` for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OneOrMore", into = "Vec<String>")]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one fits.
    pub fn fit(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| fits(pattern, name))
    }
}

impl From<Patterns> for Vec<String> {
    fn from(patterns: Patterns) -> Self {
        patterns.0
    }
}

impl TryFrom<OneOrMore> for Patterns {
    type Error = String;

    fn try_from(texts: OneOrMore) -> Result<Self, String> {
        let texts = texts.bounded()?;
        match texts.iter().find(|text| text.len() > LONGEST) {
            Some(_) => Err(format!("A name is longer than {LONGEST} bytes.")),
            None => Ok(Self(texts)),
        }
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(middle) = last.replace(piece) {
            let Some(found) = rest.find(middle) else {
                return false;
            };
            rest = &rest[found + middle.len()..];
        }
    }
    match last {
        Some(end) => rest.ends_with(end),
        None => rest.is_empty(),
    }
}

/// A list of texts, or one.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn bounded(self) -> Result<Vec<String>, String> {
        match self {
            Self::One(text) => Ok(vec![text]),
            Self::More(texts) if texts.len() > MOST => {
                Err(format!("A list has more than {MOST} entries."))
            }
            Self::More(texts) => Ok(texts),
        }
    }
}
