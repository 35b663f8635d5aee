//! Statuses, pages where there should be none, and servers that are not there.

use super::peer::{Peer, STREAM};
use super::*;
use crate::transport::http::retry_after;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_refusal_has_status_wish_and_words() {
    for kind in LINKS {
        for (status, number) in [
            ("401 Unauthorized", 401),
            ("403 Forbidden", 403),
            ("404 Not Found", 404),
            ("429 Too Many Requests", 429),
            ("503 Service Unavailable", 503),
            ("304 Not Modified", 304),
        ] {
            let body = if number == 304 {
                ""
            } else {
                "{\"code\":42901}"
            };
            let peer = Peer::saying(answer(status, "Retry-After: 7\r\n", body)).await;
            let (network, _) = network();
            let TransportError::Refused {
                status,
                headers,
                retry_after,
                body: said,
            } = error(open(&network, kind, &peer.url).await)
            else {
                panic!("{number} is no refusal");
            };
            assert_eq!((status, said.as_str()), (number, body));
            assert_eq!(retry_after, Some(Duration::from_secs(7)));
            assert!(headers.contains(&("retry-after".to_owned(), "7".to_owned())));
            let mut answer = fetch(&network, &peer.url)
                .await
                .expect("every status answers");
            assert_eq!(answer.status(), number);
            assert_eq!(answer.text(100).await, Ok(body.to_owned()));
        }
    }
}

#[tokio::test]
async fn a_refusals_body_is_cut_and_not_waited_for() {
    for kind in LINKS {
        let peer = Peer::saying(answer("500 Oh", "", &"x".repeat(100_000))).await;
        let (network, _) = network();
        let TransportError::Refused { body, .. } = error(open(&network, kind, &peer.url).await)
        else {
            panic!("a refusal");
        };
        assert_eq!(body, "x".repeat(4096));

        let peer = Peer::start(|_, mut conn| async move {
            conn.say("HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\nha")
                .await;
            conn.hold().await;
        })
        .await;
        let (network, clock) = super::network();
        let (end, ()) = tokio::join!(open(&network, kind, &peer.url), async {
            peer.hears(1).await;
            // The part that comes is here by then.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_secs(20));
        });
        let TransportError::Refused { status, body, .. } = error(end) else {
            panic!("a refusal");
        };
        assert_eq!((status, body.as_str()), (500, "ha"));
    }
}

#[tokio::test]
async fn pages_of_portals_are_not_read() {
    let page = answer(
        "200 OK",
        "Content-Type: text/HTML; charset=x\r\n",
        "<html>{}\n",
    );
    for (kind, wanted) in [
        (TransportKind::HttpStream, TransportError::Portal),
        (TransportKind::Poll, TransportError::Portal),
        (TransportKind::Sse, TransportError::Portal),
        (TransportKind::Websocket, TransportError::UpgradeRefused),
    ] {
        let peer = Peer::saying(page.clone()).await;
        let (network, _) = network();
        assert_eq!(error(open(&network, kind, &peer.url).await), wanted);
    }
    for kind in LINKS {
        let peer = Peer::saying(answer("511 Network Authentication Required", "", "x")).await;
        let (network, _) = network();
        assert_eq!(
            error(open(&network, kind, &peer.url).await),
            TransportError::Portal
        );
    }
}

#[tokio::test]
async fn no_content_is_no_stream() {
    for kind in LINKS {
        let peer = Peer::saying("HTTP/1.1 204 No Content\r\n\r\n").await;
        let (network, _) = network();
        let end = error(open(&network, kind, &peer.url).await);
        assert!(
            matches!(end, TransportError::Refused { status: 204, .. }),
            "{end:?}"
        );
    }
}

#[tokio::test]
async fn nobody_listens_or_it_is_no_http() {
    let peer = Peer::saying("").await;
    let silent = peer.url.clone();
    let (network, _) = network();
    for kind in LINKS {
        let end = error(open(&network, kind, &silent).await);
        assert!(matches!(end, TransportError::Broken(_)), "{end:?}");
    }
    drop(peer);
    tokio::task::yield_now().await;
    for kind in LINKS {
        assert_eq!(
            error(open(&network, kind, &silent).await),
            TransportError::Connect("nothing listens at this address and port".to_owned())
        );
    }
    let peer = Peer::saying("220 smtp.example.org ESMTP\r\n").await;
    for kind in LINKS {
        let end = error(open(&network, kind, &peer.url).await);
        assert!(matches!(end, TransportError::Broken(_)), "{end:?}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_said_to_be_one() {
    let (network, _) = network();
    // Too long for a name, so that no resolver has to be asked.
    let name = format!("{}.invalid", "a".repeat(64));
    let url: Url = format!("http://{name}/").parse().expect("a URL");
    for kind in LINKS {
        let TransportError::Dns(words) = error(open(&network, kind, &url).await) else {
            panic!("an error of names");
        };
        assert!(words.starts_with(&name), "{words}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date_within_limits() {
    let clock = FakeClock::new();
    for (text, wish) in [
        ("0", Some(1)),
        ("1", Some(1)),
        ("120", Some(120)),
        ("  30 ", Some(30)),
        ("99999", Some(900)),
        ("99999999999999999999999999", Some(900)),
        ("Mon, 05 Jan 2026 12:02:00 GMT", Some(120)),
        ("Mon, 05 Jan 2026 11:00:00 GMT", Some(1)),
        ("Fri, 05 Jan 2126 11:00:00 GMT", Some(900)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        let wish = wish.map(Duration::from_secs);
        assert_eq!(retry_after(&headers, &clock), wish, "{text:?}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), &clock), None);
}

#[tokio::test]
async fn each_attempt_is_a_connection_of_its_own() {
    let peer = Peer::start(|_, mut conn| async move {
        conn.say(STREAM).await;
        conn.end_chunks().await;
        conn.hold().await;
    })
    .await;
    let (network, _) = network();
    for _ in 0..3 {
        let mut link = open(&network, TransportKind::HttpStream, &peer.url)
            .await
            .expect("a link");
        assert!(link.next().await.is_err());
    }
    assert_eq!(peer.requests().len(), 3);
}
