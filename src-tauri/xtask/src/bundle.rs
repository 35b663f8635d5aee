//! `cargo xtask bundle`: the deb and the rpm.
//!
//! Both hold the same tree, laid out here: Tauri's own bundler knows one program, and this house has
//! two, of which the one without a window is the main one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Failure,
    command::{self, command},
    demo, root,
    setup::{self, Purpose},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Completions by shell, and where each shell looks for them.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/tidings"),
    ("zsh", "usr/share/zsh/site-functions/_tidings"),
    ("fish", "usr/share/fish/vendor_completions.d/tidings.fish"),
];

/// Where the packages are put.
pub fn folder() -> PathBuf {
    command::target().join("bundle")
}

/// Builds the programs and both packages.
pub fn run() -> Result<(), Failure> {
    setup::run(Purpose::Test)?;
    demo::build_programs()?;
    let bundle = folder();
    if bundle.exists() {
        fs::remove_dir_all(&bundle).map_err(about(&bundle))?;
    }
    let stage = bundle.join("stage");
    lay_out(&stage)?;
    let glibc =
        newest_glibc(&["usr/bin/tidings", "usr/bin/tidings-window"].map(|path| stage.join(path)))?;
    let packages = [deb(&bundle, &stage, &glibc)?, rpm(&bundle, &stage, &glibc)?];
    for package in packages {
        let size = fs::metadata(&package).map_err(about(&package))?.len();
        println!("{} ({} KiB)", package.display(), size / 1024);
    }
    Ok(())
}

/// Puts everything that a package holds where it belongs, below `stage`.
fn lay_out(stage: &Path) -> Result<(), Failure> {
    let programs = command::programs();
    for program in ["tidings", "tidings-window"] {
        let text = read(&programs.join(program))?;
        put(stage, &format!("usr/bin/{program}"), &text, 0o755)?;
    }
    let sources = root().join("src-tauri/xtask/packaging");
    let entry = read(&sources.join("tidings.desktop"))?;
    put(
        stage,
        "usr/share/applications/tidings.desktop",
        &entry,
        0o644,
    )?;
    // Whether it starts at login is each user's choice, made in the settings. For those who set up
    // machines for others, this is what goes into /etc/xdg/autostart.
    let autostart = read(&sources.join("tidings-autostart.desktop"))?;
    put(
        stage,
        "usr/share/tidings/tidings-autostart.desktop",
        &autostart,
        0o644,
    )?;
    let licence = read(&root().join("LICENSE"))?;
    put(stage, "usr/share/doc/tidings/copyright", &licence, 0o644)?;
    icons(stage)?;

    let tidings = programs.join("tidings");
    let manual = command(&tidings).arg("man").output()?;
    let page = "usr/share/man/man1/tidings.1";
    put(stage, page, manual.as_bytes(), 0o644)?;
    // Without a name and a time in it, so that the same build gives the same package.
    command("gzip")
        .args(["-9", "-n"])
        .arg(stage.join(page))
        .run()?;
    for (shell, path) in COMPLETIONS {
        let text = command(&tidings).args(["completions", shell]).output()?;
        put(stage, path, text.as_bytes(), 0o644)?;
    }
    Ok(())
}

/// Each icon goes where its size says.
fn icons(stage: &Path) -> Result<(), Failure> {
    let folder = root().join("src-tauri/window/icons");
    let entries = fs::read_dir(&folder).map_err(about(&folder))?;
    let mut found = 0;
    for path in entries.flatten().map(|entry| entry.path()) {
        let image = read(&path)?;
        let place = match path.extension().and_then(|ending| ending.to_str()) {
            Some("png") => match png_size(&image) {
                Some((width, height)) if width == height => {
                    format!("{width}x{width}/apps/tidings.png")
                }
                _ => continue,
            },
            Some("svg") => "scalable/apps/tidings.svg".to_owned(),
            _ => continue,
        };
        put(
            stage,
            &format!("usr/share/icons/hicolor/{place}"),
            &image,
            0o644,
        )?;
        found += 1;
    }
    if found == 0 {
        return Err(format!("there is no icon in {}.", folder.display()));
    }
    Ok(())
}

/// Width and height of a PNG (PNG specification, 11.2.2).
fn png_size(image: &[u8]) -> Option<(u32, u32)> {
    let header = image.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let number = |at: usize| {
        header
            .get(at..at + 4)?
            .try_into()
            .ok()
            .map(u32::from_be_bytes)
    };
    Some((number(8)?, number(12)?))
}

fn deb(bundle: &Path, stage: &Path, glibc: &str) -> Result<PathBuf, Failure> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let tree = bundle.join("deb");
    command("cp").arg("-a").arg(stage).arg(&tree).run()?;
    // Debian's zsh looks for the completions of packages in a folder of its own.
    let zsh = tree.join("usr/share/zsh");
    fs::rename(zsh.join("site-functions"), zsh.join("vendor-completions")).map_err(about(&zsh))?;
    let size: u64 = files(stage)?
        .iter()
        .filter_map(|file| fs::metadata(stage.join(file)).ok())
        .map(|metadata| metadata.len().div_ceil(1024))
        .sum();
    let control = fill(
        "control",
        &[
            ("VERSION", VERSION),
            ("ARCHITECTURE", architecture),
            ("SIZE", &size.to_string()),
            ("GLIBC", glibc),
        ],
    )?;
    put(&tree, "DEBIAN/control", control.as_bytes(), 0o644)?;
    let package = bundle.join(format!("tidings_{VERSION}_{architecture}.deb"));
    command("dpkg-deb")
        .args(["--root-owner-group", "-Zxz", "--build"])
        .arg(&tree)
        .arg(&package)
        .output()?;
    Ok(package)
}

