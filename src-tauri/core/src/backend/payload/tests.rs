use super::{Envelope, Mapping, Payload, json, pointer, read};
use crate::model::{ActionKind, Class, Format, Tier, limits};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json as value};

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

fn envelope(text: &str) -> Envelope<'_> {
    Envelope {
        event: "",
        id: "",
        content_type: "",
        text,
        now: now(),
    }
}

fn plainly(text: &str) -> Payload {
    read(&Mapping::default(), &envelope(text))
}

fn mapped(mapping: Value, text: &str) -> Payload {
    read(&serde_json::from_value(mapping).unwrap(), &envelope(text))
}

/// RFC 6901, 5.
#[test]
fn pointers_lead_where_the_standard_says() {
    let document = value!({
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6,
        " ": 7, "m~n": 8
    });
    for (path, expected) in [
        ("", Some(document.clone())),
        ("/foo", Some(value!(["bar", "baz"]))),
        ("/foo/0", Some(value!("bar"))),
        ("/", Some(value!(0))),
        ("/a~1b", Some(value!(1))),
        ("/c%d", Some(value!(2))),
        ("/e^f", Some(value!(3))),
        ("/g|h", Some(value!(4))),
        ("/i\\j", Some(value!(5))),
        ("/k\"l", Some(value!(6))),
        ("/ ", Some(value!(7))),
        ("/m~0n", Some(value!(8))),
        ("/foo/01", None),
        ("/foo/-", None),
        ("/foo/2", None),
        ("/foo/bar", None),
        ("/absent", None),
        ("/a/b", None),
        ("foo", None),
    ] {
        let found = pointer::walk(&document, path).map(std::borrow::Cow::into_owned);
        assert_eq!(found, expected, "{path}");
    }
    assert!(!pointer::is_pointer("foo"));
    assert!(!pointer::is_pointer("/a~b"));
    assert!(pointer::is_pointer("/a~0b/~1"));
}

#[test]
fn a_pointer_goes_through_json_in_a_text() {
    let document = value!({"data": "{\"a\":\"[1,{\\\"b\\\":2}]\"}"});
    let found = pointer::walk(&document, "/data/a/1/b").unwrap();
    assert_eq!(found.as_ref(), &value!(2));
    assert!(pointer::walk(&document, "/data/x").is_none());
}

#[test]
fn usual_names_are_read() {
    let read = plainly(
        r#"{"id": 7, "type": "order.shipped", "title": "Shipped", "message": "It is on its way.",
            "action_url": "https://shop.test/o/7", "severity": "warning", "timestamp": 1754049600,
            "tags": ["shop", {"name": "orders"}, 3], "group": "Order 7", "expires_at": "2026-08-02T00:00:00Z",
            "icon": "https://shop.test/i.png", "topic": "orders", "silent": true,
            "actions": [{"label": "Track", "url": "https://shop.test/t"}, {"title": "Run", "url": "app://x"}, 5],
            "attachment": {"url": "https://shop.test/f/bill.pdf", "size": 9}}"#,
    );
    let draft = &read.draft;
    assert!(read.has_own_id && !read.ignored && !read.read && !read.deleted);
    assert_eq!(
        (draft.remote_id.as_str(), draft.replace_key.as_str()),
        ("7", "7")
    );
    assert_eq!(draft.kind, "order.shipped");
    assert_eq!(draft.title, "Shipped");
    assert_eq!(draft.body, "It is on its way.");
    assert_eq!(draft.url.as_deref(), Some("https://shop.test/o/7"));
    assert_eq!((draft.priority, draft.tier), (4, Tier::Important));
    assert_eq!(draft.created_at.as_second(), 1_754_049_600);
    assert_eq!(draft.tags, ["Order 7", "shop", "orders", "3"]);
    assert_eq!(
        draft.expires_at,
        Some("2026-08-02T00:00:00Z".parse().unwrap())
    );
    assert_eq!(draft.icon.as_deref(), Some("https://shop.test/i.png"));
    assert_eq!(read.topic.as_deref(), Some("orders"));
    assert!(draft.silent);
    assert_eq!(draft.actions.len(), 2);
    assert_eq!(draft.actions[0].kind, ActionKind::Open);
    assert_eq!(draft.actions[1].kind, ActionKind::Unsupported);
    let file = draft.attachment.as_ref().unwrap();
    assert_eq!((file.name.as_str(), file.size), ("bill.pdf", Some(9)));
}

