//! A Mercure hub that behaves as the one written in Go does (0.24 and 1.0): the two dialects, history with
//! `earliest` and the answer's cursor header, streams that end when they are told to. It also hands out tokens,
//! as an application beside a hub would.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

pub use super::request::Seen;
use super::request::request;
use crate::Result;

const HUB: &str = "/.well-known/mercure";

/// What kind of hub it is.
#[derive(Clone, Debug)]
pub struct Rules {
    /// It speaks 1.0; else 0.x.
    pub modern: bool,
    /// Subscribers without a token see what is public.
    pub anonymous: bool,
    /// So many updates are kept for later.
    pub keeps: usize,
    /// It says where its answers begin; all hubs in Go do.
    pub tells_cursor: bool,
    /// It sends so many updates at once, then nothing any more to that subscriber; none: it sends them all.
    pub chokes_after: Option<usize>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            modern: false,
            anonymous: true,
            keeps: usize::MAX,
            tells_cursor: true,
            chokes_after: None,
        }
    }
}

/// An update.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// Where it is published.
    pub topic: String,
    /// Its id; empty: one is made.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its data.
    pub data: String,
    /// Only for those whose token allows it.
    pub private: bool,
}

impl Seen {
    /// Values of a parameter of the query.
    fn parameters(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(known, _)| *known == name)
            .map(|(_, value)| decoded(value))
            .collect()
    }

    fn bearer(&self) -> Option<&str> {
        self.headers.get("authorization")?.strip_prefix("Bearer ")
    }
}

#[derive(Default)]
struct State {
    /// Everything that was published.
    log: Vec<Update>,
    /// The first one that is still kept.
    kept_from: usize,
    /// Tokens that are valid.
    tokens: BTreeSet<String>,
    /// What the token's address answers next: status and body.
    token_answer: (u16, String),
    seen: Vec<Seen>,
    made: usize,
    /// Milliseconds that whoever listens is asked to stay away after an end.
    retry: Option<u64>,
}

/// What streams wait for.
#[derive(Clone, Copy, Debug, Default)]
struct Tick {
    published: usize,
    dropped: usize,
    beats: usize,
}

struct Shared {
    rules: Rules,
    state: Mutex<State>,
    tick: watch::Sender<Tick>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running hub.
pub struct Hub {
    addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.accepting.abort();
        self.drop_all();
    }
}

impl Hub {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// There is no socket to be had.
    pub async fn start(rules: Rules) -> Result<Self> {
        let shared = Arc::new(Shared {
            rules,
            state: Mutex::default(),
            tick: watch::Sender::default(),
        });
        let (addr, accepting) = listen(Arc::clone(&shared), 0).await?;
        Ok(Self {
            addr,
            shared,
            accepting,
        })
    }

    /// Ends, and begins anew at the same address with what it kept.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn restart(&mut self) -> Result<()> {
        self.accepting.abort();
        // It was stopped on purpose.
        let _ = (&mut self.accepting).await;
        self.drop_all();
        let shared = Arc::clone(&self.shared);
        (_, self.accepting) = listen(shared, self.addr.port()).await?;
        Ok(())
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The server, without the hub's path.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Publishes a text.
    pub fn publish(&self, topic: &str, data: &str) -> String {
        self.publish_as(Update {
            topic: topic.to_owned(),
            data: data.to_owned(),
            ..Update::default()
        })
    }

    /// Publishes, and says under which id.
    pub fn publish_as(&self, mut update: Update) -> String {
        let mut state = self.shared.state();
        if update.id.is_empty() {
            state.made += 1;
            update.id = format!("urn:uuid:{:08x}-1a5e-4000-8000-00000000beef", state.made);
        }
        let id = update.id.clone();
        state.log.push(update);
        let least = state.log.len().saturating_sub(self.shared.rules.keeps);
        state.kept_from = state.kept_from.max(least);
        drop(state);
        self.shared.tick.send_modify(|tick| tick.published += 1);
        id
    }

    /// Asks whoever listens from now on to come back so many milliseconds after an end (`retry:`).
    pub fn ask_for_rest(&self, millis: u64) {
        self.shared.state().retry = Some(millis);
    }

