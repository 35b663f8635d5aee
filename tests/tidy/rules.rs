//! The rules themselves.

use crate::source::{Source, whole_words};

/// How long a file may be, without its tests, before it has to be cut.
const LONGEST: usize = 600;

const CORE: &str = "src-tauri/core/src/";

/// The rooms of the core, and which other rooms each may know. The engine knows all of them.
const ROOMS: [(&str, &[&str]); 9] = [
    ("text", &[]),
    ("picture", &[]),
    ("model", &["text"]),
    ("policy", &["model", "text"]),
    ("settings", &["model", "text"]),
    ("store", &["model", "text"]),
    ("transport", &["model", "ports", "text"]),
    ("backend", &["model", "text"]),
    ("import", &["model", "text"]),
];

/// What the rooms may not take from outside: whatever does I/O belongs to one of them alone.
const FOREIGN_TO_ROOMS: [(&str, &[&str]); 8] = [
    (
        "picture",
        &[
            "tokio",
            "reqwest",
            "rusqlite",
            "tokio_tungstenite",
            "tidings_api",
            "url",
        ],
    ),
    (
        "text",
        &[
            "tokio",
            "reqwest",
            "rusqlite",
            "tokio_tungstenite",
            "tidings_api",
        ],
    ),
    (
        "model",
        &["tokio", "reqwest", "rusqlite", "tokio_tungstenite"],
    ),
    (
        "policy",
        &[
            "tokio",
            "reqwest",
            "rusqlite",
            "tokio_tungstenite",
            "futures_util",
            "tidings_api",
            "tracing",
            "url",
        ],
    ),
    (
        "backend",
        &[
            "tokio",
            "reqwest",
            "reqwest_eventsource",
            "rusqlite",
            "tokio_tungstenite",
            "futures_util",
            "tidings_api",
        ],
    ),
    (
        "import",
        &["tokio", "reqwest", "rusqlite", "tidings_api", "tracing"],
    ),
    ("store", &["reqwest", "tokio_tungstenite"]),
    ("transport", &["rusqlite", "tidings_api"]),
];

/// Crates that may appear below one folder only, for what is below the first one.
const KEPT_IN: [(&str, &str, &[&str]); 5] = [
    (CORE, "src-tauri/core/src/picture/", &["image"]),
    (
        "src-tauri/resident/",
        "src-tauri/resident/src/os/",
        &[
            "zbus",
            "ksni",
            "keyring",
            "keyring_core",
            "notify_rust",
            "auto_launch",
        ],
    ),
    (
        CORE,
        "src-tauri/core/src/store/",
        &["rusqlite", "rusqlite_migration"],
    ),
    (CORE, "src-tauri/core/src/import/", &["saphyr_parser"]),
    (
        CORE,
        "src-tauri/core/src/transport/",
        &["reqwest", "reqwest_eventsource", "tokio_tungstenite"],
    ),
];

/// What a manifest may not ask for.
const MANIFESTS: [(&str, &[&str]); 6] = [
    (
        "Cargo.toml",
        &[
            "rusqlite",
            "reqwest",
            "keyring",
            "tokio-tungstenite",
            "notify-rust",
            "ksni",
            "tidings-core",
            "tidings-server",
        ],
    ),
    (
        "src-tauri/core/Cargo.toml",
        &[
            "tauri",
            "zbus",
            "ksni",
            "keyring",
            "notify-rust",
            "auto-launch",
            "tidings-server",
        ],
    ),
    (
        "src-tauri/api/Cargo.toml",
        &[
            "tauri",
            "rusqlite",
            "reqwest",
            "zbus",
            "keyring",
            "tidings-core",
        ],
    ),
    (
        "src-tauri/server/Cargo.toml",
        &["tauri", "zbus", "keyring", "tidings-core"],
    ),
    (
        "src-tauri/resident/Cargo.toml",
        &["tauri", "gtk", "webkit2gtk"],
    ),
    (
        "src-tauri/eventsource-stream/Cargo.toml",
        &["tokio", "reqwest", "tidings-core"],
    ),
];

