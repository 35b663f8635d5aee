//! Described servers: streams that are resumed by position, streams with a history, streams that keep nothing,
//! snapshots, held and plain requests.

use super::{framed, newest, seconds};
use crate::backend::conformance::{
    Answer, Keeps, Message, Piece, Sample, Server, Texts, header, parameter,
};
use crate::backend::registry::backend;
use crate::model::{BackendKind, HttpRequest, TransportKind};
use serde_json::{Value, json};

/// The id of what has none: that of its text.
const HASH: &str = "h-FBuVtkMLZhdw4wlqFR55czXQ";
const NOW: &str = "2026-08-01T12:00:00Z";

fn options(options: &Value) -> String {
    backend(BackendKind::Custom)
        .check_options(&options.to_string())
        .unwrap_or_default()
}

/// Of an address of which nothing is known but what carries it.
fn bare(name: &'static str, transport: TransportKind, keeps: Keeps) -> Sample {
    Sample {
        name,
        kind: BackendKind::Custom,
        transport,
        base: "https://ex.test/app",
        options: options(&json!({ "transport": transport })),
        topics: &[],
        now: seconds(NOW),
        messages: messages(),
        before: if keeps == Keeps::All { 2 } else { 0 },
        server: |transport| Box::new(Bare { transport }),
        keeps,
        texts: Texts::Any,
        in_order: true,
        strangers: &[],
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let notilayer = |name, transport| Sample {
        name,
        transport,
        base: "https://api.ex.test/v1",
        options: options(&json!({"preset": "notilayer"})),
        // A history is read down to the newest one that is known.
        server: |_| Box::new(Notilayer),
        strangers: &[
            "event: connected\ndata: {\"ok\":true}\n\n",
            "event: heartbeat\ndata: {}\n\n",
            ": still here\n",
        ],
        ..bare("", transport, Keeps::All)
    };
    vec![
        Sample {
            // Without a position, there is nothing to begin with.
            messages: with_one_without_id(messages()),
            strangers: &[": still here\n", "event: ping\ndata: {}\n\n"],
            ..bare("A stream of events", TransportKind::Sse, Keeps::Unproven)
        },
        notilayer("A stream of events with a history", TransportKind::Sse),
        Sample {
            strangers: &["ping", r#"{"type":"welcome"}"#],
            in_order: false,
            ..bare("A WebSocket", TransportKind::Websocket, Keeps::Nothing)
        },
        Sample {
            name: "A WebSocket with snapshots",
            base: "http://homeassistant.ex.test:8123",
            options: options(&json!({"preset": "home-assistant"})),
            messages: home_messages(),
            server: |_| Box::new(Home),
            texts: Texts::Formed,
            in_order: false,
            strangers: &[
                r#"{"id":7,"type":"pong"}"#,
                r#"{"id":1,"type":"event","event":{"type":"something_new"}}"#,
            ],
            ..bare("", TransportKind::Websocket, Keeps::Unproven)
        },
        Sample {
            strangers: &[r#"{"event":"heartbeat","time":5}"#],
            in_order: false,
            ..bare(
                "A stream of lines",
                TransportKind::HttpStream,
                Keeps::Nothing,
            )
        },
        bare("A held request", TransportKind::LongPoll, Keeps::All),
        Sample {
            in_order: false,
            ..bare("A list", TransportKind::Poll, Keeps::All)
        },
        notilayer("A list with pages", TransportKind::Poll),
    ]
}

fn messages() -> Vec<Message> {
    [
        "Invoice paid",
        "Welcome",
        "Order shipped",
        "Comment",
        "Deployed",
    ]
    .iter()
    .zip(1..)
    .map(|(title, n)| {
        let at = seconds(NOW) + n;
        let created = jiff::Timestamp::from_second(at).unwrap_or_default();
        let text = json!({
            "id": format!("n{n}"), "title": title, "body": format!("Number {n}"),
            "created_at": created.to_string(), "read_at": null,
        });
        Message {
            topic: "all",
            key: (10 + n).to_string(),
            id: format!("n{n}"),
            at,
            text: text.to_string(),
        }
    })
    .collect()
}

/// Not every event has an id; one without is no position.
fn with_one_without_id(mut messages: Vec<Message>) -> Vec<Message> {
    messages.insert(
        3,
        Message {
            topic: "all",
            key: String::new(),
            id: HASH.to_owned(),
            at: seconds(NOW) + 3,
            text: "Somebody is at the door".to_owned(),
        },
    );
    messages
}

/// The loop, the list and the streams of every tutorial.
struct Bare {
    transport: TransportKind,
}

impl Server for Bare {
    fn open(&mut self, asked: &HttpRequest, held: &[Message]) -> Answer {
        let from = header(asked, "Last-Event-ID");
        let after = from.and_then(|id| held.iter().position(|message| message.key == id));
        let pieces = match (self.transport, after) {
            (TransportKind::Sse, Some(at)) => held[at + 1..]
                .iter()
                .map(|it| Piece::message(framed(self.transport, &it.key, &it.text)))
                .collect(),
            // Nobody was told of a position yet.
            (TransportKind::Sse, None) => held
                .iter()
                .map(|it| Piece::message(framed(self.transport, &it.key, &it.text)))
                .collect(),
            _ => Vec::new(),
        };
        Answer::stream("text/event-stream", pieces)
    }

    fn fetch(&mut self, asked: &HttpRequest, held: &[Message], _now: i64) -> Option<Answer> {
        let read = |message: &Message| serde_json::from_str(&message.text).ok();
        if self.transport == TransportKind::Poll {
            let list: Vec<Value> = held.iter().rev().filter_map(read).collect();
            return Some(Answer::json(Value::from(list).to_string()));
        }
        let after = parameter(asked, "cursor").and_then(|cursor| cursor.parse().ok());
        let new: Vec<Value> = held
            .iter()
            .skip(after.unwrap_or(0))
            .filter_map(read)
            .collect();
        if new.is_empty() {
            return None;
        }
        Some(Answer::json(
            json!({"events": new, "cursor": held.len().to_string()}).to_string(),
        ))
    }

    fn publish(&mut self, _on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        newest(held, |message| {
            framed(self.transport, &message.key, &message.text)
        })
    }
}

/// A stream with ids, and a list with pages of two.
struct Notilayer;

impl Server for Notilayer {
    fn open(&mut self, _asked: &HttpRequest, _held: &[Message]) -> Answer {
        let connected = Piece::word("event: connected\ndata: {\"ok\":true}\n\n");
        Answer::stream("text/event-stream", vec![connected])
    }

    fn fetch(&mut self, asked: &HttpRequest, held: &[Message], _now: i64) -> Option<Answer> {
        if asked.url.path() != "/v1/notifications" {
            return Some(Answer::status(404));
        }
        let skipped: usize = parameter(asked, "cursor")
            .and_then(|cursor| cursor.parse().ok())
            .unwrap_or(0);
        let page: Vec<Value> = held
            .iter()
            .rev()
            .skip(skipped)
            .take(2)
            .filter_map(|message| serde_json::from_str(&message.text).ok())
            .collect();
        let next = skipped + page.len();
        let next = (next < held.len()).then(|| next.to_string());
        Some(Answer::json(
            json!({"data": page, "next_cursor": next}).to_string(),
        ))
    }

    fn publish(&mut self, _on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        newest(held, |message| {
            let event = framed(TransportKind::Sse, &message.key, &message.text);
            [b"event: notification\n".as_slice(), &event].concat()
        })
    }
}

/// As Home Assistant's notifications are; an id is that of the text.
fn home_messages() -> Vec<Message> {
    [
        ("backup", "Backup", "**done**", "h-swR2Id1ad61Qv2kuzpkz7H7z"),
        ("door", "Door", "open", "h-wvLw6vjJwa9wefZNoXYb9L0S"),
        ("door2", "Door", "still open", "h-ZDcpYjHiWsNg3IcnkCRTJAH7"),
        ("oven", "Oven", "hot", "h-PER_I5TKbhkSgPVc1blinI50"),
    ]
    .iter()
    .zip(1..)
    .map(|((name, title, message, id), n)| {
        let at = seconds(NOW) + n;
        let text = format!(
            r#"{{"notification_id":"{name}","title":"{title}","message":"{message}","created_at":"2026-08-01T12:00:0{n}.000000+00:00"}}"#
        );
        Message {
            topic: "all",
            key: (*name).to_owned(),
            id: (*id).to_owned(),
            at,
            text,
        }
    })
    .collect()
}

struct Home;

fn home_event(kind: &str, held: &[Message]) -> Vec<u8> {
    let members: Vec<String> = held
        .iter()
        .map(|message| format!("\"{}\":{}", message.key, message.text))
        .collect();
    let members = members.join(",");
    format!(
        r#"{{"id":1,"type":"event","event":{{"type":"{kind}","notifications":{{{members}}}}}}}"#
    )
    .into_bytes()
}

impl Server for Home {
    fn open(&mut self, _asked: &HttpRequest, _held: &[Message]) -> Answer {
        let greeting = r#"{"type":"auth_required","ha_version":"2026.7.0"}"#;
        Answer::stream("", vec![Piece::word(greeting)])
    }

    fn hear(&mut self, text: &str, held: &[Message]) -> Vec<Piece> {
        if text.contains("access_token") {
            return vec![Piece::word(r#"{"type":"auth_ok","ha_version":"2026.7.0"}"#)];
        }
        vec![
            Piece::word(r#"{"id":1,"type":"result","success":true,"result":null}"#),
            Piece::message(home_event("current", held)),
        ]
    }

    fn publish(&mut self, _on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        let newest = &held[held.len().saturating_sub(1)..];
        vec![Piece::message(home_event("added", newest))]
    }
}
