//! What can be said on the command line. `docs/cli.md` is its promise to scripts.

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tidings_api::{BackendKind, SecretPlace, SignIn, Tier, TransportKind};

/// One tray inbox for every notification server you use.
///
/// Without a command: opens the inbox, and starts Tidings if it does not run.
#[derive(Debug, Parser)]
#[command(name = "tidings", version, max_term_width = 100)]
pub struct Arguments {
    /// Keep everything in DIR, apart from all other instances
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TIDINGS_PROFILE",
        hide_env_values = true
    )]
    pub profile: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Start with the tray and no window, as login does
    #[arg(long)]
    pub hidden: bool,
    /// Add the server of a link, ntfy://… or gotify://…; Tidings asks first
    #[arg(value_name = "LINK", value_parser = link, conflicts_with = "hidden")]
    pub link: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Those that work on a profile.
    #[command(flatten)]
    Profiled(Profiled),
    /// Try Tidings: a server, an account and lively notifications in a throwaway profile
    Demo {
        /// End after this long: 60s, 5m, or seconds
        #[arg(long = "for", value_name = "TIME", value_parser = duration)]
        length: Option<Duration>,
    },
    /// Run the small ntfy-compatible server by itself
    Serve {
        /// Where to listen
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:2586")]
        listen: SocketAddr,
        /// Users and rights, a JSON file that only you may read
        #[arg(long, value_name = "FILE")]
        auth: Option<PathBuf>,
        /// Keep messages in this file instead of in memory
        #[arg(long, value_name = "FILE")]
        store: Option<PathBuf>,
    },
    /// Try preferences out
    #[command(subcommand)]
    Policy(super::policy::Policy),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// The commands that work on a profile.
#[derive(Debug, Subcommand)]
pub enum Profiled {
    /// Open the inbox, a notification in it, or the settings
    Open {
        /// A notification's number, from `tidings list`
        #[arg(conflicts_with = "settings")]
        id: Option<i64>,
        /// Open the settings, at one of their sections: --settings=quiet
        #[arg(long, value_name = "SECTION", num_args = 0..=1, require_equals = true, default_missing_value = "")]
        settings: Option<String>,
    },
    /// Run without tray and windows: receive, store and notify
    Daemon,
    /// Servers, and how to sign in to them
    #[command(subcommand)]
    Account(Account),
    /// List notifications, newest first
    List(super::inbox::List),
    /// Show notifications whole
    Show {
        /// Their numbers
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i64>,
    },
    /// Mark as read
    Read(Which),
    /// Mark as unread
    Unread(Which),
    /// Move out of the inbox, into the archive
    Done(Which),
    /// Move back into the inbox
    Restore(Which),
    /// Put out of sight until a time, or until something happens; then they ring again
    Snooze(super::snooze::Snooze),
    /// Delete; no server brings them back
    Delete(Which),
    /// Undo the last change
    Undo,
    /// Print notifications as they arrive
    Watch,
    /// Connections, counts, what waits, and until when
    Status {
        /// Print what a custom module of waybar shows
        #[arg(long)]
        waybar: bool,
    },
    /// Pause toasts, or resume them
    Pause {
        /// 30m, 2h, 1d; until-tomorrow, until-resumed; or off
        #[arg(value_name = "TIME", value_parser = pause)]
        time: PauseTime,
        /// Critical notifications ring all the same
        #[arg(long)]
        critical_rings: bool,
    },
    /// Say why a notification did or did not ring
    Why(super::ledger::Why),
    /// Preferences and settings, as one tree
    #[command(subcommand)]
    Config(super::config::Config),
    /// Publish a notification
    Send(Send),
    /// Say what works on this desktop, and what to do about the rest
    Doctor,
    /// Stop the running Tidings
    Quit,
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// Add a server; which one it is is found out
    Add(Box<Add>),
    /// List the accounts
    List,
    /// Try an account, hop by hop
    Test {
        /// Its name or number
        account: String,
    },
    /// Remove an account with its notifications and its password
    Remove {
        /// Its name or number
        account: String,
    },
    /// Change an account
    Edit(Box<Edit>),
    /// Take over what another client listens to: ntfy, its Android app, or Gotify Tray
    Import(super::import::File),
}

