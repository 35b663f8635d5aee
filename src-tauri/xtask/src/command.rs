//! Running other programs, with words for when they fail.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{self, Stdio},
};

use crate::{Failure, root};

/// A program to run, in the root of the house unless told otherwise.
pub struct Command {
    inner: process::Command,
    shown: String,
}

/// `program`, found through `PATH`.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let program = program.as_ref();
    let mut inner = process::Command::new(program);
    inner.current_dir(root());
    Command {
        inner,
        shown: program.to_string_lossy().into_owned(),
    }
}

/// The cargo that runs this.
pub fn cargo() -> Command {
    let mut command = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Whoever reads it doesn't want to know where it is.
    command.shown = String::from("cargo");
    // What `cargo run` says about this program. Build scripts, such as ring's, look at it, and all that
    // needs them would be compiled again whenever cargo is called by hand in between.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            command.inner.env_remove(&name);
        }
    }
    command
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(path))
}

/// Where the programs that ship are built.
pub fn programs() -> PathBuf {
    target().join("release")
}

/// Whether a program of this name is in `PATH`.
pub fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

impl Command {
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        for argument in arguments {
            self = self.arg(argument);
        }
        self
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown += &argument.as_ref().to_string_lossy();
        self.inner.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    pub fn folder(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    /// Puts `folder` in front of `PATH`.
    pub fn path_first(self, folder: &Path) -> Self {
        let rest = env::var_os("PATH").unwrap_or_default();
        let all = [folder.to_path_buf()]
            .into_iter()
            .chain(env::split_paths(&rest));
        let joined = env::join_paths(all).unwrap_or_else(|_| OsString::from(folder));
        self.env("PATH", joined)
    }

    /// Runs it with the terminal's input and output.
    pub fn run(mut self) -> Result<(), Failure> {
        let status = self.inner.status().map_err(|error| self.explain(&error))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{}` failed ({status}).", self.shown))
        }
    }

    /// Runs it and returns what it prints.
    pub fn output(mut self) -> Result<String, Failure> {
        self.inner.stdin(Stdio::null());
        let output = self.inner.output().map_err(|error| self.explain(&error))?;
        if output.status.success() {
            return String::from_utf8(output.stdout)
                .map_err(|_| format!("`{}` prints no text.", self.shown));
        }
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(format!("`{}` failed: {complaint}", self.shown))
    }

    /// Runs it in silence; whether it succeeds is the answer.
    pub fn succeeds(mut self) -> bool {
        self.inner
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn explain(&self, error: &std::io::Error) -> Failure {
        if error.kind() == ErrorKind::NotFound {
            let hint = "`cargo xtask setup` installs what is missing";
            format!(
                "`{}` can't be run: there is no such program; {hint}.",
                self.shown
            )
        } else {
            format!("`{}` can't be run: {error}.", self.shown)
        }
    }
}
