//! Requests as a profile describes them.

use super::profile::{Login, Parts};
use super::template::{Place, Values};
use crate::backend::payload;
use crate::model::{Body, Hidden, HttpRequest, Method, Sign};
use jiff::Timestamp;
use url::Url;

/// Where a described address leads: a path is below the account's address, an address stands for itself,
/// nothing is the account's address.
pub(super) fn address(base: &Url, written: &str) -> Result<Url, String> {
    let wrong = || format!("\"{written}\" is no address. One looks like /api/events or https://….");
    if written.is_empty() {
        return Ok(base.clone());
    }
    let url = if written.starts_with('/') && !written.starts_with("//") {
        let mut below = base.clone();
        below.set_query(None);
        let folder = below.path().trim_end_matches('/').to_owned();
        let (path, query) = match written.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (written, None),
        };
        below.set_path(&format!("{folder}{path}"));
        below.set_query(query);
        below
    } else {
        base.join(written).map_err(|_| wrong())?
    };
    match of_web(url) {
        Some(url) if url.host().is_some() => Ok(url),
        _ => Err(wrong()),
    }
}

/// The same address as a request to a web server.
pub(super) fn of_web(mut url: Url) -> Option<Url> {
    let scheme = match url.scheme() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => return None,
    };
    url.set_scheme(scheme).ok()?;
    url.set_fragment(None);
    Some(url)
}

/// A request with its names filled in. What has a name without a value is left out; `topics` are those that
/// a parameter with `{topic}` is repeated for.
pub(super) fn request(
    base: &Url,
    parts: &Parts<'_>,
    values: &Values<'_>,
    topics: &[&str],
) -> Result<HttpRequest, String> {
    let written = parts.url.fill(values, Place::Address).ok_or_else(|| {
        format!(
            "\"{}\" asks for something that is not there.",
            parts.url.as_str()
        )
    })?;
    let mut url = address(base, &written)?;
    for (name, template) in parts.query {
        let each: Vec<Values<'_>> = if template.names("topic") && values.topic.is_none() {
            topics
                .iter()
                .map(|topic| Values {
                    topic: Some(topic),
                    ..*values
                })
                .collect()
        } else {
            vec![*values]
        };
        for values in each {
            if let Some(text) = template.fill(&values, Place::Plain) {
                url.query_pairs_mut().append_pair(name, &text);
            }
        }
    }
    let has_body = !parts.body.as_str().is_empty();
    let method = match parts.method {
        Some(verb) => verb.into(),
        None if has_body => Method::Post,
        None => Method::Get,
    };
    let mut request = HttpRequest::new(method, url);
    for (name, template) in parts.headers {
        if let Some(text) = template.fill(values, Place::Plain) {
            request = request.header(name, text);
        }
    }
    if has_body {
        let text = parts
            .body
            .fill(values, Place::of(parts.media_type))
            .ok_or_else(|| "The body asks for something that is not there.".to_owned())?;
        let media_type = parts.media_type.to_owned();
        request.body = if parts.body.is_secret() {
            Body::SignIn {
                media_type,
                template: text,
            }
        } else {
            Body::Bytes {
                media_type,
                bytes: text.into_bytes(),
            }
        };
    }
    Ok(request)
}

/// Where a described request leads, for a first look: names stand for themselves.
pub(super) fn possible(base: &Url, parts: &Parts<'_>) -> Result<Url, String> {
    let values = Values {
        topic: Some("x"),
        topics: Some("x"),
        token: Some("x"),
        position: Some("x"),
        page: Some("x"),
        last: Some("x"),
        since: Some(Timestamp::UNIX_EPOCH),
        id: Some("x"),
    };
    let written = parts.url.fill(&values, Place::Address).unwrap_or_default();
    address(base, &written)
}

/// The request that signs in. With the secret in its body, nothing else signs it.
pub(super) fn login(base: &Url, login: &Login, values: &Values<'_>) -> Result<HttpRequest, String> {
    let mut request = request(base, &login.parts(), values, &[])?;
    if matches!(request.body, Body::SignIn { .. }) {
        request.sign = Sign::Nothing;
    }
    request.wants_head = !login.cookie.is_empty();
    Ok(request)
}

/// How requests are signed once a token is there.
pub(super) fn signed(login: &Login, token: &Hidden) -> Sign {
    if login.by_name {
        // The account's own credential is for where the token comes from.
        Sign::Nothing
    } else if !login.cookie.is_empty() {
        Sign::Header {
            name: "Cookie".to_owned(),
            value: Hidden(format!("{}={}", login.cookie, token.0)),
        }
    } else if !login.header.is_empty() {
        Sign::Header {
            name: login.header.clone(),
            value: Hidden(format!("{}{}", login.prefix, token.0)),
        }
    } else {
        Sign::Bearer(token.clone())
    }
}

/// The cookie that an answer sets as a token.
pub(super) fn cookie(login: &Login, headers: &[(String, String)]) -> Option<Hidden> {
    headers
        .iter()
        .filter(|(name, _)| !login.cookie.is_empty() && name == "set-cookie")
        .find_map(|(_, cookie)| {
            let (name, value) = cookie.split(';').next()?.split_once('=')?;
            (name.trim() == login.cookie).then(|| Hidden(value.trim().to_owned()))
        })
}

/// The token in an answer.
pub(super) fn token(login: &Login, body: &str) -> Option<Hidden> {
    let pointer = login.token.as_ref()?;
    let token = match payload::json(body) {
        Some(value) => payload::word(payload::at(&value, pointer)?.as_ref())?,
        None if pointer.is_empty() => body.trim().to_owned(),
        None => return None,
    };
    let sendable = !token.is_empty() && !token.chars().any(char::is_control);
    sendable.then_some(Hidden(token))
}

/// For how many seconds the token is good.
pub(super) fn expires_in(login: &Login, body: &str) -> Option<u64> {
    let value = payload::json(body)?;
    let seconds = payload::at(&value, login.expires_in.as_ref()?)?;
    let seconds = payload::word(&seconds)?.parse::<f64>().ok()?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what fits"
    )]
    (seconds >= 1.0).then(|| seconds.min(1e9) as u64)
}
