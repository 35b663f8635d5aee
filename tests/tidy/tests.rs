//! The rules on text that breaks them, and on text that only seems to.

use crate::{rules::check, source::Source};

fn complaints(path: &str, text: &str) -> Vec<String> {
    check(&[Source::new(path, text)])
}

#[track_caller]
fn bad(path: &str, text: &str, expected: &str) {
    let found = complaints(path, text);
    assert!(
        found.iter().any(|complaint| complaint.contains(expected)),
        "expected {expected:?} about\n{text}\nfound {found:?}"
    );
}

#[track_caller]
fn good(path: &str, text: &str) {
    let found = complaints(path, text);
    assert!(found.is_empty(), "{found:?} about\n{text}");
}

#[test]
fn rooms_know_only_their_neighbours() {
    let policy = "src-tauri/core/src/policy/rules.rs";
    bad(
        policy,
        "use crate::store::Inbox;",
        "rules.rs:1: policy may not know store",
    );
    bad(
        policy,
        "use crate::{model::Tier, transport::{A, B}};",
        "policy may not know transport",
    );
    bad(
        policy,
        "use crate::{\n  model::{Tier, Row},\n  engine,\n};",
        "policy may not know engine",
    );
    bad(
        policy,
        "\n\nuse super::super::backend::Draft;",
        "rules.rs:3: policy may not know backend",
    );
    bad(
        policy,
        "fn f(a: &crate::ports::Power) {}",
        "policy may not know ports",
    );
    bad(
        "src-tauri/core/src/policy/mod.rs",
        "use super::store;",
        "policy may not know store",
    );
    bad(
        "src-tauri/core/src/policy.rs",
        "use super::{model, store};",
        "policy may not know store",
    );
    bad(
        "src-tauri/core/src/transport/sse.rs",
        "use crate::backend::Session;",
        "transport may not know backend",
    );
    bad(
        "src-tauri/core/src/backend/ntfy/codec.rs",
        "use crate::transport::Frame;",
        "backend may not know transport",
    );
    bad(
        "src-tauri/core/src/store/inbox.rs",
        "use crate::policy::Verdict;",
        "store may not know policy",
    );
    bad(
        "src-tauri/core/src/model/row.rs",
        "use crate::settings::Preferences;",
        "model may not know settings",
    );

    good(
        policy,
        "use crate::{model::Tier, policy::Verdict, text};\nuse super::decide;",
    );
    good(
        policy,
        "// use crate::store::Inbox;\n/* crate::store /* too */ */\nconst A: &str = \"crate::store\";",
    );
    good(
        policy,
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    use crate::store::Inbox;\n}",
    );
    good(
        "src-tauri/core/src/policy/tests.rs",
        "use crate::store::Inbox;",
    );
    good(
        "src-tauri/core/src/engine/ingest.rs",
        "use crate::{policy, store, transport, backend};",
    );
    good(
        "src-tauri/core/src/policy/deep/er.rs",
        "use super::super::store;",
    );
}

#[test]
fn rooms_keep_off_what_is_not_theirs() {
    bad(
        "src-tauri/core/src/policy/mod.rs",
        "use tokio::time;",
        "policy may not use tokio",
    );
    bad(
        "src-tauri/core/src/backend/ntfy/mod.rs",
        "async fn f() { tokio::time::pause().await }",
        "backend may not use tokio",
    );
    bad(
        "src-tauri/core/src/backend/ntfy/mod.rs",
        "use std::time::{Duration, Instant};",
        "backend has no clock",
    );
    bad(
        "src-tauri/core/src/policy/mod.rs",
        "let a = std::time::SystemTime::now();",
        "policy has no clock",
    );
    bad(
        "src-tauri/core/src/store/mod.rs",
        "use ::reqwest::Client;",
        "store may not use reqwest",
    );
    bad(
        "src-tauri/core/src/engine/mod.rs",
        "use rusqlite::Connection;",
        "rusqlite belongs into",
    );
    bad(
        "src-tauri/resident/src/wiring.rs",
        "use zbus::Connection;",
        "zbus belongs into",
    );
    bad(
        "src-tauri/resident/src/wiring.rs",
        "use ksni;",
        "ksni belongs into",
    );
    bad(
        "src-tauri/resident/src/cli/account.rs",
        "let e = keyring::Entry::new();",
        "keyring belongs into",
    );

    good(
        "src-tauri/core/src/backend/ntfy/mod.rs",
        "use std::time::Duration;\nuse jiff::Timestamp;",
    );
    good(
        "src-tauri/core/src/store/mod.rs",
        "use rusqlite::Connection;",
    );
    good(
        "src-tauri/core/src/transport/http.rs",
        "use reqwest::Client;",
    );
    good(
        "src-tauri/resident/src/os/tray.rs",
        "use ksni::Tray;\nuse zbus::Connection;",
    );
    good(
        "src-tauri/resident/src/wiring.rs",
        "use crate::os::{keyring::Keyring, zbus};",
    );
    good(
        "src-tauri/resident/src/wiring.rs",
        "let secrets = os::keyring::open();",
    );
}

