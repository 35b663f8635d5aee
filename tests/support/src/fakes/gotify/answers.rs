//! What is answered.

use super::state::{Client, Pending, Who};
use super::{Shared, Version, lock, stream};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use url::form_urlencoded;

/// What a client that came by the browser may be silent, in seconds.
const WEEK: i64 = 7 * 86_400;

type Server = State<Arc<Shared>>;
/// A status, and words for it.
pub(super) type Refused = (u16, &'static str);

/// Gotify's form of an error.
pub(super) fn error(status: u16, description: &str) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({
        "error": code.canonical_reason().unwrap_or_default(),
        "errorCode": status,
        "errorDescription": description,
    });
    (code, Json(body)).into_response()
}

fn member(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    let (_, value) = pairs.find(|(known, _)| known == name)?;
    Some(value.into_owned())
}

/// Who asks: query, `X-Gotify-Key`, `Authorization`.
fn who(shared: &Shared, headers: &HeaderMap, query: Option<&str>) -> Option<Who> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text("authorization").unwrap_or_default();
    let store = lock(&shared.store);
    if let Some(pair) = authorization.strip_prefix("Basic ") {
        let pair = String::from_utf8(BASE64_STANDARD.decode(pair).ok()?).ok()?;
        let (name, password) = pair.split_once(':')?;
        return store.by_password(name, password);
    }
    let token = member(query, "token")
        .or_else(|| text("x-gotify-key").map(str::to_owned))
        .or_else(|| authorization.strip_prefix("Bearer ").map(str::to_owned))?;
    store.by_token(&token)
}

const NOBODY: &str =
    "you need to provide a valid access token or user credentials to access this api";
const NOT_YOU: &str = "you are not allowed to access this api";

