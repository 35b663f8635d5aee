//! Gotify: the stream says nothing of the past, which is listed beside it page by page, the newest first.

use super::{newest, objects, seconds};
use crate::backend::conformance::{
    Answer, Keeps, Message, Piece, Sample, Server, Texts, parameter,
};
use crate::model::{BackendKind, HttpRequest, TransportKind};
use serde_json::{Value, json};

const MESSAGES: &str = include_str!("../../../../../../tests/backends/gotify/messages.txt");
const APPLICATIONS: &str =
    include_str!("../../../../../../tests/backends/gotify/applications-3.json");

pub(super) fn samples() -> Vec<Sample> {
    [
        (TransportKind::Websocket, "Gotify over a WebSocket"),
        (TransportKind::Poll, "Gotify, polled"),
    ]
    .map(|(transport, name)| Sample {
        name,
        kind: BackendKind::Gotify,
        transport,
        base: "https://push.ex.test/gotify/",
        options: String::new(),
        topics: &[],
        now: seconds("2026-11-22T03:00:02Z"),
        messages: messages(),
        before: 3,
        server: |_| Box::new(Gotify),
        keeps: Keeps::All,
        texts: Texts::Formed,
        in_order: false,
        // The stream carries messages and nothing else.
        strangers: &[],
    })
    .into()
}

fn messages() -> Vec<Message> {
    objects(MESSAGES)
        .map(|(value, line)| Message {
            topic: if value["appid"] == 5 { "5" } else { "7" },
            key: value["appid"].to_string(),
            id: value["id"].to_string(),
            at: seconds(value["date"].as_str().unwrap_or_default()),
            text: line.to_owned(),
        })
        .collect()
}

struct Gotify;

impl Server for Gotify {
    fn open(&mut self, _asked: &HttpRequest, _held: &[Message]) -> Answer {
        Answer::stream("", Vec::new())
    }

    fn fetch(&mut self, asked: &HttpRequest, held: &[Message], _now: i64) -> Option<Answer> {
        let path = asked.url.path().strip_prefix("/gotify/")?;
        let of = match path.split('/').collect::<Vec<_>>()[..] {
            ["application"] => return Some(Answer::json(APPLICATIONS)),
            ["message"] => None,
            ["application", id, "message"] => Some(id),
            _ => return Some(Answer::status(404)),
        };
        // Short pages, so that there is more than one.
        let limit = parameter(asked, "limit")?.parse::<usize>().ok()?.min(2);
        let below = parameter(asked, "since").and_then(|since| since.parse().ok());
        let id = |message: &Message| message.id.parse::<i64>().unwrap_or_default();
        let mut all = held
            .iter()
            .rev()
            .filter(|message| below.is_none_or(|below| below == 0 || id(message) < below))
            .filter(|message| of.is_none_or(|of| message.key == of));
        let page: Vec<&Message> = all.by_ref().take(limit).collect();
        let last = page.last().map(|message| id(message));
        let since = all.next().and(last).unwrap_or_default();
        let messages: Vec<Value> = page
            .iter()
            .filter_map(|message| serde_json::from_str(&message.text).ok())
            .collect();
        let paging = json!({"size": messages.len(), "limit": limit, "since": since});
        Some(Answer::json(
            json!({"messages": messages, "paging": paging}).to_string(),
        ))
    }

    fn publish(&mut self, _on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        newest(held, |message| message.text.clone().into_bytes())
    }
}
