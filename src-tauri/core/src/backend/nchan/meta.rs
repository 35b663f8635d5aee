//! Frames of the WebSocket subprotocol `ws+meta.nchan` (Nchan README, "Websocket"): lines about the message, a
//! blank line, the message.

/// The subprotocol.
pub(super) const SUBPROTOCOL: &str = "ws+meta.nchan";

/// A frame, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Framed<'a> {
    /// The message's id.
    pub id: &'a str,
    /// Its content type; empty where it has none.
    pub content_type: &'a str,
    /// The message.
    pub text: &'a str,
}

/// Reads a frame; none if it has no id.
pub(super) fn read(frame: &str) -> Option<Framed<'_>> {
    let mut framed = Framed {
        id: "",
        content_type: "",
        text: "",
    };
    let mut rest = frame;
    loop {
        let (line, after) = rest.split_once('\n')?;
        rest = after;
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            framed.text = rest;
            return (!framed.id.is_empty()).then_some(framed);
        }
        // What newer servers tell besides is passed over.
        let (name, value) = line.split_once(':')?;
        match name {
            "id" => framed.id = value.trim(),
            "content-type" => framed.content_type = value.trim(),
            _ => {}
        }
    }
}
