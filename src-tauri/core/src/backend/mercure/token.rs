//! Tokens that come from an address of their user's application: found in its answer, and looked into only to
//! see how long they last. Nothing is verified here; that is the hub's part.

use super::dialect::header;
use crate::model::Hidden;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

/// Members of an answer that hold a token, where nothing else is said.
const MEMBERS: [&str; 7] = [
    "token",
    "access_token",
    "accessToken",
    "jwt",
    "mercure_token",
    "mercureToken",
    "subscriber_token",
];
/// Cookies in which applications hand tokens to browsers (0.x, 1.0).
const COOKIES: [&str; 2] = ["mercureAuthorization", "__Secure-mercure_access_token"];
/// The longest token that fits the header limits of usual servers, in bytes.
const LONGEST: usize = 16 * 1024;
/// A token is renewed so long before its end, at least and at most.
const EARLY: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(5));

/// A token and how long it lasts.
#[derive(Debug)]
pub(super) struct Token {
    /// What signs in.
    pub text: Hidden,
    /// From now on; none: not known, or for ever.
    pub lasts: Option<Duration>,
}

impl Token {
    /// When to have the next one; none: when the hub refuses this one.
    pub(super) fn renew_after(&self) -> Option<Duration> {
        let lasts = self.lasts?;
        let early = (lasts / 10).clamp(EARLY.0, EARLY.1).min(lasts / 2);
        Some(lasts.saturating_sub(early)).filter(|time| !time.is_zero())
    }
}

/// The token in an answer: where `pointer` leads (RFC 6901), else in a member or cookie of a usual name, else
/// the whole body.
pub(super) fn find(
    headers: &[(String, String)],
    body: &str,
    pointer: &str,
    now: Timestamp,
) -> Option<Token> {
    let json: Option<Value> = serde_json::from_str(body).ok();
    let text = if pointer.is_empty() {
        json.as_ref()
            .and_then(usual)
            .or_else(|| cookie(headers))
            .or_else(|| bare(body, json.as_ref()))
    } else {
        json.as_ref()?.pointer(pointer)?.as_str().map(str::to_owned)
    }?;
    let text = text.trim();
    let is_token = !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_token.then(|| Token {
        lasts: lasts(text, now).or_else(|| expires_in(json.as_ref())),
        text: Hidden(text.to_owned()),
    })
}

fn usual(json: &Value) -> Option<String> {
    MEMBERS
        .iter()
        .find_map(|name| json.get(name)?.as_str())
        .or_else(|| json.as_str())
        .map(str::to_owned)
}

fn cookie(headers: &[(String, String)]) -> Option<String> {
    let set = headers.iter().filter(|(name, _)| name == "set-cookie");
    set.filter_map(|(_, cookie)| cookie.split(';').next()?.split_once('='))
        .find(|(name, value)| COOKIES.contains(&name.trim()) && !value.trim().is_empty())
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

/// A body that is nothing but a JWT.
fn bare(body: &str, json: Option<&Value>) -> Option<String> {
    (json.is_none() && claims(body.trim()).is_some()).then(|| body.to_owned())
}

/// RFC 6749, 5.1.
fn expires_in(json: Option<&Value>) -> Option<Duration> {
    json?
        .get("expires_in")?
        .as_u64()
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
}

fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

/// How long a JWT lasts (RFC 7519, 4.1.4). Between its two times where it has both: they are of one clock,
/// which may not be ours.
fn lasts(token: &str, now: Timestamp) -> Option<Duration> {
    let claims = claims(token)?;
    #[expect(clippy::cast_possible_truncation, reason = "a time; a cast saturates")]
    let seconds = |name: &str| {
        let value = claims.get(name)?;
        value.as_i64().or_else(|| Some(value.as_f64()? as i64))
    };
    let from = seconds("iat").unwrap_or_else(|| now.as_second());
    let left = seconds("exp")?.saturating_sub(from);
    u64::try_from(left)
        .ok()
        .filter(|left| *left > 0)
        .map(Duration::from_secs)
}

/// Whether a page came where a token should be: of this network, or of a session that is over.
pub(super) fn is_page(headers: &[(String, String)], body: &str) -> bool {
    header(headers, "content-type").is_some_and(|value| value.contains("html"))
        || body.trim_start().starts_with('<')
}
