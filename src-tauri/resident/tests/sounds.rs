//! Who plays the sound of a toast: a resident on a bus with a notification daemon, and a program on its `PATH` that
//! writes down what it is told.

use crate::desktop::Desk;
use crate::support::LIMIT;
use ::support::RecordingDaemon;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;
use tidings_api::preferences::{Preferences, Sound};
use tidings_api::{ProblemView, Reply, Request, SoundsView, Tier};
use tidings_server::Publish;
use zbus::zvariant::Value;

/// The desktop's own choice, told by its portal.
struct Portal {
    on: bool,
}

#[zbus::interface(name = "org.freedesktop.portal.Settings")]
impl Portal {
    fn read_all(&self, names: Vec<String>) -> HashMap<String, HashMap<String, Value<'_>>> {
        let sound = HashMap::from([("event-sounds".to_owned(), Value::from(self.on))]);
        names
            .into_iter()
            .map(|name| (name, sound.clone()))
            .collect()
    }
}

/// A desk whose `PATH` has a `paplay`; where it writes, and a file to play.
async fn desk() -> (Desk, String, PathBuf, PathBuf) {
    let desk = Desk::new().await;
    let bin = desk.place.folder().join("bin");
    let told = desk.place.folder().join("told");
    let file = desk.place.folder().join("ding dong.wav");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(&file, "RIFF").unwrap();
    let script = format!("#!/bin/sh\necho \"$3 $4\" >> {}\n", told.display());
    std::fs::write(bin.join("paplay"), script).unwrap();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bin.join("paplay"), mode).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    (desk, path, told, file)
}

async fn set(desk: &Desk, sound: Sound, volume: u8) {
    let mut preferences = Preferences::default();
    (preferences.sounds.sound, preferences.sounds.volume) = (sound, volume);
    let request = Request::PreferencesSet(Box::new(preferences));
    desk.place.client().await.call(request).await.unwrap();
}

async fn told(path: &PathBuf, lines: usize) -> Vec<String> {
    let waiting = async {
        loop {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let told: Vec<String> = text.lines().map(str::to_owned).collect();
            if told.len() >= lines {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting)
        .await
        .expect("it is played")
}

async fn toast(
    desk: &Desk,
    daemon: &RecordingDaemon,
    text: &str,
) -> (Option<bool>, Option<String>) {
    let mut publish = Publish::new("t", text);
    publish.priority = 4;
    desk.server.publish(publish).await.unwrap();
    let toast = daemon
        .wait_for(LIMIT, |toast| toast.body == text)
        .await
        .unwrap();
    let file = toast
        .text_hint("sound-file")
        .or(toast.text_hint("sound-name"));
    (toast.flag_hint("suppress-sound"), file.map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_played_by_us_and_the_daemon_is_silent() {
    let (desk, path, heard, file) = desk().await;
    let daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    daemon.set_capabilities(&["body", "sound"]);
    let _resident = desk.resident_with("daemon", &[("PATH", &path)]).await;
    let ding = Sound::File {
        path: file.to_str().unwrap().to_owned(),
    };
    set(&desk, ding.clone(), 50).await;
    assert_eq!(toast(&desk, &daemon, "one").await, (Some(true), None));
    let line = format!("--volume=32768 {}", file.display());
    assert_eq!(told(&heard, 1).await, [line.as_str()]);
    // The daemon plays its own sounds, and says so.
    set(&desk, Sound::Default, 100).await;
    let instant = Some("message-new-instant".to_owned());
    assert_eq!(toast(&desk, &daemon, "two").await, (None, instant.clone()));
    // The desktop's switch is heeded.
    let _portal = zbus::connection::Builder::address(desk.address.as_str())
        .unwrap()
        .name("org.freedesktop.portal.Desktop")
        .unwrap()
        .serve_at("/org/freedesktop/portal/desktop", Portal { on: false })
        .unwrap()
        .build()
        .await
        .unwrap();
    set(&desk, ding, 50).await;
    assert_eq!(toast(&desk, &daemon, "three").await, (Some(true), None));
    let client = desk.place.client().await;
    match client.call(Request::Sounds).await {
        Ok(Reply::Sounds(view)) => assert!(view.says.contains("switched off"), "{view:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(told(&heard, 1).await.len(), 1, "no further one was played");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_can_be_tried_and_a_file_that_cannot_be_read_is_told() {
    let (desk, path, heard, file) = desk().await;
    let _daemon = RecordingDaemon::start(&desk.address).await.unwrap();
    let _resident = desk.resident_with("daemon", &[("PATH", &path)]).await;
    let client = desk.place.client().await;
    let tried = async |sound: Sound, volume: u8| {
        let tier = Tier::Critical;
        let asked = Request::SoundTry {
            sound,
            tier,
            volume,
        };
        match client.call(asked).await {
            Ok(Reply::Tried { says }) => Ok(says),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    };
    let named = |path: &str| Sound::File {
        path: path.to_owned(),
    };
    let says = tried(named(file.to_str().unwrap()), 100).await.unwrap();
    assert_eq!(says, "paplay plays it.");
    assert_eq!(told(&heard, 1).await.len(), 1);
    assert_eq!(tried(Sound::Default, 0).await.unwrap(), "This is silence.");
    let gone = tried(named("/nonexistent/ding.wav"), 100)
        .await
        .unwrap_err();
    assert!(
        gone.contains("/nonexistent/ding.wav: this cannot be read"),
        "{gone}"
    );
    set(&desk, named("/nonexistent/ding.wav"), 100).await;
    match client.call(Request::Sounds).await {
        Ok(Reply::Sounds(SoundsView {
            says,
            volume,
            problems,
        })) => {
            assert!(says.contains("paplay") && volume, "{says}");
            let [ProblemView { at, says }] = problems.as_slice() else {
                panic!("{problems:?}");
            };
            assert_eq!(at, "sounds.sound");
            assert!(
                says.ends_with("The default sound is played instead."),
                "{says}"
            );
        }
        other => panic!("{other:?}"),
    }
}
