//! The checks, the same for all families.

use super::world::{Carried, Happening, Road, Straight, World};
use super::{Keeps, Piece, Sample, Texts};
use super::{fuzz, samples};
use crate::backend::Effect;
use crate::backend::registry::backends;
use crate::model::{Draft, limits};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

/// What a fuzz target begins with, and what it found.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .map(|path| (path.clone(), fs::read(&path).expect("a readable file")))
        .collect();
    seeds.sort();
    seeds
}

#[test]
fn what_was_found_by_fuzzing_stays_found() {
    for target in fuzz::TARGETS {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for (path, bytes) in seeds {
            println!("{}", path.display());
            fuzz::run(target, &bytes);
        }
    }
}

proptest! {
    /// What a fuzz target does first: other bytes in a seed.
    #[test]
    fn any_bytes_are_survived(
        target in prop::sample::select(fuzz::TARGETS.to_vec()),
        seed in any::<prop::sample::Index>(),
        others in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
    ) {
        let seeds = seeds(target);
        let mut bytes = seed.get(&seeds).1.clone();
        for (at, byte) in others {
            *at.get_mut(&mut bytes) = byte;
        }
        fuzz::run(target, &bytes);
    }
}

/// Every sample of every family.
fn all() -> Vec<Sample> {
    backends()
        .iter()
        .flat_map(|family| samples::of(family.kind()))
        .collect()
}

/// What is in the inbox of a topic, in order.
fn stored<'a>(world: &'a World<'_>, topic: &str) -> Vec<&'a str> {
    let of_topic = world.inbox.iter().filter(|stored| stored.topic == topic);
    of_topic
        .map(|stored| stored.draft.remote_id.as_str())
        .collect()
}

/// What has to be in it.
fn expected<'a>(sample: &'a Sample, world: &World<'_>, topic: &str) -> Vec<&'a str> {
    sample
        .messages
        .iter()
        .filter(|message| message.topic == topic && !world.lost.contains(&message.id))
        .map(|message| message.id.as_str())
        .collect()
}

fn topics(sample: &Sample) -> Vec<&'static str> {
    let mut topics: Vec<_> = sample
        .messages
        .iter()
        .map(|message| message.topic)
        .collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

/// Everything is there once, in order, and nothing else.
fn assert_whole(sample: &Sample, world: &World<'_>, when: &str) {
    for topic in topics(sample) {
        let (stored, expected) = (stored(world, topic), expected(sample, world, topic));
        assert_eq!(stored, expected, "{}: {topic}, {when}", sample.name);
    }
    assert_complete(sample, world, when);
}

/// Everything is there once, in any order; where any text is a notification, others may be.
fn assert_all(sample: &Sample, world: &World<'_>, when: &str) {
    assert_ids(sample, world, when);
    assert_complete(sample, world, when);
}

fn assert_ids(sample: &Sample, world: &World<'_>, when: &str) {
    for topic in topics(sample) {
        let (mut stored, mut expected) = (stored(world, topic), expected(sample, world, topic));
        if sample.texts == Texts::Any {
            stored.retain(|id| sample.messages.iter().any(|message| message.id == *id));
        }
        stored.sort_unstable();
        expected.sort_unstable();
        assert_eq!(stored, expected, "{}: {topic}, {when}", sample.name);
    }
}

fn assert_complete(sample: &Sample, world: &World<'_>, when: &str) {
    let name = sample.name;
    assert!(world.live, "{name}: not live, {when}");
    assert_eq!(world.failures, [], "{name}: {when}");
    if sample.keeps == Keeps::All {
        assert_eq!(world.missing, [], "{name}: no gap, {when}");
        assert!(world.lost.is_empty());
    }
}

/// The plain conversation, and how many effects it has.
fn plain(sample: &Sample) -> World<'_> {
    World::new(sample, Box::new(Straight)).play(&[])
}

