//! `tidings config`: the preferences and the settings as one tree.

use super::output::{End, Output, plain, say};
use super::reach::{Reach, unexpected};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tidings_api::preferences::Config as Document;
use tidings_api::{ConfigImport, ConfigReport, ErrorCode, ErrorView, ProblemView, Reply, Request};
use tidings_core::settings::config;

/// What can be done with the tree. docs/preferences.md describes what is in it.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Print all values, those of a part, or one
    Get {
        /// Which: limits, limits.overall, quiet.schedules[0]
        path: Option<String>,
    },
    /// Set one value
    ///
    /// What is wrong is refused, with words that say what may be there, and changes nothing.
    Set {
        /// Which: limits.overall, quiet.schedules[0].from, app.appearance. The index after the last one of a list
        /// adds to it
        path: String,
        /// JSON; what is none is taken as a text
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Set a value back to its default, or take an element out of its list
    Unset {
        /// Which: limits.overall, rules[2]
        path: String,
    },
    /// Write everything as a document, which names the accounts that it speaks of
    Export {
        /// Where to; standard output if left out, or -
        file: Option<PathBuf>,
    },
    /// Take a document over in place of what holds
    ///
    /// What it leaves out is the default; without `app`, the settings of the app stay. Accounts and topics are found by
    /// what they are called, since numbers differ between computers. If anything of it would be lost, or does not
    /// work, that is said and nothing changes.
    Import {
        /// The document; - reads it from standard input
        file: PathBuf,
        /// Only say what would become otherwise
        #[arg(long)]
        dry_run: bool,
        /// Take what can be read, also if something is lost
        #[arg(long)]
        lenient: bool,
    },
}

/// Does it.
///
/// # Errors
/// In words.
pub async fn run(command: Config, reach: &Reach, out: &Output) -> Result<(), End> {
    match command {
        Config::Get { path } => get(path.as_deref(), reach, out).await,
        Config::Set { path, value } => set(path, Some(value), reach, out).await,
        Config::Unset { path } => set(path, None, reach, out).await,
        Config::Export { file } => export(file.as_deref(), reach, out).await,
        Config::Import {
            file,
            dry_run,
            lenient,
        } => {
            let asked = ConfigImport {
                text: super::import::read(&file)?,
                dry_run,
                lenient,
            };
            import(asked, reach, out).await
        }
    }
}

async fn present(reach: &Reach) -> Result<Document, ErrorView> {
    match reach.call(Request::ConfigExport).await? {
        Reply::Config(document) => Ok(*document),
        other => Err(unexpected(&other)),
    }
}

async fn get(path: Option<&str>, reach: &Reach, out: &Output) -> Result<(), End> {
    let document = present(reach).await?;
    let value = match path {
        None => config::value(&document),
        Some(path) => config::get(&document, path)
            .map_err(|words| ErrorView::new(ErrorCode::Invalid, words))?
            .ok_or_else(|| {
                let words = format!("{path} is not set.");
                ErrorView::new(ErrorCode::NotFound, words)
            })?,
    };
    if out.json {
        let path = path.unwrap_or_default();
        return out.object(&json!({ "path": path, "value": value }));
    }
    match (&value, path) {
        (Value::Object(_) | Value::Array(_), _) => config::leaves(&value, path.unwrap_or_default())
            .into_iter()
            .try_for_each(|(at, value)| out.line(&plain(&format!("{at} = {value}")))),
        (Value::String(text), _) => out.line(&plain(text)),
        (other, _) => out.line(&other.to_string()),
    }
}

async fn set(path: String, value: Option<String>, reach: &Reach, out: &Output) -> Result<(), End> {
    let report = taken(reach.call(Request::ConfigSet { path, value }).await?)?;
    if out.json {
        return out.object(&object(&report));
    }
    for line in changes(&report) {
        say(&line);
    }
    if report.changes.is_empty() {
        say("It was so already.");
    }
    Ok(())
}

async fn export(file: Option<&Path>, reach: &Reach, out: &Output) -> Result<(), End> {
    let document = present(reach).await?;
    let Some(file) = file.filter(|file| *file != Path::new("-")) else {
        return if out.json {
            out.object(&document)
        } else {
            out.line(&config::text(&document))
        };
    };
    write(file, &(config::text(&document) + "\n")).map_err(|error| {
        let words = format!("{} cannot be written.", file.display());
        ErrorView::new(ErrorCode::Storage, words).with_detail(error)
    })?;
    say(&format!("Written to {}.", file.display()));
    Ok(())
}

/// Whole, or not at all.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

async fn import(asked: ConfigImport, reach: &Reach, out: &Output) -> Result<(), End> {
    let (dry_run, lenient) = (asked.dry_run, asked.lenient);
    let report = taken(reach.call(Request::ConfigImport(asked)).await?)?;
    tell(&report.problems);
    if !report.problems.is_empty() && !lenient {
        say("Nothing was changed. Mend it, or take what can be read with --lenient.");
        return Err(End::Told);
    }
    tell(&report.kept_back);
    if out.json {
        return out.object(&object(&report));
    }
    changes(&report)
        .iter()
        .try_for_each(|line| out.line(line))?;
    let changed = if dry_run { "would change" } else { "changed" };
    say(&match report.changes.len() {
        0 => "It is all so already.".to_owned(),
        1 => format!("1 value {changed}."),
        count => format!("{count} values {changed}."),
    });
    Ok(())
}

/// What a document of preferences would be here. What does not work, or is not here, is told.
///
/// # Errors
/// It is no document; in words.
pub async fn looked_at(text: String, reach: &Reach) -> Result<ConfigReport, End> {
    let asked = ConfigImport {
        text,
        dry_run: true,
        lenient: true,
    };
    let report = taken(reach.call(Request::ConfigImport(asked)).await?)?;
    tell(&report.problems);
    tell(&report.kept_back);
    Ok(report)
}

fn tell(problems: &[ProblemView]) {
    for problem in problems {
        say(
            &if problem.at.is_empty() || problem.says.contains(&problem.at) {
                problem.says.clone()
            } else {
                format!("{}: {}", problem.at, problem.says)
            },
        );
    }
}

fn taken(reply: Reply) -> Result<ConfigReport, ErrorView> {
    match reply {
        Reply::ConfigTaken(report) => Ok(*report),
        other => Err(unexpected(&other)),
    }
}

fn changes(report: &ConfigReport) -> Vec<String> {
    let shown = |json: &str| {
        if json.is_empty() {
            "nothing".to_owned()
        } else {
            plain(json)
        }
    };
    report
        .changes
        .iter()
        .map(|one| format!("{}: {} → {}", one.at, shown(&one.before), shown(&one.after)))
        .collect()
}

fn object(report: &ConfigReport) -> Value {
    let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let changes = report.changes.iter().map(
        |one| json!({ "at": one.at, "before": value(&one.before), "after": value(&one.after) }),
    );
    json!({
        "taken": report.taken,
        "problems": report.problems,
        "kept_back": report.kept_back,
        "changes": changes.collect::<Vec<_>>(),
    })
}
