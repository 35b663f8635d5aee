//! Signatures, refusals of one channel, the user's sign-in.

use super::script::{APP, SOCKET, Script, signing};
use crate::backend::{Effect, FailureKind, Fetched, Input};
use crate::model::SubscriptionId;
use serde_json::{Value, json};

fn user() -> Value {
    json!({"user_auth_url": format!("{APP}/user-auth")})
}

#[test]
fn a_private_channel_is_signed_for_this_socket() {
    let mut script = Script::greeted(&signing(), &[("private-user-42", None), ("inbox", None)]);
    assert_eq!(script.subscribed(), ["inbox"]);
    let asked = script.fetches[&script.tag("private-user-42")].clone();
    assert_eq!(asked.url(), format!("{APP}/auth"));
    assert_eq!(
        asked.form(),
        format!("socket_id={SOCKET}&channel_name=private-user-42")
    );
    script.answer(
        "private-user-42",
        &json!({"auth": "key1:0984", "shared_secret": "x"}),
    );
    assert_eq!(
        script.taken_sent(),
        [
            json!({"event": "pusher:subscribe", "data": {"channel": "private-user-42", "auth": "key1:0984"}})
        ]
    );
}

#[test]
fn a_presence_channel_says_who_is_there() {
    let mut script = Script::greeted(&signing(), &[("presence-room", None)]);
    let who = "{\"user_id\":\"42\",\"user_info\":{\"name\":\"Ann\"}}";
    script.answer(
        "presence-room",
        &json!({"auth": "key1:6bd4", "channel_data": who}),
    );
    assert_eq!(
        script.taken_sent(),
        [json!({"event": "pusher:subscribe",
            "data": {"channel": "presence-room", "auth": "key1:6bd4", "channel_data": who}})]
    );
    script.frame(
        &json!({"event": "pusher_internal:subscription_succeeded", "channel": "presence-room",
        "data": "{\"presence\":{\"ids\":[\"42\"],\"hash\":{},\"count\":1}}"}),
    );
    script.frame(
        &json!({"event": "pusher_internal:member_added", "channel": "presence-room", "data": "{}"}),
    );
    assert!(script.live && script.drafts().is_empty());
}

#[test]
fn few_signatures_are_asked_for_at_a_time() {
    let names: Vec<String> = (0..10).map(|n| format!("private-{n}")).collect();
    let channels: Vec<(&str, Option<&str>)> =
        names.iter().map(|name| (name.as_str(), None)).collect();
    let mut script = Script::greeted(&signing(), &channels);
    for (n, name) in names.iter().enumerate() {
        assert_eq!(script.fetches.len(), 4.min(10 - n));
        if n == 3 {
            script.refuse(&format!("channel_name={name}"), 403);
        } else {
            script.answer(&format!("channel_name={name}"), &json!({"auth": "k:s"}));
        }
    }
    assert_eq!(script.subscribed().len(), 9);
}

#[test]
fn a_refused_channel_leaves_the_others_alone() {
    for (status, word) in [
        (401, "Sign in again"),
        (403, "does not allow"),
        (404, "address for signing"),
        (419, "CSRF"),
    ] {
        let mut script = Script::greeted(&signing(), &[("private-a", None), ("inbox", None)]);
        script.refuse("private-a", status);
        script.succeed("inbox");
        assert!(script.live);
        assert!(script.problems[&1].contains(word), "{:?}", script.problems);
        assert!(!script.problems.contains_key(&2));
        assert_eq!(script.filled, [(2, None)]);
    }
    // What answers is a web page.
    let mut script = Script::greeted(&signing(), &[("private-a", None), ("inbox", None)]);
    script.answer_text("private-a", &[], "<html>");
    assert!(script.problems[&1].contains("web page"));
}

#[test]
fn a_subscription_error_is_of_one_channel() {
    let mut script = Script::greeted(&signing(), &[("private-a", None), ("inbox", None)]);
    script.answer("private-a", &json!({"auth": "key1:bad"}));
    script.frame(
        &json!({"event": "pusher:subscription_error", "channel": "private-a",
        "data": {"type": "AuthError", "error": "The connection is unauthorized.", "status": 401}}),
    );
    script.succeed("inbox");
    assert!(script.live);
    assert!(script.problems[&1].contains("The connection is unauthorized."));
}

