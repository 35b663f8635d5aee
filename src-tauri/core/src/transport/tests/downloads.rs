//! Files whose address somebody else wrote.

use super::peer::{Peer, header};
use super::*;
use crate::transport::names::{Names, NotPublic};
use crate::transport::{NotFetched, Wanted};
use reqwest::dns::Resolve as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

const FILE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfile";
/// This test's public internet, as far as a stranger's name leads there.
const PUBLIC: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Another address of this computer that plays a private network.
const PRIVATE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn wanted(url: &Url, abroad: bool) -> Wanted {
    Wanted {
        url: url.clone(),
        signed: true,
        abroad,
        accept: "image/png",
        limit: 1000,
    }
}

/// A network in which names lead to these addresses, one after the other, and says how often one was asked for.
fn named(answers: Vec<Vec<Ipv4Addr>>) -> (Network, Arc<AtomicUsize>) {
    let (mut network, _) = network();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    network.strangers = Names {
        look_up: Arc::new(move |_| {
            let turn = count.fetch_add(1, Ordering::SeqCst);
            let found = &answers[turn.min(answers.len() - 1)];
            let found = found.iter().map(|ip| SocketAddr::from((*ip, 0))).collect();
            Box::pin(std::future::ready(Ok(found)))
        }),
        allowed: |address| address == IpAddr::from(PUBLIC),
    };
    (network, asked)
}

/// A peer by a name, as a stranger's server.
fn stranger(peer: &Peer) -> Url {
    let mut url = peer.url.clone();
    url.set_host(Some("stranger.test")).expect("a name");
    url
}

/// An account that may use http.
fn http(route: Route) -> Route {
    Route {
        allow_http: true,
        ..route
    }
}

