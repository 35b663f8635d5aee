//! What holds of any week: read from what was shown, and from the ledgers.

use super::Life;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use tidings_api::Tier;
use tidings_api::preferences::{Day, Schedule};
use tidings_core::ports::Toast;

/// Whoever is due is told within this.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);
/// Of the escalation: rings so often besides the first time, and so far apart.
const AGAIN: (usize, SignedDuration) = (3, SignedDuration::from_mins(10));

/// Something that was shown.
pub(super) struct Told {
    pub(super) toast: Toast,
    pub(super) at: Timestamp,
}

/// A line of a ledger.
struct Line {
    at: Timestamp,
    what: String,
    until: Option<Timestamp>,
    because: Value,
}

/// A notification, and all that was decided about it.
struct One {
    id: i64,
    body: String,
    subscription: i64,
    critical: bool,
    read: bool,
    state: String,
    lines: Vec<Line>,
    /// Toasts that told of it.
    toasts: Vec<i64>,
}

pub(super) fn check(life: &Life, db: &Connection) {
    let all = read(life, db);
    assert!(all.len() > 300, "only {} came", all.len());
    each_is_told_once(life, &all);
    nothing_rings_in_quiet_times(life);
    holds_end_with_their_cause(life, &all);
    the_limits_hold(life, &all);
    escalations_are_apart(life, &all);
}

fn micros(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).expect("a time")
}

/// Which toasts told of which notifications, as far as the database still knows.
pub(super) fn members(db: &Connection) -> Vec<(i64, i64)> {
    let mut statement = db
        .prepare("SELECT toast, notification FROM toast_member WHERE told = 2")
        .expect("the question is right");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("members")
        .collect::<Result<_, _>>()
        .expect("members")
}

fn read(life: &Life, db: &Connection) -> Vec<One> {
    let mut statement = db
        .prepare(
            "SELECT n.id, c.body, n.subscription, n.tier, n.read_at, d.state FROM notification n
             JOIN content c ON c.id = n.id JOIN delivery d ON d.notification = n.id ORDER BY n.id",
        )
        .expect("the question is right");
    let rows = statement.query_map([], |row| {
        Ok(One {
            id: row.get(0)?,
            body: row.get(1)?,
            subscription: row.get(2)?,
            critical: row.get::<_, i64>(3)? == 2,
            read: row.get::<_, i64>(4)? != 0,
            state: row.get(5)?,
            lines: Vec::new(),
            toasts: Vec::new(),
        })
    });
    let mut all: Vec<One> = rows.expect("rows").collect::<Result<_, _>>().expect("rows");
    let places: HashMap<i64, usize> = all
        .iter()
        .enumerate()
        .map(|(at, one)| (one.id, at))
        .collect();
    let mut statement = db
        .prepare("SELECT notification, at, disposition FROM ledger ORDER BY id")
        .expect("the question is right");
    let lines = statement.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, String>(2)?))
    });
    for line in lines.expect("lines") {
        let (id, at, disposition) = line.expect("a line");
        let disposition: Value = serde_json::from_str(&disposition).expect("JSON");
        all[places[&id]].lines.push(Line {
            at: micros(at),
            what: disposition["what"].as_str().expect("a word").to_owned(),
            until: disposition["until"]
                .as_str()
                .map(|at| at.parse().expect("a time")),
            because: disposition["because"].clone(),
        });
    }
    for (toast, id) in &life.members {
        all[places[id]].toasts.push(*toast);
    }
    all
}

