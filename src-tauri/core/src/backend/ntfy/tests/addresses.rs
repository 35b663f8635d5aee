use crate::backend::ntfy::Ntfy;
use crate::backend::{Backend as _, FailureKind, Probed, Publication, Server};
use crate::model::{Body, Method, Mirror};
use proptest::prelude::*;
use serde_json::Value;
use url::Url;

fn taken_apart(address: &str) -> (String, Vec<String>) {
    let apart = Ntfy.address(&Url::parse(address).unwrap());
    (apart.base.into(), apart.topics)
}

fn base() -> Url {
    Url::parse("https://ex.test/folder/").unwrap()
}

fn server() -> Server {
    Server {
        base: base(),
        options: String::new(),
    }
}

#[test]
fn every_form_of_address_is_understood() {
    for (pasted, base, topics) in [
        ("https://ntfy.sh/mytopic", "https://ntfy.sh/", "mytopic"),
        ("https://ntfy.sh", "https://ntfy.sh/", ""),
        ("https://ntfy.sh/", "https://ntfy.sh/", ""),
        ("https://ntfy.sh/a,b", "https://ntfy.sh/", "a b"),
        ("https://ntfy.sh/a,,b,a,", "https://ntfy.sh/", "a b"),
        ("https://ntfy.sh/a,b/json", "https://ntfy.sh/", "a b"),
        (
            "https://ntfy.sh/a/sse?poll=1&since=all",
            "https://ntfy.sh/",
            "a",
        ),
        ("wss://ntfy.sh/a/ws?auth=QmFzaWM", "https://ntfy.sh/", "a"),
        ("ws://localhost:2586/a/ws", "http://localhost:2586/", "a"),
        ("https://ntfy.sh/a/raw", "https://ntfy.sh/", "a"),
        (
            "https://ntfy.sh/a/publish?message=x",
            "https://ntfy.sh/",
            "a",
        ),
        ("https://ntfy.sh/json", "https://ntfy.sh/", "json"),
        ("https://ntfy.sh/app", "https://ntfy.sh/", ""),
        ("https://ntfy.sh/v1/health", "https://ntfy.sh/", ""),
        ("ntfy://ntfy.sh/a", "https://ntfy.sh/", "a"),
        (
            "ntfy://ntfy.sh:8443/a?display=x",
            "https://ntfy.sh:8443/",
            "a",
        ),
        ("ntfy://ntfy.sh/a?secure=false", "http://ntfy.sh/", "a"),
        ("ntfy://ntfy.sh", "https://ntfy.sh/", ""),
        ("https://ex.test/folder/a", "https://ex.test/folder/", "a"),
        (
            "https://ex.test/folder/a/json",
            "https://ex.test/folder/",
            "a",
        ),
        ("https://ex.test/folder/", "https://ex.test/folder/", ""),
        (
            "https://ex.test/two%20words/a",
            "https://ex.test/two%20words/",
            "a",
        ),
        (
            "https://ex.test/not.a.topic",
            "https://ex.test/not.a.topic/",
            "",
        ),
        ("https://user:word@ex.test/a?x#y", "https://ex.test/", "a"),
        ("https://[::1]:8080/a", "https://[::1]:8080/", "a"),
    ] {
        let expected: Vec<String> = topics.split_whitespace().map(str::to_owned).collect();
        assert_eq!(taken_apart(pasted), (base.to_owned(), expected), "{pasted}");
    }
}

/// A topic can be published to by a GET: a publisher must not have us do that in our user's name.
#[test]
fn only_its_own_files_get_the_credential() {
    let base = server().base;
    for (path, is) in [
        ("file/b7c9.png", true),
        ("file/../alerts/publish?message=x", false),
        ("file/b7c9.png?auth=x", false),
        ("alerts/publish", false),
        ("filed/b7c9.png", false),
        ("//else.test/file/b7c9.png", false),
    ] {
        let url = base.join(path).unwrap();
        assert_eq!(Ntfy.is_file(&server(), &url), is, "{url}");
    }
}

#[test]
fn topics_are_what_the_server_takes_for_topics() {
    for topic in ["a", "A-b_9", &"x".repeat(64)] {
        assert_eq!(Ntfy.check_topic(topic), Ok(()), "{topic}");
    }
    for topic in [
        "",
        "a b",
        "a,b",
        "ä",
        "a/b",
        "..",
        "a.b",
        "docs",
        "v1",
        &"x".repeat(65),
    ] {
        let says = Ntfy.check_topic(topic).unwrap_err();
        assert!(says.ends_with('.'), "{topic}: {says}");
    }
}

#[test]
fn a_server_is_recognised_by_its_health() {
    assert_eq!(
        Ntfy.probes(&base())[0].url.as_str(),
        "https://ex.test/folder/v1/health"
    );
    let recognised = |status, body| {
        let url = base();
        let probed = Probed {
            probe: 0,
            url: &url,
            status,
            headers: &[],
            body,
        };
        Ntfy.recognise(&base(), &probed)
    };
    let found = recognised(200, "{\"healthy\":true}").unwrap();
    assert_eq!(found.address.base, base());
    assert!(recognised(200, "{\"healthy\":false}").is_some());
    for (status, body) in [
        (200, "{\"health\":\"green\",\"database\":\"green\"}"),
        (200, "<html>{\"healthy\":true}</html>"),
        (200, "{\"healthy\":\"yes\"}"),
        (200, "[]"),
        (200, ""),
        (404, "{\"healthy\":true}"),
    ] {
        assert_eq!(recognised(status, body), None, "{status} {body}");
    }
}

