//! What a described server's profile makes of an event, for whoever writes the profile.

use crate::words::{AccountId, Format, Tier};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A profile and an event to try it on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct Preview {
    /// The account's options, a JSON object with `profile` or `preset`.
    pub options: String,
    /// The event; empty: the last one of the account.
    pub sample: String,
    /// Whose last event is taken.
    pub account: Option<AccountId>,
}

/// What became of the event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct Previewed {
    /// The event that was tried; empty where there is none yet.
    pub sample: String,
    /// The profile that was tried: the own one, or the preset's.
    pub profile: String,
    /// What is wrong with the profile or says why nothing is shown, in words; empty: nothing.
    pub problem: String,
    /// The line of the profile that is wrong, from 1; none where it is no single one.
    #[ts(type = "number | null")]
    pub line: Option<u32>,
    /// The notification's parts, in the order in which they are shown; none where nothing becomes of it.
    pub parts: Vec<PreviewPart>,
    /// Its title.
    pub title: String,
    /// Its body, without the marks of Markdown.
    pub body: String,
    /// How the body is written.
    pub format: Option<Format>,
    /// Its tier.
    pub tier: Option<Tier>,
}

/// A part of a notification, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreviewPart {
    /// Its name, as `[map]` has it.
    pub name: String,
    /// What was found, as text.
    pub value: String,
    /// Where: a source as the profile writes it (`/data/title`, `@event`, …); empty where nothing in the
    /// event says it.
    pub from: String,
}
