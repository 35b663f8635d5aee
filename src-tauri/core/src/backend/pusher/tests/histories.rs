//! What was missed, from an application's history.

use super::script::{APP, NOW, Script, at, resume};
use crate::backend::{Effect, FailureKind, Fetched, Input, Missing};
use crate::model::Origin;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn shared() -> Value {
    json!({"history_url": format!("{APP}/history")})
}

/// An item that was made so many seconds before now.
fn item(id: &str, ago: i64) -> Value {
    json!({"id": id, "title": id, "created_at": at(NOW - ago).to_string()})
}

fn started(options: &Value, channels: &[(&str, Option<&str>)]) -> Script {
    let mut script = Script::greeted(options, channels);
    for (channel, _) in channels {
        script.succeed(channel);
    }
    script
}

fn cursor(ago: i64, id: &str) -> String {
    json!({"at": (NOW - ago) * 1000, "id": id}).to_string()
}

fn ids(script: &mut Script) -> Vec<String> {
    script.ids().into_iter().map(|(_, id, _)| id).collect()
}

#[test]
fn the_history_is_asked_for_once_the_channel_is_subscribed() {
    let mut script = Script::greeted(&shared(), &[("a", None)]);
    assert!(script.fetches.is_empty());
    script.succeed("a");
    let asked = script.fetches[&script.tag("history")].clone();
    assert_eq!(asked.url(), format!("{APP}/history"));
    script.event("a", "e", &json!({"id": "3", "title": "3"}));
    assert!(!script.live);
    script.answer(
        "history",
        &json!([item("3", 1), item("2", 60), item("1", 120)]),
    );
    assert!(script.live);
    let (live, first) = (Origin::Live, Origin::FirstFilling);
    assert_eq!(
        script.ids(),
        [
            (1, "3", live),
            (1, "1", first),
            (1, "2", first),
            (1, "3", first)
        ]
        .map(|(line, id, origin)| (line, id.to_owned(), origin))
    );
    assert_eq!(script.filled, [(1, None)]);
    assert_eq!(
        script.cursors[&1],
        json!({"at": (NOW - 1) * 1000, "id": "3"}).to_string()
    );
}

/// The position moves when all of it was handed over, not before.
#[test]
fn a_position_comes_after_what_it_covers() {
    let mut script = started(&shared(), &[("a", Some(&cursor(600, "0")))]);
    script.answer(
        "history",
        &json!({"data": [item("2", 60)], "next_page_url": "/history?page=2"}),
    );
    assert!(script.drafts().is_empty() && !script.live);
    assert_eq!(script.cursors[&1], cursor(600, "0"));
    script.answer(
        "page=2",
        &json!({"data": [item("1", 120), item("0", 600), item("old", 100_000)]}),
    );
    let effects = script.taken();
    let place = |wanted: fn(&Effect) -> bool| effects.iter().position(wanted).unwrap();
    let last = effects
        .iter()
        .rposition(|effect| matches!(effect, Effect::Notify { .. }))
        .unwrap();
    assert!(last < place(|effect| matches!(effect, Effect::Filled { missing: None, .. })));
    assert!(last < place(|effect| matches!(effect, Effect::Advance { .. })));
    assert_eq!(effects.last(), Some(&Effect::Live));
    let told: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify { draft, origin, .. } => Some((draft.remote_id.as_str(), *origin)),
            _ => None,
        })
        .collect();
    // A little before the position is read again, what is older is not.
    let back = Origin::Backfill;
    assert_eq!(told, [("0", back), ("1", back), ("2", back)]);
}

