//! A channel of a connection.

use super::channel::{self, Kind};
use super::cursor::Position;
use super::sealed::Secret;
use crate::backend::{Effect, Failure, Topic};
use crate::model::{Cursor, Origin, SubscriptionId};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// The first wait before a channel is asked for again.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// How far a channel has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing was done for it yet, or it waits for its turn to be signed.
    Waiting,
    /// The application is asked to sign for it.
    Signing,
    /// The server is asked for it.
    Asked,
    /// It is subscribed; what was missed is still to come.
    Joined,
    /// What was missed is here, as far as it can be had.
    Whole,
    /// It is subscribed, but its history cannot be had now.
    Partial,
    /// It was refused.
    Refused(Failure),
    /// It was refused for now.
    Later(Failure),
}

/// An event that waits for a new key.
pub(super) struct Sealed {
    /// Its name.
    pub name: String,
    /// Its data, as it came.
    pub data: String,
    /// Its frame.
    pub frame: String,
    /// See [`super::message::Event`].
    pub place: String,
    /// How it came.
    pub origin: Origin,
}

/// A channel.
pub(super) struct Line {
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// Its name.
    pub channel: String,
    /// What it asks for.
    pub kind: Kind,
    /// How far it has come.
    pub step: Step,
    /// What is kept of it.
    pub position: Position,
    /// As it is stored.
    stored: Option<Cursor>,
    /// It was subscribed in an earlier connection.
    pub is_old: bool,
    /// The next event is the one that the server kept.
    pub replays: bool,
    /// The key of an encrypted channel.
    pub key: Option<Secret>,
    /// Events waiting for a new one.
    pub sealed: VecDeque<Sealed>,
    /// Requests for another one that came to nothing.
    pub key_tries: u32,
    /// No new key is asked for before this.
    pub locked_until: Option<Timestamp>,
    /// Attempts that came to nothing.
    tries: u32,
    /// Which question to the server is open.
    pub question: u32,
    /// The user left it; what is still said about it concerns nobody.
    pub left: bool,
}

impl Line {
    /// Of a topic.
    pub(super) fn new(topic: &Topic) -> Self {
        Self {
            subscription: topic.subscription,
            kind: Kind::of(&topic.topic),
            channel: topic.topic.clone(),
            step: Step::Waiting,
            position: topic
                .cursor
                .as_ref()
                .map(Position::read)
                .unwrap_or_default(),
            stored: topic.cursor.clone(),
            is_old: topic.cursor.is_some(),
            replays: false,
            key: None,
            sealed: VecDeque::new(),
            key_tries: 0,
            locked_until: None,
            tries: 0,
            question: 0,
            left: false,
        }
    }

    /// The user leaves it.
    pub(super) fn leave(&mut self) {
        self.left = true;
        self.replays = false;
        self.sealed.clear();
        self.step = Step::Whole;
    }

    /// The server keeps its last event.
    pub(super) fn is_cached(&self) -> bool {
        channel::is_cached(&self.channel)
    }

    /// Nothing is under way for it.
    pub(super) fn is_settled(&self) -> bool {
        !matches!(
            self.step,
            Step::Waiting | Step::Signing | Step::Asked | Step::Joined
        )
    }

    /// Its events come.
    pub(super) fn is_good(&self) -> bool {
        matches!(self.step, Step::Whole | Step::Partial)
    }

    /// How what was missed is called.
    pub(super) fn origin(&self) -> Origin {
        if self.is_old {
            Origin::Backfill
        } else {
            Origin::FirstFilling
        }
    }

    /// How long to wait before it is asked for again.
    pub(super) fn next_wait(&mut self, wish: Option<Duration>) -> Duration {
        let own = FIRST_WAIT
            .saturating_mul(2_u32.saturating_pow(self.tries))
            .min(LONGEST_WAIT);
        self.tries = self.tries.saturating_add(1);
        own.max(wish.unwrap_or_default())
    }

    /// It went well.
    pub(super) fn forget_tries(&mut self) {
        self.tries = 0;
    }

    /// Stores the position, unless something before it is still held back.
    pub(super) fn advance(&mut self, effects: &mut Vec<Effect>) {
        let was_filled = self.stored.is_some() || self.step == Step::Whole;
        if !was_filled || !self.sealed.is_empty() {
            return;
        }
        let cursor = self.position.cursor();
        if self.stored.as_ref() != Some(&cursor) {
            self.stored = Some(cursor.clone());
            effects.push(Effect::Advance {
                subscription: self.subscription,
                cursor,
            });
        }
    }

    /// Says what is wrong with it; empty: nothing is.
    pub(super) fn says(&self, says: &str) -> Effect {
        Effect::TopicRefused {
            subscription: self.subscription,
            says: says.to_owned(),
        }
    }
}
