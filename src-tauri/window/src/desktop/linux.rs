//! GTK and WebKitGTK.

use crate::view::View;
use gtk::gdk;
use gtk::glib::object::ObjectType as _;
use gtk::glib::translate::ToGlibPtr as _;
use gtk::prelude::*;
use std::path::PathBuf;
use tauri::{Manager, Runtime, Theme, WebviewWindow, WebviewWindowBuilder};
use tidings_api::Appearance;
use webkit2gtk::{
    CacheModel, ContextMenuAction, ContextMenuExt as _, ContextMenuItemExt as _,
    HardwareAccelerationPolicy, LoadEvent, Settings, SettingsExt as _, WebContextExt as _, WebView,
    WebViewExt,
};

/// A page paints before its window is on the screen.
pub const REHEARSES: bool = true;

/// Zoom steps; 1 is the desktop's own size.
const ZOOM: (f64, f64, f64) = (0.5, 0.1, 3.0);

/// Where Mesa and the NVIDIA driver are told to keep no compiled shaders on the disk. WebKit looks at the
/// graphics processor when it starts, also where it is not to be used.
const NO_SHADERS_KEPT: [(&str, &str); 2] = [
    ("MESA_SHADER_CACHE_DISABLE", "true"),
    ("__GL_SHADER_DISK_CACHE", "0"),
];

/// Names the program as its desktop file is named, so that the desktop shows its icon, and sees to it that
/// its graphics drivers leave no files. To be called before GTK, and before any thread, starts.
pub fn prepare() {
    for (name, value) in NO_SHADERS_KEPT {
        #[expect(unsafe_code)]
        // SAFETY: there is no other thread yet that could read the environment meanwhile.
        unsafe {
            std::env::set_var(name, value);
        }
    }
    gtk::glib::set_prgname(Some("tidings"));
    gtk::glib::set_application_name("Tidings");
}

/// Shows `window` in front. The token of the click that asked for it lets it take the focus where the
/// desktop prevents windows from stealing it.
pub fn raise(window: &WebviewWindow, token: Option<String>) {
    let raised = window.clone();
    let on_main = window.run_on_main_thread(move || {
        if let Ok(window) = raised.gtk_window() {
            window.show_all();
            if let Some(token) = token {
                activate(&window, &token);
            }
            window.present();
        }
    });
    // The program may be about to end: then there is nothing to bring forward.
    drop(on_main);
}

/// Hands the token on to what `present` does next.
fn activate(window: &gtk::ApplicationWindow, token: &str) {
    let display = WidgetExt::display(window);
    if display.backend().is_wayland() {
        let display: *mut gdk::ffi::GdkDisplay = display.as_ptr();
        // A token with a NUL in it is not one.
        let Ok(token) = std::ffi::CString::new(token) else {
            return;
        };
        // GTK 3 activates a surface with the display's startup id, and has no safe words to set it.
        #[expect(unsafe_code)]
        // SAFETY: the display lives as long as the program, its type was just asked, and GDK copies
        // the string.
        unsafe {
            gdk_wayland_sys::gdk_wayland_display_set_startup_notification_id(
                display.cast(),
                token.as_c_str().to_glib_none().0,
            );
        }
    } else {
        window.set_startup_id(token);
    }
}

/// Its size in logical pixels, without the shadows and bars that GTK draws around it on Wayland.
/// To be called on the main thread.
pub fn measure(window: &WebviewWindow) -> Option<(u32, u32)> {
    let (width, height) = window.gtk_window().ok()?.size();
    Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
}

/// Draws `window` in the light the user chose and says which that is.
pub fn light(window: &WebviewWindow, appearance: Appearance) -> Theme {
    let fixed = match appearance {
        Appearance::System => None,
        Appearance::Light => Some(Theme::Light),
        Appearance::Dark => Some(Theme::Dark),
    };
    // Each step fails only where the window is on its way out: then its light is all the same.
    drop(window.set_theme(fixed));
    let theme = fixed
        .or_else(|| window.theme().ok())
        .unwrap_or(Theme::Light);
    if fixed.is_none() {
        // Without a wish of ours GTK is light, whatever the desktop says.
        drop(window.set_theme(Some(theme)));
    }
    theme
}

/// Sees to it that a webview which was told to forget leaves no trace.
///
/// Tauri makes a second context beside the one that forgets, never used for a page, and keeps it in a
/// folder: it gets a place where nothing can be kept. The places differ because Tauri makes its pages
/// known once per folder, and every window has a context of its own that must know them.
pub fn forgetful<R: Runtime, M: Manager<R>>(
    builder: WebviewWindowBuilder<'_, R, M>,
    view: View,
) -> WebviewWindowBuilder<'_, R, M> {
    builder.data_directory(PathBuf::from(match view {
        View::Inbox => "/dev/null",
        View::Settings => "/dev/zero",
    }))
}

