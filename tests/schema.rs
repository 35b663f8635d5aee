//! The published schema is what the program reads.

use std::{fs, path::Path};

/// Where it is published.
const PUBLISHED: &str = "docs/preferences.schema.json";

#[test]
fn the_published_schema_is_that_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = root.join(PUBLISHED);
    let schema = schemars::schema_for!(tidings_api::preferences::Config);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&file).is_ok_and(|published| published == text),
        "{PUBLISHED} is not what the program reads: UPDATE_SCHEMA=1 cargo test -p tidings-tests --test schema"
    );
}
