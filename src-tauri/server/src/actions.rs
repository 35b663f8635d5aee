//! Buttons of a message, as JSON or in ntfy's short form:
//! `view, Open, https://example.org, clear=true; http, Stop, https://example.org/stop, method=PUT`.

use crate::message::{Action, random_id};
use crate::refusal::Refusal;

/// Most buttons of one message.
const MOST: usize = 3;

/// Reads the `Actions` parameter.
pub(crate) fn parse(text: &str) -> Result<Vec<Action>, Refusal> {
    let text = text.trim();
    let actions = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| Refusal::actions(&error.to_string()))?
    } else {
        Short { rest: text }.actions()?
    };
    check(actions)
}

/// Gives ids to actions and refuses those that cannot work.
pub(crate) fn check(mut actions: Vec<Action>) -> Result<Vec<Action>, Refusal> {
    if actions.len() > MOST {
        return Err(Refusal::actions("only 3 actions allowed"));
    }
    for action in &mut actions {
        action.id = random_id(10);
        let missing = match action.action.as_str() {
            "view" | "http" if action.url.is_empty() => Some("url"),
            "copy" if action.value.is_empty() => Some("value"),
            "view" | "http" | "broadcast" | "copy" => action.label.is_empty().then_some("label"),
            other => {
                let reason = format!("action “{other}” unknown, use view, http, broadcast or copy");
                return Err(Refusal::actions(&reason));
            }
        };
        if let Some(field) = missing {
            return Err(Refusal::actions(&format!(
                "a {} action needs a {field}",
                action.action
            )));
        }
    }
    Ok(actions)
}

/// A reader of the short form.
struct Short<'a> {
    rest: &'a str,
}

impl Short<'_> {
    fn actions(mut self) -> Result<Vec<Action>, Refusal> {
        let mut actions = Vec::new();
        let mut action = Action::default();
        let mut position = 0;
        while !self.rest.trim_start().is_empty() {
            self.rest = self.rest.trim_start();
            let key = self.key();
            let value = self.value()?;
            match key {
                Some(key) => set(&mut action, &key, value)?,
                None if position == 0 => action.action = value.to_lowercase(),
                None if position == 1 => action.label = value,
                None if position == 2 && action.action == "copy" => action.value = value,
                None if position == 2 => action.url = value,
                None if value.is_empty() => {}
                None => {
                    return Err(Refusal::actions(&format!(
                        "“{value}” has no name before it"
                    )));
                }
            }
            position += 1;
            let end = self.rest.chars().next();
            self.rest = self.rest.get(1..).unwrap_or_default();
            if end != Some(',') {
                actions.push(std::mem::take(&mut action));
                position = 0;
            }
        }
        if position > 0 {
            actions.push(action);
        }
        Ok(actions)
    }

    /// A name followed by `=`, if the field starts with one.
    fn key(&mut self) -> Option<String> {
        let named =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        let after = self.rest.trim_start_matches(named);
        let key = &self.rest[..self.rest.len() - after.len()];
        let value = after.trim_start().strip_prefix('=')?;
        if key.is_empty() {
            return None;
        }
        self.rest = value;
        Some(key.to_owned())
    }

    /// A value up to `,` or `;`, or in quotes, where a backslash keeps the next character.
    fn value(&mut self) -> Result<String, Refusal> {
        self.rest = self.rest.trim_start();
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\''));
        let Some(quote) = quote else {
            let end = self.rest.find([',', ';']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(value.trim_end().to_owned());
        };
        let mut value = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            if letter == quote {
                self.rest = self.rest[at + 1..].trim_start();
                if !self.rest.is_empty() && !self.rest.starts_with([',', ';']) {
                    return Err(Refusal::actions(
                        "a comma or semicolon is missing after a quote",
                    ));
                }
                return Ok(value);
            }
            let escaped = letter == '\\';
            match if escaped {
                letters.next()
            } else {
                Some((at, letter))
            } {
                Some((_, kept)) if escaped && kept != quote && kept != '\\' => {
                    value.extend(['\\', kept]);
                }
                Some((_, kept)) => value.push(kept),
                None => break,
            }
        }
        Err(Refusal::actions("a quote is not closed"))
    }
}

