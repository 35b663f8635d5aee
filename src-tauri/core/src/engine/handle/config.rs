//! The preferences and the settings as one document: exported, imported, and set value by value. Whoever asks, the windows or
//! the command line, has it from here.

use super::{general, invalid};
use crate::engine::{Shared, preferences, storage};
use crate::model::preferences::{App, Config, ConfigAccount, ConfigSubscription, Preferences};
use crate::model::{Problem, SignIn};
use crate::settings::config::{self, Document};
use crate::settings::{carry, words_of};
use crate::store::{StoreError, Tx};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;
use tidings_api::{ConfigChange, ConfigImport, ConfigReport, ErrorView, ProblemView, Reply};

/// The longest document that is taken, in bytes. One with a thousand rows is a tenth of it.
const LONGEST: usize = 1024 * 1024;

pub fn export(shared: &Shared) -> Result<Reply, ErrorView> {
    let config = present(shared)?;
    Ok(Reply::Config(Box::new(config)))
}

/// What holds, with names for the numbers that stand in it.
fn present(shared: &Shared) -> Result<Config, ErrorView> {
    let preferences = Preferences::clone(shared.rulebook().document());
    let mut accounts = shared.store.read(here).map_err(|error| storage(&error))?;
    let rows = preferences.rows.iter();
    let rules = preferences.rules.iter();
    let subscriptions: HashSet<_> = rows
        .clone()
        .filter_map(|row| row.subscription)
        .chain(rules.clone().filter_map(|rule| rule.subscription))
        .collect();
    let named: HashSet<_> = rows
        .map(|row| row.account)
        .chain(rules.filter_map(|rule| rule.account))
        .collect();
    accounts.retain_mut(|account| {
        account
            .subscriptions
            .retain(|one| subscriptions.contains(&one.subscription));
        named.contains(&account.account) || !account.subscriptions.is_empty()
    });
    Ok(Config {
        preferences,
        app: App::of(&shared.settings()),
        accounts,
    })
}

/// All accounts, as documents name them.
fn here(tx: &Tx<'_>) -> Result<Vec<ConfigAccount>, StoreError> {
    let subscriptions = tx.all_subscriptions()?;
    let named = |account: crate::model::Account| ConfigAccount {
        account: account.id,
        backend: account.kind,
        url: account.url.to_string(),
        user: match account.sign_in {
            SignIn::Basic { user } => user,
            _ => String::new(),
        },
        subscriptions: subscriptions
            .iter()
            .filter(|one| one.account == account.id)
            .map(|one| ConfigSubscription {
                subscription: one.id,
                topic: one.topic.clone(),
            })
            .collect(),
        name: account.name,
    };
    Ok(tx.accounts()?.into_iter().map(named).collect())
}

pub fn import(shared: &Arc<Shared>, asked: &ConfigImport) -> Result<Reply, ErrorView> {
    if asked.text.len() > LONGEST {
        return Err(invalid("This is too large for a document of preferences."));
    }
    let Document {
        preferences: theirs,
        app,
        accounts,
        mut problems,
    } = config::document(&asked.text).map_err(|problem| invalid(problem.says))?;
    // What does not work is named by its place in the document.
    let (_, more) = shared
        .ready(theirs.clone())
        .map_err(|error| storage(&error))?;
    problems.extend(more);
    let here = shared.store.read(here).map_err(|error| storage(&error))?;
    let (preferences, kept_back) = carry::carried(theirs, &accounts, &here);
    let before = present(shared)?;
    let after = Config {
        preferences,
        app: app.unwrap_or_else(|| before.app.clone()),
        accounts: Vec::new(),
    };
    let after = settled(shared, after)?;
    let take = !asked.dry_run && (problems.is_empty() || asked.lenient);
    let report = report(before, after.clone(), problems, kept_back, take);
    if take {
        hold(shared, &after)?;
    }
    Ok(Reply::ConfigTaken(Box::new(report)))
}

pub fn set(shared: &Arc<Shared>, path: &str, value: Option<&str>) -> Result<Reply, ErrorView> {
    let before = present(shared)?;
    let after = config::with(&before, path, value).map_err(invalid)?;
    let after = settled(shared, after)?;
    let worked = |preferences: &Preferences| {
        shared
            .ready(preferences.clone())
            .map(|(_, problems)| problems)
            .map_err(|error| storage(&error))
    };
    // What did not work before is no reason to refuse another change.
    let known = worked(&before.preferences)?;
    let new = worked(&after.preferences)?;
    if let Some(problem) = new.iter().find(|problem| !known.contains(problem)) {
        return Err(invalid(format!(
            "Nothing was changed, since this would not work. {}",
            words_of(problem)
        )));
    }
    // Numbers set by hand are those of here.
    let here = shared.store.read(here).map_err(|error| storage(&error))?;
    let missing = |config: &Config| carry::carried(config.preferences.clone(), &[], &here).1;
    let known = missing(&before);
    if let Some(problem) = missing(&after).iter().find(|one| !known.contains(one)) {
        let says = problem.says.split(" This ").next().unwrap_or_default();
        return Err(invalid(format!(
            "{}: {says} tidings account list --json has the numbers.",
            problem.at
        )));
    }
    let report = report(before, after.clone(), Vec::new(), Vec::new(), true);
    hold(shared, &after)?;
    Ok(Reply::ConfigTaken(Box::new(report)))
}

/// A document with settings that can hold.
fn settled(shared: &Shared, config: Config) -> Result<Config, ErrorView> {
    let settings = config.app.into_settings(&shared.settings());
    Ok(Config {
        app: App::of(&general::checked(settings)?),
        ..config
    })
}

/// Keeps a document, all of it or nothing; it holds from now on.
fn hold(shared: &Arc<Shared>, config: &Config) -> Result<(), ErrorView> {
    let was = shared.settings();
    let settings = config.app.clone().into_settings(&was);
    let text = general::written(&settings)?;
    shared
        .store
        .write(|tx| {
            preferences::keep(tx, &config.preferences)?;
            general::keep(tx, &text)
        })
        .map_err(|error| storage(&error))?;
    shared.read_preferences();
    if settings == was {
        Ok(())
    } else {
        general::hold(shared, settings)
    }
}

fn report(
    before: Config,
    after: Config,
    problems: Vec<Problem>,
    kept_back: Vec<Problem>,
    taken: bool,
) -> ConfigReport {
    let value = |config: Config| {
        config::value(&Config {
            accounts: Vec::new(),
            ..config
        })
    };
    let view = |problems: Vec<Problem>| {
        let views = problems
            .into_iter()
            .map(|Problem { at, says }| ProblemView { at, says });
        views.collect()
    };
    let written = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
    let preferences = after.preferences.clone();
    let changes = config::changes(&value(before), &value(after)).into_iter();
    ConfigReport {
        taken,
        problems: view(problems),
        kept_back: view(kept_back),
        changes: changes
            .map(|one| ConfigChange {
                at: one.at,
                before: written(one.before),
                after: written(one.after),
            })
            .collect(),
        preferences,
    }
}
