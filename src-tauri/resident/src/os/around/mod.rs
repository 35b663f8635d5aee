//! What is so around the screen, as this desktop tells it: locked, presenting, full screen, "do not disturb".
//!
//! Nothing is asked by the clock: each that tells is asked once, when it is there, and heard from then on. What no
//! desktop on Linux tells other programs is that the screen is shared (docs/policy.md).

mod ask;
mod follow;
mod screen;
mod sources;
#[cfg(test)]
mod tests;
mod words;

use super::bus;
use super::clock::{SystemClock, within};
use follow::Following;
use futures_util::future::join_all;
use screen::Screen;
use sources::{Bus, SOURCES};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tidings_core::model::{Context, Surroundings};
use tidings_core::ports::Clock as _;
use tokio::sync::watch;
use zbus::Connection;

pub use words::Words;

/// So long the first toasts may wait for the first answers.
const FIRST: Duration = Duration::from_millis(200);
/// A bus that is gone is looked for again after this long: most likely the session is over.
const AGAIN: Duration = Duration::from_mins(10);
/// Nobody presents for so long: what keeps the screen awake all day is there to keep it awake.
const LONGEST: Duration = Duration::from_hours(3);
/// Who tells of full screen, for people.
const WINDOWS: &str = "the window manager";

type Told = watch::Sender<Words>;

/// What is told, kept up to date by [`Around::watch`].
#[derive(Default)]
pub struct Around {
    words: Arc<Told>,
    /// Everybody who was there at the start has answered.
    looked: watch::Sender<bool>,
}

impl Around {
    /// What is told just now.
    pub fn words(&self) -> Words {
        self.words.borrow().clone()
    }

    /// Follows whatever tells, for ever.
    pub async fn watch(&self) {
        watch_screen(Arc::downgrade(&self.words));
        let (session, system) = tokio::join!(bus::session(), bus::system());
        let (on_session, on_system) = tokio::join!(
            self.meet(Bus::Session, session.as_ref()),
            self.meet(Bus::System, system.as_ref()),
        );
        self.looked.send_replace(true);
        tokio::join!(
            self.follow(Bus::Session, on_session),
            self.follow(Bus::System, on_system),
        );
    }

    /// Waits until everybody who is there has answered, but not for long.
    pub async fn looked(&self) {
        let mut looked = self.looked.subscribe();
        if within(FIRST, looked.wait_for(|looked| *looked))
            .await
            .is_none()
        {
            tracing::debug!("the desktop takes its time to tell what is around the screen");
        }
    }

    /// Calls `tell` with what is so, and with what is told at all: at once, and whenever either changes.
    pub async fn tell(&self, tell: impl Fn(Surroundings, Surroundings)) {
        let mut words = self.words.subscribe();
        let mut presenting = Presenting::default();
        loop {
            let (mut now, told) = {
                let words = words.borrow_and_update();
                (words.now(), words.told())
            };
            let left = presenting.left(now.presenting, SystemClock.awake());
            now.presenting = left.is_some();
            tell(now, told);
            let changed = match left {
                Some(left) => within(left, words.changed()).await,
                None => Some(words.changed().await),
            };
            if let Some(Err(_)) = changed {
                return;
            }
        }
    }

    /// Asks everybody on a bus.
    async fn meet(&self, which: Bus, bus: Option<&Connection>) -> Vec<Following> {
        let Some(bus) = bus else {
            return Vec::new();
        };
        let sources = SOURCES.iter().filter(|source| source.bus == which);
        let meeting = sources.map(|source| Following::begin(source, bus, Arc::clone(&self.words)));
        let met = join_all(meeting).await.into_iter();
        met.filter_map(|met| match met {
            Ok(following) => Some(following),
            Err(error) => {
                tracing::debug!(?which, %error, "the bus cannot be listened to");
                None
            }
        })
        .collect()
    }

    /// Hears those who were met until their bus is gone, and then those on its next. Ends where there never was one.
    async fn follow(&self, which: Bus, mut met: Vec<Following>) {
        while !met.is_empty() {
            join_all(met.into_iter().map(Following::go_on)).await;
            tracing::info!(?which, "the bus is gone");
            SystemClock.sleep(AGAIN).await;
            let bus = match which {
                Bus::Session => bus::session().await,
                Bus::System => bus::system().await,
            };
            met = self.meet(which, bus.as_ref()).await;
        }
    }
}

/// Since when it is told, in awake time.
#[derive(Default)]
struct Presenting(Option<Duration>);

impl Presenting {
    /// How long it is believed from now on; none: it is not so, or has been told for [`LONGEST`].
    fn left(&mut self, is: bool, now: Duration) -> Option<Duration> {
        self.0 = is.then(|| self.0.unwrap_or(now));
        let left = LONGEST.checked_sub(now.saturating_sub(self.0?))?;
        (!left.is_zero()).then_some(left)
    }
}

/// Asks everybody once: for a command, where no resident runs.
pub async fn look() -> Words {
    let around = Around::default();
    let screen = tokio::task::spawn_blocking(|| Screen::open()?.look().ok()?);
    let (session, system) = tokio::join!(bus::session(), bus::system());
    let (_session, _system) = tokio::join!(
        around.meet(Bus::Session, session.as_ref()),
        around.meet(Bus::System, system.as_ref()),
    );
    let full = screen.await.unwrap_or_default();
    hear(&around.words, Context::FullScreen, WINDOWS, full, true);
    around.words()
}

fn hear(told: &Told, context: Context, who: &'static str, is: Option<bool>, sure: bool) {
    told.send_if_modified(|words| words.hear(context, who, is, sure));
}

/// On a thread of its own, which nearly always waits: an X server may let its clients wait as long as another holds
/// it. It ends with its display, or at the first change after nobody wants to know any more.
fn watch_screen(told: Weak<Told>) {
    let watching = move || {
        let Some(mut screen) = Screen::open() else {
            return;
        };
        loop {
            let full = screen.look();
            let Some(told) = told.upgrade() else {
                return;
            };
            let is = full.as_ref().ok().copied().flatten();
            hear(&told, Context::FullScreen, WINDOWS, is, true);
            drop(told);
            if full.is_err() || screen.changed().is_err() {
                break;
            }
        }
        if let Some(told) = told.upgrade() {
            hear(&told, Context::FullScreen, WINDOWS, None, true);
        }
    };
    let thread = std::thread::Builder::new()
        .name("screen".to_owned())
        .stack_size(256 << 10);
    if let Err(error) = thread.spawn(watching) {
        tracing::warn!(%error, "the screen cannot be watched");
    }
}
