//! Where an event belongs that does not say where it was published.

use url::Url;

/// Which of the topics an event is of whose payload names `said`; none where that cannot be told.
pub(super) fn belongs(topics: &[&str], said: &str) -> Option<usize> {
    let said = said.trim();
    if said.is_empty() {
        return None;
    }
    let exact = topics.iter().position(|topic| *topic == said);
    exact
        .or_else(|| topics.iter().position(|topic| path(topic) == Some(said)))
        .or_else(|| {
            topics
                .iter()
                .position(|topic| *topic != "*" && fits(topic, said))
        })
}

/// Which of the topics takes what nobody else does.
pub(super) fn rest(topics: &[&str]) -> usize {
    topics
        .iter()
        .position(|topic| *topic == "*")
        .unwrap_or_default()
}

/// The path of a topic that is an address: payloads often name only that.
fn path(topic: &str) -> Option<&str> {
    let url = Url::parse(topic).ok().filter(Url::has_host)?;
    let after = topic.split_once("://")?.1;
    let slash = after.find('/')?;
    (url.path() != "/").then(|| &after[slash..])
}

/// Whether a URI template or a URL pattern could have made this: each variable stands for at least one character
/// without a slash, each `*` for anything.
fn fits(pattern: &str, said: &str) -> bool {
    let pieces = pieces(pattern);
    let is_pattern = pieces.iter().any(|piece| !matches!(piece, Piece::Text(_)));
    is_pattern && matches(&pieces, said)
}

enum Piece {
    Text(String),
    Variable,
    Anything,
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = pattern;
    let flush = |text: &mut String, pieces: &mut Vec<Piece>| {
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(text)));
        }
    };
    while let Some(c) = rest.chars().next() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if let Some((_, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            flush(&mut text, &mut pieces);
            pieces.push(Piece::Variable);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('*') {
            flush(&mut text, &mut pieces);
            pieces.push(Piece::Anything);
            rest = after;
        } else if let Some(name) = rest
            .strip_prefix("/:")
            .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        {
            text.push('/');
            flush(&mut text, &mut pieces);
            pieces.push(Piece::Variable);
            rest = name.trim_start_matches(is_name);
        } else {
            text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    flush(&mut text, &mut pieces);
    pieces
}

/// Each gap takes as little as it can; the last text must be at the end.
fn matches(pieces: &[Piece], said: &str) -> bool {
    let mut rest = said;
    let mut gap: Option<bool> = None;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Variable => gap = Some(gap.unwrap_or_default()),
            Piece::Anything => gap = Some(true),
            Piece::Text(text) => {
                let is_last = at + 1 == pieces.len();
                let gap = gap.take();
                let found = match (gap, is_last) {
                    (None, _) => rest.starts_with(text.as_str()).then_some(0),
                    (Some(_), true) => rest
                        .ends_with(text.as_str())
                        .then(|| rest.len() - text.len()),
                    (Some(_), false) => rest.find(text.as_str()),
                };
                let Some(found) = found else { return false };
                if gap == Some(false) && !is_segment(&rest[..found]) {
                    return false;
                }
                rest = &rest[found + text.len()..];
            }
        }
    }
    match gap {
        None => rest.is_empty(),
        Some(true) => true,
        Some(false) => is_segment(rest),
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.contains('/')
}
