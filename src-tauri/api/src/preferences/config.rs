//! The preferences and the app's settings as one document: what `tidings config` shows, sets, exports and imports.

use super::Preferences;
use crate::picture::Pictures;
use crate::settings::{AppSettings, Appearance, Timings};
use crate::words::{AccountId, BackendKind, SubscriptionId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The whole document: the preferences, the app's settings, and whom the numbers of an export stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "The preferences of Tidings"))]
#[serde(default)]
#[ts(export)]
pub struct Config {
    /// What may interrupt.
    #[serde(flatten)]
    pub preferences: Preferences,
    /// The app as a whole. An import without it leaves these settings as they are.
    pub app: App,
    /// Whom the numbers of accounts and subscriptions stand for, where they were exported. An import goes by these names, since
    /// numbers differ between computers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<ConfigAccount>>")]
    pub accounts: Vec<ConfigAccount>,
}

/// The app's settings, without those that belong to one computer: whether it starts with the session, and which
/// explanations were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct App {
    /// Light, dark, or as the desktop says.
    pub appearance: Appearance,
    /// Notifications older than this many days are removed; 0 keeps them for ever.
    pub keep_days: u32,
    /// At most so many notifications are kept per account.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub keep_count: u32,
    /// Single-letter shortcuts work in the inbox.
    pub letter_shortcuts: bool,
    /// Marking read or done, or deleting, tells servers that can be told.
    pub tell_servers: bool,
    /// Whose servers may be asked for icons and pictures.
    pub pictures: Pictures,
    /// How patient connections are, milliseconds.
    pub timings: Timings,
}

impl Default for App {
    fn default() -> Self {
        Self::of(&AppSettings::default())
    }
}

impl App {
    /// What of the settings goes along to another computer.
    pub fn of(settings: &AppSettings) -> Self {
        Self {
            appearance: settings.appearance,
            keep_days: settings.keep_days,
            keep_count: settings.keep_count,
            letter_shortcuts: settings.letter_shortcuts,
            tell_servers: settings.tell_servers,
            pictures: settings.pictures,
            timings: settings.timings,
        }
    }

    /// The settings with these in them; what belongs to this computer stays.
    pub fn into_settings(self, present: &AppSettings) -> AppSettings {
        AppSettings {
            appearance: self.appearance,
            start_at_login: present.start_at_login,
            keep_days: self.keep_days,
            keep_count: self.keep_count,
            letter_shortcuts: self.letter_shortcuts,
            tell_servers: self.tell_servers,
            pictures: self.pictures,
            close_explained: present.close_explained,
            timings: self.timings,
        }
    }
}

/// An account that an exported document speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export)]
pub struct ConfigAccount {
    /// Its number in this document.
    pub account: AccountId,
    /// What the user calls it.
    #[serde(default)]
    pub name: String,
    /// Its server family.
    pub backend: BackendKind,
    /// The server's address.
    pub url: String,
    /// The user's name on the server; empty where it signs in by something else, or not at all.
    #[serde(default)]
    pub user: String,
    /// Those of its subscriptions that the document speaks of.
    #[serde(default)]
    pub subscriptions: Vec<ConfigSubscription>,
}

/// A subscription that an exported document speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[ts(export)]
pub struct ConfigSubscription {
    /// Its number in this document.
    pub subscription: SubscriptionId,
    /// Its topic on the server.
    pub topic: String,
}
