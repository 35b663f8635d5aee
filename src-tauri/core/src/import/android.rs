//! A backup of the ntfy app for Android, JSON (binwiederhier/ntfy-android, `backup/Backuper.kt`).

use super::{Found, Server, Topic, add_topic, base, server_at};
use crate::model::{Credential, ImportFrom, SignIn, Tier, hexadecimal};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What such a file says of itself.
const MAGIC: &str = "ntfy2586";
/// The version that is known.
const VERSION: u64 = 1;
/// A mute without an end.
const FOR_EVER: i64 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    magic: String,
    #[serde(default)]
    version: u64,
    settings: Option<Settings>,
    subscriptions: Option<Vec<Value>>,
    notifications: Option<Value>,
    users: Option<Vec<Value>>,
    trusted_certificates: Option<Vec<Value>>,
    client_certificates: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    min_priority: Option<i64>,
    muted_until: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    base_url: String,
    topic: String,
    muted_until: Option<i64>,
    min_priority: Option<i64>,
    up_app_id: Option<String>,
    display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    base_url: String,
    username: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trusted {
    base_url: String,
    pem: String,
}

pub(super) fn is_backup(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Marked {
        magic: String,
    }
    serde_json::from_str::<Marked>(text).is_ok_and(|marked| marked.magic == MAGIC)
}

/// The backup with the number of its notifications in their place; none if it is none.
pub(super) fn without_notifications(text: &str) -> Option<String> {
    let mut backup: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let count = match backup.get("notifications")? {
        Value::Array(all) => all.len(),
        _ => return None,
    };
    backup["notifications"] = count.into();
    Some(backup.to_string())
}

pub(super) fn read(text: &str, now: Timestamp) -> Result<Found, String> {
    // What serde says may repeat a part of the file, and with it a password: only the place is said.
    let backup: Backup = serde_json::from_str(text)
        .map_err(|error| format!("Line {} of this backup is broken.", error.line()))?;
    if backup.magic != MAGIC {
        return Err("This is no backup of the ntfy app.".to_owned());
    }
    let mut left_out = Vec::new();
    if backup.version > VERSION {
        left_out.push("The backup is of a newer app; what is new in it was left out.".to_owned());
    }
    let settings = backup.settings.unwrap_or_default();
    let users: Vec<User> = known(backup.users, "user", &mut left_out);
    let mut servers = Vec::new();
    let mut inexact = false;
    let mut unified_push = 0;
    let mut mutes = 0;
    for one in known::<Subscription>(backup.subscriptions, "topic", &mut left_out) {
        // What another app of that phone receives through ntfy.
        if one.up_app_id.is_some_and(|app| !app.is_empty()) {
            unified_push += 1;
            continue;
        }
        let url = base(&one.base_url);
        let (sign_in, credential) = signed_in(&users, &url);
        let least = match one.min_priority {
            // The app's own for all topics.
            None | Some(0) => settings.min_priority.unwrap_or(1),
            Some(least) => least,
        };
        let (min_tier, exact) = tier_from(least);
        inexact |= !exact;
        let until = one.muted_until.unwrap_or_default();
        mutes += usize::from(until > FOR_EVER && until > now.as_second());
        let server = server_at(&mut servers, &url, &sign_in, &credential);
        add_topic(
            server,
            Topic {
                topic: one.topic,
                name: one.display_name.unwrap_or_default(),
                muted: until == FOR_EVER,
                min_tier,
            },
        );
    }
    for user in &users {
        let url = base(&user.base_url);
        let (sign_in, credential) = signed_in(&users, &url);
        server_at(&mut servers, &url, &sign_in, &credential);
    }
    let trusted = known::<Trusted>(backup.trusted_certificates, "certificate", &mut left_out);
    trust(&trusted, &mut servers, &mut left_out);
    let certificates = backup.client_certificates.unwrap_or_default();
    let mut say = |is: bool, words: &str| {
        if is {
            left_out.push(words.to_owned());
        }
    };
    say(
        inexact,
        "The app can ring from priority 2 or 4 up. Tidings has the tiers 1 and 2, 3 and 4, and 5, and takes \
         the nearest lower one.",
    );
    say(
        mutes > 0,
        "A topic that is muted until a certain time was not muted: Tidings mutes a topic until it is told \
         otherwise. Mute it under its account, or pause all.",
    );
    say(
        settings
            .muted_until
            .is_some_and(|until| until == FOR_EVER || until > now.as_second()),
        "The app is muted as a whole. Here that is a pause: pause Tidings if it should be quiet.",
    );
    say(
        unified_push > 0,
        "What other apps of the phone receive through ntfy (UnifiedPush) was left out: it is for them only.",
    );
    say(
        !certificates.is_empty(),
        "Client certificates were left out. Save each as a file, and choose it under the account’s Network.",
    );
    let old = match backup.notifications {
        Some(Value::Array(all)) => all.len() as u64,
        Some(Value::Number(count)) => count.as_u64().unwrap_or_default(),
        _ => 0,
    };
    say(
        old > 0,
        "The backup’s old messages were left out. What the servers still have of them is fetched.",
    );
    Ok(Found {
        from: ImportFrom::NtfyAndroid,
        servers,
        left_out,
    })
}

/// The entries that can be read; the others are counted.
fn known<T: for<'de> Deserialize<'de>>(
    entries: Option<Vec<Value>>,
    what: &str,
    left_out: &mut Vec<String>,
) -> Vec<T> {
    let entries = entries.unwrap_or_default();
    let count = entries.len();
    let read: Vec<T> = entries
        .into_iter()
        .filter_map(|entry| serde_json::from_value(entry).ok())
        .collect();
    if read.len() < count {
        left_out.push(format!(
            "{} of the backup’s {count} {what} entries cannot be read.",
            count - read.len()
        ));
    }
    read
}

/// The app has one user for each server.
fn signed_in(users: &[User], url: &str) -> (SignIn, Credential) {
    let user = users
        .iter()
        .find(|user| base(&user.base_url) == url && !user.username.is_empty());
    match user {
        None => (SignIn::None, Credential::default()),
        Some(user) => (
            SignIn::Basic {
                user: user.username.clone(),
            },
            Credential {
                secret: Some(user.password.clone()),
                ..Credential::default()
            },
        ),
    }
}

/// The tier in which a priority is the least one, or that it is in; and whether it is the least one.
fn tier_from(least: i64) -> (Tier, bool) {
    match least {
        ..=1 => (Tier::Informational, true),
        2 => (Tier::Informational, false),
        3 => (Tier::Important, true),
        4 => (Tier::Important, false),
        _ => (Tier::Critical, true),
    }
}

/// A certificate that the app accepts for a server is pinned: its SHA-256 is enough for that.
fn trust(trusted: &[Trusted], servers: &mut [Server], left_out: &mut Vec<String>) {
    for one in trusted {
        let url = base(&one.base_url);
        let Some(pin) = sha256_of(&one.pem) else {
            left_out.push(format!("The certificate for {url} cannot be read."));
            continue;
        };
        for server in servers.iter_mut().filter(|server| server.url == url) {
            server.way.pin.clone_from(&pin);
        }
    }
}

/// The SHA-256 of the first certificate in a PEM text (RFC 7468), in hexadecimal.
fn sha256_of(pem: &str) -> Option<String> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (inner, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let letters: String = inner.split_whitespace().collect();
    let certificate = STANDARD.decode(letters).ok()?;
    Some(hexadecimal(&Sha256::digest(certificate)))
}
