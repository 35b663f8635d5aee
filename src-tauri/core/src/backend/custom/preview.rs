//! What a profile makes of an event, for whoever is writing it.

use super::Custom;
use super::options::{Options, PRESETS, Setup};
use crate::backend::Backend as _;
use crate::backend::payload::{self, Envelope, Origin};
use crate::model::Draft;
use jiff::Timestamp;

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The notification.
    pub draft: Draft,
    /// Where its parts came from.
    pub origins: Vec<Origin>,
    /// Where it was published, if the event says.
    pub topic: String,
}

/// Why nothing became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In words for the user.
    pub says: String,
    /// The line of the profile that is wrong, from 1; none where the profile is fine, or no single line of
    /// it is wrong.
    pub line: Option<u32>,
}

/// The notification that the options make of an event's text (a [`Draft`]'s `raw`), or why there is none.
pub fn preview(options: &str, raw: &str, now: Timestamp) -> Result<Preview, Refused> {
    let fine = |says: String| Refused { says, line: None };
    let setup = Custom
        .check_options(options)
        .and_then(|_| Setup::of(options))
        .map_err(|says| Refused {
            line: line_of(&says, &profile_of(options)),
            says,
        })?;
    if raw.trim().is_empty() {
        return Err(fine("There is no event yet to try this on.".to_owned()));
    }
    let content_type = setup
        .profile
        .endpoints()
        .map(|(_, endpoint)| endpoint.content_type.as_str())
        .find(|content_type| !content_type.is_empty())
        .unwrap_or_default();
    let envelope = Envelope {
        event: "",
        id: "",
        content_type,
        text: raw,
        now,
    };
    let read = payload::read(&setup.profile.map, &envelope);
    if read.ignored {
        let kind = match read.draft.kind.as_str() {
            "" => "without a name".to_owned(),
            kind => format!("called {kind}"),
        };
        return Err(fine(format!(
            "This event, {kind}, is left out by `events` or `ignore` in [map]."
        )));
    }
    if read.deleted {
        return Err(fine("This event deletes a notification.".to_owned()));
    }
    Ok(Preview {
        draft: read.draft,
        origins: payload::origins(&setup.profile.map, &envelope),
        topic: read.topic.unwrap_or_default(),
    })
}

/// The profile that the options name: the own one, or the preset's; empty for none.
pub fn profile_of(options: &str) -> String {
    let Ok(options) = Options::parse(options) else {
        return String::new();
    };
    if !options.profile.trim().is_empty() {
        return options.profile;
    }
    PRESETS
        .iter()
        .find(|(name, ..)| *name == options.preset)
        .map(|(.., profile)| (*profile).to_owned())
        .unwrap_or_default()
}

/// The line that words are about: they name it, or they name the table that is wrong.
fn line_of(says: &str, profile: &str) -> Option<u32> {
    let after = |mark: &str| {
        let (_, rest) = says.split_once(mark)?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().ok()
    };
    after("line ").or_else(|| {
        let table = &says[says.find('[')?..=says.find(']')?];
        let line = profile
            .lines()
            .position(|line| line.trim_start().starts_with(table))?;
        u32::try_from(line + 1).ok()
    })
}
