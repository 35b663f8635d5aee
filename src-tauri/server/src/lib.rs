//! A small ntfy-compatible server: for `tidings serve`, for `tidings demo`, and as the peer of the
//! tests. What it supports is listed in `docs/server.md`.

mod access;
mod account;
mod accounts;
mod actions;
mod clock;
mod feed;
mod http;
mod hub;
mod incoming;
mod limits;
mod log;
mod message;
mod params;
mod publish;
mod refusal;
mod socket;
mod store;
mod words;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

pub use access::{Access, Grants, Permission, User};
pub use clock::{Clock, system_clock};
pub use limits::{Limits, Rate};
pub use log::Seen;
pub use message::{Action, Attachment, Kind, Message};
pub use publish::Publish;
pub use refusal::Refusal;

use accounts::Accounts;
use http::{Context, Peer};
use hub::Hub;
use limits::Visitors;
use log::Log;
use store::Store;

/// How long a connection may take for the head of a request.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// Most bytes of the head of a request.
const HEADER_BYTES: usize = 64 << 10;
/// How long requests under way may still take when the server stops.
const STOP_TIME: Duration = Duration::from_millis(500);
/// How long to wait when no connection can be accepted, as when there are no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a server is set up.
#[derive(Clone)]
pub struct Config {
    /// Where to listen; port 0 takes any free one. Default 127.0.0.1:0.
    pub listen: SocketAddr,
    /// The `SQLite` file that keeps the messages; `None` keeps them in memory.
    pub store: Option<PathBuf>,
    /// Users and rights. Default: everyone may do everything.
    pub access: Access,
    /// How often a quiet stream says something. Default 45 s.
    pub keepalive: Duration,
    /// How long after a ping a WebSocket may stay silent before it is cut. Default 15 s.
    pub pong_wait: Duration,
    /// How long messages are kept; zero keeps none. Default 12 h.
    pub keep: Duration,
    /// What one visitor may ask for.
    pub limits: Limits,
    /// The address users know, for `/v1/config`. Default: `http://` and where it listens.
    pub base_url: Option<String>,
    /// Visitors are told apart by the last address in X-Forwarded-For. Only for a server that
    /// nobody reaches but through a proxy.
    pub behind_proxy: bool,
    /// How many requests [`Server::log`] remembers, with all their headers. Default 0.
    pub record: usize,
    /// The clock for the time of messages, what is due, and limits.
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            store: None,
            access: Access::default(),
            keepalive: Duration::from_secs(45),
            pong_wait: Duration::from_secs(15),
            keep: Duration::from_hours(12),
            limits: Limits::default(),
            base_url: None,
            behind_proxy: false,
            record: 0,
            clock: system_clock(),
        }
    }
}

impl Config {
    /// For tests: no limits for visitors, and the last 100 000 requests are remembered.
    pub fn for_tests() -> Self {
        Self {
            limits: Limits::off(),
            record: 100_000,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("store", &self.store)
            .field("keepalive", &self.keepalive)
            .field("keep", &self.keep)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, not ours, or not allowed.
    #[error(
        "cannot listen on {address}: {source}. Choose another address or port, or stop the program that uses it"
    )]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The file of messages cannot be used.
    #[error("cannot keep messages in {}: {source}. Check that the folder exists and is yours, or choose another file", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The auth file cannot be used.
    #[error("cannot use the auth file {}: {reason}", path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A running server. Dropping it cuts everything off; [`Server::stop`] lets requests finish.
pub struct Server {
    context: Arc<Context>,
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    connections: JoinHandle<()>,
    schedule: JoinHandle<()>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Opens the store, listens, and serves in the background.
    pub async fn start(config: Config) -> Result<Self, ServerError> {
        let store = Store::open(config.store.as_deref()).map_err(|source| ServerError::Store {
            path: config.store.clone().unwrap_or_default(),
            source,
        })?;
        let cannot_listen = |source| ServerError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let unreadable = |source| ServerError::Store {
            path: config.store.clone().unwrap_or_default(),
            source,
        };
        let accounts = Accounts::new(&config.access, store.accounts().map_err(unreadable)?);
        let hub = Hub::new(store, config.clock, config.keep, config.limits);
        let context = Arc::new(Context {
            visitors: Visitors::new(config.limits),
            access: config.access,
            accounts,
            limits: config.limits,
            keepalive: config.keepalive,
            pong_wait: config.pong_wait,
            keep: config.keep,
            base_url: config
                .base_url
                .unwrap_or_else(|| format!("http://{address}")),
            behind_proxy: config.behind_proxy,
            log: Log::new(config.record),
            hub: Arc::clone(&hub),
        });
        let (stopping, stop) = watch::channel(false);
        Ok(Self {
            connections: tokio::spawn(accept(listener, Arc::clone(&context), stop)),
            schedule: tokio::spawn(Arc::clone(&hub).run(Arc::clone(&context.visitors))),
            context,
            address,
            stopping,
        })
    }

