//! Sizes in words.

/// Bytes as people say them, in steps of a thousand: `15 MB`, `1.5 GB`.
pub fn size(bytes: u64) -> String {
    const STEPS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1000, "kB"),
    ];
    let Some((step, word)) = STEPS.into_iter().find(|(step, _)| bytes >= *step) else {
        return format!("{bytes} bytes");
    };
    let tenths = bytes / (step / 10);
    if tenths < 100 && !tenths.is_multiple_of(10) {
        format!("{}.{} {word}", tenths / 10, tenths % 10)
    } else {
        format!("{} {word}", tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_said_as_people_say_them() {
        let said = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1 kB"),
            (4096, "4 kB"),
            (1536, "1.5 kB"),
            (15_728_640, "15 MB"),
            (104_857_600, "104 MB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (bytes, says) in said {
            assert_eq!(size(bytes), says);
        }
    }
}
