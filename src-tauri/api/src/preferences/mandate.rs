//! What an administrator wants to be told of whatever its user sets.

use serde::{Deserialize, Serialize};

/// An administrator's file: which notifications neither a mute, nor the grid, nor a minimum tier silences.
/// Pauses, quiet hours, sounds and privacy stay the user's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Mandates {
    /// The version of this file's form.
    pub version: u32,
    /// What is mandatory.
    pub mandatory: Vec<Mandate>,
}

/// Some notifications, by where they come from. Patterns are globs: `*` is anything, `?` one character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mandate {
    /// The host of the server: `*.example.com`.
    pub server: String,
    /// Its topics; all if left out.
    #[serde(default = "anything")]
    pub topic: String,
    /// Their types; all if left out.
    #[serde(default = "anything")]
    pub kind: String,
    /// Why, in words that the user sees; may be empty.
    #[serde(default)]
    pub says: String,
}

fn anything() -> String {
    "*".to_owned()
}
