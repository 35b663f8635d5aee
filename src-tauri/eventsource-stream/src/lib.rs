//! Server-sent events from bytes: the WHATWG algorithm (HTML Standard, section 9.2.6), in linear
//! time, in bounded memory, without a panic on any input.
//!
//! Why it exists: reqwest-eventsource 0.6 parses with eventsource-stream 0.2, which panics on a
//! leading byte order mark, falls silent for the rest of the connection after one malformed UTF-8
//! byte, and needs quadratic time for long lines. Cargo's `[patch.crates-io]` puts this crate in
//! its place, so it has the same name and public types. What differs on purpose:
//!
//! - Malformed UTF-8 is replaced (U+FFFD) line by line and is never an error.
//! - A line or an event longer than 1 MiB is skipped without being kept.
//! - An id longer than 1 KiB or with control characters is ignored, `retry` takes digits only and
//!   is clamped to 1 s … 5 min.
//! - Comments, blocks without data and what was too long come through as *control events*, since
//!   watchdogs and cursors need them. Their names end in a newline, so no server can send them:
//!   [`CONTROL_COMMENT`], [`CONTROL_FIELDS`], [`CONTROL_TOO_LONG`].

mod parser;
mod stream;
#[cfg(test)]
mod tests;

pub use parser::{
    CONTROL_COMMENT, CONTROL_FIELDS, CONTROL_TOO_LONG, Event, MAX_EVENT, MAX_ID, MAX_LINE,
    MAX_RETRY, MIN_RETRY, Parser,
};
pub use stream::{EventStream, EventStreamError, Eventsource};
