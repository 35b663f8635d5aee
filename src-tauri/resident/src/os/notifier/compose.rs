//! How a toast is put for the daemon of the moment. Pure.

use crate::os::sounds::default_name;
use notify_rust::{Hint, Notification, Timeout, Urgency};
use std::fmt::Write as _;
use std::path::Path;
use tidings_core::model::Tier;
use tidings_core::model::preferences::Sound;
use tidings_core::ports::Toast;

/// What a daemon can do (`GetCapabilities`, Desktop Notifications Specification 1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Buttons.
    pub actions: bool,
    /// The body may contain markup, so that text has to be escaped.
    pub markup: bool,
    /// It plays sounds, and heeds hints about them.
    pub sound: bool,
}

impl Capabilities {
    /// From the daemon's words.
    pub fn new(words: &[String]) -> Self {
        let has = |word: &str| words.iter().any(|known| known == word);
        Self {
            actions: has("actions"),
            markup: has("body-markup"),
            sound: has("sound"),
        }
    }
}

/// The toast for a daemon.
pub fn compose(toast: &Toast, can: Capabilities) -> Notification {
    let mut out = Notification::new();
    let body = if can.markup {
        escaped(&toast.body)
    } else {
        toast.body.clone()
    };
    let (urgency, timeout) = match toast.tier {
        Tier::Critical => (Urgency::Critical, Timeout::Never),
        Tier::Important => (Urgency::Normal, Timeout::Default),
        Tier::Informational => (Urgency::Low, Timeout::Default),
    };
    out.appname("Tidings")
        .summary(&toast.title)
        .body(&body)
        .icon("tidings")
        .urgency(urgency)
        .timeout(timeout)
        .hint(Hint::DesktopEntry("tidings".to_owned()))
        // A vendor's category (specification, "Categories"): none of the standard ones fits.
        .hint(Hint::Category("x-tidings.arrived".to_owned()));
    if let Some(icon) = &toast.icon {
        // Beside the name of our own icon, which stays where a daemon shows both.
        out.hint(Hint::ImagePath(file_url(icon)));
    }
    match toast.sound.as_ref().filter(|_| !toast.update) {
        Some(Sound::Default) => {
            out.hint(Hint::SoundName(default_name(toast.tier).to_owned()));
        }
        Some(Sound::Named { name }) => {
            out.hint(Hint::SoundName(name.clone()));
        }
        Some(Sound::File { path }) => {
            out.hint(Hint::SoundFile(path.clone()));
        }
        Some(Sound::None) | None => {
            out.hint(Hint::SuppressSound(true));
        }
    }
    if can.actions {
        // Some desktops close on a click on the body: the button does the same.
        out.action("default", "Open").action("open", "Open");
        for (key, label) in &toast.actions {
            out.action(key, label);
        }
    }
    out
}

/// The address of a file (RFC 8089; specification, "Icons and Images").
fn file_url(path: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                url.push(char::from(*byte));
            }
            other => {
                // Writing to a string cannot fail.
                let _ = write!(url, "%{other:02X}");
            }
        }
    }
    url
}

/// Text as markup that shows it as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_core::ports::ToastKey;

    const ALL: Capabilities = Capabilities {
        actions: true,
        markup: true,
        sound: true,
    };

    fn toast(tier: Tier) -> Toast {
        Toast {
            key: ToastKey(1),
            title: "Disk <full>".to_owned(),
            body: "a < b & \"c\" 'd' >".to_owned(),
            tier,
            sound: Some(Sound::Default),
            volume: 100,
            hushed: false,
            update: false,
            actions: vec![("0".to_owned(), "Restart".to_owned())],
            icon: None,
        }
    }

    #[test]
    fn text_is_escaped_only_where_it_would_be_read_as_markup() {
        let plain = compose(&toast(Tier::Important), Capabilities::default());
        assert_eq!(plain.body, "a < b & \"c\" 'd' >");
        let marked = compose(&toast(Tier::Important), ALL);
        assert_eq!(marked.body, "a &lt; b &amp; &quot;c&quot; &#39;d&#39; &gt;");
        assert_eq!(marked.summary, "Disk <full>");
    }

    #[test]
    fn an_icon_is_named_as_an_address() {
        let mut with = toast(Tier::Important);
        let images = |toast: &Toast| -> Vec<String> {
            let hints = compose(toast, ALL).hints;
            let path = |hint| match hint {
                Hint::ImagePath(path) => Some(path),
                _ => None,
            };
            hints.into_iter().filter_map(path).collect()
        };
        assert!(images(&with).is_empty());
        with.icon = Some("/home/ada b/100%/ä.png".into());
        assert_eq!(images(&with), ["file:///home/ada%20b/100%25/%C3%A4.png"]);
    }

    #[test]
    fn buttons_only_where_there_are_buttons() {
        assert!(
            compose(&toast(Tier::Important), Capabilities::default())
                .actions
                .is_empty()
        );
        assert_eq!(
            compose(&toast(Tier::Important), ALL).actions,
            ["default", "Open", "open", "Open", "0", "Restart"]
        );
    }

    #[test]
    fn only_critical_stays_and_an_update_is_silent() {
        for (tier, urgency, timeout) in [
            (Tier::Critical, Urgency::Critical, Timeout::Never),
            (Tier::Important, Urgency::Normal, Timeout::Default),
            (Tier::Informational, Urgency::Low, Timeout::Default),
        ] {
            let out = compose(&toast(tier), ALL);
            assert!(out.hints.contains(&Hint::Urgency(urgency)));
            assert_eq!(out.timeout, timeout);
            assert!(!out.hints.contains(&Hint::SuppressSound(true)));
        }
        let mut edit = toast(Tier::Critical);
        edit.update = true;
        let out = compose(&edit, ALL);
        assert!(out.hints.contains(&Hint::SuppressSound(true)));
        assert!(
            !out.hints
                .iter()
                .any(|hint| matches!(hint, Hint::SoundName(_)))
        );
    }
}
