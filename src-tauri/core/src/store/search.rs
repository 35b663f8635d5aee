//! What a search says: `from:backup is:unread p>=4 "disk full" sda -test`. Pure.

use super::StoreError;
use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, Zoned};

/// What `is:` can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Unread,
    Read,
    Done,
    Snoozed,
}

/// A search, taken apart. Terms of different kinds narrow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    /// Parts of names of accounts, subscriptions or topics; any of them.
    pub from: Vec<String>,
    /// State; the last one said.
    pub is: Option<Is>,
    /// Before this instant.
    pub before: Option<Timestamp>,
    /// Not before this instant.
    pub after: Option<Timestamp>,
    /// At least this priority.
    pub at_least: Option<u8>,
    /// At most this priority.
    pub at_most: Option<u8>,
    /// Types; any of them.
    pub kinds: Vec<String>,
    /// Tags; all of them.
    pub tags: Vec<String>,
    /// Words wanted, as an FTS5 query; empty: none.
    pub words: String,
    /// Words not wanted, as an FTS5 query; empty: none.
    pub without: String,
}

/// Longest search, bytes. It is typed by hand.
const LONGEST: usize = 1024;

/// Reads a search. `now` says what `monday` is.
pub(super) fn parse(text: &str, now: &Zoned) -> Result<Search, StoreError> {
    if text.len() > LONGEST {
        return Err(bad("The search is too long. Use fewer words."));
    }
    let mut search = Search::default();
    let mut wanted: Vec<String> = Vec::new();
    let mut unwanted: Vec<String> = Vec::new();
    let terms = split(text);
    for (position, term) in terms.iter().enumerate() {
        if let Some((key, value)) = term.key_and_value()
            && search.term(&key, value, now)?
        {
            continue;
        }
        if let Some(rest) = term.priority() {
            search.priority(rest)?;
            continue;
        }
        let (minus, word) = match term.text.strip_prefix('-') {
            Some(word) if !term.quoted && !word.is_empty() => (true, word),
            _ => (false, term.text.as_str()),
        };
        if !word.chars().any(char::is_alphanumeric) {
            if word.is_empty() || word == "-" {
                continue;
            }
            return Err(bad(format!(
                "\u{201c}{word}\u{201d} has no letter or digit to look for."
            )));
        }
        // The word being typed finds what begins with it.
        let open = position + 1 == terms.len() && !term.quoted && !minus;
        let phrase = phrase(word, open);
        if minus {
            unwanted.push(phrase);
        } else {
            wanted.push(phrase);
        }
    }
    for tag in &search.tags {
        if tag.chars().any(char::is_alphanumeric) {
            wanted.push(format!("tags : {}", phrase(tag, false)));
        }
    }
    search.words = wanted.join(" AND ");
    search.without = unwanted.join(" OR ");
    Ok(search)
}

/// An FTS5 string: nothing in it is an operator.
fn phrase(word: &str, open: bool) -> String {
    let star = if open { " *" } else { "" };
    format!("\"{}\"{star}", word.replace('"', "\"\"").replace('\0', " "))
}

fn bad(says: impl Into<String>) -> StoreError {
    StoreError::BadQuery(says.into())
}

struct Term {
    text: String,
    /// All of it stood in quotes.
    quoted: bool,
}

impl Term {
    /// `from:backup`; the value may have been in quotes.
    fn key_and_value(&self) -> Option<(String, &str)> {
        if self.quoted {
            return None;
        }
        let (key, value) = self.text.split_once(':')?;
        Some((key.to_lowercase(), value))
    }

    /// The `>=4` of `p>=4`.
    fn priority(&self) -> Option<&str> {
        if self.quoted {
            return None;
        }
        let rest = self.text.strip_prefix(['p', 'P'])?;
        rest.starts_with(['<', '>', '=']).then_some(rest)
    }
}

/// Splits at spaces outside quotes; a quote that is never closed ends with the text.
fn split(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut term = String::new();
    let mut quoted = false;
    let mut inside = false;
    for character in text.chars() {
        match character {
            '"' => {
                if !inside && term.is_empty() {
                    quoted = true;
                }
                if inside && quoted {
                    terms.push(Term {
                        text: std::mem::take(&mut term),
                        quoted: true,
                    });
                    quoted = false;
                }
                inside = !inside;
            }
            space if space.is_whitespace() && !inside => {
                if !term.is_empty() {
                    terms.push(Term {
                        text: std::mem::take(&mut term),
                        quoted: false,
                    });
                }
                quoted = false;
            }
            other => term.push(other),
        }
    }
    if !term.is_empty() {
        terms.push(Term { text: term, quoted });
    }
    terms.retain(|term| !term.text.trim().is_empty());
    terms
}

