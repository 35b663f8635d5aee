//! The desktop's own proxy settings, asked of its portal (`org.freedesktop.portal.ProxyResolver`), which knows
//! what the user set, automatic configuration included.

use super::bus;
use super::clock::{SystemClock, within};
use std::time::Duration;
use tidings_core::ports::{Clock as _, Later, Proxies};
use tokio::sync::Mutex;
use url::Url;
use zbus::Connection;

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.ProxyResolver";
/// How long the portal may take; it may have to be started first.
const LIMIT: Duration = Duration::from_millis(1500);
/// One that did not answer is not waited for again so soon.
const AGAIN: Duration = Duration::from_mins(1);

/// The portal of this desktop, if there is one.
#[derive(Default)]
pub struct Portal(Mutex<State>);

#[derive(Default)]
struct State {
    bus: Option<Connection>,
    /// It is not asked before this, in awake time.
    not_before: Duration,
}

impl Portal {
    async fn lookup(&self, origin: &Url) -> Vec<String> {
        let mut state = self.0.lock().await;
        let now = SystemClock.awake();
        if now < state.not_before {
            return Vec::new();
        }
        let asking = async {
            if state.bus.is_none() {
                state.bus = bus::session().await;
            }
            let Some(bus) = state.bus.clone() else {
                return Ok(Vec::new());
            };
            let origin = origin.as_str();
            bus.call_method(Some(NAME), PATH, Some(INTERFACE), "Lookup", &origin)
                .await?
                .body()
                .deserialize()
        };
        match within(LIMIT, asking).await {
            Some(Ok(ways)) => ways,
            // There is none, or it cannot look up: the bus says so at once, each time anew.
            Some(Err(zbus::Error::MethodError(name, ..))) => {
                tracing::debug!(%name, "the desktop does not say which proxy to take");
                Vec::new()
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "the session bus is gone");
                state.bus = None;
                Vec::new()
            }
            None => {
                tracing::warn!("the desktop does not say in time which proxy to take");
                state.not_before = SystemClock.awake() + AGAIN;
                Vec::new()
            }
        }
    }
}

impl Proxies for Portal {
    fn ways(&self, origin: &Url) -> Later<'_, Vec<String>> {
        let origin = origin.clone();
        Box::pin(async move { self.lookup(&origin).await })
    }
}
