//! What to measure, and how long.

use std::time::Duration;

/// How to call it.
pub const USAGE: &str = "\
cargo xtask bench [--quick] [--rows N] [--only PART]…

  --quick       shorter windows, fewer repetitions, fewer messages
  --rows N      rows of the large inbox (default 1 000 000; 200 000 with --quick)
  --only PART   start, idle, window, latency, burst, away, ingest, rows, backends or policy; may be
                 repeated";

/// A part of the table, measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Start of the resident, `tidings list`.
    Start,
    /// A resident that has nothing to do.
    Idle,
    /// The window, and the resident after it.
    Window,
    /// Publish to toast.
    Latency,
    /// A thousand in a second.
    Burst,
    /// Back after ten thousand.
    Away,
    /// A long stream.
    Ingest,
    /// A large inbox.
    Rows,
    /// Each family of servers.
    Backends,
    /// A decision, and the simulator.
    Policy,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Start,
        Self::Idle,
        Self::Window,
        Self::Latency,
        Self::Burst,
        Self::Away,
        Self::Ingest,
        Self::Rows,
        Self::Backends,
        Self::Policy,
    ];

    /// Its name for `--only`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Idle => "idle",
            Self::Window => "window",
            Self::Latency => "latency",
            Self::Burst => "burst",
            Self::Away => "away",
            Self::Ingest => "ingest",
            Self::Rows => "rows",
            Self::Backends => "backends",
            Self::Policy => "policy",
        }
    }
}

/// What to measure, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the table.
    pub parts: Vec<Part>,
    /// How long an idle resident is watched: whole periods of the server's keepalive (45 s), since each wakes it.
    pub idle: Duration,
    /// How long it is left alone before that: longer than it takes to give back what only a start needs.
    pub settle: Duration,
    /// How often a start is repeated; the median counts.
    pub starts: usize,
    /// How often a command or a window is repeated.
    pub repeats: usize,
    /// Messages at 50 a second.
    pub steady: usize,
    /// The same of each family of servers.
    pub of_each: u32,
    /// Messages of the long stream.
    pub stream: u64,
    /// Rows of the large inbox.
    pub rows: u64,
}

/// Reads the arguments.
///
/// # Errors
/// In words; an option that there is not, or one without its value.
pub fn read(given: impl Iterator<Item = String>) -> Result<Plan, String> {
    let (mut quick, mut rows, mut parts) = (false, None, Vec::new());
    let mut given = given;
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--rows" => {
                let number = given.next().and_then(|number| number.parse().ok());
                rows = Some(number.filter(|n| *n >= 10_000).ok_or(
                    "--rows needs a number from 10000 on: smaller inboxes have no deep pages.",
                )?);
            }
            "--only" => {
                let name = given.next().unwrap_or_default();
                let part = Part::ALL.into_iter().find(|part| part.name() == name);
                parts.push(part.ok_or_else(|| format!("There is no part {name:?}."))?);
            }
            _ => return Err(format!("There is no option {argument:?}.")),
        }
    }
    if parts.is_empty() {
        parts = Part::ALL.to_vec();
    }
    let seconds = Duration::from_secs;
    Ok(if quick {
        Plan {
            parts,
            idle: seconds(90),
            settle: seconds(12),
            starts: 3,
            repeats: 10,
            steady: 300,
            of_each: 150,
            stream: 20_000,
            rows: rows.unwrap_or(200_000),
        }
    } else {
        Plan {
            parts,
            idle: seconds(180),
            settle: seconds(20),
            starts: 9,
            repeats: 30,
            steady: 3_000,
            of_each: 1_000,
            stream: 100_000,
            rows: rows.unwrap_or(1_000_000),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan, String> {
        read(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn everything_is_measured_unless_told_otherwise() {
        assert_eq!(plan(&[]).unwrap().parts, Part::ALL);
        let some = plan(&["--only", "rows", "--only", "idle"]).unwrap();
        assert_eq!(some.parts, [Part::Rows, Part::Idle]);
    }

    #[test]
    fn quick_is_smaller_wherever_it_stands_and_rows_win() {
        let (full, quick) = (plan(&[]).unwrap(), plan(&["--quick"]).unwrap());
        assert!(quick.idle < full.idle && quick.stream < full.stream && quick.rows < full.rows);
        let rows = |arguments: &[&str]| plan(arguments).unwrap().rows;
        assert_eq!(rows(&["--rows", "12345", "--quick"]), 12_345);
        assert_eq!(rows(&["--rows", "12345"]), 12_345);
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (arguments, said) in [
            (&["--rows"][..], "--rows needs"),
            (&["--rows", "many"][..], "--rows needs"),
            (&["--rows", "10"][..], "--rows needs"),
            (&["--only", "tea"][..], "\"tea\""),
            (&["--slow"][..], "\"--slow\""),
        ] {
            let wrong = plan(arguments).unwrap_err();
            assert!(wrong.contains(said), "{wrong}");
        }
    }
}
