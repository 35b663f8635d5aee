//! Starts `tidings-window` when a window is wanted, and asks the one that is there to come forward.

use crate::control::Clients;
use crate::os::clock::SystemClock;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tidings_api::{ErrorCode, ErrorView, Target};
use tidings_core::ports::Clock as _;
use tokio::process::{Child, Command};

/// A window that has not called after so long hangs, and another one is started.
const PATIENCE: Duration = Duration::from_secs(20);

/// Overrides the command that starts a window, for tests: a program, or words separated by spaces.
pub const COMMAND: &str = "TIDINGS_WINDOW";

/// The window process, which may or may not run.
pub struct Windows {
    command: Vec<OsString>,
    socket: PathBuf,
    log: PathBuf,
    clients: Arc<Clients>,
    running: Mutex<Option<Running>>,
    failed: Box<dyn Fn(Option<String>) + Send + Sync>,
}

struct Running {
    process: Option<u32>,
    since: Duration,
    stop: Arc<tokio::sync::Notify>,
}

impl Windows {
    /// Windows that connect to `socket`. `failed` is told, in words, when one could not be shown, and
    /// nothing when one could.
    pub fn new(
        socket: &Path,
        logs: &Path,
        clients: Arc<Clients>,
        failed: impl Fn(Option<String>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            command: command(env::var_os(COMMAND), env::current_exe().ok().as_deref()),
            socket: socket.to_owned(),
            log: logs.join("window.txt"),
            clients,
            running: Mutex::default(),
            failed: Box::new(failed),
        }
    }

    /// Brings up a window that shows `target`. Must be called within the runtime.
    ///
    /// # Errors
    /// In words; the window's program cannot be started.
    pub fn present(
        self: &Arc<Self>,
        target: Target,
        token: Option<String>,
    ) -> Result<(), ErrorView> {
        if self.clients.present(&target, token.as_deref()) {
            return Ok(());
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(starting) = &*running {
            if SystemClock.awake().saturating_sub(starting.since) < PATIENCE {
                self.clients.present_later(target, token);
                return Ok(());
            }
            tracing::warn!("the window does not call; starting another");
            starting.stop.notify_one();
        }
        let child = self.start(&target, token).map_err(|error| {
            let words = if error.kind() == std::io::ErrorKind::NotFound {
                "The window could not be opened: the program tidings-window is not installed beside \
                 tidings. Install Tidings anew; until then `tidings list` shows the inbox."
                    .to_owned()
            } else {
                format!("The window could not be opened: {error}.")
            };
            (self.failed)(Some(words.clone()));
            ErrorView::new(ErrorCode::Internal, words).with_detail(error)
        })?;
        (self.failed)(None);
        let stop = Arc::new(tokio::sync::Notify::new());
        let started = Running {
            process: child.id(),
            since: SystemClock.awake(),
            stop: Arc::clone(&stop),
        };
        *running = Some(started);
        tokio::spawn(Arc::clone(self).wait(child, stop));
        Ok(())
    }

    /// Asks a window that we started to end: the user quits.
    pub fn close(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(process) = running.as_ref().and_then(|running| running.process) else {
            return;
        };
        #[cfg(unix)]
        if let Some(process) = i32::try_from(process)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            && let Err(error) =
                rustix::process::kill_process(process, rustix::process::Signal::TERM)
        {
            tracing::debug!(%error, "the window had ended already");
        }
        #[cfg(not(unix))]
        let _ = process;
    }

    fn start(&self, target: &Target, token: Option<String>) -> std::io::Result<Child> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or(std::io::ErrorKind::NotFound)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg("--socket")
            .arg(&self.socket)
            .arg("--show")
            .arg(serde_json::to_string(target)?)
            .stdin(Stdio::null())
            .env_remove("XDG_ACTIVATION_TOKEN")
            .env_remove("DESKTOP_STARTUP_ID");
        if let Some(token) = token {
            command
                .env("XDG_ACTIVATION_TOKEN", &token)
                .env("DESKTOP_STARTUP_ID", token);
        }
        // What the last window said, for diagnosis; without a file it goes nowhere.
        match File::create(&self.log).and_then(|log| Ok((log.try_clone()?, log))) {
            Ok((one, other)) => command.stdout(one).stderr(other),
            Err(_) => command.stdout(Stdio::null()).stderr(Stdio::null()),
        };
        command.spawn()
    }

