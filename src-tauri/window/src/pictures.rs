//! Pictures for the pages, over a scheme of their own: the resident is asked, a network never.

use crate::bridge::Link;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tauri::http::{Request as Asked, Response, StatusCode, header};
use tauri::{AppHandle, Manager as _, UriSchemeResponder, async_runtime};
use tidings_api::{NotificationId, PictureOf, Reply, Request};
use tokio::sync::Semaphore;

/// The scheme: `tidings-image://localhost/icon-12`, `…/attachment-12`, `…/attachment-12-asked`.
pub const SCHEME: &str = "tidings-image";
/// Pictures that are waited for at a time: slow servers must not keep the page's other calls from the resident.
const AT_ONCE: usize = 4;

/// Lets a few through at a time.
pub struct Turnstile(Semaphore);

impl Default for Turnstile {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// Answers a page's request for a picture.
pub fn serve(app: &AppHandle, asked: &Asked<Vec<u8>>, responder: UriSchemeResponder) {
    let Some(request) = read(asked.uri().path()) else {
        return responder.respond(nothing());
    };
    let app = app.clone();
    async_runtime::spawn(async move {
        let turnstile = app.state::<Turnstile>();
        // It is never closed.
        let _turn = turnstile.0.acquire().await;
        let response = match app.state::<Link>().call(request).await {
            Ok(Reply::Picture { png }) => BASE64_STANDARD.decode(png).map_or_else(
                |_| nothing(),
                |png| answer(StatusCode::OK, "max-age=600", png),
            ),
            // The page asks the resident for the words, if it shows any.
            _ => nothing(),
        };
        responder.respond(response);
    });
}

fn nothing() -> Response<Vec<u8>> {
    answer(StatusCode::NOT_FOUND, "no-store", Vec::new())
}

fn answer(status: StatusCode, cache: &'static str, png: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(png);
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "image/png"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, cache),
    ] {
        let value = header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// What a path asks for.
fn read(path: &str) -> Option<Request> {
    let mut parts = path.strip_prefix('/')?.split('-');
    let of = match parts.next()? {
        "icon" => PictureOf::Icon,
        "attachment" => PictureOf::Attachment,
        _ => return None,
    };
    let id = NotificationId(parts.next()?.parse().ok()?);
    let asked = match parts.next() {
        None => false,
        Some("asked") if of == PictureOf::Attachment => true,
        Some(_) => return None,
    };
    parts
        .next()
        .is_none()
        .then_some(Request::Picture { id, of, asked })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_picture_and_nothing_else() {
        let of = |id, of, asked| {
            let id = NotificationId(id);
            Some(Request::Picture { id, of, asked })
        };
        for (path, expected) in [
            ("/icon-12", of(12, PictureOf::Icon, false)),
            ("/attachment-7", of(7, PictureOf::Attachment, false)),
            ("/attachment-7-asked", of(7, PictureOf::Attachment, true)),
            ("/icon-12-asked", None),
            ("/attachment-7-asked-x", None),
            ("/attachment-7-", None),
            ("/icon-", None),
            ("/icon", None),
            ("/icon-1x", None),
            ("/icon-99999999999999999999", None),
            ("/../icon-1", None),
            ("/settings-1", None),
            ("icon-1", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_remembered() {
        let missing = nothing();
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
        assert_eq!(missing.headers()[header::CACHE_CONTROL], "no-store");
        let there = answer(StatusCode::OK, "max-age=600", vec![1]);
        assert_eq!(there.headers()[header::CONTENT_TYPE], "image/png");
    }
}
