//! Trying preferences out on events that are written down: a line in, lines out. No database and no clock: each event
//! says when it happens. `docs/policy.md` describes both forms.

mod event;
mod line;

#[cfg(test)]
mod tests;

pub use line::Line;

use super::play::{Happening, Player};
use super::{Place, Rulebook};
use crate::model::preferences::{Mandates, Preferences};
use crate::model::{AccountId, NotificationId, Pause, Problem, SubscriptionId, Surroundings};
use event::{Event, Told};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Takes events in their order, and says what is decided and seen.
#[derive(Debug)]
pub struct Checker {
    document: Preferences,
    mandates: Mandates,
    /// As far as events told of them.
    places: Vec<Place>,
    player: Player,
    zone: TimeZone,
    began: bool,
    around: Surroundings,
    ids: HashMap<String, NotificationId>,
    names: HashMap<NotificationId, String>,
    /// Read, or done, before they came.
    read: HashSet<String>,
    done: HashSet<String>,
    lines: u64,
}

impl Checker {
    /// Nothing has happened yet. `zone`: where the computer is, until an event says otherwise. Says what does not work
    /// in the preferences, or in what is mandatory.
    pub fn new(document: Preferences, mandates: Mandates, zone: TimeZone) -> (Self, Vec<Problem>) {
        let (book, problems) = Rulebook::new(document.clone(), &mandates, &[]);
        let checker = Self {
            document,
            mandates,
            places: Vec::new(),
            player: Player::new(Arc::new(book), zone.clone(), Timestamp::MIN, true),
            zone,
            began: false,
            around: Surroundings::default(),
            ids: HashMap::new(),
            names: HashMap::new(),
            read: HashSet::new(),
            done: HashSet::new(),
            lines: 0,
        };
        (checker, problems)
    }

    /// Takes one event, and says what came of everything before it, and what is decided about it.
    ///
    /// An empty line is nothing.
    ///
    /// # Errors
    /// Words for the user: the line is not an event. It is as if it had not been there.
    pub fn take(&mut self, text: &str) -> Result<Vec<Line>, String> {
        self.lines += 1;
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let event: Event = serde_json::from_str(text).map_err(|error| {
            let said = error.to_string();
            // Of one line, where in it says nothing.
            let said = said.split(" at line ").next().unwrap_or_default();
            format!("Line {} is not an event: {said}.", self.lines)
        })?;
        let zone = event.zone.as_deref().map(TimeZone::get).transpose();
        let zone = zone.map_err(|_| {
            let name = event.zone.as_deref().unwrap_or_default();
            format!("Line {}: no time zone is called “{name}”.", self.lines)
        })?;
        if let Some(told) = &event.notification {
            told.check()
                .map_err(|says| format!("Line {}: {says}.", self.lines))?;
        }
        self.go_to(event.now);
        if let Some(zone) = zone {
            self.zone = zone.clone();
            self.player.happens(Happening::Zone(zone));
        }
        self.happen(event);
        Ok(self.lines())
    }

    /// After the last event: what is seen of it at its own moment. What waits then is not told: there is no later.
    pub fn end(&mut self) -> Vec<Line> {
        if self.began {
            self.player.settle();
        }
        self.lines()
    }

    fn go_to(&mut self, now: Timestamp) {
        if self.began && now >= self.player.now() {
            self.player.pass(now);
        } else {
            // The first moment, or a clock that was set back.
            self.player.jump(now);
        }
        self.began = true;
    }

    fn happen(&mut self, event: Event) {
        if event.resume {
            self.player.happens(Happening::Pause(None));
        }
        if let Some(pause) = &event.pause {
            self.player.happens(Happening::Pause(Some(Pause {
                until: pause.until,
                critical_rings: pause.critical_rings,
            })));
        }
        self.surround(&event);
        if let Some(looking) = event.looking {
            use super::play::Looking::{Elsewhere, Everything};
            let at = if looking { Everything } else { Elsewhere };
            self.player.happens(Happening::Looks(at));
        }
        if let Some(told) = event.notification {
            self.arrive(told);
        }
        self.changed(event.read, |checker| &mut checker.read, Happening::Read);
        self.changed(event.done, |checker| &mut checker.done, Happening::Done);
        for id in event.deleted {
            if let Some(id) = self.ids.get(&id) {
                self.player.happens(Happening::Deleted(*id));
            }
        }
        for id in event.dismissed {
            if let Some(id) = self.ids.get(&id) {
                self.player.happens(Happening::Dismissed(*id));
            }
        }
        if event.filled {
            self.player.happens(Happening::Filled);
        }
        if event.deliver_now {
            self.player.happens(Happening::DeliverNow);
        }
    }

