//! The place is the channel's, not the transport's: whatever breaks wherever, nothing is lost or repeated.

use super::script::{Inbox, NOW, Server, TRANSPORTS, connect};
use proptest::prelude::*;
use std::collections::HashSet;

/// What happens between two looks.
#[derive(Clone, Debug)]
enum Event {
    Publish { channel: usize },
    Pass { seconds: i64 },
    Connect { transport: usize, most: usize },
}

fn event(channels: usize) -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..channels).prop_map(|channel| Event::Publish { channel }),
        1 => (1..3_i64).prop_map(|seconds| Event::Pass { seconds }),
        2 => (0..TRANSPORTS.len(), prop_oneof![0..4_usize, Just(usize::MAX)])
            .prop_map(|(transport, most)| Event::Connect { transport, most }),
    ]
}

fn play(channels: usize, events: &[Event]) {
    let mut server = Server::new(channels);
    server.date = NOW - 100;
    let names = ["a", "b", "c"];
    let mut inbox = Inbox::of(&names[..channels]);
    if channels > 1 {
        inbox = inbox.with_options(&format!(
            r#"{{"channels":"{}"}}"#,
            names[..channels].join(",")
        ));
    }
    let mut published = 0;
    for event in events {
        match event {
            Event::Publish { channel } => {
                server.publish(*channel, &format!("m{published}"));
                published += 1;
            }
            Event::Pass { seconds } => server.date = (server.date + seconds).min(NOW),
            Event::Connect { transport, most } => {
                connect(&server, &mut inbox, TRANSPORTS[*transport], *most);
            }
        }
    }
    connect(&server, &mut inbox, TRANSPORTS[0], usize::MAX);
    // Several channels are resumed from a little further back; the inbox knows every id.
    let mut known = HashSet::new();
    let came: Vec<(i64, &str)> = inbox
        .drafts
        .iter()
        .filter(|(of, draft, _)| known.insert((*of, draft.remote_id.clone())))
        .map(|(of, draft, _)| (*of, draft.body.as_str()))
        .collect();
    assert!(channels > 1 || came.len() == inbox.drafts.len(), "a repeat");
    for (of, messages) in (1..).zip(&server.channels) {
        let sent: Vec<&str> = messages.iter().map(|(.., text)| text.as_str()).collect();
        let of_it = came.iter().filter(|(channel, _)| *channel == of);
        assert_eq!(of_it.map(|(_, text)| *text).collect::<Vec<_>>(), sent);
    }
}

#[test]
fn a_conversation_is_resumed_at_every_point_by_every_transport() {
    for first in 0..TRANSPORTS.len() {
        for second in 0..TRANSPORTS.len() {
            for most in 0..7 {
                let mut events: Vec<Event> = (0..6)
                    .flat_map(|at| {
                        let seconds = i64::from(at % 3 == 2);
                        [Event::Publish { channel: at % 2 }, Event::Pass { seconds }]
                    })
                    .collect();
                for transport in [first, second] {
                    events.push(Event::Connect { transport, most });
                }
                play(2, &events);
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_or_repeated_in_one_channel(events in prop::collection::vec(event(1), 0..60)) {
        play(1, &events);
    }

    #[test]
    fn nor_in_three(events in prop::collection::vec(event(3), 0..60)) {
        play(3, &events);
    }
}
