//! Pusher Channels: a server that keeps nothing, alone and with an application that keeps a history.

use super::newest;
use crate::backend::conformance::{
    Answer, Keeps, Message, Piece, Sample, Server, Texts, parameter,
};
use crate::backend::registry::backend;
use crate::model::{BackendKind, HttpRequest, TransportKind};
use serde_json::{Value, json};

const HOUR: i64 = 3600;
const NOW: i64 = 1_700_000_000;
/// As Soketi greets.
const GREETING: &str = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"7086537815.7290459845\",\"activity_timeout\":30}"}"#;
/// What others say, and what newer servers may say.
const STRANGERS: [&str; 5] = [
    r#"{"event":"pusher:pong","data":{}}"#,
    r#"{"event":"pusher_internal:member_added","channel":"inbox","data":"{}"}"#,
    r#"{"event":"pusher:something_new","data":{"a":1}}"#,
    r#"{"event":"notification","channel":"another","data":"{\"title\":\"not ours\"}"}"#,
    r#"{"event":"pusher:error","data":{"code":null,"message":"an error that closes nothing"}}"#,
];

pub(super) fn samples() -> Vec<Sample> {
    let options = |more: &str| {
        let options = format!(r#"{{"auth_url":"https://app.ex.test/auth"{more}}}"#);
        backend(BackendKind::Pusher)
            .check_options(&options)
            .unwrap_or_default()
    };
    let live_only = Sample {
        name: "Pusher without a history",
        kind: BackendKind::Pusher,
        transport: TransportKind::Websocket,
        base: "https://ws.ex.test/app/key1/",
        options: options(""),
        topics: &["inbox", "private-user-42"],
        now: NOW,
        messages: messages(),
        before: 0,
        server: |_| Box::new(Pusher),
        keeps: Keeps::Nothing,
        texts: Texts::Formed,
        in_order: false,
        strangers: &STRANGERS,
    };
    let with_history = Sample {
        name: "Pusher with a history",
        options: options(r#","history_url":"https://app.ex.test/history?of={channel}""#),
        before: 2,
        keeps: Keeps::All,
        // In its history, any object is one.
        texts: Texts::Any,
        ..live_only_like(&live_only)
    };
    vec![live_only, with_history]
}

fn live_only_like(sample: &Sample) -> Sample {
    Sample {
        options: sample.options.clone(),
        messages: sample.messages.clone(),
        ..*sample
    }
}

fn messages() -> Vec<Message> {
    [
        ("inbox", "n1", json!({"title": "Hi", "body": "first"})),
        (
            "private-user-42",
            "n2",
            json!({"title": "private", "priority": 5}),
        ),
        ("inbox", "n3", json!({"title": "second"})),
        (
            "private-user-42",
            "n4",
            json!({"title": "third", "message": "b"}),
        ),
        ("inbox", "n5", json!({"title": "fourth"})),
    ]
    .into_iter()
    .zip(1..)
    .map(|((topic, id, mut data), n)| {
        // An hour apart, so that each is the newest for longer than anything is waited for.
        let at = NOW + n * HOUR;
        data["id"] = json!(id);
        data["created_at"] = json!(at);
        Message {
            topic,
            key: id.to_owned(),
            id: id.to_owned(),
            at,
            text: data.to_string(),
        }
    })
    .collect()
}

struct Pusher;

impl Server for Pusher {
    fn open(&mut self, _asked: &HttpRequest, _held: &[Message]) -> Answer {
        Answer::stream("", vec![Piece::word(GREETING)])
    }

    fn hear(&mut self, text: &str, _held: &[Message]) -> Vec<Piece> {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let answer = match said["event"].as_str() {
            Some("pusher:subscribe") => json!({
                "event": "pusher_internal:subscription_succeeded",
                "channel": said["data"]["channel"],
            }),
            Some("pusher:ping") => json!({"event": "pusher:pong", "data": {}}),
            _ => return Vec::new(),
        };
        vec![Piece::word(answer.to_string())]
    }

    fn fetch(&mut self, asked: &HttpRequest, held: &[Message], _now: i64) -> Option<Answer> {
        let Some(channel) = parameter(asked, "of") else {
            return Some(Answer::json(
                json!({"auth": "key1:0984017dca4f1d9e"}).to_string(),
            ));
        };
        let items: Vec<Value> = held
            .iter()
            .rev()
            .filter(|message| message.topic == channel)
            .filter_map(|message| serde_json::from_str(&message.text).ok())
            .collect();
        Some(Answer::json(
            json!({"data": items, "next_page_url": null}).to_string(),
        ))
    }

    fn publish(&mut self, _on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        newest(held, |message| {
            let frame =
                json!({"event": "notification", "channel": message.topic, "data": message.text});
            frame.to_string().into_bytes()
        })
    }
}
