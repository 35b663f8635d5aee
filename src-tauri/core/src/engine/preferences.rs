//! The preferences: kept in the store as a document, and in memory as the rulebook that decides.

use super::{Shared, lock, storage};
use crate::model::preferences::{Cell, Preferences, Row};
use crate::model::{AccountId, Problem, SubscriptionId, Tier};
use crate::policy::{Place, Rulebook};
use crate::settings::{self, MandatesFile};
use crate::store::{Store, StoreError, Tx};
use std::sync::{Arc, PoisonError};
use tidings_api::{ErrorView, Event, PreferencesView, ProblemView, Reply};

/// Where the document is in the store.
const KEY: &str = "preferences";
/// Where the last one is that could not be read whole; it is never written over by what was made of it.
const UNREADABLE: &str = "preferences-unreadable";

/// The preferences and an administrator's file, ready, and what is wrong with each of them.
pub(super) struct Loaded {
    pub(super) book: Arc<Rulebook>,
    pub(super) problems: Vec<Problem>,
    pub(super) of_file: Vec<Problem>,
}

impl Loaded {
    fn new(document: Preferences, places: &[Place], file: &MandatesFile) -> Self {
        let (book, problems) = Rulebook::new(document, file.mandates(), places);
        let (entries, problems): (Vec<_>, Vec<_>) = problems
            .into_iter()
            .partition(|problem| problem.at.starts_with("mandatory["));
        let entries = entries.into_iter().map(|problem| file.named(problem));
        Self {
            book: Arc::new(book),
            problems,
            of_file: file.problems().iter().cloned().chain(entries).collect(),
        }
    }
}

/// Reads what is kept and makes it ready.
pub(super) fn load(store: &Store, file: &MandatesFile) -> Result<Loaded, StoreError> {
    let (text, places) = store.read(|tx| Ok((tx.setting(KEY)?, places(tx)?)))?;
    let (document, problems) = match &text {
        Some(text) => settings::preferences(text),
        None => (Preferences::default(), Vec::new()),
    };
    if let (Some(text), false) = (&text, problems.is_empty()) {
        store.write(|tx| tx.set_setting(UNREADABLE, text))?;
    }
    let mut loaded = Loaded::new(document, &places, file);
    loaded.problems.splice(0..0, problems);
    Ok(loaded)
}

/// Writes a document down; it holds once it is read again.
pub(super) fn keep(tx: &Tx<'_>, document: &Preferences) -> Result<(), StoreError> {
    tx.set_setting(KEY, &settings::text(document))
}

fn places(tx: &Tx<'_>) -> Result<Vec<Place>, StoreError> {
    let subscriptions = tx.all_subscriptions()?;
    let place = |account: crate::model::Account| Place {
        account: account.id,
        backend: Some(account.kind),
        host: account.url.host_str().unwrap_or_default().to_owned(),
        topics: subscriptions
            .iter()
            .filter(|one| one.account == account.id)
            .map(|one| (one.id, one.topic.clone()))
            .collect(),
    };
    Ok(tx.accounts()?.into_iter().map(place).collect())
}

/// What a problem's notice says.
fn notice(before: &str, problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    let more = match problems.len() - 1 {
        0 => String::new(),
        more => format!(" And {more} more."),
    };
    Some(format!("{before} {}{more}", first.says))
}

impl Shared {
    /// The preferences, ready to be asked.
    pub(super) fn rulebook(&self) -> Arc<Rulebook> {
        let book = self.rulebook.read();
        Arc::clone(&book.unwrap_or_else(PoisonError::into_inner))
    }

    /// The preferences, and what is wrong with them.
    pub(super) fn preferences_view(&self) -> Reply {
        let problems = lock(&self.problems).clone();
        Reply::Preferences(Box::new(PreferencesView {
            preferences: self.rulebook().document().clone(),
            problems: problems
                .into_iter()
                .map(|Problem { at, says }| ProblemView { at, says })
                .collect(),
        }))
    }

