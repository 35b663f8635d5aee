//! ntfy: the link says nothing of the past, which is asked for beside it by time.

use super::{framed, http_date, newest, objects};
use crate::backend::conformance::{
    Answer, Keeps, Message, Piece, Sample, Server, Texts, parameter,
};
use crate::model::{BackendKind, HttpRequest, TransportKind};

const MESSAGES: &str = include_str!("../../../../../../tests/backends/ntfy/messages.txt");
const OPEN: &str =
    r#"{"id":"open00000001","time":1643935929,"event":"open","topic":"alerts,backup"}"#;
/// Of a phone's relay, of a newer server, of nobody, and that it is alive.
const STRANGERS: [&str; 4] = [
    r#"{"id":"poll00000001","time":1643935929,"event":"poll_request","topic":"alerts","poll_id":"x"}"#,
    r#"{"id":"new000000001","time":1643935929,"event":"something_new","topic":"alerts"}"#,
    r#"{"event":"sync"}"#,
    r#"{"id":"keep00000001","time":1643935929,"event":"keepalive","topic":"alerts,backup"}"#,
];

pub(super) fn samples() -> Vec<Sample> {
    [
        (TransportKind::Websocket, "ntfy over a WebSocket"),
        (TransportKind::HttpStream, "ntfy over a stream of lines"),
        (TransportKind::Sse, "ntfy over server-sent events"),
        (TransportKind::Poll, "ntfy, polled"),
    ]
    .map(|(transport, name)| Sample {
        name,
        kind: BackendKind::Ntfy,
        transport,
        base: "https://ntfy.ex.test/",
        options: String::new(),
        topics: &["alerts", "backup"],
        now: 1_643_935_929,
        messages: messages(),
        before: 3,
        server: |transport| Box::new(Ntfy { transport }),
        keeps: Keeps::All,
        texts: Texts::Formed,
        in_order: false,
        strangers: &STRANGERS,
    })
    .into()
}

fn messages() -> Vec<Message> {
    let of_other = r#"{"id":"bkp000000001","time":1643935929,"event":"message","topic":"backup","message":"done"}
        {"id":"bkp000000002","time":1643935934,"event":"message","topic":"backup","message":"done again"}"#;
    let mut messages: Vec<Message> = objects(MESSAGES)
        .chain(objects(of_other))
        .filter(|(value, _)| value["event"] == "message")
        .map(|(value, line)| Message {
            topic: if value["topic"] == "alerts" {
                "alerts"
            } else {
                "backup"
            },
            key: String::new(),
            id: value["id"].as_str().unwrap_or_default().to_owned(),
            at: value["time"].as_i64().unwrap_or_default(),
            text: line.trim().to_owned(),
        })
        .collect();
    messages.sort_by_key(|message| message.at);
    messages
}

struct Ntfy {
    transport: TransportKind,
}

impl Server for Ntfy {
    fn open(&mut self, _asked: &HttpRequest, _held: &[Message]) -> Answer {
        let open = Piece::word(framed(self.transport, "", OPEN));
        Answer::stream("application/x-ndjson", vec![open])
    }

    fn fetch(&mut self, asked: &HttpRequest, held: &[Message], now: i64) -> Option<Answer> {
        let since: i64 = parameter(asked, "since")?.parse().ok()?;
        let topics = asked.url.path_segments()?.next()?.to_owned();
        let lines = held
            .iter()
            .filter(|message| message.at >= since)
            .filter(|message| topics.split(',').any(|topic| topic == message.topic))
            .map(|message| Piece::message(format!("{}\n", message.text)));
        let answer = Answer::whole("application/x-ndjson; charset=utf-8", lines.collect());
        Some(answer.header("date", &http_date(now)))
    }

    fn publish(&mut self, _on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        newest(held, |message| framed(self.transport, "", &message.text))
    }
}
