//! Ids of server-sent events: which of them an event has for itself.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Tells events with an id of their own from those without, for which an event stream repeats the last one.
#[derive(Default)]
pub(super) struct Ids {
    /// The id of the event before.
    previous: String,
    /// A hash of what it said.
    said: u64,
}

impl Ids {
    /// The event's own id; empty if it has none.
    pub(super) fn own<'a>(&mut self, (name, id, data): (&str, &'a str, &str)) -> &'a str {
        let mut hasher = DefaultHasher::new();
        (name, data).hash(&mut hasher);
        let said = hasher.finish();
        if self.previous != id {
            id.clone_into(&mut self.previous);
            self.said = said;
            return id;
        }
        // The same once more is the same event, come twice.
        if self.said == said { id } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn an_id_that_goes_on_is_nobodys_and_a_repeat_keeps_its_own() {
        let mut ids = Ids::default();
        assert_eq!(ids.own(("message", "", "a")), "");
        assert_eq!(ids.own(("message", "1", "a")), "1");
        assert_eq!(ids.own(("message", "1", "a")), "1");
        assert_eq!(ids.own(("message", "1", "b")), "");
        assert_eq!(ids.own(("alert", "1", "a")), "");
        assert_eq!(ids.own(("message", "2", "a")), "2");
        assert_eq!(ids.own(("message", "1", "a")), "1");
    }
}
