//! What may be written, and what is said of what may not.

use super::script::profile;
use crate::backend::Backend as _;
use crate::backend::custom::options::PRESETS;
use crate::backend::custom::requests::address;
use crate::backend::custom::{Custom, preview};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use url::Url;

#[test]
fn what_cannot_work_is_named() {
    for (toml, says) in [
        ("nonsense", "line 1"),
        ("\n\n[sse]\nulr = \"/x\"", "line 4"),
        ("kind = \"ntfy\"", "line 1"),
        ("[sse]\nurl = \"/{topci}\"", "{topci}"),
        ("[sse]\nurl = \"/{secret}\"", "{secret}"),
        ("[sse]\nurl = \"ftp://x.test/\"", "no address"),
        ("[sse]\nurl = \"mailto:x\"", "no address"),
        ("[sse]\nitems = \"data\"", "JSON pointer"),
        ("[sse]\nsend = [\"x\"]", "only a WebSocket"),
        ("[sse]\n[[sse.on]]\nready = true", "does not say when"),
        (
            "[sse]\n[[sse.on]]\nevent = \"x\"\nis = \"y\"",
            "without `at`",
        ),
        ("[poll]\nevery = 0", "between 1 and"),
        ("[poll]\nhistory = true", "needs [history]"),
        ("[sse]\nquery = { a = \"{token}\" }", "no [login]"),
        ("[login]\nurl = \"/x\"\n[sse]", "where the token is"),
        ("[login]\ncookie = \"x\"\nkeep = true\n[sse]", "no cookie"),
        (
            "[login]\ntoken = \"/t\"\n[sse]\n[read]\nurl=\"/x\"",
            "keep = true",
        ),
        ("[auth]\nby = \"header\"\n[sse]", "needs the name"),
        ("[map]\ntitle = \"/a~\"", "JSON pointer"),
        ("[map]\npriorities = { x = 7 }", "1 to 5"),
        ("[history]\nnext = \"x\"\n[sse]", "JSON pointer"),
    ] {
        let options = json!({"profile": toml}).to_string();
        let error = Custom.check_options(&options).unwrap_err();
        assert!(error.contains(says), "{toml}: {error}");
        assert!(error.ends_with('.'), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    assert!(
        Custom
            .check_options(r#"{"preset":"nobody"}"#)
            .unwrap_err()
            .contains("nobody")
    );
    assert!(
        Custom
            .check_options(r#"{"colour":1}"#)
            .unwrap_err()
            .contains("colour")
    );
    let long = json!({"profile": "#".repeat(100_000)}).to_string();
    assert!(Custom.check_options(&long).unwrap_err().contains("longer"));
    assert_eq!(Custom.check_options("  ").unwrap(), "");
    assert_eq!(
        Custom
            .check_options("{\"preset\":\"\",\"profile\":\"\"}")
            .unwrap(),
        ""
    );
    let kept = Custom.check_options("{ \"preset\": \"ably\" }").unwrap();
    assert_eq!(kept, r#"{"preset":"ably"}"#);
}

#[test]
fn every_preset_is_offered_and_can_be_used() {
    let choices = Custom
        .capabilities()
        .fields
        .iter()
        .find_map(|field| match field.kind {
            crate::backend::FieldKind::Choice(choices) => Some(choices),
            _ => None,
        })
        .unwrap();
    assert_eq!(choices[0].0, "");
    assert_eq!(choices.len(), PRESETS.len() + 1);
    for (name, label, toml) in PRESETS {
        assert!(choices.contains(&(name, label)));
        Custom
            .check_options(&json!({"preset": name}).to_string())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            toml.starts_with("# ") && toml.contains("# Address: "),
            "{name} says how"
        );
        profile(toml);
    }
}

#[test]
fn addresses_are_below_the_account_or_stand_for_themselves() {
    for (base, written, expected) in [
        ("https://x.test/a/b?q=1", "", Ok("https://x.test/a/b?q=1")),
        (
            "https://x.test/a/b?q=1",
            "/c?d=2",
            Ok("https://x.test/a/b/c?d=2"),
        ),
        ("https://x.test/a/", "/c", Ok("https://x.test/a/c")),
        ("https://x.test", "/c", Ok("https://x.test/c")),
        ("https://x.test/a/b", "../c", Ok("https://x.test/c")),
        ("https://x.test/a/b", "c", Ok("https://x.test/a/c")),
        ("https://x.test/a", "wss://y.test/s", Ok("https://y.test/s")),
        (
            "https://x.test/a",
            "https://y.test/s#f",
            Ok("https://y.test/s"),
        ),
        ("https://x.test/a", "javascript:alert(1)", Err(())),
        ("https://x.test/a", "https://", Err(())),
    ] {
        let base = Url::parse(base).unwrap();
        let found = address(&base, written).map(String::from).map_err(|_| ());
        assert_eq!(found, expected.map(str::to_owned), "{written}");
    }
}

fn at() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

#[test]
fn a_preview_shows_what_becomes_of_an_event() {
    let options =
        json!({"profile": "[map]\ntitle = \"/what\"\nignore = \"typing\"\ndeleted = \"/gone\""})
            .to_string();
    let shown = preview(&options, r#"{"what":"Build failed","body":"b"}"#, at()).unwrap();
    assert_eq!(
        (shown.draft.title.as_str(), shown.draft.body.as_str()),
        ("Build failed", "b")
    );
    let from = |part: &str| {
        let found = shown.origins.iter().find(|origin| origin.part == part);
        found.map(|origin| origin.from.as_str())
    };
    assert_eq!(from("title"), Some("/what"));
    assert_eq!(from("body"), Some("/body"));
    assert_eq!(from("url"), Some(""));
    for (raw, says) in [
        (r#"{"type":"typing"}"#, "called typing"),
        (r#"{"gone":true}"#, "deletes"),
        (" ", "no event yet"),
    ] {
        let error = preview(&options, raw, at()).unwrap_err();
        assert!(error.says.contains(says), "{error:?}");
        assert_eq!(error.line, None);
    }
    assert_eq!(preview("", "hello", at()).unwrap().draft.body, "hello");
}

#[test]
fn what_is_wrong_with_a_profile_is_said_with_its_line() {
    for (profile, line) in [
        ("[map]\ntitle = 5", Some(2)),
        ("[map]\n\n\nnonsense = \"/a\"", Some(4)),
        ("# a\n[sse]\nurl = \"javascript:alert(1)\"", Some(2)),
        ("[map", Some(1)),
    ] {
        let options = json!({ "profile": profile }).to_string();
        let error = preview(&options, "{}", at()).unwrap_err();
        assert_eq!(error.line, line, "{profile}: {}", error.says);
    }
}

proptest! {
    #[test]
    fn any_profile_is_refused_or_can_be_used(toml in "(\\[(sse|map|history|login|poll)\\]\n|[a-z]{1,6} ?= ?(\"[/a-z{}@]{0,9}\"|[0-9]|true|\\[\\])\n){0,8}") {
        let options = json!({"profile": toml}).to_string();
        if let Ok(kept) = Custom.check_options(&options) {
            prop_assert_eq!(Custom.check_options(&kept).unwrap(), kept);
        }
        let _ = preview(&options, "{\"title\":\"x\"}", at());
    }
}
