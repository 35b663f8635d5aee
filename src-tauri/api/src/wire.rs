//! The control socket's lines: one JSON object each, bounded, after a versioned hello.

use crate::error::ErrorView;
use crate::event::Event;
use crate::request::{Reply, Request};
use serde::{Deserialize, Serialize};

/// The version of the contract. A client and a resident of different versions refuse each other with
/// words that say which of them to restart.
pub const VERSION: u32 = 1;

/// The longest line either side accepts, in bytes: a page of 500 rows fits with room to spare, and a
/// detail's body and frame are far shorter.
pub const MAX_LINE: usize = 4 * 1024 * 1024;

/// The first line of each side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub tidings: u32,
    /// The program's version.
    pub version: String,
    /// `window`, `cli`, `test`; from the resident: `resident`.
    pub role: String,
}

/// A line from the client, after hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Chosen by the client; comes back with the answer.
    pub id: u64,
    /// What is asked.
    pub request: Request,
}

/// A line from the resident, after hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A call went well.
    Reply {
        /// The call's id.
        id: u64,
        /// The answer.
        reply: Box<Reply>,
    },
    /// A call failed.
    Error {
        /// The call's id.
        id: u64,
        /// Why.
        error: ErrorView,
    },
    /// A hint to a watching client.
    Event {
        /// The hint.
        event: Event,
    },
}

/// Reads one line, without its newline.
///
/// # Errors
/// The stream's own; `InvalidData` where a line is longer than [`MAX_LINE`] or is not UTF-8.
/// `Ok(None)` is the end of the stream.
pub async fn read_line(
    reader: &mut (impl tokio::io::AsyncBufRead + Unpin),
) -> std::io::Result<Option<String>> {
    use std::io::{Error, ErrorKind};
    use tokio::io::AsyncBufReadExt as _;
    let mut line = Vec::new();
    loop {
        let buffered = reader.fill_buf().await?;
        if buffered.is_empty() {
            // A half line at the end was cut off by whatever ended the stream: it says nothing.
            return Ok(None);
        }
        let newline = buffered.iter().position(|&byte| byte == b'\n');
        let taken = newline.unwrap_or(buffered.len());
        if line.len() + taken > MAX_LINE {
            return Err(Error::new(ErrorKind::InvalidData, "line too long"));
        }
        line.extend_from_slice(&buffered[..taken]);
        reader.consume(taken + usize::from(newline.is_some()));
        if newline.is_some() {
            return String::from_utf8(line)
                .map(Some)
                .map_err(|_| Error::new(ErrorKind::InvalidData, "line is not UTF-8"));
        }
    }
}

/// Writes one object as a line and flushes it.
///
/// # Errors
/// The stream's own.
pub async fn write_line(
    writer: &mut (impl tokio::io::AsyncWrite + Unpin),
    value: &impl Serialize,
) -> std::io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let mut line = serde_json::to_vec(value).map_err(std::io::Error::other)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}
