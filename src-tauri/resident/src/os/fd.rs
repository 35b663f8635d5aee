//! Waiting for a descriptor of the kernel's.

use rustix::fd::OwnedFd;
use std::io;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor that can be waited for until it is readable.
///
/// # Errors
/// The runtime's: it cannot watch this descriptor.
#[expect(
    deprecated,
    reason = "its successor is unsafe for the sake of types that may close or swap their descriptor; \
              an OwnedFd that this owns can do neither"
)]
pub fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}
