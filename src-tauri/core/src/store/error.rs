//! What can go wrong with the store.

use rusqlite::ffi::{self, ErrorCode};

/// Why the store did not do it. No message holds anything of a row: not even a constraint's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A later version of the program wrote this database. It was not touched.
    #[error(
        "The database was written by a newer version of Tidings (schema {found}, this one knows {ours}). Start the newer version, or restore a backup."
    )]
    Newer {
        /// The schema found.
        found: u32,
        /// The newest schema known here.
        ours: u32,
    },
    /// No room for the write. Nothing was written.
    #[error("The disk is full. Free some space; nothing is lost, and it goes on by itself.")]
    Full,
    /// Somebody else held the database for longer than 5 s.
    #[error("The database is in use by another program, a backup perhaps. It is tried again.")]
    Busy,
    /// There is no such row.
    #[error("It is not there any more.")]
    NotFound,
    /// The search or the page marker makes no sense; the words say what does.
    #[error("{0}")]
    BadQuery(String),
    /// The file or its folder may not be written.
    #[error("The database may not be written. Check the rights of its file and folder.")]
    ReadOnly,
    /// The file's content is damaged. The next start moves it aside and begins a new one.
    #[error(
        "The database is damaged. Restart Tidings: it keeps the damaged file, begins a new one, and fetches again what the servers still hold."
    )]
    Damaged,
    /// A value in a row is not what this program writes.
    #[error("The database holds a value that cannot be read.")]
    Unreadable,
    /// The disk or the file system failed.
    #[error("The database could not be read or written: {0}.")]
    Io(String),
    /// Anything else that SQLite says: a fault in this program.
    #[error("The database refused: {says} ({code}).")]
    Sqlite {
        /// SQLite's extended result code.
        code: i32,
        /// Its meaning.
        says: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing the program or the data.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Full | Self::Busy | Self::Io(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            rusqlite::Error::SqliteFailure(failure, _)
            | rusqlite::Error::SqlInputError { error: failure, .. } => from_code(failure),
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => Self::Unreadable,
            _ => Self::Sqlite {
                code: ffi::SQLITE_MISUSE,
                says: "a statement was used wrongly".to_owned(),
            },
        }
    }
}

fn from_code(failure: ffi::Error) -> StoreError {
    let says = || ffi::code_to_str(failure.extended_code).to_owned();
    match failure.code {
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
            StoreError::ReadOnly
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged,
        ErrorCode::SystemIoFailure => StoreError::Io(says()),
        _ => StoreError::Sqlite {
            code: failure.extended_code,
            says: says(),
        },
    }
}

impl From<rusqlite_migration::Error> for StoreError {
    fn from(error: rusqlite_migration::Error) -> Self {
        match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
            _ => Self::Sqlite {
                code: ffi::SQLITE_ERROR,
                says: "the schema could not be brought up to date".to_owned(),
            },
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly
            }
            kind => Self::Io(kind.to_string()),
        }
    }
}
