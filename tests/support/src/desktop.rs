//! The private desktop: display, buses, keyring, notification daemon and tray host.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use zbus::{Connection, connection, fdo::DBusProxy, names::BusName};

use crate::{Program, RecordingDaemon, Result, TrayHost, grab_display, until};

/// How long a part of the desktop may take to start; a loaded machine is slow.
const START: Duration = Duration::from_secs(30);

/// What unlocks the private keyring.
const KEYRING_PASSWORD: &[u8] = b"tidings";

/// Variables of the caller that programs on the desktop still see: where programs are and how they
/// are watched, nothing that leads to the caller's own desktop.
const INHERITED: [&str; 6] = [
    "PATH",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "TIDINGS_WINDOW",
];

/// Keeps the folder of the desktop, with the logs in it, when set.
const KEEP_VARIABLE: &str = "TIDINGS_KEEP_DESKTOP";

/// Who answers for `org.freedesktop.Notifications`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationDaemon {
    /// Nobody.
    None,
    /// Our own, which draws nothing and remembers everything.
    Recording,
    /// dunst, which draws: for pictures and demonstrations.
    Dunst,
}

/// What the desktop consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Width and height of the display, in pixels.
    pub size: (u32, u32),
    /// Starts openbox, for tests of focus, size and placement.
    pub window_manager: bool,
    /// Starts an unlocked gnome-keyring as the Secret Service.
    pub keyring: bool,
    /// Who takes the toasts.
    pub notifications: NotificationDaemon,
    /// Offers a place for tray icons.
    pub tray: bool,
    /// Starts a second bus in the place of the system bus; without it there is none.
    pub system_bus: bool,
    /// Lets GTK start its accessibility bus.
    pub accessibility: bool,
}

impl Default for Options {
    /// All that an everyday desktop has, with the recording daemon.
    fn default() -> Self {
        Self {
            size: (1280, 800),
            window_manager: true,
            keyring: true,
            notifications: NotificationDaemon::Recording,
            tray: true,
            system_bus: false,
            accessibility: false,
        }
    }
}

/// A running private desktop. Dropping it ends everything on it.
#[derive(Debug)]
pub struct Desktop {
    options: Options,
    display: String,
    address: String,
    bus: Connection,
    notifications: Option<RecordingDaemon>,
    tray: Option<TrayHost>,
    /// In the order of their start; they end in the opposite one.
    programs: Vec<Program>,
    root: Option<TempDir>,
    folder: PathBuf,
}

impl Desktop {
    /// Starts a desktop and waits until all of its parts answer.
    ///
    /// # Errors
    /// A part isn't installed or doesn't start; the message says which.
    pub async fn start(options: Options) -> Result<Self> {
        // Short, since the paths of sockets may not be longer than 107 bytes.
        let root = tempfile::Builder::new().prefix("tidings-").tempdir()?;
        let folder = root.path().canonicalize()?;
        for name in ["home", "config", "data", "cache", "state", "run", "logs"] {
            fs::create_dir(folder.join(name))?;
        }
        fs::set_permissions(folder.join("run"), fs::Permissions::from_mode(0o700))?;
        let logs = folder.join("logs");

        let (width, height) = options.size;
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", &format!("{width}x{height}x24")]);
        let mut xvfb = Program::start(xvfb, "xvfb", &logs)?;
        let number = xvfb.wait_for_first_line(START).await?;
        let display = format!(":{number}");

        let (session, address) = start_bus(&folder, "session").await?;
        let mut programs = vec![xvfb, session];
        if options.system_bus {
            programs.push(start_bus(&folder, "system").await?.0);
        }
        let bus = connect(&address).await?;
        let mut desktop = Self {
            options,
            display,
            address,
            bus,
            notifications: None,
            tray: None,
            programs,
            root: Some(root),
            folder,
        };
        desktop.start_services().await?;
        Ok(desktop)
    }

    async fn start_services(&mut self) -> Result<()> {
        if self.options.window_manager {
            let mut openbox = self.command("openbox");
            openbox.arg("--sm-disable");
            let openbox = self.run(openbox, "openbox")?;
            self.programs.push(openbox);
        }
        if self.options.keyring {
            let mut keyring = self.command("gnome-keyring-daemon");
            keyring.args(["--foreground", "--unlock", "--components=secrets"]);
            let keyring = Program::start_with_input(
                keyring,
                "gnome-keyring-daemon",
                &self.logs(),
                KEYRING_PASSWORD,
            )?;
            self.programs.push(keyring);
            self.wait_for_name("org.freedesktop.secrets", START).await?;
        }
        match self.options.notifications {
            NotificationDaemon::None => {}
            NotificationDaemon::Recording => {
                self.notifications = Some(RecordingDaemon::start(&self.address).await?);
            }
            NotificationDaemon::Dunst => self.start_dunst().await?,
        }
        if self.options.tray {
            self.tray = Some(TrayHost::start(&self.address).await?);
        }
        Ok(())
    }

    async fn start_dunst(&mut self) -> Result<()> {
        let file = self.folder.join("config/dunstrc");
        fs::write(&file, include_str!("dunstrc"))?;
        let mut dunst = self.command("dunst");
        dunst.arg("-conf").arg(&file);
        let dunst = self.run(dunst, "dunst")?;
        self.programs.push(dunst);
        self.wait_for_name("org.freedesktop.Notifications", START)
            .await
    }

