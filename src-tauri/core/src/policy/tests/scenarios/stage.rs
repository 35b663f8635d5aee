//! Where a story plays: what its lines do.

use super::words::{length, moment, quoted, rest_of};
use crate::model::preferences::{Mandate, Mandates, Preferences};
use crate::model::{
    AccountId, Back, BackendKind, Class, Format, Notification, NotificationId, Origin, Pause,
    Problem, SubscriptionId, Surroundings, Tier,
};
use crate::policy::play::{Happening, Looking};
use crate::policy::tests::plays::{Plays, Ruled, Shown};
use crate::policy::{Place, Rulebook};
use crate::settings;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Monday the 2nd of March 2026, ten in the morning in Berlin.
const START: &str = "2026-03-02T09:00:00Z";

pub(super) struct Stage<P> {
    player: P,
    zone: TimeZone,
    began: bool,
    broken: bool,
    document: Value,
    mandates: Mandates,
    accounts: Vec<String>,
    topics: Vec<(usize, String)>,
    sent: HashMap<String, Notification>,
    ids: HashMap<(SubscriptionId, String), NotificationId>,
    decided: Vec<Ruled>,
}

impl<P: Plays> Stage<P> {
    pub(super) fn new() -> Self {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (book, _) = Rulebook::new(Preferences::default(), &Mandates::default(), &[]);
        let start: Timestamp = START.parse().unwrap();
        Self {
            player: P::begin(Arc::new(book), zone.clone(), start),
            zone,
            began: false,
            broken: false,
            document: serde_json::to_value(Preferences::default()).unwrap(),
            mandates: Mandates::default(),
            accounts: Vec::new(),
            topics: Vec::new(),
            sent: HashMap::new(),
            ids: HashMap::new(),
            decided: Vec::new(),
        }
    }

    pub(super) fn settle(&mut self) {
        self.player.settle();
        self.decided.extend(self.player.take_ruled());
    }

    pub(super) fn take_seen(&mut self) -> Vec<Shown> {
        self.player.take_shown()
    }

