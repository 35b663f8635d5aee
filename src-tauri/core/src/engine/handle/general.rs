//! Pausing, settings, and what the user looks at.

use super::{invalid, view};
use crate::engine::connection::state;
use crate::engine::{SETTINGS, Shared, lock, patience, storage};
use crate::model::{AccountId, Pause, Tier};
use crate::ports::{Toast, ToastKey};
use crate::store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use std::sync::Arc;
use tidings_api::{
    AppSettings, ErrorCode, ErrorView, Event, PauseChange, Presence, Reply, WindowShape,
};

/// The longest pause in minutes: a week.
const LONGEST_PAUSE: u32 = 7 * 24 * 60;
/// "Until tomorrow" ends at this hour.
const MORNING: i8 = 8;
/// The test toast's key; the store's own begin at 1.
const TEST_TOAST: ToastKey = ToastKey(0);

pub fn reconnect(shared: &Shared, account: Option<AccountId>) -> Result<Reply, ErrorView> {
    if let Some(id) = account {
        shared
            .store
            .read(|tx| tx.account(id))
            .map_err(|error| storage(&error))?;
    }
    // The user may have unlocked the keyring, or mended a password in it.
    match account {
        Some(id) => drop(lock(&shared.credentials).remove(&id)),
        None => lock(&shared.credentials).clear(),
    }
    shared.supervisor.tell(account, &state::Event::RetryNow);
    Ok(Reply::Done)
}

pub fn pause(shared: &Shared, change: PauseChange) -> Result<Reply, ErrorView> {
    let now = shared.clock.now().to_zoned(shared.clock.zone());
    let pause = match change {
        PauseChange::Off => None,
        PauseChange::UntilResumed { critical_rings } => Some(Pause {
            until: None,
            critical_rings,
        }),
        PauseChange::UntilTomorrow { critical_rings } => Some(Pause {
            until: Some(tomorrow(&now)?),
            critical_rings,
        }),
        PauseChange::For {
            minutes,
            critical_rings,
        } => {
            if !(1..=LONGEST_PAUSE).contains(&minutes) {
                return Err(invalid("A pause lasts from a minute to a week."));
            }
            let time = SignedDuration::from_mins(i64::from(minutes));
            Some(Pause {
                until: now.timestamp().checked_add(time).ok(),
                critical_rings,
            })
        }
    };
    shared.set_pause(pause).map_err(|error| storage(&error))?;
    view::status(shared).map(Reply::Status)
}

fn tomorrow(now: &Zoned) -> Result<Timestamp, ErrorView> {
    let words = |_| invalid("This clock has no tomorrow.");
    let day = now.date().checked_add(1.day()).map_err(words)?;
    let morning = day.at(MORNING, 0, 0, 0);
    Ok(morning
        .to_zoned(now.time_zone().clone())
        .map_err(words)?
        .timestamp())
}

pub fn set_settings(shared: &Arc<Shared>, settings: AppSettings) -> Result<Reply, ErrorView> {
    let settings = checked(settings)?;
    let text = written(&settings)?;
    shared
        .store
        .write(|tx| keep(tx, &text))
        .map_err(|error| storage(&error))?;
    hold(shared, settings.clone())?;
    Ok(Reply::Settings(settings))
}

/// Settings that can hold: what is below its floor is raised to it.
pub(super) fn checked(mut settings: AppSettings) -> Result<AppSettings, ErrorView> {
    settings.timings = patience::timings(patience::times(settings.timings));
    if settings.keep_count == 0 {
        return Err(invalid(
            "At least one notification has to be kept for each account.",
        ));
    }
    Ok(settings)
}

/// Settings as they are kept.
pub(super) fn written(settings: &AppSettings) -> Result<String, ErrorView> {
    serde_json::to_string(settings).map_err(|error| {
        ErrorView::new(ErrorCode::Internal, "The settings could not be written.").with_detail(error)
    })
}

/// Writes settings down; they hold once they are applied.
pub(super) fn keep(tx: &Tx<'_>, written: &str) -> Result<(), StoreError> {
    tx.set_setting(SETTINGS, written)
}

/// From now on these hold.
pub(super) fn hold(shared: &Arc<Shared>, settings: AppSettings) -> Result<(), ErrorView> {
    let pictures_changed = settings.pictures != shared.settings().pictures;
    let patience_changed = settings.timings != shared.settings().timings;
    shared.apply(settings);
    if pictures_changed {
        shared.pictures.hope_again();
        // Rows say which icons may be loaded.
        shared.hint(Event::Resync);
    }
    if patience_changed && shared.started.get().is_some() {
        let accounts = shared
            .store
            .read(|tx| tx.accounts())
            .map_err(|error| storage(&error))?;
        for account in accounts {
            shared.supervisor.changed(shared, account.id);
        }
    }
    shared.hint(Event::Settings);
    Ok(())
}

pub fn looking(shared: &Shared, presence: Presence) -> Reply {
    *lock(&shared.presence) = presence;
    Reply::Done
}

fn shape_key(window: &str) -> Result<String, ErrorView> {
    match window {
        "inbox" | "settings" => Ok(format!("window:{window}")),
        _ => Err(invalid("A window is inbox or settings.")),
    }
}

pub fn window_shape(shared: &Shared, window: &str) -> Result<Reply, ErrorView> {
    let key = shape_key(window)?;
    let text = shared
        .store
        .read(|tx| tx.setting(&key))
        .map_err(|error| storage(&error))?;
    Ok(Reply::Shape(
        text.and_then(|text| serde_json::from_str(&text).ok()),
    ))
}

pub fn set_window_shape(
    shared: &Shared,
    window: &str,
    shape: WindowShape,
) -> Result<Reply, ErrorView> {
    let key = shape_key(window)?;
    let text = serde_json::to_string(&shape).map_err(|error| {
        ErrorView::new(ErrorCode::Internal, "The size could not be written.").with_detail(error)
    })?;
    shared
        .store
        .write(|tx| tx.set_setting(&key, &text))
        .map_err(|error| storage(&error))?;
    Ok(Reply::Done)
}

pub async fn test_toast(shared: &Shared) -> Result<Reply, ErrorView> {
    let toast = Toast {
        key: TEST_TOAST,
        title: "Tidings can reach you".to_owned(),
        body: "This is a test. Did you see it?".to_owned(),
        tier: Tier::Important,
        sound: Some(shared.rulebook().document().sounds.sound.clone()),
        volume: shared.rulebook().document().sounds.volume.min(100),
        hushed: lock(&shared.around).do_not_disturb,
        update: false,
        actions: Vec::new(),
        icon: None,
    };
    match shared.notifier.show(toast).await {
        Ok(()) => Ok(Reply::Done),
        Err(error) => Err(ErrorView::new(
            ErrorCode::Internal,
            format!("The test could not be shown: {error}."),
        )),
    }
}
