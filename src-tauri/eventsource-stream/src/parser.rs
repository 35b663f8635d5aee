//! The parser: bytes in, events out, no I/O.

use std::mem;
use std::time::Duration;

/// Name of the control event for a comment line. Its data is the comment without the colon and
/// one leading space.
pub const CONTROL_COMMENT: &str = "comment\n";
/// Name of the control event for a block that carried an id or a retry, but no data. Its `id` is
/// the id now in force, its `retry` is set if the block had one.
pub const CONTROL_FIELDS: &str = "fields\n";
/// Name of the control event for something skipped because it was too long. Its data is `line` or
/// `event`. It comes once, as soon as the limit is passed.
pub const CONTROL_TOO_LONG: &str = "too long\n";

/// Longest line, in bytes without its end.
pub const MAX_LINE: usize = 1 << 20;
/// Longest data of one event, in bytes after decoding.
pub const MAX_EVENT: usize = 1 << 20;
/// Longest id, in bytes after decoding; longer ones are ignored.
pub const MAX_ID: usize = 1 << 10;
/// Least reconnection time a server can ask for.
pub const MIN_RETRY: Duration = Duration::from_secs(1);
/// Greatest reconnection time a server can ask for.
pub const MAX_RETRY: Duration = Duration::from_mins(5);

/// Buffers that grew beyond this are given back once they are empty, in bytes.
const KEEP_CAPACITY: usize = 64 << 10;
const BOM: &[u8] = "\u{FEFF}".as_bytes();

/// One event, or one control event (see the constants of this crate).
#[derive(Default, Debug, Eq, PartialEq, Clone)]
pub struct Event {
    /// The event's name, `message` if the server gave none.
    pub event: String,
    /// The data, lines joined by LF.
    pub data: String,
    /// The last event id in force, empty if there was none.
    pub id: String,
    /// The reconnection time, if this block set one, within [`MIN_RETRY`] and [`MAX_RETRY`].
    pub retry: Option<Duration>,
}

/// Parses an event stream pushed in pieces (HTML Standard, section 9.2.6). Each byte is looked at
/// once, however the pieces are cut.
#[derive(Debug, Default)]
pub struct Parser {
    /// What was pushed and is not parsed yet: from `line` on.
    pending: Vec<u8>,
    /// Where the current line starts in `pending`.
    line: usize,
    /// How far `pending` was searched for a line end.
    searched: usize,
    /// The start of the stream, where a byte order mark may be, has been passed.
    started: bool,
    /// The last line ended with CR, so a LF that follows belongs to it.
    after_cr: bool,
    /// The current line is too long; everything up to its end is dropped.
    skip_line: bool,
    block: Block,
    last_id: String,
    /// Bytes looked at, copied or moved: the work done, for the test of linearity.
    #[cfg(test)]
    pub(crate) work: usize,
}

/// The fields of the event being read.
#[derive(Debug, Default)]
struct Block {
    event: String,
    /// Every line of data followed by LF.
    data: String,
    id: Option<String>,
    retry: Option<Duration>,
    /// Too much or incomplete data: the event will not be dispatched.
    spoiled: bool,
}

impl Parser {
    /// A parser at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last event id in force.
    pub fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// Sets the id in force, as carried over from an earlier connection.
    pub fn set_last_event_id(&mut self, id: impl Into<String>) {
        self.last_id = id.into();
    }

