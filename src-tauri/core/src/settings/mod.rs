//! The preferences as they are kept: read whatever their version, and whatever is wrong with them. What cannot be
//! read fails open, towards showing, and is told.

pub mod carry;
pub mod config;
mod mandates;
mod path;
mod schema;
mod versions;

#[cfg(test)]
mod tests;

pub use mandates::{MandatesFile, mandates};

use crate::model::Problem;
use crate::model::preferences::{Preferences, VERSION};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use std::fmt::Write as _;

/// Of more mistakes than this, the whole is not what it should be.
const MISTAKES: usize = 100;
/// What is so where none of the preferences can be read.
const DEFAULTS: &str = "The defaults hold.";

/// What is said of an element that cannot be read.
const LEFT_OUT: &str = "It is left out.";

/// A reading: what holds, and what could not be read.
pub type Read<T> = (T, Vec<Problem>);

/// Reads the preferences. Of what cannot be read the default holds; of a row, rule, schedule or table with anything
/// unreadable in it, nothing: half a condition would match too much.
pub fn preferences(text: &str) -> Read<Preferences> {
    let (mut value, mut problems) = match serde_json::from_str::<Value>(text) {
        Ok(value) => (value, Vec::new()),
        Err(error) => {
            let problem = not_json(&error, DEFAULTS);
            return (Preferences::default(), vec![problem]);
        }
    };
    if let Err(problem) = versions::bring_up(&mut value) {
        problems.push(problem);
    }
    let mut preferences: Preferences = lenient(value, &mut problems, DEFAULTS);
    preferences.version = VERSION;
    (preferences, problems)
}

/// The document as it is kept and exported.
pub fn text(preferences: &Preferences) -> String {
    // Of these types nothing can fail to be written.
    serde_json::to_string_pretty(preferences).unwrap_or_default()
}

/// A problem in one sentence that names its place.
pub fn words_of(problem: &Problem) -> String {
    let Problem { at, says } = problem;
    if at.is_empty() || says.contains(at.as_str()) {
        says.clone()
    } else {
        format!("{at}: {says}")
    }
}

fn not_json(error: &serde_json::Error, instead: &str) -> Problem {
    Problem {
        at: String::new(),
        says: format!(
            "This is not JSON (line {}, column {}). {instead}",
            error.line(),
            error.column()
        ),
    }
}

/// Takes out what cannot be read until the rest can. `instead`: what is so where nothing can.
fn lenient<T: DeserializeOwned + Default>(
    mut value: Value,
    problems: &mut Vec<Problem>,
    instead: &str,
) -> T {
    if !value.is_object() {
        problems.push(nothing(instead));
        return T::default();
    }
    let mut gone = Gone::default();
    for _ in 0..MISTAKES {
        let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
            Ok(read) => return read,
            Err(error) => error,
        };
        let path: Vec<Segment> = error.path().iter().cloned().collect();
        // In a list, the whole element.
        let list = path
            .iter()
            .position(|segment| matches!(segment, Segment::Seq { .. }));
        let upto = list.map_or(path.len(), |list| list + 1);
        let at = gone.words(&path[..upto]);
        if upto == 0 || !take_out(&mut value, &path[..upto]) {
            break;
        }
        gone.remember(&path[..upto]);
        problems.push(Problem {
            says: format!(
                "{} cannot be read ({}). {}",
                at,
                reason(error.inner()),
                if list.is_some() {
                    LEFT_OUT
                } else {
                    "Its default holds."
                }
            ),
            at,
        });
    }
    problems.push(nothing(instead));
    T::default()
}

fn nothing(instead: &str) -> Problem {
    Problem {
        at: String::new(),
        says: format!("None of this could be read. {instead}"),
    }
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.find(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// What was taken out of the only kind of list that is told of, so that the others keep their numbers.
#[derive(Default)]
struct Gone(Vec<(String, usize)>);

impl Gone {
    /// A path, with numbers as in the document that was given.
    fn words(&self, path: &[Segment]) -> String {
        let mut words = String::new();
        for segment in path {
            match segment {
                Segment::Seq { index } => {
                    let number = self.number(&words, *index);
                    let _ = write!(words, "[{number}]");
                }
                Segment::Map { key } | Segment::Enum { variant: key } => {
                    if !words.is_empty() {
                        words.push('.');
                    }
                    words.push_str(key);
                }
                Segment::Unknown => words.push('?'),
            }
        }
        words
    }

    fn remember(&mut self, path: &[Segment]) {
        if let Some((Segment::Seq { index }, list)) = path.split_last() {
            let list = self.words(list);
            let number = self.number(&list, *index);
            self.0.push((list, number));
            self.0.sort();
        }
    }

    fn number(&self, list: &str, index: usize) -> usize {
        let before = self.0.iter().filter(|(of, _)| of == list);
        before.fold(
            index,
            |number, (_, gone)| {
                if *gone <= number { number + 1 } else { number }
            },
        )
    }
}

/// Takes a part out of a document; `false` if it is not there.
fn take_out(value: &mut Value, path: &[Segment]) -> bool {
    let Some((last, before)) = path.split_last() else {
        return false;
    };
    let mut place = value;
    for segment in before {
        let inner = match segment {
            Segment::Map { key } => place.get_mut(key),
            Segment::Seq { index } => place.get_mut(*index),
            _ => None,
        };
        match inner {
            Some(inner) => place = inner,
            None => return false,
        }
    }
    match (last, place) {
        (Segment::Map { key }, Value::Object(map)) => map.remove(key).is_some(),
        (Segment::Seq { index }, Value::Array(list)) if *index < list.len() => {
            list.remove(*index);
            true
        }
        _ => false,
    }
}
