use super::{book, notification};
use crate::model::preferences::Privacy;
use crate::model::{Format, Notification, Preferences, SubscriptionId, Tier};
use crate::policy::compose::{Composed, Telling, compose as compose_of};
use jiff::Timestamp;

fn names(n: &Notification) -> String {
    if n.subscription == SubscriptionId(1) {
        "alerts".to_owned()
    } else {
        "backup".to_owned()
    }
}

fn compose(
    members: &[Notification],
    count: u64,
    batch: Option<&str>,
    names: &dyn Fn(&Notification) -> String,
) -> Composed {
    compose_of(&Telling {
        members,
        count,
        groups: &[],
        batch,
        names,
        privacy: &|_| Privacy::Full,
    })
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
        (Some("quiet"), "7 notifications during quiet hours"),
        (
            Some("context:presenting"),
            "7 notifications while you were presenting",
        ),
        (Some("escalation"), "7 critical notifications are unread"),
        (Some("daily:18:00"), "7 notifications"),
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
    let sounds = |n: &Notification| book.sound_of(n, n.tier, Timestamp::UNIX_EPOCH).is_some();
    let mut n = notification(Timestamp::UNIX_EPOCH);
    assert!(!sounds(&n));
    n.draft.priority = 4;
    assert!(sounds(&n));
    n.draft.silent = true;
    assert!(!sounds(&n));
    n.draft.silent = false;
    n.draft.priority = 3;
    n.tier = Tier::Critical;
    assert!(sounds(&n));
}

#[test]
fn what_is_said_over_and_over_is_said_once_and_counted() {
    let members = [titled("Disk full", "98 %"), titled("Disk full", "97 %")];
    for batch in [None, Some("window:1:disk")] {
        assert_eq!(
            compose(&members, 37, batch, &names),
            said("Disk full ×37", "98 %"),
            "the newest says the rest"
        );
    }
    assert_eq!(
        compose(&members, 37, Some("pause"), &names).title,
        "37 notifications while paused"
    );
    let others = [titled("New comment", "a"), titled("Another", "b")];
    assert_eq!(
        compose(&others, 10, Some("window:1:comment:new"), &names),
        said(
            "10 comment:new from alerts",
            "New comment: a\nAnother: b\nand 8 more"
        )
    );
    assert_eq!(
        compose(&others, 10, Some("window:1:"), &names).title,
        "10 new from alerts"
    );
}

#[test]
fn a_digest_of_several_counts_each_of_them() {
    let mut other = titled("nightly", "");
    other.subscription = SubscriptionId(2);
    let groups = [("alerts".to_owned(), 5), ("backup".to_owned(), 2)];
    let composed = compose_of(&Telling {
        members: &[titled("Disk full", "x"), other],
        count: 7,
        groups: &groups,
        batch: Some("quiet"),
        names: &names,
        privacy: &|_| Privacy::Full,
    });
    assert_eq!(
        composed,
        said(
            "7 notifications during quiet hours",
            "alerts 5, backup 2\nalerts: Disk full\nbackup: nightly\nand 5 more"
        )
    );
}

#[test]
fn a_toast_tells_no_more_than_it_may() {
    let n = titled("Your code is 7713", "Do not tell");
    let tell = |members: &[Notification], privacy: Privacy| {
        compose_of(&Telling {
            members,
            count: members.len() as u64,
            groups: &[],
            batch: Some("context:locked"),
            names: &names,
            privacy: &|_| privacy,
        })
    };
    let one = [n.clone()];
    assert_eq!(
        tell(&one, Privacy::TitleOnly),
        said("Your code is 7713", "")
    );
    assert_eq!(
        tell(&one, Privacy::CountOnly),
        said("1 notification from alerts", "")
    );
    let two = [n.clone(), titled("", "secret")];
    let title = "2 notifications while the screen was locked";
    assert_eq!(
        tell(&two, Privacy::TitleOnly),
        said(title, "alerts: Your code is 7713\nalerts: a notification")
    );
    assert_eq!(tell(&two, Privacy::CountOnly), said(title, ""));
}
