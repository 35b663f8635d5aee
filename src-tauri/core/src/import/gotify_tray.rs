//! The settings of Gotify Tray, written by Qt: `[Server] url, client_token` in Python, `[General] serverUrl,
//! clientToken` in C++ (seird/gotify-tray and seird/gotify-tray-cpp).

use super::{Found, Server, base, ini};
use crate::model::{BackendKind, Credential, ImportFrom, SignIn, Tier, Way};

/// The names of what is taken over: address, token, least priority, certificate. The first one's program
/// knows no certificates.
const PYTHON: [(&str, &str); 4] = [
    ("Server", "url"),
    ("Server", "client_token"),
    ("tray", "notifications/priority"),
    ("Server", "-"),
];
const CPP: [(&str, &str); 4] = [
    ("General", "serverUrl"),
    ("General", "clientToken"),
    ("General", "notificationPriority"),
    ("General", "selfSignedCertificatePath"),
];

/// The values of one of the two programs; empty for what is not there.
fn values(text: &str) -> Option<[String; 4]> {
    let all = ini::read(text);
    [PYTHON, CPP].into_iter().find_map(|names| {
        let found = names.map(|(section, name)| {
            all.iter()
                .find(|(known, other, _)| known == section && other == name)
                .map(|(.., value)| value.trim().to_owned())
        });
        let any = found[0].is_some() || found[1].is_some();
        any.then(|| found.map(Option::unwrap_or_default))
    })
}

/// Whether a text is one: other programs have servers in sections too, but not with a client token.
pub(super) fn is_settings(text: &str) -> bool {
    let all = ini::read(text);
    [PYTHON, CPP].iter().any(|names| {
        names[..2].iter().all(|(section, name)| {
            all.iter()
                .any(|(known, other, _)| known == section && other == name)
        })
    })
}

pub(super) fn read(text: &str) -> Result<Found, String> {
    let Some([url, token, priority, certificate]) = values(text) else {
        return Err("There is no server in these settings of Gotify Tray.".to_owned());
    };
    if url.is_empty() {
        return Err("These settings of Gotify Tray name no server.".to_owned());
    }
    let mut left_out = Vec::new();
    if token.is_empty() {
        left_out.push(
            "There is no client token in the settings: sign in anew at the account that is added."
                .to_owned(),
        );
    }
    let min_tier = priority.parse().map_or(Tier::Informational, |least| {
        let (tier, exact) = tier_from(least);
        if !exact {
            left_out.push(format!(
                "Gotify Tray rings from priority {least} up. Tidings has the tiers up to 3, 4 to 7, and from \
                 8, and takes the nearest lower one."
            ));
        }
        tier
    });
    let server = Server {
        kind: BackendKind::Gotify,
        url: base(&url),
        sign_in: if token.is_empty() {
            SignIn::None
        } else {
            SignIn::Token
        },
        credential: Credential {
            secret: Some(token).filter(|token| !token.is_empty()),
            ..Credential::default()
        },
        way: Way {
            authorities: certificate,
            ..Way::default()
        },
        min_tier,
        topics: Vec::new(),
    };
    Ok(Found {
        from: ImportFrom::GotifyTray,
        servers: vec![server],
        left_out,
    })
}

/// The tier in which a priority is the least one, or that it is in; and whether it is the least one.
fn tier_from(least: i64) -> (Tier, bool) {
    match least {
        ..=1 => (Tier::Informational, true),
        2..=3 => (Tier::Informational, false),
        4 => (Tier::Important, true),
        5..=7 => (Tier::Important, false),
        8 => (Tier::Critical, true),
        _ => (Tier::Critical, false),
    }
}
