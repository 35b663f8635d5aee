//! A disk that is full, damaged or may not be written, and somebody else in the way.

use super::opening::{folder, opened, used};
use super::{Fixture, at, draft};
use crate::model::{Cursor, Origin};
use crate::store::{Store, StoreError, lock};
use std::fs;
use tidings_api::ListQuery;

#[test]
fn a_full_disk_loses_nothing_and_recovers() {
    let (_folder, path) = folder();
    let fixture = Fixture::of(opened(&path).store);
    fixture.write(|tx| tx.advance(fixture.subscription, &Cursor("old".to_owned())));
    let pages: i64 =
        fixture.write(|tx| Ok(tx.db.query_row("PRAGMA page_count", [], |row| row.get(0))?));
    let limit = |pages: i64| {
        lock(&fixture.store.writer)
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    };
    limit(pages + 20);
    let put = |n: i64| {
        fixture.store.write(|tx| {
            for part in 0..20 {
                let mut large = draft(&format!("{n}-{part}"), n);
                large.body = "x".repeat(2000);
                tx.insert(
                    fixture.account,
                    fixture.subscription,
                    large,
                    Origin::Live,
                    at(n),
                )?;
            }
            tx.advance(fixture.subscription, &Cursor(n.to_string()))
        })
    };
    let mut stored = 0;
    let error = loop {
        match put(stored) {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "it never got full");
    };
    assert_eq!(error, StoreError::Full);
    assert!(error.is_transient());
    assert_eq!(put(stored), Err(StoreError::Full), "still");
    let cursor = if stored == 0 {
        "old".to_owned()
    } else {
        (stored - 1).to_string()
    };
    let subscription = fixture
        .store
        .read(|tx| tx.subscription(fixture.subscription))
        .unwrap();
    assert_eq!(
        subscription.cursor,
        Some(Cursor(cursor)),
        "it never passes what is not stored"
    );
    assert_eq!(fixture.counts().all, u64::try_from(stored * 20).unwrap());
    limit(1_000_000);
    put(stored).unwrap();
    assert_eq!(
        fixture.counts().all,
        u64::try_from((stored + 1) * 20).unwrap()
    );
    fixture.write(|tx| {
        let says: String = tx
            .db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(says, "ok");
        Ok(())
    });
}

#[test]
fn somebody_elses_lock_is_waited_for_then_told() {
    let (_folder, path) = folder();
    let fixture = Fixture::of(opened(&path).store);
    fixture.id(draft("a", 1));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    lock(&fixture.store.writer)
        .busy_timeout(std::time::Duration::from_millis(20))
        .unwrap();
    let busy = fixture.store.write(|tx| tx.set_setting("a", "b"));
    assert_eq!(busy, Err(StoreError::Busy));
    assert!(StoreError::Busy.is_transient());
    assert_eq!(
        fixture
            .store
            .read(|tx| tx.counts(&|_, _, _| true))
            .unwrap()
            .all,
        1,
        "reading goes on"
    );
    other.execute_batch("ROLLBACK").unwrap();
    fixture.write(|tx| tx.set_setting("a", "b"));
}

