//! The history being read: pages from the newest message down, until what was handed over before is met.

use super::message::Message;
use super::page::Page;
use super::position::{self, Position};
use crate::backend::Missing;
use std::collections::BTreeSet;

/// How far below its floor a listing hands messages over again. A server may store a message late, under an id
/// that was passed already; and one that it stored while a connection was being registered comes neither
/// with the pages nor over the stream. The inbox knows those that it has. Old ones are left alone: of what is
/// old the inbox has forgotten the deletes.
#[derive(Clone, Copy)]
struct Overlap {
    ids: i64,
    /// In seconds.
    time: i64,
}

/// Below what an earlier listing of the same connection has shown.
const SMALL: Overlap = Overlap { ids: 64, time: 600 };
/// Below what an earlier connection has handed over: nothing has shown it whole since its last look.
const LARGE: Overlap = Overlap {
    ids: 200,
    time: 1800,
};
/// Right upon another listing, so that each brings something new even where little can be held.
const NONE: Overlap = Overlap { ids: 0, time: 0 };
/// How much later than the latest one a message with an id that was passed must be, in seconds, before it
/// shows that the server began anew.
const LATER: i64 = 60;
/// Pages of a first filling.
const FIRST_PAGES: usize = 25;
/// Messages too large to be fetched that are stepped over.
const STEPS_OVER: u32 = 64;

/// Why the history is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To catch up.
    News,
    /// To catch up, and to see what was deleted.
    Look,
    /// To fill the subscription of one application.
    Fill {
        /// Its id.
        application: i64,
    },
}

/// The history being read.
pub(super) struct Listing {
    /// Why.
    pub purpose: Purpose,
    /// The next page is below this id; none: the newest one.
    pub since: Option<i64>,
    /// Messages of the next page.
    pub limit: u16,
    /// Up to here everything is handed over; none: nothing is.
    pub before: Option<Position>,
    /// What the server does not have any more.
    pub missing: Option<Missing>,
    /// The server began anew.
    pub anew: bool,
    /// Pages that are read even where no news leads further down.
    at_least: usize,
    /// Messages from before this date are not wanted, in unix seconds.
    oldest: i64,
    /// Everything up to here was shown.
    floor: Position,
    overlap: Overlap,
    pages: usize,
    stepped_over: u32,
    /// Ids that were listed, or came meanwhile.
    there: BTreeSet<i64>,
    lowest: i64,
    latest: i64,
    /// What the pages alone have shown.
    shown: Position,
    to_the_end: bool,
    /// A message could not be read, so that it is not known which ones are there.
    unsure: bool,
}

/// What follows from a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// One more.
    Page,
    /// That was all.
    Done,
    /// The server goes round in circles.
    Strange,
}

impl Listing {
    /// Nothing is read yet.
    pub(super) fn new(
        purpose: Purpose,
        limit: u16,
        at_least: usize,
        before: Option<Position>,
        oldest: i64,
    ) -> Self {
        Self {
            purpose,
            since: None,
            limit,
            before,
            missing: None,
            anew: false,
            at_least,
            oldest,
            floor: before.unwrap_or_default(),
            overlap: LARGE,
            pages: 0,
            stepped_over: 0,
            there: BTreeSet::new(),
            lowest: i64::MAX,
            latest: 0,
            shown: Position::default(),
            to_the_end: false,
            unsure: false,
        }
    }

    /// What the pages have shown whole.
    pub(super) fn shown(&self) -> Position {
        self.shown
    }

    /// An earlier listing of this connection has shown everything up to here.
    #[must_use]
    pub(super) fn above(mut self, shown: Position) -> Self {
        self.floor = shown;
        self.overlap = SMALL;
        self
    }

    /// It follows right upon another one, which could not hold all.
    #[must_use]
    pub(super) fn right_after(mut self) -> Self {
        self.overlap = NONE;
        self
    }

    /// A message came over the link meanwhile: the pages may not show it.
    pub(super) fn came(&mut self, message: &Message) {
        self.there.insert(message.id);
        self.latest = self.latest.max(message.second());
    }

