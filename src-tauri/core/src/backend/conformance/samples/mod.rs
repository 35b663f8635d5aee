//! Recorded conversations: what each family's server says, over each of its transports. The bytes are those of
//! the fixtures, or derived from the same sources.

mod custom;
mod gotify;
mod mercure;
mod nchan;
mod ntfy;
mod pusher;

use super::{Message, Piece, Sample};
use crate::model::{BackendKind, TransportKind};
use jiff::Timestamp;
use serde_json::Value;

/// The conversations of a family, one at least for each transport that it has.
pub fn of(kind: BackendKind) -> Vec<Sample> {
    match kind {
        BackendKind::Ntfy => ntfy::samples(),
        BackendKind::Gotify => gotify::samples(),
        BackendKind::Mercure => mercure::samples(),
        BackendKind::Pusher => pusher::samples(),
        BackendKind::Nchan => nchan::samples(),
        BackendKind::Custom => custom::samples(),
    }
}

/// A text as its transport carries it. Only an event has an id.
fn framed(transport: TransportKind, id: &str, text: &str) -> Vec<u8> {
    match transport {
        TransportKind::Websocket => text.as_bytes().to_vec(),
        TransportKind::Sse => {
            let id = match id {
                "" => String::new(),
                id => format!("id: {id}\n"),
            };
            let data = text.replace('\n', "\ndata: ");
            format!("{id}data: {data}\n\n").into_bytes()
        }
        _ => format!("{text}\n").into_bytes(),
    }
}

/// Each line of a fixture that is a JSON object.
fn objects(fixture: &str) -> impl Iterator<Item = (Value, &str)> {
    fixture.lines().filter_map(|line| {
        let value: Value = serde_json::from_str(line).ok()?;
        value.is_object().then_some((value, line))
    })
}

/// An HTTP date (RFC 9110, 5.6.7).
fn http_date(second: i64) -> String {
    let at = Timestamp::from_second(second).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Unix seconds of a date.
fn seconds(date: &str) -> i64 {
    date.parse::<Timestamp>().unwrap_or_default().as_second()
}

/// The newest message, as it stands on the wire.
fn newest(held: &[Message], write: impl Fn(&Message) -> Vec<u8>) -> Vec<Piece> {
    held.last()
        .map(|message| Piece::message(write(message)))
        .into_iter()
        .collect()
}
