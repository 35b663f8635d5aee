//! An account's own settings: a preset or a profile, or only what was found out about its address.

use super::profile::{Endpoint, Profile, word};
use super::template::Template;
use crate::model::TransportKind;
use serde::{Deserialize, Serialize};

/// The presets: name, label, profile.
pub(super) const PRESETS: [(&str, &str, &str); 10] = [
    (
        "ably",
        "Ably (event stream)",
        include_str!("presets/ably.toml"),
    ),
    (
        "centrifugo",
        "Centrifugo (one-way event stream)",
        include_str!("presets/centrifugo.toml"),
    ),
    ("courier", "Courier", include_str!("presets/courier.toml")),
    (
        "firebase",
        "Firebase Realtime Database",
        include_str!("presets/firebase.toml"),
    ),
    (
        "home-assistant",
        "Home Assistant",
        include_str!("presets/home-assistant.toml"),
    ),
    ("knock", "Knock", include_str!("presets/knock.toml")),
    (
        "mastodon",
        "Mastodon",
        include_str!("presets/mastodon.toml"),
    ),
    (
        "notilayer",
        "A stream with a list (Notilayer and the like)",
        include_str!("presets/notilayer.toml"),
    ),
    ("novu", "Novu", include_str!("presets/novu.toml")),
    (
        "suprsend",
        "SuprSend",
        include_str!("presets/suprsend.toml"),
    ),
];

/// As they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    /// The name of a preset.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preset: String,
    /// A profile, which goes before the preset.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub profile: String,
    /// What the address itself is, where no profile says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<TransportKind>,
}

impl Options {
    /// Reads them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| format!("The settings cannot be read: {error}."))
    }

    /// In the form in which they are kept; empty for none.
    pub(super) fn kept(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        serde_json::to_string(self).unwrap_or_default()
    }

    /// They say nothing of the server.
    pub(super) fn is_bare(&self) -> bool {
        self.preset.is_empty() && self.profile.trim().is_empty()
    }
}

/// What an address of unknown kind may be. The first ones see by the answer that they are wrong.
const GUESSES: [TransportKind; 4] = [
    TransportKind::LongPoll,
    TransportKind::HttpStream,
    TransportKind::Sse,
    TransportKind::Websocket,
];

/// What an account's connections follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Setup {
    /// The profile, with an endpoint at least.
    pub profile: Profile,
    /// Nobody described the server: what is usual is assumed.
    pub bare: bool,
    /// Nothing at all is known of it: each transport finds out whether it is the one.
    pub guesses: bool,
}

impl Setup {
    /// Of an account's options; an error says what is wrong with them.
    pub(super) fn of(options: &str) -> Result<Self, String> {
        let options = Options::parse(options)?;
        let mut profile = if !options.profile.trim().is_empty() {
            Profile::parse(&options.profile)?
        } else if options.preset.is_empty() {
            Profile::default()
        } else {
            let preset = PRESETS
                .iter()
                .find(|(name, ..)| *name == options.preset)
                .ok_or_else(|| format!("There is no preset called {}.", options.preset))?;
            Profile::parse(preset.2)?
        };
        let bare = profile.endpoints().next().is_none();
        if bare {
            let kinds = match options.transport {
                Some(kind) => vec![kind],
                // What an address of unknown kind is most likely to be.
                None => GUESSES.to_vec(),
            };
            for kind in kinds {
                let endpoint = Some(usual(kind));
                match kind {
                    TransportKind::Websocket => profile.websocket = endpoint,
                    TransportKind::Sse => profile.sse = endpoint,
                    TransportKind::HttpStream => profile.http_stream = endpoint,
                    TransportKind::LongPoll => profile.long_poll = endpoint,
                    TransportKind::Poll => profile.poll = endpoint,
                }
            }
        }
        Ok(Self {
            profile,
            bare,
            guesses: bare && options.transport.is_none(),
        })
    }

    /// The transports that it describes, best first.
    pub(super) fn transports(&self) -> Vec<TransportKind> {
        if self.guesses {
            return GUESSES.to_vec();
        }
        self.profile.endpoints().map(|(kind, _)| kind).collect()
    }

    /// In words, what is missing for a transport.
    pub(super) fn lacks(transport: TransportKind) -> String {
        format!(
            "The profile does not say where its {} is. Describe it, or let Tidings choose the transport.",
            word(transport)
        )
    }
}

/// An address of which only its kind is known.
fn usual(kind: TransportKind) -> Endpoint {
    let mut endpoint = Endpoint::default();
    if kind == TransportKind::LongPoll {
        let position = Template::try_from("{position}".to_owned()).unwrap_or_default();
        endpoint.query.insert("cursor".to_owned(), position);
    }
    endpoint
}
