//! Messages that wait to be handed over, merged by their ids.

use super::message::Message;
use crate::model::Origin;
use std::collections::BTreeMap;

/// Messages that are held at most, in bytes: the history may be longer than what fits here.
pub(super) const MOST: usize = 32 * 1024 * 1024;

/// What is held.
pub(super) struct Held {
    /// What is not too much, in bytes.
    most: usize,
    messages: BTreeMap<i64, (Message, Origin)>,
    size: usize,
}

impl Held {
    /// Nothing is held.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            messages: BTreeMap::new(),
            size: 0,
        }
    }

    /// Takes a message in. What came as it was published stays so, if a page shows it too.
    pub(super) fn insert(&mut self, message: Message, origin: Origin) {
        match self.messages.get_mut(&message.id) {
            Some((_, before)) if origin == Origin::Live => *before = origin,
            Some(_) => {}
            None => {
                self.size += message.size();
                self.messages.insert(message.id, (message, origin));
            }
        }
    }

    /// It is too much.
    pub(super) fn is_full(&self) -> bool {
        self.size > self.most && self.messages.len() > 1
    }

    /// Drops the newest until it is no longer too much.
    pub(super) fn shrink(&mut self) {
        while self.is_full() {
            if let Some((_, (message, _))) = self.messages.pop_last() {
                self.size -= message.size();
            }
        }
    }

    /// Takes the oldest out.
    pub(super) fn pop_oldest(&mut self) -> Option<(Message, Origin)> {
        let (_, (message, origin)) = self.messages.pop_first()?;
        self.size -= message.size();
        Some((message, origin))
    }

    /// Whose messages are held.
    pub(super) fn applications(&self) -> impl Iterator<Item = i64> {
        self.messages
            .values()
            .map(|(message, _)| message.application)
    }
}
