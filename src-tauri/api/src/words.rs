//! The field's words that both sides of the contract use.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        #[ts(export)]
        pub struct $name(#[ts(type = "number")] pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// Names an account in this profile; never reused.
    AccountId
);
id!(
    /// Names a subscription in this profile; never reused.
    SubscriptionId
);
id!(
    /// Names a notification in this profile; never reused.
    NotificationId
);

/// How much attention a notification gets. It is not a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Tier {
    /// Inbox; some join a digest.
    Informational,
    /// Toast; folded in bursts.
    Important,
    /// Toast at once, stays until dismissed.
    Critical,
}

/// Which server family an account speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum BackendKind {
    /// <https://ntfy.sh> and servers that speak its protocol.
    Ntfy,
    /// Pusher, Soketi, Laravel Reverb and others of the Pusher Channels protocol, version 7.
    Pusher,
    /// <https://gotify.net>.
    Gotify,
    /// <https://mercure.rocks> hubs.
    Mercure,
    /// <https://nchan.io>, the publish and subscribe module of nginx.
    Nchan,
    /// A described server, or one that answers like a stream.
    Custom,
}

/// How a connection is carried, best first where a backend offers several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum TransportKind {
    /// RFC 6455.
    Websocket,
    /// Server-sent events (WHATWG HTML, 9.2).
    Sse,
    /// A response body that never ends, one object a line.
    HttpStream,
    /// A request the server answers when it has something.
    LongPoll,
    /// A request now and then.
    Poll,
}

/// Where an account's credential is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SecretPlace {
    /// The OS keyring.
    Keyring,
    /// A file of mode 0600 in the profile; only where the user asked for it.
    File,
    /// This run only.
    Memory,
}

/// How an account signs in. The secret itself is never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "by")]
#[ts(export)]
pub enum SignIn {
    /// No credential.
    None,
    /// User name and password (RFC 7617).
    Basic {
        /// The user's name on the server.
        user: String,
    },
    /// A bearer token (RFC 6750).
    Token,
    /// A secret in a header.
    Header {
        /// The header's name.
        name: String,
    },
    /// A secret in the address's query, where a server knows no better.
    Query {
        /// The parameter's name.
        name: String,
    },
    /// A secret in a cookie.
    Cookie {
        /// The cookie's name.
        name: String,
    },
    /// A secret as a WebSocket subprotocol (RFC 6455, 1.9).
    Subprotocol {
        /// What stands before the secret.
        prefix: String,
    },
    /// A secret in the first message of the conversation.
    Message,
}

/// How an account's server is reached, where that is not as everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
#[ts(export)]
pub struct Way {
    /// Empty: as the system says. `direct`: none. Otherwise the proxy's address: `http://`, `https://`,
    /// `socks5://` (names looked up here) or `socks5h://` (by the proxy). Never with a password in it.
    pub proxy: String,
    /// A file of certificate authorities, PEM, trusted besides the system's; empty for none.
    pub authorities: String,
    /// The SHA-256 of the only certificate that is accepted, in hexadecimal; empty: any that is trusted.
    pub pin: String,
    /// A file with the client's certificate and key, PEM or PKCS#12; empty for none.
    pub certificate: String,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Format {
    /// As it stands.
    Plain,
    /// `CommonMark`; shown as sanitised HTML.
    Markdown,
}

/// What an action of a notification does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ActionKind {
    /// Opens a URL.
    Open,
    /// Sends an HTTP request.
    Http,
    /// Copies a text.
    Copy,
    /// Something this desktop cannot do (an Android broadcast, say); shown, never run.
    Unsupported,
}
