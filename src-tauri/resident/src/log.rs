//! The log: a file in the profile, bounded, and standard error where `TIDINGS_LOG` asks for it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged to standard error, as in `TIDINGS_LOG=debug` or `TIDINGS_LOG=tidings_core=trace`.
const VARIABLE: &str = "TIDINGS_LOG";
/// A file this long, in bytes, becomes the old one.
const LONGEST: u64 = 1024 * 1024;

/// Logs to the profile, and to standard error where it is asked for. A second call changes nothing.
pub fn to_profile(logs: &Path) {
    let file = LogFile::new(logs.join("tidings.log"));
    let to_file = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(file);
    let asked_for = asked_for();
    let to_stderr = asked_for.is_some().then(|| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(io::stderr)
    });
    let levels = asked_for.unwrap_or_else(|| {
        Targets::new()
            .with_default(LevelFilter::WARN)
            .with_targets([
                ("tidings", LevelFilter::INFO),
                ("tidings_core", LevelFilter::INFO),
            ])
    });
    let registry = tracing_subscriber::registry()
        .with(levels)
        .with(to_file)
        .with(to_stderr);
    // It is set only once in a process; tests share theirs.
    if registry.try_init().is_ok() {
        log_panics();
    }
}

/// Logs to standard error where it is asked for, and nowhere else.
pub fn to_stderr() {
    if let Some(levels) = asked_for() {
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(io::stderr);
        drop(
            tracing_subscriber::registry()
                .with(levels)
                .with(layer)
                .try_init(),
        );
    }
}

fn asked_for() -> Option<Targets> {
    std::env::var(VARIABLE).ok()?.parse().ok()
}

/// A panic in a task is logged with its place; the task's owner notices its end.
fn log_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(
            place,
            "a task panicked: {}",
            panic.payload_as_str().unwrap_or_default()
        );
        before(panic);
    }));
}

/// A file that is put aside when it is long; one old one is kept.
#[derive(Clone)]
struct LogFile(Arc<Mutex<State>>);

struct State {
    path: PathBuf,
    file: Option<File>,
    length: u64,
}

impl LogFile {
    fn new(path: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(State {
            path,
            file: None,
            length: 0,
        })))
    }
}

impl State {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let more = bytes.len() as u64;
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&self.path)?;
            self.length = file.metadata()?.len();
            self.file = Some(file);
        }
        if self.length > 0 && self.length + more > LONGEST {
            self.file = None;
            fs::rename(&self.path, self.path.with_extension("old.log"))?;
            return self.write(bytes);
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_all(bytes)?;
        self.length += more;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk costs log lines, nothing else.
        drop(state.write(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogFile {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_goes_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.log");
        let line = vec![b'x'; 64 * 1024];
        for _ in 0..5 {
            let mut log = LogFile::new(path.clone());
            for _ in 0..13 {
                log.write_all(&line).unwrap();
            }
        }
        let length = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
        assert_eq!(length("tidings.old.log"), LONGEST);
        assert_eq!(length("tidings.log"), 65 * 64 * 1024 - 4 * LONGEST);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_log_that_cannot_be_written_stops_nobody() {
        let mut log = LogFile::new("/nonexistent/tidings.log".into());
        log.write_all(b"x").unwrap();
    }
}
