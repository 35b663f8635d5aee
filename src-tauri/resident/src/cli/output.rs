//! What is printed: data on standard output, words about it on standard error.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};
use tidings_api::{ConnectionState, ErrorView, Tier, TransportKind};

/// Why a command ended early.
#[derive(Debug)]
pub enum End {
    /// With words for the user.
    Failed(ErrorView),
    /// It was said already; only the exit code tells.
    Told,
    /// Nobody reads on: `tidings list | head`.
    NobodyReads,
    /// Standard output cannot be written to.
    Output(io::Error),
}

impl From<ErrorView> for End {
    fn from(error: ErrorView) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::NobodyReads
        } else {
            Self::Output(error)
        }
    }
}

/// How to print.
#[derive(Debug)]
pub struct Output {
    out: io::Stdout,
    /// One JSON object a line.
    pub json: bool,
    colour: bool,
    /// Columns of the terminal; none where it is not one.
    width: Option<usize>,
    /// The moment of the command, for relative times.
    pub now: Timestamp,
    /// The user's zone.
    pub zone: TimeZone,
}

/// How a word is marked on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Plain,
    /// Bold.
    Strong,
    /// Faint.
    Faint,
    /// For what went well.
    Good,
    /// For what is worth a look.
    Fair,
    /// For what failed.
    Bad,
}

impl Output {
    /// For this process's standard output.
    pub fn new(json: bool, now: Timestamp, zone: TimeZone) -> Self {
        let terminal = io::stdout().is_terminal();
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            out: io::stdout(),
            json,
            // https://no-color.org
            colour: terminal && !json && !set("NO_COLOR"),
            width: if terminal { columns() } else { None },
            now,
            zone,
        }
    }

    /// One JSON object a line.
    ///
    /// # Errors
    /// As standard output's.
    pub fn object(&self, value: &impl Serialize) -> Result<(), End> {
        let mut out = self.out.lock();
        serde_json::to_writer(&mut out, value).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        out.flush()?;
        Ok(())
    }

    /// A line of text.
    ///
    /// # Errors
    /// As standard output's.
    pub fn line(&self, text: &str) -> Result<(), End> {
        let mut out = self.out.lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")?;
        out.flush()?;
        Ok(())
    }

    /// Rows in columns as wide as they need; the last one is cut at the terminal's edge.
    ///
    /// # Errors
    /// As standard output's.
    pub fn table(&self, rows: &[Vec<(String, Style)>]) -> Result<(), End> {
        for line in self.laid_out(rows) {
            self.line(&line)?;
        }
        Ok(())
    }

    fn laid_out(&self, rows: &[Vec<(String, Style)>]) -> Vec<String> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |text: &str| text.chars().count();
        let widths: Vec<usize> = (0..columns)
            .map(|at| {
                rows.iter()
                    .filter_map(|row| row.get(at))
                    .map(|(text, _)| width(text))
                    .max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        rows.iter()
            .map(|row| {
                let mut line = String::new();
                let mut used = 0;
                for (at, (text, style)) in row.iter().enumerate() {
                    let last = at + 1 == row.len();
                    let text = match self.width {
                        Some(edge) if last => cut(text, edge.saturating_sub(used)),
                        _ => text.clone(),
                    };
                    line += &self.styled(&text, *style);
                    if !last {
                        let gap = widths[at] - width(&text) + 2;
                        line += &" ".repeat(gap);
                        used += widths[at] + 2;
                    }
                }
                line.trim_end().to_owned()
            })
            .collect()
    }

    /// Marks a word, where that can be seen.
    pub fn styled(&self, text: &str, style: Style) -> String {
        let code = match style {
            _ if !self.colour || text.is_empty() => return text.to_owned(),
            Style::Plain => return text.to_owned(),
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Fair => "33",
            Style::Bad => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// How long ago, shortly.
    pub fn ago(&self, at: Timestamp) -> String {
        let past = self.now.duration_since(at);
        if past < SignedDuration::from_mins(1) {
            return "now".to_owned();
        }
        let minutes = past.as_mins();
        match minutes {
            0..60 => format!("{minutes} min"),
            60..1440 => format!("{} h", minutes / 60),
            1440..10_080 => format!("{} d", minutes / 1440),
            _ => at
                .to_zoned(self.zone.clone())
                .strftime("%Y-%m-%d")
                .to_string(),
        }
    }

    /// A moment, in the user's zone.
    pub fn moment(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M")
            .to_string()
    }
}

/// Words about what was done, or what to know; never data.
pub fn say(words: &str) {
    // If nobody hears it, the command is as good without.
    drop(writeln!(io::stderr(), "{}", plain(words)));
}

/// An error, in words, with its technical cause.
pub fn complain(error: &ErrorView) {
    say(&format!("tidings: {}", error.message));
    if !error.detail.is_empty() && error.detail != error.message {
        say(&format!("  ({})", error.detail));
    }
}

/// Text without what steers a terminal.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() && letter != '\n' && letter != '\t' {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(columns.saturating_sub(1)).collect();
    out.push('…');
    out
}

fn columns() -> Option<usize> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0).then(|| usize::from(size.ws_col))
    }
    #[cfg(not(unix))]
    None
}

