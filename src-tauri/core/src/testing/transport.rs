//! Connections that follow a script.

use super::lock;
use crate::model::{HttpRequest, TransportKind};
use crate::ports::{Clock, Later};
use crate::transport::limits::Times;
use crate::transport::{Answer, Dial, Frame, Link, NotFetched, Route, TransportError, Wanted};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// What a link does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hands over a frame.
    Frame(Frame),
    /// Is quiet for so much awake time.
    Wait(Duration),
    /// Ends, for this reason.
    End(TransportError),
}

/// One link, from opening to end. Clones are the same script, so that a test can go on writing it
/// while the engine reads; at its end the link hangs.
#[derive(Clone, Default)]
pub struct Script {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<ScriptState>,
    changed: Notify,
}

#[derive(Default)]
struct ScriptState {
    delay: Duration,
    refusal: Option<TransportError>,
    steps: VecDeque<Step>,
    sent: Vec<String>,
    open: bool,
}

impl Script {
    /// Opens at once, then hangs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does not open.
    pub fn refused(error: TransportError) -> Self {
        let script = Self::new();
        lock(&script.shared.state).refusal = Some(error);
        script
    }

    /// Opens, or is refused, only after so long.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        lock(&self.shared.state).delay = delay;
        self
    }

    /// Then a text comes.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.push(Step::Frame(Frame::Text(text.into())));
        self
    }

    /// Then something without content comes.
    #[must_use]
    pub fn alive(self) -> Self {
        self.push(Step::Frame(Frame::Alive));
        self
    }

    /// Then it is quiet for so long.
    #[must_use]
    pub fn wait(self, time: Duration) -> Self {
        self.push(Step::Wait(time));
        self
    }

    /// Then it ends.
    #[must_use]
    pub fn end(self, error: TransportError) -> Self {
        self.push(Step::End(error));
        self
    }

    /// Adds a step, also while the link is open.
    pub fn push(&self, step: Step) {
        lock(&self.shared.state).steps.push_back(step);
        self.shared.changed.notify_waiters();
    }

    /// Texts sent over the link.
    pub fn sent(&self) -> Vec<String> {
        lock(&self.shared.state).sent.clone()
    }

    /// The link was opened and not dropped yet.
    pub fn is_open(&self) -> bool {
        lock(&self.shared.state).open
    }

    /// Steps not taken yet.
    pub fn left(&self) -> usize {
        lock(&self.shared.state).steps.len()
    }

    /// Waits until the link is open (`true`) or hung up (`false`).
    pub async fn until_open(&self, open: bool) {
        loop {
            let changed = self.shared.changed.notified();
            if self.is_open() == open {
                return;
            }
            changed.await;
        }
    }
}

/// The answer to a finite request.
#[derive(Clone, Debug)]
pub struct Reply {
    delay: Duration,
    refusal: Option<TransportError>,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    broken: Option<TransportError>,
}

impl Reply {
    /// A status and a body.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            delay: Duration::ZERO,
            refusal: None,
            status,
            headers: Vec::new(),
            body: body.into(),
            broken: None,
        }
    }

    /// No answer.
    pub fn refused(error: TransportError) -> Self {
        Self {
            refusal: Some(error),
            ..Self::new(0, "")
        }
    }

    /// Comes only after so long.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// With a header, its name in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// After its body it breaks, instead of ending.
    #[must_use]
    pub fn broken(self, error: TransportError) -> Self {
        Self {
            broken: Some(error),
            ..self
        }
    }
}

/// A request that was made.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The transport of an opened link; none for a finite request.
    pub opened: Option<TransportKind>,
    /// The request.
    pub request: HttpRequest,
    /// How it was signed in.
    pub route: Route,
}

type OpenRule = Box<dyn Fn(TransportKind, &HttpRequest) -> Script + Send + Sync>;
type FetchRule = Box<dyn Fn(&HttpRequest) -> Reply + Send + Sync>;

