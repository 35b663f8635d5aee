//! Requests over HTTP: building them, signing them in, following redirects within an origin, and
//! reading finite answers. Every link begins here too.

use super::answer::HttpAnswer;
use super::download::{NotFetched, Wanted, download};
use super::fault::before_response;
use super::limits::{self, Times};
use super::lines::LineReader;
use super::names::Names;
use super::sign::{self, signs};
use super::tls::Tls;
#[cfg(test)]
use super::tls::Trust;
use super::watchdog::Watchdog;
use super::way::{self, Through};
use super::{Answer, Dial, Link, Route, TransportError, http_stream, sse, websocket};
use crate::model::{Body, HttpRequest, Method, Sign, SignIn, TransportKind, Way};
use crate::ports::{Clock, Later, NoProxies, Proxies};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::fmt::rfc2822;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use rustls::RootCertStore;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use url::{Host, Url};

/// Clients kept; accounts that go the same way share one.
const CLIENTS: usize = 32;

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A connection that becomes a WebSocket, which takes HTTP/1.1 (RFC 6455, section 4.1).
    Upgrade,
    /// One connection each, held open: every other link, over HTTP/2 where the server offers it. None is
    /// shared, so that the next attempt is never made over a connection that has died.
    Stream,
    /// Finite requests, which share connections.
    Fetch,
    /// The same to whom somebody else named: straight there, and only on the public internet.
    Abroad,
}

/// What tells one client from another.
#[derive(Clone, PartialEq, Eq)]
struct Kind {
    purpose: Purpose,
    is_loopback: bool,
    connect: Duration,
    way: Way,
    through: Through,
    /// Of the proxy and of the client certificate.
    passwords: [Option<String>; 2],
}

/// The network. Holds no connection by itself; its clients are made when they are first needed.
pub struct Network {
    pub(super) clock: Arc<dyn Clock>,
    proxies: Arc<dyn Proxies>,
    /// Whether a variable of the environment says something.
    environment: fn(&str) -> bool,
    times: Mutex<Times>,
    /// For every server that is reached as everywhere.
    tls: OnceLock<Tls>,
    clients: Arc<Clients>,
    /// How the names of servers are found that somebody else named.
    pub(super) strangers: Names,
}

/// Clients with their connections.
#[derive(Default)]
pub(super) struct Clients(Mutex<Vec<(Kind, Client)>>);

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Vec<(Kind, Client)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept for the next request may be dead: it is not taken any more. Requests under way go on.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }
}

