//! What the resident says when it starts this program.

use std::ffi::OsString;
use std::path::PathBuf;
use tidings_api::Target;

/// What to connect to, what to show, and on whose behalf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The resident's control socket.
    pub socket: PathBuf,
    /// What the first window shows.
    pub target: Target,
    /// The desktop's activation token (xdg-activation or startup notification), where there is one.
    pub token: Option<String>,
}

/// Why the arguments make no sense.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Neither `--socket` nor `TIDINGS_SOCKET`.
    NoSocket,
    /// An option without its value.
    NoValue(&'static str),
    /// `--show` is not a target of the contract.
    Target(String),
    /// Nothing this program knows.
    Unknown(String),
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSocket => write!(f, "--socket PATH is missing.")?,
            Self::NoValue(option) => write!(f, "{option} needs a value.")?,
            Self::Target(text) => write!(f, "--show does not understand {text}.")?,
            Self::Unknown(text) => write!(f, "{text} is not an option.")?,
        }
        write!(
            f,
            " This program is started by Tidings: run `tidings` to open a window."
        )
    }
}

impl std::error::Error for Wrong {}

impl Arguments {
    /// Reads `--socket PATH` (or `TIDINGS_SOCKET`) and `--show JSON`, and the activation token from
    /// `XDG_ACTIVATION_TOKEN` or `DESKTOP_STARTUP_ID`.
    ///
    /// # Errors
    /// [`Wrong`], worded for whoever started the program by hand.
    pub fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Wrong> {
        let mut socket = set(&environment, "TIDINGS_SOCKET");
        let mut target = Target::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--socket") => {
                    socket = Some(arguments.next().ok_or(Wrong::NoValue("--socket"))?);
                }
                Some("--show") => {
                    let text = arguments.next().ok_or(Wrong::NoValue("--show"))?;
                    let text = text.to_string_lossy();
                    target = serde_json::from_str(&text)
                        .map_err(|_| Wrong::Target(text.into_owned()))?;
                }
                _ => return Err(Wrong::Unknown(argument.to_string_lossy().into_owned())),
            }
        }
        let token = set(&environment, "XDG_ACTIVATION_TOKEN")
            .or_else(|| set(&environment, "DESKTOP_STARTUP_ID"))
            .and_then(|token| token.into_string().ok());
        Ok(Self {
            socket: socket.ok_or(Wrong::NoSocket)?.into(),
            target,
            token,
        })
    }
}

/// A variable that is set to nothing counts as not set.
fn set(environment: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<OsString> {
    environment(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_api::NotificationId;

    fn parse(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Arguments, Wrong> {
        Arguments::parse(arguments.iter().map(OsString::from), |name| {
            let value = environment.iter().find(|(key, _)| *key == name);
            value.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_socket_comes_from_the_option_or_the_environment() {
        let variable = ("TIDINGS_SOCKET", "/run/b");
        let path = |parsed: Result<Arguments, Wrong>| parsed.map(|arguments| arguments.socket);
        assert_eq!(
            path(parse(&["--socket", "/run/a"], &[])),
            Ok("/run/a".into())
        );
        assert_eq!(path(parse(&[], &[variable])), Ok("/run/b".into()));
        assert_eq!(
            path(parse(&["--socket", "/run/a"], &[variable])),
            Ok("/run/a".into())
        );
        assert_eq!(path(parse(&[], &[])), Err(Wrong::NoSocket));
        assert_eq!(
            path(parse(&[], &[("TIDINGS_SOCKET", "")])),
            Err(Wrong::NoSocket)
        );
    }

    #[test]
    fn the_inbox_is_shown_unless_told_otherwise() {
        let show = |json: &str| {
            parse(&["--socket", "/run/a", "--show", json], &[]).map(|arguments| arguments.target)
        };
        assert_eq!(
            parse(&["--socket", "/run/a"], &[]).unwrap().target,
            Target::Inbox
        );
        assert_eq!(show(r#"{"show":"settings"}"#), Ok(Target::Settings));
        assert_eq!(
            show(r#"{"show":"notification","id":7}"#),
            Ok(Target::Notification {
                id: serde_json::from_str::<NotificationId>("7").unwrap()
            })
        );
        assert_eq!(show("{}"), Err(Wrong::Target("{}".into())));
        assert_eq!(show(""), Err(Wrong::Target(String::new())));
    }

    #[test]
    fn every_target_that_the_contract_can_write_is_read_back() {
        let link = Target::AddAccount {
            url: "ntfy://h/t?display=A%20b&secure=false".to_owned(),
        };
        let told = Target::Toast { toast: 9 };
        let section = Target::Section {
            section: "quiet".to_owned(),
        };
        for target in [
            Target::Inbox,
            Target::Settings,
            Target::Import,
            section,
            told,
            link,
        ] {
            let json = serde_json::to_string(&target).unwrap();
            let parsed = parse(&["--socket", "/run/a", "--show", &json], &[]);
            assert_eq!(parsed.unwrap().target, target);
        }
    }

    #[test]
    fn the_newer_kind_of_activation_token_goes_first() {
        let token = |environment: &[(&str, &str)]| {
            parse(&["--socket", "/run/a"], environment).unwrap().token
        };
        let old = ("DESKTOP_STARTUP_ID", "old_TIME7");
        assert_eq!(token(&[]), None);
        assert_eq!(token(&[old]), Some("old_TIME7".into()));
        assert_eq!(
            token(&[old, ("XDG_ACTIVATION_TOKEN", "new")]),
            Some("new".into())
        );
        assert_eq!(
            token(&[old, ("XDG_ACTIVATION_TOKEN", "")]),
            Some("old_TIME7".into())
        );
    }

    #[test]
    fn what_is_wrong_is_said_and_what_to_do() {
        for (arguments, expected) in [
            (&["--socket"][..], Wrong::NoValue("--socket")),
            (
                &["--socket", "/run/a", "--show"][..],
                Wrong::NoValue("--show"),
            ),
            (&["--help"][..], Wrong::Unknown("--help".into())),
            (&["settings"][..], Wrong::Unknown("settings".into())),
        ] {
            let wrong = parse(arguments, &[]).unwrap_err();
            assert_eq!(wrong, expected);
            assert!(wrong.to_string().contains("run `tidings`"), "{wrong}");
        }
    }
}
