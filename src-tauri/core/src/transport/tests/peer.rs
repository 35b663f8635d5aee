//! A server on a loopback socket that does what a test says, byte by byte.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use url::Url;

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Accepts connections and hands each, once its request's head was read, to the test's code.
pub struct Peer {
    pub url: Url,
    heard: Arc<Heard>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    requests: Mutex<Vec<String>>,
    changed: Notify,
}

impl Peer {
    pub async fn start<F>(script: impl Fn(usize, Conn) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::listen(None, script).await
    }

    pub async fn with_tls<F>(
        tls: TlsAcceptor,
        script: impl Fn(usize, Conn) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::listen(Some(tls), script).await
    }

    /// Says the same bytes to everybody, then hangs up.
    pub async fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Arc::new(bytes.into());
        Self::start(move |_, mut conn| {
            let bytes = bytes.clone();
            async move { conn.say(bytes.as_slice()).await }
        })
        .await
    }

    async fn listen<F>(
        tls: Option<TlsAcceptor>,
        script: impl Fn(usize, Conn) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let heard = Arc::new(Heard::default());
        let hears = heard.clone();
        let script = Arc::new(script);
        let task = tokio::spawn(async move {
            let mut count = 0;
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).expect("a TCP socket");
                let (tls, hears, script) = (tls.clone(), hears.clone(), script.clone());
                let number = count;
                count += 1;
                tokio::spawn(async move {
                    let socket: Box<dyn Socket> = match tls {
                        None => Box::new(socket),
                        Some(tls) => match tls.accept(socket).await {
                            Ok(socket) => Box::new(socket),
                            Err(_) => return,
                        },
                    };
                    let mut conn = Conn {
                        socket,
                        request: String::new(),
                        hears,
                    };
                    if conn.hear_request().await {
                        script(number, conn).await;
                    }
                });
            }
        });
        Self {
            url: format!("{scheme}://127.0.0.1:{port}/")
                .parse()
                .expect("a URL"),
            heard,
            task,
        }
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.heard.requests.lock().expect("no panic").clone()
    }

    /// Waits until so many requests came.
    pub async fn hears(&self, count: usize) {
        loop {
            let changed = self.heard.changed.notified();
            if self.requests().len() >= count {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One accepted connection. Dropping it hangs up.
pub struct Conn {
    socket: Box<dyn Socket>,
    /// The head of the request, names in lower case.
    pub request: String,
    hears: Arc<Heard>,
}

pub const STREAM: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
pub const EVENTS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\
                          Transfer-Encoding: chunked\r\n\r\n";

/// The start of a good answer for a stream of that kind.
pub fn head(kind: crate::model::TransportKind) -> &'static str {
    if kind == crate::model::TransportKind::Sse {
        EVENTS
    } else {
        STREAM
    }
}

impl Conn {
    /// Reads the next request's head; false if the client hung up instead.
    pub async fn hear_request(&mut self) -> bool {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.socket.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return false,
            }
        }
        self.request = String::from_utf8_lossy(&head).into_owned();
        let mut requests = self.hears.requests.lock().expect("no panic");
        requests.push(self.request.clone());
        drop(requests);
        self.hears.changed.notify_waiters();
        true
    }

    /// Writes; a client that hung up does not matter.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        if self.socket.write_all(bytes.as_ref()).await.is_ok() {
            // What it does not take, it does not need.
            let _ = self.socket.flush().await;
        }
        tokio::task::yield_now().await;
    }

    /// Writes one chunk of a chunked body (RFC 9112, 7.1), which arrives as one piece.
    pub async fn chunk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.say(chunk).await;
    }

    /// Ends a chunked body properly.
    pub async fn end_chunks(&mut self) {
        self.say("0\r\n\r\n").await;
    }

    /// Keeps the connection open until the client hangs up.
    pub async fn hold(&mut self) {
        while let Ok(count) = self.socket.read(&mut [0; 1024]).await {
            if count == 0 {
                return;
            }
        }
    }

    /// So many bytes of the request's body.
    pub async fn read(&mut self, count: usize) -> String {
        let mut bytes = vec![0; count];
        self.socket.read_exact(&mut bytes).await.expect("a body");
        String::from_utf8(bytes).expect("text")
    }

    /// A header of the request.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.request, name)
    }

    /// Answers the upgrade as RFC 6455, 4.2.2 says.
    pub async fn upgrade(&mut self) {
        let key = self.header("sec-websocket-key").expect("an upgrade");
        let accept = derive_accept_key(key.as_bytes());
        self.say(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ))
        .await;
    }

    /// The next short frame of a client (RFC 6455, 5.2): opcode and payload. None at the end.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.socket.read_u8().await.ok()?;
        let second = self.socket.read_u8().await.ok()?;
        assert_eq!(second & 0x80, 0x80, "clients mask");
        assert!(second & 0x7f < 126, "a short frame");
        let mut mask = [0; 4];
        self.socket.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::from(second & 0x7f)];
        self.socket.read_exact(&mut payload).await.ok()?;
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        Some((first & 0x0f, payload))
    }
}

/// A header of a request's head.
pub fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}
