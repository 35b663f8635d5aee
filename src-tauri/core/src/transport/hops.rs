//! The lower hops to an address, one after the other, each saying how it went: name, TCP, TLS. They
//! go straight to the server, past any proxy.

use super::fault::{of_socket, plain};
use super::http::within;
use super::limits;
use super::names::resolve;
use super::tls::Tls;
use super::x509;
use super::{Route, TransportError, way};
use crate::ports::Clock;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// A hop and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// `DNS`, `TCP` or `TLS`.
    pub name: &'static str,
    /// It worked.
    pub ok: bool,
    /// What was found, or why it failed and what to do.
    pub says: String,
    /// How long it took, milliseconds of awake time.
    pub millis: u64,
    /// The SHA-256 of a certificate that nobody vouches for; empty otherwise.
    pub certificate: String,
}

/// Addresses named in a hop's words.
const NAMED: usize = 4;

/// Tries the hops to `url` up to the first that fails. The second value says whether all worked. What a
/// proxy is in front of cannot be tried from here ([`super::Dial::goes_straight`]).
pub async fn hops(url: &Url, route: &Route, clock: &dyn Clock) -> (Vec<Hop>, bool) {
    hops_with(url, clock, || {
        let trust = way::trust(&route.way, &route.credential)?;
        if trust.pin.is_some() {
            Tls::trusting(RootCertStore::empty(), trust)
        } else {
            Tls::trusting(Tls::native_roots(), trust)
        }
    })
    .await
}

/// The same with other certificate authorities.
pub(super) async fn hops_with(
    url: &Url,
    clock: &dyn Clock,
    tls: impl FnOnce() -> Result<Tls, TransportError>,
) -> (Vec<Hop>, bool) {
    let mut hops = Vec::new();
    let done = try_all(url, clock, tls, &mut hops).await;
    (hops, done.is_some())
}

async fn try_all(
    url: &Url,
    clock: &dyn Clock,
    tls: impl FnOnce() -> Result<Tls, TransportError>,
    hops: &mut Vec<Hop>,
) -> Option<()> {
    let addresses = hop("DNS", clock, hops, names(url)).await?;
    let socket = hop("TCP", clock, hops, connect(&addresses)).await?;
    if url.scheme() == "https" {
        let mut refused = None;
        let done = hop(
            "TLS",
            clock,
            hops,
            handshake(url, socket, clock, tls, &mut refused),
        )
        .await;
        if let (None, Some(last), Some(refused)) = (done, hops.last_mut(), refused) {
            last.certificate = refused;
        }
        done?;
    }
    Some(())
}

async fn hop<T>(
    name: &'static str,
    clock: &dyn Clock,
    hops: &mut Vec<Hop>,
    work: impl Future<Output = Result<(T, String), String>>,
) -> Option<T> {
    let start = clock.awake();
    let mut deadline = clock.sleep(limits::CONNECT);
    let done = within(&mut deadline, work).await.unwrap_or_else(|_| {
        let secs = limits::CONNECT.as_secs();
        Err(format!(
            "No answer within {secs} s. Is the address right, and is a firewall in between?"
        ))
    });
    let time = clock.awake().saturating_sub(start);
    let (value, says) = match done {
        Ok((value, says)) => (Some(value), says),
        Err(says) => (None, says),
    };
    hops.push(Hop {
        name,
        ok: value.is_some(),
        says,
        millis: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        certificate: String::new(),
    });
    value
}

async fn names(url: &Url) -> Result<(Vec<SocketAddr>, String), String> {
    let port = url
        .port_or_known_default()
        .ok_or("The address has no port.")?;
    let literal = match url.host().ok_or("The address names no server.")? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    if let Some(address) = literal {
        return Ok((
            vec![SocketAddr::new(address, port)],
            format!("{address} is an address already."),
        ));
    }
    let name = url.host_str().unwrap_or_default();
    let found = resolve(name, port).await.map_err(|error| {
        format!("{error}. Check the spelling of {name}, and that this computer is online.")
    })?;
    let mut named: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|address| address.ip().to_string())
        .collect();
    if found.len() > NAMED {
        named.push(format!("{} more", found.len() - NAMED));
    }
    let says = format!("{name} is {}.", named.join(", "));
    Ok((found, says))
}

async fn connect(addresses: &[SocketAddr]) -> Result<(TcpStream, String), String> {
    let mut failed = Vec::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(socket) => return Ok((socket, format!("{address} answers."))),
            Err(error) => failed.push(format!("{address}: {}", plain(&error))),
        }
    }
    Err(format!(
        "{}. Is the server running, and is the port right?",
        failed.join("; ")
    ))
}

async fn handshake(
    url: &Url,
    socket: TcpStream,
    clock: &dyn Clock,
    tls: impl FnOnce() -> Result<Tls, TransportError>,
    refused: &mut Option<String>,
) -> Result<((), String), String> {
    let sentence = |error: TransportError| match error {
        TransportError::Tls(words) => format!("{}.", capital(&words)),
        other => format!("{}.", capital(&other.to_string())),
    };
    let tls = tls().map_err(sentence)?;
    tls.check().map_err(sentence)?;
    // Brackets are the URL's, not the address's.
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| format!("{host} cannot be the name in a certificate."))?;
    let connector = TlsConnector::from(Arc::new(tls.config(&[b"http/1.1"])));
    let stream = connector.connect(name, socket).await.map_err(|error| {
        *refused = tls.refused();
        sentence(of_socket(&error, clock))
    })?;
    let (_, session) = stream.get_ref();
    let protocol = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let certificate = session
        .peer_certificates()
        .and_then(<[_]>::first)
        .and_then(|certificate| x509::read(certificate));
    let says = match certificate {
        Some(certificate) => {
            let issuer = certificate.issuer.as_deref().unwrap_or("an unnamed issuer");
            let until = certificate.not_after.strftime("%Y-%m-%d");
            format!("{protocol}; the certificate is from {issuer} and valid until {until}.")
        }
        None => format!("{protocol}; the certificate is accepted."),
    };
    Ok(((), says))
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
