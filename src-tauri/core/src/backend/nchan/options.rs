//! An account's own settings.

use super::address;
use crate::backend::payload::Mapping;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The most channels of one connection (Nchan, `NCHAN_MULTITAG_MAX`).
const MOST_CHANNELS: usize = 255;

/// As its user wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    /// The channels' names, in the order of the address, with commas between them.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "list")]
    channels: String,
    /// Where a channel tells how much it holds: the publisher's address, with `{channel}` for its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    info_url: String,
    /// How many messages the server keeps of a channel (`nchan_message_buffer_length`).
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_number"
    )]
    keeps: Option<u64>,
    /// How a message becomes a notification.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text"
    )]
    mapping: Option<Mapping>,
}

/// A text with commas, or a list.
fn list<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        Text(String),
        List(Vec<String>),
    }
    Ok(match Names::deserialize(from)? {
        Names::Text(text) => text,
        Names::List(names) => names.join(","),
    })
}

/// A number, or a text that is one: a form has only texts. An empty text is nothing.
fn maybe_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let wanted = || serde::de::Error::custom("a whole number is wanted");
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => text.trim().parse().map(Some).map_err(|_| wanted()),
        Value::Number(number) => number.as_u64().map(Some).ok_or_else(wanted),
        _ => Err(wanted()),
    }
}

/// An object, or a text that is one.
fn maybe_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Mapping>, D::Error> {
    let value = match Value::deserialize(from)? {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => serde_json::from_str(&text).map_err(serde::de::Error::custom)?,
        value => value,
    };
    serde_json::from_value(value)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

impl Options {
    /// Reads them; empty for none.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let wrong = |error| format!("The account's settings cannot be read: {error}.");
        let members: Map<String, Value> = serde_json::from_str(text).map_err(wrong)?;
        serde_json::from_value(Value::Object(members)).map_err(wrong)
    }

    /// The form in which they are kept; an error says what is wrong with them.
    pub(super) fn checked(mut self) -> Result<String, String> {
        let channels = self.channels();
        for (at, channel) in channels.iter().enumerate() {
            address::check_channel(channel)?;
            if channels[..at].contains(channel) {
                return Err(format!("The channel {channel} is named twice."));
            }
        }
        if channels.len() > MOST_CHANNELS {
            return Err(format!(
                "One address carries at most {MOST_CHANNELS} channels."
            ));
        }
        self.channels = channels.join(", ");
        self.info_url = self.info_url.trim().to_owned();
        if !self.info_url.is_empty() {
            if address::about(&self.info_url, "channel").is_none() {
                return Err(
                    "The address for information about a channel must begin with https:// (or http://)."
                        .to_owned(),
                );
            }
            if channels.len() > 1 && !address::is_of_each(&self.info_url) {
                return Err(
                    "With several channels, the address for information needs {channel} where the \
                     channel's name belongs."
                        .to_owned(),
                );
            }
        }
        if self.keeps == Some(0) {
            return Err(
                "A channel keeps at least one message. Leave this empty if you do not know."
                    .to_owned(),
            );
        }
        if let Some(mapping) = &self.mapping {
            mapping.check()?;
        }
        if self == Self::default() {
            return Ok(String::new());
        }
        serde_json::to_string(&self).map_err(|error| error.to_string())
    }

    fn channels(&self) -> Vec<String> {
        self.channels
            .split([',', '\n'])
            .map(str::trim)
            .filter(|channel| !channel.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// What the options come to.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The channels in the order of the address; none if nobody named them.
    pub channels: Vec<String>,
    /// Where a channel tells about itself; empty if nobody said.
    pub info_url: String,
    /// How many messages the server keeps of a channel, if known.
    pub keeps: Option<u64>,
    /// How a message is read.
    pub mapping: Mapping,
}

impl Settings {
    /// Of options that were checked once; what cannot be read is as if it was not there.
    pub(super) fn read(options: &str) -> Self {
        let options = Options::read(options).unwrap_or_default();
        let mut mapping = options.mapping.clone().unwrap_or_default();
        if mapping.id.is_none() {
            // The server's own id is unique for sure, what is called so in a message may be anything's.
            let own = serde_json::from_str::<Mapping>(r#"{"id":"@id"}"#);
            mapping.id = own.unwrap_or_default().id;
        }
        Self {
            channels: options.channels(),
            info_url: options.info_url,
            keeps: options.keeps,
            mapping,
        }
    }
}
