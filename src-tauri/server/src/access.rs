//! Who may read and write which topic.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use crate::ServerError;
use crate::message::is_name;

/// What one may do with a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Subscribe and publish.
    #[default]
    ReadWrite,
    /// Subscribe only.
    #[serde(alias = "read-only")]
    Read,
    /// Publish only.
    #[serde(alias = "write-only")]
    Write,
    /// Neither.
    Deny,
}

impl Permission {
    /// Whether this allows subscribing.
    pub fn reads(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Read)
    }

    /// Whether this allows publishing.
    pub fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Write)
    }
}

/// Rights by topic pattern, where `*` stands for any characters.
pub type Grants = BTreeMap<String, Permission>;

/// Users and rights. The default lets everyone read and write every topic.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// What holds where no grant matches.
    #[serde(default)]
    pub default: Permission,
    /// Rights of everyone, with or without a name.
    #[serde(default)]
    pub everyone: Grants,
    /// The users.
    #[serde(default)]
    pub users: Vec<User>,
}

/// A user, with a password or tokens or both.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// The password, in plain text.
    #[serde(default)]
    pub password: Option<String>,
    /// Tokens, each good by itself.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Rights by topic pattern; they go before those of everyone.
    #[serde(default)]
    pub grants: Grants,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Passwords and tokens stay out of logs.
        f.debug_struct("User")
            .field("name", &self.name)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

impl User {
    /// A user with a password and grants, as (pattern, permission).
    pub fn new(name: &str, password: &str, grants: &[(&str, Permission)]) -> Self {
        Self {
            name: name.to_owned(),
            password: Some(password.to_owned()),
            tokens: Vec::new(),
            grants: grants
                .iter()
                .map(|(pattern, may)| ((*pattern).to_owned(), *may))
                .collect(),
        }
    }

    /// The same user with one more token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.tokens.push(token.to_owned());
        self
    }
}

/// What a request brought to sign in with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    Password { name: String, password: String },
    Token(String),
}

impl Credentials {
    /// From the value of an Authorization header. Other schemes count as no credentials, as on ntfy;
    /// a broken Basic value is an error.
    pub(crate) fn parse(header: &str) -> Result<Option<Self>, ()> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Some(Self::Token(rest.trim().to_owned())));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Ok(None);
        }
        let bytes = lenient(&STANDARD).decode(rest.trim()).map_err(|_| ())?;
        let text = String::from_utf8(bytes).map_err(|_| ())?;
        let (name, password) = text.split_once(':').ok_or(())?;
        Ok(Some(if name.is_empty() {
            Self::Token(password.to_owned())
        } else {
            Self::Password {
                name: name.to_owned(),
                password: password.to_owned(),
            }
        }))
    }

    /// From the `auth` parameter: a whole header value in base64url.
    pub(crate) fn parse_query(auth: &str) -> Result<Option<Self>, ()> {
        let bytes = lenient(&URL_SAFE).decode(auth).map_err(|_| ())?;
        Self::parse(&String::from_utf8(bytes).map_err(|_| ())?)
    }
}

