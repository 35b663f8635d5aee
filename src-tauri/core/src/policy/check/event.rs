//! An event as it is written down.

use crate::model::{
    AccountId, BackendKind, Class, Draft, Format, Notification, NotificationId, Origin,
    SubscriptionId, Tier, limits,
};
use jiff::Timestamp;
use serde::Deserialize;

/// Something that happens: a notification comes, or the user or the computer does something, or both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    pub(super) now: Timestamp,
    pub(super) zone: Option<String>,
    pub(super) notification: Option<Told>,
    pub(super) pause: Option<PauseSaid>,
    #[serde(default)]
    pub(super) resume: bool,
    pub(super) looking: Option<bool>,
    pub(super) locked: Option<bool>,
    pub(super) presenting: Option<bool>,
    pub(super) full_screen: Option<bool>,
    pub(super) screen_shared: Option<bool>,
    pub(super) do_not_disturb: Option<bool>,
    #[serde(default)]
    pub(super) read: Vec<String>,
    #[serde(default)]
    pub(super) done: Vec<String>,
    #[serde(default)]
    pub(super) deleted: Vec<String>,
    #[serde(default)]
    pub(super) dismissed: Vec<String>,
    #[serde(default)]
    pub(super) filled: bool,
    #[serde(default)]
    pub(super) deliver_now: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseSaid {
    pub(super) until: Option<Timestamp>,
    #[serde(default)]
    pub(super) critical_rings: bool,
}

/// A notification.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Told {
    pub(super) id: Option<String>,
    pub(super) account: i64,
    pub(super) backend: Option<BackendKind>,
    pub(super) server: Option<String>,
    pub(super) subscription: i64,
    pub(super) topic: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    body: String,
    markdown: bool,
    priority: u8,
    tier: Option<Tier>,
    tags: Vec<String>,
    url: Option<String>,
    silent: bool,
    passing: bool,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    origin: Origin,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            id: None,
            account: 1,
            backend: None,
            server: None,
            subscription: 1,
            topic: None,
            kind: String::new(),
            title: String::new(),
            body: String::new(),
            markdown: false,
            priority: 3,
            tier: None,
            tags: Vec::new(),
            url: None,
            silent: false,
            passing: false,
            created_at: None,
            expires_at: None,
            origin: Origin::Live,
        }
    }
}

impl Told {
    /// # Errors
    /// Words for the user, without a stop.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !(1..=5).contains(&self.priority) {
            return Err("a priority is a number from 1 to 5");
        }
        if self.body.len() > limits::BODY || self.title.len() > limits::TITLE {
            return Err("its title or its body is longer than any that is kept");
        }
        Ok(())
    }

    /// As it would come into the inbox.
    pub(super) fn notification(
        self,
        id: NotificationId,
        name: &str,
        now: Timestamp,
    ) -> Notification {
        let tier = self.tier.unwrap_or(match self.priority {
            5 => Tier::Critical,
            3 | 4 => Tier::Important,
            _ => Tier::Informational,
        });
        Notification {
            id,
            account: AccountId(self.account),
            subscription: SubscriptionId(self.subscription),
            tier,
            origin: self.origin,
            received_at: now,
            seen_at: None,
            read_at: None,
            done_at: None,
            revisions: 0,
            draft: Draft {
                remote_id: name.to_owned(),
                replace_key: name.to_owned(),
                version: 0,
                class: if self.passing {
                    Class::Ephemeral
                } else {
                    Class::Persistent
                },
                kind: self.kind,
                title: self.title,
                body: self.body,
                format: if self.markdown {
                    Format::Markdown
                } else {
                    Format::Plain
                },
                priority: self.priority,
                tier,
                created_at: self.created_at.unwrap_or(now),
                url: self.url,
                actions: Vec::new(),
                tags: self.tags,
                icon: None,
                attachment: None,
                silent: self.silent,
                expires_at: self.expires_at,
                raw: String::new(),
            },
        }
    }
}
