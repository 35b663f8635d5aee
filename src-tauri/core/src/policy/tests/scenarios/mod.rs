//! Plays the stories of `tests/policy/*.txt`; `tests/policy/README.md` says how they are written.

mod stage;
mod words;

use super::plays::{Played, Plays, Shown};
use crate::policy::play::Look;
use stage::Stage;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use words::{quoted, rest_of};

/// A story while it is told.
struct Telling<P> {
    stage: Stage<P>,
    /// Seen, and not expected yet.
    seen: Vec<Shown>,
    /// What each toast said last.
    titles: HashMap<usize, String>,
    expected: usize,
}

impl<P: Plays> Telling<P> {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(expected) = line.strip_prefix("=>") {
            self.hear();
            return self.expect(expected.trim());
        }
        if let Some(expected) = line.strip_prefix("why ") {
            self.hear();
            self.expected += 1;
            return self.stage.why(expected);
        }
        if let Some(expected) = line.strip_prefix("waiting ") {
            self.hear();
            self.expected += 1;
            return self.stage.waiting(expected);
        }
        self.done()?;
        self.stage.act(line)
    }

    fn hear(&mut self) {
        self.stage.settle();
        self.seen.extend(self.stage.take_seen());
    }

    /// Nothing was seen that was not expected.
    fn done(&self) -> Result<(), String> {
        match self.seen.first() {
            None => Ok(()),
            Some(seen) => {
                let mut titles = self.titles.clone();
                let all: Vec<String> = self
                    .seen
                    .iter()
                    .map(|seen| {
                        format!("{} {}", self.stage.clock(seen.at), shown(&mut titles, seen))
                    })
                    .collect();
                Err(format!(
                    "nobody expected what was seen at {}:\n    => {}",
                    self.stage.clock(seen.at),
                    all.join("\n    => ")
                ))
            }
        }
    }

    fn expect(&mut self, expected: &str) -> Result<(), String> {
        self.expected += 1;
        if expected == "nothing" {
            return self.done();
        }
        if self.seen.is_empty() {
            return Err("nothing was seen".to_owned());
        }
        let seen = self.seen.remove(0);
        let mut titles = std::mem::take(&mut self.titles);
        let mut actual = shown(&mut titles, &seen);
        self.titles = titles;
        let (wanted, body) = match expected.split_once(" says ") {
            Some((wanted, body)) => (wanted, Some(quoted(body)?.0)),
            None => (expected, None),
        };
        if wanted.starts_with(|first: char| first.is_ascii_digit() || first.is_ascii_uppercase()) {
            let day = wanted.starts_with(|first: char| first.is_ascii_uppercase());
            let clock = self.stage.clock(seen.at);
            let clock = if day { clock.as_str() } else { &clock[4..] };
            let length = rest_of(wanted, if day { 2 } else { 1 })?.0.len();
            // To the minute, unless seconds are written.
            actual = format!("{} {actual}", &clock[..length.min(clock.len())]);
        }
        if actual != wanted {
            return Err(format!("seen was: => {actual}"));
        }
        if let Some(body) = body {
            let said = seen.body.replace('\n', " | ");
            if said != body {
                return Err(format!("it says “{said}”"));
            }
        }
        Ok(())
    }
}

fn shown(titles: &mut HashMap<usize, String>, seen: &Shown) -> String {
    if seen.look != Look::Gone {
        titles.insert(seen.toast, seen.title.clone());
    }
    let title = titles.get(&seen.toast).cloned().unwrap_or_default();
    let mut words = match (seen.look, seen.count) {
        (Look::Gone, _) => return format!("gone \"{title}\""),
        (Look::New, ..=1) => format!("toast \"{title}\""),
        (Look::New, count) => format!("digest of {count} \"{title}\""),
        (Look::Edit, ..=1) => format!("edit \"{title}\""),
        (Look::Edit, count) => format!("edit of {count} \"{title}\""),
    };
    if seen.tier == crate::model::Tier::Critical && seen.look == Look::New {
        words.push_str(" critical");
    }
    words.push_str(&words::sound(seen.sound.as_ref()));
    words
}

/// Tells a whole story.
fn tell(text: &str) -> Result<(), String> {
    tell_to::<Played>(text)
}

fn tell_to<P: Plays>(text: &str) -> Result<(), String> {
    let mut telling = Telling {
        stage: Stage::<P>::new(),
        seen: Vec::new(),
        titles: HashMap::new(),
        expected: 0,
    };
    let mut lines = text.lines();
    if !lines.next().is_some_and(|first| first.starts_with("# ")) {
        return Err("line 1: it says nowhere what is promised".to_owned());
    }
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        telling
            .line(line)
            .map_err(|says| format!("line {}: {line}\n    {says}", number + 1))?;
    }
    telling.hear();
    telling
        .done()
        .map_err(|says| format!("at the end: {says}"))?;
    if telling.expected == 0 {
        return Err("it expects nothing".to_owned());
    }
    Ok(())
}

/// Tells every story but these to whoever plays; all of them go as written.
pub(crate) fn tell_all<P: Plays>(but: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/policy");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    for name in but {
        assert!(
            names.iter().any(|other| other == name),
            "there is no story {name}"
        );
    }
    let wrong: Vec<String> = paths
        .iter()
        .zip(&names)
        .filter(|(_, name)| !but.contains(&name.as_str()))
        .filter_map(|(path, name)| {
            let story = fs::read_to_string(path).unwrap();
            tell_to::<P>(&story)
                .err()
                .map(|says| format!("{name}, {says}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} stories go otherwise:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        paths.len() >= 120,
        "only {} stories in {}",
        paths.len(),
        folder.display()
    );
}

#[test]
fn every_story_goes_as_written() {
    tell_all::<Played>(&[]);
}

#[test]
fn the_story_in_the_description_goes_as_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/policy/README.md");
    let text = fs::read_to_string(path).unwrap();
    let story = text.split("```").nth(1).unwrap();
    assert_eq!(tell(story.trim_start()), Ok(()));
}

#[test]
fn a_story_that_goes_otherwise_is_noticed() {
    let story = |end: &str| format!("# A story\nntfy/alerts \"Disk full\" p4\n{end}\n");
    assert_eq!(tell(&story("=> toast \"Disk full\" sound")), Ok(()));
    assert_eq!(
        tell(&story("=> 10:00 toast \"Disk full\" sound says \"\"")),
        Ok(())
    );
    for wrong in [
        "",
        "=> nothing",
        "=> toast \"Disk full\"",
        "=> toast \"Disk\" sound",
        "=> 10:01 toast \"Disk full\" sound",
        "=> toast \"Disk full\" sound says \"x\"",
        "=> toast \"Disk full\" sound\n=> toast \"Disk full\" sound",
        "=> toast \"Disk full\" sound\nwhy \"Disk full\" toast: It is critical: it rings.",
        "=> toast \"Disk full\" sound\nwaiting 1 pause",
        "=> toast \"Disk full\" sound\nfrobnicate",
    ] {
        assert!(tell(&story(wrong)).is_err(), "{wrong}");
    }
    assert!(tell("=> nothing").is_err());
}
