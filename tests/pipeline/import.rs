//! Another client's settings, a link, an application's own settings: what comes of them, and what of their
//! secrets.

use crate::harness::{Desk, publish, server};
use std::fmt::Write as _;
use std::time::Duration;
use support::fakes::gotify::{Gotify, Settings, Version};
use tidings_api::{
    AccountDraft, AccountEdit, AccountView, BackendKind, ConnectionState, ErrorCode, Import,
    ImportReport, ImportResult, Preview, Previewed, Reply, Request, Secret, SecretPlace, SignIn,
    SubscriptionView, Tier, TransportChoice, TransportKind,
};
use tidings_core::ports::Clock as _;
use tidings_core::testing::{FakeClock, SecretsMode};

async fn import(desk: &Desk, text: &str, dry_run: bool) -> ImportReport {
    let asked = Import {
        text: Secret::new(text),
        from: None,
        dry_run,
        secrets: SecretPlace::Keyring,
    };
    match desk.ask(Request::Import(asked)).await {
        Reply::Imported(report) => report,
        other => panic!("{other:?}"),
    }
}

async fn accounts(desk: &Desk) -> Vec<AccountView> {
    match desk.ask(Request::Accounts).await {
        Reply::Accounts(accounts) => accounts,
        other => panic!("{other:?}"),
    }
}

fn results(report: &ImportReport) -> Vec<ImportResult> {
    report.accounts.iter().map(|one| one.result).collect()
}