fn sent_to(to: &Url) -> String {
    format!("HTTP/1.1 302 A\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn the_accounts_own_server_is_asked_as_always() {
    let peer = Peer::saying(FILE).await;
    let (network, _) = network();
    let route = owned(secret_route(), &peer.url);
    let mut wanted = wanted(&peer.url.join("image/a.png").expect("a URL"), false);
    assert_eq!(
        network.download(&wanted, &route).await,
        Ok(b"file".to_vec())
    );
    wanted.signed = false;
    assert_eq!(
        network.download(&wanted, &route).await,
        Ok(b"file".to_vec())
    );
    let heard = peer.requests();
    assert!(heard[0].starts_with("GET /image/a.png HTTP/1.1\r\n"));
    assert_eq!(header(&heard[0], "accept").as_deref(), Some("image/png"));
    assert!(heard[0].contains(SECRET));
    assert!(header(&heard[0], "authorization").is_some());
    assert!(!heard[1].contains(SECRET), "not for every address there");
    assert_eq!(header(&heard[1], "authorization"), None);
}

#[tokio::test]
async fn a_stranger_is_asked_only_where_that_is_wanted_and_is_told_nothing() {
    let peer = Peer::saying(FILE).await;
    let home: Url = "https://ntfy.example/".parse().expect("a URL");
    let (network, asked) = named(vec![vec![PUBLIC]]);
    let route = http(owned(secret_route(), &home));
    let at = stranger(&peer);
    let refused = network.download(&wanted(&at, false), &route).await;
    assert_eq!(refused, Err(NotFetched::Abroad));
    assert_eq!(
        (peer.requests().len(), asked.load(Ordering::SeqCst)),
        (0, 0)
    );
    let fetched = network.download(&wanted(&at, true), &route).await;
    assert_eq!(fetched, Ok(b"file".to_vec()));
    let heard = peer.requests();
    assert!(!heard[0].contains(SECRET));
    for name in ["authorization", "cookie", "referer"] {
        assert_eq!(header(&heard[0], name), None, "{name}");
    }
    let strict = owned(secret_route(), &home);
    let refused = network.download(&wanted(&at, true), &strict).await;
    assert_eq!(refused, Err(NotFetched::Cleartext));
    let proxied = Route {
        way: crate::model::Way {
            proxy: "socks5h://127.0.0.1:1".to_owned(),
            ..crate::model::Way::default()
        },
        ..route
    };
    let refused = network.download(&wanted(&at, true), &proxied).await;
    assert_eq!(refused, Err(NotFetched::Proxy));
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn nobody_is_sent_into_a_private_network() {
    let inside = Peer::saying(FILE).await;
    let route = http(owned(
        route(),
        &"https://ntfy.example/".parse().expect("a URL"),
    ));
    // As it is outside tests: this computer is private too.
    let (network, _) = network();
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
    ] {
        let mut url = inside.url.clone();
        url.set_host(Some(host)).expect("a host");
        let refused = network.download(&wanted(&url, true), &route).await;
        assert_eq!(refused, Err(NotFetched::Private), "{host}");
    }
    let metadata: Url = "http://169.254.169.254/latest/".parse().expect("a URL");
    let refused = network.download(&wanted(&metadata, true), &route).await;
    assert_eq!(refused, Err(NotFetched::Private));
    assert_eq!(inside.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_into_a_private_network_is_not_followed() {
    let inside = Peer::saying(FILE).await;
    let mut literal = inside.url.clone();
    literal.set_host(Some("127.0.0.2")).expect("an address");
    for to in [literal, stranger(&inside)] {
        let outside = Peer::saying(sent_to(&to)).await;
        // The first name is the way there, the second the way on.
        let (network, _) = named(vec![vec![PUBLIC], vec![PRIVATE]]);
        let route = http(owned(
            secret_route(),
            &"https://ntfy.example/".parse().expect("a URL"),
        ));
        let refused = network
            .download(&wanted(&stranger(&outside), true), &route)
            .await;
        assert_eq!(refused, Err(NotFetched::Private), "{to}");
        assert_eq!(outside.requests().len(), 1);
        // The account's own server sends there.
        let (network, _) = named(vec![vec![PRIVATE]]);
        let route = http(owned(secret_route(), &outside.url));
        let refused = network.download(&wanted(&outside.url, true), &route).await;
        assert_eq!(refused, Err(NotFetched::Private), "{to}");
        let refused = network.download(&wanted(&outside.url, false), &route).await;
        assert_eq!(refused, Err(NotFetched::Abroad), "{to}");
    }
    assert_eq!(inside.requests(), Vec::<String>::new());
}

/// A stranger must not have us make requests to our own server, least of all signed ones.
#[tokio::test]
async fn nobody_is_sent_back_home() {
    let home = Peer::saying(FILE).await;
    let outside = Peer::saying(sent_to(
        &home.url.join("t/publish?message=x").expect("a URL"),
    ))
    .await;
    let (network, _) = named(vec![vec![PUBLIC]]);
    let route = http(owned(secret_route(), &home.url));
    let fetched = network
        .download(&wanted(&stranger(&outside), true), &route)
        .await;
    assert_eq!(
        fetched,
        Ok(b"file".to_vec()),
        "it is a stranger like any other"
    );
    assert!(!home.requests()[0].contains(SECRET));
    let (network, _) = named(vec![vec![PUBLIC], vec![PRIVATE]]);
    let outside = Peer::saying(sent_to(&stranger(&home))).await;
    let refused = network
        .download(&wanted(&stranger(&outside), true), &route)
        .await;
    assert_eq!(refused, Err(NotFetched::Private));
    assert_eq!(home.requests().len(), 1);
}

/// What was judged is what is connected to: a name that answers otherwise the next time gains nothing.
#[tokio::test]
async fn a_name_that_changes_its_mind_leads_nowhere() {
    let inside = Peer::saying(FILE).await;
    let mut url = stranger(&inside);
    let route = http(owned(
        route(),
        &"https://ntfy.example/".parse().expect("a URL"),
    ));
    // Here the test's server is what must not be reached.
    let (mut network, asked) = named(vec![vec![PRIVATE], vec![PUBLIC]]);
    network.strangers.allowed = |address| address == IpAddr::from(PRIVATE);
    let first = network.download(&wanted(&url, true), &route).await;
    assert!(
        matches!(
            &first,
            Err(NotFetched::Transport(TransportError::Connect(_)))
        ),
        "nothing listens at the address that was judged: {first:?}"
    );
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "judged and connected to in one"
    );
    url.set_path("/again");
    let second = network.download(&wanted(&url, true), &route).await;
    assert_eq!(second, Err(NotFetched::Private));
    assert_eq!(inside.requests(), Vec::<String>::new());

    let (network, _) = named(vec![vec![PRIVATE, PUBLIC], vec![PRIVATE]]);
    let name = || {
        "stranger.test"
            .parse::<reqwest::dns::Name>()
            .expect("a name")
    };
    let kept: Vec<_> = network
        .strangers
        .resolve(name())
        .await
        .expect("one")
        .collect();
    assert_eq!(
        kept,
        [SocketAddr::from((PUBLIC, 0))],
        "only what may be connected to"
    );
    let none = network.strangers.resolve(name()).await.err().expect("none");
    assert!(none.is::<NotPublic>());
}

#[tokio::test]
async fn a_file_is_not_read_beyond_its_limit() {
    let said = |length: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}",
            "x".repeat(length)
        )
    };
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        format!("64\r\n{}\r\n", "x".repeat(100)).repeat(11)
    );
    for (said, fits) in [(said(1000), true), (said(1001), false), (chunked, false)] {
        let peer = Peer::saying(said).await;
        let (network, _) = network();
        let fetched = network
            .download(&wanted(&peer.url, false), &owned(route(), &peer.url))
            .await;
        match fetched {
            Ok(file) => assert!(fits && file.len() == 1000),
            Err(error) => assert!(!fits && error == NotFetched::TooLarge, "{error:?}"),
        }
    }
    // Before any of it comes.
    let peer = Peer::start(|_, mut conn| async move {
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\n\r\n")
            .await;
        std::future::pending::<()>().await;
    })
    .await;
    let (network, _) = network();
    let refused = network
        .download(&wanted(&peer.url, false), &owned(route(), &peer.url))
        .await;
    assert_eq!(refused, Err(NotFetched::TooLarge));
}

