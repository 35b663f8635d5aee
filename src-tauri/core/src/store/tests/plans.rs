//! How SQLite goes about it: nothing asked often reads or sorts a whole table.

use super::{Fixture, at, draft, zoned};
use crate::model::{Disposition, HoldCause, Mirror, Tier, Verdict};
use crate::store::{Asked, Store, StoreError, Tx, lock};
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use std::sync::{Mutex, PoisonError};
use tidings_api::{Change, ListQuery, Place};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// The trace is one for the process.
static ALONE: Mutex<()> = Mutex::new(());

fn remember(event: TraceEvent<'_>) {
    let TraceEvent::Stmt(statement, said) = event else {
        return;
    };
    // Triggers say only a comment.
    if said.starts_with("--") {
        return;
    }
    let sql = statement.expanded_sql().unwrap_or_default();
    let sql = sql.as_str();
    // What begins and ends a transaction has no plan.
    let word = sql.trim_start().get(..6).unwrap_or_default().to_uppercase();
    if ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&word.as_str()) {
        lock(&SEEN).push(sql.to_owned());
    }
}

/// The plans of all that `work` asks.
fn plans(
    store: &Store,
    work: impl FnOnce(&Tx<'_>) -> Result<(), StoreError>,
) -> Vec<(String, String)> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    lock(&SEEN).clear();
    lock(&store.writer).trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(remember));
    let done = store.write(work);
    lock(&store.writer).trace_v2(TraceEventCodes::empty(), None);
    done.unwrap();
    let asked = std::mem::take(&mut *lock(&SEEN));
    assert!(!asked.is_empty(), "nothing was traced");
    store
        .write(|tx| {
            let mut plans = Vec::new();
            for sql in asked {
                let mut statement = tx.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let lines: Vec<String> = statement
                    .query_map([], |row| row.get(3))?
                    .collect::<Result<_, _>>()?;
                plans.push((sql, lines.join("\n")));
            }
            Ok(plans)
        })
        .unwrap()
}

fn filled() -> Fixture {
    let fixture = Fixture::new();
    for n in 0..200 {
        fixture.id(draft(&n.to_string(), n));
    }
    fixture.write(|tx| {
        tx.db.execute_batch("ANALYZE")?;
        Ok(())
    });
    fixture
}

