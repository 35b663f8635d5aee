//! The published schema, asked: what may be where, and what of a document would be lost. It has the few keywords that
//! are made of this program's types (JSON Schema 2020-12).

use super::path::{Path, Step, no_element};
use crate::model::Problem;
use serde_json::{Map, Value};
use std::sync::LazyLock;

static PUBLISHED: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../../docs/preferences.schema.json");
    // A test holds that it is what this program's types say.
    serde_json::from_str(text).unwrap_or_default()
});

/// One of the things that a value may be.
type Form = &'static Map<String, Value>;

/// All that a value of a schema may be, with references followed.
fn forms(schema: &'static Value, found: &mut Vec<Form>) {
    let Value::Object(map) = schema else { return };
    if let Some(Value::String(to)) = map.get("$ref") {
        if let Some(schema) = to
            .strip_prefix('#')
            .and_then(|pointer| PUBLISHED.pointer(pointer))
        {
            forms(schema, found);
        }
        return;
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(Value::Array(all)) = map.get(several) {
            for schema in all {
                forms(schema, found);
            }
            return;
        }
    }
    found.push(map);
}

fn forms_of(schema: Option<&'static Value>) -> Vec<Form> {
    let mut found = Vec::new();
    if let Some(schema) = schema {
        forms(schema, &mut found);
    }
    found
}

/// The names of the types that a form has.
fn types(form: Form) -> Vec<&'static str> {
    match form.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ if form.contains_key("const") || form.contains_key("enum") => vec!["string"],
        _ => Vec::new(),
    }
}

fn is_of(form: Form, value: &Value) -> bool {
    types(form).iter().any(|name| match *name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    })
}

/// The words that a form of texts allows; none: any text.
fn words(form: Form) -> Option<Vec<&'static str>> {
    if let Some(Value::Array(all)) = form.get("enum") {
        return Some(all.iter().filter_map(Value::as_str).collect());
    }
    let word = form.get("const")?.as_str()?;
    Some(vec![word])
}

fn members(form: Form) -> Option<&'static Map<String, Value>> {
    form.get("properties")?.as_object()
}

/// An object's form fits if every member that has to be a certain word is that word.
fn fits(form: Form, value: &Map<String, Value>) -> bool {
    members(form).is_none_or(|members| {
        members
            .iter()
            .filter_map(|(name, schema)| Some((name, schema.get("const")?)))
            .all(|(name, wanted)| value.get(name) == Some(wanted))
    })
}

/// What is wanted, in words.
fn wanted(forms: &[Form]) -> String {
    let mut all: Vec<String> = Vec::new();
    let mut texts: Vec<&str> = Vec::new();
    for form in forms {
        if let Some(words) = words(form) {
            texts.extend(words);
            continue;
        }
        for name in types(form) {
            let words = match name {
                "null" => "null".to_owned(),
                "boolean" => "true or false".to_owned(),
                "integer" | "number" => number(form),
                "string" if form.contains_key("pattern") => "a time such as 07:00".to_owned(),
                "string" => "a text".to_owned(),
                "array" => list(form),
                _ => "an object".to_owned(),
            };
            if !all.contains(&words) {
                all.push(words);
            }
        }
    }
    if !texts.is_empty() {
        all.insert(0, format!("one of {}", texts.join(", ")));
    }
    all.join(", or ")
}

fn number(form: Form) -> String {
    let bound = |name: &str| form.get(name).and_then(Value::as_i64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        (Some(least), None) => format!("a whole number, {least} or more"),
        _ => "a whole number".to_owned(),
    }
}

fn list(form: Form) -> String {
    match form.get("maxItems").and_then(Value::as_u64) {
        Some(most) => format!("a list of {most}"),
        None => "a list".to_owned(),
    }
}

fn in_range(form: Form, value: &Value) -> bool {
    let bound = |name: &str| form.get(name).and_then(Value::as_f64);
    let fits = |number: f64| {
        bound("minimum").is_none_or(|least| number >= least)
            && bound("maximum").is_none_or(|most| number <= most)
    };
    value.as_f64().is_none_or(fits)
}

/// What of a document is not as the schema has it: members that nobody knows, values of another kind or out of
/// their range, what is missing. Places of more than one kind of mistake are told once.
pub fn check(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    look(
        document,
        &forms_of(Some(&PUBLISHED)),
        &Path::default(),
        &mut problems,
    );
    problems
}

