//! Signing in: a password becomes a client token, and so does what an identity provider says in the browser.

use super::{address, refusal};
use crate::backend::{Browser, BrowserPage, Failure, FailureKind, Server};
use crate::model::{Body, HttpRequest, Method};
use serde_json::{Value, json};
use url::Url;

/// What client tokens of Gotify 3 begin with.
const NEW_CLIENT_TOKEN: &str = "gtfyc.";
/// What every new token of Gotify 3 begins with.
const NEW_TOKEN: &str = "gtfy";

/// A token of Gotify says by its beginning what it is for: `A` and `C` with 14 more in Gotify 2, words in
/// Gotify 3.
pub(super) fn check_token(token: &str) -> Result<(), String> {
    let is_application = token.len() == 15 && token.starts_with('A');
    let is_new = token.starts_with(NEW_TOKEN) && token.contains('.');
    if is_application || (is_new && !token.starts_with(NEW_CLIENT_TOKEN)) {
        return Err(
            "This is an application token, which can only send. Enter a client token (it begins with C, or \
             with gtfyc.): Gotify's web page makes one under Clients."
                .to_owned(),
        );
    }
    Ok(())
}

fn post(server: &Server, steps: &[&str], body: &Value) -> HttpRequest {
    HttpRequest {
        body: Body::Bytes {
            media_type: "application/json".to_owned(),
            bytes: body.to_string().into_bytes(),
        },
        ..HttpRequest::new(Method::Post, address::below(&server.base, steps))
    }
}

/// A new client of this device's own. Gotify 3 forgets clients that are not used for a while unless it is
/// told otherwise; Gotify 2 does not know that member.
pub(super) fn exchange(server: &Server, device: &str) -> HttpRequest {
    let body = json!({"name": device, "expiresAfterInactivitySeconds": 0});
    post(server, &["client"], &body)
}

/// The new client's token.
pub(super) fn exchanged(status: u16, body: &str) -> Result<String, Failure> {
    match status {
        200 => token(body),
        401 => Err(Failure {
            kind: FailureKind::SignIn,
            says: "The server did not accept the user name and password. Check them; where it signs people \
                   in with an identity provider only, sign in in the browser."
                .to_owned(),
            retry_after: None,
        }),
        status => Err(refusal::failure(status, None, body, false)),
    }
}

/// The new client's number.
pub(super) fn made(body: &str) -> String {
    let answer: Option<Value> = serde_json::from_str(body).ok();
    let id = answer.and_then(|answer| answer.get("id")?.as_u64());
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn token(body: &str) -> Result<String, Failure> {
    let answer: Option<Value> = serde_json::from_str(body).ok();
    let token = answer
        .as_ref()
        .and_then(|answer| answer.get("token")?.as_str());
    match token {
        Some(token) if !token.is_empty() => Ok(token.to_owned()),
        _ => Err(refusal::wrong_address()),
    }
}

/// The sign-in in the browser of Gotify 3: the server speaks to the identity provider, and the browser comes
/// back to this computer (RFC 8252, 7.3).
pub(super) struct InBrowser;

impl Browser for InBrowser {
    fn begin(&self, server: &Server, device: &str, redirect: &Url, challenge: &str) -> HttpRequest {
        let body = json!({
            "code_challenge": challenge,
            "redirect_uri": redirect.as_str(),
            "name": device,
        });
        post(server, &["auth", "oidc", "external", "authorize"], &body)
    }

    fn page(&self, status: u16, body: &str) -> Result<BrowserPage, Failure> {
        match status {
            200 => {
                let answer: Option<Value> = serde_json::from_str(body).ok();
                let text = |member: &str| {
                    let text = answer.as_ref()?.get(member)?.as_str()?;
                    (!text.is_empty()).then(|| text.to_owned())
                };
                let page = text("authorize_url")
                    .and_then(|url| Url::parse(&url).ok())
                    .filter(|url| matches!(url.scheme(), "https" | "http"))
                    .zip(text("state"));
                match page {
                    Some((url, state)) => Ok(BrowserPage { url, state }),
                    None => Err(refusal::wrong_address()),
                }
            }
            404 | 405 => Err(Failure {
                kind: FailureKind::Forbidden,
                says: "This server does not sign people in in the browser. That needs Gotify 3 with an \
                       identity provider. Sign in with user name and password, or with a client token."
                    .to_owned(),
                retry_after: None,
            }),
            status => Err(refusal::failure(status, None, body, false)),
        }
    }

    fn token(&self, server: &Server, code: &str, state: &str, verifier: &str) -> HttpRequest {
        let body = json!({"code": code, "state": state, "code_verifier": verifier});
        post(server, &["auth", "oidc", "external", "token"], &body)
    }

    fn signed_in(&self, status: u16, body: &str) -> Result<String, Failure> {
        let says = match status {
            200 => return token(body),
            400 => "The sign-in took too long, so the server has forgotten it. Begin anew.",
            401 => {
                "The identity provider did not confirm the sign-in. Begin anew; if it happens again, the \
                 server's owner has to look at its settings for the provider."
            }
            403 => {
                "The identity provider knows you, but this server has no such user and makes none by itself. \
                 Ask its owner to add you."
            }
            status => return Err(refusal::failure(status, None, body, false)),
        };
        Err(Failure {
            kind: FailureKind::SignIn,
            says: says.to_owned(),
            retry_after: None,
        })
    }
}
