//! Opening: new, ours, of another time, or none.

use super::{Fixture, at, days, draft, new_account, topic};
use crate::model::{Cursor, Tier};
use crate::store::open::{MIGRATIONS, open, remember_damage};
use crate::store::{Opened, Store, StoreError};
use rusqlite::Connection;
use rusqlite_migration::M;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tidings_api::{Change, ListQuery};

pub(super) fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tidings.db");
    (folder, path)
}

pub(super) fn opened(path: &Path) -> Opened {
    Store::open(path, at(0)).unwrap()
}

/// A database that was used and closed.
pub(super) fn used(path: &Path) {
    let fixture = Fixture::of(opened(path).store);
    let id = fixture.id(draft("a", 1));
    fixture.id(draft("b", 2));
    fixture.write(|tx| {
        tx.change(&[id], Change::Read, at(3))?;
        tx.advance(fixture.subscription, &Cursor("2".to_owned()))?;
        tx.set_setting("app", "{}")
    });
    fixture.store.close().unwrap();
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn rows(store: &Store) -> usize {
    let now = super::zoned(at(0));
    let query = ListQuery::default();
    store.read(|tx| tx.page(&query, &now)).unwrap().0.len()
}

#[test]
fn a_new_one_is_private_and_in_order() {
    let (folder, path) = folder();
    let opened = opened(&path);
    assert_eq!(
        (opened.moved_aside, opened.migrated_from, opened.unclean),
        (None, None, false)
    );
    assert_eq!(opened.store.path(), Some(path.as_path()));
    let pragma = |name: &str| {
        opened
            .store
            .write(|tx| {
                Ok(tx.db.query_row(&format!("PRAGMA {name}"), [], |row| {
                    row.get::<_, rusqlite::types::Value>(0)
                })?)
            })
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
    assert_eq!(pragma("synchronous"), 2.into());
    assert_eq!(pragma("foreign_keys"), 1.into());
    assert_eq!(pragma("auto_vacuum"), 2.into());
    assert_eq!(
        pragma("user_version"),
        i64::try_from(MIGRATIONS.len()).unwrap().into()
    );
    #[cfg(unix)]
    for name in names(&folder) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join(&name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    opened.store.close().unwrap();
    let log = fs::metadata(folder.path().join("tidings.db-wal")).unwrap();
    assert_eq!(log.len(), 0, "it is folded in");
    drop(opened.store);
    assert_eq!(names(&folder), ["tidings.db"]);
}

#[test]
fn what_was_written_is_there_again() {
    let (_folder, path) = folder();
    used(&path);
    let again = opened(&path);
    assert!(!again.unclean);
    assert_eq!((again.moved_aside, again.migrated_from), (None, None));
    assert_eq!(rows(&again.store), 2);
    assert_eq!(
        again
            .store
            .read(|tx| tx.counts(&|_, _, _| true))
            .unwrap()
            .unread,
        1
    );
}

#[test]
fn an_end_without_close_is_noticed_until_the_file_was_checked() {
    let (folder, path) = folder();
    let store = opened(&path).store;
    let fixture = Fixture::of(store);
    fixture.id(draft("a", 1));
    // As after a kill: the files as they are, the process gone.
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["tidings.db", "tidings.db-wal", "tidings.db-shm"] {
        fs::copy(folder.path().join(name), copy.join(name)).unwrap();
    }
    let again = opened(&copy.join("tidings.db"));
    assert!(again.unclean);
    assert_eq!(rows(&again.store), 1);
    again.store.close().unwrap();
    let again = opened(&copy.join("tidings.db"));
    assert!(again.unclean, "nobody looked");
    assert!(again.store.is_unchecked());
    again.store.check().unwrap();
    assert!(!again.store.is_unchecked());
    again.store.close().unwrap();
    assert!(!opened(&copy.join("tidings.db")).unclean);
    // A drop is as good as a close.
    drop(fixture);
    assert!(!opened(&path).unclean);
}

#[test]
fn readers_can_only_read_and_see_one_moment() {
    let (_folder, path) = folder();
    let fixture = Fixture::of(opened(&path).store);
    fixture.id(draft("a", 1));
    let wrote = fixture.store.read(|tx| tx.set_setting("a", "b"));
    assert_eq!(wrote, Err(StoreError::ReadOnly));
    fixture
        .store
        .read(|tx| {
            let before = tx.counts(&|_, _, _| true)?;
            fixture.id(draft("b", 2));
            assert_eq!(tx.counts(&|_, _, _| true)?, before, "a snapshot");
            // A second reader at the same time sees the new row.
            assert_eq!(fixture.store.read(|tx| tx.counts(&|_, _, _| true))?.all, 2);
            Ok(())
        })
        .unwrap();
    assert_eq!(
        fixture
            .store
            .read(|tx| tx.counts(&|_, _, _| true))
            .unwrap()
            .all,
        2
    );
}

#[test]
fn readers_wait_for_each_other() {
    let (_folder, path) = folder();
    let fixture = Fixture::of(opened(&path).store);
    let barrier = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (fixture, barrier) = (&fixture, &barrier);
                scope.spawn(move || {
                    for round in 0..20 {
                        fixture.store.read(|tx| tx.counts(&|_, _, _| true)).unwrap();
                        if thread == 0 && round == 0 {
                            barrier.wait();
                        }
                        if thread < 2 {
                            fixture.id(draft(&format!("{thread}-{round}"), round));
                        }
                    }
                })
            })
            .collect();
        barrier.wait();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(fixture.counts().all, 40);
}

#[test]
fn a_newer_one_is_refused_and_not_touched() {
    let (folder, path) = folder();
    used(&path);
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.close().unwrap();
    let before = fs::read(&path).unwrap();
    let refused = Store::open(&path, at(0)).err().unwrap();
    let ours = u32::try_from(MIGRATIONS.len()).unwrap();
    assert_eq!(refused, StoreError::Newer { found: 99, ours });
    assert!(!refused.is_transient());
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(&folder), ["tidings.db"]);
}

