//! What the server stores.

use super::Version;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use tokio::sync::mpsc;

/// Someone's device.
#[derive(Clone)]
pub(super) struct Client {
    pub id: i64,
    pub token: String,
    pub user: i64,
    pub name: String,
    /// 0: never.
    pub expires_after: i64,
    /// The password was confirmed.
    pub elevated: bool,
}

/// Someone who sends.
pub(super) struct Application {
    pub id: i64,
    pub token: String,
    pub user: i64,
    pub name: String,
    pub default_priority: i64,
}

/// A connection that is told of messages: the channel holds one, and whoever publishes waits for room.
pub(super) struct Stream {
    pub id: u64,
    pub user: i64,
    pub token: String,
    pub frames: mpsc::Sender<String>,
}

/// A sign-in with the identity provider that is under way.
pub(super) struct Pending {
    pub challenge: String,
    pub name: String,
    pub code: Option<String>,
}

/// Everything.
pub(super) struct Store {
    version: Version,
    pub users: Vec<(i64, String, String)>,
    pub clients: Vec<Client>,
    pub applications: Vec<Application>,
    pub messages: BTreeMap<i64, Value>,
    pub streams: Vec<Stream>,
    pub pending: HashMap<String, Pending>,
    next_message: i64,
    next_other: i64,
}

/// Who asks.
pub(super) enum Who {
    /// By user name and password.
    User(i64),
    /// By a client's token.
    Client(Client),
    /// By an application's token: its number.
    Application(i64),
}

impl Store {
    pub(super) fn new(version: Version) -> Self {
        Self {
            version,
            users: vec![(1, "admin".to_owned(), "admin".to_owned())],
            clients: Vec::new(),
            applications: Vec::new(),
            messages: BTreeMap::new(),
            streams: Vec::new(),
            pending: HashMap::new(),
            next_message: 1,
            next_other: 1,
        }
    }

    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> i64 {
        self.next_other += 1;
        self.next_other - 1
    }

    /// What tokens look like: `A`, `C` and 14 more, or Gotify 3's own.
    fn new_token(&mut self, letter: char) -> String {
        let number = self.number();
        match self.version {
            Version::Two => format!("{}{number:014}", letter.to_ascii_uppercase()),
            Version::Three => format!("gtfy{letter}.{number:043}"),
        }
    }

    pub(super) fn add_client(&mut self, user: i64, name: &str, expires_after: i64) -> Client {
        let client = Client {
            id: self.number(),
            token: self.new_token('c'),
            user,
            name: name.to_owned(),
            expires_after,
            elevated: false,
        };
        self.clients.push(client.clone());
        client
    }

    pub(super) fn add_application(&mut self, user: i64, name: &str, default_priority: i64) -> i64 {
        let application = Application {
            id: self.number(),
            token: self.new_token('a'),
            user,
            name: name.to_owned(),
            default_priority,
        };
        self.applications.push(application);
        self.applications.last().map_or(0, |last| last.id)
    }

    pub(super) fn application_token(&self, id: i64) -> String {
        let found = self.applications.iter().find(|one| one.id == id);
        found.map(|one| one.token.clone()).unwrap_or_default()
    }

    pub(super) fn owner(&self, application: i64) -> Option<i64> {
        let found = self.applications.iter().find(|one| one.id == application);
        found.map(|one| one.user)
    }

    pub(super) fn client_names(&self) -> Vec<String> {
        self.clients.iter().map(|one| one.name.clone()).collect()
    }

    pub(super) fn delete_application(&mut self, id: i64) {
        self.applications.retain(|one| one.id != id);
        self.messages.retain(|_, message| message["appid"] != id);
    }

    /// A deleted client's streams end.
    pub(super) fn delete_client(&mut self, id: i64) -> bool {
        let Some(at) = self.clients.iter().position(|one| one.id == id) else {
            return false;
        };
        let gone = self.clients.remove(at);
        self.streams.retain(|one| one.token != gone.token);
        true
    }

    pub(super) fn revoke_all(&mut self) {
        self.clients.clear();
        self.streams.clear();
    }

    pub(super) fn go_back(&mut self, id: i64) {
        self.messages.retain(|kept, _| *kept <= id);
        self.next_message = id + 1;
    }

    /// Stores a message as its application sent it: no title is the application's name, no priority its
    /// default.
    pub(super) fn publish(&mut self, application: i64, sent: &Value, date: &str) -> Value {
        let id = self.next_message;
        self.next_message += 1;
        let of = self.applications.iter().find(|one| one.id == application);
        let (name, default_priority) = of.map_or(("", 0), |one| (&one.name, one.default_priority));
        let title = sent["title"].as_str().unwrap_or_default();
        let title = if title.trim().is_empty() { name } else { title };
        let mut message = Map::new();
        message.insert("id".to_owned(), id.into());
        message.insert("appid".to_owned(), application.into());
        message.insert("message".to_owned(), sent["message"].clone());
        message.insert("title".to_owned(), title.into());
        let priority = sent["priority"].as_i64().unwrap_or(default_priority);
        message.insert("priority".to_owned(), priority.into());
        if sent["extras"].is_object() {
            message.insert("extras".to_owned(), sent["extras"].clone());
        }
        message.insert("date".to_owned(), date.into());
        let message = Value::Object(message);
        self.messages.insert(id, message.clone());
        message
    }

    /// Whose token this is.
    pub(super) fn by_token(&self, token: &str) -> Option<Who> {
        if let Some(client) = self.clients.iter().find(|one| one.token == token) {
            return Some(Who::Client(client.clone()));
        }
        let found = self.applications.iter().find(|one| one.token == token);
        found.map(|one| Who::Application(one.id))
    }

    pub(super) fn by_password(&self, name: &str, password: &str) -> Option<Who> {
        let found = self
            .users
            .iter()
            .find(|(_, known, secret)| known == name && secret == password);
        found.map(|(id, ..)| Who::User(*id))
    }

    /// A page of a user's messages, of one application or of all, newest first.
    pub(super) fn page(
        &self,
        user: i64,
        application: Option<i64>,
        limit: usize,
        since: i64,
        here: &str,
    ) -> Value {
        let mut messages: Vec<&Value> = self
            .messages
            .iter()
            .rev()
            .filter(|(id, _)| since == 0 || **id < since)
            .map(|(_, message)| message)
            .filter(|message| {
                let of = message["appid"].as_i64().unwrap_or_default();
                application.is_none_or(|wanted| wanted == of) && self.owner(of) == Some(user)
            })
            .take(limit + 1)
            .collect();
        let mut paging = json!({"size": 0, "limit": limit, "since": 0});
        if messages.len() > limit {
            messages.truncate(limit);
            let since = messages[limit - 1]["id"].clone();
            paging["next"] = format!("{here}?limit={limit}&since={since}").into();
            paging["since"] = since;
        }
        paging["size"] = messages.len().into();
        json!({"paging": paging, "messages": messages})
    }
}
