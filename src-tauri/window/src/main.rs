//! `tidings-window`: started by `tidings` when a window is wanted.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;
use tidings_window::Arguments;

fn main() -> ExitCode {
    let arguments =
        match Arguments::parse(std::env::args_os().skip(1), |name| std::env::var_os(name)) {
            Ok(arguments) => arguments,
            Err(wrong) => {
                eprintln!("tidings-window: {wrong}");
                return ExitCode::from(2);
            }
        };
    match tidings_window::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidings-window: The window could not be opened: {error}");
            ExitCode::FAILURE
        }
    }
}
