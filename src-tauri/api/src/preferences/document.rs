//! The document itself.

use super::{Cell, ClockTime, Day, Privacy, Row, Sound, ToastChoice, UserRule};
use crate::words::{BackendKind, Tier};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The version that this program writes.
pub const VERSION: u32 = 1;

/// What may interrupt: all that the user set, and what holds where nothing was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Preferences {
    /// The version of this document's form.
    pub version: u32,
    /// What a tier does where no row says otherwise.
    pub tiers: Tiers,
    /// The grid.
    pub rows: Vec<Row>,
    /// The user's own rules, first things first.
    pub rules: Vec<UserRule>,
    /// Tiers of priorities, by server family.
    pub mapping: Vec<Mapping>,
    /// Quiet hours.
    pub quiet: Quiet,
    /// What is told with others.
    pub digest: Digest,
    /// How many toasts are too many.
    pub limits: Limits,
    /// The same thing said twice.
    pub duplicates: Duplicates,
    /// What was missed.
    pub away: Away,
    /// Critical ones that stay unread.
    pub escalation: Escalation,
    /// What the screen is used for.
    pub context: Contexts,
    /// Sounds.
    pub sounds: Sounds,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            version: VERSION,
            tiers: Tiers::default(),
            rows: Vec::new(),
            rules: Vec::new(),
            mapping: Vec::new(),
            quiet: Quiet::default(),
            digest: Digest::default(),
            limits: Limits::default(),
            duplicates: Duplicates::default(),
            away: Away::default(),
            escalation: Escalation::default(),
            context: Contexts::default(),
            sounds: Sounds::default(),
        }
    }
}

/// What each tier does where no row says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Tiers {
    /// Critical ones.
    pub critical: Cell,
    /// Important ones.
    pub important: Cell,
    /// Informational ones.
    pub informational: Cell,
}

impl Default for Tiers {
    fn default() -> Self {
        let of = |toast| Cell {
            toast: Some(toast),
            ..Cell::default()
        };
        Self {
            critical: of(ToastChoice::On),
            important: of(ToastChoice::On),
            informational: of(ToastChoice::Digest),
        }
    }
}

impl Tiers {
    /// What a tier does.
    pub fn of(&self, tier: Tier) -> &Cell {
        match tier {
            Tier::Critical => &self.critical,
            Tier::Important => &self.important,
            Tier::Informational => &self.informational,
        }
    }
}

/// The tiers that the priorities of a server family have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export)]
pub struct Mapping {
    /// Which family.
    pub backend: BackendKind,
    /// The tiers of priorities 1 to 5.
    pub tiers: [Tier; 5],
}

/// Quiet hours: times of a wall clock at which nothing rings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Quiet {
    /// The time zone whose wall clock counts, by its name in the tz database; empty: the one this computer is in now.
    pub zone: String,
    /// The schedules; it is quiet while any of them says so.
    pub schedules: Vec<Schedule>,
}

/// Hours of some days of the week. Where it ends before it starts, or at the same time, it ends on the next
/// day and belongs to the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export, optional_fields)]
pub struct Schedule {
    /// What the user calls it.
    #[serde(default)]
    pub name: String,
    /// Switched off: as if it were not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>")]
    pub off: bool,
    /// The days on which it starts.
    pub days: Vec<Day>,
    /// Its start.
    pub from: ClockTime,
    /// Its end, which it does not contain.
    pub to: ClockTime,
    /// What rings all the same: this tier and those above it; none: nothing. Left out: critical ones.
    #[serde(default = "critical")]
    #[ts(optional = false)]
    pub lets_through: Option<Tier>,
    /// It does not start on this day ("skip tonight").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(type = "string")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub skip: Option<Date>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the default of a field that may be left out"
)]
fn critical() -> Option<Tier> {
    Some(Tier::Critical)
}

/// What is told with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Digest {
    /// The first of a digest waits so long for others, seconds.
    pub seconds: u32,
}

