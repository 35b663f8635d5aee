//! The policy by itself: a decision, and what the simulator plays.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use support::Result;
use tidings_core::model::preferences::{Mandates, Preferences};
use tidings_core::model::{
    AccountId, Class, Draft, Format, Notification, NotificationId, Origin, PolicyState,
    SubscriptionId, Tier,
};
use tidings_core::policy::{Rulebook, decide, simulate};

use crate::clock;
use crate::report::{Report, quantile};
use crate::rows::Dice;

/// Decisions measured in one go: one alone is too short for a clock.
const TOGETHER: u32 = 100;
/// How often.
const ROUNDS: usize = 200;
/// How often a simulation is repeated; the median counts.
const REPEATS: usize = 5;
const TOPICS: u64 = 20;
const KINDS: [&str; 6] = [
    "",
    "build.failed",
    "build.started",
    "comment",
    "backup",
    "disk",
];
/// What somebody has set who has used the settings: two schedules, rules of each sort, some rows, some batches.
const DOCUMENT: &str = r#"{
  "quiet": { "schedules": [
    { "name": "Night", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "22:30", "to": "07:00" },
    { "name": "Lunch", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "12:00", "to": "13:00" }
  ] },
  "rules": [
    { "name": "Lottery", "text": { "text": "lottery" }, "then": { "what": "mute" } },
    { "name": "Builds", "kind": { "how": "glob", "text": "build.*" }, "then": { "what": "toast", "toast": "digest" } },
    { "name": "Numbers", "text": { "how": "regex", "text": "^(error|fatal)[ :]" }, "then": { "what": "tier", "tier": "critical" } },
    { "name": "On call", "tags": ["pager"], "then": { "what": "mandatory" } }
  ],
  "rows": [
    { "account": 1, "min_tier": "informational", "privacy": "full" },
    { "account": 1, "subscription": 2, "mute": true },
    { "account": 1, "subscription": 4, "toast": "digest" },
    { "account": 1, "subscription": 7, "kind": "disk", "batch": { "how": "leading", "seconds": 300 } },
    { "account": 1, "subscription": 8, "kind": "comment", "batch": { "how": "trailing", "seconds": 30, "most": 300 } },
    { "account": 2, "subscription": 11, "privacy": "title_only" },
    { "account": 2, "subscription": 12, "tier": "important" },
    { "account": 2, "subscription": 13, "kind": "backup", "batch": { "how": "daily", "at": "18:00" } }
  ]
}"#;

/// A decision, and simulations of a week.
pub fn measure(report: &mut Report) -> Result<()> {
    let document: Preferences = serde_json::from_str(DOCUMENT)?;
    let (book, problems) = Rulebook::new(document, &Mandates::default(), &[]);
    if let Some(problem) = problems.first() {
        return Err(problem.says.clone().into());
    }
    let book = Arc::new(book);
    let zone = TimeZone::get("Europe/Berlin")?;
    let from: Timestamp = "2026-03-02T00:00:00+01:00".parse()?;
    // In the morning: every rule is asked.
    let morning = from.checked_add(SignedDuration::from_hours(10))?;
    decisions(&book, &zone, morning, report);
    for (count, budget) in [(10_000, 200), (100_000, 2_000)] {
        let to = from.checked_add(SignedDuration::from_hours(7 * 24))?;
        let history = week(count, from)?;
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            let begin = clock::now();
            let simulated = simulate(&history, &[], &book, &zone, from, to);
            times.push(clock::since(begin));
            if simulated.outcomes.len() != history.len() {
                return Err("the simulation lost a notification".into());
            }
        }
        report.at_most(
            &format!("simulation of {count} notifications, median"),
            Duration::from_millis(budget),
            quantile(&mut times, 0.5),
        );
    }
    Ok(())
}

fn decisions(book: &Rulebook, zone: &TimeZone, at: Timestamp, report: &mut Report) {
    let mut dice = Dice::new(7);
    let now = at.to_zoned(zone.clone());
    let some: Vec<Notification> = (1..=100)
        .map(|number| notification(&mut dice, number, at))
        .collect();
    let state = PolicyState::default();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = clock::now();
        for n in &some {
            std::hint::black_box(decide(n, book, &state, &now));
        }
        times.push(clock::since(begin) / TOGETHER);
    }
    let median = quantile(&mut times, 0.5);
    let micros = median.as_secs_f64() * 1e6;
    report.judge(
        "a decision, median",
        "≤ 10 µs",
        format!("{micros:.1} µs"),
        median <= Duration::from_micros(10),
    );
}

/// As many as are asked for, over seven days; a third read within the hour.
fn week(count: i64, from: Timestamp) -> Result<Vec<Notification>> {
    let mut dice = Dice::new(42);
    let apart = SignedDuration::from_millis(7 * 24 * 3_600_000 / count);
    let mut at = from;
    let mut all = Vec::new();
    for number in 1..=count {
        let mut n = notification(&mut dice, number, at);
        if dice.roll(3) == 0 {
            let later = SignedDuration::from_secs(i64::try_from(dice.roll(3600))?);
            n.read_at = Some(at.checked_add(later)?);
        }
        all.push(n);
        at = at.checked_add(apart)?;
    }
    Ok(all)
}

fn notification(dice: &mut Dice, number: i64, at: Timestamp) -> Notification {
    let topic = i64::try_from(dice.roll(TOPICS)).unwrap_or_default() + 1;
    let (priority, tier) = match dice.roll(20) {
        0 => (5, Tier::Critical),
        1..=4 => (4, Tier::Important),
        5..=13 => (3, Tier::Important),
        14..=18 => (2, Tier::Informational),
        _ => (1, Tier::Informational),
    };
    let mut words = |count: u32| {
        let words: Vec<String> = (0..count).map(|_| dice.word()).collect();
        words.join(" ")
    };
    let (title, body) = (words(4), words(14));
    let kind = KINDS[usize::try_from(dice.roll(6)).unwrap_or_default()];
    Notification {
        id: NotificationId(number),
        account: AccountId(1 + topic / 10),
        subscription: SubscriptionId(topic),
        tier,
        origin: Origin::Live,
        received_at: at,
        seen_at: None,
        read_at: None,
        done_at: None,
        revisions: 0,
        draft: Draft {
            remote_id: number.to_string(),
            replace_key: number.to_string(),
            version: 1,
            class: Class::Persistent,
            kind: kind.to_owned(),
            title,
            body,
            format: Format::Plain,
            priority,
            tier,
            created_at: at,
            url: None,
            actions: Vec::new(),
            tags: vec!["warning".to_owned()],
            icon: None,
            attachment: None,
            silent: false,
            expires_at: None,
            raw: String::new(),
        },
    }
}
