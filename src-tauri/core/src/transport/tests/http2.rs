//! HTTP/2 where the server offers it (RFC 9113): what speaks it, what shares a connection, and what becomes of
//! connections that died without a word.

use super::certificates::Authority;
use super::*;
use bytes::Bytes;
use h2::server::SendResponse;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::http::{Request, Response};

/// What a connection was used for: what it speaks, and the paths that were asked for.
type Used = (String, Vec<String>);

/// Speaks HTTP/2 to whoever wants to.
struct Host {
    url: Url,
    network: Network,
    clock: FakeClock,
    used: Arc<Mutex<Vec<Used>>>,
    /// What is open from then on is never heard of again; it is not closed either.
    dead: Arc<AtomicBool>,
}

impl Host {
    async fn start() -> Self {
        let authority = Authority::new("Root 1");
        let (certificate, key) = authority.issue("127.0.0.1", 2020, 2090);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a pair");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let used = Arc::<Mutex<Vec<Used>>>::default();
        let dead = Arc::<AtomicBool>::default();
        let (notes, dies) = (Arc::clone(&used), Arc::clone(&dead));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = serve(socket, acceptor.clone(), notes.clone(), dies.clone());
                tokio::spawn(serving);
            }
        });
        let clock = FakeClock::new();
        Self {
            url: format!("https://{address}/").parse().expect("a URL"),
            network: Network::trusting(Arc::new(clock.clone()), authority.roots),
            clock,
            used,
            dead,
        }
    }

    fn used(&self) -> Vec<Used> {
        self.used.lock().expect("no panic").clone()
    }

    async fn read(&self, path: &str) -> Result<String, TransportError> {
        let request = get(&self.url, path);
        let mut answer = self.network.fetch(&request, &route()).await?;
        answer.text(100).await
    }

    async fn stream(&self, kind: TransportKind) -> Result<Box<dyn Link>, TransportError> {
        self.network
            .open(kind, &get(&self.url, kind_path(kind)), &route())
            .await
    }
}

fn kind_path(kind: TransportKind) -> &'static str {
    if kind == TransportKind::Sse {
        "sse"
    } else {
        "json"
    }
}

async fn serve(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    used: Arc<Mutex<Vec<Used>>>,
    dead: Arc<AtomicBool>,
) {
    let socket = acceptor.accept(socket).await.expect("TLS");
    let speaks = socket.get_ref().1.alpn_protocol().unwrap_or_default();
    let speaks = String::from_utf8_lossy(speaks).into_owned();
    let number = {
        let mut used = used.lock().expect("no panic");
        used.push((speaks.clone(), Vec::new()));
        used.len() - 1
    };
    if speaks == "h2" {
        let note = |path: &str| {
            let mut used = used.lock().expect("no panic");
            used[number].1.push(path.to_owned());
        };
        serve_h2(socket, note, &dead).await;
    }
}

async fn serve_h2(socket: TlsStream<TcpStream>, note: impl Fn(&str), dead: &AtomicBool) {
    let mut connection = h2::server::handshake(socket).await.expect("HTTP/2");
    let mut open = Vec::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        note(request.uri().path());
        if dead.load(Ordering::SeqCst) {
            // Nobody looks at this connection any more: no answer, no PING, no end.
            std::future::pending::<()>().await;
        }
        open.push(answer(&request, respond));
    }
}

/// A stream says one thing and stays open; anything else is answered.
fn answer<B>(
    request: &Request<B>,
    mut respond: SendResponse<Bytes>,
) -> Option<h2::SendStream<Bytes>> {
    let (media_type, text, ends) = match request.uri().path() {
        "/sse" => ("text/event-stream", "data: hi\n\n", false),
        "/json" => ("application/x-ndjson", "hi\n", false),
        _ => ("text/plain", "hi", true),
    };
    let response = Response::builder()
        .header("content-type", media_type)
        .body(())
        .expect("a response");
    let mut body = respond.send_response(response, false).ok()?;
    body.send_data(Bytes::from_static(text.as_bytes()), ends)
        .ok()?;
    Some(body)
}

const OVER_HTTP2: [TransportKind; 2] = [TransportKind::Sse, TransportKind::HttpStream];

async fn says_hi(link: &mut Box<dyn Link>) {
    loop {
        match link.next().await {
            Ok(Frame::Alive) => {}
            Ok(Frame::Event { data, .. } | Frame::Text(data)) => {
                assert_eq!(data, "hi");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn streams_and_requests_speak_http_2_and_a_websocket_does_not() {
    let host = Host::start().await;
    let mut links = Vec::new();
    for kind in OVER_HTTP2 {
        let mut link = host.stream(kind).await.expect("a link");
        says_hi(&mut link).await;
        links.push(link);
    }
    for path in ["a", "b", "c"] {
        assert_eq!(host.read(path).await.as_deref(), Ok("hi"));
    }
    drop(host.stream(TransportKind::Websocket).await);
    let h2 = |paths: &[&str]| {
        let paths = paths.iter().map(ToString::to_string).collect();
        ("h2".to_owned(), paths)
    };
    assert_eq!(
        host.used(),
        [
            h2(&["/sse"]),
            h2(&["/json"]),
            h2(&["/a", "/b", "/c"]),
            ("http/1.1".to_owned(), Vec::new()),
        ],
        "requests share a connection"
    );
}

/// No PING is sent (each would wake this computer): a dead connection shows by its silence, and nothing is asked
/// over it again.
#[tokio::test]
async fn a_dead_stream_over_http_2_is_noticed_by_its_silence() {
    for kind in OVER_HTTP2 {
        let host = Host::start().await;
        assert_eq!(host.read("a").await.as_deref(), Ok("hi"));
        let mut link = host.stream(kind).await.expect("a link");
        says_hi(&mut link).await;
        host.clock.advance(SILENCE);
        assert_eq!(link.next().await, Err(TransportError::Silent), "{kind:?}");
        let mut link = host.stream(kind).await.expect("another link");
        says_hi(&mut link).await;
        // What was kept for the next request is not trusted either.
        assert_eq!(host.read("b").await.as_deref(), Ok("hi"));
        assert_eq!(host.used().len(), 4, "{kind:?}: {:?}", host.used());
    }
}

#[tokio::test]
async fn a_kept_connection_that_died_costs_one_request_and_not_the_next() {
    let host = Host::start().await;
    assert_eq!(host.read("a").await.as_deref(), Ok("hi"));
    host.dead.store(true, Ordering::SeqCst);
    let asked = async {
        while host.used()[0].1.len() < 2 {
            tokio::task::yield_now().await;
        }
        host.clock.advance(Duration::from_secs(20));
    };
    let (read, ()) = tokio::join!(host.read("b"), asked);
    assert_eq!(read, Err(TransportError::Timeout));
    host.dead.store(false, Ordering::SeqCst);
    assert_eq!(host.read("c").await.as_deref(), Ok("hi"));
    assert_eq!(host.used()[1].1, ["/c"]);
    // After sleep, or in another network, none is even tried.
    host.network.renew();
    assert_eq!(host.read("d").await.as_deref(), Ok("hi"));
    assert_eq!(host.used()[2].1, ["/d"]);
}
