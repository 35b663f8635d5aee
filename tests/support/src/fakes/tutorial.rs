//! A small server of notifications as tutorials teach to write one: the same numbered events as an event
//! stream, a long poll, lines of JSON, a WebSocket, and a list. It keeps everything, except for whoever listens
//! over the WebSocket: there, what was missed is gone.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::Message;

pub use super::request::Seen;
use super::request::request;
use crate::Result;

/// The event stream: `id`, `event`, `data`, resumed by `Last-Event-ID`.
pub const EVENTS: &str = "/events";
/// The long poll: `?cursor=`, answered with `{events, cursor}` as soon as there are some.
pub const LONG_POLL: &str = "/poll";
/// A line of JSON for each, resumed by `?since=`.
pub const LINES: &str = "/lines";
/// JSON texts, from now on. With a token, it wants `{"token": …}` first and says `{"type":"ready"}`.
pub const WEBSOCKET: &str = "/ws";
/// The list, the newest first, in pages: `?limit=`, `?before=`.
pub const LIST: &str = "/list";
/// Where a password becomes a token.
pub const LOGIN: &str = "/login";
/// The user who may log in.
pub const USER: &str = "ann";
/// Its password.
pub const PASSWORD: &str = "correct horse";
/// The most events of one answer to a long poll.
const BATCH: usize = 500;

#[derive(Default)]
struct State {
    events: Vec<Value>,
    seen: Vec<Seen>,
    frames: Vec<String>,
    connected: usize,
}

struct Shared {
    /// What every request has to show somewhere; empty for nothing.
    token: String,
    state: Mutex<State>,
    /// How many events there are.
    published: watch::Sender<usize>,
    /// Counts the times when everybody is hung up on; an odd one is without a farewell.
    drops: watch::Sender<u64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since(&self, number: usize) -> Vec<Value> {
        let state = self.state();
        state.events[number.min(state.events.len())..].to_vec()
    }

    /// Whether a request shows the token: in a header, a cookie or the query.
    fn lets_in(&self, seen: &Seen) -> bool {
        self.token.is_empty()
            || seen.target.contains(&format!("key={}", self.token))
            || ["authorization", "cookie", "x-key"].iter().any(|name| {
                seen.headers
                    .get(*name)
                    .is_some_and(|value| value.contains(&self.token))
            })
    }
}

/// A running server.
pub struct Fake {
    addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// A server that was stopped.
pub struct Stopped {
    port: u16,
    shared: Arc<Shared>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.accepting.abort();
        self.drop_all(false);
    }
}

impl Fake {
    /// Starts one on a free port. With a token, it lets nobody in without it.
    ///
    /// # Errors
    /// There is no socket to be had.
    pub async fn start(token: &str) -> Result<Self> {
        let shared = Arc::new(Shared {
            token: token.to_owned(),
            state: Mutex::default(),
            published: watch::Sender::new(0),
            drops: watch::Sender::new(0),
        });
        Self::listen(shared, 0).await
    }

    async fn listen(shared: Arc<Shared>, port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let addr = listener.local_addr()?;
        let state = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    // Whoever hangs up half-way is not answered.
                    let _ = serve(&state, stream).await;
                });
            }
        });
        Ok(Self {
            addr,
            shared,
            accepting,
        })
    }

    /// Ends; nobody answers at its address. It keeps its events.
    pub async fn stop(mut self) -> Stopped {
        self.accepting.abort();
        // It ends by being aborted; only then the port is free.
        let _ = (&mut self.accepting).await;
        self.drop_all(false);
        Stopped {
            port: self.addr.port(),
            shared: Arc::clone(&self.shared),
        }
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of one of its paths.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Publishes a notification, made at this time (RFC 3339).
    pub fn publish(&self, body: &str, made: &str) {
        self.publish_as(json!({"body": body, "created_at": made, "read_at": null}));
    }

    /// Publishes an object, which gets an id.
    pub fn publish_as(&self, mut event: Value) {
        let mut state = self.shared.state();
        let id = state.events.len() + 1;
        event["id"] = id.into();
        state.events.push(event);
        drop(state);
        self.shared.published.send_replace(id);
    }

    /// Hangs up on everybody, in an orderly way or not.
    pub fn drop_all(&self, orderly: bool) {
        self.shared.drops.send_modify(|drops| {
            *drops += 1;
            if (*drops % 2 == 0) != orderly {
                *drops += 1;
            }
        });
    }

    /// Every request that came, handshakes among them.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// Every text that came over a WebSocket.
    pub fn frames(&self) -> Vec<String> {
        self.shared.state().frames.clone()
    }

    /// How many listen to something that is held open.
    pub fn connected(&self) -> usize {
        self.shared.state().connected
    }
}