fn rpm(bundle: &Path, stage: &Path, glibc: &str) -> Result<PathBuf, Failure> {
    let listed: Vec<String> = files(stage)?
        .iter()
        .map(|file| format!("\"/{file}\""))
        .collect();
    let spec = fill(
        "tidings.spec",
        &[
            ("VERSION", VERSION),
            ("GLIBC", glibc),
            ("STAGE", &stage.to_string_lossy()),
            ("FILES", &listed.join("\n")),
        ],
    )?;
    put(bundle, "tidings.spec", spec.as_bytes(), 0o644)?;
    let top = bundle.join("rpmbuild");
    command("rpmbuild")
        .args(["-bb", "--quiet", "--define"])
        .arg(format!("_topdir {}", top.display()))
        .arg(bundle.join("tidings.spec"))
        .output()?;
    let architecture = std::env::consts::ARCH;
    let name = format!("tidings-{VERSION}-1.{architecture}.rpm");
    let built = top.join("RPMS").join(architecture).join(&name);
    let package = bundle.join(name);
    fs::rename(&built, &package).map_err(about(&built))?;
    Ok(package)
}

/// A file of `packaging/` with its `@NAMES@` filled in.
fn fill(name: &str, values: &[(&str, &str)]) -> Result<String, Failure> {
    let path = root().join("src-tauri/xtask/packaging").join(name);
    let mut text = fs::read_to_string(&path).map_err(about(&path))?;
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    Ok(text)
}

/// The newest version of glibc that the programs ask for, which is the oldest they run with.
fn newest_glibc(programs: &[PathBuf]) -> Result<String, Failure> {
    let mut newest = (0, 0);
    for program in programs {
        let bytes = read(program)?;
        newest = newest.max(glibc_of(&bytes));
    }
    match newest {
        (0, 0) => Err("the programs ask for no glibc, which can't be.".to_owned()),
        (major, minor) => Ok(format!("{major}.{minor}")),
    }
}

fn glibc_of(program: &[u8]) -> (u32, u32) {
    const MARK: &[u8] = b"GLIBC_";
    let mut newest = (0, 0);
    for (at, _) in program
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == MARK)
    {
        let version = &program[at + MARK.len()..];
        let end = version
            .iter()
            .position(|byte| !byte.is_ascii_digit() && *byte != b'.');
        let version =
            String::from_utf8_lossy(&version[..end.unwrap_or(version.len())]).into_owned();
        let mut numbers = version.split('.').map(str::parse);
        if let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) {
            newest = newest.max((major, minor));
        }
    }
    newest
}

/// All files below `folder`, with their paths from there, in a fixed order.
fn files(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).map_err(about(&next))?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(inside) = path.strip_prefix(folder) {
                found.push(inside.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(about(path))
}

fn put(stage: &Path, path: &str, content: &[u8], mode: u32) -> Result<(), Failure> {
    let path = stage.join(path);
    // A package must not depend on the umask of whoever builds it.
    for folder in path
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(stage))
    {
        fs::create_dir_all(folder).map_err(about(folder))?;
        set_mode(folder, 0o755)?;
    }
    fs::write(&path, content).map_err(about(&path))?;
    set_mode(&path, mode)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(about(path))
}

#[cfg(not(unix))]
fn set_mode(path: &Path, _mode: u32) -> Result<(), Failure> {
    Err(format!(
        "{}: packages for Linux are made on Linux.",
        path.display()
    ))
}

fn about(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.to_path_buf();
    move |error| format!("{}: {error}.", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icons_size_is_in_its_header() {
        let mut image = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        image.extend([0, 0, 0, 128, 0, 0, 1, 0]);
        assert_eq!(png_size(&image), Some((128, 256)));
        assert_eq!(png_size(&image[..20]), None);
        assert_eq!(png_size(b"GIF89a"), None);
    }

    #[test]
    fn the_newest_glibc_counts() {
        let program = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0GLIBC_";
        assert_eq!(glibc_of(program), (2, 34));
        assert_eq!(glibc_of(b"GLIBC"), (0, 0));
    }

    #[test]
    fn templates_are_filled_completely() {
        let names = ["VERSION", "ARCHITECTURE", "SIZE", "GLIBC", "STAGE", "FILES"];
        let values = names.map(|name| (name, "x"));
        for template in ["control", "tidings.spec"] {
            let filled = fill(template, &values).expect("a template");
            let marks = filled
                .split_whitespace()
                .filter(|word| word.matches('@').count() == 2);
            assert_eq!(marks.count(), 0, "a name is left in {filled}");
        }
    }
}
