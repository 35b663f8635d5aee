//! What is known of messages that the server dropped.

use super::script::{Inbox, NOW, Script};
use crate::backend::Missing::{NoLongerHeld, UnknownCursor};
use crate::backend::{FailureKind, Input, Missing};
use crate::model::TransportKind;

const T: i64 = NOW - 1000;

/// Resumes after `T:4`, receives these messages, hears this about the channel; what is missing.
fn missing(
    options: &str,
    came: &[(i64, u32)],
    about: Option<(u64, (i64, u32))>,
) -> Option<Missing> {
    let mut inbox = Inbox::of(&["alerts"]).with_options(options);
    inbox.cursors.insert(1, format!("{T}:4"));
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    if let Some((messages, (second, number))) = about {
        script.about(messages, &format!("{second}:{number}"));
    }
    for (second, number) in came {
        script.message(NOW, &format!("{second}:{number}"), "x");
    }
    script.settle();
    let [(1, missing)] = script.filled[..] else {
        panic!("{:?}", script.filled);
    };
    missing
}

#[test]
fn numbers_within_a_second_show_what_is_missing() {
    for (came, expected) in [
        (&[][..], None),
        (&[(T, 5)], None),
        (&[(T, 5), (T, 6), (T + 9, 0)], None),
        (&[(T + 9, 0)], None),
        // Somebody asked from further back; what is known is no gap.
        (&[(T, 3), (T, 4), (T, 5)], None),
        (&[(T - 8, 7), (T, 0), (T, 1)], None),
        (&[(T, 6)], Some(NoLongerHeld)),
        (&[(T + 9, 1)], Some(NoLongerHeld)),
        (&[(T, 5), (T + 9, 0), (T + 9, 2)], Some(NoLongerHeld)),
    ] {
        assert_eq!(missing("", came, None), expected, "{came:?}");
    }
}

#[test]
fn what_the_channel_tells_shows_more() {
    let known = r#"{"info_url":"https://push.ex.test/pub/{channel}","keeps":3}"#;
    let unknown = r#"{"info_url":"https://push.ex.test/pub/alerts"}"#;
    let later = |count: u32| -> Vec<(i64, u32)> { (0..count).map(|n| (T + 9, n)).collect() };
    for (options, came, about, expected) in [
        // Nothing was published.
        (known, vec![], (0, (T, 4)), None),
        (known, vec![], (3, (T, 4)), None),
        // The channel was swept up while nobody listened: nothing is known.
        (known, vec![], (0, (0, 0)), None),
        // It was published and is gone.
        (known, vec![], (0, (T, 5)), Some(NoLongerHeld)),
        // All of it is new and the buffer is full.
        (known, later(3), (3, (T + 9, 2)), Some(NoLongerHeld)),
        // The buffer has room, so nothing was dropped for what came.
        (known, later(2), (2, (T + 9, 1)), None),
        // It still held our last one.
        (known, later(2), (3, (T + 9, 1)), None),
        // The numbers prove that it is whole.
        (known, vec![(T, 5), (T, 6), (T, 7)], (3, (T, 7)), None),
        // How much fits is not known.
        (unknown, later(9), (9, (T + 9, 8)), None),
        (unknown, later(10), (10, (T + 9, 9)), Some(UnknownCursor)),
    ] {
        assert_eq!(
            missing(options, &came, Some(about)),
            expected,
            "{came:?} {about:?}"
        );
    }
}

