//! Channels, whose names say what they are (Pusher Channels protocol 7, "Channel types").

/// The longest name, in bytes; the hosted service allows 164, others 200.
const LONGEST: usize = 200;
/// The channel of one user's own events.
const USER: &str = "#server-to-user-";

/// What a channel asks of who subscribes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Public,
    /// A signature.
    Private,
    /// A signature, with who it is for in it.
    Presence,
    /// A signature, and a key to read it with.
    Encrypted,
    /// Nothing of its own: it comes with the sign-in.
    User,
}

impl Kind {
    /// Of a name.
    pub(super) fn of(name: &str) -> Self {
        if name.starts_with(USER) {
            Self::User
        } else if name.starts_with("private-encrypted-") {
            Self::Encrypted
        } else if name.starts_with("private-") {
            Self::Private
        } else if name.starts_with("presence-") {
            Self::Presence
        } else {
            Self::Public
        }
    }

    /// The application has to sign for it.
    pub(super) fn is_signed(self) -> bool {
        matches!(self, Self::Private | Self::Presence | Self::Encrypted)
    }
}

/// The server keeps its last event and sends it to who subscribes.
pub(super) fn is_cached(name: &str) -> bool {
    [
        "cache-",
        "private-cache-",
        "presence-cache-",
        "private-encrypted-cache-",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// The channel of this user's own events.
pub(super) fn of_user(id: &str) -> String {
    format!("{USER}{id}")
}

/// Whether it can be a channel's name; the words say what is allowed.
pub(super) fn check(name: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_=@,.;".contains(c);
    if name.is_empty() {
        Err("A channel needs a name.".to_owned())
    } else if name.len() > LONGEST {
        Err(format!(
            "A channel's name has at most {LONGEST} characters."
        ))
    } else if let Some(user) = name.strip_prefix(USER) {
        if user.is_empty() || user.chars().any(char::is_control) {
            Err(format!("After {USER} comes the id of a user."))
        } else {
            Ok(())
        }
    } else if name.chars().all(is_allowed) {
        Ok(())
    } else {
        Err(
            "A channel's name has only letters from A to Z, digits and - _ = @ , . ; (of those that begin \
             with #, only #server-to-user- and the id of a user)."
                .to_owned(),
        )
    }
}
