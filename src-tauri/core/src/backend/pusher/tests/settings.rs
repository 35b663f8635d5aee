//! An account's own settings.

use super::script::{APP, Script, resume};
use crate::backend::pusher::Pusher;
use crate::backend::pusher::options::Settings;
use crate::backend::{Backend as _, Effect, FailureKind, Input, Server};
use crate::model::{Method, SubscriptionId};
use serde_json::{Value, json};
use url::Url;

fn checked(options: &Value) -> Result<String, String> {
    Pusher.check_options(&options.to_string())
}

#[test]
fn they_are_kept_in_one_form() {
    assert_eq!(Pusher.check_options(" "), Ok(String::new()));
    assert_eq!(
        checked(&json!({"auth_url": " ", "events": "\n"})),
        Ok(String::new())
    );
    // A form has texts only.
    let kept = checked(&json!({
        "preset": "plain", "key": " k ", "events": "a, b\n\n.c", "user_id": 7,
        "mapping": "{\"title\": \"/t\"}", "history_mapping": "",
    }))
    .unwrap();
    let value: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        value,
        json!({"key": "k", "events": "a\nb\n.c", "user_id": "7", "mapping": {"title": ["/t"]}})
    );
    assert_eq!(Pusher.check_options(&kept), Ok(kept));
}

#[test]
fn what_is_wrong_is_said() {
    for (options, word) in [
        (json!({"auth_url": "ftp://x/"}), "https://"),
        (json!({"auth_url": "/auth"}), "begins with /"),
        (json!({"auth_url": "https://u:p@x/"}), "https://"),
        (json!({"app_url": "app.ex.test"}), "https://"),
        (json!({"preset": "laravel"}), "preset needs"),
        (
            json!({"preset": "laravel", "app_url": APP, "user_id": "a b"}),
            "A channel's name",
        ),
        (
            json!({"history_url": "https://{channel}.ex.test/"}),
            "server's name",
        ),
        (
            json!({"history_url": "https://x/", "history_items": "data"}),
            "JSON pointer",
        ),
        (
            json!({"history_url": "https://x/", "history_channel": "a b"}),
            "A channel's name",
        ),
        (json!({"mapping": {"priorities": {"x": 9}}}), "1 to 5"),
        (json!({"mapping": "{"}), "cannot be read"),
        (json!({"colour": "red"}), "colour"),
    ] {
        let says = checked(&options).unwrap_err();
        assert!(
            says.contains(word) && says.ends_with('.'),
            "{options}: {says}"
        );
    }
}

#[test]
fn an_event_is_wanted_as_the_list_says() {
    let wants = |events: &str, event: &str| {
        let options = checked(&json!({"events": events})).unwrap();
        Settings::read(&options).wants(event)
    };
    for (events, event, wanted) in [
        ("", "anything", true),
        ("", "client-typing", false),
        ("client-typing", "client-typing", true),
        ("a\nb", "b", true),
        ("a\nb", "c", false),
        ("order.*", "order.paid", true),
        ("order.*", "orders", false),
        ("*", "client-typing", true),
        (".order.paid", "order.paid", true),
        ("OrderShipped", "App\\Events\\OrderShipped", true),
        (".OrderShipped", "App\\Events\\OrderShipped", false),
    ] {
        assert_eq!(wants(events, event), wanted, "{event} in {events:?}");
    }
}

/// The credential goes to the application's addresses and nowhere else.
#[test]
fn the_application_gets_the_credential() {
    let own = |options: Value| -> Vec<String> {
        Pusher
            .own_addresses(&Server {
                base: Url::parse("https://ws.ex.test/app/k/").unwrap(),
                options: checked(&options).unwrap(),
            })
            .into_iter()
            .map(String::from)
            .collect()
    };
    assert_eq!(own(json!({"key": "k"})), Vec::<String>::new());
    assert_eq!(
        own(json!({
            "auth_url": "https://a.test/auth", "user_auth_url": "https://b.test/u",
            "history_url": "https://c.test/h/{channel}?x={channel}",
        })),
        [
            "https://a.test/auth",
            "https://b.test/u",
            "https://c.test/h/channel?x=channel"
        ]
    );
    assert_eq!(
        own(json!({"preset": "laravel", "app_url": "https://ex.test/shop/"})),
        [
            "https://ex.test/shop/broadcasting/auth",
            "https://ex.test/shop/notifications"
        ]
    );
    assert_eq!(
        own(
            json!({"preset": "laravel", "app_url": APP, "history_url": "none", "auth_url": "/api/auth"})
        ),
        ["https://app.ex.test/api/auth"]
    );
}

