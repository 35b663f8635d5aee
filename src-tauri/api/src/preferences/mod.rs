//! The preferences: one document that says what may interrupt. `docs/preferences.md` describes it to users.

mod cell;
mod clock;
mod config;
mod document;
mod mandate;
mod rules;

pub use cell::{Badge, Batch, Cell, Privacy, Row, Sound, ToastChoice};
pub use clock::{ClockTime, Day};
pub use config::{App, Config, ConfigAccount, ConfigSubscription};
pub use document::{
    Away, Contexts, Digest, Duplicates, Escalation, Hush, HushRule, Limits, Mapping, Preferences,
    Quiet, Schedule, Sounds, Tiers, VERSION,
};
pub use mandate::{Mandate, Mandates};
pub use rules::{How, Pattern, Then, UserRule};
