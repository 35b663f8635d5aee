//! A notification daemon that remembers what it was shown.

use super::lock;
use crate::ports::{Clock, ClosedBy, Later, Notifier, NotifierError, Toast, ToastEvent, ToastKey};
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// The contract of [`Notifier`]: no call takes longer.
const LIMIT: Duration = Duration::from_secs(3);

/// What the daemon does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotifierMode {
    /// It shows.
    #[default]
    Shows,
    /// There is none.
    Absent,
    /// It takes every call and answers none: each fails after 3 s.
    Hangs,
    /// It answers with an error.
    Refuses,
}

/// Remembers toasts, and lets a test act on them.
pub struct RecordingNotifier {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Notify,
    events: mpsc::UnboundedSender<ToastEvent>,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<ToastEvent>>,
}

#[derive(Default)]
struct State {
    mode: NotifierMode,
    shown: Vec<Toast>,
    shown_at: Vec<Timestamp>,
    screen: Vec<Toast>,
    withdrawn: Vec<ToastKey>,
    calls: usize,
}

impl RecordingNotifier {
    /// An empty screen; the clock times what hangs.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (events, queue) = mpsc::unbounded_channel();
        Self {
            clock,
            state: Mutex::default(),
            changed: Notify::new(),
            events,
            queue: tokio::sync::Mutex::new(queue),
        }
    }

    /// Changes what the daemon does, without telling anybody.
    pub fn set_mode(&self, mode: NotifierMode) {
        lock(&self.state).mode = mode;
    }

    /// The daemon is gone: its screen is empty, and the engine is told.
    pub fn vanish(&self) {
        let mut state = lock(&self.state);
        state.mode = NotifierMode::Absent;
        state.screen.clear();
        drop(state);
        self.send(ToastEvent::Gone);
    }

    /// A new daemon came: its screen is empty, and the engine is told.
    pub fn appear(&self) {
        let mut state = lock(&self.state);
        state.mode = NotifierMode::Shows;
        state.screen.clear();
        drop(state);
        self.send(ToastEvent::Available);
    }

    /// Every toast shown, edits too, in order.
    pub fn shown(&self) -> Vec<Toast> {
        lock(&self.state).shown.clone()
    }

    /// When each of these was shown.
    pub fn shown_at(&self) -> Vec<Timestamp> {
        lock(&self.state).shown_at.clone()
    }

    /// What is on the screen.
    pub fn screen(&self) -> Vec<Toast> {
        lock(&self.state).screen.clone()
    }

    /// Keys withdrawn, in order.
    pub fn withdrawn(&self) -> Vec<ToastKey> {
        lock(&self.state).withdrawn.clone()
    }

    /// Calls of `show`, whatever became of them.
    pub fn calls(&self) -> usize {
        lock(&self.state).calls
    }

    /// Waits until `count` toasts, edits too, were shown.
    pub async fn until_shown(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if lock(&self.state).shown.len() >= count {
                return;
            }
            changed.await;
        }
    }

    /// Something happens to a toast. A closed one leaves the screen.
    pub fn send(&self, event: ToastEvent) {
        if let ToastEvent::Closed { key, .. } = &event {
            lock(&self.state).screen.retain(|toast| toast.key != *key);
        }
        self.events
            .send(event)
            .expect("the receiver lives as long as the sender");
    }

    /// The user acts on a toast: `default`, `open` or an action's key.
    pub fn activate(&self, key: ToastKey, action: &str, token: Option<&str>) {
        self.send(ToastEvent::Activated {
            key,
            action: action.to_owned(),
            token: token.map(str::to_owned),
        });
    }

    /// The user dismisses a toast.
    pub fn dismiss(&self, key: ToastKey) {
        self.send(ToastEvent::Closed {
            key,
            by: ClosedBy::User,
        });
    }
}

impl Notifier for RecordingNotifier {
    fn show(&self, toast: Toast) -> Later<'_, Result<(), NotifierError>> {
        Box::pin(async move {
            let mode = {
                let mut state = lock(&self.state);
                state.calls += 1;
                state.mode
            };
            match mode {
                NotifierMode::Absent => return Err(NotifierError::Absent),
                NotifierMode::Refuses => return Err(NotifierError::Refused("no".to_owned())),
                NotifierMode::Hangs => {
                    self.clock.sleep(LIMIT).await;
                    return Err(NotifierError::Timeout);
                }
                NotifierMode::Shows => {}
            }
            let now = self.clock.now();
            let mut state = lock(&self.state);
            state.shown_at.push(now);
            state.shown.push(toast.clone());
            match state.screen.iter_mut().find(|old| old.key == toast.key) {
                Some(old) => *old = toast,
                None => state.screen.push(toast),
            }
            drop(state);
            self.changed.notify_waiters();
            Ok(())
        })
    }

    fn withdraw(&self, key: ToastKey) -> Later<'_, ()> {
        Box::pin(async move {
            if lock(&self.state).mode == NotifierMode::Hangs {
                self.clock.sleep(LIMIT).await;
            }
            let mut state = lock(&self.state);
            state.withdrawn.push(key);
            state.screen.retain(|toast| toast.key != key);
        })
    }

    fn event(&self) -> Later<'_, ToastEvent> {
        Box::pin(async move {
            self.queue
                .lock()
                .await
                .recv()
                .await
                .expect("the sender lives as long as the receiver")
        })
    }
}
