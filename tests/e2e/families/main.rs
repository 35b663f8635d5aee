//! Each family of servers but ntfy, whose story is told elsewhere, from a pasted address to a row in the inbox, in
//! the real windows; then what comes from elsewhere: another client's settings, and a link. A person may look at the
//! pictures in `target/e2e/families`.

#[path = "../app.rs"]
#[expect(dead_code, reason = "the story uses the rest")]
mod app;
mod elsewhere;
mod scene;

use app::{PATIENCE, click, fill, find, testid};
use scene::{Scene, until_drawn};
use serde_json::json;
use std::collections::BTreeSet;
use support::fakes::gotify::{Gotify, Settings, Version};
use support::fakes::mercure::{Hub, Rules, Update};
use support::fakes::{pusher, tutorial};
use support::servers::{self, Daemon};
use support::{Result, until};

/// A token that the servers here accept.
const TOKEN: &str = "t0ken-9a41-5e7c";
/// A picture that can be seen.
const ICON: &[u8] = include_bytes!("../../../src-tauri/window/icons/48x48.png");

/// The topics of the first account, as the command line says them.
fn topics(scene: &Scene) -> Result<BTreeSet<String>> {
    let accounts = scene.app.objects(&["account", "list", "--json"])?;
    let subscriptions = accounts[0]["subscriptions"].as_array();
    let subscriptions = subscriptions.ok_or("no subscriptions")?.iter();
    let topics = subscriptions.filter_map(|one| one["topic"].as_str());
    Ok(topics.map(str::to_owned).collect())
}