/// Each is counted in one toast, or the ledger says that it is in the inbox only.
fn each_is_told_once(life: &Life, all: &[One]) {
    let shown: HashSet<i64> = life.told.iter().map(|told| told.toast.key.0).collect();
    let mut counted = BTreeMap::<i64, usize>::new();
    for one in all {
        let put_off = life.snoozed.iter().filter(|id| id.0 == one.id).count();
        let most = 1 + put_off + if one.critical { AGAIN.0 } else { 0 };
        let last = one.lines.last().expect("each was decided");
        assert!(
            one.toasts.len() <= most,
            "{} was told by {:?}",
            one.body,
            one.toasts
        );
        assert!(
            one.toasts.iter().all(|toast| shown.contains(toast)),
            "{}",
            one.body
        );
        if one.toasts.is_empty() {
            assert!(
                last.what == "inbox_only" || one.read,
                "nobody was told of {}: {} {}",
                one.body,
                last.what,
                one.state
            );
        }
        for toast in &one.toasts {
            *counted.entry(*toast).or_default() += 1;
        }
        assert_ne!(one.state, "held", "{} still waits", one.body);
    }
    let new: Vec<i64> = life
        .told
        .iter()
        .filter(|told| !told.toast.update)
        .map(|told| told.toast.key.0)
        .collect();
    let once: HashSet<i64> = new.iter().copied().collect();
    assert_eq!(new.len(), once.len(), "no toast rings twice");
    // What the last words of a toast count is what it was about, but for what was read before.
    for (toast, count) in counted {
        let last = life
            .told
            .iter()
            .rev()
            .find(|told| told.toast.key.0 == toast);
        let title = &last.expect("it was shown").toast.title;
        let number = title
            .split(' ')
            .next()
            .and_then(|word| word.parse::<usize>().ok());
        if let Some(number) = number.filter(|_| count > 1) {
            assert!(number <= count, "{title} of {count}");
        }
    }
}

fn nothing_rings_in_quiet_times(life: &Life) {
    for Told { toast, at } in &life.told {
        if toast.update {
            assert_eq!(toast.sound, None, "an edit is not heard");
            continue;
        }
        let said = || format!("{} rang at {at}", toast.title);
        let within = |(from, to): &(Timestamp, Timestamp)| from < at && at < to;
        assert!(!life.pauses.iter().any(within), "{} in a pause", said());
        if !life.delivered.contains(at) {
            let local = zone_at(life, *at).to_datetime(*at);
            let quiet = life
                .schedules
                .iter()
                .find(|one| is_quiet(one, toast.tier, local));
            assert!(quiet.is_none(), "{} ({local}) in {quiet:?}", said());
        }
    }
}

fn zone_at(life: &Life, at: Timestamp) -> &TimeZone {
    let mut known = life.zones.iter().rev();
    let zone = known.find(|(from, _)| *from <= at).or(life.zones.first());
    &zone.expect("it is somewhere").1
}

/// By the face of the clock alone.
fn is_quiet(schedule: &Schedule, tier: Tier, local: DateTime) -> bool {
    if schedule.lets_through.is_some_and(|least| least <= tier) {
        return false;
    }
    let minute = |time: tidings_api::preferences::ClockTime| {
        i32::from(time.hour()) * 60 + i32::from(time.minute())
    };
    let (from, to) = (minute(schedule.from), minute(schedule.to));
    let now = i32::from(local.hour()) * 60 + i32::from(local.minute());
    let is_on = |weekday| schedule.days.contains(&day(weekday));
    let yesterday = local.checked_sub(1.day()).expect("a day").weekday();
    if from < to {
        is_on(local.weekday()) && from <= now && now < to
    } else {
        (is_on(local.weekday()) && from <= now) || (is_on(yesterday) && now < to)
    }
}

fn day(weekday: Weekday) -> Day {
    let place = usize::try_from(weekday.to_monday_zero_offset()).expect("small");
    Day::WEEK[place]
}

