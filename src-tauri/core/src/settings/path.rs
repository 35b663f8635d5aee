//! Places in a document: `limits.overall`, `quiet.schedules[0].from`.

use serde_json::{Map, Value};
use std::fmt;

/// A step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Member(String),
    /// An element of a list.
    Element(usize),
}

/// A place in a document; without steps, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if at == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// Reads one as it is written.
    ///
    /// # Errors
    /// Words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "“{text}” is no place in the preferences. One is written as limits.overall, or \
                 quiet.schedules[0].from."
            )
        };
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            if name.is_empty() {
                return Err(wrong());
            }
            steps.push(Step::Member(name.to_owned()));
            while !rest.is_empty() {
                let (number, more) = rest
                    .strip_prefix('[')
                    .and_then(|rest| rest.split_once(']'))
                    .ok_or_else(wrong)?;
                steps.push(Step::Element(number.parse().map_err(|_| wrong())?));
                rest = more;
            }
        }
        Ok(Self(steps))
    }

    /// What is there.
    pub fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Element(index) => value.get(*index),
        })
    }

    /// Puts a value there: in place of what is there, or at the end of a list. Objects that may be left out are made
    /// on the way.
    ///
    /// # Errors
    /// Words for the user: a list has no such place.
    pub fn set(&self, document: &mut Value, new: Value) -> Result<(), String> {
        let mut place = document;
        for (at, step) in self.0.iter().enumerate() {
            place = match step {
                Step::Member(name) => {
                    if place.is_null() {
                        *place = Value::Object(Map::new());
                    }
                    let Value::Object(map) = place else {
                        return Err(format!("{} has no parts.", self.upto(at)));
                    };
                    map.entry(name.clone()).or_insert(Value::Null)
                }
                Step::Element(index) => {
                    if place.is_null() {
                        *place = Value::Array(Vec::new());
                    }
                    let Value::Array(list) = place else {
                        return Err(format!("{} is no list.", self.upto(at)));
                    };
                    if *index > list.len() {
                        return Err(no_element(&self.upto(at), list.len()));
                    }
                    if *index == list.len() {
                        list.push(Value::Null);
                    }
                    &mut list[*index]
                }
            };
        }
        *place = new;
        Ok(())
    }

    /// Takes out what is there; a default holds then, and a list is shorter.
    ///
    /// # Errors
    /// Words for the user: nothing is there.
    pub fn take_out(&self, document: &mut Value) -> Result<(), String> {
        let nothing = || format!("{self} is not set.");
        let (last, before) = self.0.split_last().ok_or_else(nothing)?;
        let place = before.iter().try_fold(document, |value, step| match step {
            Step::Member(name) => value.get_mut(name),
            Step::Element(index) => value.get_mut(*index),
        });
        match (last, place) {
            (Step::Member(name), Some(Value::Object(map))) => {
                map.remove(name).map(drop).ok_or_else(nothing)
            }
            (Step::Element(index), Some(Value::Array(list))) if *index < list.len() => {
                list.remove(*index);
                Ok(())
            }
            _ => Err(nothing()),
        }
    }

    /// Its first steps.
    pub fn upto(&self, steps: usize) -> Self {
        Self(self.0[..steps].to_vec())
    }

    /// It with one more step.
    pub fn then(&self, step: Step) -> Self {
        let mut longer = self.clone();
        longer.0.push(step);
        longer
    }
}

/// What a list says of a place that it does not have.
pub fn no_element(list: &Path, length: usize) -> String {
    match length {
        0 => format!("{list} is empty: the first of it is {list}[0]."),
        1 => format!("{list} has one element, {list}[0]; the next one is {list}[1]."),
        _ => format!(
            "{list} has {length} elements, {list}[0] to {list}[{}]; the next one is {list}[{length}].",
            length - 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_written_as_they_are_read() {
        for text in ["limits", "limits.overall", "rows[0].tiers[4]", "a[1][2].b"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        for wrong in [
            "", ".", "a.", "a..b", "[0]", "a[", "a[]", "a[x]", "a[-1]", "a[0]b",
        ] {
            let says = Path::parse(wrong).unwrap_err();
            assert!(says.contains("limits.overall"), "{wrong}: {says}");
        }
    }

    #[test]
    fn values_are_put_where_they_belong_and_nowhere_else() {
        let mut document = json!({"a": {"b": 1}, "list": [1]});
        let mut set = |path: &str, value| {
            Path::parse(path)
                .unwrap()
                .set(&mut document, value)
                .map(|()| document.clone())
        };
        assert_eq!(set("a.b", json!(2)).unwrap()["a"]["b"], 2);
        assert_eq!(set("a.c.d", json!(3)).unwrap()["a"]["c"]["d"], 3);
        assert_eq!(set("list[1]", json!(4)).unwrap()["list"], json!([1, 4]));
        assert!(set("list[7]", json!(4)).unwrap_err().contains("list[2]"));
        assert!(
            set("a.b.c", json!(4))
                .unwrap_err()
                .contains("a.b has no parts")
        );
        assert!(set("a[0]", json!(4)).unwrap_err().contains("a is no list"));
    }

    #[test]
    fn what_is_taken_out_is_gone() {
        let mut document = json!({"a": {"b": 1}, "list": [1, 2]});
        let mut out = |path: &str| {
            Path::parse(path)
                .unwrap()
                .take_out(&mut document)
                .map(|()| document.clone())
        };
        assert_eq!(out("a.b").unwrap()["a"], json!({}));
        assert_eq!(out("list[0]").unwrap()["list"], json!([2]));
        for nothing in ["a.b", "list[5]", "b.c", "a[0]"] {
            assert!(out(nothing).is_err(), "{nothing}");
        }
    }
}
