//! Control characters, direction tricks, invisible floods and piled-up marks.

use std::iter;

/// Combining marks kept on one letter. Vietnamese needs two, Hebrew with its accents four.
const MARKS: usize = 4;
/// Invisible characters kept in a row. Emoji sequences and Persian need one.
const INVISIBLE: usize = 2;
/// Characters of a flag written with tags (Unicode emoji, "emoji tag sequence") kept in a row.
const TAG_CHARACTERS: usize = 8;

/// Safe to be put beside other text: line ends are `\n`; control characters but `\n` and `\t` show as �;
/// characters that turn the writing direction of what follows (U+202A–202E, U+2066–2069) are taken out;
/// of a row of invisible characters or of marks piled on a letter only the first few stay.
pub fn neutralise(text: &str) -> String {
    neutral(text).collect()
}

/// The text in one line of at most `max_chars` characters, neutralised; white space is one blank, and a
/// "…" says that there was more.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut blank = false;
    for c in neutral(text) {
        if c.is_whitespace() {
            blank = length > 0;
            continue;
        }
        let needed = 1 + usize::from(blank);
        if length + needed > max_chars {
            if max_chars == 0 {
                return String::new();
            }
            let kept: String = line.chars().take(max_chars - 1).collect();
            return format!("{}…", kept.trim_end());
        }
        if blank {
            line.push(' ');
            blank = false;
        }
        line.push(c);
        length += needed;
    }
    line
}

/// At most `max_bytes` bytes of the text, cut between characters; where something was cut, and there is
/// room for it, "…" is the last character.
pub fn cut(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let mark = if max_bytes >= '…'.len_utf8() {
        "…"
    } else {
        ""
    };
    let end = text.floor_char_boundary(max_bytes - mark.len());
    format!("{}{mark}", &text[..end])
}

fn neutral(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut chars = text.chars().peekable();
    let mut marks = 0;
    let mut invisible = 0;
    let mut tags = 0;
    iter::from_fn(move || {
        loop {
            let c = match chars.next()? {
                '\r' => {
                    if chars.peek() == Some(&'\n') {
                        continue;
                    }
                    '\n'
                }
                '\u{2028}' | '\u{2029}' => '\n',
                c => c,
            };
            if is_direction(c) {
                continue;
            }
            let (row, most) = if is_mark(c) {
                (&mut marks, MARKS)
            } else if is_invisible(c) {
                (&mut invisible, INVISIBLE)
            } else if is_tag_character(c) {
                (&mut tags, TAG_CHARACTERS)
            } else {
                (marks, invisible, tags) = (0, 0, 0);
                let shown = !c.is_control() || matches!(c, '\n' | '\t');
                return Some(if shown {
                    c
                } else {
                    char::REPLACEMENT_CHARACTER
                });
            };
            *row += 1;
            if *row <= most {
                return Some(c);
            }
        }
    })
}

/// Embeddings, overrides and isolates (Unicode Standard Annex 9).
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c) && !is_invisible(c)
}

/// Characters without a shape of their own: joiners, direction marks, fillers, variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

fn is_tag_character(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{INVISIBLE, MARKS, cut, is_direction, is_invisible, is_mark, neutralise, one_line};
    use proptest::prelude::*;

    #[test]
    fn controls_show_and_line_ends_are_one_kind() {
        assert_eq!(neutralise("a\0b\u{1b}[31mc\u{85}d"), "a�b�[31mc�d");
        assert_eq!(neutralise("a\r\nb\rc\td\u{2028}e"), "a\nb\nc\td\ne");
    }

    #[test]
    fn nothing_turns_the_direction_of_what_follows() {
        assert_eq!(
            neutralise("invoice\u{202e}fdp.exe\u{2066}x\u{2069}"),
            "invoicefdp.exex"
        );
    }

    #[test]
    fn real_writing_stays_as_it_is() {
        for text in [
            "Phở bò, Tiếng Việt", // composed
            "Pho\u{31b}\u{309} ie\u{302}\u{301}",
            "שָׁ֖לוֹם",
            "می\u{200c}خواهم",
            "क्षत्रिय",
            "ที่นี่",
            "👩\u{200d}👩\u{200d}👧\u{200d}👦 ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "مرحبا \u{200f}(1)",
        ] {
            assert_eq!(neutralise(text), text);
        }
    }

    #[test]
    fn floods_are_stemmed() {
        let piled = format!("Z{}a", "\u{300}\u{e47}".repeat(500));
        assert_eq!(neutralise(&piled).chars().count(), 2 + MARKS);
        let hidden = format!("a{}b", "\u{200b}\u{2060}\u{feff}".repeat(500));
        assert_eq!(neutralise(&hidden).chars().count(), 2 + INVISIBLE);
        let tags = format!("a{}", "\u{e0041}".repeat(500));
        assert!(neutralise(&tags).chars().count() < 10);
    }

    #[test]
    fn one_line_joins_and_marks_what_is_missing() {
        assert_eq!(one_line("  a\n\n b\tc  ", 10), "a b c");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("abcde fg", 6), "abcde…");
        assert_eq!(one_line("abcd ef", 6), "abcd…");
        assert_eq!(one_line("ab", 1), "…");
        assert_eq!(one_line("ab", 0), "");
        assert_eq!(one_line(" \n ", 5), "");
    }

    #[test]
    fn cut_never_splits_a_character() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abc…");
        assert_eq!(cut("aäöü", 6), "aä…");
        assert_eq!(cut("ääää", 2), "ä");
        assert_eq!(cut("💀💀", 7), "💀…");
        assert_eq!(cut("x", 0), "");
    }

    proptest! {
        #[test]
        fn neutral_text_is_harmless_and_stays_so(text in "(\\PC|[\u{0}-\u{9f}\u{200b}-\u{202f}\u{2060}-\u{206f}\u{300}-\u{36f}\r\n]){0,60}") {
            let neutral = neutralise(&text);
            prop_assert!(neutral.chars().all(|c| !is_direction(c) && (!c.is_control() || c == '\n' || c == '\t')));
            let mut row = 0;
            for c in neutral.chars() {
                row = if is_mark(c) || is_invisible(c) { row + 1 } else { 0 };
                prop_assert!(row <= MARKS + INVISIBLE);
            }
            prop_assert_eq!(neutralise(&neutral), neutral.clone());
            let line = one_line(&text, 20);
            prop_assert!(line.chars().count() <= 20 && !line.contains('\n'));
        }

        #[test]
        fn cut_keeps_its_measure(text in "\\PC{0,30}", most in 0_usize..40) {
            let short = cut(&text, most);
            prop_assert!(short.len() <= most);
            prop_assert!(short == text || text.len() > most);
        }
    }
}
