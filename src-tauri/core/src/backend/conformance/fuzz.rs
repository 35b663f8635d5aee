//! What the fuzz targets run: bytes that say what happens to a conversation. The target of a family plays its
//! samples, and in between whatever the bytes say; nothing may panic, run on without an end, or break the
//! promises that hold for any bytes. `fuzz/` has the targets, the tests play what they found before.

use super::samples;
use super::world::{Straight, World};
use super::{Piece, Sample};
use crate::backend::payload::{self, Envelope, Mapping};
use crate::backend::{Effect, Fetched, Input};
use crate::model::{BackendKind, Draft, TransportKind, limits};
use crate::transport::Frame;
use crate::transport::reader::Reader;
use jiff::{SignedDuration, Timestamp};

/// What a cut text may be longer than its limit: the mark of the cut.
const MARK: usize = 8;
/// Things that happen in one conversation; more of them find nothing else.
const STEPS: usize = 200;

/// Reads what is to be done from bytes; at their end everything is 0.
struct Plan<'a>(&'a [u8]);

impl<'a> Plan<'a> {
    fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// With its length before it.
    fn block(&mut self) -> &'a [u8] {
        let length = usize::from(self.number());
        self.bytes(length)
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.block()).into_owned()
    }
}

/// All targets.
pub const TARGETS: [&str; 10] = [
    "ntfy", "gotify", "mercure", "pusher", "nchan", "custom", "lines", "events", "messages",
    "payload",
];

/// Runs a target: a family's name, or what reads bytes.
///
/// # Panics
///
/// Where something does not hold that has to hold for any bytes, and where there is no such target.
pub fn run(target: &str, bytes: &[u8]) {
    match target {
        "ntfy" => family(BackendKind::Ntfy, bytes),
        "gotify" => family(BackendKind::Gotify, bytes),
        "mercure" => family(BackendKind::Mercure, bytes),
        "pusher" => family(BackendKind::Pusher, bytes),
        "nchan" => family(BackendKind::Nchan, bytes),
        "custom" => family(BackendKind::Custom, bytes),
        "lines" => reader(TransportKind::HttpStream, bytes),
        "events" => reader(TransportKind::Sse, bytes),
        "messages" => reader(TransportKind::Websocket, bytes),
        "payload" => mapping(bytes),
        _ => panic!("there is no target {target}"),
    }
}

/// Plays a conversation of this family, and what the bytes say.
fn family(kind: BackendKind, bytes: &[u8]) {
    let mut plan = Plan(bytes);
    let samples = samples::of(kind);
    let sample = &samples[usize::from(plan.byte()) % samples.len()];
    let mut world = World::new(sample, Box::new(Straight));
    world.connect();
    for _ in 0..STEPS {
        if plan.0.is_empty() {
            break;
        }
        happen(&mut world, &mut plan);
    }
    for effect in &world.effects {
        check(sample, effect);
    }
}

fn happen(world: &mut World<'_>, plan: &mut Plan<'_>) {
    match plan.byte() % 12 {
        0 if !world.is_connected() => world.connect(),
        0 => {
            world.step();
        }
        1 => world.publish(1),
        2 => world.arrive(Piece::word(plan.block())),
        3 => {
            let (name, id, data) = (plan.text(), plan.text(), plan.text());
            world.tell(Input::Event {
                name: &name,
                id: &id,
                data: &data,
            });
        }
        4 => {
            let text = plan.text();
            world.tell(Input::Frame(&text));
        }
        5 => world.answer_with(plan.number(), &plan.text(), plan.block()),
        6 => {
            let id = plan.text();
            world.tell(Input::Position { id: &id });
        }
        7 => {
            let text = plan.text();
            world.tell(Input::Comment(&text));
        }
        8 => {
            world.wake();
        }
        9 => {
            world.hang_up();
            world.connect();
        }
        10 => {
            let (code, reason) = (plan.number(), plan.text());
            world.tell(Input::Closed {
                code: (code > 0).then_some(code),
                reason: &reason,
            });
        }
        _ => {
            let seconds = i64::from(plan.number()) - 1000;
            let later = world.now.checked_add(SignedDuration::from_secs(seconds));
            world.now = later.unwrap_or(world.now);
            // An answer to what nobody asked.
            let (tag, part) = (1000 + u32::from(plan.byte()), Fetched::End);
            world.tell(Input::Fetched { tag, part });
        }
    }
}

/// What holds for every effect.
fn check(sample: &Sample, effect: &Effect) {
    match effect {
        Effect::Notify { draft, .. } => check_draft(draft),
        Effect::Fail(failure) => {
            let is_said = failure.says.is_empty() || failure.says.ends_with(['.', '?', '!']);
            assert!(is_said, "{}: {failure:?}", sample.name);
        }
        Effect::Unreadable { frame } => assert!(frame.len() < 1000),
        Effect::Advance { cursor, .. } => assert!(cursor.0.len() < 64 * 1024),
        _ => {}
    }
}

fn check_draft(draft: &Draft) {
    assert!(!draft.remote_id.is_empty() && !draft.replace_key.is_empty());
    assert!(draft.title.len() <= limits::TITLE + MARK);
    assert!(draft.body.len() <= limits::BODY + MARK);
    assert!(draft.raw.len() <= limits::RAW + MARK);
    assert!((1..=5).contains(&draft.priority));
    assert!(draft.tags.len() <= limits::TAGS && draft.actions.len() <= limits::ACTIONS);
    if let Some(url) = &draft.url {
        assert!(url.len() <= limits::URL);
        let is_allowed = ["http:", "https:", "mailto:"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        assert!(is_allowed, "{url}");
    }
}

/// Reads bytes as a connection would, in pieces, and all at once: both show the same.
fn reader(transport: TransportKind, bytes: &[u8]) {
    let mut plan = Plan(bytes);
    let size = usize::from(plan.byte()) + 1;
    let mut split = Reader::new(transport);
    let split: Vec<_> = plan
        .0
        .chunks(size)
        .flat_map(|chunk| split.push(chunk))
        .collect();
    assert_eq!(split, Reader::new(transport).push(plan.0));
    for frame in split.into_iter().flatten() {
        let longest = match &frame {
            Frame::Text(text) | Frame::Comment(text) => text.len(),
            Frame::Event { data, .. } => data.len(),
            Frame::Fields { .. } | Frame::Alive | Frame::TooLong => 0,
        };
        // A malformed byte is replaced by three.
        assert!(longest <= 3 * limits::FRAME);
    }
}

/// Reads a payload, by a mapping that the bytes may hold too.
fn mapping(bytes: &[u8]) {
    let mut plan = Plan(bytes);
    let mapping: Mapping = serde_json::from_str(&plan.text()).unwrap_or_default();
    if mapping.check().is_err() {
        return;
    }
    let (event, id, content_type) = (plan.text(), plan.text(), plan.text());
    let envelope = Envelope {
        event: &event,
        id: &id,
        content_type: &content_type,
        text: &String::from_utf8_lossy(plan.0),
        now: Timestamp::UNIX_EPOCH,
    };
    let read = payload::read(&mapping, &envelope);
    check_draft(&read.draft);
    assert_eq!(read, payload::read(&mapping, &envelope));
}
