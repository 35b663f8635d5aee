//! `tidings snooze`: out of sight for a while.

use super::arguments::{Which, span};
use clap::{ArgGroup, Args};
use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use std::time::Duration;
use tidings_api::preferences::ClockTime;
use tidings_api::{Back, Change, ErrorCode, ErrorView};

/// A day begins at this hour where none is said, as the end of a pause does.
const MORNING: i8 = 8;

/// Which, and until when.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("back").required(true).args(["until", "length", "unlock", "online", "off"]))]
pub struct Snooze {
    /// Which.
    #[command(flatten)]
    pub which: Which,
    /// Until then: 14:00, tomorrow, "monday 9:30", 2026-03-02, "2026-03-02 14:00"; a day alone means 8:00
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// For so long: 30m, 2h, 1d
    #[arg(long = "for", id = "length", value_name = "TIME", value_parser = span)]
    pub length: Option<Duration>,
    /// Until the screen is unlocked
    #[arg(long)]
    pub unlock: bool,
    /// Until its server is connected again
    #[arg(long)]
    pub online: bool,
    /// No longer: back in the inbox, without a toast
    #[arg(long)]
    pub off: bool,
}

impl Snooze {
    /// What is asked for.
    ///
    /// # Errors
    /// The time is none, or over; in words.
    pub fn change(&self, now: &Zoned) -> Result<Change, ErrorView> {
        let invalid = |words: String| ErrorView::new(ErrorCode::Invalid, words);
        let back = match (&self.until, self.length) {
            _ if self.off => return Ok(Change::Restore),
            _ if self.unlock => Back::Unlock,
            _ if self.online => Back::Online,
            (Some(until), _) => Back::Time {
                time: moment(until, now).map_err(invalid)?,
            },
            (None, length) => {
                let time = SignedDuration::try_from(length.unwrap_or_default()).ok();
                let time = time.and_then(|time| now.timestamp().checked_add(time).ok());
                Back::Time {
                    time: time.ok_or_else(|| invalid("That is too long.".to_owned()))?,
                }
            }
        };
        Ok(Change::Snooze { back })
    }
}

/// A moment to come, as people say it.
fn moment(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let wrong = || {
        format!(
            "“{text}” is no time. Write 14:00, tomorrow, \"monday 9:30\", 2026-03-02 or \"2026-03-02 14:00\"."
        )
    };
    let time = match text.parse::<Timestamp>() {
        Ok(exact) => exact,
        Err(_) => civil(text, now).ok_or_else(wrong)?,
    };
    if time <= now.timestamp() {
        return Err(format!("{text} is over already. Choose a later time."));
    }
    Ok(time)
}

/// A day, a time, or both, of this zone's clock.
fn civil(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim().to_lowercase();
    let (first, second) = match text.split_once([' ', 't']) {
        // "tomorrow" and "tuesday" have a t of their own.
        Some((day, time)) if day.parse::<Date>().is_ok() => (day, Some(time)),
        _ => match text.split_once(' ') {
            Some((day, time)) => (day, Some(time)),
            None => (text.as_str(), None),
        },
    };
    let at = |day: Date, time: Time| {
        let there = day.to_datetime(time).to_zoned(now.time_zone().clone());
        there.ok().map(|there| there.timestamp())
    };
    if second.is_none()
        && let Some(time) = clock(first)
    {
        let today = at(now.date(), time)?;
        return if today > now.timestamp() {
            Some(today)
        } else {
            at(now.date().checked_add(1.day()).ok()?, time)
        };
    }
    let day = day(first, now.date())?;
    let time = match second {
        Some(time) => clock(time.trim())?,
        None => Time::new(MORNING, 0, 0, 0).ok()?,
    };
    at(day, time)
}

fn clock(text: &str) -> Option<Time> {
    let time: ClockTime = text.parse().ok()?;
    Time::new(time.hour(), time.minute(), 0, 0).ok()
}

fn day(text: &str, today: Date) -> Option<Date> {
    let weekday = match text {
        "today" => return Some(today),
        "tomorrow" => return today.checked_add(1.day()).ok(),
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        date => return date.parse().ok(),
    };
    today.nth_weekday(1, weekday).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, the 2nd of March 2026, ten in the morning in Berlin.
    fn now() -> Zoned {
        "2026-03-02T10:00:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (text, expected) in [
            ("14:00", Some("2026-03-02T13:00:00Z")),
            ("9:00", Some("2026-03-03T08:00:00Z")),
            ("10:00", Some("2026-03-03T09:00:00Z")),
            ("tomorrow", Some("2026-03-03T07:00:00Z")),
            ("Tomorrow 9:30", Some("2026-03-03T08:30:00Z")),
            ("today 23:59", Some("2026-03-02T22:59:00Z")),
            ("monday", Some("2026-03-09T07:00:00Z")),
            ("tue 18:00", Some("2026-03-03T17:00:00Z")),
            ("2026-03-30", Some("2026-03-30T06:00:00Z")),
            ("2026-03-30 14:00", Some("2026-03-30T12:00:00Z")),
            ("2026-03-30T14:00", Some("2026-03-30T12:00:00Z")),
            ("2026-03-30T14:00:00Z", Some("2026-03-30T14:00:00Z")),
            ("2026-03-01", None),
            ("today", None),
            ("today 9:00", None),
            ("", None),
            ("25:00", None),
            ("soon", None),
            ("monday morning", None),
            ("2026-02-30", None),
        ] {
            let expected = expected.map(|time| time.parse().unwrap());
            assert_eq!(moment(text, &now()).ok(), expected, "{text}");
        }
        assert!(
            moment("2026-03-01", &now())
                .unwrap_err()
                .contains("is over already")
        );
        assert!(moment("soon", &now()).unwrap_err().contains("is no time"));
    }
}
