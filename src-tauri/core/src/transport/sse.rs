//! Server-sent events through reqwest-eventsource: one `EventSource` for each attempt, its own
//! reconnecting switched off, since that would repeat the same request and lose what came between.
//! Its parser is ours (the crate eventsource-stream of this workspace). It keeps the answer's headers to
//! itself; where a codec wants them, the request is made here and its body goes through the same parser.

use super::fault::{before_response, in_body};
use super::http::{
    Network, Purpose, header_list, is_event_stream, is_page, redirect, within, without_query,
};
use super::limits;
use super::watchdog::Watchdog;
use super::{Frame, Link, Route, TransportError};
use crate::model::HttpRequest;
use crate::ports::Later;
use eventsource_stream::{
    CONTROL_COMMENT, CONTROL_FIELDS, CONTROL_TOO_LONG, EventStreamError, Eventsource,
};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::Response;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest_eventsource::retry::Never;
use reqwest_eventsource::{Error, Event, EventSource};
use std::time::Duration;

/// Opens an event stream: status 200 and `text/event-stream`, anything else is an error.
pub(super) async fn open(
    network: &Network,
    request: &HttpRequest,
    route: &Route,
) -> Result<Box<dyn Link>, TransportError> {
    // EventSource adds this header itself.
    let mut request = request.clone();
    request
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("accept"));
    let (headers, frames) = if request.wants_head {
        with_head(network, &request, route).await?
    } else {
        (Vec::new(), event_source(network, &request, route).await?)
    };
    Ok(Box::new(EventLink {
        headers,
        frames,
        watchdog: network.watchdog(route.silence),
        over: None,
    }))
}

/// Time for the headers: some servers send none before they have something to say.
fn patience(network: &Network, request: &HttpRequest) -> Duration {
    let own = request.patience.unwrap_or_default();
    network.times().headers.max(own)
}

type Frames = BoxStream<'static, Result<Frame, TransportError>>;

async fn event_source(
    network: &Network,
    request: &HttpRequest,
    route: &Route,
) -> Result<Frames, TransportError> {
    let mut deadline = network.clock.sleep(patience(network, request));
    let mut url = request.url.clone();
    let through = network.proxy(&url, &route.way).await;
    for _ in 0..=limits::REDIRECTS {
        let on = (route, &through);
        let builder = network.build(Purpose::Stream, request, &url, on, &[])?;
        let mut events = EventSource::new(builder).map_err(|error| {
            TransportError::Connect(format!("the request cannot be made: {error}"))
        })?;
        events.set_retry_policy(Box::new(Never));
        let response = match within(&mut deadline, events.next()).await? {
            Some(Ok(_)) => {
                let frames = events.map(|event| match event {
                    Ok(Event::Message(event)) => Ok(frame(event)),
                    Ok(Event::Open) => Ok(Frame::Alive),
                    Err(Error::Transport(error)) => Err(in_body(&error)),
                    Err(_) => Err(super::ended()),
                });
                return Ok(frames.boxed());
            }
            Some(Err(Error::InvalidStatusCode(_, response))) => response,
            Some(Err(Error::InvalidContentType(_, response))) => {
                return Err(no_stream(network, response, &mut deadline).await);
            }
            Some(Err(Error::Transport(error))) => {
                return Err(before_response(&error, &*network.clock));
            }
            Some(Err(_)) | None => return Err(super::ended()),
        };
        match redirect(request.method, &url, &response)? {
            Some(next) => url = next,
            None => return Err(network.refused(response, &mut deadline).await),
        }
    }
    Err(TransportError::Redirect(without_query(&url)))
}

async fn with_head(
    network: &Network,
    request: &HttpRequest,
    route: &Route,
) -> Result<(Vec<(String, String)>, Frames), TransportError> {
    let mut deadline = network.clock.sleep(patience(network, request));
    let accept = [(ACCEPT, HeaderValue::from_static("text/event-stream"))];
    let response = network
        .send(Purpose::Stream, request, route, &accept, &mut deadline)
        .await?;
    if response.status().as_u16() != 200 {
        return Err(network.refused(response, &mut deadline).await);
    }
    if !is_event_stream(&response) {
        return Err(no_stream(network, response, &mut deadline).await);
    }
    let headers = header_list(response.headers());
    let frames = response
        .bytes_stream()
        .eventsource()
        .map(|event| match event {
            Ok(event) => Ok(frame(event)),
            Err(EventStreamError::Transport(error)) => Err(in_body(&error)),
            Err(_) => Err(super::ended()),
        });
    Ok((headers, frames.boxed()))
}

/// A page is a portal's; what else comes in place of a stream is for the codec to judge, as a refusal with
/// status 200.
async fn no_stream(
    network: &Network,
    response: Response,
    deadline: &mut Later<'static, ()>,
) -> TransportError {
    if is_page(&response) {
        TransportError::Portal
    } else {
        network.refused(response, deadline).await
    }
}

/// The parser's other reports have names that no server can send.
pub(super) fn frame(event: eventsource_stream::Event) -> Frame {
    match event.event.as_str() {
        CONTROL_TOO_LONG => Frame::TooLong,
        CONTROL_COMMENT => Frame::Comment(event.data),
        CONTROL_FIELDS => Frame::Fields {
            id: event.id,
            retry: event.retry,
        },
        _ => Frame::Event {
            name: event.event,
            id: event.id,
            data: event.data,
            retry: event.retry,
        },
    }
}

struct EventLink {
    headers: Vec<(String, String)>,
    frames: Frames,
    watchdog: Watchdog,
    over: Option<TransportError>,
}

impl EventLink {
    async fn frame(&mut self) -> Result<Frame, TransportError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let frame = tokio::select! {
            biased;
            frame = self.frames.next() => frame.unwrap_or_else(|| Err(super::ended())),
            () = self.watchdog.bite() => Err(TransportError::Silent),
        };
        match &frame {
            Ok(_) => self.watchdog.feed(),
            Err(error) => self.over = Some(error.clone()),
        }
        frame
    }
}

impl Link for EventLink {
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
