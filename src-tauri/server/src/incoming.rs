//! What a request publishes, from its headers, query and body, or from JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use crate::actions;
use crate::message::{Action, Attachment};
use crate::params::Params;
use crate::publish::Publish;
use crate::refusal::Refusal;
use crate::words;

/// Most bytes of a JSON body: a message whose every byte is escaped, and its other fields.
pub(crate) fn json_size(message_size: usize) -> usize {
    6 * message_size + (32 << 10)
}

/// From a request to a topic.
pub(crate) fn from_request(
    topic: &str,
    sequence: Option<&str>,
    params: &Params,
    body: &[u8],
    now: Timestamp,
) -> Result<Publish, Refusal> {
    if !params.get(&["email", "mail", "e"]).is_empty() {
        return Err(no_email());
    }
    if !params.get(&["call"]).is_empty() {
        return Err(no_calls());
    }
    let filename = params.get(&["filename", "file", "f"]);
    let attach = params.get(&["attach", "a"]);
    let given = params.get(&["message", "m"]).replace("\\n", "\n");
    let (message, base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.trim().to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    if !body.is_empty() && (!given.is_empty() || (!filename.is_empty() && attach.is_empty())) {
        // On ntfy the body would be a file now.
        return Err(Refusal::attachment());
    }
    let priority = params.get(&["priority", "prio", "p"]);
    let priority = words::priority(&priority)
        .ok_or_else(|| Refusal::new(40007, format!("invalid priority parameter: “{priority}”")))?;
    let sequence = sequence.map_or_else(
        || params.get(&["sequence-id", "sequence_id", "sid"]),
        str::to_owned,
    );
    let cache = params.get(&["cache"]);
    Ok(Publish {
        topic: topic.to_owned(),
        message: if given.is_empty() { message } else { given },
        title: params.get(&["title", "t"]),
        priority,
        tags: words::list(&params.get(&["tags", "tag", "ta"])),
        click: params.get(&["click"]),
        icon: params.get(&["icon"]),
        actions: actions::parse(&params.get(&["actions", "action"]))?,
        attachment: attachment(attach, filename),
        markdown: params.is_yes(&["markdown", "md"])
            || params.get(&["content-type"]).starts_with("text/markdown"),
        base64,
        sequence_id: (!sequence.is_empty()).then_some(sequence),
        deliver_at: delay(&params.get(&["delay", "at", "in"]), now)?,
        no_cache: says_no(&cache),
    })
}

/// ntfy's JSON for publishing.
#[derive(Deserialize)]
struct Incoming {
    topic: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    priority: Option<u8>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    click: Option<String>,
    #[serde(default)]
    icon: Option<String>,
    #[serde(default)]
    actions: Option<Vec<Action>>,
    #[serde(default)]
    attach: Option<String>,
    #[serde(default)]
    filename: Option<String>,
    #[serde(default)]
    markdown: Option<bool>,
    #[serde(default)]
    delay: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    call: Option<String>,
    #[serde(default)]
    cache: Option<String>,
    #[serde(default)]
    sequence_id: Option<String>,
}

/// From the JSON body of a request to the root. What it leaves out may stand in headers or the
/// query, where some clients put it.
pub(crate) fn from_json(body: &[u8], params: &Params, now: Timestamp) -> Result<Publish, Refusal> {
    let incoming: Incoming = serde_json::from_slice(body).map_err(|error| {
        let reason = format!("invalid request: request body must be message JSON, {error}");
        Refusal::new(40017, reason)
    })?;
    if said(incoming.email.as_ref()) {
        return Err(no_email());
    }
    if said(incoming.call.as_ref()) {
        return Err(no_calls());
    }
    let mut publish = from_request(&incoming.topic, None, params, b"", now)?;
    for (field, given) in [
        (&mut publish.message, incoming.message),
        (&mut publish.title, incoming.title),
        (&mut publish.click, incoming.click),
        (&mut publish.icon, incoming.icon),
    ] {
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            *field = given;
        }
    }
    if let Some(priority) = incoming.priority.filter(|&priority| priority != 0) {
        publish.priority = priority;
    }
    if let Some(tags) = incoming.tags.filter(|tags| !tags.is_empty()) {
        publish.tags = tags;
    }
    if let Some(actions) = incoming.actions.filter(|actions| !actions.is_empty()) {
        publish.actions = actions;
    }
    if let Some(attach) = incoming.attach {
        publish.attachment = attachment(attach, incoming.filename.unwrap_or_default());
    }
    publish.markdown |= incoming.markdown.unwrap_or_default();
    if said(incoming.sequence_id.as_ref()) {
        publish.sequence_id = incoming.sequence_id;
    }
    if let Some(text) = incoming.delay {
        publish.deliver_at = delay(&text, now)?;
    }
    publish.no_cache |= incoming.cache.is_some_and(|cache| says_no(&cache));
    Ok(publish)
}

fn said(field: Option<&String>) -> bool {
    field.is_some_and(|text| !text.is_empty())
}

fn says_no(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "no" | "false" | "0")
}

fn no_email() -> Refusal {
    Refusal::new(40001, "e-mail notifications are not enabled")
}

fn no_calls() -> Refusal {
    Refusal::new(40032, "phone calls are not enabled")
}

/// A file elsewhere, named after the last part of its address if nothing else is said.
fn attachment(url: String, filename: String) -> Option<Attachment> {
    if url.is_empty() {
        return None;
    }
    let name = if filename.is_empty() {
        let parsed = Url::parse(&url).ok();
        let last = parsed
            .as_ref()
            .and_then(|url| url.path_segments()?.next_back());
        last.filter(|last| !last.is_empty())
            .unwrap_or("attachment.bin")
            .to_owned()
    } else {
        filename
    };
    Some(Attachment { name, url })
}

/// When to deliver, from unix seconds or a duration.
fn delay(text: &str, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let at = if let Ok(seconds) = text.parse::<i64>() {
        Timestamp::from_second(seconds).ok()
    } else {
        words::duration(text)
            .and_then(|length| SignedDuration::try_from(length).ok())
            .and_then(|length| now.checked_add(length).ok())
    };
    at.map(Some).ok_or_else(Refusal::delay_unreadable)
}
