//! Secrets stay where they belong.

use super::peer::{Peer, header};
use super::*;
use crate::model::{Body, Hidden, Method, Sign};
use crate::transport::http::{Purpose, is_loopback};
use crate::transport::way::Through;

fn token_route() -> Route {
    Route {
        sign_in: SignIn::Token,
        credential: Credential {
            secret: Some(SECRET.to_owned()),
            headers: Vec::new(),
            ..Credential::default()
        },
        ..route()
    }
}

fn header_route() -> Route {
    Route {
        sign_in: SignIn::None,
        ..secret_route()
    }
}

#[test]
fn this_computer_is_known_by_its_names() {
    for (url, here) in [
        ("http://localhost/", true),
        ("http://LOCALHOST:80/", true),
        ("http://127.0.0.1/", true),
        ("http://127.255.0.9:8080/", true),
        ("http://2130706433/", true), // 127.0.0.1 as one number
        ("http://[::1]/", true),
        ("http://localhost.example.org/", false),
        ("http://127.0.0.1.example.org/", false),
        ("http://128.0.0.1/", false),
        ("http://0.0.0.0/", false),
        ("http://[::2]/", false),
        ("http://192.168.1.1/", false),
    ] {
        assert_eq!(is_loopback(&url.parse().expect(url)), here, "{url}");
    }
}

