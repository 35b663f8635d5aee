//! Source text, cut into what is code, what is said in strings, and what is remarked.

/// A file of the house.
#[derive(Debug)]
pub struct Source {
    /// From the root, with forward slashes.
    pub path: String,
    /// As it is.
    pub text: String,
    /// For Rust: the code with comments and the contents of literals blanked, lines kept, and cut off
    /// where inline tests begin. For everything else, the text.
    pub code: String,
    /// For Rust: the contents of string literals with the number of their first line, outside tests.
    pub strings: Vec<(usize, String)>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let (code, strings) = if ending(path) == "rs" {
            let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
            cut(&text[..tests])
        } else {
            (text.to_owned(), Vec::new())
        };
        Self {
            path: path.replace('\\', "/"),
            text: text.to_owned(),
            code,
            strings,
        }
    }

    /// What comes after the last dot of the name.
    pub fn ending(&self) -> &str {
        ending(&self.path)
    }

    /// Whether the file is only compiled for tests.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/testing/")
            || self.path.contains("/conformance/")
            || self.path.contains(".test.")
    }

    /// Every appearance of `word` in the code as a whole word, with its line and what follows it.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        whole_words(&self.code, word)
    }

    /// What the code takes from the root of its crate: names after `crate::`, and after as many
    /// `super::` as lead there. Groups in braces count as all of their members.
    pub fn rooms(&self) -> Vec<(usize, String)> {
        let mut rooms = Vec::new();
        for (line, rest) in self.words("crate") {
            if let Some(rest) = rest.strip_prefix("::") {
                rooms.extend(first_names(rest).map(|name| (line, name)));
            }
        }
        let depth = self.depth();
        let climb = "super::".repeat(depth);
        if depth > 0 {
            for (line, rest) in self.words("super") {
                // The word that was found is the first step of the climb.
                let Some(rest) = rest.strip_prefix("::") else {
                    continue;
                };
                if let Some(rest) = rest.strip_prefix(&climb["super::".len()..])
                    && !rest.starts_with("super")
                {
                    rooms.extend(first_names(rest).map(|name| (line, name)));
                }
            }
        }
        rooms
    }

    /// How many modules deep the file is in its crate.
    fn depth(&self) -> usize {
        let Some((_, inside)) = self.path.split_once("/src/") else {
            return 0;
        };
        let inside = inside.trim_end_matches(".rs").trim_end_matches("/mod");
        if inside == "lib" || inside == "main" {
            0
        } else {
            inside.split('/').count()
        }
    }
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// Every appearance of `word` as a whole word in `text`, with its line and what follows it.
pub fn whole_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let part_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).filter_map(move |(at, _)| {
        let (before, rest) = (&text[..at], &text[at + word.len()..]);
        let alone = !before.ends_with(part_of_word) && !rest.starts_with(part_of_word);
        alone.then(|| (before.matches('\n').count() + 1, rest))
    })
}

/// The first name of a path, or of each path of a group: `a::b` and `{a::b, c}`.
fn first_names(path: &str) -> impl Iterator<Item = String> {
    let mut names = Vec::new();
    if let Some(group) = path.strip_prefix('{') {
        let mut depth = 0;
        let mut start = 0;
        for (at, letter) in group.char_indices() {
            let end_of_group = letter == '}' && depth == 0;
            if end_of_group || letter == ',' && depth == 0 {
                names.push(name_at(group[start..at].trim()));
                start = at + 1;
            }
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
        }
    } else {
        names.push(name_at(path));
    }
    names.into_iter().filter(|name| !name.is_empty())
}

fn name_at(path: &str) -> String {
    let letters = path.chars();
    letters
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

/// Cuts Rust text into code and strings.
fn cut(text: &str) -> (String, Vec<(usize, String)>) {
    let letters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while at < letters.len() {
        let rest = &letters[at..];
        let kind = kind(rest, at.checked_sub(1).map(|before| letters[before]));
        let length = match kind {
            Kind::Code => 1,
            Kind::Remark | Kind::Letter => kind_length(kind, rest),
            Kind::Text { opening, hashes } => opening + text_length(&rest[opening..], hashes),
        };
        let piece = &rest[..length];
        if let Kind::Text { opening, hashes } = kind {
            let closing = if hashes.is_some() {
                hashes.unwrap_or(0) + 1
            } else {
                1
            };
            let content = &piece[opening..length.saturating_sub(closing).max(opening)];
            strings.push((line, content.iter().collect()));
        }
        for letter in piece {
            line += usize::from(*letter == '\n');
            let kept = kind == Kind::Code || *letter == '\n';
            code.push(if kept { *letter } else { ' ' });
        }
        at += length;
    }
    (code, strings)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Remark,
    /// A character literal.
    Letter,
    /// A string literal: how long its opening is, and the number of its hashes if it is raw.
    Text {
        opening: usize,
        hashes: Option<usize>,
    },
}

fn kind(rest: &[char], before: Option<char>) -> Kind {
    let at = |index: usize| rest.get(index).copied().unwrap_or('\0');
    match at(0) {
        '/' if at(1) == '/' || at(1) == '*' => Kind::Remark,
        '"' => Kind::Text {
            opening: 1,
            hashes: None,
        },
        // `'a'` and `'\n'` are letters, `'a` is a lifetime.
        '\'' if at(1) == '\\' || at(2) == '\'' => Kind::Letter,
        'r' if !before
            .is_some_and(|letter| letter.is_alphanumeric() && letter != 'b' || letter == '_') =>
        {
            let hashes = rest[1..]
                .iter()
                .take_while(|letter| **letter == '#')
                .count();
            if at(1 + hashes) == '"' {
                Kind::Text {
                    opening: hashes + 2,
                    hashes: Some(hashes),
                }
            } else {
                Kind::Code
            }
        }
        _ => Kind::Code,
    }
}

/// How long a comment or a character literal is.
fn kind_length(kind: Kind, rest: &[char]) -> usize {
    if kind == Kind::Letter {
        // After the backslash comes at least one letter, which may be a quote itself.
        let start = if rest[1] == '\\' { 3 } else { 2 };
        let end = rest.iter().skip(start).position(|letter| *letter == '\'');
        return end.map_or(rest.len(), |end| start + end + 1);
    }
    if rest[1] == '/' {
        let end = rest.iter().position(|letter| *letter == '\n');
        return end.unwrap_or(rest.len());
    }
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// How long a string literal is after its opening, its closing included.
fn text_length(rest: &[char], hashes: Option<usize>) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match (rest[at], hashes) {
            ('\\', None) => at += 2,
            ('"', None) => return at + 1,
            ('"', Some(hashes))
                if rest[at + 1..]
                    .iter()
                    .take(hashes)
                    .filter(|l| **l == '#')
                    .count()
                    == hashes =>
            {
                return at + 1 + hashes;
            }
            _ => at += 1,
        }
    }
    rest.len()
}
