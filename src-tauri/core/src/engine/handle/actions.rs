//! What a notification offers to do. A publisher wrote it: it never carries a credential, and an HTTP
//! request is shown before the first one to each host.

use super::{inbox, invalid, view};
use crate::engine::{Shared, storage};
use crate::model::{
    Action, ActionKind, Body, Credential, Format, HttpRequest, Method, Notification,
    NotificationId, Sign, SignIn, Way,
};
use crate::transport::Route;
use crate::{engine::connection::failure, text};
use std::time::Duration;
use tidings_api::{ActOutcome, Change, ErrorCode, ErrorView, Reply, Targets, TransportKind};
use url::Url;

/// Hosts that the user agreed to send actions to, a JSON list.
const AGREED: &str = "action-hosts";
/// Actions answer soon or not at all.
const SILENCE: Duration = Duration::from_secs(20);

pub fn open_link(shared: &Shared, id: NotificationId) -> Result<Reply, ErrorView> {
    let notification = find(shared, id)?;
    let url = notification
        .draft
        .url
        .as_deref()
        .and_then(text::allowed_link)
        .ok_or_else(|| invalid("This notification has no link that can be opened."))?;
    open(shared, &url)?;
    mark_read(shared, id)?;
    Ok(Reply::Act(ActOutcome::Opened { url }))
}

/// The window says which link was clicked; that the notification has it is checked here.
pub fn open_url(shared: &Shared, id: NotificationId, url: &str) -> Result<Reply, ErrorView> {
    let draft = find(shared, id)?.draft;
    let url = text::allowed_link(url)
        .ok_or_else(|| invalid("This link cannot be opened: only web and mail addresses can."))?;
    let is_it = |link: &str| text::allowed_link(link).is_some_and(|link| link == url);
    let occurs = draft.attachment.is_some_and(|file| is_it(&file.url))
        || match draft.format {
            Format::Plain => text::plain_links(&text::neutralise(&draft.body))
                .into_iter()
                .any(is_it),
            Format::Markdown => text::markdown_links(&draft.body)
                .iter()
                .any(|link| is_it(link)),
        };
    if !occurs {
        return Err(invalid(
            "This notification has no such link. It may have been replaced by a newer version; open it again.",
        ));
    }
    open(shared, &url)?;
    Ok(Reply::Act(ActOutcome::Opened { url }))
}

pub async fn act(
    shared: &Shared,
    id: NotificationId,
    action: u32,
    confirmed: bool,
) -> Result<Reply, ErrorView> {
    let notification = find(shared, id)?;
    let action = usize::try_from(action)
        .ok()
        .and_then(|index| notification.draft.actions.get(index))
        .ok_or_else(|| invalid("This notification has no such action."))?;
    let outcome = match action.kind {
        ActionKind::Open => {
            let url = text::allowed_link(&action.url)
                .ok_or_else(|| invalid("This action's link cannot be opened."))?;
            open(shared, &url)?;
            ActOutcome::Opened { url }
        }
        ActionKind::Copy => ActOutcome::Copy {
            text: action.body.clone(),
        },
        ActionKind::Unsupported => {
            return Err(invalid("Only a phone can do this."));
        }
        ActionKind::Http => match send(shared, action, confirmed).await? {
            outcome @ ActOutcome::Confirm { .. } => return Ok(Reply::Act(outcome)),
            outcome => outcome,
        },
    };
    if action.clear {
        mark_read(shared, id)?;
    }
    Ok(Reply::Act(outcome))
}

fn find(shared: &Shared, id: NotificationId) -> Result<Notification, ErrorView> {
    shared
        .store
        .read(|tx| tx.notification(id))
        .map_err(|error| storage(&error))
}

fn open(shared: &Shared, url: &str) -> Result<(), ErrorView> {
    shared.desktop.open(url, None).map_err(|error| {
        ErrorView::new(
            ErrorCode::Internal,
            format!("The desktop could not open {url}."),
        )
        .with_detail(error)
    })
}

fn mark_read(shared: &Shared, id: NotificationId) -> Result<(), ErrorView> {
    let targets = Targets::Ids { ids: vec![id] };
    inbox::change(shared, &targets, Change::Read).map(drop)
}

async fn send(shared: &Shared, action: &Action, confirmed: bool) -> Result<ActOutcome, ErrorView> {
    let url = text::allowed_link(&action.url)
        .and_then(|url| Url::parse(&url).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| invalid("This action's address cannot be used."))?;
    let host = url.origin().ascii_serialization();
    let agreed: Vec<String> = shared
        .store
        .read(|tx| tx.setting(AGREED))
        .map_err(|error| storage(&error))?
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    if !agreed.contains(&host) {
        if !confirmed {
            return Ok(ActOutcome::Confirm {
                says: text::neutralise(&view::sends(action)),
            });
        }
        let mut agreed = agreed;
        agreed.push(host);
        let agreed = serde_json::Value::from(agreed).to_string();
        shared
            .store
            .write(|tx| tx.set_setting(AGREED, &agreed))
            .map_err(|error| storage(&error))?;
    }
    let method = match action.method.to_ascii_uppercase().as_str() {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "PATCH" => Method::Patch,
        "POST" | "" => Method::Post,
        other => {
            return Err(invalid(format!(
                "This action uses {other}, which Tidings cannot send."
            )));
        }
    };
    let request = HttpRequest {
        headers: action.headers.clone(),
        sign: Sign::Nothing,
        body: if action.body.is_empty() {
            Body::Empty
        } else {
            Body::Bytes {
                media_type: "text/plain; charset=utf-8".to_owned(),
                bytes: action.body.clone().into_bytes(),
            }
        },
        ..HttpRequest::new(method, url)
    };
    let route = Route {
        sign_in: SignIn::None,
        credential: Credential::default(),
        allow_http: true,
        own: Vec::new(),
        way: Way::default(),
        silence: SILENCE,
    };
    let answer = shared.dial.fetch(&request, &route).await.map_err(|error| {
        let failure = failure::failure(&error, TransportKind::Poll);
        ErrorView::new(ErrorCode::Network, failure.says).with_detail(error)
    })?;
    match answer.status() {
        status @ 200..=299 => Ok(ActOutcome::Sent { status }),
        status => Err(ErrorView::new(
            ErrorCode::Network,
            format!("The server answered with status {status}; the action may not have worked."),
        )),
    }
}
