//! The policy's tests: cases written down in `tests/policy/*.txt`, properties, and the words of toasts.

mod cases;
mod compose;
mod properties;

use crate::model::{
    AccountId, Class, Draft, Format, Notification, NotificationId, Origin, PolicyState,
    SubscriptionId, Tier,
};
use jiff::Timestamp;

/// An important notification that just came.
fn notification(now: Timestamp) -> Notification {
    Notification {
        id: NotificationId(1),
        account: AccountId(1),
        subscription: SubscriptionId(1),
        draft: Draft {
            remote_id: "a".to_owned(),
            replace_key: "a".to_owned(),
            version: 1,
            class: Class::Persistent,
            kind: String::new(),
            title: "Disk full".to_owned(),
            body: "97 % of sda1".to_owned(),
            format: Format::Plain,
            priority: 3,
            tier: Tier::Important,
            created_at: now,
            url: None,
            actions: Vec::new(),
            tags: Vec::new(),
            icon: None,
            attachment: None,
            silent: false,
            expires_at: None,
            raw: String::new(),
        },
        origin: Origin::Live,
        received_at: now,
        seen_at: None,
        read_at: None,
        done_at: None,
        revisions: 0,
    }
}

/// Nothing set, every bucket full.
fn state() -> PolicyState {
    PolicyState {
        known: false,
        account_muted: false,
        subscription_muted: false,
        min_tier: Tier::Informational,
        pause: None,
        looking: false,
        newer_critical_backfill: 0,
        subscription_bucket: None,
        overall_bucket: None,
        critical_bucket: None,
        released: None,
    }
}
