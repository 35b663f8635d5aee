//! Gotify's tests: derived bytes, and conversations with a server in memory.

mod addresses;
mod conversation;
mod messages;
mod refusals;
mod world;

use std::fs;
use std::path::Path;

/// A file of bytes as a server sends them.
fn recorded(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/backends/gotify")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
