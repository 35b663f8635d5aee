//! Recorded conversations, cut everywhere, and resumed at every point.

use super::recording;
use super::script::{Inbox, NOW, Script};
use crate::backend::{FailureKind, Input};
use crate::model::TransportKind;
use eventsource_stream::{CONTROL_COMMENT, CONTROL_FIELDS, Event, Parser};

/// Tells the session what the event stream's parser makes of some bytes.
fn feed(script: &mut Script<'_>, events: Vec<Event>) {
    for event in events {
        script.tell(match event.event.as_str() {
            CONTROL_COMMENT => Input::Comment(&event.data),
            CONTROL_FIELDS => Input::Position { id: &event.id },
            name => Input::Event {
                name,
                id: &event.id,
                data: &event.data,
            },
        });
    }
}

fn events(pieces: &[&[u8]]) -> Vec<Event> {
    let mut parser = Parser::new();
    let mut events = Vec::new();
    for piece in pieces {
        parser.push(piece);
        events.extend(std::iter::from_fn(|| parser.next_event()));
    }
    events
}

#[test]
fn an_event_stream_is_the_same_however_its_bytes_are_cut() {
    for (name, topics, bodies) in [
        ("oldest.sse", "", 4),
        ("live.sse", "", 2),
        ("three-channels.sse", r#"{"channels":"a, b, c1"}"#, 9),
    ] {
        let bytes = recording(name).into_bytes();
        let mut whole = Inbox::default().with_options(topics);
        let mut script = Script::new(&mut whole, TransportKind::Sse);
        script.open(NOW);
        feed(&mut script, events(&[&bytes]));
        assert_eq!((script.unreadable, script.failure.as_ref()), (0, None));
        assert_eq!(whole.drafts.len(), bodies, "{name}");
        for cut in 0..bytes.len() {
            let mut inbox = Inbox::default().with_options(topics);
            let mut script = Script::new(&mut inbox, TransportKind::Sse);
            script.open(NOW);
            let (first, rest) = bytes.split_at(cut);
            feed(&mut script, events(&[first, rest]));
            assert_eq!(inbox.drafts, whole.drafts, "{name} cut at {cut}");
            assert_eq!(inbox.cursors, whole.cursors);
        }
    }
}

#[test]
fn three_transports_say_the_same() {
    let sse = {
        let mut inbox = Inbox::of(&["c1"]);
        let mut script = Script::new(&mut inbox, TransportKind::Sse);
        script.open(NOW);
        feed(&mut script, events(&[recording("oldest.sse").as_bytes()]));
        inbox
    };
    let websocket = {
        let mut inbox = Inbox::of(&["c1"]);
        let mut script = Script::new(&mut inbox, TransportKind::Websocket);
        script.open(NOW);
        for frame in recording("oldest.ws").trim_end().split("\n====\n") {
            script.tell(Input::Frame(frame));
        }
        assert_eq!(script.unreadable, 0);
        inbox
    };
    let long_poll = {
        let mut inbox = Inbox::of(&["c1"]);
        let mut script = Script::new(&mut inbox, TransportKind::LongPoll);
        for answer in recording("oldest.http").trim_end().split("\n====\n") {
            let (head, body) = answer.split_once("\n\n").unwrap();
            let list: Vec<(String, String)> = head
                .lines()
                .skip(1)
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let (tag, _) = script.take("/sub/").unwrap();
            script.answer(tag, &list, body);
        }
        inbox
    };
    let shown = |inbox: &Inbox| -> Vec<_> {
        let drafts = inbox.drafts.iter().take(4);
        drafts
            .map(|(_, draft, _)| {
                (
                    draft.remote_id.clone(),
                    draft.title.clone(),
                    draft.body.clone(),
                    draft.created_at,
                )
            })
            .collect()
    };
    assert_eq!(shown(&sse).len(), 4);
    assert_eq!(shown(&websocket), shown(&sse));
    assert_eq!(shown(&long_poll), shown(&sse));
    assert_eq!(sse.ids()[1], "c1|1795319881:1");
    assert_eq!(websocket.bodies()[4..], ["five after wait", "six"]);
    assert_eq!(sse.drafts[3].1.kind, "alert", "only an event stream has it");
}

#[test]
fn a_deleted_channel_is_looked_for_slowly() {
    let mut inbox = Inbox::of(&["d"]);
    let mut script = Script::new(&mut inbox, TransportKind::Sse);
    script.open(NOW);
    feed(&mut script, events(&[recording("deleted.sse").as_bytes()]));
    let failure = script.failed();
    assert_eq!(failure.kind, FailureKind::Transient);
    assert!(failure.retry_after.unwrap().as_secs() >= 60);
}
