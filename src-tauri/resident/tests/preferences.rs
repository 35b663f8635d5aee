//! The preferences on the command line: one tree, its documents, and what they would have done.

use crate::support::{Ended, LIMIT, Place, server};
use serde_json::{Value, json};
use tidings_api::Event;

/// A profile with an account of one topic; the number of each.
async fn with_account(name: &str, topics: &[&str]) -> (Place, tidings_server::Server) {
    let place = Place::new();
    let server = server().await;
    let url = server.url();
    let mut line = vec!["account", "add", &url, "--name", name];
    for topic in topics {
        line.extend(["--topic", topic]);
    }
    place.run(&line).ok();
    (place, server)
}

fn value(ended: &Ended) -> Value {
    ended.objects()[0]["value"].clone()
}

#[test]
fn one_tree_is_read_and_set_value_by_value() {
    let place = Place::new();
    let all = place.run(&["config", "get"]).ok();
    assert!(all.out.contains("limits.overall = 12\n"), "{}", all.out);
    assert!(
        all.out.contains("app.appearance = \"system\"\n"),
        "{}",
        all.out
    );
    let set = place.run(&["config", "set", "limits.overall", "7"]).ok();
    assert_eq!(
        (set.out.as_str(), set.err.as_str()),
        ("", "limits.overall: 12 → 7\n")
    );
    assert_eq!(
        place.run(&["config", "get", "limits.overall"]).ok().out,
        "7\n"
    );
    // A word is a text, and the settings of the app are in the same tree.
    let dark = place
        .run(&["config", "set", "app.appearance", "dark", "--json"])
        .ok();
    assert_eq!(
        dark.objects()[0]["changes"],
        json!([{"at": "app.appearance", "before": "system", "after": "dark"}])
    );
    assert_eq!(
        place.run(&["config", "get", "app.appearance"]).ok().out,
        "dark\n"
    );
    let night = r#"{"name":"Night","days":["mon"],"from":"22:00","to":"07:00"}"#;
    place
        .run(&["config", "set", "quiet.schedules[0]", night])
        .ok();
    place
        .run(&["config", "set", "quiet.schedules[0].from", "23:00"])
        .ok();
    let from = place
        .run(&["config", "get", "quiet.schedules[0].from", "--json"])
        .ok();
    assert_eq!(
        from.objects(),
        [json!({"path": "quiet.schedules[0].from", "value": "23:00"})]
    );
    // Nothing is there, though it may be.
    place
        .run(&["config", "get", "quiet.schedules[0].skip"])
        .failed(1);
    place.run(&["config", "unset", "limits.overall"]).ok();
    place.run(&["config", "unset", "quiet.schedules[0]"]).ok();
    let quiet = place.run(&["config", "get", "--json"]).ok();
    assert_eq!(value(&quiet)["limits"]["overall"], 12);
    assert_eq!(value(&quiet)["quiet"]["schedules"], json!([]));
}

