//! The store against the simplest inbox that could be meant: whatever happens, in whatever order, both say
//! the same.

use super::{Fixture, at, version};
use crate::model::{Fate, NotificationId};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tidings_api::{Change, ListQuery, Place};

/// What happens.
#[derive(Clone, Debug)]
enum Event {
    /// Key, remote id and version come from small sets, so that they meet.
    Message {
        key: u8,
        number: u8,
    },
    Read {
        key: u8,
        version: u8,
    },
    Removed {
        key: u8,
        version: u8,
    },
    Change {
        rows: Vec<u8>,
        change: Change,
    },
    Undo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    key: u8,
    remote: u8,
    version: u8,
    texts: Vec<u8>,
    read: bool,
    done: bool,
    deleted: bool,
    /// A newer version took the place of this deleted one.
    gone: bool,
}

/// Rows of a step, and whether they were read and done before it.
type Step = Vec<(NotificationId, bool, bool)>;

/// Rows by their id, in the order in which they came.
#[derive(Default)]
struct Inbox {
    rows: BTreeMap<NotificationId, Row>,
    /// Remote ids that were ever stored, by key.
    stored: Vec<(u8, u8)>,
    read_marks: BTreeMap<u8, u8>,
    delete_marks: BTreeMap<u8, u8>,
    undo: Vec<(Change, Step)>,
}

/// A message's version: two numbers share each, as servers count seconds.
fn version_of(number: u8) -> u8 {
    number / 2 + 1
}

impl Inbox {
    fn live(&mut self, key: u8) -> Option<(NotificationId, &mut Row)> {
        self.rows
            .iter_mut()
            .find(|(_, row)| row.key == key && !row.gone)
            .map(|(id, row)| (*id, row))
    }

    fn message(&mut self, key: u8, number: u8, fate: &Fate) {
        let version = version_of(number);
        let mark = self.delete_marks.get(&key).copied().unwrap_or(0);
        let read = version <= self.read_marks.get(&key).copied().unwrap_or(0);
        let known = self.stored.contains(&(key, number));
        let present = self.live(key).map(|(id, row)| (id, row.clone()));
        if known {
            assert!(matches!(fate, Fate::Known(_)), "stored before: {fate:?}");
            return;
        }
        match present {
            Some((id, row)) if !row.deleted => {
                if version <= mark || version < row.version {
                    assert_eq!(*fate, Fate::Known(Some(id)));
                } else {
                    assert_eq!(*fate, Fate::Updated(id));
                    self.stored.push((key, number));
                    let (_, row) = self.live(key).unwrap();
                    row.texts.push(number);
                    (row.version, row.remote) = (version, number);
                    row.read |= read;
                }
            }
            other => {
                let before = other.map_or(0, |(_, row)| row.version);
                if version <= mark || version <= before {
                    assert_eq!(*fate, Fate::Known(None));
                    return;
                }
                let Fate::New(new) = fate else {
                    panic!("new: {fate:?}");
                };
                if let Some((_, row)) = self.live(key) {
                    row.gone = true;
                    let version = row.version;
                    let mark = self.delete_marks.entry(key).or_default();
                    *mark = version.max(*mark);
                }
                self.stored.push((key, number));
                let row = Row {
                    key,
                    remote: number,
                    version,
                    texts: vec![number],
                    read,
                    done: false,
                    deleted: false,
                    gone: false,
                };
                assert!(self.rows.insert(new.id, row).is_none(), "a new id");
            }
        }
    }

    fn read(&mut self, key: u8, version: u8) -> Vec<NotificationId> {
        let mark = self.read_marks.entry(key).or_default();
        if version <= *mark {
            return Vec::new();
        }
        *mark = version;
        match self.live(key) {
            Some((id, row)) if !row.deleted && row.version <= version && !row.read => {
                row.read = true;
                vec![id]
            }
            _ => Vec::new(),
        }
    }

    fn removed(&mut self, key: u8, version: u8) -> Vec<NotificationId> {
        let mark = self.delete_marks.entry(key).or_default();
        if version <= *mark {
            return Vec::new();
        }
        *mark = version;
        match self.live(key) {
            Some((id, row)) if !row.deleted && row.version <= version => {
                row.deleted = true;
                vec![id]
            }
            _ => Vec::new(),
        }
    }

    fn change(&mut self, ids: &[NotificationId], change: Change) -> Vec<NotificationId> {
        let mut step = Vec::new();
        for id in ids {
            let Some(row) = self
                .rows
                .get_mut(id)
                .filter(|row| !row.gone && !row.deleted)
            else {
                continue;
            };
            let before = row.clone();
            match change {
                Change::Seen => {}
                Change::Read => row.read = true,
                Change::Unread => row.read = false,
                Change::Done => (row.read, row.done) = (true, true),
                Change::Restore => row.done = false,
                Change::Delete => row.deleted = true,
                Change::Snooze { .. } => unreachable!("snoozing has its own tests"),
            }
            if before != *row {
                step.push((*id, before.read, before.done));
            }
        }
        let changed = step.iter().map(|(id, ..)| *id).collect();
        if !step.is_empty() {
            self.undo.push((change, step));
        }
        changed
    }

