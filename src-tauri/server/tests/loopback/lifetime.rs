use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tidings_server::{Config, Server, ServerError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{Fixture, frame, object, until};

#[tokio::test]
async fn messages_survive_a_restart_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        store: Some(folder.path().join("messages.db")),
        ..Config::for_tests()
    };
    let it = Fixture::with(config()).await;
    let first = it.publish("t", "one").await;
    it.publish("t", "two").await;
    #[cfg(unix)]
    for file in std::fs::read_dir(folder.path()).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read the messages");
    }
    it.server.stop().await;
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "a stopped server has closed its database");
    let it = Fixture::with(config()).await;
    assert_eq!(it.texts("/t/json?poll=1").await, ["one", "two"]);
    it.publish("t", "three").await;
    let since = first["id"].as_str().unwrap();
    assert_eq!(
        it.texts(&format!("/t/json?poll=1&since={since}")).await,
        ["two", "three"]
    );
}

#[tokio::test]
async fn in_memory_a_restart_forgets_and_an_unknown_id_is_everything() {
    let it = Fixture::new().await;
    let old = it.publish("t", "one").await;
    let address = it.server.addr();
    it.server.stop().await;
    let config = Config {
        listen: address,
        ..Config::for_tests()
    };
    let it = Fixture::with(config).await;
    it.publish("t", "two").await;
    let since = old["id"].as_str().unwrap();
    assert_eq!(
        it.texts(&format!("/t/json?poll=1&since={since}")).await,
        ["two"]
    );
}

#[tokio::test]
async fn stopping_is_quick_whatever_is_open() {
    let it = Fixture::new().await;
    let mut stream = it.listen("/t/json").await;
    stream.next().await;
    let mut socket = it.socket("/t/ws").await;
    object(&mut socket).await;
    it.publish("t", "x").await;
    // A request that never ends, and a connection that never asks.
    let mut half = TcpStream::connect(it.server.addr()).await.unwrap();
    half.write_all(b"PUT /t HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
        .await
        .unwrap();
    let mut silent = TcpStream::connect(it.server.addr()).await.unwrap();
    let address = it.server.addr();
    let stopping = it.server.stop();
    tokio::time::timeout(Duration::from_secs(5), stopping)
        .await
        .expect("half a second and a slow machine");
    assert_eq!(stream.text().await, "x");
    assert_eq!(stream.next().await, None);
    while frame(&mut socket).await.is_some() {}
    for left in [&mut half, &mut silent] {
        let mut bytes = Vec::new();
        let _ = left.read_to_end(&mut bytes).await;
    }
    TcpStream::connect(address).await.unwrap_err();
}

#[tokio::test]
async fn dropping_connections_cuts_streams_only() {
    let it = Fixture::new().await;
    let mut stream = it.listen("/t/json").await;
    stream.next().await;
    let mut sse = it.get("/t/sse").send().await.unwrap();
    sse.chunk().await.unwrap();
    let mut socket = it.socket("/t/ws").await;
    object(&mut socket).await;
    assert_eq!(it.server.subscriptions(), 3);
    it.server.drop_connections();
    assert_eq!(it.server.subscriptions(), 0);
    assert_eq!(stream.next().await, None);
    sse.chunk().await.unwrap_err();
    assert!(frame(&mut socket).await.is_none());
    let id = it.publish("t", "missed").await["id"].clone();
    let mut again = it.listen("/t/json?since=all").await;
    again.next().await;
    assert_eq!(again.next().await.unwrap()["id"], id);
}

#[tokio::test]
async fn who_leaves_is_forgotten() {
    let it = Fixture::new().await;
    for _ in 0..10 {
        it.listen("/t/json").await.next().await;
        object(&mut it.socket("/t/ws").await).await;
    }
    until(async || it.server.subscriptions() == 0).await;
}

#[tokio::test]
async fn why_it_cannot_start() {
    let it = Fixture::new().await;
    let taken = Config {
        listen: it.server.addr(),
        ..Config::for_tests()
    };
    let error = Server::start(taken).await.unwrap_err();
    assert!(matches!(error, ServerError::Listen { .. }));
    assert!(error.to_string().contains("Choose another address"));
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Config {
        store: Some(folder.path().join("missing/messages.db")),
        ..Config::for_tests()
    };
    assert!(matches!(
        Server::start(nowhere).await.unwrap_err(),
        ServerError::Store { .. }
    ));
    let file = folder.path().join("not.db");
    std::fs::write(
        &file,
        "this is no database, but some text that is long enough for a header of one",
    )
    .unwrap();
    let text = Config {
        store: Some(file.clone()),
        ..Config::for_tests()
    };
    assert!(matches!(
        Server::start(text).await.unwrap_err(),
        ServerError::Store { .. }
    ));
    assert!(
        std::fs::read_to_string(file)
            .unwrap()
            .starts_with("this is no"),
        "what is not ours stays"
    );
}

#[tokio::test]
async fn the_address_to_use() {
    let config = Config {
        listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        ..Config::for_tests()
    };
    let server = Server::start(config).await.unwrap();
    assert_eq!(
        server.url(),
        format!("http://127.0.0.1:{}", server.addr().port())
    );
}

#[tokio::test]
async fn odd_requests_are_answered_or_closed() {
    let it = Fixture::new().await;
    for bytes in [
        &b"GET / HTTP/1.0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /%ff%00/json?poll=1&since=%ff HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"PUT /t HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET //json HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /,/json HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET http://other/t/json?poll=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    ] {
        let mut connection = TcpStream::connect(it.server.addr()).await.unwrap();
        connection.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        assert!(
            answer.starts_with(b"HTTP/1."),
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
    it.publish("t", "alive").await;
}
