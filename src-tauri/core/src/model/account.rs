//! Accounts and subscriptions.

use super::{
    AccountId, BackendKind, Cursor, SecretPlace, SignIn, SubscriptionId, TransportKind, Way,
};
use jiff::Timestamp;
use std::fmt;
use url::Url;

/// A server and a way to sign in, as stored. The secret is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The server family.
    pub kind: BackendKind,
    /// The user's name for it.
    pub name: String,
    /// The server's address, ending in `/`; never with user info, query or fragment.
    pub url: Url,
    /// How it signs in.
    pub sign_in: SignIn,
    /// Where its secret is.
    pub secrets: SecretPlace,
    /// Names of extra request headers; their values are kept with the secret.
    pub header_names: Vec<String>,
    /// A transport fixed by the user.
    pub transport: Option<TransportKind>,
    /// Cleartext to other hosts than this one is allowed.
    pub allow_http: bool,
    /// Switched off: no connection is held.
    pub disabled: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// The family's own settings, checked by its backend; empty for none.
    pub options: String,
    /// How the server is reached.
    pub way: Way,
    /// What names the token on the server that took the password's place; empty where its user entered one.
    pub made_token: String,
}

/// An account about to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// As in [`Account`].
    pub kind: BackendKind,
    /// As in [`Account`].
    pub name: String,
    /// As in [`Account`].
    pub url: Url,
    /// As in [`Account`].
    pub sign_in: SignIn,
    /// As in [`Account`].
    pub secrets: SecretPlace,
    /// As in [`Account`].
    pub header_names: Vec<String>,
    /// As in [`Account`].
    pub transport: Option<TransportKind>,
    /// As in [`Account`].
    pub allow_http: bool,
    /// As in [`Account`].
    pub options: String,
    /// As in [`Account`].
    pub way: Way,
    /// As in [`Account`].
    pub made_token: String,
}

/// A topic, channel or application of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Its account.
    pub account: AccountId,
    /// The server's name for it.
    pub topic: String,
    /// The user's name for it; empty: what the server calls it.
    pub name: String,
    /// Where to resume; none until the first filling is complete.
    pub cursor: Option<Cursor>,
    /// When it was added.
    pub created_at: Timestamp,
    /// What the server calls it; empty where the topic says it all.
    pub label: String,
    /// Where its icon is; empty for none.
    pub icon: String,
}

impl Subscription {
    /// What the user sees as its name.
    pub fn display_name(&self) -> &str {
        [&self.name, &self.label]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or(&self.topic)
    }
}

/// A subscription about to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSubscription {
    /// As in [`Subscription`].
    pub topic: String,
    /// As in [`Subscription`].
    pub name: String,
}

/// What signs a request in: the password or token, and the values of extra headers. Printing it
/// shows nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// The password or token; none where the account signs in by nothing.
    pub secret: Option<String>,
    /// Extra headers, name and value.
    pub headers: Vec<(String, String)>,
    /// `user:password` for the proxy.
    pub proxy: Option<String>,
    /// The password of the client certificate's file.
    pub certificate: Option<String>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// A subscription that a server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The server's name for it: its topic here.
    pub topic: String,
    /// What its owner calls it.
    pub name: String,
    /// Where its icon is.
    pub icon: Option<String>,
    /// Under which of its addresses the server keeps it for its user; empty where it knows no such thing.
    pub place: String,
}