#[test]
fn every_transport_of_every_family_has_a_conversation_that_is_complete() {
    for family in backends() {
        let samples = samples::of(family.kind());
        for transport in family.capabilities().transports {
            let of_transport = |sample: &&Sample| sample.transport == *transport;
            assert!(
                samples.iter().any(|sample| of_transport(&sample)),
                "{:?} over {transport:?} has no sample",
                family.kind()
            );
        }
        for sample in &samples {
            assert!(sample.messages.len() > sample.before + 1, "{}", sample.name);
            let world = plain(sample);
            assert_whole(sample, &world, "unbroken");
            assert_eq!(world.unreadable, 0, "{}", sample.name);
            assert_eq!(world.connections, 1, "{}", sample.name);
            assert!(world.lost.is_empty());
        }
    }
}

/// The bytes of every piece in two parts, or one by one.
struct Cut<'a> {
    /// Where; none: everywhere.
    at: Option<usize>,
    /// The longest piece.
    longest: &'a Cell<usize>,
}

impl Road for Cut<'_> {
    fn parts(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        self.longest.set(self.longest.get().max(bytes.len()));
        match self.at {
            None => bytes.chunks(1).map(<[u8]>::to_vec).collect(),
            Some(at) => {
                let (one, two) = bytes.split_at(at.min(bytes.len()));
                vec![one.to_vec(), two.to_vec()]
            }
        }
    }
}

#[test]
fn bytes_may_be_split_anywhere() {
    for sample in all() {
        let longest = &Cell::new(0);
        let cut = |at| World::new(&sample, Box::new(Cut { at, longest })).play(&[]);
        let whole = cut(Some(0)).effects;
        assert_eq!(cut(None).effects, whole, "{}: one by one", sample.name);
        for at in 1..longest.get() {
            assert_eq!(cut(Some(at)).effects, whole, "{}: {at}", sample.name);
        }
    }
}

/// What is no frame of any family.
fn garbage() -> Vec<Vec<u8>> {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let mut garbage: Vec<Vec<u8>> = [
        "{",
        "[]",
        "[[[[",
        "null",
        "true",
        "17",
        "-0.0e-999",
        "1e999999",
        "\"text\"",
        "{}",
        "{\"id\":99999999999999999999999999,\"time\":-9223372036854775808,\"appid\":1e308}",
        "{\"id\":[],\"event\":17,\"channel\":{},\"data\":[null],\"topic\":5,\"time\":\"x\"}",
        "{\"id\":\"x\",\"event\":\"message\",\"topic\":\"elsewhere\"}",
        "{\"event\":\"message\",\"topic\":\"alerts\",\"message\":\"no id\"}",
        "{\"id\":\"cut\",\"time\":16439",
        "\u{0}\u{1}\u{7f}\u{feff}\u{202e}",
        "{\"a\":\"\\u0000\\ud800\"}",
        "<html><body>Sign in to the network</body></html>",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    garbage.push(deep.into_bytes());
    garbage.push(b"\xff\xfe\xc3\x28 { \xf0\x9f".to_vec());
    garbage
}

/// As what carries it wants it.
fn wrapped(carried: Carried, text: &[u8]) -> Piece {
    Piece::word(match carried {
        Carried::Messages => text.to_vec(),
        Carried::Lines => [text, b"\n"].concat(),
        Carried::Events => [b"data: ".as_slice(), text, b"\n\n"].concat(),
    })
}

/// Something before, between and after all pieces, and inside of lists.
struct Between {
    what: fn(Carried) -> Vec<Piece>,
    strange_members: bool,
}

impl Road for Between {
    fn pieces(&mut self, carried: Carried, pieces: Vec<Piece>) -> Vec<Piece> {
        let mut all = Vec::new();
        for piece in pieces {
            all.extend((self.what)(carried));
            all.push(piece);
        }
        all.extend((self.what)(carried));
        all
    }

    fn body(&mut self, body: String) -> String {
        let Ok(mut value) = serde_json::from_str(&body) else {
            return body;
        };
        if self.strange_members {
            add_members(&mut value);
        }
        value.to_string()
    }
}

/// Members of the wrong kind in every list of objects.
fn add_members(value: &mut Value) {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let strange = [json!(null), json!([]), json!({"id": {}, "appid": -1})];
            items.splice(0..0, strange);
        }
        Value::Object(members) => members.values_mut().for_each(add_members),
        _ => {}
    }
}

fn truncated(carried: Carried, piece: &Piece) -> Piece {
    let half = &piece.bytes[..piece.bytes.len() / 2];
    let end: &[u8] = match carried {
        Carried::Messages => b"",
        Carried::Lines => b"\n",
        Carried::Events => b"\n\n",
    };
    Piece::word([half, end].concat())
}

