use super::{book, notification};
use crate::model::{Format, Notification, Preferences, SubscriptionId, Tier};
use crate::policy::compose::{Composed, compose};
use jiff::Timestamp;

fn names(n: &Notification) -> String {
    if n.subscription == SubscriptionId(1) {
        "alerts".to_owned()
    } else {
        "backup".to_owned()
    }
}

fn titled(title: &str, body: &str) -> Notification {
    let mut n = notification(Timestamp::UNIX_EPOCH);
    n.draft.title = title.to_owned();
    n.draft.body = body.to_owned();
    n
}

fn said(title: &str, body: &str) -> Composed {
    Composed {
        title: title.to_owned(),
        body: body.to_owned(),
    }
}

#[test]
fn one_notification_speaks_for_itself() {
    let mut n = titled("Disk full", "97 % of sda1");
    assert_eq!(
        compose(&[n.clone()], 1, None, &names),
        said("Disk full", "97 % of sda1")
    );
    n.draft.tags = ["warning", "nas", "skull"].map(str::to_owned).to_vec();
    assert_eq!(
        compose(&[n.clone()], 1, Some("pause"), &names),
        said("⚠️💀 Disk full", "97 % of sda1")
    );
    n.draft.title = " ".to_owned();
    assert_eq!(
        compose(&[n], 1, None, &names),
        said("⚠️💀 alerts", "97 % of sda1")
    );
}

#[test]
fn a_body_is_plain_short_and_harmless() {
    let mut n = titled(
        "a\nb\u{202e}c",
        "# Full\n\n**97 %** of [sda1](https://ex.test)\n\n\n- one",
    );
    n.draft.format = Format::Markdown;
    assert_eq!(
        compose(&[n], 1, None, &names),
        said("a bc", "Full\n97 % of sda1\n• one")
    );
    let long = titled("t", &format!("{}\n\n{}", "a".repeat(200), "b".repeat(200)));
    let body = compose(&[long], 1, None, &names).body;
    assert_eq!(body.chars().count(), 300);
    assert!(body.starts_with('a') && body.ends_with("b…"));
    let fits = titled("t", &"ä".repeat(300));
    assert_eq!(compose(&[fits], 1, None, &names).body, "ä".repeat(300));
    let more = titled("t", &format!("{}\nb", "a".repeat(300)));
    assert!(compose(&[more], 1, None, &names).body.ends_with("a…"));
    let markup = titled("<b>", "<i>x</i> & y");
    assert_eq!(
        compose(&[markup], 1, None, &names),
        said("<b>", "<i>x</i> & y")
    );
}

#[test]
fn a_digest_says_how_many_and_why() {
    let mut other = titled("", "\nnightly\nall well");
    other.subscription = SubscriptionId(2);
    let members = [
        titled("Disk full", "x"),
        other,
        titled("c", ""),
        titled("d", ""),
        titled("e", ""),
    ];
    let body = "alerts: Disk full\nbackup: nightly\nalerts: c\nalerts: d\nand 3 more";
    for (batch, title) in [
        (Some("away"), "7 notifications while you were away"),
        (Some("pause"), "7 notifications while paused"),
        (Some("low"), "7 low-priority notifications"),
        (Some("critical"), "7 critical notifications"),
        (Some("limit"), "7 more notifications"),
        (Some("other"), "7 notifications"),
        (None, "7 notifications"),
    ] {
        assert_eq!(
            compose(&members, 7, batch, &names),
            said(title, body),
            "{batch:?}"
        );
    }
    assert_eq!(
        compose(&members, 7, Some("limit:1"), &names),
        said(
            "7 more from alerts",
            "Disk full: x\nnightly\nc\nd\nand 3 more"
        )
    );
    assert_eq!(
        compose(&members[..2], 2, Some("pause"), &names),
        said(
            "2 notifications while paused",
            "alerts: Disk full\nbackup: nightly"
        )
    );
}

#[test]
fn a_digest_never_counts_less_than_it_names_nor_fails_without_any() {
    let members = [titled("a", ""), titled("b", "")];
    assert_eq!(compose(&members, 0, None, &names).title, "2 notifications");
    assert_eq!(
        compose(&[], 3, Some("limit:9"), &names),
        said("3 more notifications", "")
    );
    assert_eq!(compose(&[], 0, None, &names), said("0 notifications", ""));
    let nothing = [titled("", ""), titled("", " ")];
    assert_eq!(compose(&nothing, 2, None, &names).body, "alerts\nalerts");
}

#[test]
fn critical_and_high_ones_sound_unless_their_sender_asks_for_silence() {
    let book = book(Preferences::default());
    let sounds = |n: &Notification| book.sound(n, Timestamp::UNIX_EPOCH).is_some();
    let mut n = notification(Timestamp::UNIX_EPOCH);
    assert!(!sounds(&n));
    n.draft.priority = 4;
    assert!(sounds(&n));
    n.draft.silent = true;
    assert!(!sounds(&n));
    n.draft.silent = false;
    n.draft.priority = 3;
    n.draft.tier = Tier::Critical;
    assert!(sounds(&n));
}
