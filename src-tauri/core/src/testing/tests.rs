use super::*;
use crate::model::{AccountId, Credential, HttpRequest, SecretPlace, SignIn, Tier, TransportKind};
use crate::ports::{Clock, Notifier, NotifierError, SecretError, SecretStore, Toast, ToastKey};
use crate::transport::{Dial, Frame, Route, TransportError};
use futures_util::FutureExt;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn route() -> Route {
    Route {
        sign_in: SignIn::None,
        credential: Credential::default(),
        allow_http: false,
        own: Vec::new(),
        way: crate::model::Way::default(),
        silence: SECOND,
    }
}

fn request() -> HttpRequest {
    HttpRequest::get("https://example.org/t/json".parse().expect("a URL"))
}

fn toast(key: i64) -> Toast {
    Toast {
        key: ToastKey(key),
        title: String::new(),
        body: String::new(),
        tier: Tier::Important,
        sound: None,
        volume: 100,
        hushed: false,
        update: false,
        actions: Vec::new(),
        icon: None,
    }
}

#[tokio::test]
async fn sleep_of_the_machine_and_set_clocks_do_not_move_awake_time() {
    let clock = FakeClock::new();
    let (wall, awake) = (clock.now(), clock.awake());
    let mut nap = clock.sleep(SECOND);
    let mut appointment = clock.sleep_until(wall + SignedDuration::from_hours(2));
    clock.suspend(Duration::from_hours(1));
    assert_eq!(clock.awake(), awake);
    assert_eq!(clock.now(), wall + SignedDuration::from_hours(1));
    assert!((&mut nap).now_or_never().is_none());
    assert!(
        (&mut appointment).now_or_never().is_some(),
        "woken to look again"
    );
    clock.jump_wall(SignedDuration::from_hours(-3));
    assert_eq!(clock.now(), wall - SignedDuration::from_hours(2));
    clock.advance(SECOND);
    assert!(nap.now_or_never().is_some());
}

#[tokio::test]
async fn time_passes_from_deadline_to_deadline() {
    let clock = FakeClock::new();
    let ticker = clock.clone();
    let start = clock.awake();
    let ticks = tokio::spawn(async move {
        let mut ticks = Vec::new();
        for _ in 0..5 {
            ticker.sleep(20 * SECOND).await;
            ticks.push(ticker.awake().saturating_sub(start).as_secs());
        }
        ticks
    });
    clock.pass(Duration::from_mins(2)).await;
    assert_eq!(ticks.await.expect("no panic"), [20, 40, 60, 80, 100]);
    assert_eq!(clock.awake(), start + Duration::from_mins(2));
    assert_eq!(clock.sleepers(), 0);
}

#[test]
fn chances_repeat_and_can_be_set() {
    let (one, two) = (FakeClock::new(), FakeClock::new());
    one.set_chances([0.5]);
    assert!((one.chance() - 0.5).abs() < f64::EPSILON);
    for _ in 0..1000 {
        let chance = one.chance();
        assert!((0.0..1.0).contains(&chance));
        assert!((chance - two.chance()).abs() < f64::EPSILON);
    }
}

#[tokio::test]
async fn a_link_follows_its_script_and_a_dropped_wait_goes_on() {
    let clock = FakeClock::new();
    let transport = ScriptedTransport::new(Arc::new(clock.clone()));
    let script = transport.push_link(
        Script::new()
            .text("one")
            .wait(SECOND)
            .alive()
            .end(TransportError::Silent),
    );
    let (request, route) = (request(), route());
    let mut link = transport
        .open(TransportKind::Websocket, &request, &route)
        .await
        .expect("a link");
    assert!(script.is_open());
    assert_eq!(link.next().await, Ok(Frame::Text("one".to_owned())));
    assert!(link.next().now_or_never().is_none());
    clock.advance(SECOND);
    assert_eq!(link.next().await, Ok(Frame::Alive));
    script.push(Step::Frame(Frame::TooLong));
    assert_eq!(link.next().await, Err(TransportError::Silent));
    assert_eq!(link.next().await, Err(TransportError::Silent));
    link.send("hello".to_owned())
        .await
        .expect("a WebSocket sends");
    assert_eq!(script.sent(), ["hello"]);
    drop(link);
    assert!(!script.is_open());
    assert!(
        transport
            .open(TransportKind::Sse, &request, &route)
            .await
            .is_err()
    );
    assert_eq!(transport.opens().len(), 2);
}

#[tokio::test]
async fn answers_come_by_line_or_whole_and_can_break() {
    let transport = ScriptedTransport::new(Arc::new(FakeClock::new()));
    transport.push_reply(Reply::new(200, "a\n\nb").broken(TransportError::Timeout));
    transport.on_fetch(|request| Reply::new(404, request.url.path().repeat(2)));
    let (request, route) = (request(), route());
    let mut answer = transport.fetch(&request, &route).await.expect("an answer");
    for line in ["a", "", "b"] {
        assert_eq!(answer.line().await, Ok(Some(line.to_owned())));
    }
    assert_eq!(answer.line().await, Err(TransportError::Timeout));
    let mut answer = transport.fetch(&request, &route).await.expect("an answer");
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text(9).await, Ok("/t/json/t".to_owned()));
}

#[tokio::test]
async fn a_notifier_in_every_mode() {
    let clock = FakeClock::new();
    let notifier = RecordingNotifier::new(Arc::new(clock.clone()));
    notifier.show(toast(1)).await.expect("shown");
    notifier.show(toast(2)).await.expect("shown");
    notifier.show(toast(1)).await.expect("edited");
    notifier.withdraw(ToastKey(2)).await;
    assert_eq!(notifier.shown().len(), 3);
    assert_eq!(notifier.screen(), [toast(1)]);
    notifier.set_mode(NotifierMode::Refuses);
    assert!(matches!(
        notifier.show(toast(3)).await,
        Err(NotifierError::Refused(_))
    ));
    notifier.set_mode(NotifierMode::Hangs);
    let mut hanging = notifier.show(toast(3));
    assert!((&mut hanging).now_or_never().is_none());
    clock.advance(3 * SECOND);
    assert_eq!(hanging.await, Err(NotifierError::Timeout));
    notifier.vanish();
    assert_eq!(notifier.show(toast(3)).await, Err(NotifierError::Absent));
    assert_eq!(notifier.event().await, crate::ports::ToastEvent::Gone);
    assert!(notifier.screen().is_empty());
}

#[tokio::test]
async fn only_the_keyring_can_be_missing_or_locked() {
    let secrets = MemorySecrets::new();
    let account = AccountId(1);
    let credential = Credential {
        secret: Some("s".to_owned()),
        headers: Vec::new(),
        ..Credential::default()
    };
    for place in [SecretPlace::Keyring, SecretPlace::Memory] {
        secrets
            .set(place, account, credential.clone())
            .await
            .expect("kept");
    }
    secrets.set_mode(SecretsMode::Locked);
    assert_eq!(
        secrets.get(SecretPlace::Keyring, account).await,
        Err(SecretError::Locked)
    );
    assert_eq!(
        secrets.get(SecretPlace::Memory, account).await,
        Ok(Some(credential))
    );
    secrets.set_mode(SecretsMode::Missing);
    assert_eq!(
        secrets.delete(SecretPlace::Keyring, account).await,
        Err(SecretError::Missing)
    );
    secrets.set_mode(SecretsMode::Open);
    secrets
        .delete(SecretPlace::Keyring, account)
        .await
        .expect("forgotten");
    assert_eq!(secrets.kept(SecretPlace::Keyring, account), None);
}
