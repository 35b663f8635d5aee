//! Frames, pages and applications, and the notifications that they make.

use super::recorded;
use crate::backend::gotify::application::{self, Application, Applications};
use crate::backend::gotify::message::Message;
use crate::backend::gotify::page;
use crate::model::{Draft, Format, Tier, limits};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

fn base() -> Url {
    Url::parse("https://ex.test/gotify/").unwrap()
}

fn applications(version: u32) -> Applications {
    application::read(&recorded(&format!("applications-{version}.json")), &base()).unwrap()
}

fn draft(frame: &str) -> Draft {
    let message = Message::read(frame).unwrap();
    let applications = applications(3);
    let application = &applications[&message.application];
    message.draft(0, application, Timestamp::UNIX_EPOCH)
}

fn of(members: &Value) -> Draft {
    let mut message = json!({"id": 1, "appid": 5, "message": "m", "date": "2026-11-22T03:00:00Z"});
    let object = message.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        object.insert(name.clone(), value.clone());
    }
    draft(&message.to_string())
}

#[test]
fn messages_as_the_server_writes_them() {
    let frames = recorded("messages.txt");
    let drafts: Vec<_> = frames.lines().map(draft).collect();
    let [markdown, full, html, own, eleven, none] = &drafts[..] else {
        panic!("six")
    };
    assert_eq!((markdown.remote_id.as_str(), markdown.version), ("25", 25));
    assert_eq!(markdown.replace_key, "25");
    assert_eq!(markdown.format, Format::Markdown);
    assert_eq!(markdown.url.as_deref(), Some("https://ex.test/runs/25"));
    let picture = markdown.attachment.as_ref().unwrap();
    assert_eq!(picture.name, "graph.png");
    assert_eq!(picture.url, "https://ex.test/graph.png");
    assert_eq!(
        markdown.created_at,
        "2026-11-22T03:00:00.123456Z".parse::<Timestamp>().unwrap()
    );
    assert_eq!(markdown.raw, frames.lines().next().unwrap());
    assert_eq!(
        markdown.icon.as_deref(),
        Some("https://ex.test/gotify/image/Jx5Gk.png")
    );
    assert_eq!((full.tier, full.silent), (Tier::Critical, false));
    assert_eq!(html.format, Format::Plain);
    assert_eq!(html.body, "<b>bold</b> & **plain**");
    assert_eq!(own.kind, "home::appliances::thermostat::change_temperature");
    assert_eq!(own.url, None);
    assert_eq!(eleven.title, "");
    assert_eq!(
        none.tier,
        Tier::Important,
        "its application's priority is 4"
    );
}

#[test]
fn priorities() {
    for (priority, level, tier, silent) in [
        (json!(-1), 1, Tier::Informational, true),
        (json!(0), 1, Tier::Informational, true),
        (json!(1), 2, Tier::Informational, true),
        (json!(3), 2, Tier::Informational, true),
        (json!(4), 4, Tier::Important, false),
        (json!(7), 4, Tier::Important, false),
        (json!(8), 5, Tier::Critical, false),
        (json!(10), 5, Tier::Critical, false),
        (json!(i64::MAX), 5, Tier::Critical, false),
        (json!(i64::MIN), 1, Tier::Informational, true),
        (json!(1e300), 5, Tier::Critical, false),
        (json!(7.9), 4, Tier::Important, false),
        // What is no number is none: the application's.
        (json!("8"), 4, Tier::Important, false),
        (Value::Null, 4, Tier::Important, false),
    ] {
        let draft = of(&json!({"priority": priority}));
        assert_eq!(
            (draft.priority, draft.tier, draft.silent),
            (level, tier, silent),
            "{priority}"
        );
    }
}

#[test]
fn formats_links_and_pictures() {
    for (media_type, format) in [
        ("text/markdown", Format::Markdown),
        ("Text/Markdown; charset=utf-8", Format::Markdown),
        ("text/plain", Format::Plain),
        ("text/html", Format::Plain),
        ("", Format::Plain),
    ] {
        let draft = of(&json!({"extras": {"client::display": {"contentType": media_type}}}));
        assert_eq!(draft.format, format, "{media_type}");
    }
    for (link, name) in [
        ("https://ex.test/a/b.jpg?x=1#y", Some("b.jpg")),
        ("https://ex.test", Some("image")),
        ("https://ex.test/render", Some("image")),
        ("mailto:a@ex.test", None),
        ("file:///etc/passwd", None),
        ("data:image/png;base64,AAAA", None),
    ] {
        let extras = json!({"client::notification": {"bigImageUrl": link, "click": {"url": link}}});
        let draft = of(&json!({"extras": extras}));
        let found = draft.attachment.as_ref().map(|file| file.name.as_str());
        assert_eq!(found, name, "{link}");
    }
    for extras in [
        json!(null),
        json!([]),
        json!("x"),
        json!({"client::display": "x", "client::notification": [1]}),
        json!({"client::notification": {"click": "x", "bigImageUrl": 1}}),
        json!({"": 1, "client": {}, "android::action": {}}),
    ] {
        let draft = of(&json!({"extras": extras}));
        assert_eq!(
            (draft.url, draft.attachment, draft.kind),
            (None, None, String::new())
        );
    }
}

