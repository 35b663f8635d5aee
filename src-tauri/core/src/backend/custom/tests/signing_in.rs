//! Where the credential goes, and tokens.

use super::script::{Script, Setup, body_of, profile};
use crate::backend::custom::Custom;
use crate::backend::{Backend as _, FailureKind, Server};
use crate::model::{Body, Hidden, Method, Mirror, Sign, SignIn, TransportKind};
use std::time::Duration;
use url::Url;

fn server(toml: &str) -> Server {
    Server {
        base: Url::parse("https://ex.test/app").unwrap(),
        options: profile(toml),
    }
}

#[test]
fn the_credential_goes_where_the_profile_says() {
    let basic = SignIn::Basic {
        user: "ann".to_owned(),
    };
    for (auth, chosen, sent) in [
        ("", SignIn::Token, SignIn::Token),
        ("[auth]\nby=\"bearer\"", SignIn::Token, SignIn::Token),
        ("[auth]\nby=\"basic\"", basic.clone(), basic.clone()),
        (
            "[auth]\nby=\"header\"\nname=\"X-Key\"",
            SignIn::Token,
            SignIn::Header {
                name: "X-Key".to_owned(),
            },
        ),
        (
            "[auth]\nby=\"query\"\nname=\"key\"",
            basic.clone(),
            SignIn::Query {
                name: "key".to_owned(),
            },
        ),
        (
            "[auth]\nby=\"cookie\"\nname=\"sid\"",
            SignIn::Token,
            SignIn::Cookie {
                name: "sid".to_owned(),
            },
        ),
        (
            "[auth]\nby=\"subprotocol\"\nprefix=\"bearer.\"",
            SignIn::Token,
            SignIn::Subprotocol {
                prefix: "bearer.".to_owned(),
            },
        ),
        ("[auth]\nby=\"message\"", SignIn::Token, SignIn::Message),
        ("[auth]\nby=\"message\"", basic.clone(), basic.clone()),
        (
            "[auth]\nby=\"header\"\nname=\"X\"",
            SignIn::None,
            SignIn::None,
        ),
        (
            "[auth]\nby=\"header\"\nname=\"X\"",
            SignIn::Cookie {
                name: "own".to_owned(),
            },
            SignIn::Cookie {
                name: "own".to_owned(),
            },
        ),
    ] {
        let toml = format!("{auth}\n[sse]\nurl=\"/s\"");
        assert_eq!(Custom.sent_as(&server(&toml), &chosen), sent, "{auth}");
    }
}

const LOGIN: &str = r#"
    [login]
    url = "/login"
    body = '{"name":"{user}","password":"{secret}"}'
    token = "/data/token"
    expires_in = "/data/seconds"
    [sse]
    url = "https://stream.test/events"
    [history]
    url = "/list"
"#;

#[test]
fn a_login_brings_a_token_for_everything_else() {
    let setup = Setup::new(profile(LOGIN), TransportKind::Sse);
    let mut script = Script::new(&setup);
    let login = script.asked();
    assert_eq!(
        (login.method, login.url.as_str()),
        (Method::Post, "https://ex.test/app/login")
    );
    assert_eq!(login.sign, Sign::Nothing, "the secret is in the body alone");
    assert!(matches!(&login.body, Body::SignIn { template, .. } if template.contains("{secret}")));
    assert!(script.opened.is_empty());
    script.answer(r#"{"data":{"token":"T0","seconds":1000}}"#);
    let bearer = Sign::Bearer(Hidden("T0".to_owned()));
    assert_eq!(script.opened[0].url.as_str(), "https://stream.test/events");
    assert_eq!(script.opened[0].sign, bearer);
    assert_eq!(
        script.waits,
        [(4, Duration::from_secs(800))],
        "renewed before it is over"
    );
    script.open();
    assert_eq!(script.asked().sign, bearer);
    script.answer("[]");
    assert_eq!(script.live, 1);
    script.wake();
    assert_eq!(script.failure.unwrap().kind, FailureKind::Again);
    assert!(
        !format!("{:?}", script.opened).contains("T0"),
        "it is never printed"
    );
}

#[test]
fn a_login_can_fail_in_its_own_ways() {
    let setup = Setup::new(profile(LOGIN), TransportKind::Sse);
    for status in [400, 401, 403, 422] {
        let mut script = Script::new(&setup);
        script.refuse(status);
        assert_eq!(
            script.failure.unwrap().kind,
            FailureKind::SignIn,
            "{status}"
        );
    }
    for answer in [
        "{}",
        "<html>",
        r#"{"data":{"token":""}}"#,
        r#"{"data":{"token":"a\nb"}}"#,
    ] {
        let mut script = Script::new(&setup);
        script.answer(answer);
        let failure = script.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::WrongAddress);
        assert!(failure.says.contains("[login]"));
    }
}

