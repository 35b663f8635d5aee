//! Channels that come and go while the connection is live.

use super::script::{APP, Script, signing};
use crate::backend::Topic;
use crate::model::{Cursor, Origin, SubscriptionId};
use serde_json::{Value, json};

fn topic(id: i64, channel: &str, cursor: Option<&str>) -> Topic {
    Topic {
        subscription: SubscriptionId(id),
        topic: channel.to_owned(),
        cursor: cursor.map(|cursor| Cursor(cursor.to_owned())),
    }
}

fn live(options: &Value, channels: &[(&str, Option<&str>)]) -> Script {
    let mut script = Script::greeted(options, channels);
    for (channel, _) in channels {
        script.succeed(channel);
    }
    assert!(script.live);
    script.taken_sent();
    script.taken();
    script
}

#[test]
fn a_new_channel_is_joined_in_place_and_the_others_hear_nothing_of_it() {
    let mut script = live(&json!({}), &[("inbox", None)]);
    script.topics(&[topic(1, "inbox", None), topic(2, "builds", None)]);
    assert_eq!(script.subscribed(), ["builds"]);
    script.event("inbox", "notification", &json!({"id": "a"}));
    script.succeed("builds");
    script.event("builds", "notification", &json!({"id": "b"}));
    let ids = script.ids();
    let expected = [
        (1, "a".to_owned(), Origin::Live),
        (2, "b".to_owned(), Origin::Live),
    ];
    assert_eq!(ids, expected);
    assert_eq!(script.filled.last(), Some(&(2, None)));
    // The same again asks for nothing.
    script.topics(&[topic(1, "inbox", None), topic(2, "builds", None)]);
    assert!(script.taken_sent().is_empty());
}

#[test]
fn a_channel_that_is_left_says_nothing_more_and_can_come_back() {
    let mut script = live(&json!({}), &[("inbox", None), ("builds", None)]);
    script.topics(&[topic(1, "inbox", None)]);
    assert_eq!(
        script.taken_sent(),
        [json!({"event": "pusher:unsubscribe", "data": {"channel": "builds"}})]
    );
    script.event("builds", "notification", &json!({"id": "late"}));
    script.event("inbox", "notification", &json!({"id": "a"}));
    assert_eq!(script.ids(), [(1, "a".to_owned(), Origin::Live)]);

    script.topics(&[topic(1, "inbox", None), topic(2, "builds", Some("{}"))]);
    assert_eq!(script.subscribed(), ["builds"]);
    script.succeed("builds");
    script.event("builds", "notification", &json!({"id": "b"}));
    assert_eq!(script.ids(), [(2, "b".to_owned(), Origin::Live)]);
    assert!(script.failure.is_none());
}

/// What is still under way for a channel that was left ends without a word, and lets the next one go on.
#[test]
fn a_channel_can_be_left_at_every_step() {
    let names: Vec<String> = (0..6).map(|n| format!("private-{n}")).collect();
    for steps in 0..3 {
        let mut script = live(&signing(), &[("inbox", None)]);
        let mut topics = vec![topic(1, "inbox", None)];
        topics.extend(
            names
                .iter()
                .zip(2..)
                .map(|(name, id)| topic(id, name, None)),
        );
        script.topics(&topics);
        if steps > 0 {
            script.answer("channel_name=private-0", &json!({"auth": "key1:00"}));
        }
        if steps > 1 {
            script.succeed("private-0");
        }
        script.taken_sent();
        script.taken();
        // The first is left, wherever it is; and the last, which still waits for its turn.
        script.topics(
            &topics[..1]
                .iter()
                .chain(&topics[2..6])
                .cloned()
                .collect::<Vec<_>>(),
        );
        let left = script.taken_sent();
        let said = json!({"event": "pusher:unsubscribe", "data": {"channel": "private-0"}});
        assert_eq!(left.contains(&said), steps > 0, "{left:?}");
        if steps == 0 {
            script.answer("channel_name=private-0", &json!({"auth": "key1:00"}));
        }
        script.succeed("private-0");
        for name in &names[1..5] {
            script.answer(&format!("channel_name={name}"), &json!({"auth": "key1:01"}));
        }
        assert_eq!(script.subscribed(), names[1..5]);
        assert!(script.fetches.is_empty(), "{:?}", script.fetches);
        script.event("private-0", "notification", &json!({"id": "late"}));
        script.pass(120);
        assert!(script.drafts().is_empty());
        assert!(!script.problems.contains_key(&2), "{:?}", script.problems);
    }
}

#[test]
fn a_new_channel_reads_its_own_history_only() {
    let options = json!({"history_url": format!("{APP}/history/{{channel}}")});
    let mut script = Script::greeted(&options, &[("inbox", None)]);
    script.succeed("inbox");
    script.answer("history/inbox", &json!([]));
    assert!(script.live);
    script.taken();
    script.topics(&[topic(1, "inbox", None), topic(2, "builds", None)]);
    script.succeed("builds");
    assert_eq!(script.fetches.len(), 1);
    let item = json!({"id": "old", "created_at": "2023-11-14T22:00:00Z"});
    script.answer("history/builds", &json!([item]));
    assert_eq!(script.ids(), [(2, "old".to_owned(), Origin::FirstFilling)]);
    assert_eq!(script.filled.last(), Some(&(2, None)));
}
