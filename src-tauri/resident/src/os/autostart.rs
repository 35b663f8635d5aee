//! Starting with the session (Desktop Application Autostart 0.5): an entry in the user's autostart
//! folder.

use crate::profile::Profile;
use std::env;
use std::path::{Path, PathBuf};

/// The words after the program's name.
const ARGUMENT: &str = "--hidden";

/// Whether the resident of a profile starts with the session.
pub fn is_on(profile: &Profile) -> bool {
    entry(profile).is_ok_and(|path| path.exists())
}

/// Has the resident of a profile start with the session, or no longer.
///
/// # Errors
/// In words, with what to do.
pub fn set(profile: &Profile, on: bool) -> Result<(), String> {
    let path = entry(profile)?;
    let program = env::current_exe().map_err(|error| {
        format!("Tidings could not find its own program to start at login: {error}.")
    })?;
    write(&path, &program, profile.chosen.as_deref(), on)
}

fn write(path: &Path, program: &Path, profile: Option<&Path>, on: bool) -> Result<(), String> {
    let failed = |error: std::io::Error| {
        format!(
            "Starting at login could not be changed: {} cannot be written ({error}).",
            path.display()
        )
    };
    if !on {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        };
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, desktop_entry(program, profile)).map_err(failed)
}

/// An entry that starts `program` hidden.
fn desktop_entry(program: &Path, profile: Option<&Path>) -> String {
    let profile = profile.map_or_else(String::new, |profile| {
        format!(" --profile {}", quoted(&profile.to_string_lossy()))
    });
    format!(
        "[Desktop Entry]\nType=Application\nName=Tidings\nComment=Notifications from your servers\n\
         Icon=tidings\nExec={} {ARGUMENT}{profile}\nTerminal=false\nStartupNotify=false\n\
         X-GNOME-Autostart-enabled=true\n",
        quoted(&program.to_string_lossy())
    )
}

/// One argument as the Exec key wants it (Desktop Entry 1.5, "The Exec key"): quoted, with `"`, `` ` ``,
/// `$` and `\` escaped, and those backslashes once more for the value's own string escapes; `%` is
/// doubled.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\\\\\"),
            '"' | '`' | '$' => {
                out.push_str("\\\\");
                out.push(letter);
            }
            '%' => out.push_str("%%"),
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// The entry's path.
fn entry(profile: &Profile) -> Result<PathBuf, String> {
    if !cfg!(all(unix, not(target_os = "macos"))) {
        return Err("Starting at login is not there on this system yet.".to_owned());
    }
    let absolute = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .map(|folder| {
            let name = if profile.name.is_empty() {
                "tidings.desktop".to_owned()
            } else {
                format!("tidings-{}.desktop", profile.name)
            };
            folder.join("autostart").join(name)
        })
        .ok_or_else(|| {
            "Starting at login could not be changed: the variable HOME is not set.".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_is_written_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/autostart/tidings.desktop");
        let program = Path::new("/opt/my apps/tidings");
        write(&path, program, None, false).unwrap();
        write(&path, program, Some(Path::new("/p q")), true).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("\nExec=\"/opt/my apps/tidings\" --hidden --profile \"/p q\"\n"),
            "{text}"
        );
        write(&path, program, None, false).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn odd_paths_are_quoted_for_the_exec_key() {
        for (path, expected) in [
            ("/usr/bin/tidings", "\"/usr/bin/tidings\""),
            ("/a$b", "\"/a\\\\$b\""),
            ("/a\"b", "\"/a\\\\\"b\""),
            ("/a\\b", "\"/a\\\\\\\\b\""),
            ("/100%", "\"/100%%\""),
        ] {
            assert_eq!(quoted(path), expected);
        }
    }
}
