//! Reading an application's history: page after page, until what is already here is met.

use super::message;
use super::options::{History, Settings};
use crate::backend::Missing;
use crate::backend::payload::{self, Payload};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// How far behind its position a history is read again: for what was stored late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Pages of one reading.
const MOST_PAGES: u32 = 1000;
/// Items of one reading.
const MOST_ITEMS: usize = 50_000;
/// Where the items usually are.
const ITEMS: [&str; 6] = [
    "/data",
    "/notifications",
    "/items",
    "/results",
    "/data/notifications",
    "/data/items",
];
/// Where the next page usually is named.
const NEXT: [&str; 5] = [
    "/next_page_url",
    "/links/next",
    "/next",
    "/meta/next_page_url",
    "/paging/next",
];

/// A channel of a reading.
pub(super) struct Part {
    /// The number of its line.
    pub line: usize,
    /// Its name.
    pub channel: String,
    /// Nothing older is wanted.
    pub cut: Timestamp,
    /// The id at which what is here begins; empty if there is none.
    pub id: String,
    /// The newest item's time, once one was read.
    pub newest: Option<Timestamp>,
    /// The newest item's id.
    pub newest_id: String,
    /// An item was read.
    is_seen: bool,
}

impl Part {
    /// From a position to now; without one, no further back than `begin`.
    pub(super) fn new(
        line: usize,
        channel: &str,
        position: &super::cursor::Position,
        begin: Timestamp,
    ) -> Self {
        let since = position
            .time()
            .map(|at| at.checked_sub(OVERLAP).unwrap_or(at));
        Self {
            line,
            channel: channel.to_owned(),
            cut: since.unwrap_or(begin),
            id: position.id.clone(),
            newest: position.time(),
            newest_id: position.id.clone(),
            is_seen: false,
        }
    }
}

/// An item that is wanted.
pub(super) struct Item {
    /// The number of its line.
    pub line: usize,
    /// What it says.
    pub read: Payload,
    made: Option<Timestamp>,
}

/// What a page leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To another page.
    Page(Url),
    /// The reading is over.
    Done,
}

/// A reading under way.
pub(super) struct Reading {
    /// Its channels.
    pub parts: Vec<Part>,
    /// Items say to which channel they belong.
    by_topic: bool,
    first: Url,
    at: Url,
    pages: u32,
    items: Vec<Item>,
    unmet: BTreeSet<String>,
    ascending: Option<bool>,
    /// Why it will not be all.
    pub missing: Option<Missing>,
}

impl Reading {
    /// Begins at this page.
    pub(super) fn new(parts: Vec<Part>, by_topic: bool, first: Url) -> Self {
        // One channel without a place to stop at needs the times.
        let unmet = if parts.iter().any(|part| part.id.is_empty()) {
            BTreeSet::new()
        } else {
            parts.iter().map(|part| part.id.clone()).collect()
        };
        Self {
            parts,
            by_topic,
            at: first.clone(),
            first,
            pages: 0,
            items: Vec::new(),
            unmet,
            ascending: None,
            missing: None,
        }
    }

    /// The page to ask for.
    pub(super) fn url(&self) -> &Url {
        &self.at
    }

    /// It is of several channels at once.
    pub(super) fn is_shared(&self) -> bool {
        self.by_topic
    }

    /// The numbers of its lines.
    pub(super) fn lines(&self) -> Vec<usize> {
        self.parts.iter().map(|part| part.line).collect()
    }

