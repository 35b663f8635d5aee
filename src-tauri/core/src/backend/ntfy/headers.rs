//! Headers of answers.

use jiff::fmt::rfc2822;

/// A header's value.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.trim())
}

/// A page of a portal says that it is HTML; an answer that does not say what it is may be a proxy's doing.
pub(super) fn is_json(headers: &[(String, String)]) -> bool {
    header(headers, "content-type").is_none_or(|media_type| media_type.contains("json"))
}

/// An HTTP date (RFC 9110, 5.6.7) in unix seconds.
pub(super) fn seconds(date: &str) -> Option<i64> {
    let parser = rfc2822::DateTimeParser::new();
    let at = parser.parse_timestamp(date).ok()?;
    Some(at.as_second())
}
