//! What a page may call: these, and nothing else.
#![expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands arguments over by value"
)]

use crate::bridge::Link;
use crate::desktop;
use crate::view::View;
use crate::windows::Windows;
use serde::Serialize;
use tauri::{State, WebviewWindow};
use tidings_api::{ErrorCode, ErrorView, Reply, Request, Target};

/// Asks the resident on behalf of a page.
#[tauri::command]
pub async fn call(link: State<'_, Link>, request: Request) -> Result<Reply, ErrorView> {
    if !is_for_pages(&request) {
        return Err(ErrorView::new(
            ErrorCode::Invalid,
            "A window sends no files. Use tidings send.",
        ));
    }
    link.call(request).await
}

/// A page shows what strangers wrote: should one of them take it over, it must not have files read and sent
/// away.
fn is_for_pages(request: &Request) -> bool {
    match request {
        Request::Send(outgoing) => {
            let what = outgoing.attach.trim();
            what.is_empty() || what.starts_with("https://") || what.starts_with("http://")
        }
        _ => true,
    }
}

/// What the calling window was opened for.
#[derive(Serialize)]
pub struct Opening {
    view: View,
    target: Target,
    /// It paints before it is shown.
    rehearses: bool,
}

/// Says what the calling window was opened for, or asked for since.
#[tauri::command]
pub fn opening(window: WebviewWindow, windows: State<'_, Windows>) -> Option<Opening> {
    let view = View::labelled(window.label())?;
    let target = windows.target(view)?;
    Some(Opening {
        view,
        target,
        rehearses: desktop::REHEARSES,
    })
}

/// Shows the calling window: its first picture is there.
#[tauri::command]
pub fn painted(window: WebviewWindow, windows: State<'_, Windows>) {
    windows.painted(&window);
}

#[cfg(test)]
mod tests {
    use super::is_for_pages;
    use tidings_api::Request;

    #[test]
    fn a_page_has_no_file_read() {
        let send = |attach: &str| {
            let text = serde_json::json!({
                "do": "send", "account": "1", "topic": "a", "body": "b", "attach": attach,
            });
            serde_json::from_value::<Request>(text).unwrap()
        };
        for (attach, may) in [
            ("", true),
            ("https://ex.test/a", true),
            ("/home/me/.ssh/id_ed25519", false),
            (" /etc/passwd", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_for_pages(&send(attach)), may, "{attach}");
        }
        assert!(is_for_pages(&Request::Status));
    }
}
