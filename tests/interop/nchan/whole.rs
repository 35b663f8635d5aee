//! Nothing is lost, nothing comes twice.

use tidings_api::{AccountEdit, Reply, Request, TransportChoice, TransportKind};

use super::relay::Relay;
use super::servers;
use super::{
    House, Store, TRANSPORTS, came_in_order, count, desk, draft, in_order, live, next_second,
};
use support::Result;

/// The connection breaks twenty times while messages are published; then it dies without a word.
async fn broken_twenty_times(store: Store) -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::new(store).await?;
    let relay = Relay::start(house.nginx.addr).await;
    for transport in TRANSPORTS {
        let what = format!("{store:?} {transport:?}");
        let channel = format!("drops_{transport:?}");
        let publisher = format!("/pub/{channel}");
        let desk = desk();
        let url = format!("{}/sub/{channel}", relay.url());
        let added = desk.add_account(draft(&url, Some(transport), "")).await;
        assert_eq!(added.url, url);
        live(&desk).await;
        for round in 0..20 {
            let sent = round * 8;
            house
                .publish_some(&publisher, "message", sent, sent + 5)
                .await?;
            relay.cut();
            house
                .publish_some(&publisher, "message", sent + 5, sent + 8)
                .await?;
            if round % 3 == 0 {
                count(&desk, sent).await;
                live(&desk).await;
            }
        }
        came_in_order(&desk, &in_order("message", 160), &what).await;
        // Half open: nobody says a word any more.
        live(&desk).await;
        relay.freeze();
        house.publish_some(&publisher, "message", 160, 163).await?;
        relay.thaw();
        came_in_order(&desk, &in_order("message", 163), &what).await;
        let subscription = &desk.account().await.subscriptions[0];
        assert_eq!(subscription.topic, channel);
        assert_eq!(subscription.problem, "");
        let gaps = &subscription.continuity.gaps;
        assert!(!gaps.is_empty(), "{what}");
        assert!(
            gaps.iter().all(|gap| gap.missing.is_empty()),
            "{what}: {gaps:?}"
        );
        desk.engine.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_drops_with_its_memory() -> Result<()> {
    broken_twenty_times(Store::Memory).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_drops_with_redis() -> Result<()> {
    broken_twenty_times(Store::Redis).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_killed_and_started_again() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    for store in [Store::Memory, Store::Redis] {
        for transport in TRANSPORTS {
            let what = format!("{store:?} {transport:?}");
            let mut house = House::new(store).await?;
            let desk = desk();
            desk.add_account(draft(&house.nginx.url("/sub/alerts"), Some(transport), ""))
                .await;
            live(&desk).await;
            house.publish_some("/pub/alerts", "message", 0, 3).await?;
            if store == Store::Memory {
                // What it forgets must have come before.
                count(&desk, 3).await;
            }
            house.nginx.kill();
            desk.until_in_time("the loss is noticed", |status| {
                status.connections[0].retry_at.is_some()
            })
            .await;
            house.nginx.again().await?;
            // A memory that was emptied gives the numbers of this second once more.
            next_second().await;
            house.publish_some("/pub/alerts", "message", 3, 6).await?;
            came_in_order(&desk, &in_order("message", 6), &what).await;
            desk.engine.stop().await;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_were_missed() -> Result<()> {
    const MISSED: usize = 10_000;
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::new(Store::Memory).await?;
    for transport in &TRANSPORTS[..3] {
        let publisher = format!("/pub/many_{transport:?}");
        let desk = desk();
        let url = house.nginx.url(&format!("/sub/many_{transport:?}"));
        desk.add_account(draft(&url, Some(*transport), "")).await;
        live(&desk).await;
        let desk = {
            desk.engine.stop().await;
            house.publish_some(&publisher, "message", 0, MISSED).await?;
            desk.restart().await
        };
        came_in_order(
            &desk,
            &in_order("message", MISSED),
            &format!("{transport:?}"),
        )
        .await;
        desk.engine.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_transport_goes_on_where_the_last_one_left_off() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::new(Store::Memory).await?;
    let desk = desk();
    let added = desk
        .add_account(draft(
            &house.nginx.url("/multi/a/b"),
            None,
            r#"{"channels":"a, b"}"#,
        ))
        .await;
    live(&desk).await;
    let mut sent = 0;
    for round in 0..12 {
        for _ in 0..4 {
            let path = ["/pub/a", "/pub/b"][sent % 2];
            house.publish(path, &format!("message {sent}")).await?;
            sent += 1;
        }
        let transport = TRANSPORTS[(round * 3 + round / 4) % 4];
        let edit = AccountEdit {
            transport: Some(TransportChoice::Fixed(transport)),
            ..AccountEdit::default()
        };
        desk.ask(Request::AccountEdit { id: added.id, edit }).await;
        if round % 2 == 0 {
            live(&desk).await;
        }
    }
    count(&desk, sent).await;
    live(&desk).await;
    assert_eq!(
        desk.bodies().await,
        super::harness::numbered("message", sent)
    );
    let view = desk.account().await;
    let topics: Vec<&str> = view
        .subscriptions
        .iter()
        .map(|one| one.topic.as_str())
        .collect();
    assert_eq!(topics, ["a", "b"]);
    for row in desk.rows().await {
        let number: usize = row.preview.split(' ').nth(1).unwrap_or_default().parse()?;
        assert_eq!(
            row.subscription,
            view.subscriptions[number % 2].id,
            "{row:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_small_buffer_dropped_is_shown_as_a_gap() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    for store in [Store::Memory, Store::Redis] {
        for (missed, missing) in [(15, true), (5, false)] {
            let house = House::new(store).await?;
            let desk = desk();
            let options = format!(
                r#"{{"info_url":"{}","keeps":10}}"#,
                house.nginx.url("/small/{channel}")
            );
            desk.add_account(draft(&house.nginx.url("/sub/alerts"), None, &options))
                .await;
            live(&desk).await;
            house.publish("/small/alerts", "before").await?;
            count(&desk, 1).await;
            desk.engine.stop().await;
            house
                .publish_some("/small/alerts", "missed", 0, missed)
                .await?;
            // What is published in the very second in which we come back counts as live.
            next_second().await;
            let desk = desk.restart().await;
            count(&desk, 1 + missed.min(10)).await;
            live(&desk).await;
            let subscription = &desk.account().await.subscriptions[0];
            assert_eq!(subscription.problem, "");
            let gap = &subscription.continuity.gaps[0];
            assert_eq!(gap.filled, missed.min(10) as u64, "{store:?}");
            assert_eq!(!gap.missing.is_empty(), missing, "{store:?} {gap:?}");
            desk.engine.stop().await;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locations_for_one_transport_are_found_out() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::new(Store::Memory).await?;
    // WebSocket is refused as if nobody was let in.
    let desk_of_events = desk();
    desk_of_events
        .add_account(draft(&house.nginx.url("/events/alerts"), None, ""))
        .await;
    live(&desk_of_events).await;
    let carried = desk_of_events.status().await.connections[0].transport;
    assert_eq!(carried, Some(TransportKind::Sse));
    // Both parts of an id are in the Etag.
    let desk_of_polls = desk();
    let url = house.nginx.url("/compound/alerts");
    desk_of_polls
        .add_account(draft(&url, Some(TransportKind::LongPoll), ""))
        .await;
    live(&desk_of_polls).await;
    house.publish_some("/pub/alerts", "message", 0, 4).await?;
    for desk in [desk_of_events, desk_of_polls] {
        came_in_order(&desk, &in_order("message", 4), "one transport").await;
        let desk = {
            desk.engine.stop().await;
            desk.restart().await
        };
        live(&desk).await;
        assert_eq!(desk.rows().await.len(), 4);
        desk.engine.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_channel_comes_back() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    // Of several workers, some keep back what is published after a deletion (Nchan 1.3.6).
    let house = House::with_workers(1).await?;
    for transport in &TRANSPORTS[..3] {
        let path = format!("/pub/gone_{transport:?}");
        let desk = desk();
        let url = house.nginx.url(&format!("/sub/gone_{transport:?}"));
        desk.add_account(draft(&url, Some(*transport), "")).await;
        live(&desk).await;
        house.publish(&path, "message 0").await?;
        count(&desk, 1).await;
        let deleted = house.client.delete(house.nginx.url(&path)).send().await?;
        deleted.error_for_status()?;
        desk.until_in_time("the deletion is noticed", |status| {
            status.connections[0].problem.contains("deleted")
        })
        .await;
        next_second().await;
        house.publish(&path, "message 1").await?;
        came_in_order(&desk, &in_order("message", 2), &format!("{transport:?}")).await;
        desk.engine.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_recognised_and_tested() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::new(Store::Memory).await?;
    house.publish("/pub/alerts", "hello").await?;
    let desk = desk();
    let detected = |url: String| {
        let desk = &desk;
        async move {
            let asked = desk.ask(Request::Detect { url });
            tokio::pin!(asked);
            // A stream is watched for a moment of the inbox's own time.
            loop {
                tokio::select! {
                    reply = &mut asked => match reply {
                        Reply::Detected(detected) => return detected,
                        other => panic!("{other:?}"),
                    },
                    () = desk.clock.pass(std::time::Duration::from_millis(200)) => {}
                }
            }
        }
    };
    for path in [
        "/sub/alerts",
        "/multi/alerts/b",
        "/events/alerts",
        "/compound/alerts",
    ] {
        let url = house.nginx.url(path);
        let found = detected(url.clone()).await;
        assert_eq!(
            found.kind,
            Some(tidings_api::BackendKind::Nchan),
            "{path}: {found:?}"
        );
        assert_eq!(found.url, url);
    }
    for path in ["/nothing", "/pub/alerts", "/basic/alerts"] {
        let found = detected(house.nginx.url(path)).await;
        assert_eq!(found.kind, None, "{path}: {found:?}");
    }
    Ok(())
}
