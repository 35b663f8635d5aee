//! The grid as it is shown: what each row says, and what it inherits.

use super::{Level, Rulebook};
use crate::model::preferences::{Badge, Batch, Cell, Privacy, Sound, ToastChoice};
use crate::model::{AccountId, SubscriptionId, Tier};
use jiff::Timestamp;

/// A value that holds for a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// The value.
    pub value: T,
    /// Where it was said; none: nowhere.
    pub at: Option<Level>,
    /// Until when it holds, as an override.
    pub until: Option<Timestamp>,
}

/// All that holds for a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whether it rings; what a tier does is told for an important one.
    pub toast: Said<ToastChoice>,
    /// Whether it is muted.
    pub mute: Said<bool>,
    /// What it sounds like.
    pub sound: Said<Sound>,
    /// Whether it counts in the badge.
    pub badge: Said<Badge>,
    /// How much its toasts tell.
    pub privacy: Said<Privacy>,
    /// How its bursts are told.
    pub batch: Said<Batch>,
    /// Below this tier: inbox only.
    pub min_tier: Said<Tier>,
    /// Why it is mandatory; none: it is not.
    pub mandatory: Option<String>,
}

impl Rulebook {
    /// What holds for an account, one of its subscriptions, or a type in one of these. The user's rules are not in it:
    /// they look at each notification.
    pub fn row(
        &self,
        account: AccountId,
        subscription: Option<SubscriptionId>,
        kind: Option<&str>,
        now: Timestamp,
    ) -> Row {
        let cells = self.rows.about(account, subscription, kind, now);
        let tier = self.document.tiers.of(Tier::Important);
        Row {
            toast: Self::said(&cells, tier, ToastChoice::On, |cell| cell.toast),
            mute: Self::said(&cells, tier, false, |cell| cell.mute),
            sound: Self::said(&cells, tier, self.document.sounds.sound.clone(), |cell| {
                cell.sound.clone()
            }),
            badge: Self::said(&cells, tier, Badge::On, |cell| cell.badge),
            privacy: Self::said(&cells, tier, Privacy::Full, |cell| cell.privacy),
            batch: Self::said(&cells, tier, Batch::Off, |cell| cell.batch),
            min_tier: Self::said(&cells, tier, Tier::Informational, |cell| cell.min_tier),
            mandatory: self.why_mandatory(&cells, subscription, kind),
        }
    }

    fn said<T>(
        cells: &super::Cells<'_>,
        tier: &Cell,
        nowhere: T,
        pick: impl Fn(&Cell) -> Option<T>,
    ) -> Said<T> {
        if let Some((value, level, until)) = cells.found(&pick) {
            return Said {
                value,
                at: Some(level),
                until,
            };
        }
        match pick(tier) {
            Some(value) => Said {
                value,
                at: Some(Level::Tier),
                until: None,
            },
            None => Said {
                value: nowhere,
                at: None,
                until: None,
            },
        }
    }

    fn why_mandatory(
        &self,
        cells: &super::Cells<'_>,
        subscription: Option<SubscriptionId>,
        kind: Option<&str>,
    ) -> Option<String> {
        let mandate = self
            .mandates
            .get(&subscription?)
            .into_iter()
            .flatten()
            .find(|mandate| mandate.kind.matches(kind.unwrap_or_default()));
        match (mandate, cells.first(|cell| cell.mandatory)) {
            (Some(mandate), _) if mandate.says.is_empty() => {
                Some("Your administrator made it mandatory.".to_owned())
            }
            (Some(mandate), _) => Some(format!(
                "Your administrator made it mandatory: {}.",
                mandate.says.trim_end_matches('.')
            )),
            (None, Some((true, _))) => Some("You made it mandatory.".to_owned()),
            (None, _) => None,
        }
    }
}
