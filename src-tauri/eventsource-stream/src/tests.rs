use std::convert::Infallible;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;

use super::*;

fn parse<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut parser = Parser::new();
    let mut events = Vec::new();
    for chunk in chunks {
        parser.push(chunk);
        events.extend(std::iter::from_fn(|| parser.next_event()));
    }
    events.extend(parser.finish());
    events
}

/// `name|data|id|retry in ms`, control names without their newline and with `!` before them.
fn show(event: &Event) -> String {
    let name = match event.event.strip_suffix('\n') {
        Some(control) => format!("!{control}"),
        None => event.event.clone(),
    };
    let retry = event
        .retry
        .map_or(String::new(), |retry| retry.as_millis().to_string());
    format!("{name}|{}|{}|{retry}", event.data, event.id)
}

fn shown(events: &[Event]) -> Vec<String> {
    events.iter().map(show).collect()
}

const CASES: &[(&str, &[u8], &[&str])] = &[
    ("nothing", b"", &[]),
    ("blank lines", b"\n\n\r\n\r\r", &[]),
    ("one", b"data: a\n\n", &["message|a||"]),
    ("no space", b"data:a\n\n", &["message|a||"]),
    ("one space only goes", b"data:  a \n\n", &["message| a ||"]),
    ("tab stays", b"data:\ta\n\n", &["message|\ta||"]),
    (
        "lines",
        b"data: a\ndata: b\ndata\ndata:\n\n",
        &["message|a\nb\n\n||"],
    ),
    (
        "empty data",
        b"data\n\ndata:\n\n",
        &["message|||", "message|||"],
    ),
    (
        "two empty lines of data",
        b"data\ndata\n\n",
        &["message|\n||"],
    ),
    (
        "unfinished event",
        b"data: a\n\ndata: b\n",
        &["message|a||"],
    ),
    ("unfinished line", b"data: a\n\ndata: b", &["message|a||"]),
    ("crlf", b"data: a\r\ndata: b\r\n\r\n", &["message|a\nb||"]),
    ("cr", b"data: a\rdata: b\r\r", &["message|a\nb||"]),
    (
        "mixed ends",
        b"data: a\rdata: b\ndata: c\r\n\rdata: d\n\r",
        &["message|a\nb\nc||", "message|d||"],
    ),
    (
        "lf cr is two ends",
        b"data: a\n\rdata: b\n\r",
        &["message|a||", "message|b||"],
    ),
    (
        "cr lf after blank",
        b"data: a\r\r\ndata: b\r\r",
        &["message|a||", "message|b||"],
    ),
    (
        "vertical tab and nel end no line",
        b"data: a\x0b\xc2\x85\xe2\x80\xa8b\n\n",
        &["message|a\u{b}\u{85}\u{2028}b||"],
    ),
    (
        "event",
        b"event: add\ndata: 1\n\ndata: 2\n\n",
        &["add|1||", "message|2||"],
    ),
    (
        "empty event",
        b"event:\ndata: 1\n\nevent: x\nevent\ndata: 2\n\n",
        &["message|1||", "message|2||"],
    ),
    (
        "last event wins",
        b"event: a\nevent: b\ndata: 1\n\n",
        &["b|1||"],
    ),
    (
        "event without data",
        b"event: a\n\ndata: 1\n\n",
        &["!fields|||", "message|1||"],
    ),
    (
        "field names have case",
        b"Data: a\nDATA: b\n data: c\ndata : d\n\n",
        &[],
    ),
    (
        "unknown field",
        b"foo: 1\nbar\ndata: a\n\n",
        &["message|a||"],
    ),
    (
        "colons in the value",
        b"data:: a:b\n\n",
        &["message|: a:b||"],
    ),
    (
        "id stays",
        b"id: 1\ndata: a\n\ndata: b\n\n",
        &["message|a|1|", "message|b|1|"],
    ),
    (
        "id cleared",
        b"id: 1\ndata: a\n\nid\ndata: b\n\n",
        &["message|a|1|", "message|b||"],
    ),
    (
        "id only",
        b"id: 7\n\ndata: a\n\n",
        &["!fields||7|", "message|a|7|"],
    ),
    (
        "id cleared alone",
        b"id: 7\n\nid:\n\n",
        &["!fields||7|", "!fields|||"],
    ),
    (
        "id not before the blank line",
        b"id: 7\n:c\n\n",
        &["!comment|c||", "!fields||7|"],
    ),
    ("unfinished id is dropped", b"id: 7\n", &[]),
    (
        "id with nul",
        b"id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\n",
        &["message|a|1|", "message|b|1|"],
    ),
    (
        "id with control",
        b"id: a\x1bb\ndata: b\n\nid: \xc2\x9b\ndata: c\n\n",
        &["message|b||", "message|c||"],
    ),
    (
        "id in any script",
        "id: ключ 5 \ndata: b\n\n".as_bytes(),
        &["message|b|ключ 5 |"],
    ),
    ("retry", b"retry: 2500\ndata: a\n\n", &["message|a||2500"]),
    ("retry alone", b"retry: 2500\n\n", &["!fields|||2500"]),
    (
        "retry holds without a blank line",
        b"id: 4\nretry: 2500\n",
        &["!fields|||2500"],
    ),
    ("retry least", b"retry: 0\n\n", &["!fields|||1000"]),
    (
        "retry greatest",
        b"retry: 99999999999999999999999999\n\n",
        &["!fields|||300000"],
    ),
    (
        "retry zeros",
        b"retry: 0000000000000000000000000000002000\n\n",
        &["!fields|||2000"],
    ),
    (
        "retry no digits",
        b"retry: +1500\nretry: -1\nretry: 1.5\nretry:\nretry\nretry:  2000\nretry: 2000 \n\n",
        &[],
    ),
    ("retry other digits", "retry: ١٢٣٤\n\n".as_bytes(), &[]),
    (
        "bad retry keeps the good one",
        b"retry: 2000\nretry: x\n\n",
        &["!fields|||2000"],
    ),
    ("comment", b": hi\n", &["!comment|hi||"]),
    (
        "comments",
        b":\n:hi\n::\n\n",
        &["!comment|||", "!comment|hi||", "!comment|:||"],
    ),
    (
        "comment inside an event",
        b"data: a\n: k\ndata: b\n\n",
        &["!comment|k||", "message|a\nb||"],
    ),
    ("bom", b"\xef\xbb\xbfdata: a\n\n", &["message|a||"]),
    (
        "only one bom",
        b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n",
        &["message|b||"],
    ),
    (
        "later bom is a character",
        b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: \xef\xbb\xbfc\n\n",
        &["message|a||", "message|\u{feff}c||"],
    ),
    ("bom then end", b"\xef\xbb\xbf", &[]),
    (
        "bom then blank",
        b"\xef\xbb\xbf\r\n\ndata: a\n\n",
        &["message|a||"],
    ),
    (
        "half a bom",
        b"\xef\xbbdata: a\n\ndata: b\n\n",
        &["message|b||"],
    ),
    (
        "malformed value",
        b"data: a\xffb\xc3\ndata: \xe2\x82\n\n",
        &["message|a\u{fffd}b\u{fffd}\n\u{fffd}||"],
    ),
    (
        "malformed name",
        b"da\xffta: a\n\ndata: b\n\n",
        &["message|b||"],
    ),
    ("malformed comment", b":\xff\n", &["!comment|\u{fffd}||"]),
    ("malformed id", b"id: \xff\n\n", &["!fields||\u{fffd}|"]),
    (
        "surrogate and overlong",
        b"data: \xed\xa0\x80\xc0\xaf\n\n",
        &["message|\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}||"],
    ),
    (
        "wide characters",
        "data: 👍ß\u{1F469}\u{200D}\u{1F680}\n\n".as_bytes(),
        &["message|👍ß\u{1F469}\u{200D}\u{1F680}||"],
    ),
    ("nul in data", b"data: a\x00b\n\n", &["message|a\u{0}b||"]),
    (
        "a control name cannot be sent",
        b"event: fields\ndata: a\n\nevent: comment\r\ndata: b\n\n",
        &["fields|a||", "comment|b||"],
    ),
];

