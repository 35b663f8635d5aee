//! How a connection is opened, when it is complete, and what its messages are.

use super::script::{Inbox, NOW, Script, Server, TRANSPORTS, connect, headers, said};
use crate::backend::nchan::Nchan;
use crate::backend::{Backend as _, Effect, FailureKind, Input};
use crate::model::{Format, Origin, TransportKind};
use jiff::Timestamp;
use std::time::Duration;

#[test]
fn each_transport_is_asked_in_its_own_way() {
    let mut inbox = Inbox::of(&["alerts"]);
    let script = Script::new(&mut inbox, TransportKind::Websocket);
    let open = &script.opened[0];
    assert_eq!(open.url.as_str(), "https://push.ex.test/sub/alerts");
    assert_eq!(said(open, "Sec-WebSocket-Protocol"), Some("ws+meta.nchan"));
    // Whatever the server's owner chose as the first message.
    assert_eq!(said(open, "Last-Event-ID"), Some("1:0"));
    assert!(script.fetches.is_empty());

    inbox.cursors.insert(1, "1795319881:4".to_owned());
    let script = Script::new(&mut inbox, TransportKind::Sse);
    let open = &script.opened[0];
    assert_eq!(said(open, "Last-Event-ID"), Some("1795319881:4"));
    assert!(open.wants_head);

    let script = Script::new(&mut inbox, TransportKind::LongPoll);
    let (_, request) = &script.fetches[0];
    assert_eq!(said(request, "Last-Event-ID"), Some("1795319881:4"));
    assert_eq!(said(request, "If-Modified-Since"), None);
    assert_eq!(request.patience, Some(Duration::from_mins(2)));

    let date = "Sun, 22 Nov 2026 03:58:01 GMT";
    inbox.cursors.insert(1, format!("1795319881:4\t{date}\t4"));
    let script = Script::new(&mut inbox, TransportKind::Poll);
    let (_, request) = &script.fetches[0];
    assert_eq!(said(request, "If-Modified-Since"), Some(date));
    assert_eq!(said(request, "If-None-Match"), Some("4"));
    assert_eq!(said(request, "Last-Event-ID"), None);
    let script = Script::new(&mut inbox, TransportKind::Sse);
    assert_eq!(
        said(&script.opened[0], "Last-Event-ID"),
        Some("1795319881:4")
    );
}

#[test]
fn a_websocket_without_ids_is_left_for_the_next_transport() {
    for answered in [&[][..], &[("sec-websocket-protocol", "chat")]] {
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, TransportKind::Websocket);
        script.tell(Input::Opened {
            headers: &headers(answered),
        });
        assert_eq!(script.failed().kind, FailureKind::Blocked);
        assert!(script.failed().says.contains("ws+meta.nchan"));
    }
}

#[test]
fn what_was_published_before_is_a_backlog_and_what_comes_then_is_live() {
    for transport in [TransportKind::Websocket, TransportKind::Sse] {
        let mut inbox = Inbox::of(&["alerts"]);
        inbox.cursors.insert(1, format!("{}:0", NOW - 100));
        let mut script = Script::new(&mut inbox, transport);
        script.open(NOW);
        script.message(NOW, &format!("{}:1", NOW - 100), "old");
        assert_eq!(script.lives, 0);
        // It came while the backlog did.
        script.message(NOW, &format!("{NOW}:0"), "new");
        // One moment in which something came, one in which nothing did.
        script.wait();
        assert_eq!((script.lives, script.filled.len()), (0, 0));
        script.wait();
        assert_eq!(script.lives, 1);
        assert_eq!(script.filled, [(1, None)]);
        script.message(NOW, &format!("{}:0", NOW - 1), "of a slow clock");
        assert_eq!(
            script.inbox.origins(),
            [Origin::Backfill, Origin::Live, Origin::Live]
        );
    }
}

#[test]
fn a_new_subscription_is_filled_with_the_last_day() {
    for transport in TRANSPORTS {
        let mut server = Server::new(1);
        for (hours, text) in [(30, "stale"), (25, "old"), (23, "kept"), (0, "now")] {
            server.date = NOW - hours * 3600 - 5;
            server.publish(0, text);
        }
        server.date = NOW;
        let mut inbox = Inbox::of(&["alerts"]);
        connect(&server, &mut inbox, transport, usize::MAX);
        assert_eq!(inbox.bodies(), ["kept", "now"]);
        assert_eq!(inbox.origins(), [Origin::FirstFilling; 2]);
    }
}

