//! What is done for the database behind everybody's back: its log is folded in, and after an end without a
//! word the file is looked through.

use super::Shared;
use crate::store::StoreError;
use std::sync::Arc;
use std::time::Duration;

/// The log is folded in after so many notifications: late enough to be worth it, and before a writer would
/// have to do it, with everybody waiting.
const FOLD_AFTER: usize = 40;
/// Looking through a large file keeps the disk busy: first everything is connected and fetched.
const CHECK_AFTER: Duration = Duration::from_secs(10);

/// What happened to the database since the log was folded in.
#[derive(Debug, Default)]
pub struct Since(usize);

impl Since {
    /// So many notifications were stored. Whether the log is to be folded in now.
    pub fn stored(&mut self, count: usize) -> bool {
        self.0 += count;
        if self.0 < FOLD_AFTER {
            return false;
        }
        self.0 = 0;
        true
    }
}

/// Folds the log in when told. Runs until it is dropped.
pub async fn fold(shared: Arc<Shared>) {
    loop {
        shared.wake_upkeep.notified().await;
        if let Err(error) = off_the_way(&shared, |shared| shared.store.fold()).await {
            tracing::debug!(%error, "the log was not folded in; a writer will");
        }
    }
}

/// Looks through a file that the last run did not leave in order, once.
pub async fn check(shared: Arc<Shared>) {
    if !shared.store.is_unchecked() {
        return;
    }
    shared.clock.sleep(CHECK_AFTER).await;
    match off_the_way(&shared, |shared| shared.store.check()).await {
        Ok(()) => tracing::info!("the last run ended without a word, and left a whole file"),
        Err(StoreError::Damaged) => {
            tracing::error!("the last run ended without a word, and left a damaged file");
            shared.found_damage.notify_one();
        }
        Err(error) => tracing::warn!(%error, "the file could not be looked through"),
    }
}

/// On a thread where it may wait for the disk.
async fn off_the_way(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<(), StoreError> + Send + 'static,
) -> Result<(), StoreError> {
    let shared = Arc::clone(shared);
    let done = tokio::task::spawn_blocking(move || work(&shared)).await;
    // It ends only with its runtime, or by a panic, which was logged.
    done.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_folded_in_once_it_is_worth_it() {
        let mut since = Since::default();
        assert!(!since.stored(FOLD_AFTER - 1));
        assert!(since.stored(1));
        assert!(!since.stored(1));
        assert!(since.stored(10 * FOLD_AFTER), "many at once are one reason");
        assert!(!since.stored(FOLD_AFTER - 1));
    }
}
