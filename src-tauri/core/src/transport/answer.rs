//! The answer to a finite request, read line by line or as a whole; a body that goes silent is an error.

use super::fault::in_body;
use super::http::Chunks;
use super::lines::{LineReader, Piece};
use super::watchdog::Watchdog;
use super::{Answer, TransportError};
use crate::ports::Later;
use std::time::Duration;

/// An answer whose head is here.
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) lines: LineReader<Chunks>,
    pub(super) watchdog: Watchdog,
    /// The body is at its end, or broke for this reason.
    pub(super) over: Option<Result<(), TransportError>>,
}

impl HttpAnswer {
    async fn next_line(&mut self) -> Result<Option<String>, TransportError> {
        loop {
            if let Some(over) = &self.over {
                return over.clone().map(|()| None);
            }
            let piece = tokio::select! {
                biased;
                piece = self.lines.next() => piece.map_err(|error| in_body(&error)),
                () = self.watchdog.bite() => Err(TransportError::Silent),
            };
            match piece {
                Ok(Piece::Line(line)) => {
                    self.watchdog.feed();
                    return Ok(Some(line));
                }
                Ok(Piece::TooLong) => self.watchdog.feed(),
                Ok(Piece::End(rest)) => {
                    self.over = Some(Ok(()));
                    if !rest.is_empty() {
                        return Ok(Some(rest));
                    }
                }
                Err(error) => self.over = Some(Err(error)),
            }
        }
    }

    async fn whole(&mut self, limit: usize) -> Result<String, TransportError> {
        if let Some(over) = &self.over {
            return over.clone().map(|()| String::new());
        }
        self.watchdog.feed();
        let rest = tokio::select! {
            biased;
            rest = self.lines.rest(limit) => rest.map_err(|error| in_body(&error)),
            () = self.watchdog.bite() => Err(TransportError::Silent),
        };
        self.over = Some(rest.as_ref().map(|_| ()).map_err(Clone::clone));
        rest
    }
}

impl Answer for HttpAnswer {
    fn status(&self) -> u16 {
        self.status
    }

    fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn line(&mut self) -> Later<'_, Result<Option<String>, TransportError>> {
        Box::pin(self.next_line())
    }

    fn text(&mut self, limit: usize) -> Later<'_, Result<String, TransportError>> {
        Box::pin(self.whole(limit))
    }
}