#[test]
fn what_is_too_long_is_cut_and_what_is_missing_has_its_default() {
    let draft = of(&json!({
        "title": "t".repeat(limits::TITLE + 1),
        "message": "ü".repeat(limits::BODY),
        "extras": {("x".repeat(1000)): 1},
    }));
    assert!(draft.title.len() <= limits::TITLE && draft.title.ends_with('…'));
    assert!(draft.body.len() <= limits::BODY && draft.body.ends_with('…'));
    assert!(draft.kind.len() <= 256 && draft.raw.len() <= limits::RAW);
    for date in ["", "yesterday", "0001-01-01T00:00:00Z"] {
        let draft = of(&json!({"date": date, "message": 5, "title": null}));
        assert_eq!(
            draft.created_at,
            Timestamp::UNIX_EPOCH,
            "{date}: when it came"
        );
        assert_eq!((draft.title.as_str(), draft.body.as_str()), ("", ""));
    }
}

#[test]
fn what_is_no_message() {
    for frame in [
        "",
        "5",
        "null",
        "[]",
        "{",
        "{}",
        r#"{"id":1}"#,
        r#"{"appid":1}"#,
        r#"{"id":-1,"appid":1}"#,
        r#"{"id":1,"appid":0}"#,
        r#"{"id":"1","appid":1}"#,
        r#"{"id":281474976710656,"appid":1}"#,
        r#"{"id":1e40,"appid":1}"#,
    ] {
        assert_eq!(Message::read(frame), None, "{frame}");
    }
}

#[test]
fn applications_of_both_versions() {
    for version in [2, 3] {
        let applications = applications(version);
        assert_eq!(
            applications[&5],
            Application {
                name: "Backup".to_owned(),
                icon: Some("https://ex.test/gotify/image/Jx5Gk.png".to_owned()),
                default_priority: 4,
            }
        );
        let offered = application::offered(&applications);
        assert_eq!(offered[1].topic, "7");
        assert_eq!(offered[1].name, "Doorbell");
    }
    assert_eq!(application::read("{}", &base()), None);
    let odd = r#"[1, {"id": "x"}, {"id": 9, "name": 7, "image": "javascript:alert(1)"}]"#;
    let odd = application::read(odd, &base()).unwrap();
    assert_eq!(odd.len(), 1);
    assert_eq!(odd[&9], Application::default());
}

#[test]
fn pages_of_both_versions() {
    let first = page::read(&recorded("page-2.json"), 2).unwrap();
    assert_eq!(first.next, Some(32));
    let ids: Vec<_> = first.messages.iter().map(|message| message.id).collect();
    assert_eq!(ids, [33, 32]);
    let last = page::read(&recorded("page-3.json"), 2).unwrap();
    assert_eq!((last.next, last.messages.len()), (None, 1));
    // Without `paging`, a full page may not be the last.
    let bare = r#"{"messages":[{"id":9,"appid":1},{"id":8,"appid":1},{"id":"x"}]}"#;
    let full = page::read(bare, 3).unwrap();
    assert_eq!((full.next, full.unreadable.len()), (Some(8), 1));
    assert_eq!(page::read(bare, 4).unwrap().next, None);
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "\\PC{0,60}") {
        Message::read(&text);
        page::read(&text, 1);
        application::read(&text, &base());
    }

    #[test]
    fn any_members_are_survived(
        names in prop::collection::vec(
            prop::sample::select(vec!["title", "message", "priority", "extras", "date", "new"]), 0..6),
        values in prop::collection::vec(
            prop::sample::select(vec![
                json!(null), json!(true), json!(-3), json!(1e19), json!("x"), json!([1]), json!({"a": {}}),
                json!({"client::display": {"contentType": 1}, "client::notification": {"click": {"url": 1}}}),
            ]), 6),
    ) {
        let members = names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value));
        let draft = of(&Value::Object(members.collect()));
        prop_assert_eq!(draft.remote_id, "1");
        prop_assert!((1..=5).contains(&draft.priority));
    }
}