/// Reverb refuses a signature without saying whose it was, and goes on. It answers in order.
#[test]
fn an_error_without_a_name_is_of_the_oldest_question() {
    let channels = [("private-a", None), ("private-b", None), ("inbox", None)];
    let mut script = Script::greeted(&signing(), &channels);
    script.answer("private-a", &json!({"auth": "key1:good"}));
    script.answer("private-b", &json!({"auth": "key1:bad"}));
    script.succeed("inbox");
    script.succeed("private-a");
    script.frame(&json!({"event": "pusher:error", "data": "{\"code\":4009,\"message\":\"Connection is unauthorized\"}"}));
    assert!(script.problems.is_empty() && script.failure.is_none());
    script.pass(2);
    assert_eq!(script.problems.keys().copied().collect::<Vec<_>>(), [2]);
    assert!(script.live);
}

#[test]
fn when_no_channel_is_left_the_connection_stops_and_asks() {
    for (first, second, kind) in [
        (403, 403, FailureKind::Forbidden),
        (403, 401, FailureKind::SignIn),
        (404, 403, FailureKind::WrongAddress),
        (403, 503, FailureKind::Transient),
    ] {
        let mut script = Script::greeted(&signing(), &[("private-a", None), ("private-b", None)]);
        script.refuse("private-a", first);
        assert!(script.failure.is_none());
        script.refuse("private-b", second);
        assert_eq!(script.failed().kind, kind, "{first} {second}");
        assert_eq!(script.problems.len(), 2);
    }
    let mut script = Script::greeted(&json!({}), &[("private-a", None)]);
    assert!(
        script
            .failed()
            .says
            .contains("Enter the address for signing channels")
    );
    script = Script::greeted(&json!({}), &[("#server-to-user-1", None)]);
    assert!(script.failed().says.contains("signing the user in"));
}

#[test]
fn a_busy_application_is_asked_again_when_it_says() {
    let mut script = Script::greeted(&signing(), &[("private-a", None), ("inbox", None)]);
    script.succeed("inbox");
    script.refuse_for("private-a", 429, Some(20));
    assert!(script.live);
    assert!(script.problems[&1].contains("asked again"));
    script.pass(19);
    assert!(script.fetches.is_empty());
    script.pass(1);
    script.refuse("private-a", 503);
    // Without a word from the server, longer each time.
    script.pass(9);
    assert!(script.fetches.is_empty());
    script.pass(1);
    script.answer("private-a", &json!({"auth": "k:s"}));
    script.succeed("private-a");
    assert!(script.problems.is_empty());
    assert_eq!(script.filled, [(2, None), (1, None)]);
}

/// An application that is away does not take the server's other channels with it.
#[test]
fn an_application_that_cannot_be_reached_is_asked_again() {
    let mut script = Script::greeted(&signing(), &[("private-a", None), ("inbox", None)]);
    script.succeed("inbox");
    let tag = script.tag("private-a");
    script.fetches.remove(&tag);
    script.tell(Input::Fetched {
        tag,
        part: Fetched::Refused {
            status: 0,
            headers: &[],
            retry_after: None,
            body: "The server could not be reached: refused.",
        },
    });
    assert!(script.live);
    assert!(
        script.problems[&1].contains("could not be reached"),
        "{:?}",
        script.problems
    );
    script.pass(5);
    assert!(script.fetches.len() == 1);
}

/// Alone, the wish goes to the driver.
#[test]
fn a_busy_application_alone_is_left_for_so_long() {
    let mut script = Script::greeted(&signing(), &[("private-a", None)]);
    script.refuse_for("private-a", 429, Some(20));
    assert_eq!(
        script.failed().retry_after.map(|time| time.as_secs()),
        Some(20)
    );
}

#[test]
fn a_subscription_without_an_answer_is_asked_for_again() {
    let mut script = Script::greeted(&json!({}), &[("a", None), ("b", None)]);
    script.succeed("a");
    script.taken_sent();
    script.pass(29);
    script.frame(&json!({"event": "pusher:pong", "data": {}}));
    script.pass(1);
    assert!(script.live);
    assert!(script.problems[&2].contains("did not answer"));
    script.frame(&json!({"event": "pusher:pong", "data": {}}));
    script.pass(5);
    assert_eq!(script.subscribed(), ["b"]);
    script.succeed("b");
    assert!(script.problems.is_empty());
}

