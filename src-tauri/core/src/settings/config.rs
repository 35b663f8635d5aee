//! The whole document: the preferences, the app's settings, and names for its numbers. Here nothing is lost silently: what a store
//! reads leniently is told before it is taken.

use super::path::{Path, Step};
use super::{DEFAULTS, LEFT_OUT, Problem, lenient, not_json, schema, versions};
use crate::model::preferences::{App, Config, ConfigAccount, Preferences, VERSION};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A document as it was given, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The preferences, with the numbers of the document.
    pub preferences: Preferences,
    /// The app's settings; none: it says nothing of them.
    pub app: Option<App>,
    /// Whom the numbers stand for; empty: those of this computer.
    pub accounts: Vec<ConfigAccount>,
    /// What of it would be lost.
    pub problems: Vec<Problem>,
}

/// What stands in a document beside the preferences.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Beside {
    app: Option<App>,
    accounts: Vec<ConfigAccount>,
}

/// Reads a document that is to be taken over.
///
/// # Errors
/// It is no document at all; in words.
pub fn document(text: &str) -> Result<Document, Problem> {
    let value: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| Problem {
            says: not_json(&error, "").says.trim_end().to_owned(),
            at: String::new(),
        })?;
    if !value.is_object() {
        return Err(Problem {
            at: String::new(),
            says: "This is no document of preferences: one is an object, { … }.".to_owned(),
        });
    }
    Ok(read(value))
}

fn read(mut value: Value) -> Document {
    // Where an editor finds the schema.
    if let Value::Object(map) = &mut value {
        map.remove("$schema");
    }
    let mut problems = Vec::new();
    if let Err(problem) = versions::bring_up(&mut value) {
        problems.push(problem);
    }
    let wrong = schema::check(&value);
    let mut lost = Vec::new();
    let mut preferences: Preferences = lenient(value.clone(), &mut lost, DEFAULTS);
    preferences.version = VERSION;
    let beside: Beside = lenient(value, &mut lost, DEFAULTS);
    // What could not be read is told once, by what holds instead; the schema says what it has to be.
    for mut problem in lost {
        if let Some(says) = wrong.iter().find(|one| is_in(&one.at, &problem.at)) {
            let else_so = if problem.says.ends_with(LEFT_OUT) {
                format!("{} is left out", problem.at)
            } else {
                "its default holds".to_owned()
            };
            problem.says = format!("{}; else {else_so}.", says.says.trim_end_matches('.'));
        }
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let told: Vec<String> = problems.iter().map(|one| one.at.clone()).collect();
    let untold = |one: &Problem| !told.iter().any(|at| is_in(&one.at, at));
    problems.extend(wrong.into_iter().filter(untold));
    Document {
        preferences,
        app: beside.app,
        accounts: beside.accounts,
        problems,
    }
}

/// A place is another one or in it. Nothing but the whole is in the whole.
fn is_in(place: &str, other: &str) -> bool {
    place
        .strip_prefix(other)
        .is_some_and(|rest| rest.is_empty() || (!other.is_empty() && rest.starts_with(['.', '['])))
}

/// The whole document as a value.
pub fn value(config: &Config) -> Value {
    // Of these types nothing can fail to be written.
    serde_json::to_value(config).unwrap_or_default()
}

/// The whole document as it is exported.
pub fn text(config: &Config) -> String {
    serde_json::to_string_pretty(config).unwrap_or_default()
}

/// What is at a place; none: nothing is set there.
///
/// # Errors
/// Words for the user, which name what may be there.
pub fn get(config: &Config, path: &str) -> Result<Option<Value>, String> {
    let path = Path::parse(path)?;
    let document = value(config);
    schema::may_be(&path, &document, false)?;
    Ok(path.get(&document).cloned())
}

/// A document with one value set, or taken out where there is none: JSON, or a text as it stands.
///
/// # Errors
/// Words for the user, which name what may be there.
pub fn with(present: &Config, path: &str, new: Option<&str>) -> Result<Config, String> {
    let path = Path::parse(path)?;
    match path.0.first() {
        Some(Step::Member(name)) if name == "accounts" => {
            return Err(
                "The document only names accounts. Change one with: tidings account edit."
                    .to_owned(),
            );
        }
        Some(Step::Member(name)) if name == "version" => {
            return Err(
                "The version is that of the document’s form, and not set by hand.".to_owned(),
            );
        }
        _ => {}
    }
    let document = value(present);
    schema::may_be(&path, &document, new.is_some())?;
    let Some(new) = new else {
        let mut changed = document;
        path.take_out(&mut changed)?;
        return strictly(changed, &path);
    };
    let written: Value = serde_json::from_str(new).unwrap_or_else(|_| new.into());
    let set = |new: Value| {
        let mut changed = document.clone();
        path.set(&mut changed, new)?;
        strictly(changed, &path)
    };
    let (is_text, is_one) = (
        written.is_string(),
        !written.is_array() && !written.is_object(),
    );
    set(written).or_else(|says| {
        // A name may be 2026, or true.
        if is_one && !is_text {
            set(new.into()).map_err(|_| says)
        } else {
            Err(says)
        }
    })
}

/// Reads a document of which nothing may be lost.
fn strictly(value: Value, path: &Path) -> Result<Config, String> {
    let wrong = schema::check(&value);
    let read = read(value);
    let at = path.to_string();
    if let Some(problem) = wrong.into_iter().chain(read.problems).next() {
        return Err(if problem.says.contains(&at) || problem.at.is_empty() {
            problem.says
        } else {
            format!("{at} cannot be this: {}", problem.says)
        });
    }
    Ok(Config {
        preferences: read.preferences,
        app: read.app.unwrap_or_default(),
        accounts: read.accounts,
    })
}

/// A value that becomes another one; none: it is not there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// Where.
    pub at: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it becomes.
    pub after: Option<Value>,
}

