use super::recorded;
use super::script::{NOW, Script, resume};
use crate::backend::ntfy::Ntfy;
use crate::backend::{Backend as _, Effect, Fetched, Input};
use crate::model::{
    Action, ActionKind, Attachment, Class, Draft, Format, Origin, SubscriptionId, Tier,
    TransportKind, limits,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn script() -> Script {
    Script::new(resume(
        TransportKind::HttpStream,
        &[("alerts", None), ("backup", None)],
    ))
}

fn draft(frame: &Value) -> Draft {
    let mut script = script();
    script.frame(frame);
    let mut drafts = script.drafts();
    assert_eq!(drafts.len(), 1, "{frame}");
    drafts.remove(0).1
}

/// A message with these members besides the usual ones.
fn with(members: &Value) -> Draft {
    let mut frame =
        json!({"id": "a", "time": NOW, "event": "message", "topic": "alerts", "message": "m"});
    for (name, value) in members.as_object().unwrap() {
        frame[name] = value.clone();
    }
    draft(&frame)
}

fn action(kind: ActionKind, label: &str) -> Action {
    Action {
        kind,
        label: label.to_owned(),
        url: String::new(),
        method: String::new(),
        headers: Vec::new(),
        body: String::new(),
        clear: false,
    }
}

#[test]
fn a_message_with_everything_is_read_whole() {
    let line = &recorded("messages.txt")[0];
    let mut script = script();
    script.tell(Input::Frame(line));
    let (subscription, draft, origin) = script.drafts().remove(0);
    assert_eq!((subscription, origin), (1, Origin::Live));
    let second = |second| Timestamp::from_second(second).unwrap();
    let expected = Draft {
        remote_id: "sPs71M8A2Tab".to_owned(),
        replace_key: "sPs71M8A2Tab".to_owned(),
        version: draft.version,
        class: Class::Persistent,
        kind: "nas".to_owned(),
        title: "Disk".to_owned(),
        body: "97 % full".to_owned(),
        format: Format::Markdown,
        priority: 5,
        tier: Tier::Critical,
        created_at: second(1_643_935_928),
        url: Some("https://ex.test/1".to_owned()),
        actions: vec![
            Action {
                url: "https://ex.test/2".to_owned(),
                clear: true,
                ..action(ActionKind::Open, "Open")
            },
            Action {
                url: "https://ex.test/api".to_owned(),
                method: "PUT".to_owned(),
                headers: vec![("X-Key".to_owned(), "v".to_owned())],
                body: "{}".to_owned(),
                ..action(ActionKind::Http, "Stop")
            },
            action(ActionKind::Unsupported, "Send"),
            Action {
                body: "1234".to_owned(),
                ..action(ActionKind::Copy, "Copy")
            },
        ],
        tags: ["warning", "nas", "skull"].map(str::to_owned).to_vec(),
        icon: Some("https://ex.test/i.png".to_owned()),
        attachment: Some(Attachment {
            name: "disk.jpg".to_owned(),
            url: "https://ex.test/file/sPs71M8A2Tab.jpg".to_owned(),
            media_type: "image/jpeg".to_owned(),
            size: Some(33_848),
            expires_at: Some(second(1_643_946_728)),
        }),
        silent: false,
        // `expires` is when the server's cache drops it.
        expires_at: None,
        raw: line.clone(),
    };
    assert_eq!(draft, expected);
}

#[test]
fn the_shortest_message_has_defaults() {
    let mut script = script();
    script.tell(Input::Frame(&recorded("messages.txt")[1]));
    let draft = script.drafts().remove(0).1;
    assert_eq!(
        (draft.priority, draft.tier, draft.silent),
        (3, Tier::Important, false)
    );
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str(), draft.format),
        ("", "triggered", Format::Plain)
    );
    assert_eq!(
        (draft.kind.as_str(), draft.expires_at, draft.url),
        ("", None, None)
    );
}