#[test]
fn the_user_is_signed_in_and_has_a_channel() {
    let mut script = Script::greeted(&user(), &[("inbox", None)]);
    let asked = script.fetches[&script.tag("user-auth")].clone();
    assert_eq!(asked.form(), format!("socket_id={SOCKET}"));
    let data = "{\"id\":\"42\",\"user_info\":{\"name\":\"Ann\"}}";
    script.succeed("inbox");
    assert!(!script.live);
    script.answer(
        "user-auth",
        &json!({"auth": "key1:7b74", "user_data": data}),
    );
    assert_eq!(
        script.taken_sent().last(),
        Some(&json!({"event": "pusher:signin", "data": {"auth": "key1:7b74", "user_data": data}}))
    );
    script.taken();
    script.frame(&json!({"event": "pusher:signin_success", "data": {"auth": "key1:7b74", "user_data": data}}));
    let offered = script.taken().into_iter().find_map(|effect| match effect {
        Effect::Offer(offered) => Some(offered),
        _ => None,
    });
    let topic = offered.unwrap()[0].topic.clone();
    assert_eq!(topic, "#server-to-user-42");
    assert!(!script.live);
    script.tell(Input::Offered(&[(topic.clone(), Some(SubscriptionId(9)))]));
    assert!(script.live);
    script.event(&topic, "notification", &json!({"title": "to user"}));
    let drafts = script.drafts();
    assert_eq!((drafts[0].0, drafts[0].1.title.as_str()), (9, "to user"));
    // It is not subscribed to: it comes by itself.
    assert!(script.subscribed().is_empty());
}

#[test]
fn a_users_channel_that_was_left_stays_so() {
    let mut script = Script::greeted(&user(), &[("inbox", None)]);
    script.succeed("inbox");
    script.answer(
        "user-auth",
        &json!({"auth": "k:s", "user_data": "{\"id\":42}"}),
    );
    script.frame(&json!({"event": "pusher:signin_success", "data": {"user_data": "{\"id\":42}"}}));
    script.tell(Input::Offered(&[("#server-to-user-42".to_owned(), None)]));
    assert!(script.live);
    script.event("#server-to-user-42", "n", &json!({"title": "T"}));
    assert!(script.drafts().is_empty());
}

#[test]
fn another_users_channel_says_so() {
    let channels = [("#server-to-user-7", None), ("#server-to-user-42", None)];
    let mut script = Script::greeted(&user(), &channels);
    script.answer(
        "user-auth",
        &json!({"auth": "k:s", "user_data": "{\"id\":42}"}),
    );
    script.frame(&json!({"event": "pusher:signin_success", "data": {"user_data": "{\"id\":42}"}}));
    assert!(script.live);
    assert!(script.problems[&1].contains("for the user 42"));
    assert_eq!(script.filled, [(2, None)]);
}

#[test]
fn a_refused_sign_in_of_the_user_stops_the_account() {
    for (status, kind) in [
        (401, FailureKind::SignIn),
        (403, FailureKind::Forbidden),
        (404, FailureKind::WrongAddress),
    ] {
        let mut script = Script::greeted(&user(), &[("inbox", None)]);
        script.succeed("inbox");
        script.refuse("user-auth", status);
        assert_eq!(script.failed().kind, kind);
    }
    let mut script = Script::greeted(&user(), &[("inbox", None)]);
    script.answer(
        "user-auth",
        &json!({"auth": "key1:bad", "user_data": "{\"id\":42}"}),
    );
    script.frame(&json!({"event": "pusher:error", "data": {"code": 4009, "message": "Connection not authorized."}}));
    script.closed(4009);
    assert_eq!(script.failed().kind, FailureKind::SignIn);
}

#[test]
fn an_application_that_cannot_sign_the_user_in_now_is_asked_again() {
    let mut script = Script::greeted(&user(), &[("inbox", None), ("#server-to-user-42", None)]);
    script.succeed("inbox");
    script.refuse_for("user-auth", 503, Some(40));
    assert!(script.live);
    assert!(script.problems.contains_key(&2));
    script.frame(&json!({"event": "pusher:ping", "data": {}}));
    script.pass(39);
    assert!(script.fetches.is_empty());
    script.frame(&json!({"event": "pusher:ping", "data": {}}));
    script.pass(1);
    script.answer(
        "user-auth",
        &json!({"auth": "k:s", "user_data": "{\"id\":42}"}),
    );
    script.frame(&json!({"event": "pusher:signin_success", "data": {"user_data": "{\"id\":42}"}}));
    assert!(script.problems.is_empty());
}

/// Reverb has no sign-in of users: it says 4200 and goes on.
#[test]
fn a_server_without_sign_ins_goes_on_with_the_channels() {
    let mut script = Script::greeted(&user(), &[("inbox", None), ("#server-to-user-42", None)]);
    script.succeed("inbox");
    script.answer(
        "user-auth",
        &json!({"auth": "k:s", "user_data": "{\"id\":42}"}),
    );
    script.frame(&json!({"event": "pusher:error", "data": "{\"code\":4200,\"message\":\"Invalid message format\"}"}));
    script.pass(2);
    assert!(script.live && script.failure.is_none());
    assert!(script.problems[&2].contains("knows no sign-in"));
}