/// What becomes otherwise, value by value.
pub fn changes(before: &Value, after: &Value) -> Vec<Changed> {
    let mut found = Vec::new();
    compare(Some(before), Some(after), &Path::default(), &mut found);
    found
}

fn compare(before: Option<&Value>, after: Option<&Value>, at: &Path, found: &mut Vec<Changed>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let mut names: Vec<_> = was.keys().chain(is.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let at = at.then(Step::Member(name.clone()));
                compare(was.get(name), is.get(name), &at, found);
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) => {
            for index in 0..was.len().max(is.len()) {
                let at = at.then(Step::Element(index));
                compare(was.get(index), is.get(index), &at, found);
            }
        }
        (before, after) => found.push(Changed {
            at: at.to_string(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// The values of a part of a document, one by one, with their places: what can be set singly.
pub fn leaves<'a>(value: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let inside = |name: &str| match at {
        "" => name.to_owned(),
        at => format!("{at}.{name}"),
    };
    match value {
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .flat_map(|(name, value)| leaves(value, &inside(name)))
            .collect(),
        Value::Array(list) if list.iter().any(Value::is_object) => list
            .iter()
            .enumerate()
            .flat_map(|(index, value)| leaves(value, &format!("{at}[{index}]")))
            .collect(),
        _ => vec![(at.to_owned(), value)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preferences::Privacy;
    use serde_json::json;
    use tidings_api::Appearance;

    fn places(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|one| one.at.as_str()).collect()
    }

    #[test]
    fn what_is_exported_is_read_without_a_word() {
        let mut config = Config::default();
        config.preferences.limits.overall = 7;
        config.app.appearance = Appearance::Dark;
        let read = document(&text(&config)).unwrap();
        assert_eq!(read.problems, []);
        assert_eq!(
            (read.preferences, read.app),
            (config.preferences, Some(config.app))
        );
    }

    #[test]
    fn what_is_left_out_is_the_default_and_the_app_stays() {
        let read = document(r#"{"limits": {"overall": 7}}"#).unwrap();
        assert_eq!(
            (
                read.preferences.limits.overall,
                read.preferences.limits.critical
            ),
            (7, 20)
        );
        assert_eq!((read.app, read.problems), (None, vec![]));
    }

    #[test]
    fn what_is_no_document_is_never_taken() {
        for text in ["", "{", "[]", "7", "null"] {
            let problem = document(text).unwrap_err();
            assert!(!problem.says.contains("defaults hold"), "{}", problem.says);
        }
    }

    #[test]
    fn everything_that_would_be_lost_is_told_once() {
        let read = document(
            r#"{"limits": {"overall": "many", "overal": 3}, "rows": [{"account": 1, "mute": "yes"}], "colour": "red",
                "app": {"keep_days": -1}, "sounds": {"volume": 120}, "version": 9}"#,
        )
        .unwrap();
        let mut at = places(&read.problems);
        at.sort_unstable();
        let all = [
            "app.keep_days",
            "colour",
            "limits.overal",
            "limits.overall",
            "rows[0]",
            "sounds.volume",
            "version",
        ];
        assert_eq!(at, all);
        let of = |at: &str| {
            read.problems
                .iter()
                .find(|one| one.at == at)
                .unwrap()
                .says
                .as_str()
        };
        assert_eq!(
            of("limits.overall"),
            "limits.overall has to be a whole number, 0 or more; else its default holds."
        );
        assert_eq!(
            of("rows[0]"),
            "rows[0].mute has to be true or false, or null; else rows[0] is left out."
        );
        assert_eq!(read.preferences.limits.overall, 12);
    }

    #[test]
    fn one_value_is_set() {
        let present = Config::default();
        let set = |path: &str, new: &str| with(&present, path, Some(new));
        assert_eq!(
            set("limits.overall", "7")
                .unwrap()
                .preferences
                .limits
                .overall,
            7
        );
        assert_eq!(
            set("app.appearance", "dark").unwrap().app.appearance,
            Appearance::Dark
        );
        assert_eq!(
            set("app.appearance", "\"dark\"").unwrap().app.appearance,
            Appearance::Dark
        );
        assert_eq!(
            set("context.hidden", "full")
                .unwrap()
                .preferences
                .context
                .hidden,
            Privacy::Full
        );
        let schedule = r#"{"days":["mon"],"from":"22:00","to":"7:00"}"#;
        let quiet = set("quiet.schedules[0]", schedule).unwrap();
        let named = with(&quiet, "quiet.schedules[0].name", Some("2026")).unwrap();
        assert_eq!(named.preferences.quiet.schedules[0].name, "2026");
        let later = with(&named, "quiet.schedules[0].from", Some("23:30")).unwrap();
        assert_eq!(
            later.preferences.quiet.schedules[0].from.to_string(),
            "23:30"
        );
        let none = with(&named, "quiet.schedules[0].lets_through", Some("null")).unwrap();
        assert_eq!(none.preferences.quiet.schedules[0].lets_through, None);
    }

    #[test]
    fn what_does_not_work_is_refused_in_words() {
        let present = Config::default();
        for (path, new, says) in [
            (
                "limits.overal",
                "7",
                "There is no “limits.overal”. In limits there are critical",
            ),
            (
                "limits.overall",
                "-1",
                "limits.overall has to be a whole number, 0 or more.",
            ),
            (
                "limits.overall",
                "lots",
                "limits.overall has to be a whole number, 0 or more.",
            ),
            (
                "app.appearance",
                "pink",
                "app.appearance has to be one of system, light, dark.",
            ),
            ("quiet.schedules[1]", "{}", "quiet.schedules is empty"),
            ("quiet.schedules[0].name", "Night", "quiet.schedules[0]"),
            (
                "quiet.schedules",
                r#"[{"days":[],"from":"25:00","to":"7:00"}]"#,
                "a time is written as 07:00",
            ),
            ("version", "2", "The version is"),
            ("accounts", "[]", "tidings account edit"),
            ("rows..x", "1", "is no place"),
        ] {
            let refused = with(&present, path, Some(new)).unwrap_err();
            assert!(refused.contains(says), "{path} {new}: {refused}");
        }
    }

    #[test]
    fn what_is_taken_out_is_the_default_again() {
        let mut present = Config::default();
        present.preferences.limits.overall = 7;
        let reset = with(&present, "limits.overall", None).unwrap();
        assert_eq!(reset, Config::default());
        assert_eq!(with(&present, "limits", None).unwrap(), Config::default());
        assert!(
            with(&present, "rows[0]", None)
                .unwrap_err()
                .contains("rows is empty")
        );
    }

    #[test]
    fn changes_are_told_value_by_value() {
        let before = json!({"a": {"b": 1, "c": 2}, "list": [1, 2], "gone": null});
        let after = json!({"a": {"b": 1, "c": 3}, "list": [1], "new": {"x": 1}});
        let told: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|one| (one.at, one.before, one.after))
            .collect();
        let of = |at: &str, before, after| (at.to_owned(), before, after);
        assert_eq!(
            told,
            [
                of("a.c", Some(json!(2)), Some(json!(3))),
                of("gone", Some(json!(null)), None),
                of("list[1]", Some(json!(2)), None),
                of("new", None, Some(json!({"x": 1}))),
            ]
        );
        assert_eq!(changes(&after, &after), []);
    }

    #[test]
    fn leaves_are_what_can_be_set() {
        let document = json!({"a": {"b": 1}, "list": [{"c": [1, 2]}, {}], "empty": []});
        let told: Vec<_> = leaves(&document, "");
        assert_eq!(
            told,
            [
                ("a.b".to_owned(), &json!(1)),
                ("empty".to_owned(), &json!([])),
                ("list[0].c".to_owned(), &json!([1, 2])),
                ("list[1]".to_owned(), &json!({})),
            ]
        );
    }
}
