//! Every number of the connections, from the table "Times" of the design; nowhere else are there
//! any.

use std::time::Duration;

/// Time to a TCP connection, TLS included.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Time from the start of a request to the end of the response's headers, redirects included.
pub const HEADERS: Duration = Duration::from_secs(20);
/// Time for the desktop to say which proxy a server is behind; then there is none.
pub const PROXY_WITHIN: Duration = Duration::from_secs(2);
/// Between two pings of a WebSocket.
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// Time for any frame after a ping.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);
/// Time for a file that somebody else named, from the first request to its last byte.
pub const DOWNLOAD: Duration = Duration::from_secs(30);
/// Time for a server to answer our close.
pub const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// Least delay between two attempts.
pub const BACKOFF_LEAST: Duration = Duration::from_secs(1);
/// Greatest delay during the first minute of an outage.
pub const BACKOFF_EARLY: Duration = Duration::from_secs(5);
/// How long that first minute is.
pub const BACKOFF_EARLY_FOR: Duration = Duration::from_mins(1);
/// Greatest delay later.
pub const BACKOFF_MOST: Duration = Duration::from_mins(5);
/// A connection that was good for so long ends the outage.
pub const PROVEN: Duration = Duration::from_mins(1);
/// Least `Retry-After` that is believed.
pub const RETRY_AFTER_LEAST: Duration = Duration::from_secs(1);
/// Greatest `Retry-After` that is believed.
pub const RETRY_AFTER_MOST: Duration = Duration::from_mins(15);
/// Least `retry:` of an event stream that is believed.
pub const WISH_LEAST: Duration = Duration::from_secs(1);
/// Greatest `retry:` of an event stream that is believed.
pub const WISH_MOST: Duration = Duration::from_mins(5);
/// What is added to a learnt keepalive before its silence is death.
pub const KEEPALIVE_MARGIN: Duration = Duration::from_secs(15);
/// Silence that is death while no keepalive is known.
pub const SILENCE_UNKNOWN: Duration = Duration::from_mins(5);
/// How often to ask where nothing can be held open.
pub const POLL_EVERY: Duration = Duration::from_mins(1);
/// TCP keepalive, for the routers on the way.
pub const TCP_KEEPALIVE: Duration = Duration::from_mins(1);
/// How long a finished request's connection is kept for the next.
pub const POOL_IDLE: Duration = Duration::from_secs(15);
/// How many of these are kept for one host.
pub const POOL_SIZE: usize = 2;

/// A line of a stream or a message of a WebSocket, in bytes.
pub const FRAME: usize = crate::model::limits::FRAME;
/// How much of an HTTP/2 stream a server may send ahead, in bytes (RFC 9113, 6.9.1): what nobody has read
/// yet is memory.
pub const WINDOW: u32 = 512 * 1024;
/// The start of a refusal's body, in bytes.
pub const REFUSAL: usize = 4 * 1024;
/// Redirects followed within an origin.
pub const REDIRECTS: usize = 3;

/// The times that a user or a test can change. [`Times::default`] is the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// See [`CONNECT`].
    pub connect: Duration,
    /// See [`HEADERS`].
    pub headers: Duration,
    /// See [`PING_EVERY`].
    pub ping_every: Duration,
    /// See [`PONG_WITHIN`].
    pub pong_within: Duration,
    /// See [`BACKOFF_LEAST`].
    pub backoff_least: Duration,
    /// See [`BACKOFF_EARLY`].
    pub backoff_early: Duration,
    /// See [`BACKOFF_MOST`].
    pub backoff_most: Duration,
    /// See [`KEEPALIVE_MARGIN`].
    pub keepalive_margin: Duration,
    /// See [`SILENCE_UNKNOWN`].
    pub silence_unknown: Duration,
    /// See [`POLL_EVERY`].
    pub poll_every: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            headers: HEADERS,
            ping_every: PING_EVERY,
            pong_within: PONG_WITHIN,
            backoff_least: BACKOFF_LEAST,
            backoff_early: BACKOFF_EARLY,
            backoff_most: BACKOFF_MOST,
            keepalive_margin: KEEPALIVE_MARGIN,
            silence_unknown: SILENCE_UNKNOWN,
            poll_every: POLL_EVERY,
        }
    }
}

impl Times {
    /// The same, with nothing below what keeps servers and batteries from harm: 100 ms for
    /// backoff, 1 s for everything else, and each greatest not below its least.
    #[must_use]
    pub fn floored(self) -> Self {
        let second = Duration::from_secs(1);
        let backoff_least = self.backoff_least.max(Duration::from_millis(100));
        let backoff_early = self.backoff_early.max(backoff_least);
        Self {
            connect: self.connect.max(second),
            headers: self.headers.max(second),
            ping_every: self.ping_every.max(second),
            pong_within: self.pong_within.max(second),
            backoff_least,
            backoff_early,
            backoff_most: self.backoff_most.max(backoff_early),
            keepalive_margin: self.keepalive_margin.max(second),
            silence_unknown: self.silence_unknown.max(second),
            poll_every: self.poll_every.max(second),
        }
    }
}
