//! What is done with notifications.

use super::arguments::{Send, Which};
use super::output::{self, End, Output, Style, plain, say};
use super::reach::{Reach, unexpected};
use clap::Args;
use std::io::Read as _;
use tidings_api::{
    Change, Changed, Client, ClientError, Detail, ErrorCode, ErrorView, Event, ListQuery,
    NotificationId, Outgoing, Page, Place, Reply, Request, Row, Targets, Tier,
};

/// Which page of the inbox.
#[derive(Debug, Args)]
pub struct List {
    /// Words, and terms such as from:backup is:unread before:monday p>=4
    #[arg(long, value_name = "QUERY", default_value = "")]
    pub search: String,
    /// Only unread ones
    #[arg(long, conflicts_with = "done")]
    pub unread: bool,
    /// Only those in the archive
    #[arg(long)]
    pub done: bool,
    /// Only those that are snoozed
    #[arg(long, conflicts_with_all = ["unread", "done"])]
    pub snoozed: bool,
    /// Only this account, by name or number
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Continue after a page
    #[arg(long, value_name = "CURSOR")]
    pub before: Option<String>,
}

/// `tidings list`.
///
/// # Errors
/// In words.
pub async fn list(list: List, reach: &Reach, out: &Output) -> Result<(), End> {
    let account = match &list.account {
        Some(name) => Some(reach.account(name).await?.id),
        None => None,
    };
    let query = ListQuery {
        toast: None,
        place: if list.done {
            Place::Done
        } else if list.snoozed {
            Place::Snoozed
        } else if list.unread {
            Place::Unread
        } else {
            Place::All
        },
        account,
        subscription: None,
        search: list.search,
        before: list.before,
        limit: list.limit,
    };
    let page = page(reach.call(Request::List(query)).await?)?;
    if out.json {
        page.rows.iter().try_for_each(|row| out.object(row))?;
    } else {
        if page.rows.is_empty() {
            say("Nothing here.");
        }
        let rows: Vec<_> = page.rows.iter().map(|row| columns(row, out)).collect();
        out.table(&rows)?;
    }
    if let Some(next) = page.next {
        say(&format!("There are more: --before {next}"));
    }
    Ok(())
}

pub(super) fn page(reply: Reply) -> Result<Page, End> {
    match reply {
        Reply::Page(page) => Ok(page),
        other => Err(unexpected(&other).into()),
    }
}

/// A notification in a list: number, unread and tier, age, where from, what.
fn columns(row: &Row, out: &Output) -> Vec<(String, Style)> {
    let (mark, style) = match (row.tier, row.read) {
        (Tier::Critical, _) => ("!!", Style::Bad),
        (_, false) => ("*", Style::Strong),
        (_, true) => ("", Style::Plain),
    };
    let mut text = String::new();
    if !row.emoji.is_empty() {
        text.push_str(&row.emoji);
        text.push(' ');
    }
    text += &plain(&row.title);
    if !row.preview.is_empty() && row.preview != row.title {
        text.push_str(": ");
        text.push_str(&plain(&row.preview));
    }
    vec![
        (row.id.to_string(), Style::Faint),
        (mark.to_owned(), style),
        (out.ago(row.created_at), Style::Faint),
        (
            format!(
                "{}/{}",
                plain(&row.account_name),
                plain(&row.subscription_name)
            ),
            Style::Faint,
        ),
        (
            text.replace(['\n', '\t'], " "),
            if row.read {
                Style::Plain
            } else {
                Style::Strong
            },
        ),
    ]
}

/// `tidings show`.
///
/// # Errors
/// In words.
pub async fn show(ids: &[i64], reach: &Reach, out: &Output) -> Result<(), End> {
    for (at, &id) in ids.iter().enumerate() {
        let id = NotificationId(id);
        let detail = match reach.call(Request::Show { id }).await? {
            Reply::Detail(detail) => detail,
            other => return Err(unexpected(&other).into()),
        };
        if out.json {
            out.object(&detail)?;
        } else {
            if at > 0 {
                out.line("")?;
            }
            show_one(&detail, out)?;
        }
    }
    Ok(())
}

fn show_one(detail: &Detail, out: &Output) -> Result<(), End> {
    let row = &detail.row;
    let title = if row.emoji.is_empty() {
        plain(&row.title)
    } else {
        format!("{} {}", row.emoji, plain(&row.title))
    };
    out.line(&out.styled(&title, Style::Strong))?;
    let mut facts = vec![
        format!(
            "{}/{}",
            plain(&row.account_name),
            plain(&row.subscription_name)
        ),
        out.moment(row.created_at),
        output::tier(row.tier).to_owned(),
        (if row.read { "read" } else { "unread" }).to_owned(),
    ];
    if row.done {
        facts.push("done".to_owned());
    }
    facts.extend(row.tags.iter().map(|tag| format!("#{}", plain(tag))));
    out.line(&out.styled(&facts.join(" · "), Style::Faint))?;
    if !detail.body.is_empty() {
        out.line("")?;
        out.line(&plain(&detail.body))?;
    }
    let mut more = Vec::new();
    if let Some(url) = &detail.url {
        more.push(format!("Link: {}", plain(url)));
    }
    if let Some(file) = &detail.attachment {
        more.push(format!(
            "Attachment: {} {}",
            plain(&file.name),
            plain(&file.url)
        ));
    }
    for action in &detail.actions {
        more.push(format!(
            "Action: {}: {}",
            plain(&action.label),
            plain(&action.says)
        ));
    }
    if !detail.revisions.is_empty() {
        more.push(format!("Earlier versions: {}", detail.revisions.len()));
    }
    if !more.is_empty() {
        out.line("")?;
    }
    more.iter().try_for_each(|line| out.line(line))
}

