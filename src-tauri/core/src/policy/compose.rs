//! The words of a toast: of one notification, or of a digest.

use super::trace::counted;
use crate::model::{Format, Notification};
use crate::text;

/// The longest body, in characters.
const BODY: usize = 300;
/// The longest title, in characters.
const TITLE: usize = 120;
/// The longest line of a digest, in characters.
const LINE: usize = 80;
/// Lines of a digest that name a notification.
const NAMED: usize = 4;

/// What a toast says: plain text, neutralised, not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// Its title, one line.
    pub title: String,
    /// Its body; may be empty.
    pub body: String,
}

/// The words of a toast for `count` notifications, of which `members` are those to be named, first
/// things first. `batch` is the [`crate::model::HoldCause::batch_key`] of what was held, `names` says
/// what a notification's subscription is called.
pub fn compose(
    members: &[Notification],
    count: u64,
    batch: Option<&str>,
    names: &dyn Fn(&Notification) -> String,
) -> Composed {
    match members {
        [only] if count <= 1 => single(only, &names(only)),
        _ => digest(members, count, batch, names),
    }
}

fn single(n: &Notification, name: &str) -> Composed {
    let mut title: String = n
        .draft
        .tags
        .iter()
        .filter_map(|tag| text::emoji(tag))
        .collect::<Vec<_>>()
        .join("");
    if !title.is_empty() {
        title.push(' ');
    }
    title.push_str(if n.draft.title.trim().is_empty() {
        name
    } else {
        &n.draft.title
    });
    Composed {
        title: text::one_line(&title, TITLE),
        body: shorten(&body(n), BODY),
    }
}

fn digest(
    members: &[Notification],
    count: u64,
    batch: Option<&str>,
    names: &dyn Fn(&Notification) -> String,
) -> Composed {
    let count = count.max(members.len() as u64);
    // Where the title says which subscription, the lines have room for more of what was written.
    let of_one = batch.is_some_and(|batch| batch.starts_with("limit:"));
    let mut lines: Vec<String> = members
        .iter()
        .take(NAMED)
        .map(|n| {
            if of_one {
                inner_line(n, &names(n))
            } else {
                line(n, &names(n))
            }
        })
        .collect();
    let rest = count.saturating_sub(lines.len() as u64);
    if rest > 0 && !lines.is_empty() {
        lines.push(format!("and {rest} more"));
    }
    let all = counted(count, "notification", "notifications");
    let title = match batch {
        Some("away") => format!("{all} while you were away"),
        Some("pause") => format!("{all} while paused"),
        Some("low") => counted(
            count,
            "low-priority notification",
            "low-priority notifications",
        ),
        Some("critical") => counted(count, "critical notification", "critical notifications"),
        Some("limit") => counted(count, "more notification", "more notifications"),
        Some(batch) if batch.starts_with("limit:") => match members.first() {
            Some(first) => format!("{count} more from {}", names(first)),
            None => counted(count, "more notification", "more notifications"),
        },
        _ => all,
    };
    Composed {
        title: text::one_line(&title, TITLE),
        body: lines.join("\n"),
    }
}

/// A notification in one line of a digest of its own subscription.
fn inner_line(n: &Notification, name: &str) -> String {
    let title = n.draft.title.trim();
    let text = shorten(&body(n), LINE);
    let text = text.lines().next().unwrap_or_default().trim();
    let words = match (title.is_empty(), text.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => text.to_owned(),
        (false, true) => title.to_owned(),
        (false, false) => format!("{title}: {text}"),
    };
    text::one_line(&words, LINE)
}

/// A notification in one line of a digest of several subscriptions.
fn line(n: &Notification, name: &str) -> String {
    let what = if n.draft.title.trim().is_empty() {
        shorten(&body(n), LINE)
    } else {
        n.draft.title.clone()
    };
    let what = what.lines().next().unwrap_or_default().trim();
    if what.is_empty() {
        text::one_line(name, LINE)
    } else {
        text::one_line(&format!("{name}: {what}"), LINE)
    }
}

fn body(n: &Notification) -> String {
    match n.draft.format {
        Format::Plain => text::neutralise(&n.draft.body),
        Format::Markdown => text::markdown_text(&n.draft.body),
    }
}

/// The first lines, without empty ones, cut at `most` characters.
fn shorten(body: &str, most: usize) -> String {
    let mut short = String::new();
    let mut length = 0;
    for line in body
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        if length > 0 {
            short.push('\n');
            length += 1;
        }
        // One more than fits, to know whether something was left out.
        short.extend(line.chars().take(most + 1 - length));
        length = short.chars().count();
        if length > most {
            let kept: String = short.chars().take(most - 1).collect();
            return format!("{}…", kept.trim_end());
        }
    }
    short
}
