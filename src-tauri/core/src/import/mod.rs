//! Other clients' settings, taken apart: which servers they listen to, and how they sign in there. Nothing
//! is asked and nothing changed; what has no place here is said in words.

mod android;
pub mod env;
mod gotify_tray;
mod ini;
mod ntfy;
#[cfg(test)]
mod tests;
mod yaml;

use crate::model::{BackendKind, Credential, ImportFrom, SignIn, Tier, Way};
use jiff::Timestamp;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest text that is read, in bytes.
const LONGEST: usize = 32 * 1024 * 1024;
/// Topics and servers of one file; more are a mistake.
const MOST: usize = 5000;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whose settings it is.
    pub from: ImportFrom,
    /// The servers, each with one way to sign in.
    pub servers: Vec<Server>,
    /// What could not be taken over, a sentence each.
    pub left_out: Vec<String>,
}

/// A server, and one way to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The family.
    pub kind: BackendKind,
    /// Its address.
    pub url: String,
    /// How to sign in.
    pub sign_in: SignIn,
    /// What to sign in with.
    pub credential: Credential,
    /// How it is reached.
    pub way: Way,
    /// Below this tier: inbox only.
    pub min_tier: Tier,
    /// Its topics, each once.
    pub topics: Vec<Topic>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The server's name for it.
    pub topic: String,
    /// The user's name for it; empty for none.
    pub name: String,
    /// Never toasts.
    pub muted: bool,
    /// Below this tier: inbox only.
    pub min_tier: Tier,
}

impl Topic {
    fn plain(topic: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            name: String::new(),
            muted: false,
            min_tier: Tier::Informational,
        }
    }
}

/// Reads a file. Whose it is, is found out if it is not said.
///
/// # Errors
/// In words: it is nothing that is known, it is broken (with the line), or there is nothing in it.
pub fn read(text: &str, from: Option<ImportFrom>, now: Timestamp) -> Result<Found, String> {
    if text.len() > LONGEST {
        return Err(format!(
            "This file is larger than {} MiB. Is it the right one?",
            LONGEST / 1024 / 1024
        ));
    }
    let text = text.trim_start_matches('\u{feff}');
    let Some(from) = from.or_else(|| whose(text)) else {
        return Err(
            "This is no file that Tidings can read. It reads client.yml of the ntfy command line, a backup \
             of the ntfy app for Android, and the settings of Gotify Tray."
                .to_owned(),
        );
    };
    let found = match from {
        ImportFrom::Ntfy => ntfy::read(text)?,
        ImportFrom::NtfyAndroid => android::read(text, now)?,
        ImportFrom::GotifyTray => gotify_tray::read(text)?,
    };
    let topics: usize = found.servers.iter().map(|server| server.topics.len()).sum();
    if found.servers.len() > MOST || topics > MOST {
        return Err(format!(
            "This file has more than {MOST} topics. Is it the right one?"
        ));
    }
    if found.servers.is_empty() {
        let mut says = "There is no server in this file that Tidings could listen to.".to_owned();
        for sentence in &found.left_out {
            let _ = write!(says, " {sentence}");
        }
        return Err(says);
    }
    Ok(found)
}

/// The same file without what is never taken over and may be long: the notifications of a backup. Their
/// number stays.
pub fn without_notifications(text: &str) -> Cow<'_, str> {
    android::without_notifications(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whose settings a text is.
fn whose(text: &str) -> Option<ImportFrom> {
    if android::is_backup(text) {
        Some(ImportFrom::NtfyAndroid)
    } else if gotify_tray::is_settings(text) {
        Some(ImportFrom::GotifyTray)
    } else if ntfy::is_config(text) {
        Some(ImportFrom::Ntfy)
    } else {
        None
    }
}

/// The server of this address and sign-in, made if it is new.
fn server_at<'a>(
    servers: &'a mut Vec<Server>,
    url: &str,
    sign_in: &SignIn,
    credential: &Credential,
) -> &'a mut Server {
    let known = servers.iter().position(|server| {
        server.url == url && server.sign_in == *sign_in && server.credential == *credential
    });
    let known = known.unwrap_or_else(|| {
        servers.push(Server {
            kind: BackendKind::Ntfy,
            url: url.to_owned(),
            sign_in: sign_in.clone(),
            credential: credential.clone(),
            way: Way::default(),
            min_tier: Tier::Informational,
            topics: Vec::new(),
        });
        servers.len() - 1
    });
    &mut servers[known]
}

/// Adds topics that are not there yet.
fn add_topic(server: &mut Server, topic: Topic) {
    if !server.topics.iter().any(|known| known.topic == topic.topic) {
        server.topics.push(topic);
    }
}

/// An address as all of its spellings are written: a scheme, and a slash at its end.
fn base(text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    if text.contains("://") {
        format!("{text}/")
    } else {
        format!("https://{text}/")
    }
}