    fn undo(&mut self) -> Option<(Change, Vec<NotificationId>)> {
        while let Some((change, step)) = self.undo.pop() {
            let mut ids = Vec::new();
            for (id, read, done) in step {
                let row = self.rows.get_mut(&id).unwrap();
                if row.gone || row.deleted != (change == Change::Delete) {
                    continue;
                }
                match change {
                    Change::Delete => row.deleted = false,
                    Change::Done => (row.read, row.done) = (read, done),
                    Change::Restore => row.done = done,
                    _ => row.read = read,
                }
                ids.push(id);
            }
            ids.sort_unstable();
            if !ids.is_empty() {
                return Some((change, ids));
            }
        }
        None
    }

    fn compare(&self, fixture: &Fixture) {
        let place = |place| {
            let mut ids = fixture.list(&ListQuery {
                place,
                limit: 500,
                ..ListQuery::default()
            });
            ids.sort_unstable();
            ids
        };
        let of = |wanted: &dyn Fn(&Row) -> bool| -> Vec<NotificationId> {
            let there = |row: &Row| !row.gone && !row.deleted;
            let rows = self.rows.iter();
            rows.filter(|(_, row)| there(row) && wanted(row))
                .map(|(id, _)| *id)
                .collect()
        };
        let inbox = of(&|row| !row.done);
        let unread = of(&|row| !row.done && !row.read);
        let done = of(&|row| row.done);
        assert_eq!(place(Place::All), inbox);
        assert_eq!(place(Place::Unread), unread);
        assert_eq!(place(Place::Done), done);
        let counts = fixture.counts();
        assert_eq!(
            [counts.all, counts.unread, counts.done],
            [inbox.len() as u64, unread.len() as u64, done.len() as u64]
        );
        for id in inbox.iter().chain(&done) {
            let (row, wanted) = (fixture.get(*id), &self.rows[id]);
            assert_eq!(
                row.draft.remote_id,
                format!("{}-{}", wanted.key, wanted.remote)
            );
            assert_eq!(row.draft.version, i64::from(wanted.version));
            assert_eq!(row.read_at.is_some(), wanted.read);
            let mut texts: Vec<String> = fixture
                .write(|tx| tx.revisions(*id))
                .into_iter()
                .map(|revision| revision.body)
                .collect();
            texts.insert(0, row.draft.body);
            let wanted: Vec<String> = wanted
                .texts
                .iter()
                .rev()
                .map(|number| format!("Body of {}-{number}", wanted.key))
                .collect();
            assert_eq!(texts, wanted);
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let change = prop_oneof![
        Just(Change::Seen),
        Just(Change::Read),
        Just(Change::Unread),
        Just(Change::Done),
        Just(Change::Restore),
        Just(Change::Delete),
    ];
    let event = prop_oneof![
        5 => (0..3_u8, 0..8_u8).prop_map(|(key, number)| Event::Message { key, number }),
        1 => (0..3_u8, 1..6_u8).prop_map(|(key, version)| Event::Read { key, version }),
        1 => (0..3_u8, 1..6_u8).prop_map(|(key, version)| Event::Removed { key, version }),
        3 => (prop::collection::vec(0..6_u8, 1..4), change)
            .prop_map(|(rows, change)| Event::Change { rows, change }),
        2 => Just(Event::Undo),
    ];
    prop::collection::vec(event, 1..40)
}

proptest! {
    #[test]
    fn the_store_is_the_simplest_inbox(events in events()) {
        let fixture = Fixture::new();
        let mut inbox = Inbox::default();
        for (now, event) in (100..).zip(events) {
            match event {
                Event::Message { key, number } => {
                    let remote_id = format!("{key}-{number}");
                    let mut draft = version(&format!("key-{key}"), &remote_id, 1);
                    draft.version = i64::from(version_of(number));
                    let fate = fixture.insert_at(draft, at(now));
                    inbox.message(key, number, &fate);
                }
                Event::Read { key, version } => {
                    let name = format!("key-{key}");
                    let ids = fixture.write(|tx| {
                        tx.read_elsewhere(fixture.subscription, &name, i64::from(version), at(now))
                    });
                    prop_assert_eq!(ids, inbox.read(key, version));
                }
                Event::Removed { key, version } => {
                    let name = format!("key-{key}");
                    let ids = fixture.write(|tx| {
                        tx.removed_elsewhere(fixture.subscription, &name, i64::from(version), at(now))
                    });
                    prop_assert_eq!(ids, inbox.removed(key, version));
                }
                Event::Change { rows, change } => {
                    let ids: Vec<NotificationId> =
                        rows.iter().map(|row| NotificationId(i64::from(*row) + 1)).collect();
                    let changed = fixture.write(|tx| tx.change(&ids, change, at(now)));
                    let wanted = inbox.change(&ids, change);
                    if change != Change::Seen {
                        prop_assert_eq!(changed, wanted);
                    }
                }
                Event::Undo => {
                    prop_assert_eq!(fixture.write(|tx| tx.undo(at(now))), inbox.undo());
                }
            }
            inbox.compare(&fixture);
        }
    }
}
