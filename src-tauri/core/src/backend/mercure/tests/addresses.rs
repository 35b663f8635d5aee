//! Addresses, and how a hub is found.

use crate::backend::mercure::Mercure;
use crate::backend::{Backend as _, Found, Probed, Publication, Server};
use crate::model::Body;
use url::Url;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn pasted_addresses_are_taken_apart() {
    let hub = "https://ex.test/.well-known/mercure";
    let table: &[(&str, &str, &[&str], &str)] = &[
        ("https://ex.test", hub, &[], ""),
        ("https://ex.test/", hub, &[], ""),
        ("wss://ex.test/", hub, &[], ""),
        (hub, hub, &[], ""),
        (
            "https://ex.test/.well-known/mercure/subscriptions/a",
            hub,
            &[],
            "",
        ),
        (
            "https://ex.test/.well-known/mercure?topic=https%3A%2F%2Fex.test%2Fa&topic=b&authorization=secret#x",
            hub,
            &["https://ex.test/a", "b"],
            "",
        ),
        (
            "https://ex.test/.well-known/mercure?match=a&match_urlpattern=b&last_event_id=1",
            hub,
            &["a", "b"],
            r#"{"dialect":"1.0"}"#,
        ),
        (
            "https://ex.test/app/",
            "https://ex.test/app/.well-known/mercure",
            &[],
            "",
        ),
        (
            "http://ex.test:3000/hub",
            "http://ex.test:3000/hub",
            &[],
            "",
        ),
    ];
    for (pasted, base, topics, options) in table {
        let address = Mercure.address(&url(pasted));
        assert_eq!(address.base.as_str(), *base, "{pasted}");
        assert_eq!(address.topics, *topics);
        assert_eq!(address.options, *options);
    }
}

#[test]
fn a_page_is_asked_first_and_then_where_a_hub_would_be() {
    let table: &[(&str, &[&str])] = &[
        (
            "https://ex.test/",
            &["https://ex.test/", "https://ex.test/.well-known/mercure"],
        ),
        (
            "https://ex.test/books/1?x=y",
            &[
                "https://ex.test/books/1?x=y",
                "https://ex.test/books/1/.well-known/mercure",
                "https://ex.test/.well-known/mercure",
            ],
        ),
        (
            "https://ex.test/.well-known/mercure?topic=a",
            &["https://ex.test/.well-known/mercure"],
        ),
        (
            "https://ex.test/app/.well-known/mercure",
            &[
                "https://ex.test/app/.well-known/mercure",
                "https://ex.test/.well-known/mercure",
            ],
        ),
    ];
    for (pasted, probes) in table {
        let asked: Vec<_> = Mercure
            .probes(&url(pasted))
            .into_iter()
            .map(|request| request.url.to_string())
            .collect();
        assert_eq!(asked, *probes);
    }
}

fn recognised(asked: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Option<Found> {
    let headers = super::script::headers(headers);
    Mercure.recognise(
        &url("https://ex.test/"),
        &Probed {
            probe: 0,
            url: &url(asked),
            status,
            headers: &headers,
            body,
        },
    )
}

/// Where, status, headers, body, and the options that follow if it is a hub.
type Answer<'a> = (
    &'a str,
    u16,
    &'a [(&'a str, &'a str)],
    &'a str,
    Option<&'a str>,
);