#[test]
fn pages_are_read_until_what_is_known() {
    let mut script = started(&shared(), &[("a", Some(&cursor(5000, "k")))]);
    for page in 1..=4 {
        let part = if page == 1 {
            "history".to_owned()
        } else {
            format!("page={page}")
        };
        let items: Vec<_> = (0..10)
            .map(|n| item(&format!("{page}-{n}"), 1 + (page * 10 + n) * 100))
            .collect();
        script.answer(
            &part,
            &json!({"data": items, "links": {"next": format!("{APP}/history?page={}", page + 1)}}),
        );
    }
    // 1000 to 4900 seconds back; the fifth page begins at 5001.
    assert!(!script.live);
    let items: Vec<_> = (0..10)
        .map(|n| item(&format!("5-{n}"), 5001 + n * 100))
        .collect();
    script.answer(
        "page=5",
        &json!({"data": items, "links": {"next": format!("{APP}/history?page=6")}}),
    );
    assert!(script.live && script.fetches.is_empty());
    let ids = ids(&mut script);
    assert_eq!(ids.len(), 43);
    assert_eq!((ids[0].as_str(), ids[42].as_str()), ("5-2", "1-0"));
}

/// The oldest first: then the end is at the end.
#[test]
fn a_history_that_begins_with_the_oldest_is_read_to_its_end() {
    let mut script = started(&shared(), &[("a", Some(&cursor(500, "k")))]);
    script.answer(
        "history",
        &json!({"data": [item("x", 90_000), item("y", 9000)], "next_page_url": "?page=2"}),
    );
    script.answer(
        "page=2",
        &json!({"data": [item("z", 8000), item("k", 500)], "next_page_url": "?page=3"}),
    );
    script.answer(
        "page=3",
        &json!({"data": [item("m", 50), item("n", 40)], "next_page_url": null}),
    );
    assert!(script.live);
    assert_eq!(ids(&mut script), ["k", "m", "n"]);
}

#[test]
fn a_new_channel_is_filled_for_a_day() {
    let mut script = started(&shared(), &[("a", None)]);
    let items = json!([item("2", 3600), item("1", 86_399), item("0", 86_401)]);
    script.answer("history", &items);
    assert_eq!(ids(&mut script), ["1", "2"]);
    // With nothing new in it, the next time begins a day back again.
    let mut script = started(&shared(), &[("a", None)]);
    script.answer("history", &json!([]));
    assert_eq!(script.filled, [(1, None)]);
    let kept = script.cursors[&1].clone();
    let mut script = started(&shared(), &[("a", Some(&kept))]);
    script.answer("history", &items);
    let back = Origin::Backfill;
    assert_eq!(
        script.ids(),
        [(1, "1".to_owned(), back), (1, "2".to_owned(), back)]
    );
}

#[test]
fn a_history_without_times_ends_at_the_known_id() {
    let plain = |id: &str| json!({"id": id, "title": id});
    let mut script = started(&shared(), &[("a", Some("{\"id\":\"2\"}"))]);
    script.answer(
        "history",
        &json!({"items": [plain("5"), plain("4")], "next": "?page=2"}),
    );
    script.answer(
        "page=2",
        &json!({"items": [plain("3"), plain("2"), plain("1")], "next": "?page=3"}),
    );
    assert!(script.live);
    assert_eq!(ids(&mut script), ["3", "4", "5"]);
    assert_eq!(script.cursors[&1], "{\"id\":\"5\"}");
    // A new channel has no place to stop at: one page of it is enough.
    let mut script = started(&shared(), &[("a", None)]);
    script.answer(
        "history",
        &json!({"items": [plain("5"), plain("4")], "next": "?page=2"}),
    );
    assert!(script.live);
    assert_eq!(ids(&mut script), ["4", "5"]);
}

/// Items without ids are at least the same each time, and the same as live where both say the same.
#[test]
fn items_without_ids_are_known_again() {
    let same = json!({"title": "T", "created_at": at(NOW - 30).to_string()});
    let mut script = started(&shared(), &[("a", None)]);
    script.event("a", "", &same);
    script.answer("history", &json!([same]));
    let first = ids(&mut script);
    assert_eq!(first[0], first[1]);
    let mut script = started(&shared(), &[("a", None)]);
    script.now += 4000;
    script.answer("history", &json!([same]));
    assert_eq!(ids(&mut script), first[..1]);
}

