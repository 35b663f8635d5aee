//! Icons and pictures of notifications. A window never fetches them itself.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which picture of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum PictureOf {
    /// Its icon, at most 256 pixels.
    Icon,
    /// A preview of its attachment, at most 1600 pixels.
    Attachment,
}

/// Whose servers may be asked for pictures without asking the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Pictures {
    /// Everybody's on the public internet: whoever publishes can learn when and from where they are looked at.
    Everywhere,
    /// The account's own only.
    #[default]
    OwnServers,
    /// Nobody's.
    Never,
}

/// What can be shown of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum PicturePreview {
    /// Nothing: it is no picture, or too large.
    None,
    /// A picture that may be loaded.
    Ready,
    /// A picture that the settings leave alone until the user asks for it.
    Ask,
    /// Its server has dropped it.
    Gone,
}

/// What the pictures take on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PictureCache {
    /// How many files.
    #[ts(type = "number")]
    pub files: u64,
    /// How many bytes they have.
    #[ts(type = "number")]
    pub bytes: u64,
}
