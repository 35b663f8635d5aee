//! `tidings status`: how everything stands.

use super::output::{self, End, Output, Style, plain, say};
use super::reach::{Reach, unexpected};
use serde_json::{Value, json};
use tidings_api::{
    AccountView, CardView, ConnectionState, HeldView, QuietView, Reply, Request, Status,
};

/// `tidings status`.
///
/// # Errors
/// In words.
pub async fn status(waybar: bool, reach: &Reach, out: &Output) -> Result<(), End> {
    let status = status_of(reach.call(Request::Status).await?)?;
    if waybar {
        return out.object(&for_a_bar(&status, reach.is_resident(), out));
    }
    if !reach.is_resident() {
        say("Tidings is not running: nothing is received.");
    }
    let accounts = reach.accounts().await?;
    if out.json {
        return out.object(&json!({
            "version": status.version,
            "counts": status.counts,
            "pause": status.pause,
            "quiet": status.quiet,
            "held": status.held,
            "around": status.around,
            "cards": status.cards,
            "connections": status.connections,
            "notices": status.notices,
            "latest": status.latest,
            "continuity": continuity(&accounts),
        }));
    }
    let counts = status.counts;
    let critical = match counts.critical {
        0 => String::new(),
        count => format!(", {count} of them critical"),
    };
    let line = format!(
        "{} unread{critical}; {} in the inbox, {} done",
        counts.unread, counts.all, counts.done
    );
    out.line(&out.styled(&line, Style::Strong))?;
    if let Some(pause) = &status.pause {
        out.line(&paused(pause.until, pause.critical_rings, out))?;
    }
    if let Some(quiet) = &status.quiet {
        out.line(&quiet_hours(quiet, out))?;
    }
    for context in &status.around {
        out.line(around(context))?;
    }
    for held in &status.held {
        out.line(&waits(held, out))?;
    }
    for card in &status.cards {
        out.line(&unusual(card))?;
    }
    if counts.owed > 0 {
        let changes = match counts.owed {
            1 => "1 change waits".to_owned(),
            owed => format!("{owed} changes wait"),
        };
        out.line(&format!("{changes} to be told to servers."))?;
    }
    let rows: Vec<_> = status
        .connections
        .iter()
        .map(|connection| {
            let (state, style) = output::state(connection.state);
            vec![
                (plain(&connection.account_name), Style::Plain),
                (state.to_owned(), style),
                (
                    connection
                        .transport
                        .map(output::transport)
                        .unwrap_or_default()
                        .to_owned(),
                    Style::Faint,
                ),
                (out.ago(connection.since), Style::Faint),
                (plain(&connection.problem), Style::Plain),
            ]
        })
        .collect();
    if reach.is_resident() {
        out.table(&rows)?;
    }
    for line in gaps(&accounts, out) {
        out.line(&out.styled(&line, Style::Fair))?;
    }
    status
        .notices
        .iter()
        .try_for_each(|notice| out.line(&format!("! {}", plain(notice))))
}

pub(super) fn paused(until: Option<jiff::Timestamp>, critical_rings: bool, out: &Output) -> String {
    let until = match until {
        Some(until) => format!("until {}", out.moment(until)),
        None => "until you resume".to_owned(),
    };
    let critical = if critical_rings {
        "; critical ones ring"
    } else {
        ""
    };
    format!("Toasts are paused {until}{critical}.")
}

/// What is known of each subscription's being whole, for scripts.
fn continuity(accounts: &[AccountView]) -> Vec<Value> {
    let mut all = Vec::new();
    for account in accounts {
        for subscription in &account.subscriptions {
            all.push(json!({
                "account": account.name,
                "subscription": subscription.topic,
                "since": subscription.continuity.since,
                "gaps": subscription.continuity.gaps,
            }));
        }
    }
    all
}

