//! The life of one account's connection, as a pure machine: [`step`] takes what happened and says
//! what to do. It reads no clock and touches no socket, so that its whole behaviour is a table.

use crate::backend::{Failure, FailureKind};
use crate::model::TransportKind;
use crate::transport::backoff::Backoff;
use crate::transport::limits::{Times, WISH_LEAST, WISH_MOST};
use jiff::Timestamp;
use std::time::Duration;

/// A working lower transport tries to climb again this often (`design.md`, Transport ladder).
pub const CLIMB_EVERY: Duration = Duration::from_mins(30);
/// So many blocked attempts in a row lead to the next transport.
const BLOCKED_TWICE: u32 = 2;
/// A connection that ended as agreed after less than this is not opened again at once.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// A failure that needs the user is tried again this slowly where it may mend itself (a certificate
/// that was renewed, an address that came back).
const SLOW_RETRY: Duration = Duration::from_mins(15);

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Awake time.
    pub awake: Duration,
    /// Civil time, for what the user sees.
    pub now: Timestamp,
    /// An even choice from `0.0..1.0`.
    pub chance: f64,
}

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Nothing to connect.
    Idle,
    /// Being opened.
    Connecting,
    /// Open and complete.
    Live {
        /// Since when, awake time.
        since: Duration,
    },
    /// Waiting to try again.
    Waiting {
        /// Until when, awake time.
        until: Duration,
        /// The same in civil time.
        until_now: Timestamp,
    },
    /// The machine has no network.
    Offline,
    /// Needs the user.
    Stopped,
}

/// The transports that may be used, best first, and where we are on them.
#[derive(Clone, Debug)]
struct Ladder {
    rungs: Vec<TransportKind>,
    at: usize,
    blocked: u32,
    /// The rung that worked, while a better one is tried.
    fall_back: Option<usize>,
}

impl Ladder {
    fn new(rungs: Vec<TransportKind>) -> Self {
        Self {
            rungs,
            at: 0,
            blocked: 0,
            fall_back: None,
        }
    }

    fn current(&self) -> Option<TransportKind> {
        self.rungs.get(self.at).copied()
    }

    /// Takes note of a blocked attempt; `true` if another rung is to be tried at once.
    fn blocked(&mut self) -> bool {
        self.blocked += 1;
        if self.blocked < BLOCKED_TWICE || self.rungs.len() < 2 {
            return false;
        }
        self.blocked = 0;
        self.at += 1;
        if self.at == self.rungs.len() {
            // All of them look blocked: the network is at fault, not the transport. Begin anew, slowly.
            self.at = 0;
            return false;
        }
        true
    }
}

/// The whole state of one account's connection.
#[derive(Clone, Debug)]
pub struct State {
    /// Where it stands.
    pub phase: Phase,
    /// Since when, civil time.
    pub since: Timestamp,
    /// Why it is not live, in words; empty where there is nothing to say.
    pub problem: String,
    ladder: Ladder,
    backoff: Backoff,
    wanted: bool,
    online: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// There is something to connect, over these transports, best first; or nothing.
    Configured {
        /// Transports; empty: nothing to connect.
        transports: Vec<TransportKind>,
        /// How patient it is.
        times: Times,
    },
    /// The connection is complete.
    Live,
    /// The attempt, or the connection, has failed.
    Failed(Failure),
    /// The awake time asked for by [`Command::WakeAt`] has come.
    Due,
    /// The machine has a network, or has none.
    Network(bool),
    /// The machine woke from sleep.
    Woke,
    /// The user wants it tried now.
    RetryNow,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hang up, whatever is open.
    HangUp,
    /// Make an attempt.
    Connect(TransportKind),
    /// Send [`Event::Due`] at this awake time; replaces an earlier wish.
    WakeAt(Duration),
}

