//! ntfy's tests: recorded bytes, and scripted conversations.

mod account;
mod addresses;
mod conversation;
mod cursors;
mod messages;
mod publishing;
mod refusals;
mod script;

use std::fs;
use std::path::Path;

/// The lines of a file of recorded bytes.
fn recorded(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/backends/ntfy")
        .join(name);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}