#[test]
fn a_token_goes_into_headers_cookies_and_names() {
    let with = |login: &str, sse: &str| {
        let toml = format!("[login]\nurl=\"/login\"\n{login}\n[sse]\nurl=\"/s\"\n{sse}");
        Script::new(&Setup::new(profile(&toml), TransportKind::Sse))
    };
    let mut header = with(
        "token=\"\"\nheader=\"Authorization\"\nprefix=\"Token \"",
        "",
    );
    assert_eq!(
        header.asked().sign,
        Sign::Account,
        "the account's credential fetches it"
    );
    header.answer_with(&[("content-type", "text/plain")], "abc\n");
    assert_eq!(
        header.opened[0].sign,
        Sign::Header {
            name: "Authorization".to_owned(),
            value: Hidden("Token abc".to_owned())
        }
    );
    let mut cookie = with("cookie=\"sid\"", "");
    assert!(cookie.asked().wants_head);
    cookie.answer_with(
        &[
            ("set-cookie", "x=1"),
            ("set-cookie", "sid=s3; Path=/; HttpOnly"),
        ],
        "{}",
    );
    assert_eq!(
        cookie.opened[0].sign,
        Sign::Header {
            name: "Cookie".to_owned(),
            value: Hidden("sid=s3".to_owned())
        }
    );
    let mut named = with("token=\"/t\"\nby_name=true", "query={auth=\"{token}\"}");
    named.answer(r#"{"t":"a b"}"#);
    assert_eq!(
        named.opened[0].url.as_str(),
        "https://ex.test/app/s?auth=a+b"
    );
    assert_eq!(
        named.opened[0].sign,
        Sign::Nothing,
        "the password is not for the stream"
    );
}

#[test]
fn only_what_the_user_entered_gets_the_credential() {
    let own = |toml: &str| -> Vec<String> {
        Custom
            .own_addresses(&server(toml))
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        own(LOGIN),
        Vec::<String>::new(),
        "the stream gets the token alone"
    );
    let there =
        "[login]\nurl=\"https://id.test/token\"\ntoken=\"/t\"\n[sse]\nurl=\"https://s.test/\"";
    assert_eq!(own(there), ["https://id.test/token"]);
    let direct = "[sse]\nurl=\"https://s.test/\"\n[history]\nurl=\"/list\"";
    assert_eq!(own(direct), ["https://s.test/"]);
}

#[test]
fn a_token_can_be_kept_in_place_of_the_password() {
    let toml = r#"
        [login]
        url = "/login"
        body = "u={user}&p={secret}"
        type = "application/x-www-form-urlencoded"
        token = "/token"
        keep = true
        [sse]
        [read]
        url = "/items/{id}/read"
        method = "PUT"
        [delete]
        url = "/items"
        body = '{"ids":["{id}"],"of":"{topic}"}'
        method = "DELETE"
    "#;
    let server = server(toml);
    let request = Custom.exchange(&server, "desk").unwrap();
    assert_eq!(body_of(&request), "u={user}&p={secret}");
    assert_eq!(
        Custom
            .exchanged_at(&server, 200, r#"{"token":"t"}"#)
            .unwrap()
            .unwrap(),
        "t"
    );
    let refused = Custom.exchanged_at(&server, 400, "").unwrap_err();
    assert_eq!(refused.kind, FailureKind::SignIn);
    let script = Script::new(&Setup::new(server.options.clone(), TransportKind::Sse));
    assert!(
        script.fetches.is_empty() && script.opened.len() == 1,
        "no login of its own"
    );

    let read = Custom.mirror(&server, "all", "a/b", Mirror::Read).unwrap();
    assert_eq!(
        (read.method, read.url.as_str()),
        (Method::Put, "https://ex.test/app/items/a%2Fb/read")
    );
    let delete = Custom
        .mirror(&server, "all", "a\"b", Mirror::Delete)
        .unwrap();
    assert_eq!(delete.method, Method::Delete);
    assert_eq!(body_of(&delete), r#"{"ids":["a\"b"],"of":"all"}"#);
    assert!(Custom.mirror(&server, "all", "..", Mirror::Read).is_none());
}
