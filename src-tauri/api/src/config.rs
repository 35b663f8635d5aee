//! Taking a whole document of preferences over, or one value of it.

use crate::policy::ProblemView;
use crate::preferences::Preferences;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A document to be taken over in place of what holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConfigImport {
    /// The document, JSON: what `tidings config export` wrote, or a part of such.
    pub text: String,
    /// Only say what would come of it.
    pub dry_run: bool,
    /// Take what can be read even if something of it would be lost.
    pub lenient: bool,
}

/// What came of taking a document, or would come of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConfigReport {
    /// It holds from now on. If not: it was only looked at, or has problems, and nothing has changed.
    pub taken: bool,
    /// What of the document would be lost, or does not work.
    pub problems: Vec<ProblemView>,
    /// Rows and rules of accounts and subscriptions that are not here; they are left out.
    pub kept_back: Vec<ProblemView>,
    /// What becomes otherwise.
    pub changes: Vec<ConfigChange>,
    /// The preferences as they hold then, with the numbers of here.
    pub preferences: Preferences,
}

/// A value that becomes another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConfigChange {
    /// Which one: `limits.overall`.
    pub at: String,
    /// What it was, JSON; empty: nothing.
    pub before: String,
    /// What it becomes, JSON; empty: nothing.
    pub after: String,
}
