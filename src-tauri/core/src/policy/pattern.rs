//! Patterns that users and administrators write, made ready. What they cost is bounded: the time is linear in the
//! text, of which only the start is looked at, and what is too large to be made ready is refused.

use crate::model::preferences::{How, Pattern};
use regex::{Regex, RegexBuilder};

/// Memory of one pattern, bytes.
const SIZE: usize = 256 * 1024;
/// So much of a text is looked at, bytes.
const LOOKED_AT: usize = 8 * 1024;

/// A pattern that can be asked.
#[derive(Clone, Debug)]
pub(super) enum Ready {
    /// These very words, as they are written.
    Words(String),
    /// These words, in small letters, however they are written: most rules are such, and a regular expression costs
    /// many times as much.
    AnyCase(String),
    /// Anything else.
    Expression(Regex),
}

impl Ready {
    /// # Errors
    /// Words for the user.
    pub(super) fn new(pattern: &Pattern) -> Result<Self, String> {
        if pattern.text.is_empty() {
            return Err("a pattern is empty, and would be found everywhere".to_owned());
        }
        let expression = match pattern.how {
            How::Literal if pattern.case => return Ok(Self::Words(pattern.text.clone())),
            How::Literal => return Ok(Self::AnyCase(pattern.text.to_lowercase())),
            How::Glob => glob(&pattern.text),
            How::Regex => pattern.text.clone(),
        };
        RegexBuilder::new(&expression)
            .case_insensitive(!pattern.case)
            .multi_line(pattern.how == How::Regex)
            .dot_matches_new_line(pattern.how == How::Glob)
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .build()
            .map(Self::Expression)
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    format!("the pattern “{}” is too large", pattern.text)
                }
                _ => format!("“{}” is not a regular expression", pattern.text),
            })
    }

    /// A glob, whatever it is.
    pub(super) fn glob(text: &str) -> Result<Self, String> {
        Self::new(&Pattern {
            how: How::Glob,
            text: text.to_owned(),
            case: false,
        })
    }

    /// Whether a text is like this.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text = &text[..text.floor_char_boundary(LOOKED_AT)];
        match self {
            Self::Words(words) => text.contains(words.as_str()),
            Self::AnyCase(words) => contains(text, words),
            Self::Expression(expression) => expression.is_match(text),
        }
    }
}

/// Whether a text has these words, which are in small letters.
fn contains(text: &str, words: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(words);
    }
    let (text, words) = (text.as_bytes(), words.as_bytes());
    let Some(first) = words.first() else {
        return true;
    };
    text.windows(words.len())
        .any(|part| part[0].eq_ignore_ascii_case(first) && part.eq_ignore_ascii_case(words))
}

fn glob(text: &str) -> String {
    let mut expression = String::from("^(?:");
    for character in text.chars() {
        match character {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push_str(")$");
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(how: How, text: &str, case: bool) -> Result<Ready, String> {
        Ready::new(&Pattern {
            how,
            text: text.to_owned(),
            case,
        })
    }

    #[test]
    fn each_way_of_writing() {
        for (how, pattern, case, text, matches) in [
            (How::Literal, "a.b", false, "xA.Bx", true),
            (How::Literal, "a.b", false, "aab", false),
            (How::Literal, "Ä", false, "größer als ä", true),
            (How::Literal, "Backup", true, "backup", false),
            (How::Literal, "Backup", true, "the Backup", true),
            (How::Literal, "Backup", false, "no backU", false),
            (How::Literal, "Backup", false, "the bACKUP", true),
            (How::Literal, "ÉTÉ", false, "cet été-là", true),
            (How::Literal, "été", false, "ete", false),
            (How::Glob, "build.*", false, "Build.failed", true),
            (How::Glob, "build.*", false, "rebuild.failed", false),
            (How::Glob, "b?ild", false, "build\n", false),
            (How::Glob, "*done*", false, "one\ndone\nthree", true),
            (How::Glob, "a[b", false, "a[b", true),
            (How::Regex, r"^disk \d+ %$", false, "x\nDISK 97 %\ny", true),
            (How::Regex, r"\bcat\b", false, "concatenate", false),
        ] {
            let ready = ready(how, pattern, case).unwrap();
            assert_eq!(ready.matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused_in_words() {
        assert_eq!(
            ready(How::Regex, "(", false).unwrap_err(),
            "“(” is not a regular expression"
        );
        assert_eq!(
            ready(How::Regex, r"(\w{1000}){1000}", false).unwrap_err(),
            r"the pattern “(\w{1000}){1000}” is too large"
        );
        assert!(ready(How::Literal, "", false).is_err());
    }

    #[test]
    fn only_the_start_of_a_text_is_looked_at() {
        let text = format!("{}needle", "ü".repeat(LOOKED_AT / 2));
        assert!(!ready(How::Literal, "needle", false).unwrap().matches(&text));
        assert!(
            ready(How::Literal, "needle", false)
                .unwrap()
                .matches(&text["ü".len() * 3..])
        );
    }
}
