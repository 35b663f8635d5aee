use super::recorded;
use super::script::{Script, resume};
use crate::backend::{FailureKind, Input};
use crate::model::TransportKind;
use std::time::Duration;

fn refused(
    transport: TransportKind,
    status: u16,
    retry_after: Option<u64>,
    body: &str,
) -> crate::backend::Failure {
    let mut script = Script::new(resume(transport, &[("a", None)]));
    script.tell(Input::Refused {
        status,
        headers: &[],
        retry_after: retry_after.map(Duration::from_secs),
        body,
    });
    script.failure()
}

#[test]
fn every_refusal_of_the_server_has_its_kind_and_its_words() {
    let mut words = Vec::new();
    for line in recorded("refusals.txt") {
        let (status, body) = line.split_once(' ').unwrap();
        let status = status.parse().unwrap();
        let failure = refused(TransportKind::HttpStream, status, None, body);
        let kind = match status {
            401 => FailureKind::SignIn,
            403 => FailureKind::Forbidden,
            404 => FailureKind::WrongAddress,
            _ => FailureKind::Transient,
        };
        assert_eq!(failure.kind, kind, "{line}");
        words.push(failure.says);
    }
    let all = words.len();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), all, "two refusals read the same");
    let odd = refused(
        TransportKind::Sse,
        418,
        None,
        "{\"error\":\"I am\\u202e a pot\"}",
    );
    assert_eq!(
        (odd.kind, odd.says.as_str()),
        (
            FailureKind::Transient,
            "The server answered: I am a pot (status 418)."
        )
    );
}

/// ntfy sends no Retry-After with a 429, and bans those who do not rest.
#[test]
fn too_many_requests_rest_for_a_minute_at_least() {
    for (sent, rest) in [(None, 60), (Some(1), 60), (Some(300), 300)] {
        let failure = refused(TransportKind::Websocket, 429, sent, "");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(rest)));
    }
    let failure = refused(TransportKind::Websocket, 503, Some(7), "");
    assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
}

/// A refused WebSocket comes with a status and without a body.
#[test]
fn a_proxy_without_websocket_is_not_the_servers_fault() {
    for status in [400, 405, 426, 501] {
        assert_eq!(
            refused(TransportKind::Websocket, status, None, "").kind,
            FailureKind::Blocked
        );
        assert_eq!(
            refused(TransportKind::HttpStream, status, None, "").kind,
            FailureKind::Transient
        );
    }
    assert_eq!(
        refused(TransportKind::Websocket, 401, None, "").kind,
        FailureKind::SignIn
    );
    assert_eq!(
        refused(TransportKind::Websocket, 502, None, "").kind,
        FailureKind::Transient
    );
}