    /// A command with the environment of this desktop, and nothing else of the caller's.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.environment())
            .current_dir(self.home());
        command
    }

    /// Starts a program that ends with the desktop at the latest; its output goes to [`Desktop::logs`].
    ///
    /// # Errors
    /// The program can't be started.
    pub fn run(&self, command: Command, name: &str) -> Result<Program> {
        Program::start(command, name, &self.logs())
    }

    /// The variables that a program needs to be on this desktop.
    pub fn environment(&self) -> Vec<(String, String)> {
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?)));
        let path = |name: &str| self.folder.join(name).display().to_string();
        let mut variables: Vec<(String, String)> = inherited.collect();
        let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
        set("HOME", path("home"));
        set("USER", "tester".to_owned());
        set("LANG", "C.UTF-8".to_owned());
        set("XDG_CONFIG_HOME", path("config"));
        set("XDG_DATA_HOME", path("data"));
        set("XDG_CACHE_HOME", path("cache"));
        set("XDG_STATE_HOME", path("state"));
        set("XDG_RUNTIME_DIR", path("run"));
        set("XDG_SESSION_TYPE", "x11".to_owned());
        set("XDG_CURRENT_DESKTOP", "Tidings".to_owned());
        set("DISPLAY", self.display.clone());
        set("DBUS_SESSION_BUS_ADDRESS", self.address.clone());
        // Without a second bus this leads nowhere, so that no test depends on the machine's own.
        set("DBUS_SYSTEM_BUS_ADDRESS", self.system_address());
        // WebKit's screenshots hang for ever with its other ways to do without a graphics card.
        set("LIBGL_ALWAYS_SOFTWARE", "1".to_owned());
        if !self.options.accessibility {
            set("NO_AT_BRIDGE", "1".to_owned());
            set("GTK_A11Y", "none".to_owned());
        }
        variables
    }

    /// The recording notification daemon.
    ///
    /// # Panics
    /// The desktop was started with another one.
    pub fn notifications(&self) -> &RecordingDaemon {
        self.notifications
            .as_ref()
            .expect("this desktop was started without the recording daemon")
    }

    /// The tray host.
    ///
    /// # Panics
    /// The desktop was started without one.
    pub fn tray(&self) -> &TrayHost {
        self.tray
            .as_ref()
            .expect("this desktop was started without a tray host")
    }

    /// A connection to the session bus.
    pub fn bus(&self) -> &Connection {
        &self.bus
    }

    /// The address of the session bus.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address of the private system bus, which answers if [`Options::system_bus`] is set.
    pub fn system_address(&self) -> String {
        bus_address(&self.folder, "system")
    }

    /// The X display, as in `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The private home directory.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The private `XDG_RUNTIME_DIR`.
    pub fn runtime_dir(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// Where the output of everything on the desktop is kept.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The folder that all of this is in; a test may put its own files here.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a picture of the whole display to `file`.
    ///
    /// # Errors
    /// As [`grab_display`].
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        grab_display(&self.display, file)
    }

    /// Waits until somebody owns `name` on the session bus.
    ///
    /// # Errors
    /// The time is over.
    pub async fn wait_for_name(&self, name: &str, limit: Duration) -> Result<()> {
        let daemon = DBusProxy::new(&self.bus).await?;
        let wanted = BusName::try_from(name)?;
        until(&format!("an owner of {name}"), limit, async || {
            let owned = daemon.name_has_owner(wanted.clone()).await?;
            Ok(owned.then_some(()))
        })
        .await
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        while let Some(program) = self.programs.pop() {
            drop(program);
        }
        if (env::var_os(KEEP_VARIABLE).is_some() || std::thread::panicking())
            && let Some(root) = self.root.take()
        {
            eprintln!(
                "the desktop's files and logs are kept in {}",
                root.keep().display()
            );
        }
    }
}

/// A connection to the bus at `address`.
pub(crate) async fn connect(address: &str) -> Result<Connection> {
    Ok(connection::Builder::address(address)?.build().await?)
}

fn bus_address(folder: &Path, kind: &str) -> String {
    format!("unix:path={}", folder.join("run").join(kind).display())
}

/// Starts a bus of our own: nothing is activated on it but what is put into `services-KIND`.
async fn start_bus(folder: &Path, kind: &str) -> Result<(Program, String)> {
    let services = folder.join(format!("services-{kind}"));
    fs::create_dir(&services)?;
    let file = folder.join(format!("{kind}.conf"));
    fs::write(
        &file,
        format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
             <busconfig>\n  <type>session</type>\n  <listen>{address}</listen>\n  \
             <servicedir>{services}</servicedir>\n  \
             <policy context=\"default\">\n    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n    \
             <allow eavesdrop=\"true\"/>\n    <allow own=\"*\"/>\n  </policy>\n</busconfig>\n",
            address = bus_address(folder, kind),
            services = services.display(),
        ),
    )?;
    let mut daemon = Command::new("dbus-daemon");
    daemon
        .args(["--nofork", "--nopidfile", "--nosyslog", "--print-address=1"])
        .arg(format!("--config-file={}", file.display()));
    let mut daemon = Program::start(daemon, &format!("dbus-{kind}"), &folder.join("logs"))?;
    let address = daemon.wait_for_first_line(START).await?;
    Ok((daemon, address))
}