/// The latest gap of each subscription, if something is missing in it.
fn gaps(accounts: &[AccountView], out: &Output) -> Vec<String> {
    let mut lines = Vec::new();
    for account in accounts {
        for subscription in &account.subscriptions {
            let Some(gap) = subscription.continuity.gaps.first() else {
                continue;
            };
            if !gap.missing.is_empty() {
                lines.push(format!(
                    "{}, {}: something may be missing between {} and {}; {}",
                    plain(&account.name),
                    plain(&subscription.name),
                    out.moment(gap.from),
                    out.moment(gap.to),
                    gap.missing
                ));
            }
        }
    }
    lines
}

pub(super) fn status_of(reply: Reply) -> Result<Status, End> {
    match reply {
        Reply::Status(status) => Ok(status),
        other => Err(unexpected(&other).into()),
    }
}

fn quiet_hours(quiet: &QuietView, out: &Output) -> String {
    let name = match quiet.name.as_str() {
        "" => String::new(),
        name => format!(" “{}”", plain(name)),
    };
    format!("Quiet hours{name} until {}.", out.moment(quiet.until))
}

fn around(context: &str) -> &'static str {
    match context {
        "locked" => "The screen is locked.",
        "presenting" => "Something is being presented.",
        "full_screen" => "A window fills the screen.",
        "screen_shared" => "The screen is being shared.",
        "do_not_disturb" => "The desktop’s “do not disturb” is on.",
        _ => "The screen is in use.",
    }
}

fn waits(held: &HeldView, out: &Output) -> String {
    let wait = if held.count == 1 { "waits" } else { "wait" };
    let until = match held.until {
        Some(until) => format!(", until {}", out.moment(until)),
        None => String::new(),
    };
    format!(
        "{} {wait} to ring: {}{until}.",
        held.count,
        plain(&held.says)
    )
}

fn unusual(card: &CardView) -> String {
    match card {
        CardView::Storm { name, .. } => format!(
            "? {} sends unusually many: mute it for an hour, make it a digest, or leave it.",
            plain(name)
        ),
        CardView::NewType { name, kind, .. } => format!(
            "? {} sends a new type, {}: keep it, make it a digest, or mute it.",
            plain(name),
            plain(kind)
        ),
    }
}

/// What a bar shows (waybar's custom modules, `return-type: json`).
fn for_a_bar(status: &Status, runs: bool, out: &Output) -> Value {
    let is = |state| status.connections.iter().any(|one| one.state == state);
    let offline = is(ConnectionState::Stopped)
        || ((is(ConnectionState::Offline) || is(ConnectionState::Waiting))
            && !is(ConnectionState::Live));
    // What the tray's shape tells, most important first.
    let classes: Vec<&str> = [
        ("stopped", !runs),
        ("critical", status.counts.critical > 0),
        ("offline", runs && offline),
        ("paused", status.pause.is_some()),
        ("quiet", status.quiet.is_some()),
        ("unread", status.counts.unread > 0),
    ]
    .into_iter()
    .filter_map(|(class, holds)| holds.then_some(class))
    .collect();
    let mut lines = vec![format!("{} unread", status.counts.unread)];
    if !runs {
        lines.push("Tidings is not running.".to_owned());
    }
    if let Some(pause) = &status.pause {
        lines.push(paused(pause.until, pause.critical_rings, out));
    }
    lines.extend(status.quiet.iter().map(|quiet| quiet_hours(quiet, out)));
    lines.extend(status.held.iter().map(|held| waits(held, out)));
    let problems = status
        .connections
        .iter()
        .filter(|one| runs && !one.problem.is_empty());
    lines.extend(problems.map(|one| format!("{}: {}", one.account_name, one.problem)));
    lines.extend(status.notices.iter().cloned());
    json!({
        "text": status.counts.unread.to_string(),
        "alt": classes.first().unwrap_or(&"idle"),
        "class": if classes.is_empty() { vec!["idle"] } else { classes },
        "tooltip": escaped(&plain(&lines.join("\n"))),
    })
}

/// A bar reads its texts as Pango markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
