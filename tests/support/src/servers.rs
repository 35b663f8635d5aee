//! nginx with Nchan, and Redis, started on loopback with files of their own in a temporary folder.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Program, Result, until};
use tempfile::TempDir;

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);
/// Where distributions put modules of nginx.
const MODULES: [&str; 3] = [
    "/usr/lib/nginx/modules",
    "/usr/lib64/nginx/modules",
    "/usr/share/nginx/modules",
];

/// What is needed is installed. False where it is not, which is a failure in CI.
///
/// # Errors
/// It is CI, and something is missing.
pub fn are_here() -> Result<bool> {
    let missing = match (module(), program("nginx"), program("redis-server")) {
        (Ok(_), Ok(_), Ok(_)) => return Ok(true),
        (Err(missing), ..) | (_, Err(missing), _) | (.., Err(missing)) => missing,
    };
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        return Err(missing.into());
    }
    eprintln!("skipped: {missing}");
    Ok(false)
}

/// The module, for `load_module`.
///
/// # Errors
/// It is not installed; the words say what to do.
pub fn module() -> std::result::Result<PathBuf, String> {
    MODULES
        .iter()
        .map(|folder| Path::new(folder).join("ngx_nchan_module.so"))
        .find(|path| path.exists())
        .ok_or_else(|| {
            "there is no ngx_nchan_module.so; `cargo xtask setup` installs it".to_owned()
        })
}

fn program(name: &str) -> std::result::Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .ok_or_else(|| format!("there is no {name}; `cargo xtask setup` installs it"))
}

/// An address on loopback that nobody listens on.
///
/// # Errors
/// No port is free.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A server in a folder of its own. It dies with this value.
pub struct Daemon {
    /// Where it listens.
    pub addr: SocketAddr,
    folder: TempDir,
    name: &'static str,
    arguments: Vec<String>,
    program: Option<Program>,
}

impl Daemon {
    async fn start(
        name: &'static str,
        addr: SocketAddr,
        folder: TempDir,
        arguments: Vec<String>,
    ) -> Result<Self> {
        let mut daemon = Self {
            addr,
            folder,
            name,
            arguments,
            program: None,
        };
        daemon.again().await?;
        Ok(daemon)
    }

    /// Starts it, or starts it once more.
    ///
    /// # Errors
    /// It is not installed, or ends at once.
    pub async fn again(&mut self) -> Result<()> {
        let path = program(self.name)?;
        let mut command = Command::new(path);
        command
            .current_dir(self.folder.path())
            .args(&self.arguments);
        let mut program = Program::start(command, self.name, self.folder.path())?;
        let addr = self.addr;
        let what = format!("{} to listen on {addr}", self.name);
        until(&what, START, async || {
            if program.try_wait()?.is_some() {
                let said = program.output()? + &program.errors()?;
                return Err(format!("it ended at once: {said}").into());
            }
            let connected = tokio::net::TcpStream::connect(addr).await;
            Ok(connected.is_ok().then_some(()))
        })
        .await?;
        self.program = Some(program);
        Ok(())
    }

    /// Kills it with everything it started, in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.program = None;
    }

    /// What nginx complains of.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

/// nginx with a configuration; `files` are put beside it. What it would put elsewhere goes to its folder.
///
/// # Errors
/// It cannot be started.
pub async fn nginx(
    addr: SocketAddr,
    configuration: &str,
    files: &[(&str, &str)],
) -> Result<Daemon> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        fs::write(folder.path().join(name), text)?;
    }
    let mut whole = configuration.to_owned();
    // Temporary files; the distribution's folders may be root's.
    let here = folder.path().display();
    let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("    {what}_temp_path {here}/{what};\n"))
        .concat();
    whole = whole.replacen("http {\n", &format!("http {{\n{own}"), 1);
    fs::write(folder.path().join("nginx.conf"), whole)?;
    let arguments = [
        "-p",
        ".",
        "-c",
        "nginx.conf",
        "-e",
        "error.log",
        "-g",
        "daemon off;",
    ];
    Daemon::start("nginx", addr, folder, arguments.map(str::to_owned).into()).await
}

/// Redis with a configuration.
///
/// # Errors
/// It cannot be started.
pub async fn redis(addr: SocketAddr, configuration: &str) -> Result<Daemon> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("redis.conf"), configuration)?;
    Daemon::start("redis-server", addr, folder, vec!["redis.conf".to_owned()]).await
}

/// Who nginx's workers are: where the test is root's, nobody else may read its files.
pub fn user() -> &'static str {
    if rustix::process::geteuid().is_root() {
        "user root;\n"
    } else {
        ""
    }
}