#[test]
fn a_newer_one_known_only_from_its_log_is_refused_too() {
    let (folder, path) = folder();
    used(&path);
    let before = fs::read(&path).unwrap();
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["tidings.db", "tidings.db-wal"] {
        fs::copy(folder.path().join(name), copy.join(name)).unwrap();
    }
    let path = copy.join("tidings.db");
    assert_eq!(fs::read(&path).unwrap(), before, "it is only in the log");
    let refused = Store::open(&path, at(0)).err().unwrap();
    assert!(
        matches!(refused, StoreError::Newer { found: 99, .. }),
        "{refused:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(copy.join("tidings.db-wal").exists());
}

fn aside(opened: &Opened) -> PathBuf {
    opened.moved_aside.clone().expect("moved aside")
}

#[test]
fn what_is_no_database_is_moved_aside_and_kept() {
    let (folder, path) = folder();
    let contents = "this is no database ".repeat(100);
    for round in 0..2 {
        fs::write(&path, &contents).unwrap();
        fs::write(folder.path().join("tidings.db-wal"), "log").unwrap();
        let opened = opened(&path);
        let aside = aside(&opened);
        let name = aside.file_name().unwrap().to_str().unwrap();
        let wanted = [
            "tidings.db.damaged-20260107T120000Z",
            "tidings.db.damaged-20260107T120000Z-2",
        ];
        assert_eq!(name, wanted[round]);
        assert_eq!(fs::read_to_string(&aside).unwrap(), contents);
        assert_eq!(
            fs::read_to_string(folder.path().join(format!("{name}-wal"))).unwrap(),
            "log"
        );
        assert_eq!(rows(&opened.store), 0);
        drop(opened);
        for part in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("tidings.db{part}")));
        }
    }
}

#[test]
fn somebody_elses_database_is_moved_aside() {
    let (_folder, path) = folder();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1); PRAGMA user_version = 1;",
    )
    .unwrap();
    db.close().unwrap();
    let opened = opened(&path);
    let theirs = Connection::open(aside(&opened)).unwrap();
    let kept: i64 = theirs
        .query_row("SELECT a FROM theirs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn an_empty_file_is_begun() {
    let (folder, path) = folder();
    fs::write(&path, "").unwrap();
    let opened = opened(&path);
    assert_eq!(opened.moved_aside, None);
    assert_eq!(rows(&opened.store), 0);
    drop(opened);
    assert_eq!(names(&folder), ["tidings.db"]);
}