/// Nothing is released before its time, and nothing is held beyond it.
fn holds_end_with_their_cause(life: &Life, all: &[One]) {
    // Those that were released at one moment from one batch, and whether any was to ring.
    let mut released = BTreeMap::<(Timestamp, String), (Vec<(&One, &Line)>, bool)>::new();
    for one in all {
        for pair in one.lines.windows(2) {
            let [held, next] = pair else { continue };
            if held.what == "hold" {
                let key = (next.at, held.because.to_string());
                let batch = released.entry(key).or_default();
                batch.0.push((one, held));
                batch.1 |= next.what != "inbox_only";
            }
        }
    }
    assert!(released.len() > 30, "only {} batches", released.len());
    // What was read may be dropped at any time.
    released.retain(|_, (_, rings)| *rings);
    for ((at, cause), (held, _)) in &released {
        let since = held.iter().map(|(_, line)| line.at).min().expect("some");
        let (least, most) = (since.min(*at), since.max(*at));
        let between = |time: &Timestamp| least <= *time && *time <= most;
        if life.disturbed.iter().chain(&life.delivered).any(between) {
            continue;
        }
        let of = || {
            format!(
                "{} and {} more, for {cause}, since {since}",
                held[0].0.body,
                held.len() - 1
            )
        };
        let dues = held.iter().filter_map(|(_, line)| line.until);
        let due = match held[0].1.because["cause"].as_str() {
            // The last of them moves the end for all.
            Some("window") => dues.max(),
            _ => dues.min(),
        };
        let Some(due) = due else {
            let ends = life.pauses.iter().any(|(_, to)| to == at);
            assert!(ends, "{} was released at {at}, which is no end", of());
            continue;
        };
        let resumed =
            held[0].1.because["cause"] == "pause" && life.pauses.iter().any(|(_, to)| to == at);
        // An absence is over when all that was missed is here.
        let ended = resumed || held[0].1.because["cause"] == "away";
        assert!(
            due <= *at || ended,
            "{} was released at {at}, before {due}",
            of()
        );
        let back = life
            .absent
            .iter()
            .filter(|(from, to)| *from <= due && due <= *to);
        let latest = back.map(|(_, to)| *to).max().unwrap_or(due) + AT_ONCE;
        assert!(*at <= latest, "{} was released at {at}, after {due}", of());
    }
}

/// No more than a full bucket, and what flowed in since.
fn the_limits_hold(life: &Life, all: &[One]) {
    let rang = |critical: bool, subscription: Option<i64>| -> Vec<Timestamp> {
        all.iter()
            .filter(|one| one.critical == critical)
            .filter(|one| subscription.is_none_or(|id| id == one.subscription))
            .filter(|one| one.lines[0].what == "present")
            .map(|one| one.lines[0].at)
            .collect()
    };
    let within = |times: &[Timestamp], a_minute: f64, of: &str| {
        for (first, start) in times.iter().enumerate() {
            let mut last = *start;
            for (count, end) in times[first..].iter().enumerate() {
                // A clock that was set back is another hour.
                if *end < last {
                    break;
                }
                last = *end;
                let minutes = end.duration_since(*start).as_secs_f64() / 60.0;
                let most = a_minute * (1.0 + minutes) + 1e-3;
                let count = f64::from(u32::try_from(count + 1).expect("few"));
                assert!(
                    count <= most,
                    "{count} toasts of {of} between {start} and {end}"
                );
            }
        }
    };
    within(&rang(false, None), 12.0, "all");
    within(&rang(true, None), 20.0, "the critical");
    let subscriptions: HashSet<i64> = all.iter().map(|one| one.subscription).collect();
    for subscription in subscriptions {
        within(&rang(false, Some(subscription)), 5.0, "one subscription");
    }
    // However they came to ring: singly, as digests, or again.
    let new: Vec<Timestamp> = life
        .told
        .iter()
        .filter(|told| !told.toast.update)
        .map(|told| told.at)
        .collect();
    let minute = SignedDuration::from_mins(1);
    for start in &new {
        let count = new
            .iter()
            .filter(|at| *start <= **at && **at < *start + minute)
            .count();
        assert!(count <= 30, "{count} toasts in a minute from {start} on");
    }
}

fn escalations_are_apart(life: &Life, all: &[One]) {
    let mut again = 0;
    for one in all.iter().filter(|one| one.critical) {
        let rang: Vec<Timestamp> = one
            .lines
            .iter()
            .filter(|line| line.what == "present")
            .map(|line| line.at)
            .collect();
        for pair in rang.windows(2) {
            let disturbed = |at: &Timestamp| pair[0] <= *at && *at <= pair[1];
            if pair[0] < pair[1] && !life.disturbed.iter().any(disturbed) {
                again += 1;
                let apart = pair[1].duration_since(pair[0]);
                assert!(
                    apart + AT_ONCE >= AGAIN.1,
                    "{} rang again after {apart}",
                    one.body
                );
            }
        }
    }
    assert!(again >= 6, "only {again} rang again");
}
