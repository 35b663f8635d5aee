//! Events that arrive: which of them are notifications, and which have to be decrypted first.

use super::channel::Kind;
use super::cursor;
use super::line::Sealed;
use super::message::{self, Event};
use super::session::Conversation;
use crate::backend::Effect;
use crate::backend::payload::Payload;
use crate::model::{Origin, SubscriptionId};
use jiff::{SignedDuration, Timestamp};

/// After a key that did not fit, no other is asked for so long.
const LOCKED: SignedDuration = SignedDuration::from_mins(5);
/// Events that wait for a new key.
const MOST_SEALED: usize = 1000;

impl Conversation {
    pub(super) fn event(
        &mut self,
        number: usize,
        name: String,
        data: String,
        frame: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let line = &mut self.lines[number];
        let is_replay = std::mem::take(&mut line.replays);
        let mut place = String::new();
        let mut is_repeat = false;
        if line.is_cached() {
            let last = cursor::hash(&[&name, &data]);
            is_repeat = is_replay && line.position.last == last;
            if !is_repeat {
                place = line.position.follow(&name, &data);
            }
        }
        let origin = if is_replay {
            line.origin()
        } else {
            Origin::Live
        };
        if !is_repeat && self.settings.wants(&name) {
            let sealed = Sealed {
                name,
                data,
                frame: frame.to_owned(),
                place,
                origin,
            };
            if line.kind == Kind::Encrypted {
                self.unseal(number, sealed, now, effects);
            } else {
                self.notify(number, &sealed, &sealed.data, now, effects);
            }
        }
        self.lines[number].advance(effects);
        if is_replay {
            self.joined(number, now, effects);
        }
    }

    /// Decrypts an event, or keeps it until there is another key.
    fn unseal(&mut self, number: usize, sealed: Sealed, now: Timestamp, effects: &mut Vec<Effect>) {
        let line = &mut self.lines[number];
        let is_locked = line.locked_until.is_some_and(|until| now < until);
        if line.sealed.is_empty() {
            if let Some(data) = line.key.as_ref().and_then(|key| key.open(&sealed.data)) {
                self.notify(number, &sealed, &data, now, effects);
                return;
            }
            if is_locked || !self.ask_key(number, effects) {
                self.undecryptable(number, &sealed, now, effects);
                return;
            }
        }
        let line = &mut self.lines[number];
        line.sealed.push_back(sealed);
        if line.sealed.len() > MOST_SEALED
            && let Some(first) = line.sealed.pop_front()
        {
            self.undecryptable(number, &first, now, effects);
        }
    }

    /// There is a new key, or none: what waited for it is handed over.
    pub(super) fn unseal_all(&mut self, number: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        let waiting = std::mem::take(&mut self.lines[number].sealed);
        let mut fits = true;
        for sealed in &waiting {
            let key = self.lines[number].key.as_ref();
            if let Some(data) = key.and_then(|key| key.open(&sealed.data)) {
                self.notify(number, sealed, &data, now, effects);
            } else {
                fits = false;
                self.undecryptable(number, sealed, now, effects);
            }
        }
        let line = &mut self.lines[number];
        line.key_tries = 0;
        line.forget_tries();
        line.locked_until = if fits {
            None
        } else {
            now.checked_add(LOCKED).ok()
        };
        line.advance(effects);
    }

    fn notify(
        &self,
        number: usize,
        sealed: &Sealed,
        data: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let line = &self.lines[number];
        let event = Event {
            channel: &line.channel,
            name: &sealed.name,
            data,
            frame: &sealed.frame,
            place: &sealed.place,
        };
        let read = message::of_event(&self.settings, &event, now);
        if !read.ignored {
            hand_over(line.subscription, read, sealed.origin, effects);
        }
    }

    fn undecryptable(
        &self,
        number: usize,
        sealed: &Sealed,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let line = &self.lines[number];
        let event = Event {
            channel: &line.channel,
            name: &sealed.name,
            data: &sealed.data,
            frame: &sealed.frame,
            place: &sealed.place,
        };
        effects.push(Effect::Notify {
            subscription: line.subscription,
            draft: Box::new(message::undecryptable(&event, now)),
            origin: sealed.origin,
        });
    }
}

/// A notification, and what became of it elsewhere.
pub(super) fn hand_over(
    subscription: SubscriptionId,
    read: Payload,
    origin: Origin,
    effects: &mut Vec<Effect>,
) {
    let replace_key = read.draft.replace_key.clone();
    let version = read.draft.version;
    if read.deleted {
        effects.push(Effect::Remove {
            subscription,
            replace_key,
            version,
        });
        return;
    }
    effects.push(Effect::Notify {
        subscription,
        draft: Box::new(read.draft),
        origin,
    });
    if read.read {
        effects.push(Effect::Read {
            subscription,
            replace_key,
            version,
        });
    }
}
