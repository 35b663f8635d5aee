//! A hub that is not ours: the flask-mercure-sse of `PyPI`, installed and started by the test, on loopback.

#[path = "../pipeline/harness.rs"]
#[expect(dead_code, reason = "the tests of outages use the rest of it")]
mod harness;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::{Desk, numbered};
use support::{Result, python_package};
use tidings_api::{
    AccountDraft, BackendKind, ConnectionState, HopResult, Reply, Request, SecretPlace, SignIn,
};
use tidings_core::testing::FakeClock;

/// A fixed version, so that a failure comes from a change of ours.
const VERSION: &str = "0.4.1";
const TOPIC: &str = "https://ex.test/users/42/notifications";
const OTHER: &str = "https://ex.test/users/42/mail";
/// Real time for the hub to start.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often the clock is moved on.
const TICK: Duration = Duration::from_millis(50);

/// A Python that has the hub; `None` where it cannot be had, which is a failure in CI.
fn python() -> Result<Option<PathBuf>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../interop");
    let is_there = |programs: &Path| has_hub(&programs.join("python"));
    let programs = python_package(&folder, "flask-mercure-sse", VERSION, is_there)?;
    Ok(programs.map(|programs| programs.join("python")))
}

fn has_hub(python: &Path) -> bool {
    let version = Command::new(python)
        .args([
            "-c",
            "from importlib.metadata import version; print(version('flask-mercure-sse'))",
        ])
        .output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == VERSION)
}