impl Default for Digest {
    fn default() -> Self {
        Self { seconds: 300 }
    }
}

/// How many new toasts there are at most. The excess rings as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Limits {
    /// A minute, for one subscription; 0: none rings by itself, here and below.
    pub subscription: u32,
    /// A minute, in all.
    pub overall: u32,
    /// A minute, of critical ones, which nothing else counts towards.
    pub critical: u32,
    /// The excess waits so long to be told as one, seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub fold_seconds: u32,
    /// A subscription that is over its limit for so long is unusual, seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub storm_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            subscription: 5,
            overall: 12,
            critical: 20,
            fold_seconds: 2,
            storm_seconds: 300,
        }
    }
}

/// The same thing said twice, by whichever account: it rings once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Duplicates {
    /// Within this time of the first, seconds; 0: each rings.
    pub seconds: u32,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self { seconds: 600 }
    }
}

/// What was published while Tidings was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Away {
    /// What is older than this, seconds, joins the "while you were away" digest.
    pub after_seconds: u32,
    /// So many that are younger ring singly, if there are no more.
    pub few: u32,
    /// A critical one rings singly if it is younger than this, hours.
    pub critical_hours: u32,
    /// Of those, so many of the newest.
    pub critical_singly: u32,
}

impl Default for Away {
    fn default() -> Self {
        Self {
            after_seconds: 120,
            few: 3,
            critical_hours: 24,
            critical_singly: 5,
        }
    }
}

/// Critical ones that stay unread ring again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Escalation {
    /// After so long each time, seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub seconds: u32,
    /// So often; 0: never.
    pub times: u32,
}

impl Default for Escalation {
    fn default() -> Self {
        Self {
            seconds: 600,
            times: 3,
        }
    }
}

/// What is done about toasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Hush {
    /// Nothing: they ring.
    Nothing,
    /// They ring without saying what was written.
    Hide,
    /// They wait until it is over.
    Hold,
}

/// What is done about toasts while something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export)]
pub struct HushRule {
    /// About those that are not critical.
    pub others: Hush,
    /// About the critical ones.
    pub critical: Hush,
}

/// What is done while the screen is used for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Contexts {
    /// What arrives in the list on screen rings all the same.
    pub ring_while_looking: bool,
    /// The session is locked.
    pub locked: HushRule,
    /// Something is being presented.
    pub presenting: HushRule,
    /// A window fills the screen.
    pub full_screen: HushRule,
    /// The screen is being shared or recorded.
    pub screen_shared: HushRule,
    /// The desktop's own "do not disturb" is on.
    pub do_not_disturb: HushRule,
    /// How much a toast tells that hides what was written.
    pub hidden: Privacy,
}

impl Default for Contexts {
    fn default() -> Self {
        let both = |hush| HushRule {
            others: hush,
            critical: hush,
        };
        let held = HushRule {
            others: Hush::Hold,
            critical: Hush::Hide,
        };
        Self {
            ring_while_looking: false,
            locked: both(Hush::Hide),
            presenting: held,
            full_screen: held,
            screen_shared: held,
            // The desktop keeps the others off the screen, and would let nobody see the critical ones either.
            do_not_disturb: HushRule {
                others: Hush::Nothing,
                critical: Hush::Hold,
            },
            hidden: Privacy::CountOnly,
        }
    }
}

/// Sounds, where a desktop leaves them to Tidings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Sounds {
    /// Off: no toast makes a sound.
    pub on: bool,
    /// How loud, in percent, where Tidings plays the sound; 0 is silence everywhere.
    #[cfg_attr(feature = "schema", schemars(range(max = 100)))]
    pub volume: u8,
    /// Important ones sound from this priority up, 1 to 5.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 5)))]
    pub from_priority: u8,
    /// What sounds where neither row nor tier says otherwise.
    pub sound: Sound,
}

impl Default for Sounds {
    fn default() -> Self {
        Self {
            on: true,
            volume: 100,
            from_priority: 4,
            sound: Sound::Default,
        }
    }
}
