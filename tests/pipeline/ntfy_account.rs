//! An account on an ntfy server: of a password only a token is left, subscriptions are kept in step both ways, and
//! what the server allows is said.

use crate::harness::{Desk, all_live, numbered, publish};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidings_api::{
    AccountDraft, AccountEdit, AccountView, BackendKind, ConnectionState, ErrorCode, Outgoing,
    Reply, Request, Secret, SecretPlace, SignIn, SubscriptionEdit, SubscriptionView, TransportKind,
};
use tidings_core::ports::Clock as _;
use tidings_core::testing::FakeClock;
use tidings_server::{Access, Config, Limits, Permission, Publish, Server, User};

const PASSWORD: &str = "correct horse";

fn config(clock: &FakeClock) -> Config {
    let time = clock.clone();
    Config {
        access: Access::only(vec![User::new(
            "phil",
            PASSWORD,
            &[("*", Permission::ReadWrite)],
        )]),
        clock: Arc::new(move || time.now()),
        ..Config::for_tests()
    }
}

async fn start(config: Config) -> Server {
    Server::start(config).await.expect("a server on loopback")
}

fn kept(clock: &FakeClock, store: &Path, port: u16) -> Config {
    Config {
        listen: ([127, 0, 0, 1], port).into(),
        store: Some(store.to_owned()),
        ..config(clock)
    }
}

fn phil() -> SignIn {
    SignIn::Basic {
        user: "phil".to_owned(),
    }
}

fn draft(server: &Server, topics: &[&str]) -> AccountDraft {
    AccountDraft {
        url: server.url(),
        kind: Some(BackendKind::Ntfy),
        topics: topics.iter().map(ToString::to_string).collect(),
        sign_in: phil(),
        secret: Some(Secret::new(PASSWORD.to_owned())),
        secrets: SecretPlace::Memory,
        ..AccountDraft::default()
    }
}

async fn join(desk: &Desk, server: &Server, topics: &[&str]) -> AccountView {
    let account = desk.add_account(draft(server, topics)).await;
    desk.until_live().await;
    account
}

/// Another program that its user signed in to.
struct Phone {
    url: String,
    client: reqwest::Client,
}

impl Phone {
    fn new(server: &Server) -> Self {
        Self {
            url: server.url(),
            client: reqwest::Client::new(),
        }
    }

    async fn ask(&self, method: reqwest::Method, page: &str, body: String) -> serde_json::Value {
        let answer = self
            .client
            .request(method, format!("{}/v1/account{page}", self.url))
            .basic_auth("phil", Some(PASSWORD))
            .body(body)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
        serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON")
    }

    async fn account(&self) -> serde_json::Value {
        self.ask(reqwest::Method::GET, "", String::new()).await
    }

