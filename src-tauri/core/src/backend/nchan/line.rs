//! A channel of a conversation.

use super::id::{MessageId, Place};
use crate::backend::{Effect, Missing};
use crate::model::{Cursor, Origin, SubscriptionId};
use serde::Deserialize;

/// How many messages Nchan keeps of a channel unless its owner says otherwise
/// (`nchan_message_buffer_length`).
const USUALLY_KEPT: u64 = 10;

/// What a channel tells about itself (Nchan README, "Channel Information").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// How many messages it holds.
    pub messages: u64,
    /// The last one that was published, held or not: second and number.
    pub last: (i64, u32),
}

impl Held {
    /// Reads an answer.
    pub(super) fn read(body: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Told {
            messages: u64,
            last_message_id: String,
        }
        let told: Told = serde_json::from_str(body).ok()?;
        let last = MessageId::read(&told.last_message_id)?;
        Some(Self {
            messages: told.messages,
            last: (last.second, last.number()),
        })
    }
}

/// What a message is to what came before it in its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It may follow.
    Next,
    /// It came before.
    Repeat,
    /// Messages between the last one and this one did not come.
    Gap,
}

/// What the session knows of a channel.
pub(super) struct Line {
    /// Its subscription; none if the user left it.
    pub subscription: Option<SubscriptionId>,
    /// Its name.
    pub channel: String,
    /// Where it stands; none: it was never filled.
    pub place: Option<Place>,
    /// The furthest place that it had, as far as its order is known.
    furthest: Option<(i64, u64)>,
    /// What the channel told about itself.
    pub held: Option<Held>,
    /// Why what came is not all of it.
    pub missing: Option<Missing>,
    /// Something is wrong with what it tells about itself, and its user was told.
    pub has_problem: bool,
    /// It had no place when the connection began.
    is_new: bool,
    /// The second of its last message, and the number of the one that follows within it, if known.
    expects: Option<(i64, Option<u32>)>,
    /// Messages that were new on this connection.
    seen: u64,
    /// Something came that shows that nothing before it is missing.
    proven: bool,
}

impl Line {
    /// The channel at this position among so many.
    pub(super) fn new(
        subscription: Option<SubscriptionId>,
        channel: &str,
        position: (usize, usize),
        cursor: Option<&Cursor>,
    ) -> Self {
        let place = cursor.and_then(|cursor| Place::read(&cursor.0));
        let (at, all) = position;
        let expects = place
            .as_ref()
            .and_then(|place| MessageId::read(&place.id))
            .map(|id| {
                let number = if id.numbers.len() == all {
                    Some(id.numbers[at].map_or(0, |number| number.saturating_add(1)))
                } else {
                    None
                };
                (id.second, number)
            });
        Self {
            subscription,
            channel: channel.to_owned(),
            is_new: place.is_none(),
            furthest: place
                .as_ref()
                .and_then(|place| MessageId::read(&place.id))
                .map(|id| id.order()),
            place,
            held: None,
            missing: None,
            has_problem: false,
            expects,
            seen: 0,
            proven: false,
        }
    }

    /// How what it missed comes.
    pub(super) fn origin(&self) -> Origin {
        if self.is_new {
            Origin::FirstFilling
        } else {
            Origin::Backfill
        }
    }

    /// Takes note of a message.
    pub(super) fn note(&mut self, second: i64, number: u32) -> Step {
        let step = match self.expects {
            None => Step::Next,
            Some((last, _)) if second < last => Step::Repeat,
            Some((last, Some(next))) if second == last && number < next => Step::Repeat,
            Some((last, Some(next))) if second == last => {
                // The very next one.
                self.proven |= number == next && next > 0 && self.seen == 0;
                if number == next {
                    Step::Next
                } else {
                    Step::Gap
                }
            }
            Some((last, None)) if second == last => Step::Next,
            // The first one of a second has number 0.
            Some(_) if number == 0 => Step::Next,
            Some(_) => Step::Gap,
        };
        if step == Step::Repeat {
            // The server goes back so far: what followed is there too.
            self.proven = true;
            return step;
        }
        self.seen += 1;
        self.expects = Some((second, number.checked_add(1)));
        if step == Step::Gap {
            self.missing = Some(Missing::NoLongerHeld);
        }
        step
    }

    /// The server does not know its position, or counts anew.
    pub(super) fn forget(&mut self) {
        if !self.is_new {
            self.missing = Some(Missing::UnknownCursor);
        }
        self.place = None;
        self.furthest = None;
        self.expects = None;
    }

    /// Whether everything came that the channel told of.
    pub(super) fn is_level(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| held.messages == 0 || !self.is_behind(held))
    }

    /// Something was published after what came last.
    fn is_behind(&self, held: &Held) -> bool {
        let (last, number) = held.last;
        match self.expects {
            None => held.messages > 0,
            Some((second, Some(next))) => last > second || last == second && number >= next,
            Some((second, None)) => last > second,
        }
    }

    /// The backlog is complete: looks once more whether it is whole. `keeps` is how many messages the server
    /// keeps, if known.
    pub(super) fn judge(&mut self, keeps: Option<u64>) {
        let Some(held) = self.held.take() else {
            return;
        };
        if self.is_new || self.missing.is_some() {
            return;
        }
        if self.is_behind(&held) {
            // It was published, and nothing is held any more.
            self.missing = Some(Missing::NoLongerHeld);
        } else if !self.proven && held.messages > 0 && self.seen >= held.messages {
            // All that is held is new, so that what came before it may have been dropped. Only a full buffer
            // drops.
            self.missing = match keeps {
                Some(keeps) => (held.messages >= keeps).then_some(Missing::NoLongerHeld),
                None => (held.messages >= USUALLY_KEPT).then_some(Missing::UnknownCursor),
            };
        }
    }

    /// Tells that the backlog is complete, or that there is a hole.
    pub(super) fn filled(&mut self, effects: &mut Vec<Effect>) {
        let missing = self.missing.take();
        let Some(subscription) = self.subscription else {
            return;
        };
        if !self.has_problem {
            effects.push(Effect::TopicRefused {
                subscription,
                says: String::new(),
            });
        }
        effects.push(Effect::Filled {
            subscription,
            missing,
        });
    }

    /// Moves its place, never back. Where an id of a form that is not known stands, nobody knows; whatever comes
    /// after it is measured by the last whose place is known.
    pub(super) fn advance(&mut self, to: &Place, effects: &mut Vec<Effect>) {
        let order = MessageId::read(&to.id).map(|id| id.order());
        let is_back = match order {
            Some(order) => self.furthest.is_some_and(|furthest| order <= furthest),
            None => self.place.as_ref() == Some(to),
        };
        if is_back {
            return;
        }
        self.furthest = order.or(self.furthest);
        self.place = Some(to.clone());
        if let Some(subscription) = self.subscription {
            effects.push(Effect::Advance {
                subscription,
                cursor: Cursor(to.cursor()),
            });
        }
    }
}
