//! Short codes of emoji.

/// The emoji of a tag, if the tag is a short code as GitHub and ntfy write them (`warning`,
/// `white_check_mark`); none for every other tag.
pub fn emoji(tag: &str) -> Option<&'static str> {
    emojis::get_by_shortcode(tag).map(emojis::Emoji::as_str)
}

#[cfg(test)]
mod tests {
    use super::emoji;

    #[test]
    fn the_short_codes_of_the_ntfy_documentation_are_known() {
        for (tag, shown) in [
            ("warning", "⚠️"),
            ("skull", "💀"),
            ("tada", "🎉"),
            ("white_check_mark", "✅"),
            ("rotating_light", "🚨"),
            ("heavy_check_mark", "✔️"),
            ("no_entry", "⛔"),
            ("loudspeaker", "📢"),
            ("triangular_flag_on_post", "🚩"),
            ("partying_face", "🥳"),
            ("computer", "💻"),
            ("+1", "👍"),
            ("-1", "👎"),
            ("facepalm", "🤦"),
            ("cd", "💿"),
        ] {
            assert_eq!(emoji(tag), Some(shown), "{tag}");
        }
    }

    #[test]
    fn other_tags_are_not() {
        for tag in ["", "backup", "nas-01", ":warning:", "WARNING", "⚠️"] {
            assert_eq!(emoji(tag), None, "{tag}");
        }
    }
}
