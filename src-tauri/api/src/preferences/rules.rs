//! The user's own rules on what a notification says.

use super::ToastChoice;
use crate::words::{AccountId, SubscriptionId, Tier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a pattern is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum How {
    /// These very words, anywhere.
    #[default]
    Literal,
    /// The whole text, with `*` for anything and `?` for one character.
    Glob,
    /// A regular expression, anywhere.
    Regex,
}

/// What a text has to be like. Upper and lower case are the same unless `case` is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export)]
pub struct Pattern {
    /// How it is written.
    #[serde(default)]
    pub how: How,
    /// The pattern.
    pub text: String,
    /// Upper and lower case differ.
    #[serde(default)]
    pub case: bool,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "what")]
#[ts(export)]
pub enum Then {
    /// Never toasts, not even critical ones.
    Mute,
    /// Rings, joins a digest, or does not ring, whatever the grid says.
    Toast {
        /// Which of these.
        toast: ToastChoice,
    },
    /// Is of this tier.
    Tier {
        /// Which one.
        tier: Tier,
    },
    /// Neither a mute, nor the grid, nor a minimum tier silences it.
    Mandatory,
}

/// A rule of the user's. All of its conditions have to hold; of rules that do the same, the first counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export, optional_fields)]
pub struct UserRule {
    /// What the user calls it.
    #[serde(default)]
    pub name: String,
    /// Switched off: as if it were not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>")]
    pub off: bool,
    /// Of this account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Of this subscription only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// Its type is like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Pattern>,
    /// Its title, or its body, is like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Pattern>,
    /// It has all of these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>")]
    pub tags: Vec<String>,
    /// It ends then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(type = "string")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub until: Option<Timestamp>,
    /// What it does.
    pub then: Then,
}
