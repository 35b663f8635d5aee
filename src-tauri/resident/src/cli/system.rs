//! The resident and the desktop: open, pause, doctor, quit.

use super::arguments::PauseTime;
use super::output::{End, Output, Style, plain, say};
use super::reach::{self, unexpected};
use super::status::{paused, status_of};
use crate::os::clock::pause;
use crate::profile::Profile;
use crate::wiring;
use std::env;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Duration;
use tidings_api::{
    Client, ClientError, DoctorItem, DoctorVerdict, ErrorCode, ErrorView, PauseChange, Reply,
    Request, Target,
};

/// How long a resident that is being started may take to answer.
const START: Duration = Duration::from_secs(15);
/// How often it is asked for.
const ASK: Duration = Duration::from_millis(25);

/// `tidings`, `tidings open`: a window, and the resident before it where none runs.
///
/// # Errors
/// In words.
pub async fn open(profile: &Profile, target: Target) -> Result<(), End> {
    let client = match reach::resident(profile).await? {
        Some(client) => client,
        None => start(profile).await?,
    };
    let token = ["XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"]
        .iter()
        .find_map(|name| env::var(name).ok())
        .filter(|token| !token.is_empty());
    call(&client, Request::OpenWindow { target, token }).await?;
    Ok(())
}

async fn call(client: &Client, request: Request) -> Result<Reply, ErrorView> {
    client.call(request).await.map_err(ClientError::into_view)
}

/// Starts a resident that outlives this command, and waits until it answers.
async fn start(profile: &Profile) -> Result<Client, ErrorView> {
    let failed = |error: std::io::Error| {
        ErrorView::new(ErrorCode::Internal, "Tidings could not be started.").with_detail(error)
    };
    profile.create()?;
    // What it says until it answers; it keeps a log of its own.
    let said = profile.logs.join("start.txt");
    let log = File::create(&said).map_err(failed)?;
    let mut command = Command::new(env::current_exe().map_err(failed)?);
    command
        .arg("--hidden")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .env_remove("XDG_ACTIVATION_TOKEN")
        .env_remove("DESKTOP_STARTUP_ID");
    if let Some(chosen) = &profile.chosen {
        command.arg("--profile").arg(chosen);
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        // Ctrl-C at the terminal is not for it.
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(failed)?;
    let mut waited = Duration::ZERO;
    loop {
        if let Some(client) = reach::resident(profile).await? {
            return Ok(client);
        }
        if let Ok(Some(status)) = child.try_wait() {
            // Another one may have been quicker.
            if let Some(client) = reach::resident(profile).await? {
                return Ok(client);
            }
            let words = std::fs::read_to_string(&said).unwrap_or_default();
            let words = words.trim().trim_start_matches("tidings: ").to_owned();
            let words = if words.is_empty() {
                format!("Tidings ended right after its start ({status}).")
            } else {
                words
            };
            return Err(ErrorView::new(ErrorCode::Internal, words));
        }
        if waited > START {
            return Err(ErrorView::new(
                ErrorCode::Internal,
                format!(
                    "Tidings was started, but does not answer. Its log is in {}.",
                    profile.logs.display()
                ),
            ));
        }
        pause(ASK).await;
        waited += ASK;
    }
}

/// `tidings pause`.
///
/// # Errors
/// In words.
pub async fn pause_toasts(
    client: &Client,
    time: PauseTime,
    critical_rings: bool,
    out: &Output,
) -> Result<(), End> {
    let change = match time {
        PauseTime::Minutes(minutes) => PauseChange::For {
            minutes,
            critical_rings,
        },
        PauseTime::Tomorrow => PauseChange::UntilTomorrow { critical_rings },
        PauseTime::Resumed => PauseChange::UntilResumed { critical_rings },
        PauseTime::Off => PauseChange::Off,
    };
    let status = status_of(call(client, Request::Pause(change)).await?)?;
    if out.json {
        return out.object(&serde_json::json!({ "pause": status.pause }));
    }
    say(&match &status.pause {
        Some(pause) => paused(pause.until, pause.critical_rings, out),
        None => "Toasts are on.".to_owned(),
    });
    Ok(())
}

/// `tidings doctor`. What does not work is a failure.
///
/// # Errors
/// In words.
pub async fn doctor(profile: &Profile, out: &Output) -> Result<(), End> {
    let items: Vec<DoctorItem> = match reach::resident(profile).await? {
        Some(client) => match call(&client, Request::Doctor).await? {
            Reply::Doctor(items) => items,
            other => return Err(unexpected(&other).into()),
        },
        None => wiring::doctor_for_a_command(profile).await,
    };
    for item in &items {
        if out.json {
            out.object(item)?;
            continue;
        }
        let (mark, style) = match item.verdict {
            DoctorVerdict::Good => ("good", Style::Good),
            DoctorVerdict::Fair => ("fair", Style::Fair),
            DoctorVerdict::Bad => ("BAD ", Style::Bad),
        };
        let mark = out.styled(mark, style);
        out.line(&format!(
            "{:<14} {mark}  {}",
            plain(&item.name),
            plain(&item.says)
        ))?;
        if !item.advice.is_empty() {
            out.line(&format!("{:<21}{}", "", plain(&item.advice)))?;
        }
    }
    if items.iter().any(|item| item.verdict == DoctorVerdict::Bad) {
        return Err(End::Told);
    }
    Ok(())
}

/// `tidings quit`.
///
/// # Errors
/// In words.
pub async fn quit(profile: &Profile) -> Result<(), End> {
    let Some(client) = reach::resident(profile).await? else {
        say("Tidings is not running.");
        return Ok(());
    };
    match client.call(Request::Quit).await {
        // It may be gone before its answer is here.
        Ok(_) | Err(ClientError::Broken(_)) => {}
        Err(error) => return Err(error.into_view().into()),
    }
    let mut waited = Duration::ZERO;
    while reach::resident(profile)
        .await
        .is_ok_and(|client| client.is_some())
    {
        if waited > START {
            return Err(End::Failed(ErrorView::new(
                ErrorCode::Internal,
                "Tidings was asked to stop, but still runs.",
            )));
        }
        pause(ASK).await;
        waited += ASK;
    }
    Ok(())
}
