//! Ids, places, frames, addresses and settings.

use crate::backend::nchan::id::{MessageId, Place};
use crate::backend::nchan::meta::{self, Framed};
use crate::backend::nchan::tests::script::headers;
use crate::backend::nchan::{Nchan, address};
use crate::backend::{Backend as _, Probed, Server};
use proptest::prelude::*;
use url::Url;

#[test]
fn ids_name_their_channel_and_their_place_in_it() {
    for (text, second, channel, number) in [
        ("1795319881:0", 1_795_319_881, 0, 0),
        ("1795319881:[3]", 1_795_319_881, 0, 3),
        ("1795319909:[0],-", 1_795_319_909, 0, 0),
        ("1795319909:0,[0]", 1_795_319_909, 1, 0),
        ("1795319909:-,-,[17]", 1_795_319_909, 2, 17),
        ("1:0", 1, 0, 0),
    ] {
        let id = MessageId::read(text).unwrap();
        assert_eq!(
            (id.second, id.channel, id.number()),
            (second, channel, number)
        );
        assert_eq!(id.in_channel(), format!("{second}:{number}"));
    }
    for text in [
        "",
        ":",
        "1:",
        ":0",
        "1",
        "banana",
        "1:-",
        "1:[-]",
        "1:0,1",
        "1:[0],[1]",
        "1:0,",
        "-1:0",
        "1:+0",
        "1:0 ",
        "1:4294967296",
        "99999999999999999999:0",
    ] {
        assert_eq!(MessageId::read(text), None, "{text}");
    }
    let many = format!("1:{}[0]", "-,".repeat(255));
    assert_eq!(MessageId::read(&many), None);
}

#[test]
fn ids_of_a_connection_grow() {
    // In the order in which a server sent them.
    let sent = [
        "1795319881:-,-,[0]",
        "1795319881:-,-,[1]",
        "1795319882:-,-,[0]",
        "1795319909:[0],-,-",
        "1795319909:0,[0],-",
        "1795319909:[1],0,-",
    ];
    let orders: Vec<_> = sent
        .iter()
        .map(|id| MessageId::read(id).unwrap().order())
        .collect();
    assert!(orders.is_sorted_by(|one, next| one < next), "{orders:?}");
}

#[test]
fn times_are_in_the_servers_order_within_their_second() {
    let at = |id| MessageId::read(id).unwrap().at().unwrap().as_millisecond();
    assert_eq!(at("1795319881:0"), 1_795_319_881_000);
    assert_eq!(at("1795319881:7"), 1_795_319_881_007);
    assert_eq!(at("1795319881:5000"), 1_795_319_881_999);
}

#[test]
fn a_place_is_the_same_whichever_way_it_was_told() {
    let date = "Sun, 22 Nov 2026 03:58:01 GMT";
    let answer = Place::of_answer(Some(date), Some("[0],-")).unwrap();
    assert_eq!(answer.id, "1795319881:[0],-");
    assert_eq!(answer.pair, Some((date.to_owned(), "[0],-".to_owned())));
    assert_eq!(Place::read(&answer.cursor()), Some(answer));
    // Both in one (`nchan_subscriber_compound_etag_message_id`).
    let compound = Place::of_answer(None, Some("1795319881:0")).unwrap();
    assert_eq!(compound, Place::of_id("1795319881:0").unwrap());
    assert_eq!(Place::read(&compound.cursor()), Some(compound));
    // What something on the way made of it goes back as it came.
    let weak = Place::of_answer(Some(date), Some("W/\"4\"")).unwrap();
    assert_eq!(weak.id, "1795319881:4");
    assert_eq!(weak.pair.unwrap().1, "W/\"4\"");
    for (date, etag) in [
        (None, None),
        (Some(date), None),
        (None, Some("0")),
        (Some("yesterday"), Some("0")),
        (Some(date), Some("\"5f3c-62b\"")),
        (Some(date), Some("0\r\nX: y")),
    ] {
        assert_eq!(Place::of_answer(date, etag), None, "{date:?} {etag:?}");
    }
    for cursor in ["", "1:0\t", "1:0\tx", "1:0\tx\ty\tz", "1:0\nX", "ä"] {
        assert_eq!(Place::read(cursor), None, "{cursor:?}");
    }
}

