//! `tidings demo`: a server, an account and a lively minute, in a profile that is thrown away.

use super::output::{End, Output, say};
use super::serve::worded;
use crate::os::clock::pause;
use crate::profile::{Places, Profile};
use crate::wiring::{NotStarted, Running, stop_signal};
use std::time::Duration;
use tidings_api::preferences::Preferences;
use tidings_api::{
    AccountDraft, BackendKind, ErrorCode, ErrorView, Request, SecretPlace, SignIn, Target,
};
use tidings_server::{Action, Config, Kind, Limits, Publish, Server};

/// Runs until the user quits, or until `length` is over.
///
/// # Errors
/// In words.
pub async fn run(length: Option<Duration>, out: &Output) -> Result<(), End> {
    let stopped = stop_signal();
    let folder = tempfile::Builder::new()
        .prefix("tidings-demo")
        .tempdir()
        .map_err(|error| {
            ErrorView::new(ErrorCode::Storage, "The demo has no room for its profile.")
                .with_detail(error)
        })?;
    let profile = Profile::find(Some(folder.path()), &Places::of_environment())?;
    let server = Server::start(Config {
        // One visitor, who publishes everything.
        limits: Limits::off(),
        ..Config::default()
    })
    .await
    .map_err(|error| worded(&error))?;
    let url = server.url();
    let running = match Running::start(&profile, true, true).await {
        Ok(running) => running,
        Err(NotStarted::Failed(error)) => return Err(error.into()),
        Err(NotStarted::RunsAlready) => {
            return Err(End::Failed(ErrorView::new(
                ErrorCode::Storage,
                "Another program took the demo's profile. Try again.",
            )));
        }
    };
    let draft = AccountDraft {
        url: url.clone(),
        kind: Some(BackendKind::Ntfy),
        name: "demo".to_owned(),
        topics: ["alerts", "builds", "home", "chat"]
            .map(str::to_owned)
            .to_vec(),
        sign_in: SignIn::None,
        secret: None,
        secrets: SecretPlace::Memory,
        transport: None,
        allow_http: true,
        headers: Vec::new(),
        options: String::new(),
        ..AccountDraft::default()
    };
    running.ask(Request::AccountAdd(draft)).await?;
    // The inbox is open all the time, and the toasts are what there is to see.
    let mut preferences = Preferences::default();
    preferences.context.ring_while_looking = true;
    running
        .ask(Request::PreferencesSet(Box::new(preferences)))
        .await?;
    if out.json {
        out.object(&serde_json::json!({ "url": url, "socket": profile.socket }))?;
    } else {
        out.line(&format!("The demo's server is {url}. Publish into it:"))?;
        out.line(&format!("  curl -d 'Hello from the terminal' {url}/home"))?;
        out.line("Look at it from another terminal:")?;
        out.line(&format!(
            "  tidings --profile {} list",
            folder.path().display()
        ))?;
        out.line("It ends with Ctrl-C, or with Quit in the tray.")?;
    }
    let target = Target::Inbox;
    if let Err(error) = running
        .ask(Request::OpenWindow {
            target,
            token: None,
        })
        .await
    {
        say(&error.message);
    }
    let over = async {
        match length {
            Some(length) => pause(length).await,
            None => std::future::pending().await,
        }
    };
    let lively = async {
        play(&server).await;
        std::future::pending::<()>().await;
    };
    running
        .until(
            async {
                tokio::select! {
                    () = stopped => {}
                    () = over => {}
                    () = lively => {}
                }
            },
            false,
        )
        .await;
    server.stop().await;
    Ok(())
}

/// What happens at a moment of the demo.
#[derive(Debug)]
enum Scene {
    Publish(Box<Publish>),
    Clear(&'static str, &'static str),
}

/// Plays the minute.
async fn play(server: &Server) {
    for (wait, scene) in scenes() {
        pause(Duration::from_millis(wait)).await;
        let played = match scene {
            Scene::Publish(publish) => server.publish(*publish).await,
            Scene::Clear(topic, sequence) => server.tell(Kind::MessageClear, topic, sequence).await,
        };
        if let Err(refusal) = played {
            tracing::warn!(?refusal, "the demo's server refused a scene");
        }
    }
}

fn message(topic: &str, priority: u8, tags: &[&str], title: &str, text: &str) -> Publish {
    let mut publish = Publish::new(topic, text);
    title.clone_into(&mut publish.title);
    publish.priority = priority;
    publish.tags = tags.iter().map(|&tag| tag.to_owned()).collect();
    publish
}