#[test]
fn a_wrapped_notification_is_found_and_the_outer_id_wins() {
    for text in [
        r#"{"id":"e1","type":"x","data":{"id":"o9","title":"T","body":"B"}}"#,
        r#"{"id":"e1","type":"x","payload":"{\"id\":\"o9\",\"title\":\"T\",\"body\":\"B\"}"}"#,
        r#"{"id":"e1","type":"x","message":{"id":"o9","title":"T","text":"B"}}"#,
        r#"{"id":"e1","name":"x","data":"{\"type\":\"x\",\"title\":\"T\",\"content\":\"B\"}"}"#,
        r#""{\"id\":\"e1\",\"type\":\"x\",\"title\":\"T\",\"body\":\"B\"}""#,
    ] {
        let read = plainly(text);
        let draft = read.draft;
        assert_eq!(
            (
                draft.remote_id.as_str(),
                draft.title.as_str(),
                draft.body.as_str(),
                draft.kind.as_str()
            ),
            ("e1", "T", "B", "x"),
            "{text}"
        );
    }
}

#[test]
fn priorities_in_words_and_numbers() {
    for (written, priority) in [
        (value!(1), 1),
        (value!(2), 2),
        (value!(3), 3),
        (value!(4), 4),
        (value!(5), 5),
        (value!(0), 3),
        (value!(-2), 1),
        (value!(6), 4),
        (value!(8), 5),
        (value!(10), 5),
        (value!(1e300), 5),
        (value!("5"), 5),
        (value!("critical"), 5),
        (value!("ERROR"), 4),
        (value!("Warning"), 4),
        (value!("normal"), 3),
        (value!("info"), 2),
        (value!("debug"), 1),
        (value!("very-low"), 1),
        (value!("who knows"), 3),
        (value!(null), 3),
        (value!({}), 3),
    ] {
        let text = value!({"title": "t", "priority": written}).to_string();
        assert_eq!(plainly(&text).draft.priority, priority, "{text}");
    }
    let own = value!({"priorities": {"10": 2, "Sev-A": 5}});
    assert_eq!(
        mapped(own.clone(), r#"{"title":"t","level":10}"#)
            .draft
            .priority,
        2
    );
    assert_eq!(
        mapped(own, r#"{"title":"t","level":"sev-a"}"#)
            .draft
            .priority,
        5
    );
}

#[test]
fn times_as_servers_write_them() {
    for (written, expected) in [
        (value!("2026-07-31T10:00:00Z"), "2026-07-31T10:00:00Z"),
        (value!("2026-07-31T12:00:00+02:00"), "2026-07-31T10:00:00Z"),
        (
            value!("2026-07-31T10:00:00.250Z"),
            "2026-07-31T10:00:00.25Z",
        ),
        (value!("2026-07-31T10:00:00"), "2026-07-31T10:00:00Z"),
        (value!("2026-07-31 10:00:00"), "2026-07-31T10:00:00Z"),
        (
            value!("Fri, 31 Jul 2026 10:00:00 +0000"),
            "2026-07-31T10:00:00Z",
        ),
        (value!(1_785_492_000), "2026-07-31T10:00:00Z"),
        (value!(1_785_492_000_250_i64), "2026-07-31T10:00:00.25Z"),
        (value!(1_785_492_000_250_000_i64), "2026-07-31T10:00:00.25Z"),
        (
            value!(1_785_492_000_250_000_000_i64),
            "2026-07-31T10:00:00.25Z",
        ),
        (value!(1_785_492_000.25), "2026-07-31T10:00:00.25Z"),
        (value!("1785492000"), "2026-07-31T10:00:00Z"),
        (value!(0), "2026-08-01T12:00:00Z"),
        (value!(-5), "2026-08-01T12:00:00Z"),
        (value!(i64::MAX), "2262-04-11T23:47:16.854775807Z"),
        (value!(1e300), "2026-08-01T12:00:00Z"),
        (value!("yesterday"), "2026-08-01T12:00:00Z"),
        (value!([]), "2026-08-01T12:00:00Z"),
    ] {
        let text = value!({"title": "t", "created_at": written}).to_string();
        let at: Timestamp = expected.parse().unwrap();
        assert_eq!(plainly(&text).draft.created_at, at, "{text}");
    }
}

#[test]
fn cloud_events_keep_what_their_envelope_says() {
    let text = r#"{"specversion":"1.0","id":"A234","source":"/ci/main","type":"test.build.failed",
        "subject":"app#42","time":"2026-07-22T04:00:00Z","datacontenttype":"application/json",
        "severitynumber":17,"expirytime":"2026-08-22T04:00:00Z",
        "data":{"title":"Build failed","url":"https://ci.test/42","id":"other","time":5}}"#;
    let read = plainly(text);
    let draft = read.draft;
    assert_eq!(draft.remote_id, "/ci/main|A234");
    assert_eq!(draft.kind, "test.build.failed");
    assert_eq!(draft.title, "Build failed");
    assert_eq!(draft.url.as_deref(), Some("https://ci.test/42"));
    assert_eq!(draft.created_at, "2026-07-22T04:00:00Z".parse().unwrap());
    assert_eq!(
        draft.expires_at,
        Some("2026-08-22T04:00:00Z".parse().unwrap())
    );
    assert_eq!(draft.priority, 5);
    assert_eq!(draft.tags, ["app#42"]);
    assert_eq!(read.topic.as_deref(), Some("/ci/main"));

    let bare = plainly(
        r#"{"specversion":"1.0","id":"1","source":"s","type":"com.shop.order.shipped","subject":"7","data":{"n":1}}"#,
    );
    assert_eq!(bare.draft.title, "order shipped: 7");
    assert_eq!(json(&bare.draft.body), Some(value!({"n": 1})));
    let text = plainly(
        r#"{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/markdown","data":"*hi*"}"#,
    );
    assert_eq!(text.draft.body, "*hi*");
    assert_eq!(text.draft.format, Format::Markdown);
}

#[test]
fn web_push_payloads_are_recognised() {
    let read = plainly(
        r#"{"web_push":8030,"notification":{"title":"New mail","navigate":"https://mail.test/1","body":"Hello",
            "tag":"inbox","silent":true,"icon":"https://mail.test/i.png",
            "actions":[{"action":"open","title":"Open","navigate":"https://mail.test/2"}]}}"#,
    );
    let draft = read.draft;
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str()),
        ("New mail", "Hello")
    );
    assert_eq!(draft.url.as_deref(), Some("https://mail.test/1"));
    assert_eq!(draft.replace_key, "inbox");
    assert!(draft.remote_id.starts_with("h-") && !read.has_own_id);
    assert_eq!(draft.version, now().as_millisecond());
    assert!(draft.silent);
    assert_eq!(draft.actions[0].url, "https://mail.test/2");

    let fcm = plainly(
        r#"{"notification":{"title":"T","body":"B"},"data":{"url":"https://a.test/","id":"n1"}}"#,
    );
    assert_eq!(fcm.draft.url.as_deref(), Some("https://a.test/"));
    assert_eq!(fcm.draft.remote_id, "n1");
    let mastodon = plainly(
        r#"{"access_token":"x","preferred_locale":"en","notification_id":123,"notification_type":"mention",
            "icon":"https://m.test/a.png","title":"You were mentioned","body":"Hi"}"#,
    );
    assert_eq!(mastodon.draft.remote_id, "123");
    assert_eq!(mastodon.draft.kind, "mention");
}

