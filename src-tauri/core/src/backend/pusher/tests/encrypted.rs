//! Encrypted channels.

use super::script::{Script, said, signing};
use crate::backend::{Effect, Input};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use serde_json::{Value, json};

const CHANNEL: &str = "private-encrypted-box";

fn sealed(key: u8, text: &str) -> Value {
    let nonce = [key ^ 0x55; 24];
    let ciphertext = XSalsa20Poly1305::new(Key::from_slice(&[key; 32]))
        .encrypt(Nonce::from_slice(&nonce), text.as_bytes())
        .unwrap();
    json!({"nonce": STANDARD.encode(nonce), "ciphertext": STANDARD.encode(ciphertext)})
}

fn signed(key: u8) -> Value {
    json!({"auth": "key1:s", "shared_secret": STANDARD.encode([key; 32])})
}

fn joined(key: u8) -> Script {
    let mut script = Script::greeted(&signing(), &[(CHANNEL, None)]);
    script.answer(CHANNEL, &signed(key));
    // The key is for nobody else.
    assert!(!script.sent[0].to_string().contains("shared_secret"));
    script.succeed(CHANNEL);
    assert!(script.live);
    script.taken();
    script
}

/// The secretbox of `NaCl`'s own test vector (tests/secretbox.c), so that both sides are not wrong alike.
#[test]
fn the_known_box_opens() {
    let key = "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389";
    let nonce = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";
    let text = "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705";
    let boxed = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5";
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    };
    let opened = XSalsa20Poly1305::new(Key::from_slice(&bytes(key)))
        .decrypt(Nonce::from_slice(&bytes(nonce)), bytes(boxed).as_slice());
    assert_eq!(opened.unwrap(), bytes(text));
}

#[test]
fn an_encrypted_event_is_read() {
    let mut script = joined(1);
    let text = json!({"id": "n1", "title": "secret"}).to_string();
    script.event(CHANNEL, "notification", &sealed(1, &text));
    // Some libraries encrypt the JSON of a text; some servers send the object itself.
    let twice = json!(text.replace("n1", "n2")).to_string();
    script.frame(&json!({"event": "notification", "channel": CHANNEL, "data": sealed(1, &twice)}));
    let drafts = script.drafts();
    assert_eq!(drafts.len(), 2);
    for (draft, id) in drafts.iter().map(|(_, draft, _)| draft).zip(["n1", "n2"]) {
        assert_eq!(
            (draft.title.as_str(), draft.remote_id.as_str()),
            ("secret", id)
        );
    }
    assert!(script.fetches.is_empty());
}

/// The key was changed: what came meanwhile waits, in order.
#[test]
fn another_key_is_asked_for_once() {
    let mut script = joined(1);
    for n in 0..3 {
        let text = json!({"id": n, "title": format!("t{n}")}).to_string();
        script.event(CHANNEL, "n", &sealed(2, &text));
    }
    assert!(script.drafts().is_empty());
    assert_eq!(script.fetches.len(), 1);
    script.answer(CHANNEL, &signed(2));
    assert_eq!(script.titles(), ["t0", "t1", "t2"]);
    // It is not subscribed anew for that.
    assert!(script.subscribed().len() == 1 && script.fetches.is_empty());
    script.event(CHANNEL, "n", &sealed(2, "{\"title\":\"after\"}"));
    assert_eq!(script.titles(), ["after"]);
}

fn is_said(effects: &[Effect]) -> bool {
    let [Effect::KeepAlive, Effect::Notify { draft, .. }] = effects else {
        return false;
    };
    draft.title == "Encrypted notification" && draft.body.contains("could not be decrypted")
}

#[test]
fn what_cannot_be_decrypted_says_so_and_shows_nothing() {
    for answer in [Some(signed(1)), Some(json!({})), None] {
        let mut script = joined(1);
        let event = sealed(2, "{\"title\":\"hidden\"}");
        script.event(CHANNEL, "n", &event);
        script.taken();
        match answer {
            Some(answer) => script.answer(CHANNEL, &answer),
            None => script.refuse(CHANNEL, 403),
        }
        let drafts = script.drafts();
        assert_eq!(drafts.len(), 1);
        let whole = format!("{:?}", drafts[0].1);
        assert!(whole.contains("could not be decrypted"));
        assert!(
            !whole.contains("hidden") && !whole.contains(event["ciphertext"].as_str().unwrap())
        );
        // The next ones do not ask again for a while.
        script.event(CHANNEL, "n", &sealed(3, "{\"title\":\"hidden\"}"));
        assert!(is_said(&script.taken()) && script.fetches.is_empty());
        script.event(CHANNEL, "n", &sealed(1, "{\"title\":\"fine\"}"));
        assert_eq!(script.titles(), ["fine"]);
        script.now += 301;
        script.event(CHANNEL, "n", &sealed(3, "{\"title\":\"hidden\"}"));
        assert_eq!(script.fetches.len(), 1);
    }
}

/// An application that is busy for a moment does not cost what was sent meanwhile.
#[test]
fn a_busy_application_is_asked_for_the_key_again() {
    let mut script = joined(1);
    script.event(CHANNEL, "n", &sealed(2, "{\"title\":\"waits\"}"));
    script.refuse(CHANNEL, 503);
    assert!(script.drafts().is_empty() && script.fetches.is_empty());
    script.pass(5);
    script.answer(CHANNEL, &signed(2));
    assert_eq!(script.titles(), ["waits"]);
    // It is not asked for ever.
    script.event(CHANNEL, "n", &sealed(3, "{}"));
    for _ in 0..6 {
        script.refuse(CHANNEL, 503);
        for _ in 0..20 {
            script.frame(&json!({"event": "pusher:pong"}));
            script.pass(10);
        }
    }
    assert_eq!(script.titles(), ["Encrypted notification"]);
    assert!(script.fetches.is_empty());
}

/// Who has no key can publish nothing here: what is not encrypted is not shown.
#[test]
fn plaintext_on_an_encrypted_channel_is_not_shown() {
    let mut script = joined(1);
    script.event(CHANNEL, "n", &json!({"title": "forged", "body": "forged"}));
    script.answer(CHANNEL, &signed(1));
    let drafts = script.drafts();
    assert_eq!(drafts.len(), 1);
    assert!(!format!("{:?}", drafts[0].1).contains("forged"));
}

#[test]
fn an_application_without_a_key_is_named() {
    for answer in [
        json!({"auth": "k:s"}),
        json!({"auth": "k:s", "shared_secret": "short"}),
        json!({"auth": "k:s", "shared_secret": STANDARD.encode([1; 31])}),
    ] {
        let mut script = Script::greeted(&signing(), &[(CHANNEL, None), ("inbox", None)]);
        script.answer(CHANNEL, &answer);
        assert!(script.problems[&1].contains("gave no key"));
        assert_eq!(script.subscribed(), ["inbox"]);
    }
}

#[test]
fn a_cached_encrypted_event_is_told_once() {
    let channel = "private-encrypted-cache-box";
    let event = said(channel, "n", &sealed(1, "{\"title\":\"T\"}"));
    let mut script = Script::greeted(&signing(), &[(channel, None)]);
    script.answer(channel, &signed(1));
    script.succeed(channel);
    script.frame(&event);
    assert_eq!(script.titles(), ["T"]);
    let cursor = script.cursors[&1].clone();
    let mut again = Script::greeted(&signing(), &[(channel, Some(&cursor))]);
    again.answer(channel, &signed(1));
    again.succeed(channel);
    again.tell(Input::Frame(&event.to_string()));
    assert!(again.titles().is_empty() && again.live);
}
