//! What an address gives away.

use super::script::{Script, Setup};
use crate::backend::custom::Custom;
use crate::backend::{Backend as _, FailureKind, Input, Probed, Server};
use crate::model::TransportKind;
use url::Url;

fn recognised(
    pasted: &str,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<TransportKind> {
    let pasted = Url::parse(pasted).unwrap();
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let requests = Custom.probes(&pasted);
    let found = Custom.recognise(
        &pasted,
        &Probed {
            probe: 0,
            url: &requests[0].url,
            status,
            headers: &headers,
            body,
        },
    )?;
    assert!(found.says.ends_with('.'));
    let server = Server {
        base: found.address.base,
        options: found.address.options,
    };
    let transports = Custom.transports(&server);
    assert_eq!(transports.len(), 1);
    Some(transports[0])
}

#[test]
fn streams_and_lists_are_claimed_and_nothing_else() {
    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
    let here = "https://ex.test/events?x=1";
    for (status, headers, body, claimed) in [
        (
            200,
            &[("content-type", "text/event-stream;charset=utf-8")][..],
            "",
            Some(TransportKind::Sse),
        ),
        (
            200,
            &[("content-type", "application/x-ndjson")],
            "",
            Some(TransportKind::HttpStream),
        ),
        (
            426,
            &[("upgrade", "websocket")],
            "",
            Some(TransportKind::Websocket),
        ),
        (
            400,
            &[("sec-websocket-version", "13")],
            "",
            Some(TransportKind::Websocket),
        ),
        (
            200,
            &[JSON],
            r#"{"events":[],"cursor":"1"}"#,
            Some(TransportKind::LongPoll),
        ),
        (
            200,
            &[JSON],
            r#"{"data":[{"title":"x"}],"next_cursor":5}"#,
            Some(TransportKind::LongPoll),
        ),
        (
            200,
            &[JSON],
            r#"[{"id":1,"message":"x"}]"#,
            Some(TransportKind::Poll),
        ),
        (200, &[JSON], "[]", Some(TransportKind::Poll)),
        (
            200,
            &[("content-type", "text/html")],
            r#"{"events":[],"cursor":"1"}"#,
            None,
        ),
        (200, &[("content-type", "text/html")], "<html></html>", None),
        (200, &[], r#"[{"title":"x"}]"#, None),
        (200, &[JSON], r#"{"healthy":true}"#, None),
        (200, &[JSON], r#"{"events":[]}"#, None),
        (200, &[JSON], r#"{"cursor":"1"}"#, None),
        (200, &[JSON], r#"[{"price":5}]"#, None),
        (200, &[JSON], "[1,2]", None),
        (200, &[JSON], r#"{"events":[],"cur"#, None),
        (400, &[JSON], "", None),
        (401, &[("content-type", "text/event-stream")], "", None),
        (404, &[("content-type", "text/event-stream")], "", None),
        (500, &[("upgrade", "websocket")], "", None),
    ] {
        assert_eq!(
            recognised(here, status, headers, body),
            claimed,
            "{status} {headers:?} {body}"
        );
    }
    assert_eq!(
        recognised("wss://ex.test/ws", 400, &[], ""),
        Some(TransportKind::Websocket)
    );
    assert_eq!(
        recognised(
            "wss://ex.test/ws",
            200,
            &[("content-type", "text/html")],
            ""
        ),
        None
    );
}

#[test]
fn an_address_is_kept_whole() {
    let pasted = Url::parse("wss://ex.test/a/b?x=1#frag").unwrap();
    let address = Custom.address(&pasted);
    assert_eq!(address.base.as_str(), "https://ex.test/a/b?x=1");
    assert!(address.topics.is_empty() && address.options.is_empty());
    assert_eq!(
        Custom.probes(&pasted)[0].url.as_str(),
        "https://ex.test/a/b?x=1"
    );
    let bare = Server {
        base: pasted,
        options: String::new(),
    };
    assert_eq!(
        Custom.transports(&bare),
        [
            TransportKind::LongPoll,
            TransportKind::HttpStream,
            TransportKind::Sse,
            TransportKind::Websocket
        ]
    );
}

#[test]
fn a_described_server_is_tested_by_its_own_requests() {
    let server = |options: &str| Server {
        base: Url::parse("https://ex.test/").unwrap(),
        options: options.to_owned(),
    };
    assert_eq!(Custom.test_probes(&server("")).len(), 1);
    assert!(
        Custom
            .test_probes(&server(r#"{"preset":"mastodon"}"#))
            .is_empty()
    );
    let access = Custom
        .access(&server(r#"{"preset":"mastodon"}"#), "")
        .unwrap();
    assert_eq!(
        access.url.as_str(),
        "https://ex.test/api/v1/notifications?limit=40"
    );
    let login = Custom
        .access(&server(r#"{"preset":"novu"}"#), "app")
        .unwrap();
    assert_eq!(login.url.as_str(), "https://ex.test/v1/inbox/session");
    assert!(Custom.access(&server(""), "").is_none());
    assert!(Custom.judge_access(200, "", "").is_ok());
    assert!(Custom.judge_access(401, "", "").is_err());
}

#[test]
fn an_address_of_which_nothing_is_known_is_found_out_by_trying() {
    let script = |transport| Script::new(&Setup::new(String::new(), transport));
    let blocked = |script: Script| {
        assert_eq!(script.failure.unwrap().kind, FailureKind::Blocked);
    };
    for media_type in ["text/event-stream", "application/x-ndjson"] {
        let mut asked = script(TransportKind::LongPoll);
        asked.answer_with(&[("content-type", media_type)], "");
        blocked(asked);
    }
    let mut asked = script(TransportKind::LongPoll);
    asked.refuse(426);
    blocked(asked);
    let mut lines = script(TransportKind::HttpStream);
    let stream = ("content-type".to_owned(), "text/event-stream".to_owned());
    lines.tell(Input::Opened { headers: &[stream] });
    blocked(lines);
    let mut events = script(TransportKind::Sse);
    events.tell(Input::Refused {
        status: 400,
        headers: &[],
        retry_after: None,
        body: "",
    });
    blocked(events);
}
