//! The packages as a user meets them: what is in them, installed, started from there, upgraded over
//! themselves while running, and removed again.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use support::{Desktop, Options, Program, Result, until};
use tidings_server::{Config, Publish, Server};

/// For what has to happen, however loaded the machine is.
const PATIENCE: Duration = Duration::from_mins(1);
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every file of the packages, but for the icons and the completions of zsh.
const FILES: [&str; 9] = [
    "usr/bin/tidings",
    "usr/bin/tidings-window",
    "usr/share/applications/tidings.desktop",
    "usr/share/bash-completion/completions/tidings",
    "usr/share/doc/tidings/copyright",
    "usr/share/fish/vendor_completions.d/tidings.fish",
    "usr/share/icons/hicolor/scalable/apps/tidings.svg",
    "usr/share/man/man1/tidings.1.gz",
    "usr/share/tidings/tidings-autostart.desktop",
];
/// Width of the icons, in pixels.
const ICONS: [u32; 9] = [16, 22, 24, 32, 48, 64, 128, 256, 512];
const ZSH_OF_DEBIAN: &str = "usr/share/zsh/vendor-completions/_tidings";
const ZSH_ELSEWHERE: &str = "usr/share/zsh/site-functions/_tidings";

/// The package with this ending: in the folder that `TIDINGS_BUNDLE_DIR` names, else in `target/bundle`.
fn package(ending: &str) -> Result<PathBuf> {
    let folder = std::env::var_os("TIDINGS_BUNDLE_DIR").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../bundle"),
        PathBuf::from,
    );
    let missing = |error: &dyn std::fmt::Display| {
        format!(
            "there is no package in {} ({error}). `cargo xtask bundle` makes it.",
            folder.display()
        )
    };
    let folder = folder.canonicalize().map_err(|error| missing(&error))?;
    let packages: Vec<PathBuf> = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    match &packages[..] {
        [package] => Ok(package.clone()),
        other => Err(missing(&format!("{} that end in .{ending}", other.len())).into()),
    }
}

/// What a program prints; a failure if it fails.
fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}. `cargo xtask setup` installs it."))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let complained = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}: {said}{complained}", output.status).into())
}

fn expected(zsh: &str) -> BTreeSet<String> {
    let icons = ICONS.map(|n| format!("usr/share/icons/hicolor/{n}x{n}/apps/tidings.png"));
    let named = FILES.map(str::to_owned);
    named
        .into_iter()
        .chain(icons)
        .chain([zsh.to_owned()])
        .collect()
}

/// Checks the rights of a file in a package, as in `-rwxr-xr-x`.
fn assert_rights(path: &str, rights: &str) {
    let wanted = if path.starts_with("usr/bin/") {
        "-rwxr-xr-x"
    } else {
        "-rw-r--r--"
    };
    assert_eq!(rights, wanted, "{path}");
}

#[test]
fn the_deb_holds_everything_in_its_place() -> Result<()> {
    let deb = package("deb")?;
    let mut files = BTreeSet::new();
    for line in output(Command::new("dpkg-deb").arg("--contents").arg(&deb))?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [rights, owner, .., path] = words[..] else {
            panic!("{line}");
        };
        assert_eq!(owner, "root/root", "{line}");
        let path = path.trim_start_matches("./");
        if rights.starts_with('d') {
            assert_eq!(rights, "drwxr-xr-x", "{line}");
        } else {
            assert_rights(path, rights);
            files.insert(path.to_owned());
        }
    }
    assert_eq!(files, expected(ZSH_OF_DEBIAN));

    let field = |name: &str| output(Command::new("dpkg-deb").arg("--field").arg(&deb).arg(name));
    assert_eq!(field("Package")?.trim(), "tidings");
    assert_eq!(field("Version")?.trim(), VERSION);
    assert!(field("Maintainer")?.contains('@'));
    let needs = field("Depends")?;
    for need in ["libc6 (>= 2.", "libwebkit2gtk-4.1-0", "libgtk-3-0"] {
        assert!(needs.contains(need), "{needs}");
    }
    Ok(())
}

#[test]
fn the_rpm_holds_the_same() -> Result<()> {
    let package = package("rpm")?;
    let base = tempfile::tempdir()?;
    let rpm = |arguments: &[&str]| {
        let mut rpm = Command::new("rpm");
        rpm.arg("--dbpath").arg(base.path()).args(arguments);
        output(rpm.arg(&package))
    };
    let listed = rpm(&[
        "-qp",
        "--qf",
        "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}\n]",
    ])?;
    let mut files = BTreeSet::new();
    for line in listed.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [path, rights, owner] = words[..] else {
            panic!("{line}");
        };
        let path = path.trim_start_matches('/');
        assert_eq!(owner, "root", "{line}");
        assert_rights(path, rights);
        files.insert(path.to_owned());
    }
    assert_eq!(files, expected(ZSH_ELSEWHERE));
    assert_eq!(
        rpm(&["-qp", "--qf", "%{NAME} %{VERSION}"])?,
        format!("tidings {VERSION}")
    );
    let needs = rpm(&["-qp", "--requires"])?;
    assert!(needs.contains("webkit2gtk4.1"), "{needs}");
    // The sums over its content are right.
    rpm(&["-K", "--nosignature"])?;
    Ok(())
}

