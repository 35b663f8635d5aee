//! kill -9 at any instant: nothing committed is lost, nothing the server still holds is missing after the
//! next start, and nothing rings twice.

use crate::harness::numbered;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{Timestamp, tz::TimeZone};
use tidings_api::{AccountDraft, BackendKind, ListQuery, Reply, Request, SecretPlace, SignIn};
use tidings_core::engine::{Engine, Parts};
use tidings_core::ports::{Clock, Later, Notifier, NotifierError, Toast, ToastEvent, ToastKey};
use tidings_core::settings::MandatesFile;
use tidings_core::testing::{FakeDesktop, MemorySecrets};
use tidings_core::transport::Network;
use tidings_server::{Config, Publish, Server};

/// Tells a process that it is the one to be killed: the folder of its profile.
const PROFILE: &str = "TIDINGS_KILL_PROFILE";
/// Its server.
const SERVER: &str = "TIDINGS_KILL_SERVER";
/// How often it is killed.
const KILLS: u32 = 100;
/// Messages published meanwhile, for each kill.
const MESSAGES: usize = 12;
/// Real time for the last start to catch up.
const PATIENCE: Duration = Duration::from_mins(1);

/// Real time: a killed process cannot be on a fake clock.
struct RealClock(Instant);

#[allow(
    clippy::disallowed_methods,
    reason = "the process that is killed lives in real time"
)]
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }

    fn awake(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) -> Later<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn sleep_until(&self, at: Timestamp) -> Later<'static, ()> {
        let time = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        Box::pin(tokio::time::sleep(time))
    }

    fn chance(&self) -> f64 {
        // Reconnect at once: the test is about being killed, not about waiting.
        0.0
    }
}

#[allow(clippy::disallowed_methods, reason = "see RealClock")]
fn real_clock() -> Arc<RealClock> {
    Arc::new(RealClock(Instant::now()))
}

/// Writes every toast to a file before it says that it was shown.
struct FileNotifier(Mutex<File>);

impl Notifier for FileNotifier {
    fn show(&self, toast: Toast) -> Later<'_, Result<(), NotifierError>> {
        let line =
            serde_json::json!({ "key": toast.key.0, "body": toast.body, "title": toast.title });
        let mut file = self.0.lock().unwrap();
        // One write call, so that a kill leaves a whole line or none.
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
        Box::pin(std::future::ready(Ok(())))
    }

    fn withdraw(&self, _: ToastKey) -> Later<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn event(&self) -> Later<'_, ToastEvent> {
        Box::pin(std::future::pending())
    }
}

fn engine(profile: &Path) -> Engine {
    let clock = real_clock();
    let toasts = OpenOptions::new()
        .create(true)
        .append(true)
        .open(toast_log(profile))
        .unwrap();
    Engine::open(Parts {
        profile: profile.to_owned(),
        cache: profile.join("cache"),
        clock: Arc::clone(&clock) as _,
        notifier: Arc::new(FileNotifier(Mutex::new(toasts))),
        secrets: Arc::new(MemorySecrets::new()),
        desktop: Arc::new(FakeDesktop::new()),
        dial: Arc::new(Network::new(clock).unwrap()),
        version: "test".to_owned(),
        device: "Tidings on a test".to_owned(),
        mandates: MandatesFile::default(),
    })
    .expect("the profile opens, however it was left")
}

fn toast_log(profile: &Path) -> PathBuf {
    profile.join("toasts.ndjson")
}

/// The process that is killed. Without its environment it is a test that has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let (Some(profile), Ok(server)) = (std::env::var_os(PROFILE), std::env::var(SERVER)) else {
        return;
    };
    let engine = engine(Path::new(&profile));
    engine.start();
    if accounts(&engine).await == 0 {
        add(&engine, &server).await;
    }
    std::future::pending::<()>().await;
}

