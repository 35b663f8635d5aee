//! A resident at work where there is no desktop: no bus, no tray, no keyring, and never a wait for one.

use crate::support::{LIMIT, Place, server};
use serde_json::json;
use std::time::{Duration, Instant};
use tidings_api::{Event, Reply, Request};
use tidings_server::Publish;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect(what);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_in_the_inbox_of_every_client() {
    let place = Place::new();
    let server = server().await;
    let mut daemon = place.start(&["daemon"]).await;
    place
        .run(&[
            "account",
            "add",
            &server.url(),
            "--topic",
            "t",
            "--name",
            "home",
        ])
        .ok();
    let live =
        || place.run(&["status", "--json"]).ok().objects()[0]["connections"][0]["state"] == "live";
    until("a live connection", live).await;
    let mut watching = place
        .command(&["watch", "--json"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .map(crate::support::Staying)
        .unwrap();
    let client = place.client().await;
    let mut events = client.watch().await.unwrap();
    let mut lines = watching.lines();
    // The watcher listens once it shows what came after it began; until then, more comes.
    let (told, mut tell) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Some(Ok(line)) = lines.next() {
            if told.send(line).is_err() {
                return;
            }
        }
    });
    let line = loop {
        server.publish(Publish::new("t", "hello")).await.unwrap();
        let hint = tokio::time::timeout(LIMIT, async {
            while !matches!(events.next().await, Some(Event::Arrived { .. })) {}
        });
        hint.await.expect("a hint");
        if let Ok(Some(line)) = tokio::time::timeout(Duration::from_secs(1), tell.recv()).await {
            break line;
        }
    };
    let watched: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(watched["preview"], "hello");
    let id = watched["id"].to_string();
    let listed = place.run(&["list", "--json"]).ok().objects();
    assert!(listed.iter().any(|row| row["id"] == watched["id"]));
    let read = place.run(&["read", &id, "--json"]).ok();
    assert_eq!(read.objects()[0]["count"], 1);
    let shown = place.run(&["show", &id, "--json"]).ok().objects();
    assert_eq!(shown[0]["row"]["read"], true);
    place.run(&["undo"]).ok();
    assert_eq!(
        place.run(&["show", &id, "--json"]).ok().objects()[0]["row"]["read"],
        false
    );
    let why = place.run(&["why", &id, "--json"]).ok().objects();
    assert!(!why[0]["lines"].as_array().unwrap().is_empty());
    let paused = place.run(&["pause", "2h", "--json"]).ok().objects();
    assert_eq!(paused[0]["pause"]["critical_rings"], false);
    let resumed = place.run(&["pause", "off", "--json"]).ok().objects();
    assert_eq!(resumed[0], json!({ "pause": null }));
    assert_eq!(daemon.end(true).await, Some(0));
    assert_eq!(
        watching.end(false).await,
        Some(0),
        "the watcher ends with it"
    );
    // Stored: the next one has it without the server.
    server.stop().await;
    assert!(!place.run(&["list", "--json"]).ok().objects().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_takes_less_than_2_s_and_leaves_no_socket() {
    let place = Place::new();
    let server = server().await;
    for way in ["signal", "quit"] {
        let mut daemon = place.start(&["daemon"]).await;
        if way == "signal" {
            place
                .run(&["account", "add", &server.url(), "--topic", "t"])
                .ok();
        }
        let socket = place.socket();
        let began = Instant::now();
        if way == "quit" {
            place.run(&["quit"]).ok();
        }
        assert_eq!(daemon.end(way == "signal").await, Some(0));
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        assert!(!socket.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_resident_a_profile_and_a_killed_one_leaves_nothing_in_the_way() {
    let place = Place::new();
    let mut first = place.start(&["daemon"]).await;
    let second = place.run(&["daemon"]).failed(1);
    assert!(second.err.contains("already"), "{}", second.err);
    let hidden = place.run(&["--hidden"]).ok();
    assert!(hidden.err.contains("already"), "{}", hidden.err);
    let other = Place::new();
    let mut beside = other.start(&["daemon"]).await;
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    assert!(place.socket().exists());
    // A command works by itself, then a new resident takes over.
    place.run(&["status"]).ok();
    let mut again = place.start(&["daemon"]).await;
    assert_eq!(again.end(true).await, Some(0));
    assert_eq!(beside.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_cannot_be_started_is_said_and_costs_nothing() {
    let place = Place::new();
    let mut daemon = place.start(&["--hidden"]).await;
    let ended = place.run(&[]).failed(1);
    assert!(ended.err.contains("tidings-window"), "{}", ended.err);
    let notices = place.run(&["status", "--json"]).ok().objects()[0]["notices"].to_string();
    assert!(notices.contains("tidings-window"), "{notices}");
    assert_eq!(daemon.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn abuse_of_the_socket_costs_its_caller_only() {
    let place = Place::new();
    let mut daemon = place.start(&["daemon"]).await;
    let hello = b"{\"tidings\":1,\"version\":\"0\",\"role\":\"test\"}\n";
    let long = vec![b'x'; 5 << 20];
    let garbage: [&[u8]; 5] = [
        b"GET / HTTP/1.0\r\n\r\n",
        b"{\"tidings\":77,\"version\":\"0\",\"role\":\"test\"}\n",
        &[0xff; 4096],
        &long,
        &[hello, &long[..]].concat(),
    ];
    for bytes in garbage {
        let mut stream = UnixStream::connect(place.socket()).await.unwrap();
        // It may be cut off half-way.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    let held: Vec<_> =
        futures_util::future::join_all((0..100).map(|_| UnixStream::connect(place.socket()))).await;
    drop(held);
    // Refused until it has noticed that the others are gone.
    let back = async || {
        tidings_api::Client::connect(&place.socket(), "test")
            .await
            .is_ok()
    };
    let waiting = async { while !back().await {} };
    tokio::time::timeout(LIMIT, waiting)
        .await
        .expect("room again");
    let client = place.client().await;
    assert!(matches!(
        client.call(Request::Status).await,
        Ok(Reply::Status(_))
    ));
    assert_eq!(daemon.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_missing_with_and_without_a_resident() {
    let place = Place::new();
    let alone = place.run(&["doctor", "--json"]);
    assert_eq!(alone.code, Some(1));
    let mut daemon = place.start(&["daemon"]).await;
    let asked = place.run(&["doctor", "--json"]);
    assert_eq!(asked.code, Some(1));
    for items in [alone.objects(), asked.objects()] {
        let verdict = |name: &str| {
            let item = items.iter().find(|item| item["name"] == name);
            item.unwrap()["verdict"].clone()
        };
        assert_eq!(verdict("Database"), "good");
        assert_eq!(verdict("Keyring"), "bad");
        assert_eq!(verdict("Notifications"), "bad");
        assert_eq!(verdict("Screen"), "fair");
    }
    assert_eq!(daemon.end(true).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_by_itself_and_leaves_nothing() {
    let place = Place::new();
    let temp = tempfile::tempdir().unwrap();
    let demo = place
        .command(&["demo", "--for", "2s"])
        .env("TMPDIR", temp.path())
        .output()
        .unwrap();
    let out = String::from_utf8(demo.stdout).unwrap();
    assert_eq!(demo.status.code(), Some(0), "{out}");
    assert!(out.contains("curl -d"), "{out}");
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}
