//! Addresses, and how a hub is found.

use super::dialect::{self, Dialect, header};
use super::options::Options;
use crate::backend::{Address, Found, Probed};
use crate::model::HttpRequest;
use url::Url;

/// Where hubs live, below their server or a folder of it.
const WELL_KNOWN: &str = "/.well-known/mercure";
/// The longest topic (1.0).
const LONGEST_TOPIC: usize = 4096;

/// A pasted address taken apart. One without a path, or with a `/` at its end, is the folder of a hub; any other
/// is the hub itself.
pub(super) fn take_apart(pasted: &Url) -> Address {
    let mut topics = Vec::new();
    let mut options = Options::default();
    for (name, value) in pasted.query_pairs() {
        match name.as_ref() {
            "topic" => topics.push(value.into_owned()),
            "match" | "match_urlpattern" => {
                options.dialect = Some(Dialect::One);
                topics.push(value.into_owned());
            }
            _ => {}
        }
    }
    Address {
        base: hub(pasted),
        topics,
        options: options.text(),
    }
}

fn hub(pasted: &Url) -> Url {
    let mut url = bare(pasted);
    let path = url.path().to_owned();
    if let Some(at) = path.find(WELL_KNOWN) {
        // What follows is the API of subscriptions.
        url.set_path(&path[..at + WELL_KNOWN.len()]);
    } else if let Some(folder) = path.strip_suffix('/') {
        url.set_path(&format!("{folder}{WELL_KNOWN}"));
    }
    url
}

/// Without query, fragment and user info, as http or https.
fn bare(pasted: &Url) -> Url {
    let mut url = pasted.clone();
    url.set_query(None);
    url.set_fragment(None);
    // These fail only where there is nothing to remove or to change.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    match url.scheme() {
        "ws" => with_scheme(&url, "http"),
        "wss" => with_scheme(&url, "https"),
        _ => url,
    }
}

fn with_scheme(url: &Url, scheme: &str) -> Url {
    let rest = url.as_str().split_once(':').map_or("", |(_, rest)| rest);
    Url::parse(&format!("{scheme}:{rest}")).unwrap_or_else(|_| url.clone())
}

/// What is asked: the page itself, which may name its hub, and where a hub would be.
pub(super) fn probes(pasted: &Url) -> Vec<HttpRequest> {
    let mut page = pasted.clone();
    page.set_fragment(None);
    let mut folder = bare(pasted);
    if !folder.path().ends_with('/') && !folder.path().contains(WELL_KNOWN) {
        folder.set_path(&format!("{}/", folder.path()));
    }
    let mut root = bare(pasted);
    root.set_path("/");
    let mut urls = vec![hub(&folder), hub(&root)];
    // A hub that is pasted with its topics would only be asked for its stream.
    if !page.path().contains(WELL_KNOWN) && matches!(page.scheme(), "http" | "https") {
        urls.insert(0, page);
    }
    let mut requests = Vec::<HttpRequest>::new();
    for url in urls {
        let request = HttpRequest::get(url);
        if !requests.contains(&request) {
            requests.push(request);
        }
    }
    requests
}

/// Whether a hub answered, or a page that names one.
pub(super) fn recognise(pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
    if let Some(found) = named(probed) {
        return Some(found);
    }
    let (dialect, says) = hub_answers(probed)?;
    let pasted = take_apart(pasted);
    let options = Options {
        dialect: dialect.or_else(|| Options::read(&pasted.options).ok()?.dialect),
        ..Options::default()
    };
    Some(Found {
        address: Address {
            base: bare(probed.url),
            topics: pasted.topics,
            options: options.text(),
        },
        says: says.to_owned(),
    })
}