    /// Topics with their names, sorted.
    async fn subscriptions(&self) -> Vec<(String, String)> {
        let account = self.account().await;
        let text = |one: &serde_json::Value, member: &str| {
            one[member].as_str().unwrap_or_default().to_owned()
        };
        let mut all: Vec<_> = account["subscriptions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| (text(one, "topic"), text(one, "display_name")))
            .collect();
        all.sort();
        all
    }

    async fn change(&self, method: reqwest::Method, topic: &str, name: &str) {
        let body = serde_json::json!({
            "base_url": self.url,
            "topic": topic,
            "display_name": name,
        });
        self.ask(method, "/subscription", body.to_string()).await;
    }

    async fn add(&self, topic: &str, name: &str) {
        self.change(reqwest::Method::POST, topic, name).await;
    }

    async fn rename(&self, topic: &str, name: &str) {
        self.change(reqwest::Method::PATCH, topic, name).await;
    }

    async fn remove(&self, topic: &str) {
        let page = format!("/subscription?baseurl={}&topic={topic}", self.url);
        self.ask(reqwest::Method::DELETE, &page, String::new())
            .await;
    }

    /// Waits until the server's list is this one.
    async fn until(&self, desk: &Desk, wanted: &[(&str, &str)]) {
        for _ in 0..2000 {
            let all = self.subscriptions().await;
            let is_it = all.len() == wanted.len()
                && all
                    .iter()
                    .zip(wanted)
                    .all(|((a, b), (c, d))| (a.as_str(), b.as_str()) == (*c, *d));
            if is_it {
                return;
            }
            desk.clock.advance(Duration::from_millis(20));
            crate::harness::look_again().await;
        }
        panic!("{wanted:?}: {:?}", self.subscriptions().await);
    }
}

/// Waits until the account's subscriptions are as wanted.
async fn until(desk: &Desk, what: &str, wanted: impl Fn(&[SubscriptionView]) -> bool) {
    for _ in 0..2000 {
        if wanted(&desk.account().await.subscriptions) {
            return;
        }
        desk.clock.advance(Duration::from_millis(20));
        crate::harness::look_again().await;
    }
    panic!("{what}: {:#?}", desk.account().await);
}

fn names(all: &[SubscriptionView]) -> Vec<&str> {
    all.iter()
        .filter(|one| !one.off)
        .map(|one| one.name.as_str())
        .collect()
}

async fn find(desk: &Desk, topic: &str) -> SubscriptionView {
    let account = desk.account().await;
    let mut all = account.subscriptions.into_iter();
    all.find(|one| one.topic == topic).expect("it is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_password_only_a_token_is_left_and_it_goes_with_the_account() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let desk = Desk::new(&clock);
    let account = join(&desk, &server, &["alerts"]).await;
    assert_eq!(account.sign_in, SignIn::Token);
    let credential = desk
        .secrets
        .kept(SecretPlace::Memory, account.id)
        .expect("a token");
    let token = credential.secret.expect("a token");
    assert!(token.starts_with("tk_"));
    assert!(server.knows_token(&token));
    let tokens = Phone::new(&server).account().await["tokens"].clone();
    assert_eq!(tokens[0]["label"], "Tidings on a test");
    assert_eq!(tokens[0]["expires"], 0, "it does not expire");
    publish(&server, "alerts", "message 0").await;
    desk.until_count(1).await;
    // A new password makes a new token, and the old one is no good any more.
    let edit = AccountEdit {
        sign_in: Some(phil()),
        secret: Some(Secret::new(PASSWORD.to_owned())),
        ..AccountEdit::default()
    };
    desk.ask(Request::AccountEdit {
        id: account.id,
        edit,
    })
    .await;
    let second = desk.secrets.kept(SecretPlace::Memory, account.id);
    let second = second.and_then(|kept| kept.secret).expect("a token");
    assert_ne!(second, token);
    desk.until("the first token is revoked", |_| {
        !server.knows_token(&token)
    })
    .await;
    desk.until_live().await;
    desk.ask(Request::AccountRemove { id: account.id }).await;
    desk.until("the second token is revoked", |_| {
        !server.knows_token(&second)
    })
    .await;
    assert_eq!(desk.secrets.kept(SecretPlace::Memory, account.id), None);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_adds_nothing() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let desk = Desk::new(&clock);
    let draft = AccountDraft {
        secret: Some(Secret::new("wrong".to_owned())),
        ..draft(&server, &["alerts"])
    };
    let try_it = Request::AccountTry(AccountDraft {
        topics: Vec::new(),
        ..draft.clone()
    });
    let Reply::Test(report) = desk.ask(try_it).await else {
        panic!("a report");
    };
    assert!(
        !report.ok,
        "also where there is no topic to try: {report:#?}"
    );
    let refused = desk.engine.handle(Request::AccountAdd(draft)).await;
    assert_eq!(refused.expect_err("refused").code, ErrorCode::Unauthorized);
    assert_eq!(desk.status().await.connections, []);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_accounts_keeps_the_password() {
    let clock = FakeClock::new();
    let server = start(Config {
        access: Access::default(),
        ..config(&clock)
    })
    .await;
    let desk = Desk::new(&clock);
    let account = join(&desk, &server, &["alerts"]).await;
    assert_eq!(account.sign_in, phil());
    publish(&server, "alerts", "message 0").await;
    desk.until_count(1).await;
    assert_eq!(names(&desk.account().await.subscriptions), ["alerts"]);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_is_asked_for_once() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let desk = Desk::new(&clock);
    let account = join(&desk, &server, &["alerts"]).await;
    let token = desk.secrets.kept(SecretPlace::Memory, account.id);
    let token = token.and_then(|kept| kept.secret).expect("a token");
    let phone = Phone::new(&server);
    let page = format!("/token?token={token}");
    phone
        .ask(reqwest::Method::DELETE, &page, String::new())
        .await;
    server.drop_connections();
    desk.until("it stops and asks", |status| {
        status.connections[0].state == ConnectionState::Stopped
    })
    .await;
    let asked = server.log().len();
    clock.pass(Duration::from_hours(2)).await;
    assert_eq!(
        server.log().len(),
        asked,
        "a wrong token is not tried again"
    );
    assert!(!desk.status().await.connections[0].problem.is_empty());
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_account_has_is_here_and_stays_in_step_live() {
    for transport in [
        TransportKind::Websocket,
        TransportKind::HttpStream,
        TransportKind::Sse,
    ] {
        let clock = FakeClock::new();
        let server = start(config(&clock)).await;
        let phone = Phone::new(&server);
        phone.add("backup", "Night backup").await;
        let desk = Desk::new(&clock);
        // Not a single topic was entered.
        desk.add_account(AccountDraft {
            transport: Some(transport),
            ..draft(&server, &[])
        })
        .await;
        desk.until_live().await;
        until(&desk, "it came with the account", |all| {
            names(all) == ["Night backup"]
        })
        .await;
        phone.add("door", "").await;
        until(&desk, "it came live", |all| {
            names(all) == ["Night backup", "door"]
        })
        .await;
        desk.until_live().await;
        publish(&server, "door", "message 0").await;
        desk.until_count(1).await;
        phone.rename("door", "Front door").await;
        until(&desk, "it was renamed", |all| {
            names(all) == ["Night backup", "Front door"]
        })
        .await;
        phone.remove("door").await;
        until(&desk, "it was turned off", |all| {
            names(all) == ["Night backup"]
        })
        .await;
        let off = find(&desk, "door").await;
        assert!(off.off && off.problem.contains("removed"), "{off:?}");
        assert_eq!(desk.bodies().await, numbered("message", 1), "history stays");
        // It comes back where it was.
        phone.add("door", "Front door").await;
        until(&desk, "it is back", |all| {
            names(all) == ["Night backup", "Front door"]
        })
        .await;
        publish(&server, "door", "message 1").await;
        desk.until_count(2).await;
        assert_eq!(desk.bodies().await, numbered("message", 2));
        let rows = desk.rows().await;
        assert!(
            rows.iter().all(|row| row.topic == "door"),
            "the account's own topic is no subscription: {rows:?}"
        );
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_changed_here_is_changed_on_the_server_and_on_another_desktop() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let phone = Phone::new(&server);
    let desk = Desk::new(&clock);
    let account = join(&desk, &server, &["alerts"]).await;
    phone.until(&desk, &[("alerts", "")]).await;
    let other = Desk::new(&clock);
    other.add_account(draft(&server, &[])).await;
    until(&other, "the other desktop has it", |all| {
        names(all) == ["alerts"]
    })
    .await;
    desk.ask(Request::SubscriptionAdd {
        account: account.id,
        topic: "garden".to_owned(),
    })
    .await;
    phone.until(&desk, &[("alerts", ""), ("garden", "")]).await;
    until(&other, "it came to the other desktop", |all| {
        names(all) == ["alerts", "garden"]
    })
    .await;
    let name = |name: &str| SubscriptionEdit {
        name: Some(name.to_owned()),
        ..SubscriptionEdit::default()
    };
    let id = find(&desk, "garden").await.id;
    desk.ask(Request::SubscriptionEdit {
        id,
        edit: name("Motion"),
    })
    .await;
    until(&other, "so did its name", |all| {
        names(all) == ["alerts", "Motion"]
    })
    .await;
    // The other one's name wins once it is newer, and none takes it back.
    let id = find(&other, "garden").await.id;
    other
        .ask(Request::SubscriptionEdit {
            id,
            edit: name("Camera"),
        })
        .await;
    until(&desk, "the newer name is here", |all| {
        names(all) == ["alerts", "Camera"]
    })
    .await;
    let id = find(&desk, "alerts").await.id;
    desk.ask(Request::SubscriptionRemove { id, forget: true })
        .await;
    phone.until(&desk, &[("garden", "Camera")]).await;
    until(&other, "it was left there", |all| names(all) == ["Camera"]).await;
    // It does not come back with the next connection.
    server.drop_connections();
    desk.until_live().await;
    assert_eq!(names(&desk.account().await.subscriptions), ["Camera"]);
    assert_eq!(phone.subscriptions().await.len(), 1);
    desk.engine.stop().await;
    other.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_made_while_away_are_told_later_in_order() {
    let clock = FakeClock::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("server.db");
    let server = start(kept(&clock, &store, 0)).await;
    let port = server.addr().port();
    let phone = Phone::new(&server);
    let desk = Desk::new(&clock);
    let account = join(&desk, &server, &["alerts", "backup"]).await;
    phone.until(&desk, &[("alerts", ""), ("backup", "")]).await;
    // Seen there: from now on a change is one of the account.
    server.drop_connections();
    desk.until("it is noticed", |status| !all_live(status))
        .await;
    desk.until_live().await;
    server.stop().await;
    desk.until_in_time("the loss is noticed", |status| !all_live(status))
        .await;
    let id = find(&desk, "alerts").await.id;
    desk.ask(Request::SubscriptionEdit {
        id,
        edit: SubscriptionEdit {
            name: Some("Alarm".to_owned()),
            ..SubscriptionEdit::default()
        },
    })
    .await;
    let id = find(&desk, "backup").await.id;
    desk.ask(Request::SubscriptionRemove { id, forget: false })
        .await;
    desk.ask(Request::SubscriptionAdd {
        account: account.id,
        topic: "garden".to_owned(),
    })
    .await;
    let desk = desk.restart().await;
    let server = start(kept(&clock, &store, port)).await;
    let phone = Phone::new(&server);
    desk.until_in_time("all is live", all_live).await;
    phone
        .until(&desk, &[("alerts", "Alarm"), ("garden", "")])
        .await;
    let mut told: Vec<_> = server
        .log()
        .into_iter()
        .filter(|seen| seen.path == "/v1/account/subscription")
        .map(|seen| seen.method)
        .collect();
    // A list from before it was told has it told once more, which changes nothing.
    told.dedup();
    assert_eq!(told, ["PATCH", "DELETE", "POST"]);
    until(&desk, "nothing came back", |all| {
        names(all) == ["Alarm", "garden"]
    })
    .await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_kept_apart_stays_so() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let phone = Phone::new(&server);
    phone.add("backup", "").await;
    let desk = Desk::new(&clock);
    let account = desk
        .add_account(AccountDraft {
            options: "{\"subscriptions\":\"apart\"}".to_owned(),
            ..draft(&server, &["alerts"])
        })
        .await;
    desk.until_live().await;
    phone.add("door", "").await;
    publish(&server, "alerts", "message 0").await;
    desk.until_count(1).await;
    assert_eq!(names(&desk.account().await.subscriptions), ["alerts"]);
    assert_eq!(phone.subscriptions().await.len(), 2);
    // Switched on, both have all.
    let edit = AccountEdit {
        options: Some("{\"subscriptions\":\"in_step\"}".to_owned()),
        ..AccountEdit::default()
    };
    desk.ask(Request::AccountEdit {
        id: account.id,
        edit,
    })
    .await;
    until(&desk, "they came", |all| all.len() == 3).await;
    let all = [("alerts", ""), ("backup", ""), ("door", "")];
    phone.until(&desk, &all).await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_polled_is_looked_at_now_and_then() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let phone = Phone::new(&server);
    let desk = Desk::new(&clock);
    desk.add_account(AccountDraft {
        transport: Some(TransportKind::Poll),
        ..draft(&server, &["alerts"])
    })
    .await;
    desk.until_live().await;
    phone.until(&desk, &[("alerts", "")]).await;
    phone.add("door", "").await;
    desk.until_in_time("it came with a look", |_| {
        let account = server.log().into_iter();
        account
            .filter(|seen| seen.path == "/v1/account" && seen.method == "GET")
            .filter(|seen| {
                seen.header("authorization")
                    .is_some_and(|value| value.starts_with("Bearer"))
            })
            .count()
            >= 2
    })
    .await;
    until(&desk, "it is here", |all| names(all) == ["alerts", "door"]).await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_allows_is_said_and_asked_once_a_connection() {
    for signed_in in [true, false] {
        let clock = FakeClock::new();
        let mut config = config(&clock);
        config.limits = Limits {
            messages: Some(2),
            ..config.limits
        };
        if !signed_in {
            config.access = Access::default();
        }
        let server = start(config).await;
        let desk = Desk::new(&clock);
        let draft = AccountDraft {
            sign_in: if signed_in { phil() } else { SignIn::None },
            secret: signed_in.then(|| Secret::new(PASSWORD.to_owned())),
            ..draft(&server, &["alerts"])
        };
        let account = desk.add_account(draft).await;
        desk.until_in_time("the server said", |status| {
            status.connections[0].quota.is_some()
        })
        .await;
        let quota = desk.account().await.connection.quota.expect("a quota");
        assert_eq!((quota.messages, quota.messages_left), (Some(2), Some(2)));
        assert_eq!(quota.file_size, Some(0));
        assert!(quota.says.starts_with("2 of 2 messages left"), "{quota:?}");
        let send = |body: &str| {
            Request::Send(Outgoing {
                account: account.id.to_string(),
                topic: "alerts".to_owned(),
                title: String::new(),
                priority: None,
                tags: Vec::new(),
                body: body.to_owned(),
                at: String::new(),
                attach: String::new(),
            })
        };
        desk.ask(send("message 0")).await;
        desk.ask(send("message 1")).await;
        let refused = desk.engine.handle(send("message 2")).await;
        let refused = refused.expect_err("the day is full");
        assert!(refused.message.contains("midnight"), "{refused:?}");
        let Reply::Test(report) = desk.ask(Request::AccountTest { id: account.id }).await else {
            panic!("a report");
        };
        let said = report
            .hops
            .iter()
            .any(|hop| hop.says.contains("0 of 2 messages left"));
        assert!(said, "{report:#?}");
        let quota = desk.account().await.connection.quota.expect("a quota");
        assert_eq!(quota.messages_left, Some(0), "the test asked again");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_asks_for_nothing() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let desk = Desk::new(&clock);
    join(&desk, &server, &["alerts"]).await;
    let phone = Phone::new(&server);
    phone.until(&desk, &[("alerts", "")]).await;
    desk.settle().await;
    let asked = server.log().len();
    // The link's own pings keep it alive; nothing else is due.
    for _ in 0..30 {
        clock.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(server.log().len(), asked);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delayed_message_comes_however_late_it_is() {
    for transport in [TransportKind::Websocket, TransportKind::Poll] {
        let clock = FakeClock::new();
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("server.db");
        let server = start(kept(&clock, &store, 0)).await;
        let port = server.addr().port();
        let desk = Desk::new(&clock);
        let account = desk
            .add_account(AccountDraft {
                transport: Some(transport),
                ..draft(&server, &["alerts"])
            })
            .await;
        desk.until_live().await;
        // As `tidings send --delay` does it.
        desk.ask(Request::Send(Outgoing {
            account: account.id.to_string(),
            topic: "alerts".to_owned(),
            title: String::new(),
            priority: None,
            tags: Vec::new(),
            body: "message 0".to_owned(),
            at: "30m".to_owned(),
            attach: String::new(),
        }))
        .await;
        let publish = |text: &str| Publish {
            topic: "alerts".to_owned(),
            message: text.to_owned(),
            ..Publish::default()
        };
        server.publish(publish("message 1")).await.unwrap();
        desk.until_in_time("the one that is not delayed", |status| {
            status.counts.all == 1
        })
        .await;
        assert_eq!(desk.bodies().await, ["message 1"], "not before its time");
        // The server is away when its time comes, and what comes after it is here first.
        server.stop().await;
        clock.advance(Duration::from_mins(40));
        let server = start(kept(&clock, &store, port)).await;
        server.publish(publish("message 2")).await.unwrap();
        server.tick().await.unwrap();
        desk.until_in_time("all three", |status| status.counts.all == 3)
            .await;
        assert_eq!(desk.bodies().await, numbered("message", 3), "{transport:?}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_goes_along_and_a_file_only_where_the_server_takes_it() {
    let clock = FakeClock::new();
    let server = start(config(&clock)).await;
    let desk = Desk::new(&clock);
    let account = join(&desk, &server, &["alerts"]).await;
    let send = |attach: &str| {
        Request::Send(Outgoing {
            account: account.id.to_string(),
            topic: "alerts".to_owned(),
            title: "Größe".to_owned(),
            priority: None,
            tags: Vec::new(),
            body: "look".to_owned(),
            at: String::new(),
            attach: attach.to_owned(),
        })
    };
    desk.ask(send("https://ex.test/door.jpg")).await;
    desk.until_count(1).await;
    let id = desk.rows().await[0].id;
    let Reply::Detail(detail) = desk.ask(Request::Show { id }).await else {
        panic!("a detail");
    };
    let attachment = detail.attachment.expect("an attachment");
    assert_eq!(
        (attachment.name.as_str(), attachment.url.as_str()),
        ("door.jpg", "https://ex.test/door.jpg")
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("door.jpg");
    std::fs::write(&file, [7; 100]).expect("a file");
    let file = file.to_str().expect("a name");
    let before = server.log().len();
    for (attach, word) in [
        (file, "takes no files"),
        ("door.jpg", "neither"),
        ("/nowhere/door.jpg", "cannot be read"),
    ] {
        let refused = desk.engine.handle(send(attach)).await;
        let refused = refused.expect_err("it is refused");
        assert!(refused.message.contains(word), "{refused:?}");
    }
    assert_eq!(server.log().len(), before, "nothing was even tried");
    desk.engine.stop().await;
}
