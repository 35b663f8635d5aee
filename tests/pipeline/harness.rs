//! An engine with a real store and real sockets beside a real server, on a clock that the test moves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidings_api::{
    AccountDraft, AccountView, BackendKind, ConnectionState, ConnectionView, ListQuery, Reply,
    Request, Row, SecretPlace, SignIn, Status, TransportKind,
};
use tidings_core::engine::{Engine, Parts};
use tidings_core::ports::Clock as _;
use tidings_core::settings::MandatesFile;
use tidings_core::testing::{FakeClock, FakeDesktop, MemorySecrets, RecordingNotifier};
use tidings_core::transport::Network;
use tidings_server::{Config, Publish, Server};

/// Real time that anything may take before a test gives up; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);
/// Fake time that passes between two looks.
const A_WHILE: Duration = Duration::from_millis(200);
/// The same for what depends on a server that is not on this clock.
const A_MOMENT: Duration = Duration::from_millis(20);
/// How often a waiting test looks again, and lets the fake clock reach the next deadline.
const LOOK: Duration = Duration::from_millis(2);

/// An engine, its surroundings, and a profile on disk.
pub struct Desk {
    pub engine: Engine,
    pub clock: FakeClock,
    pub notifier: Arc<RecordingNotifier>,
    pub secrets: Arc<MemorySecrets>,
    pub desktop: Arc<FakeDesktop>,
    profile: Arc<TempDir>,
}

impl Desk {
    /// A new profile, started.
    pub fn new(clock: &FakeClock) -> Self {
        let profile = Arc::new(tempfile::tempdir().expect("a folder for the profile"));
        Self::open(clock, profile, Arc::new(MemorySecrets::new()))
    }

    fn open(clock: &FakeClock, profile: Arc<TempDir>, secrets: Arc<MemorySecrets>) -> Self {
        let notifier = Arc::new(RecordingNotifier::new(Arc::new(clock.clone())));
        let desktop = Arc::new(FakeDesktop::new());
        let engine = Engine::open(Parts {
            profile: profile.path().to_owned(),
            cache: profile.path().join("cache"),
            clock: Arc::new(clock.clone()),
            notifier: Arc::clone(&notifier) as _,
            secrets: Arc::clone(&secrets) as _,
            desktop: Arc::clone(&desktop) as _,
            dial: Arc::new(Network::new(Arc::new(clock.clone())).expect("a network")),
            version: "test".to_owned(),
            device: "Tidings on a test".to_owned(),
            mandates: MandatesFile::default(),
        })
        .expect("the profile opens");
        engine.start();
        Self {
            engine,
            clock: clock.clone(),
            notifier,
            secrets,
            desktop,
            profile,
        }
    }

    /// Stops cleanly and starts again on the same profile, with an empty screen.
    pub async fn restart(self) -> Self {
        self.restart_after(std::future::ready(())).await
    }

    /// The same, and something happens while it does not run.
    pub async fn restart_after(self, meanwhile: impl Future<Output = ()>) -> Self {
        self.engine.stop().await;
        let Self {
            engine,
            clock,
            secrets,
            profile,
            ..
        } = self;
        drop(engine);
        meanwhile.await;
        Self::open(&clock, profile, secrets)
    }

    /// Ends without a word, as if it was killed: what was committed is all that is left. Starts again on that, with an
    /// empty screen, after something happened meanwhile.
    pub async fn kill(self, meanwhile: impl Future<Output = ()>) -> Self {
        let left = Arc::new(tempfile::tempdir().expect("a folder for the profile"));
        let copy = left.path().join("inbox.db");
        let copy = copy.to_str().expect("a path in words");
        rusqlite::Connection::open(self.database())
            .and_then(|db| db.execute("VACUUM INTO ?1", [copy]))
            .expect("what was committed is copied");
        self.engine.stop().await;
        meanwhile.await;
        Self::open(&self.clock, left, self.secrets)
    }

    /// The database as another process sees it.
    pub fn database(&self) -> std::path::PathBuf {
        self.profile.path().join("inbox.db")
    }

    pub async fn ask(&self, request: Request) -> Reply {
        self.engine.handle(request).await.expect("it is answered")
    }

    /// Adds an account that signs in by nothing.
    pub async fn add(&self, server: &Server, topics: &[&str]) -> AccountView {
        self.add_over(server, topics, None).await
    }

    pub async fn add_over(
        &self,
        server: &Server,
        topics: &[&str],
        transport: Option<TransportKind>,
    ) -> AccountView {
        self.add_at(&server.url(), topics, transport).await
    }

    pub async fn add_at(
        &self,
        url: &str,
        topics: &[&str],
        transport: Option<TransportKind>,
    ) -> AccountView {
        let draft = AccountDraft {
            options: String::new(),
            url: url.to_owned(),
            kind: Some(BackendKind::Ntfy),
            name: String::new(),
            topics: topics.iter().map(ToString::to_string).collect(),
            sign_in: SignIn::None,
            secret: None,
            secrets: SecretPlace::Memory,
            transport,
            allow_http: false,
            headers: Vec::new(),
            ..AccountDraft::default()
        };
        self.add_account(draft).await
    }

    pub async fn add_account(&self, draft: AccountDraft) -> AccountView {
        match self.ask(Request::AccountAdd(draft)).await {
            Reply::Account(account) => account,
            other => panic!("{other:?}"),
        }
    }

