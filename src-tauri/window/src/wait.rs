//! The one place where this process waits for time to pass. What it waits for (a size to rest, a page
//! to paint, the resident to come back) may take longer when the machine sleeps.

use std::time::Duration;

/// Waits.
pub async fn wait(duration: Duration) {
    #[allow(clippy::disallowed_methods, reason = "the window has no port Clock")]
    tokio::time::sleep(duration).await;
}