/// A tier's name.
pub fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Critical => "critical",
        Tier::Important => "important",
        Tier::Informational => "informational",
    }
}

/// A transport's name.
pub fn transport(transport: TransportKind) -> &'static str {
    match transport {
        TransportKind::Websocket => "websocket",
        TransportKind::Sse => "sse",
        TransportKind::HttpStream => "http-stream",
        TransportKind::LongPoll => "long-poll",
        TransportKind::Poll => "poll",
    }
}

/// A connection's state, and how it is marked.
pub fn state(state: ConnectionState) -> (&'static str, Style) {
    match state {
        ConnectionState::Idle => ("idle", Style::Faint),
        ConnectionState::Connecting => ("connecting", Style::Fair),
        ConnectionState::Live => ("live", Style::Good),
        ConnectionState::Waiting => ("waiting", Style::Fair),
        ConnectionState::Offline => ("offline", Style::Fair),
        ConnectionState::Stopped => ("stopped", Style::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(width: Option<usize>, colour: bool) -> Output {
        Output {
            out: io::stdout(),
            json: false,
            colour,
            width,
            now: "2026-03-02T10:00:00Z".parse().unwrap(),
            zone: TimeZone::UTC,
        }
    }

    #[test]
    fn columns_line_up_with_and_without_colours() {
        let rows = [
            vec![
                ("1".to_owned(), Style::Strong),
                ("a long title".to_owned(), Style::Plain),
            ],
            vec![
                ("200".to_owned(), Style::Plain),
                ("b".to_owned(), Style::Plain),
            ],
        ];
        assert_eq!(
            output(None, false).laid_out(&rows),
            ["1    a long title", "200  b"]
        );
        assert_eq!(
            output(Some(10), false).laid_out(&rows),
            ["1    a lo…", "200  b"]
        );
        assert_eq!(
            output(Some(10), true).laid_out(&rows),
            ["\x1b[1m1\x1b[0m    a lo…", "200  b"]
        );
    }

    #[test]
    fn times_are_relative_until_they_are_old() {
        let output = output(None, false);
        for (at, expected) in [
            ("2026-03-02T10:00:30Z", "now"),
            ("2026-03-02T09:59:01Z", "now"),
            ("2026-03-02T09:55:00Z", "5 min"),
            ("2026-03-02T07:30:00Z", "2 h"),
            ("2026-02-27T10:00:00Z", "3 d"),
            ("2025-12-24T10:00:00Z", "2025-12-24"),
        ] {
            assert_eq!(output.ago(at.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(plain("a\x1b[31mb\tc\nd"), "a\u{fffd}[31mb\tc\nd");
    }
}
