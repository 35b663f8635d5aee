//! Kept messages, in a `SQLite` database in memory or in a file.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::message::Message;

/// Messages of one page of a replay.
const PAGE: i64 = 100;

/// What to replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    All,
    None,
    Latest,
    /// From this unix second on.
    Time(i64),
    /// After this message.
    Id(String),
}

/// Where a replay stands.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    /// The topics as a JSON list, for SQL.
    topics: String,
    /// The place of the last message sent.
    after: i64,
    /// The place of the newest message when the replay began; later ones come live.
    upto: i64,
    /// Nothing older than this unix second.
    from_time: i64,
    /// Only the newest message of each topic.
    latest: bool,
    /// Older messages were left out for the byte budget.
    pub(crate) truncated: bool,
}

/// The database. Messages stand in the order of their delivery: a scheduled one gets its place only
/// when it is due, so that no cursor can pass it by before.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    next_place: i64,
}

impl Store {
    /// Opens the file, or a database in memory.
    pub(crate) fn open(path: Option<&Path>) -> rusqlite::Result<Self> {
        let connection = match path {
            Some(path) => {
                #[cfg(unix)]
                keep_private(path);
                Connection::open(path)?
            }
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS messages (
                place INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                sequence_id TEXT NOT NULL,
                topic TEXT NOT NULL,
                time INTEGER NOT NULL,
                expires INTEGER NOT NULL,
                delivered INTEGER NOT NULL,
                json TEXT NOT NULL
            ) STRICT;
            CREATE TABLE IF NOT EXISTS accounts (
                user TEXT PRIMARY KEY,
                json TEXT NOT NULL
            ) STRICT;
            CREATE INDEX IF NOT EXISTS messages_by_time ON messages (time, place);
            CREATE INDEX IF NOT EXISTS messages_by_expiry ON messages (expires);
            CREATE INDEX IF NOT EXISTS messages_waiting ON messages (time, place) WHERE delivered = 0;",
        )?;
        let next_place = connection.query_one(
            "SELECT coalesce(max(place), 0) + 1 FROM messages",
            [],
            |row| row.get(0),
        )?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self {
            connection,
            next_place,
        })
    }

    /// Keeps a message that is delivered now or waits for its time, unless it is not to be kept.
    /// What waits under the same sequence id is taken back: it is updated, cleared or deleted.
    pub(crate) fn accept(&mut self, message: &Message, delivered: bool) -> rusqlite::Result<()> {
        let place = self.next_place;
        let transaction = self.connection.transaction()?;
        if message.sequence_id != message.id {
            transaction
                .prepare_cached(
                    "DELETE FROM messages WHERE delivered = 0 AND topic = ?1 AND sequence_id = ?2",
                )?
                .execute(params![message.topic, message.sequence_id])?;
        }
        if message.expires > 0 {
            transaction
                .prepare_cached(
                    "INSERT INTO messages (place, id, sequence_id, topic, time, expires, delivered, json)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    place,
                    message.id,
                    message.sequence_id,
                    message.topic,
                    message.time,
                    message.expires,
                    delivered,
                    message.to_json(true),
                ])?;
        }
        transaction.commit()?;
        self.next_place += 1;
        Ok(())
    }

    /// Delivers what is due at `now` (unix seconds), in the order of time; all of it or, if that
    /// fails, none.
    pub(crate) fn take_due(&mut self, now: i64) -> rusqlite::Result<Vec<Message>> {
        let mut due = Vec::new();
        let transaction = self.connection.transaction()?;
        {
            let mut waiting = transaction.prepare_cached(
                "SELECT place, json FROM messages WHERE delivered = 0 AND time <= ?1 ORDER BY time, place",
            )?;
            let mut rows = waiting.query([now])?;
            while let Some(row) = rows.next()? {
                due.push((row.get::<_, i64>(0)?, message(row.get_ref(1)?.as_str()?)?));
            }
            let mut deliver = transaction
                .prepare_cached("UPDATE messages SET place = ?1, delivered = 1 WHERE place = ?2")?;
            for (place, _) in &due {
                deliver.execute([self.next_place, *place])?;
                self.next_place += 1;
            }
        }
        transaction.commit()?;
        Ok(due.into_iter().map(|(_, message)| message).collect())
    }

    /// When the next waiting message is due, in unix seconds.
    pub(crate) fn next_due(&self) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT min(time) FROM messages WHERE delivered = 0")?
            .query_one([], |row| row.get(0))
    }

    /// Forgets what has expired at `now` (unix seconds).
    pub(crate) fn forget_expired(&mut self, now: i64) -> rusqlite::Result<usize> {
        self.connection
            .prepare_cached("DELETE FROM messages WHERE expires <= ?1 AND delivered = 1")?
            .execute([now])
    }

    /// Begins a replay. `budget` is the most bytes of messages, the newest ones winning.
    pub(crate) fn replay(
        &self,
        topics: &[String],
        since: &Since,
        now: i64,
        budget: Option<u64>,
    ) -> rusqlite::Result<Replay> {
        let mut replay = Replay {
            topics: serde_json::to_string(topics).expect("a list of strings always makes JSON"),
            after: 0,
            upto: self.next_place - 1,
            from_time: i64::MIN,
            latest: *since == Since::Latest,
            truncated: false,
        };
        match since {
            Since::All | Since::Latest => {}
            Since::None => replay.upto = 0,
            Since::Time(from) => {
                replay.from_time = *from;
                // A client that comes back soon must not cost a look at everything.
                replay.after = self
                    .connection
                    .prepare_cached(
                        "SELECT coalesce(min(place) - 1, ?2) FROM messages WHERE time >= ?1",
                    )?
                    .query_one([*from, replay.upto], |row| row.get(0))?;
            }
            Since::Id(id) => {
                // As on ntfy, an unknown id means everything.
                replay.after = self
                    .connection
                    .prepare_cached("SELECT place FROM messages WHERE id = ?1")?
                    .query_one([id], |row| row.get(0))
                    .optional()?
                    .unwrap_or(0);
            }
        }
        if let (Some(budget), false) = (budget, *since == Since::None) {
            let cut: Option<i64> = self
                .connection
                .prepare_cached(
                    "SELECT max(place) FROM (
                        SELECT place, sum(length(json)) OVER (ORDER BY place DESC) AS bytes FROM messages
                        WHERE place > ?1 AND place <= ?2 AND delivered = 1 AND expires > ?3 AND time >= ?4
                          AND topic IN (SELECT value FROM json_each(?5)))
                     WHERE bytes > ?6",
                )?
                .query_one(
                    params![
                        replay.after,
                        replay.upto,
                        now,
                        replay.from_time,
                        replay.topics,
                        i64::try_from(budget).unwrap_or(i64::MAX),
                    ],
                    |row| row.get(0),
                )?;
            if let Some(cut) = cut {
                replay.after = cut;
                replay.truncated = true;
            }
        }
        Ok(replay)
    }

    /// The next messages of a replay, in order; empty at its end.
    pub(crate) fn page(&self, replay: &mut Replay, now: i64) -> rusqlite::Result<Vec<Message>> {
        if replay.after >= replay.upto {
            return Ok(Vec::new());
        }
        let limit = if replay.latest { -1 } else { PAGE };
        // Through the primary key, which has the order wanted, so that all pages together read the
        // table once.
        let mut statement = self.connection.prepare_cached(if replay.latest {
            "SELECT max(place) AS last, json FROM messages
             WHERE place > ?1 AND place <= ?2 AND delivered = 1 AND expires > ?3 AND time >= ?4
               AND topic IN (SELECT value FROM json_each(?5))
             GROUP BY topic ORDER BY last LIMIT ?6"
        } else {
            "SELECT place, json FROM messages
             WHERE place > ?1 AND place <= ?2 AND delivered = 1 AND expires > ?3 AND time >= ?4
               AND topic IN (SELECT value FROM json_each(?5))
             ORDER BY place LIMIT ?6"
        })?;
        let mut rows = statement.query(params![
            replay.after,
            replay.upto,
            now,
            replay.from_time,
            replay.topics,
            limit
        ])?;
        let mut messages = Vec::new();
        while let Some(row) = rows.next()? {
            replay.after = row.get(0)?;
            messages.push(message(row.get_ref(1)?.as_str()?)?);
        }
        if replay.latest || messages.is_empty() {
            replay.after = replay.upto;
        }
        Ok(messages)
    }

    /// What waits for its time, in the order of time.
    pub(crate) fn waiting(&self, replay: &Replay) -> rusqlite::Result<Vec<Message>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT json FROM messages WHERE delivered = 0 AND topic IN (SELECT value FROM json_each(?1))
             ORDER BY time, place",
        )?;
        let mut rows = statement.query([&replay.topics])?;
        let mut messages = Vec::new();
        while let Some(row) = rows.next()? {
            messages.push(message(row.get_ref(0)?.as_str()?)?);
        }
        Ok(messages)
    }

    /// What users have, by name.
    pub(crate) fn accounts(&self) -> rusqlite::Result<Vec<(String, String)>> {
        let mut statement = self.connection.prepare("SELECT user, json FROM accounts")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Keeps what a user has.
    pub(crate) fn keep_account(&self, user: &str, json: &str) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO accounts (user, json) VALUES (?1, ?2)
                 ON CONFLICT (user) DO UPDATE SET json = ?2",
            )?
            .execute([user, json])?;
        Ok(())
    }

    /// How many messages are kept.
    pub(crate) fn count(&self) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached("SELECT count(*) FROM messages")?
            .query_one([], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
    }
}

/// Makes a file that does not exist yet, readable by its owner alone; SQLite gives the files beside
/// it the same rights. A failure here is one of SQLite's in a moment, with a better reason.
#[cfg(unix)]
fn keep_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let _ = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
}

fn message(json: &str) -> rusqlite::Result<Message> {
    serde_json::from_str(json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
