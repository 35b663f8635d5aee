//! Streams of lines, and finite answers.

use super::peer::{Peer, STREAM};
use super::sse::event;
use super::*;
use futures_util::FutureExt;
use std::time::Duration;
use tokio::sync::mpsc;

const HTTP: TransportKind = TransportKind::HttpStream;

#[tokio::test]
async fn a_stream_split_at_every_point_is_the_same() {
    let body = "{\"id\":\"ä🔔\"}\r\n\n{\"id\":2}\npart";
    let bytes = body.as_bytes();
    for split in 1..bytes.len() {
        let peer = Peer::start(move |_, mut conn| async move {
            conn.say(STREAM).await;
            conn.chunk(&bytes[..split]).await;
            conn.chunk(&bytes[split..]).await;
            conn.end_chunks().await;
        })
        .await;
        let (network, _) = network();
        let mut link = open(&network, HTTP, &peer.url).await.expect("a link");
        assert_eq!(
            link.next().await,
            Ok(text("{\"id\":\"ä🔔\"}")),
            "at {split}"
        );
        assert_eq!(link.next().await, Ok(Frame::Alive));
        assert_eq!(link.next().await, Ok(text("{\"id\":2}")));
        let closed = Err(closed());
        assert_eq!(link.next().await, closed);
        assert_eq!(link.next().await, closed, "it stays over");
        assert!(link.send("x".to_owned()).await.is_err());
    }
}

#[tokio::test]
async fn the_request_is_what_was_asked_for_and_no_more() {
    let peer = Peer::start(|_, mut conn| async move { conn.say(STREAM).await }).await;
    let (network, _) = network();
    let mut request = get(&peer.url, "t/json?since=all");
    request.headers.push(("X-Own".to_owned(), "1".to_owned()));
    request.url.set_username("mallory").expect("http");
    network
        .open(HTTP, &request, &owned(secret_route(), &peer.url))
        .await
        .expect("a link");
    let head = &peer.requests()[0];
    assert!(
        head.starts_with("GET /t/json?since=all HTTP/1.1\r\n"),
        "{head}"
    );
    let header = |name| peer::header(head, name);
    // "phil:xyzzy-canary" (RFC 7617).
    assert_eq!(
        header("authorization").as_deref(),
        Some("Basic cGhpbDp4eXp6eS1jYW5hcnk=")
    );
    assert_eq!(header("cf-access-client-secret").as_deref(), Some(SECRET));
    assert_eq!(header("x-own").as_deref(), Some("1"));
    assert_eq!(header("accept-encoding"), None);
    assert_eq!(header("referer"), None);
    assert_eq!(head.to_lowercase().matches("authorization").count(), 1);
}

#[tokio::test]
async fn eight_mebibytes_of_line_cost_only_themselves() {
    let peer = Peer::start(|_, mut conn| async move {
        conn.say(STREAM).await;
        conn.chunk("before\n").await;
        for _ in 0..128 {
            conn.chunk(vec![b'x'; 64 << 10]).await;
        }
        conn.chunk("\nafter\n").await;
        conn.hold().await;
    })
    .await;
    let (network, _) = network();
    let mut link = open(&network, HTTP, &peer.url).await.expect("a link");
    assert_eq!(link.next().await, Ok(text("before")));
    assert_eq!(link.next().await, Ok(Frame::TooLong));
    assert_eq!(link.next().await, Ok(text("after")));
    let mut answer = fetch(&network, &peer.url).await.expect("an answer");
    assert_eq!(answer.line().await, Ok(Some("before".to_owned())));
    assert_eq!(answer.line().await, Ok(Some("after".to_owned())));
}

#[tokio::test]
async fn a_half_open_connection_is_found_out_by_its_silence() {
    for kind in STREAMS {
        let peer = Peer::start(move |_, mut conn| async move {
            conn.say(peer::head(kind)).await;
            conn.hold().await;
        })
        .await;
        let (network, clock) = network();
        let mut link = open(&network, kind, &peer.url).await.expect("a link");
        clock.advance(ALMOST);
        assert!(link.next().now_or_never().is_none());
        clock.suspend(Duration::from_hours(8));
        assert!(link.next().now_or_never().is_none(), "sleep is not silence");
        clock.advance(Duration::from_secs(1));
        assert_eq!(link.next().await, Err(TransportError::Silent));
        assert_eq!(link.next().await, Err(TransportError::Silent));
    }
}

