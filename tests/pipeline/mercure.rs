//! A Mercure hub, in both dialects: nothing is lost and nothing comes twice, whatever happens to the stream.

use crate::harness::{Desk, all_live, numbered};
use crate::relay::Relay;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use std::time::Duration;
use support::fakes::mercure::{Hub, Rules, Update};
use tidings_api::{
    AccountDraft, BackendKind, ConnectionState, Reply, Request, SecretPlace, SignIn, Status,
};
use tidings_core::testing::FakeClock;

const A: &str = "https://ex.test/a";
const B: &str = "https://ex.test/b";

const DIALECTS: [Rules; 2] = [
    Rules {
        modern: false,
        anonymous: true,
        keeps: usize::MAX,
        tells_cursor: true,
        chokes_after: None,
    },
    Rules {
        modern: true,
        anonymous: true,
        keeps: usize::MAX,
        tells_cursor: true,
        chokes_after: None,
    },
];

fn draft(url: &str, topics: &[&str]) -> AccountDraft {
    AccountDraft {
        url: url.to_owned(),
        kind: Some(BackendKind::Mercure),
        name: String::new(),
        topics: topics.iter().map(ToString::to_string).collect(),
        sign_in: SignIn::None,
        secret: None,
        secrets: SecretPlace::Memory,
        transport: None,
        allow_http: false,
        headers: Vec::new(),
        options: String::new(),
        ..AccountDraft::default()
    }
}

async fn until_live(desk: &Desk) {
    desk.until_slowly("all connections are live", all_live)
        .await;
}

async fn until_count(desk: &Desk, count: u64) {
    let what = format!("{count} notifications in the inbox");
    desk.until_slowly(&what, |status| status.counts.all >= count)
        .await;
}