    /// Adds bytes of the stream. Take all events with [`Parser::next_event`] before the next push;
    /// bytes not yet asked for are kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.forget_parsed();
        self.count(bytes.len());
        self.pending.extend_from_slice(bytes);
    }

    /// The next event in what was pushed, or `None` if more bytes are needed.
    pub fn next_event(&mut self) -> Option<Event> {
        if !self.pass_start() {
            return None;
        }
        loop {
            self.pass_lf();
            let rest = &self.pending[self.searched..];
            let found = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let looked_at = found.map_or(rest.len(), |at| at + 1);
            self.count(looked_at);
            let Some(at) = found else {
                self.searched = self.pending.len();
                let event = self.check_unfinished_line();
                self.forget_parsed();
                return event;
            };
            let end = self.searched + at;
            let start = mem::replace(&mut self.line, end + 1);
            self.searched = end + 1;
            self.after_cr = self.pending[end] == b'\r';
            if mem::take(&mut self.skip_line) {
                continue;
            }
            self.count(end - start);
            if let Some(event) = self.take_line(start, end) {
                return Some(event);
            }
        }
    }

    /// What is left to say at the end of the stream: an unfinished event is dropped, but a
    /// reconnection time holds from its line on.
    pub fn finish(&mut self) -> Option<Event> {
        let retry = mem::take(&mut self.block).retry?;
        Some(self.control(CONTROL_FIELDS, String::new(), Some(retry)))
    }

    /// Passes a byte order mark at the start. False if more bytes are needed to tell.
    fn pass_start(&mut self) -> bool {
        if !self.started {
            if self.pending.starts_with(BOM) {
                self.line = BOM.len();
                self.searched = BOM.len();
            } else if BOM.starts_with(&self.pending) {
                return false;
            }
            self.started = true;
        }
        true
    }

    fn pass_lf(&mut self) {
        if self.after_cr && self.line < self.pending.len() {
            self.after_cr = false;
            if self.pending[self.line] == b'\n' {
                self.line += 1;
                self.searched += 1;
            }
        }
    }

    /// Drops an unfinished line that is too long already.
    fn check_unfinished_line(&mut self) -> Option<Event> {
        if self.skip_line {
            self.line = self.pending.len();
            return None;
        }
        if self.pending.len() - self.line <= MAX_LINE {
            return None;
        }
        let start = mem::replace(&mut self.line, self.pending.len());
        self.skip_line = true;
        self.too_long_line(start, self.pending.len())
    }

    /// Removes what was parsed from `pending`, when that is at least half of it: so the bytes
    /// moved are never more than the bytes parsed.
    fn forget_parsed(&mut self) {
        if self.line == 0 || self.line < self.pending.len() - self.line {
            return;
        }
        self.count(self.pending.len() - self.line);
        self.pending.drain(..self.line);
        self.searched -= self.line;
        self.line = 0;
        if self.pending.is_empty() && self.pending.capacity() > KEEP_CAPACITY {
            self.pending = Vec::new();
        }
    }

    fn take_line(&mut self, start: usize, end: usize) -> Option<Event> {
        if start == end {
            return self.dispatch();
        }
        if end - start > MAX_LINE {
            return self.too_long_line(start, end);
        }
        let (name, value) = split_field(&self.pending[start..end]);
        match name {
            b"" => {
                let comment = decode(value);
                return Some(self.control(CONTROL_COMMENT, comment, None));
            }
            b"event" => self.block.event = decode(value),
            b"data" => {
                if self.block.spoiled {
                    return None;
                }
                let value = String::from_utf8_lossy(value);
                if self.block.data.len() + value.len() > MAX_EVENT {
                    return self.spoil("event");
                }
                self.block.data.push_str(&value);
                self.block.data.push('\n');
            }
            b"id" => {
                let value = decode(value);
                if value.len() <= MAX_ID && !value.chars().any(char::is_control) {
                    self.block.id = Some(value);
                }
            }
            b"retry" => {
                if let Some(retry) = reconnection_time(value) {
                    self.block.retry = Some(retry);
                }
            }
            _ => {}
        }
        None
    }

    fn too_long_line(&mut self, start: usize, end: usize) -> Option<Event> {
        // Only its name is looked at: a shortened event is worse than none, while a comment or a
        // field that is ignored anyway takes nothing away from the event around it.
        let head = &self.pending[start..end.min(start + b"event:".len())];
        let (name, _) = split_field(head);
        if matches!(name, b"data" | b"event") {
            return self.spoil("line");
        }
        Some(self.control(CONTROL_TOO_LONG, "line".to_owned(), None))
    }

    /// Gives up the event being read; reported once for each event.
    fn spoil(&mut self, what: &str) -> Option<Event> {
        self.block.data = String::new();
        if mem::replace(&mut self.block.spoiled, true) {
            return None;
        }
        Some(self.control(CONTROL_TOO_LONG, what.to_owned(), None))
    }

    /// A blank line: the block is complete.
    fn dispatch(&mut self) -> Option<Event> {
        let Block {
            event,
            mut data,
            id,
            retry,
            spoiled,
        } = mem::take(&mut self.block);
        // A name alone is what some servers say to show that they are there.
        let fields = id.is_some() || retry.is_some() || !event.is_empty();
        if let Some(id) = id {
            self.last_id = id;
        }
        // The last LF was only the separator. No data at all means no event.
        if data.pop().is_none() || spoiled {
            return fields.then(|| self.control(CONTROL_FIELDS, String::new(), retry));
        }
        Some(Event {
            event: if event.is_empty() {
                "message".to_owned()
            } else {
                event
            },
            data,
            id: self.last_id.clone(),
            retry,
        })
    }

    fn control(&self, name: &str, data: String, retry: Option<Duration>) -> Event {
        Event {
            event: name.to_owned(),
            data,
            id: self.last_id.clone(),
            retry,
        }
    }

    /// Bytes held in the buffer of unparsed bytes.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.pending.len()
    }

    #[cfg(test)]
    fn count(&mut self, bytes: usize) {
        self.work += bytes;
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "counts only under test")]
    fn count(&mut self, _: usize) {}
}

/// Name and value of a line; the name is empty for a comment.
fn split_field(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&byte| byte == b':') {
        None => (line, b""),
        Some(colon) => {
            let value = &line[colon + 1..];
            (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
        }
    }
}

fn decode(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Digits only, as the standard has it, within our bounds.
fn reconnection_time(value: &[u8]) -> Option<Duration> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let milliseconds = value.iter().fold(0_u64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    });
    Some(Duration::from_millis(milliseconds).clamp(MIN_RETRY, MAX_RETRY))
}
