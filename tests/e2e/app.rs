//! The real programs on the private desktop: the resident, its window under WebDriver, a server, and what
//! a person would do with them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use support::{Desktop, Driver, Element, Options, Program, Result, Window, binary, until};
use tidings_api::{Client, Reply, Request, Status};
use tidings_server::{Access, Config, Permission, Server, User};

/// For what has to happen, however loaded the machine is.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The user of the private server, and a password that must be found nowhere afterwards.
pub const USER: &str = "ada";
/// Answers when two frames were drawn.
const DRAWN: &str =
    "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(1)));";
/// See [`USER`].
pub const CANARY: &str = "canary-7f3e9b1c-hunter2";

/// A resident on a desktop of its own, beside a server that only [`USER`] may use.
pub struct App {
    pub desktop: Desktop,
    pub server: Server,
    pub resident: Program,
    profile: PathBuf,
    wanted: PathBuf,
}

impl App {
    /// Starts everything; the tray icon is there.
    pub async fn start() -> Result<Self> {
        Self::start_on(Options::default()).await
    }

    pub async fn start_on(options: Options) -> Result<Self> {
        let desktop = Desktop::start(options).await?;
        let user = User::new(USER, CANARY, &[("*", Permission::ReadWrite)]);
        let server = Server::start(Config {
            access: Access::only(vec![user]),
            ..Config::for_tests()
        })
        .await?;
        let profile = desktop.folder().join("profile");
        let wanted = desktop.folder().join("window-wanted");
        let resident = start_resident(&desktop, &profile, &wanted)?;
        let app = Self {
            desktop,
            server,
            resident,
            profile,
            wanted,
        };
        app.until_it_answers().await?;
        if options.tray {
            let tray = app.desktop.tray();
            tray.wait_for_item(PATIENCE, "tidings").await?;
        }
        Ok(app)
    }

    /// Starts the resident again, on the same profile.
    pub async fn restart(&mut self) -> Result<()> {
        self.resident = start_resident(&self.desktop, &self.profile, &self.wanted)?;
        self.until_it_answers().await
    }

    async fn until_it_answers(&self) -> Result<()> {
        until("the resident to answer", PATIENCE, async || {
            Ok(self.client().await.ok().map(drop))
        })
        .await
    }

    /// A connection to the resident, as the windows have one.
    pub async fn client(&self) -> Result<Client> {
        Ok(Client::connect(&self.socket(), "test").await?)
    }

    /// The resident's control socket.
    pub fn socket(&self) -> PathBuf {
        self.profile.join("run/control.sock")
    }

    pub async fn status(&self) -> Result<Status> {
        match self.client().await?.call(Request::Status).await? {
            Reply::Status(status) => Ok(status),
            other => Err(format!("{other:?}").into()),
        }
    }

    /// Waits until the status is as wanted.
    pub async fn until_status(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Result<()> {
        until(what, PATIENCE, async || {
            Ok(wanted(&self.status().await?).then_some(()))
        })
        .await
    }

    /// Types a command: its arguments after `tidings`.
    pub fn tidings(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments)?.output()?)
    }

    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = self.desktop.command(binary("tidings")?);
        command
            .arg("--profile")
            .arg(&self.profile)
            .args(arguments)
            .env("TIDINGS_WINDOW", script(&self.wanted));
        Ok(command)
    }

    /// Types a command that prints objects, and reads them.
    pub fn objects(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let output = self.tidings(arguments)?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let text = String::from_utf8(output.stdout)?;
        text.lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// Publishes as a person would: with curl.
    pub fn curl(&self, topic: &str, headers: &[&str], body: &str) -> Result<()> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--user"])
            .arg(format!("{USER}:{CANARY}"));
        for header in headers {
            curl.args(["--header", header]);
        }
        let output = curl
            .args(["--data-binary", body])
            .arg(format!("{}/{topic}", self.server.url()))
            .output()?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }

    /// The arguments with which the resident wants its window started, once it does.
    pub async fn wanted_window(&self) -> Result<Vec<String>> {
        let text = until("a window to be wanted", PATIENCE, async || {
            Ok(std::fs::read_to_string(&self.wanted).ok())
        })
        .await?;
        std::fs::remove_file(&self.wanted)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The window that the resident wants, under WebDriver.
    pub async fn open_wanted(&self, driver: &Driver) -> Result<Window> {
        let arguments = self.wanted_window().await?;
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        driver.open(&binary("tidings-window")?, &arguments).await
    }

    /// Adds the private server by the command line.
    pub fn add_account(&self, topics: &[&str]) -> Result<()> {
        let url = self.server.url();
        let mut arguments = vec!["account", "add", &url, "--user", USER, "--password-stdin"];
        for topic in topics {
            arguments.extend(["--topic", topic]);
        }
        let mut child = self
            .command(&arguments)?
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()?;
        std::io::Write::write_all(
            &mut child.stdin.take().ok_or("no stdin")?,
            format!("{CANARY}\n").as_bytes(),
        )?;
        let output = child.wait_with_output()?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }

    pub async fn until_live(&self) -> Result<()> {
        self.until_status("all connections to be live", |status| {
            !status.connections.is_empty()
                && status
                    .connections
                    .iter()
                    .all(|c| c.state == tidings_api::ConnectionState::Live)
        })
        .await
    }

    /// Keeps a picture of the whole display, once what was drawn last is on it, where a person will look
    /// at it.
    pub async fn picture(&self, window: &Window, name: &str) -> Result<()> {
        drawn(window).await?;
        self.desktop
            .screenshot(&pictures()?.join(format!("{name}.png")))
    }
}

/// Waits until what changed last is on the screen.
pub async fn drawn(window: &Window) -> Result<()> {
    window.execute_async(DRAWN, &[]).await.map(drop)
}

/// The selector of what a window calls so for tests.
pub fn testid(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

/// What a window calls so for tests, as soon as it is there.
pub async fn find(window: &Window, id: &str) -> Result<Element> {
    window.find(&testid(id)).await
}

/// Clicks on it.
pub async fn click(window: &Window, id: &str) -> Result<()> {
    window.click(&find(window, id).await?).await
}

/// Types into a field, in place of what was in it. Lines end with Enter, as when a person types them.
pub async fn fill(window: &Window, id: &str, text: &str) -> Result<()> {
    let field = find(window, id).await?;
    window.clear(&field).await?;
    window
        .type_into(&field, &text.replace('\n', "\u{e007}"))
        .await
}

/// Where pictures go: `target/e2e`.
pub fn pictures() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/e2e");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The window's command is a script that writes down what it was given: the test then starts the window by
/// WebDriver with the same arguments.
fn start_resident(desktop: &Desktop, profile: &Path, wanted: &Path) -> Result<Program> {
    let file = script(wanted);
    std::fs::write(
        &file,
        format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" > '{0}.new'\nmv '{0}.new' '{0}'\n",
            wanted.display()
        ),
    )?;
    std::fs::set_permissions(&file, Permissions::from_mode(0o755))?;
    let mut command = desktop.command(binary("tidings")?);
    command
        .arg("--hidden")
        .arg("--profile")
        .arg(profile)
        .env("TIDINGS_WINDOW", &file);
    desktop.run(command, "tidings")
}

fn script(wanted: &Path) -> PathBuf {
    wanted.with_extension("sh")
}
