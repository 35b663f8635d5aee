//! Where an instance keeps its things, and the lock that makes it the only one there.

use crate::os::clock;
use sha2::{Digest as _, Sha256};
use std::env;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tidings_api::{ErrorCode, ErrorView};

/// The longest path a socket may have: `sun_path` holds 108 bytes on Linux and 104 on macOS, its NUL
/// included (unix(7)).
const LONGEST_SOCKET: usize = 103;

/// The folders of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Database, settings, and secrets that the user wants in a file.
    pub data: PathBuf,
    /// What can be had again: pictures. Made when there is something to put into it.
    pub cache: PathBuf,
    /// The log.
    pub logs: PathBuf,
    /// The folder of the control socket, of mode 0700.
    pub run: PathBuf,
    /// The control socket.
    pub socket: PathBuf,
    /// What tells this instance's secrets from others' in the keyring; empty for the user's own.
    pub name: String,
    /// As the user chose it; none is the user's own.
    pub chosen: Option<PathBuf>,
}

/// What the environment says about folders (XDG Base Directory 0.8), an argument so that tests need
/// not change theirs.
#[derive(Clone, Debug, Default)]
pub struct Places {
    home: Option<PathBuf>,
    data: Option<PathBuf>,
    cache: Option<PathBuf>,
    state: Option<PathBuf>,
    runtime: Option<PathBuf>,
    temp: PathBuf,
}

impl Places {
    /// As this process's environment says.
    pub fn of_environment() -> Self {
        // The specification: a relative path is to be ignored.
        let folder = |name: &str| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        Self {
            home: folder(if cfg!(windows) { "USERPROFILE" } else { "HOME" }),
            data: folder(if cfg!(windows) {
                "LOCALAPPDATA"
            } else {
                "XDG_DATA_HOME"
            }),
            cache: folder("XDG_CACHE_HOME"),
            state: folder("XDG_STATE_HOME"),
            runtime: folder("XDG_RUNTIME_DIR"),
            temp: env::temp_dir(),
        }
    }
}

impl Profile {
    /// The profile in `chosen`, or the user's own. Creates nothing.
    ///
    /// # Errors
    /// No folder can be found: `HOME` is not set; or `chosen` cannot be made absolute.
    pub fn find(chosen: Option<&Path>, places: &Places) -> Result<Self, ErrorView> {
        if let Some(chosen) = chosen {
            let root = std::path::absolute(chosen).map_err(|error| {
                ErrorView::new(
                    ErrorCode::Invalid,
                    format!("{} is no folder for a profile.", chosen.display()),
                )
                .with_detail(error)
            })?;
            // Two spellings of one folder are one profile.
            let root = fs::canonicalize(&root).unwrap_or(root);
            let name = fingerprint(&root);
            let near = root.join("run");
            let (run, socket) = if fits(&near.join("control.sock")) {
                let socket = near.join("control.sock");
                (near, socket)
            } else {
                let run = places.runtime();
                let socket = run.join(format!("{name}.sock"));
                (run, socket)
            };
            return Ok(Self {
                data: root.join("data"),
                cache: root.join("cache"),
                logs: root.join("logs"),
                run,
                socket,
                name,
                chosen: Some(root),
            });
        }
        let from_home = |rest: &str| {
            places.home.as_ref().map(|home| home.join(rest)).ok_or_else(|| {
                ErrorView::new(
                    ErrorCode::Storage,
                    "Tidings does not know where to keep its inbox: the variable HOME is not set. \
                     Set it, or name a folder with --profile DIR.",
                )
            })
        };
        let data = match &places.data {
            Some(data) => data.clone(),
            None => from_home(if cfg!(target_os = "macos") {
                "Library/Application Support"
            } else {
                ".local/share"
            })?,
        };
        let state = match &places.state {
            Some(state) => state.clone(),
            None if cfg!(any(windows, target_os = "macos")) => data.clone(),
            None => from_home(".local/state")?,
        };
        let cache = match &places.cache {
            Some(cache) => cache.join("tidings"),
            None if cfg!(windows) => data.join("tidings/cache"),
            None => from_home(if cfg!(target_os = "macos") {
                "Library/Caches"
            } else {
                ".cache"
            })?
            .join("tidings"),
        };
        let run = places.runtime();
        let socket = run.join("control.sock");
        Ok(Self {
            data: data.join("tidings"),
            cache,
            logs: state.join("tidings/logs"),
            run,
            socket,
            name: String::new(),
            chosen: None,
        })
    }

