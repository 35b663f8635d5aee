//! Gotify, both ways in: nothing is lost, nothing comes twice, deletes go both ways, and of a password only a
//! token is left.

use crate::harness::{Desk, all_live, numbered};
use std::time::Duration;
use support::fakes::gotify::{Asked, Gotify, Settings, Version};
use tidings_api::{
    AccountDraft, AccountEdit, AccountView, Change, ConnectionState, ErrorCode, ErrorView, Reply,
    Request, Secret, SecretPlace, SignIn, Targets, Tier, TransportKind,
};
use tidings_core::ports::Clock as _;
use tidings_core::testing::FakeClock;

const BOTH: [TransportKind; 2] = [TransportKind::Websocket, TransportKind::Poll];
const QUARTER: Duration = Duration::from_mins(15);

async fn server_of(clock: &FakeClock, version: Version, folder: &str) -> Gotify {
    let clock = clock.clone();
    Gotify::start(Settings {
        version,
        folder: folder.to_owned(),
        now: Box::new(move || clock.now().to_string()),
    })
    .await
    .expect("a server on loopback")
}

async fn server(clock: &FakeClock) -> Gotify {
    server_of(clock, Version::Two, "").await
}

fn draft(server: &Gotify, sign_in: SignIn, secret: &str) -> AccountDraft {
    AccountDraft {
        url: server.url(),
        kind: None,
        name: String::new(),
        topics: Vec::new(),
        sign_in,
        secret: (!secret.is_empty()).then(|| Secret::new(secret.to_owned())),
        secrets: SecretPlace::Memory,
        transport: None,
        allow_http: false,
        headers: Vec::new(),
        options: String::new(),
        ..AccountDraft::default()
    }
}

fn admin() -> SignIn {
    SignIn::Basic {
        user: "admin".to_owned(),
    }
}

/// Adds an account over a transport, with a client token, and waits until it is live.
async fn join(desk: &Desk, server: &Gotify, transport: TransportKind) -> AccountView {
    let token = server.add_client("a test");
    let draft = AccountDraft {
        transport: Some(transport),
        ..draft(server, SignIn::Token, &token)
    };
    let account = desk.add_account(draft).await;
    desk.until_live().await;
    account
}

