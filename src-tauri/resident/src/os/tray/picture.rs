//! What the tray shows of a status. Pure.

use super::icon::Shape;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tidings_api::{ConnectionState, NotificationId, PauseView, Row, Status};

/// What the tray shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The icon.
    pub shape: Shape,
    /// The first line of the menu and the tooltip's text: how it stands.
    pub line: String,
    /// The tooltip's title.
    pub title: String,
    /// Further lines of the tooltip: problems, each with its account.
    pub problems: Vec<String>,
    /// The last notifications of the inbox.
    pub latest: Vec<(NotificationId, String)>,
    /// Something is unread.
    pub unread: bool,
    /// The pause in force.
    pub pause: Option<PauseView>,
}

impl Picture {
    /// Before anything is known.
    pub fn starting() -> Self {
        Self {
            shape: Shape::Idle,
            line: "Starting".to_owned(),
            title: "Tidings".to_owned(),
            problems: Vec::new(),
            latest: Vec::new(),
            unread: false,
            pause: None,
        }
    }

    /// Of a status, in words for a user in `zone` at `now`.
    pub fn of(status: &Status, now: Timestamp, zone: &TimeZone) -> Self {
        let unread = status.counts.unread;
        let (connected, trouble) = connected(status);
        let pause = status.pause.as_ref().map(|pause| paused(pause, now, zone));
        let mut parts = vec![
            connected.to_owned(),
            match unread {
                0 => "nothing unread".to_owned(),
                count => format!("{count} unread"),
            },
        ];
        if let Some(pause) = &pause {
            parts.push(pause.clone());
            if status.counts.held > 0 {
                parts.push(format!("{} waiting", status.counts.held));
            }
        }
        let shape = if status.counts.critical > 0 {
            Shape::Critical
        } else if trouble {
            Shape::Offline
        } else if pause.is_some() {
            Shape::Paused
        } else if unread > 0 {
            Shape::Unread
        } else {
            Shape::Idle
        };
        let title = match unread {
            0 => "Tidings".to_owned(),
            count => format!("Tidings: {count} unread"),
        };
        let problems = status
            .connections
            .iter()
            .filter(|connection| !connection.problem.is_empty())
            .map(|connection| format!("{}: {}", connection.account_name, connection.problem))
            .chain(status.notices.iter().cloned())
            .take(5)
            .collect();
        Self {
            shape,
            line: parts.join(" · "),
            title,
            problems,
            latest: status
                .latest
                .iter()
                .take(3)
                .map(|row| (row.id, short(&called(row), 48)))
                .collect(),
            unread: unread > 0,
            pause: status.pause,
        }
    }
}

/// How the connections stand as a whole, and whether that is worth a look.
fn connected(status: &Status) -> (&'static str, bool) {
    use ConnectionState::{Connecting, Idle, Live, Offline, Stopped, Waiting};
    let has = |state| status.connections.iter().any(|one| one.state == state);
    if status.connections.is_empty() {
        ("No account yet", false)
    } else if has(Stopped) {
        ("An account needs you", true)
    } else if has(Offline) && !has(Live) {
        ("Offline", true)
    } else if has(Waiting) && !has(Live) {
        ("Not connected", true)
    } else if has(Waiting) || has(Offline) {
        ("Partly connected", true)
    } else if has(Connecting) {
        ("Connecting", false)
    } else if has(Live) {
        ("Connected", false)
    } else {
        debug_assert!(has(Idle));
        ("Nothing subscribed", false)
    }
}