/// The user who asks, by password or by a client, and the client's token.
pub(super) fn signed_in_as_client(
    shared: &Shared,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<(i64, String), Refused> {
    match who(shared, headers, query) {
        Some(Who::User(user)) => Ok((user, String::new())),
        Some(Who::Client(client)) => Ok((client.user, client.token)),
        // An application is nobody here.
        Some(Who::Application(_)) | None => Err((401, NOBODY)),
    }
}

/// The same for what Gotify 3 does only after the password was confirmed.
fn elevated(shared: &Shared, headers: &HeaderMap, query: Option<&str>) -> Result<i64, Refused> {
    match who(shared, headers, query) {
        Some(Who::User(user)) => Ok(user),
        Some(Who::Client(client)) if client.elevated || shared.settings.version == Version::Two => {
            Ok(client.user)
        }
        Some(Who::Client(_)) => Err((403, "session not elevated")),
        _ => Err((401, NOBODY)),
    }
}

pub(super) async fn file(State(shared): Server, OriginalUri(uri): OriginalUri) -> Response {
    let file = lock(&shared.files).get(uri.path()).cloned();
    match file {
        Some((media_type, bytes)) => ([("content-type", media_type)], bytes).into_response(),
        None => error(404, "page not found"),
    }
}

pub(super) async fn version(State(shared): Server) -> Response {
    let version = match shared.settings.version {
        Version::Two => "2.6.1",
        Version::Three => "3.0.0",
    };
    Json(json!({"version": version, "commit": "0000000", "buildDate": "2026-07-01-00:00:00"}))
        .into_response()
}

pub(super) async fn info() -> Response {
    Json(json!({"version": "3.0.0", "register": false, "oidc": true})).into_response()
}

pub(super) async fn health() -> Response {
    Json(json!({"health": "green", "database": "green"})).into_response()
}

pub(super) async fn current_user(
    State(shared): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match signed_in_as_client(&shared, &headers, query.as_deref()) {
        Ok((user, _)) => user_view(&shared, user).into_response(),
        Err((status, words)) => error(status, words),
    }
}

fn user_view(shared: &Shared, user: i64) -> Json<Value> {
    let store = lock(&shared.store);
    let found = store.users.iter().find(|(id, ..)| *id == user);
    let name = found.map_or("", |(_, name, _)| name);
    Json(json!({"id": user, "name": name, "admin": true}))
}

fn client_view(shared: &Shared, client: &Client, token: &str) -> Value {
    let mut view = json!({
        "id": client.id, "token": token, "name": client.name, "lastUsed": null,
    });
    if shared.settings.version == Version::Three {
        view["expiresAfterInactivitySeconds"] = client.expires_after.into();
        view["expiresAt"] = Value::Null;
    }
    view
}

pub(super) async fn clients(
    State(shared): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let (user, _) = match signed_in_as_client(&shared, &headers, query.as_deref()) {
        Ok(who) => who,
        Err((status, words)) => return error(status, words),
    };
    let store = lock(&shared.store);
    let own = store.clients.iter().filter(|client| client.user == user);
    let views: Vec<_> = own
        .map(|client| {
            let token = match shared.settings.version {
                Version::Two => client.token.as_str(),
                Version::Three => "",
            };
            client_view(&shared, client, token)
        })
        .collect();
    Json(views).into_response()
}

pub(super) async fn create_client(
    State(shared): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let (user, _) = match signed_in_as_client(&shared, &headers, query.as_deref()) {
        Ok(who) => who,
        Err((status, words)) => return error(status, words),
    };
    let sent = sent(&headers, &body);
    let Some(name) = sent["name"].as_str().filter(|name| !name.is_empty()) else {
        return error(400, "Field 'name' is required");
    };
    let expires = sent["expiresAfterInactivitySeconds"].as_i64().unwrap_or(0);
    let client = lock(&shared.store).add_client(user, name, expires);
    Json(client_view(&shared, &client, &client.token)).into_response()
}

pub(super) async fn delete_client(
    State(shared): Server,
    Path(id): Path<i64>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Err((status, words)) = elevated(&shared, &headers, query.as_deref()) {
        return error(status, words);
    }
    if lock(&shared.store).delete_client(id) {
        StatusCode::OK.into_response()
    } else {
        error(404, &format!("client with id {id} doesn't exists"))
    }
}

pub(super) async fn elevate(
    State(shared): Server,
    Path(id): Path<i64>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Err((status, words)) = elevated(&shared, &headers, query.as_deref()) {
        return error(status, words);
    }
    let mut store = lock(&shared.store);
    match store.clients.iter_mut().find(|client| client.id == id) {
        Some(client) => {
            client.elevated = true;
            StatusCode::NO_CONTENT.into_response()
        }
        None => error(404, &format!("client with id {id} doesn't exists")),
    }
}

pub(super) async fn applications(
    State(shared): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let (user, _) = match signed_in_as_client(&shared, &headers, query.as_deref()) {
        Ok(who) => who,
        Err((status, words)) => return error(status, words),
    };
    let images = lock(&shared.images).clone();
    let store = lock(&shared.store);
    let own = store.applications.iter().filter(|one| one.user == user);
    let views: Vec<_> = own
        .map(|one| {
            let token = match shared.settings.version {
                Version::Two => one.token.as_str(),
                Version::Three => "",
            };
            let image = images
                .get(&one.id)
                .map_or("static/defaultapp.png", String::as_str);
            let mut view = json!({
                "id": one.id, "token": token, "name": one.name, "description": "",
                "internal": false, "image": image,
                "defaultPriority": one.default_priority, "lastUsed": null,
            });
            if shared.settings.version == Version::Three {
                view["sortKey"] = format!("a{}", one.id).into();
            }
            view
        })
        .collect();
    Json(views).into_response()
}

pub(super) async fn delete_application(
    State(shared): Server,
    Path(id): Path<i64>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let user = match elevated(&shared, &headers, query.as_deref()) {
        Ok(user) => user,
        Err((status, words)) => return error(status, words),
    };
    let mut store = lock(&shared.store);
    if store.owner(id) == Some(user) {
        store.delete_application(id);
        StatusCode::OK.into_response()
    } else {
        error(404, &format!("app with id {id} doesn't exists"))
    }
}

fn page(
    shared: &Shared,
    headers: &HeaderMap,
    query: Option<&str>,
    application: Option<i64>,
) -> Response {
    let (user, _) = match signed_in_as_client(shared, headers, query) {
        Ok(who) => who,
        Err((status, words)) => return error(status, words),
    };
    let number = |name: &str, default: i64| match member(query, name) {
        Some(text) => text.parse().ok(),
        None => Some(default),
    };
    let limit = number("limit", 100).filter(|limit| (1..=200).contains(limit));
    let since = number("since", 0).filter(|since| *since >= 0);
    let (Some(limit), Some(since)) = (limit.and_then(|limit| usize::try_from(limit).ok()), since)
    else {
        return error(400, "Field 'limit' must be less or equal to 200");
    };
    let store = lock(&shared.store);
    if application.is_some_and(|id| store.owner(id) != Some(user)) {
        return error(404, "application does not exist");
    }
    let path = match application {
        Some(id) => format!("application/{id}/message"),
        None => "message".to_owned(),
    };
    // Relative to the server in Gotify 3, whole before.
    let here = match shared.settings.version {
        Version::Three => path,
        Version::Two => {
            let host = headers.get("host").and_then(|host| host.to_str().ok());
            let folder = &shared.settings.folder;
            format!("http://{}{folder}/{path}", host.unwrap_or_default())
        }
    };
    Json(store.page(user, application, limit, since, &here)).into_response()
}

pub(super) async fn messages(
    State(shared): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    page(&shared, &headers, query.as_deref(), None)
}

pub(super) async fn messages_of(
    State(shared): Server,
    Path(id): Path<i64>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    page(&shared, &headers, query.as_deref(), Some(id))
}

fn delete_all(
    shared: &Shared,
    headers: &HeaderMap,
    query: Option<&str>,
    application: Option<i64>,
) -> Response {
    let (user, _) = match signed_in_as_client(shared, headers, query) {
        Ok(who) => who,
        Err((status, words)) => return error(status, words),
    };
    let mut store = lock(&shared.store);
    if application.is_some_and(|id| store.owner(id) != Some(user)) {
        return error(404, "application does not exists");
    }
    let own: Vec<_> = store
        .applications
        .iter()
        .filter(|one| one.user == user && application.is_none_or(|id| id == one.id))
        .map(|one| one.id)
        .collect();
    let is_own = |message: &Value| own.iter().any(|id| message["appid"] == *id);
    store.messages.retain(|_, message| !is_own(message));
    StatusCode::OK.into_response()
}

pub(super) async fn delete_messages(
    State(shared): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    delete_all(&shared, &headers, query.as_deref(), None)
}

pub(super) async fn delete_messages_of(
    State(shared): Server,
    Path(id): Path<i64>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    delete_all(&shared, &headers, query.as_deref(), Some(id))
}

pub(super) async fn delete_message(
    State(shared): Server,
    Path(id): Path<i64>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let (user, _) = match signed_in_as_client(&shared, &headers, query.as_deref()) {
        Ok(who) => who,
        Err((status, words)) => return error(status, words),
    };
    let mut store = lock(&shared.store);
    let of = store
        .messages
        .get(&id)
        .and_then(|message| message["appid"].as_i64());
    if of.and_then(|of| store.owner(of)) == Some(user) {
        store.messages.remove(&id);
        StatusCode::OK.into_response()
    } else {
        error(404, "message does not exist")
    }
}

/// A body as JSON, also where it came as a form.
fn sent(headers: &HeaderMap, body: &[u8]) -> Value {
    let media_type = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    if media_type.is_some_and(|media_type| media_type.contains("urlencoded")) {
        let pairs = form_urlencoded::parse(body);
        let pairs = pairs.map(|(name, value)| {
            let number = value.parse::<i64>().ok().filter(|_| name == "priority");
            (
                name.into_owned(),
                number.map_or(Value::from(&*value), Value::from),
            )
        });
        return Value::Object(pairs.collect());
    }
    serde_json::from_slice(body).unwrap_or_default()
}

pub(super) async fn create_message(
    State(shared): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let sent = sent(&headers, &body);
    let user = match who(&shared, &headers, query.as_deref()) {
        None => return error(401, NOBODY),
        Some(Who::Application(id)) => Err(id),
        Some(Who::User(user)) => Ok(user),
        Some(Who::Client(client)) => Ok(client.user),
    };
    let application = match (user, shared.settings.version) {
        (Err(application), _) => application,
        (Ok(_), Version::Two) => return error(403, NOT_YOU),
        (Ok(user), Version::Three) => {
            let Some(id) = sent["appid"].as_i64() else {
                return error(400, "appid is required");
            };
            if lock(&shared.store).owner(id) != Some(user) {
                return error(404, "application does not exist");
            }
            id
        }
    };
    if sent["message"].as_str().is_none_or(str::is_empty) {
        return error(400, "Field 'message' is required");
    }
    let date = (shared.settings.now)();
    let message = lock(&shared.store).publish(application, &sent, &date);
    stream::notify(&shared, application, &message).await;
    Json(message).into_response()
}

pub(super) fn authorize(
    State(shared): Server,
    addr: SocketAddr,
    Json(sent): Json<Value>,
) -> Response {
    let text = |name: &str| sent[name].as_str().filter(|text| !text.is_empty());
    let (Some(challenge), Some(redirect), Some(name)) =
        (text("code_challenge"), text("redirect_uri"), text("name"))
    else {
        return error(400, "Field 'code_challenge' is required");
    };
    let mut store = lock(&shared.store);
    let state = format!("state{:035}", store.number());
    let pending = Pending {
        challenge: challenge.to_owned(),
        name: name.to_owned(),
        code: None,
    };
    store.pending.insert(state.clone(), pending);
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "gotify")
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", redirect)
        .append_pair("state", &state)
        .append_pair("code_challenge", challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    Json(json!({"authorize_url": format!("http://{addr}/provider?{query}"), "state": state}))
        .into_response()
}

/// The identity provider's page: whoever opens it is signed in, and sent back.
pub(super) async fn provider(State(shared): Server, RawQuery(query): RawQuery) -> Response {
    let query = query.as_deref();
    let (Some(redirect), Some(state)) = (member(query, "redirect_uri"), member(query, "state"))
    else {
        return error(400, "no redirect_uri or no state");
    };
    let mut store = lock(&shared.store);
    let code = format!("code{}", store.number());
    let Some(pending) = store.pending.get_mut(&state) else {
        return error(400, "unknown state");
    };
    pending.code = Some(code.clone());
    Redirect::to(&format!("{redirect}?code={code}&state={state}")).into_response()
}

pub(super) async fn token(State(shared): Server, Json(sent): Json<Value>) -> Response {
    let text = |name: &str| sent[name].as_str().unwrap_or_default();
    let mut store = lock(&shared.store);
    let Some(pending) = store.pending.remove(text("state")) else {
        return error(400, "unknown or expired state");
    };
    let proof = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text("code_verifier").as_bytes()));
    if pending.code.as_deref() != Some(text("code")) || pending.challenge != proof {
        return error(401, "token exchange failed: invalid_grant");
    }
    let client = store.add_client(1, &pending.name, WEEK);
    drop(store);
    let Json(user) = user_view(&shared, 1);
    Json(json!({"token": client.token, "user": user})).into_response()
}
