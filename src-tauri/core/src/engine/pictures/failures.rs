//! Pictures that could not be had, remembered for a while: nobody's server is asked again and again because
//! somebody scrolls.

use super::sources::Source;
use crate::backend::Failure;
use crate::engine::lock;
use crate::picture::Unfit;
use crate::transport::NotFetched;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tidings_api::{ErrorCode, ErrorView};

/// What may work soon is tried again after so long.
const SOON: Duration = Duration::from_mins(10);
/// What will hardly work is tried again after so long.
const HARDLY: Duration = Duration::from_hours(6);
/// A user who asks once more is believed after so long.
const ASKED: Duration = Duration::from_secs(5);
/// Failures remembered.
const MOST: usize = 1000;

/// Why there is no picture.
pub struct Failed {
    /// Why, in words that go on after "The picture could not be loaded:", without an address.
    pub cause: String,
    /// When it is tried again.
    pub again_after: Duration,
    /// What to do about it.
    advice: &'static str,
}

const LATER: &str = "It is tried again later.";
const BROWSER: &str = "Open it in the browser instead.";

impl From<NotFetched> for Failed {
    fn from(error: NotFetched) -> Self {
        let (again_after, advice) = match &error {
            NotFetched::Refused {
                status: 408 | 425 | 429 | 500..,
                retry_after,
            } => (retry_after.unwrap_or(SOON).max(SOON), LATER),
            NotFetched::Transport(_) => (SOON, LATER),
            NotFetched::Refused { .. } | NotFetched::Private => {
                (HARDLY, "Ask who published it, if it matters.")
            }
            NotFetched::Abroad
            | NotFetched::Cleartext
            | NotFetched::Proxy
            | NotFetched::TooLarge => (HARDLY, BROWSER),
        };
        Self {
            cause: error.to_string(),
            again_after,
            advice,
        }
    }
}

impl From<Unfit> for Failed {
    fn from(error: Unfit) -> Self {
        Self {
            cause: error.to_string(),
            again_after: HARDLY,
            advice: BROWSER,
        }
    }
}

impl Failed {
    /// The account cannot sign in.
    pub fn sign_in(failure: &Failure) -> Self {
        Self {
            cause: failure.says.trim_end_matches('.').to_owned(),
            again_after: SOON,
            advice: LATER,
        }
    }

    /// For the user.
    pub fn words(&self, source: &Source) -> ErrorView {
        ErrorView::new(
            ErrorCode::Network,
            format!(
                "The picture on {} could not be loaded: {}. {}",
                source.host(),
                self.cause,
                self.advice
            ),
        )
    }
}

/// What failed, by key.
#[derive(Default)]
pub struct Failures(Mutex<HashMap<String, Remembered>>);

struct Remembered {
    at: Duration,
    until: Duration,
    asked: bool,
    error: ErrorView,
}

impl Failures {
    /// Why it failed a while ago. `asked`: its user asks for it, and is not content with old news.
    pub fn of(&self, key: &str, asked: bool, now: Duration) -> Option<ErrorView> {
        lock(&self.0)
            .get(key)
            .filter(|known| {
                if asked {
                    known.asked && now < known.at + ASKED
                } else {
                    now < known.until
                }
            })
            .map(|known| known.error.clone())
    }

    /// It failed.
    pub fn remember(
        &self,
        key: &str,
        asked: bool,
        again_after: Duration,
        error: &ErrorView,
        now: Duration,
    ) {
        let mut known = lock(&self.0);
        if known.len() >= MOST {
            known.retain(|_, one| now < one.until);
        }
        if known.len() >= MOST {
            // So many at a time are a flood; each is then tried once more.
            known.clear();
        }
        let one = Remembered {
            at: now,
            until: now + again_after,
            asked,
            error: error.clone(),
        };
        known.insert(key.to_owned(), one);
    }

    /// All of it is old news.
    pub fn forget(&self) {
        lock(&self.0).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::TransportError;

    fn error() -> ErrorView {
        ErrorView::new(ErrorCode::Network, "no")
    }

    #[test]
    fn what_failed_is_left_alone_for_a_while() {
        let failures = Failures::default();
        let at = Duration::from_secs;
        failures.remember("a", false, SOON, &error(), at(10));
        assert!(failures.of("a", false, at(10)).is_some());
        assert!(failures.of("a", false, at(10) + SOON).is_none());
        assert!(failures.of("b", false, at(10)).is_none());
        assert!(failures.of("a", true, at(10)).is_none(), "a user asked");
        failures.remember("a", true, HARDLY, &error(), at(20));
        assert!(failures.of("a", true, at(24)).is_some(), "just now");
        assert!(failures.of("a", true, at(25)).is_none());
        failures.forget();
        assert!(failures.of("a", false, at(21)).is_none());
    }

    #[test]
    fn no_flood_is_remembered() {
        let failures = Failures::default();
        for number in 0..3 * MOST {
            failures.remember(&number.to_string(), false, SOON, &error(), Duration::ZERO);
            assert!(lock(&failures.0).len() <= MOST);
        }
    }

    #[test]
    fn a_server_in_trouble_is_asked_again_sooner_than_one_that_said_no() {
        let again = |status, seconds: u64| {
            let retry_after = (seconds > 0).then(|| Duration::from_secs(seconds));
            Failed::from(NotFetched::Refused {
                status,
                retry_after,
            })
            .again_after
        };
        assert_eq!(again(503, 0), SOON);
        assert_eq!(again(429, 900), Duration::from_mins(15));
        assert_eq!(again(500, 1), SOON, "never a storm");
        assert_eq!([again(404, 0), again(410, 0), again(403, 1)], [HARDLY; 3]);
        let lost = NotFetched::Transport(TransportError::Timeout);
        assert_eq!(Failed::from(lost).again_after, SOON);
        assert_eq!(Failed::from(Unfit::Format).again_after, HARDLY);
    }
}
