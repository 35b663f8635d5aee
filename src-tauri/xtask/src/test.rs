//! `cargo xtask test`: the steps that CI runs, in their order.
#![allow(
    clippy::disallowed_methods,
    reason = "how long each step took is printed, and nothing depends on it"
)]

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    Failure, bundle,
    command::{self, cargo, command},
    demo, root,
    setup::{
        self, Purpose,
        node::{install_packages, npm},
    },
};

/// A step: its name for `--only`, what it makes sure of, and how.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<(), Failure>,
}

const fn step(name: &'static str, what: &'static str, run: fn() -> Result<(), Failure>) -> Step {
    Step { name, what, run }
}

const STEPS: [Step; 14] = [
    step("setup", "the machine has what it needs", || {
        setup::run(Purpose::Test)
    }),
    step("fmt", "Rust is formatted", || {
        cargo().args(["fmt", "--all", "--check"]).run()
    }),
    step(
        "ui-install",
        "the UI's packages are those of the lock file",
        install_packages,
    ),
    step("ui-check", "the UI's types agree", || npm_run("check")),
    step("ui-lint", "the UI is clean", || npm_run("lint")),
    step("ui-test", "the UI's parts work", || npm_run("test")),
    step("ui-build", "the UI builds", || npm_run("build")),
    step("clippy", "Rust is clean, the window included", clippy),
    step(
        "test",
        "every part works by itself and with its neighbours",
        || cargo().arg("test").run(),
    ),
    step(
        "bindings",
        "the UI's types are those of the contract",
        bindings,
    ),
    step(
        "deny",
        "everything from outside has a licence and an origin that we accept",
        deny,
    ),
    step(
        "build",
        "the programs build as they ship",
        demo::build_programs,
    ),
    step("bundle", "the packages build", bundle::run),
    step(
        "e2e",
        "the programs that ship work on a desktop",
        end_to_end,
    ),
];

/// Runs the steps that the arguments choose, and stops at the first that fails.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let Some(chosen) = choose(&names, arguments)? else {
        for step in &STEPS {
            println!("{:<12} {}", step.name, step.what);
        }
        return Ok(());
    };
    let start = Instant::now();
    let mut took = Vec::new();
    for step in STEPS.iter().filter(|step| chosen.contains(&step.name)) {
        println!("\n== {}: {}", step.name, step.what);
        let begin = Instant::now();
        let done = (step.run)();
        let time = begin.elapsed();
        if let Err(failure) = done {
            println!("== {}: failed after {}", step.name, seconds(time));
            return Err(format!(
                "{failure}\nAlone: cargo xtask test --only {name}. From there on: cargo xtask test --from {name}",
                name = step.name
            ));
        }
        println!("== {}: ok, {}", step.name, seconds(time));
        took.push(format!("{} {}", step.name, seconds(time)));
    }
    println!(
        "\nAll {} steps passed in {}: {}",
        took.len(),
        seconds(start.elapsed()),
        took.join(", ")
    );
    Ok(())
}

/// The names of the steps to run; `None` if they are to be listed.
fn choose<'a>(names: &[&'a str], arguments: &[String]) -> Result<Option<Vec<&'a str>>, Failure> {
    let mut chosen = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--list" {
            return Ok(None);
        }
        if argument != "--only" && argument != "--from" {
            return Err(format!(
                "there is no option {argument:?}; `cargo xtask help` lists them."
            ));
        }
        let wanted = arguments.next().map(String::as_str).unwrap_or_default();
        let at = names.iter().position(|name| *name == wanted);
        let at = at.ok_or_else(|| {
            format!(
                "there is no step {wanted:?}; they are: {}.",
                names.join(", ")
            )
        })?;
        if argument == "--only" {
            chosen.push(names[at]);
        } else {
            chosen.extend_from_slice(&names[at..]);
        }
    }
    Ok(Some(if chosen.is_empty() {
        names.to_vec()
    } else {
        chosen
    }))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn npm_run(script: &str) -> Result<(), Failure> {
    install_packages()?;
    npm().args(["run", "--silent", script]).run()
}

fn clippy() -> Result<(), Failure> {
    cargo()
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "tidings-tests/e2e",
        ])
        .args(["--", "-D", "warnings"])
        .run()
}

/// The tests of the contract write the TypeScript types; what they write must be committed.
fn bindings() -> Result<(), Failure> {
    if !root().join(".git").exists() {
        println!("skipped: this is no checkout, so there is nothing to compare with");
        return Ok(());
    }
    // Not of its package alone, for which everything would be compiled with other features.
    cargo()
        .args(["test", "--quiet", "--lib", "export_bindings"])
        .run()?;
    let folder = "ui/src/lib/bindings";
    let changed = command("git")
        .args(["status", "--porcelain", "--", folder])
        .output()?;
    if changed.is_empty() {
        return Ok(());
    }
    command("git")
        .args(["--no-pager", "diff", "--", folder])
        .run()?;
    Err(format!(
        "{folder} is not what the contract generates; commit it:\n{changed}"
    ))
}

fn deny() -> Result<(), Failure> {
    command(setup::cargo_deny())
        .args(["--workspace", "check", "bans", "licenses", "sources"])
        .run()
}

fn end_to_end() -> Result<(), Failure> {
    let manifest = root().join("tests/Cargo.toml");
    let manifest = fs::read_to_string(&manifest)
        .map_err(|error| format!("{} can't be read: {error}.", manifest.display()))?;
    let mut run = cargo().args(["test", "--features", "tidings-tests/e2e"]);
    for name in end_to_end_tests(&manifest) {
        run = run.args(["--test", name]);
    }
    run.env("TIDINGS_BIN_DIR", command::programs())
        .env("TIDINGS_BUNDLE_DIR", bundle::folder())
        .run()
}

/// The names of the tests that need the feature `e2e`.
fn end_to_end_tests(manifest: &str) -> Vec<&str> {
    let tests = manifest.split("[[test]]").skip(1);
    let gated = tests.filter(|test| test.contains("required-features = [\"e2e\"]"));
    gated
        .filter_map(|test| test.split("name = \"").nth(1)?.split('"').next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(arguments: &[&str]) -> Result<Option<Vec<&'static str>>, Failure> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        choose(&["a", "b", "c"], &arguments)
    }

    #[test]
    fn steps_are_chosen_by_name() {
        assert_eq!(chosen(&[]), Ok(Some(vec!["a", "b", "c"])));
        assert_eq!(chosen(&["--only", "b"]), Ok(Some(vec!["b"])));
        assert_eq!(
            chosen(&["--only", "c", "--only", "a"]),
            Ok(Some(vec!["c", "a"]))
        );
        assert_eq!(chosen(&["--from", "b"]), Ok(Some(vec!["b", "c"])));
        assert_eq!(chosen(&["--list"]), Ok(None));
        for wrong in [&["--only"][..], &["--only", "d"], &["b"], &["--form", "b"]] {
            assert!(chosen(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn end_to_end_tests_are_found_in_the_manifest() {
        let manifest = "[package]\nname = \"x\"\n[[test]]\nname = \"tidy\"\npath = \"tidy.rs\"\n\n\
             [[test]]\nname = \"desktop\"\npath = \"e2e/desktop.rs\"\nrequired-features = [\"e2e\"]\n\n[lints]\n";
        assert_eq!(end_to_end_tests(manifest), ["desktop"]);
    }
}
