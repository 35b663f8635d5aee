//! A topic of a conversation.

use crate::backend::{Effect, Topic};
use crate::model::{Cursor, SubscriptionId};

/// What the session knows of a topic.
pub(super) struct Line {
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// The server's name for it.
    pub topic: String,
    /// Unix seconds: everything before is handed over.
    pub cursor: Option<i64>,
    /// The latest time that came, while the history is not complete.
    pub reached: Option<i64>,
    /// Its history is complete.
    pub filled: bool,
    /// The server does not let us read it.
    pub refused: bool,
    /// It was left while this connection was open.
    pub left: bool,
}

impl Line {
    /// A cursor that is not one of ours is none.
    pub(super) fn new(topic: &Topic) -> Self {
        Self {
            subscription: topic.subscription,
            topic: topic.topic.clone(),
            cursor: topic
                .cursor
                .as_ref()
                .and_then(|cursor| cursor.0.parse().ok())
                .filter(|second: &i64| *second >= 0),
            reached: None,
            filled: false,
            refused: false,
            left: false,
        }
    }

    /// Moves the cursor, never back.
    pub(super) fn advance(&mut self, to: i64, effects: &mut Vec<Effect>) {
        if self.cursor.is_none_or(|cursor| to > cursor) {
            self.cursor = Some(to);
            effects.push(Effect::Advance {
                subscription: self.subscription,
                cursor: Cursor(to.to_string()),
            });
        }
    }
}
