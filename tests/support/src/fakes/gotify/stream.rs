//! `/stream`.

use super::answers::{error, signed_in_as_client};
use super::state::Stream;
use super::{Shared, lock};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, timeout};

/// Between two pings of the server.
const PING: Duration = Duration::from_secs(45);
/// What a client has for its answer.
const PONG: Duration = Duration::from_secs(15);
/// What a client has to take a message.
const WRITE: Duration = Duration::from_secs(2);
/// A longer message from a client ends the connection.
const LONGEST: usize = 64;

static STREAMS: AtomicU64 = AtomicU64::new(0);

pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let (user, token) = match signed_in_as_client(&shared, &headers, query.as_deref()) {
        Ok(who) => who,
        Err((status, words)) => return error(status, words),
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(origin) = text("origin")
        && origin.split("://").nth(1) != text("host")
    {
        return error(403, "request origin not allowed by Upgrader.CheckOrigin");
    }
    match upgrade {
        Ok(upgrade) => upgrade
            .max_message_size(LONGEST)
            .max_frame_size(LONGEST)
            .on_upgrade(move |socket| run(shared, socket, user, token)),
        Err(_) => error(
            400,
            "websocket: the client is not using the websocket protocol",
        ),
    }
}

async fn run(shared: Arc<Shared>, mut socket: WebSocket, user: i64, token: String) {
    let (sender, mut frames) = mpsc::channel(1);
    let id = STREAMS.fetch_add(1, Ordering::Relaxed);
    let mut ends = shared.streams_end.subscribe();
    let mut frozen = shared.frozen.subscribe();
    lock(&shared.store).streams.push(Stream {
        id,
        user,
        token,
        frames: sender,
    });
    let mut pings = interval_at(Instant::now() + PING, PING);
    let mut heard = Instant::now();
    loop {
        let goes_on = tokio::select! {
            // The senders are in `shared`.
            _ = ends.changed() => false,
            () = freezes(&mut frozen) => {
                // Half open: whoever is at the other end hears no more of it.
                let _ = ends.changed().await;
                false
            }
            frame = frames.recv() => match frame {
                Some(frame) => write(&mut socket, Message::text(frame)).await,
                // Its client was deleted.
                None => false,
            },
            _ = pings.tick() => {
                heard.elapsed() <= PING + PONG
                    && write(&mut socket, Message::Ping(Vec::new().into())).await
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Pong(_))) => {
                    heard = Instant::now();
                    true
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
        };
        if !goes_on {
            break;
        }
    }
    lock(&shared.store).streams.retain(|one| one.id != id);
}

async fn freezes(frozen: &mut watch::Receiver<bool>) {
    if frozen.wait_for(|frozen| *frozen).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn write(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(WRITE, socket.send(message)).await, Ok(Ok(())))
}

/// Tells everybody who listens for the owner of an application.
pub(super) async fn notify(shared: &Shared, application: i64, message: &Value) {
    let streams: Vec<_> = {
        let store = lock(&shared.store);
        let owner = store.owner(application);
        let of_owner = store.streams.iter().filter(|one| Some(one.user) == owner);
        of_owner.map(|one| one.frames.clone()).collect()
    };
    for stream in streams {
        // One that ended just now needs nothing.
        let _ = timeout(WRITE, stream.send(message.to_string())).await;
    }
}