#[allow(clippy::disallowed_methods, reason = "this server lives in real time")]
fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gotify() -> Result<()> {
    let server = Gotify::start(Settings {
        version: Version::Two,
        folder: "/push/gotify".to_owned(),
        now: Box::new(now),
    })
    .await?;
    let backup = server.add_application("Backup", 5);
    let door = server.add_application("Doorbell", 5).to_string();
    server.set_image(backup, "image/backup.png");
    server.put_file("/push/gotify/image/backup.png", "image/png", ICON);

    let scene = Scene::open("gotify").await?;
    let address = format!("{}/push/gotify/#/messages", server.addr());
    scene.add(&address).await?;
    scene.found("Gotify").await?;
    scene.picture("1-found", "detected").await?;
    scene.as_user("admin", "guessed").await?;
    let words = scene.test_fails().await?;
    assert!(words.contains("password"), "{words}");
    scene.as_user("admin", "admin").await?;
    scene.test_passes().await?;
    scene.save().await?;

    let message = json!({"title": "Disk full", "message": "97 % used", "priority": 9});
    server.publish_as(backup, &message).await;
    let toast = scene.rings("97 % used").await?;
    assert_eq!(toast.urgency(), Some(2), "critical");

    // Applications are there by themselves; one that is left says nothing more, until it is wanted again.
    scene.unfold().await?;
    let names = "return [...document.querySelectorAll(arguments[0])].map((one) => one.value)";
    let fields = json!(format!("{} input.field", testid("subscription-row")));
    let names = scene.settings.execute(names, &[fields]).await?;
    assert_eq!(names, json!(["Backup", "Doorbell"]));
    scene.leave(&door).await?;
    server.publish(door.parse()?, "nobody listens").await;
    server.publish(backup, "but here").await;
    scene.rings("but here").await?;
    let rows = scene.inbox(2).await?;
    assert_eq!(rows[0]["preview"], "but here");
    scene.subscribe(&door).await?;
    scene.inbox(3).await?;

    let reading = scene.open_from(&toast, "Disk full").await?;
    until_drawn(
        &reading.inbox,
        "[data-testid=\"detail\"] [data-testid=\"icon\"]",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mercure() -> Result<()> {
    let hub = Hub::start(Rules {
        anonymous: false,
        ..Rules::default()
    })
    .await?;
    hub.accept(TOKEN);
    let [first, second] = ["https://ex.test/books/1", "https://ex.test/books/2"];

    // A page that names its hub and its topic.
    let scene = Scene::open("mercure").await?;
    scene.add(&format!("{}/books/1", hub.addr())).await?;
    scene.found("hub").await?;
    scene
        .settings
        .find_with_text(&testid("topic-chip"), first)
        .await?;
    scene.picture("1-found", "detected").await?;
    scene.with_token("guessed").await?;
    let words = scene.test_fails().await?;
    assert!(words.contains("token"), "{words}");
    scene.with_token(TOKEN).await?;
    scene.test_passes().await?;
    scene.save().await?;

    let publish = |topic: &str, title: &str| {
        let data = json!({"title": title, "body": "See what is new.", "topic": topic});
        hub.publish_as(Update {
            topic: topic.to_owned(),
            data: data.to_string(),
            ..Update::default()
        })
    };
    publish(first, "A new edition");
    let toast = scene.rings("A new edition").await?;

    scene.unfold().await?;
    scene.subscribe(second).await?;
    publish(second, "A second volume");
    let rows = scene.inbox(2).await?;
    assert_eq!(rows[0]["topic"], second);
    scene.leave(second).await?;
    until("the hub to be asked for one topic", PATIENCE, async || {
        let seen = hub.seen();
        let last = seen.last().ok_or("it was asked")?;
        Ok((!last.target.contains("books%2F2")).then_some(()))
    })
    .await?;
    publish(second, "For nobody");
    publish(first, "A third printing");
    scene.rings("A third printing").await?;
    scene.inbox(3).await?;
    scene.open_from(&toast, "A new edition").await.map(drop)
}

/// nginx with Nchan: two channels in one address, for everybody and behind a password.
async fn nchan_server() -> Result<Daemon> {
    let addr = servers::free_address()?;
    let configuration = format!(
        "load_module {};\n{}worker_processes 1;\npid nginx.pid;\nevents {{}}\nhttp {{\n access_log off;\n server {{\n \
         listen {addr};\n location ~ ^/pub/(\\w+)$ {{ nchan_publisher; nchan_channel_id $1; }}\n \
         location = /open/team {{ nchan_subscriber; nchan_channel_id alerts builds; }}\n \
         location = /for/team {{ auth_basic Team; auth_basic_user_file htpasswd; nchan_subscriber; \
         nchan_channel_id alerts builds; }}\n }}\n}}\n",
        servers::module()?.display(),
        servers::user(),
    );
    let files = [("htpasswd", "ada:{PLAIN}reads-all-1\n")];
    servers::nginx(addr, &configuration, &files).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nchan() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let nginx = nchan_server().await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let publish = async |channel: &str, text: &str| -> Result<()> {
        let url = nginx.url(&format!("/pub/{channel}"));
        client.post(url).body(text.to_owned()).send().await?;
        Ok(())
    };

    let scene = Scene::open("nchan").await?;
    scene.add(&format!("{}/open/team", nginx.addr)).await?;
    scene.found("Nchan").await?;
    scene.picture("1-found", "detected").await?;
    // Behind a password nothing can be seen: its user says what it is.
    scene.look_at(&format!("{}/for/team", nginx.addr)).await?;
    find(&scene.settings, "account-kind").await?;
    scene.picture("1-not-found", "account-kind").await?;
    scene.choose("account-kind", "nchan").await?;
    fill(&scene.settings, "option-channels", "alerts, builds").await?;
    scene.as_user("ada", "guessed").await?;
    let words = scene.test_fails().await?;
    assert!(words.contains("password"), "{words}");
    scene.as_user("ada", "reads-all-1").await?;
    scene.test_passes().await?;
    scene.save().await?;

    publish("alerts", "Disk full\n97 % used").await?;
    let toast = scene.rings("97 % used").await?;

    // The channels are the address's own; one of them can be left.
    scene.unfold().await?;
    assert_eq!(
        topics(&scene)?,
        ["alerts", "builds"].map(str::to_owned).into()
    );
    scene.leave("builds").await?;
    publish("builds", "Build 7 is green").await?;
    publish("alerts", "Disk tidied").await?;
    scene.rings("Disk tidied").await?;
    scene.inbox(2).await?;
    scene.subscribe("builds").await?;
    publish("builds", "Build 8 is green").await?;
    scene.rings("Build 8 is green").await?;
    scene.open_from(&toast, "Disk full").await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pusher() -> Result<()> {
    let server = pusher::Fake::start(pusher::Rules {
        token: TOKEN.to_owned(),
        ..pusher::Rules::default()
    })
    .await?;
    let [own, shared] = ["private-user-42", "private-builds"];

    let scene = Scene::open("pusher").await?;
    let address = format!("{}/app/{}?protocol=7", server.addr(), pusher::KEY);
    scene.add(&address).await?;
    scene.found("Soketi").await?;
    scene.picture("1-found", "detected").await?;
    fill(&scene.settings, "option-app_url", &server.app_url()).await?;
    fill(&scene.settings, "option-auth_url", pusher::AUTH).await?;
    scene.topics(&[own]).await?;
    scene.with_token("guessed").await?;
    let words = scene.test_fails().await?;
    assert!(words.contains(own), "{words}");
    scene.with_token(TOKEN).await?;
    scene.test_passes().await?;
    scene.save().await?;

    let event = |title: &str| json!({"title": title, "body": "Pay by Friday."});
    server.publish(own, "invoice.sent", &event("An invoice"));
    let toast = scene.rings("An invoice").await?;

    scene.unfold().await?;
    scene.subscribe(shared).await?;
    let said = async |what: &str, channel: &str| {
        until(what, PATIENCE, async || {
            let frames = server.frames();
            let of_channel = |frame: &&serde_json::Value| frame["data"]["channel"] == channel;
            let last = frames.iter().rfind(of_channel);
            Ok(last.filter(|last| last["event"] == what).map(drop))
        })
        .await
    };
    said("pusher:subscribe", shared).await?;
    until("the channel to be complete", PATIENCE, async || {
        server.publish(shared, "build.done", &event("Build 7"));
        let rows = scene.app.objects(&["list", "--json"])?;
        Ok(rows.iter().any(|row| row["topic"] == shared).then_some(()))
    })
    .await?;
    scene.leave(shared).await?;
    said("pusher:unsubscribe", shared).await?;
    server.publish(own, "invoice.sent", &event("A reminder"));
    scene.rings("A reminder").await?;
    scene.open_from(&toast, "An invoice").await.map(drop)
}

/// What somebody writes who has read the page about profiles, with a slip in its third line.
const PROFILE: &str = r#"[sse]
url = "/events"
urls = "/more"
[history]
url = "/list"
query = { limit = "50" }
[map]
title = ["Build {/number} of {/repository}"]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn custom() -> Result<()> {
    let open = tutorial::Fake::start("").await?;
    let server = tutorial::Fake::start(TOKEN).await?;

    // Without a sign-in it is seen what an address is.
    let scene = Scene::open("custom").await?;
    scene
        .add(&format!("{}{}", open.addr(), tutorial::EVENTS))
        .await?;
    scene.found("event stream").await?;
    scene.picture("1-found", "detected").await?;
    // With one it is described.
    scene.look_at(&server.addr().to_string()).await?;
    scene.choose("account-kind", "custom").await?;
    scene.choose("option-preset", "notilayer").await?;
    scene
        .settings
        .find_with_text(&testid("profile-copy"), "preset")
        .await?;
    scene.picture("1-preset", "option-profile").await?;
    scene.choose("option-preset", "").await?;
    fill(&scene.settings, "option-profile", PROFILE).await?;
    let fault = "[data-testid=\"profile-fault\"][data-line=\"3\"]";
    scene.settings.find_with_text(fault, "urls").await?;
    scene.picture("1-fault", "profile-fault").await?;
    let mended = PROFILE.replace("urls = \"/more\"\n", "");
    fill(&scene.settings, "option-profile", &mended).await?;
    let sample = r#"{"number": 7, "repository": "tidings", "log": "green"}"#;
    fill(&scene.settings, "profile-sample", sample).await?;
    scene
        .settings
        .find_with_text(&testid("profile-shown"), "Build 7 of tidings")
        .await?;
    scene.picture("1-preview", "profile-preview").await?;
    scene.with_token("guessed").await?;
    let words = scene.test_fails().await?;
    assert!(words.contains("sign-in"), "{words}");
    scene.with_token(TOKEN).await?;
    scene.test_passes().await?;
    scene.save().await?;

    let publish = |number: u32, topic: &str| {
        let event = json!({"number": number, "repository": "tidings", "body": "All is green.", "topic": topic});
        server.publish_as(event);
    };
    publish(8, "builds");
    let toast = scene.rings("Build 8 of tidings").await?;

    // Its card shows what was made of the last one.
    scene.unfold().await?;
    scene
        .settings
        .find_with_text(&testid("profile-shown"), "Build 8 of tidings")
        .await?;
    scene.picture("5-preview", "profile-preview").await?;
    scene.subscribe("nightly").await?;
    publish(9, "nightly");
    let rows = scene.inbox(2).await?;
    assert_eq!(rows[0]["topic"], "nightly");
    scene.leave("nightly").await?;
    // There is one topic less, and its events go to the first.
    publish(10, "nightly");
    let tenth = until("the tenth build", PATIENCE, async || {
        let rows = scene.app.objects(&["list", "--json"])?;
        let mut rows = rows.into_iter();
        Ok(rows.find(|row| row["title"] == "Build 10 of tidings"))
    });
    assert_eq!(tenth.await?["topic"], "all");
    click(&scene.settings, "account-retest").await?;
    scene
        .settings
        .find("[data-testid=\"hops\"][data-ok=\"true\"]")
        .await?;
    scene
        .open_from(&toast, "Build 8 of tidings")
        .await
        .map(drop)
}
