//! A subscription over a WebSocket: one JSON object in each text frame.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};

use crate::clock;
use crate::feed::{Feed, Output};

/// Most bytes of a frame from a client, which has nothing to say.
pub(crate) const MOST_RECEIVED: usize = 64;
/// How long the other side has to answer a close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Sends what the feed has until either side is done. Pings at `keepalive`; a client that says
/// nothing for `pong_wait` longer is taken for gone.
pub(crate) async fn serve(
    mut socket: WebSocket,
    mut feed: Feed,
    keepalive: Duration,
    pong_wait: Duration,
) {
    let mut pings = clock::ticks(keepalive);
    let patience = keepalive + pong_wait;
    let mut silence = Box::pin(clock::pause(patience));
    loop {
        tokio::select! {
            output = feed.next() => match output {
                Output::Messages(messages) => {
                    for message in messages {
                        if socket.feed(Frame::Text(message.to_json(true).into())).await.is_err() {
                            return;
                        }
                    }
                    if socket.flush().await.is_err() {
                        return;
                    }
                }
                Output::End => return close(socket).await,
                Output::Cut => return,
            },
            _ = pings.tick() => {
                if socket.send(Frame::Ping(Bytes::new())).await.is_err() {
                    return;
                }
            }
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Close(_))) => {
                    // Polled once more, the socket sends the answer.
                    let _ = clock::within(CLOSE_TIME, socket.recv()).await;
                    return;
                }
                Some(Ok(_)) => silence.set(clock::pause(patience)),
                Some(Err(_)) | None => return,
            },
            () = &mut silence => return,
        }
    }
}

/// Says that a poll is complete, and waits for the other side to have read it.
async fn close(mut socket: WebSocket) {
    let frame = CloseFrame {
        code: close_code::NORMAL,
        reason: "".into(),
    };
    if socket.send(Frame::Close(Some(frame))).await.is_ok() {
        let answer = async { while let Some(Ok(_)) = socket.next().await {} };
        let _ = clock::within(CLOSE_TIME, answer).await;
    }
}
