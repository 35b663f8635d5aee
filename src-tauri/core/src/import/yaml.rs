//! As much of YAML as settings need: mappings, lists and texts. What a text is (number, yes, nothing) is for
//! whoever reads it.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// How deep values may lie in each other.
const DEEPEST: usize = 32;

/// A value.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing: `~`, `null`, or no text at all.
    Nothing,
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Members, in order.
    Members(Vec<(String, Value)>),
}

impl Value {
    /// A member; of several of the same name, the last one.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Members(members) => members
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// A member's text; none where there is none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.member(name) {
            Some(Self::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The values of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The members' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let members = match self {
            Self::Members(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, _)| name.as_str())
    }
}

/// What has been begun and is not complete.
enum Begun {
    List(Vec<Value>),
    Members(Vec<(String, Value)>, Option<String>),
}

/// The first document of a text.
///
/// # Errors
/// In words with the line. The text itself is not repeated: there may be a password in it.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut open: Vec<Begun> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            format!(
                "Line {} is not written as YAML has it.",
                error.marker().line()
            )
        })?;
        let line = span.start.line();
        let complete = match event {
            Event::Scalar(text, style, ..) => Some(scalar(&text, style)),
            Event::SequenceStart(..) => {
                open.push(Begun::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Begun::Members(Vec::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Begun::List(items)) => Some(Value::List(items)),
                Some(Begun::Members(members, _)) => Some(Value::Members(members)),
                None => None,
            },
            // Values that stand for others can grow without bound; settings have no need of them.
            Event::Alias(_) => {
                return Err(format!(
                    "Line {line} has a reference (*name), which is not understood here. Write the value out."
                ));
            }
            Event::DocumentEnd => return Ok(Value::Nothing),
            _ => None,
        };
        if open.len() > DEEPEST {
            return Err(format!("Line {line} lies too deep."));
        }
        let Some(value) = complete else {
            continue;
        };
        match open.last_mut() {
            None => return Ok(value),
            Some(Begun::List(items)) => items.push(value),
            Some(Begun::Members(members, name)) => match name.take() {
                Some(name) => members.push((name, value)),
                None => match value {
                    Value::Text(text) => *name = Some(text),
                    _ => return Err(format!("Line {line} has a name that is no text.")),
                },
            },
        }
    }
    Ok(Value::Nothing)
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let nothing =
        style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if nothing {
        Value::Nothing
    } else {
        Value::Text(text.to_owned())
    }
}
