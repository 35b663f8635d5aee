//! Mercure: a stream goes on after the event that it is asked to go on after.

use crate::backend::conformance::{Answer, Keeps, Message, Piece, Sample, Server, Texts, header};
use crate::model::{BackendKind, HttpRequest, TransportKind};

/// Two topics of the recorded ones; what does not say where it belongs is of the first.
const TOPICS: [&str; 2] = ["https://ex.test/a", "/books/{id}"];
/// What it says about itself and about others.
const STRANGERS: [&str; 4] = [
    ":\n",
    "event: mercure\nid: urn:uuid:ad8f6a52-5c22-4b43-a4a9-7b8f0a2a7a11\ndata: {\"id\":\"/.well-known/mercure/subscriptions/exact/a/urn%3Auuid%3A1\",\"type\":\"Subscription\",\"active\":true}\n\n",
    "id: urn:uuid:0b1bd1e4-4d4c-4d8b-8c61-0f9a9b8f6f02\ndata: {\"@context\":\"https://mercure.rocks/\",\"id\":\"/.well-known/mercure/subscriptions/a/urn%3Auuid%3A1\",\"type\":\"Subscription\",\"topic\":\"a\",\"subscriber\":\"urn:uuid:1\",\"active\":true}\n\n",
    "retry: 3000\n\n",
];

pub(super) fn samples() -> Vec<Sample> {
    [
        ("", "Mercure, one stream"),
        (r#"{"separate":true}"#, "Mercure, a stream for each topic"),
    ]
    .map(|(options, name)| Sample {
        name,
        kind: BackendKind::Mercure,
        transport: TransportKind::Sse,
        base: "https://hub.ex.test/.well-known/mercure",
        options: options.to_owned(),
        topics: &TOPICS,
        now: 1_700_000_000,
        messages: messages(),
        before: 2,
        server: |_| Box::new(Hub),
        keeps: Keeps::All,
        texts: Texts::Any,
        in_order: true,
        strangers: &STRANGERS,
    })
    .into()
}

fn messages() -> Vec<Message> {
    let [a, books] = TOPICS;
    [
        (
            a,
            "urn:uuid:e1ee88e2-532a-4d6f-ba70-f0f8bd584022",
            "event: alert\nretry: 5000\ndata: {\"topic\":\"https://ex.test/a\",\"title\":\"Build failed\",\"priority\":\"high\"}\n",
        ),
        (
            books,
            "urn:uuid:5e94c686-2c0b-4f9b-958c-92ccc3bbb4eb",
            "data: {\"@id\":\"/books/1\",\"@type\":\"https://schema.org/Book\",\"name\":\"In print\"}\n",
        ),
        (
            a,
            "urn:uuid:7c1f3a52-0000-4b43-a4a9-7b8f0a2a7a12",
            "data: first line\ndata: second line\n",
        ),
        (
            books,
            "urn:uuid:654d5a15-e42b-402a-b8b0-b610b31ba415",
            "data: {\"@id\":\"/books/2\",\"title\":\"three\"}\n",
        ),
        (
            a,
            "urn:uuid:my-1",
            "event: alert\ndata: {\"topic\":\"https://ex.test/a\",\"title\":\"Build fixed\"}\n",
        ),
    ]
    .iter()
    .zip(1_700_000_000..)
    .map(|(&(topic, id, text), at)| Message {
        topic,
        key: id.to_owned(),
        id: id.to_owned(),
        at,
        text: format!("id: {id}\n{text}\n"),
    })
    .collect()
}

struct Hub;

fn wants(asked: &HttpRequest, message: &Message) -> bool {
    asked
        .url
        .query_pairs()
        .any(|(name, value)| name == "topic" && value == message.topic)
}

fn stream(asked: &HttpRequest, held: &[Message]) -> Answer {
    let from = header(asked, "Last-Event-ID");
    let newest = held.last().map_or("earliest", |message| &message.key);
    let (after, answered) = match from {
        None => (held.len(), None),
        Some("earliest") => (0, from),
        Some(id) => match held.iter().position(|message| message.key == id) {
            Some(at) => (at + 1, from),
            None => (held.len(), Some(newest)),
        },
    };
    let pieces = held[after..]
        .iter()
        .filter(|message| wants(asked, message))
        .map(|message| Piece::message(message.text.clone()))
        .collect();
    let answer = Answer::stream("text/event-stream", pieces);
    match answered {
        Some(id) => answer.header("last-event-id", id),
        None => answer,
    }
}

impl Server for Hub {
    fn open(&mut self, asked: &HttpRequest, held: &[Message]) -> Answer {
        stream(asked, held)
    }

    fn fetch(&mut self, asked: &HttpRequest, held: &[Message], _now: i64) -> Option<Answer> {
        Some(stream(asked, held))
    }

    fn publish(&mut self, on: &HttpRequest, held: &[Message]) -> Vec<Piece> {
        held.last()
            .filter(|message| wants(on, message))
            .map(|message| Piece::message(message.text.clone()))
            .into_iter()
            .collect()
    }
}
