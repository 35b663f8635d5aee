//! Lists, their pages, and searches.

use super::{Fixture, at, days, draft, new_account, topic, zoned};
use crate::model::{NotificationId, Origin, SubscriptionId, Tier};
use crate::store::StoreError;
use crate::store::search::{self, Is, Search};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use tidings_api::{Change, ListQuery, Place};

fn find(search: &str) -> ListQuery {
    ListQuery {
        search: search.to_owned(),
        ..ListQuery::default()
    }
}

/// All pages of a query.
fn walk(fixture: &Fixture, query: &ListQuery, mut between: impl FnMut()) -> Vec<NotificationId> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let (rows, next) = fixture.write(|tx| tx.page(&query, &zoned(at(0))));
        found.extend(rows.into_iter().map(|row| row.id));
        between();
        match next {
            Some(next) => query.before = Some(next),
            None => return found,
        }
    }
}

#[test]
fn newest_first_by_the_servers_time_then_by_arrival() {
    let fixture = Fixture::new();
    let late = fixture.insert_at(draft("late", -500), at(9));
    assert!(matches!(late, crate::model::Fate::New(_)));
    let a = fixture.id(draft("a", 5));
    let b = fixture.id(draft("b", 5));
    // A server whose clock is an hour ahead: as if it came when it came.
    fixture.insert_at(draft("ahead", 3600), at(6));
    let last = fixture.id(draft("last", 7));
    let order: Vec<String> = fixture
        .inbox()
        .into_iter()
        .map(|id| fixture.get(id).draft.remote_id)
        .collect();
    assert_eq!(order, ["last", "ahead", "b", "a", "late"]);
    assert!(a < b && b < last);
    let latest = fixture.write(|tx| tx.latest(2));
    assert_eq!(latest.len(), 2);
    assert_eq!(latest[0].id, last);
}

#[test]
fn pages_stay_whole_while_others_come_in() {
    let fixture = Fixture::new();
    // Many of one second: the marker has to tell them apart.
    let before: Vec<_> = (0..30)
        .map(|n| fixture.id(draft(&n.to_string(), n / 10)))
        .collect();
    let mut wanted = before.clone();
    wanted.reverse();
    for search in ["", "body", "p>=1"] {
        let mut new = 100;
        let query = ListQuery {
            limit: 7,
            ..find(search)
        };
        let found = walk(&fixture, &query, || {
            fixture.id(draft(&format!("{search}{new}"), new));
            new += 1;
        });
        let found: Vec<_> = found.into_iter().filter(|id| before.contains(id)).collect();
        assert_eq!(found, wanted, "{search}");
    }
}

#[test]
fn a_page_has_its_limits() {
    let fixture = Fixture::new();
    for n in 0..520 {
        fixture.id(draft(&n.to_string(), n));
    }
    let of = |limit| {
        let query = ListQuery {
            limit,
            ..ListQuery::default()
        };
        let (rows, next) = fixture.write(|tx| tx.page(&query, &zoned(at(0))));
        (rows.len(), next.is_some())
    };
    assert_eq!(of(0), (50, true));
    assert_eq!(of(9999), (500, true));
    assert_eq!(of(1), (1, true));
    let ids = fixture.write(|tx| tx.resolve(&ListQuery::default(), &zoned(at(0))));
    assert_eq!(ids.len(), 520, "a change is for all of them");
    fixture.write(|tx| tx.change(&ids[20..], Change::Done, at(999)));
    assert_eq!(of(20), (20, false), "the last page says so");
}

#[test]
fn a_marker_of_another_list_is_refused() {
    let fixture = Fixture::new();
    for marker in [
        "x",
        "s1",
        "s1_",
        "a",
        "a1",
        "s_1",
        "s99999999999999999999_1",
        "\u{0}",
    ] {
        let query = ListQuery {
            before: Some(marker.to_owned()),
            ..ListQuery::default()
        };
        let page = fixture.store.read(|tx| tx.page(&query, &zoned(at(0))));
        assert!(matches!(page, Err(StoreError::BadQuery(_))), "{marker}");
    }
}

