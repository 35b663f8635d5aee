//! Server-sent events.

use super::peer::{EVENTS, Peer, header};
use super::*;

const SSE: TransportKind = TransportKind::Sse;

pub(super) fn event(name: &str, id: &str, data: &str) -> Frame {
    Frame::Event {
        name: name.to_owned(),
        id: id.to_owned(),
        data: data.to_owned(),
        retry: None,
    }
}

#[tokio::test]
async fn events_split_at_every_point_are_the_same() {
    let body = "\u{feff}: hello\nevent: open\r\ndata: {\"a\":\"ä🔔\"}\rdata: more\n\nid: 7\n\ndata\n\ndata: cut";
    let bytes = body.as_bytes();
    for split in 1..bytes.len() {
        let peer = Peer::start(move |_, mut conn| async move {
            conn.say(EVENTS).await;
            conn.chunk(&bytes[..split]).await;
            conn.chunk(&bytes[split..]).await;
            conn.end_chunks().await;
        })
        .await;
        let (network, _) = network();
        let mut link = open(&network, SSE, &peer.url).await.expect("a link");
        assert_eq!(
            link.next().await,
            Ok(Frame::Comment("hello".to_owned())),
            "a comment, split at {split}"
        );
        assert_eq!(
            link.next().await,
            Ok(event("open", "", "{\"a\":\"ä🔔\"}\nmore"))
        );
        let alone = Frame::Fields {
            id: "7".to_owned(),
            retry: None,
        };
        assert_eq!(link.next().await, Ok(alone), "an id alone");
        assert_eq!(link.next().await, Ok(event("message", "7", "")));
        let closed = Err(closed());
        assert_eq!(link.next().await, closed);
        assert_eq!(link.next().await, closed, "it stays over");
        assert_eq!(peer.requests().len(), 1, "it never reconnects by itself");
    }
}

#[tokio::test]
async fn eight_mebibytes_of_event_cost_only_themselves() {
    let peer = Peer::start(|_, mut conn| async move {
        conn.say(EVENTS).await;
        conn.chunk("data: before\n\ndata: ").await;
        for _ in 0..128 {
            conn.chunk(vec![b'x'; 64 << 10]).await;
        }
        conn.chunk("\n\ndata: after\n\n").await;
        conn.hold().await;
    })
    .await;
    let (network, _) = network();
    let mut link = open(&network, SSE, &peer.url).await.expect("a link");
    let mut frames = Vec::new();
    while frames.last() != Some(&event("message", "", "after")) {
        frames.push(link.next().await.expect("a frame"));
    }
    assert_eq!(frames[0], event("message", "", "before"));
    assert!(frames.contains(&Frame::TooLong));
    let texts = frames
        .iter()
        .filter(|frame| matches!(frame, Frame::Event { .. }));
    assert_eq!(texts.count(), 2);
}

#[tokio::test]
async fn only_an_event_stream_is_one() {
    let page =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\ndata: x\n\n..";
    let peer = Peer::saying(page).await;
    let (network, _) = network();
    let portal = error(open(&network, SSE, &peer.url).await);
    assert_eq!(portal, TransportError::Portal);
    // What else it is may tell the codec something.
    for (head, told) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            "{}",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    ] {
        for wants_head in [false, true] {
            let peer = Peer::saying(head).await;
            let mut request = get(&peer.url, "t/sse");
            request.wants_head = wants_head;
            let refused = error(network.open(SSE, &request, &route()).await);
            let TransportError::Refused { status, body, .. } = refused else {
                panic!("{refused:?}");
            };
            assert_eq!((status, &*body), (200, told));
        }
    }
}

#[tokio::test]
async fn one_accept_header_and_no_last_event_id() {
    let peer = Peer::saying(EVENTS).await;
    let (network, _) = network();
    let mut request = get(&peer.url, "t/sse");
    request
        .headers
        .push(("Accept".to_owned(), "text/plain".to_owned()));
    network.open(SSE, &request, &route()).await.expect("a link");
    let head = peer.requests()[0].to_lowercase();
    assert_eq!(
        header(&head, "accept").as_deref(),
        Some("text/event-stream")
    );
    assert_eq!(head.matches("\r\naccept: ").count(), 1);
    assert!(!head.contains("last-event-id"));
}

#[tokio::test]
async fn a_broken_stream_of_events_says_so() {
    let peer = Peer::start(|_, mut conn| async move {
        conn.say(EVENTS).await;
        conn.chunk("data: one\n\ndata: two").await;
    })
    .await;
    let (network, _) = network();
    let mut link = open(&network, SSE, &peer.url).await.expect("a link");
    assert_eq!(link.next().await, Ok(event("message", "", "one")));
    let broken = link.next().await;
    assert!(
        matches!(broken, Err(TransportError::Broken(_))),
        "{broken:?}"
    );
    assert_eq!(link.next().await, broken);
}

/// Some servers send not even headers before they have something to say.
#[tokio::test]
async fn headers_may_take_as_long_as_the_request_allows() {
    for wants_head in [true, false] {
        let peer = Peer::start(|_, mut conn| async move {
            conn.hold().await;
        })
        .await;
        let (network, clock) = network();
        let mut request = get(&peer.url, "t");
        request.wants_head = wants_head;
        request.patience = Some(Duration::from_mins(2));
        let waited = async {
            let _ = tokio::join!(
                async {
                    clock.asleep_for(Duration::from_mins(2)).await;
                    clock.advance(Duration::from_secs(119));
                    assert_eq!(clock.next_due(), Some(Duration::from_secs(1)));
                    clock.advance(Duration::from_secs(1));
                },
                async {
                    let opened = network.open(SSE, &request, &route()).await;
                    assert_eq!(error(opened), TransportError::Timeout);
                }
            );
        };
        waited.await;
    }
}
