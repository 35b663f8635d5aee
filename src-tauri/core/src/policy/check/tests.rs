use super::Checker;
use crate::model::preferences::Mandates;
use crate::settings;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn checker(preferences: &str) -> Checker {
    let (document, problems) = settings::preferences(preferences);
    assert_eq!(problems, []);
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let (checker, problems) = Checker::new(document, Mandates::default(), zone);
    assert_eq!(problems, []);
    checker
}

fn said(checker: &mut Checker, events: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for event in events.lines() {
        lines.extend(checker.take(event).unwrap());
    }
    lines.extend(checker.end());
    lines.iter().map(ToString::to_string).collect()
}

/// The blocks of code after this heading, in order.
fn blocks(text: &str, heading: &str) -> Vec<String> {
    let section = text.split(heading).nth(1).expect("the heading");
    let parts = section.split("```").skip(1).step_by(2);
    parts
        .map(|block| block.split_once('\n').expect("a block").1.to_owned())
        .collect()
}

/// What `docs/policy.md` shows is what is said.
#[test]
fn the_examples_in_the_documentation_are_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md");
    let text = fs::read_to_string(path).unwrap();
    let blocks = blocks(&text, "## Trying it out");
    let [_, preferences, events, people, verdict, ..] = blocks.as_slice() else {
        panic!("preferences, events, and what is said");
    };
    let mut to_people = checker(preferences);
    assert_eq!(
        said(&mut to_people, events),
        people.lines().collect::<Vec<_>>()
    );
    let mut to_programs = checker(preferences);
    let first = events.lines().next().unwrap();
    let said = serde_json::to_value(&to_programs.take(first).unwrap()[0]).unwrap();
    let mut written: Value = serde_json::from_str(verdict).unwrap();
    // Not every rule is written down there.
    assert!(
        written["trace"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| { said["trace"].as_array().unwrap().contains(line) })
    );
    written["trace"] = said["trace"].clone();
    assert_eq!(said, written);
}

#[test]
fn what_is_no_event_is_said_and_skipped() {
    let mut checker = checker("{}");
    assert_eq!(checker.take(" "), Ok(Vec::new()));
    for (line, says) in [
        ("x", "Line 2 is not an event: expected value."),
        ("{}", "Line 3 is not an event: missing field `now`."),
        (
            r#"{"now":"2026-03-02T10:00:00Z","notification":{"titel":"x"}}"#,
            "Line 4 is not an event: unknown field `titel`",
        ),
        (
            r#"{"now":"2026-03-02T10:00:00Z","zone":"Europe/Atlantis"}"#,
            "Line 5: no time zone is called “Europe/Atlantis”.",
        ),
        (
            r#"{"now":"2026-03-02T10:00:00Z","notification":{"priority":9}}"#,
            "Line 6: a priority is a number from 1 to 5.",
        ),
    ] {
        let error = checker.take(line).unwrap_err();
        assert!(error.starts_with(says), "{error}");
    }
    let event = r#"{"now":"2026-03-02T10:00:00Z","notification":{"id":"a","title":"Disk full"}}"#;
    assert_eq!(
        said(&mut checker, event),
        [
            "2026-03-02T10:00:00Z  a: rings. It is important: it rings.",
            "2026-03-02T10:00:00Z  toast 0, for 1: Disk full",
        ]
    );
}

#[test]
fn events_that_say_more_than_a_notification() {
    let events = r#"{"now":"2026-03-02T10:00:00Z","read":["a"]}
{"now":"2026-03-02T10:00:00Z","notification":{"id":"a","title":"Read elsewhere"}}
{"now":"2026-03-02T10:01:00Z","locked":true,"notification":{"id":"b","title":"Secret","body":"x","priority":5}}
{"now":"2026-03-02T10:02:00Z","read":["b"],"locked":false,"looking":true}
{"now":"2026-03-02T10:03:00Z","notification":{"id":"c","title":"Seen"}}
{"now":"2026-03-02T10:04:00Z","looking":false,"presenting":true,"notification":{"id":"d","title":"Later"}}
{"now":"2026-03-02T10:05:00Z","deliver_now":true}
{"now":"2026-03-02T09:00:00Z","pause":{"until":"2026-03-02T09:10:00Z"},"presenting":false}
{"now":"2026-03-02T09:01:00Z","notification":{"id":"e","title":"By Gotify","priority":1,"account":2,"backend":"gotify"}}
{"now":"2026-03-02T09:11:00Z"}"#;
    let mut checker = checker(
        r#"{"mapping":[{"backend":"gotify","tiers":["important","important","important","critical","critical"]}]}"#,
    );
    assert_eq!(
        said(&mut checker, events),
        [
            "2026-03-02T10:00:00Z  a: inbox only. It is read already.",
            "2026-03-02T10:01:00Z  b: rings. It is critical: it rings.",
            "2026-03-02T10:01:00Z  toast 0, for 1: 1 notification from subscription 1",
            "2026-03-02T10:02:00Z  toast 0 goes",
            "2026-03-02T10:03:00Z  c: inbox only. You were looking at it in the inbox.",
            "2026-03-02T10:04:00Z  d: waits. You are presenting: such ones wait until that is over.",
            "2026-03-02T10:05:00Z  d: rings. It is important: it rings.",
            "2026-03-02T10:05:00Z  toast 1, for 1: Later",
            "2026-03-02T09:01:00Z  e: waits until 2026-03-02T09:10:00Z. Paused until 10:10.",
            "2026-03-02T09:10:00Z  e: rings. It is important: it rings.",
            "2026-03-02T09:10:00Z  toast 2, for 1: By Gotify",
        ]
    );
}

#[test]
fn the_file_in_the_documentation_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md");
    let text = fs::read_to_string(path).unwrap();
    let (mandates, problems) = settings::mandates(&blocks(&text, "## For administrators")[0]);
    assert_eq!((mandates.mandatory.len(), problems), (2, vec![]));
}

/// What is mandatory is a question of servers and topics, which events may name.
#[test]
fn what_is_mandatory_rings_though_it_is_muted() {
    let (document, _) = settings::preferences(r#"{"rows": [{"account": 1, "mute": true}]}"#);
    let (mandates, problems) =
        settings::mandates(r#"{"mandatory": [{"server": "*.example.com", "topic": "fire"}]}"#);
    assert_eq!(problems, []);
    let (mut checker, problems) = Checker::new(document, mandates, TimeZone::UTC);
    assert_eq!(problems, []);
    let event = |minute: u32, id: &str, more: &str| {
        format!(
            r#"{{"now":"2026-03-02T12:{minute:02}:00Z","notification":{{"id":"{id}","title":"{id}"{more}}}}}"#
        )
    };
    let events = [
        event(0, "nowhere", ""),
        event(1, "other", r#","server":"ntfy.example.com","topic":"news""#),
        event(2, "fire", r#","subscription":2,"topic":"fire""#),
        event(
            3,
            "elsewhere",
            r#","account":2,"server":"example.org","topic":"fire""#,
        ),
    ];
    let lines = said(&mut checker, &events.join("\n"));
    let toasts: Vec<_> = lines.iter().filter(|line| line.contains("toast")).collect();
    assert_eq!(toasts.len(), 2, "{lines:?}");
    assert!(toasts[0].ends_with("for 1: fire"), "{lines:?}");
    // Which is not muted.
    assert!(toasts[1].ends_with("for 1: elsewhere"), "{lines:?}");
}
