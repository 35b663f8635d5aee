//! The command line.

mod accounts;
pub mod arguments;
mod config;
mod demo;
mod import;
mod inbox;
mod ledger;
mod output;
mod policy;
mod reach;
mod serve;
mod simulate;
mod snooze;
mod status;
mod system;

use crate::os::clock::SystemClock;
use crate::os::memory;
use crate::profile::{Places, Profile};
use crate::wiring::{self, Ended, Running};
use arguments::{Arguments, Command, Profiled, Which};
use clap::CommandFactory as _;
use output::{End, Output, complain, say};
use reach::Reach;
use std::io::{self, Write as _};
use std::pin::pin;
use std::process::ExitCode;
use tidings_api::{Change, ErrorCode, ErrorView, NotificationId, Place, Target};
use tidings_core::ports::Clock as _;

/// Does what the command line says. Standard output has data, standard error words; the code is 0, 1
/// for a failure, 2 for what was said wrongly.
pub fn run(arguments: Arguments) -> ExitCode {
    match with_runtime(arguments) {
        Ok(()) | Err(End::NobodyReads) => ExitCode::SUCCESS,
        Err(End::Told) => ExitCode::FAILURE,
        Err(End::Output(error)) => {
            say(&format!(
                "tidings: Standard output could not be written to: {error}."
            ));
            ExitCode::FAILURE
        }
        Err(End::Failed(error)) => {
            complain(&error);
            ExitCode::from(if error.code == ErrorCode::Invalid {
                2
            } else {
                1
            })
        }
    }
}

fn completions(shell: clap_complete::Shell) -> Result<(), End> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tidings", &mut text);
    io::stdout().write_all(&text)?;
    Ok(())
}

fn manual() -> Result<(), End> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut text)?;
    // The commands of commands, which the generator leaves to pages of their own.
    let command = Arguments::command();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        section(&mut text, "tidings", sub)?;
    }
    io::stdout().write_all(&text)?;
    Ok(())
}

/// A command's part of the manual page.
fn section(text: &mut Vec<u8>, before: &str, command: &clap::Command) -> io::Result<()> {
    let name = format!("{before} {}", command.get_name());
    if command.has_subcommands() {
        for sub in command.get_subcommands() {
            section(text, &name, sub)?;
        }
        return Ok(());
    }
    let page = clap_mangen::Man::new(command.clone().bin_name(&name));
    writeln!(text, ".SH \"{}\"", name.to_uppercase())?;
    let mut body = Vec::new();
    page.render_description_section(&mut body)?;
    page.render_options_section(&mut body)?;
    // Their headings would be the page's.
    let body = String::from_utf8_lossy(&body);
    for line in body.lines().filter(|line| !line.starts_with(".SH")) {
        writeln!(text, "{line}")?;
    }
    Ok(())
}

fn with_runtime(arguments: Arguments) -> Result<(), End> {
    let stays = matches!(
        arguments.command,
        Some(Command::Profiled(Profiled::Daemon) | Command::Demo { .. } | Command::Serve { .. })
    ) || (arguments.command.is_none() && arguments.hidden);
    let mut builder = if stays {
        memory::keep_little();
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).max_blocking_threads(8);
        builder
    } else {
        // A command is over in milliseconds: no threads for it.
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.enable_all().build().map_err(|error| {
        ErrorView::new(ErrorCode::Internal, "Tidings could not start its threads.")
            .with_detail(error)
    })?;
    let ended = runtime.block_on(act(arguments));
    // A keyring or a name server that hangs keeps nobody waiting.
    runtime.shutdown_background();
    ended
}

async fn act(arguments: Arguments) -> Result<(), End> {
    let chosen = arguments
        .profile
        .filter(|path| !path.as_os_str().is_empty());
    let out = Output::new(arguments.json, SystemClock.now(), SystemClock.zone());
    let command = arguments.command;
    let out = &out;
    // What needs no profile must work where none can be found.
    match command {
        Some(Command::Serve {
            listen,
            auth,
            store,
        }) => {
            wiring::log_to_stderr();
            serve::run(listen, auth, store, out).await
        }
        Some(Command::Demo { length }) => demo::run(length, out).await,
        Some(Command::Policy(policy::Policy::Check {
            preferences,
            mandates,
            zone,
        })) => policy::check(&preferences, mandates.as_deref(), &zone, out),
        Some(Command::Policy(policy::Policy::Simulate { days, preferences })) => {
            let profile = Profile::find(chosen.as_deref(), &Places::of_environment())?;
            reaching(&profile, async |reach| {
                simulate::run(preferences.as_deref(), days, reach, out).await
            })
            .await
        }
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man) => manual(),
        Some(Command::Profiled(command)) => {
            let profile = Profile::find(chosen.as_deref(), &Places::of_environment())?;
            on_profile(command, &profile, out).await
        }
        None => {
            let profile = Profile::find(chosen.as_deref(), &Places::of_environment())?;
            if arguments.hidden {
                resident(&profile, true).await
            } else {
                let target = arguments
                    .link
                    .map_or(Target::Inbox, |url| Target::AddAccount { url });
                system::open(&profile, target).await
            }
        }
    }
}

