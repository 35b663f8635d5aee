use super::*;
use crate::model::Tier;
use crate::model::preferences::{Hush, Row, ToastChoice};
use proptest::prelude::*;
use serde_json::json;

fn said(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.at.as_str()).collect()
}

#[test]
fn what_is_written_is_read() {
    let (read, problems) = preferences("{}");
    assert_eq!((read.clone(), problems), (Preferences::default(), vec![]));
    assert_eq!(preferences(&text(&read)), (read, vec![]));
}

#[test]
fn one_field_that_cannot_be_read_costs_only_itself() {
    let (read, problems) = preferences(
        r#"{"limits": {"subscription": "many", "overall": 7}, "context": {"locked": {"others": "shout"}},
            "sounds": {"volume": 300, "from_priority": 2}}"#,
    );
    assert_eq!((read.limits.subscription, read.limits.overall), (5, 7));
    assert_eq!(read.context.locked.others, Hush::Hide);
    assert_eq!((read.sounds.volume, read.sounds.from_priority), (100, 2));
    assert_eq!(
        said(&problems),
        [
            "context.locked.others",
            "context.locked",
            "limits.subscription",
            "sounds.volume"
        ]
    );
    assert!(
        problems[2]
            .says
            .starts_with("limits.subscription cannot be read (invalid type")
    );
    assert!(problems[2].says.ends_with("Its default holds."));
}

/// A rule without the condition that could not be read would match everything, and silence it.
#[test]
fn half_a_condition_is_none() {
    let (read, problems) = preferences(
        r#"{"rows": [{"account": 1, "kind": 7, "mute": true}, {"account": 2, "toast": "off"}, {"toast": "off"}],
            "rules": [{"text": {"how": "magic", "text": "x"}, "then": {"what": "mute"}}, {"then": {"what": "mandatory"}}],
            "quiet": {"schedules": [{"days": ["mon"], "from": "25:00", "to": "07:00"}]}}"#,
    );
    assert_eq!(read.rows.len(), 1);
    assert!(matches!(&read.rows[0], Row { account, cell, .. }
        if account.0 == 2 && cell.toast == Some(ToastChoice::Off)));
    assert_eq!(read.rules.len(), 1);
    assert_eq!(read.quiet.schedules.len(), 0);
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem.says.ends_with("It is left out."))
    );
}

#[test]
fn what_is_no_document_is_the_default() {
    for text in ["", "[", "[]", "7", "null", "\"x\""] {
        let (read, problems) = preferences(text);
        assert_eq!(read, Preferences::default(), "{text}");
        assert_eq!(problems.len(), 1, "{text} {problems:?}");
        assert!(
            problems[0].says.ends_with("The defaults hold."),
            "{problems:?}"
        );
    }
}

#[test]
fn an_administrators_file_is_read_alike() {
    let (read, problems) =
        mandates(r#"{"mandatory": [{"server": "*.ex.test", "says": "Fire"}, {"topic": "x"}]}"#);
    assert_eq!(read.mandatory.len(), 1);
    assert_eq!(read.mandatory[0].kind, "*");
    assert_eq!(said(&problems), ["mandatory[1]"]);
}

#[test]
fn whatever_is_wrong_with_an_administrators_file_is_told_with_its_path() {
    let read = |found| MandatesFile::new("/etc/x.json", found);
    let says = |file: &MandatesFile| file.problems()[0].says.clone();
    assert_eq!(read(None).problems(), []);
    for (text, end) in [
        ("{", "Nothing is mandatory by it."),
        ("[]", "Nothing is mandatory by it."),
        (r#"{"mandatory": [{}]}"#, "It is left out."),
        (r#"{"version": 2}"#, "What this one knows of it holds."),
    ] {
        let file = read(Some(Ok(text.to_owned())));
        assert!(file.mandates().mandatory.is_empty());
        assert!(says(&file).starts_with("/etc/x.json: "), "{text}");
        assert!(says(&file).ends_with(end), "{text}: {}", says(&file));
    }
    let refused = read(Some(Err("This is no file.".to_owned())));
    assert_eq!(
        says(&refused),
        "/etc/x.json: This is no file. Nothing is mandatory by it."
    );
}

#[test]
fn a_quiet_hour_lets_critical_ones_through_unless_it_says_otherwise() {
    let read = |text: &str| {
        let schedule = format!(
            r#"{{"quiet": {{"schedules": [{{"days": ["fri"], "from": "22:00", "to": "7:00"{text}}}]}}}}"#
        );
        preferences(&schedule).0.quiet.schedules[0].lets_through
    };
    assert_eq!(read(""), Some(Tier::Critical));
    assert_eq!(read(r#", "lets_through": null"#), None);
    assert_eq!(
        read(r#", "lets_through": "important""#),
        Some(Tier::Important)
    );
}

proptest! {
    /// Any part of a document may be anything: the rest is read all the same, and reading it never fails.
    #[test]
    fn any_document_is_read(
        path in prop::sample::select(vec![
            "/limits", "/limits/overall", "/tiers/critical/toast", "/rows", "/rows/0/account", "/rules/0/then",
            "/quiet/schedules/0/days/0", "/context/locked", "/version", "/sounds/sound/play",
        ]),
        other in prop::sample::select(vec![json!(null), json!(-1), json!("x"), json!([]), json!({}), json!([[7]])]),
    ) {
        let mut document = json!({
            "version": 1,
            "tiers": {"critical": {"toast": "on"}},
            "rows": [{"account": 1, "mute": true}, {"account": 2, "mute": true}],
            "rules": [{"then": {"what": "mute"}}],
            "quiet": {"schedules": [{"days": ["mon"], "from": "22:00", "to": "07:00"}]},
            "limits": {"overall": 3, "critical": 2},
            "context": {"locked": {"others": "hide", "critical": "hide"}},
            "sounds": {"sound": {"play": "default"}},
            "away": {"few": 9},
        });
        *document.pointer_mut(path).unwrap() = other;
        let (read, _) = preferences(&document.to_string());
        prop_assert_eq!(read.away.few, 9);
    }
}