    /// The only account.
    pub async fn account(&self) -> AccountView {
        match self.ask(Request::Accounts).await {
            Reply::Accounts(mut accounts) => accounts.remove(0),
            other => panic!("{other:?}"),
        }
    }

    pub async fn status(&self) -> Status {
        match self.ask(Request::Status).await {
            Reply::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// Every row of the inbox, newest first.
    pub async fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut before = None;
        loop {
            let query = ListQuery {
                before,
                limit: 500,
                ..ListQuery::default()
            };
            let Reply::Page(page) = self.ask(Request::List(query)).await else {
                panic!("a list is a page");
            };
            rows.extend(page.rows);
            before = page.next;
            if before.is_none() {
                return rows;
            }
        }
    }

    /// Bodies in the inbox, sorted.
    pub async fn bodies(&self) -> Vec<String> {
        let mut bodies: Vec<_> = self.rows().await.into_iter().map(|r| r.preview).collect();
        bodies.sort();
        bodies
    }

    /// Waits until the status is as wanted. While a connection waits to be tried again, its time comes
    /// at once: nothing here lasts as long as it would.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Status) -> bool) {
        self.wait(what, wanted, |status| self.let_retry(status))
            .await;
    }

    /// The same, while time passes.
    pub async fn until_in_time(&self, what: &str, wanted: impl Fn(&Status) -> bool) {
        self.wait(what, wanted, |_| self.clock.advance(A_WHILE))
            .await;
    }

    /// The same, while time passes slowly: what a server sends at once comes before seconds have passed.
    pub async fn until_slowly(&self, what: &str, wanted: impl Fn(&Status) -> bool) {
        self.wait(what, wanted, |_| self.clock.advance(A_MOMENT))
            .await;
    }

    async fn wait(
        &self,
        what: &str,
        wanted: impl Fn(&Status) -> bool,
        meanwhile: impl Fn(&Status),
    ) {
        let mut hints = self.engine.hints();
        let waiting = async {
            loop {
                let status = self.status().await;
                if wanted(&status) {
                    return;
                }
                tokio::select! {
                    _ = hints.recv() => {}
                    () = look_again() => meanwhile(&status),
                }
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
            "{what}: {:#?}",
            self.status().await
        );
    }

    fn let_retry(&self, status: &Status) {
        let now = self.clock.now();
        let due = status.connections.iter().filter_map(|c| c.retry_at).min();
        if let Some(wait) = due.and_then(|due| Duration::try_from(due.duration_since(now)).ok()) {
            self.clock.advance(wait + Duration::from_millis(1));
        }
    }

    pub async fn until_live(&self) {
        self.until("all connections are live", all_live).await;
    }

    pub async fn until_count(&self, count: u64) {
        let what = format!("{count} notifications in the inbox");
        self.until(&what, |status| status.counts.all >= count).await;
    }

    /// Waits until so many toasts were shown.
    pub async fn until_shown(&self, count: usize) {
        let shown = tokio::time::timeout(PATIENCE, self.notifier.until_shown(count)).await;
        assert!(
            shown.is_ok(),
            "{count} toasts wanted: {:#?}",
            self.notifier.shown()
        );
    }

    /// Lets everything that is due now be shown, and a few seconds pass: what is over the limit is
    /// folded by then.
    pub async fn settle(&self) {
        for _ in 0..5 {
            self.clock.pass(Duration::from_secs(1)).await;
            for _ in 0..10 {
                look_again().await;
            }
        }
    }
}

pub fn all_live(status: &Status) -> bool {
    let live = |c: &ConnectionView| c.state == ConnectionState::Live;
    !status.connections.is_empty() && status.connections.iter().all(live)
}

/// A moment of real time, for threads and sockets to get on.
#[allow(
    clippy::disallowed_methods,
    reason = "sockets and threads live in real time; nothing is measured by it"
)]
pub async fn look_again() {
    tokio::time::sleep(LOOK).await;
}

/// A server whose messages carry the fake clock's time.
pub async fn server(clock: &FakeClock) -> Server {
    start(clock, None, 0).await
}

/// The same with a file for its messages and a fixed port, so that it can be started again.
pub async fn start(clock: &FakeClock, store: Option<&Path>, port: u16) -> Server {
    let config = Config {
        listen: ([127, 0, 0, 1], port).into(),
        store: store.map(Path::to_owned),
        ..Config::for_tests()
    };
    start_with(clock, config).await
}

/// The same with anything else set.
pub async fn start_with(clock: &FakeClock, config: Config) -> Server {
    let time = clock.clone();
    let config = Config {
        clock: Arc::new(move || time.now()),
        ..config
    };
    Server::start(config).await.expect("a server on loopback")
}

pub async fn publish(server: &Server, topic: &str, message: &str) {
    publish_as(server, topic, message, 0).await;
}

pub async fn publish_as(server: &Server, topic: &str, message: &str, priority: u8) {
    let publish = Publish {
        topic: topic.to_owned(),
        message: message.to_owned(),
        priority,
        ..Publish::default()
    };
    server.publish(publish).await.expect("it is published");
}

/// What `count` messages called `name 0`, `name 1`, … look like, sorted.
pub fn numbered(name: &str, count: usize) -> Vec<String> {
    let mut all: Vec<_> = (0..count).map(|n| format!("{name} {n}")).collect();
    all.sort();
    all
}
