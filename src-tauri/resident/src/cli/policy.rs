//! Preferences, tried out.

use super::output::{End, Output, say};
use clap::Subcommand;
use jiff::tz::TimeZone;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};
use tidings_api::{ErrorCode, ErrorView};
use tidings_core::policy::check::Checker;
use tidings_core::settings;

/// What can be done with preferences.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Say what preferences make of events on standard input, one JSON object a line
    ///
    /// Nothing is read but these files, and no clock is looked at: each event says when it happens. docs/policy.md
    /// describes events and answers.
    Check {
        /// The preferences, as JSON
        #[arg(long, value_name = "FILE")]
        preferences: PathBuf,
        /// What an administrator makes mandatory, as JSON; whoever owns the file
        #[arg(long, value_name = "FILE")]
        mandates: Option<PathBuf>,
        /// Where the computer is: Europe/Berlin
        #[arg(long, value_name = "ZONE")]
        zone: String,
    },
    /// Say what preferences would have done with what came in the last days, beside what the present ones do
    ///
    /// Pauses, and what was on the screen, are left out on both sides.
    Simulate {
        /// So many days, up to now
        #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=90))]
        days: u32,
        /// The preferences, as `tidings config export` writes them; the present ones if left out
        #[arg(long, value_name = "FILE")]
        preferences: Option<PathBuf>,
    },
}

/// Says what preferences make of the events on standard input. What cannot be read is told and skipped, and the command
/// fails in the end.
pub fn check(file: &Path, mandates: Option<&Path>, zone: &str, out: &Output) -> Result<(), End> {
    let text = read(file)?;
    let zone = TimeZone::get(zone).map_err(|_| {
        let says = format!("No time zone is called “{zone}”. One is called Europe/Berlin.");
        ErrorView::new(ErrorCode::Invalid, says)
    })?;
    let (document, mut problems) = settings::preferences(&text);
    let (mandates, more) = match mandates {
        Some(file) => settings::mandates(&read(file)?),
        None => settings::Read::default(),
    };
    problems.extend(more);
    let (mut checker, more) = Checker::new(document, mandates, zone);
    let mut whole = true;
    for problem in problems.into_iter().chain(more) {
        whole = false;
        say(&match problem.at.as_str() {
            "" => problem.says,
            at => format!("{at}: {}", problem.says),
        });
    }
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| {
            let says = format!("Standard input could not be read: {error}.");
            ErrorView::new(ErrorCode::Internal, says)
        })?;
        match checker.take(&line) {
            Ok(lines) => print(&lines, out)?,
            Err(says) => {
                whole = false;
                say(&says);
            }
        }
    }
    print(&checker.end(), out)?;
    if whole { Ok(()) } else { Err(End::Told) }
}

fn read(file: &Path) -> Result<String, ErrorView> {
    std::fs::read_to_string(file).map_err(|error| {
        let says = format!("{} could not be read: {error}.", file.display());
        ErrorView::new(ErrorCode::Invalid, says)
    })
}

fn print(lines: &[tidings_core::policy::check::Line], out: &Output) -> Result<(), End> {
    lines.iter().try_for_each(|line| {
        if out.json {
            out.object(line)
        } else {
            out.line(&line.to_string())
        }
    })
}