fn look(value: &Value, forms: &[Form], at: &Path, problems: &mut Vec<Problem>) {
    let mut problem = |at: &Path, says: String| {
        problems.push(Problem {
            at: at.to_string(),
            says,
        });
    };
    let here: Vec<Form> = forms
        .iter()
        .copied()
        .filter(|form| is_of(form, value))
        .collect();
    if here.is_empty() {
        let says = format!("{at} has to be {}.", wanted(forms));
        return problem(at, says);
    }
    match value {
        Value::String(text) => {
            let any = here
                .iter()
                .any(|form| words(form).is_none_or(|words| words.contains(&text.as_str())));
            if !any {
                problem(at, format!("{at} has to be {}.", wanted(forms)));
            }
        }
        Value::Number(_) => {
            if !here.iter().any(|form| in_range(form, value)) {
                problem(at, format!("{at} has to be {}.", wanted(forms)));
            }
        }
        Value::Array(list) => {
            let Some(form) = here.first() else { return };
            let bound = |name: &str| form.get(name).and_then(Value::as_u64);
            let length = list.len() as u64;
            if bound("minItems").is_some_and(|least| length < least)
                || bound("maxItems").is_some_and(|most| length > most)
            {
                return problem(at, format!("{at} has to be {}.", wanted(forms)));
            }
            let inner = forms_of(form.get("items"));
            for (index, value) in list.iter().enumerate() {
                look(value, &inner, &at.then(Step::Element(index)), problems);
            }
        }
        Value::Object(map) => object(map, &here, at, problems),
        Value::Null | Value::Bool(_) => {}
    }
}

fn object(map: &Map<String, Value>, forms: &[Form], at: &Path, problems: &mut Vec<Problem>) {
    let place = |name: &str| at.then(Step::Member(name.to_owned()));
    let Some(form) = forms.iter().find(|form| fits(form, map)) else {
        let tags = forms.iter().filter_map(|form| members(form));
        let tags: Vec<(&String, &str)> = tags
            .flatten()
            .filter_map(|(name, schema)| Some((name, schema.get("const")?.as_str()?)))
            .collect();
        if let Some((name, _)) = tags.first() {
            let words: Vec<_> = tags.iter().map(|(_, word)| *word).collect();
            let at = place(name);
            problems.push(Problem {
                says: format!("{at} has to be one of {}.", words.join(", ")),
                at: at.to_string(),
            });
        }
        return;
    };
    let Some(members) = members(form) else { return };
    let required = form.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !map.contains_key(name) {
            let at = place(name);
            problems.push(Problem {
                says: format!("{at} is missing."),
                at: at.to_string(),
            });
        }
    }
    for (name, value) in map {
        let inside = place(name);
        match members.get(name) {
            Some(schema) => look(value, &forms_of(Some(schema)), &inside, problems),
            None => problems.push(Problem {
                at: inside.to_string(),
                says: format!(
                    "{inside} is nothing that Tidings knows. {}",
                    there_are(at, members)
                ),
            }),
        }
    }
}

fn there_are(at: &Path, members: &Map<String, Value>) -> String {
    let names: Vec<_> = members.keys().map(String::as_str).collect();
    if at.0.is_empty() {
        format!("There are {}.", names.join(", "))
    } else {
        format!("In {at} there are {}.", names.join(", "))
    }
}

