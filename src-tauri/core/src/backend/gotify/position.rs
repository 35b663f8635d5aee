//! Where a conversation stands: ids are given by the whole server in rising order, so that one of them marks
//! a place in all applications at once.
//!
//! A server that was set up anew, or brought back from a backup, counts again from a lower id. Its new
//! messages would look like old ones. They show themselves by their date, and from then on belong to the next
//! epoch: their ids here say so, and are those of no earlier message.

use crate::model::Cursor;

/// Versions of an epoch; no server reaches this id.
const EPOCH: i64 = 1 << 48;
/// The last epoch whose versions fit.
const LAST_EPOCH: i64 = (1 << 14) - 1;

/// A place in the order of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// How often the server began anew.
    pub epoch: i64,
    /// The greatest id handed over.
    pub id: i64,
    /// The latest date handed over, in unix seconds by the server's clock; 0 if there was none.
    pub date: i64,
}

impl Position {
    /// Reads a cursor; one that is not ours is none.
    pub(super) fn read(cursor: &Cursor) -> Option<Self> {
        let (rest, epoch) = match cursor.0.split_once('~') {
            Some((rest, epoch)) => (rest, epoch.parse().ok()?),
            None => (cursor.0.as_str(), 0),
        };
        let (id, date) = match rest.split_once('@') {
            Some((id, date)) => (id, date.parse().ok()?),
            None => (rest, 0),
        };
        let id = id.parse().ok()?;
        ((0..EPOCH).contains(&id) && (0..=LAST_EPOCH).contains(&epoch)).then_some(Self {
            epoch,
            id,
            date,
        })
    }

    /// The cursor for it.
    pub(super) fn cursor(self) -> Cursor {
        let Self { epoch, id, date } = self;
        Cursor(match epoch {
            0 => format!("{id}@{date}"),
            epoch => format!("{id}@{date}~{epoch}"),
        })
    }

    /// It comes after the other, whatever their dates.
    pub(super) fn is_after(self, other: Self) -> bool {
        (self.epoch, self.id) > (other.epoch, other.id)
    }

    /// The beginning of the next epoch.
    pub(super) fn anew(self) -> Self {
        Self {
            epoch: (self.epoch + 1).min(LAST_EPOCH),
            id: 0,
            date: self.date,
        }
    }
}

/// Whether a server can have given this id.
pub(super) fn is_id(id: i64) -> bool {
    (1..EPOCH).contains(&id)
}

/// The version of a message.
pub(super) fn version(epoch: i64, id: i64) -> i64 {
    epoch * EPOCH + id
}

/// A message's id here.
pub(super) fn remote_id(epoch: i64, id: i64) -> String {
    match epoch {
        0 => id.to_string(),
        epoch => format!("{id}~{epoch}"),
    }
}

/// The server's id of a message.
pub(super) fn server_id(remote_id: &str) -> Option<i64> {
    let (id, _) = remote_id.split_once('~').unwrap_or((remote_id, ""));
    id.parse().ok().filter(|id| is_id(*id))
}

#[cfg(test)]
mod tests {
    use super::{EPOCH, LAST_EPOCH, Position, remote_id, server_id, version};
    use crate::model::Cursor;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Position> {
        Position::read(&Cursor(text.to_owned()))
    }

    #[test]
    fn cursors_of_others_are_none() {
        for text in [
            "",
            "x",
            "-1",
            "1@",
            "@1",
            "1@x",
            "1~",
            "1~-1",
            "99999999999999999999",
            "1@2~99999",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(
            read("7"),
            Some(Position {
                id: 7,
                ..Position::default()
            })
        );
    }

    #[test]
    fn an_id_is_found_again_in_every_epoch() {
        for epoch in [0, 1, LAST_EPOCH] {
            assert_eq!(server_id(&remote_id(epoch, 25)), Some(25));
        }
        for wrong in ["", "0", "-3", "25/../24", "a", "~1", "1.5"] {
            assert_eq!(server_id(wrong), None, "{wrong}");
        }
        assert!(version(1, 1) > version(0, EPOCH - 1));
        assert!(version(LAST_EPOCH, EPOCH - 1) > 0);
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(epoch in 0..=LAST_EPOCH, id in 0..EPOCH, date in any::<i64>()) {
            let position = Position { epoch, id, date };
            prop_assert_eq!(Position::read(&position.cursor()), Some(position));
        }

        #[test]
        fn any_text_is_survived(text in "\\PC{0,30}|[0-9@~-]{0,30}") {
            read(&text);
            server_id(&text);
        }
    }
}