/// The minute: milliseconds after the scene before, and what happens.
fn scenes() -> Vec<(u64, Scene)> {
    let publish = |publish| Scene::Publish(Box::new(publish));
    let sequenced = |mut publish: Publish, sequence: &str| {
        publish.sequence_id = Some(sequence.to_owned());
        Scene::Publish(Box::new(publish))
    };
    let mut scenes = Vec::new();
    let mut backup = message(
        "alerts",
        2,
        &["floppy_disk"],
        "Backup finished",
        "nightly: **214 files**, 3.1 GiB, 4 min 12 s\n\n- photos: 120 new\n- documents: 94 changed",
    );
    backup.markdown = true;
    scenes.push((1500, publish(backup)));

    let build = |text: &str, tag: &str, priority| {
        message(
            "builds",
            priority,
            &[tag, "ci"],
            "Build #482 of tidings",
            text,
        )
    };
    let steps = [
        (1500, "Compiling: 12 %", "hammer_and_wrench", 3),
        (3000, "Compiling: 61 %", "hammer_and_wrench", 3),
        (3000, "Testing: 240 of 512", "test_tube", 3),
    ];
    for (wait, text, tag, priority) in steps {
        scenes.push((wait, sequenced(build(text, tag, priority), "build-482")));
    }

    let mut door = message(
        "home",
        4,
        &["bell"],
        "Door bell",
        "Somebody is at the front door.",
    );
    "https://example.com/door".clone_into(&mut door.click);
    let view = |label: &str, url: &str| Action {
        action: "view".to_owned(),
        label: label.to_owned(),
        url: url.to_owned(),
        ..Action::default()
    };
    door.actions = vec![
        view("Camera", "https://example.com/door/camera"),
        view("History", "https://example.com/door/history"),
    ];
    scenes.push((2500, publish(door)));

    scenes.push((
        2000,
        sequenced(
            build("512 tests passed in 48 s", "white_check_mark", 3),
            "build-482",
        ),
    ));

    let chat = [
        ("Mira", "has anyone seen the new panel?"),
        ("Jon", "which one"),
        ("Mira", "the one in the hall, with the e-paper"),
        ("Ada", "oh that is neat"),
        ("Jon", "does it show the train times?"),
        ("Mira", "and the weather"),
        ("Ada", "and who has to take the bins out, I hope"),
        ("Jon", "that would be you"),
        ("Ada", "never"),
        ("Mira", "it says Jon, in fact"),
        ("Jon", "I want a recount"),
        ("Ada", "accepted: it is Jon"),
    ];
    for (at, (who, text)) in chat.into_iter().enumerate() {
        let wait = if at == 0 { 4000 } else { 250 };
        scenes.push((wait, publish(message("chat", 3, &[], who, text))));
    }

    let disk = message(
        "alerts",
        5,
        &["rotating_light"],
        "Disk almost full on nas",
        "/srv has 1.2 GiB left (99 %). Backups will fail tonight.",
    );
    scenes.push((5000, sequenced(disk, "disk-nas")));

    let washing = message(
        "home",
        3,
        &["shirt"],
        "Washing machine",
        "Done in 10 minutes",
    );
    scenes.push((6000, sequenced(washing, "washing")));
    let quiet = message("home", 1, &["thermometer"], "Living room", "21.4 °C, 44 %");
    scenes.push((3000, publish(quiet)));
    // Somebody emptied it: read everywhere, so its toast goes.
    scenes.push((5000, Scene::Clear("home", "washing")));
    let failed = message(
        "builds",
        4,
        &["x", "ci"],
        "Build #483 failed",
        "error[E0382]: use of moved value: `inbox`\n  --> src/main.rs:14:9",
    );
    scenes.push((4000, publish(failed)));
    scenes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_minute_shows_every_tier_and_lasts_no_longer() {
        let scenes = scenes();
        let lasts: u64 = scenes.iter().map(|(wait, _)| wait).sum();
        assert!((30_000..58_000).contains(&lasts), "{lasts} ms");
        let published: Vec<_> = scenes
            .iter()
            .filter_map(|(_, scene)| match scene {
                Scene::Publish(publish) => Some(publish),
                Scene::Clear(..) => None,
            })
            .collect();
        let priorities: HashSet<_> = published.iter().map(|publish| publish.priority).collect();
        assert_eq!(priorities, HashSet::from([1, 2, 3, 4, 5]));
        let chat = published
            .iter()
            .filter(|publish| publish.topic == "chat")
            .count();
        assert_eq!(chat, 12);
        let steps = published
            .iter()
            .filter(|publish| publish.sequence_id.as_deref() == Some("build-482"));
        assert_eq!(steps.count(), 4);
        assert!(published.iter().any(|publish| publish.actions.len() == 2));
    }

    #[tokio::test]
    async fn the_server_takes_every_scene() {
        let server = Server::start(Config::for_tests()).await.unwrap();
        for (_, scene) in scenes() {
            match scene {
                Scene::Publish(publish) => server.publish(*publish).await,
                Scene::Clear(topic, sequence) => {
                    server.tell(Kind::MessageClear, topic, sequence).await
                }
            }
            .unwrap();
        }
        server.stop().await;
    }
}