/// The user's own channel is there without being named, and has the history.
#[test]
fn laravel_is_set_up_by_an_address_and_an_id() {
    let options = json!({"preset": "laravel", "app_url": APP, "user_id": "42"});
    let mut script = Script::new(resume(&options, &[]));
    let effects = script.taken();
    let Some(Effect::Offer(offered)) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(offered[0].topic, "private-App.Models.User.42");
    let origin = ("Origin".to_owned(), APP.to_owned());
    assert!(script.opened[0].headers.contains(&origin));
    let known = [(offered[0].topic.clone(), Some(SubscriptionId(7)))];
    script.tell(Input::Offered(&known));
    script.greet();
    let asked = script.fetches[&script.tag("User.42")].clone();
    assert_eq!(asked.url(), format!("{APP}/broadcasting/auth"));
    assert_eq!(asked.request.method, Method::Post);
    script.answer("User.42", &json!({"auth": "key1:sig"}));
    script.succeed("private-App.Models.User.42");
    script.answer(
        "/notifications",
        &json!({"data": [
            {"id": "u2", "type": "App\\Notifications\\InvoicePaid", "notifiable_id": 42,
             "data": {"id": 9, "title": "Paid", "body": "12 EUR"}, "read_at": null,
             "created_at": "2023-11-14T22:13:00.000000Z"},
            {"id": "u1", "type": "App\\Notifications\\InvoiceDue",
             "data": {"id": 8}, "read_at": "2023-11-14T22:12:30.000000Z",
             "created_at": "2023-11-14T22:12:00.000000Z"},
        ], "next_page_url": null}),
    );
    let effects = script.taken();
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Read { replace_key, .. } if replace_key == "u1"
    )));
    script.event(
        "private-App.Models.User.42",
        "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated",
        &json!({"id": "u2", "type": "App\\Notifications\\InvoicePaid", "title": "Paid", "body": "12 EUR"}),
    );
    script.event(
        "private-App.Models.User.42",
        "App\\Events\\Other",
        &json!({"x": 1}),
    );
    let live = script.drafts();
    let fetched: Vec<_> = effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Notify { draft, .. } => Some(*draft),
            _ => None,
        })
        .collect();
    let told = |drafts: &[crate::model::Draft]| -> Vec<(String, String, String)> {
        drafts
            .iter()
            .map(|draft| {
                (
                    draft.remote_id.clone(),
                    draft.kind.clone(),
                    draft.title.clone(),
                )
            })
            .collect()
    };
    let own =
        |id: &str, kind: &str, title: &str| (id.to_owned(), kind.to_owned(), title.to_owned());
    assert_eq!(
        told(&fetched),
        [
            own("u1", "InvoiceDue", "Invoice due"),
            own("u2", "InvoicePaid", "Paid")
        ]
    );
    assert_eq!(live.len(), 1);
    assert_eq!(
        told(&[live[0].1.clone()]),
        [own("u2", "InvoicePaid", "Paid")]
    );
    assert!(script.live);
}

#[test]
fn without_a_key_or_a_channel_there_is_nothing_to_open() {
    let mut nothing = resume(&json!({}), &[]);
    let script = Script::new(nothing.clone());
    assert_eq!(script.failed().kind, FailureKind::Forbidden);
    assert!(script.opened.is_empty());
    nothing = resume(&json!({}), &[("a", None)]);
    nothing.base = Url::parse("https://ex.test/").unwrap();
    let script = Script::new(nothing);
    assert!(script.failed().says.contains("which app"));
}

/// Test asks the application, with a socket that nobody has.
#[test]
fn the_sign_in_can_be_tried_without_a_connection() {
    let server = Server {
        base: Url::parse("https://ws.ex.test/app/k/").unwrap(),
        options: checked(
            &json!({"auth_url": format!("{APP}/auth"), "user_auth_url": format!("{APP}/user")}),
        )
        .unwrap(),
    };
    assert!(Pusher.access(&server, "public").is_none());
    let channel = Pusher.access(&server, "private-x").unwrap();
    assert_eq!(channel.url.as_str(), format!("{APP}/auth"));
    let user = Pusher.access(&server, "").unwrap();
    assert_eq!(user.url.as_str(), format!("{APP}/user"));
    let judge = |status, body| Pusher.judge_access(status, body, "private-x");
    assert_eq!(judge(200, r#"{"auth":"k:s"}"#), Ok(()));
    for (status, body, kind) in [
        (200, "<html>", FailureKind::WrongAddress),
        (401, "", FailureKind::SignIn),
        (403, "", FailureKind::Forbidden),
        (404, "", FailureKind::WrongAddress),
        (419, "", FailureKind::SignIn),
        (503, "", FailureKind::Transient),
    ] {
        let failure = judge(status, body).unwrap_err();
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.says.ends_with('.'));
    }
}
