//! System packages, by three package managers.

use super::Purpose;
use crate::{
    Failure,
    command::{Command, command, is_installed},
};
use std::fs;

/// The name of a package that a distribution does not have; what needs it is skipped there.
const NOWHERE: &str = "";

/// A package under its names: Debian and Ubuntu, Fedora, Arch.
struct Package {
    purpose: Purpose,
    names: [&'static str; 3],
}

const fn build(debian: &'static str, fedora: &'static str, arch: &'static str) -> Package {
    let names = [debian, fedora, arch];
    Package {
        purpose: Purpose::Build,
        names,
    }
}

const fn test(debian: &'static str, fedora: &'static str, arch: &'static str) -> Package {
    let names = [debian, fedora, arch];
    Package {
        purpose: Purpose::Test,
        names,
    }
}

const PACKAGES: [Package; 22] = [
    build("build-essential", "gcc", "base-devel"),
    build("pkg-config", "pkgconf-pkg-config", "pkgconf"),
    build(
        "libwebkit2gtk-4.1-dev",
        "webkit2gtk4.1-devel",
        "webkit2gtk-4.1",
    ),
    // For a private Node, and for apprise.
    build("python3-venv", "python3", "python"),
    build("ca-certificates", "ca-certificates", "ca-certificates"),
    // The private desktop, on which end-to-end tests and the demo without a display run.
    test("xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb"),
    test("dbus", "dbus-daemon", "dbus"),
    test("openbox", "openbox", "openbox"),
    test("dunst", "dunst", "dunst"),
    test("gnome-keyring", "gnome-keyring", "gnome-keyring"),
    test("imagemagick", "ImageMagick", "imagemagick"),
    test("fonts-dejavu-core", "dejavu-sans-fonts", "ttf-dejavu"),
    // What the tests look at it with.
    test("webkit2gtk-driver", "webkit2gtk-driver", "webkit2gtk-4.1"),
    test("libsecret-tools", "libsecret", "libsecret"),
    test("x11-utils", "xprop", "xorg-xprop"),
    test(
        "desktop-file-utils",
        "desktop-file-utils",
        "desktop-file-utils",
    ),
    test("curl", "curl", "curl"),
    test("git", "git", "git"),
    // The second kind of package; the first one's tools come with Debian, and elsewhere as `dpkg`.
    test("rpm", "rpm-build", "rpm-tools"),
    // Real servers to connect to. Neither Fedora nor Arch has Nchan, without which the others are of no use.
    test("nginx", NOWHERE, NOWHERE),
    test("libnginx-mod-nchan", NOWHERE, NOWHERE),
    test("redis-server", NOWHERE, NOWHERE),
];

/// A way to ask for packages and to install them.
struct Installer {
    /// Which of a package's names it uses.
    column: usize,
    program: &'static str,
    install: &'static [&'static str],
    is_there: fn(&str) -> bool,
}

const INSTALLERS: [Installer; 3] = [
    Installer {
        column: 0,
        program: "apt-get",
        install: &["install", "--yes", "--no-install-recommends"],
        is_there: |name| {
            command("dpkg-query")
                .args(["--show", "--showformat=${db:Status-Status}", name])
                .output()
                .is_ok_and(|status| status == "installed")
        },
    },
    Installer {
        column: 1,
        program: "dnf",
        install: &["install", "--assumeyes", "--setopt=install_weak_deps=False"],
        is_there: |name| {
            command("rpm")
                .args(["--query", "--whatprovides", name])
                .succeeds()
        },
    },
    Installer {
        column: 2,
        program: "pacman",
        install: &["--sync", "--needed", "--noconfirm"],
        is_there: |name| command("pacman").args(["--query", name]).succeeds(),
    },
];

/// Installs what is missing for `purpose`, or says what to install.
pub fn install(purpose: Purpose) -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        println!(
            "setup: system packages are known for Linux only; Tauri's prerequisites are needed here"
        );
        return Ok(());
    }
    let Some(installer) = INSTALLERS
        .iter()
        .find(|installer| is_installed(installer.program))
    else {
        println!(
            "setup: neither apt-get, dnf nor pacman is here; these are needed, under Debian's names:"
        );
        println!("  {}", wanted(purpose, 0).join(" "));
        return Ok(());
    };
    let mut missing = wanted(purpose, installer.column);
    missing.retain(|name| !(installer.is_there)(name));
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "{} {} {}",
        installer.program,
        installer.install.join(" "),
        missing.join(" ")
    );
    let Some(rights) = Rights::find() else {
        return Err(format!(
            "these packages are missing, and neither root nor sudo without a password is at hand:\n  {}\n\
             Install them, for example with:\n  sudo {by_hand}\nThen run this command again.",
            missing.join(" ")
        ));
    };
    println!("setup: installing {}", missing.join(" "));
    let install = || {
        rights
            .command(installer.program)
            .args(installer.install)
            .args(&missing)
            .run()
    };
    if installer.program == "apt-get" {
        // A fresh machine knows no packages yet; an old one may know some that are gone.
        let fresh = !knows_packages();
        if fresh {
            update(&rights)?;
        }
        if let Err(failure) = install() {
            if fresh {
                return Err(failure);
            }
            update(&rights)?;
            install()?;
        }
    } else {
        install()?;
    }
    missing.retain(|name| !(installer.is_there)(name));
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "`{by_hand}` succeeded, but these are still missing: {}",
            missing.join(" ")
        ))
    }
}

fn wanted(purpose: Purpose, column: usize) -> Vec<&'static str> {
    let mut names = Vec::new();
    for package in PACKAGES.iter().filter(|package| package.purpose <= purpose) {
        let name = package.names[column];
        if name != NOWHERE && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn knows_packages() -> bool {
    fs::read_dir("/var/lib/apt/lists").is_ok_and(|lists| {
        lists
            .flatten()
            .any(|list| list.file_name().to_string_lossy().contains("_Packages"))
    })
}

fn update(rights: &Rights) -> Result<(), Failure> {
    rights.command("apt-get").arg("update").run()
}

/// How programs get the rights to install something.
enum Rights {
    Root,
    Sudo,
}

impl Rights {
    fn find() -> Option<Self> {
        let user = command("id").arg("-u").output();
        if user.is_ok_and(|user| user.trim() == "0") {
            Some(Self::Root)
        } else if command("sudo").args(["-n", "true"]).succeeds() {
            Some(Self::Sudo)
        } else {
            None
        }
    }

    fn command(&self, program: &str) -> Command {
        match self {
            // Nothing may ask a question that nobody is there to answer.
            Self::Root => command(program).env("DEBIAN_FRONTEND", "noninteractive"),
            Self::Sudo => command("sudo").args(["-n", "DEBIAN_FRONTEND=noninteractive", program]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_needs_all_that_a_build_needs() {
        for column in 0..3 {
            let (build, test) = (
                wanted(Purpose::Build, column),
                wanted(Purpose::Test, column),
            );
            assert!(build.iter().all(|name| test.contains(name)));
            assert!(test.len() > build.len());
        }
        assert!(!wanted(Purpose::Build, 0).contains(&"xvfb"));
        assert!(wanted(Purpose::Test, 0).contains(&"nginx"));
        assert!(!wanted(Purpose::Test, 1).contains(&NOWHERE));
    }
}
