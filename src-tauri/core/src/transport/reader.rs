//! The readers of all transports, fed by hand: for tests, and for whoever throws bytes at them. What comes out
//! is what an open connection would show.

use super::lines::LineReader;
use super::{Frame, TransportError, http_stream, limits, sse, websocket};
use crate::model::TransportKind;
use bytes::Bytes;
use eventsource_stream::{EventStream, Eventsource};
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _, poll_fn};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::WebSocket;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Pieces of bytes on their way to a reader.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<VecDeque<Bytes>>>);

type Chunks = BoxStream<'static, Result<Bytes, Infallible>>;

impl Feed {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the body of an answer that stays open.
    fn body(&self) -> Chunks {
        let feed = self.clone();
        poll_fn(move |_| match feed.lock().pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None => Poll::Pending,
        })
        .boxed()
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut chunks = self.lock();
        let Some(chunk) = chunks.front_mut() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let length = chunk.len().min(into.len());
        into[..length].copy_from_slice(&chunk.split_to(length));
        if chunk.is_empty() {
            chunks.pop_front();
        }
        Ok(length)
    }
}

/// What the other side is told is of no interest.
impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Framing {
    Lines(Box<LineReader<Chunks>>),
    Events(Box<EventStream<Chunks>>),
    Messages(Box<WebSocket<Feed>>),
}

/// Makes frames of bytes.
pub struct Reader {
    feed: Feed,
    framing: Framing,
    over: bool,
}

impl Reader {
    /// Of a connection that has just been opened; for a WebSocket, after its handshake.
    pub fn new(transport: TransportKind) -> Self {
        let feed = Feed::default();
        let framing = match transport {
            TransportKind::Websocket => Framing::Messages(Box::new(WebSocket::from_raw_socket(
                feed.clone(),
                Role::Client,
                Some(websocket::config()),
            ))),
            TransportKind::Sse => Framing::Events(Box::new(feed.body().eventsource())),
            TransportKind::HttpStream | TransportKind::LongPoll | TransportKind::Poll => {
                Framing::Lines(Box::new(LineReader::new(feed.body(), limits::FRAME)))
            }
        };
        Self {
            feed,
            framing,
            over: false,
        }
    }

    /// Everything that is complete with these bytes. After an error there is nothing more.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Frame, TransportError>> {
        if !bytes.is_empty() {
            self.feed.lock().push_back(Bytes::copy_from_slice(bytes));
        }
        let mut frames = Vec::new();
        while !self.over
            && let Some(frame) = self.next()
        {
            // A message that was not read to its end leaves nothing to go on from.
            let cut = frame == Ok(Frame::TooLong) && matches!(self.framing, Framing::Messages(_));
            self.over = cut || frame.is_err();
            frames.push(frame);
            if cut {
                frames.push(Err(TransportError::TooLong));
            }
        }
        frames
    }

    fn next(&mut self) -> Option<Result<Frame, TransportError>> {
        match &mut self.framing {
            Framing::Lines(lines) => {
                let piece = match lines.next().now_or_never()? {
                    Ok(piece) => piece,
                    Err(never) => match never {},
                };
                Some(http_stream::frame(piece))
            }
            Framing::Events(events) => match events.next().now_or_never()? {
                Some(Ok(event)) => Some(Ok(sse::frame(event))),
                Some(Err(_)) | None => Some(Err(super::ended())),
            },
            Framing::Messages(socket) => match socket.read() {
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => None,
                message => Some(websocket::frame(message)),
            },
        }
    }
}
