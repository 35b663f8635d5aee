//! The preferences made ready to be asked: patterns compiled, rows found by what they are about, zones looked up.

mod build;
mod cells;
mod grid;

use super::pattern::Ready;
use super::quiet_hours::QuietHours;
use crate::model::preferences::{Preferences, Privacy, Sound, Then, ToastChoice};
use crate::model::{
    AccountId, BackendKind, Class, Notification, SubscriptionId, Surroundings, Tier, window_key,
};
use cells::{Cells, Rows};
use jiff::{SignedDuration, Timestamp, Zoned};
use std::collections::HashMap;

pub use cells::Level;
pub use grid::{Row, Said};

/// Where notifications come from, as far as preferences name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// Its server family, where that is known.
    pub backend: Option<BackendKind>,
    /// The host of its server.
    pub host: String,
    /// Its subscriptions, and their topics.
    pub topics: Vec<(SubscriptionId, String)>,
}

/// The preferences, ready.
#[derive(Clone, Debug)]
pub struct Rulebook {
    document: Preferences,
    rows: Rows,
    rules: Vec<Rule>,
    mapping: HashMap<AccountId, [Tier; 5]>,
    mandates: HashMap<SubscriptionId, Vec<Mandatory>>,
    quiet: QuietHours,
}

/// A rule of the user's, ready.
#[derive(Clone, Debug)]
struct Rule {
    name: String,
    account: Option<AccountId>,
    subscription: Option<SubscriptionId>,
    kind: Option<Ready>,
    text: Option<Ready>,
    tags: Vec<String>,
    until: Option<Timestamp>,
    then: Then,
}

/// An administrator's wish about a subscription.
#[derive(Clone, Debug)]
struct Mandatory {
    kind: Ready,
    says: String,
}

/// All that the preferences say about one notification at one time.
pub(super) struct Wishes<'a> {
    book: &'a Rulebook,
    cells: Cells<'a>,
    /// With how much attention.
    pub(super) tier: Tier,
    mute: Option<&'a str>,
    toast: Option<(ToastChoice, &'a str)>,
    mandatory: Option<&'a str>,
    mandate: Option<&'a str>,
}

