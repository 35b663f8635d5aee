//! How some things are written that several rooms write or read.

use std::fmt::Write as _;

/// Bytes in hexadecimal, in small letters.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether this is a token: what names a header or a method (RFC 9110, 5.6.2).
pub fn is_token(word: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !word.is_empty() && word.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_tokens() {
        assert_eq!(hexadecimal(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
        for (word, is) in [
            ("X-Access", true),
            ("a!#$%&'*+-.^_`|~9", true),
            ("", false),
            ("a b", false),
            ("a:", false),
            ("ä", false),
            ("a\n", false),
        ] {
            assert_eq!(is_token(word), is, "{word}");
        }
    }
}
