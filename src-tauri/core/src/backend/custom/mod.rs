//! A server of somebody's own making, described by a profile, or recognised by how it answers.
//! `docs/backends/custom.md` says how a profile is written.

mod detect;
mod items;
mod options;
mod position;
mod preview;
mod profile;
mod refusal;
mod requests;
mod rules;
mod session;
mod template;

#[cfg(test)]
mod tests;

use super::{
    Address, Backend, Capabilities, Effect, Failure, Field, FieldKind, Found, Input, Probed,
    Resume, Server, Session,
};
use crate::model::{BackendKind, HttpRequest, Mirror, SignIn, TransportKind};
use jiff::Timestamp;
use options::{Options, PRESETS, Setup};
pub use preview::{Preview, Refused, preview, profile_of};
use profile::AuthBy;
use template::Values;
use url::Url;

/// The longest topic, in bytes.
const LONGEST_TOPIC: usize = 512;

/// The family.
pub struct Custom;

/// The presets, as the form offers them.
static CHOICES: [(&str, &str); PRESETS.len() + 1] = {
    let mut choices = [("", "None"); PRESETS.len() + 1];
    let mut number = 0;
    while number < PRESETS.len() {
        choices[number + 1] = (PRESETS[number].0, PRESETS[number].1);
        number += 1;
    }
    choices
};

static CAPABILITIES: Capabilities = Capabilities {
    name: "Custom",
    transports: &[
        TransportKind::Websocket,
        TransportKind::Sse,
        TransportKind::HttpStream,
        TransportKind::LongPoll,
        TransportKind::Poll,
    ],
    mirrors: true,
    sends: false,
    offers: true,
    keepalive: None,
    fields: &[
        Field {
            name: "url",
            label: "Address",
            hint: "A stream, a WebSocket, or the server that the preset or profile is for.",
            kind: FieldKind::Text,
        },
        Field {
            name: "preset",
            label: "Preset",
            hint: "A profile that comes with Tidings.",
            kind: FieldKind::Choice(&CHOICES),
        },
        Field {
            name: "topics",
            label: "Topics",
            hint: "Channels or rooms, with commas between them; only where the server has some.",
            kind: FieldKind::Text,
        },
        Field {
            name: "token",
            label: "Token or key",
            hint: "Sent as the profile says; without one, as a bearer token.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "user",
            label: "User name",
            hint: "Only if the server asks for one.",
            kind: FieldKind::Text,
        },
        Field {
            name: "secret",
            label: "Password",
            hint: "Kept in the keyring.",
            kind: FieldKind::Secret,
        },
        Field {
            name: "profile",
            label: "Profile",
            hint: "TOML; takes the preset's place. Empty: the address is looked at.",
            kind: FieldKind::Lines,
        },
    ],
};