#[test]
fn access_is_asked_for_and_judged() {
    let request = Ntfy.access(&server(), "alerts").unwrap();
    assert_eq!(
        Ntfy.access(&server(), ""),
        None,
        "there is nothing to ask for"
    );
    assert_eq!(
        (request.method, request.url.as_str()),
        (Method::Get, "https://ex.test/folder/alerts/auth")
    );
    assert_eq!(
        Ntfy.judge_access(200, "{\"success\":true}", "alerts"),
        Ok(())
    );
    for (status, body, kind) in [
        (401, "", FailureKind::SignIn),
        (403, "", FailureKind::Forbidden),
        (404, "", FailureKind::WrongAddress),
        (200, "<html>", FailureKind::WrongAddress),
        (200, "{\"success\":false}", FailureKind::WrongAddress),
        (429, "", FailureKind::Transient),
        (502, "", FailureKind::Transient),
    ] {
        assert_eq!(
            Ntfy.judge_access(status, body, "alerts").unwrap_err().kind,
            kind,
            "{status}"
        );
    }
    assert!(
        Ntfy.judge_access(403, "", "alerts")
            .unwrap_err()
            .says
            .contains("alerts")
    );
}

#[test]
fn read_and_delete_are_mirrored() {
    let read = Ntfy
        .mirror(&server(), "alerts", "job-42", Mirror::Read)
        .unwrap();
    assert_eq!(
        (read.method, read.url.as_str()),
        (Method::Put, "https://ex.test/folder/alerts/job-42/clear")
    );
    let delete = Ntfy
        .mirror(&server(), "alerts", "job-42", Mirror::Delete)
        .unwrap();
    assert_eq!(
        (delete.method, delete.url.as_str()),
        (Method::Delete, "https://ex.test/folder/alerts/job-42")
    );
}

#[test]
fn a_key_never_leads_elsewhere() {
    for key in ["", ".", ".."] {
        assert_eq!(Ntfy.mirror(&server(), "alerts", key, Mirror::Read), None);
        assert_eq!(Ntfy.mirror(&server(), key, "job", Mirror::Delete), None);
    }
    let odd = Ntfy
        .mirror(&server(), "alerts", "a/../b?c#d%2f e", Mirror::Delete)
        .unwrap();
    assert_eq!(
        odd.url.as_str(),
        "https://ex.test/folder/alerts/a%2F..%2Fb%3Fc%23d%252f%20e"
    );
}

#[test]
fn publishing_says_only_what_was_given() {
    let body = |publication: &Publication| -> Value {
        let request = Ntfy.publish(&server(), publication).unwrap();
        assert_eq!(
            (request.method, request.url.as_str()),
            (Method::Post, "https://ex.test/folder/")
        );
        let Body::Bytes { media_type, bytes } = request.body else {
            panic!("no body");
        };
        assert_eq!(media_type, "application/json");
        serde_json::from_slice(&bytes).unwrap()
    };
    let mut publication = Publication {
        topic: "alerts".to_owned(),
        title: String::new(),
        priority: None,
        tags: Vec::new(),
        body: "line\n\"two\"".to_owned(),
        at: String::new(),
        attach: None,
    };
    assert_eq!(
        body(&publication),
        serde_json::json!({"topic": "alerts", "message": "line\n\"two\""})
    );
    publication.title = "t".to_owned();
    publication.priority = Some(9);
    publication.tags = vec!["skull".to_owned()];
    assert_eq!(
        body(&publication),
        serde_json::json!({"topic": "alerts", "message": "line\n\"two\"", "title": "t", "priority": 5, "tags": ["skull"]})
    );
}

#[test]
fn what_was_published_has_an_id() {
    assert_eq!(
        Ntfy.published(200, "{\"id\":\"abc\",\"event\":\"message\"}"),
        Ok("abc".to_owned())
    );
    for (status, kind) in [
        (200, FailureKind::WrongAddress),
        (401, FailureKind::SignIn),
        (403, FailureKind::Forbidden),
        (413, FailureKind::Forbidden),
        (429, FailureKind::Transient),
        (507, FailureKind::Transient),
    ] {
        let failure = Ntfy.published(status, "<html>").unwrap_err();
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.says.ends_with('.'));
    }
}

proptest! {
    #[test]
    fn taking_apart_ends_in_a_base_that_stays_the_same(path in "(/(json|v1|app|a,b|[a-z%20.,]{0,6})){0,4}/?") {
        let Ok(url) = Url::parse(&format!("https://ex.test{path}")) else { return Ok(()) };
        let apart = Ntfy.address(&url);
        prop_assert!(apart.base.as_str().ends_with('/'));
        prop_assert!(apart.topics.iter().all(|topic| Ntfy.check_topic(topic).is_ok()));
        let again = Ntfy.address(&apart.base);
        prop_assert_eq!(again.base, apart.base);
        prop_assert!(again.topics.is_empty());
    }

    #[test]
    fn no_key_leaves_the_folder(topic in "\\PC{1,8}", key in "\\PC{1,8}") {
        if let Some(request) = Ntfy.mirror(&server(), &topic, &key, Mirror::Delete) {
            prop_assert_eq!(request.url.path_segments().unwrap().count(), 3);
            prop_assert!(request.url.path().starts_with("/folder/"));
            prop_assert!(request.url.query().is_none() && request.url.fragment().is_none());
        }
    }
}
