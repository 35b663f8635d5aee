//! A server of the Pusher protocol, version 7, as Soketi 1.6 behaves, or, where that differs, as Laravel Reverb
//! does; and beside it, at the same address, an application that signs for it and keeps a history.
//!
//! Signatures are HMAC-SHA256, encrypted channels are secretboxes, both made here from the app's secret and
//! checked here: a client that gets one byte of them wrong is refused.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crypto_secretbox::{
    Key, Nonce, XSalsa20Poly1305,
    aead::{Aead as _, KeyInit as _},
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::{
    Message,
    handshake::server::{ErrorResponse, Request, Response},
    protocol::{CloseFrame, frame::coding::CloseCode},
};

pub use super::request::Seen;
use super::request::request;
use crate::Result;

/// The app's key.
pub const KEY: &str = "key1";
/// The app's secret, which only the application and the server know.
const SECRET: &str = "secret1";
/// Where the application signs channels.
pub const AUTH: &str = "/broadcasting/auth";
/// Where it signs the user in.
pub const USER_AUTH: &str = "/pusher/user-auth";
/// Where its history is.
pub const HISTORY: &str = "/notifications";
/// Items of one page of it.
const PAGE: usize = 100;
/// The user of its tokens.
const USER: &str = r#"{"id":"42","user_info":{"name":"Ann"}}"#;
/// The same for presence channels.
const MEMBER: &str = r#"{"user_id":"42","user_info":{"name":"Ann"}}"#;

/// What kind of server it is.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// It says errors as Reverb does: without a channel, without closing.
    pub like_reverb: bool,
    /// The application's addresses want this bearer token.
    pub token: String,
    /// Channels that the application signs for nobody.
    pub forbidden: BTreeSet<String>,
}

/// What a connection is told.
enum Out {
    Text(String),
    Close(u16),
    Hangup,
}

struct Client {
    out: mpsc::UnboundedSender<Out>,
    channels: BTreeSet<String>,
    user: Option<String>,
}

#[derive(Default)]
struct State {
    clients: BTreeMap<u64, Client>,
    made: u64,
    nonces: u64,
    /// What the encryption key is derived from; changed by [`Fake::rotate_key`].
    master: u64,
    cached: HashMap<String, String>,
    history: Vec<Value>,
    seen: Vec<Seen>,
    /// Frames of clients.
    frames: Vec<Value>,
    /// What the application answers next, in place of what it would.
    busy: Vec<(u16, Option<u64>)>,
}

struct Shared {
    rules: Rules,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server.
pub struct Fake {
    addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.accepting.abort();
        self.drop_all(None);
    }
}