impl Network {
    /// With the times of the design.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, TransportError> {
        Ok(Self::with_times(clock, Times::default()))
    }

    /// With other times, floored.
    pub fn with_times(clock: Arc<dyn Clock>, times: Times) -> Self {
        Self {
            clock,
            times: Mutex::new(times.floored()),
            proxies: Arc::new(NoProxies),
            environment: way::is_set,
            tls: OnceLock::new(),
            clients: Arc::default(),
            strangers: Names::public(),
        }
    }

    /// Asks the desktop where neither an account nor the environment says which proxy to take.
    #[must_use]
    pub fn asking(mut self, proxies: Arc<dyn Proxies>) -> Self {
        self.proxies = proxies;
        self
    }

    /// The proxy to a server, asked anew for each connection: it may change with the network.
    pub(super) async fn proxy(&self, url: &Url, way: &Way) -> Through {
        if let Some(known) = self.known_proxy(url, way) {
            return known;
        }
        let mut origin = bare(url);
        origin.set_path("/");
        origin.set_query(None);
        let mut deadline = self.clock.sleep(limits::PROXY_WITHIN);
        let answers = within(&mut deadline, self.proxies.ways(&origin)).await;
        way::by_desktop(&answers.unwrap_or_default())
    }

    fn known_proxy(&self, url: &Url, way: &Way) -> Option<Through> {
        way::through(&way.proxy, url, is_loopback(url), self.environment)
    }

    /// Notices silence, after which no connection is trusted.
    pub(super) fn watchdog(&self, silence: Duration) -> Watchdog {
        Watchdog::new(self.clock.clone(), silence, Arc::clone(&self.clients))
    }

    /// Trusts these authorities only.
    #[cfg(test)]
    pub(super) fn trusting(clock: Arc<dyn Clock>, roots: RootCertStore) -> Self {
        let network = Self {
            environment: |_| false,
            ..Self::with_times(clock, Times::default())
        };
        let tls = Tls::trusting(roots, Trust::default()).expect("a TLS setting");
        assert!(network.tls.set(tls).is_ok(), "it is new");
        network
    }

    pub(super) fn times(&self) -> Times {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tls(&self) -> Result<&Tls, TransportError> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls);
        }
        let tls = Tls::native()?;
        Ok(self.tls.get_or_init(|| tls))
    }

    /// The settings for a way of its own, or those for everywhere.
    fn tls_for(&self, route: &Route) -> Result<Tls, TransportError> {
        let Way {
            authorities,
            pin,
            certificate,
            proxy: _,
        } = &route.way;
        if [authorities, pin, certificate]
            .iter()
            .all(|one| one.is_empty())
        {
            return self.tls().cloned();
        }
        let trust = way::trust(&route.way, &route.credential)?;
        let roots = if trust.pin.is_some() {
            RootCertStore::empty()
        } else {
            Tls::native_roots()
        };
        Tls::trusting(roots, trust)
    }

    fn client(
        &self,
        purpose: Purpose,
        url: &Url,
        route: &Route,
        through: &Through,
    ) -> Result<Client, TransportError> {
        let kind = Kind {
            purpose,
            is_loopback: is_loopback(url),
            connect: self.times().connect,
            way: route.way.clone(),
            through: through.clone(),
            passwords: [
                route.credential.proxy.clone(),
                route.credential.certificate.clone(),
            ],
        };
        let mut clients = self.clients.lock();
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == kind) {
            return Ok(client.clone());
        }
        let tls = self.tls_for(route)?;
        if url.scheme() == "https" {
            tls.check()?;
        }
        let builder = Client::builder()
            .user_agent(concat!("Tidings/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(kind.connect)
            .tcp_keepalive(limits::TCP_KEEPALIVE)
            .redirect(Policy::none())
            .referer(false);
        let builder = if purpose == Purpose::Abroad {
            let names = Arc::new(self.strangers.clone());
            builder.no_proxy().dns_resolver(names)
        } else {
            let builder = builder.dns_resolver(Arc::new(Names::any()));
            way::client(builder, through, &route.credential)?
        };
        let builder = builder
            .http2_initial_stream_window_size(limits::WINDOW)
            .http2_initial_connection_window_size(limits::WINDOW * 2);
        let builder = match purpose {
            Purpose::Upgrade => builder
                .http1_only()
                .pool_max_idle_per_host(0)
                .use_preconfigured_tls(tls.config(&[b"http/1.1"])),
            Purpose::Stream => builder
                .pool_max_idle_per_host(0)
                .use_preconfigured_tls(tls.config(&[b"h2", b"http/1.1"])),
            Purpose::Fetch | Purpose::Abroad => builder
                .pool_max_idle_per_host(limits::POOL_SIZE)
                .pool_idle_timeout(limits::POOL_IDLE)
                .use_preconfigured_tls(tls.config(&[b"h2", b"http/1.1"])),
        };
        let client = builder
            .build()
            .map_err(|error| TransportError::Connect(error.without_url().to_string()))?;
        // Those of an older setting are no longer asked for.
        clients.retain(|(known, _)| known.connect == kind.connect);
        if clients.len() >= CLIENTS {
            clients.remove(0);
        }
        clients.push((kind, client.clone()));
        Ok(client)
    }

    /// A request, built anew and signed in. `extra` is what the transport itself needs.
    pub(super) fn build(
        &self,
        purpose: Purpose,
        request: &HttpRequest,
        url: &Url,
        (route, through): (&Route, &Through),
        extra: &[(HeaderName, HeaderValue)],
    ) -> Result<RequestBuilder, TransportError> {
        let mut url = bare(url);
        let signs = signs(request, route);
        // What the user entered for one server is for no other, whoever names it.
        if signs
            && (request.sign == Sign::Account || matches!(request.body, Body::SignIn { .. }))
            && !route.own.iter().any(|own| own.origin() == url.origin())
        {
            return Err(TransportError::Redirect(without_query(&url)));
        }
        match url.scheme() {
            "https" if route.way == Way::default() => self.tls()?.check()?,
            "https" => {}
            "http" => {
                if signs && !is_loopback(&url) && !route.allow_http {
                    return Err(TransportError::Cleartext);
                }
            }
            _ => {
                return Err(TransportError::Connect(
                    "the address must begin with https:// or http://".to_owned(),
                ));
            }
        }
        let client = self.client(purpose, &url, route, through)?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut headers = sign::headers(request, route, purpose)?;
        if let (Sign::Account, SignIn::Query { name }, Some(secret)) =
            (&request.sign, &route.sign_in, &route.credential.secret)
        {
            url.query_pairs_mut().append_pair(name, secret);
        }
        for (name, value) in extra {
            headers.insert(name, value.clone());
        }
        let builder = client.request(method, url);
        Ok(match &request.body {
            Body::Empty => builder.headers(headers),
            Body::Bytes { media_type, bytes } => {
                headers.insert(
                    header::CONTENT_TYPE,
                    sign::value("Content-Type", media_type)?,
                );
                builder.headers(headers).body(bytes.clone())
            }
            Body::SignIn {
                media_type,
                template,
            } => {
                headers.insert(
                    header::CONTENT_TYPE,
                    sign::value("Content-Type", media_type)?,
                );
                let text = sign::filled_in(template, media_type, route);
                builder.headers(headers).body(text)
            }
        })
    }

    /// Sends a request until its headers are here, following redirects within the origin.
    pub(super) async fn send(
        &self,
        purpose: Purpose,
        request: &HttpRequest,
        route: &Route,
        extra: &[(HeaderName, HeaderValue)],
        deadline: &mut Later<'static, ()>,
    ) -> Result<Response, TransportError> {
        let mut url = request.url.clone();
        let through = self.proxy(&url, &route.way).await;
        for _ in 0..=limits::REDIRECTS {
            let builder = self.build(purpose, request, &url, (route, &through), extra)?;
            let response = within(deadline, builder.send())
                .await
                .inspect_err(|_| self.clients.forget())?
                .map_err(|error| before_response(&error, &*self.clock))?;
            match redirect(request.method, &url, &response)? {
                Some(next) => url = next,
                None => return Ok(response),
            }
        }
        Err(TransportError::Redirect(without_query(&url)))
    }

    /// A refusal: status, `Retry-After` and the start of the body, as far as it comes in time.
    pub(super) async fn refused(
        &self,
        response: Response,
        deadline: &mut Later<'static, ()>,
    ) -> TransportError {
        let status = response.status().as_u16();
        // RFC 6585, section 6: a portal wants the user to log in to the network.
        if status == 511 {
            return TransportError::Portal;
        }
        let retry_after = retry_after(response.headers(), &*self.clock);
        let mut headers = header_list(response.headers());
        // Errors are shown.
        headers.retain(|(name, _)| name != "set-cookie");
        let mut lines = LineReader::new(response.bytes_stream().boxed(), limits::REFUSAL);
        let body = match within(deadline, lines.rest(limits::REFUSAL)).await {
            Ok(Ok(body)) => body,
            _ => lines.so_far(),
        };
        TransportError::Refused {
            status,
            headers,
            retry_after,
            body,
        }
    }

    async fn finite(
        &self,
        request: &HttpRequest,
        route: &Route,
    ) -> Result<Box<dyn Answer>, TransportError> {
        let time = request.patience.unwrap_or_default();
        let mut deadline = self.clock.sleep(self.times().headers.max(time));
        let response = self
            .send(Purpose::Fetch, request, route, &[], &mut deadline)
            .await?;
        Ok(Box::new(HttpAnswer {
            status: response.status().as_u16(),
            headers: header_list(response.headers()),
            retry_after: retry_after(response.headers(), &*self.clock),
            lines: LineReader::new(response.bytes_stream().boxed(), limits::FRAME),
            watchdog: self.watchdog(route.silence),
            over: None,
        }))
    }
}