#[test]
fn activities_are_read_by_their_object() {
    let read = plainly(
        r#"{"@context":"https://www.w3.org/ns/activitystreams","id":"https://a.test/act/1","type":"Create",
            "published":"2026-07-30T00:00:00Z","summary":"Ann wrote",
            "object":{"type":"Note","id":"https://a.test/n/1","content":"<p>Hi &amp; <b>bye</b></p><p>x</p>",
                      "url":[{"type":"Link","href":"https://a.test/@ann/1"}]}}"#,
    );
    let draft = read.draft;
    assert_eq!(draft.remote_id, "https://a.test/act/1");
    assert_eq!(draft.kind, "Create");
    assert_eq!(draft.title, "Ann wrote");
    assert_eq!(draft.body, "Hi & bye\nx");
    assert_eq!(draft.url.as_deref(), Some("https://a.test/@ann/1"));
    assert_eq!(draft.created_at, "2026-07-30T00:00:00Z".parse().unwrap());

    let linked = plainly(r#"{"@id":"https://b.test/books/1","@type":"Book","name":"1984"}"#);
    assert_eq!(linked.draft.kind, "Book");
    assert_eq!(linked.draft.title, "1984");
    assert_eq!(linked.draft.url.as_deref(), Some("https://b.test/books/1"));
}

