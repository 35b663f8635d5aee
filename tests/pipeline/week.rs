//! Weeks of a life: office hours and nights, pauses and journeys, a laptop that sleeps and clocks that jump, with the
//! program ending in the middle of everything. What has to hold of all of it is in `week/checks.rs`.

mod checks;
mod days;

use crate::harness::{Desk, server};
use checks::{Told, check};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::time::Duration;
use tidings_api::preferences::{Batch, Cell, Day, Preferences, Row, Schedule, ToastChoice};
use tidings_api::{Change, NotificationId, PauseChange, Reply, Request, Targets, Tier};
use tidings_core::ports::{Clock as _, Toast};
use tidings_core::testing::FakeClock;
use tidings_server::{Publish, Server};

/// Real time that anything may take before a test gives up; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

const TOPICS: [&str; 6] = ["alerts", "builds", "chat", "news", "hints", "papers"];

/// How the program ends before it starts again.
#[derive(Clone, Copy)]
enum End {
    Clean,
    Killed,
}

struct Week {
    /// None only while it starts again.
    desk: Option<Desk>,
    server: Server,
    clock: FakeClock,
    monday: Date,
    chance: u64,
    life: Life,
}

/// What there is to check.
#[derive(Default)]
struct Life {
    schedules: Vec<Schedule>,
    published: Vec<String>,
    told: Vec<Told>,
    /// Which toast told of which notification; toasts that are gone for long are forgotten in the database.
    members: BTreeSet<(i64, i64)>,
    /// From when on which zone.
    zones: Vec<(Timestamp, TimeZone)>,
    /// Pauses: from, to.
    pauses: Vec<(Timestamp, Timestamp)>,
    /// The user asked for what waits.
    delivered: Vec<Timestamp>,
    /// The clock or the zone jumped: lengths and ends of what waits are others.
    disturbed: Vec<Timestamp>,
    /// Nobody was there to be on time: from, to.
    absent: Vec<(Timestamp, Timestamp)>,
    snoozed: Vec<NotificationId>,
}

fn schedule(
    name: &str,
    days: &[Day],
    from: &str,
    to: &str,
    lets_through: Option<Tier>,
) -> Schedule {
    Schedule {
        name: name.to_owned(),
        off: false,
        days: days.to_vec(),
        from: from.parse().expect("a time"),
        to: to.parse().expect("a time"),
        lets_through,
        skip: None,
    }
}

fn nights() -> Vec<Schedule> {
    let (work, weekend) = Day::WEEK.split_at(5);
    vec![
        schedule("Night", work, "22:00", "07:00", Some(Tier::Critical)),
        schedule("Late", weekend, "23:00", "09:30", Some(Tier::Critical)),
        schedule("Lunch", work, "12:30", "13:15", None),
    ]
}

impl Week {
    async fn begin(monday: Date) -> Self {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let start = monday.at(8, 0, 0, 0).to_zoned(zone.clone());
        let start = start.expect("a time").timestamp();
        let clock = FakeClock::at(start);
        clock.set_zone(zone.clone());
        let server = server(&clock).await;
        let desk = Desk::new(&clock);
        let account = desk.add(&server, &TOPICS).await;
        desk.until_live().await;
        let mut preferences = Preferences::default();
        preferences.quiet.schedules = nights();
        let cells = [
            ("builds", None, Some(Batch::Leading { seconds: 300 })),
            (
                "chat",
                None,
                Some(Batch::Trailing {
                    seconds: 60,
                    most: 300,
                }),
            ),
            (
                "news",
                None,
                Some(Batch::Daily {
                    at: "18:00".parse().expect("a time"),
                }),
            ),
            ("papers", Some(ToastChoice::Digest), None),
        ];
        for (topic, toast, batch) in cells {
            let mut all = account.subscriptions.iter();
            let subscription = all.find(|one| one.topic == topic).map(|one| one.id);
            assert!(subscription.is_some());
            preferences.rows.push(Row {
                account: account.id,
                subscription,
                kind: None,
                until: None,
                cell: Cell {
                    toast,
                    batch,
                    ..Cell::default()
                },
            });
        }
        match desk
            .ask(Request::PreferencesSet(Box::new(preferences)))
            .await
        {
            Reply::Preferences(view) => assert_eq!(view.problems, []),
            other => panic!("{other:?}"),
        }
        Self {
            desk: Some(desk),
            server,
            clock,
            monday,
            chance: 0x5eed,
            life: Life {
                schedules: nights(),
                zones: vec![(start, zone)],
                ..Life::default()
            },
        }
    }

