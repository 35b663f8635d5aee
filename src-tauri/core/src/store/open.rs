//! Opening the file: is it ours, is it whole, is it of our time.

use super::{Opened, Store, StoreError};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use rusqlite_migration::{M, Migrations};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Every schema there was, each step from the one before. Released files are never edited.
pub(super) const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001.sql")),
    M::up(include_str!("migrations/0002.sql")),
];

/// In the header of our files ("Tdgs").
const APPLICATION_ID: i32 = 0x5464_6773;
/// Statements kept prepared on the writer; the ingest alone uses about forty.
const STATEMENTS: usize = 128;
const BUSY: Duration = Duration::from_secs(5);
const CLEAN: &str = "store.clean_stop";
/// Beside a database that was found to be damaged: the next start looks closely before it uses it.
const DAMAGED: &str = "-damaged";
/// What is moved aside, or copied before a new schema, is called after it and dated.
const ASIDE: &str = ".damaged-";
const COPY: &str = ".schema-";
/// What belongs to a database file.
const PARTS: [&str; 2] = ["-wal", "-shm"];
/// So many of each are kept.
const KEPT: usize = 3;

pub(super) fn open(
    path: &Path,
    now: Timestamp,
    steps: &[M<'static>],
) -> Result<Opened, StoreError> {
    let ours = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    match attempt(path, now, steps, ours) {
        Err(StoreError::Damaged) => {
            let aside = move_aside(path, now)?;
            let mut opened = attempt(path, now, steps, ours)?;
            opened.store.write(|tx| salvage(tx.db, &aside))?;
            opened.moved_aside = Some(aside);
            Ok(opened)
        }
        done => done,
    }
}

fn attempt(
    path: &Path,
    now: Timestamp,
    steps: &[M<'static>],
    ours: u32,
) -> Result<Opened, StoreError> {
    look_at_header(path, ours)?;
    make_private(path)?;
    let mut db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(BUSY)?;
    // Until it is known to be good: closing must not fold its log into it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let found = schema(&db)?;
    if found > ours {
        return Err(StoreError::Newer { found, ours });
    }
    if found == 0 {
        if !is_empty(&db)? {
            return Err(StoreError::Damaged);
        }
        // Only before the first table.
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    } else if application(&db)? != APPLICATION_ID {
        return Err(StoreError::Damaged);
    }
    prepare(&db)?;
    let unclean = found > 0 && !was_clean(&db)?;
    if beside(path, DAMAGED).exists() {
        check(&db)?;
        forget_damage(path);
    }
    if found > 0 && found < ours {
        back_up(&db, path, found, now)?;
    }
    Migrations::from_slice(steps).to_latest(&mut db)?;
    if found == 0 {
        db.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    mark_clean(&db, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    prune(path);
    let store = Store::new(Some(path.to_owned()), db);
    store.unchecked.store(unclean, Ordering::Relaxed);
    Ok(Opened {
        store,
        moved_aside: None,
        migrated_from: (found > 0 && found < ours).then_some(found),
        unclean,
    })
}

/// What every connection is told.
pub(super) fn prepare(db: &Connection) -> Result<(), StoreError> {
    db.busy_timeout(BUSY)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA journal_size_limit = 4194304;
         PRAGMA wal_autocheckpoint = 4000;
         PRAGMA cache_size = -2048;",
    )?;
    Ok(())
}

/// A connection that can only read, with a small cache.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(BUSY)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_prepared_statement_cache_capacity(32);
    db.execute_batch(
        "PRAGMA query_only = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -512;",
    )?;
    Ok(db)
}

/// Says whether the run that is ending, or beginning, leaves a whole file.
pub(super) fn mark_clean(db: &Connection, clean: bool) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO setting (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params![CLEAN, if clean { "yes" } else { "no" }],
    )?;
    Ok(())
}

fn was_clean(db: &Connection) -> Result<bool, StoreError> {
    let mark: Option<String> = db
        .query_row("SELECT value FROM setting WHERE key = ?1", [CLEAN], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(mark.as_deref() == Some("yes"))
}

/// Whether the file is whole, as far as SQLite can tell without following every index.
pub(super) fn check(db: &Connection) -> Result<(), StoreError> {
    let says: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if says == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged)
    }
}

fn schema(db: &Connection) -> Result<u32, StoreError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    u32::try_from(version).map_err(|_| StoreError::Damaged)
}

fn application(db: &Connection) -> Result<i32, StoreError> {
    Ok(db.query_row("PRAGMA application_id", [], |row| row.get(0))?)
}

fn is_empty(db: &Connection) -> Result<bool, StoreError> {
    Ok(
        db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get(0)
        })?,
    )
}