/// Whether a document may have something at this place. What it has there already tells which lists are how long, and
/// which of several forms an object has; a list has a place for one more if `more`.
///
/// # Errors
/// Words for the user, which name what may be there.
pub fn may_be(path: &Path, document: &Value, more: bool) -> Result<(), String> {
    let mut forms = forms_of(Some(&PUBLISHED));
    let mut value = Some(document);
    for (at, step) in path.0.iter().enumerate() {
        let before = path.upto(at);
        match step {
            Step::Member(name) => {
                let all: Vec<_> = forms.iter().filter_map(|form| members(form)).collect();
                if all.is_empty() {
                    return Err(format!("{before} has no parts: it is {}.", wanted(&forms)));
                }
                let fitting = value.and_then(Value::as_object).and_then(|map| {
                    let form = forms.iter().find(|form| fits(form, map));
                    form.and_then(|form| members(form))
                });
                let known = fitting
                    .and_then(|members| members.get(name))
                    .or_else(|| all.iter().find_map(|members| members.get(name)));
                let Some(schema) = known else {
                    let mut together = Map::new();
                    for members in all {
                        together.extend(members.clone());
                    }
                    return Err(format!(
                        "There is no “{}”. {}",
                        path.upto(at + 1),
                        there_are(&before, &together)
                    ));
                };
                forms = forms_of(Some(schema));
                value = value.and_then(|value| value.get(name));
            }
            Step::Element(index) => {
                let Some(items) = forms.iter().find_map(|form| form.get("items")) else {
                    return Err(format!("{before} is no list: it is {}.", wanted(&forms)));
                };
                let length = value.and_then(Value::as_array).map_or(0, Vec::len);
                if *index >= length + usize::from(more) {
                    return Err(no_element(&before, length));
                }
                forms = forms_of(Some(items));
                value = value.and_then(|value| value.get(*index));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preferences::Config;
    use serde_json::json;

    fn said(document: &Value) -> Vec<String> {
        check(document).into_iter().map(|one| one.says).collect()
    }

    #[test]
    fn the_defaults_are_as_published() {
        let defaults = serde_json::to_value(Config::default()).unwrap();
        assert_eq!(check(&defaults), []);
        assert_eq!(check(&json!({})), []);
    }

    #[test]
    fn what_would_be_lost_is_named_with_what_may_be_there() {
        let says = said(&json!({"limits": {"overal": 3}}));
        assert_eq!(says.len(), 1);
        assert!(says[0].starts_with(
            "limits.overal is nothing that Tidings knows. In limits there are critical,"
        ));
        let says = said(&json!({"sound": {}}));
        assert!(
            says[0].contains("There are accounts, app, away,"),
            "{says:?}"
        );
    }

    #[test]
    fn values_of_another_kind_are_told_by_what_they_have_to_be() {
        for (document, says) in [
            (
                json!({"limits": {"overall": "many"}}),
                "limits.overall has to be a whole number, 0 or more.",
            ),
            (
                json!({"limits": {"overall": -1}}),
                "limits.overall has to be a whole number, 0 or more.",
            ),
            (
                json!({"limits": {"overall": 1.5}}),
                "limits.overall has to be a whole number, 0 or more.",
            ),
            (
                json!({"sounds": {"volume": 101}}),
                "sounds.volume has to be a whole number from 0 to 100.",
            ),
            (
                json!({"sounds": {"on": "yes"}}),
                "sounds.on has to be true or false.",
            ),
            (json!({"rows": {}}), "rows has to be a list."),
            (
                json!({"rows": [{"mute": true}]}),
                "rows[0].account is missing.",
            ),
            (
                json!({"rows": [{"account": 1, "toast": "of"}]}),
                "rows[0].toast has to be one of on, digest, off, or null.",
            ),
            (
                json!({"sounds": {"sound": {"play": "loud"}}}),
                "sounds.sound.play has to be one of default, none, named, file.",
            ),
            (
                json!({"mapping": [{"backend": "ntfy", "tiers": ["critical"]}]}),
                "mapping[0].tiers has to be a list of 5.",
            ),
            (
                json!({"rules": [{"then": {"what": "toast"}}]}),
                "rules[0].then.toast is missing.",
            ),
            (
                json!({"rules": [{"then": {"what": "mute"}, "text": {"how": "magic", "text": "x"}}]}),
                "rules[0].text.how has to be one of literal, glob, regex.",
            ),
        ] {
            assert_eq!(said(&document), [says], "{document}");
        }
    }

    #[test]
    fn a_member_of_another_form_is_not_of_this_one() {
        let says = said(&json!({"sounds": {"sound": {"play": "none", "path": "/a.oga"}}}));
        assert!(
            says[0].starts_with("sounds.sound.path is nothing"),
            "{says:?}"
        );
    }

    #[test]
    fn places_that_may_be_there_are() {
        let document = json!({"rows": [{"account": 1}], "rules": [], "sounds": {"sound": {"play": "default"}}});
        let ask = |text: &str, more| may_be(&Path::parse(text).unwrap(), &document, more);
        for there in [
            "limits",
            "rows[0].mute",
            "rows[0].tiers",
            "sounds.sound.play",
            "app.timings.connect",
        ] {
            assert_eq!(ask(there, false), Ok(()), "{there}");
        }
        assert_eq!(ask("rows[1]", true), Ok(()));
        assert_eq!(ask("rules[0].then.tier", true), Ok(()));
        assert!(
            ask("rows[1]", false)
                .unwrap_err()
                .contains("rows has one element, rows[0]")
        );
        assert!(
            ask("rows[2]", true)
                .unwrap_err()
                .contains("the next one is rows[1]")
        );
        assert!(
            ask("rules[0]", false)
                .unwrap_err()
                .contains("rules is empty")
        );
        let says = ask("limits.overal", true).unwrap_err();
        assert!(
            says.starts_with(
                "There is no “limits.overal”. In limits there are critical, fold_seconds"
            ),
            "{says}"
        );
        assert!(
            ask("limits[0]", true)
                .unwrap_err()
                .contains("limits is no list")
        );
        assert!(
            ask("limits.overall.x", true)
                .unwrap_err()
                .contains("limits.overall has no parts")
        );
        assert!(
            ask("limit", true)
                .unwrap_err()
                .starts_with("There is no “limit”. There are accounts")
        );
    }
}