async fn accounts(engine: &Engine) -> usize {
    match engine.handle(Request::Accounts).await {
        Ok(Reply::Accounts(accounts)) => accounts.len(),
        other => panic!("{other:?}"),
    }
}

async fn add(engine: &Engine, url: &str) {
    let draft = AccountDraft {
        options: String::new(),
        url: url.to_owned(),
        kind: Some(BackendKind::Ntfy),
        name: String::new(),
        topics: vec!["alerts".to_owned()],
        sign_in: SignIn::None,
        secret: None,
        secrets: SecretPlace::Memory,
        transport: None,
        allow_http: false,
        headers: Vec::new(),
        ..AccountDraft::default()
    };
    engine.handle(Request::AccountAdd(draft)).await.unwrap();
}

fn start_victim(profile: &Path, server: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::victim", "--nocapture"])
        .env(PROFILE, profile)
        .env(SERVER, server)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn all_bodies(engine: &Engine) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut before = None;
    loop {
        let query = ListQuery {
            before,
            limit: 500,
            ..ListQuery::default()
        };
        let Ok(Reply::Page(page)) = engine.handle(Request::List(query)).await else {
            panic!("a page");
        };
        bodies.extend(page.rows.into_iter().map(|row| row.preview));
        before = page.next;
        if before.is_none() {
            bodies.sort();
            return bodies;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(
    clippy::disallowed_methods,
    reason = "the kill comes after a random piece of real time; nothing is measured by it"
)]
async fn killed_a_hundred_times_in_a_burst() {
    let profile = tempfile::tempdir().unwrap();
    let server = Server::start(Config::for_tests()).await.unwrap();
    // Added before the first kill, so that there is something to be killed in.
    let first = engine(profile.path());
    add(&first, &server.url()).await;
    first.stop().await;
    drop(first);

    let mut sent = 0;
    let mut stored = 0;
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..KILLS {
        let mut victim = start_victim(profile.path(), &server.url());
        // xorshift (Marsaglia 2003): the same instants in every run, as far as real time allows.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let pause = Duration::from_micros(seed % 8_000);
        for _ in 0..MESSAGES {
            let publish = Publish {
                topic: "alerts".to_owned(),
                message: format!("message {sent}"),
                ..Publish::default()
            };
            server.publish(publish).await.unwrap();
            sent += 1;
            tokio::time::sleep(pause).await;
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        let now = rows(profile.path());
        assert!(now >= stored, "{now} rows after {stored}");
        stored = now;
    }
    assert!(stored > 0, "the victims lived long enough to receive");

    let last = engine(profile.path());
    last.start();
    let all = numbered("message", sent);
    let deadline = Instant::now() + PATIENCE;
    let mut hints = last.hints();
    while all_bodies(&last).await != all {
        assert!(Instant::now() < deadline, "some are missing or there twice");
        drop(tokio::time::timeout(Duration::from_secs(1), hints.recv()).await);
    }
    last.stop().await;
    assert_each_rang_once(profile.path());
}

/// Rows on disk, read as another process would.
fn rows(profile: &Path) -> i64 {
    let path = profile.join("inbox.db");
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row("SELECT count(*) FROM notification", [], |row| row.get(0))
        .unwrap()
}

fn assert_each_rang_once(profile: &Path) {
    let mut rang = BTreeMap::<String, Vec<i64>>::new();
    for line in fs::read_to_string(toast_log(profile)).unwrap().lines() {
        let toast: serde_json::Value = serde_json::from_str(line).expect("whole lines");
        let body = toast["body"].as_str().unwrap().to_owned();
        if body.starts_with("message ") && !body.contains('\n') {
            rang.entry(body)
                .or_default()
                .push(toast["key"].as_i64().unwrap());
        }
    }
    assert!(!rang.is_empty(), "some rang singly");
    for (message, toasts) in rang {
        assert_eq!(toasts.len(), 1, "{message} rang in toasts {toasts:?}");
    }
}