#[test]
fn cases_at_every_split() {
    for (name, bytes, expected) in CASES {
        assert_eq!(shown(&parse([*bytes])), *expected, "{name}: in one piece");
        assert_eq!(
            shown(&parse(bytes.chunks(1))),
            *expected,
            "{name}: byte by byte"
        );
        for at in 0..=bytes.len() {
            let (left, right) = bytes.split_at(at);
            let split = parse([left, b"", right]);
            assert_eq!(shown(&split), *expected, "{name}: split at {at}");
        }
    }
}

#[test]
fn cr_dispatches_without_waiting_for_the_next_byte() {
    let mut parser = Parser::new();
    parser.push(b"data: a\r\r");
    assert_eq!(
        parser.next_event().as_ref().map(show).unwrap(),
        "message|a||"
    );
    assert_eq!(parser.next_event(), None);
    parser.push(b"\n");
    assert_eq!(parser.next_event(), None);
    parser.push(b"data: b\r\n\r");
    assert_eq!(
        parser.next_event().as_ref().map(show).unwrap(),
        "message|b||"
    );
}

fn data_line(length: usize) -> Vec<u8> {
    let mut line = b"data:".to_vec();
    line.resize(length, b'x');
    line
}

fn lengths(events: &[Event]) -> Vec<(String, usize)> {
    let name = |event: &Event| event.event.trim_end().to_owned();
    events
        .iter()
        .map(|event| (name(event), event.data.len()))
        .collect()
}