#[test]
fn a_channel_in_which_nothing_was_said_has_a_place_too() {
    for transport in TRANSPORTS {
        let mut server = Server::new(1);
        let mut inbox = Inbox::of(&["alerts"]);
        connect(&server, &mut inbox, transport, usize::MAX);
        assert_eq!(inbox.cursors[&1], "1:0");
        server.date -= 60;
        server.publish(0, "while away");
        server.date += 60;
        connect(&server, &mut inbox, transport, usize::MAX);
        assert_eq!(inbox.bodies(), ["while away"]);
        // Nothing was there when it was filled, so this was missed.
        assert_eq!(inbox.origins(), [Origin::Backfill]);
    }
}

#[test]
fn a_channel_is_offered_under_the_name_in_its_address() {
    let mut inbox = Inbox::of(&[]);
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    script.message(NOW, &format!("{NOW}:0"), "a");
    assert_eq!(inbox.topics, ["alerts"]);
    assert_eq!(inbox.ids(), [format!("alerts|{NOW}:0")]);
}

#[test]
fn every_channel_of_a_connection_has_its_subscription() {
    for transport in TRANSPORTS {
        let mut server = Server::new(3);
        server.date = NOW - 10;
        server.publish(0, "a1");
        server.publish(1, "b1");
        server.publish(0, "a2");
        server.date = NOW - 5;
        server.publish(2, "c1");
        server.date = NOW;
        let mut inbox = Inbox::of(&[]).with_options(r#"{"channels":"a, b, c"}"#);
        connect(&server, &mut inbox, transport, usize::MAX);
        assert_eq!(inbox.topics, ["a", "b", "c"]);
        assert_eq!(inbox.bodies(), ["a1", "b1", "a2", "c1"]);
        let of: Vec<i64> = inbox.drafts.iter().map(|(of, ..)| *of).collect();
        assert_eq!(of, [1, 2, 1, 3]);
        let second = NOW - 10;
        assert_eq!(
            inbox.ids(),
            [
                format!("a|{second}:0"),
                format!("b|{second}:0"),
                format!("a|{second}:1"),
                format!("c|{}:0", NOW - 5),
            ]
        );
        // One place for all.
        let cursors: Vec<_> = inbox.cursors.values().collect();
        assert_eq!(cursors.len(), 3);
        assert!(
            cursors.iter().all(|cursor| *cursor == cursors[0]),
            "{cursors:?}"
        );
    }
}

#[test]
fn a_new_channel_is_filled_without_repeating_the_others() {
    let mut server = Server::new(2);
    server.date = NOW - 100;
    server.publish(0, "a1");
    server.publish(1, "b1");
    server.date = NOW;
    let options = r#"{"channels":"a, b"}"#;
    let mut inbox = Inbox::of(&["a"]).with_options(options);
    // It was here before the second one was named.
    inbox.cursors.insert(1, format!("{}:0", NOW - 100));
    connect(&server, &mut inbox, TransportKind::Sse, usize::MAX);
    let seen: Vec<_> = inbox
        .drafts
        .iter()
        .map(|(of, draft, origin)| (*of, draft.body.as_str(), *origin))
        .collect();
    // The inbox knows the first one, and what is known is no news.
    assert_eq!(
        seen,
        [(1, "a1", Origin::Backfill), (2, "b1", Origin::FirstFilling)]
    );
    let place = format!("{}:0,[0]", NOW - 100);
    assert_eq!(inbox.cursors[&1], place);
    assert_eq!(inbox.cursors[&2], place);
}

#[test]
fn a_channel_that_the_user_left_is_passed_over() {
    let inbox = Inbox::of(&["b"]).with_options(r#"{"channels":"a, b"}"#);
    let now = Timestamp::from_second(NOW).unwrap();
    let mut session = Nchan.session(inbox.resume(TransportKind::Sse));
    let first = session.start(now);
    assert!(matches!(&first[..], [Effect::Offer(offered)] if offered[0].topic == "a"));
    let known = [("a".to_owned(), None)];
    let opened = session.receive(Input::Offered(&known), now);
    assert!(matches!(opened[..], [Effect::Open(_)]), "{opened:?}");
    let id = format!("{NOW}:[0],-");
    let effects = session.receive(
        Input::Event {
            name: "message",
            id: &id,
            data: "of a",
        },
        now,
    );
    // The place of the other one moves past it.
    assert!(
        matches!(&effects[..], [Effect::Advance { cursor, .. }] if cursor.0 == id),
        "{effects:?}"
    );
    // Without any channel there is nothing to connect to.
    let inbox = Inbox::of(&[]);
    let mut session = Nchan.session(inbox.resume(TransportKind::Sse));
    session.start(now);
    let known = [("alerts".to_owned(), None)];
    assert_eq!(session.receive(Input::Offered(&known), now), [Effect::Live]);
}

#[test]
fn channels_that_nobody_named_share_a_subscription_and_no_id() {
    let mut inbox = Inbox::of(&["all"]);
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    script.message(NOW, &format!("{NOW}:[0],-"), "a1");
    script.message(NOW, &format!("{NOW}:0,[0]"), "b1");
    assert_eq!(
        inbox.ids(),
        [format!("all|{NOW}:0"), format!("all/2|{NOW}:0")]
    );
}

#[test]
fn messages_are_read_by_their_usual_names_or_as_mapped() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    let json = r#"{"id":"device-7","title":"Disk","message":"97 %","priority":5}"#;
    script.tell(Input::Frame(&format!("id: {NOW}:3\n\n{json}")));
    let markdown = format!("id: {NOW}:4\ncontent-type: text/markdown\n\n**x**");
    script.tell(Input::Frame(&markdown));
    let (_, draft, _) = &inbox.drafts[0];
    assert_eq!(
        (&*draft.title, &*draft.body, draft.priority),
        ("Disk", "97 %", 5)
    );
    // What is called an id there may be anybody's; the server's is unique.
    assert_eq!(draft.remote_id, format!("alerts|{NOW}:3"));
    assert_eq!(draft.replace_key, draft.remote_id);
    assert_eq!(draft.created_at.as_millisecond(), NOW * 1000 + 3);
    assert_eq!(draft.raw, json);
    assert_eq!(inbox.drafts[1].1.format, Format::Markdown);

    let mut inbox = Inbox::of(&["alerts"]).with_options(
        r#"{"mapping":{"id":"/uuid","replaces":"/job","ignore":"typing","deleted":"/gone"}}"#,
    );
    for (at, transport) in [TransportKind::Sse, TransportKind::Websocket]
        .into_iter()
        .enumerate()
    {
        let mut script = Script::new(&mut inbox, transport);
        script.open(NOW);
        let json = format!(r#"{{"uuid":"u{at}","job":"j","body":"{at}"}}"#);
        script.message(NOW, &format!("{NOW}:{at}"), &json);
        script.message(
            NOW,
            &format!("{}:0", NOW + 1),
            r#"{"uuid":"t","type":"typing"}"#,
        );
    }
    assert_eq!(inbox.ids(), ["u0", "u1"]);
    let [first, second] = [0, 1].map(|at| &inbox.drafts[at].1);
    assert_eq!((&*first.replace_key, &*second.replace_key), ("j", "j"));
    assert!(first.version < second.version, "in the server's order");
}

#[test]
fn pings_are_learnt_and_are_no_messages() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    script.tell(Input::Comment("hi"));
    script.message(NOW, &format!("{NOW}:0"), "a");
    let id = format!("{NOW}:0");
    for _ in 0..3 {
        script.now += 20;
        // `event: ping` and a blank line.
        script.tell(Input::Position { id: &id });
    }
    assert_eq!(script.silence, Some(Duration::from_mins(1)));
    // Some owners give it data, or make a comment of it.
    script.now += 20;
    script.tell(Input::Event {
        name: "ping",
        id: &id,
        data: "{}",
    });
    script.now += 40;
    script.tell(Input::Comment("still here"));
    assert_eq!(script.silence, Some(Duration::from_mins(2)));
    assert_eq!((script.unreadable, script.failure.is_none()), (0, true));
    assert_eq!(inbox.bodies(), ["a"]);
}

#[test]
fn what_cannot_be_read_costs_only_itself() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    for frame in ["", "PONG", "id: \n\nx", "id: ä\n\nx", "no line", "\n\nx"] {
        script.tell(Input::Frame(frame));
    }
    assert_eq!(script.unreadable, 6);
    script.message(NOW, &format!("{NOW}:0"), "a");
    // A form of ids that came after these lines were written.
    script.message(NOW, "z-7f3", "b");
    assert_eq!(inbox.bodies(), ["a", "b"]);
    assert_eq!(inbox.ids()[1], "alerts|z-7f3");
    assert_eq!(inbox.cursors[&1], "z-7f3");
    let script = Script::new(&mut inbox, TransportKind::Sse);
    assert_eq!(said(&script.opened[0], "Last-Event-ID"), Some("z-7f3"));
}

#[test]
fn an_id_of_another_form_does_not_let_the_place_go_back() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.open(NOW);
    for (id, body) in [("1795320000:0", "a"), ("z-7f3", "b"), ("1795319999:0", "c")] {
        script.message(NOW, id, body);
    }
    assert_eq!(inbox.bodies(), ["a", "b", "c"]);
    assert_eq!(inbox.cursors[&1], "z-7f3");
}

#[test]
fn a_message_without_a_text_is_one() {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    script.tell(Input::Position {
        id: &format!("{NOW}:0"),
    });
    script.message(NOW, &format!("{NOW}:1"), "");
    assert_eq!(inbox.bodies(), ["", ""]);
}
