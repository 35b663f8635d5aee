//! Looking at the account: what its user subscribes to on the server, and how much they may do. It is looked at
//! before the link is opened, so that the link has all topics; once the link is open, since the server keeps no
//! word of changes for those who were not listening; and whenever the account's own topic says that something
//! changed.

use super::Conversation;
use crate::backend::ntfy::line::Line;
use crate::backend::ntfy::options::{Options, Subscriptions};
use crate::backend::ntfy::{account, address, quota, refusal};
use crate::backend::{Effect, Fetched, Read, Resume, Topic};
use crate::model::{HttpRequest, SubscriptionId};
use jiff::Timestamp;
use std::time::Duration;

/// How often it is looked at where nothing says that it changed.
pub(super) const LOOK_EVERY: Duration = Duration::from_mins(15);
/// How long an answer may take: the connection can do without.
const PATIENCE: Duration = Duration::from_secs(10);

/// The look at the account.
pub(super) struct Looking {
    /// Tags of the questions under way: where the server thinks it is, and the account.
    config: Option<u32>,
    account: Option<u32>,
    /// The answer about the account, while the other one is awaited.
    answer: Option<String>,
    /// What the server calls its own address; none: it did not say.
    own_address: Option<String>,
    /// What was found is being stored.
    offered: bool,
    /// It changed while it was looked at.
    again: bool,
    /// When it was last looked at.
    at: Option<Timestamp>,
    /// The connection waits for it.
    first: bool,
}

impl Looking {
    /// None where the account is not kept in step.
    pub(super) fn new(resume: &Resume) -> Option<Self> {
        let options = Options::read(&resume.options).unwrap_or_default();
        let wanted = resume.signed_in && options.subscriptions == Subscriptions::InStep;
        wanted.then_some(Self {
            config: None,
            account: None,
            answer: None,
            own_address: None,
            offered: false,
            again: false,
            at: None,
            first: true,
        })
    }

    fn is_under_way(&self) -> bool {
        self.config.is_some() || self.account.is_some() || self.offered
    }
}

impl Conversation {
    fn question(&self, page: &[&str]) -> HttpRequest {
        HttpRequest {
            patience: Some(PATIENCE),
            ..HttpRequest::get(address::below(&self.resume.base, page))
        }
    }

    fn ask(&mut self, page: &[&str], effects: &mut Vec<Effect>) -> u32 {
        let tag = self.next_tag();
        let request = self.question(page);
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Apart,
        });
        tag
    }

    /// Asks for the account.
    pub(super) fn look(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(mut looking) = self.looking.take() else {
            return;
        };
        if looking.is_under_way() {
            looking.again = true;
        } else {
            looking.at = Some(now);
            if looking.first {
                looking.config = Some(self.ask(&["v1", "config"], effects));
            }
            looking.account = Some(self.ask(&["v1", "account"], effects));
        }
        self.looking = Some(looking);
    }

    /// Asks how much may be done, unless the look at the account has told.
    pub(super) fn ask_quota(&mut self, effects: &mut Vec<Effect>) {
        if self.looking.is_none() {
            self.quota = Some(self.ask(&["v1", "account"], effects));
        }
    }

    /// Nothing tells a server that is polled from one where something changed.
    pub(super) fn is_look_due(&self, now: Timestamp) -> bool {
        self.looking
            .as_ref()
            .and_then(|looking| looking.at)
            .is_some_and(|at| now.duration_since(at).unsigned_abs() >= LOOK_EVERY)
    }

    pub(super) fn is_look(&self, tag: u32) -> bool {
        let of_look = |looking: &Looking| [looking.config, looking.account].contains(&Some(tag));
        self.quota == Some(tag) || self.looking.as_ref().is_some_and(of_look)
    }

    /// An answer of the look. Without one, it goes on as if there were no account.
    pub(super) fn looked(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let body = match part {
            Fetched::Head(_) | Fetched::Line(_) | Fetched::End => return effects,
            Fetched::Body(body) => body,
            Fetched::Refused {
                status: 401, body, ..
            } if self.quota != Some(tag) => {
                effects.push(Effect::Fail(refusal::failure(401, None, body)));
                return effects;
            }
            Fetched::TooLong | Fetched::Refused { .. } => "",
        };
        if self.quota == Some(tag) {
            self.quota = None;
            effects.extend(quota::read(body, now).map(Box::new).map(Effect::Quota));
            return effects;
        }
        let Some(looking) = &mut self.looking else {
            return effects;
        };
        if looking.config == Some(tag) {
            looking.config = None;
            looking.own_address = account::own_address(body);
        } else {
            looking.account = None;
            looking.answer = Some(body.to_owned());
        }
        if looking.config.is_none()
            && let Some(body) = looking.answer.take()
        {
            self.read_account(&body, now, &mut effects);
        }
        effects
    }

    fn read_account(&mut self, body: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(looking) = &mut self.looking else {
            return;
        };
        effects.extend(quota::read(body, now).map(Box::new).map(Effect::Quota));
        let Some(account) = account::read(body) else {
            self.look_over(false, now, effects);
            return;
        };
        looking.offered = true;
        let here = account::written(&self.resume.base);
        let place = looking.own_address.clone().unwrap_or_else(|| here.clone());
        let listed = account.offered(&[here, place.clone()]);
        if looking.first {
            self.sync = account.sync_topic.filter(|_| self.streamed_as().is_some());
        }
        effects.push(Effect::InStep { place, listed });
    }

    /// What was found is stored: these are the subscriptions now.
    pub(super) fn in_step(
        &mut self,
        known: &[(String, Option<SubscriptionId>)],
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        match &mut self.looking {
            Some(looking) if looking.offered => looking.offered = false,
            _ => return,
        }
        let mut changed = false;
        for line in &mut self.lines {
            let stays = known
                .iter()
                .any(|(topic, subscription)| *topic == line.topic && subscription.is_some());
            changed |= !stays && !line.left;
            line.left |= !stays;
        }
        for (topic, subscription) in known {
            let Some(subscription) = *subscription else {
                continue;
            };
            let new = Line::new(&Topic {
                subscription,
                topic: topic.clone(),
                cursor: None,
            });
            match self.lines.iter_mut().find(|line| line.topic == *topic) {
                Some(line) if line.left => *line = new,
                Some(_) => continue,
                None => self.lines.push(new),
            }
            changed = true;
        }
        self.look_over(changed, now, effects);
    }

    fn look_over(&mut self, changed: bool, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(looking) = &mut self.looking else {
            return;
        };
        let first = std::mem::take(&mut looking.first);
        let again = std::mem::take(&mut looking.again);
        if first || changed || self.streamed_as().is_none() {
            // What the link to be opened does not show yet, the history does.
            self.fillings.clear();
            self.probes.clear();
            for line in &mut self.lines {
                line.filled = false;
                line.reached = None;
            }
            self.begin(now, effects);
        }
        if again {
            self.look(now, effects);
        }
    }
}
