//! Pictures of the display.

use std::{path::Path, process::Command};

use crate::Result;

/// Writes a picture of everything on the X display to `file`, whose ending says the format.
///
/// # Errors
/// `ImageMagick`'s `import` isn't installed, or fails.
pub fn grab_display(display: &str, file: &Path) -> Result<()> {
    grab(display, "root", file)
}

/// Writes a picture of what is in a window, without its frame.
///
/// # Errors
/// As [`grab_display`]; or there is no such window.
pub fn grab_window(display: &str, window: u32, file: &Path) -> Result<()> {
    grab(display, &window.to_string(), file)
}

fn grab(display: &str, what: &str, file: &Path) -> Result<()> {
    let result = Command::new("import")
        .args(["-silent", "-window", what, "-depth", "8"])
        .arg(file)
        .env("DISPLAY", display)
        .output()
        .map_err(|error| {
            format!(
                "can't run import (package imagemagick): {error}. `cargo xtask setup` installs it."
            )
        })?;
    if !result.status.success() {
        let complaint = String::from_utf8_lossy(&result.stderr).into_owned();
        return Err(format!("can't take a picture of {display}: {complaint}").into());
    }
    Ok(())
}
