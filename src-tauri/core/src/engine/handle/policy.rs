//! The preferences, what waits, and what the user may want to decide.

use super::invalid;
use crate::engine::{Shared, storage, view};
use crate::model::preferences::{Preferences, Row as CellRow};
use crate::model::{AccountId, SubscriptionId};
use crate::policy::{Level, Row, Said};
use crate::store::{Kind, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use tidings_api::{
    Advice, ErrorCode, ErrorView, Event, GridRow, Inherited, LedgerLineOf, Origin, Reply, TypeView,
};

/// A subscription, or a type, of which nothing came for so long may be left.
const SILENT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// So many that were never opened are enough to say so.
const ENOUGH: u64 = 20;
/// The most decisions in one answer.
const LEDGERS: u32 = 1000;

pub fn set_cell(shared: &Shared, row: CellRow) -> Result<Reply, ErrorView> {
    if row.kind.is_some() && row.subscription.is_none() {
        return Err(invalid(
            "A type is one of a subscription's: name the subscription too.",
        ));
    }
    let now = shared.clock.now();
    // Taking away what is over meanwhile is fine.
    if !row.cell.is_empty() && row.until.is_some_and(|until| until <= now) {
        return Err(invalid(
            "This would end before it begins. Choose a later time.",
        ));
    }
    let answered = row.subscription.zip(row.kind.clone());
    let mut document = Preferences::clone(shared.rulebook().document());
    let is_same = |other: &CellRow| {
        other.account == row.account
            && other.subscription == row.subscription
            && other.kind == row.kind
            && other.until == row.until
    };
    let place = document.rows.iter().position(is_same);
    document.rows.retain(|other| !is_same(other));
    // Overrides that are over go on the way.
    document
        .rows
        .retain(|other| other.until.is_none_or(|until| now < until));
    if !row.cell.is_empty() {
        let end = document.rows.len();
        document.rows.insert(place.unwrap_or(end).min(end), row);
    }
    shared.set_preferences(&document)?;
    if let Some((subscription, kind)) = answered {
        shared
            .store
            .write(|tx| tx.asked_about_kind(subscription, &kind))
            .map_err(|error| storage(&error))?;
    }
    shared.hint(Event::Accounts);
    Ok(shared.preferences_view())
}

pub fn deliver_now(shared: &Shared) -> Result<Reply, ErrorView> {
    let now = shared.clock.now();
    shared
        .store
        .write(|tx| tx.deliver_now(now))
        .map_err(|error| storage(&error))?;
    shared.wake_scheduler.notify_one();
    shared.hint(Event::Status);
    view::status(shared).map(Reply::Status)
}

pub fn skip_quiet(shared: &Shared) -> Result<Reply, ErrorView> {
    let now = shared.clock.now().to_zoned(shared.clock.zone());
    let document = shared.rulebook().without_tonight(&now).ok_or_else(|| {
        ErrorView::new(
            ErrorCode::NotFound,
            "No quiet hours are in force, and none begin in the next days.",
        )
    })?;
    shared.set_preferences(&document)?;
    view::status(shared).map(Reply::Status)
}

pub fn dismiss_card(
    shared: &Shared,
    subscription: SubscriptionId,
    kind: Option<&str>,
) -> Result<Reply, ErrorView> {
    shared
        .store
        .write(|tx| match kind {
            Some(kind) => tx.asked_about_kind(subscription, kind),
            None => tx.dismiss_storm(subscription),
        })
        .map_err(|error| storage(&error))?;
    shared.hint(Event::Status);
    view::status(shared).map(Reply::Status)
}

pub fn types(shared: &Shared) -> Result<Reply, ErrorView> {
    let now = shared.clock.now();
    let kinds = shared
        .store
        .read(|tx| tx.kinds())
        .map_err(|error| storage(&error))?;
    let view = |kind: Kind| TypeView {
        advice: advice(&kind, now),
        account: kind.account,
        subscription: kind.subscription,
        kind: kind.kind,
        first_at: kind.first_at,
        last_at: kind.last_at,
        came: kind.came,
        opened: kind.opened,
    };
    Ok(Reply::Types(kinds.into_iter().map(view).collect()))
}

fn advice(kind: &Kind, now: Timestamp) -> Option<Advice> {
    if now.duration_since(kind.last_at) >= SILENT {
        Some(Advice::Silent)
    } else if kind.came >= ENOUGH && kind.opened == 0 {
        Some(Advice::NeverOpened)
    } else {
        None
    }
}

pub fn grid(shared: &Shared) -> Result<Reply, ErrorView> {
    shared
        .store
        .read(|tx| rows(shared, tx))
        .map(Reply::Grid)
        .map_err(|error| storage(&error))
}

fn rows(shared: &Shared, tx: &Tx<'_>) -> Result<Vec<GridRow>, StoreError> {
    let now = shared.clock.now();
    let book = shared.rulebook();
    let mut kinds = HashMap::<SubscriptionId, Vec<Kind>>::new();
    for kind in tx.kinds()? {
        kinds.entry(kind.subscription).or_default().push(kind);
    }
    let mut grid = Vec::new();
    for account in tx.accounts()? {
        let place = grid.len();
        grid.push(grid_row(
            (account.id, None, None),
            account.name,
            book.row(account.id, None, None, now),
        ));
        for subscription in tx.subscriptions(account.id)? {
            let mut row = grid_row(
                (account.id, Some(subscription.id), None),
                subscription.display_name().to_owned(),
                book.row(account.id, Some(subscription.id), None, now),
            );
            row.unread = tx.unread_of(subscription.id)?;
            grid[place].unread += row.unread;
            let kinds = kinds.remove(&subscription.id).unwrap_or_default();
            let last = kinds.iter().map(|kind| kind.last_at).max();
            let since = last.unwrap_or(subscription.created_at);
            row.advice = (now.duration_since(since) >= SILENT).then_some(Advice::Silent);
            grid.push(row);
            for kind in kinds {
                let mut row = grid_row(
                    (account.id, Some(subscription.id), Some(kind.kind.clone())),
                    kind.kind.clone(),
                    book.row(account.id, Some(subscription.id), Some(&kind.kind), now),
                );
                row.advice = advice(&kind, now);
                (row.unread, row.came, row.opened) = (kind.unread, kind.came, kind.opened);
                grid.push(row);
            }
        }
    }
    Ok(grid)
}

fn grid_row(
    (account, subscription, kind): (AccountId, Option<SubscriptionId>, Option<String>),
    name: String,
    says: Row,
) -> GridRow {
    let here = match (subscription, &kind) {
        (_, Some(_)) => Level::Kind,
        (Some(_), None) => Level::Subscription,
        (None, None) => Level::Account,
    };
    GridRow {
        account,
        subscription,
        kind,
        name,
        unread: 0,
        came: 0,
        opened: 0,
        toast: inherited(says.toast, here),
        mute: inherited(says.mute, here),
        sound: inherited(says.sound, here),
        badge: inherited(says.badge, here),
        privacy: inherited(says.privacy, here),
        batch: inherited(says.batch, here),
        min_tier: inherited(says.min_tier, here),
        locked: says.mandatory,
        advice: None,
    }
}

fn inherited<T>(said: Said<T>, here: Level) -> Inherited<T> {
    Inherited {
        value: said.value,
        from: match said.at {
            Some(level) if level == here => Origin::Here,
            Some(Level::Kind | Level::Subscription) => Origin::Subscription,
            Some(Level::Account) => Origin::Account,
            Some(Level::Tier) => Origin::Tier,
            None => Origin::Default,
        },
        until: said.until,
    }
}

pub fn ledgers(
    shared: &Shared,
    from: Timestamp,
    after: Option<i64>,
    limit: u32,
) -> Result<Reply, ErrorView> {
    shared
        .store
        .read(|tx| {
            let names = view::Names::read(shared, tx)?;
            let found = tx.ledgers(from, after, limit.clamp(1, LEDGERS))?;
            let lines = found.into_iter().map(|(number, n, row)| {
                let shown = view::row(&n, &names);
                LedgerLineOf {
                    number,
                    id: n.id,
                    title: shown.title,
                    source: shown.subscription_name,
                    entry: view::ledger(row),
                }
            });
            Ok(Reply::Ledgers(lines.collect()))
        })
        .map_err(|error| storage(&error))
}
