//! Silence is failure: measured in awake time, on complete frames only, so that neither a half-open
//! socket nor a byte now and then keeps a dead connection alive.

use super::http::Clients;
use crate::ports::{Clock, Later};
use std::sync::Arc;
use std::time::Duration;

/// Fires when it was not fed for so long. One sleep serves many frames: what arrives only notes the
/// time.
pub(super) struct Watchdog {
    clock: Arc<dyn Clock>,
    silence: Duration,
    fed: Duration,
    sleep: Later<'static, ()>,
    clients: Arc<Clients>,
}

impl Watchdog {
    /// What dies of silence was perhaps not alone: `clients` keep no connection either.
    pub(super) fn new(clock: Arc<dyn Clock>, silence: Duration, clients: Arc<Clients>) -> Self {
        Self {
            fed: clock.awake(),
            sleep: clock.sleep(silence),
            clock,
            silence,
            clients,
        }
    }

    /// Another silence is too long from now on.
    pub(super) fn expect(&mut self, silence: Duration) {
        self.silence = silence;
        self.fed = self.clock.awake();
        self.sleep = self.clock.sleep(silence);
    }

    /// A frame is complete.
    pub(super) fn feed(&mut self) {
        self.fed = self.clock.awake();
    }

    /// Ends when the silence is too long. May be dropped and asked again.
    pub(super) async fn bite(&mut self) {
        loop {
            (&mut self.sleep).await;
            let quiet = self.clock.awake().saturating_sub(self.fed);
            let left = self.silence.saturating_sub(quiet);
            self.sleep = self.clock.sleep(left);
            if left.is_zero() {
                self.clients.forget();
                return;
            }
        }
    }
}
