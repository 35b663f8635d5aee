//! The only SQL: everything that outlives the process, in one SQLite file.
//!
//! One connection writes, at most two read, each reading from a snapshot. All calls are short and
//! blocking; the engine decides on which thread they run. [`Store::write`] and [`Store::read`] give out a
//! [`Tx`], whose methods are spread over the files of this folder by subject. What belongs together is
//! done in one `write`: rows, verdicts and the cursor that covers them.
//!
//! Times are kept as microseconds in UTC, so finer ones come back cut.

mod accounts;
mod changes;
mod cursors;
mod deliveries;
mod error;
mod history;
mod inbox;
mod kinds;
mod open;
mod outbox;
mod pages;
mod pictures;
mod retention;
mod row;
mod search;
mod settings;
mod steps;
#[cfg(test)]
mod tests;
mod toasts;
mod waiting;

pub use cursors::Gap;
pub use deliveries::{Asked, DeliveryId, Held, LedgerRow, Progress};
pub use error::StoreError;
pub use kinds::{Kind, Storm};
pub use outbox::{Owed, OwedInVain};
pub use pictures::{CachedPicture, NewPicture};
pub use row::LIST_BODY_CHARS;
pub use toasts::{OpenToast, ToastId, ToastJob};
pub use waiting::{Again, Waiting};

use jiff::Timestamp;
use rusqlite::{Connection, InterruptHandle, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Readers at once; more wait for one of these.
const READERS: usize = 2;

/// The database of a profile.
pub struct Store {
    /// None in memory.
    path: Option<PathBuf>,
    writer: Mutex<Connection>,
    /// Who is in `write`: waiting for oneself would never end.
    writing: Mutex<Option<ThreadId>>,
    readers: Mutex<Readers>,
    reader_free: Condvar,
    /// SQLite has said that the file is damaged: the next start looks closely.
    damaged: AtomicBool,
    /// The last run did not end in order, and nobody has looked closely since.
    unchecked: AtomicBool,
    /// Ends the look that is under way.
    checking: Mutex<Option<InterruptHandle>>,
    closed: AtomicBool,
}

/// What a commit outlives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// The end of the process.
    Process,
    /// A loss of power too.
    Disk,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    opened: usize,
}

/// An opened store, and what was found on the way.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// A file that was damaged or no database, and is kept here. The store began anew, with the accounts and
    /// settings that could still be read.
    pub moved_aside: Option<PathBuf>,
    /// The schema that was there before it was brought up to date; a copy lies beside the database.
    pub migrated_from: Option<u32>,
    /// The last run did not end by [`Store::close`]: [`Store::check`] is due.
    pub unclean: bool,
}

/// One transaction: what it reads is from one moment, what it writes is whole or not at all.
pub struct Tx<'c> {
    db: &'c Connection,
}

impl Store {
    /// Opens or makes the database at `path`; `now` dates what is moved aside or copied.
    ///
    /// A file that is no database, or known to be damaged, is moved aside with its `-wal` and `-shm`, and a new one
    /// is begun; a newer schema is [`StoreError::Newer`] and not touched; an older one is copied, then brought
    /// up to date whole or not at all. Of what was moved aside or copied the newest three stay, of each.
    pub fn open(path: &Path, now: Timestamp) -> Result<Opened, StoreError> {
        open::open(path, now, open::MIGRATIONS)
    }