#[tokio::test]
async fn a_file_that_never_ends_is_given_up() {
    let peer = Peer::start(|_, mut conn| async move {
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxx")
            .await;
        std::future::pending::<()>().await;
    })
    .await;
    let (network, clock) = network();
    let route = owned(route(), &peer.url);
    let file = wanted(&peer.url, false);
    let download = network.download(&file, &route);
    let time = async {
        peer.hears(1).await;
        clock.advance(Duration::from_secs(31));
    };
    let (fetched, ()) = tokio::join!(download, time);
    assert_eq!(fetched, Err(TransportError::Timeout.into()));
}

#[tokio::test]
async fn refusals_and_circles_are_told_without_a_secret() {
    let (network, _) = network();
    let peer =
        Peer::saying("HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n").await;
    let route = owned(secret_route(), &peer.url);
    assert_eq!(
        network.download(&wanted(&peer.url, false), &route).await,
        Err(NotFetched::Refused {
            status: 503,
            retry_after: Some(Duration::from_mins(2)),
        })
    );
    let circle = Peer::saying(format!(
        "HTTP/1.1 302 A\r\nLocation: /round?key={SECRET}\r\nContent-Length: 0\r\n\r\n"
    ))
    .await;
    let route = owned(secret_route(), &circle.url);
    let end = network
        .download(&wanted(&circle.url, false), &route)
        .await
        .expect_err("a circle");
    assert!(matches!(
        end,
        NotFetched::Transport(TransportError::Redirect(_))
    ));
    assert!(!format!("{end} {end:?}").contains(SECRET));
    assert_eq!(circle.requests().len(), 4);
}
