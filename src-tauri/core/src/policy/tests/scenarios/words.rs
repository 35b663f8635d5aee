//! Reading the words of a story.

use crate::model::preferences::Sound;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// What stands in quotes at the start, and what follows.
pub(super) fn quoted(text: &str) -> Result<(String, &str), String> {
    let inner = text
        .trim_start()
        .strip_prefix('"')
        .ok_or_else(|| format!("a \" is missing before {text}"))?;
    let end = inner
        .find('"')
        .ok_or_else(|| format!("a \" is missing after {inner}"))?;
    Ok((inner[..end].to_owned(), inner[end + 1..].trim_start()))
}

/// The first words, and what follows.
pub(super) fn rest_of(text: &str, words: usize) -> Result<(&str, &str), String> {
    let mut end = 0;
    for _ in 0..words {
        let left = &text[end..];
        let start = end + left.len() - left.trim_start().len();
        let length = text[start..].find(' ').unwrap_or(text.len() - start);
        if length == 0 {
            return Err(format!("something is missing after {text}"));
        }
        end = start + length;
    }
    Ok((&text[..end], text[end..].trim_start()))
}

/// `5m`, `1h30m`.
pub(super) fn length(text: &str) -> Result<SignedDuration, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// `22:30` or `Tue 22:30` (the next after `now`), or `2026-03-29 02:30`, perhaps with seconds.
pub(super) fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let wrong = || format!("{text} is no time");
    let clock = |text: &str| text.parse::<Time>().map_err(|_| wrong());
    let at = |date: Date, time: Time| {
        DateTime::from_parts(date, time)
            .to_zoned(zone.clone())
            .map(|zoned| zoned.timestamp())
            .map_err(|_| wrong())
    };
    let today = zone.to_datetime(now).date();
    let Some((day, time)) = text.split_once(' ') else {
        let time = clock(text)?;
        let moment = at(today, time)?;
        return if moment >= now {
            Ok(moment)
        } else {
            at(today.tomorrow().map_err(|_| wrong())?, time)
        };
    };
    let time = clock(time)?;
    let weekday = match day {
        "Mon" => Weekday::Monday,
        "Tue" => Weekday::Tuesday,
        "Wed" => Weekday::Wednesday,
        "Thu" => Weekday::Thursday,
        "Fri" => Weekday::Friday,
        "Sat" => Weekday::Saturday,
        "Sun" => Weekday::Sunday,
        date => return at(date.parse().map_err(|_| wrong())?, time),
    };
    let mut date = today;
    for _ in 0..8 {
        let moment = at(date, time)?;
        if date.weekday() == weekday && moment >= now {
            return Ok(moment);
        }
        date = date.checked_add(1.day()).map_err(|_| wrong())?;
    }
    Err(wrong())
}

pub(super) fn sound(sound: Option<&Sound>) -> String {
    match sound {
        None | Some(Sound::None) => String::new(),
        Some(Sound::Default) => " sound".to_owned(),
        Some(Sound::Named { name }) => format!(" sound {name}"),
        Some(Sound::File { path }) => format!(" sound {path}"),
    }
}