#[test]
fn the_channels_word_ends_a_backlog_at_once() {
    let mut inbox =
        Inbox::of(&["alerts"]).with_options(r#"{"info_url":"https://push.ex.test/pub/alerts"}"#);
    inbox.cursors.insert(1, format!("{T}:4"));
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    script.message(NOW, &format!("{T}:5"), "x");
    script.about(7, &format!("{T}:6"));
    assert_eq!(script.lives, 0);
    script.message(NOW, &format!("{T}:6"), "x");
    assert_eq!((script.lives, &script.filled[..]), (1, &[(1, None)][..]));
}

#[test]
fn what_is_owed_is_waited_for_longer() {
    let mut inbox =
        Inbox::of(&["alerts"]).with_options(r#"{"info_url":"https://push.ex.test/pub/alerts"}"#);
    inbox.cursors.insert(1, format!("{T}:4"));
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    script.about(7, &format!("{T}:5"));
    for _ in 0..5 {
        script.wait();
    }
    assert_eq!(script.lives, 0);
    script.message(NOW, &format!("{T}:5"), "slow");
    assert_eq!((script.lives, &script.filled[..]), (1, &[(1, None)][..]));
}

#[test]
fn a_connection_that_keeps_something_back_is_opened_anew() {
    let mut inbox =
        Inbox::of(&["alerts"]).with_options(r#"{"info_url":"https://push.ex.test/pub/alerts"}"#);
    inbox.cursors.insert(1, format!("{T}:4"));
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    script.about(7, &format!("{T}:5"));
    while script.failure.is_none() {
        script.wait();
    }
    assert_eq!(script.failed().kind, FailureKind::Transient);
    assert_eq!((script.lives, script.filled.len()), (0, 0));
}

#[test]
fn a_quiet_websocket_is_opened_anew_now_and_then() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    script.settle();
    script.message(NOW, &format!("{NOW}:0"), "a");
    let begun = script.now;
    script.wait();
    assert_eq!(script.failure, None);
    script.wait();
    assert_eq!(script.failed().kind, FailureKind::Again);
    assert_eq!(script.now - begun, 30 * 60);
}

#[test]
fn an_address_that_tells_nothing_is_named_and_stops_nothing() {
    for (status, is_problem) in [(404, false), (403, true), (500, true), (408, true)] {
        let mut inbox = Inbox::of(&["alerts"])
            .with_options(r#"{"info_url":"https://push.ex.test/pub/alerts"}"#);
        let mut script = Script::new(&mut inbox, TransportKind::Sse);
        script.open(NOW);
        let (tag, _) = script.take("/pub/").unwrap();
        script.refuse(tag, status);
        script.settle();
        assert_eq!(script.problems.len(), usize::from(is_problem), "{status}");
    }
    let mut inbox =
        Inbox::of(&["alerts"]).with_options(r#"{"info_url":"https://push.ex.test/pub/alerts"}"#);
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    let (tag, _) = script.take("/pub/").unwrap();
    script.answer(tag, &[], "queued messages: 1");
    script.settle();
    assert!(script.problems[0].contains("publisher's address"));
}

#[test]
fn a_gap_in_a_live_connection_is_told_too() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    script.settle();
    script.message(NOW, &format!("{}:0", NOW + 1), "a");
    script.message(NOW, &format!("{}:3", NOW + 1), "b");
    assert_eq!(script.filled, [(1, None), (1, Some(NoLongerHeld))]);
}

#[test]
fn each_channel_of_a_connection_is_judged_by_itself() {
    let mut inbox = Inbox::of(&["a", "b"]).with_options(r#"{"channels":"a,b"}"#);
    for subscription in [1, 2] {
        inbox.cursors.insert(subscription, format!("{T}:[4],1"));
    }
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    script.message(NOW, &format!("{T}:[5],1"), "a");
    script.message(NOW, &format!("{T}:5,[3]"), "b");
    script.settle();
    assert_eq!(script.filled, [(1, None), (2, Some(NoLongerHeld))]);
}

#[test]
fn a_server_whose_clock_was_set_back_is_asked_anew() {
    for (ahead, expected) in [(2, None), (3600, Some(UnknownCursor))] {
        let mut inbox = Inbox::of(&["alerts"]);
        inbox.cursors.insert(1, format!("{NOW}:4"));
        let mut script = Script::new(&mut inbox, TransportKind::Sse);
        // It would say nothing until its clock has come so far.
        script.open(NOW - ahead);
        assert_eq!(script.opened.len(), 2);
        let place = &script.opened[1].headers[0];
        assert_eq!(place, &("Last-Event-ID".to_owned(), "1:0".to_owned()));
        script.open(NOW - ahead);
        script.message(NOW, &format!("{}:0", NOW - ahead), "a");
        script.settle();
        assert_eq!(script.filled, [(1, expected)]);
        assert_eq!(inbox.bodies(), ["a"]);
        // A cursor goes back only where history began anew.
        let cursor = if ahead == 2 {
            format!("{NOW}:4")
        } else {
            format!("{}:0", NOW - ahead)
        };
        assert_eq!(inbox.cursors[&1], cursor);
    }
    // Ahead of our own clock: not asked for at all.
    let mut inbox = Inbox::of(&["alerts"]);
    inbox.cursors.insert(1, format!("{}:0", NOW + 3600));
    let script = Script::new(&mut inbox, TransportKind::LongPoll);
    let (_, request) = &script.fetches[0];
    assert_eq!(request.headers[0].1, "1:0");
}

#[test]
fn a_place_that_the_server_does_not_understand_is_given_up_step_by_step() {
    let mut inbox = Inbox::of(&["alerts"]);
    inbox.cursors.insert(1, format!("{T}:[4],-"));
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    let asked = |script: &Script<'_>| script.opened.last().unwrap().headers[0].1.clone();
    let refuse = |script: &mut Script<'_>| {
        script.tell(Input::Refused {
            status: 400,
            headers: &[],
            retry_after: None,
            body: "",
        });
    };
    refuse(&mut script);
    // All of that second: the same for any number of channels.
    assert_eq!(asked(&script), format!("{}:0", T - 1));
    refuse(&mut script);
    assert_eq!(asked(&script), "1:0");
    script.open(NOW);
    script.settle();
    assert_eq!(script.filled, [(1, Some(UnknownCursor))]);
}