    async fn wait(self: Arc<Self>, mut child: Child, stop: Arc<tokio::sync::Notify>) {
        let mine = child.id();
        let ended = tokio::select! {
            ended = child.wait() => ended,
            () = stop.notified() => {
                if let Err(error) = child.kill().await {
                    tracing::debug!(%error, "the window had ended already");
                }
                return;
            }
        };
        match &ended {
            Ok(status) if status.success() => {}
            Ok(status) => {
                tracing::warn!(%status, "the window ended");
                if !status.success() && status.code().is_some() {
                    (self.failed)(Some(format!(
                        "The window ended by itself ({status}). What it said is in {}.",
                        self.log.display()
                    )));
                }
            }
            Err(error) => tracing::warn!(%error, "the window cannot be waited for"),
        }
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if running
                .as_ref()
                .is_some_and(|running| running.process == mine)
            {
                *running = None;
            }
        }
        // It was asked for while the last window was on its way out.
        if let Some((target, token)) = self.clients.take_waiting()
            && ended.is_ok_and(|status| status.success())
            && let Err(error) = self.present(target, token)
        {
            tracing::warn!(%error, "no window");
        }
    }
}

/// What starts a window: the override, or the program beside this one.
fn command(overridden: Option<OsString>, this: Option<&Path>) -> Vec<OsString> {
    match overridden {
        Some(program) if Path::new(&program).is_file() => return vec![program],
        Some(words) => {
            let words = words.to_string_lossy();
            return words.split_whitespace().map(OsString::from).collect();
        }
        None => {}
    }
    let name = format!("tidings-window{}", env::consts::EXE_SUFFIX);
    let beside = this.and_then(Path::parent).map(|folder| folder.join(&name));
    vec![beside.map_or_else(|| name.into(), PathBuf::into_os_string)]
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::sync::mpsc;

    fn windows(folder: &Path, script: &str) -> (Arc<Windows>, mpsc::UnboundedReceiver<String>) {
        let program = folder.join("window");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (tell, told) = mpsc::unbounded_channel();
        let mut windows = Windows::new(Path::new("/run/s"), folder, Arc::default(), move |words| {
            if let Some(words) = words {
                tell.send(words).unwrap();
            }
        });
        windows.command = vec![program.into()];
        (Arc::new(windows), told)
    }

    async fn lines(file: &Path, count: usize) -> Vec<String> {
        loop {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            if lines.len() >= count && text.ends_with('\n') {
                return lines;
            }
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn the_window_is_found_beside_this_program_unless_overridden() {
        let this = Path::new("/opt/t/tidings");
        assert_eq!(command(None, Some(this)), ["/opt/t/tidings-window"]);
        assert_eq!(command(None, None), ["tidings-window"]);
        assert_eq!(command(Some("a b  c".into()), Some(this)), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn two_wishes_start_one_window_and_the_second_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = format!(
            "echo \"$* $XDG_ACTIVATION_TOKEN\" >> {}; exec sleep 1000",
            started.display()
        );
        let (windows, _told) = windows(folder.path(), &script);
        windows.present(Target::Inbox, Some("tok".into())).unwrap();
        windows.present(Target::Settings, None).unwrap();
        let lines = lines(&started, 1).await;
        assert_eq!(lines, ["--socket /run/s --show {\"show\":\"inbox\"} tok"]);
        let waiting = windows.clients.take_waiting();
        assert_eq!(waiting, Some((Target::Settings, None)));
        windows.close();
        while windows.running.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_wish_during_the_last_windows_end_starts_another() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let end = folder.path().join("end");
        let script = format!(
            "echo \"$4\" >> {}; while ! test -e {}; do sleep 0.01; done",
            started.display(),
            end.display()
        );
        let (windows, _told) = windows(folder.path(), &script);
        windows.present(Target::Inbox, None).unwrap();
        lines(&started, 1).await;
        windows.present(Target::Settings, None).unwrap();
        std::fs::write(&end, "").unwrap();
        let lines = lines(&started, 2).await;
        assert_eq!(lines, ["{\"show\":\"inbox\"}", "{\"show\":\"settings\"}"]);
    }

    #[tokio::test]
    async fn a_missing_or_failing_window_is_told_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let (windows, mut told) = windows(folder.path(), "echo broken >&2; exit 3");
        windows.present(Target::Inbox, None).unwrap();
        let words = told.recv().await.unwrap();
        assert!(words.contains("window.txt"), "{words}");
        let said = std::fs::read_to_string(folder.path().join("window.txt")).unwrap();
        assert_eq!(said, "broken\n");
        while windows.running.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
        std::fs::remove_file(folder.path().join("window")).unwrap();
        let error = windows.present(Target::Inbox, None).unwrap_err();
        assert!(error.message.contains("tidings list"), "{error}");
    }
}
