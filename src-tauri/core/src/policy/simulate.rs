//! What preferences would have done with notifications that came.

use super::Rulebook;
use super::play::{Happening, Look, Player};
use super::trace::{clock_words, counted};
use crate::model::{HoldCause, Notification, NotificationId, Rule};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::collections::HashMap;
use std::sync::Arc;

/// How a person is told of one notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// By a toast of its own.
    Toast {
        /// When.
        at: Timestamp,
    },
    /// In a toast for many.
    Digest {
        /// When.
        at: Timestamp,
        /// For how many, when it rang.
        count: u64,
    },
    /// By an edit of a toast that was there.
    Joined {
        /// When.
        at: Timestamp,
    },
    /// It still waits.
    Waits {
        /// For what.
        cause: HoldCause,
    },
    /// No toast tells of it.
    Silent {
        /// The rule that decided so; [`Rule::Toast`] where it was read before its toast was shown.
        rule: Rule,
    },
}

impl Told {
    /// Two that a person would not tell apart: the same but for seconds.
    pub fn is_like(&self, other: &Self) -> bool {
        const SECONDS: i64 = 60;
        let near = |a: &Timestamp, b: &Timestamp| a.duration_since(*b).as_secs().abs() < SECONDS;
        match (self, other) {
            (Self::Toast { at: a }, Self::Toast { at: b })
            | (Self::Digest { at: a, .. }, Self::Digest { at: b, .. })
            | (Self::Joined { at: a }, Self::Joined { at: b }) => near(a, b),
            (Self::Waits { cause: a }, Self::Waits { cause: b }) => waits_for(a) == waits_for(b),
            (Self::Silent { .. }, Self::Silent { .. }) => true,
            _ => false,
        }
    }

    /// In words for the user, whose clock shows `now`.
    pub fn words(&self, now: &Zoned) -> String {
        match self {
            Self::Toast { at } => format!("A toast at {}", clock_words(*at, now)),
            Self::Digest { at, count } => format!(
                "In a toast for {} at {}",
                counted(*count, "notification", "notifications"),
                clock_words(*at, now)
            ),
            Self::Joined { at } => {
                format!("Joins a toast on the screen at {}", clock_words(*at, now))
            }
            Self::Waits { cause } => format!("Waits{}", waits_for(cause)),
            Self::Silent { rule } => format!("No toast{}", because(*rule)),
        }
    }
}

fn waits_for(cause: &HoldCause) -> &'static str {
    match cause {
        HoldCause::Pause => " for the end of a pause",
        HoldCause::Quiet => " for the end of quiet hours",
        HoldCause::Context { .. } => " until the screen is free",
        HoldCause::LowPriority
        | HoldCause::Digest
        | HoldCause::Window { .. }
        | HoldCause::Daily { .. } => " to be told with others",
        HoldCause::SubscriptionLimit { .. }
        | HoldCause::OverallLimit
        | HoldCause::CriticalLimit
        | HoldCause::Away
        | HoldCause::Escalation => "",
        HoldCause::Snooze { .. } => ", snoozed",
    }
}

fn because(rule: Rule) -> &'static str {
    match rule {
        Rule::Known => ": a repeat",
        Rule::Over => ": read, done or over",
        Rule::Ephemeral => ": it has passed",
        Rule::Muted => ": muted",
        Rule::Grid => ": the grid says so",
        Rule::MinimumTier => ": below the minimum tier",
        Rule::Duplicate => ": another said the same",
        Rule::Context => ": you were looking at it",
        Rule::Backfill => ": it was there before the subscription",
        Rule::Toast
        | Rule::Mandatory
        | Rule::Paused
        | Rule::QuietHours
        | Rule::Batch
        | Rule::RateLimit
        | Rule::Snoozed => "",
    }
}

/// What became of one notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which one.
    pub id: NotificationId,
    /// How it was told, first.
    pub told: Told,
}

/// What preferences would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Toasts of one notification.
    pub toasts: u64,
    /// Toasts of several.
    pub digests: u64,
    /// Notifications that waited for something.
    pub held: u64,
    /// Notifications without any toast.
    pub silent: u64,
    /// Toasts of both sorts by hour, from the start on.
    pub hours: Vec<u32>,
    /// Each notification, in the order of the history.
    pub outcomes: Vec<Outcome>,
}

