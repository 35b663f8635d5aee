//! Everything over real loopback sockets, against a peer that writes exact bytes. Time is the fake
//! clock's: nothing here sleeps.

mod certificates;
mod downloads;
mod guards;
mod http2;
mod lines;
mod peer;
mod refusals;
mod sse;
mod ways;
mod websocket;

use super::{Answer, Dial, Frame, Link, Network, Route, TransportError};
use crate::model::{Credential, HttpRequest, SignIn, TransportKind};
use crate::testing::FakeClock;
use rustls::RootCertStore;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const SILENCE: Duration = Duration::from_mins(1);
/// One second less.
const ALMOST: Duration = Duration::from_secs(59);
const SECRET: &str = "xyzzy-canary";

/// What carries a stream of frames and opens with status 200.
const STREAMS: [TransportKind; 2] = [TransportKind::HttpStream, TransportKind::Sse];
const LINKS: [TransportKind; 3] = [
    TransportKind::HttpStream,
    TransportKind::Sse,
    TransportKind::Websocket,
];

fn network() -> (Network, FakeClock) {
    let clock = FakeClock::new();
    // No test of plain http needs authorities, and reading the system's takes its time.
    let network = Network::trusting(Arc::new(clock.clone()), RootCertStore::empty());
    (network, clock)
}

fn route() -> Route {
    Route {
        sign_in: SignIn::None,
        credential: Credential::default(),
        allow_http: false,
        own: Vec::new(),
        way: crate::model::Way::default(),
        silence: SILENCE,
    }
}

/// The same for an account at this address.
fn owned(route: Route, url: &Url) -> Route {
    Route {
        own: vec![url.clone()],
        ..route
    }
}

fn closed() -> TransportError {
    TransportError::Closed {
        code: None,
        reason: String::new(),
    }
}

/// Signed in every way at once.
fn secret_route() -> Route {
    Route {
        sign_in: SignIn::Basic {
            user: "phil".to_owned(),
        },
        credential: Credential {
            secret: Some(SECRET.to_owned()),
            headers: vec![("CF-Access-Client-Secret".to_owned(), SECRET.to_owned())],
            ..Credential::default()
        },
        ..route()
    }
}

fn get(url: &Url, path: &str) -> HttpRequest {
    HttpRequest::get(url.join(path).expect("a path"))
}

async fn open(
    network: &Network,
    kind: TransportKind,
    url: &Url,
) -> Result<Box<dyn Link>, TransportError> {
    network.open(kind, &get(url, "t?since=1"), &route()).await
}

async fn fetch(network: &Network, url: &Url) -> Result<Box<dyn Answer>, TransportError> {
    network.fetch(&get(url, "t?poll=1"), &route()).await
}

fn error<T>(result: Result<T, TransportError>) -> TransportError {
    match result {
        Ok(_) => panic!("this must not work"),
        Err(error) => error,
    }
}

fn text(text: &str) -> Frame {
    Frame::Text(text.to_owned())
}
