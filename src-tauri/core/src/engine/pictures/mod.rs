//! Icons, and previews of attachments: fetched when somebody wants to see them and the settings allow it, made
//! anew, kept in a cache. Nothing waits for a picture but who asked for it.

mod cache;
mod failures;
mod sources;

pub use cache::BUDGET;
pub use sources::Shown;

use super::connection::task;
use super::{Shared, storage};
use crate::backend::registry;
use crate::model::Notification;
use crate::picture::{self, LARGEST_FILE, Use};
use crate::store::StoreError;
use crate::transport::Wanted;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cache::Cache;
use failures::{Failed, Failures};
use sources::Source;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tidings_api::{ErrorCode, ErrorView, PictureOf, Pictures as Setting, Reply};
use tokio::sync::{OnceCell, Semaphore, mpsc};

/// Downloads at a time.
const DOWNLOADS: usize = 4;
/// Errands that wait; further ones are let go, for the next toast to ask again.
const QUEUE: usize = 32;
/// An icon is fetched again after so long, for its owner may have changed it.
const FRESH: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);
/// What is shown (RFC 9110, 12.5.1).
const ACCEPT: &str = "image/png, image/jpeg, image/gif, image/webp";

type Flight = Arc<OnceCell<Result<Arc<Vec<u8>>, ErrorView>>>;

/// What pictures share.
pub struct Pictures {
    cache: Arc<Cache>,
    failures: Failures,
    /// What is being fetched just now, so that it is fetched once.
    flights: Mutex<HashMap<(String, bool), Flight>>,
    downloads: Semaphore,
    /// One at a time is decoded, since that takes memory.
    decoding: Semaphore,
    errands: mpsc::Sender<Errand>,
}

/// What is done for pictures when nobody waits for it.
pub enum Errand {
    /// Have this for the next time.
    Fetch(Box<Source>),
    /// Remove files that nobody needs.
    Tidy,
}

impl Pictures {
    /// With its cache in a folder. The other end is for [`run`].
    pub fn new(folder: PathBuf, budget: u64) -> (Self, mpsc::Receiver<Errand>) {
        let (errands, waiting) = mpsc::channel(QUEUE);
        let pictures = Self {
            cache: Arc::new(Cache::new(folder, budget)),
            failures: Failures::default(),
            flights: Mutex::default(),
            downloads: Semaphore::new(DOWNLOADS),
            decoding: Semaphore::new(1),
            errands,
        };
        (pictures, waiting)
    }

    /// What failed may work now: the network is another one, or the settings are.
    pub fn hope_again(&self) {
        self.failures.forget();
    }

    /// Removes files that nobody needs, soon.
    pub fn tidy_soon(&self) {
        // With a queue full of errands, the next start does it.
        let _ = self.errands.try_send(Errand::Tidy);
    }
}

/// Runs errands until it is dropped.
pub async fn run(shared: Arc<Shared>, mut errands: mpsc::Receiver<Errand>) {
    shared.pictures.tidy_soon();
    while let Some(errand) = errands.recv().await {
        match errand {
            Errand::Tidy => {
                if let Err(error) = on_disk(&shared, |shared| {
                    shared
                        .pictures
                        .cache
                        .tidy(&shared.store, shared.clock.now())
                })
                .await
                {
                    tracing::warn!(%error, "pictures could not be tidied up");
                }
            }
            Errand::Fetch(source) => {
                // Whoever looks at it next is told why it is not there.
                let _ = fetched(&shared, &source, false).await;
            }
        }
    }
}