#[test]
fn searches_find_what_they_say() {
    let fixture = Fixture::new();
    let other = fixture.write(|tx| {
        let work = tx.add_account(&new_account("Büro"), &[topic("backup-nightly")], at(0))?;
        Ok((work, tx.subscriptions(work)?[0].id))
    });
    let mut ids = std::collections::HashMap::new();
    let mut put = |name: &'static str, seconds: i64, change: &dyn Fn(&mut crate::model::Draft)| {
        let mut draft = draft(name, seconds);
        (draft.title, draft.body) = (String::new(), String::new());
        change(&mut draft);
        ids.insert(fixture.id(draft), name);
    };
    put("disk", 10, &|d| {
        d.title = "Disk full on sda1".to_owned();
        (d.priority, d.tier) = (5, Tier::Critical);
        d.tags = vec!["warning".to_owned(), "disk-1".to_owned()];
    });
    put("backup", 20, &|d| {
        d.body = "Backup of the disk went well; full report".to_owned();
        d.kind = "backup.done".to_owned();
        d.tags = vec!["✓".to_owned()];
    });
    put("café", 30, &|d| {
        d.body = "Käse im CAFÉ, http://example.org/menu?x=1".to_owned();
    });
    put("old", -3 * 24 * 3600, &|d| {
        d.body = "warning from sunday".to_owned();
        d.priority = 1;
    });
    let far = match fixture
        .write(|tx| tx.insert(other.0, other.1, draft("far", 40), Origin::Live, at(40)))
    {
        crate::model::Fate::New(new) => new.id,
        fate => panic!("{fate:?}"),
    };
    ids.insert(far, "far");
    let read: Vec<_> = ids
        .iter()
        .filter(|(_, name)| **name == "backup")
        .map(|(id, _)| *id)
        .collect();
    let done: Vec<_> = ids
        .iter()
        .filter(|(_, name)| **name == "café")
        .map(|(id, _)| *id)
        .collect();
    fixture.write(|tx| {
        tx.change(&read, Change::Read, at(50))?;
        tx.change(&done, Change::Done, at(50))
    });
    let table: &[(&str, &[&str])] = &[
        ("", &["far", "backup", "disk", "old"]),
        ("disk", &["backup", "disk"]),
        ("DISK full", &["backup", "disk"]),
        ("\"disk full\"", &["disk"]),
        ("\"full disk", &[]),
        ("dis", &["backup", "disk"]),
        ("\"dis\"", &[]),
        ("dis full", &[]),
        ("disk -report", &["disk"]),
        ("-disk", &["far", "old"]),
        ("is:unread -disk", &["far", "old"]),
        ("is:read", &["backup"]),
        ("is:done", &["café"]),
        ("is:snoozed", &[]),
        ("is:done kase cafe", &["café"]),
        ("is:done http://example.org/menu?x=1", &["café"]),
        ("p>=4", &["disk"]),
        ("p<2", &["old"]),
        ("p=3", &["far", "backup"]),
        ("p>1 p<=3 disk", &["backup"]),
        ("priority:5", &["disk"]),
        ("type:Backup.Done", &["backup"]),
        ("tag:warning", &["disk"]),
        ("tag:WARNING disk", &["disk"]),
        ("tag:disk", &[]),
        ("tag:disk-1", &["disk"]),
        ("tag:✓", &["backup"]),
        // By words: in the order of arrival.
        ("warning", &["old", "disk"]),
        ("before:monday", &["old"]),
        ("after:monday", &["far", "backup", "disk"]),
        ("before:2026-01-07", &["old"]),
        ("after:2026-01-08", &[]),
        ("after:yesterday before:today", &[]),
        ("from:büro", &["far"]),
        ("from:BACKUP-", &["far"]),
        ("from:home disk", &["backup", "disk"]),
        ("from:home", &["backup", "disk", "old"]),
        ("from:home from:büro p=3", &["far", "backup"]),
        ("from:nobody", &[]),
        ("from:nobody disk", &[]),
        ("AND", &[]),
        ("disk OR old", &[]),
        ("NEAR(disk full)", &[]),
        ("title:disk", &[]),
        ("disk*", &["backup", "disk"]),
        ("\"dis\"\"k\"", &[]),
    ];
    for (search, wanted) in table {
        let found: Vec<_> = fixture
            .list(&find(search))
            .iter()
            .map(|id| ids[id])
            .collect();
        assert_eq!(&found, wanted, "{search}");
        let targets = fixture.write(|tx| tx.resolve(&find(search), &zoned(at(0))));
        let targets: Vec<_> = targets.iter().map(|id| ids[id]).collect();
        assert_eq!(&targets, wanted, "targets of {search}");
    }
    // Beside a search, the list's own part.
    let narrowed = ListQuery {
        account: Some(fixture.account),
        subscription: Some(other.1),
        ..ListQuery::default()
    };
    assert_eq!(fixture.list(&narrowed), []);
    let unread_there = ListQuery {
        account: Some(other.0),
        subscription: Some(other.1),
        place: Place::Unread,
        ..find("from:büro body")
    };
    assert_eq!(fixture.list(&unread_there), [far]);
}

#[test]
fn a_text_that_changed_is_found_by_its_new_words_only() {
    let fixture = Fixture::new();
    let mut first = super::version("k", "a", 1);
    first.body = "queued".to_owned();
    let id = fixture.id(first);
    let mut second = super::version("k", "b", 2);
    second.body = "finished".to_owned();
    fixture.insert(second);
    assert_eq!(fixture.list(&find("queued")), []);
    assert_eq!(fixture.list(&find("finished")), [id]);
}

