//! What a user pastes where an address is asked for: an address, a link that names its topic, or the lines of
//! an application's settings that say where its server is.

use super::{invalid, probe};
use crate::import::env;
use crate::model::BackendKind;
use crate::text::one_line;
use tidings_api::ErrorView;
use url::Url;

/// The longest name of a topic, in characters.
const LONGEST_NAME: usize = 100;

/// What was pasted, taken apart as far as it goes without asking anybody.
#[derive(Debug, PartialEq, Eq)]
pub struct Pasted {
    /// The address.
    pub url: Url,
    /// The family, where it is said.
    pub kind: Option<BackendKind>,
    /// Names of topics, as a link has them: topic and name.
    pub names: Vec<(String, String)>,
    /// What was made of it, in words; empty for a plain address.
    pub says: String,
}

/// Takes it apart.
///
/// # Errors
/// In words: it cannot be an address.
pub fn read(text: &str) -> Result<Pasted, ErrorView> {
    if let Some(env) = env::read(text) {
        let env = env.map_err(invalid)?;
        let mut says =
            "These are an application’s own settings: the server and the app’s key were taken \
                        over."
                .to_owned();
        if env.had_secret {
            says += " The app’s secret is not needed, and was not kept.";
        }
        return Ok(Pasted {
            url: env.url,
            kind: Some(BackendKind::Pusher),
            names: Vec::new(),
            says,
        });
    }
    let url = probe::pasted(text)?;
    Ok(Pasted {
        names: names(&url),
        url,
        kind: None,
        says: String::new(),
    })
}

/// `ntfy://host/topic?display=Name` (ntfy, "Subscribe from your phone").
fn names(url: &Url) -> Vec<(String, String)> {
    if url.scheme() != "ntfy" {
        return Vec::new();
    }
    let display = url.query_pairs().find(|(name, _)| name == "display");
    let name = display.map(|(_, name)| one_line(&name, LONGEST_NAME));
    let topic = url.path_segments().and_then(|mut steps| steps.next_back());
    match (topic, name) {
        (Some(topic), Some(name)) if !topic.is_empty() && !name.is_empty() => {
            vec![(topic.to_owned(), name)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::model::BackendKind;

    #[test]
    fn a_link_names_its_topic() {
        let pasted = read("ntfy://ntfy.example.org/disk?display=The%20disk&secure=false").unwrap();
        assert_eq!(pasted.names, [("disk".to_owned(), "The disk".to_owned())]);
        assert_eq!(pasted.kind, None);
        for plain in [
            "ntfy://ntfy.example.org/disk",
            "ntfy://ntfy.example.org/?display=x",
            "https://ntfy.example.org/disk?display=x",
            "gotify://push.example.org",
        ] {
            assert_eq!(read(plain).unwrap().names, [], "{plain}");
        }
    }

    #[test]
    fn an_applications_settings_are_recognised() {
        let pasted =
            read("REVERB_APP_KEY=k1\nREVERB_APP_SECRET=marker-secret\nREVERB_HOST=ws.example.org")
                .unwrap();
        assert_eq!(pasted.kind, Some(BackendKind::Pusher));
        assert_eq!(pasted.url.as_str(), "https://ws.example.org/app/k1/");
        assert!(pasted.says.contains("not needed"));
        assert!(!format!("{pasted:?}").contains("marker-secret"));
    }
}
