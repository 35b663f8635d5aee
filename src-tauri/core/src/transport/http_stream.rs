//! A response body that never ends, one object a line. A poll and a long poll are the same with an
//! end.

use super::fault::in_body;
use super::http::{Chunks, Network, Purpose, header_list, is_page};
use super::limits;
use super::lines::{LineReader, Piece};
use super::watchdog::Watchdog;
use super::{Frame, Link, Route, TransportError};
use crate::model::HttpRequest;
use crate::ports::Later;
use futures_util::StreamExt;
use std::time::Duration;

/// Opens a stream of lines; its headers must be here within `headers`.
pub(super) async fn open(
    network: &Network,
    request: &HttpRequest,
    route: &Route,
    headers: Duration,
) -> Result<Box<dyn Link>, TransportError> {
    let mut deadline = network.clock.sleep(headers);
    let response = network
        .send(Purpose::Stream, request, route, &[], &mut deadline)
        .await?;
    if response.status().as_u16() != 200 {
        return Err(network.refused(response, &mut deadline).await);
    }
    if is_page(&response) {
        return Err(TransportError::Portal);
    }
    Ok(Box::new(LineLink {
        headers: header_list(response.headers()),
        lines: LineReader::new(response.bytes_stream().boxed(), limits::FRAME),
        watchdog: network.watchdog(route.silence),
        over: None,
    }))
}

struct LineLink {
    headers: Vec<(String, String)>,
    lines: LineReader<Chunks>,
    watchdog: Watchdog,
    over: Option<TransportError>,
}

impl LineLink {
    async fn frame(&mut self) -> Result<Frame, TransportError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let piece = tokio::select! {
            biased;
            piece = self.lines.next() => piece.map_err(|error| in_body(&error)),
            () = self.watchdog.bite() => Err(TransportError::Silent),
        };
        let frame = piece.and_then(frame);
        match &frame {
            Ok(_) => self.watchdog.feed(),
            Err(error) => self.over = Some(error.clone()),
        }
        frame
    }
}

/// What a line shows.
pub(super) fn frame(piece: Piece) -> Result<Frame, TransportError> {
    match piece {
        Piece::Line(line) if line.is_empty() => Ok(Frame::Alive),
        Piece::Line(line) => Ok(Frame::Text(line)),
        Piece::TooLong => Ok(Frame::TooLong),
        // What has no newline was cut off; the server still has it.
        Piece::End(_) => Err(super::ended()),
    }
}

impl Link for LineLink {
    fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    fn silence(&mut self, time: Duration) {
        self.watchdog.expect(time);
    }

    fn next(&mut self) -> Later<'_, Result<Frame, TransportError>> {
        Box::pin(self.frame())
    }

    fn send(&mut self, _text: String) -> Later<'_, Result<(), TransportError>> {
        Box::pin(async { Err(super::one_way()) })
    }
}
