//! An account's own settings, and what they come to.

use super::channel;
use crate::backend::payload::{Mapping, is_pointer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

/// What a Laravel application broadcasts a notification as.
const LARAVEL_EVENT: &str = "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated";
/// Where an item of its history has what was broadcast, and what the database adds.
const LARAVEL_HISTORY: &str = r#"{"root":"/data","id":"@payload/id","type":"@payload/type",
    "created_at":"@payload/created_at","read":"@payload/read_at"}"#;
/// The same of what it broadcasts.
const LARAVEL_EVENTS: &str = r#"{"id":"/id","type":"/type"}"#;
/// Says that there is no history where a preset would have one.
const NONE: &str = "none";
/// Entries of the list of events.
const MOST_EVENTS: usize = 100;

/// As its user wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    /// What the application is made with.
    #[serde(skip_serializing_if = "Preset::is_plain")]
    preset: Preset,
    /// Where the application is; what begins with `/` below is there.
    #[serde(skip_serializing_if = "String::is_empty")]
    app_url: String,
    /// The user's id there.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "word")]
    user_id: String,
    /// The app's key, where the address has none.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "word")]
    key: String,
    /// Where channels are signed.
    #[serde(skip_serializing_if = "String::is_empty")]
    auth_url: String,
    /// Where the user's sign-in is signed.
    #[serde(skip_serializing_if = "String::is_empty")]
    user_auth_url: String,
    /// Where what was missed can be had.
    #[serde(skip_serializing_if = "String::is_empty")]
    history_url: String,
    /// The channel that it is the history of.
    #[serde(skip_serializing_if = "String::is_empty")]
    history_channel: String,
    /// Where in its answer the items are.
    #[serde(skip_serializing_if = "String::is_empty")]
    history_items: String,
    /// Where in its answer the next page is named.
    #[serde(skip_serializing_if = "String::is_empty")]
    history_next: String,
    /// The parameter that takes this name, where it is no address.
    #[serde(skip_serializing_if = "String::is_empty")]
    history_parameter: String,
    /// Events that are notifications, one on each line; none for all.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "lines")]
    events: String,
    /// How an event's data becomes a notification.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text"
    )]
    mapping: Option<Mapping>,
    /// The same for an item of the history.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text"
    )]
    history_mapping: Option<Mapping>,
}

/// What an application is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Preset {
    /// Anything.
    #[default]
    #[serde(alias = "")]
    Plain,
    /// Laravel, with its own notifications.
    Laravel,
}

impl Preset {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// A text or a number.
fn word<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("a text is wanted")),
    }
}

/// A list, or a text of lines.
fn lines<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lines {
        One(String),
        More(Vec<String>),
    }
    Ok(match Lines::deserialize(from)? {
        Lines::One(text) => text,
        Lines::More(lines) => lines.join("\n"),
    })
}

/// An object, or a text that is one: a form has only texts. An empty text is nothing.
fn maybe_text<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let value = match Value::deserialize(from)? {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => serde_json::from_str(&text).map_err(serde::de::Error::custom)?,
        value => value,
    };
    serde_json::from_value(value)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

impl Options {
    /// Reads them; empty for none.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text)
            .map_err(|error| format!("The account's settings cannot be read: {error}."))
    }

    /// The form in which they are kept; an error says what is wrong with them.
    pub(super) fn checked(mut self) -> Result<String, String> {
        for text in [
            &mut self.app_url,
            &mut self.user_id,
            &mut self.key,
            &mut self.auth_url,
            &mut self.user_auth_url,
            &mut self.history_url,
            &mut self.history_channel,
            &mut self.history_items,
            &mut self.history_next,
            &mut self.history_parameter,
        ] {
            *text = text.trim().to_owned();
        }
        self.events = self.event_list().join("\n");
        if self == Self::default() {
            return Ok(String::new());
        }
        let settings = Settings::of(&self)?;
        if self.preset == Preset::Laravel && self.app_url.is_empty() {
            return Err(
                "The Laravel preset needs the application's address, for example https://app.example.com."
                    .to_owned(),
            );
        }
        if settings.events.len() > MOST_EVENTS {
            return Err(format!("At most {MOST_EVENTS} events can be named."));
        }
        for mapping in [&settings.mapping, &settings.history_mapping] {
            mapping.check()?;
        }
        serde_json::to_string(&self).map_err(|error| error.to_string())
    }

    fn event_list(&self) -> Vec<String> {
        self.events
            .lines()
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .filter(|event| !event.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// An address of the application; none if it is empty.
    fn address(&self, text: &str, what: &str) -> Result<Option<Url>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let parsed = match text.strip_prefix('/') {
            Some(below) => {
                let app = web_address(&self.app_url).ok_or_else(|| {
                    format!("{what} begins with /, which is below the application's address. Enter that too.")
                })?;
                let folder = format!("{}/", app.as_str().trim_end_matches('/'));
                Url::parse(&folder)
                    .ok()
                    .and_then(|folder| folder.join(below).ok())
            }
            None => web_address(text),
        };
        parsed
            .map(Some)
            .ok_or_else(|| format!("{what} must begin with https:// (or http://)."))
    }
}

fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    (is_web && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// What the options come to, presets filled in.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// See [`Options::key`].
    pub key: String,
    /// Where channels are signed.
    pub auth: Option<Url>,
    /// Where the user's sign-in is signed.
    pub user_auth: Option<Url>,
    /// Where what was missed can be had.
    pub history: Option<History>,
    /// A channel that belongs to the account, whoever subscribed to what.
    pub own_channel: Option<String>,
    /// What `Origin` says, as a page of the application would: some servers ask for it.
    pub origin: Option<String>,
    /// Events that are notifications; none for all.
    pub events: Vec<String>,
    /// How an event's data is read.
    pub mapping: Mapping,
    /// How an item of the history is read.
    pub history_mapping: Mapping,
    /// Types are names of PHP classes.
    pub has_classes: bool,
}

