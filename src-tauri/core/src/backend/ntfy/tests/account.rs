//! The account on the server: what is asked, when, and what follows.

use super::script::{NOW, Script, resume, said};
use crate::backend::ntfy::Ntfy;
use crate::backend::{Backend as _, Effect, FailureKind, Fetched, Input, Resume, Server, Step};
use crate::model::{
    Body, HttpRequest, Method, Offered, SignIn, StepChange, SubscriptionId, TransportKind,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const BASE: &str = "https://ntfy.ex.test";
const CONFIG: &str = "v1/config";
const ACCOUNT: &str = "v1/account";

fn signed_in(transport: TransportKind, topics: &[(&str, Option<i64>)]) -> Resume {
    Resume {
        signed_in: true,
        ..resume(transport, topics)
    }
}

fn server() -> Server {
    Server {
        base: format!("{BASE}/").parse().unwrap(),
        options: String::new(),
    }
}

fn account(subscriptions: &Value) -> Value {
    json!({
        "username": "phil",
        "role": "user",
        "sync_topic": "st_abc",
        "subscriptions": subscriptions,
    })
}

fn subscribed(topic: &str, name: &str) -> Value {
    json!({"base_url": BASE, "topic": topic, "display_name": name})
}

fn whole(script: &mut Script, part: &str, body: &Value) {
    let tag = script.tag(part);
    script.fetches.remove(&tag);
    script.part(tag, Fetched::Head(&[]));
    script.part(tag, Fetched::Body(&body.to_string()));
    script.part(tag, Fetched::End);
}

/// Answers the look; what was to be stored.
fn look(script: &mut Script, subscriptions: &Value) -> (String, Vec<Offered>) {
    if script.fetches.values().any(|url| url.ends_with(CONFIG)) {
        whole(script, CONFIG, &json!({"base_url": BASE}));
    }
    script.taken();
    whole(script, ACCOUNT, &account(subscriptions));
    let mut effects = script.taken().into_iter();
    effects
        .find_map(|effect| match effect {
            Effect::InStep { place, listed } => Some((place, listed)),
            _ => None,
        })
        .expect("it is to be stored")
}

fn stored(script: &mut Script, topics: &[&str]) {
    let known: Vec<_> = topics
        .iter()
        .zip(1..)
        .map(|(topic, id)| ((*topic).to_owned(), Some(SubscriptionId(id))))
        .collect();
    script.tell(Input::Offered(&known));
}

fn opened(script: &Script) -> &str {
    script.opened.last().map_or("", String::as_str)
}

#[test]
fn the_link_has_what_the_account_has_and_its_own_topic() {
    let mut script = Script::new(signed_in(TransportKind::Websocket, &[("a", Some(NOW))]));
    assert!(script.opened.is_empty(), "the account is looked at first");
    let theirs = json!({"base_url": "https://other.ex.test", "topic": "c"});
    let odd = json!({"base_url": BASE, "topic": "not a topic"});
    let own = subscribed("st_abc", "");
    let listed = json!([subscribed("b", "Bells"), theirs, odd, own, 7]);
    let (place, listed) = look(&mut script, &listed);
    assert_eq!(place, BASE);
    let bells = Offered {
        topic: "b".to_owned(),
        name: "Bells".to_owned(),
        icon: None,
        place: BASE.to_owned(),
    };
    assert_eq!(listed, [bells]);
    stored(&mut script, &["a", "b"]);
    assert_eq!(opened(&script), format!("{BASE}/a,b,st_abc/ws"));
    script.open(NOW);
    let asked: Vec<_> = script.fetches.values().cloned().collect();
    assert!(
        asked.iter().all(|url| !url.contains("st_abc")),
        "it has no history: {asked:?}"
    );
    assert_eq!(
        asked.len(),
        3,
        "two histories, and what changed meanwhile: {asked:?}"
    );
}

#[test]
fn where_the_server_thinks_it_is_is_where_new_ones_are_kept() {
    let mut script = Script::new(signed_in(TransportKind::Websocket, &[("a", None)]));
    whole(
        &mut script,
        CONFIG,
        &json!({"base_url": "https://public.ex.test/"}),
    );
    let listed = json!([
        {"base_url": "https://public.ex.test", "topic": "b"},
        {"base_url": "https://NTFY.ex.test/", "topic": "c"},
    ]);
    whole(&mut script, ACCOUNT, &account(&listed));
    let in_step = script.taken().into_iter().find_map(|effect| match effect {
        Effect::InStep { place, listed } => Some((place, listed)),
        _ => None,
    });
    let (place, listed) = in_step.unwrap();
    assert_eq!(place, "https://public.ex.test");
    let places: Vec<_> = listed.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, ["https://public.ex.test", "https://NTFY.ex.test/"]);
}

