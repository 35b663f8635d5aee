//! Publishers that are not ours: curl, and the apprise of `PyPI`, publish to our server as they would to
//! any ntfy server, and what they meant is in the inbox.

#[path = "../pipeline/harness.rs"]
#[expect(dead_code, reason = "the tests of outages use the rest of it")]
mod harness;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::Desk;
use support::{Result, python_package};
use tidings_api::{
    AccountDraft, BackendKind, Detail, Format, Reply, Request, Row, SecretPlace, SignIn, Tier,
};
use tidings_core::testing::FakeClock;
use tidings_server::{Access, Config, Permission, Server, User};

/// A fixed version, so that a failure comes from a change of ours.
const APPRISE: &str = "2.2.0";
/// May read and write everything; the inbox signs in as her.
const READER: (&str, &str) = ("ada", "reads-all-1");
/// May only write to `alerts`, by password or by token.
const WRITER: (&str, &str) = ("printer", "writes-2");
const TOKEN: &str = "tk_kq3vhd0m9xw2c7p5n8ra1f4jts6bz";

/// A server that nobody uses without an account, and an inbox that is subscribed to `alerts`.
struct House {
    server: Server,
    desk: Desk,
    home: tempfile::TempDir,
}

impl House {
    async fn new() -> Result<Self> {
        let clock = FakeClock::new();
        let time = clock.clone();
        let server = Server::start(Config {
            access: Access::only(vec![
                User::new(READER.0, READER.1, &[("*", Permission::ReadWrite)]),
                User::new(WRITER.0, WRITER.1, &[("alerts", Permission::Write)]).with_token(TOKEN),
            ]),
            clock: std::sync::Arc::new(move || tidings_core::ports::Clock::now(&time)),
            ..Config::for_tests()
        })
        .await?;
        let desk = Desk::new(&clock);
        desk.ask(Request::AccountAdd(AccountDraft {
            url: server.url(),
            kind: Some(BackendKind::Ntfy),
            name: String::new(),
            topics: vec!["alerts".to_owned()],
            sign_in: SignIn::Basic {
                user: READER.0.to_owned(),
            },
            secret: Some(tidings_api::Secret::new(READER.1)),
            secrets: SecretPlace::Memory,
            transport: None,
            allow_http: false,
            headers: Vec::new(),
            ..AccountDraft::default()
        }))
        .await;
        desk.until_live().await;
        Ok(Self {
            server,
            desk,
            home: tempfile::tempdir()?,
        })
    }

    /// Runs a publisher, with nothing of this machine's own settings and proxies.
    async fn run(&self, program: &Path, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .args(arguments);
        Ok(tokio::task::spawn_blocking(move || command.output()).await??)
    }

    async fn publish(&self, program: &Path, arguments: &[&str]) -> Result<()> {
        let output = self.run(program, arguments).await?;
        if output.status.success() {
            return Ok(());
        }
        let [said, complained] = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Err(format!("{arguments:?} failed: {said}{complained}").into())
    }

    async fn curl(&self, arguments: &[&str]) -> Result<()> {
        let always = ["--silent", "--show-error", "--fail"];
        self.publish(Path::new("curl"), &[&always, arguments].concat())
            .await
    }

    /// The newest notification, once there are `count`.
    async fn newest(&self, count: u64) -> Result<Detail> {
        self.desk.until_count(count).await;
        let rows = self.desk.rows().await;
        assert_eq!(rows.len() as u64, count, "each comes once: {rows:?}");
        let id = rows[0].id;
        match self.desk.ask(Request::Show { id }).await {
            Reply::Detail(detail) => Ok(*detail),
            other => Err(format!("{other:?}").into()),
        }
    }

    /// `ntfy://` with this sign-in, the address of the server, and what follows it.
    fn apprise_url(&self, sign_in: &str, rest: &str) -> String {
        format!("ntfy://{sign_in}@{}{rest}", self.server.addr())
    }
}

/// The apprise; `None` where it cannot be had, which is a failure in CI.
fn apprise() -> Result<Option<PathBuf>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../interop");
    let is_there = |programs: &Path| is_apprise(&programs.join("apprise"));
    let programs = python_package(&folder, "apprise", APPRISE, is_there)?;
    Ok(programs.map(|programs| programs.join("apprise")))
}

fn is_apprise(program: &Path) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).contains(&format!("v{APPRISE}"))
    })
}

