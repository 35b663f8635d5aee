use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tidings_server::Config;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::support::{Fixture, START, TestClock, frame, json, object, refused, text, until};

#[tokio::test]
async fn open_replay_live() {
    let it = Fixture::with(TestClock::new().config()).await;
    let first = it.publish("a", "1").await;
    let mut socket = it.socket("/a,b/ws?since=all").await;
    let open = object(&mut socket).await;
    assert_eq!(
        open,
        json!({"id": open["id"], "time": START, "event": "open", "topic": "a,b"})
    );
    let mut expected = first.clone();
    // Unlike HTTP streams, sockets always have the sequence id.
    expected["sequence_id"] = first["id"].clone();
    assert_eq!(object(&mut socket).await, expected);
    it.publish("b", "2").await;
    assert_eq!(text(&object(&mut socket).await), "2");
    json(it.put("/a/seq/clear", "")).await;
    let clear = object(&mut socket).await;
    assert_eq!(
        (&clear["event"], &clear["sequence_id"]),
        (&json!("message_clear"), &json!("seq"))
    );
}

#[tokio::test]
async fn a_poll_closes() {
    let it = Fixture::new().await;
    it.publish("t", "1").await;
    let mut socket = it.socket("/t/ws?poll=1").await;
    assert_eq!(text(&object(&mut socket).await), "1");
    match frame(&mut socket).await.unwrap() {
        Frame::Close(Some(close)) => assert_eq!(u16::from(close.code), 1000),
        other => panic!("{other:?}"),
    }
    assert!(frame(&mut socket).await.is_none());
}

#[tokio::test]
async fn keepalives_are_pings() {
    let config = Config {
        keepalive: Duration::from_millis(30),
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    let mut socket = it.socket("/t/ws").await;
    object(&mut socket).await;
    for _ in 0..5 {
        assert!(frame(&mut socket).await.unwrap().is_ping());
    }
    assert_eq!(it.server.subscriptions(), 1, "who answers pings stays");
}

#[tokio::test]
async fn who_answers_no_ping_is_gone() {
    let config = Config {
        keepalive: Duration::from_millis(30),
        pong_wait: Duration::from_millis(1),
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    // Not polled, so it answers nothing; the server must notice by itself.
    let socket = it.socket("/t/ws").await;
    until(async || it.server.subscriptions() == 0).await;
    drop(socket);
}

#[tokio::test]
async fn long_frames_and_close() {
    let it = Fixture::new().await;
    let mut socket = it.socket("/t/ws").await;
    object(&mut socket).await;
    socket.send(Frame::text("x".repeat(64))).await.unwrap();
    it.publish("t", "1").await;
    assert_eq!(text(&object(&mut socket).await), "1");
    socket.send(Frame::text("x".repeat(65))).await.unwrap();
    while frame(&mut socket).await.is_some() {}

    let mut socket = it.socket("/t/ws").await;
    object(&mut socket).await;
    socket.close(None).await.unwrap();
    while let Some(Ok(frame)) = socket.next().await {
        assert!(frame.is_close());
    }
    until(async || it.server.subscriptions() == 0).await;
}

#[tokio::test]
async fn not_a_socket() {
    let it = Fixture::new().await;
    assert_eq!(refused(it.get("/t/ws")).await, 40016);
    let upgrade = it.get("/t/ws?since=x").header("Upgrade", "websocket");
    let body: Value = upgrade.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["code"], 40008);
}
