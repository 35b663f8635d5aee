//! What was told, by whom, and what follows from it. Pure.

use tidings_core::model::{Context, Surroundings};

/// Where one says something about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    context: Context,
    who: &'static str,
    is: bool,
    /// The number of the word that said it.
    number: u64,
    /// One that is only believed once it has said "yes" has.
    proven: bool,
}

/// All that is told just now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    said: Vec<Said>,
    /// How many words were heard.
    heard: u64,
    /// The number of the word by which somebody last took back that the screen is locked.
    unlocked: u64,
}

impl Words {
    /// `who` says whether this is so, or nothing any more. Whoever is not `sure` might never say "yes", and does not
    /// count as telling until it has. Says whether anything is otherwise than before.
    pub fn hear(
        &mut self,
        context: Context,
        who: &'static str,
        is: Option<bool>,
        sure: bool,
    ) -> bool {
        self.heard += 1;
        let before = (self.now(), self.told());
        let at = self
            .said
            .iter()
            .position(|said| said.context == context && said.who == who);
        match (at, is) {
            (None, None) => {}
            (Some(at), None) => drop(self.said.remove(at)),
            (None, Some(is)) => self.said.push(Said {
                context,
                who,
                is,
                number: self.heard,
                proven: sure || is,
            }),
            (Some(at), Some(is)) => {
                let said = &mut self.said[at];
                if context == Context::Locked && said.is && !is {
                    self.unlocked = self.heard;
                }
                said.is = is;
                said.number = self.heard;
                said.proven |= is;
            }
        }
        before != (self.now(), self.told())
    }

    /// What is so just now.
    ///
    /// One that says so is enough, with one exception: who takes back that the screen is locked is believed against
    /// all that said so before, since some lockers say that they lock and never that they unlocked.
    pub fn now(&self) -> Surroundings {
        of(|context| {
            self.of(context)
                .any(|said| said.is && (context != Context::Locked || said.number > self.unlocked))
        })
    }

    /// What this desktop tells of.
    pub fn told(&self) -> Surroundings {
        of(|context| self.of(context).any(|said| said.proven))
    }

    /// Who tells of this, in words.
    pub fn tellers(&self, context: Context) -> Vec<&'static str> {
        let proven = self.of(context).filter(|said| said.proven);
        proven.map(|said| said.who).collect()
    }

    /// Who would tell of this, but has never said that it is so.
    pub fn silent(&self, context: Context) -> Vec<&'static str> {
        let silent = self.of(context).filter(|said| !said.proven);
        silent.map(|said| said.who).collect()
    }

    fn of(&self, context: Context) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(move |said| said.context == context)
    }
}

fn of(is: impl Fn(Context) -> bool) -> Surroundings {
    Surroundings {
        locked: is(Context::Locked),
        presenting: is(Context::Presenting),
        full_screen: is(Context::FullScreen),
        screen_shared: is(Context::ScreenShared),
        do_not_disturb: is(Context::DoNotDisturb),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    /// After each word, whether it is so.
    fn play(context: Context, words: &[(&'static str, Option<bool>, bool)]) {
        let mut heard = Words::default();
        for (at, (who, is, so)) in words.iter().enumerate() {
            heard.hear(context, who, *is, true);
            assert_eq!(
                heard.now().is(context),
                *so,
                "{context:?}: {at} of {words:?}"
            );
            for other in Context::ALL.into_iter().filter(|other| *other != context) {
                assert!(!heard.now().is(other) && !heard.told().is(other));
            }
        }
    }

    #[test]
    fn one_that_says_so_is_enough() {
        for context in Context::ALL {
            play(
                context,
                &[("a", NO, false), ("b", YES, true), ("b", NO, false)],
            );
            play(context, &[("a", YES, true), ("a", None, false)]);
            play(
                context,
                &[("a", NO, false), ("b", YES, true), ("a", None, true)],
            );
        }
        let both = [
            ("a", YES, true),
            ("b", YES, true),
            ("a", NO, true),
            ("b", NO, false),
        ];
        for context in Context::ALL {
            if context != Context::Locked {
                play(context, &both);
            }
        }
    }

    #[test]
    fn who_takes_the_lock_back_is_believed_against_all_before() {
        for words in [
            // Both tell honestly.
            &[
                ("a", YES, true),
                ("b", YES, true),
                ("b", NO, false),
                ("a", NO, false),
                ("b", YES, true),
            ][..],
            // One never says that it unlocked, before the other and after it.
            &[
                ("hint", YES, true),
                ("a", YES, true),
                ("a", NO, false),
                ("a", YES, true),
            ],
            &[("a", YES, true), ("hint", YES, true), ("a", NO, false)],
            // It says so again: that is a new word.
            &[
                ("hint", YES, true),
                ("a", YES, true),
                ("a", NO, false),
                ("hint", YES, true),
            ],
            // One that never said "locked" takes nothing back.
            &[
                ("hint", YES, true),
                ("a", NO, true),
                ("a", NO, true),
                ("hint", NO, false),
            ],
            // One that goes away takes nothing back but its own word.
            &[("hint", YES, true), ("a", YES, true), ("a", None, true)],
            &[("a", YES, true), ("a", None, false), ("a", YES, true)],
        ] {
            play(Context::Locked, words);
        }
    }

    #[test]
    fn who_might_never_say_yes_does_not_count_until_it_has() {
        let mut words = Words::default();
        let locked = Context::Locked;
        assert!(!words.hear(locked, "logind", NO, false));
        assert!(!words.told().locked && words.tellers(locked).is_empty());
        assert_eq!(words.silent(locked), ["logind"]);
        assert!(words.hear(locked, "logind", YES, false));
        assert!(words.hear(locked, "logind", NO, false));
        assert!(words.told().locked && words.silent(locked).is_empty());
        assert!(words.hear(locked, "logind", None, false));
        assert_eq!(
            words,
            Words {
                heard: 4,
                unlocked: 3,
                ..Words::default()
            }
        );
    }

    #[test]
    fn only_what_is_otherwise_is_news() {
        let mut words = Words::default();
        assert!(
            words.hear(Context::DoNotDisturb, "a", NO, true),
            "it is told now"
        );
        assert!(!words.hear(Context::DoNotDisturb, "b", NO, true));
        assert!(words.hear(Context::DoNotDisturb, "b", YES, true));
        assert!(!words.hear(Context::DoNotDisturb, "a", YES, true));
        assert!(!words.hear(Context::DoNotDisturb, "a", None, true));
        assert_eq!(words.tellers(Context::DoNotDisturb), ["b"]);
    }
}
