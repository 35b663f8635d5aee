//! `tidings policy simulate`: what preferences would have done with what came in the last days.

use super::config;
use super::output::{End, Output, Style, plain, say};
use super::reach::{Reach, unexpected};
use jiff::{SignedDuration, civil::Date};
use std::path::Path;
use tidings_api::{Outcomes, Reply, Request, Simulation};

/// Asks, and tells.
///
/// # Errors
/// In words.
pub async fn run(
    preferences: Option<&Path>,
    days: u32,
    reach: &Reach,
    out: &Output,
) -> Result<(), End> {
    let others = match preferences {
        Some(file) => {
            let text = super::import::read(file)?;
            Some(config::looked_at(text, reach).await?.preferences)
        }
        None => None,
    };
    let request = Request::Simulate {
        days,
        preferences: others.map(Box::new),
    };
    let simulation = match reach.call(request).await? {
        Reply::Simulation(simulation) => simulation,
        other => return Err(unexpected(&other).into()),
    };
    if out.json {
        out.object(&simulation)
    } else {
        tell(&simulation, preferences.is_some(), out)
    }
}

fn tell(simulation: &Simulation, compared: bool, out: &Output) -> Result<(), End> {
    let then = &simulation.then;
    out.line(&out.styled(&summary(simulation, compared), Style::Strong))?;
    out.line(&out.styled(
        &format!(
            "{} waited for something, {} had no toast",
            then.held, then.silent
        ),
        Style::Faint,
    ))?;
    out.line("")?;
    for line in chart(simulation, compared, out) {
        out.line(&line)?;
    }
    if simulation.differences.is_empty() {
        if compared {
            out.line("")?;
            out.line("Nothing would be different.")?;
        }
        return Ok(());
    }
    out.line("")?;
    let rows: Vec<_> = simulation
        .differences
        .iter()
        .map(|one| {
            vec![
                (one.id.to_string(), Style::Faint),
                (out.moment(one.at), Style::Faint),
                (plain(&one.source), Style::Faint),
                (plain(&one.title), Style::Plain),
                (
                    format!("{} → {}", plain(&one.now), plain(&one.then)),
                    Style::Plain,
                ),
            ]
        })
        .collect();
    out.table(&rows)?;
    let more = simulation.different.saturating_sub(rows.len() as u64);
    if more > 0 {
        say(&format!("{more} more would be different."));
    }
    Ok(())
}

/// "last 7 days: 412 notifications → 37 toasts, 6 digests (now: 140)".
fn summary(simulation: &Simulation, compared: bool) -> String {
    let days = match simulation.days {
        1 => "today".to_owned(),
        days => format!("last {days} days"),
    };
    let Outcomes {
        toasts, digests, ..
    } = simulation.then;
    let now = if compared {
        format!(" (now: {})", simulation.now.toasts + simulation.now.digests)
    } else {
        String::new()
    };
    format!(
        "{days}: {} → {}, {}{now}",
        counted(simulation.notifications, "notification"),
        counted(toasts, "toast"),
        counted(digests, "digest"),
    )
}

fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// Toasts and digests: a line for each day, a column for each of its hours.
fn chart(simulation: &Simulation, compared: bool, out: &Output) -> Vec<String> {
    let then = by_day(simulation, &simulation.then, out);
    let now = by_day(simulation, &simulation.now, out);
    let most = then.iter().flat_map(|(_, hours)| hours).copied().max();
    let most = most.unwrap_or(0);
    let mut lines = vec![out.styled("            0     6     12    18", Style::Faint)];
    for ((date, hours), (_, before)) in then.iter().zip(&now) {
        let bars: String = hours.iter().map(|count| bar(*count, most)).collect();
        let sum: u32 = hours.iter().sum();
        let before = if compared {
            format!(" (now: {})", before.iter().sum::<u32>())
        } else {
            String::new()
        };
        let day = out.styled(&date.strftime("%a %d %b").to_string(), Style::Faint);
        lines.push(format!("{day}  {bars}  {sum:>3}{before}"));
    }
    lines
}

/// Each day with the 24 hours that its clock shows.
fn by_day(simulation: &Simulation, outcomes: &Outcomes, out: &Output) -> Vec<(Date, [u32; 24])> {
    let first = simulation.from.to_zoned(out.zone.clone()).date();
    let mut days: Vec<_> = first
        .series(jiff::ToSpan::days(1))
        .take(usize::try_from(simulation.days).unwrap_or(0))
        .map(|date| (date, [0; 24]))
        .collect();
    for (passed, count) in outcomes.hours.iter().enumerate() {
        let passed = SignedDuration::from_hours(i64::try_from(passed).unwrap_or(0));
        let Ok(at) = simulation.from.checked_add(passed) else {
            continue;
        };
        let at = at.to_zoned(out.zone.clone());
        let hour = usize::try_from(at.hour()).unwrap_or(0);
        if let Some((_, hours)) = days.iter_mut().find(|(date, _)| *date == at.date()) {
            hours[hour] += count;
        }
    }
    days
}

fn bar(count: u32, most: u32) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if count == 0 || most == 0 {
        return '·';
    }
    let height = (u64::from(count) * 8).div_ceil(u64::from(most));
    BARS[usize::try_from(height.clamp(1, 8)).unwrap_or(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn simulation(days: u32, hours: Vec<u32>) -> Simulation {
        let outcomes = |toasts, digests, hours| Outcomes {
            toasts,
            digests,
            hours,
            ..Outcomes::default()
        };
        Simulation {
            days,
            from: "2026-03-28T23:00:00Z".parse().unwrap(),
            notifications: 412,
            now: outcomes(130, 10, vec![]),
            then: outcomes(37, 1, hours),
            differences: vec![],
            different: 0,
            problems: vec![],
        }
    }

    #[test]
    fn the_summary_is_one_line() {
        let (week, today) = (simulation(7, vec![]), simulation(1, vec![]));
        assert_eq!(
            summary(&week, true),
            "last 7 days: 412 notifications → 37 toasts, 1 digest (now: 140)"
        );
        assert_eq!(
            summary(&today, false),
            "today: 412 notifications → 37 toasts, 1 digest"
        );
    }

    /// In Berlin the 29th of March 2026 has no hour 2, and 23 hours.
    #[test]
    fn hours_are_those_of_the_clock() {
        let mut hours = vec![0; 47];
        (hours[1], hours[2], hours[23]) = (1, 2, 8);
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let out = Output::new(false, "2026-03-30T20:00:00Z".parse().unwrap(), zone);
        let days = by_day(
            &simulation(2, hours.clone()),
            &simulation(2, hours.clone()).then,
            &out,
        );
        assert_eq!(
            (days[0].1[1], days[0].1[2], days[0].1[3], days[1].1[0]),
            (1, 0, 2, 8)
        );
        let lines = chart(&simulation(2, hours), true, &out);
        assert_eq!(
            lines[1],
            "Sun 29 Mar  ·▁·▂····················    3 (now: 0)"
        );
        assert_eq!(
            lines[2],
            "Mon 30 Mar  █·······················    8 (now: 0)"
        );
    }
}