impl Dial for Network {
    fn open<'a>(
        &'a self,
        transport: TransportKind,
        request: &'a HttpRequest,
        route: &'a Route,
    ) -> Later<'a, Result<Box<dyn Link>, TransportError>> {
        match transport {
            TransportKind::Websocket => Box::pin(websocket::open(self, request, route)),
            TransportKind::Sse => Box::pin(sse::open(self, request, route)),
            TransportKind::HttpStream | TransportKind::Poll => Box::pin(http_stream::open(
                self,
                request,
                route,
                self.times().headers,
            )),
            // The server holds its answer back until it has something.
            TransportKind::LongPoll => {
                let headers = self.times().headers.max(route.silence);
                Box::pin(http_stream::open(self, request, route, headers))
            }
        }
    }

    fn fetch<'a>(
        &'a self,
        request: &'a HttpRequest,
        route: &'a Route,
    ) -> Later<'a, Result<Box<dyn Answer>, TransportError>> {
        Box::pin(self.finite(request, route))
    }

    fn goes_straight<'a>(&'a self, url: &'a Url, route: &'a Route) -> Later<'a, bool> {
        Box::pin(async move {
            match self.known_proxy(url, &route.way) {
                Some(known) => known == Through::Direct,
                None => !matches!(self.proxy(url, &route.way).await, Through::Desktop(_)),
            }
        })
    }

    fn renew(&self) {
        self.clients.forget();
    }

    fn download<'a>(
        &'a self,
        wanted: &'a Wanted,
        route: &'a Route,
    ) -> Later<'a, Result<Vec<u8>, NotFetched>> {
        Box::pin(download(self, wanted, route))
    }

    fn set_times(&self, times: Times) {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) = times.floored();
    }
}

