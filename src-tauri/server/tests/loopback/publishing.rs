use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tidings_server::{Action, Publish};

use super::support::{Fixture, START, TestClock, json, refused, text};

#[tokio::test]
async fn a_plain_message() {
    let it = Fixture::with(TestClock::new().config()).await;
    let message = it.publish("alerts", "  97 % full\n").await;
    let id = message["id"].as_str().unwrap();
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let expected = json!({
        "id": id, "time": START, "expires": START + 12 * 3600, "event": "message", "topic": "alerts", "message": "97 % full",
    });
    assert_eq!(message, expected);
    assert_eq!(it.poll("/alerts/json?poll=1").await, [expected]);
}

#[tokio::test]
async fn every_header() {
    let it = Fixture::new().await;
    let request = it
        .put("/t", "body **bold**")
        .header("Title", "Disk")
        .header("X-Priority", "urgent")
        .header("Tags", "warning, skull,,disk")
        .header("Click", "mailto:a@b.test")
        .header("Icon", "https://a.test/i.png")
        .header("Markdown", "yes")
        .header("X-Sequence-ID", "job-42")
        .header("Attach", "https://a.test/files/log.txt?x=1")
        .header(
            "Actions",
            "view, Open, https://a.test, clear=true; http, Stop, https://a.test/stop, method=PUT",
        );
    let mut message = json(request).await;
    for action in message["actions"].as_array_mut().unwrap() {
        assert_eq!(action["id"].take().as_str().unwrap().len(), 10);
    }
    for field in ["id", "time", "expires"] {
        message.as_object_mut().unwrap().remove(field).unwrap();
    }
    let expected = json!({
        "sequence_id": "job-42", "event": "message", "topic": "t", "title": "Disk", "message": "body **bold**",
        "priority": 5, "tags": ["warning", "skull", "disk"], "click": "mailto:a@b.test", "icon": "https://a.test/i.png",
        "content_type": "text/markdown", "attachment": {"name": "log.txt", "url": "https://a.test/files/log.txt?x=1"},
        "actions": [
            {"id": null, "action": "view", "label": "Open", "clear": true, "url": "https://a.test"},
            {"id": null, "action": "http", "label": "Stop", "clear": false, "url": "https://a.test/stop", "method": "PUT"},
        ],
    });
    assert_eq!(message, expected);
}

#[tokio::test]
async fn short_names_the_query_and_get() {
    let it = Fixture::new().await;
    let by_header = json(
        it.put("/t", "x")
            .header("t", "T")
            .header("p", "low")
            .header("ta", "a,b"),
    )
    .await;
    let by_query = json(it.put("/t?t=T&P=2&ta=a,b", "x")).await;
    for action in ["publish", "send", "trigger"] {
        let by_get =
            json(it.get(&format!("/t/{action}?title=T&prio=low&tags=a,b&message=x"))).await;
        for other in [&by_header, &by_query] {
            for field in ["title", "priority", "tags", "message"] {
                assert_eq!(by_get[field], other[field]);
            }
        }
    }
    assert_eq!(json(it.get("/t/trigger")).await["message"], "triggered");
    assert_eq!(
        json(it.client.post(it.url("/t"))).await["message"],
        "triggered"
    );
    assert_eq!(json(it.get("/t/send?m=a%5Cnb")).await["message"], "a\nb");
    assert_eq!(
        json(it.put("/t", "x").header("Content-Type", "text/markdown")).await["content_type"],
        "text/markdown"
    );
    let browser = json(it.put("/t?priority=high", "x").header("Priority", "u=1, i")).await;
    assert_eq!(browser["priority"], 4);
}

#[tokio::test]
async fn text_of_any_kind() {
    let it = Fixture::new().await;
    let raw = reqwest::header::HeaderValue::from_bytes("Füße 👍".as_bytes()).unwrap();
    assert_eq!(
        json(it.put("/t", "x").header("Title", raw)).await["title"],
        "Füße 👍"
    );
    let encoded = it
        .put("/t", "x")
        .header("Title", "=?UTF-8?B?RsO8w59l?= =?utf-8?q?=F0=9F=91=8D?=");
    assert_eq!(json(encoded).await["title"], "Füße👍");
    let binary = json(it.put("/t", vec![0xff_u8, 0x00, 0x01])).await;
    assert_eq!(
        (&binary["message"], &binary["encoding"]),
        (&json!("/wAB"), &json!("base64"))
    );
}