    /// Makes the folders that a running instance needs, for its user alone.
    ///
    /// # Errors
    /// One of them cannot be made or written to; the words name it.
    pub fn create(&self) -> Result<(), ErrorView> {
        for folder in [&self.data, &self.logs, &self.run] {
            create_private(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        Ok(())
    }

    /// Takes the profile for this process, waiting `patience` for another to let go of it.
    ///
    /// # Errors
    /// [`Taken::ByOther`] if it did not, [`Taken::Failed`] where the lock cannot be made.
    pub async fn lock(&self, patience: Duration) -> Result<Lock, Taken> {
        self.create().map_err(Taken::Failed)?;
        let path = self.data.join("lock");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| Taken::Failed(cannot_write(&path, &error)))?;
        let pause = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if waited < patience => {
                    clock::pause(pause).await;
                    waited += pause;
                }
                Err(TryLockError::WouldBlock) => return Err(Taken::ByOther),
                Err(TryLockError::Error(error)) => {
                    return Err(Taken::Failed(cannot_write(&path, &error)));
                }
            }
        }
        // For people who look: which process holds it. The lock itself is the kernel's.
        let note = || -> io::Result<()> {
            file.set_len(0)?;
            writeln!(&file, "{}", std::process::id())
        };
        note().map_err(|error| Taken::Failed(cannot_write(&path, &error)))?;
        Ok(Lock { _file: file })
    }
}

impl Places {
    /// The folder for sockets. Where the session has none, one of the user's own below the temporary
    /// folder: its mode and owner are checked when it is used.
    fn runtime(&self) -> PathBuf {
        match (&self.runtime, &self.home) {
            (Some(runtime), _) => runtime.join("tidings"),
            (None, Some(home)) => self.temp.join(format!("tidings-{}", fingerprint(home))),
            (None, None) => self.temp.join("tidings-run"),
        }
    }
}

/// Holds a profile for this process; dropping it lets go.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a profile could not be taken.
#[derive(Debug)]
pub enum Taken {
    /// Another process holds it.
    ByOther,
    /// It cannot be used.
    Failed(ErrorView),
}

fn fits(socket: &Path) -> bool {
    socket.as_os_str().len() <= LONGEST_SOCKET
}

fn fingerprint(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    tidings_core::model::hexadecimal(&digest[..8])
}

