//! The words of a toast: of one notification, or of a digest.

use super::trace::counted;
use crate::model::preferences::Privacy;
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

/// What a toast is to tell of.
pub struct Telling<'a> {
    /// Those to be named, first things first.
    pub members: &'a [Notification],
    /// How many there are in all.
    pub count: u64,
    /// How many of each subscription, where there are several, most first.
    pub groups: &'a [(String, u64)],
    /// The [`crate::model::HoldCause::batch_key`] of what was held.
    pub batch: Option<&'a str>,
    /// What a notification's subscription is called.
    pub names: &'a dyn Fn(&Notification) -> String,
    /// How much of a notification may be told.
    pub privacy: &'a dyn Fn(&Notification) -> Privacy,
}

/// The words of a toast.
pub fn compose(telling: &Telling<'_>) -> Composed {
    let count = telling.count.max(telling.members.len() as u64);
    match telling.members {
        [only] if count <= 1 => single(telling, only),
        [first, others @ ..] if is_repeat(telling, first, others) => {
            let mut composed = single(telling, first);
            composed.title = text::one_line(&format!("{} ×{count}", composed.title), TITLE);
            composed
        }
        _ => digest(telling, count),
    }
}

/// All of them say the same: one that is said so often.
fn is_repeat(telling: &Telling<'_>, first: &Notification, others: &[Notification]) -> bool {
    let of_one_type = telling
        .batch
        .is_none_or(|batch| batch.starts_with("window:"));
    of_one_type
        && !first.draft.title.trim().is_empty()
        && others
            .iter()
            .all(|other| other.draft.title == first.draft.title)
}

fn single(telling: &Telling<'_>, n: &Notification) -> Composed {
    let name = (telling.names)(n);
    let privacy = (telling.privacy)(n);
    if privacy == Privacy::CountOnly {
        return Composed {
            title: text::one_line(&format!("1 notification from {name}"), TITLE),
            body: String::new(),
        };
    }
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
        &name
    } else {
        &n.draft.title
    });
    Composed {
        title: text::one_line(&title, TITLE),
        body: if privacy == Privacy::Full {
            shorten(&body(n), BODY)
        } else {
            String::new()
        },
    }
}

fn digest(telling: &Telling<'_>, count: u64) -> Composed {
    let names = telling.names;
    // Where the title says which subscription, the lines have room for more of what was written.
    let of_one = telling
        .batch
        .is_some_and(|batch| batch.starts_with("limit:") || batch.starts_with("window:"));
    let mut lines = Vec::new();
    if telling.groups.len() > 1 {
        lines.push(groups(telling.groups));
    }
    let told: Vec<String> = telling
        .members
        .iter()
        .take(NAMED)
        .filter_map(|n| match ((telling.privacy)(n), of_one) {
            (Privacy::CountOnly, _) => None,
            (Privacy::TitleOnly, true) => Some(title_line(n, &names(n))),
            (Privacy::TitleOnly, false) => Some(text::one_line(
                &format!("{}: {}", names(n), title_line(n, "")),
                LINE,
            )),
            (Privacy::Full, true) => Some(inner_line(n, &names(n))),
            (Privacy::Full, false) => Some(line(n, &names(n))),
        })
        .collect();
    let rest = count.saturating_sub(told.len() as u64);
    let any = !told.is_empty();
    lines.extend(told);
    if rest > 0 && any {
        lines.push(format!("and {rest} more"));
    }
    Composed {
        title: text::one_line(&title(telling, count), TITLE),
        body: lines.join("\n"),
    }
}

/// "alerts 5, backup 2".
fn groups(groups: &[(String, u64)]) -> String {
    let mut words: Vec<String> = groups
        .iter()
        .take(NAMED)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if groups.len() > NAMED {
        words.push("…".to_owned());
    }
    text::one_line(&words.join(", "), BODY)
}

fn title(telling: &Telling<'_>, count: u64) -> String {
    let all = counted(count, "notification", "notifications");
    let Some(batch) = telling.batch else {
        return all;
    };
    let more_from = |telling: &Telling<'_>, words: &str| {
        let first = telling.members.first();
        first.map(|first| format!("{count} {words} from {}", (telling.names)(first)))
    };
    match batch {
        "away" => format!("{all} while you were away"),
        "pause" => format!("{all} while paused"),
        "quiet" => format!("{all} during quiet hours"),
        "context:locked" => format!("{all} while the screen was locked"),
        "context:presenting" => format!("{all} while you were presenting"),
        "context:full_screen" => format!("{all} while a window filled the screen"),
        "context:screen_shared" => format!("{all} while the screen was shared"),
        "context:do_not_disturb" => format!("{all} while you were not to be disturbed"),
        "low" => counted(
            count,
            "low-priority notification",
            "low-priority notifications",
        ),
        "critical" => counted(count, "critical notification", "critical notifications"),
        "escalation" => counted(
            count,
            "critical notification is unread",
            "critical notifications are unread",
        ),
        "limit" => counted(count, "more notification", "more notifications"),
        batch if batch.starts_with("limit:") => more_from(telling, "more")
            .unwrap_or_else(|| counted(count, "more notification", "more notifications")),
        batch if batch.starts_with("window:") => {
            let kind = batch.splitn(3, ':').nth(2).unwrap_or_default();
            let words = if kind.is_empty() { "new" } else { kind };
            more_from(telling, words).unwrap_or(all)
        }
        _ => all,
    }
}

/// A notification's title, or what stands for it.
fn title_line(n: &Notification, name: &str) -> String {
    let title = n.draft.title.trim();
    let words = match (title.is_empty(), name.is_empty()) {
        (false, _) => title,
        (true, false) => name,
        (true, true) => "a notification",
    };
    text::one_line(words, LINE)
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