#[test]
fn each_channel_may_have_its_own() {
    let options = json!({"history_url": format!("{APP}/h?of={{channel}}")});
    let mut script = started(&options, &[("a=1", None), ("b", Some(&cursor(10, "x")))]);
    script.answer("of=b", &json!({"results": [item("y", 5)]}));
    assert!(!script.live);
    script.answer("of=a%3D1", &json!({"results": [item("z", 5)]}));
    assert!(script.live);
    assert_eq!(
        script.ids(),
        [
            (2, "y".to_owned(), Origin::Backfill),
            (1, "z".to_owned(), Origin::FirstFilling)
        ]
    );
}

/// One history of all channels, whose items name theirs.
#[test]
fn items_may_name_their_channel() {
    let options =
        json!({"history_url": format!("{APP}/h"), "history_mapping": {"topic": "/channel"}});
    let of = |channel: &str, id: &str, ago: i64| {
        let mut item = item(id, ago);
        item["channel"] = channel.into();
        item
    };
    let channels = [
        ("a", Some(cursor(1000, "a0"))),
        ("b", Some(cursor(50_000, "b0"))),
        ("c", None),
    ];
    let channels = channels
        .each_ref()
        .map(|(name, cursor)| (*name, cursor.as_deref()));
    let mut script = Script::greeted(&options, &channels);
    script.succeed("a");
    script.succeed("b");
    // Once, for all of them.
    assert!(script.fetches.is_empty());
    script.succeed("c");
    script.answer(
        "/h",
        &json!({"data": [of("a", "a1", 10), of("b", "b1", 40_000), of("a", "a-old", 2000), of("x", "x", 5),
                         of("c", "c1", 45_000), of("b", "b0", 50_000)]}),
    );
    assert!(script.live);
    let (back, first) = (Origin::Backfill, Origin::FirstFilling);
    assert_eq!(
        script.ids(),
        [
            (2, "b0", back),
            (3, "c1", first),
            (2, "b1", back),
            (1, "a1", back)
        ]
        .map(|(line, id, origin)| (line, id.to_owned(), origin))
    );
    // A quiet channel is brought along, so that the next time is short.
    let kept: BTreeSet<_> = script.cursors.values().collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

/// A history that names no channels is that of one; the others are live only.
#[test]
fn a_history_of_one_channel_is_not_taken_for_that_of_others() {
    for (options, own) in [
        (
            json!({"history_url": format!("{APP}/h"), "auth_url": format!("{APP}/auth")}),
            2,
        ),
        (
            json!({"history_url": format!("{APP}/h"), "auth_url": format!("{APP}/auth"), "history_channel": "a"}),
            1,
        ),
    ] {
        let mut script = Script::greeted(&options, &[("a", Some("{}")), ("private-b", Some("{}"))]);
        script.succeed("a");
        script.answer("private-b", &json!({"auth": "k:s"}));
        script.succeed("private-b");
        script.answer("/h", &json!([item("1", 5)]));
        assert_eq!(script.ids(), [(own, "1".to_owned(), Origin::Backfill)]);
        let mut filled = script.filled.clone();
        filled.sort_by_key(|(line, _)| *line);
        let missing = |line| (line != own).then_some(Missing::LiveOnly);
        assert_eq!(filled, [(1, missing(1)), (2, missing(2))]);
    }
}

#[test]
fn where_pages_lead_is_found_in_many_forms() {
    let next =
        |options: Value, first: &str, headers: &[(&str, &str)], body: Value| -> Option<String> {
            let mut all = json!({"history_url": first});
            all.as_object_mut()
                .unwrap()
                .extend(options.as_object().unwrap().clone());
            let mut script = started(&all, &[("a", Some(&cursor(9000, "k")))]);
            script.answer_text("ex.test", headers, &body.to_string());
            script.fetches.values().next().map(|asked| asked.url())
        };
    let page = |name: &str, to: &str| json!({"data": [item("1", 5)], name: to});
    let h = "https://app.ex.test/h?size=2";
    for (options, headers, body, wanted) in [
        (
            json!({}),
            &[][..],
            page("next_page_url", "https://app.ex.test/h?p=2"),
            Some("https://app.ex.test/h?p=2"),
        ),
        (
            json!({}),
            &[],
            page("next", "/h?p=2"),
            Some("https://app.ex.test/h?p=2"),
        ),
        // Behind a proxy, applications take themselves for http.
        (
            json!({}),
            &[],
            page("next", "http://app.ex.test/h?p=2"),
            Some("https://app.ex.test/h?p=2"),
        ),
        (
            json!({}),
            &[(
                "link",
                "<https://app.ex.test/h?p=1>; rel=\"prev\", </h?p=3>; rel=\"next\"",
            )],
            json!([item("1", 5)]),
            Some("https://app.ex.test/h?p=3"),
        ),
        (
            json!({"history_next": "/meta/cursor", "history_parameter": "cursor"}),
            &[],
            json!({"data": [item("1", 5)], "meta": {"cursor": "a b"}}),
            Some("https://app.ex.test/h?size=2&cursor=a+b"),
        ),
        (
            json!({"history_next": "/meta/cursor", "history_items": "/deep/er"}),
            &[],
            json!({"deep": {"er": {"1": item("1", 5)}}, "meta": {"cursor": "?p=9"}}),
            Some("https://app.ex.test/h?p=9"),
        ),
        // Nobody else gets the credential, and nobody is asked in circles.
        (
            json!({}),
            &[],
            page("next", "https://evil.test/h?p=2"),
            None,
        ),
        (json!({}), &[], page("next", h), None),
        (
            json!({}),
            &[],
            json!({"data": [item("1", 5)], "next": null}),
            None,
        ),
    ] {
        assert_eq!(
            next(options, h, headers, body.clone()),
            wanted.map(str::to_owned),
            "{body}"
        );
    }
}

/// Live events come all the same, and the gap stays open until the history can be had.
#[test]
fn a_history_that_cannot_be_had_leaves_the_rest_alone() {
    let known = cursor(600, "0");
    for (answer, word) in [
        (Some("<html>"), "web page"),
        (Some("{}"), "web page"),
        (None, "does not allow"),
    ] {
        let mut script = started(&shared(), &[("a", Some(&known))]);
        match answer {
            Some(body) => script.answer_text("history", &[], body),
            None => script.refuse("history", 403),
        }
        assert!(script.live && script.filled.is_empty());
        assert!(script.problems[&1].contains(word), "{:?}", script.problems);
        script.event("a", "e", &json!({"id": "9", "title": "9"}));
        assert_eq!(ids(&mut script), ["9"]);
        assert_eq!(script.cursors[&1], known);
    }
    let mut script = started(&shared(), &[("a", Some(&known))]);
    script.refuse("history", 401);
    assert_eq!(script.failed().kind, FailureKind::SignIn);
}

#[test]
fn a_busy_history_is_asked_again() {
    let mut script = started(&shared(), &[("a", Some(&cursor(600, "0")))]);
    script.refuse_for("history", 503, Some(25));
    assert!(script.live && script.filled.is_empty());
    assert!(script.problems[&1].contains("asked again"));
    script.pass(24);
    assert!(script.fetches.is_empty());
    script.pass(1);
    script.answer("history", &json!([item("1", 5)]));
    assert!(script.problems.is_empty());
    assert_eq!(script.filled, [(1, None)]);
    assert_eq!(ids(&mut script), ["1"]);
}

#[test]
fn a_history_without_an_end_is_cut_and_says_so() {
    let mut script = started(&shared(), &[("a", Some(&cursor(90_000, "0")))]);
    for page in 1..=1000 {
        let part = if page == 1 {
            "history".to_owned()
        } else {
            format!("page={page}&")
        };
        script.answer(&part, &json!({"data": [item(&page.to_string(), page)], "next": format!("?page={}&", page + 1)}));
    }
    assert_eq!(script.filled, [(1, Some(Missing::Truncated))]);
    assert_eq!(ids(&mut script).len(), 1000);
}

#[test]
fn an_answer_that_is_too_long_is_no_history() {
    let mut script = started(&shared(), &[("a", None)]);
    let tag = script.tag("history");
    script.fetches.remove(&tag);
    script.part(tag, Fetched::Head(&[]));
    script.part(tag, Fetched::TooLong);
    script.part(tag, Fetched::End);
    assert!(script.problems.contains_key(&1) && script.live);
}

#[test]
fn what_was_deleted_elsewhere_goes() {
    let options = json!({"history_url": format!("{APP}/h"), "history_mapping": {"deleted": "/gone", "read": "/seen"}});
    let mut script = started(&options, &[("a", Some(&cursor(600, "0")))]);
    script.taken();
    script.answer(
        "/h",
        &json!([
            {"id": "2", "title": "2", "gone": true, "created_at": at(NOW - 5).to_string()},
            {"id": "1", "title": "1", "seen": "2023-11-14", "created_at": at(NOW - 6).to_string()},
        ]),
    );
    let told: Vec<String> = script
        .taken()
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify { draft, .. } => Some(format!("notify {}", draft.remote_id)),
            Effect::Read { replace_key, .. } => Some(format!("read {replace_key}")),
            Effect::Remove { replace_key, .. } => Some(format!("remove {replace_key}")),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["notify 1", "read 1", "remove 2"]);
}