    /// Everything from before this has been shown: the greatest id and the latest date.
    pub(super) fn reached(&self) -> (i64, i64) {
        (self.there.last().copied().unwrap_or(0), self.latest)
    }

    /// There is no room for more of what was never there: what is older is left out.
    pub(super) fn cut_short(&mut self) {
        self.missing = Some(Missing::Truncated);
    }

    /// Takes a page; `wanted` gets what may be news.
    pub(super) fn page(&mut self, page: Page, wanted: &mut Vec<Message>) -> Next {
        self.pages += 1;
        self.unsure |= !page.unreadable.is_empty();
        let mut met = false;
        for message in page.messages {
            self.there.insert(message.id);
            self.lowest = self.lowest.min(message.id);
            self.latest = self.latest.max(message.second());
            self.shown.id = self.shown.id.max(message.id);
            self.shown.date = self.shown.date.max(message.second());
            match self.is_wanted(&message) {
                Wanted::Yes => wanted.push(message),
                Wanted::Met => met = true,
            }
        }
        let enough = match (self.purpose, self.before) {
            (Purpose::News | Purpose::Look, Some(_)) => met && self.pages >= self.at_least,
            (Purpose::Fill { .. }, _) | (_, None) => met || self.pages >= FIRST_PAGES,
        };
        match page.next {
            None => {
                self.to_the_end = true;
                Next::Done
            }
            Some(next) if self.since.is_some_and(|since| next >= since) => Next::Strange,
            Some(_) if enough => {
                if !met {
                    self.missing = Some(Missing::Truncated);
                }
                Next::Done
            }
            Some(next) => {
                self.since = Some(next);
                // After a page that was too long they become longer again.
                self.limit = self.limit.saturating_mul(2).min(super::page::LONGEST);
                Next::Page
            }
        }
    }

    fn is_wanted(&mut self, message: &Message) -> Wanted {
        let date = message.second();
        let Some(before) = self
            .before
            .filter(|_| !matches!(self.purpose, Purpose::Fill { .. }))
        else {
            return if message.date.is_some() && date < self.oldest {
                Wanted::Met
            } else {
                Wanted::Yes
            };
        };
        if begins_anew(before, message) {
            self.anew = true;
        }
        if self.anew {
            if date > before.date {
                Wanted::Yes
            } else {
                Wanted::Met
            }
        } else if message.id > self.floor.id
            || (message.id > self.floor.id - self.overlap.ids
                && date > self.floor.date.saturating_sub(self.overlap.time)
                && date >= self.oldest)
        {
            Wanted::Yes
        } else {
            Wanted::Met
        }
    }

    /// A page was too long to be read: the next one is shorter. False if that cannot be.
    pub(super) fn too_long(&mut self) -> bool {
        if self.limit > 1 {
            self.limit /= 2;
            return true;
        }
        // One message alone. What is below it can be had if its id is right below the page's.
        self.missing = Some(Missing::Truncated);
        self.stepped_over += 1;
        match self.since {
            Some(since) if since > 1 && self.stepped_over <= STEPS_OVER => {
                self.since = Some(since - 1);
                true
            }
            _ => false,
        }
    }

    /// The range of versions that was looked at, and the ids that are there; none where that says nothing.
    pub(super) fn only(&self) -> Option<(i64, i64, Vec<String>)> {
        let before = self.before.filter(|_| {
            self.purpose == Purpose::Look && !self.anew && !self.unsure && self.missing.is_none()
        })?;
        let epoch = before.epoch;
        let from = if self.to_the_end { 0 } else { self.lowest };
        // All up to this one were on the server before the first page was asked for.
        let to = self.there.last().copied().unwrap_or(0).max(before.id);
        let there = self.there.iter();
        Some((
            position::version(epoch, from),
            position::version(epoch, to),
            there.map(|id| position::remote_id(epoch, *id)).collect(),
        ))
    }
}

enum Wanted {
    Yes,
    /// It was handed over, or is too old: so is what follows.
    Met,
}

/// Whether a message with an id that was passed is a new one all the same.
pub(super) fn begins_anew(before: Position, message: &Message) -> bool {
    before.date > 0
        && message.id <= before.id
        && message.second() > before.date.saturating_add(LATER)
}