#[test]
fn longest_line_passes_and_one_more_is_skipped() {
    for end in ["\n\n", "\r\r", "\r\n\r\n"] {
        for chunk in [1460, 4096, MAX_LINE, 3 * MAX_LINE] {
            let mut bytes = data_line(MAX_LINE);
            bytes.extend_from_slice(end.as_bytes());
            bytes.extend(data_line(MAX_LINE + 1));
            bytes.extend_from_slice(end.as_bytes());
            bytes.extend_from_slice(b"data: after\n\n");
            assert_eq!(
                lengths(&parse(bytes.chunks(chunk))),
                [
                    ("message".into(), MAX_LINE - 5),
                    ("too long".into(), 4),
                    ("message".into(), 5)
                ],
                "{end:?} in pieces of {chunk}",
            );
        }
    }
}

#[test]
fn a_long_line_spoils_only_what_it_belongs_to() {
    let long = |head: &str| [head.as_bytes(), &vec![b'x'; MAX_LINE]].concat();
    let cases: [(&str, &[&str]); 6] = [
        (":", &["!too long|line|1|", "message|a\nb|2|"]),
        ("other", &["!too long|line|1|", "message|a\nb|2|"]),
        ("data:", &["!too long|line|1|", "!fields||2|"]),
        ("event: ", &["!too long|line|1|", "!fields||2|"]),
        ("id:", &["!too long|line|1|", "message|a\nb|2|"]),
        ("retry:", &["!too long|line|1|", "message|a\nb|2|"]),
    ];
    for (head, expected) in cases {
        let bytes = [
            &b"id: 1\n\nid: 2\ndata: a\n"[..],
            &long(head),
            b"\ndata: b\n\n",
        ]
        .concat();
        for chunk in [1460, bytes.len()] {
            let events = shown(&parse(bytes.chunks(chunk)));
            assert_eq!(events[0], "!fields||1|", "{head}");
            assert_eq!(events[1..], *expected, "{head} in pieces of {chunk}");
        }
    }
}

#[test]
fn a_long_event_is_skipped_and_reported_once() {
    let line = [data_line(MAX_EVENT / 4), b"\n".to_vec()].concat();
    let mut bytes = line.repeat(20);
    bytes.extend(data_line(MAX_LINE + 1));
    bytes.extend_from_slice(b"\nid: 9\n\ndata: after\n\n");
    for chunk in [1460, bytes.len()] {
        assert_eq!(
            shown(&parse(bytes.chunks(chunk))),
            ["!too long|event||", "!fields||9|", "message|after|9|"],
        );
    }
}

#[test]
fn replacement_characters_count_toward_the_event() {
    let bytes = [
        b"data:".to_vec(),
        vec![0xff; MAX_LINE / 2],
        b"\n\n".to_vec(),
    ]
    .concat();
    assert_eq!(shown(&parse([&bytes[..]])), ["!too long|event||"]);
}

#[test]
fn an_endless_line_is_reported_at_once_and_never_kept() {
    let mut parser = Parser::new();
    let chunk = vec![b'x'; 64 << 10];
    let mut reports = 0;
    for round in 0..1000 {
        parser.push(&chunk);
        while let Some(event) = parser.next_event() {
            assert_eq!(event.event, CONTROL_TOO_LONG);
            assert!(round <= MAX_LINE / chunk.len());
            reports += 1;
        }
        assert!(parser.kept() <= MAX_LINE + chunk.len());
    }
    assert_eq!(reports, 1);
    assert_eq!(parser.kept(), 0);
    parser.push(b"\n\ndata: a\n\n");
    assert_eq!(parser.next_event().unwrap().data, "a");
}

#[test]
fn an_id_has_its_limit() {
    for (length, kept) in [(MAX_ID, true), (MAX_ID + 1, false)] {
        let bytes = format!("id: {}\ndata: a\n\n", "i".repeat(length));
        assert_eq!(parse([bytes.as_bytes()])[0].id.len() == length, kept);
    }
}

