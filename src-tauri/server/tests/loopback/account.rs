//! What users ask about themselves.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tidings_server::{Access, Config, Limits, Permission, User};

use super::support::{Fixture, TestClock, json, refused, text};

fn config(clock: &TestClock) -> Config {
    Config {
        access: Access::only(vec![
            User::new("ada", "a", &[("alerts", Permission::ReadWrite)]),
            User::new("ben", "b", &[]),
        ]),
        ..clock.config()
    }
}

impl Fixture {
    fn ask(&self, method: Method, page: &str, body: &Value) -> RequestBuilder {
        let url = self.url(&format!("/v1/account{page}"));
        let request = self
            .client
            .request(method, url)
            .basic_auth("ada", Some("a"));
        if body.is_null() {
            request
        } else {
            request.body(body.to_string())
        }
    }

    async fn account(&self) -> Value {
        json(self.ask(Method::GET, "", &Value::Null)).await
    }

    fn by_token(&self, token: &Value, method: Method, page: &str) -> RequestBuilder {
        let url = self.url(&format!("/v1/account{page}"));
        let token = token["token"].as_str().unwrap();
        self.client.request(method, url).bearer_auth(token)
    }
}

#[tokio::test]
async fn tokens_are_made_extended_and_revoked() {
    let clock = TestClock::new();
    let it = Fixture::with(config(&clock)).await;
    let token = json(it.ask(
        Method::POST,
        "/token",
        &json!({"label": "one", "expires": 0}),
    ))
    .await;
    let short = json(it.ask(Method::POST, "/token", &Value::Null)).await;
    assert!(token["token"].as_str().unwrap().starts_with("tk_"));
    assert_eq!(
        (&token["label"], &token["expires"]),
        (&json!("one"), &json!(0))
    );
    let sees = |token: &Value| it.by_token(token, Method::GET, "");
    assert_eq!(json(sees(&short)).await["username"], "ada");
    clock.advance(71 * 3600);
    // Extended by what the request is signed in with.
    json(it.by_token(&short, Method::PATCH, "/token").body("{}")).await;
    clock.advance(71 * 3600);
    assert_eq!(json(sees(&short)).await["username"], "ada");
    clock.advance(3600);
    assert_eq!(refused(sees(&short)).await, 40101, "it is over");
    assert_eq!(json(sees(&token)).await["tokens"][0]["label"], "one");
    json(it.by_token(&token, Method::DELETE, "/token")).await;
    assert_eq!(refused(sees(&token)).await, 40101);
    assert_eq!(
        refused(it.ask(Method::DELETE, "/token", &Value::Null)).await,
        40023
    );
    // Of others nothing is seen.
    let ben = it.get("/v1/account").basic_auth("ben", Some("b"));
    assert_eq!(json(ben).await["tokens"], json!([]));
}

#[tokio::test]
async fn subscriptions_are_kept_and_their_changes_told() {
    let clock = TestClock::new();
    let it = Fixture::with(config(&clock)).await;
    let sync = it.account().await["sync_topic"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = format!("/{sync}/json");
    assert_eq!(refused(it.get(&page)).await, 40301);
    let ben = it.get(&page).basic_auth("ben", Some("b"));
    assert_eq!(refused(ben).await, 40301, "it is ada's alone");
    let listening = it
        .get(&page)
        .basic_auth("ada", Some("a"))
        .send()
        .await
        .unwrap();
    let mut changes = super::support::Lines::new(listening);
    assert_eq!(text(&changes.next().await.unwrap()), "open");
    let one =
        |name: &str| json!({"base_url": "https://ex.test", "topic": "a", "display_name": name});
    for (method, body) in [(Method::POST, one("A")), (Method::PATCH, one("B"))] {
        json(it.ask(method, "/subscription", &body)).await;
        assert_eq!(text(&changes.next().await.unwrap()), "{\"event\":\"sync\"}");
        assert_eq!(it.account().await["subscriptions"], json!([body]));
    }
    assert_eq!(
        refused(it.ask(Method::POST, "/subscription", &one("C"))).await,
        40903
    );
    let other = json!({"base_url": "https://ex.test", "topic": "b"});
    assert_eq!(
        refused(it.ask(Method::PATCH, "/subscription", &other)).await,
        40401
    );
    let gone = it
        .ask(Method::DELETE, "/subscription", &Value::Null)
        .header("X-BaseURL", "https://ex.test")
        .header("X-Topic", "a");
    json(gone).await;
    assert_eq!(text(&changes.next().await.unwrap()), "{\"event\":\"sync\"}");
    assert_eq!(it.account().await["subscriptions"], json!([]));
    assert_eq!(it.server.kept().await.unwrap(), 0, "nobody is told later");
}

#[tokio::test]
async fn what_users_have_outlives_a_restart_and_their_names_do_not() {
    let clock = TestClock::new();
    let folder = tempfile::tempdir().unwrap();
    let kept = || Config {
        store: Some(folder.path().join("messages.db")),
        ..config(&clock)
    };
    let it = Fixture::with(kept()).await;
    let token = json(it.ask(Method::POST, "/token", &json!({"expires": 0}))).await;
    let sync = it.account().await["sync_topic"].clone();
    it.server.stop().await;
    let it = Fixture::with(kept()).await;
    assert_eq!(
        json(it.by_token(&token, Method::GET, "")).await["sync_topic"],
        sync
    );
    it.server.stop().await;
    let mut fewer = kept();
    fewer.access.users.remove(0);
    let it = Fixture::with(fewer).await;
    assert_eq!(refused(it.by_token(&token, Method::GET, "")).await, 40101);
}

#[tokio::test]
async fn nobody_has_nothing() {
    let clock = TestClock::new();
    let it = Fixture::with(config(&clock)).await;
    let anonymous = json(it.get("/v1/account")).await;
    assert_eq!(anonymous["role"], "anonymous");
    assert_eq!(anonymous.get("sync_topic"), None);
    let page = it.url("/v1/account/subscription");
    let body = json!({"base_url": "https://ex.test", "topic": "a"}).to_string();
    assert_eq!(
        refused(it.client.post(&page).body(body.clone())).await,
        40101
    );
    assert_eq!(
        refused(it.ask(Method::POST, "/subscription", &json!({}))).await,
        40024
    );
    assert_eq!(
        refused(it.ask(Method::PUT, "/other", &Value::Null)).await,
        40401
    );
    // A server without users has no accounts.
    let it = Fixture::with(clock.config()).await;
    assert_eq!(
        refused(it.client.post(it.url("/v1/account/token")).body(body)).await,
        40401
    );
}

#[tokio::test]
async fn the_day_has_its_messages() {
    let clock = TestClock::new();
    let it = Fixture::with(Config {
        limits: Limits {
            messages: Some(2),
            ..Limits::off()
        },
        ..clock.config()
    })
    .await;
    for left in [2, 1] {
        let account = json(it.get("/v1/account")).await;
        assert_eq!(account["limits"]["messages"], 2);
        assert_eq!(account["stats"]["messages_remaining"], left);
        it.publish("alerts", "x").await;
    }
    assert_eq!(refused(it.put("/alerts", "x")).await, 42908);
    clock.advance(24 * 3600);
    it.publish("alerts", "x").await;
}