/// What gives a hub away that was asked for no topic, and its dialect.
fn hub_answers(probed: &Probed<'_>) -> Option<(Option<Dialect>, &'static str)> {
    let body = probed.body.to_ascii_lowercase();
    let media_type = header(probed.headers, "content-type").unwrap_or_default();
    let is_there = probed.url.path().ends_with(WELL_KNOWN);
    let is_page = body.trim_start().starts_with(['<', '{']);
    match probed.status {
        400 if body.contains("missing \"topic\"") || is_there && !is_page => {
            let dialect = dialect::wanted(&body)?;
            let says = match dialect {
                Dialect::Zero => "It asks for a topic, as Mercure hubs do.",
                Dialect::One => "It asks for a topic, as Mercure hubs do from 1.0 on.",
            };
            Some((Some(dialect), says))
        }
        401 if is_there => match header(probed.headers, "www-authenticate") {
            Some(challenge) => challenge.contains("resource_metadata").then_some((
                Some(Dialect::One),
                "It asks for a token, as Mercure hubs do from 1.0 on.",
            )),
            None => (body.contains("unauthorized") && !media_type.contains("json")).then_some((
                Some(Dialect::Zero),
                "It asks for a token where Mercure hubs do.",
            )),
        },
        200 if is_there => dialect::is_event_stream(probed.headers)
            .then_some((None, "It answers with events where Mercure hubs do.")),
        _ => None,
    }
}

/// The hub that a page names (RFC 8288), with its own topic and where it stood.
fn named(probed: &Probed<'_>) -> Option<Found> {
    let links: Vec<Link> = probed
        .headers
        .iter()
        .filter(|(name, _)| name == "link")
        .flat_map(|(_, value)| links(value))
        .collect();
    let link = links.iter().find(|link| link.is("mercure"))?;
    let hub = probed.url.join(&link.target).ok()?;
    if !matches!(hub.scheme(), "http" | "https") {
        return None;
    }
    let taken = take_apart(&hub);
    let topic = links
        .iter()
        .find(|link| link.is("self"))
        .map(|link| link.target.as_str())
        .or_else(|| header(probed.headers, "content-location"))
        .and_then(|target| probed.url.join(target).ok())
        .unwrap_or_else(|| probed.url.clone());
    let topics = if taken.topics.is_empty() {
        vec![topic.into()]
    } else {
        taken.topics
    };
    let options = Options {
        last_event_id: link
            .parameter("last-event-id")
            .filter(|id| !id.chars().any(char::is_control))
            .unwrap_or_default()
            .to_owned(),
        ..Options::read(&taken.options).unwrap_or_default()
    };
    let base = bare(&hub);
    Some(Found {
        says: format!(
            "The page names its Mercure hub, {}.",
            base.host_str().unwrap_or_default()
        ),
        address: Address {
            base,
            topics,
            options: options.text(),
        },
    })
}

/// A link of a header.
struct Link {
    target: String,
    parameters: Vec<(String, String)>,
}

impl Link {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn is(&self, relation: &str) -> bool {
        self.parameter("rel").is_some_and(|relations| {
            relations
                .split_ascii_whitespace()
                .any(|known| known.eq_ignore_ascii_case(relation))
        })
    }
}

/// The links of a header (RFC 8288, appendix B).
fn links(header: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else {
            break;
        };
        let mut link = Link {
            target: target.trim().to_owned(),
            parameters: Vec::new(),
        };
        rest = after.trim_start();
        while let Some(after) = rest.strip_prefix(';') {
            let (name, value, after) = parameter(after.trim_start());
            if !name.is_empty() && link.parameter(&name).is_none() {
                link.parameters.push((name, value));
            }
            rest = after.trim_start();
        }
        links.push(link);
    }
    links
}

/// A parameter, its value and what follows.
fn parameter(text: &str) -> (String, String, &str) {
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let name = text[..end].trim().to_ascii_lowercase();
    let rest = text[end..].trim_start();
    let Some(value) = rest.strip_prefix('=').map(str::trim_start) else {
        return (name, String::new(), rest);
    };
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find([';', ',']).unwrap_or(value.len());
        return (name, value[..end].trim().to_owned(), &value[end..]);
    };
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (name, text, &quoted[at + 1..]),
            '\\' => text.extend(characters.next().map(|(_, c)| c)),
            c => text.push(c),
        }
    }
    (name, text, "")
}

pub(super) fn check_topic(topic: &str) -> Result<(), String> {
    if topic.trim().is_empty() {
        return Err("A topic needs a name; on most hubs it looks like a web address.".to_owned());
    }
    if topic.len() > LONGEST_TOPIC {
        return Err(format!(
            "A topic can be at most {LONGEST_TOPIC} bytes long."
        ));
    }
    if topic.chars().any(char::is_control) {
        return Err(
            "A topic cannot have line breaks or other control characters in it.".to_owned(),
        );
    }
    Ok(())
}
