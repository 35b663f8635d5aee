//! Long polls and polls.

use super::script::{Script, Setup, found, header_of, profile};
use crate::backend::{FailureKind, Missing};
use crate::model::{Origin, TransportKind};
use serde_json::json;
use std::time::Duration;

fn long_poll() -> Setup<'static> {
    Setup::new(found(TransportKind::LongPoll), TransportKind::LongPoll)
}

#[test]
fn the_loop_of_every_tutorial() {
    let setup = long_poll();
    let mut script = Script::new(&setup);
    assert_eq!(script.asked_url(), "https://ex.test/app");
    assert_eq!(script.asked().patience, Some(Duration::from_secs(90)));
    script.answer(r#"{"events":[{"id":1,"title":"a"},{"id":2,"title":"b"}],"cursor":"2"}"#);
    assert_eq!(script.origins(), [Origin::FirstFilling; 2]);
    assert_eq!(script.asked_url(), "https://ex.test/app?cursor=2");
    assert_eq!(script.live, 0, "there may be more at once");
    script.wake();
    assert_eq!(script.live, 1, "the answer is held back");
    script.pass(30);
    script.answer(r#"{"events":[],"cursor":"2"}"#);
    assert!(
        script.waits.is_empty(),
        "it was held back: asked again at once"
    );
    script.pass(10);
    script.answer(r#"{"events":[{"id":3,"title":"c"}],"cursor":"3"}"#);
    assert_eq!(script.origins()[2], Origin::Live);
    assert_eq!(script.asked_url(), "https://ex.test/app?cursor=3");

    let mut again = script.again(&setup);
    assert_eq!(again.asked_url(), "https://ex.test/app?cursor=3");
    again.answer(r#"{"events":[{"id":4,"title":"d"}],"cursor":"4"}"#);
    again.answer(r#"{"events":[{"id":5,"title":"e"}],"cursor":"5"}"#);
    assert_eq!(again.origins(), [Origin::Backfill; 2]);
    again.wake();
    again.wake();
    assert_eq!(again.filled, [(1, None)]);
}

#[test]
fn a_server_that_holds_nothing_back_is_not_asked_in_a_rush() {
    let mut script = Script::new(&long_poll());
    script.answer(r#"{"events":[],"cursor":"2"}"#);
    assert_eq!(script.waits.len(), 0, "the cursor moved");
    script.answer(r#"{"events":[],"cursor":"2"}"#);
    assert_eq!(script.open_fetches.len(), 0);
    assert_eq!(script.waits[0].1, Duration::from_secs(5));
    script.wake();
    assert_eq!(script.open_fetches.len(), 1);
}

#[test]
fn times_without_news_come_in_many_forms() {
    let mut script = Script::new(&long_poll());
    script.answer(r#"{"events":[],"cursor":"7"}"#);
    for status in [408, 304] {
        script.pass(60);
        script.refuse(status);
        assert!(script.failure.is_none());
        assert_eq!(script.asked_url(), "https://ex.test/app?cursor=7");
    }
    script.pass(60);
    script.answer_with(&[], "");
    script.pass(60);
    script.refuse(504);
    assert!(script.failure.is_none(), "a proxy lost its patience");
    script.refuse(504);
    assert_eq!(script.failure.unwrap().kind, FailureKind::Transient);
}

#[test]
fn a_long_poll_without_a_cursor_keeps_nothing() {
    let setup = long_poll();
    let mut script = Script::new(&setup);
    script.answer_with(&[("content-type", "text/plain")], "Door open");
    assert_eq!(script.stored[0].draft.body, "Door open");
    let mut again = script.again(&setup);
    again.pass(30);
    again.answer_with(&[("content-type", "text/plain")], "Door shut");
    assert_eq!(again.filled, [(1, Some(Missing::LiveOnly))]);
}

#[test]
fn an_address_turns_out_to_be_something_else() {
    let mut stream = Script::new(&long_poll());
    stream.answer_with(&[("content-type", "text/event-stream")], "");
    assert_eq!(stream.failure.unwrap().kind, FailureKind::Blocked);
    let mut page = Script::new(&long_poll());
    page.answer_with(&[("content-type", "text/html")], "<html>");
    assert_eq!(page.failure.unwrap().kind, FailureKind::Transient);
    assert!(page.stored.is_empty());
    let mut list = Script::new(&long_poll());
    list.answer(r#"[{"id":1,"title":"a"}]"#);
    assert_eq!(
        list.waits[0].1,
        Duration::from_mins(1),
        "a list is asked for now and then"
    );
}

#[test]
fn a_list_is_asked_for_now_and_then_and_only_what_is_new_enough_is_taken() {
    let setup = Setup::new(found(TransportKind::Poll), TransportKind::Poll);
    let mut script = Script::new(&setup);
    let list = json!([
        {"id": 3, "title": "c", "created_at": "2026-08-01T11:00:00Z"},
        {"id": 2, "title": "b", "created_at": "2026-08-01T10:00:00Z"},
        {"id": 1, "title": "old", "created_at": "2026-07-01T10:00:00Z"},
    ]);
    script.answer_with(
        &[
            ("content-type", "application/json"),
            ("etag", "\"x\""),
            ("x-poll-interval", "120"),
        ],
        &list.to_string(),
    );
    assert_eq!(script.titles(), ["b", "c"], "the oldest first");
    assert_eq!(
        script.waits,
        [(5, Duration::from_mins(2))],
        "as slowly as the server asks"
    );
    script.wake();
    assert_eq!(header_of(script.asked(), "if-none-match"), Some("\"x\""));
    script.refuse(304);
    assert_eq!(script.waits[0].1, Duration::from_mins(1));
    script.wake();
    assert_eq!(
        header_of(script.asked(), "if-none-match"),
        Some("\"x\""),
        "it still stands"
    );
    script.answer(&list.to_string());
    assert_eq!(
        script.titles()[2..],
        ["b", "c"],
        "the inbox knows them; the old one stays away"
    );
    assert_eq!(*script.origins().last().unwrap(), Origin::Live);
}

#[test]
fn a_described_answer() {
    let toml = r#"
        [long_poll]
        url = "/updates"
        query = { since = "{position}", room = "{topic}" }
        items = "/result/list"
        hold = 30
        [cursor]
        answer = "/result/next"
    "#;
    let setup = Setup {
        topics: &["a", "b"],
        ..Setup::new(profile(toml), TransportKind::LongPoll)
    };
    let mut script = Script::new(&setup);
    assert_eq!(
        script.asked_url(),
        "https://ex.test/app/updates?room=a&room=b"
    );
    assert_eq!(script.asked().patience, Some(Duration::from_secs(30)));
    script.answer(r#"{"result":{"list":[{"id":"x","title":"t","topic":"b"}],"next":9}}"#);
    assert_eq!(script.stored[0].subscription, 2);
    assert_eq!(
        script.asked_url(),
        "https://ex.test/app/updates?room=a&room=b&since=9"
    );
    assert_eq!(script.cursors.len(), 2, "both are where the connection is");
}
