//! Links over WebSocket.

use super::peer::{Conn, Peer};
use super::*;
use futures_util::FutureExt;
use tokio::sync::mpsc;

const WS: TransportKind = TransportKind::Websocket;
const SECOND: Duration = Duration::from_secs(1);

/// A frame as a server sends it (RFC 6455, 5.2).
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(length),
        _ => {
            frame.push(126);
            let length = u16::try_from(payload.len()).expect("a short test");
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// A peer that upgrades, says these bytes, and then waits for the client to go.
async fn after_upgrade(bytes: Vec<u8>) -> Peer {
    let bytes = Arc::new(bytes);
    Peer::start(move |_, mut conn| {
        let bytes = bytes.clone();
        async move {
            conn.upgrade().await;
            conn.say(bytes.as_slice()).await;
            conn.hold().await;
        }
    })
    .await
}

#[tokio::test]
async fn messages_split_at_every_point_are_the_same() {
    let mut bytes = frame(0x81, "ä🔔".as_bytes());
    bytes.extend(frame(0x01, b"frag"));
    bytes.extend(frame(0x89, b"ping"));
    bytes.extend(frame(0x80, b"ment"));
    bytes.extend(frame(0x82, b"bin\xff"));
    bytes.extend(frame(0x81, &[b'l'; 300]));
    bytes.extend(frame(0x88, &[0x0f, 0xa1, b'b', b'y', b'e']));
    for split in 1..bytes.len() {
        let bytes = bytes.clone();
        let peer = Peer::start(move |_, mut conn| {
            let bytes = bytes.clone();
            async move {
                conn.upgrade().await;
                conn.say(&bytes[..split]).await;
                conn.say(&bytes[split..]).await;
                assert_eq!(conn.frame().await, Some((0xa, b"ping".to_vec())), "a pong");
                conn.hold().await;
            }
        })
        .await;
        let (network, _) = network();
        let mut link = open(&network, WS, &peer.url).await.expect("a link");
        assert_eq!(link.next().await, Ok(text("ä🔔")), "split at {split}");
        assert_eq!(link.next().await, Ok(Frame::Alive));
        assert_eq!(link.next().await, Ok(text("fragment")));
        assert_eq!(link.next().await, Ok(text("bin\u{fffd}")));
        assert_eq!(link.next().await, Ok(text(&"l".repeat(300))));
        let closed = Err(TransportError::Closed {
            code: Some(4001),
            reason: "bye".to_owned(),
        });
        assert_eq!(link.next().await, closed);
        assert_eq!(link.next().await, closed, "it stays over");
        assert_eq!(link.send(String::new()).await.err(), closed.err());
    }
}

#[tokio::test]
async fn frames_that_come_with_the_upgrade_are_read() {
    let peer = Peer::start(|_, mut conn| async move {
        let key = conn.header("sec-websocket-key").expect("an upgrade");
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let mut bytes = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes();
        bytes.extend(frame(0x81, b"early"));
        conn.say(bytes).await;
        conn.hold().await;
    })
    .await;
    let (network, _) = network();
    let mut link = open(&network, WS, &peer.url).await.expect("a link");
    assert_eq!(link.next().await, Ok(text("early")));
}

#[tokio::test]
async fn the_upgrade_is_a_signed_in_get() {
    let peer = after_upgrade(Vec::new()).await;
    let (network, _) = network();
    network
        .open(
            WS,
            &get(&peer.url, "t/ws?since=1"),
            &owned(secret_route(), &peer.url),
        )
        .await
        .expect("a link");
    let head = &peer.requests()[0];
    assert!(head.starts_with("GET /t/ws?since=1 HTTP/1.1\r\n"), "{head}");
    let header = |name| peer::header(head, name).unwrap_or_default();
    assert_eq!(header("connection").to_lowercase(), "upgrade");
    assert_eq!(header("upgrade"), "websocket");
    assert_eq!(header("sec-websocket-version"), "13");
    assert_eq!(header("sec-websocket-extensions"), "", "no compression");
    assert!(header("authorization").starts_with("Basic "));
}

#[tokio::test]
async fn an_upgrade_that_is_not_honoured_is_refused() {
    for said in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    ] {
        let peer = Peer::saying(said).await;
        let (network, _) = network();
        let end = error(open(&network, WS, &peer.url).await);
        assert_eq!(end, TransportError::UpgradeRefused, "{said}");
    }
}

