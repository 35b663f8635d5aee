//! One row for what the server means to be one thing.

use super::{Fixture, at, days, draft, new_account, topic, version};
use crate::model::{
    Action, ActionKind, Attachment, Class, Draft, Fate, Format, NotificationId, Origin, Tier,
};
use crate::store::StoreError;
use tidings_api::Change;

/// What comes in, in order.
enum In {
    /// key, remote id, version
    Message(&'static str, &'static str, i64),
    /// key, version
    Read(&'static str, i64),
    /// key, version
    Removed(&'static str, i64),
    /// The user deletes whatever is in the inbox.
    Deletes,
    /// Retention takes what was deleted.
    Purges,
    Undoes,
}

/// What is there afterwards: remote id, read.
type Rows = &'static [(&'static str, bool)];

#[test]
fn what_comes_in_ends_as_it_must() {
    use In::{Deletes, Message, Purges, Read, Removed, Undoes};
    let table: &[(&str, &[In], &str, Rows)] = &[
        ("one", &[Message("a", "a", 1)], "new", &[("a", false)]),
        (
            "again",
            &[Message("a", "a", 1), Message("a", "a", 1)],
            "known",
            &[("a", false)],
        ),
        (
            "the same id later is the same message",
            &[Message("a", "a", 1), Message("a", "a", 9)],
            "known",
            &[("a", false)],
        ),
        (
            "update",
            &[Message("a", "a", 1), Message("a", "b", 2)],
            "updated",
            &[("b", false)],
        ),
        (
            "update in the same second",
            &[Message("a", "a", 1), Message("a", "b", 1)],
            "updated",
            &[("b", false)],
        ),
        (
            "replay of both of the same second",
            &[
                Message("a", "a", 1),
                Message("a", "b", 1),
                Message("a", "a", 1),
                Message("a", "b", 1),
                Message("a", "a", 1),
            ],
            "known",
            &[("b", false)],
        ),
        (
            "replay of the first after an update",
            &[
                Message("a", "a", 1),
                Message("a", "b", 2),
                Message("a", "a", 1),
            ],
            "known",
            &[("b", false)],
        ),
        (
            "out of order",
            &[Message("a", "b", 2), Message("a", "a", 1)],
            "known",
            &[("b", false)],
        ),
        (
            "an update leaves it read",
            &[Message("a", "a", 1), Read("a", 1), Message("a", "b", 2)],
            "updated",
            &[("b", true)],
        ),
        (
            "read",
            &[Message("a", "a", 1), Read("a", 1)],
            "",
            &[("a", true)],
        ),
        (
            "read of an older version",
            &[Message("a", "a", 2), Read("a", 1)],
            "",
            &[("a", false)],
        ),
        (
            "read before it came",
            &[Read("a", 1), Message("a", "a", 1)],
            "new",
            &[("a", true)],
        ),
        (
            "a newer one than what was read before it came",
            &[Read("a", 1), Message("a", "b", 2)],
            "new",
            &[("b", false)],
        ),
        (
            "the read version comes after its clear, as an update",
            &[Message("a", "a", 1), Read("a", 2), Message("a", "b", 2)],
            "updated",
            &[("b", true)],
        ),
        ("removed", &[Message("a", "a", 1), Removed("a", 1)], "", &[]),
        (
            "removed and replayed",
            &[Message("a", "a", 1), Removed("a", 1), Message("a", "a", 1)],
            "known",
            &[],
        ),
        (
            "removed before it came",
            &[Removed("a", 1), Message("a", "a", 1)],
            "known",
            &[],
        ),
        (
            "removed, then an older version comes late",
            &[Removed("a", 3), Message("a", "b", 2), Message("a", "a", 1)],
            "known",
            &[],
        ),
        (
            "new after it was removed",
            &[Message("a", "a", 1), Removed("a", 1), Message("a", "b", 2)],
            "new",
            &[("b", false)],
        ),
        (
            "an older remove does not touch a newer version",
            &[Message("a", "b", 2), Removed("a", 1)],
            "",
            &[("b", false)],
        ),
        (
            "deleted here stays deleted",
            &[Message("a", "a", 1), Deletes, Message("a", "a", 1)],
            "known",
            &[],
        ),
        (
            "deleted here, an older version comes late",
            &[Message("a", "b", 2), Deletes, Message("a", "a", 1)],
            "known",
            &[],
        ),
        (
            "deleted here, then a newer version",
            &[Message("a", "a", 1), Deletes, Message("a", "b", 2)],
            "new",
            &[("b", false)],
        ),
        (
            "deleted, purged and replayed",
            &[Message("a", "a", 1), Deletes, Purges, Message("a", "a", 1)],
            "known",
            &[],
        ),
        (
            "updated, deleted, purged, and all versions replayed",
            &[
                Message("a", "a", 1),
                Message("a", "b", 2),
                Message("a", "c", 2),
                Deletes,
                Purges,
                Message("a", "a", 1),
                Message("a", "b", 2),
                Message("a", "c", 2),
            ],
            "known",
            &[],
        ),
        (
            "deleted, purged, then a newer version",
            &[Message("a", "a", 1), Deletes, Purges, Message("a", "b", 2)],
            "new",
            &[("b", false)],
        ),
        (
            "a key is not another's id",
            &[Message("k", "a", 1), Message("a", "b", 1)],
            "new",
            &[("b", false), ("a", false)],
        ),
        (
            "the echo of a delete that was undone here",
            &[
                Message("a", "a", 1),
                Deletes,
                Removed("a", 1),
                Undoes,
                Removed("a", 1),
            ],
            "",
            &[("a", false)],
        ),
        (
            "a delete heard twice after its thing came again",
            &[
                Message("a", "a", 1),
                Removed("a", 1),
                Message("a", "b", 2),
                Removed("a", 1),
            ],
            "",
            &[("b", false)],
        ),
    ];
    for (name, events, last, rows) in table {
        let fixture = Fixture::new();
        let mut fate = "";
        for event in *events {
            fate = "";
            match event {
                Message(key, remote_id, number) => {
                    fate = match fixture.insert(version(key, remote_id, *number)) {
                        Fate::New(_) => "new",
                        Fate::Updated(_) => "updated",
                        Fate::Known(_) => "known",
                    };
                }
                Read(key, number) => {
                    fixture
                        .write(|tx| tx.read_elsewhere(fixture.subscription, key, *number, at(50)));
                }
                Removed(key, number) => {
                    fixture.write(|tx| {
                        tx.removed_elsewhere(fixture.subscription, key, *number, at(50))
                    });
                }
                Deletes => {
                    let ids = fixture.inbox();
                    fixture.write(|tx| tx.change(&ids, Change::Delete, at(50)));
                }
                Purges => {
                    let later = at(60) + days(8);
                    assert!(fixture.write(|tx| tx.retain(90, 10_000, 100, later, 100)) > 0);
                }
                Undoes => {
                    fixture.write(|tx| tx.undo(at(51))).unwrap();
                }
            }
        }
        assert_eq!(fate, *last, "{name}: the last one's fate");
        let found: Vec<(String, bool)> = fixture
            .inbox()
            .into_iter()
            .map(|id| fixture.get(id))
            .map(|row| (row.draft.remote_id, row.read_at.is_some()))
            .collect();
        let rows: Vec<(String, bool)> = rows
            .iter()
            .map(|(id, read)| ((*id).to_owned(), *read))
            .collect();
        assert_eq!(found, rows, "{name}: the rows");
    }
}

