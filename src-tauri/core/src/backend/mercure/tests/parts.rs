//! Cursors, requests, lines: the small parts.

use super::script::{query, sent};
use crate::backend::mercure::belongs::belongs;
use crate::backend::mercure::dialect::Dialect;
use crate::backend::mercure::lines::{Lines, Said};
use crate::backend::mercure::place::{Place, Position};
use crate::model::Cursor;
use proptest::prelude::*;
use url::Url;

fn hub() -> Url {
    Url::parse("https://hub.ex.test/.well-known/mercure").unwrap()
}

#[test]
fn a_cursor_is_read_as_it_was_written_and_anything_is_a_cursor() {
    for (text, number, position) in [
        ("s0", 0, Position::Earliest),
        (
            "s18446744073709551615 x",
            u64::MAX,
            Position::After("x".to_owned()),
        ),
        (
            "s7 urn:uuid:1 2",
            7,
            Position::After("urn:uuid:1 2".to_owned()),
        ),
        ("a7 ", 7, Position::After(String::new())),
    ] {
        let place = Place::read(&Cursor(text.to_owned()));
        assert_eq!((place.number, &place.position), (number, &position));
        assert_eq!(place.cursor().0, text);
    }
    for text in ["", "urn:uuid:1", "s", "x7 y", "s-1 y", "ä"] {
        let place = Place::read(&Cursor(text.to_owned()));
        assert_eq!(place.position, Position::After(text.to_owned()));
    }
}

/// Only the parameter can carry an id that no header can.
#[test]
fn an_id_that_is_no_header_goes_in_the_address_alone() {
    let from = Position::After("a\u{7f}b".to_owned());
    let request = Dialect::Zero.subscribe(&hub(), &["t"], Some(&from));
    assert_eq!(sent(&request, "Last-Event-ID"), None);
    assert_eq!(query(&request)[1].1, "a\u{7f}b");
}

#[test]
fn patterns_of_0_x_are_those_of_1_0() {
    for (topic, name, value) in [
        ("*", "match", "*"),
        (
            "https://ex.test:8000/a?b=c",
            "match",
            "https://ex.test:8000/a?b=c",
        ),
        ("plain", "match", "plain"),
        (
            "https://ex.test/users/{id}/mail",
            "match_urlpattern",
            "https://ex.test/users/:id/mail",
        ),
        (
            "https://ex.test/{a}/{b_2}",
            "match_urlpattern",
            "https://ex.test/:a/:b_2",
        ),
        (
            "https://ex.test/{+path}",
            "match_urlpattern",
            "https://ex.test/{+path}",
        ),
        ("https://ex.test/{", "match_urlpattern", "https://ex.test/{"),
        (
            "https://ex.test/users/:id",
            "match_urlpattern",
            "https://ex.test/users/:id",
        ),
        ("https://ex.test/*", "match_urlpattern", "https://ex.test/*"),
    ] {
        let request = Dialect::One.subscribe(&hub(), &[topic], None);
        assert_eq!(query(&request), [(name.to_owned(), value.to_owned())]);
        let request = Dialect::Zero.subscribe(&hub(), &[topic], None);
        assert_eq!(query(&request), [("topic".to_owned(), topic.to_owned())]);
    }
}

#[test]
fn names_belong_to_topics() {
    let table = [
        (
            "https://ex.test/users/{id}",
            "https://ex.test/users/7",
            true,
        ),
        (
            "https://ex.test/users/{id}",
            "https://ex.test/users/",
            false,
        ),
        (
            "https://ex.test/users/{id}",
            "https://ex.test/users/7/mail",
            false,
        ),
        (
            "https://ex.test/users/:id/mail",
            "https://ex.test/users/7/mail",
            true,
        ),
        (
            "https://ex.test/users/:id/mail",
            "https://ex.test/users/7/8/mail",
            false,
        ),
        (
            "https://ex.test/*/mail",
            "https://ex.test/users/7/mail",
            true,
        ),
        ("https://ex.test/a", "/a", true),
        ("https://ex.test/", "/", false),
        ("{x}", "anything", true),
        ("{x}{y}", "ab", true),
        ("a*", "abc", true),
        ("*", "abc", false),
        ("a", "ab", false),
        ("a", "", false),
        ("{", "{", true),
        ("ä{x}ß", "ä☂ß", true),
    ];
    for (topic, said, fits) in table {
        assert_eq!(belongs(&[topic], said).is_some(), fits, "{topic} {said}");
    }
}

fn said(text: &str) -> Vec<Said> {
    let mut lines = Lines::default();
    text.split('\n')
        .filter_map(|line| lines.take(line))
        .collect()
}

fn event(name: &str, id: &str, data: &str) -> Said {
    Said::Event {
        name: name.to_owned(),
        id: id.to_owned(),
        data: data.to_owned(),
    }
}

#[test]
fn lines_are_read_as_the_standard_says() {
    let table = [
        (
            "data: a\ndata:b\ndata:  c\n",
            vec![event("message", "", "a\nb\n c")],
        ),
        ("id: 1\nevent: x\ndata\n", vec![event("x", "1", "")]),
        (
            "id: 1\n\ndata: a\n",
            vec![Said::Moved("1".to_owned()), event("message", "1", "a")],
        ),
        (
            "id: 1\ndata: a\n\nid\ndata: b\n",
            vec![event("message", "1", "a"), event("message", "", "b")],
        ),
        ("id: a\0b\ndata: a\n", vec![event("message", "", "a")]),
        (": ping\nretry: 5\nother: x\n", vec![Said::Comment]),
        ("\u{feff}data: a\n", vec![event("message", "", "a")]),
        ("event: x\n\ndata: a\n", vec![event("message", "", "a")]),
        ("data: cut", vec![]),
    ];
    for (text, wanted) in table {
        assert_eq!(said(text), wanted, "{text:?}");
    }
    let long = format!("data: {}\n", "x".repeat(1024 * 1024));
    assert_eq!(
        said(&format!("{long}data: y\n\ndata: z\n")),
        [event("message", "", "z")]
    );
}

proptest! {
    #[test]
    fn any_lines_are_read(lines in prop::collection::vec(".{0,20}|(id|data|event): ?.{0,5}|", 0..40)) {
        said(&lines.join("\n"));
    }

    #[test]
    fn any_name_is_looked_up(topic in "[a{}:/*ä]{0,12}", name in "[a{}:/*ä]{0,12}") {
        belongs(&[&topic], &name);
        Dialect::One.subscribe(&hub(), &[&topic], None);
    }

    #[test]
    fn any_cursor_is_read(text in ".{0,20}") {
        let cursor = Cursor(text);
        let place = Place::read(&cursor);
        prop_assert_eq!(Place::read(&place.cursor()).position, place.position);
    }
}
