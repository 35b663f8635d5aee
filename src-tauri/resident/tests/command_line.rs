//! Commands where no resident runs: the same engine, in their own process.

use crate::support::{Place, server};
use serde_json::json;
use std::process::Stdio;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_listed_tested_edited_and_removed() {
    let place = Place::new();
    let server = server().await;
    let url = server.url();
    let added = place
        .run(&[
            "account",
            "add",
            &format!("{url}/builds"),
            "--name",
            "home",
            "--topic",
            "alerts",
            "--json",
        ])
        .ok();
    let added = &added.objects()[0];
    assert_eq!(added["name"], "home");
    let topics: Vec<_> = added["subscriptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["topic"])
        .collect();
    assert!(
        topics.contains(&&json!("alerts")) && topics.contains(&&json!("builds")),
        "{topics:?}"
    );
    let listed = place.run(&["--json", "account", "list"]).ok().objects();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], added["id"]);
    let tested = place
        .run(&["account", "test", "home", "--json"])
        .ok()
        .objects();
    assert!(tested.iter().all(|hop| hop["result"] == "ok"), "{tested:?}");
    let edited = place
        .run(&[
            "account",
            "edit",
            "home",
            "--name",
            "h2",
            "--muted",
            "yes",
            "--remove-topic",
            "builds",
            "--json",
        ])
        .ok()
        .objects();
    assert_eq!(edited[0]["name"], "h2");
    assert_eq!(edited[0]["muted"], true);
    assert_eq!(edited[0]["subscriptions"].as_array().unwrap().len(), 1);
    let missing = place.run(&["account", "test", "home"]).failed(1);
    assert!(
        missing.err.contains("h2"),
        "names those there are: {}",
        missing.err
    );
    place.run(&["account", "remove", "h2"]).ok();
    assert_eq!(place.run(&["account", "list", "--json"]).ok().out, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_comes_by_standard_input_and_only_a_token_is_kept_where_it_was_put() {
    let place = Place::new();
    let server = server().await;
    let url = server.url();
    let add = [
        "account",
        "add",
        &url,
        "--topic",
        "private",
        "--user",
        "ada",
        "--password-stdin",
    ];
    let without_keyring = place.run_with("marker-password\n", &add).failed(1);
    assert!(
        without_keyring.err.contains("--secrets file"),
        "{}",
        without_keyring.err
    );
    assert!(place.files_with("marker-password").is_empty());
    let memory = [&add[..], &["--secrets", "memory"]].concat();
    let memory = place.run_with("marker-password\n", &memory).failed(1);
    assert!(memory.err.contains("not running"), "{}", memory.err);
    let file = [&add[..], &["--secrets", "file"]].concat();
    let added = place.run_with("marker-password\n", &file).ok();
    assert!(!added.out.contains("marker"), "{added:?}");
    // The server made a token of it.
    assert!(place.files_with("marker-password").is_empty());
    let kept = place.files_with("tk_");
    assert_eq!(kept, [place.profile().join("data/secrets.json")]);
    let name = place.run(&["account", "list", "--json"]).ok().objects()[0]["name"].clone();
    let sent = place
        .run(&["send", name.as_str().unwrap(), "private", "hello", "--json"])
        .ok();
    assert!(sent.objects()[0]["remote_id"].is_string());
    assert_eq!(server.kept().await.unwrap(), 1);
    let asked = place
        .run(&["account", "add", &url, "--user", "ada"])
        .failed(2);
    assert!(asked.err.contains("--password-stdin"), "{}", asked.err);
}

#[test]
fn an_empty_inbox_is_no_error_and_what_is_missing_is() {
    let place = Place::new();
    assert_eq!(place.run(&["list"]).ok().out, "");
    assert_eq!(place.run(&["list", "--json"]).ok().out, "");
    let status = place.run(&["status", "--json"]).ok();
    assert_eq!(status.objects()[0]["counts"]["unread"], 0);
    assert!(status.err.contains("not running"));
    for missing in [
        &["show", "7"][..],
        &["why", "7"],
        &["account", "remove", "x"],
        &["send", "x", "t", "b"],
    ] {
        place.run(missing).failed(1);
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_so_on_standard_error() {
    let place = Place::new();
    for wrong in [
        &["nonsense"][..],
        &["read"],
        &["pause", "soon"],
        &["send", "a", "t", "b", "--priority", "9"],
        &["account", "add"],
        &["list", "--limit", "x"],
    ] {
        place.run(wrong).failed(2);
    }
    assert!(!place.profile().exists(), "nothing was made");
    let help = place.run(&["--help"]).ok();
    assert!(help.out.contains("account") && help.err.is_empty());
    assert_eq!(
        place.run(&["--version"]).ok().out,
        format!("tidings {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn what_needs_a_resident_says_how_to_start_one() {
    let place = Place::new();
    for command in [&["watch"][..], &["pause", "1h"]] {
        let ended = place.run(command).failed(1);
        assert!(ended.err.contains("tidings daemon"), "{}", ended.err);
    }
    place.run(&["quit"]).ok();
}

#[test]
fn a_profile_that_cannot_be_used_is_said_in_words() {
    let place = Place::new();
    let file = place.profile();
    std::fs::write(&file, "in the way").unwrap();
    let ended = place.run(&["list"]).failed(1);
    assert!(ended.err.contains("--profile"), "{}", ended.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "in the way");
    let homeless = place
        .command(&["list"])
        .env_remove("HOME")
        .env_remove("TIDINGS_PROFILE")
        .output()
        .unwrap();
    let words = String::from_utf8(homeless.stderr).unwrap();
    assert_eq!(homeless.status.code(), Some(1));
    assert!(words.contains("HOME"), "{words}");
}

#[test]
fn a_database_that_is_none_or_newer_loses_nothing() {
    let place = Place::new();
    place.run(&["status"]).ok();
    let database = place.profile().join("data/inbox.db");
    std::fs::write(&database, "this is no database, but somebody's bytes").unwrap();
    let status = place.run(&["status", "--json"]).ok();
    let notices = status.objects()[0]["notices"].to_string();
    assert!(notices.contains("moved aside"), "{notices}");
    assert_eq!(place.files_with("somebody's bytes").len(), 1);
}

#[test]
fn nobody_reading_on_is_no_failure() {
    let place = Place::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = place
        .command(&["completions", "bash"])
        .stdout(Stdio::from(writer))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stderr.is_empty());
}

#[test]
fn completions_and_manual_are_printed_without_a_profile() {
    let place = Place::new();
    for (shell, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef tidings"),
        ("fish", "complete -c tidings"),
    ] {
        let printed = place.run(&["completions", shell]).ok();
        assert!(printed.out.contains(mark), "{shell}");
        assert!(
            printed.out.contains("until") || printed.out.contains("pause"),
            "{shell}"
        );
    }
    let manual = place.run(&["man"]).ok().out;
    assert!(manual.contains(".TH tidings 1"), "{manual}");
    for word in [
        "TIDINGS ACCOUNT ADD",
        "password\\-stdin",
        "critical\\-rings",
    ] {
        assert!(manual.contains(word), "{word}");
    }
    assert!(!place.profile().exists());
}

#[test]
fn preferences_are_tried_out_without_a_resident_a_database_or_a_clock() {
    let place = Place::new();
    let file = place.folder().join("preferences.json");
    let night = r#"{"quiet":{"schedules":[{"days":["mon"],"from":"22:00","to":"07:00"}]}}"#;
    std::fs::write(&file, night).unwrap();
    let file = file.to_str().unwrap();
    let check = |events: &str, more: &[&str]| {
        let arguments = [
            "policy",
            "check",
            "--preferences",
            file,
            "--zone",
            "Europe/Berlin",
        ];
        place.run_with(events, &[&arguments[..], more].concat())
    };
    let mail = r#"{"now":"2026-03-02T22:30:00+01:00","notification":{"id":"mail","title":"Mail"}}"#;
    let morning = r#"{"now":"2026-03-03T08:00:00+01:00"}"#;
    let said = check(&format!("{mail}\n\n{morning}\n"), &["--json"])
        .ok()
        .objects();
    let told: Vec<_> = said
        .iter()
        .map(|line| (&line["what"], &line["at"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("verdict"), &json!("2026-03-02T21:30:00Z")),
            (&json!("verdict"), &json!("2026-03-03T06:00:00Z")),
            (&json!("toast"), &json!("2026-03-03T06:00:00Z")),
        ]
    );
    assert_eq!(said[0]["until"], "2026-03-03T06:00:00Z");
    // What is no event is told, the rest is done, and the code says so.
    let partly = check(&format!("nonsense\n{mail}\n"), &[]);
    assert_eq!(partly.code, Some(1));
    assert!(
        partly.err.contains("Line 1 is not an event"),
        "{}",
        partly.err
    );
    assert!(partly.out.contains("mail: waits until"), "{}", partly.out);
    // What an administrator would set can be tried out by anybody.
    let mandates = place.folder().join("mandates.json");
    std::fs::write(&mandates, r#"{"mandatory":[{"server":"*.ex.test"},{}]}"#).unwrap();
    let drill =
        r#"{"now":"2026-03-02T12:00:00Z","notification":{"id":"drill","server":"a.ex.test"}}"#;
    let tried = check(drill, &["--mandates", mandates.to_str().unwrap(), "--json"]);
    assert_eq!(tried.code, Some(1));
    assert!(tried.err.contains("mandatory[1]"), "{}", tried.err);
    let trace = tried.objects()[0]["trace"].to_string();
    assert!(trace.contains("mandatory"), "{trace}");
    let nowhere = place.run(&[
        "policy",
        "check",
        "--preferences",
        "/nonexistent",
        "--zone",
        "UTC",
    ]);
    nowhere.failed(2);
    let no_zone = place.run(&[
        "policy",
        "check",
        "--preferences",
        file,
        "--zone",
        "Nowhere",
    ]);
    let no_zone = no_zone.failed(2);
    assert!(no_zone.err.contains("No time zone is called “Nowhere”"));
    // It left nothing behind.
    assert!(!place.profile().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clients_settings_are_looked_at_and_then_taken_over() {
    let place = Place::new();
    let server = server().await;
    let file = place.folder().join("client.yml");
    let text = format!(
        "default-host: {}\nsubscribe:\n  - topic: builds\n    command: echo\n  - topic: alerts\n    token: tk_marker_secret\n",
        server.url()
    );
    std::fs::write(&file, text).unwrap();
    let import = ["account", "import", file.to_str().unwrap(), "--json"];
    let results = |more: &[&str]| {
        let done = place.run(&[&import[..], more].concat()).ok();
        assert!(done.err.contains("runs no programs"), "{}", done.err);
        assert!(!done.out.contains("marker_secret") && !done.err.contains("marker_secret"));
        let objects = done.objects().into_iter();
        objects
            .map(|one| one["result"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(results(&["--dry-run"]), ["added", "added"]);
    assert_eq!(place.run(&["account", "list", "--json"]).ok().out, "");
    assert_eq!(results(&["--secrets", "file"]), ["added", "added"]);
    assert_eq!(
        results(&["--from", "ntfy", "--secrets", "file"]),
        ["unchanged", "unchanged"]
    );
    let wrong = place
        .run(&[
            "account",
            "import",
            file.to_str().unwrap(),
            "--from",
            "gotify-tray",
        ])
        .failed(2);
    assert!(wrong.err.contains("no server"), "{}", wrong.err);

    let account = place.run(&["account", "list", "--json"]).ok().objects()[0]["id"].to_string();
    let edit = |more: &[&str]| {
        let edited = place.run(&[&["account", "edit", &account, "--json"], more].concat());
        edited.ok().objects()[0]["headers"].clone()
    };
    let secrets = ["--secrets", "file"];
    let with = [
        &secrets[..],
        &["--header", "X-One: 1", "--header", "X-Two: 2"],
    ]
    .concat();
    assert_eq!(edit(&with), json!(["X-One", "X-Two"]));
    assert_eq!(
        edit(&["--remove-header", "x-one", "--header", "X-Three: 3"]),
        json!(["X-Two", "X-Three"])
    );
    let unknown = place.run(&["account", "edit", &account, "--remove-header", "X-None"]);
    assert!(unknown.failed(1).err.contains("no extra header X-None"));
}