/// The running hub, and how to sign in at it.
struct Hub {
    child: Child,
    python: PathBuf,
    port: u16,
    publisher: String,
    subscriber: String,
    home: tempfile::TempDir,
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SECRET: &str = "a secret of thirty-two characters";

impl Hub {
    async fn start(python: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let home = tempfile::tempdir()?;
        let token = |claims: &str| -> Result<String> {
            let program = format!(
                "import jwt; print(jwt.encode({{'mercure': {claims}}}, '{SECRET}', algorithm='HS256'))"
            );
            let output = Command::new(python).args(["-c", &program]).output()?;
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        let hub = Self {
            child: Self::run(python, port, home.path())?,
            python: python.to_owned(),
            port,
            publisher: token("{'publish': ['*']}")?,
            subscriber: token("{'subscribe': ['https://ex.test/users/42/*']}")?,
            home,
        };
        hub.until_up().await?;
        Ok(hub)
    }

    fn run(python: &Path, port: u16, home: &Path) -> Result<Child> {
        // Without its events about subscriptions: they would take the place of what is kept.
        Ok(Command::new(python)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .current_dir(home)
            .args(["-m", "flask_mercure_sse.server", "--host", "127.0.0.1"])
            .args(["--port", &port.to_string(), "--no-subscriptions"])
            .args(["--publisher-secret", SECRET, "--subscriber-secret", SECRET])
            .arg("--no-allow-anonymous")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?)
    }

    async fn until_up(&self) -> Result<()> {
        support::until("the hub to listen", PATIENCE, async || {
            let address = ("127.0.0.1", self.port);
            Ok(tokio::net::TcpStream::connect(address).await.ok().map(drop))
        })
        .await
    }

    /// Ends it in the middle of everything, and starts it again. It keeps nothing on disk.
    async fn restart(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = Self::run(&self.python, self.port, self.home.path())?;
        self.until_up().await
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Publishes as other programs do.
    async fn publish(&self, topic: &str, data: &str, more: &[&str]) -> Result<String> {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--fail", "--noproxy", "*"])
            .args([
                "--header",
                &format!("Authorization: Bearer {}", self.publisher),
            ])
            .args(["--data-urlencode", &format!("topic={topic}")])
            .args(["--data-urlencode", &format!("data={data}")])
            .args(more.iter().flat_map(|field| ["--data-urlencode", field]))
            .arg(format!("{}/.well-known/mercure", self.url()));
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }

    fn draft(&self, topics: &[&str]) -> AccountDraft {
        AccountDraft {
            url: self.url(),
            kind: None,
            name: String::new(),
            topics: topics.iter().map(ToString::to_string).collect(),
            sign_in: SignIn::Token,
            secret: Some(tidings_api::Secret::new(&*self.subscriber)),
            secrets: SecretPlace::Memory,
            transport: None,
            allow_http: false,
            headers: Vec::new(),
            options: String::new(),
            ..AccountDraft::default()
        }
    }
}

/// A clock that goes as fast as the hub's: it holds its answers back until its first event, or a ping every
/// fifteen seconds.
struct Time {
    clock: FakeClock,
    ticking: tokio::task::JoinHandle<()>,
}

impl Time {
    fn passing() -> Self {
        let clock = FakeClock::new();
        let hand = clock.clone();
        let ticking = tokio::spawn(async move {
            loop {
                tick().await;
                hand.advance(TICK);
            }
        });
        Self { clock, ticking }
    }
}

impl Drop for Time {
    fn drop(&mut self) {
        self.ticking.abort();
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the hub lives in real time; nothing is measured by it"
)]
async fn tick() {
    tokio::time::sleep(TICK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_is_found_signed_in_to_and_heard() -> Result<()> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let hub = Hub::start(&python).await?;
    let time = Time::passing();
    let desk = Desk::new(&time.clock);
    let Reply::Account(account) = desk
        .ask(Request::AccountAdd(hub.draft(&[TOPIC, OTHER])))
        .await
    else {
        return Err("an account".into());
    };
    assert_eq!(account.kind, BackendKind::Mercure);
    assert_eq!(account.url, format!("{}/.well-known/mercure", hub.url()));

    hub.publish(
        TOPIC,
        r#"{"title":"Build failed","priority":"urgent"}"#,
        &[],
    )
    .await?;
    desk.until_count(1).await;
    desk.until_live().await;
    hub.publish(
        OTHER,
        &format!("{{\"topic\":\"{OTHER}\",\"message\":\"mail\"}}"),
        &["private=on"],
    )
    .await?;
    hub.publish(
        TOPIC,
        "line1\nline2",
        &["type=alert", "id=urn:uuid:my-1", "retry=5000"],
    )
    .await?;
    desk.until_count(3).await;
    let mut rows = desk.rows().await;
    rows.sort_by_key(|row| row.id);
    let gist: Vec<_> = rows
        .iter()
        .map(|row| (&*row.title, &*row.preview))
        .collect();
    assert_eq!(gist[0].0, "Build failed");
    assert_eq!((rows[0].priority, gist[1].1), (5, "mail"));
    assert_eq!(gist[2], ("line1", "line2"));
    assert_ne!(rows[0].subscription, rows[1].subscription);
    desk.engine.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused_and_said_to_be() -> Result<()> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let hub = Hub::start(&python).await?;
    let time = Time::passing();
    let desk = Desk::new(&time.clock);
    let wrong = AccountDraft {
        kind: Some(BackendKind::Mercure),
        secret: Some(tidings_api::Secret::new("no.such.token")),
        ..hub.draft(&[TOPIC])
    };
    let Reply::Test(report) = desk.ask(Request::AccountTry(wrong.clone())).await else {
        return Err("a report".into());
    };
    let hop = report
        .hops
        .iter()
        .find(|hop| hop.result == HopResult::Failed);
    assert!(!report.ok && hop.is_some(), "{report:?}");
    desk.ask(Request::AccountAdd(wrong)).await;
    desk.until("it stops", |status| {
        status.connections[0].state == ConnectionState::Stopped
    })
    .await;
    let problem = desk.status().await.connections.remove(0).problem;
    assert!(problem.contains("token"), "{problem}");
    desk.engine.stop().await;
    Ok(())
}

/// It queues five events for a subscriber and forgets the one who has more, without a word; its history is in
/// memory. Nothing that it held when it was asked is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_comes_although_the_hub_sends_five_at_a_time() -> Result<()> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut hub = Hub::start(&python).await?;
    let time = Time::passing();
    let desk = Desk::new(&time.clock);
    desk.ask(Request::AccountAdd(hub.draft(&[TOPIC]))).await;
    hub.publish(TOPIC, "message 0", &[]).await?;
    desk.until_count(1).await;
    desk.engine.stop().await;
    for number in 1..24 {
        hub.publish(TOPIC, &format!("message {number}"), &[])
            .await?;
    }
    let desk = desk.restart().await;
    desk.until_count(24).await;
    assert_eq!(desk.bodies().await, numbered("message", 24));

    hub.restart().await?;
    for number in 24..30 {
        hub.publish(TOPIC, &format!("message {number}"), &[])
            .await?;
    }
    desk.until_count(30).await;
    assert_eq!(desk.bodies().await, numbered("message", 30));
    desk.engine.stop().await;
    Ok(())
}