async fn refused(desk: &Desk, request: Request) -> ErrorView {
    desk.engine
        .handle(request)
        .await
        .expect_err("it is refused")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_rings_and_stays() {
    for version in [Version::Two, Version::Three] {
        for transport in BOTH {
            let clock = FakeClock::new();
            let server = server_of(&clock, version, "/push/gotify").await;
            let backup = server.add_application("Backup", 8);
            let desk = Desk::new(&clock);
            join(&desk, &server, transport).await;
            server.publish(backup, "disk full").await;
            desk.until_in_time("it came", |status| status.counts.all == 1)
                .await;
            desk.until_shown(1).await;
            let toast = &desk.notifier.shown()[0];
            assert_eq!(toast.body, "disk full", "over {transport:?}");
            assert_eq!(toast.tier, Tier::Critical, "its application's priority");
            let seen = desk.account().await;
            let [subscription] = seen.subscriptions.as_slice() else {
                panic!("one: {seen:?}")
            };
            assert_eq!(subscription.topic, backup.to_string());
            assert!(format!("{subscription:?}").contains("Backup"));
            for asked in server.asked() {
                let has = |name: &str| asked.headers.iter().any(|(known, _)| known == name);
                assert!(!has("origin") && !has("authorization"), "{asked:?}");
                assert!(!asked.line.contains("token"), "{asked:?}");
            }
            desk.engine.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_drops_while_publishing() {
    for transport in BOTH {
        let clock = FakeClock::new();
        let mut server = server(&clock).await;
        let applications = [
            server.add_application("Backup", 1),
            server.add_application("Doorbell", 1),
        ];
        let desk = Desk::new(&clock);
        join(&desk, &server, transport).await;
        let mut sent = 0;
        for round in 0..20 {
            for _ in 0..5 {
                let text = format!("message {sent}");
                server.publish(applications[sent % 2], &text).await;
                sent += 1;
            }
            match transport {
                TransportKind::Websocket => server.drop_all(),
                // A poll holds nothing open: its server is away.
                _ => server.stop().await,
            }
            for _ in 0..3 {
                let text = format!("message {sent}");
                server.publish(applications[0], &text).await;
                sent += 1;
            }
            clock.advance(Duration::from_secs(61));
            if transport == TransportKind::Poll {
                server.start_again().await.unwrap();
            }
            if round % 3 == 0 {
                desk.until_live().await;
            }
        }
        desk.until_in_time("all came", |status| status.counts.all >= 160)
            .await;
        assert_eq!(
            desk.bodies().await,
            numbered("message", 160),
            "{transport:?}"
        );
        in_order(&desk).await;
        desk.engine.stop().await;
    }
}

/// What came of each application came in its server's order.
async fn in_order(desk: &Desk) {
    let mut newest_first = desk.rows().await;
    newest_first.reverse();
    for subscription in desk.account().await.subscriptions {
        let of: Vec<u32> = newest_first
            .iter()
            .filter(|row| row.subscription == subscription.id)
            .map(|row| row.preview.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(of.is_sorted(), "{of:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_restarts() {
    for transport in BOTH {
        let clock = FakeClock::new();
        let mut server = server(&clock).await;
        let backup = server.add_application("Backup", 5);
        let desk = Desk::new(&clock);
        join(&desk, &server, transport).await;
        server.publish(backup, "message 0").await;
        desk.until_in_time("the first", |status| status.counts.all == 1)
            .await;
        server.stop().await;
        desk.until_in_time("the loss is noticed", |status| {
            status.connections[0].retry_at.is_some()
        })
        .await;
        server.publish(backup, "message 1").await;
        server.start_again().await.unwrap();
        desk.until_live().await;
        server.publish(backup, "message 2").await;
        desk.until_in_time("all three", |status| status.counts.all == 3)
            .await;
        assert_eq!(desk.bodies().await, numbered("message", 3));
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_is_noticed() {
    for transport in BOTH {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let backup = server.add_application("Backup", 5);
        let desk = Desk::new(&clock);
        join(&desk, &server, transport).await;
        server.freeze();
        server.publish_unheard(backup, "while half-open");
        desk.until_in_time("silence is a failure", |status| !all_live(status))
            .await;
        server.thaw();
        desk.until_in_time("it is back", |status| {
            all_live(status) && status.counts.all == 1
        })
        .await;
        assert_eq!(desk.bodies().await, ["while half-open"]);
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_for_ten_thousand() {
    for transport in BOTH {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let applications = [
            server.add_application("Backup", 5),
            server.add_application("Doorbell", 5),
        ];
        let desk = Desk::new(&clock);
        join(&desk, &server, transport).await;
        server.publish(applications[0], "before").await;
        desk.until_in_time("the first", |status| status.counts.all == 1)
            .await;
        desk.until_shown(1).await;
        desk.engine.stop().await;
        for n in 0..10_000 {
            server.publish_unheard(applications[n % 2], &format!("message {n}"));
        }
        clock.advance(Duration::from_hours(1));
        let desk = desk.restart().await;
        desk.until_live().await;
        desk.until_count(10_001).await;
        desk.until_shown(1).await;
        desk.settle().await;
        let mut all = numbered("message", 10_000);
        all.push("before".to_owned());
        all.sort();
        assert_eq!(desk.bodies().await, all, "{transport:?}");
        let keys: std::collections::BTreeSet<_> = desk
            .notifier
            .shown()
            .iter()
            .map(|toast| toast.key)
            .collect();
        assert_eq!(keys.len(), 1, "one digest");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_published_as_the_stream_was_opened_is_found_later() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let backup = server.add_application("Backup", 5);
    let desk = Desk::new(&clock);
    join(&desk, &server, TransportKind::Websocket).await;
    server.publish_unheard(backup, "message 0");
    server.publish(backup, "message 1").await;
    desk.until_count(1).await;
    clock.advance(QUARTER);
    desk.until_count(2).await;
    assert_eq!(desk.bodies().await, numbered("message", 2));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_application_comes_by_itself_and_a_left_one_stays_away() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let backup = server.add_application("Backup", 5);
    let desk = Desk::new(&clock);
    join(&desk, &server, TransportKind::Websocket).await;
    let doorbell = server.add_application("Doorbell", 5);
    server.publish(doorbell, "ding").await;
    desk.until_shown(1).await;
    let subscriptions = desk.account().await.subscriptions;
    assert_eq!(subscriptions.len(), 2);
    let left = subscriptions
        .iter()
        .find(|one| one.topic == backup.to_string())
        .unwrap();
    desk.ask(Request::SubscriptionRemove {
        id: left.id,
        forget: false,
    })
    .await;
    desk.until_live().await;
    server.publish(backup, "not wanted").await;
    server.publish(doorbell, "dong").await;
    desk.until_count(2).await;
    assert_eq!(desk.bodies().await, ["ding", "dong"]);
    // Its number brings it back, with what was missed.
    desk.ask(Request::SubscriptionAdd {
        account: desk.account().await.id,
        topic: backup.to_string(),
    })
    .await;
    desk.until_count(3).await;
    desk.until_live().await;
    server.delete_application(doorbell);
    let mut gone = false;
    for _ in 0..100 {
        // Which of the two connections looks, and when, is not certain.
        clock.advance(QUARTER);
        desk.settle().await;
        gone = desk
            .account()
            .await
            .subscriptions
            .iter()
            .any(|one| one.problem.contains("no longer on the server"));
        if gone {
            break;
        }
    }
    assert!(gone, "the subscription says that it is gone");
    assert_eq!(desk.bodies().await, ["ding", "dong", "not wanted"]);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletes_go_both_ways() {
    for transport in BOTH {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let backup = server.add_application("Backup", 5);
        let desk = Desk::new(&clock);
        join(&desk, &server, transport).await;
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(server.publish(backup, &format!("message {n}")).await);
        }
        desk.until_in_time("all four", |status| status.counts.all == 4)
            .await;
        // There, in the web page.
        server.delete(ids[1]);
        clock.advance(QUARTER);
        desk.until_in_time("it is gone here", |status| status.counts.all == 3)
            .await;
        assert_eq!(desk.bodies().await, ["message 0", "message 2", "message 3"]);
        // Here.
        let rows = desk.rows().await;
        let here = rows
            .iter()
            .find(|row| row.preview == "message 3")
            .unwrap()
            .id;
        let targets = Targets::Ids { ids: vec![here] };
        let change = Change::Delete;
        desk.ask(Request::Change { targets, change }).await;
        desk.until("the server was told", |status| status.counts.owed == 0)
            .await;
        assert_eq!(server.messages(), [ids[0], ids[2]]);
        // A message that is gone there already is told too, and done with.
        let rows = desk.rows().await;
        let both = rows
            .iter()
            .find(|row| row.preview == "message 2")
            .unwrap()
            .id;
        server.delete(ids[2]);
        let targets = Targets::Ids { ids: vec![both] };
        desk.ask(Request::Change { targets, change }).await;
        desk.until("the server was told", |status| status.counts.owed == 0)
            .await;
        assert_eq!(desk.bodies().await, ["message 0"]);
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_was_undone_stays_undone() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let backup = server.add_application("Backup", 5);
    let desk = Desk::new(&clock);
    join(&desk, &server, TransportKind::Websocket).await;
    server.publish(backup, "message 0").await;
    desk.until_count(1).await;
    let targets = Targets::Ids {
        ids: vec![desk.rows().await[0].id],
    };
    let change = Change::Delete;
    desk.ask(Request::Change { targets, change }).await;
    desk.until("the server was told", |status| status.counts.owed == 0)
        .await;
    desk.ask(Request::Undo { step: None }).await;
    assert_eq!(desk.bodies().await, ["message 0"]);
    // The server does not have it any more, and that is no news.
    for _ in 0..2 {
        let before = server.asked().len();
        clock.advance(QUARTER);
        desk.until("it was compared", |_| server.asked().len() > before + 1)
            .await;
        server.publish(backup, "later").await;
        desk.settle().await;
    }
    assert!(desk.bodies().await.contains(&"message 0".to_owned()));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_brought_back_from_a_backup_loses_nothing() {
    for transport in BOTH {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let backup = server.add_application("Backup", 5);
        let desk = Desk::new(&clock);
        join(&desk, &server, transport).await;
        for n in 0..4 {
            server.publish(backup, &format!("message {n}")).await;
        }
        desk.until_in_time("all four", |status| status.counts.all == 4)
            .await;
        clock.advance(Duration::from_hours(1));
        server.restore_backup(2);
        for n in 4..6 {
            server.publish(backup, &format!("message {n}")).await;
        }
        desk.until_in_time("what is new", |status| status.counts.all == 6)
            .await;
        assert_eq!(desk.bodies().await, numbered("message", 6), "{transport:?}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_revoked_asks_once() {
    for transport in BOTH {
        let clock = FakeClock::new();
        let server = server(&clock).await;
        let backup = server.add_application("Backup", 5);
        let desk = Desk::new(&clock);
        let added = join(&desk, &server, transport).await;
        server.revoke_all();
        desk.until_in_time("it stopped", |status| {
            status.connections[0].state == ConnectionState::Stopped
        })
        .await;
        let problem = desk.status().await.connections[0].problem.clone();
        assert!(problem.contains("no longer accepts"), "{problem}");
        let before = server.asked().len();
        clock.advance(Duration::from_hours(1));
        desk.settle().await;
        assert_eq!(server.asked().len(), before, "and it does not ask again");
        // Signing in anew with the password leaves a new token, and nothing was lost.
        server.publish(backup, "meanwhile").await;
        let edit = AccountEdit {
            sign_in: Some(admin()),
            secret: Some(Secret::new("admin".to_owned())),
            ..AccountEdit::default()
        };
        desk.ask(Request::AccountEdit { id: added.id, edit }).await;
        desk.until_count(1).await;
        let kept = desk.secrets.kept(SecretPlace::Memory, added.id).unwrap();
        assert_eq!(server.clients(), ["Tidings on a test"]);
        assert_ne!(kept.secret.as_deref(), Some("admin"));
        assert_eq!(desk.account().await.sign_in, SignIn::Token);
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_password_only_a_token_is_left() {
    for version in [Version::Two, Version::Three] {
        let clock = FakeClock::new();
        let server = server_of(&clock, version, "").await;
        let backup = server.add_application("Backup", 5);
        let desk = Desk::new(&clock);
        let wrong = draft(&server, admin(), "wrong");
        let error = refused(&desk, Request::AccountAdd(wrong)).await;
        assert_eq!(error.code, ErrorCode::Unauthorized);
        assert!(
            matches!(desk.ask(Request::Accounts).await, Reply::Accounts(all) if all.is_empty())
        );
        let added = desk.add_account(draft(&server, admin(), "admin")).await;
        assert_eq!(added.sign_in, SignIn::Token);
        let kept = desk.secrets.kept(SecretPlace::Memory, added.id).unwrap();
        let token = kept.secret.unwrap();
        assert!(token.starts_with(['C', 'g']), "a client's token");
        assert_eq!(server.clients(), ["Tidings on a test"]);
        desk.until_live().await;
        server.publish(backup, "hello").await;
        desk.until_count(1).await;
        let asked = server.asked();
        let with_password: Vec<_> = asked
            .iter()
            .filter(|asked| {
                asked
                    .headers
                    .iter()
                    .any(|(name, _)| name == "authorization")
            })
            .map(|asked| asked.line.as_str())
            .collect();
        assert_eq!(with_password, ["POST /client"; 2], "one wrong, one right");
        desk.ask(Request::AccountRemove { id: added.id }).await;
        desk.until("the client is deleted where that can be done", |_| {
            let deleted = |asked: &Asked| asked.line.starts_with("DELETE /client/");
            server.asked().iter().any(deleted)
                && server.clients().is_empty() == (version == Version::Two)
        })
        .await;
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_token_is_refused_with_words() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let backup = server.add_application("Backup", 5);
    let desk = Desk::new(&clock);
    let token = server.application_token(backup);
    let draft = draft(&server, SignIn::Token, &token);
    let error = refused(&desk, Request::AccountAdd(draft.clone())).await;
    assert!(error.message.contains("client token"), "{error:?}");
    assert!(!format!("{error:?}").contains(&token));
    // One that does not look like it is found out by the server.
    let other = AccountDraft {
        secret: Some(Secret::new("something else".to_owned())),
        ..draft
    };
    let Reply::Test(report) = desk.ask(Request::AccountTry(other.clone())).await else {
        panic!("a report")
    };
    assert!(!report.ok);
    assert!(
        report.hops.last().unwrap().says.contains("client token"),
        "{report:?}"
    );
    desk.add_account(other).await;
    desk.until("it stopped", |status| {
        status.connections[0].state == ConnectionState::Stopped
    })
    .await;
    desk.engine.stop().await;
}

/// Opens the page that Tidings opened, as the user's browser would.
async fn browse(desk: &Desk) -> String {
    let mut page = None;
    desk.until("a page was opened", |_| page_of(desk).is_some())
        .await;
    page = page_of(desk).or(page);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(page.unwrap()).send().await.unwrap();
    answer.text().await.unwrap()
}

fn page_of(desk: &Desk) -> Option<String> {
    desk.desktop.opened().last().map(|(url, _)| url.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_brings_a_token() {
    let clock = FakeClock::new();
    let server = server_of(&clock, Version::Three, "/gotify").await;
    let backup = server.add_application("Backup", 5);
    let desk = Desk::new(&clock);
    let request = Request::AccountAddByBrowser(draft(&server, SignIn::None, ""));
    let (reply, page) = tokio::join!(desk.ask(request), browse(&desk));
    assert!(page.contains("Tidings goes on"), "{page}");
    let Reply::Account(added) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(added.sign_in, SignIn::Token);
    let kept = desk.secrets.kept(SecretPlace::Memory, added.id).unwrap();
    assert!(kept.secret.unwrap().starts_with("gtfyc."));
    desk.until_live().await;
    server.publish(backup, "hello").await;
    desk.until_count(1).await;
    // It is revoked, and signed in anew in the browser.
    server.revoke_all();
    desk.until("it stopped", |status| {
        status.connections[0].state == ConnectionState::Stopped
    })
    .await;
    let first = page_of(&desk);
    let request = Request::AccountSignInByBrowser { id: added.id };
    let again = async {
        desk.until("another page", |_| page_of(&desk) != first)
            .await;
        browse(&desk).await
    };
    let (reply, _) = tokio::join!(desk.ask(request), again);
    assert!(matches!(reply, Reply::Account(_)));
    desk.until_live().await;
    server.publish(backup, "again").await;
    desk.until_count(2).await;
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_never_comes_back_and_one_that_was_refused() {
    let clock = FakeClock::new();
    let server = server_of(&clock, Version::Three, "").await;
    let desk = Desk::new(&clock);
    let request = || Request::AccountAddByBrowser(draft(&server, SignIn::None, ""));
    let waits = async {
        desk.until("a page was opened", |_| page_of(&desk).is_some())
            .await;
        clock.asleep_for(Duration::from_mins(5)).await;
        clock.advance(Duration::from_mins(5));
    };
    let (error, ()) = tokio::join!(refused(&desk, request()), waits);
    assert!(error.message.contains("5 minutes"), "{error:?}");

    let first = page_of(&desk);
    let says_no = async {
        desk.until("another page", |_| page_of(&desk) != first)
            .await;
        let page = url::Url::parse(&page_of(&desk).unwrap()).unwrap();
        let member = |name: &str| {
            let mut pairs = page.query_pairs();
            pairs
                .find(|(known, _)| known == name)
                .unwrap()
                .1
                .into_owned()
        };
        let (redirect, state) = (member("redirect_uri"), member("state"));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        // Others on this computer can ask too, and change nothing.
        let stranger = client.get(format!("{redirect}?code=x&state=guessed"));
        assert_eq!(stranger.send().await.unwrap().status(), 404);
        let no = client.get(format!("{redirect}?error=access_denied&state={state}"));
        assert!(
            no.send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap()
                .contains("not signed in")
        );
    };
    let (error, ()) = tokio::join!(refused(&desk, request()), says_no);
    assert_eq!(error.code, ErrorCode::Unauthorized);
    assert!(
        error.message.contains("refused in the browser"),
        "{error:?}"
    );

    let old = server_of(&clock, Version::Two, "").await;
    let request = Request::AccountAddByBrowser(draft(&old, SignIn::None, ""));
    let error = refused(&desk, request).await;
    assert!(error.message.contains("Gotify 3"), "{error:?}");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_found_in_its_folder_and_tested() {
    for (version, says) in [
        (Version::Two, "Gotify 2.6.1"),
        (Version::Three, "Gotify 3.0.0"),
    ] {
        let clock = FakeClock::new();
        let server = server_of(&clock, version, "/push").await;
        server.add_application("Backup", 5);
        let desk = Desk::new(&clock);
        let url = format!("{}#/messages", server.url());
        let Reply::Detected(detected) = desk.ask(Request::Detect { url }).await else {
            panic!("detected")
        };
        assert!(detected.says.contains(says), "{detected:?}");
        assert_eq!(detected.url, server.url());
        let token = server.add_client("a test");
        let added = desk
            .add_account(draft(&server, SignIn::Token, &token))
            .await;
        desk.until_live().await;
        let Reply::Test(report) = desk.ask(Request::AccountTest { id: added.id }).await else {
            panic!("a report")
        };
        assert!(report.ok, "{report:?}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_sends_with_gotify_3_only() {
    let outgoing = |account: &AccountView, topic: i64| {
        Request::Send(tidings_api::Outgoing {
            account: account.id.to_string(),
            topic: topic.to_string(),
            body: "sent".to_owned(),
            ..tidings_api::Outgoing::default()
        })
    };
    let clock = FakeClock::new();
    let desk = Desk::new(&clock);
    let old = server_of(&clock, Version::Two, "").await;
    let topic = old.add_application("Backup", 5);
    let added = join(&desk, &old, TransportKind::Websocket).await;
    let error = refused(&desk, outgoing(&added, topic)).await;
    assert!(error.message.contains("Gotify 3"), "{error:?}");
    let new = server_of(&clock, Version::Three, "").await;
    let topic = new.add_application("Backup", 5);
    let added = join(&desk, &new, TransportKind::Websocket).await;
    assert!(matches!(
        desk.ask(outgoing(&added, topic)).await,
        Reply::Sent { .. }
    ));
    desk.until_count(1).await;
    assert_eq!(desk.bodies().await, ["sent"]);
    desk.engine.stop().await;
}
