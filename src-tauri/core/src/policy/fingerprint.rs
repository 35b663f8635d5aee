//! The same thing, said by whomever.

use crate::model::Draft;
use sha2::{Digest, Sha256};

/// So much of a body counts, bytes.
const BODY: usize = 8 * 1024;

/// Equal for notifications that say the same: type, title, body and link. Whose they are, how they came, their
/// priority and time do not count. It never changes between versions of this program; 0 where there is nothing
/// to compare.
pub fn fingerprint(draft: &Draft) -> i64 {
    if draft.title.is_empty() && draft.body.is_empty() {
        return 0;
    }
    let body = &draft.body[..draft.body.floor_char_boundary(BODY)];
    let mut hash = Sha256::new();
    for part in [
        draft.kind.as_str(),
        &draft.title,
        body,
        draft.url.as_deref().unwrap_or_default(),
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut start = [0; 8];
    start.copy_from_slice(&hash.finalize()[..8]);
    (i64::from_le_bytes(start) & i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::notification;
    use jiff::Timestamp;

    #[test]
    fn what_is_said_counts_and_nothing_else() {
        let draft = notification(Timestamp::UNIX_EPOCH).draft;
        let same = Draft {
            remote_id: "other".to_owned(),
            priority: 5,
            raw: "{}".to_owned(),
            ..draft.clone()
        };
        assert_eq!(fingerprint(&draft), fingerprint(&same));
        assert!(fingerprint(&draft) > 0);
        for change in [
            |draft: &mut Draft| draft.kind.push('x'),
            |draft: &mut Draft| draft.title.push('x'),
            |draft: &mut Draft| draft.body.push('x'),
            |draft: &mut Draft| draft.url = Some("https://ex.test/".to_owned()),
            // The same letters in another place.
            |draft: &mut Draft| draft.kind = draft.title.split_off(4),
        ] {
            let mut other = draft.clone();
            change(&mut other);
            assert_ne!(fingerprint(&draft), fingerprint(&other));
        }
    }

    #[test]
    fn nothing_is_not_the_same_as_nothing() {
        let mut draft = notification(Timestamp::UNIX_EPOCH).draft;
        draft.title.clear();
        draft.body.clear();
        assert_eq!(fingerprint(&draft), 0);
    }
}
