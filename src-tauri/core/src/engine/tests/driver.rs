//! The engine without its tasks: what they would do is done in a fixed order, at times that a test says. Beside the
//! clock nothing is pretended: requests, store, scheduler and presenter are the engine's.

use crate::engine::ingest::{self, Filling, Item};
use crate::engine::{Engine, Parts, Shared, begin, lock, present, scheduler};
use crate::model::{
    AccountId, BackendKind, Draft, NewAccount, NewSubscription, Notification, NotificationId, Rule,
    SecretPlace, SignIn, SubscriptionId, Surroundings, Way,
};
use crate::policy::Rulebook;
use crate::policy::play::{Happening, Look, Looking};
use crate::policy::tests::plays::{Ordinals, Plays, Ruled, Shown, Waiting};
use crate::ports::{Clock as _, ClosedBy};
use crate::store::{Store, StoreError, ToastId, Tx};
use crate::testing::{FakeClock, FakeDesktop, MemorySecrets, RecordingNotifier, ScriptedTransport};
use futures_util::FutureExt as _;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tidings_api::{Change, ListQuery, Presence, Reply, Request, Targets};

/// The least time between two looks of the scheduler, should it want to look again at once.
const STEP: SignedDuration = SignedDuration::from_millis(100);

pub(super) struct Driver {
    /// None only while it is started again.
    engine: Option<Engine>,
    clock: FakeClock,
    notifier: Arc<RecordingNotifier>,
    book: Arc<Rulebook>,
    around: Surroundings,
    filling: Filling,
    /// When the scheduler wants to look again.
    next: Option<Timestamp>,
    versions: HashMap<NotificationId, i64>,
    toasts: Ordinals<ToastId>,
    on_screen: HashSet<ToastId>,
    shown: Vec<Shown>,
    told: Option<i64>,
}

fn parts(clock: &FakeClock, notifier: &Arc<RecordingNotifier>) -> Parts {
    Parts {
        mandates: crate::settings::MandatesFile::default(),
        profile: PathBuf::new(),
        cache: PathBuf::new(),
        clock: Arc::new(clock.clone()),
        notifier: Arc::clone(notifier) as _,
        secrets: Arc::new(MemorySecrets::new()),
        desktop: Arc::new(FakeDesktop::new()),
        dial: Arc::new(ScriptedTransport::new(Arc::new(clock.clone()))),
        version: String::new(),
        device: String::new(),
    }
}

fn account() -> NewAccount {
    NewAccount {
        kind: BackendKind::Ntfy,
        name: String::new(),
        url: "https://ntfy.example/".parse().unwrap(),
        sign_in: SignIn::None,
        secrets: SecretPlace::Memory,
        header_names: Vec::new(),
        options: String::new(),
        way: Way::default(),
        transport: None,
        allow_http: false,
        made_token: String::new(),
    }
}