#[tokio::test]
async fn bytes_without_a_complete_line_are_silence() {
    for kind in STREAMS {
        let (go, gate) = mpsc::unbounded_channel::<&str>();
        let gate = Arc::new(tokio::sync::Mutex::new(gate));
        let peer = Peer::start(move |_, mut conn| {
            let gate = gate.clone();
            async move {
                conn.say(peer::head(kind)).await;
                while let Some(bytes) = gate.lock().await.recv().await {
                    conn.chunk(bytes).await;
                }
                conn.hold().await;
            }
        })
        .await;
        let (network, clock) = network();
        let mut link = open(&network, kind, &peer.url).await.expect("a link");
        clock.advance(SILENCE / 2);
        let one = if kind == HTTP {
            "one\n"
        } else {
            "data: one\n\n"
        };
        go.send(one).expect("the peer lives");
        let frame = if kind == HTTP {
            text("one")
        } else {
            event("message", "", "one")
        };
        assert_eq!(link.next().await, Ok(frame));
        for _ in 0..4 {
            go.send("x").expect("the peer lives");
            let mut next = link.next();
            for _ in 0..20 {
                assert!((&mut next).now_or_never().is_none());
                tokio::task::yield_now().await;
            }
            clock.advance(SILENCE / 4);
        }
        assert_eq!(link.next().await, Err(TransportError::Silent));
    }
}

#[tokio::test]
async fn frames_feed_the_watchdog_and_dropped_waits_do_not() {
    let (go, gate) = mpsc::unbounded_channel::<()>();
    let gate = Arc::new(tokio::sync::Mutex::new(gate));
    let peer = Peer::start(move |_, mut conn| {
        let gate = gate.clone();
        async move {
            conn.say(STREAM).await;
            while gate.lock().await.recv().await.is_some() {
                conn.chunk("\n").await;
            }
        }
    })
    .await;
    let (network, clock) = network();
    let mut link = open(&network, HTTP, &peer.url).await.expect("a link");
    for _ in 0..10 {
        clock.advance(ALMOST);
        assert!(link.next().now_or_never().is_none());
        go.send(()).expect("the peer lives");
        assert_eq!(link.next().await, Ok(Frame::Alive));
    }
    assert!(clock.sleepers() <= 1, "one sleep for many frames");
}

#[tokio::test]
async fn headers_that_never_come_or_drip_end_after_20_seconds() {
    for kind in LINKS.into_iter().chain([TransportKind::Poll]) {
        for drip in ["", "HTTP/1.1 200 OK\r\nX-Slow: a"] {
            let peer = Peer::start(move |_, mut conn| async move {
                conn.say(drip).await;
                conn.hold().await;
            })
            .await;
            let (network, clock) = network();
            let request = get(&peer.url, "t");
            let route = route();
            let fails = async { error(network.open(kind, &request, &route).await) };
            let time = async {
                peer.hears(1).await;
                clock.advance(Duration::from_secs(20));
            };
            let (end, ()) = tokio::join!(fails, time);
            assert_eq!(end, TransportError::Timeout);
            let fails = async { error(network.fetch(&request, &route).await) };
            let time = async {
                peer.hears(2).await;
                clock.advance(Duration::from_secs(20));
            };
            let (end, ()) = tokio::join!(fails, time);
            assert_eq!(end, TransportError::Timeout);
        }
    }
}

#[tokio::test]
async fn a_long_poll_may_hold_its_headers() {
    let peer = Peer::start(|_, mut conn| async move { conn.hold().await }).await;
    let (network, clock) = network();
    let request = get(&peer.url, "t");
    let route = route();
    let mut opening = network.open(TransportKind::LongPoll, &request, &route);
    tokio::select! {
        _ = &mut opening => panic!("nothing came yet"),
        () = peer.hears(1) => {}
    }
    clock.advance(ALMOST);
    assert!((&mut opening).now_or_never().is_none());
    clock.advance(Duration::from_secs(1));
    assert_eq!(error(opening.await), TransportError::Timeout);
}

#[tokio::test]
async fn a_finite_answer_has_status_headers_and_lines() {
    let peer = Peer::saying(
        "HTTP/1.1 404 Not Found\r\nX-Thing: One\r\nContent-Length: 11\r\n\r\na\r\n\nb\nlast!",
    )
    .await;
    let (network, _) = network();
    let mut answer = fetch(&network, &peer.url).await.expect("an answer");
    assert_eq!(answer.status(), 404);
    assert!(
        answer
            .headers()
            .contains(&("x-thing".to_owned(), "One".to_owned()))
    );
    for line in ["a", "", "b", "last!"] {
        assert_eq!(answer.line().await, Ok(Some(line.to_owned())));
    }
    assert_eq!(answer.line().await, Ok(None));
    assert_eq!(answer.line().await, Ok(None));
    let mut answer = fetch(&network, &peer.url).await.expect("an answer");
    assert_eq!(answer.line().await, Ok(Some("a".to_owned())));
    assert_eq!(answer.text(3).await, Ok("\nb\n".to_owned()));
    assert_eq!(answer.text(3).await, Ok(String::new()));
}

