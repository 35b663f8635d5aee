//! Quiet hours: is it quiet on this wall clock, and until when. Whether it is depends on what the clock shows and
//! on nothing else: hours that a clock skips are not there, and those that it shows twice are quiet twice.

use crate::model::Tier;
use crate::model::preferences::{Day, Schedule};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// So many days are looked at for an end, first.
const SOON: i64 = 2;
/// And then so many. A week of which no minute is loud is looked at again when they are over.
const FAR: i64 = 9;

/// The schedules, and whose wall clock counts.
#[derive(Clone, Debug, Default)]
pub(super) struct QuietHours {
    zone: Option<TimeZone>,
    schedules: Vec<Schedule>,
}

/// It is quiet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuietNow<'a> {
    /// What the user calls the schedule that says so; may be empty.
    pub(super) name: &'a str,
    /// When the next moment comes at which it is not.
    pub(super) until: Timestamp,
}

impl QuietHours {
    /// `zone`: none for the one of whoever asks.
    pub(super) fn new(zone: Option<TimeZone>, schedules: &[Schedule]) -> Self {
        let schedules = schedules
            .iter()
            .filter(|schedule| !schedule.off && !schedule.days.is_empty())
            .cloned()
            .collect();
        Self { zone, schedules }
    }

    /// The schedule in force for a tier, by its place in the document's list of those that are on, and the day on
    /// which its window began; where none is, the next that begins before the end of tomorrow.
    pub(super) fn tonight(&self, tier: Tier, now: &Zoned) -> Option<(&Schedule, Date)> {
        let zone = self.zone.as_ref().unwrap_or_else(|| now.time_zone());
        let moment = match self.next(tier, now) {
            Some(next) => next,
            None => now.timestamp(),
        };
        let shown = zone.to_datetime(moment);
        let schedule = self.quiet(tier, shown)?;
        let began_today = {
            let minute = i32::from(shown.hour()) * 60 + i32::from(shown.minute());
            i32::from(schedule.from.minutes()) <= minute
        };
        let day = if began_today {
            shown.date()
        } else {
            shown.date().yesterday().ok()?
        };
        Some((schedule, day))
    }

    /// Whether it is quiet for notifications of a tier, and until when.
    pub(super) fn at(&self, tier: Tier, now: &Zoned) -> Option<QuietNow<'_>> {
        if self.schedules.is_empty() {
            return None;
        }
        let zone = self.zone.as_ref().unwrap_or_else(|| now.time_zone());
        let at = now.timestamp();
        let schedule = self.quiet(tier, zone.to_datetime(at))?;
        let until = self
            .end(tier, zone, at, SOON)
            .or_else(|| self.end(tier, zone, at, FAR))
            .unwrap_or_else(|| {
                at.saturating_add(SignedDuration::from_hours(24 * FAR))
                    .unwrap_or(Timestamp::MAX)
            });
        Some(QuietNow {
            name: &schedule.name,
            until,
        })
    }

    /// When it next becomes quiet for notifications of a tier, within some days; where it is quiet now, none.
    pub(super) fn next(&self, tier: Tier, now: &Zoned) -> Option<Timestamp> {
        let zone = self.zone.as_ref().unwrap_or_else(|| now.time_zone());
        let at = now.timestamp();
        if self.schedules.is_empty() || self.quiet(tier, zone.to_datetime(at)).is_some() {
            return None;
        }
        self.edges(zone, at, FAR)
            .into_iter()
            .find(|moment| self.quiet(tier, zone.to_datetime(*moment)).is_some())
    }

    /// The schedule that makes this moment of a wall clock quiet.
    fn quiet(&self, tier: Tier, shown: DateTime) -> Option<&Schedule> {
        self.schedules
            .iter()
            .filter(|schedule| schedule.lets_through.is_none_or(|least| tier < least))
            .find(|schedule| contains(schedule, shown))
    }

    /// The first moment after `at`, within some days, that is not quiet.
    fn end(&self, tier: Tier, zone: &TimeZone, at: Timestamp, days: i64) -> Option<Timestamp> {
        self.edges(zone, at, days)
            .into_iter()
            .find(|moment| self.quiet(tier, zone.to_datetime(*moment)).is_none())
    }

    /// All moments after `at`, within some days, at which it may become quiet or cease to be, in order.
    fn edges(&self, zone: &TimeZone, at: Timestamp, days: i64) -> Vec<Timestamp> {
        let horizon = at
            .saturating_add(SignedDuration::from_hours(24 * days))
            .unwrap_or(Timestamp::MAX);
        let today = zone.to_datetime(at).date();
        let mut edges = Vec::new();
        for schedule in &self.schedules {
            for day in -1..=days {
                let Ok(date) = today.checked_add(SignedDuration::from_hours(24 * day)) else {
                    continue;
                };
                for time in [schedule.from, schedule.to] {
                    let shown = date.to_datetime(Time::constant(time.hour(), time.minute(), 0, 0));
                    moments(zone, shown, &mut edges);
                }
            }
        }
        // Where the clock jumps it may jump out of a window, or into one.
        edges.extend(
            zone.following(at)
                .map(|transition| transition.timestamp())
                .take_while(|moment| *moment < horizon),
        );
        edges.retain(|moment| *moment > at);
        edges.sort_unstable();
        edges
    }
}

/// All moments at which a clock shows this: none, one or two.
fn moments(zone: &TimeZone, shown: DateTime, into: &mut Vec<Timestamp>) {
    let offsets = match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
        AmbiguousOffset::Gap { .. } => [None, None],
        AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
    };
    into.extend(
        offsets
            .into_iter()
            .flatten()
            .filter_map(|offset| offset.to_timestamp(shown).ok()),
    );
}

/// Whether what a clock shows lies in a window of this schedule.
fn contains(schedule: &Schedule, shown: DateTime) -> bool {
    let starts_on = |date: Date| {
        schedule.days.contains(&day(date.weekday()))
            && schedule.skip.is_none_or(|skip| skip != date)
    };
    let minute = i32::from(shown.hour()) * 60 + i32::from(shown.minute());
    let from = i32::from(schedule.from.minutes());
    let to = i32::from(schedule.to.minutes());
    if from < to {
        from <= minute && minute < to && starts_on(shown.date())
    } else {
        (from <= minute && starts_on(shown.date()))
            || (minute < to && shown.date().yesterday().is_ok_and(starts_on))
    }
}

fn day(weekday: Weekday) -> Day {
    match weekday {
        Weekday::Monday => Day::Mon,
        Weekday::Tuesday => Day::Tue,
        Weekday::Wednesday => Day::Wed,
        Weekday::Thursday => Day::Thu,
        Weekday::Friday => Day::Fri,
        Weekday::Saturday => Day::Sat,
        Weekday::Sunday => Day::Sun,
    }
}
