//! Text that strangers wrote, made fit to be shown. Pure; knows nothing of the rest. What is stored stays
//! as it came; everything here is for display, or a check of what may be opened.

mod emoji;
mod link;
mod markdown;
mod neutral;
mod size;

pub use emoji::emoji;
pub use link::{allowed_link, plain_links};
pub use markdown::{markdown_html, markdown_links, markdown_text};
pub use neutral::{cut, neutralise, one_line};
pub use size::size;

/// Escaped for notification daemons that read markup in bodies (Desktop Notifications
/// Specification, "Markup"): the five characters that XML knows.
pub fn escape_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape_markup;

    #[test]
    fn markup_in_a_body_is_only_text() {
        assert_eq!(
            escape_markup("<b>\"R&D\"</b> 'x'"),
            "&lt;b&gt;&quot;R&amp;D&quot;&lt;/b&gt; &#39;x&#39;"
        );
    }
}