/// Makes a folder that only its owner may enter; an existing one is narrowed, one of another user
/// refused.
fn create_private(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let metadata = fs::symlink_metadata(folder)?;
        if !metadata.is_dir() {
            // A link is fine for a folder of the user's making, but not at a guessable place in /tmp.
            let real = fs::metadata(folder)?;
            if metadata.uid() != real.uid() || !real.is_dir() {
                return Err(io::Error::other("it is not a folder of yours"));
            }
        }
        if metadata.permissions().mode() & 0o077 != 0 && metadata.is_dir() {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    fs::create_dir_all(folder)
}

fn cannot_write(path: &Path, error: &io::Error) -> ErrorView {
    let words = match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "Tidings may not write to {}. Check who owns it, or name another folder with --profile DIR.",
            path.display()
        ),
        io::ErrorKind::ReadOnlyFilesystem => format!(
            "{} is on a file system that is read-only. Name another folder with --profile DIR.",
            path.display()
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!(
            "There is no space left for {}. Make room and try again.",
            path.display()
        ),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => format!(
            "{} is needed as a folder, but something else has that name. Move it away, or name another \
             folder with --profile DIR.",
            path.display()
        ),
        _ => format!("Tidings cannot use {}: {error}.", path.display()),
    };
    ErrorView::new(ErrorCode::Storage, words).with_detail(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places {
            home: Some("/home/ada".into()),
            runtime: Some("/run/user/7".into()),
            temp: "/tmp".into(),
            ..Places::default()
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_users_own_profile_is_where_the_desktop_says() {
        let profile = Profile::find(None, &places()).unwrap();
        assert_eq!(profile.data, Path::new("/home/ada/.local/share/tidings"));
        assert_eq!(
            profile.logs,
            Path::new("/home/ada/.local/state/tidings/logs")
        );
        assert_eq!(
            profile.socket,
            Path::new("/run/user/7/tidings/control.sock")
        );
        let mut elsewhere = places();
        elsewhere.data = Some("/data".into());
        elsewhere.state = Some("/state".into());
        elsewhere.runtime = None;
        let profile = Profile::find(None, &elsewhere).unwrap();
        assert_eq!(profile.data, Path::new("/data/tidings"));
        assert_eq!(profile.cache, Path::new("/home/ada/.cache/tidings"));
        elsewhere.cache = Some("/cache".into());
        let profile = Profile::find(None, &elsewhere).unwrap();
        assert_eq!(profile.cache, Path::new("/cache/tidings"));
        assert_eq!(profile.logs, Path::new("/state/tidings/logs"));
        assert!(profile.run.starts_with("/tmp"), "{}", profile.run.display());
    }

    #[test]
    fn without_a_home_the_words_say_what_to_do() {
        let nowhere = Places::default();
        let error = Profile::find(None, &nowhere).unwrap_err();
        assert!(error.message.contains("--profile"), "{error}");
        assert!(Profile::find(Some(Path::new("/srv/p")), &nowhere).is_ok());
    }

    #[test]
    fn a_chosen_profile_keeps_everything_in_it_and_its_socket_fits() {
        let profile = Profile::find(Some(Path::new("/srv/p")), &places()).unwrap();
        for path in [
            &profile.data,
            &profile.cache,
            &profile.logs,
            &profile.socket,
        ] {
            assert!(path.starts_with("/srv/p"), "{}", path.display());
        }
        let long = PathBuf::from(format!("/srv/{}", "x".repeat(120)));
        let profile = Profile::find(Some(&long), &places()).unwrap();
        assert!(profile.data.starts_with(&long));
        assert!(profile.socket.starts_with("/run/user/7/tidings"));
        assert!(fits(&profile.socket));
        let other = PathBuf::from(format!("/srv/{}", "y".repeat(120)));
        let other = Profile::find(Some(&other), &places()).unwrap();
        assert_ne!(profile.socket, other.socket);
        assert_ne!(profile.name, other.name);
    }

    #[tokio::test]
    async fn one_process_at_a_time_holds_a_profile() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::find(Some(folder.path()), &places()).unwrap();
        let first = profile.lock(Duration::ZERO).await.unwrap();
        assert!(matches!(
            profile.lock(Duration::ZERO).await,
            Err(Taken::ByOther)
        ));
        drop(first);
        assert!(profile.lock(Duration::ZERO).await.is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_for_their_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::find(Some(folder.path()), &places()).unwrap();
        fs::create_dir(&profile.run).unwrap();
        fs::set_permissions(&profile.run, fs::Permissions::from_mode(0o755)).unwrap();
        profile.create().unwrap();
        for made in [&profile.run, &profile.data] {
            let mode = fs::metadata(made).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", made.display());
        }
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Profile::find(Some(&file), &places())
            .unwrap()
            .create()
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::Storage);
        assert!(error.message.contains("--profile"), "{error}");
    }
}