/// `tidings read`, `unread`, `done`, `restore`, `delete`, `snooze`. All of them are those of a `place`.
///
/// # Errors
/// In words.
pub async fn change(
    which: Which,
    change: Change,
    place: Place,
    reach: &Reach,
    out: &Output,
) -> Result<(), End> {
    let targets = if which.all {
        Targets::Query {
            query: ListQuery {
                place,
                search: which.search,
                ..ListQuery::default()
            },
        }
    } else {
        let ids = which.ids.into_iter().map(NotificationId).collect();
        Targets::Ids { ids }
    };
    changed(reach.call(Request::Change { targets, change }).await?, out)
}

/// `tidings undo`.
///
/// # Errors
/// In words.
pub async fn undo(reach: &Reach, out: &Output) -> Result<(), End> {
    changed(reach.call(Request::Undo { step: None }).await?, out)
}

fn changed(reply: Reply, out: &Output) -> Result<(), End> {
    let changed: Changed = match reply {
        Reply::Changed(changed) => changed,
        other => return Err(unexpected(&other).into()),
    };
    if out.json {
        out.object(&changed)
    } else {
        say(&changed.says);
        Ok(())
    }
}

/// `tidings send`.
///
/// # Errors
/// In words.
pub async fn send(send: Send, reach: &Reach, out: &Output) -> Result<(), End> {
    let body = if send.body == "-" {
        let mut body = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut body)
            .map_err(|error| {
                ErrorView::new(ErrorCode::Invalid, "Standard input is no text.").with_detail(error)
            })?;
        body
    } else {
        send.body
    };
    let outgoing = Outgoing {
        account: send.account,
        topic: send.topic,
        title: send.title,
        priority: send.priority,
        tags: send.tags,
        body,
        at: send.at,
        attach: attachment(send.attach)?,
    };
    let remote_id = match reach.call(Request::Send(outgoing)).await? {
        Reply::Sent { remote_id } => remote_id,
        other => return Err(unexpected(&other).into()),
    };
    if out.json {
        out.object(&serde_json::json!({ "remote_id": remote_id }))
    } else {
        say(&format!("Sent as {remote_id}."));
        Ok(())
    }
}

/// A file is named from the root on: whoever reads it stands elsewhere.
fn attachment(what: String) -> Result<String, ErrorView> {
    if what.is_empty() || what.starts_with("https://") || what.starts_with("http://") {
        return Ok(what);
    }
    let wrong = |error| {
        ErrorView::new(
            ErrorCode::Invalid,
            format!("{what} cannot be read. Check its name and its rights."),
        )
        .with_detail(error)
    };
    let path = std::fs::canonicalize(&what).map_err(wrong)?;
    path.into_os_string().into_string().map_err(|_| {
        ErrorView::new(
            ErrorCode::Invalid,
            "The file's name cannot be written as text. Give it another one.",
        )
    })
}

/// `tidings watch`: until the resident stops or nobody reads on.
///
/// # Errors
/// In words.
pub async fn watch(client: &Client, out: &Output) -> Result<(), End> {
    let mut events = client.watch().await.map_err(ClientError::into_view)?;
    let mut last = newest(client).await?;
    loop {
        let ids = match events.next().await {
            Some(Event::Arrived { ids }) => ids,
            // Some were too many to tell: what is newer than the last one is looked up.
            Some(Event::Resync) => {
                let mut ids = Vec::new();
                let now = newest(client).await?;
                ids.extend((last + 1..=now).map(NotificationId));
                ids
            }
            Some(Event::Stopping) => {
                say("Tidings stopped.");
                return Ok(());
            }
            Some(_) => continue,
            None => {
                return Err(End::Failed(ErrorView::new(
                    ErrorCode::NeedsResident,
                    "The connection to the running Tidings broke.",
                )));
            }
        };
        for id in ids {
            last = last.max(id.0);
            let row = match client.call(Request::Show { id }).await {
                Ok(Reply::Detail(detail)) => detail.row,
                Ok(other) => return Err(unexpected(&other).into()),
                // Gone again since.
                Err(ClientError::Refused(error)) if error.code == ErrorCode::NotFound => continue,
                Err(error) => return Err(error.into_view().into()),
            };
            if out.json {
                out.object(&row)?;
            } else {
                out.table(&[columns(&row, out)])?;
            }
        }
    }
}

/// The highest number that was given so far.
async fn newest(client: &Client) -> Result<i64, End> {
    let request = Request::List(ListQuery {
        limit: 500,
        ..ListQuery::default()
    });
    let page = page(client.call(request).await.map_err(ClientError::into_view)?)?;
    Ok(page.rows.iter().map(|row| row.id.0).max().unwrap_or(0))
}