/// What a reader sees first: title, text, priority.
fn gist(row: &Row) -> (&str, &str, u8) {
    (&row.title, &row.preview, row.priority)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_curl_publishes_is_in_the_inbox() -> Result<()> {
    let house = House::new().await?;
    let topic = format!("{}/alerts", house.server.url());
    let user = format!("{}:{}", WRITER.0, WRITER.1);

    house
        .curl(&["--user", &user, "--data", "the plainest", &topic])
        .await?;
    let plain = house.newest(1).await?;
    assert_eq!(gist(&plain.row), ("alerts", "the plainest", 3));
    assert_eq!(plain.row.tier, Tier::Important);

    let bearer = format!("Authorization: Bearer {TOKEN}");
    let headers = [
        &bearer,
        "Title: Disk full",
        "Priority: urgent",
        "Tags: warning,backup-7",
        "Click: https://disk.example/7",
    ];
    let mut arguments: Vec<&str> = headers.iter().flat_map(|text| ["--header", text]).collect();
    arguments.extend(["--request", "PUT", "--data-binary", "97 %\nused", &topic]);
    house.curl(&arguments).await?;
    let full = house.newest(2).await?;
    assert_eq!(gist(&full.row), ("Disk full", "97 % used", 5));
    assert_eq!(full.body, "97 %\nused");
    assert_eq!(full.row.tier, Tier::Critical);
    assert_eq!(full.row.emoji, "⚠️");
    assert_eq!(full.row.tags, ["backup-7"]);
    assert_eq!(full.url.as_deref(), Some("https://disk.example/7"));

    let json =
        r#"{"topic":"alerts","title":"As JSON","message":"ä → ☂","priority":2,"tags":["nas"]}"#;
    house
        .curl(&["--user", &user, "--json", json, &house.server.url()])
        .await?;
    let json = house.newest(3).await?;
    assert_eq!(gist(&json.row), ("As JSON", "ä → ☂", 2));
    assert_eq!(json.row.tags, ["nas"]);

    // Everything in the address, as from a bookmark or a web hook.
    let get = format!("{topic}/publish?message=by+address&title=T&p=4");
    house.curl(&["--user", &user, &get]).await?;
    assert_eq!(gist(&house.newest(4).await?.row), ("T", "by address", 4));

    let forbidden = format!("{}/other", house.server.url());
    for (sign_in, address) in [("printer:wrong", &topic), (&*user, &forbidden)] {
        let refused = house
            .curl(&["--user", sign_in, "--data", "no", address])
            .await
            .expect_err("the server refuses");
        let words = refused.to_string();
        assert!(words.contains("401") || words.contains("403"), "{words}");
    }
    assert_eq!(house.server.kept().await?, 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_apprise_publishes_is_in_the_inbox() -> Result<()> {
    let Some(apprise) = apprise()? else {
        return Ok(());
    };
    let house = House::new().await?;
    let basic = format!("{}:{}", WRITER.0, WRITER.1);

    let url = house.apprise_url(&basic, "/alerts");
    house
        .publish(&apprise, &["--body", "the plainest", &url])
        .await?;
    let plain = house.newest(1).await?;
    assert_eq!(gist(&plain.row), ("alerts", "the plainest", 3));

    let options = "/alerts?priority=max&tags=warning,backup-7&click=https://disk.example/7";
    let url = house.apprise_url(&basic, options);
    house
        .publish(
            &apprise,
            &["--title", "Disk full", "--body", "97 % → used", &url],
        )
        .await?;
    let full = house.newest(2).await?;
    assert_eq!(gist(&full.row), ("Disk full", "97 % → used", 5));
    assert_eq!(full.row.tier, Tier::Critical);
    assert_eq!(full.row.emoji, "⚠️");
    assert_eq!(full.row.tags, ["backup-7"]);
    assert_eq!(full.url.as_deref(), Some("https://disk.example/7"));

    // By token, in Markdown, of a kind that apprise draws an icon for.
    let url = house.apprise_url(TOKEN, "/alerts?auth=token&format=markdown&priority=low");
    let text = "**done** in [4 min](https://ci.example/4)";
    house
        .publish(
            &apprise,
            &[
                "--input-format",
                "markdown",
                "--notification-type",
                "success",
            ]
            .into_iter()
            .chain(["--title", "Backup", "--body", text, &url])
            .collect::<Vec<_>>(),
        )
        .await?;
    let marked = house.newest(3).await?;
    assert_eq!((&*marked.row.title, marked.row.priority), ("Backup", 2));
    assert_eq!(marked.format, Format::Markdown);
    assert!(marked.html.contains("<strong>done</strong>"), "{marked:?}");
    assert!(marked.raw.contains("\"icon\":\"https://"), "{}", marked.raw);
    let seen = house.server.log();
    let last = seen.iter().rev().find(|seen| seen.method == "POST");
    assert_eq!(
        last.and_then(|seen| seen.header("authorization")),
        Some(&*format!("Bearer {TOKEN}"))
    );

    // A wrong password is a failure that apprise sees.
    let url = house.apprise_url("printer:wrong", "/alerts");
    let refused = house.publish(&apprise, &["--body", "no", &url]).await;
    assert!(refused.is_err(), "apprise must be told");
    assert_eq!(house.server.kept().await?, 3);
    Ok(())
}
