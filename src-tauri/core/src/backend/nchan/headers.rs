//! Headers of answers.

use jiff::fmt::rfc2822;

/// A wrong weekday does not make a date unreadable.
static DATES: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);

/// A header's value.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.trim())
}

/// An HTTP date (RFC 9110, 5.6.7) in unix seconds.
pub(super) fn seconds(date: &str) -> Option<i64> {
    Some(DATES.parse_timestamp(date).ok()?.as_second())
}

/// The server's clock.
pub(super) fn date(headers: &[(String, String)]) -> Option<i64> {
    header(headers, "date").and_then(seconds)
}