impl Driver {
    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.engine().shared
    }

    fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> T {
        self.shared().store.write(work).unwrap()
    }

    fn start(&mut self, store: Store) {
        let engine = Engine::with_store(parts(&self.clock, &self.notifier), store).unwrap();
        self.engine = Some(engine);
        self.use_book();
        begin(self.shared());
    }

    fn use_book(&self) {
        *self.shared().rulebook.write().unwrap() = Arc::clone(&self.book);
    }

    pub(super) fn ask(&self, request: Request) -> Option<Reply> {
        let asked = self.engine().handle(request).now_or_never();
        asked.expect("nothing waits for anything").ok()
    }

    fn takes_in(&mut self, item: Item) {
        let mut filling = std::mem::take(&mut self.filling);
        let shared = Arc::clone(self.shared());
        let items = [item];
        let outcome = self.write(|tx| ingest::apply_all(&shared, tx, &items, &mut filling));
        ingest::tell(&shared, outcome);
        self.filling = filling;
    }

    fn arrives(&mut self, n: Notification) {
        let key = n.id.to_string();
        if n.read_at.is_some() {
            self.takes_in(Item::Read {
                subscription: n.subscription,
                replace_key: key.clone(),
                version: 1,
            });
        }
        let draft = Box::new(Draft {
            remote_id: key.clone(),
            replace_key: key,
            version: 1,
            ..n.draft
        });
        self.takes_in(Item::Notify {
            account: n.account,
            subscription: n.subscription,
            draft,
            origin: n.origin,
        });
        let ids = self.write(|tx| tx.notifications(&[n.id]));
        let is_it = |found: &Notification| found.draft.replace_key == n.id.to_string();
        assert!(ids.iter().all(is_it), "ids are given as they come");
    }

    fn changes(&mut self, id: NotificationId, draft: Draft) {
        let Some(old) = self.write(|tx| tx.notifications(&[id])).pop() else {
            return;
        };
        let version = self.versions.entry(id).or_insert(1);
        *version += 1;
        let draft = Box::new(Draft {
            remote_id: format!("{id}.{version}"),
            replace_key: id.to_string(),
            version: *version,
            ..draft
        });
        self.takes_in(Item::Notify {
            account: old.account,
            subscription: old.subscription,
            draft,
            origin: old.origin,
        });
    }

    fn change(&self, id: NotificationId, change: Change) {
        let targets = Targets::Ids { ids: vec![id] };
        // It may never have come, or be deleted.
        let _ = self.ask(Request::Change { targets, change });
    }

    fn look(&self, looking: Looking) {
        let list = |account: Option<AccountId>, subscription: Option<SubscriptionId>| {
            Some(ListQuery {
                account,
                subscription,
                ..ListQuery::default()
            })
        };
        let (list, notification) = match looking {
            Looking::Elsewhere => (None, None),
            Looking::Everything => (list(None, None), None),
            Looking::Account(account) => (list(Some(account), None), None),
            Looking::Subscription(subscription) => (list(None, Some(subscription)), None),
            Looking::Item(id) => (None, Some(id)),
        };
        let _ = self.ask(Request::Looking(Presence {
            focused: looking != Looking::Elsewhere,
            list,
            notification,
        }));
    }

    fn dismissed(&mut self, id: NotificationId) {
        let toast = self.write(|tx| tx.open_toast_of(id));
        if let Some(toast) = toast.filter(|toast| self.on_screen.remove(toast)) {
            self.see_it_go(toast);
            present::closed(self.shared(), toast, ClosedBy::User).unwrap();
        }
    }

    fn restarts(&mut self) {
        let shared = self.engine.take().unwrap().shared;
        let shared = Arc::into_inner(shared).expect("nobody else has it");
        self.on_screen.clear();
        self.start(shared.store);
        self.shared().set_around(self.around);
    }

    /// What was withdrawn since.
    fn watch_the_screen(&mut self) {
        let mut over = Vec::new();
        if let Some(queues) = lock(&self.engine().queues).as_mut() {
            while let Ok(toast) = queues.over.try_recv() {
                over.push(toast);
            }
        }
        for toast in over {
            if self.on_screen.remove(&toast) {
                self.see_it_go(toast);
            }
        }
    }

    fn see_it_go(&mut self, toast: ToastId) {
        self.shown.push(Shown {
            at: self.clock.now(),
            toast: self.toasts.of(toast),
            look: Look::Gone,
            count: 0,
            tier: crate::model::Tier::Informational,
            title: String::new(),
            body: String::new(),
            sound: None,
        });
    }

    fn present(&mut self) {
        let now = self.clock.now();
        while let Some(job) = self.write(|tx| tx.claim_toast(now)) {
            let shared = Arc::clone(self.shared());
            let went = present::show(&shared, &job).now_or_never();
            assert_eq!(went, Some(true), "the notifier shows everything at once");
            let shown = self.notifier.shown().pop().unwrap();
            self.on_screen.insert(job.id);
            let shown = Shown {
                at: now,
                toast: self.toasts.of(job.id),
                look: if shown.update { Look::Edit } else { Look::New },
                count: job.count,
                tier: shown.tier,
                title: shown.title,
                body: shown.body,
                sound: shown.sound,
            };
            self.shown.push(shown);
        }
        self.watch_the_screen();
    }

    fn schedule(&mut self) {
        self.next = scheduler::release_due(self.shared()).unwrap();
        self.watch_the_screen();
    }

    fn set_clock(&self, to: Timestamp) {
        let by = to.duration_since(self.clock.now());
        match Duration::try_from(by) {
            Ok(by) => self.clock.advance(by),
            Err(_) => self.clock.jump_wall(by),
        }
    }
}

