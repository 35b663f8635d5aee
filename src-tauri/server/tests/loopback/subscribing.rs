use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tidings_server::{Config, Limits};

use super::support::{Fixture, Lines, START, TestClock, json, refused, text};

#[tokio::test]
async fn open_then_messages() {
    let it = Fixture::with(TestClock::new().config()).await;
    let response = it.get("/a,b/json").send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "application/x-ndjson; charset=utf-8"
    );
    assert!(!response.headers().contains_key("x-messages-truncated"));
    drop(response);
    let mut listener = it.listen("/a%2Cb,a/json").await;
    let open = listener.next().await.unwrap();
    assert_eq!(
        open,
        json!({"id": open["id"], "time": START, "event": "open", "topic": "a,b"})
    );
    let a = it.publish("a", "1").await;
    it.publish("c", "2").await;
    let b = it.publish("b", "3").await;
    assert_eq!(
        [
            listener.next().await.unwrap(),
            listener.next().await.unwrap()
        ],
        [a, b]
    );
}

#[tokio::test]
async fn bytes_of_sse() {
    let config = Config {
        keepalive: Duration::from_millis(20),
        ..TestClock::new().config()
    };
    let it = Fixture::with(config).await;
    let message = it.publish("t", "two\nlines").await;
    let response = it.get("/t/sse?since=all").send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let mut stream = Lines::new(response);
    assert_eq!(stream.line().await.unwrap(), "event: open");
    assert!(stream.line().await.unwrap().starts_with("data: {\"id\":\""));
    assert_eq!(stream.line().await.unwrap(), "");
    let data = stream.line().await.unwrap();
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(data, message);
    assert_eq!(stream.line().await.unwrap(), "");
    assert_eq!(stream.line().await.unwrap(), "event: keepalive");
    assert!(
        stream
            .line()
            .await
            .unwrap()
            .contains("\"event\":\"keepalive\",\"topic\":\"t\"}")
    );
    assert_eq!(stream.line().await.unwrap(), "");
}

#[tokio::test]
async fn bytes_of_raw() {
    let it = Fixture::new().await;
    it.publish("t", "two\nlines").await;
    it.publish("t", "three").await;
    let mut stream = it.listen("/t/raw?since=all").await;
    for expected in ["", "two lines", "three"] {
        assert_eq!(stream.line().await.unwrap(), expected);
    }
    assert_eq!(
        it.get("/t/raw?poll=1")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "two lines\nthree\n"
    );
}

#[tokio::test]
async fn keepalives_say_nothing_is_wrong() {
    let config = Config {
        keepalive: Duration::from_millis(10),
        ..TestClock::new().config()
    };
    let it = Fixture::with(config).await;
    let mut listener = it.listen("/a,b/json?priority=5").await;
    assert_eq!(listener.text().await, "open");
    let keepalive = listener.next().await.unwrap();
    assert_eq!(
        keepalive,
        json!({"id": keepalive["id"], "time": START, "event": "keepalive", "topic": "a,b"})
    );
}

