//! The table: what was measured, what it may be, and whether it is.

use std::fmt;
use std::time::Duration;

/// A line of the table.
struct Figure {
    what: String,
    budget: String,
    measured: String,
    /// None: there is no budget, or nothing was measured.
    within: Option<bool>,
}

/// What one family of servers costs.
pub struct Family {
    /// Which one, and over what.
    pub name: &'static str,
    /// Publish to stored: median and p99.
    pub stored: [Duration; 2],
    /// Publish to toast: the same.
    pub toasted: [Duration; 2],
    /// Of the resident, for each of them.
    pub cpu: Duration,
    /// From the start until all that was missed is stored.
    pub back: Duration,
    /// Nothing of it was missing, nothing came twice.
    pub whole: bool,
}

/// All that was measured so far.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
    families: Vec<Family>,
    failed: bool,
}

impl Report {
    /// A figure with a budget in words, and whether it holds.
    pub fn judge(&mut self, what: &str, budget: &str, measured: String, within: bool) {
        self.add(what, budget, measured, Some(within));
    }

    /// A figure that has no budget of its own.
    pub fn tell(&mut self, what: &str, measured: String) {
        self.add(what, "–", measured, None);
    }

    /// A time that must not be longer than `budget`.
    pub fn at_most(&mut self, what: &str, budget: Duration, measured: Duration) {
        let within = measured <= budget;
        self.judge(what, &format!("≤ {}", time(budget)), time(measured), within);
    }

    /// What a family of servers costs.
    pub fn family(&mut self, family: Family) {
        eprintln!("  {}", family.line());
        self.families.push(family);
    }

    /// A part that could not be measured.
    pub fn failed(&mut self, part: &str, why: &str) {
        self.failed = true;
        let why = why.lines().next().unwrap_or_default().to_owned();
        self.add(part, "–", format!("could not be measured: {why}"), None);
    }

    /// Everything that was asked for could be measured, over budget or not.
    pub fn is_whole(&self) -> bool {
        !self.failed
    }

    fn add(&mut self, what: &str, budget: &str, measured: String, within: Option<bool>) {
        let figure = Figure {
            what: what.to_owned(),
            budget: budget.to_owned(),
            measured,
            within,
        };
        eprintln!("  {}", figure.line());
        self.figures.push(figure);
    }
}

impl Figure {
    fn line(&self) -> String {
        let verdict = match self.within {
            Some(true) => "ok",
            Some(false) => "**over**",
            None => "",
        };
        format!(
            "| {} | {} | {} | {verdict} |",
            self.what, self.budget, self.measured
        )
    }
}

impl Family {
    fn line(&self) -> String {
        let [stored, stored_p99] = self.stored.map(time);
        let [toasted, toasted_p99] = self.toasted.map(time);
        format!(
            "| {} | {stored}, {stored_p99} | {toasted}, {toasted_p99} | {} | {} | {} |",
            self.name,
            time(self.cpu),
            time(self.back),
            if self.whole { "all, once" } else { "**wrong**" }
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measure | budget | measured | |")?;
        writeln!(f, "| --- | --- | --- | --- |")?;
        for figure in &self.figures {
            writeln!(f, "{}", figure.line())?;
        }
        if !self.families.is_empty() {
            writeln!(
                f,
                "\n| backend | publish → stored, p50 and p99 | publish → toast, p50 and p99 | CPU for each \
                 | start → 10 000 missed stored | |\n| --- | --- | --- | --- | --- | --- |"
            )?;
        }
        for family in &self.families {
            writeln!(f, "{}", family.line())?;
        }
        Ok(())
    }
}

/// A time as people read it.
pub fn time(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis >= 10_000.0 {
        format!("{:.1} s", millis / 1000.0)
    } else if millis >= 100.0 {
        format!("{millis:.0} ms")
    } else if millis >= 1.0 {
        format!("{millis:.1} ms")
    } else {
        format!("{millis:.2} ms")
    }
}

/// Bytes in MiB.
pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", float(bytes) / (1024.0 * 1024.0))
}

/// For ratios, where the last digits of large numbers do not matter.
#[expect(
    clippy::cast_precision_loss,
    reason = "a figure is read to three digits"
)]
pub fn float(number: u64) -> f64 {
    number as f64
}

/// The value that `share` (0 to 1) of the sorted samples do not exceed; zero of none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index below the number of samples"
)]
pub fn quantile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort_unstable();
    let index = (samples.len() as f64 * share).ceil() as usize;
    let at = index.clamp(1, samples.len().max(1)) - 1;
    samples.get(at).copied().unwrap_or_default()
}

/// How much y grows with x: the slope of the least squares line; zero of fewer than two points.
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.iter().map(|_| 1.0).sum::<f64>();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let along: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let both: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    if along > 0.0 { both / along } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let mut samples: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        let mut at = |share| quantile(&mut samples, share).as_millis();
        assert_eq!((at(0.5), at(0.95), at(0.99)), (50, 95, 99));
        assert_eq!((at(0.0), at(1.0)), (1, 100));
        assert_eq!(quantile(&mut [], 0.5), Duration::ZERO);
    }

    #[test]
    fn a_slope_is_that_of_the_line() {
        assert!((slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) - 2.0).abs() < 1e-9);
        for flat in [&[][..], &[(1.0, 7.0)], &[(1.0, 7.0), (9.0, 7.0)]] {
            assert!(slope(flat).abs() < 1e-9);
        }
    }

    #[test]
    fn the_table_says_what_is_over() {
        let mut report = Report::default();
        let budget = Duration::from_millis(15);
        report.at_most("list", budget, Duration::from_micros(14_940));
        report.at_most("list", budget, Duration::from_micros(15_060));
        report.tell("window", mib(3 << 19));
        let text = report.to_string();
        assert!(
            text.contains("| list | ≤ 15.0 ms | 14.9 ms | ok |"),
            "{text}"
        );
        assert!(
            text.contains("| list | ≤ 15.0 ms | 15.1 ms | **over** |"),
            "{text}"
        );
        assert!(text.contains("| window | – | 1.5 MiB |  |"), "{text}");
        assert!(report.is_whole());
        report.failed("rows", "no disk\nand more");
        assert!(!report.is_whole());
        assert!(report.to_string().contains("no disk |"));
    }
}
