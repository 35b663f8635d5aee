//! The tray, wired to the engine: its picture in step, what is chosen in it done.

use super::{Resident, status};
use crate::os::clock::{SystemClock, pause};
use crate::os::tray::{self, Picture, Wish};
use std::sync::Arc;
use std::time::Duration;
use tidings_api::{Change, ListQuery, Place, Request, Targets};
use tidings_core::engine::Engine;
use tidings_core::ports::Clock as _;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

/// Hints come in bursts; the tray shows what they led to.
const SETTLE: Duration = Duration::from_millis(150);

/// Puts the icon into the tray, keeps it in step, and does what is chosen there.
pub(super) fn show(resident: &Arc<Resident>, tasks: &mut JoinSet<()>) {
    let (show, shown) = watch::channel(Picture::starting());
    let (wish, wishes) = mpsc::unbounded_channel();
    let engine = resident.engine.clone();
    tasks.spawn(async move {
        tray::run(shown, wish, |missing| {
            let words = "This desktop has no place for tray icons. Tidings keeps running; start it again \
                         to open the inbox.";
            engine.notice("tray", missing.then(|| words.to_owned()));
        })
        .await;
    });
    tasks.spawn(picture(resident.engine.clone(), show));
    tasks.spawn(fulfil(Arc::clone(resident), wishes));
}

/// Keeps the tray's picture in step with the engine.
async fn picture(engine: Engine, show: watch::Sender<Picture>) {
    use broadcast::error::RecvError;
    let mut hints = engine.hints();
    loop {
        match status(&engine).await {
            Ok(status) => {
                let picture = Picture::of(&status, SystemClock.now(), &SystemClock.zone());
                show.send_if_modified(|shown| {
                    let changed = *shown != picture;
                    *shown = picture;
                    changed
                });
            }
            Err(error) => tracing::warn!(%error, "the tray could not be brought up to date"),
        }
        match hints.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
        pause(SETTLE).await;
        // All that came meanwhile is in the next status.
        hints = hints.resubscribe();
    }
}

/// Does what the user chose in the tray, one after the other.
async fn fulfil(resident: Arc<Resident>, mut wishes: mpsc::UnboundedReceiver<Wish>) {
    while let Some(wish) = wishes.recv().await {
        let request = match wish {
            Wish::Open(target, token) => Request::OpenWindow { target, token },
            Wish::Do(request) => *request,
            Wish::ReadAll => Request::Change {
                targets: Targets::Query {
                    query: ListQuery {
                        place: Place::Unread,
                        ..ListQuery::default()
                    },
                },
                change: Change::Read,
            },
            Wish::Quit => Request::Quit,
        };
        if let Err(error) = resident.answer(request).await {
            tracing::warn!(%error, "what was chosen in the tray could not be done");
            resident.engine.notice("tray-wish", Some(error.message));
        } else {
            resident.engine.notice("tray-wish", None);
        }
    }
}