#[test]
fn everything_of_a_draft_comes_back() {
    let fixture = Fixture::new();
    let full = Draft {
        remote_id: "id".to_owned(),
        replace_key: "job-42".to_owned(),
        version: -7,
        class: Class::Persistent,
        kind: "build.failed".to_owned(),
        title: "Überschrift\u{0}\u{202e}".to_owned(),
        body: "ü".repeat(5000),
        format: Format::Markdown,
        priority: 5,
        tier: Tier::Critical,
        created_at: at(-30),
        url: Some("https://example.org/?a=b".to_owned()),
        actions: vec![Action {
            kind: ActionKind::Http,
            label: "Restart".to_owned(),
            url: "https://example.org/restart".to_owned(),
            method: "PUT".to_owned(),
            headers: vec![("X-A".to_owned(), "b".to_owned())],
            body: "{}".to_owned(),
            clear: true,
        }],
        tags: vec!["warning".to_owned(), "\"quoted\"".to_owned()],
        icon: Some("https://example.org/icon.png".to_owned()),
        attachment: Some(Attachment {
            name: "log.txt".to_owned(),
            url: "https://example.org/log.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            size: Some(12),
            expires_at: Some(at(900)),
        }),
        silent: true,
        expires_at: Some(at(600)),
        raw: "raw".to_owned(),
    };
    let new = fixture.new_one(full.clone());
    assert_eq!(new.draft, full);
    assert_eq!(new.received_at, at(-30));
    assert_eq!(
        fixture.get(new.id),
        new,
        "what insert gives out is what is stored"
    );
    // A list cuts the body at characters and leaves out the frame; nothing else.
    let (rows, _) =
        fixture.write(|tx| tx.page(&tidings_api::ListQuery::default(), &super::zoned(at(0))));
    let mut light = new.clone();
    light.draft.body = "ü".repeat(crate::store::LIST_BODY_CHARS);
    light.draft.raw = String::new();
    assert_eq!(rows, [light]);
}

