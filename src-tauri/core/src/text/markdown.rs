//! Markdown (`CommonMark` with tables and strikethrough) as sanitised HTML, or as plain text.

use super::{allowed_link, escape_markup, neutralise};
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Quotes, lists and emphasis in each other are shown to this depth, their text to any: the sanitiser's time grows
/// with the square of the depth.
const DEPTH: usize = 16;

/// Text above this, in bytes, is not read as markdown: the sanitiser's time grows with the square of the
/// number of some characters.
const LONGEST: usize = 64 * 1024;

const TAGS: [&str; 25] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// The second wall: whatever the first one let through, only this gets out.
static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::empty();
    builder
        .tags(HashSet::from(TAGS))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"));
    builder
});

fn events(markdown: &str) -> impl Iterator<Item = Event<'_>> {
    Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    )
}

/// HTML that may be put into a page as it is: neutralised; HTML in the text is shown, not obeyed; an image is a
/// link with its description; links lead to http, https and mailto only, and know no opener. A very long text
/// is shown as it was written.
pub fn markdown_html(markdown: &str) -> String {
    let markdown = neutralise(markdown);
    if markdown.len() > LONGEST {
        return format!("<pre>{}</pre>\n", escape_markup(&markdown));
    }
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    let mut walls = Walls::default();
    html::push_html(
        &mut unsafe_html,
        events(&markdown).flat_map(|event| walls.pass(event)),
    );
    SANITISER.clean(&unsafe_html).to_string()
}

/// Where the links of [`markdown_html`] lead, in order: exactly those that can be clicked.
pub fn markdown_links(markdown: &str) -> Vec<String> {
    // In sanitised text there is no other "<", and no other quote in an attribute.
    markdown_html(markdown)
        .split("<a href=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(link, _)| link.replace("&nbsp;", "\u{a0}").replace("&amp;", "&"))
        .collect()
}

/// The first wall, event by event.
#[derive(Default)]
struct Walls {
    /// For each open link or image: whether it was opened.
    links: Vec<bool>,
    /// Those of them that are open, shown or not.
    depth: usize,
}

impl Walls {
    fn pass<'a>(&mut self, event: Event<'a>) -> Vec<Event<'a>> {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
            Event::Start(Tag::HtmlBlock) => vec![Event::Start(Tag::Paragraph)],
            Event::End(TagEnd::HtmlBlock) => vec![Event::End(TagEnd::Paragraph)],
            Event::Start(Tag::Link { dest_url, .. }) => self.open(&dest_url, false),
            Event::Start(Tag::Image { dest_url, .. }) => self.open(&dest_url, true),
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if self.links.pop() == Some(true) {
                    vec![Event::End(TagEnd::Link)]
                } else {
                    Vec::new()
                }
            }
            Event::Start(ref tag) if nests(tag.to_end()) => {
                self.depth += 1;
                kept(event, self.depth <= DEPTH)
            }
            Event::End(tag) if nests(tag) => {
                self.depth = self.depth.saturating_sub(1);
                kept(event, self.depth < DEPTH)
            }
            event => vec![event],
        }
    }

    /// A link within a link is none, as HTML wants it.
    fn open<'a>(&mut self, to: &str, image: bool) -> Vec<Event<'a>> {
        let link = allowed_link(to).filter(|_| !self.links.contains(&true));
        self.links.push(link.is_some());
        let mut events = Vec::new();
        if let Some(link) = link {
            events.push(Event::Start(Tag::Link {
                link_type: LinkType::Inline,
                dest_url: CowStr::from(link),
                title: CowStr::Borrowed(""),
                id: CowStr::Borrowed(""),
            }));
        }
        if image {
            events.push(Event::Text(CowStr::Borrowed("🖼 ")));
        }
        events
    }
}

/// Whether it may stand within its like, to any depth.
fn nests(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
    )
}

