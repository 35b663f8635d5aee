//! Whether the window that has the focus fills the screen, as the window manager of an X11 desktop notes on it
//! (Extended Window Manager Hints 1.5, `_NET_ACTIVE_WINDOW` and `_NET_WM_STATE`).

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, Window,
};
use x11rb::rust_connection::RustConnection;

x11rb::atom_manager! {
    /// The hints' names.
    Atoms: AtomsCookie {
        supported: &b"_NET_SUPPORTED"[..],
        active: &b"_NET_ACTIVE_WINDOW"[..],
        state: &b"_NET_WM_STATE"[..],
        full: &b"_NET_WM_STATE_FULLSCREEN"[..],
    }
}

/// Words of a hint that are read at most; no window manager supports nearly as many.
const MOST: u32 = 1024;

/// The display.
pub struct Screen {
    connection: RustConnection,
    root: Window,
    atoms: Atoms,
    /// The window that is watched, or none (0).
    active: Window,
}

impl Screen {
    /// Connects to the display of the environment. None without one, and on Wayland, which tells nobody what others'
    /// windows do: asking there would merely start the desktop's X server.
    pub fn open() -> Option<Self> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if set("WAYLAND_DISPLAY") || !set("DISPLAY") {
            return None;
        }
        match Self::connect() {
            Ok(screen) => Some(screen),
            Err(error) => {
                tracing::debug!(%error, "no display");
                None
            }
        }
    }

    fn connect() -> Result<Self, Box<dyn std::error::Error>> {
        let (connection, number) = x11rb::connect(None)?;
        let root = connection.setup().roots[number].root;
        let atoms = Atoms::new(&connection)?.reply()?;
        let screen = Self {
            connection,
            root,
            atoms,
            active: x11rb::NONE,
        };
        screen.listen(root, EventMask::PROPERTY_CHANGE)?;
        Ok(screen)
    }

    fn listen(&self, window: Window, what: EventMask) -> Result<(), ConnectionError> {
        let wanted = ChangeWindowAttributesAux::new().event_mask(what);
        // A window may be gone by now: then the answer is an error, which nobody waits for.
        self.connection
            .change_window_attributes(window, &wanted)?
            .ignore_error();
        Ok(())
    }

    /// The 32-bit words of a property; none if the window is gone.
    fn words(&self, window: Window, name: u32) -> Result<Vec<u32>, ConnectionError> {
        let asked = self
            .connection
            .get_property(false, window, name, AtomEnum::ANY, 0, MOST)?;
        match asked.reply() {
            Ok(answer) => Ok(answer.value32().map(Iterator::collect).unwrap_or_default()),
            Err(ReplyError::X11Error(_)) => Ok(Vec::new()),
            Err(ReplyError::ConnectionError(error)) => Err(error),
        }
    }

    /// Whether a window fills the screen; none if there is no window manager that would note it.
    ///
    /// # Errors
    /// The display is gone.
    pub fn look(&mut self) -> Result<Option<bool>, ConnectionError> {
        let supported = self.words(self.root, self.atoms.supported)?;
        let needed = [self.atoms.active, self.atoms.full];
        if !needed.iter().all(|one| supported.contains(one)) {
            return Ok(None);
        }
        let active = self.words(self.root, self.atoms.active)?;
        let active = active.first().copied().unwrap_or(x11rb::NONE);
        if active != self.active {
            if self.active != x11rb::NONE && self.active != self.root {
                self.listen(self.active, EventMask::NO_EVENT)?;
            }
            self.active = active;
            if active != x11rb::NONE && active != self.root {
                // And its end: some window managers then go on naming it.
                let what = EventMask::PROPERTY_CHANGE | EventMask::STRUCTURE_NOTIFY;
                self.listen(active, what)?;
            }
        }
        if active == x11rb::NONE {
            return Ok(Some(false));
        }
        // Read after listening began: what changes in between is heard.
        let state = self.words(active, self.atoms.state)?;
        Ok(Some(state.contains(&self.atoms.full)))
    }

    /// Waits until it may be otherwise.
    ///
    /// # Errors
    /// The display is gone.
    pub fn changed(&self) -> Result<(), ConnectionError> {
        self.connection.flush()?;
        loop {
            let mut relevant = self.is_relevant(&self.connection.wait_for_event()?);
            // Changes come in bursts: they are looked at together.
            while let Some(event) = self.connection.poll_for_event()? {
                relevant |= self.is_relevant(&event);
            }
            if relevant {
                return Ok(());
            }
        }
    }

    fn is_relevant(&self, event: &Event) -> bool {
        match event {
            Event::PropertyNotify(of) if of.window == self.root => {
                [self.atoms.active, self.atoms.supported].contains(&of.atom)
            }
            Event::PropertyNotify(of) => of.window == self.active && of.atom == self.atoms.state,
            Event::DestroyNotify(of) => of.window == self.active,
            Event::UnmapNotify(of) => of.window == self.active,
            _ => false,
        }
    }
}