impl Stopped {
    /// Begins anew at the same address.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(self) -> Result<Fake> {
        Fake::listen(self.shared, self.port).await
    }
}

async fn serve(shared: &Shared, mut stream: TcpStream) -> Result<()> {
    // The head is looked at and left where it is: a handshake reads it again.
    let mut head = vec![0; 16 * 1024];
    let length = loop {
        let length = stream.peek(&mut head).await?;
        if length == 0 || head[..length].windows(4).any(|four| four == b"\r\n\r\n") {
            break length;
        }
        tokio::task::yield_now().await;
    };
    let text = String::from_utf8_lossy(&head[..length]).into_owned();
    let is_upgrade = text.to_ascii_lowercase().contains("upgrade: websocket");
    if is_upgrade && text.starts_with(&format!("GET {WEBSOCKET}")) {
        shared.state().seen.push(seen(&text));
        let drops = shared.drops.subscribe();
        shared.state().connected += 1;
        let end = converse(shared, stream, drops).await;
        shared.state().connected -= 1;
        return end;
    }
    // Requests may follow each other on a connection.
    while let Some(seen) = request(&mut stream).await? {
        shared.state().seen.push(seen.clone());
        if !route(shared, &mut stream, &seen).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether another request may follow.
async fn route(shared: &Shared, stream: &mut TcpStream, seen: &Seen) -> Result<bool> {
    let path = seen.target.split('?').next().unwrap_or_default();
    if path == LOGIN {
        let wanted = json!({"name": USER, "password": PASSWORD});
        let right = serde_json::from_str::<Value>(&seen.body).is_ok_and(|body| body == wanted);
        let (status, body) = if right {
            (200, json!({"token": shared.token}))
        } else {
            (400, json!({"error": "wrong password"}))
        };
        return answer(stream, status, &body).await;
    }
    if !shared.lets_in(seen) {
        return answer(stream, 401, &json!({"error": "who are you?"})).await;
    }
    let number = |name: &str| -> Option<usize> { parameter(&seen.target, name)?.parse().ok() };
    let drops = shared.drops.subscribe();
    match path {
        EVENTS => {
            let from = seen.headers.get("last-event-id");
            // Without an id it begins with what comes next.
            let from = from
                .and_then(|id| id.parse().ok())
                .unwrap_or(*shared.published.borrow());
            held(shared, stream, drops, "text/event-stream", from, |event| {
                format!(
                    "id: {}\nevent: notification\ndata: {event}\n\n",
                    event["id"]
                )
            })
            .await
        }
        LINES => {
            let from = number("since").unwrap_or(*shared.published.borrow());
            held(
                shared,
                stream,
                drops,
                "application/x-ndjson",
                from,
                |event| format!("{event}\n"),
            )
            .await
        }
        LONG_POLL => {
            let from = number("cursor").unwrap_or_default();
            long_poll(shared, stream, drops, from).await
        }
        LIST => {
            let limit = number("limit").unwrap_or(100);
            let before = number("before").unwrap_or(usize::MAX);
            let events = shared.since(0);
            let end = before.saturating_sub(1).min(events.len());
            let begin = end.saturating_sub(limit);
            let items: Vec<Value> = events[begin..end].iter().rev().cloned().collect();
            answer(stream, 200, &Value::from(items)).await
        }
        // What was read and deleted is only noted.
        _ if matches!(seen.method.as_str(), "POST" | "DELETE") => {
            answer(stream, 200, &json!({})).await
        }
        WEBSOCKET => {
            let head = "HTTP/1.1 426 Said\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n\
                        Content-Length: 0\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            Ok(false)
        }
        _ => answer(stream, 404, &json!({"error": "nothing here"})).await,
    }
}

/// A response that never ends by itself, in chunks (RFC 9112, 7.1).
async fn held(
    shared: &Shared,
    stream: &mut TcpStream,
    mut drops: watch::Receiver<u64>,
    media_type: &str,
    mut from: usize,
    written: impl Fn(&Value) -> String,
) -> Result<bool> {
    let head = format!(
        "HTTP/1.1 200 Said\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\
         Cache-Control: no-cache\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut published = shared.published.subscribe();
    shared.state().connected += 1;
    let orderly = loop {
        published.borrow_and_update();
        let events = shared.since(from);
        from += events.len();
        let text: String = events.iter().map(&written).collect();
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        if !text.is_empty() && stream.write_all(chunk.as_bytes()).await.is_err() {
            break false;
        }
        let mut said = [0; 16];
        tokio::select! {
            _ = published.changed() => {}
            _ = drops.changed() => break drops.borrow().is_multiple_of(2),
            // Nothing is said on a stream: it was hung up.
            _ = stream.read(&mut said) => break false,
        }
    };
    shared.state().connected -= 1;
    if orderly {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    Ok(false)
}

async fn long_poll(
    shared: &Shared,
    stream: &mut TcpStream,
    mut drops: watch::Receiver<u64>,
    from: usize,
) -> Result<bool> {
    let mut published = shared.published.subscribe();
    loop {
        published.borrow_and_update();
        let mut events = shared.since(from);
        events.truncate(BATCH);
        // The very first request is answered at once, so that there is a cursor.
        if !events.is_empty() || from == 0 {
            let cursor = (from + events.len()).to_string();
            return answer(stream, 200, &json!({"events": events, "cursor": cursor})).await;
        }
        shared.state().connected += 1;
        let mut said = [0; 16];
        let goes_on = tokio::select! {
            _ = published.changed() => true,
            _ = drops.changed() => false,
            _ = stream.read(&mut said) => false,
        };
        shared.state().connected -= 1;
        if !goes_on {
            return Ok(false);
        }
    }
}

async fn converse(
    shared: &Shared,
    stream: TcpStream,
    mut drops: watch::Receiver<u64>,
) -> Result<()> {
    let mut published = shared.published.subscribe();
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    if !shared.token.is_empty() {
        let first = match socket.next().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            _ => return Ok(()),
        };
        shared.state().frames.push(first.clone());
        let wanted = json!({"token": shared.token});
        if !serde_json::from_str::<Value>(&first).is_ok_and(|first| first == wanted) {
            let error = json!({"type": "denied", "reason": "wrong token"});
            socket.send(Message::text(error.to_string())).await?;
            return Ok(socket.close(None).await?);
        }
    }
    let mut from = *published.borrow_and_update();
    socket
        .send(Message::text(json!({"type": "ready"}).to_string()))
        .await?;
    loop {
        let events = shared.since(from);
        from += events.len();
        for event in events {
            socket.send(Message::text(event.to_string())).await?;
        }
        tokio::select! {
            _ = published.changed() => {}
            _ = drops.changed() => {
                if drops.borrow().is_multiple_of(2) {
                    socket.close(None).await?;
                }
                return Ok(());
            }
            said = socket.next() => match said {
                Some(Ok(Message::Text(text))) => shared.state().frames.push(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
        }
    }
}

fn parameter(target: &str, name: &str) -> Option<String> {
    target
        .split_once('?')?
        .1
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

/// What a head says.
fn seen(head: &str) -> Seen {
    let head = head.split("\r\n\r\n").next().unwrap_or_default();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    Seen {
        method: first.next().unwrap_or_default().to_owned(),
        target: first.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: String::new(),
    }
}

async fn answer(stream: &mut TcpStream, status: u16, body: &Value) -> Result<bool> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    Ok(true)
}
