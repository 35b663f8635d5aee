//! The family's own settings.

use serde::{Deserialize, Serialize};

/// Settings of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    /// What becomes of the subscriptions that a user has on the server.
    pub subscriptions: Subscriptions,
}

/// What becomes of the subscriptions that a user has on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Subscriptions {
    /// They and those here are kept in step.
    #[default]
    InStep,
    /// They have nothing to do with those here.
    Apart,
}

impl Options {
    /// Reads what is kept.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| {
            format!(
                "The settings are not what they should be ({error}). There is one: subscriptions, in_step or apart."
            )
        })
    }

    /// The form in which they are kept: nothing where all is as usual.
    pub(super) fn checked(text: &str) -> Result<String, String> {
        let options = Self::read(text)?;
        if options == Self::default() {
            return Ok(String::new());
        }
        serde_json::to_string(&options).map_err(|error| error.to_string())
    }
}
