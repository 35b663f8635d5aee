//! The windows of Tidings. This process is a client of the resident's control socket and nothing
//! else: it opens no network connection, no database, no file of the profile, and keeps no secret.
//! It is started when a window is wanted and ends with its last one.

mod arguments;
mod bridge;
mod commands;
mod desktop;
mod fence;
mod pictures;
mod view;
mod wait;
mod windows;

pub use arguments::{Arguments, Wrong};
use bridge::Link;
use tauri::{Manager as _, RunEvent};
use windows::Windows;

/// Opens the window that `arguments` name and returns when the last one is closed.
///
/// # Errors
/// Tauri's own, where no window can be made (no display, no webview).
pub fn run(arguments: Arguments) -> tauri::Result<()> {
    desktop::prepare();
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            commands::call,
            commands::opening,
            commands::painted
        ])
        .register_asynchronous_uri_scheme_protocol(
            pictures::SCHEME,
            |context, request, responder| {
                pictures::serve(context.app_handle(), &request, responder);
            },
        )
        .on_window_event(windows::on_event)
        .setup(move |app| {
            app.manage(Link::default());
            app.manage(pictures::Turnstile::default());
            app.manage(Windows::default());
            bridge::start(app.handle(), arguments)?;
            Ok(())
        })
        .build(tauri::generate_context!("tauri.conf.json"))?;
    app.run(|app, event| {
        if let RunEvent::ExitRequested { .. } = event {
            app.state::<Windows>().finish();
        }
    });
    Ok(())
}
