//! The client of the control socket.

use crate::error::{ErrorCode, ErrorView};
use crate::event::Event;
use crate::request::{Reply, Request};
use crate::wire::{self, Call, Hello, Line};
use interprocess::local_socket::GenericFilePath;
use interprocess::local_socket::tokio::{Stream, prelude::*};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{BufReader, ReadHalf, WriteHalf};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

/// Hints kept for a watcher that is slow; more are folded into one [`Event::Resync`].
const WAITING_EVENTS: usize = 256;

/// Why a call could not be made or was refused.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No resident listens at this socket.
    #[error("Tidings is not running.")]
    NotRunning,
    /// The resident speaks another version of the contract.
    #[error(
        "The running Tidings is version {theirs}, this program is {ours}. Quit Tidings and start it again."
    )]
    Version {
        /// The resident's version.
        theirs: String,
        /// This program's version.
        ours: String,
    },
    /// The connection broke.
    #[error("The connection to the running Tidings broke: {0}")]
    Broken(#[from] io::Error),
    /// The resident answered with an error.
    #[error(transparent)]
    Refused(#[from] ErrorView),
}

impl ClientError {
    /// The same error as the contract words it.
    pub fn into_view(self) -> ErrorView {
        match self {
            Self::Refused(view) => view,
            Self::NotRunning => ErrorView::new(ErrorCode::NeedsResident, self.to_string()),
            Self::Version { .. } | Self::Broken(_) => {
                ErrorView::new(ErrorCode::Internal, self.to_string())
            }
        }
    }
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Reply, ErrorView>>>>>;

/// A connection to the resident. Calls may overlap; dropping it hangs up.
pub struct Client {
    writer: AsyncMutex<WriteHalf<Stream>>,
    waiting: Waiting,
    next: AtomicU64,
    events: Mutex<Option<Events>>,
    resident: Hello,
    reader: tokio::task::JoinHandle<()>,
}

/// The hints of a watching client, in order.
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    /// The next hint; none when the connection is gone.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

impl Client {
    /// Connects to the resident that listens at `socket`. `role` is `window`, `cli` or `test`.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] if nobody listens there, [`ClientError::Version`] if the contract
    /// differs, [`ClientError::Broken`] otherwise.
    pub async fn connect(socket: &Path, role: &str) -> Result<Self, ClientError> {
        let name = socket.to_fs_name::<GenericFilePath>()?;
        let stream = Stream::connect(name)
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    ClientError::NotRunning
                }
                _ => ClientError::Broken(error),
            })?;
        let (receive, mut send) = tokio::io::split(stream);
        let mut reader = BufReader::new(receive);
        let ours = env!("CARGO_PKG_VERSION").to_owned();
        let hello = Hello {
            tidings: wire::VERSION,
            version: ours.clone(),
            role: role.to_owned(),
        };
        wire::write_line(&mut send, &hello).await?;
        let answer = wire::read_line(&mut reader)
            .await?
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        // Instead of a hello there may be a refusal: too many callers.
        if let Ok(Line::Error { error, .. }) = serde_json::from_str(&answer) {
            return Err(error.into());
        }
        let resident: Hello = serde_json::from_str(&answer).map_err(io::Error::other)?;
        if resident.tidings != wire::VERSION {
            return Err(ClientError::Version {
                theirs: resident.version,
                ours,
            });
        }
        let waiting = Waiting::default();
        let (hints, events) = mpsc::channel(WAITING_EVENTS);
        let reader = tokio::spawn(read(reader, Arc::clone(&waiting), hints));
        Ok(Self {
            writer: AsyncMutex::new(send),
            waiting,
            next: AtomicU64::new(1),
            events: Mutex::new(Some(Events(events))),
            resident,
            reader,
        })
    }

    /// The resident's version.
    pub fn resident_version(&self) -> &str {
        &self.resident.version
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the resident's words, or [`ClientError::Broken`].
    pub async fn call(&self, request: Request) -> Result<Reply, ClientError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(id, answer);
        let call = Call { id, request };
        if let Err(error) = wire::write_line(&mut *self.writer.lock().await, &call).await {
            lock(&self.waiting).remove(&id);
            return Err(error.into());
        }
        // The reader may have ended before the call was entered: then nobody will answer it.
        if self.reader.is_finished() {
            lock(&self.waiting).remove(&id);
        }
        match answered.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    /// Asks for hints from now on. The stream can be taken once per connection.
    ///
    /// # Errors
    /// As [`Client::call`]; [`ClientError::Broken`] if it was taken before.
    pub async fn watch(&self) -> Result<Events, ClientError> {
        let events = lock(&self.events).take();
        let events = events.ok_or_else(|| io::Error::other("already watching"))?;
        self.call(Request::Watch).await?;
        Ok(events)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(
    mut reader: BufReader<ReadHalf<Stream>>,
    waiting: Waiting,
    hints: mpsc::Sender<Event>,
) {
    let mut behind = false;
    while let Ok(Some(line)) = wire::read_line(&mut reader).await {
        // A line this version does not know is skipped: it can only be news.
        let Ok(line) = serde_json::from_str::<Line>(&line) else {
            continue;
        };
        let (id, result) = match line {
            Line::Reply { id, reply } => (id, Ok(*reply)),
            Line::Error { id, error } => (id, Err(error)),
            Line::Event { event } => {
                if behind && hints.try_send(Event::Resync).is_err() {
                    continue;
                }
                behind = hints.try_send(event).is_err();
                continue;
            }
        };
        if let Some(answer) = lock(&waiting).remove(&id) {
            // The caller may have given up waiting; its answer then has no reader.
            drop(answer.send(result));
        }
    }
    lock(&waiting).clear();
}