/// The body of a response, as its chunks come.
pub(super) type Chunks = BoxStream<'static, Result<Bytes, reqwest::Error>>;

/// Work until a deadline.
pub(super) async fn within<T>(
    deadline: &mut Later<'static, ()>,
    work: impl Future<Output = T>,
) -> Result<T, TransportError> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = deadline => Err(TransportError::Timeout),
    }
}

/// Whether an address is on this computer, where cleartext shows nothing to anybody (RFC 6761, 6.3;
/// 127.0.0.0/8; `::1`).
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Without user info, which would sign in on its own, and without the fragment.
pub(super) fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    // They fail only for addresses that cannot have user info, so there is none to remove.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// An address that can be shown: queries and user info may hold secrets.
pub(super) fn without_query(url: &Url) -> String {
    let mut url = bare(url);
    url.set_query(None);
    url.into()
}

/// Headers as plain text, names in lower case.
pub(super) fn header_list(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}

/// Where a response points, if it is to be followed; an error if it points elsewhere.
pub(super) fn redirect(
    method: Method,
    from: &Url,
    response: &Response,
) -> Result<Option<Url>, TransportError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(to) = response
        .headers()
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| from.join(location).ok())
    else {
        return Ok(None);
    };
    if method == Method::Get && to.origin() == from.origin() {
        Ok(Some(to))
    } else {
        Err(TransportError::Redirect(without_query(&to)))
    }
}

/// A wrong weekday does not make a date unreadable.
static DATES: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);

/// `Retry-After` (RFC 9110, 10.2.3): seconds or a date, within 1 s to 15 min.
pub(super) fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wish = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a long time all the same.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let at = DATES.parse_timestamp(text).ok()?;
        Duration::try_from(at.duration_since(clock.now())).unwrap_or_default()
    };
    Some(wish.clamp(limits::RETRY_AFTER_LEAST, limits::RETRY_AFTER_MOST))
}

/// Whether a page came where a stream should be.
pub(super) fn is_page(response: &Response) -> bool {
    ["text/html", "application/xhtml+xml"].contains(&media_type(response).as_str())
}

/// Whether an event stream came.
pub(super) fn is_event_stream(response: &Response) -> bool {
    media_type(response) == "text/event-stream"
}

fn media_type(response: &Response) -> String {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default()
}