/// As a publisher does who says where it publishes.
fn message(topic: &str, number: usize) -> String {
    json!({"topic": topic, "message": format!("message {number}")}).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_ends_every_stream_and_nothing_is_lost() {
    for rules in DIALECTS {
        for options in ["", r#"{"separate":true}"#] {
            let clock = FakeClock::new();
            let hub = Hub::start(rules.clone()).await.unwrap();
            let desk = Desk::new(&clock);
            let with = AccountDraft {
                options: options.to_owned(),
                ..draft(&hub.url(), &[A, B])
            };
            desk.add_account(with).await;
            until_live(&desk).await;
            let mut sent = 0;
            for round in 0..20 {
                for _ in 0..5 {
                    hub.publish([A, B][sent % 2], &message([A, B][sent % 2], sent));
                    sent += 1;
                }
                hub.drop_all();
                for _ in 0..3 {
                    hub.publish(A, &message(A, sent));
                    sent += 1;
                }
                if round % 3 == 0 {
                    until_live(&desk).await;
                }
            }
            until_count(&desk, 160).await;
            until_live(&desk).await;
            assert_eq!(
                desk.bodies().await,
                numbered("message", 160),
                "{rules:?} {options}"
            );
            let lines = desk.account().await.subscriptions;
            for line in lines {
                assert!(
                    line.continuity
                        .gaps
                        .iter()
                        .all(|gap| gap.missing.is_empty())
                );
            }
            desk.engine.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_ends_after_ten_minutes_is_no_failure() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    let desk = Desk::new(&clock);
    desk.add_account(draft(&hub.url(), &[A])).await;
    until_live(&desk).await;
    hub.publish(A, "message 0");
    until_count(&desk, 1).await;
    for round in 1..4 {
        clock.advance(Duration::from_mins(4));
        let before = hub.asked();
        hub.drop_all();
        desk.until_in_time("it is opened anew", |_| hub.asked() > before)
            .await;
        let states: Vec<_> = desk.status().await.connections;
        assert!(
            states.iter().all(|c| c.state != ConnectionState::Waiting),
            "{states:?}"
        );
        until_live(&desk).await;
        hub.publish(A, &format!("message {round}"));
        until_count(&desk, round + 1).await;
    }
    assert_eq!(desk.bodies().await, numbered("message", 4));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_restarts_and_keeps_its_history() {
    for rules in DIALECTS {
        let clock = FakeClock::new();
        let mut hub = Hub::start(rules).await.unwrap();
        let desk = Desk::new(&clock);
        desk.add_account(draft(&hub.url(), &[A])).await;
        until_live(&desk).await;
        hub.publish(A, "message 0");
        until_count(&desk, 1).await;
        hub.restart().await.unwrap();
        hub.publish(A, "message 1");
        until_count(&desk, 2).await;
        until_live(&desk).await;
        hub.publish(A, "message 2");
        until_count(&desk, 3).await;
        assert_eq!(desk.bodies().await, numbered("message", 3));
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_for_ten_thousand() {
    for rules in DIALECTS {
        let clock = FakeClock::new();
        let hub = Hub::start(rules).await.unwrap();
        let desk = Desk::new(&clock);
        desk.add_account(draft(&hub.url(), &[A])).await;
        until_live(&desk).await;
        hub.publish(A, "before");
        until_count(&desk, 1).await;
        desk.engine.stop().await;
        for number in 0..10_000 {
            hub.publish(A, &format!("message {number}"));
        }
        clock.advance(Duration::from_hours(1));
        let desk = desk.restart().await;
        until_count(&desk, 10_001).await;
        until_live(&desk).await;
        desk.settle().await;
        let mut all = numbered("message", 10_000);
        all.push("before".to_owned());
        all.sort();
        assert_eq!(desk.bodies().await, all);
        // Payloads without a time are as new as their arrival: a few ring singly, the limits fold the rest.
        let shown = desk.notifier.shown();
        let keys: std::collections::BTreeSet<_> = shown.iter().map(|toast| toast.key).collect();
        assert!(keys.len() < 500, "{} toasts", keys.len());
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_comes_in_the_hubs_order() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    let desk = Desk::new(&clock);
    desk.add_account(draft(&hub.url(), &[A])).await;
    until_live(&desk).await;
    hub.publish(A, "0000");
    until_count(&desk, 1).await;
    desk.engine.stop().await;
    for number in 1..500 {
        hub.publish(A, &format!("{number:04}"));
    }
    let desk = desk.restart().await;
    until_count(&desk, 500).await;
    let mut rows = desk.rows().await;
    rows.sort_by_key(|row| row.id);
    let came: Vec<_> = rows.into_iter().map(|row| row.preview).collect();
    let sent: Vec<_> = (0..500).map(|number| format!("{number:04}")).collect();
    assert_eq!(came, sent);
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_the_hub_forgot_is_a_gap_that_is_known() {
    for rules in DIALECTS {
        let clock = FakeClock::new();
        let rules = Rules { keeps: 10, ..rules };
        let hub = Hub::start(rules.clone()).await.unwrap();
        let desk = Desk::new(&clock);
        desk.add_account(draft(&hub.url(), &[A])).await;
        until_live(&desk).await;
        hub.publish(A, "message 0");
        until_count(&desk, 1).await;
        desk.engine.stop().await;
        clock.advance(Duration::from_hours(1));
        for number in 1..30 {
            hub.publish(A, &format!("message {number}"));
        }
        let desk = desk.restart().await;
        until_count(&desk, 11).await;
        until_live(&desk).await;
        // What came live is not taken for the history, and what follows is unbroken again.
        hub.publish(A, "message 30");
        until_count(&desk, 12).await;
        let line = desk.account().await.subscriptions.remove(0);
        let [gap] = line.continuity.gaps.as_slice() else {
            panic!("one gap: {:?}", line.continuity);
        };
        assert!(
            gap.missing.contains("left off") && gap.filled == 10,
            "{rules:?} {gap:?}"
        );
        desk.engine.stop().await;
        hub.publish(A, "message 31");
        let desk = desk.restart().await;
        until_count(&desk, 13).await;
        until_live(&desk).await;
        let line = desk.account().await.subscriptions.remove(0);
        assert!(
            line.continuity.gaps[0].missing.is_empty(),
            "{rules:?} {line:?}"
        );
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_without_history_is_live_only() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules {
        keeps: 0,
        ..Rules::default()
    })
    .await
    .unwrap();
    let desk = Desk::new(&clock);
    desk.add_account(draft(&hub.url(), &[A])).await;
    until_live(&desk).await;
    hub.publish(A, "message 0");
    until_count(&desk, 1).await;
    desk.engine.stop().await;
    hub.publish(A, "lost");
    clock.advance(Duration::from_mins(1));
    let desk = desk.restart().await;
    until_live(&desk).await;
    hub.publish(A, "message 1");
    until_count(&desk, 2).await;
    assert_eq!(desk.bodies().await, numbered("message", 2));
    let line = desk.account().await.subscriptions.remove(0);
    assert!(
        line.continuity.gaps[0].missing.contains("keeps nothing"),
        "{line:?}"
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_topic_is_filled_by_itself_and_the_others_go_on() {
    for rules in DIALECTS {
        let clock = FakeClock::new();
        let hub = Hub::start(rules).await.unwrap();
        hub.publish(B, &message(B, 0));
        let desk = Desk::new(&clock);
        let added = desk.add_account(draft(&hub.url(), &[A])).await;
        until_live(&desk).await;
        hub.publish(A, &message(A, 1));
        until_count(&desk, 1).await;
        desk.until_shown(1).await;
        // While the new connection is made.
        desk.ask(Request::SubscriptionAdd {
            account: added.id,
            topic: B.to_owned(),
        })
        .await;
        hub.publish(A, &message(A, 2));
        until_count(&desk, 3).await;
        until_live(&desk).await;
        hub.publish(B, &message(B, 3));
        until_count(&desk, 4).await;
        assert_eq!(desk.bodies().await, numbered("message", 4));
        let lines = desk.account().await.subscriptions;
        for row in desk.rows().await {
            let line = lines.iter().find(|line| line.id == row.subscription);
            let topic = &line.expect("it has one").topic;
            let is_b = ["message 0", "message 3"].contains(&row.preview.as_str());
            assert_eq!(topic, if is_b { B } else { A }, "{row:?}");
        }
        let rang: Vec<_> = desk.notifier.shown().into_iter().map(|t| t.body).collect();
        assert!(!rang.contains(&"message 0".to_owned()), "{rang:?}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_payloads_do_not_name_can_have_a_stream_of_its_own() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    let desk = Desk::new(&clock);
    let with = AccountDraft {
        options: r#"{"separate":true}"#.to_owned(),
        ..draft(&hub.url(), &[A, B])
    };
    desk.add_account(with).await;
    until_live(&desk).await;
    hub.publish(A, "of a");
    hub.publish(B, "of b");
    until_count(&desk, 2).await;
    let lines = desk.account().await.subscriptions;
    for row in desk.rows().await {
        let line = lines.iter().find(|line| line.id == row.subscription);
        assert_eq!(
            line.unwrap().topic.chars().last(),
            row.preview.chars().last()
        );
    }
    // One connection carries both again, and nothing of either is lost or repeated.
    desk.engine.stop().await;
    hub.publish(A, "later of a");
    hub.publish(B, "later of b");
    let desk = desk.restart().await;
    let id = desk.account().await.id;
    desk.ask(Request::AccountEdit {
        id,
        edit: tidings_api::AccountEdit {
            options: Some(String::new()),
            ..tidings_api::AccountEdit::default()
        },
    })
    .await;
    until_count(&desk, 4).await;
    until_live(&desk).await;
    hub.publish(A, "at last");
    until_count(&desk, 5).await;
    assert_eq!(
        desk.bodies().await,
        ["at last", "later of a", "later of b", "of a", "of b"]
    );
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_stream_is_noticed() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    let relay = Relay::start(hub.addr()).await;
    let desk = Desk::new(&clock);
    desk.add_account(draft(&relay.url(), &[A])).await;
    until_live(&desk).await;
    hub.publish(A, "message 0");
    until_count(&desk, 1).await;
    relay.freeze();
    hub.publish(A, "message 1");
    desk.until_in_time("silence is looked into", |status| !all_live(status))
        .await;
    relay.thaw();
    until_count(&desk, 2).await;
    until_live(&desk).await;
    assert_eq!(desk.bodies().await, numbered("message", 2));
    desk.engine.stop().await;
}

/// Until a keepalive was heard, silence means nothing, and a hub without any is asked every five minutes only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keepalive_is_learnt_and_a_hub_without_one_is_left_in_peace() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    let relay = Relay::start(hub.addr()).await;
    let desk = Desk::new(&clock);
    desk.add_account(draft(&relay.url(), &[A])).await;
    until_live(&desk).await;
    let before = hub.asked();
    clock.pass(Duration::from_secs(290)).await;
    assert_eq!(hub.asked(), before, "290 s of silence are no failure");
    assert!(all_live(&desk.status().await));
    desk.until_in_time("it is asked anew", |_| hub.asked() > before)
        .await;
    until_live(&desk).await;

    clock.advance(Duration::from_secs(40));
    hub.beat();
    hub.publish(A, "after a beat");
    until_count(&desk, 1).await;
    relay.freeze();
    let frozen = tidings_core::ports::Clock::awake(&clock);
    desk.until_in_time("silence is a failure now", |status| !all_live(status))
        .await;
    let took = tidings_core::ports::Clock::awake(&clock).saturating_sub(frozen);
    assert!(took < Duration::from_secs(70), "{took:?}");
    desk.engine.stop().await;
}

/// A hub that forgets a slow subscriber without a word is asked again until it has nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_chokes_loses_nothing() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules {
        tells_cursor: false,
        chokes_after: Some(5),
        ..Rules::default()
    })
    .await
    .unwrap();
    for number in 0..23 {
        hub.publish(A, &format!("message {number}"));
    }
    let desk = Desk::new(&clock);
    desk.add_account(draft(&hub.url(), &[A])).await;
    until_count(&desk, 23).await;
    until_live(&desk).await;
    desk.engine.stop().await;
    for number in 23..70 {
        hub.publish(A, &format!("message {number}"));
    }
    let desk = desk.restart().await;
    until_count(&desk, 70).await;
    until_live(&desk).await;
    assert_eq!(desk.bodies().await, numbered("message", 70));
    desk.engine.stop().await;
}

fn jwt(number: u32, lasts: i64) -> String {
    let part = |json: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let head = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({"mercure": {"subscribe": ["*"]}, "iat": 1000, "exp": 1000 + lasts}));
    format!("{head}.{claims}.signature{number}")
}

fn fetched(hub: &Hub) -> AccountDraft {
    let options = json!({
            "token_url": format!("{}/token", hub.url()),
            "token_body": r#"{"username":"{user}","password":"{secret}"}"#,
    });
    AccountDraft {
        sign_in: SignIn::Basic {
            user: "ada".to_owned(),
        },
        secret: Some(tidings_api::Secret::new("tells \"nobody\"")),
        options: options.to_string(),
        ..draft(&hub.url(), &[A])
    }
}

fn says(status: &Status, words: &str) -> bool {
    let problems = status.connections.iter().map(|c| c.problem.as_str());
    problems.into_iter().any(|problem| problem.contains(words))
}

fn private(data: &str) -> Update {
    Update {
        topic: A.to_owned(),
        data: data.to_owned(),
        private: true,
        ..Update::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_fetched_renewed_before_its_end_and_never_done_without() {
    for rules in DIALECTS {
        let clock = FakeClock::new();
        let hub = Hub::start(rules.clone()).await.unwrap();
        let (first, second) = (jwt(1, 120), jwt(2, 120));
        hub.accept(&first);
        hub.hand_out(200, &json!({"token": first}).to_string());
        let desk = Desk::new(&clock);
        desk.add_account(fetched(&hub)).await;
        until_live(&desk).await;
        let asked: Vec<_> = hub
            .seen()
            .into_iter()
            .filter(|s| s.target == "/token")
            .collect();
        assert_eq!(
            asked[0].body,
            r#"{"username":"ada","password":"tells \"nobody\""}"#
        );
        assert!(!asked[0].headers.contains_key("authorization"));
        hub.publish_as(private("message 0"));
        until_count(&desk, 1).await;

        // It is renewed while it is still good.
        hub.hand_out(200, &json!({"token": second}).to_string());
        hub.accept(&second);
        let renewed = |_: &Status| {
            let bearer = format!("Bearer {second}");
            hub.seen()
                .iter()
                .any(|s| s.headers.get("authorization") == Some(&bearer))
        };
        clock.pass(Duration::from_secs(91)).await;
        desk.until_in_time("the new token is in use", renewed).await;
        hub.revoke(&first);
        hub.publish_as(private("message 1"));
        until_count(&desk, 2).await;
        until_live(&desk).await;

        // No token, no connection: an anonymous one would look healthy and bring nothing private.
        hub.hand_out(401, r#"{"error":"bad credentials"}"#);
        hub.drop_all();
        desk.until_in_time("it says why", |status| {
            says(status, "does not accept the user name")
        })
        .await;
        assert_eq!(
            desk.status().await.connections[0].state,
            ConnectionState::Stopped
        );
        let anonymous = hub
            .seen()
            .into_iter()
            .filter(|s| {
                s.target.starts_with("/.well-known") && !s.headers.contains_key("authorization")
            })
            .count();
        assert_eq!(anonymous, 0, "{rules:?}");
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_renewed_once_and_then_asked_for() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    hub.hand_out(200, &json!({"token": jwt(1, 3600)}).to_string());
    let desk = Desk::new(&clock);
    desk.add_account(fetched(&hub)).await;
    desk.until_in_time("it stops", |status| {
        status.connections[0].state == ConnectionState::Stopped
    })
    .await;
    assert!(says(&desk.status().await, "just fetched"));
    let count = |target: &str| {
        hub.seen()
            .iter()
            .filter(|s| s.target.starts_with(target))
            .count()
    };
    assert_eq!((count("/token"), count("/.well-known")), (2, 2));
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pasted_token_that_ends_stops_and_asks() {
    for rules in DIALECTS {
        let clock = FakeClock::new();
        let hub = Hub::start(rules).await.unwrap();
        let token = jwt(1, 3600);
        hub.accept(&token);
        let desk = Desk::new(&clock);
        let with = AccountDraft {
            sign_in: SignIn::Token,
            secret: Some(tidings_api::Secret::new(token.clone())),
            ..draft(&hub.url(), &[A])
        };
        desk.add_account(with).await;
        until_live(&desk).await;
        hub.publish_as(private("message 0"));
        until_count(&desk, 1).await;
        hub.revoke(&token);
        hub.drop_all();
        desk.until_in_time("it stops", |status| {
            status.connections[0].state == ConnectionState::Stopped
        })
        .await;
        assert!(says(&desk.status().await, "valid token"));
        desk.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_is_found_by_its_address_and_by_a_page_that_names_it() {
    for rules in DIALECTS {
        let modern = rules.modern;
        for anonymous in [true, false] {
            let clock = FakeClock::new();
            let hub = Hub::start(Rules {
                anonymous,
                ..rules.clone()
            })
            .await
            .unwrap();
            let id = hub.publish("https://ex.test/books/1", "in print");
            let desk = Desk::new(&clock);
            let address = format!("{}/.well-known/mercure", hub.url());
            for pasted in [hub.url(), address.clone(), format!("{address}?topic=a")] {
                let Reply::Detected(found) = desk
                    .ask(Request::Detect {
                        url: pasted.clone(),
                    })
                    .await
                else {
                    panic!("detected");
                };
                assert_eq!(found.kind, Some(BackendKind::Mercure), "{pasted} {found:?}");
                assert_eq!(found.url, address);
                let dialect = if modern { "1.0" } else { "0.x" };
                assert_eq!(found.options, format!("{{\"dialect\":\"{dialect}\"}}"));
            }
            let page = format!("{}/books/1", hub.url());
            let Reply::Detected(found) = desk.ask(Request::Detect { url: page }).await else {
                panic!("detected");
            };
            assert_eq!(found.url, address);
            assert_eq!(found.topics, ["https://ex.test/books/1"]);
            assert_eq!(found.options, json!({"last_event_id": id}).to_string());
            desk.engine.stop().await;
        }
    }
}

/// An account that signs in by a token that is not there any more is not one that signs in by nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_gone_is_asked_for() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    let desk = Desk::new(&clock);
    let id = desk.add_account(draft(&hub.url(), &[A])).await.id;
    until_live(&desk).await;
    let before = hub.asked();
    desk.ask(Request::AccountEdit {
        id,
        edit: tidings_api::AccountEdit {
            sign_in: Some(SignIn::Token),
            ..tidings_api::AccountEdit::default()
        },
    })
    .await;
    desk.until_in_time("it stops", |status| {
        status.connections[0].state == ConnectionState::Stopped
    })
    .await;
    assert!(says(&desk.status().await, "Sign in again"));
    assert_eq!(hub.asked(), before, "nobody was asked as nobody");
    desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_without_end_is_cut() {
    let clock = FakeClock::new();
    let hub = Hub::start(Rules::default()).await.unwrap();
    for number in 0..40 {
        let text = format!("{number} {}", "x".repeat(900_000));
        hub.publish(A, &text);
    }
    let desk = Desk::new(&clock);
    desk.add_account(draft(&hub.url(), &[A])).await;
    until_live(&desk).await;
    let count = desk.status().await.counts.all;
    assert!((10..30).contains(&count), "{count}");
    hub.publish(A, "live");
    until_count(&desk, count + 1).await;
    desk.engine.stop().await;
}