#[test]
fn updates_clears_and_deletes_name_what_they_concern_and_are_in_order() {
    let mut script = script();
    for line in &recorded("messages.txt")[2..6] {
        script.tell(Input::Frame(line));
    }
    let mut versions = Vec::new();
    let mut kinds = Vec::new();
    for effect in script.taken() {
        let (kind, key, version) = match effect {
            Effect::Notify { draft, .. } => ("notify", draft.replace_key, draft.version),
            Effect::Read {
                subscription: SubscriptionId(1),
                replace_key,
                version,
            } => ("read", replace_key, version),
            Effect::Remove {
                subscription: SubscriptionId(1),
                replace_key,
                version,
            } => ("remove", replace_key, version),
            Effect::Open(_) => continue,
            other => panic!("{other:?}"),
        };
        assert_eq!(key, "wze9zgqK41xx");
        kinds.push(kind);
        versions.push(version);
    }
    // The first two are of the same second.
    assert_eq!(kinds, ["notify", "notify", "read", "remove"]);
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

#[test]
fn a_binary_body_says_what_it_is() {
    let mut script = script();
    script.tell(Input::Frame(&recorded("messages.txt")[6]));
    assert_eq!(script.drafts()[0].1.body, "binary data (5 bytes)");
    let broken = with(&json!({"message": "?", "encoding": "base64"}));
    assert_eq!(broken.body, "binary data that cannot be read");
}

#[test]
fn priorities_are_tiers() {
    for (sent, priority, tier, silent) in [
        (json!(5), 5, Tier::Critical, false),
        (json!(4), 4, Tier::Important, false),
        (json!(3), 3, Tier::Important, false),
        (json!(2), 2, Tier::Informational, true),
        (json!(1), 1, Tier::Informational, true),
        (json!(0), 3, Tier::Important, false),
        (json!(-4), 1, Tier::Informational, true),
        (json!(99), 5, Tier::Critical, false),
        (json!("high"), 3, Tier::Important, false),
        (json!(null), 3, Tier::Important, false),
    ] {
        let draft = with(&json!({"priority": sent}));
        assert_eq!(
            (draft.priority, draft.tier, draft.silent),
            (priority, tier, silent),
            "{sent}"
        );
    }
}

#[test]
fn only_web_and_mail_links_are_opened() {
    for (click, url) in [
        ("mailto:a@ex.test", Some("mailto:a@ex.test")),
        ("geo:1,2", None),
        ("ntfy://ex.test/a", None),
        ("javascript:alert(1)", None),
        ("https://u:p@ex.test/", None),
    ] {
        assert_eq!(
            with(&json!({"click": click})).url.as_deref(),
            url,
            "{click}"
        );
        let view = with(&json!({"actions": [{"action": "view", "label": "x", "url": click}]}))
            .actions
            .remove(0);
        let expected = if url.is_some() {
            ActionKind::Open
        } else {
            ActionKind::Unsupported
        };
        assert_eq!((view.kind, view.url.as_str()), (expected, click));
    }
    assert_eq!(with(&json!({"icon": "mailto:a@ex.test"})).icon, None);
    assert_eq!(
        with(&json!({"attachment": {"name": "x", "url": "file:///etc/passwd"}})).attachment,
        None
    );
}

#[test]
fn an_http_action_is_whole_or_not_at_all() {
    let http = |members: Value| {
        let mut action = json!({"action": "http", "label": "x", "url": "https://ex.test/"});
        for (name, value) in members.as_object().unwrap() {
            action[name] = value.clone();
        }
        with(&json!({"actions": [action]})).actions.remove(0)
    };
    assert_eq!(http(json!({})).method, "POST");
    assert_eq!(http(json!({"method": "delete"})).method, "DELETE");
    for odd in [
        json!({"url": "mailto:a@ex.test"}),
        json!({"url": "ftp://ex.test/"}),
        json!({"method": "GET / HTTP/1.1\r\nX: y"}),
        json!({"headers": {"X": "a\r\nY: b"}}),
        json!({"headers": {"X Y": "a"}}),
        json!({"headers": {"X": 1}}),
        json!({"headers": "X: a"}),
        json!({"body": "x".repeat(limits::BODY + 1)}),
        json!({"body": {"a": 1}}),
    ] {
        let action = http(odd.clone());
        assert_eq!(action.kind, ActionKind::Unsupported, "{odd}");
        assert_eq!(action.label, "x");
    }
}

#[test]
fn what_is_too_long_is_cut_with_a_mark() {
    let draft = with(&json!({
        "title": "ä".repeat(limits::TITLE),
        "message": "b".repeat(limits::BODY + 1),
        "tags": vec!["t"; limits::TAGS + 1],
        "actions": vec![json!({"action": "copy", "label": "c", "value": "v"}); limits::ACTIONS + 1],
        "click": format!("https://ex.test/{}", "c".repeat(limits::URL)),
    }));
    assert!(draft.title.len() <= limits::TITLE && draft.title.ends_with("ä…"));
    assert!(draft.body.len() <= limits::BODY && draft.body.ends_with("b…"));
    assert!(draft.raw.len() <= limits::RAW && draft.raw.ends_with('…'));
    assert_eq!(
        (draft.tags.len(), draft.actions.len(), draft.url),
        (limits::TAGS, limits::ACTIONS, None)
    );
}

#[test]
fn a_member_that_is_not_what_it_should_be_costs_only_itself() {
    let draft = with(&json!({
        "title": 7, "priority": [], "tags": ["ok", 3, "", {}], "click": {}, "icon": 1, "attachment": "x", "actions": [1, {"action": 2}],
        "content_type": "text/markdown; charset=utf-8", "encoding": 3, "sequence_id": 9, "expires": "soon"
    }));
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str(), draft.priority),
        ("", "m", 3)
    );
    assert_eq!(draft.tags, ["ok"]);
    assert_eq!(
        (draft.format, draft.replace_key.as_str()),
        (Format::Markdown, "a")
    );
    assert_eq!(draft.actions, [action(ActionKind::Unsupported, "")]);
}

