//! `cargo xtask fuzz`: every fuzz target for a while, from its seeds on.

use crate::{
    Failure,
    command::{self, command},
    root,
};
use std::fs;

/// Where the targets are.
const FOLDER: &str = "fuzz";

/// Runs each target for as many seconds as the argument says, a minute without one.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let seconds = seconds(arguments)?;
    if !command::is_installed("cargo-fuzz") {
        return Err(String::from(
            "cargo-fuzz is missing: `cargo install cargo-fuzz`. It needs a nightly compiler too: `rustup toolchain \
             install nightly`.",
        ));
    }
    for target in targets()? {
        let corpus = format!("{FOLDER}/corpus/{target}");
        fs::create_dir_all(root().join(&corpus))
            .map_err(|error| format!("{corpus} can't be made: {error}."))?;
        // Nothing of ours is unsafe, so that there is nothing for a sanitizer to find.
        command("rustup")
            .args([
                "run",
                "nightly",
                "cargo",
                "fuzz",
                "run",
                "--sanitizer",
                "none",
            ])
            .args(["--fuzz-dir", FOLDER, &target, &corpus])
            .arg(format!("{FOLDER}/seeds/{target}"))
            .args([
                "--",
                &format!("-max_total_time={seconds}"),
                "-max_len=16384",
            ])
            .run()?;
    }
    Ok(())
}

fn seconds(arguments: &[String]) -> Result<u32, Failure> {
    match arguments {
        [] => Ok(60),
        [text] => text
            .parse()
            .map_err(|_| format!("{text:?} is no number of seconds.")),
        _ => Err(String::from("only a number of seconds may follow.")),
    }
}

/// Their names: each has a folder of seeds.
fn targets() -> Result<Vec<String>, Failure> {
    let seeds = root().join(FOLDER).join("seeds");
    let folders = fs::read_dir(&seeds)
        .map_err(|error| format!("{} can't be read: {error}.", seeds.display()))?;
    let mut names: Vec<String> = folders
        .flatten()
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_a_number() {
        let of = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
            seconds(&arguments)
        };
        assert_eq!((of(&[]), of(&["5"])), (Ok(60), Ok(5)));
        assert!(of(&["soon"]).is_err() && of(&["1", "2"]).is_err());
    }

    #[test]
    fn every_target_has_seeds() {
        let manifest = fs::read_to_string(root().join(FOLDER).join("Cargo.toml")).unwrap();
        let mut named: Vec<&str> = manifest
            .split("[[bin]]\nname = \"")
            .skip(1)
            .filter_map(|bin| bin.split('"').next())
            .collect();
        named.sort_unstable();
        assert_eq!(targets().unwrap(), named);
    }
}
