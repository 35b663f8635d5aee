use serde_json::Value;
use tidings_server::{Config, Publish};

use super::support::{Fixture, START, TestClock, json, refused};

#[tokio::test]
async fn delivered_when_due() {
    let clock = TestClock::new();
    let it = Fixture::with(clock.config()).await;
    let mut listener = it.listen("/t/json").await;
    listener.next().await;
    let later = json(it.put("/t", "later").header("Delay", "1h")).await;
    assert_eq!(
        (&later["time"], &later["expires"]),
        (&(START + 3600).into(), &(START + 13 * 3600).into())
    );
    let now = it.publish("t", "now").await;
    assert_eq!(listener.next().await.unwrap(), now);
    assert_eq!(it.texts("/t/json?poll=1").await, ["now"]);
    assert_eq!(
        it.texts("/t/json?poll=1&scheduled=1").await,
        ["now", "later"]
    );
    clock.advance(3599);
    it.server.tick().await.unwrap();
    assert_eq!(it.texts("/t/json?poll=1").await, ["now"]);
    clock.advance(1);
    it.server.tick().await.unwrap();
    assert_eq!(listener.next().await.unwrap(), later);
    assert_eq!(it.texts("/t/json?poll=1").await, ["now", "later"]);
    // Whoever resumes after the other message, or from its own time on, gets it.
    for since in [now["id"].as_str().unwrap(), &(START + 3600).to_string()] {
        assert_eq!(
            it.texts(&format!("/t/json?poll=1&since={since}")).await,
            ["later"]
        );
    }
}

#[tokio::test]
async fn ways_to_say_when() {
    let it = Fixture::with(TestClock::new().config()).await;
    for (header, value, time) in [
        ("Delay", "30m", START + 1800),
        ("X-At", "1700000060", START + 60),
        ("In", "2 days", START + 2 * 86400),
        ("Delay", "10s", START + 10),
        ("Delay", "3d", START + 3 * 86400),
    ] {
        let message = json(it.put("/t", "x").header(header, value)).await;
        assert_eq!(message["time"], time, "{value}");
    }
    for (value, code) in [
        ("9s", 40005),
        ("1699999999", 40005),
        ("0", 40005),
        ("73h", 40006),
        ("99999999999", 40006),
        ("tomorrow, 10am", 40004),
        ("99999999999999999999", 40004),
    ] {
        assert_eq!(
            refused(it.put("/t", "x").header("Delay", value)).await,
            code,
            "{value}"
        );
    }
    assert_eq!(
        refused(
            it.put("/t", "x")
                .header("Delay", "1h")
                .header("Cache", "no")
        )
        .await,
        40002
    );
    let body = format!("{{\"topic\":\"t\",\"delay\":\"{}\"}}", START + 60);
    assert_eq!(json(it.put("/", body)).await["time"], START + 60);
}

#[tokio::test]
async fn in_the_order_of_their_times() {
    let clock = TestClock::new();
    let it = Fixture::with(clock.config()).await;
    for (text, delay) in [("c", "30s"), ("a", "10s"), ("b", "20s")] {
        json(it.put("/t", text).header("Delay", delay)).await;
    }
    assert_eq!(it.texts("/t/json?poll=1&sched=1").await, ["a", "b", "c"]);
    let mut listener = it.listen("/t/json").await;
    listener.next().await;
    clock.advance(100);
    it.server.tick().await.unwrap();
    for expected in ["a", "b", "c"] {
        assert_eq!(listener.text().await, expected);
    }
    assert_eq!(it.texts("/t/json?poll=1").await, ["a", "b", "c"]);
}

#[tokio::test]
async fn taken_back_by_its_sequence() {
    let clock = TestClock::new();
    let it = Fixture::with(clock.config()).await;
    for sequence in ["updated", "deleted", "cleared", "kept"] {
        json(
            it.put(&format!("/t/{sequence}"), sequence)
                .header("Delay", "1m"),
        )
        .await;
    }
    json(it.put("/other/kept", "x")).await;
    json(it.put("/t/updated", "new").header("Delay", "2m")).await;
    json(it.client.delete(it.url("/t/deleted"))).await;
    json(it.put("/t/cleared/clear", "")).await;
    clock.advance(300);
    it.server.tick().await.unwrap();
    assert_eq!(
        it.texts("/t/json?poll=1").await,
        ["message_delete", "message_clear", "kept", "new"]
    );
}

#[tokio::test]
async fn survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let config = || Config {
        store: Some(folder.path().join("messages.db")),
        ..clock.config()
    };
    let it = Fixture::with(config()).await;
    json(it.put("/t", "later").header("Delay", "1h")).await;
    it.server.stop().await;
    clock.advance(7200);
    let it = Fixture::with(config()).await;
    it.server.tick().await.unwrap();
    assert_eq!(it.texts("/t/json?poll=1").await, ["later"]);
}

#[tokio::test]
async fn by_itself() {
    // The schedule looks at the clock by itself: nobody calls tick here.
    let clock = TestClock::new();
    let it = Fixture::with(clock.config()).await;
    let mut listener = it.listen("/t/json").await;
    listener.next().await;
    let at = jiff::Timestamp::from_second(START + 10).unwrap();
    clock.advance(-1);
    let publish = |text: &str| Publish {
        deliver_at: Some(at),
        ..Publish::new("t", text)
    };
    it.server.publish(publish("one")).await.unwrap();
    clock.advance(100);
    // What is published next wakes the schedule, which finds the first one due.
    let late = Publish {
        deliver_at: Some(jiff::Timestamp::from_second(START + 200).unwrap()),
        ..Publish::new("t", "two")
    };
    it.server.publish(late).await.unwrap();
    let frame = listener.next().await.unwrap();
    assert_eq!(
        (&frame["message"], &frame["time"]),
        (&Value::from("one"), &Value::from(START + 10))
    );
}