impl Plays for Driver {
    fn begin(book: Arc<Rulebook>, zone: TimeZone, now: Timestamp) -> Self {
        let clock = FakeClock::at(now);
        clock.set_zone(zone);
        let notifier = Arc::new(RecordingNotifier::new(Arc::new(clock.clone())));
        let mut driver = Self {
            engine: None,
            clock,
            notifier,
            book,
            around: Surroundings::default(),
            filling: Filling::new(),
            next: None,
            versions: HashMap::new(),
            toasts: Ordinals::default(),
            on_screen: HashSet::new(),
            shown: Vec::new(),
            told: None,
        };
        driver.start(Store::in_memory().unwrap());
        driver
    }

    fn subscribes(&mut self, account_id: AccountId, subscription: SubscriptionId, name: &str) {
        let now = self.clock.now();
        self.write(|tx| {
            while tx.account(account_id).is_err() {
                tx.add_account(&account(), &[], now)?;
            }
            let topic = NewSubscription {
                topic: name.to_owned(),
                name: String::new(),
            };
            tx.add_subscription(account_id, &topic, now)
                .map(|id| assert_eq!(id, subscription, "numbers are given in order"))
        });
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn pass(&mut self, to: Timestamp) {
        if to <= self.now() {
            return;
        }
        self.settle();
        while let Some(next) = self.next {
            let next = if next <= self.now() {
                self.now() + STEP
            } else {
                next
            };
            if next >= to {
                break;
            }
            self.set_clock(next);
            self.settle();
        }
        self.set_clock(to);
    }

    fn jump(&mut self, to: Timestamp) {
        self.settle();
        self.set_clock(to);
        scheduler::zone_now(self.shared(), to);
    }

    fn settle(&mut self) {
        self.schedule();
        self.present();
        let again = self.write(|tx| tx.next_again());
        self.next = self.next.into_iter().chain(again).min();
    }

    fn happens(&mut self, what: Happening) {
        match what {
            Happening::Arrives(n) => self.arrives(*n),
            Happening::Changes { id, draft } => self.changes(id, *draft),
            Happening::Filled => {
                let first = SubscriptionId(1);
                if self.write(|tx| Ok(tx.subscription(first).is_ok())) {
                    self.takes_in(Item::Filled {
                        subscription: first,
                        missing: None,
                    });
                }
            }
            Happening::Read(id) => self.change(id, Change::Read),
            Happening::Unread(id) => self.change(id, Change::Unread),
            Happening::Done(id) => self.change(id, Change::Done),
            Happening::Deleted(id) => self.change(id, Change::Delete),
            Happening::Snoozed { id, back } => {
                self.change(id, Change::Snooze { back });
            }
            Happening::Online(account) => {
                self.schedule();
                self.shared().back_online(account);
                self.schedule();
            }
            Happening::Pause(pause) => self.shared().set_pause(pause).unwrap(),
            Happening::DeliverNow => {
                self.schedule();
                let _ = self.ask(Request::DeliverNow);
                self.schedule();
            }
            Happening::Looks(looking) => self.look(looking),
            Happening::Around(around) => {
                self.around = around;
                self.shared().set_around(around);
            }
            Happening::Zone(zone) => {
                self.clock.set_zone(zone);
                scheduler::zone_now(self.shared(), self.now());
            }
            Happening::Preferences(book) => {
                self.book = book;
                self.use_book();
                self.shared().reconsider();
            }
            Happening::Dismissed(id) => self.dismissed(id),
            Happening::Restart => self.restarts(),
        }
        self.watch_the_screen();
    }

    fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    fn take_ruled(&mut self) -> Vec<Ruled> {
        let mut all = Vec::new();
        loop {
            let found = self.write(|tx| tx.ledgers(Timestamp::MIN, self.told, 1000));
            let Some((last, ..)) = found.last() else {
                return all;
            };
            self.told = Some(*last);
            all.extend(found.into_iter().map(|(_, n, row)| Ruled {
                at: row.at,
                id: n.id,
                disposition: row.disposition,
                trace: row.trace,
            }));
            // What its user put off is written down, and nobody decided it.
            all.retain(|ruled: &Ruled| ruled.trace[0].rule != Rule::Snoozed);
        }
    }

    fn waits(&self) -> Waiting {
        let waiting = self.write(|tx| tx.waiting());
        waiting
            .into_iter()
            .map(|waiting| (waiting.cause.batch_key(), (waiting.count, waiting.until)))
            .collect()
    }
}
