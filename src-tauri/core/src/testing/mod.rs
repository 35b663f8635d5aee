//! Fakes of everything the engine needs, for tests: time that only moves when told, connections that
//! follow a script, and a desktop that remembers what it was asked. For the feature `testing`.

mod clock;
mod desktop;
mod notifier;
mod secrets;
#[cfg(test)]
mod tests;
mod transport;

pub use clock::FakeClock;
pub use desktop::FakeDesktop;
pub use notifier::{NotifierMode, RecordingNotifier};
pub use secrets::{MemorySecrets, SecretsMode};
pub use transport::{Reply, Script, ScriptedTransport, Seen, Step};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic in one test task must not hide behind a poisoned lock in another.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
