//! Addresses, requests, and what gives a server away.

use crate::backend::gotify::Gotify;
use crate::backend::{Backend as _, Probed, Publication, Server};
use crate::model::{Body, HttpRequest, Method, Mirror, SignIn};
use serde_json::{Value, json};
use url::Url;

fn server() -> Server {
    Server {
        base: Url::parse("https://ex.test/gotify/").unwrap(),
        options: String::new(),
    }
}

fn body(request: &HttpRequest) -> Value {
    match &request.body {
        Body::Bytes { media_type, bytes } => {
            assert_eq!(media_type, "application/json");
            serde_json::from_slice(bytes).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_pasted_is_taken_apart() {
    for (pasted, base) in [
        ("https://ex.test", "https://ex.test/"),
        (
            "https://ex.test:8443/?token=Cx#/login",
            "https://ex.test:8443/",
        ),
        ("https://ex.test/gotify", "https://ex.test/gotify/"),
        (
            "https://ex.test/gotify/#/messages/5",
            "https://ex.test/gotify/",
        ),
        ("https://ex.test/a/b/stream", "https://ex.test/a/b/"),
        (
            "wss://ex.test/gotify/stream?token=Cabc",
            "https://ex.test/gotify/",
        ),
        ("ws://127.0.0.1:8080/stream", "http://127.0.0.1:8080/"),
        ("https://ex.test/message?token=A123", "https://ex.test/"),
        ("https://ex.test/application/5/message", "https://ex.test/"),
        (
            "https://ex.test/push/application/5/image",
            "https://ex.test/push/",
        ),
        (
            "https://ex.test/auth/oidc/callback?code=1",
            "https://ex.test/",
        ),
        ("https://ex.test/x/gotifyinfo", "https://ex.test/x/"),
        ("https://ex.test/index.html", "https://ex.test/"),
        (
            "https://ex.test/docs/gotify",
            "https://ex.test/docs/gotify/",
        ),
        ("https://ex.test/p%C3%BCsh", "https://ex.test/p%C3%BCsh/"),
        ("gotify://ex.test", "https://ex.test/"),
        ("gotify://ex.test:8080/push/", "https://ex.test:8080/push/"),
        ("gotify://ex.test/AbcdefghijkLmno", "https://ex.test/"),
        (
            "gotify://ex.test/push/A.cdefghijkLm_o",
            "https://ex.test/push/",
        ),
    ] {
        let address = Gotify.address(&Url::parse(pasted).unwrap());
        assert_eq!(address.base.as_str(), base, "{pasted}");
        assert!(address.topics.is_empty() && address.options.is_empty());
        assert_eq!(Gotify.address(&address.base).base, address.base, "{pasted}");
    }
}

#[test]
fn a_server_is_known_by_what_it_says_of_itself() {
    let pasted = Url::parse("https://ex.test/gotify/#/messages").unwrap();
    let probes = Gotify.probes(&pasted);
    let urls: Vec<_> = probes.iter().map(|probe| probe.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://ex.test/gotify/gotifyinfo",
            "https://ex.test/gotify/version"
        ]
    );
    for (status, body, says) in [
        (
            200,
            r#"{"version":"3.0.0","register":false,"oidc":false}"#,
            Some("It answers as Gotify 3.0.0."),
        ),
        (
            200,
            r#"{"version":"3.1.0","register":false,"localAuth":true,"oidc":true,"oidcIdpName":"SSO"}"#,
            Some("It answers as Gotify 3.1.0. It can sign you in in the browser."),
        ),
        (
            200,
            r#"{"version":"2.6.1","commit":"abc","buildDate":"2024-09-01-10:00:00"}"#,
            Some("It answers as Gotify 2.6.1."),
        ),
        (
            404,
            r#"{"version":"2.6.1","commit":"abc","buildDate":"x"}"#,
            None,
        ),
        (200, r#"{"version":"1.0"}"#, None),
        (200, r#"{"healthy":true}"#, None),
        (200, "<html>", None),
        (200, "", None),
    ] {
        let probed = Probed {
            probe: 0,
            url: &probes[0].url,
            status,
            headers: &[],
            body,
        };
        let found = Gotify.recognise(&pasted, &probed);
        assert_eq!(
            found.as_ref().map(|found| found.says.as_str()),
            says,
            "{body}"
        );
        if let Some(found) = found {
            assert_eq!(found.address.base.as_str(), "https://ex.test/gotify/");
        }
    }
}

#[test]
fn topics_are_numbers_and_tokens_are_clients() {
    for topic in ["1", "5", "123456789"] {
        assert_eq!(Gotify.check_topic(topic), Ok(()));
    }
    for topic in ["", "0", "05", "-1", "x", "5/../6", "1234567890123456"] {
        assert!(
            Gotify.check_topic(topic).unwrap_err().ends_with('.'),
            "{topic}"
        );
    }
    for token in ["CbcdefghijkLmno", "gtfyc.c2VlZA", "anything else", ""] {
        assert_eq!(Gotify.check_token(token), Ok(()), "{token}");
    }
    for token in ["AbcdefghijkLmno", "gtfya.c2VlZA"] {
        let says = Gotify.check_token(token).unwrap_err();
        assert!(says.contains("client token") && !says.contains(token));
    }
    let sent = Gotify.sent_as(&server(), &SignIn::Token);
    assert_eq!(
        sent,
        SignIn::Header {
            name: "X-Gotify-Key".to_owned()
        }
    );
    let basic = SignIn::Basic {
        user: "u".to_owned(),
    };
    assert_eq!(Gotify.sent_as(&server(), &basic), basic);
}

#[test]
fn deletes_are_told_and_reads_are_not() {
    let told = |key: &str, change| Gotify.mirror(&server(), "5", key, change);
    for key in ["25", "25~1"] {
        let request = told(key, Mirror::Delete).unwrap();
        assert_eq!(request.method, Method::Delete);
        assert_eq!(request.url.as_str(), "https://ex.test/gotify/message/25");
    }
    assert_eq!(told("25", Mirror::Read), None);
    for key in ["", ".", "..", "x", "-1", "0"] {
        assert_eq!(told(key, Mirror::Delete), None, "{key}");
    }
}

#[test]
fn a_password_becomes_a_client() {
    let request = Gotify.exchange(&server(), "Tidings on here").unwrap();
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url.as_str(), "https://ex.test/gotify/client");
    assert_eq!(
        body(&request),
        json!({"name": "Tidings on here", "expiresAfterInactivitySeconds": 0})
    );
    let answer = r#"{"id":3,"token":"CbcdefghijkLmno","name":"Tidings on here","lastUsed":null}"#;
    let token = Gotify.exchanged(200, answer).unwrap();
    assert_eq!(token.as_deref(), Some("CbcdefghijkLmno"));
}

#[test]
fn the_browser_is_sent_to_the_provider_and_brings_back_a_token() {
    let browser = Gotify.browser().unwrap();
    let redirect = Url::parse("http://127.0.0.1:4321/signed-in").unwrap();
    let request = browser.begin(&server(), "Tidings on here", &redirect, "challenge");
    assert_eq!(
        request.url.as_str(),
        "https://ex.test/gotify/auth/oidc/external/authorize"
    );
    assert_eq!(
        body(&request),
        json!({
            "code_challenge": "challenge",
            "redirect_uri": "http://127.0.0.1:4321/signed-in",
            "name": "Tidings on here",
        })
    );
    let answer = json!({"authorize_url": "https://sso.test/authorize?state=s1", "state": "s1"});
    let page = browser.page(200, &answer.to_string()).unwrap();
    assert_eq!(
        (page.url.host_str(), page.state.as_str()),
        (Some("sso.test"), "s1")
    );
    for wrong in [
        json!({"authorize_url": "javascript:alert(1)", "state": "s1"}),
        json!({"authorize_url": "https://sso.test/", "state": ""}),
        json!({"state": "s1"}),
        json!([]),
    ] {
        assert!(browser.page(200, &wrong.to_string()).is_err(), "{wrong}");
    }
    let request = browser.token(&server(), "c1", "s1", "verifier");
    assert_eq!(
        request.url.as_str(),
        "https://ex.test/gotify/auth/oidc/external/token"
    );
    assert_eq!(
        body(&request),
        json!({"code": "c1", "state": "s1", "code_verifier": "verifier"})
    );
    let answer = r#"{"token":"gtfyc.c2VlZA","user":{"id":1,"name":"u","admin":false}}"#;
    assert_eq!(browser.signed_in(200, answer).unwrap(), "gtfyc.c2VlZA");
}

#[test]
fn a_client_sends_for_an_application() {
    let publication = Publication {
        topic: "5".to_owned(),
        title: "t".to_owned(),
        priority: Some(5),
        tags: vec!["x".to_owned()],
        body: "b".to_owned(),
        at: String::new(),
        attach: None,
    };
    let request = Gotify.publish(&server(), &publication).unwrap();
    assert_eq!(request.url.as_str(), "https://ex.test/gotify/message");
    assert_eq!(
        body(&request),
        json!({"appid": 5, "message": "b", "title": "t", "priority": 8})
    );
    let nowhere = Publication {
        topic: "alerts".to_owned(),
        ..publication
    };
    assert_eq!(Gotify.publish(&server(), &nowhere), None);
    assert_eq!(Gotify.published(200, r#"{"id":9,"appid":5}"#).unwrap(), "9");
}

#[test]
fn access_is_asked_for_without_and_with_an_application() {
    let url = |topic| Gotify.access(&server(), topic).unwrap().url.to_string();
    assert_eq!(url(""), "https://ex.test/gotify/current/user");
    assert_eq!(
        url("5"),
        "https://ex.test/gotify/application/5/message?limit=1"
    );
}

#[test]
fn only_its_own_pictures_get_the_credential() {
    for (url, is) in [
        ("https://ex.test/gotify/image/Ab9.png", true),
        ("https://ex.test/gotify/image/../message?token=x", false),
        ("https://ex.test/gotify/image/a.png?x=1", false),
        ("https://ex.test/gotify/images/a.png", false),
        ("https://ex.test/image/a.png", false),
        ("https://ex.test:444/gotify/image/a.png", false),
        ("http://ex.test/gotify/image/a.png", false),
        ("https://else.test/gotify/image/a.png", false),
    ] {
        assert_eq!(
            Gotify.is_file(&server(), &url.parse().unwrap()),
            is,
            "{url}"
        );
    }
}
