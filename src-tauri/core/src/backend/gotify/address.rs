//! Addresses: as pasted, and of the server's parts.

use crate::backend::{Address, Found, Probed};
use serde_json::Value;
use url::Url;

/// Pages and calls of a server; an address that was copied from a browser or a script ends in one of them.
const PARTS: [&str; 15] = [
    "application",
    "auth",
    "client",
    "current",
    "docs",
    "gotifyinfo",
    "health",
    "image",
    "index.html",
    "message",
    "plugin",
    "static",
    "stream",
    "swagger",
    "version",
];
/// Those of them that have a number or a name behind them.
const WITH_NAME: [&str; 8] = [
    "application",
    "client",
    "current",
    "image",
    "message",
    "oidc",
    "plugin",
    "static",
];

/// An address below the server's.
pub(super) fn below(base: &Url, steps: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(steps);
    }
    url
}

/// The server of what was pasted: Gotify's own parts at its end are dropped, and so are query and fragment.
/// `gotify://host/token` is how some senders write a server with an application's token,
/// which is of no use to a reader; it means https.
pub(super) fn take_apart(pasted: &Url) -> Address {
    let scheme = match pasted.scheme() {
        "ws" => "http",
        "wss" | "gotify" => "https",
        same => same,
    };
    let link = pasted.scheme() == "gotify";
    let rest = &pasted.as_str()[pasted.scheme().len()..];
    let mut url = Url::parse(&format!("{scheme}{rest}")).unwrap_or_else(|_| pasted.clone());
    // Only an address without a host has nothing to take these from.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    let mut steps: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .filter(|step| !step.is_empty())
        .map(str::to_owned)
        .collect();
    loop {
        match steps.as_slice() {
            [.., last] if PARTS.contains(&last.as_str()) => steps.truncate(steps.len() - 1),
            [.., named, _] if WITH_NAME.contains(&named.as_str()) => {
                steps.truncate(steps.len() - 2);
            }
            _ => break,
        }
    }
    if link && steps.last().is_some_and(|step| is_token(step)) {
        steps.pop();
    }
    // The steps are escaped as they were in what was pasted.
    url.set_path(&match steps.as_slice() {
        [] => "/".to_owned(),
        steps => format!("/{}/", steps.join("/")),
    });
    Address {
        base: url,
        topics: Vec::new(),
        options: String::new(),
    }
}

/// What tokens of Gotify 2 look like: `A`, `C` or `P`, and 14 more.
fn is_token(step: &str) -> bool {
    step.len() == 15
        && step.starts_with(['A', 'C', 'P'])
        && step
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// Gotify 3 describes itself at `gotifyinfo`, every Gotify its build at `version`.
pub(super) fn recognise(pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
    if probed.status != 200 {
        return None;
    }
    let answer: Value = serde_json::from_str(probed.body).ok()?;
    let version = answer.get("version")?.as_str()?;
    let browser = match answer.get("oidc").and_then(Value::as_bool) {
        Some(true) => " It can sign you in in the browser.",
        Some(false) => "",
        None => {
            answer.get("commit")?.as_str()?;
            answer.get("buildDate")?.as_str()?;
            ""
        }
    };
    let version = crate::text::one_line(version, 40);
    Some(Found {
        address: take_apart(pasted),
        says: format!("It answers as Gotify {version}.{browser}"),
    })
}

/// An application is named by its number.
pub(super) fn check_topic(topic: &str) -> Result<(), String> {
    let is_number = topic.len() <= 15
        && topic.bytes().all(|byte| byte.is_ascii_digit())
        && !topic.starts_with('0')
        && !topic.is_empty();
    if is_number {
        Ok(())
    } else {
        Err(
            "Applications come from the server by themselves. One that you left comes back by its number, \
             such as 5."
                .to_owned(),
        )
    }
}
