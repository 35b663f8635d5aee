//! Reading the inbox, and changing it.

use super::view;
use crate::engine::{Shared, storage};
use crate::model::{Mirror, NotificationId};
use crate::store::{StoreError, Tx};
use tidings_api::{Change, Changed, ErrorView, Event, ListQuery, Page, Reply, Targets};

pub fn list(shared: &Shared, query: &ListQuery) -> Result<Reply, ErrorView> {
    let now = shared.clock.now().to_zoned(shared.clock.zone());
    shared
        .store
        .read(|tx| {
            let (found, next) = tx.page(query, &now)?;
            let names = view::Names::read(tx)?;
            Ok(Reply::Page(Page {
                rows: found.iter().map(|n| view::row(n, &names)).collect(),
                next,
            }))
        })
        .map_err(|error| storage(&error))
}

pub fn show(shared: &Shared, id: NotificationId) -> Result<Reply, ErrorView> {
    shared
        .store
        .read(|tx| {
            let notification = tx.notification(id)?;
            Ok(Reply::Detail(Box::new(view::detail(tx, &notification)?)))
        })
        .map_err(|error| storage(&error))
}

pub fn why(shared: &Shared, id: NotificationId) -> Result<Reply, ErrorView> {
    shared
        .store
        .read(|tx| {
            // A notification that is not there is an error, not an empty ledger.
            tx.notification(id)?;
            let rows = tx.ledger(id)?;
            Ok(Reply::Ledger(rows.into_iter().map(view::ledger).collect()))
        })
        .map_err(|error| storage(&error))
}

pub fn change(shared: &Shared, targets: &Targets, change: Change) -> Result<Reply, ErrorView> {
    let now = shared.clock.now();
    let zoned = now.to_zoned(shared.clock.zone());
    let tell = shared.settings().tell_servers;
    let ids = shared
        .store
        .write(|tx| {
            let ids = match targets {
                Targets::Ids { ids } => ids.clone(),
                Targets::Query { query } => tx.resolve(query, &zoned)?,
            };
            let changed = tx.change(&ids, change, now)?;
            if tell {
                owe(tx, &changed, change, now)?;
            }
            Ok(changed)
        })
        .map_err(|error| storage(&error))?;
    if let (Targets::Ids { ids: wanted }, true) = (targets, ids.is_empty())
        && let [only] = wanted.as_slice()
    {
        // Nothing changed: either it was so already, or there is no such notification.
        show(shared, *only)?;
    }
    if change != Change::Seen {
        shared.wake_outbox.notify_one();
        shared.settle(&ids);
        shared.hint(Event::Status);
    }
    let says = says(ids.len(), change);
    let count = ids.len() as u64;
    tell_changed(shared, ids);
    Ok(Reply::Changed(Changed { count, says }))
}

pub fn undo(shared: &Shared) -> Result<Reply, ErrorView> {
    let now = shared.clock.now();
    let undone = shared
        .store
        .write(|tx| {
            let Some((change, ids)) = tx.undo(now)? else {
                return Ok(None);
            };
            // What was not told yet is not told at all.
            if let Some(mirror) = mirror(change) {
                tx.forgive(&ids, mirror)?;
            }
            Ok(Some((change, ids)))
        })
        .map_err(|error| storage(&error))?;
    let Some((change, ids)) = undone else {
        return Ok(Reply::Changed(Changed {
            count: 0,
            says: "There is nothing to undo.".to_owned(),
        }));
    };
    let count = ids.len() as u64;
    let says = format!("Undone: {}", says(ids.len(), change));
    tell_changed(shared, ids);
    shared.hint(Event::Status);
    Ok(Reply::Changed(Changed { count, says }))
}

fn tell_changed(shared: &Shared, ids: Vec<NotificationId>) {
    match ids.len() {
        0 => {}
        1..=100 => shared.hint(Event::Changed { ids }),
        _ => shared.hint(Event::Resync),
    }
}

fn mirror(change: Change) -> Option<Mirror> {
    match change {
        Change::Read | Change::Done => Some(Mirror::Read),
        Change::Delete => Some(Mirror::Delete),
        Change::Seen | Change::Unread | Change::Restore => None,
    }
}

fn owe(
    tx: &Tx<'_>,
    ids: &[NotificationId],
    change: Change,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    match (mirror(change), change) {
        (Some(mirror), _) => ids.iter().try_for_each(|id| tx.owe(*id, mirror, now)),
        (None, Change::Unread) => tx.forgive(ids, Mirror::Read),
        (None, _) => Ok(()),
    }
}

fn says(count: usize, change: Change) -> String {
    let what = match change {
        Change::Seen => "seen",
        Change::Read => "marked read",
        Change::Unread => "marked unread",
        Change::Done => "moved to Done",
        Change::Restore => "back in the inbox",
        Change::Delete => "deleted",
    };
    match count {
        0 => "Nothing changed".to_owned(),
        1 => format!("1 notification {what}"),
        n => format!("{n} notifications {what}"),
    }
}