#[test]
fn a_log_without_its_file_or_index_does_no_harm() {
    let (folder, path) = folder();
    let fixture = Fixture::of(opened(&path).store);
    fixture.id(draft("a", 1));
    let take = |name: &str, parts: &[&str]| {
        let copy = folder.path().join(name);
        fs::create_dir(&copy).unwrap();
        for part in parts {
            let part = format!("tidings.db{part}");
            fs::copy(folder.path().join(&part), copy.join(&part)).unwrap();
        }
        copy.join("tidings.db")
    };
    let no_index = opened(&take("no-shm", &["", "-wal"]));
    assert_eq!(rows(&no_index.store), 1);
    assert!(no_index.unclean);
    let only_log = opened(&take("only-wal", &["-wal", "-shm"]));
    assert_eq!(rows(&only_log.store), 0);
    // Without its log, what was not folded in is gone, and the file is whole or moved aside.
    let no_log = opened(&take("no-wal", &["", "-shm"]));
    assert_eq!(rows(&no_log.store), 0);
}

#[test]
fn accounts_of_a_damaged_file_are_saved() {
    let (_folder, path) = folder();
    used(&path);
    // The table of notifications is gone, as far as its pages tell.
    let db = Connection::open(&path).unwrap();
    let root: u32 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'content'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let account: i64 = db
        .query_row("SELECT id FROM account", [], |row| row.get(0))
        .unwrap();
    db.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let start = (root as usize - 1) * 4096;
    bytes[start..start + 4096].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    // As a run that met the damage leaves it.
    remember_damage(&path);

    let opened = opened(&path);
    assert_eq!(fs::read(aside(&opened)).unwrap(), bytes);
    let accounts = opened.store.read(|tx| tx.accounts()).unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        (accounts[0].id.0, accounts[0].name.as_str()),
        (account, "Home")
    );
    let subscriptions = opened
        .store
        .read(|tx| tx.subscriptions(accounts[0].id))
        .unwrap();
    assert_eq!(
        (subscriptions[0].topic.as_str(), &subscriptions[0].cursor),
        ("alerts", &None)
    );
    assert_eq!(
        opened
            .store
            .read(|tx| tx.setting("app"))
            .unwrap()
            .as_deref(),
        Some("{}")
    );
    assert_eq!(rows(&opened.store), 0);
    // It works on: counts are kept for what was saved, and the next start finds a clean one.
    opened
        .store
        .write(|tx| {
            let origin = crate::model::Origin::FirstFilling;
            tx.insert(
                accounts[0].id,
                subscriptions[0].id,
                draft("a", 1),
                origin,
                at(2),
            )
        })
        .unwrap();
    assert_eq!(
        opened
            .store
            .read(|tx| tx.counts(&|_, _, _| true))
            .unwrap()
            .unread,
        1
    );
    opened.store.close().unwrap();
    assert_eq!(super::opening::opened(&path).moved_aside, None);
}

#[test]
fn an_older_one_is_copied_and_brought_up_to_date_or_left_as_it_was() {
    let (folder, path) = folder();
    used(&path);
    let before = MIGRATIONS.len();
    let and_then = |step| -> Vec<M<'static>> {
        let mut steps = MIGRATIONS.to_vec();
        steps.push(M::up(step));
        steps
    };
    let wrong = and_then(
        "ALTER TABLE account ADD COLUMN colour TEXT NOT NULL DEFAULT ''; CREATE TABLE no (",
    );
    assert!(open(&path, at(0), &wrong).is_err());
    let same = opened(&path);
    assert_eq!((same.migrated_from, rows(&same.store)), (None, 2));
    same.store.close().unwrap();

    let next = and_then("ALTER TABLE account ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'");
    let newer = open(&path, at(0), &next).unwrap();
    assert_eq!(newer.migrated_from, Some(u32::try_from(before).unwrap()));
    assert_eq!(rows(&newer.store), 2);
    newer.store.close().unwrap();
    assert!(
        matches!(
            Store::open(&path, at(0)),
            Err(StoreError::Newer { found, ours }) if found == ours + 1
        ),
        "never back"
    );
    let copies: Vec<String> = names(&folder)
        .into_iter()
        .filter(|name| name.contains(&format!(".schema-{before}-")))
        .collect();
    assert_eq!(copies.len(), 2, "one for each try: {copies:?}");
    let copy = opened(&folder.path().join(&copies[0]));
    assert_eq!(rows(&copy.store), 2);
}

/// Where databases of released schemas are kept.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/store/fixtures")
}