#[test]
fn plain_text_is_a_body_and_its_first_line_a_title() {
    let one = plainly("The backup is done");
    assert_eq!(
        (one.draft.title.as_str(), one.draft.body.as_str()),
        ("", "The backup is done")
    );
    let more = plainly("Backup\r\n\r\nIt took 3 min.\nAll fine.\n");
    assert_eq!(more.draft.title, "Backup");
    assert_eq!(more.draft.body, "It took 3 min.\nAll fine.");
    assert_eq!(plainly("42").draft.body, "42");
    assert_eq!(plainly("\"a text\"").draft.body, "a text");
    assert_eq!(plainly("{broken").draft.body, "{broken");
    assert_eq!(plainly("").draft.body, "");
    let markdown = read(
        &Mapping::default(),
        &Envelope {
            content_type: "Text/Markdown; charset=utf-8",
            ..envelope("# Hi\nthere")
        },
    );
    assert_eq!(markdown.draft.format, Format::Markdown);
    assert_eq!(markdown.draft.body, "# Hi\nthere");
    let html = read(
        &Mapping::default(),
        &Envelope {
            content_type: "text/html",
            ..envelope("<script>x</script><h1>Hi</h1><p>a&nbsp;<i>b</i> &lt; 3 < 4")
        },
    );
    assert_eq!(html.draft.title, "Hi");
    assert_eq!(html.draft.body, "a b < 3 < 4");
}

#[test]
fn nothing_is_lost_where_no_name_is_known() {
    let read = plainly(r#"{"foo":{"bar":1}}"#);
    assert_eq!(json(&read.draft.body), Some(value!({"foo": {"bar": 1}})));
    assert_eq!(json(&plainly("[1,2]").draft.body), Some(value!([1, 2])));
}

#[test]
fn a_mapping_of_its_own() {
    let mapping = value!({
        "root": "/d", "id": "@payload/seq", "title": ["Build {/n} of {/nothing}", "Build {/n} {/state}"], "body": ["/gone", "/log"],
        "url": "/path", "base": "https://ci.test/x/", "priority": "/state", "priorities": {"broken": 5},
        "created_at": "/at", "type": "build", "tags": "/who", "topic": "@payload/repo", "format": "markdown",
        "actions": ["/a", "/b"], "read": "/seen_at", "icon": []
    });
    let read = mapped(
        mapping,
        r#"{"seq":4,"repo":"core","d":{"n":7,"state":"broken","log":"*no*","path":"../r/7","at":1785492000000,
            "who":"ann, bob","a":{"label":"A","redirect":{"url":"https://ci.test/a"}},"b":[{"text":"B","href":"/b"}],
            "seen_at":"2026-08-01","icon":"https://x.test/i"}}"#,
    );
    let draft = read.draft;
    assert_eq!(draft.remote_id, "4");
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str()),
        ("Build 7 broken", "*no*")
    );
    assert_eq!(draft.url.as_deref(), Some("https://ci.test/r/7"));
    assert_eq!(draft.priority, 5);
    assert_eq!(draft.kind, "build");
    assert_eq!(draft.tags, ["ann", "bob"]);
    assert_eq!(draft.format, Format::Markdown);
    assert_eq!(read.topic.as_deref(), Some("core"));
    assert_eq!(draft.actions.len(), 2);
    assert_eq!(draft.actions[1].url, "https://ci.test/b");
    assert!(read.read && !read.deleted);
    assert_eq!(draft.icon, None);
}

