//! Texts with `{names}` in them. A name in braces stands for a value; every other brace is only a brace, so
//! that JSON can be written as it is.

use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded;

/// The longest template, in bytes.
const LONGEST: usize = 8 * 1024;

/// What the account's credential is put in for, by the transport.
pub(super) const SECRETS: [&str; 2] = ["user", "secret"];

/// Values that a name stands for; none where there is none yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values<'a> {
    /// One topic.
    pub topic: Option<&'a str>,
    /// All topics, with commas between them.
    pub topics: Option<&'a str>,
    /// What signing in brought.
    pub token: Option<&'a str>,
    /// Where the stream was left.
    pub position: Option<&'a str>,
    /// Where the next page begins.
    pub page: Option<&'a str>,
    /// The id of the newest notification.
    pub last: Option<&'a str>,
    /// From when on notifications are wanted.
    pub since: Option<Timestamp>,
    /// The id of the notification that it is about.
    pub id: Option<&'a str>,
}

impl Values<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let text = |value: Option<&str>| value.map(str::to_owned);
        match name {
            "topic" => text(self.topic),
            "topics" => text(self.topics),
            "token" => text(self.token),
            "position" => text(self.position),
            "page" => text(self.page),
            "last" => text(self.last),
            "id" => text(self.id),
            "since" => self.since.map(|since| since.to_string()),
            "since_seconds" => self.since.map(|since| since.as_second().to_string()),
            "since_millis" => self.since.map(|since| since.as_millisecond().to_string()),
            _ => None,
        }
    }
}

/// Every name, the credential's apart.
const NAMES: [&str; 10] = [
    "topic",
    "topics",
    "token",
    "position",
    "page",
    "last",
    "since",
    "since_seconds",
    "since_millis",
    "id",
];

/// What the text becomes a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An address.
    Address,
    /// A header, a query's value, a text of any kind.
    Plain,
    /// JSON.
    Json,
    /// A form (`application/x-www-form-urlencoded`).
    Form,
}

impl Place {
    /// By a media type.
    pub(super) fn of(media_type: &str) -> Self {
        if media_type.contains("json") {
            Self::Json
        } else if media_type.contains("form-urlencoded") {
            Self::Form
        } else {
            Self::Plain
        }
    }

    fn escaped(self, value: &str) -> String {
        let escaped = match self {
            Self::Address => {
                return form_urlencoded::byte_serialize(value.as_bytes())
                    .collect::<String>()
                    .replace('+', "%20");
            }
            Self::Form => return form_urlencoded::byte_serialize(value.as_bytes()).collect(),
            Self::Plain => value.to_owned(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
        };
        // What a server sent must not become a place for the secret.
        SECRETS.iter().fold(escaped, |text, name| {
            text.replace(&format!("{{{name}}}"), name)
        })
    }
}

/// A text with names in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Template(String);

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a text is longer than {LONGEST} bytes"));
        }
        Ok(Self(text))
    }
}

impl Template {
    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has this name in it.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.contains(&format!("{{{name}}}"))
    }

    /// Whether the credential is put in.
    pub(super) fn is_secret(&self) -> bool {
        SECRETS.iter().any(|name| self.names(name))
    }

    /// The text; none if a value that it asks for is not there. In JSON, a text that would be only that
    /// value is `null` then. The credential's names stay.
    pub(super) fn fill(&self, values: &Values<'_>, place: Place) -> Option<String> {
        let mut text = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let name = NAMES.iter().find(|name| {
                rest[1..]
                    .strip_prefix(**name)
                    .is_some_and(|rest| rest.starts_with('}'))
            });
            if let Some(name) = name {
                rest = &rest[name.len() + 2..];
                match values.get(name) {
                    Some(value) => text.push_str(&place.escaped(&value)),
                    None if place == Place::Json
                        && text.ends_with('"')
                        && rest.starts_with('"') =>
                    {
                        text.pop();
                        text.push_str("null");
                        rest = &rest[1..];
                    }
                    None => return None,
                }
            } else {
                text.push('{');
                rest = &rest[1..];
            }
        }
        text.push_str(rest);
        Some(text)
    }

    /// A name in braces that stands for nothing, where braces can be nothing else.
    pub(super) fn unknown(&self, secrets: bool) -> Option<&str> {
        self.0.split('{').skip(1).find_map(|after| {
            let name = &after[..after.find('}')?];
            let known = NAMES.contains(&name) || (secrets && SECRETS.contains(&name));
            (!known).then_some(name)
        })
    }
}
