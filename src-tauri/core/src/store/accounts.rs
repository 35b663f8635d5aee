//! Accounts and their subscriptions.

use super::row::{from_json, from_word, json, micros, time, word};
use super::{StoreError, Tx};
use crate::model::{
    Account, AccountId, Cursor, NewAccount, NewSubscription, Subscription, SubscriptionId, Way,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use url::Url;

const ACCOUNT: &str = "SELECT id, kind, name, url, sign_in, secrets, header_names, transport, allow_http, \
     disabled, created_at, options, way, made_token FROM account";
const SUBSCRIPTION: &str = "SELECT id, account, topic, name, cursor, filled, created_at, label, icon \
     FROM subscription";

impl Tx<'_> {
    /// Adds an account and its first subscriptions.
    pub fn add_account(
        &self,
        account: &NewAccount,
        subscriptions: &[NewSubscription],
        now: Timestamp,
    ) -> Result<AccountId, StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO account (kind, name, url, sign_in, secrets, header_names, transport, allow_http,
                     created_at, options, way, made_token)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                word(account.kind)?,
                account.name,
                account.url.as_str(),
                json(&account.sign_in)?,
                word(account.secrets)?,
                json(&account.header_names)?,
                account.transport.map_or(Ok(String::new()), word)?,
                account.allow_http,
                micros(now),
                account.options,
                json(&account.way)?,
                account.made_token,
            ])?;
        let id = AccountId(self.db.last_insert_rowid());
        for subscription in subscriptions {
            self.add_subscription(id, subscription, now)?;
        }
        Ok(id)
    }

    /// One account; [`StoreError::NotFound`] if it was removed.
    pub fn account(&self, id: AccountId) -> Result<Account, StoreError> {
        self.db
            .prepare_cached(&format!("{ACCOUNT} WHERE id = ?1"))?
            .query_row([id.0], |row| Ok(account(row)))?
    }

    /// All accounts, in the order in which they were added.
    pub fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.db
            .prepare_cached(&format!("{ACCOUNT} ORDER BY id"))?
            .query_map([], |row| Ok(account(row)))?
            .collect::<Result<Result<_, _>, _>>()?
    }

    /// Stores an account's present settings.
    pub fn save_account(&self, account: &Account) -> Result<(), StoreError> {
        let changed = self
            .db
            .prepare_cached(
                "UPDATE account SET kind = ?2, name = ?3, url = ?4, sign_in = ?5, secrets = ?6, header_names = ?7,
                     transport = ?8, allow_http = ?9, disabled = ?10,
                     options = ?11, way = ?12, made_token = ?13
                 WHERE id = ?1",
            )?
            .execute(params![
                account.id.0,
                word(account.kind)?,
                account.name,
                account.url.as_str(),
                json(&account.sign_in)?,
                word(account.secrets)?,
                json(&account.header_names)?,
                account.transport.map_or(Ok(String::new()), word)?,
                account.allow_http,
                account.disabled,
                account.options,
                json(&account.way)?,
                account.made_token,
            ])?;
        found(changed)
    }

    /// Removes an account with everything that came through it.
    pub fn remove_account(&self, id: AccountId) -> Result<(), StoreError> {
        self.db.execute(
            "DELETE FROM bucket WHERE name IN (SELECT CAST(id AS TEXT) FROM subscription WHERE account = ?1)",
            [id.0],
        )?;
        found(
            self.db
                .execute("DELETE FROM account WHERE id = ?1", [id.0])?,
        )
    }

    /// An account's subscriptions, without those that were left.
    pub fn subscriptions(&self, account: AccountId) -> Result<Vec<Subscription>, StoreError> {
        self.subscriptions_where(account, "active = 1")
    }

    pub(super) fn subscriptions_where(
        &self,
        account: AccountId,
        which: &'static str,
    ) -> Result<Vec<Subscription>, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "{SUBSCRIPTION} WHERE account = ?1 AND {which} ORDER BY id"
            ))?
            .query_map([account.0], subscription)?
            .collect::<Result<_, _>>()?)
    }

    /// The subscriptions of all accounts, with those that were left: rows of theirs may still be there.
    pub fn all_subscriptions(&self) -> Result<Vec<Subscription>, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!("{SUBSCRIPTION} ORDER BY id"))?
            .query_map([], subscription)?
            .collect::<Result<_, _>>()?)
    }

    /// One subscription, also one that was left: its rows may still be there.
    pub fn subscription(&self, id: SubscriptionId) -> Result<Subscription, StoreError> {
        Ok(self
            .db
            .prepare_cached(&format!("{SUBSCRIPTION} WHERE id = ?1"))?
            .query_row([id.0], subscription)?)
    }

    /// Subscribes to a topic. One that was left comes back under its id with its rows; it resumes from
    /// nothing, as the server may have dropped what was published since. One that is there keeps everything.
    pub fn add_subscription(
        &self,
        account: AccountId,
        new: &NewSubscription,
        now: Timestamp,
    ) -> Result<SubscriptionId, StoreError> {
        let before: Option<(i64, bool)> = self
            .db
            .prepare_cached(
                "SELECT id, active = 0 FROM subscription WHERE account = ?1 AND topic = ?2",
            )?
            .query_row(params![account.0, new.topic], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        if let Some((id, left)) = before {
            if left {
                self.db.execute(
                    "UPDATE subscription SET active = 1, cursor = '', filled = 0, problem = '', since_at = 0,
                         alive_at = 0, there = 0, created_at = ?2, name = CASE ?3 WHEN '' THEN name ELSE ?3 END
                     WHERE id = ?1",
                    params![id, micros(now), new.name],
                )?;
                self.db.execute(
                    "DELETE FROM gap WHERE subscription = ?1 AND to_at = 0",
                    [id],
                )?;
            }
            return Ok(SubscriptionId(id));
        }
        self.account(account)?;
        self.db
            .prepare_cached(
                "INSERT INTO subscription (account, topic, name, created_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![account.0, new.topic, new.name, micros(now)])?;
        Ok(SubscriptionId(self.db.last_insert_rowid()))
    }

    /// Takes note of a subscription that a server has: adds it if it is new, and keeps what the server calls
    /// it. None where the user left it.
    pub fn offered(
        &self,
        account: AccountId,
        topic: &str,
        label: &str,
        icon: &str,
        now: Timestamp,
    ) -> Result<Option<SubscriptionId>, StoreError> {
        let known: Option<(i64, bool)> = self
            .db
            .prepare_cached(
                "SELECT id, active FROM subscription WHERE account = ?1 AND topic = ?2",
            )?
            .query_row(params![account.0, topic], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let id = match known {
            Some((_, false)) => return Ok(None),
            Some((id, true)) => SubscriptionId(id),
            None => {
                let new = NewSubscription {
                    topic: topic.to_owned(),
                    name: String::new(),
                };
                self.add_subscription(account, &new, now)?
            }
        };
        self.db
            .prepare_cached(
                "UPDATE subscription SET label = ?2, icon = ?3
                 WHERE id = ?1 AND (label <> ?2 OR icon <> ?3)",
            )?
            .execute(params![id.0, label, icon])?;
        Ok(Some(id))
    }

    /// Stores a subscription's name.
    pub fn save_subscription(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let changed = self
            .db
            .prepare_cached("UPDATE subscription SET name = ?2 WHERE id = ?1")?
            .execute(params![subscription.id.0, subscription.name,])?;
        found(changed)
    }

    /// Leaves a topic. Its rows stay, unless they are to be forgotten.
    pub fn remove_subscription(&self, id: SubscriptionId, forget: bool) -> Result<(), StoreError> {
        self.db
            .execute("DELETE FROM bucket WHERE name = ?1", [id.to_string()])?;
        if forget {
            return found(
                self.db
                    .execute("DELETE FROM subscription WHERE id = ?1", [id.0])?,
            );
        }
        found(
            self.db
                .execute("UPDATE subscription SET active = 0 WHERE id = ?1", [id.0])?,
        )
    }

    /// Keeps what the server says about this topic alone; empty: it is fine.
    pub fn topic_problem(&self, id: SubscriptionId, says: &str) -> Result<(), StoreError> {
        found(
            self.db
                .prepare_cached("UPDATE subscription SET problem = ?2 WHERE id = ?1")?
                .execute(params![id.0, says])?,
        )
    }

    /// What the server says about this topic alone; empty: nothing.
    pub fn topic_problem_of(&self, id: SubscriptionId) -> Result<String, StoreError> {
        Ok(self
            .db
            .prepare_cached("SELECT problem FROM subscription WHERE id = ?1")?
            .query_row([id.0], |row| row.get(0))?)
    }
}

fn found(changed: usize) -> Result<(), StoreError> {
    if changed == 0 {
        Err(StoreError::NotFound)
    } else {
        Ok(())
    }
}

fn account(row: &Row<'_>) -> Result<Account, StoreError> {
    let url: String = row.get(3)?;
    let transport: String = row.get(7)?;
    Ok(Account {
        id: AccountId(row.get(0)?),
        kind: from_word(row.get(1)?)?,
        name: row.get(2)?,
        url: Url::parse(&url).map_err(|_| StoreError::Unreadable)?,
        sign_in: from_json(
            row.get_ref(4)?
                .as_str()
                .map_err(|_| StoreError::Unreadable)?,
        )?,
        secrets: from_word(row.get(5)?)?,
        header_names: from_json(
            row.get_ref(6)?
                .as_str()
                .map_err(|_| StoreError::Unreadable)?,
        )?,
        transport: if transport.is_empty() {
            None
        } else {
            Some(from_word(transport)?)
        },
        allow_http: row.get(8)?,
        disabled: row.get(9)?,
        created_at: time(row.get(10)?),
        options: row.get(11)?,
        way: match row.get_ref(12)?.as_str() {
            Ok("") => Way::default(),
            Ok(text) => from_json(text)?,
            Err(_) => return Err(StoreError::Unreadable),
        },
        made_token: row.get(13)?,
    })
}

fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let filled: bool = row.get(5)?;
    Ok(Subscription {
        id: SubscriptionId(row.get(0)?),
        account: AccountId(row.get(1)?),
        topic: row.get(2)?,
        name: row.get(3)?,
        cursor: if filled {
            Some(Cursor(row.get(4)?))
        } else {
            None
        },
        created_at: time(row.get(6)?),
        label: row.get(7)?,
        icon: row.get(8)?,
    })
}
