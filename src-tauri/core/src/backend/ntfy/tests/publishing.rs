//! What is published with a time or a file, and what servers say to that.

use crate::backend::ntfy::Ntfy;
use crate::backend::{Attach, Backend as _, Publication, Server};
use crate::model::{Body, HttpRequest, Method};
use serde_json::{Value, json};

fn publish(publication: &Publication) -> HttpRequest {
    assert_eq!(Ntfy.check_publication(publication), Ok(()));
    let server = Server {
        base: "https://ntfy.ex.test/".parse().unwrap(),
        options: String::new(),
    };
    Ntfy.publish(&server, publication).unwrap()
}

fn publication() -> Publication {
    Publication {
        topic: "alerts".to_owned(),
        title: "Größe".to_owned(),
        priority: Some(9),
        tags: vec!["a".to_owned(), "b".to_owned()],
        body: "one\ntwo".to_owned(),
        at: "30m".to_owned(),
        attach: None,
    }
}

#[test]
fn a_time_and_a_link_go_with_the_message() {
    let request = publish(&Publication {
        attach: Some(Attach::Link("https://ex.test/a.jpg".to_owned())),
        ..publication()
    });
    assert_eq!(request.url.as_str(), "https://ntfy.ex.test/");
    let Body::Bytes { bytes, .. } = &request.body else {
        panic!("{request:?}")
    };
    let sent: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(
        sent,
        json!({"topic": "alerts", "title": "Größe", "priority": 5, "tags": ["a", "b"], "message": "one\ntwo",
            "delay": "30m", "attach": "https://ex.test/a.jpg"})
    );
}

#[test]
fn a_file_is_the_body_and_all_else_is_in_headers() {
    let request = publish(&Publication {
        attach: Some(Attach::File {
            name: "door =?.jpg".to_owned(),
            bytes: vec![0, 159, 7],
        }),
        ..publication()
    });
    assert_eq!(request.method, Method::Put);
    assert_eq!(request.url.as_str(), "https://ntfy.ex.test/alerts");
    let Body::Bytes { bytes, .. } = &request.body else {
        panic!("{request:?}")
    };
    assert_eq!(bytes, &[0, 159, 7]);
    let expected = [
        ("X-Filename", "=?UTF-8?B?ZG9vciA9Py5qcGc=?="),
        ("X-Message", "=?UTF-8?B?b25lCnR3bw==?="),
        ("X-Title", "=?UTF-8?B?R3LDtsOfZQ==?="),
        ("X-Priority", "5"),
        ("X-Tags", "a,b"),
        ("X-Delay", "30m"),
    ];
    assert_eq!(
        request.headers,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let said = format!("{request:?}{:?}", publication());
    assert!(!said.is_empty());
}

#[test]
fn every_refusal_says_what_to_do() {
    let said = |status, code: u32| {
        let body = format!("{{\"code\":{code},\"http\":{status},\"error\":\"x\"}}");
        Ntfy.published(status, &body).unwrap_err().says
    };
    for (status, code, word) in [
        (400, 40004, "30m"),
        (400, 40005, "10 seconds"),
        (400, 40006, "three days"),
        (400, 40013, "https://"),
        (400, 40014, "takes no attachments"),
        (400, 40015, "delivered"),
        (413, 41301, "account test"),
        (507, 50701, "no room"),
        (403, 40301, "write access"),
        (429, 42901, "60 at once"),
        (429, 42908, "midnight"),
        (429, 42905, "in the course of a day"),
        (429, 42907, "reserve"),
    ] {
        let says = said(status, code);
        assert!(says.contains(word) && says.ends_with('.'), "{code}: {says}");
    }
}

/// Families that cannot wait or carry a file say so before anything is sent.
#[test]
fn the_others_say_what_they_cannot_do() {
    use crate::backend::registry;
    for backend in registry::backends() {
        if backend.kind() == Ntfy.kind() {
            continue;
        }
        let name = backend.capabilities().name;
        let late = backend.check_publication(&publication()).unwrap_err();
        assert!(late.contains(name) && late.contains("at once"), "{late}");
        let file = backend.check_publication(&Publication {
            at: String::new(),
            attach: Some(Attach::Link("https://ex.test/".to_owned())),
            ..publication()
        });
        assert!(file.unwrap_err().contains("attachments"));
    }
}
