//! A large inbox, through the store itself.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use support::Result;
use tidings_api::{ListQuery, Place};
use tidings_core::model::{
    BackendKind, Class, Draft, Format, NewAccount, NewSubscription, Origin, SecretPlace, SignIn,
    Tier,
};
use tidings_core::store::{Store, StoreError};

use crate::arguments::Plan;
use crate::clock;
use crate::report::{Report, float, quantile, time};

/// Rows of one transaction while the inbox is filled.
const BATCH: u64 = 1000;
/// Different words; each is as rare as those of a language: the n-th about n times rarer than the first.
const WORDS: u64 = 20_000;
/// Words of a body.
const LENGTH: u64 = 14;
/// How often each question is asked.
const ASKED: u64 = 200;
/// Pages of 500 before a deep one.
const DEEP: usize = 15;
const TOPICS: u64 = 20;

/// Numbers that look random and are the same each time (Knuth's MMIX constants).
pub struct Dice(u64);

impl Dice {
    /// These numbers.
    pub fn new(which: u64) -> Self {
        Self(which)
    }

    /// From 0 on, below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A word, common ones more often.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and WORDS"
    )]
    pub fn word(&mut self) -> String {
        let share = float(self.roll(1 << 30)) / float(1 << 30);
        word(float(WORDS).powf(share) as u64)
    }
}

/// The n-th word.
fn word(number: u64) -> String {
    const FIRST: [&str; 20] = [
        "ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "zo", "ka",
        "he", "ji", "bo", "du", "sa",
    ];
    let mut dice = Dice(number);
    let mut text = String::new();
    let mut left = number;
    for _ in 0..2 + dice.roll(2) {
        text += FIRST[usize::try_from((left + dice.roll(7)) % 20).unwrap_or_default()];
        left /= 20;
    }
    format!(
        "{text}{}",
        char::from(b'a' + u8::try_from(number % 26).unwrap_or_default())
    )
}

/// Fills a store and asks it what windows and commands ask.
pub fn measure(plan: &Plan, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let now = clock::wall();
    let store = Store::open(&folder.path().join("inbox.db"), now)?.store;
    let begin = clock::now();
    fill(&store, plan.rows, now)?;
    let filled = clock::since(begin);
    let count = plan.rows;
    let name = |what: &str| format!("{count} rows: {what}");
    report.tell(
        &name("filled, a second"),
        format!("{:.0}", float(count) / filled.as_secs_f64()),
    );

    let zoned = now.to_zoned(TimeZone::UTC);
    let page = |query: &ListQuery| store.read(|tx| tx.page(query, &zoned));
    let mut deep = ListQuery {
        limit: 500,
        ..ListQuery::default()
    };
    for _ in 0..DEEP {
        deep.before = page(&deep)?.1;
    }
    deep.limit = 50;
    let unread = ListQuery {
        place: Place::Unread,
        ..ListQuery::default()
    };
    let millisecond = Duration::from_millis(1);
    for (what, query) in [
        ("first page, median", &ListQuery::default()),
        ("deep page, median", &deep),
        ("first page of unread, median", &unread),
    ] {
        let (mut times, found) = ask(|_| Ok(page(query)?.0.len()))?;
        if found != 50 * ASKED {
            return Err(format!("{what}: {found} rows were found").into());
        }
        report.at_most(&name(what), millisecond, quantile(&mut times, 0.5));
    }

    let search = |text: String| {
        let query = ListQuery {
            search: text,
            ..ListQuery::default()
        };
        Ok(page(&query)?.0.len())
    };
    let mut dice = Dice(7);
    let (mut times, one) = ask(|_| search(format!("\"{}\"", dice.word())))?;
    let milliseconds = Duration::from_millis;
    report.at_most(
        &name("a word, newest 50, p95"),
        milliseconds(10),
        quantile(&mut times, 0.95),
    );
    let (mut times, two) = ask(|_| search(format!("\"{}\" \"{}\"", dice.word(), dice.word())))?;
    report.at_most(
        &name("two words, newest 50, p95"),
        milliseconds(10),
        quantile(&mut times, 0.95),
    );
    let (mut times, begun) = ask(|_| search(dice.word().chars().take(3).collect()))?;
    report.at_most(
        &name("three letters of a word, newest 50, p95"),
        milliseconds(80),
        quantile(&mut times, 0.95),
    );
    for (what, found) in [
        ("a word", one),
        ("two words", two),
        ("three letters", begun),
    ] {
        if found == 0 {
            return Err(format!("{what}: nothing was found").into());
        }
    }

    let (mut times, all) = ask(|_| {
        let counts = store.read(|tx| tx.counts(&|_, _, _| true))?;
        Ok(usize::try_from(counts.all)?)
    })?;
    if all != count * ASKED {
        return Err(format!("{all} rows were counted").into());
    }
    report.at_most(
        &name("counts, p95"),
        millisecond,
        quantile(&mut times, 0.95),
    );
    store.close()?;
    report.tell(
        &name("size on disk"),
        format!(
            "{:.2} KiB a row",
            float(std::fs::metadata(folder.path().join("inbox.db"))?.len()) / 1024.0 / float(count)
        ),
    );
    report.tell(&name("time to fill"), time(filled));
    Ok(())
}