#[test]
fn hubs_give_themselves_away() {
    let hub = "https://ex.test/.well-known/mercure";
    let text = ("content-type", "text/plain; charset=utf-8");
    let zero = Some(r#"{"dialect":"0.x"}"#);
    let one = Some(r#"{"dialect":"1.0"}"#);
    let challenge = "Bearer resource_metadata=\"https://ex.test/.well-known/oauth-protected-resource/.well-known/mercure\"";
    let table: &[Answer<'_>] = &[
        (hub, 400, &[text], "Missing \"topic\" parameter.\n", zero),
        (
            "https://ex.test/hub",
            400,
            &[text],
            "Missing \"topic\" parameter.\n",
            zero,
        ),
        (
            hub,
            400,
            &[text],
            "missing topic matcher, use \"match\"\n",
            one,
        ),
        (hub, 401, &[text], "Unauthorized\n", zero),
        (
            hub,
            401,
            &[("content-type", "text/html")],
            "<title>401 Unauthorized</title>",
            zero,
        ),
        (
            hub,
            401,
            &[("www-authenticate", challenge)],
            "Unauthorized\n",
            one,
        ),
        (
            hub,
            200,
            &[("content-type", "text/event-stream; charset=utf-8")],
            "",
            Some(""),
        ),
        (
            hub,
            401,
            &[("www-authenticate", "Basic realm=\"x\"")],
            "Unauthorized",
            None,
        ),
        (
            hub,
            401,
            &[("content-type", "application/json")],
            "{\"error\":\"unauthorized\"}",
            None,
        ),
        ("https://ex.test/", 401, &[text], "Unauthorized\n", None),
        (hub, 404, &[text], "404 page not found\n", None),
        (
            hub,
            200,
            &[("content-type", "text/html")],
            "<p>Welcome",
            None,
        ),
        (hub, 400, &[text], "bad request", None),
        (
            hub,
            400,
            &[("content-type", "text/html")],
            "<p>no topic",
            None,
        ),
        (
            "https://ex.test/",
            200,
            &[("content-type", "text/event-stream")],
            "",
            None,
        ),
    ];
    for (asked, status, headers, body, options) in table {
        let found = recognised(asked, *status, headers, body);
        let known = found.as_ref().map(|found| &*found.address.options);
        assert_eq!(known, *options, "{asked} {status} {body}");
        if let Some(found) = found {
            assert_eq!(found.address.base.as_str(), *asked);
            assert!(found.says.ends_with('.'));
        }
    }
}

#[test]
fn a_page_names_its_hub() {
    let page = "https://ex.test/books/1?lang=fr";
    let table: &[(&[&str], &str, &str, &str)] = &[
        (
            &["<https://hub.test/.well-known/mercure>; rel=\"mercure\""],
            "https://hub.test/.well-known/mercure",
            page,
            "",
        ),
        (
            &[
                "</docs>; rel=help, </.well-known/mercure>;rel=mercure ; last-event-id=\"urn:uuid:1,\\\"2\\\"\"",
                "</books/1>; rel=\"canonical self\"",
            ],
            "https://ex.test/.well-known/mercure",
            "https://ex.test/books/1",
            r#"{"last_event_id":"urn:uuid:1,\"2\""}"#,
        ),
        (
            &["<https://hub.test/hub?topic=x>; REL=Mercure"],
            "https://hub.test/hub",
            "x",
            "",
        ),
    ];
    for (links, base, topic, options) in table {
        let headers: Vec<_> = links.iter().map(|link| ("link", *link)).collect();
        let found = recognised(page, 200, &headers, "").expect("it is named");
        assert_eq!(found.address.base.as_str(), *base);
        assert_eq!(found.address.topics, [*topic]);
        assert_eq!(found.address.options, *options);
    }
    let wrong = [
        "",
        "<",
        "<x",
        "<x>; rel=next",
        "<javascript:x>; rel=mercure",
        ";rel=mercure",
        "<x>; rel",
    ];
    for link in wrong {
        assert_eq!(recognised(page, 200, &[("link", link)], ""), None, "{link}");
    }
}

#[test]
fn topics_are_checked() {
    for topic in ["a", "*", "https://ex.test/{id}", "ä b"] {
        assert_eq!(Mercure.check_topic(topic), Ok(()));
    }
    for topic in ["", " ", "a\nb", &"x".repeat(5000)] {
        assert!(Mercure.check_topic(topic).unwrap_err().ends_with('.'));
    }
}

#[test]
fn something_can_be_published_and_the_credential_tried() {
    let server = |options: &str| Server {
        base: url("https://ex.test/.well-known/mercure"),
        options: options.to_owned(),
    };
    let mut publication = Publication {
        topic: "a b".to_owned(),
        title: String::new(),
        priority: None,
        tags: Vec::new(),
        body: "x&y".to_owned(),
        at: String::new(),
        attach: None,
    };
    let sent =
        |publication: &Publication| match Mercure.publish(&server(""), publication).unwrap().body {
            Body::Bytes { bytes, .. } => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        };
    assert_eq!(sent(&publication), "topic=a+b&data=x%26y");
    publication.priority = Some(9);
    assert!(sent(&publication).contains("%22priority%22%3A5"));
    let fetched = server(r#"{"token_url":"https://ex.test/token"}"#);
    assert_eq!(Mercure.publish(&fetched, &publication), None);
    assert_eq!(
        Mercure.published(200, "urn:uuid:1\n").as_deref(),
        Ok("urn:uuid:1")
    );
    assert!(Mercure.published(403, "").is_err() && Mercure.published(400, "x").is_err());

    let asked = |server: &Server, topic: &str| {
        Mercure
            .access(server, topic)
            .map(|request| request.url.to_string())
    };
    let hub = "https://ex.test/.well-known/mercure";
    assert_eq!(asked(&server(""), ""), None);
    assert_eq!(asked(&server(""), "a"), Some(format!("{hub}?topic=a")));
    assert_eq!(
        asked(&server(r#"{"dialect":"1.0"}"#), "a"),
        Some(format!("{hub}?match=a"))
    );
    assert_eq!(
        asked(&fetched, ""),
        Some("https://ex.test/token".to_owned())
    );
    assert!(Mercure.judge_access(200, "", "a").is_ok());
    assert!(Mercure.judge_access(400, "use \"match\"", "a").is_ok());
    assert!(Mercure.judge_access(401, "", "a").is_err());
}
