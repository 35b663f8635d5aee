//! Any bytes.

use super::script::{NOW, resume};
use crate::backend::pusher::{Pusher, address, cursor, frame, sealed};
use crate::backend::{Backend as _, Effect, Fetched, Input};
use crate::model::{Cursor, limits};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

fn channel() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("inbox".to_owned()),
        Just("private-a".to_owned()),
        Just("private-encrypted-b".to_owned()),
        Just("cache-c".to_owned()),
        Just("#server-to-user-42".to_owned()),
        any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!({"nonce": "AAAA", "ciphertext": "AAAA"})),
        Just(json!({"code": 4009})),
        Just(json!({"id": "1", "title": "t", "created_at": 1_699_999_999})),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner.clone()), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    let event = prop_oneof![
        Just("pusher:connection_established".to_owned()),
        Just("pusher_internal:subscription_succeeded".to_owned()),
        Just("pusher:subscription_error".to_owned()),
        Just("pusher:signin_success".to_owned()),
        Just("pusher:cache_miss".to_owned()),
        Just("pusher:error".to_owned()),
        Just("pusher:ping".to_owned()),
        Just("notification".to_owned()),
        any::<String>(),
    ];
    prop_oneof![
        4 => (event, channel(), value()).prop_map(|(event, channel, data)| {
            json!({"event": event, "channel": channel, "data": data}).to_string()
        }),
        1 => any::<String>(),
    ]
}

#[derive(Clone, Debug)]
enum Said {
    Frame(String),
    Answer(String),
    Refused(u16),
    Waited,
    Alive,
    Closed(Option<u16>),
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        6 => text().prop_map(Said::Frame),
        2 => value().prop_map(|value| Said::Answer(value.to_string())),
        1 => any::<String>().prop_map(Said::Answer),
        1 => Just(Said::Answer(json!({"auth": "k:s", "shared_secret":
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "user_data": "{\"id\":42}"}).to_string())),
        1 => Just(Said::Answer(json!({"data": [{"id": "1", "title": "t"}], "next": "?p=2"}).to_string())),
        1 => (100_u16..600).prop_map(Said::Refused),
        2 => Just(Said::Waited),
        1 => Just(Said::Alive),
        1 => prop::option::of(any::<u16>()).prop_map(Said::Closed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_conversation_breaks_it(all in prop::collection::vec(said(), 0..40), greeted in any::<bool>()) {
        let options = json!({"auth_url": "https://app.ex.test/auth", "user_auth_url": "https://app.ex.test/user",
            "history_url": "https://app.ex.test/h"});
        let channels = [("inbox", Some("{}")), ("private-a", None), ("private-encrypted-b", None),
            ("cache-c", Some("no cursor")), ("#server-to-user-42", None)];
        let mut session = Pusher.session(resume(&options, &channels));
        let now = Timestamp::from_second(NOW).unwrap();
        let (mut tags, mut waits) = (Vec::new(), Vec::new());
        let mut effects = session.start(now);
        if greeted {
            effects.extend(session.receive(Input::Frame(
                r#"{"event":"pusher:connection_established","data":{"socket_id":"1.2"}}"#), now));
        }
        for said in all {
            for effect in &effects {
                match effect {
                    Effect::Fetch { tag, request, .. } => {
                        prop_assert_eq!(request.url.host_str(), Some("app.ex.test"));
                        tags.push(*tag);
                    }
                    Effect::Wait { tag, time } => {
                        prop_assert!(*time > Duration::ZERO);
                        waits.push(*tag);
                    }
                    Effect::Notify { draft, .. } => {
                        prop_assert!(!draft.remote_id.is_empty());
                        prop_assert!(draft.raw.len() <= limits::RAW + 8);
                        prop_assert!(draft.title.len() <= limits::TITLE + 8);
                    }
                    Effect::Fail(failure) => prop_assert!(!failure.says.is_empty()),
                    _ => {}
                }
            }
            if effects.iter().any(|effect| matches!(effect, Effect::Fail(_))) {
                return Ok(());
            }
            effects = match &said {
                Said::Frame(text) => session.receive(Input::Frame(text), now),
                Said::Alive => session.receive(Input::Alive, now),
                Said::Closed(code) => session.receive(Input::Closed { code: *code, reason: "" }, now),
                Said::Waited => match waits.pop() {
                    Some(tag) => session.receive(Input::Waited { tag }, now),
                    None => Vec::new(),
                },
                Said::Answer(body) => match tags.pop() {
                    Some(tag) => {
                        let mut effects = session.receive(Input::Fetched { tag, part: Fetched::Body(body) }, now);
                        effects.extend(session.receive(Input::Fetched { tag, part: Fetched::End }, now));
                        effects
                    }
                    None => Vec::new(),
                },
                Said::Refused(status) => match tags.pop() {
                    Some(tag) => session.receive(Input::Fetched { tag, part: Fetched::Refused {
                        status: *status, headers: &[], retry_after: None, body: "" } }, now),
                    None => Vec::new(),
                },
            };
        }
    }

    #[test]
    fn no_text_breaks_a_reader(text in any::<String>(), value in value()) {
        let _ = frame::read(&text);
        let _ = cursor::Position::read(&Cursor(text.clone()));
        let _ = Pusher.check_options(&text);
        let _ = Pusher.check_options(&value.to_string());
        let _ = Pusher.check_topic(&text);
        if let Some(key) = sealed::Secret::read("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") {
            prop_assert_eq!(key.open(&text), None);
        }
        if let Ok(url) = Url::parse(&format!("https://ex.test/{text}")) {
            let taken = Pusher.address(&url);
            prop_assert!(taken.base.path().ends_with('/') && taken.base.query().is_none());
            prop_assert_eq!(&Pusher.address(&taken.base), &taken);
            let _ = address::socket(&taken.base, &text);
        }
    }

    /// Options that are accepted stay as they are.
    #[test]
    fn checked_options_are_checked(events in prop::collection::vec("[a-z.*,\\\\ ]{0,8}", 0..5), key in "[ a-z0-9]{0,6}") {
        let options = json!({"events": events, "key": key}).to_string();
        let once = Pusher.check_options(&options).unwrap();
        prop_assert_eq!(Pusher.check_options(&once), Ok(once.clone()));
    }
}
