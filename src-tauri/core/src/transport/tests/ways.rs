//! Ways of their own: authorities, pins, client certificates, proxies.

use super::certificates::{Authority, acceptor, params, peer, pem};
use super::peer::{Peer, STREAM};
use super::*;
use crate::model::Way;
use crate::ports::{Later, Proxies};
use crate::transport::hops::hops;
use crate::transport::tls::{Tls, Trust};
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKeyChain};
use rcgen::KeyPair;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use sha2::{Digest as _, Sha256};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Trusts nobody but whom the way names, so that no test depends on this computer.
fn stranger() -> Network {
    Network::trusting(
        Arc::new(FakeClock::new()),
        Authority::new("Nobody's root").roots,
    )
}

fn on(way: Way) -> Route {
    Route { way, ..route() }
}

fn file(folder: &tempfile::TempDir, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    path.to_str().expect("a path").to_owned()
}

async fn reaches(network: &Network, url: &Url, route: &Route) -> Result<String, TransportError> {
    let mut answer = network.fetch(&get(url, "x"), route).await?;
    answer.text(100).await
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("Company root");
    let (certificate, key) = authority.issue("127.0.0.1", 2020, 2090);
    let peer = peer(acceptor(certificate, &key)).await;
    let network = stranger();
    let way = Way {
        authorities: file(&folder, "company.pem", &authority.pem),
        ..Way::default()
    };
    let refused = reaches(&network, &peer.url, &route()).await;
    assert!(
        matches!(refused, Err(TransportError::Tls(_))),
        "{refused:?}"
    );
    let named = on(way);
    assert_eq!(
        reaches(&network, &peer.url, &named).await.as_deref(),
        Ok("hi")
    );
    for kind in [TransportKind::HttpStream, TransportKind::Websocket] {
        let request = get(&peer.url, "t?since=1");
        let mut link = network.open(kind, &request, &named).await.expect("a link");
        assert_eq!(link.next().await, Ok(text("hi")));
    }
    let (report, ok) = hops(&peer.url, &named, &FakeClock::new()).await;
    assert!(ok, "{report:?}");
    let refused = reaches(&network, &peer.url, &route()).await;
    assert!(refused.is_err(), "and only there: {refused:?}");
}