#[test]
fn a_time_that_cannot_be_is_now() {
    for time in [
        json!(i64::MAX),
        json!(i64::MIN),
        json!("x"),
        json!(null),
        json!(1e300),
    ] {
        let draft = with(&json!({"time": time}));
        assert_eq!(draft.created_at.as_second(), NOW, "{time}");
    }
}

#[test]
fn what_is_no_notification_makes_none() {
    let mut script = script();
    script.taken();
    for line in recorded("stream.txt") {
        script.tell(Input::Frame(&line));
        for effect in script.taken() {
            assert!(
                matches!(effect, Effect::KeepAlive | Effect::Fetch { .. }),
                "{line}: {effect:?}"
            );
        }
    }
}

#[test]
fn what_cannot_be_read_is_skipped_and_the_stream_goes_on() {
    let mut script = script();
    script.taken();
    for line in recorded("unreadable.txt") {
        script.tell(Input::Frame(&line));
        let effects = script.taken();
        assert!(
            matches!(effects.as_slice(), [Effect::Unreadable { frame }] if frame.chars().count() <= 80),
            "{line}: {effects:?}"
        );
    }
    script.tell(Input::Frame(&recorded("messages.txt")[1]));
    assert_eq!(script.drafts().len(), 1);
}

#[test]
fn the_topic_may_be_left_out_where_there_is_only_one() {
    let mut script = Script::new(resume(TransportKind::Websocket, &[("alerts", None)]));
    script.taken();
    script.frame(&json!({"id": "a", "time": NOW, "message": "m"}));
    assert_eq!(script.ids(), [(1, "a".to_owned(), Origin::Live)]);
}

/// Members of frames: the right ones, with any value.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|https://ex.test/.{0,5}|view|http|text/markdown|base64|alerts"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("name|url|action|label|headers|[a-z]{1,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn frames() -> impl Strategy<Value = String> {
    let members = "id|time|event|topic|title|message|priority|tags|click|icon|actions|attachment|content_type|encoding|sequence_id|expires";
    prop_oneof![
        ".{0,80}",
        prop::collection::btree_map(members, values(), 0..12)
            .prop_map(|members| Value::Object(members.into_iter().collect()).to_string()),
        (
            prop::sample::select(vec![
                "message",
                "message_clear",
                "message_delete",
                "open",
                "keepalive"
            ]),
            prop::collection::btree_map(members, values(), 0..8),
            any::<i64>(),
        )
            .prop_map(|(event, members, time)| {
                let mut frame = json!({"id": "x", "topic": "alerts", "time": time});
                for (name, value) in members {
                    frame[name] = value;
                }
                frame["event"] = event.into();
                frame.to_string()
            }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_is_survived(frames in prop::collection::vec((frames(), 0_u8..4), 1..12), now in any::<i32>()) {
        let now = Timestamp::from_second(i64::from(now)).unwrap();
        let mut session = Ntfy.session(resume(TransportKind::Websocket, &[("alerts", Some(NOW)), ("backup", None)]));
        session.start(now);
        for (frame, how) in frames {
            let effects = match how {
                0 | 1 => session.receive(Input::Frame(&frame), now),
                2 => session.receive(Input::Fetched { tag: 1, part: Fetched::Line(&frame) }, now),
                _ => session.receive(Input::Fetched { tag: 2, part: Fetched::End }, now),
            };
            for effect in effects {
                if let Effect::Notify { draft, .. } = effect {
                    prop_assert!((1..=5).contains(&draft.priority));
                    prop_assert!(!draft.remote_id.is_empty() && !draft.replace_key.is_empty());
                    prop_assert!(draft.title.len() <= limits::TITLE && draft.body.len() <= limits::BODY);
                }
            }
        }
    }
}
