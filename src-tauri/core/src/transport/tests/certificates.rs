//! TLS with certificates made here: what is accepted, and what is said of the rest.

use super::peer::{Peer, STREAM};
use super::*;
use crate::transport::hops::{Hop, hops_with};
use crate::transport::tls::{Tls, Trust};
use crate::transport::x509;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

pub(super) struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) roots: RootCertStore,
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Test Authority");
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).expect("an authority");
        Self {
            pem: pem("CERTIFICATE", certificate.der()),
            issuer: Issuer::new(params, key),
            roots,
        }
    }

    pub(super) fn issue(
        &self,
        name: &str,
        from: i32,
        until: i32,
    ) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = params(name, from, until);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.der().clone(), key)
    }
}

/// RFC 7468.
pub(super) fn pem(what: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN {what}-----\n{text}\n-----END {what}-----\n")
}

pub(super) fn params(name: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 2);
    params
}

pub(super) fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    TlsAcceptor::from(Arc::new(config))
}

pub(super) async fn peer(acceptor: TlsAcceptor) -> Peer {
    Peer::with_tls(acceptor, |_, mut conn| async move {
        if conn.header("upgrade").is_some() {
            conn.upgrade().await;
            conn.say([0x81, 2, b'h', b'i']).await;
        } else if conn.request.contains("since") {
            conn.say(STREAM).await;
            conn.chunk("hi\n").await;
        } else {
            conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
                .await;
        }
        conn.hold().await;
    })
    .await
}

/// What the network and the hops say about a certificate.
async fn said(authority: &Authority, acceptor: TlsAcceptor) -> (String, Hop) {
    let peer = peer(acceptor).await;
    let clock = FakeClock::new();
    let network = Network::trusting(Arc::new(clock.clone()), authority.roots.clone());
    let mut words = Vec::new();
    for kind in LINKS {
        match error(open(&network, kind, &peer.url).await) {
            TransportError::Tls(said) => words.push(said),
            other => panic!("{other:?}"),
        }
    }
    match error(fetch(&network, &peer.url).await) {
        TransportError::Tls(said) => words.push(said),
        other => panic!("{other:?}"),
    }
    words.dedup();
    assert_eq!(words.len(), 1, "all say the same: {words:?}");
    let roots = authority.roots.clone();
    let (hops, ok) = hops_with(&peer.url, &clock, || Tls::trusting(roots, Trust::default())).await;
    assert!(!ok);
    let names: Vec<_> = hops.iter().map(|hop| (hop.name, hop.ok)).collect();
    assert_eq!(names, [("DNS", true), ("TCP", true), ("TLS", false)]);
    assert_eq!(peer.requests(), Vec::<String>::new(), "nothing was sent");
    let hop = hops.into_iter().last().expect("three");
    (words.remove(0), hop)
}

#[tokio::test]
async fn a_good_certificate_carries_everything() {
    let authority = Authority::new("Root 1");
    let (certificate, key) = authority.issue("127.0.0.1", 2020, 2090);
    let peer = peer(acceptor(certificate, &key)).await;
    let clock = FakeClock::new();
    let network = Network::trusting(Arc::new(clock.clone()), authority.roots.clone());
    for kind in [TransportKind::HttpStream, TransportKind::Websocket] {
        let mut link = network
            .open(
                kind,
                &get(&peer.url, "t?since=1"),
                &owned(secret_route(), &peer.url),
            )
            .await
            .expect("a link");
        assert_eq!(link.next().await, Ok(text("hi")));
    }
    let mut answer = fetch(&network, &peer.url).await.expect("an answer");
    assert_eq!(answer.text(100).await, Ok("hi".to_owned()));
    let roots = authority.roots.clone();
    let (hops, ok) = hops_with(&peer.url, &clock, || Tls::trusting(roots, Trust::default())).await;
    assert!(ok, "{hops:?}");
    assert_eq!(
        hops.last().map(|hop| hop.says.as_str()),
        Some("TLS 1.3; the certificate is from Test Authority and valid until 2090-01-02.")
    );
}

