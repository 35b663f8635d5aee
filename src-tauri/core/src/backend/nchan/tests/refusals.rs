//! What a server says when it does not let us in, or hangs up.

use super::script::{Inbox, NOW, Script, TRANSPORTS, headers};
use crate::backend::nchan::Nchan;
use crate::backend::{Backend as _, FailureKind, Fetched, Input};
use crate::model::TransportKind;
use std::time::Duration;

fn refused(transport: TransportKind, status: u16) -> (FailureKind, Option<Duration>) {
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, transport);
    if script.is_streamed() {
        script.tell(Input::Refused {
            status,
            headers: &[],
            retry_after: Some(Duration::from_secs(7)),
            body: "",
        });
    } else {
        let (tag, _) = script.take("/sub/").unwrap();
        script.tell(Input::Fetched {
            tag,
            part: Fetched::Refused {
                status,
                headers: &[],
                retry_after: Some(Duration::from_secs(7)),
                body: "",
            },
        });
    }
    let failure = script.failed();
    (failure.kind, failure.retry_after)
}

#[test]
fn each_status_has_its_meaning_over_every_transport() {
    let wish = Some(Duration::from_secs(7));
    for transport in TRANSPORTS {
        for (status, kind, retry) in [
            (401, FailureKind::SignIn, wish),
            (404, FailureKind::WrongAddress, wish),
            (410, FailureKind::Transient, Some(Duration::from_mins(2))),
            (429, FailureKind::Transient, wish),
            (500, FailureKind::Transient, wish),
            (503, FailureKind::Transient, wish),
            (418, FailureKind::Transient, wish),
        ] {
            assert_eq!(
                refused(transport, status),
                (kind, retry),
                "{transport:?} {status}"
            );
        }
    }
    for status in [400, 405, 426, 501] {
        assert_eq!(
            refused(TransportKind::Websocket, status).0,
            FailureKind::Blocked
        );
    }
    // An answer that is no event stream.
    assert_eq!(refused(TransportKind::Sse, 200).0, FailureKind::Blocked);
    assert_eq!(refused(TransportKind::Poll, 403).0, FailureKind::Forbidden);
}

#[test]
fn a_location_for_other_transports_is_not_a_forbidden_one() {
    for transport in [TransportKind::Websocket, TransportKind::Sse] {
        let forbid = |script: &mut Script<'_>| {
            script.tell(Input::Refused {
                status: 403,
                headers: &[],
                retry_after: None,
                body: "",
            });
        };
        // It answers a poll.
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, transport);
        forbid(&mut script);
        let (tag, _) = script.take("/sub/").unwrap();
        script.tell(Input::Fetched {
            tag,
            part: Fetched::Head(&headers(&[])),
        });
        assert_eq!(script.failed().kind, FailureKind::Blocked);
        // It lets nobody in.
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, transport);
        forbid(&mut script);
        for _ in 0..2 {
            if let Some((tag, _)) = script.take("/sub/") {
                script.refuse(tag, 403);
            }
        }
        assert_eq!(script.failed().kind, FailureKind::Forbidden);
        assert!(script.inbox.drafts.is_empty());
    }
    // It has event streams only.
    let mut inbox = Inbox::of(&["alerts"]);
    let mut script = Script::new(&mut inbox, TransportKind::Websocket);
    script.tell(Input::Refused {
        status: 403,
        headers: &[],
        retry_after: None,
        body: "",
    });
    let (tag, _) = script.take("/sub/").unwrap();
    script.refuse(tag, 403);
    let (tag, request) = script.take("/sub/").unwrap();
    assert_eq!(request.headers[0].1, "text/event-stream");
    script.tell(Input::Fetched {
        tag,
        part: Fetched::Head(&headers(&[])),
    });
    assert_eq!(script.failed().kind, FailureKind::Blocked);
}

#[test]
fn the_reason_of_a_close_is_a_status_line() {
    for (code, reason, kind) in [
        (Some(1001), "410 Gone", Some(FailureKind::Transient)),
        (Some(1001), "408 Request Timeout", Some(FailureKind::Again)),
        (
            Some(1011),
            "500 Internal Server Error",
            Some(FailureKind::Transient),
        ),
        (Some(1008), "403 Forbidden", Some(FailureKind::Forbidden)),
        (Some(1001), "", Some(FailureKind::Again)),
        (Some(1000), "4100 bottles", Some(FailureKind::Again)),
        // The driver knows what to do.
        (None, "", None),
        (Some(1006), "gone", None),
    ] {
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, TransportKind::Websocket);
        script.open(NOW);
        script.tell(Input::Closed { code, reason });
        let failed = script.failure.as_ref().map(|failure| failure.kind);
        assert_eq!(failed, kind, "{code:?} {reason}");
    }
    for (comment, kind) in [
        ("410: 410 Gone", Some(FailureKind::Transient)),
        ("408: 408 Request Timeout", Some(FailureKind::Again)),
        ("hi", None),
        ("4", None),
        ("ä10: x", None),
        ("200: fine", None),
    ] {
        let mut inbox = Inbox::of(&["alerts"]);
        let mut script = Script::new(&mut inbox, TransportKind::Sse);
        script.open(NOW);
        script.tell(Input::Comment(comment));
        let failed = script.failure.as_ref().map(|failure| failure.kind);
        assert_eq!(failed, kind, "{comment}");
    }
}

#[test]
fn a_test_says_what_the_server_says() {
    let judge = |status| {
        Nchan
            .judge_access(status, "", "")
            .map_err(|failure| failure.kind)
    };
    assert_eq!(judge(200), Ok(()));
    assert_eq!(judge(304), Ok(()));
    assert_eq!(judge(401), Err(FailureKind::SignIn));
    assert_eq!(judge(403), Err(FailureKind::Forbidden));
    assert_eq!(judge(404), Err(FailureKind::WrongAddress));
    assert_eq!(judge(502), Err(FailureKind::Transient));
}