/// Reads the header without SQLite, which might write to a file that it opens, or take its log away.
/// <https://www.sqlite.org/fileformat2.html#the_database_header>
fn look_at_header(path: &Path, ours: u32) -> Result<(), StoreError> {
    let mut header = [0; 100];
    let mut read = 0;
    match fs::File::open(path) {
        Ok(mut file) => {
            while read < header.len() {
                match file.read(&mut header[read..])? {
                    0 => break,
                    more => read += more,
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    // An empty file is a database without a table.
    if read == 0 {
        return Ok(());
    }
    // By the format versions it would be for reading only, or not at all.
    let known = |version: u8| (1..=2).contains(&version);
    if read < header.len()
        || !header.starts_with(b"SQLite format 3\0")
        || !known(header[18])
        || !known(header[19])
    {
        return Err(StoreError::Damaged);
    }
    let word = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let (found, application) = (word(60), word(68));
    if i32::try_from(application) == Ok(APPLICATION_ID) && found > ours {
        return Err(StoreError::Newer { found, ours });
    }
    Ok(())
}

/// Makes the file readable for its owner only, before there is anything in it. SQLite gives its log the
/// same rights.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn dated(now: Timestamp) -> String {
    now.to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// A name with this suffix that nothing has yet.
fn free_name(path: &Path, suffix: &str) -> PathBuf {
    let mut name = beside(path, suffix);
    let mut number = 1;
    while name.exists() {
        number += 1;
        name = beside(path, &format!("{suffix}-{number}"));
    }
    name
}

/// Says to the next start that this one found damage. A disk that takes no file has it found again.
pub(super) fn remember_damage(path: &Path) {
    drop(fs::File::create(beside(path, DAMAGED)));
}

fn forget_damage(path: &Path) {
    drop(fs::remove_file(beside(path, DAMAGED)));
}

/// Removes what was moved aside or copied, but for the newest of each. What cannot be removed stays.
fn prune(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str))
    else {
        return;
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    for kind in [ASIDE, COPY] {
        let prefix = format!("{name}{kind}");
        let mut files: Vec<(&str, &str)> = names
            .iter()
            .filter(|name| !PARTS.iter().any(|part| name.ends_with(part)))
            .filter_map(|name| Some((dated_part(name.strip_prefix(&prefix)?, kind), name.as_str())))
            .collect();
        files.sort_unstable();
        for (_, old) in files.iter().rev().skip(KEPT) {
            for part in [""].into_iter().chain(PARTS) {
                drop(fs::remove_file(folder.join(format!("{old}{part}"))));
            }
        }
    }
}

/// A copy's name has its schema before its date.
fn dated_part<'n>(rest: &'n str, kind: &str) -> &'n str {
    if kind == COPY {
        rest.split_once('-').map_or(rest, |(_, date)| date)
    } else {
        rest
    }
}

fn move_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let aside = free_name(path, &format!("{ASIDE}{}", dated(now)));
    fs::rename(path, &aside)?;
    for part in PARTS {
        match fs::rename(beside(path, part), beside(&aside, part)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    forget_damage(path);
    Ok(aside)
}

fn back_up(db: &Connection, path: &Path, found: u32, now: Timestamp) -> Result<(), StoreError> {
    let copy = free_name(path, &format!("{COPY}{found}-{}", dated(now)));
    make_private(&copy)?;
    let name = copy.to_str().map(str::to_owned);
    // VACUUM takes its name as text; a path that is none goes by the page copier.
    match name {
        Some(name) => {
            db.execute("VACUUM INTO ?1", [name])?;
        }
        None => db.backup("main", &copy, None)?,
    }
    Ok(())
}

/// Accounts, subscriptions and settings that can still be read go into the new file under their old ids,
/// which also name their secrets in the keyring. Cursors don't: what the server still holds is fetched again.
fn salvage(db: &Connection, aside: &Path) -> Result<(), StoreError> {
    let Ok(old) = Connection::open_with_flags(
        aside,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    ) else {
        return Ok(());
    };
    for (table, leave) in [
        ("setting", ""),
        ("account", ""),
        ("subscription", "cursor filled"),
    ] {
        let columns = columns(db, table)?;
        let Ok(had) = self::columns(&old, table) else {
            continue;
        };
        let shared: Vec<&str> = columns
            .iter()
            .filter(|name| had.contains(name) && !leave.split(' ').any(|other| other == *name))
            .map(String::as_str)
            .collect();
        if shared.is_empty() {
            continue;
        }
        let list = shared.join(", ");
        let marks = vec!["?"; shared.len()].join(", ");
        let mut into = db.prepare(&format!(
            "INSERT OR IGNORE INTO {table} ({list}) VALUES ({marks})"
        ))?;
        let Ok(mut from) = old.prepare(&format!("SELECT {list} FROM {table}")) else {
            continue;
        };
        let Ok(mut rows) = from.query([]) else {
            continue;
        };
        // Until the damage is met.
        while let Ok(Some(row)) = rows.next() {
            let values: Result<Vec<rusqlite::types::Value>, _> =
                (0..shared.len()).map(|column| row.get(column)).collect();
            if let Ok(values) = values {
                // A row that does not fit, say a subscription whose account is lost, is left out.
                let _ = into.execute(rusqlite::params_from_iter(values));
            }
        }
    }
    mark_clean(db, false)
}

fn columns(db: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}