/// Where what was missed can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct History {
    /// Its address, with `{channel}` in it where each channel has its own.
    address: String,
    /// The channel that it is the history of, if the user says.
    pub channel: Option<String>,
    /// A pointer to the items; empty: where they usually are.
    pub items: String,
    /// A pointer to the next page; empty: where it usually is.
    pub next: String,
    /// The parameter for a next page that is no address.
    pub parameter: String,
}

impl History {
    /// Each channel has its own.
    pub(super) fn is_of_each(&self) -> bool {
        self.address.contains(CHANNEL)
    }

    /// The first page's address.
    pub(super) fn first(&self, channel: &str) -> Option<Url> {
        let channel: String = url::form_urlencoded::byte_serialize(channel.as_bytes()).collect();
        Url::parse(&self.address.replace(CHANNEL, &channel)).ok()
    }
}

const CHANNEL: &str = "{channel}";

impl Settings {
    /// Of options that were checked once; what cannot be read is as if it was not there.
    pub(super) fn read(options: &str) -> Self {
        Options::read(options)
            .and_then(|options| Self::of(&options))
            .unwrap_or_default()
    }

    fn of(options: &Options) -> Result<Self, String> {
        let is_laravel = options.preset == Preset::Laravel;
        let or = |own: &str, laravel: &str| {
            if own.is_empty() && is_laravel && !options.app_url.is_empty() {
                laravel.to_owned()
            } else {
                own.to_owned()
            }
        };
        if !options.app_url.is_empty() && web_address(&options.app_url).is_none() {
            return Err(
                "The application's address must begin with https:// (or http://).".to_owned(),
            );
        }
        let auth = options.address(
            &or(&options.auth_url, "/broadcasting/auth"),
            "The address for signing channels",
        )?;
        let user_auth = options.address(
            &options.user_auth_url,
            "The address for signing the user in",
        )?;
        let history = Self::history(options, &or(&options.history_url, "/notifications"))?;
        let mut events = options.event_list();
        if events.is_empty() && is_laravel {
            events.push(LARAVEL_EVENT.to_owned());
        }
        let preset = |json: &str| -> Mapping {
            is_laravel
                .then(|| serde_json::from_str(json).ok())
                .flatten()
                .unwrap_or_default()
        };
        let own_channel = (is_laravel && !options.user_id.is_empty())
            .then(|| format!("private-App.Models.User.{}", options.user_id));
        if let Some(channel) = &own_channel {
            channel::check(channel)?;
        }
        let origin = [
            web_address(&options.app_url),
            auth.clone(),
            user_auth.clone(),
        ]
        .into_iter()
        .flatten()
        .next()
        .map(|url| url.origin().ascii_serialization());
        let mapping = options
            .mapping
            .clone()
            .unwrap_or_else(|| preset(LARAVEL_EVENTS));
        let history_mapping = match (&options.history_mapping, &options.mapping) {
            (Some(own), _) => own.clone(),
            (None, Some(shared)) if !is_laravel => shared.clone(),
            _ => preset(LARAVEL_HISTORY),
        };
        Ok(Self {
            key: options.key.clone(),
            auth,
            user_auth,
            history,
            own_channel,
            origin,
            events,
            mapping,
            history_mapping,
            has_classes: is_laravel,
        })
    }

    fn history(options: &Options, address: &str) -> Result<Option<History>, String> {
        if address.eq_ignore_ascii_case(NONE) {
            return Ok(None);
        }
        // As a word, a placeholder is no part of an address that could be escaped.
        let marked = address.replace(CHANNEL, MARK);
        let Some(url) = options.address(&marked, "The address of the history")? else {
            return Ok(None);
        };
        for (pointer, what) in [
            (&options.history_items, "Where the history's items are"),
            (
                &options.history_next,
                "Where the history's next page is named",
            ),
        ] {
            if !is_pointer(pointer) {
                return Err(format!("{what} is a JSON pointer, such as /data/items."));
            }
        }
        if !options.history_channel.is_empty() {
            channel::check(&options.history_channel)?;
        }
        if url.host_str().is_some_and(|host| host.contains(MARK)) {
            return Err(
                "The history's address may have {channel} in its path or query, not in the server's name."
                    .to_owned(),
            );
        }
        Ok(Some(History {
            address: url.as_str().replace(MARK, CHANNEL),
            channel: Some(options.history_channel.clone()).filter(|channel| !channel.is_empty()),
            items: options.history_items.clone(),
            next: options.history_next.clone(),
            parameter: options.history_parameter.clone(),
        }))
    }

    /// The addresses that get the account's credential.
    pub(super) fn own_addresses(&self) -> Vec<Url> {
        let history = self
            .history
            .as_ref()
            .and_then(|history| history.first("channel"));
        [self.auth.clone(), self.user_auth.clone(), history]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Whether an event is one of those that are notifications.
    pub(super) fn wants(&self, event: &str) -> bool {
        if self.events.is_empty() {
            // What other clients say (typing, cursors) is asked for by name or not at all.
            return !event.starts_with("client-");
        }
        self.events.iter().any(|wanted| {
            // As in Laravel Echo: with a dot it is the whole name, without one it may be in App\Events.
            let whole = wanted.strip_prefix('.').unwrap_or(wanted);
            match whole.strip_suffix('*') {
                Some(start) => event.starts_with(start),
                None => event == whole || event.strip_prefix("App\\Events\\") == Some(wanted),
            }
        })
    }
}

/// Stands for a placeholder while an address is parsed.
const MARK: &str = "tidings-channel";
