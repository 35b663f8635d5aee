//! Who is connected, which of them are windows, and what the user looks at in them.

use crate::os::clock::SystemClock;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tidings_api::wire::Line;
use tidings_api::{Event, Presence, Target};
use tidings_core::ports::Clock as _;
use tokio::sync::mpsc;

/// Connections at a time; a window, a few commands and a few watchers are usual.
pub const MOST: usize = 32;

/// A window that hangs up so soon after it was asked to show something was closing.
const CLOSING: Duration = Duration::from_secs(2);

/// Names a connection; never reused.
pub type ClientId = u64;

struct Client {
    window: bool,
    watching: bool,
    lines: mpsc::Sender<Line>,
    presence: Option<Presence>,
    /// What it was last asked to show, and when, until it reacts.
    asked: Option<(Target, Option<String>, Duration)>,
}

#[derive(Default)]
struct State {
    next: ClientId,
    clients: BTreeMap<ClientId, Client>,
    /// What the next window to watch is told to show.
    waiting: Option<(Target, Option<String>)>,
}

/// What follows for the engine from a connection's end.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// What another window shows is now what the user looks at.
    Other(Presence),
    /// Nobody looks any more.
    Nobody,
}

/// The connections.
#[derive(Default)]
pub struct Clients(Mutex<State>);

impl Clients {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in; none if there are too many. `lines` leads to it.
    pub fn enter(&self, lines: mpsc::Sender<Line>) -> Option<ClientId> {
        let mut state = self.lock();
        if state.clients.len() >= MOST {
            return None;
        }
        state.next += 1;
        let id = state.next;
        let client = Client {
            window: false,
            watching: false,
            lines,
            presence: None,
            asked: None,
        };
        state.clients.insert(id, client);
        Some(id)
    }

    /// It said that it is a window.
    pub fn is_window(&self, id: ClientId) {
        if let Some(client) = self.lock().clients.get_mut(&id) {
            client.window = true;
        }
    }

    /// It asked to watch. False if it does already. A window is told what waits for one.
    pub fn watches(&self, id: ClientId) -> bool {
        let mut state = self.lock();
        let Some(client) = state.clients.get_mut(&id) else {
            return false;
        };
        let first = !client.watching;
        client.watching = true;
        if client.window
            && let Some((target, token)) = state.waiting.take()
        {
            state.present(&target, token.as_deref());
        }
        first
    }

    /// It says what the user looks at in it.
    pub fn looks(&self, id: ClientId, presence: &Presence) {
        if let Some(client) = self.lock().clients.get_mut(&id) {
            client.presence = Some(presence.clone());
        }
    }

    /// It reacts to what it is asked.
    pub fn reacts(&self, id: ClientId) {
        if let Some(client) = self.lock().clients.get_mut(&id) {
            client.asked = None;
        }
    }

    /// What it was asked to show just before it hung up: it was closing already and cannot have shown it.
    pub fn take_unshown(&self, id: ClientId) -> Option<(Target, Option<String>)> {
        let (target, token, at) = self.lock().clients.get_mut(&id)?.asked.take()?;
        (SystemClock.awake().saturating_sub(at) < CLOSING).then_some((target, token))
    }

    /// It hung up.
    pub fn leave(&self, id: ClientId) -> Left {
        let mut state = self.lock();
        let Some(gone) = state.clients.remove(&id) else {
            return Left::Nothing;
        };
        if gone.presence.is_none() {
            return Left::Nothing;
        }
        let mut others = state.clients.values();
        match others.find_map(|client| client.presence.as_ref().filter(|shown| shown.focused)) {
            Some(presence) => Left::Other(presence.clone()),
            None => Left::Nobody,
        }
    }

    /// Asks the newest window to come forward. False if there is none.
    pub fn present(&self, target: &Target, token: Option<&str>) -> bool {
        self.lock().present(target, token)
    }

    /// The next window to watch is asked to show this.
    pub fn present_later(&self, target: Target, token: Option<String>) {
        self.lock().waiting = Some((target, token));
    }

    /// Takes back what waits for a window.
    pub fn take_waiting(&self) -> Option<(Target, Option<String>)> {
        self.lock().waiting.take()
    }
}

