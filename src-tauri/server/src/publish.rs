//! A message to be published, and what makes it acceptable.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::actions;
use crate::message::{Action, Attachment, Kind, Message, is_name, random_id};
use crate::refusal::Refusal;

/// Names that are no topics, since they are (or were) pages.
pub(crate) const RESERVED: &[&str] = &[
    "account", "app", "docs", "file", "login", "metrics", "settings", "signup", "static", "v1",
];

/// Least and greatest delay.
const DELAYS: (SignedDuration, SignedDuration) = (
    SignedDuration::from_secs(10),
    SignedDuration::from_hours(72),
);

/// A message to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// The topic.
    pub topic: String,
    /// The text; empty becomes `triggered`.
    pub message: String,
    /// The title.
    pub title: String,
    /// 1 to 5, or 0 for none.
    pub priority: u8,
    /// Tags.
    pub tags: Vec<String>,
    /// What a click opens.
    pub click: String,
    /// URL of an icon.
    pub icon: String,
    /// Buttons, at most 3; their ids are made by the server.
    pub actions: Vec<Action>,
    /// A file that lies elsewhere.
    pub attachment: Option<Attachment>,
    /// Whether the text is markdown.
    pub markdown: bool,
    /// Whether the text is base64 of something that is not UTF-8.
    pub base64: bool,
    /// The notification this one updates.
    pub sequence_id: Option<String>,
    /// When to deliver, if not now: 10 s to 3 days ahead.
    pub deliver_at: Option<Timestamp>,
    /// Not kept for those who are not connected now.
    pub no_cache: bool,
}

impl Publish {
    /// A plain message.
    pub fn new(topic: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The message this becomes at `now`, or why not. `keep` is how long the server keeps it.
    pub(crate) fn into_message(
        self,
        now: Timestamp,
        keep: Duration,
        size: usize,
    ) -> Result<Message, Refusal> {
        check_topic(&self.topic)?;
        if self.message.len() > size {
            return Err(Refusal::message_too_large(size));
        }
        if self.priority > 5 {
            return Err(Refusal::new(
                40007,
                "invalid priority parameter: 1 to 5, or min, low, default, high, max",
            ));
        }
        if let Some(sequence) = &self.sequence_id {
            check_sequence(sequence)?;
        }
        if !self.icon.is_empty() && !is_web(&self.icon) {
            return Err(Refusal::new(
                40021,
                "invalid request: icon URL is invalid, use http or https",
            ));
        }
        if self
            .attachment
            .as_ref()
            .is_some_and(|file| !is_web(&file.url))
        {
            return Err(Refusal::new(
                40013,
                "invalid request: attachment URL is invalid, use http or https",
            ));
        }
        if let Some(at) = self.deliver_at {
            let delay = at.duration_since(now);
            if self.no_cache || keep.is_zero() {
                return Err(Refusal::new(
                    40002,
                    "cannot disable cache for delayed message",
                ));
            } else if delay < DELAYS.0 {
                return Err(Refusal::new(
                    40005,
                    "invalid delay parameter: too small, at least 10 seconds",
                ));
            } else if delay > DELAYS.1 {
                return Err(Refusal::new(
                    40006,
                    "invalid delay parameter: too large, at most 3 days",
                ));
            }
        }
        let id = random_id(12);
        let time = self.deliver_at.unwrap_or(now).as_second();
        let kept = !self.no_cache && !keep.is_zero();
        Ok(Message {
            sequence_id: self.sequence_id.unwrap_or_else(|| id.clone()),
            id,
            time,
            expires: if kept { expiry(time, keep) } else { 0 },
            event: Kind::Message,
            topic: self.topic,
            title: self.title,
            message: if self.message.is_empty() {
                "triggered".to_owned()
            } else {
                self.message
            },
            priority: self.priority,
            tags: self.tags,
            click: self.click,
            icon: self.icon,
            actions: actions::check(self.actions)?,
            attachment: self.attachment,
            content_type: if self.markdown {
                "text/markdown".to_owned()
            } else {
                String::new()
            },
            encoding: if self.base64 {
                "base64".to_owned()
            } else {
                String::new()
            },
        })
    }
}

/// When a message of `time` is forgotten, in unix seconds.
pub(crate) fn expiry(time: i64, keep: Duration) -> i64 {
    time.saturating_add(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX))
}

/// Refuses what cannot be a topic.
pub(crate) fn check_topic(topic: &str) -> Result<(), Refusal> {
    if !is_name(topic) {
        return Err(Refusal::topic_invalid());
    }
    if RESERVED.contains(&topic) {
        return Err(Refusal::new(
            40010,
            "invalid request: topic name is disallowed",
        ));
    }
    Ok(())
}

/// Refuses what cannot be a sequence id.
pub(crate) fn check_sequence(sequence: &str) -> Result<(), Refusal> {
    if is_name(sequence) {
        Ok(())
    } else {
        Err(Refusal::new(
            40049,
            "invalid request: a sequence id has 1 to 64 letters, digits, - or _",
        ))
    }
}

fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
