//! The published forms of the preferences: the schema is that of the program, and what is written about it is so.

use std::{
    fs,
    path::{Path, PathBuf},
};
use tidings_api::preferences::Config;
use tidings_core::settings::config;

/// Where the schema is published.
const PUBLISHED: &str = "docs/preferences.schema.json";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_published_schema_is_that_of_the_program() {
    let file = root().join(PUBLISHED);
    let schema = schemars::schema_for!(Config);
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&file, &text).expect("a file that can be written");
    }
    let published = fs::read_to_string(&file).expect("a published schema");
    assert!(
        published == text,
        "{PUBLISHED} is not what the program reads: UPDATE_SCHEMA=1 cargo test -p tidings-tests --test schema"
    );
}

#[test]
fn the_defaults_conform() {
    let read = config::document(&config::text(&Config::default())).expect("a document");
    assert_eq!(read.problems, []);
}

/// The blocks of a page that are in a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).expect("a page");
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .map(|(block, _)| block.to_owned())
        .collect()
}

#[test]
fn the_documents_in_the_pages_are_taken_without_a_word() {
    let mut documents = blocks("docs/preferences.md", "json");
    assert!(documents.len() >= 8, "{} examples", documents.len());
    let policy = blocks("docs/policy.md", "json").into_iter();
    documents.extend(policy.filter(|block| block.contains("\"schedules\"")));
    for document in documents {
        let read = config::document(&document).unwrap_or_else(|one| panic!("{document}\n{one:?}"));
        assert_eq!(read.problems, [], "{document}");
    }
}

/// Every value that has a default stands in the page, with the default that it has.
#[test]
fn the_page_names_every_default() {
    let page = fs::read_to_string(root().join("docs/preferences.md")).expect("a page");
    let defaults = config::value(&Config::default());
    for (at, value) in config::leaves(&defaults, "") {
        let name = at.rsplit('.').next().unwrap_or(&at);
        let section = at.split('.').next().unwrap_or(&at);
        let heading = format!("## `{section}`");
        let part = page.split("\n## ").find(|part| {
            heading.ends_with(&format!("## {}", part.lines().next().unwrap_or_default()))
        });
        let part = part.unwrap_or_else(|| panic!("{heading} is there"));
        let value = value.to_string();
        let value = value.trim_matches('"');
        let told = part
            .lines()
            .any(|line| line.contains(&format!("`{name}`")) && line.contains(value));
        assert!(told, "{heading}: `{name}` with its default {value}");
    }
}

/// What the stories of the policy prefer is what a document may say.
#[test]
fn the_preferences_of_the_stories_conform() {
    let mut seen = 0;
    let files = fs::read_dir(root().join("tests/policy")).expect("the stories");
    for file in files
        .flatten()
        .filter(|file| file.path().extension().is_some_and(|end| end == "txt"))
    {
        let story = fs::read_to_string(file.path()).expect("a story");
        for line in story.lines() {
            let (path, value) = match line.split_once(' ') {
                Some(("prefer", rest)) => match rest.split_once('=') {
                    Some((path, value)) => (path.trim(), value.trim().to_owned()),
                    None => continue,
                },
                Some(("rule", rule)) => ("rules[0]", about(rule)),
                Some(("row", row)) => match row.split_once(" {") {
                    Some((_, cell)) => ("rows[0]", about(&format!("{{\"account\": 1, {cell}"))),
                    None => continue,
                },
                _ => continue,
            };
            seen += 1;
            let taken = config::with(&Config::default(), path, Some(&value));
            assert!(
                taken.is_ok(),
                "{}: {line}: {taken:?}",
                file.path().display()
            );
        }
    }
    assert!(seen > 100, "only {seen} lines were found");
}

/// A row or rule of a story as a document has it: with times and numbers where a story has its own words.
fn about(json: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    if let Some(map) = value.as_object_mut() {
        if map.contains_key("until") {
            map.insert("until".to_owned(), "2026-03-02T12:00:00Z".into());
        }
        for place in ["account", "subscription"] {
            if map.get(place).is_some_and(serde_json::Value::is_string) {
                map.insert(place.to_owned(), 1.into());
            }
        }
    }
    value.to_string()
}