fn assert_no_scan(plans: &[(String, String)], sorts: bool) {
    for (sql, plan) in plans {
        for line in plan.lines() {
            let small = [
                "tally",
                "t",
                "s",
                "a",
                "CONSTANT",
                "account",
                "subscription",
                "undo",
                "toast",
            ];
            let scanned = line.trim_start().strip_prefix("SCAN ").map(str::trim);
            if let Some(table) = scanned {
                let first = table.split_whitespace().next().unwrap_or_default();
                // The word index says SCAN for a MATCH; reading an index's one end is no scan either.
                let fine = small.contains(&first)
                    || (table.contains("VIRTUAL TABLE INDEX") && table.contains(":M"))
                    || line.contains("USING COVERING INDEX delivery_due")
                    || line.contains("USING COVERING INDEX outbox_due")
                    || line.contains("kind_unread")
                    || line.contains("toast_pending")
                    || line.contains("json_each")
                    || line.contains("notification_unread")
                    || line.contains("(subquery");
                assert!(fine, "{sql}\n{plan}");
            }
            assert!(sorts || !line.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
    }
}

#[test]
fn pages_read_an_index_and_sort_nothing() {
    let fixture = filled();
    let (account, subscription) = (Some(fixture.account), Some(fixture.subscription));
    let (_, next) = fixture.write(|tx| {
        tx.page(
            &ListQuery {
                limit: 5,
                ..ListQuery::default()
            },
            &zoned(at(0)),
        )
    });
    let (_, found) = fixture.write(|tx| {
        let query = ListQuery {
            limit: 5,
            search: "body".to_owned(),
            ..ListQuery::default()
        };
        tx.page(&query, &zoned(at(0)))
    });
    for place in [Place::All, Place::Unread, Place::Done] {
        for (account, subscription) in [(None, None), (account, None), (account, subscription)] {
            for search in [
                "",
                "p>=4 type:x",
                "before:today after:monday",
                "from:home",
                "body",
                "tag:x -y bod",
            ] {
                let words = search.contains("bod");
                for before in [None, if words { found.clone() } else { next.clone() }] {
                    let query = ListQuery {
                        toast: None,
                        place,
                        account,
                        subscription,
                        search: search.to_owned(),
                        before,
                        limit: 5,
                    };
                    let plans = plans(&fixture.store, |tx| {
                        tx.page(&query, &zoned(at(0))).map(|_| ())
                    });
                    assert_no_scan(&plans, false);
                    let plan = &plans.last().unwrap().1;
                    assert!(!words || plan.contains("VIRTUAL TABLE"), "{plan}");
                    assert!(
                        words || plan.contains("notification_"),
                        "{place:?} {search} goes by no index of ours: {plan}"
                    );
                }
            }
        }
    }
}

#[test]
fn counts_are_kept_not_counted() {
    let fixture = filled();
    let plans = plans(&fixture.store, |tx| {
        tx.counts(&|_, _, _| true)?;
        tx.unread_of(fixture.subscription)?;
        tx.unread_by_subscription()?;
        tx.latest(3).map(|_| ())
    });
    assert_no_scan(&plans, false);
    for (sql, plan) in &plans {
        assert!(
            !plan.contains("SEARCH n USING INDEX notification_unread") || sql.contains("LIMIT"),
            "{plan}"
        );
    }
}

#[test]
fn the_way_in_and_the_way_back_go_by_keys() {
    let fixture = filled();
    let (account, subscription) = (fixture.account, fixture.subscription);
    let verdict = Verdict {
        tier: Tier::Important,
        opens_window: false,
        disposition: Disposition::Hold {
            until: Some(at(900)),
            because: HoldCause::Pause,
        },
        trace: Vec::new(),
        subscription_bucket: None,
        overall_bucket: None,
        critical_bucket: None,
    };
    let plans = plans(&fixture.store, |tx| {
        let origin = crate::model::Origin::Backfill;
        let mut first = super::version("k", "v1", 300);
        first.tier = Tier::Critical;
        let fate = tx.insert(account, subscription, first, origin, at(300))?;
        let crate::model::Fate::New(new) = fate else {
            panic!("{fate:?}");
        };
        tx.insert(
            account,
            subscription,
            super::version("k", "v2", 300),
            origin,
            at(301),
        )?;
        tx.insert(
            account,
            subscription,
            super::version("k", "v3", 302),
            origin,
            at(302),
        )?;
        tx.policy_state(
            &new,
            Asked {
                fingerprint: 7,
                window: "window:1:".to_owned(),
                ..Asked::default()
            },
        )?;
        let delivery = tx.decided(new.id, &verdict, at(302))?;
        tx.due(at(901))?;
        tx.next_due()?;
        tx.held_by("pause", None, 10)?;
        tx.held_count("pause", None)?;
        tx.held_count("snooze:online", Some(at(901)))?;
        tx.hold_with(delivery, new.id)?;
        tx.waits_for_server(account)?;
        tx.account_is_back(account, at(400))?;
        tx.ring_again_at_most(at(400))?;
        tx.due_again(at(400))?;
        tx.release("pause", at(400))?;
        tx.hold_until("pause", None)?;
        let toast = tx.new_toast(Some("b"), Tier::Important, true, &[delivery], at(303))?;
        tx.open_toast("b", at(0))?;
        tx.join_toast(toast, false, &[delivery], at(304))?;
        tx.claim_toast(at(305))?;
        tx.toast_shown(toast, at(306))?;
        tx.touch_toasts_of(&[new.id])?;
        tx.wanted_of(toast)?;
        tx.loudest(toast, |_| Some(()))?;
        tx.ring_again(toast, at(306), &|_| Some(at(900)))?;
        tx.toasts_over(&[new.id])?;
        tx.members(toast)?;
        tx.toast_put_away(toast, at(306))?;
        tx.owe(new.id, Mirror::Read, at(307))?;
        tx.owed(account, at(308))?;
        tx.next_owed_at()?;
        tx.forgive(&[new.id], Mirror::Read)?;
        tx.read_elsewhere(subscription, "k", 400, at(309))?;
        tx.change(&[new.id], Change::Done, at(310))?;
        tx.undo(at(311))?;
        tx.removed_elsewhere(subscription, "k", 401, at(312))?;
        tx.ledger(new.id)?;
        tx.revisions(new.id)?;
        tx.advance(subscription, &crate::model::Cursor("c".to_owned()))?;
        tx.retain(90, 10, 100, at(313), 5)?;
        tx.purge(new.id.0, at(314))
    });
    assert!(plans.len() > 60, "{}", plans.len());
    assert_no_scan(&plans, true);
}
