//! What a machine needs before anything can be built, and how it gets it.

pub mod node;
mod packages;

use crate::{
    Failure,
    command::{self, cargo},
};
use std::{fs, path::PathBuf};

/// What the machine is going to be used for; each includes the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    Build,
    Test,
}

/// Checked by `cargo deny`; a fixed version, so that its verdict changes only when we want it to.
const CARGO_DENY: &str = "0.20.2";

/// Makes the machine fit for `purpose`.
pub fn run(purpose: Purpose) -> Result<(), Failure> {
    packages::install(purpose)?;
    node::provide()?;
    if purpose >= Purpose::Test {
        provide_cargo_deny()?;
    }
    Ok(())
}

/// Where the private cargo-deny is.
pub fn cargo_deny() -> PathBuf {
    command::target().join("tools/bin/cargo-deny")
}

fn provide_cargo_deny() -> Result<(), Failure> {
    let installed = command::command(cargo_deny()).arg("--version").output();
    if installed.is_ok_and(|version| version.trim() == format!("cargo-deny {CARGO_DENY}")) {
        return Ok(());
    }
    let tools = command::target().join("tools");
    fs::create_dir_all(&tools)
        .map_err(|error| format!("{} can't be made: {error}.", tools.display()))?;
    println!("setup: building cargo-deny {CARGO_DENY}, once; this takes some minutes");
    cargo()
        .args([
            "install",
            "cargo-deny",
            "--locked",
            // It works for a second; compiling it well would take minutes.
            "--debug",
            "--version",
            CARGO_DENY,
            "--root",
        ])
        .arg(&tools)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .run()
        .map_err(|failure| {
            format!("{failure} It checks the licences of what we use and comes from crates.io.")
        })
}
