//! Small texts of the protocol: durations, priorities, encoded words.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A duration such as `1h30m`, `30 min`, `2 days`. `None` if it is none, or beyond a thousand years.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match rest[..letters].to_ascii_lowercase().as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = rest[letters..].trim_start();
    }
    (seconds < 31_557_600_000).then_some(Duration::from_secs(seconds))
}

/// A priority by number or name. `Some(0)` for what says nothing, `None` for nonsense.
pub(crate) fn priority(text: &str) -> Option<u8> {
    let text = text.trim().to_ascii_lowercase();
    Some(match text.as_str() {
        "" => 0,
        "1" | "min" => 1,
        "2" | "low" => 2,
        "3" | "default" => 3,
        "4" | "high" => 4,
        "5" | "max" | "urgent" => 5,
        // The Priority header of HTTP itself (RFC 9218), which browsers send.
        _ if text.starts_with("u=") || text == "i" || text.starts_with("i,") => 0,
        _ => return None,
    })
}

/// Whether a parameter says yes.
pub(crate) fn is_yes(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "1" | "yes" | "true")
}

/// A comma list without empty items.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Decodes encoded words (RFC 2047) in a header; what is not one stays as it is.
pub(crate) fn encoded_words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, candidate) = rest.split_at(start);
        let Some((word, length)) = encoded_word(candidate) else {
            out.push_str(before);
            out.push_str("=?");
            rest = &candidate[2..];
            after_word = false;
            continue;
        };
        // White space between two encoded words is not part of the text (section 6.2).
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&word);
        rest = &candidate[length..];
        after_word = true;
    }
    out.push_str(rest);
    out
}

/// The encoded word at the start of `text`, and its length.
fn encoded_word(text: &str) -> Option<(String, usize)> {
    let mut parts = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (content, _) = rest.split_once("?=")?;
    if content.contains(' ') {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(content).ok()?,
        "Q" | "q" => quoted(content)?,
        _ => return None,
    };
    let word = match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    let length = "=?".len() + charset.len() + 1 + encoding.len() + 1 + content.len() + "?=".len();
    Some((word, length))
}

/// The Q encoding (RFC 2047, section 4.2).
fn quoted(content: &str) -> Option<Vec<u8>> {
    let mut bytes = content.bytes();
    let mut out = Vec::with_capacity(content.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("10s", Some(10)),
            ("30 min", Some(1800)),
            ("1h30m", Some(5400)),
            ("2 Days", Some(172_800)),
            ("1 hour 1 second", Some(3601)),
            ("0s", Some(0)),
            ("", None),
            ("10", None),
            ("h", None),
            ("-1h", None),
            ("1.5h", None),
            ("1 fortnight", None),
            ("99999999999999999999h", None),
            ("9999999999999999h", None),
            ("1h ü", None),
        ] {
            assert_eq!(
                duration(text).map(|length| length.as_secs()),
                seconds,
                "{text}"
            );
        }
    }

    #[test]
    fn priorities() {
        for (text, expected) in [
            ("", Some(0)),
            ("5", Some(5)),
            ("Urgent", Some(5)),
            ("max", Some(5)),
            ("min", Some(1)),
            ("u=1, i", Some(0)),
            ("0", None),
            ("6", None),
            ("highest", None),
        ] {
            assert_eq!(priority(text), expected, "{text}");
        }
    }

    #[test]
    fn words() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=?utf-8?q?Hello_W=C3=B6rld?=", "Hello Wörld"),
            ("=?UTF-8?B?8J+RjQ==?=", "👍"),
            ("=?UTF-8?B?8J+RjQ==?= =?utf-8?Q?_a?=", "👍 a"),
            ("a =?utf-8?q?b?= c", "a b c"),
            ("=?iso-8859-1?Q?=E4?=", "ä"),
            ("=?koi8-r?Q?=E4?=", "=?koi8-r?Q?=E4?="),
            ("=?utf-8?q?=ZZ?=", "=?utf-8?q?=ZZ?="),
            ("=?utf-8?q?=FF?=", "=?utf-8?q?=FF?="),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?open", "=?utf-8?q?open"),
            ("=?=?utf-8?q?a?=", "=?a"),
            ("2 =? 3", "2 =? 3"),
        ] {
            assert_eq!(encoded_words(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[=?utf8bqQ_ é0-9A-F-]{0,40}|.{0,40}") {
            encoded_words(&text);
            duration(&text);
            priority(&text);
        }
    }
}
