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
use tidings_api::{ErrorView, Reply, Request, Target};

/// Asks the resident on behalf of a page.
#[tauri::command]
pub async fn call(link: State<'_, Link>, request: Request) -> Result<Reply, ErrorView> {
    link.call(request).await
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