    /// Keeps other preferences; they hold from now on, also for what waits.
    pub(super) fn set_preferences(&self, document: &Preferences) -> Result<(), ErrorView> {
        self.store
            .write(|tx| keep(tx, document))
            .map_err(|error| storage(&error))?;
        self.read_preferences();
        Ok(())
    }

    /// Makes other preferences ready, for the accounts that are there.
    pub(super) fn ready(
        &self,
        document: Preferences,
    ) -> Result<(Arc<Rulebook>, Vec<Problem>), StoreError> {
        let places = self.store.read(places)?;
        let loaded = Loaded::new(document, &places, &lock(&self.mandates));
        Ok((loaded.book, loaded.problems))
    }

    /// An administrator's file is so from now on, also for what waits.
    pub(super) fn set_mandates(&self, file: MandatesFile) {
        {
            let mut known = lock(&self.mandates);
            if *known == file {
                return;
            }
            *known = file;
        }
        self.read_preferences();
    }

    /// Makes the preferences ready anew: they, or the accounts that they are about, have changed.
    pub(super) fn read_preferences(&self) {
        let loaded = load(&self.store, &lock(&self.mandates));
        match loaded {
            Ok(loaded) => {
                *self
                    .rulebook
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&loaded.book);
                self.tell_problems(loaded);
                self.reconsider();
                self.wake_scheduler.notify_one();
                self.hint(Event::Status);
                self.hint(Event::Preferences);
            }
            Err(error) => tracing::warn!(%error, "the preferences could not be read"),
        }
    }

    /// Says what is wrong with the preferences and with an administrator's file.
    pub(super) fn tell_problems(&self, loaded: Loaded) {
        let own = notice("Some of your preferences do not work.", &loaded.problems);
        let of_file = notice(
            "What your administrator set does not work as it should.",
            &loaded.of_file,
        );
        self.notice("preferences", own);
        self.notice("mandates", of_file);
        let mut problems = loaded.problems;
        problems.extend(loaded.of_file);
        *lock(&self.problems) = problems;
    }

    /// Changes what the grid says about an account or a subscription; what is none stays.
    pub(super) fn edit_cell(
        &self,
        account: AccountId,
        subscription: Option<SubscriptionId>,
        mute: Option<bool>,
        min_tier: Option<Tier>,
    ) -> Result<(), ErrorView> {
        if mute.is_none() && min_tier.is_none() {
            return Ok(());
        }
        let mut document = self.rulebook().document().clone();
        let index = document
            .rows
            .iter()
            .position(|row| is_lasting(row, account, subscription));
        let mut row = match index {
            Some(index) => document.rows.remove(index),
            None => Row {
                account,
                subscription,
                kind: None,
                until: None,
                cell: Cell::default(),
            },
        };
        // What would be inherited is not said.
        let inherited = match subscription {
            Some(_) => cell_of(&document, account, None),
            None => (false, Tier::Informational),
        };
        if let Some(mute) = mute {
            row.cell.mute = Some(mute).filter(|mute| *mute != inherited.0);
        }
        if let Some(tier) = min_tier {
            row.cell.min_tier = Some(tier).filter(|tier| *tier != inherited.1);
        }
        if !row.cell.is_empty() {
            let index = index.unwrap_or(document.rows.len());
            document.rows.insert(index, row);
        }
        self.set_preferences(&document)
    }
}

/// What the grid's lasting rows say about an account or a subscription: muted, and the minimum tier.
pub(super) fn cell_of(
    document: &Preferences,
    account: AccountId,
    subscription: Option<SubscriptionId>,
) -> (bool, Tier) {
    let said = |subscription| {
        let mut rows = document.rows.iter();
        rows.find(|row| is_lasting(row, account, subscription))
            .map(|row| (row.cell.mute, row.cell.min_tier))
            .unwrap_or_default()
    };
    let (own, inherited) = (said(subscription), said(None));
    (
        own.0.or(inherited.0).unwrap_or(false),
        own.1.or(inherited.1).unwrap_or(Tier::Informational),
    )
}

fn is_lasting(row: &Row, account: AccountId, subscription: Option<SubscriptionId>) -> bool {
    row.account == account
        && row.subscription == subscription
        && row.kind.is_none()
        && row.until.is_none()
}
