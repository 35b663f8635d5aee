//! One stream of a hub, whatever carries it: what it was asked for, where it stands, and whether what was
//! published before is through.

use super::dialect::Dialect;
use super::lines::Lines;
use super::place::{Place, Position};
use crate::backend::Topic;
use crate::backend::own_id::Ids;
use crate::model::{Cursor, Draft, Origin, SubscriptionId};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// What a quiet stream is given beyond its keepalive.
const MARGIN: Duration = Duration::from_secs(15);
/// A shorter silence is no keepalive.
const LEAST_KEEPALIVE: Duration = Duration::from_secs(5);
/// A longer one is a clock that was set.
const MOST_KEEPALIVE: Duration = Duration::from_mins(5);

/// A topic.
pub(super) struct Line {
    pub subscription: SubscriptionId,
    pub topic: String,
    /// Where it was left; none: it was never filled.
    pub place: Option<Place>,
    /// What it missed is being fetched: its cursor waits.
    pub filling: bool,
    /// Was said to be complete since the session began.
    pub filled: bool,
}

impl Line {
    pub(super) fn new(topic: &Topic) -> Self {
        Self {
            subscription: topic.subscription,
            topic: topic.topic.clone(),
            place: topic.cursor.as_ref().map(Place::read),
            filling: false,
            filled: false,
        }
    }
}

/// A stream.
pub(super) struct Stream {
    /// Numbers of its topics.
    pub lines: Vec<usize>,
    /// It carries all topics, so that its numbers can be compared.
    pub shared: bool,
    /// Of its newest position.
    number: u64,
    /// Where it stands; none: only that it began just now.
    pub position: Option<Position>,
    /// Where it stands, if nothing better comes.
    pub fall_back: Option<Position>,
    /// Where the opening asked to begin.
    pub asked: Option<Position>,
    /// The dialect it was opened in.
    pub dialect: Dialect,
    /// It was asked for and has not ended.
    pub under_way: bool,
    /// The hub answered.
    pub open: bool,
    /// What was published before is through.
    pub settled: bool,
    /// The tag of the next look at it.
    pub look: Option<u32>,
    /// Looks since it was opened, or since it was quiet.
    pub looks: u32,
    /// Events since the last look.
    pub heard: u32,
    /// Events since it was quiet.
    pub burst: u32,
    /// The hub does not say where its answers begin; none: it was not asked.
    pub mute: Option<bool>,
    /// Which events have an id of their own.
    pub ids: Ids,
    opened_at: Timestamp,
    heard_at: Timestamp,
    keepalive: Duration,
}

impl Stream {
    pub(super) fn new(lines: Vec<usize>, shared: bool, all: &[Line], now: Timestamp) -> Self {
        // A topic that was alone once has a place of its own; where the others stand says nothing about it.
        let newest = lines
            .iter()
            .filter_map(|&line| all[line].place.as_ref())
            .filter(|place| place.shared || !shared)
            .max_by_key(|place| place.number);
        let number = lines
            .iter()
            .filter_map(|&line| Some(all[line].place.as_ref()?.number))
            .max();
        Self {
            position: newest.map(|place| place.position.clone()),
            lines,
            shared,
            number: number.unwrap_or_default(),
            fall_back: None,
            asked: None,
            dialect: Dialect::default(),
            under_way: false,
            open: false,
            settled: false,
            look: None,
            looks: 0,
            heard: 0,
            burst: 0,
            mute: None,
            ids: Ids::default(),
            opened_at: now,
            heard_at: now,
            keepalive: Duration::ZERO,
        }
    }

    /// The answer is here.
    pub(super) fn opened(&mut self, now: Timestamp) {
        self.open = true;
        self.opened_at = now;
        self.heard_at = now;
        self.look = None;
        self.looks = 0;
        self.heard = 0;
        self.burst = 0;
        self.ids = Ids::default();
    }

    /// It is over, or given up.
    pub(super) fn closed(&mut self) {
        self.under_way = false;
        self.open = false;
        self.look = None;
    }

    /// For how long it has been open.
    pub(super) fn age(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.opened_at)).unwrap_or_default()
    }

    /// It moved to after this event.
    pub(super) fn moved(&mut self, id: &str) {
        if !id.is_empty() && self.position.as_ref().map(Position::id) != Some(id) {
            self.position = Some(Position::After(id.to_owned()));
            self.number = self.number.saturating_add(1);
        }
    }

    /// Something came. A comment ends a silence that is as long as the hub's keepalive: how long a silence means
    /// death, if that is news.
    pub(super) fn heard(&mut self, is_comment: bool, now: Timestamp) -> Option<Duration> {
        let quiet = Duration::try_from(now.duration_since(self.heard_at)).unwrap_or_default();
        self.heard_at = now;
        let quiet = quiet.min(MOST_KEEPALIVE);
        let is_news = quiet >= LEAST_KEEPALIVE && quiet > self.keepalive + Duration::from_secs(1);
        if !(is_comment && is_news) {
            return None;
        }
        self.keepalive = quiet;
        Some(quiet + MARGIN)
    }

    /// The cursor of whatever is complete up to here.
    pub(super) fn cursor(&self) -> Cursor {
        Place {
            shared: self.shared,
            number: self.number,
            position: self
                .position
                .clone()
                .or_else(|| self.fall_back.clone())
                .unwrap_or(Position::Earliest),
        }
        .cursor()
    }
}

/// What topics missed, being fetched beside their stream.
pub(super) struct Filling {
    /// Whose stream.
    pub stream: usize,
    /// Of which topics.
    pub lines: Vec<usize>,
    /// From where on.
    pub from: Position,
    pub origin: Origin,
    /// What is known to be missing.
    pub missing: Option<crate::backend::Missing>,
    pub parser: Lines,
    pub ids: Ids,
    /// Notifications without a time, of which only the newest are wanted.
    pub timeless: VecDeque<(SubscriptionId, Box<Draft>)>,
    /// The last id.
    pub last: Option<String>,
    /// Events of this answer.
    pub count: u32,
    /// The hub does not say where its answers begin.
    pub mute: bool,
}
