//! Tokens: found, renewed, never done without.

use super::script::{Script, headers, resume, sent};
use crate::backend::mercure::Mercure;
use crate::backend::mercure::token;
use crate::backend::{Backend as _, Effect, FailureKind, Read, Server};
use crate::model::{Body, Hidden, Method, Sign};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

const A: &str = "https://ex.test/a";

fn jwt(claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({"alg": "HS256"})),
        part(claims)
    )
}

fn options(more: Value) -> String {
    let mut options = json!({"token_url": "https://app.ex.test/token"});
    options.as_object_mut().unwrap().extend(match more {
        Value::Object(more) => more,
        _ => serde_json::Map::new(),
    });
    options.to_string()
}

fn now() -> Timestamp {
    Timestamp::from_second(super::script::NOW).unwrap()
}

fn find(body: &str, pointer: &str) -> Option<(String, Option<u64>)> {
    token::find(&[], body, pointer, now())
        .map(|token| (token.text.0, token.lasts.map(|lasts| lasts.as_secs())))
}

#[test]
fn a_token_is_found_where_applications_put_it() {
    let plain = jwt(&json!({"mercure": {"subscribe": ["*"]}}));
    let body = |name: &str| json!({name: plain, "user": "ada"}).to_string();
    for name in [
        "token",
        "access_token",
        "accessToken",
        "jwt",
        "mercure_token",
    ] {
        assert_eq!(find(&body(name), ""), Some((plain.clone(), None)), "{name}");
    }
    assert_eq!(find(&format!("{plain}\n"), ""), Some((plain.clone(), None)));
    assert_eq!(
        find(&format!("\"{plain}\""), ""),
        Some((plain.clone(), None))
    );
    let deep = json!({"data": {"mercure": plain}}).to_string();
    assert_eq!(find(&deep, ""), None);
    assert_eq!(find(&deep, "/data/mercure"), Some((plain.clone(), None)));
    assert_eq!(find(&deep, "/data/other"), None);
    let cookies = headers(&[
        ("set-cookie", "session=1; HttpOnly"),
        (
            "set-cookie",
            "mercureAuthorization=abc.def.ghi; path=/.well-known/mercure; secure",
        ),
    ]);
    let found = token::find(&cookies, "<p>Hello", "", now()).unwrap();
    assert_eq!(found.text, Hidden("abc.def.ghi".to_owned()));
    for wrong in [
        "",
        "<html>",
        "ok",
        "{}",
        r#"{"token":""}"#,
        r#"{"token":"a b"}"#,
        r#"{"token":7}"#,
        "a.b.c",
    ] {
        assert_eq!(find(wrong, ""), None, "{wrong}");
    }
}

/// Between its two times, which are of one clock; ours may be wrong.
#[test]
fn how_long_a_token_lasts_is_read_from_it() {
    let second = super::script::NOW;
    let table = [
        (json!({"exp": second + 600}), Some(600)),
        (json!({"iat": 1000, "exp": 4600}), Some(3600)),
        (json!({"iat": 1000.5, "exp": 4600.25}), Some(3600)),
        (json!({"exp": second - 1}), None),
        (json!({"iat": "x", "exp": "y"}), None),
        (json!({}), None),
        (
            json!({"exp": 1e300}),
            Some(u64::try_from(i64::MAX - second).unwrap()),
        ),
    ];
    for (claims, lasts) in table {
        let body = json!({"token": jwt(&claims)}).to_string();
        assert_eq!(find(&body, "").unwrap().1, lasts, "{claims}");
    }
    let body = json!({"access_token": "opaque-token", "expires_in": 300}).to_string();
    assert_eq!(
        find(&body, ""),
        Some(("opaque-token".to_owned(), Some(300)))
    );
    for (lasts, after) in [(3600, 3300), (600, 540), (100, 70), (40, 20), (1, 1)] {
        let body = json!({"token": "opaque-token", "expires_in": lasts}).to_string();
        let found = token::find(&[], &body, "", now()).unwrap();
        let wait = found.renew_after().unwrap();
        assert!(
            wait <= Duration::from_secs(after) && wait * 2 >= Duration::from_secs(lasts),
            "{wait:?}"
        );
    }
}

