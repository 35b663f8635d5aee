//! The windows: opened when wanted, shown when they have something to show, their size remembered.

use crate::bridge::Link;
use crate::view::{self, View};
use crate::wait::wait;
use crate::{desktop, fence};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tauri::async_runtime::{self, JoinHandle};
use tauri::window::Color;
use tauri::{
    AppHandle, Emitter as _, Manager as _, Theme, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    Window, WindowEvent,
};
use tidings_api::{Appearance, Event, Request, Target, WindowShape};
use tokio::time::timeout;

/// A page that has not said by then that it painted is shown all the same.
const PATIENCE: Duration = Duration::from_secs(3);
/// A size that has rested for so long is saved.
const REST: Duration = Duration::from_millis(500);
/// How long the end of the program waits for sizes on their way to the resident.
const FAREWELL: Duration = Duration::from_millis(500);
/// The pages' own background (`--surface` in ui/src/app.css), light and dark, so that nothing flashes
/// between a window and its first picture.
const SURFACE: (Color, Color) = (Color(0xff, 0xff, 0xff, 0xff), Color(0x1b, 0x1c, 0x1f, 0xff));

/// How a new window looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// The size the user left it in.
    pub shape: Option<WindowShape>,
    /// The light it is drawn in.
    pub appearance: Appearance,
}

/// The open windows.
#[derive(Default)]
pub struct Windows {
    open: Mutex<HashMap<View, Open>>,
    saving: Mutex<Vec<JoinHandle<()>>>,
}

struct Open {
    target: Target,
    token: Option<String>,
    painted: bool,
    /// What the resident remembers.
    kept: WindowShape,
    /// Counts changes of size, so that only the last of a series is saved.
    changes: u64,
}

impl Windows {
    fn open(&self) -> MutexGuard<'_, HashMap<View, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a window is to show.
    pub fn target(&self, view: View) -> Option<Target> {
        self.open().get(&view).map(|open| open.target.clone())
    }

    /// Shows a window whose page has painted; later calls change nothing.
    pub fn painted(&self, window: &WebviewWindow) {
        let Some(view) = View::labelled(window.label()) else {
            return;
        };
        let token = match self.open().get_mut(&view) {
            Some(open) if !open.painted => {
                open.painted = true;
                open.token.take()
            }
            _ => return,
        };
        desktop::raise(window, token);
    }

    /// Takes note that a window is wanted for `target`. `None`: there is no such window. Else whether
    /// it has painted, and if so the token is given back for raising it now.
    fn want(&self, target: &Target, token: Option<String>) -> Option<(bool, Option<String>)> {
        let mut open = self.open();
        let open = open.get_mut(&View::of(target))?;
        open.target = target.clone();
        if open.painted {
            Some((true, token))
        } else {
            open.token = token.or(open.token.take());
            Some((false, None))
        }
    }

    /// Counts a change of size.
    fn changed(&self, view: View) -> Option<u64> {
        let mut open = self.open();
        let open = open.get_mut(&view)?;
        open.changes += 1;
        Some(open.changes)
    }

    fn is_last_change(&self, view: View, change: u64) -> bool {
        self.open()
            .get(&view)
            .is_some_and(|open| open.changes == change)
    }

    /// Sends a window's size to the resident if it is news. To be called on the main thread.
    fn save(&self, window: &WebviewWindow) {
        let Some(view) = View::labelled(window.label()) else {
            return;
        };
        let Some(shape) = self.news(view, window) else {
            return;
        };
        let app = window.app_handle().clone();
        let save = async move {
            let request = Request::WindowShapeSet {
                window: view.label().to_owned(),
                shape,
            };
            // A size that could not be saved is not worth a word.
            drop(app.state::<Link>().call(request).await);
        };
        let mut saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        saving.retain(|save| !save.inner().is_finished());
        saving.push(async_runtime::spawn(save));
    }

    /// A window's shape, if it differs from what is remembered, which it then is.
    fn news(&self, view: View, window: &WebviewWindow) -> Option<WindowShape> {
        let size = desktop::measure(window)?;
        let maximized = window.is_maximized().ok()?;
        let mut open = self.open();
        // A window that was never shown says nothing about what the user wants.
        let open = open.get_mut(&view).filter(|open| open.painted)?;
        let shape = view::remember(open.kept, size, maximized);
        (shape != open.kept).then(|| {
            open.kept = shape;
            shape
        })
    }