#[tokio::test]
async fn a_pinned_certificate_is_the_only_one() {
    let key = KeyPair::generate().expect("a key");
    // Another name, long expired: whoever compared it wants this one.
    let own = params("elsewhere.example", 2001, 2002)
        .self_signed(&key)
        .expect("a certificate");
    let fingerprint = crate::model::hexadecimal(&Sha256::digest(own.der()));
    let pinned = peer(acceptor(own.der().clone(), &key)).await;
    let (report, ok) = hops(&pinned.url, &route(), &FakeClock::new()).await;
    assert!(!ok);
    assert_eq!(
        report.last().map(|hop| hop.certificate.as_str()),
        Some(fingerprint.as_str()),
        "the test shows what there is to compare"
    );
    let way = Way {
        pin: fingerprint,
        ..Way::default()
    };
    let network = stranger();
    let named = on(way);
    assert_eq!(
        reaches(&network, &pinned.url, &named).await.as_deref(),
        Ok("hi")
    );
    let (report, ok) = hops(&pinned.url, &named, &FakeClock::new()).await;
    assert!(ok, "{report:?}");
    // A good certificate of a trusted authority is still another one.
    let authority = Authority::new("Root 1");
    let (certificate, other_key) = authority.issue("127.0.0.1", 2020, 2090);
    let other = peer(acceptor(certificate, &other_key)).await;
    let network = Network::trusting(Arc::new(FakeClock::new()), authority.roots);
    let refused = reaches(&network, &other.url, &named).await;
    let Err(TransportError::Tls(says)) = refused else {
        panic!("{refused:?}");
    };
    assert!(says.contains("pinned"), "{says}");
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_client_certificate_is_shown_from_either_kind_of_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("Company root");
    let (certificate, key) = authority.issue("127.0.0.1", 2020, 2090);
    let (ours, our_key) = authority.issue("ada", 2020, 2090);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(authority.roots.clone());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
        .build()
        .expect("a verifier");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .expect("a pair");
    let peer = peer(TlsAcceptor::from(Arc::new(config))).await;
    let network = stranger();
    let way = |certificate: &str| Way {
        authorities: file(&folder, "company.pem", &authority.pem),
        certificate: certificate.to_owned(),
        ..Way::default()
    };
    assert!(reaches(&network, &peer.url, &on(way(""))).await.is_err());
    let both = pem("CERTIFICATE", &ours) + &pem("PRIVATE KEY", &our_key.serialize_der());
    let pem = file(&folder, "ada.pem", both);
    let reached = reaches(&network, &peer.url, &on(way(&pem))).await;
    assert_eq!(reached.as_deref(), Ok("hi"));
    let pkcs12 = file(&folder, "ada.P12", pkcs12(&ours, &our_key, SECRET));
    let with = |password: Option<&str>| Route {
        credential: Credential {
            certificate: password.map(str::to_owned),
            ..Credential::default()
        },
        ..on(way(&pkcs12))
    };
    let reached = reaches(&network, &peer.url, &with(Some(SECRET))).await;
    assert_eq!(reached.as_deref(), Ok("hi"));
    for wrong in [None, Some("wrong")] {
        let refused = reaches(&network, &peer.url, &with(wrong)).await;
        let Err(TransportError::Tls(says)) = refused else {
            panic!("{refused:?}");
        };
        assert!(says.contains("password"), "{says}");
    }
}