async fn on_profile(command: Profiled, profile: &Profile, out: &Output) -> Result<(), End> {
    match command {
        Profiled::Open { id, settings } => {
            let target = match (settings, id) {
                (Some(section), _) if section.is_empty() => Target::Settings,
                (Some(section), _) => Target::Section { section },
                (None, Some(id)) => Target::Notification {
                    id: NotificationId(id),
                },
                (None, None) => Target::Inbox,
            };
            system::open(profile, target).await
        }
        Profiled::Daemon => resident(profile, false).await,
        Profiled::Watch => inbox::watch(&reach::resident_only(profile).await?, out).await,
        Profiled::Pause {
            time,
            critical_rings,
        } => {
            let client = reach::resident_only(profile).await?;
            system::pause_toasts(&client, time, critical_rings, out).await
        }
        Profiled::Doctor => system::doctor(profile, out).await,
        Profiled::Quit => system::quit(profile).await,
        Profiled::Account(command) => {
            reaching(profile, async |reach| {
                accounts::run(command, reach, out).await
            })
            .await
        }
        Profiled::List(list) => {
            reaching(profile, async |reach| inbox::list(list, reach, out).await).await
        }
        Profiled::Show { ids } => {
            reaching(profile, async |reach| inbox::show(&ids, reach, out).await).await
        }
        Profiled::Read(which) => change(profile, which, Change::Read, Place::Unread, out).await,
        Profiled::Unread(which) => change(profile, which, Change::Unread, Place::All, out).await,
        Profiled::Done(which) => change(profile, which, Change::Done, Place::All, out).await,
        Profiled::Restore(which) => change(profile, which, Change::Restore, Place::Done, out).await,
        Profiled::Snooze(snooze) => {
            let asked = snooze.change(&out.now.to_zoned(out.zone.clone()))?;
            let place = if snooze.off {
                Place::Snoozed
            } else {
                Place::All
            };
            change(profile, snooze.which, asked, place, out).await
        }
        Profiled::Delete(which) => change(profile, which, Change::Delete, Place::All, out).await,
        Profiled::Undo => reaching(profile, async |reach| inbox::undo(reach, out).await).await,
        Profiled::Status { waybar } => {
            reaching(profile, async |reach| {
                status::status(waybar, reach, out).await
            })
            .await
        }
        Profiled::Why(why) => {
            reaching(profile, async |reach| ledger::why(why, reach, out).await).await
        }
        Profiled::Config(command) => {
            reaching(profile, async |reach| {
                config::run(command, reach, out).await
            })
            .await
        }
        Profiled::Send(send) => {
            reaching(profile, async |reach| inbox::send(send, reach, out).await).await
        }
    }
}

async fn change(
    profile: &Profile,
    which: Which,
    change: Change,
    place: Place,
    out: &Output,
) -> Result<(), End> {
    reaching(profile, async |reach| {
        inbox::change(which, change, place, reach, out).await
    })
    .await
}

/// Has the resident, or an engine of this process, do something.
async fn reaching(
    profile: &Profile,
    work: impl AsyncFnOnce(&Reach) -> Result<(), End>,
) -> Result<(), End> {
    wiring::log_to_stderr();
    let reach = Reach::open(profile).await?;
    let ended = work(&reach).await;
    reach.close().await;
    ended
}

/// Runs the resident until it is told to stop.
async fn resident(profile: &Profile, tray: bool) -> Result<(), End> {
    let mut stopped = pin!(wiring::stop_signal());
    // Once: a database that is damaged again at once is a disk that fails, which starting over does not mend.
    let mut again = true;
    let not_started = loop {
        match Running::start(profile, tray, true).await {
            Ok(running) => match running.until(stopped.as_mut(), again).await {
                Ended::Damaged => again = false,
                Ended::Told => return Ok(()),
            },
            Err(error) => break error,
        }
    };
    match not_started {
        // What login starts is content if it was started before.
        wiring::NotStarted::RunsAlready if tray => {
            say("Tidings is running already.");
            Ok(())
        }
        wiring::NotStarted::RunsAlready => Err(End::Failed(ErrorView::new(
            ErrorCode::Storage,
            "Tidings is running already on this profile. Quit it first (tidings quit), or choose another \
             profile with --profile DIR.",
        ))),
        wiring::NotStarted::Failed(error) => Err(error.into()),
    }
}