/// Work for each byte pushed: it is copied in, searched, taken as a line and moved at most once.
const WORK_PER_BYTE: usize = 4;

#[test]
fn work_is_linear() {
    let long = [data_line(MAX_LINE), b"\n\n".to_vec()].concat();
    let streams = [
        ("one long line", long.clone()),
        ("endless line", vec![b'x'; 4 << 20]),
        ("short events", b"data: x\n\n".repeat(100_000)),
        ("blank lines", b"\n".repeat(500_000)),
        ("comments", b":\r".repeat(300_000)),
        (
            "a line each way",
            [long, b"data: a\n\n".repeat(1000)].concat(),
        ),
    ];
    for (name, bytes) in streams {
        for chunk in [1, 7, 1460, 16 << 10, bytes.len()] {
            let mut parser = Parser::new();
            for piece in bytes.chunks(chunk) {
                parser.push(piece);
                while parser.next_event().is_some() {}
            }
            assert!(
                parser.work <= WORK_PER_BYTE * bytes.len(),
                "{name} in pieces of {chunk}: {} for {} bytes",
                parser.work,
                bytes.len(),
            );
        }
        // Also when events are asked for more slowly than bytes come.
        let mut parser = Parser::new();
        for piece in bytes.chunks(1460) {
            parser.push(piece);
            parser.next_event();
        }
        while parser.next_event().is_some() {}
        assert!(
            parser.work <= WORK_PER_BYTE * bytes.len(),
            "{name}, slowly: {}",
            parser.work
        );
    }
}

#[test]
fn as_a_stream() {
    let pieces = ["retry: 1500\nid: 5\nda", "ta: a\r", "\n\r\n", ":k\n"];
    let bytes = stream::iter(pieces.map(Ok::<_, Infallible>));
    let mut events = bytes.eventsource();
    events.set_last_event_id("4");
    assert_eq!(events.last_event_id(), "4");
    let mut next = || futures_util::FutureExt::now_or_never(events.next()).unwrap();
    let event = next().unwrap().unwrap();
    assert_eq!((event.data.as_str(), event.id.as_str()), ("a", "5"));
    assert_eq!(event.retry, Some(Duration::from_millis(1500)));
    assert_eq!(next().unwrap().unwrap().event, CONTROL_COMMENT);
    assert_eq!(next(), None);
    assert_eq!(next(), None);
}

#[test]
fn a_stream_keeps_the_earlier_id_and_passes_on_failures() {
    let bytes = stream::iter([Ok("data: a\n\n"), Err("reset"), Ok("data: b\n\n")]);
    let mut events = bytes.eventsource();
    events.set_last_event_id("4");
    let all: Vec<_> = futures_util::FutureExt::now_or_never(events.by_ref().collect()).unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(show(all[0].as_ref().unwrap()), "message|a|4|");
    assert_eq!(all[1], Err(EventStreamError::Transport("reset")));
    assert_eq!(
        all[1].as_ref().unwrap_err().to_string(),
        "the event stream broke off: reset"
    );
    assert_eq!(show(all[2].as_ref().unwrap()), "message|b|4|");
}

/// Bytes that look like an event stream often enough to reach every branch.
fn likely_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"data".to_vec()),
        Just(b"data: ".to_vec()),
        Just(b"id:".to_vec()),
        Just(b"retry: 20".to_vec()),
        Just(b"event:".to_vec()),
        Just(b":".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\xf0\x9f".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_split_is_one_piece(
        bytes in prop_oneof![likely_bytes(), proptest::collection::vec(any::<u8>(), 0..300)],
        sizes in proptest::collection::vec(0_usize..20, 1..20),
    ) {
        let mut rest = &bytes[..];
        let mut chunks = Vec::new();
        for size in sizes {
            let (chunk, next) = rest.split_at(size.min(rest.len()));
            chunks.push(chunk);
            rest = next;
        }
        chunks.push(rest);
        let whole = parse([&bytes[..]]);
        prop_assert_eq!(&parse(chunks), &whole);
        prop_assert_eq!(&parse(bytes.chunks(1)), &whole);
        for event in &whole {
            prop_assert!(event.id.len() <= MAX_ID && !event.id.contains('\n'));
            prop_assert!(event.retry.is_none_or(|retry| (MIN_RETRY..=MAX_RETRY).contains(&retry)));
        }
    }
}
