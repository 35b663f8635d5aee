//! Rules that the user set, or sets by what is on the screen.

use crate::model::{HoldCause, Origin, Tier};
use crate::policy::trace::clock_words;
use crate::policy::{Answer, Question};

/// The user wants no toasts from there, not even critical ones.
pub(super) fn muted(q: &Question<'_>) -> Answer {
    match (q.state.account_muted, q.state.subscription_muted) {
        (_, true) => Answer::inbox_only("Its subscription is muted."),
        (true, false) => Answer::inbox_only("Its account is muted."),
        (false, false) => Answer::pass("Not muted."),
    }
}

/// The user wants toasts from there only above a tier.
pub(super) fn minimum_tier(q: &Question<'_>) -> Answer {
    let tier = q.notification.draft.tier;
    if tier < q.state.min_tier {
        Answer::inbox_only(format!(
            "It is {}, and only {} ones ring here.",
            word(tier),
            match q.state.min_tier {
                Tier::Critical => "critical",
                Tier::Important | Tier::Informational => "important and critical",
            }
        ))
    } else {
        Answer::pass(format!("It is {}, which is enough here.", word(tier)))
    }
}

/// Toasts wait for the end of a pause. What would not ring in any case does not wait: the number of
/// those that wait is shown, and nobody waits for a first filling.
pub(super) fn paused(q: &Question<'_>) -> Answer {
    let Some(pause) = q.state.pause.filter(|pause| pause.holds_at(q.at())) else {
        return Answer::pass("Toasts are not paused.");
    };
    let end = pause.until.map_or_else(
        || "Paused until you resume".to_owned(),
        |until| format!("Paused until {}", clock_words(until, q.now)),
    );
    if q.notification.origin == Origin::FirstFilling {
        Answer::pass(format!("{end}, but this would not ring anyway."))
    } else if q.is_critical() && pause.critical_rings {
        Answer::pass(format!("{end}, but critical ones may ring."))
    } else {
        Answer::hold(pause.until, HoldCause::Pause, format!("{end}."))
    }
}

/// Who sees it in the window needs no toast.
pub(super) fn looking(q: &Question<'_>) -> Answer {
    if q.state.looking && q.preferences.ring_while_looking {
        Answer::pass("You were looking at it in the inbox, and want a toast all the same.")
    } else if q.state.looking {
        Answer::inbox_only("You were looking at it in the inbox.")
    } else {
        Answer::pass("You were not looking at it.")
    }
}

pub(super) fn word(tier: Tier) -> &'static str {
    match tier {
        Tier::Critical => "critical",
        Tier::Important => "important",
        Tier::Informational => "informational",
    }
}
