//! Which windows there are and how large they may be.

use serde::Serialize;
use tidings_api::{Target, WindowShape};

/// The least size of any window, in logical pixels.
pub const LEAST: (u32, u32) = (320, 240);
/// The greatest size that is believed where the screen's is unknown, in logical pixels.
const GREATEST: (u32, u32) = (16_384, 16_384);

/// A window: there is at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// List and detail.
    Inbox,
    /// Accounts and the rest.
    Settings,
}

impl View {
    /// The window that shows `target`.
    pub fn of(target: &Target) -> Self {
        match target {
            Target::Inbox | Target::Notification { .. } | Target::Toast { .. } => Self::Inbox,
            Target::Settings
            | Target::Section { .. }
            | Target::AddAccount { .. }
            | Target::Import => Self::Settings,
        }
    }

    /// The window that Tauri knows as `label`.
    pub fn labelled(label: &str) -> Option<Self> {
        [Self::Inbox, Self::Settings]
            .into_iter()
            .find(|view| view.label() == label)
    }

    /// Its name in capabilities, in events, and where its size is kept.
    pub fn label(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Settings => "settings",
        }
    }

    /// What the desktop calls it until its page names itself.
    pub fn title(self) -> &'static str {
        match self {
            Self::Inbox => "Tidings",
            Self::Settings => "Tidings settings",
        }
    }

    /// Its size the first time.
    pub fn first_shape(self) -> WindowShape {
        let (width, height) = match self {
            Self::Inbox => (1100, 720),
            Self::Settings => (760, 640),
        };
        WindowShape {
            width,
            height,
            maximized: false,
        }
    }
}

/// `shape` made to fit into `room` (the screen's free area in logical pixels, where it is known), but
/// never smaller than a window can be used.
pub fn fit(shape: WindowShape, room: Option<(u32, u32)>) -> WindowShape {
    let room = room.unwrap_or(GREATEST);
    WindowShape {
        width: shape.width.min(room.0).max(LEAST.0),
        height: shape.height.min(room.1).max(LEAST.1),
        maximized: shape.maximized,
    }
}

/// What to remember of a window that was `before` and now measures `size`. A maximized window keeps
/// the size it returns to.
pub fn remember(before: WindowShape, size: (u32, u32), maximized: bool) -> WindowShape {
    if maximized {
        WindowShape {
            maximized,
            ..before
        }
    } else {
        let (width, height) = size;
        let now = WindowShape {
            width,
            height,
            maximized,
        };
        fit(now, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(width: u32, height: u32, maximized: bool) -> WindowShape {
        WindowShape {
            width,
            height,
            maximized,
        }
    }

    #[test]
    fn each_target_has_its_window() {
        let notification = serde_json::from_str(r#"{"show":"notification","id":1}"#).unwrap();
        assert_eq!(View::of(&Target::Inbox), View::Inbox);
        assert_eq!(View::of(&notification), View::Inbox);
        assert_eq!(View::of(&Target::Settings), View::Settings);
        let section = "quiet".to_owned();
        assert_eq!(View::of(&Target::Section { section }), View::Settings);
        assert_eq!(View::of(&Target::Import), View::Settings);
        let url = "ntfy://ntfy.example.org/disk".to_owned();
        assert_eq!(View::of(&Target::AddAccount { url }), View::Settings);
    }

    #[test]
    fn a_label_leads_back_to_its_window() {
        for view in [View::Inbox, View::Settings] {
            assert_eq!(View::labelled(view.label()), Some(view));
        }
        assert_eq!(View::labelled("main"), None);
    }

    #[test]
    fn a_page_learns_the_view_by_the_label_of_its_window() {
        for view in [View::Inbox, View::Settings] {
            assert_eq!(serde_json::to_value(view).unwrap(), view.label());
        }
    }

    #[test]
    fn the_first_size_needs_no_fitting() {
        for view in [View::Inbox, View::Settings] {
            assert_eq!(fit(view.first_shape(), None), view.first_shape());
        }
    }

    #[test]
    fn sizes_are_held_between_the_least_and_the_screen() {
        for (kept, room, expected) in [
            (
                shape(1100, 720, false),
                Some((1920, 1040)),
                shape(1100, 720, false),
            ),
            (
                shape(3000, 2000, true),
                Some((1920, 1040)),
                shape(1920, 1040, true),
            ),
            (
                shape(1, 1, false),
                Some((1920, 1040)),
                shape(320, 240, false),
            ),
            (shape(0, 900, false), None, shape(320, 900, false)),
            (
                shape(u32::MAX, u32::MAX, false),
                None,
                shape(16_384, 16_384, false),
            ),
            // A screen smaller than the least size: the window reaches over its edge.
            (
                shape(1100, 720, false),
                Some((200, 100)),
                shape(320, 240, false),
            ),
        ] {
            assert_eq!(fit(kept, room), expected, "{kept:?} in {room:?}");
        }
    }

    #[test]
    fn maximizing_keeps_the_size_to_return_to() {
        let before = shape(900, 600, false);
        assert_eq!(remember(before, (1920, 1040), true), shape(900, 600, true));
        assert_eq!(
            remember(shape(900, 600, true), (800, 500), false),
            shape(800, 500, false)
        );
        assert_eq!(remember(before, (10, 10), false), shape(320, 240, false));
    }
}
