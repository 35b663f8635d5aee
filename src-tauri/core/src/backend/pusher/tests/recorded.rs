//! Frames as they were on the wire.

use super::script::{NOW, Script, resume, signing};
use crate::backend::pusher::frame::{Frame, read};
use crate::backend::{Effect, FailureKind, Input};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn recorded(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/backends/pusher")
        .join(name);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn of_server(name: &str) -> Vec<String> {
    recorded(name)
        .iter()
        .filter_map(|line| Some(line.strip_prefix("< ")?.to_owned()))
        .collect()
}

#[test]
fn every_frame_of_a_server_is_understood() {
    for name in ["soketi.txt", "reverb.txt"] {
        for frame in of_server(name) {
            let known = read(&frame);
            assert!(known.is_some() && known != Some(Frame::Other), "{frame}");
        }
    }
}

const CHANNELS: [(&str, Option<&str>); 5] = [
    ("inbox", None),
    ("private-user-42", None),
    ("presence-room", None),
    ("cache-status", None),
    ("#server-to-user-42", None),
];

fn options() -> Value {
    let mut options = signing();
    options["user_auth_url"] = json!("https://app.ex.test/user");
    options
}

/// One connection, with these frames; the application signs for everything as soon as it is asked.
fn played(frames: &[String]) -> (Script, Vec<Effect>) {
    let mut script = Script::new(resume(&options(), &CHANNELS));
    let mut effects = Vec::new();
    for frame in frames {
        script.tell(Input::Frame(frame));
        for tag in script.fetches.keys().copied().collect::<Vec<_>>() {
            let asked = script.fetches[&tag].clone();
            let part = if asked.form().contains("channel_name") {
                asked.form()
            } else {
                asked.url()
            };
            let user_data = "{\"id\": \"42\", \"user_info\": {\"name\": \"Ann\"}}";
            script.answer(
                &part,
                &json!({"auth": "key1:sig", "user_data": user_data, "channel_data": user_data}),
            );
        }
        effects.extend(script.taken());
        if script.failure.is_some() {
            break;
        }
    }
    (script, effects)
}

fn told(effects: &[Effect]) -> Vec<(i64, String)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify {
                subscription,
                draft,
                ..
            } => Some((subscription.0, format!("{}{}", draft.title, draft.body))),
            _ => None,
        })
        .collect()
}

/// The server's side of one connection with all five channels, made of what was recorded.
fn conversation() -> Vec<String> {
    let all = of_server("soketi.txt");
    let find = |part: &str| {
        all.iter()
            .find(|frame| frame.contains(part))
            .unwrap()
            .clone()
    };
    [
        "7086537815.7290459845",
        "\"pusher_internal:subscription_succeeded\",\"channel\":\"inbox\"",
        "\"subscription_succeeded\",\"channel\":\"private-user-42\"",
        "presence",
        "\"pusher_internal:subscription_succeeded\",\"channel\":\"cache-status\"",
        "cache_miss",
        "signin_success",
        "first",
        "pusher:pong",
        "\"event\":\"notification\",\"channel\":\"private-user-42\"",
        "client-read",
        "to user",
        "\"event\":\"state\"",
    ]
    .iter()
    .map(|part| {
        let part = part.replace(
            "\"subscription_succeeded\"",
            "\"pusher_internal:subscription_succeeded\"",
        );
        find(&part)
    })
    .collect()
}

#[test]
fn a_whole_connection_is_live_and_shows_all() {
    let (script, effects) = played(&conversation());
    assert!(
        script.live && script.problems.is_empty(),
        "{:?}",
        script.problems
    );
    let told = told(&effects);
    assert_eq!(
        told.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
        [1, 2, 5, 4]
    );
    assert_eq!(told[0].1, "Hifirst");
    assert_eq!(told[2].1, "to user");
}

/// Cut after any frame and begun anew, each event is told at least as often as it came, under one id.
#[test]
fn a_connection_may_be_cut_at_every_point() {
    let frames = conversation();
    let (_, whole) = played(&frames);
    let ids = |effects: &[Effect]| -> BTreeSet<(i64, String)> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Notify {
                    subscription,
                    draft,
                    ..
                } => Some((subscription.0, draft.remote_id.clone())),
                _ => None,
            })
            .collect()
    };
    for cut in 0..frames.len() {
        let (_, first) = played(&frames[..cut]);
        let (script, second) = played(&frames);
        assert!(script.live, "cut at {cut}");
        let mut both = ids(&first);
        both.extend(ids(&second));
        assert_eq!(both, ids(&whole), "cut at {cut}");
    }
}

#[test]
fn frames_in_another_order_and_twice_do_no_harm() {
    let frames = conversation();
    for turn in 1..frames.len() {
        let mut turned = frames.clone();
        turned[1..].rotate_left(turn);
        let (script, effects) = played(&turned);
        assert!(script.failure.is_none());
        let told: BTreeSet<_> = told(&effects).into_iter().collect();
        assert!(told.len() <= 4);
        let twice: Vec<_> = turned
            .iter()
            .flat_map(|frame| [frame.clone(), frame.clone()])
            .collect();
        let (script, _) = played(&twice);
        assert!(script.failure.is_none());
    }
}

#[test]
fn the_recorded_refusals_stop_the_account() {
    let all = of_server("soketi.txt");
    let error = all.iter().find(|frame| frame.contains("4001")).unwrap();
    let (script, _) = played(std::slice::from_ref(error));
    assert_eq!(script.failed().kind, FailureKind::Forbidden);
    let denied = all.iter().find(|frame| frame.contains("4009")).unwrap();
    let greeting = all[0].clone();
    let (mut script, _) = played(&[greeting, denied.clone()]);
    assert!(script.failure.is_none());
    script.now = NOW + 1;
    script.closed(4009);
    assert_eq!(script.failed().kind, FailureKind::SignIn);
}