#[tokio::test]
async fn as_json() {
    let it = Fixture::new().await;
    let body = json!({
        "topic": "t", "message": "m", "title": "T", "tags": ["a"], "priority": 4, "click": "https://a.test",
        "icon": "https://a.test/i.png", "markdown": true, "attach": "https://a.test/f", "filename": "g.txt",
        "sequence_id": "s", "actions": [{"action": "copy", "label": "Code", "value": "123"}], "unknown": 1, "email": null,
    });
    let message = json(it.client.post(it.server.url()).json(&body)).await;
    for field in [
        "topic",
        "message",
        "title",
        "tags",
        "priority",
        "click",
        "icon",
        "sequence_id",
    ] {
        assert_eq!(message[field], body[field], "{field}");
    }
    assert_eq!(
        message["attachment"],
        json!({"name": "g.txt", "url": "https://a.test/f"})
    );
    assert_eq!(message["actions"][0]["value"], "123");
    assert_eq!(message["content_type"], "text/markdown");
    for (body, code) in [
        ("{", 40017),
        ("{}", 40017),
        (r#"{"topic":"t","priority":"x"}"#, 40017),
        (r#"{"topic":"t","priority":9}"#, 40007),
        (r#"{"topic":"a b"}"#, 40009),
        (r#"{"topic":"docs"}"#, 40010),
        (r#"{"topic":"t","email":"a@b.test"}"#, 40001),
        (r#"{"topic":"t","call":"yes"}"#, 40032),
        (r#"{"topic":"t","delay":"1 fortnight"}"#, 40004),
        (r#"{"topic":"t","actions":[{"action":"x"}]}"#, 40018),
    ] {
        assert_eq!(refused(it.put("/", body)).await, code, "{body}");
    }
    assert_eq!(refused(it.put("/", vec![b' '; 100_000])).await, 41303);
    // Apprise sends the text as JSON and the rest in headers.
    let mixed = it.put("/", r#"{"topic":"t","message":"m","title":"T"}"#);
    let mixed = json(
        mixed
            .header("X-Priority", "4")
            .header("X-Tags", "a")
            .header("Title", "other"),
    )
    .await;
    assert_eq!(
        (&mixed["priority"], &mixed["tags"], &mixed["title"]),
        (&json!(4), &json!(["a"]), &json!("T"))
    );
}

#[tokio::test]
async fn refusals() {
    let it = Fixture::new().await;
    for (path, header, code) in [
        ("/t", ("Priority", "6"), 40007),
        ("/t", ("Actions", "dance, A, b"), 40018),
        ("/t", ("Icon", "ftp://a.test"), 40021),
        ("/t", ("Attach", "file:///etc/passwd"), 40013),
        ("/t", ("Filename", "a.txt"), 40014),
        ("/t", ("Message", "and a body"), 40014),
        ("/t", ("Email", "a@b.test"), 40001),
        ("/t", ("Call", "+1"), 40032),
        ("/t", ("X-Sequence-ID", "a b"), 40049),
        ("/t/a.b", ("X", "x"), 40049),
        ("/a.b", ("X", "x"), 40009),
        ("/v1", ("X", "x"), 40401),
        ("/docs", ("X", "x"), 40010),
        ("/t/a/b/c", ("X", "x"), 40401),
    ] {
        assert_eq!(
            refused(it.put(path, "x").header(header.0, header.1)).await,
            code,
            "{path} {header:?}"
        );
    }
    let long = "/".to_owned() + &"t".repeat(65);
    assert_eq!(refused(it.put(&long, "x")).await, 40009);
    assert_eq!(refused(it.client.patch(it.url("/t"))).await, 40401);
    assert_eq!(it.poll("/t/json?poll=1").await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_size_of_a_message() {
    let it = Fixture::new().await;
    let longest = "x".repeat(4096);
    assert_eq!(it.publish("t", &longest).await["message"], longest.as_str());
    for length in [4097, 100_000, 900_000] {
        assert_eq!(
            refused(it.put("/t", "x".repeat(length))).await,
            41301,
            "{length}"
        );
    }
    let json = json!({"topic": "t", "message": "x".repeat(4097)});
    assert_eq!(
        refused(it.client.post(it.server.url()).json(&json)).await,
        41301
    );
    assert_eq!(it.poll("/t/json?poll=1").await.len(), 1);
}

#[tokio::test]
async fn without_cache() {
    let it = Fixture::new().await;
    let mut listener = it.listen("/t/json").await;
    assert_eq!(listener.text().await, "open");
    let message = json(it.put("/t", "x").header("Cache", "no")).await;
    assert_eq!(message["expires"], Value::Null);
    assert_eq!(listener.next().await.unwrap(), message);
    assert!(it.poll("/t/json?poll=1").await.is_empty());
}

#[tokio::test]
async fn update_clear_and_delete() {
    let it = Fixture::new().await;
    let mut listener = it.listen("/t/json").await;
    listener.next().await;
    let first = json(it.put("/t/job", "10 %")).await;
    let second = json(it.put("/t/job", "20 %")).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(second["sequence_id"], "job");
    let mut expected = vec![first, second];
    for (method, path, event) in [
        ("PUT", "/t/job/clear", "message_clear"),
        ("POST", "/t/job/read", "message_clear"),
        ("DELETE", "/t/job", "message_delete"),
        ("GET", "/t/job/delete", "message_delete"),
    ] {
        let told = json(it.client.request(method.parse().unwrap(), it.url(path))).await;
        assert_eq!(told["event"], event, "{path}");
        assert_eq!(
            (&told["sequence_id"], &told["topic"]),
            (&json!("job"), &json!("t"))
        );
        expected.push(told);
    }
    for frame in &expected {
        assert_eq!(listener.next().await.unwrap(), *frame);
    }
    assert_eq!(it.poll("/t/json?poll=1").await, expected);
    assert_eq!(refused(it.client.delete(it.url("/t/a.b"))).await, 40049);
}

#[tokio::test]
async fn from_within() {
    let it = Fixture::new().await;
    let action = Action {
        action: "view".into(),
        label: "Open".into(),
        url: "https://a.test".into(),
        ..Action::default()
    };
    let publish = Publish {
        title: "T".into(),
        actions: vec![action],
        ..Publish::new("t", "hello")
    };
    let message = it.server.publish(publish).await.unwrap();
    assert_eq!(message.sequence_id, message.id);
    it.server
        .tell(tidings_server::Kind::MessageClear, "t", &message.id)
        .await
        .unwrap();
    let polled = it.poll("/t/json?poll=1").await;
    assert_eq!(polled[0]["actions"][0]["url"], "https://a.test");
    assert_eq!(polled[1]["sequence_id"], message.id.as_str());
    assert_eq!(
        it.server
            .publish(Publish::new("a b", "x"))
            .await
            .unwrap_err()
            .code,
        40009
    );
}

#[tokio::test]
async fn a_thousand_over_one_connection_arrive_in_order() {
    let it = Fixture::new().await;
    let mut listener = it.listen("/t/json").await;
    listener.next().await;
    for number in 0..1000 {
        it.publish("t", &number.to_string()).await;
    }
    for number in 0..1000 {
        assert_eq!(listener.text().await, number.to_string());
    }
    assert_eq!(it.texts("/t/json?poll=1").await.len(), 1000);
}

#[tokio::test]
async fn pages() {
    let it = Fixture::new().await;
    assert_eq!(json(it.get("/v1/health")).await, json!({"healthy": true}));
    let config = json(it.get("/v1/config")).await;
    assert_eq!(config["base_url"], it.server.url());
    assert_eq!(config["enable_login"], false);
    let account = json(it.get("/v1/account")).await;
    assert_eq!(
        (&account["username"], &account["role"]),
        (&json!("*"), &json!("anonymous"))
    );
    assert_eq!(account["limits"]["messages_expiry_duration"], 12 * 3600);
    for path in ["/v1/version", "/v1", "/t", "/t/unknown", "/static/x"] {
        assert_eq!(refused(it.get(path)).await, 40401, "{path}");
    }
    let root = it.get("/").send().await.unwrap();
    assert!(
        root.headers()[CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert_eq!(json(it.get("/t/auth")).await, json!({"success": true}));
}

#[tokio::test]
async fn requests_are_remembered_for_tests() {
    let it = Fixture::new().await;
    json(it.put("/t?p=1", "x").header("Title", "T")).await;
    let log = it.server.log();
    assert_eq!(
        (log[0].method.as_str(), log[0].path.as_str()),
        ("PUT", "/t?p=1")
    );
    assert_eq!(log[0].header("title"), Some("T"));
    assert_eq!(text(&it.poll("/t/json?poll=1").await[0]), "x");
    assert_eq!(it.server.log().len(), 2);
}
