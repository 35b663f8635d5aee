//! An administrator's file: read like the preferences. What is wrong with it makes nothing mandatory, and is told with
//! its path, since its user cannot change it and has to tell somebody.

use super::{Read, lenient, not_json};
use crate::model::Problem;
use crate::model::preferences::Mandates;
use serde_json::Value;

/// The newest form that is known.
const VERSION: u32 = 1;
/// What is so where none of it can be read.
const NOTHING: &str = "Nothing is mandatory by it.";

/// Reads what an administrator says. An entry with anything unreadable in it is left out.
pub fn mandates(text: &str) -> Read<Mandates> {
    let mut problems = Vec::new();
    let mandates: Mandates = match serde_json::from_str::<Value>(text) {
        Ok(value) => lenient(value, &mut problems, NOTHING),
        Err(error) => {
            problems.push(not_json(&error, NOTHING));
            Mandates::default()
        }
    };
    if mandates.version > VERSION {
        problems.push(Problem {
            at: "version".to_owned(),
            says: "It is written for a newer Tidings. What this one knows of it holds.".to_owned(),
        });
    }
    (mandates, problems)
}

/// An administrator's file, as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MandatesFile {
    path: String,
    mandates: Mandates,
    problems: Vec<Problem>,
}

impl MandatesFile {
    /// What was found at `path`: nothing, its text, or in words, as a sentence, why it cannot be believed.
    pub fn new(path: impl Into<String>, found: Option<Result<String, String>>) -> Self {
        let (mandates, problems) = match found {
            None => Read::default(),
            Some(Ok(text)) => mandates(&text),
            Some(Err(says)) => {
                let says = format!("{says} {NOTHING}");
                let at = String::new();
                (Mandates::default(), vec![Problem { at, says }])
            }
        };
        let mut file = Self {
            path: path.into(),
            mandates,
            problems: Vec::new(),
        };
        let named = problems.into_iter().map(|problem| file.named(problem));
        file.problems = named.collect();
        file
    }

    /// Where it is, or would be.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is mandatory.
    pub fn mandates(&self) -> &Mandates {
        &self.mandates
    }

    /// What is wrong with it, with its path.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// A problem in it, with its path.
    pub fn named(&self, problem: Problem) -> Problem {
        Problem {
            says: format!("{}: {}", self.path, problem.says),
            at: problem.at,
        }
    }
}