/// Why something is mandatory.
pub(super) enum Reason<'a> {
    /// An administrator says so, in these words; may be empty.
    Administrator(&'a str),
    /// A rule of the user's of this name.
    Rule(&'a str),
    /// The grid.
    Grid(Level),
}

/// Who silenced, or chose.
pub(super) enum By<'a> {
    /// A rule of the user's of this name.
    Rule(&'a str),
    /// The grid.
    Grid(Level),
}

impl Rulebook {
    /// What was made ready.
    pub fn document(&self) -> &Preferences {
        &self.document
    }

    /// The tier of a notification: what a rule, the grid, or the table of its server family says, or else what its
    /// backend said.
    pub fn tier(&self, n: &Notification, at: Timestamp) -> Tier {
        self.wishes(n, at).tier
    }

    /// How much a toast tells of one that was decided, with the tier that it was decided with.
    pub fn privacy_of(
        &self,
        n: &Notification,
        tier: Tier,
        around: Surroundings,
        at: Timestamp,
    ) -> Privacy {
        let said = self.cells(n, at).first(|cell| cell.privacy);
        let own = match said {
            Some((privacy, _)) => privacy,
            None => self
                .document
                .tiers
                .of(tier)
                .privacy
                .unwrap_or(Privacy::Full),
        };
        if self.hides(tier, around) {
            own.max(self.document.context.hidden)
        } else {
            own
        }
    }

    /// What one that was decided sounds like, with the tier that it was decided with; none: nothing.
    pub fn sound_of(&self, n: &Notification, tier: Tier, at: Timestamp) -> Option<Sound> {
        let sounds = &self.document.sounds;
        if !sounds.on || n.draft.silent {
            return None;
        }
        let said = self.cells(n, at).first(|cell| cell.sound.as_ref());
        let sound = match (said, &self.document.tiers.of(tier).sound) {
            (Some((sound, _)), _) | (None, Some(sound)) => sound,
            (None, None) if tier == Tier::Critical || n.draft.priority >= sounds.from_priority => {
                &sounds.sound
            }
            (None, None) => return None,
        };
        (*sound != Sound::None).then(|| sound.clone())
    }

    fn cells(&self, n: &Notification, at: Timestamp) -> Cells<'_> {
        self.rows
            .about(n.account, Some(n.subscription), Some(&n.draft.kind), at)
    }

    /// Whether it counts in the badge while it is unread.
    pub fn counts(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
        kind: &str,
        at: Timestamp,
    ) -> bool {
        let cells = self.rows.about(account, Some(subscription), Some(kind), at);
        let muted = cells.first(|cell| cell.mute).is_some_and(|(mute, _)| mute);
        let off = cells
            .first(|cell| cell.badge)
            .is_some_and(|(badge, _)| badge == crate::model::preferences::Badge::Off);
        !muted && !off
    }

    /// The key of the batch that its type rings in, where its type has one.
    pub fn window_of(&self, n: &Notification) -> String {
        window_key(n.subscription, &n.draft.kind)
    }

    /// Whether toasts of a tier hide what was written, as things are around the screen.
    pub(super) fn hides(&self, tier: Tier, around: Surroundings) -> bool {
        use crate::model::preferences::Hush;
        crate::model::Context::ALL
            .into_iter()
            .any(|context| around.is(context) && self.hush(context, tier) == Hush::Hide)
    }

    /// What is done about toasts of a tier while something is so.
    pub(super) fn hush(
        &self,
        context: crate::model::Context,
        tier: Tier,
    ) -> crate::model::preferences::Hush {
        use crate::model::Context;
        let contexts = &self.document.context;
        let rule = match context {
            Context::Locked => contexts.locked,
            Context::Presenting => contexts.presenting,
            Context::FullScreen => contexts.full_screen,
            Context::ScreenShared => contexts.screen_shared,
            Context::DoNotDisturb => contexts.do_not_disturb,
        };
        if tier == Tier::Critical {
            rule.critical
        } else {
            rule.others
        }
    }

    /// Since when what says the same as something that comes now is its twin.
    pub fn twins_since(&self, now: Timestamp) -> Timestamp {
        let within = SignedDuration::from_secs(i64::from(self.document.duplicates.seconds));
        now.checked_sub(within).unwrap_or(Timestamp::MIN)
    }

    /// What the user calls the quiet hours in force for those that are not critical, and when they end.
    pub fn quiet_now(&self, now: &Zoned) -> Option<(String, Timestamp)> {
        let quiet = self.quiet.at(Tier::Important, now)?;
        Some((quiet.name.to_owned(), quiet.until))
    }

    /// When quiet hours next begin; none where they are in force.
    pub fn next_quiet(&self, now: &Zoned) -> Option<Timestamp> {
        self.quiet.next(Tier::Important, now)
    }

    /// The same, and what the user calls them.
    pub fn next_quiet_hours(&self, now: &Zoned) -> Option<(String, Timestamp)> {
        let from = self.next_quiet(now)?;
        let then = from.to_zoned(now.time_zone().clone());
        let quiet = self.quiet.at(Tier::Important, &then)?;
        Some((quiet.name.to_owned(), from))
    }

    /// The document without the quiet hours in force, or the next ones, of this one night; none where there are none.
    pub fn without_tonight(&self, now: &Zoned) -> Option<Preferences> {
        let (schedule, day) = self.quiet.tonight(Tier::Important, now)?;
        let mut document = self.document.clone();
        let own = document
            .quiet
            .schedules
            .iter_mut()
            .find(|other| *other == schedule)?;
        own.skip = Some(day);
        Some(document)
    }

    /// Quiet hours.
    pub(super) fn quiet(&self) -> &QuietHours {
        &self.quiet
    }

    /// Asks everything at once: each rule looks at the text once.
    pub(super) fn wishes(&self, n: &Notification, at: Timestamp) -> Wishes<'_> {
        let cells = self.cells(n, at);
        let (mut mute, mut toast, mut mandatory, mut tier) = (None, None, None, None);
        for rule in self.rules.iter().filter(|rule| rule.holds(n, at)) {
            match rule.then {
                Then::Mute => mute = mute.or(Some(rule.name.as_str())),
                Then::Toast { toast: choice } => {
                    toast = toast.or(Some((choice, rule.name.as_str())));
                }
                Then::Tier { tier: wanted } => tier = tier.or(Some(wanted)),
                Then::Mandatory => mandatory = mandatory.or(Some(rule.name.as_str())),
            }
        }
        let priority = usize::from(n.draft.priority.clamp(1, 5)) - 1;
        let tier = tier
            .or_else(|| {
                let said = cells.first(|cell| {
                    cell.tier
                        .or_else(|| cell.tiers.map(|tiers| tiers[priority]))
                });
                said.map(|(tier, _)| tier)
            })
            .or_else(|| self.mapping.get(&n.account).map(|tiers| tiers[priority]))
            .unwrap_or(n.draft.tier);
        // What is over in a moment is never critical.
        let tier = match n.draft.class {
            Class::Ephemeral => tier.min(Tier::Important),
            Class::Persistent => tier,
        };
        let mandate = self
            .mandates
            .get(&n.subscription)
            .into_iter()
            .flatten()
            .find(|mandate| mandate.kind.matches(&n.draft.kind))
            .map(|mandate| mandate.says.as_str());
        Wishes {
            book: self,
            cells,
            tier,
            mute,
            toast,
            mandatory,
            mandate,
        }
    }
}