/// Plays a history against preferences: notifications in the order in which they came, each read and done when it was,
/// and among them what else happened, in order. What was pending before `from` is not known. After `to` nobody looks.
pub fn simulate(
    history: &[Notification],
    facts: &[(Timestamp, Happening)],
    book: &Arc<Rulebook>,
    zone: &TimeZone,
    from: Timestamp,
    to: Timestamp,
) -> Simulated {
    let mut player = Player::new(Arc::clone(book), zone.clone(), from, false);
    let mut result = Simulated {
        hours: vec![0; hours(from, to)],
        ..Simulated::default()
    };
    let mut told = HashMap::with_capacity(history.len());
    for (at, what) in timeline(history, facts) {
        if at > to {
            break;
        }
        player.pass(at);
        player.happens(what.happening());
        hear(&mut player, from, &mut result, &mut told);
    }
    player.pass(to);
    player.settle();
    hear(&mut player, from, &mut result, &mut told);
    for n in history {
        let Some(standing) = player.standing(n.id) else {
            continue;
        };
        let told = told.remove(&n.id).unwrap_or_else(|| match standing.waits {
            Some(cause) => Told::Waits {
                cause: cause.clone(),
            },
            None => Told::Silent {
                rule: standing.rule,
            },
        });
        result.held += u64::from(standing.waited);
        result.silent += u64::from(matches!(told, Told::Silent { .. }));
        result.outcomes.push(Outcome { id: n.id, told });
    }
    result
}

/// What a person would be told otherwise: by the first preferences, and by the second, of one history; newest first.
pub fn differences<'a>(
    now: &'a Simulated,
    then: &'a Simulated,
) -> impl Iterator<Item = (&'a Outcome, &'a Outcome)> {
    let both = now.outcomes.iter().zip(&then.outcomes).rev();
    both.filter(|(now, then)| !now.told.is_like(&then.told))
}

fn hours(from: Timestamp, to: Timestamp) -> usize {
    let seconds = to.duration_since(from).as_secs().max(0);
    usize::try_from((seconds + 3599) / 3600).unwrap_or(0)
}

/// What happens next: something of the history, or a fact.
enum Next<'a> {
    Comes(&'a Notification),
    Read(NotificationId),
    Done(NotificationId),
    Fact(&'a Happening),
}

impl Next<'_> {
    fn happening(&self) -> Happening {
        match self {
            Self::Comes(n) => {
                let mut n = (*n).clone();
                // What it was before it was read here.
                n.read_at = n.read_at.filter(|at| *at <= n.received_at);
                n.done_at = n.done_at.filter(|at| *at <= n.received_at);
                n.tier = n.draft.tier;
                Happening::Arrives(Box::new(n))
            }
            Self::Read(id) => Happening::Read(*id),
            Self::Done(id) => Happening::Done(*id),
            Self::Fact(fact) => (*fact).clone(),
        }
    }
}

/// Everything in its order. What happens at one moment: facts as they are given after what came, changes last.
fn timeline<'a>(
    history: &'a [Notification],
    facts: &'a [(Timestamp, Happening)],
) -> Vec<(Timestamp, Next<'a>)> {
    let mut all: Vec<(Timestamp, Next<'a>)> = Vec::with_capacity(history.len() * 2 + facts.len());
    all.extend(history.iter().map(|n| (n.received_at, Next::Comes(n))));
    all.extend(facts.iter().map(|(at, fact)| (*at, Next::Fact(fact))));
    for n in history {
        if let Some(at) = n.read_at.filter(|at| *at > n.received_at) {
            all.push((at, Next::Read(n.id)));
        }
        if let Some(at) = n.done_at.filter(|at| *at > n.received_at) {
            all.push((at, Next::Done(n.id)));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

fn hear(
    player: &mut Player,
    from: Timestamp,
    result: &mut Simulated,
    told: &mut HashMap<NotificationId, Told>,
) {
    for seen in player.take_seen() {
        let at = seen.at;
        if seen.look == Look::New {
            if seen.count > 1 {
                result.digests += 1;
            } else {
                result.toasts += 1;
            }
            let hour = at.duration_since(from).as_secs() / 3600;
            if let Some(count) = usize::try_from(hour)
                .ok()
                .and_then(|hour| result.hours.get_mut(hour))
            {
                *count += 1;
            }
        }
        for id in seen.fresh {
            told.entry(id).or_insert(match seen.look {
                Look::New if seen.count > 1 => Told::Digest {
                    at,
                    count: seen.count,
                },
                Look::New => Told::Toast { at },
                Look::Edit | Look::Gone => Told::Joined { at },
            });
        }
    }
}