/// How a statement in SQL begins.
const SQL: [&str; 16] = [
    "ALTER TABLE ",
    "ATTACH ",
    "BEGIN ",
    "CREATE ",
    "DELETE FROM ",
    "DROP ",
    "EXPLAIN ",
    "INSERT INTO ",
    "INSERT OR ",
    "PRAGMA ",
    "REPLACE INTO ",
    "ROLLBACK",
    "SAVEPOINT ",
    "SELECT ",
    "UPDATE ",
    "WITH ",
];

/// Names that say nothing about what a thing is.
const EMPTY_NAMES: [&str; 5] = ["Manager", "Service", "Helper", "Util", "Processor"];

/// Marks of unfinished work; written so that this file has none.
const UNFINISHED: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Where somebody's own machine shows. The home of an example person is fine in documentation.
const MACHINES: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/tm", "p/t/"),
];

/// All complaints about `files`, each as `path:line: what is wrong`.
pub fn check(files: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let mut found = Vec::new();
        everywhere(file, &mut found);
        if file.ending() == "rs" {
            rust(file, &mut found);
            if !file.is_test() {
                imports(file, &mut found);
                sql(file, &mut found);
            }
        }
        if file.path.starts_with("ui/src/") {
            web(file, &mut found);
        }
        if file.path.ends_with("Cargo.toml") {
            manifest(file, &mut found);
        }
        found.sort();
        found.dedup();
        complaints.extend(
            found
                .into_iter()
                .map(|(line, what)| format!("{}:{line}: {what}", file.path)),
        );
    }
    complaints
}

type Found = Vec<(usize, String)>;

fn everywhere(file: &Source, found: &mut Found) {
    let generated = file.path.ends_with("-lock.json") || file.path.contains("/bindings/");
    let program = ["rs", "ts", "js", "svelte", "css"].contains(&file.ending());
    let own = if file.ending() == "rs" {
        &file.code
    } else {
        &file.text
    };
    let length = own.trim_end().lines().count();
    if program && !file.is_test() && !generated && length > LONGEST {
        let what = format!("{length} lines are too many to read at once: at most {LONGEST}");
        found.push((length, what));
    }
    if generated {
        return;
    }
    for mark in UNFINISHED {
        for (line, _) in whole_words(&file.text, mark) {
            found.push((line, format!("{mark}: finish it, or write an issue")));
        }
    }
    for machine in MACHINES {
        for (at, _) in file.text.match_indices(machine) {
            let before = &file.text[..at];
            // `a/work/b` is somewhere inside the house.
            if !before
                .ends_with(|letter: char| letter.is_alphanumeric() || "._-}*".contains(letter))
            {
                let line = before.matches('\n').count() + 1;
                found.push((line, format!("{machine} is a path of somebody's machine")));
            }
        }
    }
}

fn rust(file: &Source, found: &mut Found) {
    for unfinished in [
        concat!("db", "g"),
        concat!("to", "do"),
        concat!("unimpl", "emented"),
    ] {
        for (line, rest) in file.words(unfinished) {
            if rest.starts_with('!') {
                found.push((
                    line,
                    format!("{unfinished}! does not belong into finished code"),
                ));
            }
        }
    }
    for item in ["struct", "enum", "trait", "type", "mod"] {
        for (line, rest) in file.words(item) {
            let name: String = rest
                .trim_start()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            for empty in EMPTY_NAMES {
                let small = empty.to_lowercase();
                if name.ends_with(empty) || name == small || name == format!("{small}s") {
                    found.push((
                        line,
                        format!("{name}: say what it is, not that it is a {small}"),
                    ));
                }
            }
        }
    }
}

fn imports(file: &Source, found: &mut Found) {
    if let Some(inside) = file.path.strip_prefix(CORE) {
        let room = inside
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs");
        if let Some((_, known)) = ROOMS.iter().find(|(name, _)| *name == room) {
            for (line, other) in file.rooms() {
                let is_room = ROOMS.iter().any(|(name, _)| *name == other)
                    || ["engine", "ports", "testing"].contains(&other.as_str());
                if is_room && other != room && !known.contains(&other.as_str()) {
                    found.push((line, format!("{room} may not know {other}")));
                }
            }
            if room != "transport" && room != "store" {
                for clock in ["Instant", "SystemTime"] {
                    for (line, _) in file.words(clock) {
                        found.push((
                            line,
                            format!("{room} has no clock: take the time as an argument"),
                        ));
                    }
                }
            }
        }
        if let Some((_, foreign)) = FOREIGN_TO_ROOMS.iter().find(|(name, _)| *name == room) {
            for name in *foreign {
                for line in uses(file, name) {
                    found.push((line, format!("{room} may not use {name}")));
                }
            }
        }
    }
    for (house, room, crates) in KEPT_IN {
        // The room may also be a single file.
        let file_of_room = format!("{}.rs", room.trim_end_matches('/'));
        if file.path.starts_with(house) && !file.path.starts_with(room) && file.path != file_of_room
        {
            for name in crates {
                for line in uses(file, name) {
                    found.push((line, format!("{name} belongs into {room}")));
                }
            }
        }
    }
}

