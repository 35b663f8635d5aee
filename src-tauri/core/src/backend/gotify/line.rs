//! A subscription of a conversation.

use super::position::Position;
use super::refusal;
use crate::backend::{Effect, Missing, Topic};
use crate::model::SubscriptionId;
use std::collections::BTreeMap;

/// What the session knows of a subscription.
pub(super) struct Line {
    /// Its number here.
    pub subscription: SubscriptionId,
    /// It has no place to resume where others have one: it is filled for itself.
    pub alone: bool,
    /// The server has no such application any more.
    pub gone: bool,
    /// Something was fetched for it since its backlog was last called complete.
    pub fetched: bool,
    /// Its backlog is complete.
    pub filled: bool,
    /// What was stored as its place to resume; none: nothing.
    cursor: Option<Position>,
}

impl Line {
    /// One that was not filled on this connection.
    pub(super) fn new(subscription: SubscriptionId, cursor: Option<Position>) -> Self {
        Self {
            subscription,
            alone: false,
            gone: false,
            fetched: false,
            filled: false,
            cursor,
        }
    }

    /// Subscriptions by their applications' ids, and the farthest place among them: ids are the whole server's,
    /// so that what one has passed all have.
    pub(super) fn all(topics: &[Topic]) -> (BTreeMap<i64, Self>, Option<Position>) {
        let mut high: Option<Position> = None;
        let mut lines = BTreeMap::new();
        for topic in topics {
            // Only a number can be an application's.
            let Ok(id) = topic.topic.parse::<i64>() else {
                continue;
            };
            let cursor = topic.cursor.as_ref().and_then(Position::read);
            if let Some(cursor) = cursor {
                let date = high.map_or(i64::MIN, |high| high.date).max(cursor.date);
                let farthest = high.filter(|high| high.is_after(cursor)).unwrap_or(cursor);
                high = Some(Position { date, ..farthest });
            }
            lines.insert(id, Self::new(topic.subscription, cursor));
        }
        if high.is_some() {
            for line in lines.values_mut() {
                line.alone = line.cursor.is_none();
            }
        }
        (lines, high)
    }

    /// Moves the cursor, never back. One that was never filled gets none before it is.
    pub(super) fn advance(&mut self, high: Option<Position>, effects: &mut Vec<Effect>) {
        let Some(high) = high else {
            return;
        };
        let moves = match self.cursor {
            Some(cursor) => high.is_after(cursor),
            None => self.filled,
        };
        if moves {
            self.cursor = Some(high);
            effects.push(Effect::Advance {
                subscription: self.subscription,
                cursor: high.cursor(),
            });
        }
    }

    /// Calls its backlog complete, if it was not yet, or if something was added to it.
    pub(super) fn fill(&mut self, missing: Option<Missing>, effects: &mut Vec<Effect>) {
        if self.filled && !self.fetched && missing.is_none() {
            return;
        }
        if !self.filled && !self.gone {
            effects.push(Effect::TopicRefused {
                subscription: self.subscription,
                says: String::new(),
            });
        }
        self.filled = true;
        self.fetched = false;
        effects.push(Effect::Filled {
            subscription: self.subscription,
            missing,
        });
    }

    /// Takes note of whether the server has its application, and says what changed.
    pub(super) fn is_gone(&mut self, gone: bool, effects: &mut Vec<Effect>) {
        if gone == self.gone {
            return;
        }
        self.gone = gone;
        effects.push(Effect::TopicRefused {
            subscription: self.subscription,
            says: if gone {
                refusal::GONE.to_owned()
            } else {
                String::new()
            },
        });
    }
}
