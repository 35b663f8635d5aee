//! `tidings account import`: another client's settings.

use super::arguments::Secrets;
use super::output::{End, Output, Style, plain, say};
use super::reach::{Reach, unexpected};
use clap::{Args, ValueEnum};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use tidings_api::{
    ErrorCode, ErrorView, Import, ImportFrom, ImportReport, ImportResult, ImportedAccount, Reply,
    Request, Secret, SignIn,
};
use tidings_core::import::without_notifications;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;
/// What goes over the control socket as it stands; more is cut down to what is taken over.
const LONG: usize = 1024 * 1024;

/// The file, and what to do with it.
#[derive(Debug, Args)]
pub struct File {
    /// The other client's file; - reads it from standard input
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    /// Whose it is, if that should not be found out
    #[arg(long, value_name = "CLIENT")]
    pub from: Option<From>,
    /// Only say what would be added
    #[arg(long)]
    pub dry_run: bool,
    /// Where passwords are kept
    #[arg(long, default_value = "keyring")]
    pub secrets: Secrets,
}

/// Clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// `client.yml` of the ntfy command line
    Ntfy,
    /// A backup of the ntfy app for Android
    NtfyAndroid,
    /// The settings of Gotify Tray (gotify-tray.conf)
    GotifyTray,
}

/// Does it.
///
/// # Errors
/// In words; some account could not be added.
pub async fn run(file: File, reach: &Reach, out: &Output) -> Result<(), End> {
    if file.secrets == Secrets::Memory && !file.dry_run && !reach.is_resident() {
        return Err(End::Failed(ErrorView::new(
            ErrorCode::NeedsResident,
            "Tidings is not running, so there is no memory to keep passwords in. Start it first, or choose \
             --secrets keyring or file.",
        )));
    }
    let mut text = read(&file.path)?;
    if text.len() > LONG {
        text = without_notifications(&text).into_owned();
    }
    if text.len() > tidings_api::wire::MAX_LINE / 2 {
        return Err(End::Failed(ErrorView::new(
            ErrorCode::Invalid,
            "This file is too large for another client’s settings. Is it the right one?",
        )));
    }
    let asked = Import {
        text: Secret::new(text),
        from: file.from.map(|from| match from {
            From::Ntfy => ImportFrom::Ntfy,
            From::NtfyAndroid => ImportFrom::NtfyAndroid,
            From::GotifyTray => ImportFrom::GotifyTray,
        }),
        dry_run: file.dry_run,
        secrets: file.secrets.into(),
    };
    match reach.call(Request::Import(asked)).await? {
        Reply::Imported(report) => show(&report, file.dry_run, out),
        other => Err(unexpected(&other).into()),
    }
}

/// A file's text; that of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<String, ErrorView> {
    let wrong = |why: &dyn std::fmt::Display| {
        let words = format!("{} cannot be read.", path.display());
        ErrorView::new(ErrorCode::Invalid, words).with_detail(why)
    };
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
    };
    read.map_err(|error| wrong(&error))?;
    String::from_utf8(bytes).map_err(|_| wrong(&"It is no text in UTF-8."))
}

fn show(report: &ImportReport, dry_run: bool, out: &Output) -> Result<(), End> {
    for account in &report.accounts {
        if out.json {
            out.object(account)?;
            continue;
        }
        let (what, style) = match (account.result, dry_run) {
            (ImportResult::Added, false) => ("added", Style::Good),
            (ImportResult::Added, true) => ("would be added", Style::Good),
            (ImportResult::Extended, false) => ("extended", Style::Good),
            (ImportResult::Extended, true) => ("would be extended", Style::Good),
            (ImportResult::Unchanged, _) => ("there already", Style::Faint),
            (ImportResult::Failed, _) => ("FAILED", Style::Bad),
        };
        out.line(&format!(
            "{}: {}, {}; {}",
            out.styled(&plain(&account.name), Style::Strong),
            out.styled(what, style),
            signed_in(&account.sign_in),
            topics(account),
        ))?;
        if let Some(error) = &account.error {
            say(&format!(
                "{}: {}",
                plain(&account.name),
                plain(&error.message)
            ));
        }
    }
    for sentence in &report.left_out {
        say(&plain(sentence));
    }
    let failed = |account: &ImportedAccount| account.result == ImportResult::Failed;
    if report.accounts.iter().any(failed) {
        return Err(End::Told);
    }
    Ok(())
}

fn signed_in(sign_in: &SignIn) -> String {
    match sign_in {
        SignIn::None => "without signing in".to_owned(),
        SignIn::Basic { user } => format!("as {}", plain(user)),
        _ => "with a token".to_owned(),
    }
}

fn topics(account: &ImportedAccount) -> String {
    let all: Vec<_> = account
        .topics
        .iter()
        .map(|topic| {
            let name = plain(&topic.topic);
            match (topic.known, topic.muted) {
                (true, _) => format!("{name} (there already)"),
                (false, true) => format!("{name} (muted)"),
                (false, false) => name,
            }
        })
        .collect();
    match all.as_slice() {
        [] if account.kind == tidings_api::BackendKind::Gotify => "all its applications".to_owned(),
        [] => "no topic".to_owned(),
        all => format!("topics {}", all.join(", ")),
    }
}
