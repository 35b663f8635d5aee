//! Nchan: everything after a place, which a stream or a single answer is asked for.

use super::{framed, http_date, newest, seconds};
use crate::backend::conformance::{Answer, Keeps, Message, Piece, Sample, Server, Texts, header};
use crate::model::{BackendKind, HttpRequest, TransportKind};

pub(super) fn samples() -> Vec<Sample> {
    [
        (TransportKind::Websocket, "Nchan over a WebSocket"),
        (TransportKind::Sse, "Nchan over server-sent events"),
        (TransportKind::LongPoll, "Nchan, held back"),
        (TransportKind::Poll, "Nchan, polled"),
    ]
    .map(|(transport, name)| Sample {
        name,
        kind: BackendKind::Nchan,
        transport,
        base: "https://push.ex.test/sub/alerts",
        options: String::new(),
        topics: &["alerts"],
        now: 1_795_319_881,
        messages: messages(),
        before: 2,
        server: |transport| Box::new(Nchan { transport }),
        keeps: Keeps::All,
        texts: Texts::Any,
        in_order: true,
        strangers: match transport {
            TransportKind::Sse => &[": hi\n\n", "event: ping\n\n"],
            _ => &[],
        },
    })
    .into()
}

/// As recorded.
fn messages() -> Vec<Message> {
    [
        (1_795_319_881, 0, r#"{"title":"first","body":"one"}"#),
        (1_795_319_881, 1, "two"),
        (1_795_319_882, 0, r#"{"title":"live","body":"three"}"#),
        (1_795_319_882, 1, "line A\nline B"),
        (1_795_319_896, 0, "five after wait"),
        (1_795_319_900, 0, r#"{"title":"ws","body":"six"}"#),
    ]
    .map(|(at, number, text)| Message {
        topic: "alerts",
        key: format!("{at}:{number}"),
        id: format!("alerts|{at}:{number}"),
        at,
        text: text.to_owned(),
    })
    .into()
}

fn media_type(message: &Message) -> &'static str {
    if message.text.starts_with('{') {
        "application/json"
    } else {
        "text/plain"
    }
}

/// Second and number.
fn place(key: &str) -> (i64, i64) {
    let (second, number) = key.split_once(':').unwrap_or_default();
    (
        second.parse().unwrap_or_default(),
        number.parse().unwrap_or_default(),
    )
}

/// Where a request goes on.
fn asked_for(asked: &HttpRequest) -> (i64, i64) {
    match (
        header(asked, "If-Modified-Since"),
        header(asked, "If-None-Match"),
    ) {
        (Some(date), Some(number)) => {
            let second = jiff::fmt::rfc2822::parse(date).map_or(0, |at| at.timestamp().as_second());
            (second, number.parse().unwrap_or_default())
        }
        _ => place(header(asked, "Last-Event-ID").unwrap_or("1:0")),
    }
}

struct Nchan {
    transport: TransportKind,
}

impl Nchan {
    fn write(&self, message: &Message) -> Vec<u8> {
        match self.transport {
            TransportKind::Websocket => format!(
                "id: {}\ncontent-type: {}\n\n{}",
                message.key,
                media_type(message),
                message.text
            )
            .into_bytes(),
            transport => framed(transport, &message.key, &message.text),
        }
    }
}

impl Server for Nchan {
    fn open(&mut self, asked: &HttpRequest, held: &[Message]) -> Answer {
        let from = asked_for(asked);
        let mut pieces: Vec<Piece> = held
            .iter()
            .filter(|message| place(&message.key) > from)
            .map(|message| Piece::message(self.write(message)))
            .collect();
        let now = held
            .last()
            .map_or(seconds("2026-11-22T03:58:01Z"), |message| message.at);
        if self.transport == TransportKind::Sse {
            pieces.insert(0, Piece::word(": hi\n\n"));
        }
        Answer::stream("text/event-stream", pieces)
            .header("date", &http_date(now))
            .header("sec-websocket-protocol", "ws+meta.nchan")
    }

    fn fetch(&mut self, asked: &HttpRequest, held: &[Message], now: i64) -> Option<Answer> {
        let from = asked_for(asked);
        let next = held.iter().find(|message| place(&message.key) > from);
        let Some(message) = next else {
            let nothing = Answer::status(304).header("date", &http_date(now));
            return (self.transport == TransportKind::Poll).then_some(nothing);
        };
        let (second, number) = place(&message.key);
        let body = Piece::message(message.text.clone());
        Some(
            Answer::whole(media_type(message), vec![body])
                .header("date", &http_date(now))
                .header("last-modified", &http_date(second))
                .header("etag", &number.to_string()),
        )
    }

    fn publish(&mut self, _on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        newest(held, |message| self.write(message))
    }
}
