//! What the tests share: a server, a clock that is set by hand, a reader of streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tidings_server::{Config, Server};

/// Nothing here takes this long; it only ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// When [`TestClock`] starts, in unix seconds.
pub const START: i64 = 1_700_000_000;

/// A clock set by hand.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A test configuration by this clock.
    pub fn config(&self) -> Config {
        let seconds = Arc::clone(&self.0);
        Config {
            clock: Arc::new(move || {
                Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap()
            }),
            ..Config::for_tests()
        }
    }
}

/// A server and a client.
pub struct Fixture {
    pub server: Server,
    pub client: Client,
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(Config::for_tests()).await
    }

    pub async fn with(config: Config) -> Self {
        Self {
            server: Server::start(config).await.unwrap(),
            client: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub fn put(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.put(self.url(path)).body(body)
    }

    /// Publishes plain text.
    pub async fn publish(&self, topic: &str, text: &str) -> Value {
        json(self.put(&format!("/{topic}"), text.to_owned())).await
    }

    /// All messages of a poll.
    pub async fn poll(&self, path: &str) -> Vec<Value> {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        lines(&response.text().await.unwrap())
    }

    /// The texts of a poll.
    pub async fn texts(&self, path: &str) -> Vec<String> {
        self.poll(path).await.iter().map(text).collect()
    }

    /// A stream of JSON lines.
    pub async fn listen(&self, path: &str) -> Lines {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        Lines::new(response)
    }
}

/// The message of a frame, or its event if that is something else.
pub fn text(frame: &Value) -> String {
    match frame["event"].as_str().unwrap() {
        "message" => frame["message"].as_str().unwrap().to_owned(),
        event => event.to_owned(),
    }
}

pub fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The body of a successful answer.
pub async fn json(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// The code of a refusal, whose body must be an error as ntfy sends it.
pub async fn refused(request: RequestBuilder) -> u64 {
    let response = request.send().await.unwrap();
    let status = u64::from(response.status().as_u16());
    let body: Value = response.json().await.unwrap();
    let code = body["code"].as_u64().unwrap();
    assert_eq!(body["http"].as_u64(), Some(status));
    assert_eq!(code / 100, status);
    assert!(!body["error"].as_str().unwrap().is_empty());
    code
}

/// Waits until something becomes true.
pub async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

/// A stream read line by line.
pub struct Lines {
    response: Response,
    buffer: Vec<u8>,
}

impl Lines {
    pub fn new(response: Response) -> Self {
        Self {
            response,
            buffer: Vec::new(),
        }
    }

    /// The next line, or `None` if the stream ended, well or not.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<_> = self.buffer.drain(..=at).collect();
                return Some(String::from_utf8(line[..at].to_vec()).unwrap());
            }
            match tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .unwrap()
            {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    pub async fn next(&mut self) -> Option<Value> {
        Some(serde_json::from_str(&self.line().await?).unwrap())
    }

    /// The text of the next frame.
    pub async fn text(&mut self) -> String {
        text(&self.next().await.expect("one more frame"))
    }
}

/// A WebSocket to the server.
pub type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

impl Fixture {
    pub async fn socket(&self, path: &str) -> Socket {
        let url = self.url(path).replacen("http", "ws", 1);
        tokio_tungstenite::connect_async(url).await.unwrap().0
    }
}

/// The next frame of any kind; `None` at the end, well or not.
pub async fn frame(socket: &mut Socket) -> Option<tokio_tungstenite::tungstenite::Message> {
    tokio::time::timeout(PATIENCE, socket.next())
        .await
        .unwrap()?
        .ok()
}

/// The next text frame's object.
pub async fn object(socket: &mut Socket) -> Value {
    loop {
        let frame = frame(socket).await.expect("one more frame");
        if frame.is_text() {
            return serde_json::from_str(frame.to_text().unwrap()).unwrap();
        }
    }
}
