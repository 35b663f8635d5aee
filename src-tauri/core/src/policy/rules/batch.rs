//! Bursts of one type.

use super::limits::rings_by_itself;
use super::user::length;
use crate::model::preferences::{Batch, ClockTime};
use crate::model::{Disposition, HoldCause};
use crate::policy::trace::clock_words;
use crate::policy::{Answer, Left, Question};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, Zoned};

/// The first of a type rings and later ones join it, or all of them wait and ring as one.
pub(super) fn batch(q: &Question<'_>, left: &mut Left) -> Answer {
    let batch = q.wishes.cell(|cell| cell.batch);
    let Some(batch) = batch
        .map(|(batch, _)| batch)
        .filter(|batch| *batch != Batch::Off)
    else {
        return Answer::pass("Its type is not batched.");
    };
    if q.is_critical() {
        return Answer::pass("Its type is batched, but critical ones never are.");
    }
    if q.state.released.is_some() || q.state.wanted {
        return Answer::pass("Its type is batched, and it has waited.");
    }
    if !rings_by_itself(q) {
        return Answer::pass("Its type is batched, but it does not ring by itself.");
    }
    match batch {
        Batch::Off => Answer::pass("Its type is not batched."),
        Batch::Leading { seconds } => leading(q, left, seconds),
        Batch::Trailing { seconds, most } => {
            let first = q
                .state
                .waiting_since
                .map_or(q.at(), |since| since.min(q.at()));
            let latest = later(first, most.max(seconds));
            Answer::hold(
                Some(q.after(seconds).min(latest)),
                window(q),
                format!(
                    "Its type is batched: all of it rings as one after {} without another, {} after the first \
                     at most.",
                    length(seconds),
                    length(most.max(seconds))
                ),
            )
        }
        Batch::Daily { at } => {
            let until = next(at, q.now);
            Answer::hold(
                Some(until),
                HoldCause::Daily { at },
                format!(
                    "Its type is batched: told once a day, next at {}.",
                    clock_words(until, q.now)
                ),
            )
        }
    }
}

fn leading(q: &Question<'_>, left: &mut Left, seconds: u32) -> Answer {
    let open = q.state.window.filter(|window| {
        // One of the future is of a clock that was set back since.
        window.opened_at <= q.at() && q.at() < later(window.opened_at, seconds)
    });
    match open {
        None => {
            left.opens_window = true;
            Answer::pass(format!(
                "Its type is batched, and it is the first: those of the next {} join it.",
                length(seconds)
            ))
        }
        Some(window) if window.open => Answer {
            disposition: Some(Disposition::Join),
            says: "Its type is batched: it joins the toast of the first.".to_owned(),
        },
        Some(opened) => Answer::hold(
            Some(later(opened.opened_at, seconds)),
            window(q),
            "Its type is batched, and the toast of the first is gone: the rest of the window rings as one."
                .to_owned(),
        ),
    }
}

fn window(q: &Question<'_>) -> HoldCause {
    HoldCause::Window {
        subscription: q.notification.subscription,
        kind: q.notification.draft.kind.clone(),
    }
}

pub(super) fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(i64::from(seconds)))
        .unwrap_or(Timestamp::MAX)
}

/// The next moment at which this clock shows a time. Where a day skips it, it is as much later as is skipped.
pub(super) fn next(time: ClockTime, now: &Zoned) -> Timestamp {
    let time = Time::constant(time.hour(), time.minute(), 0, 0);
    let mut date = now.date();
    for _ in 0..3 {
        if let Ok(moment) = date.to_datetime(time).to_zoned(now.time_zone().clone())
            && moment.timestamp() > now.timestamp()
        {
            return moment.timestamp();
        }
        match date.tomorrow() {
            Ok(tomorrow) => date = tomorrow,
            Err(_) => break,
        }
    }
    later(now.timestamp(), 24 * 60 * 60)
}
