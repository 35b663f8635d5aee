//! What events become, in recorded streams.

use super::script::{Script, resume};
use crate::backend::Input;
use crate::backend::mercure::lines::{Lines, Said};
use crate::model::{Draft, Origin, Tier};
use std::fs;
use std::path::Path;

const A: &str = "https://ex.test/a";

/// The body of a recorded stream.
pub(super) fn recorded(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/backends/mercure")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a recorded stream says.
pub(super) fn said(name: &str) -> Vec<Said> {
    let mut lines = Lines::default();
    let body = recorded(name);
    body.lines().filter_map(|line| lines.take(line)).collect()
}

fn drafts(name: &str) -> Vec<(i64, Draft, Origin)> {
    let mut script = Script::new(resume(&[("*", Some("s1 x")), (A, Some("s1 x"))], ""));
    script.open(&[("last-event-id", "x")]);
    script.taken();
    for said in said(name) {
        if let Said::Event { name, id, data } = said {
            script.tell(Input::Event {
                name: &name,
                id: &id,
                data: &data,
            });
        }
    }
    script.drafts()
}

#[test]
fn what_a_small_hub_sends() {
    let drafts = drafts("flask.txt");
    let gist: Vec<_> = drafts
        .iter()
        .map(|(_, d, _)| (&*d.remote_id, &*d.kind, &*d.title, &*d.body))
        .collect();
    assert_eq!(
        gist,
        [
            (
                "urn:uuid:e5ca9c20-2c0e-40ee-925e-c2cf12a31009",
                "",
                "one",
                ""
            ),
            ("urn:uuid:my-1", "alert", "line1", "line2"),
            (
                "urn:uuid:654d5a15-e42b-402a-b8b0-b610b31ba415",
                "",
                "three",
                ""
            ),
        ]
    );
}

/// Events about subscriptions are none of ours, and still move the cursor.
#[test]
fn what_the_hub_in_go_sends() {
    let drafts = drafts("go.txt");
    let [(first, alert, _), (_, book, _), (rest, text, _)] = drafts.as_slice() else {
        panic!("three: {drafts:?}");
    };
    assert_eq!(
        (*first, *rest),
        (2, 1),
        "the topic that it names, and the one for all"
    );
    assert_eq!(
        (&*alert.title, &*alert.kind, alert.tier),
        ("Build failed", "alert", Tier::Important)
    );
    assert!(alert.priority > 3);
    assert_eq!(
        book.remote_id, "urn:uuid:5e94c686-2c0b-4f9b-958c-92ccc3bbb4eb",
        "not what it is about"
    );
    assert_eq!(book.title, "In print");
    assert_eq!((&*text.title, &*text.body), ("first line", "second line"));
}

fn one(data: &str, options: &str) -> Vec<(i64, Draft, Origin)> {
    let mut script = Script::new(resume(&[(A, Some("s1 x"))], options));
    script.open(&[("last-event-id", "x")]);
    script.event("e2", data);
    assert_eq!(
        script.cursors[&1], "s2 e2",
        "whatever it is, it is behind us"
    );
    script.drafts()
}

/// A resource is published at each change, and each change is news.
#[test]
fn the_payloads_id_is_no_id_unless_its_user_says_so() {
    let changed = r#"{"id":5,"@id":"/books/5","title":"changed"}"#;
    assert_eq!(one(changed, "")[0].1.remote_id, "e2");
    let options = r#"{"mapping":{"id":"/id"}}"#;
    assert_eq!(one(changed, options)[0].1.remote_id, "5");
}

#[test]
fn encrypted_payloads_say_so() {
    let jwe = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aaaa.bbbb.cccc";
    let draft = one(jwe, "").remove(0).1;
    assert!(draft.body.contains("encrypted"), "{draft:?}");
    assert_eq!(draft.raw, jwe);
    assert!(!one("a.b.c.d.e", "")[0].1.body.contains("encrypted"));
}

#[test]
fn an_empty_payload_is_news_too() {
    assert_eq!(one("", "").len(), 1);
}

/// An event stream repeats the last id for events without one: they are not the same event.
#[test]
fn events_without_ids_are_told_apart() {
    let mut script = Script::new(resume(&[(A, Some("s1 x"))], ""));
    script.open(&[("last-event-id", "x")]);
    script.taken();
    for data in ["one", "two", "three"] {
        script.event("e2", data);
    }
    let mut ids: Vec<_> = script.ids().into_iter().map(|(_, id, _)| id).collect();
    assert_eq!(ids[0], "e2");
    ids.dedup();
    assert_eq!(ids.len(), 3);
}
