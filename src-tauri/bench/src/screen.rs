//! What a person sees on the private display: whether there is a window, and whether something is in it.

use std::collections::HashSet;

use support::Result;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, ImageFormat, Window,
};
use x11rb::rust_connection::RustConnection;

/// A blank surface has one colour; smooth letters alone have more than this.
const COLOURS: usize = 32;
/// Looked at from the window's left upper corner, so that a look takes little time, in pixels.
const LOOK: (u16, u16) = (700, 500);

/// The display.
pub struct Screen {
    connection: RustConnection,
    root: Window,
    clients: Atom,
    close: Atom,
}

impl Screen {
    /// Connects to `display`, as in `DISPLAY`.
    pub fn open(display: &str) -> Result<Self> {
        let (connection, number) = x11rb::connect(Some(display))?;
        let root = connection.setup().roots[number].root;
        let atom = |name: &[u8]| -> Result<Atom> {
            Ok(connection.intern_atom(false, name)?.reply()?.atom)
        };
        Ok(Self {
            clients: atom(b"_NET_CLIENT_LIST")?,
            close: atom(b"_NET_CLOSE_WINDOW")?,
            root,
            connection,
        })
    }

    /// The first of the windows that the window manager shows.
    pub fn window(&self) -> Result<Option<Window>> {
        let clients = self
            .connection
            .get_property(false, self.root, self.clients, AtomEnum::WINDOW, 0, 16)?
            .reply()?;
        Ok(clients.value32().and_then(|mut windows| windows.next()))
    }

    /// Whether something is in the window besides its background.
    pub fn is_painted(&self, window: Window) -> Result<bool> {
        // One that went away meanwhile is not painted.
        let Ok(size) = self.connection.get_geometry(window)?.reply() else {
            return Ok(false);
        };
        let (width, height) = (size.width.min(LOOK.0), size.height.min(LOOK.1));
        let picture = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, !0)?
            .reply();
        // A window that is only half there can't be pictured.
        let Ok(picture) = picture else {
            return Ok(false);
        };
        let colours: HashSet<&[u8]> = picture.data.chunks_exact(4).collect();
        Ok(colours.len() > COLOURS)
    }

    /// Clicks on the window's ×, so to speak (EWMH, `_NET_CLOSE_WINDOW`).
    pub fn close(&self, window: Window) -> Result<()> {
        let message = ClientMessageEvent::new(32, window, self.close, [0, 2, 0, 0, 0]);
        let mask = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
        self.connection
            .send_event(false, self.root, mask, message)?;
        self.connection.flush()?;
        Ok(())
    }
}
