//! A resident in a profile of its own, and the servers it listens to.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use support::{Desktop, Program, Result, binary};
use tidings_api::{
    AccountDraft, AppSettings, BackendKind, Client, ConnectionState, Reply, Request, Secret,
    SecretPlace, SignIn, Status,
};
use tidings_core::model::Preferences;
use tidings_core::store::Store;
use tidings_server::{Access, Config, Limits, Permission, Publish, Server, User};

use crate::clock;

/// For what has to happen; what takes longer could not be measured.
pub const PATIENCE: Duration = Duration::from_mins(3);
/// The topic of every server.
pub const TOPIC: &str = "bench";
/// A stop is to take less than 2 s; a loaded machine is slower.
const STOP: Duration = Duration::from_secs(20);
const USER: &str = "ada";
const PASSWORD: &str = "correct horse battery staple";

/// How the resident runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With its tray, as login starts it.
    Tray,
    /// Without.
    Daemon,
}

/// A profile, its servers, and the resident while it runs.
pub struct Scene<'d> {
    /// What all of it stands on.
    pub desktop: &'d Desktop,
    /// One for each account.
    pub servers: Vec<Server>,
    programs: PathBuf,
    profile: PathBuf,
    resident: Option<Program>,
}

impl<'d> Scene<'d> {
    /// A new profile with so many accounts, live, each at a server of its own. Retention removes nothing.
    pub async fn new(desktop: &'d Desktop, accounts: usize, mode: Mode) -> Result<Self> {
        let mut scene = Self {
            desktop,
            servers: Vec::new(),
            programs: programs(desktop)?,
            profile: desktop.folder().join("profile"),
            resident: None,
        };
        scene.start(mode)?;
        let client = scene.until_it_answers().await?;
        let settings = AppSettings {
            keep_count: u32::MAX,
            ..AppSettings::default()
        };
        client.call(Request::SettingsSet(settings)).await?;
        for _ in 0..accounts {
            let user = User::new(USER, PASSWORD, &[("*", Permission::ReadWrite)]);
            let server = Server::start(Config {
                access: Access::only(vec![user]),
                limits: Limits::off(),
                record: 1000,
                ..Config::default()
            })
            .await?;
            let draft = AccountDraft {
                options: String::new(),
                url: server.url(),
                kind: Some(BackendKind::Ntfy),
                name: String::new(),
                topics: vec![TOPIC.to_owned()],
                sign_in: SignIn::Basic {
                    user: USER.to_owned(),
                },
                secret: Some(Secret::new(PASSWORD)),
                secrets: SecretPlace::Keyring,
                transport: None,
                allow_http: false,
                headers: Vec::new(),
                ..AccountDraft::default()
            };
            client.call(Request::AccountAdd(draft)).await?;
            scene.servers.push(server);
        }
        scene.until_live(&client).await?;
        Ok(scene)
    }

    /// The first server.
    pub fn server(&self) -> &Server {
        &self.servers[0]
    }

    /// The resident.
    ///
    /// # Errors
    /// It was stopped.
    pub fn resident(&self) -> Result<&Program> {
        Ok(self.resident.as_ref().ok_or("the resident was stopped")?)
    }

    /// Starts the resident and waits for nothing.
    pub fn start(&mut self, mode: Mode) -> Result<()> {
        let argument = match mode {
            Mode::Tray => "--hidden",
            Mode::Daemon => "daemon",
        };
        let command = self.command(&[argument]);
        self.resident = Some(self.desktop.run(command, "tidings")?);
        Ok(())
    }

    /// Stops the resident as the end of a session does.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(mut resident) = self.resident.take() {
            resident.stop(STOP).await?;
        }
        Ok(())
    }

    /// A command as it is typed: its arguments after `tidings`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desktop.command(self.programs.join("tidings"));
        command
            .env_remove("TIDINGS_WINDOW")
            .arg("--profile")
            .arg(&self.profile)
            .args(arguments);
        command
    }

    /// Takes the limits off toasts, so that each notification has one. The resident must not run.
    pub fn toast_everything(&self) -> Result<()> {
        let mut preferences = Preferences::default();
        let limits = &mut preferences.limits;
        for limit in [
            &mut limits.subscription,
            &mut limits.overall,
            &mut limits.critical,
        ] {
            *limit = 1_000_000;
        }
        preferences.duplicates.seconds = 0;
        let text = serde_json::to_string(&preferences)?;
        let opened = Store::open(&self.profile.join("data/inbox.db"), clock::wall())?;
        opened
            .store
            .write(|tx| tx.set_setting("preferences", &text))?;
        opened.store.close()?;
        Ok(())
    }

    /// A connection to the resident, as soon as it has one.
    pub async fn until_it_answers(&self) -> Result<Client> {
        let socket = self.profile.join("run/control.sock");
        support::until("the resident to answer", PATIENCE, async || {
            Ok(Client::connect(&socket, "test").await.ok())
        })
        .await
    }

    /// Waits until every connection is live.
    pub async fn until_live(&self, client: &Client) -> Result<()> {
        let live = |status: &Status| {
            status.connections.len() == self.servers.len()
                && status
                    .connections
                    .iter()
                    .all(|connection| connection.state == ConnectionState::Live)
        };
        until_status(client, "all connections to be live", live).await
    }

    /// Waits until the servers have noticed that the resident is gone.
    pub async fn until_no_streams(&self) -> Result<()> {
        support::until("the streams to be closed", PATIENCE, async || {
            let open: usize = self.servers.iter().map(Server::subscriptions).sum();
            Ok((open == 0).then_some(()))
        })
        .await
    }

    /// Publishes from within the server's process.
    pub async fn publish(&self, number: u64) -> Result<()> {
        let publish = Publish {
            title: format!("Backup {number} finished"),
            tags: vec!["backup".to_owned()],
            ..Publish::new(TOPIC, body(number))
        };
        let published = self.server().publish(publish).await;
        published.map_err(|refusal| format!("{refusal:?}"))?;
        Ok(())
    }
}

/// Asks until the status is as wanted.
pub async fn until_status(
    client: &Client,
    what: &str,
    wanted: impl Fn(&Status) -> bool,
) -> Result<()> {
    support::until(what, PATIENCE, async || {
        Ok(wanted(&status(client).await?).then_some(()))
    })
    .await
}

/// How things stand.
pub async fn status(client: &Client) -> Result<Status> {
    match client.call(Request::Status).await? {
        Reply::Status(status) => Ok(status),
        other => Err(format!("{other:?}").into()),
    }
}

/// Copies of the programs that nobody else runs: what two processes share counts half for each (PSS).
fn programs(desktop: &Desktop) -> Result<PathBuf> {
    let folder = desktop.folder().join("programs");
    fs::create_dir_all(&folder)?;
    for name in ["tidings", "tidings-window"] {
        if !folder.join(name).exists() {
            fs::copy(binary(name)?, folder.join(name))?;
        }
    }
    Ok(folder)
}

/// Text as long as that of everyday notifications; its number is its first word.
pub fn body(number: u64) -> String {
    format!(
        "{number} files of /srv/data were copied to the second disk in 12 minutes; 3 had changed \
         meanwhile and were copied again. Nothing is missing."
    )
}
