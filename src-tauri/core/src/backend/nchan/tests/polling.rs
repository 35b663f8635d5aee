//! Long polls and polls: their pace, and what is sent back byte for byte.

use super::script::{Inbox, NOW, Script, headers, http_date, said};
use crate::backend::{FailureKind, Fetched, Input};
use crate::model::TransportKind;
use std::time::Duration;

const MODIFIED: &str = "Sun, 22 Nov 2026 03:58:01 GMT";

fn answer(script: &mut Script<'_>, list: &[(&str, &str)], body: &str) {
    let (tag, _) = script.take("/sub/").expect("a request is under way");
    script.answer(tag, &headers(list), body);
}

#[test]
fn a_message_is_followed_by_the_next_request_at_once() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::LongPoll);
    answer(
        &mut script,
        &[("last-modified", MODIFIED), ("etag", "[0],-")],
        "a",
    );
    let (_, request) = &script.fetches[0];
    assert_eq!(said(request, "If-Modified-Since"), Some(MODIFIED));
    assert_eq!(said(request, "If-None-Match"), Some("[0],-"));
    assert_eq!(said(request, "Last-Event-ID"), None);
    // Both in one.
    answer(&mut script, &[("etag", "1795319900:0")], "b");
    let (_, request) = &script.fetches[0];
    assert_eq!(said(request, "Last-Event-ID"), Some("1795319900:0"));
    assert_eq!(said(request, "If-None-Match"), None);
    assert_eq!(inbox.bodies(), ["a", "b"]);
    assert_eq!(inbox.cursors[&1], "1795319900:0");
}

#[test]
fn an_empty_answer_is_followed_by_a_rest() {
    for (transport, status, rest) in [
        (TransportKind::LongPoll, 408, Duration::from_millis(1500)),
        (TransportKind::LongPoll, 304, Duration::from_secs(2)),
        (TransportKind::Poll, 304, Duration::from_mins(1)),
        (TransportKind::Poll, 408, Duration::from_mins(1)),
    ] {
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, transport);
        let (tag, _) = script.take("/sub/").unwrap();
        script.refuse(tag, status);
        assert!(script.fetches.is_empty());
        // There is nothing more: the backlog is complete without a moment of quiet.
        assert_eq!(script.lives, 1);
        assert_eq!(script.waits.last().unwrap().1, rest);
        script.waits.retain(|(_, time)| *time == rest);
        script.wait();
        assert_eq!(script.fetches.len(), 1);
        assert_eq!(script.failure, None);
    }
}

#[test]
fn a_request_that_is_held_back_completes_the_backlog() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::LongPoll);
    answer(
        &mut script,
        &[("last-modified", MODIFIED), ("etag", "0")],
        "a",
    );
    script.settle();
    assert_eq!(script.filled, [(1, None)]);
    assert_eq!(script.fetches.len(), 1);
}

/// What came later than the first answer is no place ahead of the server's clock.
#[test]
fn a_quiet_hour_after_a_message_does_not_begin_anew() {
    for (transport, status, date) in [
        (TransportKind::Poll, 304, Some(NOW + 700)),
        (TransportKind::LongPoll, 408, None),
    ] {
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, transport);
        let (tag, _) = script.take("/sub/").unwrap();
        let told = headers(&[("date", &http_date(NOW))]);
        let part = Fetched::Refused {
            status: 304,
            headers: &told,
            retry_after: None,
            body: "",
        };
        script.tell(Input::Fetched { tag, part });
        script
            .waits
            .retain(|(_, time)| *time > Duration::from_secs(1));
        script.wait();
        script.message(NOW + 600, &format!("{}:0", NOW + 600), "late");
        let (tag, _) = script.take("/sub/").unwrap();
        let told = date.map(|date| headers(&[("date", &http_date(date))]));
        let part = Fetched::Refused {
            status,
            headers: &told.unwrap_or_default(),
            retry_after: None,
            body: "",
        };
        script.tell(Input::Fetched { tag, part });
        assert!(script.fetches.is_empty(), "{transport:?}");
        assert_eq!(script.filled, [(1, None)]);
    }
}

#[test]
fn answers_that_cannot_be_followed_are_not() {
    for (list, kind) in [
        (&[("content-type", "text/plain")][..], FailureKind::Blocked),
        (&[("content-type", "text/html")], FailureKind::Transient),
        (&[("last-modified", MODIFIED)], FailureKind::Blocked),
    ] {
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, TransportKind::LongPoll);
        answer(&mut script, list, "a");
        assert_eq!(script.failed().kind, kind);
        assert!(inbox.drafts.is_empty());
    }
    // A cache gives the same answer for ever.
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::LongPoll);
    for _ in 0..2 {
        answer(
            &mut script,
            &[("last-modified", MODIFIED), ("etag", "0")],
            "a",
        );
    }
    assert_eq!(script.failed().kind, FailureKind::Blocked);
    assert_eq!(inbox.bodies(), ["a"]);
}

#[test]
fn a_message_above_the_limit_is_passed() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::LongPoll);
    let (tag, _) = script.take("/sub/").unwrap();
    let list = headers(&[("last-modified", MODIFIED), ("etag", "0")]);
    for part in [Fetched::Head(&list), Fetched::TooLong, Fetched::End] {
        script.tell(Input::Fetched { tag, part });
    }
    assert_eq!(script.unreadable, 1);
    let (_, request) = &script.fetches[0];
    assert_eq!(said(request, "If-None-Match"), Some("0"));
    assert!(inbox.cursors[&1].starts_with("1795319881:0"));
}

#[test]
fn a_poll_learns_from_an_empty_answer_that_the_clock_was_set_back() {
    let mut inbox = Inbox::of(&["alerts"]);
    inbox.cursors.insert(1, format!("{NOW}:0"));
    let mut script = Script::new(&mut inbox, TransportKind::Poll);
    let (tag, _) = script.take("/sub/").unwrap();
    script.tell(Input::Fetched {
        tag,
        part: Fetched::Refused {
            status: 304,
            headers: &headers(&[("date", &http_date(NOW - 3600))]),
            retry_after: None,
            body: "",
        },
    });
    let (_, request) = &script.fetches[0];
    assert_eq!(said(request, "Last-Event-ID"), Some("1:0"));
}