impl Fake {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// There is no socket to be had.
    pub async fn start(rules: Rules) -> Result<Self> {
        let shared = Arc::new(Shared {
            rules,
            state: Mutex::default(),
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

    /// Ends, and begins anew at the same address. The application keeps its history, the server nothing.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn restart(self) -> Result<Self> {
        self.stop().await.start().await
    }

    /// Ends; nobody answers at its address.
    pub async fn stop(mut self) -> Stopped {
        self.accepting.abort();
        // It ends by being aborted; only then the port is free.
        let _ = (&mut self.accepting).await;
        self.shared.state().cached.clear();
        Stopped {
            port: self.addr.port(),
            shared: Arc::clone(&self.shared),
        }
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a user pastes.
    pub fn url(&self) -> String {
        format!("http://{}/app/{KEY}", self.addr)
    }

    /// The application beside it.
    pub fn app_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Sends an event to whoever is there; nothing is kept for who is not.
    pub fn publish(&self, channel: &str, event: &str, data: &Value) {
        let mut state = self.shared.state();
        let data = if channel.starts_with("private-encrypted-") {
            state.nonces += 1;
            seal(state.master, state.nonces, channel, &data.to_string())
        } else {
            data.to_string()
        };
        let frame = json!({"event": event, "channel": channel, "data": data}).to_string();
        if is_cached(channel) {
            state.cached.insert(channel.to_owned(), frame.clone());
        }
        let user = channel.strip_prefix("#server-to-user-");
        for client in state.clients.values() {
            let is_users = user.is_some() && client.user.as_deref() == user;
            if is_users || client.channels.contains(channel) {
                // One that has just gone misses it, as it would.
                let _ = client.out.send(Out::Text(frame.clone()));
            }
        }
    }

    /// Keeps an item in the application's history.
    pub fn record(&self, item: Value) {
        self.shared.state().history.push(item);
    }

    /// Ends every connection, with a code or by hanging up.
    pub fn drop_all(&self, code: Option<u16>) {
        let clients = std::mem::take(&mut self.shared.state().clients);
        for client in clients.into_values() {
            // It may have gone by itself.
            let _ = client.out.send(code.map_or(Out::Hangup, Out::Close));
        }
    }

    /// The application encrypts with another key from now on.
    pub fn rotate_key(&self) {
        self.shared.state().master += 1;
    }

    /// The application's next answer is this status.
    pub fn answer_next(&self, status: u16, retry_after: Option<u64>) {
        self.shared.state().busy.push((status, retry_after));
    }

    /// Every request that came, handshakes among them.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// Every text that clients sent.
    pub fn frames(&self) -> Vec<Value> {
        self.shared.state().frames.clone()
    }

    /// How many clients are connected.
    pub fn connected(&self) -> usize {
        self.shared.state().clients.len()
    }
}

/// A server that was stopped.
pub struct Stopped {
    port: u16,
    shared: Arc<Shared>,
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

/// The signature of a text with the app's secret (HMAC-SHA256, RFC 2104), in hexadecimal digits.
pub fn sign(text: &str) -> String {
    let mut key = [0_u8; 64];
    key[..SECRET.len()].copy_from_slice(SECRET.as_bytes());
    let pad = |with: u8| key.map(|byte| byte ^ with);
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(text)
        .finalize();
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize();
    outer.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A channel's key: the SHA-256 of its name and the master key.
fn channel_key(master: u64, channel: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(channel)
        .chain_update(master.to_le_bytes())
        .finalize()
        .into()
}

fn seal(master: u64, nonce: u64, channel: &str, text: &str) -> String {
    let mut full = [0_u8; 24];
    full[..8].copy_from_slice(&nonce.to_le_bytes());
    let sealed = XSalsa20Poly1305::new(Key::from_slice(&channel_key(master, channel)))
        .encrypt(Nonce::from_slice(&full), text.as_bytes())
        .unwrap_or_default();
    json!({"nonce": STANDARD.encode(full), "ciphertext": STANDARD.encode(sealed)}).to_string()
}

fn is_cached(channel: &str) -> bool {
    [
        "cache-",
        "private-cache-",
        "presence-cache-",
        "private-encrypted-cache-",
    ]
    .iter()
    .any(|prefix| channel.starts_with(prefix))
}

fn is_signed(channel: &str) -> bool {
    channel.starts_with("private-") || channel.starts_with("presence-")
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
    let text = String::from_utf8_lossy(&head[..length]).to_ascii_lowercase();
    if text.contains("upgrade: websocket") && text.starts_with("get /app/") {
        return converse(shared, stream).await;
    }
    let Some(seen) = request(&mut stream).await? else {
        return Ok(());
    };
    shared.state().seen.push(seen.clone());
    let path = seen.target.split('?').next().unwrap_or_default();
    let (status, body) = match (seen.method.as_str(), path) {
        ("POST", AUTH | USER_AUTH) | ("GET", HISTORY) => application(shared, path, &seen),
        _ => (404, None),
    };
    let wish = shared_wish(shared, status);
    answer(&mut stream, status, wish, body).await
}

/// How long it wants to be left alone.
fn shared_wish(shared: &Shared, status: u16) -> Option<u64> {
    let mut state = shared.state();
    let at = state.busy.iter().position(|(busy, _)| *busy == status)?;
    state.busy.remove(at).1
}

/// The application: signs, and shows what it kept.
fn application(shared: &Shared, path: &str, seen: &Seen) -> (u16, Option<Value>) {
    let state = shared.state();
    if let Some((status, _)) = state.busy.first() {
        return (*status, None);
    }
    let token = &shared.rules.token;
    let signed_in = seen
        .headers
        .get("authorization")
        .and_then(|text| text.strip_prefix("Bearer "));
    if !token.is_empty() && signed_in != Some(token) {
        return (401, Some(json!({"message": "Unauthenticated."})));
    }
    let form = pairs(&seen.body);
    let socket = form
        .get("socket_id")
        .map(String::as_str)
        .unwrap_or_default();
    let channel = form
        .get("channel_name")
        .map(String::as_str)
        .unwrap_or_default();
    match path {
        HISTORY => (200, Some(page(&state.history, &seen.target))),
        USER_AUTH => {
            let signature = sign(&format!("{socket}::user::{USER}"));
            let auth = format!("{KEY}:{signature}");
            (200, Some(json!({"auth": auth, "user_data": USER})))
        }
        _ if shared.rules.forbidden.contains(channel) => (
            403,
            Some(json!({"message": "This action is unauthorized."})),
        ),
        _ if channel.starts_with("presence-") => {
            let signature = sign(&format!("{socket}:{channel}:{MEMBER}"));
            let auth = format!("{KEY}:{signature}");
            (200, Some(json!({"auth": auth, "channel_data": MEMBER})))
        }
        _ => {
            let mut answer =
                json!({"auth": format!("{KEY}:{}", sign(&format!("{socket}:{channel}")))});
            if channel.starts_with("private-encrypted-") {
                answer["shared_secret"] =
                    STANDARD.encode(channel_key(state.master, channel)).into();
            }
            (200, Some(answer))
        }
    }
}

/// The newest first, as Laravel's paginator shows them.
fn page(history: &[Value], target: &str) -> Value {
    let query = pairs(target.split_once('?').map_or("", |(_, query)| query));
    let number: usize = query
        .get("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(1);
    let channel = query.get("channel");
    let wanted: Vec<&Value> = history
        .iter()
        .rev()
        .filter(|item| channel.is_none_or(|channel| item["channel"] == **channel))
        .collect();
    let begin = number.saturating_sub(1) * PAGE;
    let items: Vec<&Value> = wanted.iter().skip(begin).take(PAGE).copied().collect();
    let more = begin + items.len() < wanted.len();
    let others: String = channel.map_or(String::new(), |channel| format!("channel={channel}&"));
    json!({
        "current_page": number,
        "data": items,
        "next_page_url": more.then(|| format!("{HISTORY}?{others}page={}", number + 1)),
    })
}

fn pairs(text: &str) -> HashMap<String, String> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = after
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn answer(
    stream: &mut TcpStream,
    status: u16,
    wish: Option<u64>,
    body: Option<Value>,
) -> Result<()> {
    let body = body.map_or(String::new(), |body| body.to_string());
    let wish = wish.map_or(String::new(), |wish| format!("Retry-After: {wish}\r\n"));
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nuWebSockets: 20\r\n\
         Access-Control-Allow-Headers: Origin, Content-Type, X-Socket-Id\r\n{wish}Content-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

/// One WebSocket.
async fn converse(shared: &Shared, stream: TcpStream) -> Result<()> {
    let mut target = String::new();
    let mut socket = tokio_tungstenite::accept_hdr_async(
        stream,
        #[allow(clippy::result_large_err, reason = "the library's type")]
        |request: &Request, response: Response| -> std::result::Result<Response, ErrorResponse> {
            request.uri().to_string().clone_into(&mut target);
            let headers = request
                .headers()
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect();
            shared.state().seen.push(Seen {
                method: "GET".to_owned(),
                target: request.uri().to_string(),
                headers,
                body: String::new(),
            });
            Ok(response)
        },
    )
    .await?;
    let key = target
        .trim_start_matches("/app/")
        .split('?')
        .next()
        .unwrap_or_default();
    if key != KEY {
        let message = format!("App key {key} does not exist.");
        let error = json!({"event": "pusher:error", "data": {"code": 4001, "message": message}});
        socket.send(Message::text(error.to_string())).await?;
        return close(&mut socket, 4001).await;
    }
    let (out, mut inbox) = mpsc::unbounded_channel();
    let (number, socket_id) = {
        let mut state = shared.state();
        state.made += 1;
        let number = state.made;
        state.clients.insert(
            number,
            Client {
                out,
                channels: BTreeSet::new(),
                user: None,
            },
        );
        (number, format!("{}.{number}", 1000 + number))
    };
    let greeting = json!({"socket_id": socket_id, "activity_timeout": 30}).to_string();
    let greeting = json!({"event": "pusher:connection_established", "data": greeting});
    socket.send(Message::text(greeting.to_string())).await?;
    let end = loop {
        tokio::select! {
            told = inbox.recv() => match told {
                Some(Out::Text(text)) => socket.send(Message::text(text)).await?,
                Some(Out::Close(code)) => break Some(code),
                Some(Out::Hangup) | None => break None,
            },
            said = socket.next() => {
                let text = match said {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break None,
                    Some(Ok(_)) => continue,
                };
                let (replies, code) = reply(shared, number, &socket_id, text.as_str());
                for reply in replies {
                    socket.send(Message::text(reply)).await?;
                }
                if code.is_some() {
                    break code;
                }
            }
        }
    };
    shared.state().clients.remove(&number);
    match end {
        Some(code) => close(&mut socket, code).await,
        None => Ok(()),
    }
}

async fn close(
    socket: &mut tokio_tungstenite::WebSocketStream<TcpStream>,
    code: u16,
) -> Result<()> {
    let frame = CloseFrame {
        code: CloseCode::from(code),
        reason: "".into(),
    };
    socket.close(Some(frame)).await?;
    while let Some(Ok(_)) = socket.next().await {}
    Ok(())
}

/// What follows from a client's text: replies, and perhaps the end.
fn reply(shared: &Shared, number: u64, socket_id: &str, text: &str) -> (Vec<String>, Option<u16>) {
    // Malformed texts are ignored without a reply.
    let Ok(frame) = serde_json::from_str::<Value>(text) else {
        return (Vec::new(), None);
    };
    let mut state = shared.state();
    state.frames.push(frame.clone());
    let like_reverb = shared.rules.like_reverb;
    let error = |code: u16, message: &str| {
        let data = json!({"code": code, "message": message});
        let data = if like_reverb {
            data.to_string().into()
        } else {
            data
        };
        json!({"event": "pusher:error", "data": data}).to_string()
    };
    let data = &frame["data"];
    let word = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    match frame["event"].as_str().unwrap_or_default() {
        "pusher:ping" => {
            let pong = json!({"event": "pusher:pong", "data": {}}).to_string();
            (vec![pong], None)
        }
        "pusher:signin" if like_reverb => (vec![error(4200, "Invalid message format")], None),
        "pusher:signin" => {
            let user_data = word("user_data");
            let wanted = sign(&format!("{socket_id}::user::{user_data}"));
            if word("auth") != format!("{KEY}:{wanted}") {
                let error = error(4009, "Connection not authorized.");
                return (vec![error], Some(4009));
            }
            let user: Value = serde_json::from_str(&user_data).unwrap_or_default();
            if let Some(client) = state.clients.get_mut(&number) {
                client.user = user["id"].as_str().map(str::to_owned);
            }
            let success = json!({"event": "pusher:signin_success", "data": data});
            (vec![success.to_string()], None)
        }
        "pusher:subscribe" => {
            let channel = word("channel");
            let signed = if channel.starts_with("presence-") {
                format!("{socket_id}:{channel}:{}", word("channel_data"))
            } else {
                format!("{socket_id}:{channel}")
            };
            if is_signed(&channel) && word("auth") != format!("{KEY}:{}", sign(&signed)) {
                let refusal = if like_reverb {
                    error(4009, "Connection is unauthorized")
                } else {
                    json!({"event": "pusher:subscription_error", "channel": channel, "data":
                        {"type": "AuthError", "error": "The connection is unauthorized.", "status": 401}})
                    .to_string()
                };
                return (vec![refusal], None);
            }
            if let Some(client) = state.clients.get_mut(&number) {
                client.channels.insert(channel.clone());
            }
            let succeeded =
                json!({"event": "pusher_internal:subscription_succeeded", "channel": channel});
            let mut replies = vec![succeeded.to_string()];
            if is_cached(&channel) {
                let miss = || json!({"event": "pusher:cache_miss", "channel": channel}).to_string();
                replies.push(state.cached.get(&channel).cloned().unwrap_or_else(miss));
            }
            (replies, None)
        }
        // Unknown events are ignored without a reply.
        _ => (Vec::new(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::sign;

    /// Signatures that Soketi accepted.
    #[test]
    fn the_recorded_signatures_are_made() {
        for (text, signature) in [
            (
                "7086537815.7290459845:private-user-42",
                "0984017dca4f1d9e9a2b5875bab50c22286ad8b67a0c19db43b678522599d986",
            ),
            (
                "7086537815.7290459845:presence-room:{\"user_id\": \"42\", \"user_info\": {\"name\": \"Ann\"}}",
                "6bd41c25f0b4aaee69303fad9f09e4850696bcd387164615088541612a867d51",
            ),
            (
                "7086537815.7290459845::user::{\"id\": \"42\", \"user_info\": {\"name\": \"Ann\"}}",
                "7b74458dae89d874b9897d015e6371e86e6b36d12034264dce468b09fb1c939e",
            ),
        ] {
            assert_eq!(sign(text), signature);
        }
    }
}
