//! Addresses, names of channels, and what gives the family away.

use crate::backend::pusher::{Pusher, address};
use crate::backend::{Backend as _, Probed};
use crate::model::Sign;
use url::Url;

fn taken(pasted: &str) -> String {
    Pusher
        .address(&Url::parse(pasted).unwrap())
        .base
        .to_string()
}

#[test]
fn an_address_is_taken_in_any_of_its_forms() {
    for (pasted, base) in [
        (
            "wss://ws-eu.pusher.com/app/278d425bdf160c739803?protocol=7&client=js&version=8.0",
            "https://ws-eu.pusher.com/app/278d425bdf160c739803/",
        ),
        (
            "https://sockjs-eu.pusher.com/app/278d425bdf160c739803",
            "https://ws-eu.pusher.com/app/278d425bdf160c739803/",
        ),
        ("https://api-mt1.pusher.com", "https://ws-mt1.pusher.com/"),
        (
            "ws://127.0.0.1:6001/app/key1",
            "http://127.0.0.1:6001/app/key1/",
        ),
        (
            "https://ex.test:6001/reverb/app/key_1.x/#top",
            "https://ex.test:6001/reverb/app/key_1.x/",
        ),
        (
            "https://ex.test/app/app/key1/anything",
            "https://ex.test/app/app/key1/",
        ),
        ("https://user@ex.test:6001", "https://ex.test:6001/"),
        ("https://ex.test/app", "https://ex.test/"),
        ("https://ex.test/reverb/", "https://ex.test/reverb/"),
    ] {
        assert_eq!(taken(pasted), base, "{pasted}");
        // What was taken apart is taken for the same again.
        assert_eq!(taken(base), base);
    }
}

#[test]
fn the_socket_is_opened_at_the_apps_key() {
    let tail = concat!(
        "?protocol=7&client=tidings&version=",
        env!("CARGO_PKG_VERSION"),
        "&flash=false"
    );
    for (base, option, socket) in [
        (
            "https://ex.test/app/k1/",
            "",
            Some("https://ex.test/app/k1"),
        ),
        (
            "https://ex.test/app/k1/",
            "k2",
            Some("https://ex.test/app/k1"),
        ),
        (
            "https://ex.test/in/",
            "k2",
            Some("https://ex.test/in/app/k2"),
        ),
        (
            "https://ex.test/",
            "a/../b",
            Some("https://ex.test/app/a%2F..%2Fb"),
        ),
        ("https://ex.test/", "", None),
        ("https://ex.test/", "..", None),
    ] {
        let found = address::socket(&Url::parse(base).unwrap(), option).map(String::from);
        assert_eq!(found, socket.map(|socket| format!("{socket}{tail}")));
    }
}

fn recognised(pasted: &str, status: u16, headers: &[(&str, &str)]) -> Option<String> {
    let url = Url::parse(pasted).unwrap();
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let probes = Pusher.probes(&url);
    let request = probes.first()?;
    assert_eq!(request.sign, Sign::Nothing);
    let probed = Probed {
        probe: 0,
        url: &request.url,
        status,
        headers: &headers,
        body: "",
    };
    Pusher.recognise(&url, &probed).map(|found| found.says)
}

#[test]
fn it_is_found_by_its_shape_and_by_what_answers() {
    let soketi = [
        ("uwebsockets", "20"),
        (
            "access-control-allow-headers",
            "Origin, Content-Type, X-Socket-Id",
        ),
    ];
    let page = [("content-type", "text/html; charset=utf-8")];
    for (pasted, status, headers, word) in [
        (
            "https://ws-eu.pusher.com/app/k1",
            200,
            &page[..],
            Some("Pusher"),
        ),
        (
            "https://ws-eu.pusher.com/",
            404,
            &page[..],
            Some("key has to be added"),
        ),
        (
            "https://ex.test:6001/app/k1",
            404,
            &soketi[..],
            Some("Soketi"),
        ),
        (
            "wss://ex.test:8080/app/k1",
            200,
            &[][..],
            Some("app's key in it"),
        ),
        (
            "https://ex.test/app/k1?protocol=7",
            200,
            &[][..],
            Some("app's key in it"),
        ),
        (
            "https://ex.test/app/k1",
            426,
            &[][..],
            Some("app's key in it"),
        ),
        // A site's own page, an API of something else, nothing of the kind.
        ("https://ex.test/app/k1", 404, &page[..], None),
        ("https://ex.test/app/k1", 200, &[][..], None),
        ("https://ex.test/", 404, &soketi[..], None),
    ] {
        let says = recognised(pasted, status, headers);
        match word {
            Some(word) => assert!(
                says.as_ref().is_some_and(|says| says.contains(word)),
                "{says:?}"
            ),
            None => assert_eq!(says, None, "{pasted}"),
        }
    }
}

#[test]
fn a_channels_name_is_checked() {
    for name in [
        "inbox",
        "private-App.Models.User.42",
        "presence-room_1=@,.;",
        "private-encrypted-cache-x",
        "#server-to-user-42",
    ] {
        assert_eq!(Pusher.check_topic(name), Ok(()));
    }
    for name in [
        "",
        "a b",
        "café",
        "a/b",
        "#server-to-user-",
        "#other",
        "a:b",
        &"a".repeat(201),
    ] {
        assert!(
            Pusher.check_topic(name).unwrap_err().ends_with('.'),
            "{name}"
        );
    }
}
