//! The lines that explain a verdict.

use crate::model::{Rule, TraceLine};
use jiff::{Timestamp, Zoned};

/// Lines in the order in which the rules were asked.
#[derive(Default)]
pub(super) struct Trace(Vec<TraceLine>);

impl Trace {
    pub(super) fn line(&mut self, rule: Rule, decided: bool, says: String) {
        self.0.push(TraceLine {
            rule,
            decided,
            says,
        });
    }

    pub(super) fn add_to_last(&mut self, words: &str) {
        if let Some(last) = self.0.last_mut() {
            last.says.push(' ');
            last.says.push_str(words);
        }
    }

    pub(super) fn into_lines(self) -> Vec<TraceLine> {
        self.0
    }
}

/// A moment as a user of `now`'s zone says it: the hour today, with the day otherwise.
pub(super) fn clock_words(at: Timestamp, now: &Zoned) -> String {
    let at = at.to_zoned(now.time_zone().clone());
    let form = if at.date() == now.date() {
        "%H:%M"
    } else if at.year() == now.year() {
        "%a %d %b, %H:%M"
    } else {
        "%d %b %Y, %H:%M"
    };
    at.strftime(form).to_string()
}

/// `1 toast`, `5 toasts`.
pub(super) fn counted(count: impl Into<u64>, one: &str, many: &str) -> String {
    let count = count.into();
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A length of time as a user says it, in its largest unit.
pub(super) fn length_words(seconds: u64) -> String {
    match seconds {
        0..60 => counted(seconds, "second", "seconds"),
        60..3600 => counted(seconds / 60, "minute", "minutes"),
        3600..86_400 => counted(seconds / 3600, "hour", "hours"),
        _ => counted(seconds / 86_400, "day", "days"),
    }
}
