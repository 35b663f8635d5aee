//! Quiet hours by brute force: minute after minute, asking what a clock on the wall shows. It shares nothing with what
//! it checks.

use super::book;
use crate::model::preferences::{ClockTime, Day, Schedule};
use crate::model::{Preferences, Tier};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// With gaps and overlaps, at midnight, of half an hour, of a day, and without any.
const ZONES: [&str; 48] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Juba",
    "Africa/Khartoum",
    "Africa/Windhoek",
    "America/Adak",
    "America/Asuncion",
    "America/Caracas",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Port-au-Prince",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Damascus",
    "Asia/Gaza",
    "Asia/Hovd",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Volgograd",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Bougainville",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Fakaofo",
    "Pacific/Fiji",
    "Pacific/Norfolk",
    "Pacific/Tongatapu",
];

/// No end of quiet is looked for further away, in days.
const FAR: i64 = 9;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Minutes that a wall clock has shown since the first midnight of 1970, if no day had been skipped.
fn on_the_wall(zone: &TimeZone, at: Timestamp) -> i64 {
    let shown = zone.to_datetime(at);
    let days = shown.date().duration_since(date(1970, 1, 1)).as_hours() / 24;
    days * 1440 + i64::from(shown.hour()) * 60 + i64::from(shown.minute())
}

/// Whether a schedule has a window with this minute in it, by trying all days on which it could have begun.
fn is_in(schedule: &Schedule, wall: i64) -> bool {
    let today = wall.div_euclid(1440);
    let from = i64::from(schedule.from.minutes());
    let to = i64::from(schedule.to.minutes());
    let long = if to > from {
        to - from
    } else {
        1440 - from + to
    };
    (today - 2..=today).any(|day| {
        // The first day of 1970 was a Thursday.
        let weekday = Day::WEEK[usize::try_from((day + 3).rem_euclid(7)).unwrap()];
        let skipped = schedule
            .skip
            .is_some_and(|skip| skip.duration_since(date(1970, 1, 1)).as_hours() / 24 == day);
        let start = day * 1440 + from;
        schedule.days.contains(&weekday) && !skipped && start <= wall && wall < start + long
    })
}

fn is_quiet(schedules: &[Schedule], tier: Tier, zone: &TimeZone, at: Timestamp) -> bool {
    let wall = on_the_wall(zone, at);
    schedules.iter().any(|schedule| {
        let through = schedule.lets_through.is_some_and(|least| tier >= least);
        !schedule.off && !through && is_in(schedule, wall)
    })
}

/// The first minute after `at` that is not quiet.
fn end(schedules: &[Schedule], tier: Tier, zone: &TimeZone, at: Timestamp) -> Timestamp {
    let seconds = at.as_second().rem_euclid(60);
    let mut minute = at - SignedDuration::from_secs(seconds);
    for _ in 0..FAR * 1440 {
        minute += MINUTE;
        if !is_quiet(schedules, tier, zone, minute) {
            return minute;
        }
    }
    at + SignedDuration::from_hours(24 * FAR)
}

/// When clocks of a zone jumped, or will.
fn jumps(zone: &TimeZone) -> Vec<Timestamp> {
    let start = "2010-01-01T00:00:00Z".parse().unwrap();
    let stop: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    zone.following(start)
        .map(|jump| jump.timestamp())
        .take_while(|at| *at < stop)
        .collect()
}

fn clocks() -> impl Strategy<Value = ClockTime> {
    prop_oneof![
        prop::sample::select(vec![
            0_u16, 1, 29, 30, 59, 60, 90, 119, 120, 150, 179, 180, 1380, 1410, 1439
        ]),
        0_u16..1440,
    ]
    .prop_map(|minutes| ClockTime::new(minutes / 60, minutes % 60).unwrap())
}

fn schedules() -> impl Strategy<Value = Schedule> {
    (
        prop::sample::subsequence(Day::WEEK.to_vec(), 1..=7),
        clocks(),
        clocks(),
        prop::sample::select(vec![None, Some(Tier::Critical), Some(Tier::Important)]),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(days, from, to, lets_through, off)| Schedule {
            name: String::new(),
            off,
            days,
            from,
            to,
            lets_through,
            skip: None,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn quiet_hours_are_what_the_wall_clock_says(
        zone in prop::sample::select(ZONES.to_vec()),
        jump in any::<prop::sample::Index>(),
        around in -48 * 3600_i64..24 * 3600,
        mut all in prop::collection::vec(schedules(), 1..4),
        skip in prop::option::weighted(0.3, -1_i64..2),
        home in any::<bool>(),
        tier in prop::sample::select(vec![Tier::Important, Tier::Critical]),
    ) {
        let name = zone;
        let zone = TimeZone::get(name).unwrap();
        let jumps = jumps(&zone);
        let near = if jumps.is_empty() {
            "2026-03-29T01:00:00Z".parse().unwrap()
        } else {
            *jump.get(&jumps)
        };
        let at = near + SignedDuration::from_secs(around);
        if let Some(days) = skip {
            let today = zone.to_datetime(at).date();
            all[0].skip = Some(today.checked_add(SignedDuration::from_hours(24 * days)).unwrap());
        }
        let mut preferences = Preferences::default();
        preferences.quiet.schedules.clone_from(&all);
        // A home zone counts whatever zone the computer is in.
        let asked = if home {
            preferences.quiet.zone = name.to_owned();
            TimeZone::UTC
        } else {
            zone.clone()
        };
        let book = book(preferences);
        let now = at.to_zoned(asked);
        let quiet = book.quiet().at(tier, &now);
        if is_quiet(&all, tier, &zone, at) {
            let expected = end(&all, tier, &zone, at);
            prop_assert_eq!(quiet.map(|quiet| quiet.until), Some(expected), "{} at {}", name, at);
        } else {
            prop_assert_eq!(quiet, None, "{} at {}", name, at);
            if let Some(next) = book.quiet().next(tier, &now) {
                prop_assert!(is_quiet(&all, tier, &zone, next), "{name} at {at}: {next}");
                let before = next - MINUTE;
                prop_assert!(before < at || !is_quiet(&all, tier, &zone, before), "{name} at {at}: {next}");
            }
        }
    }
}

#[test]
fn the_oracle_knows_what_everybody_knows() {
    let night = Schedule {
        name: String::new(),
        off: false,
        days: vec![Day::Fri],
        from: "22:00".parse().unwrap(),
        to: "07:00".parse().unwrap(),
        lets_through: Some(Tier::Critical),
        skip: None,
    };
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let all = [night];
    for (at, quiet) in [
        ("2026-03-06T20:59:59Z", false),
        ("2026-03-06T21:00:00Z", true),
        ("2026-03-07T05:59:59Z", true),
        ("2026-03-07T06:00:00Z", false),
        ("2026-03-07T21:00:00Z", false),
    ] {
        assert_eq!(
            is_quiet(&all, Tier::Important, &zone, at.parse().unwrap()),
            quiet,
            "{at}"
        );
        assert!(!is_quiet(&all, Tier::Critical, &zone, at.parse().unwrap()));
    }
    // The island that went to bed on a Thursday and rose on a Saturday.
    let apia = TimeZone::get("Pacific/Apia").unwrap();
    let thursday: Timestamp = "2011-12-30T09:00:00Z".parse().unwrap();
    assert_eq!(
        on_the_wall(&apia, thursday + SignedDuration::from_hours(2)) - on_the_wall(&apia, thursday),
        26 * 60
    );
}
