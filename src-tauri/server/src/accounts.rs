//! What users have besides their rights: tokens they made, topics they subscribe to, and a topic that says when
//! one of these changes. Shapes as in ntfy's `server/types.go` and `user/types.go`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::access::{Access, same};
use crate::message::random_id;
use crate::refusal::Refusal;

/// Tokens of one user; the oldest make room for new ones.
const TOKENS: usize = 60;
/// Subscriptions of one user.
const SUBSCRIPTIONS: usize = 1000;

/// A token that its user made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    #[serde(rename = "token")]
    pub(crate) value: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) label: String,
    /// Unix seconds; 0: it does not expire.
    #[serde(default)]
    pub(crate) expires: i64,
    /// Unix seconds.
    #[serde(default)]
    pub(crate) last_access: i64,
}

/// A topic of this or another server that a user subscribes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscribed {
    pub(crate) base_url: String,
    pub(crate) topic: String,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
}

/// What one user has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) sync_topic: String,
    pub(crate) subscriptions: Vec<Subscribed>,
    pub(crate) tokens: Vec<Token>,
}

/// What all users have, by name.
#[derive(Debug)]
pub(crate) struct Accounts(Mutex<HashMap<String, Account>>);

impl Account {
    fn new() -> Self {
        Self {
            sync_topic: format!("st_{}", random_id(16)),
            subscriptions: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// Makes a token.
    pub(crate) fn add_token(&mut self, label: String, expires: i64, now: i64) -> Token {
        self.tokens.retain(|known| !is_over(known, now));
        if self.tokens.len() >= TOKENS {
            self.tokens.remove(0);
        }
        let token = Token {
            value: format!("tk_{}", random_id(29).to_lowercase()),
            label,
            expires,
            last_access: now,
        };
        self.tokens.push(token.clone());
        token
    }

    /// Subscribes.
    pub(crate) fn subscribe(&mut self, new: Subscribed) -> Result<(), Refusal> {
        if self.find(&new.base_url, &new.topic).is_some() {
            let says = "conflict: topic subscription already exists";
            return Err(Refusal::new(40903, says));
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS {
            return Err(Refusal::new(
                40000,
                "invalid request: too many subscriptions",
            ));
        }
        self.subscriptions.push(new);
        Ok(())
    }

    /// The subscription with this address and topic.
    pub(crate) fn find(&mut self, base_url: &str, topic: &str) -> Option<&mut Subscribed> {
        self.subscriptions
            .iter_mut()
            .find(|one| one.base_url == base_url && one.topic == topic)
    }
}

fn is_over(token: &Token, now: i64) -> bool {
    token.expires > 0 && token.expires <= now
}

impl Accounts {
    /// From what was kept: names with what [`Accounts::change`] gave to be kept. Users that are gone are left out,
    /// and what cannot be read begins anew.
    pub(crate) fn new(access: &Access, kept: Vec<(String, String)>) -> Self {
        let mut kept: HashMap<_, _> = kept.into_iter().collect();
        let all = access.users.iter().map(|user| {
            let text = kept.remove(&user.name).unwrap_or_default();
            let account = serde_json::from_str(&text).unwrap_or_else(|_| Account::new());
            (user.name.clone(), account)
        });
        Self(Mutex::new(all.collect()))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user whose token this is. All tokens are looked at, each in constant time.
    pub(crate) fn sign_in(&self, given: &str, now: i64) -> Option<String> {
        let mut found = None;
        for (user, account) in self.all().iter_mut() {
            for token in &mut account.tokens {
                if same(given, &token.value) && !is_over(token, now) {
                    token.last_access = now;
                    found = Some(user.clone());
                }
            }
        }
        found
    }

    /// What this user has.
    pub(crate) fn of(&self, user: &str) -> Option<Account> {
        self.all().get(user).cloned()
    }

    /// Changes what a user has; gives what is to be kept of it. A refusal changes nothing.
    pub(crate) fn change<T>(
        &self,
        user: &str,
        change: impl FnOnce(&mut Account) -> Result<T, Refusal>,
    ) -> Result<(T, String), Refusal> {
        let mut all = self.all();
        let account = all.get_mut(user).ok_or_else(Refusal::unauthorized)?;
        let mut changed = account.clone();
        let done = change(&mut changed)?;
        let text = serde_json::to_string(&changed).map_err(|error| Refusal::internal(&error))?;
        *account = changed;
        Ok((done, text))
    }
}
