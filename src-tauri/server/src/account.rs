//! What users ask about themselves: `/v1/account` and what is below it.

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::accounts::{Account, Subscribed, Token};
use crate::http::{Asked, read};
use crate::refusal::Refusal;

/// Most bytes of a request about an account.
const BODY: usize = 4096;
/// A token lives so long if its maker says nothing, in seconds.
const TOKEN_LIFE: i64 = 72 * 60 * 60;

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    expires: Option<i64>,
}

impl Asked<'_> {
    /// Answers a request to a page of the account.
    pub(crate) async fn account_page(
        &self,
        method: &str,
        page: &[&str],
        body: Body,
    ) -> Result<Response, Refusal> {
        match (method, page) {
            ("GET", []) => Ok(self.account()),
            _ if self.context.access.users.is_empty() => Err(Refusal::not_found()),
            ("POST", ["token"]) => self.make_token(body).await,
            ("PATCH", ["token"]) => self.extend_token(body).await,
            ("DELETE", ["token"]) => self.delete_token().await,
            ("POST", ["subscription"]) => {
                let new: Subscribed = json_of(body).await?;
                self.change(|account| account.subscribe(new.clone()).map(|()| answer(&new)))
                    .await
            }
            ("PATCH", ["subscription"]) => {
                let new: Subscribed = json_of(body).await?;
                self.change(|account| {
                    let known = account.find(&new.base_url, &new.topic);
                    let known = known.ok_or_else(Refusal::not_found)?;
                    known.display_name.clone_from(&new.display_name);
                    Ok(answer(known))
                })
                .await
            }
            ("DELETE", ["subscription"]) => {
                let base_url = self.params.get(&["baseurl"]);
                let topic = self.params.get(&["topic"]);
                self.change(|account| {
                    account
                        .subscriptions
                        .retain(|one| one.base_url != base_url || one.topic != topic);
                    Ok(json!({ "success": true }))
                })
                .await
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// Changes what the one who asks has, keeps it, and tells those who listen to it.
    async fn change(
        &self,
        change: impl FnOnce(&mut Account) -> Result<Value, Refusal>,
    ) -> Result<Response, Refusal> {
        let user = self.user.ok_or_else(Refusal::unauthorized)?;
        let accounts = &self.context.accounts;
        let (answer, kept) = accounts.change(&user.name, change)?;
        let hub = &self.context.hub;
        hub.keep_account(user.name.clone(), kept).await?;
        if let Some(account) = accounts.of(&user.name) {
            hub.tell_changed(&account.sync_topic);
        }
        Ok(Json(answer).into_response())
    }

    async fn make_token(&self, body: Body) -> Result<Response, Refusal> {
        let wish: Wish = json_of(body).await?;
        let now = self.context.hub.now().as_second();
        let expires = wish.expires.unwrap_or(now + TOKEN_LIFE);
        let label = wish.label.unwrap_or_default();
        self.change(|account| Ok(answer(&account.add_token(label, expires, now))))
            .await
    }

    async fn extend_token(&self, body: Body) -> Result<Response, Refusal> {
        let wish: Wish = json_of(body).await?;
        let now = self.context.hub.now().as_second();
        let which = self.which_token(wish.token.unwrap_or_default())?;
        self.change(|account| {
            let token = known(account, &which)?;
            if wish.expires.is_some() || wish.label.is_none() {
                token.expires = wish.expires.unwrap_or(now + TOKEN_LIFE);
            }
            if let Some(label) = wish.label {
                token.label = label;
            }
            Ok(answer(token))
        })
        .await
    }

    async fn delete_token(&self) -> Result<Response, Refusal> {
        let which = self.which_token(self.params.get(&["token"]))?;
        self.change(|account| {
            account.tokens.retain(|token| token.value != which);
            Ok(json!({ "success": true }))
        })
        .await
    }

    /// The named one, else the one that the request is signed in with.
    fn which_token(&self, named: String) -> Result<String, Refusal> {
        if !named.is_empty() {
            return Ok(named);
        }
        let says = "invalid request: no token provided";
        self.token.clone().ok_or_else(|| Refusal::new(40023, says))
    }

    fn account(&self) -> Response {
        let (name, role) = match self.user {
            Some(user) => (user.name.as_str(), "user"),
            None => ("*", "anonymous"),
        };
        let limits = &self.context.limits;
        let now = self.context.hub.now();
        let sent = self.context.visitors.sent_today(self.address, now);
        let messages = limits.messages.unwrap_or_default();
        let mut answer = json!({
            "username": name,
            "role": role,
            "limits": {
                "basis": "ip",
                "message_size": limits.message_size,
                "messages": messages,
                "messages_expiry_duration": self.context.keep.as_secs(),
                "emails": 0,
                "calls": 0,
                "reservations": 0,
                "attachment_total_size": 0,
                "attachment_file_size": 0,
                "attachment_expiry_duration": 0,
                "attachment_bandwidth": 0,
            },
            "stats": {
                "messages": sent,
                "messages_remaining": messages.saturating_sub(sent),
            },
        });
        let account = self
            .user
            .and_then(|user| self.context.accounts.of(&user.name));
        if let Some(account) = account {
            answer["sync_topic"] = account.sync_topic.into();
            answer["subscriptions"] = json!(account.subscriptions);
            answer["tokens"] = json!(account.tokens);
        }
        Json(answer).into_response()
    }
}

fn known<'a>(account: &'a mut Account, which: &str) -> Result<&'a mut Token, Refusal> {
    let mut tokens = account.tokens.iter_mut();
    tokens
        .find(|token| token.value == which)
        .ok_or_else(Refusal::not_found)
}

fn answer(value: &impl serde::Serialize) -> Value {
    json!(value)
}

async fn json_of<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let body = read(body, BODY)
        .await?
        .ok_or_else(|| Refusal::new(41303, "JSON body too large"))?;
    let body = if body.is_empty() { b"{}" } else { &body[..] };
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new(40024, format!("invalid request: JSON invalid, {error}")))
}