    /// Reads a page; none if it is no page.
    pub(super) fn page(
        &mut self,
        body: &str,
        link: Option<&str>,
        history: &History,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Next> {
        let page = payload::json(body)?;
        let items = items(&page, &history.items)?;
        self.pages += 1;
        let mut times = Vec::new();
        let (met_here, old) = self.take(&items, settings, now, &mut times);
        if let (Some(first), Some(last)) = (times.first(), times.last())
            && first != last
        {
            self.ascending.get_or_insert(first < last);
        }
        let is_descending = self.ascending != Some(true);
        let has_place = !self.unmet.is_empty() || met_here;
        let all_met = met_here && self.unmet.is_empty();
        // A history without times and without a place to stop at is not read to its beginning.
        let is_blind = times.is_empty() && !has_place;
        let is_over = old || (times.is_empty() && all_met);
        if items.is_empty() || is_blind || (is_descending && is_over) {
            return Some(Next::Done);
        }
        let Some(next) = self.next(&page, link, history) else {
            return Some(Next::Done);
        };
        if self.pages >= MOST_PAGES || self.items.len() >= MOST_ITEMS {
            self.missing = Some(Missing::Truncated);
            return Some(Next::Done);
        }
        self.at = next.clone();
        Some(Next::Page(next))
    }

    /// Takes what is wanted of a page. Whether a place to stop at was met, and whether the page ends with
    /// something old.
    fn take(
        &mut self,
        items: &[Value],
        settings: &Settings,
        now: Timestamp,
        times: &mut Vec<Timestamp>,
    ) -> (bool, bool) {
        let mut met = false;
        let mut old = false;
        for item in items {
            let text = item.to_string();
            let (mut read, made) = message::of_item(settings, &text, now);
            times.extend(made);
            let least = self.parts.iter().map(|part| part.cut).min();
            old = made.zip(least).is_some_and(|(made, least)| made < least);
            let part = match (self.by_topic, read.topic.as_deref()) {
                (false, _) => self.parts.first_mut(),
                (true, Some(topic)) => self.parts.iter_mut().find(|part| part.channel == topic),
                (true, None) => None,
            };
            let Some(part) = part else {
                continue;
            };
            if read.has_own_id && self.unmet.remove(&read.draft.remote_id) {
                met = true;
            }
            let is_wanted = match made {
                Some(made) => made >= part.cut,
                // Without times, what follows the place to stop at is older.
                None => !met,
            };
            message::name_item(&mut read, &part.channel, &text, made);
            // Without times, the first one is the newest.
            if made > part.newest || (made.is_none() && !part.is_seen) {
                part.newest = made.or(part.newest);
                if read.has_own_id {
                    part.newest_id.clone_from(&read.draft.remote_id);
                }
            }
            part.is_seen = true;
            if is_wanted && !read.ignored {
                self.items.push(Item {
                    line: part.line,
                    read,
                    made,
                });
            }
        }
        (met, old)
    }

    /// The next page's address, always on the server of the first: what goes there is signed in.
    fn next(&self, page: &Value, link: Option<&str>, history: &History) -> Option<Url> {
        let named = if history.next.is_empty() {
            NEXT.iter()
                .find_map(|pointer| payload::word(&*payload::at(page, pointer)?))
                .or_else(|| link.and_then(next_link))
        } else {
            payload::word(&*payload::at(page, &history.next)?)
        }?;
        let mut next = if history.parameter.is_empty() {
            self.at.join(&named).ok()?
        } else {
            let mut next = self.first.clone();
            let others: Vec<(String, String)> = next
                .query_pairs()
                .filter(|(name, _)| *name != history.parameter)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            next.query_pairs_mut()
                .clear()
                .extend_pairs(others)
                .append_pair(&history.parameter, &named);
            next
        };
        // Behind a proxy, applications often take themselves for plain http.
        if next.host_str() == self.first.host_str() && next.origin() != self.first.origin() {
            next.set_scheme(self.first.scheme()).ok()?;
            next.set_port(self.first.port()).ok()?;
        }
        (next.origin() == self.first.origin() && next != self.at).then_some(next)
    }

    /// What was read, the oldest first.
    pub(super) fn into_items(mut self) -> (Vec<Part>, Vec<Item>) {
        if self.ascending != Some(true) {
            self.items.reverse();
        }
        if self.items.iter().all(|item| item.made.is_some()) {
            self.items.sort_by_key(|item| item.made);
        }
        (self.parts, self.items)
    }
}

/// The items of a page; none if it has no such list.
fn items(page: &Value, pointer: &str) -> Option<Vec<Value>> {
    let list = |value: &Value| match value {
        Value::Array(items) => Some(items.clone()),
        // Some keep them by number.
        Value::Object(members) if !pointer.is_empty() => Some(members.values().cloned().collect()),
        _ => None,
    };
    if !pointer.is_empty() {
        return list(&*payload::at(page, pointer)?);
    }
    list(page).or_else(|| {
        ITEMS
            .iter()
            .find_map(|usual| list(&*payload::at(page, usual)?))
    })
}

/// The target of `rel="next"` (RFC 8288).
fn next_link(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split(' ')
                        .any(|rel| rel == "next")
            })
            .then(|| target.to_owned())
    })
}
