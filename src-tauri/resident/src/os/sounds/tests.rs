//! With a program in a folder that writes down what it is told.

use super::*;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;
use tokio::time::timeout;

/// What a test fails after, however slow the machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A folder with a `pw-play` that does `what`, and a theme with the default's sound.
fn place(what: &str) -> (TempDir, Arc<Sounds>) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("pw-play"), format!("#!/bin/sh\n{what}\n")).unwrap();
    std::fs::set_permissions(at("pw-play"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir_all(at("sounds/freedesktop/stereo")).unwrap();
    std::fs::write(at("sounds/freedesktop/stereo/message.oga"), "OggS").unwrap();
    std::fs::write(at("ding dong.wav"), "RIFF").unwrap();
    let sounds = Sounds::new(folder.path().into(), vec![at("sounds")]);
    (folder, Arc::new(sounds))
}

/// Writes each argument on a line of `told`.
fn writes(folder: &str) -> String {
    format!(
        "for word; do echo \"$word\"; done > {folder}/part.$$; cat {folder}/part.$$ >> {folder}/told"
    )
}

fn writer() -> (TempDir, Arc<Sounds>) {
    let (folder, sounds) = place("");
    let script = format!("#!/bin/sh\n{}\n", writes(folder.path().to_str().unwrap()));
    std::fs::write(folder.path().join("pw-play"), script).unwrap();
    (folder, sounds)
}

async fn told(folder: &TempDir, lines: usize) -> Vec<String> {
    let waiting = async {
        loop {
            let text = std::fs::read_to_string(folder.path().join("told")).unwrap_or_default();
            let told: Vec<String> = text.lines().map(str::to_owned).collect();
            if told.len() >= lines {
                return told;
            }
            super::super::clock::pause(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, waiting).await.expect("it is told")
}

fn asked(sound: Sound, volume: u8) -> Asked {
    Asked {
        sound,
        tier: Tier::Important,
        volume,
        left: false,
    }
}

fn file(folder: &TempDir, name: &str) -> Sound {
    Sound::File {
        path: folder.path().join(name).to_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn a_file_is_played_with_its_path_as_one_argument() {
    let (folder, sounds) = writer();
    let plan = sounds
        .plan(None, asked(file(&folder, "ding dong.wav"), 50), true)
        .await;
    assert_eq!(plan.hint, None, "the daemon is silent");
    sounds.play(plan.play.unwrap(), Tier::Important);
    let path = folder.path().join("ding dong.wav");
    assert_eq!(
        told(&folder, 3).await,
        [
            "--media-role=Notification",
            "--volume=0.1250",
            path.to_str().unwrap()
        ]
    );
}

#[tokio::test]
async fn a_file_that_does_not_play_sounds_like_the_default_and_is_told() {
    let (folder, sounds) = writer();
    let script = folder.path().join("pw-play");
    let text = std::fs::read_to_string(&script).unwrap();
    // It knows the theme's, and not the user's.
    std::fs::write(
        &script,
        format!("{text}case \"$3\" in *.wav) exit 1;; esac\n"),
    )
    .unwrap();
    let ding = file(&folder, "ding dong.wav");
    let plan = sounds.plan(None, asked(ding.clone(), 100), true).await;
    let play = plan.play.unwrap();
    sounds.play(play.clone(), Tier::Important);
    let told = told(&folder, 6).await;
    assert!(
        told[5].ends_with("sounds/freedesktop/stereo/message.oga"),
        "{told:?}"
    );
    let mut preferences = Preferences::default();
    preferences.tiers.critical.sound = Some(ding);
    preferences.sounds.sound = file(&folder, "gone.wav");
    let view = sounds.view(None, Some(true), &preferences).await;
    let at: Vec<_> = view.problems.iter().map(|one| one.at.as_str()).collect();
    assert_eq!(at, ["sounds.sound", "tiers.critical.sound"]);
    assert!(view.problems[0].says.contains("cannot be read"), "{view:?}");
    assert!(
        view.problems[1].says.contains("pw-play could not play it"),
        "{view:?}"
    );
    assert!(view.volume && view.says.contains("pw-play"), "{view:?}");
    let says = sounds.try_out(play).await.unwrap_err();
    assert!(says.contains("could not play"), "{says}");
}

#[tokio::test]
async fn one_sound_at_a_time_and_a_critical_one_at_once() {
    let (folder, sounds) = writer();
    let script = folder.path().join("pw-play");
    let text = std::fs::read_to_string(&script).unwrap();
    // The first goes on until it is ended.
    std::fs::write(
        &script,
        format!("{text}case \"$3\" in *.wav) exec sleep 600;; esac\n"),
    )
    .unwrap();
    let long = sounds
        .plan(None, asked(file(&folder, "ding dong.wav"), 100), true)
        .await;
    let short = sounds.plan(None, asked(Sound::Default, 20), true).await;
    sounds.play(long.play.unwrap(), Tier::Important);
    assert_eq!(told(&folder, 3).await.len(), 3);
    sounds.play(short.play.clone().unwrap(), Tier::Important);
    sounds.play(short.play.unwrap(), Tier::Critical);
    let told = told(&folder, 6).await;
    assert!(told[5].ends_with("message.oga"), "{told:?}");
    assert_eq!(told.len(), 6, "the other one came too early");
}

#[tokio::test]
async fn what_cannot_be_started_says_so() {
    let (folder, sounds) = place("");
    std::fs::write(folder.path().join("pw-play"), "#!/nonexistent/shell\n").unwrap();
    let plan = sounds.plan(None, asked(Sound::Default, 10), false).await;
    let says = sounds.try_out(plan.play.unwrap()).await.unwrap_err();
    assert!(says.starts_with("pw-play could not be started"), "{says}");
}

#[tokio::test]
async fn who_plays_is_said_as_it_is() {
    let (folder, none) = place("");
    std::fs::remove_file(folder.path().join("pw-play")).unwrap();
    let said = async |daemon| none.view(None, daemon, &Preferences::default()).await;
    let alone = said(Some(true)).await;
    assert!(
        !alone.volume && alone.says.contains("cannot be told a volume"),
        "{alone:?}"
    );
    assert!(said(Some(false)).await.says.contains("probably silent"));
    assert!(said(None).await.says.contains("nothing sounds"));
    assert!(who(false, Some(true), None).contains("switched off"));
    // Without a program, what the daemon may not be able to do is its all the same.
    let plan = none.plan(None, asked(Sound::Default, 30), true).await;
    assert_eq!((plan.hint, plan.play), (Some(Sound::Default), None));
}
