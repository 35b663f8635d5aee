//! Reading the inbox, and changing it.

use super::view;
use crate::engine::{Shared, storage};
use crate::model::{Mirror, Notification, NotificationId};
use crate::store::{StoreError, Tx};
use jiff::Zoned;
use tidings_api::{
    Back, Change, Changed, ErrorCode, ErrorView, Event, ListQuery, Page, Place, Reply, Targets,
};

pub fn list(shared: &Shared, query: &ListQuery) -> Result<Reply, ErrorView> {
    let now = shared.clock.now().to_zoned(shared.clock.zone());
    shared
        .store
        .read(|tx| {
            let (found, next) = tx.page(query, &now)?;
            let names = view::Names::read(shared, tx)?;
            // Nowhere else is anything that is snoozed, unless a search or a toast leads there.
            let may_be_away =
                query.place == Place::Snoozed || !query.search.is_empty() || query.toast.is_some();
            let row = |n: &Notification| {
                let row = view::row(n, &names);
                if may_be_away {
                    view::with_back(row, tx)
                } else {
                    Ok(row)
                }
            };
            Ok(Reply::Page(Page {
                rows: found.iter().map(row).collect::<Result<_, _>>()?,
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
            Ok(Reply::Detail(Box::new(view::detail(
                shared,
                tx,
                &notification,
            )?)))
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
    if let Change::Snooze {
        back: Back::Time { time },
    } = change
        && time <= now
    {
        return Err(super::invalid("That is over already. Choose a later time."));
    }
    let tell = shared.settings().tell_servers;
    let (ids, undo) = shared
        .store
        .write(|tx| {
            let ids = match targets {
                Targets::Ids { ids } => ids.clone(),
                Targets::Query { query } => tx.resolve(query, &zoned)?,
            };
            let changed = tx.change(&ids, change, now)?;
            if let Change::Snooze { back } = change {
                tx.snooze(&changed, back, &snoozed(back, &zoned), now)?;
            } else if change != Change::Seen {
                tx.end_snoozes()?;
            }
            if tell {
                owe(tx, &changed, change, now)?;
            }
            // Seeing is no step, and what changed nothing has none.
            let step = if changed.is_empty() || change == Change::Seen {
                None
            } else {
                tx.last_step()?
            };
            Ok((changed, step))
        })
        .map_err(|error| storage(&error))?;
    if let (Targets::Ids { ids: wanted }, true) = (targets, ids.is_empty())
        && let [only] = wanted.as_slice()
    {
        // Nothing changed: either it was so already, or there is no such notification.
        show(shared, *only)?;
    }
    if matches!(change, Change::Snooze { .. }) {
        shared.wake_scheduler.notify_one();
    }
    if change != Change::Seen {
        shared.wake_outbox.notify_one();
        shared.settle(&ids);
        shared.hint(Event::Status);
    }
    let says = says(ids.len(), change);
    let count = ids.len() as u64;
    tell_changed(shared, ids);
    Ok(Reply::Changed(Changed { count, says, undo }))
}

pub fn undo(shared: &Shared, step: Option<u64>) -> Result<Reply, ErrorView> {
    let now = shared.clock.now();
    let undone = shared
        .store
        .write(|tx| match step {
            Some(step) => tx.undo_step(step, now),
            None => tx.undo(now),
        })
        .and_then(|undone| shared.store.write(|tx| tx.end_snoozes()).map(|()| undone))
        .map_err(|error| storage(&error))?;
    let (count, says) = match (undone, step) {
        (Some((_, ids)), _) if ids.is_empty() => (
            0,
            "Nothing changed: what was done since then stays.".to_owned(),
        ),
        (Some((change, ids)), _) => {
            let says = format!("Undone: {}", says(ids.len(), change));
            let count = ids.len() as u64;
            tell_changed(shared, ids);
            shared.hint(Event::Status);
            (count, says)
        }
        (None, Some(_)) => {
            return Err(ErrorView::new(
                ErrorCode::NotFound,
                "This can no longer be undone. The last 50 changes of seven days can.",
            ));
        }
        (None, None) => (0, "There is nothing to undo.".to_owned()),
    };
    Ok(Reply::Changed(Changed {
        count,
        says,
        undo: None,
    }))
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
        Change::Seen | Change::Unread | Change::Restore | Change::Snooze { .. } => None,
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

fn snoozed(back: Back, now: &Zoned) -> String {
    match back {
        Back::Time { time } => format!(
            "You put it off until {}.",
            time.to_zoned(now.time_zone().clone())
                .strftime("%a %d %b, %H:%M")
        ),
        Back::Unlock => "You put it off until you unlock the screen.".to_owned(),
        Back::Online => "You put it off until a server is connected again.".to_owned(),
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
        Change::Snooze { .. } => "snoozed",
    };
    match count {
        0 => "Nothing changed".to_owned(),
        1 => format!("1 notification {what}"),
        n => format!("{n} notifications {what}"),
    }
}