impl State {
    fn present(&mut self, target: &Target, token: Option<&str>) -> bool {
        let mut windows = self
            .clients
            .values_mut()
            .rev()
            .filter(|client| client.window && client.watching);
        // One that does not take its lines is being closed, or hangs: then the next one.
        windows.any(|window| {
            let event = Event::Present {
                target: target.clone(),
                token: token.map(str::to_owned),
            };
            let taken = window.lines.try_send(Line::Event { event }).is_ok();
            if taken {
                let token = token.map(str::to_owned);
                window.asked = Some((target.clone(), token, SystemClock.awake()));
            }
            taken
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected(clients: &Clients) -> (ClientId, mpsc::Receiver<Line>) {
        let (lines, sent) = mpsc::channel(4);
        (clients.enter(lines).unwrap(), sent)
    }

    fn shown(sent: &mut mpsc::Receiver<Line>) -> Option<Target> {
        match sent.try_recv().ok()? {
            Line::Event {
                event: Event::Present { target, .. },
            } => Some(target),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_newest_watching_window_is_asked() {
        let clients = Clients::default();
        let (_, mut command) = connected(&clients);
        assert!(!clients.present(&Target::Inbox, None));
        let (old, mut old_lines) = connected(&clients);
        clients.is_window(old);
        assert!(!clients.present(&Target::Inbox, None), "not watching yet");
        clients.watches(old);
        let (new, mut new_lines) = connected(&clients);
        clients.is_window(new);
        clients.watches(new);
        assert!(clients.present(&Target::Settings, None));
        assert_eq!(shown(&mut new_lines), Some(Target::Settings));
        clients.leave(new);
        assert!(clients.present(&Target::Inbox, None));
        assert_eq!(shown(&mut old_lines), Some(Target::Inbox));
        assert_eq!(shown(&mut command), None);
    }

    #[test]
    fn what_a_closing_window_was_asked_is_not_lost() {
        let clients = Clients::default();
        let (closing, _lines) = connected(&clients);
        clients.is_window(closing);
        clients.watches(closing);
        assert!(clients.present(&Target::Settings, None));
        let unshown = clients.take_unshown(closing);
        assert_eq!(unshown, Some((Target::Settings, None)));
        assert_eq!(clients.take_unshown(closing), None, "once");
        assert!(clients.present(&Target::Inbox, None));
        clients.reacts(closing);
        assert_eq!(clients.take_unshown(closing), None, "it was shown");
    }

    #[test]
    fn what_waits_goes_to_the_first_window_that_watches_and_to_no_other() {
        let clients = Clients::default();
        clients.present_later(Target::Inbox, None);
        clients.present_later(Target::Settings, None);
        let (command, mut lines) = connected(&clients);
        assert!(clients.watches(command));
        assert!(!clients.watches(command), "twice is once");
        assert_eq!(shown(&mut lines), None);
        let (window, mut lines) = connected(&clients);
        clients.is_window(window);
        clients.watches(window);
        assert_eq!(shown(&mut lines), Some(Target::Settings));
        assert_eq!(clients.take_waiting(), None);
    }

    #[test]
    fn looking_ends_with_the_connection() {
        let clients = Clients::default();
        let looking = Presence {
            focused: true,
            ..Presence::default()
        };
        let (command, _a) = connected(&clients);
        let (one, _b) = connected(&clients);
        let (two, _c) = connected(&clients);
        clients.looks(one, &looking);
        clients.looks(two, &looking);
        assert_eq!(clients.leave(command), Left::Nothing);
        assert_eq!(clients.leave(one), Left::Other(looking));
        assert_eq!(clients.leave(two), Left::Nobody);
        assert_eq!(clients.leave(two), Left::Nothing);
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let clients = Clients::default();
        let entered: Vec<_> = (0..MOST).map(|_| connected(&clients)).collect();
        assert_eq!(clients.enter(mpsc::channel(1).0), None);
        clients.leave(entered[0].0);
        assert!(clients.enter(mpsc::channel(1).0).is_some());
    }
}
