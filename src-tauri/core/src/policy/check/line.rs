//! What is said about events.

use crate::model::preferences::Sound;
use crate::model::{Disposition, Rule, Tier, TraceLine};
use crate::policy::compose::Composed;
use crate::policy::play::{Decided, Look, Seen};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// A line of the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Line {
    /// Something was decided about a notification.
    Verdict(Verdict),
    /// A person sees something.
    Toast(Toast),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// When.
    at: Timestamp,
    /// About which notification, by the event's id.
    id: String,
    /// What happens with its toast.
    does: Does,
    /// When it is decided again; left out: when its cause ends, or never.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// What it waits with.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<String>,
    /// Whose toast it joins.
    #[serde(skip_serializing_if = "Option::is_none")]
    into: Option<String>,
    /// With how much attention.
    tier: Tier,
    /// The rule that decided.
    rule: Rule,
    /// Why, in words.
    says: String,
    /// Every rule that was asked, in order.
    trace: Vec<TraceLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Does {
    Toast,
    Wait,
    Join,
    Inbox,
}

/// What is seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Toast {
    /// When.
    at: Timestamp,
    /// Which toast, counted from 0.
    #[serde(rename = "toast")]
    number: usize,
    /// Whether it is new, edited in place, or gone.
    look: Shown,
    /// Of what it tells for the first time.
    ids: Vec<String>,
    /// Of how many it tells.
    count: u64,
    /// Its words.
    title: String,
    /// Its lines.
    body: String,
    /// Its urgency.
    tier: Tier,
    /// What is heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<Sound>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Shown {
    New,
    Edit,
    Gone,
}

impl Line {
    pub(super) fn verdict(decided: Decided, id: String, into: Option<String>) -> Self {
        let verdict = decided.verdict;
        let (does, until, batch) = match &verdict.disposition {
            Disposition::Present => (Does::Toast, None, None),
            Disposition::Hold { until, because } => (Does::Wait, *until, Some(because.batch_key())),
            Disposition::Fold { .. } | Disposition::Join => (Does::Join, None, None),
            Disposition::InboxOnly => (Does::Inbox, None, None),
        };
        let last = verdict.trace.last();
        Self::Verdict(Verdict {
            at: decided.at,
            id,
            does,
            until,
            batch,
            into,
            tier: verdict.tier,
            rule: last.map_or(Rule::Toast, |line| line.rule),
            says: last.map(|line| line.says.clone()).unwrap_or_default(),
            trace: verdict.trace,
        })
    }

    pub(super) fn seen(seen: Seen, ids: Vec<String>, words: Composed) -> Self {
        Self::Toast(Toast {
            at: seen.at,
            number: seen.toast,
            look: match seen.look {
                Look::New => Shown::New,
                Look::Edit => Shown::Edit,
                Look::Gone => Shown::Gone,
            },
            ids,
            count: seen.count,
            title: words.title,
            body: words.body,
            tier: seen.tier,
            sound: seen.sound,
        })
    }
}

/// For people.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict(verdict) => {
                let does = match verdict.does {
                    Does::Toast => "rings",
                    Does::Wait => "waits",
                    Does::Join => "joins",
                    Does::Inbox => "inbox only",
                };
                write!(f, "{:.0}  {}: {does}", verdict.at, verdict.id)?;
                if let Some(into) = &verdict.into {
                    write!(f, " {into}")?;
                }
                if let Some(until) = verdict.until {
                    write!(f, " until {until:.0}")?;
                }
                write!(f, ". {}", verdict.says)
            }
            Self::Toast(toast) => {
                let look = match toast.look {
                    Shown::New => "toast",
                    Shown::Edit => "edit of toast",
                    Shown::Gone => {
                        return write!(f, "{:.0}  toast {} goes", toast.at, toast.number);
                    }
                };
                write!(
                    f,
                    "{:.0}  {look} {}, for {}: {}",
                    toast.at,
                    toast.number,
                    toast.count,
                    toast.title.replace('\n', " ")
                )
            }
        }
    }
}