fn kept(event: Event<'_>, keep: bool) -> Vec<Event<'_>> {
    if keep { vec![event] } else { Vec::new() }
}

/// The text without its marks, neutralised, for places that show no markup.
pub fn markdown_text(markdown: &str) -> String {
    let markdown = neutralise(markdown);
    let mut text = String::with_capacity(markdown.len());
    for event in events(&markdown) {
        match event {
            Event::Text(part) | Event::Code(part) | Event::Html(part) | Event::InlineHtml(part) => {
                text.push_str(&part);
            }
            Event::SoftBreak | Event::HardBreak => text.push('\n'),
            Event::Start(Tag::Item) => {
                new_line(&mut text);
                text.push_str("• ");
            }
            Event::End(TagEnd::TableCell) => text.push(' '),
            Event::Rule | Event::End(_) if ends_line(&event) => new_line(&mut text),
            _ => {}
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn ends_line(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Rule
            | Event::End(
                TagEnd::Paragraph
                    | TagEnd::Heading(_)
                    | TagEnd::CodeBlock
                    | TagEnd::HtmlBlock
                    | TagEnd::Item
                    | TagEnd::TableHead
                    | TagEnd::TableRow
            )
    )
}

fn new_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, markdown_html, markdown_links, markdown_text};
    use crate::text::allowed_link;
    use proptest::prelude::*;

    #[test]
    fn markdown_is_shown_as_what_it_means() {
        assert_eq!(
            markdown_html("# Disk\n\n**97 %** `sda1`\n\n- a\n- b\n\n| a |\n|---|\n| ~~b~~ |"),
            "<h1>Disk</h1>\n<p><strong>97 %</strong> <code>sda1</code></p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n\
             <table><thead><tr><th>a</th></tr></thead><tbody>\n<tr><td><del>b</del></td></tr>\n</tbody></table>\n"
        );
    }

    #[test]
    fn links_lead_where_they_may_and_know_no_opener() {
        assert_eq!(
            markdown_html("[a](https://ex.test/?a=1&b=2 \"t\")"),
            "<p><a href=\"https://ex.test/?a=1&amp;b=2\" rel=\"noopener noreferrer\">a</a></p>\n"
        );
        for to in [
            "javascript:alert(1)",
            "file:///x",
            "/x",
            "https://u:p@ex.test/",
            "data:text/html,x",
        ] {
            assert_eq!(markdown_html(&format!("[a]({to})")), "<p>a</p>\n", "{to}");
        }
        assert_eq!(
            markdown_html("<javascript:alert(1)>"),
            "<p>javascript:alert(1)</p>\n"
        );
    }

    #[test]
    fn links_are_those_that_can_be_clicked() {
        assert_eq!(
            markdown_links(
                "[a](https://ex.test/?a=1&b='2'&amp;c=[3]|{4}) <mailto:a@ex.test> ![i](https://ex.test/i.png)\n\n\
                 [![b](https://ex.test/b.svg)](https://ex.test/ci) [x](javascript:1) https://ex.test/bare\n\n\
                 `[c](https://ex.test/code)` \\<a href=\"https://ex.test/html\">"
            )
            .iter()
            .map(|link| allowed_link(link).unwrap())
            .collect::<Vec<_>>(),
            [
                "https://ex.test/?a=1&b=%272%27&c=%5B3%5D%7C%7B4%7D",
                "mailto:a@ex.test",
                "https://ex.test/i.png",
                "https://ex.test/ci",
            ]
        );
    }

    #[test]
    fn images_are_links_to_be_followed_by_choice() {
        assert_eq!(
            markdown_html("![a *cat*](https://ex.test/c.png)"),
            "<p><a href=\"https://ex.test/c.png\" rel=\"noopener noreferrer\">🖼 a <em>cat</em></a></p>\n"
        );
        assert_eq!(
            markdown_html("[![badge](https://ex.test/b.svg)](https://ex.test/ci)"),
            "<p><a href=\"https://ex.test/ci\" rel=\"noopener noreferrer\">🖼 badge</a></p>\n"
        );
        assert_eq!(
            markdown_html("![x](data:image/png;base64,AA)"),
            "<p>🖼 x</p>\n"
        );
    }

    #[test]
    fn html_is_shown_not_obeyed() {
        for html in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<svg><style><img src=x onerror=alert(1)>",
            "<iframe src=\"https://ex.test\"></iframe>",
            "<a href=\"https://ex.test\" onclick=x>a</a>",
            "<!-- x --><b>",
        ] {
            let shown = markdown_html(html);
            let bare = shown.replace("<p>", "").replace("</p>", "");
            assert!(!bare.contains('<'), "{html} became {shown}");
            assert!(shown.contains("&lt;"), "{html} became {shown}");
        }
    }

    #[test]
    fn depth_has_an_end_but_text_has_not() {
        let deep = format!("{} bottom", ">".repeat(10_000));
        let html = markdown_html(&deep);
        assert!(html.contains("bottom"));
        assert_eq!(html.matches("<blockquote>").count(), super::DEPTH);
        assert_eq!(html.matches("</blockquote>").count(), super::DEPTH);
        let html = markdown_html(&format!(
            "{}bottom{}",
            "*a ".repeat(1000),
            " a*".repeat(1000)
        ));
        assert!(html.contains("bottom") && html.matches("<em>").count() <= super::DEPTH);
    }

    #[test]
    fn a_very_long_text_is_shown_as_it_was_written() {
        let long = "*a* & <b>\n".repeat(LONGEST / 10 + 1);
        let html = markdown_html(&long);
        assert!(html.starts_with("<pre>*a* &amp; &lt;b&gt;\n*a*") && html.ends_with("</pre>\n"));
        assert_eq!(html.matches("*a*").count(), long.matches("*a*").count());
        let fits = &long[..LONGEST];
        assert!(markdown_html(fits).starts_with("<p><em>a</em>"));
    }

    #[test]
    fn text_has_no_marks() {
        assert_eq!(
            markdown_text(
                "# Disk\n\n**97 %** of `sda1`\nfull, [see](https://ex.test)\n\n- a\n- b\n\n![cat](c.png) <b>x</b>"
            ),
            "Disk\n97 % of sda1\nfull, see\n• a\n• b\ncat <b>x</b>"
        );
        assert_eq!(
            markdown_text("| a | b |\n|---|---|\n| c | d |"),
            "a b \nc d"
        );
        assert_eq!(markdown_text("a\u{202e}b"), "ab");
    }

    proptest! {
        /// Whatever comes in, what comes out is its own sanitised self, without a way to load or run.
        #[test]
        fn no_markdown_gets_through_the_walls(
            text in "([\\[\\]()!<>\"'*_`~#&;:/\\\\ \n\t|-]|script|img|onerror=|javascript:|https://ex.test|data:|svg|style|\\PC){0,40}"
        ) {
            let html = markdown_html(&text);
            prop_assert_eq!(super::SANITISER.clean(&html).to_string(), html.clone());
            for tag in ["<script", "<img", "<svg", "<style", "<iframe", "<input", "<object", "href=\"javascript", "href=\"data"] {
                prop_assert!(!html.contains(tag), "{}", html);
            }
            markdown_text(&text);
            for link in markdown_links(&text) {
                prop_assert!(allowed_link(&link).is_some(), "{}", link);
            }
        }
    }
}
