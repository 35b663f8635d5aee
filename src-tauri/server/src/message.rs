//! Messages as they go over the wire (ntfy's message JSON).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a message says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// First on every stream.
    Open,
    /// Sent when nothing else was for a while.
    Keepalive,
    /// A notification.
    #[default]
    Message,
    /// The notification with this sequence id is deleted.
    MessageDelete,
    /// The notification with this sequence id is read.
    MessageClear,
}

impl Kind {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Keepalive => "keepalive",
            Self::Message => "message",
            Self::MessageDelete => "message_delete",
            Self::MessageClear => "message_clear",
        }
    }

    /// True for what comes from a publisher, false for what belongs to the connection.
    pub fn is_published(self) -> bool {
        !matches!(self, Self::Open | Self::Keepalive)
    }
}

/// One message of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// 12 random letters and digits.
    pub id: String,
    /// What it updates, clears or deletes; the id of the first message if none was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sequence_id: String,
    /// When it is delivered, in unix seconds.
    pub time: i64,
    /// When the server forgets it, in unix seconds; 0 if it was never kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub expires: i64,
    /// What this is.
    pub event: Kind,
    /// The topic; all topics of the connection, joined by commas, in open and keepalive.
    pub topic: String,
    /// The title, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// 1 to 5, or 0 if the publisher gave none (which means 3).
    #[serde(default, skip_serializing_if = "is_none")]
    pub priority: u8,
    /// Tags, emoji short codes among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What a click opens.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub click: String,
    /// URL of an icon.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// Buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// A file elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// `text/markdown`, or empty for plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// `base64` if the body was not UTF-8, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub encoding: String,
}

impl Message {
    /// The JSON of one frame. HTTP streams leave out a sequence id equal to the id, sockets
    /// do not.
    pub fn to_json(&self, with_sequence: bool) -> String {
        let json = if with_sequence || self.sequence_id != self.id {
            serde_json::to_string(self)
        } else {
            serde_json::to_string(&Self {
                sequence_id: String::new(),
                ..self.clone()
            })
        };
        json.expect("strings and numbers always make JSON")
    }
}

/// A button of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Made by the server.
    #[serde(default)]
    pub id: String,
    /// `view`, `http`, `broadcast` or `copy`.
    pub action: String,
    /// The words on the button.
    #[serde(default)]
    pub label: String,
    /// Whether the notification is cleared when the action succeeded.
    #[serde(default)]
    pub clear: bool,
    /// The address of `view` and `http`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The method of `http`; empty means POST.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The headers of `http`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body of `http`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The Android intent of `broadcast`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub intent: String,
    /// The extras of `broadcast`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extras: BTreeMap<String, String>,
    /// The text of `copy`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
}

/// A file that lies elsewhere; this server keeps none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The file name.
    pub name: String,
    /// Where it lies.
    pub url: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_none(priority: &u8) -> bool {
    *priority == 0
}

/// A random text of `length` letters and digits.
///
/// # Panics
/// If the machine has no source of randomness.
pub(crate) fn random_id(length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut id = String::with_capacity(length);
    while id.len() < length {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the machine has a source of randomness");
        // Two of 64 values are thrown away, so that all letters are equally likely.
        let letters = bytes
            .iter()
            .filter_map(|byte| LETTERS.get(usize::from(byte & 63)));
        id.extend(
            letters
                .map(|&letter| char::from(letter))
                .take(length - id.len()),
        );
    }
    id
}

/// Whether `text` can be the id of a message.
pub(crate) fn is_message_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether `text` can be a topic or a sequence id.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