#[test]
fn versions_and_replacing() {
    let mapping = value!({"version": "/updated_at"});
    let first = mapped(
        mapping.clone(),
        r#"{"id":"a","title":"t","updated_at":"2026-07-31T10:00:00Z"}"#,
    );
    let second = mapped(
        mapping,
        r#"{"id":"a","title":"u","updated_at":"2026-07-31T10:00:01Z"}"#,
    );
    assert_eq!(first.draft.replace_key, second.draft.replace_key);
    assert_ne!(first.draft.remote_id, second.draft.remote_id);
    assert!(first.draft.version < second.draft.version);
    let keyed = mapped(
        value!({"replaces": "/job"}),
        r#"{"id":"a","job":"j","title":"t","time":1785492000}"#,
    );
    assert_eq!(keyed.draft.replace_key, "j");
    assert_eq!(keyed.draft.version, 1_785_492_000_000);
}

#[test]
fn events_can_be_chosen_left_out_and_be_fleeting() {
    let mapping: Mapping = serde_json::from_value(
        value!({"events": ["order.*", "typing"], "ignore": "*.internal", "ephemeral": ["typing"]}),
    )
    .unwrap();
    for (event, text, ignored) in [
        ("order.shipped", "{}", false),
        ("order.internal", "{}", true),
        ("presence", "{}", true),
        ("message", r#"{"type":"order.new"}"#, false),
        ("", r#"{"type":"presence"}"#, true),
        ("order.new", r#"{"type":"presence"}"#, false),
        ("", "plain", true),
    ] {
        let read = read(
            &mapping,
            &Envelope {
                event,
                ..envelope(text)
            },
        );
        assert_eq!(read.ignored, ignored, "{event} {text}");
    }
    let typing = read(
        &mapping,
        &Envelope {
            event: "typing",
            ..envelope("{}")
        },
    );
    assert_eq!(typing.draft.class, Class::Ephemeral);
    let patterns: super::Patterns = serde_json::from_value(value!(["a*b*c"])).unwrap();
    for (name, fits) in [
        ("abc", true),
        ("aXbYc", true),
        ("abcb", false),
        ("ac", false),
        ("abbc", true),
    ] {
        assert_eq!(patterns.fit(name), fits, "{name}");
    }
}

#[test]
fn ids_come_from_the_payload_the_transport_or_the_content() {
    let of = |event, id, text| {
        read(
            &Mapping::default(),
            &Envelope {
                event,
                id,
                ..envelope(text)
            },
        )
    };
    assert_eq!(of("e", "7", r#"{"id":"own"}"#).draft.remote_id, "own");
    let transported = of("e", "7", "{}");
    assert_eq!(transported.draft.remote_id, "7");
    assert!(!transported.has_own_id);
    let hashed = of("e", "", "{}").draft.remote_id;
    assert_eq!(hashed, of("e", "", "{}").draft.remote_id);
    assert_ne!(hashed, of("f", "", "{}").draft.remote_id);
    assert_ne!(hashed, of("e", "", "{} ").draft.remote_id);
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(5000));
    assert!(of("", "", &long).draft.remote_id.len() < 64);
}

#[test]
fn a_mapping_that_cannot_work_is_named() {
    for (mapping, says) in [
        (value!({"titel": "/x"}), "titel"),
        (value!({"title": "/a~x"}), "JSON pointer"),
        (value!({"title": "x {/a~x}"}), "JSON pointer"),
        (value!({"title": "{@who}"}), "stands for nothing"),
        (value!({"title": 5}), "data did not match"),
        (value!({"title": "x".repeat(3000)}), "longer"),
        (value!({"title": vec!["/x"; 100]}), "more than"),
    ] {
        let error = serde_json::from_value::<Mapping>(mapping).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let wrong: Mapping = serde_json::from_value(value!({"priorities": {"x": 9}})).unwrap();
    assert!(wrong.check().unwrap_err().contains("1 to 5"));
    let same = value!({"title": ["A {/b} { {@id}"], "ignore": ["x*"], "format": "html"});
    let mapping: Mapping = serde_json::from_value(same.clone()).unwrap();
    assert_eq!(serde_json::to_value(&mapping).unwrap(), same);
    assert!(mapping.check().is_ok());
}

#[test]
fn everything_is_cut_to_its_limit() {
    let long = "ü".repeat(700_000);
    let text = value!({
        "title": long, "body": long, "type": long, "topic": long, "tags": vec![long.as_str(); 50],
        "url": format!("https://x.test/{long}"),
        "actions": vec![value!({"label": "a", "url": "https://x.test"}); 50]
    })
    .to_string();
    let read = plainly(&text);
    let draft = read.draft;
    assert!(draft.title.len() <= limits::TITLE && draft.body.len() <= limits::BODY);
    assert!(draft.raw.len() <= limits::RAW && draft.kind.len() <= 1024);
    assert!(draft.tags.len() <= limits::TAGS && draft.tags.iter().all(|tag| tag.len() <= 256));
    assert_eq!(draft.actions.len(), limits::ACTIONS);
    assert_eq!(draft.url, None);
    assert!(read.topic.unwrap().len() <= 1024);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(value!("{\"title\":\"x\",\"data\":\"{}\"}")),
        Just(value!("https://x.test/é?a=<b>")),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "id",
            "type",
            "title",
            "body",
            "message",
            "data",
            "payload",
            "notification",
            "url",
            "tags",
            "actions",
            "priority",
            "time",
            "specversion",
            "source",
            "subject",
            "@context",
            "@type",
            "object",
            "content",
            "severitynumber",
            "attachment",
            "icon",
            "version",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_mapping() -> impl Strategy<Value = Mapping> {
    let source = prop_oneof![
        "(/[a-z~01]{0,5}){0,3}",
        "[a-z {}/@]{0,20}",
        Just("@event".to_owned()),
        Just("@payload/data".to_owned()),
        Just("{/id}: {@id}".to_owned()),
    ];
    prop::collection::btree_map(
        prop::sample::select(vec![
            "root",
            "id",
            "event",
            "type",
            "title",
            "body",
            "url",
            "priority",
            "created_at",
            "tags",
            "actions",
            "version",
            "replaces",
            "attachment",
            "events",
            "ignore",
            "read",
            "group",
        ])
        .prop_map(str::to_owned),
        prop::collection::vec(source, 0..3),
        0..6,
    )
    .prop_map(|members| serde_json::from_value(value!(members)).unwrap_or_default())
}

proptest! {
    #[test]
    fn any_json_is_read_within_bounds(payload in any_json(), mapping in any_mapping(), event in ".{0,8}") {
        let text = payload.to_string();
        let envelope = Envelope { event: &event, ..envelope(&text) };
        let first = read(&mapping, &envelope);
        prop_assert_eq!(&first, &read(&mapping, &envelope));
        let draft = first.draft;
        prop_assert!(!draft.remote_id.is_empty() && draft.remote_id.len() <= 256);
        prop_assert!(!draft.replace_key.is_empty() && draft.replace_key.len() <= 256);
        prop_assert!((1..=5).contains(&draft.priority));
        prop_assert!(draft.tags.len() <= limits::TAGS && draft.actions.len() <= limits::ACTIONS);
    }

    #[test]
    fn any_text_is_read(text in ".{0,300}", content_type in "(text/html|text/markdown|)") {
        let read = read(&Mapping::default(), &Envelope { content_type: &content_type, ..envelope(&text) });
        prop_assert!(!read.draft.remote_id.is_empty());
    }

    #[test]
    fn a_mapping_is_kept_as_it_was_written(mapping in any_mapping()) {
        let kept = serde_json::to_string(&mapping).unwrap();
        prop_assert_eq!(serde_json::from_str::<Mapping>(&kept).unwrap(), mapping);
    }
}
