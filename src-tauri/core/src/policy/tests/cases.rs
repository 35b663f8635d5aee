//! Runs the cases of `tests/policy/rules/*.txt`; `tests/policy/rules/README.md` says how they are written.

use super::{book, notification};
use crate::model::preferences::{Cell, Row};
use crate::model::{
    Bucket, Class, Disposition, HoldCause, Notification, Origin, Pause, PolicyState, Preferences,
    Rule, SubscriptionId, Tier,
};
use crate::policy::decide;
use jiff::{SignedDuration, Timestamp, Zoned};
use std::fs;
use std::path::Path;

struct Case {
    now: Zoned,
    notification: Notification,
    preferences: Preferences,
    state: PolicyState,
}

impl Case {
    fn new(now: Zoned) -> Self {
        Self {
            notification: notification(now.timestamp()),
            preferences: Preferences::default(),
            state: PolicyState::default(),
            now,
        }
    }

    /// A row of the grid about the account, or the subscription, of the notification.
    fn say(&mut self, subscription: Option<SubscriptionId>, cell: Cell) {
        self.preferences.rows.push(Row {
            account: self.notification.account,
            subscription,
            kind: None,
            until: None,
            cell,
        });
    }

    fn set(&mut self, what: &str, value: &str) {
        let draft = &mut self.notification.draft;
        let now = self.now.timestamp();
        match what {
            "tier" => draft.tier = tier(value),
            "priority" => {
                draft.priority = value.parse().unwrap();
                draft.tier = match draft.priority {
                    5 => Tier::Critical,
                    3 | 4 => Tier::Important,
                    _ => Tier::Informational,
                };
            }
            "age" => draft.created_at = now - length(value),
            "expires" => draft.expires_at = Some(now + length(value)),
            "passing" => draft.class = Class::Ephemeral,
            "origin" => {
                self.notification.origin = match value {
                    "live" => Origin::Live,
                    "backfill" => Origin::Backfill,
                    "first filling" => Origin::FirstFilling,
                    _ => panic!("origin {value}"),
                }
            }
            "read" => self.notification.read_at = Some(now),
            "done" => self.notification.done_at = Some(now),
            "known" => self.state.known = true,
            "looking" => self.state.looking = true,
            "ring while looking" => self.preferences.context.ring_while_looking = true,
            "muted" => self.say(
                (value == "subscription").then_some(self.notification.subscription),
                Cell {
                    mute: Some(true),
                    ..Cell::default()
                },
            ),
            "minimum" => self.say(
                None,
                Cell {
                    min_tier: Some(tier(value)),
                    ..Cell::default()
                },
            ),
            "newer critical" => self.state.newer_critical_backfill = value.parse().unwrap(),
            "missed" => self.state.missed = Some(value.parse().unwrap()),
            "released" => self.state.released = Some(cause(value)),
            "pause" => {
                let (end, critical) = value.split_once(", ").unwrap_or((value, ""));
                self.state.pause = Some(Pause {
                    until: (end != "until resumed").then(|| moment(end)),
                    critical_rings: critical == "critical rings",
                });
            }
            "own tokens" => self.state.subscription_bucket = Some(bucket(value, now)),
            "tokens" => self.state.overall_bucket = Some(bucket(value, now)),
            "critical tokens" => self.state.critical_bucket = Some(bucket(value, now)),
            "limits" => {
                let mut sizes = value.split(' ').map(|size| size.parse().unwrap());
                let limits = &mut self.preferences.limits;
                limits.subscription = sizes.next().unwrap();
                limits.overall = sizes.next().unwrap();
                limits.critical = sizes.next().unwrap();
            }
            _ => panic!("{what} {value}"),
        }
    }
}

fn tier(word: &str) -> Tier {
    serde_json::from_value(word.into()).unwrap()
}

fn cause(word: &str) -> HoldCause {
    match word {
        "subscription limit" => HoldCause::SubscriptionLimit {
            subscription: notification(Timestamp::UNIX_EPOCH).subscription,
        },
        word => {
            serde_json::from_value(serde_json::json!({ "cause": word.replace(' ', "_") })).unwrap()
        }
    }
}

