//! Two nodes behind one address, run from the very files that `docs/deploy/nchan-redis.md` tells to use: each
//! node is killed in turn while messages are published.

use std::time::Duration;

use super::{TRANSPORTS, as_ada, count, desk, draft, live, next_second};
use support::servers::{self, Daemon, free_address};
use support::{Result, until};

const NODE: &str = include_str!("../../../docs/deploy/nchan/node.conf");
const BALANCER: &str = include_str!("../../../docs/deploy/nchan/balancer.conf");
const REDIS: &str = include_str!("../../../docs/deploy/nchan/redis.conf");

/// A file of the documentation with other addresses and paths; each must be in it.
fn with(file: &str, changes: &[(&str, &str)]) -> String {
    let mut text = file.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in the file:\n{text}");
        text = text.replace(from, to);
    }
    text
}

struct House {
    balancer: Daemon,
    nodes: Vec<Daemon>,
    redis: Daemon,
    client: reqwest::Client,
}

impl House {
    async fn new() -> Result<Self> {
        let [redis_at, first, second, front] = [
            free_address()?,
            free_address()?,
            free_address()?,
            free_address()?,
        ];
        let redis = servers::redis(
            redis_at,
            &with(
                REDIS,
                &[
                    ("bind 10.0.0.10", &format!("bind {}", redis_at.ip())),
                    ("port 6379", &format!("port {}", redis_at.port())),
                    ("dir /var/lib/redis", "dir ."),
                ],
            ),
        )
        .await?;
        let module = servers::module()?.display().to_string();
        let everywhere = [
            ("user www-data;\n", servers::user()),
            ("worker_processes auto;", "worker_processes 2;"),
            ("/run/nginx.pid", "nginx.pid"),
            ("/var/log/nginx/error.log", "error.log"),
        ];
        let mut nodes = Vec::new();
        for addr in [first, second] {
            let configuration = with(
                &with(NODE, &everywhere),
                &[
                    ("modules/ngx_nchan_module.so", &module),
                    ("10.0.0.10:6379", &redis_at.to_string()),
                    ("10.0.0.11:8080", &addr.to_string()),
                    ("10.0.0.0/24", "127.0.0.0/8"),
                    ("/etc/nginx/subscribers.htpasswd", "subscribers.htpasswd"),
                ],
            );
            let files = [("subscribers.htpasswd", "ada:{PLAIN}reads-all-1\n")];
            nodes.push(servers::nginx(addr, &configuration, &files).await?);
        }
        let configuration = with(
            &with(BALANCER, &everywhere),
            &[
                ("10.0.0.11:8080", &first.to_string()),
                ("10.0.0.12:8080", &second.to_string()),
                ("10.0.0.0/24", "127.0.0.0/8"),
                ("listen 443 ssl;", &format!("listen {front};")),
                ("ssl_certificate /etc/ssl/push.example.org.pem;", ""),
                (
                    "ssl_certificate_key /etc/ssl/private/push.example.org.key;",
                    "",
                ),
            ],
        );
        Ok(Self {
            balancer: servers::nginx(front, &configuration, &[]).await?,
            nodes,
            redis,
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(5))
                .build()?,
        })
    }

    /// As a publisher should: with an id of its own, and again until somebody has taken it.
    async fn publish(&self, channel: &str, number: usize) -> Result<()> {
        let message = format!(r#"{{"id":"{channel}-{number}","body":"message {number}"}}"#);
        let url = self.balancer.url(&format!("/pub/{channel}"));
        until(
            "the message to be taken",
            Duration::from_mins(1),
            async || {
                let request = self.client.post(&url).body(message.clone());
                let sent = request.send().await;
                Ok(sent
                    .is_ok_and(|answer| answer.status().is_success())
                    .then_some(()))
            },
        )
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_is_killed_while_messages_are_published() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let mut house = House::new().await?;
    for transport in &TRANSPORTS[..3] {
        let channel = format!("alerts_{transport:?}");
        let desk = desk();
        let url = house.balancer.url(&format!("/sub/{channel}"));
        let options = r#"{"mapping":{"id":"/id"}}"#;
        desk.add_account(as_ada(
            draft(&url, Some(*transport), options),
            "reads-all-1",
        ))
        .await;
        live(&desk).await;
        let mut sent = 0;
        for _ in 0..2 {
            for node in 0..2 {
                for _ in 0..10 {
                    house.publish(&channel, sent).await?;
                    sent += 1;
                }
                house.nodes[node].kill();
                // The other one has to take these.
                for _ in 0..10 {
                    house.publish(&channel, sent).await?;
                    sent += 1;
                }
                count(&desk, sent).await;
                house.nodes[node].again().await?;
            }
        }
        live(&desk).await;
        assert_eq!(
            desk.bodies().await,
            super::harness::numbered("message", sent),
            "{transport:?}"
        );
        desk.engine.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_killed_and_brings_everything_back() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let mut house = House::new().await?;
    let desk = desk();
    let url = house.balancer.url("/sub/alerts");
    let options = r#"{"mapping":{"id":"/id"}}"#;
    desk.add_account(as_ada(draft(&url, None, options), "reads-all-1"))
        .await;
    live(&desk).await;
    for number in 0..5 {
        house.publish("alerts", number).await?;
    }
    count(&desk, 5).await;
    desk.engine.stop().await;
    for number in 5..10 {
        house.publish("alerts", number).await?;
    }
    // The file is written every second.
    next_second().await;
    next_second().await;
    house.redis.kill();
    house.redis.again().await?;
    for number in 10..15 {
        house.publish("alerts", number).await?;
    }
    let desk = desk.restart().await;
    count(&desk, 15).await;
    live(&desk).await;
    // And over a connection that stays.
    house.redis.kill();
    house.redis.again().await?;
    for number in 15..20 {
        house.publish("alerts", number).await?;
    }
    count(&desk, 20).await;
    assert_eq!(desk.bodies().await, super::harness::numbered("message", 20));
    desk.engine.stop().await;
    Ok(())
}
