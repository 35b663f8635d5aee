//! `cargo xtask demo` and `screenshots`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    Failure,
    command::{self, cargo, command},
    root,
    setup::{
        self, Purpose,
        node::{install_packages, npm},
    },
};

/// How long the demo lasts where nobody watches it.
const UNWATCHED: &str = "60s";

/// Builds Tidings as it ships and shows it.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let has_display = ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    if !has_display && cfg!(target_os = "linux") {
        println!("There is no display: the demo runs on a private one and ends after {UNWATCHED}.");
        return take_screenshots(arguments);
    }
    setup::run(Purpose::Build)?;
    build_programs()?;
    command(command::programs().join("tidings"))
        .arg("demo")
        .args(arguments)
        .env("TIDINGS_WINDOW", command::programs().join("tidings-window"))
        .run()
}

/// Shows the demo on a private desktop and takes pictures of it.
pub fn take_screenshots(arguments: &[String]) -> Result<(), Failure> {
    setup::run(Purpose::Test)?;
    build_programs()?;
    // By itself: together with the others, its test features would be compiled into them.
    cargo()
        .args([
            "build",
            "--release",
            "--package",
            "tidings-tests",
            "--bin",
            "tidings-desktop",
        ])
        .run()?;
    let pictures = root().join("screenshots");
    for old in list(&pictures) {
        fs::remove_file(&old)
            .map_err(|error| format!("{} can't be removed: {error}.", old.display()))?;
    }
    let length: &[&str] = if arguments.iter().any(|argument| argument == "--for") {
        &[]
    } else {
        &["--for", UNWATCHED]
    };
    command(command::programs().join("tidings-desktop"))
        .arg("--screenshots")
        .arg(&pictures)
        .arg("--")
        .arg(command::programs().join("tidings"))
        .arg("demo")
        .args(length)
        .args(arguments)
        .env("TIDINGS_WINDOW", command::programs().join("tidings-window"))
        .run()?;
    let taken = list(&pictures);
    if taken.is_empty() {
        return Err("the demo ended before a picture could be taken.".to_owned());
    }
    println!("\nWhat was on the screen, and what was in the tray:");
    for file in taken {
        println!("  {}", file.display());
    }
    Ok(())
}

/// What an earlier run left.
fn list(pictures: &PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(pictures).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("desktop-") || name.starts_with("tray.")
    });
    files.sort();
    files
}

/// The web part, which is built into the window. Left alone if nothing in it changed since: a new one
/// would have the window compiled again.
fn build_ui() -> Result<(), Failure> {
    let ui = root().join("ui");
    let built = fs::metadata(ui.join("dist/index.html")).and_then(|file| file.modified());
    if built.is_ok_and(|built| newest_source(&ui).is_some_and(|changed| changed < built)) {
        return Ok(());
    }
    install_packages()?;
    npm().args(["run", "--silent", "build"]).run()
}

/// When a source of the UI last changed; `None` if that can't be told.
fn newest_source(folder: &Path) -> Option<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        if ["dist", "node_modules"]
            .iter()
            .any(|name| entry.file_name() == *name)
        {
            continue;
        }
        let metadata = entry.metadata().ok()?;
        newest = newest.max(metadata.modified().ok()?);
        if metadata.is_dir() {
            newest = newest.max(newest_source(&entry.path())?);
        }
    }
    Some(newest)
}

/// Both programs as they ship, the UI built in. Together, so that what they share is compiled once.
pub fn build_programs() -> Result<(), Failure> {
    build_ui()?;
    cargo()
        .args([
            "build",
            "--release",
            "--package",
            "tidings",
            "--package",
            "tidings-window",
        ])
        .args(["--features", "tidings-window/custom-protocol"])
        .run()
}
