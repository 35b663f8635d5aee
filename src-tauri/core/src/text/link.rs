//! What a click may open.

use url::Url;

/// The longest URL, in bytes.
const LONGEST: usize = 2048;
/// Parts of a message that a mailto link may fill in (RFC 6068). Others, such as `attach`, make some mail
/// programs pick up files.
const MAIL_PARTS: [&str; 5] = ["to", "cc", "bcc", "subject", "body"];

/// The link in its normal form, if it may be opened: http, https or mailto, no user info, no control
/// characters, at most 2 KiB.
pub fn allowed_link(link: &str) -> Option<String> {
    let link = link.trim_matches(' ');
    // The parser drops tabs and newlines and goes on; a link that holds some was made to mislead.
    if link.len() > LONGEST || link.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(link).ok()?;
    let allowed = match url.scheme() {
        "http" | "https" => {
            url.host().is_some() && url.username().is_empty() && url.password().is_none()
        }
        "mailto" => url.query_pairs().all(|(name, _)| {
            MAIL_PARTS
                .iter()
                .any(|part| name.eq_ignore_ascii_case(part))
        }),
        _ => false,
    };
    (allowed && url.as_str().len() <= LONGEST).then(|| url.into())
}

/// The web addresses in a plain text that may be opened, as they are written there, in order. Each begins at
/// `http://` or `https://` that follows no letter or number, and ends before white space, `<`, `>`, `"` or
/// `` ` ``; punctuation at its end is the sentence's, and so is a bracket that it did not open.
/// `tests/text/links.json` has cases; the windows mark the same ones.
pub fn plain_links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("://") {
        let colon = at + found;
        at = colon + "://".len();
        let Some(start) = scheme_start(&text[..colon]) else {
            continue;
        };
        let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`');
        let end = text[at..].find(ends).map_or(text.len(), |end| at + end);
        let link = without_tail(&text[start..end]);
        if link.len() > at - start && allowed_link(link).is_some() {
            links.push(link);
        }
        at = end;
    }
    links
}

/// Where the web scheme at the end of this begins, if one is there by itself.
fn scheme_start(before: &str) -> Option<usize> {
    ["https", "http"].iter().find_map(|scheme| {
        let start = before.len().checked_sub(scheme.len())?;
        let is = before.is_char_boundary(start) && before[start..].eq_ignore_ascii_case(scheme);
        let alone = !before
            .get(..start)?
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        (is && alone).then_some(start)
    })
}

fn without_tail(link: &str) -> &str {
    let mut link = link;
    while let Some(last) = link.chars().next_back() {
        let opens = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' => None,
            ')' => Some('('),
            ']' => Some('['),
            '}' => Some('{'),
            _ => break,
        };
        let count = |wanted: char| link.chars().filter(|c| *c == wanted).count();
        if opens.is_some_and(|opens| count(last) <= count(opens)) {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    link
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, allowed_link, plain_links};
    use proptest::prelude::*;
    use serde::Deserialize;

    #[test]
    fn web_and_mail_links_pass() {
        for (link, normal) in [
            ("https://ex.test/1", "https://ex.test/1"),
            ("HTTP://Ex.Test", "http://ex.test/"),
            (" https://ex.test/a b ", "https://ex.test/a%20b"),
            ("https://bücher.test/", "https://xn--bcher-kva.test/"),
            ("mailto:a@ex.test?subject=hi", "mailto:a@ex.test?subject=hi"),
        ] {
            assert_eq!(allowed_link(link).as_deref(), Some(normal), "{link}");
        }
    }

    #[test]
    fn everything_else_does_not() {
        for link in [
            "",
            "ex.test",
            "/etc/passwd",
            "//ex.test/",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "vbscript:x",
            "ntfy://ex.test/t",
            "geo:1,2",
            "smb://ex.test/x",
            "https://user@ex.test/",
            "https://user:word@ex.test/",
            "https://ex.test/\u{0}",
            "https://ex.test/\n--flag",
            "https://ex.test/\u{7f}",
            "https://",
            "mailto:a@ex.test?attach=/etc/passwd",
            "mailto:a@ex.test?subject=x&ATTACHMENT=/etc/passwd",
            "-https://ex.test",
        ] {
            assert_eq!(allowed_link(link), None, "{link:?}");
        }
    }

    #[test]
    fn a_link_is_measured_before_and_after_it_is_made_normal() {
        let fits = format!("https://ex.test/{}", "a".repeat(LONGEST - 16));
        assert_eq!(allowed_link(&fits).as_deref(), Some(fits.as_str()));
        assert_eq!(allowed_link(&format!("{fits}a")), None);
        assert_eq!(
            allowed_link(&format!("https://ex.test/{}", "ü".repeat(500))),
            None
        );
    }

    #[derive(Deserialize)]
    struct Case {
        text: String,
        links: Vec<String>,
    }

    #[test]
    fn addresses_in_plain_text_are_found() {
        let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/text/links.json");
        let cases: Vec<Case> =
            serde_json::from_str(&std::fs::read_to_string(table).unwrap()).unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            assert_eq!(plain_links(&case.text), case.links, "{:?}", case.text);
        }
    }

    proptest! {
        #[test]
        fn addresses_are_of_the_text_and_may_be_opened(
            text in "(https?://|://|ex.test|[(\\[.,)\\] <>\"`/é]|\\PC){0,20}"
        ) {
            let mut rest = text.as_str();
            for link in plain_links(&text) {
                prop_assert!(allowed_link(link).is_some());
                let (_, after) = rest.split_once(link).unwrap();
                rest = after;
            }
        }

        #[test]
        fn what_passes_is_short_printable_and_of_three_schemes(link in "\\PC{0,4}|(https?|mailto|javascript|file):[/]{0,3}.{0,40}") {
            if let Some(normal) = allowed_link(&link) {
                prop_assert!(normal.len() <= LONGEST);
                prop_assert!(normal.is_ascii() && !normal.chars().any(char::is_control));
                prop_assert!(["http://", "https://", "mailto:"].iter().any(|s| normal.starts_with(s)));
                prop_assert_eq!(allowed_link(&normal), Some(normal.clone()));
            }
        }
    }
}
