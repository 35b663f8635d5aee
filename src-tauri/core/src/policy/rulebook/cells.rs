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
pub(super) struct Cells<'a>(Vec<(&'a Cell, Level, Option<Timestamp>)>);

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

    /// What is said about a type of a subscription; none where an account's, or a subscription's, own row is
    /// asked for.
    pub(super) fn about(
        &self,
        account: AccountId,
        subscription: Option<SubscriptionId>,
        kind: Option<&str>,
        at: Timestamp,
    ) -> Cells<'_> {
        let of_kind = subscription
            .and_then(|subscription| self.kinds.get(&subscription))
            .zip(kind)
            .and_then(|(kinds, kind)| kinds.get(kind));
        let of_subscription =
            subscription.and_then(|subscription| self.subscriptions.get(&subscription));
        let levels = [
            (of_kind, Level::Kind),
            (of_subscription, Level::Subscription),
            (self.accounts.get(&account), Level::Account),
        ];
        let mut cells = Vec::new();
        for (said, level) in levels {
            for (until, cell) in said.into_iter().flatten() {
                if until.is_none_or(|until| at < until) {
                    cells.push((cell, level, *until));
                }
            }
        }
        Cells(cells)
    }
}

impl<'a> Cells<'a> {
    /// What the nearest cell says that says anything.
    pub(super) fn first<T>(&self, pick: impl Fn(&'a Cell) -> Option<T>) -> Option<(T, Level)> {
        self.found(pick).map(|(found, level, _)| (found, level))
    }

    /// The same, and until when it holds.
    pub(super) fn found<T>(
        &self,
        pick: impl Fn(&'a Cell) -> Option<T>,
    ) -> Option<(T, Level, Option<Timestamp>)> {
        self.0
            .iter()
            .find_map(|(cell, level, until)| pick(cell).map(|found| (found, *level, *until)))
    }
}
