//! The index of the pictures' cache.

use super::{Fixture, at, days, new_account};
use crate::model::AccountId;
use crate::store::NewPicture;
use jiff::Timestamp;

const HOUR: i64 = 3600;

fn keep(fixture: &Fixture, key: &str, file: &str, bytes: usize, now: Timestamp) -> Option<String> {
    keep_for(fixture, fixture.account, (key, file, bytes), None, now)
}

fn keep_for(
    fixture: &Fixture,
    account: AccountId,
    (key, file, bytes): (&str, &str, usize),
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<String> {
    let picture = NewPicture {
        key,
        account,
        file,
        bytes,
        expires_at,
    };
    fixture.write(|tx| tx.keep_picture(picture, now))
}

fn files(fixture: &Fixture) -> Vec<String> {
    fixture.write(|tx| tx.picture_files()).into_iter().collect()
}

#[test]
fn a_picture_is_found_until_it_expires() {
    let fixture = Fixture::new();
    let one = ("a", "1.png", 10);
    keep_for(&fixture, fixture.account, one, Some(at(60)), at(0));
    let found = |now| fixture.write(|tx| tx.picture("a", now));
    let kept = found(at(59)).expect("it is there");
    assert_eq!(
        (kept.file.as_str(), kept.bytes, kept.fetched_at),
        ("1.png", 10, at(0))
    );
    assert_eq!(found(at(60)), None);
    assert_eq!(fixture.write(|tx| tx.picture("b", at(0))), None);
    assert_eq!(fixture.write(|tx| tx.trim_pictures(100, at(60))), ["1.png"]);
}

#[test]
fn a_file_stays_as_long_as_anybody_needs_it() {
    let fixture = Fixture::new();
    assert_eq!(keep(&fixture, "a", "1.png", 10, at(0)), None);
    assert_eq!(keep(&fixture, "b", "1.png", 10, at(0)), None);
    assert_eq!(fixture.write(|tx| tx.pictures()), (1, 10), "counted once");
    assert_eq!(keep(&fixture, "a", "2.png", 5, at(1)), None, "b needs it");
    assert_eq!(keep(&fixture, "a", "2.png", 5, at(2)), None, "as before");
    assert_eq!(
        keep(&fixture, "b", "2.png", 5, at(3)).as_deref(),
        Some("1.png")
    );
    assert_eq!(files(&fixture), ["2.png"]);
    assert_eq!(fixture.write(|tx| tx.drop_picture("a")), None);
    assert_eq!(
        fixture.write(|tx| tx.drop_picture("b")).as_deref(),
        Some("2.png")
    );
    assert_eq!(fixture.write(|tx| tx.drop_picture("b")), None);
    assert_eq!(fixture.write(|tx| tx.pictures()), (0, 0));
}

#[test]
fn what_was_not_looked_at_for_the_longest_goes_first() {
    let fixture = Fixture::new();
    for (number, key) in (0..).zip(["a", "b", "c", "d"]) {
        keep(&fixture, key, &format!("{key}.png"), 100, at(number));
    }
    assert!(
        !fixture
            .write(|tx| tx.picture("a", at(HOUR)))
            .unwrap()
            .is_stale_use
    );
    assert!(
        fixture
            .write(|tx| tx.picture("a", at(HOUR + 1)))
            .unwrap()
            .is_stale_use
    );
    fixture.write(|tx| tx.use_picture("a", at(HOUR + 1)));
    let none: [&str; 0] = [];
    assert_eq!(
        fixture.write(|tx| tx.trim_pictures(400, at(HOUR + 2))),
        none
    );
    assert_eq!(
        fixture.write(|tx| tx.trim_pictures(399, at(HOUR + 2))),
        ["b.png"]
    );
    assert_eq!(
        fixture.write(|tx| tx.trim_pictures(100, at(HOUR + 2))),
        ["c.png", "d.png"]
    );
    assert_eq!(files(&fixture), ["a.png"]);
    assert_eq!(
        fixture.write(|tx| tx.trim_pictures(0, at(HOUR + 2))),
        ["a.png"]
    );
}

/// More than are forgotten in one go, and keys that share a file, which is gone only with the last of them.
#[test]
fn the_budget_is_kept_whatever_there_is() {
    let fixture = Fixture::new();
    for number in 0..300 {
        let file = format!("{:03}.png", number / 2);
        keep(&fixture, &format!("{number:03}"), &file, 10, at(number));
    }
    let gone = fixture.write(|tx| tx.trim_pictures(25, at(HOUR)));
    assert_eq!(gone.len(), 148);
    assert_eq!(files(&fixture), ["148.png", "149.png"]);
}

#[test]
fn what_nobody_looked_at_for_a_month_goes() {
    let fixture = Fixture::new();
    keep(&fixture, "old", "1.png", 10, at(0));
    keep(&fixture, "new", "2.png", 10, at(1));
    let then = at(1) + days(30);
    assert_eq!(fixture.write(|tx| tx.trim_pictures(100, then)), ["1.png"]);
    assert_eq!(files(&fixture), ["2.png"]);
}

#[test]
fn pictures_go_with_their_account_and_when_told() {
    let fixture = Fixture::new();
    let other = fixture.write(|tx| tx.add_account(&new_account("Work"), &[], at(0)));
    keep(&fixture, "a", "1.png", 10, at(0));
    keep_for(&fixture, other, ("b", "2.png", 10), None, at(0));
    fixture.write(|tx| tx.remove_account(other));
    assert_eq!(files(&fixture), ["1.png"]);
    fixture.write(|tx| tx.forget_pictures());
    assert!(files(&fixture).is_empty());
}
