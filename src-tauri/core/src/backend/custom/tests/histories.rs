//! What was published before, and how it joins what comes.

use super::script::{Script, Setup, profile};
use crate::backend::{FailureKind, Missing};
use crate::model::{Origin, TransportKind};
use serde_json::{Value, json};

const PAGES: &str = r#"
    [sse]
    url = "/stream"
    [history]
    url = "/list"
    query = { limit = "2", page = "{page}", since = "{since}" }
    items = "/items"
    next = "/next"
    pages = 3
"#;

fn item(n: u32) -> Value {
    let minute = n % 60;
    json!({"id": n.to_string(), "title": format!("t{n}"), "time": format!("2026-08-01T11:{minute:02}:00Z")})
}

fn page(items: &[u32], next: &Value) -> String {
    json!({"items": items.iter().copied().map(item).collect::<Vec<_>>(), "next": next}).to_string()
}

fn setup() -> Setup<'static> {
    Setup::new(profile(PAGES), TransportKind::Sse)
}

#[test]
fn pages_are_read_down_to_what_is_known_and_handed_over_upwards() {
    let mut script = Script::new(&setup());
    script.open();
    assert_eq!(
        script.asked_url(),
        "https://ex.test/app/list?limit=2&since=2026-07-31T12%3A00%3A00Z"
    );
    script.answer(&page(&[4, 3], &json!("p2")));
    assert!(script.asked_url().contains("page=p2"));
    script.event("message", "", &item(5).to_string());
    assert_eq!(script.titles(), ["t5"], "live ones need not wait");
    assert_eq!(script.advances, 0, "but nothing is settled");
    script.answer(&page(&[2, 1], &Value::Null));
    assert_eq!(script.titles(), ["t5", "t1", "t2", "t3", "t4"]);
    assert_eq!(script.origins()[1], Origin::FirstFilling);
    assert_eq!(
        (script.live, script.filled.as_slice()),
        (1, [(1, None)].as_slice())
    );

    let mut again = script.again(&setup());
    again.open();
    assert!(
        again.asked_url().contains("since=2026-08-01T11%3A00%3A00Z"),
        "{}",
        again.asked_url()
    );
    again.answer(&page(&[7, 6], &json!("p2")));
    again.answer(&page(&[5, 4], &json!("p3")));
    assert!(
        again.open_fetches.is_empty(),
        "the newest known one ends it"
    );
    assert_eq!(
        again.titles(),
        ["t4", "t5", "t6", "t7"],
        "the inbox knows the first two"
    );
    assert!(
        again
            .origins()
            .iter()
            .all(|origin| *origin == Origin::Backfill)
    );
    assert_eq!(again.filled, [(1, None)]);
}

#[test]
fn a_history_that_is_too_long_is_a_gap() {
    let mut first = Script::new(&setup());
    first.open();
    first.answer(&page(&[1], &Value::Null));
    let mut script = first.again(&setup());
    script.open();
    script.answer(&page(&[49, 48], &json!("a")));
    script.answer(&page(&[47, 46], &json!("b")));
    script.answer(&page(&[45, 44], &json!("c")));
    assert_eq!(script.filled, [(1, Some(Missing::Truncated))]);
    assert_eq!(script.stored.len(), 6);
}

#[test]
fn a_history_that_cannot_be_read_is_no_empty_one() {
    let mut html = Script::new(&setup());
    html.open();
    html.answer_with(&[("content-type", "text/html; charset=utf-8")], "<html>");
    assert_eq!(html.failure.unwrap().kind, FailureKind::Transient);
    let mut cut = Script::new(&setup());
    cut.open();
    cut.answer(r#"{"items":[{"id""#);
    assert_eq!(cut.failure.unwrap().kind, FailureKind::Transient);
    assert_eq!(cut.advances, 0);
    let mut refused = Script::new(&setup());
    refused.open();
    refused.refuse(401);
    assert_eq!(refused.failure.unwrap().kind, FailureKind::SignIn);
}

#[test]
fn links_lead_to_the_next_page_of_the_same_server_only() {
    let toml = "[sse]\n[history]\nurl=\"/list\"\nlink=\"next\"";
    let mut script = Script::new(&Setup::new(profile(toml), TransportKind::Sse));
    script.open();
    let link = "<https://ex.test/app/list?max=3>; rel=\"next\", </x>; rel=prev";
    script.answer_with(&[("link", link)], &json!([item(4), item(3)]).to_string());
    assert_eq!(script.asked_url(), "https://ex.test/app/list?max=3");
    script.answer_with(
        &[("link", "<https://evil.test/list>; rel=\"next\"")],
        &json!([item(2)]).to_string(),
    );
    assert!(script.open_fetches.is_empty());
    assert_eq!(script.titles(), ["t2", "t3", "t4"]);
}

#[test]
fn each_topic_has_its_own_history() {
    let toml = "[sse]\nquery={c=\"{topics}\"}\n[history]\nurl=\"/{topic}/list\"";
    let setup = Setup {
        topics: &["a", "b"],
        ..Setup::new(profile(toml), TransportKind::Sse)
    };
    let mut script = Script::new(&setup);
    script.open();
    assert_eq!(script.asked_url(), "https://ex.test/app/a/list");
    script.answer(&json!([item(1)]).to_string());
    assert_eq!(script.asked_url(), "https://ex.test/app/b/list");
    script.answer(&json!([item(2)]).to_string());
    let places: Vec<i64> = script
        .stored
        .iter()
        .map(|stored| stored.subscription)
        .collect();
    assert_eq!(places, [1, 2]);
    assert_eq!(script.filled, [(1, None), (2, None)]);
}

#[test]
fn a_complete_list_shows_what_was_deleted() {
    let toml = r#"
        [sse]
        [[sse.on]]
        event = "changed"
        history = true
        [history]
        url = "/list"
        complete = true
        [map]
        read = "/read_at"
    "#;
    let mut script = Script::new(&Setup::new(profile(toml), TransportKind::Sse));
    script.open();
    script.event("message", "", &item(9).to_string());
    script.answer(r#"[{"id":"1","title":"a","read_at":"2026-08-01"},{"id":"2","title":"b"}]"#);
    let mut only = script.only[0].clone();
    only.sort();
    assert_eq!(only, ["1", "2", "9"], "what came meanwhile is not gone");
    assert_eq!(script.read, [("1".to_owned(), 0)]);
    // The doorbell rings twice while the list is fetched: it is fetched once more, not twice.
    script.event("changed", "", "x");
    script.event("changed", "", "x");
    script.event("changed", "", "x");
    assert_eq!(script.open_fetches.len(), 1);
    script.answer("[]");
    assert_eq!(script.open_fetches.len(), 1);
    script.answer("[]");
    assert!(script.open_fetches.is_empty());
    assert_eq!(script.only.last().unwrap().len(), 0);
}

#[test]
fn a_poll_may_ask_for_the_history() {
    let toml = "[poll]\nhistory=true\nevery=30\n[history]\nurl=\"/list\"";
    let mut script = Script::new(&Setup::new(profile(toml), TransportKind::Poll));
    script.answer(&json!([item(1)]).to_string());
    assert_eq!(script.live, 1);
    assert_eq!(script.waits, [(5, std::time::Duration::from_secs(30))]);
    script.wake();
    script.answer(&json!([item(2), item(1)]).to_string());
    assert_eq!(script.titles(), ["t1", "t1", "t2"]);
    assert_eq!(*script.origins().last().unwrap(), Origin::Live);
    assert_eq!(script.waits.len(), 1, "and so on");
}