/// No account, an old server, no answer: it goes on with what is here.
#[test]
fn without_an_account_it_goes_on_as_before() {
    for body in [
        json!({"username": "*", "role": "anonymous"}),
        json!({}),
        json!([]),
        json!("page"),
    ] {
        let mut script = Script::new(signed_in(TransportKind::HttpStream, &[("a", None)]));
        let tag = script.tag(CONFIG);
        script.refuse(tag, 0);
        whole(&mut script, ACCOUNT, &body);
        assert_eq!(opened(&script), format!("{BASE}/a/json"));
    }
    for status in [0, 404, 408, 429, 500] {
        let mut script = Script::new(signed_in(TransportKind::HttpStream, &[("a", None)]));
        let tag = script.tag(ACCOUNT);
        script.refuse(tag, status);
        let tag = script.tag(CONFIG);
        script.refuse(tag, status);
        assert_eq!(opened(&script), format!("{BASE}/a/json"));
    }
}

#[test]
fn a_refused_sign_in_is_asked_for() {
    let mut script = Script::new(signed_in(TransportKind::Websocket, &[("a", None)]));
    let tag = script.tag(ACCOUNT);
    script.refuse(tag, 401);
    assert_eq!(script.failure().kind, FailureKind::SignIn);
    assert!(script.opened.is_empty());
}

#[test]
fn a_change_elsewhere_opens_the_link_anew_only_where_topics_changed() {
    let mut script = Script::new(signed_in(TransportKind::Websocket, &[("a", Some(NOW))]));
    look(&mut script, &json!([subscribed("a", "")]));
    stored(&mut script, &["a"]);
    script.open(NOW);
    look(&mut script, &json!([subscribed("a", "")]));
    stored(&mut script, &["a"]);
    assert_eq!(script.opened.len(), 1);
    let tag = script.tag("since=");
    script.answer(tag, &[]);
    let sync = json!({"id": "s1", "time": NOW, "event": "message", "topic": "st_abc",
        "message": "{\"event\":\"sync\"}"});
    script.taken();
    script.frame(&sync);
    assert!(script.ids().is_empty(), "it is no notification");
    // One more while the first is under way: looked at once more, not at the same time.
    script.frame(&sync);
    assert_eq!(script.fetches.len(), 1, "{:?}", script.fetches);
    look(&mut script, &json!([subscribed("a", "Alarm")]));
    stored(&mut script, &["a"]);
    assert_eq!(script.opened.len(), 1, "a name is no reason");
    look(&mut script, &json!([subscribed("b", "")]));
    stored_as(&mut script, &[("b", 2)]);
    assert_eq!(opened(&script), format!("{BASE}/b,st_abc/ws"));
    // What still comes of a topic that was left is nothing.
    script.taken();
    script.frame(&said("a", "late", NOW));
    assert!(script.ids().is_empty());
    // The new link overlaps with the history: nothing is handed over before it is complete.
    script.open(NOW + 5);
    script.frame(&said("b", "new", NOW + 6));
    assert_eq!(script.cursors.get(&2), None);
    let tag = script.tag("/b/json?poll=1");
    script.answer(tag, &[said("b", "old", NOW + 1)]);
    assert_eq!(script.cursors.get(&2), Some(&(NOW + 5)), "by its clock");
}

fn stored_as(script: &mut Script, topics: &[(&str, i64)]) {
    let known: Vec<_> = topics
        .iter()
        .map(|(topic, id)| ((*topic).to_owned(), Some(SubscriptionId(*id))))
        .collect();
    script.tell(Input::Offered(&known));
}