#[test]
fn every_released_database_opens() {
    let mut found = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "db") {
            continue;
        }
        found += 1;
        let (_folder, path) = folder();
        fs::copy(&file, &path).unwrap();
        let opened = opened(&path);
        assert_eq!(opened.moved_aside, None, "{}", file.display());
        let counts = opened.store.read(|tx| tx.counts(&|_, _, _| true)).unwrap();
        assert_eq!(
            (counts.all, counts.unread, counts.critical, counts.done),
            (3, 2, 1, 1)
        );
        assert_eq!((counts.held, counts.owed), (1, 1));
        let now = super::zoned(at(0));
        let search = ListQuery {
            search: "disk".to_owned(),
            ..ListQuery::default()
        };
        let (rows, _) = opened.store.read(|tx| tx.page(&search, &now)).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].draft.tier, Tier::Critical);
        assert_eq!(
            opened
                .store
                .read(|tx| tx.revisions(rows[0].id))
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            opened.store.read(|tx| tx.ledger(rows[0].id)).unwrap().len(),
            1
        );
        let undone = opened.store.write(|tx| tx.undo(at(100))).unwrap().unwrap();
        assert_eq!(undone.0, Change::Done);
    }
    assert!(found > 0);
}

/// Writes the database of the present schema among the fixtures: once, when it is released.
#[test]
#[ignore = "writes a fixture; run by hand before a schema is released"]
fn write_a_fixture() {
    let path = fixtures().join(format!("v{}.db", MIGRATIONS.len()));
    fs::create_dir_all(fixtures()).unwrap();
    let _ = fs::remove_file(&path);
    let fixture = Fixture::of(opened(&path).store);
    let mut urgent = super::version("disk", "first", 1);
    urgent.title = "Disk 91 %".to_owned();
    let id = fixture.id(urgent);
    let mut worse = super::version("disk", "second", 2);
    worse.title = "Disk full".to_owned();
    worse.tier = Tier::Critical;
    fixture.insert(worse);
    let held = fixture.id(draft("held", 3));
    let read = fixture.id(draft("read", 4));
    let done = fixture.id(draft("done", 5));
    fixture.write(|tx| {
        use super::deliveries::{hold, verdict};
        use crate::model::{Disposition, HoldCause, Mirror};
        let delivery = tx.decided(id, &verdict(Disposition::Present), at(2))?;
        tx.new_toast(None, Tier::Critical, true, &[delivery], at(2))?;
        tx.decided(held, &hold(HoldCause::Pause, None), at(3))?;
        tx.change(&[read], Change::Read, at(6))?;
        tx.owe(read, Mirror::Read, at(6))?;
        tx.change(&[done], Change::Done, at(7))?;
        tx.link_filled(fixture.subscription, at(8), 4, "")?;
        tx.advance(fixture.subscription, &Cursor("8".to_owned()))
    });
    fixture.store.close().unwrap();
}

/// The schema as SQLite has it, for people to read.
fn schema() -> String {
    let store = Store::in_memory().unwrap();
    let mut text = String::from(
        "-- The schema as SQLite has it. Written by the store's tests (UPDATE_SCHEMA=1); the reasons are in\n\
         -- src-tauri/core/src/store/migrations.\n",
    );
    store
        .write(|tx| {
            let mut statement = tx.db.prepare(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'search\\_%' ESCAPE '\\'
                     AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                 ORDER BY rowid",
            )?;
            for sql in statement.query_map([], |row| row.get::<_, String>(0))? {
                text.push('\n');
                text.push_str(&sql?);
                text.push_str(";\n");
            }
            Ok(())
        })
        .unwrap();
    text
}

#[test]
fn the_schema_for_people_is_the_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema.sql");
    let present = schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &present).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(
        committed == present,
        "docs/schema.sql is old. Run: UPDATE_SCHEMA=1 cargo test -p tidings-core store"
    );
}

#[test]
fn two_stores_of_one_file_do_not_lose_anything() {
    let (_folder, path) = folder();
    let fixture = Fixture::of(opened(&path).store);
    let other = opened(&path).store;
    other
        .write(|tx| tx.add_account(&new_account("Work"), &[topic("t")], at(1)))
        .unwrap();
    fixture.id(draft("a", 1));
    assert_eq!(other.read(|tx| tx.counts(&|_, _, _| true)).unwrap().all, 1);
    assert_eq!(fixture.write(|tx| tx.accounts()).len(), 2);
    // Long after: an old pause of the clock changes nothing about what is stored.
    assert_eq!(
        fixture.write(|tx| tx.retain(90, 10, 1, at(0) - days(1), 10)),
        0
    );
}