    /// The address to use from this machine, as `http://127.0.0.1:2586`.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}")
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Publishes from within the process, with every right. Fails as a request would.
    pub async fn publish(&self, publish: Publish) -> Result<Message, Refusal> {
        self.context
            .hub
            .publish(publish)
            .await
            .map(Arc::unwrap_or_clone)
    }

    /// Clears (marks as read) or deletes from within the process what has this sequence id.
    pub async fn tell(
        &self,
        event: Kind,
        topic: &str,
        sequence_id: &str,
    ) -> Result<Message, Refusal> {
        let hub = &self.context.hub;
        hub.tell(event, topic.to_owned(), sequence_id.to_owned())
            .await
            .map(Arc::unwrap_or_clone)
    }

    /// Whether a token that a user made is good now.
    pub fn knows_token(&self, token: &str) -> bool {
        let now = self.context.hub.now().as_second();
        self.context.accounts.sign_in(token, now).is_some()
    }

    /// Cuts all live subscriptions off without a farewell.
    pub fn drop_connections(&self) {
        self.context.hub.cut_all();
    }

    /// How many live subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        self.context.hub.listeners()
    }

    /// How many messages are kept, scheduled ones among them.
    pub async fn kept(&self) -> Result<u64, Refusal> {
        self.context.hub.count().await
    }

    /// The requests seen, oldest first, if [`Config::record`] says to remember them.
    pub fn log(&self) -> Vec<Seen> {
        self.context.log.all()
    }

    /// Delivers what is due and forgets what has expired, now rather than when the server next
    /// looks. For tests that move the clock.
    pub async fn tick(&self) -> Result<(), Refusal> {
        self.context.hub.tick().await
    }

    /// Stops: no new connections, streams are cut, requests under way have half a second.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        self.context.hub.cut_all();
        // It stops within STOP_TIME; anything left is cut with this value.
        let _ = (&mut self.connections).await;
        self.schedule.abort();
        self.context.hub.close().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.connections.abort();
        self.schedule.abort();
        self.context.hub.cut_all();
    }
}

async fn accept(listener: TcpListener, context: Arc<Context>, mut stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(context.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                clock::pause(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            continue;
        };
        let peer = Peer {
            address: address.ip(),
            cut: Arc::new(Notify::new()),
            permit: Arc::new(permit),
        };
        connections.spawn(connection(stream, Arc::clone(&context), peer, stop.clone()));
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if clock::within(STOP_TIME, finished).await.is_none() {
        connections.shutdown().await;
    }
}

/// Waits until the server stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stopping| *stopping).await);
}

async fn connection(
    stream: TcpStream,
    context: Arc<Context>,
    peer: Peer,
    mut stop: watch::Receiver<bool>,
) {
    // Small frames must not wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let cut = Arc::clone(&peer.cut);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        http::answer(Arc::clone(&context), request.map(Body::new), peer.clone())
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = cut.notified() => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection => {}
                () = cut.notified() => {}
            }
        }
    }
}