impl Rule {
    fn holds(&self, n: &Notification, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
            && self.account.is_none_or(|account| account == n.account)
            && self
                .subscription
                .is_none_or(|subscription| subscription == n.subscription)
            && self
                .tags
                .iter()
                .all(|wanted| n.draft.tags.iter().any(|tag| tag.to_lowercase() == *wanted))
            && self
                .kind
                .as_ref()
                .is_none_or(|kind| kind.matches(&n.draft.kind))
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.matches(&n.draft.title) || text.matches(&n.draft.body))
    }
}

impl<'a> Wishes<'a> {
    /// What the grid says, or else the tier.
    pub(super) fn cell<T>(
        &self,
        pick: impl Fn(&'a crate::model::preferences::Cell) -> Option<T>,
    ) -> Option<(T, Level)> {
        self.cells.first(&pick).or_else(|| {
            pick(self.book.document.tiers.of(self.tier)).map(|found| (found, Level::Tier))
        })
    }

    /// Why it is mandatory, if it is.
    pub(super) fn mandatory(&self) -> Option<Reason<'a>> {
        if let Some(says) = self.mandate {
            return Some(Reason::Administrator(says));
        }
        if let Some(name) = self.mandatory {
            return Some(Reason::Rule(name));
        }
        match self.cells.first(|cell| cell.mandatory) {
            Some((true, level)) => Some(Reason::Grid(level)),
            _ => None,
        }
    }

    /// Who muted it, if anybody did.
    pub(super) fn muted(&self) -> Option<By<'a>> {
        if let Some(name) = self.mute {
            return Some(By::Rule(name));
        }
        match self.cells.first(|cell| cell.mute) {
            Some((true, level)) => Some(By::Grid(level)),
            _ => None,
        }
    }

    /// What a rule or a row of the grid says about its toast; the tier's default is none.
    pub(super) fn toast(&self) -> Option<(ToastChoice, By<'a>)> {
        if let Some((choice, name)) = self.toast {
            return Some((choice, By::Rule(name)));
        }
        let (choice, level) = self.cells.first(|cell| cell.toast)?;
        Some((choice, By::Grid(level)))
    }

    /// What its tier does where nothing else is said.
    pub(super) fn default_toast(&self) -> ToastChoice {
        let tiers = &self.book.document.tiers;
        tiers.of(self.tier).toast.unwrap_or(ToastChoice::On)
    }
}
