//! `tidings why`: the ledger, of some notifications or of all.

use super::inbox::page;
use super::output::{End, Output, Style, plain, say};
use super::reach::{Reach, unexpected};
use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashSet;
use tidings_api::{LedgerEntry, LedgerLineOf, ListQuery, NotificationId, Place, Reply, Request};

/// Decisions that are asked for at once.
const AT_ONCE: u32 = 500;

/// Whose decisions.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("of").required(true).args(["ids", "all"]))]
pub struct Why {
    /// Their numbers
    #[arg(value_name = "ID")]
    pub ids: Vec<i64>,
    /// All of them, oldest first: the whole ledger, with --json as NDJSON
    #[arg(long)]
    pub all: bool,
    /// Only about notifications that it finds, wherever they are
    #[arg(
        long,
        value_name = "QUERY",
        requires = "all",
        conflicts_with = "ids",
        default_value = ""
    )]
    pub search: String,
    /// Only of the last days
    #[arg(long, value_name = "N", requires = "all", conflicts_with = "ids")]
    pub days: Option<u32>,
}

/// `tidings why`.
///
/// # Errors
/// In words.
pub async fn why(why: Why, reach: &Reach, out: &Output) -> Result<(), End> {
    if why.all {
        return all(&why, reach, out).await;
    }
    let several = why.ids.len() > 1;
    for (at, id) in why.ids.iter().enumerate() {
        let id = NotificationId(*id);
        let entries: Vec<LedgerEntry> = match reach.call(Request::Why { id }).await? {
            Reply::Ledger(entries) => entries,
            other => return Err(unexpected(&other).into()),
        };
        if out.json {
            for entry in &entries {
                out.object(&object(id, entry))?;
            }
            continue;
        }
        if entries.is_empty() {
            say(&format!("Nothing was decided about {id}."));
            continue;
        }
        if several {
            if at > 0 {
                out.line("")?;
            }
            out.line(&out.styled(&id.to_string(), Style::Strong))?;
        }
        for entry in &entries {
            one(entry, out)?;
        }
    }
    Ok(())
}

async fn all(why: &Why, reach: &Reach, out: &Output) -> Result<(), End> {
    let among = match why.search.trim() {
        "" => None,
        search => Some(found(search, reach).await?),
    };
    let from = why
        .days
        .and_then(|days| {
            let time = SignedDuration::from_hours(i64::from(days) * 24);
            out.now.checked_sub(time).ok()
        })
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut after = None;
    let mut told = 0_u64;
    loop {
        let request = Request::Ledgers {
            from,
            after,
            limit: AT_ONCE,
        };
        let lines: Vec<LedgerLineOf> = match reach.call(request).await? {
            Reply::Ledgers(lines) => lines,
            other => return Err(unexpected(&other).into()),
        };
        let Some(last) = lines.last() else { break };
        after = Some(last.number);
        let wanted = |line: &&LedgerLineOf| among.as_ref().is_none_or(|ids| ids.contains(&line.id));
        for line in lines.iter().filter(wanted) {
            if out.json {
                let mut object = object(line.id, &line.entry);
                object["title"] = line.title.clone().into();
                object["source"] = line.source.clone().into();
                out.object(&object)?;
            } else {
                if told > 0 {
                    out.line("")?;
                }
                out.line(&format!(
                    "{} {} {}",
                    out.styled(&line.id.to_string(), Style::Faint),
                    out.styled(&plain(&line.title), Style::Strong),
                    out.styled(&plain(&line.source), Style::Faint)
                ))?;
                one(&line.entry, out)?;
            }
            told += 1;
        }
    }
    if told == 0 {
        say("Nothing was decided.");
    }
    Ok(())
}

/// All that a search finds: in the inbox, in the archive, and out of sight.
async fn found(search: &str, reach: &Reach) -> Result<HashSet<NotificationId>, End> {
    let mut ids = HashSet::new();
    for place in [Place::All, Place::Done, Place::Snoozed] {
        let mut before = None;
        loop {
            let query = ListQuery {
                place,
                search: search.to_owned(),
                before,
                limit: 500,
                ..ListQuery::default()
            };
            let page = page(reach.call(Request::List(query)).await?)?;
            ids.extend(page.rows.iter().map(|row| row.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
    }
    Ok(ids)
}

fn object(id: NotificationId, entry: &LedgerEntry) -> Value {
    json!({
        "id": id,
        "at": entry.at,
        "verdict": entry.verdict,
        "progress": entry.progress,
        "lines": entry.lines,
    })
}

fn one(entry: &LedgerEntry, out: &Output) -> Result<(), End> {
    let verdict = out.styled(&plain(&entry.verdict), Style::Strong);
    let at = out.styled(&out.moment(entry.at), Style::Faint);
    out.line(&format!("{verdict}  {at}"))?;
    if !entry.progress.is_empty() {
        out.line(&format!("  {}", plain(&entry.progress)))?;
    }
    let rows: Vec<_> = entry
        .lines
        .iter()
        .map(|line| {
            let (mark, style) = if line.decided {
                (">", Style::Strong)
            } else {
                (" ", Style::Faint)
            };
            vec![
                (format!("  {mark} {}", plain(&line.rule)), style),
                (plain(&line.says), style),
            ]
        })
        .collect();
    out.table(&rows)
}
