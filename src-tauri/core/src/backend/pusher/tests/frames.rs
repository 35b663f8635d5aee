//! Frames, as servers write them.

use crate::backend::pusher::frame::{Frame, read};
use serde_json::json;

#[test]
fn data_is_read_as_a_text_and_as_an_object() {
    let inner = json!({"socket_id": "1.2", "activity_timeout": 120});
    for data in [inner.clone(), json!(inner.to_string())] {
        let frame = json!({"event": "pusher:connection_established", "data": data}).to_string();
        let established = Frame::Established {
            socket_id: "1.2".to_owned(),
            activity_timeout: Some(120),
        };
        assert_eq!(read(&frame), Some(established));
    }
    for (data, text) in [
        (json!("plain"), "plain"),
        (json!("{\"a\":1}"), "{\"a\":1}"),
        (json!({"a": 1}), "{\"a\":1}"),
        (json!([1]), "[1]"),
        (json!(null), ""),
    ] {
        let frame = json!({"event": "e", "channel": "c", "data": data}).to_string();
        let event = Frame::Event {
            channel: "c".to_owned(),
            event: "e".to_owned(),
            data: text.to_owned(),
        };
        assert_eq!(read(&frame), Some(event));
    }
}

#[test]
fn each_frame_is_known() {
    let channel = "c".to_owned();
    for (frame, known) in [
        (
            json!({"event": "pusher_internal:subscription_succeeded", "channel": "c"}),
            Frame::Succeeded {
                channel: channel.clone(),
            },
        ),
        (
            json!({"event": "pusher:subscription_error", "channel": "c",
                   "data": {"type": "AuthError", "error": "No.", "status": 401}}),
            Frame::Refused {
                channel: channel.clone(),
                status: Some(401),
                error: "No.".to_owned(),
            },
        ),
        (
            json!({"event": "pusher:cache_miss", "channel": "c"}),
            Frame::CacheMiss { channel },
        ),
        (
            json!({"event": "pusher:error", "data": {"code": 4301, "message": "m"}}),
            Frame::Error {
                code: Some(4301),
                message: "m".to_owned(),
            },
        ),
        (
            json!({"event": "pusher:error", "data": {"code": null, "message": "m"}}),
            Frame::Error {
                code: None,
                message: "m".to_owned(),
            },
        ),
        (
            json!({"event": "pusher:signin_success", "data": {"user_data": "{\"id\":42}"}}),
            Frame::SignedIn {
                user: "42".to_owned(),
            },
        ),
        (json!({"event": "pusher:ping"}), Frame::Ping),
        (json!({"event": "pusher:pong", "data": {}}), Frame::Pong),
        (
            json!({"event": "pusher_internal:member_added", "channel": "c", "data": "{}"}),
            Frame::Other,
        ),
        (json!({"event": "no-channel", "data": "x"}), Frame::Other),
    ] {
        assert_eq!(read(&frame.to_string()), Some(known), "{frame}");
    }
}

#[test]
fn what_is_no_frame_is_none() {
    for frame in [
        "",
        "hello",
        "[]",
        "{}",
        r#"{"event":1}"#,
        r#"{"event":"a""#,
        r#"{"event":"pusher:connection_established","data":"{}"}"#,
        r#"{"event":"pusher:connection_established","data":{"socket_id":"a\nb"}}"#,
    ] {
        assert_eq!(read(frame), None, "{frame}");
    }
}
