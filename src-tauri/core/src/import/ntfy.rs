//! `client.yml` of the ntfy command line (ntfy, `client/config.go` and `cmd/subscribe.go`).

use super::yaml::{self, Value};
use super::{Found, Server, Topic, add_topic, base, server_at};
use crate::model::{Credential, ImportFrom, SignIn, Way};

/// Where topics are without a server's name.
const USUAL: &str = "https://ntfy.sh";
/// What stands at the top of such a file.
const NAMES: [&str; 9] = [
    "default-host",
    "default-user",
    "default-password",
    "default-token",
    "default-command",
    "subscribe",
    "cert-file",
    "cert-password",
    "enable_unifiedpush",
];

/// Whether a text is one: a file in which nothing is set yet is one too.
pub(super) fn is_config(text: &str) -> bool {
    match yaml::read(text) {
        Ok(value) => value.names().any(|name| NAMES.contains(&name)),
        // It may be one with a mistake in it, and then the mistake is worth being said.
        Err(_) => text.lines().any(|line| {
            line.split_once(':')
                .is_some_and(|(name, _)| NAMES.contains(&name))
        }),
    }
}

pub(super) fn read(text: &str) -> Result<Found, String> {
    let file = yaml::read(text)?;
    if !file.names().any(|name| NAMES.contains(&name)) {
        return Err("Nothing is set in this client.yml.".to_owned());
    }
    let mut left_out = Vec::new();
    let mut servers = Vec::new();
    let host = base(
        file.text("default-host")
            .filter(|host| !host.trim().is_empty())
            .unwrap_or(USUAL),
    );
    let usual = usual_sign_in(&file);
    let mut commands = usize::from(file.text("default-command").is_some());
    let mut filters = 0;
    for entry in file.member("subscribe").map_or(&[][..], Value::items) {
        let Some(topic) = entry
            .text("topic")
            .map(str::trim)
            .filter(|it| !it.is_empty())
        else {
            left_out.push("An entry of subscribe has no topic.".to_owned());
            continue;
        };
        commands += usize::from(entry.text("command").is_some());
        filters += usize::from(entry.member("if").is_some_and(|it| *it != Value::Nothing));
        let (url, topics) = place(topic, &host);
        let own = own_sign_in(entry);
        let (sign_in, credential) = match own {
            Own::None => nobody(),
            Own::Some(sign_in, credential) => (sign_in, credential),
            Own::Usual if url == host || usual.0 == SignIn::None => usual.clone(),
            Own::Usual => {
                left_out.push(format!(
                    "The default sign-in is for {host} and was not taken over for {url}, which is another \
                     server."
                ));
                nobody()
            }
        };
        let server = server_at(&mut servers, &url, &sign_in, &credential);
        for name in topics {
            add_topic(server, Topic::plain(&name));
        }
    }
    // A host and a sign-in alone are an account to which topics can be added.
    if servers.is_empty() && (file.text("default-host").is_some() || usual.0 != SignIn::None) {
        server_at(&mut servers, &host, &usual.0, &usual.1);
    }
    client_certificate(&file, &mut servers);
    if commands > 0 {
        left_out.push(
            "Commands that ntfy runs for a message are left out: Tidings runs no programs."
                .to_owned(),
        );
    }
    if filters > 0 {
        left_out.push(format!(
            "{filters} {} under “if:” {} left out: Tidings takes every message of a topic. Choose under the \
             account what may ring.",
            if filters == 1 { "condition" } else { "conditions" },
            if filters == 1 { "was" } else { "were" },
        ));
    }
    left_out.dedup();
    Ok(Found {
        from: ImportFrom::Ntfy,
        servers,
        left_out,
    })
}

fn nobody() -> (SignIn, Credential) {
    (SignIn::None, Credential::default())
}

fn basic(user: &str, password: &str) -> (SignIn, Credential) {
    let credential = Credential {
        secret: Some(password.to_owned()),
        ..Credential::default()
    };
    (
        SignIn::Basic {
            user: user.to_owned(),
        },
        credential,
    )
}

fn token(token: &str) -> (SignIn, Credential) {
    let credential = Credential {
        secret: Some(token.to_owned()),
        ..Credential::default()
    };
    (SignIn::Token, credential)
}

/// A token goes before user and password.
fn usual_sign_in(file: &Value) -> (SignIn, Credential) {
    let set = |name: &str| file.text(name).filter(|text| !text.is_empty());
    match (
        set("default-token"),
        set("default-user"),
        file.text("default-password"),
    ) {
        (Some(found), _, _) => token(found),
        (None, Some(user), Some(password)) => basic(user, password),
        _ => nobody(),
    }
}

/// How an entry signs in.
enum Own {
    /// As all of them.
    Usual,
    /// By nothing, said so with empty texts.
    None,
    /// By its own.
    Some(SignIn, Credential),
}

fn own_sign_in(entry: &Value) -> Own {
    match (
        entry.text("token"),
        entry.text("user"),
        entry.text("password"),
    ) {
        (Some(""), _, _) | (None, Some(""), Some("")) => Own::None,
        (Some(found), _, _) => {
            let (sign_in, credential) = token(found);
            Own::Some(sign_in, credential)
        }
        (None, Some(user), Some(password)) if !user.is_empty() => {
            let (sign_in, credential) = basic(user, password);
            Own::Some(sign_in, credential)
        }
        _ => Own::Usual,
    }
}

/// The server and the topics of what is written: `topic`, `host/topic`, or a whole address.
fn place(written: &str, host: &str) -> (String, Vec<String>) {
    let (url, names) = match written.rsplit_once('/') {
        Some((server, names)) if !server.is_empty() && !server.ends_with('/') => {
            (base(server), names)
        }
        _ => (host.to_owned(), written),
    };
    let topics = names.split(',').filter(|name| !name.is_empty());
    (url, topics.map(str::to_owned).collect())
}

/// The certificate that the client shows everywhere.
fn client_certificate(file: &Value, servers: &mut [Server]) {
    let Some(path) = file.text("cert-file").filter(|path| !path.is_empty()) else {
        return;
    };
    for server in servers {
        server.way = Way {
            certificate: path.to_owned(),
            ..Way::default()
        };
        server.credential.certificate = file
            .text("cert-password")
            .filter(|password| !password.is_empty())
            .map(str::to_owned);
    }
}