#[test]
fn what_is_in_the_package_is_what_its_readers_expect() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    output(
        Command::new("dpkg-deb")
            .arg("-x")
            .arg(package("deb")?)
            .arg(root),
    )?;
    let path = |name: &str| root.join("usr/share").join(name);
    let read = |name: &str| {
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(fs::read_to_string(path(name))?)
    };

    for entry in [
        "applications/tidings.desktop",
        "tidings/tidings-autostart.desktop",
    ] {
        // It says nothing about a file that is right, hints included.
        let said = output(Command::new("desktop-file-validate").arg(path(entry)))?;
        assert_eq!(said, "", "{entry}");
    }
    let menu = read("applications/tidings.desktop")?;
    for line in [
        "Exec=tidings %u",
        "Icon=tidings",
        "StartupWMClass=tidings",
        "MimeType=x-scheme-handler/ntfy;x-scheme-handler/gotify;",
    ] {
        assert!(menu.lines().any(|found| found == line), "{line}: {menu}");
    }
    let login = read("tidings/tidings-autostart.desktop")?;
    assert!(
        login.lines().any(|line| line == "Exec=tidings --hidden"),
        "{login}"
    );

    for width in ICONS {
        let name = format!("icons/hicolor/{width}x{width}/apps/tidings.png");
        let size = output(
            Command::new("identify")
                .args(["-format", "%m %w %h"])
                .arg(path(&name)),
        )?;
        assert_eq!(size, format!("PNG {width} {width}"));
    }
    let manual = output(
        Command::new("gzip")
            .arg("-dc")
            .arg(path("man/man1/tidings.1.gz")),
    )?;
    for section in [".TH tidings 1", ".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS"] {
        assert!(manual.contains(section), "{section}");
    }
    let bash = path("bash-completion/completions/tidings");
    output(Command::new("bash").arg("-n").arg(&bash))?;
    let completions = [
        read("bash-completion/completions/tidings")?,
        read("fish/vendor_completions.d/tidings.fish")?,
        read("zsh/vendor-completions/_tidings")?,
    ];
    for completion in completions {
        assert!(completion.contains("tidings") && completion.contains("doctor"));
    }
    let licence = read("doc/tidings/copyright")?;
    assert!(licence.contains("Copyright (c)") && licence.contains("WITHOUT WARRANTY"));
    Ok(())
}

/// Where the package gets installed: on the machine itself where that is a Debian and ours to change,
/// else into a folder. Removed in any case.
struct Installation {
    options: Vec<String>,
    root: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl Installation {
    fn choose() -> Result<Self> {
        let query = |package: &str| {
            let mut query = Command::new("dpkg-query");
            query.args(["--show", "--showformat=${db:Status-Status}", package]);
            output(&mut query).unwrap_or_default()
        };
        if rustix::process::geteuid().is_root() && query("libc6") == "installed" {
            if query("tidings") == "installed" {
                return Err(
                    "Tidings is installed on this machine, and the test would remove it. \
                     `dpkg --purge tidings` first, or run the test as a user."
                        .into(),
                );
            }
            return Ok(Self {
                options: Vec::new(),
                root: PathBuf::from("/"),
                _folder: None,
            });
        }
        let folder = tempfile::tempdir()?;
        let base = folder.path().join("var/lib/dpkg");
        for name in ["info", "updates", "triggers"] {
            fs::create_dir_all(base.join(name))?;
        }
        fs::write(base.join("status"), "")?;
        let root = folder.path().to_owned();
        let options = ["--force-not-root", "--force-depends", "--force-bad-path"];
        let mut options = options.map(str::to_owned).to_vec();
        options.push(format!("--root={}", root.display()));
        options.push(format!("--log={}", root.join("dpkg.log").display()));
        Ok(Self {
            options,
            root,
            _folder: Some(folder),
        })
    }

    fn dpkg(&self, arguments: &[&str]) -> Result<String> {
        output(Command::new("dpkg").args(&self.options).args(arguments))
    }

    fn install(&self) -> Result<()> {
        let package = package("deb")?;
        self.dpkg(&["--install", &package.to_string_lossy()])?;
        Ok(())
    }

    /// Where a program of the package is now.
    fn program(&self, name: &str) -> PathBuf {
        self.root.join("usr/bin").join(name)
    }

    /// What is installed, as paths on this machine.
    fn listed(&self) -> Result<Vec<PathBuf>> {
        let listed = self.dpkg(&["--listfiles", "tidings"])?;
        let paths = listed.lines().filter_map(|line| line.strip_prefix('/'));
        Ok(paths.map(|path| self.root.join(path)).collect())
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // What is not installed can't be purged, which is fine.
        let _ = self.dpkg(&["--purge", "tidings"]);
    }
}

/// A user of the installed package, on a desktop, with a server.
struct Person<'a> {
    desktop: Desktop,
    server: Server,
    installation: &'a Installation,
}