/// "paused until 18:00".
fn paused(pause: &PauseView, now: Timestamp, zone: &TimeZone) -> String {
    match pause.until {
        None => "paused until you resume".to_owned(),
        Some(until) => {
            let (until, now) = (until.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
            format!("paused until {}", moment(&until, &now))
        }
    }
}

/// A coming moment as a user says it: the time, with the day where it is not today.
fn moment(at: &Zoned, now: &Zoned) -> String {
    let time = at.strftime("%H:%M");
    if at.date() == now.date() {
        time.to_string()
    } else if now
        .date()
        .tomorrow()
        .is_ok_and(|tomorrow| at.date() == tomorrow)
    {
        format!("tomorrow {time}")
    } else {
        format!("{} {time}", at.strftime("%a %-d %b"))
    }
}

/// What a notification is called in the menu: without a title of its own, its text says more than where it
/// came from.
fn called(row: &Row) -> String {
    if row.title == row.subscription_name && !row.preview.is_empty() {
        format!("{}: {}", row.title, row.preview)
    } else {
        row.title.clone()
    }
}

fn short(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let cut: String = text.chars().take(limit - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_api::{AccountId, ConnectionView, Counts};

    fn now() -> Timestamp {
        "2026-03-02T10:00:00Z".parse().unwrap()
    }

    fn status(states: &[ConnectionState], unread: u64, critical: u64) -> Status {
        let connection = |&state| ConnectionView {
            account: AccountId(1),
            account_name: "home".to_owned(),
            state,
            transport: None,
            since: now(),
            retry_at: None,
            problem: match state {
                ConnectionState::Stopped => "the password is wrong".to_owned(),
                _ => String::new(),
            },
            quota: None,
        };
        Status {
            version: "0".to_owned(),
            counts: Counts {
                unread,
                critical,
                ..Counts::default()
            },
            pause: None,
            quiet: None,
            next_quiet: None,
            held: Vec::new(),
            around: Vec::new(),
            told: Vec::new(),
            cards: Vec::new(),
            connections: states.iter().map(connection).collect(),
            notices: Vec::new(),
            latest: Vec::new(),
        }
    }

    fn picture(status: &Status) -> Picture {
        Picture::of(status, now(), &TimeZone::UTC)
    }

    #[test]
    fn the_most_important_state_gives_the_shape() {
        use ConnectionState::{Connecting, Live, Offline, Stopped, Waiting};
        for (states, unread, critical, paused, shape) in [
            (&[Live][..], 0, 0, false, Shape::Idle),
            (&[Live], 3, 0, false, Shape::Unread),
            (&[Live], 3, 0, true, Shape::Paused),
            (&[Live, Stopped], 3, 0, true, Shape::Offline),
            (&[Offline], 0, 0, false, Shape::Offline),
            (&[Live, Waiting], 0, 0, false, Shape::Offline),
            (&[Offline], 3, 1, true, Shape::Critical),
            (&[Connecting], 0, 0, false, Shape::Idle),
            (&[], 0, 0, false, Shape::Idle),
        ] {
            let mut status = status(states, unread, critical);
            status.pause = paused.then_some(PauseView {
                until: None,
                critical_rings: true,
            });
            assert_eq!(picture(&status).shape, shape, "{states:?}");
        }
    }

    #[test]
    fn the_line_says_how_it_stands_and_until_when() {
        let mut status = status(&[ConnectionState::Live], 3, 0);
        assert_eq!(picture(&status).line, "Connected · 3 unread");
        for (until, words) in [
            (Some("2026-03-02T18:30:00Z"), "paused until 18:30"),
            (Some("2026-03-03T08:00:00Z"), "paused until tomorrow 08:00"),
            (Some("2026-03-05T08:00:00Z"), "paused until Thu 5 Mar 08:00"),
            (None, "paused until you resume"),
        ] {
            status.pause = Some(PauseView {
                until: until.map(|text| text.parse().unwrap()),
                critical_rings: false,
            });
            status.counts.held = 2;
            let expected = format!("Connected · 3 unread · {words} · 2 waiting");
            assert_eq!(picture(&status).line, expected);
        }
    }

    #[test]
    fn problems_name_their_account() {
        let picture = picture(&status(&[ConnectionState::Stopped], 0, 0));
        assert_eq!(picture.problems, ["home: the password is wrong"]);
        assert_eq!(picture.title, "Tidings");
    }

    #[test]
    fn long_titles_are_cut_between_letters() {
        assert_eq!(short("short", 48), "short");
        let cut = short(&"ä".repeat(60), 48);
        assert_eq!(cut.chars().count(), 48);
        assert!(cut.ends_with('…'));
    }
}
