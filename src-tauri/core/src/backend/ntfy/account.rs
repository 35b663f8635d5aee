//! The account that a user has on a server (ntfy, `server/server_account.go` and `server/types.go`): what it
//! subscribes to, its tokens, and how much it may do.

use super::address;
use crate::backend::{Failure, FailureKind, Server, Step};
use crate::model::{Body, HttpRequest, Method, Offered, StepChange};
use serde_json::{Map, Value, json};
use url::Url;

/// The longest name of a subscription, in bytes.
const NAME: usize = 256;
/// The most subscriptions of an account that are looked at.
const SUBSCRIPTIONS: usize = 1000;

/// What the server says of the one who signed in.
pub(super) struct Account {
    /// Says when something about the account changes; none where the server has no such thing.
    pub sync_topic: Option<String>,
    subscriptions: Vec<Value>,
}

/// Reads the answer to `GET /v1/account`; none where there is no account: nobody signed in, or the server has
/// none.
pub(super) fn read(body: &str) -> Option<Account> {
    let mut members: Map<String, Value> = serde_json::from_str(body).ok()?;
    let role = members.get("role").and_then(Value::as_str)?;
    if !matches!(role, "user" | "admin") {
        return None;
    }
    let sync_topic = members
        .get("sync_topic")
        .and_then(Value::as_str)
        .filter(|topic| address::check_topic(topic).is_ok())
        .map(str::to_owned);
    let subscriptions = match members.remove("subscriptions") {
        Some(Value::Array(all)) => all,
        _ => Vec::new(),
    };
    Some(Account {
        sync_topic,
        subscriptions,
    })
}

impl Account {
    /// Subscriptions of the server that has one of these addresses; those of other servers are none of its
    /// business.
    pub(super) fn offered(&self, addresses: &[String]) -> Vec<Offered> {
        let addresses: Vec<_> = addresses.iter().map(|one| plain(one)).collect();
        let text = |one: &Value, member: &str| {
            one.get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.subscriptions
            .iter()
            .take(SUBSCRIPTIONS)
            .map(|one| Offered {
                topic: text(one, "topic"),
                name: crate::text::one_line(&text(one, "display_name"), NAME),
                icon: None,
                place: text(one, "base_url"),
            })
            .filter(|one| {
                addresses.contains(&plain(&one.place))
                    && address::check_topic(&one.topic).is_ok()
                    && self.sync_topic.as_ref() != Some(&one.topic)
            })
            .collect()
    }
}

/// An address as two of them are compared.
fn plain(address: &str) -> String {
    let parsed = Url::parse(address.trim());
    let text = parsed.map_or_else(|_| address.trim().to_owned(), |url| url.to_string());
    text.trim_end_matches('/').to_owned()
}

/// A server's address as ntfy's own clients write it.
pub(super) fn written(base: &Url) -> String {
    base.as_str().trim_end_matches('/').to_owned()
}

/// The address that the server calls its own, in the answer to `GET /v1/config`.
pub(super) fn own_address(body: &str) -> Option<String> {
    let members: Map<String, Value> = serde_json::from_str(body).ok()?;
    let address = members.get("base_url")?.as_str()?;
    Url::parse(address)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        .then(|| address.trim_end_matches('/').to_owned())
}

fn with_body(method: Method, url: Url, body: &Value) -> HttpRequest {
    HttpRequest {
        body: Body::Bytes {
            media_type: "application/json".to_owned(),
            bytes: body.to_string().into_bytes(),
        },
        ..HttpRequest::new(method, url)
    }
}

/// Tells the account of a subscription that was added, left or named.
pub(super) fn tell_step(server: &Server, step: &Step<'_>) -> HttpRequest {
    let url = address::below(&server.base, &["v1", "account", "subscription"]);
    let name = (!step.name.is_empty()).then_some(step.name);
    let body = json!({"base_url": step.place, "topic": step.topic, "display_name": name});
    match step.change {
        StepChange::Subscribe => with_body(Method::Post, url, &body),
        StepChange::Rename => with_body(Method::Patch, url, &body),
        StepChange::Unsubscribe => HttpRequest::new(Method::Delete, url)
            .header("X-BaseURL", step.place)
            .header("X-Topic", step.topic),
    }
}

fn tokens(server: &Server) -> Url {
    address::below(&server.base, &["v1", "account", "token"])
}

/// Asks for a token that does not expire; without the time, the server would let it expire in three days.
pub(super) fn exchange(server: &Server, device: &str) -> HttpRequest {
    let body = json!({"label": device, "expires": 0});
    with_body(Method::Post, tokens(server), &body)
}

/// The new token; none where the server has no accounts, so that the password is kept.
pub(super) fn exchanged(status: u16, body: &str) -> Result<Option<String>, Failure> {
    match status {
        200 => {
            let answer: Option<Value> = serde_json::from_str(body).ok();
            let token = answer
                .as_ref()
                .and_then(|answer| answer.get("token")?.as_str())
                .filter(|token| !token.is_empty());
            Ok(token.map(str::to_owned))
        }
        401 => Err(Failure {
            kind: FailureKind::SignIn,
            says: "The server did not accept the user name and password. Check them.".to_owned(),
            retry_after: None,
        }),
        429 | 500..=599 => Err(super::refusal::failure(status, None, body)),
        _ => Ok(None),
    }
}

/// Revokes the token with which the request is signed in.
pub(super) fn revoke(server: &Server) -> HttpRequest {
    HttpRequest::new(Method::Delete, tokens(server))
}
