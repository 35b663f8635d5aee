//! WebSocket (RFC 6455). The upgrade is an HTTP request like any other, so that names, TLS, time
//! limits, redirects and refusals are the same for all transports; what follows is
//! tokio-tungstenite's, with its buffers bounded. No extension is offered, so a frame with RSV1 set
//! fails the connection. Through an HTTP proxy, only `https` addresses can be upgraded.

use super::fault::{in_body, plain};
use super::http::{Network, Purpose, header_list, within};
use super::limits::{self, Times};
use super::{Frame, Link, Route, TransportError};
use crate::model::HttpRequest;
use crate::ports::{Clock, Later};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use reqwest::header::{
    self, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
};
use reqwest::{Response, Upgraded};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Read and write buffers, in bytes: there are many idle connections and few large messages.
const BUFFER: usize = 4 * 1024;

/// Opens a WebSocket.
pub(super) async fn open(
    network: &Network,
    request: &HttpRequest,
    route: &Route,
) -> Result<Box<dyn Link>, TransportError> {
    let mut deadline = network.clock.sleep(network.times().headers);
    let key = generate_key();
    let key_value = HeaderValue::try_from(&key)
        .map_err(|_| TransportError::Connect("no key for the handshake".to_owned()))?;
    let extra = [
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (SEC_WEBSOCKET_KEY, key_value),
    ];
    let response = network
        .send(Purpose::Upgrade, request, route, &extra, &mut deadline)
        .await?;
    match response.status().as_u16() {
        101 if accepts(response.headers(), &key) => {}
        // Something on the way took the upgrade's headers off, or does not know them.
        101 | 200 | 426 => return Err(TransportError::UpgradeRefused),
        _ => return Err(network.refused(response, &mut deadline).await),
    }
    let headers = header_list(response.headers());
    let socket = upgraded(response, &mut deadline).await?;
    let socket = WebSocketStream::from_raw_socket(socket, Role::Client, Some(config())).await;
    let clock = network.clock.clone();
    let times = network.times();
    Ok(Box::new(WebSocketLink {
        headers,
        socket: Some(socket),
        ping: clock.sleep(until_next(times.ping_every, clock.awake())),
        pong: None,
        over: None,
        times,
        clock,
    }))
}

/// Bounds of what is read and written.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(limits::FRAME)
        .max_message_size(Some(limits::FRAME))
        .max_frame_size(Some(limits::FRAME))
}

async fn upgraded(
    response: Response,
    deadline: &mut Later<'static, ()>,
) -> Result<Upgraded, TransportError> {
    within(deadline, response.upgrade())
        .await?
        .map_err(|error| in_body(&error))
}

/// RFC 6455, 4.1: the server understood this very request.
fn accepts(headers: &HeaderMap, key: &str) -> bool {
    let upgrade = headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let accept = headers
        .get(SEC_WEBSOCKET_ACCEPT)
        .is_some_and(|value| value.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes());
    upgrade && accept
}

/// Time to the next multiple of `every`, so that all connections ping in the same wakeup.
fn until_next(every: Duration, now: Duration) -> Duration {
    let every = every.as_nanos().max(1);
    let left = every - now.as_nanos() % every;
    Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
}

struct WebSocketLink {
    headers: Vec<(String, String)>,
    /// None once it was handed to the close handshake.
    socket: Option<WebSocketStream<Upgraded>>,
    clock: Arc<dyn Clock>,
    times: Times,
    ping: Later<'static, ()>,
    /// When the silence after a ping is too long.
    pong: Option<Later<'static, ()>>,
    over: Option<TransportError>,
}