/// Each message comes half before it comes whole.
struct Halves;

impl Road for Halves {
    fn pieces(&mut self, carried: Carried, pieces: Vec<Piece>) -> Vec<Piece> {
        let with_half = |piece: Piece| {
            let half = piece.is_message.then(|| truncated(carried, &piece));
            half.into_iter().chain([piece])
        };
        pieces.into_iter().flat_map(with_half).collect()
    }
}

#[test]
fn garbage_between_frames_costs_only_itself() {
    for sample in all() {
        let road = Between {
            what: |carried| {
                let all = garbage();
                all.iter().map(|text| wrapped(carried, text)).collect()
            },
            strange_members: true,
        };
        let world = World::new(&sample, Box::new(road)).play(&[]);
        assert_all(&sample, &world, "with garbage");
        assert_eq!(world.connections, 1, "{}", sample.name);
        if sample.texts == Texts::Formed {
            let world = World::new(&sample, Box::new(Halves)).play(&[]);
            assert_whole(&sample, &world, "with halves");
        }
    }
}

/// Each message comes twice.
struct Twice;

impl Road for Twice {
    fn pieces(&mut self, _carried: Carried, pieces: Vec<Piece>) -> Vec<Piece> {
        let twice = |piece: Piece| {
            let again = piece.is_message.then(|| piece.clone());
            again.into_iter().chain([piece])
        };
        pieces.into_iter().flat_map(twice).collect()
    }
}

/// Two messages that are sent together come the other way round.
struct Swapped;

impl Road for Swapped {
    fn pieces(&mut self, _carried: Carried, mut pieces: Vec<Piece>) -> Vec<Piece> {
        if let [one, two] = pieces.as_mut_slice()
            && one.is_message
            && two.is_message
        {
            std::mem::swap(one, two);
        }
        pieces
    }
}

#[test]
fn repeats_change_nothing_and_neighbours_may_change_places() {
    for sample in all() {
        let world = World::new(&sample, Box::new(Twice)).play(&[]);
        assert_whole(&sample, &world, "each twice");
        for after in 0..world.effects.len() {
            let world = World::new(&sample, Box::new(Twice)).with(after, Happening::Drop);
            let when = format!("each twice, dropped after effect {after}");
            assert_whole(&sample, &world.play(&[]), &when);
        }
        for at in 0..sample.messages.len() - sample.before - 1 {
            let mut batches = vec![1; at];
            batches.push(2);
            let world = World::new(&sample, Box::new(Swapped)).play(&batches);
            let when = format!("{at} and its neighbour swapped");
            assert_ids(&sample, &world, &when);
            if sample.in_order {
                continue;
            }
            assert_complete(&sample, &world, &when);
            for after in 0..world.effects.len() {
                let world = World::new(&sample, Box::new(Swapped)).with(after, Happening::Drop);
                let when = format!("{when}, dropped after effect {after}");
                assert_all(&sample, &world.play(&batches), &when);
            }
        }
    }
}

#[test]
fn a_conversation_may_break_at_every_point() {
    for sample in all() {
        let effects = plain(&sample).effects.len();
        for after in 0..effects {
            let when = format!("dropped after effect {after} of {effects}");
            let world = World::new(&sample, Box::new(Straight)).with(after, Happening::Drop);
            let world = world.play(&[]);
            assert_eq!(world.connections, 2, "{}: {when}", sample.name);
            assert_whole(&sample, &world, &when);
            // Who was away from a server that keeps nothing is told so.
            let was_complete = world.effects[..after].contains(&Effect::Live);
            if sample.keeps == Keeps::Nothing && was_complete && !world.lost.is_empty() {
                assert_ne!(world.missing, [], "{}: {when}", sample.name);
            }
        }
    }
}

#[test]
fn a_message_may_be_published_at_every_point() {
    for sample in all() {
        let effects = plain(&sample).effects.len();
        for after in 0..effects {
            let when = format!("published after effect {after} of {effects}");
            let world = World::new(&sample, Box::new(Straight)).with(after, Happening::Publish);
            let world = world.play(&[]);
            // Where nothing is kept, it came too early until somebody listened.
            if sample.keeps != Keeps::Nothing || world.effects[..after].contains(&Effect::Live) {
                assert_all(&sample, &world, &when);
            }
        }
    }
}

