//! Lines out of a stream of bytes, in linear time and bounded memory.

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};

/// What a reader found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line without its end (LF or CR LF); malformed UTF-8 replaced.
    Line(String),
    /// A line passed the limit; the rest of it is dropped as it comes.
    TooLong,
    /// The body is complete. Holds what followed the last newline.
    End(String),
}

/// Reads lines. Each byte is looked at once, and only the current line is kept.
pub(super) struct LineReader<S> {
    bytes: S,
    limit: usize,
    /// What was received and not looked at yet.
    chunk: Bytes,
    /// The start of the current line, from earlier chunks.
    partial: Vec<u8>,
    /// The current line is too long.
    skipping: bool,
}

impl<S, E> LineReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    pub(super) fn new(bytes: S, limit: usize) -> Self {
        Self {
            bytes,
            limit,
            chunk: Bytes::new(),
            partial: Vec::new(),
            skipping: false,
        }
    }

    /// The next piece. May be dropped half-way without losing anything.
    pub(super) async fn next(&mut self) -> Result<Piece, E> {
        loop {
            if let Some(piece) = self.take() {
                return Ok(piece);
            }
            match self.bytes.next().await {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(Piece::End(text(std::mem::take(&mut self.partial)))),
            }
        }
    }

    /// The rest of the body, cut at `limit` bytes. May be dropped half-way: what came is kept.
    pub(super) async fn rest(&mut self, limit: usize) -> Result<String, E> {
        loop {
            let room = limit.saturating_sub(self.partial.len());
            let chunk = std::mem::take(&mut self.chunk);
            self.partial
                .extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                break;
            }
            match self.bytes.next().await {
                Some(chunk) => self.chunk = chunk?,
                None => break,
            }
        }
        Ok(self.so_far())
    }

    /// What [`LineReader::rest`] read until it was dropped.
    pub(super) fn so_far(&mut self) -> String {
        let mut bytes = std::mem::take(&mut self.partial);
        // A character cut in two at the limit is dropped, not replaced.
        if let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
        {
            bytes.truncate(error.valid_up_to());
        }
        text(bytes)
    }

    /// The next piece of what is here already.
    fn take(&mut self) -> Option<Piece> {
        while !self.chunk.is_empty() {
            let end = self.chunk.iter().position(|byte| *byte == b'\n');
            let part = self.chunk.split_to(end.unwrap_or(self.chunk.len()));
            if end.is_some() {
                self.chunk.advance(1);
            }
            if self.skipping {
                self.skipping = end.is_none();
                continue;
            }
            // One more for the CR, which does not count.
            if self.partial.len() + part.len() > self.limit + 1 {
                self.partial = Vec::new();
                self.skipping = end.is_none();
                return Some(Piece::TooLong);
            }
            self.partial.extend_from_slice(&part);
            if end.is_some() {
                let mut line = std::mem::take(&mut self.partial);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Some(if line.len() > self.limit {
                    Piece::TooLong
                } else {
                    Piece::Line(text(line))
                });
            }
        }
        None
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, stream};
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn read(chunks: &[&[u8]], limit: usize) -> Vec<Piece> {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk)))
            .collect();
        let mut reader = LineReader::new(stream::iter(chunks), limit);
        let mut pieces = Vec::new();
        loop {
            let piece = reader.next().now_or_never().expect("all is here");
            let piece = piece.expect("no error");
            pieces.push(piece);
            if matches!(pieces.last(), Some(Piece::End(_))) {
                return pieces;
            }
        }
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.to_owned())
    }

    fn end(text: &str) -> Piece {
        Piece::End(text.to_owned())
    }

    #[test]
    fn lines_end_with_lf_or_cr_lf_at_every_split() {
        let bytes =
            "one\r\n\ntwo\rhalf\n\r\nümlaut 🔔\n0123456789\r\n01234567890123\nlast".as_bytes();
        let expected = [
            line("one"),
            line(""),
            line("two\rhalf"),
            line(""),
            line("ümlaut 🔔"),
            line("0123456789"),
            Piece::TooLong,
            end("last"),
        ];
        for one in 0..=bytes.len() {
            for two in one..=bytes.len() {
                let chunks = [&bytes[..one], &bytes[one..two], &bytes[two..]];
                assert_eq!(read(&chunks, 12), expected, "split at {one} and {two}");
            }
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(read(&single, 12), expected);
    }

    #[test]
    fn the_limit_counts_bytes_without_the_end() {
        for (text, piece) in [
            ("1234\n", line("1234")),
            ("1234\r\n", line("1234")),
            ("12345\n", Piece::TooLong),
            ("12345\r\n", Piece::TooLong),
        ] {
            let single: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(read(&[text.as_bytes()], 4), [piece.clone(), end("")]);
            assert_eq!(read(&single, 4), [piece, end("")]);
        }
    }

    #[test]
    fn malformed_bytes_cost_only_themselves() {
        assert_eq!(
            read(&[b"a\xff\xfeb\nnext\n"], 100),
            [line("a\u{fffd}\u{fffd}b"), line("next"), end("")]
        );
    }

    #[test]
    fn a_long_line_is_not_kept() {
        let long = vec![b'x'; 8 << 20];
        let mut reader = LineReader::new(
            stream::iter(
                long.chunks(4096)
                    .chain([b"\nafter\n".as_slice()])
                    .map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk)))
                    .collect::<Vec<_>>(),
            ),
            1 << 20,
        );
        assert_eq!(reader.next().now_or_never(), Some(Ok(Piece::TooLong)));
        assert_eq!(reader.partial.capacity(), 0);
        assert_eq!(reader.next().now_or_never(), Some(Ok(line("after"))));
    }

    #[test]
    fn the_rest_is_cut_at_a_character() {
        for (limit, rest) in [(3, "ab"), (4, "abü"), (100, "abüc\nd"), (0, "")] {
            let chunks = ["ab".as_bytes(), "üc\nd".as_bytes()];
            let chunks = chunks.map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk)));
            let mut reader = LineReader::new(stream::iter(chunks), 100);
            assert_eq!(reader.rest(limit).now_or_never(), Some(Ok(rest.to_owned())));
        }
    }

    proptest! {
        /// However the bytes are cut, the pieces are the same, and no byte sequence panics.
        #[test]
        fn cuts_do_not_matter(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200), cut in 1_usize..20) {
            let whole = read(&[&bytes], 16);
            let cuts: Vec<_> = bytes.chunks(cut).collect();
            prop_assert_eq!(read(&cuts, 16), whole);
        }
    }
}
