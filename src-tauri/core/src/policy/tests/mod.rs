//! The policy's tests: cases and stories written down in `tests/policy`, properties, and the words of toasts.

mod cases;
mod compose;
mod oracle;
pub(crate) mod plays;
mod properties;
pub(crate) mod scenarios;
mod simulate;
pub(crate) mod streams;

use super::Rulebook;
use crate::model::preferences::Mandates;
use crate::model::{
    AccountId, Class, Draft, Format, Notification, NotificationId, Origin, Preferences,
    SubscriptionId, Tier,
};
use jiff::Timestamp;

/// An important notification that just came.
pub(crate) fn notification(now: Timestamp) -> Notification {
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
        tier: Tier::Important,
        origin: Origin::Live,
        received_at: now,
        seen_at: None,
        read_at: None,
        done_at: None,
        revisions: 0,
    }
}

/// These preferences, ready; nothing is wrong with them.
fn book(preferences: Preferences) -> Rulebook {
    let (book, problems) = Rulebook::new(preferences, &Mandates::default(), &[]);
    assert_eq!(problems, []);
    book
}