/// Where a password comes from. Never from the command line: others can read that.
#[derive(Debug, Default, Args)]
#[command(group = ArgGroup::new("secret").args(["password_stdin", "token_stdin"]))]
pub struct SecretFrom {
    /// Sign in as USER; the password is asked for, or read with --password-stdin
    #[arg(long, value_name = "USER", conflicts_with = "token_stdin")]
    pub user: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Sign in with a token, read from standard input (asked for on a terminal)
    #[arg(long)]
    pub token_stdin: bool,
    /// Where the token goes: bearer, header:NAME, query:NAME, cookie:NAME, subprotocol:PREFIX or message
    #[arg(long, value_name = "PLACE", value_parser = token_place, requires = "token_stdin")]
    pub token_in: Option<SignIn>,
}

/// How a server is reached, where that is not as everywhere. On an account that is there, `none` takes a
/// setting away.
#[derive(Debug, Args)]
pub struct WayFrom {
    /// Go through this proxy (http://, https://, socks5://, socks5h://); none: past every proxy; system: as the
    /// environment says (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), else the desktop's settings
    #[arg(long, value_name = "URL|none|system")]
    pub proxy: Option<String>,
    /// A file with USER:PASSWORD for the proxy
    #[arg(long, value_name = "FILE")]
    pub proxy_sign_in_file: Option<PathBuf>,
    /// Trust the certificate authorities in this PEM file, too
    #[arg(long, value_name = "FILE|none")]
    pub ca_file: Option<String>,
    /// Accept only the certificate with this SHA-256
    #[arg(long, value_name = "HEX|none")]
    pub pin: Option<String>,
    /// Show this client certificate: a PEM file with its key, or a PKCS#12 file
    #[arg(long, value_name = "FILE|none")]
    pub client_certificate: Option<String>,
    /// A file with the password of the client certificate
    #[arg(long, value_name = "FILE")]
    pub certificate_password_file: Option<PathBuf>,
}

/// A new account.
#[derive(Debug, Args)]
pub struct Add {
    /// The server's address; a topic at its end is subscribed to
    pub url: String,
    /// What the server is, if that should not be found out
    #[arg(long)]
    pub kind: Option<Kind>,
    /// Your name for it
    #[arg(long, default_value = "")]
    pub name: String,
    /// A topic to subscribe to; may be repeated
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// How to sign in.
    #[command(flatten)]
    pub secret: SecretFrom,
    /// Sign in in the browser, where the server offers it (Gotify 3)
    #[arg(long, conflicts_with_all = ["user", "password_stdin", "token_stdin"])]
    pub browser: bool,
    /// An extra request header, for a proxy before the server; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// A setting of this kind of server (docs/backends); @FILE for a file's text; may be repeated
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = option)]
    pub options: Vec<(String, serde_json::Value)>,
    /// How the server is reached.
    #[command(flatten)]
    pub way: WayFrom,
    /// Always use this transport
    #[arg(long)]
    pub transport: Option<Transport>,
    /// Allow http, which shows the password to the network
    #[arg(long)]
    pub allow_http: bool,
    /// Where the password is kept
    #[arg(long, default_value = "keyring")]
    pub secrets: Secrets,
}

