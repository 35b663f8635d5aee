//! Which toast has which id with the notification daemon of the moment. Pure.

use std::collections::VecDeque;
use tidings_core::ports::{ClosedBy, ToastEvent, ToastKey};

/// Toasts remembered; the oldest are forgotten first.
const REMEMBERED: usize = 256;
/// Signals about unknown ids kept while a toast is being shown: the answer may come before its id.
const EARLY: usize = 32;

/// What a notification daemon tells (Desktop Notifications Specification 1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `ActivationToken`, sent before the action it belongs to.
    Token(u32, String),
    /// `ActionInvoked`.
    Action(u32, String),
    /// `NotificationClosed`, with its reason.
    Closed(u32, u32),
}

impl Signal {
    fn id(&self) -> u32 {
        match self {
            Self::Token(id, _) | Self::Action(id, _) | Self::Closed(id, _) => *id,
        }
    }
}

struct Entry {
    key: ToastKey,
    id: u32,
    token: Option<String>,
}

/// The toasts of one daemon.
#[derive(Default)]
pub struct Table {
    entries: VecDeque<Entry>,
    showing: u32,
    early: VecDeque<Signal>,
}

impl Table {
    /// The daemon's id of a toast; 0 for none.
    pub fn id(&self, key: ToastKey) -> u32 {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map_or(0, |entry| entry.id)
    }

    /// A toast is on its way to the daemon.
    pub fn showing(&mut self) {
        self.showing += 1;
    }

    /// The daemon answered with an id, or did not. What the user did in between is returned.
    pub fn shown(&mut self, key: ToastKey, id: Option<u32>) -> Vec<ToastEvent> {
        self.showing = self.showing.saturating_sub(1);
        if let Some(id) = id {
            // An edit keeps what was heard of the toast meanwhile.
            let before = self
                .entries
                .iter_mut()
                .find(|entry| entry.key == key && entry.id == id);
            let token = before.and_then(|entry| entry.token.take());
            // An id belongs to one toast: the daemon gave it anew.
            self.entries
                .retain(|entry| entry.key != key && entry.id != id);
            self.entries.push_back(Entry { key, id, token });
            if self.entries.len() > REMEMBERED {
                self.entries.pop_front();
            }
        }
        let early = std::mem::take(&mut self.early);
        let (ours, others): (Vec<_>, Vec<_>) = early
            .into_iter()
            .partition(|signal| Some(signal.id()) == id);
        if self.showing > 0 {
            self.early = others.into();
        }
        ours.into_iter()
            .filter_map(|signal| self.signal(signal))
            .collect()
    }

    /// Takes in a signal. It may be about another application's toast.
    pub fn signal(&mut self, signal: Signal) -> Option<ToastEvent> {
        let Some(at) = self
            .entries
            .iter()
            .position(|entry| entry.id == signal.id())
        else {
            if self.showing > 0 {
                self.early.push_back(signal);
                if self.early.len() > EARLY {
                    self.early.pop_front();
                }
            }
            return None;
        };
        let entry = &mut self.entries[at];
        let key = entry.key;
        match signal {
            Signal::Token(_, token) => {
                entry.token = Some(token);
                None
            }
            Signal::Action(_, action) => Some(ToastEvent::Activated {
                key,
                action,
                token: entry.token.take(),
            }),
            Signal::Closed(_, reason) => {
                self.entries.remove(at);
                let by = match reason {
                    1 => ClosedBy::Expiry,
                    2 => ClosedBy::User,
                    3 => ClosedBy::Us,
                    _ => ClosedBy::Unknown,
                };
                Some(ToastEvent::Closed { key, by })
            }
        }
    }

    /// Another daemon: its ids mean other toasts.
    pub fn forget(&mut self) {
        self.entries.clear();
        self.early.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ToastKey = ToastKey(7);

    fn shown(key: ToastKey, id: u32) -> Table {
        let mut table = Table::default();
        table.showing();
        assert_eq!(table.shown(key, Some(id)), []);
        table
    }

    #[test]
    fn signals_about_others_are_not_ours() {
        let mut table = shown(KEY, 3);
        for signal in [
            Signal::Token(4, "t".into()),
            Signal::Action(4, "default".into()),
            Signal::Closed(4, 2),
        ] {
            assert_eq!(table.signal(signal), None);
        }
        assert_eq!(table.id(KEY), 3);
        assert_eq!(table.id(ToastKey(8)), 0);
    }

    #[test]
    fn a_token_goes_with_the_next_action_only() {
        let mut table = shown(KEY, 3);
        assert_eq!(table.signal(Signal::Token(3, "t".into())), None);
        for token in [Some("t".to_owned()), None] {
            assert_eq!(
                table.signal(Signal::Action(3, "open".into())),
                Some(ToastEvent::Activated {
                    key: KEY,
                    action: "open".into(),
                    token,
                })
            );
        }
    }

    #[test]
    fn a_token_survives_an_edit_that_ends_between_it_and_its_action() {
        let mut table = shown(KEY, 3);
        table.showing();
        assert_eq!(table.signal(Signal::Token(3, "t".into())), None);
        assert_eq!(table.shown(KEY, Some(3)), []);
        let event = table.signal(Signal::Action(3, "default".into()));
        assert!(
            matches!(event, Some(ToastEvent::Activated { token: Some(_), .. })),
            "{event:?}"
        );
    }

    #[test]
    fn an_answer_before_the_id_is_not_lost() {
        let mut table = Table::default();
        table.showing();
        assert_eq!(table.signal(Signal::Token(5, "t".into())), None);
        assert_eq!(table.signal(Signal::Action(5, "default".into())), None);
        assert_eq!(table.signal(Signal::Closed(5, 2)), None);
        let events = table.shown(KEY, Some(5));
        assert_eq!(
            events,
            [
                ToastEvent::Activated {
                    key: KEY,
                    action: "default".into(),
                    token: Some("t".into()),
                },
                ToastEvent::Closed {
                    key: KEY,
                    by: ClosedBy::User,
                }
            ]
        );
        assert_eq!(table.id(KEY), 0);
    }

    #[test]
    fn nothing_is_kept_for_a_toast_that_could_not_be_shown() {
        let mut table = Table::default();
        table.showing();
        table.signal(Signal::Action(5, "default".into()));
        assert_eq!(table.shown(KEY, None), []);
        table.showing();
        assert_eq!(table.shown(KEY, Some(5)), []);
    }

    #[test]
    fn a_new_daemon_knows_no_old_ids_and_the_table_is_bounded() {
        let mut table = shown(KEY, 3);
        table.forget();
        assert_eq!(table.id(KEY), 0);
        assert_eq!(table.signal(Signal::Action(3, "default".into())), None);
        for at in 0..10_000 {
            table.showing();
            table.shown(ToastKey(at), Some(u32::try_from(at).unwrap() + 1));
        }
        assert_eq!(table.entries.len(), REMEMBERED);
        assert_eq!(table.id(ToastKey(9_999)), 10_000);
    }

    #[test]
    fn an_id_given_anew_belongs_to_the_newer_toast() {
        let mut table = shown(KEY, 3);
        table.showing();
        table.shown(ToastKey(8), Some(3));
        assert_eq!(table.id(KEY), 0);
        assert_eq!(table.id(ToastKey(8)), 3);
    }
}
