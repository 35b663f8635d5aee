//! Starting with the session (Desktop Application Autostart 0.5): an entry in the user's autostart
//! folder.

use std::env;
use std::path::{Path, PathBuf};

/// The words after the program's name.
const ARGUMENT: &str = "--hidden";

/// Whether the resident starts with the session.
pub fn is_on() -> bool {
    entry().is_ok_and(|path| path.exists())
}

/// Has the resident start with the session, or no longer.
///
/// # Errors
/// In words, with what to do.
pub fn set(on: bool) -> Result<(), String> {
    let path = entry()?;
    let program = env::current_exe().map_err(|error| {
        format!("Tidings could not find its own program to start at login: {error}.")
    })?;
    write(&path, &program, on)
}

fn write(path: &Path, program: &Path, on: bool) -> Result<(), String> {
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
    std::fs::write(path, desktop_entry(program)).map_err(failed)
}

/// An entry that starts `program` hidden.
fn desktop_entry(program: &Path) -> String {
    format!(
        "[Desktop Entry]\nType=Application\nName=Tidings\nComment=Notifications from your servers\n\
         Icon=tidings\nExec={} {ARGUMENT}\nTerminal=false\nStartupNotify=false\n\
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
fn entry() -> Result<PathBuf, String> {
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
        .map(|folder| folder.join("autostart/tidings.desktop"))
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
        write(&path, program, false).unwrap();
        write(&path, program, true).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("\nExec=\"/opt/my apps/tidings\" --hidden\n"),
            "{text}"
        );
        write(&path, program, false).unwrap();
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
