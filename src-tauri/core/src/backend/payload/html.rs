//! The text of an HTML fragment. What comes out is plain text and is shown as such.

/// The text, with lines where paragraphs, items and breaks are. Scripts and styles are left out.
pub(super) fn text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find(['<', '&']) {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        rest = if rest.starts_with('<') {
            tag(rest, &mut text)
        } else {
            entity(rest, &mut text)
        };
    }
    text.push_str(rest);
    text.truncate(text.trim_end().len());
    text.trim_start().to_owned()
}

/// Reads over a tag, or takes the sign as it stands.
fn tag<'a>(rest: &'a str, text: &mut String) -> &'a str {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment
            .find("-->")
            .map_or("", |end| &comment[end + "-->".len()..]);
    }
    let inner = &rest[1..];
    let is_tag = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    let Some(end) = inner.find('>').filter(|_| is_tag) else {
        text.push('<');
        return inner;
    };
    let after = &inner[end + 1..];
    let closes = inner.starts_with('/');
    let name: String = inner
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .take(16)
        .collect::<String>()
        .to_ascii_lowercase();
    match name.as_str() {
        "script" | "style" if !closes => return hidden(after, &name),
        "br" => text.push('\n'),
        "p" | "div" | "li" | "tr" | "blockquote" | "pre" | "h1" | "h2" | "h3" | "h4" | "h5"
        | "h6"
            if !text.is_empty() && !text.ends_with('\n') =>
        {
            text.push('\n');
        }
        _ => {}
    }
    after
}

/// What is behind the element's end.
fn hidden<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut at = 0;
    while let Some(found) = rest[at..].find("</") {
        at += found + "</".len();
        let is_end = rest
            .get(at..at + name.len())
            .is_some_and(|end| end.eq_ignore_ascii_case(name));
        if is_end {
            return rest[at..].find('>').map_or("", |end| &rest[at + end + 1..]);
        }
    }
    ""
}

/// A character reference, or the sign as it stands.
fn entity<'a>(rest: &'a str, text: &mut String) -> &'a str {
    let end = rest.bytes().take(12).position(|byte| byte == b';');
    let decoded = end.and_then(|end| {
        let c = match &rest[1..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            number => {
                let digits = number.strip_prefix('#')?;
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                char::from_u32(code).filter(|c| *c != '\0')?
            }
        };
        Some((c, end))
    });
    if let Some((c, end)) = decoded {
        text.push(c);
        &rest[end + 1..]
    } else {
        text.push('&');
        &rest[1..]
    }
}