/// What changes about an account.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").multiple(true).required(true).args([
    "name", "url", "user", "password_stdin", "token_stdin", "no_sign_in", "transport", "allow_http",
    "secrets", "muted", "min_tier", "enabled", "add_topic", "remove_topic", "options",
    "proxy", "proxy_sign_in_file", "ca_file", "pin", "client_certificate", "certificate_password_file",
    "browser", "headers", "remove_header",
]))]
pub struct Edit {
    /// Its name or number
    pub account: String,
    /// Your name for it
    #[arg(long)]
    pub name: Option<String>,
    /// The server's address
    #[arg(long)]
    pub url: Option<String>,
    /// How to sign in.
    #[command(flatten)]
    pub secret: SecretFrom,
    /// Sign in anew in the browser, where the server offers it (Gotify 3)
    #[arg(long, conflicts_with_all = ["user", "password_stdin", "token_stdin", "no_sign_in"])]
    pub browser: bool,
    /// Sign in by nothing
    #[arg(long, conflicts_with_all = ["user", "password_stdin", "token_stdin"])]
    pub no_sign_in: bool,
    /// Send an extra request header, in place of the one of that name; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Send this extra request header no longer; may be repeated
    #[arg(long, value_name = "NAME")]
    pub remove_header: Vec<String>,
    /// How the server is reached.
    #[command(flatten)]
    pub way: WayFrom,
    /// Use this transport, or let Tidings choose
    #[arg(long)]
    pub transport: Option<TransportOrAuto>,
    /// Change a setting of this kind of server (docs/backends); @FILE for a file's text, an empty value to
    /// take it away; may be repeated
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = option)]
    pub options: Vec<(String, serde_json::Value)>,
    /// Allow http, which shows the password to the network
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub allow_http: Option<bool>,
    /// Where the password is kept
    #[arg(long)]
    pub secrets: Option<Secrets>,
    /// Never raise toasts for it
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub muted: Option<bool>,
    /// Raise toasts from this tier up
    #[arg(long, value_name = "TIER")]
    pub min_tier: Option<TierName>,
    /// Hold a connection
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub enabled: Option<bool>,
    /// Subscribe to a topic; may be repeated
    #[arg(long, value_name = "TOPIC")]
    pub add_topic: Vec<String>,
    /// Leave a topic, keeping its notifications; may be repeated
    #[arg(long, value_name = "TOPIC")]
    pub remove_topic: Vec<String>,
}

/// Which notifications.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["ids", "all"]))]
pub struct Which {
    /// Their numbers
    #[arg(value_name = "ID")]
    pub ids: Vec<i64>,
    /// All of them, or all that --search finds
    #[arg(long)]
    pub all: bool,
    /// Only those it finds
    #[arg(
        long,
        value_name = "QUERY",
        requires = "all",
        conflicts_with = "ids",
        default_value = ""
    )]
    pub search: String,
}

/// A notification to publish.
#[derive(Debug, Args)]
pub struct Send {
    /// Through which account: its name or number
    pub account: String,
    /// To which topic
    pub topic: String,
    /// The text; - reads it from standard input
    pub body: String,
    /// Its title
    #[arg(long, default_value = "")]
    pub title: String,
    /// 1 (least) to 5 (critical)
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub priority: Option<u8>,
    /// A tag; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Delivered later, where the server can wait: a duration (30m), unix seconds, or a time in English
    #[arg(long, visible_alias = "delay", value_name = "TIME", default_value = "")]
    pub at: String,
    /// What goes with it, where the server takes such: a file, or an address
    #[arg(long, value_name = "FILE|URL", default_value = "")]
    pub attach: String,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident => $for:ident { $($(#[$variant_doc:meta])* $variant:ident => $value:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl From<$name> for $for {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$variant => Self::$value),+
                }
            }
        }
    };
}

names!(
    /// Server families.
    Kind => BackendKind {
        /// ntfy.sh, and servers that speak its protocol
        Ntfy => Ntfy,
        /// Gotify
        Gotify => Gotify,
        /// Pusher, Soketi, Laravel Reverb and others of the Pusher protocol
        Pusher => Pusher,
        /// A Mercure hub
        Mercure => Mercure,
        /// Nchan, of nginx
        Nchan => Nchan,
        /// A described server, or a stream of your own
        Custom => Custom,
    }
);
names!(
    /// Where a password is kept.
    Secrets => SecretPlace {
        /// The desktop's keyring
        Keyring => Keyring,
        /// A file that only you may read
        File => File,
        /// Memory, until Tidings ends
        Memory => Memory,
    }
);
names!(
    /// Transports.
    Transport => TransportKind {
        /// A WebSocket
        Websocket => Websocket,
        /// Server-sent events
        Sse => Sse,
        /// An endless response
        HttpStream => HttpStream,
        /// A request now and then
        Poll => Poll,
    }
);
names!(
    /// Tiers.
    TierName => Tier {
        /// All of them
        Informational => Informational,
        /// From priority 3
        Important => Important,
        /// Priority 5 only
        Critical => Critical,
    }
);