    /// Ends every stream in an orderly way, as the real one does every ten minutes.
    pub fn drop_all(&self) {
        self.shared.tick.send_modify(|tick| tick.dropped += 1);
    }

    /// Sends a keepalive on every stream.
    pub fn beat(&self) {
        self.shared.tick.send_modify(|tick| tick.beats += 1);
    }

    /// Loses everything that it kept.
    pub fn forget(&self) {
        let mut state = self.shared.state();
        state.kept_from = state.log.len();
    }

    /// Accepts this token from now on.
    pub fn accept(&self, token: &str) {
        self.shared.state().tokens.insert(token.to_owned());
    }

    /// Does not accept this token any more; what is open stays open.
    pub fn revoke(&self, token: &str) {
        self.shared.state().tokens.remove(token);
    }

    /// What `/token` answers from now on.
    pub fn hand_out(&self, status: u16, body: &str) {
        self.shared.state().token_answer = (status, body.to_owned());
    }

    /// Every request that came.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// How often the hub itself was asked.
    pub fn asked(&self) -> usize {
        let seen = self.seen();
        seen.iter()
            .filter(|seen| seen.target.starts_with(HUB))
            .count()
    }
}

async fn listen(shared: Arc<Shared>, port: u16) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let addr = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                // Whoever hangs up half-way is not answered.
                let _ = serve(&shared, stream).await;
            });
        }
    });
    Ok((addr, accepting))
}

async fn serve(shared: &Shared, mut stream: TcpStream) -> Result<()> {
    let Some(seen) = request(&mut stream).await? else {
        return Ok(());
    };
    shared.state().seen.push(seen.clone());
    let path = seen.target.split('?').next().unwrap_or_default();
    match path {
        HUB => subscribe(shared, stream, &seen).await,
        "/token" => {
            let (status, body) = shared.state().token_answer.clone();
            answer(&mut stream, status, "application/json", &[], &body).await
        }
        "/books/1" => {
            let newest = shared.state().log.last().map(|update| update.id.clone());
            let cursor = newest.map_or_else(String::new, |id| format!("; last-event-id=\"{id}\""));
            let links = [
                ("Link", format!("<{HUB}>; rel=\"mercure\"{cursor}")),
                ("Link", "<https://ex.test/books/1>; rel=\"self\"".to_owned()),
            ];
            answer(&mut stream, 200, "text/html", &links, "<p>A book.").await
        }
        _ => answer(&mut stream, 404, "text/plain", &[], "404 page not found\n").await,
    }
}

