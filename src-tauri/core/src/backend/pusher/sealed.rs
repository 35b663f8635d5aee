//! Encrypted channels: each event's data is a `NaCl` secretbox (XSalsa20-Poly1305) under a key that comes with the
//! channel's signature.

use super::frame;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use std::fmt;

/// A channel's key. Printing it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// From base64, as it comes; none if it is no such key.
    pub(super) fn read(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The text inside, if it was sealed with this key and nobody changed it.
    pub(super) fn open(&self, data: &str) -> Option<String> {
        let members = frame::object(data);
        let part = |name| STANDARD.decode(frame::text(&members, name)).ok();
        let nonce: [u8; 24] = part("nonce")?.try_into().ok()?;
        let opened = XSalsa20Poly1305::new(Key::from_slice(&self.0))
            .decrypt(Nonce::from_slice(&nonce), part("ciphertext")?.as_slice())
            .ok()?;
        let text = String::from_utf8(opened).ok()?;
        // What was encrypted is the data as it would have been sent: perhaps a text in a JSON string.
        Some(serde_json::from_str(&text).unwrap_or(text))
    }
}
