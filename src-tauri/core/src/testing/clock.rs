//! Time that moves only when a test says so.

use super::lock;
use crate::ports::{Clock, Later};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often [`FakeClock::pass`] lets other tasks run before it moves on.
const TURNS: usize = 50;

/// A clock whose civil time and awake time are moved by the test, together or apart. Clones are the
/// same clock. Sleepers wake in the order of their deadlines.
#[derive(Clone)]
pub struct FakeClock {
    state: Arc<Mutex<State>>,
}

struct State {
    wall: Timestamp,
    zone: TimeZone,
    awake: Duration,
    sleepers: BTreeMap<u64, Sleeper>,
    next: u64,
    watchers: Vec<Waker>,
    fixed: VecDeque<f64>,
    seed: u64,
}

struct Sleeper {
    due: Due,
    over: bool,
    waker: Option<Waker>,
}

#[derive(Clone, Copy)]
enum Due {
    Awake(Duration),
    Wall(Timestamp),
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeClock {
    /// Starts on 2026-01-05 at 12:00 UTC, a Monday, awake for 1 h.
    pub fn new() -> Self {
        Self::at("2026-01-05T12:00:00Z".parse().expect("a timestamp"))
    }

    /// Starts at `wall`, awake for 1 h.
    pub fn at(wall: Timestamp) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                wall,
                zone: TimeZone::UTC,
                awake: Duration::from_hours(1),
                sleepers: BTreeMap::new(),
                next: 0,
                watchers: Vec::new(),
                fixed: VecDeque::new(),
                seed: 0x7469_6469_6e67_7321,
            })),
        }
    }

    /// Moves civil and awake time on at once: who sleeps past several deadlines wakes only once.
    pub fn advance(&self, time: Duration) {
        let mut state = lock(&self.state);
        state.awake += time;
        state.wall = moved(state.wall, time);
        state.wake(false);
    }

    /// Moves time on from deadline to deadline and lets other tasks run at each, as time would.
    pub async fn pass(&self, time: Duration) {
        let end = self.awake() + time;
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let left = end.saturating_sub(self.awake());
            if left.is_zero() {
                return;
            }
            let step = self.next_due().unwrap_or(left).min(left);
            // A sleeper that is due and was not polled yet must not stop the clock.
            self.advance(step.max(Duration::from_nanos(1)));
        }
    }

    /// The machine sleeps: civil time passes, awake time stands still. Who waits for civil time wakes.
    pub fn suspend(&self, time: Duration) {
        let mut state = lock(&self.state);
        state.wall = moved(state.wall, time);
        state.wake(true);
    }

    /// Somebody sets the clock, forward or back. Who waits for civil time wakes.
    pub fn jump_wall(&self, by: SignedDuration) {
        let mut state = lock(&self.state);
        state.wall = state.wall.saturating_add(by).expect("a signed duration");
        state.wake(true);
    }

    /// The system moves to another zone. Who waits for civil time wakes.
    pub fn set_zone(&self, zone: TimeZone) {
        let mut state = lock(&self.state);
        state.zone = zone;
        state.wake(true);
    }

    /// The next choices of [`Clock::chance`], in this order; after them, a fixed pseudo-random row.
    pub fn set_chances(&self, chances: impl IntoIterator<Item = f64>) {
        lock(&self.state).fixed = chances.into_iter().collect();
    }

    /// How many sleep now.
    pub fn sleepers(&self) -> usize {
        lock(&self.state).asleep()
    }

    /// Waits until at least `count` sleep.
    pub async fn asleep(&self, count: usize) {
        self.watch(|state| state.asleep() >= count).await;
    }

    /// Waits until someone sleeps who is due in exactly `time` of awake time.
    pub async fn asleep_for(&self, time: Duration) {
        self.watch(|state| {
            let at = state.awake + time;
            state
                .sleepers
                .values()
                .any(|sleeper| !sleeper.over && matches!(sleeper.due, Due::Awake(due) if due == at))
        })
        .await;
    }

    /// How long until the next sleeper is due, of either kind of time; none if nobody sleeps.
    pub fn next_due(&self) -> Option<Duration> {
        let state = lock(&self.state);
        state
            .sleepers
            .values()
            .filter(|sleeper| !sleeper.over)
            .map(|sleeper| match sleeper.due {
                Due::Awake(at) => at.saturating_sub(state.awake),
                Due::Wall(at) => {
                    Duration::try_from(at.duration_since(state.wall)).unwrap_or_default()
                }
            })
            .min()
    }

    async fn watch(&self, seen: impl Fn(&State) -> bool) {
        poll_fn(|cx| {
            let mut state = lock(&self.state);
            if seen(&state) {
                Poll::Ready(())
            } else {
                state.watchers.push(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }

    fn sleeper(&self, due: impl FnOnce(&State) -> Due) -> Later<'static, ()> {
        let mut state = lock(&self.state);
        let id = state.next;
        state.next += 1;
        let due = due(&state);
        let over = state.is_due(due);
        let sleeper = Sleeper {
            due,
            over,
            waker: None,
        };
        state.sleepers.insert(id, sleeper);
        for watcher in state.watchers.drain(..) {
            watcher.wake();
        }
        drop(state);
        Box::pin(Sleep {
            id,
            clock: self.clone(),
        })
    }
}

fn moved(wall: Timestamp, time: Duration) -> Timestamp {
    wall.saturating_add(time).expect("an unsigned duration")
}

impl State {
    fn is_due(&self, due: Due) -> bool {
        match due {
            Due::Awake(at) => at <= self.awake,
            Due::Wall(at) => at <= self.wall,
        }
    }

    fn asleep(&self) -> usize {
        self.sleepers
            .values()
            .filter(|sleeper| !sleeper.over)
            .count()
    }

    fn wake(&mut self, wall_moved: bool) {
        let mut due: Vec<_> = self
            .sleepers
            .iter()
            .filter(|(_, sleeper)| !sleeper.over)
            .filter(|(_, sleeper)| {
                self.is_due(sleeper.due) || (wall_moved && matches!(sleeper.due, Due::Wall(_)))
            })
            .map(|(id, sleeper)| {
                let late = match sleeper.due {
                    Due::Awake(at) => SignedDuration::try_from(self.awake.saturating_sub(at)),
                    Due::Wall(at) => Ok(self.wall.duration_since(at)),
                };
                (std::cmp::Reverse(late.unwrap_or(SignedDuration::MAX)), *id)
            })
            .collect();
        due.sort_unstable();
        for (_, id) in due {
            let sleeper = self.sleepers.get_mut(&id).expect("it was just listed");
            sleeper.over = true;
            if let Some(waker) = sleeper.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        lock(&self.state).wall
    }

    fn zone(&self) -> TimeZone {
        lock(&self.state).zone.clone()
    }

    fn awake(&self) -> Duration {
        lock(&self.state).awake
    }

    fn sleep(&self, time: Duration) -> Later<'static, ()> {
        self.sleeper(|state| Due::Awake(state.awake.saturating_add(time)))
    }

    fn sleep_until(&self, at: Timestamp) -> Later<'static, ()> {
        self.sleeper(|_| Due::Wall(at))
    }

    fn chance(&self) -> f64 {
        let mut state = lock(&self.state);
        if let Some(chance) = state.fixed.pop_front() {
            return chance;
        }
        // SplitMix64 (Steele, Lea, Flood 2014): the same row in every run.
        state.seed = state.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state.seed;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let high = u32::try_from(bits >> 32).expect("32 bits");
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

struct Sleep {
    id: u64,
    clock: FakeClock,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.clock.state);
        match state.sleepers.get_mut(&self.id) {
            Some(sleeper) if !sleeper.over => {
                sleeper.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        lock(&self.clock.state).sleepers.remove(&self.id);
    }
}