/// Asks again and again: how long each took, and how much was found in all.
fn ask(mut question: impl FnMut(u64) -> Result<usize>) -> Result<(Vec<Duration>, u64)> {
    let mut times = Vec::new();
    let mut found = 0;
    // The first one reads from the disk what the others find in memory.
    question(0)?;
    for number in 0..ASKED {
        let begin = clock::now();
        found += u64::try_from(question(number)?)?;
        times.push(clock::since(begin));
    }
    Ok((times, found))
}

fn fill(store: &Store, count: u64, now: Timestamp) -> Result<()> {
    let account = NewAccount {
        options: String::new(),
        way: tidings_api::Way::default(),
        kind: BackendKind::Ntfy,
        name: "Bench".to_owned(),
        url: "https://ntfy.example/".parse()?,
        sign_in: SignIn::None,
        secrets: SecretPlace::Memory,
        header_names: Vec::new(),
        transport: None,
        allow_http: false,
        made_token: String::new(),
    };
    let topics: Vec<_> = (0..TOPICS)
        .map(|number| NewSubscription {
            topic: format!("topic-{number}"),
            name: String::new(),
        })
        .collect();
    let (account, subscriptions) = store.write(|tx| {
        let account = tx.add_account(&account, &topics, now)?;
        Ok((account, tx.subscriptions(account)?))
    })?;
    let mut dice = Dice(1);
    let mut number = 0;
    while number < count {
        let end = count.min(number + BATCH);
        store.write(|tx| {
            for number in number..end {
                let age = i64::try_from(count - number).unwrap_or(i64::MAX);
                let at = now
                    .checked_sub(SignedDuration::from_secs(age))
                    .unwrap_or(now);
                let topic = usize::try_from(dice.roll(TOPICS)).unwrap_or_default();
                let draft = draft(number, &mut dice, at);
                let subscription = subscriptions[topic].id;
                tx.insert(account, subscription, draft, Origin::Live, at)?;
            }
            Ok::<_, StoreError>(())
        })?;
        number = end;
    }
    Ok(())
}

fn draft(number: u64, dice: &mut Dice, at: Timestamp) -> Draft {
    let words = |count: u64, dice: &mut Dice| -> String {
        let words: Vec<_> = (0..count).map(|_| dice.word()).collect();
        words.join(" ")
    };
    let (title, body) = (words(3, dice), words(LENGTH, dice));
    let id = format!("m{number:011}");
    Draft {
        raw: format!(
            "{{\"id\":\"{id}\",\"event\":\"message\",\"topic\":\"bench\",\"title\":\"{title}\",\"message\":\"{body}\"}}"
        ),
        replace_key: id.clone(),
        remote_id: id,
        version: at.as_second(),
        class: Class::Persistent,
        kind: String::new(),
        title,
        body,
        format: Format::Plain,
        priority: 3,
        tier: Tier::Important,
        created_at: at,
        url: None,
        actions: Vec::new(),
        tags: Vec::new(),
        icon: None,
        attachment: None,
        silent: false,
        expires_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_many_and_each_time_the_same() {
        let mut all: Vec<_> = (1..=WORDS).map(word).collect();
        assert_eq!(word(12), all[11]);
        all.sort();
        all.dedup();
        assert!(all.len() > 5000, "{} different words", all.len());
    }

    #[test]
    fn common_words_come_more_often() {
        let mut dice = Dice(3);
        let words: Vec<_> = (0..10_000).map(|_| dice.word()).collect();
        let often = |wanted: &str| words.iter().filter(|word| *word == wanted).count();
        assert!(often(&word(1)) > 10 * often(&word(1000)).max(1));
    }
}
