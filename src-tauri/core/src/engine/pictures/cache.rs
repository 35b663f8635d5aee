//! The files of the cache. Each is named by what is in it; the store says which key has which, and which have
//! to go. A file is written before it is entered and removed after it was forgotten, so that a process that ends
//! in between leaves a file too many, never one too few.

use crate::model::{AccountId, hexadecimal};
use crate::store::{NewPicture, Store, StoreError};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tidings_api::PictureCache;

/// What all pictures may take on the disk, in bytes (`design.md`, Secrets, network, content).
pub const BUDGET: u64 = 500 * 1024 * 1024;
/// A file that is being written.
const UNFINISHED: &str = "part";

/// The cache of one profile. All calls wait for the disk.
pub struct Cache {
    folder: PathBuf,
    budget: u64,
}

/// A picture that was found.
pub struct Found {
    /// The PNG.
    pub png: Vec<u8>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}

impl Cache {
    /// In this folder, which is made when there is something to put into it.
    pub fn new(folder: PathBuf, budget: u64) -> Self {
        Self { folder, budget }
    }

    /// The picture of a key. A file that is not as it was written is forgotten.
    pub fn find(
        &self,
        store: &Store,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Found>, StoreError> {
        let Some(kept) = store.read(|tx| tx.picture(key, now))? else {
            return Ok(None);
        };
        let png = fs::read(self.path(&kept.file)).unwrap_or_default();
        if name(&png) != kept.file {
            let over = store.write(|tx| tx.drop_picture(key))?;
            self.remove(over);
            return Ok(None);
        }
        if kept.is_stale_use {
            store.note(|tx| tx.use_picture(key, now))?;
        }
        Ok(Some(Found {
            png,
            fetched_at: kept.fetched_at,
        }))
    }

    /// Where the picture of a key is, for somebody else to read.
    pub fn file(&self, store: &Store, key: &str, now: Timestamp) -> Option<PathBuf> {
        let kept = store.read(|tx| tx.picture(key, now)).ok()??;
        let path = self.path(&kept.file);
        path.is_file().then_some(path)
    }

    /// Keeps a picture, and makes room for it.
    pub fn keep(
        &self,
        store: &Store,
        (key, account): (&str, AccountId),
        png: &[u8],
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let file = name(png);
        self.write(&file, png)?;
        let picture = NewPicture {
            key,
            account,
            file: &file,
            bytes: png.len(),
            expires_at,
        };
        let over = store.note(|tx| {
            let before = tx.keep_picture(picture, now)?;
            let mut over = tx.trim_pictures(self.budget, now)?;
            over.extend(before);
            Ok(over)
        })?;
        self.remove(over);
        Ok(())
    }

    /// Removes everything.
    pub fn empty(&self, store: &Store) -> Result<(), StoreError> {
        store.write(|tx| tx.forget_pictures())?;
        self.sweep(store)
    }

    /// Forgets what is over, and removes every file that nobody needs: what a crash left, what belonged to an
    /// account that is gone.
    pub fn tidy(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let over = store.note(|tx| tx.trim_pictures(self.budget, now))?;
        self.remove(over);
        self.sweep(store)
    }

    fn sweep(&self, store: &Store) -> Result<(), StoreError> {
        let needed = store.read(|tx| tx.picture_files())?;
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
            let is_needed = entry
                .file_name()
                .to_str()
                .is_some_and(|name| needed.contains(name));
            // Nothing but pictures is put here; what is no file was put here by somebody else.
            if !is_needed && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// What it takes.
    pub fn size(store: &Store) -> Result<PictureCache, StoreError> {
        let (files, bytes) = store.read(|tx| tx.pictures())?;
        Ok(PictureCache { files, bytes })
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn write(&self, file: &str, png: &[u8]) -> io::Result<()> {
        make_private(&self.folder)?;
        let part = self.path(file).with_extension(UNFINISHED);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&part)
            .and_then(|mut part| part.write_all(png))
            .and_then(|()| fs::rename(&part, self.path(file)));
        if written.is_err() {
            // What is left of it is removed by the next start at the latest.
            let _ = fs::remove_file(&part);
        }
        written
    }

    fn remove(&self, files: impl IntoIterator<Item = String>) {
        for file in files {
            if let Err(error) = fs::remove_file(self.path(&file))
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "a picture could not be removed; the next start tries again");
            }
        }
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// What a picture's file is called.
fn name(png: &[u8]) -> String {
    format!("{}.png", hexadecimal(&Sha256::digest(png)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BackendKind, NewAccount, SecretPlace, SignIn, Way};

    struct Kept {
        store: Store,
        cache: Cache,
        account: AccountId,
        folder: tempfile::TempDir,
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_787_200 + seconds).unwrap()
    }

    impl Kept {
        fn new(budget: u64) -> Self {
            let store = Store::in_memory().unwrap();
            let account = NewAccount {
                made_token: String::new(),
                kind: BackendKind::Ntfy,
                name: "Home".to_owned(),
                url: "https://ntfy.example/".parse().unwrap(),
                sign_in: SignIn::None,
                secrets: SecretPlace::Keyring,
                header_names: Vec::new(),
                transport: None,
                allow_http: false,
                options: String::new(),
                way: Way::default(),
            };
            let account = store
                .write(|tx| tx.add_account(&account, &[], at(0)))
                .unwrap();
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::new(folder.path().join("pictures"), budget);
            Self {
                store,
                cache,
                account,
                folder,
            }
        }

        fn keep(&self, key: &str, png: &[u8], seconds: i64) {
            let key = (key, self.account);
            self.cache
                .keep(&self.store, key, png, None, at(seconds))
                .unwrap();
        }

        fn find(&self, key: &str, seconds: i64) -> Option<Vec<u8>> {
            let found = self.cache.find(&self.store, key, at(seconds)).unwrap();
            found.map(|found| found.png)
        }

        fn files(&self) -> usize {
            fs::read_dir(self.folder.path().join("pictures"))
                .unwrap()
                .count()
        }
    }

    #[test]
    fn a_file_is_for_its_user_alone_and_is_named_by_what_is_in_it() {
        let kept = Kept::new(1000);
        kept.keep("a", b"one", 0);
        kept.keep("b", b"one", 0);
        assert_eq!(kept.files(), 1);
        assert_eq!(kept.find("a", 1).as_deref(), Some(&b"one"[..]));
        let path = kept.cache.file(&kept.store, "b", at(1)).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().unwrap()), 0o700);
        }
        assert!(path.ends_with(format!("{}.png", hexadecimal(&Sha256::digest(b"one")))));
    }

    #[test]
    fn the_least_recently_used_make_room() {
        let kept = Kept::new(10);
        kept.keep("a", b"aaaaa", 0);
        kept.keep("b", b"bbbbb", 1);
        let later = 2 * 3600;
        assert!(kept.find("a", later).is_some());
        kept.keep("c", b"ccccc", later + 1);
        assert_eq!(kept.find("b", later + 2), None);
        assert!(kept.find("a", later + 2).is_some() && kept.find("c", later + 2).is_some());
        assert_eq!(kept.files(), 2);
        kept.keep("big", &[1; 11], later + 3);
        assert_eq!(kept.files(), 0, "what is above the budget is not kept");
    }

    #[test]
    fn a_file_that_somebody_changed_is_not_shown() {
        let kept = Kept::new(1000);
        kept.keep("a", b"one", 0);
        let path = kept.cache.file(&kept.store, "a", at(1)).unwrap();
        fs::write(&path, b"two").unwrap();
        assert_eq!(kept.find("a", 1), None);
        assert_eq!(kept.files(), 0);
        kept.keep("a", b"one", 2);
        fs::remove_file(&path).unwrap();
        assert_eq!(kept.cache.file(&kept.store, "a", at(3)), None);
        assert_eq!(kept.find("a", 3), None);
        assert_eq!(Cache::size(&kept.store).unwrap().files, 0);
    }

    #[test]
    fn what_nobody_needs_is_swept_away() {
        let kept = Kept::new(1000);
        kept.cache.tidy(&kept.store, at(0)).unwrap();
        kept.keep("a", b"one", 0);
        let stray = kept.folder.path().join("pictures/half.part");
        fs::write(&stray, b"x").unwrap();
        kept.cache.tidy(&kept.store, at(1)).unwrap();
        assert!(!stray.exists() && kept.find("a", 1).is_some());
        kept.store
            .write(|tx| tx.remove_account(kept.account))
            .unwrap();
        kept.cache.tidy(&kept.store, at(2)).unwrap();
        assert_eq!(kept.files(), 0);
    }

    #[test]
    fn it_can_be_emptied() {
        let kept = Kept::new(1000);
        kept.keep("a", b"one", 0);
        let size = Cache::size(&kept.store).unwrap();
        assert_eq!((size.files, size.bytes), (1, 3));
        kept.cache.empty(&kept.store).unwrap();
        assert_eq!(Cache::size(&kept.store).unwrap(), PictureCache::default());
        assert_eq!((kept.files(), kept.find("a", 1)), (0, None));
    }
}
