//! Addresses: `https://host[:port][/folder]/app/KEY`, which a WebSocket is opened at.

use crate::backend::{Address, Probed};
use url::Url;

/// The hosted service.
const HOSTED: &str = ".pusher.com";
/// What its hosts are called besides `ws-CLUSTER`.
const OTHER_HOSTS: [&str; 4] = ["sockjs-", "sock-", "api-", "stats-"];

/// Takes a pasted address apart. The key stays in it: without one there is no server to speak of.
pub(super) fn take_apart(pasted: &Url) -> Address {
    let mut url = web(pasted);
    if let Some(host) = hosted(&url) {
        // Only an address without a host refuses one.
        let _ = url.set_host(Some(&host));
    }
    let mut steps: Vec<String> = url
        .path_segments()
        .map(|steps| {
            steps
                .filter(|step| !step.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default();
    if let Some(app) = app_step(&steps) {
        steps.truncate(app + 2);
    } else if steps.last().is_some_and(|last| last == "app") {
        steps.pop();
    }
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

/// The hosted service's name for the same cluster that takes a WebSocket.
fn hosted(url: &Url) -> Option<String> {
    let cluster = url.host_str()?.strip_suffix(HOSTED)?;
    let cluster = OTHER_HOSTS
        .iter()
        .find_map(|other| cluster.strip_prefix(other))?;
    Some(format!("ws-{cluster}{HOSTED}"))
}

/// Where `app` stands before a key.
fn app_step(steps: &[String]) -> Option<usize> {
    let is_key = |key: &String| {
        key.len() >= 2
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    (0..steps.len())
        .rev()
        .find(|&step| steps[step] == "app" && steps.get(step + 1).is_some_and(is_key))
}

/// The key in an address.
pub(super) fn key(base: &Url) -> Option<String> {
    let steps: Vec<String> = base.path_segments()?.map(str::to_owned).collect();
    app_step(&steps).map(|app| steps[app + 1].clone())
}

/// Where the WebSocket is opened; none if nothing says which app.
pub(super) fn socket(base: &Url, key_option: &str) -> Option<Url> {
    let mut url = base.clone();
    url.set_fragment(None);
    let has_key = key(base).is_some();
    {
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty();
        if !has_key {
            let key = key_option.trim();
            if matches!(key, "" | "." | "..") {
                return None;
            }
            path.extend(["app", key]);
        }
    }
    url.set_query(None);
    url.query_pairs_mut()
        .append_pair("protocol", "7")
        .append_pair("client", "tidings")
        .append_pair("version", env!("CARGO_PKG_VERSION"))
        .append_pair("flash", "false");
    Some(url)
}

/// Whether an address looks like this family's.
pub(super) fn has_shape(base: &Url) -> bool {
    key(base).is_some() || is_hosted(base)
}

fn is_hosted(base: &Url) -> bool {
    base.host_str().is_some_and(|host| host.ends_with(HOSTED))
}

/// What gives the family away, in words; none if nothing does. A plain request is refused by all of them, each
/// in its own way, so the address's shape is the better half of it.
pub(super) fn recognise(pasted: &Url, probed: &Probed<'_>) -> Option<String> {
    let base = take_apart(pasted).base;
    if !has_shape(&base) {
        return None;
    }
    let key = key(&base);
    if is_hosted(&base) {
        return Some(match key {
            Some(_) => "It is an app at Pusher.".to_owned(),
            None => "It is a cluster of Pusher. The app's key has to be added.".to_owned(),
        });
    }
    let header = |wanted: &str| {
        probed
            .headers
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.to_ascii_lowercase())
    };
    let is_soketi = header("uwebsockets").is_some()
        && header("access-control-allow-headers").is_some_and(|it| it.contains("x-socket-id"));
    if is_soketi {
        return Some("It answers as Soketi, and the address has an app's key in it.".to_owned());
    }
    let is_page = header("content-type").is_some_and(|it| it.starts_with("text/html"));
    let meant_for_socket = matches!(pasted.scheme(), "ws" | "wss")
        || pasted.query_pairs().any(|(name, _)| name == "protocol");
    let is_refusal = matches!(probed.status, 400 | 404 | 405 | 426 | 500 | 501) && !is_page;
    (is_refusal || (meant_for_socket && !is_page)).then(|| {
        "The address has an app's key in it, as those of Pusher, Soketi and Reverb have.".to_owned()
    })
}

/// The address for HTTP, without user info, query and fragment.
fn web(pasted: &Url) -> Url {
    let scheme = match pasted.scheme() {
        "ws" => "http",
        "wss" => "https",
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