fn set(action: &mut Action, key: &str, value: String) -> Result<(), Refusal> {
    let lower = key.to_ascii_lowercase();
    match lower.as_str() {
        "action" => action.action = value.to_lowercase(),
        "label" => action.label = value,
        "clear" => {
            action.clear = match value.to_lowercase().as_str() {
                "1" | "yes" | "true" => true,
                "0" | "no" | "false" => false,
                _ => return Err(Refusal::actions("clear is true or false")),
            }
        }
        "url" => action.url = value,
        "method" => action.method = value,
        "body" => action.body = value,
        "intent" => action.intent = value,
        "value" => action.value = value,
        _ => {
            let map = if lower.starts_with("headers.") {
                &mut action.headers
            } else if lower.starts_with("extras.") {
                &mut action.extras
            } else {
                return Err(Refusal::actions(&format!("“{key}” unknown")));
            };
            let name = key.split_once('.').map_or("", |(_, name)| name);
            map.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<Action> {
        let mut actions = parse(text).unwrap();
        for action in &mut actions {
            assert_eq!(action.id.len(), 10);
            action.id.clear();
        }
        actions
    }

    #[test]
    fn short_form() {
        let view = |label: &str, url: &str, clear| Action {
            action: "view".into(),
            label: label.into(),
            url: url.into(),
            clear,
            ..Action::default()
        };
        assert_eq!(read(""), []);
        assert_eq!(
            read("view, Open it , https://a.test/?x=1&y=2, clear=true"),
            [view("Open it", "https://a.test/?x=1&y=2", true)]
        );
        assert_eq!(
            read(
                "View, A, https://a.test/;action=view,label=\"B; \\\"b\\\", c\\n\" ,url='https://b.test/,' ;"
            ),
            [
                view("A", "https://a.test/", false),
                view("B; \"b\", c\\n", "https://b.test/,", false)
            ]
        );
        let http = &read(
            "http, Stop, https://a.test, method=PUT, headers.X-Key=ü, body='{\"a\": \"it\\'s\"}', clear=no",
        )[0];
        assert_eq!(http.method, "PUT");
        assert_eq!(http.headers["X-Key"], "ü");
        assert_eq!(http.body, "{\"a\": \"it's\"}");
        let sent = &read("broadcast, Photo, extras.cmd=pic, intent=io.test.CAM")[0];
        assert_eq!(
            (sent.extras["cmd"].as_str(), sent.intent.as_str()),
            ("pic", "io.test.CAM")
        );
        assert_eq!(read("copy, Code, 123 456")[0].value, "123 456");
    }

    #[test]
    fn json_form() {
        let actions = read(
            r#"[{"action":"http","label":"A","url":"https://a.test","headers":{"x":"y"},"clear":true}]"#,
        );
        assert_eq!(actions[0].headers["x"], "y");
        assert!(actions[0].clear);
    }

    #[test]
    fn refused() {
        for (text, reason) in [
            ("view", "needs a url"),
            ("view, A", "needs a url"),
            ("view, , https://a.test", "needs a label"),
            ("copy, A", "needs a value"),
            ("dance, A, https://a.test", "unknown"),
            ("view, A, https://a.test, more", "no name"),
            ("view, A, https://a.test, colour=red", "unknown"),
            ("view, A, https://a.test, clear=perhaps", "true or false"),
            ("view, 'A, https://a.test", "not closed"),
            ("view, 'A\\", "not closed"),
            ("view, 'A' B, https://a.test", "missing after"),
            ("view,A,u;view,A,u;view,A,u;view,A,u", "only 3"),
            ("[{", "EOF"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.code, error.http), (40018, 400));
            assert!(error.error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[view,;='\"\\\\ é.a-]{0,40}|.{0,40}") {
            let _ = parse(&text);
        }
    }
}
