//! What a person sees on the private display: whether there is a window, and whether something is in it.

use std::collections::HashMap;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask,
    ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MapState, Window, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::Result;

/// A blank surface has one colour; smooth letters alone have more than this.
const COLOURS: usize = 32;
/// Looked at from the window's left upper corner, so that a look takes little time, in pixels.
const LOOK: (u16, u16) = (700, 500);
/// Every how many pixels one is looked at; no divisor of a usual width.
const STEP: usize = 11;

/// The display.
pub struct Screen {
    connection: RustConnection,
    root: Window,
    clients: Atom,
    close: Atom,
}

/// A key of the display's keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// +, wherever the keyboard has it.
    Plus,
    /// -
    Minus,
    /// 0
    Zero,
}

impl Key {
    /// Its names in X (`keysymdef.h`), the best one first: a key that needs no Shift.
    fn symbols(self) -> &'static [u32] {
        match self {
            Self::Plus => &[0xffab, 0x3d],
            Self::Minus => &[0x2d],
            Self::Zero => &[0x30],
        }
    }
}

/// The left Ctrl key's name in X.
const CONTROL: u32 = 0xffe3;

/// What is in a window's left upper corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How many different colours.
    pub colours: usize,
    /// The colour of most of it: red, green, blue.
    pub ground: (u8, u8, u8),
}

impl Look {
    /// Whether there is something besides the background.
    #[must_use]
    pub fn is_painted(self) -> bool {
        self.colours > COLOURS
    }
}

impl Screen {
    /// Connects to `display`, as in `DISPLAY`.
    ///
    /// # Errors
    /// There is no such display.
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
    ///
    /// # Errors
    /// The display is gone.
    pub fn window(&self) -> Result<Option<Window>> {
        let clients = self
            .connection
            .get_property(false, self.root, self.clients, AtomEnum::WINDOW, 0, 16)?
            .reply()?;
        Ok(clients.value32().and_then(|mut windows| windows.next()))
    }

    /// Opens a window of its own and waits for nothing; the window manager will show it.
    ///
    /// # Errors
    /// The display is gone.
    pub fn show_window(&self) -> Result<Window> {
        let window = self.connection.generate_id()?;
        let (depth, visual, border) = (0, 0, 0);
        self.connection
            .create_window(
                depth,
                window,
                self.root,
                10,
                10,
                200,
                100,
                border,
                WindowClass::INPUT_OUTPUT,
                visual,
                &CreateWindowAux::new(),
            )?
            .check()?;
        self.connection.map_window(window)?.check()?;
        Ok(window)
    }

    /// Asks the window manager to let the window fill the screen, or not any more.
    ///
    /// # Errors
    /// The display is gone.
    pub fn fill(&self, window: Window, on: bool) -> Result<()> {
        let atom = |name: &[u8]| -> Result<Atom> {
            Ok(self.connection.intern_atom(false, name)?.reply()?.atom)
        };
        let data = [
            u32::from(on),
            atom(b"_NET_WM_STATE_FULLSCREEN")?,
            x11rb::NONE,
            1,
            0,
        ];
        let message = ClientMessageEvent::new(32, window, atom(b"_NET_WM_STATE")?, data);
        let to = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
        self.connection
            .send_event(false, self.root, to, message)?
            .check()?;
        Ok(())
    }

    /// Takes the window away, as the end of its program does.
    ///
    /// # Errors
    /// The display is gone.
    pub fn take_away(&self, window: Window) -> Result<()> {
        Ok(self.connection.destroy_window(window)?.check()?)
    }

    /// What a person sees of the window; nothing while it is not, or only half, on the screen.
    ///
    /// # Errors
    /// The display is gone.
    pub fn look(&self, window: Window) -> Result<Option<Look>> {
        let state = self.connection.get_window_attributes(window)?.reply();
        if state.is_ok_and(|state| state.map_state != MapState::VIEWABLE) {
            return Ok(None);
        }
        let Ok(size) = self.connection.get_geometry(window)?.reply() else {
            return Ok(None);
        };
        let (width, height) = (size.width.min(LOOK.0), size.height.min(LOOK.1));
        let picture = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, !0)?
            .reply();
        let Ok(picture) = picture else {
            return Ok(None);
        };
        let mut counts = HashMap::<[u8; 3], usize>::new();
        for pixel in picture.data.chunks_exact(4).step_by(STEP) {
            *counts.entry([pixel[2], pixel[1], pixel[0]]).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|(_, count)| **count);
        let [red, green, blue] = most.map_or([0; 3], |(colour, _)| *colour);
        Ok(Some(Look {
            colours: counts.len(),
            ground: (red, green, blue),
        }))
    }

    /// Whether something is in the window besides its background.
    ///
    /// # Errors
    /// The display is gone.
    pub fn is_painted(&self, window: Window) -> Result<bool> {
        Ok(self.look(window)?.is_some_and(Look::is_painted))
    }

    /// Presses and releases `key` while Ctrl is held, as a person would (the XTEST extension): whoever has
    /// the focus gets it.
    ///
    /// # Errors
    /// The display is gone, or its keyboard has no such key.
    pub fn press_with_control(&self, key: Key) -> Result<()> {
        let control = self.code(&[CONTROL])?;
        let key = self.code(key.symbols())?;
        for (kind, code) in [
            (KEY_PRESS_EVENT, control),
            (KEY_PRESS_EVENT, key),
            (KEY_RELEASE_EVENT, key),
            (KEY_RELEASE_EVENT, control),
        ] {
            self.connection
                .xtest_fake_input(kind, code, 0, self.root, 0, 0, 0)?
                .check()?;
        }
        Ok(())
    }

    /// The code of the first of these symbols that a key has without Shift.
    fn code(&self, symbols: &[u32]) -> Result<u8> {
        let setup = self.connection.setup();
        let (least, most) = (setup.min_keycode, setup.max_keycode);
        let keyboard = self
            .connection
            .get_keyboard_mapping(least, most - least + 1)?
            .reply()?;
        let keys = keyboard
            .keysyms
            .chunks(usize::from(keyboard.keysyms_per_keycode));
        let plain: Vec<_> = keys.map(|key| key.first().copied()).collect();
        let found = symbols
            .iter()
            .find_map(|symbol| plain.iter().position(|key| key == &Some(*symbol)));
        let offset = found.ok_or_else(|| format!("the keyboard has none of {symbols:x?}"))?;
        Ok(least + u8::try_from(offset)?)
    }

    /// Clicks on the window's ×, so to speak (EWMH, `_NET_CLOSE_WINDOW`).
    ///
    /// # Errors
    /// The display is gone.
    pub fn close(&self, window: Window) -> Result<()> {
        let message = ClientMessageEvent::new(32, window, self.close, [0, 2, 0, 0, 0]);
        let mask = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
        self.connection
            .send_event(false, self.root, mask, message)?;
        self.connection.flush()?;
        Ok(())
    }
}