#[test]
fn the_address_of_the_token_is_asked_as_its_user_says() {
    let script = Script::new(resume(&[(A, None)], &options(json!({}))));
    assert!(script.opened.is_empty(), "no stream without a token");
    let request = &script.fetches[&script.tag("app.ex.test")];
    assert_eq!(
        (request.method, &request.sign, &request.body),
        (Method::Post, &Sign::Account, &Body::Empty)
    );

    let more = json!({"token_method": "GET"});
    let script = Script::new(resume(&[(A, None)], &options(more)));
    assert_eq!(script.fetches[&script.tag("token")].method, Method::Get);

    for (template, media_type) in [
        (
            r#"{"username":"{user}","password":"{secret}"}"#,
            "application/json",
        ),
        (
            "grant_type=password&username={user}&password={secret}",
            "application/x-www-form-urlencoded",
        ),
    ] {
        let more = json!({"token_body": template});
        let script = Script::new(resume(&[(A, None)], &options(more)));
        let request = &script.fetches[&script.tag("token")];
        let wanted = Body::SignIn {
            media_type: media_type.to_owned(),
            template: template.to_owned(),
        };
        assert_eq!((&request.sign, &request.body), (&Sign::Nothing, &wanted));
    }
    let server = Server {
        base: Url::parse("https://hub.ex.test/.well-known/mercure").unwrap(),
        options: options(json!({})),
    };
    let own = Mercure.own_addresses(&server);
    assert_eq!(own, [Url::parse("https://app.ex.test/token").unwrap()]);
}

fn signed_in(script: &mut Script, token: &str) {
    let tag = script.tag("app.ex.test");
    script.body(
        tag,
        "application/json",
        &json!({"token": token}).to_string(),
    );
}

#[test]
fn everything_is_signed_in_with_what_was_fetched() {
    let mut script = Script::new(resume(&[(A, None)], &options(json!({}))));
    signed_in(&mut script, "opaque-token");
    let bearer = Sign::Bearer(Hidden("opaque-token".to_owned()));
    assert_eq!(script.opened[0].sign, bearer);
    script.open(&[]);
    assert_eq!(script.fetches[&script.tag("earliest")].sign, bearer);
    assert!(!format!("{:?}", script.taken()).contains("opaque-token"));
}

#[test]
fn a_token_is_renewed_before_its_end_and_the_stream_opened_where_it_was() {
    let mut script = Script::new(resume(&[(A, Some("s1 e1"))], &options(json!({}))));
    signed_in(&mut script, &jwt(&json!({"iat": 0, "exp": 3600})));
    assert_eq!(script.waits.values().max(), Some(&Duration::from_mins(55)));
    script.open(&[("last-event-id", "e1")]);
    script.event("e2", "two");
    let (renewal, _) = script.waits.pop_first().unwrap();
    script.tell(crate::backend::Input::Waited { tag: renewal });
    assert_eq!(script.opened.len(), 1, "the old one goes on meanwhile");
    signed_in(&mut script, "another-token");
    assert_eq!(script.opened.len(), 2);
    assert_eq!(
        script.opened[1].sign,
        Sign::Bearer(Hidden("another-token".to_owned()))
    );
    assert_eq!(sent(&script.opened[1], "Last-Event-ID"), Some("e2"));
}

/// What is open stays open; its end is the token's.
#[test]
fn a_renewal_that_fails_costs_nothing_yet() {
    let mut script = Script::new(resume(&[(A, Some("s1 e1"))], &options(json!({}))));
    signed_in(&mut script, &jwt(&json!({"iat": 0, "exp": 3600})));
    script.open(&[("last-event-id", "e1")]);
    let (renewal, _) = script.waits.pop_first().unwrap();
    script.tell(crate::backend::Input::Waited { tag: renewal });
    let tag = script.tag("app.ex.test");
    let asked = script.taken().pop();
    assert!(
        matches!(
            asked,
            Some(Effect::Fetch {
                read: Read::Apart,
                ..
            })
        ),
        "without an answer the link would go too: {asked:?}"
    );
    script.refuse_fetch(tag, 0);
    assert!(script.taken().is_empty());
}

