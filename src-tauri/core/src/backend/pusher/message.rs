//! The notification that an event, or an item of the history, makes.

use super::cursor;
use super::options::Settings;
use crate::backend::payload::{self, Envelope, Mapping, Payload};
use crate::model::{Class, Draft, Format, Tier, limits};
use crate::text::cut;
use jiff::Timestamp;

/// The longest event's name that is kept as a type, in bytes.
const LONGEST_KIND: usize = 512;

/// What came over a channel.
pub(super) struct Event<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The event's name.
    pub name: &'a str,
    /// Its data, readable.
    pub data: &'a str,
    /// The frame as it came.
    pub frame: &'a str,
    /// The place in a channel that keeps its last event; empty elsewhere.
    pub place: &'a str,
}

/// The notification of an event.
pub(super) fn of_event(settings: &Settings, event: &Event<'_>, now: Timestamp) -> Payload {
    let mut read = read(settings, &settings.mapping, event.name, event.data, now);
    if !read.has_own_id {
        let id = if event.place.is_empty() {
            let minute = minute(read.draft.created_at);
            cursor::hash(&[
                event.channel,
                &read.draft.kind,
                &canonical(event.data),
                &minute,
            ])
        } else {
            event.place.to_owned()
        };
        rename(&mut read.draft, id);
    }
    read.draft.raw = cut(event.frame, limits::RAW);
    read
}

/// The notification of an item of a channel's history, and when it was made, if it says.
pub(super) fn of_item(
    settings: &Settings,
    item: &str,
    now: Timestamp,
) -> (Payload, Option<Timestamp>) {
    let read = read(settings, &settings.history_mapping, "", item, now);
    let made = Some(read.draft.created_at).filter(|made| *made != now);
    (read, made)
}

/// An id for an item that has none, the same each time it is fetched, and that of the event that was live if
/// both say the same.
pub(super) fn name_item(read: &mut Payload, channel: &str, item: &str, made: Option<Timestamp>) {
    if !read.has_own_id {
        let minute = made.map(minute).unwrap_or_default();
        let id = cursor::hash(&[channel, &read.draft.kind, &canonical(item), &minute]);
        rename(&mut read.draft, id);
    }
}

fn read(
    settings: &Settings,
    mapping: &Mapping,
    event: &str,
    text: &str,
    now: Timestamp,
) -> Payload {
    let mut read = payload::read(
        mapping,
        &Envelope {
            event,
            id: "",
            content_type: "",
            text,
            now,
        },
    );
    if settings.has_classes {
        let draft = &mut read.draft;
        draft.kind = last_step(&draft.kind).to_owned();
        if draft.title.is_empty() {
            draft.title = words(&draft.kind);
        }
    }
    read
}

/// A draft under another id. Without a key of its own, it replaces nothing else.
fn rename(draft: &mut Draft, id: String) {
    if draft.replace_key == draft.remote_id {
        draft.replace_key.clone_from(&id);
    }
    draft.remote_id = id;
}

fn minute(at: Timestamp) -> String {
    at.as_second().div_euclid(60).to_string()
}

/// The same JSON is the same text.
fn canonical(text: &str) -> String {
    payload::json(text).map_or_else(|| text.to_owned(), |value| value.to_string())
}

/// `App\Notifications\InvoicePaid` is an `InvoicePaid`.
fn last_step(class: &str) -> &str {
    class.rsplit('\\').next().unwrap_or(class)
}

/// `InvoicePaid` in words.
fn words(class: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for c in class.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            words.push(' ');
            words.extend(c.to_lowercase());
        } else {
            words.push(c);
        }
        before = c;
    }
    words
}

/// Stands for an event that could not be decrypted. Nothing of its data is in it, since that was encrypted, or
/// came from somebody without the key.
pub(super) fn undecryptable(event: &Event<'_>, now: Timestamp) -> Draft {
    let id = if event.place.is_empty() {
        cursor::hash(&[event.channel, event.name, event.data, &minute(now)])
    } else {
        event.place.to_owned()
    };
    Draft {
        replace_key: id.clone(),
        remote_id: id,
        version: 0,
        class: Class::Persistent,
        kind: cut(event.name, LONGEST_KIND),
        title: "Encrypted notification".to_owned(),
        body: "It could not be decrypted: the application gave no key that fits. Ask its owner whether the \
               encryption key of the server and of the application are the same."
            .to_owned(),
        format: Format::Plain,
        priority: 3,
        tier: Tier::Important,
        created_at: now,
        url: None,
        actions: Vec::new(),
        tags: Vec::new(),
        icon: None,
        attachment: None,
        silent: false,
        expires_at: None,
        raw: serde_json::json!({"event": event.name, "channel": event.channel}).to_string(),
    }
}
