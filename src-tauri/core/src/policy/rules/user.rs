//! Rules that the user set once and for all: the grid, and rules on what is said.

use crate::model::preferences::ToastChoice;
use crate::model::{HoldCause, Tier};
use crate::policy::rulebook::{By, Reason};
use crate::policy::trace::counted;
use crate::policy::{Answer, Level, Question};

/// Mutes, the grid and minimum tiers do not silence it. Never asked of its sender.
pub(super) fn mandatory(q: &Question<'_>) -> Answer {
    Answer::pass(match q.wishes.mandatory() {
        None => "Not mandatory.".to_owned(),
        Some(Reason::Administrator("")) => "Your administrator made it mandatory.".to_owned(),
        Some(Reason::Administrator(says)) => {
            format!(
                "Your administrator made it mandatory: {}.",
                says.trim_end_matches('.')
            )
        }
        Some(Reason::Rule(name)) => format!("{} makes it mandatory.", rule(name)),
        Some(Reason::Grid(level)) => format!("You made {} mandatory.", its(level)),
    })
}

fn is_mandatory(q: &Question<'_>) -> bool {
    q.wishes.mandatory().is_some()
}

/// The user wants no toasts from there, not even critical ones.
pub(super) fn muted(q: &Question<'_>) -> Answer {
    match q.wishes.muted() {
        None => Answer::pass("Not muted."),
        Some(_) if is_mandatory(q) => Answer::pass("Muted, but mandatory."),
        Some(By::Rule(name)) => Answer::inbox_only(format!("{} mutes it.", rule(name))),
        Some(By::Grid(level)) => Answer::inbox_only(format!("{} is muted.", capital(its(level)))),
    }
}

/// The user chose for its type, subscription or account, or by a rule.
pub(super) fn grid(q: &Question<'_>) -> Answer {
    let Some((choice, by)) = q.wishes.toast() else {
        return Answer::pass("Nothing else was chosen than what its tier does.");
    };
    let of = match by {
        By::Rule(name) => rule(name),
        By::Grid(level) => format!("The choice for {}", its(level)),
    };
    match choice {
        ToastChoice::On => Answer::pass(format!("{of} is a toast.")),
        _ if is_mandatory(q) => Answer::pass(format!("{of} is another, but it is mandatory.")),
        ToastChoice::Off => Answer::inbox_only(format!("{of} is no toast.")),
        ToastChoice::Digest if q.is_first_filling() => {
            Answer::pass(format!("{of} is a digest, but this would not ring anyway."))
        }
        ToastChoice::Digest if q.state.released.is_some() || q.state.wanted => {
            Answer::pass(format!("{of} is a digest, and it has waited."))
        }
        ToastChoice::Digest => {
            let seconds = q.book.document().digest.seconds;
            Answer::hold(
                Some(q.after(seconds)),
                HoldCause::Digest,
                format!(
                    "{of} is a digest: told with others, {} later.",
                    length(seconds)
                ),
            )
        }
    }
}

/// The user wants toasts from there only above a tier.
pub(super) fn minimum_tier(q: &Question<'_>) -> Answer {
    let tier = q.tier();
    let least = q
        .wishes
        .cell(|cell| cell.min_tier)
        .map_or(Tier::Informational, |(tier, _)| tier);
    if tier >= least {
        Answer::pass(format!("It is {}, which is enough here.", word(tier)))
    } else if is_mandatory(q) {
        Answer::pass(format!(
            "It is {}, too little for here, but mandatory.",
            word(tier)
        ))
    } else {
        Answer::inbox_only(format!(
            "It is {}, and only {} ones ring here.",
            word(tier),
            match least {
                Tier::Critical => "critical",
                Tier::Important | Tier::Informational => "important and critical",
            }
        ))
    }
}

/// A tier's word.
pub(super) fn word(tier: Tier) -> &'static str {
    match tier {
        Tier::Critical => "critical",
        Tier::Important => "important",
        Tier::Informational => "informational",
    }
}

/// A length of time in the largest unit that tells all of it.
pub(super) fn length(seconds: u32) -> String {
    match seconds {
        3600.. if seconds.is_multiple_of(3600) => counted(seconds / 3600, "hour", "hours"),
        60.. if seconds.is_multiple_of(60) => counted(seconds / 60, "minute", "minutes"),
        _ => counted(seconds, "second", "seconds"),
    }
}

fn its(level: Level) -> &'static str {
    match level {
        Level::Kind => "its type",
        Level::Subscription => "its subscription",
        Level::Account => "its account",
        Level::Tier => "its tier",
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn rule(name: &str) -> String {
    if name.is_empty() {
        "Your rule without a name".to_owned()
    } else {
        format!("Your rule “{name}”")
    }
}
