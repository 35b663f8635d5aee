//! Nchan as Debian ships it, with its memory and with Redis: whatever happens to the connection or the server,
//! each message is in the inbox, once.

#[path = "../../pipeline/harness.rs"]
#[expect(dead_code, reason = "the tests of outages use the rest of it")]
mod harness;
mod nodes;
#[path = "../../pipeline/relay.rs"]
mod relay;
mod signing_in;
mod whole;

use harness::Desk;
use support::Result;
use support::servers::{self, Daemon};
use tidings_api::{
    AccountDraft, BackendKind, ConnectionState, Secret, SecretPlace, SignIn, Status, TransportKind,
};
use tidings_core::testing::FakeClock;

/// Everything that Nchan can be reached over.
const TRANSPORTS: [TransportKind; 4] = [
    TransportKind::Websocket,
    TransportKind::Sse,
    TransportKind::LongPoll,
    TransportKind::Poll,
];

/// Nobody to ask who may come in.
const NO_DOOR: &str = "127.0.0.1:9";

/// Where a server keeps its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Memory,
    Redis,
}

/// nginx with Nchan, and what it needs.
struct House {
    nginx: Daemon,
    _redis: Option<Daemon>,
    client: reqwest::Client,
}

impl House {
    async fn new(store: Store) -> Result<Self> {
        Self::with(store, 2, NO_DOOR).await
    }

    async fn with_workers(workers: usize) -> Result<Self> {
        Self::with(Store::Memory, workers, NO_DOOR).await
    }

    /// `door` is asked who may come in.
    async fn with_door(store: Store, door: &str) -> Result<Self> {
        Self::with(store, 2, door).await
    }

    async fn with(store: Store, workers: usize, door: &str) -> Result<Self> {
        let redis = match store {
            Store::Memory => None,
            Store::Redis => {
                let addr = servers::free_address()?;
                let configuration = format!(
                    "bind {}\nport {}\nsave \"\"\nappendonly no\n",
                    addr.ip(),
                    addr.port()
                );
                Some(servers::redis(addr, &configuration).await?)
            }
        };
        let addr = servers::free_address()?;
        let (upstream, pass) = match &redis {
            Some(redis) => (
                format!(
                    "upstream channels {{ nchan_redis_server redis://{}; }}",
                    redis.addr
                ),
                "nchan_redis_pass channels;",
            ),
            None => (String::new(), ""),
        };
        let configuration = include_str!("nchan.conf")
            .replace("@MODULE@", &servers::module()?.display().to_string())
            .replace("@USER@", servers::user())
            .replace("@WORKERS@", &workers.to_string())
            .replace("@UPSTREAM@", &upstream)
            .replace("@LISTEN@", &addr.to_string())
            .replace("@STORE@", pass)
            .replace("@DOOR@", door);
        let files = [("htpasswd", "ada:{PLAIN}reads-all-1\n")];
        Ok(Self {
            nginx: servers::nginx(addr, &configuration, &files).await?,
            _redis: redis,
            client: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    async fn publish(&self, path: &str, text: &str) -> Result<()> {
        let url = self.nginx.url(path);
        let sent = self.client.post(url).body(text.to_owned()).send().await?;
        sent.error_for_status()?;
        Ok(())
    }

    /// Publishes `name FROM`, … up to, not including, `name TO`.
    async fn publish_some(&self, path: &str, name: &str, from: usize, to: usize) -> Result<()> {
        for number in from..to {
            self.publish(path, &format!("{name} {number}")).await?;
        }
        Ok(())
    }
}

/// An inbox whose clock begins where the servers' is.
#[allow(clippy::disallowed_methods, reason = "real servers live in real time")]
fn desk() -> Desk {
    Desk::new(&FakeClock::at(jiff::Timestamp::now()))
}

/// Lets the servers' clocks come to the next second: ids begin anew with it.
#[allow(clippy::disallowed_methods, reason = "real servers live in real time")]
async fn next_second() {
    let now = jiff::Timestamp::now().subsec_nanosecond();
    let left = 1_000_000_000_u64.saturating_sub(u64::try_from(now).unwrap_or_default());
    // nginx looks at its clock now and then only.
    tokio::time::sleep(std::time::Duration::from_nanos(left + 50_000_000)).await;
}

fn draft(url: &str, transport: Option<TransportKind>, options: &str) -> AccountDraft {
    AccountDraft {
        url: url.to_owned(),
        kind: Some(BackendKind::Nchan),
        secrets: SecretPlace::Memory,
        transport,
        options: options.to_owned(),
        ..AccountDraft::default()
    }
}

fn as_ada(draft: AccountDraft, password: &str) -> AccountDraft {
    AccountDraft {
        sign_in: SignIn::Basic {
            user: "ada".to_owned(),
        },
        secret: Some(Secret::new(password)),
        ..draft
    }
}

/// Waits until the connection is complete, while time passes.
async fn live(desk: &Desk) {
    desk.until_in_time("all connections are live", harness::all_live)
        .await;
}

async fn count(desk: &Desk, count: usize) {
    let what = format!("{count} notifications in the inbox");
    desk.until_in_time(&what, |status| status.counts.all >= count as u64)
        .await;
}

fn is_stopped(status: &Status) -> bool {
    status.connections[0].state == ConnectionState::Stopped
}

/// Everything came, once, in its order.
async fn came_in_order(desk: &Desk, expected: &[String], what: &str) {
    count(desk, expected.len()).await;
    let mut rows: Vec<String> = desk
        .rows()
        .await
        .into_iter()
        .map(|row| row.preview)
        .collect();
    rows.reverse();
    assert_eq!(rows, expected, "{what}");
}

/// `name 0`, `name 1`, …
fn in_order(name: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{name} {number}"))
        .collect()
}