#[test]
fn bad_terms_say_what_is_allowed() {
    let table = [
        ("is:", "unread, read, done or snoozed"),
        ("is:new", "unread, read, done or snoozed"),
        ("before:soon", "today, yesterday, monday"),
        ("after:", "today, yesterday, monday"),
        ("before:2026-13-01", "2026-01-02"),
        ("before:20260102", "2026-01-02"),
        ("p>=6", "1 to 5"),
        ("p>=", "1 to 5"),
        ("p:x", "1 to 5"),
        ("p=>4", ">="),
        ("from:", "from:backup"),
        ("tag:", "tag:warning"),
        ("type:", "type:build.failed"),
        ("🎉", "letter or digit"),
    ];
    for (text, part) in table {
        match search::parse(text, &zoned(at(0))) {
            Err(StoreError::BadQuery(says)) => assert!(says.contains(part), "{text}: {says}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(search::parse(&"x ".repeat(2000), &zoned(at(0))).is_err());
}

#[test]
fn days_begin_in_the_zone_of_whoever_asks() {
    let auckland = TimeZone::get("Pacific/Auckland").unwrap();
    // 01:00 on Thursday there.
    let now = at(0).to_zoned(auckland.clone());
    let thursday = now.date().to_zoned(auckland).unwrap().timestamp();
    for (text, start) in [
        ("before:thursday", thursday),
        ("before:today", thursday),
        ("before:thu", thursday),
        ("before:yesterday", thursday - days(1)),
        ("before:friday", thursday - days(6)),
        ("before:2026-01-08", thursday),
    ] {
        let search = search::parse(text, &now).unwrap();
        assert_eq!(search.before, Some(start), "{text}");
    }
    let both = search::parse(
        "after:monday after:tuesday before:today before:thursday",
        &now,
    )
    .unwrap();
    assert_eq!(
        (both.after, both.before),
        (Some(thursday - days(2)), Some(thursday))
    );
}

#[test]
fn terms_are_taken_apart() {
    let search = search::parse(
        "from:\"two words\" is:READ Type:x \"is:unread\" -\"no no\" re:view",
        &zoned(at(0)),
    )
    .unwrap();
    assert_eq!(
        search,
        Search {
            from: vec!["two words".to_owned()],
            is: Some(Is::Read),
            kinds: vec!["x".to_owned()],
            words: "\"is:unread\" AND \"re:view\" *".to_owned(),
            without: "\"no no\"".to_owned(),
            ..Search::default()
        }
    );
}

proptest! {
    /// Whatever is typed is a search or refused in words; SQLite never sees a syntax error.
    #[test]
    fn no_search_breaks(text in "[a-z\"*:()^+\\-<>=p0-9 \u{0}äß中🎉'%_{}]{0,40}") {
        let fixture = Fixture::new();
        fixture.id(draft("a", 1));
        let query = find(&text);
        match fixture.store.read(|tx| tx.page(&query, &zoned(at(0)))) {
            Ok(_) | Err(StoreError::BadQuery(_)) => {}
            Err(error) => prop_assert!(false, "{text:?}: {error}"),
        }
    }
}

#[test]
fn subscriptions_named_by_many_are_filtered_not_merged() {
    let fixture = Fixture::new();
    let topics: Vec<_> = (0..20).map(|n| topic(&format!("many-{n}"))).collect();
    let ids: Vec<SubscriptionId> = fixture.write(|tx| {
        let account = tx.add_account(&new_account("Work"), &topics, at(0))?;
        Ok(tx
            .subscriptions(account)?
            .into_iter()
            .map(|one| one.id)
            .collect())
    });
    fixture.id(draft("home", 5));
    for (n, id) in ids.iter().enumerate() {
        let account = fixture.write(|tx| tx.subscription(*id)).account;
        let message = draft("a", i64::try_from(n % 3).unwrap());
        fixture.write(|tx| tx.insert(account, *id, message, Origin::Live, at(9)));
    }
    let query = ListQuery {
        limit: 6,
        ..find("from:many")
    };
    let all = walk(&fixture, &query, || ());
    assert_eq!(all.len(), 20);
    let few = walk(&fixture, &find("from:many-1"), || ());
    let wanted: Vec<_> = all
        .iter()
        .filter(|id| {
            let subscription = fixture.get(**id).subscription;
            let topic = fixture.write(|tx| tx.subscription(subscription)).topic;
            topic.starts_with("many-1")
        })
        .copied()
        .collect();
    assert_eq!(few, wanted, "merged and filtered lists have one order");
    assert_eq!(few.len(), 11);
}