#[tokio::test]
async fn since() {
    let clock = TestClock::new();
    let it = Fixture::with(clock.config()).await;
    let mut ids = Vec::new();
    for (number, topic) in ["a", "b", "a", "b"].into_iter().enumerate() {
        ids.push(
            it.publish(topic, &number.to_string()).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
        clock.advance(60);
    }
    let time = |number: i64| (START + 60 * number).to_string();
    for (since, expected) in [
        ("all", &["0", "1", "2", "3"][..]),
        ("none", &[]),
        ("latest", &["2", "3"]),
        (&ids[0], &["1", "2", "3"]),
        (&ids[3], &[]),
        ("AAAAAAAAAAAA", &["0", "1", "2", "3"]),
        (&time(1), &["1", "2", "3"]),
        (&time(4), &[]),
        ("0", &["0", "1", "2", "3"]),
        ("2m", &["2", "3"]),
        ("1h", &["0", "1", "2", "3"]),
        ("119s", &["3"]),
        ("1m30s", &["3"]),
    ] {
        assert_eq!(
            it.texts(&format!("/a,b/json?poll=1&since={since}")).await,
            expected,
            "since {since}"
        );
        let mut listener = it.listen(&format!("/a,b/json?si={since}")).await;
        assert_eq!(listener.text().await, "open");
        for text in expected {
            assert_eq!(listener.text().await, *text, "since {since}");
        }
    }
    assert_eq!(
        it.texts("/a,b/json?poll=1").await.len(),
        4,
        "a poll is since=all"
    );
    let by_header = it
        .get("/a,b/json")
        .header("X-Poll", "1")
        .header("Since", "latest");
    assert_eq!(
        by_header
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .lines()
            .count(),
        2
    );
    for since in ["yesterday", "1d", "-", "1.5h", "AAAAAAAAAAA"] {
        assert_eq!(
            refused(it.get(&format!("/a/json?since={since}"))).await,
            40008,
            "{since}"
        );
    }
}

#[tokio::test]
async fn filters() {
    let it = Fixture::new().await;
    let first = json(
        it.put("/t", "one")
            .header("Title", "T")
            .header("Tags", "a,b")
            .header("Priority", "5"),
    )
    .await;
    json(it.put("/t", "two").header("Tags", "a")).await;
    json(it.put("/t", "three").header("Priority", "1")).await;
    let id = first["id"].as_str().unwrap();
    for (filter, expected) in [
        (&*format!("id={id}"), &["one"][..]),
        ("message=two", &["two"]),
        ("m=tw", &[]),
        ("title=T", &["one"]),
        ("priority=3", &["two"]),
        ("p=1,high,max", &["one", "three"]),
        ("tags=a", &["one", "two"]),
        ("ta=b,a", &["one"]),
        ("tags=a&prio=default", &["two"]),
    ] {
        assert_eq!(
            it.texts(&format!("/t/json?poll=1&{filter}")).await,
            expected,
            "{filter}"
        );
    }
    assert_eq!(refused(it.get("/t/json?poll=1&priority=most")).await, 40007);
    let mut listener = it.listen("/t/json?tags=b").await;
    assert_eq!(listener.text().await, "open");
    it.publish("t", "no").await;
    json(it.put("/t", "yes").header("Tags", "b")).await;
    assert_eq!(listener.text().await, "yes");
}

#[tokio::test]
async fn nothing_falls_between_replay_and_live() {
    let it = Fixture::new().await;
    let publishing = async {
        for number in 0..400 {
            it.publish("t", &number.to_string()).await;
        }
    };
    // Listeners that come at any moment of it get every message exactly once, in order.
    let listening = async {
        for _ in 0..20 {
            let mut listener = it.listen("/t/json?since=all").await;
            assert_eq!(listener.text().await, "open");
            for number in 0..400 {
                assert_eq!(listener.text().await, number.to_string());
                if number > 150 {
                    break;
                }
            }
        }
    };
    tokio::join!(publishing, listening);
    assert_eq!(it.texts("/t/json?poll=1").await.len(), 400);
}

#[tokio::test]
async fn a_long_replay_has_everything() {
    let it = Fixture::new().await;
    for number in 0..1050 {
        it.server
            .publish(tidings_server::Publish::new(
                ["a", "b", "c"][number % 3],
                number.to_string(),
            ))
            .await
            .unwrap();
    }
    let expected: Vec<_> = (0..1050)
        .filter(|number| number % 3 != 2)
        .map(|number| number.to_string())
        .collect();
    assert_eq!(it.texts("/a,b/json?poll=1").await, expected);
}

#[tokio::test]
async fn a_replay_has_its_budget() {
    let config = Config {
        limits: Limits {
            replay_bytes: Some(1000),
            ..Limits::off()
        },
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    for number in 0..3 {
        it.publish("t", &format!("{number}{}", "x".repeat(300)))
            .await;
    }
    let whole = it.get("/t/json?poll=1&since=all").send().await.unwrap();
    assert_eq!(whole.headers()["x-messages-truncated"], "1");
    let newest: Vec<_> = whole
        .text()
        .await
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(newest.len(), 2);
    assert!(newest[0].contains("\"1xxx") && newest[1].contains("\"2xxx"));
    let latest = it.get("/t/json?poll=1&since=latest").send().await.unwrap();
    assert!(!latest.text().await.unwrap().is_empty());
    let id = it.poll("/t/json?poll=1").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = it
        .get(&format!("/t/json?poll=1&since={id}"))
        .send()
        .await
        .unwrap();
    assert!(!rest.headers().contains_key("x-messages-truncated"));
}

#[tokio::test]
async fn messages_expire() {
    let clock = TestClock::new();
    let it = Fixture::with(clock.config()).await;
    it.publish("t", "old").await;
    clock.advance(12 * 3600 - 1);
    it.publish("t", "new").await;
    assert_eq!(it.texts("/t/json?poll=1").await, ["old", "new"]);
    clock.advance(1);
    assert_eq!(it.texts("/t/json?poll=1").await, ["new"]);
    it.server.tick().await.unwrap();
    assert_eq!(it.server.kept().await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_may_keep_nothing() {
    let config = Config {
        keep: Duration::ZERO,
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    let mut listener = it.listen("/t/json").await;
    listener.next().await;
    assert_eq!(it.publish("t", "x").await["expires"], Value::Null);
    assert_eq!(listener.text().await, "x");
    assert!(it.poll("/t/json?poll=1").await.is_empty());
    assert_eq!(
        refused(it.put("/t", "x").header("Delay", "1h")).await,
        40002
    );
}

#[tokio::test]
async fn everyone_gets_it() {
    let it = Fixture::new().await;
    let mut listeners = join_all((0..20).map(|_| it.listen("/t/json"))).await;
    for listener in &mut listeners {
        assert_eq!(text(&listener.next().await.unwrap()), "open");
    }
    let message = it.publish("t", "x").await;
    for listener in &mut listeners {
        assert_eq!(listener.next().await.unwrap(), message);
    }
}
