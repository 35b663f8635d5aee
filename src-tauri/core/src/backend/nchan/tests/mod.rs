//! Nchan's tests: recorded bytes, and conversations with a small model of the server.

mod anything;
mod conversation;
mod gaps;
mod names;
mod polling;
mod recorded;
mod refusals;
mod resume;
mod script;

use std::fs;
use std::path::Path;

/// A file of recorded bytes.
fn recording(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/backends/nchan")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
