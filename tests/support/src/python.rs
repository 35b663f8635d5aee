//! Programs of `PyPI`, each in a virtual environment of its own.

use crate::Result;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The folder of the programs of a package, in exactly this version, below `folder`; installed at the first
/// call. `is_there` says whether what is needed of it works. `None` where it cannot be had, which is a
/// failure in CI.
///
/// # Errors
/// What the installer said.
pub fn python_package(
    folder: &Path,
    package: &str,
    version: &str,
    is_there: impl Fn(&Path) -> bool,
) -> Result<Option<PathBuf>> {
    /// Tests of one program run side by side, and would install over each other.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let home = folder.join(format!("{package}-{version}"));
    let programs = home.join("bin");
    if is_there(&programs) {
        return Ok(Some(programs));
    }
    // Left by a run that was interrupted.
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(&home);
    let mut install = Command::new(programs.join("pip"));
    install
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("{package}=={version}"));
    let made = succeeds(venv).and_then(|()| succeeds(install));
    match made {
        Ok(()) if is_there(&programs) => Ok(Some(programs)),
        Ok(()) => Err(format!("{} has no {package} {version}", programs.display()).into()),
        Err(error) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => Err(error),
        Err(error) => {
            eprintln!("skipped: there is no {package} {version}: {error}");
            Ok(None)
        }
    }
}

fn succeeds(mut command: Command) -> Result<()> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into())
    }
}