    /// `Mon 22:30:00`.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        let shown = at.to_zoned(self.zone.clone());
        shown.strftime("%a %H:%M:%S").to_string()
    }

    /// `"Disk full" paused: Paused until 12:00.`
    pub(super) fn why(&self, expected: &str) -> Result<(), String> {
        let (title, rest) = quoted(expected)?;
        let (rule, says) = rest.split_once(": ").ok_or("a rule is missing")?;
        let id = self.named(&title)?;
        let last = self.decided.iter().rev().find(|decided| decided.id == id);
        let last = last.ok_or_else(|| format!("nothing was decided about {title}"))?;
        let line = last.trace.iter().find(|line| {
            let word = serde_json::to_value(line.rule).unwrap();
            word.as_str().unwrap().replace('_', " ") == rule
        });
        match line {
            Some(line) if line.says == says => Ok(()),
            Some(line) => Err(format!("{rule} says: {}", line.says)),
            None => Err(format!(
                "that rule was not asked; the last was: {:?}",
                last.trace.last()
            )),
        }
    }

    /// `nobody`, `3 pause`, or `3 pause until 12:00`.
    pub(super) fn waiting(&self, expected: &str) -> Result<(), String> {
        let waiting: Vec<String> = self
            .player
            .waits()
            .into_iter()
            .map(|(key, (count, until))| match until {
                Some(until) => format!("{count} {key} until {}", &self.clock(until)[4..9]),
                None => format!("{count} {key}"),
            })
            .collect();
        let is_there = |waits: &String| {
            waits == expected
                || waits
                    .strip_prefix(expected)
                    .is_some_and(|rest| rest.starts_with(" until"))
        };
        if (expected == "nobody" && waiting.is_empty()) || waiting.iter().any(is_there) {
            Ok(())
        } else {
            Err(format!("waiting are: {}", waiting.join(", ")))
        }
    }

    pub(super) fn act(&mut self, line: &str) -> Result<(), String> {
        if let Some(time) = line.strip_prefix('+') {
            self.begin();
            let to = self.player.now() + length(time)?;
            self.player.pass(to);
            return Ok(());
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "broken" => {
                let (word, rest) = rest_of(rest, 1)?;
                self.prefer(word, rest)?;
                if self.read().is_empty() {
                    return Err("nothing is wrong with it".to_owned());
                }
                self.broken = true;
            }
            "prefer" | "row" | "rule" | "mandate" => {
                self.prefer(word, rest)?;
                let problems = self.read();
                if let Some(problem) = problems.first().filter(|_| !self.broken) {
                    return Err(format!("{}: {}", problem.at, problem.says));
                }
            }
            "zone" => self.travel(rest)?,
            "at" => {
                let to = moment(rest, self.player.now(), &self.zone)?;
                if self.began {
                    self.player.pass(to);
                } else {
                    self.player.jump(to);
                }
            }
            "sleep" => {
                let to = self.player.now() + length(rest)?;
                self.player.jump(to);
            }
            "set" => self.set_clock(rest)?,
            _ => {
                self.begin();
                self.happen(word, rest, line)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.began = true;
    }

    fn travel(&mut self, name: &str) -> Result<(), String> {
        self.zone = TimeZone::get(name).map_err(|error| error.to_string())?;
        self.player.happens(Happening::Zone(self.zone.clone()));
        Ok(())
    }

    /// `clock back 1h`, `clock forward 1h`.
    fn set_clock(&mut self, rest: &str) -> Result<(), String> {
        let (way, time) = rest
            .strip_prefix("clock ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or("set clock back 1h")?;
        let to = match way {
            "back" => self.player.now() - length(time)?,
            "forward" => self.player.now() + length(time)?,
            _ => return Err("a clock is set back or forward".to_owned()),
        };
        self.player.jump(to);
        Ok(())
    }

    fn prefer(&mut self, word: &str, rest: &str) -> Result<(), String> {
        let json = |text: &str| {
            serde_json::from_str::<Value>(text).map_err(|error| format!("{text}: {error}"))
        };
        match word {
            "row" => {
                let (what, cell) = rest_of(rest, 1)?;
                let mut parts = what.splitn(3, '/');
                let account = self.account(parts.next().unwrap_or_default());
                let mut row = json(cell)?;
                if let Some(until) = row.get("until").and_then(Value::as_str) {
                    row["until"] = moment(until, self.player.now(), &self.zone)?
                        .to_string()
                        .into();
                }
                row["account"] = account.0.into();
                if let Some(topic) = parts.next() {
                    row["subscription"] = self.subscription(account, topic).0.into();
                }
                if let Some(kind) = parts.next() {
                    row["kind"] = kind.into();
                }
                let rows = self.document["rows"].as_array_mut().unwrap();
                let about = ["account", "subscription", "kind", "until"];
                rows.retain(|other| about.iter().any(|key| other.get(key) != row.get(key)));
                rows.push(row);
            }
            "rule" => self.document["rules"]
                .as_array_mut()
                .unwrap()
                .push(json(rest)?),
            "mandate" => {
                let mandate: Mandate =
                    serde_json::from_str(rest).map_err(|error| error.to_string())?;
                self.mandates.mandatory.push(mandate);
            }
            _ => {
                let (path, value) = rest.split_once(" = ").ok_or("prefer PATH = VALUE")?;
                let pointer = format!("/{}", path.replace('.', "/"));
                let place = self.document.pointer_mut(&pointer);
                *place.ok_or_else(|| format!("no preference is called {path}"))? = json(value)?;
            }
        }
        Ok(())
    }

    /// The document as it would be read by the program.
    fn read(&mut self) -> Vec<Problem> {
        let places: Vec<Place> = self
            .accounts
            .iter()
            .enumerate()
            .map(|(index, name)| Place {
                account: number(index),
                backend: Some(backend(name)),
                host: format!("{name}.example.com"),
                topics: self
                    .topics
                    .iter()
                    .enumerate()
                    .filter(|(_, (account, _))| *account == index)
                    .map(|(topic, (_, name))| (SubscriptionId(number(topic).0), name.clone()))
                    .collect(),
            })
            .collect();
        let (document, mut problems) = settings::preferences(&self.document.to_string());
        let (book, more) = Rulebook::new(document, &self.mandates, &places);
        problems.extend(more);
        self.player.happens(Happening::Preferences(Arc::new(book)));
        problems
    }

    fn happen(&mut self, word: &str, rest: &str, line: &str) -> Result<(), String> {
        let what = match word {
            "read" if rest == "all" => {
                let ids: Vec<_> = self.ids.values().copied().collect();
                for id in ids {
                    self.player.happens(Happening::Read(id));
                }
                return Ok(());
            }
            "read" => Happening::Read(self.named(&quoted(rest)?.0)?),
            "unread" => Happening::Unread(self.named(&quoted(rest)?.0)?),
            "done" => Happening::Done(self.named(&quoted(rest)?.0)?),
            "delete" => Happening::Deleted(self.named(&quoted(rest)?.0)?),
            "dismiss" => Happening::Dismissed(self.named(&quoted(rest)?.0)?),
            "again" => Happening::Arrives(Box::new(self.sent(&quoted(rest)?.0)?.clone())),
            "update" => {
                let (old, new) = quoted(rest)?;
                let (new, _) = quoted(new.trim_start_matches("->"))?;
                let mut n = self.sent(&old)?.clone();
                n.draft.title.clone_from(&new);
                let (id, draft) = (n.id, Box::new(n.draft.clone()));
                self.sent.insert(new, n);
                Happening::Changes { id, draft }
            }
            "filled" => Happening::Filled,
            "restart" => Happening::Restart,
            "resume" => Happening::Pause(None),
            "pause" => Happening::Pause(Some(self.pause(rest)?)),
            "deliver" => Happening::DeliverNow,
            "online" => Happening::Online(self.account(rest)),
            "screen" => Happening::Around(around(rest)?),
            "looking" => Happening::Looks(self.looking(rest)?),
            "snooze" => {
                let (title, rest) = quoted(rest)?;
                let back = match rest.strip_prefix("until ").unwrap_or_default() {
                    "unlock" => Back::Unlock,
                    "online" => Back::Online,
                    time => Back::Time {
                        time: moment(time, self.player.now(), &self.zone)?,
                    },
                };
                let id = self.named(&title)?;
                Happening::Snoozed { id, back }
            }
            _ if word.contains('/') && rest.starts_with('"') => return self.arrive(word, rest),
            _ => return Err(format!("nobody understands {line}")),
        };
        self.player.happens(what);
        Ok(())
    }

    fn pause(&self, text: &str) -> Result<Pause, String> {
        let (end, critical_rings) = match text.strip_suffix(", critical rings") {
            Some(end) => (end, true),
            None => (text, false),
        };
        let until = match rest_of(end, 1)? {
            ("until", "resumed") => None,
            ("until", time) => Some(moment(time, self.player.now(), &self.zone)?),
            ("for", time) => Some(self.player.now() + length(time)?),
            _ => return Err("pause for 1h, or until 12:00, or until resumed".to_owned()),
        };
        Ok(Pause {
            until,
            critical_rings,
        })
    }

    fn looking(&mut self, text: &str) -> Result<Looking, String> {
        let Some(what) = text.strip_prefix("at ") else {
            return Ok(Looking::Elsewhere);
        };
        if what == "everything" {
            return Ok(Looking::Everything);
        }
        if what.starts_with('"') {
            return Ok(Looking::Item(self.named(&quoted(what)?.0)?));
        }
        Ok(match what.split_once('/') {
            None => Looking::Account(self.account(what)),
            Some((account, topic)) => {
                let account = self.account(account);
                Looking::Subscription(self.subscription(account, topic))
            }
        })
    }

    /// `ntfy/alerts "Disk full" critical body "97 %" x3`
    fn arrive(&mut self, place: &str, text: &str) -> Result<(), String> {
        let (account, topic) = place.split_once('/').ok_or("ntfy/alerts")?;
        let known = (self.accounts.len(), self.topics.len());
        let account = self.account(account);
        let subscription = self.subscription(account, topic);
        if known != (self.accounts.len(), self.topics.len()) {
            // Mandates and tier tables are about places.
            self.read();
        }
        let (title, attributes) = quoted(text)?;
        let mut n = crate::policy::tests::notification(self.player.now());
        n.account = account;
        n.subscription = subscription;
        n.draft.body.clear();
        let (mut copies, mut apart) = (1_u32, None);
        let mut id = None;
        let mut left = attributes;
        while !left.is_empty() {
            let (word, rest) = rest_of(left, 1)?;
            if let Some(number) = word.strip_prefix('x')
                && let Ok(number) = number.parse()
            {
                copies = number;
                left = rest;
            } else if word == "every" {
                let (time, rest) = rest_of(rest, 1)?;
                apart = Some(length(time)?);
                left = rest;
            } else if word == "id" {
                let (word, rest) = rest_of(rest, 1)?;
                id = Some(word.to_owned());
                left = rest;
            } else {
                left = attribute(&mut n, word, rest)?;
            }
        }
        n.tier = n.draft.tier;
        let age = n.received_at.duration_since(n.draft.created_at);
        for number in 1..=copies {
            let mut n = n.clone();
            n.received_at = self.player.now();
            n.draft.created_at = n.received_at - age;
            n.draft.title = title.replace('#', &number.to_string());
            n.draft.remote_id = id.clone().unwrap_or_else(|| n.draft.title.clone());
            let next = i64::try_from(self.ids.len()).unwrap() + 1;
            let known = self.ids.entry((subscription, n.draft.remote_id.clone()));
            n.id = *known.or_insert(NotificationId(next));
            self.sent.insert(n.draft.title.clone(), n.clone());
            self.player.happens(Happening::Arrives(Box::new(n)));
            if let Some(apart) = apart.filter(|_| number < copies) {
                self.player.pass(self.player.now() + apart);
            }
        }
        Ok(())
    }

    fn named(&self, title: &str) -> Result<NotificationId, String> {
        self.sent(title).map(|n| n.id)
    }

    fn sent(&self, title: &str) -> Result<&Notification, String> {
        let sent = self.sent.get(title);
        sent.ok_or_else(|| format!("nothing is called “{title}”"))
    }

    fn account(&mut self, name: &str) -> AccountId {
        let known = self.accounts.iter().position(|other| other == name);
        number(known.unwrap_or_else(|| {
            self.accounts.push(name.to_owned());
            self.accounts.len() - 1
        }))
    }

    fn subscription(&mut self, account: AccountId, topic: &str) -> SubscriptionId {
        let index = usize::try_from(account.0).unwrap() - 1;
        let topic = (index, topic.to_owned());
        if let Some(known) = self.topics.iter().position(|other| *other == topic) {
            return SubscriptionId(number(known).0);
        }
        let subscription = SubscriptionId(number(self.topics.len()).0);
        self.player.subscribes(account, subscription, &topic.1);
        self.topics.push(topic);
        subscription
    }
}

/// One attribute of a notification; what follows it.
fn attribute<'a>(n: &mut Notification, word: &str, rest: &'a str) -> Result<&'a str, String> {
    let now = n.received_at;
    let draft = &mut n.draft;
    let priority = |draft: &mut crate::model::Draft, priority| {
        draft.priority = priority;
        draft.tier = match priority {
            5 => Tier::Critical,
            3 | 4 => Tier::Important,
            _ => Tier::Informational,
        };
    };
    match word {
        "critical" => priority(draft, 5),
        "p4" => priority(draft, 4),
        "important" => priority(draft, 3),
        "low" => priority(draft, 2),
        "lowest" => priority(draft, 1),
        "missed" => n.origin = Origin::Backfill,
        "first-filling" => n.origin = Origin::FirstFilling,
        "passing" => draft.class = Class::Ephemeral,
        "silent" => draft.silent = true,
        "markdown" => draft.format = Format::Markdown,
        "read" => n.read_at = Some(now),
        "done" => n.done_at = Some(now),
        "body" => {
            let (body, rest) = quoted(rest)?;
            draft.body = body;
            return Ok(rest);
        }
        "type" | "tag" | "url" | "age" | "expires" => {
            let (value, rest) = rest_of(rest, 1)?;
            match word {
                "type" => value.clone_into(&mut draft.kind),
                "tag" => draft.tags.push(value.to_owned()),
                "url" => draft.url = Some(value.to_owned()),
                "age" => draft.created_at = now - length(value)?,
                _ => draft.expires_at = Some(now + length(value)?),
            }
            return Ok(rest);
        }
        _ => return Err(format!("no notification is {word}")),
    }
    Ok(rest)
}

fn around(text: &str) -> Result<Surroundings, String> {
    let mut around = Surroundings::default();
    for word in text.split(' ').filter(|word| *word != "free") {
        match word {
            "locked" => around.locked = true,
            "presenting" => around.presenting = true,
            "full" => around.full_screen = true,
            "shared" => around.screen_shared = true,
            "do-not-disturb" => around.do_not_disturb = true,
            _ => return Err(format!("no screen is {word}")),
        }
    }
    Ok(around)
}

fn backend(name: &str) -> BackendKind {
    match name {
        "ntfy" => BackendKind::Ntfy,
        "gotify" => BackendKind::Gotify,
        _ => BackendKind::Custom,
    }
}

fn number(index: usize) -> AccountId {
    AccountId(i64::try_from(index).unwrap() + 1)
}
