use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use reqwest::RequestBuilder;
use tidings_server::{Access, Config, Limits, Permission, Rate, User};
use tokio_tungstenite::tungstenite::Error;

use super::support::{Fixture, START, TestClock, json, refused};

fn access() -> Access {
    let ada = [("*", Permission::ReadWrite), ("secret", Permission::Deny)];
    Access {
        everyone: [("public".to_owned(), Permission::Read)].into(),
        ..Access::only(vec![
            User::new("ada", "correct horse", &ada).with_token("tk_ada"),
            User::new("reader", "r", &[("builds-*", Permission::Read)]),
            User::new("writer", "w", &[("builds-*", Permission::Write)]),
        ])
    }
}

async fn fixture() -> Fixture {
    let config = Config {
        access: access(),
        ..Config::for_tests()
    };
    Fixture::with(config).await
}

/// 200 or the code of the refusal.
async fn outcome(request: RequestBuilder) -> u64 {
    let answer = request.try_clone().unwrap().send().await.unwrap();
    if answer.status() == 200 {
        200
    } else {
        refused(request).await
    }
}

#[tokio::test]
async fn who_may_do_what() {
    let it = fixture().await;
    for (user, topic, read, write) in [
        (None, "public", 200, 40301),
        (None, "builds-1", 40301, 40301),
        (Some(("ada", "correct horse")), "public", 200, 200),
        (Some(("ada", "correct horse")), "builds-1", 200, 200),
        (Some(("ada", "correct horse")), "secret", 40301, 40301),
        (Some(("reader", "r")), "builds-1", 200, 40301),
        (Some(("reader", "r")), "public", 200, 40301),
        (Some(("reader", "r")), "other", 40301, 40301),
        (Some(("writer", "w")), "builds-1", 40301, 200),
        (Some(("reader", "wrong")), "builds-1", 40101, 40101),
        (Some(("reader", "")), "builds-1", 40101, 40101),
        (Some(("nobody", "r")), "public", 40101, 40101),
    ] {
        let sign = |request: RequestBuilder| match user {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        for path in ["json?poll=1", "sse?poll=1", "raw?poll=1", "auth"] {
            let request = sign(it.get(&format!("/{topic}/{path}")));
            assert_eq!(
                outcome(request).await,
                read,
                "{user:?} reads {topic} by {path}"
            );
        }
        for request in [
            it.put(&format!("/{topic}"), "x"),
            it.get(&format!("/{topic}/publish?message=x")),
            it.put(&format!("/{topic}/seq/clear"), ""),
            it.client.delete(it.url(&format!("/{topic}/seq"))),
            it.put("/", format!("{{\"topic\":\"{topic}\"}}")),
        ] {
            assert_eq!(
                outcome(sign(request)).await,
                write,
                "{user:?} writes {topic}"
            );
        }
    }
}

#[tokio::test]
async fn every_way_to_sign_in() {
    let it = fixture().await;
    let auth = |value: &str| it.get("/t/auth").header("Authorization", value);
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    for (value, expected) in [
        (basic("ada:correct horse"), 200),
        (basic(":tk_ada"), 200),
        ("Bearer tk_ada".to_owned(), 200),
        ("bearer  tk_ada".to_owned(), 200),
        ("Bearer tk_other".to_owned(), 40101),
        ("Bearer".to_owned(), 40101),
        ("Basic %%%".to_owned(), 40101),
        ("Digest whatever".to_owned(), 40301),
        (basic(":"), 40101),
        (basic("ada:"), 40101),
    ] {
        assert_eq!(outcome(auth(&value)).await, expected, "{value}");
        for encoded in [URL_SAFE_NO_PAD.encode(&value), URL_SAFE.encode(&value)] {
            let request = it.client.get(it.url("/t/auth")).query(&[("auth", encoded)]);
            assert_eq!(outcome(request).await, expected, "{value} in the query");
        }
    }
    let wrong = it.get("/t/auth").bearer_auth("x").send().await.unwrap();
    assert!(
        wrong.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Basic")
    );
    let account = json(it.get("/v1/account").bearer_auth("tk_ada")).await;
    assert_eq!(account["username"], "ada");
    assert_eq!(json(it.get("/v1/config")).await["enable_login"], true);
    assert_eq!(
        json(it.get("/v1/health").bearer_auth("wrong")).await["healthy"],
        true
    );
}

#[tokio::test]
async fn one_forbidden_topic_fails_all() {
    let it = fixture().await;
    let ada = |path: &str| it.get(path).bearer_auth("tk_ada");
    assert_eq!(outcome(ada("/a,b/auth")).await, 200);
    assert_eq!(refused(ada("/a,secret,b/auth")).await, 40301);
    assert_eq!(refused(ada("/a,secret,b/json?poll=1")).await, 40301);
    let body: serde_json::Value = ada("/a,secret/json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(body["error"].as_str().unwrap().contains("secret"));
}

#[tokio::test]
async fn sockets_are_refused_with_the_status() {
    let it = fixture().await;
    let url = |query: &str| {
        it.url(&format!("/builds-1/ws{query}"))
            .replacen("http", "ws", 1)
    };
    let wrong = format!("?auth={}", URL_SAFE_NO_PAD.encode("Bearer x"));
    for (query, expected) in [("", 403), (&wrong, 401)] {
        match tokio_tungstenite::connect_async(url(query))
            .await
            .unwrap_err()
        {
            Error::Http(response) => assert_eq!(response.status(), expected),
            other => panic!("{other}"),
        }
    }
    let right = format!("?auth={}", URL_SAFE_NO_PAD.encode("Bearer tk_ada"));
    tokio_tungstenite::connect_async(url(&right)).await.unwrap();
}

#[tokio::test]
async fn an_open_server_takes_any_credentials() {
    let it = Fixture::new().await;
    assert_eq!(
        outcome(it.get("/t/auth").basic_auth("a", Some("b"))).await,
        200
    );
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let it = Fixture::new().await;
    let own = it.server.url();
    for (header, value, expected) in [
        ("Origin", "https://evil.test", 40301),
        ("Origin", "null", 40301),
        ("Origin", &*own, 200),
        ("Sec-Fetch-Site", "cross-site", 40301),
        ("Sec-Fetch-Site", "none", 200),
    ] {
        for request in [
            it.put("/t", "x"),
            it.get("/t/send"),
            it.get("/t/json?poll=1"),
        ] {
            assert_eq!(
                outcome(request.header(header, value)).await,
                expected,
                "{header}: {value}"
            );
        }
    }
}

#[tokio::test]
async fn too_many_failures_lock_out() {
    let clock = TestClock::new();
    let config = Config {
        access: access(),
        limits: Limits {
            auth_failures: Some(Rate {
                burst: 3,
                every: std::time::Duration::from_mins(1),
            }),
            ..Limits::off()
        },
        ..clock.config()
    };
    let it = Fixture::with(config).await;
    let right = || it.get("/t/auth").bearer_auth("tk_ada");
    for _ in 0..3 {
        assert_eq!(outcome(right()).await, 200);
        assert_eq!(refused(it.get("/t/auth").bearer_auth("x")).await, 40101);
    }
    assert_eq!(refused(right()).await, 42909);
    assert_eq!(
        outcome(it.get("/public/auth")).await,
        200,
        "those without a name are not affected"
    );
    clock.advance(60);
    assert_eq!(outcome(right()).await, 200);
    assert_eq!(it.publish_as("tk_ada").await["time"], START + 60);
}

impl Fixture {
    async fn publish_as(&self, token: &str) -> serde_json::Value {
        json(self.put("/t", "x").bearer_auth(token)).await
    }
}