/// Answers [`tidings_api::Request::Picture`].
pub async fn picture(
    shared: &Arc<Shared>,
    id: crate::model::NotificationId,
    of: PictureOf,
    asked: bool,
) -> Result<Reply, ErrorView> {
    let sources = shared
        .store
        .read(|tx| {
            let notification = tx.notification(id)?;
            Source::all(tx, &notification, of)
        })
        .map_err(|error| storage(&error))?;
    let mut failed = ErrorView::new(
        ErrorCode::NotFound,
        "This notification has no such picture.",
    );
    for source in sources {
        match one(shared, source, asked).await {
            Ok(png) => {
                let png = BASE64_STANDARD.encode(png.as_slice());
                return Ok(Reply::Picture { png });
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// From the cache, or else fetched.
async fn one(shared: &Arc<Shared>, source: Source, asked: bool) -> Result<Arc<Vec<u8>>, ErrorView> {
    let kept = match cached(shared, &source).await? {
        Some((png, true)) => return Ok(png),
        Some((png, false)) => Some(png),
        None => None,
    };
    match (fetched(shared, &source, asked).await, kept) {
        (Ok(png), _) => Ok(png),
        // An old icon is better than none.
        (Err(_), Some(kept)) => Ok(kept),
        (Err(error), None) => Err(error),
    }
}

/// What the cache has of it, and whether that is fresh.
async fn cached(
    shared: &Arc<Shared>,
    source: &Source,
) -> Result<Option<(Arc<Vec<u8>>, bool)>, ErrorView> {
    let now = shared.clock.now();
    let key = source.key.clone();
    let found = on_disk(shared, move |shared| {
        shared.pictures.cache.find(&shared.store, &key, now)
    })
    .await
    .map_err(|error| storage(&error))?;
    Ok(found.map(|found| {
        let is_fresh =
            source.wanted == Use::Preview || now.duration_since(found.fetched_at) < FRESH;
        (Arc::new(found.png), is_fresh)
    }))
}

/// Fetches a picture, once for all who want it just now, and not again soon after it failed.
async fn fetched(
    shared: &Arc<Shared>,
    source: &Source,
    asked: bool,
) -> Result<Arc<Vec<u8>>, ErrorView> {
    let pictures = &shared.pictures;
    let setting = shared.settings().pictures;
    source.check(setting, asked, shared.clock.now())?;
    if let Some(error) = pictures
        .failures
        .of(&source.key, asked, shared.clock.awake())
    {
        return Err(error);
    }
    let name = (source.key.clone(), asked);
    let flight = Arc::clone(
        super::lock(&pictures.flights)
            .entry(name.clone())
            .or_default(),
    );
    let outcome = flight
        .get_or_init(|| async {
            // The flight before may have landed since the cache was asked.
            if let Some((png, true)) = cached(shared, source).await? {
                return Ok(png);
            }
            let abroad = asked || setting == Setting::Everywhere;
            match download(shared, source, abroad).await {
                Ok(png) => Ok(Arc::new(png)),
                Err(failed) => {
                    let error = failed.words(source);
                    tracing::debug!(host = source.host(), cause = %failed.cause, "no picture");
                    let now = shared.clock.awake();
                    pictures
                        .failures
                        .remember(&source.key, asked, failed.again_after, &error, now);
                    Err(error)
                }
            }
        })
        .await
        .clone();
    let mut flights = super::lock(&pictures.flights);
    if flights
        .get(&name)
        .is_some_and(|known| Arc::ptr_eq(known, &flight))
    {
        flights.remove(&name);
    }
    outcome
}

async fn download(shared: &Arc<Shared>, source: &Source, abroad: bool) -> Result<Vec<u8>, Failed> {
    let pictures = &shared.pictures;
    // It is never closed.
    let _one = pictures.downloads.acquire().await;
    let account = &source.account;
    let route = task::route(shared, account)
        .await
        .map_err(|failure| Failed::sign_in(&failure))?;
    let server = task::server(account);
    let wanted = Wanted {
        url: source.url.clone(),
        signed: registry::backend(account.kind).is_file(&server, &source.url),
        abroad,
        accept: ACCEPT,
        limit: LARGEST_FILE,
    };
    let bytes = shared.dial.download(&wanted, &route).await?;
    let _alone = pictures.decoding.acquire().await;
    let wanted = source.wanted;
    let png = tokio::task::spawn_blocking(move || picture::remade(&bytes, wanted))
        .await
        .unwrap_or(Err(picture::Unfit::Damaged))?;
    let kept = {
        let (key, account) = (source.key.clone(), source.account.id);
        let (png, expires_at) = (png.clone(), source.expires_at);
        on_disk(shared, move |shared| {
            let now = shared.clock.now();
            let of = (key.as_str(), account);
            shared
                .pictures
                .cache
                .keep(&shared.store, of, &png, expires_at, now)
        })
        .await
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "a picture could not be kept; it is fetched again the next time");
    }
    Ok(png)
}

/// The icon's file for a toast, if it is there. If it is not, it is fetched for the next toast: none ever waits.
pub fn for_toast(shared: &Shared, notification: &Notification) -> Option<PathBuf> {
    let setting = shared.settings().pictures;
    if setting == Setting::Never {
        return None;
    }
    let sources = shared
        .store
        .read(|tx| Source::all(tx, notification, PictureOf::Icon))
        .ok()?;
    let now = shared.clock.now();
    for source in &sources {
        let cache = &shared.pictures.cache;
        // One from elsewhere that its user once allowed is not shown unasked.
        if source.check(setting, false, now).is_ok()
            && let Some(path) = cache.file(&shared.store, &source.key, now)
        {
            return Some(path);
        }
    }
    for source in sources {
        if source.check(setting, false, now).is_ok() {
            // With a queue full of errands, the next toast asks again.
            let _ = shared
                .pictures
                .errands
                .try_send(Errand::Fetch(Box::new(source)));
        }
    }
    None
}

/// What the cache takes.
pub fn size(shared: &Shared) -> Result<Reply, ErrorView> {
    Cache::size(&shared.store)
        .map(Reply::PictureCache)
        .map_err(|error| storage(&error))
}

/// Empties the cache.
pub async fn empty(shared: &Arc<Shared>) -> Result<Reply, ErrorView> {
    on_disk(shared, |shared| shared.pictures.cache.empty(&shared.store))
        .await
        .map_err(|error| storage(&error))?;
    size(shared)
}

/// On a thread where it may wait for the disk.
async fn on_disk<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let shared = Arc::clone(shared);
    tokio::task::spawn_blocking(move || work(&shared))
        .await
        .unwrap_or_else(|_| Err(StoreError::Io("the work was given up".to_owned())))
}