async fn answer(
    stream: &mut TcpStream,
    status: u16,
    media_type: &str,
    headers: &[(&str, String)],
    body: &str,
) -> Result<()> {
    let more: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let more = more.concat();
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: {media_type}; charset=utf-8\r\n{more}Content-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

/// Authorisation comes before everything else, then the parameters.
async fn subscribe(shared: &Shared, mut stream: TcpStream, seen: &Seen) -> Result<()> {
    let rules = &shared.rules;
    let known = seen
        .bearer()
        .map(|token| shared.state().tokens.contains(token));
    if known == Some(false) || (known.is_none() && !rules.anonymous) {
        let error = if known.is_some() {
            "error=\"invalid_token\", "
        } else {
            ""
        };
        let challenge = format!(
            "Bearer {error}resource_metadata=\"http://hub.test/.well-known/oauth-protected-resource{HUB}\""
        );
        let headers = [("WWW-Authenticate", challenge)];
        let headers = if rules.modern { &headers[..] } else { &[] };
        return answer(&mut stream, 401, "text/plain", headers, "Unauthorized\n").await;
    }
    let (topics, others) = if rules.modern {
        let exact = seen.parameters("match");
        let patterns = seen.parameters("match_urlpattern");
        ([exact, patterns].concat(), seen.parameters("topic"))
    } else {
        (seen.parameters("topic"), Vec::new())
    };
    if topics.is_empty() || !others.is_empty() {
        let words = match (rules.modern, others.is_empty()) {
            (false, _) => "Missing \"topic\" parameter.\n",
            (true, true) => "missing topic matcher, use \"match\" or \"match_urlpattern\"\n",
            (true, false) => {
                "unknown topic matcher query parameter: \"topic\" (use \"match\" or \"match_urlpattern\")\n"
            }
        };
        return answer(&mut stream, 400, "text/plain", &[], words).await;
    }
    follow(shared, stream, seen, &topics, known == Some(true)).await
}

async fn follow(
    shared: &Shared,
    mut stream: TcpStream,
    seen: &Seen,
    topics: &[String],
    signed_in: bool,
) -> Result<()> {
    let rules = &shared.rules;
    let mut tick = shared.tick.subscribe();
    let born = *tick.borrow_and_update();
    let name = if rules.modern {
        "last_event_id"
    } else {
        "lastEventID"
    };
    let asked = seen.headers.get("last-event-id").cloned();
    let asked = asked.or_else(|| seen.parameters(name).pop());
    let (mut next, cursor) = {
        let state = shared.state();
        let kept = &state.log[state.kept_from..];
        let found = asked
            .as_ref()
            .and_then(|id| kept.iter().position(|update| update.id == *id));
        match (&asked, found) {
            (None, _) => (state.log.len(), None),
            (Some(id), _) if id == "earliest" => (state.kept_from, Some(id.clone())),
            (Some(id), Some(found)) => (state.kept_from + found + 1, Some(id.clone())),
            (Some(_), None) => {
                let newest = kept.last().filter(|_| !rules.modern);
                let cursor = newest.map_or("earliest", |update| &update.id);
                (state.log.len(), Some(cursor.to_owned()))
            }
        }
    };
    let name = if rules.modern {
        "Mercure-Last-Event-ID"
    } else {
        "Last-Event-ID"
    };
    let cursor = cursor
        .filter(|_| rules.tells_cursor)
        .map_or_else(String::new, |id| format!("{name}: {id}\r\n"));
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n{cursor}\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    chunk(&mut stream, ":\n").await?;
    let retry = shared.state().retry;
    if let Some(retry) = retry {
        chunk(&mut stream, &format!("retry: {retry}\n\n")).await?;
    }
    let mut beats = born.beats;
    let mut room = rules.chokes_after.unwrap_or(usize::MAX);
    loop {
        let batch: Vec<String> = {
            let state = shared.state();
            let fresh = &state.log[next..];
            next = state.log.len();
            fresh
                .iter()
                .filter(|update| signed_in || !update.private)
                .filter(|update| topics.iter().any(|topic| fits(topic, &update.topic)))
                .map(event)
                .collect()
        };
        let sent = batch.len().min(room);
        for event in &batch[..sent] {
            chunk(&mut stream, event).await?;
        }
        // Like the real one of this kind, it forgets a subscriber whose queue is full, and does not say so.
        room = if sent < batch.len() { 0 } else { room };
        let mut byte = [0];
        tokio::select! {
            changed = tick.changed() => changed?,
            read = stream.read(&mut byte) => {
                read?;
                return Ok(());
            }
        }
        let now = *tick.borrow_and_update();
        if now.beats != beats {
            beats = now.beats;
            chunk(&mut stream, ":\n").await?;
        }
        if now.dropped != born.dropped {
            stream.write_all(b"0\r\n\r\n").await?;
            stream.shutdown().await?;
            return Ok(());
        }
    }
}

async fn chunk(stream: &mut TcpStream, text: &str) -> Result<()> {
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    stream.write_all(chunk.as_bytes()).await?;
    Ok(())
}

fn event(update: &Update) -> String {
    let mut lines = vec![format!("id: {}", update.id)];
    if !update.kind.is_empty() {
        lines.push(format!("event: {}", update.kind));
    }
    lines.extend(update.data.split('\n').map(|line| format!("data: {line}")));
    format!("{}\n\n", lines.join("\n"))
}

/// Exact, everything, or a template or pattern whose variable is its last segment.
fn fits(selector: &str, topic: &str) -> bool {
    let variable = selector
        .rfind("/{")
        .or_else(|| selector.rfind("/:"))
        .map(|at| &selector[..=at]);
    selector == "*"
        || selector == topic
        || variable.is_some_and(|folder| {
            topic
                .strip_prefix(folder)
                .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
        })
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
