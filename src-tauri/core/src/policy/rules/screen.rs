//! Rules about this moment: the user wants quiet, or the screen is used for something else.

use super::user::word;
use crate::model::preferences::Hush;
use crate::model::{Context, HoldCause};
use crate::policy::trace::clock_words;
use crate::policy::{Answer, Question};

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
    if q.is_first_filling() {
        Answer::pass(format!("{end}, but this would not ring anyway."))
    } else if q.state.wanted {
        Answer::pass(format!("{end}, but you asked for what waits."))
    } else if q.is_critical() && pause.critical_rings {
        Answer::pass(format!("{end}, but critical ones may ring."))
    } else {
        Answer::hold(pause.until, HoldCause::Pause, format!("{end}."))
    }
}

/// Toasts wait for the end of quiet hours.
pub(super) fn quiet_hours(q: &Question<'_>) -> Answer {
    let tier = if q.is_critical() {
        q.tier()
    } else {
        q.tier().min(crate::model::Tier::Important)
    };
    let Some(quiet) = q.book.quiet().at(tier, q.now) else {
        return Answer::pass("No quiet hours for it now.");
    };
    let end = format!(
        "{} until {}",
        if quiet.name.is_empty() {
            "Quiet hours".to_owned()
        } else {
            format!("Quiet hours “{}”", quiet.name)
        },
        clock_words(quiet.until, q.now)
    );
    if q.is_first_filling() {
        Answer::pass(format!("{end}, but this would not ring anyway."))
    } else if q.state.wanted {
        Answer::pass(format!("{end}, but you asked for what waits."))
    } else {
        Answer::hold(Some(quiet.until), HoldCause::Quiet, format!("{end}."))
    }
}

/// Who sees it in the window needs no toast, and who shows the screen to others wants none.
pub(super) fn context(q: &Question<'_>) -> Answer {
    let contexts = &q.book.document().context;
    if q.state.looking && contexts.ring_while_looking {
        return Answer::pass("You were looking at it in the inbox, and want a toast all the same.");
    }
    if q.state.looking {
        return Answer::inbox_only("You were looking at it in the inbox.");
    }
    let around = q.state.around;
    let tier = if q.is_critical() {
        q.tier()
    } else {
        q.tier().min(crate::model::Tier::Important)
    };
    let now = || {
        Context::ALL
            .into_iter()
            .filter(|context| around.is(*context))
    };
    let held = now().find(|context| q.book.hush(*context, tier) == Hush::Hold);
    if let Some(context) = held
        && !q.is_first_filling()
        && !q.state.wanted
    {
        return Answer::hold(
            None,
            HoldCause::Context { context },
            format!(
                "{}: {} ones wait until that is over.",
                says(context),
                group(tier)
            ),
        );
    }
    match now().next() {
        None => Answer::pass("You were not looking at it, and nothing keeps it off the screen."),
        Some(context) if q.book.hides(tier, around) => Answer::pass(format!(
            "{}: it rings without saying what was written.",
            says(context)
        )),
        Some(context) => Answer::pass(format!("{}, but it rings all the same.", says(context))),
    }
}

fn group(tier: crate::model::Tier) -> &'static str {
    if tier == crate::model::Tier::Critical {
        word(tier)
    } else {
        "such"
    }
}

fn says(context: Context) -> &'static str {
    match context {
        Context::Locked => "The screen is locked",
        Context::Presenting => "You are presenting",
        Context::FullScreen => "A window fills the screen",
        Context::ScreenShared => "The screen is shared",
        Context::DoNotDisturb => "“Do not disturb” is on",
    }
}