#[test]
fn frames_say_what_they_are_before_a_blank_line() {
    let framed = |id, content_type, text| {
        Some(Framed {
            id,
            content_type,
            text,
        })
    };
    for (frame, expected) in [
        (
            "id: 1:0\ncontent-type: text/plain\n\ntwo",
            framed("1:0", "text/plain", "two"),
        ),
        ("id: 1:0\n\nhello", framed("1:0", "", "hello")),
        (
            "id: 1:0\n\n\nid: 2:0\n\n",
            framed("1:0", "", "\nid: 2:0\n\n"),
        ),
        ("id: 1:0\r\nx-new: 1\r\n\r\na", framed("1:0", "", "a")),
        ("id: 1:0\n\n", framed("1:0", "", "")),
        ("hello", None),
        ("", None),
        ("\n\nhello", None),
        ("content-type: text/plain\n\nhello", None),
        ("id: 1:0\nhello\n\nthere", None),
    ] {
        assert_eq!(meta::read(frame), expected, "{frame:?}");
    }
}

#[test]
fn a_subscribers_address_is_one_as_a_whole() {
    for (pasted, base, channel) in [
        ("https://ex.test/sub/c1", "https://ex.test/sub/c1", "c1"),
        ("wss://ex.test/sub/c1/", "https://ex.test/sub/c1/", "c1"),
        (
            "ws://ex.test:81/sub?id=news&t=1",
            "http://ex.test:81/sub?id=news&t=1",
            "news",
        ),
        (
            "https://u:p@ex.test/sub/a%20b+c#x",
            "https://ex.test/sub/a%20b+c",
            "a b+c",
        ),
        ("https://ex.test/", "https://ex.test/", "ex.test"),
        (
            "https://ex.test/sub/%0A",
            "https://ex.test/sub/%0A",
            "ex.test",
        ),
    ] {
        let address = Nchan.address(&Url::parse(pasted).unwrap());
        assert_eq!(address.base.as_str(), base);
        assert!(address.topics.is_empty() && address.options.is_empty());
        assert_eq!(address::channel_of(&address.base), channel);
    }
}

