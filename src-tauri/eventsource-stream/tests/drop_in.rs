//! reqwest-eventsource with this parser inside, over a real socket.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::Client;
use reqwest_eventsource::{Error, Event, EventSource, retry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers one request with these bytes of an event stream, then closes.
async fn serve(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert_ne!(socket.read(&mut request).await.unwrap(), 0);
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(bytes).await.unwrap();
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn everything_comes_through() {
    let bytes =
        b"\xef\xbb\xbf: hello\n\nretry: 0\nid: 7\n\ndata: a\xffb\r\rdata: c\nevent: x\n\ndata: cut";
    let client = Client::builder().no_proxy().build().unwrap();
    let mut source = EventSource::new(client.get(serve(bytes).await)).unwrap();
    source.set_retry_policy(Box::new(retry::Never));
    assert_eq!(source.next().await.unwrap().unwrap(), Event::Open);
    let mut next = async || match source.next().await.unwrap() {
        Ok(Event::Message(event)) => Ok((event.event, event.data, event.id, event.retry)),
        Ok(Event::Open) => panic!("opened twice"),
        Err(error) => Err(error),
    };
    let event = |name: &str, data: &str, id: &str, retry| {
        (name.to_owned(), data.to_owned(), id.to_owned(), retry)
    };
    for expected in [
        event(eventsource_stream::CONTROL_COMMENT, "hello", "", None),
        event(
            eventsource_stream::CONTROL_FIELDS,
            "",
            "7",
            Some(Duration::from_secs(1)),
        ),
        event("message", "a\u{fffd}b", "7", None),
        event("x", "c", "7", None),
    ] {
        assert_eq!(next().await.unwrap(), expected);
    }
    assert!(matches!(next().await, Err(Error::StreamEnded)));
}