/// Makes scripted connections: first those pushed, in order, then by rule; with neither, nothing can
/// be reached.
pub struct ScriptedTransport {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    links: VecDeque<Script>,
    replies: VecDeque<Reply>,
    open_rule: Option<OpenRule>,
    fetch_rule: Option<FetchRule>,
    seen: Vec<Seen>,
}

impl ScriptedTransport {
    /// Nothing can be reached yet; the clock times what waits.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The next link to be opened follows this script. Returns it.
    pub fn push_link(&self, script: Script) -> Script {
        lock(&self.state).links.push_back(script.clone());
        script
    }

    /// The next finite request is answered so.
    pub fn push_reply(&self, reply: Reply) {
        lock(&self.state).replies.push_back(reply);
    }

    /// Links without a pushed script follow this rule.
    pub fn on_open(
        &self,
        rule: impl Fn(TransportKind, &HttpRequest) -> Script + Send + Sync + 'static,
    ) {
        lock(&self.state).open_rule = Some(Box::new(rule));
    }

    /// Finite requests without a pushed answer follow this rule.
    pub fn on_fetch(&self, rule: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static) {
        lock(&self.state).fetch_rule = Some(Box::new(rule));
    }

    /// Every request so far, in order.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state).seen.clone()
    }

    /// Requests that opened a link, in order.
    pub fn opens(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| seen.opened.is_some());
        seen
    }

    /// Finite requests, in order.
    pub fn fetches(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| seen.opened.is_none());
        seen
    }

    /// Waits until `count` requests were made.
    pub async fn until_seen(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if lock(&self.state).seen.len() >= count {
                return;
            }
            changed.await;
        }
    }

    fn record(&self, opened: Option<TransportKind>, request: &HttpRequest, route: &Route) {
        lock(&self.state).seen.push(Seen {
            opened,
            request: request.clone(),
            route: route.clone(),
        });
        self.changed.notify_waiters();
    }
}

fn nothing() -> TransportError {
    TransportError::Connect("nothing is scripted".to_owned())
}

impl Dial for ScriptedTransport {
    fn open<'a>(
        &'a self,
        transport: TransportKind,
        request: &'a HttpRequest,
        route: &'a Route,
    ) -> Later<'a, Result<Box<dyn Link>, TransportError>> {
        Box::pin(async move {
            self.record(Some(transport), request, route);
            let script = {
                let mut state = lock(&self.state);
                match (state.links.pop_front(), &state.open_rule) {
                    (Some(script), _) => script,
                    (None, Some(rule)) => rule(transport, request),
                    (None, None) => return Err(nothing()),
                }
            };
            let (delay, refusal) = {
                let state = lock(&script.shared.state);
                (state.delay, state.refusal.clone())
            };
            self.clock.sleep(delay).await;
            if let Some(error) = refusal {
                return Err(error);
            }
            lock(&script.shared.state).open = true;
            script.shared.changed.notify_waiters();
            let link = ScriptedLink {
                script,
                clock: self.clock.clone(),
                waiting: None,
                websocket: transport == TransportKind::Websocket,
            };
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }

    fn fetch<'a>(
        &'a self,
        request: &'a HttpRequest,
        route: &'a Route,
    ) -> Later<'a, Result<Box<dyn Answer>, TransportError>> {
        Box::pin(async move {
            self.record(None, request, route);
            let reply = {
                let mut state = lock(&self.state);
                match (state.replies.pop_front(), &state.fetch_rule) {
                    (Some(reply), _) => reply,
                    (None, Some(rule)) => rule(request),
                    (None, None) => return Err(nothing()),
                }
            };
            self.clock.sleep(reply.delay).await;
            match &reply.refusal {
                Some(error) => Err(error.clone()),
                None => Ok(Box::new(ScriptedAnswer { reply, at: 0 }) as Box<dyn Answer>),
            }
        })
    }

    fn download<'a>(
        &'a self,
        wanted: &'a Wanted,
        route: &'a Route,
    ) -> Later<'a, Result<Vec<u8>, NotFetched>> {
        Box::pin(async move {
            let request = HttpRequest::get(wanted.url.clone());
            let mut answer = self.fetch(&request, route).await?;
            match answer.status() {
                200 => Ok(answer.text(wanted.limit).await?.into_bytes()),
                status => Err(NotFetched::Refused {
                    status,
                    retry_after: answer.retry_after(),
                }),
            }
        })
    }

    // A script has its own.
    fn set_times(&self, _times: Times) {}
}

