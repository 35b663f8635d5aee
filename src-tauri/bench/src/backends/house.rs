//! A server of each family, and how something is published there.

use support::Result;
use support::fakes::gotify::{Gotify, Settings, Version};
use support::fakes::mercure::{Hub, Rules as HubRules};
use support::fakes::pusher::{Fake as Pusher, HISTORY, Rules as PusherRules};
use support::fakes::tutorial::{EVENTS, Fake as Tutorial};
use support::servers::{self, Daemon};
use tidings_api::{AccountDraft, BackendKind, Secret, SecretPlace, SignIn, TransportKind};
use tidings_server::{Config, Limits, Publish, Server};

use crate::clock;
use crate::scene::{TOPIC, body};

const MERCURE_TOPIC: &str = "https://bench.test/backups";
/// What Nchan is told: everything is kept for an hour.
const NGINX: &str = "load_module @MODULE@;
@USER@worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 256; }
http {
    access_log off;
    default_type text/plain;
    nchan_message_timeout 1h;
    server {
        listen @LISTEN@;
        keepalive_requests 1000000;
        location = /pub { nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 30000; }
        location = /sub { nchan_subscriber; nchan_channel_id bench; }
    }
}
";

/// Which server, and over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The embedded server.
    Ntfy(TransportKind),
    /// Version 2, as it behaves.
    Gotify,
    /// A hub of 0.x.
    Mercure,
    /// With a history beside it.
    Pusher,
    /// The real one, if it is installed.
    Nchan(TransportKind),
    /// A server of somebody's own making.
    Custom,
}

impl Kind {
    /// Each family over its main transport; where there are several, over those that are used.
    pub const ALL: [Self; 8] = [
        Self::Ntfy(TransportKind::Websocket),
        Self::Ntfy(TransportKind::Sse),
        Self::Gotify,
        Self::Mercure,
        Self::Pusher,
        Self::Nchan(TransportKind::Websocket),
        Self::Nchan(TransportKind::Sse),
        Self::Custom,
    ];

    /// As it stands in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ntfy(TransportKind::Sse) => "ntfy, SSE",
            Self::Ntfy(_) => "ntfy, WebSocket",
            Self::Gotify => "Gotify, WebSocket",
            Self::Mercure => "Mercure, SSE",
            Self::Pusher => "Pusher protocol, WebSocket, with a history",
            Self::Nchan(TransportKind::Sse) => "Nchan (nginx), SSE",
            Self::Nchan(_) => "Nchan (nginx), WebSocket",
            Self::Custom => "Custom, SSE",
        }
    }

    /// Why it cannot be measured here.
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Nchan(_) => servers::module().err(),
            _ => None,
        }
    }
}

enum Running {
    Ntfy(Server),
    Gotify(Gotify, i64),
    Mercure(Hub),
    Pusher(Pusher),
    Nchan(Daemon, reqwest::Client),
    Custom(Tutorial),
}

/// A running server.
pub struct House {
    running: Running,
    /// How it is added.
    pub draft: AccountDraft,
}

impl House {
    /// Starts one on loopback.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn open(kind: Kind) -> Result<Self> {
        let draft = AccountDraft {
            secrets: SecretPlace::Keyring,
            topics: vec![TOPIC.to_owned()],
            ..AccountDraft::default()
        };
        let (running, draft) = match kind {
            Kind::Ntfy(transport) => {
                let server = Server::start(Config {
                    limits: Limits::off(),
                    ..Config::default()
                })
                .await?;
                let draft = AccountDraft {
                    url: server.url(),
                    kind: Some(BackendKind::Ntfy),
                    transport: Some(transport),
                    ..draft
                };
                (Running::Ntfy(server), draft)
            }
            Kind::Gotify => {
                let server = Gotify::start(Settings {
                    version: Version::Two,
                    folder: String::new(),
                    now: Box::new(|| clock::wall().to_string()),
                })
                .await?;
                let application = server.add_application("Backup", 5);
                let draft = AccountDraft {
                    url: server.url(),
                    kind: Some(BackendKind::Gotify),
                    topics: Vec::new(),
                    sign_in: SignIn::Token,
                    secret: Some(Secret::new(server.add_client("bench"))),
                    ..draft
                };
                (Running::Gotify(server, application), draft)
            }
            Kind::Mercure => {
                let hub = Hub::start(HubRules::default()).await?;
                let draft = AccountDraft {
                    url: hub.url(),
                    kind: Some(BackendKind::Mercure),
                    topics: vec![MERCURE_TOPIC.to_owned()],
                    ..draft
                };
                (Running::Mercure(hub), draft)
            }
            Kind::Pusher => {
                let server = Pusher::start(PusherRules::default()).await?;
                let options = serde_json::json!({"app_url": server.app_url(), "history_url": HISTORY,
                    "history_mapping": {"topic": "/channel"}});
                let draft = AccountDraft {
                    url: server.url(),
                    kind: Some(BackendKind::Pusher),
                    options: options.to_string(),
                    ..draft
                };
                (Running::Pusher(server), draft)
            }
            Kind::Nchan(transport) => {
                let addr = servers::free_address()?;
                let configuration = NGINX
                    .replace("@MODULE@", &servers::module()?.display().to_string())
                    .replace("@USER@", servers::user())
                    .replace("@LISTEN@", &addr.to_string());
                let nginx = servers::nginx(addr, &configuration, &[]).await?;
                let draft = AccountDraft {
                    url: nginx.url("/sub"),
                    kind: Some(BackendKind::Nchan),
                    topics: Vec::new(),
                    transport: Some(transport),
                    ..draft
                };
                let client = reqwest::Client::builder().no_proxy().build()?;
                (Running::Nchan(nginx, client), draft)
            }
            Kind::Custom => {
                let server = Tutorial::start("").await?;
                let draft = AccountDraft {
                    url: server.url(EVENTS),
                    kind: Some(BackendKind::Custom),
                    options: serde_json::json!({"transport": "sse"}).to_string(),
                    topics: Vec::new(),
                    ..draft
                };
                (Running::Custom(server), draft)
            }
        };
        Ok(Self { running, draft })
    }

    /// Publishes; what the server remembers for later too.
    ///
    /// # Errors
    /// It refused.
    pub async fn publish(&self, number: u64) -> Result<()> {
        let text = body(number);
        match &self.running {
            Running::Ntfy(server) => {
                let published = server.publish(Publish::new(TOPIC, text)).await;
                published.map_err(|refusal| format!("{refusal:?}"))?;
            }
            Running::Gotify(server, application) => {
                server.publish(*application, &text).await;
            }
            Running::Mercure(hub) => {
                let data = serde_json::json!({"topic": MERCURE_TOPIC, "message": text});
                hub.publish(MERCURE_TOPIC, &data.to_string());
            }
            Running::Pusher(server) => {
                let made = clock::wall().to_string();
                let item = serde_json::json!({"id": number, "body": text, "created_at": made, "channel": TOPIC});
                server.record(item.clone());
                server.publish(TOPIC, "notification", &item);
            }
            Running::Nchan(nginx, client) => {
                let sent = client.post(nginx.url("/pub")).body(text).send().await?;
                sent.error_for_status()?;
            }
            Running::Custom(server) => server.publish(&text, &clock::wall().to_string()),
        }
        Ok(())
    }
}