    fn desk(&self) -> &Desk {
        self.desk.as_ref().expect("it runs")
    }

    fn database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Connection::open_with_flags(self.desk().database(), flags).expect("the database opens")
    }

    /// A number below `end`, the same in every run (Knuth's MMIX).
    fn below(&mut self, end: u64) -> u64 {
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % end
    }

    /// The moment at which the clock shows this, so many days after Monday.
    fn moment(&self, day: i32, time: &str) -> Timestamp {
        let date = self.monday.checked_add(day.days()).expect("a day");
        let time: Time = time.parse().expect("a time");
        let zoned = date.to_datetime(time).to_zoned(self.clock.zone());
        zoned.expect("a moment").timestamp()
    }

    /// Time passes, stopping wherever something is due, so that nobody has an excuse to be late.
    async fn until(&mut self, day: i32, time: &str) {
        let to = self.moment(day, time);
        self.pass(to).await;
    }

    async fn pass(&mut self, to: Timestamp) {
        loop {
            self.idle().await;
            let now = self.clock.now();
            assert!(now <= to, "{now} is after {to}");
            let next = self.next_due().filter(|next| *next < to).unwrap_or(to);
            self.sleep(next.duration_since(now));
            if next == to {
                break;
            }
        }
        self.idle().await;
    }

    /// Civil time passes; what connections are patient for has real time.
    fn sleep(&self, time: SignedDuration) {
        self.clock
            .suspend(Duration::try_from(time).expect("time passes"));
    }

    fn next_due(&self) -> Option<Timestamp> {
        let db = self.database();
        let soonest: Option<i64> = db
            .query_row(
                "SELECT min(at) FROM (
                     SELECT due_at AS at FROM delivery WHERE state = 'held' AND due_at <> 0
                     UNION ALL SELECT again_at FROM delivery WHERE again_at <> 0)",
                [],
                |row| row.get(0),
            )
            .expect("an answer");
        let soonest = soonest.map(|at| Timestamp::from_microsecond(at).expect("a time"));
        let now = self.clock.now();
        let paused = self.life.pauses.iter().map(|(_, to)| *to);
        let paused = paused.filter(|to| now < *to);
        soonest.into_iter().chain(paused).min()
    }

    /// Waits until everything that is due was done: decided, shown, taken from the screen. In real time; where it is
    /// never done, something is held longer than its cause.
    async fn idle(&self) {
        let all = self.life.published.len();
        let waiting = async {
            let db = self.database();
            loop {
                let now = self.clock.now().as_microsecond();
                let left: (i64, i64, i64) = db
                    .query_row(
                        "SELECT (SELECT count(*) FROM notification),
                             (SELECT count(*) FROM toast WHERE state IN ('pending', 'claimed')),
                             (SELECT count(*) FROM delivery WHERE (state = 'held' AND due_at <> 0 AND due_at <= ?1)
                                 OR (again_at <> 0 AND again_at <= ?1))",
                        [now],
                        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                    )
                    .expect("an answer");
                if left == (i64::try_from(all).expect("few"), 0, 0) {
                    return;
                }
                crate::harness::look_again().await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(
            done.is_ok(),
            "something is held beyond its cause: {:#?}",
            self.desk().status().await
        );
    }

    /// Published, and not waited for.
    async fn send(&mut self, topic: &str, priority: u8) {
        let message = format!("{topic} {} p{priority}", self.life.published.len());
        let publish = Publish {
            topic: topic.to_owned(),
            message: message.clone(),
            priority,
            ..Publish::default()
        };
        self.server.publish(publish).await.expect("it is published");
        self.life.published.push(message);
    }

    async fn sends(&mut self, topic: &str, priority: u8, count: usize) {
        for _ in 0..count {
            self.send(topic, priority).await;
        }
        self.idle().await;
    }

    async fn change(&self, id: NotificationId, change: Change) {
        let targets = Targets::Ids { ids: vec![id] };
        self.desk().ask(Request::Change { targets, change }).await;
    }

    /// The newest one.
    async fn newest(&self) -> NotificationId {
        self.desk().rows().await[0].id
    }

    async fn pause(&mut self, change: PauseChange) {
        let now = self.clock.now();
        match self.desk().ask(Request::Pause(change)).await {
            Reply::Status(status) => {
                let pause = status.pause.expect("it is paused");
                let to = pause.until.unwrap_or(Timestamp::MAX);
                self.life.pauses.push((now, to));
            }
            other => panic!("{other:?}"),
        }
    }

    async fn resume(&mut self) {
        self.desk().ask(Request::Pause(PauseChange::Off)).await;
        let last = self.life.pauses.last_mut().expect("it was paused");
        last.1 = self.clock.now();
        self.idle().await;
    }

    /// What was shown so far, as the screen is about to be another one.
    fn note_told(&mut self) {
        let desk = self.desk();
        let (shown, at) = (desk.notifier.shown(), desk.notifier.shown_at());
        let told = shown.into_iter().zip(at);
        let members = checks::members(&self.database());
        self.life
            .told
            .extend(told.map(|(toast, at): (Toast, _)| Told { toast, at }));
        self.life.members.extend(members);
    }

    /// In the middle of whatever it is.
    async fn again(&mut self, end: End) {
        self.again_after(end, 0).await;
    }

    /// The same, and so many come while nobody listens.
    async fn again_after(&mut self, end: End, missed: usize) {
        self.idle().await;
        self.note_told();
        let desk = self.desk.take().expect("it runs");
        let meanwhile = async {
            for _ in 0..missed {
                self.send("alerts", 4).await;
            }
        };
        let desk = match end {
            End::Clean => desk.restart_after(meanwhile).await,
            End::Killed => desk.kill(meanwhile).await,
        };
        desk.until_live().await;
        self.desk = Some(desk);
        self.idle().await;
    }

    /// The lid is closed; nothing is heard or done until it is opened.
    async fn lid_closed_until(&mut self, day: i32, time: &str) {
        let (from, to) = (self.clock.now(), self.moment(day, time));
        self.sleep(to.duration_since(from));
        self.desk().engine.woke();
        self.life.absent.push((from, to));
        self.desk().until_live().await;
        self.idle().await;
    }

    async fn set_clock(&mut self, by: SignedDuration) {
        self.life.disturbed.push(self.clock.now());
        self.clock.jump_wall(by);
        self.life.disturbed.push(self.clock.now());
        self.desk().engine.woke();
        self.desk().until_live().await;
        self.idle().await;
    }

    fn travel(&mut self, zone: &str) {
        let zone = TimeZone::get(zone).expect("a zone");
        self.clock.set_zone(zone.clone());
        let now = self.clock.now();
        self.life.zones.push((now, zone));
        self.life.disturbed.push(now);
    }

    /// Work, from one time to another: something of every kind every few minutes, and some of it is read.
    async fn office(&mut self, day: i32, from: &str, to: &str) {
        self.until(day, from).await;
        let end = self.moment(day, to);
        loop {
            let wait = 120 + i64::try_from(self.below(900)).expect("small");
            let next = self.clock.now() + SignedDuration::from_secs(wait);
            if end <= next {
                break;
            }
            self.pass(next).await;
            let topic = TOPICS[usize::try_from(self.below(6)).expect("small")];
            let priority = [3, 3, 4, 2, 1, 3][usize::try_from(self.below(6)).expect("small")];
            let burst = [1, 1, 1, 2, 9][usize::try_from(self.below(5)).expect("small")];
            self.sends(topic, priority, burst).await;
            if self.below(3) == 0 {
                let newest = self.newest().await;
                self.change(newest, Change::Read).await;
                self.idle().await;
            }
        }
        self.pass(end).await;
    }

    async fn finish(mut self) {
        self.idle().await;
        self.note_told();
        let mut bodies = self.desk().bodies().await;
        let mut published = self.life.published.clone();
        published.sort();
        bodies.sort();
        assert_eq!(bodies, published, "each is in the inbox, once");
        let db = self.database();
        check(&self.life, &db);
        self.desk().engine.stop().await;
    }
}

/// From a Monday to the Tuesday after: at the end of it the clocks change, and then its user flies east.
async fn live(monday: Date) {
    let mut week = Week::begin(monday).await;
    days::all(&mut week).await;
    week.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_in_which_an_hour_is_skipped() {
    live(jiff::civil::date(2026, 3, 23)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_in_which_an_hour_passes_twice() {
    live(jiff::civil::date(2026, 10, 19)).await;
}