/// A driver that may be cut off after any effect: what it stored, and up to where.
#[derive(Default)]
struct Stored {
    seen: BTreeMap<String, u32>,
    cursor: Option<String>,
}

impl Stored {
    fn take(&mut self, script: &mut Script, budget: &mut usize) -> bool {
        for effect in script.taken() {
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            match effect {
                Effect::Notify { draft, .. } => *self.seen.entry(draft.remote_id).or_default() += 1,
                Effect::Advance { cursor, .. } => self.cursor = Some(cursor.0),
                _ => {}
            }
        }
        true
    }
}

/// Cut off after any effect, and again at any later one, the next connections bring the rest.
#[test]
fn nothing_is_lost_wherever_a_connection_is_cut() {
    let published: Vec<String> = (0..12).map(|n| format!("n{n:02}")).collect();
    // Item n is made at second n * 60 before now, the last ones while the connection is open.
    let made = |n: usize| item(&published[n], 60 * i64::try_from(12 - n).unwrap());
    let history = |until: usize, page: usize| -> Value {
        let newest: Vec<Value> = (0..until).rev().map(made).collect();
        let pages: Vec<_> = newest.chunks(3).collect();
        let next = (page < pages.len()).then(|| format!("?page={}", page + 1));
        json!({"data": pages.get(page - 1).copied().unwrap_or_default(), "next": next})
    };
    let connect = |stored: &mut Stored, budget: &mut usize, sent: usize| {
        let mut script = Script::new(resume(&shared(), &[("a", stored.cursor.as_deref())]));
        script.greet();
        script.succeed("a");
        if !stored.take(&mut script, budget) {
            return;
        }
        for n in sent..published.len() {
            script.event("a", "e", &made(n));
            if !stored.take(&mut script, budget) {
                return;
            }
            let asked = script.fetches.values().next().map(|asked| asked.url());
            if let Some(url) = asked {
                let page = url
                    .split_once("page=")
                    .map_or(1, |(_, page)| page.parse().unwrap());
                script.answer("history", &history(sent, page));
                if !stored.take(&mut script, budget) {
                    return;
                }
            }
        }
        script.tell(Input::Closed {
            code: Some(1006),
            reason: "",
        });
    };
    let mut cuts = 0;
    for first in 0..60 {
        for second in [0, 7, 20, 1000] {
            let mut stored = Stored::default();
            connect(&mut stored, &mut first.clone(), 6);
            connect(&mut stored, &mut second.clone(), 9);
            // The last one is let finish; all were published by then.
            let mut whole = Script::new(resume(&shared(), &[("a", stored.cursor.as_deref())]));
            whole.greet();
            whole.succeed("a");
            while let Some(url) = whole.fetches.values().next().map(|asked| asked.url()) {
                let page = url
                    .split_once("page=")
                    .map_or(1, |(_, page)| page.parse().unwrap());
                whole.answer("history", &history(12, page));
            }
            stored.take(&mut whole, &mut usize::MAX.clone());
            let seen: Vec<_> = stored.seen.keys().cloned().collect();
            assert_eq!(seen, published, "cut at {first} and {second}");
            cuts += 1;
        }
    }
    assert_eq!(cuts, 240);
}