    /// A store that ends with the process.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut db = Connection::open_in_memory()?;
        open::prepare(&db)?;
        rusqlite_migration::Migrations::from_slice(open::MIGRATIONS).to_latest(&mut db)?;
        Ok(Self::new(None, db))
    }

    fn new(path: Option<PathBuf>, writer: Connection) -> Self {
        Self {
            path,
            writer: Mutex::new(writer),
            writing: Mutex::new(None),
            readers: Mutex::default(),
            reader_free: Condvar::new(),
            damaged: AtomicBool::new(false),
            unchecked: AtomicBool::new(false),
            checking: Mutex::new(None),
            closed: AtomicBool::new(false),
        }
    }

    /// Where it is; none in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Runs `work` in one transaction of the only writer: committed to disk if it succeeds, else undone. From
    /// within itself it is an error. Waits up to 5 s for another program's lock.
    pub fn write<T>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.commit(Durability::Disk, work)
    }

    /// [`Store::write`] without waiting for the disk: committed for this and every other process at once, also
    /// if this one is killed, but a loss of power may undo it, up to the next `write`. For what may be
    /// forgotten then.
    pub fn note<T>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.commit(Durability::Process, work)
    }

    fn commit<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let this = Some(thread::current().id());
        if *lock(&self.writing) == this {
            return Err(StoreError::Sqlite {
                code: rusqlite::ffi::SQLITE_MISUSE,
                says: "a transaction was begun inside another".to_owned(),
            });
        }
        let writer = lock(&self.writer);
        *lock(&self.writing) = this;
        let _over = Writing(&self.writing);
        // It is FULL between transactions: nothing forgets to wait.
        let waits = durability == Durability::Disk;
        if !waits {
            writer.execute_batch("PRAGMA synchronous = NORMAL")?;
        }
        let done = transaction(&writer, TransactionBehavior::Immediate, work);
        if !waits {
            writer.execute_batch("PRAGMA synchronous = FULL")?;
        }
        self.watch(done)
    }

    /// Runs `work` on a snapshot that nobody's writing changes.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(path) = &self.path else {
            return self.write(work);
        };
        let done = self.reader(path).and_then(|reader| {
            transaction(reader.connection(), TransactionBehavior::Deferred, work)
        });
        self.watch(done)
    }

    /// Whether the last run left the file unchecked and [`Store::check`] did not say yet that it is whole.
    pub fn is_unchecked(&self) -> bool {
        self.unchecked.load(Ordering::Relaxed)
    }

    /// Looks through the whole file, beside whoever reads and writes; takes seconds where it is large.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]: the next [`Store::open`] moves it aside. Another one, after [`Store::close`] too:
    /// it is not known, and the next run looks again.
    pub fn check(&self) -> Result<(), StoreError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let db = open::reader(path)?;
        *lock(&self.checking) = Some(db.get_interrupt_handle());
        // Closed before it could be interrupted: it is not worth beginning.
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let done = open::check(&db);
        *lock(&self.checking) = None;
        if done.is_ok() {
            self.unchecked.store(false, Ordering::Relaxed);
        }
        self.watch(done)
    }

    /// Folds the log into the file as far as nobody reads it, beside whoever reads and writes: a writer that finds
    /// a short log does not have to.
    pub fn fold(&self) -> Result<(), StoreError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let done = self.reader(path).and_then(|reader| {
            let db = reader.connection();
            Ok(db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
        });
        self.watch(done)
    }

    /// Gives back the memory that only speed needs. The next calls are slower.
    pub fn rest(&self) {
        let mut readers = lock(&self.readers);
        readers.opened -= readers.idle.len();
        readers.idle.clear();
        drop(readers);
        let writer = lock(&self.writer);
        writer.flush_prepared_statement_cache();
        // What cannot be given back is kept.
        let _ = writer.release_memory();
    }

    /// Marks a clean stop and folds the log into the file. Call it when nobody writes any more; a late reader
    /// does no harm.
    pub fn close(&self) -> Result<(), StoreError> {
        if self.closed.swap(true, Ordering::Relaxed) || self.path.is_none() {
            return Ok(());
        }
        if let Some(check) = &*lock(&self.checking) {
            check.interrupt();
        }
        let mut readers = lock(&self.readers);
        readers.opened -= readers.idle.len();
        readers.idle.clear();
        drop(readers);
        let writer = lock(&self.writer);
        if !self.damaged.load(Ordering::Relaxed) && !self.is_unchecked() {
            open::mark_clean(&writer, true)?;
        }
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn watch<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(done, Err(StoreError::Damaged))
            && !self.damaged.swap(true, Ordering::Relaxed)
            && let Some(path) = &self.path
        {
            open::remember_damage(path);
        }
        done
    }

    fn reader(&self, path: &Path) -> Result<Reader<'_>, StoreError> {
        let mut readers = lock(&self.readers);
        loop {
            if let Some(db) = readers.idle.pop() {
                return Ok(Reader {
                    store: self,
                    db: Some(db),
                });
            }
            if readers.opened < READERS {
                let db = open::reader(path)?;
                readers.opened += 1;
                return Ok(Reader {
                    store: self,
                    db: Some(db),
                });
            }
            readers = self
                .reader_free
                .wait(readers)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn transaction<T>(
    db: &Connection,
    behavior: TransactionBehavior,
    work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Undone when dropped, also by a panic in `work`.
    let transaction = Transaction::new_unchecked(db, behavior)?;
    let value = work(&Tx { db })?;
    transaction.commit()?;
    Ok(value)
}

impl Drop for Store {
    fn drop(&mut self) {
        // Nobody is left to be told; the next start then checks the file.
        let _ = self.close();
    }
}

/// Says that nobody writes any more, also after a panic; goes before the writer's lock.
struct Writing<'s>(&'s Mutex<Option<ThreadId>>);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        *lock(self.0) = None;
    }
}

/// A reader on loan.
struct Reader<'s> {
    store: &'s Store,
    db: Option<Connection>,
}

impl Reader<'_> {
    fn connection(&self) -> &Connection {
        self.db
            .as_ref()
            .expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            lock(&self.store.readers).idle.push(db);
            self.store.reader_free.notify_one();
        }
    }
}

/// A panic while the lock was held left nothing half-done: the transaction was undone.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