#[test]
fn a_reused_id_with_another_text_is_counted_and_changes_nothing() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("1", 1));
    let mut other = draft("1", 1);
    other.body = "something else".to_owned();
    assert_eq!(fixture.insert(draft("1", 1)), Fate::Known(Some(id)));
    assert_eq!(fixture.write(|tx| tx.reused_ids(fixture.subscription)), 0);
    assert_eq!(fixture.insert(other), Fate::Known(Some(id)));
    assert_eq!(fixture.write(|tx| tx.reused_ids(fixture.subscription)), 1);
    assert_eq!(fixture.get(id).draft, draft("1", 1));
}

#[test]
fn the_same_id_in_another_subscription_or_account_is_another_thing() {
    let fixture = Fixture::new();
    let (sub, account, far) = fixture.write(|tx| {
        let sub = tx.add_subscription(fixture.account, &topic("other"), at(0))?;
        let account = tx.add_account(&new_account("Work"), &[topic("alerts")], at(0))?;
        Ok((sub, account, tx.subscriptions(account)?[0].id))
    });
    fixture.id(draft("a", 1));
    for (account, subscription) in [(fixture.account, sub), (account, far)] {
        let fate = fixture
            .write(|tx| tx.insert(account, subscription, draft("a", 1), Origin::Live, at(1)));
        assert!(matches!(fate, Fate::New(_)), "{fate:?}");
    }
    assert_eq!(fixture.counts().all, 3);
}

#[test]
fn an_update_keeps_earlier_texts_its_place_and_its_state() {
    let fixture = Fixture::new();
    let id = fixture.id(version("job", "r0", 1));
    let other = fixture.id(draft("x", 2));
    fixture.write(|tx| tx.change(&[id], Change::Done, at(3)));
    for number in 1..=25_i64 {
        let fate = fixture.insert(version("job", &format!("r{number}"), 10 + number));
        assert_eq!(fate, Fate::Updated(id));
    }
    // The text is the same, only the tags are new: nothing to keep.
    let mut tagged = version("job", "r26", 40);
    (tagged.title, tagged.body) = ("Title of r25".to_owned(), "Body of r25".to_owned());
    tagged.tags = vec!["done".to_owned()];
    assert_eq!(fixture.insert(tagged.clone()), Fate::Updated(id));
    let row = fixture.get(id);
    assert_eq!(row.draft, tagged);
    assert_eq!(row.revisions, 20);
    assert_eq!((row.read_at, row.done_at), (Some(at(3)), Some(at(3))));
    assert_eq!(row.received_at, at(1));
    let revisions = fixture.write(|tx| tx.revisions(id));
    let bodies: Vec<String> = revisions.iter().map(|one| one.body.clone()).collect();
    let wanted: Vec<String> = (5..25)
        .rev()
        .map(|number| format!("Body of r{number}"))
        .collect();
    assert_eq!(bodies, wanted);
    assert_eq!(revisions[0].replaced_at, at(35));
    fixture.write(|tx| tx.change(&[id], Change::Restore, at(60)));
    assert_eq!(fixture.inbox(), [other, id], "it did not move up");
}

