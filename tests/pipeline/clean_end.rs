//! A stream that its server ends as agreed: at once where the server wishes nothing, else when it wished.

use crate::harness::{Desk, all_live, numbered};
use std::time::Duration;
use support::fakes::mercure::{Hub, Rules};
use tidings_api::{AccountDraft, BackendKind, ConnectionState, SecretPlace, Status};
use tidings_core::ports::Clock as _;
use tidings_core::testing::FakeClock;

const TOPIC: &str = "https://ex.test/a";

fn waits(status: &Status) -> bool {
    status.connections[0].state == ConnectionState::Waiting
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_comes_back_when_its_server_wished() {
    // The wish in milliseconds, and the least and greatest wait in seconds.
    for (wish, least, most) in [
        (30_000, 30.0, 37.5),
        (1, 1.0, 1.25),
        (86_400_000, 300.0, 375.0),
    ] {
        let clock = FakeClock::new();
        let hub = Hub::start(Rules::default()).await.unwrap();
        hub.ask_for_rest(wish);
        let desk = Desk::new(&clock);
        desk.add_account(AccountDraft {
            url: hub.url(),
            kind: Some(BackendKind::Mercure),
            topics: vec![TOPIC.to_owned()],
            secrets: SecretPlace::Memory,
            ..AccountDraft::default()
        })
        .await;
        desk.until_slowly("the stream is live", all_live).await;
        clock.advance(Duration::from_mins(4));
        hub.drop_all();
        desk.until("it waits", waits).await;
        hub.publish(TOPIC, "message 0");
        let until = desk.status().await.connections[0].retry_at;
        let wait = until
            .expect("a time")
            .duration_since(clock.now())
            .as_secs_f64();
        assert!((least..=most).contains(&wait), "{wish}: {wait}");
        desk.until_in_time("it is back", all_live).await;
        desk.until_count(1).await;
        assert_eq!(desk.bodies().await, numbered("message", 1));
        desk.engine.stop().await;
    }
}