    /// Waits a moment for sizes that are still on their way. For the end of the program.
    pub fn finish(&self) {
        let mut saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let saving: Vec<_> = saving.drain(..).collect();
        let all = async {
            for save in saving {
                drop(save.await);
            }
        };
        // What is not saved by then is lost: a size only.
        drop(async_runtime::block_on(async {
            timeout(FAREWELL, all).await
        }));
    }
}

/// Makes the window for `target`. It is hidden until its page has painted.
///
/// # Errors
/// Tauri's own, where the window cannot be made.
pub fn open(
    app: &AppHandle,
    target: Target,
    token: Option<String>,
    look: Look,
) -> tauri::Result<()> {
    let view = View::of(&target);
    let windows = app.state::<Windows>();
    let shape = view::fit(look.shape.unwrap_or(view.first_shape()), room(app));
    let entry = Open {
        target,
        token,
        painted: false,
        kept: shape,
        changes: 0,
    };
    windows.open().insert(view, entry);

    let development = tauri::is_dev()
        .then(|| app.config().build.dev_url.clone())
        .flatten();
    let builder = WebviewWindowBuilder::new(app, view.label(), WebviewUrl::default())
        .title(view.title())
        .inner_size(shape.width.into(), shape.height.into())
        .min_inner_size(view::LEAST.0.into(), view::LEAST.1.into())
        .maximized(shape.maximized)
        .on_document_title_changed(|window, title| {
            // The window may be on its way out: then its title is all the same.
            drop(window.set_title(&title));
        })
        .visible(false)
        .focused(true);
    let window = match fence::around(builder, view, development).build() {
        Ok(window) => window,
        Err(error) => {
            windows.open().remove(&view);
            return Err(error);
        }
    };
    desktop::tame(&window);
    draw(&window, look.appearance);
    let late = window.clone();
    async_runtime::spawn(async move {
        wait(PATIENCE).await;
        late.state::<Windows>().painted(&late);
    });
    Ok(())
}

/// The free area of the screen where windows open, in logical pixels.
fn room(app: &AppHandle) -> Option<(u32, u32)> {
    let monitor = app.primary_monitor().ok()??;
    let size = monitor
        .work_area()
        .size
        .to_logical::<u32>(monitor.scale_factor());
    Some((size.width, size.height))
}

/// Shows `target`: in the window that is there, which comes forward, or else in a new one.
pub async fn present(app: &AppHandle, link: &Link, target: Target, token: Option<String>) {
    let view = View::of(&target);
    let wanted = app.state::<Windows>().want(&target, token.clone());
    let Some((painted, token)) = wanted else {
        let look = link.look(view).await;
        if let Err(error) = open(app, target, token, look) {
            eprintln!("tidings-window: The window could not be opened: {error}");
        }
        return;
    };
    // A page that has not painted yet asks what it is to show.
    if painted && let Some(window) = app.get_webview_window(view.label()) {
        desktop::raise(&window, token);
        let hint = Event::Present {
            target,
            token: None,
        };
        // Only a page that is going away cannot be told.
        drop(app.emit_to(view.label(), "hint", hint));
    }
}

/// Draws every window in the light the user chose.
pub fn redraw(app: &AppHandle, appearance: Appearance) {
    for window in app.webview_windows().values() {
        draw(window, appearance);
    }
}

fn draw(window: &WebviewWindow, appearance: Appearance) {
    let theme = desktop::light(window, appearance);
    let surface = match theme {
        Theme::Dark => SURFACE.1,
        _ => SURFACE.0,
    };
    // The window may be on its way out: then its colour is all the same.
    drop(window.set_background_color(Some(surface)));
}

/// Follows sizes and farewells. Tauri calls this on the main thread.
pub fn on_event(window: &Window, event: &WindowEvent) {
    let Some(view) = View::labelled(window.label()) else {
        return;
    };
    let windows = window.state::<Windows>();
    match event {
        WindowEvent::Resized(_) => {
            if let Some(change) = windows.changed(view) {
                async_runtime::spawn(rest(window.app_handle().clone(), view, change));
            }
        }
        WindowEvent::CloseRequested { .. } => {
            if let Some(window) = window.get_webview_window(view.label()) {
                windows.save(&window);
            }
        }
        WindowEvent::Destroyed => {
            windows.open().remove(&view);
        }
        _ => {}
    }
}

/// Saves a size once it has rested.
async fn rest(app: AppHandle, view: View, change: u64) {
    wait(REST).await;
    if !app.state::<Windows>().is_last_change(view, change) {
        return;
    }
    let Some(window) = app.get_webview_window(view.label()) else {
        return;
    };
    let on_main = app.run_on_main_thread(move || window.state::<Windows>().save(&window));
    // The program may be about to end: closing has saved the size then.
    drop(on_main);
}