impl Search {
    /// Takes a `key:value`; false: it is none of ours, but words (`http://…`, `12:30`).
    fn term(&mut self, key: &str, value: &str, now: &Zoned) -> Result<bool, StoreError> {
        match key {
            "from" => self.from.push(said(key, value)?.to_lowercase()),
            "type" => self.kinds.push(said(key, value)?.to_owned()),
            "tag" => self.tags.push(said(key, value)?.to_owned()),
            "is" => {
                self.is = Some(match value.to_lowercase().as_str() {
                    "unread" => Is::Unread,
                    "read" => Is::Read,
                    "done" => Is::Done,
                    "snoozed" => Is::Snoozed,
                    _ => return Err(bad("After is: comes unread, read, done or snoozed.")),
                });
            }
            "before" => {
                let start = day(key, value, now)?;
                self.before = Some(self.before.map_or(start, |other| other.min(start)));
            }
            "after" => {
                let start = day(key, value, now)?;
                self.after = Some(self.after.map_or(start, |other| other.max(start)));
            }
            "p" | "priority" => {
                let comparison = if value.starts_with(['<', '>', '=']) {
                    value.to_owned()
                } else {
                    format!("={value}")
                };
                self.priority(&comparison)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes `>=4`, `<=2`, `>3`, `<3` or `=5`.
    fn priority(&mut self, comparison: &str) -> Result<(), StoreError> {
        let at = comparison
            .find(|character| !matches!(character, '<' | '>' | '='))
            .unwrap_or(comparison.len());
        let (sign, value) = comparison.split_at(at);
        let value: u8 = match value.parse() {
            Ok(value @ 1..=5) => value,
            _ => {
                return Err(bad(
                    "A priority is a number from 1 to 5: p>=4, p<=2 or p=5.",
                ));
            }
        };
        let (least, most) = match sign {
            ">=" => (Some(value), None),
            ">" => (Some(value + 1), None),
            "<=" => (None, Some(value)),
            "<" => (None, Some(value - 1)),
            "=" | "==" => (Some(value), Some(value)),
            _ => return Err(bad("Compare priorities with >=, <=, >, < or =: p>=4.")),
        };
        if let Some(least) = least {
            self.at_least = Some(self.at_least.map_or(least, |other| other.max(least)));
        }
        if let Some(most) = most {
            self.at_most = Some(self.at_most.map_or(most, |other| other.min(most)));
        }
        Ok(())
    }
}

fn said<'v>(key: &str, value: &'v str) -> Result<&'v str, StoreError> {
    if value.is_empty() {
        return Err(bad(match key {
            "from" => "After from: comes a part of an account's or topic's name: from:backup.",
            "type" => "After type: comes a type: type:build.failed.",
            _ => "After tag: comes a tag: tag:warning.",
        }));
    }
    Ok(value)
}

/// The start of the day that a word or a date names; a weekday is the latest one, today included.
fn day(key: &str, value: &str, now: &Zoned) -> Result<Timestamp, StoreError> {
    let today = now.date();
    let lower = value.to_lowercase();
    let weekdays = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let weekday = weekdays
        .iter()
        .find(|(name, _)| lower.len() >= 3 && name.starts_with(&lower));
    let date = match (lower.as_str(), weekday) {
        ("today", _) => Some(today),
        ("yesterday", _) => today.yesterday().ok(),
        (_, Some((_, weekday))) => {
            let back = today.weekday().since(*weekday);
            today
                .checked_sub(jiff::Span::new().days(i64::from(back)))
                .ok()
        }
        _ => plain_date(&lower),
    };
    date.and_then(|date| date.to_zoned(now.time_zone().clone()).ok())
        .map(|start| start.timestamp())
        .ok_or_else(|| {
            bad(format!(
                "After {key}: comes a day: today, yesterday, monday, or a date such as 2026-01-02."
            ))
        })
}

/// `2026-01-02` and nothing else that a date parser may take.
fn plain_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    shape.then(|| text.parse().ok()).flatten()
}
