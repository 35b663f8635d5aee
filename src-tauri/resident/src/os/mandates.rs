//! An administrator's file: what is mandatory on this computer, whoever sits at it. Only one that nobody but the
//! administrator can have written is believed.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use tidings_core::settings::MandatesFile;

/// A file that is longer, bytes, is no such file.
const LONGEST: u64 = 1024 * 1024;
/// The user whose files are believed.
#[cfg(unix)]
const ROOT: u32 = 0;
/// Files are written in several steps: they are looked at together.
#[cfg(target_os = "linux")]
const SETTLE: std::time::Duration = std::time::Duration::from_millis(300);

/// Where it is on this system.
pub fn path() -> PathBuf {
    #[cfg(windows)]
    {
        let data =
            std::env::var_os("ProgramData").map_or_else(|| r"C:\ProgramData".into(), PathBuf::from);
        data.join("Tidings").join("policy.json")
    }
    #[cfg(target_os = "macos")]
    {
        "/Library/Application Support/Tidings/policy.json".into()
    }
    #[cfg(not(any(windows, target_os = "macos")))]
    {
        "/etc/tidings/policy.json".into()
    }
}

/// Reads it as it is now. What is wrong with it is in what comes back.
pub fn read() -> MandatesFile {
    read_at(&path(), believed)
}

/// Calls `changed` with it whenever it may have changed. Never ends; where the system does not tell, it does nothing.
#[cfg_attr(
    not(target_os = "linux"),
    expect(unused_variables, reason = "nobody tells")
)]
pub async fn watch(path: PathBuf, changed: impl Fn(MandatesFile) + Send + Sync) {
    #[cfg(target_os = "linux")]
    loop {
        let Ok(watch) = watching::Watch::begin(&path) else {
            tracing::warn!("changes of the administrator's file are not told on this system");
            break;
        };
        // What changed before the watch began is read now.
        changed(read_at(&path, believed));
        if let Err(error) = watch.changed().await {
            tracing::warn!(%error, "changes of the administrator's file are not told any more");
            break;
        }
        super::clock::pause(SETTLE).await;
    }
    std::future::pending::<()>().await;
}

fn read_at(path: &Path, believed: impl Fn(&File) -> Result<(), String>) -> MandatesFile {
    MandatesFile::new(path.display().to_string(), found(path, believed))
}

fn found(
    path: &Path,
    believed: impl Fn(&File) -> Result<(), String>,
) -> Option<Result<String, String>> {
    let text = || -> std::io::Result<Result<String, String>> {
        // Opening another thing than a file may never end.
        if !fs::metadata(path)?.is_file() {
            return Ok(Err("This is no file.".to_owned()));
        }
        let file = File::open(path)?;
        // Of what was opened, whatever is at the path by now.
        if let Err(says) = believed(&file) {
            return Ok(Err(says));
        }
        let mut text = String::new();
        file.take(LONGEST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LONGEST {
            return Ok(Err("This is longer than 1 MiB.".to_owned()));
        }
        Ok(Ok(text))
    };
    match text() {
        Ok(found) => Some(found),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            None
        }
        Err(error) => Some(Err(format!("This cannot be read ({error})."))),
    }
}

/// Whether nobody but the administrator can have written a file.
#[cfg(unix)]
fn believed(file: &File) -> Result<(), String> {
    owned_by(file, ROOT)
}

/// Who may write to it is up to its folder, which the administrator makes.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on other systems")]
fn believed(_file: &File) -> Result<(), String> {
    Ok(())
}

#[cfg(unix)]
fn owned_by(file: &File, owner: u32) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file
        .metadata()
        .map_err(|error| format!("This cannot be read ({error})."))?;
    if metadata.uid() != owner {
        return Err(format!(
            "This belongs to user {} and not to root, so it is not believed.",
            metadata.uid()
        ));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err("Others than root may write to this, so it is not believed.".to_owned());
    }
    Ok(())
}

#[cfg(target_os = "linux")]
mod watching {
    use rustix::fd::OwnedFd;
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    use std::io;
    use std::path::Path;
    use tokio::io::unix::AsyncFd;

    /// Hears (inotify(7)) of everything in the folder of a file, or, while there is none, in the nearest one above.
    pub struct Watch(AsyncFd<OwnedFd>);

    impl Watch {
        pub fn begin(path: &Path) -> io::Result<Self> {
            let inotify = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            let mut above = path.ancestors().skip(1);
            let folder = above.find(|folder| folder.is_dir());
            let what = WatchFlags::ATTRIB
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE
                | WatchFlags::MOVE_SELF;
            add_watch(&inotify, folder.unwrap_or(Path::new("/")), what)?;
            Ok(Self(crate::os::fd::readable(inotify)?))
        }

        /// Waits for the next change. Whatever it is, the file is read afterwards.
        pub async fn changed(&self) -> io::Result<()> {
            drop(self.0.readable().await?);
            Ok(())
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const ENTRY: &str = r#"{"mandatory": [{"server": "*.example.com", "says": "Fire"}]}"#;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn own() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn says(file: &MandatesFile) -> String {
        assert!(file.mandates().mandatory.is_empty(), "it is not believed");
        file.problems()[0].says.clone()
    }

    #[test]
    fn only_what_nobody_else_can_have_written_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        fs::write(&path, ENTRY).unwrap();
        let read = |owner| read_at(&path, |file| owned_by(file, owner));
        mode(&path, 0o644);
        assert_eq!(read(own()).mandates().mandatory.len(), 1);
        assert_eq!(read(own()).problems(), []);
        let other = says(&read(own() + 1));
        assert!(other.contains("not to root"), "{other}");
        assert!(other.starts_with(path.to_str().unwrap()), "{other}");
        for open in [0o664, 0o646, 0o666] {
            mode(&path, open);
            let says = says(&read(own()));
            assert!(says.contains("may write"), "{says}");
        }
    }

    #[test]
    fn what_is_not_there_is_no_problem_and_what_is_no_file_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let read = |path: &Path| read_at(path, |file| owned_by(file, own()));
        for missing in ["policy.json", "a/b/policy.json"] {
            let file = read(&folder.path().join(missing));
            assert_eq!(file.problems(), []);
        }
        assert!(says(&read(folder.path())).contains("no file"));
        let long = folder.path().join("long.json");
        fs::write(&long, " ".repeat(1024 * 1024 + 1)).unwrap();
        mode(&long, 0o644);
        assert!(says(&read(&long)).contains("longer"));
        fs::write(&long, "{").unwrap();
        assert!(says(&read(&long)).contains("This is not JSON"));
    }

    /// It may come, with its folder, when the program is long running.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_file_that_comes_and_goes_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings/policy.json");
        // Said of the folder above, then of its own, then of the file.
        let watch = watching::Watch::begin(&path).unwrap();
        fs::create_dir(path.parent().unwrap()).unwrap();
        watch.changed().await.unwrap();
        let watch = watching::Watch::begin(&path).unwrap();
        fs::write(&path, ENTRY).unwrap();
        watch.changed().await.unwrap();
        let watch = watching::Watch::begin(&path).unwrap();
        mode(&path, 0o600);
        watch.changed().await.unwrap();
        let watch = watching::Watch::begin(&path).unwrap();
        fs::remove_file(&path).unwrap();
        watch.changed().await.unwrap();
    }
}
