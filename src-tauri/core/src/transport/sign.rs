//! Signing requests in: where the credential goes.

use super::http::Purpose;
use super::{Route, TransportError};
use crate::model::{Body, HttpRequest, Sign, SignIn};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::form_urlencoded;

/// Whether a secret goes with this request, so that it may not go over cleartext.
pub(super) fn signs(request: &HttpRequest, route: &Route) -> bool {
    let credential = &route.credential;
    match &request.sign {
        Sign::Nothing => matches!(request.body, Body::SignIn { .. }),
        Sign::Bearer(_) | Sign::Header { .. } => true,
        Sign::Account => {
            !credential.headers.is_empty()
                || match route.sign_in {
                    SignIn::None => false,
                    SignIn::Basic { .. } => true,
                    _ => credential.secret.is_some(),
                }
        }
    }
}

/// The headers of a request, signed in.
pub(super) fn headers(
    request: &HttpRequest,
    route: &Route,
    purpose: Purpose,
) -> Result<HeaderMap, TransportError> {
    let mut headers = HeaderMap::new();
    let credential = &route.credential;
    for (name, text) in &request.headers {
        put(&mut headers, name, text)?;
    }
    // A proxy in front of the account's servers wants its headers with every request to them, a login too.
    if request.sign != Sign::Nothing || matches!(request.body, Body::SignIn { .. }) {
        for (name, text) in &credential.headers {
            put(&mut headers, name, text)?;
        }
    }
    match &request.sign {
        Sign::Nothing => {}
        Sign::Bearer(token) => put(
            &mut headers,
            header::AUTHORIZATION.as_str(),
            &format!("Bearer {}", token.0),
        )?,
        Sign::Header { name, value } => put(&mut headers, name, &value.0)?,
        Sign::Account => account(&mut headers, route, purpose)?,
    }
    Ok(headers)
}

fn account(headers: &mut HeaderMap, route: &Route, purpose: Purpose) -> Result<(), TransportError> {
    let authorization = header::AUTHORIZATION.as_str();
    let secret = route.credential.secret.as_deref();
    match (&route.sign_in, secret) {
        (SignIn::Basic { user }, password) => {
            let password = password.unwrap_or_default();
            let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
            put(headers, authorization, &format!("Basic {pair}"))
        }
        (SignIn::Token, Some(token)) => put(headers, authorization, &format!("Bearer {token}")),
        (SignIn::Header { name }, Some(secret)) => put(headers, name, secret),
        (SignIn::Cookie { name }, Some(secret)) => put(
            headers,
            header::COOKIE.as_str(),
            &format!("{name}={secret}"),
        ),
        (SignIn::Subprotocol { prefix }, Some(secret)) if purpose == Purpose::Upgrade => {
            let name = header::SEC_WEBSOCKET_PROTOCOL.as_str();
            let asked = headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map_or_else(String::new, |value| format!("{value}, "));
            put(headers, name, &format!("{asked}{prefix}{secret}"))
        }
        // In the address, in a message of the conversation, or nowhere.
        _ => Ok(()),
    }
}

fn put(headers: &mut HeaderMap, name: &str, text: &str) -> Result<(), TransportError> {
    let mut value = value(name, text)?;
    value.set_sensitive(true);
    let name = HeaderName::try_from(name).map_err(|_| unsendable("a header's name"))?;
    headers.insert(name, value);
    Ok(())
}

pub(super) fn value(name: &str, text: &str) -> Result<HeaderValue, TransportError> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| unsendable(name))
}

fn unsendable(what: &str) -> TransportError {
    TransportError::Connect(format!(
        "{what} has characters that cannot be sent; enter it anew"
    ))
}

/// A template with the user name for `{user}` and the secret for `{secret}`, escaped for its media type.
pub(super) fn filled_in(template: &str, media_type: &str, route: &Route) -> String {
    let user = match &route.sign_in {
        SignIn::Basic { user } => user.as_str(),
        _ => "",
    };
    let secret = route.credential.secret.as_deref().unwrap_or_default();
    let escape = |text: &str| {
        if media_type.contains("json") {
            let quoted = serde_json::Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        } else if media_type.contains("form-urlencoded") {
            form_urlencoded::byte_serialize(text.as_bytes()).collect()
        } else {
            text.to_owned()
        }
    };
    // Left to right, so that a secret with a brace in it is not read as a template.
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{user}") {
            text.push_str(&escape(user));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("{secret}") {
            text.push_str(&escape(secret));
            rest = after;
        } else {
            text.push('{');
            rest = &rest[1..];
        }
    }
    text.push_str(rest);
    text
}
