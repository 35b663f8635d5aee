//! Programs that a test starts, watches and ends.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{Result, until};

/// Waits for the end of its standard input, which comes when the test ends in whatever way, then
/// kills the process group it was given.
const WATCHDOG: &str = "read -r _; kill -s KILL -- \"-$0\" 2>/dev/null";

/// A running program in a process group of its own, its output kept in files.
///
/// Dropping it kills the whole group; so does the death of the process that started it.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    watchdog: Child,
    ended: Option<ExitStatus>,
    output: PathBuf,
    errors: PathBuf,
}

/// Memory of one process, in bytes, from `/proc/PID/smaps_rollup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Proportional set size: shared pages are divided among those who share them.
    pub pss: u64,
    /// Resident set size: shared pages count in full.
    pub rss: u64,
}

impl Program {
    /// Starts `command`; its output goes to `NAME.out` and `NAME.err` in `logs`.
    ///
    /// # Errors
    /// The program can't be started, or the files can't be written.
    pub fn start(command: Command, name: &str, logs: &Path) -> Result<Self> {
        Self::launch(command, name, logs, None)
    }

    /// Starts `command` like [`Program::start`], with `input` on its standard input.
    ///
    /// # Errors
    /// As [`Program::start`]; or the program doesn't take its input.
    pub fn start_with_input(
        command: Command,
        name: &str,
        logs: &Path,
        input: &[u8],
    ) -> Result<Self> {
        Self::launch(command, name, logs, Some(input))
    }

    fn launch(mut command: Command, name: &str, logs: &Path, input: Option<&[u8]>) -> Result<Self> {
        let output = logs.join(format!("{name}.out"));
        let errors = logs.join(format!("{name}.err"));
        command
            .stdin(if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(File::create(&output)?)
            .stderr(File::create(&errors)?)
            .process_group(0);
        let mut child = command.spawn().map_err(|error| {
            format!(
                "can't start {}: {error}. `cargo xtask setup` installs what the tests need.",
                command.get_program().display()
            )
        })?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let watchdog = match watchdog {
            Ok(watchdog) => watchdog,
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error.into());
            }
        };
        let mut program = Self {
            name: name.to_owned(),
            child,
            watchdog,
            ended: None,
            output,
            errors,
        };
        if let (Some(input), Some(mut pipe)) = (input, program.child.stdin.take()) {
            pipe.write_all(input)
                .map_err(|error| program.describe(&format!("takes no input: {error}")))?;
        }
        Ok(program)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard output so far.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn output(&self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.output)?).into_owned())
    }

    /// What it wrote to standard error so far.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn errors(&self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.errors)?).into_owned())
    }

    /// The first complete line, of either output, that contains `text`.
    ///
    /// # Errors
    /// The time is over, or the program ended without saying it.
    pub async fn wait_for_line(&mut self, text: &str, limit: Duration) -> Result<String> {
        self.wait_for_said(text, limit, |program| {
            Ok(vec![program.output()?, program.errors()?])
        })
        .await
    }

    /// The first complete line of standard output: where daemons say that they are ready.
    ///
    /// # Errors
    /// The time is over, or the program ended without saying anything.
    pub async fn wait_for_first_line(&mut self, limit: Duration) -> Result<String> {
        self.wait_for_said("", limit, |program| Ok(vec![program.output()?]))
            .await
    }

    async fn wait_for_said(
        &mut self,
        text: &str,
        limit: Duration,
        said: impl Fn(&Self) -> io::Result<Vec<String>>,
    ) -> Result<String> {
        let what = format!("{} to say {text:?}", self.name);
        let found = until(&what, limit, async || {
            // Asked first: what a program says before its end is then in the files.
            let over = self.try_wait()?;
            for said in said(self)? {
                let line = said
                    .split_inclusive('\n')
                    .find(|line| line.ends_with('\n') && line.contains(text));
                if let Some(line) = line {
                    return Ok(Some(line.trim_end().to_owned()));
                }
            }
            match over {
                Some(status) => Err(format!("it ended with {status}").into()),
                None => Ok(None),
            }
        })
        .await;
        found.map_err(|error| self.describe(&format!("{what}: {error}")).into())
    }

    /// Waits for the program to end by itself.
    ///
    /// # Errors
    /// The time is over.
    pub async fn wait_for_end(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("{} to end", self.name);
        let ended = until(&what, limit, async || Ok(self.try_wait()?)).await;
        ended.map_err(|error| self.describe(&error.to_string()).into())
    }

    /// The exit status, if the program has ended.
    ///
    /// # Errors
    /// The system doesn't tell.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Asks the program to end (SIGTERM) and waits for it.
    ///
    /// # Errors
    /// The time is over.
    pub async fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        if self.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        }
        self.wait_for_end(limit).await
    }

    /// Kills the program and all that it started (SIGKILL), as a crash or a power cut would.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        // An unwaited child keeps its id, so this can't hit a stranger; an empty group is no error.
        match kill_process_group(Pid::from_child(&self.child), Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
        if self.ended.is_none() {
            self.ended = Some(self.child.wait()?);
        }
        Ok(())
    }

    /// The memory of the process itself, not of its children.
    ///
    /// # Errors
    /// The process is gone, or the kernel doesn't tell.
    pub fn memory(&self) -> Result<Memory> {
        Memory::of(self.id())
    }

    /// Processor time that its living threads spent so far, user and system, in nanoseconds' detail.
    ///
    /// # Errors
    /// The process is gone.
    pub fn cpu_time(&self) -> Result<Duration> {
        let mut nanoseconds = 0_u64;
        for thread in self.threads()? {
            // A thread that ended in the meantime is left out.
            if let Ok(stat) = fs::read_to_string(thread.join("schedstat"))
                && let Some(spent) = stat.split_whitespace().next()
            {
                nanoseconds += spent.parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// How often its threads went to sleep by themselves so far, which is how often they woke up.
    ///
    /// # Errors
    /// The process is gone.
    pub fn wakeups(&self) -> Result<u64> {
        let mut wakeups = 0;
        for thread in self.threads()? {
            if let Ok(status) = fs::read_to_string(thread.join("status")) {
                wakeups += field(&status, "voluntary_ctxt_switches:")?;
            }
        }
        Ok(wakeups)
    }

    fn threads(&self) -> Result<Vec<PathBuf>> {
        let folder = fs::read_dir(format!("/proc/{}/task", self.id()))?;
        Ok(folder
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?)
    }

    fn describe(&self, failure: &str) -> String {
        let tail = |text: io::Result<String>| {
            let text = text.unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        format!(
            "{failure}\n--- {name} wrote:\n{output}\n--- {name} complained:\n{errors}\n---",
            name = self.name,
            output = tail(self.output()),
            errors = tail(self.errors()),
        )
    }
}

impl Memory {
    /// The memory of the process with this id.
    ///
    /// # Errors
    /// The process is gone, or the kernel doesn't tell.
    pub fn of(process: u32) -> Result<Self> {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        Ok(Self {
            pss: field(&rollup, "Pss:")? * 1024,
            rss: field(&rollup, "Rss:")? * 1024,
        })
    }
}

/// The number after `name` in the `Name: value` lines of procfs.
fn field(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value
        .ok_or_else(|| format!("no {name} in procfs"))?
        .parse()?)
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing to be done about failures here; the watchdog is the second try.
        let _ = self.kill();
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}
