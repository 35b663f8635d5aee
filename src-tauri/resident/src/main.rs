//! `tidings`: the resident and the command line.

mod cli;
mod control;
mod log;
mod os;
mod profile;
mod windows;
mod wiring;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Says what was wrong on standard error and ends with 2; help and version with 0.
    let arguments = cli::arguments::Arguments::parse();
    cli::run(arguments)
}