fn topics(account: &AccountView) -> Vec<&str> {
    let topics = account.subscriptions.iter();
    topics.map(|one| one.topic.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_yml_is_taken_over_once_and_then_only_what_is_new() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    let mut file = format!(
        "default-host: {}\nsubscribe:\n  - topic: alerts\n",
        server.url()
    );
    let plan = import(&desk, &file, true).await;
    assert_eq!(results(&plan), [ImportResult::Added]);
    assert!(accounts(&desk).await.is_empty(), "a plan changes nothing");

    let done = import(&desk, &file, false).await;
    assert_eq!(results(&done), [ImportResult::Added]);
    publish(&server, "alerts", "hello").await;
    desk.until_count(1).await;
    desk.until_live().await;
    let since = accounts(&desk).await[0].connection.since;
    clock.advance(Duration::from_secs(1));

    assert_eq!(
        results(&import(&desk, &file, false).await),
        [ImportResult::Unchanged]
    );
    file +=
        "  - topic: more\n    token: tk_marker_secret\n  - topic: backups\n  - topic: no good\n";
    let again = import(&desk, &file, false).await;
    assert_eq!(
        results(&again),
        [ImportResult::Extended, ImportResult::Added]
    );
    assert!(
        again.left_out.iter().any(|says| says.contains("no good")),
        "{again:?}"
    );
    let all = accounts(&desk).await;
    let listed: Vec<_> = all.iter().map(topics).collect();
    assert_eq!(listed, [vec!["alerts", "backups"], vec!["more"]]);
    publish(&server, "backups", "done").await;
    desk.until_count(2).await;
    let connection = &accounts(&desk).await[0].connection;
    assert_eq!(
        (connection.state, connection.since),
        (ConnectionState::Live, since),
        "what was there went on"
    );
    let kept = desk.secrets.kept(SecretPlace::Keyring, all[1].id).unwrap();
    assert_eq!(kept.secret.as_deref(), Some("tk_marker_secret"));
    // The same token is the same account, another one is not.
    assert_eq!(
        results(&import(&desk, &file, false).await),
        [ImportResult::Unchanged, ImportResult::Unchanged]
    );
    let other = file.replace("tk_marker_secret", "tk_other");
    assert_eq!(
        results(&import(&desk, &other, true).await),
        [ImportResult::Unchanged, ImportResult::Added]
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_brings_names_mutes_and_tiers_and_no_change_to_what_is_there() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    let url = server.url();
    desk.add(&server, &["alerts"]).await;
    let one = |topic: &str, rest: &str| {
        format!(
            r#"{{"id":1,"baseUrl":"{url}","topic":"{topic}","instant":true,"dedicatedChannels":false{rest}}}"#
        )
    };
    let backup = format!(
        r#"{{"magic":"ntfy2586","version":1,"subscriptions":[{},{}]}}"#,
        one("alerts", r#","mutedUntil":1,"displayName":"Theirs""#),
        one(
            "chat",
            r#","mutedUntil":1,"minPriority":5,"displayName":"The chat""#
        )
    );
    let done = import(&desk, &backup, false).await;
    assert_eq!(results(&done), [ImportResult::Extended]);
    let account = desk.account().await;
    let state = |one: &SubscriptionView| (one.name.clone(), one.muted, one.min_tier);
    assert_eq!(
        account.subscriptions.iter().map(state).collect::<Vec<_>>(),
        [
            ("alerts".to_owned(), false, Tier::Informational),
            ("The chat".to_owned(), true, Tier::Critical),
        ]
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gotify_tray_becomes_an_account_that_receives() {
    let clock = FakeClock::new();
    let time = clock.clone();
    let server = Gotify::start(Settings {
        version: Version::Two,
        folder: String::new(),
        now: Box::new(move || time.now().to_string()),
    })
    .await
    .expect("a server on loopback");
    let backup = server.add_application("Backup", 5);
    let token = server.add_client("Gotify Tray");
    let desk = Desk::new(&clock);
    let file = format!(
        "[Server]\nclient_token={token}\nurl={}\n\n[tray]\nnotifications\\priority=8\n",
        server.url()
    );
    assert_eq!(
        results(&import(&desk, &file, false).await),
        [ImportResult::Added]
    );
    desk.until_live().await;
    server.publish(backup, "hello").await;
    desk.until_count(1).await;
    assert_eq!(desk.account().await.min_tier, Tier::Critical);
    assert_eq!(
        results(&import(&desk, &file, false).await),
        [ImportResult::Unchanged]
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_that_is_locked_fails_that_account_alone() {
    let clock = FakeClock::new();
    let desk = Desk::new(&clock);
    desk.secrets.set_mode(SecretsMode::Locked);
    let file = "subscribe:\n  - topic: a\n  - topic: b\n    token: tk_marker_secret\n";
    let report = import(&desk, file, false).await;
    assert_eq!(
        results(&report),
        [ImportResult::Added, ImportResult::Failed]
    );
    let error = report.accounts[1].error.as_ref().unwrap();
    assert_eq!(error.code, ErrorCode::Keyring);
    assert_eq!(accounts(&desk).await.len(), 1);
    assert!(!format!("{report:?}").contains("marker_secret"));
    desk.secrets.set_mode(SecretsMode::Open);
    let again = import(&desk, file, false).await;
    assert_eq!(
        results(&again),
        [ImportResult::Unchanged, ImportResult::Added]
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_names_its_topic_and_an_applications_settings_their_server() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    let host = server.url().replace("http://", "");
    let link = format!(
        "ntfy://{}/disk?secure=false&display=The%20disk",
        host.trim_end_matches('/')
    );
    let Reply::Detected(found) = desk.ask(Request::Detect { url: link.clone() }).await else {
        panic!("what is at an address is detected");
    };
    assert_eq!(found.names, [("disk".to_owned(), "The disk".to_owned())]);
    let added = desk
        .add_account(AccountDraft {
            url: link,
            secrets: SecretPlace::Memory,
            ..AccountDraft::default()
        })
        .await;
    assert_eq!(added.subscriptions[0].name, "The disk");

    let mut lines = "REVERB_APP_KEY=k1\nREVERB_APP_SECRET=marker-secret\n".to_owned();
    let error = desk
        .engine
        .handle(Request::Detect { url: lines.clone() })
        .await
        .unwrap_err();
    assert!(error.message.contains("REVERB_HOST"), "{error:?}");
    let _ = write!(lines, "REVERB_HOST=ws.example.org");
    let Reply::Detected(found) = desk.ask(Request::Detect { url: lines }).await else {
        panic!("what is at an address is detected");
    };
    assert_eq!(found.kind, Some(BackendKind::Pusher));
    assert_eq!(found.url, "https://ws.example.org/app/k1/");
    assert!(!format!("{found:?}").contains("marker-secret"));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_change_and_what_nobody_typed_is_kept() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    let added = desk
        .add_account(AccountDraft {
            url: server.url(),
            kind: Some(BackendKind::Ntfy),
            topics: vec!["a".to_owned()],
            sign_in: SignIn::Token,
            secret: Some(Secret::new("tk_password")),
            headers: vec![
                ("X-One".to_owned(), Secret::new("1")),
                ("X-Two".to_owned(), Secret::new("2")),
            ],
            secrets: SecretPlace::Keyring,
            ..AccountDraft::default()
        })
        .await;
    assert_eq!(added.headers, ["X-One", "X-Two"]);
    let edit = |headers: Vec<(&str, Option<&str>)>| Request::AccountEdit {
        id: added.id,
        edit: AccountEdit {
            headers: Some(
                headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.map(Secret::new)))
                    .collect(),
            ),
            ..AccountEdit::default()
        },
    };
    let kept = || {
        let kept = desk.secrets.kept(SecretPlace::Keyring, added.id).unwrap();
        (kept.secret.unwrap_or_default(), kept.headers)
    };
    let reply = desk
        .ask(edit(vec![("x-two", None), ("X-Three", Some("3"))]))
        .await;
    let Reply::Account(changed) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(changed.headers, ["x-two", "X-Three"]);
    let headers = vec![
        ("x-two".to_owned(), "2".to_owned()),
        ("X-Three".to_owned(), "3".to_owned()),
    ];
    assert_eq!(kept(), ("tk_password".to_owned(), headers.clone()));
    for (wrong, says) in [
        (vec![("X-New", None)], "needs a value"),
        (vec![("X A", Some("1"))], "no name"),
        (vec![("X-A", Some("1")), ("x-a", Some("2"))], "twice"),
        (vec![("X-A", Some("a\nb"))], "line end"),
    ] {
        let error = desk.engine.handle(edit(wrong)).await.unwrap_err();
        assert!(error.message.contains(says), "{error:?}");
    }
    // A keyring that cannot be read does not cost what it keeps.
    desk.secrets.set_mode(SecretsMode::Locked);
    let error = desk.engine.handle(edit(Vec::new())).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Keyring);
    desk.secrets.set_mode(SecretsMode::Open);
    assert_eq!(kept().1, headers);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_tried_on_what_came_last_and_says_what_it_can() {
    let clock = FakeClock::new();
    let server = server(&clock).await;
    let desk = Desk::new(&clock);
    let profile = r#"{"profile":"[http_stream]\nurl = \"/news/json\"\n[map]\nbody = \"/message\"\nevents = \"message\""}"#;
    let added = desk
        .add_account(AccountDraft {
            url: server.url(),
            kind: Some(BackendKind::Custom),
            options: profile.to_owned(),
            secrets: SecretPlace::Memory,
            ..AccountDraft::default()
        })
        .await;
    let preview = async |options: &str, sample: &str| -> Previewed {
        let asked = Preview {
            options: options.to_owned(),
            sample: sample.to_owned(),
            account: Some(added.id),
        };
        match desk.ask(Request::Preview(asked)).await {
            Reply::Previewed(previewed) => *previewed,
            other => panic!("{other:?}"),
        }
    };
    assert!(preview(profile, "").await.problem.contains("no event yet"));
    desk.until_live().await;
    publish(&server, "news", "hello").await;
    desk.until_count(1).await;
    let shown = preview(&profile.replace("/message", "/topic"), "").await;
    assert_eq!((shown.body.as_str(), shown.problem.as_str()), ("news", ""));
    assert!(shown.sample.contains("hello"));
    let body = shown.parts.iter().find(|part| part.name == "body").unwrap();
    assert_eq!(body.from, "/topic");
    let typed = preview(profile, r#"{"event":"message","message":"**typed**"}"#).await;
    assert_eq!(typed.body, "**typed**");
    let wrong = preview(&profile.replace("[map]", "[map"), "").await;
    assert_eq!(wrong.line, Some(3));

    // What the profile describes can be chosen, what it does not cannot.
    let fixed = |transport| Request::AccountEdit {
        id: added.id,
        edit: AccountEdit {
            transport: Some(TransportChoice::Fixed(transport)),
            ..AccountEdit::default()
        },
    };
    let error = desk
        .engine
        .handle(fixed(TransportKind::Websocket))
        .await
        .unwrap_err();
    assert!(error.message.contains("HTTP stream"), "{error:?}");
    desk.ask(fixed(TransportKind::HttpStream)).await;
    desk.engine.stop().await;
}