/// Base64 with or without padding.
fn lenient(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

impl Access {
    /// Nobody may do anything but what `users` were granted.
    pub fn only(users: Vec<User>) -> Self {
        Self {
            default: Permission::Deny,
            everyone: Grants::new(),
            users,
        }
    }

    /// Reads an auth file (`docs/server.md`). Fails if others than the owner may read it, if it is
    /// not the JSON it should be, or if a user or pattern makes no sense.
    pub fn from_file(path: &Path) -> Result<Self, ServerError> {
        let wrong = |reason: String| ServerError::Access {
            path: path.to_owned(),
            reason,
        };
        let mut file = File::open(path).map_err(|error| wrong(error.to_string()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = file.metadata().map_err(|error| wrong(error.to_string()))?;
            if metadata.permissions().mode() & 0o077 != 0 {
                let advice = format!(
                    "it holds passwords, so only you may read it: chmod 600 {}",
                    path.display()
                );
                return Err(wrong(advice));
            }
        }
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_err(|error| wrong(error.to_string()))?;
        let access: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        access.check().map_err(wrong)?;
        Ok(access)
    }

    fn check(&self) -> Result<(), String> {
        for (at, user) in self.users.iter().enumerate() {
            let name = &user.name;
            if name.is_empty() || name.contains(':') || name == "*" {
                return Err(format!("“{name}” cannot be a user name"));
            }
            if self.users[..at].iter().any(|other| other.name == *name) {
                return Err(format!("user {name} is there twice"));
            }
            let no_password = user.password.as_ref().is_none_or(String::is_empty);
            if no_password && user.tokens.is_empty() {
                return Err(format!("user {name} has neither a password nor a token"));
            }
            if user.tokens.iter().any(String::is_empty) {
                return Err(format!("user {name} has an empty token"));
            }
        }
        let grants = self
            .users
            .iter()
            .flat_map(|user| &user.grants)
            .chain(&self.everyone);
        for (pattern, _) in grants {
            if !is_name(&pattern.replace('*', "x")) {
                return Err(format!("“{pattern}” cannot match a topic"));
            }
        }
        Ok(())
    }

    /// The user these credentials belong to. All users are looked at, each in constant time.
    pub(crate) fn sign_in(&self, credentials: &Credentials) -> Option<&User> {
        let mut found = None;
        for user in &self.users {
            let matches = match credentials {
                Credentials::Password { name, password } => {
                    let name = same(name, &user.name);
                    let known = user.password.as_deref().unwrap_or_default();
                    name & same(password, known) & !known.is_empty()
                }
                Credentials::Token(token) => user.tokens.iter().fold(false, |any, known| {
                    any | (same(token, known) & !known.is_empty())
                }),
            };
            if matches {
                found = Some(user);
            }
        }
        found
    }

    /// What `user`, or somebody without a name, may do with `topic`: the longest matching pattern of
    /// the user, else of everyone, else the default.
    pub(crate) fn permission(&self, user: Option<&User>, topic: &str) -> Permission {
        let lists = user
            .map(|user| &user.grants)
            .into_iter()
            .chain([&self.everyone]);
        for grants in lists {
            let best = grants
                .iter()
                .filter(|(pattern, _)| matches_pattern(pattern, topic))
                .max_by_key(|(pattern, _)| pattern.len() - pattern.matches('*').count());
            if let Some((_, permission)) = best {
                return *permission;
            }
        }
        self.default
    }
}

/// Compares without telling by the time taken how much of the secret was right.
pub(crate) fn same(given: &str, secret: &str) -> bool {
    let secret_bytes = secret.as_bytes();
    let mut difference = u8::from(given.len() != secret.len());
    for (at, byte) in given.bytes().enumerate() {
        let other = if secret_bytes.is_empty() {
            !byte
        } else {
            secret_bytes[at % secret_bytes.len()]
        };
        difference |= byte ^ other;
    }
    std::hint::black_box(difference) == 0
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "anything", true),
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a**c", "ac", true),
        ] {
            assert_eq!(
                matches_pattern(pattern, text),
                expected,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn comparing() {
        for (given, secret, expected) in [
            ("", "", true),
            ("a", "a", true),
            ("a", "", false),
            ("", "a", false),
            ("aa", "a", false),
            ("a", "aa", false),
            ("abc", "abd", false),
        ] {
            assert_eq!(same(given, secret), expected, "{given} and {secret}");
        }
    }

    #[test]
    fn the_most_particular_grant_decides() {
        let ada = User::new(
            "ada",
            "x",
            &[
                ("builds-*", Permission::Read),
                ("builds-secret", Permission::Deny),
            ],
        );
        let access = Access {
            default: Permission::Deny,
            everyone: [
                ("public*".to_owned(), Permission::ReadWrite),
                ("builds-x".to_owned(), Permission::Write),
            ]
            .into(),
            users: vec![ada],
        };
        let ada = Some(&access.users[0]);
        for (user, topic, expected) in [
            (ada, "builds-x", Permission::Read),
            (ada, "builds-secret", Permission::Deny),
            (ada, "public1", Permission::ReadWrite),
            (ada, "other", Permission::Deny),
            (None, "builds-x", Permission::Write),
            (None, "builds-y", Permission::Deny),
            (None, "public", Permission::ReadWrite),
        ] {
            assert_eq!(access.permission(user, topic), expected, "{topic}");
        }
    }

    #[test]
    fn credentials() {
        let password = |name: &str, password: &str| {
            Ok(Some(Credentials::Password {
                name: name.to_owned(),
                password: password.to_owned(),
            }))
        };
        let token = |token: &str| Ok(Some(Credentials::Token(token.to_owned())));
        for (header, expected) in [
            ("Basic dXNlcjpwYXNz", password("user", "pass")),
            ("basic dXNlcjpwOmE=", password("user", "p:a")),
            ("Basic dXNlcjpwOmE", password("user", "p:a")),
            ("Basic OnRrX2E=", token("tk_a")),
            ("Bearer tk_a", token("tk_a")),
            ("Digest x", Ok(None)),
            ("", Ok(None)),
            ("Basic", Err(())),
            ("Basic !!!", Err(())),
            ("Basic dXNlcg==", Err(())),
        ] {
            assert!(Credentials::parse(header) == expected, "{header}");
        }
        assert!(Credentials::parse_query("QmFzaWMgZFhObGNqcHdZWE56") == password("user", "pass"));
        assert!(Credentials::parse_query("%%").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn files() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.json");
        let read = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Access::from_file(&path).map_err(|error| error.to_string())
        };
        let good = r#"{"default":"deny","everyone":{"pub-*":"read"},"users":[
            {"name":"ada","password":"x","grants":{"*":"read-write"}},
            {"name":"ci","tokens":["tk_1"],"grants":{"builds":"write-only"}}]}"#;
        let access = read(good, 0o600).unwrap();
        assert_eq!(access.users.len(), 2);
        assert_eq!(access.permission(None, "pub-1"), Permission::Read);
        assert!(!format!("{access:?}").contains("tk_1"));
        assert!(read(good, 0o640).unwrap_err().contains("chmod 600"));
        for (text, reason) in [
            ("{", "EOF"),
            (r#"{"user":[]}"#, "unknown field"),
            (r#"{"users":[{"name":"a"}]}"#, "neither"),
            (r#"{"users":[{"name":"a","password":""}]}"#, "neither"),
            (r#"{"users":[{"name":"a","tokens":[""]}]}"#, "empty token"),
            (r#"{"users":[{"name":"a:b","password":"x"}]}"#, "user name"),
            (
                r#"{"users":[{"name":"a","password":"x"},{"name":"a","password":"y"}]}"#,
                "twice",
            ),
            (r#"{"everyone":{"a b":"read"}}"#, "cannot match"),
            (r#"{"everyone":{"a":"all"}}"#, "unknown variant"),
        ] {
            let error = read(text, 0o600).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
