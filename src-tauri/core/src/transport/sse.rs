//! Server-sent events through reqwest-eventsource: one `EventSource` for each attempt, its own
//! reconnecting switched off, since that would repeat the same request and lose what came between.
//! Its parser is ours (the crate eventsource-stream of this workspace).

use super::fault::{before_response, in_body};
use super::http::{Network, Purpose, redirect, within, without_query};
use super::limits;
use super::watchdog::Watchdog;
use super::{Frame, Link, Route, TransportError};
use crate::model::HttpRequest;
use crate::ports::Later;
use eventsource_stream::CONTROL_TOO_LONG;
use futures_util::StreamExt;
use reqwest_eventsource::retry::Never;
use reqwest_eventsource::{Error, Event, EventSource};

/// Opens an event stream: status 200 and `text/event-stream`, anything else is an error.
pub(super) async fn open(
    network: &Network,
    request: &HttpRequest,
    route: &Route,
) -> Result<Box<dyn Link>, TransportError> {
    let mut deadline = network.clock.sleep(network.times.headers);
    // EventSource adds this header itself.
    let mut request = request.clone();
    request
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("accept"));
    let mut url = request.url.clone();
    for _ in 0..=limits::REDIRECTS {
        let builder = network.build(Purpose::Link, &request, &url, route, &[])?;
        let mut events = EventSource::new(builder).map_err(|error| {
            TransportError::Connect(format!("the request cannot be made: {error}"))
        })?;
        events.set_retry_policy(Box::new(Never));
        let response = match within(&mut deadline, events.next()).await? {
            Some(Ok(_)) => {
                return Ok(Box::new(EventLink {
                    events,
                    watchdog: Watchdog::new(network.clock.clone(), route.silence),
                    over: None,
                }));
            }
            Some(Err(Error::InvalidStatusCode(_, response))) => response,
            Some(Err(Error::InvalidContentType(..))) => return Err(TransportError::Portal),
            Some(Err(Error::Transport(error))) => {
                return Err(before_response(&error, &*network.clock));
            }
            Some(Err(_)) | None => return Err(TransportError::Closed { code: None }),
        };
        match redirect(request.method, &url, &response)? {
            Some(next) => url = next,
            None => return Err(network.refused(response, &mut deadline).await),
        }
    }
    Err(TransportError::Redirect(without_query(&url)))
}

struct EventLink {
    events: EventSource,
    watchdog: Watchdog,
    over: Option<TransportError>,
}

impl EventLink {
    async fn frame(&mut self) -> Result<Frame, TransportError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let event = tokio::select! {
            biased;
            event = self.events.next() => event,
            () = self.watchdog.bite() => {
                self.over = Some(TransportError::Silent);
                return Err(TransportError::Silent);
            }
        };
        let frame = match event {
            Some(Ok(Event::Message(event))) if event.event == CONTROL_TOO_LONG => {
                Ok(Frame::TooLong)
            }
            // The parser's other reports: no server can send a name with a newline.
            Some(Ok(Event::Message(event))) if event.event.contains('\n') => Ok(Frame::Alive),
            Some(Ok(Event::Message(event))) => Ok(Frame::Text(event.data)),
            Some(Ok(Event::Open)) => Ok(Frame::Alive),
            Some(Err(Error::Transport(error))) => Err(in_body(&error)),
            Some(Err(_)) | None => Err(TransportError::Closed { code: None }),
        };
        match &frame {
            Ok(_) => self.watchdog.feed(),
            Err(error) => self.over = Some(error.clone()),
        }
        frame
    }
}

impl Link for EventLink {
    fn next(&mut self) -> Later<'_, Result<Frame, TransportError>> {
        Box::pin(self.frame())
    }

    fn send(&mut self, _text: String) -> Later<'_, Result<(), TransportError>> {
        Box::pin(async { Err(super::one_way()) })
    }
}