#[test]
fn settings_are_checked_in_words() {
    let kept = |options: &str| Nchan.check_options(options);
    assert_eq!(kept(""), Ok(String::new()));
    assert_eq!(kept("{}"), Ok(String::new()));
    assert_eq!(
        kept(r#"{"channels":" ","keeps":"","mapping":"","info_url":""}"#),
        Ok(String::new())
    );
    assert_eq!(
        kept(r#"{"channels":["a","b"],"keeps":"20","info_url":" https://ex.test/pub/{channel} "}"#)
            .unwrap(),
        r#"{"channels":"a, b","info_url":"https://ex.test/pub/{channel}","keeps":20}"#
    );
    let mapped = r#"{"mapping":{"title":["/t"]}}"#;
    assert_eq!(kept(mapped), Ok(mapped.to_owned()));
    assert_eq!(
        kept(r#"{"mapping":"{\"title\":\"/t\"}"}"#),
        Ok(mapped.to_owned())
    );
    for (wrong, says) in [
        ("[]", "cannot be read"),
        (r#"{"chanels":"a"}"#, "cannot be read"),
        (r#"{"channels":"a, a"}"#, "named twice"),
        (r#"{"info_url":"ftp://ex.test/"}"#, "https://"),
        (r#"{"info_url":"https://u:p@ex.test/"}"#, "https://"),
        (
            r#"{"channels":"a,b","info_url":"https://ex.test/pub/a"}"#,
            "{channel}",
        ),
        (r#"{"keeps":0}"#, "at least one"),
        (r#"{"keeps":"many"}"#, "whole number"),
        (
            r#"{"mapping":{"title":"/x","nonsense":1}}"#,
            "cannot be read",
        ),
        (r#"{"mapping":{"priorities":{"high":9}}}"#, "1 to 5"),
    ] {
        let error = kept(wrong).expect_err(wrong);
        assert!(error.contains(says), "{wrong}: {error}");
    }
    let many: Vec<String> = (0..256).map(|n| n.to_string()).collect();
    let error = kept(&format!(r#"{{"channels":"{}"}}"#, many.join(","))).unwrap_err();
    assert!(error.contains("255"), "{error}");
}

#[test]
fn only_the_address_that_was_entered_gets_the_credential() {
    let server = |options: &str| Server {
        base: Url::parse("https://ex.test/sub/a").unwrap(),
        options: options.to_owned(),
    };
    let own = Nchan.own_addresses(&server(r#"{"info_url":"https://in.ex.test/{channel}"}"#));
    assert_eq!(own, [Url::parse("https://in.ex.test/channel").unwrap()]);
    assert!(Nchan.own_addresses(&server("")).is_empty());
    let about = |name| address::about("https://ex.test/pub?id={channel}", name).unwrap();
    assert_eq!(
        about("a b/&c").as_str(),
        "https://ex.test/pub?id=a%20b%2F%26c"
    );
}

#[test]
fn it_is_recognised_by_its_greeting_and_by_its_polls() {
    let url = Url::parse("https://ex.test/sub/a?t=1").unwrap();
    let found = |status, list: &[(&str, &str)], body| {
        let probed = Probed {
            probe: 0,
            url: &url,
            status,
            headers: &headers(list),
            body,
        };
        Nchan
            .recognise(&url, &probed)
            .map(|found| found.address.base)
    };
    let stream = ("content-type", "text/event-stream; charset=utf-8");
    let vary = ("vary", "If-None-Match, If-Modified-Since");
    let modified = ("last-modified", "Sun, 22 Nov 2026 03:58:01 GMT");
    let known = [
        found(200, &[stream], ": hi\n\n"),
        found(200, &[stream], ": hi\n\nid: 1795319881:0\ndata: two\n\n"),
        found(
            200,
            &[
                vary,
                modified,
                ("etag", "0"),
                ("content-type", "text/plain"),
            ],
            "two",
        ),
        found(304, &[vary], ""),
        found(408, &[vary], ""),
    ];
    assert!(
        known.iter().all(|base| base.as_ref() == Some(&url)),
        "{known:?}"
    );
    for (status, list, body) in [
        (200, &[stream][..], ""),
        (200, &[stream], ":\n\n"),
        (200, &[stream], ": ping\n\n"),
        (200, &[stream], "id: 1\ndata: : hi\n\n"),
        (200, &[("content-type", "text/html")], ": hi\n"),
        (
            200,
            &[vary, modified, ("etag", "0"), ("content-type", "text/html")],
            "<p>",
        ),
        (200, &[vary, modified, ("etag", "\"abc-1\"")], "two"),
        (200, &[modified, ("etag", "0")], "two"),
        (403, &[vary], "no"),
        (401, &[stream], ": hi\n"),
    ] {
        assert_eq!(found(status, list, body), None, "{status} {list:?} {body}");
    }
}

proptest! {
    #[test]
    fn any_id_is_read_or_not_and_any_place_comes_back(text in "\\PC{0,40}|[0-9:,\\[\\]-]{0,40}", pair in any::<bool>()) {
        if let Some(id) = MessageId::read(&text) {
            prop_assert!(id.channel < id.numbers.len());
            let _ = (id.order(), id.at(), id.in_channel());
        }
        let place = if pair {
            Place::of_answer(Some("Sun, 22 Nov 2026 03:58:01 GMT"), Some(&text))
        } else {
            Place::of_id(&text)
        };
        if let Some(place) = place {
            prop_assert_eq!(Place::read(&place.cursor()), Some(place));
        }
        let _ = (Place::read(&text), meta::read(&text));
    }
}
