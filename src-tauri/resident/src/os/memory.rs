//! Memory, for a process that does nothing most of the time: what it took for a moment goes back to the system.
//!
//! The allocator keeps what was freed, and the pages of the program that only its start or a burst needed stay
//! mapped. Both are given back when there is nothing to do; what is needed again comes back by itself.

#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(
        unsafe_code,
        reason = "neither the allocator nor the pages of a program can be spoken to in safe code"
    )
)]

/// Has the allocator keep one heap for all threads, and hand large pieces back as soon as they are free. Only
/// before there is a second thread.
pub fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (parameter, value) in [
        (libc::M_ARENA_MAX, 1),
        (libc::M_MMAP_THRESHOLD, 128 * 1024),
        (libc::M_TRIM_THRESHOLD, 128 * 1024),
    ] {
        // SAFETY: it takes plain numbers, and no other thread allocates yet. A parameter that is not known changes
        // nothing (mallopt(3)).
        unsafe {
            libc::mallopt(parameter, value);
        }
    }
}

/// Gives back what is free or can be read again.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it takes the allocator's own locks and touches only what is free (malloc_trim(3)).
        unsafe {
            libc::malloc_trim(0);
        }
        for (start, length) in linux::own_pages() {
            // SAFETY: the range is of this program's own file, mapped private and never written to, so that what
            // is dropped here is read from the file again when it is next touched (madvise(2), MADV_DONTNEED).
            unsafe {
                libc::madvise(
                    std::ptr::without_provenance_mut(start),
                    length,
                    libc::MADV_DONTNEED,
                );
            }
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linux {
    use std::fs;

    /// Where this program's code and constants are mapped: start and length.
    pub fn own_pages() -> Vec<(usize, usize)> {
        let (Ok(program), Ok(maps)) = (
            fs::read_link("/proc/self/exe"),
            fs::read_to_string("/proc/self/maps"),
        ) else {
            return Vec::new();
        };
        program
            .to_str()
            .map_or_else(Vec::new, |program| pages_of(program, &maps))
    }

    /// Of `/proc/PID/maps`: what is of `program` and was never written to. Code is not, and the first part is not;
    /// other parts that can only be read now were written to when the program was linked at its start.
    pub(super) fn pages_of(program: &str, maps: &str) -> Vec<(usize, usize)> {
        maps.lines()
            .filter_map(|line| {
                // `start-end rights offset device inode   path`
                let mut words = line.split_ascii_whitespace();
                let (start, end) = words.next()?.split_once('-')?;
                let rights = words.next()?;
                let first = u64::from_str_radix(words.next()?, 16).ok()? == 0;
                let path = line.split_once('/').map(|(_, path)| path)?;
                let unwritten = rights == "r-xp" || (rights == "r--p" && first);
                if !unwritten || program.strip_prefix('/') != Some(path) {
                    return None;
                }
                let start = usize::from_str_radix(start, 16).ok()?;
                let end = usize::from_str_radix(end, 16).ok()?;
                Some((start, end.checked_sub(start)?))
            })
            .collect()
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_never_written_to_is_dropped() {
        let maps = "\
55d0c0000000-55d0c0400000 r--p 00000000 fe:00 42    /opt/my tools/tidings
55d0c0400000-55d0c0b00000 r-xp 003ff000 fe:00 42    /opt/my tools/tidings
55d0c0b00000-55d0c0be0000 r--p 00afe000 fe:00 42    /opt/my tools/tidings
55d0c0be0000-55d0c0be8000 rw-p 00bdd000 fe:00 42    /opt/my tools/tidings
55d0c1000000-55d0c10c8000 rw-p 00000000 00:00 0     [heap]
7f0000000000-7f0000026000 r--p 00000000 fe:00 7     /usr/lib/libc.so.6
7f0000026000-7f0000156000 r-xp 00026000 fe:00 7     /usr/lib/libc.so.6
nonsense
";
        let pages = linux::pages_of("/opt/my tools/tidings", maps);
        let whole = [(0x55d0_c000_0000, 0x40_0000), (0x55d0_c040_0000, 0x70_0000)];
        assert_eq!(pages, whole);
        assert_eq!(linux::pages_of("/opt/my tools/tidings (deleted)", maps), []);
    }

    #[test]
    fn the_program_goes_on_after_it_gave_back_its_pages() {
        assert!(!linux::own_pages().is_empty());
        let kept = vec![7_u8; 1 << 20];
        for _ in 0..3 {
            give_back();
        }
        assert!(kept.iter().all(|byte| *byte == 7));
    }
}