impl WebSocketLink {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, TransportError>> {
        if let Some(over) = &self.over {
            return Poll::Ready(Err(over.clone()));
        }
        let end = match self.poll_socket(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(frame)) => {
                self.pong = None;
                return Poll::Ready(Ok(frame));
            }
            Poll::Ready(Err(end)) => end,
        };
        self.over = Some(end.error.clone());
        if !end.polite {
            // A dead peer hears no farewell.
            self.socket = None;
        }
        Poll::Ready(if end.too_long {
            Ok(Frame::TooLong)
        } else {
            Err(end.error)
        })
    }

    fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, End>> {
        let Some(socket) = &mut self.socket else {
            return Poll::Ready(Err(End::rude(super::ended())));
        };
        match socket.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(message))) => return Poll::Ready(read(message)),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(End::of(error))),
            Poll::Ready(None) => {
                return Poll::Ready(Err(End::rude(super::ended())));
            }
            Poll::Pending => {}
        }
        if self.ping.poll_unpin(cx).is_ready() {
            let now = self.clock.awake();
            self.ping = self.clock.sleep(until_next(self.times.ping_every, now));
            // Polled for its waker: the next one is far away.
            let _ = self.ping.poll_unpin(cx);
            // Where nothing more can be written, the answer will be missing just the same.
            if let Poll::Ready(Ok(())) = socket.poll_ready_unpin(cx) {
                let _ = socket.start_send_unpin(Message::Ping(Bytes::new()));
            }
            self.pong
                .get_or_insert_with(|| self.clock.sleep(self.times.pong_within));
        }
        // Errors of writing show up in reading, after what the peer still said.
        let _ = socket.poll_flush_unpin(cx);
        if let Some(pong) = &mut self.pong
            && pong.poll_unpin(cx).is_ready()
        {
            return Poll::Ready(Err(End::rude(TransportError::Silent)));
        }
        Poll::Pending
    }

    async fn send_text(&mut self, text: String) -> Result<(), TransportError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let Some(socket) = &mut self.socket else {
            return Err(super::ended());
        };
        let mut deadline = self.clock.sleep(self.times.pong_within);
        let sent = within(&mut deadline, socket.send(Message::text(text))).await;
        let end = match sent {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => End::of(error),
            Err(_) => End::rude(TransportError::Silent),
        };
        self.over = Some(end.error.clone());
        Err(end.error)
    }
}

/// How a connection ended.
struct End {
    error: TransportError,
    /// The peer can still be told.
    polite: bool,
    /// It ended with a message above the limit, which is told first.
    too_long: bool,
}

impl End {
    fn rude(error: TransportError) -> Self {
        Self {
            error,
            polite: false,
            too_long: false,
        }
    }

    fn polite(error: TransportError) -> Self {
        Self {
            polite: true,
            ..Self::rude(error)
        }
    }

    fn of(error: Error) -> Self {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Self::rude(super::ended())
            }
            Error::Io(error) => Self::rude(TransportError::Broken(plain(&error))),
            // Its length is known and its bytes are not here: skipping them would mean reading
            // whatever a hostile server announces, so the connection is given up.
            Error::Capacity(_) => Self {
                too_long: true,
                ..Self::polite(TransportError::TooLong)
            },
            error => Self::polite(TransportError::Broken(error.to_string())),
        }
    }
}

/// What a message shows, for a reader without a connection.
#[cfg(any(test, feature = "testing"))]
pub(super) fn frame(message: Result<Message, Error>) -> Result<Frame, TransportError> {
    match message.map_err(End::of).and_then(read) {
        Ok(frame) => Ok(frame),
        Err(end) if end.too_long => Ok(Frame::TooLong),
        Err(end) => Err(end.error),
    }
}

fn read(message: Message) -> Result<Frame, End> {
    match message {
        Message::Text(text) => Ok(Frame::Text(text.as_str().to_owned())),
        Message::Binary(bytes) => Ok(Frame::Text(String::from_utf8_lossy(&bytes).into_owned())),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(Frame::Alive),
        Message::Close(None) => Err(End::polite(super::ended())),
        Message::Close(Some(frame)) => Err(End::polite(TransportError::Closed {
            code: Some(frame.code.into()),
            reason: frame.reason.as_str().to_owned(),
        })),
    }
}

impl Link for WebSocketLink {
    fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    // Its own ping tells sooner.
    fn silence(&mut self, _time: Duration) {}

    fn next(&mut self) -> Later<'_, Result<Frame, TransportError>> {
        Box::pin(poll_fn(|cx| self.poll_frame(cx)))
    }

    fn send(&mut self, text: String) -> Later<'_, Result<(), TransportError>> {
        Box::pin(self.send_text(text))
    }
}

impl Drop for WebSocketLink {
    /// Says goodbye (RFC 6455, 7.1.2), as well as it goes within 2 s.
    fn drop(&mut self) {
        let (Some(mut socket), Ok(runtime)) =
            (self.socket.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let mut deadline = self.clock.sleep(limits::CLOSE_WITHIN);
        runtime.spawn(async move {
            let goodbye = async {
                if socket.close(None).await.is_ok() {
                    while let Some(Ok(_)) = socket.next().await {}
                }
            };
            let _ = within(&mut deadline, goodbye).await;
        });
    }
}
