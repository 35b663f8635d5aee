//! What a profile makes of an event, for whoever is writing it.

use super::options::Setup;
use crate::backend::payload::{self, Envelope};
use crate::model::Draft;
use jiff::Timestamp;

/// The notification that the options make of an event's text (a [`Draft`]'s `raw`), or why there is none, in
/// words for the user.
pub fn preview(options: &str, raw: &str, now: Timestamp) -> Result<Draft, String> {
    let setup = Setup::of(options)?;
    if raw.trim().is_empty() {
        return Err("There is no event yet to try this on.".to_owned());
    }
    let content_type = setup
        .profile
        .endpoints()
        .map(|(_, endpoint)| endpoint.content_type.as_str())
        .find(|content_type| !content_type.is_empty())
        .unwrap_or_default();
    let read = payload::read(
        &setup.profile.map,
        &Envelope {
            event: "",
            id: "",
            content_type,
            text: raw,
            now,
        },
    );
    if read.ignored {
        let kind = match read.draft.kind.as_str() {
            "" => "without a name".to_owned(),
            kind => format!("called {kind}"),
        };
        return Err(format!(
            "This event, {kind}, is left out by `events` or `ignore` in [map]."
        ));
    }
    if read.deleted {
        return Err("This event deletes a notification.".to_owned());
    }
    Ok(read.draft)
}
