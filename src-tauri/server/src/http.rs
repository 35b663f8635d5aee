//! Requests and answers.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, WebSocketUpgrade};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, DATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Request};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::json;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::access::{Access, Credentials, User};
use crate::accounts::Accounts;
use crate::clock;
use crate::feed::{Feed, Output, Wish};
use crate::hub::{Cut, Hub};
use crate::incoming;
use crate::limits::{Limits, Visitors};
use crate::log::Log;
use crate::message::{Kind, Message};
use crate::params::Params;
use crate::publish::{RESERVED, check_topic};
use crate::refusal::Refusal;
use crate::socket;

/// How long a request may take to bring its body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How much of a body that is too large is still read, so that its sender sees the answer.
const READ_AND_DROPPED: usize = 1 << 20;

/// What every request needs.
pub(crate) struct Context {
    pub(crate) hub: Arc<Hub>,
    pub(crate) visitors: Arc<Visitors>,
    pub(crate) access: Access,
    pub(crate) accounts: Accounts,
    pub(crate) limits: Limits,
    pub(crate) keepalive: Duration,
    pub(crate) pong_wait: Duration,
    pub(crate) keep: Duration,
    pub(crate) base_url: String,
    pub(crate) behind_proxy: bool,
    pub(crate) log: Log,
}

/// The other end of a connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) cut: Cut,
    /// Held as long as the connection is open.
    pub(crate) permit: Arc<OwnedSemaphorePermit>,
}

/// Answers one request.
pub(crate) async fn answer(
    context: Arc<Context>,
    request: Request<Body>,
    peer: Peer,
) -> Result<Response, Infallible> {
    context.log.add(&request);
    let mut response = route(&context, request, peer)
        .await
        .unwrap_or_else(Refusal::into_response);
    // By the same clock as the messages: a client that polls takes the server's time from here.
    if let Some(date) = http_date(context.hub.now()) {
        response.headers_mut().insert(DATE, date);
    }
    Ok(response)
}

/// As RFC 9110, 5.6.7, writes it.
fn http_date(now: Timestamp) -> Option<HeaderValue> {
    let date = rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .ok()?;
    HeaderValue::from_str(&date).ok()
}

async fn route(
    context: &Arc<Context>,
    request: Request<Body>,
    mut peer: Peer,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    // Some clients encode the commas between topics.
    let path = parts.uri.path().replace("%2C", ",").replace("%2c", ",");
    let segments: Vec<_> = path.trim_start_matches('/').split('/').collect();
    let method = parts.method.as_str();
    if (method, segments.as_slice()) == ("GET", &["v1", "health"]) {
        return Ok(Json(json!({ "healthy": true })).into_response());
    }
    if is_from_another_page(&parts) {
        return Err(Refusal::new(
            40301,
            "forbidden: a web page of another origin may not use this server",
        ));
    }
    if context.behind_proxy {
        peer.address = forwarded_for(&parts).unwrap_or(peer.address);
    }
    let now = context.hub.now();
    context.visitors.request(peer.address, now)?;
    let headers = parts.headers.clone();
    let params = Params::new(&headers, parts.uri.query().unwrap_or_default());
    let (user, token) = sign_in(context, &parts, &params, peer.address)?;
    let asked = Asked {
        context,
        user,
        token,
        address: peer.address,
        params: &params,
    };
    match (method, segments.as_slice()) {
        ("GET", [""]) => {
            Ok("A Tidings server. Publish: curl -d hello <this address>/<topic>\n".into_response())
        }
        ("PUT" | "POST", [""]) => {
            let body = read(body, incoming::json_size(context.limits.message_size))
                .await?
                .ok_or_else(|| Refusal::new(41303, "JSON body too large"))?;
            let publish = incoming::from_json(&body, &params, now)?;
            asked.may_write(&publish.topic)?;
            context.visitors.message(peer.address, now)?;
            Ok(published(&*context.hub.publish(publish).await?))
        }
        ("GET", ["v1", "config"]) => Ok(asked.config()),
        (_, ["v1", "account", page @ ..]) => asked.account_page(method, page, body).await,
        (_, ["v1", ..]) => Err(Refusal::not_found()),
        ("GET", [topics, "auth"]) => {
            asked.may_read(topics)?;
            Ok(Json(json!({ "success": true })).into_response())
        }
        ("GET", [topics, "json"]) => asked.stream(topics, Format::Json, peer).await,
        ("GET", [topics, "sse"]) => asked.stream(topics, Format::Sse, peer).await,
        ("GET", [topics, "raw"]) => asked.stream(topics, Format::Raw, peer).await,
        ("GET", [topics, "ws"]) => asked.socket(topics, parts, peer).await,
        ("GET", [topic, "publish" | "send" | "trigger"]) => {
            asked.publish(topic, None, Body::empty()).await
        }
        ("PUT" | "POST", [topic]) => asked.publish(topic, None, body).await,
        ("PUT" | "POST", [topic, sequence]) => asked.publish(topic, Some(sequence), body).await,
        ("PUT" | "POST", [topic, sequence, "clear" | "read"]) => {
            asked.tell(Kind::MessageClear, topic, sequence).await
        }
        ("DELETE", [topic, sequence]) | ("GET", [topic, sequence, "delete"]) => {
            asked.tell(Kind::MessageDelete, topic, sequence).await
        }
        _ => Err(Refusal::not_found()),
    }
}