#[test]
fn a_wrong_place_or_value_changes_nothing_and_says_what_may_be_there() {
    let place = Place::new();
    let before = place.run(&["config", "export"]).ok().out;
    for (line, says) in [
        (
            &["config", "get", "limits.overal"][..],
            "critical, fold_seconds, overall",
        ),
        (
            &["config", "set", "limits.overal", "7"],
            "critical, fold_seconds, overall",
        ),
        (
            &["config", "set", "limits.overall", "-1"],
            "a whole number, 0 or more",
        ),
        (
            &["config", "set", "app.appearance", "pink"],
            "one of system, light, dark",
        ),
        (
            &["config", "set", "app.keep_count", "0"],
            "a whole number, 1 or more",
        ),
        (
            &["config", "set", "quiet.zone", "Mars"],
            "No time zone is called “Mars”",
        ),
        (&["config", "set", "rows[3]", "{}"], "rows is empty"),
        (
            &["config", "set", "rows[0]", r#"{"account":4,"mute":true}"#],
            "no account 4",
        ),
        (
            &[
                "config",
                "set",
                "rules[0]",
                r#"{"text":{"how":"regex","text":"("},"then":{"what":"mute"}}"#,
            ],
            "regular expression",
        ),
        (&["config", "unset", "rules[0]"], "rules is empty"),
        (&["config", "set", "limits..x", "7"], "limits.overall"),
    ] {
        let refused = place.run(line).failed(2);
        assert!(refused.err.contains(says), "{line:?}: {}", refused.err);
    }
    assert_eq!(place.run(&["config", "export"]).ok().out, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_carried_to_another_computer_by_names() {
    let (here, server) = with_account("home", &["alerts", "builds"]).await;
    let account = here.run(&["account", "list", "--json"]).ok().objects()[0].clone();
    let number = |topic: &str| {
        let all = account["subscriptions"].as_array().unwrap();
        all.iter().find(|one| one["topic"] == topic).unwrap()["id"].clone()
    };
    for (at, topic) in [("rows[0]", "builds"), ("rows[1]", "alerts")] {
        let row =
            json!({"account": account["id"], "subscription": number(topic), "toast": "digest"});
        here.run(&["config", "set", at, &row.to_string()]).ok();
    }
    here.run(&["config", "set", "limits.overall", "7"]).ok();
    let file = here.folder().join("preferences.json");
    let file = file.to_str().unwrap();
    here.run(&["config", "export", file]).ok();
    assert_eq!(here.run(&["config", "import", file]).ok().out, "");

    // There the same account has another number, another name, and not all of the topics.
    let there = Place::new();
    there.run(&[
        "account",
        "add",
        "http://127.0.0.1:9/",
        "--kind",
        "ntfy",
        "--topic",
        "x",
    ]);
    let url = server.url();
    there
        .run(&[
            "account", "add", &url, "--name", "office", "--topic", "zzz", "--topic", "builds",
        ])
        .ok();
    let looked = there
        .run(&["config", "import", file, "--dry-run", "--json"])
        .ok();
    let report = &looked.objects()[0];
    assert_eq!(report["taken"], false);
    assert_eq!(report["kept_back"][0]["at"], "rows[1]");
    assert!(
        looked.err.contains("no subscription “alerts” here"),
        "{}",
        looked.err
    );
    assert_eq!(
        there.run(&["config", "get", "limits.overall"]).ok().out,
        "12\n"
    );
    let taken = there
        .run(&["config", "import", file, "--json"])
        .ok()
        .objects();
    assert_eq!(taken[0]["taken"], true);
    let rows = value(&there.run(&["config", "get", "rows", "--json"]).ok());
    let accounts = there.run(&["account", "list", "--json"]).ok().objects();
    let office = accounts.iter().find(|one| one["name"] == "office").unwrap();
    let subscriptions = office["subscriptions"].as_array().unwrap();
    let builds = subscriptions
        .iter()
        .find(|one| one["topic"] == "builds")
        .unwrap();
    assert_eq!(
        rows,
        json!([{"account": office["id"], "subscription": builds["id"], "toast": "digest"}])
    );
}

#[test]
fn a_document_of_which_something_would_be_lost_is_taken_only_if_that_is_wanted() {
    let place = Place::new();
    let file = place.folder().join("broken.json");
    let broken = r#"{"limits": {"overal": 1, "overall": 5}, "quiet": {"zone": "Mars"}, "rules": [{"then": {}}], "app": {"keep_days": 3}}"#;
    std::fs::write(&file, broken).unwrap();
    let import = |more: &[&str]| {
        let line = [&["config", "import", file.to_str().unwrap()], more].concat();
        place.run(&line)
    };
    let before = place.run(&["config", "export"]).ok().out;
    for more in [&[][..], &["--dry-run"], &["--json"]] {
        let refused = import(more).failed(1);
        for says in [
            "limits.overal is nothing",
            "rules[0]",
            "“Mars”",
            "--lenient",
        ] {
            assert!(refused.err.contains(says), "{says}: {}", refused.err);
        }
    }
    assert_eq!(place.run(&["config", "export"]).ok().out, before);
    let taken = import(&["--lenient"]).ok();
    assert!(
        taken.out.contains("limits.overall: 12 → 5\n"),
        "{}",
        taken.out
    );
    assert!(
        taken.out.contains("app.keep_days: 90 → 3\n"),
        "{}",
        taken.out
    );
    // Settings that cannot hold keep the preferences beside them out, too.
    let half = r#"{"limits": {"overall": 2}, "app": {"keep_count": 0}}"#;
    let half = place.run_with(half, &["config", "import", "-", "--lenient"]);
    assert!(half.failed(2).err.contains("At least one"));
    // What is no document at all is never taken.
    for (text, code) in [("nonsense", 2), ("[]", 2)] {
        place
            .run_with(text, &["config", "import", "-", "--lenient"])
            .failed(code);
    }
    assert_eq!(
        place.run(&["config", "get", "limits.overall"]).ok().out,
        "5\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_resident_it_is_the_same_and_what_came_can_be_tried_snoozed_and_explained() {
    let (place, server) = with_account("home", &["alerts"]).await;
    let mut daemon = place.start(&["daemon"]).await;
    place.run(&["config", "set", "limits.overall", "9"]).ok();
    assert_eq!(
        place.run(&["config", "get", "limits.overall"]).ok().out,
        "9\n"
    );
    let client = place.client().await;
    let mut events = client.watch().await.unwrap();
    let mut arrived = async || {
        while !matches!(events.next().await, Some(Event::Arrived { .. })) {}
    };
    for (title, priority) in [("Disk full", "4"), ("Mail", "3")] {
        place
            .run(&[
                "send",
                "home",
                "alerts",
                "text",
                "--title",
                title,
                "--priority",
                priority,
            ])
            .ok();
        tokio::time::timeout(LIMIT, arrived())
            .await
            .expect("it arrives");
    }
    let listed = place.run(&["list", "--json"]).ok().objects();
    let ids: Vec<String> = listed.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids.len(), 2);

    let file = place.folder().join("others.json");
    std::fs::write(&file, r#"{"tiers": {"important": {"toast": "off"}}}"#).unwrap();
    let others = [
        "policy",
        "simulate",
        "--preferences",
        file.to_str().unwrap(),
    ];
    let tried = place.run(&others).ok();
    let first = tried.out.lines().next().unwrap();
    assert_eq!(
        first,
        "last 7 days: 2 notifications → 0 toasts, 0 digests (now: 2)"
    );
    assert!(
        tried.out.contains("Disk full") && tried.out.contains("→ No toast"),
        "{}",
        tried.out
    );
    let tried = place
        .run(&[&others[..], &["--json", "--days", "1"]].concat())
        .ok()
        .objects();
    assert_eq!(
        (&tried[0]["then"]["silent"], &tried[0]["different"]),
        (&json!(2), &json!(2))
    );
    let present = place.run(&["policy", "simulate"]).ok().out;
    assert!(
        present.starts_with("last 7 days: 2 notifications → 2 toasts, 0 digests\n"),
        "{present}"
    );

    let why = place
        .run(&["why", &ids[0], &ids[1], "--json"])
        .ok()
        .objects();
    let whole = place.run(&["why", "--all", "--json"]).ok().objects();
    assert_eq!((why.len(), whole.len()), (2, 2));
    assert_eq!(whole[0]["title"], "Disk full");
    assert_eq!(whole[0]["lines"], why[1]["lines"]);
    let found = place
        .run(&["why", "--all", "--search", "mail", "--days", "2", "--json"])
        .ok();
    assert_eq!(found.objects().len(), 1);
    assert_eq!(found.objects()[0]["id"].to_string(), ids[0]);

    place.run(&["snooze", &ids[0], "--for", "2h"]).ok();
    place.run(&["snooze", &ids[1], "--unlock"]).ok();
    assert_eq!(place.run(&["list", "--json"]).ok().out, "");
    assert_eq!(
        place
            .run(&["list", "--snoozed", "--json"])
            .ok()
            .objects()
            .len(),
        2
    );
    assert_eq!(
        place
            .run(&["list", "--search", "is:snoozed", "--json"])
            .ok()
            .objects()
            .len(),
        2
    );
    place
        .run(&["snooze", &ids[0], "--until", "2001-01-01"])
        .failed(2);
    place.run(&["pause", "1h"]).ok();
    let status = place.run(&["status", "--json"]).ok().objects();
    assert_eq!(status[0]["held"][0]["cause"], "snooze");
    assert_eq!(
        (&status[0]["quiet"], &status[0]["around"]),
        (&json!(null), &json!([]))
    );
    let bar = place.run(&["status", "--waybar"]).ok().objects();
    assert_eq!(
        (&bar[0]["text"], &bar[0]["alt"]),
        (&json!("0"), &json!("paused"))
    );
    place.run(&["snooze", &ids[0], "--off"]).ok();
    place.run(&["snooze", "--all", "--off"]).ok();
    assert_eq!(
        place
            .run(&["list", "--unread", "--json"])
            .ok()
            .objects()
            .len(),
        2
    );
    daemon.end(true).await;
    let stopped = place.run(&["status", "--waybar"]).ok().objects();
    assert_eq!(
        (&stopped[0]["text"], &stopped[0]["alt"]),
        (&json!("2"), &json!("stopped"))
    );
    drop(server);
}
