//! What a page may not do, whatever it contains: leave, open windows, download, ask for devices.

use crate::desktop;
use crate::view::View;
use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{Manager, Runtime, Url, WebviewWindowBuilder};

/// Where pages cannot be told by the webview's own settings, they are told by this script: a menu
/// only where there is something to copy or to edit.
#[cfg(not(target_os = "linux"))]
const MENU_SCRIPT: &str = "addEventListener('contextmenu', (event) => {
    const editable = event.target.closest?.('input, textarea, [contenteditable]');
    if (!editable && getSelection().isCollapsed) event.preventDefault();
}, true);";

/// Adds every refusal that Tauri has words for.
pub fn around<R: Runtime, M: Manager<R>>(
    mut builder: WebviewWindowBuilder<'_, R, M>,
    view: View,
    development: Option<Url>,
) -> WebviewWindowBuilder<'_, R, M> {
    builder = builder
        .on_navigation(move |url| stays_home(url, development.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        .on_download(|_, _| false)
        .general_autofill_enabled(false)
        .browser_extensions_enabled(false)
        .devtools(cfg!(debug_assertions))
        .disable_drag_drop_handler();
    // A webview that forgets cannot be automated: the tests, which ask for that by this variable, get
    // one that keeps its data in their own throwaway home.
    if std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_none() {
        builder = desktop::forgetful(builder.incognito(true), view);
    }
    #[cfg(not(target_os = "linux"))]
    {
        builder = builder.initialization_script(MENU_SCRIPT);
    }
    builder
}

/// Whether `url` is one of the program's own pages. `development` is the address of the development
/// server, where the program was built to use one.
fn stays_home(url: &Url, development: Option<&Url>) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) => true,
        // How Windows spells the same origin.
        ("http" | "https", Some("tauri.localhost")) => cfg!(windows),
        _ => development.is_some_and(|home| home.origin() == url.origin()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_pages_are_home() {
        for (url, expected) in [
            ("tauri://localhost", true),
            ("tauri://localhost/index.html#42", true),
            ("tauri://elsewhere/index.html", false),
            ("https://localhost/", false),
            ("http://localhost:1420/", false),
            ("https://ntfy.example/topic", false),
            ("http://tauri.localhost.evil.example/", false),
            ("file:///etc/passwd", false),
            ("tidings-image://localhost/icon-1", false),
            ("data:text/html,hello", false),
            ("javascript:alert(1)", false),
            ("about:blank", false),
            ("blob:tauri://localhost/5e", false),
        ] {
            assert_eq!(
                stays_home(&Url::parse(url).unwrap(), None),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn the_development_server_is_home_only_where_there_is_one() {
        let home = Url::parse("http://localhost:1420").unwrap();
        for (url, expected) in [
            ("http://localhost:1420/index.html", true),
            ("http://localhost:1421/", false),
            ("https://localhost:1420/", false),
            ("data:text/html,hello", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(stays_home(&url, Some(&home)), expected, "{url}");
        }
    }
}
