//! Opens a URL with the user's handler.

use std::process::Stdio;
use tokio::process::Command;

/// The program that hands a URL to the desktop; it gets the URL as one argument, and no shell sees it.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(windows) {
    "explorer"
} else {
    "xdg-open"
};

/// Opens `url`, already checked to be allowed. `token` lets the handler's window come forward
/// (xdg-activation). Must be called within the runtime: it waits for the program's end.
///
/// # Errors
/// In words: no opener is installed, or it cannot be started.
pub fn open(url: &str, token: Option<String>) -> Result<(), String> {
    open_with(OPENER, url, token)
}

fn open_with(opener: &str, url: &str, token: Option<String>) -> Result<(), String> {
    if url.starts_with('-') {
        return Err("That is no address.".to_owned());
    }
    let mut command = Command::new(opener);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(token) = token {
        command
            .env("XDG_ACTIVATION_TOKEN", &token)
            .env("DESKTOP_STARTUP_ID", token);
    }
    match command.spawn() {
        Ok(mut child) => {
            tokio::spawn(async move {
                match child.wait().await {
                    Ok(status) if status.success() => {}
                    Ok(status) => tracing::warn!(%status, "the desktop could not open the link"),
                    Err(error) => tracing::warn!(%error, "the desktop could not open the link"),
                }
            });
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!(
            "The link could not be opened: {opener} is not installed. On Debian and Fedora it is in \
             the package xdg-utils."
        )),
        Err(error) => Err(format!("The link could not be opened: {error}.")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_url_is_one_argument_whatever_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let script = folder.path().join("opener");
        std::fs::write(
            &script,
            format!(
                "#!/bin/sh\nprintf '%s|' \"$#\" \"$1\" \"$XDG_ACTIVATION_TOKEN\" > {0}.part && mv {0}.part {0}\n",
                seen.display()
            ),
        )
        .unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let url = "https://example.com/a b;$(x)";
        open_with(script.to_str().unwrap(), url, Some("t1".to_owned())).unwrap();
        while !seen.exists() {
            tokio::task::yield_now().await;
        }
        let text = std::fs::read_to_string(&seen).unwrap();
        assert_eq!(text, format!("1|{url}|t1|"));
    }

    #[tokio::test]
    async fn a_missing_opener_and_an_option_are_refused_in_words() {
        let error = open_with("/nonexistent/opener", "https://example.com", None).unwrap_err();
        assert!(error.contains("xdg-utils"), "{error}");
        assert!(open_with("/bin/true", "--help", None).is_err());
    }
}
