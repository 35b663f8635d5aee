//! The control socket's server: what windows, commands and tests talk to.
//!
//! Only its user reaches it (a folder of mode 0700, and the kernel is asked who calls); lines, calls and
//! connections are bounded; nothing that is sent to it can do more than end its own connection.

mod clients;
fn answer(id: u64, done: Result<Reply, ErrorView>) -> Line {
    match done {
        Ok(reply) => Line::Reply {
            id,
            reply: Box::new(reply),
        },
        Err(error) => Line::Error { id, error },
    }
}

#[cfg(test)]
mod tests;

pub use clients::{ClientId, Clients, Left};

use crate::os::clock::{pause, within};
use crate::profile::Profile;
use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tidings_api::wire::{self, Call, Hello, Line};
use tidings_api::{ErrorCode, ErrorView, Event, Reply, Request};
use tidings_core::ports::Later;
use tokio::io::{BufReader, ReadHalf, WriteHalf};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinSet;

/// How long a caller may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);
/// How long a caller may take to read a line.
const WRITE: Duration = Duration::from_secs(10);
/// Calls of one connection that may be under way; more wait in the socket.
const UNDER_WAY: usize = 16;
/// Answers and hints on their way to one connection.
const LINES: usize = 64;

/// What the socket leads to.
pub trait Verbs: Send + Sync + 'static {
    /// Answers a request.
    fn handle(&self, request: Request) -> Later<'_, Result<Reply, ErrorView>>;
    /// Hints from now on.
    fn hints(&self) -> broadcast::Receiver<Event>;
    /// No window is open any more.
    fn window_gone(&self);
}

/// Listens at the profile's socket, in place of one that was left behind: whoever holds the profile's
/// lock is the only one there.
///
/// # Errors
/// In words; the path cannot be used.
pub fn listen(profile: &Profile) -> Result<Listener, ErrorView> {
    let failed = |error: io::Error| {
        let words = format!(
            "Tidings cannot listen at {}: {error}. Is the folder writable?",
            profile.socket.display()
        );
        ErrorView::new(ErrorCode::Storage, words).with_detail(error)
    };
    match std::fs::remove_file(&profile.socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let name = profile
        .socket
        .as_path()
        .to_fs_name::<GenericFilePath>()
        .map_err(failed)?;
    let listener = ListenerOptions::new()
        .name(name)
        .create_tokio()
        .map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&profile.socket, mode).map_err(failed)?;
    }
    Ok(listener)
}

/// Serves callers, for ever. Dropping it hangs up on all of them.
pub async fn serve(listener: Listener, verbs: Arc<dyn Verbs>, clients: Arc<Clients>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(stream) if is_ours(&stream) => {
                    let verbs = Arc::clone(&verbs);
                    connections.spawn(connection(stream, verbs, Arc::clone(&clients)));
                }
                Ok(_) => tracing::warn!("another user called at the control socket"),
                Err(error) => {
                    // No descriptors, most likely: they come back as callers go.
                    tracing::warn!(%error, "a caller could not be taken");
                    pause(Duration::from_millis(100)).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!("a connection of the control socket panicked");
                }
            }
        }
    }
}

/// Whether the caller is the same user.
fn is_ours(stream: &Stream) -> bool {
    #[cfg(unix)]
    {
        let ours = rustix::process::geteuid().as_raw();
        stream
            .peer_creds()
            .is_ok_and(|peer| peer.euid() == Some(ours))
    }
    // The pipe's own rights let nobody else in.
    #[cfg(not(unix))]
    {
        let _ = stream;
        true
    }
}

/// Undoes what a connection stands for, however it ends.
struct Entered {
    id: ClientId,
    clients: Arc<Clients>,
    verbs: Arc<dyn Verbs>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let unshown = self.clients.take_unshown(self.id);
        let left = self.clients.leave(self.id);
        // Outside a runtime everything stops anyway.
        if let (Some((target, token)), Ok(runtime)) =
            (unshown, tokio::runtime::Handle::try_current())
        {
            let verbs = Arc::clone(&self.verbs);
            let request = Request::OpenWindow { target, token };
            runtime.spawn(async move { verbs.handle(request).await });
        }
        match left {
            Left::Nothing => {}
            Left::Nobody => self.verbs.window_gone(),
            Left::Other(presence) => {
                let verbs = Arc::clone(&self.verbs);
                // Outside a runtime everything stops anyway.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(async move { verbs.handle(Request::Looking(presence)).await });
                }
            }
        }
    }
}

async fn connection(stream: Stream, verbs: Arc<dyn Verbs>, clients: Arc<Clients>) {
    let (receive, mut send) = tokio::io::split(stream);
    let (lines, outgoing) = mpsc::channel(LINES);
    let Some(id) = clients.enter(lines.clone()) else {
        refuse(&mut send, "Too many programs talk to Tidings just now.").await;
        return;
    };
    let entered = Entered { id, clients, verbs };
    let mut reader = BufReader::new(receive);
    match within(HELLO, greet(&mut reader, &mut send)).await {
        Some(Ok(hello)) => {
            if hello.role == "window" {
                entered.clients.is_window(id);
            }
        }
        Some(Err(error)) => {
            tracing::debug!(%error, "a caller did not say hello");
            refuse(&mut send, "Say hello first.").await;
            return;
        }
        None => return,
    }
    tokio::select! {
        () = read(&mut reader, &entered, lines) => {}
        () = write(&mut send, outgoing) => {}
    }
}

