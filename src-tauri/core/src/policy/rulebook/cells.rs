//! The grid: which rows are about a notification, the nearest first.

use crate::model::preferences::{Cell, Row};
use crate::model::{AccountId, SubscriptionId};
use jiff::Timestamp;
use std::collections::HashMap;

/// Where something in the grid was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// At its type.
    Kind,
    /// At its subscription.
    Subscription,
    /// At its account.
    Account,
    /// At its tier.
    Tier,
}

/// A cell and, for an override, its end.
type Said = (Option<Timestamp>, Cell);

/// Rows by what they are about; of each, overrides first.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    accounts: HashMap<AccountId, Vec<Said>>,
    subscriptions: HashMap<SubscriptionId, Vec<Said>>,
    kinds: HashMap<SubscriptionId, HashMap<String, Vec<Said>>>,
}

/// The cells about one notification, the nearest first.
pub(super) struct Cells<'a>(Vec<(&'a Cell, Level)>);

impl Rows {
    pub(super) fn new(rows: &[Row]) -> Self {
        let mut all = Self::default();
        for row in rows {
            let said = match (row.subscription, &row.kind) {
                // A type is one of a subscription's.
                (None, Some(_)) => continue,
                (None, None) => all.accounts.entry(row.account).or_default(),
                (Some(subscription), None) => all.subscriptions.entry(subscription).or_default(),
                (Some(subscription), Some(kind)) => all
                    .kinds
                    .entry(subscription)
                    .or_default()
                    .entry(kind.clone())
                    .or_default(),
            };
            said.push((row.until, row.cell.clone()));
        }
        let lists = all
            .accounts
            .values_mut()
            .chain(all.subscriptions.values_mut())
            .chain(all.kinds.values_mut().flat_map(HashMap::values_mut));
        for list in lists {
            // Of overrides the one that ends first; lasting rows come last. Otherwise as written.
            list.sort_by_key(|(until, _)| (until.is_none(), *until));
        }
        all
    }

    pub(super) fn about(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
        kind: &str,
        at: Timestamp,
    ) -> Cells<'_> {
        let of_kind = self
            .kinds
            .get(&subscription)
            .and_then(|kinds| kinds.get(kind));
        let levels = [
            (of_kind, Level::Kind),
            (self.subscriptions.get(&subscription), Level::Subscription),
            (self.accounts.get(&account), Level::Account),
        ];
        let mut cells = Vec::new();
        for (said, level) in levels {
            for (until, cell) in said.into_iter().flatten() {
                if until.is_none_or(|until| at < until) {
                    cells.push((cell, level));
                }
            }
        }
        Cells(cells)
    }
}

impl<'a> Cells<'a> {
    /// What the nearest cell says that says anything.
    pub(super) fn first<T>(&self, pick: impl Fn(&'a Cell) -> Option<T>) -> Option<(T, Level)> {
        self.0
            .iter()
            .find_map(|(cell, level)| pick(cell).map(|found| (found, *level)))
    }
}