struct ScriptedLink {
    script: Script,
    clock: Arc<dyn Clock>,
    waiting: Option<Later<'static, ()>>,
    websocket: bool,
}

// The pinned sleep is only ever polled through a mutable reference.
impl ScriptedLink {
    async fn step(&mut self) -> Result<Frame, TransportError> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                waiting.await;
                self.waiting = None;
            }
            let changed = self.script.shared.changed.notified();
            let step = {
                let mut state = lock(&self.script.shared.state);
                let step = state.steps.front().cloned();
                // An end stays: after it the link is over.
                if !matches!(step, Some(Step::End(_))) {
                    state.steps.pop_front();
                }
                step
            };
            match step {
                Some(Step::Frame(frame)) => return Ok(frame),
                Some(Step::End(error)) => return Err(error),
                Some(Step::Wait(time)) => self.waiting = Some(self.clock.sleep(time)),
                None => changed.await,
            }
        }
    }
}

impl Link for ScriptedLink {
    fn headers(&self) -> &[(String, String)] {
        &[]
    }

    // A script says itself when it is silent.
    fn silence(&mut self, _time: Duration) {}

    fn next(&mut self) -> Later<'_, Result<Frame, TransportError>> {
        Box::pin(self.step())
    }

    fn send(&mut self, text: String) -> Later<'_, Result<(), TransportError>> {
        let result = if self.websocket {
            lock(&self.script.shared.state).sent.push(text);
            Ok(())
        } else {
            Err(TransportError::Broken(
                "only a WebSocket can send".to_owned(),
            ))
        };
        Box::pin(std::future::ready(result))
    }
}

impl Drop for ScriptedLink {
    fn drop(&mut self) {
        lock(&self.script.shared.state).open = false;
        self.script.shared.changed.notify_waiters();
    }
}

struct ScriptedAnswer {
    reply: Reply,
    at: usize,
}

impl ScriptedAnswer {
    fn end<T>(&self, whole: T) -> Result<T, TransportError> {
        match &self.reply.broken {
            Some(error) => Err(error.clone()),
            None => Ok(whole),
        }
    }
}

impl Answer for ScriptedAnswer {
    fn status(&self) -> u16 {
        self.reply.status
    }

    fn headers(&self) -> &[(String, String)] {
        &self.reply.headers
    }

    fn retry_after(&self) -> Option<Duration> {
        self.reply
            .headers
            .iter()
            .find(|(name, _)| name == "retry-after")
            .and_then(|(_, value)| value.parse().ok())
            .map(Duration::from_secs)
    }

    fn line(&mut self) -> Later<'_, Result<Option<String>, TransportError>> {
        let rest = &self.reply.body[self.at..];
        let line = if rest.is_empty() {
            self.end(None)
        } else {
            let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
            self.at = (self.at + line.len() + 1).min(self.reply.body.len());
            Ok(Some(line.to_owned()))
        };
        Box::pin(std::future::ready(line))
    }

    fn text(&mut self, limit: usize) -> Later<'_, Result<String, TransportError>> {
        let rest = &self.reply.body[self.at..];
        let text = if rest.len() > limit {
            Ok(rest[..rest.floor_char_boundary(limit)].to_owned())
        } else {
            self.end(rest.to_owned())
        };
        self.at = self.reply.body.len();
        Box::pin(std::future::ready(text))
    }
}