#[test]
fn what_is_too_long_costs_only_itself() {
    for sample in all() {
        let road = TooLong { left: 3 };
        let world = World::new(&sample, Box::new(road)).play(&[]);
        assert_whole(&sample, &world, "with frames above the limit");
        assert_eq!(world.unreadable, 0, "{}", sample.name);
    }
}

/// A frame above the limit behind the first ones that come.
struct TooLong {
    left: usize,
}

impl Road for TooLong {
    fn pieces(&mut self, carried: Carried, mut pieces: Vec<Piece>) -> Vec<Piece> {
        if self.left > 0 {
            self.left -= 1;
            pieces.push(wrapped(carried, &vec![b'x'; limits::FRAME + 100]));
        }
        pieces
    }
}

/// What a newer server might send along: members that nobody knows, fields that nobody knows.
struct Newer<'a>(&'a Sample);

impl Newer<'_> {
    /// With another member in the object, and in the objects of lists. As text, since some ids are that of the
    /// text.
    fn with_members(text: &str) -> Option<String> {
        const UNKNOWN: &str = r#"{"x_unknown":{"a":[1,null,"b"]},"#;
        let value: Value = serde_json::from_str(text).ok()?;
        let is_empty = value.as_object()?.is_empty();
        let newer = text.replace("[{", &format!("[{UNKNOWN}"));
        let newer = newer.replace("},{", &format!("}},{UNKNOWN}"));
        Some(if is_empty {
            newer
        } else {
            newer.replacen('{', UNKNOWN, 1)
        })
    }
}

impl Road for Newer<'_> {
    fn pieces(&mut self, carried: Carried, pieces: Vec<Piece>) -> Vec<Piece> {
        let mut all = Vec::new();
        for piece in pieces {
            if piece.is_message {
                all.extend(self.0.strangers.iter().map(|text| {
                    let line = if carried == Carried::Lines { "\n" } else { "" };
                    Piece::word(format!("{text}{line}"))
                }));
            }
            let text = String::from_utf8(piece.bytes).expect("a sample is text");
            let newer = match carried {
                Carried::Messages => Self::with_members(&text),
                Carried::Lines => Self::with_members(&text).map(|text| text + "\n"),
                Carried::Events => {
                    let line = |line: &str| {
                        let data = line.strip_prefix("data: ").and_then(Self::with_members);
                        data.map_or_else(|| line.to_owned(), |data| format!("data: {data}"))
                    };
                    let lines: Vec<String> = text.split('\n').map(line).collect();
                    let is_event = text.contains("data:");
                    let unknown = if is_event {
                        "unknown: field\nunknown\n"
                    } else {
                        ""
                    };
                    Some(format!("{unknown}{}", lines.join("\n")))
                }
            };
            all.push(Piece {
                bytes: newer.unwrap_or(text).into_bytes(),
                is_message: piece.is_message,
            });
        }
        all
    }

    fn body(&mut self, body: String) -> String {
        match serde_json::from_str(&body) {
            Ok(Value::Array(_)) => {
                let object = Self::with_members(&format!("{{\"list\":{body}}}"));
                let list: Value = object
                    .and_then(|object| serde_json::from_str(&object).ok())
                    .unwrap_or_default();
                list["list"].to_string()
            }
            _ => Self::with_members(&body).unwrap_or(body),
        }
    }
}

#[test]
fn unknown_members_fields_and_events_are_ignored() {
    for sample in all() {
        let old = plain(&sample);
        let new = World::new(&sample, Box::new(Newer(&sample))).play(&[]);
        assert_whole(&sample, &new, "with unknown members");
        assert_eq!(new.unreadable, 0, "{}", sample.name);
        let without_raw = |world: &World<'_>| -> Vec<(String, Draft)> {
            world
                .inbox
                .iter()
                .map(|stored| {
                    let raw = String::new();
                    (
                        stored.topic.clone(),
                        Draft {
                            raw,
                            ..stored.draft.clone()
                        },
                    )
                })
                .collect()
        };
        assert_eq!(without_raw(&new), without_raw(&old), "{}", sample.name);
    }
}