fn length(text: &str) -> SignedDuration {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn moment(text: &str) -> Timestamp {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `0.5`, or `0.5 counted 30s ago`, or `0.5 counted 1h ahead`.
fn bucket(text: &str, now: Timestamp) -> Bucket {
    let (tokens, counted) = text.split_once(" counted ").unwrap_or((text, "0s ago"));
    let (time, way) = counted.rsplit_once(' ').unwrap();
    Bucket {
        tokens: tokens.parse().unwrap(),
        at: if way == "ahead" {
            now + length(time)
        } else {
            now - length(time)
        },
    }
}

fn written(disposition: &Disposition) -> String {
    match disposition {
        Disposition::Present => "present".to_owned(),
        Disposition::InboxOnly => "inbox only".to_owned(),
        Disposition::Fold { into } => format!("fold into {into}"),
        Disposition::Join => "join".to_owned(),
        Disposition::Hold { until, because } => {
            let until =
                until.map_or_else(|| "its cause ends".to_owned(), |until| until.to_string());
            format!("hold until {until}, {}", because.batch_key())
        }
    }
}

fn rule_word(rule: Rule) -> String {
    serde_json::to_value(rule)
        .unwrap()
        .as_str()
        .unwrap()
        .replace('_', " ")
}

fn run(file: &str, text: &str) -> usize {
    let mut cases = 0;
    let mut now = None;
    for block in text.split("\n\n") {
        let mut case: Option<Case> = None;
        let mut verdict = None;
        let mut name = "";
        for line in block.lines().filter(|line| !line.starts_with('#')) {
            let at = format!("{file}, {name}: {line}");
            if let Some(title) = line.strip_prefix("case ") {
                name = title;
                case = Some(Case::new(Clone::clone(&now).expect("`now` comes first")));
                continue;
            }
            if let Some(zoned) = line.strip_prefix("now ") {
                now = Some(zoned.parse::<Zoned>().expect(&at));
                continue;
            }
            let Some(case) = &mut case else {
                assert!(line.trim().is_empty(), "{at}");
                continue;
            };
            if let Some(given) = line.strip_prefix("  ") {
                let (what, value) = given.split_once(": ").unwrap_or((given, ""));
                case.set(what, value);
            } else if let Some(expected) = line.strip_prefix("=> ") {
                let book = book(case.preferences.clone());
                let decided = decide(&case.notification, &book, &case.state, &case.now);
                let rule = decided
                    .trace
                    .last()
                    .map(|last| rule_word(last.rule))
                    .unwrap();
                let actual = format!("{}, by {rule}", written(&decided.disposition));
                assert_eq!(actual, expected, "{at}\n{:#?}", decided.trace);
                verdict = Some(decided);
                cases += 1;
            } else if let Some(says) = line.strip_prefix("says ") {
                let verdict = verdict.as_ref().expect(&at);
                assert_eq!(verdict.trace.last().unwrap().says, says, "{at}");
            } else if let Some(asked) = line.strip_prefix("asked ") {
                let (rule, says) = asked.split_once(": ").expect(&at);
                let verdict = verdict.as_ref().expect(&at);
                let line = verdict
                    .trace
                    .iter()
                    .find(|line| rule_word(line.rule) == rule);
                assert_eq!(line.expect(&at).says, says, "{at}");
            } else {
                panic!("{at}: not understood");
            }
        }
        assert_eq!(
            case.is_some(),
            verdict.is_some(),
            "{file}, {name}: no verdict is expected"
        );
    }
    cases
}

#[test]
fn every_written_case_is_decided_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/policy/rules");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(
                run(&file, &fs::read_to_string(&path).unwrap()) > 0,
                "{file} has no case"
            );
            files += 1;
        }
    }
    assert!(files >= 4, "only {files} files in {}", folder.display());
}
