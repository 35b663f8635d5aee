//! macOS and Windows: Tauri's own words suffice.

use crate::view::View;
use tauri::{Manager, Runtime, Theme, WebviewWindow, WebviewWindowBuilder};
use tidings_api::Appearance;

/// A page may paint nothing before its window is on the screen.
pub const REHEARSES: bool = false;

/// The bundle names the program.
pub fn prepare() {}

/// Brings `window` to the front. There are no activation tokens here.
pub fn raise(window: &WebviewWindow, _token: Option<String>) {
    for step in [
        WebviewWindow::show,
        WebviewWindow::unminimize,
        WebviewWindow::set_focus,
    ] {
        // The window may be on its way out: then there is nothing to bring forward.
        drop(step(window));
    }
}

/// Its size in logical pixels.
pub fn measure(window: &WebviewWindow) -> Option<(u32, u32)> {
    let size = window.inner_size().ok()?;
    let size = size.to_logical::<u32>(window.scale_factor().ok()?);
    Some((size.width, size.height))
}

/// A webview that was told to forget does.
pub fn forgetful<R: Runtime, M: Manager<R>>(
    builder: WebviewWindowBuilder<'_, R, M>,
    _view: View,
) -> WebviewWindowBuilder<'_, R, M> {
    builder
}

/// Everything is said when the window is built.
pub fn tame(_window: &WebviewWindow) {}

/// Draws `window` in the light the user chose and says which that is.
pub fn light(window: &WebviewWindow, appearance: Appearance) -> Theme {
    let theme = match appearance {
        Appearance::System => None,
        Appearance::Light => Some(Theme::Light),
        Appearance::Dark => Some(Theme::Dark),
    };
    // The window may be on its way out: then its light is all the same.
    drop(window.set_theme(theme));
    theme
        .or_else(|| window.theme().ok())
        .unwrap_or(Theme::Light)
}
