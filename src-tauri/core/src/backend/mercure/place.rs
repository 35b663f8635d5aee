//! Where to resume. A hub's ids have no order, so a cursor also has a number of our own: of several topics in
//! one connection, the one with the greatest number is where the connection stands.

use crate::model::Cursor;

/// What stands for the beginning of everything a hub holds.
pub(super) const EARLIEST: &str = "earliest";

/// A position in what a hub sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Before everything it holds.
    Earliest,
    /// After this event.
    After(String),
}

impl Position {
    /// How a hub is asked for it.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Earliest => EARLIEST,
            Self::After(id) => id,
        }
    }

    /// What a hub says.
    pub(super) fn of_id(id: &str) -> Self {
        if id == EARLIEST {
            Self::Earliest
        } else {
            Self::After(id.to_owned())
        }
    }
}

/// A cursor taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// It was made by a connection that carried all topics, and its number can be compared with others of
    /// that kind.
    pub shared: bool,
    /// Greater is later.
    pub number: u64,
    /// In what the hub sends.
    pub position: Position,
}

impl Place {
    /// Reads what [`Place::cursor`] wrote. Anything else is taken for an id.
    pub(super) fn read(cursor: &Cursor) -> Self {
        let (head, id) = match cursor.0.split_once(' ') {
            Some((head, id)) => (head, Some(id)),
            None => (cursor.0.as_str(), None),
        };
        let number = head
            .get(1..)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok());
        match (head.get(..1), number) {
            (Some(kind @ ("s" | "a")), Some(number)) => Self {
                shared: kind == "s",
                number,
                position: id.map_or(Position::Earliest, |id| Position::After(id.to_owned())),
            },
            _ => Self {
                shared: false,
                number: 0,
                position: Position::After(cursor.0.clone()),
            },
        }
    }

    /// As it is stored.
    pub(super) fn cursor(&self) -> Cursor {
        let kind = if self.shared { 's' } else { 'a' };
        Cursor(match &self.position {
            Position::Earliest => format!("{kind}{}", self.number),
            Position::After(id) => format!("{kind}{} {id}", self.number),
        })
    }
}
