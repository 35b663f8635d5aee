//! The contract between the resident and everything that talks to it: the windows, the command line
//! and the end-to-end tests use this crate and nothing else.
//!
//! A client connects to the control socket ([`Client`]), says hello, and exchanges one JSON object a
//! line ([`wire`]): [`Request`] → [`Reply`] or [`ErrorView`], and, once it asked to watch, [`Event`]s.
//! Events are hints: dropping all of them and reading again gives the same screen.

mod client;
mod config;
mod error;
mod event;
mod import;
mod picture;
mod policy;
pub mod preferences;
mod preview;
mod query;
mod request;
mod secret;
mod settings;
mod view;
pub mod wire;
mod words;

pub use client::{Client, ClientError, Events};
pub use config::{ConfigChange, ConfigImport, ConfigReport};
pub use error::{ErrorCode, ErrorView};
pub use event::{Event, Target};
pub use import::{Import, ImportFrom, ImportReport, ImportResult, ImportedAccount, ImportedTopic};
pub use picture::{PictureCache, PictureOf, PicturePreview, Pictures};
pub use policy::{
    Advice, Back, CardView, Difference, GridRow, HeldView, Inherited, LedgerLineOf, Origin,
    Outcomes, PreferencesView, ProblemView, QuietNext, QuietView, Simulation, SoundsView, TypeView,
};
pub use preview::{Preview, PreviewPart, Previewed};
pub use query::{Change, ListQuery, Place, Targets};
pub use request::{
    AccountDraft, AccountEdit, Outgoing, PauseChange, Presence, Reply, Request, SubscriptionEdit,
    TransportChoice, WindowShape,
};
pub use secret::Secret;
pub use settings::{AppSettings, Appearance, Timings};
pub use view::{
    AccountView, ActOutcome, ActionView, AttachmentView, Changed, ConnectionState, ConnectionView,
    Continuity, Counts, Detail, Detected, DoctorItem, DoctorVerdict, FieldKind, FieldView, GapView,
    Hop, HopResult, KindView, LedgerEntry, LedgerLine, Page, PauseView, Quota, RevisionView, Row,
    Status, SubscriptionView, TestReport,
};
pub use words::{
    AccountId, ActionKind, BackendKind, Format, NotificationId, SecretPlace, SignIn,
    SubscriptionId, Tier, TransportKind, Way,
};