/// The lines that name the crate `name`: as the start of a path, or alone in a `use`.
fn uses(file: &Source, name: &str) -> Vec<usize> {
    let before_of = |rest: &str| file.code.len() - rest.len() - name.len();
    file.words(name)
        .filter(|(_, rest)| {
            let before = file.code[..before_of(rest)].trim_end();
            let inside_a_path =
                before.ends_with("::") && !is_start_of_path(before) || is_in_group(before);
            let names_a_crate = rest.starts_with("::")
                || before.ends_with("use") && rest.trim_start().starts_with([';', 'a']);
            names_a_crate && !inside_a_path
        })
        .map(|(line, _)| line)
        .collect()
}

/// Whether `before` ends in the `::` that begins an absolute path.
fn is_start_of_path(before: &str) -> bool {
    let before = before.trim_end_matches("::");
    !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '>')
}

/// Whether `before` ends within the braces of a `use`.
fn is_in_group(before: &str) -> bool {
    let statement = before.rsplit(';').next().unwrap_or_default();
    statement
        .rsplit_once("use ")
        .is_some_and(|(_, path)| path.contains("::{"))
        && before.ends_with(['{', ','])
}

fn sql(file: &Source, found: &mut Found) {
    let allowed = [
        "src-tauri/core/src/store",
        "src-tauri/server/src/store",
        "src-tauri/bench/",
    ];
    if allowed.iter().any(|room| file.path.starts_with(room)) {
        return;
    }
    for (line, text) in &file.strings {
        let text = text.trim_start();
        if let Some(statement) = SQL.iter().find(|statement| text.starts_with(**statement)) {
            found.push((
                *line,
                format!("SQL ({}) belongs into a store", statement.trim()),
            ));
        }
    }
}

fn web(file: &Source, found: &mut Found) {
    for (number, line) in file.text.lines().enumerate() {
        let takes = line.contains("import") || line.contains(" from ") || line.contains("require(");
        if !takes {
            continue;
        }
        if line.contains("@tauri-apps") && file.path != "ui/src/lib/api/tauri.ts" {
            found.push((number + 1, "only lib/api/tauri.ts knows Tauri".to_owned()));
        }
        if line.contains("src-tauri") {
            found.push((
                number + 1,
                "the generated bindings are all that is taken from Rust".to_owned(),
            ));
        }
    }
}

fn manifest(file: &Source, found: &mut Found) {
    if file.path == "src-tauri/xtask/Cargo.toml" {
        let section = file.text.find("[dependencies]").map(|at| &file.text[at..]);
        let section = section.and_then(|section| section.lines().nth(1));
        if section.is_some_and(|line| !line.trim().is_empty() && !line.starts_with('[')) {
            let what = "xtask is compiled on a bare machine: it depends on nothing".to_owned();
            found.push((1, what));
        }
    }
    let Some((_, forbidden)) = MANIFESTS.iter().find(|(path, _)| *path == file.path) else {
        return;
    };
    let mut in_dependencies = false;
    for (number, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            let section = line.trim().trim_matches(['[', ']']);
            // The workspace's table offers to everybody; a test's dependencies are no program's.
            in_dependencies = section.ends_with("dependencies")
                && !section.starts_with("workspace")
                && !section.ends_with("dev-dependencies");
        }
        let name = line
            .split(['=', '.', ' '])
            .next()
            .unwrap_or_default()
            .trim();
        if in_dependencies && forbidden.contains(&name) {
            found.push((number + 1, format!("this package may not depend on {name}")));
        }
    }
}
