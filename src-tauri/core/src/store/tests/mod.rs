//! Tests of the store: what must hold whatever comes in, goes wrong or is read meanwhile.

mod deliveries;
mod faults;
mod inbox;
mod model;
mod opening;
mod pages;
mod pictures;
mod plans;
mod retention;
mod states;
mod steps;
mod toasts;
mod waiting;

use super::{Store, StoreError, Tx};
use crate::model::{
    AccountId, BackendKind, Class, Draft, Fate, Format, NewAccount, NewSubscription, Notification,
    NotificationId, Origin, SecretPlace, SignIn, SubscriptionId, Tier,
};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use tidings_api::{Counts, ListQuery};

/// 2026-01-07 12:00 UTC, a Wednesday, and so many seconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_787_200 + seconds).unwrap()
}

pub(super) fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * number)
}

pub(super) fn zoned(now: Timestamp) -> Zoned {
    now.to_zoned(TimeZone::UTC)
}

pub(super) fn new_account(name: &str) -> NewAccount {
    NewAccount {
        kind: BackendKind::Ntfy,
        name: name.to_owned(),
        url: "https://ntfy.example/".parse().unwrap(),
        sign_in: SignIn::Basic {
            user: "phil".to_owned(),
        },
        secrets: SecretPlace::Keyring,
        header_names: vec!["CF-Access-Client-Id".to_owned()],
        options: "{\"a\":1}".to_owned(),
        way: crate::model::Way {
            proxy: "direct".to_owned(),
            ..crate::model::Way::default()
        },
        transport: None,
        allow_http: false,
        made_token: "7".to_owned(),
    }
}

pub(super) fn topic(topic: &str) -> NewSubscription {
    NewSubscription {
        topic: topic.to_owned(),
        name: String::new(),
    }
}

/// A message as a server sends it: its own key, the version its second.
pub(super) fn draft(remote_id: &str, seconds: i64) -> Draft {
    Draft {
        remote_id: remote_id.to_owned(),
        replace_key: remote_id.to_owned(),
        version: seconds,
        class: Class::Persistent,
        kind: String::new(),
        title: format!("Title of {remote_id}"),
        body: format!("Body of {remote_id}"),
        format: Format::Plain,
        priority: 3,
        tier: Tier::Important,
        created_at: at(seconds),
        url: None,
        actions: Vec::new(),
        tags: Vec::new(),
        icon: None,
        attachment: None,
        silent: false,
        expires_at: None,
        raw: format!("{{\"id\":\"{remote_id}\"}}"),
    }
}

/// The same thing's version at that second.
pub(super) fn version(key: &str, remote_id: &str, seconds: i64) -> Draft {
    Draft {
        replace_key: key.to_owned(),
        ..draft(remote_id, seconds)
    }
}

pub(super) struct Fixture {
    pub store: Store,
    pub account: AccountId,
    pub subscription: SubscriptionId,
}

impl Fixture {
    pub fn new() -> Self {
        Self::of(Store::in_memory().unwrap())
    }

    pub fn of(store: Store) -> Self {
        let (account, subscription) = store
            .write(|tx| {
                let account = tx.add_account(&new_account("Home"), &[topic("alerts")], at(0))?;
                Ok((account, tx.subscriptions(account)?[0].id))
            })
            .unwrap();
        Self {
            store,
            account,
            subscription,
        }
    }

    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> T {
        self.store.write(work).unwrap()
    }

    pub fn insert_at(&self, draft: Draft, now: Timestamp) -> Fate {
        self.write(|tx| tx.insert(self.account, self.subscription, draft, Origin::Live, now))
    }

    pub fn insert(&self, draft: Draft) -> Fate {
        let now = draft.created_at;
        self.insert_at(draft, now)
    }

    /// Stores what must be new.
    pub fn new_one(&self, draft: Draft) -> Notification {
        match self.insert(draft) {
            Fate::New(notification) => *notification,
            other => panic!("not new: {other:?}"),
        }
    }

    pub fn id(&self, draft: Draft) -> NotificationId {
        self.new_one(draft).id
    }

    pub fn get(&self, id: NotificationId) -> Notification {
        self.write(|tx| tx.notification(id))
    }

    pub fn counts(&self) -> Counts {
        self.write(|tx| tx.counts(&|_, _, _| true))
    }

    pub fn list(&self, query: &ListQuery) -> Vec<NotificationId> {
        let (rows, _) = self.write(|tx| tx.page(query, &zoned(at(0))));
        rows.into_iter().map(|row| row.id).collect()
    }

    pub fn inbox(&self) -> Vec<NotificationId> {
        self.list(&ListQuery::default())
    }
}
