use std::time::Duration;

use tidings_server::{Config, Limits, Publish, Rate};
use tokio_tungstenite::tungstenite::Error;

use super::support::{Fixture, TestClock, json, object, refused, until};

#[tokio::test]
async fn requests() {
    let clock = TestClock::new();
    let config = Config {
        limits: Limits::default(),
        ..clock.config()
    };
    let it = Fixture::with(config).await;
    for _ in 0..60 {
        it.publish("t", "x").await;
    }
    assert_eq!(refused(it.put("/t", "x")).await, 42901);
    assert_eq!(refused(it.get("/t/json")).await, 42901);
    json(it.get("/v1/health")).await;
    let answer = it.get("/t/json?poll=1").send().await.unwrap();
    assert!(
        !answer.headers().contains_key("retry-after"),
        "ntfy sends none"
    );
    clock.advance(5);
    it.publish("t", "x").await;
    assert_eq!(refused(it.put("/t", "x")).await, 42901);
    it.server
        .publish(Publish::new("t", "from within"))
        .await
        .unwrap();
}

#[tokio::test]
async fn subscriptions() {
    let config = Config {
        limits: Limits {
            subscriptions: Some(2),
            ..Limits::off()
        },
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    let mut first = it.listen("/t/json").await;
    first.next().await;
    let mut socket = it.socket("/t/ws").await;
    object(&mut socket).await;
    for path in ["/t/json", "/t/sse", "/t/raw"] {
        assert_eq!(refused(it.get(path)).await, 42903, "{path}");
    }
    match tokio_tungstenite::connect_async(it.url("/t/ws").replacen("http", "ws", 1))
        .await
        .unwrap_err()
    {
        Error::Http(response) => assert_eq!(response.status(), 429),
        other => panic!("{other}"),
    }
    assert!(
        it.poll("/t/json?poll=1").await.is_empty(),
        "polls are no subscriptions"
    );
    drop(first);
    // The place is free as soon as the server notices.
    until(async || it.get("/t/json").send().await.unwrap().status() == 200).await;
}

#[tokio::test]
async fn visitors_behind_a_proxy() {
    let config = Config {
        behind_proxy: true,
        limits: Limits {
            requests: Some(Rate {
                burst: 1,
                every: Duration::from_hours(1),
            }),
            ..Limits::off()
        },
        ..TestClock::new().config()
    };
    let it = Fixture::with(config).await;
    let from = |address: &'static str| it.put("/t", "x").header("X-Forwarded-For", address);
    json(from("10.0.0.1")).await;
    json(from("10.0.0.1, 10.0.0.2")).await;
    assert_eq!(refused(from("10.0.0.2")).await, 42901);
    assert_eq!(refused(from("10.9.9.9,10.0.0.1")).await, 42901);
    json(from("nonsense")).await;
    assert_eq!(
        refused(it.put("/t", "x")).await,
        42901,
        "nonsense counted for the proxy itself"
    );
}

#[tokio::test]
async fn connections() {
    let config = Config {
        limits: Limits {
            connections: 2,
            ..Limits::off()
        },
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    let mut stream = it.listen("/t/json").await;
    stream.next().await;
    let mut socket = it.socket("/t/ws").await;
    object(&mut socket).await;
    it.get("/v1/health").send().await.unwrap_err();
    drop(socket);
    until(async || it.get("/v1/health").send().await.is_ok()).await;
}

#[tokio::test]
async fn a_slow_subscriber_is_cut_and_nobody_waits() {
    let config = Config {
        limits: Limits {
            queue: 8,
            ..Limits::off()
        },
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    for path in ["/t/json", "/t/ws"] {
        let slow_stream;
        let slow_socket;
        if path == "/t/ws" {
            slow_socket = Some(it.socket(path).await);
            slow_stream = None;
        } else {
            slow_stream = Some(it.listen(path).await);
            slow_socket = None;
        }
        let text = "x".repeat(4000);
        let mut published = 0;
        while it.server.subscriptions() > 0 {
            it.server
                .publish(Publish {
                    no_cache: true,
                    ..Publish::new("t", &text)
                })
                .await
                .unwrap();
            published += 1;
            assert!(
                published < 50_000,
                "a subscriber that reads nothing must be cut"
            );
        }
        drop((slow_stream, slow_socket));
    }
}