#[test]
fn no_message_shows_what_is_stored() {
    let fixture = Fixture::new();
    fixture.write(|tx| {
        tx.db
            .execute("UPDATE account SET sign_in = '{\"by\":\"MARKER\"}'", [])?;
        Ok(())
    });
    let unreadable = fixture.store.read(|tx| tx.accounts()).unwrap_err();
    assert_eq!(unreadable, StoreError::Unreadable);
    let constraint = fixture
        .store
        .write(|tx| {
            tx.db.execute(
                "INSERT INTO setting (key, value) VALUES ('MARKER', NULL)",
                [],
            )?;
            Ok(())
        })
        .unwrap_err();
    let input = fixture
        .store
        .write(|tx| Ok(tx.db.execute("SELECT MARKER", [])?))
        .unwrap_err();
    for error in [unreadable, constraint, input] {
        assert!(
            !format!("{error} {error:?}").contains("MARKER"),
            "{error:?}"
        );
        assert!(!error.is_transient());
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error_in_words() {
    let (folder, _) = folder();
    let missing = folder.path().join("missing/tidings.db");
    let error = Store::open(&missing, at(0)).err().unwrap();
    assert!(matches!(error, StoreError::Io(_)), "{error:?}");
    let a_folder = folder.path().join("folder.db");
    fs::create_dir(&a_folder).unwrap();
    let error = Store::open(&a_folder, at(0)).err().unwrap();
    assert!(!error.to_string().is_empty());
    assert!(a_folder.is_dir(), "it is left alone");
}

#[test]
fn a_notes_commit_is_there_for_everybody_and_the_next_write_waits_again() {
    let (_folder, path) = folder();
    let store = opened(&path).store;
    store.note(|tx| tx.set_setting("a", "b")).unwrap();
    let other = opened_elsewhere(&path);
    let found: String = other
        .query_row("SELECT value FROM setting WHERE key = 'a'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(found, "b");
    let failed = store.note(|tx| {
        tx.set_setting("a", "c")?;
        Err::<(), _>(StoreError::NotFound)
    });
    assert_eq!(failed, Err(StoreError::NotFound));
    let waits: i64 = lock(&store.writer)
        .query_row("PRAGMA synchronous", [], |row| row.get(0))
        .unwrap();
    assert_eq!(waits, 2, "FULL, after a failure too");
    assert_eq!(store.read(|tx| tx.setting("a")).unwrap().unwrap(), "b");
}

#[test]
fn the_log_is_folded_beside_a_writer_and_what_is_cached_is_given_back() {
    let (_folder, path) = folder();
    let fixture = Fixture::of(opened(&path).store);
    let size = || fs::metadata(&path).unwrap().len();
    let before = size();
    for n in 0..50 {
        fixture.id(draft(&n.to_string(), n));
    }
    assert_eq!(size(), before, "all of it is in the log");
    fixture.store.fold().unwrap();
    assert!(size() > before);
    fixture.store.rest();
    fixture.id(draft("after", 60));
    assert_eq!(fixture.counts().all, 51);
}

#[test]
fn a_check_beside_the_work_finds_damage_and_the_next_start_begins_anew() {
    let (_folder, path) = folder();
    used(&path);
    let db = opened_elsewhere(&path);
    db.execute_batch("UPDATE setting SET value = 'no' WHERE key = 'store.clean_stop'")
        .unwrap();
    let root: u32 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'revision'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    db.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let start = (root as usize - 1) * 4096;
    bytes[start..start + 4096].fill(0xff);
    fs::write(&path, &bytes).unwrap();

    let first = opened(&path);
    assert!(first.unclean && first.moved_aside.is_none());
    let fixture = Fixture::of(first.store);
    fixture.id(draft("meanwhile", 3));
    assert_eq!(fixture.store.check(), Err(StoreError::Damaged));
    drop(fixture);
    let again = opened(&path);
    assert!(again.moved_aside.is_some());
    assert_eq!(again.store.check(), Ok(()));
    drop(again);
    assert_eq!(opened(&path).moved_aside, None, "once is enough");
}

#[test]
fn of_what_was_put_aside_the_newest_stay() {
    let (folder, path) = folder();
    used(&path);
    let name = |suffix: &str| folder.path().join(format!("tidings.db{suffix}"));
    for day in 1..=5 {
        for suffix in [
            format!(".damaged-2026010{day}T000000Z"),
            format!(".damaged-2026010{day}T000000Z-wal"),
            format!(".schema-{}-2026010{day}T000000Z", 9 - day),
        ] {
            fs::write(name(&suffix), "x").unwrap();
        }
    }
    fs::write(name(".mine"), "x").unwrap();
    drop(opened(&path));
    let mut left: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let expected = [
        "",
        ".damaged-20260103T000000Z",
        ".damaged-20260103T000000Z-wal",
        ".damaged-20260104T000000Z",
        ".damaged-20260104T000000Z-wal",
        ".damaged-20260105T000000Z",
        ".damaged-20260105T000000Z-wal",
        ".mine",
        ".schema-4-20260105T000000Z",
        ".schema-5-20260104T000000Z",
        ".schema-6-20260103T000000Z",
    ];
    assert_eq!(left, expected.map(|suffix| format!("tidings.db{suffix}")));
}

fn opened_elsewhere(path: &std::path::Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

/// Root may write anywhere, so this says something only for other users.
#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    used(&path);
    let rights =
        |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    rights(0o500);
    let allowed = fs::write(folder.path().join("probe"), "").is_ok();
    let found = Store::open(&path, at(0));
    let elsewhere = Store::open(&folder.path().join("new.db"), at(0));
    rights(0o700);
    if !allowed {
        assert_eq!(found.err(), Some(StoreError::ReadOnly));
        assert_eq!(elsewhere.err(), Some(StoreError::ReadOnly));
    }
    drop(fs::remove_file(folder.path().join("probe")));
    assert_eq!(
        opened(&path)
            .store
            .read(|tx| tx.counts(&|_, _, _| true))
            .unwrap()
            .all,
        2
    );
}

/// Whatever is flipped in the file, opening ends in a store that works, or in an error in words; never in
/// a panic, and the damaged file is never lost.
#[test]
fn flipped_bytes_never_break_the_start() {
    let (folder, path) = folder();
    {
        let fixture = Fixture::of(opened(&path).store);
        for n in 0..60 {
            fixture.id(draft(&n.to_string(), n));
        }
    }
    // Not stopped in order, so that it is looked at closely.
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute(
        "UPDATE setting SET value = 'no' WHERE key = 'store.clean_stop'",
        [],
    )
    .unwrap();
    db.close().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut aside = 0;
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..120 {
        // Every byte of the header, then places all over the file.
        let mut bytes = whole.clone();
        for _ in 0..=(round % 3) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let place = usize::try_from(seed % whole.len() as u64).unwrap();
            bytes[if round < 50 { round * 2 } else { place }] ^= 0xff;
        }
        if round % 17 == 16 {
            bytes.truncate(whole.len() / 2 + round);
        }
        let at_round = folder.path().join(format!("{round}.db"));
        fs::write(&at_round, &bytes).unwrap();
        // As the engine does: it looks closely when it runs, and begins anew if it finds damage.
        let found = Store::open(&at_round, at(0)).and_then(|opened| {
            if opened.moved_aside.is_none() && opened.store.check() == Err(StoreError::Damaged) {
                drop(opened);
                Store::open(&at_round, at(0))
            } else {
                Ok(opened)
            }
        });
        let opened = match found {
            Ok(opened) => opened,
            Err(error) => {
                // A version far ahead is believed.
                assert!(
                    matches!(error, StoreError::Newer { .. }),
                    "{round}: {error:?}"
                );
                continue;
            }
        };
        if let Some(kept) = &opened.moved_aside {
            aside += 1;
            assert_eq!(fs::read(kept).unwrap().len(), bytes.len(), "{round}");
        }
        // It takes new things, or says that it is damaged, and the next start deals with it.
        let worked = opened.store.write(|tx| {
            let account =
                tx.add_account(&super::new_account("New"), &[super::topic("t")], at(1))?;
            let subscription = tx.subscriptions(account)?[0].id;
            tx.insert(account, subscription, draft("new", 1), Origin::Live, at(1))?;
            tx.page(&ListQuery::default(), &super::zoned(at(0)))
        });
        if let Err(error) = worked {
            // A letter of a name in the schema, which SQLite's check does not see: a statement finds it missing.
            let misses_a_name = matches!(
                error,
                StoreError::Sqlite {
                    code: rusqlite::ffi::SQLITE_ERROR,
                    ..
                }
            );
            assert!(
                misses_a_name || matches!(error, StoreError::Damaged | StoreError::Unreadable),
                "{round}: {error:?}"
            );
        }
    }
    assert!(aside > 20, "few were noticed: {aside}");
}

#[test]
fn damage_found_while_running_is_dealt_with_at_the_next_start() {
    let (folder, path) = folder();
    used(&path);
    let mut bytes = fs::read(&path).unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    let root: u32 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'content'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    drop(db);
    let start = (root as usize - 1) * 4096;
    bytes[start..start + 4096].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    // It was closed in order, so nobody looks closely.
    let store = opened(&path).store;
    let page = store.read(|tx| tx.page(&ListQuery::default(), &super::zoned(at(0))));
    assert_eq!(page.err(), Some(StoreError::Damaged));
    store.close().unwrap();
    let again = opened(&path);
    assert!(again.unclean || again.moved_aside.is_some());
    assert!(
        again
            .moved_aside
            .is_some_and(|aside| aside.starts_with(folder.path()))
    );
    assert_eq!(again.store.read(|tx| tx.accounts()).unwrap().len(), 1);
}