/// Where the account's own topic may not be read, the others go on without it.
#[test]
fn the_own_topic_spoils_nothing() {
    let refused = Input::Refused {
        status: 403,
        headers: &[],
        retry_after: None,
        body: "",
    };
    let mut script = Script::new(signed_in(TransportKind::Websocket, &[("a", Some(NOW))]));
    look(&mut script, &json!([]));
    stored(&mut script, &["a"]);
    script.tell(refused);
    let tag = script.tag("/a/auth");
    script.answer(tag, &[]);
    let tag = script.tag("/st_abc/auth");
    script.refuse(tag, 403);
    assert_eq!(opened(&script), format!("{BASE}/a/ws"));
    // The same where there is nothing else.
    let mut script = Script::new(signed_in(TransportKind::Websocket, &[]));
    look(&mut script, &json!([]));
    stored(&mut script, &[]);
    assert_eq!(opened(&script), format!("{BASE}/st_abc/ws"));
    script.tell(refused);
    assert_eq!(
        script.taken().last(),
        Some(&Effect::Live),
        "there is nothing to wait for"
    );
}

#[test]
fn a_polled_account_is_looked_at_every_quarter_of_an_hour() {
    let mut script = Script::new(signed_in(TransportKind::Poll, &[("a", Some(NOW))]));
    look(&mut script, &json!([]));
    stored(&mut script, &["a"]);
    let mut looks = 0;
    for _ in 0..31 {
        let tag = script.tag("poll=1");
        script.answer(tag, &[]);
        script.wait(60);
        let waited = script.taken().into_iter().find_map(|effect| match effect {
            Effect::Wait { tag, .. } => Some(tag),
            _ => None,
        });
        script.tell(Input::Waited {
            tag: waited.expect("it waits"),
        });
        if script.fetches.values().any(|url| url.ends_with(ACCOUNT)) {
            looks += 1;
            look(&mut script, &json!([]));
            stored(&mut script, &["a"]);
        }
    }
    assert_eq!(looks, 2);
}

#[test]
fn without_a_sign_in_only_the_limits_are_asked_for_and_once() {
    for options in ["", "{\"subscriptions\":\"apart\"}"] {
        let mut script = Script::new(Resume {
            signed_in: !options.is_empty(),
            options: options.to_owned(),
            ..resume(TransportKind::Websocket, &[("a", Some(NOW))])
        });
        assert_eq!(opened(&script), format!("{BASE}/a/ws"));
        script.open(NOW);
        assert_eq!(script.fetches.len(), 1, "not before it is live");
        let tag = script.tag("since=");
        script.answer(tag, &[]);
        script.taken();
        whole(
            &mut script,
            ACCOUNT,
            &json!({"role": "anonymous", "limits": {"messages": 250}, "stats": {"messages_remaining": 7}}),
        );
        let effects = script.taken();
        let [Effect::Quota(quota)] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(quota.messages_left, Some(7));
        assert!(script.fetches.is_empty());
    }
}

#[test]
fn options_are_checked_in_words() {
    assert_eq!(Ntfy.check_options("").unwrap(), "");
    assert_eq!(
        Ntfy.check_options("{\"subscriptions\":\"in_step\"}")
            .unwrap(),
        ""
    );
    let apart = "{\"subscriptions\":\"apart\"}";
    assert_eq!(Ntfy.check_options(apart).unwrap(), apart);
    for wrong in ["[", "{\"subscriptions\":\"other\"}", "{\"other\":1}"] {
        assert!(Ntfy.check_options(wrong).unwrap_err().contains("in_step"));
    }
    let chosen = |options: &str, sign_in| {
        let server = Server {
            options: options.to_owned(),
            ..server()
        };
        Ntfy.in_step(&server, &sign_in) && Ntfy.offers(&server, &sign_in)
    };
    assert!(chosen("", SignIn::Token));
    assert!(!chosen("", SignIn::None));
    assert!(!chosen(apart, SignIn::Token));
}