#[test]
fn a_higher_tier_by_an_update_is_counted() {
    let fixture = Fixture::new();
    fixture.id(draft("a", 1));
    let mut worse = version("a", "b", 2);
    worse.tier = Tier::Critical;
    fixture.insert(worse);
    let counts = fixture.counts();
    assert_eq!((counts.unread, counts.critical), (1, 1));
}

#[test]
fn ids_are_never_used_again() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    fixture.write(|tx| tx.change(&[id], Change::Delete, at(2)));
    let later = at(3) + days(8);
    assert_eq!(fixture.write(|tx| tx.retain(90, 10_000, 100, later, 10)), 1);
    assert_eq!(
        fixture.store.write(|tx| tx.notification(id)),
        Err(StoreError::NotFound)
    );
    assert!(fixture.id(draft("b", 4)) > id);
}

#[test]
fn what_failed_half_way_leaves_nothing() {
    let fixture = Fixture::new();
    let failed: Result<(), StoreError> = fixture.store.write(|tx| {
        tx.insert(
            fixture.account,
            fixture.subscription,
            draft("a", 1),
            Origin::Live,
            at(1),
        )?;
        tx.advance(fixture.subscription, &crate::model::Cursor("1".to_owned()))?;
        Err(StoreError::Full)
    });
    assert_eq!(failed, Err(StoreError::Full));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        fixture.store.write(|tx| -> Result<(), StoreError> {
            tx.insert(
                fixture.account,
                fixture.subscription,
                draft("b", 1),
                Origin::Live,
                at(1),
            )?;
            panic!("half-way")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(fixture.inbox(), Vec::<NotificationId>::new());
    assert_eq!(fixture.counts().all, 0);
    assert_eq!(
        fixture
            .write(|tx| tx.subscription(fixture.subscription))
            .cursor,
        None
    );
}

#[test]
fn a_transaction_inside_another_is_an_error_not_a_wait() {
    let fixture = Fixture::new();
    let inner = fixture.write(|_| Ok(fixture.store.write(|tx| tx.set_setting("a", "b"))));
    assert!(matches!(inner, Err(StoreError::Sqlite { .. })), "{inner:?}");
    fixture.write(|tx| tx.set_setting("a", "b"));
}

#[test]
fn a_removed_account_leaves_nothing_behind() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    fixture.insert(version("a", "b", 2));
    fixture.write(|tx| {
        tx.change(&[id], Change::Read, at(3))?;
        tx.owe(id, crate::model::Mirror::Read, at(3))?;
        tx.remove_account(fixture.account)
    });
    fixture.write(|tx| {
        for table in [
            "account",
            "subscription",
            "notification",
            "content",
            "revision",
            "tally",
            "undo_row",
            "outbox",
            "mark",
            "alias",
        ] {
            let rows: i64 =
                tx.db
                    .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                        row.get(0)
                    })?;
            assert_eq!(rows, 0, "{table}");
        }
        // The word index agrees with the texts.
        tx.db.execute(
            "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)",
            [],
        )?;
        Ok(())
    });
    assert_eq!(fixture.counts(), tidings_api::Counts::default());
    assert_eq!(
        fixture.store.write(|tx| tx.remove_account(fixture.account)),
        Err(StoreError::NotFound)
    );
}

