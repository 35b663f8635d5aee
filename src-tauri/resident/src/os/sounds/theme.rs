//! The files of the desktop's sounds (Sound Theme Specification 0.8): a folder a theme in `sounds` of the data
//! folders, names that get shorter from the end until one is there.

use std::path::{Path, PathBuf};

/// The theme that is there where the desktop names none, and that stands in for every other.
const STANDARD: &str = "freedesktop";

/// The file of a sound: in `theme`, or else in the standard one. None where there is none, or where the theme says that
/// it is silent.
pub fn file(folders: &[PathBuf], theme: &str, name: &str) -> Option<PathBuf> {
    let themes: &[&str] = match theme {
        "" | STANDARD => &[STANDARD],
        theme => &[theme, STANDARD],
    };
    let is_word = |word: &str| !word.contains(['/', '\0']) && !word.starts_with('.');
    let mut name = Some(name).filter(|name| !name.is_empty() && is_word(name));
    while let Some(word) = name {
        for theme in themes.iter().filter(|theme| is_word(theme)) {
            let mut theme = folders.iter().map(|folder| folder.join(theme));
            match theme.find_map(|theme| in_theme(&theme, word)) {
                Some(Found::File(file)) => return Some(file),
                Some(Found::Silence) => return None,
                None => {}
            }
        }
        name = word.rsplit_once('-').map(|(shorter, _)| shorter);
    }
    None
}

enum Found {
    File(PathBuf),
    /// The theme switches this sound off.
    Silence,
}

fn in_theme(theme: &Path, name: &str) -> Option<Found> {
    for folder in [theme.join("stereo"), theme.to_owned()] {
        for ending in ["disabled", "oga", "ogg", "wav"] {
            let file = folder.join(format!("{name}.{ending}"));
            if file.is_file() {
                return Some(if ending == "disabled" {
                    Found::Silence
                } else {
                    Found::File(file)
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_its_theme_or_gets_shorter() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().join("own"), folder.path().join("shared")];
        let make = |file: &str| {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let message = make("shared/freedesktop/stereo/message.oga");
        let bell = make("shared/freedesktop/stereo/bell.oga");
        let own_bell = make("own/Yaru/stereo/bell.wav");
        make("own/Yaru/stereo/dialog-warning.disabled");
        make("shared/freedesktop/stereo/dialog-warning.oga");
        let found = |theme, name| file(&folders, theme, name);
        assert_eq!(found("", "message-new-instant"), Some(message.clone()));
        assert_eq!(found("Yaru", "message-new-email"), Some(message));
        assert_eq!(found("freedesktop", "bell"), Some(bell.clone()));
        assert_eq!(found("Yaru", "bell"), Some(own_bell));
        assert_eq!(found("Gone", "bell"), Some(bell));
        assert_eq!(found("Yaru", "dialog-warning"), None, "switched off");
        for name in [
            "",
            "unknown",
            "../../shared/freedesktop/stereo/bell",
            ".bell",
        ] {
            assert_eq!(found("", name), None, "{name}");
        }
        assert!(
            found("../shared/freedesktop", "bell")
                .is_some_and(|file| !file.to_string_lossy().contains(".."))
        );
    }
}