impl State {
    /// A connection that has nothing to connect yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Idle,
            since: now,
            problem: String::new(),
            ladder: Ladder::new(Vec::new()),
            backoff: Backoff::default(),
            wanted: false,
            online: true,
        }
    }

    /// What carries it, or would.
    pub fn transport(&self) -> Option<TransportKind> {
        self.ladder.current()
    }

    fn enter(&mut self, phase: Phase, at: Moment) {
        if std::mem::discriminant(&self.phase) != std::mem::discriminant(&phase) {
            self.since = at.now;
        }
        self.phase = phase;
    }

    fn connect(&mut self, at: Moment) -> Vec<Command> {
        let Some(transport) = self.ladder.current().filter(|_| self.wanted) else {
            self.enter(Phase::Idle, at);
            return vec![Command::HangUp];
        };
        self.enter(Phase::Connecting, at);
        vec![Command::HangUp, Command::Connect(transport)]
    }

    fn wait(&mut self, time: Duration, at: Moment) -> Vec<Command> {
        let until = at.awake + time;
        let until_now = jiff::SignedDuration::try_from(time)
            .ok()
            .and_then(|time| at.now.checked_add(time).ok())
            .unwrap_or(at.now);
        self.enter(Phase::Waiting { until, until_now }, at);
        vec![Command::HangUp, Command::WakeAt(until)]
    }

    fn failed(&mut self, failure: Failure, at: Moment) -> Vec<Command> {
        self.problem = failure.says;
        if let Some(rung) = self.ladder.fall_back.take() {
            // The better transport still does not work; the one that did is taken again at once.
            self.ladder.at = rung;
            return self.connect(at);
        }
        match failure.kind {
            FailureKind::SignIn | FailureKind::Forbidden => {
                self.enter(Phase::Stopped, at);
                vec![Command::HangUp]
            }
            FailureKind::WrongAddress => self.wait(SLOW_RETRY, at),
            FailureKind::Again if self.was_live_for(AGAIN_AFTER, at) => match failure.retry_after {
                None => self.connect(at),
                Some(wish) => self.wait(as_wished(wish, at.chance), at),
            },
            FailureKind::Blocked if self.ladder.blocked() => self.connect(at),
            FailureKind::Again | FailureKind::Blocked | FailureKind::Transient => {
                let wait = self.backoff.next(at.awake, at.chance, failure.retry_after);
                self.wait(wait, at)
            }
        }
    }

    fn was_live_for(&self, time: Duration, at: Moment) -> bool {
        matches!(self.phase, Phase::Live { since } if at.awake >= since + time)
    }

    /// Cuts the waiting short, without forgetting what is wrong with a stopped one.
    fn at_once(&mut self, at: Moment) -> Vec<Command> {
        self.backoff.reset();
        self.connect(at)
    }
}

/// A server's wish for the time after a connection that ended as agreed: believed within its bounds,
/// never undercut, and spread a little, since all whose connections it ended were told the same.
fn as_wished(wish: Duration, chance: f64) -> Duration {
    let wish = wish.clamp(WISH_LEAST, WISH_MOST);
    wish + wish.mul_f64(chance.clamp(0.0, 1.0) / 4.0)
}

/// What follows from `event`.
pub fn step(mut state: State, event: Event, at: Moment) -> (State, Vec<Command>) {
    let commands = match event {
        Event::Configured { transports, times } => {
            state.wanted = !transports.is_empty();
            state.ladder = Ladder::new(transports);
            state.problem.clear();
            state.backoff = Backoff::new(times);
            if state.online || !state.wanted {
                state.connect(at)
            } else {
                state.enter(Phase::Offline, at);
                vec![Command::HangUp]
            }
        }
        // What was hung up has nothing to be live.
        Event::Live if state.phase != Phase::Connecting => Vec::new(),
        Event::Live => {
            state.problem.clear();
            state.ladder.blocked = 0;
            state.ladder.fall_back = None;
            state.backoff.connected(at.awake);
            state.enter(Phase::Live { since: at.awake }, at);
            if state.ladder.at > 0 {
                vec![Command::WakeAt(at.awake + CLIMB_EVERY)]
            } else {
                Vec::new()
            }
        }
        Event::Failed(failure) => match state.phase {
            Phase::Connecting | Phase::Live { .. } => state.failed(failure, at),
            // The end of a connection that was hung up says nothing new.
            _ => Vec::new(),
        },
        Event::Due => match state.phase {
            Phase::Waiting { until, .. } if at.awake >= until => state.connect(at),
            Phase::Waiting { until, .. } => vec![Command::WakeAt(until)],
            Phase::Live { since } if state.ladder.at > 0 => {
                if at.awake >= since + CLIMB_EVERY {
                    state.ladder.fall_back = Some(state.ladder.at);
                    state.ladder.at = 0;
                    state.connect(at)
                } else {
                    vec![Command::WakeAt(since + CLIMB_EVERY)]
                }
            }
            _ => Vec::new(),
        },
        Event::Network(online) => {
            let before = std::mem::replace(&mut state.online, online);
            match (&state.phase, before, online) {
                (Phase::Idle | Phase::Stopped | Phase::Offline, _, false) | (_, true, true) => {
                    Vec::new()
                }
                (_, _, false) => {
                    state.enter(Phase::Offline, at);
                    vec![Command::HangUp]
                }
                (Phase::Offline | Phase::Waiting { .. }, _, true) => state.at_once(at),
                (_, _, true) => Vec::new(),
            }
        }
        Event::Woke => match state.phase {
            // What was open is dead or about to be: the peer saw us go.
            Phase::Connecting | Phase::Live { .. } | Phase::Waiting { .. } => state.at_once(at),
            Phase::Idle | Phase::Offline | Phase::Stopped => Vec::new(),
        },
        Event::RetryNow => match state.phase {
            Phase::Live { .. } | Phase::Connecting | Phase::Idle => Vec::new(),
            Phase::Waiting { .. } | Phase::Stopped | Phase::Offline => {
                state.online = true;
                state.at_once(at)
            }
        },
    };
    (state, commands)
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