#[tokio::test]
async fn certificates_that_are_not_accepted_say_why() {
    let authority = Authority::new("Root 1");
    let (expired, expired_key) = authority.issue("127.0.0.1", 2001, 2002);
    let (early, early_key) = authority.issue("127.0.0.1", 2090, 2095);
    let (wrong, wrong_key) = authority.issue("ntfy.example.org", 2020, 2090);
    let other = Authority::new("Another root");
    let (stranger, stranger_key) = other.issue("127.0.0.1", 2020, 2090);
    let own_key = KeyPair::generate().expect("a key");
    let own = params("127.0.0.1", 2020, 2090)
        .self_signed(&own_key)
        .expect("a certificate");
    let mut ca = params("127.0.0.1", 2020, 2090);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own_ca = ca.self_signed(&own_key).expect("a certificate");
    let clock = "this computer's clock says 2026-01-05 12:00";
    for (acceptor, words) in [
        (
            acceptor(expired, &expired_key),
            vec!["expired on 2002-01-02", clock],
        ),
        (
            acceptor(early, &early_key),
            vec!["valid only from 2090-01-01", clock],
        ),
        (
            acceptor(wrong, &wrong_key),
            vec!["ntfy.example.org", "wrong host for 127.0.0.1"],
        ),
        (acceptor(stranger, &stranger_key), vec!["unknown issuer"]),
        (
            acceptor(own.der().clone(), &own_key),
            vec!["unknown issuer", "self-signed"],
        ),
        (
            acceptor(own_ca.der().clone(), &own_key),
            vec!["unknown issuer", "self-signed"],
        ),
    ] {
        let (said, hop) = said(&authority, acceptor).await;
        for word in words {
            assert!(said.contains(word), "{said}");
            assert!(hop.says.contains(word), "{}", hop.says);
        }
    }
}

#[tokio::test]
async fn http_where_https_is_expected_is_said() {
    let network = Network::trusting(Arc::new(FakeClock::new()), Authority::new("Root 1").roots);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let url: Url = format!("https://127.0.0.1:{port}/").parse().expect("a URL");
    let server = async {
        let (mut socket, _) = listener.accept().await.expect("a client");
        tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .expect("written");
        // Kept open until the client has read it.
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut Vec::new()).await;
    };
    let (end, ()) = tokio::join!(fetch(&network, &url), server);
    let TransportError::Tls(words) = error(end) else {
        panic!("an error of TLS");
    };
    assert!(words.contains("does not speak TLS"), "{words}");
}

#[tokio::test]
async fn a_computer_without_authorities_says_so() {
    let clock = FakeClock::new();
    let network = Network::trusting(Arc::new(clock), RootCertStore::empty());
    let url: Url = "https://127.0.0.1:1/".parse().expect("a URL");
    for kind in LINKS {
        let TransportError::Tls(words) = error(open(&network, kind, &url).await) else {
            panic!("an error of TLS");
        };
        assert!(words.contains("ca-certificates"), "{words}");
    }
    let peer = Peer::saying(STREAM).await;
    open(&network, TransportKind::HttpStream, &peer.url)
        .await
        .expect("http needs none");
}

#[tokio::test]
async fn hops_end_where_the_way_ends() {
    let clock = FakeClock::new();
    let peer = Peer::saying("").await;
    let url = peer.url.clone();
    let (hops, ok) = hops_with(&url, &clock, Tls::native).await;
    assert!(ok, "http has no third hop: {hops:?}");
    assert_eq!(hops.len(), 2);
    drop(peer);
    tokio::task::yield_now().await;
    let (hops, ok) = hops_with(&url, &clock, Tls::native).await;
    assert!(!ok);
    assert_eq!((hops[1].name, hops[1].ok), ("TCP", false));
    assert!(hops[1].says.contains("nothing listens"), "{}", hops[1].says);
    let unknown: Url = format!("https://{}.invalid/", "a".repeat(64))
        .parse()
        .expect("a URL");
    let (hops, ok) = hops_with(&unknown, &clock, Tls::native).await;
    assert!(!ok);
    assert_eq!((hops.len(), hops[0].name), (1, "DNS"));
    assert!(
        hops[0].says.contains("Check the spelling"),
        "{}",
        hops[0].says
    );
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_after_10_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let url: Url = format!("https://127.0.0.1:{port}/").parse().expect("a URL");
    let clock = FakeClock::new();
    let roots = Authority::new("Root 1").roots;
    let time = async {
        let held = listener.accept().await.expect("a client");
        clock.asleep_for(Duration::from_secs(10)).await;
        // The hop that is under way is the only one asleep by now.
        while clock.sleepers() != 1 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(10));
        held
    };
    let ((hops, ok), _held) = tokio::join!(
        hops_with(&url, &clock, || Tls::trusting(roots, Trust::default())),
        time
    );
    assert!(!ok);
    assert!(
        hops.last().is_some_and(|hop| hop.says.contains("10 s")),
        "{hops:?}"
    );
}

#[test]
fn a_certificate_cut_anywhere_is_no_panic() {
    let authority = Authority::new("Root 1");
    let (certificate, _) = authority.issue("a.example", 2020, 2050);
    let read = x509::read(&certificate).expect("a certificate");
    assert_eq!(read.issuer.as_deref(), Some("Test Authority"));
    assert_eq!(read.not_after.to_string(), "2050-01-02T00:00:00Z");
    for end in 0..certificate.len() {
        assert_eq!(
            x509::read(&certificate[..end]).map(|_| ()),
            None,
            "cut at {end}"
        );
        let mut broken = certificate.to_vec();
        broken[end] ^= 0xff;
        let _ = x509::read(&broken);
    }
}