#[test]
fn a_refused_token_is_fetched_anew_once() {
    for (status, body) in [
        (401, "Unauthorized\n"),
        (403, "<title>403 Forbidden</title>"),
    ] {
        let mut script = Script::new(resume(&[(A, None)], &options(json!({}))));
        signed_in(&mut script, "stale-token");
        script.refuse(status, &[], body);
        signed_in(&mut script, "fresh-token");
        assert_eq!(
            script.opened[1].sign,
            Sign::Bearer(Hidden("fresh-token".to_owned()))
        );
        script.taken();
        script.refuse(401, &[], body);
        let failure = script.failure();
        assert_eq!(failure.kind, FailureKind::SignIn);
        assert!(failure.says.contains("just fetched"), "{}", failure.says);
    }
    let mut script = Script::new(resume(&[(A, None)], &options(json!({}))));
    signed_in(&mut script, "narrow-token");
    script.refuse(
        403,
        &[("www-authenticate", "Bearer error=\"insufficient_scope\"")],
        "",
    );
    assert_eq!(
        script.failure().kind,
        FailureKind::Forbidden,
        "another one would be no wider"
    );
}

#[test]
fn without_a_token_there_is_no_stream() {
    let table = [
        (401, FailureKind::SignIn),
        (422, FailureKind::SignIn),
        (404, FailureKind::WrongAddress),
        (408, FailureKind::Transient),
        (502, FailureKind::Transient),
    ];
    for (status, kind) in table {
        let mut script = Script::new(resume(&[(A, None)], &options(json!({}))));
        let tag = script.tag("token");
        script.refuse_fetch(tag, status);
        assert_eq!(script.failure().kind, kind, "{status}");
        assert!(script.opened.is_empty());
    }
    for (media_type, body, kind) in [
        (
            "application/json",
            r#"{"error":"locked"}"#,
            FailureKind::SignIn,
        ),
        ("application/json", "", FailureKind::SignIn),
        ("text/html", "<html>Log in</html>", FailureKind::Transient),
    ] {
        let mut script = Script::new(resume(&[(A, None)], &options(json!({}))));
        let tag = script.tag("token");
        script.body(tag, media_type, body);
        let failures: Vec<_> = script
            .taken()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Fail(failure) => Some(failure.kind),
                _ => None,
            })
            .collect();
        assert_eq!(failures, [kind], "{body}");
        assert!(script.opened.is_empty());
    }
}

#[test]
fn settings_are_checked_in_words_and_kept_short() {
    let fine = [
        ("", ""),
        ("{}", ""),
        (r#"{"separate":false}"#, ""),
        (r#"{"separate":true}"#, r#"{"separate":true}"#),
        (
            r#"{"token_url":"","token_method":"POST","token_body":"","token_pointer":""}"#,
            "",
        ),
        (
            r#"{"mapping":{"title":"/subject"}}"#,
            r#"{"mapping":{"title":["/subject"]}}"#,
        ),
    ];
    for (options, kept) in fine {
        assert_eq!(Mercure.check_options(options).as_deref(), Ok(kept));
    }
    let wrong = [
        "nothing",
        r#"{"unknown":1}"#,
        r#"{"dialect":"3"}"#,
        r#"{"token_url":"ftp://ex.test/"}"#,
        r#"{"token_url":"/token"}"#,
        r#"{"token_url":"https://u:p@ex.test/"}"#,
        r#"{"token_body":"{user}"}"#,
        r#"{"token_url":"https://ex.test/","token_pointer":"token"}"#,
        r#"{"token_url":"https://ex.test/","token_method":"GET","token_body":"x"}"#,
        r#"{"mapping":{"priorities":{"bad":9}}}"#,
        "{\"last_event_id\":\"a\\nb\"}",
    ];
    for options in wrong {
        let words = Mercure.check_options(options).unwrap_err();
        assert!(
            words.ends_with(['.', '?']) && words.contains(' '),
            "{options}: {words}"
        );
    }
}
