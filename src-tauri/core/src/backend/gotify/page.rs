//! A page of the history: the newest messages below an id.

use super::message::Message;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The most messages of a page that the server allows.
pub(super) const LONGEST: u16 = 200;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Default, Deserialize)]
struct Paging {
    /// Absent where somebody else than Gotify made the page.
    since: Option<i64>,
}

/// A page.
pub(super) struct Page {
    /// Messages, newest first.
    pub messages: Vec<Message>,
    /// Those that cannot be read, as they came.
    pub unreadable: Vec<String>,
    /// The next page is below this id; none: there is no more.
    pub next: Option<i64>,
}

/// Reads the answer to a request for at most `limit` messages; none if it is no page.
pub(super) fn read(body: &str, limit: u16) -> Option<Page> {
    let Body { messages, paging } = serde_json::from_str(body).ok()?;
    let is_full = messages.len() >= usize::from(limit);
    let mut page = Page {
        messages: Vec::with_capacity(messages.len()),
        unreadable: Vec::new(),
        next: None,
    };
    for frame in messages {
        match Message::read(frame.get()) {
            Some(message) => page.messages.push(message),
            None => page.unreadable.push(frame.get().to_owned()),
        }
    }
    let lowest = page.messages.iter().map(|message| message.id).min();
    page.next = match paging.since {
        Some(since) => (since > 0).then_some(since),
        None => lowest.filter(|_| is_full),
    };
    Some(page)
}