fn pkcs12(certificate: &CertificateDer<'_>, key: &KeyPair, password: &str) -> Vec<u8> {
    let certificate = Certificate::from_der(certificate).expect("a certificate");
    let key = p12_keystore::PrivateKey::from_der(&key.serialize_der()).expect("a key");
    let chain = PrivateKeyChain::new(vec![1], key, [certificate]);
    let mut store = KeyStore::new();
    store.add_entry("ada", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(password).write().expect("a file")
}

/// A proxy that notes what it was asked.
struct Middleman {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Middleman {
    async fn start<F>(
        serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = asked.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, notes.clone()));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// RFC 9110, 9.3.6; wants user `u` with the password of the tests.
async fn http(mut client: TcpStream, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).expect("text");
    asked.lock().expect("no panic").push(head.clone());
    // "u:xyzzy-canary"
    if !head.contains("Basic dTp4eXp6eS1jYW5hcnk=") {
        let says = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        drop(client.write_all(says).await);
        return;
    }
    let to = head.split(' ').nth(1).expect("a target").to_owned();
    let mut server = TcpStream::connect(&to).await.expect("the server");
    drop(client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await);
    drop(copy_bidirectional(&mut client, &mut server).await);
}

/// RFC 1928, without authentication.
async fn socks(mut client: TcpStream, asked: Arc<Mutex<Vec<String>>>) {
    let mut hello = [0; 2];
    client.read_exact(&mut hello).await.expect("a greeting");
    let mut ways = vec![0; hello[1].into()];
    client.read_exact(&mut ways).await.expect("its ways");
    client.write_all(&[5, 0]).await.expect("an answer");
    let mut request = [0; 4];
    client.read_exact(&mut request).await.expect("a request");
    assert_eq!(request[3], 3, "a name, not an address");
    let length = client.read_u8().await.expect("a length");
    let mut name = vec![0; length.into()];
    client.read_exact(&mut name).await.expect("a name");
    let name = String::from_utf8(name).expect("text");
    let port = client.read_u16().await.expect("a port");
    asked
        .lock()
        .expect("no panic")
        .push(format!("{name}:{port}"));
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("it");
    let answer = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    client.write_all(&answer).await.expect("an answer");
    drop(copy_bidirectional(&mut client, &mut server).await);
}

fn through(proxy: String) -> Way {
    Way {
        proxy,
        ..Way::default()
    }
}

#[tokio::test]
async fn an_http_proxy_is_signed_in_to_and_asked_for_everything() {
    let authority = Authority::new("Root 1");
    let (certificate, key) = authority.issue("127.0.0.1", 2020, 2090);
    let peer = peer(acceptor(certificate, &key)).await;
    let proxy = Middleman::start(http).await;
    let network = Network::trusting(Arc::new(FakeClock::new()), authority.roots);
    let way = through(format!("http://{}", proxy.address));
    let signed_in = Route {
        credential: Credential {
            proxy: Some(format!("u:{SECRET}")),
            ..Credential::default()
        },
        ..on(way.clone())
    };
    assert_eq!(
        reaches(&network, &peer.url, &signed_in).await.as_deref(),
        Ok("hi")
    );
    let request = get(&peer.url, "t?since=1");
    for kind in [TransportKind::HttpStream, TransportKind::Websocket] {
        let mut link = network
            .open(kind, &request, &signed_in)
            .await
            .expect("a link");
        assert_eq!(link.next().await, Ok(text("hi")));
    }
    let asked = proxy.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(
        asked
            .iter()
            .all(|head| head.starts_with("CONNECT 127.0.0.1:"))
    );
    assert!(
        peer.requests()
            .iter()
            .all(|head| !head.contains(SECRET) && !head.contains("roxy-")),
        "its password is for the proxy"
    );
    let refused = reaches(&network, &peer.url, &on(way)).await;
    let Err(TransportError::Connect(says)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        says.contains("proxy") && says.contains("password"),
        "{says}"
    );
}

#[tokio::test]
async fn a_socks_proxy_carries_cleartext_websockets_too() {
    let peer = Peer::start(|_, mut conn| async move {
        if conn.header("upgrade").is_some() {
            conn.upgrade().await;
            conn.say([0x81, 2, b'h', b'i']).await;
        } else {
            conn.say(STREAM).await;
            conn.chunk("hi\n").await;
        }
        conn.hold().await;
    })
    .await;
    let proxy = Middleman::start(socks).await;
    let (network, _) = network();
    // A name that only the proxy knows.
    let mut url = peer.url.clone();
    url.set_host(Some("inside.example")).expect("a host");
    let route = on(through(format!("socks5h://{}", proxy.address)));
    for kind in [TransportKind::HttpStream, TransportKind::Websocket] {
        let mut link = network
            .open(kind, &get(&url, "t?since=1"), &route)
            .await
            .expect("a link");
        assert_eq!(link.next().await, Ok(text("hi")));
    }
    let port = url.port().expect("a port");
    assert_eq!(proxy.asked(), vec![format!("inside.example:{port}"); 2]);
}

/// A desktop whose settings are these.
#[derive(Default)]
struct Settings {
    says: Mutex<Option<Vec<String>>>,
    asked: Mutex<Vec<String>>,
}

impl Settings {
    fn say(&self, ways: &[&str]) {
        let ways = ways.iter().map(ToString::to_string).collect();
        *self.says.lock().expect("no panic") = Some(ways);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

impl Proxies for Settings {
    fn ways(&self, origin: &Url) -> Later<'_, Vec<String>> {
        let asked = &mut *self.asked.lock().expect("no panic");
        asked.push(origin.to_string());
        let says = self.says.lock().expect("no panic").clone();
        Box::pin(async move {
            match says {
                Some(says) => says,
                None => std::future::pending().await,
            }
        })
    }
}

/// A server at a name that only a proxy knows, one such proxy, and a network that asks a desktop.
struct Behind {
    url: Url,
    proxy: Middleman,
    network: Network,
    clock: FakeClock,
    settings: Arc<Settings>,
    _peer: Peer,
}

async fn behind_a_desktop() -> Behind {
    let peer = Peer::start(|_, mut conn| async move {
        if conn.header("upgrade").is_some() {
            conn.upgrade().await;
            conn.say([0x81, 2, b'h', b'i']).await;
        } else {
            conn.say(STREAM).await;
            conn.chunk("hi\n").await;
        }
        conn.hold().await;
    })
    .await;
    let mut url = peer.url.clone();
    url.set_host(Some("inside.invalid")).expect("a host");
    let (network, clock) = network();
    let settings = Arc::<Settings>::default();
    Behind {
        url,
        proxy: Middleman::start(socks).await,
        network: network.asking(Arc::<Settings>::clone(&settings)),
        clock,
        settings,
        _peer: peer,
    }
}

#[tokio::test]
async fn the_desktop_is_asked_for_each_connection_which_proxy_to_take() {
    let Behind {
        url,
        proxy,
        network,
        settings,
        _peer,
        ..
    } = behind_a_desktop().await;
    let port = url.port().expect("a port");
    let socks = format!("socks5://{}", proxy.address);
    settings.say(&[&socks, "direct://"]);
    let request = get(&url, "t?since=1&auth=xyzzy");
    for kind in [TransportKind::HttpStream, TransportKind::Websocket] {
        let mut link = network
            .open(kind, &request, &route())
            .await
            .expect("a link");
        assert_eq!(link.next().await, Ok(text("hi")));
    }
    assert!(!network.goes_straight(&url, &route()).await);
    assert_eq!(proxy.asked(), vec![format!("inside.invalid:{port}"); 2]);
    let origin = format!("http://inside.invalid:{port}/");
    assert_eq!(settings.asked(), vec![origin; 3], "without path and query");
    // Another network, another answer: the next connection goes by it.
    settings.say(&["direct://"]);
    let refused = network
        .open(TransportKind::HttpStream, &request, &route())
        .await;
    assert!(matches!(refused, Err(TransportError::Dns(_))));
    assert_eq!(proxy.asked().len(), 2);
    // What the account says is not asked for; nor is this computer.
    settings.asked();
    let direct = on(through("direct".to_owned()));
    let refused = network
        .open(TransportKind::HttpStream, &request, &direct)
        .await;
    assert!(matches!(refused, Err(TransportError::Dns(_))));
    let here = Peer::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    settings.say(&[&socks]);
    assert_eq!(
        reaches(&network, &here.url, &route()).await.as_deref(),
        Ok("hi")
    );
    assert!(settings.asked().is_empty());
    assert_eq!(proxy.asked().len(), 2);
}

#[tokio::test]
async fn a_desktop_that_does_not_answer_has_no_proxy() {
    let Behind {
        url,
        proxy,
        network,
        clock,
        _peer,
        ..
    } = behind_a_desktop().await;
    let request = get(&url, "t");
    let on = route();
    let opening = network.open(TransportKind::HttpStream, &request, &on);
    let time = async {
        clock.asleep_for(Duration::from_secs(2)).await;
        clock.advance(Duration::from_secs(2));
    };
    let (opened, ()) = tokio::join!(opening, time);
    assert!(matches!(opened, Err(TransportError::Dns(_))));
    assert!(proxy.asked().is_empty());
}

#[tokio::test]
async fn without_a_proxy_means_none() {
    let peer = Peer::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    let (network, _) = network();
    let direct = on(through("direct".to_owned()));
    assert_eq!(
        reaches(&network, &peer.url, &direct).await.as_deref(),
        Ok("hi")
    );
    let nowhere = on(through("http://127.0.0.1:1".to_owned()));
    let refused = reaches(&network, &peer.url, &nowhere).await;
    assert!(
        matches!(refused, Err(TransportError::Connect(_))),
        "{refused:?}"
    );
    // Whatever is trusted, it is still this account's own way.
    assert!(Tls::trusting(RootCertStore::empty(), Trust::default()).is_ok());
}