#[tokio::test]
async fn texts_are_sent() {
    let (heard, mut hears) = mpsc::unbounded_channel();
    let peer = Peer::start(move |_, mut conn: Conn| {
        let heard = heard.clone();
        async move {
            conn.upgrade().await;
            while let Some(frame) = conn.frame().await {
                heard.send(frame).expect("the test listens");
            }
        }
    })
    .await;
    let (network, _) = network();
    let mut link = open(&network, WS, &peer.url).await.expect("a link");
    link.send("grüezi".to_owned()).await.expect("sent");
    assert_eq!(hears.recv().await, Some((1, "grüezi".as_bytes().to_vec())));
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_connection() {
    let table: [(&str, Vec<u8>); 6] = [
        (
            "RSV1 is set: compression nobody agreed on",
            frame(0xc1, b"x"),
        ),
        ("an unknown opcode", frame(0x83, b"x")),
        ("a fragmented ping", frame(0x09, b"x")),
        ("a continuation of nothing", frame(0x80, b"x")),
        ("a masked frame", vec![0x81, 0x81, 1, 2, 3, 4, 5]),
        ("text that is no UTF-8", frame(0x81, b"\xff\xfe")),
    ];
    for (what, bytes) in table {
        let peer = after_upgrade(bytes).await;
        let (network, _) = network();
        let mut link = open(&network, WS, &peer.url).await.expect("a link");
        let end = link.next().await;
        assert!(
            matches!(end, Err(TransportError::Broken(_))),
            "{what}: {end:?}"
        );
        assert_eq!(link.next().await, end, "{what}");
    }
}

#[tokio::test]
async fn closes_keep_their_code() {
    for (payload, code, reason) in [
        (vec![], None, ""),
        (vec![0x03, 0xe8], Some(1000), ""),
        (b"\x03\xe9410 Gone".to_vec(), Some(1001), "410 Gone"),
        (vec![0x03, 0xf0], Some(1008), ""),
        (vec![0x11, 0x31], Some(4401), ""),
    ] {
        let peer = after_upgrade(frame(0x88, &payload)).await;
        let (network, _) = network();
        let mut link = open(&network, WS, &peer.url).await.expect("a link");
        assert_eq!(
            link.next().await,
            Err(TransportError::Closed {
                code,
                reason: reason.to_owned()
            })
        );
    }
    let peer = Peer::start(|_, mut conn| async move { conn.upgrade().await }).await;
    let (network, _) = network();
    let mut link = open(&network, WS, &peer.url).await.expect("a link");
    assert_eq!(link.next().await, Err(closed()), "hung up");
}

#[tokio::test]
async fn a_message_above_the_limit_is_told_and_ends_the_connection() {
    let mut announced = vec![0x81, 127];
    announced.extend_from_slice(&(8_u64 << 20).to_be_bytes());
    let mut endless = frame(0x01, &vec![b'x'; 60_000]);
    for _ in 0..20 {
        endless.extend(frame(0x00, &vec![b'x'; 60_000]));
    }
    for bytes in [announced, endless] {
        let mut said = frame(0x81, b"before");
        said.extend(bytes);
        let peer = after_upgrade(said).await;
        let (network, _) = network();
        let mut link = open(&network, WS, &peer.url).await.expect("a link");
        assert_eq!(link.next().await, Ok(text("before")));
        assert_eq!(link.next().await, Ok(Frame::TooLong));
        assert_eq!(link.next().await, Err(TransportError::TooLong));
    }
}

#[tokio::test]
async fn pings_are_aligned_and_a_missing_answer_is_silence() {
    let (heard, mut hears) = mpsc::unbounded_channel();
    let peer = Peer::start(move |_, mut conn: Conn| {
        let heard = heard.clone();
        async move {
            conn.upgrade().await;
            let mut answered = 0;
            while let Some((opcode, payload)) = conn.frame().await {
                if opcode == 9 && answered < 2 {
                    answered += 1;
                    conn.say(frame(0x8a, &payload)).await;
                }
                heard.send(Some(opcode)).expect("the test listens");
            }
            heard.send(None).expect("the test listens");
        }
    })
    .await;
    let (network, clock) = network();
    // 7 s past a multiple of 20 s: the first ping comes 13 s later, with everybody else's.
    clock.advance(7 * SECOND);
    let mut link = open(&network, WS, &peer.url).await.expect("a link");
    clock.advance(12 * SECOND);
    assert!(link.next().now_or_never().is_none());
    assert!(hears.try_recv().is_err(), "no ping yet");
    clock.advance(SECOND);
    assert_eq!(link.next().await, Ok(Frame::Alive), "a pong");
    assert_eq!(hears.recv().await, Some(Some(9)));
    // The answer stopped the clock of the missing answer.
    clock.advance(19 * SECOND);
    assert!(link.next().now_or_never().is_none());
    clock.advance(SECOND);
    assert_eq!(link.next().await, Ok(Frame::Alive), "a pong");
    assert_eq!(hears.recv().await, Some(Some(9)));
    // From now on nobody answers.
    clock.advance(20 * SECOND);
    assert!(link.next().now_or_never().is_none());
    assert_eq!(hears.recv().await, Some(Some(9)));
    clock.advance(9 * SECOND);
    assert!(link.next().now_or_never().is_none());
    clock.advance(SECOND);
    assert_eq!(link.next().await, Err(TransportError::Silent));
    assert_eq!(link.next().await, Err(TransportError::Silent));
    assert_eq!(
        hears.recv().await,
        Some(None),
        "hung up at once, without a goodbye"
    );
}

#[tokio::test]
async fn any_frame_answers_a_ping() {
    let peer = Peer::start(|_, mut conn: Conn| async move {
        conn.upgrade().await;
        while let Some((opcode, _)) = conn.frame().await {
            if opcode == 9 {
                conn.say(frame(0x81, b"busy")).await;
            }
        }
    })
    .await;
    let (network, clock) = network();
    let mut link = open(&network, WS, &peer.url).await.expect("a link");
    for _ in 0..5 {
        clock.advance(20 * SECOND);
        assert_eq!(link.next().await, Ok(text("busy")));
    }
}

#[tokio::test]
async fn waking_from_sleep_does_not_look_like_silence() {
    let peer = after_upgrade(Vec::new()).await;
    let (network, clock) = network();
    let mut link = open(&network, WS, &peer.url).await.expect("a link");
    assert!(link.next().now_or_never().is_none());
    clock.suspend(Duration::from_hours(8));
    assert!(link.next().now_or_never().is_none());
}
