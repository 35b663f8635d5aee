//! What a refusal means.

use super::world::World;
use crate::backend::gotify::Gotify;
use crate::backend::{Backend as _, FailureKind, Input};
use crate::model::TransportKind;

fn refused(world: &mut World, status: u16, body: &str) -> (FailureKind, String) {
    world.tell(Input::Refused {
        status,
        headers: &[],
        retry_after: None,
        body,
    });
    let failure = world.failure.take().unwrap();
    (failure.kind, failure.says)
}

#[test]
fn a_refused_stream() {
    for (status, kind) in [
        (400, FailureKind::Blocked),
        (401, FailureKind::SignIn),
        (403, FailureKind::Forbidden),
        (404, FailureKind::WrongAddress),
        (405, FailureKind::Blocked),
        (418, FailureKind::Transient),
        (426, FailureKind::Blocked),
        (429, FailureKind::Transient),
        (500, FailureKind::Transient),
        (502, FailureKind::Transient),
    ] {
        let mut world = World::with_two(TransportKind::Websocket);
        world.connect();
        assert_eq!(refused(&mut world, status, "").0, kind, "{status}");
    }
}

#[test]
fn a_sign_in_that_worked_once_was_revoked() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.connect();
    let (_, says) = refused(&mut world, 401, "");
    assert!(says.contains("application token"), "{says}");
    let mut world = World::with_two(TransportKind::Websocket);
    world.catch_up();
    world.connect();
    let (kind, says) = refused(&mut world, 401, "");
    assert_eq!(kind, FailureKind::SignIn);
    assert!(
        says.contains("no longer") && says.contains("Sign in again"),
        "{says}"
    );
    // A poll hears it in place of a page.
    let mut world = World::with_two(TransportKind::Poll);
    world.catch_up();
    world.wait(60);
    let (tag, _) = world.fetches.pop_front().unwrap();
    world.refuse(tag, 401);
    assert_eq!(world.failure.unwrap().kind, FailureKind::SignIn);
}

#[test]
fn what_is_allowed_only_after_the_password_says_so() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.connect();
    let body = r#"{"error":"Forbidden","errorCode":403,"errorDescription":"session not elevated"}"#;
    let (kind, says) = refused(&mut world, 403, body);
    assert_eq!(kind, FailureKind::Forbidden);
    assert!(says.contains("wants the password again"), "{says}");
}

#[test]
fn the_servers_own_words_are_quoted() {
    let mut world = World::with_two(TransportKind::Websocket);
    world.connect();
    let body = r#"{"error":"Teapot","errorCode":418,"errorDescription":"short and\nstout"}"#;
    let (_, says) = refused(&mut world, 418, body);
    assert!(says.contains("short and stout (status 418)"), "{says}");
}

#[test]
fn refusals_of_single_requests() {
    assert_eq!(Gotify.judge_access(200, "{}", ""), Ok(()));
    let kind = |status, topic| Gotify.judge_access(status, "", topic).unwrap_err().kind;
    assert_eq!(kind(401, ""), FailureKind::SignIn);
    assert_eq!(kind(404, ""), FailureKind::WrongAddress);
    assert_eq!(kind(404, "5"), FailureKind::Forbidden);

    let exchanged = |status, body| Gotify.exchanged(status, body).unwrap_err().kind;
    assert_eq!(exchanged(401, ""), FailureKind::SignIn);
    assert_eq!(exchanged(403, ""), FailureKind::Forbidden);
    assert_eq!(exchanged(404, ""), FailureKind::WrongAddress);
    assert_eq!(exchanged(500, ""), FailureKind::Transient);
    for body in ["", "{}", r#"{"token":""}"#, r#"{"token":5}"#] {
        assert_eq!(exchanged(200, body), FailureKind::WrongAddress, "{body}");
    }

    let browser = Gotify.browser().unwrap();
    let page = |status| browser.page(status, "").unwrap_err();
    assert!(page(404).says.contains("Gotify 3"));
    assert_eq!(page(500).kind, FailureKind::Transient);
    for status in [400, 401, 403] {
        let failure = browser.signed_in(status, "").unwrap_err();
        assert_eq!(failure.kind, FailureKind::SignIn, "{status}");
        assert!(failure.says.ends_with('.'));
    }

    let published = |status| Gotify.published(status, "").unwrap_err().kind;
    for status in [400, 401, 403, 404] {
        assert_eq!(published(status), FailureKind::Forbidden, "{status}");
    }
    assert_eq!(published(200), FailureKind::WrongAddress);
}