#[tokio::test]
async fn a_body_cut_short_is_an_error() {
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nline\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nline\nhalf\r\n",
    ] {
        let peer = Peer::saying(bytes).await;
        let (network, _) = network();
        let mut answer = fetch(&network, &peer.url).await.expect("an answer");
        assert_eq!(answer.line().await, Ok(Some("line".to_owned())));
        let broken = answer.line().await;
        assert!(
            matches!(broken, Err(TransportError::Broken(_))),
            "{broken:?}"
        );
        assert_eq!(answer.line().await, broken, "it stays broken");
        let mut answer = fetch(&network, &peer.url).await.expect("an answer");
        assert!(answer.text(1000).await.is_err());
        let mut link = open(&network, HTTP, &peer.url).await.expect("a link");
        assert_eq!(link.next().await, Ok(text("line")));
        assert_eq!(link.next().await, broken.map(|_| Frame::Alive));
    }
}

#[tokio::test]
async fn a_finite_answer_that_stops_is_silent() {
    let peer = Peer::start(|_, mut conn| async move {
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nline\nha")
            .await;
        conn.hold().await;
    })
    .await;
    let (network, clock) = network();
    let mut answer = fetch(&network, &peer.url).await.expect("an answer");
    assert_eq!(answer.line().await, Ok(Some("line".to_owned())));
    clock.advance(SILENCE);
    assert_eq!(answer.line().await, Err(TransportError::Silent));
    let mut answer = fetch(&network, &peer.url).await.expect("an answer");
    let (rest, ()) = tokio::join!(answer.text(1000), async {
        tokio::task::yield_now().await;
        clock.advance(SILENCE);
    });
    assert_eq!(rest, Err(TransportError::Silent));
}

#[tokio::test]
async fn a_dropped_link_hangs_up() {
    for kind in LINKS {
        let (gone, mut is_gone) = mpsc::unbounded_channel();
        let peer = Peer::start(move |number, mut conn| {
            let gone = gone.clone();
            async move {
                if kind == TransportKind::Websocket {
                    conn.upgrade().await;
                    assert_eq!(
                        conn.frame().await.map(|frame| frame.0),
                        Some(8),
                        "a goodbye"
                    );
                    if number == 0 {
                        conn.say([0x88, 0]).await;
                        return gone.send(()).expect("the test waits");
                    }
                } else {
                    conn.say(peer::head(kind)).await;
                }
                conn.hold().await;
                gone.send(()).expect("the test waits");
            }
        })
        .await;
        let (network, clock) = network();
        drop(open(&network, kind, &peer.url).await.expect("a link"));
        is_gone.recv().await.expect("hung up");
        while clock.sleepers() > 0 {
            tokio::task::yield_now().await;
        }
        // A server that does not answer the goodbye is left after 2 s.
        drop(open(&network, kind, &peer.url).await.expect("a link"));
        clock.advance(Duration::from_secs(2));
        is_gone.recv().await.expect("hung up");
    }
}

#[tokio::test]
async fn a_post_carries_its_body() {
    let peer = Peer::start(|_, mut conn| async move {
        let length: usize = conn
            .header("content-length")
            .expect("a length")
            .parse()
            .expect("digits");
        let body = conn.read(length).await;
        let kind = conn.header("content-type").expect("a type");
        let said = format!("{kind} {body}");
        conn.say(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{said}",
            said.len()
        ))
        .await;
    })
    .await;
    let (network, _) = network();
    let request = HttpRequest {
        method: crate::model::Method::Post,
        body: crate::model::Body::Bytes {
            media_type: "application/json".to_owned(),
            bytes: b"{\"a\":1}".to_vec(),
        },
        ..get(&peer.url, "t")
    };
    let mut answer = network.fetch(&request, &route()).await.expect("an answer");
    assert_eq!(
        answer.text(100).await,
        Ok("application/json {\"a\":1}".to_owned())
    );
    assert!(peer.requests()[0].starts_with("POST /t "));
}
