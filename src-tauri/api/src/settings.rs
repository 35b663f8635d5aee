//! The settings: of the app as a whole, and how patient connections are.

use crate::picture::Pictures;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The light the windows are drawn in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Appearance {
    /// As the desktop says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The settings a window shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct AppSettings {
    /// Light, dark, or as the desktop says.
    pub appearance: Appearance,
    /// Start with the session, hidden.
    pub start_at_login: bool,
    /// Notifications older than this many days are removed; 0 keeps them for ever.
    pub keep_days: u32,
    /// At most so many notifications are kept per account.
    pub keep_count: u32,
    /// Single-letter shortcuts work in the inbox (WCAG 2.1.4).
    pub letter_shortcuts: bool,
    /// Marking read or done, or deleting, tells servers that can be told.
    pub tell_servers: bool,
    /// Whose servers may be asked for icons and pictures.
    pub pictures: Pictures,
    /// The user was told that closing the window leaves Tidings running.
    pub close_explained: bool,
    /// How patient connections are.
    pub timings: Timings,
}

/// How patient connections are, in milliseconds, for unusual networks. What is below its floor is raised to
/// it: 1 s, and 100 ms for the least backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
#[ts(export)]
pub struct Timings {
    /// Time to a TCP connection, TLS included.
    pub connect: u32,
    /// Time to the end of an answer's headers.
    pub headers: u32,
    /// Between two pings of a WebSocket.
    pub ping_every: u32,
    /// Time for any frame after a ping.
    pub pong_within: u32,
    /// Least delay between two attempts.
    pub backoff_least: u32,
    /// Greatest delay between two attempts during the first minute of an outage.
    pub backoff_early: u32,
    /// Greatest delay between two attempts.
    pub backoff_most: u32,
    /// What is added to a server's keepalive before its silence is death.
    pub keepalive_margin: u32,
    /// Silence after which a stream whose keepalive is not known is opened anew.
    pub silence: u32,
    /// Between two questions where nothing can be held open.
    pub poll_every: u32,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: 10_000,
            headers: 20_000,
            ping_every: 20_000,
            pong_within: 10_000,
            backoff_least: 1_000,
            backoff_early: 5_000,
            backoff_most: 300_000,
            keepalive_margin: 15_000,
            silence: 300_000,
            poll_every: 60_000,
        }
    }
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            appearance: Appearance::System,
            start_at_login: false,
            keep_days: 90,
            keep_count: 10_000,
            letter_shortcuts: true,
            tell_servers: true,
            pictures: Pictures::default(),
            close_explained: false,
            timings: Timings::default(),
        }
    }
}