/// A transport, or none fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TransportOrAuto {
    /// The best that works
    Auto,
    /// A WebSocket
    Websocket,
    /// Server-sent events
    Sse,
    /// An endless response
    HttpStream,
    /// A request now and then
    Poll,
}

/// For how long to pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseTime {
    /// Minutes.
    Minutes(u32),
    /// Until tomorrow morning.
    Tomorrow,
    /// Until the user resumes.
    Resumed,
    /// Resume.
    Off,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" | "on" => Ok(true),
        "no" | "false" | "off" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

/// What a desktop hands over when a link is clicked.
fn link(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("ntfy" | "gotify" | "http" | "https", rest)) if !rest.is_empty() => {
            Ok(text.to_owned())
        }
        _ => {
            Err("this is neither a command (see tidings --help) nor a link to a server".to_owned())
        }
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    // What is wrong is not repeated: the value may be a secret.
    let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
    let name = name.trim();
    if !tidings_core::model::is_token(name) {
        return Err("write NAME: VALUE, the name of letters, digits and -".to_owned());
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn token_place(text: &str) -> Result<SignIn, String> {
    let (place, name) = text.split_once(':').unwrap_or((text, ""));
    let wrong = || {
        "write bearer, header:NAME, query:NAME, cookie:NAME, subprotocol:PREFIX or message"
            .to_owned()
    };
    let named = || {
        (!name.is_empty())
            .then(|| name.to_owned())
            .ok_or_else(wrong)
    };
    Ok(match place {
        "bearer" => SignIn::Token,
        "message" => SignIn::Message,
        "header" => SignIn::Header { name: named()? },
        "query" => SignIn::Query { name: named()? },
        "cookie" => SignIn::Cookie { name: named()? },
        "subprotocol" => SignIn::Subprotocol {
            prefix: name.to_owned(),
        },
        _ => return Err(wrong()),
    })
}

/// `name=value`; `true`, `false` and JSON lists and objects as what they are, everything else as text.
fn option(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let name = name.trim();
    if name.is_empty() {
        return Err("write NAME=VALUE".to_owned());
    }
    let value = match value.strip_prefix('@') {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{path} cannot be read: {error}"))?;
            text.into()
        }
        None if value == "true" || value == "false" || value.starts_with(['[', '{']) => {
            serde_json::from_str(value).unwrap_or_else(|_| value.into())
        }
        None => value.into(),
    };
    Ok((name.to_owned(), value))
}

/// `90`, `90s`, `5m`, `2h`, `1d`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with s, m, h or d, such as 90s or 2h".to_owned();
    let unit_at = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// A length of time with its unit.
pub fn span(text: &str) -> Result<Duration, String> {
    let bare = text.bytes().all(|byte| byte.is_ascii_digit());
    match duration(text) {
        Ok(time) if !bare && !time.is_zero() => Ok(time),
        _ => Err("write a number with s, m, h or d, such as 30m or 2h".to_owned()),
    }
}

