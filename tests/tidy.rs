//! The rules of the house that neither Cargo nor clippy can hold: who may import whom, where SQL may
//! stand, how long a file may get. `docs/architecture.md` says why.

#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tests.rs"]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use source::Source;

/// Folders with nothing of ours in them.
const FOREIGN: [&str; 6] = [
    ".git",
    "dist",
    "gen",
    "node_modules",
    "screenshots",
    "target",
];

/// The endings of files that are read.
const TEXTS: [&str; 14] = [
    "css", "desktop", "html", "js", "json", "md", "rs", "sh", "spec", "sql", "svelte", "toml",
    "ts", "yml",
];

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    assert!(files.len() > 50, "only {} files were found", files.len());
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let complaints = rules::check(&files);
    assert!(
        complaints.is_empty(),
        "{} places are untidy:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !FOREIGN.contains(&name.as_str()) {
            collect(root, &path, files);
        }
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_file() && (TEXTS.contains(&ending.as_str()) || path.ends_with(".ci/run")) {
            // Somebody's editor may take a file away between the listing and the reading.
            if let Ok(text) = fs::read_to_string(&path) {
                let inside = path.strip_prefix(root).expect("a path below the root");
                files.push(Source::new(&inside.to_string_lossy(), &text));
            }
        }
    }
}