/// Exchanges hellos. One of another version is told ours, and hears no more.
async fn greet(
    reader: &mut BufReader<ReadHalf<Stream>>,
    send: &mut WriteHalf<Stream>,
) -> io::Result<Hello> {
    let line = wire::read_line(reader)
        .await?
        .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let theirs: Hello = serde_json::from_str(&line).map_err(|_| io::ErrorKind::InvalidData)?;
    let ours = Hello {
        tidings: wire::VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        role: "resident".to_owned(),
    };
    wire::write_line(send, &ours).await?;
    if theirs.tidings == wire::VERSION {
        Ok(theirs)
    } else {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

/// Says why, to a caller that may not be listening, and hangs up.
async fn refuse(send: &mut WriteHalf<Stream>, words: &str) {
    let error = ErrorView::new(ErrorCode::Invalid, words);
    let line = Line::Error { id: 0, error };
    // It is cut off in any case.
    drop(within(HELLO, wire::write_line(send, &line)).await);
}

/// Reads calls until the caller hangs up or sends what is no line.
async fn read(
    reader: &mut BufReader<ReadHalf<Stream>>,
    entered: &Entered,
    lines: mpsc::Sender<Line>,
) {
    let room = Arc::new(Semaphore::new(UNDER_WAY));
    let mut watching = JoinSet::new();
    loop {
        let line = match wire::read_line(reader).await {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, "a caller sent what is no line");
                let words = "That line is too long, or is no text.";
                let error = ErrorView::new(ErrorCode::Invalid, words);
                drop(lines.send(Line::Error { id: 0, error }).await);
                // Let the words out before the connection is cut.
                pause(Duration::from_millis(50)).await;
                return;
            }
        };
        let Call { id, request } = match serde_json::from_str(&line) {
            Ok(call) => call,
            Err(wrong) => {
                // Its place, not its words: the line may hold a secret.
                let at = format!("line {}, column {}", wrong.line(), wrong.column());
                let error =
                    ErrorView::new(ErrorCode::Invalid, "Tidings does not know this request.")
                        .with_detail(at);
                let id = id_of(&line);
                if lines.send(Line::Error { id, error }).await.is_err() {
                    return;
                }
                continue;
            }
        };
        // A window that closes says its size and that nobody looks at it; anything else is a reaction.
        if !matches!(&request, Request::WindowShapeSet { .. })
            && !matches!(&request, Request::Looking(presence) if !presence.focused)
        {
            entered.clients.reacts(entered.id);
        }
        match &request {
            Request::Watch => {
                // Hints first: what happens between the answer and the first hint is not missed.
                let hints = entered.verbs.hints();
                if entered.clients.watches(entered.id) {
                    watching.spawn(forward(hints, lines.clone()));
                }
                let reply = Box::new(Reply::Done);
                if lines.send(Line::Reply { id, reply }).await.is_err() {
                    return;
                }
                continue;
            }
            Request::Looking(presence) => {
                entered.clients.looks(entered.id, presence);
                // At once: handled after the connection's end, it would have somebody look for ever.
                let line = answer(id, entered.verbs.handle(request).await);
                if lines.send(line).await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let verbs = Arc::clone(&entered.verbs);
        let lines = lines.clone();
        // Not cut short with the connection: what was asked for is done, whoever hears of it.
        tokio::spawn(async move {
            let line = answer(id, verbs.handle(request).await);
            drop(lines.send(line).await);
            drop(permit);
        });
    }
}

/// The id of a call that could not be read otherwise, so that its caller need not wait; 0 if it has
/// none.
fn id_of(line: &str) -> u64 {
    #[derive(serde::Deserialize)]
    struct Id {
        id: u64,
    }
    serde_json::from_str::<Id>(line).map_or(0, |call| call.id)
}

async fn write(send: &mut WriteHalf<Stream>, mut lines: mpsc::Receiver<Line>) {
    while let Some(line) = lines.recv().await {
        match within(WRITE, wire::write_line(send, &line)).await {
            Some(Ok(())) => {}
            Some(Err(_)) => return,
            None => {
                tracing::debug!("a caller does not read");
                return;
            }
        }
    }
}

/// Passes hints on. One that cannot follow is told to read everything again.
async fn forward(mut hints: broadcast::Receiver<Event>, lines: mpsc::Sender<Line>) {
    loop {
        let event = match hints.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => Event::Resync,
            Err(RecvError::Closed) => return,
        };
        if lines.send(Line::Event { event }).await.is_err() {
            return;
        }
    }
}
