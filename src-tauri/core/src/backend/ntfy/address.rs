//! Addresses and names.

use crate::backend::Address;
use url::Url;

/// The longest topic (ntfy, `topicRegex`).
const LONGEST_TOPIC: usize = 64;
/// Paths of the server itself (ntfy, `disallowed_topics` of `/v1/config`).
const RESERVED: [&str; 10] = [
    "docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1",
];
/// What follows a topic in the addresses of the API.
const ENDINGS: [&str; 8] = [
    "json", "sse", "ws", "raw", "auth", "publish", "send", "trigger",
];

/// An address below `base`, each part escaped as one segment of the path.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        path.extend(segments);
        if segments.is_empty() {
            path.push("");
        }
    }
    url
}

pub(super) fn check_topic(topic: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if topic.is_empty() {
        Err("A topic needs a name.".to_owned())
    } else if !topic.chars().all(is_allowed) {
        Err("A topic's name has only letters from A to Z, digits, - and _.".to_owned())
    } else if topic.len() > LONGEST_TOPIC {
        Err(format!(
            "A topic's name has at most {LONGEST_TOPIC} characters."
        ))
    } else if RESERVED.contains(&topic) {
        Err(format!(
            "The server keeps the name {topic} for itself. Choose another topic."
        ))
    } else {
        Ok(())
    }
}

/// The last step of a path names topics unless a slash follows it: `https://host/folder/` is a server in a
/// folder, `https://host/folder/alerts,backup` two topics of it.
pub(super) fn take_apart(pasted: &Url) -> Address {
    let mut url = web(pasted);
    let mut segments: Vec<String> = url
        .path_segments()
        .map(|steps| steps.map(str::to_owned).collect())
        .unwrap_or_default();
    let is_folder = segments.last().is_some_and(String::is_empty);
    segments.retain(|segment| !segment.is_empty());
    let mut topics = Vec::new();
    if !is_folder {
        let ends = segments
            .last()
            .is_some_and(|last| ENDINGS.contains(&last.as_str()));
        if ends && segments.len() > 1 {
            segments.pop();
        }
        if let Some(last) = segments.pop() {
            topics = names(&last);
            // Neither topics nor a page of the server's own: part of the way to it.
            if topics.is_empty() && !RESERVED.contains(&last.as_str()) {
                segments.push(last);
            }
        }
        // `v1/health` and its like.
        if segments.last().is_some_and(|last| last == "v1") {
            segments.pop();
            topics.clear();
        }
    }
    // The steps are escaped as they were in what was pasted.
    url.set_path(&match segments.as_slice() {
        [] => "/".to_owned(),
        steps => format!("/{}/", steps.join("/")),
    });
    Address {
        base: url,
        topics,
        options: String::new(),
    }
}

/// The address for HTTP, with nothing but scheme, host, port and path. `ntfy://` is what ntfy's own links
/// begin with; they mean https unless `?secure=false` follows.
fn web(pasted: &Url) -> Url {
    let scheme = match pasted.scheme() {
        "ws" => "http",
        "ntfy"
            if pasted
                .query_pairs()
                .any(|pair| pair == ("secure".into(), "false".into())) =>
        {
            "http"
        }
        "wss" | "ntfy" => "https",
        same => same,
    };
    let rest = &pasted.as_str()[pasted.scheme().len()..];
    let mut url = Url::parse(&format!("{scheme}{rest}")).unwrap_or_else(|_| pasted.clone());
    // Only an address without a host has nothing to take these from.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Topics with commas between them; none if one of them cannot be a topic.
fn names(segment: &str) -> Vec<String> {
    let mut names = Vec::<String>::new();
    for name in segment.split(',').filter(|name| !name.is_empty()) {
        if check_topic(name).is_err() {
            return Vec::new();
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
