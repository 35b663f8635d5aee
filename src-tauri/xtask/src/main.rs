//! `cargo xtask`: everything that is done with this house from the outside.
//!
//! It depends on nothing but the standard library, so that it compiles in a moment on a machine that
//! has only Rust and a C compiler, and then installs the rest.

mod bundle;
mod command;
mod demo;
mod fuzz;
mod setup;
mod test;

use std::{env, path::PathBuf, process::ExitCode};

const HELP: &str = "\
cargo xtask COMMAND

  setup            installs what building and testing need (system packages, Node, cargo-deny)
  demo             builds Tidings and shows it with lively notifications in a throwaway profile;
                   without a display it does so on a private one, and leaves pictures in screenshots/
  test             checks, builds and tests everything, as CI does
      --list           the steps in their order
      --only STEP      only this step; may be repeated
      --from STEP      this step and all after it
  bundle           makes the deb and the rpm in target/bundle/
  fuzz [SECONDS]   throws bytes at the codecs and readers, a minute at each; needs nightly and cargo-fuzz
  screenshots      takes the demo's pictures, also where there is a display
  bench [ARG…]     measures what docs/performance.md quotes

What follows `demo` goes to `tidings demo`.
";

/// What went wrong, in words for whoever ran the command.
type Failure = String;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", arguments.as_slice()),
    };
    let done = match name {
        "setup" => setup::run(setup::Purpose::Test),
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "bundle" => bundle::run(),
        "fuzz" => fuzz::run(rest),
        "screenshots" => demo::take_screenshots(rest),
        "bench" => bench(rest),
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprintln!("There is no command {name:?}.\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &[String]) -> Result<(), Failure> {
    setup::run(setup::Purpose::Test)?;
    demo::build_programs()?;
    command::cargo()
        .args(["run", "--release", "--package", "tidings-bench", "--"])
        .args(arguments)
        .env("TIDINGS_BIN_DIR", command::programs())
        .run()
}

/// The root of the house.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(PathBuf::from).unwrap_or(here)
}