fn pause(text: &str) -> Result<PauseTime, String> {
    match text {
        "until-tomorrow" => return Ok(PauseTime::Tomorrow),
        "until-resumed" => return Ok(PauseTime::Resumed),
        "off" => return Ok(PauseTime::Off),
        _ => {}
    }
    let minutes = span(text).map_or(0, |time| time.as_secs().div_ceil(60));
    match u32::try_from(minutes) {
        Ok(minutes @ 1..=10_080) => Ok(PauseTime::Minutes(minutes)),
        _ => Err(
            "write 30m, 2h or 1d (a week at most), until-tomorrow, until-resumed, or off"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parsed(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times() {
        for (text, expected) in [
            ("90", Some(90)),
            ("60s", Some(60)),
            ("5m", Some(300)),
            ("2h", Some(7200)),
            ("1d", Some(86_400)),
            ("", None),
            ("m", None),
            ("1w", None),
            ("-5m", None),
            ("99999999999999999999m", None),
            ("9999999999999999999d", None),
        ] {
            assert_eq!(
                duration(text).ok().map(|time| time.as_secs()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn pauses() {
        for (text, expected) in [
            ("1h", Some(PauseTime::Minutes(60))),
            ("30s", Some(PauseTime::Minutes(1))),
            ("7d", Some(PauseTime::Minutes(10_080))),
            ("until-tomorrow", Some(PauseTime::Tomorrow)),
            ("until-resumed", Some(PauseTime::Resumed)),
            ("off", Some(PauseTime::Off)),
            ("8d", None),
            ("0m", None),
            // Of what, minutes or hours?
            ("30", None),
            ("soon", None),
        ] {
            assert_eq!(pause(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn options_are_text_unless_they_are_json() {
        for (text, value) in [
            ("a=b=c", serde_json::json!("b=c")),
            ("a=", serde_json::json!("")),
            ("a=12", serde_json::json!("12")),
            ("a=true", serde_json::json!(true)),
            ("a=[\"b\"]", serde_json::json!(["b"])),
            ("a={", serde_json::json!("{")),
        ] {
            assert_eq!(option(text).unwrap(), ("a".to_owned(), value), "{text}");
        }
        for wrong in ["a", "=b", "a=@/no/such/file"] {
            assert!(option(wrong).is_err(), "{wrong}");
        }
        assert!(token_place("header:").is_err() && token_place("nowhere").is_err());
        let header = SignIn::Header {
            name: "X-Key".to_owned(),
        };
        assert_eq!(token_place("header:X-Key").unwrap(), header);
    }

    #[test]
    fn headers_are_split_and_their_values_not_repeated() {
        assert_eq!(
            header("CF-Access: a:b").unwrap(),
            ("CF-Access".to_owned(), "a:b".to_owned())
        );
        for wrong in ["marker-secret", ": marker-secret", "a b: marker-secret"] {
            assert!(!header(wrong).unwrap_err().contains("marker-secret"));
        }
    }

    #[test]
    fn wrong_lines_are_refused() {
        for line in [
            "tidings read",
            "tidings read 1 --all",
            "tidings read 1 --search x",
            "tidings show",
            "tidings list --limit 0",
            "tidings list --unread --done",
            "tidings pause",
            "tidings account edit home",
            "tidings account add",
            "tidings account add u --password-stdin --token-stdin",
            "tidings account add u --user a --token-stdin",
            "tidings account add u --browser --token-stdin",
            "tidings account edit home --browser --no-sign-in",
            "tidings account add u --password secret",
            "tidings send home t b --priority 6",
            "tidings nonsense",
            "tidings open 1 --settings",
            "tidings javascript:alert(1)",
            "tidings file:///etc/passwd",
            "tidings ntfy://",
            "tidings ntfy://h/t --hidden",
            "tidings account import",
            "tidings why",
            "tidings why 1 --all",
            "tidings why 1 --search x",
            "tidings snooze 1",
            "tidings snooze --for 2h",
            "tidings snooze 1 --for 2",
            "tidings snooze 1 --for 0h",
            "tidings snooze 1 --unlock --online",
            "tidings config",
            "tidings config set limits.overall",
            "tidings config import",
            "tidings policy simulate --days 0",
            "tidings list --done --snoozed",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        for line in [
            "tidings",
            "tidings --hidden",
            "tidings ntfy://ntfy.example.org/disk?display=Disk",
            "tidings gotify://push.example.org --profile /p",
            "tidings account import client.yml --from ntfy --dry-run",
            "tidings account edit home --header X-A:b --remove-header X-B",
            "tidings open 1",
            "tidings open --settings",
            "tidings open --settings=quiet",
            "tidings --json list",
            "tidings list --json --profile /p",
            "tidings read --all --search from:ci",
            "tidings send home t b --at 30m --attach door.jpg",
            "tidings send home t b --delay tomorrow",
            "tidings account edit home --muted yes",
            "tidings account add u --user a --password-stdin",
            "tidings account add u --browser",
            "tidings account edit home --browser",
            "tidings demo --for 60s",
            "tidings why 1 2",
            "tidings why --all --search from:ci --days 7",
            "tidings snooze 1 2 --until 14:00",
            "tidings snooze --all --search from:ci --for 2h",
            "tidings snooze 1 --off",
            "tidings config get",
            "tidings config set away.few -1",
            "tidings config import - --dry-run",
            "tidings policy simulate --days 30 --preferences p.json",
        ] {
            assert!(parsed(line).is_ok(), "{line}");
        }
    }
}
