//! What end-to-end tests, the demo and the screenshots stand on: a private desktop with its own
//! display, buses, keyring, notification daemon and tray host, and ways to watch programs on it.
//!
//! Nothing here touches the desktop of whoever runs it: home, XDG directories and buses are private
//! and temporary, and every program dies with the value that started it, also when a test is killed.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    reason = "these programs run in real time: waiting for them needs the real clock, always with a limit"
)]

use std::{error::Error, time::Duration};

mod binaries;
mod desktop;
pub mod fakes;
mod notifications;
mod portal;
mod process;
mod python;
mod screen;
mod screenshot;
pub mod servers;
mod tray;
mod webdriver;

pub use binaries::{BIN_DIR_VARIABLE, binary};
pub use desktop::{Desktop, NotificationDaemon, Options};
pub use notifications::{Call, CloseReason, RecordingDaemon, Toast};
pub use portal::Portal;
pub use process::{Memory, Program};
pub use python::python_package;
pub use screen::{Key, Look, Screen};
pub use screenshot::{grab_display, grab_window};
pub use tray::{MenuItem, Pixmap, ToolTip, TrayHost, TrayItem};
pub use webdriver::{Driver, Element, Window};

/// What everything here returns: tests only show failures, they don't branch on them.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How often a condition without a signal of its own (a file, a process) is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// Looks again and again until `probe` answers, for at most `limit`.
///
/// `what` completes the sentence "waited 5 s for …".
///
/// # Errors
/// The time is over; or whatever `probe` fails with.
pub async fn until<T, F>(what: &str, limit: Duration, mut probe: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<Option<T>>,
{
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(format!("waited {limit:?} for {what}").into());
        }
        tokio::time::sleep(GLANCE).await;
    }
}