impl Person<'_> {
    fn tidings(&self, arguments: &[&str]) -> Command {
        let mut command = self.desktop.command(self.installation.program("tidings"));
        command.args(arguments).env_remove("TIDINGS_WINDOW");
        command
    }

    async fn start(&self) -> Result<Program> {
        let resident = self.desktop.run(self.tidings(&["--hidden"]), "tidings")?;
        let tray = self.desktop.tray();
        tray.wait_for_item(PATIENCE, "tidings").await?;
        Ok(resident)
    }

    async fn publish(&self, title: &str) -> Result<()> {
        let publish = Publish {
            topic: "alerts".to_owned(),
            title: title.to_owned(),
            ..Publish::default()
        };
        self.server.publish(publish).await?;
        Ok(())
    }

    /// The titles in the inbox, sorted.
    fn titles(&self) -> Result<Vec<String>> {
        let listed = output(&mut self.tidings(&["list", "--json"]))?;
        let mut titles = Vec::new();
        for line in listed.lines() {
            let row: Value = serde_json::from_str(line)?;
            titles.push(row["title"].as_str().unwrap_or_default().to_owned());
        }
        titles.sort();
        Ok(titles)
    }

    async fn until_titles(&self, wanted: &[&str]) -> Result<()> {
        until(&format!("{wanted:?} in the inbox"), PATIENCE, async || {
            Ok((self.titles()? == wanted).then_some(()))
        })
        .await
    }

    /// The id of the window's process, which must be that of the package.
    fn window_process(&self) -> Result<Option<i32>> {
        let program = self.installation.program("tidings-window").canonicalize()?;
        for entry in fs::read_dir("/proc")?.flatten() {
            let started = fs::read_link(entry.path().join("exe"));
            if started.is_ok_and(|started| started == program) {
                return Ok(entry.file_name().to_string_lossy().parse().ok());
            }
        }
        Ok(None)
    }

    /// The class of every window that the window manager shows.
    fn classes(&self) -> Result<String> {
        let managed = output(
            self.desktop
                .command("xprop")
                .args(["-root", "_NET_CLIENT_LIST"]),
        )?;
        let mut classes = String::new();
        for id in managed
            .split([' ', ',', '\n'])
            .filter(|word| word.starts_with("0x"))
        {
            // It may be gone since.
            let window = output(self.desktop.command("xprop").args(["-id", id, "WM_CLASS"]));
            classes += &window.unwrap_or_default();
        }
        Ok(classes)
    }

    /// Opens the inbox as a user does, sees a window of the name in the desktop file, and closes it.
    async fn look_at_the_inbox(&self) -> Result<()> {
        output(&mut self.tidings(&["open"]))?;
        let process = until("a window of the package", PATIENCE, async || {
            self.window_process()
        })
        .await?;
        until("a window on the display", PATIENCE, async || {
            let classes = self.classes()?;
            Ok(classes.contains("= \"tidings\",").then_some(()))
        })
        .await?;
        let process = rustix::process::Pid::from_raw(process).ok_or("no process")?;
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        until("the window to be gone", PATIENCE, async || {
            Ok((self.classes()?.is_empty() && self.window_process()?.is_none()).then_some(()))
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_installed_used_upgraded_and_removed() -> Result<()> {
    let installation = Installation::choose()?;
    installation.install()?;
    let person = Person {
        desktop: Desktop::start(Options::default()).await?,
        server: Server::start(Config::for_tests()).await?,
        installation: &installation,
    };
    let version = output(&mut person.tidings(&["--version"]))?;
    assert_eq!(version.trim(), format!("tidings {VERSION}"));

    let mut resident = person.start().await?;
    let url = person.server.url();
    output(&mut person.tidings(&["account", "add", &url, "--topic", "alerts"]))?;
    person.publish("before").await?;
    person.until_titles(&["before"]).await?;
    person.look_at_the_inbox().await?;

    // The new version comes while the old one runs, which goes on until it is started again.
    installation.install()?;
    assert!(resident.try_wait()?.is_none(), "the upgrade ended it");
    person.publish("after").await?;
    person.until_titles(&["after", "before"]).await?;
    person.look_at_the_inbox().await?;
    let ended = resident.stop(PATIENCE).await?;
    assert!(ended.success(), "{ended}");
    let mut resident = person.start().await?;
    person.publish("restarted").await?;
    person
        .until_titles(&["after", "before", "restarted"])
        .await?;

    let listed = installation.listed()?;
    assert!(listed.contains(&installation.program("tidings-window")));
    let inbox = person.desktop.folder().join("data/tidings");
    let kept = fs::read_dir(&inbox)?.count();
    installation.dpkg(&["--remove", "tidings"])?;
    for path in &listed {
        let ours = path.to_string_lossy().contains("tidings");
        assert!(!ours || !path.exists(), "{} is left", path.display());
    }
    assert!(
        installation.dpkg(&["--status", "tidings"]).is_err(),
        "dpkg still knows it"
    );

    // Who removes the program doesn't lose what it kept; what still runs ends as ever.
    let ended = resident.stop(PATIENCE).await?;
    assert!(ended.success(), "{ended}");
    assert!(kept > 0 && fs::read_dir(&inbox)?.count() > 0);
    Ok(())
}
