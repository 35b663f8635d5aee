//! Taking over the settings of other clients.

use crate::error::ErrorView;
use crate::secret::Secret;
use crate::words::{AccountId, BackendKind, SecretPlace, SignIn, Tier};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A client whose settings can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum ImportFrom {
    /// The ntfy command line: its `client.yml`.
    Ntfy,
    /// The ntfy app for Android: a backup, JSON.
    NtfyAndroid,
    /// Gotify Tray, in Python or C++: its settings, INI.
    GotifyTray,
}

/// Another client's settings, to be looked at or taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Import {
    /// The file's text; there may be passwords in it.
    pub text: Secret,
    /// Whose settings it is; found out if none.
    #[serde(default)]
    pub from: Option<ImportFrom>,
    /// Only say what would come of it. Nothing is changed and nobody is asked.
    pub dry_run: bool,
    /// Where the secrets go.
    pub secrets: SecretPlace,
}

/// What came of an import, or would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportReport {
    /// Whose settings it was.
    pub from: ImportFrom,
    /// Its accounts, in the file's order.
    pub accounts: Vec<ImportedAccount>,
    /// What could not be taken over, in words, a sentence each.
    pub left_out: Vec<String>,
}

/// An account of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportedAccount {
    /// Which one it is here; none if it is not there (yet).
    pub account: Option<AccountId>,
    /// Its name here.
    pub name: String,
    /// The server family.
    pub kind: BackendKind,
    /// The server's address.
    pub url: String,
    /// How it signs in.
    pub sign_in: SignIn,
    /// Its topics, also those that are there already.
    pub topics: Vec<ImportedTopic>,
    /// What became of it, or would.
    pub result: ImportResult,
    /// Why it could not be added.
    pub error: Option<ErrorView>,
}

/// A topic of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportedTopic {
    /// The server's name for it.
    pub topic: String,
    /// The user's name for it; empty for none.
    pub name: String,
    /// Never toasts.
    pub muted: bool,
    /// Below this tier: inbox only.
    pub min_tier: Tier,
    /// It is subscribed to already, and stays as it is.
    pub known: bool,
}

/// What becomes of an account of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ImportResult {
    /// It is new.
    Added,
    /// It was there, and gets the topics that it lacks.
    Extended,
    /// It was there with all its topics.
    Unchanged,
    /// It could not be added.
    Failed,
}