/// Whether a browser sends this for a page that is not ours: any page could else publish to, and
/// over a WebSocket read from, a server on the same machine.
fn is_from_another_page(parts: &Parts) -> bool {
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let foreign_origin = header("origin").is_some_and(|origin| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_none() || host != header("host")
    });
    foreign_origin || header("sec-fetch-site") == Some("cross-site")
}

/// The last address a proxy added: the only one it vouches for.
fn forwarded_for(parts: &Parts) -> Option<IpAddr> {
    let values = parts.headers.get_all("x-forwarded-for");
    let last = values.iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

/// Who asks, and with which token. `None` is somebody without a name.
fn sign_in<'a>(
    context: &'a Context,
    parts: &Parts,
    params: &Params,
    address: IpAddr,
) -> Result<(Option<&'a User>, Option<String>), Refusal> {
    if context.access.users.is_empty() {
        return Ok((None, None));
    }
    let credentials = if let Some(auth) = params.query("auth") {
        Credentials::parse_query(auth)
    } else if let Some(value) = parts.headers.get("authorization") {
        value.to_str().map_err(|_| ()).and_then(Credentials::parse)
    } else {
        Ok(None)
    };
    if credentials == Ok(None) {
        return Ok((None, None));
    }
    let now = context.hub.now();
    context.visitors.may_sign_in(address, now)?;
    let credentials = credentials.ok().flatten();
    let token = match &credentials {
        Some(Credentials::Token(token)) => Some(token.clone()),
        _ => None,
    };
    let user = credentials.and_then(|credentials| {
        context.access.sign_in(&credentials).or_else(|| {
            let name = context.accounts.sign_in(token.as_ref()?, now.as_second())?;
            context.access.users.iter().find(|user| user.name == name)
        })
    });
    if user.is_none() {
        context.visitors.failed_to_sign_in(address, now);
        return Err(Refusal::unauthorized());
    }
    Ok((user, token))
}

/// A request of which is known who asks.
pub(crate) struct Asked<'a> {
    pub(crate) context: &'a Arc<Context>,
    pub(crate) user: Option<&'a User>,
    /// What the request is signed in with, if it is a token.
    pub(crate) token: Option<String>,
    pub(crate) address: IpAddr,
    pub(crate) params: &'a Params<'a>,
}

