//! INI as Qt's settings write it: sections, `name=value`, values in quotes with escapes where they need it
//! (`QSettings::IniFormat`).

/// All values, as section, name and value, in order.
pub(super) fn read(text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        if let Some((name, written)) = line.split_once('=') {
            let name = name.trim().replace('\\', "/");
            found.push((section.clone(), name, value(written.trim())));
        }
    }
    found
}

/// A value without quotes and escapes.
fn value(written: &str) -> String {
    let bare = written
        .strip_prefix('"')
        .and_then(|it| it.strip_suffix('"'))
        .unwrap_or(written);
    let bytes = bare
        .strip_prefix("@ByteArray(")
        .and_then(|it| it.strip_suffix(')'));
    let mut plain = String::new();
    let mut letters = bytes.unwrap_or(bare).chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('x') => {
                let mut code = 0;
                while let Some(digit) = letters.peek().and_then(|it| it.to_digit(16)) {
                    code = code * 16 + digit;
                    letters.next();
                    if code > 0xff_ffff {
                        break;
                    }
                }
                plain.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}