#[tokio::test]
async fn credentials_do_not_go_over_cleartext() {
    let (network, _) = network();
    let build = |url: &str, route: &Route| {
        let url: Url = url.parse().expect("a URL");
        let request = HttpRequest::get(url.clone());
        network
            .build(
                Purpose::Stream,
                &request,
                &url,
                (&owned(route.clone(), &url), &Through::Direct),
                &[],
            )
            .map(|_| ())
    };
    for route in [secret_route(), token_route(), header_route()] {
        let allowed = Route {
            allow_http: true,
            ..route.clone()
        };
        assert_eq!(
            build("http://ntfy.example/t", &route),
            Err(TransportError::Cleartext)
        );
        assert_eq!(
            build("http://192.168.1.2/t", &route),
            Err(TransportError::Cleartext)
        );
        assert_eq!(build("http://ntfy.example/t", &allowed), Ok(()));
        assert_eq!(build("http://127.0.0.1/t", &route), Ok(()));
        assert_eq!(build("http://localhost:8080/t", &route), Ok(()));
    }
    assert_eq!(
        build("http://ntfy.example/t", &route()),
        Ok(()),
        "nothing to show"
    );
    assert!(matches!(
        build("ftp://x/", &route()),
        Err(TransportError::Connect(_))
    ));
    // Through the front door as well.
    let request = HttpRequest::get("http://ntfy.example/t".parse().expect("a URL"));
    let route = owned(secret_route(), &request.url);
    for kind in LINKS {
        assert_eq!(
            error(network.open(kind, &request, &route).await),
            TransportError::Cleartext
        );
    }
    assert_eq!(
        error(network.fetch(&request, &route).await),
        TransportError::Cleartext
    );
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = Peer::saying("HTTP/1.1 200 OK\r\n\r\n").await;
        let to = other
            .url
            .join(&format!("login?token={SECRET}#x"))
            .expect("a URL");
        let peer = Peer::saying(format!(
            "HTTP/1.1 {status} Away\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
        let (network, _) = network();
        let away = TransportError::Redirect(other.url.join("login").expect("a URL").to_string());
        for route in [secret_route(), token_route(), header_route()] {
            let request = get(&peer.url, &format!("t?auth={SECRET}"));
            let route = owned(route, &peer.url);
            for kind in LINKS {
                assert_eq!(error(network.open(kind, &request, &route).await), away);
            }
            assert_eq!(error(network.fetch(&request, &route).await), away);
        }
        assert_eq!(
            other.requests(),
            Vec::<String>::new(),
            "it heard nothing at all"
        );
    }
}

/// Whoever names an address, the credential goes only where its user put it.
#[tokio::test]
async fn a_credential_is_for_its_own_addresses_only() {
    let other = Peer::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let (network, _) = network();
    let request = get(&other.url, &format!("t?auth={SECRET}"));
    let home: Url = "https://ntfy.example/".parse().expect("a URL");
    let away = TransportError::Redirect(other.url.join("t").expect("a URL").to_string());
    for route in [secret_route(), token_route(), header_route()] {
        let route = owned(route, &home);
        for kind in LINKS {
            assert_eq!(error(network.open(kind, &request, &route).await), away);
        }
        assert_eq!(error(network.fetch(&request, &route).await), away);
    }
    assert_eq!(other.requests(), Vec::<String>::new());
    let unsigned = HttpRequest {
        sign: Sign::Nothing,
        ..request.clone()
    };
    let route = owned(secret_route(), &home);
    network.fetch(&unsigned, &route).await.expect("an answer");
    let minted = HttpRequest {
        sign: Sign::Bearer(Hidden("minted".to_owned())),
        ..request
    };
    let route = owned(token_route(), &home);
    network.fetch(&minted, &route).await.expect("an answer");
    let heard = other.requests();
    assert_eq!(header(&heard[0], "authorization"), None);
    assert!(!heard[0].contains(&format!("Secret: {SECRET}")));
    assert_eq!(
        header(&heard[1], "authorization").as_deref(),
        Some("Bearer minted")
    );
    assert!(!format!("{minted:?}").contains("minted\""), "{minted:?}");
}

/// A query, a cookie, a header of its own, a subprotocol, a login form.
#[tokio::test]
async fn every_place_for_a_secret() {
    let peer = Peer::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let (network, _) = network();
    let name = |name: &str| name.to_owned();
    for sign_in in [
        SignIn::Header {
            name: name("X-Key"),
        },
        SignIn::Query { name: name("key") },
        SignIn::Cookie {
            name: name("session"),
        },
        SignIn::Subprotocol {
            prefix: name("bearer."),
        },
        SignIn::Message,
    ] {
        let route = Route {
            sign_in,
            ..owned(token_route(), &peer.url)
        };
        // Refused, after it was heard.
        drop(
            network
                .open(TransportKind::Websocket, &get(&peer.url, "t?a=1"), &route)
                .await,
        );
    }
    let login = HttpRequest {
        method: Method::Post,
        body: Body::SignIn {
            media_type: "application/json".to_owned(),
            template: "{\"u\":\"{user}\",\"p\":\"{secret}\",\"x\":{}}".to_owned(),
        },
        sign: Sign::Nothing,
        ..get(&peer.url, "login")
    };
    let route = Route {
        sign_in: SignIn::Basic {
            user: name("{secret}\""),
        },
        ..owned(token_route(), &peer.url)
    };
    assert_eq!(
        route.filled_in("{\"u\":\"{user}\",\"p\":\"{secret}\",\"x\":{}}"),
        format!("{{\"u\":\"{{secret}}\\\"\",\"p\":\"{SECRET}\",\"x\":{{}}}}"),
        "escaped, and not read twice"
    );
    network.fetch(&login, &route).await.expect("an answer");
    let heard = peer.requests();
    assert_eq!(header(&heard[0], "x-key").as_deref(), Some(SECRET));
    assert!(
        heard[1].starts_with(&format!("GET /t?a=1&key={SECRET} ")),
        "{}",
        heard[1]
    );
    assert_eq!(
        header(&heard[2], "cookie"),
        Some(format!("session={SECRET}"))
    );
    assert_eq!(
        header(&heard[3], "sec-websocket-protocol"),
        Some(format!("bearer.{SECRET}"))
    );
    assert!(!heard[4].contains(SECRET), "it comes later");
    assert_eq!(header(&heard[5], "authorization"), None, "only in the form");
    let away = Url::parse("http://elsewhere.example/login").expect("a URL");
    let elsewhere = HttpRequest { url: away, ..login };
    assert!(matches!(
        error(network.fetch(&elsewhere, &route).await),
        TransportError::Redirect(_)
    ));
}

#[tokio::test]
async fn another_scheme_or_host_is_another_origin() {
    for to in [
        "https://127.0.0.1/",
        "//localhost/x",
        "http://user:xyzzy-canary@example.org/x",
    ] {
        let peer = Peer::saying(format!(
            "HTTP/1.1 302 Away\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
        let (network, _) = network();
        let TransportError::Redirect(away) = error(fetch(&network, &peer.url).await) else {
            panic!("another origin");
        };
        assert!(!away.contains(SECRET), "{away}");
    }
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_signed_in_and_without_a_referer() {
    for kind in LINKS {
        let peer = Peer::start(move |number, mut conn| async move {
            match number {
                0 => {
                    conn.say("HTTP/1.1 302 Away\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n")
                        .await;
                }
                1 => {
                    conn.say("HTTP/1.1 308 Away\r\nLocation: b?c=d\r\nContent-Length: 0\r\n\r\n")
                        .await;
                }
                _ if kind == TransportKind::Websocket => {
                    conn.upgrade().await;
                    conn.hold().await;
                }
                _ => conn.say(peer::head(kind)).await,
            }
        })
        .await;
        let (network, _) = network();
        let request = get(&peer.url, &format!("t?auth={SECRET}"));
        network
            .open(kind, &request, &owned(token_route(), &peer.url))
            .await
            .expect("a link");
        let heads = peer.requests();
        let paths: Vec<_> = heads.iter().map(|head| head.split(' ').nth(1)).collect();
        assert_eq!(
            paths,
            [Some("/t?auth=xyzzy-canary"), Some("/a"), Some("/b?c=d")]
        );
        for head in heads {
            assert_eq!(
                header(&head, "authorization"),
                Some(format!("Bearer {SECRET}"))
            );
            assert_eq!(header(&head, "referer"), None);
            assert_eq!(header(&head, "cookie"), None);
        }
    }
}

#[tokio::test]
async fn redirects_end() {
    let peer = Peer::saying(
        "HTTP/1.1 302 Away\r\nLocation: /t?x=1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .await;
    let (network, _) = network();
    for kind in LINKS {
        let before = peer.requests().len();
        let end = error(open(&network, kind, &peer.url).await);
        assert!(matches!(end, TransportError::Redirect(_)), "{end:?}");
        assert_eq!(peer.requests().len() - before, 4);
    }
    let request = HttpRequest {
        method: Method::Post,
        ..get(&peer.url, "t")
    };
    let before = peer.requests().len();
    let end = error(network.fetch(&request, &route()).await);
    assert!(matches!(end, TransportError::Redirect(_)), "{end:?}");
    assert_eq!(peer.requests().len() - before, 1, "only a GET is repeated");
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let away = format!("HTTP/1.1 302 A\r\nLocation: https://x.example/?{SECRET}\r\n\r\n");
    let mut errors = Vec::new();
    for said in [
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 500 Oh\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\nx",
        away.as_str(),
    ] {
        let peer = Peer::saying(said).await;
        let (network, _) = network();
        let request = get(&peer.url, &format!("t?auth={SECRET}&token={SECRET}"));
        let route = owned(secret_route(), &peer.url);
        for kind in LINKS {
            match network.open(kind, &request, &route).await {
                Ok(mut link) => errors.push(link.next().await.expect_err("it is cut short")),
                Err(error) => errors.push(error),
            }
        }
        match network.fetch(&request, &route).await {
            Ok(mut answer) => errors.extend(answer.text(100).await.err()),
            Err(error) => errors.push(error),
        }
    }
    let (network, _) = network();
    let unreachable: Url = format!("http://127.0.0.1:1/?{SECRET}")
        .parse()
        .expect("a URL");
    errors.push(error(fetch(&network, &unreachable).await));
    let bad = Route {
        credential: Credential {
            secret: Some(format!("{SECRET}\r\nX-Evil: 1")),
            headers: Vec::new(),
            ..Credential::default()
        },
        ..owned(token_route(), &unreachable)
    };
    errors.push(error(network.fetch(&get(&unreachable, "x"), &bad).await));
    assert!(errors.len() > 20);
    for error in errors {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
    let shown = format!("{:?}", secret_route());
    assert!(!shown.contains(SECRET), "{shown}");
}