impl Backend for Custom {
    fn kind(&self) -> BackendKind {
        BackendKind::Custom
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn transports(&self, server: &Server) -> Vec<TransportKind> {
        match Setup::of(&server.options) {
            Ok(setup) => setup.transports(),
            Err(_) => CAPABILITIES.transports.to_vec(),
        }
    }

    fn sent_as(&self, server: &Server, chosen: &SignIn) -> SignIn {
        let Ok(setup) = Setup::of(&server.options) else {
            return chosen.clone();
        };
        // User name and password are for where the token comes from, each time or once.
        let logs_in = setup
            .profile
            .login
            .is_some_and(|login| !login.keep || matches!(chosen, SignIn::Basic { .. }));
        let (auth, plain) = match (setup.profile.auth, chosen) {
            (Some(auth), SignIn::Token | SignIn::Basic { .. }) if !logs_in => {
                (auth, chosen.clone())
            }
            _ => return chosen.clone(),
        };
        match auth.by {
            // They are the form's own.
            AuthBy::Basic | AuthBy::Bearer => plain,
            // The user's name is put into messages too.
            AuthBy::Message if matches!(plain, SignIn::Basic { .. }) => plain,
            AuthBy::Message => SignIn::Message,
            AuthBy::Header => SignIn::Header { name: auth.name },
            AuthBy::Query => SignIn::Query { name: auth.name },
            AuthBy::Cookie => SignIn::Cookie { name: auth.name },
            AuthBy::Subprotocol => SignIn::Subprotocol {
                prefix: auth.prefix,
            },
        }
    }

    fn address(&self, pasted: &Url) -> Address {
        detect::address(pasted, String::new())
    }

    fn probes(&self, pasted: &Url) -> Vec<HttpRequest> {
        detect::probes(pasted)
    }

    fn test_probes(&self, server: &Server) -> Vec<HttpRequest> {
        match Options::parse(&server.options) {
            Ok(options) if options.is_bare() => detect::probes(&server.base),
            _ => Vec::new(),
        }
    }

    fn recognise(&self, pasted: &Url, probed: &Probed<'_>) -> Option<Found> {
        detect::recognise(pasted, probed)
    }

    fn check_options(&self, options: &str) -> Result<String, String> {
        let parsed = Options::parse(options)?;
        let setup = Setup::of(options)?;
        // What cannot be an address never will be.
        let anywhere = Url::parse("https://server.invalid/").map_err(|error| error.to_string())?;
        for (table, parts) in setup.profile.requests() {
            requests::possible(&anywhere, &parts).map_err(|says| format!("[{table}]: {says}"))?;
        }
        Ok(parsed.kept())
    }

    fn own_addresses(&self, server: &Server) -> Vec<Url> {
        let Ok(setup) = Setup::of(&server.options) else {
            return Vec::new();
        };
        let profile = &setup.profile;
        // With a token that each connection gets for itself, only where it comes from sees the credential.
        let only_login = profile.login.as_ref().is_some_and(|login| !login.keep);
        profile
            .requests()
            .into_iter()
            .filter(|(table, _)| !only_login || *table == "login")
            .filter_map(|(_, parts)| requests::possible(&server.base, &parts).ok())
            .filter(|url| url.origin() != server.base.origin())
            .collect()
    }

    fn check_topic(&self, topic: &str) -> Result<(), String> {
        if topic.is_empty() || topic.len() > LONGEST_TOPIC || topic.chars().any(char::is_control) {
            return Err(format!(
                "A topic is a name of at most {LONGEST_TOPIC} bytes, without control characters."
            ));
        }
        Ok(())
    }

    fn access(&self, server: &Server, topic: &str) -> Option<HttpRequest> {
        let setup = Setup::of(&server.options).ok()?;
        let values = Values {
            topic: (!topic.is_empty()).then_some(topic),
            topics: (!topic.is_empty()).then_some(topic),
            since: Some(Timestamp::UNIX_EPOCH),
            ..Values::default()
        };
        if let Some(login) = &setup.profile.login {
            // A token that is kept takes the password's place; only one of them can be tried.
            return (!login.keep)
                .then(|| requests::login(&server.base, login, &values).ok())
                .flatten();
        }
        let history = setup.profile.history.as_ref()?;
        requests::request(&server.base, &history.parts(), &values, &[]).ok()
    }

    fn judge_access(&self, status: u16, _body: &str, _topic: &str) -> Result<(), Failure> {
        match status {
            200..=299 | 304 => Ok(()),
            status => Err(refusal::failure(status, None, "this address")),
        }
    }

    fn exchange(&self, server: &Server, _device: &str) -> Option<HttpRequest> {
        let setup = Setup::of(&server.options).ok()?;
        let login = setup.profile.login.as_ref().filter(|login| login.keep)?;
        requests::login(&server.base, login, &Values::default()).ok()
    }

    fn exchanged_at(
        &self,
        server: &Server,
        status: u16,
        body: &str,
    ) -> Result<Option<String>, Failure> {
        let Ok(setup) = Setup::of(&server.options) else {
            return Ok(None);
        };
        let Some(login) = setup.profile.login.as_ref() else {
            return Ok(None);
        };
        match status {
            200..=299 => requests::token(login, body)
                .map(|token| Some(token.0))
                .ok_or_else(|| {
                    refusal::unfit(
                        "The answer to the sign-in holds no token where the profile says. Check [login]."
                            .to_owned(),
                    )
                }),
            // Many servers call a wrong password a bad request.
            400 | 403 | 422 => Err(refusal::failure(401, None, "the sign-in")),
            status => Err(refusal::failure(status, None, "the sign-in")),
        }
    }

    fn session(&self, resume: Resume) -> Box<dyn Session> {
        match Setup::of(&resume.options) {
            Ok(setup) => Box::new(session::Conversation::new(resume, setup)),
            Err(says) => Box::new(Unfit(says)),
        }
    }

    fn mirror(
        &self,
        server: &Server,
        topic: &str,
        replace_key: &str,
        change: Mirror,
    ) -> Option<HttpRequest> {
        // As a step of a path these would vanish, and the request would mean something else.
        if matches!(replace_key, "" | "." | "..") {
            return None;
        }
        let setup = Setup::of(&server.options).ok()?;
        let asked = match change {
            Mirror::Read => setup.profile.read.as_ref(),
            Mirror::Delete => setup.profile.delete.as_ref(),
        }?;
        let values = Values {
            id: Some(replace_key),
            topic: Some(topic),
            ..Values::default()
        };
        requests::request(&server.base, &asked.parts(), &values, &[]).ok()
    }
}

/// A conversation that cannot begin: options that were fine once are not any more.
struct Unfit(String);

impl Session for Unfit {
    fn start(&mut self, _now: Timestamp) -> Vec<Effect> {
        vec![Effect::Fail(refusal::unfit(self.0.clone()))]
    }

    fn receive(&mut self, _input: Input<'_>, _now: Timestamp) -> Vec<Effect> {
        Vec::new()
    }
}