    fn changed(
        &mut self,
        ids: Vec<String>,
        before: fn(&mut Self) -> &mut HashSet<String>,
        what: fn(NotificationId) -> Happening,
    ) {
        for id in ids {
            match self.ids.get(&id) {
                Some(id) => self.player.happens(what(*id)),
                None => {
                    before(self).insert(id);
                }
            }
        }
    }

    fn surround(&mut self, event: &Event) {
        let now = &mut self.around;
        let before = *now;
        for (is, said) in [
            (&mut now.locked, event.locked),
            (&mut now.presenting, event.presenting),
            (&mut now.full_screen, event.full_screen),
            (&mut now.screen_shared, event.screen_shared),
            (&mut now.do_not_disturb, event.do_not_disturb),
        ] {
            *is = said.unwrap_or(*is);
        }
        if before != self.around {
            self.player.happens(Happening::Around(self.around));
        }
    }

    fn arrive(&mut self, told: Told) {
        let name = told
            .id
            .clone()
            .unwrap_or_else(|| format!("line-{}", self.lines));
        if self.learn(&told) {
            let (book, _) = Rulebook::new(self.document.clone(), &self.mandates, &self.places);
            self.player.happens(Happening::Preferences(Arc::new(book)));
        }
        let next = i64::try_from(self.ids.len()).unwrap_or(i64::MAX);
        let id = *self
            .ids
            .entry(name.clone())
            .or_insert(NotificationId(next.saturating_add(1)));
        self.names.insert(id, name.clone());
        let now = self.player.now();
        let mut n = told.notification(id, &name, now);
        n.read_at = self.read.contains(&name).then_some(now);
        n.done_at = self.done.contains(&name).then_some(now);
        self.player.happens(Happening::Arrives(Box::new(n)));
    }

    /// Servers, their families and topics are known only when something comes from them. Says whether this was new.
    fn learn(&mut self, told: &Told) -> bool {
        let account = AccountId(told.account);
        let known = self
            .places
            .iter()
            .position(|place| place.account == account);
        let index = known.unwrap_or_else(|| {
            self.places.push(Place {
                account,
                backend: None,
                host: String::new(),
                topics: Vec::new(),
            });
            self.places.len() - 1
        });
        let place = &mut self.places[index];
        let before = place.clone();
        place.backend = told.backend.or(place.backend);
        if let Some(server) = &told.server {
            place.host.clone_from(server);
        }
        let subscription = SubscriptionId(told.subscription);
        let topic = told.topic.clone();
        match place.topics.iter_mut().find(|(id, _)| *id == subscription) {
            Some((_, name)) => *name = topic.unwrap_or_else(|| name.clone()),
            None => place.topics.push((subscription, topic.unwrap_or_default())),
        }
        known.is_none() || before != *place
    }

    fn lines(&mut self) -> Vec<Line> {
        let mut lines: Vec<(Timestamp, bool, Line)> = Vec::new();
        for decided in self.player.take_decided() {
            let name = self.names.get(&decided.id).cloned().unwrap_or_default();
            let into = match decided.verdict.disposition {
                crate::model::Disposition::Fold { into } => self.names.get(&into).cloned(),
                _ => None,
            };
            lines.push((decided.at, false, Line::verdict(decided, name, into)));
        }
        for seen in self.player.take_seen() {
            let ids: Vec<String> = seen
                .fresh
                .iter()
                .filter_map(|id| self.names.get(id).cloned())
                .collect();
            let at = seen.at;
            let words = seen.words(&subscription_name);
            lines.push((at, true, Line::seen(seen, ids, words)));
        }
        // What is decided at a moment comes before what is seen of it.
        lines.sort_by_key(|(at, seen, _)| (*at, *seen));
        lines.into_iter().map(|(_, _, line)| line).collect()
    }
}

fn subscription_name(subscription: SubscriptionId) -> String {
    format!("subscription {subscription}")
}
