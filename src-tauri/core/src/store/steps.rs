//! Subscriptions that are kept in step with the account that their user has on the server.
//!
//! What the server listed is compared with what is here. A change that is still owed to the server goes before
//! what was listed: the list may be from before it.

use super::row::{from_word, stamp, word};
use super::{StoreError, Tx};
use crate::model::{AccountId, NewSubscription, Offered, StepChange, Subscription, SubscriptionId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use std::collections::BTreeMap;

/// What is said of a subscription that was removed elsewhere.
const GONE: &str = "It was removed from your account on the server, so it was turned off here. What it sent \
     stays.";

/// Whether the server's account has a subscription, as last seen.
mod there {
    /// Nobody looked.
    pub(super) const UNKNOWN: i64 = 0;
    /// It has it.
    pub(super) const YES: i64 = 1;
    /// It has not, as its user wished.
    pub(super) const NO: i64 = 2;
    /// It has not any more: it was removed elsewhere.
    pub(super) const REMOVED: i64 = 3;
}

struct Here {
    id: SubscriptionId,
    topic: String,
    name: String,
    label: String,
    active: bool,
    there: i64,
    /// A change of it is owed.
    owed: bool,
    /// A change of it was given up.
    gave_up: bool,
}

impl Tx<'_> {
    /// Brings an account's subscriptions in step with what the server listed, all of it; new ones are kept there
    /// under `place`. Whether something is owed to the server now.
    pub fn keep_in_step(
        &self,
        account: AccountId,
        place: &str,
        listed: &[Offered],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut listed: BTreeMap<&str, &Offered> =
            listed.iter().map(|one| (one.topic.as_str(), one)).collect();
        // A server that lists them can be told what it is owed, and in the order in which it came to be.
        let hastened = self
            .db
            .prepare_cached(
                "UPDATE outbox SET due_at = ?2 WHERE account = ?1 AND gave_up = 0 AND due_at > ?2",
            )?
            .execute(params![account.0, stamp(now)])?;
        let mut owes = hastened > 0;
        for here in self.all_here(account)? {
            let listed = listed.remove(here.topic.as_str());
            if here.owed {
                owes = true;
                continue;
            }
            match listed {
                Some(listed) if here.active => owes |= self.both_have_it(&here, listed, now)?,
                Some(listed) if matches!(here.there, there::NO | there::REMOVED) => {
                    self.came_back(account, listed, now)?;
                }
                // It was left on this computer alone.
                Some(_) => self.seen(here.id, there::YES, None)?,
                None if here.active && here.there == there::YES => {
                    self.remove_subscription(here.id, false)?;
                    self.seen(here.id, there::REMOVED, Some(""))?;
                    self.topic_problem(here.id, GONE)?;
                }
                None if here.active && !here.gave_up => {
                    self.owe_step(here.id, place, StepChange::Subscribe, now)?;
                    owes = true;
                }
                None if here.active || here.there == there::REMOVED => {}
                None => self.seen(here.id, there::NO, Some(""))?,
            }
        }
        for new in listed.into_values() {
            self.came_back(account, new, now)?;
        }
        Ok(owes)
    }

    /// Whether something has to be told.
    fn both_have_it(
        &self,
        here: &Here,
        listed: &Offered,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.seen(here.id, there::YES, Some(&listed.place))?;
        self.label(here.id, &listed.name)?;
        if here.there != there::YES {
            // A name from before they were in step is kept, and told where the server has none.
            let tell = !here.name.is_empty() && listed.name.is_empty();
            if tell {
                self.owe_step(here.id, &listed.place, StepChange::Rename, now)?;
            }
            return Ok(tell);
        }
        if here.label != listed.name && !here.name.is_empty() {
            self.db
                .prepare_cached("UPDATE subscription SET name = '' WHERE id = ?1")?
                .execute([here.id.0])?;
        }
        Ok(false)
    }

    fn came_back(
        &self,
        account: AccountId,
        listed: &Offered,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new = NewSubscription {
            topic: listed.topic.clone(),
            name: String::new(),
        };
        let id = self.add_subscription(account, &new, now)?;
        self.label(id, &listed.name)?;
        self.seen(id, there::YES, Some(&listed.place))
    }

    fn label(&self, id: SubscriptionId, label: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE subscription SET label = ?2 WHERE id = ?1 AND label <> ?2")?
            .execute(params![id.0, label])?;
        Ok(())
    }

    fn seen(&self, id: SubscriptionId, there: i64, place: Option<&str>) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "UPDATE subscription SET there = ?2, place = coalesce(?3, place)
                 WHERE id = ?1 AND (there <> ?2 OR place <> coalesce(?3, place))",
            )?
            .execute(params![id.0, there, place])?;
        Ok(())
    }

    fn all_here(&self, account: AccountId) -> Result<Vec<Here>, StoreError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT s.id, s.topic, s.name, s.label, s.active, s.there,
                     EXISTS (SELECT 1 FROM outbox o WHERE o.subscription = s.id AND o.gave_up = 0
                             AND o.mirror IN ('subscribe', 'unsubscribe', 'rename')),
                     EXISTS (SELECT 1 FROM outbox o WHERE o.subscription = s.id AND o.gave_up = 1
                             AND o.mirror IN ('subscribe', 'unsubscribe', 'rename'))
                 FROM subscription s WHERE s.account = ?1 ORDER BY s.id",
            )?
            .query_map([account.0], |row| {
                Ok(Here {
                    id: SubscriptionId(row.get(0)?),
                    topic: row.get(1)?,
                    name: row.get(2)?,
                    label: row.get(3)?,
                    active: row.get(4)?,
                    there: row.get(5)?,
                    owed: row.get(6)?,
                    gave_up: row.get(7)?,
                })
            })?
            .collect::<Result<_, _>>()?)
    }

    /// Owes the server a change of a subscription, in place of an earlier one. What was never told needs no
    /// new name.
    fn owe_step(
        &self,
        id: SubscriptionId,
        place: &str,
        change: StepChange,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let had: Option<String> = self
            .db
            .prepare_cached(
                "SELECT mirror FROM outbox WHERE subscription = ?1 AND replace_key = ?2 AND gave_up = 0
                 AND mirror IN ('subscribe', 'unsubscribe', 'rename')",
            )?
            .query_row(params![id.0, place], |row| row.get(0))
            .optional()?;
        let had: Option<StepChange> = had.map(from_word).transpose()?;
        if change == StepChange::Rename && had == Some(StepChange::Subscribe) {
            return Ok(());
        }
        self.forgive_step(id)?;
        self.db
            .prepare_cached(
                "INSERT INTO outbox (account, subscription, notification, replace_key, mirror, created_at, due_at)
                 SELECT account, id, 0, ?2, ?3, ?4, ?4 FROM subscription WHERE id = ?1",
            )?
            .execute(params![id.0, place, word(change)?, stamp(now)])?;
        Ok(())
    }

    /// Takes back what was not told about a subscription.
    pub fn forgive_step(&self, id: SubscriptionId) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "DELETE FROM outbox WHERE subscription = ?1
                 AND mirror IN ('subscribe', 'unsubscribe', 'rename')",
            )?
            .execute([id.0])?;
        Ok(())
    }

    /// Under which of the server's addresses its account has a subscription, or was told of it; empty where it
    /// has not.
    fn place_of(&self, id: SubscriptionId) -> Result<String, StoreError> {
        Ok(self
            .db
            .prepare_cached("SELECT place FROM subscription WHERE id = ?1")?
            .query_row([id.0], |row| row.get(0))?)
    }

    /// The server's account was told that a subscription is there.
    pub fn told_subscribed(&self, id: SubscriptionId, place: &str) -> Result<(), StoreError> {
        self.seen(id, there::UNKNOWN, Some(place))
    }

    /// The user named a subscription: the server's account is told, if it has it.
    pub fn renamed_in_step(
        &self,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let place = self.place_of(subscription.id)?;
        if place.is_empty() {
            return Ok(());
        }
        if subscription.name.is_empty() {
            self.label(subscription.id, "")?;
        }
        self.owe_step(subscription.id, &place, StepChange::Rename, now)
    }

    /// Leaves a topic, as [`Tx::remove_subscription`] does, and owes that to the server's account if it has it.
    /// Of one whose rows are to be forgotten too, what is still to be told stays.
    pub fn left_in_step(
        &self,
        id: SubscriptionId,
        forget: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let place = self.place_of(id)?;
        self.forgive_step(id)?;
        if place.is_empty() && !forget {
            self.remove_subscription(id, false)?;
            return self.seen(id, there::NO, None);
        }
        let mut left = self.subscription(id)?;
        self.remove_subscription(id, forget)?;
        if forget {
            let new = NewSubscription {
                topic: left.topic.clone(),
                name: String::new(),
            };
            left.id = self.add_subscription(left.account, &new, now)?;
            self.remove_subscription(left.id, false)?;
        }
        if place.is_empty() {
            return self.seen(left.id, there::NO, None);
        }
        self.seen(left.id, there::YES, Some(&place))?;
        self.owe_step(left.id, &place, StepChange::Unsubscribe, now)
    }

    /// Subscriptions that were turned off because they were removed elsewhere.
    pub fn turned_off(&self, account: AccountId) -> Result<Vec<Subscription>, StoreError> {
        self.subscriptions_where(account, "active = 0 AND there = 3")
    }
}