impl Asked<'_> {
    fn may_write(&self, topic: &str) -> Result<(), Refusal> {
        check_topic(topic)?;
        if self.context.access.permission(self.user, topic).writes() {
            Ok(())
        } else {
            Err(Refusal::forbidden(topic, "write"))
        }
    }

    /// The topic that tells the one who asks of changes of their account.
    fn is_own(&self, topic: &str) -> bool {
        let account = self
            .user
            .and_then(|user| self.context.accounts.of(&user.name));
        account.is_some_and(|account| account.sync_topic == topic)
    }

    /// The topics of a comma list. One that is forbidden fails them all.
    fn may_read(&self, list: &str) -> Result<Arc<[String]>, Refusal> {
        let mut topics = Vec::new();
        for topic in list.split(',') {
            check_topic(topic)?;
            if !self.context.access.permission(self.user, topic).reads() && !self.is_own(topic) {
                return Err(Refusal::forbidden(topic, "read"));
            }
            if !topics.iter().any(|known| known == topic) {
                topics.push(topic.to_owned());
            }
        }
        Ok(topics.into())
    }

    async fn publish(
        &self,
        topic: &str,
        sequence: Option<&str>,
        body: Body,
    ) -> Result<Response, Refusal> {
        self.may_write(topic)?;
        let size = self.context.limits.message_size;
        let body = read(body, size)
            .await?
            .ok_or_else(|| Refusal::message_too_large(size))?;
        let hub = &self.context.hub;
        let publish = incoming::from_request(topic, sequence, self.params, &body, hub.now())?;
        self.context.visitors.message(self.address, hub.now())?;
        Ok(published(&*hub.publish(publish).await?))
    }

    async fn tell(&self, event: Kind, topic: &str, sequence: &str) -> Result<Response, Refusal> {
        self.may_write(topic)?;
        let message = self
            .context
            .hub
            .tell(event, topic.to_owned(), sequence.to_owned())
            .await?;
        Ok(published(&message))
    }

    async fn stream(&self, topics: &str, format: Format, peer: Peer) -> Result<Response, Refusal> {
        let topics = self.may_read(topics)?;
        let context = self.context;
        let now = context.hub.now();
        let wish = Wish::from_params(self.params, now)?;
        let open = if wish.poll {
            None
        } else {
            Some(context.visitors.subscribe(peer.address, now)?)
        };
        let feed = Feed::start(
            &context.hub,
            topics,
            wish,
            Some(context.keepalive),
            peer.cut,
        )
        .await?;
        let truncated = feed.is_truncated();
        let chunks = stream::unfold((feed, open), move |(mut feed, open)| async move {
            let chunk = match feed.next().await {
                Output::Messages(messages) => Ok(format.render(&messages)),
                // An error here breaks the connection, so that nobody takes it for the end.
                Output::Cut => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                Output::End => return None,
            };
            Some((chunk, (feed, open)))
        });
        let mut response = Body::from_stream(chunks).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(format.content_type()),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if truncated {
            headers.insert(
                HeaderName::from_static("x-messages-truncated"),
                HeaderValue::from_static("1"),
            );
        }
        Ok(response)
    }

    async fn socket(
        &self,
        topics: &str,
        mut parts: Parts,
        peer: Peer,
    ) -> Result<Response, Refusal> {
        let topics = self.may_read(topics)?;
        let context = self.context;
        let now = context.hub.now();
        let wish = Wish::from_params(self.params, now)?;
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
            .await
            .map_err(|_| {
                Refusal::new(
                    40016,
                    "invalid request: client not using the websocket protocol",
                )
            })?;
        let open = context.visitors.subscribe(peer.address, now)?;
        // Its own bell: the connection's task ends with the upgrade.
        let cut = Cut::new(Notify::new());
        let feed = Feed::start(&context.hub, topics, wish, None, Arc::clone(&cut)).await?;
        let (keepalive, pong_wait) = (context.keepalive, context.pong_wait);
        Ok(upgrade
            .max_message_size(socket::MOST_RECEIVED)
            .max_frame_size(socket::MOST_RECEIVED)
            .on_upgrade(move |socket| async move {
                let _held = (open, peer.permit);
                tokio::select! {
                    () = cut.notified() => {}
                    () = socket::serve(socket, feed, keepalive, pong_wait) => {}
                }
            }))
    }

    fn config(&self) -> Response {
        Json(json!({
            "base_url": self.context.base_url,
            "app_root": "/",
            "enable_login": !self.context.access.users.is_empty(),
            "enable_signup": false,
            "enable_payments": false,
            "enable_calls": false,
            "enable_emails": false,
            "enable_reservations": false,
            "enable_web_push": false,
            "billing_contact": "",
            "web_push_public_key": "",
            "disallowed_topics": RESERVED,
        }))
        .into_response()
    }
}

/// Reads a body of at most `limit` bytes; `None` if it is longer.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Option<Vec<u8>>, Refusal> {
    let reading = async {
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        let mut total = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk =
                chunk.map_err(|_| Refusal::new(40000, "invalid request: the body broke off"))?;
            total += chunk.len();
            if total <= limit {
                bytes.extend_from_slice(&chunk);
            } else if total > limit + READ_AND_DROPPED {
                break;
            }
        }
        Ok((total <= limit).then_some(bytes))
    };
    clock::within(BODY_TIME, reading)
        .await
        .unwrap_or_else(|| Err(Refusal::new(40800, "the body took too long")))
}

fn published(message: &Message) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], message.to_json(false)).into_response()
}

/// How a stream writes its messages.
#[derive(Clone, Copy)]
enum Format {
    Json,
    Sse,
    Raw,
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-ndjson; charset=utf-8",
            Self::Sse => "text/event-stream; charset=utf-8",
            Self::Raw => "text/plain; charset=utf-8",
        }
    }

    fn render(self, messages: &[Arc<Message>]) -> Bytes {
        let mut out = String::new();
        for message in messages {
            match self {
                Self::Json => out.push_str(&message.to_json(false)),
                Self::Sse => {
                    if !message.event.is_published() {
                        out.push_str("event: ");
                        out.push_str(message.event.name());
                        out.push('\n');
                    }
                    out.push_str("data: ");
                    out.push_str(&message.to_json(false));
                    out.push('\n');
                }
                Self::Raw => out.push_str(&message.message.replace('\n', " ")),
            }
            out.push('\n');
        }
        out.into()
    }
}
