//! A profile, a server, and the program run on them, without a desktop.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tidings_server::{Access, Config, Permission, Server, User};

/// What a test fails after, however slow the machine.
pub const LIMIT: Duration = Duration::from_mins(1);

/// A profile of its own, away from any desktop.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub fn profile(&self) -> PathBuf {
        self.folder.path().join("profile")
    }

    pub fn socket(&self) -> PathBuf {
        self.profile()
            .canonicalize()
            .unwrap()
            .join("run/control.sock")
    }

    /// The program with these arguments. Neither this session's bus nor its display is seen.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("TIDINGS_PROFILE", self.profile())
            .env("TIDINGS_WINDOW", "/nonexistent/window")
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// Runs it with something on standard input.
    pub fn run_with(&self, input: &str, arguments: &[&str]) -> Ended {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        Ended::of(child.wait_with_output().unwrap())
    }

    /// Everything of this place.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts what stays, and waits until the profile's resident answers.
    pub async fn start(&self, arguments: &[&str]) -> Staying {
        self.start_command(self.command(arguments)).await
    }

    /// The same with a command of the caller's.
    pub async fn start_command(&self, mut command: Command) -> Staying {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut staying = Staying(child);
        let answering = async {
            loop {
                assert_eq!(staying.0.try_wait().unwrap(), None, "it ended");
                let profile = self.profile();
                if profile.exists()
                    && tidings_api::Client::connect(&self.socket(), "test")
                        .await
                        .is_ok()
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, answering)
            .await
            .expect("it answers");
        staying
    }

    pub async fn client(&self) -> tidings_api::Client {
        tidings_api::Client::connect(&self.socket(), "test")
            .await
            .unwrap()
    }

    /// Every file below the profile whose bytes contain `marker`.
    pub fn files_with(&self, marker: &str) -> Vec<PathBuf> {
        fn walk(folder: &Path, marker: &[u8], found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, marker, found);
                } else if let Ok(bytes) = std::fs::read(&path)
                    && bytes.windows(marker.len()).any(|window| window == marker)
                {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), marker.as_bytes(), &mut found);
        found
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It must have gone well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// It must have failed with this code, words, and no data.
    #[track_caller]
    pub fn failed(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.out.is_empty() && !self.err.is_empty(), "{self:?}");
        self
    }

    /// Each line is one JSON object.
    #[track_caller]
    pub fn objects(&self) -> Vec<Value> {
        let lines = self.out.lines();
        let objects: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(objects.iter().all(Value::is_object), "{self:?}");
        objects
    }
}

/// A program that stays; killed at the end of the test at the latest.
pub struct Staying(pub Child);

impl Staying {
    /// Sends a signal, or waits for what was asked, and gives the exit code.
    pub async fn end(&mut self, terminate: bool) -> Option<i32> {
        if terminate {
            let id = i32::try_from(self.0.id()).unwrap();
            let id = rustix::process::Pid::from_raw(id).unwrap();
            rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        }
        let ending = async {
            loop {
                if let Some(status) = self.0.try_wait().unwrap() {
                    return status.code();
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(LIMIT, ending).await.expect("it ends")
    }

    pub fn lines(&mut self) -> std::io::Lines<BufReader<ChildStdout>> {
        BufReader::new(self.0.stdout.take().unwrap()).lines()
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        // It ended already where the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server for everybody, and for `ada` with a password.
pub async fn server() -> Server {
    let ada = User::new("ada", "marker-password", &[("*", Permission::ReadWrite)]);
    let access = Access {
        everyone: [("private*".to_owned(), Permission::Deny)].into(),
        users: vec![ada],
        ..Access::default()
    };
    Server::start(Config {
        access,
        ..Config::for_tests()
    })
    .await
    .unwrap()
}