#[test]
fn a_left_subscription_comes_back_with_its_rows() {
    let fixture = Fixture::new();
    let (account, subscription) = (fixture.account, fixture.subscription);
    let id = fixture.id(draft("a", 1));
    fixture.write(|tx| {
        tx.advance(subscription, &crate::model::Cursor(String::new()))?;
        assert!(
            tx.subscription(subscription)?.cursor.is_some(),
            "an empty cursor is one"
        );
        tx.topic_problem(subscription, "You may not read it.")?;
        tx.remove_subscription(subscription, false)
    });
    assert_eq!(fixture.write(|tx| tx.subscriptions(account)), []);
    assert_eq!(fixture.write(|tx| tx.all_subscriptions()).len(), 1);
    assert_eq!(fixture.inbox(), [id]);
    let again = fixture.write(|tx| tx.add_subscription(account, &topic("alerts"), at(9)));
    assert_eq!(again, subscription);
    let row = fixture.write(|tx| tx.subscription(subscription));
    assert_eq!(
        row.cursor, None,
        "what was published since has to be fetched"
    );
    assert_eq!(fixture.write(|tx| tx.topic_problem_of(subscription)), "");
    assert_eq!(fixture.insert(draft("a", 1)), Fate::Known(Some(id)));
    fixture.write(|tx| tx.remove_subscription(subscription, true));
    assert_eq!(fixture.inbox(), []);
}

#[test]
fn accounts_and_subscriptions_come_back_as_saved() {
    let fixture = Fixture::new();
    let mut account = fixture.write(|tx| tx.account(fixture.account));
    account.name = "Heim".to_owned();
    account.transport = Some(crate::model::TransportKind::HttpStream);
    account.sign_in = crate::model::SignIn::Token;
    (account.disabled, account.allow_http) = (true, true);
    let mut subscription = fixture.write(|tx| tx.subscription(fixture.subscription));
    subscription.name = "Alarm".to_owned();
    fixture.write(|tx| {
        tx.save_account(&account)?;
        tx.save_subscription(&subscription)
    });
    assert_eq!(fixture.write(|tx| tx.accounts()), [account]);
    assert_eq!(
        fixture.write(|tx| tx.subscriptions(fixture.account)),
        [subscription]
    );
}

#[test]
fn continuity_is_told_by_gaps() {
    let fixture = Fixture::new();
    let subscription = fixture.subscription;
    let continuity = || fixture.write(|tx| tx.continuity(subscription));
    fixture.write(|tx| tx.link_lost(subscription, at(1)));
    assert_eq!(continuity(), (None, Vec::new()), "it was never there");
    fixture.write(|tx| tx.link_filled(subscription, at(2), 5, ""));
    assert_eq!(continuity(), (Some(at(2)), Vec::new()));
    fixture.write(|tx| {
        tx.alive(&[subscription], at(3))?;
        assert_eq!(tx.last_alive(subscription)?, Some(at(3)));
        tx.link_lost(subscription, at(4))?;
        tx.link_lost(subscription, at(5))
    });
    assert_eq!(
        continuity(),
        (Some(at(2)), Vec::new()),
        "the gap is not over"
    );
    fixture.write(|tx| tx.link_filled(subscription, at(6), 3, ""));
    let (since, gaps) = continuity();
    assert_eq!(since, Some(at(2)), "a gap that was filled breaks nothing");
    assert_eq!(
        (gaps[0].from, gaps[0].to, gaps[0].filled, &*gaps[0].missing),
        (at(4), at(6), 3, "")
    );
    fixture.write(|tx| {
        tx.link_lost(subscription, at(9))?;
        // The clock went back.
        tx.link_filled(subscription, at(8), 0, "truncated")
    });
    let (since, gaps) = continuity();
    assert_eq!(since, Some(at(8)));
    assert_eq!(
        (gaps[0].from, gaps[0].to, &*gaps[0].missing),
        (at(9), at(9), "truncated")
    );
    assert_eq!(gaps.len(), 2);
}