fn body(request: &HttpRequest) -> Value {
    match &request.body {
        Body::Bytes { bytes, .. } => serde_json::from_slice(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_account_is_told_of_changes_here() {
    let told = |change, name| {
        let step = Step {
            change,
            place: BASE,
            topic: "a",
            name,
        };
        Ntfy.tell_step(&server(), &step).unwrap()
    };
    for (change, method) in [
        (StepChange::Subscribe, Method::Post),
        (StepChange::Rename, Method::Patch),
    ] {
        let request = told(change, "Alarm");
        assert_eq!(request.method, method);
        assert_eq!(
            request.url.as_str(),
            format!("{BASE}/v1/account/subscription")
        );
        assert_eq!(body(&request), subscribed("a", "Alarm"));
        assert_eq!(body(&told(change, ""))["display_name"], Value::Null);
    }
    let request = told(StepChange::Unsubscribe, "Alarm");
    assert_eq!(
        (request.method, &request.body),
        (Method::Delete, &Body::Empty)
    );
    let headers = [("X-BaseURL", BASE), ("X-Topic", "a")];
    assert_eq!(
        request.headers,
        headers.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_password_becomes_a_token_where_there_are_accounts() {
    let request = Ntfy.exchange(&server(), "Tidings on a test").unwrap();
    assert_eq!(request.url.as_str(), format!("{BASE}/v1/account/token"));
    assert_eq!(
        body(&request),
        json!({"label": "Tidings on a test", "expires": 0})
    );
    let token = Ntfy.exchanged(200, "{\"token\":\"tk_1\",\"expires\":0}");
    assert_eq!(token.unwrap().as_deref(), Some("tk_1"));
    for (status, body) in [
        (200, "{}"),
        (200, "<html>"),
        (400, ""),
        (403, ""),
        (404, "{\"code\":40401}"),
        (405, ""),
    ] {
        assert_eq!(
            Ntfy.exchanged(status, body).unwrap(),
            None,
            "{status} {body}"
        );
    }
    for (status, kind) in [
        (401, FailureKind::SignIn),
        (429, FailureKind::Transient),
        (500, FailureKind::Transient),
    ] {
        assert_eq!(Ntfy.exchanged(status, "").unwrap_err().kind, kind);
    }
    let revoke = Ntfy.revoke(&server(), &Ntfy.made_token("")).unwrap();
    assert_eq!(revoke.method, Method::Delete);
    assert_eq!(revoke.url.as_str(), format!("{BASE}/v1/account/token"));
    assert!(
        revoke.headers.is_empty(),
        "it is known by what signs the request in"
    );
}

#[test]
fn what_may_be_done_is_said_in_words() {
    let now = Timestamp::from_second(NOW).unwrap();
    let quota = |body: Value| Ntfy.quota(&body.to_string(), now);
    let all = quota(json!({
        "tier": {"code": "pro", "name": "Pro"},
        "limits": {"basis": "tier", "messages": 250, "reservations": 3, "attachment_file_size": 15_000_000,
            "attachment_total_size": 100_000_000},
        "stats": {"messages": 10, "messages_remaining": 240, "reservations_remaining": 1,
            "attachment_total_size_remaining": -5},
    }))
    .unwrap();
    assert_eq!(
        all.says,
        "Pro: 240 of 250 messages left until midnight UTC; 1 of 3 topics left to reserve; attachments of up to \
         15 MB, 0 bytes of 100 MB left."
    );
    assert_eq!(all.files_left, Some(0), "nothing is less than nothing");
    let midnight: Timestamp = "2023-11-15T00:00:00Z".parse().unwrap();
    assert_eq!(all.resets_at, Some(midnight));
    let few = quota(json!({"limits": {"messages": 250, "attachment_file_size": 0}})).unwrap();
    assert_eq!(few.says, "250 messages a day; no attachments.");
    let none = quota(json!({"limits": {"attachment_file_size": 0}})).unwrap();
    assert_eq!(
        (none.says.as_str(), none.resets_at),
        ("No attachments.", None)
    );
    for nothing in [
        json!({}),
        json!({"limits": {}}),
        json!({"limits": 7}),
        json!([]),
    ] {
        assert_eq!(quota(nothing), None);
    }
}

proptest! {
    #[test]
    fn any_account_is_taken_as_it_is(text in any::<String>(), name in any::<String>(), status in any::<u16>()) {
        let mut script = Script::new(signed_in(TransportKind::Websocket, &[("a", None)]));
        for page in [CONFIG, ACCOUNT] {
            let tag = script.tag(page);
            script.fetches.remove(&tag);
            script.part(tag, Fetched::Body(&text));
        }
        prop_assert_eq!(opened(&script), format!("{BASE}/a/ws"));
        let mut script = Script::new(signed_in(TransportKind::Websocket, &[("a", None)]));
        let (_, listed) = look(&mut script, &json!([subscribed("b", &name)]));
        prop_assert!(listed[0].name.chars().count() <= 256);
        let _ = Ntfy.exchanged(status, &text);
        let now = Timestamp::from_second(NOW).unwrap();
        let _ = Ntfy.quota(&text, now);
    }
}
