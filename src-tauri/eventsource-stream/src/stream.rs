//! The parser as a [`Stream`], with the names reqwest-eventsource expects.

use std::fmt;
use std::pin::Pin;
use std::string::FromUtf8Error;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::{Event, Parser};

/// Makes an event stream of a stream of bytes.
pub trait Eventsource: Sized {
    /// The events of this byte stream.
    fn eventsource(self) -> EventStream<Self>;
}

impl<S, B, E> Eventsource for S
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
{
    fn eventsource(self) -> EventStream<Self> {
        EventStream::new(self)
    }
}

pin_project! {
    /// The events of a byte stream.
    #[derive(Debug)]
    pub struct EventStream<S> {
        #[pin]
        bytes: S,
        parser: Parser,
        ended: bool,
    }
}

impl<S> EventStream<S> {
    /// The events of `bytes`.
    pub fn new(bytes: S) -> Self {
        Self {
            bytes,
            parser: Parser::new(),
            ended: false,
        }
    }

    /// Sets the id in force, as carried over from an earlier connection.
    pub fn set_last_event_id(&mut self, id: impl Into<String>) {
        self.parser.set_last_event_id(id);
    }

    /// The last event id in force.
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }
}

impl<S, B, E> Stream for EventStream<S>
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
{
    type Item = Result<Event, EventStreamError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            if let Some(event) = this.parser.next_event() {
                return Poll::Ready(Some(Ok(event)));
            }
            if *this.ended {
                return Poll::Ready(None);
            }
            match ready!(this.bytes.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => this.parser.push(bytes.as_ref()),
                Some(Err(error)) => {
                    return Poll::Ready(Some(Err(EventStreamError::Transport(error))));
                }
                None => {
                    *this.ended = true;
                    return Poll::Ready(this.parser.finish().map(Ok));
                }
            }
        }
    }
}

/// Why the stream of events failed. Only [`EventStreamError::Transport`] is ever made here; the
/// others exist because reqwest-eventsource names them.
#[derive(Debug, PartialEq)]
pub enum EventStreamError<E> {
    /// Not UTF-8. Never made: malformed bytes are replaced.
    Utf8(FromUtf8Error),
    /// Not an event stream. Never made: every line is a line.
    Parser(nom::error::Error<String>),
    /// The byte stream failed.
    Transport(E),
}

impl<E: fmt::Display> fmt::Display for EventStreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8(error) => write!(f, "the event stream is not UTF-8: {error}"),
            Self::Parser(error) => write!(f, "the event stream cannot be read: {error}"),
            Self::Transport(error) => write!(f, "the event stream broke off: {error}"),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for EventStreamError<E> {}