/// Switches off what pages of ours never use, and gives the keys that every window here has.
pub fn tame(window: &WebviewWindow) {
    let tamed = window.with_webview(|webview| {
        let page = webview.inner();
        if let Some(settings) = WebViewExt::settings(&page) {
            restrict(&settings);
        }
        if let Some(context) = page.context() {
            context.set_cache_model(CacheModel::DocumentViewer);
        }
        // Nothing can be dropped on it: a file's path is nobody's business here.
        page.drag_dest_unset();
        page.connect_context_menu(|_, menu, _, _| {
            for item in menu.items() {
                if !is_editing(item.stock_action()) {
                    menu.remove(&item);
                }
            }
            // True: no menu.
            menu.n_items() == 0
        });
        page.connect_key_press_event(press);
        // Not before the page is there: until then WebKit may not have heard of `restrict`, and its
        // process ends when it does so while it draws.
        page.connect_load_changed(|page, event| {
            if event == LoadEvent::Committed {
                rehearse(page);
            }
        });
    });
    // The window may be closed already: then it is tame.
    drop(tamed);
}

/// Lets a page paint while its window is not on the screen yet, so that the window's first picture has
/// the page in it. WebKit draws for a widget that is mapped, and GTK maps one whose window is not.
fn rehearse(page: &WebView) {
    let Some(window) = page.toplevel().and_downcast::<gtk::Window>() else {
        return;
    };
    if window.is_visible() {
        return;
    }
    if let Some(child) = window.child() {
        child.show_all();
    }
    window.realize();
    if let Some(surface) = window.window() {
        fill(&surface, &page.background_color());
    }
    page.map();
}

/// What an X server shows of a window between its mapping and its first picture; it would be black.
fn fill(surface: &gdk::Window, colour: &gdk::RGBA) {
    // GDK has no safe words to set it, and does nothing where there is no such thing.
    #[expect(unsafe_code)]
    // SAFETY: both live until the call returns, and GDK copies the colour.
    unsafe {
        gdk::ffi::gdk_window_set_background_rgba(surface.to_glib_none().0, colour.to_glib_none().0);
    }
}

fn restrict(settings: &Settings) {
    // Lists and text need no graphics processor: without one a window takes 70 MiB less, its page comes
    // sooner, and no driver can leave it blank.
    settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
    settings.set_enable_webgl(false);
    settings.set_enable_webaudio(false);
    settings.set_enable_webrtc(false);
    settings.set_enable_media(false);
    settings.set_enable_media_stream(false);
    settings.set_enable_mediasource(false);
    settings.set_enable_encrypted_media(false);
    settings.set_enable_page_cache(false);
    settings.set_enable_html5_database(false);
    settings.set_enable_dns_prefetching(false);
    settings.set_enable_site_specific_quirks(false);
    settings.set_enable_back_forward_navigation_gestures(false);
    settings.set_enable_fullscreen(false);
}

fn is_editing(action: ContextMenuAction) -> bool {
    matches!(
        action,
        ContextMenuAction::Copy
            | ContextMenuAction::Cut
            | ContextMenuAction::Paste
            | ContextMenuAction::SelectAll
    )
}

/// Ctrl+W closes; Ctrl with plus, minus and 0 zooms. The page needs no permission for either.
fn press(page: &WebView, event: &gdk::EventKey) -> gtk::glib::Propagation {
    use gdk::keys::constants as key;
    use gtk::glib::Propagation;
    let held = event.state()
        & (gdk::ModifierType::CONTROL_MASK
            | gdk::ModifierType::MOD1_MASK
            | gdk::ModifierType::SUPER_MASK);
    if held != gdk::ModifierType::CONTROL_MASK {
        return Propagation::Proceed;
    }
    let (least, step, greatest) = ZOOM;
    let zoom = page.zoom_level();
    match event.keyval() {
        key::w | key::W => {
            if let Some(window) = page.toplevel().and_downcast::<gtk::Window>() {
                window.close();
            }
        }
        key::plus | key::equal | key::KP_Add => page.set_zoom_level((zoom + step).min(greatest)),
        key::minus | key::KP_Subtract => page.set_zoom_level((zoom - step).max(least)),
        key::_0 | key::KP_0 => page.set_zoom_level(1.0),
        _ => return Propagation::Proceed,
    }
    Propagation::Stop
}
