//! Whatever comes in whatever order: no panic, no cursor that goes back, no repeat that moves one.

use super::script::{NOW, TRANSPORTS, headers, http_date};
use crate::backend::nchan::Nchan;
use crate::backend::nchan::id::{MessageId, Place};
use crate::backend::nchan::tests::script::Inbox;
use crate::backend::{Backend as _, Effect, Fetched, Input};
use crate::model::SubscriptionId;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Came {
    Opened,
    Offered,
    Frame(String),
    Event(String, String, String),
    Position(String),
    Comment(String),
    Closed(u16, String),
    Refused(u16),
    Head(u32, String, String),
    Body(u32, String),
    End(u32),
    Answer(u32, u16),
    TooLong(u32),
    Waited(u32),
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..20_i64, 0..5_u32).prop_map(|(second, number)| format!("{}:{number}", NOW - second)),
        2 => (0..20_i64, 0..5_u32).prop_map(|(second, number)| format!("{}:[{number}],-", NOW - second)),
        1 => "\\PC{0,12}",
    ]
}

fn came() -> impl Strategy<Value = Came> {
    let tag = || 0..20_u32;
    let text = || "\\PC{0,20}|\\{\"id\":[0-9]\\}|id: 1:0\n\n.{0,5}";
    let status = || {
        prop_oneof![
            Just(200),
            Just(304),
            Just(400),
            Just(403),
            Just(408),
            Just(410),
            100..600_u16
        ]
    };
    prop_oneof![
        Just(Came::Opened),
        Just(Came::Offered),
        (id(), text()).prop_map(|(id, text)| Came::Frame(format!("id: {id}\n\n{text}"))),
        text().prop_map(Came::Frame),
        ("ping|message|a", id(), text()).prop_map(|(name, id, data)| Came::Event(name, id, data)),
        id().prop_map(Came::Position),
        "hi|410: Gone|\\PC{0,9}".prop_map(Came::Comment),
        (1000..1016_u16, "410 Gone|\\PC{0,9}")
            .prop_map(|(code, reason)| Came::Closed(code, reason)),
        status().prop_map(Came::Refused),
        (tag(), 0..20_i64, "[0-9]|\\[0\\],-|\\PC{0,5}").prop_map(|(tag, second, etag)| Came::Head(
            tag,
            http_date(NOW - second),
            etag
        )),
        (tag(), text()).prop_map(|(tag, text)| Came::Body(tag, text)),
        tag().prop_map(Came::End),
        (tag(), status()).prop_map(|(tag, status)| Came::Answer(tag, status)),
        tag().prop_map(Came::TooLong),
        tag().prop_map(Came::Waited),
    ]
}

proptest! {
    #[test]
    fn nothing_breaks_it(
        transport in 0..TRANSPORTS.len(),
        several in any::<bool>(),
        cursor in prop::option::of(id()),
        all in prop::collection::vec(came(), 0..40),
    ) {
        let now = Timestamp::from_second(NOW).unwrap();
        let mut inbox = Inbox::of(&["alerts"]);
        if several {
            inbox = inbox.with_options(
                r#"{"channels":"alerts,b","info_url":"https://push.ex.test/pub/{channel}"}"#,
            );
        }
        if let Some(cursor) = cursor {
            inbox.cursors.insert(1, cursor);
        }
        let mut session = Nchan.session(inbox.resume(TRANSPORTS[transport]));
        let mut effects = session.start(now);
        let date = http_date(NOW);
        let opened = headers(&[("date", &date), ("sec-websocket-protocol", "ws+meta.nchan")]);
        let known = [("b".to_owned(), Some(SubscriptionId(2)))];
        let mut places: BTreeMap<i64, (i64, u64)> = BTreeMap::new();
        for one in &all {
            let list;
            let fetched = |tag, part| Input::Fetched { tag, part };
            effects.extend(session.receive(match one {
                Came::Opened => Input::Opened { headers: &opened },
                Came::Offered => Input::Offered(&known),
                Came::Frame(frame) => Input::Frame(frame),
                Came::Event(name, id, data) => Input::Event { name, id, data },
                Came::Position(id) => Input::Position { id },
                Came::Comment(comment) => Input::Comment(comment),
                Came::Closed(code, reason) => Input::Closed { code: Some(*code), reason },
                Came::Refused(status) => Input::Refused { status: *status, headers: &[], retry_after: None, body: "" },
                Came::Head(tag, date, etag) => {
                    list = headers(&[("last-modified", date), ("etag", etag)]);
                    fetched(*tag, Fetched::Head(&list))
                }
                Came::Body(tag, body) => fetched(*tag, Fetched::Body(body)),
                Came::End(tag) => fetched(*tag, Fetched::End),
                Came::Answer(tag, status) => fetched(
                    *tag,
                    Fetched::Refused { status: *status, headers: &[], retry_after: None, body: "" },
                ),
                Came::TooLong(tag) => fetched(*tag, Fetched::TooLong),
                Came::Waited(tag) => Input::Waited { tag: *tag },
            }, now));
            if effects.iter().any(|effect| matches!(effect, Effect::Fail(_))) {
                break;
            }
            // What is set up anew or given up begins anew.
            if matches!(one, Came::Offered | Came::Refused(_) | Came::Answer(..)) {
                places.clear();
                effects.clear();
            }
            for effect in effects.drain(..) {
                if let Effect::Advance { subscription, cursor } = effect {
                    let place = Place::read(&cursor.0).expect("a cursor that is read again");
                    if let Some(id) = MessageId::read(&place.id) {
                        let before = places.insert(subscription.0, id.order());
                        prop_assert!(before.is_none_or(|before| before <= id.order()) || several, "{all:?}");
                    }
                }
            }
        }
    }
}