#[test]
fn sql_stays_in_the_stores() {
    let engine = "src-tauri/core/src/engine/view.rs";
    bad(
        engine,
        "let q = \"SELECT id FROM notification\";",
        "SQL (SELECT)",
    );
    bad(
        engine,
        "let q = r#\"\n   UPDATE a SET b = 1\"#;",
        "SQL (UPDATE)",
    );
    bad(
        "src-tauri/server/src/http.rs",
        "db.execute(\"DELETE FROM message\", [])",
        "SQL (DELETE FROM)",
    );
    bad(
        "src-tauri/resident/src/main.rs",
        "let a = ('\"', \"PRAGMA user_version\");",
        "SQL (PRAGMA)",
    );

    good(
        "src-tauri/core/src/store/inbox.rs",
        "let q = \"SELECT id FROM notification\";",
    );
    good(
        "src-tauri/server/src/store.rs",
        "let q = \"SELECT id FROM message\";",
    );
    good(engine, "let words = \"Select all\"; // \"SELECT 1\"");
    good("tests/store/old.rs", "let q = \"SELECT 1\";");
}

#[test]
fn only_one_file_of_the_ui_knows_tauri() {
    let import = "import { invoke } from \"@tauri-apps/api/core\";\n";
    bad(
        "ui/src/views/inbox/List.svelte",
        import,
        "only lib/api/tauri.ts knows Tauri",
    );
    bad(
        "ui/src/lib/api/index.ts",
        "const a = await import('@tauri-apps/api');",
        "only lib/api/tauri.ts",
    );
    bad(
        "ui/src/main.ts",
        "import type { Row } from '../../src-tauri/Row';",
        "taken from Rust",
    );
    good("ui/src/lib/api/tauri.ts", import);
    good(
        "ui/src/lib/api/fake.ts",
        "// what @tauri-apps would do\nimport type { Row } from '../bindings/Row';",
    );
}

#[test]
fn manifests_ask_for_nothing_they_may_not_have() {
    bad(
        "Cargo.toml",
        "[dependencies]\nrusqlite.workspace = true",
        "may not depend on rusqlite",
    );
    bad(
        "Cargo.toml",
        "[target.'cfg(unix)'.dependencies]\nkeyring = \"4\"",
        "may not depend on keyring",
    );
    bad(
        "src-tauri/core/Cargo.toml",
        "[dependencies]\ntauri = { version = \"2\" }",
        "may not depend on tauri",
    );
    bad(
        "src-tauri/xtask/Cargo.toml",
        "[dependencies]\nclap = \"4\"",
        "depends on nothing",
    );
    good(
        "Cargo.toml",
        "[dependencies]\ntauri = \"2\"\n[workspace.dependencies]\nrusqlite = \"0.40\"",
    );
    good(
        "src-tauri/core/Cargo.toml",
        "[dependencies]\nrusqlite.workspace = true",
    );
    good(
        "src-tauri/xtask/Cargo.toml",
        "[package]\nname = \"xtask\"\n\n[lints]\nworkspace = true",
    );
}

#[test]
fn finished_means_finished() {
    let anywhere = "src-tauri/api/src/lib.rs";
    for mark in [concat!("TO", "DO"), concat!("FIX", "ME")] {
        bad(anywhere, &format!("// {mark}: later"), mark);
        bad("ui/src/app.css", &format!("/* {mark} */"), mark);
    }
    bad(
        anywhere,
        concat!("fn f() { to", "do!() }"),
        concat!("to", "do!"),
    );
    bad(
        anywhere,
        concat!("let a = db", "g!(b);"),
        concat!("db", "g!"),
    );
    bad(
        anywhere,
        concat!("fn f() { unimpl", "emented!(\"no\") }"),
        "does not belong",
    );
    bad(
        "README.md",
        concat!("see /wo", "rk/main/README"),
        "somebody's machine",
    );
    bad(".ci/run", concat!("cd /ro", "ot/x"), "somebody's machine");
    bad(anywhere, "pub struct AccountManager;", "AccountManager");
    bad(anywhere, "mod utils;", "utils");
    good(
        anywhere,
        "struct Secrets; // the Secret Service\nlet path = dirs.join(\"home/work/x\");",
    );
    good("ui/package-lock.json", concat!("\"TO", "DO\""));
}

#[test]
fn files_stay_short() {
    let line = "fn a() {}\n";
    let long = line.repeat(601);
    bad("src-tauri/core/src/lib.rs", &long, "601 lines");
    bad("ui/src/App.svelte", &long, "601 lines");
    good("src-tauri/core/src/lib.rs", &line.repeat(600));
    let tests = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", line.repeat(500));
    good("src-tauri/core/src/lib.rs", &tests);
    good("src-tauri/core/src/store/tests.rs", &long);
    good("tests/e2e/journey.rs", &long);
    good("ui/src/lib/bindings/Row.ts", &long);
}

#[test]
fn text_is_cut_where_rust_cuts_it() {
    let source = Source::new(
        "a.rs",
        "let a = 'x'; let b: &'static str = \"one\\\" // no\"; // two \"three\"\nlet c = br#\"fo\"ur\"#;\nlet d = '\"'; let e = \"f\nive\"; let e2 = '\\''; let r#type = \"six\";",
    );
    let strings: Vec<&str> = source
        .strings
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    assert_eq!(strings, ["one\\\" // no", "fo\"ur", "f\nive", "six"]);
    assert_eq!(source.strings[2].0, 3);
    assert_eq!(source.code.lines().count(), 4);
    assert!(source.code.contains("let b: &'static str ="));
    assert!(!source.code.contains("two"));
}
